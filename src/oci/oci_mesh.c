/* Routers inside an application group: their children, source routes, and route discovery. All members share one network key, so that each router can open
 * and seal what it passes on; a frame that comes through one is sealed by that one, with its counter, and says in its header whose it is. What a member
 * could forge of another, it could forge anyway (docs/protocols/zigbee.md, "Application groups"). Sources: R22 clauses 3.4.5, 3.6.3.3, 3.6.3.5, 3.6.5.
 *
 * A device is behind a router when its router has said so and it was heard that way, or when a frame to us came through one; it is the gateway's own again
 * with the first frame to us that it has sealed itself. */
#include <string.h>

#include "base/clock.h"
#include "oci/core_private.h"

#define BROADCAST_MS 9000 /* nwkNetworkBroadcastDeliveryTime */
#define STATUS_REJOIN 0x80 /* Mgmt_Leave_req: it is to rejoin */

/* NULL: it has a key of its own, or none. */
static const struct oci_network *group_of(const struct oci_device *d)
{
	const struct oci_network *n = d->present.network ? d->present.network : d->pending.network;

	return n && n->policy == OCI_POLICY_GROUP ? n : NULL;
}

bool oci_mesh_same(const struct oci_device *a, const struct oci_device *b)
{
	const struct oci_network *of_a = group_of(a), *of_b = group_of(b);

	return of_a && of_b && strcmp(of_a->name, of_b->name) == 0 && a->gateway == b->gateway;
}

bool oci_mesh_is_router(const struct oci_device *d)
{
	return oci_is_router(d) && group_of(d);
}

static struct oci_device *at_address(struct oci_core *c, const struct oci_device *like, uint16_t short_address)
{
	for (struct oci_device *d = c->devices; d; d = d->next)
		if (d->short_address == short_address && oci_mesh_same(d, like))
			return d;
	return NULL;
}

/* ---- out ---- */

static struct oci_device *by_record(struct oci_core *c, const struct oci_device *d, struct nwk_frame *f)
{
	struct oci_device *hop = d->route.count > 0 ? at_address(c, d, d->route.relays[d->route.count - 1]) : NULL;

	if (!hop || hop->parent || !hop->present.network)
		return NULL;
	f->relay_count = d->route.count;
	memcpy(f->relays, d->route.relays, d->route.count * sizeof d->route.relays[0]);
	return hop;
}

static struct oci_device *by_parents(struct oci_core *c, const struct oci_device *d, struct nwk_frame *f)
{
	struct oci_device *hop = NULL;

	f->relay_count = 0;
	for (uint64_t parent = d->parent; parent; parent = hop->parent) {
		hop = oci_core_device(c, parent);
		if (!hop || !oci_mesh_same(hop, d) || f->relay_count == OCI_RELAYS)
			return NULL;
		f->relays[f->relay_count++] = hop->short_address;
	}
	return hop && hop->present.network ? hop : NULL;
}

struct oci_device *oci_mesh_hop(struct oci_core *c, struct oci_device *d, struct nwk_frame *f)
{
	struct oci_device *hop;

	if (!d->parent)
		return d;
	hop = by_record(c, d, f);
	if (!hop)
		hop = by_parents(c, d, f);
	if (!hop)
		return NULL;
	f->source_route = true;
	f->relay_index = (uint8_t)(f->relay_count - 1);
	return hop;
}

void oci_mesh_leave(struct oci_core *c, struct oci_device *d, bool rejoin)
{
	const struct nwk_command back = {.id = NWK_LEAVE, .leave = {.request = true, .rejoin = true}};
	const struct zdo_message m = {.cluster = ZDO_MGMT_LEAVE, .sequence = d->zdo_sequence, .eui64 = d->eui64, .leave_flags = rejoin ? STATUS_REJOIN : 0};

	if (!d->parent && rejoin) {
		oci_nwk_command(c, d, &back);
	} else if (!d->parent) {
		oci_nwk_leave(c, d);
	} else {
		d->zdo_sequence++;
		oci_zdo_send(c, d, &m);
	}
}

void oci_core_tunnel(struct oci_core *c, uint64_t now, uint64_t router, uint64_t eui64, struct rd aps)
{
	const struct aps_command m = {.id = APS_TUNNEL, .tunnel = {.destination = eui64, .frame = aps}};
	struct oci_device *r = oci_core_device(c, router), *d = oci_core_device(c, eui64);
	struct aps_frame f = {.type = APS_COMMAND};
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);

	c->now = now;
	if (!r || !d || !r->joined || !oci_mesh_same(r, d) || aps.left == 0)
		return;
	if (aps_command_encode(&m, &w) == OK && wr_done(&w, &f.payload))
		oci_aps_send(c, r, &f);
}

/* ---- what is known of the way to a device ---- */

