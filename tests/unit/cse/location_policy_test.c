/* locationPolicy: its container, and geofences. */
#include "harness.h"

#define AREA "{'type':'Polygon','coordinates':[[[0,0],[10,0],[10,10],[0,10]]]}"

static struct rig *with_policy(const char *members)
{
	struct rig *g = rig_new();

	rig_ae(g, "CAe", "ae", "");
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_LOCATION_POLICY, rig_fmt(g, "{'m2m:lcp':{'rn':'p','los':2,'lon':'where'%s}}", members)), RSC_CREATED);
	return g;
}

static void be_at(struct rig *g, const char *position)
{
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/where", TY_CONTENT_INSTANCE, rig_fmt(g, "{'m2m:cin':{'con':{'type':'Point','coordinates':%s}}}", position)), RSC_CREATED);
}

/* The event that the latest is, or 0 when it is the position. */
static uint64_t latest(struct rig *g)
{
	const struct answer *a = rig_retrieve(g, "CAe", "cse-in/ae/where/la");
	uint64_t n;

	assert_rsc(a, RSC_OK);
	return json_uint(json_path(a->doc, "m2m:cin.con"), &n) ? n : 0;
}

static void checks_what_goes_with_its_source(void **state)
{
	static const struct {
		const char *members;
		enum onem2m_rsc rsc;
	} cases[] = {
		{"'los':2", RSC_CREATED},
		{"'lou':['PT5S']", RSC_BAD_REQUEST},
		{"'los':2,'lot':'1234'", RSC_BAD_REQUEST},
		{"'los':2,'aid':'1234'", RSC_BAD_REQUEST},
		{"'los':2,'rlkl':true", RSC_BAD_REQUEST},
		{"'los':1,'rlkl':true", RSC_CREATED},
		{"'los':2,'gta':'wrong'", RSC_BAD_REQUEST},
		{"'los':2,'gta':{'typ':3,'crd':'[[0,0]]'}", RSC_BAD_REQUEST},
		{"'los':2,'gta':" AREA, RSC_CREATED},
		{"'los':2,'rn':'x','lon':'x'", RSC_BAD_REQUEST},
		{"'los':2,'lon':'a/b'", RSC_BAD_REQUEST},
		{"'los':2,'lon':'twice'", RSC_CREATED},
		{"'los':2,'lon':'twice'", RSC_CONFLICT},
	};
	struct rig *g = rig_new();

	(void)state;
	rig_ae(g, "CAe", "ae", "");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_LOCATION_POLICY, rig_fmt(g, "{'m2m:lcp':{%s}}", cases[i].members)), cases[i].rsc);
	rig_free(g);
}

static void is_linked_with_its_container(void **state)
{
	struct rig *g = with_policy("");
	const struct answer *a = rig_retrieve(g, "CAe", "cse-in/ae/p");

	(void)state;
	assert_value(a, "m2m:lcp.lost", "''");
	assert_value(a, "m2m:lcp.lit", "1");
	assert_value(a, "m2m:lcp.loi", rig_fmt(g, "'%s'", rig_ri(g, "cse-in/ae/where")));
	a = rig_retrieve(g, "CAe", "cse-in/ae/where");
	assert_value(a, "m2m:cnt.li", rig_fmt(g, "'%s'", rig_ri(g, "cse-in/ae/p")));
	assert_value(a, "m2m:cnt.cni", "0");
	be_at(g, "[1,2]");
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/where"), "m2m:cnt.cni", "1");
	rig_restart(g);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/where"), "m2m:cnt.cni", "1");
	rig_free(g);
}

static void goes_with_its_container_and_the_other_way_round(void **state)
{
	struct rig *g;

	(void)state;
	for (int i = 0; i < 4; i++) {
		g = with_policy("");
		if (i & 1)
			rig_restart(g);
		assert_rsc(rig_delete(g, "CAe", i & 2 ? "cse-in/ae/p" : "cse-in/ae/where"), RSC_DELETED);
		assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/p"), RSC_NOT_FOUND);
		assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/where"), RSC_NOT_FOUND);
		rig_free(g);
	}
	g = with_policy("");
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae"), RSC_DELETED);
	rig_restart(g);
	rig_free(g);
}

static void leaves_no_container_when_it_fails(void **state)
{
	struct rig *g = with_policy("");

	(void)state;
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_LOCATION_POLICY, "{'m2m:lcp':{'rn':'where','los':2,'lon':'other'}}"), RSC_CONFLICT);
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/other"), RSC_NOT_FOUND);
	rig_free(g);
}

static void tells_the_event_that_it_is_to(void **state)
{
	static const char *const way[] = {"[5,5]", "[6,5]", "[15,5]", "[16,5]", "[5,5]"};
	static const uint64_t events[5][5] = {
		{0, 0, 0, 0, 0},
		{0, 0, 0, 0, 1}, /* entering */
		{0, 0, 2, 0, 0}, /* leaving */
		{3, 3, 0, 0, 0}, /* inside */
		{0, 0, 0, 4, 0}, /* outside */
	};

	(void)state;
	for (int gec = 1; gec <= 4; gec++) {
		struct rig *g = rig_new();

		rig_ae(g, "CAe", "ae", "");
		assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_LOCATION_POLICY, rig_fmt(g, "{'m2m:lcp':{'los':2,'lit':2,'lon':'where','gec':%d,'gta':" AREA "}}", gec)), RSC_CREATED);
		for (int i = 0; i < 5; i++) {
			be_at(g, way[i]);
			assert_int_equal(latest(g), events[gec][i]);
			assert_int_equal(latest(g), events[gec][i]);
			rig_restart(g);
		}
		rig_free(g);
	}
}

static void looks_at_intervals_where_it_has_one(void **state)
{
	struct rig *g = with_policy(",'lit':2,'gec':2,'lou':['PT10S'],'gta':" AREA);

	(void)state;
	be_at(g, "[15,5]");
	assert_int_equal(latest(g), 0);
	rig_advance(g, 10000);
	assert_int_equal(latest(g), 2);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/p", "{'m2m:lcp':{'lou':['PT1S'],'gec':4}}"), RSC_UPDATED);
	be_at(g, "[16,5]");
	rig_advance(g, 1000);
	assert_int_equal(latest(g), 4);
	rig_restart(g);
	be_at(g, "[17,5]");
	rig_advance(g, 1000);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/where"), "m2m:cnt.cni", "6");
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/p", "{'m2m:lcp':{'lou':null}}"), RSC_UPDATED);
	be_at(g, "[18,5]");
	rig_advance(g, 5000);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/where"), "m2m:cnt.cni", "7");
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_what_goes_with_its_source),
		cmocka_unit_test(is_linked_with_its_container),
		cmocka_unit_test(goes_with_its_container_and_the_other_way_round),
		cmocka_unit_test(leaves_no_container_when_it_fails),
		cmocka_unit_test(tells_the_event_that_it_is_to),
		cmocka_unit_test(looks_at_intervals_where_it_has_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
