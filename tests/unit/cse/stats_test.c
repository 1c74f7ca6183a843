/* Statistics by rules; service subscriptions' rules for AEs. */
#include <string.h>

#include "harness.h"

struct seen {
	const char *entity;
	uint64_t operations, octets;
	size_t records;
};

static void note(void *ctx, const struct cse_stat *s)
{
	struct seen *k = ctx;

	k->records++;
	if (strcmp(s->entity, k->entity) == 0) {
		k->operations = s->operations;
		k->octets = s->octets;
	}
}

static struct seen counted(struct rig *g, const char *entity)
{
	struct seen k = {entity, 0, 0, 0};

	cse_stats_each(g->cse, note, &k);
	return k;
}

/* A rule for this event, and what else the statsCollect has. */
static struct rig *with_rule(const char *event, const char *more)
{
	struct rig *g = rig_new();
	struct rd evi;
	const struct answer *a;

	rig_ae(g, "CAe1", "ae1", "");
	rig_ae(g, "CAe2", "ae2", "");
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_STATS_CONFIG, "{'m2m:stcg':{'rn':'cfg'}}"), RSC_CREATED);
	a = rig_create(g, "CAdmin", "cse-in/cfg", TY_EVENT_CONFIG, rig_fmt(g, "{'m2m:evcg':{%s}}", event));
	assert_rsc(a, RSC_CREATED);
	assert_true(json_string(json_path(a->doc, "m2m:evcg.evi"), &evi));
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_STATS_COLLECT, rig_fmt(g, "{'m2m:stcl':{'rn':'rule','cei':'CAdmin','srs':1,'sm':1,'evi':'%.*s'%s}}", (int)evi.left,
	    (const char *)evi.at, more)), RSC_CREATED);
	return g;
}

static void label(struct rig *g, const char *from, const char *to, const char *text)
{
	assert_rsc(rig_update(g, from, to, rig_fmt(g, "{'m2m:ae':{'lbl':['%s']}}", text)), RSC_UPDATED);
}

static void counts_operations_of_its_entities(void **state)
{
	struct rig *g = with_rule("'evt':1,'opt':[3]", ",'cdi':['CAe1']");

	(void)state;
	label(g, "CAe1", "cse-in/ae1", "x");
	label(g, "CAe1", "cse-in/ae1", "y");
	label(g, "CAe2", "cse-in/ae2", "x");
	assert_rsc(rig_retrieve(g, "CAe1", "cse-in/ae1"), RSC_OK);
	assert_rsc(rig_update(g, "CAe1", "cse-in/ae2", "{'m2m:ae':{'lbl':['x']}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_int_equal(counted(g, "/id-in/CAe1").operations, 2);
	assert_true(counted(g, "/id-in/CAe1").octets > 40);
	assert_int_equal(counted(g, "/id-in/CAe1").records, 1);
	rig_free(g);
}

static void counts_what_the_event_says(void **state)
{
	struct rig *g = with_rule("'evt':1,'opt':[1,2],'erts':[3]", "");

	(void)state;
	assert_rsc(rig_create(g, "CAe1", "cse-in/ae1", TY_CONTAINER, "{'m2m:cnt':{'rn':'c'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe1", "cse-in/ae1/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'x'}}"), RSC_CREATED);
	assert_rsc(rig_retrieve(g, "CAe1", "cse-in/ae1/c"), RSC_OK);
	assert_rsc(rig_retrieve(g, "CAe1", "cse-in/ae1"), RSC_OK);
	assert_int_equal(counted(g, "/id-in/CAe1").operations, 2);
	rig_free(g);
}

static void counts_by_size_and_by_resource(void **state)
{
	struct rig *g = with_rule("'evt':2,'ds':200", "");

	(void)state;
	label(g, "CAe1", "cse-in/ae1", "x");
	assert_int_equal(counted(g, "/id-in/CAe1").operations, 1); /* the answer counts too: a representation */
	assert_rsc(rig_retrieve(g, "CAe1", "cse-in/ae1"), RSC_OK);
	assert_int_equal(counted(g, "/id-in/CAe1").operations, 1);
	rig_free(g);
	g = with_rule("'evt':1,'opt':[2],'eris':['cse-in/ae2']", "");
	assert_rsc(rig_retrieve(g, "CAdmin", "cse-in/ae1"), RSC_OK);
	assert_rsc(rig_retrieve(g, "CAdmin", "cse-in/ae2"), RSC_OK);
	assert_int_equal(counted(g, "/id-in/CAdmin").operations, 1);
	rig_free(g);
}

static void counts_in_its_time(void **state)
{
	struct rig *g = with_rule("'evt':3,'evs':'20270115T080010','eve':'20270115T080020'", "");

	(void)state;
	for (int i = 0; i < 6; i++) {
		assert_rsc(rig_retrieve(g, "CAe1", "cse-in/ae1"), RSC_OK); /* at 0, 5, 10, 15, 20, 25 */
		rig_advance(g, 5000);
	}
	assert_int_equal(counted(g, "/id-in/CAe1").operations, 2);
	rig_free(g);
	g = with_rule("'evt':1,'opt':[2]", ",'cp':{'sce':['* * 9 * * * *']}");
	assert_rsc(rig_retrieve(g, "CAe1", "cse-in/ae1"), RSC_OK);
	rig_advance(g, 3600 * 1000);
	assert_rsc(rig_retrieve(g, "CAe1", "cse-in/ae1"), RSC_OK);
	assert_int_equal(counted(g, "/id-in/CAe1").operations, 1);
	rig_free(g);
}

static void follows_its_rules_and_survives_a_restart(void **state)
{
	struct rig *g = with_rule("'evt':1,'opt':[3]", "");

	(void)state;
	label(g, "CAe1", "cse-in/ae1", "x");
	rig_advance(g, 6000);
	rig_restart(g);
	assert_int_equal(counted(g, "/id-in/CAe1").operations, 1);
	label(g, "CAe1", "cse-in/ae1", "y");
	assert_int_equal(counted(g, "/id-in/CAe1").operations, 2);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/rule", "{'m2m:stcl':{'srs':2}}"), RSC_UPDATED);
	label(g, "CAe1", "cse-in/ae1", "z");
	assert_int_equal(counted(g, "/id-in/CAe1").operations, 2);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/rule", "{'m2m:stcl':{'srs':1}}"), RSC_UPDATED);
	label(g, "CAe1", "cse-in/ae1", "z");
	assert_int_equal(counted(g, "/id-in/CAe1").operations, 3);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/rule"), RSC_DELETED);
	assert_int_equal(counted(g, "/id-in/CAe1").records, 0);
	rig_restart(g);
	assert_int_equal(counted(g, "/id-in/CAe1").records, 0);
	rig_free(g);
}

static void needs_what_the_event_is_of(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_STATS_CONFIG, "{'m2m:stcg':{'rn':'cfg'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/cfg", TY_EVENT_CONFIG, "{'m2m:evcg':{'evt':1}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/cfg", TY_EVENT_CONFIG, "{'m2m:evcg':{'evt':2}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/cfg", TY_EVENT_CONFIG, "{'m2m:evcg':{'evt':3}}"), RSC_BAD_REQUEST);
	rig_free(g);
}

