/* The simulated device's application: ZDO, attributes, reporting, switch, alarm zone, meter, poll control. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "plant.h"

static struct plant p;

static int start(enum sim_kind kind, bool sleepy)
{
	plant_init(&p, kind, sleepy);
	plant_commission(&p);
	return 0;
}

static int setup_thermometer(void **state)
{
	(void)state;
	return start(SIM_THERMOMETER, true);
}

static int setup_plug(void **state)
{
	(void)state;
	return start(SIM_PLUG, false);
}

static int setup_contact(void **state)
{
	(void)state;
	return start(SIM_CONTACT, true);
}

static int setup_vibration(void **state)
{
	(void)state;
	return start(SIM_VIBRATION, true);
}

static int teardown(void **state)
{
	(void)state;
	plant_clear(&p);
	return 0;
}

/* ---- ZDO ---- */

static const struct zdo_message *ask_zdo(const struct zdo_message *m)
{
	p.zdo_frames = 0;
	plant_zdo(&p, m);
	plant_run(&p, 3000);
	assert_int_equal(p.zdo_frames, 1);
	assert_int_equal(p.last_zdo.sequence, m->sequence);
	assert_int_equal(p.last_zdo.cluster, m->cluster | ZDO_RESPONSE);
	return &p.last_zdo;
}

static void tells_its_descriptors(void **state)
{
	const struct zdo_message *r;

	(void)state;
	r = ask_zdo(&(struct zdo_message){.cluster = ZDO_NODE_DESC, .sequence = 1, .short_address = PLANT_SHORT});
	assert_int_equal(r->status, ZDO_SUCCESS);
	assert_int_equal(r->node.logical_type, ZDO_END_DEVICE);
	assert_int_equal(ZDO_STACK_REVISION(r->node.server_mask), 22);
	assert_int_equal(r->node.capability, 0x80);
	r = ask_zdo(&(struct zdo_message){.cluster = ZDO_ACTIVE_EP, .sequence = 2, .short_address = PLANT_SHORT});
	assert_int_equal(r->endpoint_count, 1);
	assert_int_equal(r->endpoints[0], 1);
	r = ask_zdo(&(struct zdo_message){.cluster = ZDO_SIMPLE_DESC, .sequence = 3, .short_address = PLANT_SHORT, .endpoint = 1});
	assert_int_equal(r->simple.profile, APS_PROFILE_HOME_AUTOMATION);
	assert_int_equal(r->simple.device, 0x0302);
	assert_int_equal(r->simple.in_count, 6);
	r = ask_zdo(&(struct zdo_message){.cluster = ZDO_IEEE_ADDR, .sequence = 4, .short_address = PLANT_SHORT});
	assert_true(r->eui64 == PLANT_DEVICE);
	r = ask_zdo(&(struct zdo_message){.cluster = ZDO_NWK_ADDR, .sequence = 5, .eui64 = PLANT_DEVICE});
	assert_int_equal(r->short_address, PLANT_SHORT);
	r = ask_zdo(&(struct zdo_message){.cluster = ZDO_POWER_DESC, .sequence = 6, .short_address = PLANT_SHORT});
	assert_int_equal(r->status, ZDO_SUCCESS);
}

static void refuses_what_it_is_not_or_has_not(void **state)
{
	(void)state;
	assert_int_equal(ask_zdo(&(struct zdo_message){.cluster = ZDO_SIMPLE_DESC, .sequence = 1, .short_address = PLANT_SHORT, .endpoint = 9})->status, ZDO_NOT_ACTIVE);
	assert_int_equal(ask_zdo(&(struct zdo_message){.cluster = ZDO_SIMPLE_DESC, .sequence = 2, .short_address = PLANT_SHORT, .endpoint = 0})->status, ZDO_INVALID_EP);
	assert_int_equal(ask_zdo(&(struct zdo_message){.cluster = ZDO_NODE_DESC, .sequence = 3, .short_address = 0x2222})->status, ZDO_INV_REQUEST_TYPE);
	assert_int_equal(ask_zdo(&(struct zdo_message){.cluster = ZDO_NWK_ADDR, .sequence = 4, .eui64 = 5})->status, ZDO_DEVICE_NOT_FOUND);
	assert_int_equal(ask_zdo(&(struct zdo_message){.cluster = ZDO_MGMT_PERMIT_JOINING, .sequence = 5, .permit_duration = 60})->status, ZDO_NOT_SUPPORTED);
	assert_int_equal(ask_zdo(&(struct zdo_message){.cluster = ZDO_MGMT_LEAVE, .sequence = 6, .eui64 = 5})->status, ZDO_DEVICE_NOT_FOUND);
	assert_int_equal(plant_count(&p, "left"), 0);
}

