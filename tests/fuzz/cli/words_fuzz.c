/* Command lines: each option that is found was given, and goes with its value, nothing else; JSON that is printed for a person is the same JSON. Input:
 * words, each behind a zero octet; and the whole as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "../fuzz.h"

#define WORDS 32

static bool given(char *const words[], int count, const char *value)
{
	for (int i = 0; i < count; i++)
		if (value >= words[i] && value <= words[i] + strlen(words[i]))
			return true;
	return false;
}

static void command_line(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1), *words[WORDS], *argv[WORDS + 1];
	int argc = 0, count;
	const char *value;

	MUST(text);
	memcpy(text, data, size);
	for (size_t at = 0; at < size && argc < WORDS; at += strlen(text + at) + 1)
		words[argc++] = text + at;
	count = argc;
	memcpy(argv, words, (size_t)argc * sizeof *argv);
	argv[argc] = NULL;
	while (argc > 0) {
		int before = argc;

		value = cli_option(&argc, argv, "--plant");
		MUST(value ? before - argc == 2 || before - argc == 1 : before == argc);
		MUST((!value || given(words, count, value)) && argv[argc] == NULL && argv[0] == words[0]);
		if (!value)
			break;
	}
	for (int before = argc; argc > 0 && cli_flag(&argc, argv, "--json"); before = argc)
		MUST(before - argc == 1 && argv[argc] == NULL);
	for (int i = 1; i < argc; i++)
		MUST(strcmp(argv[i], "--json") != 0 && given(words, count, argv[i]));
	free(text);
}

static void pretty(struct rd json)
{
	struct json_arena *arena = json_arena_new();
	const struct json *doc, *printed;
	FILE *standard_output = stdout;
	char *text = NULL;
	size_t len = 0;

	if (json_parse(arena, json, NULL, &doc) == OK) {
		stdout = open_memstream(&text, &len);
		MUST(stdout);
		cli_print_pretty(json);
		fclose(stdout);
		stdout = standard_output;
		MUST(json_parse(arena, rd_of(text, len), NULL, &printed) == OK && json_equal(doc, printed));
		free(text);
	}
	json_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size <= FUZZ_INPUT_MAX) {
		command_line(data, size);
		pretty(rd_of(data, size));
	}
	return 0;
}
