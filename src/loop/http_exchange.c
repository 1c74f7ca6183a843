/* Requests to the HTTP server and their answers. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/wr.h"
#include "loop/http_private.h"
#include "loop/tls_life.h"

/* Suspending a connection and resuming it costs libmicrohttpd two calls of epoll_ctl and a vain read, as much as all the rest of a small
 * request. Most answers that do not come at once come at the end of the loop's round, with the commit. So a connection whose answer does not
 * come at once is let be, and asked for again (by http_exchange_request) at the end of the round; then it is answered, or suspended. */
enum exchange_state {
	EXCHANGE_READING,   /* head or body are on their way */
	EXCHANGE_IN_HANDLER,
	EXCHANGE_FRESH,     /* no answer yet, not suspended yet */
	EXCHANGE_SUSPENDED,
	EXCHANGE_ANSWERED,
	EXCHANGE_GONE,      /* no connection any more; whoever holds it answers later, to nobody */
};

struct kept_header {
	size_t name, value; /* places in the exchange's text */
};

struct http_exchange {
	struct http_server *server;
	struct MHD_Connection *connection;
	struct http_exchange *next, **link; /* in server->waiting */
	enum exchange_state state;
	bool seen, too_long, malformed;
	size_t dropped;
	const char *method;
	const char *query, *address;
	struct http_identity *identity;
	struct wr body;
	struct MHD_Response *response;
	unsigned status;
	http_upgraded *upgraded;            /* the answer is 101; NULL once that was told */
	void *upgraded_ctx;
	size_t header_count;
	struct kept_header *headers;        /* followed by text */
	char *text;
	char path[];                        /* followed by the query */
};

static void exchange_free(struct http_exchange *x)
{
	if (x->upgraded)
		x->upgraded(x->upgraded_ctx, NULL);
	if (x->response)
		MHD_destroy_response(x->response);
	wr_free(&x->body);
	http_identity_free(x->identity);
	free(x->headers);
	free(x);
}

/* Our copy of the query is made. libmicrohttpd would now make a list of its arguments in the connection's memory, which a few hundred fill, so
 * that no answer finds room: it is made to see none. The text is the connection's own, and is split in place right after this callback. */
static void hide_query(const char *uri)
{
	char *question = strchr((char *)(uintptr_t)uri, '?');

	if (question)
		question[1] = '\0';
}

void *http_exchange_begin(void *server, const char *uri, struct MHD_Connection *connection)
{
	size_t len = strlen(uri);
	struct http_exchange *x = calloc(1, sizeof *x + len + 1);
	char *question;

	if (!x)
		return NULL;
	x->server = server;
	x->connection = connection;
	memcpy(x->path, uri, len + 1);
	question = strchr(x->path, '?');
	x->query = question ? question + 1 : x->path + len;
	if (question)
		*question = '\0';
	hide_query(uri);
	x->body = wr_new(HTTP_BODY_MAX);
	http_server_waits(connection);
	return x;
}

/* ---- the head, kept with the exchange: the connection may end before the answer ---- */

struct head_size {
	size_t count, octets;
	bool bad;
};

/* RFC 9110 clause 5.5: what has a lone CR or another control character in it is no field value; libmicrohttpd takes it. Passed on in another message
 * it could end a line there. The same goes for names that are no tokens, which it makes of folded lines. */
static bool has_control(const char *octets, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)octets[i] < 0x20 && octets[i] != '\t') || octets[i] == 0x7f)
			return true;
	return false;
}

static bool is_token(const char *octets, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (octets[i] <= ' ' || octets[i] >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", octets[i]))
			return false;
	return len > 0;
}

static enum MHD_Result add_size(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value, size_t value_len)
{
	struct head_size *h = cls;

	(void)kind;
	h->bad = h->bad || !is_token(name, name_len) || has_control(value, value_len);
	h->count++;
	h->octets += name_len + value_len + 2;
	return MHD_YES;
}

static size_t text_add(struct http_exchange *x, size_t *used, const char *octets, size_t len)
{
	size_t at = *used;

	if (len > 0)
		memcpy(x->text + at, octets, len);
	x->text[at + len] = '\0';
	*used += len + 1;
	return at;
}

struct keeping {
	struct http_exchange *x;
	size_t used;
};

static enum MHD_Result keep_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value, size_t value_len)
{
	struct keeping *k = cls;
	struct kept_header *h = &k->x->headers[k->x->header_count++];

	(void)kind;
	h->name = text_add(k->x, &k->used, name, name_len);
	for (char *c = k->x->text + h->name; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + 32);
	h->value = text_add(k->x, &k->used, value, value_len);
	return MHD_YES;
}

