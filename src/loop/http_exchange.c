/* Requests to the HTTP server and their answers. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/wr.h"
#include "loop/http_private.h"
#include "loop/tls_life.h"

/* Suspending a connection and resuming it costs libmicrohttpd two calls of epoll_ctl and a vain read, a third of all that a small request costs.
 * Most answers that do not come at once come with the next commit. So a connection whose answer does not come at once is let be: libmicrohttpd
 * asks for its answer (by http_exchange_request) whenever it is run, which costs little. When it has asked ASKS_MOST times it is suspended. */
#define ASKS_MOST 48

enum exchange_state {
	EXCHANGE_READING,   /* head or body are on their way */
	EXCHANGE_IN_HANDLER,
	EXCHANGE_FRESH,     /* no answer yet, not suspended yet */
	EXCHANGE_SUSPENDED,
	EXCHANGE_ANSWERED,
	EXCHANGE_GONE,      /* no connection any more; whoever holds it answers later, to nobody */
};

/* Places in a text that may still move while it grows. */
struct kept_header {
	size_t name, value;
};

struct http_exchange {
	struct http_server *server;
	struct MHD_Connection *connection;
	struct http_exchange *next, **link; /* in server->waiting; next also among the server's spares */
	enum exchange_state state;
	bool seen, too_long, malformed;
	unsigned asked;
	size_t dropped;
	struct wr text;                     /* path, query, and the head, zero-terminated each */
	size_t path, query, method, address;
	struct http_identity *identity;
	struct kept_header *headers;
	size_t header_count, header_room;
	struct wr body;
	/* the answer, until libmicrohttpd has sent it */
	unsigned status;
	struct wr answer;                   /* the body; then names and values of headers, zero-terminated each */
	size_t answer_body;                 /* its octets */
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

/* Our copy of the query is made. libmicrohttpd would now make a list of its arguments in the connection's memory, which a few hundred fill, so
 * that no answer finds room: it is made to see none. The text is the connection's own, and is split in place right after this callback. */
static void hide_query(const char *uri)
{
	char *question = strchr((char *)(uintptr_t)uri, '?');

	if (question)
		question[1] = '\0';
}

/* A zero-terminated copy at the end of w; where it begins. */
static size_t text_add(struct wr *w, const char *octets, size_t len)
{
	size_t at = w->len;

	wr_copy(w, octets, len);
	wr_u8(w, 0);
	return at;
}

static size_t text_add_str(struct wr *w, const char *text)
{
	return text_add(w, text, strlen(text));
}

/* Of "http://host:80/x?y" what follows the host: a server takes that form too. RFC 9112 clause 3.2.2. */
static const char *origin_form(const char *uri)
{
	size_t scheme = strncasecmp(uri, "http://", 7) == 0 ? 7 : strncasecmp(uri, "https://", 8) == 0 ? 8 : 0;

	return scheme ? uri + scheme + strcspn(uri + scheme, "/?") : uri;
}

void *http_exchange_begin(void *server, const char *uri, struct MHD_Connection *connection)
{
	struct http_exchange *x = exchange_new(server);
	const char *target = origin_form(uri), *question = strchr(target, '?');
	struct rd r;

	if (!x)
		return NULL;
	x->server->moved = true;
	x->connection = connection;
	x->path = text_add(&x->text, target, question ? (size_t)(question - target) : strlen(target));
	x->query = text_add_str(&x->text, question ? question + 1 : "");
	if (!wr_done(&x->text, &r)) {
		exchange_free(x);
		return NULL;
	}
	hide_query(uri);
	http_server_waits(connection);
	return x;
}

/* ---- the head, kept with the exchange: the connection may end before the answer ---- */

/* Of a token's characters (RFC 9110 clause 5.6.2) the small letter, of all others 0. */
static const char token_of[256] = {
	['!'] = '!', ['#'] = '#', ['$'] = '$', ['%'] = '%', ['&'] = '&', ['\''] = '\'', ['*'] = '*', ['+'] = '+', ['-'] = '-', ['.'] = '.', ['^'] = '^',
	['_'] = '_', ['`'] = '`', ['|'] = '|', ['~'] = '~',
	['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9',
	['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k',
	['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r', ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v',
	['W'] = 'w', ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z',
	['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j', ['k'] = 'k',
	['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v',
	['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z',
};

/* A name in small letters; false when it is no token. */
static bool take_name(uint8_t *room, const char *name, size_t len)
{
	bool good = len > 0;

	for (size_t i = 0; i < len; i++) {
		room[i] = (uint8_t)token_of[(unsigned char)name[i]];
		good = good && room[i] != 0;
	}
	room[len] = 0;
	return good;
}

/* RFC 9110 clause 5.5: what has a lone CR or another control character in it is no field value; libmicrohttpd takes it. Passed on in another message
 * it could end a line there. The same goes for names that are no tokens, which it makes of folded lines. */
static enum MHD_Result keep_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value, size_t value_len)
{
	struct http_exchange *x = cls;
	struct kept_header *h = &x->headers[x->header_count];
	uint8_t *room;

	(void)kind;
	if (x->header_count == x->header_room)
		return MHD_NO;
	x->header_count++;
	h->name = x->text.len;
	room = wr_room(&x->text, name_len + 1);
	if (!room)
		return MHD_NO;
	if (!take_name(room, name, name_len) || rd_has_control(rd_of(value, value_len)))
		x->malformed = true;
	h->value = text_add(&x->text, value, value_len);
	return MHD_YES;
}

static bool room_for_headers(struct http_exchange *x)
{
	int count = MHD_get_connection_values_n(x->connection, MHD_HEADER_KIND, NULL, NULL);
	size_t need = count > 0 ? (size_t)count : 0;

	if (need <= x->header_room)
		return true;
	free(x->headers);
	x->header_room = 0;
	x->headers = malloc(need * sizeof *x->headers);
	if (x->headers)
		x->header_room = need;
	return x->headers != NULL;
}

static bool keep_head(struct http_exchange *x, const char *method)
{
	struct http_link *link = http_server_link(x->connection);
	struct rd text;

	if (!room_for_headers(x))
		return false;
	x->malformed = rd_has_control(rd_str(text_at(x, x->path))) || rd_has_control(rd_str(text_at(x, x->query)));
	x->method = text_add_str(&x->text, method);
	x->address = text_add_str(&x->text, http_server_address(x->connection));
	if (link) {
		x->identity = link->identity;
		x->identity->holds++;
	}
	MHD_get_connection_values_n(x->connection, MHD_HEADER_KIND, keep_header, x);
	return wr_done(&x->text, &text);
}

const char *http_request_header(struct http_exchange *x, const char *name)
{
	for (size_t i = 0; i < x->header_count; i++)
		if (strcasecmp(text_at(x, x->headers[i].name), name) == 0)
			return text_at(x, x->headers[i].value);
	return NULL;
}

void http_request_headers(struct http_exchange *x, void (*fn)(void *ctx, const char *name, const char *value), void *ctx)
{
	for (size_t i = 0; i < x->header_count; i++)
		fn(ctx, text_at(x, x->headers[i].name), text_at(x, x->headers[i].value));
}

struct tls_session *http_request_tls(struct http_exchange *x)
{
	struct http_link *link = x->state == EXCHANGE_GONE ? NULL : http_server_link(x->connection);

	return link ? http_bridge_tls(link->bridge) : NULL;
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

/* libmicrohttpd's form of the answer is made when it is about to be sent, and lives no longer: of many that wait for one commit few have it at a
 * time, which the allocator likes. The octets stay the exchange's, which ends after they are sent. */
static enum MHD_Result queue(struct http_exchange *x)
{
	struct rd headers, body, name, value;
	struct MHD_Response *response;
	enum MHD_Result ok;

	if (!wr_done(&x->answer, &headers) || !rd_sub(&headers, x->answer_body, &body))
		return MHD_NO;
	response = x->upgraded ? MHD_create_response_for_upgrade(on_upgrade, x) : MHD_create_response_from_buffer(body.left, (void *)(uintptr_t)body.at, MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	while (rd_until(&headers, '\0', &name) && rd_until(&headers, '\0', &value))
		if (MHD_add_response_header(response, (const char *)name.at, (const char *)value.at) == MHD_NO)
			x->status = 500; /* a value that no header can carry */
	ok = MHD_queue_response(x->connection, x->status, response);
	http_server_waits(x->connection);
	MHD_destroy_response(response);
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
	s->fresh++;
}

static void wait_no_more(struct http_exchange *x)
{
	x->server->fresh -= x->state == EXCHANGE_FRESH;
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
	} else {
		wr_copy(&x->body, octets, *len);
	}
	*len = 0;
	return x->dropped > HTTP_DROP_MAX ? MHD_NO : MHD_YES; /* it did not say how long it is, or lied */
}

/* By what its head says: not worth reading to the end, or its sender waits to be told to go on. */
static bool refuse_at_once(struct http_exchange *x)
{
	const char *length = NULL;
	uint64_t n;

	for (size_t i = 0; i < x->header_count && !length; i++)
		if (strcmp(text_at(x, x->headers[i].name), "content-length") == 0)
			length = text_at(x, x->headers[i].value);
	if (!length || !rd_decimal(rd_str(length), &n) || n <= HTTP_BODY_MAX)
		return false;
	return n > HTTP_DROP_MAX || http_request_header(x, MHD_HTTP_HEADER_EXPECT) != NULL;
}

static enum MHD_Result handle(struct http_exchange *x)
{
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
	(void)connection;
	(void)url;
	(void)version;
	if (!x)
		return MHD_NO;
	x->server->moved = x->server->moved || x->state != EXCHANGE_FRESH;
	switch (x->state) {
	case EXCHANGE_READING:
		if (!x->seen) {
			x->seen = true; /* the head; an answer now ends the connection */
			if (!keep_head(x, method))
				return MHD_NO;
			x->too_long = refuse_at_once(x);
			return x->too_long ? handle(x) : MHD_YES;
		}
		if (*upload_len > 0)
			return take_body(x, upload, upload_len);
		return handle(x);
	case EXCHANGE_FRESH:
		if (++x->asked < ASKS_MOST)
			return MHD_YES;
		x->server->fresh--;
		x->state = EXCHANGE_SUSPENDED;
		MHD_suspend_connection(x->connection);
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
	x->server->moved = true;
	if (x->state == EXCHANGE_FRESH || x->state == EXCHANGE_SUSPENDED) {
		wait_no_more(x);
		x->state = EXCHANGE_GONE;
	} else if (x->state != EXCHANGE_GONE) {
		exchange_free(x);
	}
}

static void answer(struct http_exchange *x, unsigned status, const struct http_header *headers, struct rd body)
{
	bool suspended = x->state == EXCHANGE_SUSPENDED, late = suspended || x->state == EXCHANGE_FRESH;

	wr_rd(&x->answer, body);
	x->answer_body = body.left;
	for (; headers && headers->name; headers++) {
		text_add_str(&x->answer, headers->name);
		text_add_str(&x->answer, headers->value);
	}
	if (!wr_done(&x->answer, &body))
		abort();
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
	if (x->state == EXCHANGE_GONE)
		exchange_discard(x);
	else
		answer(x, status, headers, body);
}

void http_upgrade(struct http_exchange *x, const struct http_header *headers, http_upgraded *fn, void *ctx)
{
	x->upgraded = fn;
	x->upgraded_ctx = ctx;
	if (x->state == EXCHANGE_GONE)
		exchange_discard(x);
	else
		answer(x, MHD_HTTP_SWITCHING_PROTOCOLS, headers, rd_of("", 0));
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

void http_spares_free(struct http_server *s)
{
	while (s->spare) {
		struct http_exchange *x = s->spare;

		s->spare = x->next;
		exchange_discard(x);
	}
}
