/* Routers inside an application group, as node B sees them: two routers in a row, a device behind them, one of another group, and one that has a key of its
 * own. All of the group share one key; what a router passes on it has sealed itself. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zigbee/security/nwk_security.h"

#define GATEWAY RIG_GATEWAY
#define NEAR 0x00124b0000000001ULL
#define FAR 0x00124b0000000002ULL   /* a router, behind NEAR */
#define CHILD 0x00124b0000000003ULL
#define ALIEN 0x00124b0000000004ULL /* of another group */
#define LONE 0x00124b0000000005ULL  /* under a key of its own, a router */
#define NEAR_AT 0x1111
#define FAR_AT 0x2222
#define CHILD_AT 0x3333
#define GENERATIONS 3
#define STORED 5

static struct oci_core *core;
static struct rng rng;
static struct secret *keys[GENERATIONS]; /* of the group; their sequence number is one less */
static struct secret *other;
static uint32_t counters[STORED];
static uint8_t sequence;
static uint64_t now;
static struct oci_device stored[STORED];
static struct oci_effect effects[RIG_EFFECTS];
static size_t count;

static size_t index_of(uint64_t device)
{
	return (size_t)(device - NEAR);
}

static enum err save(void *ctx, const struct oci_device *d)
{
	(void)ctx;
	stored[index_of(d->eui64)] = *d;
	return OK;
}

static void core_start(void)
{
	const struct oci_core_config c = {.rng = &rng, .answer_commissioning = true, .descriptions = rig_descriptions(), .save = save, .link_status_ms = 15000};

	core = oci_core_new(&c);
	assert_non_null(core);
}

static void collect(void)
{
	count = 0;
	while (oci_core_output(core, &effects[count]))
		assert_true(++count < RIG_EFFECTS);
}

static struct oci_device *device(uint64_t eui64)
{
	struct oci_device *d = oci_core_device(core, eui64);

	assert_non_null(d);
	return d;
}

static enum err offer(uint64_t eui64, uint16_t address, uint8_t capability, const char *group, uint64_t own, uint64_t generation, bool rotation)
{
	char id[OCI_KEY_ID];
	const struct oci_key_order o = {eui64, GATEWAY, address, capability, "/id-mn/cse-mn/gw1/x", group ? group : "default",
		secret_dup(group && strcmp(group, "pumps") == 0 ? keys[generation - 1] : other), (uint8_t)(generation - 1), own, id, rotation, group, generation};
	enum err e;

	snprintf(id, sizeof id, "%llx-%llu", (unsigned long long)eui64, (unsigned long long)own);
	e = oci_core_key(core, now, &o);
	collect();
	return e;
}

/* A frame that this hop has sealed, under this generation of the group's key (0: the other one). */
static enum err hop_says(uint64_t hop, uint64_t generation, const struct nwk_frame *frame)
{
	const struct secret *key = generation ? keys[generation - 1] : other;
	struct nwk_frame f = *frame;
	uint8_t octets[NWK_FRAME_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	enum err e;

	f.protocol_version = 2;
	f.radius = 29;
	if (f.sequence == 0)
		f.sequence = ++sequence;
	assert_int_equal(nwk_seal(key, generation ? (uint8_t)(generation - 1) : 0, hop, counters[index_of(hop)]++, &f, &w), OK);
	e = oci_core_uplink(core, now, hop, rd_of(octets, w.len));
	collect();
	return e;
}

static enum err report(uint64_t hop, uint64_t generation, uint16_t source)
{
	const struct nwk_frame f = {.type = NWK_DATA, .source = source, .payload = rd_of("x", 1)};

	return hop_says(hop, generation, &f);
}

static enum err command(uint64_t hop, uint16_t source, uint64_t eui64, uint16_t destination, const struct nwk_command *m)
{
	uint8_t octets[64];
	struct wr w = wr_of(octets, sizeof octets);
	struct nwk_frame f = {.type = NWK_COMMAND, .source = source, .destination = destination, .has_source_eui64 = true, .source_eui64 = eui64};

