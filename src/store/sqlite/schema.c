/* The schema: what a file is, a new one, and how an older one becomes the present one.
 *
 *   resource   a row each, by id; unique by (parent, rn) and by ri where these are given; walks by parent, parent and type, type, expiry
 *   instance   by key: the slot of its stretch and the lower half of its id; so a parent's lie together in order, the newest and oldest at
 *              the ends; unique by (named_in, rn) where they have a name of their own, named_in being the parent then
 *   stretch    the slot of each parent and upper half of its instances' ids; see stretch.c
 *   label      clustered by (label, id) for discovery; by row for deleting
 *   value      small named values of services
 *   state      one row: next free number on disk, number of rows, whether the store was closed cleanly
 *
 * An index of SQLite ends with the key of its table: the one on (parent, type) is in the order of ids. */
#include "store/sqlite/private.h"

#define STRING(x) STRING_OF(x)
#define STRING_OF(x) #x

/* What the header of the file says, in the transaction that makes it true. */
#define MARK "PRAGMA application_id=" STRING(APPLICATION_ID) "; PRAGMA user_version=" STRING(SCHEMA_VERSION) ";"

static const char resources[] =
    "CREATE TABLE resource(id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, type INTEGER NOT NULL, ri TEXT, rn TEXT, root TEXT NOT NULL,"
    " creator TEXT NOT NULL, expires INTEGER NOT NULL, body TEXT NOT NULL);"
    "CREATE TABLE label(label TEXT NOT NULL, id INTEGER NOT NULL, parent INTEGER NOT NULL, instance INTEGER NOT NULL,"
    " PRIMARY KEY(label, id)) WITHOUT ROWID;"
    "CREATE TABLE value(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one=1), next INTEGER NOT NULL, count INTEGER NOT NULL, clean INTEGER NOT NULL);";

static const char instances[] =
    "CREATE TABLE instance(key INTEGER PRIMARY KEY, type INTEGER NOT NULL, rn TEXT, named_in INTEGER, root TEXT NOT NULL,"
    " creator TEXT NOT NULL, expires INTEGER NOT NULL, body TEXT NOT NULL);"
    "CREATE TABLE stretch(slot INTEGER PRIMARY KEY CHECK(slot BETWEEN 1 AND 2147483647), parent INTEGER NOT NULL, high INTEGER NOT NULL,"
    " UNIQUE(parent, high));";

static const char resource_indexes[] =
    "CREATE UNIQUE INDEX resource_name ON resource(parent, rn) WHERE rn IS NOT NULL;"
    "CREATE UNIQUE INDEX resource_ri ON resource(ri) WHERE ri IS NOT NULL;"
    "CREATE INDEX resource_child ON resource(parent);"
    "CREATE INDEX resource_child_type ON resource(parent, type);"
    "CREATE INDEX resource_type ON resource(type);"
    "CREATE INDEX resource_expires ON resource(expires) WHERE expires>0;"
    "CREATE INDEX label_row ON label(parent, instance, id);";

static const char instance_indexes[] =
    "CREATE UNIQUE INDEX instance_name ON instance(named_in, rn) WHERE rn IS NOT NULL;"
    "CREATE INDEX instance_expires ON instance(expires) WHERE expires>0;";

/* From anything with the columns of version 2's instances, in order of (parent, id) when that is. */
#define MOVE_INSTANCES(from)                                                                                                         \
	"INSERT INTO stretch(parent, high) SELECT DISTINCT parent, id>>32 FROM " from " ORDER BY 1, 2;"                              \
	"INSERT INTO instance(key, type, rn, named_in, root, creator, expires, body)"                                                \
	" SELECT (t.slot<<32)|(f.id&4294967295), f.type, f.rn, iif(f.rn IS NULL, NULL, f.parent), f.root, f.creator, f.expires, f.body" \
	" FROM " from " f CROSS JOIN stretch t ON t.parent=f.parent AND t.high=f.id>>32;"

/* Version 2 had its instances clustered by (parent, id). */
static const char from_2[] = "DROP INDEX instance_name; DROP INDEX instance_expires; ALTER TABLE instance RENAME TO former;";
static const char move_2[] = MOVE_INSTANCES("former") "DROP TABLE former;";

/* Version 0 had one table for both kinds, `et` and `lbl` in the body only, and a resourceID in every row. Those of instances are derived
 * from their key now, and so change; and so does their name where it was that. The CSEBase's attributes that say what the CSE is are no
 * longer kept. Nothing else changes. */
static const char from_0[] =
    "DROP INDEX resource_ri; DROP INDEX resource_name; DROP INDEX resource_child; ALTER TABLE resource RENAME TO former;";
/* Body as text, and `{}` in place of one that is no JSON, so that one bad row does not keep the others from moving. */
#define FORMER "(SELECT *, CASE WHEN json_valid(CAST(body AS TEXT)) THEN CAST(body AS TEXT) ELSE '{}' END AS json FROM former)"
/* 20301231T235959,123 in unix ms; 0 without one. */
#define EXPIRES                                                                                                                                      \
	"coalesce(1000*CAST(strftime('%s', substr(et,1,4)||'-'||substr(et,5,2)||'-'||substr(et,7,2)||' '||substr(et,10,2)||':'||substr(et,12,2)||':'||" \
	"substr(et,14,2)) AS INTEGER), 0)"
