/* The store of credentials: SQLite in WAL mode with synchronous=FULL. */
#include "credentials/credentials.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "credentials/private.h"
#include "keys/sealed.h"

/* pending: KEKs in a token that a rotation has begun to make or has done with; see rotate.c. */
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS store (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL, kek TEXT NOT NULL, kek_id TEXT NOT NULL,"
    " generation INTEGER NOT NULL, wrapped BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS pending (kek TEXT NOT NULL, kek_id TEXT NOT NULL, PRIMARY KEY (kek, kek_id)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS credentials (identity TEXT PRIMARY KEY COLLATE NOCASE, kind INTEGER NOT NULL, suid INTEGER NOT NULL,"
    " entity TEXT NOT NULL, peer TEXT NOT NULL, expires_at INTEGER NOT NULL, added_at INTEGER NOT NULL, sealed BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS credentials_expiry ON credentials (expires_at);"
    "CREATE INDEX IF NOT EXISTS credentials_peer ON credentials (kind, peer);"
    "CREATE INDEX IF NOT EXISTS credentials_entity ON credentials (kind, entity);";

/* The generation comes with each row: a rotation by another process shows at the next look, without a second statement. */
static const char *const texts[STATEMENTS] = {
	[FIND] = "SELECT " CREDENTIAL_COLUMNS ", (SELECT generation FROM store) FROM credentials WHERE identity = ?1",
	[FIND_PEER] = "SELECT " CREDENTIAL_COLUMNS ", (SELECT generation FROM store) FROM credentials WHERE kind = ?1 AND peer = ?2 COLLATE NOCASE"
		      " AND expires_at > ?3 ORDER BY expires_at DESC, added_at DESC LIMIT 1",
	[FIND_ENTITY] = "SELECT " CREDENTIAL_COLUMNS ", (SELECT generation FROM store) FROM credentials WHERE kind = ?1 AND entity = ?2"
		      " AND expires_at > ?3 ORDER BY expires_at DESC, added_at DESC LIMIT 1",
	[PUT] = "INSERT OR REPLACE INTO credentials VALUES (?1,?2,?3,?4,?5,?6,?7,?8)",
	[ADD] = "INSERT OR IGNORE INTO credentials VALUES (?1,?2,?3,?4,?5,?6,?7,?8)",
	[REMOVE] = "DELETE FROM credentials WHERE identity = ?1",
	[CHANGES] = "PRAGMA data_version",
	[SWEEP] = "DELETE FROM credentials WHERE expires_at <= ?1",
};

/* ---- kinds ---- */

static const struct {
	const char *name;
	enum credential_kind kind;
} kinds[] = { /* the first name of a kind is the one that is printed */
	{"kpm", KIND_KPM},
	{"km", KIND_KM},
	{"kpsa", KIND_KPSA},
	{"kc", KIND_KPSA},
	{"esprim", KIND_ESPRIM},
	{"esdata", KIND_ESDATA},
	{"esdata-wrap", KIND_ESDATA_WRAP},
	{"esdata-hmac", KIND_ESDATA_HMAC},
	{"ke", KIND_KE},
	{"store-key", KIND_STORE_KEY},
	{"password", KIND_PASSWORD},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

bool credential_kind_parse(struct rd text, enum credential_kind *kind)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (rd_is(text, kinds[i].name)) {
			*kind = kinds[i].kind;
			return true;
		}
	}
	return false;
}

enum credential_kind credential_kind_of(enum suid suid)
{
	switch (suid_usage(suid)) {
	case SUID_USAGE_MAF:
		return KIND_KM;
	case SUID_USAGE_ESPRIM:
		return KIND_ESPRIM;
	case SUID_USAGE_ESDATA_ENC:
		return KIND_ESDATA;
	case SUID_USAGE_ESDATA_SIG:
		return KIND_ESDATA_HMAC;
	case SUID_USAGE_NONE:
	case SUID_USAGE_MEF:
	case SUID_USAGE_SAEF:
		break;
	}
	return KIND_KPSA;
}

const char *credential_kind_name(enum credential_kind kind)
{
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].kind == kind)
			return kinds[i].name;
	return "unknown";
}

bool credential_expired(const struct credential *c, uint64_t now_s)
{
	return c->expires_at <= now_s;
}

void credential_clear(struct credential *c)
{
	secret_free(c->key);
	c->key = NULL;
}

