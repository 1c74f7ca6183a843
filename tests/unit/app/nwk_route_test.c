/* NWK commands of routing by the figures of the Zigbee specification 05-3474 R22, clauses 3.4.1, 3.4.2, 3.4.3, 3.4.5 and 3.4.8: each decodes to what
 * stands there, encodes to the same octets, and no prefix of it decodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "zigbee/nwk_frame.h"

#define DEVICE 0x00124b0000000001ULL
#define DEVICE_ON_AIR "01000000004b1200"
#define COORDINATOR 0x0200000000000001ULL
#define COORDINATOR_ON_AIR "0100000000000002"
#define SHORT 0x7b31

struct vector {
	const char *name, *hex;
	struct nwk_command c;
};

/* clang-format off */
static const struct vector vectors[] = {
	{"route request for the coordinator", "01 00 2a 0000 00",
		{.id = NWK_ROUTE_REQUEST, .route_request = {.id = 42}}},
	{"route request with EUI-64", "01 20 2a 317b 03 " DEVICE_ON_AIR,
		{.id = NWK_ROUTE_REQUEST, .route_request = {.id = 42, .cost = 3, .destination = SHORT, .has_destination_eui64 = true, .destination_eui64 = DEVICE}}},
	{"many-to-one route request of a concentrator that keeps route records", "01 08 01 fcff 00",
		{.id = NWK_ROUTE_REQUEST, .route_request = {.many = NWK_MANY_TO_ONE, .id = 1, .destination = NWK_BROADCAST_ROUTERS}}},
	{"many-to-one route request of one that does not", "01 10 01 fcff 00",
		{.id = NWK_ROUTE_REQUEST, .route_request = {.many = NWK_MANY_TO_ONE_NO_CACHE, .id = 1, .destination = NWK_BROADCAST_ROUTERS}}},
	{"route request for a group", "01 40 02 0100 00",
		{.id = NWK_ROUTE_REQUEST, .route_request = {.multicast = true, .id = 2, .destination = 1}}},
	{"route reply with both EUI-64", "02 30 2a 317b 0000 01 " DEVICE_ON_AIR " " COORDINATOR_ON_AIR,
		{.id = NWK_ROUTE_REPLY, .route_reply = {.has_originator_eui64 = true, .has_responder_eui64 = true, .id = 42, .cost = 1, .originator = SHORT,
		 .originator_eui64 = DEVICE, .responder_eui64 = COORDINATOR}}},
	{"route reply without", "02 00 2a 317b 0000 01",
		{.id = NWK_ROUTE_REPLY, .route_reply = {.id = 42, .cost = 1, .originator = SHORT}}},
	{"route reply with the responder's EUI-64", "02 20 2a 317b 0000 00 " COORDINATOR_ON_AIR,
		{.id = NWK_ROUTE_REPLY, .route_reply = {.has_responder_eui64 = true, .id = 42, .originator = SHORT, .responder_eui64 = COORDINATOR}}},
	{"network status: many-to-one route failure", "03 0c 0000",
		{.id = NWK_NETWORK_STATUS, .network_status = {NWK_STATUS_MANY_TO_ONE_FAILURE, 0}}},
	{"route record without relays", "05 00",
		{.id = NWK_ROUTE_RECORD}},
	{"route record with two", "05 02 317b 3412",
		{.id = NWK_ROUTE_RECORD, .route_record = {2, {SHORT, 0x1234}}}},
	{"link status of nobody", "08 60",
		{.id = NWK_LINK_STATUS, .link_status = {.first = true, .last = true}}},
	{"link status of one neighbour: incoming 1, outgoing 3", "08 61 0000 31",
		{.id = NWK_LINK_STATUS, .link_status = {true, true, 1, {{0, 1, 3}}}}},
	{"link status, a first part of more", "08 22 0000 11 317b 70",
		{.id = NWK_LINK_STATUS, .link_status = {true, false, 2, {{0, 1, 1}, {SHORT, 0, 7}}}}},
};
/* clang-format on */

static size_t octets_of(const char *hex, uint8_t octets[static 128])
{
	size_t len;

	assert_true(hex_parse_loose(rd_str(hex), octets, 128, &len));
	return len;
}

