/* Tokens: no octets are one but what a key of ours signed or sealed, and of a genuine token that was changed nothing remains, or its own claims. */
#include "../edits.h"

#include <string.h>

#include "jose/jwt.h"

#define CLAIMS "{\"iss\":\"das\",\"jti\":\"1\",\"tkps\":[]}"

static struct rng rng;
static struct jose_key *signing, *sealing;

static void prepare(void)
{
	struct secret *a, *b;

	rng = rng_seeded(1);
	a = secret_random(&rng, 32);
	b = secret_random(&rng, 32);
	signing = jose_key_secret(a);
	sealing = jose_key_secret(b);
	secret_free(a);
	secret_free(b);
	MUST(signing && sealing);
}

/* Any kid is one of ours. */
static const struct jose_key *find(void *ctx, const struct jose_header *h, bool encrypted)
{
	(void)ctx;
	(void)h;
	return encrypted ? sealing : signing;
}

static enum err open(struct rd text)
{
	const struct jwt_policy policy = {.allowed = {UINT32_MAX, UINT32_MAX}, .find = find, .rng = &rng};
	struct jwt t = {0};
	enum err e = jwt_open(text, &policy, &t);
	struct rd claims;

	if (e == OK) {
		MUST((t.is_signed || t.is_encrypted) && t.claims->type == JSON_OBJECT);
		claims = t.claims->source;
		MUST(rd_is(claims, CLAIMS));
		jwt_clear(&t);
	}
	return e;
}

static enum err sign(struct wr *out)
{
	const struct jose_party party = {JOSE_HS256, rd_str("das"), signing};
	const struct jose_making how = {.form = JOSE_COMPACT, .parties = &party, .count = 1};

	return jose_sign(&how, rd_str(CLAIMS), out);
}

static enum err seal(struct rd plain, const char *cty, struct wr *out)
{
	const struct jose_party party = {JOSE_DIR, rd_str("das"), sealing};
	const struct jose_making how = {.form = JOSE_COMPACT, .enc = JOSE_A256GCM, .parties = &party, .count = 1, .cty = cty};

	return jose_encrypt(&how, plain, &rng, out);
}

static void edited(uint8_t kind, struct rd edits)
{
	struct wr inner = wr_new(4096), token = wr_new(8192);
	struct rd text;
	bool changed;

	if (kind == 0) {
		MUST(sign(&token) == OK);
	} else if (kind == 1) {
		MUST(seal(rd_str(CLAIMS), NULL, &token) == OK);
	} else {
		MUST(sign(&inner) == OK && wr_done(&inner, &text) && seal(text, "JWT", &token) == OK);
	}
	changed = edits_apply(edits, token.octets, token.len);
	MUST(wr_done(&token, &text));
	MUST((open(text) == OK) == !changed);
	wr_free(&inner);
	wr_free(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_of(data, size);
	uint8_t kind;

	if (!signing)
		prepare();
	MUST(open(in) != OK);
	if (rd_u8(&in, &kind))
		edited(kind % 3, in);
	return 0;
}
