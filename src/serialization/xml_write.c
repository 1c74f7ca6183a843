/* JSON to XML, TS-0004 clause 8.3. What XML's own forms cannot carry goes as JSON text, marked; docs/protocols/serialization.md. */
#include <string.h>

#include "base/bytes.h"
#include "serialization/private.h"
#include "serialization/xml_shape.h"

/* Prefixes that the document's root must declare. */
struct writer {
	struct wr w;
	bool typed, marked;
};

/* ---- text ---- */

/* The Char of XML 1.0; text is UTF-8 already. */
static bool is_xml_text(struct rd text)
{
	for (size_t i = 0; i < text.left; i++) {
		if (text.at[i] < 0x20 && !xml_is_space(text.at[i]))
			return false;
		if (text.at[i] == 0xef && text.left - i >= 3 && text.at[i + 1] == 0xbf && text.at[i + 2] >= 0xbe)
			return false; /* U+FFFE, U+FFFF */
	}
	return true;
}

/* White space is written by number where a parser would make something else of it. */
static void put_text(struct wr *w, struct rd text, bool in_attribute)
{
	uint8_t c;

	while (rd_u8(&text, &c)) {
		if (c == '&')
			wr_str(w, "&amp;");
		else if (c == '<')
			wr_str(w, "&lt;");
		else if (c == '>')
			wr_str(w, "&gt;");
		else if (c == '"' && in_attribute)
			wr_str(w, "&quot;");
		else if (c == '\r' || (in_attribute && (c == '\n' || c == '\t')))
			wr_fmt(w, "&#%d;", c);
		else
			wr_u8(w, c);
	}
}

/* JSON text in which U+FFFE and U+FFFF, that stand nowhere but in strings, are escaped: XML has them not. */
static void put_json(struct wr *w, struct rd json)
{
	while (json.left > 0) {
		size_t n = utf8_length(json);
		struct rd one;

		if (!rd_sub(&json, n ? n : 1, &one))
			return;
		if (is_xml_text(one))
			put_text(w, one, false);
		else
			wr_str(w, one.at[2] == 0xbe ? "\\ufffe" : "\\uffff");
	}
}

/* ---- names ---- */

static bool is_name(struct rd name)
{
	uint8_t c;

	for (bool first = true; rd_u8(&name, &c); first = false) {
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

		if (!letter && (first || !((c >= '0' && c <= '9') || c == '-' || c == '.')))
			return false;
	}
	return true;
}

/* A name with or without prefix that an element can have. Prefixes that XML or this file means otherwise are not for content. */
static bool is_element_name(struct rd name, struct rd *prefix)
{
	struct rd rest = name;

	*prefix = rd_of("", 0);
	if (name.left > XML_NAME_MAX)
		return false;
	if (!rd_until(&rest, ':', prefix))
		return name.left > 0 && is_name(name);
	if (prefix->left == 0 || rest.left == 0 || !is_name(*prefix) || !is_name(rest))
		return false;
	return !(prefix->left >= 3 && (prefix->at[0] | 0x20) == 'x' && (prefix->at[1] | 0x20) == 'm' && (prefix->at[2] | 0x20) == 'l') && !rd_is(*prefix, "xsi") &&
	    !rd_is(*prefix, "xs") && !rd_is(*prefix, "kw");
}

/* Domains of TS-0023 have their namespaces below that of oneM2M. */
static void put_namespace(struct wr *w, struct rd prefix)
{
	if (prefix.left == 0 || rd_is(prefix, "m2m"))
		return; /* the root declares it */
	wr_str(w, " xmlns:");
	wr_rd(w, prefix);
	wr_str(w, "=\"" XML_NAMESPACE_M2M "/");
	if (rd_is(prefix, "hd"))
		wr_str(w, "homedomain");
	else
		wr_rd(w, prefix);
	wr_u8(w, '"');
}

static void open_tag(struct writer *x, struct rd name)
{
	struct rd prefix;

	wr_u8(&x->w, '<');
	wr_rd(&x->w, name);
	if (is_element_name(name, &prefix))
		put_namespace(&x->w, prefix);
}

static void close_tag(struct writer *x, struct rd name)
{
	wr_str(&x->w, "</");
	wr_rd(&x->w, name);
	wr_u8(&x->w, '>');
}

/* ---- values ---- */

static struct rd scalar_text(const struct json *v)
{
	if (v->type == JSON_TRUE || v->type == JSON_FALSE)
		return rd_str(v->type == JSON_TRUE ? "true" : "false");
	return v->text;
}

