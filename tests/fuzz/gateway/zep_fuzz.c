/* A ZEP datagram that decodes encodes to the same octets, its reserved ones cleared. */
#include <string.h>

#include "zep/zep.h"
#include "../fuzz.h"

#define RESERVED_AT 21
#define RESERVED_SIZE 10

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t buffer[ZEP_DATAGRAM_MAX], clean[ZEP_DATAGRAM_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct zep z;
	struct rd out;

	if (zep_decode(rd_of(data, size), &z) != OK)
		return 0;
	MUST(size <= sizeof clean);
	memcpy(clean, data, size);
	memset(clean + RESERVED_AT, 0, RESERVED_SIZE);
	MUST(zep_encode(&z, &w) == OK && wr_done(&w, &out) && rd_equal(out, rd_of(clean, size)));
	return 0;
}
