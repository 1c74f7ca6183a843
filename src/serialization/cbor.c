/* CBOR, RFC 8949, as TS-0004 clause 8.5 uses it: what JSON can say, nothing else. */
#include <cbor.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "serialization/private.h"

/* ---- reading ---- */

enum frame_kind { FRAME_ARRAY, FRAME_MAP, FRAME_TEXT /* chunks of a string of indefinite length */ };

struct frame {
	enum frame_kind kind;
	bool indefinite;
	uint64_t left; /* items, or names and values together, that a definite one still wants */
	uint64_t done; /* in a map an even number says: a name comes */
};

struct reader {
	struct wr *json;
	struct complaint *complaint;
	enum err error;
	struct frame frames[JSON_DEPTH_MAX + 1];
	size_t depth;
	struct wr text;    /* of chunks */
	bool octets;       /* the chunks are byte strings */
	bool complete;     /* the one item at the top is there */
	bool broke;        /* the head was a break */
};

static void fail(struct reader *r, enum err e, const char *why)
{
	if (r->error == OK)
		r->error = complain(r->complaint, e, why);
}

static struct frame *top(struct reader *r)
{
	return r->depth > 0 ? &r->frames[r->depth - 1] : NULL;
}

static bool is_name_next(struct reader *r)
{
	const struct frame *f = top(r);

	return f && f->kind == FRAME_MAP && f->done % 2 == 0;
}

/* What stands before a value or a name. */
static void separate(struct reader *r)
{
	const struct frame *f = top(r);

	if (!f || f->done == 0)
		return;
	wr_u8(r->json, f->kind == FRAME_MAP && f->done % 2 == 1 ? ':' : ',');
}

/* A value begins. A name may only be a string. */
static bool begin(struct reader *r)
{
	if (r->error != OK)
		return false;
	if (r->depth > 0 && top(r)->kind == FRAME_TEXT) {
		fail(r, ERR_MALFORMED, "a string in parts has a part that is no string");
		return false;
	}
	if (is_name_next(r)) {
		fail(r, ERR_MALFORMED, "a name in a map must be a text string");
		return false;
	}
	separate(r);
	return true;
}

/* A value ended: and with it, perhaps, what it stands in. */
static void end(struct reader *r)
{
	struct frame *f;

	while ((f = top(r)) != NULL) {
		f->done++;
		if (f->indefinite || --f->left > 0)
			return;
		wr_u8(r->json, f->kind == FRAME_MAP ? '}' : ']');
		r->depth--;
	}
	r->complete = true;
}

static void push(struct reader *r, enum frame_kind kind, bool indefinite, uint64_t left)
{
	if (r->depth == sizeof r->frames / sizeof r->frames[0]) {
		fail(r, ERR_TOO_LONG, "the content is nested too deeply");
		return;
	}
	r->frames[r->depth++] = (struct frame){kind, indefinite, left, 0};
}

static void container(struct reader *r, enum frame_kind kind, bool indefinite, uint64_t count)
{
	if (!begin(r))
		return;
	wr_str(r->json, kind == FRAME_MAP ? "{" : "[");
	if (!indefinite && count == 0) {
		wr_str(r->json, kind == FRAME_MAP ? "}" : "]");
		end(r);
	} else if (kind == FRAME_MAP && count > UINT64_MAX / 2) {
		fail(r, ERR_SHORT, "the content ends too early");
	} else {
		push(r, kind, indefinite, kind == FRAME_MAP ? count * 2 : count);
	}
}

static bool is_utf8(struct rd text)
{
	while (text.left > 0) {
		size_t n = utf8_length(text);

		if (n == 0 || !rd_skip(&text, n))
			return false;
	}
	return true;
}

static void quoted(struct reader *r, struct rd text)
{
	struct json_out o = json_out(r->json);

	json_put_rd(&o, NULL, text);
}

/* Text strings, and byte strings that are text: the examples in TS-0004 clause 8.5.2 write names and values as byte strings. */
static void string(struct reader *r, struct rd text, bool octets)
{
	if (r->error != OK)
		return;
	if (!is_utf8(text)) {
		fail(r, octets ? ERR_UNSUPPORTED : ERR_MALFORMED, octets ? "a byte string that is no text: binary data travels in base64" : "a text string is no UTF-8");
		return;
	}
	if (r->depth > 0 && top(r)->kind == FRAME_TEXT) {
		if (octets != r->octets)
			fail(r, ERR_MALFORMED, "a string in parts has a part of another kind");
		wr_rd(&r->text, text);
		return;
	}
	separate(r);
	quoted(r, text);
	end(r);
}

