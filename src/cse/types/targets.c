/* Notification targets. */
#include "cse/types/targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/notify/compose.h"
#include "cse/notify/service.h"

bool target_is_url(struct rd nu)
{
	struct rd part;

	return rd_until(&nu, ':', &part) && rd_starts(nu, "//") && part.left > 0 && !memchr(part.at, '/', part.left);
}

bool target_is(struct cse *c, const struct json *target, const char *id)
{
	char sp_relative[CSE_ID_MAX];
	struct resource *r;
	bool ok;

	if (target->type != JSON_STRING || target_is_url(target->text) || id[0] == '\0')
		return false;
	if (cse_sp_relative(c, target->text, sp_relative, sizeof sp_relative) && strcmp(sp_relative, id) == 0)
		return true;
	r = cse_find_address(c, target->text);
	ok = r && r->type == TY_AE && snprintf(sp_relative, sizeof sp_relative, "%s/%s", c->config.id, r->ri) > 0 && strcmp(sp_relative, id) == 0;
	resource_unref(r);
	return ok;
}

/* ---- verification ---- */

struct verification {
	targets_done *done;
	void *ctx;
	unsigned waits;
	const char *refused;
};
struct asked {
	struct verification *v;
	const char *target;
};

static void on_verified(void *ctx, const struct onem2m_response *rsp)
{
	struct asked *k = ctx;
	struct verification *v = k->v;

	if (rsp->rsc != RSC_OK && !v->refused)
		v->refused = k->target;
	if (--v->waits == 0)
		v->done(v->ctx, v->refused);
}

static void ask(struct exchange *x, struct verification *v, const char *ri, const char *target)
{
	struct cse *c = x->cse;
	struct wr w = wr_new(4096);
	struct json_out o = json_out(&w);
	struct asked *k = json_arena_alloc(x->arena, sizeof *k);
	char reference[CSE_ID_MAX];

	if (!k)
		abort();
	*k = (struct asked){v, target};
	snprintf(reference, sizeof reference, "%s/%s", c->config.id, ri);
	json_object(&o, NULL);
	json_object(&o, "m2m:sgn");
	json_put_bool(&o, "vrq", true);
	json_put_string(&o, "sur", reference);
	json_put_string(&o, "cr", compose_id(c, x->from, compose_is_foreign(c, target)));
	json_close(&o);
	json_close(&o);
	v->waits++;
	cse_notify_target(c, target, rd_of(w.octets, w.len), on_verified, k);
	wr_free(&w);
}

static bool has(const struct json *list, const struct json *end, struct rd text)
{
	for (const struct json *e = list ? list->first : NULL; e && e != end; e = e->next)
		if (e->type == JSON_STRING && rd_equal(e->text, text))
			return true;
	return false;
}

bool targets_verify(struct exchange *x, const char *ri, const struct json *nu, const struct json *before, targets_done *done, void *ctx)
{
	struct verification *v = json_arena_alloc(x->arena, sizeof *v);

	if (!v)
		abort();
	*v = (struct verification){.done = done, .ctx = ctx};
	for (const struct json *t = nu ? nu->first : NULL; t; t = t->next) {
		char *target = json_arena_alloc(x->arena, t->text.left + 1);

		if (t->type != JSON_STRING || !target || !rd_text(t->text, target, t->text.left + 1) || has(nu, t, t->text) || has(before, NULL, t->text))
			continue;
		if (!target_is_url(t->text) && (!x->cse->config.verify_subscriptions || target_is(x->cse, t, x->from)))
			continue;
		ask(x, v, ri, target);
	}
	return v->waits > 0;
}

/* ---- children ---- */

static enum hook_result refuse(struct exchange *x, enum onem2m_rsc rsc, const char *why)
{
	exchange_fail(x, rsc, "%s", why);
	return HOOK_FAILED;
}

/* Its name is fixed: TS-0001 table 9.6.8-1. */
static enum hook_result schedule_create(struct creation *cr)
{
	static const char name[] = "notificationSchedule";
	struct exchange *x = cr->x;
	struct resource *other = tree_child(x->cse->tree, x->target, rd_str(name));

	resource_unref(other);
	if (other)
		return refuse(x, RSC_BAD_REQUEST, "there is a notificationSchedule already");
	if (cr->rn[0] && strcmp(cr->rn, name) != 0)
		return refuse(x, RSC_BAD_REQUEST, "`rn`: a schedule is called notificationSchedule here");
	snprintf(cr->rn, sizeof cr->rn, "%s", name);
	return HOOK_GO;
}

enum hook_result targets_child_create(struct creation *cr)
{
	return cr->type->ty == TY_SCHEDULE ? schedule_create(cr) : HOOK_GO;
}

enum hook_result targets_child_created(struct creation *cr)
{
	struct resource *sub = cr->x->target;
	struct outbox_policy p;

	if (cr->type->ty == TY_SCHEDULE) {
		outbox_note_schedule(cr->x->cse, sub->id, cr->made->id);
		outbox_policy_of(cr->x->cse, sub, &p);
		outbox_change(cr->x->cse, sub->ri, &p, resource_get(sub, "nu"));
	}
	return HOOK_GO;
}

/* ---- statistics, and the end ---- */

void targets_statistics_update(struct updating *u)
{
	const struct json *nse = json_get(u->given, "nse");
	bool on;

	if (nse && (nse->type == JSON_NULL || (json_bool(nse, &on) && on)))
		stats_reset(u->x->cse, u->old->ri);
}

void targets_represent(struct cse *c, struct resource *r, struct json_out *o)
{
	stats_put(c, r, o);
}

void targets_removed(struct cse *c, struct resource *r)
{
	struct wr w = wr_new(4096);
	struct json_out o = json_out(&w);
	char su[CSE_PATH_MAX];

	if (json_text(resource_get(r, "su"), su, sizeof su)) {
		compose_begin(c, r, compose_is_foreign(c, su), &o);
		json_put_bool(&o, "sud", true);
		json_close(&o);
		json_close(&o);
		outbox_close(c, r->ri, su, rd_of(w.octets, w.len));
	} else {
		outbox_close(c, r->ri, NULL, rd_of("", 0));
	}
	wr_free(&w);
	if (resource_get(r, "nse"))
		stats_reset(c, r->ri);
}
