/* CMDH policies: TS-0001 annex D.12. */
#include <string.h>

#include "harness.h"

static void object(struct rig *g, const char *root, const char *members)
{
	assert_rsc(rig_create(g, "CAdmin", "cse-mn/n", TY_MGMT_OBJ, rig_fmt(g, "{'%s':{%s}}", root, members)), RSC_CREATED);
}

/* Category 4 for CMeter, 104 for others; of 4 a request lives 10 s, a result 60; requests of 4 live at most 20 s. */
static struct rig *rig_with_policy(void)
{
	struct rig *g = rig_new_as(CSE_MN, "/id-mn", "cse-mn");

	g->config.registrar_id = "/id-in";
	g->config.registrar_poa = "http://in";
	rig_restart(g);
	cse_register(g->cse);
	rig_settle(g);
	rig_ae(g, "CMeter", "meter", "");
	rig_ae(g, "COther", "other", "");
	assert_rsc(rig_create(g, "CAdmin", "cse-mn", TY_NODE, "{'m2m:nod':{'rn':'n','ni':'1','hcl':'/id-mn'}}"), RSC_CREATED);
	object(g, "m2m:cmdv", "'rn':'v1','mgd':1014,'od':2,'dev':4,'ror':['CMeter']");
	object(g, "m2m:cmdv", "'rn':'v2','mgd':1014,'od':3,'dev':104,'ror':['C*']");
	object(g, "m2m:cmdv", "'rn':'v0','mgd':1014,'od':1,'dev':2,'ror':['C*'],'rch':'unknown'");
	object(g, "m2m:cmpv", "'rn':'p4','mgd':1015,'aec':[4],'dqet':10000,'dset':60000,'doet':-1,'drp':-1,'dda':false");
	object(g, "m2m:cmpv", "'rn':'p0','mgd':1015,'aec':[0],'dqet':5000,'dset':-1,'doet':-1,'drp':-1,'dda':false");
	object(g, "m2m:cmdf", "'rn':'d','mgd':1013,'cmlk':[{'nm':'a','typ':1014,'val':'cse-mn/n/v0'},{'nm':'b','typ':1014,'val':'cse-mn/n/v2'},{'nm':'c','typ':1014,'val':'cse-mn/n/v1'},"
	    "{'nm':'d','typ':1015,'val':'cse-mn/n/p0'},{'nm':'e','typ':1015,'val':'cse-mn/n/p4'}]");
	object(g, "m2m:cml", "'rn':'l','mgd':1016,'od':1,'ror':['C*'],'lec':[4],'lqet':[1000,20000],'lset':[0,-1],'loet':[0,-1],'lrp':[0,-1],'lda':[true]");
	object(g, "m2m:cml", "'rn':'l2','mgd':1016,'od':2,'ror':['C*'],'lec':[2,3,104],'lqet':[0,-1],'lset':[0,-1],'loet':[0,-1],'lrp':[0,-1],'lda':[true]");
	object(g, "m2m:cmp", "'rn':'p','mgd':1011,'cpn':'p','cmlk':[{'nm':'d','typ':1013,'val':'cse-mn/n/d'},{'nm':'l','typ':1016,'val':'cse-mn/n/l'},{'nm':'l2','typ':1016,'val':'cse-mn/n/l2'}]");
	rig_forget_sent(g);
	return g;
}

static void activate(struct rig *g)
{
	object(g, "m2m:acmp", "'rn':'active','mgd':1012,'acmlk':'cse-mn/n/p'");
}

static const struct onem2m_request *sent(struct rig *g, const char *from)
{
	rig_retrieve(g, from, "/id-in/cse-in/x");
	return &rig_last_sent(g, "http://in")->rq;
}

static void assert_text(struct rd text, const char *expected)
{
	if (!rd_is(text, expected))
		fail_msg("`%.*s` is not `%s`", (int)text.left, (const char *)text.at, expected);
}

static uint64_t ahead(struct rig *g, struct rd stamp)
{
	uint64_t at = 0;

	assert_true(timestamp_parse(stamp, &at));
	return at - g->unix_ms;
}

