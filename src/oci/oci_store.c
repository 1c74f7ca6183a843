/* The store of node B's devices: SQLite, WAL, synchronous=FULL. One row a device, written before what it says is acted on. */
#include "oci/oci_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "database/database.h"
#include "keys/sealed.h"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS device(eui64 TEXT PRIMARY KEY, gateway INTEGER, short INTEGER, capability INTEGER, relay TEXT, application TEXT,"
    " present BLOB, present_sequence INTEGER, present_generation INTEGER, present_id TEXT, present_in INTEGER,"
    " pending BLOB, pending_sequence INTEGER, pending_generation INTEGER, pending_id TEXT,"
    " out_reserved INTEGER, uplink INTEGER, joined INTEGER, interview INTEGER, item INTEGER, endpoint INTEGER, zcl_device INTEGER, zone_type INTEGER,"
    " clusters BLOB, manufacturer TEXT, model TEXT, aps_counter INTEGER) WITHOUT ROWID;";
/* Databases made before have no such column; it fails, and may, where there is one. */
static const char add_aps_counter[] = "ALTER TABLE device ADD COLUMN aps_counter INTEGER;";

struct oci_store {
	sqlite3 *db;
	sqlite3_stmt *put, *drop;
	struct secret *file_key;
	struct rng rng;
};

static bool columns_complete(struct oci_store *s)
{
	(void)sqlite3_exec(s->db, add_aps_counter, NULL, NULL, NULL);
	return sqlite3_exec(s->db, "SELECT aps_counter FROM device LIMIT 1", NULL, NULL, NULL) == SQLITE_OK;
}

enum err oci_store_open(const char *directory, const char *key_file, struct oci_store **out)
{
	struct oci_store *s = calloc(1, sizeof *s);
	char path[600];
	const char *detail;

	if (!s)
		return ERR_NO_MEMORY;
	s->rng = rng_system();
	if (key_file_read(key_file, &s->file_key) != OK) {
		free(s);
		return ERR_CONFIG;
	}
	snprintf(path, sizeof path, "%s/oci.db", directory);
	if (database_open(path, schema, &s->db, &detail) != OK || !columns_complete(s) ||
	    sqlite3_prepare_v2(s->db, "REPLACE INTO device VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", -1, &s->put, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(s->db, "DELETE FROM device WHERE eui64=?", -1, &s->drop, NULL) != SQLITE_OK) {
		oci_store_close(s);
		return ERR_STORE;
	}
	*out = s;
	return OK;
}

void oci_store_close(struct oci_store *s)
{
	if (!s)
		return;
	sqlite3_finalize(s->put);
	sqlite3_finalize(s->drop);
	sqlite3_close(s->db);
	secret_free(s->file_key);
	free(s);
}

/* A label a row and kind, so that no sealed key can be put in another's place. */
static void label_of(char *label, size_t size, const char *eui64, const char *kind, uint64_t generation)
{
	snprintf(label, size, "oci:device:%s:%s:%llu", eui64, kind, (unsigned long long)generation);
}

static bool bind_key(struct oci_store *s, int column, const char *eui64, const char *kind, const struct oci_key *k)
{
	uint8_t buffer[SEALED_SIZE(SECRET_MAX)];
	struct wr w = wr_of(buffer, sizeof buffer);
	char label[96];

	if (!k->network)
		return sqlite3_bind_null(s->put, column) == SQLITE_OK;
	label_of(label, sizeof label, eui64, kind, k->generation);
	return secret_seal(s->file_key, label, k->network, &s->rng, &w) == OK &&
	    sqlite3_bind_blob(s->put, column, w.octets, (int)w.len, SQLITE_TRANSIENT) == SQLITE_OK;
}

enum err oci_store_save(void *store, const struct oci_device *d)
{
	struct oci_store *s = store;
	sqlite3_stmt *q = s->put;
	char eui64[EUI64_SIZE];
	int r;

