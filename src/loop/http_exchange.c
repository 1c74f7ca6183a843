/* Requests to the HTTP server and their answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "loop/http_private.h"
#include "loop/tls_life.h"

enum exchange_state {
	EXCHANGE_READING,   /* its body is on its way */
	EXCHANGE_IN_HANDLER,
	EXCHANGE_WAITING,   /* for its answer */
	EXCHANGE_ANSWERED,
	EXCHANGE_GONE,      /* no connection any more; whoever holds it answers later, to nobody */
};

/* Places in a text that may still move while it grows. */
struct kept_header {
	size_t name, name_len, value, value_len;
};

struct http_exchange {
	struct http_server *server;
	struct http_peer *peer;
	struct http_exchange *next, **link; /* in server->waiting; next also among the server's spares */
	enum exchange_state state;
	bool too_long, old, is_head;
	size_t dropped;
	struct wr text;                     /* path, query, and the head, zero-terminated each */
	size_t path, query, method, address;
	struct http_identity *identity;
	struct kept_header *headers;
	size_t header_count, header_room;
	struct wr body;
	struct wr answer;                   /* as it is sent */
	http_upgraded *upgraded;            /* the answer is 101; NULL once that was told */
	void *upgraded_ctx;
};

/* A few exchanges are kept with the memory that they have, for the next requests. */
#define SPARE_EXCHANGES 64
#define SPARE_OCTETS 8192 /* a writer of more is not kept */
#define ANSWER_MAX ((size_t)1 << 30)

static const char *text_at(const struct http_exchange *x, size_t at)
{
	return (const char *)x->text.octets + at;
}

static void end_upgrade(struct http_exchange *x)
{
	http_upgraded *fn = x->upgraded;

	x->upgraded = NULL;
	if (fn)
		fn(x->upgraded_ctx, NULL);
}

static void exchange_discard(struct http_exchange *x)
{
	end_upgrade(x);
	wr_free(&x->text);
	wr_free(&x->body);
	wr_free(&x->answer);
	http_identity_free(x->identity);
	free(x->headers);
	free(x);
}

/* What was written may be a secret on its way: it is wiped, as wr_free does. */
static void room_keep(struct wr *w)
{
	if (w->capacity > SPARE_OCTETS)
		wr_free(w);
	else if (w->len > 0)
		bytes_wipe(w->octets, w->len);
	wr_reset(w);
}

/* Not of one that is gone: it may outlive the server. */
static void exchange_free(struct http_exchange *x)
{
	struct http_server *s = x->server;

	if (s->spare_count == SPARE_EXCHANGES) {
		exchange_discard(x);
		return;
	}
	end_upgrade(x);
	http_identity_free(x->identity);
	x->identity = NULL;
	room_keep(&x->text);
	room_keep(&x->body);
	room_keep(&x->answer);
	x->next = s->spare;
	s->spare = x;
	s->spare_count++;
}

static struct http_exchange *exchange_new(struct http_server *s)
{
	struct http_exchange *x = s->spare;

	if (!x) {
		x = calloc(1, sizeof *x);
		if (!x)
			return NULL;
		x->text = wr_new(HTTP_BODY_MAX);
		x->body = wr_new(HTTP_BODY_MAX);
		x->answer = wr_new(ANSWER_MAX);
	} else {
		s->spare = x->next;
		s->spare_count--;
		*x = (struct http_exchange){.text = x->text, .body = x->body, .answer = x->answer, .headers = x->headers, .header_room = x->header_room};
	}
	x->server = s;
	return x;
}

/* A zero-terminated copy at the end of w; where it begins. */
static size_t text_add(struct wr *w, struct rd text)
{
	size_t at = w->len;

	wr_rd(w, text);
	wr_u8(w, 0);
	return at;
}

/* ---- the head, kept with the exchange: the connection may end before the answer ---- */

