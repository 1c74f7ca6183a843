/* Any list of frames from the air, orders from the owner and times: only devices that the policy names at that moment are associated; children
 * have addresses of their own; every frame that was queued is reported once, and in the end; what leaves for the radio is a MAC frame; the
 * radio's source-match table, as told, always holds exactly what is waited for; and no time-out lies in the past. */
#include <string.h>

#include "base/clock.h"
#include "gateway/coordinator.h"
#include "zigbee/nwk_frame.h"
#include "../fuzz.h"

#define PAN 0x1a62
#define DEVICES 12
#define MATCHES 512
#define IDS 4096
#define TOKENS 8192

struct world {
	struct coordinator *c;
	struct rng rng;
	uint64_t now, open_until;
	uint16_t admitted; /* a bit a device */
	uint32_t last_token, last_id;
	bool waiting[IDS];
	uint32_t in_flight[TOKENS];
	size_t in_flight_count;
	uint16_t shorts[MATCHES];
	uint64_t extendeds[MATCHES];
	size_t short_count, extended_count;
	struct rd received;
};

static uint64_t device(uint8_t n)
{
	return 0x00124b0000000000ULL + n % DEVICES;
}

static bool is_admitted(const struct world *w, uint64_t eui64)
{
	return w->now < w->open_until && eui64 >= device(0) && eui64 < device(0) + DEVICES && w->admitted >> (eui64 - device(0)) & 1;
}

static void match_short(struct world *w, uint16_t a, bool add)
{
	size_t i = 0;

	while (i < w->short_count && w->shorts[i] != a)
		i++;
	MUST(add == (i == w->short_count));
	if (!add) {
		w->shorts[i] = w->shorts[--w->short_count];
	} else {
		MUST(w->short_count < MATCHES);
		w->shorts[w->short_count++] = a;
	}
}

static void match_extended(struct world *w, uint64_t a, bool add)
{
	size_t i = 0;

	while (i < w->extended_count && w->extendeds[i] != a)
		i++;
	MUST(add == (i == w->extended_count));
	if (!add) {
		w->extendeds[i] = w->extendeds[--w->extended_count];
	} else {
		MUST(w->extended_count < MATCHES);
		w->extendeds[w->extended_count++] = a;
	}
}

static void transmitted(struct world *w, const struct coordinator_effect *e)
{
	struct mac_frame f;

	MUST(e->token > w->last_token);
	w->last_token = e->token;
	MUST(e->len <= MAC_FRAME_MAX && mac_frame_decode(rd_of(e->octets, e->len), &f) == OK);
	MUST(f.type != MAC_BEACON || f.source.pan_id == PAN);
	MUST(w->in_flight_count < TOKENS);
	w->in_flight[w->in_flight_count++] = e->token;
}

static void acted(struct world *w, const struct coordinator_effect *e)
{
	const struct child *child = coordinator_child(w->c, e->eui64);

	switch (e->type) {
	case COORDINATOR_TRANSMIT:
		transmitted(w, e);
		break;
	case COORDINATOR_MATCH_SHORT:
		match_short(w, e->short_address, e->add);
		break;
	case COORDINATOR_MATCH_EXTENDED:
		match_extended(w, e->eui64, e->add);
		break;
	case COORDINATOR_ASSOCIATED:
		MUST(is_admitted(w, e->eui64) && child && child->short_address == e->short_address && e->short_address != 0 && e->short_address < 0xfff8);
		break;
	case COORDINATOR_REJOIN:
		MUST(child && child->short_address == e->short_address);
		coordinator_rejoin_granted(w->c, w->now, e->eui64); /* the Trust Centre serves them all */
		break;
	case COORDINATOR_DENIED:
		MUST(!is_admitted(w, e->eui64));
		break;
	case COORDINATOR_UPLINK:
		MUST(child && e->len <= w->received.left && memmem(w->received.at, w->received.left, e->octets, e->len));
		break;
	case COORDINATOR_DELIVERY:
		if (e->id == COORDINATOR_TRANSPORT_KEY) /* a Rejoin Response */
			break;
		MUST(e->id <= w->last_id && w->waiting[e->id]);
		w->waiting[e->id] = false;
		break;
	case COORDINATOR_LOST:
		MUST(child && child->timeout_s > 0);
		break;
	case COORDINATOR_UNKNOWN_POLL:
		MUST(!child || e->eui64 == 0); /* 0: it polled by its short address */
		break;
	case COORDINATOR_ENDED:
		MUST(!child || !child->removed);
		break;
	case COORDINATOR_SAVE:
		break;
	}
}

