/* The statements of the store, prepared once and pooled, so that a walk may run within a walk; and what SQLite's errors mean. */
#include "store/sqlite/private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The order of columns is that of row_of in read.c. */
#define RESOURCE "SELECT id, parent, type, ri, rn, root, creator, expires, body, 0 FROM resource "
#define INSTANCE "SELECT (t.high<<32)|(i.key&4294967295), t.parent, i.type, NULL, i.rn, i.root, i.creator, i.expires, i.body, 1 "
/* From a parent to its instances, in the order of (t.high, i.key); and from instances that an index gives to their parents. */
#define BELOW "FROM stretch t CROSS JOIN instance i WHERE t.parent=?1 AND "
#define FOUND "FROM instance i CROSS JOIN stretch t ON t.slot=i.key>>32 WHERE "
_Static_assert(STRETCH_BITS == 32 && STRETCH_MASK == 4294967295, "so the statements say");

/* Without `rn`, and without a savepoint of the statement's own (OR FAIL): a failure spoils the transaction anyway. */
#define INSTANCE_VALUES "(?,?,?,?,?,?)"
#define INSERT_INSTANCES                                                                                                                     \
	"INSERT OR FAIL INTO instance(key, type, root, creator, expires, body) VALUES" INSTANCE_VALUES "," INSTANCE_VALUES "," INSTANCE_VALUES \
	"," INSTANCE_VALUES "," INSTANCE_VALUES "," INSTANCE_VALUES "," INSTANCE_VALUES "," INSTANCE_VALUES
_Static_assert(INSTANCES_AT_ONCE == 8, "INSERT_INSTANCES has so many rows");

