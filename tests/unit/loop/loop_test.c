/* The shell on real sockets: HTTPS with identities, streams over TLS-PSK, certificates and a pty, timers, configuration. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "loop/address.h"
#include "loop/config.h"
#include "loop/http.h"
#include "loop/log.h"
#include "loop/serial.h"
#include "loop/stream.h"
#include "loop/tcp.h"
#include "pki/pki.h"

#define PATIENCE_MS 20000

static char dir[64];

static const char *in_dir(const char *name)
{
	static char paths[8][128];
	static unsigned turn;
	char *p = paths[turn++ % 8];

	snprintf(p, sizeof paths[0], "%s/%s", dir, name);
	return p;
}

static struct tls_credentials *credentials(const char *name)
{
	struct tls_credentials *c;
	char cert[32], key[32];

	snprintf(cert, sizeof cert, "%s.pem", name);
	snprintf(key, sizeof key, "%s.key", name);
	assert_int_equal(tls_certificates(in_dir("ca.pem"), in_dir(cert), in_dir(key), &c), OK);
	return c;
}

static void write_text(const char *name, const char *text, mode_t mode)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(in_dir(name), mode);
}

static int make_plant(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/keyway-loop-XXXXXX");
	if (!mkdtemp(dir) || pki_ca_create(dir, "test CA", 2) != OK || pki_issue(dir, "server", "mef.keyway.example", 1) != OK ||
	    pki_issue(dir, "client", "m2m://keyway.example/id-mn/Cgw1", 1) != OK)
		return -1;
	mkdir(in_dir("other"), 0700);
	if (pki_ca_create(in_dir("other"), "another CA", 2) != OK || pki_issue(in_dir("other"), "evil", "m2m://keyway.example/id-mn/Cgw1", 1) != OK)
		return -1;
	write_text("psk", "gw1:000102030405060708090a0b0c0d0e0f\n", 0600);
	write_text("wrong", "gw1:ff0102030405060708090a0b0c0d0e0f\n", 0600);
	return 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info;
	(void)kind;
	(void)where;
	return remove(path);
}

static int remove_plant(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- HTTP ---- */

struct web {
	struct loop *loop;
	struct loop_timer *timer;
	struct http_exchange *held;
	bool hold, done;
	struct http_result result;
	char body[256], peer[128], header[64];
};

static void answer_held(void *ctx)
{
	struct web *web = ctx;
	const struct http_header headers[] = {{"X-M2M-RSC", "2000"}, {NULL, NULL}};

	http_answer(web->held, 200, headers, rd_str("later"));
}

static void on_request(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	struct web *web = ctx;
	const struct http_header headers[] = {{"X-M2M-RSC", "2001"}, {NULL, NULL}};
	const char *from = http_request_header(x, "x-m2m-origin");

	snprintf(web->peer, sizeof web->peer, "%s", rq->peer);
	snprintf(web->header, sizeof web->header, "%s %s?%s", from ? from : "nobody", rq->path, rq->query);
	if (web->hold) {
		web->held = x;
		loop_timer_in(web->timer, 20);
		return;
	}
	http_answer(x, 201, headers, rq->body);
}

static void on_result(void *ctx, const struct http_result *r)
{
	struct web *web = ctx;
	const char *rsc = http_result_header(r, "X-M2M-RSC");

	web->result = *r;
	web->done = true;
	if (r->error == OK)
		assert_true(rd_text(r->body, web->body, sizeof web->body));
	if (r->error == OK && r->status < 300)
		assert_non_null(rsc);
}

static void call(struct web *web, struct http_client *c, const char *method, uint16_t port, const char *scheme, const char *peer, const char *body)
{
	const struct http_header headers[] = {{"X-M2M-Origin", "CAdmin"}, {NULL, NULL}};
	struct http_call_options o = {.method = method, .peer = peer, .headers = headers, .body = rd_str(body), .timeout_ms = PATIENCE_MS};
	uint64_t end = clock_ms() + PATIENCE_MS;
	char url[128];

	snprintf(url, sizeof url, "%s://127.0.0.1:%u/cse-in/a%%20b?rcn=4", scheme, port);
	o.url = url;
	web->done = false;
	http_call(c, &o, on_result, web);
	while (!web->done && clock_ms() < end)
		loop_once(web->loop, 100);
	assert_true(web->done);
}

