/* XML to JSON, TS-0004 clauses 8.3 and 8.4.2. */
#include <stdlib.h>
#include <string.h>

#include "serialization/private.h"
#include "serialization/xml_shape.h"
#include "serialization/xml_tree.h"

struct reader {
	struct json_out out;
	struct complaint *complaint;
	enum err error;
	unsigned depth;
	struct wr text; /* of the element that is being read */
};

static bool fail(struct reader *r, enum err e, const char *why)
{
	if (r->error == OK)
		r->error = complain(r->complaint, e, why);
	return false;
}

/* "m2m:cnt" or "lbl". A document may put everything into oneM2M's namespace by default: then what is known as a member by its bare name is that. */
static bool name_of(struct reader *r, const xmlNode *n, const struct xml_shape *parent, char *name, size_t size)
{
	const char *prefix = n->ns && n->ns->prefix ? (const char *)n->ns->prefix : NULL;
	int len;

	if (xml_is_m2m(n->ns)) {
		bool member = !prefix && xml_shape_member(parent, xml_text(n->name)).type;

		prefix = member ? NULL : "m2m";
	} else if (n->ns && !prefix) {
		return fail(r, ERR_UNSUPPORTED, "an element is in a default namespace that is not oneM2M's");
	}
	len = snprintf(name, size, "%s%s%s", prefix ? prefix : "", prefix ? ":" : "", (const char *)n->name);
	return (len > 0 && (size_t)len < size) || fail(r, ERR_TOO_LONG, "the name of an element is too long");
}

/* Its own text, without that of elements inside. */
static bool text_of(struct reader *r, const xmlNode *parent, struct wr *w, struct rd *text)
{
	wr_reset(w);
	for (const xmlNode *n = parent->children; n; n = n->next) {
		if (n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE)
			wr_rd(w, xml_text(n->content));
		else if (n->type == XML_ENTITY_REF_NODE)
			return fail(r, ERR_UNSUPPORTED, "entities are not used in oneM2M");
	}
	return wr_done(w, text) || fail(r, ERR_TOO_LONG, "the text of an element is too long");
}

/* ---- values ---- */

static void put_scalar(struct reader *r, const char *name, const struct xml_scalar *s)
{
	switch (s->type) {
	case JSON_TRUE:
	case JSON_FALSE:
		json_put_bool(&r->out, name, s->type == JSON_TRUE);
		break;
	case JSON_NUMBER:
		json_put_raw(&r->out, name, s->text);
		break;
	case JSON_STRING:
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		json_put_rd(&r->out, name, s->text);
		break;
	}
}

static void put_text(struct reader *r, const char *name, struct rd text, const struct xml_shape *s)
{
	struct xml_scalar scalar;

	xml_scalar_read(s, text, &scalar);
	put_scalar(r, name, &scalar);
}

/* kw:json: the element's text is the value. */
static bool put_json(struct reader *r, const char *name, struct rd text)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc;
	enum err e = a ? json_parse(a, text, NULL, &doc) : ERR_NO_MEMORY;

	if (e == OK)
		json_put_raw(&r->out, name, doc->source);
	json_arena_free(a);
	return e == OK || fail(r, e, "an element that is marked as JSON holds none");
}

static bool object(struct reader *r, const char *name, const xmlNode *n, const struct xml_shape *s, struct rd text);

static void put_empty(struct reader *r, const char *name, const struct xml_shape *s)
{
	if (!s->global) {
		json_put_null(&r->out, name);
	} else if (xml_shape_is_list(s)) {
		json_array(&r->out, name);
		json_close(&r->out);
	} else if (xml_shape_is_object(s)) {
		json_object(&r->out, name);
		json_close(&r->out);
	} else {
		json_put_string(&r->out, name, "");
	}
}