static void keep_field(struct http_exchange *x, const struct http_field *f, struct kept_header *h)
{
	size_t name = x->text.len, value = name + f->name.left + 1;
	uint8_t *room = wr_room(&x->text, f->name.left + 1 + f->value.left + 1);

	if (!room)
		return;
	*h = (struct kept_header){name, f->name.left, value, f->value.left};
	http_token_small(f->name, room);
	room[f->name.left] = 0;
	memcpy(room + f->name.left + 1, f->value.at, f->value.left);
	room[f->name.left + 1 + f->value.left] = 0;
}

static bool room_for_headers(struct http_exchange *x, size_t need)
{
	if (need <= x->header_room)
		return true;
	free(x->headers);
	x->header_room = 0;
	x->headers = malloc(need * sizeof *x->headers);
	if (x->headers)
		x->header_room = need;
	return x->headers != NULL;
}

static bool keep_head(struct http_exchange *x, const struct http_request_head *h)
{
	struct rd text;

	if (!room_for_headers(x, h->field_count))
		return false;
	x->old = h->old;
	x->is_head = rd_is(h->method, "HEAD");
	x->path = text_add(&x->text, h->path);
	x->query = text_add(&x->text, h->query);
	x->method = text_add(&x->text, h->method);
	x->address = text_add(&x->text, rd_str(x->peer->address));
	for (; x->header_count < h->field_count; x->header_count++)
		keep_field(x, &h->fields[x->header_count], &x->headers[x->header_count]);
	return wr_done(&x->text, &text);
}

struct http_exchange *http_exchange_new(struct http_peer *p, const struct http_request_head *h)
{
	struct http_exchange *x = exchange_new(p->server);

	if (!x)
		return NULL;
	x->peer = p;
	if (p->link) {
		x->identity = p->link->identity;
		x->identity->holds++;
	}
	if (h && !keep_head(x, h)) {
		exchange_free(x);
		return NULL;
	}
	return x;
}

const char *http_request_header(struct http_exchange *x, const char *name)
{
	for (size_t i = 0; i < x->header_count; i++)
		if (strcasecmp(text_at(x, x->headers[i].name), name) == 0)
			return text_at(x, x->headers[i].value);
	return NULL;
}

void http_request_headers(struct http_exchange *x, http_each_header *fn, void *ctx)
{
	for (const struct kept_header *h = x->headers; h < x->headers + x->header_count; h++)
		fn(ctx, rd_of(text_at(x, h->name), h->name_len), rd_of(text_at(x, h->value), h->value_len));
}

struct tls_session *http_request_tls(struct http_exchange *x)
{
	struct http_link *link = x->state == EXCHANGE_GONE ? NULL : x->peer->link;

	return link ? http_bridge_tls(link->bridge) : NULL;
}

const struct tls_peer *http_exchange_tls_peer(const struct http_exchange *x)
{
	return x->identity ? &x->identity->peer : NULL;
}

/* ---- a request ---- */

static void simple_answer(struct http_exchange *x, unsigned status, const char *text)
{
	static const struct http_header headers[] = {{"Content-Type", "text/plain"}, {NULL, NULL}};

	http_answer(x, status, headers, rd_str(text));
}

static void dispatch(struct http_exchange *x)
{
	struct http_server *s = x->server;
	struct http_request rq = {
		.method = text_at(x, x->method),
		.path = text_at(x, x->path),
		.query = text_at(x, x->query),
		.peer = x->identity ? x->identity->peer.identity : "",
		.tls_peer = x->identity ? &x->identity->peer : NULL,
		.address = text_at(x, x->address),
		.tls = s->tls != NULL,
		.too_long = x->too_long,
	};

	if (x->too_long && !s->refuses_long) {
		simple_answer(x, 413, "the body is too long\n");
	} else if (s->tls && (!x->identity || !tls_life_lasts(x->identity->peer.expires_at))) {
		x->peer->last = true;
		simple_answer(x, 403, "the credential expired\n");
	} else if (!wr_done(&x->body, &rq.body)) {
		simple_answer(x, 500, "out of memory\n");
	} else {
		s->fn(s->ctx, x, &rq);
	}
}

