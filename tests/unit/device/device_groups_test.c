/* The simulated device's groups and scenes, and what it does to groupcasts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "plant.h"
#include "zigbee/groups.h"

#define GROUP 0x1a2b
#define OTHER 0x0007
#define GROUPCAST 224 /* APS counter */

static struct plant p;

static int setup(void **state)
{
	(void)state;
	plant_init(&p, SIM_DIMMER, false);
	plant_commission(&p);
	return 0;
}

static int setup_strip(void **state)
{
	(void)state;
	plant_init(&p, SIM_STRIP, false);
	plant_commission(&p);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	plant_clear(&p);
	return 0;
}

static struct zcl_frame ask(uint16_t cluster, uint8_t command, struct rd payload)
{
	struct zcl_frame z;

	p.data_frames = 0;
	plant_zcl(&p, cluster, ZCL_CLUSTER, command, payload);
	plant_run(&p, 2500);
	assert_true(p.data_frames > 0);
	assert_int_equal(zcl_decode(p.last.payload, &z), OK);
	assert_true(z.from_server && p.last.cluster == cluster);
	return z;
}

static struct groups_message ask_groups(uint8_t command, const struct groups_message *q)
{
	uint8_t buffer[40];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct groups_message r;
	struct zcl_frame z;

	assert_int_equal(groups_encode(false, command, q, &w), OK);
	z = ask(ZCL_GROUPS, command, rd_of(w.octets, w.len));
	assert_true(z.type == ZCL_CLUSTER && z.command == command);
	assert_int_equal(groups_decode(true, command, z.payload, &r), OK);
	return r;
}

static struct scenes_message ask_scenes(uint8_t command, const struct scenes_message *q)
{
	uint8_t buffer[60];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct scenes_message r;
	struct zcl_frame z;

	assert_int_equal(scenes_encode(false, command, q, &w), OK);
	z = ask(ZCL_SCENES, command, rd_of(w.octets, w.len));
	assert_true(z.type == ZCL_CLUSTER && z.command == command);
	assert_int_equal(scenes_decode(true, command, z.payload, &r), OK);
	return r;
}

/* The status of a default response. */
static uint8_t refused(uint16_t cluster, uint8_t command, struct rd payload)
{
	struct zcl_frame z = ask(cluster, command, payload);
	uint8_t about = 0, status = 0;

	assert_true(z.type == ZCL_GLOBAL && z.command == ZCL_DEFAULT_RESPONSE && rd_u8(&z.payload, &about) && rd_u8(&z.payload, &status) && about == command);
	return status;
}

static uint8_t status_of(uint8_t command, uint16_t group)
{
	const struct groups_message q = {.group = group};

	return ask_groups(command, &q).status;
}

static uint8_t scene_status(uint8_t command, uint16_t group, uint8_t scene)
{
	const struct scenes_message q = {.group = group, .scene = scene};

	return ask_scenes(command, &q).status;
}

static void groupcast(uint8_t counter, uint16_t group, uint16_t cluster, uint8_t command, struct rd payload)
{
	const struct zcl_frame z = {.type = ZCL_CLUSTER, .sequence = counter, .disable_default_response = true, .command = command, .payload = payload};
	struct aps_frame f = {.type = APS_DATA, .delivery = APS_GROUP, .group = group, .cluster = cluster, .profile = APS_PROFILE_HOME_AUTOMATION, .source_endpoint = 1, .counter = counter};
	uint8_t zcl[60], aps[80];
	struct wr inner = wr_of(zcl, sizeof zcl), outer = wr_of(aps, sizeof aps);
	struct rd octets;

	assert_int_equal(zcl_encode(&z, &inner), OK);
	assert_true(wr_done(&inner, &f.payload));
	assert_int_equal(aps_frame_encode(&f, &outer), OK);
	assert_true(wr_done(&outer, &octets));
	p.acks = 0;
	p.data_frames = 0;
	plant_aps(&p, octets);
	plant_run(&p, 2500);
	assert_int_equal(p.acks, 0); /* nobody acknowledges one */
}

