/* Output and options of the command line. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *style(enum style s)
{
	static const char *const codes[] = {"\033[0m", "\033[1m", "\033[2m", "\033[32m", "\033[33m", "\033[31m", "\033[36m"};
	static int terminal = -1;

	if (terminal < 0)
		terminal = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	return terminal ? codes[s] : "";
}

int cli_fail(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("keyway: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return CLI_FAILED;
}

int cli_help(const char *usage)
{
	fputs(usage, stdout);
	fputs("\nExit status: 0 done, 1 it failed (a line on standard error says why), 2 the command line was not understood.\n", stdout);
	return CLI_OK;
}

int cli_misuse(const char *usage, const char *fmt, ...)
{
	const char *end = strstr(usage, "\n\n");
	va_list args;

	fflush(stdout);
	fputs("keyway: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n%.*s\n--help tells more.\n", end ? (int)(end - usage) : (int)strlen(usage), usage);
	return CLI_USAGE;
}

void cli_print_json(struct rd json)
{
	printf("%.*s\n", (int)json.left, (const char *)json.at);
}

static void line_end(unsigned depth)
{
	printf("\n%*s", (int)(depth * 2), "");
}

/* The text is JSON already, so that only its brackets, commas and strings matter. */
void cli_print_pretty(struct rd json)
{
	bool in_string = false, escaped = false, opened = false;
	unsigned depth = 0;
	uint8_t c;

	while (rd_u8(&json, &c)) {
		if (in_string) {
			in_string = c != '"' || escaped;
			escaped = c == '\\' && !escaped;
			putchar(c);
			continue;
		}
		if (c == ' ' || c == '\n' || c == '\t' || c == '\r')
			continue;
		if ((c == '}' || c == ']') && depth > 0) {
			depth--;
			if (!opened)
				line_end(depth);
		} else if (opened) {
			line_end(depth);
		}
		opened = c == '{' || c == '[';
		in_string = c == '"';
		depth += opened;
		putchar(c);
		if (c == ':')
			putchar(' ');
		if (c == ',')
			line_end(depth);
	}
	putchar('\n');
}

static void take_out(int *argc, char **argv, int at, int n)
{
	memmove(argv + at, argv + at + n, (size_t)(*argc - at - n + 1) * sizeof *argv);
	*argc -= n;
}

const char *cli_option(int *argc, char **argv, const char *name)
{
	size_t len = strlen(name);

	for (int i = 1; i < *argc; i++) {
		const char *value = NULL;

		if (strcmp(argv[i], name) == 0 && i + 1 < *argc) {
			value = argv[i + 1];
			take_out(argc, argv, i, 2);
		} else if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=') {
			value = argv[i] + len + 1;
			take_out(argc, argv, i, 1);
		}
		if (value)
			return value;
	}
	return NULL;
}

bool cli_flag(int *argc, char **argv, const char *name)
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], name) == 0) {
			take_out(argc, argv, i, 1);
			return true;
		}
	}
	return false;
}

int cli_operands(const char *usage, int argc, char **argv, int least, int most)
{
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "--", 2) == 0)
			return cli_misuse(usage, "`%s` is no option here, or its value is missing", argv[i]);
	if (argc - 1 < least)
		return cli_misuse(usage, "something is missing");
	if (argc - 1 > most)
		return cli_misuse(usage, "`%s` is too much", argv[most + 1]);
	return CLI_OK;
}
