/* group: members are checked, made unique and counted. TS-0004 clause 7.4.14.2, TS-0001 clause 9.6.13. */
#include "cse/types/group.h"
#include "cse/types/multicast_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/notify/outbox.h"
#include "cse/types/types.h"

enum strategy { ABANDON_MEMBER = 1, ABANDON_GROUP = 2, SET_MIXED = 3 };
enum member_type { MIXED = 0, OLDEST = 20001, LATEST = 20002 };

struct member {
	struct membership *group;
	const char *id;               /* as it is stored: the resourceID of a local one, otherwise as given */
	bool dropped;
};

/* A creation or an update whose members are being looked at; from the exchange's arena. */
struct membership {
	struct exchange *x;
	struct attributes *attributes;
	struct creation *cr;          /* one of these two */
	struct updating *u;
	const struct json *specialization;
	uint64_t type;                /* mt */
	uint64_t strategy;            /* csy */
	struct member *members;
	size_t count;
	uint64_t most;                /* mnm */
	unsigned waits;               /* remote members that are asked; one more while the asking goes on */
	bool asynchronous, unvalidated;
	enum onem2m_rsc refusal;      /* 0: none */
	char why[300];
};

/* ---- one member ---- */

static void refuse(struct membership *g, enum onem2m_rsc rsc, const char *what, const char *id)
{
	if (g->refusal)
		return;
	g->refusal = rsc;
	snprintf(g->why, sizeof g->why, "`mid`: %s `%.200s`", what, id);
}

/* What the consistency strategy says about a member of another type. */
static void inconsistent(struct membership *g, struct member *m)
{
	if (g->strategy == SET_MIXED)
		g->type = MIXED;
	else if (g->strategy == ABANDON_GROUP)
		refuse(g, RSC_GROUP_MEMBER_TYPE_INCONSISTENT, "of another type than `mt` is", m->id);
	else
		m->dropped = true;
}

static bool specialization_fits(const struct membership *g, const struct json *attributes)
{
	static const char *const names[] = {"cnd", "mgd"};

	for (size_t i = 0; i < 2; i++) {
		const struct json *wanted = json_get(g->specialization, names[i]);

		if (wanted && !json_equal(wanted, json_get(attributes, names[i])))
			return false;
	}
	return true;
}

/* Whether the group's members are meant instead of the group: where groups as such are no members. */
static bool is_subgroup(const struct membership *g, uint64_t type, bool fan_out)
{
	return type == TY_GROUP && (fan_out || (g->type != MIXED && g->type != TY_GROUP));
}

static void check_type(struct membership *g, struct member *m, uint64_t type, const struct json *attributes, bool fan_out)
{
	uint64_t of_subgroup = MIXED;

	if (g->type == MIXED)
		return;
	if (is_subgroup(g, type, fan_out)) {
		if (!json_uint(json_get(attributes, "mt"), &of_subgroup) || of_subgroup != g->type)
			inconsistent(g, m);
	} else if (type != g->type || !specialization_fits(g, attributes)) {
		inconsistent(g, m);
	}
}

static bool ends_with_fan_out(const char *id)
{
	size_t n = strlen(id);

	return n > 5 && strcmp(id + n - 5, "/fopt") == 0;
}

static void check_local(struct membership *g, struct member *m, struct resource *r, enum cse_virtual kind)
{
	if (!cse_permits(g->x, r, ACOP_RETRIEVE))
		refuse(g, RSC_RECEIVER_HAS_NO_PRIVILEGE, "the originator may not retrieve", m->id);
	else if (kind == VIRTUAL_LATEST)
		check_type(g, m, g->type == LATEST ? LATEST : TY_CONTENT_INSTANCE, NULL, false);
	else if (kind == VIRTUAL_OLDEST)
		check_type(g, m, g->type == OLDEST ? OLDEST : TY_CONTENT_INSTANCE, NULL, false);
	else
		check_type(g, m, (uint64_t)r->type, resource_attributes(r), kind == VIRTUAL_FAN_OUT);
}

/* ---- members on other CSEs are asked for their type ---- */

static void finish(struct membership *g);

