/* ZDP messages by the figures of the Zigbee specification 05-3474 R22, clause 2.4: each decodes to what stands there, encodes to the same octets, and
 * no prefix of it decodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "zigbee/zdo.h"

#define DEVICE 0x00124b0000000001ULL
#define DEVICE_ON_AIR "01000000004b1200"
#define COORDINATOR 0x0200000000000001ULL
#define COORDINATOR_ON_AIR "0100000000000002"
#define SHORT 0x7b31

struct vector {
	const char *name, *hex;
	struct zdo_message m; /* what it says; its cluster selects the figure */
};

/* clang-format off */
static const struct vector vectors[] = {
	{"Device_annce, 2.4.3.1.11", "01 317b " DEVICE_ON_AIR " 80",
		{.cluster = ZDO_DEVICE_ANNCE, .sequence = 1, .short_address = SHORT, .eui64 = DEVICE, .capability = 0x80}},
	{"NWK_addr_req, 2.4.3.1.1", "02 " DEVICE_ON_AIR " 00 00",
		{.cluster = ZDO_NWK_ADDR, .sequence = 2, .eui64 = DEVICE}},
	{"NWK_addr_rsp, 2.4.4.2.1", "02 00 " DEVICE_ON_AIR " 317b",
		{.cluster = ZDO_NWK_ADDR | ZDO_RESPONSE, .sequence = 2, .eui64 = DEVICE, .short_address = SHORT}},
	{"IEEE_addr_req, 2.4.3.1.2", "03 317b 00 00",
		{.cluster = ZDO_IEEE_ADDR, .sequence = 3, .short_address = SHORT}},
	{"Node_Desc_req, 2.4.3.1.3", "04 0000",
		{.cluster = ZDO_NODE_DESC, .sequence = 4}},
	{"Node_Desc_rsp of a Trust Centre of revision 22, 2.4.4.2.3", "04 00 0000 00 40 8f 5f11 52 5200 012c 5200 00",
		{.cluster = ZDO_NODE_DESC | ZDO_RESPONSE, .sequence = 4, .node = {ZDO_COORDINATOR, 8, 0x8f, 0x115f, 0x52, 0x52, 0x2c01, 0x52, 0}}},
	{"Node_Desc_rsp of nobody", "04 81 317b",
		{.cluster = ZDO_NODE_DESC | ZDO_RESPONSE, .sequence = 4, .status = ZDO_DEVICE_NOT_FOUND, .short_address = SHORT}},
	{"Power_Desc_rsp, 2.4.4.2.4", "05 00 317b 10c1",
		{.cluster = ZDO_POWER_DESC | ZDO_RESPONSE, .sequence = 5, .short_address = SHORT, .power = 0xc110}},
	{"Simple_Desc_req, 2.4.3.1.5", "06 317b 01",
		{.cluster = ZDO_SIMPLE_DESC, .sequence = 6, .short_address = SHORT, .endpoint = 1}},
	{"Simple_Desc_rsp of a thermometer, 2.4.4.2.5", "06 00 317b 0e 01 0401 0203 01 02 0000 0204 01 1900",
		{.cluster = ZDO_SIMPLE_DESC | ZDO_RESPONSE, .sequence = 6, .short_address = SHORT,
		 .simple = {1, 0x0104, 0x0302, 1, 2, 1, {0x0000, 0x0402}, {0x0019}}}},
	{"Simple_Desc_rsp of an endpoint that is not active", "06 83 317b 00",
		{.cluster = ZDO_SIMPLE_DESC | ZDO_RESPONSE, .sequence = 6, .status = ZDO_NOT_ACTIVE, .short_address = SHORT}},
	{"Active_EP_rsp, 2.4.4.2.6", "07 00 317b 02 01 f2",
		{.cluster = ZDO_ACTIVE_EP | ZDO_RESPONSE, .sequence = 7, .short_address = SHORT, .endpoint_count = 2, .endpoints = {1, 0xf2}}},
	{"Match_Desc_req, 2.4.3.1.7", "08 fdff 0401 01 0005 01 1900",
		{.cluster = ZDO_MATCH_DESC, .sequence = 8, .short_address = 0xfffd,
		 .simple = {.profile = 0x0104, .in_count = 1, .out_count = 1, .in = {0x0500}, .out = {0x0019}}}},
	{"Match_Desc_rsp, 2.4.4.2.7", "08 00 0000 01 01",
		{.cluster = ZDO_MATCH_DESC | ZDO_RESPONSE, .sequence = 8, .endpoint_count = 1, .endpoints = {1}}},
	{"Bind_req, 2.4.3.2.2", "09 " DEVICE_ON_AIR " 01 0204 03 " COORDINATOR_ON_AIR " 01",
		{.cluster = ZDO_BIND, .sequence = 9, .bind = {DEVICE, 1, 0x0402, COORDINATOR, 1}}},
	{"Unbind_req, 2.4.3.2.3", "09 " DEVICE_ON_AIR " 01 0600 03 " COORDINATOR_ON_AIR " f2",
		{.cluster = ZDO_UNBIND, .sequence = 9, .bind = {DEVICE, 1, 0x0006, COORDINATOR, 0xf2}}},
	{"Bind_rsp: table full, 2.4.4.3.2", "09 87",
		{.cluster = ZDO_BIND | ZDO_RESPONSE, .sequence = 9, .status = ZDO_TABLE_FULL}},
	{"Mgmt_Leave_req with rejoin, 2.4.3.3.4", "0a " DEVICE_ON_AIR " 80",
		{.cluster = ZDO_MGMT_LEAVE, .sequence = 10, .eui64 = DEVICE, .leave_flags = 0x80}},
	{"Mgmt_Permit_Joining_req, 2.4.3.3.7", "0b b4 01",
		{.cluster = ZDO_MGMT_PERMIT_JOINING, .sequence = 11, .permit_duration = 180, .tc_significance = 1}},
	{"Mgmt_Lqi_req, 2.4.3.3.2", "0c 02",
		{.cluster = ZDO_MGMT_LQI, .sequence = 12, .start = 2}},
	{"Mgmt_Lqi_rsp with a router that hears always, a child, 2.4.4.3.2", "0c 00 03 02 01 10a429ce8f36cef4 " DEVICE_ON_AIR " 317b 15 02 01 b4",
		{.cluster = ZDO_MGMT_LQI | ZDO_RESPONSE, .sequence = 12, .total = 3, .start = 2, .row_count = 1,
		 .neighbours = {{0xf4ce368fce29a410ULL, DEVICE, SHORT, ZDO_ROUTER | ZDO_NEIGHBOUR_RX_ON | ZDO_NEIGHBOUR_CHILD, ZDO_NEIGHBOUR_PERMIT_UNKNOWN, 1, 180}}}},
	{"Mgmt_Lqi_rsp behind the last row", "0c 00 03 03 00",
		{.cluster = ZDO_MGMT_LQI | ZDO_RESPONSE, .sequence = 12, .total = 3, .start = 3}},
	{"Mgmt_Rtg_req, 2.4.3.3.3", "0d 00",
		{.cluster = ZDO_MGMT_RTG, .sequence = 13}},
	{"Mgmt_Rtg_rsp with a many-to-one route and one that is lost, 2.4.4.3.3", "0d 00 02 00 02 0000 30 0000 317b 03 0000",
		{.cluster = ZDO_MGMT_RTG | ZDO_RESPONSE, .sequence = 13, .total = 2, .row_count = 2,
		 .routes = {{0, 0, ZDO_ROUTE_MANY_TO_ONE | ZDO_ROUTE_RECORD_REQUIRED}, {SHORT, 0, ZDO_ROUTE_INACTIVE}}}},
	{"Mgmt_Rtg_rsp of a device without routes", "0d 84",
		{.cluster = ZDO_MGMT_RTG | ZDO_RESPONSE, .sequence = 13, .status = ZDO_NOT_SUPPORTED}},
};
/* clang-format on */