static void https_knows_both_identities(void **state)
{
	struct web web = {.loop = loop_new()};
	struct tls_credentials *server_tls = credentials("server"), *client_tls = credentials("client"), *evil_tls;
	struct http_server *s;
	struct http_client *c = http_client_new(web.loop, client_tls), *plain = http_client_new(web.loop, NULL), *evil;

	(void)state;
	web.timer = loop_timer_new(web.loop, answer_held, &web);
	assert_int_equal(http_server_new(web.loop, "127.0.0.1:0", server_tls, on_request, &web, &s), OK);
	call(&web, c, "POST", http_server_port(s), "https", "mef.keyway.example", "{\"a\":1}");
	assert_int_equal(web.result.error, OK);
	assert_int_equal(web.result.status, 201);
	assert_string_equal(web.body, "{\"a\":1}");
	assert_string_equal(web.peer, "m2m://keyway.example/id-mn/Cgw1");
	assert_string_equal(web.header, "CAdmin /cse-in/a%20b?rcn=4");
	web.hold = true;
	call(&web, c, "GET", http_server_port(s), "https", "mef.keyway.example", "");
	assert_string_equal(web.body, "later");
	web.hold = false;
	/* a server with another identity, nobody named, a client without certificate, a client of another CA */
	call(&web, c, "GET", http_server_port(s), "https", "id-in.keyway.example", "");
	assert_int_equal(web.result.error, ERR_TLS);
	call(&web, c, "GET", http_server_port(s), "https", "m2m://keyway.example/id-in/C", "");
	assert_int_equal(web.result.error, ERR_TLS);
	call(&web, c, "GET", http_server_port(s), "https", NULL, "");
	assert_int_equal(web.result.error, ERR_TLS);
	call(&web, plain, "GET", http_server_port(s), "https", "mef.keyway.example", "");
	assert_int_not_equal(web.result.error, OK);
	assert_int_equal(tls_certificates(in_dir("ca.pem"), in_dir("other/evil.pem"), in_dir("other/evil.key"), &evil_tls), OK);
	evil = http_client_new(web.loop, evil_tls);
	call(&web, evil, "GET", http_server_port(s), "https", "mef.keyway.example", "");
	assert_true(web.result.error != OK || web.result.status == 403);
	http_client_free(evil);
	http_client_free(plain);
	http_client_free(c);
	http_server_free(s);
	loop_timer_free(web.timer);
	loop_free(web.loop);
	tls_credentials_free(evil_tls);
	tls_credentials_free(client_tls);
	tls_credentials_free(server_tls);
}

static void http_without_tls_and_nobody_there(void **state)
{
	struct web web = {.loop = loop_new()};
	struct http_client *c = http_client_new(web.loop, NULL);
	struct http_server *s;
	uint16_t port;

	(void)state;
	assert_int_equal(http_server_new(web.loop, "127.0.0.1:0", NULL, on_request, &web, &s), OK);
	port = http_server_port(s);
	for (int i = 0; i < 50; i++)
		call(&web, c, "PUT", port, "http", NULL, "x");
	assert_int_equal(web.result.status, 201);
	http_server_free(s);
	call(&web, c, "GET", port, "http", NULL, "");
	assert_int_equal(web.result.error, ERR_UNREACHABLE);
	http_client_free(c);
	loop_free(web.loop);
}

/* ---- streams ---- */

struct end {
	struct stream *s;
	bool opened, closed;
	enum err why;
	char text[64], peer[128];
};

static void on_open(void *ctx)
{
	struct end *end = ctx;

	end->opened = true;
}

static size_t on_data(void *ctx, struct rd in)
{
	struct end *end = ctx;

	if (in.left < 5)
		return 0;
	memcpy(end->text, in.at, 5);
	return 5;
}

static void on_closed(void *ctx, enum err why)
{
	struct end *end = ctx;

	end->closed = true;
	end->why = why;
	stream_free(end->s);
	end->s = NULL;
}

static const struct stream_events events = {on_open, on_data, on_closed};

