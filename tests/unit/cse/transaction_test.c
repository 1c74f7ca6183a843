/* Transactions: TS-0001 clauses 9.6.47 and 9.6.48, TS-0004 clauses 7.4.60 and 7.4.61. */
#include <stdio.h>
#include <string.h>

#include "harness.h"

static struct rig *rig_with_containers(void)
{
	struct rig *g = rig_new();

	rig_ae(g, "CAe", "ae", "");
	rig_ae(g, "COther", "other", "");
	for (const char *name = "ab"; *name; name++)
		assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_CONTAINER, rig_fmt(g, "{'m2m:cnt':{'rn':'%c','lbl':['old']}}", *name)), RSC_CREATED);
	return g;
}

static const char *update(struct rig *g, const char *to, const char *content)
{
	return rig_fmt(g, "{'op':3,'to':'%s','rqi':'r','pc':{'m2m:cnt':{%s}}}", to, content);
}

static const struct answer *manage(struct rig *g, const char *more, const char *requests)
{
	return rig_create(g, "CAe", "cse-in/ae", TY_TRANSACTION_MGMT, rig_fmt(g, "{'m2m:tram':{'rn':'t'%s,'rqps':[%s]}}", more, requests));
}

static void assert_label(struct rig *g, const char *to, const char *label)
{
	assert_value(rig_retrieve(g, "CAdmin", to), "m2m:cnt.lbl", rig_fmt(g, "['%s']", label));
}

#define STATE(g) rig_retrieve(g, "CAe", "cse-in/ae/t")
#define assert_state(g, s) assert_value(STATE(g), "m2m:tram.trst", #s)

/* ---- transactionMgmt at one CSE ---- */

static void does_all_of_it(void **state)
{
	struct rig *g = rig_with_containers();
	const struct answer *a;

	(void)state;
	a = manage(g, ",'tmh':2", rig_fmt(g, "%s,{'op':1,'ty':3,'to':'cse-in/ae/a','rqi':'c','pc':{'m2m:cnt':{'rn':'new'}}},{'op':4,'to':'cse-in/ae/b','rqi':'d'}", update(g, "cse-in/ae/a", "'lbl':['new']")));
	assert_rsc(a, RSC_CREATED);
	rig_settle(g);
	a = STATE(g);
	assert_value(a, "m2m:tram.trst", "4");
	assert_json(json_at(json_path(a->doc, "m2m:tram.rsps"), 0), "rsc", "2004");
	assert_json(json_at(json_path(a->doc, "m2m:tram.rsps"), 1), "rsc", "2001");
	assert_json(json_at(json_path(a->doc, "m2m:tram.rsps"), 2), "rsc", "2002");
	assert_json(json_at(json_path(a->doc, "m2m:tram.rsps"), 2), "rqi", "'d'");
	assert_label(g, "cse-in/ae/a", "new");
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/a/new"), RSC_OK);
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/b"), RSC_NOT_FOUND);
	/* and the locks are gone */
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/a", "{'m2m:cnt':{'lbl':['free']}}"), RSC_UPDATED);
	rig_free(g);
}

static void or_nothing(void **state)
{
	struct rig *g = rig_with_containers();

	(void)state;
	assert_rsc(manage(g, ",'tmh':2", rig_fmt(g, "%s,%s,%s", update(g, "cse-in/ae/a", "'lbl':['new']"), "{'op':4,'to':'cse-in/ae/b','rqi':'d'}", update(g, "cse-in/ae/b", "'lbl':['late']"))), RSC_CREATED);
	rig_settle(g);
	assert_state(g, 5);
	assert_label(g, "cse-in/ae/a", "old");
	assert_label(g, "cse-in/ae/b", "old");
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/a", "{'m2m:cnt':{'lbl':['free']}}"), RSC_UPDATED);
	rig_free(g);
}

