/* The file of the DAS: rules and tokens. SQLite in WAL mode with synchronous=FULL. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit.h"
#include "das/private.h"

#define BUSY_MS 5000

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS rules (id INTEGER PRIMARY KEY AUTOINCREMENT, originator TEXT NOT NULL, resource TEXT NOT NULL, operations INTEGER NOT NULL,"
    " way INTEGER NOT NULL, role TEXT NOT NULL, lifetime_s INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS tokens (id TEXT PRIMARY KEY, rule INTEGER NOT NULL, holder TEXT NOT NULL, resource TEXT NOT NULL, cse TEXT NOT NULL,"
    " expires_at INTEGER NOT NULL, text TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS tokens_of ON tokens (rule, holder, resource);"
    "CREATE INDEX IF NOT EXISTS tokens_expiry ON tokens (expires_at);";

#define RULE_COLUMNS "id, originator, resource, operations, way, role, lifetime_s"
#define TOKEN_COLUMNS "id, rule, holder, resource, cse, expires_at, text"

static const char *const texts[DAS_STATEMENTS] = {
	[RULE_ADD] = "INSERT INTO rules (originator, resource, operations, way, role, lifetime_s) VALUES (?,?,?,?,?,?)",
	[RULE_DELETE] = "DELETE FROM rules WHERE id = ?1",
	[RULES_ALL] = "SELECT " RULE_COLUMNS " FROM rules ORDER BY id",
	[RULES_COUNT] = "SELECT count(*) FROM rules WHERE ?1 >= 0",
	[TOKEN_ADD] = "INSERT INTO tokens (" TOKEN_COLUMNS ") VALUES (?,?,?,?,?,?,?)",
	[TOKEN_GET] = "SELECT " TOKEN_COLUMNS " FROM tokens WHERE id = ?1 AND holder = ?2 AND cse = ?3 AND expires_at > ?4",
	[TOKEN_OF] = "SELECT " TOKEN_COLUMNS " FROM tokens WHERE rule = ?1 AND holder = ?2 AND resource = ?3 AND expires_at > ?4 AND expires_at <= ?5 LIMIT 1",
	[TOKEN_DELETE] = "DELETE FROM tokens WHERE id = ?1",
	[TOKENS_OF_RULE_DELETE] = "DELETE FROM tokens WHERE rule = ?1",
	[TOKENS_ALL] = "SELECT " TOKEN_COLUMNS " FROM tokens WHERE expires_at > ?1 ORDER BY holder, expires_at",
	[TOKENS_COUNT] = "SELECT count(*) FROM tokens WHERE expires_at > ?1",
	[TOKENS_SWEEP] = "DELETE FROM tokens WHERE expires_at <= ?1",
};

/* ---- statements ---- */

