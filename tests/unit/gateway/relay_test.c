/* IPE-NI over real HTTP against a registrar CSE that the test plays: containers, messages up and down, what was missed, and everything that goes wrong
 * on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "gateway/relay.h"
#include "json/json.h"
#include "loop/log.h"
#include "onem2m/timestamp.h"

#define DEVICE 0x00124b0000000001ULL
#define OTHER 0x00124b0000000002ULL
#define NAME "00124b0000000001"
#define PATIENCE_MS 20000
#define LOG 4000
#define INSTANCES 1200
#define MADE 64

struct request {
	char method[8], path[200];
	int ty;
	char body[600];
};

struct stored {
	char ri[32], ct[TIMESTAMP_SIZE];
	struct egp_message m;
	uint8_t octets[EGP_MESSAGE_MAX];
	char con[1500];
};

/* The CSE: what it was asked, what it has, and its moods. */
static struct {
	struct http_server *server;
	bool hold_posts, no_retrieval, answer_lost;
	bool flaky;                     /* every third answer is 500 */
	struct http_exchange *held;
	struct request log[LOG];
	size_t count;
	char made[MADE][300];           /* resources */
	size_t made_count;
	struct stored up[INSTANCES], down[INSTANCES];
	size_t up_count, down_count;
	unsigned next_id;
	const char *date;               /* NULL: the server's own */
	void (*before_list)(void);      /* while the list of `down` is on its way */
} cse;

static struct loop *loop;
static struct http_client *http;
static struct relay *relay;
static struct relay_config config = {.cse_id = "/id-mn", .cse_name = "cse-mn", .ae_id = "Cgw1", .name = "gw1", .poa = "http://127.0.0.1:9", .epoch = 3, .identity = ""};
static unsigned readies;
static struct egp_message got[INSTANCES];
static uint8_t got_frame[INSTANCES];
static size_t got_count;
static void (*on_message_too)(const struct egp_message *m);

static void on_ready(void *ctx, uint64_t device)
{
	(void)ctx;
	assert_true(device == DEVICE || device == OTHER);
	readies++;
}

static void on_message(void *ctx, const struct egp_message *m)
{
	(void)ctx;
	assert_true(got_count < INSTANCES);
	got[got_count] = *m;
	got_frame[got_count] = m->type == EGP_DOWNLINK && m->downlink.frame.left ? m->downlink.frame.at[0] : 0;
	got_count++;
	if (on_message_too)
		on_message_too(m);
}

static const struct relay_events events = {on_ready, on_message};

/* ---- the CSE ---- */

static bool exists(const char *path)
{
	for (size_t i = 0; i < cse.made_count; i++)
		if (strcmp(cse.made[i], path) == 0)
			return true;
	return false;
}

static void store(struct stored *s, const char *con, const char *ct)
{
	uint8_t buffer[EGP_MESSAGE_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd message;

	snprintf(s->ri, sizeof s->ri, "cin%u", ++cse.next_id);
	snprintf(s->ct, sizeof s->ct, "%s", ct);
	snprintf(s->con, sizeof s->con, "%s", con);
	assert_true(base64_parse(rd_str(con), &w) && wr_done(&w, &message));
	memcpy(s->octets, message.at, message.left);
	assert_int_equal(egp_decode(rd_of(s->octets, message.left), &s->m), OK);
}

/* An UPLINK or the like is posted to `up`. */
static void take_up(struct rd body)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc;
	char con[1500], now[TIMESTAMP_SIZE];

	assert_int_equal(json_parse(a, body, NULL, &doc), OK);
	assert_true(json_is_string(json_path(doc, "m2m:cin.cnf"), "application/octet-stream:1"));
	assert_true(json_text(json_path(doc, "m2m:cin.con"), con, sizeof con));
	timestamp_print(now, clock_unix_ms());
	assert_true(cse.up_count < INSTANCES);
	store(&cse.up[cse.up_count++], con, now);
	json_arena_free(a);
}

