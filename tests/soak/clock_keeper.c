/* Keeps the clock of a plant. It stands still while a program of the plant has something to do; when all wait, it goes on to the moment that the first of them
 * waits for. So a busy machine makes the hour longer and no program late, and an idle one waits for nothing. Nor does it run more than RATE times faster than
 * ours, for what is outside: a command, or a program that starts.
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
#define LOOK_NS 100000LL      /* how soon to look again whether all wait */
#define LIST_NS 50000000LL    /* between two lists of the threads */
#define TOGETHER_NS 1000000LL /* what is due within that is called together: a millisecond is what programs count in */
#define STEP_NS 10000000LL    /* when nobody waits for any time */
#define STUCK_NS 500000000LL  /* a program that waits for time to pass by looking at its clock would look for ever */
#define THREADS_MAX 1024
#define RATE_MOST 1000

static struct clock_page *page;
static struct thread {
	int32_t process;
	int stat;
} threads[THREADS_MAX];
static size_t thread_count;
static bool stopped[CLOCK_PROGRAMS]; /* by SIGSTOP: it neither works nor waits until it may go on */

static int64_t real_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * SECOND_NS + t.tv_nsec;
}

static void pause_ns(int64_t ns)
{
	const struct timespec t = {.tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS};

	nanosleep(&t, NULL);
}

/* ---- who has something to do ---- */

static bool list_threads(int32_t process)
{
	char path[64];
	const struct dirent *e;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%d/task", (int)process);
	d = opendir(path);
	while (d && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || thread_count == THREADS_MAX)
			continue;
		snprintf(path, sizeof path, "/proc/%d/task/%.16s/stat", (int)process, e->d_name);
		threads[thread_count] = (struct thread){process, open(path, O_RDONLY | O_CLOEXEC)};
		if (threads[thread_count].stat >= 0)
			thread_count++;
	}
	if (d)
		closedir(d);
	return d;
}

/* proc(5): the state comes behind the name, which may have any characters. */
static char state_of(int stat)
{
	char text[128];
	ssize_t n = pread(stat, text, sizeof text - 1, 0);
	const char *name_end;

	text[n > 0 ? n : 0] = '\0';
	name_end = strrchr(text, ')');
	return name_end ? name_end[2] : 'X';
}

static void list(void)
{
	while (thread_count > 0)
		close(threads[--thread_count].stat);
	for (size_t i = 0; i < CLOCK_PROGRAMS; i++) {
		int32_t process = page->programs[i].process;
		size_t first = thread_count;

		stopped[i] = false;
		/* whoever was killed is a zombie until it is waited for */
		if (process > 0 && (!list_threads(process) || (thread_count == first + 1 && strchr("ZX", state_of(threads[first].stat))))) {
			while (thread_count > first)
				close(threads[--thread_count].stat);
			(void)atomic_compare_exchange_strong(&page->programs[i].process, &process, 0);
		} else if (thread_count > first) {
			stopped[i] = state_of(threads[first].stat) == 'T';
		}
	}
}

static bool takes_part(size_t i)
{
	return page->programs[i].process > 0 && !stopped[i];
}

/* Those that have woken say so when it is their turn to run; until then, or when they wait for a disk, their state does. */
static bool all_wait(void)
{
	for (size_t i = 0; i < CLOCK_PROGRAMS; i++)
		if (takes_part(i) && page->programs[i].busy)
			return false;
	for (size_t i = 0; i < thread_count; i++) {
		char state = state_of(threads[i].stat);

		if (state == 'R' || state == 'D') {
			struct thread busy = threads[i];

			threads[i] = threads[0]; /* it will be so again: look there first */
			threads[0] = busy;
			return false;
		}
	}
	for (size_t i = 0; i < CLOCK_PROGRAMS; i++)
		if (takes_part(i) && page->programs[i].busy)
			return false;
	return true;
}

/* ---- time ---- */

static int64_t next_due(int64_t now)
{
	int64_t next = now + STEP_NS;

	for (size_t i = 0; i < CLOCK_PROGRAMS; i++)
		if (takes_part(i) && page->programs[i].until != CLOCK_NEVER && page->programs[i].until + TOGETHER_NS < next)
			next = page->programs[i].until + TOGETHER_NS;
	return next > now ? next : now;
}

static void go_to(int64_t time)
{
	page->now_ns = time;
	for (size_t i = 0; i < CLOCK_PROGRAMS; i++)
		if (takes_part(i) && page->programs[i].until <= time)
			kill(page->programs[i].process, CLOCK_SIGNAL);
}

static bool ended(void)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	char octet;

	return poll(&in, 1, 0) > 0 && read(STDIN_FILENO, &octet, 1) <= 0;
}

static void keep(int64_t rate)
{
	int64_t listed = 0, moved = real_ns(CLOCK_MONOTONIC);

	for (;;) {
		int64_t real = real_ns(CLOCK_MONOTONIC), now = page->now_ns, next;

		if (real - listed > LIST_NS) {
			if (ended())
				return;
			list();
			listed = real;
		}
		if (!all_wait()) {
			if (real - moved > STUCK_NS) {
				go_to(now + TOGETHER_NS);
				moved = real;
			}
			pause_ns(LOOK_NS);
			continue;
		}
		next = next_due(now);
		if ((next - now) / rate > real - moved) { /* too soon for the world outside */
			pause_ns((next - now) / rate - (real - moved));
			if (!all_wait())
				continue;
		}
		go_to(next);
		moved = real_ns(CLOCK_MONOTONIC);
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
	page->now_ns = real_ns(CLOCK_MONOTONIC);
	page->wall_ns = real_ns(CLOCK_REALTIME) - page->now_ns;
	puts("ready");
	fflush(stdout);
	keep(rate);
	return 0;
}