static void nobody_hears_of_what_was_undone(void **state)
{
	struct rig *g = rig_with_containers();

	(void)state;
	assert_rsc(rig_update(g, "CAe", "cse-in/ae", "{'m2m:ae':{'poa':['http://ae']}}"), RSC_UPDATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/a", TY_SUBSCRIPTION, "{'m2m:sub':{'rn':'sub','nu':['cse-in/ae'],'enc':{'net':[1]}}}"), RSC_CREATED);
	rig_settle(g);
	rig_forget_sent(g);
	assert_rsc(manage(g, ",'tmh':2", rig_fmt(g, "%s,%s", update(g, "cse-in/ae/a", "'lbl':['new']"), update(g, "cse-in/ae/b", "'mni':-1"))), RSC_CREATED);
	rig_settle(g);
	assert_state(g, 5);
	assert_int_equal(rig_count_sent(g, "http://ae"), 0);
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae/t"), RSC_DELETED);
	assert_rsc(manage(g, ",'tmh':2", update(g, "cse-in/ae/a", "'lbl':['new']")), RSC_CREATED);
	rig_settle(g);
	assert_state(g, 4);
	assert_int_equal(rig_count_sent(g, "http://ae"), 1);
	rig_free(g);
}

static void goes_when_it_is_done(void **state)
{
	struct rig *g = rig_with_containers();

	(void)state;
	assert_rsc(manage(g, "", update(g, "cse-in/ae/a", "'lbl':['new']")), RSC_CREATED);
	rig_settle(g);
	assert_rsc(STATE(g), RSC_NOT_FOUND);
	assert_label(g, "cse-in/ae/a", "new");
	rig_free(g);
}

static void has_the_privileges_of_its_creator(void **state)
{
	struct rig *g = rig_with_containers();

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_CONTAINER, "{'m2m:cnt':{'rn':'admins','lbl':['old']}}"), RSC_CREATED);
	assert_rsc(manage(g, ",'tmh':2", update(g, "cse-in/admins", "'lbl':['new']")), RSC_CREATED);
	rig_settle(g);
	assert_state(g, 5);
	assert_label(g, "cse-in/admins", "old");
	assert_rsc(manage(g, ",'tmh':2", "{'op':3,'to':'cse-in/admins','fr':'CAdmin','rqi':'r','pc':{'m2m:cnt':{'lbl':['new']}}}"), RSC_CONFLICT);
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae/t"), RSC_DELETED);
	assert_rsc(manage(g, ",'tmh':2", "{'op':3,'to':'cse-in/admins','fr':'CAdmin','rqi':'r','pc':{'m2m:cnt':{'lbl':['new']}}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void refuses_what_cannot_be_undone(void **state)
{
	struct rig *g = rig_with_containers();
	static const char *const requests[] = {
		"{'op':1,'ty':23,'to':'cse-in/ae/a','rqi':'r','pc':{'m2m:sub':{'nu':['cse-in/other']}}}",
		"{'op':3,'to':'cse-in/ae','rqi':'r','pc':{'m2m:ae':{'lbl':['x']}}}",
		"{'op':3,'to':'cse-in/ae/a','rqi':'r','pc':{'m2m:cnt':{'at':['/id-mn']}}}",
		"{'op':4,'to':'cse-in/ae/a/la','rqi':'r'}",
		"{'op':2,'to':'/id-in/cse-in/none','rqi':'r'}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		assert_rsc(manage(g, ",'tmh':2", rig_json(g, requests[i])), RSC_CREATED);
		rig_settle(g);
		assert_state(g, 5);
		assert_rsc(rig_delete(g, "CAe", "cse-in/ae/t"), RSC_DELETED);
	}
	assert_rsc(manage(g, "", "{'op':5,'to':'cse-in/ae','rqi':'r'}"), RSC_BAD_REQUEST);
	assert_rsc(manage(g, "", "{'op':1,'to':'cse-in/ae','rqi':'r'}"), RSC_BAD_REQUEST);
	assert_rsc(manage(g, "", ""), RSC_BAD_REQUEST);
	rig_free(g);
}

static void control(struct rig *g, int what, enum onem2m_rsc rsc)
{
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/t", rig_fmt(g, "{'m2m:tram':{'tctl':%d}}", what)), rsc);
	rig_settle(g);
}

static void locks_while_its_creator_decides(void **state)
{
	struct rig *g = rig_with_containers();

	(void)state;
	assert_rsc(manage(g, ",'tmd':2,'tmh':2", update(g, "cse-in/ae/a", "'lbl':['new']")), RSC_CREATED);
	assert_state(g, 1);
	control(g, 3, RSC_ILLEGAL_TRANSACTION_STATE_TRANSITION_ATTEMPTED);
	control(g, 2, RSC_UPDATED);
	assert_state(g, 2);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/ae/a", "{'m2m:cnt':{'lbl':['x']}}"), RSC_TRANSACTION_PROCESSING_IS_INCOMPLETE);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/a", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'x'}}"), RSC_TRANSACTION_PROCESSING_IS_INCOMPLETE);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/ae/a"), RSC_TRANSACTION_PROCESSING_IS_INCOMPLETE);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/ae"), RSC_TRANSACTION_PROCESSING_IS_INCOMPLETE);
	assert_rsc(rig_retrieve(g, "CAdmin", "cse-in/ae/a"), RSC_TRANSACTION_PROCESSING_IS_INCOMPLETE);
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/a"), RSC_OK);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/b", "{'m2m:cnt':{'lbl':['x']}}"), RSC_UPDATED);
	control(g, 3, RSC_UPDATED);
	assert_state(g, 3);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/a"), "m2m:cnt.lbl", "['old']");
	control(g, 4, RSC_UPDATED);
	assert_state(g, 4);
	assert_label(g, "cse-in/ae/a", "new");
	control(g, 5, RSC_ILLEGAL_TRANSACTION_STATE_TRANSITION_ATTEMPTED);
	rig_free(g);
}

