/* A receiver of ESPrim under any octets: what was not sealed with the key is refused, whatever objects it brings, and costs no memory. And what is
 * read as a rand object is kept octet for octet. */
#include "../fuzz.h"

#include "e2e/esprim.h"

#define NOW UINT64_C(1800000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rng rng = rng_seeded(1);
	struct esprim_config config = {JOSE_MAY_EVERY_ENC, 3600000};
	struct esprim *r = esprim_new(&config, &rng);
	struct secret *s = secret_random(&rng, 32);
	struct esprim_key key = {s, "/id-in/Ca"};
	struct esprim_session session;
	struct wr inner = wr_new(65536);
	struct rand_object o;
	struct rd object;

	MUST(r && s);
	MUST(esprim_shared(r, NOW, &object) == OK);
	MUST(esprim_open(r, NOW, rd_of(data, size), &key, &session, &inner) != RSC_OK);
	MUST(inner.len == 0 && !session.key && esprim_counts(r).sessions == 0);
	for (int receivers = 0; receivers < 2; receivers++)
		if (rand_object_parse(&o, rd_of(data, size), receivers, NOW) == OK)
			MUST(rd_equal(rand_object_text(&o), rd_of(data, size)) && o.id[0]);
	wr_free(&inner);
	secret_free(s);
	esprim_free(r);
	return 0;
}
