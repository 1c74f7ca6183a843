/* Applications, gateways, who may join at these, and whom they are to forget, on disk. */
#include "mef/mef_store_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void application_label(char label[static LABEL_MAX], const struct mef_application *a)
{
	snprintf(label, LABEL_MAX, "applications:%s:%u", a->name, a->generation);
}

static enum err application_row(struct mef_store *st, sqlite3_stmt *s, struct mef_application *a)
{
	char label[LABEL_MAX];

	if (!mef_sql_text(s, 0, a->name, sizeof a->name) || !mef_sql_text(s, 2, a->owner, sizeof a->owner))
		return ERR_STORE;
	a->policy = sqlite3_column_int(s, 1) ? MEF_POLICY_GROUP : MEF_POLICY_DEVICE;
	a->generation = (uint32_t)sqlite3_column_int64(s, 3);
	a->required = (uint32_t)sqlite3_column_int64(s, 4);
	a->required_at = mef_sql_u64(s, 5);
	if (a->generation == 0)
		return OK;
	application_label(label, a);
	return secret_unseal(st->file_key, label, mef_sql_blob(s, 6), &a->network);
}

enum err mef_store_applications(struct mef_store *st, struct mef_application **list)
{
	sqlite3_stmt *s = mef_sql_query(st, "SELECT name, policy, owner, generation, required, required_at, network FROM applications ORDER BY name DESC", "");
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
		e = mef_seal(st, label, a->network, &network);
	if (e != OK)
		return e;
	return mef_sql_run(st, "INSERT OR REPLACE INTO applications VALUES (?,?,?,?,?,?,?)", "sisiiib", a->name, (int64_t)a->policy, a->owner, (int64_t)a->generation,
	    (int64_t)a->required, (int64_t)a->required_at, a->network ? &network.rd : NULL);
}

/* ---- gateways ---- */

enum err mef_store_gateways(struct mef_store *st, struct mef_gateway **list)
{
	sqlite3_stmt *s = mef_sql_query(st, "SELECT name, eui64, relay, identity, epoch, pan_id, extended_pan_id, channel FROM gateways ORDER BY name DESC", "");
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
		if (!mef_sql_text(s, 0, g->name, sizeof g->name) || !mef_sql_text(s, 2, g->relay, sizeof g->relay) ||
		    !mef_sql_text(s, 3, g->identity, sizeof g->identity))
			e = ERR_STORE;
		g->eui64 = mef_sql_u64(s, 1);
		g->epoch = (uint32_t)sqlite3_column_int64(s, 4);
		g->pan_id = (uint16_t)sqlite3_column_int(s, 5);
		g->extended_pan_id = mef_sql_u64(s, 6);
		g->channel = (uint8_t)sqlite3_column_int(s, 7);
	}
	sqlite3_finalize(s);
	return e;
}

enum err mef_store_gateway_put(struct mef_store *st, const struct mef_gateway *g)
{
	return mef_sql_run(st, "INSERT OR REPLACE INTO gateways VALUES (?,?,?,?,?,?,?,?)", "sissiiii", g->name, (int64_t)g->eui64, g->relay, g->identity,
	    (int64_t)g->epoch, (int64_t)g->pan_id, (int64_t)g->extended_pan_id, (int64_t)g->channel);
}

/* ---- permits ---- */

/* Eight octets a device, most significant first. */
static bool devices_read(struct rd in, struct mef_permit *p)
{
	for (p->count = 0; in.left > 0; p->count++)
		if (p->count == EGP_POLICY_DEVICES_MAX || !rd_be64(&in, &p->devices[p->count]))
			return false;
	return true;
}

enum err mef_store_permit(struct mef_store *st, const char *gateway, struct mef_permit *p)
{
	sqlite3_stmt *s = mef_sql_query(st, "SELECT until, seconds, whole, devices FROM permits WHERE gateway=?", "s", gateway);
	enum err e = OK;
	int result;

	if (!s)
		return ERR_STORE;
	memset(p, 0, sizeof *p);
	result = sqlite3_step(s);
	if (result == SQLITE_ROW) {
		p->until = mef_sql_u64(s, 0);
		p->seconds = (uint16_t)sqlite3_column_int(s, 1);
		p->all = sqlite3_column_int(s, 2) != 0;
		e = devices_read(mef_sql_blob(s, 3), p) ? OK : ERR_STORE;
	}
	sqlite3_finalize(s);
	return result == SQLITE_ROW || result == SQLITE_DONE ? e : ERR_STORE;
}

enum err mef_store_permit_put(struct mef_store *st, const char *gateway, const struct mef_permit *p)
{
	uint8_t buffer[8 * EGP_POLICY_DEVICES_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd devices;

	if (p->until == 0)
		return mef_sql_run(st, "DELETE FROM permits WHERE gateway=?", "s", gateway);
	for (size_t i = 0; i < p->count; i++)
		wr_be64(&w, p->devices[i]);
	if (!wr_done(&w, &devices))
		return ERR_TOO_LONG;
	return mef_sql_run(st, "INSERT OR REPLACE INTO permits VALUES (?,?,?,?,?)", "siiib", gateway, (int64_t)p->until, (int64_t)p->seconds, (int64_t)p->all,
	    &devices);
}

/* ---- removals ---- */

enum err mef_store_removals(struct mef_store *st, const char *gateway, enum err (*each)(void *ctx, uint64_t eui64), void *ctx)
{
	sqlite3_stmt *s = mef_sql_query(st, "SELECT eui64 FROM removals WHERE gateway=?", "s", gateway);
	enum err e = OK;
	int result = SQLITE_ROW;

	if (!s)
		return ERR_STORE;
	while (e == OK && (result = sqlite3_step(s)) == SQLITE_ROW)
		e = each(ctx, mef_sql_u64(s, 0));
	sqlite3_finalize(s);
	return e == OK && result != SQLITE_DONE ? ERR_STORE : e;
}

enum err mef_store_removal_put(struct mef_store *st, const char *gateway, uint64_t eui64)
{
	return mef_sql_run(st, "INSERT OR IGNORE INTO removals VALUES (?,?)", "si", gateway, (int64_t)eui64);
}

enum err mef_store_removal_delete(struct mef_store *st, const char *gateway, uint64_t eui64)
{
	return mef_sql_run(st, "DELETE FROM removals WHERE gateway=? AND eui64=?", "si", gateway, (int64_t)eui64);
}