static void an_unknown_zdo_request_is_not_supported(void **state)
{
	const uint8_t request[] = {42, 0, 0};

	(void)state;
	plant_data(&p, 201, 0x0033 /* Mgmt_Bind_req */, APS_PROFILE_ZDP, 0, rd_of(request, sizeof request));
	plant_run(&p, 3000);
	assert_int_equal(p.zdo_frames, 1);
	assert_int_equal(p.last_zdo.cluster, 0x8033);
	assert_int_equal(p.last_zdo.sequence, 42);
	assert_int_equal(p.last_zdo_error, ERR_UNSUPPORTED);
}

static struct zdo_message binding(uint16_t request, uint16_t cluster)
{
	return (struct zdo_message){
		.cluster = request,
		.sequence = 7,
		.bind = {.source = PLANT_DEVICE, .source_endpoint = 1, .cluster = cluster, .destination = PLANT_COORDINATOR, .destination_endpoint = 1},
	};
}

static void keeps_a_binding_table(void **state)
{
	struct zdo_message m = binding(ZDO_BIND, ZCL_TEMPERATURE);

	(void)state;
	assert_int_equal(ask_zdo(&m)->status, ZDO_SUCCESS);
	assert_int_equal(ask_zdo(&m)->status, ZDO_SUCCESS); /* once more changes nothing */
	m = binding(ZDO_UNBIND, ZCL_TEMPERATURE);
	assert_int_equal(ask_zdo(&m)->status, ZDO_SUCCESS);
	assert_int_equal(ask_zdo(&m)->status, ZDO_NO_ENTRY);
	m = binding(ZDO_BIND, ZCL_ON_OFF);
	assert_int_equal(ask_zdo(&m)->status, ZDO_INVALID_EP); /* a thermometer has no switch */
	m = binding(ZDO_BIND, ZCL_TEMPERATURE);
	m.bind.source = 5;
	assert_int_equal(ask_zdo(&m)->status, ZDO_INVALID_EP);
}

/* ---- ZCL ---- */

static struct zcl_frame ask(uint16_t cluster, enum zcl_frame_type type, uint8_t command, const void *payload, size_t len)
{
	struct zcl_frame z;

	p.data_frames = 0;
	plant_zcl(&p, cluster, type, command, rd_of(payload, len));
	plant_run(&p, 2500);
	assert_true(p.data_frames > 0);
	assert_int_equal(zcl_decode(p.last.payload, &z), OK);
	assert_true(z.from_server);
	return z;
}

static struct zcl_record read_one(uint16_t cluster, uint16_t attribute)
{
	const uint8_t request[] = {(uint8_t)attribute, (uint8_t)(attribute >> 8)};
	struct zcl_frame z = ask(cluster, ZCL_GLOBAL, ZCL_READ, request, sizeof request);
	struct zcl_record r;

	assert_int_equal(z.command, ZCL_READ_RESPONSE);
	assert_int_equal(z.sequence, (uint8_t)(p.zcl_sequence - 1));
	assert_true(zcl_read_response_next(&z.payload, &r));
	assert_true(rd_end(&z.payload));
	assert_int_equal(r.attribute, attribute);
	return r;
}

static void answers_reads(void **state)
{
	struct zcl_record r;

	(void)state;
	r = read_one(ZCL_TEMPERATURE, 0);
	assert_int_equal(r.status, ZCL_SUCCESS);
	assert_in_range(zcl_value_int(&r.value), 2000, 2300);
	assert_true(sim_device_command(p.device, p.now, "temperature -7.25"));
	r = read_one(ZCL_TEMPERATURE, 0);
	assert_true(zcl_value_int(&r.value) == -725);
	r = read_one(ZCL_BASIC, 5);
	assert_true(rd_is(r.value.octets, "KW-TH1"));
	assert_int_equal(read_one(ZCL_BASIC, 0x1234).status, ZCL_UNSUPPORTED_ATTRIBUTE);
	assert_int_equal(p.last.cluster, ZCL_BASIC);
	assert_int_equal(p.last.destination_endpoint, 1);
	assert_int_equal(p.last.source_endpoint, 1);
}

