/* The interview of a device and what follows it: questions in their order, answers, silence, reports, commands and their confirmation. */
#include "rig.h"

#include <string.h>

#define ENDPOINT 11

static struct rig r;

static int listener(void **state)
{
	(void)state;
	rig_init(&r, false);
	r.endpoint = ENDPOINT;
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

/* A button's command is answered. */
static void expect_zcl_answer(const struct rig_down *d)
{
	assert_true(d->zcl.from_server && d->zcl.command == ZCL_DEFAULT_RESPONSE && d->zcl.sequence == 5);
	assert_memory_equal(d->zcl.payload.at, "\2\0", 2);
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
	const struct zcl_value maker = {.type = ZCL_CHAR_STRING, .octets = rd_str("Mak\"ers\x01")}, model = {.type = ZCL_CHAR_STRING, .octets = rd_str("M-1")},
		build = {.type = ZCL_CHAR_STRING, .octets = rd_str("b7")};
	uint8_t buffer[64];
	struct wr w = wr_of(buffer, sizeof buffer);

	assert_int_equal(d->zcl.payload.left, 4); /* attributes 4 and 5 */
	assert_memory_equal(d->zcl.payload.at, "\4\0\5\0", 4);
	zcl_read_response_put(&w, 4, ZCL_SUCCESS, &maker);
	zcl_read_response_put(&w, 5, ZCL_SUCCESS, &model);
	answer_zcl(d, ZCL_READ_RESPONSE, rd_of(w.octets, w.len), d);
	expect_zcl(d, ZCL_BASIC, ZCL_READ);
	assert_memory_equal(d->zcl.payload.at, "\0\x40\3\0", 4);
	acknowledge(d);
	w = wr_of(buffer, sizeof buffer);
	zcl_read_response_put(&w, 0x4000, ZCL_SUCCESS, &build);
	zcl_read_response_put(&w, 3, ZCL_UNSUPPORTED_ATTRIBUTE, NULL);
	answer_zcl(d, ZCL_READ_RESPONSE, rd_of(w.octets, w.len), d);
	assert_string_equal(rig_device(&r)->software, "b7");
}

static void expect_bind(const struct rig_down *d, uint16_t cluster)
{
	expect_zdo(d, ZDO_BIND);
	assert_true(d->zdo.bind.source == RIG_DEVICE && d->zdo.bind.destination == RIG_GATEWAY);
	assert_int_equal(d->zdo.bind.source_endpoint, ENDPOINT);
	assert_int_equal(d->zdo.bind.destination_endpoint, 1);
	assert_int_equal(d->zdo.bind.cluster, cluster);
}

/* The reports that are asked for are those of the descriptions. */
static void expect_reporting(const struct rig_down *d, uint16_t cluster)
{
	const struct oci_device *device = rig_device(&r);
	struct rd in = d->zcl.payload;
	struct zcl_record rec;

	expect_zcl(d, cluster, ZCL_CONFIGURE_REPORTING);
	for (size_t i = 0; i < device->place_count; i++) {
		const struct point *p = device->places[i].point;

		if (p->cluster != cluster || p->maximum_s == 0)
			continue;
		assert_true(zcl_configure_next(&in, &rec));
		assert_int_equal(rec.direction, 0);
		assert_int_equal(rec.attribute, p->inputs[0]);
		assert_int_equal(rec.type, p->type);
		assert_int_equal(rec.minimum_s, p->minimum_s);
		assert_int_equal(rec.maximum_s, p->maximum_s);
		if (!zcl_type_is_discrete(rec.type))
			assert_true(rec.change.number == p->change);
	}
	assert_true(rd_end(&in));
}

static void a_plug_is_interviewed_from_endpoints_to_values(void **state)
{
	static const uint16_t clusters[] = {ZCL_BASIC, ZCL_IDENTIFY, ZCL_ON_OFF, ZCL_METERING}, mapped[] = {ZCL_ON_OFF, ZCL_METERING};
	struct zdo_message bound = {.status = ZDO_SUCCESS};
	const struct zcl_value on = {.type = ZCL_BOOL, .number = 1}, watts = {.type = ZCL_INT24, .number = 42}, thousand = {.type = ZCL_UINT24, .number = 1000};
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
	assert_int_equal(d.zcl.payload.left, 8);
	assert_memory_equal(d.zcl.payload.at, "\x01\x03\x02\x03\0\0\0\x04", 8); /* multiplier and divisor first */
	acknowledge(&d);
	w = wr_of(buffer, sizeof buffer);
	zcl_read_response_put(&w, 0x301, ZCL_UNSUPPORTED_ATTRIBUTE, NULL);
	zcl_read_response_put(&w, 0x302, ZCL_SUCCESS, &thousand);
	zcl_read_response_put(&w, 0, ZCL_UNSUPPORTED_ATTRIBUTE, NULL);
	zcl_read_response_put(&w, 0x400, ZCL_SUCCESS, &watts);
	answer_zcl(&d, ZCL_READ_RESPONSE, rd_of(w.octets, w.len), NULL);
	assert_int_equal(rig_effects(&r, OCI_VALUE), 1);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "42");
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->point->member, "power");
	assert_true(rig_text(&r, OCI_EVENT, "interviewed"));
	assert_int_equal(r.stored.interview, OCI_INTERVIEW_DONE);
	assert_int_equal(rig_device(&r)->endpoints[0].device, 0x0051);
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
	assert_int_equal(rig_device(&r)->endpoints[0].zone_type, 0x0015);
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
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->point->module->root, "cod:dooSs");
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
	size_t described = 0;

	(void)state;
	describe(0x0051, clusters, 3, &d);
	for (int i = 0; i < 40 && rig_device(&r)->interview != OCI_INTERVIEW_DONE; i++) { /* it is there, and answers nothing from now on */
		assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 1), OK);
		rig_run(&r, 5000);
		described += rig_effects(&r, OCI_DESCRIBED);
	}
	assert_int_equal(described, 1);
	assert_true(rig_text(&r, OCI_EVENT, "interviewed"));
	assert_int_equal(rig_device(&r)->interview, OCI_INTERVIEW_DONE);
	rig_run(&r, 60000);
	assert_true(oci_core_deadline(r.core) == CLOCK_NEVER);
}

