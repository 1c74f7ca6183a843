/* One thread, one epoll, timers in a heap, deferred calls, signals. */
#include "loop/loop.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/timers.h"

#define EVENTS_A_ROUND 64
#define VAIN_MOST 8 /* after so many it looks at every SELDOM-th sleep alone */
#define SELDOM 16

struct loop_io {
	struct loop *loop;
	int fd;
	loop_io_fn *fn; /* NULL: freed, waits for the end of the round */
	void *ctx;
	struct loop_io *next_dead;
	unsigned events; /* that epoll was told */
	bool patient;
};

struct loop_timer {
	struct timer_node node; /* first: what the heap has is the timer */
	struct loop *loop;
	loop_timer_fn *fn;
	void *ctx;
};

struct deferred {
	struct deferred *next;
	void (*fn)(void *ctx);
	void *ctx;
};

struct loop {
	int epoll, signals;
	struct loop_io *signal_io;
	struct loop_io *dead; /* freed during this round */
	struct timers timers;
	struct deferred *first, **last;
	struct deferred *next_first, **next_last; /* for the next round */
	bool stopped;
	unsigned put_off;        /* rounds in a row in which patient ones were not looked at */
	unsigned looks;          /* before it sleeps */
	unsigned vain, skipped;  /* times in a row that they found nothing, and that they were left out since */
};

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	abort();
}

static void *must(void *memory)
{
	if (!memory)
		die("out of memory");
	return memory;
}

static void on_signal(void *ctx, unsigned events)
{
	struct loop *l = ctx;
	struct signalfd_siginfo info;

	(void)events;
	if (read(l->signals, &info, sizeof info) == sizeof info)
		loop_stop(l);
}

struct loop *loop_new_within(void)
{
	struct loop *l = must(calloc(1, sizeof *l));

	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0)
		die("epoll_create1");
	l->signals = -1;
	l->last = &l->first;
	l->next_last = &l->next_first;
	return l;
}

struct loop *loop_new(void)
{
	struct loop *l = loop_new_within();
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a limit on files is an error of write, for whoever writes */
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	l->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (l->signals < 0)
		die("signalfd");
	l->signal_io = loop_io_new(l, l->signals, LOOP_READ, on_signal, l);
	return l;
}

static void bury(struct loop *l)
{
	while (l->dead) {
		struct loop_io *io = l->dead;

		l->dead = io->next_dead;
		free(io);
	}
}

/* What waited for this round is deferred within it, before anything else is. */
static void take_next(struct loop *l)
{
	if (!l->next_first)
		return;
	*l->next_last = l->first;
	if (!l->first)
		l->last = l->next_last;
	l->first = l->next_first;
	l->next_first = NULL;
	l->next_last = &l->next_first;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	loop_io_free(l->signal_io);
	bury(l);
	take_next(l);
	while (l->first) {
		struct deferred *d = l->first;

		l->first = d->next;
		free(d);
	}
	timers_free(&l->timers);
	if (l->signals >= 0)
		close(l->signals);
	close(l->epoll);
	free(l);
}

static uint32_t epoll_events(unsigned events)
{
	return (events & LOOP_READ ? EPOLLIN : 0U) | (events & LOOP_WRITE ? EPOLLOUT : 0U);
}

struct loop_io *loop_io_new(struct loop *l, int fd, unsigned events, loop_io_fn *fn, void *ctx)
{
	struct loop_io *io = must(calloc(1, sizeof *io));
	struct epoll_event e = {.events = epoll_events(events), .data.ptr = io};

	io->loop = l;
	io->fd = fd;
	io->fn = fn;
	io->ctx = ctx;
	io->events = events;
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) != 0 && (errno != EEXIST || epoll_ctl(l->epoll, EPOLL_CTL_MOD, fd, &e) != 0))
		die("epoll_ctl");
	return io;
}

void loop_io_events(struct loop_io *io, unsigned events)
{
	struct epoll_event e = {.events = epoll_events(events), .data.ptr = io};

	if (io->events == events)
		return;
	io->events = events;
	epoll_ctl(io->loop->epoll, EPOLL_CTL_MOD, io->fd, &e);
}

void loop_io_patient(struct loop_io *io)
{
	io->patient = true;
}

void loop_io_free(struct loop_io *io)
{
	if (!io)
		return;
	epoll_ctl(io->loop->epoll, EPOLL_CTL_DEL, io->fd, NULL);
	io->fn = NULL;
	io->next_dead = io->loop->dead;
	io->loop->dead = io;
}

struct loop_timer *loop_timer_new(struct loop *l, loop_timer_fn *fn, void *ctx)
{
	struct loop_timer *t = must(calloc(1, sizeof *t));

	t->loop = l;
	t->fn = fn;
	t->ctx = ctx;
	return t;
}

void loop_timer_at(struct loop_timer *t, uint64_t monotonic_ms)
{
	if (monotonic_ms == CLOCK_NEVER)
		timers_unset(&t->loop->timers, &t->node);
	else
		timers_set(&t->loop->timers, &t->node, monotonic_ms);
}