	eui64_print(eui64, d->eui64);
	sqlite3_bind_text(q, 1, eui64, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int64(q, 2, (sqlite3_int64)d->gateway);
	sqlite3_bind_int(q, 3, d->short_address);
	sqlite3_bind_int(q, 4, d->capability);
	sqlite3_bind_text(q, 5, d->relay, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(q, 6, d->application, -1, SQLITE_TRANSIENT);
	/* both kinds have one label: a pending key becomes the present one as it is */
	if (!bind_key(s, 7, eui64, "network", &d->present) || !bind_key(s, 12, eui64, "network", &d->pending))
		return ERR_CRYPTO;
	sqlite3_bind_int(q, 8, d->present.sequence);
	sqlite3_bind_int64(q, 9, (sqlite3_int64)d->present.generation);
	sqlite3_bind_text(q, 10, d->present.id, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int64(q, 11, d->present.in.any ? (sqlite3_int64)d->present.in.last : -1);
	sqlite3_bind_int(q, 13, d->pending.sequence);
	sqlite3_bind_int64(q, 14, (sqlite3_int64)d->pending.generation);
	sqlite3_bind_text(q, 15, d->pending.id, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int64(q, 16, d->out_reserved);
	sqlite3_bind_int64(q, 17, d->uplink);
	sqlite3_bind_int(q, 18, d->joined);
	sqlite3_bind_int(q, 19, (int)d->interview);
	sqlite3_bind_int64(q, 20, (sqlite3_int64)d->item);
	sqlite3_bind_int(q, 21, d->endpoint);
	sqlite3_bind_int(q, 22, d->zcl_device);
	sqlite3_bind_int(q, 23, d->zone_type);
	sqlite3_bind_blob(q, 24, d->clusters, (int)(d->cluster_count * sizeof d->clusters[0]), SQLITE_TRANSIENT);
	sqlite3_bind_text(q, 25, d->manufacturer, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(q, 26, d->model, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int(q, 27, d->aps_counter);
	r = sqlite3_step(q);
	sqlite3_reset(q);
	return r == SQLITE_DONE ? OK : ERR_STORE;
}

enum err oci_store_forget(struct oci_store *s, uint64_t device)
{
	char eui64[EUI64_SIZE];
	int r;

	eui64_print(eui64, device);
	sqlite3_bind_text(s->drop, 1, eui64, -1, SQLITE_TRANSIENT);
	r = sqlite3_step(s->drop);
	sqlite3_reset(s->drop);
	return r == SQLITE_DONE ? OK : ERR_STORE;
}

static void text(sqlite3_stmt *q, int column, char *to, size_t size)
{
	const char *t = (const char *)sqlite3_column_text(q, column);

	snprintf(to, size, "%s", t ? t : "");
}

static bool unseal(struct oci_store *s, sqlite3_stmt *q, int column, const char *eui64, struct oci_key *k)
{
	char label[96];

	if (sqlite3_column_type(q, column) == SQLITE_NULL)
		return true;
	label_of(label, sizeof label, eui64, "network", k->generation);
	return secret_unseal(s->file_key, label, rd_of(sqlite3_column_blob(q, column), (size_t)sqlite3_column_bytes(q, column)), &k->network) == OK;
}

static bool row_read(struct oci_store *s, sqlite3_stmt *q, struct oci_device *d)
{
	char eui64[EUI64_SIZE];
	int64_t in;
	size_t len;

	memset(d, 0, sizeof *d);
	text(q, 0, eui64, sizeof eui64);
	if (!eui64_parse(rd_str(eui64), &d->eui64))
		return false;
	d->gateway = (uint64_t)sqlite3_column_int64(q, 1);
	d->short_address = (uint16_t)sqlite3_column_int(q, 2);
	d->capability = (uint8_t)sqlite3_column_int(q, 3);
	text(q, 4, d->relay, sizeof d->relay);
	text(q, 5, d->application, sizeof d->application);
	d->present.sequence = (uint8_t)sqlite3_column_int(q, 7);
	d->present.generation = (uint64_t)sqlite3_column_int64(q, 8);
	text(q, 9, d->present.id, sizeof d->present.id);
	in = sqlite3_column_int64(q, 10);
	if (in >= 0)
		counter_in_accept(&d->present.in, (uint32_t)in);
	d->pending.sequence = (uint8_t)sqlite3_column_int(q, 12);
	d->pending.generation = (uint64_t)sqlite3_column_int64(q, 13);
	text(q, 14, d->pending.id, sizeof d->pending.id);
	d->out_reserved = (uint32_t)sqlite3_column_int64(q, 15);
	d->uplink = (uint32_t)sqlite3_column_int64(q, 16);
	d->joined = sqlite3_column_int(q, 17);
	d->interview = (enum oci_interview)sqlite3_column_int(q, 18);
	d->item = (size_t)sqlite3_column_int64(q, 19);
	d->endpoint = (uint8_t)sqlite3_column_int(q, 20);
	d->zcl_device = (uint16_t)sqlite3_column_int(q, 21);
	d->zone_type = (uint16_t)sqlite3_column_int(q, 22);
	len = (size_t)sqlite3_column_bytes(q, 23);
	if (len > sizeof d->clusters)
		return false;
	if (len > 0)
		memcpy(d->clusters, sqlite3_column_blob(q, 23), len);
	d->cluster_count = len / sizeof d->clusters[0];
	text(q, 24, d->manufacturer, sizeof d->manufacturer);
	text(q, 25, d->model, sizeof d->model);
	d->aps_counter = (uint8_t)sqlite3_column_int(q, 26);
	return unseal(s, q, 6, eui64, &d->present) && unseal(s, q, 11, eui64, &d->pending);
}

enum err oci_store_each(struct oci_store *s, void (*fn)(void *ctx, const struct oci_device *d), void *ctx)
{
	struct oci_device d;
	sqlite3_stmt *q;
	int r;

	if (sqlite3_prepare_v2(s->db, "SELECT * FROM device", -1, &q, NULL) != SQLITE_OK)
		return ERR_STORE;
	while ((r = sqlite3_step(q)) == SQLITE_ROW) {
		if (!row_read(s, q, &d)) {
			secret_free(d.present.network);
			secret_free(d.pending.network);
			break;
		}
		fn(ctx, &d);
	}
	sqlite3_finalize(q);
	return r == SQLITE_DONE ? OK : ERR_STORE;
}