/* ---- app rules ---- */

static enum onem2m_rsc join(struct rig *g, const char *from, const char *api, const char *peer)
{
	return rig_ask(g, (struct onem2m_request){.operation = ONEM2M_CREATE, .type = TY_AE, .from = rd_str(from), .to = rd_str("cse-in"), .rcn = 0, .peer = peer,
	    .content = rd_str(rig_json(g, rig_fmt(g, "{'m2m:ae':{'api':'%s','rr':false,'srv':['4']}}", api)))})->rsc;
}

static void registers_aes_by_the_rules_of_its_profile(void **state)
{
	static const struct {
		const char *from, *api;
		enum onem2m_rsc rsc;
	} cases[] = {
		{"CLamp1", "Nlight.hall", RSC_CREATED},
		{"CLamp2", "Npump", RSC_APP_RULE_VALIDATION_FAILED},
		{"COther", "Nlight.hall", RSC_APP_RULE_VALIDATION_FAILED},
		{"CAny", "Nboss", RSC_CREATED},
		{"C", "Nlight.hall", RSC_APP_RULE_VALIDATION_FAILED},
		{"C", "Nboss", RSC_CREATED},
	};
	struct rig *g = rig_new();

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_SERVICE_SUBSCRIBED_APP_RULE, "{'m2m:asar':{'rn':'r1','aai':['Nlight*'],'aae':['CLamp*']}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_SERVICE_SUBSCRIBED_APP_RULE, "{'m2m:asar':{'rn':'r2','aai':['Nboss']}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_M2M_SERVICE_SUBSCRIPTION_PROFILE, "{'m2m:mssp':{'rn':'p'}}"), RSC_CREATED);
	/* another CSE's node does not matter here, nor one without rules */
	assert_rsc(rig_create(g, "CAdmin", "cse-in/p", TY_SERVICE_SUBSCRIBED_NODE, "{'m2m:svsn':{'ni':'1','csi':'/id-mn','rlk':['cse-in/r2']}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/p", TY_SERVICE_SUBSCRIBED_NODE, "{'m2m:svsn':{'ni':'2','csi':'/id-in'}}"), RSC_CREATED);
	assert_int_equal(join(g, "CFree", "Nanything", ""), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/p", TY_SERVICE_SUBSCRIBED_NODE, "{'m2m:svsn':{'rn':'n','ni':'3','csi':'/id-in','rlk':['cse-in/r1','cse-in/r2']}}"), RSC_CREATED);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(join(g, cases[i].from, cases[i].api, ""), cases[i].rsc);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/p"), RSC_DELETED);
	assert_int_equal(join(g, "CLamp2", "Npump", ""), RSC_CREATED);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_operations_of_its_entities),
		cmocka_unit_test(counts_what_the_event_says),
		cmocka_unit_test(counts_by_size_and_by_resource),
		cmocka_unit_test(counts_in_its_time),
		cmocka_unit_test(follows_its_rules_and_survives_a_restart),
		cmocka_unit_test(needs_what_the_event_is_of),
		cmocka_unit_test(registers_aes_by_the_rules_of_its_profile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
