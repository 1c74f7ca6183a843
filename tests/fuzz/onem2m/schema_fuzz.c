/* A body against every type, as CREATE and as UPDATE, and against every data type of an attribute: whatever it is, a refusal has a status and a
 * sentence in valid UTF-8 that fits; and what an UPDATE refuses is refused again. */
#include <string.h>

#include "fuzz.h"
#include "onem2m/schema.h"

/* By way of the JSON reader, which knows valid UTF-8. */
static void must_be_a_sentence(struct json_arena *a, const struct schema_fault *fault)
{
	uint8_t octets[sizeof fault->text + 2];
	size_t len = strnlen(fault->text, sizeof fault->text);
	const struct json *again;

	MUST(fault->rsc == RSC_BAD_REQUEST && len > 0 && len < sizeof fault->text);
	octets[0] = octets[len + 1] = '"';
	for (size_t i = 0; i < len; i++)
		octets[i + 1] = fault->text[i] == '"' || fault->text[i] == '\\' ? '.' : (uint8_t)fault->text[i];
	MUST(json_parse(a, rd_of(octets, len + 2), NULL, &again) == OK);
}

static void check(struct json_arena *a, const struct json *doc)
{
	struct schema_fault fault, twin;

	for (const struct schema_type *const *t = schema_types(); *t; t++) {
		memset(&fault, 0xff, sizeof fault);
		if (!schema_check_create(*t, doc, &fault))
			must_be_a_sentence(a, &fault);
		memset(&fault, 0xff, sizeof fault);
		if (!schema_check_update(*t, doc, &fault)) {
			must_be_a_sentence(a, &fault);
			MUST(!schema_check_update(*t, doc, &twin) && strcmp(fault.text, twin.text) == 0);
		}
		for (size_t i = 0; i < (*t)->attribute_count; i++)
			if (!schema_check_value((*t)->attributes[i].type, doc, (*t)->attributes[i].name, &fault))
				must_be_a_sentence(a, &fault);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc;

	if (a && size <= FUZZ_INPUT_MAX && json_parse(a, rd_of(data, size), NULL, &doc) == OK)
		check(a, doc);
	json_arena_free(a);
	return 0;
}