static bool is_scalar(const struct json *v)
{
	return v->type == JSON_STRING || v->type == JSON_NUMBER || v->type == JSON_TRUE || v->type == JSON_FALSE;
}

/* Whether the reader will make the same of its text. */
static bool is_plain(const struct json *v, const struct xml_shape *s)
{
	struct rd text = scalar_text(v);
	struct xml_scalar back;

	if (!is_scalar(v) || text.left == 0 || !is_xml_text(text))
		return false;
	xml_scalar_read(s, text, &back);
	return back.type == v->type && (v->type == JSON_TRUE || v->type == JSON_FALSE || rd_equal(back.text, text));
}

static void as_json(struct writer *x, struct rd name, const struct json *v)
{
	x->marked = true;
	open_tag(x, name);
	wr_str(&x->w, " kw:json=\"true\">");
	put_json(&x->w, v->source);
	close_tag(x, name);
}

static void typed(struct writer *x, struct rd name, const struct json *v, const char *type)
{
	x->typed = true;
	open_tag(x, name);
	wr_fmt(&x->w, " xsi:type=\"xs:%s\">", type);
	put_text(&x->w, scalar_text(v), false);
	close_tag(x, name);
}

static bool is_integer(struct rd number)
{
	return !memchr(number.at, '.', number.left) && !memchr(number.at, 'e', number.left) && !memchr(number.at, 'E', number.left);
}

static void scalar(struct writer *x, struct rd name, const struct json *v, const struct xml_shape *s)
{
	if (is_plain(v, s) && !xml_shape_is_object(s)) {
		open_tag(x, name);
		wr_u8(&x->w, '>');
		put_text(&x->w, scalar_text(v), false);
		close_tag(x, name);
	} else if (v->type == JSON_STRING && is_xml_text(v->text)) {
		typed(x, name, v, "string");
	} else if (v->type == JSON_NUMBER) {
		typed(x, name, v, is_integer(v->text) ? "integer" : "double");
	} else if (v->type == JSON_TRUE || v->type == JSON_FALSE) {
		typed(x, name, v, "boolean");
	} else {
		as_json(x, name, v);
	}
}

/* An empty element is NULL: TS-0004 clause 8.3.1. */
static void null(struct writer *x, struct rd name, const struct json *v, const struct xml_shape *s)
{
	if (s->global) {
		as_json(x, name, v);
		return;
	}
	open_tag(x, name);
	wr_str(&x->w, "/>");
}

/* Whether its members can be elements; an empty object would read as NULL, but where it has a prefix. */
static bool is_open(const struct json *v, const struct xml_shape *s)
{
	struct rd prefix;

	if (v->type != JSON_OBJECT || (v->count == 0 && !(s->global && xml_shape_is_object(s))))
		return false;
	for (const struct json *m = v->first; m; m = m->next)
		if (!is_element_name(m->key, &prefix))
			return false;
	return true;
}

static void value(struct writer *x, struct rd name, const struct json *v, const struct xml_shape *s);

static void attribute(struct writer *x, const struct json *v)
{
	wr_u8(&x->w, ' ');
	wr_rd(&x->w, v->key);
	wr_str(&x->w, "=\"");
	put_text(&x->w, scalar_text(v), true);
	wr_u8(&x->w, '"');
}

static bool is_attribute(const struct json *m, const struct xml_shape *of)
{
	struct xml_shape s = xml_shape_member(of, m->key);

	return s.type && is_plain(m, &s);
}

/* A reference such as <ch nm="a" typ="3">cse-in/a</ch>: everything but `val` in attributes. */
static bool is_reference(const struct json *v, const struct xml_shape *s)
{
	const struct json *content = json_get(v, "val");

	if (!xml_shape_has_content(s) || !content)
		return false;
	for (const struct json *m = v->first; m; m = m->next)
		if (!is_attribute(m, s))
			return false;
	return true;
}

static void reference(struct writer *x, struct rd name, const struct json *v)
{
	open_tag(x, name);
	for (const struct json *m = v->first; m; m = m->next)
		if (!rd_is(m->key, "val"))
			attribute(x, m);
	wr_u8(&x->w, '>');
	put_text(&x->w, scalar_text(json_get(v, "val")), false);
	close_tag(x, name);
}

