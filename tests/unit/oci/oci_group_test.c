/* Zigbee groups in node B: four devices of one application group share a key, three of them listen and one sleeps. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zigbee/groups.h"
#include "zigbee/security/nwk_security.h"

#define DEVICES 4
#define SLEEPER 3
#define OTHER 4           /* of no group */
#define GATEWAY 0x0200000000000001ULL
#define SEQUENCE 2
#define SOURCE "grp1"
#define EFFECTS 200
#define QUIET_MS 20000    /* a former run's groupcasts are forgotten everywhere */

struct plant {
	struct rng rng;
	struct oci_core *core;
	struct secret *key;
	uint64_t now;
	uint32_t counters[DEVICES + 1];
	uint8_t aps_counters[DEVICES + 1];
	struct oci_effect effects[EFFECTS];
	size_t count;
	struct oci_group kept; /* what was stored last; members are not looked at */
	size_t kept_count;
	enum err save_group;
};

static uint64_t eui64_of(size_t i)
{
	return 0x00124b0000000010ULL + i;
}

static uint16_t short_of(size_t i)
{
	return (uint16_t)(0x1000 + i);
}

static enum err save(void *ctx, const struct oci_device *d)
{
	(void)ctx;
	(void)d;
	return OK;
}

static enum err save_group(void *ctx, const struct oci_group *g)
{
	struct plant *p = ctx;

	p->kept = *g;
	p->kept_count = g->count;
	return p->save_group;
}

static void collect(struct plant *p)
{
	struct oci_effect e;

	while (oci_core_output(p->core, &e)) {
		assert_true(p->count < EFFECTS);
		p->effects[p->count++] = e;
	}
}

/* Time passes; what comes out is added. */
static void run(struct plant *p, uint64_t ms)
{
	uint64_t end = p->now + ms, next;

	while ((next = oci_core_deadline(p->core)) <= end) {
		p->now = next > p->now ? next : p->now;
		oci_core_tick(p->core, p->now);
		collect(p);
	}
	p->now = end;
}

static void device_start(struct plant *p, size_t i)
{
	struct oci_device d = {.eui64 = eui64_of(i), .role = eui64_of(i), .gateway = GATEWAY, .short_address = short_of(i),
		.capability = i == SLEEPER ? RIG_SLEEPS : RIG_LISTENS, .relay = "/id-mn/cse-mn/gw1/x", .application = "hall", .joined = true,
		.interview = OCI_INTERVIEW_DONE, .described_by = descriptions_fingerprint(rig_descriptions()), .endpoint_count = 1};
	const struct oci_endpoint e = {.id = 1, .device = 0x0101, .in_count = 5, .in = {ZCL_BASIC, ZCL_GROUPS, ZCL_SCENES, ZCL_ON_OFF, ZCL_LEVEL}};

	d.endpoints[0] = e;
	d.present = (struct oci_key){.network = oci_network_new(OCI_POLICY_GROUP, "hall", 1, SEQUENCE, secret_dup(p->key), 1), .generation = 1, .id = "k"};
	assert_non_null(oci_core_restore(p->core, p->now, &d));
}

static int setup(void **state)
{
	struct plant *p = calloc(1, sizeof *p);
	struct oci_core_config c = {NULL, true, rig_descriptions(), save, NULL, 0, false, 0};

	if (!p)
		return -1;
	p->rng = rng_seeded(5);
	c.rng = &p->rng;
	p->key = secret_random(&p->rng, SECRET_AES128);
	p->now = 1000000;
	p->core = oci_core_new(&c);
	if (!p->core)
		return -1;
	oci_core_keep_groups(p->core, save_group, p);
	for (size_t i = 0; i <= OTHER; i++)
		device_start(p, i);
	run(p, QUIET_MS);
	p->count = 0;
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct plant *p = *state;

	oci_core_free(p->core);
	secret_free(p->key);
	free(p);
	return 0;
}

/* ---- what came out ---- */

/* A frame down, opened. */
struct down {
	bool broadcast;
	uint64_t eui64;
	struct nwk_frame nwk;
	struct aps_frame aps;
	struct zcl_frame zcl;
	uint8_t octets[NWK_FRAME_MAX], plain[NWK_FRAME_MAX];
};

