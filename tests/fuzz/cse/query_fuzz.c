/* A query's arguments, written again with every octet escaped, are read as the same arguments; reading always ends. */
#include "cse/private.h"
#include "../fuzz.h"

static void escaped(struct wr *w, struct rd text)
{
	uint8_t c;

	while (rd_u8(&text, &c))
		wr_fmt(w, "%%%02x", c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_arena *arena = json_arena_new();
	struct query q = {rd_of(data, size)}, again;
	struct wr w = wr_new(8 * FUZZ_INPUT_MAX);
	struct rd name, value, second_name, second_value, out;
	size_t arguments = 0, left = size;

	if (size <= FUZZ_INPUT_MAX) {
		while (query_next(arena, &q, &name, &value)) {
			MUST(q.text.left < left && name.left > 0 && name.left + value.left <= left);
			left = q.text.left;
			escaped(&w, name);
			wr_u8(&w, '=');
			escaped(&w, value);
			wr_u8(&w, '&');
			arguments++;
		}
		MUST(q.text.left == 0 && wr_done(&w, &out));
		q.text = rd_of(data, size);
		again.text = out;
		for (; arguments > 0; arguments--) {
			MUST(query_next(arena, &q, &name, &value) && query_next(arena, &again, &second_name, &second_value));
			MUST(rd_equal(name, second_name) && rd_equal(value, second_value));
		}
		MUST(!query_next(arena, &again, &name, &value));
	}
	wr_free(&w);
	json_arena_free(arena);
	return 0;
}