/* ---- rows ---- */

/* Newlines can't be in any of the parts (is_plain), so that no two rows have the same label. */
void credential_label(const struct credential *c, char label[static CREDENTIALS_LABEL_MAX])
{
	char identity[CREDENTIAL_IDENTITY_MAX];

	for (size_t i = 0; i < sizeof identity; i++) /* as it compares: without case */
		identity[i] = c->identity[i] >= 'A' && c->identity[i] <= 'Z' ? (char)(c->identity[i] - 'A' + 'a') : c->identity[i];
	snprintf(label, CREDENTIALS_LABEL_MAX, "credential:\n%s\n%d\n%u\n%s\n%s\n%" PRIu64, identity, (int)c->kind, c->suid, c->entity, c->peer, c->expires_at);
}

static bool column_text(sqlite3_stmt *s, int n, char *dst, size_t size)
{
	const unsigned char *text = sqlite3_column_text(s, n);

	return text && rd_text(rd_of(text, (size_t)sqlite3_column_bytes(s, n)), dst, size);
}

bool credential_row(sqlite3_stmt *s, struct credential *c, struct rd *sealed)
{
	memset(c, 0, sizeof *c);
	c->kind = (enum credential_kind)sqlite3_column_int(s, 1);
	c->suid = (unsigned)sqlite3_column_int(s, 2);
	c->expires_at = (uint64_t)sqlite3_column_int64(s, 5);
	c->expires_at = c->expires_at == INT64_MAX ? UINT64_MAX : c->expires_at;
	c->added_at = (uint64_t)sqlite3_column_int64(s, 6);
	*sealed = rd_of(sqlite3_column_blob(s, 7), (size_t)sqlite3_column_bytes(s, 7));
	return column_text(s, 0, c->identity, sizeof c->identity) && column_text(s, 3, c->entity, sizeof c->entity) && column_text(s, 4, c->peer, sizeof c->peer);
}

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

/* Key identifiers are RELATIVE@FQDN (TS-0003 10.3.4, 10.3.5, 10.5, 10.6); store keys have names of their own. */
static bool identity_is_good(const struct credential *c)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+/=@"; /* + / =: a B-TID of GBA is base64 */
	const char *at = strchr(c->identity, '@');

	return at && at != c->identity && at[1] && !strchr(at + 1, '@') && strspn(c->identity, alphabet) == strlen(c->identity);
}

static bool is_good(const struct credential *c)
{
	return identity_is_good(c) && is_plain(c->entity) && is_plain(c->peer) && c->key && secret_len(c->key) >= CREDENTIAL_KEY_LEAST;
}

/* ---- opening ---- */

void credentials_rollback(struct credentials *s)
{
	sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL); /* may have happened by itself */
}

enum err credentials_header_read(struct credentials *s, struct credentials_header *h)
{
	sqlite3_stmt *q;
	struct rd wrapped;
	enum err e = ERR_STORE;
	int r;

	if (sqlite3_prepare_v2(s->db, "SELECT version, kek, kek_id, generation, wrapped FROM store", -1, &q, NULL) != SQLITE_OK)
		return ERR_STORE;
	r = sqlite3_step(q);
	if (r == SQLITE_DONE) {
		e = ERR_NOT_FOUND;
	} else if (r == SQLITE_ROW) {
		wrapped = rd_of(sqlite3_column_blob(q, 4), (size_t)sqlite3_column_bytes(q, 4));
		h->generation = sqlite3_column_int64(q, 3);
		h->wrapped_len = wrapped.left;
		if (sqlite3_column_int(q, 0) != 1)
			e = ERR_VERSION;
		else if (column_text(q, 1, h->kek, sizeof h->kek) && column_text(q, 2, h->kek_id, sizeof h->kek_id) && wrapped.left <= sizeof h->wrapped &&
		    rd_copy(&wrapped, h->wrapped, wrapped.left))
			e = OK;
	}
	sqlite3_finalize(q);
	return e;
}

enum err credentials_header_write(struct credentials *s, const struct credentials_header *h)
{
	sqlite3_stmt *q;
	int r;

