/* The interview of a device and what follows it: questions in their order, answers, silence, reports, commands and their confirmation. */
#include "rig.h"

#include <string.h>

#define ENDPOINT 11

static struct rig r;

static int listener(void **state)
{
	(void)state;
	rig_init(&r, false);
	rig_join(&r);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_clear(&r);
	return 0;
}

static void acknowledge(const struct rig_down *d)
{
	struct aps_frame ack;

	if (!d->aps.ack_request)
		return;
	aps_ack_for(&d->aps, &ack);
	assert_int_equal(rig_aps(&r, &ack), OK);
}

/* BDB: a joined device ends its commissioning with a broadcast Mgmt_Permit_Joining. */
static void commissioned(struct rig_down *d)
{
	const struct zdo_message m = {.cluster = ZDO_MGMT_PERMIT_JOINING, .permit_duration = 180, .tc_significance = 1};
	uint8_t buffer[16];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct aps_frame f = {.type = APS_DATA, .delivery = APS_BROADCAST, .cluster = m.cluster, .profile = APS_PROFILE_ZDP, .counter = r.aps_counter++};

	assert_int_equal(zdo_encode(&m, &w), OK);
	f.payload = rd_of(w.octets, w.len);
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 0);
	rig_run(&r, 1000);
	assert_true(rig_asked(&r, d));
}

static void answer_zdo(const struct rig_down *d, struct zdo_message *m, struct rig_down *next)
{
	m->cluster = d->zdo.cluster | ZDO_RESPONSE;
	m->sequence = d->zdo.sequence;
	m->short_address = RIG_SHORT;
	assert_int_equal(rig_zdo(&r, m), OK);
	if (next)
		assert_true(rig_asked(&r, next));
}

static void answer_zcl(const struct rig_down *d, uint8_t command, struct rd payload, struct rig_down *next)
{
	uint16_t cluster = d->aps.cluster;

	assert_int_equal(rig_zcl(&r, cluster, ZCL_GLOBAL, command, d->zcl.sequence, payload), OK);
	if (next)
		assert_true(rig_asked(&r, next));
}

static void expect_zdo(const struct rig_down *d, uint16_t cluster)
{
	assert_int_equal(d->aps.profile, APS_PROFILE_ZDP);
	assert_int_equal(d->aps.cluster, cluster);
	assert_int_equal(d->aps.destination_endpoint, 0);
	assert_true(d->aps.ack_request);
}

static void expect_zcl(const struct rig_down *d, uint16_t cluster, uint8_t command)
{
	assert_int_equal(d->aps.profile, APS_PROFILE_HOME_AUTOMATION);
	assert_int_equal(d->aps.cluster, cluster);
	assert_int_equal(d->aps.destination_endpoint, ENDPOINT);
	assert_int_equal(d->zcl.command, command);
	assert_false(d->zcl.from_server);
}

/* Up to the question for the Basic cluster. */
static void describe(uint16_t device, const uint16_t *clusters, uint8_t count, struct rig_down *d)
{
	struct zdo_message m = {.endpoint_count = 2, .endpoints = {ENDPOINT, 242}};

	commissioned(d);
	expect_zdo(d, ZDO_ACTIVE_EP);
	assert_int_equal(d->zdo.short_address, RIG_SHORT);
	acknowledge(d);
	answer_zdo(d, &m, d);
	expect_zdo(d, ZDO_SIMPLE_DESC);
	assert_int_equal(d->zdo.endpoint, ENDPOINT);
	acknowledge(d);
	m.simple = (struct zdo_simple_descriptor){.endpoint = ENDPOINT, .profile = APS_PROFILE_HOME_AUTOMATION, .device = device, .in_count = count};
	memcpy(m.simple.in, clusters, count * sizeof clusters[0]);
	answer_zdo(d, &m, d);
	expect_zcl(d, ZCL_BASIC, ZCL_READ);
	acknowledge(d);
}

