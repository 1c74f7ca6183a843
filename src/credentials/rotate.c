/* Rotation of the KEK. The order is what makes it safe to kill:
 *
 *	key file                                         token
 *	                                                 1  write down the ID of the key to be made (pending)
 *	1  lock the store                                2  make it in the token
 *	2  new key into FILE.new, on disk                3  lock the store
 *	3  new data key, all rows anew, header; commit   4  new data key, all rows anew, header; old ID becomes pending; commit
 *	4  FILE.new becomes FILE                         5  destroy the old key in the token, forget its ID
 *
 * Before the commit the store is under the old KEK, afterwards under the new one. Killed before a key file is renamed, kek_open finds it aside.
 * What is pending and not in use is destroyed when the next rotation begins. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/bytes.h"
#include "credentials/private.h"
#include "keys/sealed.h"

/* ---- what is pending ---- */

static enum err pending_run(struct credentials *s, const char *sql, const char *kek, const char *kek_id)
{
	sqlite3_stmt *q;
	int r;

	if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) != SQLITE_OK)
		return ERR_STORE;
	sqlite3_bind_text(q, 1, kek, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 2, kek_id, -1, SQLITE_STATIC);
	r = sqlite3_step(q);
	sqlite3_finalize(q);
	return r == SQLITE_DONE ? OK : ERR_STORE;
}

static enum err pending_add(struct credentials *s, const char *kek, const char *kek_id)
{
	return pending_run(s, "INSERT OR IGNORE INTO pending VALUES (?1, ?2)", kek, kek_id);
}

static enum err pending_drop(struct credentials *s, const char *kek, const char *kek_id)
{
	return pending_run(s, "DELETE FROM pending WHERE kek = ?1 AND kek_id = ?2", kek, kek_id);
}

/* One that is pending; false when none is. */
static bool pending_next(struct credentials *s, char kek[static KEK_REFERENCE_MAX], char kek_id[static KEK_ID_SIZE])
{
	bool found = false;
	sqlite3_stmt *q;

	if (sqlite3_prepare_v2(s->db, "SELECT kek, kek_id FROM pending LIMIT 1", -1, &q, NULL) != SQLITE_OK)
		return false;
	if (sqlite3_step(q) == SQLITE_ROW)
		found = rd_text(rd_str((const char *)sqlite3_column_text(q, 0)), kek, KEK_REFERENCE_MAX) &&
		    rd_text(rd_str((const char *)sqlite3_column_text(q, 1)), kek_id, KEK_ID_SIZE);
	sqlite3_finalize(q);
	return found;
}

/* Destroys what former rotations left. A token that is not there keeps its key until it is. */
static void tidy(struct credentials *s)
{
	char kek[KEK_REFERENCE_MAX], id[KEK_ID_SIZE];

	while (pending_next(s, kek, id))
		if (kek_destroy(kek, id) != OK || pending_drop(s, kek, id) != OK)
			return;
}

/* ---- rows ---- */

static enum err reseal_row(struct credentials *s, const struct secret *new_key, sqlite3_stmt *row, sqlite3_stmt *put)
{
	uint8_t octets[CREDENTIALS_SEALED_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	char label[CREDENTIALS_LABEL_MAX];
	struct credential c;
	struct rd sealed;
	enum err e;

	if (!credential_row(row, &c, &sealed))
		return ERR_STORE;
	credential_label(&c, label);
	e = secret_unseal(s->data_key, label, sealed, &c.key);
	if (e == OK)
		e = secret_seal(new_key, label, c.key, s->rng, &w);
	credential_clear(&c);
	if (e != OK)
		return e;
	sqlite3_bind_blob(put, 1, octets, (int)w.len, SQLITE_TRANSIENT);
	sqlite3_bind_text(put, 2, c.identity, -1, SQLITE_TRANSIENT);
	e = sqlite3_step(put) == SQLITE_DONE ? OK : ERR_STORE;
	sqlite3_reset(put);
	return e;
}

static enum err reseal(struct credentials *s, const struct secret *new_key)
{
	sqlite3_stmt *row = NULL, *put = NULL;
	enum err e = OK;
	int r = SQLITE_ERROR;

	if (sqlite3_prepare_v2(s->db, "SELECT " CREDENTIAL_COLUMNS " FROM credentials", -1, &row, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(s->db, "UPDATE credentials SET sealed = ?1 WHERE identity = ?2", -1, &put, NULL) != SQLITE_OK)
		e = ERR_STORE;
	while (e == OK && (r = sqlite3_step(row)) == SQLITE_ROW)
		e = reseal_row(s, new_key, row, put);
	sqlite3_finalize(row);
	sqlite3_finalize(put);
	return e == OK && r != SQLITE_DONE ? ERR_STORE : e;
}

/* ---- rotation ---- */

/* Inside the transaction. */
static enum err turn(struct credentials *s, const struct credentials_header *old, struct kek *k, struct secret *data_key)
{
	struct credentials_header h = {.generation = old->generation + 1};
	struct wr w = wr_of(h.wrapped, sizeof h.wrapped);
	enum err e = kek_wrap(k, data_key, s->rng, &w);

