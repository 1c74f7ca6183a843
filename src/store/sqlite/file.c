/* The file of the store: who has it, and the connection to it. The lock is a file of its own (PATH.lock), because closing any descriptor
 * of the database within this process would drop the locks that SQLite has on it. Readers (backup, checks) do not take it. */
#include "store/sqlite/private.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/sqlite/journal_file.h"

enum err file_lock(struct store *s, const char *path)
{
	char name[PATH_SIZE], pid[32] = "";
	ssize_t n;

	if (snprintf(name, sizeof name, "%s.lock", path) >= (int)sizeof name)
		return store_refuse(s, ERR_STORE, "the path of the store is too long");
	s->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock < 0)
		return store_refuse(s, ERR_STORE, "can't open %s: %s", name, strerror(errno));
	if (flock(s->lock, LOCK_EX | LOCK_NB) != 0) {
		n = read(s->lock, pid, sizeof pid - 1);
		pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
		return store_refuse(s, ERR_STORE, "%s is in use by another process%s%s", path, pid[0] ? ", number " : "", pid);
	}
	/* Only for that sentence. */
	n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	if (ftruncate(s->lock, 0) != 0 || pwrite(s->lock, pid, (size_t)n, 0) != n)
		return OK;
	return OK;
}

/* The file stays: whoever removed it could remove the lock of the next one. */
void file_unlock(struct store *s)
{
	if (s->lock >= 0)
		close(s->lock);
	s->lock = -1;
}

/* SQLite gives its -wal and -shm files the mode of the database. */
enum err file_make(struct store *s, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return store_refuse(s, ERR_STORE, "can't open %s: %s", path, strerror(errno));
	close(fd);
	return OK;
}

/* SQLite's own count of its memory, which nobody asks for, takes a lock and two sums for each allocation. Refused, without harm, when another
 * part of the process uses SQLite already. */
static void count_no_memory(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static const char *file_methods; /* NULL: the default ones */

static void prepare_sqlite(void)
{
	count_no_memory();
	file_methods = journal_file_register();
}

enum err file_connect(struct store *s, const char *path, bool read_only)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int flags = (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX;
	int r;

	pthread_once(&once, prepare_sqlite);
	r = sqlite3_open_v2(path, &s->db, flags, file_methods);
	if (r != SQLITE_OK)
		return store_refuse(s, ERR_STORE, "can't open %s: %s", path, s->db && sqlite3_system_errno(s->db) ? strerror(sqlite3_system_errno(s->db)) : sqlite3_errstr(r));
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	/* The file may come from anywhere: its schema runs nothing, and its pages are not believed. */
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return OK;
}
