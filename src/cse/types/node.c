/* node: TS-0001 clause 9.6.18, TS-0004 clause 7.4.18. What is hosted on a node names it (nodeLink), and the node names that back: AEs, flexContainers of
 * services, and one CSE. The CSE keeps the two ends together, whichever changes. */
#include <stdlib.h>
#include <string.h>

#include "cse/types/types.h"

struct link {
	const char *attribute; /* of the node */
	bool list;
	char id[CSE_ID_MAX];
	bool add;
};

/* What the node calls it; false for a type that no node hosts. */
static bool link_of(struct resource *hosted, struct link *l)
{
	l->list = hosted->type == TY_AE || hosted->type == TY_FLEX_CONTAINER;
	switch (hosted->type) {
	case TY_AE:
		l->attribute = "hael";
		break;
	case TY_FLEX_CONTAINER:
		l->attribute = "hsl";
		break;
	case TY_REMOTE_CSE:
		l->attribute = "hcl";
		return json_text(resource_get(hosted, "csi"), l->id, sizeof l->id);
	default:
		return false;
	}
	return rd_text(rd_str(hosted->ri), l->id, sizeof l->id);
}

static void change_list(struct attributes *a, const struct link *l)
{
	const struct json *old = attributes_value(a, l->attribute), *list;
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	struct rd text;

	json_array(&o, NULL);
	for (const struct json *e = old && old->type == JSON_ARRAY ? old->first : NULL; e; e = e->next)
		if (!json_is_string(e, l->id))
			json_put(&o, NULL, e);
	if (l->add)
		json_put_string(&o, NULL, l->id);
	json_close(&o);
	if (wr_done(&w, &text) && json_parse(a->arena, text, NULL, &list) == OK) {
		if (list->count > 0)
			attributes_set_json(a, l->attribute, list);
		else
			attributes_remove(a, l->attribute);
	}
	wr_free(&w);
}

static void change(void *ctx, struct attributes *a)
{
	const struct link *l = ctx;

	if (l->list)
		change_list(a, l);
	else if (l->add)
		attributes_set_string(a, l->attribute, l->id);
	else if (json_is_string(attributes_value(a, l->attribute), l->id))
		attributes_remove(a, l->attribute);
}

/* The node that it names, if that is here; 0: none. */
static int64_t node_of(struct cse *c, struct resource *hosted)
{
	struct resource *node;
	int64_t id = 0;
	struct rd nl;

	if (!hosted || !json_string(resource_get(hosted, "nl"), &nl))
		return 0;
	node = cse_find_address(c, nl);
	if (node && node->type == TY_NODE)
		id = node->id;
	resource_unref(node);
	return id;
}

static void edit(struct cse *c, int64_t id, cse_edit *fn, void *ctx)
{
	enum err e = cse_edit_resource(c, id, true, fn, ctx);

	if (e != OK && e != ERR_NOT_FOUND)
		c->round_broken = true;
}

void node_links_changed(struct cse *c, struct resource *was, struct resource *is)
{
	struct resource *hosted = is ? is : was;
	int64_t from, to;
	struct link l;

	if (!link_of(hosted, &l))
		return;
	from = node_of(c, was);
	to = node_of(c, is);
	if (from == to)
		return;
	l.add = false;
	if (from)
		edit(c, from, change, &l);
	l.add = true;
	if (to)
		edit(c, to, change, &l);
}

/* ---- the node's end ---- */

static void unlink_node(void *ctx, struct attributes *a)
{
	(void)ctx;
	attributes_remove(a, "nl");
}

static void let_go(struct cse *c, int64_t node, const struct json *id)
{
	struct resource *hosted = NULL;

	if (!id || id->type != JSON_STRING)
		return;
	if (rd_starts(id->text, "/"))
		hosted = tree_by_ri(c->tree, rd_of(id->text.at + 1, id->text.left - 1));
	else
		hosted = cse_find_address(c, id->text);
	if (hosted && node_of(c, hosted) == node)
		edit(c, hosted->id, unlink_node, NULL);
	resource_unref(hosted);
}

static void node_removed(struct cse *c, struct resource *r)
{
	static const char *const lists[] = {"hael", "hsl"};

	for (size_t i = 0; i < 2; i++) {
		const struct json *list = resource_get(r, lists[i]);

		for (const struct json *e = list ? list->first : NULL; e; e = e->next)
			let_go(c, r->id, e);
	}
	let_go(c, r->id, resource_get(r, "hcl"));
}

const struct type_hooks hooks_node = {.type = TY_NODE, .removed = node_removed};
