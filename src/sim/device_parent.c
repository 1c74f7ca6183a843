/* The simulated router as a parent: its beacon, permission to join, association and rejoin of children, the queue of those that sleep, what it tells the
 * Trust Centre of them, and what the Trust Centre sends to one that has no key yet: R22 4.6.3.2, 4.6.3.3, 4.6.3.6 and 3.6.1.6. A child gets no further than
 * association unless the Trust Centre sends it a key. */
#include <string.h>

#include "sim/device_private.h"
#include "zigbee/beacon.h"

#define SUPERFRAME 0x0fff
#define CHILD_MS 20000       /* without a key */
#define PERSISTENCE_MS 7680  /* macTransactionPersistenceTime */
#define PARENT_INFORMATION 1 /* keep-alive by MAC data poll */

void device_parent_permit(struct sim_device *d, uint8_t seconds)
{
	d->router.permit_until = seconds == 0xff ? UINT64_MAX : d->now + seconds * 1000ULL;
	device_event(d, "permit-joining", "\"seconds\":%u", seconds);
}

static bool open(const struct sim_device *d)
{
	return d->now < d->router.permit_until;
}

static void beacon(struct sim_device *d)
{
	const struct zigbee_beacon z = {.stack_profile = 2, .protocol_version = 2, .router_capacity = true, .depth = d->router.depth ? d->router.depth : 1,
		.end_device_capacity = true, .extended_pan_id = d->extended_pan_id, .tx_offset = 0xffffff};
	struct mac_beacon b = {.superframe = SUPERFRAME, .association_permit = open(d)};
	struct mac_frame f = {.type = MAC_BEACON, .source = {MAC_ADDRESS_SHORT, d->pan_id, d->short_address, 0}};
	uint8_t inner[16], outer[32];
	struct wr zw = wr_of(inner, sizeof inner), bw = wr_of(outer, sizeof outer);

	if (zigbee_beacon_encode(&z, &zw) == OK && wr_done(&zw, &b.payload) && mac_beacon_encode(&b, &bw) == OK && wr_done(&bw, &f.payload))
		device_mac_send(d, &f);
}

/* ---- who they are ---- */

struct device_child *device_parent_child(struct sim_device *d, uint64_t eui64)
{
	for (size_t i = 0; i < DEVICE_CHILDREN; i++)
		if (d->router.children[i].used && d->router.children[i].eui64 == eui64)
			return &d->router.children[i];
	return NULL;
}

struct device_child *device_parent_child_at(struct sim_device *d, uint16_t short_address)
{
	for (size_t i = 0; i < DEVICE_CHILDREN; i++)
		if (d->router.children[i].used && d->router.children[i].short_address == short_address)
			return &d->router.children[i];
	return NULL;
}

bool device_parent_sleeps(const struct device_child *c)
{
	return !(c->capability & MAC_CAPABILITY_RX_ON_WHEN_IDLE);
}

/* The radio says "frame pending" to whom something waits for. */
static void match(struct sim_device *d, const struct device_child *c)
{
	radio_match_enable(d->radio, true);
	(void)radio_match_short(d->radio, c->short_address, c->used && c->queued > 0);
	(void)radio_match_extended(d->radio, c->eui64, c->used && c->answer_waits);
}

static void forget(struct sim_device *d, struct device_child *c)
{
	c->used = false;
	match(d, c);
}

static struct device_child *child_new(struct sim_device *d, uint64_t eui64)
{
	for (size_t i = 0; i < DEVICE_CHILDREN; i++) {
		struct device_child *c = &d->router.children[i];

		if (c->used && (c->keyed || d->now < c->since + CHILD_MS))
			continue;
		if (c->used)
			forget(d, c);
		*c = (struct device_child){.used = true, .eui64 = eui64, .since = d->now, .short_address = MAC_BROADCAST};
		return c;
	}
	return NULL;
}

static bool address_free(struct sim_device *d, uint16_t a)
{
	return nwk_address_is_device(a) && a != d->short_address && !device_parent_child_at(d, a);
}

static uint16_t new_address(struct sim_device *d)
{
	uint16_t a;

	do
		a = (uint16_t)rng_u32(d->config.rng);
	while (!address_free(d, a));
	return a;
}

void device_parent_forget(struct sim_device *d)
{
	for (size_t i = 0; i < DEVICE_CHILDREN; i++)
		if (d->router.children[i].used)
			forget(d, &d->router.children[i]);
}

void device_parent_heard(struct sim_device *d, uint64_t sealer)
{
	struct device_child *c = device_parent_child(d, sealer);

	if (!c || c->keyed)
		return;
	c->keyed = true;
	device_event(d, "child", "\"child\":\"%016llx\",\"short\":%u", (unsigned long long)sealer, c->short_address);
	device_save(d);
}

/* ---- what goes to them ---- */

static void queue_remove(struct device_child *c, size_t at)
{
	c->queued--;
	memmove(&c->queue[at], &c->queue[at + 1], (c->queued - at) * sizeof c->queue[0]);
}