static bool keep_head(struct http_exchange *x, const char *method)
{
	const char *address = http_server_address(x->connection);
	struct http_link *link = http_server_link(x->connection);
	struct head_size size = {0, strlen(method) + strlen(address) + 2, false};
	struct keeping k = {x, 0};

	MHD_get_connection_values_n(x->connection, MHD_HEADER_KIND, add_size, &size);
	x->malformed = size.bad || has_control(x->path, strlen(x->path)) || has_control(x->query, strlen(x->query));
	x->headers = malloc(size.count * sizeof *x->headers + size.octets);
	if (!x->headers)
		return false;
	x->text = (char *)(x->headers + size.count);
	x->method = x->text + text_add(x, &k.used, method, strlen(method));
	if (link) {
		x->identity = link->identity;
		x->identity->holds++;
	}
	x->address = x->text + text_add(x, &k.used, address, strlen(address));
	MHD_get_connection_values_n(x->connection, MHD_HEADER_KIND, keep_header, &k);
	return true;
}

const char *http_request_header(struct http_exchange *x, const char *name)
{
	for (size_t i = 0; i < x->header_count; i++)
		if (strcasecmp(x->text + x->headers[i].name, name) == 0)
			return x->text + x->headers[i].value;
	return NULL;
}

void http_request_headers(struct http_exchange *x, void (*fn)(void *ctx, const char *name, const char *value), void *ctx)
{
	for (size_t i = 0; i < x->header_count; i++)
		fn(ctx, x->text + x->headers[i].name, x->text + x->headers[i].value);
}

struct tls_session *http_request_tls(struct http_exchange *x)
{
	struct http_link *link = x->state == EXCHANGE_GONE ? NULL : http_server_link(x->connection);

	return link ? http_bridge_tls(link->bridge) : NULL;
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
	struct http_request rq = {.method = x->method, .path = x->path, .query = x->query, .peer = x->identity ? x->identity->peer.identity : "",
		.tls_peer = x->identity ? &x->identity->peer : NULL, .address = x->address, .tls = s->tls != NULL, .too_long = x->too_long};

	if (x->malformed) {
		simple_answer(x, 400, "there is a control character in the head\n");
	} else if (x->too_long && !s->refuses_long) {
		simple_answer(x, 413, "the body is too long\n");
	} else if (s->tls && (!x->identity || !tls_life_lasts(x->identity->peer.expires_at))) {
		simple_answer(x, 403, "the credential expired\n");
	} else if (!wr_done(&x->body, &rq.body)) {
		simple_answer(x, 500, "out of memory\n");
	} else {
		s->fn(s->ctx, x, &rq);
	}
}

static enum MHD_Result queue(struct http_exchange *x)
{
	enum MHD_Result ok = MHD_queue_response(x->connection, x->status, x->response);

	http_server_waits(x->connection);
	MHD_destroy_response(x->response);
	x->response = NULL;
	return ok;
}

static void wait_for_answer(struct http_exchange *x)
{
	struct http_server *s = x->server;

	x->state = EXCHANGE_FRESH;
	x->next = s->waiting;
	x->link = &s->waiting;
	if (x->next)
		x->next->link = &x->next;
	s->waiting = x;
	http_server_run_at_round_end(s);
}

static void wait_no_more(struct http_exchange *x)
{
	*x->link = x->next;
	if (x->next)
		x->next->link = x->link;
}

static enum MHD_Result take_body(struct http_exchange *x, const char *octets, size_t *len)
{
	if (x->too_long || x->body.len + *len > HTTP_BODY_MAX) {
		x->dropped += *len;
		x->too_long = true;
		wr_free(&x->body);
		x->body = wr_new(HTTP_BODY_MAX);
	} else {
		wr_copy(&x->body, octets, *len);
	}
	*len = 0;
	return x->dropped > HTTP_DROP_MAX ? MHD_NO : MHD_YES; /* it did not say how long it is, or lied */
}

/* By what its head says: not worth reading to the end, or its sender waits to be told to go on. */
static bool refuse_at_once(struct MHD_Connection *connection)
{
	const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t n;

	if (!length || !rd_decimal(rd_str(length), &n) || n <= HTTP_BODY_MAX)
		return false;
	return n > HTTP_DROP_MAX || MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_EXPECT) != NULL;
}

static enum MHD_Result handle(struct http_exchange *x, const char *method)
{
	if (!keep_head(x, method))
		return MHD_NO;
	http_server_works(x->connection);
	x->state = EXCHANGE_IN_HANDLER;
	dispatch(x);
	if (x->state == EXCHANGE_ANSWERED)
		return queue(x);
	wait_for_answer(x);
	return MHD_YES;
}

enum MHD_Result http_exchange_request(void *server, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_len, void **exchange)
{
	struct http_exchange *x = *exchange;