static void wait_for_answer(struct http_exchange *x)
{
	struct http_server *s = x->server;

	x->state = EXCHANGE_WAITING;
	x->next = s->waiting;
	x->link = &s->waiting;
	if (x->next)
		x->next->link = &x->next;
	s->waiting = x;
}

static void wait_no_more(struct http_exchange *x)
{
	*x->link = x->next;
	if (x->next)
		x->next->link = x->link;
}

bool http_exchange_take(struct http_exchange *x, struct rd body)
{
	if (x->too_long || body.left > HTTP_BODY_MAX - x->body.len) {
		x->dropped += body.left;
		x->too_long = true;
		wr_free(&x->body);
	} else {
		wr_rd(&x->body, body);
	}
	return x->dropped <= HTTP_DROP_MAX;
}

/* By what its head says: not worth reading to the end, or its sender waits to be told to go on. */
bool http_exchange_refuses(struct http_exchange *x, const struct http_request_head *h)
{
	x->too_long = h->length > HTTP_DROP_MAX || (h->length > HTTP_BODY_MAX && h->expects);
	return x->too_long;
}

bool http_exchange_handle(struct http_exchange *x)
{
	x->state = EXCHANGE_IN_HANDLER;
	dispatch(x);
	if (x->state == EXCHANGE_ANSWERED)
		return true;
	wait_for_answer(x);
	return false;
}

void http_exchange_refuse(struct http_exchange *x, unsigned status, const char *why)
{
	x->state = EXCHANGE_IN_HANDLER;
	simple_answer(x, status, why);
}

void http_exchange_over(struct http_exchange *x)
{
	if (x->state == EXCHANGE_WAITING) {
		wait_no_more(x);
		x->state = EXCHANGE_GONE;
	} else {
		exchange_free(x);
	}
}

/* ---- the answer ---- */