static void a_long_answer_ends_at_a_record(void **state)
{
	uint8_t request[2 * 24];
	struct zcl_frame z;
	struct zcl_record r;
	unsigned records = 0;

	(void)state;
	for (size_t i = 0; i < sizeof request; i += 2) {
		request[i] = 4;
		request[i + 1] = 0;
	}
	z = ask(ZCL_BASIC, ZCL_GLOBAL, ZCL_READ, request, sizeof request);
	while (zcl_read_response_next(&z.payload, &r))
		records++;
	assert_true(rd_end(&z.payload));
	assert_in_range(records, 2, 23);
}

static void default_response_is(struct zcl_frame z, uint8_t command, uint8_t status)
{
	uint8_t c = 0, s = 0;

	assert_int_equal(z.command, ZCL_DEFAULT_RESPONSE);
	assert_true(rd_u8(&z.payload, &c) && rd_u8(&z.payload, &s) && rd_end(&z.payload));
	assert_int_equal(c, command);
	assert_int_equal(s, status);
}

static void says_what_it_does_not_support(void **state)
{
	(void)state;
	default_response_is(ask(ZCL_ON_OFF, ZCL_CLUSTER, ZCL_ON_OFF_ON, NULL, 0), ZCL_ON_OFF_ON, ZCL_UNSUPPORTED_CLUSTER);
	default_response_is(ask(ZCL_TEMPERATURE, ZCL_CLUSTER, 3, NULL, 0), 3, ZCL_UNSUP_CLUSTER_COMMAND);
	default_response_is(ask(ZCL_TEMPERATURE, ZCL_GLOBAL, 0x1f, NULL, 0), 0x1f, ZCL_UNSUP_GENERAL_COMMAND);
	default_response_is(ask(ZCL_TEMPERATURE, ZCL_GLOBAL, ZCL_DISCOVER_ATTRIBUTES, "\0", 1), ZCL_DISCOVER_ATTRIBUTES, ZCL_MALFORMED_COMMAND);
}

static void discovers_its_attributes_in_parts(void **state)
{
	const uint8_t from_start[] = {0, 0, 2}, rest[] = {2, 0, 9};
	struct zcl_frame z = ask(ZCL_TEMPERATURE, ZCL_GLOBAL, ZCL_DISCOVER_ATTRIBUTES, from_start, sizeof from_start);
	const uint8_t first[] = {0, 0, 0, ZCL_INT16, 1, 0, ZCL_INT16}, last[] = {1, 2, 0, ZCL_INT16};

	(void)state;
	assert_int_equal(z.command, ZCL_DISCOVER_ATTRIBUTES_RESPONSE);
	assert_true(rd_equal(z.payload, rd_of(first, sizeof first)));
	z = ask(ZCL_TEMPERATURE, ZCL_GLOBAL, ZCL_DISCOVER_ATTRIBUTES, rest, sizeof rest);
	assert_true(rd_equal(z.payload, rd_of(last, sizeof last)));
}

static void writes_what_may_be_written(void **state)
{
	const uint8_t identify[] = {0, 0, ZCL_UINT16, 60, 0}, model[] = {5, 0, ZCL_CHAR_STRING, 1, 'x'}, wrong[] = {0, 0, ZCL_UINT8, 60};
	uint8_t status = 0;
	struct zcl_frame z = ask(ZCL_IDENTIFY, ZCL_GLOBAL, ZCL_WRITE, identify, sizeof identify);

	(void)state;
	assert_int_equal(z.command, ZCL_WRITE_RESPONSE);
	assert_true(rd_u8(&z.payload, &status) && status == ZCL_SUCCESS && rd_end(&z.payload));
	assert_in_range(read_one(ZCL_IDENTIFY, 0).value.number, 50, 60);
	z = ask(ZCL_BASIC, ZCL_GLOBAL, ZCL_WRITE, model, sizeof model);
	assert_true(rd_u8(&z.payload, &status) && status == ZCL_READ_ONLY);
	z = ask(ZCL_IDENTIFY, ZCL_GLOBAL, ZCL_WRITE, wrong, sizeof wrong);
	assert_true(rd_u8(&z.payload, &status) && status == ZCL_INVALID_DATA_TYPE);
}

