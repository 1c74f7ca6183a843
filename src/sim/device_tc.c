/* The simulated device's side of the Trust Centre's procedures: first network key, time-out, node descriptor, unique link key, its verification,
 * removal. Sources: Zigbee specification 05-3474 R22, clauses 4.4.3 to 4.4.8 and 4.6.3; Base Device Behaviour 3.0, clause 10.2.5. */
#include "base/bytes.h"
#include "sim/device_private.h"
#include "zigbee/security/link_key.h"

#define ANNOUNCED_MS 50          /* between Device_annce and what follows */
#define TIMEOUT_TRIES 3
#define TIMEOUT_WAIT_MS 1000
#define NODE_ROUNDS 3
#define NODE_WAIT_MS 5000
#define KEY_TRIES 3
#define KEY_WAIT_MS 5700
#define MINIMUM_REVISION 21      /* an older Trust Centre has no unique link keys */
#define PERMIT_SECONDS 180
#define REJOIN_TRIES 3
#define REJOIN_MS 2000
#define START_OVER_MS 1500
#define START_OVER_DOUBLINGS 4
#define PARENT_TIMEOUT_REQUEST 0x02
#define PARENT_POLL 0x01

void device_trust_link_clear(struct trust_link *l)
{
	link_key_set_clear(&l->set);
	l->in = (struct counter_in){false, 0};
}

/* ---- out ---- */

static void send(struct sim_device *d, const struct aps_command *c, bool seal, bool ack)
{
	uint8_t buffer[64];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct aps_frame f = {.type = APS_COMMAND, .ack_request = ack};

	if (aps_command_encode(c, &w) == OK && wr_done(&w, &f.payload))
		device_aps_send(d, NWK_COORDINATOR, &f, seal);
}

void device_tc_update(struct sim_device *d, uint64_t child, uint16_t short_address, enum device_update status)
{
	const struct aps_command c = {.id = APS_UPDATE_DEVICE, .update_device = {child, short_address, (uint8_t)status}};

	send(d, &c, true, true);
}

static void ask_timeout(struct sim_device *d)
{
	const struct nwk_command c = {.id = NWK_END_DEVICE_TIMEOUT_REQUEST, .timeout_request = {d->config.timeout, 0}};

	if (d->tries++ == TIMEOUT_TRIES) {
		device_event(d, "timeout-not-negotiated", "%s", "");
		device_state_set(d, DEVICE_ASKING_NODE, 0);
		return;
	}
	device_nwk_command(d, d->parent, &c);
	d->step_at = d->now + TIMEOUT_WAIT_MS;
}

static void ask_node(struct sim_device *d)
{
	const struct zdo_message m = {.cluster = ZDO_NODE_DESC, .sequence = d->zdo_sequence, .short_address = NWK_COORDINATOR};

	if (d->tries++ == NODE_ROUNDS) {
		device_leave(d, "the coordinator does not tell its node descriptor", true);
		return;
	}
	d->zdo_sequence++;
	device_zdo_send(d, NWK_COORDINATOR, &m, true);
	d->step_at = d->now + NODE_WAIT_MS;
}

static void ask_key(struct sim_device *d)
{
	const struct aps_command c = {.id = APS_REQUEST_KEY, .request_key = {.type = APS_REQUEST_TC_LINK}};

	if (d->tries++ == KEY_TRIES) {
		device_leave(d, "no unique Trust Centre link key", true);
		return;
	}
	device_event(d, "key-requested", "\"try\":%u", d->tries);
	send(d, &c, true, false);
	d->step_at = d->now + KEY_WAIT_MS;
}

static void verify(struct sim_device *d)
{
	struct aps_command c = {.id = APS_VERIFY_KEY, .verify_key = {.type = APS_KEY_TC_LINK, .source = d->config.eui64}};

	if (d->tries++ == KEY_TRIES) {
		device_leave(d, "the Trust Centre does not confirm the link key", true);
		return;
	}
	link_key_verify_hash(d->fresh.set.link, c.verify_key.hash);
	send(d, &c, false, true);
	d->step_at = d->now + KEY_WAIT_MS;
}

static void no_key_came(struct sim_device *d)
{
	unsigned doublings = d->failures < START_OVER_DOUBLINGS ? d->failures : START_OVER_DOUBLINGS;

	device_event(d, "transport-key-timeout", "%s", "");
	if (d->unsecured_rejoin) {
		device_mac_seek_later(d);
		return;
	}
	d->failures++;
	device_state_set(d, DEVICE_OFF, (START_OVER_MS << doublings) + rng_below(d->config.rng, 500));
}