static void answer_basic(struct rig_down *d)
{
	const struct zcl_value maker = {.type = ZCL_CHAR_STRING, .octets = rd_str("Mak\"ers\x01")}, model = {.type = ZCL_CHAR_STRING, .octets = rd_str("M-1")};
	uint8_t buffer[64];
	struct wr w = wr_of(buffer, sizeof buffer);

	assert_int_equal(d->zcl.payload.left, 4); /* attributes 4 and 5 */
	assert_memory_equal(d->zcl.payload.at, "\4\0\5\0", 4);
	zcl_read_response_put(&w, 4, ZCL_SUCCESS, &maker);
	zcl_read_response_put(&w, 5, ZCL_SUCCESS, &model);
	answer_zcl(d, ZCL_READ_RESPONSE, rd_of(w.octets, w.len), d);
}

static void expect_bind(const struct rig_down *d, uint16_t cluster)
{
	expect_zdo(d, ZDO_BIND);
	assert_true(d->zdo.bind.source == RIG_DEVICE && d->zdo.bind.destination == RIG_GATEWAY);
	assert_int_equal(d->zdo.bind.source_endpoint, ENDPOINT);
	assert_int_equal(d->zdo.bind.destination_endpoint, 1);
	assert_int_equal(d->zdo.bind.cluster, cluster);
}

/* The reports that are asked for are those of the mapping. */
static void expect_reporting(const struct rig_down *d, uint16_t cluster)
{
	struct rd in = d->zcl.payload;
	const struct mapping *m;
	struct zcl_record rec;

	expect_zcl(d, cluster, ZCL_CONFIGURE_REPORTING);
	for (size_t i = 0; (m = mapping_at(cluster, 0, i)) != NULL; i++) {
		assert_true(zcl_configure_next(&in, &rec));
		assert_int_equal(rec.direction, 0);
		assert_int_equal(rec.attribute, m->attribute);
		assert_int_equal(rec.type, m->type);
		assert_int_equal(rec.minimum_s, m->minimum_s);
		assert_int_equal(rec.maximum_s, m->maximum_s);
		if (!zcl_type_is_discrete(rec.type))
			assert_true(rec.change.number == m->change);
	}
	assert_true(rd_end(&in));
}

static void a_plug_is_interviewed_from_endpoints_to_values(void **state)
{
	static const uint16_t clusters[] = {ZCL_BASIC, ZCL_IDENTIFY, ZCL_ON_OFF, ZCL_METERING}, mapped[] = {ZCL_ON_OFF, ZCL_METERING};
	struct zdo_message bound = {.status = ZDO_SUCCESS};
	const struct zcl_value on = {.type = ZCL_BOOL, .number = 1}, watts = {.type = ZCL_INT24, .number = 42};
	const uint8_t success = ZCL_SUCCESS;
	uint8_t buffer[64];
	struct rig_down d;
	struct wr w;

	(void)state;
	describe(0x0051, clusters, 4, &d);
	answer_basic(&d);
	assert_int_equal(rig_effects(&r, OCI_DESCRIBED), 1); /* its resources are made before its first value */
	assert_string_equal(rig_device(&r)->manufacturer, "Makers");
	assert_string_equal(rig_device(&r)->model, "M-1");
	for (size_t i = 0; i < 2; i++) {
		expect_bind(&d, mapped[i]);
		acknowledge(&d);
		answer_zdo(&d, &bound, &d);
		assert_int_equal(rig_effects(&r, OCI_DESCRIBED), 0);
	}
	for (size_t i = 0; i < 2; i++) {
		expect_reporting(&d, mapped[i]);
		acknowledge(&d);
		answer_zcl(&d, ZCL_CONFIGURE_REPORTING_RESPONSE, rd_of(&success, 1), &d);
	}
	expect_zcl(&d, ZCL_ON_OFF, ZCL_READ);
	acknowledge(&d);
	w = wr_of(buffer, sizeof buffer);
	zcl_read_response_put(&w, 0, ZCL_SUCCESS, &on);
	answer_zcl(&d, ZCL_READ_RESPONSE, rd_of(w.octets, w.len), &d);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "true");
	expect_zcl(&d, ZCL_METERING, ZCL_READ);
	assert_int_equal(d.zcl.payload.left, 4);
	acknowledge(&d);
	w = wr_of(buffer, sizeof buffer);
	zcl_read_response_put(&w, 0, ZCL_UNSUPPORTED_ATTRIBUTE, NULL);
	zcl_read_response_put(&w, 0x400, ZCL_SUCCESS, &watts);
	answer_zcl(&d, ZCL_READ_RESPONSE, rd_of(w.octets, w.len), NULL);
	assert_int_equal(rig_effects(&r, OCI_VALUE), 1);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "42");
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->mapping->member, "power");
	assert_true(rig_text(&r, OCI_EVENT, "interviewed"));
	assert_int_equal(r.stored.interview, OCI_INTERVIEW_DONE);
	assert_int_equal(rig_device(&r)->zcl_device, 0x0051);
	assert_true(oci_core_deadline(r.core) == CLOCK_NEVER);
	rig_restart(&r); /* known: no second interview, but its resources are looked after */
	assert_int_equal(rig_effects(&r, OCI_DESCRIBED), 1);
	assert_true(oci_core_deadline(r.core) == CLOCK_NEVER);
}