static void a_device_that_is_off_meanwhile_is_asked_the_same_again(void **state)
{
	static const uint16_t clusters[] = {ZCL_BASIC, ZCL_ON_OFF};
	struct rig_down d;
	uint8_t nothing[] = {0x04, 0x00, ZCL_UNSUPPORTED_ATTRIBUTE, 0x05, 0x00, ZCL_UNSUPPORTED_ATTRIBUTE};

	(void)state;
	describe(0x0051, clusters, 2, &d);
	rig_run(&r, 600000);
	assert_int_equal(rig_device(&r)->interview, OCI_INTERVIEW_BASIC);
	assert_int_equal(rig_device(&r)->item, 0);
	do /* the next round */
		rig_run(&r, 1000);
	while (!rig_asked(&r, &d));
	expect_zcl(&d, ZCL_BASIC, ZCL_READ);
	answer_zcl(&d, ZCL_READ_RESPONSE, rd_of(nothing, sizeof nothing), &d);
	assert_int_equal(rig_device(&r)->item, 1);
}

/* Its bindings are what they were: it reports before it is described anew, and what it says is acknowledged. */
static void what_a_device_says_that_has_joined_anew_is_shown_while_it_is_asked(void **state)
{
	static const uint16_t clusters[] = {ZCL_BASIC, ZCL_ON_OFF};
	struct zdo_message m = {.endpoint_count = 2, .endpoints = {ENDPOINT, 242}};
	struct secret *next = secret_random(&r.rng, SECRET_AES128);
	struct rig_down d;

	(void)state;
	describe(0x0051, clusters, 2, &d);
	answer_basic(&d);
	assert_int_equal(rig_offer(&r, next, RIG_SEQUENCE + 1, 2), OK);
	secret_free(r.key);
	r.key = next;
	r.key_sequence++;
	r.counter = 0;
	commissioned(&d);
	expect_zdo(&d, ZDO_ACTIVE_EP);
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 1), OK);
	assert_non_null(rig_effect(&r, OCI_VALUE, 0));
	answer_zdo(&d, &m, &d);
	expect_zdo(&d, ZDO_SIMPLE_DESC);
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 0), OK);
	assert_non_null(rig_effect(&r, OCI_VALUE, 0));
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
	expect_zcl(&d, ZCL_BASIC, ZCL_READ);
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