static void keeps_a_group_table(void **state)
{
	struct groups_message q = {.group = GROUP}, r;
	uint16_t id;

	(void)state;
	assert_int_equal(status_of(GROUPS_VIEW, GROUP), ZCL_NOT_FOUND);
	assert_int_equal(status_of(GROUPS_ADD, 0), ZCL_INVALID_VALUE);
	assert_int_equal(status_of(GROUPS_ADD, GROUP), ZCL_SUCCESS);
	assert_int_equal(status_of(GROUPS_ADD, GROUP), ZCL_DUPLICATE_EXISTS);
	assert_int_equal(status_of(GROUPS_VIEW, GROUP), ZCL_SUCCESS);
	for (uint16_t i = 0; i < 7; i++)
		assert_int_equal(status_of(GROUPS_ADD, (uint16_t)(OTHER + i)), ZCL_SUCCESS);
	assert_int_equal(status_of(GROUPS_ADD, 0x0100), ZCL_INSUFFICIENT_SPACE);
	q.list = rd_of("\x2b\x1a\x00\x01", 4);
	r = ask_groups(GROUPS_MEMBERSHIP, &q);
	assert_true(r.capacity == 0 && groups_next(&r.list, &id) && id == GROUP && rd_end(&r.list));
	assert_int_equal(status_of(GROUPS_REMOVE, GROUP), ZCL_SUCCESS);
	assert_int_equal(status_of(GROUPS_REMOVE, GROUP), ZCL_NOT_FOUND);
	assert_int_equal(refused(ZCL_GROUPS, GROUPS_REMOVE_ALL, rd_of(NULL, 0)), ZCL_SUCCESS);
	q.list = rd_of(NULL, 0);
	r = ask_groups(GROUPS_MEMBERSHIP, &q);
	assert_true(r.capacity == 8 && rd_end(&r.list));
	assert_int_equal(refused(ZCL_GROUPS, GROUPS_ADD, rd_of("\x01", 1)), ZCL_MALFORMED_COMMAND);
	assert_int_equal(refused(ZCL_GROUPS, 0x09, rd_of(NULL, 0)), ZCL_UNSUP_CLUSTER_COMMAND);
}

static void joins_a_group_while_it_identifies(void **state)
{
	const uint8_t add[] = {0x2b, 0x1a, 0}, seconds[] = {30, 0};

	(void)state;
	assert_int_equal(refused(ZCL_GROUPS, GROUPS_ADD_IF_IDENTIFYING, rd_of(add, sizeof add)), ZCL_SUCCESS);
	assert_int_equal(status_of(GROUPS_VIEW, GROUP), ZCL_NOT_FOUND);
	assert_int_equal(refused(ZCL_IDENTIFY, 0, rd_of(seconds, sizeof seconds)), ZCL_SUCCESS);
	assert_int_equal(refused(ZCL_GROUPS, GROUPS_ADD_IF_IDENTIFYING, rd_of(add, sizeof add)), ZCL_SUCCESS);
	assert_int_equal(status_of(GROUPS_VIEW, GROUP), ZCL_SUCCESS);
}

static void obeys_its_groups_alone(void **state)
{
	(void)state;
	groupcast(GROUPCAST, GROUP, ZCL_ON_OFF, 1, rd_of(NULL, 0));
	assert_int_equal(plant_count(&p, "switched"), 0);
	assert_int_equal(status_of(GROUPS_ADD, GROUP), ZCL_SUCCESS);
	groupcast(GROUPCAST + 1, OTHER, ZCL_ON_OFF, 1, rd_of(NULL, 0));
	assert_int_equal(plant_count(&p, "switched"), 0);
	groupcast(GROUPCAST + 2, GROUP, ZCL_ON_OFF, 2, rd_of(NULL, 0));
	assert_int_equal(plant_count(&p, "switched"), 1);
	groupcast(GROUPCAST + 2, GROUP, ZCL_ON_OFF, 2, rd_of(NULL, 0)); /* what it heard already */
	assert_int_equal(plant_count(&p, "switched"), 1);
	/* a cluster that it has not, or a command about groups: nobody answers */
	groupcast(GROUPCAST + 3, GROUP, ZCL_DOOR_LOCK, 0, rd_of(NULL, 0));
	assert_int_equal(p.data_frames, 0);
	groupcast(GROUPCAST + 4, GROUP, ZCL_GROUPS, GROUPS_VIEW, rd_of("\x2b\x1a", 2));
	assert_int_equal(p.data_frames, 0);
	assert_int_equal(status_of(GROUPS_REMOVE, GROUP), ZCL_SUCCESS);
	groupcast(GROUPCAST + 5, GROUP, ZCL_ON_OFF, 2, rd_of(NULL, 0));
	assert_int_equal(plant_count(&p, "switched"), 1);
}

/* Each endpoint is in groups by itself. */
static void an_endpoint_is_in_a_group(void **state)
{
	(void)state;
	assert_int_equal(status_of(GROUPS_ADD, GROUP), ZCL_SUCCESS);
	groupcast(GROUPCAST, GROUP, ZCL_ON_OFF, 2, rd_of(NULL, 0));
	assert_int_equal(plant_count(&p, "switched"), 1);
	assert_non_null(strstr(plant_find(&p, 0, "switched")->detail, "\"endpoint\":1"));
}

static void set_level(uint8_t level)
{
	const uint8_t move[] = {level, 0, 0};

	assert_int_equal(refused(ZCL_LEVEL, 0, rd_of(move, sizeof move)), ZCL_SUCCESS);
}

static uint8_t level(void)
{
	struct zcl_record r;
	struct zcl_frame z;

	p.data_frames = 0;
	plant_zcl(&p, ZCL_LEVEL, ZCL_GLOBAL, ZCL_READ, rd_of("\0\0", 2));
	plant_run(&p, 2500);
	assert_int_equal(zcl_decode(p.last.payload, &z), OK);
	assert_true(zcl_read_response_next(&z.payload, &r) && r.status == ZCL_SUCCESS);
	return (uint8_t)r.value.number;
}

static const uint8_t scene_5[] = {0x2b, 0x1a, 5};

