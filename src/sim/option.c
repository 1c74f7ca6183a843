/* Command-line options of `keyway-sim`. */
#include <stdio.h>
#include <string.h>

#include "base/rd.h"
#include "sim/sim.h"

const char *sim_option(int argc, char **argv, const char *name, const char *otherwise)
{
	const char *value = otherwise;

	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], name) == 0)
			value = argv[i + 1];
	return value;
}

bool sim_has(int argc, char **argv, const char *name)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return false;
}

bool sim_number(int argc, char **argv, const char *name, const char *otherwise, uint64_t most, uint64_t *v)
{
	const char *text = sim_option(argc, argv, name, otherwise);

	if (rd_decimal(rd_str(text), v) && *v <= most)
		return true;
	fprintf(stderr, "keyway-sim %s: %s wants a number from 0 to %llu, not `%s`\n", argv[0], name, (unsigned long long)most, text);
	return false;
}

/* How many words of argv this option takes: 0 when it is none of `options`. */
static int words_of(const char *word, const char *options)
{
	struct rd rest = rd_str(options), name;
	bool more = true;

	while (more) {
		bool takes_value;

		more = rd_until(&rest, ' ', &name);
		if (!more)
			name = rd_rest(&rest);
		takes_value = name.left > 0 && name.at[name.left - 1] == '=';
		name.left -= takes_value;
		if (rd_is(name, word))
			return takes_value ? 2 : 1;
	}
	return 0;
}

int sim_begin(int argc, char **argv, const char *usage, const char *options)
{
	if (sim_has(argc, argv, "--help") || sim_has(argc, argv, "-h")) {
		fputs(usage, stdout);
		fputs("\nExit status: 0 ended as it was told, 1 it failed (a line on standard error says why), 2 the command line was not understood.\n", stdout);
		return 0;
	}
	for (int i = 1; i < argc;) {
		int words = words_of(argv[i], options);

		if (words == 0)
			fprintf(stderr, "keyway-sim %s: there is no option `%s`; --help tells which there are\n", argv[0], argv[i]);
		else if (i + words > argc)
			fprintf(stderr, "keyway-sim %s: %s wants a value; --help tells more\n", argv[0], argv[i]);
		if (words == 0 || i + words > argc)
			return 2;
		i += words;
	}
	return SIM_GO_ON;
}