static const char *const texts[QUERIES] = {
	[QUERY_BY_ID] = RESOURCE "WHERE id=?1",
	[QUERY_INSTANCE] = INSTANCE BELOW "t.high=?2>>32 AND i.key=(t.slot<<32)|(?2&4294967295)",
	[QUERY_BY_RI] = RESOURCE "WHERE ri=?1",
	[QUERY_BY_NAME] = RESOURCE "WHERE parent=?1 AND rn=?2",
	[QUERY_INSTANCE_BY_NAME] = INSTANCE FOUND "i.named_in=?1 AND i.rn=?2",
	[QUERY_CHILDREN] = RESOURCE "WHERE parent=?1 AND id>?2 ORDER BY id",
	[QUERY_CHILDREN_OF_TYPE] = RESOURCE "WHERE parent=?1 AND id>?2 AND type=?3 ORDER BY id",
	[QUERY_INSTANCES] = INSTANCE BELOW "t.high>=?2>>32 AND i.key<=(t.slot<<32)|4294967295 AND"
			    " i.key>(t.slot<<32)+iif(t.high=?2>>32, ?2&4294967295, -1) ORDER BY t.high, i.key",
	[QUERY_INSTANCES_NEWEST] = INSTANCE BELOW "t.high<=?2>>32 AND i.key>=t.slot<<32 AND"
				   " i.key<(t.slot<<32)+iif(t.high=?2>>32, ?2&4294967295, 4294967296) ORDER BY t.high DESC, i.key DESC",
	[QUERY_INSTANCE_NTH] = "SELECT (t.high<<32)|(i.key&4294967295) " BELOW "i.key>=t.slot<<32 AND i.key<=(t.slot<<32)|4294967295"
			       " ORDER BY t.high, i.key LIMIT 1 OFFSET ?2",
	[QUERY_BY_TYPE] = RESOURCE "WHERE type=?1 AND id>?2 ORDER BY id",
	[QUERY_BY_LABEL] = "SELECT l.id, l.parent, coalesce(r.type, i.type), r.ri, coalesce(r.rn, i.rn), coalesce(r.root, i.root),"
			   " coalesce(r.creator, i.creator), coalesce(r.expires, i.expires), coalesce(r.body, i.body), l.instance FROM label l"
			   " LEFT JOIN resource r ON l.instance=0 AND r.id=l.id"
			   " LEFT JOIN stretch t ON l.instance=1 AND t.parent=l.parent AND t.high=l.id>>32"
			   " LEFT JOIN instance i ON i.key=(t.slot<<32)|(l.id&4294967295)"
			   " WHERE l.label=?1 AND l.id>?2 ORDER BY l.id",
	[QUERY_LABEL_COUNT] = "SELECT count(*) FROM (SELECT 1 FROM label WHERE label=?1 LIMIT ?2)",
	[QUERY_TYPE_COUNT] = "SELECT count(*) FROM (SELECT 1 FROM resource WHERE type=?1 LIMIT ?2)",
	[QUERY_EXPIRED] = RESOURCE "WHERE expires>0 AND expires<=?1 UNION ALL " INSTANCE FOUND "i.expires>0 AND i.expires<=?1 ORDER BY 8",
	[QUERY_NEXT_EXPIRY] = ("SELECT min(coalesce((SELECT min(expires) FROM resource WHERE expires>0), 9223372036854775807),"
			      " coalesce((SELECT min(expires) FROM instance WHERE expires>0), 9223372036854775807))"),
	[QUERY_NAME_TAKEN] = "SELECT 1 FROM resource WHERE parent=?1 AND rn=?2",
	[QUERY_INSTANCE_NAME_TAKEN] = "SELECT 1 FROM instance WHERE named_in=?1 AND rn=?2",
	[QUERY_INSERT] = "INSERT INTO resource(id, parent, type, rn, root, creator, expires, body, ri) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)",
	[QUERY_INSERT_INSTANCE] = "INSERT INTO instance(key, named_in, type, rn, root, creator, expires, body) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
	[QUERY_INSERT_INSTANCES] = INSERT_INSTANCES,
	[QUERY_UPDATE] = "UPDATE resource SET expires=?3, body=?4 WHERE id=?1 AND parent=?2",
	[QUERY_UPDATE_INSTANCE] = "UPDATE instance SET expires=?3, body=?4 WHERE key=?1",
	[QUERY_UPDATE_BODY] = "UPDATE resource SET body=?2 WHERE id=?1",
	[QUERY_DELETE] = "DELETE FROM resource WHERE id=?1 AND parent=?2",
	[QUERY_DELETE_INSTANCE] = "DELETE FROM instance WHERE key=?1",
	[QUERY_DELETE_INSTANCES] = "DELETE FROM instance WHERE key>=?1 AND key<=?2",
	[QUERY_STRETCH] = "SELECT slot FROM stretch WHERE parent=?1 AND high=?2",
	[QUERY_STRETCHES] = "SELECT slot, high FROM stretch WHERE parent=?1 AND high<=?2 ORDER BY high",
	/* After the last; when that is the last there can be, in the first gap. */
	[QUERY_STRETCH_PUT] = "INSERT INTO stretch(slot, parent, high) SELECT CASE WHEN last<2147483647 THEN last+1 ELSE (SELECT slot+1 FROM stretch t"
			      " WHERE NOT EXISTS (SELECT 1 FROM stretch n WHERE n.slot=t.slot+1) ORDER BY slot LIMIT 1) END, ?1, ?2"
			      " FROM (SELECT coalesce(max(slot), 0) AS last FROM stretch)",
	[QUERY_STRETCHES_DROP] = "DELETE FROM stretch WHERE parent=?1 AND high<?2",
	[QUERY_LABEL_PUT] = "INSERT OR IGNORE INTO label(label, id, parent, instance) VALUES(?1,?2,?3,?4)",
	[QUERY_LABELS_DROP] = "DELETE FROM label WHERE parent=?1 AND instance=?2 AND id=?3",
	[QUERY_LABELS_DROP_INSTANCES] = "DELETE FROM label WHERE parent=?1 AND instance=1 AND id<=?2",
	[QUERY_VALUE_GET] = "SELECT name, value FROM value WHERE name=?1",
	[QUERY_VALUE_SET] = "INSERT INTO value(name, value) VALUES(?1,?2) ON CONFLICT(name) DO UPDATE SET value=excluded.value",
	[QUERY_VALUE_DROP] = "DELETE FROM value WHERE name=?1",
	[QUERY_VALUES] = "SELECT name, value FROM value WHERE name>=?1 ORDER BY name",
	[QUERY_STATE_PUT] = "UPDATE state SET next=?1, count=?2",
	[QUERY_STATE_CLEAN] = "UPDATE state SET clean=?1, next=?2",
	[QUERY_VIEW] = "BEGIN",
	[QUERY_BEGIN] = "BEGIN IMMEDIATE",
	[QUERY_COMMIT] = "COMMIT",
	[QUERY_SAVEPOINT] = "SAVEPOINT operation",
	[QUERY_RELEASE] = "RELEASE operation",
	[QUERY_UNDO] = "ROLLBACK TO operation",
};