void loop_timer_in(struct loop_timer *t, uint64_t delay_ms)
{
	loop_timer_at(t, clock_ms() + delay_ms);
}

void loop_timer_free(struct loop_timer *t)
{
	if (!t)
		return;
	timers_unset(&t->loop->timers, &t->node);
	free(t);
}

static struct deferred *deferred_new(void (*fn)(void *ctx), void *ctx)
{
	struct deferred *d = must(calloc(1, sizeof *d));

	d->fn = fn;
	d->ctx = ctx;
	return d;
}

void loop_defer(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
	struct deferred *d = deferred_new(fn, ctx);

	*l->last = d;
	l->last = &d->next;
}

void loop_defer_next(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
	struct deferred *d = deferred_new(fn, ctx);

	*l->next_last = d;
	l->next_last = &d->next;
}

void loop_defer_cancel(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
	struct deferred **link = &l->first;

	take_next(l); /* sooner than it was to be, which does no harm */
	while (*link) {
		struct deferred *d = *link;

		if (d->fn == fn && d->ctx == ctx) {
			*link = d->next;
			free(d);
		} else {
			link = &d->next;
		}
	}
	l->last = link;
}

/* What a deferred call defers in its turn runs in this round too. */
static void run_deferred(struct loop *l)
{
	while (l->first) {
		struct deferred *d = l->first;

		l->first = d->next;
		if (!l->first)
			l->last = &l->first;
		d->fn(d->ctx);
		free(d);
	}
}

static void run_timers(struct loop *l)
{
	uint64_t now = clock_ms();
	struct timer_node *n;

	while ((n = timers_first(&l->timers)) != NULL && n->at <= now) {
		struct loop_timer *t = (struct loop_timer *)(void *)n;

		timers_unset(&l->timers, n);
		t->fn(t->ctx);
	}
}

static int wait_ms(const struct loop *l, int timeout_ms)
{
	const struct timer_node *n = timers_first(&l->timers);
	uint64_t now, left;

	if (l->first || l->next_first || (l->stopped && timeout_ms < 0)) /* after the end it waits for what is asked for, but not for ever */
		return 0;
	if (!n)
		return timeout_ms;
	now = clock_ms();
	left = n->at > now ? n->at - now : 0;
	if (left > 3600000)
		left = 3600000;
	return timeout_ms >= 0 && (uint64_t)timeout_ms < left ? timeout_ms : (int)left;
}

void loop_linger(struct loop *l, unsigned looks)
{
	l->looks = looks;
}

static bool lingers(struct loop *l)
{
	return l->looks > 0 && (l->vain < VAIN_MOST || ++l->skipped % SELDOM == 0);
}

static int wait_for_events(struct loop *l, struct epoll_event events[EVENTS_A_ROUND], int timeout_ms)
{
	int n = 0;

	if (timeout_ms != 0 && lingers(l)) {
		for (unsigned i = 0; i < l->looks && n == 0; i++) {
			n = epoll_wait(l->epoll, events, EVENTS_A_ROUND, 0);
			if (n == 0)
				sched_yield(); /* what it waits for may be what waits for this core */
		}
		if (n != 0) {
			l->vain = 0;
			return n;
		}
		l->vain++;
	}
	return epoll_wait(l->epoll, events, EVENTS_A_ROUND, timeout_ms);
}

/* How many there were. */
static unsigned dispatch(const struct epoll_event *events, int n, bool patient)
{
	unsigned count = 0;

	for (int i = 0; i < n; i++) {
		struct loop_io *io = events[i].data.ptr;
		uint32_t e = events[i].events;
		unsigned what = (e & EPOLLIN ? LOOP_READ : 0U) | (e & EPOLLOUT ? LOOP_WRITE : 0U);

		if (e & (EPOLLERR | EPOLLHUP | EPOLLRDHUP))
			what |= LOOP_READ | LOOP_WRITE;
		if (!io->fn || io->patient != patient)
			continue;
		io->fn(io->ctx, what);
		count++;
	}
	return count;
}

void loop_once(struct loop *l, int timeout_ms)
{
	struct epoll_event events[EVENTS_A_ROUND];
	int n = wait_for_events(l, events, wait_ms(l, timeout_ms));

	take_next(l);
	if (dispatch(events, n, false) == 0 || ++l->put_off >= LOOP_PATIENCE) {
		dispatch(events, n, true); /* otherwise epoll tells of them again */
		l->put_off = 0;
	}
	run_timers(l);
	run_deferred(l);
	bury(l);
}

int loop_fd(const struct loop *l)
{
	return l->epoll;
}

int loop_wait_ms(const struct loop *l)
{
	return wait_ms(l, -1);
}

void loop_run(struct loop *l)
{
	while (!l->stopped)
		loop_once(l, -1);
}

void loop_stop(struct loop *l)
{
	l->stopped = true;
}

bool loop_stopped(const struct loop *l)
{
	return l->stopped;
}
