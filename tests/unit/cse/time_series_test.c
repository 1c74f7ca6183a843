/* timeSeries: its attributes, the times of its instances, missing data. */
#include "harness.h"

static struct rig *with_series(const char *members)
{
	struct rig *g = rig_new();

	rig_ae(g, "CAe", "ae", "'poa':['http://ae']");
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_TIME_SERIES, rig_fmt(g, "{'m2m:ts':{'rn':'s'%s}}", members)), RSC_CREATED);
	return g;
}

static enum onem2m_rsc put(struct rig *g, const char *dgt)
{
	return rig_create(g, "CAe", "cse-in/ae/s", TY_TIME_SERIES_INSTANCE, rig_fmt(g, "{'m2m:tsi':{'dgt':'%s','con':'x'}}", dgt))->rsc;
}

static void put_now(struct rig *g, int64_t ms)
{
	assert_int_equal(put(g, rig_time(g, ms)), RSC_CREATED);
}

static void assert_missing(struct rig *g, const char *number, size_t listed)
{
	const struct answer *a = rig_retrieve(g, "CAe", "cse-in/ae/s");
	const struct json *list = json_path(a->doc, "m2m:ts.mdlt");

	assert_value(a, "m2m:ts.mdc", number);
	assert_int_equal(list ? list->count : 0, listed);
}

static void checks_what_goes_with_what(void **state)
{
	static const struct {
		const char *members;
		enum onem2m_rsc rsc;
	} cases[] = {
		{"'pei':1000,'peid':500", RSC_CREATED},
		{"'pei':1000,'peid':501", RSC_BAD_REQUEST},
		{"'pei':0", RSC_BAD_REQUEST},
		{"'pei':1000,'mdd':true", RSC_BAD_REQUEST},
		{"'pei':1000,'mdd':true,'mdt':500", RSC_BAD_REQUEST},
		{"'pei':1000,'mdd':true,'mdt':501", RSC_CREATED},
		{"'mdt':10,'mdd':true", RSC_CREATED},
		{"'cnf':'nothing'", RSC_BAD_REQUEST},
		{"'mdc':1", RSC_BAD_REQUEST},
	};
	struct rig *g = rig_new();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_TIME_SERIES, rig_fmt(g, "{'m2m:ts':{%s}}", cases[i].members)), cases[i].rsc);
	rig_free(g);
}

static void fills_in_the_deviation(void **state)
{
	struct rig *g = with_series(",'pei':1001");

	(void)state;
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/s"), "m2m:ts.peid", "500");
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/s", "{'m2m:ts':{'pei':100}}"), RSC_UPDATED);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/s"), "m2m:ts.peid", "50");
	rig_free(g);
}

static void keeps_its_parameters_while_it_detects(void **state)
{
	struct rig *g = with_series(",'pei':1000,'mdt':600,'mdn':5,'mdd':true");

	(void)state;
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/s", "{'m2m:ts':{'mdn':6}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/s", "{'m2m:ts':{'mdn':null}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/s", "{'m2m:ts':{'mdd':false,'mdn':6}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/s", "{'m2m:ts':{'mni':6}}"), RSC_UPDATED);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/s", "{'m2m:ts':{'mdd':false}}"), RSC_UPDATED);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/s", "{'m2m:ts':{'mdn':6}}"), RSC_UPDATED);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/s", "{'m2m:ts':{'mdd':true,'mdn':7}}"), RSC_UPDATED);
	rig_free(g);
}

static void counts_and_lets_the_oldest_go(void **state)
{
	struct rig *g = with_series(",'mni':2,'mbs':5");
	const struct answer *a;

	(void)state;
	for (int i = 0; i < 3; i++)
		put_now(g, i);
	a = rig_retrieve(g, "CAe", "cse-in/ae/s");
	assert_value(a, "m2m:ts.cni", "2");
	assert_value(a, "m2m:ts.cbs", "2");
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/s", TY_TIME_SERIES_INSTANCE, "{'m2m:tsi':{'dgt':'20200101T000000','con':'123456'}}"), RSC_NOT_ACCEPTABLE);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/s", TY_TIME_SERIES_INSTANCE, "{'m2m:tsi':{'con':'x'}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/s", "{'m2m:ts':{'mni':1}}"), RSC_UPDATED);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/s"), "m2m:ts.cni", "1");
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae/s/la"), RSC_DELETED);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/s"), "m2m:ts.cni", "0");
	rig_free(g);
}

