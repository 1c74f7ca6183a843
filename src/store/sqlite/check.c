/* Checks of a store: its structure by SQLite, its references by ours. */
#include "store/sqlite/private.h"

#include <string.h>

#define FAULTS_MAX "100" /* of each kind; a store with more has one more reason for a backup, not for a longer list */

/* Each row is a sentence on a fault. */
static const char *const references[] = {
	"SELECT printf('resource %d (%s) lies below %d, which does not exist', id, coalesce(rn, ri, root), parent) FROM resource r"
	" WHERE parent<>0 AND NOT EXISTS (SELECT 1 FROM resource p WHERE p.id=r.parent)"
	" AND NOT EXISTS (SELECT 1 FROM value WHERE name='gone.'||r.parent) LIMIT " FAULTS_MAX,
	"SELECT printf('instances lie below %d, which does not exist', parent) FROM stretch t"
	" WHERE NOT EXISTS (SELECT 1 FROM resource p WHERE p.id=t.parent)"
	" AND NOT EXISTS (SELECT 1 FROM value WHERE name='store.gone.'||t.parent) LIMIT " FAULTS_MAX,
	"SELECT printf('instances have keys of slot %d, which is nobody''s', slot) FROM (SELECT DISTINCT key>>32 AS slot FROM instance) i"
	" WHERE NOT EXISTS (SELECT 1 FROM stretch t WHERE t.slot=i.slot) LIMIT " FAULTS_MAX,
	"SELECT printf('an instance below %d has its name %s in %d', t.parent, rn, named_in) FROM instance i CROSS JOIN stretch t ON t.slot=i.key>>32"
	" WHERE rn IS NOT NULL AND named_in IS NOT t.parent LIMIT " FAULTS_MAX,
	"SELECT printf('label %s names row %d below %d, which does not exist', label, id, parent) FROM label l"
	" WHERE CASE WHEN instance THEN NOT EXISTS (SELECT 1 FROM stretch t CROSS JOIN instance i"
	" WHERE t.parent=l.parent AND t.high=l.id>>32 AND i.key=(t.slot<<32)|(l.id&4294967295))"
	" ELSE NOT EXISTS (SELECT 1 FROM resource r WHERE r.id=l.id AND r.parent=l.parent) END LIMIT " FAULTS_MAX,
	"SELECT printf('two children of %d are named %s', i.named_in, i.rn) FROM instance i JOIN resource r ON r.parent=i.named_in AND r.rn=i.rn"
	" WHERE i.rn IS NOT NULL LIMIT " FAULTS_MAX,
	"SELECT printf('number %d is that of two rows', r.id) FROM instance i CROSS JOIN stretch t ON t.slot=i.key>>32"
	" CROSS JOIN resource r ON r.id=(t.high<<32)|(i.key&4294967295) LIMIT " FAULTS_MAX,
	"SELECT printf('number %d is in use, and would be given out again from %d on', most, next) FROM state,"
	" (SELECT max(coalesce((SELECT max(id) FROM resource), 0), coalesce((SELECT max((t.high<<32)|"
	" ((SELECT max(key) FROM instance WHERE key>=t.slot<<32 AND key<=(t.slot<<32)|4294967295)&4294967295)) FROM stretch t), 0)) AS most) WHERE most>=next",
	"SELECT printf('the store has %d rows and counts %d', rows, count) FROM state,"
	" (SELECT (SELECT count(*) FROM resource) + (SELECT count(*) FROM instance) AS rows) WHERE rows<>count",
	"SELECT 'the row of the store''s own state is missing' WHERE NOT EXISTS (SELECT 1 FROM state)",
};

/* Tells every row of a statement but "ok". */
static enum err tell(struct store *s, const char *sql, void (*fault)(void *ctx, const char *text), void *ctx)
{
	sqlite3_stmt *st;
	int r = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
	enum err e = OK;

	if (r != SQLITE_OK)
		return store_fault(s, r);
	while ((r = query_step(st)) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(st, 0);

		if (text && strcmp(text, "ok") == 0)
			continue;
		e = store_refuse(s, ERR_STORE, "the store is damaged (%s); restore a backup", text ? text : "no text");
		if (fault)
			fault(ctx, text ? text : "no text");
	}
	if (r != SQLITE_DONE) {
		e = store_fault(s, r);
		if (fault)
			fault(ctx, s->detail);
	}
	sqlite3_finalize(st);
	return e;
}

enum err check_quick(struct store *s)
{
	return tell(s, "PRAGMA quick_check(1)", NULL, NULL);
}

enum err store_check(struct store *s, void (*fault)(void *ctx, const char *text), void *ctx)
{
	enum err e, worst;

	store_join(s);
	if (s->dirty)
		return store_refuse(s, ERR_STATE, "the store can't be checked before what was written is committed");
	store_view_end(s);
	/* One view for all, though another process may write. */
	if ((e = query_exec(s, "BEGIN")) != OK)
		return e;
	s->walking++;
	worst = tell(s, "PRAGMA integrity_check(" FAULTS_MAX ")", fault, ctx);
	for (size_t i = 0; i < sizeof references / sizeof references[0]; i++)
		if ((e = tell(s, references[i], fault, ctx)) != OK)
			worst = e;
	s->walking--;
	sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
	return worst;
}
