/* Groups whose members could not all be asked for their type are looked at again when the members' CSE shows itself: TS-0001 clause 10.2.7.1. */
#include <stdlib.h>
#include <string.h>

#include "cse/types/group.h"
#include "cse/types/types.h"

#define AT_ONCE 64

struct unvalidated {
	const char *csi;
	int64_t ids[AT_ONCE];
	size_t count;
};

static bool is_of(const struct json *member, const char *csi)
{
	size_t n = strlen(csi);

	return member->type == JSON_STRING && rd_starts(member->text, csi) && member->text.left > n && member->text.at[n] == '/';
}

static bool collect(void *ctx, struct resource *group)
{
	struct unvalidated *k = ctx;
	const struct json *mid;

	if (resource_bool(group, "mtv", true))
		return true;
	mid = resource_get(group, "mid");
	for (const struct json *m = mid ? mid->first : NULL; m; m = m->next) {
		if (is_of(m, k->csi)) {
			k->ids[k->count++] = group->id;
			break;
		}
	}
	return k->count < AT_ONCE;
}

struct again {
	struct cse *cse;
	int64_t id;
};

/* A group that abandons itself for a member of another type does so now too. */
static void on_validated(void *ctx, const struct onem2m_response *rsp)
{
	struct again *k = ctx;
	struct resource *group = rsp->rsc == RSC_GROUP_MEMBER_TYPE_INCONSISTENT ? tree_by_id(k->cse->tree, k->id) : NULL;

	if (group && cse_delete_subtree(k->cse, group, true) != OK)
		k->cse->counts.refused++;
	if (group)
		cse_commit_later(k->cse);
	resource_unref(group);
	free(k);
}

/* An update with the members that it has goes through the same checks; asked for by whoever made the group. */
static void validate(struct cse *c, struct resource *group)
{
	struct onem2m_request rq = {.operation = ONEM2M_UPDATE, .rcn = 0, .internal = true};
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	struct again *k = calloc(1, sizeof *k);

	if (!k)
		abort();
	*k = (struct again){c, group->id};
	json_object(&o, NULL);
	json_object(&o, "m2m:grp");
	json_put(&o, "mid", resource_get(group, "mid"));
	json_close(&o);
	json_close(&o);
	rq.to = rd_str(group->ri);
	rq.from = rd_str(group->creator);
	rq.request_id = rd_str("group");
	rq.release = rd_str("3");
	if (wr_done(&w, &rq.content))
		cse_request(c, &rq, on_validated, k);
	else
		free(k);
	wr_free(&w);
}

void group_cse_is_there(struct cse *c, const char *csi)
{
	struct unvalidated k = {.csi = csi};

	if (tree_by_type(c->tree, TY_GROUP, collect, &k) != OK)
		c->counts.refused++;
	for (size_t i = 0; i < k.count; i++) {
		struct resource *group = tree_by_id(c->tree, k.ids[i]);

		if (group)
			validate(c, group);
		resource_unref(group);
	}
}