static void drain(struct world *w)
{
	struct coordinator_effect e;

	while (coordinator_output(w->c, &e))
		acted(w, &e);
}

static void children_are_apart(struct world *w)
{
	const struct child *a, *b;

	for (size_t i = 0; (a = coordinator_child_at(w->c, i)) != NULL; i++)
		for (size_t k = i + 1; (b = coordinator_child_at(w->c, k)) != NULL; k++)
			MUST(a->eui64 != b->eui64 && (a->short_address != b->short_address || a->short_address == MAC_BROADCAST));
}

static void received(struct world *w, struct rd frame)
{
	w->received = frame;
	coordinator_received(w->c, w->now, frame, 200, -50);
	drain(w);
}

static void made(struct world *w, struct mac_frame *f)
{
	uint8_t buffer[MAC_FRAME_MAX];
	struct wr out = wr_of(buffer, sizeof buffer);
	struct rd frame;

	if (mac_frame_encode(f, &out) == OK && wr_done(&out, &frame))
		received(w, frame);
}

static void command(struct world *w, uint8_t n, enum mac_command_id id, uint8_t capability, bool by_short)
{
	const struct child *child = coordinator_child(w->c, device(n));
	const struct mac_command m = {.id = id, .capability = capability};
	struct mac_frame f = {.type = MAC_COMMAND, .sequence = n, .destination = {MAC_ADDRESS_SHORT, PAN, 0, 0}, .source = {MAC_ADDRESS_EXTENDED, PAN, 0, device(n)}};
	uint8_t buffer[8];
	struct wr out = wr_of(buffer, sizeof buffer);

	if (by_short && child) {
		f.source.mode = MAC_ADDRESS_SHORT;
		f.source.short_address = child->short_address;
	}
	if (mac_command_encode(&m, &out) == OK && wr_done(&out, &f.payload))
		made(w, &f);
}

static void data(struct world *w, uint8_t n, uint8_t sequence, struct rd payload)
{
	const struct child *child = coordinator_child(w->c, device(n));
	const struct nwk_frame nwk = {.type = NWK_DATA, .protocol_version = 2, .source = child ? child->short_address : n, .radius = 1, .payload = payload};
	struct mac_frame f = {.type = MAC_DATA, .sequence = sequence, .destination = {MAC_ADDRESS_SHORT, PAN, 0, 0}, .source = {MAC_ADDRESS_SHORT, PAN, nwk.source, 0}};
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr out = wr_of(buffer, sizeof buffer);

	if (nwk_frame_encode(&nwk, &out) == OK && wr_done(&out, &f.payload))
		made(w, &f);
}

static void policy(struct world *w, uint8_t a, uint8_t b)
{
	uint64_t devices[DEVICES];
	uint16_t duration = b == 255 ? EGP_UNTIL_CHANGED : b;
	size_t count = 0;

	w->admitted = a;
	for (uint8_t n = 0; n < 8; n++)
		if (a >> n & 1)
			devices[count++] = device(n);
	w->open_until = duration == EGP_UNTIL_CHANGED ? CLOCK_NEVER : w->now + duration * 1000ULL;
	coordinator_policy(w->c, w->now, duration, devices, count);
}

