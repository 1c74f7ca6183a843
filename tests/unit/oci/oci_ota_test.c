/* Node B as the server of over-the-air upgrades: what a device gets of its image, what another gets of it, and how an upgrade ends. */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

#define IMAGE_OCTETS 150

static struct rig r;
static uint8_t octets[IMAGE_OCTETS];
static struct oci_image image;

static int setup(void **state)
{
	struct ota_header h = {.length = OTA_HEADER_LEAST, .image = {0x1234, 1, 2}, .name = "test", .size = IMAGE_OCTETS};
	struct wr w = wr_of(octets, sizeof octets);
	struct oci_device *d;

	(void)state;
	rig_init(&r, false);
	rig_join(&r);
	d = rig_device(&r);
	d->interview = OCI_INTERVIEW_DONE;
	d->endpoints[0] = (struct oci_endpoint){.id = 1, .in_count = 1, .in = {ZCL_BASIC}, .out_count = 1, .out = {ZCL_OTA}};
	d->endpoint_count = 1;
	d->described_by = descriptions_fingerprint(rig_descriptions());
	r.stored = *d;
	rig_restart(&r);
	assert_int_equal(ota_header_encode(&h, &w), OK);
	for (size_t i = w.len; i < sizeof octets; i++)
		octets[i] = (uint8_t)i;
	image.octets = rd_of(octets, sizeof octets);
	assert_int_equal(ota_header_decode(image.octets, &image.header), OK);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_clear(&r);
	return 0;
}

/* The device says this, and gets an answer of this command, or none. */
static bool says(uint8_t command, const struct ota_message *m, uint8_t answer, struct ota_message *got)
{
	static struct rig_down d;
	struct zcl_frame z = {.type = ZCL_CLUSTER, .sequence = 77, .command = command, .disable_default_response = true};
	struct aps_frame f = {.type = APS_DATA, .destination_endpoint = 1, .source_endpoint = 1, .cluster = ZCL_OTA, .profile = APS_PROFILE_HOME_AUTOMATION, .counter = r.aps_counter++};
	uint8_t body[64], frame[80];
	struct wr w = wr_of(body, sizeof body), v = wr_of(frame, sizeof frame);

	assert_int_equal(ota_encode(command, m, &w), OK);
	z.payload = rd_of(body, w.len);
	assert_int_equal(zcl_encode(&z, &v), OK);
	f.payload = rd_of(frame, v.len);
	assert_int_equal(rig_aps(&r, &f), OK);
	if (!rig_asked(&r, &d))
		return false;
	assert_true(d.aps.cluster == ZCL_OTA && d.zcl.from_server && d.zcl.sequence == 77 && d.zcl.command == answer);
	assert_int_equal(ota_decode(answer, d.zcl.payload, got), OK);
	return true;
}

static void offered(void)
{
	struct rig_down d;
	struct ota_message m;

	assert_int_equal(oci_core_ota(r.core, r.now, RIG_DEVICE, &image), OK);
	rig_collect(&r);
	assert_true(rig_asked(&r, &d));
	assert_int_equal(d.zcl.command, OTA_IMAGE_NOTIFY);
	assert_int_equal(ota_decode(OTA_IMAGE_NOTIFY, d.zcl.payload, &m), OK);
	assert_int_equal(m.image.version, 2);
}

static bool asks(uint16_t manufacturer, uint16_t type, uint32_t version, struct ota_message *got)
{
	const struct ota_message m = {.image = {manufacturer, type, version}};

	return says(OTA_QUERY_REQUEST, &m, OTA_QUERY_RESPONSE, got);
}

static void a_device_gets_its_whole_image(void **state)
{
	struct ota_message m = {.image = {0x1234, 1, 2}, .most = 63}, got;
	uint8_t taken[IMAGE_OCTETS];

	(void)state;
	offered();
	assert_true(asks(0x1234, 1, 1, &got));
	assert_int_equal(got.status, ZCL_SUCCESS);
	assert_int_equal(got.size, IMAGE_OCTETS);
	assert_int_equal(rig_effect(&r, OCI_OTA, 0)->ota, OCI_OTA_STARTED);
	while (m.offset < IMAGE_OCTETS) {
		assert_true(says(OTA_BLOCK_REQUEST, &m, OTA_BLOCK_RESPONSE, &got));
		assert_int_equal(got.status, ZCL_SUCCESS);
		assert_int_equal(got.offset, m.offset);
		assert_in_range(got.data.left, 1, 48);
		memcpy(taken + m.offset, got.data.at, got.data.left);
		m.offset += (uint32_t)got.data.left;
	}
	assert_memory_equal(taken, octets, sizeof octets);
	assert_true(says(OTA_END_REQUEST, &m, OTA_END_RESPONSE, &got));
	assert_int_equal(got.then, 0);
	assert_int_equal(rig_effect(&r, OCI_OTA, 0)->ota, OCI_OTA_DONE);
	rig_run(&r, 6000); /* then it is asked what it is now */
	assert_true(rig_effects(&r, OCI_DOWNLINK) > 0);
}