static void put_instance(struct json_out *o, const char *name, const struct stored *s)
{
	json_object(o, name);
	json_put_string(o, "ri", s->ri);
	json_put_string(o, "pi", "cnt-down");
	json_put_string(o, "ct", s->ct);
	json_put_string(o, "con", s->con);
	json_close(o);
}

static void answer(struct http_exchange *x, unsigned status, const char *rsc, struct rd body)
{
	const struct http_header headers[] = {{"X-M2M-RSC", rsc}, {cse.date ? "Date" : NULL, cse.date}, {NULL, NULL}};

	http_answer(x, status, headers, body);
}

static void answer_list(struct http_exchange *x)
{
	struct wr w = wr_new(4 * HTTP_BODY_MAX);
	struct json_out o = json_out(&w);
	struct rd body;

	json_object(&o, NULL);
	json_object(&o, "m2m:cnt");
	json_put_string(&o, "ri", "cnt-down");
	json_array(&o, "m2m:cin");
	for (size_t i = 0; i < cse.down_count; i++)
		put_instance(&o, NULL, &cse.down[i]);
	json_close(&o);
	json_close(&o);
	json_close(&o);
	assert_true(wr_done(&w, &body));
	if (cse.before_list)
		cse.before_list();
	answer(x, 200, "2000", body);
	wr_free(&w);
}

static void answer_latest(struct http_exchange *x)
{
	uint8_t buffer[2500];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct json_out o = json_out(&w);

	if (cse.up_count == 0) {
		answer(x, 404, "4004", rd_of("", 0));
		return;
	}
	json_object(&o, NULL);
	put_instance(&o, "m2m:cin", &cse.up[cse.up_count - 1]);
	json_close(&o);
	answer(x, 200, "2000", rd_of(w.octets, w.len));
}

/* Where a new resource will be, from its name. */
static void child_path(const struct http_request *rq, char *path, size_t size)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc;
	char name[100] = "";

	assert_int_equal(json_parse(a, rq->body, NULL, &doc), OK);
	(void)!json_text(json_get(doc->first, "rn"), name, sizeof name);
	snprintf(path, size, "%s/%s", rq->path, name);
	json_arena_free(a);
}

static void on_create(struct http_exchange *x, const struct http_request *rq, int ty)
{
	char path[300];

	if (ty == 4) {
		if (!exists(rq->path)) {
			answer(x, 404, "4004", rd_of("", 0));
			return;
		}
		take_up(rq->body);
		if (cse.hold_posts) {
			cse.held = x;
			return;
		}
		answer(x, cse.answer_lost ? 500 : 201, "2001", rd_of("", 0));
		cse.answer_lost = false;
		return;
	}
	child_path(rq, path, sizeof path);
	if (exists(path)) {
		answer(x, 409, "4105", rd_of("", 0));
		return;
	}
	assert_true(cse.made_count < MADE);
	snprintf(cse.made[cse.made_count++], sizeof cse.made[0], "%s", path);
	answer(x, 201, "2001", rd_of("", 0));
}

static bool ends_with(const char *text, const char *tail)
{
	return strlen(text) >= strlen(tail) && strcmp(text + strlen(text) - strlen(tail), tail) == 0;
}

static void on_request(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	const char *type = http_request_header(x, "Content-Type"), *ty = type ? strstr(type, "ty=") : NULL;
	struct request *r;

	(void)ctx;
	assert_true(cse.count < LOG);
	r = &cse.log[cse.count++];
	snprintf(r->method, sizeof r->method, "%s", rq->method);
	snprintf(r->path, sizeof r->path, "%s%s%s", rq->path, rq->query[0] ? "?" : "", rq->query);
	r->ty = ty ? atoi(ty + 3) : 0;
	snprintf(r->body, sizeof r->body, "%.*s", (int)rq->body.left, rq->body.left ? (const char *)rq->body.at : "");
	assert_string_equal(http_request_header(x, "X-M2M-Origin"), "Cgw1");
	if (cse.flaky && cse.count % 3 == 1) {
		answer(x, 500, "5000", rd_of("", 0));
	} else if (strcmp(rq->method, "POST") == 0) {
		on_create(x, rq, r->ty);
	} else if (strcmp(rq->method, "PUT") == 0) {
		answer(x, exists(rq->path) ? 200 : 404, exists(rq->path) ? "2004" : "4004", rd_of("", 0));
	} else if (cse.no_retrieval) {
		answer(x, 405, "4005", rd_of("", 0));
	} else if (ends_with(rq->path, "/up/la")) {
		answer_latest(x);
	} else if (ends_with(rq->path, "/down")) {
		answer_list(x);
	} else {
		answer(x, 404, "4004", rd_of("", 0));
	}
}

