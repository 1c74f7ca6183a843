/* EST's messages: what is decoded from base64 is the same after encoding and decoding; attributes that are read can be written and read. */
#include <stdlib.h>
#include <string.h>

#include "est/est_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *ctx, struct rd certificate)
{
	++*(size_t *)ctx;
	if (certificate.left == 0)
		abort();
}

static void again(struct rd octets)
{
	struct wr text = wr_new(3 * octets.left + 16), back = wr_new(octets.left + 16);
	struct rd encoded, decoded;

	est_base64(&text, octets);
	if (!wr_done(&text, &encoded) || est_unbase64(encoded, &back) != OK || !wr_done(&back, &decoded) || !rd_equal(octets, decoded))
		abort();
	wr_free(&text);
	wr_free(&back);
}

static void attributes_again(const struct est_attributes *a)
{
	uint8_t buffer[160];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct est_attributes b;
	struct rd der;

	est_attributes(&w, a);
	if (!wr_done(&w, &der) || est_attributes_read(der, &b) != OK || b.challenge != a->challenge || b.name != a->name || b.secp256r1 != a->secp256r1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wr w = wr_new(65536);
	struct est_attributes a;
	struct rd octets;
	size_t n = 0;

	if (est_unbase64(rd_of(data, size), &w) == OK && wr_done(&w, &octets) && octets.left > 0)
		again(octets);
	wr_free(&w);
	if (est_attributes_read(rd_of(data, size), &a) == OK)
		attributes_again(&a);
	if (est_certificates_each(rd_of(data, size), ignore, &n) == OK && n == 0)
		abort();
	return 0;
}
