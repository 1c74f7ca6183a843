/* Applications and gateways on disk. */
#include "mef/mef_store_private.h"

#include <stdio.h>
#include <stdlib.h>

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
