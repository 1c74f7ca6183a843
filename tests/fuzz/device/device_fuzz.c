/* A commissioned device in a network whose coordinator may say anything, sealed rightly or not: what the device sends is MAC frames with the right
 * frame check sequence; no number is sealed with twice, neither under NWK nor under APS security, also when the device is switched off in between;
 * what it tells is JSON; and what it stores it can read again. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "json/json.h"
#include "plant.h"
#include "zigbee/security/nwk_security.h"
#include "../fuzz.h"

#define WAITING 8

/* What a device has that was commissioned by the tiny coordinator of the unit tests. */
struct commissioned {
	struct plant plant;
	bool made;
};

struct psdu {
	uint8_t octets[MAC_PSDU_MAX];
	size_t len;
};

struct world {
	const struct plant *from;
	struct sim_device_config config;
	struct sim_device *device;
	struct rng rng;
	uint64_t now;
	char memory[PLANT_MEMORY];
	size_t memory_len;
	bool save_fails, deaf;
	uint32_t nwk_out, aps_out;
	uint8_t mac_sequence, aps_counter;
	struct psdu waiting[WAITING]; /* for a sleeper, until it polls */
	size_t waiting_count;
	bool nwk_any, aps_any;
	uint32_t nwk_last, aps_last;
	struct psdu nwk_frame; /* with the last number */
	uint8_t aps_frame[NWK_FRAME_MAX];
	size_t aps_len;
};

static struct commissioned kinds[3]; /* always on, sleepy, router */

static const struct plant *commissioned(unsigned which)
{
	struct commissioned *c = &kinds[which % 3];

	if (!c->made) {
		plant_init(&c->plant, which % 3 == 1 ? SIM_CONTACT : SIM_PLUG, which % 3 == 1);
		if (which % 3 == 2) {
			sim_device_free(c->plant.device);
			c->plant.config.router = c->plant.answer_route = true;
			plant_start(&c->plant);
		}
		plant_commission(&c->plant);
		c->made = true;
	}
	return &c->plant;
}

static enum err on_save(void *ctx, struct rd text)
{
	struct world *w = ctx;

	if (w->save_fails)
		return ERR_IO;
	MUST(text.left < sizeof w->memory);
	memcpy(w->memory, text.at, text.left);
	w->memory_len = text.left;
	return OK;
}

static void start(struct world *w)
{
	struct sim_device_config c = w->config;

	c.link_key = secret_dup(w->config.link_key);
	w->device = sim_device_new(&c, rd_of(w->memory, w->memory_len), w->now);
	MUST(w->device);
}

/* ---- what the device sends ---- */

static void aps_sent(struct world *w, const struct nwk_frame *nwk)
{
	uint8_t plain[NWK_FRAME_MAX];
	struct aux_header aux, aps_aux;
	struct aps_frame f;
	struct rd payload, sealed;

	if (nwk->type != NWK_DATA || nwk_open(w->from->network_key, nwk, &aux, plain, &payload) != OK)
		return; /* under a key that it was given here */
	MUST(aps_frame_decode(payload, &f) == OK);
	sealed = f.payload;
	if (!f.security)
		return;
	MUST(aux_header_decode(&sealed, &aps_aux));
	if (w->aps_any && aps_aux.frame_counter == w->aps_last) {
		MUST(rd_equal(payload, rd_of(w->aps_frame, w->aps_len))); /* the same, repeated */
		return;
	}
	MUST(!w->aps_any || aps_aux.frame_counter > w->aps_last);
	w->aps_any = true;
	w->aps_last = aps_aux.frame_counter;
	w->aps_len = payload.left;
	memcpy(w->aps_frame, payload.at, payload.left);
}

static void nwk_sent(struct world *w, struct rd octets, struct rd psdu)
{
	struct nwk_frame f;
	struct aux_header aux;
	struct rd sealed;

	MUST(nwk_frame_decode(octets, &f) == OK);
	sealed = f.payload;
	if (!f.security)
		return;
	MUST(aux_header_decode(&sealed, &aux) && aux.source == PLANT_DEVICE);
	if (w->nwk_any && aux.frame_counter == w->nwk_last) {
		MUST(rd_equal(psdu, rd_of(w->nwk_frame.octets, w->nwk_frame.len))); /* the radio sends it again */
		return;
	}
	MUST(!w->nwk_any || aux.frame_counter > w->nwk_last);
	w->nwk_any = true;
	w->nwk_last = aux.frame_counter;
	memcpy(w->nwk_frame.octets, psdu.at, psdu.left);
	w->nwk_frame.len = psdu.left;
	aps_sent(w, &f);
}

