/* --state, --file, --kek, --json: which store of credentials a subcommand works on. */
#ifndef KEYWAY_CLI_CREDENTIALS_PLACE_H
#define KEYWAY_CLI_CREDENTIALS_PLACE_H

#include "credentials/credentials.h"

#define CREDENTIALS_PLACE_MAX 1024

struct credentials_place {
	char path[CREDENTIALS_PLACE_MAX];
	const char *kek;
	bool json;
	struct rng rng;
};

/* Takes the options out of argv. CLI_OK, or a status after a message. */
int credentials_place_take(struct credentials_place *p, int *argc, char **argv, const char *usage) MUST_CHECK;
int credentials_place_open(struct credentials_place *p, bool must_exist, bool no_keys, struct credentials **s) MUST_CHECK;
/* What a cd in the shell must not change: the store remembers it. */
bool credentials_place_absolute(const char *kek, char *out, size_t size) MUST_CHECK;

#endif
