/* The registry's file: SQLite in WAL mode with synchronous=FULL, one transaction for all procedures between two commits. */
#include "key_registry/registry.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "database/database.h"
#include "key_registry/private.h"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS clients (id TEXT PRIMARY KEY COLLATE NOCASE, client TEXT NOT NULL, admin TEXT NOT NULL COLLATE NOCASE,"
    " labels TEXT NOT NULL, assigned TEXT NOT NULL, config TEXT NOT NULL, expires_at INTEGER NOT NULL, UNIQUE (client, admin));"
    "CREATE INDEX IF NOT EXISTS clients_expiry ON clients (expires_at);"
    "CREATE TABLE IF NOT EXISTS keys (id TEXT PRIMARY KEY COLLATE NOCASE, source TEXT NOT NULL, admin TEXT NOT NULL, labels TEXT NOT NULL,"
    " targets TEXT NOT NULL, suid INTEGER NOT NULL, exported INTEGER NOT NULL, expires_at INTEGER NOT NULL, sealed BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS keys_source ON keys (source);"
    "CREATE INDEX IF NOT EXISTS keys_expiry ON keys (expires_at);"
    /* under which credential its source, or the client, came: by the ID of the key or of the client registration */
    "CREATE TABLE IF NOT EXISTS origins (id TEXT PRIMARY KEY COLLATE NOCASE, credential TEXT NOT NULL, key_name TEXT NOT NULL DEFAULT '') WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS origins_credential ON origins (credential);"
    "CREATE TRIGGER IF NOT EXISTS keys_gone AFTER DELETE ON keys BEGIN DELETE FROM origins WHERE id = old.id; END;"
    "CREATE TRIGGER IF NOT EXISTS clients_gone AFTER DELETE ON clients BEGIN DELETE FROM origins WHERE id = old.id; END;"
    "CREATE TABLE IF NOT EXISTS commands (id INTEGER PRIMARY KEY AUTOINCREMENT, registration TEXT NOT NULL COLLATE NOCASE, class INTEGER NOT NULL,"
    " about INTEGER NOT NULL, object TEXT NOT NULL, args TEXT NOT NULL, issued INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS commands_registration ON commands (registration, id);"
    "CREATE TABLE IF NOT EXISTS reports (id INTEGER PRIMARY KEY, client TEXT NOT NULL, class INTEGER NOT NULL, args TEXT NOT NULL, status INTEGER NOT NULL,"
    " at INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS anchor (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL, sealed BLOB NOT NULL);";

#define CLIENT_COLUMNS "id, client, admin, labels, assigned, config, expires_at"
#define KEY_COLUMNS "id, source, admin, labels, targets, suid, exported, expires_at, sealed"
#define COMMAND_COLUMNS "id, registration, class, about, object, args, issued"

