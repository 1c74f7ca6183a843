/* What decodes encodes again to the same octets. */
#include <string.h>

#include "coap/coap_message.h"
#include "../fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[FUZZ_INPUT_MAX];
	struct wr w = wr_of(again, sizeof again);
	struct coap_message m;
	struct coap_block b;

	if (size > FUZZ_INPUT_MAX || coap_message_decode(rd_of(data, size), &m) != OK)
		return 0;
	MUST(coap_message_encode(&m, &w) == OK && w.len == size && memcmp(again, data, size) == 0);
	for (size_t i = 0; i < m.option_count; i++)
		if (coap_block_parse(m.options[i].value, &b))
			MUST(b.szx <= COAP_SZX_MAX && b.number < 1 << 20);
	return 0;
}
