/* CMDH: policies for requests that leave this CSE for another one. TS-0001 annex D.12, TS-0004 annex H.2.3. The policy is the active one of the node that hosts
 * this CSE (hcl) for what goes to the registrar, and of the node of a CSE below (nl) for what goes there. It fills in parameters that a request
 * lacks, refuses what is beyond its limits, and says on which terms the others wait (cmdh.h). */
#include "cse/types/cmdh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void cmdh_free(struct cse *c, void *state)
{
	struct cmdh *s = state;

	cmdh_buffer_free(c, s->buffer);
	free(s);
}

struct cmdh *cmdh_state(struct cse *c)
{
	struct cmdh *s = c->services[SERVICE_CMDH];

	if (s)
		return s;
	s = calloc(1, sizeof *s);
	if (!s)
		abort();
	cse_service_set(c, SERVICE_CMDH, s, cmdh_free);
	return s;
}

void cmdh_count(struct cse *c, const struct resource *object, bool there)
{
	struct cmdh *s;

	if (!object->schema || object->schema->mgd != MGD_ACTIVE_CMDH_POLICY)
		return;
	s = cmdh_state(c);
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

struct resource *cmdh_linked(struct cse *c, const struct json *address, int mgd)
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
	policy = active ? cmdh_linked(c, resource_get(active, "acmlk"), MGD_CMDH_POLICY) : NULL;
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

/* How closely a name in a list of origins means the originator: 1 by its ID, then by its App-ID, as an AE that is registered here, as this CSE, and
 * as anybody; 0: not at all. */
static unsigned rank_of(const struct request *q, const char *origin)
{
	struct cse *c = q->x->cse;
	struct resource *ae = NULL;
	char id[CSE_ID_MAX];
	unsigned rank = 0;

	if (strcmp(origin, "default") == 0)
		return 5;
	if (strcmp(origin, "thisCSE") == 0)
		return strcmp(q->x->from, c->config.id) == 0 ? 4 : 0;
	if (strcmp(origin, "*") == 0 || (cse_sp_relative(c, rd_str(origin), id, sizeof id) && cse_pattern_matches(id, q->x->from)))
		return 1;
	if (cse_relative(c, q->x->from) != q->x->from)
		ae = tree_by_ri(c->tree, rd_str(cse_relative(c, q->x->from)));
	if (ae && ae->type == TY_AE)
		rank = resource_is(ae, "api", origin) ? 2 : strcmp(origin, "localAE") == 0 ? 3 : 0;
	resource_unref(ae);
	return rank;
}

/* requestOrigin; a context or characteristics that only its issuer understands (rct, rch) never match. */
static unsigned origin_rank(const struct request *q, struct resource *rule)
{
	const struct json *ror = resource_get(rule, "ror");
	char origin[CSE_ID_MAX];
	unsigned best = 0, rank;

	if (resource_get(rule, "rct") || resource_get(rule, "rch"))
		return 0;
	for (const struct json *o = ror ? ror->first : NULL; o; o = o->next) {
		rank = json_text(o, origin, sizeof origin) ? rank_of(q, origin) : 0;
		if (rank && (!best || rank < best))
			best = rank;
	}
	return best;
}

/* 0: it does not suit; otherwise how closely it does, the closest being 1. */
typedef unsigned suits(const struct request *q, struct resource *rule);

static unsigned sets_category(const struct request *q, struct resource *rule)
{
	return resource_get(rule, "dev") ? origin_rank(q, rule) : 0;
}

static unsigned limits_category(const struct request *q, struct resource *rule)
{
	return has_number(resource_get(rule, "lec"), q->ec) ? origin_rank(q, rule) : 0;
}

static bool lists(struct resource *rule, uint64_t ec)
{
	return has_number(resource_get(rule, "aec"), ec) || has_number(resource_get(rule, "aecs"), ec);
}

/* One for the category before one for all. */
static unsigned names_category(const struct request *q, struct resource *rule)
{
	return lists(rule, q->ec) ? 1 : lists(rule, 0) ? 2 : 0;
}

static unsigned any(const struct request *q, struct resource *rule)
{
	(void)q;
	(void)rule;
	return 1;
}

/* Of those of a kind that `from` links to the one that suits most closely, and among these the first in order (od). */
static struct resource *choose(const struct request *q, struct resource *from, int mgd, suits *fn)
{
	const struct json *links = from ? resource_get(from, "cmlk") : NULL;
	struct resource *best = NULL;
	unsigned best_rank = 0;

	for (const struct json *l = links ? links->first : NULL; l; l = l->next) {
		struct resource *r = cmdh_linked(q->x->cse, json_get(l, "val"), mgd);
		unsigned rank = r ? fn(q, r) : 0;

		if (rank && (!best || rank < best_rank || (rank == best_rank && resource_uint(r, "od", 0) < resource_uint(best, "od", 0)))) {
			resource_unref(best);
			best = resource_ref(r);
			best_rank = rank;
		}
		resource_unref(r);
	}
	return best;
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

/* Without a rule it is best effort. */
static void set_category(struct request *q, struct resource *defaults)
{
	struct resource *rule = choose(q, defaults, MGD_CMDH_DEF_EC_VALUE, sets_category);
	char text[24];

	q->ec = rule ? resource_uint(rule, "dev", CMDH_BEST_EFFORT) : CMDH_BEST_EFFORT;
	snprintf(text, sizeof text, "%llu", (unsigned long long)q->ec);
	q->rq->ec = text_of(q->x, text);
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
	struct resource *defaults = choose(q, policy, MGD_CMDH_DEFAULTS, any), *values = NULL;

	if (q->ec == 0)
		set_category(q, defaults);
	/* best effort has the defaults of a request without the parameters, and immediate none */
	if (q->ec != CMDH_BEST_EFFORT && q->ec != CMDH_IMMEDIATE)
		values = choose(q, defaults, MGD_CMDH_EC_DEF_PARAM_VALUES, names_category);
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

static const char *beyond_limits(const struct request *q, struct resource *limits)
{
	const struct {
		const char *name, *limit;
		struct rd value;
	} times[] = {{"rqet", "lqet", q->rq->rqet}, {"rset", "lset", q->rq->rset}, {"oet", "loet", q->rq->oet}, {"rp", "lrp", q->rq->rp}};

	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
		if (!is_within(q, times[i].value, limits, times[i].limit))
			return times[i].name;
	return NULL;
}

/* Limits for the originator, if there are any, also say which categories are its. */
static bool keeps_limits(const struct request *q, struct resource *policy)
{
	struct resource *closest = choose(q, policy, MGD_CMDH_LIMITS, origin_rank), *limits = choose(q, policy, MGD_CMDH_LIMITS, limits_category);
	const char *wrong = NULL;

	if (closest && (!limits || origin_rank(q, limits) > origin_rank(q, closest)))
		wrong = "ec";
	else if (limits)
		wrong = beyond_limits(q, limits);
	resource_unref(closest);
	resource_unref(limits);
	if (wrong)
		exchange_fail(q->x, RSC_NOT_ACCEPTABLE, "`%s` is beyond the limits of the CMDH policy for event category %llu", wrong, (unsigned long long)q->ec);
	return !wrong;
}

/* ---- networks and buffers ---- */

/* There are rules for the category, and under one of them the request can leave before it expires. What is immediate may whenever it comes. */
static bool may_leave(const struct request *q, struct resource *policy, struct cmdh_terms *terms)
{
	struct cse *c = q->x->cse;
	struct resource *rules = choose(q, policy, MGD_CMDH_NETWORK_ACCESS_RULES, names_category);
	uint64_t now = cse_now(c), until = q->x->expires_ms ? q->x->expires_ms : now + cse_request_life(c);
	struct cmdh_way way;

	if (!rules)
		return true;
	terms->waits = true;
	terms->rules = rules->id;
	resource_unref(rules);
	if (q->ec == CMDH_IMMEDIATE)
		return true;
	cmdh_find_way(c, terms->rules, 0, false, now, &way);
	if (way.next && way.next < until)
		return true;
	exchange_fail(q->x, RSC_NOT_ACCEPTABLE, "no network access rule of the CMDH policy lets event category %llu leave before the request expires", (unsigned long long)q->ec);
	return false;
}

static void take_buffer(const struct request *q, struct resource *policy, struct cmdh_terms *terms)
{
	struct resource *buffer = q->ec == CMDH_IMMEDIATE ? NULL : choose(q, policy, MGD_CMDH_BUFFER, names_category);

	if (!buffer)
		return;
	terms->waits = true;
	terms->buffer = buffer->id;
	terms->most = resource_uint(buffer, "mbfs", 0);
	terms->priority = resource_uint(buffer, "sgp", 1);
	resource_unref(buffer);
}

bool cmdh_permits(struct exchange *x, struct onem2m_request *rq, struct resource *hop, bool registrar, struct cmdh_terms *terms)
{
	struct cmdh *s = x->cse->services[SERVICE_CMDH];
	struct resource *policy = s && s->active ? policy_for(x->cse, hop, registrar) : NULL;
	struct request q = {x, rq, 0};
	bool ok = true;

	*terms = (struct cmdh_terms){.most = UINT64_MAX, .priority = 1};
	if (!policy)
		return true;
	if (!rd_decimal(rq->ec, &q.ec))
		q.ec = 0;
	fill_in(&q, policy);
	terms->ec = q.ec;
	ok = keeps_limits(&q, policy) && may_leave(&q, policy, terms);
	if (ok)
		take_buffer(&q, policy, terms);
	resource_unref(policy);
	return ok;
}
