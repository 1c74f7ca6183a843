/* A layer of file methods (a VFS) over SQLite's own, for the journal; see the header. The format of the journal is that of clause 4.1 of "Database File
 * Format": frames of a head and a page. A head has the size of the database in its second word when the frame completes a transaction. */
#include "store/sqlite/journal_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/rd.h"

#define NAME "keyway"
#define GATHER (127 * 1024)    /* SQLite's own methods write less than 128 KiB in a call */
#define AHEAD (1024 * 1024)
#define HEAD 24
#define WRITE_LOCK 0          /* its number among those of the shared memory: "WAL-mode File Format", 2.3 */
#define LENGTHEN_TO 0x4b657977 /* a file control of our own: those below 100 are SQLite's */

/* A database or a journal; SQLite's own file follows it in memory. */
struct file {
	sqlite3_file seen;     /* by SQLite */
	sqlite3_file *below;
	struct file *other;    /* the journal of a database, or the reverse; NULL: not open */
	int64_t lengthen_to;   /* database */
	uint8_t *waiting;      /* journal: frames, one after the other */
	int count;
	int64_t at;            /* of the first octet that waits */
	int64_t end;           /* of what was written since the last flush; 0: nothing, or the transaction has ended */
	int64_t length;        /* that the file had when last asked; it may have more */
	int failed;            /* what waited was not written: until the transaction ends */
	bool head, completes;  /* the last that waits is a head; it completes a transaction */
};

static sqlite3_vfs *below_of(sqlite3_vfs *v)
{
	return v->pAppData;
}

static struct file *file_of(sqlite3_file *f)
{
	return (struct file *)(void *)f;
}

static sqlite3_file *under(sqlite3_file *f)
{
	return file_of(f)->below;
}

/* ---- the journal ---- */

static int write_through(struct file *j, const void *octets, int n, int64_t at)
{
	int r = j->below->pMethods->xWrite(j->below, octets, n, at);

	if (at == 0)
		j->length = 0; /* it starts over; another may have shortened it */
	j->end = at + n;
	return r;
}

static int write_waiting(struct file *j)
{
	if (j->failed == SQLITE_OK && j->count)
		j->failed = write_through(j, j->waiting, j->count, j->at);
	j->count = 0;
	j->head = false;
	return j->failed;
}

static void transaction_ended(struct file *j)
{
	j->count = 0;
	j->end = 0;
	j->head = false;
	j->failed = SQLITE_OK;
}

static bool completes(const void *head)
{
	struct rd r = rd_of(head, HEAD);
	uint32_t page, size;

	return rd_be32(&r, &page) && rd_be32(&r, &size) && size != 0;
}

static void wait_for_more(struct file *j, const void *octets, int n, int64_t at)
{
	if (j->count == 0)
		j->at = at;
	memcpy(j->waiting + j->count, octets, (size_t)n);
	j->count += n;
	j->head = n == HEAD;
	if (j->head)
		j->completes = completes(octets);
}

/* Heads and the page of each wait. A head that completes a transaction and has nothing before it may come alone, when SQLite corrects the sums of frames that
 * it has written twice: it does not wait for a page. */
static int journal_write(sqlite3_file *f, const void *octets, int n, sqlite3_int64 at)
{
	struct file *j = file_of(f);
	bool page = j->head && at == j->at + j->count;

	if (j->count && (at != j->at + j->count || n > GATHER - j->count) && write_waiting(j) != SQLITE_OK)
		return j->failed;
	if (j->failed)
		return j->failed;
	if (n > GATHER || (!page && (n != HEAD || (j->count == 0 && completes(octets)))))
		return write_waiting(j) == SQLITE_OK ? write_through(j, octets, n, at) : j->failed;
	wait_for_more(j, octets, n, at);
	return page && j->completes ? write_waiting(j) : SQLITE_OK;
}

static int journal_read(sqlite3_file *f, void *octets, int n, sqlite3_int64 at)
{
	int r = write_waiting(file_of(f));

	return r == SQLITE_OK ? under(f)->pMethods->xRead(under(f), octets, n, at) : r;
}

static int journal_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int r = write_waiting(file_of(f));

	file_of(f)->length = 0;
	return r == SQLITE_OK ? under(f)->pMethods->xTruncate(under(f), size) : r;
}

/* Behind what this transaction has written, which is the end of the journal for everybody. */
static void lengthen(struct file *j)
{
	static const uint8_t zeros[64 * 1024];
	int64_t most = j->other ? j->other->lengthen_to : 0, to = j->end + AHEAD < most ? j->end + AHEAD : most;
	sqlite3_int64 length = 0;
	int error = errno;

	if (j->length >= most || j->length - j->end >= AHEAD / 2 || j->below->pMethods->xFileSize(j->below, &length) != SQLITE_OK)
		return;
	while (length >= j->end && length < to) {
		int n = to - length < (int64_t)sizeof zeros ? (int)(to - length) : (int)sizeof zeros;

		if (j->below->pMethods->xWrite(j->below, zeros, n, length) != SQLITE_OK)
			break;
		length += n;
	}
	j->length = length;
	errno = error; /* store_fault looks at it */
}

