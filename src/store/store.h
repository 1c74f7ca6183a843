/* Where a CSE keeps its resources: the small interface that hides SQLite and PostgreSQL. Rows have integer keys; attributes are one JSON
 * object as it is answered, so that a retrieval copies octets. Writes of one round of the loop share a transaction: the first begins it,
 * store_commit ends it, acknowledgements follow (group commit).
 *
 * Two kinds of rows: *instances* (contentInstance, timeSeriesInstance, flexContainerInstance) lie together below their parent in
 * the order of their ids, so that a million of them cost neither memory nor a second index; everything else is a *resource* with indexes for
 * name, children, type, labels and expiry.
 *
 * Keys: `id` is positive and grows with every row of this store; it is never used twice. `ri` is the unstructured resourceID. For rows
 * whose ri is NULL here the caller derives it from parent and id, so the store needs no index for it. */
#ifndef KEYWAY_STORE_STORE_H
#define KEYWAY_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rd.h"

struct store;

struct store_row {
	int64_t id;
	int64_t parent;       /* 0 for the CSEBase */
	int type;             /* ty */
	bool instance;        /* which kind of row */
	const char *ri;       /* resourceID when it cannot be derived (AE, remoteCSE, CSEBase), or NULL */
	const char *rn;       /* resourceName; NULL when it is the derived one */
	const char *root;     /* "m2m:cnt", "cod:binSh" */
	const char *creator;  /* SP-relative ID of the originator of the CREATE */
	uint64_t expires;     /* unix ms, 0: never */
	struct rd body;       /* JSON object of all attributes but those that the caller derives */
};

/* A row during a reading: everything in it is borrowed until fn returns. fn may read the store, not write it. False ends the walk. */
typedef bool store_each(void *ctx, const struct store_row *row);

/* The resourceID that the caller derives for a row without one; see tree_ri. */
typedef void store_derive(char *ri, size_t size, int type, int64_t parent, int64_t id, bool instance);

struct store_options {
	const char *path;          /* file; ":memory:" keeps nothing */
	unsigned cache_kib;        /* page cache; 0: 64 MiB */
	bool check;                /* full check before anything else; the structure of one that was not closed cleanly is checked in any case up to 128 MiB */
	bool read_only;            /* beside the process that has it open: for checks and tools; nothing is migrated, writes are refused */
	void (*migrates)(void *ctx, uint64_t rows); /* may be NULL: told before a file of an older version is brought up to date, some seconds a million rows */
	void *ctx;
	store_derive *derive;      /* for migration only, from a version that kept resourceIDs of instances in their bodies; NULL: they go without */
};
/* `detail` gets a sentence for the operator on an error: not a Keyway store, newer schema, damaged at ..., disk full, in use; it is good
 * until the thread opens the next. One process at a time writes a store (it holds PATH.lock). Older schemas are migrated in one
 * transaction; a copy of the file is not made (see store_backup). */
enum err store_open(const struct store_options *o, struct store **out, const char **detail) MUST_CHECK;
void store_close(struct store *s);
const char *store_detail(const struct store *s); /* sentence about the last ERR_STORE or ERR_FULL */

/* ---- reading: OK, ERR_NOT_FOUND (of a single row; a walk over nothing is OK), ERR_STORE. root and creator are never NULL. Walks may nest,
 * those of the same kind too ---- */
enum err store_by_id(struct store *s, int64_t id, store_each *fn, void *ctx) MUST_CHECK;              /* a resource */
enum err store_instance(struct store *s, int64_t parent, int64_t id, store_each *fn, void *ctx) MUST_CHECK;
enum err store_by_ri(struct store *s, const char *ri, store_each *fn, void *ctx) MUST_CHECK;          /* rows with an ri of their own */
enum err store_by_name(struct store *s, int64_t parent, const char *rn, store_each *fn, void *ctx) MUST_CHECK; /* rows with an rn of their own, both kinds */
/* Resources below a parent in the order of creation, of one type or of all (0), with id > after. */
enum err store_children(struct store *s, int64_t parent, int type, int64_t after, store_each *fn, void *ctx) MUST_CHECK;
/* Instances below a parent; newest first when `newest`, beginning beyond `after` (0: from the edge). */
enum err store_instances(struct store *s, int64_t parent, bool newest, int64_t after, store_each *fn, void *ctx) MUST_CHECK;
/* Indexes for discovery; id > after, ascending. Only resources by type; both kinds by label. */
enum err store_by_type(struct store *s, int type, int64_t after, store_each *fn, void *ctx) MUST_CHECK;
enum err store_by_label(struct store *s, struct rd label, int64_t after, store_each *fn, void *ctx) MUST_CHECK;
uint64_t store_label_count(struct store *s, struct rd label, uint64_t most); /* estimate up to `most`, to choose an index */
uint64_t store_type_count(struct store *s, int type, uint64_t most);
/* Rows with 0 < expires <= now_ms, soonest first. */
enum err store_expired(struct store *s, uint64_t now_ms, store_each *fn, void *ctx) MUST_CHECK;
uint64_t store_next_expiry(struct store *s); /* UINT64_MAX when nothing expires */
uint64_t store_count(struct store *s);       /* rows of both kinds; kept as a number, not counted */

