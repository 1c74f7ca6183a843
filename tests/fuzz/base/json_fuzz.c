/* What parses is written again as text that parses to an equal value. */
#include <stdint.h>
#include <stdlib.h>

#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc, *again;

	if (a && json_parse(a, rd_of(data, size), NULL, &doc) == OK) {
		struct wr w = wr_new(1 << 20);
		struct json_out o = json_out(&w);
		struct rd text;

		json_put(&o, NULL, doc);
		if (!wr_done(&w, &text) || json_parse(a, text, NULL, &again) != OK)
			abort();
		if (size < 200 && !json_equal(doc, again)) {
			/* a number too long for a double equals itself by its text */
			abort();
		}
		wr_free(&w);
	}
	json_arena_free(a);
	return 0;
}