/* ---- the world ---- */

static void relay_start(uint32_t epoch)
{
	static char url[64];

	snprintf(url, sizeof url, "http://127.0.0.1:%u", http_server_port(cse.server));
	config.url = url;
	config.epoch = epoch;
	http = http_client_new(loop, NULL);
	relay = relay_new(loop, http, &config, &events, NULL);
}

static void relay_stop(void)
{
	http_client_free(http); /* its calls end without a word */
	relay_free(relay);
}

static int setup(void **state)
{
	(void)state;
	memset(&cse, 0, sizeof cse);
	readies = 0;
	got_count = 0;
	on_message_too = NULL;
	loop = loop_new();
	if (http_server_new(loop, "127.0.0.1:0", NULL, on_request, NULL, &cse.server) != OK)
		return -1;
	relay_start(3);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	relay_stop();
	http_server_free(cse.server);
	loop_free(loop);
	return 0;
}

#define AWAIT(condition)                                                              \
	do {                                                                          \
		uint64_t until = clock_ms() + PATIENCE_MS;                            \
		while (!(condition) && clock_ms() < until)                            \
			loop_once(loop, 50);                                          \
		assert_true(condition);                                               \
	} while (0)

/* All that is on its way has arrived: a message up, which goes after what went before. */
static void settle(void)
{
	struct egp_message m = {.type = EGP_CHILD_EVENT};
	size_t before = cse.up_count;

	m.child_event.device = DEVICE;
	m.child_event.event = EGP_CHILD_LOST;
	relay_up(relay, DEVICE, &m);
	AWAIT(cse.up_count > before && cse.up[cse.up_count - 1].m.type == EGP_CHILD_EVENT);
}

static void come_up(void)
{
	relay_device(relay, DEVICE, "/id-b", NULL);
	AWAIT(readies == 1);
}

/* NULL: it was not. */
static const struct request *asked(const char *method, const char *path)
{
	for (size_t i = 0; i < cse.count; i++)
		if (strcmp(cse.log[i].method, method) == 0 && strcmp(cse.log[i].path, path) == 0)
			return &cse.log[i];
	return NULL;
}

static const struct request *the_request(const char *method, const char *path)
{
	const struct request *r = asked(method, path);

	assert_non_null(r);
	return r ? r : cse.log;
}

static void uplink(uint8_t number)
{
	struct egp_message m = {.type = EGP_UPLINK};

	m.uplink.device = DEVICE;
	m.uplink.frame = rd_of(&number, 1);
	relay_up(relay, DEVICE, &m);
}

static uint8_t number_of(const struct stored *s)
{
	assert_int_equal(s->m.type, EGP_UPLINK);
	assert_int_equal(s->m.uplink.frame.left, 1);
	return s->m.uplink.frame.at[0];
}

/* Node B writes; ago_s: so long ago. */
static const struct stored *written(const struct egp_message *m, unsigned ago_s)
{
	uint8_t octets[EGP_MESSAGE_MAX];
	struct wr w = wr_of(octets, sizeof octets), text = wr_new(3000);
	char ct[TIMESTAMP_SIZE], con[1500];

	assert_int_equal(egp_encode(m, &w), OK);
	base64_print(&text, rd_of(w.octets, w.len));
	assert_true(text.len < sizeof con);
	memcpy(con, text.octets, text.len);
	con[text.len] = '\0';
	wr_free(&text);
	timestamp_print(ct, clock_unix_ms() - ago_s * 1000ULL);
	assert_true(cse.down_count < INSTANCES);
	store(&cse.down[cse.down_count], con, ct);
	return &cse.down[cse.down_count++];
}