static bool put_typed(struct reader *r, const char *name, const xmlChar *type, struct rd text)
{
	struct xml_scalar scalar;

	if (!xml_scalar_read_as(xml_text(type), text, &scalar))
		return fail(r, ERR_BAD_VALUE, "the value of an element is not of its xsi:type, or that is not known here");
	put_scalar(r, name, &scalar);
	return true;
}

/* One element, as something that is no list of words. */
static bool value(struct reader *r, const char *name, const xmlNode *n, const struct xml_shape *s)
{
	struct xml_marks m = xml_marks_of(n);
	bool elements = xml_element_from(n->children) != NULL;
	struct rd text;

	if (!text_of(r, n, &r->text, &text))
		return false;
	if (elements && (m.json || m.nil || m.schema_type))
		return fail(r, ERR_MALFORMED, "an element with a marked value has elements inside");
	if (m.nil) {
		json_put_null(&r->out, name);
		return true;
	}
	if (m.json)
		return put_json(r, name, text);
	if (m.schema_type)
		return put_typed(r, name, m.schema_type, text);
	if (elements || m.plain > 0 || (xml_shape_has_content(s) && xml_trim(text).left > 0))
		return object(r, name, n, s, text);
	if (text.left == 0 || (xml_shape_is_object(s) && xml_trim(text).left == 0))
		put_empty(r, name, s);
	else
		put_text(r, name, text, s);
	return true;
}

/* ---- lists ---- */

/* Words with white space between them, of all elements of this name. False: nothing was in there. */
static bool put_words(struct reader *r, struct rd text, const struct xml_shape *item)
{
	bool any = false;

	text = xml_trim(text);
	while (text.left > 0) {
		struct rd word = text;
		uint8_t c;

		word.left = 0;
		for (struct rd rest = text; rd_u8(&rest, &c) && !xml_is_space(c);)
			word.left++;
		put_text(r, NULL, word, item);
		any = true;
		if (!rd_skip(&text, word.left))
			break;
		text = xml_trim(text);
	}
	return any;
}

struct group {
	const xmlNode *first;
	size_t count;
};

static bool is_blank(struct reader *r, const xmlNode *n)
{
	struct rd text;

	return !xml_element_from(n->children) && text_of(r, n, &r->text, &text) && xml_trim(text).left == 0;
}

static bool simple_list(struct reader *r, const char *name, const struct group *g, const struct xml_shape *s)
{
	struct xml_shape item = xml_shape_item(s);
	struct rd text;

	json_array(&r->out, name);
	for (const xmlNode *n = g->first; n; n = g->count > 1 ? xml_next_of(n) : NULL) {
		if (xml_element_from(n->children) || n->properties) { /* no word: the check against the schema will say what is wrong with it */
			if (!value(r, NULL, n, &item))
				return false;
			continue;
		}
		if (!text_of(r, n, &r->text, &text))
			return false;
		(void)put_words(r, text, &item);
	}
	json_close(&r->out);
	return r->error == OK;
}

static bool each(struct reader *r, const char *name, const struct group *g, const struct xml_shape *item)
{
	json_array(&r->out, name);
	for (const xmlNode *n = g->first; n; n = g->count > 1 ? xml_next_of(n) : NULL)
		if (!value(r, NULL, n, item))
			return false;
	json_close(&r->out);
	return true;
}

/* All elements of one name below one parent: one member in JSON. */
static bool group(struct reader *r, const char *name, const struct group *g, const struct xml_shape *s)
{
	struct xml_shape one = *s, item = xml_shape_item(s);

	one.many = false;
	if (g->count == 1 && xml_is_marked(g->first))
		return value(r, name, g->first, s);
	if (s->many)
		return each(r, name, g, &one);
	if (xml_shape_is_list(s) && g->count == 1 && !g->first->properties && is_blank(r, g->first)) {
		put_empty(r, name, s);
		return r->error == OK;
	}
	if (xml_shape_is_simple_list(s))
		return simple_list(r, name, g, s);
	if (xml_shape_is_list(s))
		return each(r, name, g, &item);
	return g->count == 1 ? value(r, name, g->first, s) : each(r, name, g, s);
}

