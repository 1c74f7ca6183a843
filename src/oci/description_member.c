/* Members of a description: what each may be, and what is said when it is something else. */
#include "oci/description_reader.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "zigbee/zcl.h"

bool reader_fail(struct reader *r, enum err e, const char *member, const char *fmt, ...)
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

size_t reader_enter(struct reader *r, const char *name, size_t index)
{
	size_t len = strlen(r->path);

	snprintf(r->path + len, sizeof r->path - len, "%s%s[%zu]", len ? "." : "", name, index);
	return len;
}

void reader_leave(struct reader *r, size_t len)
{
	r->path[len] = '\0';
}

/* ---- members of any kind ---- */

/* Every member's name must be one of `names`, which are separated by spaces. */
bool reader_knows(struct reader *r, const struct json *object, const char *names)
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
static bool number_parse(const struct json *v, uint64_t *n)
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

static bool reader_number(struct reader *r, const struct json *object, const char *name, uint64_t most, bool required, uint64_t *n)
{
	const struct json *v = json_get(object, name);

	if (!v)
		return required ? WRONG(r, name, "is missing") : true;
	if (!number_parse(v, n) || *n > most)
		return WRONG(r, name, "must be a number from 0 to %llu, such as %llu or \"0x%llx\"", (unsigned long long)most, (unsigned long long)(most / 2),
		    (unsigned long long)(most / 2));
	return true;
}

bool reader_u16(struct reader *r, const struct json *object, const char *name, bool required, uint16_t *n)
{
	uint64_t value = *n;

	if (!reader_number(r, object, name, UINT16_MAX, required, &value))
		return false;
	*n = (uint16_t)value;
	return true;
}

bool reader_u8(struct reader *r, const struct json *object, const char *name, uint8_t most, bool required, uint8_t *n)
{
	uint64_t value = *n;

	if (!reader_number(r, object, name, most, required, &value))
		return false;
	*n = (uint8_t)value;
	return true;
}

bool reader_double(struct reader *r, const struct json *object, const char *name, double *d)
{
	const struct json *v = json_get(object, name);

	if (!v)
		return true;
	if (!json_double(v, d) || !isfinite(*d) || fabs(*d) > 1e15)
		return WRONG(r, name, "must be a number");
	return true;
}

bool reader_bool(struct reader *r, const struct json *object, const char *name, bool *b)
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
bool reader_name(struct reader *r, const struct json *object, const char *name, const char *others, bool required, char *text, size_t size)
{
	const struct json *v = json_get(object, name);

	if (!v)
		return required ? WRONG(r, name, "is missing") : true;
	if (!json_text(v, text, size) || text[0] == '\0' || !is_name(rd_str(text), others))
		return WRONG(r, name, "must be a text of 1 to %zu letters, digits and characters of `%s`", size - 1, others);
	return true;
}

/* One number or a list of them. */
bool reader_u16s(struct reader *r, const struct json *object, const char *name, uint16_t *list, size_t most, size_t *count)
{
	const struct json *v = json_get(object, name), *item;
	uint64_t n;

	if (!v)
		return true;
	*count = 0;
	for (item = v->type == JSON_ARRAY ? v->first : v; item; item = v->type == JSON_ARRAY ? item->next : NULL) {
		if (!number_parse(item, &n) || n > UINT16_MAX)
			return WRONG(r, name, "must be a number up to 0xffff, or a list of such");
		if (*count == most)
			return reader_fail(r, ERR_FULL, name, "has more than %zu numbers", most);
		list[(*count)++] = (uint16_t)n;
	}
	return true;
}

/* The text of a JSON value that a member can have: true, 2, -1.5. */
bool scalar_print(const struct json *v, char *text, size_t size)
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

bool word_find(const struct word *words, size_t count, struct rd text, int *value)
{
	for (size_t i = 0; i < count; i++) {
		if (rd_is(text, words[i].name)) {
			*value = words[i].value;
			return true;
		}
	}
	return false;
}

bool reader_word(struct reader *r, const struct json *object, const char *name, const struct word *words, size_t count, int *value)
{
	const struct json *v = json_get(object, name);
	char list[160] = "";
	struct rd text;

	if (!v || (json_string(v, &text) && word_find(words, count, text, value)))
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

bool reader_type(struct reader *r, const struct json *object, uint8_t *type)
{
	int value = *type;

	if (!reader_word(r, object, "type", WORDS(types), &value))
		return false;
	*type = (uint8_t)value;
	return true;
}