static void on_accept(void *ctx, struct stream *s)
{
	struct end *end = ctx;

	end->s = s;
	end->opened = true;
	snprintf(end->peer, sizeof end->peer, "%s", stream_peer(s));
	stream_handle(s, &events, end);
	stream_write(s, rd_str("hello"));
}

static void converse(const char *scheme, struct tls_credentials *server, struct tls_credentials *client, const char *expected, struct end *a, struct end *b)
{
	struct loop *l = loop_new();
	struct stream_listener *sl;
	uint64_t end = clock_ms() + PATIENCE_MS;
	char address[64];

	memset(a, 0, sizeof *a);
	memset(b, 0, sizeof *b);
	assert_int_equal(stream_listen(l, "127.0.0.1:0", server, on_accept, a, &sl), OK);
	snprintf(address, sizeof address, "%s:127.0.0.1:%u", scheme, stream_listener_port(sl));
	assert_int_equal(stream_open(l, address, client, expected, &events, b, &b->s), OK);
	stream_write(b->s, rd_str("ahoy!"));
	while (clock_ms() < end && !(a->text[0] && b->text[0]) && !b->closed)
		loop_once(l, 100);
	stream_free(a->s);
	stream_free(b->s);
	stream_listener_free(sl);
	loop_once(l, 0);
	loop_free(l);
}

static void streams_over_tcp_psk_and_certificates(void **state)
{
	struct tls_credentials *server_tls = credentials("server"), *client_tls = credentials("client"), *psk_server, *psk_client, *psk_wrong, *none;
	struct end a, b;

	(void)state;
	converse("tcp", NULL, NULL, NULL, &a, &b);
	assert_string_equal(a.text, "ahoy!");
	assert_string_equal(b.text, "hello");
	converse("tls", server_tls, client_tls, "mef.keyway.example", &a, &b);
	assert_string_equal(a.text, "ahoy!");
	assert_string_equal(b.text, "hello");
	assert_string_equal(a.peer, "m2m://keyway.example/id-mn/Cgw1");
	converse("tls", server_tls, client_tls, "evil.keyway.example", &a, &b);
	assert_int_equal(b.why, ERR_TLS);
	assert_false(b.opened);
	assert_int_equal(tls_psk_server(in_dir("psk"), &psk_server), OK);
	assert_int_equal(tls_psk_client("gw1", in_dir("psk"), &psk_client), OK);
	assert_int_equal(tls_psk_client("gw1", in_dir("wrong"), &psk_wrong), OK);
	assert_int_not_equal(tls_psk_client("gw2", in_dir("psk"), &none), OK);
	converse("psk", psk_server, psk_client, NULL, &a, &b);
	assert_string_equal(b.text, "hello");
	assert_string_equal(a.peer, "gw1");
	converse("psk", psk_server, psk_wrong, NULL, &a, &b);
	assert_true(b.closed);
	assert_false(a.opened);
	tls_credentials_free(psk_wrong);
	tls_credentials_free(psk_client);
	tls_credentials_free(psk_server);
	tls_credentials_free(client_tls);
	tls_credentials_free(server_tls);
}

/* ---- an answer with a head without end ---- */

#define FLOOD 90000 /* octets: more than a client keeps of headers */

static size_t on_request_octets(void *ctx, struct rd in)
{
	struct end *end = ctx;

	if (end->text[0] == '\0') {
		char *head = malloc(FLOOD + 16);

		assert_non_null(head);
		strcpy(head, "HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\n");
		for (size_t n = strlen(head); n + 5 < FLOOD; n += 5)
			memcpy(head + n, "ab:c\n", 6);
		strcat(head, "\r\n");
		stream_write(end->s, rd_str(head));
		free(head);
		end->text[0] = '!';
	}
	return in.left;
}

static const struct stream_events flood_events = {on_open, on_request_octets, on_closed};

static void on_accept_flood(void *ctx, struct stream *s)
{
	struct end *end = ctx;

	end->s = s;
	stream_handle(s, &flood_events, end);
}

