/* Devices, the generations of their keys, and their counters, on disk. */
#include "mef/mef_store_private.h"

#include <stdlib.h>
#include <string.h>

#define NONE (-1) /* an incoming counter that has seen nothing */

static enum err unseal_set(struct mef_store *st, const char *label, struct rd sealed, struct link_key_set *set)
{
	struct secret *s;
	enum err e = secret_unseal(st->file_key, label, sealed, &s);

	return e == OK ? link_key_set_take(set, s) : e;
}

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

	d->eui64 = mef_sql_u64(s, 0);
	if (!mef_sql_text(s, 1, d->owner, sizeof d->owner) || !mef_sql_text(s, 2, d->gateway, sizeof d->gateway) ||
	    !mef_sql_text(s, 3, d->application, sizeof d->application) || state < 0 || state > DEVICE_REMOVED ||
	    !mef_sql_text(s, 10, d->last_event, sizeof d->last_event) || !mef_sql_text(s, 11, d->reason, sizeof d->reason) ||
	    !mef_sql_text(s, 13, d->former_gateway, sizeof d->former_gateway))
		return ERR_STORE;
	d->state = (enum device_state)state;
	d->short_address = (uint16_t)sqlite3_column_int(s, 6);
	d->capability = (uint8_t)sqlite3_column_int(s, 7);
	d->registered_at = mef_sql_u64(s, 8);
	d->last_event_at = mef_sql_u64(s, 9);
	d->replaces = mef_sql_u64(s, 12);
	d->router = mef_sql_u64(s, 14);
	mef_label_install(label, d->eui64);
	e = secret_unseal(st->file_key, label, mef_sql_blob(s, 4), &d->install);
	if (e == OK)
		e = counter_load(st, d);
	return e == OK ? mef_store_generations(st, d) : e;
}

enum err mef_store_devices(struct mef_store *st, struct mef_device **list)
{
	sqlite3_stmt *s = mef_sql_query(st,
	    "SELECT eui64, owner, gateway, application, install, state, short, capability, registered_at, last_event_at, last_event, reason,"
	    " replaces, former_gateway, router FROM devices ORDER BY eui64 DESC",
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

	mef_label_install(label, d->eui64);
	e = mef_seal(st, label, d->install, &install);
	if (e != OK)
		return e;
	return mef_sql_run(st,
	    "INSERT OR REPLACE INTO devices (eui64, owner, gateway, application, install, state, short, capability, registered_at, last_event_at, last_event,"
	    " reason, replaces, former_gateway, router) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	    "isssbiiiiissisi", (int64_t)d->eui64, d->owner, d->gateway, d->application, &install.rd, (int64_t)d->state, (int64_t)d->short_address,
	    (int64_t)d->capability, (int64_t)d->registered_at, (int64_t)d->last_event_at, d->last_event, d->reason, (int64_t)d->replaces, d->former_gateway,
	    (int64_t)d->router);
}

enum err mef_store_device_delete(struct mef_store *st, uint64_t eui64)
{
	enum err e = mef_store_begin(st);

	if (e == OK)
		e = mef_sql_run(st, "DELETE FROM generations WHERE eui64=?", "i", (int64_t)eui64);
	if (e == OK)
		e = mef_sql_run(st, "DELETE FROM devices WHERE eui64=?", "i", (int64_t)eui64);
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

	mef_label_generation(label, eui64, g->number, "network");
	e = secret_unseal(st->file_key, label, mef_sql_blob(s, 7), &g->network);
	if (e != OK)
		return e;
	mef_label_generation(label, eui64, g->number, "base");
	e = unseal_set(st, label, mef_sql_blob(s, 8), &g->tc.base);
	if (e != OK || sqlite3_column_type(s, 10) == SQLITE_NULL)
		return e;
	mef_label_generation(label, eui64, g->number, "fresh");
	return unseal_set(st, label, mef_sql_blob(s, 10), &g->tc.fresh);
}

static enum err generation_row(struct mef_store *st, sqlite3_stmt *s, uint64_t eui64, struct mef_generation *g)
{
	int trust = sqlite3_column_int(s, 11);

	g->number = (uint32_t)sqlite3_column_int64(s, 0);
	g->sequence = (uint8_t)sqlite3_column_int(s, 2);
	g->offered = sqlite3_column_int(s, 3) != 0;
	g->joined = sqlite3_column_int(s, 4) != 0;
	g->registered_at = mef_sql_u64(s, 5);
	if (!mef_sql_text(s, 1, g->key_id, sizeof g->key_id) || trust < 0 || trust > TRUST_VERIFIED)
		return ERR_STORE;
	g->tc.device = eui64;
	g->tc.coordinator = mef_sql_u64(s, 6);
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
	sqlite3_stmt *s = mef_sql_query(st,
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

	mef_label_generation(label, d->eui64, g->number, "network");
	e = mef_seal(st, label, g->network, &network);
	mef_label_generation(label, d->eui64, g->number, "base");
	if (e == OK)
		e = mef_seal(st, label, g->tc.base.link, &base);
	mef_label_generation(label, d->eui64, g->number, "fresh");
	if (e == OK && g->tc.fresh.link)
		e = mef_seal(st, label, g->tc.fresh.link, &fresh);
	if (e != OK)
		return e;
	return mef_sql_run(st, "INSERT OR REPLACE INTO generations VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", "iisiiiiibbibiiiiii", (int64_t)d->eui64,
	    (int64_t)g->number, g->key_id, (int64_t)g->sequence, (int64_t)g->offered, (int64_t)g->joined, (int64_t)g->registered_at,
	    (int64_t)g->tc.coordinator, &network.rd, &base.rd, (int64_t)g->tc.base_unique, g->tc.fresh.link ? &fresh.rd : NULL,
	    (int64_t)g->tc.state, in_value(&g->tc.in_base), in_value(&g->tc.in_fresh), (int64_t)g->tc.attempts, (int64_t)g->rotation, (int64_t)g->of_group);
}

enum err mef_store_generation_delete(struct mef_store *st, uint64_t eui64, uint32_t number)
{
	return mef_sql_run(st, "DELETE FROM generations WHERE eui64=? AND number=?", "ii", (int64_t)eui64, (int64_t)number);
}

/* ---- counters ---- */

enum err mef_store_counter(struct mef_store *st, uint64_t eui64, uint32_t *reserved)
{
	sqlite3_stmt *s = mef_sql_query(st, "SELECT reserved FROM counters WHERE eui64=?", "i", (int64_t)eui64);
	int result;

	if (!s)
		return ERR_STORE;
	result = sqlite3_step(s);
	*reserved = result == SQLITE_ROW ? (uint32_t)sqlite3_column_int64(s, 0) : st->gap.floor;
	sqlite3_finalize(s);
	return result == SQLITE_ROW || result == SQLITE_DONE ? OK : ERR_STORE;
}

enum err mef_store_reserve(struct mef_store *st, uint64_t eui64, uint32_t limit)
{
	return mef_sql_run(st, "INSERT INTO counters VALUES (?1,?2) ON CONFLICT (eui64) DO UPDATE SET reserved=max(reserved, ?2)", "ii", (int64_t)eui64,
	    (int64_t)limit);
}
