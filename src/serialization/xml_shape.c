/* Shapes from the tables of onem2m/schema.h, and scalars by them. */
#include "serialization/xml_shape.h"

#include <string.h>

/* ---- roots that are no resources: TS-0004 tables 7.5.2-1 and 7.5.2-2 ---- */

static const struct schema_datatype uri = {.name = "xs:anyURI", .kind = SCHEMA_URI};
static const struct schema_datatype uris = {.name = "m2m:listOfURIs", .kind = SCHEMA_LIST, .item = &uri};
static const struct schema_datatype name = {.name = "xs:NCName", .kind = SCHEMA_NCNAME};
static const struct schema_datatype attribute_list = {.name = "m2m:attributeList", .kind = SCHEMA_LIST, .item = &name};
static const struct schema_datatype string = {.name = "xs:string", .kind = SCHEMA_STRING};
static const struct schema_datatype whatever = {.name = "m2m:anyObject", .kind = SCHEMA_ANY_OBJECT};
static const struct schema_member wrapper_members[] = {{"uri", &uri, true}, {NULL, NULL, false}};
static const struct schema_datatype wrapper = {.name = "m2m:resourceWrapper", .kind = SCHEMA_OBJECT, .members = wrapper_members};

static const struct root {
	const char *name;
	const struct schema_datatype *type; /* or NULL: named below */
	const char *type_name;
	bool many_inside;
} roots[] = {
	{"m2m:rqp", NULL, "m2m:requestPrimitive", false},
	{"m2m:rsp", NULL, "m2m:responsePrimitive", false},
	{"m2m:sgn", NULL, "m2m:notification", false},
	{"m2m:agn", &whatever, NULL, true},
	{"m2m:agr", NULL, "m2m:aggregatedResponse", true},
	{"m2m:uril", &uris, NULL, false},
	{"m2m:uri", &uri, NULL, false},
	{"m2m:rrl", NULL, "m2m:listOfChildResourceRef", false},
	{"m2m:rce", &wrapper, NULL, false},
	{"m2m:atrl", &attribute_list, NULL, false},
	{"m2m:seci", NULL, "m2m:securityInfo", false},
	{"m2m:tsn", NULL, "m2m:timeSeriesNotificationType", false},
	{"m2m:dbg", &string, NULL, false},
	{"m2m:qres", &string, NULL, false},
};

struct xml_shape xml_shape_root(struct rd root)
{
	struct xml_shape s = {.global = true};

	for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
		if (rd_is(root, roots[i].name)) {
			s.type = roots[i].type ? roots[i].type : schema_datatype(roots[i].type_name);
			s.many_inside = roots[i].many_inside;
			return s;
		}
	}
	/* a root that no table knows is a specialisation: the attributes that all flexContainers have are those of this one */
	s.resource = schema_by_root(root);
	if (!s.resource)
		s.resource = schema_type(TY_FLEX_CONTAINER);
	s.many_inside = true;
	return s;
}

static const struct schema_datatype *member_type(const struct schema_datatype *type, struct rd member)
{
	if (type && (type->kind == SCHEMA_OBJECT || type->kind == SCHEMA_GEO))
		for (const struct schema_member *m = type->members; m && m->name; m++)
			if (rd_is(member, m->name))
				return m->type;
	return NULL;
}

/* References to children stand beside the attributes: TS-0004 clause 8.4.3. */
static const struct schema_datatype *attribute_type(const struct schema_type *t, struct rd attribute)
{
	const struct schema_attribute *a = schema_attribute(t, attribute);

	if (a)
		return a->type;
	return rd_is(attribute, "ch") ? member_type(schema_datatype("m2m:listOfChildResourceRef"), rd_str("rrf")) : NULL;
}

struct xml_shape xml_shape_member(const struct xml_shape *of, struct rd member)
{
	struct xml_shape s = {0};

	if (memchr(member.at, ':', member.left)) {
		s = xml_shape_root(member);
		s.many = of->many_inside;
		return s;
	}
	s.type = of->resource ? attribute_type(of->resource, member) : member_type(of->type, member);
	return s;
}

struct xml_shape xml_shape_item(const struct xml_shape *list)
{
	struct xml_shape s = {.type = list->type ? list->type->item : NULL};

	return s;
}

static bool is_composite(const struct schema_datatype *t)
{
	return t->kind == SCHEMA_OBJECT || t->kind == SCHEMA_GEO || t->kind == SCHEMA_ANY_OBJECT;
}

bool xml_shape_is_object(const struct xml_shape *s)
{
	return s->resource || (s->type && is_composite(s->type));
}

bool xml_shape_is_list(const struct xml_shape *s)
{
	return !s->resource && s->type && s->type->kind == SCHEMA_LIST;
}

bool xml_shape_is_simple_list(const struct xml_shape *s)
{
	return xml_shape_is_list(s) && !is_composite(s->type->item) && s->type->item->kind != SCHEMA_LIST && s->type->item->kind != SCHEMA_ANY;
}

bool xml_shape_has_content(const struct xml_shape *s)
{
	return s->type && s->type->name && (strcmp(s->type->name, "m2m:childResourceRef") == 0 || strcmp(s->type->name, "m2m:mgmtLinkRef") == 0);
}

/* ---- scalars ---- */

bool xml_is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct rd xml_trim(struct rd text)
{
	while (text.left > 0 && xml_is_space(text.at[0]) && rd_skip(&text, 1))
		;
	while (text.left > 0 && xml_is_space(text.at[text.left - 1]))
		text.left--;
	return text;
}

