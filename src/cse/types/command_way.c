/* By which management objects the commands are done, and where: TS-0004 clauses 7.4.16 and D. */
#include "cse/types/mgmt_cmd.h"
#include "cse/types/mgmt_obj.h"

static const struct command_way ways[] = {
	[COMMAND_RESET] = {"rst", MGD_REBOOT, "far", NULL, NULL, false, false},
	[COMMAND_REBOOT] = {"rbo", MGD_REBOOT, "rbo", NULL, NULL, false, false},
	[COMMAND_UPLOAD] = {"uld", 0, NULL, NULL, NULL, true, false},
	[COMMAND_DOWNLOAD] = {"dld", MGD_FIRMWARE, "ud", NULL, NULL, true, true},
	[COMMAND_SOFTWARE_INSTALL] = {"swin", MGD_SOFTWARE, "in", "url", "url", true, false},
	[COMMAND_SOFTWARE_UNINSTALL] = {"swun", MGD_SOFTWARE, "un", "uuid", "swn", true, false},
	[COMMAND_SOFTWARE_UPDATE] = {"swup", MGD_SOFTWARE, "in", "uuid", "swn", true, true},
};

struct looking {
	const struct command_way *way;
	const struct json *arguments;
	struct resource *found;
};

static bool look(void *ctx, struct resource *r)
{
	struct looking *l = ctx;
	struct rd wanted;

	if (!r->schema || r->schema->mgd != l->way->mgd)
		return true;
	if (l->way->name && (!json_string(json_get(l->arguments, l->way->key), &wanted) || !resource_get(r, l->way->name) ||
	        !rd_equal(resource_get(r, l->way->name)->text, wanted)))
		return true;
	l->found = resource_ref(r);
	return false;
}

const struct command_way *command_way(const struct json *cmt)
{
	uint64_t n;

	return json_uint(cmt, &n) && n >= COMMAND_RESET && n <= COMMAND_SOFTWARE_UPDATE ? &ways[n] : NULL;
}

const struct json *command_arguments(const struct json *exra, const struct command_way *w)
{
	return json_at(json_get(exra, w->arguments), 0);
}

struct resource *command_object(struct cse *c, struct resource *node, const struct command_way *w, const struct json *exra)
{
	struct looking l = {w, command_arguments(exra, w), NULL};

	if (!node || w->mgd == 0 || tree_children(c->tree, node, TY_MGMT_OBJ, false, look, &l) != OK)
		return NULL;
	return l.found;
}

struct finding {
	struct rd id;
	struct resource *found;
};

static bool has_node_id(void *ctx, struct resource *r)
{
	struct finding *f = ctx;
	struct rd ni;

	if (!json_string(resource_get(r, "ni"), &ni) || !rd_equal(ni, f->id))
		return true;
	f->found = resource_ref(r);
	return false;
}

struct resource *command_target(struct cse *c, const struct json *ext)
{
	struct finding f = {.found = NULL};
	struct resource *r;

	if (!json_string(ext, &f.id))
		return NULL;
	r = cse_find_address(c, f.id);
	if (r && (r->type == TY_NODE || r->type == TY_GROUP))
		return r;
	resource_unref(r);
	if (tree_by_type(c->tree, TY_NODE, has_node_id, &f) != OK)
		return NULL;
	return f.found;
}
