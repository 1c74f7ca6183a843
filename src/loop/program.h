/* The beginning and the end of a server that is told everything by one configuration file: `NAME --config FILE`, `--help`, `--version`. */
#ifndef KEYWAY_LOOP_PROGRAM_H
#define KEYWAY_LOOP_PROGRAM_H

#include <stdbool.h>

#include "loop/config.h"

struct program {
	const char *name;              /* "keyway-mef" */
	const char *help;              /* before the list of keys, which follows from the table */
	const struct config_key *keys; /* freed at the end */
	const char *flag;              /* an option behind the others, such as "--accept-audit-log"; NULL: none */
	bool *flag_given;
	int (*run)(void);              /* with the keys read and the log begun; its exit status */
};

/* The exit status: 2 when the command line or the configuration was not understood. */
int program_main(const struct program *p, int argc, char **argv);

#endif
