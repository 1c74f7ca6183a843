/* The store of node B's devices: SQLite, WAL, synchronous=FULL. A row a device (oci_store_device.c) and a row a network key (oci_store_network.c), written together
 * before what they say is acted on. Here are its tables, and how former ones become these. */
#include "oci/oci_store_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "keys/sealed.h"

/* A network's id is its policy, name and generation. `key` is NULL when nobody has it any more, of a group's: such a one never comes back, for its
 * counter would begin anew. */
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS device(eui64 TEXT PRIMARY KEY, gateway INTEGER, short INTEGER, capability INTEGER, relay TEXT, application TEXT,"
    " present BLOB, present_sequence INTEGER, present_generation INTEGER, present_id TEXT, present_in INTEGER,"
    " pending BLOB, pending_sequence INTEGER, pending_generation INTEGER, pending_id TEXT,"
    " out_reserved INTEGER, uplink INTEGER, joined INTEGER, interview INTEGER, item INTEGER, endpoint INTEGER, zcl_device INTEGER, zone_type INTEGER,"
    " clusters BLOB, manufacturer TEXT, model TEXT, aps_counter INTEGER, endpoints BLOB, software TEXT, pending_rotation INTEGER,"
    " present_network TEXT, pending_network TEXT) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS network(id TEXT PRIMARY KEY, policy INTEGER NOT NULL, name TEXT NOT NULL, generation INTEGER NOT NULL,"
    " sequence INTEGER NOT NULL, key BLOB, out_reserved INTEGER NOT NULL, worn INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;" OCI_STORE_GROUPS;
/* Databases made before have no such columns; each fails, and may, where there is one. */
static const char *const additions[] = {
	"ALTER TABLE device ADD COLUMN aps_counter INTEGER;",
	"ALTER TABLE device ADD COLUMN endpoints BLOB;", /* in the place of endpoint, zcl_device, zone_type and clusters, which are read no more but for old rows */
	"ALTER TABLE device ADD COLUMN software TEXT;",
	"ALTER TABLE device ADD COLUMN pending_rotation INTEGER;",
	"ALTER TABLE network ADD COLUMN worn INTEGER NOT NULL DEFAULT 0;",
};
/* An old copy must not repeat a number that was given out since. A radio channel carries no more frames in a second. What was counted since is not known
 * exactly, and what came in since may be replayed until the device's next frame: so the keys of a copy are worn, which has the MEF replace them. */
static const struct database_numbers frame_counters = {
	.move = "UPDATE network SET out_reserved = min(0xffffff00, out_reserved + (SELECT by FROM origin))",
	.if_copy = "UPDATE network SET worn = 1;"
		   "UPDATE device SET aps_counter = (aps_counter + 128) & 255", /* a device drops what has a counter that it saw in the last seconds */
	.per_second = 500,
	.limit = COUNTER_LIMIT,
};
_Static_assert(COUNTER_LIMIT == 0xffffff00U, "frame_counters.move has it as a number");
/* Keys and counter once stood with the device. A key is bound to the device's address and its generation in the one place as in the other. */
static const char to_networks[] =
    "ALTER TABLE device ADD COLUMN present_network TEXT;"
    "ALTER TABLE device ADD COLUMN pending_network TEXT;"
    "INSERT INTO network SELECT 'device ' || eui64 || ' ' || present_generation, 0, eui64, present_generation, present_sequence, present, out_reserved, 0"
    " FROM device WHERE present IS NOT NULL;"
    "INSERT OR IGNORE INTO network SELECT 'device ' || eui64 || ' ' || pending_generation, 0, eui64, pending_generation, pending_sequence, pending, 0, 0"
    " FROM device WHERE pending IS NOT NULL;"
    "UPDATE device SET present_network='device ' || eui64 || ' ' || present_generation, out_reserved=0 WHERE present IS NOT NULL;"
    "UPDATE device SET pending_network='device ' || eui64 || ' ' || pending_generation WHERE pending IS NOT NULL;"
    "UPDATE device SET present=NULL, pending=NULL;";

static const char *const statements[STATEMENTS] = {
	[PUT] = "REPLACE INTO device VALUES(?,?,?,?,?,?,NULL,0,?,?,?,NULL,0,?,?,0,?,?,?,?,0,0,0,NULL,?,?,?,?,?,?,?,?)",
	[DROP] = "DELETE FROM device WHERE eui64=?",
	[REFERENCES] = "SELECT present_network, pending_network FROM device WHERE eui64=?",
	[NETWORK] = "SELECT policy, name, generation, sequence, key, out_reserved, worn FROM network WHERE id=?",
	[NETWORK_PUT] = "INSERT INTO network VALUES(?,?,?,?,?,?,?,0)",
	[NETWORK_RESERVE] = "UPDATE network SET out_reserved=? WHERE id=?",
	[NETWORK_USED] = "SELECT count(*) FROM device WHERE present_network=?1 OR pending_network=?1",
	[NETWORK_DROP] = "DELETE FROM network WHERE id=? AND policy=0",
	[NETWORK_WIPE] = "UPDATE network SET key=NULL WHERE id=? AND policy=1",
	[GROUP_PUT] = "REPLACE INTO zigbee_group VALUES(?,?,?,?,?,?,?)",
	[GROUP_DROP] = "DELETE FROM zigbee_group WHERE id=?",
};

bool oci_store_sql(struct oci_store *s, const char *text)
{
	return sqlite3_exec(s->db, text, NULL, NULL, NULL) == SQLITE_OK;
}

bool oci_store_done(sqlite3_stmt *q)
{
	int r = sqlite3_step(q);

	sqlite3_reset(q);
	return r == SQLITE_DONE;
}

void oci_store_bind(sqlite3_stmt *q, int column, const char *text)
{
	sqlite3_bind_text(q, column, text, -1, SQLITE_TRANSIENT);
}

void oci_store_text(sqlite3_stmt *q, int column, char *to, size_t size)
{
	const char *t = (const char *)sqlite3_column_text(q, column);

	snprintf(to, size, "%s", t ? t : "");
}

static bool columns_complete(struct oci_store *s)
{
	for (size_t i = 0; i < sizeof additions / sizeof additions[0]; i++)
		(void)oci_store_sql(s, additions[i]);
	return oci_store_sql(s, "SELECT aps_counter, endpoints, software, pending_rotation FROM device LIMIT 1");
}

static bool networks_apart(struct oci_store *s)
{
	if (oci_store_sql(s, "SELECT present_network, pending_network FROM device LIMIT 1"))
		return true;
	if (!oci_store_sql(s, "BEGIN IMMEDIATE"))
		return false;
	if (oci_store_sql(s, to_networks) && oci_store_sql(s, "COMMIT"))
		return true;
	(void)oci_store_sql(s, "ROLLBACK");
	return false;
}

static bool prepared(struct oci_store *s)
{
	for (size_t i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v2(s->db, statements[i], -1, &s->statements[i], NULL) != SQLITE_OK)
			return false;
	return true;
}

enum err oci_store_open(const char *directory, const char *key_file, struct oci_store **out)
{
	struct oci_store *s = calloc(1, sizeof *s);
	char path[600];
	const char *detail;
	enum err e;

	if (!s)
		return ERR_NO_MEMORY;
	s->rng = rng_system();
	if (key_file_read(key_file, &s->file_key) != OK) {
		free(s);
		return ERR_CONFIG;
	}
	snprintf(path, sizeof path, "%s/oci.db", directory);
	if (database_open(path, schema, &s->db, &detail) != OK || !columns_complete(s) || !networks_apart(s) || !prepared(s)) {
		oci_store_close(s);
		return ERR_STORE;
	}
	e = database_resume(s->db, path, &frame_counters, clock_unix_ms() / 1000, &s->gap);
	if (e != OK) {
		oci_store_close(s);
		return e;
	}
	*out = s;
	return OK;
}

const struct database_gap *oci_store_gap(const struct oci_store *s)
{
	return &s->gap;
}

enum err oci_store_alive(struct oci_store *s)
{
	return database_alive(s->db, clock_unix_ms() / 1000);
}

void oci_store_close(struct oci_store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->db);
	secret_free(s->file_key);
	free(s);
}
