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
    " clusters BLOB, manufacturer TEXT, model TEXT, aps_counter INTEGER, endpoints BLOB, software TEXT, pending_rotation INTEGER) WITHOUT ROWID;";
/* Databases made before have no such columns; each fails, and may, where there is one. */
static const char *const additions[] = {
	"ALTER TABLE device ADD COLUMN aps_counter INTEGER;",
	"ALTER TABLE device ADD COLUMN endpoints BLOB;", /* in the place of endpoint, zcl_device, zone_type and clusters, which are read no more but for old rows */
	"ALTER TABLE device ADD COLUMN software TEXT;",
	"ALTER TABLE device ADD COLUMN pending_rotation INTEGER;",
};

struct oci_store {
	sqlite3 *db;
	sqlite3_stmt *put, *drop;
	struct secret *file_key;
	struct rng rng;
};

static bool columns_complete(struct oci_store *s)
{
	for (size_t i = 0; i < sizeof additions / sizeof additions[0]; i++)
		(void)sqlite3_exec(s->db, additions[i], NULL, NULL, NULL);
	return sqlite3_exec(s->db, "SELECT aps_counter, endpoints, software, pending_rotation FROM device LIMIT 1", NULL, NULL, NULL) == SQLITE_OK;
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
	    sqlite3_prepare_v2(s->db, "REPLACE INTO device VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,0,0,0,NULL,?,?,?,?,?,?)", -1, &s->put, NULL) != SQLITE_OK ||
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

/* What the interview found: version(1) poll_s(2) described_by(4) hardware(1) count(1), and of each endpoint id(1) device(2) zone_type(2), then twice, for
 * its servers and its clients, count(1) and clusters(2 each); least significant octet first. From version 2 on, timeout_s(4) and silent(1) follow. */
#define ENDPOINTS_VERSION 2
#define ENDPOINTS_MAX (14 + OCI_ENDPOINTS * (7 + 4 * OCI_CLUSTERS))

static void clusters_write(const uint16_t *clusters, uint8_t count, struct wr *w)
{
	wr_u8(w, count);
	for (uint8_t i = 0; i < count; i++)
		wr_le16(w, clusters[i]);
}

static void endpoints_write(const struct oci_device *d, struct wr *w)
{
	wr_u8(w, ENDPOINTS_VERSION);
	wr_le16(w, d->poll_s);
	wr_le32(w, d->described_by);
	wr_u8(w, d->hardware);
	wr_u8(w, (uint8_t)d->endpoint_count);
	for (size_t i = 0; i < d->endpoint_count; i++) {
		const struct oci_endpoint *e = &d->endpoints[i];

		wr_u8(w, e->id);
		wr_le16(w, e->device);
		wr_le16(w, e->zone_type);
		clusters_write(e->in, e->in_count, w);
		clusters_write(e->out, e->out_count, w);
	}
	wr_le32(w, d->timeout_s);
	wr_u8(w, d->silent);
}

static bool clusters_read(struct rd *in, uint16_t clusters[OCI_CLUSTERS], uint8_t *count)
{
	if (!rd_u8(in, count) || *count > OCI_CLUSTERS)
		return false;
	for (uint8_t i = 0; i < *count; i++)
		if (!rd_le16(in, &clusters[i]))
			return false;
	return true;
}

static bool life_read(struct rd *in, struct oci_device *d)
{
	uint8_t silent;

	if (!rd_le32(in, &d->timeout_s) || !rd_u8(in, &silent) || silent > 1)
		return false;
	d->silent = silent;
	return true;
}

static bool endpoints_read(struct rd in, struct oci_device *d)
{
	uint8_t version, count;

	if (!rd_u8(&in, &version) || version < 1 || version > ENDPOINTS_VERSION || !rd_le16(&in, &d->poll_s) || !rd_le32(&in, &d->described_by) || !rd_u8(&in, &d->hardware) ||
	    !rd_u8(&in, &count) || count > OCI_ENDPOINTS)
		return false;
	for (d->endpoint_count = 0; d->endpoint_count < count; d->endpoint_count++) {
		struct oci_endpoint *e = &d->endpoints[d->endpoint_count];

		if (!rd_u8(&in, &e->id) || !rd_le16(&in, &e->device) || !rd_le16(&in, &e->zone_type) || !clusters_read(&in, e->in, &e->in_count) ||
		    !clusters_read(&in, e->out, &e->out_count))
			return false;
	}
	if (version > 1 && !life_read(&in, d))
		return false;
	return rd_end(&in);
}

enum err oci_store_save(void *store, const struct oci_device *d)
{
	struct oci_store *s = store;
	sqlite3_stmt *q = s->put;
	uint8_t buffer[ENDPOINTS_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
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
	sqlite3_bind_text(q, 21, d->manufacturer, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(q, 22, d->model, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int(q, 23, d->aps_counter);
	endpoints_write(d, &w);
	sqlite3_bind_blob(q, 24, buffer, (int)w.len, SQLITE_TRANSIENT);
	sqlite3_bind_text(q, 25, d->software, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int(q, 26, d->pending.rotation);
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

/* A row of before devices had several endpoints. What such a device was interviewed with is not what there is now: it is asked again. */
static bool old_endpoint_read(sqlite3_stmt *q, struct oci_device *d)
{
	struct rd clusters = rd_of(sqlite3_column_blob(q, 23), (size_t)sqlite3_column_bytes(q, 23));
	struct oci_endpoint *e = &d->endpoints[0];

	e->id = (uint8_t)sqlite3_column_int(q, 20);
	e->device = (uint16_t)sqlite3_column_int(q, 21);
	e->zone_type = (uint16_t)sqlite3_column_int(q, 22);
	while (e->in_count < OCI_CLUSTERS && rd_le16(&clusters, &e->in[e->in_count]))
		e->in_count++;
	d->endpoint_count = e->in_count > 0;
	return rd_end(&clusters);
}

static bool row_read(struct oci_store *s, sqlite3_stmt *q, struct oci_device *d)
{
	char eui64[EUI64_SIZE];
	int64_t in;

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
	text(q, 24, d->manufacturer, sizeof d->manufacturer);
	text(q, 25, d->model, sizeof d->model);
	d->aps_counter = (uint8_t)sqlite3_column_int(q, 26);
	text(q, 28, d->software, sizeof d->software);
	d->pending.rotation = sqlite3_column_int(q, 29);
	if (!(sqlite3_column_type(q, 27) == SQLITE_NULL ? old_endpoint_read(q, d) : endpoints_read(rd_of(sqlite3_column_blob(q, 27), (size_t)sqlite3_column_bytes(q, 27)), d)))
		return false;
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