/* Interviewed, with one endpoint that has these clusters. */
static void interviewed(const uint16_t *clusters, uint8_t count)
{
	struct oci_device *d = rig_device(&r);

	d->interview = OCI_INTERVIEW_DONE;
	d->step_at = CLOCK_NEVER;
	d->endpoints[0] = (struct oci_endpoint){.id = ENDPOINT, .in_count = count};
	memcpy(d->endpoints[0].in, clusters, count * sizeof clusters[0]);
	d->endpoint_count = 1;
	d->described_by = descriptions_fingerprint(rig_descriptions());
	r.stored = *d;
	rig_restart(&r);
}

static int switchable(void **state)
{
	static const uint16_t clusters[] = {ZCL_ON_OFF};

	(void)listener(state);
	interviewed(clusters, 1);
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 0), OK); /* it is off */
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->name, "binSh");
	return 0;
}

/* What an UPDATE of binarySwitch's state comes to. */
static bool switched(bool on, struct rig_down *d)
{
	rig_update(&r, "binSh", on ? "{\"state\":true}" : "{\"state\":false}");
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

/* A device that was started anew counts its APS frames from somewhere. */
static void a_repeat_is_dropped_but_no_other_message_of_its_counter(void **state)
{
	(void)state;
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 1), OK);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "true");
	r.aps_counter--;
	r.zcl_sequence--;
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 1), OK);
	assert_int_equal(rig_effects(&r, OCI_VALUE), 0);
	r.aps_counter--;
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 0), OK);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "false");
}

static void what_is_so_already_is_not_said_again(void **state)
{
	struct rig_down d;

	(void)state;
	assert_false(switched(false, &d)); /* the value that its report gave */
	assert_true(switched(true, &d));
	assert_false(switched(true, &d)); /* is on its way */
	rig_update(&r, "binSh-2", "{\"state\":false}"); /* another's */
	assert_int_equal(r.count, 0);
	rig_update(&r, "binSh", "{\"state\":null,\"other\":1}");
	assert_int_equal(r.count, 0);
}

/* It says yes to the command in d. */
static void confirm(const struct rig_down *d)
{
	static const char yes[] = {ZCL_ON_OFF_ON, ZCL_SUCCESS};

	assert_int_equal(rig_zcl(&r, ZCL_ON_OFF, ZCL_GLOBAL, ZCL_DEFAULT_RESPONSE, d->zcl.sequence, rd_of(yes, 2)), OK);
}

/* Frames overtake each other: what it reported before the last command comes after it has confirmed that. */
static void a_late_report_hides_no_command(void **state)
{
	struct rig_down d;

	(void)state;
	assert_true(switched(true, &d));
	acknowledge(&d);
	confirm(&d);
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 0), OK);
	assert_true(switched(false, &d));
	expect_zcl(&d, ZCL_ON_OFF, ZCL_ON_OFF_OFF);
	acknowledge(&d);
	confirm(&d);
	rig_run(&r, 25000);
	assert_false(switched(false, &d)); /* nothing is late any more */
	assert_true(switched(true, &d));
}

static void a_value_that_cannot_be_is_set_back(void **state)
{
	(void)state;
	rig_update(&r, "binSh", "{\"state\":3}");
	assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 0);
	assert_true(rig_text(&r, OCI_LOG, "binSh.state cannot have this value"));
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "false");
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

static void every_module_that_can_be_written_has_its_command(void **state)
{
	/* clang-format off */
	static const struct { uint16_t cluster; const char *name, *json; enum zcl_frame_type type; uint8_t command; const char *payload; size_t len; } cases[] = {
		{ZCL_LEVEL, "brigs", "{\"brigs\":50}", ZCL_CLUSTER, 0x04, "\x7f\0\0", 3},
		{ZCL_COLOUR, "color", "{\"red\":255,\"green\":0,\"blue\":0}", ZCL_CLUSTER, 0x07, "\xd7\xa3\x7b\x54\0\0", 6},
		{ZCL_COLOUR, "colSn", "{\"colSn\":100}", ZCL_CLUSTER, 0x03, "\xfe\0\0", 3},
		{ZCL_THERMOSTAT, "tempe", "{\"tarTe\":21.5}", ZCL_GLOBAL, ZCL_WRITE, "\x12\0\x29\x66\x08", 5},
		{ZCL_THERMOSTAT, "tempe", "{\"tarTe\":-5}", ZCL_GLOBAL, ZCL_WRITE, "\x12\0\x29\x0c\xfe", 5},
		{ZCL_DOOR_LOCK, "lock", "{\"lock\":true}", ZCL_CLUSTER, 0x00, "", 0},
		{ZCL_DOOR_LOCK, "lock", "{\"lock\":false}", ZCL_CLUSTER, 0x01, "", 0},
		{ZCL_WINDOW_COVERING, "opeLl", "{\"opeLl\":30}", ZCL_CLUSTER, 0x05, "\x46", 1},
		{ZCL_IAS_WD, "alaSr", "{\"alaSs\":true}", ZCL_CLUSTER, 0x00, "\x16\xb4\0\x32\x01", 5},
		{ZCL_IAS_WD, "alaSr", "{\"alaSs\":false}", ZCL_CLUSTER, 0x00, "\0\0\0\0\0", 5},
	};
	/* clang-format on */
	struct rig_down d;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		interviewed(&cases[i].cluster, 1);
		rig_update(&r, cases[i].name, cases[i].json);
		assert_true(rig_asked(&r, &d));
		expect_zcl(&d, cases[i].cluster, cases[i].command);
		assert_int_equal(d.zcl.type, cases[i].type);
		assert_int_equal(d.zcl.payload.left, cases[i].len);
		assert_memory_equal(d.zcl.payload.at, cases[i].payload, cases[i].len);
		assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 1); /* one frame for a colour's three members, too */
	}
}

