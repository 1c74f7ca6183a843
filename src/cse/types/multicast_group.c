/* localMulticastGroup: members of another CSE's group that are here, so that one request from there reaches all of them. TS-0001 clauses 9.6.44
 * and 10.2.7.13, TS-0004 clause 7.4.55. A request for multicastGroupFanoutTarget (mgft) goes to each of memberList (mli), whether it came by
 * multicast or not. */
#include <stdlib.h>
#include <string.h>

#include "base/ip.h"
#include "cse/types/multicast_host.h"
#include "cse/types/types.h"

struct fan_target {
	struct fan_target *next;
	int64_t id;
	char to[]; /* mgft */
};
struct fan_targets {
	struct fan_target *first;
};

static void targets_free(struct cse *c, void *state)
{
	struct fan_targets *s = state;

	(void)c;
	while (s->first) {
		struct fan_target *t = s->first;

		s->first = t->next;
		free(t);
	}
	free(s);
}

static void note(struct cse *c, struct resource *r)
{
	struct fan_targets *s = c->services[SERVICE_MULTICAST];
	struct fan_target *t;
	struct rd mgft;

	if (!json_string(resource_get(r, "mgft"), &mgft))
		return;
	if (!s) {
		s = calloc(1, sizeof *s);
		if (!s)
			abort();
		cse_service_set(c, SERVICE_MULTICAST, s, targets_free);
	}
	t = calloc(1, sizeof *t + mgft.left + 1);
	if (!t || !rd_text(mgft, t->to, mgft.left + 1))
		abort();
	t->id = r->id;
	t->next = s->first;
	s->first = t;
}

static bool forget(struct cse *c, int64_t id)
{
	struct fan_targets *s = c->services[SERVICE_MULTICAST];
	struct fan_target **at = s ? &s->first : NULL;
	bool known = false;

	while (at && *at) {
		struct fan_target *t = *at;

		if (t->id != id) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		free(t);
		known = true;
	}
	return known;
}

struct resource *multicast_group_of(struct cse *c, struct rd to, struct rd *suffix)
{
	struct fan_targets *s = c->services[SERVICE_MULTICAST];

	for (struct fan_target *t = s ? s->first : NULL; t; t = t->next) {
		struct rd rest = to, slash;

		if (!rd_starts(to, t->to) || !rd_skip(&rest, strlen(t->to)))
			continue;
		if (rest.left > 0 && (!rd_until(&rest, '/', &slash) || slash.left > 0))
			continue;
		*suffix = rest;
		return tree_by_id(c->tree, t->id); /* NULL when its creation was undone */
	}
	return NULL;
}

/* ---- the IP group ---- */

static bool is_multicast(const char *address)
{
	return ip_is_within(rd_str(address), rd_str("224.0.0.0/4")) || ip_is_within(rd_str(address), rd_str("ff00::/8"));
}

/* m2m:ipAddress: one of its two; IPv4 goes first. */
static bool address_of(const struct json *mad, char *address, size_t size)
{
	return json_text(json_get(mad, "ip4"), address, size) || json_text(json_get(mad, "ip6"), address, size);
}

static bool change(struct cse *c, const char *address, bool join)
{
	return c->rehearsing || (c->config.multicast && c->config.multicast(c->config.multicast_ctx, address, join));
}

static bool join(struct exchange *x, const struct attributes *a)
{
	char address[64];

	if (!address_of(attributes_value(a, "mad"), address, sizeof address) || !is_multicast(address)) {
		exchange_fail(x, RSC_JOIN_MULTICAST_GROUP_FAILED, "`mad` is no IP multicast address");
		return false;
	}
	if (change(x->cse, address, true))
		return true;
	exchange_fail(x, RSC_JOIN_MULTICAST_GROUP_FAILED, "`mad`: this CSE cannot join the group: it takes no requests by IP multicast");
	return false;
}

/* ---- results of what came by multicast: TS-0001 clause 10.2.7.13.2 ---- */

