/* A request that repeats is executed once, and answered each time. The dispatcher here is one that counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binding/once/once.h"

static struct {
	unsigned executed;
	bool later; /* the dispatcher takes its time */
	cse_done *done[8];
	void *ctx[8];
	size_t waiting;
	size_t long_answer;
} d;

static void answer(cse_done *done, void *ctx)
{
	struct onem2m_response rsp = {.rsc = RSC_CREATED, .location = rd_str("cse-in/a"), .cts = 2};
	char content[32];
	char *text = NULL;

	snprintf(content, sizeof content, "{\"n\":%u}", d.executed);
	rsp.content = rd_str(content);
	if (d.long_answer > 0) {
		text = malloc(d.long_answer);
		assert_non_null(text);
		memset(text, 'x', d.long_answer);
		rsp.content = rd_of(text, d.long_answer);
	}
	done(ctx, &rsp);
	free(text);
}

static void submit(void *to, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	(void)to;
	(void)rq;
	d.executed++;
	if (!d.later) {
		answer(done, ctx);
		return;
	}
	d.done[d.waiting] = done;
	d.ctx[d.waiting++] = ctx;
}

/* ---- the other side ---- */

struct got {
	unsigned count;
	enum onem2m_rsc rsc;
	char content[32], location[32];
	int cts;
	size_t length;
};

static void on_done(void *ctx, const struct onem2m_response *rsp)
{
	struct got *g = ctx;

	g->count++;
	g->rsc = rsp->rsc;
	g->cts = rsp->cts;
	g->length = rsp->content.left;
	if (!rd_text(rsp->content, g->content, sizeof g->content))
		g->content[0] = '\0';
	assert_true(rd_text(rsp->location, g->location, sizeof g->location));
}

static struct once *o;

static int setup(void **state)
{
	(void)state;
	memset(&d, 0, sizeof d);
	o = once_new(submit, NULL, 7);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	once_free(o);
	return 0;
}

static struct onem2m_request create(const char *from, const char *id)
{
	return (struct onem2m_request){.operation = ONEM2M_CREATE, .type = 4, .to = rd_str("cse-in/cnt"), .from = rd_str(from), .request_id = rd_str(id), .content = rd_str("{}"), .peer = ""};
}

static struct got ask(const struct onem2m_request *rq, uint64_t now, const char *who, bool again)
{
	struct got g = {0};

	once_submit(o, now, rq, rd_str(who), again, on_done, &g);
	assert_int_equal(g.count, 1);
	return g;
}

static void answers_again_what_was_answered(void **state)
{
	struct onem2m_request rq = create("Cae", "1");

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct got g = ask(&rq, 0, "", false);

		assert_int_equal(g.rsc, RSC_CREATED);
		assert_string_equal(g.content, "{\"n\":1}");
		assert_string_equal(g.location, "cse-in/a");
		assert_int_equal(g.cts, 2);
	}
	assert_int_equal(d.executed, 1);
}

static void knows_a_request_by_sender_originator_identifier_and_what_it_asks(void **state)
{
	struct onem2m_request rq = create("Cae", "1"), other[10];

	(void)state;
	ask(&rq, 0, "a", false);
	for (size_t i = 0; i < 10; i++)
		other[i] = rq;
	other[0].from = rd_str("Cbe");
	other[1].request_id = rd_str("2");
	other[2].peer = "m2m://keyway.example/id-in/Cae";
	other[3].content = rd_str("{ }");
	other[4].to = rd_str("cse-in/cn");
	other[5].filter = rd_str("rcn=0");
	other[6].operation = ONEM2M_UPDATE;
	other[7].type = 3;
	other[8].credential = "12-key@maf.keyway.example";
	other[9].request_id = rd_str(""); /* nothing to know it by */
	for (unsigned i = 0; i < 10; i++) {
		ask(&other[i], 0, "a", false);
		assert_int_equal(d.executed, i + 2);
	}
	ask(&other[9], 0, "a", false);
	assert_int_equal(d.executed, 12);
	ask(&rq, 0, "b", false);
	assert_int_equal(d.executed, 12);
}

static void sees_any_octet_that_differs(void **state)
{
	uint8_t content[20] = {0};
	struct onem2m_request rq = create("Cae", "1");
	unsigned executed = 0;

	(void)state;
	for (size_t len = 0; len <= sizeof content; len++) {
		rq.content = rd_of(content, len);
		ask(&rq, 0, "", false);
		assert_int_equal(d.executed, ++executed);
		for (size_t i = 0; i < len; i++) {
			for (unsigned bit = 0; bit < 8; bit++) {
				content[i] ^= (uint8_t)(1U << bit);
				ask(&rq, 0, "", false);
				assert_int_equal(d.executed, ++executed);
				content[i] = 0;
			}
		}
	}
	rq = create("Cae", "1");
	rq.to = rd_str("cse-in/cntrcn=0");
	ask(&rq, 0, "", false);
	rq.to = rd_str("cse-in/cnt");
	rq.filter = rd_str("rcn=0");
	ask(&rq, 0, "", false);
	assert_int_equal(d.executed, executed + 2);
}