static const struct stored *frame_written(uint32_t transaction, uint8_t number, unsigned ago_s)
{
	struct egp_message m = {.type = EGP_DOWNLINK, .transaction = transaction};

	m.downlink.device = DEVICE;
	m.downlink.validity_ms = 20000;
	m.downlink.frame = rd_of(&number, 1);
	return written(&m, ago_s);
}

static void notify_from(const struct stored *s, const char *parent)
{
	char body[2500];

	snprintf(body, sizeof body, "{\"m2m:sgn\":{\"sur\":\"/id-mn/sub1\",\"nev\":{\"net\":3,\"rep\":{\"m2m:cin\":{\"ri\":\"%s\",\"pi\":\"%s\",\"ct\":\"%s\",\"con\":\"%s\"}}}}}", s->ri, parent,
	    s->ct, s->con);
	relay_notified(relay, rd_str(body));
}

static void notify(const struct stored *s)
{
	notify_from(s, "cnt-down");
}

/* ---- containers ---- */

static void the_containers_are_made_for_the_owner_alone(void **state)
{
	const struct request *r;

	(void)state;
	come_up();
	r = the_request("POST", "/cse-mn");
	assert_int_equal(r->ty, 2);
	assert_non_null(strstr(r->body, "\"rr\":true"));
	assert_non_null(strstr(r->body, "\"poa\":[\"http://127.0.0.1:9\"]"));
	assert_true(exists("/cse-mn/gw1/" NAME "-up"));
	assert_true(exists("/cse-mn/gw1/" NAME "-down"));
	assert_true(exists("/cse-mn/gw1/" NAME));
	assert_true(exists("/cse-mn/gw1/" NAME "/up"));
	assert_true(exists("/cse-mn/gw1/" NAME "/down"));
	assert_true(exists("/cse-mn/gw1/" NAME "/down/ni"));
	for (size_t i = 0; i < cse.count; i++) {
		r = &cse.log[i];
		if (r->ty == 1 && strstr(r->body, NAME "-up"))
			assert_non_null(strstr(r->body, "{\"acor\":[\"/id-b\",\"/id-b/*\"],\"acop\":35}")); /* CREATE, RETRIEVE, DISCOVER */
		if (r->ty == 1 && strstr(r->body, NAME "-down"))
			assert_non_null(strstr(r->body, "{\"acor\":[\"/id-b\",\"/id-b/*\"],\"acop\":1}")); /* CREATE */
		if (r->ty == 3 && strstr(r->body, "\"rn\":\"up\""))
			assert_non_null(strstr(r->body, "\"acpi\":[\"cse-mn/gw1/" NAME "-up\"]"));
		if (r->ty == 3 && strstr(r->body, "\"rn\":\"down\""))
			assert_non_null(strstr(r->body, "\"acpi\":[\"cse-mn/gw1/" NAME "-down\"]"));
		if (r->ty == 23)
			assert_non_null(strstr(r->body, "\"nu\":[\"/id-mn/Cgw1\"]"));
	}
}

static void a_cse_that_fails_is_asked_again(void **state)
{
	(void)state;
	cse.flaky = true;
	relay_device(relay, DEVICE, "/id-b", NULL);
	AWAIT(readies == 1);
	for (uint8_t i = 0; i < 3; i++)
		uplink(i);
	AWAIT(cse.up_count == 3);
	assert_true(exists("/cse-mn/gw1/" NAME "/down/ni"));
}

