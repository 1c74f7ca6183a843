/* The store of node B's devices: SQLite, WAL, synchronous=FULL. A row a device and a row a network key, written together before what they say is acted on. */
#include "oci/oci_store_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
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

static bool sql(struct oci_store *s, const char *text)
{
	return sqlite3_exec(s->db, text, NULL, NULL, NULL) == SQLITE_OK;
}

static bool columns_complete(struct oci_store *s)
{
	for (size_t i = 0; i < sizeof additions / sizeof additions[0]; i++)
		(void)sql(s, additions[i]);
	return sql(s, "SELECT aps_counter, endpoints, software, pending_rotation FROM device LIMIT 1");
}

static bool networks_apart(struct oci_store *s)
{
	if (sql(s, "SELECT present_network, pending_network FROM device LIMIT 1"))
		return true;
	if (!sql(s, "BEGIN IMMEDIATE"))
		return false;
	if (sql(s, to_networks) && sql(s, "COMMIT"))
		return true;
	(void)sql(s, "ROLLBACK");
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

/* ---- networks ---- */

#define ID_MAX (OCI_NAME + 40)

static void id_of(char id[static ID_MAX], const struct oci_network *n)
{
	snprintf(id, ID_MAX, "%s %s %llu", n->policy == OCI_POLICY_GROUP ? "group" : "device", n->name, (unsigned long long)n->generation);
}

/* A label a key, so that none can be put in another's place. */
static void label_of(char label[static ID_MAX], const struct oci_network *n)
{
	snprintf(label, ID_MAX, "oci:%s:%s:network:%llu", n->policy == OCI_POLICY_GROUP ? "group" : "device", n->name, (unsigned long long)n->generation);
}

static bool done(sqlite3_stmt *q)
{
	int r = sqlite3_step(q);

	sqlite3_reset(q);
	return r == SQLITE_DONE;
}

static void bind_text(sqlite3_stmt *q, int column, const char *text)
{
	sqlite3_bind_text(q, column, text, -1, SQLITE_TRANSIENT);
}

static enum err network_add(struct oci_store *s, const char *id, const struct oci_network *n)
{
	uint8_t buffer[SEALED_SIZE(SECRET_MAX)];
	struct wr w = wr_of(buffer, sizeof buffer);
	sqlite3_stmt *q = s->statements[NETWORK_PUT];
	char label[ID_MAX];

	label_of(label, n);
	if (secret_seal(s->file_key, label, n->key, &s->rng, &w) != OK)
		return ERR_CRYPTO;
	bind_text(q, 1, id);
	sqlite3_bind_int(q, 2, (int)n->policy);
	bind_text(q, 3, n->name);
	sqlite3_bind_int64(q, 4, (sqlite3_int64)n->generation);
	sqlite3_bind_int(q, 5, n->sequence);
	sqlite3_bind_blob(q, 6, w.octets, (int)w.len, SQLITE_TRANSIENT);
	sqlite3_bind_int64(q, 7, n->out_reserved);
	return done(q) ? OK : ERR_STORE;
}

/* The counter's limit only grows; a key that was wiped does not come back. */
static enum err network_put(struct oci_store *s, const struct oci_network *n)
{
	sqlite3_stmt *q = s->statements[NETWORK];
	sqlite3_int64 reserved = 0;
	bool wiped = false;
	char id[ID_MAX];
	int r;

	id_of(id, n);
	bind_text(q, 1, id);
	r = sqlite3_step(q);
	if (r == SQLITE_ROW) {
		wiped = sqlite3_column_type(q, 4) == SQLITE_NULL;
		reserved = sqlite3_column_int64(q, 5);
	}
	sqlite3_reset(q);
	if (r == SQLITE_DONE)
		return network_add(s, id, n);
	if (r != SQLITE_ROW)
		return ERR_STORE;
	if (wiped || reserved > n->out_reserved)
		return ERR_REPLAY;
	if (reserved == n->out_reserved)
		return OK;
	sqlite3_bind_int64(s->statements[NETWORK_RESERVE], 1, n->out_reserved);
	bind_text(s->statements[NETWORK_RESERVE], 2, id);
	return done(s->statements[NETWORK_RESERVE]) ? OK : ERR_STORE;
}

/* Which networks a device's row refers to; "" where there is none. */
struct references {
	char id[2][ID_MAX];
};

static void text(sqlite3_stmt *q, int column, char *to, size_t size)
{
	const char *t = (const char *)sqlite3_column_text(q, column);

	snprintf(to, size, "%s", t ? t : "");
}

static struct references references_of(struct oci_store *s, const char *eui64)
{
	sqlite3_stmt *q = s->statements[REFERENCES];
	struct references r = {{"", ""}};

	bind_text(q, 1, eui64);
	if (sqlite3_step(q) == SQLITE_ROW)
		for (int i = 0; i < 2; i++)
			text(q, i, r.id[i], sizeof r.id[i]);
	sqlite3_reset(q);
	return r;
}

/* A key that no device refers to is wiped. */
static bool network_release(struct oci_store *s, const char *id)
{
	bool group = strncmp(id, "group ", 6) == 0, used = false;
	sqlite3_stmt *q = s->statements[group ? NETWORK_WIPE : NETWORK_DROP];

	if (group) {
		bind_text(s->statements[NETWORK_USED], 1, id);
		used = sqlite3_step(s->statements[NETWORK_USED]) != SQLITE_ROW || sqlite3_column_int(s->statements[NETWORK_USED], 0) > 0;
		sqlite3_reset(s->statements[NETWORK_USED]);
	}
	bind_text(q, 1, id);
	return used || done(q);
}

/* What the row referred to before and does not now. */
static bool networks_release(struct oci_store *s, const char *eui64, const struct references *before)
{
	struct references now = references_of(s, eui64);

	for (int i = 0; i < 2; i++)
		if (before->id[i][0] && strcmp(before->id[i], now.id[0]) != 0 && strcmp(before->id[i], now.id[1]) != 0 && !network_release(s, before->id[i]))
			return false;
	return true;
}

/* ---- devices ---- */

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

static void bind_network(sqlite3_stmt *q, int column, const struct oci_network *n)
{
	char id[ID_MAX];

	if (!n) {
		sqlite3_bind_null(q, column);
		return;
	}
	id_of(id, n);
	bind_text(q, column, id);
}

static bool device_put(struct oci_store *s, const char *eui64, const struct oci_device *d)
{
	sqlite3_stmt *q = s->statements[PUT];
	uint8_t buffer[ENDPOINTS_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);

	endpoints_write(d, &w);
	bind_text(q, 1, eui64);
	sqlite3_bind_int64(q, 2, (sqlite3_int64)d->gateway);
	sqlite3_bind_int(q, 3, d->short_address);
	sqlite3_bind_int(q, 4, d->capability);
	bind_text(q, 5, d->relay);
	bind_text(q, 6, d->application);
	sqlite3_bind_int64(q, 7, (sqlite3_int64)d->present.generation);
	bind_text(q, 8, d->present.id);
	sqlite3_bind_int64(q, 9, d->present.in.any ? (sqlite3_int64)d->present.in.last : -1);
	sqlite3_bind_int64(q, 10, (sqlite3_int64)d->pending.generation);
	bind_text(q, 11, d->pending.id);
	sqlite3_bind_int64(q, 12, d->uplink);
	sqlite3_bind_int(q, 13, d->joined);
	sqlite3_bind_int(q, 14, (int)d->interview);
	sqlite3_bind_int64(q, 15, (sqlite3_int64)d->item);
	bind_text(q, 16, d->manufacturer);
	bind_text(q, 17, d->model);
	sqlite3_bind_int(q, 18, d->aps_counter);
	sqlite3_bind_blob(q, 19, buffer, (int)w.len, SQLITE_TRANSIENT);
	bind_text(q, 20, d->software);
	sqlite3_bind_int(q, 21, d->pending.rotation);
	bind_network(q, 22, d->present.network);
	bind_network(q, 23, d->pending.network);
	return done(q);
}

static enum err save(struct oci_store *s, const struct oci_device *d)
{
	const struct oci_network *networks[2] = {d->present.network, d->pending.network};
	struct references before;
	char eui64[EUI64_SIZE];

	eui64_print(eui64, d->eui64);
	before = references_of(s, eui64);
	for (size_t i = 0; i < 2; i++) {
		enum err e = networks[i] ? network_put(s, networks[i]) : OK;

		if (e != OK)
			return e;
	}
	return device_put(s, eui64, d) && networks_release(s, eui64, &before) ? OK : ERR_STORE;
}

/* All of it or nothing. */
static enum err committed(struct oci_store *s, enum err e)
{
	if (e == OK && sql(s, "COMMIT"))
		return OK;
	(void)sql(s, "ROLLBACK");
	return e == OK ? ERR_STORE : e;
}

enum err oci_store_save(void *store, const struct oci_device *d)
{
	struct oci_store *s = store;

	if (!sql(s, "BEGIN IMMEDIATE"))
		return ERR_STORE;
	return committed(s, save(s, d));
}

enum err oci_store_forget(struct oci_store *s, uint64_t device)
{
	struct references before;
	char eui64[EUI64_SIZE];
	bool ok;

	if (!sql(s, "BEGIN IMMEDIATE"))
		return ERR_STORE;
	eui64_print(eui64, device);
	before = references_of(s, eui64);
	bind_text(s->statements[DROP], 1, eui64);
	ok = done(s->statements[DROP]) && networks_release(s, eui64, &before);
	return committed(s, ok ? OK : ERR_STORE);
}

/* The key as it stands in its row, of its own; NULL: there is none, or it is not what it should be. */
static struct oci_network *network_read(struct oci_store *s, const char *id)
{
	sqlite3_stmt *q = s->statements[NETWORK];
	struct oci_network n = {.key = NULL}, *out = NULL;
	char label[ID_MAX];

	bind_text(q, 1, id);
	if (sqlite3_step(q) == SQLITE_ROW && sqlite3_column_type(q, 4) != SQLITE_NULL) {
		n.policy = sqlite3_column_int(q, 0) ? OCI_POLICY_GROUP : OCI_POLICY_DEVICE;
		text(q, 1, n.name, sizeof n.name);
		n.generation = (uint64_t)sqlite3_column_int64(q, 2);
		label_of(label, &n);
		if (secret_unseal(s->file_key, label, rd_of(sqlite3_column_blob(q, 4), (size_t)sqlite3_column_bytes(q, 4)), &n.key) == OK)
			out = oci_network_new(n.policy, n.name, n.generation, (uint8_t)sqlite3_column_int(q, 3), n.key, (uint32_t)sqlite3_column_int64(q, 5));
		if (out)
			out->worn = sqlite3_column_int(q, 6);
	}
	sqlite3_reset(q);
	return out;
}

/* A row that refers to a network must be this device's own, or a group's. */
static bool refer(struct oci_store *s, sqlite3_stmt *q, int column, const char *eui64, struct oci_key *k)
{
	char id[ID_MAX], own[ID_MAX];

	if (sqlite3_column_type(q, column) == SQLITE_NULL)
		return true;
	text(q, column, id, sizeof id);
	snprintf(own, sizeof own, "device %s %llu", eui64, (unsigned long long)k->generation);
	if (strncmp(id, "group ", 6) != 0 && strcmp(id, own) != 0)
		return false;
	k->network = network_read(s, id);
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
	text(q, 0, eui64, sizeof eui64);
	if (!eui64_parse(rd_str(eui64), &d->eui64))
		return false;
	d->gateway = (uint64_t)sqlite3_column_int64(q, 1);
	d->short_address = (uint16_t)sqlite3_column_int(q, 2);
	d->capability = (uint8_t)sqlite3_column_int(q, 3);
	text(q, 4, d->relay, sizeof d->relay);
	text(q, 5, d->application, sizeof d->application);
	d->present.generation = (uint64_t)sqlite3_column_int64(q, 8);
	text(q, 9, d->present.id, sizeof d->present.id);
	in = sqlite3_column_int64(q, 10);
	if (in >= 0)
		counter_in_accept(&d->present.in, (uint32_t)in);
	d->pending.generation = (uint64_t)sqlite3_column_int64(q, 13);
	text(q, 14, d->pending.id, sizeof d->pending.id);
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