static void string_in_parts(struct reader *r, bool octets)
{
	if (r->error != OK)
		return;
	if (r->depth > 0 && top(r)->kind == FRAME_TEXT) {
		fail(r, ERR_MALFORMED, "a string in parts has a part in parts");
		return;
	}
	r->octets = octets;
	wr_reset(&r->text);
	push(r, FRAME_TEXT, true, 0);
}

static void on_break(void *ctx)
{
	struct reader *r = ctx;
	struct frame *f = top(r);

	if (r->error != OK)
		return;
	if (!f || !f->indefinite || (f->kind == FRAME_MAP && f->done % 2 == 1)) {
		fail(r, ERR_MALFORMED, "a break stands where nothing can end");
		return;
	}
	r->depth--;
	if (f->kind == FRAME_TEXT) {
		struct rd text = rd_of("", 0);

		if (!wr_done(&r->text, &text))
			fail(r, ERR_TOO_LONG, "a string is too long");
		separate(r);
		quoted(r, text);
	} else {
		wr_u8(r->json, f->kind == FRAME_MAP ? '}' : ']');
	}
	end(r);
}

static void on_unsigned(struct reader *r, uint64_t n)
{
	if (!begin(r))
		return;
	wr_fmt(r->json, "%" PRIu64, n);
	end(r);
}

/* Major type 1 holds -1 - n. */
static void on_negative(struct reader *r, uint64_t n)
{
	if (!begin(r))
		return;
	if (n == UINT64_MAX)
		wr_str(r->json, "-18446744073709551616");
	else
		wr_fmt(r->json, "-%" PRIu64, n + 1);
	end(r);
}

/* The shortest text that reads back, with a sign that it is no integer. */
static void on_float(struct reader *r, double d)
{
	size_t before;

	if (!begin(r))
		return;
	if (!isfinite(d)) {
		fail(r, ERR_BAD_VALUE, "a number is infinite, or none");
		return;
	}
	before = r->json->len;
	json_put_double(&(struct json_out){.w = r->json}, NULL, d);
	if (!r->json->spoilt && !memchr(r->json->octets + before, '.', r->json->len - before) && !memchr(r->json->octets + before, 'e', r->json->len - before))
		wr_str(r->json, ".0");
	end(r);
}

/* clang-format off */
static void on_uint8(void *r, uint8_t n) { on_unsigned(r, n); }
static void on_uint16(void *r, uint16_t n) { on_unsigned(r, n); }
static void on_uint32(void *r, uint32_t n) { on_unsigned(r, n); }
static void on_uint64(void *r, uint64_t n) { on_unsigned(r, n); }
static void on_negint8(void *r, uint8_t n) { on_negative(r, n); }
static void on_negint16(void *r, uint16_t n) { on_negative(r, n); }
static void on_negint32(void *r, uint32_t n) { on_negative(r, n); }
static void on_negint64(void *r, uint64_t n) { on_negative(r, n); }
static void on_single(void *r, float f) { on_float(r, (double)f); }
static void on_double(void *r, double d) { on_float(r, d); }
static void on_string(void *r, cbor_data octets, size_t len) { string(r, rd_of(octets, len), false); }
static void on_byte_string(void *r, cbor_data octets, size_t len) { string(r, rd_of(octets, len), true); }
static void on_string_start(void *r) { string_in_parts(r, false); }
static void on_byte_string_start(void *r) { string_in_parts(r, true); }
static void on_array(void *r, size_t n) { container(r, FRAME_ARRAY, false, n); }
static void on_indefinite_array(void *r) { container(r, FRAME_ARRAY, true, 0); }
static void on_map(void *r, size_t n) { container(r, FRAME_MAP, false, n); }
static void on_indefinite_map(void *r) { container(r, FRAME_MAP, true, 0); }
/* clang-format on */

static void on_tag(void *ctx, uint64_t tag)
{
	(void)tag;
	fail(ctx, ERR_UNSUPPORTED, "tags are not used in oneM2M");
}

static void on_undefined(void *ctx)
{
	fail(ctx, ERR_UNSUPPORTED, "`undefined` has no meaning in oneM2M");
}

static void on_null(void *ctx)
{
	struct reader *r = ctx;

	if (!begin(r))
		return;
	wr_str(r->json, "null");
	end(r);
}

