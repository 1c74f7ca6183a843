/* What the fuzz targets of this folder share: JSON there and back is the same. */
#ifndef KEYWAY_TESTS_ROUND_TRIP_H
#define KEYWAY_TESTS_ROUND_TRIP_H

#include "../fuzz.h"
#include "json/json.h"
#include "serialization/serialization.h"

#define ROUND_TRIP_LIMIT ((size_t)1 << 22)

static inline void must_be_same(struct rd a, struct rd b)
{
	struct json_arena *arena = json_arena_new();
	const struct json *x, *y;

	MUST(json_parse(arena, a, NULL, &x) == OK && json_parse(arena, b, NULL, &y) == OK && json_equal(x, y));
	json_arena_free(arena);
}

/* What a serialisation cannot write (a number beyond it, no root or two) it says; what it writes it reads as the same again. */
static inline void must_survive(enum serialization s, struct rd json)
{
	struct wr out = wr_new(ROUND_TRIP_LIMIT), again = wr_new(ROUND_TRIP_LIMIT);
	char why[SERIALIZATION_WHY_SIZE];
	enum err e = serialization_from_json(s, json, &out);
	struct rd octets, text;

	MUST(e == OK || e == ERR_BAD_VALUE);
	if (e == OK) {
		MUST(wr_done(&out, &octets) && serialization_to_json(s, octets, &again, why, sizeof why) == OK && wr_done(&again, &text));
		must_be_same(json, text);
	}
	wr_free(&out);
	wr_free(&again);
}

/* Octets of a serialisation: refused with a sentence, or JSON that survives every serialisation. */
static inline void must_read_or_refuse(enum serialization s, struct rd octets)
{
	struct wr json = wr_new(ROUND_TRIP_LIMIT);
	char why[SERIALIZATION_WHY_SIZE] = "";
	enum err e = serialization_to_json(s, octets, &json, why, sizeof why);
	struct rd text;

	if (e == OK) {
		MUST(wr_done(&json, &text));
		must_survive(SERIALIZATION_CBOR, text);
		must_survive(SERIALIZATION_XML, text);
	} else {
		MUST(why[0] != '\0');
	}
	wr_free(&json);
}

#endif