	h.wrapped_len = w.len;
	snprintf(h.kek, sizeof h.kek, "%s", kek_reference(k));
	snprintf(h.kek_id, sizeof h.kek_id, "%s", kek_id(k));
	if (e == OK)
		e = reseal(s, data_key);
	if (e == OK)
		e = credentials_header_write(s, &h);
	if (e == OK)
		e = pending_drop(s, h.kek, h.kek_id);
	/* A key file that is only renamed over needs no forgetting. What lies at another place than where this store found its key is another store's. */
	if (e == OK && (kek_is_token(s->kek) || strcmp(s->kek, h.kek) != 0))
		e = pending_add(s, s->kek, old->kek_id);
	return e == OK ? database_execute(s->db, "COMMIT") : e;
}

static enum err make(struct credentials *s, const char *reference, struct kek **k, const char **detail)
{
	uint8_t octets[16];
	char id[KEK_ID_SIZE];
	enum err e;

	if (!kek_is_token(reference))
		return OK; /* under the lock */
	rng_fill(s->rng, octets, sizeof octets);
	hex_print(id, octets, sizeof octets);
	*detail = "the store can't be written";
	e = pending_add(s, reference, id);
	return e == OK ? kek_create_as(reference, id, k, detail) : e;
}

static enum err locked(struct credentials *s, const char *reference, struct kek **k, const char **detail)
{
	struct credentials_header old;
	struct secret *data_key;
	enum err e = credentials_header_read(s, &old);

	if (e == OK && old.generation != s->generation)
		e = credentials_unlock(s, &old, detail);
	if (e == OK && !*k)
		e = kek_create(reference, s->rng, k, detail);
	if (e != OK)
		return e;
	*detail = "a row does not open, or the store can't be written: nothing was changed";
	data_key = secret_random(s->rng, KEK_DATA_KEY);
	if (!data_key)
		return ERR_NO_MEMORY;
	e = turn(s, &old, *k, data_key);
	if (e != OK) {
		secret_free(data_key);
		return e;
	}
	secret_free(s->data_key);
	s->data_key = data_key;
	s->generation = old.generation + 1;
	snprintf(s->kek, sizeof s->kek, "%s", kek_reference(*k));
	return OK;
}

/* One rotation at a time: another's pending key must not be destroyed under it. Not the store's own file: closing that would drop SQLite's locks. */
static int lock_take(struct credentials *s)
{
	const char *path = sqlite3_db_filename(s->db, "main");
	char name[4096];
	int n = snprintf(name, sizeof name, "%s-rotation", path && path[0] ? path : "");
	int fd;

	if (!path || !path[0])
		return open("/dev/null", O_RDONLY | O_CLOEXEC); /* in memory: nobody else has it */
	if (n <= 0 || (size_t)n >= sizeof name)
		return -1;
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static enum err rotate(struct credentials *s, const char *where, const char **detail)
{
	struct kek *k = NULL;
	enum err e = make(s, where, &k, detail);

	if (e == OK) {
		*detail = "the store is locked";
		e = database_execute(s->db, "BEGIN IMMEDIATE");
		if (e == OK) {
			e = locked(s, where, &k, detail);
			if (e != OK)
				credentials_rollback(s);
		}
	}
	if (e == OK) {
		*detail = "the new key file can't be put in its place: FILE.new is the key now";
		e = kek_settle(k);
	}
	kek_free(k);
	return e;
}

enum err credentials_rotate(struct credentials *s, const char *reference, const char **detail)
{
	char where[KEK_REFERENCE_MAX];
	struct credentials_header h;
	enum err e;
	int lock;

	*detail = "opened without keys";
	if (s->no_keys)
		return ERR_STATE;
	*detail = "the store can't be read";
	e = credentials_header_read(s, &h);
	if (e != OK)
		return e;
	*detail = "the reference of the key is too long";
	if (!rd_text(rd_str(reference ? reference : s->kek), where, sizeof where))
		return ERR_TOO_LONG;
	*detail = "another rotation is under way";
	lock = lock_take(s);
	if (lock < 0)
		return ERR_STATE;
	tidy(s);
	e = rotate(s, where, detail);
	if (e == OK)
		tidy(s);
	close(lock);
	return e;
}
