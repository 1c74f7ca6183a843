/* What a CSE for conformance suites decides otherwise, where the specification leaves it open. */
#include "harness.h"

static struct rig *rig_in_the_field(void)
{
	struct rig *g = rig_new();

	g->config.testbench = false;
	rig_restart(g);
	return g;
}

static enum onem2m_rsc base_by(struct rig *g, const char *from, const char *to)
{
	return rig_retrieve(g, from, to)->rsc;
}

static void a_CSE_ID_alone_is_no_address_for_an_AE(void **state)
{
	static const char *const alone[] = {"/id-in", "//acme.example.com/id-in"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct rig *g = rig_new();

		rig_ae(g, "Ca", "a", "");
		assert_int_equal(base_by(g, "Ca", alone[i]), RSC_BAD_REQUEST);
		assert_int_equal(base_by(g, "CAdmin", alone[i]), RSC_OK);
		assert_int_equal(base_by(g, "Ca", "/id-in/cse-in"), RSC_OK);
		g->config.testbench = false;
		rig_restart(g);
		assert_int_equal(base_by(g, "Ca", alone[i]), RSC_OK);
		rig_free(g);
	}
}

/* disr */
static void fill(struct rig *g)
{
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_CONTAINER, "{'m2m:cnt':{'rn':'c','disr':true}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'rn':'i','con':'x'}}"), RSC_CREATED);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/c/i"), RSC_OPERATION_NOT_ALLOWED);
}

static void a_container_stays_while_its_instances_must_not_be_deleted(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	fill(g);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/c"), RSC_OPERATION_NOT_ALLOWED);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/c", "{'m2m:cnt':{'disr':false}}"), RSC_UPDATED);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/c"), RSC_DELETED);
	rig_free(g);
	g = rig_in_the_field();
	fill(g);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/c"), RSC_DELETED);
	rig_free(g);
}

static const struct answer *reboot(struct rig *g)
{
	assert_rsc(rig_update(g, "CAdmin", "cse-in/n/r", "{'m2m:rbo':{'rbo':true}}"), RSC_UPDATED);
	return rig_retrieve(g, "CAdmin", "cse-in/n/r");
}

static void make_device(struct rig *g)
{
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_NODE, "{'m2m:nod':{'rn':'n','ni':'node'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/n", TY_MGMT_OBJ, "{'m2m:rbo':{'rn':'r','mgd':1009}}"), RSC_CREATED);
}

static void a_reboot_that_no_device_hears_of_is_over(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	make_device(g);
	assert_value(reboot(g), "m2m:rbo.rbo", "false");
	rig_ae(g, "Cdev", "dev", "'poa':['http://dev']");
	assert_rsc(rig_create(g, "CAdmin", "cse-in/n/r", TY_SUBSCRIPTION, "{'m2m:sub':{'rn':'s','nu':['http://dev']}}"), RSC_CREATED);
	assert_value(reboot(g), "m2m:rbo.rbo", "true");
	rig_free(g);
	g = rig_in_the_field();
	make_device(g);
	assert_value(reboot(g), "m2m:rbo.rbo", "true");
	rig_free(g);
}

static void a_request_that_waits_for_its_time_cannot_be_recalled(void **state)
{
	struct rig *g = rig_new();
	struct onem2m_request rq = {.operation = ONEM2M_RETRIEVE, .to = rd_str("cse-in/ae"), .from = rd_str("CAe"), .oet = rd_str("3000"),
		.rcn = ONEM2M_RCN_ABSENT, .rt = ONEM2M_NON_BLOCKING_SYNCH};
	const struct json *uri;

	(void)state;
	rig_ae(g, "CAe", "ae", "");
	uri = json_get(rig_ask(g, rq)->doc, "m2m:uri");
	assert_non_null(uri);
	assert_rsc(rig_delete(g, "CAe", rig_fmt(g, "%.*s", (int)uri->text.left, (const char *)uri->text.at)), RSC_UNABLE_TO_RECALL_REQUEST);
	rig_advance(g, 3100);
	assert_rsc(rig_delete(g, "CAe", rig_fmt(g, "%.*s", (int)uri->text.left, (const char *)uri->text.at)), RSC_DELETED);
	rig_free(g);
}

static void an_empty_monitor_of_operations_is_a_mistake(void **state)
{
	static const char any[] = "{'m2m:sub':{'rn':'s','nu':['http://sink'],'enc':{'om':[{}]}}}";
	struct rig *g = rig_new();

	(void)state;
	rig_ae(g, "Ca", "a", "");
	assert_rsc(rig_create(g, "Ca", "cse-in/a", TY_SUBSCRIPTION, any), RSC_BAD_REQUEST);
	g->config.testbench = false;
	rig_restart(g);
	assert_rsc(rig_create(g, "Ca", "cse-in/a", TY_SUBSCRIPTION, any), RSC_CREATED);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_CSE_ID_alone_is_no_address_for_an_AE),
		cmocka_unit_test(a_container_stays_while_its_instances_must_not_be_deleted),
		cmocka_unit_test(a_reboot_that_no_device_hears_of_is_over),
		cmocka_unit_test(an_empty_monitor_of_operations_is_a_mistake),
		cmocka_unit_test(a_request_that_waits_for_its_time_cannot_be_recalled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
