/* A sealed request and its answer on a way where everything may be changed: the receiver opens the genuine one, once, and no other; the originator takes
 * no answer but the genuine one, and none that is sealed for somebody else. */
#include "../edits.h"

#include <string.h>

#include "e2e/esprim.h"

#define NOW UINT64_C(1800000000000)
#define KID "00112233445566778899AABBCCDDEEFF@maf.keyway.example"
#define REQUEST "{\"op\":2,\"to\":\"/id-in/cse-in/a\",\"fr\":\"/id-mn/Cmeter\",\"rqi\":\"1\"}"
#define ANSWER "{\"rsc\":2000,\"rqi\":\"1\"}"

struct both {
	struct rng rng;
	struct secret *pairwise;
	struct esprim *r;
	struct esprim_originator o;
	struct esprim_session mine, its;
};

static void begin(struct both *b)
{
	static const struct esprim_config config = {JOSE_MAY_EVERY_ENC, 3600000};
	struct rd object;

	*b = (struct both){.rng = rng_seeded(1)};
	b->pairwise = secret_random(&b->rng, 32);
	b->r = esprim_new(&config, &b->rng);
	MUST(b->pairwise && b->r && esprim_originator_init(&b->o, b->pairwise, KID, JOSE_MAY_EVERY_ENC, 1800000) == OK);
	MUST(esprim_shared(b->r, NOW, &object) == OK && esprim_originator_take(&b->o, object, NOW) == OK);
}

static void end(struct both *b)
{
	esprim_session_clear(&b->mine);
	esprim_session_clear(&b->its);
	esprim_originator_clear(&b->o);
	esprim_free(b->r);
	secret_free(b->pairwise);
}

static enum onem2m_rsc receive(struct both *b, struct rd text)
{
	const struct esprim_key key = {b->pairwise, "/id-mn/Cmeter"};
	struct esprim_session s = {0};
	struct wr inner = wr_new(65536);
	enum onem2m_rsc rsc = esprim_open(b->r, NOW, text, &key, &s, &inner);

	MUST((rsc == RSC_OK) == (s.key != NULL) && (rsc == RSC_OK || inner.len == 0));
	if (rsc == RSC_OK) {
		MUST(inner.len == strlen(REQUEST) && memcmp(inner.octets, REQUEST, inner.len) == 0);
		esprim_session_clear(&b->its);
		b->its = s;
	}
	wr_free(&inner);
	return rsc;
}

/* A copy with edits; false: it is the same. */
static bool edited(const struct wr *genuine, struct rd edits, struct wr *copy)
{
	wr_copy(copy, genuine->octets, genuine->len);
	return edits_apply(edits, copy->octets, copy->len);
}

static void request(struct both *b, struct rd edits)
{
	struct wr genuine = wr_new(65536), copy = wr_new(65536);
	struct rd text, other;

	MUST(esprim_seal_request(&b->o, NOW, rd_str(REQUEST), &b->rng, &genuine, &b->mine) == OK && wr_done(&genuine, &text));
	if (edited(&genuine, edits, &copy) && wr_done(&copy, &other))
		MUST(receive(b, other) != RSC_OK);
	/* what was tried before takes nothing away from the genuine one */
	MUST(receive(b, text) == RSC_OK);
	MUST(receive(b, text) == RSC_ESPRIM_BAD_MAC);
	wr_free(&genuine);
	wr_free(&copy);
}

static enum err take(struct both *b, struct rd text)
{
	struct wr inner = wr_new(65536);
	enum err e = esprim_open_response(&b->o, &b->mine, NOW, text, &b->rng, &inner);

	MUST(e == OK ? inner.len == strlen(ANSWER) && memcmp(inner.octets, ANSWER, inner.len) == 0 : inner.len == 0);
	wr_free(&inner);
	return e;
}

static void answer(struct both *b, struct rd edits, struct rd raw)
{
	struct wr genuine = wr_new(65536), copy = wr_new(65536);
	struct rd text, other, object;

	MUST(esprim_shared(b->r, NOW, &object) == OK);
	MUST(esprim_seal(&b->its, rd_str(ANSWER), object, &b->rng, &genuine) == OK && wr_done(&genuine, &text));
	MUST(take(b, raw) != OK);
	if (edited(&genuine, edits, &copy) && wr_done(&copy, &other))
		MUST(take(b, other) != OK && !b->o.confirmed);
	MUST(take(b, text) == OK && b->o.confirmed);
	wr_free(&genuine);
	wr_free(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct both b;
	struct rd in = rd_of(data, size);

	begin(&b);
	request(&b, in);
	answer(&b, in, in);
	end(&b);
	return 0;
}
