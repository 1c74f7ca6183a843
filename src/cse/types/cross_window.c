/* Time windows of crossResourceSubscriptions, the notifications that fill them, and what is sent when they are full. TS-0001 clause 9.6.58.
 *
 * A periodic window is looked at whenever its time is over. A sliding one, when all events are wanted, is looked at with each event: have
 * all come within the last timeWindowSize? For other modes it begins with an event and is looked at when its time is over. Windows
 * live in memory: a restart begins them anew. By the customs of open CSEs a sliding window begins with an event whatever is wanted, shuts
 * timeWindowSize later, and ends before if all events have come. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/notify/compose.h"
#include "cse/notify/service.h"
#include "cse/types/cross.h"

enum window_type { PERIODIC = 1, SLIDING = 2 };
enum evaluation { ALL_PRESENT = 1, SOME_PRESENT = 2, SOME_OR_ALL_MISSING = 3, ALL_MISSING = 4, SOME_MISSING = 5 };

struct seen {
	struct seen *next;
	uint64_t at;
	char subscription[];
};
struct window {
	struct cse_timer timer;       /* first, so that its function finds the window */
	struct window *next;
	int64_t id;
	struct seen *seen;
};

struct windows {
	struct window *first;
};

static void windows_free(struct cse *c, void *state)
{
	struct windows *all = state;

	while (all->first)
		cross_window_end(c, all->first->id);
	free(all);
}

static struct windows *windows_of(struct cse *c)
{
	struct windows *all = c->services[SERVICE_CRS];

	if (all)
		return all;
	all = calloc(1, sizeof *all);
	if (!all)
		abort();
	cse_service_set(c, SERVICE_CRS, all, windows_free);
	return all;
}

static struct window *window_of(struct cse *c, int64_t id)
{
	struct windows *all = windows_of(c);
	struct window *w = all->first;

	while (w && w->id != id)
		w = w->next;
	if (w)
		return w;
	w = calloc(1, sizeof *w);
	if (!w)
		abort();
	w->id = id;
	w->next = all->first;
	all->first = w;
	return w;
}

/* Forgets what came at or before `until`. */
static void forget(struct window *w, uint64_t until)
{
	struct seen **at = &w->seen;

	while (*at) {
		struct seen *s = *at;

		if (s->at > until) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		free(s);
	}
}

void cross_window_end(struct cse *c, int64_t id)
{
	struct window **at = &windows_of(c)->first, *w;

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	if (!*at)
		return;
	w = *at;
	*at = w->next;
	cse_timer_cancel(c, &w->timer);
	forget(w, UINT64_MAX);
	free(w);
}

static uint64_t size_of(struct resource *crs)
{
	const struct json *tws = resource_get(crs, "tws");
	uint64_t ms;

	return tws && duration_parse(tws->text, &ms) && ms > 0 ? ms : 1000;
}

static size_t expected(struct resource *crs)
{
	const struct json *rrats = resource_get(crs, "rrats"), *srat = resource_get(crs, "srat");

	return (rrats ? rrats->count : 0) + (srat ? srat->count : 0);
}

static bool holds(uint64_t mode, size_t came, size_t all)
{
	switch (mode) {
	case SOME_PRESENT:
		return came >= 1;
	case SOME_OR_ALL_MISSING:
		return came < all;
	case ALL_MISSING:
		return came == 0;
	case SOME_MISSING:
		return came >= 1 && came < all;
	default:
		return came >= all;
	}
}

/* ---- the notification ---- */

