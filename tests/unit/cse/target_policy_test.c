/* notificationTargetPolicy, and targets that want to leave (notificationTargetSelfReference). */
#include "harness.h"

/* A subscription of Cown with the target Cleave. */
static struct rig *scene(void)
{
	struct rig *g = rig_new();

	rig_ae(g, "Cown", "own", "'poa':['http://own']");
	rig_ae(g, "Cleave", "leave", "'poa':['http://leave']");
	assert_rsc(rig_create(g, "Cown", "cse-in/own", TY_CONTAINER, "{'m2m:cnt':{'rn':'c'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "Cown", "cse-in/own/c", TY_SUBSCRIPTION, "{'m2m:sub':{'rn':'s','nu':['Cown','/id-in/Cleave']}}"), RSC_CREATED);
	rig_forget_sent(g);
	return g;
}

static void policy(struct rig *g, int action, const char *label, const char *more)
{
	assert_rsc(rig_create(g, "Cown", "cse-in", TY_NOTIFICATION_TARGET_POLICY, rig_fmt(g, "{'m2m:ntp':{'rn':'p','acn':%d,'plbl':'%s'%s}}", action, label, more)), RSC_CREATED);
}

static void reference(struct rig *g, const char *target, const char *npi)
{
	assert_rsc(rig_create(g, "Cown", "cse-in/own/c/s", TY_NOTIFICATION_TARGET_MGMT_POLICY_REF, rig_fmt(g, "{'m2m:ntpr':{'rn':'r','ntu':['%s']%s}}", target, npi)), RSC_CREATED);
}

static const struct answer *leave(struct rig *g, const char *who)
{
	return rig_delete(g, who, "cse-in/own/c/s/ntsr");
}

static void assert_left(struct rig *g, bool left)
{
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/c/s"), "m2m:sub.nu", left ? "['Cown']" : "['Cown','/id-in/Cleave']");
}

static void the_policy_decides(void **state)
{
	static const struct {
		int action;                  /* of the policy p; 0: there is none */
		const char *label;
		const char *referenced, *npi; /* NULL: no reference */
		bool left;
	} cases[] = {
		{0, NULL, NULL, NULL, false},                     /* the CSE's own rejects */
		{1, "Default", NULL, NULL, true},
		{2, "Default", NULL, NULL, false},
		{1, "other", NULL, NULL, false},
		{1, "other", "Cleave", ",'npi':'cse-in/p'", true},
		{1, "other", "cse-in/leave", ",'npi':'cse-in/p'", true},
		{1, "other", "Cleave", "", false},
		{1, "other", "Csomebody", ",'npi':'cse-in/p'", false},
		{1, "other", "Cleave", ",'npi':'cse-in/nothing'", false},
		{2, "other", "Cleave", ",'npi':'cse-in/p'", false},
		{1, "Default", "Csomebody", ",'npi':'cse-in/nothing'", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig *g = scene();
		const struct answer *a;

		if (cases[i].action)
			policy(g, cases[i].action, cases[i].label, "");
		if (cases[i].referenced)
			reference(g, cases[i].referenced, cases[i].npi);
		a = leave(g, "Cleave");
		if (a->rsc != (cases[i].left ? RSC_DELETED : RSC_ORIGINATOR_HAS_NO_PRIVILEGE))
			print_error("case %zu\n", i);
		assert_rsc(a, cases[i].left ? RSC_DELETED : RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
		assert_left(g, cases[i].left);
		rig_free(g);
	}
}

static void deletion_rules_limit_when(void **state)
{
	/* RIG_START is 08:00 */
	static const struct {
		const char *rrs;
		const char *first, *second; /* members of policyDeletionRules; NULL: there is none */
		bool left;
	} cases[] = {
		{"", "", NULL, true},
		{"", "'dr':{'tod':[]}", NULL, true},
		{"", "'dr':{'tod':['* * 8 * * * *']}", NULL, true},
		{"", "'dr':{'tod':['* * 9 * * * *']}", NULL, false},
		{"", "'dr':{'tod':['* * 9 * * * *','* * * * * * *']}", NULL, true},
		{"", "'dr':{'tod':['* * 9 * * * *','* * * * * * *']},'drr':1", NULL, false},
		{",'rrs':2", "'dr':{'tod':['* * 9 * * * *']}", "'dr':{'tod':['* * 8 * * * *']}", true},
		{",'rrs':1", "'dr':{'tod':['* * 9 * * * *']}", "'dr':{'tod':['* * 8 * * * *']}", false},
		{",'rrs':1", "'dr':{'tod':['* * 8 * * * *']}", "'dr':{'tod':['* * 8 * * * *']}", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig *g = scene();
		const struct answer *a;

		policy(g, 1, "Default", cases[i].rrs);
		assert_rsc(rig_create(g, "Cown", "cse-in/p", TY_POLICY_DELETION_RULES, rig_fmt(g, "{'m2m:pdr':{%s}}", cases[i].first)), RSC_CREATED);
		if (cases[i].second)
			assert_rsc(rig_create(g, "Cown", "cse-in/p", TY_POLICY_DELETION_RULES, rig_fmt(g, "{'m2m:pdr':{%s}}", cases[i].second)), RSC_CREATED);
		a = leave(g, "Cleave");
		if (a->rsc != (cases[i].left ? RSC_DELETED : RSC_ORIGINATOR_HAS_NO_PRIVILEGE))
			print_error("case %zu\n", i);
		assert_left(g, cases[i].left);
		rig_free(g);
	}
}

static void the_creator_is_asked(void **state)
{
	static const struct {
		enum onem2m_rsc rsc;
		const char *content;
		bool left;
	} cases[] = {
		{RSC_OK, "", true},
		{RSC_OK, "{'m2m:sgn':{'sur':'x','tra':true}}", true},
		{RSC_OK, "{'m2m:sgn':{'sur':'x','tra':false}}", false},
		{RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "", false},
		{RSC_TARGET_NOT_REACHABLE, "", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig *g = scene();
		const struct answer *a;

		policy(g, 3, "Default", "");
		rig_hold(g, "http://own");
		a = leave(g, "Cleave");
		assert_false(a->come);
		assert_json(g->sent[0].doc, "m2m:sgn.tra", "true");
		assert_json(g->sent[0].doc, "m2m:sgn.ntt", "'Cleave'");
		rig_reply(g, 0, cases[i].rsc, cases[i].content);
		assert_rsc(a, cases[i].left ? RSC_DELETED : RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
		assert_left(g, cases[i].left);
		rig_free(g);
	}
}

static void the_creator_is_told(void **state)
{
	struct rig *g = scene();

	(void)state;
	policy(g, 4, "Default", "");
	assert_rsc(leave(g, "Cleave"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_json(rig_last_sent(g, "http://own")->doc, "m2m:sgn.trr", "true");
	assert_json(rig_last_sent(g, "http://own")->doc, "m2m:sgn.tra", NULL);
	assert_left(g, false);
	rig_free(g);
}

static void who_left_hears_nothing_more(void **state)
{
	struct rig *g = scene();

	(void)state;
	policy(g, 1, "Default", "");
	rig_network(g, "http://leave", RSC_TARGET_NOT_REACHABLE);
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c", "{'m2m:cnt':{'lbl':['a']}}"), RSC_UPDATED);
	assert_rsc(leave(g, "Cleave"), RSC_DELETED);
	rig_network(g, "http://leave", RSC_OK);
	g->sent_count = 0;
	rig_advance(g, 100000);
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c", "{'m2m:cnt':{'lbl':['b']}}"), RSC_UPDATED);
	assert_int_equal(rig_count_sent(g, "http://leave"), 0);
	assert_int_equal(rig_count_sent(g, "http://own"), 1);
	/* the last one leaves an empty list */
	assert_rsc(leave(g, "Cown"), RSC_DELETED);
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/c/s"), "m2m:sub.nu", "[]");
	assert_rsc(leave(g, "Cown"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void the_self_reference_can_only_be_deleted(void **state)
{
	struct rig *g = scene();

	(void)state;
	assert_rsc(rig_retrieve(g, "Cown", "cse-in/own/c/s/ntsr"), RSC_OPERATION_NOT_ALLOWED);
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c/s/ntsr", "{'m2m:ntsr':{'lbl':['x']}}"), RSC_OPERATION_NOT_ALLOWED);
	assert_rsc(rig_create(g, "Cown", "cse-in/own/c/s/ntsr", TY_CONTAINER, "{'m2m:cnt':{}}"), RSC_OPERATION_NOT_ALLOWED);
	assert_rsc(leave(g, "CAdmin"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void policies_of_a_creator_have_different_labels(void **state)
{
	struct rig *g = scene();

	(void)state;
	policy(g, 1, "a", "");
	assert_rsc(rig_create(g, "Cown", "cse-in", TY_NOTIFICATION_TARGET_POLICY, "{'m2m:ntp':{'acn':1,'plbl':'a'}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_create(g, "Cleave", "cse-in", TY_NOTIFICATION_TARGET_POLICY, "{'m2m:ntp':{'acn':1,'plbl':'a'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "Cown", "cse-in", TY_NOTIFICATION_TARGET_POLICY, "{'m2m:ntp':{'rn':'q','acn':1,'plbl':'b'}}"), RSC_CREATED);
	assert_rsc(rig_update(g, "Cown", "cse-in/q", "{'m2m:ntp':{'plbl':'a'}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "Cown", "cse-in/q", "{'m2m:ntp':{'plbl':'b','lbl':['x']}}"), RSC_UPDATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_NOTIFICATION_TARGET_POLICY, "{'m2m:ntp':{'acn':1,'plbl':'z','cr':null}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/defaultNTP"), RSC_BAD_REQUEST);
	assert_rsc(rig_create(g, "Cown", "cse-in/p", TY_POLICY_DELETION_RULES, "{'m2m:pdr':{}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "Cown", "cse-in/p", TY_POLICY_DELETION_RULES, "{'m2m:pdr':{}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "Cown", "cse-in/p", TY_POLICY_DELETION_RULES, "{'m2m:pdr':{}}"), RSC_CONFLICT);
	rig_free(g);
}

static void a_target_has_one_reference(void **state)
{
	struct rig *g = scene();

	(void)state;
	reference(g, "Cleave", "");
	assert_rsc(rig_create(g, "Cown", "cse-in/own/c/s", TY_NOTIFICATION_TARGET_MGMT_POLICY_REF, "{'m2m:ntpr':{'ntu':['Cx','Cleave']}}"), RSC_CONFLICT);
	assert_rsc(rig_create(g, "Cown", "cse-in/own/c/s", TY_NOTIFICATION_TARGET_MGMT_POLICY_REF, "{'m2m:ntpr':{'rn':'t','ntu':['Cx']}}"), RSC_CREATED);
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c/s/t", "{'m2m:ntpr':{'ntu':['Cleave']}}"), RSC_CONFLICT);
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c/s/t", "{'m2m:ntpr':{'ntu':['Cx','Cy']}}"), RSC_UPDATED);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_policy_decides),
		cmocka_unit_test(deletion_rules_limit_when),
		cmocka_unit_test(the_creator_is_asked),
		cmocka_unit_test(the_creator_is_told),
		cmocka_unit_test(who_left_hears_nothing_more),
		cmocka_unit_test(the_self_reference_can_only_be_deleted),
		cmocka_unit_test(policies_of_a_creator_have_different_labels),
		cmocka_unit_test(a_target_has_one_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