static void on_remote(void *ctx, const struct onem2m_response *rsp)
{
	struct member *m = ctx;
	struct membership *g = m->group;
	const struct json *doc;
	uint64_t type;

	if (rsp->rsc == RSC_OK && json_parse(g->x->arena, rsp->content, NULL, &doc) == OK && json_uint(json_get(doc->first, "ty"), &type))
		check_type(g, m, type, doc->first, ends_with_fan_out(m->id));
	else if (rsp->rsc == RSC_ORIGINATOR_HAS_NO_PRIVILEGE)
		refuse(g, RSC_RECEIVER_HAS_NO_PRIVILEGE, "the originator may not retrieve", m->id);
	else
		g->unvalidated = true;
	if (--g->waits == 0)
		finish(g);
}

static void ask_remote(struct membership *g, struct member *m)
{
	struct rd to = rd_str(m->id);
	struct onem2m_request rq = {
		.operation = ONEM2M_RETRIEVE,
		.from = rd_str(g->x->from),
		.request_id = g->x->rq->request_id,
		.release = g->x->rq->release,
		.rqet = g->x->rq->rqet,
		.rcn = ONEM2M_RCN_ABSENT,
		.genuine = true,
	};

	if (ends_with_fan_out(m->id))
		to.left -= 5;
	rq.to = to;
	g->waits++;
	cse_request(g->x->cse, &rq, on_remote, m);
}

/* ---- the list ---- */

static const char *keep(struct membership *g, const char *text)
{
	size_t n = strlen(text) + 1;
	char *copy = json_arena_alloc(g->x->arena, n);

	if (!copy)
		abort();
	memcpy(copy, text, n);
	return copy;
}

static bool is_known(const struct membership *g, const char *id)
{
	for (size_t i = 0; i < g->count; i++)
		if (strcmp(g->members[i].id, id) == 0)
			return true;
	return false;
}

static struct member *add(struct membership *g, const char *id)
{
	struct member *m = &g->members[g->count++];

	*m = (struct member){.group = g, .id = keep(g, id)};
	return m;
}

static void take_local(struct membership *g, struct rd rest, const char *given)
{
	static const char *const suffixes[] = {[VIRTUAL_LATEST] = "/la", [VIRTUAL_OLDEST] = "/ol", [VIRTUAL_FAN_OUT] = "/fopt"};
	enum cse_virtual kind;
	struct rd suffix;
	struct resource *r = cse_find(g->x->cse, rest, &kind, &suffix);
	char id[CSE_ID_MAX];

	if (!r || kind > VIRTUAL_FAN_OUT || suffix.left > 0) {
		refuse(g, RSC_NOT_FOUND, "there is no resource", given);
	} else {
		snprintf(id, sizeof id, "%s%s", r->ri, kind == VIRTUAL_NONE ? "" : suffixes[kind]);
		if (!is_known(g, id))
			check_local(g, add(g, id), r, kind);
	}
	resource_unref(r);
}

static void take_members(struct membership *g, const struct json *mid)
{
	struct cse *c = g->x->cse;

	g->members = json_arena_alloc(g->x->arena, (mid->count + 1) * sizeof *g->members);
	if (!g->members)
		abort();
	for (const struct json *m = mid->first; m; m = m->next) {
		char given[CSE_ID_MAX], other[CSE_ID_MAX];
		struct rd rest;

		if (!json_text(m, given, sizeof given) || given[0] == '\0')
			refuse(g, RSC_BAD_REQUEST, "an entry is no address:", "");
		else if (cse_is_local(c, m->text, &rest, other, sizeof other))
			take_local(g, rest, given);
		else if (!is_known(g, given))
			add(g, given);
	}
}

static bool is_remote(const struct member *m)
{
	return m->id[0] == '/';
}

static uint64_t remaining(const struct membership *g)
{
	uint64_t n = 0;

	for (size_t i = 0; i < g->count; i++)
		n += !g->members[i].dropped;
	return n;
}

static void set_members(struct membership *g)
{
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	struct json_arena *arena = g->x->arena;
	const struct json *list;
	struct rd text;

	json_array(&o, NULL);
	for (size_t i = 0; i < g->count; i++)
		if (!g->members[i].dropped)
			json_put_string(&o, NULL, g->members[i].id);
	json_close(&o);
	if (wr_done(&w, &text) && json_parse(arena, text, NULL, &list) == OK)
		attributes_set_json(g->attributes, "mid", list);
	wr_free(&w);
	attributes_set_uint(g->attributes, "cnm", remaining(g));
	attributes_set_uint(g->attributes, "mt", g->type);
	attributes_set_bool(g->attributes, "mtv", !g->unvalidated);
}

