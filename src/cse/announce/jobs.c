/* The work of announcing: one job for an original and a CSE, from its first attempt until both sides agree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/announce/jobs.h"

#define RETRY_FIRST_MS 1000
#define RETRY_MOST_MS 60000

/* ---- who waits ---- */

struct announce_wait {
	struct cse *cse;
	unsigned left;
	bool begun, over;             /* over: it was told; only the jobs still know it */
	struct cse_timer timer;
	void (*fn)(void *ctx);
	void *ctx;
};

static void wait_over(struct announce_wait *w)
{
	cse_timer_cancel(w->cse, &w->timer);
	if (!w->over) {
		w->over = true;
		w->fn(w->ctx);
	}
	if (w->left == 0)
		free(w);
}

static void on_patience(struct cse *c, struct cse_timer *t)
{
	struct announce_wait *w = (struct announce_wait *)(void *)((char *)t - offsetof(struct announce_wait, timer));

	(void)c;
	w->over = true;
	w->fn(w->ctx);
}

struct announce_wait *announce_wait_new(struct cse *c, void (*fn)(void *ctx), void *ctx)
{
	struct announce_wait *w = calloc(1, sizeof *w);

	if (!w)
		abort();
	*w = (struct announce_wait){.cse = c, .fn = fn, .ctx = ctx, .timer = {.fn = on_patience}};
	return w;
}

bool announce_wait_begin(struct announce_wait *w)
{
	if (w->left == 0) {
		free(w);
		return false;
	}
	w->begun = true;
	cse_timer_at(w->cse, &w->timer, cse_mono(w->cse) + ANNOUNCE_PATIENCE_MS);
	cse_commit_later(w->cse);
	return true;
}

void announce_wait_drop(struct announce_wait *w)
{
	w->over = true;
	if (w->left == 0)
		free(w);
}

static void wait_less(struct announce_wait *w)
{
	if (--w->left == 0 && (w->begun || w->over))
		wait_over(w);
}

/* ---- jobs ---- */

struct announcer *announcer_of(struct cse *c)
{
	return c->services[SERVICE_ANNOUNCE];
}

static void on_retry(struct cse *c, struct cse_timer *t)
{
	struct announce_job *j = (struct announce_job *)(void *)((char *)t - offsetof(struct announce_job, timer));

	(void)c;
	if (!j->in_flight)
		announce_job_run(j);
}

struct announce_job *announce_job_new(struct cse *c, const struct announce_original *o, const char *csi, const char *address)
{
	struct announcer *all = announcer_of(c);
	struct announce_job *j = calloc(1, sizeof *j);

	if (!j)
		abort();
	j->cse = c;
	j->original = *o;
	j->timer.fn = on_retry;
	snprintf(j->csi, sizeof j->csi, "%s", csi);
	snprintf(j->address, sizeof j->address, "%s", address);
	j->next = all->jobs;
	all->jobs = j;
	return j;
}

/* "announce/17/-3/-mn": the original's number, its parent's if it is an instance, and the CSE; or "unannounce/" and the address. */
void announce_job_key(const struct announce_job *j, char *key, size_t size)
{
	if (j->address[0])
		snprintf(key, size, "unannounce/%lld%s", (long long)j->original.id, j->address);
	else
		snprintf(key, size, "announce/%lld/%lld%s", (long long)j->original.id, (long long)(j->original.instance ? j->original.parent : 0), j->csi);
}

static void persist(struct announce_job *j, const char *value)
{
	char key[CSE_ID_MAX * 2];

	announce_job_key(j, key, sizeof key);
	if (store_value_set(j->cse->store, key, rd_str(value)) != OK)
		j->cse->counts.refused++; /* it is lost only if the CSE ends before it is done */
	cse_commit_later(j->cse);
}

static void tell_waiting(struct announce_job *j)
{
	struct announce_wait *w[ANNOUNCE_WAITS];
	size_t n = j->wait_count;

	memcpy(w, j->waits, sizeof w);
	j->wait_count = 0;
	for (size_t i = 0; i < n; i++)
		wait_less(w[i]);
}

void announce_job_done(struct announce_job *j)
{
	struct announce_job **at = &announcer_of(j->cse)->jobs;

	j->in_flight = false;
	if (j->again && !j->address[0]) {
		j->again = false;
		announce_job_run(j);
		return;
	}
	persist(j, "");
	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
	cse_timer_cancel(j->cse, &j->timer);
	tell_waiting(j);
	free(j->gone);
	free(j);
}