	if (sqlite3_prepare_v2(s->db, "INSERT OR REPLACE INTO store VALUES (1, 1, ?1, ?2, ?3, ?4)", -1, &q, NULL) != SQLITE_OK)
		return ERR_STORE;
	sqlite3_bind_text(q, 1, h->kek, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 2, h->kek_id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 3, h->generation);
	sqlite3_bind_blob(q, 4, h->wrapped, (int)h->wrapped_len, SQLITE_STATIC);
	r = sqlite3_step(q);
	sqlite3_finalize(q);
	return r == SQLITE_DONE ? OK : ERR_STORE;
}

/* Where it may be: what the options say; the store's own word; beside the store, when the whole folder was moved. Without options what is beside
 * goes first, so that a copy of a folder uses its own copy of the key. The detail is that of the store's word. */
static enum err find_kek(const struct credentials *s, const struct credentials_header *h, struct kek **k, const char **detail)
{
	const char *ignored;
	enum err e;

	if (s->kek_given && kek_open(s->given, h->kek_id, k, &ignored) == OK)
		return OK;
	if (!s->kek_given && kek_open(s->beside, h->kek_id, k, &ignored) == OK)
		return OK;
	e = kek_open(s->kek_given && strcmp(h->kek, s->beside) == 0 ? s->given : h->kek, h->kek_id, k, detail);
	return e != OK && s->kek_given && kek_open(h->kek, h->kek_id, k, &ignored) == OK ? OK : e;
}

enum err credentials_unlock(struct credentials *s, const struct credentials_header *h, const char **detail)
{
	struct secret *data_key = NULL;
	struct kek *k;
	enum err e = find_kek(s, h, &k, detail);

	if (e != OK)
		return e;
	e = kek_unwrap(k, rd_of(h->wrapped, h->wrapped_len), &data_key);
	if (e == OK) {
		snprintf(s->kek, sizeof s->kek, "%s", kek_reference(k));
		secret_free(s->data_key);
		s->data_key = data_key;
		s->generation = h->generation;
	} else {
		*detail = "the store's data key does not open under this key: the file was changed";
	}
	kek_free(k);
	return e;
}

static enum err first(struct credentials *s, const char **detail)
{
	struct credentials_header h = {.generation = 1};
	struct wr w = wr_of(h.wrapped, sizeof h.wrapped);
	struct secret *data_key = NULL;
	struct kek *k = NULL;
	enum err e = kek_first(s->kek, s->rng, &k, detail);

	if (e != OK)
		return e;
	*detail = "the data key can't be wrapped";
	data_key = secret_random(s->rng, KEK_DATA_KEY);
	e = data_key ? kek_wrap(k, data_key, s->rng, &w) : ERR_NO_MEMORY;
	if (e == OK) {
		h.wrapped_len = w.len;
		snprintf(h.kek, sizeof h.kek, "%s", s->kek);
		snprintf(h.kek_id, sizeof h.kek_id, "%s", kek_id(k));
		*detail = "the store can't be written";
		e = credentials_header_write(s, &h);
	}
	kek_free(k);
	if (e != OK) {
		secret_free(data_key);
		return e;
	}
	s->data_key = data_key;
	s->generation = h.generation;
	return OK;
}

/* Two processes may make a new store at once: the lock says who does. */
static enum err unlock_or_begin(struct credentials *s, bool may_begin, const char **detail)
{
	struct credentials_header h;
	enum err e = credentials_header_read(s, &h);

	if (e == ERR_NOT_FOUND && may_begin) {
		*detail = "the store is locked";
		if (database_execute(s->db, "BEGIN IMMEDIATE") != OK)
			return ERR_STORE;
		e = credentials_header_read(s, &h);
		if (e == ERR_NOT_FOUND) {
			e = first(s, detail);
			if (e == OK)
				return database_execute(s->db, "COMMIT");
		}
		credentials_rollback(s);
	}
	if (e == OK && s->no_keys)
		snprintf(s->kek, sizeof s->kek, "%s", h.kek);
	if (e != OK || s->no_keys)
		return e;
	return credentials_unlock(s, &h, detail);
}

static enum err open_file(struct credentials *s, const struct credentials_options *o, const char **detail)
{
	*detail = "there is no such store";
	if (o->must_exist && access(o->path, F_OK) != 0)
		return ERR_NOT_FOUND;
	return database_open(o->path, schema, &s->db, detail);
}