static void stores_and_recalls_scenes(void **state)
{
	(void)state;
	assert_int_equal(scene_status(SCENES_STORE, GROUP, 5), ZCL_INVALID_FIELD); /* of a group that it is not in */
	assert_int_equal(status_of(GROUPS_ADD, GROUP), ZCL_SUCCESS);
	assert_int_equal(refused(ZCL_SCENES, SCENES_RECALL, rd_of(scene_5, 3)), ZCL_NOT_FOUND);
	set_level(77);
	assert_int_equal(scene_status(SCENES_STORE, GROUP, 5), ZCL_SUCCESS);
	set_level(200);
	groupcast(GROUPCAST, GROUP, ZCL_SCENES, SCENES_RECALL, rd_of(scene_5, 3));
	assert_int_equal(level(), 77);
	assert_int_equal(plant_count(&p, "scene-recalled"), 1);
	/* what it keeps outlasts a restart */
	set_level(200);
	plant_restart(&p);
	plant_run(&p, 3000);
	assert_int_equal(refused(ZCL_SCENES, SCENES_RECALL, rd_of(scene_5, 3)), ZCL_SUCCESS);
	assert_int_equal(level(), 77);
	/* and goes with its group */
	assert_int_equal(status_of(GROUPS_REMOVE, GROUP), ZCL_SUCCESS);
	assert_int_equal(status_of(GROUPS_ADD, GROUP), ZCL_SUCCESS);
	assert_int_equal(refused(ZCL_SCENES, SCENES_RECALL, rd_of(scene_5, 3)), ZCL_NOT_FOUND);
}

static void shows_its_scenes(void **state)
{
	uint8_t fields[20];
	struct wr w = wr_of(fields, sizeof fields);
	struct scenes_message q = {.scene = 9, .transition = 3}, r;
	struct scenes_field f;

	(void)state;
	scenes_put_field(&w, ZCL_ON_OFF, rd_of("\1", 1));
	scenes_put_field(&w, ZCL_LEVEL, rd_of("\x30", 1));
	scenes_put_field(&w, ZCL_COLOUR, rd_of("\1\2\3\4", 4)); /* which it has not */
	q.fields = rd_of(w.octets, w.len);
	assert_int_equal(ask_scenes(SCENES_ADD, &q).status, ZCL_SUCCESS);
	r = ask_scenes(SCENES_VIEW, &q);
	assert_true(r.status == ZCL_SUCCESS && r.transition == 3 && r.name.left == 0);
	assert_true(scenes_next_field(&r.fields, &f) && f.cluster == ZCL_ON_OFF && rd_equal(f.values, rd_of("\1", 1)));
	assert_true(scenes_next_field(&r.fields, &f) && f.cluster == ZCL_LEVEL && rd_equal(f.values, rd_of("\x30", 1)) && rd_end(&r.fields));
	r = ask_scenes(SCENES_MEMBERSHIP, &q);
	assert_true(r.status == ZCL_SUCCESS && r.capacity == 7 && rd_equal(r.scenes, rd_of("\x09", 1)));
	assert_int_equal(refused(ZCL_SCENES, SCENES_RECALL, rd_of("\0\0\x09\xff\xff", 5)), ZCL_SUCCESS);
	assert_int_equal(level(), 0x30);
	for (uint8_t i = 0; i < 7; i++)
		assert_int_equal(scene_status(SCENES_STORE, 0, (uint8_t)(20 + i)), ZCL_SUCCESS);
	assert_int_equal(scene_status(SCENES_STORE, 0, 40), ZCL_INSUFFICIENT_SPACE);
	assert_int_equal(scene_status(SCENES_REMOVE, 0, 9), ZCL_SUCCESS);
	assert_int_equal(scene_status(SCENES_REMOVE, 0, 9), ZCL_NOT_FOUND);
	assert_int_equal(scene_status(SCENES_VIEW, 0, 9), ZCL_NOT_FOUND);
	assert_int_equal(scene_status(SCENES_REMOVE_ALL, 0, 0), ZCL_SUCCESS);
	r = ask_scenes(SCENES_MEMBERSHIP, &q);
	assert_true(r.capacity == 8 && rd_end(&r.scenes));
}

static void forgets_all_when_it_leaves(void **state)
{
	(void)state;
	assert_int_equal(status_of(GROUPS_ADD, GROUP), ZCL_SUCCESS);
	assert_non_null(memmem(p.memory, p.memory_len, "group ", 6));
	assert_true(sim_device_command(p.device, p.now, "leave"));
	plant_run(&p, 100);
	assert_null(memmem(p.memory, p.memory_len, "group ", 6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_a_group_table, setup, teardown),
		cmocka_unit_test_setup_teardown(joins_a_group_while_it_identifies, setup, teardown),
		cmocka_unit_test_setup_teardown(obeys_its_groups_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(an_endpoint_is_in_a_group, setup_strip, teardown),
		cmocka_unit_test_setup_teardown(stores_and_recalls_scenes, setup, teardown),
		cmocka_unit_test_setup_teardown(shows_its_scenes, setup, teardown),
		cmocka_unit_test_setup_teardown(forgets_all_when_it_leaves, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