	(void)server;
	(void)url;
	(void)version;
	if (!x)
		return MHD_NO;
	switch (x->state) {
	case EXCHANGE_READING:
		if (!x->seen) {
			x->seen = true; /* the head; an answer now ends the connection */
			x->too_long = refuse_at_once(connection);
			return x->too_long ? handle(x, method) : MHD_YES;
		}
		if (*upload_len > 0)
			return take_body(x, upload, upload_len);
		return handle(x, method);
	case EXCHANGE_FRESH:
		x->state = EXCHANGE_SUSPENDED;
		MHD_suspend_connection(connection);
		return MHD_YES;
	case EXCHANGE_ANSWERED:
		return queue(x);
	case EXCHANGE_IN_HANDLER:
	case EXCHANGE_SUSPENDED:
	case EXCHANGE_GONE:
		break;
	}
	return MHD_NO;
}

void http_exchange_completed(void *server, struct MHD_Connection *connection, void **exchange, enum MHD_RequestTerminationCode why)
{
	struct http_exchange *x = *exchange;

	(void)server;
	(void)connection;
	(void)why;
	*exchange = NULL;
	if (!x)
		return;
	if (x->state == EXCHANGE_FRESH || x->state == EXCHANGE_SUSPENDED) {
		wait_no_more(x);
		x->state = EXCHANGE_GONE;
	} else if (x->state != EXCHANGE_GONE) {
		exchange_free(x);
	}
}

static void answer(struct http_exchange *x, unsigned status, const struct http_header *headers, struct MHD_Response *response)
{
	bool suspended = x->state == EXCHANGE_SUSPENDED, late = suspended || x->state == EXCHANGE_FRESH;

	if (!response)
		abort();
	x->response = response;
	for (; headers && headers->name; headers++)
		if (MHD_add_response_header(x->response, headers->name, headers->value) == MHD_NO)
			status = 500; /* a value that no header can carry */
	x->status = status;
	if (late)
		wait_no_more(x);
	x->state = EXCHANGE_ANSWERED;
	if (suspended)
		MHD_resume_connection(x->connection);
	if (late)
		http_server_run_at_round_end(x->server);
}

void http_answer(struct http_exchange *x, unsigned status, const struct http_header *headers, struct rd body)
{
	if (x->state == EXCHANGE_GONE) {
		exchange_free(x);
		return;
	}
	answer(x, status, headers, MHD_create_response_from_buffer(body.left, body.left ? (void *)(uintptr_t)body.at : (void *)(uintptr_t)"", MHD_RESPMEM_MUST_COPY));
}

/* ---- a connection that becomes a stream ---- */

struct upgraded {
	struct http_server *server;
	struct MHD_UpgradeResponseHandle *handle;
};

static void on_stream_end(void *ctx)
{
	struct upgraded *u = ctx;

	MHD_upgrade_action(u->handle, MHD_UPGRADE_ACTION_CLOSE);
	http_server_run_at_round_end(u->server);
	free(u);
}

/* libmicrohttpd sent the 101. */
static void on_upgrade(void *exchange, struct MHD_Connection *connection, void *context, const char *extra, size_t extra_len, MHD_socket socket,
    struct MHD_UpgradeResponseHandle *handle)
{
	struct http_exchange *x = exchange;
	http_upgraded *fn = x->upgraded;
	struct upgraded *u = malloc(sizeof *u);
	struct stream *s;

	(void)context;
	http_server_works(connection); /* it may be silent for as long as it likes */
	if (!u)
		abort();
	*u = (struct upgraded){x->server, handle};
	x->upgraded = NULL;
	if (stream_over(x->server->loop, socket, rd_of(extra, extra_len), x->identity ? &x->identity->peer : NULL, on_stream_end, u, &s) == OK) {
		fn(x->upgraded_ctx, s);
		return;
	}
	on_stream_end(u);
	fn(x->upgraded_ctx, NULL);
}

void http_upgrade(struct http_exchange *x, const struct http_header *headers, http_upgraded *fn, void *ctx)
{
	x->upgraded = fn;
	x->upgraded_ctx = ctx;
	if (x->state == EXCHANGE_GONE)
		exchange_free(x);
	else
		answer(x, MHD_HTTP_SWITCHING_PROTOCOLS, headers, MHD_create_response_for_upgrade(on_upgrade, x));
}

void http_exchanges_abandon(struct http_server *s)
{
	while (s->waiting) {
		struct http_exchange *x = s->waiting;
		bool suspended = x->state == EXCHANGE_SUSPENDED;

		/* Whoever holds this exchange still answers it, later, to nobody: libmicrohttpd must not keep it. */
		wait_no_more(x);
		x->state = EXCHANGE_GONE;
		if (suspended)
			MHD_resume_connection(x->connection);
	}
}
