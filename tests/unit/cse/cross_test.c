/* crossResourceSubscription: what it watches, its time windows, and how it ends with what it rests on. */
#include "harness.h"

#include <string.h>

#define SINK "http://sink"

/* Two containers of the AE Cown. */
static struct rig *scene(void)
{
	struct rig *g = rig_new();

	rig_ae(g, "Cown", "own", "'poa':['http://own']");
	for (int i = 1; i <= 3; i++)
		assert_rsc(rig_create(g, "Cown", "cse-in/own", TY_CONTAINER, rig_fmt(g, "{'m2m:cnt':{'rn':'c%d'}}", i)), RSC_CREATED);
	return g;
}

static const struct answer *cross(struct rig *g, const char *members)
{
	return rig_create(g, "Cown", "cse-in/own", TY_CROSS_RESOURCE_SUBSCRIPTION, rig_fmt(g, "{'m2m:crs':{'rn':'x',%s}}", members));
}

#define WATCH "'nu':['" SINK "'],'rrat':['cse-in/own/c1','cse-in/own/c2'],'encs':{'enc':[{'net':[3]}]}"

static const struct answer *made(struct rig *g, const char *members)
{
	const struct answer *a = cross(g, rig_fmt(g, WATCH ",%s", members));

	assert_rsc(a, RSC_CREATED);
	rig_forget_sent(g);
	return a;
}

static void instance(struct rig *g, int n)
{
	assert_rsc(rig_create(g, "Cown", rig_fmt(g, "cse-in/own/c%d", n), TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'x'}}"), RSC_CREATED);
}

static size_t subscriptions(struct rig *g, const char *to)
{
	const struct answer *a = rig_retrieve(g, "CAdmin", rig_fmt(g, "%s?fu=1&ty=23", to));

	assert_rsc(a, RSC_OK);
	return a->doc->first->count;
}

/* ---- creation ---- */