/* The name of a resource is an attribute in XML (TS-0004 annex F), everything else an element. */
static void members(struct writer *x, struct rd name, const struct json *v, const struct xml_shape *s)
{
	const struct json *rn = s->resource ? json_get(v, "rn") : NULL;

	if (rn && !is_attribute(rn, s))
		rn = NULL;
	if (rn)
		attribute(x, rn);
	wr_u8(&x->w, '>');
	for (const struct json *m = v->first; m; m = m->next) {
		struct xml_shape inside = xml_shape_member(s, m->key);

		if (m != rn)
			value(x, m->key, m, &inside);
	}
	close_tag(x, name);
}

static void object(struct writer *x, struct rd name, const struct json *v, const struct xml_shape *s)
{
	if (is_reference(v, s)) {
		reference(x, name, v);
	} else if (is_open(v, s)) {
		open_tag(x, name);
		members(x, name, v, s);
	} else {
		as_json(x, name, v);
	}
}

/* Each of them an element of this name. */
static bool are_open(const struct json *v, const struct xml_shape *item)
{
	if (v->type != JSON_ARRAY || v->count == 0)
		return false;
	for (const struct json *i = v->first; i; i = i->next)
		if (!is_reference(i, item) && !is_open(i, item))
			return false;
	return true;
}

static void repeated(struct writer *x, struct rd name, const struct json *v, const struct xml_shape *item)
{
	for (const struct json *i = v->first; i; i = i->next)
		object(x, name, i, item);
}

static bool has_space(struct rd text)
{
	uint8_t c;

	while (rd_u8(&text, &c))
		if (xml_is_space(c))
			return true;
	return false;
}

static bool are_words(const struct json *v, const struct xml_shape *item)
{
	if (v->type != JSON_ARRAY || v->count == 0)
		return false;
	for (const struct json *i = v->first; i; i = i->next)
		if (!is_plain(i, item) || has_space(scalar_text(i)))
			return false;
	return true;
}

static void words(struct writer *x, struct rd name, const struct json *v)
{
	open_tag(x, name);
	wr_u8(&x->w, '>');
	for (const struct json *i = v->first; i; i = i->next) {
		put_text(&x->w, scalar_text(i), false);
		if (i->next)
			wr_u8(&x->w, ' ');
	}
	close_tag(x, name);
}

static void list(struct writer *x, struct rd name, const struct json *v, const struct xml_shape *s)
{
	struct xml_shape item = xml_shape_item(s);

	if (xml_shape_is_simple_list(s) && are_words(v, &item)) {
		words(x, name, v);
	} else if (s->global && v->type == JSON_ARRAY && v->count == 0) {
		open_tag(x, name);
		wr_str(&x->w, "/>");
	} else if (xml_shape_is_object(&item) && are_open(v, &item)) {
		repeated(x, name, v, &item);
	} else {
		as_json(x, name, v);
	}
}

static void value(struct writer *x, struct rd name, const struct json *v, const struct xml_shape *s)
{
	struct xml_shape one = *s;

	one.many = false;
	if (s->many) {
		if (xml_shape_is_object(s) && are_open(v, &one))
			repeated(x, name, v, &one);
		else
			as_json(x, name, v);
	} else if (v->type == JSON_NULL) {
		null(x, name, v, s);
	} else if (xml_shape_is_list(s)) {
		list(x, name, v, s);
	} else if (v->type == JSON_OBJECT) {
		object(x, name, v, s);
	} else if (v->type == JSON_ARRAY) {
		as_json(x, name, v);
	} else {
		scalar(x, name, v, s);
	}
}

/* The root is written first without what it declares; then that is known. */
enum err xml_from_json(const struct json *doc, struct wr *out)
{
	struct writer x = {.w = wr_new(out->maximum ? out->maximum : out->capacity)};
	struct rd root, body, prefix;
	struct xml_shape s;

	if (doc->type != JSON_OBJECT || doc->count != 1 || !is_element_name(doc->first->key, &prefix))
		return ERR_BAD_VALUE;
	root = doc->first->key;
	s = xml_shape_member(&(struct xml_shape){0}, root);
	value(&x, root, doc->first, &s);
	if (!wr_done(&x.w, &body) || !rd_skip(&body, 1 + root.left)) {
		wr_free(&x.w);
		return ERR_TOO_LONG;
	}
	wr_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<");
	wr_rd(out, root);
	wr_str(out, " xmlns:m2m=\"" XML_NAMESPACE_M2M "\"");
	if (x.typed)
		wr_str(out, " xmlns:xsi=\"" XML_NAMESPACE_XSI "\" xmlns:xs=\"" XML_NAMESPACE_XS "\"");
	if (x.marked)
		wr_str(out, " xmlns:kw=\"" XML_NAMESPACE_JSON "\"");
	wr_rd(out, body);
	wr_free(&x.w);
	return OK;
}