static void a_contact_sensor_is_enrolled(void **state)
{
	static const uint16_t clusters[] = {ZCL_BASIC, ZCL_IAS_ZONE};
	const struct zcl_value contact = {.type = ZCL_ENUM16, .number = 0x0015};
	struct zcl_record rec;
	uint8_t buffer[64];
	struct rig_down d;
	struct rd in;
	struct wr w = wr_of(buffer, sizeof buffer);

	(void)state;
	describe(0x0402, clusters, 2, &d);
	answer_basic(&d);
	assert_int_equal(rig_effects(&r, OCI_DESCRIBED), 0); /* what it is comes with its zone type */
	expect_zcl(&d, ZCL_IAS_ZONE, ZCL_READ);
	acknowledge(&d);
	zcl_read_response_put(&w, 1, ZCL_SUCCESS, &contact);
	answer_zcl(&d, ZCL_READ_RESPONSE, rd_of(w.octets, w.len), &d);
	assert_int_equal(rig_device(&r)->zone_type, 0x0015);
	expect_zcl(&d, ZCL_IAS_ZONE, ZCL_WRITE);
	in = d.zcl.payload;
	assert_true(zcl_report_next(&in, &rec) && rd_end(&in));
	assert_int_equal(rec.attribute, 0x0010); /* IAS_CIE_Address */
	assert_int_equal(rec.value.type, ZCL_EUI64);
	assert_true(rec.value.number == RIG_GATEWAY);
	acknowledge(&d);
	answer_zcl(&d, ZCL_WRITE_RESPONSE, rd_of("", 1), &d);
	assert_int_equal(rig_effects(&r, OCI_DESCRIBED), 1);
	expect_bind(&d, ZCL_IAS_ZONE);
	/* the device enrols when it knows where */
	assert_int_equal(rig_zcl(&r, ZCL_IAS_ZONE, ZCL_CLUSTER, ZCL_IAS_ENROLL_REQUEST, 70, rd_of("\x15\x00\x00\x00", 4)), OK);
	assert_true(rig_asked(&r, &d));
	expect_zcl(&d, ZCL_IAS_ZONE, ZCL_IAS_ENROLL_RESPONSE);
	assert_int_equal(d.zcl.type, ZCL_CLUSTER);
	assert_int_equal(d.zcl.payload.at[0], 0);
	assert_int_equal(rig_zcl(&r, ZCL_IAS_ZONE, ZCL_CLUSTER, ZCL_IAS_STATUS_CHANGE, 71, rd_of("\x01\x00\x00\x01\x00\x00", 6)), OK);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "2"); /* open */
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->mapping->root, "cod:dooSs");
}

static void a_device_that_says_nothing_is_asked_after_twelve_seconds(void **state)
{
	struct rig_down d;

	(void)state;
	rig_run(&r, 11000);
	assert_int_equal(r.count, 0);
	rig_run(&r, 2000);
	assert_true(rig_asked(&r, &d));
	expect_zdo(&d, ZDO_ACTIVE_EP);
}

