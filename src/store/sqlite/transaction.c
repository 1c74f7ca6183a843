/* The shared transaction: group commit, savepoints of single operations, numbers reserved ahead.
 *
 * SQLite gives a transaction up by itself when a write meets a full disk or an I/O error. The caller has promised nothing before
 * store_commit, but counts on all or nothing: so a failed write spoils the transaction, and only undoing the savepoint around it (when
 * SQLite still has the transaction) makes it good again. Otherwise store_commit says what happened to everybody who waits for it. */
#include "store/sqlite/private.h"

static bool alive(const struct store *s)
{
	return sqlite3_get_autocommit(s->db) == 0;
}

static void commit_settle(struct store *s);

void store_join(struct store *s)
{
	if (!s->committing)
		return;
	s->wait(s->wait_ctx);
	commit_settle(s);
}

enum err store_view(struct store *s)
{
	enum err e = later_run(s);

	if (e != OK)
		return e;
	if (s->dirty || s->read_only || alive(s))
		return OK;
	return query_run(s, QUERY_VIEW);
}

void store_view_end(struct store *s)
{
	if (!s->begun && alive(s) && query_run(s, QUERY_COMMIT) != OK)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

static enum err begin(struct store *s)
{
	store_view_end(s);
	return query_run(s, QUERY_BEGIN);
}

bool store_may_write(struct store *s)
{
	const char *why = s->read_only ? "the store was opened for reading only" : s->walking ? "the store may not be written while a reading goes on" : NULL;

	if (why)
		(void)store_refuse(s, ERR_STATE, "%s", why);
	return !why;
}

enum err store_begin_now(struct store *s)
{
	enum err e;

	store_join(s);
	if (s->begun)
		return s->failed;
	if ((e = begin(s)) == OK)
		s->dirty = s->begun = true;
	return e;
}

enum err store_begin(struct store *s)
{
	enum err e = store_may_write(s) ? later_run(s) : ERR_STATE;

	return e == OK ? store_begin_now(s) : e;
}

/* A commit under way has its own result. */
enum err store_spoil(struct store *s, enum err e)
{
	if (!s->committing && s->dirty && s->failed == OK)
		s->failed = e;
	return e;
}

bool store_dirty(const struct store *s)
{
	return s->dirty;
}

/* Leaves store_detail as it is: the reason of the failure is worth more than one that undoing might have. */
void store_rollback(struct store *s)
{
	bool full;

	store_join(s);
	full = s->failed == ERR_FULL;
	if (!s->dirty)
		return;
	if (alive(s))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	later_drop(&s->later);
	stretch_undone(s);
	s->count = s->committed_count;
	s->depth = 0;
	gone_rolled_back(s);
	s->dirty = s->begun = false;
	s->failed = OK;
	if (full)
		room_lost(s);
}

/* Keeps the numbers and the count on disk; with the transaction that uses them, never after it. */
static enum err state_put(struct store *s, const struct ending *n)
{
	sqlite3_stmt *st;
	enum err e = query_take(s, QUERY_STATE_PUT, &st);
	int r;

	if (e != OK)
		return e;
	sqlite3_bind_int64(st, 1, n->reserved);
	sqlite3_bind_int64(st, 2, (int64_t)n->count);
	r = query_step(st);
	if (r != SQLITE_DONE)
		e = store_fault(s, r);
	query_give(s, QUERY_STATE_PUT, st);
	return e;
}

/* After a commit. While another process reads an old view (a backup does), not all can be copied, and trying again at each commit would
 * cost more than letting the journal grow. A failure is no failure of the commit: the journal holds it. */
static int journal_grown(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct store *s = ctx;
	int all = 0, copied = 0;

	if (pages < s->checkpoint_last)
		room_plan_journal(s); /* it has started over */
	s->checkpoint_last = pages;
	if (pages < s->checkpoint_at)
		return SQLITE_OK;
	if (sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, &all, &copied) != SQLITE_OK || copied < all)
		s->checkpoint_at = pages + room_journal_pages(s);
	return SQLITE_OK;
}

void store_checkpoints(struct store *s)
{
	room_plan_journal(s);
	sqlite3_wal_hook(s->db, journal_grown, s);
}

/* ---- the commit, in three parts: only the middle one touches the database ---- */

void store_wait_by(struct store *s, void (*wait)(void *ctx), void *ctx)
{
	s->wait = wait;
	s->wait_ctx = ctx;
}

enum err store_commit_begin(struct store *s)
{
	struct ending *n = &s->ending;
	struct later drained = n->later;

