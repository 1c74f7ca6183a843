/* Clients of Release 1 and their heirs. They send no release version indicator, register without supportedReleaseVersions, name their
 * applications as they like, begin or end addresses with a slash, and write numbers and truth values as strings, because that is what their XML had. What they mean is
 * unambiguous: it is put into today's form before anything looks at it. Off unless the configuration says otherwise. */
#include "cse/release1.h"

#include <string.h>

bool release1_is(const struct exchange *x)
{
	return x->rq->release.left == 0 && !x->rq->internal && !x->rq->genuine && x->cse->config.release_1;
}

/* "/cse-in/a" was CSE-relative, where no CSE-ID could be meant. */
static struct rd without_slash(const struct cse *c, struct rd to)
{
	struct rd behind = to, path, first;
	uint8_t slash;

	if (!rd_u8(&behind, &slash) || slash != '/')
		return to;
	path = behind;
	if (!rd_until(&path, '/', &first))
		first = rd_rest(&path);
	return rd_is(first, c->config.name) && !rd_is(first, c->config.id + 1) ? behind : to;
}

void release1_address(struct exchange *x)
{
	struct rd to = without_slash(x->cse, x->rq->to);
	struct onem2m_request *rq;

	if (to.left > 1 && to.at[to.left - 1] == '/')
		to.left--;
	if (to.left == x->rq->to.left || (rq = json_arena_alloc(x->arena, sizeof *rq)) == NULL)
		return;
	*rq = *x->rq;
	rq->to = to;
	x->rq = rq;
}

static bool is_number(struct rd text, bool whole)
{
	bool digits = false;
	uint8_t c;

	while (rd_u8(&text, &c)) {
		digits = digits || (c >= '0' && c <= '9');
		if ((c < '0' || c > '9') && (c != '-' || digits) && (c != '.' || whole || !digits))
			return false;
	}
	return digits;
}

static void put_truth(struct json_out *o, const char *name, const struct json *v)
{
	if (rd_is(v->text, "true") || rd_is(v->text, "TRUE") || rd_is(v->text, "1"))
		json_put_bool(o, name, true);
	else if (rd_is(v->text, "false") || rd_is(v->text, "FALSE") || rd_is(v->text, "0"))
		json_put_bool(o, name, false);
	else
		json_put(o, name, v);
}

static void put_value(struct json_out *o, const char *name, const struct schema_datatype *t, const struct json *v);

static void put_members(struct json_out *o, const struct schema_datatype *t, const struct json *object)
{
	char name[128];

	for (const struct json *m = object->first; m; m = m->next) {
		const struct schema_member *known = t->members;

		if (!rd_text(m->key, name, sizeof name))
			continue; /* refused as unknown anyway, were it written */
		while (known && known->name && strcmp(known->name, name) != 0)
			known++;
		if (known && known->name)
			put_value(o, name, known->type, m);
		else
			json_put(o, name, m);
	}
}

static void put_list(struct json_out *o, const char *name, const struct schema_datatype *t, const struct json *v)
{
	json_array(o, name);
	if (v->type == JSON_ARRAY)
		for (const struct json *i = v->first; i; i = i->next)
			put_value(o, NULL, t->item, i);
	else
		put_value(o, NULL, t->item, v);
	json_close(o);
}

static void put_value(struct json_out *o, const char *name, const struct schema_datatype *t, const struct json *v)
{
	bool number = t->kind == SCHEMA_INTEGER || t->kind == SCHEMA_ENUM || t->kind == SCHEMA_FLOAT;

	if (t->kind == SCHEMA_LIST && v->type != JSON_NULL) {
		put_list(o, name, t, v);
	} else if (t->kind == SCHEMA_OBJECT && v->type == JSON_OBJECT) {
		json_object(o, name);
		put_members(o, t, v);
		json_close(o);
	} else if (t->kind == SCHEMA_BOOL && v->type == JSON_STRING) {
		put_truth(o, name, v);
	} else if (number && v->type == JSON_STRING && is_number(v->text, t->kind != SCHEMA_FLOAT)) {
		json_put_raw(o, name, v->text);
	} else {
		json_put(o, name, v);
	}
}

/* contentInfo had no encoding yet; what is no media type at all says nothing. */
static void put_content_info(struct exchange *x, struct json_out *o, const struct json *v, const struct schema_datatype *t)
{
	static const char plain[] = ":0";
	struct schema_fault fault;
	uint8_t *text;
	struct json s = *v;

	if (v->type != JSON_STRING || schema_check_value(t, v, "cnf", &fault)) {
		json_put(o, "cnf", v);
		return;
	}
	text = json_arena_alloc(x->arena, v->text.left + sizeof plain - 1);
	if (!text)
		return;
	memcpy(text, v->text.at, v->text.left);
	memcpy(text + v->text.left, plain, sizeof plain - 1);
	s.text = rd_of(text, v->text.left + sizeof plain - 1);
	if (schema_check_value(t, &s, "cnf", &fault))
		json_put_rd(o, "cnf", s.text);
}

static void put_attributes(struct exchange *x, struct json_out *o, const struct schema_type *type, const struct json *given)
{
	char name[128];

	for (const struct json *m = given->first; m; m = m->next) {
		const struct schema_attribute *a = schema_attribute(type, m->key);

		if (!rd_text(m->key, name, sizeof name))
			continue;
		if (a && a->type->kind == SCHEMA_CONTENT_INFO)
			put_content_info(x, o, m, a->type);
		else if (a)
			put_value(o, name, a->type, m);
		else
			json_put(o, name, m);
	}
	if (x->rq->operation != ONEM2M_CREATE || (type->ty != TY_AE && type->ty != TY_REMOTE_CSE) || json_get(given, "srv"))
		return;
	json_array(o, "srv");
	json_put_string(o, NULL, "1");
	json_close(o);
}

const struct json *release1_content(struct exchange *x, const struct json *doc)
{
	const struct schema_type *type = schema_by_root(doc->first->key);
	const struct json *content = doc;
	struct wr w = wr_new(CSE_BODY_MAX * 2);
	struct json_out o = json_out(&w);
	struct rd text;
	uint8_t *copy;

	if (type && doc->first->type == JSON_OBJECT) {
		json_object(&o, NULL);
		json_object(&o, type->root);
		put_attributes(x, &o, type, doc->first);
		json_close(&o);
		json_close(&o);
	}
	/* what cannot be put into today's form is judged as it came */
	if (wr_done(&w, &text) && text.left > 0 && (copy = json_arena_alloc(x->arena, text.left)) != NULL) {
		memcpy(copy, text.at, text.left);
		if (json_parse(x->arena, rd_of(copy, text.left), NULL, &content) != OK)
			content = doc;
	}
	wr_free(&w);
	return content;
}