/* Every question in all the time, without the repeats of the APS layer. */
static size_t questions(uint8_t *sequences, size_t capacity)
{
	struct rig_down d;
	size_t n = 0;

	for (size_t i = 0; rig_down(&r, i, &d); i++) {
		bool again = false;

		assert_int_equal(d.aps.cluster, ZDO_ACTIVE_EP);
		for (size_t k = 0; k < n; k++)
			again = again || sequences[k] == d.zdo.sequence;
		if (!again && n < capacity)
			sequences[n++] = d.zdo.sequence;
	}
	return n;
}

static void a_device_that_never_answers_is_asked_for_ever_but_seldom(void **state)
{
	uint8_t sequences[200];
	size_t n, frames;

	(void)state;
	rig_run(&r, 12000 + 3 * 6000 + 1000);
	assert_int_equal(questions(sequences, sizeof sequences), 3);
	assert_true(rig_text(&r, OCI_LOG, "the device does not answer its interview"));
	rig_run(&r, 50000);
	assert_int_equal(rig_effects(&r, OCI_LOG), 0); /* then there is quiet for a minute */
	rig_run(&r, 600000);
	n = questions(sequences, sizeof sequences);
	frames = rig_effects(&r, OCI_DOWNLINK);
	assert_in_range(n, 15, 30);    /* three a round, a round takes 78 s */
	assert_in_range(frames, n, 4 * n);
	assert_true(rig_effects(&r, OCI_LOG) >= 5); /* a line a round */
	assert_null(rig_effect(&r, OCI_DESCRIBED, 0));
	assert_int_equal(rig_device(&r)->interview, OCI_INTERVIEW_ENDPOINTS);
}

static void what_a_device_does_not_answer_is_left_out(void **state)
{
	static const uint16_t clusters[] = {ZCL_BASIC, ZCL_IAS_ZONE, ZCL_ON_OFF};
	struct rig_down d;

	(void)state;
	describe(0x0051, clusters, 3, &d);
	rig_run(&r, 200000); /* not one answer from now on */
	assert_int_equal(rig_effects(&r, OCI_DESCRIBED), 1);
	assert_true(rig_text(&r, OCI_EVENT, "interviewed"));
	assert_int_equal(rig_device(&r)->interview, OCI_INTERVIEW_DONE);
	assert_true(oci_core_deadline(r.core) == CLOCK_NEVER);
}

static void what_a_device_refuses_is_left_out_at_once(void **state)
{
	static const uint16_t clusters[] = {ZCL_BASIC, ZCL_ON_OFF};
	struct zdo_message refused = {.status = ZDO_NOT_SUPPORTED};
	const uint8_t no_reporting[] = {ZCL_CONFIGURE_REPORTING, ZCL_UNSUP_GENERAL_COMMAND}, no_reading[] = {ZCL_READ, ZCL_UNSUP_GENERAL_COMMAND};
	struct rig_down d;

	(void)state;
	describe(0x0051, clusters, 2, &d);
	answer_zcl(&d, ZCL_DEFAULT_RESPONSE, rd_of(no_reading, 2), &d);
	expect_bind(&d, ZCL_ON_OFF);
	answer_zdo(&d, &refused, &d);
	expect_zcl(&d, ZCL_ON_OFF, ZCL_CONFIGURE_REPORTING);
	answer_zcl(&d, ZCL_DEFAULT_RESPONSE, rd_of(no_reporting, 2), &d);
	expect_zcl(&d, ZCL_ON_OFF, ZCL_READ);
	answer_zcl(&d, ZCL_DEFAULT_RESPONSE, rd_of(no_reading, 2), NULL);
	assert_true(rig_text(&r, OCI_EVENT, "interviewed"));
}

