/* Whatever is JSON survives CBOR, and XML when it has one root that XML can name. */
#include "round_trip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc;

	if (a && size <= FUZZ_INPUT_MAX && json_parse(a, rd_of(data, size), NULL, &doc) == OK) {
		must_survive(SERIALIZATION_CBOR, rd_of(data, size));
		must_survive(SERIALIZATION_XML, rd_of(data, size));
	}
	json_arena_free(a);
	return 0;
}