static size_t octets_of(const char *hex, uint8_t octets[static 128])
{
	size_t len;

	assert_true(hex_parse_loose(rd_str(hex), octets, 128, &len));
	return len;
}

static void lists_are_same(uint8_t count, const uint16_t *a, const uint16_t *b)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(a[i], b[i]);
}

static void is_same(const struct zdo_message *a, const struct zdo_message *b)
{
	assert_int_equal(a->cluster, b->cluster);
	assert_int_equal(a->sequence, b->sequence);
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->short_address, b->short_address);
	assert_true(a->eui64 == b->eui64);
	assert_int_equal(a->capability, b->capability);
	assert_int_equal(a->endpoint, b->endpoint);
	assert_int_equal(a->power, b->power);
	assert_int_equal(a->leave_flags, b->leave_flags);
	assert_int_equal(a->permit_duration, b->permit_duration);
	assert_int_equal(a->tc_significance, b->tc_significance);
	assert_int_equal(a->endpoint_count, b->endpoint_count);
	assert_memory_equal(a->endpoints, b->endpoints, a->endpoint_count);
	assert_int_equal(a->node.logical_type, b->node.logical_type);
	assert_int_equal(a->node.frequency, b->node.frequency);
	assert_int_equal(a->node.capability, b->node.capability);
	assert_int_equal(a->node.manufacturer, b->node.manufacturer);
	assert_int_equal(a->node.server_mask, b->node.server_mask);
	assert_int_equal(a->node.incoming_size, b->node.incoming_size);
	assert_int_equal(a->simple.endpoint, b->simple.endpoint);
	assert_int_equal(a->simple.profile, b->simple.profile);
	assert_int_equal(a->simple.device, b->simple.device);
	assert_int_equal(a->simple.version, b->simple.version);
	assert_int_equal(a->simple.in_count, b->simple.in_count);
	assert_int_equal(a->simple.out_count, b->simple.out_count);
	lists_are_same(a->simple.in_count, a->simple.in, b->simple.in);
	lists_are_same(a->simple.out_count, a->simple.out, b->simple.out);
	assert_true(a->bind.source == b->bind.source && a->bind.destination == b->bind.destination);
	assert_int_equal(a->bind.source_endpoint, b->bind.source_endpoint);
	assert_int_equal(a->bind.destination_endpoint, b->bind.destination_endpoint);
	assert_int_equal(a->bind.cluster, b->bind.cluster);
	assert_int_equal(a->start, b->start);
	assert_int_equal(a->total, b->total);
	assert_int_equal(a->row_count, b->row_count);
	for (size_t i = 0; i < a->row_count; i++) {
		assert_true(a->neighbours[i].extended_pan_id == b->neighbours[i].extended_pan_id && a->neighbours[i].eui64 == b->neighbours[i].eui64);
		assert_int_equal(a->neighbours[i].short_address, b->neighbours[i].short_address);
		assert_int_equal(a->neighbours[i].kind, b->neighbours[i].kind);
		assert_int_equal(a->neighbours[i].permit, b->neighbours[i].permit);
		assert_int_equal(a->neighbours[i].depth, b->neighbours[i].depth);
		assert_int_equal(a->neighbours[i].lqi, b->neighbours[i].lqi);
		assert_int_equal(a->routes[i].destination, b->routes[i].destination);
		assert_int_equal(a->routes[i].state, b->routes[i].state);
		assert_int_equal(a->routes[i].next_hop, b->routes[i].next_hop);
	}
}

