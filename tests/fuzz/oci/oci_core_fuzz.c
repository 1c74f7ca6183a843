/* Node B's core and a device that may say anything, sealed rightly or not: no frame of the device is taken twice under one key, also when node B
 * was switched off in between; no number is sealed with twice under one key; what leaves is sealed under the device's present key; a value is JSON;
 * addresses that the gateway is told are a device's; and no time-out lies in the past. */
#include <string.h>

#include "base/clock.h"
#include "oci/oci_core.h"
#include "zigbee/security/nwk_security.h"
#include "../fuzz.h"

#define DEVICE 0x00124b0000000001ULL
#define GATEWAY 0x0200000000000001ULL
#define SHORT 0x7b31
#define KEYS 8

struct key {
	struct secret *secret;
	bool sent;      /* anything was sealed under it */
	uint32_t out;   /* the number that was sealed with last */
	bool accepted;
	uint32_t in;    /* the highest number that was accepted */
};

struct world {
	struct oci_core *core;
	struct rng rng;
	uint64_t now;
	struct key keys[KEYS];
	size_t key_count;     /* the last is the one that the device has */
	uint32_t counter;     /* of the device's next frame */
	uint8_t nwk_sequence, aps_counter;
	bool save_fails;
	struct oci_device stored; /* what is on disk, with keys of its own; eui64 0: nothing */
	/* the last question of the core */
	bool asked_zdo;
	uint16_t asked_cluster;
	uint8_t asked_sequence;
};

static void stored_clear(struct world *w)
{
	oci_network_free(w->stored.present.network);
	oci_network_free(w->stored.pending.network);
	memset(&w->stored, 0, sizeof w->stored);
}

static enum err on_save(void *ctx, const struct oci_device *d)
{
	struct world *w = ctx;

	if (w->save_fails)
		return ERR_STORE;
	stored_clear(w);
	w->stored = *d;
	w->stored.next = NULL;
	w->stored.present.network = oci_network_dup(d->present.network);
	w->stored.pending.network = oci_network_dup(d->pending.network);
	return OK;
}

static struct oci_core *core_new(struct world *w)
{
	static struct descriptions *descriptions;
	struct oci_core_config c = {&w->rng, true, NULL, on_save, w, 15000, false, 0};
	struct oci_core *core;

	if (!descriptions)
		descriptions = descriptions_built_in();
	c.descriptions = descriptions;
	core = oci_core_new(&c);
	MUST(core);
	return core;
}

static struct key *key_of(struct world *w, const struct secret *secret)
{
	for (size_t i = 0; i < w->key_count; i++)
		if (secret_equal(w->keys[i].secret, secret))
			return &w->keys[i];
	return NULL;
}

/* ---- what leaves ---- */

static void note_question(struct world *w, struct rd payload)
{
	struct aps_frame f;
	uint8_t octet;

	if (aps_frame_decode(payload, &f) != OK || f.type != APS_DATA)
		return;
	w->asked_zdo = f.profile == APS_PROFILE_ZDP;
	w->asked_cluster = f.cluster;
	if (!w->asked_zdo && !rd_u8(&f.payload, &octet))
		return;
	if (rd_u8(&f.payload, &octet))
		w->asked_sequence = octet;
}

static void on_downlink(struct world *w, const struct oci_effect *e)
{
	uint8_t plain[NWK_FRAME_MAX];
	struct aux_header aux;
	struct nwk_frame f;
	struct rd payload;
	bool opened = false;

	if (e->len == 0)
		return; /* too long for a frame: the shell drops it */
	MUST(nwk_frame_decode(rd_of(e->octets, e->len), &f) == OK && f.security && f.source == NWK_COORDINATOR);
	for (size_t i = 0; i < w->key_count && !opened; i++) {
		struct key *k = &w->keys[i];

		if (nwk_open(k->secret, &f, &aux, plain, &payload) != OK)
			continue;
		opened = true;
		MUST(aux.source == GATEWAY && (!k->sent || aux.frame_counter > k->out));
		k->sent = true;
		k->out = aux.frame_counter;
	}
	MUST(opened);
	if (f.type == NWK_DATA)
		note_question(w, payload);
}

static void on_event(const char *event)
{
	static const char *const events[] = {"joined", "rotated", "counter-high", "announced", "left", "rejoined", "interviewed"};

	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
		if (strcmp(events[i], event) == 0)
			return;
	MUST(false);
}