/* Zeros follow the flush: this transaction does not wait for them. SQLite flushes when it copies the journal too, without its lock on writing, and then nothing
 * was written before. */
static int journal_sync(sqlite3_file *f, int flags)
{
	struct file *j = file_of(f);
	int r = write_waiting(j);

	if (r == SQLITE_OK)
		r = j->below->pMethods->xSync(j->below, flags);
	if (r == SQLITE_OK && j->end)
		lengthen(j);
	j->end = 0;
	return r;
}

static int journal_size(sqlite3_file *f, sqlite3_int64 *size)
{
	int r = write_waiting(file_of(f));

	return r == SQLITE_OK ? under(f)->pMethods->xFileSize(under(f), size) : r;
}

static int journal_control(sqlite3_file *f, int op, void *arg)
{
	int r = write_waiting(file_of(f));

	return r == SQLITE_OK ? under(f)->pMethods->xFileControl(under(f), op, arg) : r;
}

/* What waits belongs to no transaction any more. */
static int journal_close(sqlite3_file *f)
{
	struct file *j = file_of(f);

	if (j->other)
		j->other->other = NULL;
	free(j->waiting);
	return j->below->pMethods->xClose(j->below);
}

/* ---- the database ---- */

static int database_lock_shared_memory(sqlite3_file *f, int first, int count, int flags)
{
	struct file *journal = file_of(f)->other;

	if (journal && first == WRITE_LOCK && (flags & SQLITE_SHM_UNLOCK))
		transaction_ended(journal);
	return under(f)->pMethods->xShmLock(under(f), first, count, flags);
}

static int database_control(sqlite3_file *f, int op, void *arg)
{
	if (op != LENGTHEN_TO)
		return under(f)->pMethods->xFileControl(under(f), op, arg);
	file_of(f)->lengthen_to = *(const int64_t *)arg;
	return SQLITE_OK;
}

static int database_close(sqlite3_file *f)
{
	if (file_of(f)->other)
		file_of(f)->other->other = NULL;
	return under(f)->pMethods->xClose(under(f));
}

/* ---- what goes straight through ---- */

static int read_file(sqlite3_file *f, void *octets, int n, sqlite3_int64 at)
{
	return under(f)->pMethods->xRead(under(f), octets, n, at);
}

static int write_file(sqlite3_file *f, const void *octets, int n, sqlite3_int64 at)
{
	return under(f)->pMethods->xWrite(under(f), octets, n, at);
}

static int truncate_file(sqlite3_file *f, sqlite3_int64 size)
{
	return under(f)->pMethods->xTruncate(under(f), size);
}

static int sync_file(sqlite3_file *f, int flags)
{
	return under(f)->pMethods->xSync(under(f), flags);
}

static int size_file(sqlite3_file *f, sqlite3_int64 *size)
{
	return under(f)->pMethods->xFileSize(under(f), size);
}

static int lock_file(sqlite3_file *f, int level)
{
	return under(f)->pMethods->xLock(under(f), level);
}

static int unlock_file(sqlite3_file *f, int level)
{
	return under(f)->pMethods->xUnlock(under(f), level);
}

static int check_lock(sqlite3_file *f, int *reserved)
{
	return under(f)->pMethods->xCheckReservedLock(under(f), reserved);
}

static int sector_size(sqlite3_file *f)
{
	return under(f)->pMethods->xSectorSize(under(f));
}

static int characteristics(sqlite3_file *f)
{
	return under(f)->pMethods->xDeviceCharacteristics(under(f));
}

static int map_shared_memory(sqlite3_file *f, int region, int size, int extend, void volatile **at)
{
	return under(f)->pMethods->xShmMap(under(f), region, size, extend, at);
}

static void order_shared_memory(sqlite3_file *f)
{
	under(f)->pMethods->xShmBarrier(under(f));
}

static int unmap_shared_memory(sqlite3_file *f, int and_delete)
{
	return under(f)->pMethods->xShmUnmap(under(f), and_delete);
}

static int fetch(sqlite3_file *f, sqlite3_int64 at, int n, void **octets)
{
	return under(f)->pMethods->xFetch(under(f), at, n, octets);
}

static int unfetch(sqlite3_file *f, sqlite3_int64 at, void *octets)
{
	return under(f)->pMethods->xUnfetch(under(f), at, octets);
}

/* A journal is neither locked nor mapped: version 1 has all it needs. */
static const sqlite3_io_methods journal_methods = {
	.iVersion = 1,
	.xClose = journal_close,
	.xRead = journal_read,
	.xWrite = journal_write,
	.xTruncate = journal_truncate,
	.xSync = journal_sync,
	.xFileSize = journal_size,
	.xLock = lock_file,
	.xUnlock = unlock_file,
	.xCheckReservedLock = check_lock,
	.xFileControl = journal_control,
	.xSectorSize = sector_size,
	.xDeviceCharacteristics = characteristics,
};