static void reads_and_writes_what_the_figures_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		const struct vector *v = &vectors[i];
		uint8_t octets[128], written[128];
		size_t len = octets_of(v->hex, octets);
		struct wr w = wr_of(written, sizeof written);
		struct zdo_message m;

		print_message("%s\n", v->name);
		assert_int_equal(zdo_decode(v->m.cluster, rd_of(octets, len), &m), OK);
		is_same(&m, &v->m);
		assert_int_equal(zdo_encode(&v->m, &w), OK);
		assert_int_equal(w.len, len);
		assert_memory_equal(written, octets, len);
	}
}

/* From a block of exactly that size, so that a sanitizer sees the first octet too many. */
static void every_prefix_fails(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		uint8_t octets[128];
		size_t len = octets_of(vectors[i].hex, octets);

		for (size_t n = 0; n < len; n++) {
			uint8_t *block = malloc(n ? n : 1);
			struct zdo_message m;

			assert_non_null(block);
			memcpy(block, octets, n);
			assert_int_not_equal(zdo_decode(vectors[i].m.cluster, rd_of(block, n), &m), OK);
			free(block);
		}
	}
}

static enum err decode(uint16_t cluster, const char *hex)
{
	uint8_t octets[128];
	size_t len = octets_of(hex, octets);
	struct zdo_message m;

