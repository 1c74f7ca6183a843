/* Keeps the clock of a plant: it runs RATE times faster than ours while all programs of the plant wait, and stands still while one has something to do, so that
 * a busy machine makes the hour longer and not the programs late.
 *
 *	clock_keeper FILE RATE
 *
 * FILE is mapped by the programs (fast_clock.c). Ends with its standard input. */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "clock_page.h"

#define SECOND_NS 1000000000LL
#define LOOK_NS 500000LL      /* how often to look whether there is something to do */
#define LIST_EVERY 100        /* looks between two lists of the threads; a new program is listed at once */
#define THREADS_MAX 1024
#define RATE_MOST 1000

static struct clock_page *page;
static struct thread {
	int32_t program;
	int stat;
} threads[THREADS_MAX];
static size_t thread_count;
static int32_t listed[CLOCK_PROGRAMS];

static int64_t real_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * SECOND_NS + t.tv_nsec;
}

/* From now on. The time is read while the page is odd: whoever read one before has an earlier one. */
static void set_rate(uint32_t rate)
{
	int64_t now;

	atomic_fetch_add(&page->version, 1);
	now = real_ns(CLOCK_MONOTONIC);
	page->fast_ns += (now - page->real_ns) * page->rate;
	page->real_ns = now;
	page->rate = rate;
	atomic_fetch_add(&page->version, 1);
}

static bool list_threads(int32_t program)
{
	char path[64];
	const struct dirent *e;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%d/task", (int)program);
	d = opendir(path);
	while (d && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || thread_count == THREADS_MAX)
			continue;
		snprintf(path, sizeof path, "/proc/%d/task/%.16s/stat", (int)program, e->d_name);
		threads[thread_count] = (struct thread){program, open(path, O_RDONLY | O_CLOEXEC)};
		if (threads[thread_count].stat >= 0)
			thread_count++;
	}
	if (d)
		closedir(d);
	return d;
}

static bool any_new(void)
{
	bool any = false;

	for (size_t i = 0; i < CLOCK_PROGRAMS; i++) {
		any = any || listed[i] != page->programs[i];
		listed[i] = page->programs[i];
	}
	return any;
}

static void list(void)
{
	while (thread_count > 0)
		close(threads[--thread_count].stat);
	for (size_t i = 0; i < CLOCK_PROGRAMS; i++) {
		int32_t program = page->programs[i];

		if (program > 0 && !list_threads(program))
			(void)atomic_compare_exchange_strong(&page->programs[i], &program, 0);
	}
}

/* It runs, or would if it were its turn, or waits for a disk. proc(5). */
static bool is_busy(const struct thread *t)
{
	char text[128];
	ssize_t n = pread(t->stat, text, sizeof text - 1, 0);
	const char *name_end;

	if (n <= 0)
		return false; /* it has gone */
	text[n] = '\0';
	name_end = strrchr(text, ')');
	return name_end && (name_end[2] == 'R' || name_end[2] == 'D');
}

static bool any_busy(void)
{
	for (size_t i = 0; i < thread_count; i++) {
		if (is_busy(&threads[i])) {
			struct thread busy = threads[i];

			threads[i] = threads[0]; /* it will be so again: look there first */
			threads[0] = busy;
			return true;
		}
	}
	return false;
}

static void keep(uint32_t rate)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	const struct timespec look = {.tv_nsec = LOOK_NS};
	char octet;

	for (unsigned round = 0;; round++) {
		uint32_t wanted;

		if (round % LIST_EVERY == 0 && poll(&in, 1, 0) > 0 && read(STDIN_FILENO, &octet, 1) <= 0)
			return;
		if (any_new() || round % LIST_EVERY == 0)
			list();
		wanted = any_busy() ? 0 : rate;
		if (wanted != page->rate)
			set_rate(wanted);
		nanosleep(&look, NULL);
	}
}

int main(int argc, char **argv)
{
	int rate = argc == 3 ? atoi(argv[2]) : 0, fd = rate < 1 || rate > RATE_MOST ? -1 : open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	void *mapped;

	if (fd < 0 || ftruncate(fd, sizeof *page) != 0) {
		fprintf(stderr, "usage: clock_keeper FILE RATE (1 to %d)\n", RATE_MOST);
		return 2;
	}
	mapped = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED) {
		perror("clock_keeper");
		return 1;
	}
	page = mapped;
	page->rate_most = (uint32_t)rate;
	page->real_ns = page->fast_ns = real_ns(CLOCK_MONOTONIC);
	page->wall_ns = real_ns(CLOCK_REALTIME) - page->real_ns;
	puts("ready");
	fflush(stdout);
	keep((uint32_t)rate);
	return 0;
}