static void aborts_at_any_time_before(void **state)
{
	static const int before[][3] = {{5}, {2, 5}, {2, 3, 5}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct rig *g = rig_with_containers();

		assert_rsc(manage(g, ",'tmd':2,'tmh':2", update(g, "cse-in/ae/a", "'lbl':['new']")), RSC_CREATED);
		for (size_t k = 0; k < 3 && before[i][k]; k++)
			control(g, before[i][k], RSC_UPDATED);
		assert_state(g, 6);
		assert_label(g, "cse-in/ae/a", "old");
		assert_rsc(rig_update(g, "CAe", "cse-in/ae/a", "{'m2m:cnt':{'lbl':['free']}}"), RSC_UPDATED);
		rig_free(g);
	}
}

static void ends_when_nobody_decides(void **state)
{
	struct rig *g = rig_with_containers();

	(void)state;
	assert_rsc(manage(g, ",'tmd':2,'tmh':2", update(g, "cse-in/ae/a", "'lbl':['new']")), RSC_CREATED);
	control(g, 2, RSC_UPDATED);
	control(g, 3, RSC_UPDATED);
	rig_advance(g, 59000);
	assert_state(g, 3);
	rig_advance(g, 2000);
	assert_state(g, 6);
	assert_label(g, "cse-in/ae/a", "old");
	rig_free(g);
}

static void keeps_its_times(void **state)
{
	struct rig *g = rig_with_containers();
	char times[256];

	(void)state;
	snprintf(times, sizeof times, ",'tmh':2,'tltm':'%s','text':'%s','tct':'%s'", rig_time(g, 5000), rig_time(g, 10000), rig_time(g, 15000));
	assert_rsc(manage(g, times, update(g, "cse-in/ae/a", "'lbl':['new']")), RSC_CREATED);
	rig_settle(g);
	assert_state(g, 1);
	rig_advance(g, 6000);
	assert_state(g, 2);
	rig_advance(g, 5000);
	assert_state(g, 3);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/a"), "m2m:cnt.lbl", "['old']");
	rig_advance(g, 5000);
	assert_state(g, 4);
	assert_label(g, "cse-in/ae/a", "new");
	rig_free(g);
}

