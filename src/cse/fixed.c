/* Resources that a CSE makes for itself below its base: TS-0001 clauses 9.6.25 (defaultNTP) and 9.6.43 (AEContactList). */
#include <stdio.h>
#include <string.h>

#include "cse/private.h"

#define YEARS_5_MS (5ULL * 365 * 86400 * 1000)

uint64_t cse_longest_life(const struct cse *c)
{
	return c->config.max_expiration_ms ? c->config.max_expiration_ms : YEARS_5_MS;
}

uint64_t cse_request_life(const struct cse *c)
{
	return c->short_request_ms ? c->short_request_ms : c->config.request_life_ms ? c->config.request_life_ms : 20000;
}

struct resource *cse_make_resource(struct cse *c, const struct own_resource *o)
{
	struct resource_new n = {.parent = o->parent, .type = o->type, .id = tree_new_id(c->tree), .own_ri = o->ri != NULL, .own_rn = o->rn != NULL, .root = schema_type(o->type)->root,
		.creator = o->creator, .expires = o->expires};
	struct wr text = wr_new(CSE_BODY_MAX * 4);
	struct attributes *a = o->attributes;
	struct resource *made = NULL;
	uint64_t now = cse_now(c);
	char ri[128];

	if (o->ri)
		snprintf(ri, sizeof ri, "%s", o->ri);
	else
		tree_ri(ri, sizeof ri, o->type, o->parent->id, n.id, false);
	n.ri = ri;
	n.rn = o->rn ? o->rn : ri;
	attributes_set_string(a, "rn", n.rn);
	attributes_set_uint(a, "ty", (uint64_t)o->type);
	attributes_set_string(a, "ri", ri);
	attributes_set_string(a, "pi", o->parent->ri);
	attributes_set_time(a, "ct", now);
	n.counters = o->counters;
	n.counters.modified_ms = now;
	if (!o->counters.used)
		attributes_set_time(a, "lt", now);
	attributes_set_time(a, "et", o->expires ? o->expires : now + 20 * YEARS_5_MS);
	n.label_count = attributes_labels(a, &n.labels);
	attributes_write(a, &text);
	if (n.id > 0 && wr_done(&text, &n.text) && tree_insert(c->tree, &n, &made) == OK) {
		cse_commit_later(c);
		cse_expire_at(c, o->expires);
	} else {
		made = NULL;
	}
	wr_free(&text);
	return made;
}

static void make(struct cse *c, int type, const char *name, const char *members)
{
	struct resource *base = tree_by_id(c->tree, c->base_id), *made = base ? tree_child(c->tree, base, rd_str(name)) : NULL;
	struct json_arena *arena = json_arena_new();
	const struct json *doc;
	struct attributes a;

	if (base && !made && arena && json_parse(arena, rd_str(members), NULL, &doc) == OK) {
		attributes_init(&a, arena, doc);
		made = cse_make_resource(c, &(const struct own_resource){.parent = base, .type = type, .rn = name, .creator = c->config.id, .attributes = &a});
	}
	resource_unref(made);
	resource_unref(base);
	json_arena_free(arena);
}

void cse_make_fixed(struct cse *c)
{
	/* reject: who subscribed for a target decides, unless it says otherwise by a policy of its own */
	make(c, TY_NOTIFICATION_TARGET_POLICY, "defaultNTP", "{\"acn\":2,\"plbl\":\"Default\"}");
	if (c->config.type == CSE_IN)
		make(c, TY_AE_CONTACT_LIST, "AEContactList", "{\"nic\":0}");
}

bool cse_is_fixed(const struct cse *c, const struct resource *r)
{
	return r->parent == c->base_id && ((r->type == TY_NOTIFICATION_TARGET_POLICY && strcmp(r->rn, "defaultNTP") == 0) || r->type == TY_AE_CONTACT_LIST);
}