struct reply {
	struct cse *cse;
	cse_done *done;
	void *ctx;
	char id[128], to[CSE_PATH_MAX];
};

static void on_results(void *ctx, const struct onem2m_response *rsp)
{
	struct reply *r = ctx;
	struct wr w = wr_new(CSE_BODY_MAX * 4);
	struct json_out o = json_out(&w);
	struct rd content;

	json_object(&o, NULL);
	json_object(&o, "m2m:rsp");
	json_put_uint(&o, "rsc", rsp->rsc);
	json_put_string(&o, "rqi", r->id);
	json_put_string(&o, "fr", r->cse->config.id);
	json_put_string(&o, "to", r->to);
	if (rsp->content.left > 0)
		json_put_content(&o, "pc", rsp->content);
	json_close(&o);
	json_close(&o);
	if (wr_done(&w, &content))
		cse_notify_target(r->cse, r->to, content, NULL, NULL);
	wr_free(&w);
	r->done(r->ctx, rsp);
	free(r);
}

void multicast_reply(struct exchange *x)
{
	struct reply *r = calloc(1, sizeof *r);

	if (!r)
		abort();
	*r = (struct reply){.cse = x->cse, .done = x->done, .ctx = x->ctx};
	if (!json_text(resource_get(x->target, "rstt"), r->to, sizeof r->to) || !rd_text(x->rq->request_id, r->id, sizeof r->id)) {
		free(r); /* there is nobody to be told */
		return;
	}
	x->done = on_results;
	x->ctx = r;
}

bool multicast_may_make(struct exchange *x)
{
	struct resource *hop = x->target->type == TY_CSE_BASE && x->rq->type == TY_LOCAL_MULTICAST_GROUP ? cse_next_hop(x->cse, x->from) : NULL;
	bool may = hop && resource_is(hop, "csi", x->from);

	resource_unref(hop);
	return may;
}

static enum hook_result multicast_create(struct creation *cr)
{
	return join(cr->x, &cr->attributes) ? HOOK_GO : HOOK_FAILED;
}

static enum hook_result multicast_created(struct creation *cr)
{
	note(cr->x->cse, cr->made);
	return HOOK_GO;
}

static enum hook_result multicast_update(struct updating *u)
{
	char old[64];

	if (!json_get(u->given, "mad"))
		return HOOK_GO;
	if (!join(u->x, &u->attributes))
		return HOOK_FAILED;
	if (address_of(resource_get(u->old, "mad"), old, sizeof old) && !json_equal(json_get(u->given, "mad"), resource_get(u->old, "mad")))
		(void)change(u->x->cse, old, false);
	return HOOK_GO;
}

static enum hook_result multicast_remove(struct exchange *x, struct resource *r)
{
	char address[64];

	if (x && address_of(resource_get(r, "mad"), address, sizeof address) && !change(x->cse, address, false)) {
		exchange_fail(x, RSC_LEAVE_MULTICAST_GROUP_FAILED, "`mad`: this CSE cannot leave the group");
		return HOOK_FAILED;
	}
	if (x)
		(void)forget(x->cse, r->id);
	return HOOK_GO;
}

/* What expires, or goes with others, has not left its group yet. */
static void multicast_removed(struct cse *c, struct resource *r)
{
	char address[64];

	if (forget(c, r->id) && address_of(resource_get(r, "mad"), address, sizeof address))
		(void)change(c, address, false);
}

static void multicast_start(struct cse *c, struct resource *r)
{
	char address[64];

	note(c, r);
	if (address_of(resource_get(r, "mad"), address, sizeof address))
		(void)change(c, address, true); /* without it requests still come one by one */
}

const struct type_hooks hooks_multicast_group = {
	.type = TY_LOCAL_MULTICAST_GROUP,
	.create = multicast_create,
	.created = multicast_created,
	.update = multicast_update,
	.remove = multicast_remove,
	.removed = multicast_removed,
	.start = multicast_start,
};