static void tries_again_when_something_is_locked(void **state)
{
	struct rig *g = rig_with_containers();

	(void)state;
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/a", TY_TRANSACTION, rig_fmt(g, "{'m2m:trac':{'rn':'x','tid':'x','rqp':%s}}", update(g, "cse-in/ae/a", "'lbl':['first']"))), RSC_CREATED);
	assert_rsc(manage(g, ",'tmh':2,'tmr':5", update(g, "cse-in/ae/a", "'lbl':['second']")), RSC_CREATED);
	rig_settle(g);
	assert_state(g, 1);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/a/x", "{'m2m:trac':{'tctl':5}}"), RSC_UPDATED);
	rig_advance(g, 1500);
	assert_state(g, 4);
	assert_label(g, "cse-in/ae/a", "second");
	rig_free(g);
}

static void a_restart_aborts_what_was_not_decided(void **state)
{
	struct rig *g = rig_with_containers();

	(void)state;
	assert_rsc(manage(g, ",'tmd':2,'tmh':2", update(g, "cse-in/ae/a", "'lbl':['new']")), RSC_CREATED);
	control(g, 2, RSC_UPDATED);
	control(g, 3, RSC_UPDATED);
	rig_restart(g);
	rig_settle(g);
	assert_state(g, 6);
	assert_label(g, "cse-in/ae/a", "old");
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/a", "{'m2m:cnt':{'lbl':['free']}}"), RSC_UPDATED);
	rig_free(g);
}

/* ---- transaction ---- */

static const struct answer *transaction(struct rig *g, const char *more, const char *request)
{
	return rig_create(g, "CAe", "cse-in/ae/a", TY_TRANSACTION, rig_fmt(g, "{'m2m:trac':{'rn':'x','tid':'t1'%s,'rqp':%s}}", more, request));
}

static const struct answer *step(struct rig *g, int what)
{
	return rig_update(g, "CAe", "cse-in/ae/a/x", rig_fmt(g, "{'m2m:trac':{'tctl':%d}}", what));
}

static void locks_executes_and_commits(void **state)
{
	struct rig *g = rig_with_containers();
	const struct answer *a = transaction(g, "", update(g, "cse-in/ae/a", "'lbl':['new']"));

	(void)state;
	assert_rsc(a, RSC_CREATED);
	assert_value(a, "m2m:trac.trst", "2");
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/a", "{'m2m:cnt':{'lbl':['x']}}"), RSC_TRANSACTION_PROCESSING_IS_INCOMPLETE);
	assert_rsc(step(g, 4), RSC_ILLEGAL_TRANSACTION_STATE_TRANSITION_ATTEMPTED);
	a = step(g, 3);
	assert_rsc(a, RSC_UPDATED);
	assert_value(a, "m2m:trac.trst", "3");
	assert_value(a, "m2m:trac.rsp.rsc", "2004");
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/a"), "m2m:cnt.lbl", "['old']");
	a = step(g, 4);
	assert_rsc(a, RSC_UPDATED);
	assert_value(a, "m2m:trac.trst", "4");
	assert_label(g, "cse-in/ae/a", "new");
	assert_rsc(step(g, 5), RSC_ILLEGAL_TRANSACTION_STATE_TRANSITION_ATTEMPTED);
	rig_free(g);
}

static void an_execution_that_fails_is_an_error(void **state)
{
	struct rig *g = rig_with_containers();
	const struct answer *a;

	(void)state;
	assert_rsc(transaction(g, "", update(g, "cse-in/ae/a", "'mni':-1")), RSC_CREATED);
	a = step(g, 3);
	assert_value(a, "m2m:trac.trst", "5");
	assert_value(a, "m2m:trac.rsp.rsc", "4000");
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/a", "{'m2m:cnt':{'lbl':['free']}}"), RSC_UPDATED);
	rig_free(g);
}

static void only_one_locks(void **state)
{
	struct rig *g = rig_with_containers();

	(void)state;
	assert_rsc(transaction(g, "", update(g, "cse-in/ae/a", "'lbl':['new']")), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/a", TY_TRANSACTION, rig_fmt(g, "{'m2m:trac':{'rn':'y','tid':'t2','rqp':%s}}", update(g, "cse-in/ae/a", "'lbl':['x']"))),
	    RSC_TRANSACTION_PROCESSING_IS_INCOMPLETE);
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae/a/x"), RSC_TRANSACTION_PROCESSING_IS_INCOMPLETE);
	assert_rsc(step(g, 5), RSC_UPDATED);
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae/a/x"), RSC_DELETED);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/a", TY_TRANSACTION, rig_fmt(g, "{'m2m:trac':{'rn':'y','tid':'t2','rqp':%s}}", update(g, "cse-in/ae/a", "'lbl':['x']"))), RSC_CREATED);
	rig_free(g);
}

