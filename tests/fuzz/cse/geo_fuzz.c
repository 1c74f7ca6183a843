/* Any coordinates as two geometries: what is read can be related, and `within` is `contains` seen from the other side. Input: the two types, and the two
 * texts with a line end between. */
#include "cse/geo.h"
#include "../fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_arena *arena = json_arena_new();
	struct rd in = rd_of(data, size), text;
	const struct geo *a, *b;
	uint8_t types;

	if (size <= FUZZ_INPUT_MAX && rd_u8(&in, &types) && rd_line(&in, &text)) {
		a = geo_parse(arena, (enum geo_type)(types % 6 + 1), text);
		b = geo_parse(arena, (enum geo_type)(types / 6 % 6 + 1), in);
		if (a && b) {
			MUST(geo_relate(a, GEO_WITHIN, b) == geo_relate(b, GEO_CONTAINS, a));
			MUST(geo_relate(b, GEO_WITHIN, a) == geo_relate(a, GEO_CONTAINS, b));
			(void)geo_relate(a, GEO_INTERSECTS, b);
		}
	}
	json_arena_free(arena);
	return 0;
}
