/* Groups whose members are asked by IP multicast: TS-0001 clause 10.2.7.13, TS-0004 clause 7.5.3. */
#include <stdio.h>
#include <string.h>

#include "harness.h"

static struct {
	unsigned count;
	bool refuse;
	char address[32], to[512], id[64];
} called;

static bool on_join(void *ctx, const char *address, bool join)
{
	(void)ctx;
	(void)address;
	(void)join;
	return true;
}

static bool on_call(void *ctx, const char *address, const struct onem2m_request *rq)
{
	(void)ctx;
	if (called.refuse)
		return false;
	called.count++;
	snprintf(called.address, sizeof called.address, "%s", address);
	return rd_text(rq->to, called.to, sizeof called.to) && rd_text(rq->request_id, called.id, sizeof called.id);
}

static void make(struct rig *g, const char *from, const char *to, int ty, const char *json)
{
	assert_rsc(rig_create(g, from, to, ty, json), RSC_CREATED);
}

static void registers(struct rig *g, const char *csi, int mtcc)
{
	make(g, csi, "cse-in", TY_REMOTE_CSE, rig_fmt(g, "{'m2m:csr':{'csi':'%s','cb':'%s/c','rr':true,'srv':['3'],'poa':['http:/%s']%s}}", csi, csi, csi, mtcc ? ",'mtcc':2" : ""));
}

static void answer_to(struct rig *g, const char *url, enum onem2m_rsc rsc, const char *json)
{
	for (size_t i = 0; i < g->sent_count; i++)
		if (strcmp(g->sent[i].url, url) == 0 && g->sent[i].done)
			rig_reply(g, i, rsc, rig_json(g, json));
	rig_settle(g);
}

/* Two CSEs that can, one that cannot, and a container of this CSE. */
static struct rig *rig_with_group(void)
{
	struct rig *g = rig_new();

	memset(&called, 0, sizeof called);
	g->config.multicast = on_join;
	g->config.multicast_send = on_call;
	rig_restart(g);
	registers(g, "/id-a", 2);
	registers(g, "/id-b", 2);
	registers(g, "/id-c", 0);
	make(g, "CAdmin", "cse-in", TY_CONTAINER, "{'m2m:cnt':{'rn':'own'}}");
	rig_hold(g, "http://id-a");
	rig_hold(g, "http://id-b");
	return g;
}

static const char *const members = "'/id-a/cnt_1','/id-a/cnt_2','/id-b/cnt_1','/id-c/cnt_1','cse-in/own'";

static void make_group(struct rig *g)
{
	struct onem2m_request rq = {.operation = ONEM2M_CREATE, .type = TY_GROUP, .to = rd_str("cse-in"), .rcn = ONEM2M_RCN_ABSENT};
	const struct answer *a;

	rq.content = rd_str(rig_json(g, rig_fmt(g, "{'m2m:grp':{'rn':'g','mnm':9,'mid':[%s]}}", members)));
	a = rig_ask(g, rq);
	assert_rsc(a, RSC_CREATED);
	rig_settle(g);
}

static void settle_group(struct rig *g)
{
	answer_to(g, "http://id-a", RSC_CREATED, "{'m2m:lmg':{'ri':'lmg_1'}}");
	answer_to(g, "http://id-b", RSC_CREATED, "{'m2m:lmg':{'ri':'lmg_2'}}");
}

static void results(struct rig *g, const char *csi, const char *list)
{
	assert_rsc(rig_notify(g, csi, "cse-in/g", rig_fmt(g, "{'m2m:rsp':{'rsc':2000,'rqi':'%s','fr':'%s','pc':{'m2m:agr':{'m2m:rsp':[%s]}}}}", called.id, csi, list)), RSC_OK);
}

static void advertises_a_group_to_the_CSEs_of_its_members(void **state)
{
	struct rig *g = rig_with_group();
	const struct json *lmg;

	(void)state;
	make_group(g);
	lmg = json_get(rig_last_sent(g, "http://id-a")->doc, "m2m:lmg");
	assert_string_equal(rig_last_sent(g, "http://id-a")->to, "/id-a/-");
	assert_json(lmg, "mli", "['/id-a/cnt_1','/id-a/cnt_2']");
	assert_true(json_is_string(json_get(lmg, "rstt"), rig_fmt(g, "/id-in/%s", rig_ri(g, "cse-in/g"))));
	assert_json(json_get(rig_last_sent(g, "http://id-b")->doc, "m2m:lmg"), "mli", "['/id-b/cnt_1']");
	settle_group(g);
	/* it ends with the group */
	rig_forget_sent(g);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/g"), RSC_DELETED);
	assert_string_equal(rig_last_sent(g, "http://id-a")->to, "/id-a/lmg_1");
	assert_string_equal(rig_last_sent(g, "http://id-b")->to, "/id-b/lmg_2");
	assert_int_equal(rig_last_sent(g, "http://id-b")->rq.operation, ONEM2M_DELETE);
	answer_to(g, "http://id-a", RSC_DELETED, "");
	answer_to(g, "http://id-b", RSC_DELETED, "");
	rig_free(g);
}