	assert_int_equal(nwk_command_encode(m, &w), OK);
	assert_true(wr_done(&w, &f.payload));
	return hop_says(hop, 1, &f);
}

static enum err route_record(uint64_t hop, size_t relays, const uint16_t *list)
{
	struct nwk_command m = {.id = NWK_ROUTE_RECORD, .route_record = {.count = (uint8_t)relays}};

	memcpy(m.route_record.relays, list, relays * sizeof *list);
	return command(hop, CHILD_AT, CHILD, NWK_COORDINATOR, &m);
}

static enum err announce(uint64_t hop, uint64_t generation, uint16_t source, uint64_t eui64, uint8_t with_sequence)
{
	const struct zdo_message m = {.cluster = ZDO_DEVICE_ANNCE, .short_address = source, .eui64 = eui64, .capability = RIG_SLEEPS};
	uint8_t zdo[32], octets[64];
	struct wr z = wr_of(zdo, sizeof zdo), w = wr_of(octets, sizeof octets);
	struct aps_frame a = {.type = APS_DATA, .delivery = APS_BROADCAST, .cluster = ZDO_DEVICE_ANNCE, .profile = APS_PROFILE_ZDP, .counter = with_sequence};
	struct nwk_frame f = {.type = NWK_DATA, .source = source, .destination = NWK_BROADCAST_RX_ON, .sequence = with_sequence};

	assert_int_equal(zdo_encode(&m, &z), OK);
	assert_true(wr_done(&z, &a.payload));
	assert_int_equal(aps_frame_encode(&a, &w), OK);
	assert_true(wr_done(&w, &f.payload));
	return hop_says(hop, generation, &f);
}

static const struct oci_effect *effect(enum oci_effect_type type, uint64_t eui64, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (effects[i].type == type && effects[i].eui64 == eui64 && (!text || strcmp(effects[i].text, text) == 0))
			return &effects[i];
	return NULL;
}

static struct oci_effect told(const struct oci_effect *e)
{
	const struct oci_effect none = {.timeout_s = UINT32_MAX};

	assert_non_null(e);
	return e ? *e : none;
}

static struct nwk_frame opened(const struct oci_effect *e, uint64_t generation, uint8_t plain[static NWK_FRAME_MAX], struct rd *payload)
{
	struct aux_header aux;
	struct nwk_frame f;

	assert_non_null(e);
	assert_int_equal(nwk_frame_decode(rd_of(e->octets, e->len), &f), OK);
	assert_int_equal(nwk_open(keys[generation - 1], &f, &aux, plain, payload), OK);
	assert_true(aux.source == GATEWAY && aux.key_sequence == generation - 1);
	return f;
}

/* What goes to this device next: by whose containers, and its header. */
static struct nwk_frame sent_to(uint64_t eui64, uint64_t hop, uint64_t generation)
{
	uint8_t plain[NWK_FRAME_MAX];
	struct rd payload;

