/* The store of credentials: SQLite in WAL mode with synchronous=FULL. */
#include "credentials/credentials.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "credentials/private.h"

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
		else if (credentials_column(q, 1, h->kek, sizeof h->kek) && credentials_column(q, 2, h->kek_id, sizeof h->kek_id) && wrapped.left <= sizeof h->wrapped &&
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