static void checks_what_is_asked_for(void **state)
{
	static const struct {
		const char *members;
		enum onem2m_rsc rsc;
	} cases[] = {
		{WATCH ",'twt':1,'tws':'PT1S'", RSC_CREATED},
		{WATCH ",'twt':2,'tws':'PT1S','eem':2", RSC_CREATED},
		{WATCH ",'twt':2,'tws':'PT1S','eem':3", RSC_BAD_REQUEST},
		{WATCH ",'twt':2,'tws':'PT1S','eem':4", RSC_BAD_REQUEST},
		{WATCH ",'twt':1,'tws':'PT1S','eem':4", RSC_CREATED},
		{WATCH ",'twt':1,'tws':'PT1S','eem':6", RSC_BAD_REQUEST},
		{WATCH ",'twt':3,'tws':'PT1S'", RSC_BAD_REQUEST},
		{WATCH ",'twt':1,'tws':'PT0S'", RSC_BAD_REQUEST},
		{WATCH ",'twt':1", RSC_BAD_REQUEST},
		{WATCH ",'tws':'PT1S'", RSC_BAD_REQUEST},
		{WATCH ",'twt':1,'tws':'PT1S','rrats':['x']", RSC_BAD_REQUEST},
		{"'nu':['" SINK "'],'twt':1,'tws':'PT1S'", RSC_BAD_REQUEST},
		{"'nu':['" SINK "'],'twt':1,'tws':'PT1S','rrat':['cse-in/own/c1']", RSC_BAD_REQUEST},
		{"'nu':['" SINK "'],'twt':1,'tws':'PT1S','rrat':['cse-in/own/c1'],'encs':{}", RSC_BAD_REQUEST},
		{"'nu':['" SINK "'],'twt':1,'tws':'PT1S','rrat':['cse-in/own/c1'],'encs':{'encn':[{'net':[3]}]}", RSC_CREATED},
		{"'nu':['" SINK "'],'twt':1,'tws':'PT1S','rrat':['cse-in/own/c1','cse-in/own/c2'],'encs':{'enc':[{'net':[3]},{'net':[1]}]}", RSC_CREATED},
		{"'nu':['" SINK "'],'twt':1,'tws':'PT1S','rrat':['cse-in/own/c1','cse-in/own/c2'],'encs':{'enc':[{'net':[3]},{'net':[1]},{'net':[1]}]}", RSC_BAD_REQUEST},
		{"'nu':['" SINK "'],'twt':1,'tws':'PT1S','rrat':['cse-in/own/c1','nothing'],'encs':{'enc':[{'net':[3]}]}", RSC_CROSS_RESOURCE_OPERATION_FAILURE},
		{"'nu':['" SINK "'],'twt':1,'tws':'PT1S','rrat':['cse-in/own/c1','cse-in/own/c2'],'encs':{'enc':[{'net':[3]},{'net':[3],'chty':[2]}]}",
		    RSC_CROSS_RESOURCE_OPERATION_FAILURE},
		{"'nu':['" SINK "'],'twt':1,'tws':'PT1S','srat':['cse-in/own/c1']", RSC_BAD_REQUEST},
		{"'nu':['" SINK "'],'twt':1,'tws':'PT1S','srat':['nothing']", RSC_CROSS_RESOURCE_OPERATION_FAILURE},
		{"'nu':['http://dead'],'rrat':['cse-in/own/c1'],'encs':{'enc':[{'net':[3]}]},'twt':1,'tws':'PT1S'", RSC_SUBSCRIPTION_VERIFICATION_INITIATION_FAILED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig *g = scene();
		const struct answer *a;
		size_t expected = cases[i].rsc == RSC_CREATED;

		rig_network(g, "http://dead", RSC_TARGET_NOT_REACHABLE);
		a = cross(g, cases[i].members);
		if (a->rsc != cases[i].rsc)
			print_error("case %zu: %s\n", i, cases[i].members);
		assert_rsc(a, cases[i].rsc);
		/* all of it, or nothing */
		assert_rsc(rig_retrieve(g, "Cown", "cse-in/own/x"), expected ? RSC_OK : RSC_NOT_FOUND);
		assert_int_equal(subscriptions(g, "cse-in/own/c1"), expected);
		rig_free(g);
	}
}

static void makes_the_subscriptions_and_takes_them_along(void **state)
{
	struct rig *g = scene();
	const struct answer *a = made(g, "'twt':1,'tws':'PT1H','nec':3");
	const char *sub;
	struct rd first;

	(void)state;
	assert_int_equal(json_path(a->doc, "m2m:crs.rrats")->count, 2);
	assert_int_equal(subscriptions(g, "cse-in/own/c1"), 1);
	assert_true(json_string(json_at(json_path(a->doc, "m2m:crs.rrats"), 0), &first));
	sub = rig_fmt(g, "%.*s", (int)first.left, (const char *)first.at);
	a = rig_retrieve(g, "Cown", sub);
	assert_rsc(a, RSC_OK);
	assert_value(a, "m2m:sub.nu", rig_fmt(g, "['/id-in/%s']", rig_ri(g, "cse-in/own/x")));
	assert_value(a, "m2m:sub.acrs", rig_fmt(g, "['/id-in/%s']", rig_ri(g, "cse-in/own/x")));
	assert_value(a, "m2m:sub.enc", "{'net':[3]}");
	assert_value(a, "m2m:sub.nec", "3");
	assert_rsc(rig_delete(g, "Cown", "cse-in/own/x"), RSC_DELETED);
	assert_int_equal(subscriptions(g, "cse-in/own"), 0);
	rig_free(g);
}

static void ends_when_a_made_subscription_does(void **state)
{
	static const char *const deletions[] = {"rrats", "cse-in/own/c2", "cse-in/own"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct rig *g = scene();
		const struct answer *a = made(g, "'twt':1,'tws':'PT1H','su':'" SINK "'");
		struct rd first;

		assert_true(json_string(json_at(json_path(a->doc, "m2m:crs.rrats"), 0), &first));
		assert_rsc(rig_delete(g, "CAdmin", i ? deletions[i] : rig_fmt(g, "%.*s", (int)first.left, (const char *)first.at)), RSC_DELETED);
		assert_rsc(rig_retrieve(g, "CAdmin", "cse-in/own/x"), RSC_NOT_FOUND);
		if (i < 2)
			assert_int_equal(subscriptions(g, "cse-in/own/c1"), 0);
		assert_json(rig_last_sent(g, SINK)->doc, "m2m:sgn.sud", "true");
		rig_free(g);
	}
}

static struct rig *joined(void)
{
	struct rig *g = scene();

	for (int i = 1; i <= 2; i++)
		assert_rsc(rig_create(g, "Cown", rig_fmt(g, "cse-in/own/c%d", i), TY_SUBSCRIPTION, "{'m2m:sub':{'rn':'s','nu':['Cown'],'enc':{'net':[3]}}}"), RSC_CREATED);
	assert_rsc(cross(g, "'nu':['" SINK "'],'twt':2,'tws':'PT5S','srat':['cse-in/own/c1/s','cse-in/own/c2/s']"), RSC_CREATED);
	rig_forget_sent(g);
	return g;
}

static void joins_subscriptions_and_leaves_them(void **state)
{
	struct rig *g = joined();
	const char *address = rig_fmt(g, "/id-in/%s", rig_ri(g, "cse-in/own/x"));

	(void)state;
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/c1/s"), "m2m:sub.nu", rig_fmt(g, "['Cown','%s']", address));
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/c2/s"), "m2m:sub.acrs", rig_fmt(g, "['%s']", address));
	instance(g, 1);
	instance(g, 2);
	assert_int_equal(rig_count_sent(g, SINK), 1);
	assert_int_equal(rig_count_sent(g, "http://own"), 2);
	assert_rsc(rig_delete(g, "Cown", "cse-in/own/x"), RSC_DELETED);
	for (int i = 1; i <= 2; i++) {
		assert_value(rig_retrieve(g, "Cown", rig_fmt(g, "cse-in/own/c%d/s", i)), "m2m:sub.nu", "['Cown']");
		assert_value(rig_retrieve(g, "Cown", rig_fmt(g, "cse-in/own/c%d/s", i)), "m2m:sub.acrs", NULL);
	}
	rig_free(g);
}

static void ends_when_a_joined_subscription_goes_or_leaves(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct rig *g = joined();

		if (i == 0)
			assert_rsc(rig_delete(g, "Cown", "cse-in/own/c1/s"), RSC_DELETED);
		else
			assert_rsc(rig_update(g, "Cown", "cse-in/own/c1/s", "{'m2m:sub':{'acrs':[]}}"), RSC_UPDATED);
		assert_rsc(rig_retrieve(g, "Cown", "cse-in/own/x"), RSC_NOT_FOUND);
		assert_value(rig_retrieve(g, "Cown", "cse-in/own/c2/s"), "m2m:sub.nu", "['Cown']");
		rig_free(g);
	}
}

