/* `keyway credentials list --all`: the stores that the configurations of a plant name, the registries of MEF and MAF, files of pre-shared keys. */
#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/credentials_list.h"
#include "key_registry/listing.h"
#include "tls/psk_line.h"

#define PLACES_MAX 256
#define PATH_SIZE 1024
#define NAME_SIZE 64

/* Where something may be; not everything that a configuration could have is there. */
enum place_kind { PLACE_STORE, PLACE_REGISTRY, PLACE_FILE };
struct place {
	enum place_kind kind;
	char program[NAME_SIZE], path[PATH_SIZE];
	char fqdn[FQDN_MAX]; /* of a registry's function */
	bool mef;
};

struct places {
	struct place all[PLACES_MAX];
	size_t count;
	bool full;
	/* the configuration that is read */
	char program[NAME_SIZE], state[PATH_SIZE], fqdn[FQDN_MAX];
	bool mef, maf;
};

static void add(struct places *p, enum place_kind kind, const char *dir, const char *name)
{
	struct place one = {.kind = kind, .mef = p->mef};

	if ((size_t)snprintf(one.path, sizeof one.path, "%s%s%s", dir, dir[0] ? "/" : "", name) >= sizeof one.path)
		return;
	memcpy(one.program, p->program, sizeof one.program);
	memcpy(one.fqdn, p->fqdn, sizeof one.fqdn);
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->all[i].path, one.path) == 0)
			return;
	p->full |= p->count == PLACES_MAX;
	if (p->count < PLACES_MAX)
		p->all[p->count++] = one;
}

/* ---- configurations ---- */

static int on_key(void *ctx, const char *section, const char *name, const char *value)
{
	static const struct {
		const char *section, *name; /* NULL: any */
		enum place_kind kind;
	} keys[] = {
		{"credentials", "file", PLACE_STORE},
		{"esprim", "credentials", PLACE_STORE},
		{"tokens", "credentials", PLACE_STORE},
		{NULL, "psk_file", PLACE_FILE},
		{NULL, "serial_psk_file", PLACE_FILE},
	};
	struct places *p = ctx;

	if (strcmp(name, "state") == 0)
		snprintf(p->state, sizeof p->state, "%s", value);
	if (strcmp(name, "id") == 0 && (strcmp(section, "mef") == 0 || strcmp(section, "maf") == 0))
		snprintf(p->fqdn, sizeof p->fqdn, "%s", value);
	/* the function itself; who asks it has its URL in a section of the same name */
	p->mef |= strcmp(section, "mmef") == 0;
	p->maf |= strcmp(section, "mmaf") == 0;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if ((!keys[i].section || strcmp(keys[i].section, section) == 0) && strcmp(keys[i].name, name) == 0)
			add(p, keys[i].kind, "", value);
	return 1;
}

/* The FQDN of a MAF is that of [maf], which may be followed by the [mef] that it asks. */
static int on_own(void *ctx, const char *section, const char *name, const char *value)
{
	struct places *p = ctx;

	if (strcmp(section, p->mef ? "mef" : "maf") == 0 && strcmp(name, "id") == 0)
		snprintf(p->fqdn, sizeof p->fqdn, "%s", value);
	return 1;
}

static int read_configuration(struct places *p, const char *dir, const char *file)
{
	char path[PATH_SIZE];

	p->state[0] = p->fqdn[0] = '\0';
	p->mef = p->maf = false;
	snprintf(p->program, sizeof p->program, "%.*s", (int)(strlen(file) - strlen(".ini")), file);
	if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, file) >= sizeof path || ini_parse(path, on_key, p) < 0 || ini_parse(path, on_own, p) < 0)
		return cli_fail("%s/%s can't be read", dir, file);
	if (p->state[0])
		add(p, PLACE_STORE, p->state, "credentials.db");
	if (p->state[0] && (p->mef || p->maf))
		add(p, PLACE_REGISTRY, p->state, "registry.db");
	return CLI_OK;
}

static int is_configuration(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && strcmp(d->d_name + n - 4, ".ini") == 0;
}