static void send(struct world *w, uint8_t n, uint8_t validity, struct rd nwk)
{
	if (w->last_id + 1 == IDS)
		return;
	w->waiting[++w->last_id] = true;
	coordinator_send(w->c, w->now, device(n), w->last_id, n & 0x80 ? EGP_DOWNLINK_BROADCAST : 0, validity * 100U, nwk);
}

static void sent(struct world *w, uint8_t which, uint8_t how)
{
	size_t i = w->in_flight_count ? which % w->in_flight_count : 0;

	if (w->in_flight_count == 0 || how == 255) {
		coordinator_sent(w->c, w->now, which, true, false); /* a token that nobody waits for */
		return;
	}
	coordinator_sent(w->c, w->now, w->in_flight[i], how & 1, how & 2);
	w->in_flight[i] = w->in_flight[--w->in_flight_count];
}

static void passed(struct world *w, uint64_t ms)
{
	w->now += ms;
	coordinator_tick(w->c, w->now);
	drain(w);
	MUST(coordinator_deadline(w->c) > w->now);
}

static void radio_reset(struct world *w)
{
	w->short_count = w->extended_count = 0;
	coordinator_radio_ready(w->c);
}

static void step(struct world *w, uint8_t what, struct rd *in)
{
	uint8_t a = 0, b = 0, n = 0;
	struct rd octets = rd_of("", 0);

	(void)!rd_u8(in, &a);
	(void)!rd_u8(in, &b);
	switch (what % 12) {
	case 0:
		if (rd_sub(in, a, &octets))
			received(w, octets);
		break;
	case 1:
		command(w, a, MAC_ASSOCIATION_REQUEST, b, false);
		break;
	case 2:
		command(w, a, MAC_DATA_REQUEST, 0, b & 1);
		break;
	case 3:
		if (rd_u8(in, &n) && rd_sub(in, n, &octets))
			data(w, a, b, octets);
		break;
	case 4:
		policy(w, a, b);
		break;
	case 5:
		if (rd_u8(in, &n) && rd_sub(in, n, &octets))
			send(w, a, b, octets);
		break;
	case 6:
		sent(w, a, b);
		break;
	case 7:
		if (rd_u8(in, &n))
			coordinator_child_set(w->c, w->now, device(a), (uint16_t)(n << 8 | b), n, b);
		break;
	case 8:
		if (b & 1)
			coordinator_child_remove(w->c, w->now, device(a));
		else
			coordinator_child_drop(w->c, device(a));
		break;
	case 9:
		passed(w, (uint64_t)a * b);
		break;
	case 10:
		radio_reset(w);
		break;
	case 11:
		command(w, a, b & 1 ? MAC_ORPHAN : MAC_BEACON_REQUEST, 0, false);
		break;
	}
	drain(w);
}

/* Every frame has its end, and the radio is told to wait for nobody when nothing is left. */
static void end(struct world *w)
{
	while (w->in_flight_count > 0) {
		sent(w, 0, 0);
		drain(w);
	}
	passed(w, 1ULL << 33);
	while (w->in_flight_count > 0) {
		sent(w, 0, 0);
		drain(w);
		passed(w, 1ULL << 33);
	}
	for (uint32_t id = 1; id <= w->last_id; id++)
		MUST(!w->waiting[id]);
	MUST(w->short_count == 0 && w->extended_count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	static const struct coordinator_config config = {0x0200000000000001ULL, PAN, 0xf4ce368fce29a410ULL, 15};
	static struct world w;
	struct rd in = rd_of(octets, size);
	uint8_t what;

	if (size > 2 * FUZZ_INPUT_MAX)
		return 0;
	memset(&w, 0, sizeof w);
	w.rng = rng_seeded(1);
	w.now = 1000;
	w.c = coordinator_new(&config, &w.rng);
	MUST(w.c);
	while (rd_u8(&in, &what))
		step(&w, what, &in);
	children_are_apart(&w);
	end(&w);
	coordinator_free(w.c);
	return 0;
}
