/* Command-line options of `keyway-sim`. */
#include <string.h>

#include "sim/sim.h"

const char *sim_option(int argc, char **argv, const char *name, const char *otherwise)
{
	const char *value = otherwise;

	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], name) == 0)
			value = argv[i + 1];
	return value;
}

int sim_has(int argc, char **argv, const char *name)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return 1;
	return 0;
}