static void notify(struct cse *c, struct resource *crs)
{
	const struct json *nu = resource_get(crs, "nu");
	struct outbox_policy p;
	char target[CSE_PATH_MAX];

	if (resource_get(crs, "exc") && resource_uint(crs, "exc", 1) == 0)
		return;
	outbox_policy_of(c, crs, &p);
	if (!outbox_policy_is_open(c, &p))
		return;
	for (const struct json *t = nu ? nu->first : NULL; t; t = t->next) {
		struct wr w = wr_new(4096);
		struct json_out o = json_out(&w);
		struct outbox_content *k;

		if (!json_text(t, target, sizeof target))
			continue;
		compose_begin(c, crs, compose_is_foreign(c, target), &o);
		json_close(&o);
		json_close(&o);
		k = outbox_content(rd_of(w.octets, w.len));
		outbox_post(c, crs->ri, target, &p, k);
		outbox_content_free(k);
		wr_free(&w);
	}
	if (p.counted)
		stats_event(c, crs);
	cse_count_down(c, crs);
}

static size_t count(const struct window *w)
{
	size_t n = 0;

	for (const struct seen *s = w->seen; s; s = s->next)
		n++;
	return n;
}

static void on_time(struct cse *c, struct cse_timer *t)
{
	struct window *w = (struct window *)(void *)t;
	struct resource *crs = tree_by_id(c->tree, w->id);

	if (!crs)
		return;
	if (holds(resource_uint(crs, "eem", ALL_PRESENT), count(w), expected(crs)))
		notify(c, crs);
	forget(w, UINT64_MAX);
	if (resource_uint(crs, "twt", PERIODIC) == PERIODIC)
		cse_timer_at(c, &w->timer, cse_mono(c) + size_of(crs));
	resource_unref(crs);
}

void cross_window_start(struct cse *c, struct resource *crs)
{
	struct window *w = window_of(c, crs->id);

	forget(w, UINT64_MAX);
	cse_timer_cancel(c, &w->timer);
	w->timer.fn = on_time;
	if (resource_uint(crs, "twt", PERIODIC) == PERIODIC)
		cse_timer_at(c, &w->timer, cse_mono(c) + size_of(crs));
}

void cross_window_note(struct cse *c, struct resource *crs, const char *subscription)
{
	struct window *w = window_of(c, crs->id);
	size_t size = strlen(subscription) + 1;
	uint64_t now = cse_mono(c), length = size_of(crs);
	bool sliding = resource_uint(crs, "twt", PERIODIC) == SLIDING, all = resource_uint(crs, "eem", ALL_PRESENT) == ALL_PRESENT;
	struct seen *s;

	w->timer.fn = on_time;
	if (sliding && all && !c->config.customs)
		forget(w, now > length ? now - length : 0);
	for (s = w->seen; s && strcmp(s->subscription, subscription) != 0; s = s->next)
		;
	if (!s) {
		s = calloc(1, sizeof *s + size);
		if (!s)
			abort();
		memcpy(s->subscription, subscription, size);
		s->next = w->seen;
		w->seen = s;
	}
	s->at = now;
	if (!sliding)
		return;
	if (all && holds(ALL_PRESENT, count(w), expected(crs))) {
		cse_timer_cancel(c, &w->timer);
		forget(w, UINT64_MAX);
		notify(c, crs);
	} else if ((!all || c->config.customs) && w->timer.at == 0) {
		cse_timer_at(c, &w->timer, now + length);
	}
}

/* ---- notifications that come ---- */

static bool names(struct cse *c, const struct json *list, const char *subscription)
{
	char id[CSE_ID_MAX];

	for (const struct json *e = list ? list->first : NULL; e; e = e->next)
		if (e->type == JSON_STRING && cse_sp_relative(c, e->text, id, sizeof id) && strcmp(id, subscription) == 0)
			return true;
	return false;
}

bool cross_has(struct cse *c, struct resource *crs, const char *subscription)
{
	return names(c, resource_get(crs, "rrats"), subscription) || names(c, resource_get(crs, "srat"), subscription);
}

/* The CSE that hosts the subscription speaks for it; others need the privilege. */
static bool may_speak(struct exchange *x, const char *subscription)
{
	size_t n = strlen(x->from);

	return x->rq->internal || (strncmp(subscription, x->from, n) == 0 && subscription[n] == '/') || cse_permits(x, x->target, ACOP_NOTIFY);
}