static void drop_expired(struct sim_device *d, struct device_child *c)
{
	for (size_t i = 0; i < c->queued;)
		if (d->now >= c->queue[i].until && c->queue[i].token == 0)
			queue_remove(c, i);
		else
			i++;
}

void device_parent_queue(struct sim_device *d, struct device_child *c, const struct nwk_frame *f)
{
	drop_expired(d, c);
	if (c->queued == DEVICE_CHILD_QUEUE || !device_frame_take(&c->queue[c->queued].frame, f)) {
		device_event(d, "not-queued", "\"child\":\"%016llx\"", (unsigned long long)c->eui64);
		return;
	}
	c->queue[c->queued].until = d->now + PERSISTENCE_MS;
	c->queue[c->queued++].token = 0;
	match(d, c);
}

/* A new child polls for its address first, and for what comes then. */
void device_parent_deliver(struct sim_device *d, struct device_child *c, const struct nwk_frame *f)
{
	if (device_parent_sleeps(c))
		device_parent_queue(d, c, f);
	else
		(void)device_nwk_pass(d, f, c->short_address, false);
}

void device_parent_sent(struct sim_device *d, uint32_t token, bool acked)
{
	for (size_t i = 0; i < DEVICE_CHILDREN; i++) {
		struct device_child *c = &d->router.children[i];

		for (size_t k = 0; c->used && k < c->queued; k++) {
			if (c->queue[k].token != token)
				continue;
			c->queue[k].token = 0;
			if (acked)
				queue_remove(c, k);
			match(d, c);
			return;
		}
	}
}

static void send_first(struct sim_device *d, struct device_child *c)
{
	struct nwk_frame f;

	drop_expired(d, c);
	match(d, c);
	if (c->queued == 0 || c->queue[0].token != 0)
		return;
	f = device_frame(&c->queue[0].frame);
	c->queue[0].token = device_nwk_pass(d, &f, c->short_address, c->queued > 1);
}

/* Who takes us for its parent, and is no child of ours: R22 3.6.10.4. */
static void send_away(struct sim_device *d, uint16_t short_address)
{
	const struct nwk_command m = {.id = NWK_LEAVE, .leave = {.request = true, .rejoin = true}};
	uint8_t buffer[4];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct nwk_frame f;
	struct rd payload;

	if (nwk_command_encode(&m, &w) != OK || !wr_done(&w, &payload))
		return;
	device_nwk_header(d, NWK_COMMAND, short_address, payload, &f);
	f.sequence = d->nwk_sequence++;
	(void)device_nwk_pass(d, &f, short_address, false);
}

/* ---- association ---- */

static void on_association(struct sim_device *d, uint64_t eui64, uint8_t capability)
{
	struct device_child *c = device_parent_child(d, eui64);

	if (!open(d))
		return;
	if (!c)
		c = child_new(d, eui64);
	if (!c)
		return;
	if (c->short_address == MAC_BROADCAST)
		c->short_address = new_address(d);
	c->capability = capability;
	c->since = d->now;
	c->answer_waits = true;
	c->keyed = false;
	c->in = (struct counter_in){false, 0};
	match(d, c);
}

/* The response goes when it is polled for; then the Trust Centre is told. */
static void answer_association(struct sim_device *d, struct device_child *c)
{
	struct mac_command m = {.id = MAC_ASSOCIATION_RESPONSE};
	struct mac_frame f = {
		.ack_request = true,
		.pan_id_compression = true,
		.destination = {MAC_ADDRESS_EXTENDED, d->pan_id, 0, c->eui64},
		.source = {MAC_ADDRESS_EXTENDED, d->pan_id, 0, d->config.eui64},
	};

	c->answer_waits = false;
	match(d, c);
	m.association.short_address = c->short_address;
	device_mac_command(d, &m, &f);
	device_event(d, "child-associated", "\"child\":\"%016llx\"", (unsigned long long)c->eui64);
	device_tc_update(d, c->eui64, c->short_address, DEVICE_UNSECURED_JOIN);
}

static void on_poll(struct sim_device *d, const struct mac_address *from)
{
	bool extended = from->mode == MAC_ADDRESS_EXTENDED;
	struct device_child *c = extended ? device_parent_child(d, from->extended) : device_parent_child_at(d, from->short_address);

	if (extended && c && c->answer_waits)
		answer_association(d, c);
	else if (!extended && c)
		send_first(d, c);
	else if (!extended)
		send_away(d, from->short_address);
}

void device_parent_command(struct sim_device *d, const struct mac_frame *f)
{
	struct mac_command m;

	if (!device_joined(d) || d->state < DEVICE_NEGOTIATING || d->state > DEVICE_COMMISSIONED || mac_command_decode(f->payload, &m) != OK)
		return;
	if (m.id == MAC_BEACON_REQUEST)
		beacon(d);
	else if (m.id == MAC_ASSOCIATION_REQUEST && f->source.mode == MAC_ADDRESS_EXTENDED)
		on_association(d, f->source.extended, m.capability);
	else if (m.id == MAC_DATA_REQUEST && f->source.mode != MAC_ADDRESS_NONE)
		on_poll(d, &f->source);
}