/* All members are known. */
static void finish(struct membership *g)
{
	if (g->refusal == 0 && remaining(g) > g->most)
		refuse(g, RSC_MAX_NUMBER_OF_MEMBER_EXCEEDED, "more members than `mnm` allows", "");
	if (g->refusal == 0) {
		set_members(g);
		for (size_t i = 0; i < g->count; i++)
			if (!g->members[i].dropped)
				group_note_member(g->x->cse, g->members[i].id);
	}
	if (!g->asynchronous)
		return;
	if (g->refusal)
		exchange_fail(g->x, g->refusal, "%s", g->why);
	else if (g->cr)
		creation_resume(g->cr);
	else
		updating_resume(g->u);
}

static enum hook_result validate(struct membership *g, const struct json *mid, uint64_t most)
{
	g->most = most;
	g->waits = 1;
	take_members(g, mid);
	for (size_t i = 0; g->refusal == 0 && g->type != MIXED && i < g->count; i++)
		if (is_remote(&g->members[i]))
			ask_remote(g, &g->members[i]);
	if (g->waits > 1) {
		g->asynchronous = true;
		if (g->cr)
			g->cr->resumed = true;
		else
			g->u->resumed = true;
	}
	if (--g->waits > 0)
		return HOOK_WAIT;
	finish(g);
	if (g->refusal == 0)
		return HOOK_GO;
	exchange_fail(g->x, g->refusal, "%s", g->why);
	return HOOK_FAILED;
}

/* ---- hooks ---- */

static struct membership *membership_new(struct exchange *x, struct attributes *a)
{
	struct membership *g = json_arena_alloc(x->arena, sizeof *g);
	const struct json *v;

	if (!g)
		abort();
	g->x = x;
	g->attributes = a;
	g->specialization = attributes_value(a, "spty");
	v = attributes_value(a, "mt");
	if (!json_uint(v, &g->type))
		g->type = MIXED;
	v = attributes_value(a, "csy");
	if (!json_uint(v, &g->strategy))
		g->strategy = ABANDON_MEMBER;
	return g;
}

static uint64_t most_members(const struct attributes *a)
{
	uint64_t most;

	return json_uint(attributes_value(a, "mnm"), &most) ? most : UINT64_MAX;
}

static enum hook_result group_create(struct creation *cr)
{
	struct membership *g = membership_new(cr->x, &cr->attributes);

	g->cr = cr;
	attributes_set_uint(&cr->attributes, "csy", g->strategy);
	attributes_set_bool(&cr->attributes, "ssi", true);
	return validate(g, json_get(cr->given, "mid"), most_members(&cr->attributes));
}

static enum hook_result group_update(struct updating *u)
{
	struct membership *g;

	if (!json_get(u->given, "mid")) {
		if (resource_uint(u->old, "cnm", 0) <= most_members(&u->attributes))
			return HOOK_GO;
		exchange_fail(u->x, RSC_MAX_NUMBER_OF_MEMBER_EXCEEDED, "`mnm`: the group has more members");
		return HOOK_FAILED;
	}
	g = membership_new(u->x, &u->attributes);
	g->u = u;
	return validate(g, json_get(u->given, "mid"), most_members(&u->attributes));
}

static enum hook_result group_created(struct creation *cr)
{
	multicast_group_changed(cr->x->cse, cr->made);
	group_tell_changed(cr->x->cse, cr->made);
	return HOOK_GO;
}

static void group_start(struct cse *c, struct resource *r)
{
	const struct json *mid = resource_get(r, "mid");
	char id[CSE_ID_MAX];

	for (const struct json *m = mid ? mid->first : NULL; m; m = m->next)
		if (json_text(m, id, sizeof id))
			group_note_member(c, id);
	multicast_group_start(c, r);
}

/* What it gathers goes by its new policy, and at its end at once. */
static enum hook_result group_updated(struct updating *u)
{
	struct outbox_policy p;

	outbox_policy_of(u->x->cse, u->made, &p);
	outbox_change_policy(u->x->cse, u->made->ri, &p);
	multicast_group_changed(u->x->cse, u->made);
	group_tell_changed(u->x->cse, u->made);
	return HOOK_GO;
}

static void group_removed(struct cse *c, struct resource *r)
{
	outbox_close(c, r->ri, NULL, rd_of("", 0));
	multicast_group_changed(c, r);
	group_tell_changed(c, r);
}

const struct type_hooks hooks_group = {
	.type = TY_GROUP,
	.create = group_create,
	.created = group_created,
	.update = group_update,
	.updated = group_updated,
	.removed = group_removed,
	.start = group_start,
};