void announce_job_failed(struct announce_job *j)
{
	uint64_t wait = RETRY_FIRST_MS;

	j->in_flight = false;
	for (unsigned i = 0; i < j->tries && wait < RETRY_MOST_MS; i++)
		wait *= 2;
	j->tries++;
	cse_timer_at(j->cse, &j->timer, cse_mono(j->cse) + (wait < RETRY_MOST_MS ? wait : RETRY_MOST_MS));
	tell_waiting(j);
}

void announce_job_again(struct announce_job *j)
{
	j->in_flight = false;
	cse_timer_at(j->cse, &j->timer, cse_mono(j->cse));
}

/* ---- orders ---- */

static void make_ready(struct announce_job *j)
{
	j->ready = true;
	announcer_of(j->cse)->any_ready = true;
}

static void wait_for(struct announce_job *j, struct announce_wait *w)
{
	if (!w || j->wait_count == ANNOUNCE_WAITS)
		return;
	j->waits[j->wait_count++] = w;
	w->left++;
}

static void note_gone(struct announce_job *j, const char *gone)
{
	char *both = NULL;

	if (!gone || !gone[0])
		return;
	if (asprintf(&both, "%s%s%s", j->gone ? j->gone : "", j->gone ? " " : "", gone) < 0)
		abort();
	free(j->gone);
	j->gone = both;
}

void announce_sync(struct cse *c, const struct announce_original *o, const char *csi, const char *gone, struct announce_wait *w)
{
	struct announce_job *j = announcer_of(c)->jobs;

	while (j && !(j->address[0] == '\0' && j->original.id == o->id && strcmp(j->csi, csi) == 0))
		j = j->next;
	if (!j)
		j = announce_job_new(c, o, csi, "");
	else
		j->again = j->in_flight;
	note_gone(j, gone);
	persist(j, "1");
	make_ready(j);
	wait_for(j, w);
}

void announce_remove(struct cse *c, const struct announce_original *o, const char *address, struct announce_wait *w)
{
	struct announce_job *j;
	char csi[CSE_ID_MAX];

	if (!announce_csi(rd_str(address), csi, sizeof csi))
		return;
	j = announce_job_new(c, o, csi, address);
	persist(j, "1");
	make_ready(j);
	wait_for(j, w);
}

/* A run may end jobs and order others, so the list is looked through anew after each. */
void announce_flush(struct cse *c)
{
	struct announcer *all = announcer_of(c);
	struct announce_job *j = all->jobs;

	if (!all->any_ready)
		return;
	all->any_ready = false;
	while (j) {
		if (!j->ready || j->in_flight) {
			j = j->next;
			continue;
		}
		j->ready = false;
		announce_job_run(j);
		j = all->jobs;
	}
}

void announce_cse_is_there(struct cse *c, const char *csi)
{
	bool any = false;

	for (struct announce_job *j = announcer_of(c)->jobs; j; j = j->next) {
		if (strcmp(j->csi, csi) != 0 || j->in_flight)
			continue;
		j->tries = 0;
		make_ready(j);
		any = true;
	}
	if (any)
		cse_commit_later(c);
}

/* ---- start and end ---- */

static bool load(void *ctx, const struct store_row *row)
{
	struct cse *c = ctx;
	struct announce_original o = {0, 0, false};
	char csi[CSE_ID_MAX] = "", address[CSE_ID_MAX] = "";
	long long id, parent;
	int n = 0;

	if (sscanf(row->rn, "announce/%lld/%lld%n", &id, &parent, &n) == 2 && n > 0) {
		o = (struct announce_original){id, parent, parent != 0};
		snprintf(csi, sizeof csi, "%s", row->rn + n);
	} else if (sscanf(row->rn, "unannounce/%lld%n", &id, &n) == 1 && n > 0) {
		o.id = id;
		snprintf(address, sizeof address, "%s", row->rn + n);
		if (!announce_csi(rd_str(address), csi, sizeof csi))
			return true;
	} else {
		return true;
	}
	announce_job_failed(announce_job_new(c, &o, csi, address)); /* as after an attempt: not all at once */
	return true;
}

static void end(struct cse *c, void *state)
{
	struct announcer *all = state;

	while (all->jobs) {
		struct announce_job *j = all->jobs;

		all->jobs = j->next;
		for (size_t i = 0; i < j->wait_count; i++)
			if (--j->waits[i]->left == 0)
				free(j->waits[i]);
		free(j->gone);
		free(j);
	}
	free(all);
	c->services[SERVICE_ANNOUNCE] = NULL;
}

enum err announce_start(struct cse *c)
{
	struct announcer *all = calloc(1, sizeof *all);
	enum err e;

	if (!all)
		abort();
	cse_service_set(c, SERVICE_ANNOUNCE, all, end);
	e = store_values(c->store, "announce/", load, c);
	return e == OK ? store_values(c->store, "unannounce/", load, c) : e;
}
