/* Command line, configuration, run. */
#include "loop/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/log.h"

static void print_help(const struct program *p)
{
	puts(p->help);
	for (const struct config_key *k = p->keys; k->section; k++)
		printf("  [%s] %s%*s%s%s\n", k->section, k->name, (int)(26 - strlen(k->section) - strlen(k->name)), "", k->help, k->required ? " (required)" : "");
}

int program_main(const struct program *p, int argc, char **argv)
{
	char message[512];
	int status = EXIT_FAILURE;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		print_help(p);
		return EXIT_SUCCESS;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("%s %s\n", p->name, KEYWAY_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc == 4 && p->flag && strcmp(argv[3], p->flag) == 0) {
		*p->flag_given = true;
		argc = 3;
	}
	if (argc != 3 || strcmp(argv[1], "--config") != 0) {
		fprintf(stderr, "usage: %s --config FILE%s%s%s (or --help, --version)\n", p->name, p->flag ? " [" : "", p->flag ? p->flag : "", p->flag ? "]" : "");
		return 2;
	}
	log_start(p->name, LOG_LEVEL_INFO);
	if (config_read(argv[2], p->keys, message, sizeof message) == OK)
		status = p->run();
	else
		log_line(LOG_LEVEL_ERROR, message, NULL);
	config_free(p->keys);
	return status;
}