static void asks_them_by_one_request(void **state)
{
	struct rig *g = rig_with_group();
	const struct answer *a;
	const struct json *list;

	(void)state;
	make_group(g);
	settle_group(g);
	rig_restart(g); /* what was agreed is kept */
	rig_forget_sent(g);
	a = rig_retrieve(g, "CAdmin", "cse-in/g/fopt/la");
	assert_int_equal(called.count, 1);
	assert_true(strncmp(called.address, "239.255.", 8) == 0);
	assert_non_null(strstr(called.to, "/id-in/fan"));
	assert_string_equal(called.to + strlen(called.to) - 3, "/la");
	assert_int_equal(rig_count_sent(g, "http://id-a") + rig_count_sent(g, "http://id-b"), 0);
	assert_int_equal(rig_count_sent(g, "http://id-c"), 1);
	results(g, "/id-a", "{'rsc':2000,'fr':'/id-a/cnt_1/la','pc':{'m2m:cin':{'con':'1'}}},{'rsc':4004,'fr':'/id-a/cnt_2/la'}");
	assert_false(a->come);
	/* a second time, or by somebody else, counts nothing */
	results(g, "/id-a", "{'rsc':2000,'fr':'/id-b/cnt_1/la'}");
	results(g, "/id-c", "{'rsc':2000,'fr':'/id-b/cnt_1/la'}");
	assert_false(a->come);
	results(g, "/id-b", "{'rsc':2000,'fr':'/id-b/cnt_1/la','pc':{'m2m:cin':{'con':'2'}}}");
	assert_rsc(a, RSC_OK);
	list = json_path(a->doc, "m2m:agr.m2m:rsp");
	assert_int_equal(list->count, 5);
	assert_json(json_at(list, 0), "pc.m2m:cin.con", "'1'");
	assert_json(json_at(list, 1), "rsc", "4004");
	assert_json(json_at(list, 2), "pc.m2m:cin.con", "'2'");
	rig_free(g);
}

static void leaves_out_who_does_not_answer_in_time(void **state)
{
	struct rig *g = rig_with_group();
	const struct answer *a;

	(void)state;
	make_group(g);
	settle_group(g);
	a = rig_retrieve(g, "CAdmin", "cse-in/g/fopt");
	results(g, "/id-b", "{'rsc':2000,'fr':'/id-b/cnt_1'}");
	rig_advance(g, 20000);
	assert_rsc(a, RSC_OK);
	assert_int_equal(json_path(a->doc, "m2m:agr.m2m:rsp")->count, 3);
	results(g, "/id-a", "{'rsc':2000,'fr':'/id-a/cnt_1'}"); /* too late: nobody's */
	assert_true(strcmp(rig_last_sent(g, "http://id-c")->to, "/id-c/cnt_1") == 0);
	/* and one that waits ends with the CSE */
	assert_false(rig_retrieve(g, "CAdmin", "cse-in/g/fopt")->come);
	rig_free(g);
}

static void asks_one_by_one_what_does_not_fit(void **state)
{
	struct rig *g = rig_with_group();

	(void)state;
	make_group(g);
	rig_retrieve(g, "CAdmin", "cse-in/g/fopt"); /* nobody has joined yet */
	assert_int_equal(called.count, 0);
	settle_group(g);
	called.refuse = true;
	rig_forget_sent(g);
	rig_retrieve(g, "CAdmin", "cse-in/g/fopt");
	assert_int_equal(rig_count_sent(g, "http://id-a"), 2);
	called.refuse = false;
	answer_to(g, "http://id-a", RSC_OK, "");
	answer_to(g, "http://id-b", RSC_OK, "");
	rig_forget_sent(g);
	rig_retrieve(g, "CAdmin", "cse-in/g/fopt?gtm=/id-a/cnt_1");
	assert_int_equal(called.count, 0);
	assert_int_equal(rig_count_sent(g, "http://id-a"), 1);
	answer_to(g, "http://id-a", RSC_OK, "");
	rig_free(g);
}

static void is_not_worth_it_for_one(void **state)
{
	struct rig *g = rig_with_group();

	(void)state;
	make_group(g);
	answer_to(g, "http://id-a", RSC_CREATED, "{'m2m:lmg':{'ri':'lmg_1'}}");
	answer_to(g, "http://id-b", RSC_JOIN_MULTICAST_GROUP_FAILED, "");
	/* the one that has joined is told to leave */
	assert_int_equal(rig_last_sent(g, "http://id-a")->rq.operation, ONEM2M_DELETE);
	answer_to(g, "http://id-a", RSC_DELETED, "");
	rig_retrieve(g, "CAdmin", "cse-in/g/fopt");
	assert_int_equal(called.count, 0);
	answer_to(g, "http://id-a", RSC_OK, "");
	answer_to(g, "http://id-b", RSC_OK, "");
	rig_free(g);
}

