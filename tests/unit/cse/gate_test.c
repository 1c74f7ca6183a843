/* While a commit is under way on another thread: what passes, what waits, and what a failure takes with it. The other thread is the test, which
 * says when it works. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

#include "store/sqlite/private.h"

static struct aside {
	struct rig *rig;
	void (*work)(void *ctx);
	void (*done)(void *ctx);
	void *ctx;
	bool worked;
	unsigned waits;
} aside;

static void aside_run(void *worker, void (*work)(void *ctx), void (*done)(void *ctx), void *ctx)
{
	(void)worker;
	assert_null(aside.work);
	aside.work = work;
	aside.done = done;
	aside.ctx = ctx;
	aside.worked = false;
}

static void aside_work(void)
{
	if (aside.work && !aside.worked)
		aside.work(aside.ctx);
	aside.worked = true;
}

static void aside_wait(void *worker)
{
	(void)worker;
	aside.waits++;
	aside_work();
}

/* The commit ends, and the loop hears of it. */
static void aside_finish(void *worker)
{
	(void)worker;
	assert_non_null(aside.work);
	aside_work();
	aside.work = NULL;
	aside.done(aside.ctx);
}

static bool aside_finished(void *worker)
{
	(void)worker;
	return aside.work && aside.worked;
}

static void aside_next_round(void *worker, void (*fn)(void *ctx), void *ctx)
{
	(void)worker;
	aside.rig->cse->transport.defer(aside.rig, fn, ctx);
}

static void end_commit(struct rig *g)
{
	aside_finish(NULL);
	rig_settle(g);
}

/* A CSE with an AE "Cae" and its container "c". */
static struct rig *rig_with_container(const char *more)
{
	static const struct cse_worker w = {aside_run, aside_wait, aside_finished, aside_finish, aside_next_round, NULL};
	struct rig *g = rig_new();

	memset(&aside, 0, sizeof aside);
	aside.rig = g;
	rig_ae(g, "Cae", "ae", "");
	assert_rsc(rig_create(g, "Cae", "cse-in/ae", TY_CONTAINER, rig_fmt(g, "{'m2m:cnt':{'rn':'c'%s}}", more)), RSC_CREATED);
	cse_use_worker(g->cse, &w);
	return g;
}

static const struct answer *instance(struct rig *g, const char *con)
{
	return rig_create(g, "Cae", "cse-in/ae/c", TY_CONTENT_INSTANCE, rig_fmt(g, "{'m2m:cin':{'con':'%s'}}", con));
}

static unsigned held_of(const struct rig *g)
{
	return (unsigned)g->cse->held_count;
}

static void plain_instances_pass(void **state)
{
	struct rig *g = rig_with_container("");
	const struct answer *first = instance(g, "1"), *second, *third;

	(void)state;
	assert_non_null(aside.work);
	second = instance(g, "2");
	third = instance(g, "3");
	assert_int_equal(held_of(g), 0);
	assert_int_equal(aside.waits, 0);
	assert_false(first->come);
	end_commit(g);
	assert_rsc(first, RSC_CREATED);
	assert_false(second->come); /* their own commit is under way */
	assert_false(third->come);
	end_commit(g);
	assert_rsc(second, RSC_CREATED);
	assert_rsc(third, RSC_CREATED);
	assert_value(second, "m2m:cin.st", "2");
	assert_null(aside.work);
	assert_value(rig_retrieve(g, "Cae", "cse-in/ae/c"), "m2m:cnt.cni", "3");
	assert_value(rig_retrieve(g, "Cae", "cse-in/ae/c/ol"), "m2m:cin.con", "'1'");
	assert_value(rig_retrieve(g, "Cae", "cse-in/ae/c/la"), "m2m:cin.con", "'3'");
	rig_restart(g);
	assert_value(rig_retrieve(g, "Cae", "cse-in/ae/c"), "m2m:cnt.cni", "3");
	rig_free(g);
}

/* Asked while a commit is under way, it is not done before its end, and right then. */
static void waits(struct rig *g, enum onem2m_operation op, const char *to, int ty, const char *content, enum onem2m_rsc rsc)
{
	const struct answer *first = instance(g, "first"), *a;

	assert_non_null(aside.work);
	a = rig_ask(g, (struct onem2m_request){.operation = op, .to = rd_str(to), .type = ty, .from = rd_str("Cae"), .content = rd_str(rig_json(g, content)), .rcn = ONEM2M_RCN_ABSENT});
	if (held_of(g) != 1)
		fail_msg("%s %s did not wait", to, content);
	assert_false(a->come);
	end_commit(g);
	assert_rsc(first, RSC_CREATED);
	while (aside.work)
		end_commit(g);
	assert_rsc(a, rsc);
	assert_int_equal(held_of(g), 0);
}