/* ---- writing: OK, ERR_EXISTS (name or ri is taken), ERR_FULL (disk), ERR_STORE; ERR_STATE for what no caller may do (writing during a
 * reading, a number of its own, an ri for an instance, a store opened for reading).
 *
 * ERR_EXISTS, ERR_NOT_FOUND and ERR_STATE change nothing. After ERR_FULL or ERR_STORE the operation may be half done: undo its savepoint and
 * the others of the transaction are not touched, if SQLite could keep it; otherwise, and without a savepoint, store_commit fails with the
 * same error for all of them. Either way the store goes on. ---- */
/* Ask before what takes room for long, outside of an operation: false while the disk is full, with store_detail. Deleting and small changes
 * may be tried all the same, there is a reserve for them; after some deleting there is room within the file. */
bool store_has_room(struct store *s);
int64_t store_new_id(struct store *s); /* numbers are reserved in blocks ahead; a crash skips some; 0 on ERR_STORE */
/* row->id from store_new_id. labels: those that the body has in `lbl`, for the index. The names of a parent's children of both kinds are one
 * set; that a name given is not the derived one of a sibling is the caller's business. An instance without a name of its own and without labels may be
 * written as late as the commit: if that fails, it is the commit that fails. */
enum err store_insert(struct store *s, const struct store_row *row, const struct rd *labels, size_t label_count) MUST_CHECK;
/* New body and expiry of the row with this id, parent and kind; labels NULL: unchanged. ERR_NOT_FOUND. */
enum err store_update(struct store *s, const struct store_row *row, const struct rd *labels, size_t label_count) MUST_CHECK;
/* New body alone of a resource that is known to be there; it may be written as late as the commit. */
enum err store_update_later(struct store *s, const struct store_row *row) MUST_CHECK;
/* This row, its instances and its labels; the caller deletes child resources first, or notes that it will (a value "gone.ID", so that a check
 * knows). ERR_NOT_FOUND. Of very many instances some thousands are
 * deleted, and the others are gone for every reader: store_sweep deletes them later. */
enum err store_delete(struct store *s, const struct store_row *row) MUST_CHECK;
/* Deletes up to `most` rows of those that are gone, about two microseconds each. Not within a savepoint. To be called now and then, in transactions of its own or with
 * others, while store_has_gone; also after a start. store_count counts them until then. */
enum err store_sweep(struct store *s, uint64_t most) MUST_CHECK;
bool store_has_gone(const struct store *s);
/* The oldest instances below parent with id <= upto; *deleted tells how many. About a microsecond each: a million at once stall the loop. */
enum err store_delete_instances(struct store *s, int64_t parent, int64_t upto, uint64_t *deleted) MUST_CHECK;
bool store_dirty(const struct store *s);               /* a transaction is open */
enum err store_commit(struct store *s) MUST_CHECK;     /* on disk when OK; on an error everything since the last commit is undone */
/* The same in three parts, so that the caller's thread goes on while another writes and waits for the disk. begin takes what was written so far; run may be on
 * another thread, once; end, on the caller's own again, after run: the result. From begin on the caller may write anew, for the next commit: inserts and
 * updates that may be written late go on beside run; everything else first waits, by `wait`, until run has returned. When the commit fails, what was written
 * since begin is undone with it, and the caller has to give that up by store_rollback. */
enum err store_commit_begin(struct store *s) MUST_CHECK; /* ERR_STATE: a reading goes on, or a commit is under way */
void store_commit_run(struct store *s);
enum err store_commit_end(struct store *s) MUST_CHECK;   /* again the same until the next begins */
void store_wait_by(struct store *s, void (*wait)(void *ctx), void *ctx); /* before the first that runs aside */
void store_rollback(struct store *s);
/* One operation's writes within the shared transaction: undone together when the operation fails. May nest, sixteen deep. */
enum err store_savepoint(struct store *s) MUST_CHECK;
enum err store_release(struct store *s) MUST_CHECK;
void store_undo(struct store *s);

/* Small named values of the CSE itself (serialised state of services), in the same transaction. Names that begin with "store." are the store's. */
enum err store_value_get(struct store *s, const char *name, store_each *fn, void *ctx) MUST_CHECK; /* value in row->body */
enum err store_value_set(struct store *s, const char *name, struct rd value) MUST_CHECK;           /* empty: removed */
enum err store_values(struct store *s, const char *prefix, store_each *fn, void *ctx) MUST_CHECK;  /* name in row->rn, by name */

/* ---- operation ---- */
/* A consistent copy of a store that may be in use by another process, checked and flushed before it gets its name; nothing of that name may
 * be there (ERR_EXISTS). It needs no more than its one file. progress may be NULL. Otherwise ERR_FULL, ERR_STORE. */
enum err store_backup(const char *from, const char *to, void (*progress)(void *ctx, int percent), void *ctx, const char **detail) MUST_CHECK;
/* Full check of structure and references: every row has its parent, every label its row. OK, or ERR_STORE when `fault` (may be NULL) was told
 * something; store_detail has the last of it. Not while a transaction is open (ERR_STATE). */
enum err store_check(struct store *s, void (*fault)(void *ctx, const char *text), void *ctx) MUST_CHECK;

#endif