/* A group had its localMulticastGroups and is gone: both CSEs were told to end theirs. */
static struct rig *rig_after_group(void)
{
	struct rig *g = rig_with_group();

	make_group(g);
	settle_group(g);
	rig_forget_sent(g);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/g"), RSC_DELETED);
	return g;
}

/* It is asked again when it is back, and not after that. */
static void goes_on_telling_one_that_is_away_to_leave(void **state)
{
	struct rig *g = rig_after_group();

	(void)state;
	answer_to(g, "http://id-a", RSC_DELETED, "");
	answer_to(g, "http://id-b", RSC_TARGET_NOT_REACHABLE, "");
	for (unsigned tries = 1; tries < 4; tries++) {
		assert_int_equal(rig_count_sent(g, "http://id-b"), tries);
		rig_advance(g, 999U << (tries - 1));
		assert_int_equal(rig_count_sent(g, "http://id-b"), tries);
		rig_advance(g, 1U << (tries - 1));
		assert_int_equal(rig_count_sent(g, "http://id-b"), tries + 1);
		assert_int_equal(rig_last_sent(g, "http://id-b")->rq.operation, ONEM2M_DELETE);
		assert_string_equal(rig_last_sent(g, "http://id-b")->to, "/id-b/lmg_2");
		answer_to(g, "http://id-b", tries < 3 ? RSC_TARGET_NOT_REACHABLE : RSC_NOT_FOUND, "");
	}
	rig_advance(g, 3600 * 1000);
	assert_int_equal(rig_count_sent(g, "http://id-b"), 4);
	assert_int_equal(rig_count_sent(g, "http://id-a"), 1);
	rig_free(g);
}

/* Whether it waits for an answer or for the next try when the CSE ends. */
static void ends_with_somebody_away(void **state)
{
	struct rig *g = rig_after_group();

	(void)state;
	answer_to(g, "http://id-b", RSC_TARGET_NOT_REACHABLE, "");
	rig_restart(g);
	rig_advance(g, 3600 * 1000);
	rig_free(g);
}

/* ---- the other side ---- */

static void answers_a_multicast_by_a_notification(void **state)
{
	struct rig *g = rig_with_group();
	struct onem2m_request rq = {.operation = ONEM2M_RETRIEVE, .from = rd_str("CAdmin"), .to = rd_str("/id-c/fan1"), .request_id = rd_str("q1"), .rcn = ONEM2M_RCN_ABSENT, .multicast = true};
	const struct json *rsp;

	(void)state;
	/* made by a CSE that is registered here, which needs no other privilege */
	assert_rsc(rig_create(g, "/id-x", "cse-in", TY_LOCAL_MULTICAST_GROUP, "{'m2m:lmg':{'mad':{'ip4':'239.1.2.3'},'mgft':'/id-x/fan1','mli':['cse-in/own']}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	make(g, "/id-c", "cse-in", TY_LOCAL_MULTICAST_GROUP, "{'m2m:lmg':{'mad':{'ip4':'239.1.2.3'},'mgft':'/id-c/fan1','mli':['cse-in/own'],'rstt':'/id-c/grp_7'}}");
	rig_forget_sent(g);
	rig_ask(g, rq);
	assert_string_equal(rig_last_sent(g, "http://id-c")->to, "/id-c/grp_7");
	assert_string_equal(rig_last_sent(g, "http://id-c")->from, "/id-in");
	rsp = json_get(rig_last_sent(g, "http://id-c")->doc, "m2m:rsp");
	assert_json(rsp, "rqi", "'q1'");
	assert_json(rsp, "fr", "'/id-in'");
	assert_json(json_at(json_path(rsp, "pc.m2m:agr.m2m:rsp"), 0), "fr", "'cse-in/own'");
	/* what is for no fan-out target does nothing */
	rq.to = rd_str("cse-in/own");
	rq.operation = ONEM2M_DELETE;
	assert_rsc(rig_ask(g, rq), RSC_NOT_FOUND);
	assert_rsc(rig_retrieve(g, "CAdmin", "cse-in/own"), RSC_OK);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(advertises_a_group_to_the_CSEs_of_its_members),
		cmocka_unit_test(asks_them_by_one_request),
		cmocka_unit_test(leaves_out_who_does_not_answer_in_time),
		cmocka_unit_test(asks_one_by_one_what_does_not_fit),
		cmocka_unit_test(is_not_worth_it_for_one),
		cmocka_unit_test(goes_on_telling_one_that_is_away_to_leave),
		cmocka_unit_test(ends_with_somebody_away),
		cmocka_unit_test(answers_a_multicast_by_a_notification),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
