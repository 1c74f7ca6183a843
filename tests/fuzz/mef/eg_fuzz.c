/* Any list of messages, times and answers: no EG-RESPONSE without a HELLO in the gateway's own name, and none for a device that was not
 * admitted at some time in this session; every message that leaves decodes. */
#include <stdint.h>
#include <stdlib.h>

#include "eg/eg.h"

#define GATEWAY 0x0200000000000001ULL
#define DEVICES 4 /* EUI-64s 1 and 2 are registered here, 3 elsewhere, 4 nowhere */

struct world {
	struct eg *eg;
	struct eg_gateway *gateway;
	uint64_t now;
	bool greeted;            /* by a HELLO in the right name since the last connect */
	bool asked[DEVICES + 1]; /* the core wanted this device prepared */
	bool permitted[DEVICES + 1];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lookup(void *ctx, uint64_t device, struct eg_admission *a)
{
	(void)ctx;
	a->known = device <= 3;
	a->gateway = device <= 2 ? GATEWAY : GATEWAY + 1;
	a->may_rejoin = device == 2;
	return device >= 1 && device <= 3;
}

static void require(bool b)
{
	if (!b)
		abort();
}

static void prepared(struct world *w, const struct egp_message *m)
{
	uint64_t device = m->request.device;

	require(w->greeted && m->request.gateway == GATEWAY && (device == 1 || device == 2));
	require(w->permitted[device] || (m->request.kind == EGP_JOIN_UNSECURED_REJOIN && device == 2));
	w->asked[device] = true;
}

static void sent(const struct world *w, struct rd octets)
{
	struct egp_message m;

	require(egp_decode(octets, &m) == OK);
	if (m.type == EGP_RESPONSE)
		require(w->greeted && m.response.device <= DEVICES && w->asked[m.response.device]);
	if (m.type == EGP_JOIN_POLICY || m.type == EGP_HELLO_ACK || m.type == EGP_PONG)
		require(w->greeted);
}

static void drain(struct world *w)
{
	struct eg_effect e;

	while (eg_output(w->eg, &e)) {
		if (e.type == EG_SEND)
			sent(w, e.octets);
		else if (e.type == EG_PREPARE)
			prepared(w, &e.message);
	}
}

static void message(struct world *w, struct rd octets)
{
	struct egp_message m;

	if (egp_decode(octets, &m) == OK && m.type == EGP_HELLO)
		w->greeted = m.hello.gateway == GATEWAY && m.hello.highest_version >= EGP_VERSION;
	eg_input(w->gateway, w->now, 1, octets);
}

static void send_made(struct world *w, struct rd *in, enum egp_type type)
{
	uint8_t a = 0, b = 0, buffer[EGP_MESSAGE_MAX];
	struct egp_message m = {.type = type};
	struct wr out = wr_of(buffer, sizeof buffer);
	struct rd octets;

	(void)!rd_u8(in, &a);
	(void)!rd_u8(in, &b);
	m.transaction = b & 3;
	if (type == EGP_HELLO) {
		m.hello.gateway = GATEWAY + (a & 1);
		m.hello.highest_version = (a >> 1) & 1;
		m.hello.channel = 11;
		m.hello.epoch = b;
	} else if (type == EGP_REQUEST) {
		m.request.gateway = GATEWAY + (a >> 7);
		m.request.device = a % DEVICES + 1;
		m.request.device_short = b >> 2;
		m.request.channel = 11;
		m.request.kind = a & 0x40 ? EGP_JOIN_UNSECURED_REJOIN : EGP_JOIN_ASSOCIATION;
	}
	if (egp_encode(&m, &out) == OK && wr_done(&out, &octets))
		message(w, octets);
}

static void step(struct world *w, uint8_t what, struct rd *in)
{
	uint8_t n = 0;
	struct rd octets;

	(void)!rd_u8(in, &n);
	switch (what % 9) {
	case 0:
		send_made(w, in, EGP_HELLO);
		break;
	case 1:
		send_made(w, in, EGP_REQUEST);
		break;
	case 2:
		if (rd_sub(in, n, &octets))
			message(w, octets);
		break;
	case 3: {
		uint64_t device = n % DEVICES + 1;

		require(eg_permit(w->gateway, w->now, n >> 4, &device, 1) == OK);
		w->permitted[device] |= (n >> 4) > 0;
		break;
	}
	case 4:
		(void)eg_answer(w->gateway, w->now, n % DEVICES + 1, rd_of("packet", 6), "/id-b", "");
		break;
	case 5:
		(void)eg_refuse(w->gateway, n % DEVICES + 1, EGP_ERROR_NOT_PERMITTED, 1, NULL);
		break;
	case 6:
		w->now += n * 100ULL;
		eg_tick(w->eg, w->now);
		break;
	case 7:
		drain(w);
		if (n & 1) {
			eg_disconnect(w->gateway);
		} else {
			eg_connect(w->gateway);
		}
		w->greeted = false;
		break;
	case 8:
		require(eg_remove(w->gateway, w->now, n % DEVICES + 1) == OK);
		break;
	}
	drain(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct eg_config c = {5, 10, lookup, NULL};
	struct world w = {.eg = eg_new(&c), .now = 1000000};
	struct rd in = rd_of(data, size);
	uint8_t what;

	w.gateway = eg_gateway_add(w.eg, GATEWAY);
	eg_connect(w.gateway);
	while (rd_u8(&in, &what))
		step(&w, what, &in);
	eg_free(w.eg);
	return 0;
}
