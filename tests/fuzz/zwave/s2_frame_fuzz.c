/* What decodes encodes to the same octets, and a sealed message that nobody sealed does not open. */
#include "../fuzz.h"
#include "zwave/security/s2_frame.h"
#include "zwave/security/s2_message.h"

#include <string.h>

static void opens_nothing(struct rd message)
{
	static struct s2_keys keys;
	struct rng rng = rng_seeded(3);
	struct s2_link link = {1, 2, 3};
	uint8_t plain[S2_FRAME_MAX];
	struct wr w = wr_of(plain, sizeof plain);
	struct s2_span span;

	if (!keys.ccm) {
		struct secret *key = secret_random(&rng, SECRET_AES128);

		MUST(s2_keys_network(key, &keys) == OK);
		secret_free(key);
	}
	s2_span_begin(&span, &rng);
	s2_span_local(&span, &rng);
	MUST(s2_message_open(&span, &keys, &link, message, &w) != OK && w.len == 0 && span.state == S2_LOCAL);
	s2_span_free(&span);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t octets[S2_FRAME_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	struct s2_frame f;

	if (size > FUZZ_INPUT_MAX)
		return 0;
	opens_nothing(rd_of(data, size));
	if (s2_frame_decode(rd_of(data, size), &f) != OK)
		return 0;
	/* Bits that must be ignored are not kept; all others are. */
	s2_frame_encode(&f, &w);
	MUST(w.len == size && memcmp(octets, data, size) == 0);
	s2_frame_free(&f);
	return 0;
}