static void input(struct world *w, struct rd frame)
{
	uint8_t octets[MAC_PSDU_MAX + 2];
	struct wr out = wr_of(octets, sizeof octets);
	struct rd psdu;

	mac_fcs_append(&out, frame);
	if (wr_done(&out, &psdu))
		sim_device_input(w->device, w->now, psdu);
}

static void acknowledge(struct world *w, const struct mac_frame *f)
{
	const struct mac_frame ack = {.type = MAC_ACK, .frame_pending = w->waiting_count > 0, .sequence = f->sequence};
	uint8_t octets[8];
	struct wr out = wr_of(octets, sizeof octets);
	struct rd frame;

	if (!w->deaf && f->ack_request && mac_frame_encode(&ack, &out) == OK && wr_done(&out, &frame))
		input(w, frame);
}

static void sent(struct world *w, struct rd psdu)
{
	struct psdu next;
	struct mac_frame f;
	struct rd frame;

	MUST(mac_fcs_check(psdu, &frame) == OK && mac_frame_decode(frame, &f) == OK);
	if (f.type == MAC_DATA)
		nwk_sent(w, f.payload, psdu);
	acknowledge(w, &f);
	if (f.type == MAC_COMMAND && f.payload.left == 1 && f.payload.at[0] == MAC_DATA_REQUEST && w->waiting_count > 0 && !w->deaf) {
		next = w->waiting[0];
		memmove(w->waiting, w->waiting + 1, --w->waiting_count * sizeof w->waiting[0]);
		input(w, rd_of(next.octets, next.len));
	}
}

static void told(const struct sim_device_effect *e)
{
	struct json_arena *arena = json_arena_new();
	char text[sizeof e->detail + 4];
	const struct json *doc;

	snprintf(text, sizeof text, "{%s}", e->detail);
	MUST(e->name[0] && memchr(e->name, '\0', sizeof e->name) && json_parse(arena, rd_str(text), NULL, &doc) == OK);
	json_arena_free(arena);
}

static void drain(struct world *w)
{
	struct sim_device_effect e;

	while (sim_device_output(w->device, &e)) {
		switch (e.type) {
		case SIM_DEVICE_SEND:
			sent(w, rd_of(e.octets, e.len));
			break;
		case SIM_DEVICE_CHANNEL:
			MUST(e.channel >= SIM_CHANNEL_FIRST && e.channel <= SIM_CHANNEL_LAST);
			break;
		case SIM_DEVICE_EVENT:
			told(&e);
			break;
		}
	}
}

/* ---- what the coordinator sends ---- */

static void mac(struct world *w, struct rd nwk)
{
	const struct mac_frame f = {
		.type = MAC_DATA,
		.ack_request = true,
		.pan_id_compression = true,
		.sequence = w->mac_sequence++,
		.destination = {MAC_ADDRESS_SHORT, PLANT_PAN, w->from->short_address, 0},
		.source = {MAC_ADDRESS_SHORT, PLANT_PAN, 0, 0},
		.payload = nwk,
	};
	uint8_t octets[MAC_FRAME_MAX];
	struct wr out = wr_of(octets, sizeof octets);

	if (mac_frame_encode(&f, &out) != OK || out.spoilt)
		return;
	if (!w->config.sleepy) {
		input(w, rd_of(octets, out.len));
	} else if (w->waiting_count < WAITING) {
		struct psdu *p = &w->waiting[w->waiting_count++];

		memcpy(p->octets, octets, out.len);
		p->len = out.len;
	}
}

static void sealed(struct world *w, enum nwk_frame_type type, bool again, struct rd payload)
{
	const struct nwk_frame f = {.type = type, .protocol_version = 2, .destination = w->from->short_address, .radius = 1, .sequence = w->mac_sequence, .payload = payload};
	uint8_t octets[NWK_FRAME_MAX];
	struct wr out = wr_of(octets, sizeof octets);

	if (nwk_seal(w->from->network_key, w->from->key_sequence, PLANT_COORDINATOR, again ? w->nwk_out : ++w->nwk_out, &f, &out) == OK)
		mac(w, rd_of(octets, out.len));
}

