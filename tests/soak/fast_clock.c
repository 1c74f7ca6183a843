/* A preloaded library by which a program's clock is that of its plant (clock_keeper.c), which runs faster than ours while all have nothing to do. What reads a
 * clock gets the plant's time; what waits for a time waits until the plant has it. The programs themselves are those that are installed. Processor time and
 * the kernel's own timers (TCP's, for instance) keep their pace.
 *
 *	KEYWAY_CLOCK_PAGE=FILE LD_PRELOAD=.../libfast_clock.so keyway-mef ...
 *
 * Without a page nothing changes. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "clock_page.h"

#define SECOND_NS 1000000000LL
#define STANDING_NS 3000000LL /* how soon to look again at a clock that stands still */

static struct clock_page *page;

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

static void enter(void)
{
	for (size_t i = 0; i < CLOCK_PROGRAMS; i++) {
		int32_t none = 0;

		if (atomic_compare_exchange_strong(&page->programs[i], &none, (int32_t)getpid()))
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

/* A time that is read while the page is written is not used: the clock never goes back. */
static long long fast_ns(uint32_t *rate)
{
	struct timespec t;
	uint32_t before;
	long long ns;

	do {
		before = atomic_load(&page->version);
		*rate = atomic_load(&page->rate);
		real_clock_gettime(CLOCK_MONOTONIC, &t);
		ns = page->fast_ns + (ns_of(&t) - page->real_ns) * *rate;
	} while (before % 2 || before != atomic_load(&page->version));
	return ns;
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
	uint32_t rate;

	begin();
	if (!is_ours(id))
		return real_clock_gettime(id, t);
	*t = timespec_of(fast_ns(&rate) + (is_wall(id) ? page->wall_ns : 0));
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

/* How long to wait now, in real time, so as not to be late at `until`; false: it is that time. */
static bool go_on(long long until, struct timespec *wait)
{
	uint32_t rate;
	long long left = until - fast_ns(&rate);

	if (left <= 0)
		return false;
	left = (left + page->rate_most - 1) / page->rate_most;
	*wait = timespec_of(rate == 0 && left < STANDING_NS ? STANDING_NS : left);
	return true;
}

static long long until_ns(const struct timespec *timeout)
{
	uint32_t rate;

	return fast_ns(&rate) + ns_of(timeout);
}

int epoll_pwait2(int fd, struct epoll_event *events, int most, const struct timespec *timeout, const sigset_t *signals)
{
	const struct timespec now = {.tv_sec = 0};
	struct timespec wait;
	long long until;
	int n;

	begin();
	if (!page || !timeout)
		return real_epoll_pwait2(fd, events, most, timeout, signals);
	until = until_ns(timeout);
	while (go_on(until, &wait)) {
		n = real_epoll_pwait2(fd, events, most, &wait, signals);
		if (n != 0)
			return n;
	}
	return real_epoll_pwait2(fd, events, most, &now, signals);
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
	struct timespec wait;
	long long until;
	int n;

	begin();
	if (!page || !timeout)
		return real_ppoll(fds, count, timeout, signals);
	until = until_ns(timeout);
	while (go_on(until, &wait)) {
		n = real_ppoll(fds, count, &wait, signals);
		if (n != 0)
			return n;
	}
	return real_ppoll(fds, count, &now, signals);
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	const struct timespec t = timespec_of(timeout_ms * 1000000LL);

	return ppoll(fds, count, timeout_ms < 0 ? NULL : &t, NULL);
}

/* What is left is not told: nobody here asks. */
int clock_nanosleep(clockid_t id, int flags, const struct timespec *wanted, struct timespec *left)
{
	struct timespec wait;
	long long until;
	int r = 0;

	begin();
	if (!is_ours(id))
		return real_clock_nanosleep(id, flags, wanted, left);
	until = flags & TIMER_ABSTIME ? ns_of(wanted) - (is_wall(id) ? page->wall_ns : 0) : until_ns(wanted);
	while (r == 0 && go_on(until, &wait))
		r = real_clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, NULL);
	return r;
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