static void set_parent(struct oci_core *c, struct oci_device *d, const struct oci_device *parent)
{
	uint64_t eui64 = parent ? parent->eui64 : 0;

	d->coming_as = 0;
	if (d->parent == eui64)
		return;
	d->parent = eui64;
	d->route.count = 0;
	d->router.served = false;
	oci_life_place(c, d);
	if (parent)
		oci_log(c, d, "behind router %04x from now on", parent->short_address);
	else
		oci_log(c, d, "the gateway hears the device itself from now on");
}

void oci_mesh_direct(struct oci_core *c, struct oci_device *d, const struct nwk_frame *f)
{
	if (d->parent && f->destination == NWK_COORDINATOR)
		set_parent(c, d, NULL);
}

static void left(struct oci_core *c, struct oci_device *d)
{
	if (!d->joined)
		return;
	oci_event(c, d, "left");
	d->joined = false;
	d->parent = 0;
	d->route.count = 0;
	d->interview = OCI_INTERVIEW_WAITING;
	d->step_at = CLOCK_NEVER;
	oci_aps_forget(d);
	oci_router_forget(d);
	(void)oci_save(c, d);
	oci_log(c, d, "device left, as its router says");
}

void oci_core_child(struct oci_core *c, uint64_t now, uint64_t router, const struct oci_child *child)
{
	struct oci_device *r = oci_core_device(c, router), *d = oci_core_device(c, child->eui64);

	c->now = now;
	if (!r || !d || r == d || !oci_mesh_is_router(r) || !oci_mesh_same(r, d))
		return;
	switch (child->status) {
	case OCI_CHILD_SECURED_REJOIN: /* the router has opened what it asked with */
		if (nwk_address_is_device(child->short_address))
			d->short_address = child->short_address;
		set_parent(c, d, r);
		(void)oci_save(c, d);
		(void)oci_effect(c, OCI_PRESENCE, d);
		break;
	case OCI_CHILD_JOIN: /* anybody may associate in its name: until it is heard there nothing changes */
	case OCI_CHILD_TRUST_CENTRE_REJOIN:
		d->coming_as = child->short_address;
		d->coming_to = router;
		break;
	case OCI_CHILD_LEFT:
		if (d->parent == router)
			left(c, d);
		break;
	}
}

static void note_route(struct oci_core *c, struct oci_device *hop, struct oci_device *d, const struct nwk_command *m)
{
	uint8_t count = m->route_record.count;
	struct oci_device *first;

	if (d == hop || count == 0)
		return;
	if (count > OCI_RELAYS || m->route_record.relays[count - 1] != hop->short_address) {
		oci_log(c, d, "a route record that does not end with who brought it, or is too long");
		return;
	}
	for (uint8_t i = 0; i < count; i++) {
		const struct oci_device *relay = at_address(c, hop, m->route_record.relays[i]);

		if (!relay || relay == d || !oci_is_router(relay))
			return;
	}
	first = at_address(c, hop, m->route_record.relays[0]);
	if (first)
		set_parent(c, d, first);
	d->route.count = count;
	memcpy(d->route.relays, m->route_record.relays, count * sizeof d->route.relays[0]);
}

void oci_mesh_no_route(struct oci_core *c, const struct oci_device *d, uint16_t short_address)
{
	struct oci_device *lost = at_address(c, d, short_address);

	if (lost)
		lost->route.count = 0;
}

/* ---- in ---- */

/* A device without any other EUI-64 in its frame says who it is when it has joined, or has another address. */
static bool announces(const struct nwk_frame *f, struct rd payload, uint64_t *eui64)
{
	struct aps_frame aps;
	struct zdo_message m;

	if (f->type != NWK_DATA || aps_frame_decode(payload, &aps) != OK || aps.type != APS_DATA || aps.security || aps.profile != APS_PROFILE_ZDP ||
	    aps.cluster != ZDO_DEVICE_ANNCE || zdo_decode(aps.cluster, aps.payload, &m) != OK || m.short_address != f->source)
		return false;
	*eui64 = m.eui64;
	return true;
}

struct oci_device *oci_mesh_origin(struct oci_core *c, struct oci_device *hop, const struct nwk_frame *f, struct rd payload)
{
	struct oci_device *d;
	uint64_t eui64;

	if (!oci_mesh_is_router(hop))
		return oci_router_own(hop, f) ? hop : NULL;
	if (f->source == NWK_COORDINATOR)
		return NULL; /* ours, which it repeats */
	if (f->has_source_eui64 || announces(f, payload, &eui64)) {
		d = oci_core_device(c, f->has_source_eui64 ? f->source_eui64 : eui64);
		return d && oci_mesh_same(d, hop) ? d : NULL;
	}
	if (f->source == hop->short_address)
		return hop;
	d = at_address(c, hop, f->source);
	for (struct oci_device *new = d ? NULL : c->devices; new && !d; new = new->next)
		if (new->coming_as == f->source && new->coming_to && oci_mesh_same(new, hop))
			d = new;
	return d;
}