/* RFC 9110 clause 15. The words matter to nobody but people. */
static const char *reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *reason;
	} reasons[] = {
		{101, "Switching Protocols"}, {200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"}, {301, "Moved Permanently"},
		{302, "Found"}, {303, "See Other"}, {304, "Not Modified"}, {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"},
		{404, "Not Found"}, {405, "Method Not Allowed"}, {406, "Not Acceptable"}, {408, "Request Timeout"}, {409, "Conflict"},
		{412, "Precondition Failed"}, {413, "Content Too Large"}, {414, "URI Too Long"}, {415, "Unsupported Media Type"},
		{423, "Locked"}, {424, "Failed Dependency"}, {429, "Too Many Requests"}, {431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"}, {501, "Not Implemented"}, {502, "Bad Gateway"}, {503, "Service Unavailable"},
		{504, "Gateway Timeout"}, {505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Status";
}

/* RFC 9110 clause 5.6.7, made once a second; strftime would speak the language of the process. */
static const char *date(struct http_server *s)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	uint64_t now = clock_unix_ms() / 1000;
	time_t at = (time_t)now;
	struct tm tm;

	if (s->date_at == now || !gmtime_r(&at, &tm))
		return s->date;
	s->date_at = now;
	snprintf(s->date, sizeof s->date, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday % 7], tm.tm_mday % 100, months[tm.tm_mon % 12],
	    (tm.tm_year + 1900) % 10000, tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
	return s->date;
}

static void put_field(struct wr *w, struct rd name, struct rd value)
{
	wr_rd(w, name);
	wr_copy(w, ": ", 2);
	wr_rd(w, value);
	wr_copy(w, "\r\n", 2);
}

static bool is_date(struct rd name)
{
	return name.left == 4 && strncasecmp((const char *)name.at, "Date", 4) == 0;
}

/* False: a value that no field can carry would be read as other fields, or as another answer. */
static bool put_fields(struct wr *w, const struct http_header *headers, bool *dated)
{
	for (; headers && headers->name; headers++) {
		struct rd name = rd_str(headers->name), value = rd_str(headers->value);

		if (!http_is_token(name) || rd_has_control(value))
			return false;
		*dated = *dated || is_date(name);
		put_field(w, name, value);
	}
	return true;
}

/* RFC 9110 clause 8.6: these have no body, and say nothing of its length. */
static bool has_no_body(unsigned status)
{
	return status < 200 || status == 204 || status == 304;
}

/* False: it cannot be said. */
static bool compose(struct http_exchange *x, unsigned status, const struct http_header *headers, struct rd body)
{
	struct wr *w = &x->answer;
	bool dated = false;

	wr_str(w, "HTTP/1.1 ");
	wr_decimal(w, status);
	wr_u8(w, ' ');
	wr_str(w, reason(status));
	wr_copy(w, "\r\n", 2);
	if (x->upgraded)
		wr_str(w, "Connection: Upgrade\r\n");
	else if (x->peer->last)
		wr_str(w, "Connection: close\r\n");
	else if (x->old)
		wr_str(w, "Connection: keep-alive\r\n");
	if (!put_fields(w, headers, &dated))
		return false;
	if (!dated)
		put_field(w, rd_str("Date"), rd_str(date(x->server)));
	if (!has_no_body(status)) {
		wr_str(w, "Content-Length: ");
		wr_decimal(w, body.left);
		wr_copy(w, "\r\n", 2);
	}
	wr_copy(w, "\r\n", 2);
	if (!has_no_body(status) && !x->is_head)
		wr_rd(w, body);
	return true;
}

struct rd http_exchange_answer(const struct http_exchange *x)
{
	struct rd all;

	if (!wr_done(&x->answer, &all))
		abort();
	return all;
}

static void answer(struct http_exchange *x, unsigned status, const struct http_header *headers, struct rd body)
{
	bool late = x->state == EXCHANGE_WAITING;

	if (!compose(x, status, headers, body)) {
		wr_reset(&x->answer);
		end_upgrade(x);
		(void)compose(x, 500, NULL, rd_of("", 0));
	}
	if (late)
		wait_no_more(x);
	x->state = EXCHANGE_ANSWERED;
	if (late)
		http_peer_send(x->peer);
}

void http_answer(struct http_exchange *x, unsigned status, const struct http_header *headers, struct rd body)
{
	if (x->state == EXCHANGE_GONE)
		exchange_discard(x);
	else
		answer(x, status, headers, body);
}

/* ---- a connection that becomes a stream ---- */

void http_upgrade(struct http_exchange *x, const struct http_header *headers, http_upgraded *fn, void *ctx)
{
	x->upgraded = fn;
	x->upgraded_ctx = ctx;
	if (x->state == EXCHANGE_GONE)
		exchange_discard(x);
	else
		answer(x, 101, headers, rd_of("", 0));
}

bool http_exchange_upgrades(const struct http_exchange *x)
{
	return x->upgraded != NULL;
}

void http_exchange_upgraded(struct http_exchange *x, struct stream *s)
{
	http_upgraded *fn = x->upgraded;
	void *ctx = x->upgraded_ctx;

	x->upgraded = NULL;
	exchange_free(x);
	fn(ctx, s);
}

/* ---- the end of the server ---- */

/* Whoever holds these still answers them, later, to nobody. */
void http_exchanges_abandon(struct http_server *s)
{
	while (s->waiting) {
		struct http_exchange *x = s->waiting;

		x->peer->x = NULL;
		http_exchange_over(x);
	}
}

void http_spares_free(struct http_server *s)
{
	while (s->spare) {
		struct http_exchange *x = s->spare;

		s->spare = x->next;
		exchange_discard(x);
	}
}