static void takes_each_time_once(void **state)
{
	struct rig *g = with_series("");

	(void)state;
	assert_int_equal(put(g, "20260101T000010"), RSC_CREATED);
	assert_int_equal(put(g, "20260101T000010"), RSC_CONFLICT);
	assert_int_equal(put(g, "20260101T000010,0"), RSC_CONFLICT);
	assert_int_equal(put(g, "20260101T000010,000001"), RSC_CREATED);
	/* out of order from here on */
	assert_int_equal(put(g, "20260101T000005"), RSC_CREATED);
	assert_int_equal(put(g, "20260101T000005"), RSC_CONFLICT);
	assert_int_equal(put(g, "20260101T000010"), RSC_CONFLICT);
	rig_restart(g);
	assert_int_equal(put(g, "20260101T000010"), RSC_CONFLICT);
	assert_int_equal(put(g, "20260101T000007"), RSC_CREATED);
	assert_int_equal(put(g, "20260101T000007"), RSC_CONFLICT);
	/* what is gone is free again */
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae/s/la"), RSC_DELETED);
	assert_int_equal(put(g, "20260101T000007"), RSC_CREATED);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/s"), "m2m:ts.cni", "4");
	rig_free(g);
}

static void makes_a_relative_time_absolute(void **state)
{
	struct rig *g = with_series("");
	const char *wanted;

	(void)state;
	assert_int_equal(put(g, "5000"), RSC_CREATED);
	wanted = rig_fmt(g, "'%s'", rig_time(g, 5000));
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/s/la"), "m2m:tsi.dgt", wanted);
	rig_free(g);
}

#define DETECTING ",'pei':1000,'peid':100,'mdt':300,'mdd':true,'mdn':3"

static void finds_nothing_missing_before_the_first_instance(void **state)
{
	struct rig *g = with_series(DETECTING);

	(void)state;
	rig_advance(g, 10000);
	assert_missing(g, "0", 0);
	rig_free(g);
}

static void counts_a_period_without_instance(void **state)
{
	struct rig *g = with_series(DETECTING);
	const char *expected;

	(void)state;
	put_now(g, 0);
	expected = rig_fmt(g, "'%s'", rig_time(g, 1000));
	rig_advance(g, 1299);
	assert_missing(g, "0", 0);
	rig_advance(g, 1);
	assert_missing(g, "1", 1);

	assert_json(json_path(rig_retrieve(g, "CAe", "cse-in/ae/s")->doc, "m2m:ts"), "mdlt", rig_fmt(g, "[%s]", expected));
	rig_advance(g, 5000);
	assert_missing(g, "3", 3); /* no more than mdn */
	rig_free(g);
}

static void takes_what_is_punctual(void **state)
{
	struct rig *g = with_series(DETECTING);

	(void)state;
	put_now(g, 0);
	for (int i = 0; i < 5; i++) {
		rig_advance(g, 1000);
		put_now(g, i % 2 ? 50 : -50);
	}
	assert_missing(g, "0", 0);
	rig_advance(g, 1300);
	assert_missing(g, "1", 1);
	rig_free(g);
}

static void does_not_take_what_is_early_late_or_off_the_beat(void **state)
{
	static const int64_t off[] = {1000, -950, 500, 150};
	struct rig *g;

	(void)state;
	for (size_t i = 0; i < sizeof off / sizeof off[0]; i++) {
		g = with_series(DETECTING);
		put_now(g, 0);
		for (int n = 0; n < 3; n++) {
			rig_advance(g, 1000);
			put_now(g, off[i] + n);
		}
		rig_advance(g, 300);
		assert_missing(g, "3", 3);
		rig_free(g);
	}
}

static void waits_longer_than_a_period_where_it_may(void **state)
{
	struct rig *g = with_series(",'pei':1000,'mdt':5000,'mdd':true");

	(void)state;
	put_now(g, 0);
	rig_advance(g, 4500);
	for (int64_t at = -3500; at <= -500; at += 1000)
		put_now(g, at);
	rig_advance(g, 5400);
	assert_missing(g, "0", 0);
	rig_advance(g, 200);
	assert_missing(g, "1", 1);
	rig_free(g);
}

static void stops_and_begins_anew(void **state)
{
	struct rig *g = with_series(DETECTING);

	(void)state;
	put_now(g, 0);
	rig_advance(g, 2400);
	assert_missing(g, "2", 2);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/s", "{'m2m:ts':{'mdd':false}}"), RSC_UPDATED);
	rig_advance(g, 5000);
	assert_missing(g, "2", 2);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/s", "{'m2m:ts':{'mdd':true}}"), RSC_UPDATED);
	rig_advance(g, 5000);
	assert_missing(g, "0", 0);
	put_now(g, 0);
	rig_advance(g, 1300);
	assert_missing(g, "1", 1);
	rig_free(g);
}

