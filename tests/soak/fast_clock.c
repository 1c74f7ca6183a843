/* A preloaded library by which a program's clock runs faster: an hour of a plant in some minutes. What reads a clock gets a time that has passed so many times
 * faster; what waits for a time waits so much shorter. The programs themselves are those that are installed. Processor time and the kernel's own timers (TCP's,
 * for instance) keep their pace.
 *
 *	KEYWAY_CLOCK_RATE=8 KEYWAY_CLOCK_FROM=1790000000 LD_PRELOAD=.../libfast_clock.so keyway-mef ...
 *
 * KEYWAY_CLOCK_FROM: seconds since 1970 at which wall-clock time began to run faster; all programs of a plant have the same. The monotonic clock runs faster
 * from the machine's start on. Without a rate nothing changes. */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS 1000000000LL
#define RATE_MOST 1000

static long long rate = 1, from_ns;

static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_epoll_pwait2)(int, struct epoll_event *, int, const struct timespec *, const sigset_t *);
static int (*real_ppoll)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
static int (*real_pselect)(int, fd_set *, fd_set *, fd_set *, const struct timespec *, const sigset_t *);
static int (*real_clock_nanosleep)(clockid_t, int, const struct timespec *, struct timespec *);
static int (*real_timerfd_settime)(int, int, const struct itimerspec *, struct itimerspec *);
static int (*real_cond_clockwait)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);

/* ISO C has no conversion of an object pointer to a function pointer; POSIX has dlsym. */
static void find(void *function, const char *name)
{
	*(void **)function = dlsym(RTLD_NEXT, name);
	if (!*(void **)function)
		abort();
}

__attribute__((constructor)) static void begin(void)
{
	const char *r = getenv("KEYWAY_CLOCK_RATE"), *f = getenv("KEYWAY_CLOCK_FROM");

	if (real_clock_gettime)
		return;
	find(&real_epoll_pwait2, "epoll_pwait2");
	find(&real_ppoll, "ppoll");
	find(&real_pselect, "pselect");
	find(&real_clock_nanosleep, "clock_nanosleep");
	find(&real_timerfd_settime, "timerfd_settime");
	find(&real_cond_clockwait, "pthread_cond_clockwait");
	if (r && atoll(r) >= 1 && atoll(r) <= RATE_MOST)
		rate = atoll(r);
	if (f)
		from_ns = atoll(f) * SECOND_NS;
	find(&real_clock_gettime, "clock_gettime"); /* last: it says that the rest is there */
}

static long long ns_of(const struct timespec *t)
{
	return t->tv_sec * SECOND_NS + t->tv_nsec;
}

static struct timespec timespec_of(long long ns)
{
	return (struct timespec){.tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS};
}

static bool is_wall(clockid_t id)
{
	return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;
}

static bool is_scaled(clockid_t id)
{
	return is_wall(id) || id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE || id == CLOCK_MONOTONIC_RAW || id == CLOCK_BOOTTIME;
}

/* Rounded up: nobody is woken before its time. */
static struct timespec shorter(const struct timespec *t)
{
	return timespec_of((ns_of(t) + rate - 1) / rate);
}

static struct timespec shorter_ms(int ms)
{
	return timespec_of((ms * 1000000LL + rate - 1) / rate);
}

/* A time of the fast clock, as the real one has it. */
static struct timespec real_time_of(clockid_t id, const struct timespec *t)
{
	long long from = is_wall(id) ? from_ns : 0;

	return timespec_of(from + (ns_of(t) - from + rate - 1) / rate);
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	long long from = is_wall(id) ? from_ns : 0;
	int r;

	begin();
	if (is_wall(id)) /* the coarse ones are too coarse */
		id = CLOCK_REALTIME;
	else if (id == CLOCK_MONOTONIC_COARSE)
		id = CLOCK_MONOTONIC;
	r = real_clock_gettime(id, t);
	if (r == 0 && is_scaled(id))
		*t = timespec_of(from + (ns_of(t) - from) * rate);
	return r;
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

int epoll_pwait2(int fd, struct epoll_event *events, int most, const struct timespec *timeout, const sigset_t *signals)
{
	struct timespec t;

	begin();
	if (timeout)
		t = shorter(timeout);
	return real_epoll_pwait2(fd, events, most, timeout ? &t : NULL, signals);
}

int epoll_pwait(int fd, struct epoll_event *events, int most, int timeout_ms, const sigset_t *signals)
{
	const struct timespec t = shorter_ms(timeout_ms);

	begin();
	return real_epoll_pwait2(fd, events, most, timeout_ms < 0 ? NULL : &t, signals);
}

int epoll_wait(int fd, struct epoll_event *events, int most, int timeout_ms)
{
	return epoll_pwait(fd, events, most, timeout_ms, NULL);
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *signals)
{
	struct timespec t;

	begin();
	if (timeout)
		t = shorter(timeout);
	return real_ppoll(fds, n, timeout ? &t : NULL, signals);
}

int poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	const struct timespec t = shorter_ms(timeout_ms);

	begin();
	return real_ppoll(fds, n, timeout_ms < 0 ? NULL : &t, NULL);
}

int pselect(int n, fd_set *restrict in, fd_set *restrict out, fd_set *restrict other, const struct timespec *restrict timeout, const sigset_t *restrict signals)
{
	struct timespec t;

	begin();
	if (timeout)
		t = shorter(timeout);
	return real_pselect(n, in, out, other, timeout ? &t : NULL, signals);
}

/* Linux tells in *timeout what is left; nothing of what was asked for, here. */
int select(int n, fd_set *restrict in, fd_set *restrict out, fd_set *restrict other, struct timeval *restrict timeout)
{
	struct timespec t;

	if (!timeout)
		return pselect(n, in, out, other, NULL, NULL);
	t = (struct timespec){.tv_sec = timeout->tv_sec, .tv_nsec = timeout->tv_usec * 1000};
	return pselect(n, in, out, other, &t, NULL);
}

int clock_nanosleep(clockid_t id, int flags, const struct timespec *wanted, struct timespec *left)
{
	struct timespec t = *wanted;
	int r;

	begin();
	if (is_scaled(id))
		t = flags & TIMER_ABSTIME ? real_time_of(id, wanted) : shorter(wanted);
	r = real_clock_nanosleep(id, flags, &t, left);
	if (r == EINTR && left && !(flags & TIMER_ABSTIME))
		*left = timespec_of(ns_of(left) * rate);
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
	struct timespec left;

	return nanosleep(&t, &left) == 0 ? 0 : (unsigned)left.tv_sec;
}

/* An absolute time is the monotonic clock's: no program here has a timer of another. */
int timerfd_settime(int fd, int flags, const struct itimerspec *wanted, struct itimerspec *before)
{
	struct itimerspec t;

	begin();
	t.it_interval = shorter(&wanted->it_interval);
	t.it_value = flags & TFD_TIMER_ABSTIME ? real_time_of(CLOCK_MONOTONIC, &wanted->it_value) : shorter(&wanted->it_value);
	return real_timerfd_settime(fd, flags, &t, before);
}

int pthread_cond_clockwait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m, clockid_t id, const struct timespec *restrict until)
{
	const struct timespec t = real_time_of(id, until);

	begin();
	return real_cond_clockwait(c, m, id, &t);
}

/* Of a condition with the wall clock, as they are made. */
int pthread_cond_timedwait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m, const struct timespec *restrict until)
{
	return pthread_cond_clockwait(c, m, CLOCK_REALTIME, until);
}
