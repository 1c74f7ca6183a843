/* Subscriptions: what may be asked for, which events are told, and what their notifications carry. */
#include "harness.h"

#include <string.h>

#define SINK "http://sink"

/* A container "cse-in/c" of the AE Cown, whose point of access is http://own. */
static struct rig *scene(void)
{
	struct rig *g = rig_new();

	rig_ae(g, "Cown", "own", "'poa':['http://own']");
	assert_rsc(rig_create(g, "Cown", "cse-in/own", TY_CONTAINER, "{'m2m:cnt':{'rn':'c','lbl':['a']}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "Cown", "cse-in/own", TY_TIME_SERIES, "{'m2m:ts':{'rn':'t'}}"), RSC_CREATED);
	return g;
}

static const struct answer *subscribe_at(struct rig *g, const char *to, const char *members)
{
	return rig_create(g, "Cown", to, TY_SUBSCRIPTION, rig_fmt(g, "{'m2m:sub':{'rn':'s',%s}}", members));
}

static const struct answer *subscribe(struct rig *g, const char *members)
{
	const struct answer *a = subscribe_at(g, "cse-in/own/c", members);

	assert_rsc(a, RSC_CREATED);
	rig_forget_sent(g);
	return a;
}

static const struct json *last(struct rig *g, const char *url)
{
	const struct sent *s = rig_last_sent(g, url);

	assert_non_null(s);
	return s->doc;
}

static void touch(struct rig *g, const char *label)
{
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c", rig_fmt(g, "{'m2m:cnt':{'lbl':['%s']}}", label)), RSC_UPDATED);
}

static void instance(struct rig *g, const char *content)
{
	assert_rsc(rig_create(g, "Cown", "cse-in/own/c", TY_CONTENT_INSTANCE, rig_fmt(g, "{'m2m:cin':{'con':'%s'}}", content)), RSC_CREATED);
}

/* ---- what may be asked for: TS-0004 clause 7.4.8.2.1 ---- */

static void checks_what_is_asked_for(void **state)
{
	static const struct {
		const char *to, *members;
		enum onem2m_rsc rsc;
	} cases[] = {
		{"c", "'nu':['" SINK "']", RSC_CREATED},
		{"c", "'nu':['" SINK "'],'enc':{'net':[1,2,3,4,5]},'nct':3", RSC_CREATED},
		{"c", "'nu':['" SINK "'],'enc':{'net':[1]},'nct':2", RSC_CREATED},
		{"c", "'nu':['" SINK "'],'enc':{'net':[1,3]},'nct':2", RSC_BAD_REQUEST},
		{"c", "'nu':['" SINK "'],'enc':{'net':[2]},'nct':2", RSC_BAD_REQUEST},
		{"c", "'nu':['" SINK "'],'enc':{'net':[6]},'nct':1", RSC_BAD_REQUEST},
		{"c", "'nu':['" SINK "'],'enc':{'net':[6]},'nct':4", RSC_CREATED},
		{"c", "'nu':['" SINK "'],'enc':{'net':[1]},'nct':5", RSC_BAD_REQUEST},
		{"c", "'nu':['" SINK "'],'enc':{'net':[1],'om':[{'ops':2}]}", RSC_BAD_REQUEST},
		{"c", "'nu':['" SINK "'],'enc':{'om':[{'ops':2,'or':'Cx'}]}", RSC_CREATED},
		{"c", "'nu':['" SINK "'],'enc':{'om':[{'ops':2,'or':'Cx'},{}]}", RSC_BAD_REQUEST},
		{"c", "'nu':['" SINK "'],'enc':{'om':[{'ops':2,'org':'Cx'}]}", RSC_CREATED},
		{"c", "'nu':['" SINK "'],'enc':{'net':[3],'chty':[4,3]}", RSC_CREATED},
		{"c", "'nu':['" SINK "'],'enc':{'net':[3],'chty':[2]}", RSC_BAD_REQUEST},
		{"c", "'nu':['" SINK "'],'enc':{'net':[8],'md':{'num':1,'dur':'PT1S'}}", RSC_BAD_REQUEST},
		{"t", "'nu':['" SINK "'],'enc':{'net':[8],'md':{'num':1,'dur':'PT1S'}}", RSC_CREATED},
		{"t", "'nu':['" SINK "'],'enc':{'net':[8]}", RSC_BAD_REQUEST},
		{"t", "'nu':['" SINK "'],'enc':{'net':[8],'md':{'num':1,'dur':'PT1S'}},'nct':1", RSC_BAD_REQUEST},
		{"c", "'nu':['" SINK "'],'bn':{}", RSC_BAD_REQUEST},
		{"c", "'nu':['" SINK "'],'bn':{'num':3}", RSC_CREATED},
		{"c", "'nu':['" SINK "'],'cr':'Cown'", RSC_BAD_REQUEST},
		{"c", "'nu':[]", RSC_BAD_REQUEST},
		{"c", "'nu':['Cown'],'enc':{'net':[7]}", RSC_CREATED},
		{"c", "'nu':['Cown'],'enc':{'net':[7],'atr':['lbl']},'nct':2", RSC_CREATED},
		{"c", "'nu':['Cown'],'enc':{'net':[7]},'nct':1", RSC_BAD_REQUEST},
		{"c", "'nu':['Cown'],'enc':{'net':[7,1]}", RSC_BAD_REQUEST},
		{"c", "'nu':['Cown'],'enc':{'net':[7],'crb':'20300101T000000'}", RSC_BAD_REQUEST},
		{"c", "'nu':['Cown'],'enc':{'net':[7]},'bn':{'num':2}", RSC_BAD_REQUEST},
		{"c", "'nu':['Cown'],'enc':{'net':[7]},'exc':2", RSC_BAD_REQUEST},
		{"c", "'nu':['Cown','" SINK "'],'enc':{'net':[7]}", RSC_BAD_REQUEST},
		{"c", "'nu':['" SINK "'],'enc':{'net':[7]}", RSC_CREATED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig *g = scene();
		const struct answer *a = subscribe_at(g, rig_fmt(g, "cse-in/own/%s", cases[i].to), cases[i].members);

		if (a->rsc != cases[i].rsc)
			print_error("case %zu: %s\n", i, cases[i].members);
		assert_rsc(a, cases[i].rsc);
		rig_free(g);
	}
}

static void content_type_is_the_events_default(void **state)
{
	static const struct {
		const char *to, *enc, *nct;
	} cases[] = {
		{"c", "{'net':[1]}", "1"},
		{"c", "{'net':[4,5]}", "1"},
		{"c", "{'net':[6]}", "4"},
		{"t", "{'net':[8],'md':{'num':1,'dur':'PT1S'}}", "5"},
		{"c", "{'net':[7]}", "2"},
		{"c", "{'om':[{'ops':2}]}", "1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig *g = scene();
		const struct answer *a = subscribe_at(g, rig_fmt(g, "cse-in/own/%s", cases[i].to), rig_fmt(g, "'nu':['Cown'],'enc':%s", cases[i].enc));

		assert_rsc(a, RSC_CREATED);
		assert_value(a, "m2m:sub.nct", cases[i].nct);
		rig_free(g);
	}
}

static void needs_the_privilege_to_retrieve(void **state)
{
	struct rig *g = scene();

	(void)state;
	rig_ae(g, "Cother", "other", "");
	assert_rsc(rig_create(g, "Cother", "cse-in/own/c", TY_SUBSCRIPTION, "{'m2m:sub':{'nu':['Cother']}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	instance(g, "x");
	assert_rsc(rig_create(g, "Cown", "cse-in/own/c/la", TY_SUBSCRIPTION, "{'m2m:sub':{'nu':['Cown']}}"), RSC_OPERATION_NOT_ALLOWED);
	assert_rsc(rig_create(g, "Cown", rig_ri(g, "cse-in/own/c/la"), TY_SUBSCRIPTION, "{'m2m:sub':{'nu':['Cown']}}"), RSC_TARGET_NOT_SUBSCRIBABLE);
	rig_free(g);
}

/* ---- verification ---- */

static void asks_every_target_but_the_originator(void **state)
{
	struct rig *g = scene();
	const struct answer *a;

	(void)state;
	rig_ae(g, "Cother", "other", "'poa':['http://other']");
	a = subscribe_at(g, "cse-in/own/c", "'nu':['" SINK "/x','Cown','cse-in/own','/id-in/Cother','" SINK "/x'],'cr':null");
	assert_rsc(a, RSC_CREATED);
	assert_int_equal(g->sent_count, 2);
	assert_int_equal(rig_count_sent(g, "http://own"), 0);
	assert_json(last(g, SINK), "m2m:sgn.vrq", "true");
	assert_json(last(g, SINK), "m2m:sgn.cr", "'Cown'");
	assert_json(last(g, SINK), "m2m:sgn.sur", rig_fmt(g, "'/id-in/%s'", rig_ri(g, "cse-in/own/c/s")));
	assert_string_equal(rig_last_sent(g, SINK)->to, "");
	assert_value(a, "m2m:sub.cr", "'Cown'");
	rig_free(g);
}

static void a_target_that_refuses_prevents_the_subscription(void **state)
{
	static const enum onem2m_rsc answers[] = {RSC_TARGET_NOT_REACHABLE, RSC_SUBSCRIPTION_CREATOR_HAS_NO_PRIVILEGE, RSC_SUBSCRIPTION_HOST_HAS_NO_PRIVILEGE,
		RSC_INTERNAL_SERVER_ERROR};
	struct rig *g = scene();

	(void)state;
	rig_ae(g, "Cmute", "mute", "");
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		rig_network(g, SINK, answers[i]);
		assert_rsc(subscribe_at(g, "cse-in/own/c", "'nu':['Cown','" SINK "']"), RSC_SUBSCRIPTION_VERIFICATION_INITIATION_FAILED);
		assert_rsc(rig_retrieve(g, "Cown", "cse-in/own/c/s"), RSC_NOT_FOUND);
	}
	assert_rsc(subscribe_at(g, "cse-in/own/c", "'nu':['Cmute']"), RSC_SUBSCRIPTION_VERIFICATION_INITIATION_FAILED);
	assert_rsc(subscribe_at(g, "cse-in/own/c", "'nu':['Cnobody']"), RSC_SUBSCRIPTION_VERIFICATION_INITIATION_FAILED);
	rig_free(g);
}

static void an_update_asks_new_targets_alone(void **state)
{
	struct rig *g = scene();

	(void)state;
	subscribe(g, "'nu':['" SINK "/1']");
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c/s", "{'m2m:sub':{'nu':['" SINK "/1','" SINK "/2']}}"), RSC_UPDATED);
	assert_int_equal(g->sent_count, 1);
	assert_string_equal(g->sent[0].url, SINK "/2");
	rig_network(g, SINK "/3", RSC_TARGET_NOT_REACHABLE);
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c/s", "{'m2m:sub':{'nu':['" SINK "/3']}}"), RSC_SUBSCRIPTION_VERIFICATION_INITIATION_FAILED);
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c/s", "{'m2m:sub':{'enc':{'chty':[2]}}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c/s", "{'m2m:sub':{'nct':4}}"), RSC_BAD_REQUEST);
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/c/s"), "m2m:sub.nu", "['" SINK "/1','" SINK "/2']");
	rig_free(g);
}

/* ---- events ---- */

static void do_nothing(struct rig *g)
{
	assert_rsc(rig_retrieve(g, "Cown", "cse-in/own/c"), RSC_OK);
}
static void do_update(struct rig *g)
{
	touch(g, "new");
}
static void do_update_mni(struct rig *g)
{
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c", "{'m2m:cnt':{'mni':9}}"), RSC_UPDATED);
}
static void do_failing_update(struct rig *g)
{
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c", "{'m2m:cnt':{'mni':-9}}"), RSC_BAD_REQUEST);
}
static void do_delete(struct rig *g)
{
	assert_rsc(rig_delete(g, "Cown", "cse-in/own/c"), RSC_DELETED);
}
static void do_delete_above(struct rig *g)
{
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/own"), RSC_DELETED);
}
static void do_instance(struct rig *g)
{
	instance(g, "hello");
}
static void do_child(struct rig *g)
{
	assert_rsc(rig_create(g, "Cown", "cse-in/own/c", TY_CONTAINER, "{'m2m:cnt':{'rn':'inner'}}"), RSC_CREATED);
}
static void do_remove_instance(struct rig *g)
{
	assert_rsc(rig_delete(g, "Cown", "cse-in/own/c/first"), RSC_DELETED);
}
static void do_quota(struct rig *g)
{
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c", "{'m2m:cnt':{'mni':1}}"), RSC_UPDATED);
	instance(g, "second");
}
static void do_retrieve_latest(struct rig *g)
{
	assert_rsc(rig_retrieve(g, "Cown", "cse-in/own/c/la"), RSC_OK);
}
static void do_retrieve_nothing(struct rig *g)
{
	assert_rsc(rig_delete(g, "Cown", "cse-in/own/c/first"), RSC_DELETED);
	assert_rsc(rig_retrieve(g, "Cown", "cse-in/own/c/la"), RSC_NOT_FOUND);
}
static void do_refused_retrieve(struct rig *g)
{
	assert_rsc(rig_retrieve(g, "Cother", "cse-in/own/c"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
}
static void do_discover(struct rig *g)
{
	assert_rsc(rig_retrieve(g, "Cown", "cse-in/own/c?fu=1"), RSC_OK);
}

static void tells_the_events_that_are_asked_for(void **state)
{
	static const struct {
		const char *enc;
		void (*act)(struct rig *g);
		size_t count;
		const char *path, *value; /* of the last notification */
	} cases[] = {
		{"{'net':[1]}", do_nothing, 0, NULL, NULL},
		{"{'net':[1]}", do_update, 1, "m2m:sgn.nev.rep.m2m:cnt.lbl", "['new']"},
		{"{'net':[1]}", do_update, 1, "m2m:sgn.nev.net", "1"},
		{"{'net':[1]}", do_failing_update, 0, NULL, NULL},
		{"{'net':[1]}", do_instance, 0, NULL, NULL},
		{"{'net':[1],'atr':['lbl']}", do_update, 1, "m2m:sgn.nev.rep.m2m:cnt.rn", "'c'"},
		{"{'net':[1],'atr':['mni']}", do_update, 0, NULL, NULL},
		{"{'net':[1],'atr':['mbs','mni']}", do_update_mni, 1, NULL, NULL},
		{"{'net':[2]}", do_update, 0, NULL, NULL},
		{"{'net':[2]}", do_delete, 1, "m2m:sgn.nev.rep.m2m:cnt.rn", "'c'"},
		{"{'net':[2]}", do_delete_above, 1, "m2m:sgn.nev.net", "2"},
		{"{'net':[3]}", do_instance, 1, "m2m:sgn.nev.rep.m2m:cin.con", "'hello'"},
		{"{'net':[3]}", do_child, 1, "m2m:sgn.nev.rep.m2m:cnt.rn", "'inner'"},
		{"{'net':[3],'chty':[3]}", do_instance, 0, NULL, NULL},
		{"{'net':[3],'chty':[3]}", do_child, 1, "m2m:sgn.nev.net", "3"},
		{"{'net':[4]}", do_remove_instance, 1, "m2m:sgn.nev.rep.m2m:cin.rn", "'first'"},
		{"{'net':[4]}", do_quota, 0, NULL, NULL},
		{"{'net':[5]}", do_retrieve_latest, 0, NULL, NULL},
		{"{'net':[5]}", do_retrieve_nothing, 1, "m2m:sgn.nev.net", "5"},
		{"{'om':[{'ops':2}]}", do_nothing, 1, "m2m:sgn.nev.om", "{'op':2,'or':'Cown'}"},
		{"{'om':[{'ops':2,'org':'Cown'}]}", do_nothing, 1, "m2m:sgn.nev.om", "{'op':2,'ops':2,'org':'Cown'}"},
		{"{'om':[{'ops':2,'or':'Cother'}]}", do_nothing, 0, NULL, NULL},
		{"{'om':[{'ops':2,'or':'/id-in/Cother'}]}", do_refused_retrieve, 1, "m2m:sgn.nev.om.or", "'Cother'"},
		{"{'om':[{'ops':4}]}", do_nothing, 0, NULL, NULL},
		{"{'om':[{'ops':3}]}", do_update, 0, NULL, NULL},
		{"{'om':[{'ops':1,'org':'Cown'},{'ops':3,'org':'Cown'}]}", do_update, 1, "m2m:sgn.nev.om", "{'op':3,'ops':3,'org':'Cown'}"},
		{"{'om':[{'ops':4,'org':'Cown'}]}", do_update, 1, "m2m:sgn.nev.om", "{'op':3,'ops':4,'org':'Cown'}"},
		{"{'om':[{'ops':4}]}", do_update, 1, "m2m:sgn.nev.om.op", "3"},
		{"{'om':[{'ops':4}]}", do_failing_update, 1, "m2m:sgn.nev.net", NULL},
		{"{'om':[{'ops':1},{'ops':8}]}", do_instance, 1, "m2m:sgn.nev.om.op", "1"},
		{"{'om':[{'ops':32}]}", do_nothing, 0, NULL, NULL},
		{"{'om':[{'ops':32}]}", do_discover, 1, "m2m:sgn.nev.om.op", "2"},
		{"{'om':[{'ops':63}]}", do_discover, 1, NULL, NULL},
		/* conditions and how they are joined */
		{"{'net':[3],'sza':4}", do_instance, 1, NULL, NULL},
		{"{'net':[3],'sza':6}", do_instance, 0, NULL, NULL},
		{"{'net':[3],'szb':6}", do_instance, 1, NULL, NULL},
		{"{'net':[3],'szb':5}", do_instance, 0, NULL, NULL},
		{"{'net':[3],'crb':'20260101T000000'}", do_instance, 0, NULL, NULL},
		{"{'net':[3],'cra':'20260101T000000'}", do_instance, 1, NULL, NULL},
		{"{'net':[1],'ms':'20260101T000000'}", do_update, 1, NULL, NULL},
		{"{'net':[1],'us':'20260101T000000'}", do_update, 0, NULL, NULL},
		{"{'net':[1],'exb':'20260101T000000'}", do_update, 0, NULL, NULL},
		{"{'net':[1],'exa':'20260101T000000'}", do_update, 1, NULL, NULL},
		{"{'net':[1],'stb':1}", do_update, 1, NULL, NULL},
		{"{'net':[1],'stb':2}", do_update, 0, NULL, NULL},
		{"{'net':[1],'sts':3}", do_update, 1, NULL, NULL},
		{"{'net':[1],'sts':2}", do_update, 0, NULL, NULL},
		{"{'net':[1],'stb':2,'sts':3}", do_update, 0, NULL, NULL},
		{"{'net':[1],'stb':2,'sts':3,'fo':2}", do_update, 1, NULL, NULL},
		{"{'net':[1],'stb':2,'atr':['lbl'],'fo':2}", do_update, 1, NULL, NULL},
		{"{'net':[1],'stb':2,'atr':['lbl']}", do_update, 0, NULL, NULL},
		{"{'net':[1],'stb':1,'atr':['lbl'],'fo':3}", do_update, 0, NULL, NULL},
		{"{'net':[1],'stb':2,'atr':['lbl'],'fo':3}", do_update, 1, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig *g = scene();

		rig_ae(g, "Cother", "other", "");
		assert_rsc(rig_create(g, "Cown", "cse-in/own/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'rn':'first','con':'1'}}"), RSC_CREATED);
		subscribe(g, rig_fmt(g, "'nu':['" SINK "'],'enc':%s", cases[i].enc));
		cases[i].act(g);
		if (rig_count_sent(g, SINK) != cases[i].count)
			print_error("case %zu: %s\n", i, cases[i].enc);
		assert_int_equal(rig_count_sent(g, SINK), cases[i].count);
		if (cases[i].path)
			assert_json(last(g, SINK), cases[i].path, cases[i].value);
		rig_free(g);
	}
}

static void shows_what_the_content_type_says(void **state)
{
	struct rig *g = scene();

	(void)state;
	subscribe(g, "'nu':['" SINK "'],'nct':2");
	touch(g, "x");
	assert_json(last(g, SINK), "m2m:sgn.nev.rep.m2m:cnt.lbl", "['x']");
	assert_json(last(g, SINK), "m2m:sgn.nev.rep.m2m:cnt.ri", NULL);
	assert_json(last(g, SINK), "m2m:sgn.nev.rep.m2m:cnt.cni", NULL);
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c", "{'m2m:cnt':{'lbl':null}}"), RSC_UPDATED);
	assert_json(last(g, SINK), "m2m:sgn.nev.rep.m2m:cnt.lbl", "null");
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c/s", "{'m2m:sub':{'enc':{'net':[3]},'nct':3}}"), RSC_UPDATED);
	instance(g, "y");
	assert_json(last(g, SINK), "m2m:sgn.nev.rep", rig_fmt(g, "{'m2m:uri':'/id-in/%s'}", rig_ri(g, "cse-in/own/c/la")));
	rig_free(g);
}

static void forwards_missing_data_to_the_one_that_it_is_for(void **state)
{
	struct rig *g = scene();
	struct resource *ts;
	const char *tsn;

	(void)state;
	assert_rsc(subscribe_at(g, "cse-in/own/t", "'nu':['" SINK "'],'enc':{'net':[8],'md':{'num':2,'dur':'PT9S'}}"), RSC_CREATED);
	rig_forget_sent(g);
	ts = cse_find_address(g->cse, rd_str("cse-in/own/t"));
	tsn = rig_json(g, "{'mdlt':['20270115T080000'],'mdc':1}");
	cse_event(g->cse, &(const struct event){.kind = EVENT_MISSING_DATA, .subject = ts, .shown = ts, .raw = rd_str(tsn), .subscription = 999999});
	rig_settle(g);
	assert_int_equal(g->sent_count, 0);
	cse_event(g->cse, &(const struct event){.kind = EVENT_MISSING_DATA, .subject = ts, .shown = ts, .raw = rd_str(tsn)});
	rig_settle(g);
	assert_json(last(g, SINK), "m2m:sgn.nev.rep.m2m:tsn.mdc", "1");
	assert_json(last(g, SINK), "m2m:sgn.nev.net", "8");
	resource_unref(ts);
	rig_free(g);
}

static void names_creator_forwarder_and_originator(void **state)
{
	struct rig *g = scene();

	(void)state;
	assert_rsc(rig_create(g, "/id-mn", "cse-in", TY_REMOTE_CSE,
	               "{'m2m:csr':{'rn':'mn','csi':'/id-mn','cb':'/id-mn/cse-mn','rr':true,'poa':['http://mn'],'srv':['4']}}"),
	    RSC_CREATED);
	subscribe(g, "'nu':['" SINK "','/id-mn/Cfar'],'cr':null,'nfu':'http://on','nec':100");
	touch(g, "x");
	assert_json(last(g, "http://mn"), "m2m:sgn.cr", "'/id-in/Cown'");
	assert_json(last(g, SINK), "m2m:sgn.cr", "'Cown'");
	assert_json(last(g, SINK), "m2m:sgn.nfu", "'http://on'");
	assert_memory_equal(rig_last_sent(g, SINK)->rq.ec.at, "100", 3);
	assert_rsc(rig_delete(g, "Cown", "cse-in/own/c/s"), RSC_DELETED);
	subscribe(g, "'nu':['" SINK "'],'eeno':true");
	assert_rsc(rig_update(g, "CAdmin", "cse-in/own/c", "{'m2m:cnt':{'lbl':['y']}}"), RSC_UPDATED);
	assert_json(last(g, SINK), "m2m:sgn.cr", "'CAdmin'");
	rig_free(g);
}

/* ---- the end ---- */

static void tells_the_subscriber_of_the_end(void **state)
{
	struct rig *g = scene();

	(void)state;
	subscribe(g, "'nu':['" SINK "/n'],'su':'" SINK "/s'");
	assert_rsc(rig_delete(g, "Cown", "cse-in/own/c/s"), RSC_DELETED);
	assert_int_equal(g->sent_count, 1);
	assert_json(last(g, SINK "/s"), "m2m:sgn.sud", "true");
	/* to nobody when nobody asked for it */
	subscribe(g, "'nu':['" SINK "/n']");
	assert_rsc(rig_delete(g, "Cown", "cse-in/own/c/s"), RSC_DELETED);
	assert_int_equal(g->sent_count, 0);
	/* behind what was told before, where it is one target */
	subscribe(g, "'nu':['" SINK "'],'su':'" SINK "','enc':{'net':[2]}");
	assert_rsc(rig_delete(g, "Cown", "cse-in/own/c"), RSC_DELETED);
	assert_int_equal(g->sent_count, 2);
	assert_json(g->sent[0].doc, "m2m:sgn.nev.net", "2");
	assert_json(g->sent[1].doc, "m2m:sgn.sud", "true");
	rig_free(g);
}

static void counts_down_and_goes(void **state)
{
	struct rig *g = scene();

	(void)state;
	subscribe(g, "'nu':['" SINK "/1','" SINK "/2'],'su':'" SINK "/1','exc':2");
	touch(g, "a");
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/c/s"), "m2m:sub.exc", "1");
	touch(g, "b");
	assert_rsc(rig_retrieve(g, "Cown", "cse-in/own/c/s"), RSC_NOT_FOUND);
	assert_int_equal(rig_count_sent(g, SINK "/1"), 3);
	assert_int_equal(rig_count_sent(g, SINK "/2"), 2);
	assert_json(last(g, SINK "/1"), "m2m:sgn.sud", "true");
	touch(g, "c");
	assert_int_equal(g->sent_count, 5);
	rig_free(g);
}

static void two_events_of_one_round_do_not_overdraw_the_counter(void **state)
{
	struct rig *g = scene();
	struct resource *r;

	(void)state;
	subscribe(g, "'nu':['" SINK "'],'exc':1");
	r = cse_find_address(g->cse, rd_str("cse-in/own/c"));
	for (int i = 0; i < 3; i++)
		cse_event(g->cse, &(const struct event){.kind = EVENT_UPDATE, .subject = r, .shown = r});
	resource_unref(r);
	rig_settle(g);
	assert_int_equal(rig_count_sent(g, SINK), 1);
	assert_rsc(rig_retrieve(g, "Cown", "cse-in/own/c/s"), RSC_NOT_FOUND);
	rig_free(g);
}

static void tells_of_the_past(void **state)
{
	struct rig *g = scene();

	(void)state;
	for (int i = 0; i < 5; i++)
		instance(g, rig_fmt(g, "%d", i));
	assert_rsc(subscribe_at(g, "cse-in/own/c", "'nu':['" SINK "'],'enc':{'net':[3]},'psn':3"), RSC_CREATED);
	assert_int_equal(rig_count_sent(g, SINK), 4); /* the verification, and three */
	for (size_t i = 1; i < 4; i++)
		assert_json(g->sent[i].doc, "m2m:sgn.nev.rep.m2m:cin.con", rig_fmt(g, "'%zu'", i + 1));
	rig_free(g);
}

/* ---- where notifications go ---- */

static void goes_to_the_next_point_of_access(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	rig_ae(g, "Cown", "own", "'poa':['http://dead','http://alive']");
	rig_network(g, "http://dead", RSC_TARGET_NOT_REACHABLE);
	assert_rsc(rig_create(g, "Cown", "cse-in/own", TY_CONTAINER, "{'m2m:cnt':{'rn':'c'}}"), RSC_CREATED);
	subscribe(g, "'nu':['Cown']");
	touch(g, "x");
	assert_int_equal(rig_count_sent(g, "http://dead"), 1);
	assert_int_equal(rig_count_sent(g, "http://alive"), 1);
	rig_advance(g, 60000);
	assert_int_equal(g->sent_count, 2);
	rig_free(g);
}

static void a_group_as_target_means_its_members(void **state)
{
	struct rig *g = scene();

	(void)state;
	rig_ae(g, "Ca", "a", "'poa':['http://a']");
	rig_ae(g, "Cb", "b", "'poa':['http://b']");
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_GROUP, "{'m2m:grp':{'rn':'g','mt':2,'mnm':5,'mid':['Ca','Cb']}}"), RSC_CREATED);
	subscribe(g, "'nu':['cse-in/g']");
	touch(g, "x");
	assert_json(last(g, "http://a"), "m2m:sgn.nev.net", "1");
	assert_json(last(g, "http://b"), "m2m:sgn.nev.net", "1");
	rig_free(g);
}

static void keeps_the_order_while_a_target_is_slow(void **state)
{
	struct rig *g = scene();

	(void)state;
	subscribe(g, "'nu':['" SINK "'],'enc':{'net':[3]}");
	rig_hold(g, SINK);
	for (int i = 0; i < 4; i++)
		instance(g, rig_fmt(g, "%d", i));
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(g->sent_count, i + 1);
		assert_json(g->sent[i].doc, "m2m:sgn.nev.rep.m2m:cin.con", rig_fmt(g, "'%zu'", i));
		rig_reply(g, i, RSC_OK, "");
	}
	rig_free(g);
}

static void by_the_customs_the_content_type_is_a_criterion(void **state)
{
	struct rig *g = scene();
	const struct answer *a;

	(void)state;
	assert_rsc(subscribe_at(g, "cse-in/own/c", "'nu':['" SINK "'],'enc':{'net':[1],'nct':2}"), RSC_BAD_REQUEST);
	g->config.customs = true;
	rig_restart(g);
	a = subscribe_at(g, "cse-in/own/c", "'nu':['" SINK "'],'enc':{'net':[1],'nct':2}");
	assert_rsc(a, RSC_CREATED);
	assert_value(a, "m2m:sub.nct", "2");
	assert_value(a, "m2m:sub.enc", "{'net':[1]}");
	assert_value(rig_update(g, "Cown", "cse-in/own/c/s", "{'m2m:sub':{'enc':{'net':[1],'nct':1}}}"), "m2m:sub.nct", "1");
	assert_rsc(rig_delete(g, "Cown", "cse-in/own/c/s"), RSC_DELETED);
	assert_value(subscribe_at(g, "cse-in/own/c", "'nu':['" SINK "'],'nct':1,'enc':{'net':[1],'nct':2}"), "m2m:sub.nct", "1");
	rig_free(g);
}

static void by_the_customs_coordinates_have_a_point(void **state)
{
	struct rig *g = scene();

	(void)state;
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c", "{'m2m:cnt':{'loc':{'typ':1,'crd':'[8, 49]'}}}"), RSC_UPDATED);
	g->config.customs = true;
	rig_restart(g);
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c", "{'m2m:cnt':{'loc':{'typ':1,'crd':'[8, 49]'}}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c", "{'m2m:cnt':{'loc':{'typ':2,'crd':'[[8.0, 49.0], [8.5, 49]]'}}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c", "{'m2m:cnt':{'loc':{'typ':1,'crd':'[8.0, 49.0]'}}}"), RSC_UPDATED);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_what_is_asked_for),
		cmocka_unit_test(content_type_is_the_events_default),
		cmocka_unit_test(needs_the_privilege_to_retrieve),
		cmocka_unit_test(asks_every_target_but_the_originator),
		cmocka_unit_test(a_target_that_refuses_prevents_the_subscription),
		cmocka_unit_test(an_update_asks_new_targets_alone),
		cmocka_unit_test(tells_the_events_that_are_asked_for),
		cmocka_unit_test(shows_what_the_content_type_says),
		cmocka_unit_test(forwards_missing_data_to_the_one_that_it_is_for),
		cmocka_unit_test(names_creator_forwarder_and_originator),
		cmocka_unit_test(tells_the_subscriber_of_the_end),
		cmocka_unit_test(counts_down_and_goes),
		cmocka_unit_test(two_events_of_one_round_do_not_overdraw_the_counter),
		cmocka_unit_test(tells_of_the_past),
		cmocka_unit_test(goes_to_the_next_point_of_access),
		cmocka_unit_test(a_group_as_target_means_its_members),
		cmocka_unit_test(keeps_the_order_while_a_target_is_slow),
		cmocka_unit_test(by_the_customs_the_content_type_is_a_criterion),
		cmocka_unit_test(by_the_customs_coordinates_have_a_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
