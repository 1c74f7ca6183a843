/* Pre-shared keys in a text file. */
#include "tls/psk_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "keys/sealed.h"
#include "tls/psk_line.h"
#include "tls/tls_private.h"

struct psk_file {
	char *path;
};

enum err psk_file_new(const char *path, struct psk_file **out)
{
	struct psk_file *f = tls_file_private(path) ? calloc(1, sizeof *f) : NULL;

	if (!f || (f->path = strdup(path)) == NULL) {
		free(f);
		return ERR_CONFIG;
	}
	*out = f;
	return OK;
}

void psk_file_free(struct psk_file *f)
{
	if (!f)
		return;
	free(f->path);
	free(f);
}

static void *find(void *source, const char *identity, psk_done *done, void *ctx)
{
	const struct psk_file *f = source;
	struct psk_answer a = {0};
	struct psk_line line;
	bool found = psk_line_find(f->path, identity, &line);

	if (found) {
		a.key = secret_take(line.key, line.key_len);
		a.expires_at = line.expires_at;
		memcpy(a.entity, line.entity, sizeof a.entity);
	}
	bytes_wipe(&line, sizeof line);
	done(ctx, a.key ? &a : NULL);
	return NULL;
}

static void cancel(void *source, void *handle)
{
	(void)source;
	(void)handle;
}

static bool stands(void *source, const char *identity, const char *key_name)
{
	const struct psk_file *f = source;
	char name[33] = "";
	struct psk_line line;
	struct secret *key;

	if (!psk_line_find(f->path, identity, &line))
		return false;
	key = secret_take(line.key, line.key_len);
	bytes_wipe(&line, sizeof line);
	if (key)
		secret_name(key, name);
	secret_free(key);
	return strcmp(name, key_name) == 0;
}

struct psk_source psk_file_source(struct psk_file *f)
{
	return (struct psk_source){find, cancel, f, stands};
}

static void free_file(void *f)
{
	psk_file_free(f);
}

enum err tls_psk_server(const char *psk_path, struct tls_credentials **out)
{
	const struct tls_config nothing = {0};
	struct tls_credentials *c = NULL;
	struct psk_source source;
	struct psk_file *f = NULL;
	char why[TLS_WHY_MAX];
	enum err e;

	if ((e = psk_file_new(psk_path, &f)) != OK || (e = tls_credentials_new(&nothing, why, &c)) != OK) {
		psk_file_free(f);
		return e;
	}
	c->psk_file = f;
	c->psk_file_free = free_file;
	source = psk_file_source(f);
	e = tls_credentials_psk_source(c, &source);
	if (e != OK)
		tls_credentials_free(c);
	else
		*out = c;
	return e;
}