static void fills_in_what_a_request_lacks(void **state)
{
	struct rig *g = rig_with_policy();
	const struct onem2m_request *rq = sent(g, "CMeter");

	(void)state;
	assert_text(rq->ec, "");
	activate(g);
	rq = sent(g, "CMeter");
	assert_text(rq->ec, "4");
	assert_int_equal(ahead(g, rq->rqet), 10000);
	assert_int_equal(ahead(g, rq->rset), 60000);
	assert_text(rq->oet, "");
	rq = sent(g, "COther");
	assert_text(rq->ec, "104");
	assert_int_equal(ahead(g, rq->rqet), 5000);
	assert_text(rq->rset, "");
	/* best effort needs no defaults */
	rig_ask(g, (struct onem2m_request){.operation = ONEM2M_RETRIEVE, .from = rd_str("COther"), .to = rd_str("/id-in/cse-in/x"), .ec = rd_str("3"), .rcn = ONEM2M_RCN_ABSENT});
	assert_int_equal(ahead(g, rig_last_sent(g, "http://in")->rq.rqet), 20000);
	rig_restart(g);
	rig_settle(g);
	assert_text(sent(g, "CMeter")->ec, "4");
	assert_rsc(rig_delete(g, "CAdmin", "cse-mn/n/active"), RSC_DELETED);
	assert_text(sent(g, "CMeter")->ec, "");
	rig_free(g);
}

static void refuses_what_is_beyond_its_limits(void **state)
{
	struct rig *g = rig_with_policy();
	struct onem2m_request rq = {.operation = ONEM2M_RETRIEVE, .from = rd_str("CMeter"), .to = rd_str("/id-in/cse-in/x"), .rqet = rd_str("30000"), .rcn = ONEM2M_RCN_ABSENT};

	(void)state;
	activate(g);
	assert_rsc(rig_ask(g, rq), RSC_NOT_ACCEPTABLE);
	rq.rqet = rd_str("500");
	assert_rsc(rig_ask(g, rq), RSC_NOT_ACCEPTABLE);
	rq.rqet = rd_str("15000");
	assert_rsc(rig_ask(g, rq), RSC_OK);
	/* another category, which the request says itself */
	rq.rqet = rd_str("30000");
	rq.ec = rd_str("3");
	assert_rsc(rig_ask(g, rq), RSC_OK);
	/* one that is not for it */
	rq.ec = rd_str("105");
	assert_rsc(rig_ask(g, rq), RSC_NOT_ACCEPTABLE);
	rig_free(g);
}

static void a_node_has_one_active_policy(void **state)
{
	struct rig *g = rig_with_policy();

	(void)state;
	activate(g);
	assert_rsc(rig_create(g, "CAdmin", "cse-mn/n", TY_MGMT_OBJ, "{'m2m:acmp':{'mgd':1012,'acmlk':'cse-mn/n/p'}}"), RSC_CONFLICT);
	assert_rsc(rig_update(g, "CAdmin", "cse-mn/n/active", "{'m2m:acmp':{'acmlk':'cse-mn/n/none'}}"), RSC_UPDATED);
	assert_text(sent(g, "CMeter")->ec, "");
	rig_free(g);
}

/* ---- who is meant ---- */

static void prefers_who_is_named_more_closely(void **state)
{
	struct rig *g = rig_with_policy();

	(void)state;
	object(g, "m2m:cmdv", "'rn':'w1','mgd':1014,'od':9,'dev':101,'ror':['CMeter']");
	object(g, "m2m:cmdv", "'rn':'w2','mgd':1014,'od':8,'dev':102,'ror':['localAE']");
	object(g, "m2m:cmdv", "'rn':'w3','mgd':1014,'od':7,'dev':103,'ror':['thisCSE']");
	object(g, "m2m:cmdv", "'rn':'w4','mgd':1014,'od':1,'dev':104,'ror':['default']");
	object(g, "m2m:cmdf", "'rn':'e','mgd':1013,'cmlk':[{'nm':'1','typ':1014,'val':'cse-mn/n/w1'},{'nm':'2','typ':1014,'val':'cse-mn/n/w2'},{'nm':'3','typ':1014,'val':'cse-mn/n/w3'},"
	    "{'nm':'4','typ':1014,'val':'cse-mn/n/w4'}]");
	object(g, "m2m:cmp", "'rn':'q','mgd':1011,'cpn':'q','cmlk':[{'nm':'e','typ':1013,'val':'cse-mn/n/e'}]");
	object(g, "m2m:acmp", "'rn':'active','mgd':1012,'acmlk':'cse-mn/n/q'");
	assert_text(sent(g, "CMeter")->ec, "101");
	assert_text(sent(g, "COther")->ec, "102");
	assert_text(sent(g, "CAdmin")->ec, "104");
	rig_free(g);
}

/* ---- the buffer ---- */