static const char move_0[] =
    "INSERT INTO resource(id, parent, type, ri, rn, root, creator, expires, body)"
    " SELECT id, parent, type, ri, rn, root, creator, " EXPIRES ","
    "  CASE WHEN type=5 THEN json_remove(json, '$.csi', '$.cst', '$.srt', '$.srv', '$.poa') ELSE json END FROM"
    "  (SELECT *, json_extract(json, '$.et') AS et FROM " FORMER " WHERE type NOT IN (4, 30, 58));"
    MOVE_INSTANCES("(SELECT parent, id, type, nullif(rn, ri) AS rn, root, creator, " EXPIRES " AS expires,"
    "  CASE WHEN d IS NULL AND rn=ri THEN json_remove(json, '$.ri', '$.rn') WHEN d IS NULL THEN json_remove(json, '$.ri')"
    "  WHEN rn=ri THEN json_set(json, '$.ri', d, '$.rn', d) ELSE json_set(json, '$.ri', d) END AS body FROM"
    "  (SELECT *, json_extract(json, '$.et') AS et, derived(type, parent, id) AS d FROM " FORMER " WHERE type IN (4, 30, 58)))")
    "INSERT OR IGNORE INTO label(label, id, parent, instance)"
    " SELECT j.value, f.id, f.parent, f.type IN (4, 30, 58) FROM " FORMER " f, json_each(f.json, '$.lbl') j WHERE j.type='text';"
    "INSERT INTO state SELECT 1, max((SELECT max(next) FROM number), (SELECT coalesce(max(id), 0) + 1 FROM former)),"
    " (SELECT count(*) FROM former), 1;"
    "DROP TABLE former; DROP TABLE number;";

enum err schema_identify(struct store *s, enum file_kind *kind)
{
	int64_t application = 0, version = 0, objects = 0, former = 0;
	enum err e;

	if ((e = query_number(s, "PRAGMA application_id", &application)) != OK ||
	    (e = query_number(s, "PRAGMA user_version", &version)) != OK ||
	    (e = query_number(s, "SELECT count(*) FROM sqlite_schema", &objects)) != OK ||
	    (e = query_number(s, "SELECT count(*) FROM sqlite_schema WHERE type='table' AND name IN ('resource', 'number')", &former)) != OK)
		return e;
	if (application == APPLICATION_ID)
		*kind = version == SCHEMA_VERSION      ? FILE_CURRENT
			: version > SCHEMA_VERSION     ? FILE_NEWER
			: version == SCHEMA_CLUSTERED ? FILE_CLUSTERED
						       : FILE_FOREIGN;
	else if (application != 0 || version != 0)
		*kind = FILE_FOREIGN;
	else
		*kind = objects == 0 ? FILE_EMPTY : former == 2 ? FILE_FIRST : FILE_FOREIGN;
	return OK;
}

/* The parts in one transaction: all of them, or the file as it was. */
static enum err execute_all(struct store *s, const char *const parts[])
{
	enum err e = query_exec(s, "BEGIN IMMEDIATE");

	for (size_t i = 0; e == OK && parts[i]; i++)
		e = query_exec(s, parts[i]);
	if (e == OK)
		e = query_exec(s, "COMMIT");
	if (e != OK)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL); /* leaves the sentence of what failed */
	return e;
}

enum err schema_create(struct store *s)
{
	static const char *const parts[] = {resources, instances, resource_indexes, instance_indexes, "INSERT INTO state VALUES(1, 1, 0, 1);", MARK, NULL};

	return execute_all(s, parts);
}

/* derived(type, parent, id) of an instance, or NULL */
static void derived(sqlite3_context *ctx, int count, sqlite3_value **values)
{
	store_derive *const *derive = sqlite3_user_data(ctx);
	char ri[128];

	if (count != 3 || !*derive)
		return;
	(*derive)(ri, sizeof ri, sqlite3_value_int(values[0]), sqlite3_value_int64(values[1]), sqlite3_value_int64(values[2]), true);
	sqlite3_result_text(ctx, ri, -1, SQLITE_TRANSIENT);
}

static enum err migrate_0(struct store *s, store_derive *derive)
{
	static const char *const parts[] = {from_0, resources, instances, move_0, resource_indexes, instance_indexes, MARK, NULL};
	enum err e;
	int r = sqlite3_create_function(s->db, "derived", 3, SQLITE_UTF8, &derive, derived, NULL, NULL);

	if (r != SQLITE_OK)
		return store_fault(s, r);
	e = execute_all(s, parts);
	sqlite3_create_function(s->db, "derived", 3, SQLITE_UTF8, NULL, NULL, NULL, NULL); /* what it borrowed ends here */
	return e;
}

enum err schema_migrate(struct store *s, enum file_kind kind, store_derive *derive)
{
	static const char *const from_clustered[] = {from_2, instances, move_2, instance_indexes, MARK, NULL};

	return kind == FILE_CLUSTERED ? execute_all(s, from_clustered) : migrate_0(s, derive);
}
