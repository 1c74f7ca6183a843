/* UPDATE and DELETE: TS-0004 clauses 7.2.2.3 and 7.2.2.4. */
#include <stdio.h>
#include <string.h>

#include "cse/private.h"
#include "onem2m/timestamp.h"

/* Old attributes, with the request's in their place; null takes one away. */
static void merge(struct exchange *x, const struct json *old, const struct json *change, struct json_out *o)
{
	char stamp[TIMESTAMP_SIZE], name[STORE_NAME];
	uint64_t st;

	timestamp_print(stamp, x->cse->transport.unix_ms(x->cse->transport.transport));
	json_object(o, NULL);
	for (const struct json *m = old->first; m; m = m->next) {
		const struct json *with;

		if (!rd_text(m->key, name, sizeof name))
			continue;
		with = json_get(change, name);
		if (strcmp(name, "lt") == 0)
			json_put_string(o, name, stamp);
		else if (strcmp(name, "st") == 0 && json_uint(m, &st))
			json_put_uint(o, name, st + 1);
		else if (!with)
			json_put(o, name, m);
		else if (with->type != JSON_NULL)
			json_put(o, name, with);
	}
	for (const struct json *m = change->first; m; m = m->next)
		if (m->type != JSON_NULL && rd_text(m->key, name, sizeof name) && !json_get(old, name))
			json_put(o, name, m);
	json_close(o);
}

/* Changing acpi needs the policies' own permission, not the resource's. */
static bool may_update(struct exchange *x)
{
	return cse_permits(x, &x->target, ACOP_UPDATE);
}

static void store_change(struct exchange *x, const struct json *change)
{
	struct wr w = wr_new(CSE_BODY_MAX), answer = wr_new(CSE_BODY_MAX * 2);
	struct json_out o = json_out(&w);
	struct store_row updated = x->target;
	const struct json *old;
	struct rd content = rd_of("", 0);

	if (json_parse(x->arena, x->target.body, NULL, &old) != OK) {
		exchange_fail(x, RSC_INTERNAL_SERVER_ERROR, "the stored resource is damaged");
		goto out;
	}
	merge(x, old, change, &o);
	if (!wr_done(&w, &updated.body) || store_update(x->cse->store, x->target.id, updated.body) != OK) {
		exchange_fail(x, RSC_INTERNAL_SERVER_ERROR, "the change could not be stored");
		goto out;
	}
	x->cse->counts.updated++;
	cse_event(x->cse, &updated, EVENT_UPDATE, &updated);
	if (x->rq->rcn != 0) {
		content_of(&updated, &answer);
		if (!wr_done(&answer, &content))
			content = rd_of("", 0);
	}
	exchange_answer(x, RSC_UPDATED, content, rd_str(""));
out:
	wr_free(&answer);
	wr_free(&w);
}

void cse_update(struct exchange *x)
{
	const struct onem2m_type_rules *rules = onem2m_rules(x->target.type);
	char root[STORE_NAME], why[256];
	const struct json *doc;
	size_t where = 0;

	if (!rules || x->target.type == ONEM2M_CONTENT_INSTANCE || x->target.type == ONEM2M_CSE_BASE) {
		exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "this resource cannot be updated");
		return;
	}
	if (!may_update(x)) {
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s may not update this", x->from);
		return;
	}
	if (json_parse(x->arena, x->rq->content, &where, &doc) != OK) {
		exchange_fail(x, RSC_BAD_REQUEST, "the content is no JSON: error at octet %zu", where);
		return;
	}
	if (doc->type != JSON_OBJECT || doc->count != 1 || doc->first->type != JSON_OBJECT || !rd_text(doc->first->key, root, sizeof root) ||
	    json_depth(doc->first) > CSE_DEPTH_MAX || strcmp(root, x->target.root) != 0) {
		exchange_fail(x, RSC_BAD_REQUEST, "the content must be one object, not too deep, under `%s`", x->target.root);
		return;
	}
	if (!onem2m_check(rules, doc->first, false, why, sizeof why)) {
		exchange_fail(x, RSC_BAD_REQUEST, "%s", why);
		return;
	}
	store_change(x, doc->first);
}

/* A container forgets the size of an instance that is deleted. */
static void uncount(struct exchange *x, const struct store_row *parent)
{
	static const char *const names[] = {"cni", "cbs"};
	const struct json *container, *instance;
	struct wr w = wr_new(CSE_BODY_MAX);
	uint64_t values[2] = {0, 0}, size = 0;
	struct rd body;

	if (json_parse(x->arena, parent->body, NULL, &container) == OK && json_parse(x->arena, x->target.body, NULL, &instance) == OK &&
	    json_uint(json_get(container, "cni"), &values[0]) && json_uint(json_get(container, "cbs"), &values[1]) && json_uint(json_get(instance, "cs"), &size)) {
		values[0] -= values[0] > 0;
		values[1] -= size < values[1] ? size : values[1];
		body = uint_attribute_set(x->cse, parent, names, values, 2, &w);
		if (body.at && store_update(x->cse->store, parent->id, body) != OK)
			x->cse->counts.refused++;
	}
	wr_free(&w);
}

void cse_delete(struct exchange *x)
{
	struct cse *c = x->cse;
	struct store_row parent;
	struct wr w = wr_new(CSE_BODY_MAX * 2);
	struct rd content = rd_of("", 0);

	if (x->target.type == ONEM2M_CSE_BASE) {
		exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "the CSEBase cannot be deleted");
	} else if (!cse_permits(x, &x->target, ACOP_DELETE)) {
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s may not delete this", x->from);
	} else {
		cse_event(c, &x->target, EVENT_DELETE, &x->target);
		if (store_by_id(c->store, x->target.parent, &parent) == OK) {
			if (x->target.type == ONEM2M_CONTENT_INSTANCE && parent.type == ONEM2M_CONTAINER)
				uncount(x, &parent);
			cse_event(c, &parent, EVENT_CHILD_DELETE, &x->target);
			store_row_clear(&parent);
		}
		if (store_delete(c->store, x->target.id) != OK) {
			exchange_fail(x, RSC_INTERNAL_SERVER_ERROR, "the resource could not be deleted");
		} else {
			c->counts.deleted++;
			if (x->rq->rcn == 1)
				content_of(&x->target, &w);
			if (!wr_done(&w, &content))
				content = rd_of("", 0);
			exchange_answer(x, RSC_DELETED, content, rd_str(""));
		}
	}
	wr_free(&w);
}
