/* Reading descriptions of devices from JSON. Whatever is not understood is an error that names file and member: a typing error must not become a
 * device that is silent. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oci/description_private.h"
#include "zigbee/zcl.h"

#define PATH_MAX_TEXT 200

struct reader {
	struct descriptions *all;
	const char *file;
	char *why;
	size_t why_size;
	char path[PATH_MAX_TEXT]; /* "modules[3].points[0]" */
	enum err e;
	struct module **module_place; /* where the next of this file goes */
	struct model **model_place;
	struct device_class **class_place;
};

static bool fail(struct reader *r, enum err e, const char *member, const char *fmt, ...) PRINTF_LIKE(4, 5);
static bool fail(struct reader *r, enum err e, const char *member, const char *fmt, ...)
{
	char text[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	snprintf(r->why, r->why_size, "%s: %s%s%s%s%s", r->file, r->path, r->path[0] && member[0] ? "." : "", member, r->path[0] || member[0] ? ": " : "", text);
	r->e = e;
	return false;
}

#define WRONG(r, member, ...) fail(r, ERR_BAD_VALUE, member, __VA_ARGS__)

/* Goes into a member of the path; gives what leave() takes. */
static size_t enter(struct reader *r, const char *name, size_t index)
{
	size_t len = strlen(r->path);

	snprintf(r->path + len, sizeof r->path - len, "%s%s[%zu]", len ? "." : "", name, index);
	return len;
}

static void leave(struct reader *r, size_t len)
{
	r->path[len] = '\0';
}

/* ---- members of any kind ---- */

/* Every member's name must be one of `names`, which are separated by spaces. */
static bool members_known(struct reader *r, const struct json *object, const char *names)
{
	if (!object || object->type != JSON_OBJECT)
		return WRONG(r, "", "must be an object");
	for (const struct json *m = object->first; m; m = m->next) {
		struct rd rest = rd_str(names), name;
		char text[40];
		bool known = false, more = true;

		while (more && !known) {
			more = rd_until(&rest, ' ', &name);
			if (!more)
				name = rd_rest(&rest);
			known = rd_equal(name, m->key);
		}
		if (!known)
			return WRONG(r, rd_text(m->key, text, sizeof text) ? text : "?", "is not known here; known are: %s", names);
	}
	return true;
}

/* "0x0402" or 1026. */
static bool number_of(const struct json *v, uint64_t *n)
{
	struct rd text;
	uint64_t value = 0;
	uint8_t c;

	if (json_uint(v, n))
		return true;
	if (!json_string(v, &text) || !rd_starts(text, "0x") || !rd_skip(&text, 2) || text.left == 0 || text.left > 16)
		return false;
	while (rd_u8(&text, &c)) {
		unsigned digit = c >= '0' && c <= '9' ? c - (unsigned)'0' : c >= 'a' && c <= 'f' ? c + 10U - 'a' : c >= 'A' && c <= 'F' ? c + 10U - 'A' : 16;

		if (digit > 15)
			return false;
		value = value << 4 | digit;
	}
	*n = value;
	return true;
}

static bool get_number(struct reader *r, const struct json *object, const char *name, uint64_t most, bool required, uint64_t *n)
{
	const struct json *v = json_get(object, name);

	if (!v)
		return required ? WRONG(r, name, "is missing") : true;
	if (!number_of(v, n) || *n > most)
		return WRONG(r, name, "must be a number from 0 to %llu, such as %llu or \"0x%llx\"", (unsigned long long)most, (unsigned long long)(most / 2),
		    (unsigned long long)(most / 2));
	return true;
}

static bool get_u16(struct reader *r, const struct json *object, const char *name, bool required, uint16_t *n)
{
	uint64_t value = *n;

	if (!get_number(r, object, name, UINT16_MAX, required, &value))
		return false;
	*n = (uint16_t)value;
	return true;
}

static bool get_u8(struct reader *r, const struct json *object, const char *name, uint8_t most, bool required, uint8_t *n)
{
	uint64_t value = *n;

	if (!get_number(r, object, name, most, required, &value))
		return false;
	*n = (uint8_t)value;
	return true;
}

static bool get_double(struct reader *r, const struct json *object, const char *name, double *d)
{
	const struct json *v = json_get(object, name);

	if (!v)
		return true;
	if (!json_double(v, d) || !isfinite(*d) || fabs(*d) > 1e15)
		return WRONG(r, name, "must be a number");
	return true;
}

static bool get_bool(struct reader *r, const struct json *object, const char *name, bool *b)
{
	const struct json *v = json_get(object, name);

	if (v && !json_bool(v, b))
		return WRONG(r, name, "must be true or false");
	return true;
}

static bool is_name(struct rd text, const char *others)
{
	uint8_t c;

	while (rd_u8(&text, &c))
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c < 0x80 && strchr(others, c) && c)))
			return false;
	return true;
}