static void a_write_response_confirms_or_refuses(void **state)
{
	static const uint16_t cluster = ZCL_THERMOSTAT;
	const uint8_t fine = ZCL_SUCCESS, refused[] = {ZCL_INVALID_VALUE, 0x12, 0x00};
	struct rig_down d;

	(void)state;
	interviewed(&cluster, 1);
	rig_update(&r, "tempe", "{\"tarTe\":21.5}");
	assert_true(rig_asked(&r, &d));
	answer_zcl(&d, ZCL_WRITE_RESPONSE, rd_of(&fine, 1), NULL);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "21.5");
	rig_update(&r, "tempe", "{\"tarTe\":99}");
	assert_true(rig_asked(&r, &d));
	answer_zcl(&d, ZCL_WRITE_RESPONSE, rd_of(refused, sizeof refused), NULL);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "21.5");
}

static void an_action_is_a_command(void **state)
{
	const struct module *m = descriptions_module(rig_descriptions(), NULL, 0);
	struct rig_down d;

	(void)state;
	assert_string_equal(m->actions[0].name, "togge");
	oci_core_action(r.core, r.now, RIG_DEVICE, "binSh", &m->actions[0]);
	rig_collect(&r);
	assert_true(rig_asked(&r, &d));
	expect_zcl(&d, ZCL_ON_OFF, ZCL_ON_OFF_TOGGLE);
}

static void a_colour_is_shown_when_both_of_its_parts_are_known(void **state)
{
	static const uint16_t cluster = ZCL_COLOUR;
	struct rig_down d;

	(void)state;
	interviewed(&cluster, 1);
	assert_int_equal(rig_report(&r, ZCL_COLOUR, 3, ZCL_UINT16, 0xa3d7), OK);
	assert_null(rig_effect(&r, OCI_VALUE, 0));
	assert_true(rig_asked(&r, &d)); /* the other is asked for */
	assert_int_equal(d.zcl.command, ZCL_READ);
	assert_memory_equal(d.zcl.payload.at, "\4\0", 2);
	assert_int_equal(rig_report(&r, ZCL_COLOUR, 4, ZCL_UINT16, 0x547b), OK);
	assert_int_equal(rig_effects(&r, OCI_VALUE), 3);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "255");
	assert_string_equal(rig_effect(&r, OCI_VALUE, 1)->point->member, "green");
	assert_string_equal(rig_effect(&r, OCI_VALUE, 1)->text, "0");
}

static void what_a_plug_measures_has_one_source(void **state)
{
	static const uint16_t clusters[] = {ZCL_METERING, ZCL_ELECTRICAL};
	struct oci_device *d;

	(void)state;
	interviewed(clusters, 2);
	d = rig_device(&r);
	for (size_t i = 0; i < d->place_count; i++) { /* no factors */
		const struct point *p = d->places[i].point;
		const uint16_t factors[] = {p->multiplier, p->divisor};

		for (size_t k = 0; k < 2; k++)
			d->attributes[d->attribute_count++] = (struct oci_attribute){.endpoint = ENDPOINT, .cluster = p->cluster, .id = factors[k], .refused = true};
	}
	assert_int_equal(rig_report(&r, ZCL_METERING, 0x400, ZCL_INT24, 7), OK);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "7000"); /* kilowatts */
	assert_int_equal(rig_report(&r, ZCL_ELECTRICAL, 0x50b, ZCL_INT16, 42), OK);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "42");
	assert_int_equal(rig_report(&r, ZCL_METERING, 0x400, ZCL_INT24, 7), OK);
	assert_null(rig_effect(&r, OCI_VALUE, 0)); /* the better one is known now */
}