static void open_frame(struct plant *p, const struct oci_effect *e, struct down *d)
{
	struct aux_header aux;
	struct rd payload;

	memset(d, 0, sizeof *d);
	d->broadcast = e->broadcast;
	d->eui64 = e->eui64;
	memcpy(d->octets, e->octets, e->len);
	assert_int_equal(nwk_frame_decode(rd_of(d->octets, e->len), &d->nwk), OK);
	assert_int_equal(nwk_open(p->key, &d->nwk, &aux, d->plain, &payload), OK);
	assert_int_equal(aps_frame_decode(payload, &d->aps), OK);
	if (d->aps.type == APS_DATA)
		assert_int_equal(zcl_decode(d->aps.payload, &d->zcl), OK);
}

/* The index-th frame of this cluster and command; a NULL d counts only. */
static size_t frames(struct plant *p, bool broadcast, size_t device, uint16_t cluster, uint8_t command, struct down *last)
{
	struct down d;
	size_t n = 0;

	for (size_t i = 0; i < p->count; i++) {
		if (p->effects[i].type != OCI_DOWNLINK)
			continue;
		open_frame(p, &p->effects[i], &d);
		if (d.aps.type != APS_DATA || d.aps.cluster != cluster || d.zcl.command != command || d.broadcast != broadcast || (!broadcast && d.eui64 != eui64_of(device)))
			continue;
		n++;
		if (last)
			open_frame(p, &p->effects[i], last);
	}
	return n;
}

/* The last of this type; false: none. */
static bool effect(const struct plant *p, enum oci_effect_type type, struct oci_effect *e)
{
	for (size_t i = p->count; i > 0; i--) {
		if (p->effects[i - 1].type != type)
			continue;
		*e = p->effects[i - 1];
		return true;
	}
	return false;
}

/* ---- what goes in ---- */

static void say(struct plant *p, size_t i, uint16_t cluster, const struct zcl_frame *z)
{
	struct aps_frame f = {.type = APS_DATA, .destination_endpoint = 1, .source_endpoint = 1, .cluster = cluster, .profile = APS_PROFILE_HOME_AUTOMATION, .counter = p->aps_counters[i]++};
	struct nwk_frame n = {.type = NWK_DATA, .protocol_version = 2, .end_device_initiator = true, .source = short_of(i), .radius = 30, .sequence = p->aps_counters[i]};
	uint8_t zcl[NWK_FRAME_MAX], aps[NWK_FRAME_MAX], octets[NWK_FRAME_MAX];
	struct wr wz = wr_of(zcl, sizeof zcl), wa = wr_of(aps, sizeof aps), w = wr_of(octets, sizeof octets);

	assert_int_equal(zcl_encode(z, &wz), OK);
	assert_true(wr_done(&wz, &f.payload));
	assert_int_equal(aps_frame_encode(&f, &wa), OK);
	assert_true(wr_done(&wa, &n.payload));
	assert_int_equal(nwk_seal(p->key, SEQUENCE, eui64_of(i), p->counters[i]++, &n, &w), OK);
	assert_int_equal(oci_core_uplink(p->core, p->now, eui64_of(i), rd_of(octets, w.len)), OK);
	collect(p);
}

static void answer(struct plant *p, size_t i, uint16_t cluster, uint8_t command, struct rd payload)
{
	const struct zcl_frame z = {.type = ZCL_CLUSTER, .from_server = true, .disable_default_response = true, .command = command, .payload = payload};

	say(p, i, cluster, &z);
}

static void answer_group(struct plant *p, size_t i, uint8_t command, uint8_t status, uint16_t group)
{
	const uint8_t payload[] = {status, (uint8_t)group, (uint8_t)(group >> 8)};

	answer(p, i, ZCL_GROUPS, command, rd_of(payload, sizeof payload));
}

static void answer_scene(struct plant *p, size_t i, uint8_t command, uint8_t status, uint16_t group, uint8_t scene)
{
	const uint8_t payload[] = {status, (uint8_t)group, (uint8_t)(group >> 8), scene};

	answer(p, i, ZCL_SCENES, command, rd_of(payload, sizeof payload));
}

