/* Command line, configuration, run. */
#include "loop/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/log.h"

static void print_help(const struct program *p)
{
	printf("%s\nExample:\n  %s --config plant/%s.ini\n\n", p->help, p->name, strchr(p->name, '-') + 1);
	puts("Exit status: 0 ended by a signal, 1 it could not start (the last line says why), 2 the command line or the configuration was not understood.\n\nKeys of the configuration:");
	for (const struct config_key *k = p->keys; k->section; k++)
		printf("  [%s] %s%*s%s%s\n", k->section, k->name, (int)(26 - strlen(k->section) - strlen(k->name)), "", k->help, k->required ? " (required)" : "");
}

static bool is_word(const char *word, const char *option, const char *brief)
{
	return strcmp(word, option) == 0 || (brief && strcmp(word, brief) == 0);
}

static int misused(const struct program *p, const char *what, const char *word)
{
	fprintf(stderr, "%s: %s%s\nusage: %s --config FILE%s%s%s (or --help, --version)\n", p->name, what, word, p->name, p->flag ? " [" : "", p->flag ? p->flag : "", p->flag ? "]" : "");
	return 2;
}

/* 0 with the file: go on. */
static int words_read(const struct program *p, int argc, char **argv, const char **file)
{
	for (int i = 1; i < argc; i++) {
		if (is_word(argv[i], "--config", NULL) && i + 1 < argc)
			*file = argv[++i];
		else if (strncmp(argv[i], "--config=", 9) == 0)
			*file = argv[i] + 9;
		else if (p->flag && is_word(argv[i], p->flag, NULL))
			*p->flag_given = true;
		else
			return misused(p, is_word(argv[i], "--config", NULL) ? "a file has to follow " : "there is no option ", argv[i]);
	}
	return *file ? 0 : misused(p, "--config FILE is missing; `keyway init` makes one", "");
}

int program_main(const struct program *p, int argc, char **argv)
{
	char message[512];
	int status = EXIT_FAILURE, r;
	const char *file = NULL;

	if (argc == 2 && is_word(argv[1], "--help", "-h")) {
		print_help(p);
		return EXIT_SUCCESS;
	}
	if (argc == 2 && is_word(argv[1], "--version", NULL)) {
		printf("%s %s\n", p->name, KEYWAY_VERSION);
		return EXIT_SUCCESS;
	}
	r = words_read(p, argc, argv, &file);
	if (r)
		return r;
	log_start(p->name, LOG_LEVEL_INFO);
	if (config_read(file, p->keys, message, sizeof message) == OK) {
		status = p->run();
	} else {
		log_line(LOG_LEVEL_ERROR, message, NULL);
		status = 2;
	}
	config_free(p->keys);
	return status;
}