static void a_value_without_its_factors_is_not_shown_but_they_are_asked_for(void **state)
{
	static const uint16_t cluster = ZCL_METERING;
	struct rig_down d;

	(void)state;
	interviewed(&cluster, 1);
	assert_int_equal(rig_report(&r, ZCL_METERING, 0, ZCL_UINT48, 1234), OK);
	assert_null(rig_effect(&r, OCI_VALUE, 0));
	assert_true(rig_asked(&r, &d));
	expect_zcl(&d, ZCL_METERING, ZCL_READ);
	assert_memory_equal(d.zcl.payload.at, "\x01\x03\x02\x03", 4);
}

static void a_button_is_pushed_and_let_go(void **state)
{
	struct aps_frame f = {.type = APS_DATA, .destination_endpoint = 1, .source_endpoint = ENDPOINT, .cluster = ZCL_ON_OFF, .profile = APS_PROFILE_HOME_AUTOMATION,
		.counter = 99, .payload = rd_of("\x01\x05\x02", 3)};
	struct oci_device *d;
	struct rig_down down;

	(void)state;
	d = rig_device(&r);
	d->endpoints[0] = (struct oci_endpoint){.id = ENDPOINT, .out_count = 1, .out = {ZCL_ON_OFF}};
	r.stored = *d;
	rig_restart(&r);
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_int_equal(rig_effects(&r, OCI_VALUE), 2);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->name, "pusBn");
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "true");
	assert_string_equal(rig_effect(&r, OCI_VALUE, 1)->text, "false");
	assert_int_equal(rig_effects(&r, OCI_RAW), 1); /* which button it was is in the command */
	assert_true(rig_asked(&r, &down));
	expect_zcl_answer(&down);
}

static void what_nothing_describes_is_passed_on_as_it_is(void **state)
{
	const struct oci_effect *e;

	(void)state;
	assert_int_equal(rig_report(&r, 0xfc00, 0x7777, ZCL_UINT8, 9), OK);
	e = rig_effect(&r, OCI_RAW, 0);
	assert_non_null(e);
	assert_true(e->raw.cluster == 0xfc00 && e->raw.endpoint == ENDPOINT && e->raw.global && e->raw.from_server && e->raw.command == ZCL_REPORT);
	assert_int_equal(e->len, 4);
	assert_memory_equal(e->octets, "\x77\x77\x20\x09", 4);
	assert_int_equal(rig_zcl(&r, ZCL_ON_OFF, ZCL_CLUSTER, 0x77, 5, rd_of("\1\2", 2)), OK);
	e = rig_effect(&r, OCI_RAW, 0);
	assert_true(e && !e->raw.global && e->raw.command == 0x77 && e->len == 2);
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 1), OK);
	assert_null(rig_effect(&r, OCI_RAW, 0)); /* what is understood is not */
}

static void a_frame_as_it_is_goes_down(void **state)
{
	const struct oci_raw raw = {.endpoint = 3, .cluster = 0xfc00, .manufacturer = 0x115f, .global = false, .command = 9};
	static const uint8_t long_one[100];
	struct rig_down d;

	(void)state;
	assert_int_equal(oci_core_raw(r.core, r.now, RIG_DEVICE, &raw, rd_of("\7\x08", 2)), OK);
	rig_collect(&r);
	assert_true(rig_asked(&r, &d));
	assert_int_equal(d.aps.destination_endpoint, 3);
	assert_int_equal(d.aps.cluster, 0xfc00);
	assert_true(d.zcl.manufacturer_specific && d.zcl.manufacturer == 0x115f && d.zcl.command == 9 && d.zcl.payload.left == 2);
	assert_int_equal(oci_core_raw(r.core, r.now, RIG_DEVICE, &raw, rd_of(long_one, sizeof long_one)), ERR_TOO_LONG);
	assert_int_equal(oci_core_raw(r.core, r.now, 5, &raw, rd_of("", 0)), ERR_UNKNOWN_DEVICE);
}