static void report_on(struct plant *p, size_t i, bool on)
{
	const uint8_t payload[] = {0, 0, ZCL_BOOL, on};
	const struct zcl_frame z = {.type = ZCL_GLOBAL, .from_server = true, .disable_default_response = true, .command = ZCL_REPORT, .payload = rd_of(payload, sizeof payload)};

	say(p, i, ZCL_ON_OFF, &z);
}

static enum err group(struct plant *p, size_t count)
{
	struct oci_endpoint_of list[DEVICES + 1];
	enum err e;

	for (size_t i = 0; i < count; i++)
		list[i] = (struct oci_endpoint_of){eui64_of(i), 1};
	e = oci_core_group(p->core, p->now, SOURCE, "hall", list, count);
	collect(p);
	return e;
}

/* A group whose members all know it. */
static uint16_t group_ready(struct plant *p)
{
	uint16_t id;

	assert_int_equal(group(p, DEVICES), OK);
	assert_non_null(oci_core_groups(p->core));
	id = oci_core_groups(p->core)->id;
	run(p, 1000);
	for (size_t i = 0; i < DEVICES; i++)
		answer_group(p, i, GROUPS_ADD, ZCL_SUCCESS, id);
	p->count = 0;
	return id;
}

static void switch_all(struct plant *p, size_t first, size_t count, bool on)
{
	struct oci_update u[DEVICES + 1];
	struct json_arena *a = json_arena_new();
	const struct json *members;

	assert_int_equal(json_parse(a, rd_str(on ? "{\"state\":true}" : "{\"state\":false}"), NULL, &members), OK);
	for (size_t i = 0; i < count; i++)
		u[i] = (struct oci_update){eui64_of(first + i), "binSh", members};
	oci_core_updates(p->core, p->now, u, count);
	collect(p);
	json_arena_free(a);
}

/* ---- */

static void members_are_told(void **state)
{
	struct plant *p = *state;
	const struct oci_group *g;
	struct groups_message m;
	struct oci_effect e;
	struct down d;

	assert_int_equal(group(p, DEVICES), OK);
	g = oci_core_groups(p->core);
	assert_true(g && !g->next && g->count == DEVICES && strcmp(g->network, "hall") == 0 && g->id >= GROUPS_FIRST && g->id <= GROUPS_LAST);
	run(p, 1000);
	for (size_t i = 0; i < DEVICES; i++) {
		assert_int_equal(frames(p, false, i, ZCL_GROUPS, GROUPS_ADD, &d), 1);
		assert_int_equal(groups_decode(false, GROUPS_ADD, d.zcl.payload, &m), OK);
		assert_true(m.group == g->id && rd_is(m.name, "hall") && d.aps.counter < 224);
		assert_int_equal(g->members[i].state, OCI_MEMBER_WANTED);
	}
	answer_group(p, 0, GROUPS_ADD, ZCL_SUCCESS, g->id);
	answer_group(p, 1, GROUPS_ADD, ZCL_DUPLICATE_EXISTS, g->id);
	answer_group(p, 2, GROUPS_ADD, ZCL_INSUFFICIENT_SPACE, g->id);
	assert_int_equal(g->members[0].state, OCI_MEMBER_IN);
	assert_int_equal(g->members[1].state, OCI_MEMBER_IN);
	assert_int_equal(g->members[2].state, OCI_MEMBER_UNABLE);
	assert_true(p->kept_count == DEVICES && effect(p, OCI_GROUP, &e) && e.group == g->id);
	assert_true(oci_core_grouped(p->core, eui64_of(0)) && !oci_core_grouped(p->core, eui64_of(OTHER)));
	/* who does not answer is asked again; none of these frames had an APS acknowledgement, and their repetitions end before that */
	run(p, 20000);
	p->count = 0;
	run(p, 200000);
	assert_true(frames(p, false, SLEEPER, ZCL_GROUPS, GROUPS_ADD, NULL) >= 1);
	assert_int_equal(frames(p, false, 2, ZCL_GROUPS, GROUPS_ADD, NULL), 0);
}

