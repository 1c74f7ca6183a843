/* From a key file to the store key. */
#include "mef/mef_store_private.h"

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
	e = mef_seal(&k->st, label, s, out);
	secret_free(s);
	return e;
}

static enum err rekey_devices(struct rekeying *k)
{
	sqlite3_stmt *s = mef_sql_query(&k->st, "SELECT eui64, install FROM devices", "");
	enum err e = s ? OK : ERR_STORE;
	struct sealed_octets install;
	char label[LABEL_MAX];

	while (e == OK && sqlite3_step(s) == SQLITE_ROW) {
		mef_label_install(label, mef_sql_u64(s, 0));
		e = reseal(k, label, mef_sql_blob(s, 1), &install);
		if (e == OK)
			e = mef_sql_run(&k->st, "UPDATE devices SET install=? WHERE eui64=?", "bi", &install.rd, sqlite3_column_int64(s, 0));
	}
	sqlite3_finalize(s);
	return e;
}

static enum err rekey_generations(struct rekeying *k)
{
	static const char *const kinds[] = {"network", "base", "fresh"};
	sqlite3_stmt *s = mef_sql_query(&k->st, "SELECT eui64, number, network, base, fresh FROM generations", "");
	enum err e = s ? OK : ERR_STORE;
	struct sealed_octets sealed[3];
	char label[LABEL_MAX];

	while (e == OK && sqlite3_step(s) == SQLITE_ROW) {
		bool fresh = sqlite3_column_type(s, 4) != SQLITE_NULL;

		for (int i = 0; e == OK && i < (fresh ? 3 : 2); i++) {
			mef_label_generation(label, mef_sql_u64(s, 0), (uint32_t)sqlite3_column_int64(s, 1), kinds[i]);
			e = reseal(k, label, mef_sql_blob(s, 2 + i), &sealed[i]);
		}
		if (e == OK)
			e = mef_sql_run(&k->st, "UPDATE generations SET network=?, base=?, fresh=? WHERE eui64=? AND number=?", "bbbii", &sealed[0].rd, &sealed[1].rd,
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
	e = database_open(path, mef_schema, &k.st.db, detail);
	if (e == OK && mef_sql_number(k.st.db, "PRAGMA user_version") < UNDER_STORE_KEY && mef_sql_number(k.st.db, "SELECT count(*) FROM devices") != 0) {
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