static void answers_to_other_questions_do_not_count(void **state)
{
	struct zdo_message m = {.endpoint_count = 1, .endpoints = {ENDPOINT}};
	struct rig_down d;

	(void)state;
	commissioned(&d);
	m.cluster = ZDO_ACTIVE_EP | ZDO_RESPONSE;
	m.sequence = (uint8_t)(d.zdo.sequence + 1);
	assert_int_equal(rig_zdo(&r, &m), OK);
	assert_int_equal(rig_device(&r)->interview, OCI_INTERVIEW_ENDPOINTS);
	m.cluster = ZDO_BIND | ZDO_RESPONSE; /* the right number of the wrong question */
	m.sequence = d.zdo.sequence;
	assert_int_equal(rig_zdo(&r, &m), OK);
	assert_int_equal(rig_device(&r)->interview, OCI_INTERVIEW_ENDPOINTS);
	m.endpoint_count = 0; /* no endpoint at all */
	answer_zdo(&d, &m, NULL);
	assert_int_equal(rig_device(&r)->interview, OCI_INTERVIEW_ENDPOINTS);
	m.endpoint_count = 1;
	answer_zdo(&d, &m, &d);
	expect_zdo(&d, ZDO_SIMPLE_DESC);
}

static void an_interview_goes_on_after_a_restart(void **state)
{
	static const uint16_t clusters[] = {ZCL_BASIC, ZCL_ON_OFF};
	struct rig_down d;

	(void)state;
	describe(0x0051, clusters, 2, &d);
	rig_restart(&r);
	rig_run(&r, 2000);
	assert_true(rig_asked(&r, &d));
	expect_zcl(&d, ZCL_BASIC, ZCL_READ);
	answer_basic(&d);
	expect_bind(&d, ZCL_ON_OFF);
}

/* ---- the coordinator's own descriptors ---- */

static void the_coordinator_describes_itself(void **state)
{
	struct zdo_message m = {.cluster = ZDO_NODE_DESC, .sequence = 9};
	struct rig_down d;

	(void)state;
	assert_int_equal(rig_zdo(&r, &m), OK);
	assert_true(rig_asked(&r, &d));
	expect_zdo(&d, ZDO_NODE_DESC | ZDO_RESPONSE);
	assert_int_equal(d.zdo.sequence, 9);
	assert_int_equal(d.zdo.node.logical_type, ZDO_COORDINATOR);
	assert_true(d.zdo.node.server_mask & ZDO_SERVER_PRIMARY_TRUST_CENTER);
	assert_true(ZDO_STACK_REVISION(d.zdo.node.server_mask) >= 21); /* below, a device keeps the well-known key */
	m.short_address = 0x1111;
	assert_int_equal(rig_zdo(&r, &m), OK);
	assert_true(rig_asked(&r, &d));
	assert_int_equal(d.zdo.status, ZDO_DEVICE_NOT_FOUND);
	m = (struct zdo_message){.cluster = ZDO_ACTIVE_EP};
	assert_int_equal(rig_zdo(&r, &m), OK);
	assert_true(rig_asked(&r, &d));
	assert_int_equal(d.zdo.endpoint_count, 1);
	assert_int_equal(d.zdo.endpoints[0], 1);
	m = (struct zdo_message){.cluster = ZDO_SIMPLE_DESC, .endpoint = 1};
	assert_int_equal(rig_zdo(&r, &m), OK);
	assert_true(rig_asked(&r, &d));
	assert_int_equal(d.zdo.simple.profile, APS_PROFILE_HOME_AUTOMATION);
	m.endpoint = 2;
	assert_int_equal(rig_zdo(&r, &m), OK);
	assert_true(rig_asked(&r, &d));
	assert_int_equal(d.zdo.status, ZDO_NOT_ACTIVE);
	m = (struct zdo_message){.cluster = ZDO_IEEE_ADDR};
	assert_int_equal(rig_zdo(&r, &m), OK);
	assert_true(rig_asked(&r, &d));
	assert_true(d.zdo.eui64 == RIG_GATEWAY);
	m = (struct zdo_message){.cluster = ZDO_NWK_ADDR, .eui64 = RIG_GATEWAY};
	assert_int_equal(rig_zdo(&r, &m), OK);
	assert_true(rig_asked(&r, &d));
	m.eui64 = 99;
	assert_int_equal(rig_zdo(&r, &m), OK);
	assert_false(rig_asked(&r, &d)); /* whom it looks for is not us */
	m = (struct zdo_message){.cluster = ZDO_MATCH_DESC, .simple = {.profile = APS_PROFILE_HOME_AUTOMATION, .in_count = 1, .in = {ZCL_IAS_ZONE}}};
	assert_int_equal(rig_zdo(&r, &m), OK);
	assert_true(rig_asked(&r, &d));
	m = (struct zdo_message){.cluster = ZDO_MGMT_LEAVE};
	assert_int_equal(rig_zdo(&r, &m), OK);
	assert_true(rig_asked(&r, &d));
	assert_int_equal(d.zdo.status, ZDO_NOT_SUPPORTED);
}