static void another_owner_gets_the_containers_and_the_former_loses_them(void **state)
{
	const struct request *r;

	(void)state;
	come_up();
	cse.count = 0;
	relay_device(relay, DEVICE, "/id-b2", NULL);
	AWAIT(readies == 2);
	for (unsigned i = 0; i < 2; i++) {
		r = the_request("PUT", i ? "/cse-mn/gw1/" NAME "-down" : "/cse-mn/gw1/" NAME "-up");
		assert_non_null(strstr(r->body, "\"/id-b2\",\"/id-b2/*\""));
		assert_null(strstr(r->body, "\"/id-b\""));
		assert_null(strstr(r->body, "\"rn\""));
	}
	/* So it is when another run finds what a former one made. */
	relay_stop();
	cse.count = 0;
	relay_start(4);
	relay_device(relay, DEVICE, "/id-b3", "");
	AWAIT(readies == 3);
	r = the_request("PUT", "/cse-mn/gw1/" NAME "-up");
	assert_non_null(strstr(r->body, "\"/id-b3\",\"/id-b3/*\""));
}

static void the_same_owner_again_is_ready_at_once(void **state)
{
	(void)state;
	come_up();
	cse.count = 0;
	relay_device(relay, DEVICE, "/id-b", NULL);
	assert_int_equal(readies, 2);
	assert_int_equal(cse.count, 0);
}

/* ---- up ---- */

static void messages_go_up_in_order_and_numbered(void **state)
{
	(void)state;
	for (uint8_t i = 0; i < 5; i++)
		uplink(i); /* no such device yet */
	relay_device(relay, DEVICE, "/id-b", NULL);
	for (uint8_t i = 0; i < 50; i++)
		uplink(i); /* its containers are being made */
	AWAIT(cse.up_count == 50);
	for (uint8_t i = 0; i < 50; i++) {
		assert_int_equal(number_of(&cse.up[i]), i);
		assert_int_equal(cse.up[i].m.transaction, (3U << 20) + 1 + i);
	}
}

static void an_answer_that_is_lost_makes_no_second_message(void **state)
{
	(void)state;
	come_up();
	cse.answer_lost = true;
	uplink(1);
	uplink(2);
	AWAIT(cse.up_count == 3);
	assert_int_equal(number_of(&cse.up[0]), 1);
	assert_int_equal(number_of(&cse.up[1]), 1);
	assert_int_equal(cse.up[0].m.transaction, cse.up[1].m.transaction); /* node B knows it again */
	assert_int_equal(number_of(&cse.up[2]), 2);
	assert_int_equal(cse.up[2].m.transaction, cse.up[1].m.transaction + 1);
}

static void a_full_queue_drops_the_oldest_and_stays_bounded(void **state)
{
	size_t held;

	(void)state;
	come_up();
	cse.hold_posts = true;
	uplink(255);
	AWAIT(cse.held);
	for (unsigned i = 0; i < 2000; i++)
		uplink((uint8_t)(i % 200));
	cse.hold_posts = false;
	held = cse.up_count;
	answer(cse.held, 201, "2001", rd_of("", 0));
	AWAIT(cse.up_count >= held + 499);
	settle();
	assert_int_equal(cse.up_count, held + 499 + 1); /* 500 with the one that was on its way */
	assert_int_equal(number_of(&cse.up[0]), 255);   /* which is not the one that was dropped */
	for (size_t i = 0; i < 499; i++) {
		assert_int_equal(number_of(&cse.up[held + i]), (2000 - 499 + i) % 200);
		assert_int_equal(cse.up[held + i].m.transaction, cse.up[0].m.transaction + 1 + i); /* no gaps */
	}
}

static void a_cse_that_lost_its_store_gets_the_containers_again(void **state)
{
	(void)state;
	come_up();
	uplink(1);
	AWAIT(cse.up_count == 1);
	cse.made_count = 0;
	snprintf(cse.made[cse.made_count++], sizeof cse.made[0], "/cse-mn/gw1");
	uplink(2);
	AWAIT(cse.up_count == 2);
	assert_int_equal(number_of(&cse.up[1]), 2);
	assert_true(exists("/cse-mn/gw1/" NAME "/down/ni"));
}