/* ---- several endpoints, and devices that do not report ---- */

static void two_switches_of_one_device_are_two_resources(void **state)
{
	struct oci_device *d = rig_device(&r);
	struct rig_down down;

	(void)state;
	d->endpoints[1] = (struct oci_endpoint){.id = 12, .in_count = 1, .in = {ZCL_ON_OFF}};
	d->endpoint_count = 2;
	r.stored = *d;
	rig_restart(&r);
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 1), OK);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->name, "binSh");
	r.endpoint = 12;
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 0), OK);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->name, "binSh-12");
	rig_update(&r, "binSh-12", "{\"state\":true}");
	assert_true(rig_asked(&r, &down));
	assert_int_equal(down.aps.destination_endpoint, 12);
	rig_update(&r, "binSh", "{\"state\":false}");
	assert_true(rig_asked(&r, &down));
	assert_int_equal(down.aps.destination_endpoint, ENDPOINT);
}

static void a_device_that_does_not_report_is_asked_now_and_then(void **state)
{
	struct oci_device *d = rig_device(&r);
	struct rig_down down;
	const struct zcl_value on = {.type = ZCL_BOOL, .number = 1};
	uint8_t buffer[16];
	struct wr w = wr_of(buffer, sizeof buffer);

	(void)state;
	d->poll_s = 60;
	r.stored = *d;
	rig_restart(&r);
	rig_run(&r, 1500);
	for (int i = 0; i < 3; i++) {
		assert_true(rig_asked(&r, &down));
		expect_zcl(&down, ZCL_ON_OFF, ZCL_READ);
		acknowledge(&down);
		w = wr_of(buffer, sizeof buffer);
		zcl_read_response_put(&w, 0, ZCL_SUCCESS, &on);
		answer_zcl(&down, ZCL_READ_RESPONSE, rd_of(w.octets, w.len), NULL);
		assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "true");
		assert_false(rig_text(&r, OCI_EVENT, "interviewed"));
		rig_run(&r, 59000);
		assert_int_equal(r.count, 0);
		rig_run(&r, 2000);
	}
}

/* Its acknowledgement was lost with us: the device says again what was so before it was switched. */
static void an_answer_to_what_was_asked_before_a_restart_is_too_late(void **state)
{
	struct oci_device *d = rig_device(&r);
	const struct zcl_value off = {.type = ZCL_BOOL, .number = 0};
	struct rig_down down;
	uint8_t buffer[16], before;
	struct wr w = wr_of(buffer, sizeof buffer);

	(void)state;
	d->poll_s = 60;
	r.stored = *d;
	rig_restart(&r);
	before = (uint8_t)(rig_device(&r)->zcl_sequence - 1);
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 1), OK);
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "true");
	zcl_read_response_put(&w, 0, ZCL_SUCCESS, &off);
	assert_int_equal(rig_zcl(&r, ZCL_ON_OFF, ZCL_GLOBAL, ZCL_READ_RESPONSE, before, rd_of(w.octets, w.len)), OK);
	assert_null(rig_effect(&r, OCI_VALUE, 0));
	assert_null(rig_effect(&r, OCI_RAW, 0));
	rig_update(&r, "binSh", "{\"state\":false}"); /* which is news: the device is on */
	assert_true(rig_asked(&r, &down));
	assert_int_equal(down.zcl.type, ZCL_CLUSTER);
	acknowledge(&down);
	rig_run(&r, 60000);
	assert_int_equal(rig_zcl(&r, ZCL_ON_OFF, ZCL_GLOBAL, ZCL_READ_RESPONSE, before, rd_of(w.octets, w.len)), OK); /* numbers come round */
	assert_string_equal(rig_effect(&r, OCI_VALUE, 0)->text, "false");
}

static void other_descriptions_make_another_interview(void **state)
{
	struct rig_down d;

	(void)state;
	r.stored.described_by++;
	r.stored.interview = OCI_INTERVIEW_DONE;
	rig_restart(&r);
	rig_run(&r, 2000);
	assert_true(rig_asked(&r, &d));
	expect_zcl(&d, ZCL_BASIC, ZCL_READ);
}

