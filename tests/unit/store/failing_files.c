/* SQLite's own file methods, of which some fail. The table of methods of an open file is replaced by one that begins as the same. */
#include "failing_files.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>

static sqlite3_vfs *own, layer;
static sqlite3_io_methods databases, journals;
static const sqlite3_io_methods *own_databases, *own_journals;
static int left = -1, result_of_failure;
static bool failed;
static struct journal_calls calls;

static bool fails(void)
{
	if (left < 0 || left-- > 0)
		return false;
	failed = true;
	return true;
}

static bool all_zeros(const uint8_t *octets, int n)
{
	for (int i = 0; i < n; i++)
		if (octets[i])
			return false;
	return true;
}

static int database_write(sqlite3_file *f, const void *octets, int n, sqlite3_int64 at)
{
	if (!fails())
		return own_databases->xWrite(f, octets, n, at);
	(void)own_databases->xWrite(f, octets, n / 2, at);
	return result_of_failure;
}

/* No power is lost in a test: what is flushed need not reach the disk. */
static int database_sync(sqlite3_file *f, int flags)
{
	(void)f;
	(void)flags;
	return fails() ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int journal_write(sqlite3_file *f, const void *octets, int n, sqlite3_int64 at)
{
	calls.writes++;
	calls.zeros += all_zeros(octets, n);
	if (!fails())
		return own_journals->xWrite(f, octets, n, at);
	(void)own_journals->xWrite(f, octets, n / 2, at);
	return result_of_failure;
}

static int journal_sync(sqlite3_file *f, int flags)
{
	(void)f;
	(void)flags;
	calls.flushes++;
	return fails() ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int journal_size(sqlite3_file *f, sqlite3_int64 *size)
{
	calls.sizes++;
	return own_journals->xFileSize(f, size);
}

static int open_file(sqlite3_vfs *v, sqlite3_filename name, sqlite3_file *f, int flags, int *out)
{
	int r = own->xOpen(own, name, f, flags, out);

	(void)v;
	if (r == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB)) {
		assert(!own_databases || own_databases == f->pMethods);
		own_databases = f->pMethods;
		databases = *f->pMethods;
		databases.xWrite = database_write;
		databases.xSync = database_sync;
		f->pMethods = &databases;
	}
	if (r == SQLITE_OK && (flags & SQLITE_OPEN_WAL)) {
		assert(!own_journals || own_journals == f->pMethods);
		own_journals = f->pMethods;
		journals = *f->pMethods;
		journals.xWrite = journal_write;
		journals.xSync = journal_sync;
		journals.xFileSize = journal_size;
		f->pMethods = &journals;
	}
	return r;
}

void failing_files_install(void)
{
	own = sqlite3_vfs_find(NULL);
	layer = *own;
	layer.zName = "failing";
	layer.pNext = NULL;
	layer.xOpen = open_file;
	if (sqlite3_vfs_register(&layer, 1) != SQLITE_OK)
		abort();
}

void failing_files_fail(int after, int result)
{
	left = after;
	result_of_failure = result;
	failed = false;
}

bool failing_files_failed(void)
{
	return failed;
}

struct journal_calls failing_files_calls(void)
{
	struct journal_calls c = calls;

	calls = (struct journal_calls){0};
	return c;
}