static void an_undivided_write_is_all_or_nothing(void **state)
{
	const uint8_t both[] = {0, 0, ZCL_UINT16, 90, 0, 1, 0, ZCL_UINT16, 1, 0};
	uint8_t status = 0;
	struct zcl_frame z = ask(ZCL_IDENTIFY, ZCL_GLOBAL, ZCL_WRITE_UNDIVIDED, both, sizeof both);

	(void)state;
	assert_true(rd_u8(&z.payload, &status) && status == ZCL_UNSUPPORTED_ATTRIBUTE);
	assert_int_equal(read_one(ZCL_IDENTIFY, 0).value.number, 0);
	(void)ask(ZCL_IDENTIFY, ZCL_GLOBAL, ZCL_WRITE, both, sizeof both); /* the twin: divided, the first one counts */
	assert_true(read_one(ZCL_IDENTIFY, 0).value.number > 0);
}

/* ---- reporting ---- */

static uint8_t configure(uint16_t cluster, uint16_t attribute, uint8_t type, uint16_t minimum_s, uint16_t maximum_s, uint64_t change)
{
	uint8_t buffer[32], status = 0xff;
	struct wr w = wr_of(buffer, sizeof buffer);
	struct zcl_frame z;

	zcl_configure_put(&w, attribute, type, minimum_s, maximum_s, change);
	plant_zcl(&p, cluster, ZCL_GLOBAL, ZCL_CONFIGURE_REPORTING, rd_of(buffer, w.len));
	p.data_frames = 0;
	while (p.data_frames == 0)
		plant_run(&p, 20);
	assert_int_equal(zcl_decode(p.last.payload, &z), OK);
	assert_int_equal(z.command, ZCL_CONFIGURE_REPORTING_RESPONSE);
	assert_true(rd_u8(&z.payload, &status));
	return status;
}

static void reports_by_time_and_by_change_once_it_is_bound(void **state)
{
	const struct zdo_message m = binding(ZDO_BIND, ZCL_TEMPERATURE);
	const uint8_t request[] = {0, 0, 0};
	struct zcl_frame z;
	struct zcl_record r;

	(void)state;
	assert_true(sim_device_command(p.device, p.now, "temperature 20"));
	assert_int_equal(configure(ZCL_TEMPERATURE, 0, ZCL_INT16, 10, 60, 50), ZCL_SUCCESS);
	p.event_count = 0;
	plant_run(&p, 100000);
	assert_int_equal(plant_count(&p, "reporting"), 0);
	assert_int_equal(ask_zdo(&m)->status, ZDO_SUCCESS);
	assert_int_equal(plant_count(&p, "reporting"), 1); /* at once */
	plant_run(&p, 2000);
	assert_int_equal(zcl_decode(p.last.payload, &z), OK);
	assert_int_equal(z.command, ZCL_REPORT);
	assert_true(zcl_report_next(&z.payload, &r));
	assert_true(zcl_value_int(&r.value) == 2000);
	p.event_count = 0;
	plant_run(&p, 120000);
	assert_in_range(plant_count(&p, "reporting"), 1, 2); /* the maximum interval */
	p.event_count = 0;
	assert_true(plant_await(&p, 0, "reporting", 61000));
	p.event_count = 0;
	assert_true(sim_device_command(p.device, p.now, "temperature 20.4"));
	plant_run(&p, 30000);
	assert_int_equal(plant_count(&p, "reporting"), 0); /* too small a change */
	assert_true(sim_device_command(p.device, p.now, "temperature 20.6"));
	plant_run(&p, 1500);
	assert_int_equal(plant_count(&p, "reporting"), 1);
	assert_true(sim_device_command(p.device, p.now, "temperature 25"));
	plant_run(&p, 5000);
	assert_int_equal(plant_count(&p, "reporting"), 1); /* the minimum interval */
	plant_run(&p, 6000);
	assert_int_equal(plant_count(&p, "reporting"), 2);
	z = ask(ZCL_TEMPERATURE, ZCL_GLOBAL, ZCL_READ_REPORTING, request, sizeof request);
	assert_int_equal(z.command, ZCL_READ_REPORTING_RESPONSE);
	assert_true(rd_equal(z.payload, rd_of((const uint8_t[]){0, 0, 0, 0, ZCL_INT16, 10, 0, 60, 0, 50, 0}, 11)));
}

