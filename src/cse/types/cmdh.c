/* CMDH: policies for requests that leave this CSE for another one. TS-0001 annex D.12, TS-0004 annex H.2.3. The policy is the active one of the node that hosts
 * this CSE (hcl) for what goes to the registrar, and of the node of a CSE below (nl) for what goes there. It fills in parameters that a request
 * lacks, and refuses what is beyond its limits. Which underlying network carries a request is unknown here, so that network access rules and
 * buffers are kept and not followed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/types/mgmt_obj.h"

struct cmdh {
	size_t active; /* activeCmdhPolicies: none cost nothing */
};

static void cmdh_free(struct cse *c, void *state)
{
	(void)c;
	free(state);
}

void cmdh_count(struct cse *c, const struct resource *object, bool there)
{
	struct cmdh *s = c->services[SERVICE_CMDH];

	if (!object->schema || object->schema->mgd != MGD_ACTIVE_CMDH_POLICY)
		return;
	if (!s) {
		s = calloc(1, sizeof *s);
		if (!s)
			abort();
		cse_service_set(c, SERVICE_CMDH, s, cmdh_free);
	}
	if (there)
		s->active++;
	else if (s->active > 0) /* a creation may have been undone: too many are only looked for in vain */
		s->active--;
}

/* ---- the policy ---- */

struct finding {
	int mgd;
	const char *csi; /* of a node; NULL: an object of that mgd */
	struct resource *found;
};

static bool is_wanted(void *ctx, struct resource *r)
{
	struct finding *f = ctx;

	if (f->csi ? resource_is(r, "hcl", f->csi) : r->schema && r->schema->mgd == f->mgd)
		f->found = resource_ref(r);
	return !f->found;
}

static struct resource *child_of(struct cse *c, const struct resource *node, int mgd)
{
	struct finding f = {.mgd = mgd};

	return tree_children(c->tree, node, TY_MGMT_OBJ, false, is_wanted, &f) == OK ? f.found : NULL;
}

bool cmdh_is_alone(struct creation *cr)
{
	struct resource *other = cr->type->mgd == MGD_ACTIVE_CMDH_POLICY ? child_of(cr->x->cse, cr->x->target, MGD_ACTIVE_CMDH_POLICY) : NULL;

	resource_unref(other);
	if (other)
		exchange_fail(cr->x, RSC_CONFLICT, "the node has an activeCmdhPolicy already: change its `acmlk`");
	return !other;
}

/* Of an object that a link or an address names. */
static struct resource *linked(struct cse *c, const struct json *address, int mgd)
{
	struct resource *r = address && address->type == JSON_STRING ? cse_find_address(c, address->text) : NULL;

	if (r && r->schema && r->type == TY_MGMT_OBJ && r->schema->mgd == mgd)
		return r;
	resource_unref(r);
	return NULL;
}

static struct resource *policy_for(struct cse *c, struct resource *hop, bool registrar)
{
	struct finding own = {.csi = c->config.id};
	struct resource *node = NULL, *active, *policy;
	struct rd nl;

	if (registrar) {
		node = tree_by_type(c->tree, TY_NODE, is_wanted, &own) == OK ? own.found : NULL;
	} else if (hop && json_string(resource_get(hop, "nl"), &nl)) {
		node = cse_find_address(c, nl);
	}
	active = node && node->type == TY_NODE ? child_of(c, node, MGD_ACTIVE_CMDH_POLICY) : NULL;
	policy = active ? linked(c, resource_get(active, "acmlk"), MGD_CMDH_POLICY) : NULL;
	resource_unref(active);
	resource_unref(node);
	return policy;
}

/* ---- what its objects are for ---- */

struct request {
	struct exchange *x;
	struct onem2m_request *rq;
	uint64_t ec; /* 0: none */
};

static bool has_number(const struct json *list, uint64_t n)
{
	uint64_t v;

	for (const struct json *e = list ? list->first : NULL; e; e = e->next)
		if (json_uint(e, &v) && v == n)
			return true;
	return false;
}

/* requestOrigin; a context or characteristics that only its issuer understands (rct, rch) never match. */
static bool is_for(const struct request *q, struct resource *rule)
{
	const struct json *ror = resource_get(rule, "ror");
	char pattern[CSE_ID_MAX], id[CSE_ID_MAX];

	if (resource_get(rule, "rct") || resource_get(rule, "rch"))
		return false;
	for (const struct json *o = ror ? ror->first : NULL; o; o = o->next)
		if (json_text(o, pattern, sizeof pattern) && (strcmp(pattern, "*") == 0 || (cse_sp_relative(q->x->cse, rd_str(pattern), id, sizeof id) && cse_pattern_matches(id, q->x->from))))
			return true;
	return false;
}

typedef bool suits(const struct request *q, struct resource *rule);

static bool sets_category(const struct request *q, struct resource *rule)
{
	return is_for(q, rule) && resource_get(rule, "dev");
}

static bool limits_category(const struct request *q, struct resource *rule)
{
	return is_for(q, rule) && has_number(resource_get(rule, "lec"), q->ec);
}

static bool names_category(const struct request *q, struct resource *rule)
{
	return has_number(resource_get(rule, "aec"), q->ec);
}