/* acrs is the subscriber's to write: it must not end what does not rest on it. */
static void a_stranger_that_names_it_does_not_end_it(void **state)
{
	struct rig *g = scene();
	const char *address;

	(void)state;
	made(g, "'twt':1,'tws':'PT1H'");
	address = rig_fmt(g, "/id-in/%s", rig_ri(g, "cse-in/own/x"));
	rig_ae(g, "Cevil", "evil", "");
	assert_rsc(rig_create(g, "Cevil", "cse-in/evil", TY_SUBSCRIPTION, rig_fmt(g, "{'m2m:sub':{'rn':'s','nu':['Cevil'],'acrs':['%s']}}", address)), RSC_CREATED);
	assert_rsc(rig_delete(g, "Cevil", "cse-in/evil/s"), RSC_DELETED);
	assert_rsc(rig_retrieve(g, "Cown", "cse-in/own/x"), RSC_OK);
	/* nor may it report, or say that something ended */
	assert_rsc(rig_notify(g, "Cevil", address, "{'m2m:sgn':{'sur':'/id-in/sub_1','sud':true}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_notify(g, "CAdmin", address, "{'m2m:sgn':{'sur':'/id-in/sub_1','sud':true}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_notify(g, "Cevil", address, "{'m2m:sgn':{'sur':7}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_notify(g, "Cevil", address, "{'m2m:agn':{'m2m:sgn':[{'sur':'/id-in/sub_1'}]}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_notify(g, "Cevil", address, "{'m2m:other':1}"), RSC_BAD_REQUEST);
	assert_rsc(rig_retrieve(g, "Cown", "cse-in/own/x"), RSC_OK);
	rig_free(g);
}

/* ---- windows ---- */

static void evaluates_windows(void **state)
{
	/* at each second: the containers that get an instance, 0 none, 3 both, 4 the first twice; then how many notifications have come */
	static const struct {
		int twt, eem;
		const char *acts;
		const char *counts;
	} cases[] = {
		{1, 1, "0000000", "0000000"},
		{1, 1, "1111111", "0000000"},
		{1, 1, "0300000", "0000011"}, /* PT5S: looked at after five seconds */
		{1, 1, "0102000", "0000011"},
		{1, 1, "0000120", "0000000"},
		{1, 1, "4440000", "0000000"},
		{1, 2, "0100000", "0000011"},
		{1, 2, "0000000", "0000000"},
		{1, 3, "0100000", "0000011"},
		{1, 3, "0000000", "0000011"},
		{1, 3, "0300000", "0000000"},
		{1, 4, "0000000", "0000011"},
		{1, 4, "0100000", "0000000"},
		{1, 5, "0100000", "0000011"},
		{1, 5, "0000000", "0000000"},
		{1, 5, "0300000", "0000000"},
		{2, 1, "0300000", "0111111"}, /* at once */
		{2, 1, "0100020", "0000011"}, /* within four seconds */
		{2, 1, "1000002", "0000000"},
		{2, 1, "1000012", "0000001"}, /* it slides */
		{2, 1, "0300300", "0111222"},
		{2, 1, "0444200", "0000111"},
		{2, 2, "1000000", "0000011"},
		{2, 2, "1200000", "0000011"},
		{2, 2, "0000000", "0000000"},
		{2, 5, "1000000", "0000011"},
		{2, 5, "1200000", "0000000"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig *g = scene();

		made(g, rig_fmt(g, "'twt':%d,'tws':'PT5S','eem':%d", cases[i].twt, cases[i].eem));
		for (size_t t = 0; cases[i].acts[t]; t++) {
			int act = cases[i].acts[t] - '0';

			if (act == 1 || act == 3 || act == 4)
				instance(g, 1);
			if (act == 4)
				instance(g, 1);
			if (act == 2 || act == 3)
				instance(g, 2);
			if (rig_count_sent(g, SINK) != (size_t)(cases[i].counts[t] - '0'))
				print_error("case %zu (twt %d, eem %d, %s), second %zu\n", i, cases[i].twt, cases[i].eem, cases[i].acts, t);
			assert_int_equal(rig_count_sent(g, SINK), cases[i].counts[t] - '0');
			rig_advance(g, 1010);
		}
		if (g->sent_count > 0)
			assert_json(g->sent[0].doc, "m2m:sgn", rig_fmt(g, "{'sur':'/id-in/%s'}", rig_ri(g, "cse-in/own/x")));
		rig_free(g);
	}
}

/* By the customs a sliding window begins with its first event, whatever is wanted. */
static void by_the_customs_a_window_shuts(void **state)
{
	static const struct {
		const char *acts, *counts;
	} cases[] = {
		{"0300000", "0111111"},
		{"0100020", "0000011"},
		{"1000002", "0000000"},
		{"1000102", "0000000"},
		{"10000012", "00000001"},
		{"0300300", "0111222"},
		{"13003", "01112"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig *g = scene();

		g->config.customs = true;
		rig_restart(g);
		made(g, "'twt':2,'tws':'PT5S','eem':1");
		for (size_t t = 0; cases[i].acts[t]; t++) {
			if (cases[i].acts[t] & 1)
				instance(g, 1);
			if (cases[i].acts[t] & 2)
				instance(g, 2);
			if (rig_count_sent(g, SINK) != (size_t)(cases[i].counts[t] - '0'))
				print_error("case %zu (%s), second %zu\n", i, cases[i].acts, t);
			assert_int_equal(rig_count_sent(g, SINK), cases[i].counts[t] - '0');
			rig_advance(g, 1010);
		}
		rig_free(g);
	}
}

static void a_changed_window_begins_anew(void **state)
{
	struct rig *g = scene();

	(void)state;
	made(g, "'twt':1,'tws':'PT5S'");
	instance(g, 1);
	instance(g, 2);
	rig_advance(g, 4000);
	assert_rsc(rig_update(g, "Cown", "cse-in/own/x", "{'m2m:crs':{'tws':'PT10S'}}"), RSC_UPDATED);
	rig_advance(g, 4000);
	assert_int_equal(rig_count_sent(g, SINK), 0);
	instance(g, 1);
	instance(g, 2);
	rig_advance(g, 6100);
	assert_int_equal(rig_count_sent(g, SINK), 1);
	assert_rsc(rig_update(g, "Cown", "cse-in/own/x", "{'m2m:crs':{'twt':2,'eem':3}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "Cown", "cse-in/own/x", "{'m2m:crs':{'twt':2}}"), RSC_UPDATED);
	instance(g, 1);
	instance(g, 2);
	assert_int_equal(rig_count_sent(g, SINK), 2);
	rig_free(g);
}

static void goes_on_after_a_restart(void **state)
{
	struct rig *g = scene();

	(void)state;
	made(g, "'twt':1,'tws':'PT5S'");
	rig_restart(g);
	instance(g, 1);
	instance(g, 2);
	rig_advance(g, 5100);
	assert_int_equal(rig_count_sent(g, SINK), 1);
	rig_free(g);
}

static void what_was_half_made_at_a_crash_goes(void **state)
{
	struct rig *g = scene();

	(void)state;
	/* the second container's subscription never gets its answer */
	assert_rsc(rig_create(g, "/id-mn", "cse-in", TY_REMOTE_CSE,
	               "{'m2m:csr':{'rn':'mn','csi':'/id-mn','cb':'/id-mn/cse-mn','rr':true,'poa':['http://mn'],'srv':['4']}}"),
	    RSC_CREATED);
	rig_hold(g, "http://mn");
	assert_false(cross(g, "'nu':['" SINK "'],'twt':1,'tws':'PT5S','rrat':['cse-in/own/c1','/id-mn/cse-mn/c'],'encs':{'enc':[{'net':[3]}]}")->come);
	assert_rsc(rig_retrieve(g, "Cown", "cse-in/own/x"), RSC_OK);
	rig_restart(g);
	assert_rsc(rig_retrieve(g, "Cown", "cse-in/own/x"), RSC_NOT_FOUND);
	rig_free(g);
}

static void counts_down_and_keeps_statistics(void **state)
{
	struct rig *g = scene();

	(void)state;
	made(g, "'twt':2,'tws':'PT5S','exc':2,'nse':true");
	instance(g, 1);
	instance(g, 2);
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/x"), "m2m:crs.nsi", "[{'tg':'" SINK "','rqs':1,'rsr':1,'noec':1}]");
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/x"), "m2m:crs.exc", "1");
	instance(g, 1);
	instance(g, 2);
	assert_rsc(rig_retrieve(g, "Cown", "cse-in/own/x"), RSC_NOT_FOUND);
	assert_int_equal(subscriptions(g, "cse-in/own/c1"), 0);
	assert_int_equal(rig_count_sent(g, SINK), 2);
	rig_free(g);
}

static void keeps_to_its_schedule(void **state)
{
	struct rig *g = scene();

	(void)state;
	made(g, "'twt':2,'tws':'PT5S'");
	assert_rsc(rig_create(g, "Cown", "cse-in/own/x", TY_SCHEDULE, "{'m2m:sch':{'se':{'sce':['* 30-59 * * * * *']}}}"), RSC_CREATED);
	instance(g, 1);
	instance(g, 2);
	assert_int_equal(rig_count_sent(g, SINK), 0);
	rig_advance(g, 1801000);
	instance(g, 1);
	instance(g, 2);
	assert_int_equal(rig_count_sent(g, SINK), 1);
	rig_free(g);
}

/* ---- across two CSEs ---- */

/* Carries what one sends to the other, until nothing moves. */
static bool carry(struct rig *from, const char *url, struct rig *to)
{
	bool did = false;

	for (size_t i = 0; i < from->sent_count; i++) {
		const struct answer *a;

		if (!from->sent[i].done || strncmp(from->sent[i].url, url, strlen(url)) != 0)
			continue;
		a = rig_ask(to, from->sent[i].rq);
		if (a->come) {
			rig_reply(from, i, a->rsc, a->content);
			did = true;
		}
	}
	return did;
}

static void watches_a_resource_of_another_cse(void **state)
{
	struct rig *in = scene(), *mn = rig_new_as(CSE_MN, "/id-mn", "cse-mn");
	const struct answer *a;
	size_t made_at_mn;

	(void)state;
	assert_rsc(rig_create(in, "/id-mn", "cse-in", TY_REMOTE_CSE,
	               "{'m2m:csr':{'rn':'mn','csi':'/id-mn','cb':'/id-mn/cse-mn','rr':true,'poa':['http://mn'],'srv':['4']}}"),
	    RSC_CREATED);
	assert_rsc(rig_create(mn, "/id-in", "cse-mn", TY_REMOTE_CSE,
	               "{'m2m:csr':{'rn':'in','csi':'/id-in','cb':'/id-in/cse-in','rr':true,'poa':['http://in'],'srv':['4']}}"),
	    RSC_CREATED);
	assert_rsc(rig_create(mn, "CAdmin", "cse-mn", TY_ACP,
	               "{'m2m:acp':{'rn':'p','pv':{'acr':[{'acor':['/id-in/Cown'],'acop':63}]},'pvs':{'acr':[{'acor':['CAdmin'],'acop':63}]}}}"),
	    RSC_CREATED);
	assert_rsc(rig_create(mn, "CAdmin", "cse-mn", TY_CONTAINER, rig_fmt(mn, "{'m2m:cnt':{'rn':'c','acpi':['%s']}}", rig_ri(mn, "cse-mn/p"))), RSC_CREATED);
	rig_hold(in, "http://mn");
	rig_network(mn, "http://in", RSC_OK); /* the verification of the subscription at the MN-CSE */
	a = cross(in, "'nu':['" SINK "'],'twt':2,'tws':'PT5S','rrat':['cse-in/own/c1','/id-mn/cse-mn/c'],'encs':{'enc':[{'net':[3]}]}");
	assert_false(a->come);
	while (carry(in, "http://mn", mn))
		;
	assert_rsc(a, RSC_CREATED);
	made_at_mn = subscriptions(mn, "cse-mn/c");
	assert_int_equal(made_at_mn, 1);
	/* an event here, and one there */
	instance(in, 1);
	mn->rule_count = 0;
	rig_hold(mn, "http://in");
	assert_rsc(rig_create(mn, "CAdmin", "cse-mn/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'y'}}"), RSC_CREATED);
	while (carry(mn, "http://in", in))
		;
	assert_int_equal(rig_count_sent(in, SINK), 2); /* the verification, and this */
	assert_rsc(rig_delete(in, "Cown", "cse-in/own/x"), RSC_DELETED);
	while (carry(in, "http://mn", mn))
		;
	assert_int_equal(subscriptions(mn, "cse-mn/c"), 0);
	rig_free(in);
	rig_free(mn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_what_is_asked_for),
		cmocka_unit_test(makes_the_subscriptions_and_takes_them_along),
		cmocka_unit_test(ends_when_a_made_subscription_does),
		cmocka_unit_test(joins_subscriptions_and_leaves_them),
		cmocka_unit_test(ends_when_a_joined_subscription_goes_or_leaves),
		cmocka_unit_test(a_stranger_that_names_it_does_not_end_it),
		cmocka_unit_test(evaluates_windows),
		cmocka_unit_test(by_the_customs_a_window_shuts),
		cmocka_unit_test(a_changed_window_begins_anew),
		cmocka_unit_test(goes_on_after_a_restart),
		cmocka_unit_test(what_was_half_made_at_a_crash_goes),
		cmocka_unit_test(counts_down_and_keeps_statistics),
		cmocka_unit_test(keeps_to_its_schedule),
		cmocka_unit_test(watches_a_resource_of_another_cse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