static void everything_else_waits(void **state)
{
	struct rig *g = rig_with_container("");

	(void)state;
	waits(g, ONEM2M_RETRIEVE, "cse-in/ae/c/la", 0, "", RSC_OK);
	waits(g, ONEM2M_UPDATE, "cse-in/ae/c", 0, "{'m2m:cnt':{'lbl':['x']}}", RSC_UPDATED);
	waits(g, ONEM2M_CREATE, "cse-in/ae/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'a','lbl':['y']}}", RSC_CREATED);
	waits(g, ONEM2M_CREATE, "cse-in/ae/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'a','rn':'named'}}", RSC_CREATED);
	waits(g, ONEM2M_CREATE, "cse-in/ae/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'a','rn':'named'}}", RSC_CONFLICT);
	waits(g, ONEM2M_CREATE, "cse-in/ae/nowhere", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'a'}}", RSC_NOT_FOUND);
	waits(g, ONEM2M_CREATE, "cse-in/ae/c/la", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'a'}}", RSC_OPERATION_NOT_ALLOWED);
	waits(g, ONEM2M_CREATE, "cse-in/ae/c", TY_CONTAINER, "{'m2m:cnt':{'rn':'below'}}", RSC_CREATED);
	waits(g, ONEM2M_DELETE, "cse-in/ae/c/below", 0, "", RSC_DELETED);
	rig_free(g);
}

static void full_containers_wait(void **state)
{
	struct rig *g = rig_with_container(",'mni':2");

	(void)state;
	for (int i = 0; i < 2; i++) {
		instance(g, "x");
		end_commit(g);
	}
	waits(g, ONEM2M_CREATE, "cse-in/ae/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'a'}}", RSC_CREATED);
	assert_value(rig_retrieve(g, "Cae", "cse-in/ae/c"), "m2m:cnt.cni", "2");
	rig_free(g);
}

/* Whoever is notified hears of nothing that is not on disk. */
static void watched_containers_wait(void **state)
{
	struct rig *g = rig_with_container("");
	const struct answer *first, *second;

	(void)state;
	rig_create(g, "Cae", "cse-in/ae/c", TY_SUBSCRIPTION, "{'m2m:sub':{'nu':['http://there'],'enc':{'net':[3]},'nct':1}}");
	while (aside.work)
		end_commit(g);
	rig_forget_sent(g);
	first = instance(g, "1");
	second = instance(g, "2");
	assert_int_equal(held_of(g), 1);
	assert_int_equal(rig_count_sent(g, "http://there"), 0);
	end_commit(g);
	assert_rsc(first, RSC_CREATED);
	assert_int_equal(rig_count_sent(g, "http://there"), 1);
	end_commit(g);
	assert_rsc(second, RSC_CREATED);
	assert_int_equal(rig_count_sent(g, "http://there"), 2);
	rig_free(g);
}

/* A subscription with two notifications for http://there, the first of them on its way, and a commit under way that brings a third. `nu` leads there. */
static const struct answer *busy_target(struct rig *g, const char *nu, const char *policy)
{
	const struct answer *last;

	rig_create(g, "Cae", "cse-in/ae/c", TY_SUBSCRIPTION, rig_fmt(g, "{'m2m:sub':{'rn':'s','nu':['%s'],'enc':{'net':[3]},'nct':1%s}}", nu, policy));
	while (aside.work)
		end_commit(g);
	rig_forget_sent(g);
	rig_hold(g, "http://there");
	for (int i = 0; i < 2; i++) {
		instance(g, "x");
		end_commit(g);
	}
	assert_int_equal(rig_count_sent(g, "http://there"), 1);
	last = instance(g, "last");
	assert_non_null(aside.work);
	return last;
}

/* A target that keeps up is not held up by commits; and it hears of nothing that is not on disk. */
static void follow_each_other(struct rig *g, const char *nu)
{
	const struct answer *last = busy_target(g, nu, "");

	rig_reply(g, 0, RSC_OK, "");
	assert_int_equal(rig_count_sent(g, "http://there"), 2);
	assert_int_equal(aside.waits, 0);
	assert_false(aside.worked);
	rig_reply(g, 1, RSC_OK, "");
	assert_int_equal(rig_count_sent(g, "http://there"), 2);
	end_commit(g);
	assert_rsc(last, RSC_CREATED);
	assert_int_equal(rig_count_sent(g, "http://there"), 3);
	assert_json(rig_last_sent(g, "http://there")->doc, "m2m:sgn.nev.rep.m2m:cin.con", "'last'");
	rig_reply(g, 2, RSC_OK, "");
	assert_null(aside.work); /* nothing of all this was a reason for another commit */
	rig_free(g);
}