sqlite3_stmt *das_bind(struct das *d, enum das_statement which, const char *kinds, ...)
{
	sqlite3_stmt *s = d->statements[which];
	va_list args;
	int n = 1;

	va_start(args, kinds);
	for (; *kinds; kinds++, n++) {
		if (*kinds == 'i') {
			sqlite3_bind_int64(s, n, va_arg(args, int64_t));
		} else if (*kinds == 's') {
			sqlite3_bind_text(s, n, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
		} else {
			const struct rd *text = va_arg(args, const struct rd *);

			sqlite3_bind_text(s, n, (const char *)text->at, (int)text->left, SQLITE_TRANSIENT);
		}
	}
	va_end(args);
	return s;
}

void das_done(sqlite3_stmt *s)
{
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
}

enum err das_write(struct das *d, sqlite3_stmt *s)
{
	enum err e = sqlite3_step(s) == SQLITE_DONE ? OK : ERR_STORE;

	(void)d;
	das_done(s);
	return e;
}

static enum err execute(struct das *d, const char *sql)
{
	return sqlite3_exec(d->db, sql, NULL, NULL, NULL) == SQLITE_OK ? OK : ERR_STORE;
}

enum err das_begin(struct das *d)
{
	return execute(d, "BEGIN IMMEDIATE");
}

/* The audit first: what happened without an entry would be worse than an entry of what did not. */
enum err das_end(struct das *d, enum err e)
{
	if (e == OK && d->config.audit)
		e = audit_sync(d->config.audit);
	if (e == OK)
		e = execute(d, "COMMIT");
	if (e != OK)
		sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
	return e;
}

enum err das_note(struct das *d, uint64_t now_ms, const char *event, const char *client, const char *detail)
{
	const struct audit_entry entry = {.event = event, .client = client, .detail = detail};

	return d->config.audit ? audit_add(d->config.audit, now_ms / 1000, &entry) : OK;
}

bool das_column(sqlite3_stmt *s, int column, char *dst, size_t size)
{
	const unsigned char *text = sqlite3_column_text(s, column);

	return text && rd_text(rd_of(text, (size_t)sqlite3_column_bytes(s, column)), dst, size);
}

bool das_count(struct das *d, enum das_statement which, int64_t now_s, uint64_t *n)
{
	sqlite3_stmt *s = das_bind(d, which, "i", now_s);
	bool good = sqlite3_step(s) == SQLITE_ROW;

	if (good)
		*n = (uint64_t)sqlite3_column_int64(s, 0);
	das_done(s);
	return good;
}

/* ---- rules ---- */

bool das_rule_read(sqlite3_stmt *s, struct das_rule *r)
{
	*r = (struct das_rule){.id = sqlite3_column_int64(s, 0), .operations = (unsigned)sqlite3_column_int(s, 3), .way = (enum das_way)sqlite3_column_int(s, 4),
		.lifetime_s = (uint64_t)sqlite3_column_int64(s, 6)};
	return das_column(s, 1, r->originator, sizeof r->originator) && das_column(s, 2, r->resource, sizeof r->resource) && das_column(s, 5, r->role, sizeof r->role);
}

/* An ID or a pattern of one: SP-relative, printable. */
static bool is_pattern(const char *text)
{
	struct rd r = rd_str(text);
	uint8_t c;

	if (r.left < 2 || text[0] != '/' || text[1] == '/')
		return false;
	while (rd_u8(&r, &c))
		if (c <= ' ' || c >= 0x7f)
			return false;
	return true;
}

static bool is_role(const char *role)
{
	const char *at = strchr(role, '@');

	for (const char *c = role; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || *c == '*')
			return false;
	return role[0] == '\0' || (at && at != role && at[1]);
}

static bool rule_is_good(const struct das *d, const struct das_rule *r)
{
	return is_pattern(r->originator) && is_pattern(r->resource) && r->operations >= 1 && r->operations <= 63 && r->lifetime_s >= 1 &&
	    r->lifetime_s <= d->config.longest_s && is_role(r->role) && (r->way == DAS_GRANT || (r->way == DAS_TOKEN && d->config.seal)) &&
	    (!r->role[0] || r->way == DAS_TOKEN);
}

enum err das_rule_add(struct das *d, uint64_t now_ms, const struct das_rule *r, int64_t *id)
{
	char detail[4 * DAS_ID_MAX];
	uint64_t count = 0;
	enum err e;

	if (!rule_is_good(d, r))
		return ERR_BAD_VALUE;
	if (!das_count(d, RULES_COUNT, 0, &count))
		return ERR_STORE;
	if (count >= DAS_RULES_MAX)
		return ERR_FULL;
	snprintf(detail, sizeof detail, "%s %s operations %u for %llu s%s%s", r->originator, r->resource, r->operations, (unsigned long long)r->lifetime_s,
	    r->role[0] ? " role " : "", r->role);
	if ((e = das_begin(d)) != OK)
		return e;
	e = das_write(d, das_bind(d, RULE_ADD, "ssiisi", r->originator, r->resource, (int64_t)r->operations, (int64_t)r->way, r->role, (int64_t)r->lifetime_s));
	if (e == OK)
		e = das_note(d, now_ms, r->way == DAS_GRANT ? "grants allowed" : "tokens allowed", "operator", detail);
	e = das_end(d, e);
	if (e == OK)
		*id = sqlite3_last_insert_rowid(d->db);
	return e;
}

enum err das_rule_remove(struct das *d, uint64_t now_ms, int64_t id)
{
	char detail[64];
	enum err e = das_begin(d);

	if (e != OK)
		return e;
	snprintf(detail, sizeof detail, "rule %lld", (long long)id);
	e = das_write(d, das_bind(d, RULE_DELETE, "i", id));
	if (e == OK && sqlite3_changes(d->db) == 0)
		e = ERR_NOT_FOUND;
	if (e == OK)
		e = das_write(d, das_bind(d, TOKENS_OF_RULE_DELETE, "i", id));
	if (e == OK)
		e = das_note(d, now_ms, "rule removed", "operator", detail);
	return das_end(d, e);
}

enum err das_rules_each(struct das *d, void (*fn)(void *ctx, const struct das_rule *r), void *ctx)
{
	sqlite3_stmt *s = das_bind(d, RULES_ALL, "");
	struct das_rule r;
	int step;

	while ((step = sqlite3_step(s)) == SQLITE_ROW)
		if (das_rule_read(s, &r))
			fn(ctx, &r);
	das_done(s);
	return step == SQLITE_DONE ? OK : ERR_STORE;
}

/* ---- tokens ---- */

enum err das_tokens_each(struct das *d, uint64_t now_ms, void (*fn)(void *ctx, const struct das_token *t), void *ctx)
{
	sqlite3_stmt *s = das_bind(d, TOKENS_ALL, "i", (int64_t)(now_ms / 1000));
	int step;

	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		struct das_token t = {.rule = sqlite3_column_int64(s, 1), .expires_at = (uint64_t)sqlite3_column_int64(s, 5)};

		if (das_column(s, 0, t.id, sizeof t.id) && das_column(s, 2, t.holder, sizeof t.holder) && das_column(s, 3, t.resource, sizeof t.resource) &&
		    das_column(s, 4, t.cse, sizeof t.cse))
			fn(ctx, &t);
	}
	das_done(s);
	return step == SQLITE_DONE ? OK : ERR_STORE;
}

