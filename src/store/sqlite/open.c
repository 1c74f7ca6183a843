/* Opening and closing of a store. */
#include "store/sqlite/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* synchronous=FULL: a commit is on disk when it returns. secure_delete=FAST wipes what costs no further writing. No mmap: a file that
 * gets shorter or a bad block would be SIGBUS in place of an error. */
#define SETTINGS                                                                                                               \
	"PRAGMA page_size=%d; PRAGMA auto_vacuum=NONE; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA secure_delete=FAST;" \
	"PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA cache_size=-%u; PRAGMA journal_size_limit=%d;"

static bool in_memory(const char *path)
{
	return strcmp(path, ":memory:") == 0;
}

static enum err settings(struct store *s, const struct store_options *o)
{
	char sql[512];

	snprintf(sql, sizeof sql, SETTINGS, PAGE_SIZE, o->cache_kib ? o->cache_kib : CACHE_KIB, 4 * CHECKPOINT_PAGES * PAGE_SIZE);
	return query_exec(s, sql);
}

/* Only once the file is known to be ours: this writes. */
static enum err journal(struct store *s, const char *path)
{
	int64_t is_wal = 0;
	enum err e;

	if (in_memory(path) || s->read_only)
		return OK;
	if ((e = query_exec(s, "PRAGMA journal_mode=WAL")) != OK || (e = query_number(s, "SELECT journal_mode='wal' FROM pragma_journal_mode", &is_wal)) != OK)
		return e;
	return is_wal ? OK : store_refuse(s, ERR_STORE, "the file system of %s can't hold a store: it has no shared memory or locks", path);
}

static enum err migrate(struct store *s, enum file_kind kind, const struct store_options *o)
{
	int64_t rows = 0;

	if (o->migrates && query_number(s, kind == FILE_CLUSTERED ? "SELECT count FROM state" : "SELECT count(*) FROM resource", &rows) == OK)
		o->migrates(o->ctx, (uint64_t)rows);
	return schema_migrate(s, kind, o->derive);
}

/* Makes the file one of the present schema, or says why not. */
static enum err prepare_file(struct store *s, const struct store_options *o)
{
	const char *path = o->path;
	enum file_kind kind;
	enum err e = schema_identify(s, &kind);

	if (e != OK)
		return e;
	if (kind == FILE_FOREIGN)
		return store_refuse(s, ERR_STORE, "%s is not a store of Keyway", path);
	if (kind == FILE_NEWER)
		return store_refuse(s, ERR_STORE, "%s was written by a newer version of Keyway", path);
	if (s->read_only && kind != FILE_CURRENT)
		return store_refuse(s, ERR_STORE, "%s has the schema of an older version, or none; a server brings it up to date", path);
	if ((e = journal(s, path)) != OK)
		return e;
	if (kind == FILE_EMPTY)
		return schema_create(s);
	return kind == FILE_CURRENT ? OK : migrate(s, kind, o);
}

static enum err load_state(struct store *s, bool *clean)
{
	int64_t count = 0, flag = 0;
	enum err e;

	if ((e = query_number(s, "SELECT next FROM state", &s->next)) != OK ||
	    (e = query_number(s, "SELECT count FROM state", &count)) != OK ||
	    (e = query_number(s, "SELECT clean FROM state", &flag)) != OK)
		return e == ERR_NOT_FOUND ? store_refuse(s, ERR_STORE, "the store is damaged (its state is missing); restore a backup") : e;
	s->reserved = s->next;
	s->count = s->committed_count = (uint64_t)count;
	*clean = flag != 0;
	return OK;
}

/* What store_check finds lies in s->detail. */
static enum err check(struct store *s, const struct store_options *o, bool clean)
{
	int64_t size = 0;
	enum err e;

	if (o->check)
		return store_check(s, NULL, NULL);
	if (clean || s->read_only)
		return OK;
	e = query_number(s, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", &size);
	return e == OK && size <= CHECK_MAX ? check_quick(s) : e;
}

static enum err open_file(struct store *s, const struct store_options *o)
{
	bool clean = true;
	enum err e;

	if (!o->path[0])
		return store_refuse(s, ERR_STORE, "the store has no path");
	if (!in_memory(o->path) && !s->read_only && ((e = file_lock(s, o->path)) != OK || (e = file_make(s, o->path)) != OK))
		return e;
	if ((e = file_connect(s, o->path, s->read_only && !in_memory(o->path))) != OK || (e = settings(s, o)) != OK ||
	    (e = prepare_file(s, o)) != OK || (e = query_prepare_all(s)) != OK || (e = load_state(s, &clean)) != OK ||
	    (e = gone_load(s)) != OK || (e = check(s, o, clean)) != OK)
		return e;
	if (s->read_only)
		return OK;
	if (!in_memory(o->path))
		room_begin(s, o->path);
	store_checkpoints(s);
	e = store_mark(s, false);
	if (e == ERR_FULL) {
		room_lost(s);
		e = store_mark(s, false);
	}
	/* A full disk must not keep a store from being read. */
	s->opened = e == OK;
	return e == ERR_FULL ? OK : e;
}

enum err store_open(const struct store_options *o, struct store **out, const char **detail)
{
	static _Thread_local char sentence[DETAIL_MAX];
	struct store *s = calloc(1, sizeof *s);
	enum err e;

	*detail = "out of memory";
	if (!s)
		return ERR_NO_MEMORY;
	s->lock = -1;
	s->read_only = o->read_only;
	if ((e = open_file(s, o)) == OK) {
		*out = s;
		return OK;
	}
	memcpy(sentence, s->detail, sizeof sentence);
	*detail = sentence;
	store_close(s);
	return e;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	store_rollback(s);
	if (s->opened && store_mark(s, true) != OK)
		s->opened = false; /* the next opening looks at it more closely */
	query_finalize_all(s);
	sqlite3_close(s->db);
	file_unlock(s);
	free(s->gone);
	later_free(&s->later);
	later_free(&s->ending.later);
	free(s);
}

const char *store_detail(const struct store *s)
{
	return s->detail;
}