/* Absolute, because the store remembers it. */
static bool default_kek(struct credentials *s, const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX], real[PATH_MAX];
	int n;

	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	n = snprintf(s->beside, sizeof s->beside, "%s/credentials.key", realpath(folder, real) ? real : folder);
	return n > 0 && (size_t)n < sizeof s->beside;
}

enum err credentials_open(const struct credentials_options *o, struct credentials **out, const char **detail)
{
	struct credentials *s = calloc(1, sizeof *s);
	enum err e;

	*detail = "out of memory";
	if (!s)
		return ERR_NO_MEMORY;
	s->rng = o->rng;
	s->no_keys = o->no_keys;
	s->kek_given = o->kek != NULL;
	*detail = "the path of the key is too long";
	e = default_kek(s, o->path) && rd_text(rd_str(o->kek ? o->kek : s->beside), s->given, sizeof s->given) ? OK : ERR_TOO_LONG;
	memcpy(s->kek, s->given, sizeof s->kek);
	if (e == OK)
		e = open_file(s, o, detail);
	if (e == OK)
		e = unlock_or_begin(s, !o->must_exist && !o->no_keys, detail);
	for (int i = 0; e == OK && i < STATEMENTS; i++)
		e = sqlite3_prepare_v3(s->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[i], NULL) == SQLITE_OK ? OK : ERR_STORE;
	if (e != OK) {
		credentials_close(s);
		return e;
	}
	*out = s;
	return OK;
}

void credentials_close(struct credentials *s)
{
	if (!s)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->db);
	secret_free(s->data_key);
	free(s);
}

const char *credentials_kek(const struct credentials *s)
{
	return s->kek;
}

/* ---- reading and writing ---- */

/* Another process has rotated the keys: get the new ones. */
static enum err refresh(struct credentials *s)
{
	struct credentials_header h;
	const char *detail;
	enum err e = credentials_header_read(s, &h);

	if (e == OK && h.generation != s->generation)
		e = credentials_unlock(s, &h, &detail);
	return e;
}

static enum err unseal(struct credentials *s, sqlite3_stmt *q, struct credential *c, struct rd sealed)
{
	char label[CREDENTIALS_LABEL_MAX];

	if (s->no_keys)
		return OK;
	if (sqlite3_column_int64(q, 8) != s->generation) {
		enum err e = refresh(s);

		if (e != OK)
			return e;
	}
	credential_label(c, label);
	return secret_unseal(s->data_key, label, sealed, &c->key);
}

static enum err fetch(struct credentials *s, sqlite3_stmt *q, struct credential *c)
{
	struct rd sealed;
	enum err e = ERR_STORE;
	int r = sqlite3_step(q);

	if (r == SQLITE_DONE)
		e = ERR_NOT_FOUND;
	else if (r == SQLITE_ROW && credential_row(q, c, &sealed))
		e = unseal(s, q, c, sealed);
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return e;
}

enum err credentials_find(struct credentials *s, const char *identity, struct credential *c)
{
	sqlite3_bind_text(s->statements[FIND], 1, identity, -1, SQLITE_STATIC);
	return fetch(s, s->statements[FIND], c);
}

static enum err find_other(struct credentials *s, sqlite3_stmt *q, enum credential_kind kind, const char *other, uint64_t now_s, struct credential *c)
{
	sqlite3_bind_int(q, 1, (int)kind);
	sqlite3_bind_text(q, 2, other, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 3, now_s > INT64_MAX ? INT64_MAX : (int64_t)now_s);
	return fetch(s, q, c);
}

enum err credentials_find_peer(struct credentials *s, enum credential_kind kind, const char *peer, uint64_t now_s, struct credential *c)
{
	return find_other(s, s->statements[FIND_PEER], kind, peer, now_s, c);
}

enum err credentials_find_entity(struct credentials *s, enum credential_kind kind, const char *entity, uint64_t now_s, struct credential *c)
{
	return find_other(s, s->statements[FIND_ENTITY], kind, entity, now_s, c);
}

static enum err step(sqlite3_stmt *q)
{
	int r = sqlite3_step(q);

	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return r == SQLITE_DONE ? OK : ERR_STORE;
}