	oci_core_aps(core, now, eui64, rd_of(NULL, 0), true, 1);
	collect();
	return opened(effect(OCI_DOWNLINK, hop, NULL), generation, plain, &payload);
}

static int setup(void **state)
{
	(void)state;
	rng = rng_seeded(3);
	for (size_t i = 0; i < GENERATIONS; i++)
		keys[i] = secret_random(&rng, SECRET_AES128);
	other = secret_random(&rng, SECRET_AES128);
	memset(counters, 0, sizeof counters);
	memset(stored, 0, sizeof stored);
	sequence = 0;
	now = 1000000;
	core_start();
	assert_int_equal(offer(NEAR, NEAR_AT, RIG_ROUTES, "pumps", 1, 1, false), OK);
	assert_int_equal(report(NEAR, 1, NEAR_AT), OK);
	assert_non_null(effect(OCI_EVENT, NEAR, "joined"));
	assert_int_equal(offer(CHILD, CHILD_AT, RIG_SLEEPS, "pumps", 1, 1, false), OK);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	oci_core_free(core);
	for (size_t i = 0; i < GENERATIONS; i++)
		secret_free(keys[i]);
	secret_free(other);
	return 0;
}

static void two_routers(void)
{
	assert_int_equal(offer(FAR, FAR_AT, RIG_ROUTES, "pumps", 1, 1, false), OK);
	assert_int_equal(report(NEAR, 1, FAR_AT), OK);
	assert_non_null(effect(OCI_EVENT, FAR, "joined"));
}

static void a_member_is_heard_and_told_through_a_router(void **state)
{
	struct nwk_frame f;

	(void)state;
	assert_int_equal(report(NEAR, 1, CHILD_AT), OK);
	assert_non_null(effect(OCI_EVENT, CHILD, "joined"));
	assert_true(device(CHILD)->parent == NEAR);
	f = sent_to(CHILD, NEAR, 1);
	assert_int_equal(f.destination, CHILD_AT);
	assert_true(f.source_route);
	assert_int_equal(f.relay_count, 1);
	assert_int_equal(f.relay_index, 0);
	assert_int_equal(f.relays[0], NEAR_AT);
	assert_true(f.radius > 1);
	f = sent_to(NEAR, NEAR, 1);
	assert_false(f.source_route);
	/* a frame of the router's that is heard again is not taken, whomever it is from */
	counters[index_of(NEAR)]--;
	assert_int_equal(report(NEAR, 1, CHILD_AT), ERR_REPLAY);
}

static void a_way_of_two_routers_is_recorded(void **state)
{
	static const uint16_t way[] = {FAR_AT, NEAR_AT};
	struct nwk_frame f;

	(void)state;
	two_routers();
	assert_int_equal(route_record(NEAR, 2, way), OK);
	assert_int_equal(report(NEAR, 1, CHILD_AT), OK);
	assert_true(device(CHILD)->parent == FAR);
	f = sent_to(CHILD, NEAR, 1);
	assert_int_equal(f.relay_count, 2);
	assert_int_equal(f.relay_index, 1);
	assert_int_equal(f.relays[0], FAR_AT);
	assert_int_equal(f.relays[1], NEAR_AT);
}

static void a_route_record_that_cannot_be_is_not_kept(void **state)
{
	static const uint16_t elsewhere[] = {NEAR_AT, FAR_AT}, unknown[] = {0x7777, NEAR_AT}, itself[] = {CHILD_AT, NEAR_AT};
	uint16_t endless[OCI_RELAYS + 1];

	(void)state;
	two_routers();
	for (size_t i = 0; i <= OCI_RELAYS; i++)
		endless[i] = NEAR_AT;
	assert_int_equal(route_record(NEAR, 2, elsewhere), OK); /* does not end with who brought it */
	assert_int_equal(device(CHILD)->route.count, 0);
	assert_int_equal(route_record(NEAR, 2, unknown), OK);
	assert_int_equal(device(CHILD)->route.count, 0);
	assert_int_equal(route_record(NEAR, 2, itself), OK);
	assert_int_equal(device(CHILD)->route.count, 0);
	assert_int_equal(route_record(NEAR, OCI_RELAYS + 1, endless), OK);
	assert_int_equal(device(CHILD)->route.count, 0);
}

/* After a restart the way is that over the parents; so it is when a route was lost. */
static void without_a_record_the_way_is_over_the_parents(void **state)
{
	static const uint16_t way[] = {FAR_AT, NEAR_AT};
	const struct nwk_command lost = {.id = NWK_NETWORK_STATUS, .network_status = {NWK_STATUS_SOURCE_ROUTE_FAILURE, CHILD_AT}};
	struct nwk_frame f;

	(void)state;
	two_routers();
	assert_int_equal(route_record(NEAR, 2, way), OK);
	assert_int_equal(report(NEAR, 1, CHILD_AT), OK);
	assert_int_equal(device(CHILD)->route.count, 2);
	now += 60000;
	assert_int_equal(command(NEAR, NEAR_AT, NEAR, NWK_COORDINATOR, &lost), OK);
	assert_int_equal(device(CHILD)->route.count, 0);
	assert_true(told(effect(OCI_DOWNLINK, NEAR, NULL)).len > 0); /* and the concentrator makes itself known anew */
	oci_core_free(core);
	core_start();
	for (size_t i = 0; i < 3; i++) {
		struct oci_device d = stored[i];

		d.present.network = oci_network_new(OCI_POLICY_GROUP, "pumps", 1, 0, secret_dup(keys[0]), 5000);
		d.pending.network = NULL;
		d.route.count = 0;
		assert_non_null(oci_core_restore(core, now, &d));
	}
	collect();
	f = sent_to(CHILD, NEAR, 1);
	assert_int_equal(f.relay_count, 2);
	assert_int_equal(f.relays[0], FAR_AT);
	assert_int_equal(f.relays[1], NEAR_AT);
}

static void who_is_heard_itself_is_the_gateways_own_again(void **state)
{
	(void)state;
	assert_int_equal(report(NEAR, 1, CHILD_AT), OK);
	assert_int_equal(told(effect(OCI_CHILD_SET, CHILD, NULL)).timeout_s, 0); /* the gateway hears nothing of it */
	assert_int_equal(announce(CHILD, 1, CHILD_AT, CHILD, 77), OK); /* a broadcast: whom it hears we do not know */
	assert_true(device(CHILD)->parent == NEAR);
	assert_int_equal(report(CHILD, 1, CHILD_AT), OK);
	assert_true(device(CHILD)->parent == 0);
	assert_false(sent_to(CHILD, CHILD, 1).source_route);
}

static void a_broadcast_that_two_bring_is_taken_once(void **state)
{
	(void)state;
	two_routers();
	assert_int_equal(announce(NEAR, 1, CHILD_AT, CHILD, 99), OK);
	assert_non_null(effect(OCI_EVENT, CHILD, "joined"));
	assert_non_null(effect(OCI_EVENT, CHILD, "announced"));
	assert_int_equal(announce(FAR, 1, CHILD_AT, CHILD, 99), OK);
	assert_null(effect(OCI_EVENT, CHILD, NULL));
	assert_int_equal(announce(NEAR, 1, CHILD_AT, CHILD, 100), OK);
	assert_non_null(effect(OCI_EVENT, CHILD, "announced"));
}

static void only_members_of_the_routers_group_are_heard_through_it(void **state)
{
	(void)state;
	assert_int_equal(offer(ALIEN, 0x4444, RIG_LISTENS, "valves", 1, 1, false), OK);
	assert_int_equal(offer(LONE, 0x5555, RIG_ROUTES, NULL, 1, 1, false), OK);
	assert_int_equal(report(LONE, 0, 0x5555), OK);
	assert_non_null(effect(OCI_EVENT, LONE, "joined"));
	assert_int_equal(report(NEAR, 1, 0x4444), OK);
	assert_int_equal(announce(NEAR, 1, 0x4444, ALIEN, 50), OK);
	assert_null(effect(OCI_EVENT, ALIEN, NULL));
	assert_int_equal(announce(LONE, 0, CHILD_AT, CHILD, 51), OK);
	assert_null(effect(OCI_EVENT, CHILD, NULL));
	assert_int_equal(report(NEAR, 1, 0x6666), OK); /* nobody's address */
	assert_int_equal(device(NEAR)->short_address, NEAR_AT);
	assert_false(device(ALIEN)->joined || device(CHILD)->joined);
}

static void child(uint64_t router, uint64_t eui64, uint16_t address, enum oci_child_status status)
{
	const struct oci_child c = {eui64, address, status};

	oci_core_child(core, now, router, &c);
	collect();
}

static void what_a_router_says_of_others(void **state)
{
	(void)state;
	assert_int_equal(report(CHILD, 1, CHILD_AT), OK); /* at the gateway */
	assert_true(device(CHILD)->parent == 0);
	/* anybody can associate in its name */
	child(NEAR, CHILD, 0x3434, OCI_CHILD_JOIN);
	assert_true(device(CHILD)->parent == 0 && device(CHILD)->short_address == CHILD_AT);
	assert_int_equal(announce(NEAR, 1, 0x3434, CHILD, 60), OK);
	assert_true(device(CHILD)->parent == NEAR && device(CHILD)->short_address == 0x3434);
	/* its word for a sealed rejoin */
	two_routers();
	child(FAR, CHILD, 0x3535, OCI_CHILD_SECURED_REJOIN);
	assert_true(device(CHILD)->parent == FAR && device(CHILD)->short_address == 0x3535);
	child(NEAR, CHILD, 0x3535, OCI_CHILD_LEFT); /* not from there */
	assert_true(device(CHILD)->joined);
	child(FAR, CHILD, 0x3535, OCI_CHILD_LEFT);
	assert_non_null(effect(OCI_EVENT, CHILD, "left"));
	assert_false(device(CHILD)->joined);
}

static void what_others_say_of_members_is_nothing(void **state)
{
	(void)state;
	assert_int_equal(report(CHILD, 1, CHILD_AT), OK);
	assert_int_equal(offer(ALIEN, 0x4444, RIG_ROUTES, "valves", 1, 1, false), OK);
	assert_int_equal(offer(LONE, 0x5555, RIG_ROUTES, NULL, 1, 1, false), OK);
	child(ALIEN, CHILD, 0x3535, OCI_CHILD_SECURED_REJOIN);
	child(LONE, CHILD, 0x3535, OCI_CHILD_SECURED_REJOIN);
	child(CHILD, CHILD, 0x3535, OCI_CHILD_SECURED_REJOIN);
	child(CHILD, NEAR, 0x3535, OCI_CHILD_SECURED_REJOIN); /* no router */
	child(NEAR, 0x00124b0000000099ULL, 0x3535, OCI_CHILD_SECURED_REJOIN);
	assert_true(device(CHILD)->parent == 0 && device(NEAR)->parent == 0 && device(CHILD)->short_address == CHILD_AT);
}

static void a_key_for_a_newcomer_goes_to_its_router_in_a_tunnel(void **state)
{
	static const uint8_t sealed[] = {0x21, 7, 0x30, 1, 2, 3};
	uint8_t plain[NWK_FRAME_MAX];
	struct aps_command m;
	struct aps_frame a;
	struct rd payload;

	(void)state;
	oci_core_tunnel(core, now, NEAR, CHILD, rd_of(sealed, sizeof sealed));
	collect();
	assert_int_equal(opened(effect(OCI_DOWNLINK, NEAR, NULL), 1, plain, &payload).destination, NEAR_AT);
	assert_int_equal(aps_frame_decode(payload, &a), OK);
	assert_int_equal(a.type, APS_COMMAND);
	assert_false(a.security);
	assert_int_equal(aps_command_decode(a.payload, &m), OK);
	assert_int_equal(m.id, APS_TUNNEL);
	assert_true(m.tunnel.destination == CHILD && rd_equal(m.tunnel.frame, rd_of(sealed, sizeof sealed)));
	/* not to one of another group, nor to who has no key */
	assert_int_equal(offer(ALIEN, 0x4444, RIG_ROUTES, "valves", 1, 1, false), OK);
	oci_core_tunnel(core, now, ALIEN, CHILD, rd_of(sealed, sizeof sealed));
	oci_core_tunnel(core, now, CHILD, NEAR, rd_of(sealed, sizeof sealed));
	oci_core_tunnel(core, now, NEAR, ALIEN, rd_of(sealed, sizeof sealed));
	collect();
	assert_int_equal(count, 0);
}

static enum err acknowledge(uint64_t hop, uint64_t generation, uint8_t counter)
{
	const struct aps_frame a = {.type = APS_ACK, .cluster = ZDO_IEEE_ADDR, .profile = APS_PROFILE_ZDP, .counter = counter};
	struct nwk_frame f = {.type = NWK_DATA, .source = CHILD_AT};
	uint8_t octets[32];
	struct wr w = wr_of(octets, sizeof octets);