static void an_answer_with_too_long_a_head_is_refused(void **state)
{
	struct web web = {.loop = loop_new()};
	struct http_client *c = http_client_new(web.loop, NULL);
	struct stream_listener *sl;
	struct end end = {.s = NULL};

	(void)state;
	assert_int_equal(stream_listen(web.loop, "127.0.0.1:0", NULL, on_accept_flood, &end, &sl), OK);
	call(&web, c, "GET", stream_listener_port(sl), "http", NULL, "");
	assert_int_equal(web.result.error, ERR_TOO_LONG);
	http_client_free(c);
	stream_free(end.s);
	stream_listener_free(sl);
	loop_free(web.loop);
}

static void stream_tells_when_nobody_listens(void **state)
{
	struct loop *l = loop_new();
	struct end b = {0};
	uint64_t end = clock_ms() + PATIENCE_MS;
	struct stream_listener *sl;
	char address[64];

	(void)state;
	assert_int_equal(stream_listen(l, "127.0.0.1:0", NULL, on_accept, &b, &sl), OK);
	snprintf(address, sizeof address, "tcp:127.0.0.1:%u", stream_listener_port(sl));
	stream_listener_free(sl);
	assert_int_equal(stream_open(l, address, NULL, NULL, &events, &b, &b.s), OK);
	while (!b.closed && clock_ms() < end)
		loop_once(l, 100);
	assert_int_equal(b.why, ERR_UNREACHABLE);
	loop_free(l);
}

static void stream_over_a_pty(void **state)
{
	struct loop *l = loop_new();
	struct end b = {0};
	uint64_t end = clock_ms() + PATIENCE_MS;
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	char address[128], text[8] = "";

	(void)state;
	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	snprintf(address, sizeof address, "serial:%s:115200", ptsname(master));
	assert_int_equal(stream_open(l, address, NULL, NULL, &events, &b, &b.s), OK);
	while (!b.opened && clock_ms() < end)
		loop_once(l, 100);
	assert_int_equal(write(master, "ahoy!", 5), 5);
	stream_write(b.s, rd_str("\x7e\x0d\x11\x13!"));
	while (!b.text[0] && clock_ms() < end)
		loop_once(l, 100);
	loop_once(l, 10);
	assert_string_equal(b.text, "ahoy!");
	assert_int_equal(read(master, text, 5), 5);
	assert_memory_equal(text, "\x7e\x0d\x11\x13!", 5);
	stream_free(b.s);
	close(master);
	loop_free(l);
}

/* /dev/serial/by-path has such names. */
static void serial_paths_may_have_colons(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), fd;
	char name[256], address[300];

	(void)state;
	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	snprintf(name, sizeof name, "%s", in_dir("pci-0000:00:14.0-usb-0:1:1.0-port0"));
	assert_int_equal(symlink(ptsname(master), name), 0);
	assert_int_equal(serial_open(name, &fd), OK);
	close(fd);
	snprintf(address, sizeof address, "%s:460800", name);
	assert_int_equal(serial_open(address, &fd), OK);
	close(fd);
	snprintf(address, sizeof address, "%s:12345", name);
	assert_int_equal(serial_open(address, &fd), ERR_CONFIG);
	assert_int_equal(serial_open(in_dir("nothing"), &fd), ERR_IO);
	unlink(name);
	close(master);
}

/* ---- the rest ---- */

static void configuration_errors_name_file_and_line(void **state)
{
	char *listen = NULL, message[256];
	uint64_t eui64 = 0, number = 0;
	bool flag = false;
	const struct config_key keys[] = {
		{"mmef", "listen", CONFIG_STRING, &listen, true, "where nodes B connect"},
		{"gateway", "eui64", CONFIG_EUI64, &eui64, false, ""},
		{"gateway", "channel", CONFIG_UINT, &number, false, ""},
		{"egp", "insecure", CONFIG_BOOL, &flag, false, ""},
		{NULL, NULL, CONFIG_STRING, NULL, false, NULL},
	};

	(void)state;
	write_text("good.ini", "[mmef]\nlisten = 127.0.0.1:1\n[gateway]\neui64 = 00:12:4b:00:01:02:03:04\nchannel = 0x0f\n[egp]\ninsecure = yes\n", 0600);
	assert_int_equal(config_read(in_dir("good.ini"), keys, message, sizeof message), OK);
	assert_string_equal(listen, "127.0.0.1:1");
	assert_true(eui64 == 0x00124b0001020304 && number == 15 && flag);
	write_text("typo.ini", "[mmef]\n; comment\nlisen = x\n", 0600);
	assert_int_equal(config_read(in_dir("typo.ini"), keys, message, sizeof message), ERR_CONFIG);
	assert_non_null(strstr(message, "typo.ini:3: unknown key `lisen` in [mmef]; did you mean `listen`?"));
	write_text("bad.ini", "[egp]\ninsecure = maybe\n", 0600);
	assert_int_equal(config_read(in_dir("bad.ini"), keys, message, sizeof message), ERR_CONFIG);
	assert_non_null(strstr(message, "bad.ini:2"));
	write_text("lacks.ini", "[egp]\ninsecure = no\n", 0600);
	assert_int_equal(config_read(in_dir("lacks.ini"), keys, message, sizeof message), ERR_CONFIG);
	assert_non_null(strstr(message, "`listen` is missing in [mmef]"));
	assert_int_equal(config_read(in_dir("none.ini"), keys, message, sizeof message), ERR_NOT_FOUND);
	config_free(keys);
}