static void one_frame_for_all_that_listen(void **state)
{
	struct plant *p = *state;
	uint16_t id = group_ready(p);
	struct down d;

	switch_all(p, 0, DEVICES, true);
	assert_int_equal(frames(p, true, 0, ZCL_ON_OFF, 0x01, &d), 1);
	assert_true(d.nwk.destination == NWK_BROADCAST_RX_ON && d.nwk.radius == 1 && !d.nwk.has_destination_eui64);
	assert_true(d.aps.delivery == APS_GROUP && d.aps.group == id && !d.aps.ack_request && d.aps.counter >= 224 && d.zcl.disable_default_response);
	for (size_t i = 0; i < SLEEPER; i++)
		assert_int_equal(frames(p, false, i, ZCL_ON_OFF, 0x01, NULL), 0);
	assert_int_equal(frames(p, false, SLEEPER, ZCL_ON_OFF, 0x01, &d), 1);
	assert_true(d.aps.delivery == APS_UNICAST && d.aps.counter < 224);
	/* two of them report, the third is told by itself */
	p->count = 0;
	report_on(p, 0, true);
	report_on(p, 1, true);
	run(p, 6000);
	assert_int_equal(frames(p, false, 0, ZCL_ON_OFF, 0x01, NULL), 0);
	assert_int_equal(frames(p, false, 1, ZCL_ON_OFF, 0x01, NULL), 0);
	assert_true(frames(p, false, 2, ZCL_ON_OFF, 0x01, NULL) >= 1);
	assert_int_equal(frames(p, true, 0, ZCL_ON_OFF, 0x01, NULL), 0);
}

static void not_all_is_no_groupcast(void **state)
{
	struct plant *p = *state;

	(void)group_ready(p);
	switch_all(p, 0, DEVICES - 1, true);
	assert_int_equal(frames(p, true, 0, ZCL_ON_OFF, 0x01, NULL), 0);
	for (size_t i = 0; i < DEVICES - 1; i++)
		assert_int_equal(frames(p, false, i, ZCL_ON_OFF, 0x01, NULL), 1);
}

/* Another device in the same UPDATE is told by itself. */
static void others_are_told_alone(void **state)
{
	struct plant *p = *state;

	(void)group_ready(p);
	switch_all(p, 0, DEVICES + 1, true);
	assert_int_equal(frames(p, true, 0, ZCL_ON_OFF, 0x01, NULL), 1);
	assert_int_equal(frames(p, false, OTHER, ZCL_ON_OFF, 0x01, NULL), 1);
}

/* Their routers pass it on; it goes by way of who hears the gateway. */
static void members_behind_a_router_hear_it_too(void **state)
{
	struct plant *p = *state;
	struct down d;

	(void)group_ready(p);
	for (size_t i = 0; i < 2; i++)
		oci_core_device(p->core, eui64_of(i))->parent = eui64_of(2);
	switch_all(p, 0, DEVICES, true);
	assert_int_equal(frames(p, true, 0, ZCL_ON_OFF, 0x01, &d), 1);
	assert_true(d.nwk.radius == 30 && d.nwk.destination == NWK_BROADCAST_RX_ON && d.eui64 == eui64_of(2));
	assert_int_equal(frames(p, false, SLEEPER, ZCL_ON_OFF, 0x01, NULL), 1);
	/* a router that is not known any more */
	for (size_t i = 0; i < 2; i++)
		oci_core_device(p->core, eui64_of(i))->parent = 1;
	p->count = 0;
	switch_all(p, 0, DEVICES, false);
	assert_int_equal(frames(p, true, 0, ZCL_ON_OFF, 0x00, NULL), 0);
	assert_int_equal(frames(p, false, 2, ZCL_ON_OFF, 0x00, NULL), 1);
}