/* A policy of these rules alone: network access rules with these members, and a buffer. */
static struct rig *rig_with_rules(const char *rule, const char *schedule, const char *buffer)
{
	struct rig *g = rig_with_policy();

	assert_rsc(rig_create(g, "CAdmin", "cse-mn/n", TY_SCHEDULE, rig_fmt(g, "{'m2m:sch':{'rn':'s','se':{'sce':['%s']}}}", schedule)), RSC_CREATED);
	object(g, "m2m:cmwr", rig_fmt(g, "'rn':'w','mgd':1018,'cmlk':{'nm':'allowedSchedule','typ':0,'val':'cse-mn/n/s'},%s", rule));
	object(g, "m2m:cmnr", "'rn':'r','mgd':1017,'aecs':[0],'cmlk':[{'nm':'w','typ':1018,'val':'cse-mn/n/w'}]");
	object(g, "m2m:cmbf", rig_fmt(g, "'rn':'b','mgd':1019,%s", buffer));
	object(g, "m2m:cmbf", "'rn':'low','mgd':1019,'aec':[104],'mbfs':100000000,'sgp':1");
	object(g, "m2m:cmp", "'rn':'q','mgd':1011,'cpn':'q','cmlk':[{'nm':'r','typ':1017,'val':'cse-mn/n/r'},{'nm':'b','typ':1019,'val':'cse-mn/n/b'},{'nm':'low','typ':1019,'val':'cse-mn/n/low'}]");
	object(g, "m2m:acmp", "'rn':'active','mgd':1012,'acmlk':'cse-mn/n/q'");
	rig_advance(g, 60000 - g->unix_ms % 60000); /* a full minute */
	rig_forget_sent(g);
	return g;
}
#define ALWAYS "* * * * * * *"
#define LATER "30-59 * * * * * *"
#define RULE(mrv, swt) "'ttn':['lte'],'mrv':" mrv ",'swt':" swt ",'bop':{'bops':[{'nwa':1,'ibt':9,'abt':9,'mbt':9},{'nwa':5,'ibt':1000,'abt':2000,'mbt':4000}]}"
#define ROOM "'aec':[0],'mbfs':100000000,'sgp':5"

static const struct answer *ask(struct rig *g, const char *ec, const char *to, const char *rqet)
{
	return rig_ask(g, (struct onem2m_request){.operation = ONEM2M_RETRIEVE, .from = rd_str("CMeter"), .to = rd_str(to), .ec = rd_str(ec), .rqet = rd_str(rqet), .rcn = ONEM2M_RCN_ABSENT});
}

static const struct answer *put(struct rig *g, const char *ec, const char *to, const char *text)
{
	return rig_ask(g, (struct onem2m_request){.operation = ONEM2M_CREATE, .type = TY_CONTENT_INSTANCE, .from = rd_str("CMeter"), .to = rd_str(to), .ec = rd_str(ec), .rqet = rd_str("60000"),
	    .content = rd_str(rig_json(g, rig_fmt(g, "{'m2m:cin':{'con':'%s'}}", text))), .rcn = ONEM2M_RCN_ABSENT});
}

/* Registrations go to the same place. */
static size_t attempts(const struct rig *g, const char *to)
{
	size_t n = 0;

	for (size_t i = 0; i < g->sent_count; i++)
		n += strcmp(g->sent[i].to, to) == 0;
	return n;
}

static void waits_for_its_schedule(void **state)
{
	struct rig *g = rig_with_rules(RULE("0", "0"), LATER, ROOM);
	const struct answer *a = ask(g, "3", "/id-in/x", "60000"), *b = ask(g, "4", "/id-in/y", "40000");

	(void)state;
	/* what cannot leave before it expires is refused at once, and what is immediate does not wait */
	assert_rsc(ask(g, "3", "/id-in/z", "20000"), RSC_NOT_ACCEPTABLE);
	assert_rsc(ask(g, "2", "/id-in/now", "20000"), RSC_OK);
	rig_advance(g, 29900);
	assert_false(a->come || b->come);
	assert_int_equal(attempts(g, "/id-in/x"), 0);
	rig_advance(g, 200);
	assert_rsc(a, RSC_OK);
	assert_rsc(b, RSC_OK);
	assert_rsc(ask(g, "3", "/id-in/z", "20000"), RSC_OK);
	rig_free(g);
}