static void goes_on_after_a_restart(void **state)
{
	struct rig *g = with_series(DETECTING);

	(void)state;
	put_now(g, 0);
	rig_advance(g, 1000);
	put_now(g, 0);
	rig_restart(g);
	rig_advance(g, 900);
	assert_missing(g, "0", 0); /* the second is there, though it is not in memory any more */
	rig_advance(g, 450);
	assert_missing(g, "1", 1);
	rig_restart(g);
	assert_missing(g, "1", 1);
	rig_advance(g, 1000);
	assert_missing(g, "2", 2);
	rig_free(g);
}

static void survives_a_long_pause(void **state)
{
	struct rig *g = with_series(",'pei':10,'mdt':6,'mdd':true");

	(void)state;
	put_now(g, 0);
	g->unix_ms += 1000ULL * 3600 * 24;
	rig_advance(g, 1000);
	assert_missing(g, "1000", 1000);
	rig_free(g);
}

static void tells_subscriptions_of_so_many(void **state)
{
	struct rig *g = with_series(",'pei':1000,'peid':100,'mdt':300,'mdd':true");
	const struct sent *s;

	(void)state;
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/s", TY_SUBSCRIPTION, "{'m2m:sub':{'nu':['CAe'],'enc':{'net':[8],'md':{'num':2,'dur':'PT10S'}}}}"), RSC_CREATED);
	put_now(g, 0);
	rig_advance(g, 1400);
	assert_int_equal(rig_count_sent(g, "http://ae"), 0);
	rig_advance(g, 1000);
	assert_int_equal(rig_count_sent(g, "http://ae"), 1);
	s = rig_last_sent(g, "http://ae");
	assert_json(s->doc, "m2m:sgn.nev.net", "8");
	assert_json(s->doc, "m2m:sgn.nev.rep.m2m:tsn.mdc", "2");
	assert_int_equal(json_path(s->doc, "m2m:sgn.nev.rep.m2m:tsn.mdlt")->count, 2);
	rig_advance(g, 2000);
	assert_int_equal(rig_count_sent(g, "http://ae"), 2);
	assert_missing(g, "4", 4);
	rig_free(g);
}

static void forgets_missing_data_that_are_too_far_apart(void **state)
{
	struct rig *g = with_series(",'pei':1000,'peid':100,'mdt':300,'mdd':true");

	(void)state;
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/s", TY_SUBSCRIPTION, "{'m2m:sub':{'nu':['CAe'],'enc':{'net':[8],'md':{'num':2,'dur':'PT1.5S'}}}}"), RSC_CREATED);
	put_now(g, 0);
	for (int i = 0; i < 3; i++) {
		rig_advance(g, 2000);
		put_now(g, 0);
	}
	assert_missing(g, "3", 3);
	assert_int_equal(rig_count_sent(g, "http://ae"), 0);
	rig_free(g);
}

static void ends_with_its_series(void **state)
{
	struct rig *g = with_series(DETECTING);

	(void)state;
	put_now(g, 0);
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae/s"), RSC_DELETED);
	rig_advance(g, 5000);
	rig_restart(g);
	rig_advance(g, 5000);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_what_goes_with_what),
		cmocka_unit_test(fills_in_the_deviation),
		cmocka_unit_test(keeps_its_parameters_while_it_detects),
		cmocka_unit_test(counts_and_lets_the_oldest_go),
		cmocka_unit_test(takes_each_time_once),
		cmocka_unit_test(makes_a_relative_time_absolute),
		cmocka_unit_test(finds_nothing_missing_before_the_first_instance),
		cmocka_unit_test(counts_a_period_without_instance),
		cmocka_unit_test(takes_what_is_punctual),
		cmocka_unit_test(does_not_take_what_is_early_late_or_off_the_beat),
		cmocka_unit_test(waits_longer_than_a_period_where_it_may),
		cmocka_unit_test(stops_and_begins_anew),
		cmocka_unit_test(goes_on_after_a_restart),
		cmocka_unit_test(survives_a_long_pause),
		cmocka_unit_test(tells_subscriptions_of_so_many),
		cmocka_unit_test(forgets_missing_data_that_are_too_far_apart),
		cmocka_unit_test(ends_with_its_series),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