static int find(struct places *p, const char *plant)
{
	const char *dir = plant ? plant : getenv("KEYWAY_PLANT") ? getenv("KEYWAY_PLANT") : "plant";
	struct dirent **files;
	int n = scandir(dir, &files, is_configuration, alphasort), r = CLI_OK;

	if (n < 0)
		return cli_fail("there is no plant in `%s`: %s; name another with --plant DIR or KEYWAY_PLANT", dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (r == CLI_OK)
			r = read_configuration(p, dir, files[i]->d_name);
		free(files[i]);
	}
	free(files);
	return r;
}

static void add_more(struct places *p, const char *path)
{
	struct stat st;
	const char *name = strrchr(path, '/');

	snprintf(p->program, sizeof p->program, "%s", name && name[1] ? name + 1 : path);
	p->mef = p->maf = false;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		add(p, PLACE_STORE, path, "credentials.db");
	else
		add(p, PLACE_STORE, "", path);
}

/* ---- what is there ---- */

struct listing_place {
	struct credentials_listing *l;
	const struct place *place;
};

static void on_registered(void *ctx, const struct registry_listed *k)
{
	const struct listing_place *at = ctx;
	struct credential c = {.kind = at->place->mef && k->exported ? KIND_KE : credential_kind_of(k->suid), .suid = (unsigned)k->suid, .expires_at = k->expires_at};

	snprintf(c.identity, sizeof c.identity, "%s@%s", k->id, at->place->fqdn);
	snprintf(c.entity, sizeof c.entity, "%s", k->source);
	at->l->peer = k->targets; /* there may be many */
	credentials_list_row(at->l, &c);
	at->l->peer = NULL;
}

static void on_line(void *ctx, const char *identity, const struct psk_line *line)
{
	const struct listing_place *at = ctx;
	struct credential c = {.expires_at = line->expires_at ? line->expires_at : UINT64_MAX};

	snprintf(c.identity, sizeof c.identity, "%s", identity);
	snprintf(c.entity, sizeof c.entity, "%s", line->entity);
	credentials_list_row(at->l, &c);
}

static int list_store(struct credentials_listing *l, const struct place *at)
{
	struct credentials_place place = {.rng = rng_system()};
	struct credentials *s;
	int r;

	snprintf(place.path, sizeof place.path, "%s", at->path);
	r = credentials_place_open(&place, true, true, &s);
	if (r == CLI_OK) {
		r = credentials_list_store(l, s, at->path);
		credentials_close(s);
	}
	return r;
}

static int list_place(struct credentials_listing *l, const struct place *at)
{
	struct listing_place ctx = {l, at};
	bool good = true;

	l->program = at->program;
	l->path = at->path;
	switch (at->kind) {
	case PLACE_STORE:
		return list_store(l, at);
	case PLACE_REGISTRY:
		good = registry_list(at->path, on_registered, &ctx) == OK;
		break;
	case PLACE_FILE:
		l->kind = "psk";
		good = psk_lines_each(at->path, on_line, &ctx);
		l->kind = NULL;
		break;
	}
	return good ? CLI_OK : cli_fail("%s can't be read", at->path);
}

int credentials_list_all(struct credentials_listing *l, const char *plant, char **more, size_t count)
{
	struct places *p = calloc(1, sizeof *p);
	int r = p ? find(p, plant) : cli_fail("out of memory");
	size_t configured;

	if (r != CLI_OK) {
		free(p);
		return r;
	}
	configured = p->count;
	for (size_t i = 0; i < count; i++)
		add_more(p, more[i]);
	l->several = true;
	credentials_list_begin(l);
	json_array(&l->out, "credentials");
	/* A program that was never started has no store yet; one that was named by hand must be there. */
	for (size_t i = 0; i < p->count && r == CLI_OK; i++)
		if (i >= configured || access(p->all[i].path, F_OK) == 0 || errno != ENOENT)
			r = list_place(l, &p->all[i]);
	json_close(&l->out);
	if (r == CLI_OK && p->full)
		r = cli_fail("there are more than %d stores", PLACES_MAX);
	if (r == CLI_OK && !l->json && l->rows == 0)
		printf("nothing\n");
	free(p);
	return credentials_list_end(l, r);
}
