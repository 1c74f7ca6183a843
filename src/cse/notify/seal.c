/* Whom a notification goes to, end to end: whether it is sealed, and how (ESPrim, TS-0003 clause 8.4). */
#include <stdio.h>
#include <string.h>

#include "cse/notify/service.h"

static bool is_internal(const struct cse *c, const struct resource *ae)
{
	for (size_t i = 0; i < c->internal_count; i++)
		if (strcmp(c->internals[i].id, ae->ri) == 0)
			return true;
	return false;
}

/* The m2m:e2eSecInfo of who is registered here. */
static void take_info(struct seal_target *t, struct resource *r)
{
	const struct json *info = resource_get(r, "esi");

	t->known = true;
	t->resource = resource_ref(r);
	t->info = info ? info->source : rd_str("");
}

/* A resource of this CSE. False: what is notified stays in this process. */
static bool find_here(struct cse *c, struct rd rest, struct seal_target *t)
{
	struct resource *r = cse_find(c, rest, NULL, NULL);
	bool leaves = r && (r->type == TY_GROUP || (r->type == TY_AE && !is_internal(c, r)));

	if (leaves && r->type == TY_AE && (size_t)snprintf(t->entity, sizeof t->entity, "%s/%s", c->config.id, r->ri) < sizeof t->entity)
		take_info(t, r);
	resource_unref(r);
	return leaves;
}

/* "/id-mn", or "/id-mn/Cmeter": what else there may be at another CSE is nobody's ID. */
static bool is_entity(struct rd id)
{
	struct rd cse;

	if (!rd_skip(&id, 1) || rd_starts(id, "/"))
		return false;
	if (!rd_until(&id, '/', &cse))
		return id.left > 0;
	return cse.left > 0 && (rd_starts(id, "C") || rd_starts(id, "S")) && !memchr(id.at, '/', id.left);
}

static void find_elsewhere(struct cse *c, struct rd nu, struct seal_target *t)
{
	struct resource *remote;

	if (!cse_sp_relative(c, nu, t->entity, sizeof t->entity) || !is_entity(rd_str(t->entity))) {
		t->entity[0] = '\0';
		return;
	}
	remote = strchr(t->entity + 1, '/') ? NULL : cse_next_hop(c, t->entity);
	if (remote && resource_is(remote, "csi", t->entity))
		take_info(t, remote);
	resource_unref(remote);
}

enum cse_sealing seal_judge(struct cse *c, const char *target, bool is_url, struct seal_target *t)
{
	char other[CSE_ID_MAX];
	struct rd rest;

	*t = (struct seal_target){.info = rd_str("")};
	if (!c->security.judge)
		return CSE_IN_THE_CLEAR;
	if (!is_url && cse_is_local(c, rd_str(target), &rest, other, sizeof other)) {
		if (!find_here(c, rest, t))
			return CSE_IN_THE_CLEAR;
	} else if (!is_url) {
		find_elsewhere(c, rd_str(target), t);
	}
	return c->security.judge(c->security.security, t->entity, t->info, t->known);
}

void seal_send(struct cse *c, const struct seal_target *t, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	c->security.send(c->security.security, t->entity, t->info, t->known, rq, done, ctx);
}

void seal_target_clear(struct seal_target *t)
{
	resource_unref(t->resource);
	t->resource = NULL;
}