static void refuses_reporting_that_it_cannot_do(void **state)
{
	(void)state;
	assert_int_equal(configure(ZCL_TEMPERATURE, 9, ZCL_INT16, 1, 60, 1), ZCL_UNSUPPORTED_ATTRIBUTE);
	assert_int_equal(configure(ZCL_TEMPERATURE, 1, ZCL_INT16, 1, 60, 1), ZCL_UNREPORTABLE_ATTRIBUTE);
	assert_int_equal(configure(ZCL_TEMPERATURE, 0, ZCL_UINT16, 1, 60, 1), ZCL_INVALID_DATA_TYPE);
	assert_int_equal(configure(ZCL_TEMPERATURE, 0, ZCL_INT16, 60, 10, 1), ZCL_INVALID_VALUE);
}

static void reporting_and_bindings_survive_a_restart(void **state)
{
	const struct zdo_message m = binding(ZDO_BIND, ZCL_TEMPERATURE);

	(void)state;
	assert_int_equal(ask_zdo(&m)->status, ZDO_SUCCESS);
	assert_int_equal(configure(ZCL_TEMPERATURE, 0, ZCL_INT16, 1, 30, 1000), ZCL_SUCCESS);
	plant_restart(&p);
	p.event_count = 0;
	plant_run(&p, 32000);
	assert_in_range(plant_count(&p, "reporting"), 1, 2);
}

/* ---- kinds ---- */

static void the_plug_switches_and_meters(void **state)
{
	uint64_t before;

	(void)state;
	default_response_is(ask(ZCL_ON_OFF, ZCL_CLUSTER, ZCL_ON_OFF_ON, NULL, 0), ZCL_ON_OFF_ON, ZCL_SUCCESS);
	assert_int_equal(read_one(ZCL_ON_OFF, 0).value.number, 1);
	before = read_one(ZCL_METERING, 0).value.number;
	assert_true(read_one(ZCL_METERING, 0x0400).value.number > 30);
	assert_int_equal(read_one(ZCL_METERING, 0x0301).value.number, 1);
	assert_int_equal(read_one(ZCL_METERING, 0x0302).value.number, 1000);
	assert_true(read_one(ZCL_ELECTRICAL, 0x050b).value.number > 30);
	plant_run(&p, 60000);
	assert_true(read_one(ZCL_METERING, 0).value.number >= before + 50);
	default_response_is(ask(ZCL_ON_OFF, ZCL_CLUSTER, ZCL_ON_OFF_TOGGLE, NULL, 0), ZCL_ON_OFF_TOGGLE, ZCL_SUCCESS);
	assert_int_equal(read_one(ZCL_ON_OFF, 0).value.number, 0);
	assert_int_equal(read_one(ZCL_METERING, 0x0400).value.number, 0);
	before = read_one(ZCL_METERING, 0).value.number;
	plant_run(&p, 60000);
	assert_int_equal(read_one(ZCL_METERING, 0).value.number, before);
	default_response_is(ask(ZCL_ON_OFF, ZCL_CLUSTER, 0x40, NULL, 0), 0x40, ZCL_UNSUP_CLUSTER_COMMAND);
}

static void write_cie(void)
{
	uint8_t buffer[16];
	struct wr w = wr_of(buffer, sizeof buffer);

	wr_le16(&w, 0x0010);
	wr_u8(&w, ZCL_EUI64);
	wr_le64(&w, PLANT_COORDINATOR);
	(void)ask(ZCL_IAS_ZONE, ZCL_GLOBAL, ZCL_WRITE, buffer, w.len);
}