/* Secured at first; after some rounds that nobody answered by Trust Centre rejoin, which only a unique link key may open. */
static void ask_rejoin(struct sim_device *d)
{
	bool secured = !d->link_is_unique || d->rejoin_failures % DEVICE_UNSECURED_REJOIN_EVERY != DEVICE_UNSECURED_REJOIN_EVERY - 1;

	if (d->tries++ == REJOIN_TRIES) {
		device_mac_seek_later(d);
		return;
	}
	device_event(d, "rejoining", "\"secured\":%s", secured ? "true" : "false");
	device_nwk_rejoin_request(d, secured);
	d->poll_at = d->now;
	d->step_at = d->now + REJOIN_MS + rng_below(d->config.rng, 1000);
}

void device_tc_step(struct sim_device *d)
{
	switch (d->state) {
	case DEVICE_AWAITING_KEY:
		no_key_came(d);
		break;
	case DEVICE_NEGOTIATING:
		ask_timeout(d);
		break;
	case DEVICE_ASKING_NODE:
		ask_node(d);
		break;
	case DEVICE_ASKING_KEY:
		ask_key(d);
		break;
	case DEVICE_VERIFYING:
		verify(d);
		break;
	case DEVICE_REJOINING:
		ask_rejoin(d);
		break;
	case DEVICE_OFF:
	case DEVICE_SCANNING:
	case DEVICE_ASSOCIATING:
	case DEVICE_ASKING:
	case DEVICE_COMMISSIONED:
	case DEVICE_SEEKING:
		break;
	}
}

/* ---- answers ---- */

static void commissioned(struct sim_device *d, const char *how)
{
	const struct zdo_message permit = {.cluster = ZDO_MGMT_PERMIT_JOINING, .sequence = d->zdo_sequence++, .permit_duration = PERMIT_SECONDS, .tc_significance = 1};

	device_state_rest(d, DEVICE_COMMISSIONED);
	d->failures = 0;
	device_event(d, "commissioned", "\"how\":\"%s\"", how);
	device_save(d);
	if (d->config.router)
		device_parent_permit(d, PERMIT_SECONDS); /* BDB 8.2: a router on the network opens itself, too */
	device_zdo_send(d, NWK_BROADCAST_ROUTERS, &permit, false);
	device_announce(d);
}

void device_tc_timeout_known(struct sim_device *d, uint8_t status, uint8_t parent_information)
{
	if (d->state != DEVICE_NEGOTIATING)
		return;
	d->by_timeout_request = status == 0 && (parent_information & PARENT_TIMEOUT_REQUEST) && !(parent_information & PARENT_POLL);
	device_event(d, "timeout-negotiated", "\"status\":%u,\"parent\":%u", status, parent_information);
	device_state_set(d, DEVICE_ASKING_NODE, 0);
}

void device_tc_node_known(struct sim_device *d, const struct zdo_message *m)
{
	if (d->state != DEVICE_ASKING_NODE || m->status != ZDO_SUCCESS || m->short_address != NWK_COORDINATOR)
		return;
	device_event(d, "node-descriptor", "\"revision\":%u", ZDO_STACK_REVISION(m->node.server_mask));
	if (ZDO_STACK_REVISION(m->node.server_mask) < MINIMUM_REVISION)
		commissioned(d, "old Trust Centre, install-code link key kept");
	else
		device_state_set(d, DEVICE_ASKING_KEY, 0);
}

/* ---- keys that come ---- */

static void rejected(struct sim_device *d, const char *event, const char *reason)
{
	device_event(d, event, "\"reason\":\"%s\"", reason);
}

/* The octets of the key in the command; false for the key of zeros, which is no key (R22 4.4.1.4). */
static bool key_of(const struct aps_command *c, struct secret **key)
{
	static const uint8_t zeros[SECRET_AES128];
	uint8_t octets[SECRET_AES128];
	struct rd in = c->transport_key.key_octets;

	if (!rd_copy(&in, octets, sizeof octets) || bytes_equal_ct(octets, zeros, sizeof octets))
		return false;
	*key = secret_take(octets, sizeof octets);
	return *key != NULL;
}

static void network_key_set(struct network_key *k, struct secret *key, uint8_t sequence, bool newer)
{
	device_network_key_clear(k);
	*k = (struct network_key){.key = key, .sequence = sequence, .newer = newer};
}

static void joined(struct sim_device *d)
{
	device_event(d, "transport-key", "\"sequence\":%u", d->network.sequence);
	device_router_start(d);
	if (d->unsecured_rejoin) {
		d->unsecured_rejoin = false;
		d->rejoin_failures = 0;
		device_state_rest(d, DEVICE_COMMISSIONED);
		device_event(d, "rejoined", "\"short\":%u,\"secured\":false", d->short_address);
	} else {
		/* routers are never asked whether they are still there */
		device_state_set(d, d->config.router ? DEVICE_ASKING_NODE : DEVICE_NEGOTIATING, ANNOUNCED_MS);
	}
	device_save(d);
	device_announce(d);
}

