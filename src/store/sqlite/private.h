/* What the files of the store on SQLite share: the store itself, its prepared statements, errors, the file and its schema. */
#ifndef KEYWAY_STORE_SQLITE_PRIVATE_H
#define KEYWAY_STORE_SQLITE_PRIVATE_H

#include <limits.h>
#include <sqlite3.h>

#include "base/wr.h"
#include "store/store.h"

#define APPLICATION_ID 0x4b657977 /* "Keyw" in the header of the file */
#define SCHEMA_VERSION 3
#define SCHEMA_CLUSTERED 2         /* the one before: instances clustered by (parent, id) */
#define PAGE_SIZE 4096
#define BUSY_MS 2000           /* someone else writes with a tool of their own; more would stall the loop */
#define CACHE_KIB (64 * 1024)
#define ID_BLOCK 65536         /* numbers reserved at once; half a block is left at each commit, so that a transaction seldom runs out */
#define SAVEPOINTS_MAX 16
#define DELETE_AT_ONCE 4096   /* instances that go with their parents in one transaction: some 10 ms; store_sweep has the others */
#define IDLE_MAX 4             /* statements of one query that are kept for nested walks */
#define DETAIL_MAX 512
#define NO_ROOM "no room left on the disk of the store"
#define PATH_SIZE PATH_MAX
/* Pages of the journal at which a commit copies it into the database: 64 MiB. Seldom enough that the pause (about 30 ms) stays above the
 * 99th percentile of commits, and a page that changes often is written back once. bench/store_bench tells. */
#define CHECKPOINT_PAGES 16000
#define STRETCHES 1024         /* remembered: 24 octets each */
#define INSTANCES_AT_ONCE 8   /* rows of one statement: half of a short one's time is its beginning and its end */
/* A store that was not closed cleanly is checked while the loop does not run yet: up to this size that takes well below a second. */
#define CHECK_MAX (128LL * 1024 * 1024)

/* Each is prepared when the store opens, and once more for each level of nesting. */
enum query {
	QUERY_BY_ID,
	QUERY_INSTANCE,
	QUERY_BY_RI,
	QUERY_BY_NAME,
	QUERY_INSTANCE_BY_NAME,
	QUERY_CHILDREN,
	QUERY_CHILDREN_OF_TYPE,
	QUERY_INSTANCES,
	QUERY_INSTANCE_NTH,
	QUERY_INSTANCES_NEWEST,
	QUERY_BY_TYPE,
	QUERY_BY_LABEL,
	QUERY_LABEL_COUNT,
	QUERY_TYPE_COUNT,
	QUERY_EXPIRED,
	QUERY_NEXT_EXPIRY,
	QUERY_NAME_TAKEN,
	QUERY_INSTANCE_NAME_TAKEN,
	QUERY_INSERT,
	QUERY_INSERT_INSTANCE,
	QUERY_INSERT_INSTANCES,
	QUERY_UPDATE,
	QUERY_UPDATE_INSTANCE,
	QUERY_UPDATE_BODY,
	QUERY_DELETE,
	QUERY_DELETE_INSTANCE,
	QUERY_DELETE_INSTANCES,
	QUERY_STRETCH,
	QUERY_STRETCHES,
	QUERY_STRETCH_PUT,
	QUERY_STRETCHES_DROP,
	QUERY_LABEL_PUT,
	QUERY_LABELS_DROP,
	QUERY_LABELS_DROP_INSTANCES,
	QUERY_VALUE_GET,
	QUERY_VALUE_SET,
	QUERY_VALUE_DROP,
	QUERY_VALUES,
	QUERY_STATE_PUT,
	QUERY_STATE_CLEAN,
	QUERY_VIEW,
	QUERY_BEGIN,
	QUERY_COMMIT,
	QUERY_SAVEPOINT,
	QUERY_RELEASE,
	QUERY_UNDO,
	QUERIES,
};

struct pool {
	sqlite3_stmt *idle[IDLE_MAX];
	unsigned count;
};

/* Where the instances below a parent lie whose ids have the same upper half: see stretch.c. */
struct stretch {
	int64_t parent, high, slot;        /* slot 0: none */
};