static void refuses_a_key_that_others_may_read(void **state)
{
	struct tls_credentials *c;

	(void)state;
	chmod(in_dir("psk"), 0644);
	assert_int_equal(tls_psk_server(in_dir("psk"), &c), ERR_CONFIG);
	chmod(in_dir("psk"), 0600);
	chmod(in_dir("client.key"), 0644);
	assert_int_equal(tls_certificates(in_dir("ca.pem"), in_dir("client.pem"), in_dir("client.key"), &c), ERR_CONFIG);
	chmod(in_dir("client.key"), 0600);
}

static void note(void *ctx)
{
	char **at = ctx;

	*(*at)++ = 'x';
}

static void timers_fire_in_order_and_deferred_calls_in_the_round(void **state)
{
	struct loop *l = loop_new();
	char log[8] = "", *at = log;
	struct loop_timer *late = loop_timer_new(l, note, &at), *never = loop_timer_new(l, note, &at), *soon = loop_timer_new(l, note, &at);
	uint64_t end = clock_ms() + PATIENCE_MS;

	(void)state;
	loop_timer_in(late, 30);
	loop_timer_in(soon, 1);
	loop_timer_in(never, 5);
	loop_timer_at(never, CLOCK_NEVER);
	loop_defer(l, note, &at);
	loop_once(l, 0);
	assert_true(at >= log + 1);
	while (at < log + 3 && clock_ms() < end)
		loop_once(l, -1);
	assert_string_equal(log, "xxx");
	loop_timer_free(late);
	loop_timer_free(never);
	loop_timer_free(soon);
	loop_free(l);
}

static void cancelled_calls_do_not_run(void **state)
{
	struct loop *l = loop_new();
	char log[8] = "", other[8] = "", *at = log, *elsewhere = other;

	(void)state;
	loop_defer(l, note, &at);
	loop_defer(l, note, &elsewhere);
	loop_defer(l, note, &at);
	loop_defer_cancel(l, note, &at);
	loop_defer(l, note, &elsewhere); /* the end of the list is still known */
	loop_once(l, 0);
	assert_string_equal(log, "");
	assert_string_equal(other, "xx");
	loop_defer(l, note, &at);
	loop_defer_cancel(l, note, &at);
	loop_defer(l, note, &at);
	loop_once(l, 0);
	assert_string_equal(log, "x");
	loop_free(l);
}

static void quotes_what_comes_from_outside(void **state)
{
	(void)state;
	assert_string_equal(log_quote(rd_of("a\"\n\xff", 4)), "\"a\\\"\\x0a\\xff\"");
}

static void count_call(void *ctx)
{
	++*(int *)ctx;
}

static void a_stopped_loop_waits_in_a_round_that_is_asked_for(void **state)
{
	struct loop *l = loop_new();
	int calls = 0;
	struct loop_timer *t = loop_timer_new(l, count_call, &calls);

	(void)state;
	loop_stop(l);
	loop_timer_in(t, 20);
	loop_once(l, 60000); /* to the timer, not at once */
	assert_int_equal(calls, 1);
	loop_once(l, -1); /* not for ever */
	loop_timer_free(t);
	loop_free(l);
}

struct dripping {
	struct loop *loop;
	struct loop_timer *timer;
	int ends[2];
	unsigned drops, heard;
};