static const char *const texts[REGISTRY_STATEMENTS] = {
	[CLIENT_PUT] = "INSERT OR REPLACE INTO clients (" CLIENT_COLUMNS ") VALUES (?,?,?,?,?,?,?)",
	[CLIENT_BY_ID] = "SELECT " CLIENT_COLUMNS " FROM clients WHERE id = ?1 AND expires_at > ?2",
	[CLIENT_OF] = "SELECT " CLIENT_COLUMNS " FROM clients WHERE client = ?1 AND expires_at > ?2 ORDER BY rowid DESC LIMIT 1",
	[CLIENT_OF_ADMIN] = "SELECT " CLIENT_COLUMNS " FROM clients WHERE client = ?1 AND admin = ?2 AND expires_at > ?3",
	[CLIENT_DELETE] = "DELETE FROM clients WHERE id = ?1",
	[CLIENT_CONFIGURE] = "UPDATE clients SET config = ?2 WHERE id = ?1",
	[CLIENTS_ALL] = "SELECT " CLIENT_COLUMNS " FROM clients ORDER BY client, rowid",
	[CLIENT_COMMANDS_DELETE] = "DELETE FROM commands WHERE registration = ?1",
	/* with the last registration of a client */
	[CLIENT_KEYS_DELETE] = "DELETE FROM keys WHERE source = ?1 AND NOT EXISTS (SELECT 1 FROM clients WHERE client = ?1)",
	[KEY_ADD] = "INSERT OR IGNORE INTO keys (" KEY_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?)",
	[KEY_PUT] = "INSERT OR REPLACE INTO keys (" KEY_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?)",
	[KEY_GET] = "SELECT " KEY_COLUMNS " FROM keys WHERE id = ?1 AND expires_at > ?2",
	[KEY_DELETE] = "DELETE FROM keys WHERE id = ?1",
	[ORIGIN_PUT] = "INSERT OR REPLACE INTO origins (id, credential, key_name) VALUES (?,?,?)",
	[ORIGIN_DELETE] = "DELETE FROM origins WHERE id = ?1",
	[ORIGIN] = "SELECT credential, key_name FROM origins WHERE id = ?1",
	[ORIGINS] = "SELECT credential, key_name FROM origins WHERE (credential, key_name) > (?1, ?2) ORDER BY credential, key_name LIMIT 1",
	[ORIGIN_CLIENTS] = "SELECT clients.id, client FROM clients JOIN origins ON origins.id = clients.id WHERE credential = ?1 AND key_name = ?2 LIMIT 1",
	[ORIGIN_KEYS] = "SELECT keys.id, source FROM keys JOIN origins ON origins.id = keys.id WHERE credential = ?1 AND key_name = ?2 LIMIT 1",
	[KEYS_MANY] = "SELECT count(*) FROM keys WHERE source = ?1",
	[CLIENTS_MANY] = "SELECT count(*) FROM clients WHERE client = ?1",
	[KEYS_OF] = "SELECT id FROM keys WHERE source = ?1",
	[COMMAND_ADD] = "INSERT INTO commands (registration, class, about, object, args, issued) VALUES (?,?,?,?,?,0)",
	[COMMAND_PUT] = "INSERT OR IGNORE INTO commands (" COMMAND_COLUMNS ") VALUES (?,?,?,?,?,?,?)",
	[COMMAND_FIRST] = "SELECT " COMMAND_COLUMNS " FROM commands WHERE registration = ?1 ORDER BY id LIMIT 1",
	[COMMAND_GET] = "SELECT " COMMAND_COLUMNS " FROM commands WHERE id = ?1 AND registration = ?2 AND issued",
	[COMMAND_ISSUE] = "UPDATE commands SET issued = 1 WHERE id = ?1",
	[COMMAND_DELETE] = "DELETE FROM commands WHERE id = ?1",
	[COMMANDS_WITHDRAW] = "DELETE FROM commands WHERE registration = ?1 AND class = ?2 AND about = ?3",
	[COMMAND_GRANTS] = ("SELECT 1 FROM commands JOIN clients ON clients.id = commands.registration WHERE clients.client = ?1 AND commands.class = ?2"
			   " AND commands.object = ?3 AND commands.issued LIMIT 1"),
	[COMMAND_WAITS] = "SELECT 1 FROM commands WHERE registration = ?1 AND class = ?2 AND object = ?3 COLLATE NOCASE LIMIT 1",
	[COMMANDS_ABOUT] = "SELECT 1 FROM commands WHERE registration = ?1 AND about = ?2 LIMIT 1",
	[REPORT_ADD] = "INSERT OR REPLACE INTO reports (id, client, class, args, status, at) VALUES (?,?,?,?,?,?)",
	[REPORTS] = ("SELECT * FROM (SELECT commands.id, clients.client, class, args, CASE issued WHEN 0 THEN 0 ELSE 10 END, 0 FROM commands JOIN clients"
		     " ON clients.id = commands.registration WHERE about = 0 UNION ALL SELECT id, client, class, args, status, at FROM reports)"
		     " WHERE ?1 = '' OR client = ?1 ORDER BY 1"),
	[SWEEP_COMMANDS] = "DELETE FROM commands WHERE registration IN (SELECT id FROM clients WHERE expires_at <= ?1)",
	[SWEEP_CLIENTS] = "DELETE FROM clients WHERE expires_at <= ?1",
	[SWEEP_KEYS] = "DELETE FROM keys WHERE expires_at <= ?1",
	[ANCHOR_PUT] = "INSERT OR REPLACE INTO anchor (id, last, sealed) VALUES (1, ?, ?)",
	[ANCHOR_GET] = "SELECT last, sealed FROM anchor",
	[SWEEP_REPORTS] = "DELETE FROM reports WHERE id NOT IN (SELECT id FROM reports ORDER BY id DESC LIMIT ?1)",
};

/* ---- statements ---- */

