/* Stores of credentials on the command line. */
#include "cli/credentials_place.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"

int credentials_place_take(struct credentials_place *p, int *argc, char **argv, const char *usage)
{
	const char *state = cli_option(argc, argv, "--state"), *file = cli_option(argc, argv, "--file");
	int n;

	p->kek = cli_option(argc, argv, "--kek");
	p->json = cli_flag(argc, argv, "--json");
	p->rng = rng_system();
	if (state && file)
		return cli_misuse(usage, "--state and --file exclude each other");
	n = file ? snprintf(p->path, sizeof p->path, "%s", file) : snprintf(p->path, sizeof p->path, "%s/credentials.db", state ? state : ".");
	return n > 0 && (size_t)n < sizeof p->path ? CLI_OK : cli_fail("the path of the store is too long");
}

bool credentials_place_absolute(const char *kek, char *out, size_t size)
{
	char folder[CREDENTIALS_PLACE_MAX];
	int n;

	if (!kek || kek_is_token(kek) || kek[0] == '/')
		n = snprintf(out, size, "%s", kek ? kek : "");
	else
		n = getcwd(folder, sizeof folder) ? snprintf(out, size, "%s/%s", folder, kek) : -1;
	return n >= 0 && (size_t)n < size;
}

int credentials_place_open(struct credentials_place *p, bool must_exist, bool no_keys, struct credentials **s)
{
	char kek[KEK_REFERENCE_MAX];
	struct credentials_options o = {.path = p->path, .rng = &p->rng, .must_exist = must_exist, .no_keys = no_keys};
	const char *detail = "";

	if (!credentials_place_absolute(p->kek, kek, sizeof kek))
		return cli_fail("the path of the key is too long");
	o.kek = p->kek ? kek : NULL;
	return credentials_open(&o, s, &detail) == OK ? CLI_OK : cli_fail("%s: %s", p->path, detail);
}
