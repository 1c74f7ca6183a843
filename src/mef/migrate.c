/* Clients and commands out of mef.db. */
#include "mef/migrate.h"

#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "mef/mef.h"

static bool text(sqlite3_stmt *s, int n, char *dst, size_t size)
{
	const unsigned char *t = sqlite3_column_text(s, n);

	return t && rd_text(rd_of(t, (size_t)sqlite3_column_bytes(s, n)), dst, size);
}

static enum err client(struct registry *r, sqlite3_stmt *s)
{
	struct registry_client c;

	memset(&c, 0, sizeof c);
	c.expires_at = (uint64_t)sqlite3_column_int64(s, 3);
	if (!text(s, 0, c.client, sizeof c.client) || !text(s, 1, c.id, sizeof c.id) || !text(s, 2, c.admin, sizeof c.admin))
		return ERR_STORE;
	return registry_client_put(r, &c);
}

static enum err command(struct registry *r, sqlite3_stmt *s)
{
	char key_id[REGISTRY_ID_SIZE], reason[64];
	struct registry_command c = {.id = (uint64_t)sqlite3_column_int64(s, 0), .issued = sqlite3_column_int(s, 5) != 0};

	if (!text(s, 6, c.registration, sizeof c.registration) || !text(s, 3, key_id, sizeof key_id) || !text(s, 4, reason, sizeof reason))
		return ERR_STORE;
	mef_command_fill(&c, (enum command_class)sqlite3_column_int(s, 1), (uint64_t)sqlite3_column_int64(s, 2), key_id, reason);
	return registry_command_put(r, &c);
}

static enum err each(sqlite3 *db, const char *sql, struct registry *r, enum err (*fn)(struct registry *r, sqlite3_stmt *s))
{
	sqlite3_stmt *s;
	enum err e = OK;
	int result = SQLITE_DONE;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
		return ERR_STORE;
	while (e == OK && (result = sqlite3_step(s)) == SQLITE_ROW)
		e = fn(r, s);
	sqlite3_finalize(s);
	return e == OK && result != SQLITE_DONE ? ERR_STORE : e;
}

static bool has_table(sqlite3 *db, const char *name)
{
	bool there = false;
	sqlite3_stmt *s;

	if (sqlite3_prepare_v2(db, "SELECT 1 FROM sqlite_master WHERE type='table' AND name=?1", -1, &s, NULL) == SQLITE_OK) {
		sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
		there = sqlite3_step(s) == SQLITE_ROW;
	}
	sqlite3_finalize(s);
	return there;
}

/* A number is never given twice, also when the commands that had the last ones are done with. */
static enum err count_on(struct registry *r, sqlite3_stmt *s)
{
	const struct registry_command last = {.id = (uint64_t)sqlite3_column_int64(s, 0)};
	enum err e = registry_command_put(r, &last);

	return e == OK ? registry_commands_withdraw(r, "", COMMAND_NO_MORE, 0) : e;
}

/* The registry first, on disk; then the tables go. Killed in between, it is all put again as it is. */
static enum err move(sqlite3 *db, struct registry *r)
{
	enum err e;

	if (!has_table(db, "clients") || !has_table(db, "commands"))
		return OK;
	e = each(db, "SELECT seq FROM sqlite_sequence WHERE name = 'commands'", r, count_on);
	if (e == OK)
		e = each(db, "SELECT id, registration, admin_fqdn, expires_at FROM clients", r, client);
	if (e == OK)
		e = each(db, "SELECT m.id, class, device, key_id, reason, issued, registration FROM commands m JOIN clients c ON c.id = m.client ORDER BY m.id", r, command);
	if (e == OK)
		e = registry_commit(r);
	if (e == OK && sqlite3_exec(db, "BEGIN; DROP TABLE commands; DROP TABLE clients; COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		e = ERR_STORE;
	return e;
}

enum err mef_migrate(const char *path, struct registry *r)
{
	sqlite3 *db = NULL;
	enum err e = ERR_STORE;

	if (access(path, F_OK) != 0)
		return OK;
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK && sqlite3_busy_timeout(db, 5000) == SQLITE_OK &&
	    sqlite3_exec(db, "PRAGMA synchronous=FULL", NULL, NULL, NULL) == SQLITE_OK)
		e = move(db, r);
	sqlite3_close(db);
	return e;
}