static bool is_fresh(struct oci_core *c, const struct nwk_frame *f)
{
	struct oci_heard *oldest = &c->heard[0];

	for (size_t i = 0; i < OCI_HEARD; i++) {
		struct oci_heard *h = &c->heard[i];

		if (c->now < h->until && h->source == f->source && h->sequence == f->sequence)
			return false;
		if (h->until < oldest->until)
			oldest = h;
	}
	*oldest = (struct oci_heard){f->source, f->sequence, c->now + BROADCAST_MS};
	return true;
}

/* Something that it acknowledges: it goes out under the key that the router uses by now. */
static void probe(struct oci_core *c, struct oci_device *d)
{
	const struct zdo_message m = {.cluster = ZDO_IEEE_ADDR, .sequence = d->zdo_sequence++, .short_address = d->short_address};

	d->pending.probing = true;
	d->pending.probe = d->aps_counter % OCI_APS_UNICAST; /* that the next frame gets */
	oci_zdo_send(c, d, &m);
}

static bool acknowledges(const struct nwk_frame *f, struct rd payload, uint8_t counter)
{
	struct aps_frame a;

	return f->type == NWK_DATA && aps_frame_decode(payload, &a) == OK && a.type == APS_ACK && a.counter == counter;
}

/* Which key a device behind a router has, we cannot see: what it seals, its router opens, and seals with its own. It has the next one when it was told, its
 * router has changed, and it acknowledges what went to it since. Who joins anew is one that announces itself. */
static bool follow_key(struct oci_core *c, const struct oci_device *hop, struct oci_device *d, const struct nwk_frame *f, struct rd payload)
{
	const struct oci_network *k = hop->present.network, *mine = d->present.network;
	bool next = d->pending.network && d->pending.network == k;
	uint64_t eui64;

	if (next && !d->pending.rotation && announces(f, payload, &eui64)) {
		oci_nwk_promote(c, d, f->source);
		return true;
	}
	if (next && d->pending.probing && acknowledges(f, payload, d->pending.probe)) {
		oci_nwk_promote(c, d, f->source);
		oci_event(c, d, "rotated");
		return true;
	}
	if (next && d->pending.told && !d->pending.probing)
		probe(c, d);
	return d->joined || (mine && mine->generation <= k->generation);
}

static void follow(struct oci_core *c, struct oci_device *hop, struct oci_device *d, const struct nwk_frame *f)
{
	struct nwk_frame unused = *f;
	struct oci_device *to = d->coming_as && d->coming_as == f->source ? oci_core_device(c, d->coming_to) : NULL;

	if (to)
		set_parent(c, d, to);
	else if (f->destination == NWK_COORDINATOR && (!d->parent || oci_mesh_hop(c, d, &unused) != hop))
		set_parent(c, d, hop);
	oci_life_heard(c, d, f, true);
}

/* What is for one hop only never comes this way. */
static void command_input(struct oci_core *c, struct oci_device *hop, struct oci_device *d, const struct nwk_frame *f, struct rd payload)
{
	struct nwk_command m;

	if (nwk_command_decode(payload, &m) != OK)
		return;
	if (m.id == NWK_ROUTE_RECORD)
		note_route(c, hop, d, &m);
	else if (m.id == NWK_ROUTE_REQUEST)
		oci_router_reply(c, hop, d, f, &m);
	else if (m.id == NWK_NETWORK_STATUS)
		oci_router_status(c, d, &m);
}

/* Route requests and link status come again and again, each with something new. */
static bool is_repeat(struct oci_core *c, const struct nwk_frame *f, struct rd payload)
{
	uint8_t id = 0;

	if (f->destination < NWK_BROADCAST_ROUTERS || (f->type == NWK_COMMAND && rd_u8(&payload, &id) && (id == NWK_ROUTE_REQUEST || id == NWK_LINK_STATUS)))
		return false;
	return !is_fresh(c, f);
}

enum err oci_mesh_input(struct oci_core *c, struct oci_device *hop, struct oci_device *d, const struct nwk_frame *f, struct rd payload)
{
	if (is_repeat(c, f, payload))
		return OK;
	if (!follow_key(c, hop, d, f, payload)) {
		oci_log(c, d, "a frame through router %04x, under a key that the device does not have", hop->short_address);
		return ERR_NOT_AUTHORISED;
	}
	d->last_heard = c->now;
	follow(c, hop, d, f);
	if (!d->joined)
		oci_nwk_first(c, d);
	if (!oci_save(c, d))
		return ERR_STORE;
	if (f->type == NWK_COMMAND)
		command_input(c, hop, d, f, payload);
	else
		oci_aps_input(c, d, payload);
	oci_poll_heard(c, d);
	return OK;
}
