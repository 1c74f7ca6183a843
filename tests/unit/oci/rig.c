/* Node B's core with one device around it. */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

#include "zigbee/security/nwk_security.h"

static enum err save(void *ctx, const struct oci_device *d)
{
	struct rig *r = ctx;

	r->saves++;
	if (r->save_answer == OK)
		r->stored = *d;
	return r->save_answer;
}

const struct descriptions *rig_descriptions(void)
{
	static struct descriptions *d;

	if (!d)
		d = descriptions_built_in();
	assert_non_null(d);
	return d;
}

void rig_core(struct rig *r)
{
	const struct oci_core_config c = {&r->rng, r->answer_commissioning, rig_descriptions(), save, r, r->link_status_ms, false, 0};

	r->core = oci_core_new(&c);
	assert_non_null(r->core);
}

void rig_init(struct rig *r, bool sleepy)
{
	memset(r, 0, sizeof *r);
	r->rng = rng_seeded(7);
	r->key = secret_random(&r->rng, SECRET_AES128);
	r->key_sequence = RIG_SEQUENCE;
	r->generation = 1;
	r->capability = sleepy ? RIG_SLEEPS : RIG_LISTENS;
	r->short_address = RIG_SHORT;
	r->now = 1000000;
	r->answer_commissioning = true;
	r->endpoint = 1;
	rig_core(r);
}

void rig_clear(struct rig *r)
{
	oci_core_free(r->core);
	secret_free(r->key);
}

void rig_restart(struct rig *r)
{
	struct oci_device d = r->stored;

	d.present.network = oci_network_dup(d.present.network);
	d.pending.network = oci_network_dup(d.pending.network);
	oci_core_free(r->core);
	rig_core(r);
	assert_non_null(oci_core_restore(r->core, r->now, &d));
	rig_collect(r);
}

struct oci_device *rig_device(struct rig *r)
{
	struct oci_device *d = oci_core_device(r->core, RIG_DEVICE);

	assert_non_null(d);
	return d;
}

enum err rig_offer(struct rig *r, const struct secret *key, uint8_t sequence, uint64_t generation)
{
	const struct oci_key_order o = {RIG_DEVICE, RIG_GATEWAY, r->short_address, r->capability, "/id-mn/cse-mn/gw1/f0124b0000000001", "cold room", secret_dup(key), sequence,
	    generation, generation == 1 ? "key1" : "key2", r->rotation, NULL, 0};
	enum err e = oci_core_key(r->core, r->now, &o);

	rig_collect(r);
	return e;
}

void rig_join(struct rig *r)
{
	const struct nwk_command c = {.id = NWK_LINK_STATUS, .link_status = {.first = true, .last = true}};

	assert_int_equal(rig_offer(r, r->key, r->key_sequence, r->generation), OK);
	assert_int_equal(rig_command(r, &c), OK);
}

/* ---- from the device ---- */

size_t rig_seal(struct rig *r, enum nwk_frame_type type, struct rd payload, uint8_t octets[static NWK_FRAME_MAX])
{
	const struct nwk_frame f = {
		.type = type,
		.protocol_version = 2,
		.end_device_initiator = r->capability != RIG_ROUTES,
		.destination = NWK_COORDINATOR,
		.source = r->short_address,
		.radius = 30,
		.sequence = r->nwk_sequence++,
		.has_source_eui64 = type == NWK_COMMAND,
		.source_eui64 = RIG_DEVICE,
		.payload = payload,
	};
	struct wr w = wr_of(octets, NWK_FRAME_MAX);

	assert_int_equal(nwk_seal(r->key, r->key_sequence, RIG_DEVICE, r->counter++, &f, &w), OK);
	return w.len;
}

enum err rig_octets(struct rig *r, struct rd frame)
{
	enum err e = oci_core_uplink(r->core, r->now, RIG_DEVICE, frame);

	rig_collect(r);
	return e;
}

enum err rig_nwk(struct rig *r, enum nwk_frame_type type, struct rd payload)
{
	uint8_t octets[NWK_FRAME_MAX];
	size_t len = rig_seal(r, type, payload, octets);

	return rig_octets(r, rd_of(octets, len));
}

enum err rig_command(struct rig *r, const struct nwk_command *c)
{
	uint8_t buffer[100];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd payload;

	assert_int_equal(nwk_command_encode(c, &w), OK);
	assert_true(wr_done(&w, &payload));
	return rig_nwk(r, NWK_COMMAND, payload);
}

enum err rig_aps(struct rig *r, const struct aps_frame *f)
{
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd payload;

	assert_int_equal(aps_frame_encode(f, &w), OK);
	assert_true(wr_done(&w, &payload));
	return rig_nwk(r, NWK_DATA, payload);
}

enum err rig_zdo(struct rig *r, const struct zdo_message *m)
{
	struct aps_frame f = {.type = APS_DATA, .cluster = m->cluster, .profile = APS_PROFILE_ZDP, .counter = r->aps_counter++};
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);

	assert_int_equal(zdo_encode(m, &w), OK);
	assert_true(wr_done(&w, &f.payload));
	return rig_aps(r, &f);
}

