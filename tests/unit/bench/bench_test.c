/* The load generator against the sink, in one thread; histogram and templates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/http_head.h"
#include "bench/load.h"
#include "bench/process_figures.h"
#include "bench/reference.h"
#include "bench/sink.h"

static void percentiles_are_at_most_two_hundredths_too_high(void **state)
{
	static struct histogram h;

	(void)state;
	assert_int_equal(histogram_at(&h, 50), 0);
	for (uint64_t v = 1; v <= 1000000; v++)
		histogram_add(&h, v);
	assert_int_equal(h.count, 1000000);
	assert_int_equal(h.most, 1000000);
	assert_true(histogram_at(&h, 50) >= 500000 && histogram_at(&h, 50) <= 510000);
	assert_true(histogram_at(&h, 99) >= 990000 && histogram_at(&h, 99) <= 1000000);
	assert_int_equal(histogram_at(&h, 100), 1000000);
	assert_int_equal(histogram_at(&h, 0.0001), 1);
	histogram_add(&h, UINT64_MAX);
	assert_true(histogram_at(&h, 100) == UINT64_MAX);
}

static void heads_are_taken_whole_or_not_at_all(void **state)
{
	static const char text[] = "HTTP/1.1 201 Created\r\nx-m2m-ri: 7\r\nCONTENT-LENGTH: 12\r\n\r\nbody";
	struct rd in;
	struct http_head h;

	(void)state;
	for (size_t n = 0; n < sizeof text - 1 - 4; n++) {
		in = rd_of(text, n);
		assert_int_equal(http_head_take(&in, &h), HTTP_HEAD_MORE);
		assert_int_equal(in.left, n);
	}
	in = rd_str(text);
	assert_int_equal(http_head_take(&in, &h), HTTP_HEAD_DONE);
	assert_int_equal(h.status, 201);
	assert_int_equal(h.length, 12);
	assert_true(rd_is(h.request_id, "7"));
	assert_true(rd_is(in, "body"));
	in = rd_str("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	assert_int_equal(http_head_take(&in, &h), HTTP_HEAD_BAD);
	in = rd_str("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n");
	assert_int_equal(http_head_take(&in, &h), HTTP_HEAD_BAD);
}

static void templates_get_their_numbers(void **state)
{
	static struct load_template t;
	uint8_t octets[LOAD_REQUEST_MAX];
	size_t len;

	(void)state;
	assert_true(load_template_init(&t, "POST /g$$ HTTP/1.1\r\nX-M2M-RI: ####\r\n", "{\"#\":\"######\"}"));
	len = load_template_make(&t, 12345, octets, sizeof octets);
	assert_true(rd_is(rd_of(octets, len), "POST /g45 HTTP/1.1\r\nX-M2M-RI: 2345\r\nContent-Length: 14\r\n\r\n{\"#\":\"012345\"}"));
	assert_int_equal(load_template_make(&t, 1, octets, len - 1), 0);
}

/* What load_run must do whatever the server: each request once, each answer counted, none left. */
static void run_against_sink(unsigned connections, uint64_t number, unsigned status)
{
	static struct load_template t;
	static struct load_result r;
	struct sink *s;
	struct load_options o = {.connections = connections, .count = number, .expect = 200, .make = load_template_make, .ctx = &t, .on_beside = sink_run,
	    .server = getpid()};

	assert_true(load_template_init(&t, "POST / HTTP/1.1\r\nX-M2M-RI: ########\r\n", "{\"con\":\"@@@@@@@@@@@@@@@@@@@@\"}"));
	assert_int_equal(sink_new(&s), OK);
	sink_status(s, status);
	o.port = sink_port(s);
	o.beside = sink_descriptor(s);
	o.beside_ctx = s;
	assert_int_equal(load_run(&o, &r), OK);
	assert_int_equal(r.answers, status == 200 ? number : 0);
	assert_int_equal(r.errors, status == 200 ? 0 : number);
	assert_int_equal(r.error_status, status == 200 ? 0 : status);
	assert_int_equal(r.latency.count, r.answers);
	assert_int_equal(sink_counts(s)->requests, number);
	assert_int_equal(sink_counts(s)->age.count, number);
	assert_true(r.seconds > 0 && sink_counts(s)->age.most < (uint64_t)(r.seconds * 1e9) + 1000000000U);
	sink_free(s);
}