static void a_lock_ends_with_its_transaction(void **state)
{
	struct rig *g = rig_with_containers();

	(void)state;
	assert_rsc(transaction(g, "", update(g, "cse-in/ae/a", "'lbl':['new']")), RSC_CREATED);
	assert_value(step(g, 3), "m2m:trac.trst", "3");
	rig_advance(g, 61000);
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/a/x"), RSC_NOT_FOUND);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/a", "{'m2m:cnt':{'lbl':['free']}}"), RSC_UPDATED);
	rig_free(g);
}

static void others_may_retrieve_if_it_says_so(void **state)
{
	struct rig *g = rig_with_containers();

	(void)state;
	assert_rsc(transaction(g, ",'tltp':2", update(g, "cse-in/ae/a", "'lbl':['new']")), RSC_CREATED);
	assert_rsc(rig_retrieve(g, "CAdmin", "cse-in/ae/a"), RSC_OK);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/ae/a", "{'m2m:cnt':{'lbl':['x']}}"), RSC_TRANSACTION_PROCESSING_IS_INCOMPLETE);
	rig_free(g);
}

static void what_was_promised_survives_a_restart(void **state)
{
	struct rig *g = rig_with_containers();

	(void)state;
	assert_rsc(transaction(g, "", update(g, "cse-in/ae/a", "'lbl':['new']")), RSC_CREATED);
	assert_value(step(g, 3), "m2m:trac.trst", "3");
	rig_restart(g);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/a", "{'m2m:cnt':{'lbl':['x']}}"), RSC_TRANSACTION_PROCESSING_IS_INCOMPLETE);
	assert_value(step(g, 4), "m2m:trac.trst", "4");
	assert_label(g, "cse-in/ae/a", "new");
	rig_free(g);
}

static void what_was_only_locked_does_not(void **state)
{
	struct rig *g = rig_with_containers();

	(void)state;
	assert_rsc(transaction(g, "", update(g, "cse-in/ae/a", "'lbl':['new']")), RSC_CREATED);
	rig_restart(g);
	rig_settle(g);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/a/x"), "m2m:trac.trst", "6");
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/a", "{'m2m:cnt':{'lbl':['x']}}"), RSC_UPDATED);
	rig_free(g);
}

static void a_lock_does_not_hide_what_is_never_allowed(void **state)
{
	struct rig *g = rig_with_containers();

	(void)state;
	assert_rsc(transaction(g, "", update(g, "cse-in/ae/a", "'lbl':['new']")), RSC_CREATED);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/ae"), RSC_TRANSACTION_PROCESSING_IS_INCOMPLETE);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in"), RSC_OPERATION_NOT_ALLOWED);
	rig_free(g);
}