static void the_contact_enrols_and_tells_changes(void **state)
{
	const uint8_t enrolled[] = {0, 7};
	struct zcl_frame z;
	uint16_t zone_status = 0;

	(void)state;
	assert_true(sim_device_command(p.device, p.now, "open"));
	p.data_frames = 0;
	plant_run(&p, 3000);
	assert_int_equal(p.data_frames, 0); /* not enrolled: it tells nobody */
	assert_true(sim_device_command(p.device, p.now, "close"));
	assert_int_equal(read_one(ZCL_IAS_ZONE, 1).value.number, 0x0015);
	plant_zcl(&p, ZCL_IAS_ZONE, ZCL_CLUSTER, ZCL_IAS_ENROLL_RESPONSE, rd_of(enrolled, sizeof enrolled));
	plant_run(&p, 2000);
	assert_int_equal(read_one(ZCL_IAS_ZONE, 0).value.number, 0); /* nobody wrote the CIE address yet */
	write_cie();
	plant_run(&p, 1000);
	assert_int_equal(zcl_decode(p.last.payload, &z), OK);
	assert_int_equal(z.type, ZCL_CLUSTER);
	assert_int_equal(z.command, ZCL_IAS_ENROLL_REQUEST);
	plant_zcl(&p, ZCL_IAS_ZONE, ZCL_CLUSTER, ZCL_IAS_ENROLL_RESPONSE, rd_of(enrolled, sizeof enrolled));
	plant_run(&p, 2000);
	assert_int_equal(plant_count(&p, "zone-enrolled"), 1);
	assert_true(sim_device_command(p.device, p.now, "open"));
	plant_run(&p, 1000);
	assert_int_equal(zcl_decode(p.last.payload, &z), OK);
	assert_int_equal(z.command, ZCL_IAS_STATUS_CHANGE);
	assert_true(rd_le16(&z.payload, &zone_status));
	assert_int_equal(zone_status, 1);
	assert_int_equal(read_one(ZCL_IAS_ZONE, 2).value.number, 1);
}

static void a_vibration_ends_by_itself(void **state)
{
	(void)state;
	assert_true(sim_device_command(p.device, p.now, "vibrate"));
	assert_int_equal(plant_count(&p, "alarm"), 0); /* not drained yet */
	plant_run(&p, 1000);
	assert_int_equal(plant_count(&p, "alarm"), 1);
	plant_run(&p, 5000);
	assert_int_equal(plant_count(&p, "alarm"), 2);
	assert_int_equal(read_one(ZCL_IAS_ZONE, 2).value.number, 0);
}

static void checks_in_and_polls_fast_when_told(void **state)
{
	const uint8_t every_minute[] = {0, 0, ZCL_UINT32, 240, 0, 0, 0}, fast[] = {1, 120, 0};
	const struct zdo_message m = binding(ZDO_BIND, ZCL_POLL_CONTROL);
	struct zcl_frame z;

	(void)state;
	assert_int_equal(ask_zdo(&m)->status, ZDO_SUCCESS);
	(void)ask(ZCL_POLL_CONTROL, ZCL_GLOBAL, ZCL_WRITE, every_minute, sizeof every_minute);
	p.data_frames = 0;
	plant_run(&p, 63000);
	assert_int_equal(p.data_frames, 1);
	assert_int_equal(zcl_decode(p.last.payload, &z), OK);
	assert_int_equal(p.last.cluster, ZCL_POLL_CONTROL);
	assert_int_equal(z.command, 0);
	plant_zcl(&p, ZCL_POLL_CONTROL, ZCL_CLUSTER, 0, rd_of(fast, sizeof fast));
	plant_run(&p, 2000);
	p.polls = 0;
	plant_run(&p, 20000);
	assert_true(p.polls > 100);
	plant_run(&p, 10000);
	p.polls = 0;
	plant_run(&p, 10000);
	assert_true(p.polls < 15);
}

static int setup_light(void **state)
{
	(void)state;
	return start(SIM_LIGHT, false);
}

static int setup_lock(void **state)
{
	(void)state;
	return start(SIM_LOCK, false);
}

static void a_light_keeps_what_it_was_told(void **state)
{
	(void)state;
	default_response_is(ask(ZCL_LEVEL, ZCL_CLUSTER, 4, (const uint8_t[]){77, 0, 0}, 3), 4, ZCL_SUCCESS);
	default_response_is(ask(ZCL_COLOUR, ZCL_CLUSTER, 7, (const uint8_t[]){1, 2, 3, 4, 0, 0}, 6), 7, ZCL_SUCCESS);
	default_response_is(ask(ZCL_LEVEL, ZCL_CLUSTER, 4, (const uint8_t[]){255, 0, 0}, 3), 4, ZCL_INVALID_VALUE);
	default_response_is(ask(ZCL_LEVEL, ZCL_CLUSTER, 4, NULL, 0), 4, ZCL_MALFORMED_COMMAND);
	plant_restart(&p);
	assert_int_equal(read_one(ZCL_LEVEL, 0).value.number, 77);
	assert_int_equal(read_one(ZCL_ON_OFF, 0).value.number, 1);
	assert_int_equal(read_one(ZCL_COLOUR, 3).value.number, 0x0201);
	assert_int_equal(read_one(ZCL_COLOUR, 4).value.number, 0x0403);
}