static void drip(void *ctx)
{
	struct dripping *d = ctx;

	assert_int_equal(write(d->ends[1], "x", 1), 1);
	if (++d->drops < 50)
		loop_timer_in(d->timer, 1);
}

static void on_drop(void *ctx, unsigned what)
{
	struct dripping *d = ctx;
	char octet;

	assert_int_equal(what, LOOP_READ);
	assert_int_equal(read(d->ends[0], &octet, 1), 1);
	d->heard++;
}

static void on_ring(void *ctx, unsigned what)
{
	struct dripping *d = ctx;
	uint64_t times;

	assert_int_equal(what, LOOP_READ);
	assert_int_equal(read(d->ends[0], &times, sizeof times), sizeof times);
	d->heard++;
}

/* How often it slept until the clock beside it rang. */
static long sleeps_with(unsigned looks)
{
	const struct itimerspec soon = {.it_value.tv_nsec = 20000000};
	struct dripping d = {.loop = loop_new(), .ends = {timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), -1}};
	struct loop_io *io = loop_io_new(d.loop, d.ends[0], LOOP_READ, on_ring, &d);
	struct rusage before, after;

	loop_linger(d.loop, looks);
	assert_int_equal(timerfd_settime(d.ends[0], 0, &soon, NULL), 0);
	assert_int_equal(getrusage(RUSAGE_THREAD, &before), 0);
	loop_once(d.loop, PATIENCE_MS);
	assert_int_equal(getrusage(RUSAGE_THREAD, &after), 0);
	assert_int_equal(d.heard, 1);
	loop_io_free(io);
	loop_free(d.loop);
	close(d.ends[0]);
	return after.ru_nvcsw - before.ru_nvcsw;
}

static void a_loop_that_lingers_need_not_be_woken(void **state)
{
	(void)state;
	assert_true(sleeps_with(0) > 0);
	assert_int_equal(sleeps_with(UINT_MAX), 0);
}

/* So seldom does something come that looking for it is in vain, over and over: it sleeps then, and wakes for timers and for what is there. */
static void a_loop_that_lingers_misses_nothing(void **state)
{
	struct dripping d = {.loop = loop_new()};
	uint64_t end = clock_ms() + PATIENCE_MS;
	struct loop_io *io;

	(void)state;
	assert_int_equal(pipe(d.ends), 0);
	io = loop_io_new(d.loop, d.ends[0], LOOP_READ, on_drop, &d);
	d.timer = loop_timer_new(d.loop, drip, &d);
	loop_linger(d.loop, 5);
	loop_timer_in(d.timer, 1);
	while (d.heard < 50 && clock_ms() < end)
		loop_once(d.loop, PATIENCE_MS);
	assert_int_equal(d.heard, 50);
	loop_io_free(io);
	loop_timer_free(d.timer);
	loop_free(d.loop);
	close(d.ends[0]);
	close(d.ends[1]);
}

/* ---- what goes last ---- */

struct turn {
	struct loop_io *io;
	int ends[2];
	unsigned *turns, at;
};

static void on_turn(void *ctx, unsigned what)
{
	struct turn *t = ctx;
	char octet;

	(void)what;
	assert_int_equal(read(t->ends[0], &octet, 1), 1);
	t->at = ++*t->turns;
}

