/* What a description says of the values of a module: where they are in the device, how they are made of what it says, and how they are written. */
#include "oci/description_reader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zigbee/zcl.h"

static const struct word kinds[] = {{"boolean", POINT_BOOLEAN}, {"integer", POINT_INTEGER}, {"float", POINT_FLOAT}};
static const struct word formulas[] = {
	{"linear", FORMULA_LINEAR}, {"bit", FORMULA_BIT}, {"map", FORMULA_MAP}, {"lux", FORMULA_LUX}, {"xy", FORMULA_XY}, {"hs", FORMULA_HS}, {"pulse", FORMULA_PULSE},
};
static const struct word channels[] = {{"red", 0}, {"green", 1}, {"blue", 2}};
static const struct word sizes[] = {{"u8", 1}, {"u16", 2}, {"u24", 3}, {"u32", 4}};
static const struct word sources[] = {{"value", FIELD_VALUE}, {"x", FIELD_X}, {"y", FIELD_Y}, {"hue", FIELD_HUE}, {"saturation", FIELD_SATURATION}};

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
			return reader_fail(r, ERR_FULL, "payload", "has more than %d fields", FIELDS_MAX);
		if (!rd_until(&part, '=', &size) || !word_find(WORDS(sizes), size, &n))
			return WRONG(r, "payload", "must have fields such as u8=value: u8, u16, u24 or u32, and behind = a number, value, x, y, hue or saturation");
		f->size = (uint8_t)n;
		if (word_find(WORDS(sources), part, &n)) {
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

	if (!reader_knows(r, v, "when command payload attribute type"))
		return false;
	when = json_get(v, "when");
	if (when && !scalar_print(when, w->when, sizeof w->when))
		return WRONG(r, "when", "must be true, false or a number");
	w->by_attribute = json_get(v, "command") == NULL;
	w->attribute = p->inputs[0];
	w->type = p->type;
	if (!w->by_attribute)
		return reader_u8(r, v, "command", UINT8_MAX, true, &w->command) && read_payload(r, v, &w->payload);
	if (json_get(v, "payload"))
		return WRONG(r, "payload", "goes with a command");
	if (!reader_u16(r, v, "attribute", p->input_count == 0, &w->attribute) || !reader_type(r, v, &w->type))
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
		size_t len = reader_enter(r, "write", p->write_count);

		if (p->write_count == WRITES_MAX)
			return reader_fail(r, ERR_FULL, "", "there are more than %d", WRITES_MAX);
		if (!read_write(r, v, p, &p->writes[p->write_count]))
			return false;
		p->write_count++;
		reader_leave(r, len);
	}
	return true;
}

bool actions_read(struct reader *r, const struct json *object, uint16_t cluster, uint16_t manufacturer, struct module *m)
{
	const struct json *list = json_get(object, "actions"), *v;

	if (!list)
		return true;
	if (list->type != JSON_ARRAY || m->container)
		return WRONG(r, "actions", "must be a list, and not of a container");
	for (v = list->first; v; v = v->next) {
		struct action *a = &m->actions[m->action_count];
		size_t len = reader_enter(r, "actions", m->action_count);

		if (m->action_count == ACTIONS_MAX)
			return reader_fail(r, ERR_FULL, "", "there are more than %d", ACTIONS_MAX);
		a->cluster = cluster;
		a->manufacturer = manufacturer;
		if (!reader_knows(r, v, "name root class cluster manufacturer command payload") || !reader_name(r, v, "name", "-_", true, a->name, sizeof a->name) ||
		    !reader_name(r, v, "root", ":_", true, a->root, sizeof a->root) || !reader_name(r, v, "class", ".:_-", true, a->definition, sizeof a->definition) ||
		    !reader_u16(r, v, "cluster", cluster == 0, &a->cluster) || !reader_u16(r, v, "manufacturer", false, &a->manufacturer) ||
		    !reader_u8(r, v, "command", UINT8_MAX, true, &a->command) || !read_payload(r, v, &a->payload))
			return false;
		m->action_count++;
		reader_leave(r, len);
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
			return reader_fail(r, ERR_FULL, "map", "has more than %d values", MAP_MAX);
		if (!rd_decimal(v->key, &n) || n > INT32_MAX || !scalar_print(v, p->map[p->map_count].json, sizeof p->map[0].json))
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

	if (!reader_u16s(r, object, "received", commands, RECEIVED_MAX, &p->received_count))
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
	return reader_u16(r, object, "multiplier", false, &p->multiplier) && reader_u16(r, object, "divisor", false, &p->divisor);
}

static bool read_formula(struct reader *r, const struct json *object, struct point *p)
{
	int formula = FORMULA_LINEAR, kind = POINT_FLOAT, channel = 0;
	bool colour;

	if (!reader_word(r, object, "formula", WORDS(formulas), &formula) || !reader_word(r, object, "kind", WORDS(kinds), &kind) ||
	    !reader_word(r, object, "channel", WORDS(channels), &channel))
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
	if (!reader_knows(r, v, POINT_MEMBERS) || !reader_name(r, v, "member", "_", true, p->member, sizeof p->member) ||
	    !reader_u16(r, v, "cluster", p->cluster == UINT16_MAX, &p->cluster) || !reader_u16(r, v, "manufacturer", false, &p->manufacturer) ||
	    !reader_u16s(r, v, "zone", p->zones, ZONES_MAX, &p->zone_count) || !reader_u16s(r, v, "attribute", p->inputs, INPUTS_MAX, &p->input_count) ||
	    !reader_type(r, v, &p->type) || !read_formula(r, v, p))
		return false;
	return reader_u8(r, v, "bit", 63, false, &p->bit) && reader_bool(r, v, "invert", &p->invert) && reader_double(r, v, "scale", &p->scale) &&
	    reader_double(r, v, "offset", &p->offset) && read_valid(r, v, p) && read_map(r, v, p) && read_factors(r, v, p) && read_report(r, v, p) &&
	    read_writes(r, v, p) && read_received(r, v, p) && point_is_sound(r, p);
}

bool points_read(struct reader *r, const struct json *object, uint16_t cluster, uint16_t manufacturer, const struct point *common, struct module *m)
{
	const struct json *list = json_get(object, "points"), *v;

	if (!list || list->type != JSON_ARRAY || list->count == 0)
		return WRONG(r, "points", "must be a list of one at least");
	for (v = list->first; v; v = v->next) {
		struct point *p = &m->points[m->point_count];
		size_t len = reader_enter(r, "points", m->point_count);

		if (m->point_count == POINTS_MAX)
			return reader_fail(r, ERR_FULL, "", "there are more than %d", POINTS_MAX);
		*p = *common;
		p->module = m;
		p->cluster = cluster;
		p->manufacturer = manufacturer;
		if (!read_point(r, v, p))
			return false;
		m->point_count++;
		reader_leave(r, len);
	}
	return true;
}
