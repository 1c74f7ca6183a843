/* Request parameters in a query. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "onem2m/query.h"

static bool take(const char *query, struct onem2m_request *rq)
{
	*rq = (struct onem2m_request){.rcn = ONEM2M_RCN_ABSENT, .filter = rd_str(query)};
	return query_parameters(rq);
}

static void takes_each_parameter(void **state)
{
	struct onem2m_request rq;

	(void)state;
	assert_true(take("lbl=a&rcn=4&ty=3&rt=3&drt=2&tqi=true&rp=20270101T000000&rids=1@a+2@b&tids=t&ltids=l&x", &rq));
	assert_int_equal(rq.rcn, 4);
	assert_int_equal(rq.drt, 2);
	assert_int_equal(rq.rt, ONEM2M_BLOCKING);
	assert_true(rq.token_request);
	assert_true(rd_is(rq.rp, "20270101T000000"));
	assert_true(rd_is(rq.role_ids, "1@a+2@b"));
	assert_true(rd_is(rq.token_ids, "t"));
	assert_true(rd_is(rq.local_token_ids, "l"));
	assert_true(rd_is(rq.filter, "lbl=a&rcn=4&ty=3&rt=3&drt=2&tqi=true&rp=20270101T000000&rids=1@a+2@b&tids=t&ltids=l&x"));
}

static void what_is_not_said_is_absent(void **state)
{
	static const char *const queries[] = {"", "&", "lbl=a", "rcn", "xrcn=1&rcnx=1", "fu=1&&=&=1"};
	struct onem2m_request rq;

	(void)state;
	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
		assert_true(take(queries[i], &rq));
		assert_int_equal(rq.rcn, ONEM2M_RCN_ABSENT);
		assert_int_equal(rq.drt, 0);
		assert_int_equal(rq.rt, ONEM2M_RT_ABSENT);
		assert_false(rq.token_request);
		assert_int_equal(rq.rp.left + rq.role_ids.left + rq.token_ids.left + rq.local_token_ids.left, 0);
	}
}

static void refuses_what_is_none_of_the_values(void **state)
{
	static const char *const queries[] = {"rcn=", "rcn=x", "rcn=100", "rcn=-1", "drt=100", "drt=a", "rt=0", "rt=6", "rt=", "tqi=2", "tqi=yes", "rcn=1&rcn=x", "lbl=a&rt=9"};
	struct onem2m_request rq;

	(void)state;
	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
		if (take(queries[i], &rq))
			fail_msg("%s is taken", queries[i]);
	assert_true(take("tqi=0&rcn=99", &rq) && !rq.token_request && rq.rcn == 99);
	assert_true(take("tqi=1", &rq) && rq.token_request);
	assert_true(take("tqi=", &rq) && !rq.token_request);
}

static void of_two_texts_the_first_counts(void **state)
{
	struct onem2m_request rq;

	(void)state;
	assert_true(take("tids=a&rids=&tids=b&rids=c", &rq));
	assert_true(rd_is(rq.token_ids, "a"));
	assert_int_equal(rq.role_ids.left, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_each_parameter),
		cmocka_unit_test(what_is_not_said_is_absent),
		cmocka_unit_test(refuses_what_is_none_of_the_values),
		cmocka_unit_test(of_two_texts_the_first_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
