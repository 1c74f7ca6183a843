/* Devices in node B's store. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "oci/oci_store_private.h"

/* What the interview found: version(1) poll_s(2) described_by(4) hardware(1) count(1), and of each endpoint id(1) device(2) zone_type(2), then twice, for
 * its servers and its clients, count(1) and clusters(2 each); least significant octet first. From version 2 on, timeout_s(4) and silent(1) follow,
 * from version 3 on role(8), from version 4 on parent(8). */
#define ENDPOINTS_VERSION 4
#define ENDPOINTS_MAX (30 + OCI_ENDPOINTS * (7 + 4 * OCI_CLUSTERS))

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
	wr_le64(w, d->role);
	wr_le64(w, d->parent);
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
	if ((version > 1 && !life_read(&in, d)) || (version > 2 && !rd_le64(&in, &d->role)) || (version > 3 && !rd_le64(&in, &d->parent)))
		return false;
	return rd_end(&in);
}

static bool device_put(struct oci_store *s, const char *eui64, const struct oci_device *d)
{
	sqlite3_stmt *q = s->statements[PUT];
	uint8_t buffer[ENDPOINTS_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);

	endpoints_write(d, &w);
	oci_store_bind(q, 1, eui64);
	sqlite3_bind_int64(q, 2, (sqlite3_int64)d->gateway);
	sqlite3_bind_int(q, 3, d->short_address);
	sqlite3_bind_int(q, 4, d->capability);
	oci_store_bind(q, 5, d->relay);
	oci_store_bind(q, 6, d->application);
	sqlite3_bind_int64(q, 7, (sqlite3_int64)d->present.generation);
	oci_store_bind(q, 8, d->present.id);
	sqlite3_bind_int64(q, 9, d->present.in.any ? (sqlite3_int64)d->present.in.last : -1);
	sqlite3_bind_int64(q, 10, (sqlite3_int64)d->pending.generation);
	oci_store_bind(q, 11, d->pending.id);
	sqlite3_bind_int64(q, 12, d->uplink);
	sqlite3_bind_int(q, 13, d->joined);
	sqlite3_bind_int(q, 14, (int)d->interview);
	sqlite3_bind_int64(q, 15, (sqlite3_int64)d->item);
	oci_store_bind(q, 16, d->manufacturer);
	oci_store_bind(q, 17, d->model);
	sqlite3_bind_int(q, 18, d->aps_counter);
	sqlite3_bind_blob(q, 19, buffer, (int)w.len, SQLITE_TRANSIENT);
	oci_store_bind(q, 20, d->software);
	sqlite3_bind_int(q, 21, d->pending.rotation);
	oci_store_bind_network(q, 22, d->present.network);
	oci_store_bind_network(q, 23, d->pending.network);
	return oci_store_done(q);
}

static enum err save(struct oci_store *s, const struct oci_device *d)
{
	const struct oci_network *networks[2] = {d->present.network, d->pending.network};
	struct oci_store_references before;
	char eui64[EUI64_SIZE];

	eui64_print(eui64, d->eui64);
	before = oci_store_references(s, eui64);
	for (size_t i = 0; i < 2; i++) {
		enum err e = networks[i] ? oci_store_network_put(s, networks[i]) : OK;

		if (e != OK)
			return e;
	}
	return device_put(s, eui64, d) && oci_store_networks_release(s, eui64, &before) ? OK : ERR_STORE;
}

/* All of it or nothing. */
static enum err committed(struct oci_store *s, enum err e)
{
	if (e == OK && oci_store_sql(s, "COMMIT"))
		return OK;
	(void)oci_store_sql(s, "ROLLBACK");
	return e == OK ? ERR_STORE : e;
}

enum err oci_store_save(void *store, const struct oci_device *d)
{
	struct oci_store *s = store;

	if (!oci_store_sql(s, "BEGIN IMMEDIATE"))
		return ERR_STORE;
	return committed(s, save(s, d));
}

enum err oci_store_forget(struct oci_store *s, uint64_t device)
{
	struct oci_store_references before;
	char eui64[EUI64_SIZE];
	bool ok;

	if (!oci_store_sql(s, "BEGIN IMMEDIATE"))
		return ERR_STORE;
	eui64_print(eui64, device);
	before = oci_store_references(s, eui64);
	oci_store_bind(s->statements[DROP], 1, eui64);
	ok = oci_store_done(s->statements[DROP]) && oci_store_networks_release(s, eui64, &before);
	return committed(s, ok ? OK : ERR_STORE);
}

/* A row that refers to a network must be this device's own, or a group's. */
static bool refer(struct oci_store *s, sqlite3_stmt *q, int column, const char *eui64, struct oci_key *k)
{
	char id[OCI_STORE_ID], own[OCI_STORE_ID];

	if (sqlite3_column_type(q, column) == SQLITE_NULL)
		return true;
	oci_store_text(q, column, id, sizeof id);
	snprintf(own, sizeof own, "device %s %llu", eui64, (unsigned long long)k->generation);
	if (strncmp(id, "group ", 6) != 0 && strcmp(id, own) != 0)
		return false;
	k->network = oci_store_network(s, id);
	return k->network != NULL;
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
	oci_store_text(q, 0, eui64, sizeof eui64);
	if (!eui64_parse(rd_str(eui64), &d->eui64))
		return false;
	d->gateway = (uint64_t)sqlite3_column_int64(q, 1);
	d->short_address = (uint16_t)sqlite3_column_int(q, 2);
	d->capability = (uint8_t)sqlite3_column_int(q, 3);
	oci_store_text(q, 4, d->relay, sizeof d->relay);
	oci_store_text(q, 5, d->application, sizeof d->application);
	d->present.generation = (uint64_t)sqlite3_column_int64(q, 8);
	oci_store_text(q, 9, d->present.id, sizeof d->present.id);
	in = sqlite3_column_int64(q, 10);
	if (in >= 0)
		counter_in_accept(&d->present.in, (uint32_t)in);
	d->pending.generation = (uint64_t)sqlite3_column_int64(q, 13);
	oci_store_text(q, 14, d->pending.id, sizeof d->pending.id);
	d->uplink = (uint32_t)sqlite3_column_int64(q, 16);
	d->joined = sqlite3_column_int(q, 17);
	d->interview = (enum oci_interview)sqlite3_column_int(q, 18);
	d->item = (size_t)sqlite3_column_int64(q, 19);
	oci_store_text(q, 24, d->manufacturer, sizeof d->manufacturer);
	oci_store_text(q, 25, d->model, sizeof d->model);
	d->aps_counter = (uint8_t)sqlite3_column_int(q, 26);
	oci_store_text(q, 28, d->software, sizeof d->software);
	d->pending.rotation = sqlite3_column_int(q, 29);
	if (!(sqlite3_column_type(q, 27) == SQLITE_NULL ? old_endpoint_read(q, d) : endpoints_read(rd_of(sqlite3_column_blob(q, 27), (size_t)sqlite3_column_bytes(q, 27)), d)))
		return false;
	return refer(s, q, 30, eui64, &d->present) && refer(s, q, 31, eui64, &d->pending);
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
			oci_network_free(d.present.network);
			oci_network_free(d.pending.network);
			break;
		}
		fn(ctx, &d);
	}
	sqlite3_finalize(q);
	return r == SQLITE_DONE ? OK : ERR_STORE;
}