enum err das_token_forget(struct das *d, uint64_t now_ms, const char *id)
{
	enum err e = das_begin(d);

	if (e != OK)
		return e;
	e = das_write(d, das_bind(d, TOKEN_DELETE, "s", id));
	if (e == OK && sqlite3_changes(d->db) == 0)
		e = ERR_NOT_FOUND;
	if (e == OK)
		e = das_note(d, now_ms, "token forgotten", "operator", id);
	return das_end(d, e);
}

/* ---- opening ---- */

static bool prepare_file(const char *path)
{
	int fd;

	if (strcmp(path, ":memory:") == 0)
		return true;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* Tokens are as good as what they permit, until they end: what is deleted leaves no trace. */
static enum err open_db(struct das *d, const char *path, const char **detail)
{
	*detail = "the file can't be opened for writing";
	if (!prepare_file(path) || sqlite3_open_v2(path, &d->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
	    sqlite3_busy_timeout(d->db, BUSY_MS) != SQLITE_OK || execute(d, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;") != OK)
		return ERR_STORE;
	*detail = "the file is not one of this program, or damaged";
	if (execute(d, schema) != OK)
		return ERR_STORE;
	for (int i = 0; i < DAS_STATEMENTS; i++)
		if (sqlite3_prepare_v3(d->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &d->statements[i], NULL) != SQLITE_OK)
			return ERR_STORE;
	return OK;
}

enum err das_open(const char *path, const struct das_config *c, struct das **out, const char **detail)
{
	struct das *d = calloc(1, sizeof *d);
	enum err e = ERR_CONFIG;

	*detail = "out of memory";
	if (!d)
		return ERR_NO_MEMORY;
	d->config = *c;
	d->reason = "";
	*detail = "the longest lifetime is 1 second to 365 days, and the ID shorter than 256 characters";
	if (c->longest_s >= 1 && c->longest_s <= DAS_LIFETIME_MAX && c->id[0] && strlen(c->id) < DAS_ID_MAX)
		e = open_db(d, path, detail);
	if (e != OK) {
		das_close(d);
		return e;
	}
	*out = d;
	return OK;
}

void das_close(struct das *d)
{
	if (!d)
		return;
	for (int i = 0; i < DAS_STATEMENTS; i++)
		sqlite3_finalize(d->statements[i]);
	sqlite3_close(d->db);
	free(d);
}

const char *das_reason(const struct das *d)
{
	return d->reason;
}