enum err rig_zcl(struct rig *r, uint16_t cluster, enum zcl_frame_type type, uint8_t command, uint8_t sequence, struct rd payload)
{
	const struct zcl_frame z = {.type = type, .from_server = true, .disable_default_response = true, .sequence = sequence, .command = command, .payload = payload};
	struct aps_frame f = {
		.type = APS_DATA,
		.destination_endpoint = 1,
		.source_endpoint = r->endpoint,
		.cluster = cluster,
		.profile = APS_PROFILE_HOME_AUTOMATION,
		.counter = r->aps_counter++,
	};
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);

	assert_int_equal(zcl_encode(&z, &w), OK);
	assert_true(wr_done(&w, &f.payload));
	return rig_aps(r, &f);
}

enum err rig_report(struct rig *r, uint16_t cluster, uint16_t attribute, uint8_t type, uint64_t number)
{
	const struct zcl_value v = {.type = type, .number = number};
	uint8_t buffer[32];
	struct wr w = wr_of(buffer, sizeof buffer);

	zcl_report_put(&w, attribute, &v);
	assert_false(w.spoilt);
	return rig_zcl(r, cluster, ZCL_GLOBAL, ZCL_REPORT, r->zcl_sequence++, rd_of(w.octets, w.len));
}

void rig_update(struct rig *r, const char *name, const char *json)
{
	struct json_arena *a = json_arena_new();
	const struct json *members;

	assert_int_equal(json_parse(a, rd_str(json), NULL, &members), OK);
	oci_core_update(r->core, r->now, RIG_DEVICE, name, members);
	rig_collect(r);
	json_arena_free(a);
}

static void collect_more(struct rig *r)
{
	struct oci_effect e;

	while (oci_core_output(r->core, &e)) {
		assert_true(r->count < RIG_EFFECTS);
		r->effects[r->count++] = e;
	}
}

void rig_run(struct rig *r, uint64_t ms)
{
	uint64_t end = r->now + ms, next;

	r->count = 0;
	while ((next = oci_core_deadline(r->core)) <= end) {
		r->now = next > r->now ? next : r->now;
		oci_core_tick(r->core, r->now);
		collect_more(r);
		assert_true(oci_core_deadline(r->core) > r->now); /* nothing spins */
	}
	r->now = end;
}

/* ---- what came out ---- */

void rig_collect(struct rig *r)
{
	r->count = 0;
	collect_more(r);
}

const struct oci_effect *rig_effect(const struct rig *r, enum oci_effect_type type, size_t index)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->effects[i].type == type && index-- == 0)
			return &r->effects[i];
	return NULL;
}

size_t rig_effects(const struct rig *r, enum oci_effect_type type)
{
	size_t n = 0;

	while (rig_effect(r, type, n))
		n++;
	return n;
}

bool rig_text(const struct rig *r, enum oci_effect_type type, const char *text)
{
	const struct oci_effect *e;

	for (size_t i = 0; (e = rig_effect(r, type, i)) != NULL; i++)
		if (strcmp(e->text, text) == 0)
			return true;
	return false;
}

static void open_upper(struct rig_down *d, struct rd payload)
{
	if (d->nwk.type == NWK_COMMAND) {
		assert_int_equal(nwk_command_decode(payload, &d->command), OK);
		return;
	}
	assert_int_equal(aps_frame_decode(payload, &d->aps), OK);
	if (d->aps.type != APS_DATA || d->aps.security)
		return;
	if (d->aps.profile == APS_PROFILE_ZDP)
		(void)!zdo_decode(d->aps.cluster, d->aps.payload, &d->zdo); /* also clusters that are not supported */
	else
		assert_int_equal(zcl_decode(d->aps.payload, &d->zcl), OK);
}

bool rig_down(struct rig *r, size_t index, struct rig_down *d)
{
	const struct oci_effect *e = rig_effect(r, OCI_DOWNLINK, index);
	struct rd payload;

	if (!e)
		return false;
	memset(d, 0, sizeof *d);
	assert_true(e->eui64 == RIG_DEVICE && e->len > 0 && e->validity_ms > 0);
	memcpy(d->octets, e->octets, e->len);
	assert_int_equal(nwk_frame_decode(rd_of(d->octets, e->len), &d->nwk), OK);
	assert_true(d->nwk.security && d->nwk.source == NWK_COORDINATOR);
	assert_int_equal(nwk_open(r->key, &d->nwk, &d->aux, d->plain, &payload), OK);
	assert_true(d->aux.source == RIG_GATEWAY && d->aux.key_sequence == r->key_sequence);
	open_upper(d, payload);
	return true;
}

bool rig_asked(struct rig *r, struct rig_down *d)
{
	for (size_t i = 0; rig_down(r, i, d); i++)
		if (d->nwk.type == NWK_DATA && d->aps.type != APS_ACK)
			return true;
	return false;
}
