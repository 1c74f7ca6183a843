/* Whatever is read as a JOSE object: nothing opens or verifies under keys that the text's maker does not have, in no kind of part. */
#include "../fuzz.h"

#include "jose/jose.h"

static struct jose_key *keys[3];
static struct rng rng;

static void prepare(void)
{
	static const size_t sizes[] = {16, 32, 64};

	rng = rng_seeded(1);
	for (size_t i = 0; i < 3; i++) {
		struct secret *s = secret_random(&rng, sizes[i]);

		keys[i] = jose_key_secret(s);
		secret_free(s);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct jose_allowed everything = {UINT32_MAX, UINT32_MAX};
	struct wr plain = wr_new(1 << 16);
	struct jose *j = NULL;
	struct rd payload;

	if (!keys[0])
		prepare();
	if (jose_parse(rd_of(data, size), &j) == OK) {
		MUST(jose_parts(j) >= 1 && jose_parts(j) <= JOSE_PARTS_MAX);
		for (size_t part = 0; part < jose_parts(j); part++)
			for (size_t i = 0; i < 3; i++)
				MUST((jose_is_encrypted(j) ? jose_open(j, part, keys[i], &everything, &rng, &plain)
				                           : jose_verify(j, part, keys[i], &everything, &payload)) != OK);
		MUST(plain.len == 0);
	}
	jose_free(j);
	wr_free(&plain);
	return 0;
}
