/* Lexical forms of oneM2M values. */
#include "onem2m/schema_value.h"

#include <stdint.h>
#include <string.h>

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool peek(const struct rd *in, uint8_t *c)
{
	struct rd copy = *in;

	return rd_u8(&copy, c);
}

static bool take(struct rd *in, uint8_t wanted)
{
	uint8_t c;

	return peek(in, &c) && c == wanted && rd_u8(in, &c);
}

/* As many digits as there are, between min and max of them. Values beyond nine digits mean nothing: nobody asks for them. */
static bool digits(struct rd *in, size_t min, size_t max, uint32_t *value)
{
	uint32_t v = 0;
	size_t n = 0;
	uint8_t c;

	while (n < max && peek(in, &c) && is_digit(c) && rd_u8(in, &c)) {
		v = v * 10 + (uint32_t)(c - '0');
		n++;
	}
	if (value)
		*value = v;
	return n >= min;
}

bool value_is_token(struct rd text)
{
	uint8_t c, last = ' ';

	if (!text.left)
		return false;
	while (rd_u8(&text, &c)) {
		if (c < ' ' || (c == ' ' && last == ' '))
			return false;
		last = c;
	}
	return last != ' ';
}

/* Names in XML 1.0 without the colon. Of the characters beyond ASCII nearly all are letters there; the rest do no harm. */
bool value_is_ncname(struct rd text)
{
	uint8_t c;

	if (!rd_u8(&text, &c) || !(is_letter(c) || c == '_' || c >= 0x80))
		return false;
	while (rd_u8(&text, &c))
		if (!(is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c >= 0x80))
			return false;
	return true;
}

bool value_is_uri(struct rd text)
{
	uint8_t c;

	if (!text.left)
		return false;
	while (rd_u8(&text, &c))
		if (c <= ' ' || c == 0x7f)
			return false;
	return true;
}