static void numbers_go_on_behind_the_latest(void **state)
{
	uint32_t last;

	(void)state;
	come_up();
	uplink(1);
	AWAIT(cse.up_count == 1);
	/* This run had more messages than an epoch has numbers. */
	cse.up[0].m.transaction = 5U << 20;
	{
		uint8_t octets[EGP_MESSAGE_MAX];
		struct wr w = wr_of(octets, sizeof octets), text = wr_of(cse.up[0].con, sizeof cse.up[0].con - 1);

		assert_int_equal(egp_encode(&cse.up[0].m, &w), OK);
		base64_print(&text, rd_of(w.octets, w.len));
		cse.up[0].con[text.len] = '\0';
	}
	relay_stop();
	relay_start(4);
	relay_device(relay, DEVICE, "/id-b", "");
	uplink(2);
	AWAIT(cse.up_count == 2);
	last = cse.up[1].m.transaction;
	assert_int_equal(last, (5U << 20) + 1);
	/* And one that has lost its epoch with its disk. */
	relay_stop();
	relay_start(1);
	relay_device(relay, DEVICE, "/id-b", "");
	uplink(3);
	AWAIT(cse.up_count == 3);
	assert_int_equal(cse.up[2].m.transaction, last + 1);
	relay_stop();
	relay_start(9);
	relay_device(relay, DEVICE, "/id-b", "");
	uplink(4);
	AWAIT(cse.up_count == 4);
	assert_int_equal(cse.up[3].m.transaction, (9U << 20) + 1);
}

/* ---- down ---- */

static void a_notification_is_carried_out_once(void **state)
{
	const struct stored *s;

	(void)state;
	come_up();
	s = frame_written(77, 5, 0);
	notify(s);
	assert_int_equal(got_count, 1);
	assert_int_equal(got[0].type, EGP_DOWNLINK);
	assert_int_equal(got[0].transaction, 77);
	assert_int_equal(got_frame[0], 5);
	assert_in_range(got[0].downlink.validity_ms, 17000, 20000);
	assert_string_equal(relay_last(relay, DEVICE), s->ri);
	notify(s);
	assert_int_equal(got_count, 1);
	notify_from(frame_written(78, 6, 0), "cnt-of-another");
	assert_int_equal(got_count, 1);
	relay_notified(relay, rd_str("{\"m2m:sgn\":{\"vrq\":true}}"));
	relay_notified(relay, rd_str("not even JSON"));
	relay_notified(relay, rd_of(NULL, 0));
	assert_int_equal(got_count, 1);
	relay_remove(relay, DEVICE);
	assert_null(relay_last(relay, DEVICE));
	notify(frame_written(79, 7, 0));
	assert_int_equal(got_count, 1);
}

/* The CSE notifies for minutes before it gives up: what it brings after an outage is no more what node B wants. */
static void a_frame_that_waited_too_long_is_reported_and_not_sent(void **state)
{
	(void)state;
	come_up();
	notify(frame_written(1, 1, 25));
	assert_int_equal(got_count, 0);
	AWAIT(cse.up_count == 1);
	assert_int_equal(cse.up[0].m.type, EGP_DELIVERY);
	assert_int_equal(cse.up[0].m.delivery.status, EGP_EXPIRED);
	notify(frame_written(2, 2, 10));
	assert_int_equal(got_count, 1);
	assert_in_range(got[0].downlink.validity_ms, 7000, 11000);
}