	if (s->walking || s->committing)
		return store_refuse(s, ERR_STATE, s->walking ? "the store may not be written while a reading goes on" : "a commit is under way");
	*n = (struct ending){
		.later = s->later,
		.begun = s->begun,
		.reserved = s->reserved - s->next < ID_BLOCK / 2 ? s->next + ID_BLOCK : s->reserved,
		.count = s->count,
		.result = s->failed,
	};
	s->later = drained;
	s->dirty = s->begun = false;
	s->failed = OK;
	s->depth = 0;
	s->committing = true;
	return OK;
}

static enum err commit(struct store *s, struct ending *n)
{
	enum err e = n->result;

	if (e == OK && !n->begun)
		e = begin(s);
	if (e == OK)
		e = later_write(s, &n->later);
	if (e == OK && (n->reserved != s->reserved || n->count != s->committed_count))
		e = state_put(s, n);
	return e == OK ? query_run(s, QUERY_COMMIT) : e;
}

/* On an error store_detail is left as it is: the reason of the failure is worth more than one that undoing might have. */
void store_commit_run(struct store *s)
{
	struct ending *n = &s->ending;

	n->result = commit(s, n);
	if (n->result != OK)
		stretch_undone(s);
	if (n->result != OK && alive(s))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

/* What was written meanwhile stands on what is undone now, and goes with it. */
static void undone(struct store *s)
{
	later_drop(&s->later);
	gone_rolled_back(s);
	s->count = s->committed_count;
	if (s->dirty)
		s->failed = s->ending.result;
	if (s->ending.result == ERR_FULL)
		room_lost(s);
}

static void commit_settle(struct store *s)
{
	struct ending *n = &s->ending;

	s->committing = false;
	s->ended = n->result;
	later_drop(&n->later);
	if (n->result == OK) {
		s->committed_count = n->count;
		s->reserved = n->reserved;
		gone_committed(s);
	} else {
		undone(s);
	}
}

enum err store_commit_end(struct store *s)
{
	if (s->committing)
		commit_settle(s);
	return s->ended;
}

/* Within a commit in three parts, as for a number when none is left, this one's result is not that one's. */
enum err store_commit(struct store *s)
{
	enum err e, other;

	store_join(s);
	if (!s->dirty)
		return OK;
	other = s->ended;
	if ((e = store_commit_begin(s)) != OK)
		return e;
	store_commit_run(s);
	e = store_commit_end(s);
	s->ended = other;
	return e;
}

enum err store_mark(struct store *s, bool clean)
{
	int64_t reserved = clean ? s->next : s->next + ID_BLOCK;
	sqlite3_stmt *st;
	enum err e = begin(s);
	int r;

	if (e != OK)
		return e;
	if ((e = query_take(s, QUERY_STATE_CLEAN, &st)) == OK) {
		sqlite3_bind_int(st, 1, clean);
		sqlite3_bind_int64(st, 2, reserved);
		r = query_step(st);
		e = r == SQLITE_DONE ? OK : store_fault(s, r);
		query_give(s, QUERY_STATE_CLEAN, st);
	}
	if (e == OK)
		e = query_run(s, QUERY_COMMIT);
	if (e == OK)
		s->reserved = reserved;
	else if (alive(s))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return e;
}

/* A number handed out is below `reserved` on disk, unless a single transaction took more than was left: then its own commit brings
 * them, and without that commit no row has them. */
int64_t store_new_id(struct store *s)
{
	if (s->next >= s->reserved && !s->dirty && (s->read_only || store_begin_now(s) != OK || store_commit(s) != OK))
		return 0;
	return s->next++;
}

/* ---- savepoints ---- */

enum err store_savepoint(struct store *s)
{
	enum err e = store_begin(s);

	if (e != OK)
		return e;
	if (s->depth == SAVEPOINTS_MAX)
		return store_refuse(s, ERR_STATE, "too many savepoints within each other");
	if ((e = query_run(s, QUERY_SAVEPOINT)) != OK)
		return store_spoil(s, e);
	s->saved[s->depth++] = s->count;
	return OK;
}

enum err store_release(struct store *s)
{
	enum err e;

	if (s->depth == 0)
		return store_refuse(s, ERR_STATE, "no savepoint to release");
	s->depth--;
	gone_released(s);
	if (!alive(s))
		return s->failed;
	if ((e = query_run(s, QUERY_RELEASE)) != OK)
		return store_spoil(s, e);
	return s->failed;
}

void store_undo(struct store *s)
{
	enum err e;

	if (s->depth == 0)
		return;
	s->count = s->saved[--s->depth];
	gone_undone(s);
	stretch_undone(s);
	if (!alive(s))
		return; /* nothing is left; store_commit will say so */
	if ((e = query_run(s, QUERY_UNDO)) != OK || (e = query_run(s, QUERY_RELEASE)) != OK)
		(void)store_spoil(s, e);
	else
		s->failed = OK; /* a savepoint is never begun after a failure: what failed was within */
}
