/* A serial line with an attacker on it who has not the key: he sees every frame, and may keep it, drop it, say it again, to either side, changed or not, and
 * say things of his own. Whatever he does, a message arrives only where it was meant to, once, and behind those that were sent before it; but for a HELLO, which
 * waits for its session. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "egp/egp.h"
#include "egp/egp_seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEPT 64
#define SIDES 2

static void require(int b)
{
	if (!b)
		abort();
}

struct kept {
	uint8_t octets[EGP_MESSAGE_MAX + EGP_SEAL_OVERHEAD];
	size_t len;
};

struct wire {
	struct rng rng;
	struct egp_seal *side[SIDES];
	struct kept kept[KEPT];
	size_t count;
	uint32_t sent[SIDES], heard[SIDES]; /* numbers of messages: what a side sent last, and heard last */
	uint32_t hello;                     /* the last that was heard */
};

static const struct rd key = {(const uint8_t *)"sixteen octets and more", 23};

static void begin(struct wire *w, int side)
{
	egp_seal_free(w->side[side]);
	w->side[side] = egp_seal_new(side == 0 ? EGP_SEAL_GATEWAY : EGP_SEAL_EG, key, &w->rng);
	require(w->side[side] != NULL);
}

static void listen(struct wire *w, int side)
{
	struct rd frame;

	while (egp_seal_output(w->side[side], &frame)) {
		struct kept *k = &w->kept[w->count++ % KEPT];

		require(frame.left <= sizeof k->octets);
		k->len = frame.left;
		memcpy(k->octets, frame.at, frame.left);
	}
}

/* Which side it is from and its number are the transaction. */
static void send(struct wire *w, int side, int type)
{
	const struct egp_message m = {.type = type, .transaction = ++w->sent[side] << 1 | (uint32_t)side};
	uint8_t buffer[EGP_MESSAGE_MAX];
	struct wr out = wr_of(buffer, sizeof buffer);

	require(egp_encode(&m, &out) == OK);
	egp_seal_send(w->side[side], rd_of(buffer, out.len));
	listen(w, side);
}

static void deliver(struct wire *w, int side, struct rd frame)
{
	struct egp_message m;
	struct rd octets;

	if (egp_seal_receive(w->side[side], frame, &octets) == OK && octets.left > 0) {
		require(egp_decode(octets, &m) == OK);
		require((m.transaction & 1) == (uint32_t)!side);
		require(m.transaction >> 1 <= w->sent[!side]);
		if (m.type == EGP_HELLO) {
			require(side == 1 && m.transaction >> 1 > w->hello);
			w->hello = m.transaction >> 1;
		} else {
			require(m.transaction >> 1 > w->heard[side]);
			w->heard[side] = m.transaction >> 1;
		}
	}
	listen(w, side);
}

/* One octet says what happens, those behind it to what. */
static bool step(struct wire *w, struct rd *in)
{
	uint8_t what, which, place;
	struct kept k;

	if (!rd_u8(in, &what))
		return false;
	switch (what % 6) {
	case 0:
		send(w, 0, EGP_HELLO);
		return true;
	case 1:
		send(w, what >> 7, EGP_PING);
		return true;
	case 2:
		begin(w, what >> 7);
		return true;
	case 3: /* as it was */
	case 4: /* changed */
		if (!rd_u8(in, &which) || !rd_u8(in, &place) || w->count == 0)
			return false;
		k = w->kept[which % (w->count < KEPT ? w->count : KEPT)];
		if (what % 6 == 4 && k.len > 0)
			k.octets[place % k.len] ^= (uint8_t)(1U << (what >> 5));
		deliver(w, what >> 7, rd_of(k.octets, k.len));
		return true;
	default: /* his own */
		if (!rd_u8(in, &which))
			return false;
		deliver(w, what >> 7, rd_of(in->at, in->left < which ? in->left : which));
		return true;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire w;
	struct rd in = rd_of(data, size);

	memset(&w, 0, sizeof w);
	w.rng = rng_seeded(3);
	begin(&w, 0);
	begin(&w, 1);
	while (step(&w, &in))
		continue;
	for (int i = 0; i < SIDES; i++)
		egp_seal_free(w.side[i]);
	return 0;
}
