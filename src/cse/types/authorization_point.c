/* Distributed authorisation: authorizationDecision answers whether a request would be permitted, authorizationPolicy which rules there are for a resource,
 * authorizationInformation whether somebody has the roles and tokens that he says. Who asks writes the parameters; the result is there at once.
 * TS-0003 clause 7.5, TS-0004 clauses 7.4.43 to 7.4.45. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/access.h"
#include "cse/types/types.h"

enum decision { PERMIT = 1, DENY = 2 };
enum status { STATUS_OK = 1, STATUS_NOT_APPLICABLE = 2, STATUS_MISSING_ATTRIBUTE = 3, STATUS_SYNTAX_ERROR = 4, STATUS_PROCESSING_ERROR = 5 };

static bool given_any(const struct json *given, const char *const *names)
{
	for (; *names; names++)
		if (json_get(given, *names))
			return true;
	return false;
}

static void set_status(struct attributes *a, enum status s)
{
	attributes_set_uint(a, "sus", (uint64_t)s);
}

/* A resource here, or the double of one elsewhere that its CSE announced here. */
static struct resource *object_of(struct cse *c, struct rd to)
{
	struct resource *r = cse_find_address(c, to);

	return r ? r : announce_double(c, to);
}

/* ---- the decision ---- */

/* A list attribute joined by '+', as a request carries it. */
static struct rd joined(struct attributes *a, const char *name)
{
	const struct json *list = attributes_value(a, name);
	struct wr w = wr_new(65536);
	struct rd text = rd_of("", 0);
	uint8_t *copy = NULL;

	for (const struct json *e = list ? list->first : NULL; e; e = e->next) {
		if (w.len)
			wr_u8(&w, '+');
		if (e->type == JSON_STRING)
			wr_rd(&w, e->text);
	}
	if (w.len && wr_done(&w, &text) && (copy = json_arena_alloc(a->arena, text.left)) != NULL)
		memcpy(copy, text.at, text.left);
	text = copy ? rd_of(copy, text.left) : rd_of("", 0);
	wr_free(&w);
	return text;
}

/* The request that is asked about. It waits in the arena of the exchange when others are asked. */
struct imagined {
	struct updating *u;          /* NULL: a creation */
	struct onem2m_request rq;
	struct exchange *x;
	struct resource *object;
	struct access_question question;
	char to[CSE_ID_MAX * 2];
};

static bool take_operation(struct imagined *m, struct attributes *a)
{
	static const unsigned operations[] = {0, ACOP_CREATE, ACOP_RETRIEVE, ACOP_UPDATE, ACOP_DELETE, ACOP_NOTIFY};
	uint64_t op, type, usage;

	if (!json_uint(attributes_value(a, "op"), &op) || op < ONEM2M_CREATE || op > ONEM2M_NOTIFY)
		return false;
	m->rq.operation = (enum onem2m_operation)op;
	m->question.acop = operations[op];
	if (op == ONEM2M_RETRIEVE && json_uint(attributes_value(a, "fu"), &usage) && usage == FILTER_DISCOVERY)
		m->question.acop = ACOP_DISCOVERY;
	if (op != ONEM2M_CREATE)
		return true;
	if (!json_uint(attributes_value(a, "rrt"), &type))
		return false;
	m->question.child_type = (int)type;
	return true;
}

static void take_circumstances(struct imagined *m, struct attributes *a)
{
	const struct json *oip = attributes_value(a, "oip");
	struct rd text;

	if (!json_string(json_get(oip, "ip4"), &m->rq.address) && !json_string(json_get(oip, "ip6"), &m->rq.address))
		m->rq.address = rd_of("", 0);
	m->rq.role_ids = joined(a, "rids");
	m->rq.token_ids = joined(a, "tids");
	m->rq.tokens = joined(a, "tkns");
	m->rq.genuine = true; /* whoever asks has authenticated the originator */
	m->rq.peer = "";
	if (json_string(attributes_value(a, "rtm"), &text) && !timestamp_parse(text, &m->x->when))
		m->x->when = 0;
}