/* A gateway whose clock is an hour off counts on the CSE's. */
static void the_age_is_counted_on_the_clock_of_the_cse(void **state)
{
	char date[64];
	time_t t = (time_t)(clock_unix_ms() / 1000) + 3600;
	struct tm utc;

	(void)state;
	gmtime_r(&t, &utc);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &utc);
	cse.date = date;
	come_up();
	{
		struct egp_message m = {.type = EGP_DOWNLINK, .transaction = 1};
		struct stored *s;

		m.downlink.device = DEVICE;
		m.downlink.validity_ms = 20000;
		m.downlink.frame = rd_str("x");
		s = &cse.down[cse.down_count];
		(void)written(&m, 0);
		notify(s); /* an hour old, there */
		assert_int_equal(got_count, 0);
		m.transaction = 2;
		s = &cse.down[cse.down_count];
		(void)written(&m, 0);
		timestamp_print(s->ct, clock_unix_ms() + 3600000);
		notify(s);
		assert_int_equal(got_count, 1);
		assert_in_range(got[0].downlink.validity_ms, 16000, 20000);
	}
}

static void what_came_while_the_gateway_was_off_is_carried_out(void **state)
{
	struct egp_message set = {.type = EGP_CHILD_SET, .transaction = 11}, drop = {.type = EGP_CHILD_DROP, .transaction = 12};
	char last[DOWN_ID];

	(void)state;
	come_up();
	drop.child_drop.device = set.child_set.device = DEVICE;
	notify(written(&drop, 100)); /* and it came back afterwards */
	notify(frame_written(13, 1, 3));
	assert_int_equal(got_count, 2);
	snprintf(last, sizeof last, "%s", relay_last(relay, DEVICE));
	relay_stop(); /* off */
	(void)frame_written(14, 2, 600);
	set.child_set.timeout_s = 60;
	(void)written(&set, 300);
	(void)frame_written(15, 3, 5);
	(void)frame_written(16, 4, 1);
	got_count = 0;
	relay_start(4);
	relay_device(relay, DEVICE, "/id-b", last);
	AWAIT(readies == 2);
	assert_int_equal(got_count, 3);
	assert_int_equal(got[0].type, EGP_CHILD_SET); /* however long ago */
	assert_int_equal(got[0].child_set.timeout_s, 60);
	assert_int_equal(got_frame[1], 3);
	assert_in_range(got[1].downlink.validity_ms, 12000, 16000);
	assert_int_equal(got_frame[2], 4);
	settle();
	assert_int_equal(cse.up[0].m.type, EGP_DELIVERY); /* of the frame that was too old */
	/* The CSE's own repeats of the notifications come on top. */
	for (size_t i = 0; i < cse.down_count; i++)
		if (i > 1)
			notify(&cse.down[i]);
	assert_int_equal(got_count, 3);
}

static void a_first_run_takes_what_waits_for_it(void **state)
{
	(void)state;
	(void)frame_written(1, 1, 1);
	come_up();
	assert_int_equal(got_count, 1);
}

static const struct stored *late;

static void notify_meanwhile(void)
{
	cse.before_list = NULL;
	late = frame_written(2, 2, 0); /* behind what the list holds */
	notify(late);
	assert_int_equal(got_count, 0); /* it must not overtake */
}

static void a_notification_does_not_overtake_what_is_retrieved(void **state)
{
	(void)state;
	(void)frame_written(1, 1, 0);
	cse.before_list = notify_meanwhile;
	come_up();
	assert_int_equal(got_count, 2);
	assert_int_equal(got_frame[0], 1);
	assert_int_equal(got_frame[1], 2);
	notify(late);
	assert_int_equal(got_count, 2);
}

static void a_cse_that_does_not_let_us_look_does_not_stop_us(void **state)
{
	(void)state;
	cse.no_retrieval = true;
	(void)frame_written(1, 1, 0);
	come_up();
	assert_int_equal(got_count, 0);
	notify(frame_written(2, 2, 0));
	assert_int_equal(got_count, 1);
	uplink(1);
	AWAIT(cse.up_count == 1);
}

static void forget_it(const struct egp_message *m)
{
	(void)m;
	relay_remove(relay, DEVICE);
}