/* ---- keys, rejoin, leave ---- */

/* R22 4.4.3.1 and 4.4.8: what is in it goes to the child as it is, without network security. */
void device_parent_tunnel(struct sim_device *d, const struct aps_command *m)
{
	struct device_child *c = device_parent_child(d, m->tunnel.destination);
	struct nwk_frame f;

	device_event(d, c ? "tunnel" : "tunnel-for-nobody", "\"child\":\"%016llx\"", (unsigned long long)m->tunnel.destination);
	if (!c)
		return;
	device_nwk_header(d, NWK_DATA, c->short_address, m->tunnel.frame, &f);
	f.sequence = d->nwk_sequence++;
	f.security = false;
	f.discover_route = 0;
	f.radius = 1;
	device_parent_deliver(d, c, &f);
}

void device_parent_rejoin(struct sim_device *d, const struct nwk_frame *f, uint64_t eui64, uint8_t capability, bool secured)
{
	struct device_child *c = device_parent_child(d, eui64);
	struct nwk_command m = {.id = NWK_REJOIN_RESPONSE};

	if (d->state < DEVICE_NEGOTIATING || d->state > DEVICE_COMMISSIONED || eui64 == d->config.eui64)
		return;
	if (!c)
		c = child_new(d, eui64);
	if (!c)
		return;
	if (c->short_address != f->source && address_free(d, f->source))
		c->short_address = f->source;
	if (c->short_address == MAC_BROADCAST)
		c->short_address = new_address(d);
	c->capability = capability;
	c->since = d->now;
	c->keyed = c->keyed || secured;
	m.rejoin_response.short_address = c->short_address;
	device_nwk_command_to(d, c->short_address, eui64, &m, secured);
	device_event(d, "child-rejoined", "\"child\":\"%016llx\",\"secured\":%s", (unsigned long long)eui64, secured ? "true" : "false");
	device_tc_update(d, eui64, c->short_address, secured ? DEVICE_SECURED_REJOIN : DEVICE_UNSECURED_REJOIN);
	device_save(d);
}

void device_parent_timeout(struct sim_device *d, uint64_t eui64, const struct nwk_command *m)
{
	const struct nwk_command answer = {
		.id = NWK_END_DEVICE_TIMEOUT_RESPONSE,
		.timeout_response = {.status = nwk_timeout_seconds(m->timeout_request.timeout) == 0, .parent_information = PARENT_INFORMATION},
	};
	struct device_child *c = device_parent_child(d, eui64);

	if (c)
		device_nwk_command_to(d, c->short_address, eui64, &answer, true);
}

void device_parent_left(struct sim_device *d, uint64_t eui64)
{
	struct device_child *c = device_parent_child(d, eui64);

	if (!c)
		return;
	forget(d, c);
	device_event(d, "child-left", "\"child\":\"%016llx\"", (unsigned long long)eui64);
	device_tc_update(d, eui64, c->short_address, DEVICE_LEFT);
	device_save(d);
}

void device_parent_gone(struct sim_device *d, uint64_t eui64)
{
	struct device_child *c = device_parent_child(d, eui64);

	if (!c)
		return;
	forget(d, c);
	device_event(d, "child-gone", "\"child\":\"%016llx\"", (unsigned long long)eui64);
	device_save(d);
}

/* One that has the key hears of it, and says then that it leaves. */
void device_parent_remove(struct sim_device *d, uint64_t eui64)
{
	const struct nwk_command m = {.id = NWK_LEAVE, .leave = {.request = true}};
	struct device_child *c = device_parent_child(d, eui64);

	if (!c)
		return;
	device_event(d, "child-removed", "\"child\":\"%016llx\"", (unsigned long long)eui64);
	if (c->keyed)
		device_nwk_command_to(d, c->short_address, eui64, &m, true);
	else
		forget(d, c);
}

/* ---- memory ---- */

void device_parent_write(const struct sim_device *d, struct wr *w)
{
	wr_fmt(w, "depth %u\n", d->router.depth);
	for (size_t i = 0; i < DEVICE_CHILDREN; i++) {
		const struct device_child *c = &d->router.children[i];

		if (c->used && c->keyed)
			wr_fmt(w, "child %llu %u %u %u\n", (unsigned long long)c->eui64, c->short_address, c->capability, c->in.any ? c->in.last + 1 : 0);
	}
}

void device_parent_recall(struct sim_device *d, uint64_t eui64, uint16_t short_address, uint8_t capability, uint32_t fresh_from)
{
	struct device_child *c = child_new(d, eui64);

	if (!c)
		return;
	c->keyed = true;
	c->short_address = short_address;
	c->capability = capability;
	if (fresh_from > 0)
		counter_in_accept(&c->in, fresh_from - 1);
}
