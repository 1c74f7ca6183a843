#include "cse/customs.h"

#include <string.h>

/* ---- notificationContentType as a criterion ---- */

static void put_but(struct json_out *o, const struct json *object, const char *left_out)
{
	char name[128];

	for (const struct json *m = object->first; m; m = m->next)
		if (rd_text(m->key, name, sizeof name) && strcmp(name, left_out) != 0)
			json_put(o, name, m);
}

/* {enc: {net, nct}} is {enc: {net}, nct}. */
static void put_subscription(struct json_out *o, const struct json *sub)
{
	const struct json *enc = json_get(sub, "enc");

	json_object(o, NULL);
	json_object(o, "m2m:sub");
	put_but(o, sub, "enc");
	json_object(o, "enc");
	put_but(o, enc, "nct");
	json_close(o);
	if (!json_get(sub, "nct"))
		json_put(o, "nct", json_get(enc, "nct"));
	json_close(o);
	json_close(o);
}

static const struct json *take_nct_out(struct exchange *x, const struct json *doc)
{
	struct wr w = wr_new(CSE_BODY_MAX * 2);
	struct json_out o = json_out(&w);
	const struct json *content = doc;
	struct rd text;
	uint8_t *copy;

	put_subscription(&o, doc->first);
	if (wr_done(&w, &text) && (copy = json_arena_alloc(x->arena, text.left)) != NULL) {
		memcpy(copy, text.at, text.left);
		if (json_parse(x->arena, rd_of(copy, text.left), NULL, &content) != OK)
			content = doc;
	}
	wr_free(&w);
	return content;
}

/* ---- coordinates ---- */

static bool has_whole_number(const struct json *v)
{
	int64_t n;

	if (json_int(v, &n))
		return true;
	for (const struct json *e = v->type == JSON_ARRAY ? v->first : NULL; e; e = e->next)
		if (has_whole_number(e))
			return true;
	return false;
}

static bool location_is_good(struct exchange *x, const struct json *loc)
{
	const struct json *crd = json_get(loc, "crd"), *list;

	if (!crd || crd->type != JSON_STRING || json_parse(x->arena, crd->text, NULL, &list) != OK || !has_whole_number(list))
		return true;
	exchange_fail(x, RSC_BAD_REQUEST, "`loc.crd`: coordinates have a decimal point here, such as [8.0, 49.0]");
	return false;
}

const struct json *customs_content(struct exchange *x, const struct json *doc)
{
	const struct json *given = doc->first;

	if (given->type != JSON_OBJECT)
		return doc;
	if (rd_is(given->key, "m2m:sub") && json_path(given, "enc.nct"))
		return take_nct_out(x, doc);
	return location_is_good(x, json_get(given, "loc")) ? doc : NULL;
}
