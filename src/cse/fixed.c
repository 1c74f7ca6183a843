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

static void make(struct cse *c, int type, const char *root, const char *name, const char *members)
{
	struct resource *base = tree_by_id(c->tree, c->base_id), *made = base ? tree_child(c->tree, base, rd_str(name)) : NULL;
	struct json_arena *arena = json_arena_new();
	struct wr text = wr_new(8192);
	struct resource_new n = {.parent = base, .type = type, .rn = name, .root = root, .creator = c->config.id};
	const struct json *doc;
	struct attributes a;
	char ri[64];

	if (base && !made && arena && json_parse(arena, rd_str(members), NULL, &doc) == OK) {
		n.id = tree_new_id(c->tree);
		tree_ri(ri, sizeof ri, type, base->id, n.id, false);
		attributes_init(&a, arena, doc);
		attributes_set_string(&a, "rn", name);
		attributes_set_uint(&a, "ty", (uint64_t)type);
		attributes_set_string(&a, "ri", ri);
		attributes_set_string(&a, "pi", base->ri);
		attributes_set_time(&a, "ct", cse_now(c));
		attributes_set_time(&a, "lt", cse_now(c));
		attributes_set_time(&a, "et", cse_now(c) + 20 * YEARS_5_MS);
		attributes_write(&a, &text);
		if (n.id > 0 && wr_done(&text, &n.text) && tree_insert(c->tree, &n, &made) == OK)
			cse_commit_later(c);
	}
	resource_unref(made);
	resource_unref(base);
	wr_free(&text);
	json_arena_free(arena);
}

void cse_make_fixed(struct cse *c)
{
	make(c, TY_NOTIFICATION_TARGET_POLICY, "m2m:ntp", "defaultNTP", "{\"acn\":1,\"plbl\":\"Default\"}");
	if (c->config.type == CSE_IN)
		make(c, TY_AE_CONTACT_LIST, "m2m:alst", "AEContactList", "{}");
}

bool cse_is_fixed(const struct cse *c, const struct resource *r)
{
	return r->parent == c->base_id && ((r->type == TY_NOTIFICATION_TARGET_POLICY && strcmp(r->rn, "defaultNTP") == 0) || r->type == TY_AE_CONTACT_LIST);
}