sqlite3_stmt *registry_bind(struct registry *r, enum registry_statement which, const char *kinds, ...)
{
	sqlite3_stmt *s = r->statements[which];
	va_list args;
	int n = 1;

	va_start(args, kinds);
	for (; *kinds; kinds++, n++) {
		if (*kinds == 'i') {
			sqlite3_bind_int64(s, n, va_arg(args, int64_t));
		} else if (*kinds == 's') {
			sqlite3_bind_text(s, n, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
		} else {
			const struct rd *octets = va_arg(args, const struct rd *);

			if (*kinds == 'r')
				sqlite3_bind_text(s, n, (const char *)octets->at, (int)octets->left, SQLITE_TRANSIENT);
			else
				sqlite3_bind_blob(s, n, octets->at, (int)octets->left, SQLITE_TRANSIENT);
		}
	}
	va_end(args);
	return s;
}

void registry_done(sqlite3_stmt *s)
{
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
}

enum err registry_touch(struct registry *r)
{
	if (r->dirty)
		return r->broken ? ERR_STORE : OK;
	if (database_execute(r->db, "BEGIN IMMEDIATE") != OK)
		return ERR_STORE;
	r->dirty = true;
	return OK;
}

enum err registry_write(struct registry *r, sqlite3_stmt *s)
{
	enum err e = registry_touch(r);

	if (e == OK && sqlite3_step(s) != SQLITE_DONE) {
		e = ERR_STORE;
		r->broken = true; /* half a procedure must not stay */
	}
	registry_done(s);
	return e;
}

bool registry_text(sqlite3_stmt *s, int column, char *dst, size_t size)
{
	const unsigned char *text = sqlite3_column_text(s, column);

	return text && rd_text(rd_of(text, (size_t)sqlite3_column_bytes(s, column)), dst, size);
}

enum onem2m_rsc registry_refuse(struct registry *r, enum onem2m_rsc rsc, const char *reason)
{
	r->reason = reason;
	return rsc;
}

enum err registry_audit(struct registry *r, uint64_t now_s, const char *event, const char *client, const char *detail)
{
	const struct audit_entry entry = {.event = event, .client = client, .detail = detail};
	enum err e = r->config.audit ? audit_add(r->config.audit, now_s, &entry) : OK;

	if (e == OK)
		e = registry_touch(r);
	if (e != OK)
		r->broken = true;
	return e;
}

bool registry_lifetime(uint64_t now_s, uint64_t asked, uint64_t policy_s, uint64_t credential_end, uint64_t *expires_at)
{
	uint64_t end = now_s + policy_s;

	if (asked < end)
		end = asked;
	if (credential_end && credential_end < end)
		end = credential_end;
	*expires_at = end;
	return end > now_s;
}

/* ---- opening ---- */

/* A file from before keys had names there. */
static enum err origins_upgrade(sqlite3 *db)
{
	if (sqlite3_table_column_metadata(db, NULL, "origins", "key_name", NULL, NULL, NULL, NULL, NULL) == SQLITE_OK)
		return OK;
	return database_execute(db, "ALTER TABLE origins ADD COLUMN key_name TEXT NOT NULL DEFAULT ''");
}

static enum err open_db(struct registry *r, const char *path, const char **detail)
{
	if (database_open(path, schema, &r->db, detail) != OK || origins_upgrade(r->db) != OK)
		return ERR_STORE;
	for (int i = 0; i < REGISTRY_STATEMENTS; i++)
		if (sqlite3_prepare_v3(r->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &r->statements[i], NULL) != SQLITE_OK)
			return ERR_STORE;
	return OK;
}

enum err registry_open(const char *path, const struct registry_config *c, struct registry **out, const char **detail)
{
	struct registry *r = calloc(1, sizeof *r);
	enum err e;

	*detail = "out of memory";
	if (!r)
		return ERR_NO_MEMORY;
	r->config = *c;
	r->reason = "";
	*detail = "a lifetime of the policy is beyond the hard maximum of 365 days, or zero";
	e = c->client_lifetime_s > 0 && c->client_lifetime_s <= REGISTRY_CLIENT_LIFETIME_MAX && c->key_lifetime_s > 0 &&
		c->key_lifetime_s <= REGISTRY_KEY_LIFETIME_MAX
	    ? open_db(r, path, detail)
	    : ERR_CONFIG;
	if (e == OK)
		e = registry_anchor_check(r, detail);
	if (e != OK) {
		registry_close(r);
		return e;
	}
	*out = r;
	return OK;
}

void registry_close(struct registry *r)
{
	if (!r)
		return;
	for (int i = 0; i < REGISTRY_STATEMENTS; i++)
		sqlite3_finalize(r->statements[i]);
	sqlite3_close(r->db);
	free(r);
}

const char *registry_reason(const struct registry *r)
{
	return r->reason;
}

const struct registry_config *registry_config(const struct registry *r)
{
	return &r->config;
}

uint64_t registry_losses(const struct registry *r)
{
	return r->losses;
}

bool registry_is_dirty(const struct registry *r)
{
	return r->dirty;
}

/* The audit first: what happened without an entry would be worse than an entry of what did not. */
enum err registry_commit(struct registry *r)
{
	enum err e = OK;

	if (!r->dirty)
		return OK;
	if (r->config.audit) {
		e = audit_sync(r->config.audit);
		if (e == OK)
			e = registry_anchor_put(r);
	}
	if (r->broken)
		e = e == OK ? ERR_STORE : e;
	r->dirty = r->broken = false;
	if (e == OK)
		e = database_execute(r->db, "COMMIT");
	if (e != OK) {
		r->losses++;
		r->anchored = false; /* it may be that one which was undone */
		sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
	}
	return e;
}

enum err registry_sweep(struct registry *r, uint64_t now_s, uint64_t *n)
{
	static const enum registry_statement sweeps[] = {SWEEP_COMMANDS, SWEEP_CLIENTS, SWEEP_KEYS};
	enum err e = OK;

	*n = 0;
	for (size_t i = 0; e == OK && i < sizeof sweeps / sizeof sweeps[0]; i++) {
		e = registry_write(r, registry_bind(r, sweeps[i], "i", (int64_t)now_s));
		*n += (uint64_t)sqlite3_changes(r->db);
	}
	if (e == OK)
		e = registry_write(r, registry_bind(r, SWEEP_REPORTS, "i", (int64_t)REGISTRY_REPORTS));
	return e;
}
