/* A preloaded library by which a program's clock is that of its plant (clock_keeper.c). What reads a clock gets the plant's time; what waits for a time waits
 * until the keeper says that it has come, and tells it until when. The programs themselves are those that are installed. Processor time and the kernel's own
 * timers (TCP's, for instance) keep their pace.
 *
 *	KEYWAY_CLOCK_PAGE=FILE LD_PRELOAD=.../libfast_clock.so keyway-mef ...
 *
 * Without a page nothing changes. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "clock_page.h"

#define SECOND_NS 1000000000LL

static struct clock_page *page;
static struct clock_program *me;
static volatile sig_atomic_t called;
static const struct timespec patience = {.tv_sec = 1}; /* should a call get lost */

static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_epoll_pwait2)(int, struct epoll_event *, int, const struct timespec *, const sigset_t *);
static int (*real_ppoll)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
static int (*real_clock_nanosleep)(clockid_t, int, const struct timespec *, struct timespec *);

/* ISO C has no conversion of an object pointer to a function pointer; POSIX has dlsym. */
static void find(void *function, const char *name)
{
	*(void **)function = dlsym(RTLD_NEXT, name);
	if (!*(void **)function)
		abort();
}

static void on_call(int signal)
{
	(void)signal;
	called = 1;
}

/* Busy from the start. The signal is let in while we wait, and at no other time. */
static void enter(void)
{
	struct sigaction action = {.sa_handler = on_call};
	sigset_t ours;

	sigaction(CLOCK_SIGNAL, &action, NULL);
	sigemptyset(&ours);
	sigaddset(&ours, CLOCK_SIGNAL);
	pthread_sigmask(SIG_BLOCK, &ours, NULL);
	for (size_t i = 0; i < CLOCK_PROGRAMS; i++) {
		int32_t none = 0;

		me = &page->programs[i];
		if (!atomic_compare_exchange_strong(&me->process, &none, -1)) /* nobody's ID: not yet to be looked at */
			continue;
		me->busy = 1;
		me->process = (int32_t)getpid();
		return;
	}
	abort();
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("KEYWAY_CLOCK_PAGE");
	void *mapped;
	int fd;

	if (real_clock_gettime)
		return;
	find(&real_epoll_pwait2, "epoll_pwait2");
	find(&real_ppoll, "ppoll");
	find(&real_clock_nanosleep, "clock_nanosleep");
	find(&real_clock_gettime, "clock_gettime");
	if (!path)
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	mapped = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		abort();
	close(fd);
	page = mapped;
	enter();
}

static struct timespec timespec_of(long long ns)
{
	return (struct timespec){.tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS};
}

static long long ns_of(const struct timespec *t)
{
	return t->tv_sec * SECOND_NS + t->tv_nsec;
}

static bool is_wall(clockid_t id)
{
	return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;
}

static bool is_ours(clockid_t id)
{
	return page && (is_wall(id) || id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE || id == CLOCK_MONOTONIC_RAW || id == CLOCK_BOOTTIME);
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	begin();
	if (!is_ours(id))
		return real_clock_gettime(id, t);
	*t = timespec_of(page->now_ns + (is_wall(id) ? page->wall_ns : 0));
	return 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec t;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &t) != 0)
		return -1;
	*tv = (struct timeval){.tv_sec = t.tv_sec, .tv_usec = t.tv_nsec / 1000};
	return 0;
}

time_t time(time_t *out)
{
	struct timespec t;

	if (clock_gettime(CLOCK_REALTIME, &t) != 0)
		return (time_t)-1;
	if (out)
		*out = t.tv_sec;
	return t.tv_sec;
}

/* ---- waits ---- */

struct wait {
	long long until;
	sigset_t signals; /* that are kept out */
};

static struct wait wait_begin(const struct timespec *timeout, const sigset_t *signals)
{
	struct wait w = {.until = timeout ? page->now_ns + ns_of(timeout) : CLOCK_NEVER};

	if (signals)
		w.signals = *signals;
	else
		pthread_sigmask(SIG_SETMASK, NULL, &w.signals);
	sigdelset(&w.signals, CLOCK_SIGNAL);
	me->until = w.until;
	me->busy = 0;
	return w;
}

/* After a wait that ended with n, or failed: is there nothing yet? */
static bool wait_goes_on(const struct wait *w, int n)
{
	bool again = (n == 0 || (n < 0 && errno == EINTR && called)) && page->now_ns < w->until;

	called = 0;
	if (!again)
		me->busy = 1;
	return again;
}

/* Waits of other threads than the first, and those that are none, are not the plant's. */
static bool is_wait(const struct timespec *timeout)
{
	return page && getpid() == gettid() && !(timeout && ns_of(timeout) == 0);
}

int epoll_pwait2(int fd, struct epoll_event *events, int most, const struct timespec *timeout, const sigset_t *signals)
{
	const struct timespec now = {.tv_sec = 0};
	struct wait w;
	int n;

	begin();
	if (!is_wait(timeout))
		return real_epoll_pwait2(fd, events, most, timeout, signals);
	w = wait_begin(timeout, signals);
	do
		n = real_epoll_pwait2(fd, events, most, &patience, &w.signals);
	while (wait_goes_on(&w, n));
	return n < 0 && errno == EINTR && page->now_ns >= w.until ? real_epoll_pwait2(fd, events, most, &now, signals) : n;
}

int epoll_pwait(int fd, struct epoll_event *events, int most, int timeout_ms, const sigset_t *signals)
{
	const struct timespec t = timespec_of(timeout_ms * 1000000LL);

	return epoll_pwait2(fd, events, most, timeout_ms < 0 ? NULL : &t, signals);
}

int epoll_wait(int fd, struct epoll_event *events, int most, int timeout_ms)
{
	return epoll_pwait(fd, events, most, timeout_ms, NULL);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *signals)
{
	const struct timespec now = {.tv_sec = 0};
	struct wait w;
	int n;

	begin();
	if (!is_wait(timeout))
		return real_ppoll(fds, count, timeout, signals);
	w = wait_begin(timeout, signals);
	do
		n = real_ppoll(fds, count, &patience, &w.signals);
	while (wait_goes_on(&w, n));
	return n < 0 && errno == EINTR && page->now_ns >= w.until ? real_ppoll(fds, count, &now, signals) : n;
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	const struct timespec t = timespec_of(timeout_ms * 1000000LL);

	return ppoll(fds, count, timeout_ms < 0 ? NULL : &t, NULL);
}

/* What is left is not told: nobody here asks. */
int clock_nanosleep(clockid_t id, int flags, const struct timespec *wanted, struct timespec *left)
{
	struct timespec t = *wanted;

	begin();
	if (!is_ours(id))
		return real_clock_nanosleep(id, flags, wanted, left);
	if (flags & TIMER_ABSTIME)
		t = timespec_of(ns_of(wanted) - page->now_ns - (is_wall(id) ? page->wall_ns : 0));
	return ns_of(&t) > 0 && ppoll(NULL, 0, &t, NULL) < 0 ? errno : 0;
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
	int r = clock_nanosleep(CLOCK_REALTIME, 0, wanted, left);

	if (r == 0)
		return 0;
	errno = r;
	return -1;
}

int usleep(useconds_t us)
{
	const struct timespec t = timespec_of(us * 1000LL);

	return nanosleep(&t, NULL);
}

unsigned sleep(unsigned seconds)
{
	const struct timespec t = {.tv_sec = seconds};

	return nanosleep(&t, NULL) == 0 ? 0 : seconds;
}