/* Names become JSON members and parts of addresses: letters, digits and `others`. */
static bool get_name(struct reader *r, const struct json *object, const char *name, const char *others, bool required, char *text, size_t size)
{
	const struct json *v = json_get(object, name);

	if (!v)
		return required ? WRONG(r, name, "is missing") : true;
	if (!json_text(v, text, size) || text[0] == '\0' || !is_name(rd_str(text), others))
		return WRONG(r, name, "must be a text of 1 to %zu letters, digits and characters of `%s`", size - 1, others);
	return true;
}

/* One number or a list of them. */
static bool get_u16s(struct reader *r, const struct json *object, const char *name, uint16_t *list, size_t most, size_t *count)
{
	const struct json *v = json_get(object, name), *item;
	uint64_t n;

	if (!v)
		return true;
	*count = 0;
	for (item = v->type == JSON_ARRAY ? v->first : v; item; item = v->type == JSON_ARRAY ? item->next : NULL) {
		if (!number_of(item, &n) || n > UINT16_MAX)
			return WRONG(r, name, "must be a number up to 0xffff, or a list of such");
		if (*count == most)
			return fail(r, ERR_FULL, name, "has more than %zu numbers", most);
		list[(*count)++] = (uint16_t)n;
	}
	return true;
}

/* The text of a JSON value that a member can have: true, 2, -1.5. */
static bool scalar_text(const struct json *v, char *text, size_t size)
{
	switch (v->type) {
	case JSON_TRUE:
	case JSON_FALSE:
		return rd_text(rd_str(v->type == JSON_TRUE ? "true" : "false"), text, size);
	case JSON_NUMBER:
		return rd_text(v->text, text, size);
	case JSON_NULL:
	case JSON_STRING:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return false;
}

/* ---- words ---- */

struct word {
	const char *name;
	int value;
};

static bool word_of(const struct word *words, size_t count, struct rd text, int *value)
{
	for (size_t i = 0; i < count; i++) {
		if (rd_is(text, words[i].name)) {
			*value = words[i].value;
			return true;
		}
	}
	return false;
}

static bool get_word(struct reader *r, const struct json *object, const char *name, const struct word *words, size_t count, int *value)
{
	const struct json *v = json_get(object, name);
	char list[160] = "";
	struct rd text;

	if (!v || (json_string(v, &text) && word_of(words, count, text, value)))
		return true;
	for (size_t i = 0; i < count; i++)
		snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", words[i].name);
	return WRONG(r, name, "must be one of: %s", list);
}

static const struct word types[] = {
	{"bool", ZCL_BOOL}, {"bitmap8", ZCL_BITMAP8}, {"bitmap16", ZCL_BITMAP16}, {"bitmap24", 0x1a}, {"bitmap32", ZCL_BITMAP32},
	{"uint8", ZCL_UINT8}, {"uint16", ZCL_UINT16}, {"uint24", ZCL_UINT24}, {"uint32", ZCL_UINT32}, {"uint40", 0x24}, {"uint48", ZCL_UINT48},
	{"uint56", 0x26}, {"uint64", ZCL_UINT64}, {"int8", ZCL_INT8}, {"int16", ZCL_INT16}, {"int24", ZCL_INT24}, {"int32", ZCL_INT32}, {"int48", 0x2d},
	{"int64", ZCL_INT64}, {"enum8", ZCL_ENUM8}, {"enum16", ZCL_ENUM16}, {"float", ZCL_SINGLE}, {"double", ZCL_DOUBLE},
};
static const struct word kinds[] = {{"boolean", POINT_BOOLEAN}, {"integer", POINT_INTEGER}, {"float", POINT_FLOAT}};
static const struct word formulas[] = {
	{"linear", FORMULA_LINEAR}, {"bit", FORMULA_BIT}, {"map", FORMULA_MAP}, {"lux", FORMULA_LUX}, {"xy", FORMULA_XY}, {"hs", FORMULA_HS}, {"pulse", FORMULA_PULSE},
};
static const struct word channels[] = {{"red", 0}, {"green", 1}, {"blue", 2}};
static const struct word sizes[] = {{"u8", 1}, {"u16", 2}, {"u24", 3}, {"u32", 4}};
static const struct word sources[] = {{"value", FIELD_VALUE}, {"x", FIELD_X}, {"y", FIELD_Y}, {"hue", FIELD_HUE}, {"saturation", FIELD_SATURATION}};
#define WORDS(list) list, sizeof list / sizeof list[0]

static bool get_type(struct reader *r, const struct json *object, uint8_t *type)
{
	int value = *type;

	if (!get_word(r, object, "type", WORDS(types), &value))
		return false;
	*type = (uint8_t)value;
	return true;
}

/* ---- writes and actions ---- */

/* "u8=value u16=0" */
static bool read_payload(struct reader *r, const struct json *object, struct payload *p)
{
	const struct json *v = json_get(object, "payload");
	struct rd text, part, size;
	bool more;
	int n;

	if (!v)
		return true;
	if (!json_string(v, &text))
		return WRONG(r, "payload", "must be a text, such as \"u8=value u16=0\"");
	for (more = text.left > 0; more;) {
		struct payload_field *f = &p->fields[p->count];

		more = rd_until(&text, ' ', &part);
		if (!more)
			part = rd_rest(&text);
		if (p->count == FIELDS_MAX)
			return fail(r, ERR_FULL, "payload", "has more than %d fields", FIELDS_MAX);
		if (!rd_until(&part, '=', &size) || !word_of(WORDS(sizes), size, &n))
			return WRONG(r, "payload", "must have fields such as u8=value: u8, u16, u24 or u32, and behind = a number, value, x, y, hue or saturation");
		f->size = (uint8_t)n;
		if (word_of(WORDS(sources), part, &n)) {
			f->source = (enum field_source)n;
		} else if (rd_decimal(part, &f->constant) && f->constant >> (8 * f->size) == 0) {
			f->source = FIELD_CONSTANT;
		} else {
			return WRONG(r, "payload", "has a field that is neither a number of its size nor value, x, y, hue or saturation");
		}
		p->count++;
	}
	return true;
}

static bool read_write(struct reader *r, const struct json *v, const struct point *p, struct point_write *w)
{
	const struct json *when;

	if (!members_known(r, v, "when command payload attribute type"))
		return false;
	when = json_get(v, "when");
	if (when && !scalar_text(when, w->when, sizeof w->when))
		return WRONG(r, "when", "must be true, false or a number");
	w->by_attribute = json_get(v, "command") == NULL;
	w->attribute = p->inputs[0];
	w->type = p->type;
	if (!w->by_attribute)
		return get_u8(r, v, "command", UINT8_MAX, true, &w->command) && read_payload(r, v, &w->payload);
	if (json_get(v, "payload"))
		return WRONG(r, "payload", "goes with a command");
	if (!get_u16(r, v, "attribute", p->input_count == 0, &w->attribute) || !get_type(r, v, &w->type))
		return false;
	return w->type != ZCL_NO_DATA || WRONG(r, "type", "is missing");
}

static bool read_writes(struct reader *r, const struct json *object, struct point *p)
{
	const struct json *list = json_get(object, "write"), *v;

	if (!list)
		return true;
	if (list->type != JSON_ARRAY)
		return WRONG(r, "write", "must be a list");
	for (v = list->first; v; v = v->next) {
		size_t len = enter(r, "write", p->write_count);

		if (p->write_count == WRITES_MAX)
			return fail(r, ERR_FULL, "", "there are more than %d", WRITES_MAX);
		if (!read_write(r, v, p, &p->writes[p->write_count]))
			return false;
		p->write_count++;
		leave(r, len);
	}
	return true;
}

static bool read_actions(struct reader *r, const struct json *object, uint16_t cluster, uint16_t manufacturer, struct module *m)
{
	const struct json *list = json_get(object, "actions"), *v;

	if (!list)
		return true;
	if (list->type != JSON_ARRAY || m->container)
		return WRONG(r, "actions", "must be a list, and not of a container");
	for (v = list->first; v; v = v->next) {
		struct action *a = &m->actions[m->action_count];
		size_t len = enter(r, "actions", m->action_count);

		if (m->action_count == ACTIONS_MAX)
			return fail(r, ERR_FULL, "", "there are more than %d", ACTIONS_MAX);
		a->cluster = cluster;
		a->manufacturer = manufacturer;
		if (!members_known(r, v, "name root class cluster manufacturer command payload") || !get_name(r, v, "name", "-_", true, a->name, sizeof a->name) ||
		    !get_name(r, v, "root", ":_", true, a->root, sizeof a->root) || !get_name(r, v, "class", ".:_-", true, a->definition, sizeof a->definition) ||
		    !get_u16(r, v, "cluster", cluster == 0, &a->cluster) || !get_u16(r, v, "manufacturer", false, &a->manufacturer) ||
		    !get_u8(r, v, "command", UINT8_MAX, true, &a->command) || !read_payload(r, v, &a->payload))
			return false;
		m->action_count++;
		leave(r, len);
	}
	return true;
}

/* ---- points ---- */

static bool read_map(struct reader *r, const struct json *object, struct point *p)
{
	const struct json *map = json_get(object, "map"), *v;
	uint64_t n;

	if (!map)
		return p->formula != FORMULA_MAP || WRONG(r, "map", "is missing");
	if (map->type != JSON_OBJECT || (p->formula != FORMULA_MAP && p->formula != FORMULA_BIT))
		return WRONG(r, "map", "must be an object, of a point with \"formula\": \"map\" or \"bit\"");
	for (v = map->first; v; v = v->next) {
		if (p->map_count == MAP_MAX)
			return fail(r, ERR_FULL, "map", "has more than %d values", MAP_MAX);
		if (!rd_decimal(v->key, &n) || n > INT32_MAX || !scalar_text(v, p->map[p->map_count].json, sizeof p->map[0].json))
			return WRONG(r, "map", "must have the device's numbers as names and true, false or numbers as values, such as {\"1\": true}");
		p->map[p->map_count++].raw = (int64_t)n;
	}
	return true;
}

/* Two numbers: the least and the most. */
static bool read_valid(struct reader *r, const struct json *object, struct point *p)
{
	const struct json *v = json_get(object, "valid");

	if (!v)
		return true;
	p->limited = true;
	if (v->type != JSON_ARRAY || v->count != 2 || !json_double(json_at(v, 0), &p->least) || !json_double(json_at(v, 1), &p->most) || !(p->least <= p->most))
		return WRONG(r, "valid", "must be two numbers, the least and the most");
	return true;
}

/* [minimum s, maximum s, change] */
static bool read_report(struct reader *r, const struct json *object, struct point *p)
{
	const struct json *v = json_get(object, "report");
	uint64_t least, most;

	if (!v)
		return true;
	if (v->type != JSON_ARRAY || v->count != 3 || !json_uint(json_at(v, 0), &least) || !json_uint(json_at(v, 1), &most) || !json_uint(json_at(v, 2), &p->change) ||
	    least > most || most >= 0xffff)
		return WRONG(r, "report", "must be three numbers: least and most seconds between two reports, and the change that makes one");
	p->minimum_s = (uint16_t)least;
	p->maximum_s = (uint16_t)most;
	return true;
}

static bool read_received(struct reader *r, const struct json *object, struct point *p)
{
	uint16_t commands[RECEIVED_MAX];

	if (!get_u16s(r, object, "received", commands, RECEIVED_MAX, &p->received_count))
		return false;
	if ((p->received_count > 0) != (p->formula == FORMULA_PULSE))
		return WRONG(r, "received", "goes with \"formula\": \"pulse\", and that with it");
	for (size_t i = 0; i < p->received_count; i++) {
		if (commands[i] > UINT8_MAX)
			return WRONG(r, "received", "must be commands up to 0xff");
		p->received[i] = (uint8_t)commands[i];
	}
	return true;
}

static bool read_factors(struct reader *r, const struct json *object, struct point *p)
{
	p->has_multiplier = json_get(object, "multiplier") != NULL;
	p->has_divisor = json_get(object, "divisor") != NULL;
	return get_u16(r, object, "multiplier", false, &p->multiplier) && get_u16(r, object, "divisor", false, &p->divisor);
}

static bool read_formula(struct reader *r, const struct json *object, struct point *p)
{
	int formula = FORMULA_LINEAR, kind = POINT_FLOAT, channel = 0;
	bool colour;

	if (!get_word(r, object, "formula", WORDS(formulas), &formula) || !get_word(r, object, "kind", WORDS(kinds), &kind) ||
	    !get_word(r, object, "channel", WORDS(channels), &channel))
		return false;
	p->formula = (enum point_formula)formula;
	p->kind = (enum point_kind)kind;
	p->channel = (uint8_t)channel;
	colour = p->formula == FORMULA_XY || p->formula == FORMULA_HS;
	if (colour && (p->input_count != 2 || !json_get(object, "channel") || p->kind != POINT_INTEGER))
		return WRONG(r, "formula", "of a colour wants two attributes, a channel, and \"kind\": \"integer\"");
	if (!colour && p->input_count > 1)
		return WRONG(r, "attribute", "has two numbers, which only a colour wants");
	if ((p->formula == FORMULA_BIT || p->formula == FORMULA_MAP || p->formula == FORMULA_PULSE ? false : p->kind == POINT_BOOLEAN && p->input_count > 0) ||
	    (p->formula == FORMULA_PULSE && p->kind != POINT_BOOLEAN))
		return WRONG(r, "kind", "does not fit the formula");
	return true;
}

/* What a value of this type and formula may be; a point is read, written or received, or there is no use in it. */
static bool point_is_sound(struct reader *r, const struct point *p)
{
	if (p->input_count > 0 && p->type == ZCL_NO_DATA)
		return WRONG(r, "type", "is missing");
	if (p->input_count == 0 && p->formula != FORMULA_PULSE && p->write_count == 0)
		return WRONG(r, "", "is neither read nor written nor received: it wants \"attribute\", \"write\" or \"received\"");
	if (p->input_count == 0 && p->maximum_s > 0)
		return WRONG(r, "report", "goes with an attribute");
	if (p->scale == 0 || fabs(p->scale) < 1e-9)
		return WRONG(r, "scale", "must not be 0");
	if (p->module->container && strcmp(p->member, "con") != 0)
		return WRONG(r, "member", "of a container must be con");
	if (p->module->container && p->write_count > 0)
		return WRONG(r, "write", "is not for containers");
	return true;
}

#define POINT_MEMBERS "member cluster manufacturer zone attribute type kind formula channel bit invert scale offset valid map multiplier divisor report write received"

static bool read_point(struct reader *r, const struct json *v, struct point *p)
{
	p->scale = 1;
	if (!members_known(r, v, POINT_MEMBERS) || !get_name(r, v, "member", "_", true, p->member, sizeof p->member) ||
	    !get_u16(r, v, "cluster", p->cluster == UINT16_MAX, &p->cluster) || !get_u16(r, v, "manufacturer", false, &p->manufacturer) ||
	    !get_u16s(r, v, "zone", p->zones, ZONES_MAX, &p->zone_count) || !get_u16s(r, v, "attribute", p->inputs, INPUTS_MAX, &p->input_count) ||
	    !get_type(r, v, &p->type) || !read_formula(r, v, p))
		return false;
	return get_u8(r, v, "bit", 63, false, &p->bit) && get_bool(r, v, "invert", &p->invert) && get_double(r, v, "scale", &p->scale) &&
	    get_double(r, v, "offset", &p->offset) && read_valid(r, v, p) && read_map(r, v, p) && read_factors(r, v, p) && read_report(r, v, p) &&
	    read_writes(r, v, p) && read_received(r, v, p) && point_is_sound(r, p);
}

static bool read_points(struct reader *r, const struct json *object, uint16_t cluster, uint16_t manufacturer, const struct point *common, struct module *m)
{
	const struct json *list = json_get(object, "points"), *v;

	if (!list || list->type != JSON_ARRAY || list->count == 0)
		return WRONG(r, "points", "must be a list of one at least");
	for (v = list->first; v; v = v->next) {
		struct point *p = &m->points[m->point_count];
		size_t len = enter(r, "points", m->point_count);

		if (m->point_count == POINTS_MAX)
			return fail(r, ERR_FULL, "", "there are more than %d", POINTS_MAX);
		*p = *common;
		p->module = m;
		p->cluster = cluster;
		p->manufacturer = manufacturer;
		if (!read_point(r, v, p))
			return false;
		m->point_count++;
		leave(r, len);
	}
	return true;
}

/* ---- modules, classes, models ---- */

static bool is_new_name(struct reader *r, const struct module *m)
{
	for (const struct module *other = r->all->modules; other; other = other->next)
		if (other != m && other->file == m->file && other->model == m->model && strcmp(other->name, m->name) == 0)
			return WRONG(r, "name", "is that of another module");
	return true;
}

static bool read_module(struct reader *r, const struct json *v, const struct model *model)
{
	uint16_t cluster = UINT16_MAX, manufacturer = 0;
	struct point common = {.module = NULL};
	struct module *m;

	if (r->all->module_count == DESCRIPTION_MODULES)
		return fail(r, ERR_FULL, "", "there are more than %d modules", DESCRIPTION_MODULES);
	m = calloc(1, sizeof *m);
	if (!m)
		return fail(r, ERR_NO_MEMORY, "", "no memory");
	m->next = *r->module_place;
	*r->module_place = m;
	r->module_place = &m->next;
	r->all->module_count++;
	m->model = model;
	m->file = r->all->files;
	if (!members_known(r, v, "name root class container cluster manufacturer zone points actions") || !get_name(r, v, "name", "-_", true, m->name, sizeof m->name) ||
	    !get_bool(r, v, "container", &m->container) || !get_name(r, v, "root", ":_", !m->container, m->root, sizeof m->root) ||
	    !get_name(r, v, "class", ".:_-", !m->container, m->definition, sizeof m->definition) || !get_u16(r, v, "cluster", false, &cluster) ||
	    !get_u16(r, v, "manufacturer", false, &manufacturer) || !get_u16s(r, v, "zone", common.zones, ZONES_MAX, &common.zone_count))
		return false;
	if (m->container && m->root[0])
		return WRONG(r, "root", "is not for containers");
	return is_new_name(r, m) && read_points(r, v, cluster, manufacturer, &common, m) && read_actions(r, v, cluster == UINT16_MAX ? 0 : cluster, manufacturer, m);
}

static bool read_modules(struct reader *r, const struct json *object, const struct model *model)
{
	const struct json *list = json_get(object, "modules"), *v;
	size_t i = 0;

	if (!list)
		return true;
	if (list->type != JSON_ARRAY)
		return WRONG(r, "modules", "must be a list");
	for (v = list->first; v; v = v->next, i++) {
		size_t len = enter(r, "modules", i);

		if (!read_module(r, v, model))
			return false;
		leave(r, len);
	}
	return true;
}

static bool read_class(struct reader *r, const struct json *v)
{
	struct device_class *c;

	if (r->all->class_count == DESCRIPTION_CLASSES)
		return fail(r, ERR_FULL, "", "there are more than %d", DESCRIPTION_CLASSES);
	c = calloc(1, sizeof *c);
	if (!c)
		return fail(r, ERR_NO_MEMORY, "", "no memory");
	c->next = *r->class_place;
	*r->class_place = c;
	r->class_place = &c->next;
	r->all->class_count++;
	return members_known(r, v, "device root class") && get_u16(r, v, "device", true, &c->device) && get_name(r, v, "root", ":_", true, c->root, sizeof c->root) &&
	    get_name(r, v, "class", ".:_-", true, c->definition, sizeof c->definition);
}

static bool read_model(struct reader *r, const struct json *v)
{
	bool reporting = true;
	const struct json *report;
	uint64_t least, most;
	struct model *m;

	if (r->all->model_count == DESCRIPTION_MODELS)
		return fail(r, ERR_FULL, "", "there are more than %d", DESCRIPTION_MODELS);
	m = calloc(1, sizeof *m);
	if (!m)
		return fail(r, ERR_NO_MEMORY, "", "no memory");
	m->next = *r->model_place;
	*r->model_place = m;
	r->model_place = &m->next;
	r->all->model_count++;
	if (!members_known(r, v, "manufacturer model reporting poll_s check_in_s ignore report modules"))
		return false;
	if (!json_text(json_get(v, "manufacturer"), m->manufacturer, sizeof m->manufacturer) || !json_text(json_get(v, "model"), m->name, sizeof m->name))
		return WRONG(r, "", "wants \"manufacturer\" and \"model\", texts of up to 32 characters as the Basic cluster has them; `*` at the end: and whatever follows");
	if (!get_bool(r, v, "reporting", &reporting) || !get_u16(r, v, "poll_s", !reporting, &m->poll_s) ||
	    !get_u16(r, v, "check_in_s", false, &m->check_in_s) ||
	    !get_u16s(r, v, "ignore", m->ignored, IGNORED_MAX, &m->ignored_count))
		return false;
	m->no_reporting = !reporting;
	report = json_get(v, "report");
	if (report) {
		if (report->type != JSON_ARRAY || report->count != 2 || !json_uint(json_at(report, 0), &least) || !json_uint(json_at(report, 1), &most) || least > most ||
		    most == 0 || most >= 0xffff)
			return WRONG(r, "report", "must be two numbers: least and most seconds between two reports");
		m->has_reporting = true;
		m->minimum_s = (uint16_t)least;
		m->maximum_s = (uint16_t)most;
	}
	return read_modules(r, v, m);
}

static bool read_list(struct reader *r, const struct json *doc, const char *name, bool (*read)(struct reader *r, const struct json *v))
{
	const struct json *list = json_get(doc, name), *v;
	size_t i = 0;

	if (!list)
		return true;
	if (list->type != JSON_ARRAY)
		return WRONG(r, name, "must be a list");
	for (v = list->first; v; v = v->next, i++) {
		size_t len = enter(r, name, i);

		if (!read(r, v))
			return false;
		leave(r, len);
	}
	return true;
}

static void mark(struct descriptions *d, struct rd text)
{
	uint8_t octet;

	while (rd_u8(&text, &octet))
		d->fingerprint = (d->fingerprint ^ octet) * 16777619U;
}

enum err descriptions_read(struct descriptions *d, const char *file, struct rd text, char *why, size_t why_size)
{
	struct reader r = {.all = d, .file = file, .why = why, .why_size = why_size, .e = OK, .module_place = &d->modules, .model_place = &d->models, .class_place = &d->classes};
	struct json_arena *arena = json_arena_new();
	const struct json *doc;
	size_t where = 0;
	enum err e = arena ? OK : ERR_NO_MEMORY;

	if (e == OK && text.left > DESCRIPTION_FILE_MAX) {
		(void)fail(&r, ERR_TOO_LONG, "", "is longer than %d octets", DESCRIPTION_FILE_MAX);
	} else if (e == OK && (e = json_parse(arena, text, &where, &doc)) != OK) {
		(void)fail(&r, e, "", "is no JSON: wrong at octet %zu", where);
	} else if (e == OK) {
		d->files++;
		mark(d, text);
		(void)(members_known(&r, doc, "about modules devices models") && read_modules(&r, doc, NULL) && read_list(&r, doc, "devices", read_class) &&
		    read_list(&r, doc, "models", read_model));
	}
	json_arena_free(arena);
	return e != OK ? e : r.e;
}