static void every_request_is_answered_and_counted_once(void **state)
{
	(void)state;
	run_against_sink(1, 500, 200);
	run_against_sink(8, 5000, 200);
	run_against_sink(64, 5001, 200);
	run_against_sink(64, 3, 200); /* fewer requests than connections */
}

static void other_statuses_are_errors(void **state)
{
	(void)state;
	run_against_sink(8, 100, 503);
}

static void captures_an_answer(void **state)
{
	static struct load_template t;
	static struct load_result r;
	struct wr answer = wr_new(65536);
	struct rd text;
	struct sink *s;
	struct load_options o = {.connections = 1, .count = 1, .expect = 200, .make = load_template_make, .ctx = &t, .on_beside = sink_run, .answer = &answer};

	(void)state;
	assert_true(load_template_init(&t, "GET / HTTP/1.1\r\nX-M2M-RI: seven\r\n", NULL));
	assert_int_equal(sink_new(&s), OK);
	o.port = sink_port(s);
	o.beside = sink_descriptor(s);
	o.beside_ctx = s;
	assert_int_equal(load_run(&o, &r), OK);
	assert_true(wr_done(&answer, &text));
	assert_non_null(memmem(text.at, text.left, "X-M2M-RI: seven\r\n", 17));
	wr_free(&answer);
	sink_free(s);
	o.on_beside = NULL;
	assert_int_equal(load_run(&o, &r), ERR_UNREACHABLE); /* nobody there any more */
}

static void stops_when_told(void **state)
{
	static volatile sig_atomic_t stop = 1;
	static struct load_template t;
	static struct load_result r;
	struct sink *s;
	struct load_options o = {.connections = 2, .time_ms = 3600000, .expect = 200, .make = load_template_make, .ctx = &t, .on_beside = sink_run, .stop = &stop};

	(void)state;
	assert_true(load_template_init(&t, "GET / HTTP/1.1\r\n", NULL));
	assert_int_equal(sink_new(&s), OK);
	o.port = sink_port(s);
	o.beside = sink_descriptor(s);
	o.beside_ctx = s;
	assert_int_equal(load_run(&o, &r), ERR_CLOSED);
	sink_free(s);
}

static void bare_inserts_are_counted(void **state)
{
	static struct reference_sqlite_result r;
	char dir[] = "/tmp/bench_test-XXXXXX", path[64], other[80];
	struct reference_sqlite_options o = {.path = path, .batch = 7, .body = 100, .time_ms = 50};

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/b.db", dir);
	assert_int_equal(reference_sqlite(&o, &r), OK);
	assert_true(r.inserts >= 7 && r.inserts % 7 == 0 && r.inserts / 7 == r.latency.count && r.seconds > 0);
	assert_int_equal(reference_sqlite(&o, &r), ERR_STORE); /* the table is there already */
	unlink(path);
	snprintf(other, sizeof other, "%s-wal", path);
	unlink(other);
	snprintf(other, sizeof other, "%s-shm", path);
	unlink(other);
	assert_int_equal(rmdir(dir), 0);
}

static void processes_have_figures(void **state)
{
	volatile uint64_t n = 0;
	uint64_t end = load_now_ns() + 60000000000U;

	(void)state;
	while (process_cpu_us(getpid()) == 0 && load_now_ns() < end)
		n++;
	assert_true(process_cpu_us(getpid()) > 0);
	assert_true(process_memory(getpid()) > 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_at_most_two_hundredths_too_high),
		cmocka_unit_test(heads_are_taken_whole_or_not_at_all),
		cmocka_unit_test(templates_get_their_numbers),
		cmocka_unit_test(every_request_is_answered_and_counted_once),
		cmocka_unit_test(other_statuses_are_errors),
		cmocka_unit_test(captures_an_answer),
		cmocka_unit_test(stops_when_told),
		cmocka_unit_test(bare_inserts_are_counted),
		cmocka_unit_test(processes_have_figures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
