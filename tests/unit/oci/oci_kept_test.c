/* From a device's report to its acknowledgement: node B's core, its jobs and what they hold, with a CSE that is played here. It answers when the test says so,
 * that the resource is written, that it could not be, or never. */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

#include "oci/node_job.h"

#define ASKED_MAX 64

static struct rig r;
static struct oci_node n;
static struct {
	struct {
		cse_done *done;
		void *ctx;
	} asked[ASKED_MAX];
	size_t count, answered;
	unsigned sent, sent_other; /* acknowledgements of the device, and of others */
} p;

/* ---- what the node's other files would do ---- */

void node_request(struct oci_node *node, enum onem2m_operation operation, const char *to, int type, int rcn, const char *filter, const char *body, cse_done *done,
    void *ctx)
{
	(void)node, (void)operation, (void)to, (void)type, (void)rcn, (void)filter, (void)body;
	assert_true(p.count < ASKED_MAX);
	p.asked[p.count].done = done;
	p.asked[p.count++].ctx = ctx;
}

void node_send_down(struct oci_node *node, const struct oci_effect *e)
{
	(void)node;
	if (e->eui64 == RIG_DEVICE)
		p.sent++;
	else
		p.sent_other++;
}

const char *node_name(uint64_t eui64)
{
	return eui64 == RIG_DEVICE ? "device" : "other";
}

/* ---- the test's hands ---- */

static int setup(void **state)
{
	(void)state;
	memset(&p, 0, sizeof p);
	memset(&n, 0, sizeof n);
	rig_init(&r, true);
	rig_join(&r);
	n.core = r.core;
	jobs_start(&n);
	held_start(&n);
	return 0;
}

static void answer(enum onem2m_rsc rsc)
{
	const struct onem2m_response rsp = {.rsc = rsc};

	assert_true(p.answered < p.count);
	p.answered++;
	p.asked[p.answered - 1].done(p.asked[p.answered - 1].ctx, &rsp);
}

static int teardown(void **state)
{
	(void)state;
	while (p.answered < p.count)
		answer(RSC_CREATED); /* so that nothing waits */
	assert_int_equal(held_waiting(&n), 0);
	free(n.jobs);
	free(n.held);
	rig_clear(&r);
	return 0;
}

static void job(const char *to)
{
	node_job(&n, ONEM2M_CREATE, to, 4, rd_str("{}"), NULL, NULL);
}

/* As node_pump does. */
static void pump(void)
{
	for (size_t i = 0; i < r.count; i++) {
		const struct oci_effect *e = &r.effects[i];

		if (e->type == OCI_DOWNLINK && e->when_kept)
			held_take(&n, e);
		else if (e->type == OCI_RAW)
			job("raw");
	}
	held_release(&n);
}

/* The device says it, or says it again. */
static void report(uint8_t counter)
{
	const struct aps_frame f = {.type = APS_DATA, .ack_request = true, .destination_endpoint = 1, .source_endpoint = 1, .cluster = ZCL_ON_OFF,
	    .profile = APS_PROFILE_HOME_AUTOMATION, .counter = counter, .payload = rd_of("\x18\x01\x0a\x00\x00\x10\x01", 7)};

	assert_int_equal(rig_aps(&r, &f), OK);
	pump();
}

/* A job of somebody else, and his acknowledgement behind it. */
static void other(void)
{
	const struct oci_effect e = {.type = OCI_DOWNLINK, .eui64 = RIG_DEVICE + 1, .when_kept = true};

	job("other");
	held_take(&n, &e);
	held_release(&n);
}

/* ---- jobs ---- */

static unsigned called, well;

static void on_after(struct oci_node *node, void *ctx, bool kept)
{
	(void)node, (void)ctx;
	called++;
	well += kept;
}

static void after(unsigned calls, unsigned kept)
{
	assert_int_equal(called, calls);
	assert_int_equal(well, kept);
	called = well = 0;
}

static void those_behind_a_failed_write_hear_of_it_and_no_later_ones(void **state)
{
	static const enum onem2m_rsc failures[] = {RSC_INTERNAL_SERVER_ERROR, RSC_NOT_ACCEPTABLE, RSC_TARGET_NOT_REACHABLE};
	static const enum onem2m_rsc fine[] = {RSC_CREATED, RSC_CONFLICT, RSC_NOT_FOUND, RSC_BAD_REQUEST};

	(void)state;
	for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
		job("a");
		job("b");
		node_job_after(&n, on_after, NULL);
		node_job_after(&n, on_after, NULL);
		answer(failures[i]);
		after(0, 0); /* b is missing */
		answer(RSC_CREATED);
		after(2, 0);
		job("c");
		node_job_after(&n, on_after, NULL);
		answer(RSC_CREATED);
		after(1, 1);
	}
	for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
		job("a"); /* what is there, or gone, or what can't ever be */
		node_job_after(&n, on_after, NULL);
		answer(fine[i]);
		after(1, 1);
	}
}