static void acted(struct world *w, const struct oci_effect *e)
{
	struct json_arena *arena;
	const struct json *doc;

	MUST(e->eui64 == DEVICE && memchr(e->text, '\0', sizeof e->text) && e->len <= sizeof e->octets);
	switch (e->type) {
	case OCI_DOWNLINK:
		on_downlink(w, e);
		break;
	case OCI_CHILD_SET:
		MUST(e->short_address != NWK_COORDINATOR && e->short_address < 0xfff8);
		break;
	case OCI_APS_RELAY:
		MUST(e->len > 0);
		break;
	case OCI_EVENT:
		on_event(e->text);
		break;
	case OCI_VALUE:
		arena = json_arena_new();
		MUST(e->point && e->name[0] && json_parse(arena, rd_str(e->text), NULL, &doc) == OK);
		json_arena_free(arena);
		break;
	case OCI_RAW:
		MUST(e->len <= sizeof e->octets);
		break;
	case OCI_OTA:
		MUST(e->text[0]);
		break;
	case OCI_GROUP:
	case OCI_SCENE:
		MUST(false); /* nobody makes a group here */
		break;
	case OCI_CHILD_DROP:
	case OCI_PRESENCE:
	case OCI_DESCRIBED:
	case OCI_LOG:
		break;
	}
}

static void drain(struct world *w)
{
	struct oci_effect e;

	while (oci_core_output(w->core, &e))
		acted(w, &e);
}

/* ---- what comes in ---- */

static void uplink(struct world *w, struct rd octets)
{
	struct oci_device *d = oci_core_device(w->core, DEVICE);
	enum err e = oci_core_uplink(w->core, w->now, DEVICE, octets);
	uint8_t plain[NWK_FRAME_MAX];
	struct aux_header aux;
	struct nwk_frame f;
	struct rd payload;
	struct key *k;

	if (e != OK)
		return;
	MUST(d && d->present.network->key && nwk_frame_decode(octets, &f) == OK && nwk_open(d->present.network->key, &f, &aux, plain, &payload) == OK);
	k = key_of(w, d->present.network->key);
	MUST(k && aux.source == DEVICE && (!k->accepted || aux.frame_counter > k->in));
	k->accepted = true;
	k->in = aux.frame_counter;
}

static void sealed(struct world *w, enum nwk_frame_type type, uint16_t source, struct rd payload)
{
	const struct nwk_frame f = {.type = type, .protocol_version = 2, .source = source, .radius = 1, .sequence = w->nwk_sequence++, .payload = payload};
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr out = wr_of(buffer, sizeof buffer);
	struct rd octets;

	if (w->key_count > 0 && nwk_seal(w->keys[w->key_count - 1].secret, 0, DEVICE, w->counter++, &f, &out) == OK && wr_done(&out, &octets))
		uplink(w, octets);
}

static void aps(struct world *w, uint16_t cluster, uint16_t profile, bool again, struct rd payload)
{
	const struct aps_frame f = {
		.type = APS_DATA,
		.ack_request = true,
		.destination_endpoint = profile ? 1 : 0,
		.source_endpoint = profile ? 1 : 0,
		.cluster = cluster,
		.profile = profile,
		.counter = again ? w->aps_counter : ++w->aps_counter,
		.payload = payload,
	};
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr out = wr_of(buffer, sizeof buffer);
	struct rd octets;

	if (aps_frame_encode(&f, &out) == OK && wr_done(&out, &octets))
		sealed(w, NWK_DATA, SHORT, octets);
}

/* The device answers what it was asked last. */
static void answer(struct world *w, struct rd fields)
{
	uint8_t buffer[100];
	struct wr out = wr_of(buffer, sizeof buffer);
	struct rd payload;
	uint8_t command;

	if (w->asked_zdo) {
		wr_u8(&out, w->asked_sequence);
		wr_rd(&out, fields);
		if (wr_done(&out, &payload))
			aps(w, w->asked_cluster | ZDO_RESPONSE, APS_PROFILE_ZDP, false, payload);
		return;
	}
	if (!rd_u8(&fields, &command))
		return;
	wr_u8(&out, 0x18); /* global, from the server, no default response */
	wr_u8(&out, w->asked_sequence);
	wr_u8(&out, command);
	wr_rd(&out, fields);
	if (wr_done(&out, &payload))
		aps(w, w->asked_cluster, APS_PROFILE_HOME_AUTOMATION, false, payload);
}

static void new_key(struct world *w, uint8_t generation, uint8_t capability)
{
	struct oci_key_order o = {DEVICE, GATEWAY, SHORT, capability, "/id-mn/cse-mn/gw1/x", "default", NULL, 0, generation, "k1", generation & 1, NULL, 0};

	if (w->key_count == KEYS)
		return;
	o.key = secret_random(&w->rng, SECRET_AES128);
	MUST(o.key);
	w->keys[w->key_count++] = (struct key){.secret = secret_dup(o.key)};
	(void)!oci_core_key(w->core, w->now, &o);
	w->counter = 0;
}

