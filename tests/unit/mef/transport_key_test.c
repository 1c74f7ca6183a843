/* The Transport-Key packet: equal to a real network's, and opened by the device's side of the install code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/bytes.h"
#include "eg/transport_key.h"
#include "keys/secret_octets.h"
#include "zigbee/security/install_code.h"

#define DEVICE 0xa4c1386d9b280fdfULL
#define COORDINATOR 0x804b50fffe0599f9ULL
#define CODE "83FED3407A939723A5C639B26916D505C3B5"

static struct secret *key_of(const char *hex)
{
	uint8_t octets[16];

	assert_true(hex_parse(rd_str(hex), octets, sizeof octets));
	return secret_take(octets, sizeof octets);
}

static struct transport_key_order order(enum header_addresses addresses)
{
	const struct transport_key_order o = {
		.gateway = COORDINATOR,
		.device = DEVICE,
		.device_short = 0xa18f,
		.addresses = addresses,
		.nwk_sequence = 0xa1,
		.aps_counter = 0x6a,
		.key_sequence = 0,
		.frame_counter = 86022,
	};

	return o;
}

/* tests/vectors/zigbee.json, join NET2, frame NET2_TRANSPORT_KEY_NWK_FROM_COORD behind its MAC header. */
static void equals_the_packet_of_a_real_network(void **state)
{
	static const char expected[] = "08008fa100001ea1216a3006500100f99905feff504b80de473c64b569cac62c72ac2ffd682f57590baa2b6f1e0306f824a5a90358b26c8e68e6e8a75aff";
	struct transport_key_order o = order(HEADER_ADDRESSES_NONE);
	struct secret *network = key_of("01030507090b0d0f00020406080a0c0d");
	struct link_key_set link;
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	char text[HEX_SIZE(NWK_FRAME_MAX)];
	struct rd packet;

	(void)state;
	assert_int_equal(link_key_set_take(&link, key_of("5a6967426565416c6c69616e63653039")), OK);
	assert_int_equal(transport_key_forge(&o, &link, network, &w), OK);
	assert_true(wr_done(&w, &packet));
	hex_print(text, packet.at, packet.left);
	assert_string_equal(text, expected);
	secret_free(network);
	link_key_set_clear(&link);
}

/* The device's side: what it derives from the label opens the packet, and what is inside is the network key. */
static void device_opens_it_with_its_install_code(void **state)
{
	static const enum header_addresses all[] = {HEADER_ADDRESSES_DESTINATION, HEADER_ADDRESSES_BOTH, HEADER_ADDRESSES_NONE};
	struct secret *network = key_of("000102030405060708090a0b0c0d0e0f"), *code, *link_key;
	struct link_key_set link;

	(void)state;
	assert_int_equal(install_code_parse(rd_str(CODE), &code), OK);
	assert_int_equal(install_code_link_key(code, &link_key), OK);
	assert_int_equal(link_key_set_take(&link, link_key), OK);
	for (size_t i = 0; i < 3; i++) {
		struct transport_key_order o = order(all[i]);
		uint8_t buffer[NWK_FRAME_MAX], plain[NWK_FRAME_MAX];
		struct wr w = wr_of(buffer, sizeof buffer);
		struct aps_command c;
		struct aux_header aux;
		struct nwk_frame nwk;
		struct aps_frame aps;
		struct rd packet, payload;

		o.key_sequence = 7;
		assert_int_equal(transport_key_forge(&o, &link, network, &w), OK);
		assert_true(wr_done(&w, &packet));
		assert_int_equal(nwk_frame_decode(packet, &nwk), OK);
		assert_false(nwk.security);
		assert_int_equal(nwk.destination, 0xa18f);
		assert_int_equal(nwk.source, 0);
		assert_int_equal(nwk.has_destination_eui64, all[i] != HEADER_ADDRESSES_NONE);
		assert_int_equal(nwk.has_source_eui64, all[i] == HEADER_ADDRESSES_BOTH);
		assert_int_equal(aps_frame_decode(nwk.payload, &aps), OK);
		assert_int_equal(aps_open_set(&link, COORDINATOR, &aps, &aux, plain, &payload), OK);
		assert_int_equal(aux.key_id, AUX_KEY_TRANSPORT);
		assert_int_equal(aux.frame_counter, 86022);
		assert_true(aux.source == COORDINATOR);
		assert_int_equal(aps_command_decode(payload, &c), OK);
		assert_int_equal(c.id, APS_TRANSPORT_KEY);
		assert_int_equal(c.transport_key.type, APS_KEY_STANDARD_NETWORK);
		assert_int_equal(c.transport_key.sequence, 7);
		assert_true(c.transport_key.destination == DEVICE && c.transport_key.source == COORDINATOR);
		assert_memory_equal(c.transport_key.key_octets.at, secret_octets(network), 16);
		/* One changed octet anywhere behind the NWK header, and the device refuses it. */
		buffer[packet.left - 9] ^= 1;
		assert_int_equal(aps_open_set(&link, COORDINATOR, &aps, &aux, plain, &payload), ERR_BAD_MIC);
	}
	secret_free(code);
	secret_free(network);
	link_key_set_clear(&link);
}

static void another_install_code_does_not_open_it(void **state)
{
	struct transport_key_order o = order(HEADER_ADDRESSES_DESTINATION);
	struct secret *network = key_of("000102030405060708090a0b0c0d0e0f");
	struct link_key_set link, other;
	uint8_t buffer[NWK_FRAME_MAX], plain[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct aux_header aux;
	struct nwk_frame nwk;
	struct aps_frame aps;
	struct rd packet, payload;

	(void)state;
	assert_int_equal(link_key_set_take(&link, key_of("66b6900981e1ee3ca4206b6b861c02bb")), OK);
	assert_int_equal(link_key_set_take(&other, key_of("66b6900981e1ee3ca4206b6b861c02bc")), OK);
	assert_int_equal(transport_key_forge(&o, &link, network, &w), OK);
	assert_true(wr_done(&w, &packet));
	assert_int_equal(nwk_frame_decode(packet, &nwk), OK);
	assert_int_equal(aps_frame_decode(nwk.payload, &aps), OK);
	assert_int_equal(aps_open_set(&other, COORDINATOR, &aps, &aux, plain, &payload), ERR_BAD_MIC);
	/* Nothing of the key stands in the packet in clear. */
	assert_null(memmem(packet.at, packet.left, secret_octets(network), 4));
	secret_free(network);
	link_key_set_clear(&link);
	link_key_set_clear(&other);
}

static void does_not_write_beyond_its_buffer(void **state)
{
	struct transport_key_order o = order(HEADER_ADDRESSES_BOTH);
	struct secret *network = key_of("000102030405060708090a0b0c0d0e0f");
	struct link_key_set link;
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr whole = wr_of(buffer, sizeof buffer);

	(void)state;
	assert_int_equal(link_key_set_take(&link, key_of("66b6900981e1ee3ca4206b6b861c02bb")), OK);
	assert_int_equal(transport_key_forge(&o, &link, network, &whole), OK);
	for (size_t size = 0; size < whole.len; size++) {
		struct wr w = wr_of(buffer, size);
		struct rd packet;
		enum err e = transport_key_forge(&o, &link, network, &w);

		assert_true(e != OK || !wr_done(&w, &packet));
	}
	secret_free(network);
	link_key_set_clear(&link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_the_packet_of_a_real_network),
		cmocka_unit_test(device_opens_it_with_its_install_code),
		cmocka_unit_test(another_install_code_does_not_open_it),
		cmocka_unit_test(does_not_write_beyond_its_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
