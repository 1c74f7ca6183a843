/* Any frames, sealed rightly or not, in any order: a frame counter leaves once, the Trust Centre answers nothing that was replayed, it never
 * says success to a hash of another key, and the fresh key stays the same until it is verified. Steps: a kind, then what it needs. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "eg/trust_centre.h"
#include "keys/secret_octets.h"
#include "zigbee/security/link_key.h"

#define DEVICE 0x00124b0000000001ULL
#define COORDINATOR 0x0200000000000001ULL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t taken;

static void require(bool b)
{
	if (!b)
		abort();
}

static enum err take(void *ctx, uint32_t *number)
{
	(void)ctx;
	*number = taken++;
	return taken % 61 == 0 ? ERR_STORE : OK;
}

/* What left must be sealed with a number that was just taken. */
static void check_answer(struct rd answer, uint32_t before)
{
	struct aux_header aux;
	struct aps_frame f;

	require(aps_frame_decode(answer, &f) == OK && f.security);
	require(aux_header_decode(&f.payload, &aux));
	require(aux.frame_counter == before && taken == before + 1 && aux.source == COORDINATOR);
}

static bool feed(struct trust_centre *tc, struct rng *rng, struct rd frame, struct trust_result *result)
{
	const struct trust_counter counter = {take, NULL};
	uint8_t buffer[128];
	struct wr w = wr_of(buffer, sizeof buffer);
	uint32_t before = taken;
	enum err e = trust_centre_input(tc, frame, 1, &counter, rng, &w, result);
	struct rd answer;

	if (e != OK)
		return false;
	require((result->outcome == TRUST_ANSWER) == (w.len > 0));
	require((result->outcome == TRUST_IGNORED) <= (result->reason != NULL));
	if (result->outcome == TRUST_ANSWER && wr_done(&w, &answer))
		check_answer(answer, before);
	else
		require(taken == before);
	return true;
}

/* Sealed by the device under one of the keys it may have, with any command octets. */
static bool sealed(struct trust_centre *tc, struct rng *rng, struct rd *in, bool fresh)
{
	const struct link_key_set *key = fresh && tc->fresh.link ? &tc->fresh : &tc->base;
	struct aps_frame f = {.type = APS_COMMAND, .counter = 3};
	struct counter_in before = key == &tc->base ? tc->in_base : tc->in_fresh;
	struct trust_result result;
	uint8_t counter, len, buffer[128];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd frame;

	if (!rd_u8(in, &counter) || !rd_u8(in, &len) || !rd_sub(in, len % 32, &f.payload) ||
	    aps_seal(key->link, AUX_KEY_DATA, 0, counter & 1, DEVICE, counter, &f, &w) != OK || !wr_done(&w, &frame))
		return true;
	if (!feed(tc, rng, frame, &result))
		return false;
	if (before.any && counter <= before.last)
		require(result.outcome == TRUST_IGNORED);
	return true;
}

static bool verify(struct trust_centre *tc, struct rng *rng, struct rd *in)
{
	struct aps_command c = {.id = APS_VERIFY_KEY, .verify_key = {.type = APS_KEY_TC_LINK, .source = DEVICE}};
	uint8_t right = 0, plain[64], buffer[128];
	struct wr p = wr_of(plain, sizeof plain), w = wr_of(buffer, sizeof buffer);
	struct aps_frame f = {.type = APS_COMMAND};
	enum trust_state before = tc->state;
	struct trust_result result;
	struct rd frame;

	(void)!rd_u8(in, &right);
	right &= tc->fresh.link != NULL;
	if (right)
		link_key_verify_hash(tc->fresh.link, c.verify_key.hash);
	else
		(void)!rd_copy(in, c.verify_key.hash, sizeof c.verify_key.hash);
	if (aps_command_encode(&c, &p) != OK || !wr_done(&p, &f.payload) || aps_frame_encode(&f, &w) != OK || !wr_done(&w, &frame))
		return true;
	if (!feed(tc, rng, frame, &result))
		return false;
	require(right ? tc->state == TRUST_VERIFIED : tc->state == before && !result.verified_now);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trust_centre tc = {.device = DEVICE, .coordinator = COORDINATOR};
	struct rng rng = rng_seeded(1);
	struct rd in = rd_of(data, size), frame;
	struct trust_result result;
	uint8_t what, len;
	bool go = link_key_set_take(&tc.base, secret_random(&rng, SECRET_AES128)) == OK;

	taken = 0;
	while (go && rd_u8(&in, &what)) {
		struct secret *fresh = tc.fresh.link ? secret_dup(tc.fresh.link) : NULL;

		if (what % 4 == 0)
			go = sealed(&tc, &rng, &in, false);
		else if (what % 4 == 1)
			go = sealed(&tc, &rng, &in, true);
		else if (what % 4 == 2)
			go = verify(&tc, &rng, &in);
		else if (rd_u8(&in, &len) && rd_sub(&in, len, &frame))
			go = feed(&tc, &rng, frame, &result);
		/* It was replaced only by becoming the base. */
		if (fresh)
			require((tc.fresh.link && secret_equal(tc.fresh.link, fresh)) || secret_equal(tc.base.link, fresh));
		secret_free(fresh);
	}
	trust_centre_clear(&tc);
	return 0;
}