/* No receiver may drop one because of those before it. */
static void groupcasts_are_bounded(void **state)
{
	struct plant *p = *state;
	uint8_t counters[64];
	size_t sent = 0;
	struct down d;

	(void)group_ready(p);
	for (int i = 0; i < 12; i++) {
		p->count = 0;
		switch_all(p, 0, DEVICES, i % 2 == 0);
		if (frames(p, true, 0, ZCL_ON_OFF, i % 2 == 0, &d) == 1)
			counters[sent++] = d.aps.counter;
		else
			assert_int_equal(frames(p, false, 0, ZCL_ON_OFF, i % 2 == 0, NULL), 1);
		for (size_t k = 0; k < DEVICES; k++)
			report_on(p, k, i % 2 == 0);
		p->now += 100;
	}
	assert_int_equal(sent, 8);
	for (size_t i = 0; i < sent; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(counters[i], counters[k]);
	/* a while later there is room again */
	p->now += 9000;
	p->count = 0;
	switch_all(p, 0, DEVICES, true);
	assert_int_equal(frames(p, true, 0, ZCL_ON_OFF, 0x01, NULL), 1);
}

static void unicasts_keep_their_counters(void **state)
{
	struct plant *p = *state;
	struct down d;

	for (int i = 0; i < 300; i++) {
		const uint8_t n = oci_core_lend_counter(p->core, eui64_of(OTHER));

		assert_true(n < 224);
	}
	switch_all(p, OTHER, 1, true);
	assert_int_equal(frames(p, false, OTHER, ZCL_ON_OFF, 0x01, &d), 1);
	assert_true(d.aps.counter < 224);
}

static void leaving_closes_until_it_is_sure(void **state)
{
	struct plant *p = *state;
	uint16_t id = group_ready(p);

	assert_int_equal(group(p, 2), OK); /* the third listens, the fourth sleeps */
	run(p, 1000);
	assert_int_equal(frames(p, false, 2, ZCL_GROUPS, GROUPS_REMOVE, NULL), 1);
	assert_int_equal(frames(p, false, SLEEPER, ZCL_GROUPS, GROUPS_REMOVE, NULL), 1);
	p->count = 0;
	switch_all(p, 0, 2, true);
	assert_int_equal(frames(p, true, 0, ZCL_ON_OFF, 0x01, NULL), 0);
	assert_int_equal(frames(p, false, 0, ZCL_ON_OFF, 0x01, NULL), 1);
	report_on(p, 0, true);
	report_on(p, 1, true);
	answer_group(p, 2, GROUPS_REMOVE, ZCL_SUCCESS, id);
	answer_group(p, SLEEPER, GROUPS_REMOVE, ZCL_NOT_FOUND, id);
	assert_int_equal(oci_core_groups(p->core)->count, 2);
	p->count = 0;
	switch_all(p, 0, 2, false);
	assert_int_equal(frames(p, true, 0, ZCL_ON_OFF, 0x00, NULL), 1);
}

/* It may still listen and has the key: nothing goes to all before they have another. */
static void who_is_removed_bars_its_key(void **state)
{
	struct plant *p = *state;

	(void)group_ready(p);
	oci_core_forget(p->core, p->now, eui64_of(2));
	collect(p);
	assert_int_equal(oci_core_groups(p->core)->count, DEVICES - 1);
	assert_int_equal(p->kept.barred, 1);
	p->count = 0;
	switch_all(p, 0, DEVICES, true);
	assert_int_equal(frames(p, true, 0, ZCL_ON_OFF, 0x01, NULL), 0);
	assert_int_equal(frames(p, false, 0, ZCL_ON_OFF, 0x01, NULL), 1);
	assert_int_equal(frames(p, false, 1, ZCL_ON_OFF, 0x01, NULL), 1);
}

static void the_last_member_takes_the_group_along(void **state)
{
	struct plant *p = *state;

	assert_int_equal(group(p, DEVICES), OK);
	assert_int_equal(group(p, 0), OK); /* nobody has been told */
	assert_null(oci_core_groups(p->core));
	assert_true(p->kept.count == 0 && p->kept.source[0] == '\0');
	assert_int_equal(group(p, 1), OK); /* one alone is no group */
	assert_null(oci_core_groups(p->core));
}

static void a_failing_store_is_told(void **state)
{
	struct plant *p = *state;

	p->save_group = ERR_STORE;
	assert_int_equal(group(p, DEVICES), ERR_STORE);
	assert_non_null(oci_core_groups(p->core));
}

/* After a start nobody knows what was sent before it. */
static void a_start_is_quiet(void **state)
{
	struct plant *p = *state;
	const struct oci_group *g;

	(void)group_ready(p);
	g = oci_core_groups(p->core);
	{
		struct oci_core *former = p->core;
		struct oci_core_config c = {&p->rng, true, rig_descriptions(), save, NULL, 0, false, 0};

		p->core = oci_core_new(&c);
		for (size_t i = 0; i < DEVICES; i++)
			device_start(p, i);
		assert_int_equal(oci_core_group_restore(p->core, g), OK);
		oci_core_free(former);
	}
	collect(p);
	p->count = 0;
	switch_all(p, 0, DEVICES, true);
	assert_int_equal(frames(p, true, 0, ZCL_ON_OFF, 0x01, NULL), 0);
	for (size_t i = 0; i < DEVICES; i++)
		report_on(p, i, true);
	run(p, QUIET_MS);
	p->count = 0;
	switch_all(p, 0, DEVICES, false);
	assert_int_equal(frames(p, true, 0, ZCL_ON_OFF, 0x00, NULL), 1);
}

/* Who was told before a start may be in the group, whether or not its answer came. */
static void a_start_drops_nobody_silently(void **state)
{
	struct plant *p = *state;
	struct oci_core *former = p->core;
	struct oci_core_config c = {&p->rng, true, rig_descriptions(), save, NULL, 0, false, 0};
	const struct oci_group *g;

	assert_int_equal(group(p, DEVICES), OK);
	run(p, 1000); /* all are told, and nobody answers */
	p->core = oci_core_new(&c);
	for (size_t i = 0; i < DEVICES; i++)
		device_start(p, i);
	assert_int_equal(oci_core_group_restore(p->core, oci_core_groups(former)), OK);
	oci_core_free(former);
	p->count = 0;
	assert_int_equal(group(p, 2), OK);
	g = oci_core_groups(p->core);
	assert_int_equal(g->count, DEVICES);
	assert_int_equal(g->members[2].state, OCI_MEMBER_LEAVING);
	run(p, 1000);
	assert_int_equal(frames(p, false, 2, ZCL_GROUPS, GROUPS_REMOVE, NULL), 1);
}

/* ---- scenes ---- */

static enum err scene(struct plant *p, uint16_t id, enum oci_scene_order order, uint8_t number)
{
	enum err e = oci_core_scene(p->core, p->now, id, order, number, "evening");

	run(p, 1000);
	return e;
}

static void store_scene(struct plant *p, uint16_t id, uint8_t number)
{
	assert_int_equal(scene(p, id, OCI_SCENE_STORE, number), OK);
	for (size_t i = 0; i < DEVICES; i++)
		answer_scene(p, i, SCENES_STORE, ZCL_SUCCESS, id, number);
}

static void scenes_are_stored_one_by_one(void **state)
{
	struct plant *p = *state;
	uint16_t id = group_ready(p);
	struct oci_effect e;

	assert_int_equal(scene(p, id, OCI_SCENE_RECALL, 1), ERR_NOT_FOUND);
	assert_int_equal(scene(p, id, OCI_SCENE_STORE, 0), ERR_BAD_VALUE);
	assert_int_equal(scene(p, (uint16_t)(id + 1), OCI_SCENE_STORE, 1), ERR_UNKNOWN_DEVICE);
	assert_int_equal(scene(p, id, OCI_SCENE_STORE, 1), OK);
	assert_int_equal(scene(p, id, OCI_SCENE_STORE, 2), ERR_NOT_READY);
	for (size_t i = 0; i < DEVICES; i++) {
		assert_int_equal(frames(p, false, i, ZCL_SCENES, SCENES_STORE, NULL), 1);
		assert_false(effect(p, OCI_SCENE, &e));
		answer_scene(p, i, SCENES_STORE, i == 1 ? ZCL_INSUFFICIENT_SPACE : ZCL_SUCCESS, id, 1);
	}
	assert_true(effect(p, OCI_SCENE, &e) && e.group == id && e.order == OCI_SCENE_STORE && e.counter == 1);
	assert_true(e.status == ZCL_INSUFFICIENT_SPACE && e.tally == DEVICES - 1);
	assert_true(p->kept.scene_count == 1 && p->kept.scenes[0].id == 1 && strcmp(p->kept.scenes[0].name, "evening") == 0);
}

static void an_order_ends_without_answers(void **state)
{
	struct plant *p = *state;
	uint16_t id = group_ready(p);
	struct oci_effect e;

	assert_int_equal(scene(p, id, OCI_SCENE_STORE, 1), OK);
	for (int i = 0; i < 20 && !effect(p, OCI_SCENE, &e); i++) {
		p->count = 0;
		run(p, 60000);
	}
	assert_true(effect(p, OCI_SCENE, &e) && e.status == ZCL_TIMEOUT && e.tally == 0);
	assert_int_equal(oci_core_groups(p->core)->scene_count, 0);
	assert_int_equal(scene(p, id, OCI_SCENE_STORE, 1), OK); /* and another may begin */
}

static void a_recall_is_one_frame(void **state)
{
	struct plant *p = *state;
	uint16_t id = group_ready(p);
	struct scenes_message m;
	struct down d;

	store_scene(p, id, 7);
	p->count = 0;
	assert_int_equal(scene(p, id, OCI_SCENE_RECALL, 7), OK);
	assert_int_equal(frames(p, true, 0, ZCL_SCENES, SCENES_RECALL, &d), 1);
	assert_int_equal(scenes_decode(false, SCENES_RECALL, d.zcl.payload, &m), OK);
	assert_true(m.group == id && m.scene == 7 && d.aps.group == id);
	assert_int_equal(frames(p, false, SLEEPER, ZCL_SCENES, SCENES_RECALL, NULL), 1);
	assert_int_equal(frames(p, false, 0, ZCL_SCENES, SCENES_RECALL, NULL), 0);
	/* of the three, one says something, one is told something newer, one is told by itself */
	p->count = 0;
	report_on(p, 0, true);
	switch_all(p, 1, 1, true);
	run(p, 6000);
	assert_int_equal(frames(p, false, 0, ZCL_SCENES, SCENES_RECALL, NULL), 0);
	assert_int_equal(frames(p, false, 1, ZCL_SCENES, SCENES_RECALL, NULL), 0);
	assert_true(frames(p, false, 2, ZCL_SCENES, SCENES_RECALL, NULL) >= 1);
}

static void a_scene_goes(void **state)
{
	struct plant *p = *state;
	uint16_t id = group_ready(p);
	struct oci_effect e;

	store_scene(p, id, 7);
	assert_int_equal(scene(p, id, OCI_SCENE_REMOVE, 7), OK);
	for (size_t i = 0; i < DEVICES; i++)
		answer_scene(p, i, SCENES_REMOVE, i ? ZCL_SUCCESS : ZCL_NOT_FOUND, id, 7);
	assert_true(effect(p, OCI_SCENE, &e) && e.order == OCI_SCENE_REMOVE && e.status == ZCL_SUCCESS && e.tally == DEVICES);
	assert_int_equal(scene(p, id, OCI_SCENE_RECALL, 7), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(members_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(one_frame_for_all_that_listen, setup, teardown),
		cmocka_unit_test_setup_teardown(not_all_is_no_groupcast, setup, teardown),
		cmocka_unit_test_setup_teardown(others_are_told_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(members_behind_a_router_hear_it_too, setup, teardown),
		cmocka_unit_test_setup_teardown(groupcasts_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(unicasts_keep_their_counters, setup, teardown),
		cmocka_unit_test_setup_teardown(leaving_closes_until_it_is_sure, setup, teardown),
		cmocka_unit_test_setup_teardown(who_is_removed_bars_its_key, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_member_takes_the_group_along, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failing_store_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_start_is_quiet, setup, teardown),
		cmocka_unit_test_setup_teardown(a_start_drops_nobody_silently, setup, teardown),
		cmocka_unit_test_setup_teardown(scenes_are_stored_one_by_one, setup, teardown),
		cmocka_unit_test_setup_teardown(an_order_ends_without_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(a_recall_is_one_frame, setup, teardown),
		cmocka_unit_test_setup_teardown(a_scene_goes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