static void heeds_a_schedule_that_changes(void **state)
{
	struct rig *g = rig_with_rules(RULE("0", "0"), LATER, ROOM);
	const struct answer *a = ask(g, "3", "/id-in/x", "60000");

	(void)state;
	assert_rsc(rig_update(g, "CAdmin", "cse-mn/n/s", "{'m2m:sch':{'se':{'sce':['" ALWAYS "']}}}"), RSC_UPDATED);
	rig_advance(g, 10000);
	assert_rsc(a, RSC_OK);
	rig_free(g);
}

static void waits_until_enough_has_come_together(void **state)
{
	struct rig *g = rig_with_rules(RULE("300", "0"), ALWAYS, ROOM);
	char text[301];
	const struct answer *a = put(g, "3", "/id-in/a", "small"), *other = put(g, "104", "/id-in/b", "small"), *b;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[300] = '\0';
	rig_advance(g, 5000);
	assert_false(a->come);
	b = put(g, "3", "/id-in/a", text);
	assert_rsc(a, RSC_OK);
	assert_rsc(b, RSC_OK);
	/* another category is another volume; it expires here */
	assert_false(other->come);
	rig_advance(g, 60000);
	assert_rsc(other, RSC_REQUEST_TIMEOUT);
	assert_int_equal(attempts(g, "/id-in/b"), 0);
	rig_free(g);
}

static void spreads_departures(void **state)
{
	struct rig *g = rig_with_rules(RULE("0", "5000"), ALWAYS, ROOM);
	unsigned at_once = 0;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		const struct answer *a = ask(g, "3", "/id-in/x", "60000");

		at_once += a->come;
		rig_advance(g, 5001);
		assert_rsc(a, RSC_OK);
	}
	assert_in_range(at_once, 0, 3);
	rig_free(g);
}

static void backs_off_from_who_cannot_be_reached(void **state)
{
	struct rig *g = rig_with_rules(RULE("0", "0"), ALWAYS, ROOM);
	static const struct {
		unsigned ms, attempts;
	} steps[] = {{0, 1}, {900, 1}, {200, 2}, {2800, 2}, {200, 3}, {3800, 3}, {300, 4}, {3700, 4}, {400, 5}};
	const struct answer *a;

	(void)state;
	rig_network(g, "http://in", RSC_TARGET_NOT_REACHABLE);
	a = ask(g, "3", "/id-in/x", "30000");
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		rig_advance(g, steps[i].ms);
		assert_int_equal(attempts(g, "/id-in/x"), steps[i].attempts);
	}
	rig_advance(g, 30000);
	assert_rsc(a, RSC_REQUEST_TIMEOUT);
	/* what is immediate is tried again too */
	a = ask(g, "2", "/id-in/y", "10000");
	rig_advance(g, 1100);
	assert_int_equal(attempts(g, "/id-in/y"), 2);
	assert_false(a->come);
	rig_free(g);
}

static void goes_on_when_the_next_CSE_is_there_again(void **state)
{
	struct rig *g = rig_with_rules(RULE("0", "0"), ALWAYS, ROOM);
	const struct answer *a;

	(void)state;
	rig_network(g, "http://in", RSC_TARGET_NOT_REACHABLE);
	a = ask(g, "3", "/id-in/x", "60000");
	rig_advance(g, 9000); /* it backs off by 4 s now */
	assert_int_equal(attempts(g, "/id-in/x"), 4);
	g->rules[g->rule_count - 1].rsc = RSC_UPDATED; /* the registration, tried twice a second, is answered */
	rig_advance(g, 700);
	assert_true(a->come);
	rig_free(g);
}

static void keeps_only_the_latest(void **state)
{
	struct rig *g = rig_with_rules(RULE("0", "0"), LATER, ROOM);
	const struct answer *a = put(g, "4", "/id-in/a", "1"), *b = put(g, "4", "/id-in/b", "2"), *c = put(g, "4", "/id-in/a", "3"), *d = put(g, "3", "/id-in/a", "4");

	(void)state;
	assert_rsc(a, RSC_NOT_ACCEPTABLE);
	rig_advance(g, 31000);
	assert_rsc(b, RSC_OK);
	assert_rsc(c, RSC_OK);
	assert_rsc(d, RSC_OK);
	assert_int_equal(attempts(g, "/id-in/a"), 2);
	rig_free(g);
}

static void a_buffer_has_its_limit(void **state)
{
	struct rig *g = rig_with_rules(RULE("0", "0"), LATER, "'aec':[0],'mbfs':100,'sgp':5");
	const struct answer *a = put(g, "3", "/id-in/a", "12345678901234567890"), *b;

	(void)state;
	assert_false(a->come);
	assert_rsc(put(g, "3", "/id-in/a", "12345678901234567890"), RSC_NOT_ACCEPTABLE);
	b = put(g, "104", "/id-in/a", "12345678901234567890"); /* in the other */
	assert_false(b->come);
	rig_advance(g, 31000);
	assert_rsc(a, RSC_OK);
	assert_rsc(b, RSC_OK);
	rig_free(g);
}

