/* A thread that waits for work on a condition, and tells the loop by an eventfd. */
#include "loop/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct worker {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int event;
	struct loop_io *io;
	/* under the lock */
	void (*work)(void *ctx); /* not begun, or under way */
	bool finished, ended;
	atomic_bool returned; /* as finished, for a look without the lock */
	/* the loop's own */
	void (*done)(void *ctx);
	void *ctx;
};

static void *run(void *arg)
{
	struct worker *w = arg;
	const uint64_t one = 1;

	pthread_mutex_lock(&w->lock);
	while (!w->ended) {
		if (!w->work || w->finished) {
			pthread_cond_wait(&w->changed, &w->lock);
			continue;
		}
		pthread_mutex_unlock(&w->lock);
		w->work(w->ctx);
		pthread_mutex_lock(&w->lock);
		w->finished = true;
		atomic_store_explicit(&w->returned, true, memory_order_relaxed);
		pthread_cond_broadcast(&w->changed);
		if (write(w->event, &one, sizeof one) != sizeof one)
			abort();
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* Calls done if the work is finished. */
static void settle(struct worker *w)
{
	void (*done)(void *ctx) = w->done;
	bool finished;

	pthread_mutex_lock(&w->lock);
	finished = w->finished;
	if (finished) {
		w->finished = false;
		atomic_store_explicit(&w->returned, false, memory_order_relaxed);
		w->work = NULL;
	}
	pthread_mutex_unlock(&w->lock);
	if (finished) {
		w->done = NULL;
		done(w->ctx);
	}
}

static void on_event(void *ctx, unsigned events)
{
	struct worker *w = ctx;
	uint64_t n;

	(void)events;
	if (read(w->event, &n, sizeof n) == sizeof n)
		settle(w);
}

struct worker *worker_new(struct loop *l)
{
	struct worker *w = calloc(1, sizeof *w);
	sigset_t all, before;

	if (!w)
		abort();
	w->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->event < 0 || pthread_mutex_init(&w->lock, NULL) != 0 || pthread_cond_init(&w->changed, NULL) != 0)
		abort();
	w->io = loop_io_new(l, w->event, LOOP_READ, on_event, w);
	/* signals are the loop's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&w->thread, NULL, run, w) != 0) {
		fputs("no thread can be made\n", stderr);
		abort();
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return w;
}

void worker_run(struct worker *w, void (*work)(void *ctx), void (*done)(void *ctx), void *ctx)
{
	pthread_mutex_lock(&w->lock);
	w->done = done;
	w->ctx = ctx;
	w->work = work;
	pthread_mutex_unlock(&w->lock); /* first: whoever wakes needs it */
	pthread_cond_broadcast(&w->changed);
}

void worker_wait(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	while (w->work && !w->finished)
		pthread_cond_wait(&w->changed, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

bool worker_finished(const struct worker *w)
{
	return atomic_load_explicit(&w->returned, memory_order_relaxed);
}

void worker_finish(struct worker *w)
{
	worker_wait(w);
	settle(w);
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->ended = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	loop_io_free(w->io);
	close(w->event);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->changed);
	free(w);
}