static void an_unknown_request_is_refused_and_an_unknown_answer_ignored(void **state)
{
	struct aps_frame f = {.type = APS_DATA, .cluster = 0x0033, .profile = APS_PROFILE_ZDP, .counter = 1, .payload = rd_of("\x2a\x00", 2)};
	struct rig_down d;

	(void)state;
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_true(rig_asked(&r, &d));
	assert_int_equal(d.aps.cluster, 0x8033);
	assert_int_equal(d.aps.payload.at[0], 0x2a);
	assert_int_equal(d.aps.payload.at[1], ZDO_NOT_SUPPORTED);
	f.cluster = 0x8033;
	f.counter++;
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_int_equal(r.count, 0);
	f.cluster = ZDO_NODE_DESC; /* and one octet short */
	f.counter++;
	f.payload = rd_of("\x2a\x00", 2);
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_int_equal(r.count, 0);
}

/* ---- commands ---- */

static int switchable(void **state)
{
	struct oci_device *d;

	(void)listener(state);
	d = rig_device(&r);
	d->interview = OCI_INTERVIEW_DONE;
	d->step_at = CLOCK_NEVER;
	d->endpoint = ENDPOINT;
	d->clusters[0] = ZCL_ON_OFF;
	d->cluster_count = 1;
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 0), OK); /* it is off */
	return 0;
}

/* What an UPDATE of binarySwitch's state comes to. */
static bool switched(bool on, struct rig_down *d)
{
	oci_core_switch(r.core, r.now, RIG_DEVICE, on);
	rig_collect(&r);
	return rig_asked(&r, d);
}

static void an_update_of_the_switch_is_a_command(void **state)
{
	struct rig_down d;

	(void)state;
	assert_true(switched(true, &d));
	expect_zcl(&d, ZCL_ON_OFF, ZCL_ON_OFF_ON);
	assert_int_equal(d.zcl.type, ZCL_CLUSTER);
	assert_int_equal(d.zcl.payload.left, 0);
	acknowledge(&d);
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 1), OK);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "true");
	assert_true(switched(false, &d));
	expect_zcl(&d, ZCL_ON_OFF, ZCL_ON_OFF_OFF);
}

static void our_own_mirror_is_no_command(void **state)
{
	struct rig_down d;

	(void)state;
	assert_false(switched(false, &d)); /* the value that its report gave */
	rig_device(&r)->cluster_count = 0;
	assert_false(switched(true, &d)); /* has no switch */
	oci_core_switch(r.core, r.now, 12345, true);
}

static void a_report_from_before_the_command_is_not_shown(void **state)
{
	struct rig_down d;

	(void)state;
	assert_true(switched(true, &d));
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 0), OK);
	assert_null(rig_effect(&r, OCI_VALUE, 0));
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 1), OK);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "true");
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 0), OK); /* somebody pressed the button */
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "false");
}

