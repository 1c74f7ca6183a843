/* Key encryption keys: what files and tokens have in common. */
#include "credentials/kek.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "credentials/token.h"
#include "keys/sealed.h"

#define ID_OCTETS 16
#define PATH_SIZE (KEK_REFERENCE_MAX + 8)
#define WRAP_LABEL "credentials:data key"

struct kek {
	char reference[KEK_REFERENCE_MAX], id[KEK_ID_SIZE];
	bool aside;          /* it is FILE.new */
	struct secret *file; /* NULL for a token's */
	struct token *token;
};

bool kek_is_token(const char *reference)
{
	return strncmp(reference, "pkcs11:", 7) == 0;
}

static void aside_path(const char *reference, char path[static PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s.new", reference);
}

static struct kek *kek_of(const char *reference)
{
	struct kek *k = calloc(1, sizeof *k);

	if (k && rd_text(rd_str(reference), k->reference, sizeof k->reference))
		return k;
	free(k);
	return NULL;
}

/* ---- key files ---- */

static enum err file_read(const char *reference, bool aside, struct kek **out, const char **detail)
{
	struct kek *k = kek_of(reference);
	char path[PATH_SIZE];
	enum err e;

	if (!k)
		return ERR_NO_MEMORY;
	aside_path(reference, path);
	k->aside = aside;
	e = key_file_read(aside ? path : reference, &k->file);
	*detail = e == ERR_NOT_FOUND ? "there is no such key file" : "the key file must hold 64 hexadecimal digits and be readable by its owner alone (chmod 600)";
	if (e != OK) {
		kek_free(k);
		return e;
	}
	secret_name(k->file, k->id);
	*out = k;
	return OK;
}

/* After a rotation that was killed the key may still lie aside. */
static enum err file_open(const char *reference, const char *id, struct kek **out, const char **detail)
{
	const char *ignored;
	struct kek *k = NULL;
	enum err e = file_read(reference, false, &k, detail), settled;

	if (e == OK && strcmp(k->id, id) == 0) {
		*out = k;
		return OK;
	}
	if (e == OK) {
		kek_free(k);
		*detail = "the key file holds another key than the one that this store is under";
		e = ERR_BAD_MIC;
	}
	if (file_read(reference, true, &k, &ignored) != OK)
		return e;
	if (strcmp(k->id, id) != 0) {
		kek_free(k);
		return e;
	}
	settled = kek_settle(k);
	if (settled != OK) {
		kek_free(k);
		*detail = "FILE.new, which a rotation left, can't be renamed";
		return settled;
	}
	*out = k;
	return OK;
}

static enum err file_create(const char *reference, struct rng *rng, struct kek **out, const char **detail)
{
	bool aside = access(reference, F_OK) == 0;
	char path[PATH_SIZE];
	enum err e;

	aside_path(reference, path);
	if (aside && unlink(path) != 0 && errno != ENOENT) /* what a killed rotation left and no store is under */
		return ERR_IO;
	*detail = "the key file can't be made";
	e = key_file_create(aside ? path : reference, rng);
	return e == OK ? file_read(reference, aside, out, detail) : e;
}

static bool folder_sync(const char *path)
{
	char folder[PATH_SIZE];
	const char *slash = strrchr(path, '/');
	int fd;
	bool good;

	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	good = fsync(fd) == 0;
	close(fd);
	return good;
}

enum err kek_settle(const struct kek *k)
{
	char path[PATH_SIZE];
	const char *ignored;
	struct kek *now;
	bool there;

	if (!k->aside)
		return OK;
	aside_path(k->reference, path);
	if (rename(path, k->reference) == 0)
		return folder_sync(k->reference) ? OK : ERR_IO;
	/* Somebody who opened the store in between has done it. */
	if (errno != ENOENT || file_read(k->reference, false, &now, &ignored) != OK)
		return ERR_IO;
	there = strcmp(now->id, k->id) == 0;
	kek_free(now);
	return there ? OK : ERR_IO;
}

/* ---- tokens ---- */

static enum err token_kek(const char *reference, const char *id, enum err (*get)(struct token *t, struct rd id), struct kek **out, const char **detail)
{
	struct kek *k = kek_of(reference);
	uint8_t octets[ID_OCTETS];
	enum err e;

	if (!k)
		return ERR_NO_MEMORY;
	*detail = "";
	e = hex_parse(rd_str(id), octets, sizeof octets) && rd_text(rd_str(id), k->id, sizeof k->id) ? OK : ERR_MALFORMED;
	if (e == OK)
		e = token_open(reference, &k->token, detail);
	if (e == OK) {
		e = get(k->token, rd_of(octets, sizeof octets));
		*detail = e == ERR_NOT_FOUND ? "the token does not have the key that this store is under" : "the token refused";
	}
	if (e != OK) {
		kek_free(k);
		return e;
	}
	*out = k;
	return OK;
}

/* ---- either ---- */

enum err kek_open(const char *reference, const char *id, struct kek **out, const char **detail)
{
	return kek_is_token(reference) ? token_kek(reference, id, token_select, out, detail) : file_open(reference, id, out, detail);
}

enum err kek_create_as(const char *reference, const char *id, struct kek **out, const char **detail)
{
	return token_kek(reference, id, token_generate, out, detail);
}

enum err kek_create(const char *reference, struct rng *rng, struct kek **out, const char **detail)
{
	uint8_t octets[ID_OCTETS];
	char id[KEK_ID_SIZE];

	if (!kek_is_token(reference))
		return file_create(reference, rng, out, detail);
	rng_fill(rng, octets, sizeof octets);
	hex_print(id, octets, sizeof octets);
	return kek_create_as(reference, id, out, detail);
}

enum err kek_first(const char *reference, struct rng *rng, struct kek **out, const char **detail)
{
	enum err e = kek_is_token(reference) ? ERR_NOT_FOUND : file_read(reference, false, out, detail);

	return e == ERR_NOT_FOUND ? kek_create(reference, rng, out, detail) : e;
}

enum err kek_destroy(const char *reference, const char *id)
{
	uint8_t octets[ID_OCTETS];
	const char *ignored;
	struct token *t;
	enum err e;

	if (!kek_is_token(reference))
		return unlink(reference) == 0 || errno == ENOENT ? OK : ERR_IO;
	if (!hex_parse(rd_str(id), octets, sizeof octets))
		return ERR_MALFORMED;
	e = token_open(reference, &t, &ignored);
	if (e != OK)
		return e;
	e = token_destroy(t, rd_of(octets, sizeof octets));
	token_close(t);
	return e == ERR_NOT_FOUND ? OK : e;
}

void kek_free(struct kek *k)
{
	if (!k)
		return;
	secret_free(k->file);
	token_close(k->token);
	free(k);
}

const char *kek_id(const struct kek *k)
{
	return k->id;
}

const char *kek_reference(const struct kek *k)
{
	return k->reference;
}

enum err kek_wrap(struct kek *k, const struct secret *data_key, struct rng *rng, struct wr *wrapped)
{
	return k->token ? token_wrap(k->token, data_key, wrapped) : secret_seal(k->file, WRAP_LABEL, data_key, rng, wrapped);
}

enum err kek_unwrap(struct kek *k, struct rd wrapped, struct secret **data_key)
{
	return k->token ? token_unwrap(k->token, wrapped, KEK_DATA_KEY, data_key) : secret_unseal(k->file, WRAP_LABEL, wrapped, data_key);
}
