/* The HTTP client: calls, by libcurl's multi interface on the loop. Its TLS is http_client_tls.c. */
#include "loop/http_client_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls/tls_session.h"

#define TIMEOUT_DEFAULT_MS 10000

struct socket_io {
	struct http_client *client;
	struct loop_io *io;
	curl_socket_t fd;
};

static const struct http_result *current; /* for http_result_header */
static const struct wr *current_headers;

static void call_free(struct http_call *call)
{
	*call->link = call->next;
	if (call->next)
		call->next->link = call->link;
	curl_multi_remove_handle(call->client->multi, call->easy);
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	curl_slist_free_all(call->connect_to);
	wr_free(&call->body);
	wr_free(&call->answer);
	wr_free(&call->answer_headers);
	client_tls_release(call);
	free(call);
}

static enum err reason(const struct http_call *call, CURLcode code)
{
	if (code == CURLE_OK)
		return OK;
	if (call->why != OK)
		return call->why;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return ERR_TIMEOUT;
	return code == CURLE_WRITE_ERROR ? ERR_TOO_LONG : ERR_UNREACHABLE;
}

static void complete(struct http_call *call, CURLcode code)
{
	struct http_result r = {.error = reason(call, code)};
	http_done *done = call->done;
	void *ctx = call->ctx;
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	r.status = (unsigned)status;
	r.detail = call->why != OK && call->detail[0] ? call->detail : call->error[0] ? call->error : curl_easy_strerror(code);
	r.tls = client_tls_session(call);
	r.tls_peer = r.tls ? tls_session_peer(r.tls) : NULL;
	if (r.error == OK && !wr_done(&call->answer, &r.body))
		r.error = ERR_TOO_LONG;
	if (r.error == OK && (status < 100 || status > 599))
		r.error = ERR_MALFORMED; /* libcurl takes "HTTP/2 2" for an answer */
	current = &r;
	current_headers = &call->answer_headers;
	done(ctx, &r);
	current = NULL;
	current_headers = NULL;
	call_free(call);
}

static void finished(struct http_client *c)
{
	CURLMsg *message;
	int left;

	if (c->dispatching)
		return;
	c->dispatching = true;
	while ((message = curl_multi_info_read(c->multi, &left)) != NULL) {
		struct http_call *call = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
		complete(call, message->data.result);
	}
	c->dispatching = false;
}

static void act(struct http_client *c)
{
	int running;

	c->due = false;
	curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finished(c);
}

/* Who heard an answer may have the next call for the same connection: it leaves now, not at the end of the round. */
static void on_socket_event(void *ctx, unsigned events)
{
	struct socket_io *s = ctx;
	struct http_client *c = s->client;
	int running, what = (events & LOOP_READ ? CURL_CSELECT_IN : 0) | (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);

	c->kicked = false;
	curl_multi_socket_action(c->multi, s->fd, what, &running);
	finished(c);
	if (c->due)
		act(c);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct http_client *c = ctx;
	struct socket_io *s = socket_ctx;
	unsigned events = (what & CURL_POLL_IN ? LOOP_READ : 0U) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0U);

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s)
			loop_io_free(s->io);
		free(s);
		curl_multi_assign(c->multi, fd, NULL);
		return 0;
	}
	if (s) {
		loop_io_events(s->io, events);
		return 0;
	}
	s = calloc(1, sizeof *s);
	if (!s)
		return -1;
	s->client = c;
	s->fd = fd;
	s->io = loop_io_new(c->loop, fd, events, on_socket_event, s);
	loop_io_patient(s->io);
	curl_multi_assign(c->multi, fd, s);
	return 0;
}

static void on_time(void *ctx)
{
	struct http_client *c = ctx;

	c->kicked = false;
	act(c);
}

static void on_kick(void *ctx)
{
	struct http_client *c = ctx;

	if (c->due)
		act(c);
}

/* A new call asks for a timer at once. Notifications are called at the end of a round, after the commit: they are to leave in that round, not
 * after the next one's commit. But only once a round, lest a quick peer and callers that go on and on keep the loop. */
static int on_curl_timer(CURLM *multi, long timeout_ms, void *ctx)
{
	struct http_client *c = ctx;

	(void)multi;
	c->due = timeout_ms == 0;
	if (timeout_ms < 0) {
		loop_timer_at(c->timer, UINT64_MAX);
		return 0;
	}
	loop_timer_in(c->timer, (uint64_t)timeout_ms);
	if (timeout_ms == 0 && !c->kicked) {
		c->kicked = true;
		loop_defer(c->loop, on_kick, c);
	}
	return 0;
}