enum err store_refuse(struct store *s, enum err e, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(s->detail, sizeof s->detail, fmt, args);
	va_end(args);
	return e;
}

/* SQLite tells the system's error number for some failures only, and ENOSPC alone is "full" to it; a quota or a limit of the process is the
 * same to the operator. query_step cleared errno, and SQLite makes no system call that fails after the one that made it give up. */
int query_step(sqlite3_stmt *st)
{
	errno = 0;
	return sqlite3_step(st);
}

enum err store_fault(struct store *s, int result)
{
	int number = errno;
	bool io = (result & 0xff) == SQLITE_IOERR;

	if ((result & 0xff) == SQLITE_FULL || (io && (number == ENOSPC || number == EDQUOT || number == EFBIG)))
		return store_refuse(s, ERR_FULL, NO_ROOM);
	if (result == SQLITE_CONSTRAINT_UNIQUE || result == SQLITE_CONSTRAINT_PRIMARYKEY || result == SQLITE_CONSTRAINT_ROWID)
		return ERR_EXISTS;
	switch (result & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return store_refuse(s, ERR_STORE, "the store is damaged (%s); restore a backup", sqlite3_errmsg(s->db));
	case SQLITE_READONLY:
		return store_refuse(s, ERR_STORE, "the store can't be written: %s", sqlite3_errmsg(s->db));
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return store_refuse(s, ERR_STORE, "another process keeps the store locked");
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return store_refuse(s, ERR_STORE, "%s%s%s", sqlite3_errmsg(s->db), number ? ": " : "", number ? strerror(number) : "");
	default:
		return store_refuse(s, ERR_STORE, "%s", sqlite3_errmsg(s->db));
	}
}

static enum err prepare(struct store *s, enum query q, sqlite3_stmt **out)
{
	int r = sqlite3_prepare_v3(s->db, texts[q], -1, SQLITE_PREPARE_PERSISTENT, out, NULL);

	return r == SQLITE_OK ? OK : store_fault(s, r);
}

enum err query_prepare_all(struct store *s)
{
	for (unsigned q = 0; q < QUERIES; q++) {
		enum err e = prepare(s, q, &s->pools[q].idle[0]);

		if (e != OK)
			return e;
		s->pools[q].count = 1;
	}
	return OK;
}

void query_finalize_all(struct store *s)
{
	for (unsigned q = 0; q < QUERIES; q++)
		while (s->pools[q].count)
			sqlite3_finalize(s->pools[q].idle[--s->pools[q].count]);
}

enum err query_take(struct store *s, enum query q, sqlite3_stmt **out)
{
	struct pool *p = &s->pools[q];

	if (!p->count)
		return prepare(s, q, out);
	*out = p->idle[--p->count];
	return OK;
}

/* The values bound stay: they are borrowed, but nothing reads them before they are bound anew. */
void query_give(struct store *s, enum query q, sqlite3_stmt *st)
{
	struct pool *p = &s->pools[q];

	sqlite3_reset(st);
	if (p->count == IDLE_MAX)
		sqlite3_finalize(st);
	else
		p->idle[p->count++] = st;
}

enum err query_run(struct store *s, enum query q)
{
	sqlite3_stmt *st;
	enum err e = query_take(s, q, &st);
	int r;

	if (e != OK)
		return e;
	r = query_step(st);
	if (r != SQLITE_DONE)
		e = store_fault(s, r);
	query_give(s, q, st);
	return e;
}

enum err query_exec(struct store *s, const char *sql)
{
	int r;

	errno = 0;
	r = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	return r == SQLITE_OK ? OK : store_fault(s, r);
}

enum err query_number(struct store *s, const char *sql, int64_t *v)
{
	sqlite3_stmt *st;
	enum err e = OK;
	int r;

	errno = 0;
	r = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
	if (r != SQLITE_OK)
		return store_fault(s, r);
	r = query_step(st);
	if (r == SQLITE_ROW)
		*v = sqlite3_column_int64(st, 0);
	else
		e = r == SQLITE_DONE ? ERR_NOT_FOUND : store_fault(s, r);
	sqlite3_finalize(st);
	return e;
}
