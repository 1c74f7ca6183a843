/* Finding, adding and removing. */
#include <stdio.h>
#include <string.h>

#include "credentials/private.h"
#include "keys/sealed.h"

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