static void on_boolean(void *ctx, bool b)
{
	struct reader *r = ctx;

	if (!begin(r))
		return;
	wr_str(r->json, b ? "true" : "false");
	end(r);
}

static const struct cbor_callbacks callbacks = {
	.uint8 = on_uint8, .uint16 = on_uint16, .uint32 = on_uint32, .uint64 = on_uint64,
	.negint8 = on_negint8, .negint16 = on_negint16, .negint32 = on_negint32, .negint64 = on_negint64,
	.byte_string_start = on_byte_string_start, .byte_string = on_byte_string, .string = on_string, .string_start = on_string_start,
	.indef_array_start = on_indefinite_array, .array_start = on_array, .indef_map_start = on_indefinite_map, .map_start = on_map,
	.tag = on_tag, .float2 = on_single, .float4 = on_single, .float8 = on_double,
	.undefined = on_undefined, .null = on_null, .boolean = on_boolean, .indef_break = on_break,
};

enum err cbor_to_json(struct rd in, struct wr *json, struct complaint *c)
{
	struct reader r = {.json = json, .complaint = c, .text = wr_new(in.left)};

	while (r.error == OK && !r.complete) {
		struct cbor_decoder_result head = cbor_stream_decode(in.at, in.left, &callbacks, &r);

		if (head.status == CBOR_DECODER_NEDATA)
			fail(&r, ERR_SHORT, "the content ends too early");
		else if (head.status != CBOR_DECODER_FINISHED || !rd_skip(&in, head.read))
			fail(&r, ERR_MALFORMED, "an octet begins no item of CBOR that JSON has");
	}
	if (r.error == OK && !rd_end(&in))
		fail(&r, ERR_MALFORMED, "something follows the content");
	wr_free(&r.text);
	return r.error;
}

/* ---- writing: the shortest form of everything, lengths definite ---- */

#define HEAD_MAX 9

static void head(struct wr *out, size_t (*encode)(size_t, unsigned char *, size_t), size_t n)
{
	unsigned char octets[HEAD_MAX];

	wr_copy(out, octets, encode(n, octets, sizeof octets));
}

static void text(struct wr *out, struct rd octets)
{
	head(out, cbor_encode_string_start, octets.left);
	wr_rd(out, octets);
}

static bool is_integer(struct rd number)
{
	return !memchr(number.at, '.', number.left) && !memchr(number.at, 'e', number.left) && !memchr(number.at, 'E', number.left);
}

static bool put_integer(struct wr *out, struct rd number)
{
	unsigned char octets[HEAD_MAX];
	bool negative = rd_starts(number, "-");
	uint64_t n;

	if ((negative && !rd_skip(&number, 1)) || !rd_decimal(number, &n))
		return false; /* more than 64 bits */
	if (negative && n > 0)
		wr_copy(out, octets, cbor_encode_negint(n - 1, octets, sizeof octets));
	else
		wr_copy(out, octets, cbor_encode_uint(n, octets, sizeof octets));
	return true;
}

static enum err put_float(struct wr *out, const struct json *v)
{
	unsigned char octets[HEAD_MAX];
	double d;
	float f;

	if (!json_double(v, &d) || !isfinite(d))
		return ERR_BAD_VALUE;
	f = fabs(d) <= (double)3.402823466e+38f ? (float)d : 0.0f;
	if ((double)f < d || (double)f > d)
		wr_copy(out, octets, cbor_encode_double(d, octets, sizeof octets));
	else
		wr_copy(out, octets, cbor_encode_single(f, octets, sizeof octets));
	return OK;
}

enum err cbor_from_json(const struct json *v, struct wr *out)
{
	unsigned char octet[HEAD_MAX];
	enum err e = OK;

	switch (v->type) {
	case JSON_NULL:
		wr_copy(out, octet, cbor_encode_null(octet, sizeof octet));
		break;
	case JSON_FALSE:
	case JSON_TRUE:
		wr_copy(out, octet, cbor_encode_bool(v->type == JSON_TRUE, octet, sizeof octet));
		break;
	case JSON_NUMBER:
		return is_integer(v->text) && put_integer(out, v->text) ? OK : put_float(out, v);
	case JSON_STRING:
		text(out, v->text);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		head(out, v->type == JSON_ARRAY ? cbor_encode_array_start : cbor_encode_map_start, v->count);
		for (const struct json *m = v->first; m && e == OK; m = m->next) {
			if (v->type == JSON_OBJECT)
				text(out, m->key);
			e = cbor_from_json(m, out);
		}
		break;
	}
	return e;
}