static void on_read(struct oci_node *node, void *ctx, const struct onem2m_response *rsp)
{
	(void)node, (void)ctx, (void)rsp;
}

static void a_failed_question_loses_nothing(void **state)
{
	(void)state;
	node_job(&n, ONEM2M_RETRIEVE, "a", 0, rd_of(NULL, 0), on_read, NULL);
	node_job_after(&n, on_after, NULL);
	answer(RSC_INTERNAL_SERVER_ERROR);
	after(1, 1);
}

static void answers_in_another_order_count_for_their_own_job(void **state)
{
	const struct onem2m_response fine = {.rsc = RSC_CREATED}, bad = {.rsc = RSC_INTERNAL_SERVER_ERROR};

	(void)state;
	job("a");
	node_job_after(&n, on_after, NULL);
	job("b");
	node_job_after(&n, on_after, NULL);
	assert_int_equal(p.count, 2);
	p.answered = 2;
	p.asked[1].done(p.asked[1].ctx, &bad);
	after(0, 0);
	p.asked[0].done(p.asked[0].ctx, &fine);
	after(2, 1);
}

/* ---- acknowledgements ---- */

static void a_report_is_acknowledged_when_it_is_written(void **state)
{
	(void)state;
	report(40);
	assert_int_equal(p.count, 1);
	assert_int_equal(p.sent, 0);
	report(40); /* the disk is slow */
	assert_int_equal(p.count, 1);
	answer(RSC_CREATED);
	assert_int_equal(p.sent, 2);
}

static void a_report_that_is_not_written_is_not_acknowledged_until_a_repeat_is(void **state)
{
	static const enum onem2m_rsc failures[] = {RSC_INTERNAL_SERVER_ERROR, RSC_NOT_ACCEPTABLE};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		report((uint8_t)(50 + i));
		answer(failures[i]);
		assert_int_equal(p.sent, i);
		report((uint8_t)(50 + i));
		assert_int_equal(p.count, p.answered + 1); /* it is asked for again */
		answer(failures[i]);
		assert_int_equal(p.sent, i);
		report((uint8_t)(50 + i));
		answer(RSC_CREATED);
		assert_int_equal(p.sent, i + 1);
	}
}

/* The repeat's acknowledgement stands behind another device's write, which goes well. */
static void a_repeat_of_what_is_lost_is_not_acknowledged_for_anothers_sake(void **state)
{
	(void)state;
	report(60);
	other();
	report(60);
	assert_int_equal(p.count, 2);
	answer(RSC_INTERNAL_SERVER_ERROR);
	answer(RSC_CREATED);
	assert_int_equal(p.sent, 0);
	report(60);
	assert_int_equal(p.count, 3);
	answer(RSC_CREATED);
	assert_int_equal(p.sent, 1);
}

/* No answer is none that it was kept; what waits has an end, and what is beyond it is not acknowledged either. */
static void without_an_answer_nothing_is_acknowledged_and_memory_has_an_end(void **state)
{
	(void)state;
	report(70);
	for (size_t i = 0; i < HELD_MAX - 1; i++)
		report(70);
	assert_int_equal(p.count, 1);
	assert_int_equal(held_waiting(&n), HELD_MAX);
	for (size_t i = 0; i < 2; i++)
		report(70); /* the first is dropped, and the other no repeat any more, for it might be the last that comes */
	assert_int_equal(p.count, 2);
	assert_int_equal(held_waiting(&n), HELD_MAX);
	assert_int_equal(p.sent, 0);
	answer(RSC_CREATED);
	assert_int_equal(held_waiting(&n), 0);
	assert_int_equal(p.sent, 0);
	report(70);
	while (p.answered < p.count)
		answer(RSC_CREATED);
	assert_int_equal(p.sent, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(those_behind_a_failed_write_hear_of_it_and_no_later_ones, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failed_question_loses_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_in_another_order_count_for_their_own_job, setup, teardown),
		cmocka_unit_test_setup_teardown(a_report_is_acknowledged_when_it_is_written, setup, teardown),
		cmocka_unit_test_setup_teardown(a_report_that_is_not_written_is_not_acknowledged_until_a_repeat_is, setup, teardown),
		cmocka_unit_test_setup_teardown(a_repeat_of_what_is_lost_is_not_acknowledged_for_anothers_sake, setup, teardown),
		cmocka_unit_test_setup_teardown(without_an_answer_nothing_is_acknowledged_and_memory_has_an_end, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