static void what_is_not_in_the_image_is_not_given(void **state)
{
	struct ota_message m = {.image = {0x1234, 1, 2}, .most = 48}, got;

	(void)state;
	assert_true(says(OTA_BLOCK_REQUEST, &m, OTA_BLOCK_RESPONSE, &got));
	assert_int_equal(got.status, OTA_ABORT); /* nothing is offered */
	offered();
	m.offset = IMAGE_OCTETS;
	assert_true(says(OTA_BLOCK_REQUEST, &m, OTA_BLOCK_RESPONSE, &got));
	assert_int_equal(got.status, ZCL_MALFORMED_COMMAND);
	m.offset = UINT32_MAX;
	assert_true(says(OTA_BLOCK_REQUEST, &m, OTA_BLOCK_RESPONSE, &got));
	assert_int_equal(got.status, ZCL_MALFORMED_COMMAND);
	m.offset = 0;
	m.most = 0;
	assert_true(says(OTA_BLOCK_REQUEST, &m, OTA_BLOCK_RESPONSE, &got));
	assert_int_equal(got.status, ZCL_MALFORMED_COMMAND);
	m.most = 48;
	m.image.version = 3;
	assert_true(says(OTA_BLOCK_REQUEST, &m, OTA_BLOCK_RESPONSE, &got));
	assert_int_equal(got.status, OTA_ABORT);
	m.image.version = 2;
	m.offset = IMAGE_OCTETS - 1;
	assert_true(says(OTA_BLOCK_REQUEST, &m, OTA_BLOCK_RESPONSE, &got));
	assert_int_equal(got.data.left, 1);
}

static void an_image_for_another_is_not_taken(void **state)
{
	struct ota_message got;

	(void)state;
	offered();
	assert_true(asks(0x1234, 9, 1, &got)); /* its other image: no answer to ours */
	assert_int_equal(got.status, OTA_NO_IMAGE);
	assert_null(rig_effect(&r, OCI_OTA, 0));
	assert_true(asks(0x1234, 1, 2, &got)); /* it has that version */
	assert_int_equal(got.status, OTA_NO_IMAGE);
	assert_int_equal(rig_effect(&r, OCI_OTA, 0)->ota, OCI_OTA_FAILED);
	offered();
	assert_true(asks(0x4321, 1, 1, &got));
	assert_int_equal(rig_effect(&r, OCI_OTA, 0)->ota, OCI_OTA_FAILED);
	image.header.has_destination = true;
	image.header.destination = RIG_DEVICE + 1;
	assert_int_equal(oci_core_ota(r.core, r.now, RIG_DEVICE, &image), ERR_NOT_PERMITTED);
	image.header.destination = RIG_DEVICE;
	offered();
	rig_device(&r)->endpoints[0].out_count = 0;
	assert_int_equal(oci_core_ota(r.core, r.now, RIG_DEVICE, &image), ERR_UNSUPPORTED);
	assert_int_equal(oci_core_ota(r.core, r.now, 5, &image), ERR_UNKNOWN_DEVICE);
}

static void a_device_that_gives_up_or_falls_silent_ends_it(void **state)
{
	struct ota_message m = {.status = OTA_INVALID_IMAGE, .image = {0x1234, 1, 2}}, got;

	(void)state;
	offered();
	assert_true(asks(0x1234, 1, 1, &got));
	(void)says(OTA_END_REQUEST, &m, OTA_END_RESPONSE, &got);
	assert_int_equal(rig_effect(&r, OCI_OTA, 0)->ota, OCI_OTA_FAILED);
	offered();
	rig_run(&r, 590000);
	assert_null(rig_effect(&r, OCI_OTA, 0));
	rig_run(&r, 20000);
	assert_int_equal(rig_effect(&r, OCI_OTA, 0)->ota, OCI_OTA_FAILED);
	assert_true(oci_core_deadline(r.core) == CLOCK_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_device_gets_its_whole_image, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_in_the_image_is_not_given, setup, teardown),
		cmocka_unit_test_setup_teardown(an_image_for_another_is_not_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(a_device_that_gives_up_or_falls_silent_ends_it, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