	assert_int_equal(aps_frame_encode(&a, &w), OK);
	assert_true(wr_done(&w, &f.payload));
	return hop_says(hop, generation, &f);
}

/* What the router has changed to says nothing of the child: only what it acknowledges after that. */
static void a_child_has_changed_its_key_when_it_answers_under_it(void **state)
{
	uint8_t plain[NWK_FRAME_MAX];
	struct aps_frame a;
	struct rd payload;

	(void)state;
	assert_int_equal(report(NEAR, 1, CHILD_AT), OK);
	assert_int_equal(offer(NEAR, NEAR_AT, RIG_ROUTES, "pumps", 2, 2, true), OK);
	assert_int_equal(offer(CHILD, CHILD_AT, RIG_SLEEPS, "pumps", 2, 2, true), OK);
	assert_int_equal(sent_to(CHILD, NEAR, 1).destination, CHILD_AT); /* acknowledges something: tells it nothing */
	assert_int_equal(report(NEAR, 2, CHILD_AT), OK);
	assert_non_null(effect(OCI_EVENT, NEAR, "rotated"));
	assert_null(effect(OCI_DOWNLINK, NEAR, NULL)); /* it was not told yet */
	oci_core_aps(core, now, CHILD, rd_of("\x21\x07", 2), false, 0); /* the EG's */
	collect();
	assert_int_equal(report(NEAR, 2, CHILD_AT), OK);
	assert_null(effect(OCI_EVENT, CHILD, "rotated"));
	assert_int_equal(opened(effect(OCI_DOWNLINK, NEAR, NULL), 2, plain, &payload).destination, CHILD_AT);
	assert_int_equal(aps_frame_decode(payload, &a), OK);
	assert_true(a.ack_request);
	assert_int_equal(report(NEAR, 2, CHILD_AT), OK);
	assert_null(effect(OCI_DOWNLINK, NEAR, NULL)); /* asked once */
	assert_int_equal(acknowledge(NEAR, 2, (uint8_t)(a.counter + 1)), OK);
	assert_null(effect(OCI_EVENT, CHILD, "rotated"));
	assert_int_equal(acknowledge(NEAR, 2, a.counter), OK);
	assert_non_null(effect(OCI_EVENT, CHILD, "rotated"));
	assert_int_equal(sent_to(CHILD, NEAR, 2).destination, CHILD_AT);
}

/* The living device goes on being passed on, under the key that its router has by now: that is no sign of the newcomer in its name. */
static void a_forged_association_at_a_router_locks_nobody_out(void **state)
{
	(void)state;
	assert_int_equal(report(NEAR, 1, CHILD_AT), OK);
	assert_int_equal(offer(NEAR, NEAR_AT, RIG_ROUTES, "pumps", 2, 2, true), OK);
	assert_int_equal(report(NEAR, 2, NEAR_AT), OK);
	assert_int_equal(offer(CHILD, CHILD_AT, RIG_SLEEPS, "pumps", 2, 2, false), OK);
	child(NEAR, CHILD, CHILD_AT, OCI_CHILD_JOIN);
	assert_int_equal(report(NEAR, 2, CHILD_AT), OK);
	assert_null(effect(OCI_EVENT, CHILD, "joined"));
	assert_true(device(CHILD)->present.generation == 1);
	/* the device itself, when it has joined anew */
	assert_int_equal(announce(NEAR, 2, CHILD_AT, CHILD, 70), OK);
	assert_non_null(effect(OCI_EVENT, CHILD, "joined"));
	assert_true(device(CHILD)->present.generation == 2);
}

static void a_key_that_the_router_does_not_have_is_not_the_childs(void **state)
{
	(void)state;
	assert_int_equal(offer(CHILD, CHILD_AT, RIG_SLEEPS, "pumps", 2, 2, false), OK);
	assert_int_equal(report(NEAR, 1, CHILD_AT), ERR_NOT_AUTHORISED);
	assert_null(effect(OCI_EVENT, CHILD, NULL));
}

static void a_route_request_from_further_away_is_answered_on_its_way(void **state)
{
	const struct nwk_command m = {.id = NWK_ROUTE_REQUEST, .route_request = {.id = 9, .destination = NWK_COORDINATOR}};
	struct nwk_command reply;
	uint8_t plain[NWK_FRAME_MAX];
	struct rd payload;

	(void)state;
	two_routers();
	assert_int_equal(command(NEAR, FAR_AT, FAR, NWK_BROADCAST_ROUTERS, &m), OK);
	assert_int_equal(opened(effect(OCI_DOWNLINK, NEAR, NULL), 1, plain, &payload).destination, NEAR_AT);
	assert_int_equal(nwk_command_decode(payload, &reply), OK);
	assert_int_equal(reply.id, NWK_ROUTE_REPLY);
	assert_int_equal(reply.route_reply.originator, FAR_AT);
	assert_int_equal(reply.route_reply.id, 9);
	assert_int_equal(reply.route_reply.responder, NWK_COORDINATOR);
}

/* One for all, to be passed on, with a number that rises. */
static void the_concentrator_makes_itself_known_to_the_whole_group(void **state)
{
	uint8_t plain[NWK_FRAME_MAX];
	struct nwk_command m;
	struct rd payload;
	unsigned floods = 0;
	uint8_t last = 0;

	(void)state;
	for (uint64_t end = now + 10 * 60 * 1000; now < end;) {
		now = oci_core_deadline(core) > now ? oci_core_deadline(core) : now + 1;
		oci_core_tick(core, now);
		collect();
		for (size_t i = 0; i < count; i++) {
			struct nwk_frame f;

			if (effects[i].type != OCI_DOWNLINK)
				continue;
			f = opened(&effects[i], 1, plain, &payload);
			if (f.type != NWK_COMMAND || nwk_command_decode(payload, &m) != OK || m.id != NWK_ROUTE_REQUEST)
				continue;
			assert_true(effects[i].eui64 == NEAR && !effects[i].broadcast); /* in its turn among what waits for the router */
			assert_int_equal(m.route_request.many, NWK_MANY_TO_ONE);
			assert_true(f.destination == NWK_BROADCAST_ROUTERS && f.radius > 1);
			assert_true(floods == 0 || m.route_request.id == (uint8_t)(last + 1));
			last = m.route_request.id;
			floods++;
		}
		if (now % 2 == 0)
			(void)report(NEAR, 1, NEAR_AT); /* it is heard all the time */
	}
	assert_in_range(floods, 7, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_member_is_heard_and_told_through_a_router, setup, teardown),
		cmocka_unit_test_setup_teardown(a_way_of_two_routers_is_recorded, setup, teardown),
		cmocka_unit_test_setup_teardown(a_route_record_that_cannot_be_is_not_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_record_the_way_is_over_the_parents, setup, teardown),
		cmocka_unit_test_setup_teardown(who_is_heard_itself_is_the_gateways_own_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_broadcast_that_two_bring_is_taken_once, setup, teardown),
		cmocka_unit_test_setup_teardown(only_members_of_the_routers_group_are_heard_through_it, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_router_says_of_others, setup, teardown),
		cmocka_unit_test_setup_teardown(what_others_say_of_members_is_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_key_for_a_newcomer_goes_to_its_router_in_a_tunnel, setup, teardown),
		cmocka_unit_test_setup_teardown(a_child_has_changed_its_key_when_it_answers_under_it, setup, teardown),
		cmocka_unit_test_setup_teardown(a_forged_association_at_a_router_locks_nobody_out, setup, teardown),
		cmocka_unit_test_setup_teardown(a_key_that_the_router_does_not_have_is_not_the_childs, setup, teardown),
		cmocka_unit_test_setup_teardown(a_route_request_from_further_away_is_answered_on_its_way, setup, teardown),
		cmocka_unit_test_setup_teardown(the_concentrator_makes_itself_known_to_the_whole_group, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
