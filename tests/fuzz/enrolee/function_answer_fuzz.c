/* Answers of a MEF or MAF, which may be anybody's after a break-in there: what is taken names a key by hexadecimal digits, a source that is printable, a
 * path that begins with a slash, and a value of 16 to 64 octets; what is refused leaves nothing to free. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "enrolee/function_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int b)
{
	if (!b)
		abort();
}

static void printable(const char *text)
{
	for (; *text; text++)
		require(*text > 0x20 && *text < 0x7f);
}

static void common(const struct function_answer *a)
{
	require(a->id[0] && strspn(a->id, "0123456789abcdefABCDEF") == strlen(a->id));
	printable(a->source);
	printable(a->commands);
	printable(a->assigned);
	require(!a->commands[0] || a->commands[0] == '/');
	require(!a->key || (secret_len(a->key) >= 16 && secret_len(a->key) <= SECRET_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_arena *arena = json_arena_new();
	struct function_answer a;
	const struct json *doc;

	require(arena != NULL);
	if (json_parse(arena, rd_of(data, size), NULL, &doc) == OK) {
		if (function_answer_client(doc, REGISTRATION_MEF_CLIENT, &a))
			common(&a);
		function_answer_clear(&a);
		if (function_answer_client(doc, REGISTRATION_MAF_CLIENT, &a))
			common(&a);
		function_answer_clear(&a);
		for (int valued = 0; valued < 2; valued++) {
			bool taken = function_answer_key(doc, valued, &a);

			require(taken ? !valued || a.key : !a.key);
			if (taken)
				common(&a);
			function_answer_clear(&a);
		}
	}
	json_arena_free(arena);
	return 0;
}