static struct rd digits(struct rd *text)
{
	struct rd found = *text, one;
	uint8_t c;

	found.left = 0;
	for (one = *text; rd_u8(&one, &c) && c >= '0' && c <= '9'; *text = one)
		found.left++;
	return found;
}

static bool take(struct rd *text, char c)
{
	return text->left > 0 && text->at[0] == (uint8_t)c && rd_skip(text, 1);
}

/* The parts of a number in JSON or in XML Schema, which also has a plus sign, leading zeros, ".5" and "5.". */
struct number {
	bool minus, plus, point;
	struct rd whole, fraction, exponent; /* the exponent with its sign */
	bool has_exponent;
};

static bool number_read(struct rd text, struct number *n)
{
	*n = (struct number){0};
	n->minus = take(&text, '-');
	n->plus = !n->minus && take(&text, '+');
	n->whole = digits(&text);
	n->point = take(&text, '.');
	n->fraction = digits(&text);
	if (n->whole.left == 0 && n->fraction.left == 0)
		return false;
	if (take(&text, 'e') || take(&text, 'E')) {
		n->has_exponent = true;
		n->exponent = text;
		(void)(take(&text, '-') || take(&text, '+'));
		if (digits(&text).left == 0)
			return false;
	}
	return rd_end(&text);
}

static bool is_json(const struct number *n)
{
	return !n->plus && n->whole.left > 0 && (n->whole.left == 1 || n->whole.at[0] != '0') && n->point == (n->fraction.left > 0);
}

bool xml_is_json_number(struct rd text)
{
	struct number n;

	return number_read(text, &n) && is_json(&n);
}

static bool read_number(struct rd text, struct xml_scalar *out)
{
	struct wr w = wr_of(out->number, sizeof out->number);
	struct number n;

	text = xml_trim(text);
	if (!number_read(text, &n))
		return false;
	out->type = JSON_NUMBER;
	out->text = text;
	if (is_json(&n))
		return true;
	while (n.whole.left > 1 && take(&n.whole, '0'))
		;
	if (n.minus)
		wr_u8(&w, '-');
	wr_rd(&w, n.whole.left ? n.whole : rd_str("0"));
	if (n.fraction.left)
		wr_u8(&w, '.');
	wr_rd(&w, n.fraction);
	if (n.has_exponent)
		wr_u8(&w, 'e');
	if (n.has_exponent)
		wr_rd(&w, n.exponent);
	return wr_done(&w, &out->text);
}

static bool read_bool(struct rd text, struct xml_scalar *out)
{
	text = xml_trim(text);
	if (!rd_is(text, "true") && !rd_is(text, "1") && !rd_is(text, "false") && !rd_is(text, "0"))
		return false;
	out->type = rd_is(text, "true") || rd_is(text, "1") ? JSON_TRUE : JSON_FALSE;
	out->text = text;
	return true;
}

static void read_string(struct rd text, struct xml_scalar *out)
{
	out->type = JSON_STRING;
	out->text = text;
}

/* Where no table knows the type: what JSON would take for a number or a truth value is one. */
static void read_unknown(struct rd text, struct xml_scalar *out)
{
	read_string(text, out);
	if (xml_is_json_number(text))
		out->type = JSON_NUMBER;
	else if (rd_is(text, "true") || rd_is(text, "false"))
		out->type = rd_is(text, "true") ? JSON_TRUE : JSON_FALSE;
}

/* What is not of its type is handed on as a string, so that the check against the schema names the attribute. */
void xml_scalar_read(const struct xml_shape *s, struct rd text, struct xml_scalar *out)
{
	if (!s->type) {
		read_unknown(text, out);
		return;
	}
	switch (s->type->kind) {
	case SCHEMA_BOOL:
		if (!read_bool(text, out))
			read_string(text, out);
		break;
	case SCHEMA_INTEGER:
	case SCHEMA_FLOAT:
	case SCHEMA_ENUM:
		if (!read_number(text, out))
			read_string(text, out);
		break;
	case SCHEMA_ANY:
	case SCHEMA_STRING:
		read_string(text, out);
		break;
	case SCHEMA_TOKEN:
	case SCHEMA_NCNAME:
	case SCHEMA_URI:
	case SCHEMA_ID:
	case SCHEMA_RESOURCE_NAME:
	case SCHEMA_STRING_ENUM:
	case SCHEMA_TIMESTAMP:
	case SCHEMA_ABS_REL_TIMESTAMP:
	case SCHEMA_DURATION:
	case SCHEMA_SCHEDULE:
	case SCHEMA_BASE64:
	case SCHEMA_CONTENT_INFO:
	case SCHEMA_IPV4:
	case SCHEMA_IPV6:
	case SCHEMA_LIST:
	case SCHEMA_OBJECT:
	case SCHEMA_GEO:
	case SCHEMA_ANY_OBJECT:
		read_string(xml_trim(text), out);
		break;
	}
}

bool xml_scalar_read_as(struct rd type, struct rd text, struct xml_scalar *out)
{
	static const char *const numbers[] = {"integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger", "nonPositiveInteger",
		"negativeInteger", "unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte", "decimal", "double", "float"};

	if (rd_is(type, "string")) {
		read_string(text, out);
		return true;
	}
	if (rd_is(type, "boolean"))
		return read_bool(text, out);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (rd_is(type, numbers[i]))
			return read_number(text, out);
	return false;
}