static void a_default_response_confirms_or_refuses(void **state)
{
	const uint8_t fine[] = {ZCL_ON_OFF_ON, ZCL_SUCCESS}, refused[] = {ZCL_ON_OFF_OFF, ZCL_FAILURE};
	struct rig_down d;

	(void)state;
	assert_true(switched(true, &d));
	assert_int_equal(rig_zcl(&r, ZCL_ON_OFF, ZCL_GLOBAL, ZCL_DEFAULT_RESPONSE, (uint8_t)(d.zcl.sequence + 1), rd_of(fine, 2)), OK);
	assert_null(rig_effect(&r, OCI_VALUE, 0)); /* another command's */
	answer_zcl(&d, ZCL_DEFAULT_RESPONSE, rd_of(fine, 2), NULL);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "true");
	assert_true(switched(false, &d));
	answer_zcl(&d, ZCL_DEFAULT_RESPONSE, rd_of(refused, 2), NULL);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "true"); /* back to what it is */
	assert_int_equal(rig_effects(&r, OCI_LOG), 1);
}

static void a_command_that_is_never_confirmed_is_taken_back(void **state)
{
	struct rig_down d;

	(void)state;
	assert_true(switched(true, &d));
	rig_run(&r, 14000);
	assert_null(rig_effect(&r, OCI_VALUE, 0));
	rig_run(&r, 2000);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "false");
	assert_true(rig_text(&r, OCI_LOG, "the device did not confirm a command"));
	assert_true(switched(true, &d)); /* asked again, it is tried again */
}

static void reports_of_nonsense_show_nothing(void **state)
{
	(void)state;
	assert_int_equal(rig_report(&r, ZCL_TEMPERATURE, 0, ZCL_INT16, 0x8000), OK);
	assert_int_equal(r.count, 0);
	assert_int_equal(rig_report(&r, ZCL_TEMPERATURE, 0x7777, ZCL_INT16, 1), OK);
	assert_int_equal(r.count, 0);
	assert_int_equal(rig_zcl(&r, ZCL_TEMPERATURE, ZCL_GLOBAL, ZCL_REPORT, 1, rd_of("\0\0\x29\x01", 4)), OK); /* an octet short */
	assert_int_equal(r.count, 0);
	{
		struct aps_frame f = {.type = APS_DATA, .destination_endpoint = 1, .source_endpoint = 1, .cluster = ZCL_ON_OFF,
			.profile = APS_PROFILE_HOME_AUTOMATION, .counter = 99, .payload = rd_of("\x01\x05\x01", 3)};

		assert_int_equal(rig_aps(&r, &f), OK); /* a command to us from a client: we are no switch */
		assert_int_equal(r.count, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_plug_is_interviewed_from_endpoints_to_values, listener, teardown),
		cmocka_unit_test_setup_teardown(a_contact_sensor_is_enrolled, listener, teardown),
		cmocka_unit_test_setup_teardown(a_device_that_says_nothing_is_asked_after_twelve_seconds, listener, teardown),
		cmocka_unit_test_setup_teardown(a_device_that_never_answers_is_asked_for_ever_but_seldom, listener, teardown),
		cmocka_unit_test_setup_teardown(what_a_device_does_not_answer_is_left_out, listener, teardown),
		cmocka_unit_test_setup_teardown(what_a_device_refuses_is_left_out_at_once, listener, teardown),
		cmocka_unit_test_setup_teardown(answers_to_other_questions_do_not_count, listener, teardown),
		cmocka_unit_test_setup_teardown(an_interview_goes_on_after_a_restart, listener, teardown),
		cmocka_unit_test_setup_teardown(the_coordinator_describes_itself, listener, teardown),
		cmocka_unit_test_setup_teardown(an_unknown_request_is_refused_and_an_unknown_answer_ignored, listener, teardown),
		cmocka_unit_test_setup_teardown(an_update_of_the_switch_is_a_command, switchable, teardown),
		cmocka_unit_test_setup_teardown(our_own_mirror_is_no_command, switchable, teardown),
		cmocka_unit_test_setup_teardown(a_report_from_before_the_command_is_not_shown, switchable, teardown),
		cmocka_unit_test_setup_teardown(a_default_response_confirms_or_refuses, switchable, teardown),
		cmocka_unit_test_setup_teardown(a_command_that_is_never_confirmed_is_taken_back, switchable, teardown),
		cmocka_unit_test_setup_teardown(reports_of_nonsense_show_nothing, switchable, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
