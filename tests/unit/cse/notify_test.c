/* How notifications are delivered: batches, rates, schedules, what waits for a target that is away, and what survives a crash. */
#include "harness.h"

#include <string.h>

#include "cse/notify/outbox.h"

#define SINK "http://sink"

static struct rig *scene(const char *members)
{
	struct rig *g = rig_new();

	rig_ae(g, "Cown", "own", "'poa':['http://own']");
	assert_rsc(rig_create(g, "Cown", "cse-in/own", TY_CONTAINER, "{'m2m:cnt':{'rn':'c'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "Cown", "cse-in/own/c", TY_SUBSCRIPTION, rig_fmt(g, "{'m2m:sub':{'rn':'s','nu':['" SINK "']%s%s}}", members[0] ? "," : "", members)),
	    RSC_CREATED);
	rig_forget_sent(g);
	return g;
}

static void touch(struct rig *g, const char *label)
{
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c", rig_fmt(g, "{'m2m:cnt':{'lbl':['%s']}}", label)), RSC_UPDATED);
}

static void change(struct rig *g, const char *members)
{
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c/s", rig_fmt(g, "{'m2m:sub':{%s}}", members)), RSC_UPDATED);
}

/* The labels of what was sent from `from` on, one after the other, batches resolved: "ab[cd]". */
static const char *told(struct rig *g, size_t from)
{
	const char *text = "";

	for (size_t i = from; i < g->sent_count; i++) {
		const struct json *batch = json_path(g->sent[i].doc, "m2m:agn.m2m:sgn");
		const struct json *one = batch ? batch->first : json_get(g->sent[i].doc, "m2m:sgn");

		text = rig_fmt(g, "%s%s", text, batch ? "[" : "");
		for (; one; one = batch ? one->next : NULL) {
			struct rd label = rd_str("!");

			if (!json_string(json_at(json_path(one, "nev.rep.m2m:cnt.lbl"), 0), &label) && json_get(one, "sud"))
				label = rd_str("$");
			text = rig_fmt(g, "%s%.*s", text, (int)label.left, (const char *)label.at);
		}
		text = rig_fmt(g, "%s%s", text, batch ? "]" : "");
	}
	return text;
}

struct kept {
	size_t count;
};
static bool count_value(void *ctx, const struct store_row *row)
{
	(void)row;
	((struct kept *)ctx)->count++;
	return true;
}
static size_t in_store(struct rig *g)
{
	struct kept k = {0};

	assert_int_equal(store_values(g->store, "notify/", count_value, &k), OK);
	return k.count;
}

/* ---- batches ---- */

static void sends_a_batch_when_it_is_full(void **state)
{
	struct rig *g = scene("'bn':{'num':3}");

	(void)state;
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/c/s"), "m2m:sub.bn", "{'num':3,'dur':'PT60S'}");
	for (const char *label = "abcdefg"; *label; label++)
		touch(g, rig_fmt(g, "%c", *label));
	assert_string_equal(told(g, 0), "[abc][def]");
	rig_advance(g, 59000);
	assert_string_equal(told(g, 0), "[abc][def]");
	rig_advance(g, 2000);
	assert_string_equal(told(g, 0), "[abc][def][g]");
	rig_free(g);
}

static void sends_a_batch_when_its_time_is_over(void **state)
{
	struct rig *g = scene("'bn':{'dur':'PT2S'}");

	(void)state;
	touch(g, "a");
	rig_advance(g, 1000);
	touch(g, "b");
	assert_int_equal(g->sent_count, 0);
	rig_advance(g, 1001);
	assert_string_equal(told(g, 0), "[ab]");
	rig_advance(g, 5000);
	touch(g, "c");
	rig_advance(g, 1900);
	assert_int_equal(g->sent_count, 1);
	rig_advance(g, 200);
	assert_string_equal(told(g, 0), "[ab][c]");
	rig_free(g);
}

static void the_latest_stands_for_the_batch(void **state)
{
	struct rig *g = scene("'bn':{'num':3,'dur':'PT1H'},'ln':true");

	(void)state;
	for (const char *label = "abc"; *label; label++)
		touch(g, rig_fmt(g, "%c", *label));
	assert_string_equal(told(g, 0), "[c]");
	assert_memory_equal(g->sent[0].rq.ec.at, "4", 1);
	rig_free(g);
}

static void what_is_left_of_a_batch_goes_when_the_subscription_does(void **state)
{
	struct rig *g = scene("'bn':{'num':3},'su':'" SINK "'");

	(void)state;
	touch(g, "a");
	touch(g, "b");
	assert_rsc(rig_delete(g, "Cown", "cse-in/own/c/s"), RSC_DELETED);
	assert_string_equal(told(g, 0), "[ab]$");
	assert_int_equal(in_store(g), 0);
	rig_free(g);
}

static void a_batch_that_is_abolished_goes_at_once(void **state)
{
	struct rig *g = scene("'bn':{'num':30}");

	(void)state;
	touch(g, "a");
	touch(g, "b");
	change(g, "'bn':null");
	assert_string_equal(told(g, 0), "ab");
	rig_free(g);
}

/* ---- rate ---- */

static void holds_what_exceeds_the_rate_until_the_next_window(void **state)
{
	struct rig *g = scene("'rl':{'mnn':2,'tww':'PT10S'}");

	(void)state;
	for (const char *label = "abcde"; *label; label++)
		touch(g, rig_fmt(g, "%c", *label));
	assert_string_equal(told(g, 0), "ab");
	rig_advance(g, 9900);
	assert_string_equal(told(g, 0), "ab");
	rig_advance(g, 200);
	assert_string_equal(told(g, 0), "abcd");
	rig_advance(g, 10000);
	assert_string_equal(told(g, 0), "abcde");
	rig_advance(g, 60000);
	touch(g, "f");
	touch(g, "g");
	assert_string_equal(told(g, 0), "abcdefg");
	rig_free(g);
}

/* ---- schedule: RIG_START is 08:00:00 ---- */

static void schedule(struct rig *g, const char *entry)
{
	assert_rsc(rig_create(g, "Cown", "cse-in/own/c/s", TY_SCHEDULE, rig_fmt(g, "{'m2m:sch':{'se':{'sce':['%s']}}}", entry)), RSC_CREATED);
	assert_rsc(rig_retrieve(g, "Cown", "cse-in/own/c/s/notificationSchedule"), RSC_OK);
}

static void is_silent_outside_of_the_schedule(void **state)
{
	static const struct {
		const char *members, *at_once, *later;
	} cases[] = {
		{"", "", "c"},
		{"'pn':1", "", "bc"},
		{"'pn':2", "", "abc"},
		{"'nec':2", "ab", "abc"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig *g = scene(cases[i].members);

		schedule(g, "* 5-9 * * * * *");
		touch(g, "a");
		touch(g, "b");
		assert_string_equal(told(g, 0), cases[i].at_once);
		rig_advance(g, 5 * 60000 + 1000);
		touch(g, "c");
		assert_string_equal(told(g, 0), cases[i].later);
		rig_free(g);
	}
}

static void a_changed_schedule_counts(void **state)
{
	struct rig *g = scene("'pn':2");

	(void)state;
	schedule(g, "* * * * * * 2020");
	touch(g, "a");
	rig_advance(g, 600000);
	assert_int_equal(g->sent_count, 0);
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c/s/notificationSchedule", "{'m2m:sch':{'se':{'sce':['* * * * * * *']}}}"), RSC_UPDATED);
	rig_advance(g, 61000);
	assert_string_equal(told(g, 0), "a");
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c/s/notificationSchedule", "{'m2m:sch':{'se':{'sce':['* * * * * * 2020']}}}"), RSC_UPDATED);
	touch(g, "b");
	assert_rsc(rig_delete(g, "Cown", "cse-in/own/c/s/notificationSchedule"), RSC_DELETED);
	touch(g, "c");
	assert_string_equal(told(g, 0), "abc");
	rig_free(g);
}

static void a_schedule_below_a_subscription_has_one_name(void **state)
{
	struct rig *g = scene("");

	(void)state;
	assert_rsc(rig_create(g, "Cown", "cse-in/own/c/s", TY_SCHEDULE, "{'m2m:sch':{'rn':'other','se':{'sce':['* * * * * * *']}}}"), RSC_BAD_REQUEST);
	schedule(g, "* * * * * * *");
	assert_int_not_equal(rig_create(g, "Cown", "cse-in/own/c/s", TY_SCHEDULE, "{'m2m:sch':{'se':{'sce':['* * * * * * *']}}}")->rsc, RSC_CREATED);
	rig_free(g);
}

/* ---- targets that are away ---- */

static void tries_again_and_keeps_the_order(void **state)
{
	struct rig *g = scene("");

	(void)state;
	rig_network(g, SINK, RSC_TARGET_NOT_REACHABLE);
	touch(g, "a");
	touch(g, "b");
	rig_advance(g, 20000);
	rig_network(g, SINK, RSC_OK);
	rig_advance(g, 40000);
	assert_string_equal(told(g, g->sent_count - 2), "ab");
	assert_int_equal(in_store(g), 0);
	rig_free(g);
}

/* A target has one at a time; others have theirs meanwhile, also of the same subscription. */
static void a_slow_target_holds_up_no_other(void **state)
{
	struct rig *g = scene("");

	(void)state;
	change(g, rig_fmt(g, "'nu':['%s','http://quick']", SINK));
	rig_forget_sent(g);
	rig_hold(g, SINK);
	for (const char *label = "abc"; *label; label++)
		touch(g, rig_fmt(g, "%c", *label));
	assert_int_equal(rig_count_sent(g, SINK), 1);
	assert_int_equal(rig_count_sent(g, "http://quick"), 3);
	rig_network(g, SINK, RSC_OK);
	rig_advance(g, 1000);
	assert_int_equal(rig_count_sent(g, SINK), 3);
	rig_free(g);
}

static void gives_up_some_time_unless_pending_ones_are_wanted(void **state)
{
	static const struct {
		const char *members, *told;
	} cases[] = {{"", ""}, {"'pn':1", "c"}, {"'pn':2", "abc"}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig *g = scene(cases[i].members);
		size_t before;

		rig_network(g, SINK, RSC_TARGET_NOT_REACHABLE);
		for (const char *label = "abc"; *label; label++)
			touch(g, rig_fmt(g, "%c", *label));
		rig_advance(g, 3ULL * 3600 * 1000);
		rig_network(g, SINK, RSC_OK);
		before = g->sent_count;
		rig_advance(g, 60000);
		assert_string_equal(told(g, before), cases[i].told);
		assert_int_equal(in_store(g), 0);
		rig_free(g);
	}
}

static void an_answer_that_refuses_is_an_answer(void **state)
{
	struct rig *g = scene("'pn':2");

	(void)state;
	rig_network(g, SINK, RSC_BAD_REQUEST);
	touch(g, "a");
	rig_advance(g, 60000);
	assert_string_equal(told(g, 0), "a");
	assert_int_equal(in_store(g), 0);
	rig_free(g);
}

static void forgets_what_waits_for_a_target_that_is_taken_out(void **state)
{
	struct rig *g = scene("'pn':2");
	size_t before;

	(void)state;
	rig_network(g, SINK, RSC_TARGET_NOT_REACHABLE);
	touch(g, "a");
	touch(g, "b");
	change(g, "'nu':['Cown']");
	before = g->sent_count;
	rig_advance(g, 600000);
	assert_true(g->sent_count <= before + 1); /* the one that was on its way */
	assert_int_equal(in_store(g), 0);
	rig_free(g);
}

/* ---- crashes ---- */

static void what_waits_survives_a_crash(void **state)
{
	static const struct {
		const char *members, *schedule;
		bool away;
	} cases[] = {
		{"'pn':2", NULL, true},                          /* unreachable */
		{"", NULL, true},
		{"'pn':2", "* 30-59 * * * * *", false},          /* outside of its schedule */
		{"'bn':{'num':30,'dur':'PT30M'}", NULL, false},  /* in a batch */
		{"'rl':{'mnn':0,'tww':'PT30M'}", NULL, false},   /* beyond the rate */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig *g = scene(cases[i].members);

		if (cases[i].schedule)
			schedule(g, cases[i].schedule);
		if (cases[i].away)
			rig_network(g, SINK, RSC_TARGET_NOT_REACHABLE);
		for (const char *label = "abc"; *label; label++)
			touch(g, rig_fmt(g, "%c", *label));
		assert_int_equal(in_store(g), 3);
		rig_restart(g);
		assert_int_equal(outbox_waiting(g->cse, rig_ri(g, "cse-in/own/c/s"), SINK), 3);
		rig_network(g, SINK, RSC_OK);
		g->sent_count = 0;
		rig_advance(g, 1800000);
		if (i < 4)
			assert_string_equal(told(g, 0), i == 3 ? "[abc]" : "abc");
		change(g, "'rl':null");
		assert_string_equal(told(g, 0), i == 3 ? "[abc]" : "abc");
		assert_int_equal(in_store(g), 0);
		rig_free(g);
	}
}

static void a_target_that_answers_costs_the_store_nothing(void **state)
{
	struct rig *g = scene("");

	(void)state;
	rig_hold(g, SINK);
	for (const char *label = "abc"; *label; label++)
		touch(g, rig_fmt(g, "%c", *label));
	assert_int_equal(in_store(g), 0);
	rig_network(g, SINK, RSC_OK);
	rig_advance(g, 1000);
	assert_string_equal(told(g, 0), "abc");
	rig_free(g);
}

static void what_is_kept_goes_with_its_subscription(void **state)
{
	struct rig *g = scene("'pn':2");

	(void)state;
	rig_network(g, SINK, RSC_TARGET_NOT_REACHABLE);
	touch(g, "a");
	touch(g, "b");
	assert_int_equal(in_store(g), 2);
	assert_rsc(rig_delete(g, "Cown", "cse-in/own/c/s"), RSC_DELETED);
	assert_int_equal(in_store(g), 0);
	rig_advance(g, 600000);
	assert_int_equal(outbox_waiting(g->cse, "sub_x", SINK), 0);
	rig_free(g);
}

/* ---- what a store that fails undoes was not told ---- */

static void what_is_undone_is_not_told(void **state)
{
	struct rig *g = scene("");
	struct resource *r = cse_find_address(g->cse, rd_str("cse-in/own/c"));

	(void)state;
	cse_event(g->cse, &(const struct event){.kind = EVENT_UPDATE, .subject = r, .shown = r});
	resource_unref(r);
	assert_int_equal(store_value_set(g->store, "some", rd_str("write")), OK);
	g->cse->round_broken = true;
	cse_commit_later(g->cse);
	rig_settle(g);
	assert_int_equal(g->sent_count, 0);
	touch(g, "a");
	assert_string_equal(told(g, 0), "a");
	rig_free(g);
}

/* ---- statistics ---- */

static void counts_for_each_target(void **state)
{
	struct rig *g = scene("'nse':true");
	const struct answer *a;

	(void)state;
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/c/s"), "m2m:sub.nsi", NULL);
	touch(g, "a");
	touch(g, "b");
	rig_network(g, SINK, RSC_TARGET_NOT_REACHABLE);
	touch(g, "c");
	a = rig_retrieve(g, "Cown", "cse-in/own/c/s");
	assert_value(a, "m2m:sub.nsi", "[{'tg':'" SINK "','rqs':3,'rsr':2,'noec':3}]");
	rig_network(g, SINK, RSC_OK);
	rig_advance(g, 30000);
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/c/s"), "m2m:sub.nsi", "[{'tg':'" SINK "','rqs':4,'rsr':3,'noec':3}]");
	rig_restart(g);
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/c/s"), "m2m:sub.nsi", "[{'tg':'" SINK "','rqs':4,'rsr':3,'noec':3}]");
	/* off: the figures stay; on again, they begin anew; taken away, so are they */
	change(g, "'nse':false");
	touch(g, "d");
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/c/s"), "m2m:sub.nsi", "[{'tg':'" SINK "','rqs':4,'rsr':3,'noec':3}]");
	change(g, "'nse':true");
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/c/s"), "m2m:sub.nsi", NULL);
	touch(g, "e");
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/c/s"), "m2m:sub.nsi", "[{'tg':'" SINK "','rqs':1,'rsr':1,'noec':1}]");
	change(g, "'nse':null");
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/c/s"), "m2m:sub.nsi", NULL);
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c/s", "{'m2m:sub':{'nsi':null}}"), RSC_BAD_REQUEST);
	rig_free(g);
}

static void each_of_a_batch_counts(void **state)
{
	struct rig *g = scene("'nse':true,'bn':{'num':3}");

	(void)state;
	for (const char *label = "abcd"; *label; label++)
		touch(g, rig_fmt(g, "%c", *label));
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/c/s"), "m2m:sub.nsi", "[{'tg':'" SINK "','rqs':3,'rsr':3,'noec':4}]");
	rig_free(g);
}

/* ---- blocking updates ---- */

static void blocking(struct rig *g, const char *enc)
{
	assert_rsc(rig_delete(g, "Cown", "cse-in/own/c/s"), RSC_DELETED);
	assert_rsc(rig_create(g, "Cown", "cse-in/own/c", TY_SUBSCRIPTION, rig_fmt(g, "{'m2m:sub':{'rn':'s','nu':['Cown'],'enc':%s}}", enc)), RSC_CREATED);
	rig_hold(g, "http://own");
	rig_forget_sent(g);
}

static const struct answer *label(struct rig *g, const char *text)
{
	return rig_update(g, "CAdmin", "cse-in/own/c", rig_fmt(g, "{'m2m:cnt':{'lbl':['%s']}}", text));
}

static void an_update_waits_for_the_target(void **state)
{
	struct rig *g = scene("");
	const struct answer *a;

	(void)state;
	blocking(g, "{'net':[7]}");
	a = label(g, "new");
	assert_false(a->come);
	assert_int_equal(g->sent_count, 1);
	assert_json(g->sent[0].doc, "m2m:sgn.nev", "{'net':7,'rep':{'m2m:cnt':{'lbl':['new']}}}");
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/c"), "m2m:cnt.lbl", NULL);
	rig_reply(g, 0, RSC_OK, "");
	assert_rsc(a, RSC_UPDATED);
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/c"), "m2m:cnt.lbl", "['new']");
	rig_free(g);
}

static void a_target_may_deny_an_update(void **state)
{
	static const struct {
		enum onem2m_rsc answer, rsc;
	} cases[] = {
		{RSC_ORIGINATOR_HAS_NO_PRIVILEGE, RSC_OPERATION_DENIED_BY_REMOTE_ENTITY},
		{RSC_OPERATION_NOT_ALLOWED, RSC_OPERATION_DENIED_BY_REMOTE_ENTITY},
		{RSC_BAD_REQUEST, RSC_OPERATION_DENIED_BY_REMOTE_ENTITY},
		{RSC_TARGET_NOT_REACHABLE, RSC_REMOTE_ENTITY_NOT_REACHABLE},
	};
	struct rig *g = scene("");

	(void)state;
	blocking(g, "{'net':[7]}");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct answer *a = label(g, "new");

		rig_reply(g, i, cases[i].answer, "");
		assert_rsc(a, cases[i].rsc);
	}
	assert_value(rig_retrieve(g, "Cown", "cse-in/own/c"), "m2m:cnt.lbl", NULL);
	rig_free(g);
}

static void only_what_touches_the_attributes_waits(void **state)
{
	struct rig *g = scene("");

	(void)state;
	blocking(g, "{'net':[7],'atr':['mni']}");
	assert_rsc(label(g, "x"), RSC_UPDATED);
	assert_false(rig_update(g, "CAdmin", "cse-in/own/c", "{'m2m:cnt':{'mni':3}}")->come);
	rig_reply(g, 0, RSC_OK, "");
	rig_free(g);
}

static void other_updates_wait_their_turn(void **state)
{
	struct rig *g = scene("");
	const struct answer *a, *b, *c;

	(void)state;
	blocking(g, "{'net':[7]}");
	a = label(g, "a");
	b = label(g, "b");
	c = label(g, "c");
	assert_int_equal(g->sent_count, 1);
	rig_reply(g, 0, RSC_OK, "");
	assert_rsc(a, RSC_UPDATED);
	assert_false(b->come);
	assert_int_equal(g->sent_count, 2);
	rig_reply(g, 1, RSC_BAD_REQUEST, "");
	assert_rsc(b, RSC_OPERATION_DENIED_BY_REMOTE_ENTITY);
	rig_reply(g, 2, RSC_OK, "");
	assert_rsc(c, RSC_UPDATED);
	assert_value(c, "m2m:cnt.lbl", "['c']");
	rig_free(g);
}

static void a_resource_that_goes_meanwhile_is_not_updated(void **state)
{
	struct rig *g = scene("");
	const struct answer *a, *b;

	(void)state;
	blocking(g, "{'net':[7]}");
	a = label(g, "a");
	b = label(g, "b");
	assert_rsc(rig_delete(g, "Cown", "cse-in/own/c"), RSC_DELETED);
	rig_reply(g, 0, RSC_OK, "");
	assert_true(a->come && a->rsc >= 4000);
	assert_rsc(b, RSC_NOT_FOUND);
	rig_free(g);
}

static void there_is_one_that_blocks(void **state)
{
	struct rig *g = scene("");

	(void)state;
	blocking(g, "{'net':[7]}");
	assert_rsc(rig_create(g, "Cown", "cse-in/own/c", TY_SUBSCRIPTION, "{'m2m:sub':{'nu':['Cown'],'enc':{'net':[7]}}}"), RSC_BLOCKING_SUBSCRIPTION_ALREADY_EXISTS);
	assert_rsc(rig_update(g, "Cown", "cse-in/own/c/s", "{'m2m:sub':{'enc':{'net':[7],'atr':['lbl']}}}"), RSC_BAD_REQUEST);
	rig_free(g);
}

/* Ended in the midst of everything: nothing leaks, every answer comes once at most. */
static void ends_with_requests_on_their_way(void **state)
{
	struct rig *g = scene("'bn':{'num':9},'nse':true");

	(void)state;
	touch(g, "a");
	assert_rsc(rig_create(g, "Cown", "cse-in/own/c", TY_SUBSCRIPTION, "{'m2m:sub':{'rn':'b','nu':['Cown'],'enc':{'net':[7]}}}"), RSC_CREATED);
	rig_hold(g, "http://own");
	label(g, "b");
	label(g, "c");
	rig_hold(g, SINK);
	rig_create(g, "Cown", "cse-in/own", TY_SUBSCRIPTION, "{'m2m:sub':{'nu':['" SINK "']}}");
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_a_batch_when_it_is_full),
		cmocka_unit_test(sends_a_batch_when_its_time_is_over),
		cmocka_unit_test(the_latest_stands_for_the_batch),
		cmocka_unit_test(what_is_left_of_a_batch_goes_when_the_subscription_does),
		cmocka_unit_test(a_batch_that_is_abolished_goes_at_once),
		cmocka_unit_test(holds_what_exceeds_the_rate_until_the_next_window),
		cmocka_unit_test(is_silent_outside_of_the_schedule),
		cmocka_unit_test(a_changed_schedule_counts),
		cmocka_unit_test(a_schedule_below_a_subscription_has_one_name),
		cmocka_unit_test(tries_again_and_keeps_the_order),
		cmocka_unit_test(a_slow_target_holds_up_no_other),
		cmocka_unit_test(gives_up_some_time_unless_pending_ones_are_wanted),
		cmocka_unit_test(an_answer_that_refuses_is_an_answer),
		cmocka_unit_test(forgets_what_waits_for_a_target_that_is_taken_out),
		cmocka_unit_test(what_waits_survives_a_crash),
		cmocka_unit_test(a_target_that_answers_costs_the_store_nothing),
		cmocka_unit_test(what_is_kept_goes_with_its_subscription),
		cmocka_unit_test(what_is_undone_is_not_told),
		cmocka_unit_test(counts_for_each_target),
		cmocka_unit_test(each_of_a_batch_counts),
		cmocka_unit_test(an_update_waits_for_the_target),
		cmocka_unit_test(a_target_may_deny_an_update),
		cmocka_unit_test(only_what_touches_the_attributes_waits),
		cmocka_unit_test(other_updates_wait_their_turn),
		cmocka_unit_test(a_resource_that_goes_meanwhile_is_not_updated),
		cmocka_unit_test(there_is_one_that_blocks),
		cmocka_unit_test(ends_with_requests_on_their_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