static void notifications_follow_each_other_during_a_commit(void **state)
{
	(void)state;
	follow_each_other(rig_with_container(""), "http://there");
}

static void those_to_an_ae_with_a_point_of_access_too(void **state)
{
	struct rig *g = rig_with_container("");

	(void)state;
	rig_update(g, "Cae", "cse-in/ae", "{'m2m:ae':{'poa':['http://there'],'rr':true}}");
	end_commit(g);
	follow_each_other(g, "cse-in/ae");
}

/* Whose answer is fetched by the AE itself, or is of a part of this process, waits: nobody knows what comes of it. */
static void those_to_other_aes_wait(void **state)
{
	struct rig *g = rig_with_container("");

	(void)state;
	rig_update(g, "Cae", "cse-in/ae", "{'m2m:ae':{'poa':['http://there'],'rr':true}}");
	end_commit(g);
	busy_target(g, "cse-in/ae", "");
	rig_update(g, "Cae", "cse-in/ae", "{'m2m:ae':{'rr':false}}");
	assert_int_equal(held_of(g), 1);
	while (aside.work)
		end_commit(g);
	instance(g, "another");
	assert_non_null(aside.work);
	rig_reply(g, 0, RSC_OK, "");
	assert_int_equal(held_of(g), 1); /* the next one */
	assert_int_equal(rig_count_sent(g, "http://there"), 1);
	while (aside.work)
		end_commit(g);
	rig_free(g);
}

static void answer_waits(const char *policy, enum onem2m_rsc rsc, size_t sent_then)
{
	struct rig *g = rig_with_container("");
	const struct answer *last = busy_target(g, "http://there", policy);

	rig_reply(g, 0, rsc, "");
	assert_non_null(g->cse->held);
	assert_int_equal(held_of(g), 0); /* it is nobody who asks for a commit */
	assert_int_equal(rig_count_sent(g, "http://there"), 1);
	end_commit(g);
	assert_rsc(last, RSC_CREATED);
	assert_null(g->cse->held);
	while (aside.work)
		end_commit(g);
	assert_int_equal(rig_count_sent(g, "http://there"), sent_then);
	for (size_t i = 1; i < g->sent_count; i++)
		rig_reply(g, i, RSC_OK, "");
	while (aside.work)
		end_commit(g);
	rig_free(g);
}

/* What was kept is forgotten in the store, and what failed is kept there from then on. */
static void answers_of_which_the_store_hears_wait(void **state)
{
	(void)state;
	answer_waits(",'pn':2", RSC_OK, 2);
	answer_waits("", RSC_TARGET_NOT_REACHABLE, 1);
}

/* What is not in the cache is looked up: the store waits until the database is its own again. */
static void the_store_waits_for_its_database(void **state)
{
	struct rig *g = rig_with_container("");
	const struct answer *first, *second;

	(void)state;
	first = instance(g, "1");
	tree_forget(g->cse->tree); /* as if others had taken all the room */
	second = instance(g, "2");
	assert_true(aside.waits > 0);
	assert_true(aside.worked);
	assert_false(first->come);
	assert_false(second->come);
	end_commit(g);
	assert_rsc(first, RSC_CREATED);
	end_commit(g);
	assert_rsc(second, RSC_CREATED);
	assert_value(rig_retrieve(g, "Cae", "cse-in/ae/c"), "m2m:cnt.cni", "2");
	rig_free(g);
}

static void set_room(struct rig *g, bool some)
{
	char sql[64];
	int64_t pages;

	assert_int_equal(query_number(g->store, "PRAGMA page_count", &pages), OK);
	snprintf(sql, sizeof sql, "PRAGMA max_page_count=%lld", some ? 1000000LL : (long long)pages);
	assert_int_equal(query_exec(g->store, sql), OK);
	g->store->tight = false; /* it would look at the disk of its file, and has none */
}