static bool take(struct exchange *x, const struct json *sgn, enum onem2m_rsc *rsc, bool *ends)
{
	struct resource *crs = x->target;
	char id[CSE_ID_MAX];
	struct rd sur;
	bool b;

	if (json_bool(json_get(sgn, "vrq"), &b) && b)
		return true;
	*rsc = RSC_BAD_REQUEST;
	if (!json_string(json_get(sgn, "sur"), &sur) || !cse_sp_relative(x->cse, sur, id, sizeof id))
		return false;
	*rsc = RSC_ORIGINATOR_HAS_NO_PRIVILEGE;
	if (!may_speak(x, id))
		return false;
	/* while it is being made its subscriptions have no names yet */
	if (!resource_get(crs, "rrats") && resource_get(crs, "rrat"))
		return true;
	*rsc = RSC_BAD_REQUEST;
	if (!cross_has(x->cse, crs, id))
		return false;
	if (json_bool(json_get(sgn, "sud"), &b) && b)
		*ends = true;
	else
		cross_window_note(x->cse, crs, id);
	return true;
}

static bool take_all(struct exchange *x, const struct json *doc, enum onem2m_rsc *rsc, bool *ends)
{
	const struct json *sgn = json_get(doc, "m2m:sgn"), *batch = json_path(doc, "m2m:agn.m2m:sgn");

	*rsc = RSC_BAD_REQUEST;
	if (sgn)
		return take(x, sgn, rsc, ends);
	if (!batch)
		return false;
	for (const struct json *e = batch->first; e; e = e->next)
		if (!take(x, e, rsc, ends))
			return false;
	return true;
}

bool crs_notified(struct exchange *x)
{
	const struct json *doc;
	enum onem2m_rsc rsc = RSC_BAD_REQUEST;
	bool ends = false;

	if (x->target->type != TY_CROSS_RESOURCE_SUBSCRIPTION)
		return false;
	if (json_parse(x->arena, x->rq->content, NULL, &doc) != OK || !take_all(x, doc, &rsc, &ends)) {
		exchange_fail(x, rsc, "the notification is none of a subscription that reports here");
		return true;
	}
	if (ends && cse_delete_subtree(x->cse, x->target, true) != OK)
		x->cse->round_broken = true;
	if (ends)
		cse_commit_later(x->cse);
	exchange_answer(x, RSC_OK, rd_of("", 0), rd_str(""));
	return true;
}

/* ---- a subscription is lost ---- */

static void end_cross(struct cse *c, int64_t sub, const char *address)
{
	struct resource *r = tree_by_id(c->tree, sub), *crs = cse_find_address(c, rd_str(address));
	char ri[64], id[CSE_ID_MAX], full[CSE_ID_MAX];
	bool kept = r && cse_sp_relative(c, rd_str(address), full, sizeof full) && names(c, resource_get(r, "acrs"), full);

	tree_ri(ri, sizeof ri, TY_SUBSCRIPTION, 0, sub, false);
	snprintf(id, sizeof id, "%s/%s", c->config.id, ri);
	/* only the subscription that it relies on ends it: acrs is its subscriber's to write */
	if (!kept && crs && crs->type == TY_CROSS_RESOURCE_SUBSCRIPTION && cross_has(c, crs, id) && cse_delete_subtree(c, crs, true) != OK)
		c->round_broken = true;
	resource_unref(r);
	resource_unref(crs);
}

void cross_lost(struct cse *c, struct resource *sub, const char *address)
{
	struct wr w = wr_new(4096);
	struct json_out o = json_out(&w);

	if (!compose_is_foreign(c, address)) {
		cse_before_commit(c, end_cross, sub->id, address);
	} else {
		compose_begin(c, sub, true, &o);
		json_put_bool(&o, "sud", true);
		json_close(&o);
		json_close(&o);
		cse_notify_target(c, address, rd_of(w.octets, w.len), NULL, NULL);
	}
	wr_free(&w);
}