bool value_is_resource_name(struct rd text)
{
	uint8_t c;

	if (!text.left)
		return false;
	while (rd_u8(&text, &c))
		if (!(is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~'))
			return false;
	return true;
}

static uint32_t days_in_month(uint32_t year, uint32_t month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

bool value_is_timestamp(struct rd text)
{
	uint32_t year, month, day, hour, minute, second;

	if (!digits(&text, 4, 4, &year) || !digits(&text, 2, 2, &month) || !digits(&text, 2, 2, &day) || !take(&text, 'T') ||
	    !digits(&text, 2, 2, &hour) || !digits(&text, 2, 2, &minute) || !digits(&text, 2, 2, &second))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 59)
		return false;
	return rd_end(&text) || (take(&text, ',') && digits(&text, 1, 9, NULL) && rd_end(&text));
}

bool value_is_abs_rel_timestamp(struct rd text)
{
	struct rd relative = text;

	(void)!take(&relative, '-');
	return (digits(&relative, 1, 18, NULL) && rd_end(&relative)) || value_is_timestamp(text);
}

/* Components such as 1Y2M in the order of `units`; a fraction only before S. *count grows by the components found. */
static bool duration_part(struct rd *in, const char *units, unsigned *count)
{
	uint8_t c;

	while (peek(in, &c) && is_digit(c)) {
		const char *unit;
		bool fraction;

		if (!digits(in, 1, SIZE_MAX, NULL))
			return false;
		fraction = take(in, '.');
		if ((fraction && !digits(in, 1, SIZE_MAX, NULL)) || !rd_u8(in, &c) || c == 0)
			return false;
		unit = strchr(units, c);
		if (!unit || (fraction && c != 'S'))
			return false;
		units = unit + 1;
		++*count;
	}
	return true;
}

bool value_is_duration(struct rd text)
{
	unsigned days = 0, times = 0;

	(void)!take(&text, '-');
	if (!take(&text, 'P') || !duration_part(&text, "YMD", &days))
		return false;
	if (take(&text, 'T') && (!duration_part(&text, "HMS", &times) || times == 0))
		return false;
	return rd_end(&text) && days + times > 0;
}

/* One of `*`, `*`/step, a, a-b, a-b/step, joined by commas. */
static bool schedule_field(struct rd field, uint32_t low, uint32_t high)
{
	do {
		uint32_t first, last, step;

		if (!take(&field, '*')) {
			if (!digits(&field, 1, 4, &first) || first < low || first > high)
				return false;
			if (take(&field, '-') && (!digits(&field, 1, 4, &last) || last < first || last > high))
				return false;
		}
		if (take(&field, '/') && (!digits(&field, 1, 4, &step) || step == 0))
			return false;
	} while (take(&field, ','));
	return rd_end(&field);
}

bool value_is_schedule(struct rd text)
{
	static const struct {
		uint32_t low, high;
	} fields[] = {{0, 59}, {0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 7}, {1970, 9999}}; /* second to year; Sunday is 0 and 7 */
	size_t count = sizeof fields / sizeof *fields;

	for (size_t i = 0; i < count; i++) {
		struct rd field;

		if (i + 1 == count)
			field = rd_rest(&text);
		else if (!rd_until(&text, ' ', &field))
			return false;
		if (!schedule_field(field, fields[i].low, fields[i].high))
			return false;
	}
	return true;
}

bool value_is_base64(struct rd text)
{
	size_t len = text.left, padding = 0;
	uint8_t c;

	if (len % 4 != 0)
		return false;
	while (rd_u8(&text, &c)) {
		if (c == '=')
			padding++;
		else if (padding || !(is_letter(c) || is_digit(c) || c == '+' || c == '/'))
			return false;
	}
	return padding <= 2;
}

bool value_is_content_info(struct rd text)
{
	struct rd media, type;
	uint32_t n;
	uint8_t c;

	if (!rd_until(&text, ':', &media) || !rd_until(&media, '/', &type) || !type.left || !media.left || !value_is_uri(type))
		return false;
	while (rd_u8(&media, &c)) /* subtype, and parameters after ';' */
		if (c < ' ' || c == '/')
			return false;
	if (!digits(&text, 1, 1, &n) || n > 2)
		return false;
	return rd_end(&text) || (take(&text, ':') && digits(&text, 1, 1, &n) && n <= 5 && rd_end(&text));
}

static bool prefix_length(struct rd *text, uint32_t max)
{
	uint32_t n;

	return rd_end(text) || (take(text, '/') && digits(text, 1, 3, &n) && n <= max && rd_end(text));
}

static bool dotted_quad(struct rd *text)
{
	for (int i = 0; i < 4; i++) {
		uint32_t n;

		if ((i > 0 && !take(text, '.')) || !digits(text, 1, 3, &n) || n > 255)
			return false;
	}
	return true;
}

bool value_is_ipv4(struct rd text)
{
	return dotted_quad(&text) && prefix_length(&text, 32);
}

static bool hex_group(struct rd *text)
{
	size_t n = 0;
	uint8_t c;

	while (n < 5 && peek(text, &c) && (is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) && rd_u8(text, &c))
		n++;
	return n >= 1 && n <= 4;
}

/* RFC 4291 clause 2.2: eight groups, one run of them may be "::", the last two may be a dotted quad. */
bool value_is_ipv6(struct rd text)
{
	unsigned groups = 0;
	bool gap = false;

	for (;;) {
		struct rd quad = text;
		uint8_t c;

		if (groups <= 6 && dotted_quad(&quad)) {
			text = quad;
			groups += 2;
			break;
		}
		if (rd_starts(text, "::") && !gap && rd_skip(&text, 2)) {
			gap = true;
			if (!peek(&text, &c) || c == '/')
				break;
			continue;
		}
		if (!hex_group(&text) || ++groups > 8)
			return false;
		if (!peek(&text, &c) || c == '/')
			break;
		if (!rd_starts(text, "::") && !take(&text, ':'))
			return false;
	}
	return (gap ? groups < 8 : groups == 8) && prefix_length(&text, 128);
}

static void space(struct rd *in)
{
	while (take(in, ' ') || take(in, '\t') || take(in, '\n') || take(in, '\r'))
		;
}

static bool mark(struct rd *in, uint8_t c)
{
	space(in);
	return take(in, c);
}

static bool number(struct rd *in)
{
	space(in);
	(void)!take(in, '-');
	if (!take(in, '0') && !digits(in, 1, SIZE_MAX, NULL))
		return false;
	if (take(in, '.') && !digits(in, 1, SIZE_MAX, NULL))
		return false;
	if (take(in, 'e') || take(in, 'E')) {
		if (!take(in, '-'))
			(void)!take(in, '+');
		return digits(in, 1, SIZE_MAX, NULL);
	}
	return true;
}

/* A position: two numbers, or three with the altitude. *text is what was read. */
static bool position(struct rd *in, struct rd *text)
{
	struct rd start;
	size_t n = 0;

	space(in);
	start = *in;
	if (!take(in, '['))
		return false;
	do {
		if (!number(in) || ++n > 3)
			return false;
	} while (mark(in, ','));
	if (n < 2 || !mark(in, ']'))
		return false;
	*text = rd_of(start.at, start.left - in->left);
	return true;
}

/* Positions in brackets, at least `min`. A ring ends where it began (compared as written). */
static bool positions(struct rd *in, size_t min, bool ring)
{
	struct rd first = {0}, last = {0};
	size_t n = 0;

	if (!mark(in, '['))
		return false;
	do {
		if (!position(in, &last))
			return false;
		if (n++ == 0)
			first = last;
	} while (mark(in, ','));
	return mark(in, ']') && n >= min && (!ring || rd_equal(first, last));
}

static bool many_positions(struct rd *in, size_t min, bool ring)
{
	if (!mark(in, '['))
		return false;
	do {
		if (!positions(in, min, ring))
			return false;
	} while (mark(in, ','));
	return mark(in, ']');
}

static bool polygons(struct rd *in)
{
	if (!mark(in, '['))
		return false;
	do {
		if (!many_positions(in, 4, true))
			return false;
	} while (mark(in, ','));
	return mark(in, ']');
}

bool value_is_geometry(int geometry, struct rd in)
{
	struct rd text;
	bool ok = false;

	switch (geometry) {
	case 1: /* Point */
		ok = position(&in, &text);
		break;
	case 2: /* LineString */
		ok = positions(&in, 2, false);
		break;
	case 3: /* Polygon: rings */
		text = in;
		ok = many_positions(&in, 4, true);
		if (!ok) { /* clients leave the outer brackets out when there is but one ring */
			in = text;
			ok = positions(&in, 4, true);
		}
		break;
	case 4: /* MultiPoint */
		ok = positions(&in, 1, false);
		break;
	case 5: /* MultiLineString */
		ok = many_positions(&in, 2, false);
		break;
	case 6: /* MultiPolygon */
		text = in;
		ok = polygons(&in);
		if (!ok) {
			in = text;
			ok = many_positions(&in, 4, true);
		}
		break;
	}
	space(&in);
	return ok && rd_end(&in);
}
