/* The cache is as large as it was told to be: what is made from a resource (its parsed attributes, its text with counters) counts too. */
#include "harness.h"

#define CACHE ((size_t)64 * 1024)
#define CONTAINERS 500

/* With a cache of its own size. */
static struct rig *rig_with(size_t octets)
{
	struct rig *g = rig_new();

	g->config.cache_octets = octets;
	rig_restart(g);
	return g;
}

static void parsed_attributes_count(void **state)
{
	struct rig *g = rig_with(CACHE);
	size_t raw;

	(void)state;
	for (unsigned i = 0; i < CONTAINERS; i++)
		assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_CONTAINER, rig_fmt(g, "{'m2m:cnt':{'rn':'c%u','mni':%u,'lbl':['a','b','c']}}", i, i + 1)), RSC_CREATED);
	assert_in_range(tree_octets(g->cse->tree), 1, CACHE);
	/* what is cached now is raw; this looks inside of each */
	rig_restart(g);
	assert_rsc(rig_retrieve(g, "CAdmin", "cse-in?fu=1&mni=7"), RSC_OK);
	assert_in_range(tree_octets(g->cse->tree), 1, CACHE);
	rig_free(g);

	/* and in a cache that holds all of them one sees that they grow */
	g = rig_with(CACHE * 100);
	rig_create(g, "CAdmin", "cse-in", TY_CONTAINER, "{'m2m:cnt':{'rn':'a','lbl':['x']}}");
	rig_restart(g);
	resource_unref(cse_find_address(g->cse, rd_str("cse-in/a")));
	raw = tree_octets(g->cse->tree);
	rig_retrieve(g, "CAdmin", "cse-in?fu=1&mni=7");
	assert_true(tree_octets(g->cse->tree) > raw + 500);
	rig_free(g);
}

/* Nothing that is in use goes away under its user, however small the cache. */
static void works_without_any_room(void **state)
{
	struct rig *g = rig_with(1);

	(void)state;
	rig_ae(g, "Cae", "ae", "");
	assert_rsc(rig_create(g, "Cae", "cse-in/ae", TY_CONTAINER, "{'m2m:cnt':{'rn':'a','mni':2}}"), RSC_CREATED);
	for (int i = 0; i < 5; i++)
		assert_rsc(rig_create(g, "Cae", "cse-in/ae/a", TY_CONTENT_INSTANCE, rig_fmt(g, "{'m2m:cin':{'con':'%d'}}", i)), RSC_CREATED);
	assert_value(rig_retrieve(g, "Cae", "cse-in/ae/a"), "m2m:cnt.cni", "2");
	assert_value(rig_retrieve(g, "Cae", "cse-in/ae/a/la"), "m2m:cin.con", "'4'");
	assert_value(rig_retrieve(g, "Cae", "cse-in/ae/a/ol"), "m2m:cin.con", "'3'");
	assert_rsc(rig_update(g, "Cae", "cse-in/ae/a", "{'m2m:cnt':{'lbl':['x']}}"), RSC_UPDATED);
	assert_value(rig_retrieve(g, "Cae", "cse-in?fu=1&lbl=x"), "m2m:uril", "['cse-in/ae/a']");
	assert_rsc(rig_delete(g, "Cae", "cse-in/ae"), RSC_DELETED);
	assert_in_range(tree_octets(g->cse->tree), 0, 4096);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parsed_attributes_count),
		cmocka_unit_test(works_without_any_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
