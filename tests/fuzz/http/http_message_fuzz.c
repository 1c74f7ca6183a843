/* Any octets as a request: what is taken of them all at once is what is taken when they come in two parts; a head that is taken says one thing only, put
 * together again it is taken again; and a body in chunks has as many octets as its chunks say. Input: how many octets come first, and the octets. */
#include <string.h>
#include <strings.h>

#include "base/wr.h"
#include "http/message.h"
#include "../fuzz.h"

#define BODY_MAX (8 * FUZZ_INPUT_MAX)

struct outcome {
	enum http_taken head, body;
	struct wr text; /* the body */
	size_t left;
};

static bool same(struct rd a, struct rd b)
{
	return rd_equal(a, b) && (a.left == 0 || a.at == b.at);
}

static void check_head(const struct http_request_head *h)
{
	unsigned lengths = 0, encodings = 0, hosts = 0;

	MUST(h->method.left > 0 && !memchr(h->path.at ? h->path.at : (const uint8_t *)"", '?', h->path.left));
	MUST(!rd_has_control(h->path) && !rd_has_control(h->query));
	for (size_t i = 0; i < h->field_count; i++) {
		const struct http_field *f = &h->fields[i];

		MUST(http_is_token(f->name) && !rd_has_control(f->value));
		lengths += f->name.left == 14 && strncasecmp((const char *)f->name.at, "content-length", 14) == 0;
		encodings += f->name.left == 17 && strncasecmp((const char *)f->name.at, "transfer-encoding", 17) == 0;
		hosts += f->name.left == 4 && strncasecmp((const char *)f->name.at, "host", 4) == 0;
	}
	MUST(lengths + encodings <= 1 && hosts <= 1 && (hosts == 1 || h->old));
	MUST(h->has_length == (lengths == 1) && h->chunked == (encodings == 1) && (!h->chunked || (h->length == 0 && !h->old)));
}

/* Its parts, written anew. */
static void check_again(const struct http_request_head *h)
{
	static struct http_request_head again;
	static uint8_t octets[HTTP_HEAD_MAX + 8 * HTTP_FIELDS_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	struct rd in;

	if (h->path.left == 0)
		return;
	wr_rd(&w, h->method);
	wr_u8(&w, ' ');
	wr_rd(&w, h->path);
	wr_u8(&w, '?');
	wr_rd(&w, h->query);
	wr_str(&w, h->old ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
	for (size_t i = 0; i < h->field_count; i++) {
		wr_rd(&w, h->fields[i].name);
		wr_str(&w, ": ");
		wr_rd(&w, h->fields[i].value);
		wr_str(&w, "\r\n");
	}
	wr_str(&w, "\r\n");
	if (!wr_done(&w, &in) || in.left > HTTP_HEAD_MAX || strncasecmp((const char *)h->path.at, "http", h->path.left < 4 ? h->path.left : 4) == 0)
		return;
	MUST(http_request_take(&in, &again) == HTTP_WHOLE && in.left == 0);
	MUST(rd_equal(again.method, h->method) && rd_equal(again.path, h->path) && rd_equal(again.query, h->query) && again.field_count == h->field_count);
	MUST(again.keep_alive == h->keep_alive && again.chunked == h->chunked && again.expects == h->expects && again.length == h->length);
	for (size_t i = 0; i < h->field_count; i++)
		MUST(rd_equal(again.fields[i].name, h->fields[i].name) && rd_equal(again.fields[i].value, h->fields[i].value));
}

/* The chunks, of which the first octets come alone. */
static void take_body(struct rd all, size_t first, struct outcome *o)
{
	struct http_chunks c = {.left = 0};
	size_t taken = 0, have = first < all.left ? first : all.left;

	for (;;) {
		struct rd in = rd_of(all.at + taken, have - taken), data, before = in;

		o->body = http_chunks_take(&c, &in, &data);
		MUST(in.left + data.left <= before.left && (data.left == 0 || (data.at >= before.at && data.at + data.left <= in.at)));
		wr_rd(&o->text, data);
		taken = have - in.left;
		o->left = all.left - taken;
		if (o->body != HTTP_MORE || (data.left == 0 && have == all.left))
			return;
		if (data.left == 0)
			have = all.left;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_request_head whole, part;
	struct outcome o[2] = {{.text = wr_new(BODY_MAX)}, {.text = wr_new(BODY_MAX)}};
	struct rd all, in, early;
	enum http_taken t, first;

	if (size < 2 || size > BODY_MAX)
		return 0;
	all = rd_of(data + 2, size - 2);
	in = all;
	early = rd_of(all.at, (size_t)(data[0] << 8 | data[1]) % (all.left + 1));
	t = http_request_take(&in, &whole);
	first = http_request_take(&early, &part);
	if (t == HTTP_WHOLE) {
		check_head(&whole);
		check_again(&whole);
		MUST(first != HTTP_REFUSED);
	}
	if (t == HTTP_MORE)
		MUST(first == HTTP_MORE && in.left == all.left);
	if (t == HTTP_REFUSED)
		MUST(whole.status >= 400 && whole.why && first != HTTP_WHOLE);
	if (first == HTTP_WHOLE)
		MUST(t == HTTP_WHOLE && same(part.method, whole.method) && same(part.path, whole.path) && part.field_count == whole.field_count);
	take_body(all, all.left, &o[0]);
	take_body(all, early.left, &o[1]);
	MUST(o[0].body == o[1].body);
	if (o[0].body == HTTP_WHOLE)
		MUST(o[0].left == o[1].left && o[0].text.len == o[1].text.len && (o[0].text.len == 0 || memcmp(o[0].text.octets, o[1].text.octets, o[0].text.len) == 0));
	wr_free(&o[0].text);
	wr_free(&o[1].text);
	return 0;
}