static void aps(struct world *w, uint16_t cluster, uint16_t profile, struct rd payload)
{
	const struct aps_frame f = {
		.type = APS_DATA,
		.ack_request = true,
		.destination_endpoint = profile ? 1 : 0,
		.source_endpoint = profile ? 1 : 0,
		.cluster = cluster,
		.profile = profile,
		.counter = w->aps_counter++,
		.payload = payload,
	};
	uint8_t octets[NWK_FRAME_MAX];
	struct wr out = wr_of(octets, sizeof octets);

	if (aps_frame_encode(&f, &out) == OK && !out.spoilt)
		sealed(w, NWK_DATA, false, rd_of(octets, out.len));
}

/* Under the device's link key: a Trust Centre that says anything. */
static void command(struct world *w, uint8_t id, struct rd payload)
{
	const struct link_key_set *set = &w->from->link;
	const struct aps_frame f = {.type = APS_COMMAND, .ack_request = true, .counter = w->aps_counter++, .payload = payload};
	uint8_t octets[NWK_FRAME_MAX];
	struct wr out = wr_of(octets, sizeof octets);
	enum aux_key_id key_id = id % 3 == 0 ? AUX_KEY_DATA : id % 3 == 1 ? AUX_KEY_TRANSPORT : AUX_KEY_LOAD;
	const struct secret *key = key_id == AUX_KEY_DATA ? set->link : key_id == AUX_KEY_TRANSPORT ? set->transport : set->load;

	if (aps_seal(key, key_id, 0, true, PLANT_COORDINATOR, ++w->aps_out, &f, &out) == OK)
		sealed(w, NWK_DATA, false, rd_of(octets, out.len));
}

/* ---- time ---- */

static void passed(struct world *w, uint64_t ms)
{
	uint64_t until = w->now + ms;

	for (unsigned n = 0; n < 200 && w->now < until; n++) {
		uint64_t next = sim_device_deadline(w->device);

		w->now = next < until ? (next > w->now ? next : w->now) : until;
		sim_device_tick(w->device, w->now);
		drain(w);
	}
}

static void restart(struct world *w)
{
	sim_device_free(w->device);
	start(w);
}

static void step(struct world *w, uint8_t what, struct rd *in)
{
	static const char *const words[] = {"open", "close", "vibrate", "on", "off", "toggle", "temperature 23.5", "leave", "rejoin", "factory-reset", "permit 60"};
	uint8_t a = 0, b = 0, len = 0;
	struct rd octets = rd_of("", 0);

	(void)!rd_u8(in, &a);
	(void)!rd_u8(in, &b);
	if (rd_u8(in, &len) && !rd_sub(in, len, &octets))
		octets = rd_rest(in);
	switch (what % 11) {
	case 0:
		if (a & 1)
			sim_device_input(w->device, w->now, octets);
		else if (octets.left <= MAC_FRAME_MAX)
			input(w, octets);
		break;
	case 1:
		sealed(w, NWK_DATA, a & 1, octets);
		break;
	case 2:
		sealed(w, NWK_COMMAND, false, octets);
		break;
	case 3:
		aps(w, (uint16_t)((a & 0x80 ? ZDO_RESPONSE : 0) | b), APS_PROFILE_ZDP, octets);
		break;
	case 4:
		aps(w, (uint16_t)(a << 8 | b), APS_PROFILE_HOME_AUTOMATION, octets);
		break;
	case 5:
		command(w, a, octets);
		break;
	case 6:
		passed(w, (uint64_t)a * (b + 1));
		break;
	case 7:
		MUST(sim_device_command(w->device, w->now, words[a % (sizeof words / sizeof words[0] - !w->config.router)])); /* the last is a router's */
		break;
	case 8:
		restart(w);
		break;
	case 9:
		w->save_fails = a & 1;
		break;
	case 10:
		w->deaf = a & 1;
		break;
	}
	drain(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct rd in = rd_of(data, size);
	uint8_t which, what;

	if (size > FUZZ_INPUT_MAX || !rd_u8(&in, &which))
		return 0;
	memset(&w, 0, sizeof w);
	w.from = commissioned(which);
	w.rng = rng_seeded(1);
	w.now = 100000;
	memcpy(w.memory, w.from->memory, w.from->memory_len);
	w.memory_len = w.from->memory_len;
	w.nwk_out = w.from->nwk_out + 1000;
	w.aps_out = w.from->aps_out + 1000;
	w.config = w.from->config;
	w.config.save = on_save;
	w.config.save_ctx = &w;
	w.config.rng = &w.rng;
	start(&w);
	drain(&w);
	while (rd_u8(&in, &what))
		step(&w, what, &in);
	sim_device_free(w.device);
	return 0;
}
