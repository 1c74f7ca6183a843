/* Room on the disk. Deleting writes too: the journal first, and the database when the journal is copied into it. So that a CSE whose disk is
 * full can still let go of what expires and of what its clients delete, a file beside the store (PATH.reserve) holds some room, which is
 * given up when the disk is full; and the journal is kept no larger than that room where the disk is small. What is deleted leaves free
 * pages within the database, in which new rows find room even when the disk has none. */
#include "store/sqlite/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/sqlite/journal_file.h"

#define RESERVE_MOST (16LL << 20)
#define RESERVE_LEAST (256LL << 10)
#define JOURNAL_LEAST 64  /* pages; copying it costs more than writing it, below */
#define JOURNAL_HEAD 32   /* octets; the file format of SQLite, clause 4.1 */
#define FRAME_SIZE (24 + PAGE_SIZE)
#define TRY_EVERY_MS 1000 /* whether the disk has room again */

/* Octets of the file system, and those that are left in it. */
static bool disk_of(const struct store *s, int64_t *all, int64_t *left)
{
	struct statvfs v;

	if (!s->reserve[0] || statvfs(s->reserve, &v) != 0)
		return false;
	*all = (int64_t)v.f_blocks * (int64_t)v.f_frsize;
	*left = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
	return true;
}

static int64_t reserve_size(int64_t all)
{
	int64_t size = all / 64;

	return size > RESERVE_MOST ? RESERVE_MOST : size < RESERVE_LEAST ? RESERVE_LEAST : size;
}

/* Copied early where little is left: what is in the journal must find room in the database. */
int room_journal_pages(const struct store *s)
{
	int64_t all, left, pages;

	if (!disk_of(s, &all, &left))
		return CHECKPOINT_PAGES;
	pages = s->tight ? JOURNAL_LEAST : left / 16 / PAGE_SIZE;
	return pages > CHECKPOINT_PAGES ? CHECKPOINT_PAGES : pages < JOURNAL_LEAST ? JOURNAL_LEAST : (int)pages;
}

/* On a full disk it grows by what is written, if at all. */
void room_plan_journal(struct store *s)
{
	s->checkpoint_at = room_journal_pages(s);
	journal_file_lengthen_to(s->db, s->tight ? 0 : JOURNAL_HEAD + (int64_t)FRAME_SIZE * s->checkpoint_at);
}

/* True when the reserve is there, or the file system knows none. Some more must be left than the reserve itself, or writing would stop again
 * at once. */
static bool reserve_fill(const struct store *s, int fd)
{
	int64_t all, left, size;
	struct stat info;

	if (fstat(fd, &info) != 0 || !disk_of(s, &all, &left))
		return false;
	size = reserve_size(all);
	if (info.st_size >= size)
		return true;
	return left - size >= size / 4 && (fallocate(fd, 0, 0, size) == 0 || errno == EOPNOTSUPP);
}

static bool reserve_make(const struct store *s)
{
	int fd = open(s->reserve, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	bool ok;

	if (fd < 0)
		return false;
	ok = reserve_fill(s, fd);
	if (!ok && ftruncate(fd, 0) != 0)
		ok = false; /* what is left of it does no harm */
	close(fd);
	return ok;
}

/* A store that finds too little for a reserve begins without. */
void room_begin(struct store *s, const char *path)
{
	if (snprintf(s->reserve, sizeof s->reserve, "%s.reserve", path) >= (int)sizeof s->reserve || (!reserve_make(s) && access(s->reserve, F_OK) != 0))
		s->reserve[0] = '\0';
}

void room_lost(struct store *s)
{
	s->tight = true;
	s->tried = clock_ms();
	if (s->reserve[0] && truncate(s->reserve, 0) != 0)
		s->reserve[0] = '\0'; /* gone, or not ours: there is none */
	room_plan_journal(s);
	/* The journal could not grow. Copied into the database it starts over within its size. */
	sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

/* Half a reserve of free pages within the database is as good as a disk with room. */
static bool room_within(struct store *s)
{
	int64_t pages = 0, all, left;

	if (query_number(s, "PRAGMA freelist_count", &pages) != OK)
		return false;
	return pages * PAGE_SIZE >= (disk_of(s, &all, &left) ? reserve_size(all) : RESERVE_LEAST) / 2;
}

bool store_has_room(struct store *s)
{
	uint64_t now;

	if (!s->tight)
		return true;
	store_join(s);
	now = clock_ms();
	if (now - s->tried >= TRY_EVERY_MS) {
		s->tried = now;
		s->tight = !reserve_make(s);
	}
	if (!s->tight || room_within(s))
		return true;
	(void)store_refuse(s, ERR_FULL, NO_ROOM);
	return false;
}