static void reads_and_writes_what_the_figures_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		const struct vector *v = &vectors[i];
		uint8_t octets[128], written[128], again[128];
		size_t len = octets_of(v->hex, octets);
		struct wr w = wr_of(written, sizeof written), x = wr_of(again, sizeof again);
		struct nwk_command c;

		print_message("%s\n", v->name);
		assert_int_equal(nwk_command_encode(&v->c, &w), OK);
		assert_int_equal(w.len, len);
		assert_memory_equal(written, octets, len);
		assert_int_equal(nwk_command_decode(rd_of(octets, len), &c), OK);
		assert_int_equal(c.id, v->c.id);
		assert_int_equal(nwk_command_encode(&c, &x), OK);
		assert_int_equal(x.len, len);
		assert_memory_equal(again, octets, len);
	}
}

static void the_fields_are_where_they_belong(void **state)
{
	uint8_t octets[128];
	struct nwk_command c;
	size_t len = octets_of("01 28 2a 317b 03 " DEVICE_ON_AIR, octets);

	(void)state;
	assert_int_equal(nwk_command_decode(rd_of(octets, len), &c), OK);
	assert_int_equal(c.route_request.many, NWK_MANY_TO_ONE);
	assert_int_equal(c.route_request.id, 42);
	assert_int_equal(c.route_request.destination, SHORT);
	assert_int_equal(c.route_request.cost, 3);
	assert_true(c.route_request.has_destination_eui64 && c.route_request.destination_eui64 == DEVICE);
	len = octets_of("02 30 2a 317b 0100 04 " DEVICE_ON_AIR " " COORDINATOR_ON_AIR, octets);
	assert_int_equal(nwk_command_decode(rd_of(octets, len), &c), OK);
	assert_int_equal(c.route_reply.originator, SHORT);
	assert_int_equal(c.route_reply.responder, 1);
	assert_int_equal(c.route_reply.cost, 4);
	assert_true(c.route_reply.originator_eui64 == DEVICE && c.route_reply.responder_eui64 == COORDINATOR);
	len = octets_of("08 22 0000 31 317b 70", octets);
	assert_int_equal(nwk_command_decode(rd_of(octets, len), &c), OK);
	assert_true(c.link_status.first && !c.link_status.last);
	assert_int_equal(c.link_status.count, 2);
	assert_int_equal(c.link_status.links[0].incoming_cost, 1);
	assert_int_equal(c.link_status.links[0].outgoing_cost, 3);
	assert_int_equal(c.link_status.links[1].address, SHORT);
	assert_int_equal(c.link_status.links[1].incoming_cost, 0);
	assert_int_equal(c.link_status.links[1].outgoing_cost, 7);
}

/* From a block of exactly that size, so that a sanitizer sees the first octet too many. */
static void every_prefix_fails(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		uint8_t octets[128];
		size_t len = octets_of(vectors[i].hex, octets);

		for (size_t n = 0; n <= len + 1; n++) {
			uint8_t *block = malloc(n ? n : 1);
			struct nwk_command c;

			assert_non_null(block);
			memset(block, 0, n);
			memcpy(block, octets, n < len ? n : len);
			assert_int_equal(nwk_command_decode(rd_of(block, n), &c) == OK, n == len);
			free(block);
		}
	}
}

static enum err decode(const char *hex)
{
	uint8_t octets[128];
	size_t len = octets_of(hex, octets);
	struct nwk_command c;

	return nwk_command_decode(rd_of(octets, len), &c);
}

static void refuses_what_is_reserved_or_too_much(void **state)
{
	struct nwk_command record = {.id = NWK_ROUTE_RECORD, .route_record = {.count = NWK_RELAYS_MAX + 1}}, links = {.id = NWK_LINK_STATUS, .link_status = {.count = NWK_LINKS_MAX + 1}};
	uint8_t buffer[256] = {NWK_ROUTE_RECORD, NWK_RELAYS_MAX + 1};
	struct nwk_command c;
	struct wr w = wr_of(buffer + 100, 100);

	(void)state;
	assert_int_not_equal(decode("01 18 01 fcff 00"), OK); /* a fourth kind of many-to-one */
	assert_int_not_equal(nwk_command_decode(rd_of(buffer, 2 + 2 * (NWK_RELAYS_MAX + 1)), &c), OK);
	assert_int_not_equal(nwk_command_encode(&record, &w), OK);
	w = wr_of(buffer + 100, 100);
	assert_int_not_equal(nwk_command_encode(&links, &w), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes_what_the_figures_say),
		cmocka_unit_test(the_fields_are_where_they_belong),
		cmocka_unit_test(every_prefix_fails),
		cmocka_unit_test(refuses_what_is_reserved_or_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
