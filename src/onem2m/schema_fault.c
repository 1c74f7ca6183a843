/* The sentence for what is wrong with a value: where it lies, and what it should be. */
#include "onem2m/schema_fault.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#define NAME_SHOWN 48   /* octets of a peer's name in a fault text; the sentence behind it must fit too */
#define WORDS_SHOWN 100 /* octets of text after which no further permitted word is named */

/* The fault text while it is written: what does not fit is left out. */
struct note {
	struct schema_fault *fault;
	size_t used;
};

static void note_octet(struct note *n, char c)
{
	if (n->used + 1 < sizeof n->fault->text)
		n->fault->text[n->used++] = c;
	n->fault->text[n->used] = '\0';
}

PRINTF_LIKE(2, 3)
static void note_put(struct note *n, const char *format, ...)
{
	char text[128];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	for (const char *c = text; *c; c++)
		note_octet(n, *c);
}

/* A name as the peer wrote it: shortened between characters, control characters and back quotes replaced. The text is UTF-8. */
static void note_name(struct note *n, struct rd name)
{
	size_t shown = name.left;
	uint8_t c;

	if (shown > NAME_SHOWN)
		for (shown = NAME_SHOWN; shown > 0 && (name.at[shown] & 0xc0) == 0x80; shown--)
			;
	for (size_t i = 0; i < shown && rd_u8(&name, &c); i++)
		note_octet(n, c < ' ' || c == 0x7f || c == '`' ? '?' : (char)c);
	if (!rd_end(&name))
		note_put(n, "...");
}

static void note_place(struct note *n, const struct schema_place *p)
{
	if (p->up)
		note_place(n, p->up);
	if (!p->name.at) {
		note_put(n, "[%zu]", p->index);
		return;
	}
	if (p->up)
		note_octet(n, '.');
	note_name(n, p->name);
}

static struct note note_start(struct schema_fault *fault, const struct schema_place *p)
{
	struct note n = {fault, 0};

	fault->rsc = RSC_BAD_REQUEST;
	fault->text[0] = '\0';
	note_octet(&n, '`');
	note_place(&n, p);
	note_put(&n, "`: ");
	return n;
}

bool schema_fault_put(struct schema_fault *fault, const struct schema_place *p, const char *format, ...)
{
	struct note n = note_start(fault, p);
	char text[160];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	note_put(&n, "%s", text);
	return false;
}

/* "1..8, 100..999" */
static void note_values(struct note *n, const int *values)
{
	while (*values != INT_MIN) {
		const int *last = values;

		while (last[1] == last[0] + 1)
			last++;
		note_put(n, last == values ? "%d" : "%d..%d", *values, *last);
		values = last + 1;
		if (*values != INT_MIN)
			note_put(n, ", ");
	}
}

static void note_integer(struct note *n, const struct schema_datatype *t)
{
	if (t->min == INT64_MIN && t->max == INT64_MAX)
		note_put(n, "an integer");
	else if (t->max == INT64_MAX && t->min <= 1)
		note_put(n, t->min == 1 ? "a positive integer" : "a non-negative integer");
	else
		note_put(n, "an integer from %" PRId64 " to %" PRId64, t->min, t->max);
}

static const char *expected_string(enum schema_kind kind)
{
	switch (kind) {
	case SCHEMA_STRING:
		return "a string";
	case SCHEMA_TOKEN:
		return "a string without white space at its ends";
	case SCHEMA_NCNAME:
		return "a name (letters, digits, '_', '-', '.')";
	case SCHEMA_URI:
		return "a URI";
	case SCHEMA_ID:
		return "an identifier";
	case SCHEMA_RESOURCE_NAME:
		return "a resource name (letters, digits, '-', '.', '_', '~')";
	case SCHEMA_TIMESTAMP:
		return "a timestamp YYYYMMDDThhmmss[,fraction] that exists";
	case SCHEMA_ABS_REL_TIMESTAMP:
		return "a timestamp YYYYMMDDThhmmss[,fraction] or a number of milliseconds";
	case SCHEMA_DURATION:
		return "a duration such as PT10S";
	case SCHEMA_SCHEDULE:
		return "a schedule of seven fields: second minute hour day month weekday year";
	case SCHEMA_BASE64:
		return "a string in base64";
	case SCHEMA_CONTENT_INFO:
		return "a media type with encoding, such as application/json:0";
	case SCHEMA_IPV4:
		return "an IPv4 address";
	case SCHEMA_IPV6:
		return "an IPv6 address";
	case SCHEMA_BOOL:
		return "true or false";
	case SCHEMA_FLOAT:
		return "a number";
	case SCHEMA_LIST:
		return "a list";
	case SCHEMA_ANY:
	case SCHEMA_INTEGER:
	case SCHEMA_ENUM:
	case SCHEMA_STRING_ENUM:
		return "a value";
	case SCHEMA_OBJECT:
	case SCHEMA_GEO:
	case SCHEMA_ANY_OBJECT:
		return "an object";
	}
	return "a value";
}

static void note_expected(struct note *n, const struct schema_datatype *t)
{
	if (t->kind == SCHEMA_INTEGER) {
		note_integer(n, t);
	} else if (t->kind == SCHEMA_ENUM) {
		note_put(n, t->values[1] == INT_MIN ? "" : "one of ");
		note_values(n, t->values);
	} else if (t->kind == SCHEMA_STRING_ENUM) {
		note_put(n, "one of");
		for (const char *const *w = t->words; *w; w++) {
			if (n->used > WORDS_SHOWN) {
				note_put(n, ", ...");
				break;
			}
			note_put(n, "%s \"%s\"", w == t->words ? "" : ",", *w);
		}
	} else {
		note_put(n, "%s", expected_string(t->kind));
		if (t->kind == SCHEMA_OBJECT)
			note_put(n, " (%s)", t->name);
	}
}

const char *schema_fault_found(const struct json *v)
{
	switch (v->type) {
	case JSON_NULL:
		return "null";
	case JSON_FALSE:
	case JSON_TRUE:
		return "a boolean";
	case JSON_NUMBER:
		return "a number";
	case JSON_STRING:
		return "a string";
	case JSON_ARRAY:
		return "a list";
	case JSON_OBJECT:
		return "an object";
	}
	return "that";
}

bool schema_fault_wrong(struct schema_fault *fault, const struct schema_place *p, const struct schema_datatype *t, const struct json *v, bool type_fits)
{
	struct note n = note_start(fault, p);

	note_put(&n, "must be ");
	note_expected(&n, t);
	if (!type_fits)
		note_put(&n, ", not %s", schema_fault_found(v));
	return false;
}