static void lower_priority_makes_room_the_latest_first(void **state)
{
	struct rig *g = rig_with_rules(RULE("0", "0"), LATER, ROOM);
	static char text[60001];
	const struct answer *low[280], *high = NULL;
	unsigned dropped = 0;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	for (unsigned i = 0; i < 275; i++) /* 16.5 MB of 16.8 */
		low[i] = put(g, "104", "/id-in/a", text);
	for (unsigned i = 0; i < 10; i++)
		high = put(g, "3", "/id-in/b", text);
	assert_false(high->come);
	for (unsigned i = 0; i < 275; i++) {
		assert_true(!low[i]->come || i >= 268);
		dropped += low[i]->come;
	}
	assert_in_range(dropped, 5, 7);
	/* and there is none for the lower */
	assert_rsc(put(g, "104", "/id-in/a", text), RSC_NOT_ACCEPTABLE);
	rig_advance(g, 31000);
	assert_rsc(high, RSC_OK);
	assert_rsc(low[0], RSC_OK);
	rig_free(g);
}

static void another_network_carries_nothing(void **state)
{
	struct rig *g = rig_with_rules(RULE("0", "0"), ALWAYS, ROOM);

	(void)state;
	assert_rsc(ask(g, "3", "/id-in/x", "60000"), RSC_OK);
	g->config.networks = "wifi,eth*";
	rig_restart(g);
	rig_settle(g);
	assert_rsc(ask(g, "3", "/id-in/x", "60000"), RSC_NOT_ACCEPTABLE);
	assert_rsc(rig_update(g, "CAdmin", "cse-mn/n/w", "{'m2m:cmwr':{'ttn':['eth0']}}"), RSC_UPDATED);
	assert_rsc(ask(g, "3", "/id-in/x", "60000"), RSC_OK);
	/* conditions that nobody here understands are not met; and without a rule there is no network */
	assert_rsc(rig_update(g, "CAdmin", "cse-mn/n/w", "{'m2m:cmwr':{'ohc':['moon']}}"), RSC_UPDATED);
	assert_rsc(ask(g, "3", "/id-in/x", "60000"), RSC_NOT_ACCEPTABLE);
	assert_rsc(rig_update(g, "CAdmin", "cse-mn/n/w", "{'m2m:cmwr':{'ohc':null}}"), RSC_UPDATED);
	assert_rsc(ask(g, "3", "/id-in/x", "60000"), RSC_OK);
	assert_rsc(rig_update(g, "CAdmin", "cse-mn/n/r", "{'m2m:cmnr':{'cmlk':null}}"), RSC_UPDATED);
	assert_rsc(ask(g, "3", "/id-in/x", "60000"), RSC_NOT_ACCEPTABLE);
	rig_free(g);
}

static void ends_with_the_CSE(void **state)
{
	struct rig *g = rig_with_rules(RULE("0", "0"), LATER, ROOM);

	(void)state;
	assert_false(ask(g, "3", "/id-in/x", "60000")->come);
	assert_false(ask(g, "4", "/id-in/y", "60000")->come);
	rig_hold(g, "http://in");
	assert_false(ask(g, "2", "/id-in/z", "60000")->come); /* on its way */
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_in_what_a_request_lacks),
		cmocka_unit_test(refuses_what_is_beyond_its_limits),
		cmocka_unit_test(a_node_has_one_active_policy),
		cmocka_unit_test(prefers_who_is_named_more_closely),
		cmocka_unit_test(waits_for_its_schedule),
		cmocka_unit_test(heeds_a_schedule_that_changes),
		cmocka_unit_test(waits_until_enough_has_come_together),
		cmocka_unit_test(spreads_departures),
		cmocka_unit_test(backs_off_from_who_cannot_be_reached),
		cmocka_unit_test(goes_on_when_the_next_CSE_is_there_again),
		cmocka_unit_test(keeps_only_the_latest),
		cmocka_unit_test(a_buffer_has_its_limit),
		cmocka_unit_test(lower_priority_makes_room_the_latest_first),
		cmocka_unit_test(another_network_carries_nothing),
		cmocka_unit_test(ends_with_the_CSE),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
