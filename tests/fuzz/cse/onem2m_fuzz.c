/* Identities: one that stands for an ID may use it, in all its forms, and no other; a CSE has no slash in its ID but the first.
 * Resources: what passes the check of a type has what the type demands, and nothing that it does not know. Input: identity, From, and JSON, each
 * behind a line end. */
#include <stdio.h>
#include <string.h>

#include "onem2m/identity.h"
#include "onem2m/types.h"
#include "../fuzz.h"

#define SP "keyway.example"
#define AT "/id-mn"

static void identities(struct rd identity_text, struct rd from)
{
	char identity[FUZZ_INPUT_MAX], id[IDENTITY_MAX], claim[2 * IDENTITY_MAX];
	bool any;

	if (!rd_text(identity_text, identity, sizeof identity))
		return;
	any = identity_to_id(identity, SP, id, sizeof id);
	if (!any) {
		MUST(!identity_may_be(identity, SP, AT, from));
		return;
	}
	MUST(id[0] == '/' && id[1] != '/' && memchr(id, '\0', sizeof id));
	MUST(strncmp(identity, "m2m://", 6) == 0 || !strchr(id + 1, '/'));
	MUST(identity_may_be(identity, SP, AT, rd_str(id)));
	snprintf(claim, sizeof claim, "//%s%s", SP, id);
	if (strlen(claim) < IDENTITY_MAX)
		MUST(identity_may_be(identity, SP, AT, rd_str(claim)));
	snprintf(claim, sizeof claim, "%s1", id);
	MUST(!identity_may_be(identity, SP, AT, rd_str(claim)));
	if (identity_may_be(identity, SP, AT, from)) {
		MUST(from.left > 0 && from.left <= strlen(id) + 2 + strlen(SP));
		MUST(memcmp(from.at + from.left - 1, id + strlen(id) - 1, 1) == 0);
	}
}

static bool known(const struct onem2m_type_rules *r, struct rd name)
{
	static const char *const common[] = {"rn", "et", "lbl", "acpi", "at", "aa", "daci"};

	for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
		if (rd_is(name, common[i]))
			return true;
	for (const struct onem2m_attribute *a = r->attributes; a->name; a++)
		if (rd_is(name, a->name))
			return a->create != ATTRIBUTE_NP || a->update != ATTRIBUTE_NP;
	return r->custom && !rd_is(name, "ri") && !rd_is(name, "ty") && !rd_is(name, "pi") && !rd_is(name, "ct") && !rd_is(name, "lt") && !memchr(name.at, ':', name.left);
}

static void resource(const struct json *doc)
{
	for (int type = 0; type < 40; type++) {
		const struct onem2m_type_rules *r = onem2m_rules(type);
		char why[64] = "";

		for (int create = 0; r && create < 2; create++) {
			if (!onem2m_check(r, doc, create, why, sizeof why)) {
				MUST(why[0] && memchr(why, '\0', sizeof why));
				continue;
			}
			for (const struct json *m = doc->first; m; m = m->next)
				MUST(known(r, m->key));
			for (const struct onem2m_attribute *a = r->attributes; a->name; a++)
				MUST(a->create != ATTRIBUTE_MANDATORY || (create ? json_get(doc, a->name) != NULL : !json_get(doc, a->name) || json_get(doc, a->name)->type != JSON_NULL || a->kind == ATTRIBUTE_ANY));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_arena *arena = json_arena_new();
	struct rd in = rd_of(data, size), identity, from;
	const struct json *doc;

	if (size <= FUZZ_INPUT_MAX && rd_line(&in, &identity) && rd_line(&in, &from)) {
		identities(identity, from);
		if (json_parse(arena, in, NULL, &doc) == OK && doc->type == JSON_OBJECT)
			resource(doc);
	}
	json_arena_free(arena);
	return 0;
}
