/* The JSON writer. */
#include "json/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

struct json_out json_out(struct wr *w)
{
	struct json_out o = {.w = w};

	return o;
}

static void escaped(struct wr *w, struct rd text)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t c;

	for (;;) {
		struct rd tail;
		size_t len;

		wr_rd(w, rd_plain(&text));
		len = utf8_length(text);
		if (!rd_u8(&text, &c))
			break;
		if (len == 0) {
			wr_str(w, REPLACEMENT);
		} else if (len > 1 && rd_sub(&text, len - 1, &tail)) {
			wr_u8(w, c);
			wr_rd(w, tail);
		} else if (c == '"' || c == '\\') {
			wr_u8(w, '\\');
			wr_u8(w, c);
		} else if (c == '\n') {
			wr_str(w, "\\n");
		} else if (c < 0x20) {
			wr_str(w, "\\u00");
			wr_u8(w, (uint8_t)hex[c >> 4]);
			wr_u8(w, (uint8_t)hex[c & 15]);
		} else {
			wr_u8(w, c);
		}
	}
}

static void quoted(struct wr *w, struct rd text)
{
	wr_u8(w, '"');
	wr_rd(w, rd_plain(&text));
	if (text.left > 0)
		escaped(w, text);
	wr_u8(w, '"');
}

static void start(struct json_out *o, const char *name)
{
	if (o->comma)
		wr_u8(o->w, ',');
	o->comma = true;
	if (name) {
		quoted(o->w, rd_str(name));
		wr_u8(o->w, ':');
	}
}

static void container(struct json_out *o, const char *name, char opener, char closer)
{
	start(o, name);
	if (o->depth == JSON_DEPTH_MAX) {
		o->w->spoilt = true;
		return;
	}
	o->closers[o->depth++] = closer;
	wr_u8(o->w, (uint8_t)opener);
	o->comma = false;
}

void json_object(struct json_out *o, const char *name)
{
	container(o, name, '{', '}');
}

void json_array(struct json_out *o, const char *name)
{
	container(o, name, '[', ']');
}

void json_close(struct json_out *o)
{
	if (o->depth == 0) {
		o->w->spoilt = true;
		return;
	}
	wr_u8(o->w, (uint8_t)o->closers[--o->depth]);
	o->comma = true;
}

void json_put_string(struct json_out *o, const char *name, const char *text)
{
	json_put_rd(o, name, rd_str(text));
}

void json_put_rd(struct json_out *o, const char *name, struct rd text)
{
	start(o, name);
	quoted(o->w, text);
}

void json_put_int(struct json_out *o, const char *name, int64_t n)
{
	start(o, name);
	if (n < 0)
		wr_u8(o->w, '-');
	wr_decimal(o->w, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

void json_put_uint(struct json_out *o, const char *name, uint64_t n)
{
	start(o, name);
	wr_decimal(o->w, n);
}

static bool reads_back(const char *text, double d)
{
	double back = strtod(text, NULL);

	return !(back < d) && !(back > d);
}

void json_put_double(struct json_out *o, const char *name, double d)
{
	char text[40];

	start(o, name);
	if (!isfinite(d)) {
		wr_str(o->w, "null");
		return;
	}
	/* The fewest digits that read back the same; as people write it, where that is not long. */
	for (int precision = 1; precision <= 17; precision++) {
		snprintf(text, sizeof text, "%.*g", precision, d);
		if (reads_back(text, d))
			break;
	}
	if (strchr(text, 'e') && fabs(d) >= 1e-4 && fabs(d) < 1e15)
		snprintf(text, sizeof text, "%.0f", d);
	wr_str(o->w, text);
}

void json_put_bool(struct json_out *o, const char *name, bool b)
{
	start(o, name);
	wr_str(o->w, b ? "true" : "false");
}

void json_put_null(struct json_out *o, const char *name)
{
	start(o, name);
	wr_str(o->w, "null");
}

void json_put_raw(struct json_out *o, const char *name, struct rd json)
{
	start(o, name);
	wr_rd(o->w, json);
}

void json_put(struct json_out *o, const char *name, const struct json *v)
{
	if (v)
		json_put_raw(o, name, v->source);
	else
		json_put_null(o, name);
}

void json_put_base64(struct json_out *o, const char *name, struct rd octets)
{
	start(o, name);
	wr_u8(o->w, '"');
	base64_print(o->w, octets);
	wr_u8(o->w, '"');
}