static enum status imagine(struct cse *c, struct attributes *a, struct imagined *m)
{
	struct rd to, from;

	if (!json_string(attributes_value(a, "to"), &to) || !json_string(attributes_value(a, "fr"), &from) || !take_operation(m, a))
		return STATUS_MISSING_ATTRIBUTE;
	if (!cse_sp_relative(c, from, m->x->from, sizeof m->x->from) || !cse_sp_relative(c, to, m->to, sizeof m->to))
		return STATUS_SYNTAX_ERROR;
	take_circumstances(m, a);
	m->question.object = m->object = object_of(c, to);
	m->x->privileged = cse_is_administrator(c, m->x->from);
	return m->object ? STATUS_OK : STATUS_NOT_APPLICABLE;
}

static void put_decision(struct attributes *a, enum status s, enum decision d)
{
	if (s == STATUS_OK)
		attributes_set_uint(a, "dec", d);
	else
		attributes_remove(a, "dec");
	set_status(a, s);
}

static void imagined_end(struct imagined *m)
{
	resource_unref(m->object);
	free(m->x);
}

/* What points of policies and information said: of something that is not here, by their policies alone. */
static void on_found(void *ctx)
{
	struct imagined *m = ctx;
	struct updating *u = m->u;
	struct access_found *f = m->x->found;
	bool permits = m->object ? access_permits(m->x, &m->question) : m->x->privileged || access_found_permits(m->x, &m->question);
	enum status s = m->object || f->count > 0 ? STATUS_OK : STATUS_NOT_APPLICABLE;

	imagined_end(m);
	if (!u->x->abandoned && u->old->stale && !updating_again(u))
		return;
	put_decision(&u->attributes, s, permits ? PERMIT : DENY);
	updating_resume(u);
}

/* PERMIT_OVERRIDES: others are asked when nothing here permits it. */
static enum hook_result decide(struct cse *c, struct attributes *a, struct updating *u)
{
	struct imagined *m = json_arena_alloc(a->arena, sizeof *m);
	struct access_asked q;
	bool permits;
	enum status s;

	if (!m || (m->x = calloc(1, sizeof *m->x)) == NULL)
		abort();
	m->u = u;
	m->rq.rcn = ONEM2M_RCN_ABSENT;
	m->x->cse = c;
	m->x->rq = &m->rq;
	m->x->arena = a->arena;
	m->x->consulted = CONSULTED_ALL;
	s = imagine(c, a, m);
	permits = s == STATUS_OK && access_permits(m->x, &m->question);
	q = (struct access_asked){m->to, m->object ? (m->object->instance ? m->object->parent : m->object->id) : 0, m->question.acop, m->question.child_type};
	if (u && !permits && (s == STATUS_OK || s == STATUS_NOT_APPLICABLE)) {
		u->resumed = true;
		if (access_points_ask(m->x, u->old, &q, 1U << ACCESS_POLICY | 1U << ACCESS_INFORMATION, on_found, m))
			return HOOK_WAIT;
		u->resumed = false;
	}
	put_decision(a, s, permits ? PERMIT : DENY);
	imagined_end(m);
	return HOOK_GO;
}

static const char *const decision_parameters[] = {"to", "fr", "op", "rrt", "fu", "rids", "tids", "tkns", "rtm", "olo", "oip", NULL};

static enum hook_result decision_create(struct creation *cr)
{
	if (given_any(cr->given, decision_parameters))
		return decide(cr->x->cse, &cr->attributes, NULL);
	return HOOK_GO;
}

static enum hook_result decision_update(struct updating *u)
{
	if (given_any(u->given, decision_parameters))
		return decide(u->x->cse, &u->attributes, u);
	return HOOK_GO;
}

/* ---- the policies ---- */

static void put_policies(struct cse *c, const struct json *acpi, struct json_out *o)
{
	for (const struct json *id = acpi ? acpi->first : NULL; id; id = id->next) {
		struct resource *policy = id->type == JSON_STRING ? cse_find_address(c, id->text) : NULL;

		if (policy && policy->type % TY_ANNOUNCED == TY_ACP && resource_get(policy, "pv"))
			json_put(o, NULL, resource_get(policy, "pv"));
		resource_unref(policy);
	}
}

