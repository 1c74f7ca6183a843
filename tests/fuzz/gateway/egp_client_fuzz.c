/* Any list of messages, losses and times: what the client writes decodes; before the Enrolment Gateway has answered HELLO it writes nothing else;
 * a packet is passed on only for a device that was asked for, and once; policies and removals are acknowledged; no answer of the client is lost;
 * and no time-out lies in the past. */
#include <string.h>

#include "gateway/egp_client.h"
#include "../fuzz.h"

#define GATEWAY 0x0200000000000001ULL
#define DEVICES 80 /* more than the client asks for at a time */

struct world {
	struct egp_client *c;
	struct rng rng;
	uint64_t now;
	bool connected, up, went_up, closing;
	bool wanted[DEVICES];    /* asked for, and no packet has come */
	uint32_t asked[DEVICES]; /* the transaction that was written last; 0 none */
	unsigned acks, policies, removals, packets;
};

static uint64_t device(uint8_t n)
{
	return 0x00124b0000000000ULL + n % DEVICES;
}

static void written(struct world *w, const struct egp_client_effect *e)
{
	struct egp_message m;

	MUST(w->connected && egp_decode(rd_of(e->octets, e->len), &m) == OK);
	MUST(w->up || m.type == EGP_HELLO);
	if (m.type == EGP_REQUEST) {
		MUST(m.request.gateway == GATEWAY && m.request.device >= device(0) && m.request.device < device(0) + DEVICES);
		w->asked[m.request.device - device(0)] = m.transaction;
	}
	w->acks += m.type == EGP_ACK;
}

static void acted(struct world *w, const struct egp_client_effect *e)
{
	uint64_t n;

	switch (e->type) {
	case EGP_CLIENT_WRITE:
		written(w, e);
		break;
	case EGP_CLIENT_UP:
		MUST(w->connected);
		w->up = w->went_up = true;
		break;
	case EGP_CLIENT_POLICY:
		MUST(w->up && e->message.type == EGP_JOIN_POLICY && e->message.join_policy.count <= EGP_POLICY_DEVICES_MAX);
		w->policies++;
		break;
	case EGP_CLIENT_PACKET:
		n = e->message.response.device - device(0);
		MUST(w->up && e->message.type == EGP_RESPONSE && n < DEVICES && w->wanted[n]);
		w->wanted[n] = false;
		w->asked[n] = 0;
		w->packets++;
		break;
	case EGP_CLIENT_REFUSED:
		MUST(e->message.type == EGP_ERROR);
		break;
	case EGP_CLIENT_REMOVE:
		MUST(w->up && e->message.type == EGP_DEVICE_REMOVE);
		w->removals++;
		break;
	case EGP_CLIENT_CLOSE:
		w->closing = true;
		break;
	}
}

static void drain(struct world *w)
{
	static struct egp_client_effect e;

	while (egp_client_output(w->c, &e))
		acted(w, &e);
	if (w->closing) {
		egp_client_disconnected(w->c);
		w->connected = w->up = w->closing = false;
	}
}

static void message(struct world *w, struct rd octets)
{
	struct egp_message m;
	bool was_up = w->up, good = egp_decode(octets, &m) == OK;

	if (!w->connected)
		return; /* there is nobody to say it */
	w->went_up = false;
	w->acks = w->policies = w->removals = w->packets = 0;
	egp_client_message(w->c, w->now, octets);
	drain(w);
	MUST(good == w->connected);
	if (!good)
		return;
	MUST(w->went_up == (m.type == EGP_HELLO_ACK));
	MUST(w->policies == (was_up && m.type == EGP_JOIN_POLICY) && w->removals == (was_up && m.type == EGP_DEVICE_REMOVE) && w->packets <= 1);
	MUST(w->acks == w->policies + w->removals);
}

static void made(struct world *w, enum egp_type type, uint8_t a, uint8_t b)
{
	uint64_t d = device(a), devices[1] = {d};
	struct egp_message m = {.type = type, .transaction = w->asked[a % DEVICES] ? w->asked[a % DEVICES] : b};
	uint8_t buffer[EGP_MESSAGE_MAX];
	struct wr out = wr_of(buffer, sizeof buffer);
	struct rd octets;

	if (type == EGP_JOIN_POLICY) {
		m.join_policy.duration_s = b;
		m.join_policy.count = 1;
		memcpy(m.join_policy.devices, devices, sizeof devices);
	} else if (type == EGP_RESPONSE) {
		m.response.device = d;
		m.response.packet = rd_of("packet", 6);
		m.owner = rd_str("/id-b");
	} else if (type == EGP_ERROR) {
		m.error.device = d;
		m.error.code = (enum egp_error_code)(b % 8 + 1);
		m.error.retry_after_s = b;
	} else if (type == EGP_DEVICE_REMOVE) {
		m.remove.device = d;
	} else if (type == EGP_HELLO_ACK) {
		m.hello_ack.version = EGP_VERSION;
	}
	if (egp_encode(&m, &out) == OK && wr_done(&out, &octets))
		message(w, octets);
}

static void passed(struct world *w, uint64_t ms)
{
	w->now += ms;
	egp_client_tick(w->c, w->now);
	drain(w);
	MUST(egp_client_deadline(w->c) > w->now);
}

static void step(struct world *w, uint8_t what, struct rd *in)
{
	static const enum egp_type types[] = {EGP_HELLO_ACK, EGP_JOIN_POLICY, EGP_RESPONSE, EGP_ERROR, EGP_DEVICE_REMOVE, EGP_PING, EGP_PONG};
	uint8_t a = 0, b = 0;
	struct rd octets;

	(void)!rd_u8(in, &a);
	(void)!rd_u8(in, &b);
	switch (what % 6) {
	case 0:
		if (rd_sub(in, a, &octets))
			message(w, octets);
		break;
	case 1:
		made(w, types[what / 6 % (sizeof types / sizeof types[0])], a, b);
		break;
	case 2:
		w->wanted[a % DEVICES] = true;
		egp_client_request(w->c, w->now, device(a), b, b, b & 1 ? EGP_JOIN_UNSECURED_REJOIN : EGP_JOIN_ASSOCIATION);
		break;
	case 3:
		passed(w, (uint64_t)a * b);
		break;
	case 4:
		if (!w->connected) {
			w->connected = true;
			egp_client_connected(w->c, w->now);
		}
		break;
	case 5:
		if (w->connected) {
			w->connected = w->up = false;
			egp_client_disconnected(w->c);
		}
		break;
	}
	drain(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	static const struct egp_client_config config = {GATEWAY, 0x1a62, 0xf4ce368fce29a410ULL, 15, 7};
	static struct world w;
	struct rd in = rd_of(octets, size);
	uint8_t what;

	if (size > FUZZ_INPUT_MAX)
		return 0;
	memset(&w, 0, sizeof w);
	w.rng = rng_seeded(1);
	w.now = 1000;
	w.c = egp_client_new(&config, &w.rng);
	MUST(w.c);
	while (rd_u8(&in, &what))
		step(&w, what, &in);
	egp_client_free(w.c);
	return 0;
}