/* ---- objects ---- */

/* The different names among the elements of one parent, each with its number. */
static bool groups_of(struct reader *r, const xmlNode *parent, struct group *groups, size_t *count)
{
	struct group *last = NULL;

	for (const xmlNode *n = xml_element_from(parent->children); n; n = xml_element_from(n->next)) {
		if (!last || !xml_is_same(last->first, n)) {
			last = NULL;
			for (size_t i = 0; i < *count && !last; i++)
				if (xml_is_same(groups[i].first, n))
					last = &groups[i];
		}
		if (last) {
			last->count++;
			continue;
		}
		if (*count == JSON_MEMBERS_MAX)
			return fail(r, ERR_TOO_LONG, "an element has too many different elements inside");
		last = &groups[(*count)++];
		*last = (struct group){n, 1};
	}
	return true;
}

static bool elements(struct reader *r, const xmlNode *n, const struct xml_shape *s)
{
	struct group *groups = calloc(JSON_MEMBERS_MAX, sizeof *groups);
	char name[XML_NAME_MAX + 1];
	size_t count = 0;
	bool ok;

	if (!groups)
		return fail(r, ERR_NO_MEMORY, "out of memory");
	ok = groups_of(r, n, groups, &count);
	for (size_t i = 0; ok && i < count; i++) {
		struct xml_shape inside;

		ok = name_of(r, groups[i].first, s, name, sizeof name);
		inside = xml_shape_member(s, rd_str(name));
		ok = ok && group(r, name, &groups[i], &inside);
	}
	free(groups);
	return ok;
}

static void attributes(struct reader *r, const xmlNode *n, const struct xml_shape *s)
{
	for (const xmlAttr *a = n->properties; a; a = a->next) {
		struct xml_shape inside = xml_shape_member(s, xml_text(a->name));

		if (!a->ns)
			put_text(r, (const char *)a->name, xml_text(xml_attribute_value(a)), &inside);
	}
}

static bool object(struct reader *r, const char *name, const xmlNode *n, const struct xml_shape *s, struct rd text)
{
	struct xml_shape content = xml_shape_member(s, rd_str("val"));
	bool inside = xml_element_from(n->children) != NULL, ok;

	if (r->depth == JSON_DEPTH_MAX)
		return fail(r, ERR_TOO_LONG, "the content is nested too deeply");
	if (inside && xml_trim(text).left > 0)
		return fail(r, ERR_MALFORMED, "an element has both text and elements inside");
	r->depth++;
	json_object(&r->out, name);
	if (!inside && xml_trim(text).left > 0) /* first: the text is the reader's, who goes on with the next */
		put_text(r, "val", text, &content);
	attributes(r, n, s);
	ok = elements(r, n, s);
	json_close(&r->out);
	r->depth--;
	return ok;
}

static bool document(struct reader *r, const xmlNode *root)
{
	struct xml_shape nothing = {0}, s;
	struct group g = {root, 1};
	char name[XML_NAME_MAX + 1];

	if (!name_of(r, root, &nothing, name, sizeof name))
		return false;
	s = xml_shape_root(rd_str(name));
	if (!strchr(name, ':'))
		s = (struct xml_shape){0};
	json_object(&r->out, NULL);
	if (!group(r, name, &g, &s))
		return false;
	json_close(&r->out);
	return true;
}

enum err xml_to_json(struct rd in, struct wr *json, struct complaint *c)
{
	struct reader r = {.out = json_out(json), .complaint = c};
	xmlDocPtr doc = NULL;

	r.error = xml_tree_parse(in, &doc, c);
	if (r.error == OK) {
		r.text = wr_new(in.left + 1);
		(void)document(&r, xmlDocGetRootElement(doc));
		wr_free(&r.text);
	}
	xmlFreeDoc(doc);
	return r.error;
}
