/* timeSyncBeacon: what goes with its criteria, and when it tells the time. */
#include "harness.h"

static struct rig *with_ae(void)
{
	struct rig *g = rig_new();

	rig_ae(g, "CAe", "ae", "'poa':['http://ae']");
	return g;
}

static const struct answer *beacon(struct rig *g, const char *members)
{
	return rig_create(g, "CAe", "cse-in/ae", TY_TIME_SYNC_BEACON, rig_fmt(g, "{'m2m:tsb':{'rn':'b',%s}}", members));
}

static void checks_what_goes_with_the_criteria(void **state)
{
	static const struct {
		const char *members;
		enum onem2m_rsc rsc;
	} cases[] = {
		{"'bcnc':1,'bcnu':[]", RSC_BAD_REQUEST},
		{"'bcnu':['CAe']", RSC_BAD_REQUEST},
		{"'bcnc':1,'bcnu':['CAe'],'bcnt':'PT1S'", RSC_BAD_REQUEST},
		{"'bcnc':2,'bcnu':['CAe'],'bcnr':'CAe','bcni':'PT1S'", RSC_BAD_REQUEST},
		{"'bcnc':2,'bcnu':['CAe'],'bcnt':'PT1S'", RSC_BAD_REQUEST},
		{"'bcnc':1,'bcnu':['CAe'],'bcni':3", RSC_BAD_REQUEST},
		{"'bcnc':1,'bcnu':['CAe'],'bcni':'PT3S'", RSC_CREATED},
	};
	struct rig *g = with_ae();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_rsc(beacon(g, cases[i].members), cases[i].rsc);
	rig_free(g);
}

static void fills_in_what_is_left_out(void **state)
{
	struct rig *g = with_ae();

	(void)state;
	assert_rsc(beacon(g, "'bcnc':1,'bcnu':['CAe']"), RSC_CREATED);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/b"), "m2m:tsb.bcni", "'PT1H'");
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/b", "{'m2m:tsb':{'bcnc':2}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae/b"), RSC_DELETED);
	assert_rsc(beacon(g, "'bcnc':2,'bcnu':['CAe'],'bcnr':'CAe'"), RSC_CREATED);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/b"), "m2m:tsb.bcnt", "'PT10S'");
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/b", "{'m2m:tsb':{'bcnc':1,'bcni':'PT2S'}}"), RSC_UPDATED);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/b"), "m2m:tsb.bcnt", NULL);
	rig_advance(g, 2000);
	assert_int_equal(rig_count_sent(g, "http://ae"), 1);
	rig_free(g);
}

static void tells_the_time_at_intervals_and_after_a_restart(void **state)
{
	struct rig *g = with_ae();
	const char *ri, *now;

	(void)state;
	assert_rsc(beacon(g, "'bcnc':1,'bcnu':['CAe','http://other'],'bcni':'PT10S'"), RSC_CREATED);
	ri = rig_ri(g, "cse-in/ae/b");
	rig_advance(g, 9999);
	assert_int_equal(g->sent_count, 0);
	rig_advance(g, 1);
	now = rig_time(g, 0);
	assert_int_equal(rig_count_sent(g, "http://ae"), 1);
	assert_int_equal(rig_count_sent(g, "http://other"), 1);
	assert_json(rig_last_sent(g, "http://ae")->doc, "m2m:tsbn.tbr", rig_fmt(g, "'%s'", ri));
	assert_json(rig_last_sent(g, "http://ae")->doc, "m2m:tsbn.ctm", rig_fmt(g, "'%s'", now));
	rig_advance(g, 15000);
	assert_int_equal(rig_count_sent(g, "http://ae"), 2);
	rig_restart(g);
	rig_advance(g, 4999);
	assert_int_equal(rig_count_sent(g, "http://ae"), 2);
	rig_advance(g, 1);
	assert_int_equal(rig_count_sent(g, "http://ae"), 3);
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae/b"), RSC_DELETED);
	rig_advance(g, 60000);
	assert_int_equal(rig_count_sent(g, "http://ae"), 3);
	rig_free(g);
}

static void ask(struct rig *g, const char *from, int64_t apart)
{
	assert_rsc(rig_ask(g, (struct onem2m_request){.operation = ONEM2M_RETRIEVE, .from = rd_str(from), .to = rd_str("cse-in/ae"), .rcn = ONEM2M_RCN_ABSENT,
	    .ot = rd_str(rig_time(g, apart))}), RSC_OK);
}

static void tells_the_time_to_whom_lost_it(void **state)
{
	struct rig *g = with_ae();

	(void)state;
	assert_rsc(beacon(g, "'bcnc':2,'bcnu':['CAe'],'bcnr':'CAe','bcnt':'PT2S'"), RSC_CREATED);
	for (int i = 0; i < 2; i++) {
		ask(g, "CAe", 2000);
		ask(g, "CAe", -2000);
		ask(g, "CAdmin", -10000);
		assert_int_equal(rig_count_sent(g, "http://ae"), 2 * (size_t)i);
		ask(g, "CAe", -2001);
		ask(g, "CAe", 2001);
		assert_int_equal(rig_count_sent(g, "http://ae"), 2 * (size_t)i + 2);
		rig_restart(g);
	}
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae/b"), RSC_DELETED);
	ask(g, "CAe", -20000);
	assert_int_equal(rig_count_sent(g, "http://ae"), 4);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_what_goes_with_the_criteria),
		cmocka_unit_test(fills_in_what_is_left_out),
		cmocka_unit_test(tells_the_time_at_intervals_and_after_a_restart),
		cmocka_unit_test(tells_the_time_to_whom_lost_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