/* The policies of a resource: its own, or its parent's where it can have none. */
static void find_policies(struct cse *c, struct resource *r, struct json_out *o)
{
	struct resource *at = resource_ref(r), *above;

	while (at && !(at->schema && at->schema->own_acpi)) {
		above = tree_parent(c->tree, at);
		resource_unref(at);
		at = above;
	}
	if (at)
		put_policies(c, resource_get(at, "acpi"), o);
	resource_unref(at);
}

static void list_policies(struct cse *c, struct attributes *a)
{
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	struct resource *r = NULL;
	const struct json *doc, *list = NULL;
	struct rd to, text;

	attributes_remove(a, "ps");
	attributes_remove(a, "ca");
	if (!json_string(attributes_value(a, "to"), &to)) {
		set_status(a, STATUS_MISSING_ATTRIBUTE);
	} else {
		r = object_of(c, to);
		json_object(&o, NULL);
		json_array(&o, "pv");
		if (r)
			find_policies(c, r, &o);
		json_close(&o);
		json_close(&o);
		if (wr_done(&w, &text) && json_parse(a->arena, text, NULL, &doc) == OK)
			list = json_get(doc, "pv");
		set_status(a, list && list->first ? STATUS_OK : STATUS_NOT_APPLICABLE);
		if (list && list->first) {
			attributes_set_json(a, "ps", doc);
			attributes_set_uint(a, "ca", 1); /* PERMIT_OVERRIDES */
		}
	}
	resource_unref(r);
	wr_free(&w);
}

static enum hook_result policy_create(struct creation *cr)
{
	if (json_get(cr->given, "to"))
		list_policies(cr->x->cse, &cr->attributes);
	return HOOK_GO;
}

static enum hook_result policy_update(struct updating *u)
{
	if (json_get(u->given, "to"))
		list_policies(u->x->cse, &u->attributes);
	return HOOK_GO;
}

/* ---- roles and tokens ---- */

static void check_information(struct cse *c, struct attributes *a)
{
	const struct json *rids = attributes_value(a, "rids"), *tids = attributes_value(a, "tids");
	char holder[CSE_ID_MAX];
	struct rd from;
	bool all = true;

	if (!json_string(attributes_value(a, "fr"), &from)) {
		set_status(a, STATUS_MISSING_ATTRIBUTE);
		return;
	}
	if (!cse_sp_relative(c, from, holder, sizeof holder)) {
		set_status(a, STATUS_SYNTAX_ERROR);
		return;
	}
	for (const struct json *r = rids ? rids->first : NULL; r; r = r->next)
		all = all && r->type == JSON_STRING && access_role_is_assigned(c, holder, r->text, cse_now(c));
	for (const struct json *t = tids ? tids->first : NULL; t; t = t->next)
		all = all && t->type == JSON_STRING && access_token_is_held(c, holder, t->text, cse_now(c));
	set_status(a, all ? STATUS_OK : STATUS_NOT_APPLICABLE);
}

static const char *const information_parameters[] = {"fr", "rids", "tids", NULL};

static enum hook_result information_create(struct creation *cr)
{
	if (given_any(cr->given, information_parameters))
		check_information(cr->x->cse, &cr->attributes);
	return HOOK_GO;
}

static enum hook_result information_update(struct updating *u)
{
	if (given_any(u->given, information_parameters))
		check_information(u->x->cse, &u->attributes);
	return HOOK_GO;
}

const struct type_hooks hooks_authorization_decision = {.type = TY_AUTHORIZATION_DECISION, .create = decision_create, .update = decision_update};
const struct type_hooks hooks_authorization_policy = {.type = TY_AUTHORIZATION_POLICY, .create = policy_create, .update = policy_update};
const struct type_hooks hooks_authorization_information = {.type = TY_AUTHORIZATION_INFORMATION, .create = information_create, .update = information_update};