static void tells_registrations_apart_by_where_they_come_from(void **state)
{
	static const char *const nobodies[] = {"", "C", "S"};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct onem2m_request rq = create(nobodies[i], "1");

		ask(&rq, 0, "here", false);
		ask(&rq, 0, "here", false);
		ask(&rq, 0, "there", false);
		assert_int_equal(d.executed, 2 * (i + 1));
	}
}

static void waits_for_the_one_that_is_under_way(void **state)
{
	static const enum onem2m_operation operations[] = {ONEM2M_CREATE, ONEM2M_RETRIEVE};

	(void)state;
	d.later = true;
	for (size_t i = 0; i < 2; i++) {
		struct onem2m_request rq = create("Cae", "1");
		struct got a = {0}, b = {0};

		rq.operation = operations[i];
		once_submit(o, 0, &rq, rd_str(""), false, on_done, &a);
		once_submit(o, 2 * ONCE_MS, &rq, rd_str(""), false, on_done, &b);
		assert_int_equal(d.executed, i + 1);
		assert_int_equal(a.count + b.count, 0);
		answer(d.done[i], d.ctx[i]);
		assert_int_equal(a.count, 1);
		assert_int_equal(b.count, 1);
		assert_string_equal(a.content, b.content);
	}
}

static void retrieves_anew(void **state)
{
	struct onem2m_request rq = create("Cae", "1");

	(void)state;
	rq.operation = ONEM2M_RETRIEVE;
	assert_string_equal(ask(&rq, 0, "", false).content, "{\"n\":1}");
	assert_string_equal(ask(&rq, 0, "", true).content, "{\"n\":2}");
}

static void remembers_for_a_time_and_longer_what_the_network_repeats(void **state)
{
	struct onem2m_request rq = create("Cae", "1"), other = create("Cae", "2");

	(void)state;
	ask(&rq, 0, "", false);
	ask(&other, 0, "", false);
	ask(&rq, ONCE_MS - 1, "", false);
	assert_int_equal(d.executed, 2);
	ask(&rq, ONCE_MS, "", false);
	assert_int_equal(d.executed, 3);
	ask(&other, ONCE_AGAIN_MS - 1, "", true);
	assert_int_equal(d.executed, 3);
	ask(&other, ONCE_AGAIN_MS, "", true);
	assert_int_equal(d.executed, 4);
}

static void forgets_the_oldest_when_there_are_too_many(void **state)
{
	struct onem2m_request rq;
	char id[16];

	(void)state;
	for (unsigned i = 0; i <= ONCE_MAX + 1; i++) {
		snprintf(id, sizeof id, "%u", i);
		rq = create("Cae", id);
		ask(&rq, 0, "", false);
	}
	snprintf(id, sizeof id, "%u", ONCE_MAX + 1);
	rq = create("Cae", id);
	ask(&rq, 0, "", false);
	assert_int_equal(d.executed, ONCE_MAX + 2);
	rq = create("Cae", "0");
	ask(&rq, 0, "", false);
	assert_int_equal(d.executed, ONCE_MAX + 3);
}

static void bounds_what_answers_occupy(void **state)
{
	char id[16];

	(void)state;
	d.long_answer = ONCE_OCTETS_MAX / 4;
	for (unsigned i = 0; i < 6; i++) {
		struct onem2m_request rq;

		snprintf(id, sizeof id, "%u", i);
		rq = create("Cae", id);
		assert_int_equal(ask(&rq, 0, "", false).length, d.long_answer);
	}
	for (unsigned i = 5; i < 6; i--) { /* the newest are known still */
		struct onem2m_request rq;

		snprintf(id, sizeof id, "%u", i);
		rq = create("Cae", id);
		assert_int_equal(ask(&rq, 0, "", false).length, d.long_answer);
		if (i == 3)
			assert_int_equal(d.executed, 6);
	}
	assert_true(d.executed > 6);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(answers_again_what_was_answered),
		T(knows_a_request_by_sender_originator_identifier_and_what_it_asks),
		T(sees_any_octet_that_differs),
		T(tells_registrations_apart_by_where_they_come_from),
		T(waits_for_the_one_that_is_under_way),
		T(retrieves_anew),
		T(remembers_for_a_time_and_longer_what_the_network_repeats),
		T(forgets_the_oldest_when_there_are_too_many),
		T(bounds_what_answers_occupy),
	};

	return cmocka_run_group_tests_name("once", tests, NULL, NULL);
}