/* Takes the key, or says why not. */
static const char *take_network_key(struct sim_device *d, const struct aps_command *c, const struct aux_header *aux)
{
	struct secret *key;

	if (aux->key_id != AUX_KEY_TRANSPORT)
		return "not under the key-transport key";
	if (c->transport_key.destination != d->config.eui64)
		return "for another device";
	if (!aux->extended_nonce || c->transport_key.source != aux->source)
		return "its sealer is not the Trust Centre that it names";
	if (!key_of(c, &key))
		return "no key in it";
	if (d->state == DEVICE_AWAITING_KEY) {
		network_key_set(&d->network, key, c->transport_key.sequence, false);
		device_network_key_clear(&d->alternate);
		d->trust_centre = c->transport_key.source;
		joined(d);
	} else if (c->transport_key.sequence == d->network.sequence) {
		secret_free(key);
		return "a key of the active number";
	} else {
		network_key_set(&d->alternate, key, c->transport_key.sequence, true);
		device_event(d, "next-key", "\"sequence\":%u", d->alternate.sequence);
		device_save(d);
	}
	return NULL;
}

static const char *take_link_key(struct sim_device *d, const struct aps_command *c, const struct aux_header *aux)
{
	struct secret *key;

	if (d->state != DEVICE_ASKING_KEY && d->state != DEVICE_VERIFYING)
		return "not asked for";
	if (aux->key_id != AUX_KEY_LOAD)
		return "not under the key-load key";
	if (c->transport_key.destination != d->config.eui64 || c->transport_key.source != d->trust_centre)
		return "between others";
	if (!key_of(c, &key))
		return "no key in it";
	if (secret_equal(key, d->link.set.link)) {
		secret_free(key);
		return "not unique";
	}
	if (d->fresh.set.link && secret_equal(key, d->fresh.set.link)) {
		secret_free(key); /* heard again: what was heard under it still counts */
		return NULL;
	}
	device_trust_link_clear(&d->fresh);
	if (link_key_set_take(&d->fresh.set, key) != OK)
		return "no memory";
	device_state_set(d, DEVICE_VERIFYING, 0);
	return NULL;
}

static void take_key(struct sim_device *d, const struct aps_command *c, enum sealed_under under, const struct aux_header *aux)
{
	bool link = c->transport_key.type == APS_KEY_TC_LINK;
	const char *reason = "no key for an end device";

	if (under != SEALED_LINK)
		reason = "not under my link key";
	else if (link)
		reason = take_link_key(d, c, aux);
	else if (c->transport_key.type == APS_KEY_STANDARD_NETWORK)
		reason = take_network_key(d, c, aux);
	if (reason)
		rejected(d, link ? "link-key-rejected" : "transport-key-rejected", reason);
}

/* Success is believed under the new key alone; that is what proves that the Trust Centre has it. */
static void confirm(struct sim_device *d, const struct aps_command *c, enum sealed_under under)
{
	const struct trust_link none = {.in = {false, 0}};

	if (d->state != DEVICE_VERIFYING || under == SEALED_NOT || c->confirm_key.destination != d->config.eui64 || c->confirm_key.type != APS_KEY_TC_LINK)
		return;
	if (c->confirm_key.status != 0) {
		device_leave(d, "the Trust Centre refused the link key", true);
		return;
	}
	if (under != SEALED_FRESH) {
		rejected(d, "confirm-key-rejected", "not under the new key");
		return;
	}
	device_trust_link_clear(&d->link);
	d->link = d->fresh;
	d->fresh = none;
	d->link_is_unique = true;
	device_event(d, "key-verified", "%s", "");
	commissioned(d, "unique link key");
}

/* A command without link-key security says nothing about keys, but Switch-Key, which the network key protects: R22 table 4-38. */
void device_tc_input(struct sim_device *d, const struct arrival *a, enum sealed_under under, const struct aux_header *aux)
{
	struct aps_command c;

	if (aps_command_decode(a->payload, &c) != OK)
		return;
	switch (c.id) {
	case APS_TRANSPORT_KEY:
		take_key(d, &c, under, aux);
		break;
	case APS_CONFIRM_KEY:
		if (under != SEALED_NOT && aux->key_id == AUX_KEY_DATA)
			confirm(d, &c, under);
		break;
	case APS_REMOVE_DEVICE:
		if (under != SEALED_NOT && c.remove_device.target == d->config.eui64)
			device_leave(d, "removed by the Trust Centre", true);
		else if (under != SEALED_NOT && d->config.router)
			device_parent_remove(d, c.remove_device.target);
		break;
	case APS_SWITCH_KEY:
		(void)device_nwk_switch(d, c.switch_key.sequence);
		break;
	case APS_TUNNEL: /* the network key protects it, and what is in it is sealed for another: R22 table 4-38 */
		if (d->config.router && device_joined(d) && a->source == NWK_COORDINATOR)
			device_parent_tunnel(d, &c);
		break;
	case APS_UPDATE_DEVICE:
	case APS_REQUEST_KEY:
	case APS_VERIFY_KEY:
		break; /* for Trust Centres and routers */
	}
}