/* A deleted resource that has instances left. */
struct gone {
	int64_t parent;
	unsigned depth;                    /* savepoint within which it was noted */
	bool fresh, swept;                 /* noted, done in this transaction */
};

/* Rows that are to be written, in order: what they point to lies in texts, one after the other. */
struct later_row {
	struct store_row row;
	bool update;                       /* of the body of a resource that is there; otherwise an instance to insert */
};
struct later {
	struct later_row *rows;
	size_t count, room;
	struct wr texts;
};

/* The transaction that a commit under way writes: the committing thread's until that has run. */
struct ending {
	struct later later;
	bool begun;
	int64_t reserved;
	uint64_t count;
	enum err result;
};

struct store {
	sqlite3 *db;
	struct pool pools[QUERIES];
	int lock;                          /* descriptor of the lock file, or -1 */
	bool read_only;
	bool opened;                       /* marked as in use: store_close marks it clean again */
	bool dirty;                        /* a transaction is open for the caller, even when SQLite has given it up: see failed */
	bool begun;                        /* and for SQLite; before that everything of it is in `later` */
	struct later later;
	struct ending ending;
	enum err ended;                    /* the result of the last commit that store_commit_begin began */
	bool committing;                   /* ending and the database are another thread's: store_join before either is touched */
	void (*wait)(void *ctx);           /* until store_commit_run has returned */
	void *wait_ctx;
	enum err failed;                   /* a write failed within the transaction: nothing of it may be acknowledged */
	unsigned walking;                  /* readings under way */
	int checkpoint_at;                 /* pages of the journal at which the next commit copies it */
	int checkpoint_last;               /* pages of the journal at the last commit */
	char reserve[PATH_SIZE];           /* file that keeps some room; "" without one */
	bool tight;                        /* the disk was full, and the reserve is not back */
	uint64_t tried;                    /* when it was last tried, monotonic ms */
	int64_t next, reserved;            /* numbers below reserved are ours on disk too */
	uint64_t count, committed_count;
	uint64_t saved[SAVEPOINTS_MAX];    /* count at each savepoint */
	unsigned depth;
	struct stretch stretches[STRETCHES]; /* some that are there, by a hash of their parent; whoever has the database has these */
	struct gone *gone;                 /* sorted */
	size_t gone_count, gone_room;
	uint64_t deleted_now;              /* instances that went with their parents in this transaction */
	char detail[DETAIL_MAX];
};