static bool is_default(const struct request *q, struct resource *rule)
{
	(void)q;
	return has_number(resource_get(rule, "aec"), 0);
}

/* The first in order (od) of those of a kind that `from` links to and that suit. */
static struct resource *choose(const struct request *q, struct resource *from, int mgd, suits *fn)
{
	const struct json *links = from ? resource_get(from, "cmlk") : NULL;
	struct resource *best = NULL;

	for (const struct json *l = links ? links->first : NULL; l; l = l->next) {
		struct resource *r = linked(q->x->cse, json_get(l, "val"), mgd);

		if (r && fn(q, r) && (!best || resource_uint(r, "od", 0) < resource_uint(best, "od", 0))) {
			resource_unref(best);
			best = resource_ref(r);
		}
		resource_unref(r);
	}
	return best;
}

static bool any(const struct request *q, struct resource *rule)
{
	(void)q;
	(void)rule;
	return true;
}

/* ---- defaults ---- */

static struct rd text_of(struct exchange *x, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = json_arena_alloc(x->arena, size);

	if (!copy)
		abort();
	memcpy(copy, text, size);
	return rd_str(copy);
}

static void set_category(struct request *q, struct resource *defaults)
{
	struct resource *rule = choose(q, defaults, MGD_CMDH_DEF_EC_VALUE, sets_category);
	char text[24];

	if (rule) {
		q->ec = resource_uint(rule, "dev", 0);
		snprintf(text, sizeof text, "%llu", (unsigned long long)q->ec);
		q->rq->ec = text_of(q->x, text);
	}
	resource_unref(rule);
}

/* Milliseconds from now on; -1: for ever, which is what an absent parameter means. */
static void set_time(struct request *q, struct rd *parameter, struct resource *values, const char *name)
{
	char stamp[TIMESTAMP_SIZE];
	int64_t ms;

	if (parameter->left > 0 || !json_int(resource_get(values, name), &ms) || ms < 0)
		return;
	timestamp_print_precise(stamp, cse_now(q->x->cse) + (uint64_t)ms);
	*parameter = text_of(q->x, stamp);
}

static void fill_in(struct request *q, struct resource *policy)
{
	struct resource *defaults = choose(q, policy, MGD_CMDH_DEFAULTS, any), *values;

	if (q->ec == 0)
		set_category(q, defaults);
	values = q->ec ? choose(q, defaults, MGD_CMDH_EC_DEF_PARAM_VALUES, names_category) : NULL;
	if (q->ec && !values)
		values = choose(q, defaults, MGD_CMDH_EC_DEF_PARAM_VALUES, is_default);
	if (values) {
		set_time(q, &q->rq->rqet, values, "dqet");
		if (q->x->expires_ms == 0 && q->rq->rqet.left > 0 && !timestamp_parse(q->rq->rqet, &q->x->expires_ms))
			q->x->expires_ms = 0;
		set_time(q, &q->rq->rset, values, "dset");
		set_time(q, &q->rq->oet, values, "doet");
		set_time(q, &q->rq->rp, values, "drp");
	}
	resource_unref(values);
	resource_unref(defaults);
}

/* ---- limits ---- */

/* [least, most] ms from now on; most -1: no limit. */
static bool is_within(const struct request *q, struct rd parameter, struct resource *limits, const char *name)
{
	const struct json *range = resource_get(limits, name);
	uint64_t at, now = cse_now(q->x->cse), ahead;
	int64_t least, most;

	if (parameter.left == 0 || !range || !json_int(json_at(range, 0), &least) || !json_int(json_at(range, 1), &most) || !timestamp_parse_abs_rel(parameter, now, &at))
		return true;
	ahead = at > now ? at - now : 0;
	return (least < 0 || ahead >= (uint64_t)least) && (most < 0 || ahead <= (uint64_t)most);
}

static bool keeps_limits(const struct request *q, struct resource *policy)
{
	struct resource *limits = q->ec ? choose(q, policy, MGD_CMDH_LIMITS, limits_category) : NULL;
	const char *wrong = NULL;

	if (limits && !is_within(q, q->rq->rqet, limits, "lqet"))
		wrong = "rqet";
	else if (limits && !is_within(q, q->rq->rset, limits, "lset"))
		wrong = "rset";
	else if (limits && !is_within(q, q->rq->oet, limits, "loet"))
		wrong = "oet";
	else if (limits && !is_within(q, q->rq->rp, limits, "lrp"))
		wrong = "rp";
	resource_unref(limits);
	if (wrong)
		exchange_fail(q->x, RSC_NOT_ACCEPTABLE, "`%s` is beyond the limits of the CMDH policy for event category %llu", wrong, (unsigned long long)q->ec);
	return !wrong;
}

bool cmdh_permits(struct exchange *x, struct onem2m_request *rq, struct resource *hop, bool registrar)
{
	struct cmdh *s = x->cse->services[SERVICE_CMDH];
	struct resource *policy = s && s->active ? policy_for(x->cse, hop, registrar) : NULL;
	struct request q = {x, rq, 0};
	bool ok = true;

	if (!policy)
		return true;
	if (!rd_decimal(rq->ec, &q.ec))
		q.ec = 0;
	fill_in(&q, policy);
	ok = keeps_limits(&q, policy);
	resource_unref(policy);
	return ok;
}