/* A commit that finds no room takes those with it that passed meanwhile: their counters stand on it. Nobody is told what is not so. */
static void a_failure_takes_those_with_it_that_passed(bool joined)
{
	struct rig *g = rig_with_container("");
	static char con[20001];
	const struct answer *first, *second, *third;

	memset(con, 'x', sizeof con - 1);
	instance(g, "0");
	end_commit(g);
	set_room(g, false);
	first = instance(g, con);
	second = instance(g, "2");
	if (joined)
		tree_forget(g->cse->tree);
	third = instance(g, "3");
	assert_int_equal(aside.waits > 0, joined);
	end_commit(g);
	assert_null(aside.work);
	assert_rsc(first, RSC_INTERNAL_SERVER_ERROR);
	assert_rsc(second, RSC_INTERNAL_SERVER_ERROR);
	assert_rsc(third, RSC_INTERNAL_SERVER_ERROR);
	set_room(g, true);
	first = instance(g, con);
	end_commit(g);
	assert_rsc(first, RSC_CREATED);
	assert_value(first, "m2m:cin.st", "2");
	assert_value(rig_retrieve(g, "Cae", "cse-in/ae/c"), "m2m:cnt.cni", "2");
	rig_restart(g);
	assert_value(rig_retrieve(g, "Cae", "cse-in/ae/c"), "m2m:cnt.cni", "2");
	assert_value(rig_retrieve(g, "Cae", "cse-in/ae/c/ol"), "m2m:cin.con", "'0'");
	rig_free(g);
}

static void a_failure_is_everybodys(void **state)
{
	(void)state;
	a_failure_takes_those_with_it_that_passed(false);
}

static void a_failure_that_is_met_early_too(void **state)
{
	(void)state;
	a_failure_takes_those_with_it_that_passed(true);
}

/* A commit under way, and behind it so many that wait that the next one begins as soon as it ends, with some that wait still. */
#define WAITING 4
static const struct answer *crowd(struct rig *g, const struct answer *waiting[WAITING])
{
	const struct answer *first = instance(g, "first");

	for (unsigned i = 0; i < WAITING; i++)
		waiting[i] = rig_ask(g, (struct onem2m_request){.operation = ONEM2M_UPDATE, .to = rd_str("cse-in/ae/c"), .from = rd_str("Cae"), .rcn = ONEM2M_RCN_ABSENT,
		    .content = rd_str(rig_json(g, rig_fmt(g, "{'m2m:cnt':{'lbl':['%u']}}", i)))});
	assert_int_equal(held_of(g), WAITING);
	return first;
}

static void commits_now_whatever_is_under_way(void **state)
{
	struct rig *g = rig_with_container("");
	const struct answer *waiting[WAITING], *first = crowd(g, waiting);

	(void)state;
	cse_commit_now(g->cse);
	assert_null(aside.work);
	assert_false(store_dirty(g->store));
	assert_rsc(first, RSC_CREATED);
	for (unsigned i = 0; i < WAITING; i++) {
		assert_rsc(waiting[i], RSC_UPDATED);
		assert_int_equal(waiting[i]->times, 1);
	}
	rig_free(g);
}

/* A round may be long: the end of the commit is heard of between two of its requests, and the next begins there. */
static void hears_of_the_end_between_requests(void **state)
{
	struct rig *g = rig_with_container("");
	const struct answer *first = instance(g, "1"), *second = instance(g, "2");

	(void)state;
	cse_between_requests(g->cse);
	assert_non_null(aside.work);
	assert_false(first->come);
	aside_work();
	assert_false(first->come);
	cse_between_requests(g->cse);
	assert_rsc(first, RSC_CREATED);
	assert_false(second->come);
	rig_settle(g);
	end_commit(g);
	assert_rsc(second, RSC_CREATED);
	rig_free(g);
}

static void ends_with_no_commit_under_way(void **state)
{
	struct rig *g = rig_with_container("");
	const struct answer *waiting[WAITING];

	(void)state;
	crowd(g, waiting);
	rig_free(g);
	assert_null(aside.work); /* it would have the CSE, which is gone */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_instances_pass),
		cmocka_unit_test(everything_else_waits),
		cmocka_unit_test(full_containers_wait),
		cmocka_unit_test(watched_containers_wait),
		cmocka_unit_test(notifications_follow_each_other_during_a_commit),
		cmocka_unit_test(those_to_an_ae_with_a_point_of_access_too),
		cmocka_unit_test(those_to_other_aes_wait),
		cmocka_unit_test(answers_of_which_the_store_hears_wait),
		cmocka_unit_test(the_store_waits_for_its_database),
		cmocka_unit_test(a_failure_is_everybodys),
		cmocka_unit_test(a_failure_that_is_met_early_too),
		cmocka_unit_test(commits_now_whatever_is_under_way),
		cmocka_unit_test(hears_of_the_end_between_requests),
		cmocka_unit_test(ends_with_no_commit_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