static const sqlite3_io_methods database_methods = {
	.iVersion = 3,
	.xClose = database_close,
	.xRead = read_file,
	.xWrite = write_file,
	.xTruncate = truncate_file,
	.xSync = sync_file,
	.xFileSize = size_file,
	.xLock = lock_file,
	.xUnlock = unlock_file,
	.xCheckReservedLock = check_lock,
	.xFileControl = database_control,
	.xSectorSize = sector_size,
	.xDeviceCharacteristics = characteristics,
	.xShmMap = map_shared_memory,
	.xShmLock = database_lock_shared_memory,
	.xShmBarrier = order_shared_memory,
	.xShmUnmap = unmap_shared_memory,
	.xFetch = fetch,
	.xUnfetch = unfetch,
};

/* ---- opening ---- */

static int open_below(sqlite3_vfs *v, const char *name, struct file *f, int flags, int *out)
{
	int r;

	*f = (struct file){.below = (sqlite3_file *)(void *)(f + 1)};
	f->below->pMethods = NULL;
	r = below_of(v)->xOpen(below_of(v), name, f->below, flags, out);
	if (r != SQLITE_OK && f->below->pMethods)
		f->below->pMethods->xClose(f->below);
	return r;
}

static int open_database(sqlite3_vfs *v, const char *name, struct file *f, int flags, int *out)
{
	int r = open_below(v, name, f, flags, out);

	if (r != SQLITE_OK)
		return r;
	if (f->below->pMethods->iVersion < 3 || !f->below->pMethods->xShmMap) {
		f->below->pMethods->xClose(f->below);
		return SQLITE_CANTOPEN;
	}
	f->seen.pMethods = &database_methods;
	return SQLITE_OK;
}

/* The pager has opened the database before its journal, and through this layer. */
static int open_journal(sqlite3_vfs *v, const char *name, struct file *f, int flags, int *out)
{
	uint8_t *waiting = malloc(GATHER);
	int r = waiting ? open_below(v, name, f, flags, out) : SQLITE_NOMEM;

	if (r != SQLITE_OK) {
		free(waiting);
		return r;
	}
	f->waiting = waiting;
	f->other = file_of(sqlite3_database_file_object(name));
	f->other->other = f;
	f->seen.pMethods = &journal_methods;
	return SQLITE_OK;
}

static int open_file(sqlite3_vfs *v, sqlite3_filename name, sqlite3_file *f, int flags, int *out)
{
	f->pMethods = NULL;
	if (flags & SQLITE_OPEN_MAIN_DB)
		return open_database(v, name, file_of(f), flags, out);
	if (flags & SQLITE_OPEN_WAL)
		return open_journal(v, name, file_of(f), flags, out);
	return below_of(v)->xOpen(below_of(v), name, f, flags, out);
}

static int delete_file(sqlite3_vfs *v, const char *name, int and_folder)
{
	return below_of(v)->xDelete(below_of(v), name, and_folder);
}

static int access_file(sqlite3_vfs *v, const char *name, int flags, int *out)
{
	return below_of(v)->xAccess(below_of(v), name, flags, out);
}

static int full_name(sqlite3_vfs *v, const char *name, int size, char *out)
{
	return below_of(v)->xFullPathname(below_of(v), name, size, out);
}

static int random_octets(sqlite3_vfs *v, int n, char *out)
{
	return below_of(v)->xRandomness(below_of(v), n, out);
}

static int sleep_us(sqlite3_vfs *v, int us)
{
	return below_of(v)->xSleep(below_of(v), us);
}

static int current_time(sqlite3_vfs *v, double *out)
{
	return below_of(v)->xCurrentTime(below_of(v), out);
}

static int current_time_int64(sqlite3_vfs *v, sqlite3_int64 *out)
{
	return below_of(v)->xCurrentTimeInt64(below_of(v), out);
}

static int last_error(sqlite3_vfs *v, int size, char *out)
{
	return below_of(v)->xGetLastError(below_of(v), size, out);
}

const char *journal_file_register(void)
{
	static sqlite3_vfs layer = {
		.iVersion = 2,
		.zName = NAME,
		.xOpen = open_file,
		.xDelete = delete_file,
		.xAccess = access_file,
		.xFullPathname = full_name,
		.xRandomness = random_octets,
		.xSleep = sleep_us,
		.xCurrentTime = current_time,
		.xGetLastError = last_error,
		.xCurrentTimeInt64 = current_time_int64,
	};
	sqlite3_vfs *below = sqlite3_vfs_find(NULL);

	if (!below || below->iVersion < 2)
		return NULL;
	layer.pAppData = below;
	layer.mxPathname = below->mxPathname;
	layer.szOsFile = (int)sizeof(struct file) + below->szOsFile;
	return sqlite3_vfs_register(&layer, 0) == SQLITE_OK ? NAME : NULL;
}

void journal_file_lengthen_to(sqlite3 *db, int64_t octets)
{
	(void)sqlite3_file_control(db, "main", LENGTHEN_TO, &octets);
}