/* Node B is switched off at this moment and on again with what is on disk. */
static void restart(struct world *w)
{
	struct oci_device d = w->stored;

	drain(w);
	oci_core_free(w->core);
	w->core = core_new(w);
	if (d.eui64 == 0)
		return;
	d.present.network = oci_network_dup(d.present.network);
	d.pending.network = oci_network_dup(d.pending.network);
	MUST(oci_core_restore(w->core, w->now, &d));
}

static void forget(struct world *w)
{
	oci_core_forget(w->core, w->now, DEVICE);
	drain(w);
	stored_clear(w);
	MUST(!oci_core_device(w->core, DEVICE));
}

static void passed(struct world *w, uint64_t ms)
{
	w->now += ms;
	oci_core_tick(w->core, w->now);
	drain(w);
	MUST(oci_core_deadline(w->core) > w->now);
}

static const struct oci_image image = {
	.header = {.length = OTA_HEADER_LEAST, .image = {.manufacturer = 0x1234, .type = 1, .version = 2}, .size = 3},
	.octets = {(const uint8_t *)"abc", 3},
};

/* An application's UPDATE: of every module that the device has. */
static void update(struct world *w, struct rd text)
{
	struct oci_device *d = oci_core_device(w->core, DEVICE);
	struct json_arena *arena = json_arena_new();
	const struct json *members;

	if (json_parse(arena, text, NULL, &members) == OK)
		for (size_t i = 0; d && i < d->place_count; i++) {
			char name[32];

			oci_place_name(d, &d->places[i], d->places[i].point->module, name);
			oci_core_update(w->core, w->now, DEVICE, name, members);
			for (size_t k = 0; k < d->places[i].point->module->action_count && text.left > 4; k++)
				oci_core_action(w->core, w->now, DEVICE, name, &d->places[i].point->module->actions[k]);
		}
	json_arena_free(arena);
}

static void step(struct world *w, uint8_t what, struct rd *in)
{
	uint8_t a = 0, b = 0, len = 0;
	struct rd octets = rd_of("", 0);

	(void)!rd_u8(in, &a);
	(void)!rd_u8(in, &b);
	if (rd_u8(in, &len) && !rd_sub(in, len, &octets))
		octets = rd_rest(in);
	switch (what % 15) {
	case 0:
		uplink(w, octets);
		break;
	case 1:
		sealed(w, NWK_DATA, SHORT, octets);
		break;
	case 2:
		sealed(w, NWK_COMMAND, (uint16_t)(a << 8 | b), octets);
		break;
	case 3:
		aps(w, (uint16_t)((a & 0x80 ? ZDO_RESPONSE : 0) | b), APS_PROFILE_ZDP, a & 1, octets);
		break;
	case 4:
		aps(w, (uint16_t)(a << 8 | b), APS_PROFILE_HOME_AUTOMATION, false, octets);
		break;
	case 5:
		answer(w, octets);
		break;
	case 6:
		oci_core_aps(w->core, w->now, DEVICE, octets, a & 1, b);
		break;
	case 7:
		update(w, octets);
		break;
	case 8:
		passed(w, a * 100ULL);
		break;
	case 9:
		new_key(w, a, b);
		break;
	case 10:
		w->save_fails = a & 1;
		break;
	case 11:
		restart(w);
		break;
	case 14:
		(void)!oci_core_ota(w->core, w->now, DEVICE, a & 1 ? &image : NULL);
		break;
	case 13:
		(void)!oci_core_raw(w->core, w->now, DEVICE, &(const struct oci_raw){a, (uint16_t)(a << 8 | b), b, a & 1, a & 2, b}, octets);
		break;
	case 12:
		if (a == 255)
			forget(w);
		else
			w->counter -= w->counter > a ? a : 0; /* the device repeats numbers */
		break;
	}
	drain(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct rd in = rd_of(data, size);
	uint8_t what;

	if (size > FUZZ_INPUT_MAX)
		return 0;
	memset(&w, 0, sizeof w);
	w.rng = rng_seeded(1);
	w.now = 100000;
	w.core = core_new(&w);
	while (rd_u8(&in, &what))
		step(&w, what, &in);
	oci_core_free(w.core);
	stored_clear(&w);
	for (size_t i = 0; i < w.key_count; i++)
		secret_free(w.keys[i].secret);
	return 0;
}