static enum err write_row(struct credentials *s, const struct credential *c, bool only_new)
{
	sqlite3_stmt *q = s->statements[only_new ? ADD : PUT];
	uint8_t octets[CREDENTIALS_SEALED_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	char label[CREDENTIALS_LABEL_MAX];
	enum err e;

	credential_label(c, label);
	e = secret_seal(s->data_key, label, c->key, s->rng, &w);
	if (e != OK)
		return e;
	sqlite3_bind_text(q, 1, c->identity, -1, SQLITE_STATIC);
	sqlite3_bind_int(q, 2, (int)c->kind);
	sqlite3_bind_int(q, 3, (int)c->suid);
	sqlite3_bind_text(q, 4, c->entity, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 5, c->peer, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 6, c->expires_at > INT64_MAX ? INT64_MAX : (int64_t)c->expires_at);
	sqlite3_bind_int64(q, 7, (int64_t)c->added_at);
	sqlite3_bind_blob(q, 8, octets, (int)w.len, SQLITE_STATIC);
	e = step(q);
	if (e == OK && only_new && sqlite3_changes(s->db) == 0)
		e = ERR_EXISTS;
	return e;
}

/* Under the lock, so that no rotation comes between reading the data key and writing the row. */
enum err credentials_put(struct credentials *s, const struct credential *c, bool only_new)
{
	enum err e;

	if (!is_good(c))
		return ERR_BAD_VALUE;
	if (s->no_keys)
		return ERR_STATE;
	if (database_execute(s->db, "BEGIN IMMEDIATE") != OK)
		return ERR_STORE;
	e = refresh(s);
	if (e == OK)
		e = write_row(s, c, only_new);
	if (e == OK)
		e = database_execute(s->db, "COMMIT");
	if (e != OK)
		credentials_rollback(s);
	return e;
}

enum err credentials_remove(struct credentials *s, const char *identity)
{
	enum err e;

	sqlite3_bind_text(s->statements[REMOVE], 1, identity, -1, SQLITE_STATIC);
	e = step(s->statements[REMOVE]);
	return e == OK && sqlite3_changes(s->db) == 0 ? ERR_NOT_FOUND : e;
}

enum err credentials_sweep(struct credentials *s, uint64_t now_s, uint64_t *removed)
{
	enum err e;

	sqlite3_bind_int64(s->statements[SWEEP], 1, (int64_t)now_s);
	e = step(s->statements[SWEEP]);
	*removed = e == OK ? (uint64_t)sqlite3_changes(s->db) : 0;
	return e;
}

bool credentials_changed(struct credentials *s)
{
	sqlite3_stmt *q = s->statements[CHANGES];
	int64_t before = s->changes;

	if (sqlite3_step(q) == SQLITE_ROW)
		s->changes = sqlite3_column_int64(q, 0);
	sqlite3_reset(q);
	return s->changes != before;
}

enum err credentials_each(struct credentials *s, void (*fn)(void *ctx, const struct credential *c), void *ctx)
{
	enum err e = OK;
	sqlite3_stmt *q;
	int r = SQLITE_DONE;

	if (sqlite3_prepare_v2(s->db, "SELECT " CREDENTIAL_COLUMNS " FROM credentials ORDER BY identity", -1, &q, NULL) != SQLITE_OK)
		return ERR_STORE;
	while (e == OK && (r = sqlite3_step(q)) == SQLITE_ROW) {
		struct credential c;
		struct rd sealed;

		if (credential_row(q, &c, &sealed))
			fn(ctx, &c);
		else
			e = ERR_STORE;
	}
	sqlite3_finalize(q);
	return e == OK && r != SQLITE_DONE ? ERR_STORE : e;
}

enum err credentials_verify(struct credentials *s, char identity[static CREDENTIAL_IDENTITY_MAX])
{
	enum err e = s->no_keys ? ERR_STATE : OK;
	sqlite3_stmt *q;

	identity[0] = '\0';
	if (e != OK || sqlite3_prepare_v2(s->db, "SELECT " CREDENTIAL_COLUMNS ", (SELECT generation FROM store) FROM credentials ORDER BY identity", -1, &q, NULL) != SQLITE_OK)
		return e == OK ? ERR_STORE : e;
	while (e == OK && sqlite3_step(q) == SQLITE_ROW) {
		struct credential c;
		struct rd sealed;

		e = credential_row(q, &c, &sealed) ? unseal(s, q, &c, sealed) : ERR_STORE;
		if (e != OK)
			snprintf(identity, CREDENTIAL_IDENTITY_MAX, "%s", c.identity);
		credential_clear(&c);
	}
	sqlite3_finalize(q);
	return e;
}
