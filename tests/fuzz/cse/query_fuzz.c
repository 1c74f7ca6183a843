/* Filter criteria: a query is read, or refused with a sentence; what is read lies within the limits; reading it twice gives the same. */
#include "cse/private.h"
#include "../fuzz.h"

static void check(const struct filter *f)
{
	MUST(f->label_count <= FILTER_LIST_MAX && f->type_count <= FILTER_LIST_MAX && f->attribute_count <= FILTER_LIST_MAX && f->attribute_list_count <= FILTER_LIST_MAX);
	MUST(f->operation >= 1 && f->operation <= 3 && f->usage <= FILTER_IPE_ON_DEMAND);
	for (size_t i = 0; i < f->type_count; i++)
		MUST(f->types[i] > 0);
	for (size_t i = 0; i < f->attribute_count; i++)
		MUST(f->attributes[i].custom || schema_is_attribute_name(f->attributes[i].name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_arena *arena = json_arena_new();
	struct filter first, second;
	char why[256] = "", again[256] = "";
	enum err e;

	if (size <= FUZZ_INPUT_MAX) {
		e = filter_parse(&first, arena, rd_of(data, size), why, sizeof why);
		MUST(filter_parse(&second, arena, rd_of(data, size), again, sizeof again) == e);
		if (e == OK) {
			check(&first);
			MUST(first.conditions == second.conditions && first.limit == second.limit && first.label_count == second.label_count);
			for (size_t i = 0; i < first.label_count; i++)
				MUST(rd_equal(first.labels[i], second.labels[i]));
		} else {
			MUST(why[0] != '\0');
		}
	}
	json_arena_free(arena);
	return 0;
}