/* ---- query.c: statements and errors ---- */
enum err query_prepare_all(struct store *s) MUST_CHECK;
void query_finalize_all(struct store *s);
/* A statement with no values bound, to be given back with query_give. */
enum err query_take(struct store *s, enum query q, sqlite3_stmt **out) MUST_CHECK;
void query_give(struct store *s, enum query q, sqlite3_stmt *st);
/* Runs a statement without values or rows. */
enum err query_run(struct store *s, enum query q) MUST_CHECK;
/* Statements as text: for opening, migrating, checking. */
enum err query_exec(struct store *s, const char *sql) MUST_CHECK;
/* sqlite3_step, so that store_fault can tell why the system refused. */
int query_step(sqlite3_stmt *st);
/* The first column of the only row of a text, for opening and checks; ERR_NOT_FOUND without a row. */
enum err query_number(struct store *s, const char *sql, int64_t *v) MUST_CHECK;
/* ERR_FULL, ERR_EXISTS or ERR_STORE for a result code of SQLite; writes the sentence of store_detail. */
enum err store_fault(struct store *s, int result);
enum err store_refuse(struct store *s, enum err e, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* ---- transaction.c ---- */
void store_join(struct store *s);                 /* waits for the commit under way */
enum err store_begin(struct store *s) MUST_CHECK; /* before each write */
enum err store_begin_now(struct store *s) MUST_CHECK; /* SQLite's part of it */
bool store_may_write(struct store *s) MUST_CHECK;     /* false with store_detail: ERR_STATE */
/* Before each reading: one view for all readings until the next write. Beginning and ending one costs more than most readings. A store
 * that was opened beside its writer takes a new view each time, so that it never keeps the writer's journal from starting over. */
enum err store_view(struct store *s) MUST_CHECK;
void store_view_end(struct store *s);
/* A write failed halfway: the transaction can't be acknowledged any more unless its savepoint is undone. Returns e. */
enum err store_spoil(struct store *s, enum err e);
/* In use, with a first block of numbers; or closed cleanly, with the numbers not handed out given back. A transaction of its own. */
enum err store_mark(struct store *s, bool clean) MUST_CHECK;

void store_checkpoints(struct store *s); /* from now on at commits, when the journal has grown to room_journal_pages */

/* ---- write.c: the statements alone, within the transaction ---- */
enum err store_row_insert(struct store *s, const struct store_row *row) MUST_CHECK;
/* INSTANCES_AT_ONCE instances without names of their own. On an error some of them may be there. */
enum err store_instances_insert(struct store *s, const struct later_row *rows) MUST_CHECK;
enum err store_row_update(struct store *s, const struct store_row *row) MUST_CHECK;
/* A statement that changes something by two numbers; no other failure but one that spoils the transaction. */
enum err store_change(struct store *s, enum query q, int64_t one, int64_t two) MUST_CHECK;
enum err store_body_update(struct store *s, const struct store_row *row) MUST_CHECK; /* of a resource: leaves the indexes alone */

/* ---- stretch.c: the keys of instances ---- */
#define STRETCH_BITS 32
#define STRETCH_MASK 0xffffffff
/* The key of an instance, if there were one: ERR_NOT_FOUND when nothing of its stretch is there. */
enum err stretch_find(struct store *s, int64_t parent, int64_t id, int64_t *key) MUST_CHECK;
/* The key of one that is to be inserted, within a transaction: makes its stretch when it is the first. */
enum err stretch_make(struct store *s, int64_t parent, int64_t id, int64_t *key) MUST_CHECK;
/* Deletes the instances with id <= upto, and the stretches that can have no others. */
enum err stretch_delete(struct store *s, int64_t parent, int64_t upto, uint64_t *deleted) MUST_CHECK;
void stretch_undone(struct store *s); /* some that were made may be there no more */

/* ---- later.c ---- */
enum err later_put(struct store *s, const struct store_row *row, bool update) MUST_CHECK;
enum err later_run(struct store *s) MUST_CHECK; /* before anything else reads or writes */
enum err later_write(struct store *s, struct later *l) MUST_CHECK; /* within a transaction of SQLite */
void later_drop(struct later *l);
void later_free(struct later *l);

/* ---- room.c; none of these when the store is in memory or read only ---- */
void room_begin(struct store *s, const char *path); /* makes the reserve */
void room_lost(struct store *s);                    /* a write found the disk full; no transaction is open */
int room_journal_pages(const struct store *s);      /* CHECKPOINT_PAGES, or less where little room is left */
void room_plan_journal(struct store *s);            /* it is empty, or starts over: how long it may get */

/* ---- file.c: the lock beside the file; sentences go to s->detail ---- */
enum err file_lock(struct store *s, const char *path) MUST_CHECK;
void file_unlock(struct store *s);
enum err file_make(struct store *s, const char *path) MUST_CHECK; /* empty and private, when there is none */
/* Opens the connection only. */
enum err file_connect(struct store *s, const char *path, bool read_only) MUST_CHECK;

/* ---- schema.c ---- */
enum file_kind { FILE_EMPTY, FILE_CURRENT, FILE_FIRST, FILE_CLUSTERED, FILE_NEWER, FILE_FOREIGN };
enum err schema_identify(struct store *s, enum file_kind *kind) MUST_CHECK;
enum err schema_create(struct store *s) MUST_CHECK;
enum err schema_migrate(struct store *s, enum file_kind kind, store_derive *derive) MUST_CHECK;

/* ---- gone.c ---- */
enum err gone_load(struct store *s) MUST_CHECK;
bool gone_has(const struct store *s, int64_t parent); /* what lies below it is not there */
enum err gone_add(struct store *s, int64_t parent) MUST_CHECK;
enum err gone_delete_below(struct store *s, int64_t parent) MUST_CHECK; /* now or noted for store_sweep */
void gone_committed(struct store *s);
void gone_rolled_back(struct store *s);
void gone_undone(struct store *s);   /* to s->depth */
void gone_released(struct store *s); /* into s->depth */

/* ---- check.c ---- */
enum err check_quick(struct store *s) MUST_CHECK; /* structure only */

#endif
