/* SQLite under the MEF. */
#include "mef/mef_store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "database/database.h"
#include "keys/sealed.h"

#define LABEL_MAX 96
#define SEALED_MAX SEALED_SIZE(SECRET_MAX)
#define NONE (-1)          /* an incoming counter that has seen nothing */

struct mef_store {
	sqlite3 *db;
	const struct secret *file_key;
	struct rng *rng;
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS devices (eui64 INTEGER PRIMARY KEY, owner TEXT NOT NULL, gateway TEXT NOT NULL, application TEXT NOT NULL,"
    " install BLOB NOT NULL, state INTEGER NOT NULL, short INTEGER NOT NULL, capability INTEGER NOT NULL, registered_at INTEGER NOT NULL,"
    " last_event_at INTEGER NOT NULL, last_event TEXT NOT NULL, reason TEXT NOT NULL, replaces INTEGER NOT NULL DEFAULT 0,"
    " former_gateway TEXT NOT NULL DEFAULT '');"
    "CREATE TABLE IF NOT EXISTS generations (eui64 INTEGER NOT NULL, number INTEGER NOT NULL, key_id TEXT NOT NULL UNIQUE,"
    " sequence INTEGER NOT NULL, offered INTEGER NOT NULL, joined INTEGER NOT NULL, registered_at INTEGER NOT NULL, coordinator INTEGER NOT NULL,"
    " network BLOB NOT NULL, base BLOB NOT NULL, base_unique INTEGER NOT NULL, fresh BLOB, trust INTEGER NOT NULL, in_base INTEGER NOT NULL,"
    " in_fresh INTEGER NOT NULL, attempts INTEGER NOT NULL, rotation INTEGER NOT NULL DEFAULT 0, of_group INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (eui64, number)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS applications (name TEXT PRIMARY KEY, policy INTEGER NOT NULL, owner TEXT NOT NULL, generation INTEGER NOT NULL,"
    " required INTEGER NOT NULL, required_at INTEGER NOT NULL, network BLOB) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS counters (eui64 INTEGER PRIMARY KEY, reserved INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS gateways (name TEXT PRIMARY KEY, eui64 INTEGER NOT NULL UNIQUE, relay TEXT NOT NULL, identity TEXT NOT NULL,"
    " epoch INTEGER NOT NULL, pan_id INTEGER NOT NULL, extended_pan_id INTEGER NOT NULL, channel INTEGER NOT NULL) WITHOUT ROWID;";

/* user_version 0: keys lie under a key file of the operator's, as they did until version 0.1. */
#define UNDER_STORE_KEY 1

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s;
	int64_t n = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
		return -1;
	if (sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

/* A file without keys is one of this version. */
static enum err mark_new(struct mef_store *st)
{
	if (number(st->db, "PRAGMA user_version") != 0 || number(st->db, "SELECT count(*) FROM devices") != 0)
		return OK;
	return database_execute(st->db, "PRAGMA user_version = 1");
}

enum err mef_store_open(const char *path, const struct secret *file_key, struct rng *rng, struct mef_store **out, const char **detail)
{
	struct mef_store *st = calloc(1, sizeof *st);

	if (!st)
		return ERR_NO_MEMORY;
	st->file_key = file_key;
	st->rng = rng;
	if (database_open(path, schema, &st->db, detail) != OK || mark_new(st) != OK) {
		mef_store_close(st);
		return ERR_STORE;
	}
	/* Databases of before keys were rotated and shared, devices replaced or moved; each fails, and may, where the column is there. */
	(void)sqlite3_exec(st->db, "ALTER TABLE devices ADD COLUMN replaces INTEGER NOT NULL DEFAULT 0", NULL, NULL, NULL);
	(void)sqlite3_exec(st->db, "ALTER TABLE devices ADD COLUMN former_gateway TEXT NOT NULL DEFAULT ''", NULL, NULL, NULL);
	(void)sqlite3_exec(st->db, "ALTER TABLE generations ADD COLUMN rotation INTEGER NOT NULL DEFAULT 0", NULL, NULL, NULL);
	(void)sqlite3_exec(st->db, "ALTER TABLE generations ADD COLUMN of_group INTEGER NOT NULL DEFAULT 0", NULL, NULL, NULL);
	*out = st;
	return OK;
}

void mef_store_close(struct mef_store *st)
{
	if (!st)
		return;
	sqlite3_close(st->db);
	free(st);
}

enum err mef_store_begin(struct mef_store *st)
{
	return database_execute(st->db, "BEGIN IMMEDIATE");
}

enum err mef_store_commit(struct mef_store *st)
{
	return database_execute(st->db, "COMMIT");
}

void mef_store_rollback(struct mef_store *st)
{
	sqlite3_exec(st->db, "ROLLBACK", NULL, NULL, NULL); /* may have happened by itself */
}

/* ---- statements ---- */

/* kinds: one letter a value: i int64_t, s const char *, b struct rd * (NULL pointer: SQL NULL). */
static sqlite3_stmt *prepare(struct mef_store *st, const char *sql, const char *kinds, va_list args)
{
	sqlite3_stmt *s;
	const struct rd *blob;
	int n = 1;

	if (sqlite3_prepare_v2(st->db, sql, -1, &s, NULL) != SQLITE_OK)
		return NULL;
	for (; *kinds; kinds++, n++) {
		if (*kinds == 'i') {
			sqlite3_bind_int64(s, n, va_arg(args, int64_t));
		} else if (*kinds == 's') {
			sqlite3_bind_text(s, n, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
		} else {
			blob = va_arg(args, const struct rd *);
			if (blob)
				sqlite3_bind_blob(s, n, blob->at, (int)blob->left, SQLITE_TRANSIENT);
		}
	}
	return s;
}

static enum err run(struct mef_store *st, const char *sql, const char *kinds, ...)
{
	sqlite3_stmt *s;
	va_list args;
	int result;

	va_start(args, kinds);
	s = prepare(st, sql, kinds, args);
	va_end(args);
	if (!s)
		return ERR_STORE;
	result = sqlite3_step(s);
	sqlite3_finalize(s);
	return result == SQLITE_DONE || result == SQLITE_ROW ? OK : ERR_STORE;
}

static sqlite3_stmt *query(struct mef_store *st, const char *sql, const char *kinds, ...)
{
	sqlite3_stmt *s;
	va_list args;

	va_start(args, kinds);
	s = prepare(st, sql, kinds, args);
	va_end(args);
	return s;
}

static uint64_t column_u64(sqlite3_stmt *s, int n)
{
	return (uint64_t)sqlite3_column_int64(s, n);
}

/* False when it is longer than its place: not written by us. */
static bool column_text(sqlite3_stmt *s, int n, char *dst, size_t size)
{
	const unsigned char *text = sqlite3_column_text(s, n);

	return text && rd_text(rd_of(text, (size_t)sqlite3_column_bytes(s, n)), dst, size);
}

static struct rd column_blob(sqlite3_stmt *s, int n)
{
	return rd_of(sqlite3_column_blob(s, n), (size_t)sqlite3_column_bytes(s, n));
}

/* ---- sealed keys ---- */

struct sealed_octets {
	uint8_t octets[SEALED_MAX];
	struct rd rd;
};

static void generation_label(char label[static LABEL_MAX], uint64_t eui64, uint32_t number, const char *kind)
{
	char device[EUI64_SIZE];

	eui64_print(device, eui64);
	snprintf(label, LABEL_MAX, "generations:%s:%u:%s", device, number, kind);
}

static void install_label(char label[static LABEL_MAX], uint64_t eui64)
{
	char device[EUI64_SIZE];

	eui64_print(device, eui64);
	snprintf(label, LABEL_MAX, "devices:%s:install", device);
}

static enum err seal(struct mef_store *st, const char *label, const struct secret *s, struct sealed_octets *out)
{
	struct wr w = wr_of(out->octets, sizeof out->octets);
	enum err e = secret_seal(st->file_key, label, s, st->rng, &w);

	if (e == OK && !wr_done(&w, &out->rd))
		e = ERR_TOO_LONG;
	return e;
}

static enum err unseal_set(struct mef_store *st, const char *label, struct rd sealed, struct link_key_set *set)
{
	struct secret *s;
	enum err e = secret_unseal(st->file_key, label, sealed, &s);

	return e == OK ? link_key_set_take(set, s) : e;
}

/* ---- devices ---- */

static enum err counter_load(struct mef_store *st, struct mef_device *d)
{
	uint32_t reserved;
	enum err e = mef_store_counter(st, d->eui64, &reserved);

	if (e == OK)
		counter_init(&d->out, reserved, MEF_COUNTER_BLOCK);
	return e;
}

static enum err device_row(struct mef_store *st, sqlite3_stmt *s, struct mef_device *d)
{
	char label[LABEL_MAX];
	int64_t state = sqlite3_column_int64(s, 5);
	enum err e;

	d->eui64 = column_u64(s, 0);
	if (!column_text(s, 1, d->owner, sizeof d->owner) || !column_text(s, 2, d->gateway, sizeof d->gateway) ||
	    !column_text(s, 3, d->application, sizeof d->application) || state < 0 || state > DEVICE_REMOVED ||
	    !column_text(s, 10, d->last_event, sizeof d->last_event) || !column_text(s, 11, d->reason, sizeof d->reason) ||
	    !column_text(s, 13, d->former_gateway, sizeof d->former_gateway))
		return ERR_STORE;
	d->state = (enum device_state)state;
	d->short_address = (uint16_t)sqlite3_column_int(s, 6);
	d->capability = (uint8_t)sqlite3_column_int(s, 7);
	d->registered_at = column_u64(s, 8);
	d->last_event_at = column_u64(s, 9);
	d->replaces = column_u64(s, 12);
	install_label(label, d->eui64);
	e = secret_unseal(st->file_key, label, column_blob(s, 4), &d->install);
	if (e == OK)
		e = counter_load(st, d);
	return e == OK ? mef_store_generations(st, d) : e;
}

enum err mef_store_devices(struct mef_store *st, struct mef_device **list)
{
	sqlite3_stmt *s = query(st,
	    "SELECT eui64, owner, gateway, application, install, state, short, capability, registered_at, last_event_at, last_event, reason,"
	    " replaces, former_gateway FROM devices ORDER BY eui64 DESC",
	    "");
	struct mef_device *first = NULL;
	enum err e = s ? OK : ERR_STORE;

	while (e == OK && sqlite3_step(s) == SQLITE_ROW) {
		struct mef_device *d = calloc(1, sizeof *d);

		if (!d) {
			e = ERR_NO_MEMORY;
			break;
		}
		d->next = first;
		first = d;
		e = device_row(st, s, d);
	}
	sqlite3_finalize(s);
	if (e == OK) {
		*list = first;
		return OK;
	}
	while (first) {
		struct mef_device *next = first->next;

		mef_device_free(first);
		first = next;
	}
	return e;
}

enum err mef_store_device_put(struct mef_store *st, const struct mef_device *d)
{
	struct sealed_octets install;
	char label[LABEL_MAX];
	enum err e;

	install_label(label, d->eui64);
	e = seal(st, label, d->install, &install);
	if (e != OK)
		return e;
	return run(st,
	    "INSERT OR REPLACE INTO devices (eui64, owner, gateway, application, install, state, short, capability, registered_at, last_event_at, last_event,"
	    " reason, replaces, former_gateway) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	    "isssbiiiiissis", (int64_t)d->eui64, d->owner, d->gateway, d->application, &install.rd, (int64_t)d->state, (int64_t)d->short_address,
	    (int64_t)d->capability, (int64_t)d->registered_at, (int64_t)d->last_event_at, d->last_event, d->reason, (int64_t)d->replaces, d->former_gateway);
}

enum err mef_store_device_delete(struct mef_store *st, uint64_t eui64)
{
	enum err e = mef_store_begin(st);

	if (e == OK)
		e = run(st, "DELETE FROM generations WHERE eui64=?", "i", (int64_t)eui64);
	if (e == OK)
		e = run(st, "DELETE FROM devices WHERE eui64=?", "i", (int64_t)eui64);
	if (e == OK)
		e = mef_store_commit(st);
	if (e != OK)
		mef_store_rollback(st);
	return e;
}

/* ---- generations ---- */

static int64_t in_value(const struct counter_in *in)
{
	return in->any ? (int64_t)in->last : NONE;
}

static struct counter_in in_of(int64_t value)
{
	struct counter_in in = {.any = value >= 0, .last = value >= 0 ? (uint32_t)value : 0};

	return in;
}

static enum err generation_keys(struct mef_store *st, sqlite3_stmt *s, struct mef_generation *g)
{
	uint64_t eui64 = g->tc.device;
	char label[LABEL_MAX];
	enum err e;

	generation_label(label, eui64, g->number, "network");
	e = secret_unseal(st->file_key, label, column_blob(s, 7), &g->network);
	if (e != OK)
		return e;
	generation_label(label, eui64, g->number, "base");
	e = unseal_set(st, label, column_blob(s, 8), &g->tc.base);
	if (e != OK || sqlite3_column_type(s, 10) == SQLITE_NULL)
		return e;
	generation_label(label, eui64, g->number, "fresh");
	return unseal_set(st, label, column_blob(s, 10), &g->tc.fresh);
}

static enum err generation_row(struct mef_store *st, sqlite3_stmt *s, uint64_t eui64, struct mef_generation *g)
{
	int trust = sqlite3_column_int(s, 11);

	g->number = (uint32_t)sqlite3_column_int64(s, 0);
	g->sequence = (uint8_t)sqlite3_column_int(s, 2);
	g->offered = sqlite3_column_int(s, 3) != 0;
	g->joined = sqlite3_column_int(s, 4) != 0;
	g->registered_at = column_u64(s, 5);
	if (!column_text(s, 1, g->key_id, sizeof g->key_id) || trust < 0 || trust > TRUST_VERIFIED)
		return ERR_STORE;
	g->tc.device = eui64;
	g->tc.coordinator = column_u64(s, 6);
	g->tc.base_unique = sqlite3_column_int(s, 9) != 0;
	g->tc.state = (enum trust_state)trust;
	g->tc.in_base = in_of(sqlite3_column_int64(s, 12));
	g->tc.in_fresh = in_of(sqlite3_column_int64(s, 13));
	g->tc.attempts = (uint8_t)sqlite3_column_int(s, 14);
	g->rotation = sqlite3_column_int(s, 15) != 0;
	g->of_group = (uint32_t)sqlite3_column_int64(s, 16);
	return generation_keys(st, s, g);
}

enum err mef_store_generations(struct mef_store *st, struct mef_device *d)
{
	sqlite3_stmt *s = query(st,
	    "SELECT number, key_id, sequence, offered, joined, registered_at, coordinator, network, base, base_unique, fresh, trust, in_base,"
	    " in_fresh, attempts, rotation, of_group FROM generations WHERE eui64=? ORDER BY number DESC LIMIT 2",
	    "i", (int64_t)d->eui64);
	struct mef_generation **place = &d->present;
	enum err e = s ? OK : ERR_STORE;

	mef_generation_free(d->present);
	mef_generation_free(d->former);
	d->present = d->former = NULL;
	while (e == OK && sqlite3_step(s) == SQLITE_ROW) {
		*place = calloc(1, sizeof **place);
		e = *place ? generation_row(st, s, d->eui64, *place) : ERR_NO_MEMORY;
		place = &d->former;
	}
	sqlite3_finalize(s);
	return e;
}

enum err mef_store_generation_put(struct mef_store *st, const struct mef_device *d, const struct mef_generation *g)
{
	struct sealed_octets network, base, fresh;
	char label[LABEL_MAX];
	enum err e;

	generation_label(label, d->eui64, g->number, "network");
	e = seal(st, label, g->network, &network);
	generation_label(label, d->eui64, g->number, "base");
	if (e == OK)
		e = seal(st, label, g->tc.base.link, &base);
	generation_label(label, d->eui64, g->number, "fresh");
	if (e == OK && g->tc.fresh.link)
		e = seal(st, label, g->tc.fresh.link, &fresh);
	if (e != OK)
		return e;
	return run(st, "INSERT OR REPLACE INTO generations VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", "iisiiiiibbibiiiiii", (int64_t)d->eui64,
	    (int64_t)g->number, g->key_id, (int64_t)g->sequence, (int64_t)g->offered, (int64_t)g->joined, (int64_t)g->registered_at,
	    (int64_t)g->tc.coordinator, &network.rd, &base.rd, (int64_t)g->tc.base_unique, g->tc.fresh.link ? &fresh.rd : NULL,
	    (int64_t)g->tc.state, in_value(&g->tc.in_base), in_value(&g->tc.in_fresh), (int64_t)g->tc.attempts, (int64_t)g->rotation, (int64_t)g->of_group);
}

enum err mef_store_generation_delete(struct mef_store *st, uint64_t eui64, uint32_t number)
{
	return run(st, "DELETE FROM generations WHERE eui64=? AND number=?", "ii", (int64_t)eui64, (int64_t)number);
}

/* ---- counters ---- */

enum err mef_store_counter(struct mef_store *st, uint64_t eui64, uint32_t *reserved)
{
	sqlite3_stmt *s = query(st, "SELECT reserved FROM counters WHERE eui64=?", "i", (int64_t)eui64);
	int result;

	if (!s)
		return ERR_STORE;
	result = sqlite3_step(s);
	*reserved = result == SQLITE_ROW ? (uint32_t)sqlite3_column_int64(s, 0) : 0;
	sqlite3_finalize(s);
	return result == SQLITE_ROW || result == SQLITE_DONE ? OK : ERR_STORE;
}

enum err mef_store_reserve(struct mef_store *st, uint64_t eui64, uint32_t limit)
{
	return run(st, "INSERT INTO counters VALUES (?1,?2) ON CONFLICT (eui64) DO UPDATE SET reserved=max(reserved, ?2)", "ii", (int64_t)eui64,
	    (int64_t)limit);
}

/* ---- applications ---- */

static void application_label(char label[static LABEL_MAX], const struct mef_application *a)
{
	snprintf(label, LABEL_MAX, "applications:%s:%u", a->name, a->generation);
}

static enum err application_row(struct mef_store *st, sqlite3_stmt *s, struct mef_application *a)
{
	char label[LABEL_MAX];

	if (!column_text(s, 0, a->name, sizeof a->name) || !column_text(s, 2, a->owner, sizeof a->owner))
		return ERR_STORE;
	a->policy = sqlite3_column_int(s, 1) ? MEF_POLICY_GROUP : MEF_POLICY_DEVICE;
	a->generation = (uint32_t)sqlite3_column_int64(s, 3);
	a->required = (uint32_t)sqlite3_column_int64(s, 4);
	a->required_at = column_u64(s, 5);
	if (a->generation == 0)
		return OK;
	application_label(label, a);
	return secret_unseal(st->file_key, label, column_blob(s, 6), &a->network);
}

enum err mef_store_applications(struct mef_store *st, struct mef_application **list)
{
	sqlite3_stmt *s = query(st, "SELECT name, policy, owner, generation, required, required_at, network FROM applications ORDER BY name DESC", "");
	enum err e = s ? OK : ERR_STORE;

	*list = NULL;
	while (e == OK && sqlite3_step(s) == SQLITE_ROW) {
		struct mef_application *a = calloc(1, sizeof *a);

		if (!a) {
			e = ERR_NO_MEMORY;
			break;
		}
		a->next = *list;
		*list = a;
		e = application_row(st, s, a);
	}
	sqlite3_finalize(s);
	return e; /* what was read is the caller's in any case */
}

enum err mef_store_application_put(struct mef_store *st, const struct mef_application *a)
{
	struct sealed_octets network;
	char label[LABEL_MAX];
	enum err e = OK;

	application_label(label, a);
	if (a->network)
		e = seal(st, label, a->network, &network);
	if (e != OK)
		return e;
	return run(st, "INSERT OR REPLACE INTO applications VALUES (?,?,?,?,?,?,?)", "sisiiib", a->name, (int64_t)a->policy, a->owner, (int64_t)a->generation,
	    (int64_t)a->required, (int64_t)a->required_at, a->network ? &network.rd : NULL);
}

/* ---- gateways ---- */

enum err mef_store_gateways(struct mef_store *st, struct mef_gateway **list)
{
	sqlite3_stmt *s = query(st, "SELECT name, eui64, relay, identity, epoch, pan_id, extended_pan_id, channel FROM gateways ORDER BY name DESC", "");
	enum err e = s ? OK : ERR_STORE;

	*list = NULL;
	while (e == OK && sqlite3_step(s) == SQLITE_ROW) {
		struct mef_gateway *g = calloc(1, sizeof *g);

		if (!g) {
			e = ERR_NO_MEMORY;
			break;
		}
		g->next = *list;
		*list = g;
		if (!column_text(s, 0, g->name, sizeof g->name) || !column_text(s, 2, g->relay, sizeof g->relay) ||
		    !column_text(s, 3, g->identity, sizeof g->identity))
			e = ERR_STORE;
		g->eui64 = column_u64(s, 1);
		g->epoch = (uint32_t)sqlite3_column_int64(s, 4);
		g->pan_id = (uint16_t)sqlite3_column_int(s, 5);
		g->extended_pan_id = column_u64(s, 6);
		g->channel = (uint8_t)sqlite3_column_int(s, 7);
	}
	sqlite3_finalize(s);
	return e;
}

enum err mef_store_gateway_put(struct mef_store *st, const struct mef_gateway *g)
{
	return run(st, "INSERT OR REPLACE INTO gateways VALUES (?,?,?,?,?,?,?,?)", "sissiiii", g->name, (int64_t)g->eui64, g->relay, g->identity,
	    (int64_t)g->epoch, (int64_t)g->pan_id, (int64_t)g->extended_pan_id, (int64_t)g->channel);
}

/* ---- from a key file to the store key ---- */

struct rekeying {
	struct mef_store st; /* under the new key */
	const struct secret *former;
};

static enum err reseal(struct rekeying *k, const char *label, struct rd sealed, struct sealed_octets *out)
{
	struct secret *s;
	enum err e = secret_unseal(k->former, label, sealed, &s);

	if (e != OK)
		return e;
	e = seal(&k->st, label, s, out);
	secret_free(s);
	return e;
}

static enum err rekey_devices(struct rekeying *k)
{
	sqlite3_stmt *s = query(&k->st, "SELECT eui64, install FROM devices", "");
	enum err e = s ? OK : ERR_STORE;
	struct sealed_octets install;
	char label[LABEL_MAX];

	while (e == OK && sqlite3_step(s) == SQLITE_ROW) {
		install_label(label, column_u64(s, 0));
		e = reseal(k, label, column_blob(s, 1), &install);
		if (e == OK)
			e = run(&k->st, "UPDATE devices SET install=? WHERE eui64=?", "bi", &install.rd, sqlite3_column_int64(s, 0));
	}
	sqlite3_finalize(s);
	return e;
}

static enum err rekey_generations(struct rekeying *k)
{
	static const char *const kinds[] = {"network", "base", "fresh"};
	sqlite3_stmt *s = query(&k->st, "SELECT eui64, number, network, base, fresh FROM generations", "");
	enum err e = s ? OK : ERR_STORE;
	struct sealed_octets sealed[3];
	char label[LABEL_MAX];

	while (e == OK && sqlite3_step(s) == SQLITE_ROW) {
		bool fresh = sqlite3_column_type(s, 4) != SQLITE_NULL;

		for (int i = 0; e == OK && i < (fresh ? 3 : 2); i++) {
			generation_label(label, column_u64(s, 0), (uint32_t)sqlite3_column_int64(s, 1), kinds[i]);
			e = reseal(k, label, column_blob(s, 2 + i), &sealed[i]);
		}
		if (e == OK)
			e = run(&k->st, "UPDATE generations SET network=?, base=?, fresh=? WHERE eui64=? AND number=?", "bbbii", &sealed[0].rd, &sealed[1].rd,
			    fresh ? &sealed[2].rd : NULL, sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1));
	}
	sqlite3_finalize(s);
	return e;
}

/* One transaction: killed at it, the file is as it was. */
static enum err rekey(struct rekeying *k)
{
	enum err e = mef_store_begin(&k->st);

	if (e == OK)
		e = rekey_devices(k);
	if (e == OK)
		e = rekey_generations(k);
	if (e == OK)
		e = database_execute(k->st.db, "PRAGMA user_version = 1");
	if (e == OK)
		e = mef_store_commit(&k->st);
	if (e != OK)
		mef_store_rollback(&k->st);
	return e;
}

enum err mef_store_rekey(const char *path, const struct secret *former, const struct secret *store_key, struct rng *rng, bool *done, const char **detail)
{
	struct rekeying k = {.st = {.file_key = store_key, .rng = rng}, .former = former};
	enum err e;

	*done = false;
	e = database_open(path, schema, &k.st.db, detail);
	if (e == OK && number(k.st.db, "PRAGMA user_version") < UNDER_STORE_KEY && number(k.st.db, "SELECT count(*) FROM devices") != 0) {
		*detail = former ? "key_file is not the one that sealed mef.db, or mef.db was changed" : "it is sealed under the key file of a former version: give key_file in [mef] once more";
		e = former ? rekey(&k) : ERR_CONFIG;
		*done = e == OK;
		/* nothing of what was under the key file stays in the log that is written ahead */
		if (e == OK && database_execute(k.st.db, "PRAGMA wal_checkpoint(TRUNCATE)") != OK)
			e = ERR_STORE;
	}
	sqlite3_close(k.st.db);
	return e;
}