static void reports_of_nonsense_show_nothing(void **state)
{
	static const uint16_t cluster = ZCL_TEMPERATURE;

	(void)state;
	interviewed(&cluster, 1);
	assert_int_equal(rig_report(&r, ZCL_TEMPERATURE, 0, ZCL_INT16, 0x8000), OK);
	assert_int_equal(r.count, 0);
	assert_int_equal(rig_zcl(&r, ZCL_TEMPERATURE, ZCL_GLOBAL, ZCL_REPORT, 1, rd_of("\0\0\x29\x01", 4)), OK); /* an octet short */
	assert_null(rig_effect(&r, OCI_VALUE, 0));
	assert_non_null(rig_effect(&r, OCI_RAW, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_plug_is_interviewed_from_endpoints_to_values, listener, teardown),
		cmocka_unit_test_setup_teardown(a_contact_sensor_is_enrolled, listener, teardown),
		cmocka_unit_test_setup_teardown(a_device_that_says_nothing_is_asked_after_twelve_seconds, listener, teardown),
		cmocka_unit_test_setup_teardown(a_device_that_never_answers_is_asked_for_ever_but_seldom, listener, teardown),
		cmocka_unit_test_setup_teardown(what_a_device_does_not_answer_is_left_out, listener, teardown),
		cmocka_unit_test_setup_teardown(a_device_that_is_off_meanwhile_is_asked_the_same_again, listener, teardown),
		cmocka_unit_test_setup_teardown(what_a_device_says_that_has_joined_anew_is_shown_while_it_is_asked, listener, teardown),
		cmocka_unit_test_setup_teardown(what_a_device_refuses_is_left_out_at_once, listener, teardown),
		cmocka_unit_test_setup_teardown(answers_to_other_questions_do_not_count, listener, teardown),
		cmocka_unit_test_setup_teardown(an_interview_goes_on_after_a_restart, listener, teardown),
		cmocka_unit_test_setup_teardown(the_coordinator_describes_itself, listener, teardown),
		cmocka_unit_test_setup_teardown(an_unknown_request_is_refused_and_an_unknown_answer_ignored, listener, teardown),
		cmocka_unit_test_setup_teardown(an_update_of_the_switch_is_a_command, switchable, teardown),
		cmocka_unit_test_setup_teardown(a_repeat_is_dropped_but_no_other_message_of_its_counter, switchable, teardown),
		cmocka_unit_test_setup_teardown(what_is_so_already_is_not_said_again, switchable, teardown),
		cmocka_unit_test_setup_teardown(a_late_report_hides_no_command, switchable, teardown),
		cmocka_unit_test_setup_teardown(a_value_that_cannot_be_is_set_back, switchable, teardown),
		cmocka_unit_test_setup_teardown(a_report_from_before_the_command_is_not_shown, switchable, teardown),
		cmocka_unit_test_setup_teardown(a_default_response_confirms_or_refuses, switchable, teardown),
		cmocka_unit_test_setup_teardown(a_command_that_is_never_confirmed_is_taken_back, switchable, teardown),
		cmocka_unit_test_setup_teardown(every_module_that_can_be_written_has_its_command, switchable, teardown),
		cmocka_unit_test_setup_teardown(a_write_response_confirms_or_refuses, switchable, teardown),
		cmocka_unit_test_setup_teardown(an_action_is_a_command, switchable, teardown),
		cmocka_unit_test_setup_teardown(a_colour_is_shown_when_both_of_its_parts_are_known, switchable, teardown),
		cmocka_unit_test_setup_teardown(what_a_plug_measures_has_one_source, switchable, teardown),
		cmocka_unit_test_setup_teardown(a_value_without_its_factors_is_not_shown_but_they_are_asked_for, switchable, teardown),
		cmocka_unit_test_setup_teardown(a_button_is_pushed_and_let_go, switchable, teardown),
		cmocka_unit_test_setup_teardown(what_nothing_describes_is_passed_on_as_it_is, switchable, teardown),
		cmocka_unit_test_setup_teardown(a_frame_as_it_is_goes_down, switchable, teardown),
		cmocka_unit_test_setup_teardown(two_switches_of_one_device_are_two_resources, switchable, teardown),
		cmocka_unit_test_setup_teardown(a_device_that_does_not_report_is_asked_now_and_then, switchable, teardown),
		cmocka_unit_test_setup_teardown(an_answer_to_what_was_asked_before_a_restart_is_too_late, switchable, teardown),
		cmocka_unit_test_setup_teardown(other_descriptions_make_another_interview, switchable, teardown),
		cmocka_unit_test_setup_teardown(reports_of_nonsense_show_nothing, switchable, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