	return zdo_decode(cluster, rd_of(octets, len), &m);
}

static void refuses_what_it_cannot_hold_or_does_not_know(void **state)
{
	uint8_t octets[2 + 5 + 2 * (ZDO_CLUSTERS_MAX + 1)] = {8, 0xfd, 0xff, 4, 1, ZDO_CLUSTERS_MAX + 1};
	struct zdo_message m;

	(void)state;
	assert_int_equal(zdo_decode(ZDO_MATCH_DESC, rd_of(octets, sizeof octets), &m), ERR_SHORT);                /* clusters */
	assert_int_not_equal(decode(ZDO_ACTIVE_EP | ZDO_RESPONSE, "07 00 317b 21"), OK);                          /* endpoints */
	assert_int_not_equal(decode(ZDO_NODE_DESC | ZDO_RESPONSE, "04 00 0000 03 40 8f 5f11 52 5200 012c 5200 00"), OK); /* a fourth kind of node */
	assert_int_not_equal(decode(ZDO_SIMPLE_DESC | ZDO_RESPONSE, "06 00 317b 00"), OK);                         /* success without descriptor */
	assert_int_not_equal(decode(ZDO_SIMPLE_DESC | ZDO_RESPONSE, "06 00 317b 09 01 0401 0203 01 00 00 00"), OK); /* an octet behind it */
	assert_int_not_equal(decode(ZDO_BIND, "09 " DEVICE_ON_AIR " 01 0204 01 0100"), OK);                        /* to a group */
	assert_int_equal(decode(ZDO_MGMT_PERMIT_JOINING, "0b b4 01 00"), ERR_MALFORMED);                           /* an octet behind */
	assert_int_equal(decode(0x0033, "0c 00"), ERR_UNSUPPORTED);                                                /* Mgmt_Bind_req */
	assert_int_equal(decode(ZDO_MGMT_LQI | ZDO_RESPONSE, "0c 00 05 00 05"), ERR_SHORT);                        /* more rows than a frame holds */
	assert_int_equal(decode(ZDO_MGMT_RTG | ZDO_RESPONSE, "0d 00 0d 00 0d"), ERR_SHORT);
	assert_int_equal(decode(ZDO_DEVICE_ANNCE | ZDO_RESPONSE, "0c 00"), ERR_UNSUPPORTED);
}

static void says_what_it_does_not_support(void **state)
{
	uint8_t octets[4];
	struct wr w = wr_of(octets, sizeof octets);

	(void)state;
	zdo_not_supported(0x0c, &w);
	assert_int_equal(w.len, 2);
	assert_int_equal(octets[0], 0x0c);
	assert_int_equal(octets[1], ZDO_NOT_SUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes_what_the_figures_say),
		cmocka_unit_test(every_prefix_fails),
		cmocka_unit_test(refuses_what_it_cannot_hold_or_does_not_know),
		cmocka_unit_test(says_what_it_does_not_support),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