/* What the lock answers to a command of its own: the first octet. */
static uint8_t lock_answer(uint8_t command, const void *octets, size_t len)
{
	const struct zcl_frame z = ask(ZCL_DOOR_LOCK, ZCL_CLUSTER, command, octets, len);

	assert_int_equal(z.type, ZCL_CLUSTER);
	assert_int_equal(z.command, command);
	assert_true(z.payload.left > 0);
	return z.payload.at[0];
}

static void a_lock_wants_its_pin_and_keeps_it(void **state)
{
	(void)state;
	assert_int_equal(lock_answer(5, "\x01\0\1\0\4" "4711", 9), 0);
	assert_int_equal(lock_answer(5, "\x02\0\1\0\3" "471", 8), 1);  /* too short */
	assert_int_equal(lock_answer(5, "\x08\0\1\0\4" "4712", 9), 1); /* no such user */
	plant_restart(&p);
	assert_int_equal(lock_answer(1, "\4" "4712", 5), ZCL_FAILURE);
	assert_int_equal(read_one(ZCL_DOOR_LOCK, 0).value.number, 1);
	assert_int_equal(lock_answer(1, "\4" "4711", 5), ZCL_SUCCESS);
	assert_int_equal(read_one(ZCL_DOOR_LOCK, 0).value.number, 2);
	for (size_t i = 0; i < p.event_count; i++)
		assert_null(strstr(p.events[i].detail, "4711"));
}

static void commands_are_for_what_presses_and_sets(void **state)
{
	(void)state;
	assert_true(sim_device_command(p.device, p.now, "set 0x300/3 300"));
	assert_int_equal(read_one(ZCL_COLOUR, 3).value.number, 300);
	assert_false(sim_device_command(p.device, p.now, "set 0x301/3 300"));
	assert_false(sim_device_command(p.device, p.now, "set 0x300/3"));
	assert_false(sim_device_command(p.device, p.now, "set 2/0x300/3 1"));
	assert_false(sim_device_command(p.device, p.now, "press 6/2")); /* it has no button */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tells_its_descriptors, setup_thermometer, teardown),
		cmocka_unit_test_setup_teardown(refuses_what_it_is_not_or_has_not, setup_thermometer, teardown),
		cmocka_unit_test_setup_teardown(an_unknown_zdo_request_is_not_supported, setup_thermometer, teardown),
		cmocka_unit_test_setup_teardown(keeps_a_binding_table, setup_thermometer, teardown),
		cmocka_unit_test_setup_teardown(answers_reads, setup_thermometer, teardown),
		cmocka_unit_test_setup_teardown(a_long_answer_ends_at_a_record, setup_thermometer, teardown),
		cmocka_unit_test_setup_teardown(says_what_it_does_not_support, setup_thermometer, teardown),
		cmocka_unit_test_setup_teardown(discovers_its_attributes_in_parts, setup_thermometer, teardown),
		cmocka_unit_test_setup_teardown(writes_what_may_be_written, setup_thermometer, teardown),
		cmocka_unit_test_setup_teardown(an_undivided_write_is_all_or_nothing, setup_thermometer, teardown),
		cmocka_unit_test_setup_teardown(reports_by_time_and_by_change_once_it_is_bound, setup_thermometer, teardown),
		cmocka_unit_test_setup_teardown(refuses_reporting_that_it_cannot_do, setup_thermometer, teardown),
		cmocka_unit_test_setup_teardown(reporting_and_bindings_survive_a_restart, setup_thermometer, teardown),
		cmocka_unit_test_setup_teardown(the_plug_switches_and_meters, setup_plug, teardown),
		cmocka_unit_test_setup_teardown(the_contact_enrols_and_tells_changes, setup_contact, teardown),
		cmocka_unit_test_setup_teardown(a_vibration_ends_by_itself, setup_vibration, teardown),
		cmocka_unit_test_setup_teardown(checks_in_and_polls_fast_when_told, setup_thermometer, teardown),
		cmocka_unit_test_setup_teardown(a_light_keeps_what_it_was_told, setup_light, teardown),
		cmocka_unit_test_setup_teardown(a_lock_wants_its_pin_and_keeps_it, setup_lock, teardown),
		cmocka_unit_test_setup_teardown(commands_are_for_what_presses_and_sets, setup_light, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