static void a_transaction_is_about_its_parent(void **state)
{
	struct rig *g = rig_with_containers();

	(void)state;
	assert_rsc(transaction(g, "", update(g, "cse-in/ae/b", "'lbl':['new']")), RSC_BAD_REQUEST);
	assert_rsc(transaction(g, "", "{'op':3,'to':'cse-in/ae/a','fr':'COther','rqi':'r','pc':{'m2m:cnt':{'lbl':['new']}}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_create(g, "COther", "cse-in/ae/a", TY_TRANSACTION, rig_fmt(g, "{'m2m:trac':{'tid':'t','rqp':%s}}", update(g, "cse-in/ae/a", "'lbl':['new']"))), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void a_transaction_may_delete_its_parent(void **state)
{
	struct rig *g = rig_with_containers();

	(void)state;
	assert_rsc(transaction(g, "", "{'op':4,'to':'cse-in/ae/a','rqi':'r'}"), RSC_CREATED);
	assert_value(step(g, 3), "m2m:trac.trst", "3");
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/a"), RSC_OK);
	assert_rsc(step(g, 4), RSC_UPDATED);
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/a"), RSC_NOT_FOUND);
	rig_free(g);
}

/* ---- over two CSEs ---- */

/* Carries what the IN-CSE sent to the MN-CSE there and the answers back, until there is nothing more; `most` requests at most. */
static void carry(struct rig *in, struct rig *mn, size_t most)
{
	for (size_t i = 0; i < in->sent_count && most > 0; i++) {
		const struct answer *a;

		if (!in->sent[i].done)
			continue;
		a = rig_ask(mn, in->sent[i].rq);
		assert_true(a->come);
		rig_reply(in, i, a->rsc, a->content);
		most--;
	}
}

struct pair {
	struct rig *in, *mn;
};

static struct pair two_cses(void)
{
	struct pair p = {rig_with_containers(), rig_new_as(CSE_MN, "/id-mn", "cse-mn")};

	assert_rsc(rig_create(p.in, "/id-mn", "cse-in", TY_REMOTE_CSE, "{'m2m:csr':{'rn':'mn','csi':'/id-mn','cb':'/id-mn/cse-mn','rr':true,'poa':['http://mn'],'srv':['3']}}"), RSC_CREATED);
	rig_settle(p.in);
	rig_forget_sent(p.in);
	rig_hold(p.in, "http://mn");
	assert_rsc(rig_create(p.mn, "CAdmin", "cse-mn", TY_ACP, "{'m2m:acp':{'rn':'acp','pv':{'acr':[{'acor':['/id-in/CAe','CAdmin'],'acop':63}]},'pvs':{'acr':[{'acor':['CAdmin'],'acop':63}]}}}"),
	    RSC_CREATED);
	assert_rsc(rig_create(p.mn, "CAdmin", "cse-mn", TY_CONTAINER, "{'m2m:cnt':{'rn':'far','lbl':['old'],'acpi':['cse-mn/acp']}}"), RSC_CREATED);
	return p;
}

static void free_both(struct pair p)
{
	rig_free(p.in);
	rig_free(p.mn);
}

static const struct answer *manage_both(struct pair p, const char *more)
{
	return manage(p.in, more, rig_fmt(p.in, "%s,%s", update(p.in, "cse-in/ae/a", "'lbl':['new']"), update(p.in, "/id-mn/cse-mn/far", "'lbl':['new']")));
}

static void commits_at_both(void **state)
{
	struct pair p = two_cses();
	const struct answer *a;

	(void)state;
	assert_rsc(manage_both(p, ",'tmh':2"), RSC_CREATED);
	for (int i = 0; i < 8; i++) {
		rig_advance(p.in, 5);
		carry(p.in, p.mn, 100);
	}
	a = STATE(p.in);
	assert_value(a, "m2m:tram.trst", "4");
	assert_int_equal(json_path(a->doc, "m2m:tram.rsps")->count, 2);
	assert_json(json_at(json_path(a->doc, "m2m:tram.rsps"), 1), "rsc", "2004");
	assert_label(p.in, "cse-in/ae/a", "new");
	assert_label(p.mn, "cse-mn/far", "new");
	assert_value(rig_retrieve(p.mn, "CAdmin", "cse-mn/far?rcn=6&ty=51"), "m2m:rrl.rrf", "[]");
	free_both(p);
}

static void aborts_at_both(void **state)
{
	struct pair p = two_cses();

	(void)state;
	assert_rsc(manage(p.in, ",'tmh':2", rig_fmt(p.in, "%s,%s", update(p.in, "cse-in/ae/a", "'mni':-1"), update(p.in, "/id-mn/cse-mn/far", "'lbl':['new']"))), RSC_CREATED);
	for (int i = 0; i < 8; i++) {
		rig_advance(p.in, 5);
		carry(p.in, p.mn, 100);
	}
	assert_state(p.in, 5);
	assert_label(p.mn, "cse-mn/far", "old");
	assert_rsc(rig_update(p.mn, "CAdmin", "cse-mn/far", "{'m2m:cnt':{'lbl':['free']}}"), RSC_UPDATED);
	free_both(p);
}

static void aborts_when_the_other_cannot(void **state)
{
	struct pair p = two_cses();

	(void)state;
	assert_rsc(rig_create(p.mn, "CAdmin", "cse-mn/far", TY_TRANSACTION, rig_fmt(p.mn, "{'m2m:trac':{'tid':'t','rqp':%s}}", update(p.mn, "cse-mn/far", "'lbl':['mine']"))), RSC_CREATED);
	assert_rsc(manage_both(p, ",'tmh':2"), RSC_CREATED);
	for (int i = 0; i < 8; i++) {
		rig_advance(p.in, 5);
		carry(p.in, p.mn, 100);
	}
	assert_state(p.in, 5);
	assert_label(p.in, "cse-in/ae/a", "old");
	free_both(p);
}

/* The coordinator is killed after each number of requests that reached the other CSE: whatever it has come to by then, both agree in the end. */
static void both_agree_whenever_one_is_killed(void **state)
{
	(void)state;
	for (size_t k = 0; k < 4; k++) {
		struct pair p = two_cses();
		const struct answer *here, *there;

		assert_rsc(manage_both(p, ",'tmh':2"), RSC_CREATED);
		for (size_t i = 0; i < k; i++) {
			rig_settle(p.in);
			carry(p.in, p.mn, 1);
		}
		rig_settle(p.in);
		for (size_t i = 0; i < p.in->sent_count; i++)
			if (p.in->sent[i].done)
				rig_reply(p.in, i, RSC_TARGET_NOT_REACHABLE, "");
		rig_restart(p.in);
		for (int i = 0; i < 8; i++) {
			rig_settle(p.in);
			carry(p.in, p.mn, 100);
			rig_advance(p.in, 1100);
			carry(p.in, p.mn, 100);
		}
		rig_advance(p.mn, 400000);
		here = rig_retrieve(p.in, "CAdmin", "cse-in/ae/a");
		there = rig_retrieve(p.mn, "CAdmin", "cse-mn/far");
		assert_rsc(here, RSC_OK);
		assert_rsc(there, RSC_OK);
		if (!json_equal(json_path(here->doc, "m2m:cnt.lbl"), json_path(there->doc, "m2m:cnt.lbl")))
			fail_msg("killed after %zu requests: %s here, %s there", k, here->content, there->content);
		assert_rsc(rig_update(p.mn, "CAdmin", "cse-mn/far", "{'m2m:cnt':{'lbl':['free']}}"), RSC_UPDATED);
		free_both(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(does_all_of_it),
		cmocka_unit_test(or_nothing),
		cmocka_unit_test(nobody_hears_of_what_was_undone),
		cmocka_unit_test(goes_when_it_is_done),
		cmocka_unit_test(has_the_privileges_of_its_creator),
		cmocka_unit_test(refuses_what_cannot_be_undone),
		cmocka_unit_test(locks_while_its_creator_decides),
		cmocka_unit_test(aborts_at_any_time_before),
		cmocka_unit_test(ends_when_nobody_decides),
		cmocka_unit_test(keeps_its_times),
		cmocka_unit_test(tries_again_when_something_is_locked),
		cmocka_unit_test(a_restart_aborts_what_was_not_decided),
		cmocka_unit_test(locks_executes_and_commits),
		cmocka_unit_test(an_execution_that_fails_is_an_error),
		cmocka_unit_test(only_one_locks),
		cmocka_unit_test(a_lock_ends_with_its_transaction),
		cmocka_unit_test(others_may_retrieve_if_it_says_so),
		cmocka_unit_test(what_was_promised_survives_a_restart),
		cmocka_unit_test(what_was_only_locked_does_not),
		cmocka_unit_test(a_lock_does_not_hide_what_is_never_allowed),
		cmocka_unit_test(a_transaction_is_about_its_parent),
		cmocka_unit_test(a_transaction_may_delete_its_parent),
		cmocka_unit_test(commits_at_both),
		cmocka_unit_test(aborts_at_both),
		cmocka_unit_test(aborts_when_the_other_cannot),
		cmocka_unit_test(both_agree_whenever_one_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