struct http_client *http_client_new(struct loop *l, struct tls_credentials *tls)
{
	struct http_client *c = calloc(1, sizeof *c);

	if (!c || curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || (c->multi = curl_multi_init()) == NULL)
		abort();
	c->loop = l;
	c->tls = tls ? tls_credentials_hold(tls) : NULL;
	c->timer = loop_timer_new(l, on_time, c);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	return c;
}

void http_client_abandon(struct http_client *c)
{
	const struct http_result r = {.error = ERR_CLOSED, .detail = "the client ends"};

	while (c->calls) {
		c->calls->done(c->calls->ctx, &r);
		call_free(c->calls);
	}
}

static size_t on_body(char *octets, size_t size, size_t n, void *ctx)
{
	struct http_call *call = ctx;

	wr_copy(&call->answer, octets, size * n);
	return call->answer.spoilt ? 0 : size * n;
}

static size_t on_header(char *octets, size_t size, size_t n, void *ctx)
{
	struct http_call *call = ctx;
	struct rd line = rd_of(octets, size * n), name, value;
	uint8_t c;

	if (rd_starts(line, "HTTP/"))
		wr_reset(&call->answer_headers);
	if (rd_line(&line, &value) && rd_until(&value, ':', &name) && !memchr(value.at, '\r', value.left)) {
		while (rd_u8(&name, &c))
			wr_u8(&call->answer_headers, c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c);
		wr_u8(&call->answer_headers, ':');
		while (rd_starts(value, " ") && rd_skip(&value, 1))
			;
		wr_rd(&call->answer_headers, value);
		wr_u8(&call->answer_headers, 0);
	}
	return call->answer_headers.spoilt ? 0 : size * n;
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	while (c->calls)
		call_free(c->calls);
	curl_multi_cleanup(c->multi);
	client_tls_end(c);
	tls_credentials_free(c->tls);
	loop_timer_free(c->timer);
	loop_defer_cancel(c->loop, on_kick, c);
	free(c);
}

static void set_request(struct http_call *call, const struct http_call_options *o)
{
	char line[2300];

	curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, o->method);
	if (strcmp(o->method, "GET") != 0 && (o->body.left > 0 || strcmp(o->method, "DELETE") != 0)) {
		wr_rd(&call->body, o->body);
		curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, call->body.octets ? (char *)call->body.octets : "");
		curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
	}
	call->headers = curl_slist_append(call->headers, "Expect:");
	for (const struct http_header *h = o->headers; h && h->name; h++) {
		snprintf(line, sizeof line, "%s: %s", h->name, h->value);
		call->headers = curl_slist_append(call->headers, line);
	}
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
}

struct http_call *http_call(struct http_client *c, const struct http_call_options *o, http_done *done, void *ctx)
{
	struct http_call *call = calloc(1, sizeof *call);

	if (!call || (call->easy = curl_easy_init()) == NULL)
		abort();
	call->client = c;
	call->done = done;
	call->ctx = ctx;
	call->body = wr_new(HTTP_BODY_MAX);
	call->answer = wr_new(HTTP_BODY_MAX);
	call->answer_headers = wr_new(65536);
	call->next = c->calls;
	call->link = &c->calls;
	if (call->next)
		call->next->link = &call->next;
	c->calls = call;
	curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
	curl_easy_setopt(call->easy, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(call->easy, CURLOPT_ERRORBUFFER, call->error);
	curl_easy_setopt(call->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(call->easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, (long)(o->timeout_ms ? o->timeout_ms : TIMEOUT_DEFAULT_MS));
	curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(call->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(call->easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(call->easy, CURLOPT_URL, o->url);
	if (strncmp(o->url, "https://", 8) == 0)
		client_tls_set(call, o);
	set_request(call, o);
	curl_multi_add_handle(c->multi, call->easy);
	return call;
}

void http_call_cancel(struct http_call *call)
{
	call_free(call);
}

uint64_t http_result_date(const struct http_result *r)
{
	const char *text = http_result_header(r, "date");
	time_t t = text ? curl_getdate(text, NULL) : -1;

	return t > 0 ? (uint64_t)t : 0;
}

const char *http_result_header(const struct http_result *r, const char *name)
{
	size_t len = strlen(name);
	const char *at, *end;

	if (r != current || !current_headers->octets || current_headers->spoilt)
		return NULL;
	at = (const char *)current_headers->octets;
	end = at + current_headers->len;
	while (at < end) {
		if (strncasecmp(at, name, len) == 0 && at[len] == ':')
			return at + len + 1;
		at += strlen(at) + 1;
	}
	return NULL;
}