static void a_device_may_be_forgotten_in_the_middle(void **state)
{
	(void)state;
	(void)frame_written(1, 1, 0);
	(void)frame_written(2, 2, 0);
	on_message_too = forget_it;
	relay_device(relay, DEVICE, "/id-b", NULL);
	AWAIT(got_count == 1);
	for (unsigned i = 0; i < 5; i++)
		loop_once(loop, 10);
	assert_int_equal(got_count, 1);
	assert_null(relay_last(relay, DEVICE));
	/* and while a request is on its way */
	on_message_too = NULL;
	relay_device(relay, DEVICE, "/id-b", NULL);
	uplink(1);
	relay_remove(relay, DEVICE);
	relay_device(relay, DEVICE, "/id-b", NULL);
	AWAIT(readies == 1);
}

static void two_devices_do_not_wait_for_each_other(void **state)
{
	struct egp_message m = {.type = EGP_UPLINK};

	(void)state;
	come_up();
	relay_device(relay, OTHER, "/id-b", NULL);
	AWAIT(readies == 2);
	cse.hold_posts = true;
	uplink(1);
	AWAIT(cse.held);
	cse.hold_posts = false;
	m.uplink.device = OTHER;
	m.uplink.frame = rd_str("x");
	relay_up(relay, OTHER, &m);
	AWAIT(cse.up_count == 2);
	assert_true(cse.up[1].m.uplink.device == OTHER);
	answer(cse.held, 201, "2001", rd_of("", 0));
}

/* While it is away one device's channel tries for all; then all go, also when that one has gone meanwhile. */
static void what_waits_goes_up_when_the_cse_is_back(void **state)
{
	struct egp_message m = {.type = EGP_UPLINK};
	char address[32];

	(void)state;
	come_up();
	relay_device(relay, OTHER, "/id-b", NULL);
	AWAIT(readies == 2);
	snprintf(address, sizeof address, "127.0.0.1:%u", http_server_port(cse.server));
	http_server_free(cse.server);
	uplink(1);
	m.uplink.device = OTHER;
	m.uplink.frame = rd_str("x");
	relay_up(relay, OTHER, &m);
	for (uint64_t until = clock_ms() + 1200; clock_ms() < until;) /* each has tried */
		loop_once(loop, 50);
	relay_remove(relay, DEVICE);
	assert_int_equal(http_server_new(loop, address, NULL, on_request, NULL, &cse.server), OK);
	relay_up(relay, OTHER, &m);
	AWAIT(cse.up_count == 2);
	assert_true(cse.up[0].m.uplink.device == OTHER);
	uplink(2); /* there is no such device any more */
	relay_up(relay, OTHER, &m);
	AWAIT(cse.up_count == 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_containers_are_made_for_the_owner_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(a_cse_that_fails_is_asked_again, setup, teardown),
		cmocka_unit_test_setup_teardown(another_owner_gets_the_containers_and_the_former_loses_them, setup, teardown),
		cmocka_unit_test_setup_teardown(the_same_owner_again_is_ready_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(messages_go_up_in_order_and_numbered, setup, teardown),
		cmocka_unit_test_setup_teardown(an_answer_that_is_lost_makes_no_second_message, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_queue_drops_the_oldest_and_stays_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(a_cse_that_lost_its_store_gets_the_containers_again, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_go_on_behind_the_latest, setup, teardown),
		cmocka_unit_test_setup_teardown(a_notification_is_carried_out_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_frame_that_waited_too_long_is_reported_and_not_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(the_age_is_counted_on_the_clock_of_the_cse, setup, teardown),
		cmocka_unit_test_setup_teardown(what_came_while_the_gateway_was_off_is_carried_out, setup, teardown),
		cmocka_unit_test_setup_teardown(a_first_run_takes_what_waits_for_it, setup, teardown),
		cmocka_unit_test_setup_teardown(a_notification_does_not_overtake_what_is_retrieved, setup, teardown),
		cmocka_unit_test_setup_teardown(a_cse_that_does_not_let_us_look_does_not_stop_us, setup, teardown),
		cmocka_unit_test_setup_teardown(a_device_may_be_forgotten_in_the_middle, setup, teardown),
		cmocka_unit_test_setup_teardown(two_devices_do_not_wait_for_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(what_waits_goes_up_when_the_cse_is_back, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
