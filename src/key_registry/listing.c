/* The keys of a registry, without their values. */
#include "key_registry/listing.h"

#include <sqlite3.h>
#include <unistd.h>

#include "key_registry/private.h"

#define PATIENCE_MS 10000

static bool row(sqlite3_stmt *s, struct registry_listed *k)
{
	if (!registry_text(s, 0, k->id, sizeof k->id) || !registry_text(s, 1, k->source, sizeof k->source) || !registry_text(s, 2, k->targets, sizeof k->targets))
		return false;
	k->suid = (enum suid)sqlite3_column_int(s, 3);
	k->exported = sqlite3_column_int(s, 4) != 0;
	k->expires_at = (uint64_t)sqlite3_column_int64(s, 5);
	return true;
}

enum err registry_list(const char *path, void (*fn)(void *ctx, const struct registry_listed *k), void *ctx)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;
	struct registry_listed k;
	int result = SQLITE_ERROR;

	if (access(path, F_OK) != 0)
		return ERR_NOT_FOUND;
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK && sqlite3_busy_timeout(db, PATIENCE_MS) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, "SELECT id, source, targets, suid, exported, expires_at FROM keys ORDER BY id", -1, &s, NULL) == SQLITE_OK)
		while ((result = sqlite3_step(s)) == SQLITE_ROW && row(s, &k))
			fn(ctx, &k);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return result == SQLITE_DONE ? OK : ERR_STORE;
}