static void patient_ones_go_last_and_wait_but_not_for_ever(void **state)
{
	struct loop *l = loop_new();
	unsigned turns = 0;
	struct turn all[4];
	unsigned rounds = 0;

	(void)state;
	for (int i = 0; i < 4; i++) {
		all[i].turns = &turns;
		assert_int_equal(pipe(all[i].ends), 0);
		all[i].io = loop_io_new(l, all[i].ends[0], LOOP_READ, on_turn, &all[i]);
		all[i].at = 0;
		if (i % 2 == 0)
			loop_io_patient(all[i].io);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(write(all[i].ends[1], "x", 1), 1);
	for (; all[0].at == 0; rounds++) { /* one of the others has something in each of them */
		assert_true(rounds < LOOP_PATIENCE);
		loop_once(l, 0);
		assert_true(all[1].at > 0 && all[3].at > 0);
		assert_int_equal(write(all[1].ends[1], "x", 1), 1);
	}
	assert_int_equal(rounds, LOOP_PATIENCE);
	assert_true(all[2].at > 0 && all[0].at > all[1].at && all[2].at > all[1].at);
	loop_once(l, 0);
	assert_int_equal(write(all[0].ends[1], "x", 1), 1);
	all[0].at = 0;
	loop_once(l, 0); /* nobody else has anything */
	assert_true(all[0].at > 0);
	for (int i = 0; i < 4; i++) {
		loop_io_free(all[i].io);
		close(all[i].ends[0]);
		close(all[i].ends[1]);
	}
	loop_free(l);
}

/* A server that the test plays itself, and a client that calls again when it is answered. */
struct caller {
	struct loop *loop;
	struct http_client *client;
	char url[64];
	int connection;
	unsigned answers;
};

static void on_answered(void *ctx, const struct http_result *r)
{
	struct caller *c = ctx;

	assert_int_equal(r->error, OK);
	assert_int_equal(r->status, 200);
	if (++c->answers == 1)
		http_call(c->client, &(const struct http_call_options){.method = "POST", .url = c->url, .body = rd_str("next")}, on_answered, c);
}

static bool comes(int fd)
{
	return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, PATIENCE_MS) == 1;
}

static void take_request(int fd, const char *body)
{
	char text[2048];
	size_t have = 0, len = strlen(body);

	while (have < len || memcmp(text + have - len, body, len) != 0) {
		ssize_t n = comes(fd) ? read(fd, text + have, sizeof text - have) : 0;

		assert_true(n > 0);
		have += (size_t)n;
	}
}

static void give_answer(int fd)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

	assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
}

static void a_call_from_within_an_answer_leaves_in_that_round(void **state)
{
	struct caller c = {.loop = loop_new()};
	int listener;

	(void)state;
	c.client = http_client_new(c.loop, NULL);
	assert_int_equal(tcp_listen("127.0.0.1:0", 8, &listener), OK);
	snprintf(c.url, sizeof c.url, "http://127.0.0.1:%u/", address_port(listener));
	http_call(c.client, &(const struct http_call_options){.method = "POST", .url = c.url, .body = rd_str("first")}, on_answered, &c);
	while (poll(&(struct pollfd){.fd = listener, .events = POLLIN}, 1, 0) != 1)
		loop_once(c.loop, 10);
	c.connection = accept(listener, NULL, NULL);
	assert_true(c.connection >= 0);
	while (poll(&(struct pollfd){.fd = c.connection, .events = POLLIN}, 1, 0) != 1)
		loop_once(c.loop, 10);
	take_request(c.connection, "first");
	give_answer(c.connection);
	while (c.answers == 0)
		loop_once(c.loop, PATIENCE_MS);
	take_request(c.connection, "next"); /* nobody else sends it while we wait here */
	http_client_free(c.client);
	loop_free(c.loop);
	close(c.connection);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(https_knows_both_identities),
		cmocka_unit_test(http_without_tls_and_nobody_there),
		cmocka_unit_test(streams_over_tcp_psk_and_certificates),
		cmocka_unit_test(an_answer_with_too_long_a_head_is_refused),
		cmocka_unit_test(stream_tells_when_nobody_listens),
		cmocka_unit_test(stream_over_a_pty),
		cmocka_unit_test(serial_paths_may_have_colons),
		cmocka_unit_test(configuration_errors_name_file_and_line),
		cmocka_unit_test(refuses_a_key_that_others_may_read),
		cmocka_unit_test(timers_fire_in_order_and_deferred_calls_in_the_round),
		cmocka_unit_test(cancelled_calls_do_not_run),
		cmocka_unit_test(a_stopped_loop_waits_in_a_round_that_is_asked_for),
		cmocka_unit_test(a_loop_that_lingers_need_not_be_woken),
		cmocka_unit_test(a_loop_that_lingers_misses_nothing),
		cmocka_unit_test(patient_ones_go_last_and_wait_but_not_for_ever),
		cmocka_unit_test(a_call_from_within_an_answer_leaves_in_that_round),
		cmocka_unit_test(quotes_what_comes_from_outside),
	};

	return cmocka_run_group_tests(tests, make_plant, remove_plant);
}
