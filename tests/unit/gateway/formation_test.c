/* Choosing a channel from what was heard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "gateway/formation.h"
#include "ieee802154/mac_frame.h"
#include "zigbee/beacon.h"

#define ALL 0x07fff800U

static void heard(struct formation *f, uint8_t channel, uint16_t pan_id, uint64_t extended, bool zigbee)
{
	const struct zigbee_beacon z = {.stack_profile = 2, .protocol_version = 2, .extended_pan_id = extended, .tx_offset = 0xffffff};
	uint8_t inner[32], outer[64], octets[MAC_FRAME_MAX];
	struct wr i = wr_of(inner, sizeof inner), o = wr_of(outer, sizeof outer), w = wr_of(octets, sizeof octets);
	struct mac_frame m = {.type = MAC_BEACON, .source = {MAC_ADDRESS_SHORT, pan_id, 0, 0}};
	struct mac_beacon b = {.superframe = 0x0fff};

	if (zigbee)
		assert_int_equal(zigbee_beacon_encode(&z, &i), OK);
	b.payload = rd_of(inner, i.len);
	assert_int_equal(mac_beacon_encode(&b, &o), OK);
	m.payload = rd_of(outer, o.len);
	assert_int_equal(mac_frame_encode(&m, &w), OK);
	formation_heard(f, channel, rd_of(octets, w.len));
}

static void the_quietest_channel_is_taken(void **state)
{
	static const struct {
		uint32_t allowed;
		struct {
			uint8_t channel;
			int8_t dbm;
			unsigned networks;
		} heard[4];
		uint8_t chosen;
	} cases[] = {
		{ALL, {{0}}, 25},
		{1U << 11 | 1U << 15, {{0}}, 15},
		{1U << 26, {{26, -20, 3}}, 26},
		{1U << 15 | 1U << 20, {{15, -90, 0}, {20, -80, 0}}, 15},
		{1U << 15 | 1U << 20, {{15, -90, 2}, {20, -80, 0}}, 20},    /* two networks weigh more than 10 dB */
		{1U << 25 | 1U << 26, {{25, -90, 0}, {26, -94, 0}}, 25},    /* 26 is weaker than that for many radios */
		{1U << 25 | 1U << 26, {{25, -60, 0}, {26, -94, 0}}, 26},
		{1U << 11 | 1U << 12, {{11, -50, 0}, {11, -95, 0}, {12, -70, 0}}, 12}, /* the strongest counts, not the last */
		{1U << 11 | 1U << 12 | 1U << 13, {{11, -95, 0}, {12, -95, 0}, {13, -95, 0}}, 11},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct formation f;

		memset(&f, 0, sizeof f);
		for (size_t k = 0; k < 4 && cases[i].heard[k].channel; k++) {
			formation_energy(&f, cases[i].heard[k].channel, cases[i].heard[k].dbm);
			for (unsigned n = 0; n < cases[i].heard[k].networks; n++)
				heard(&f, cases[i].heard[k].channel, (uint16_t)(100 + n), n, n % 2);
		}
		assert_int_equal(formation_choose(&f, cases[i].allowed), cases[i].chosen);
	}
}

static void networks_count_once_and_conflicts_are_found(void **state)
{
	struct formation f;

	(void)state;
	memset(&f, 0, sizeof f);
	for (unsigned i = 0; i < 5; i++)
		heard(&f, 20, 0x1a62, 0xdd, true);
	heard(&f, 11, 0x2222, 0, false);
	assert_int_equal(f.count, 2);
	assert_int_equal(f.channel[20].networks, 1);
	assert_null(formation_conflict(&f, 0x3333, 0xee));
	assert_null(formation_conflict(&f, 0x3333, 0)); /* the other has no extended PAN ID */
	assert_int_equal(formation_conflict(&f, 0x1a62, 0xee)->channel, 20);
	assert_int_equal(formation_conflict(&f, 0x3333, 0xdd)->channel, 20);
	assert_int_equal(formation_conflict(&f, 0x2222, 0xee)->channel, 11);
	for (uint16_t i = 0; i < 1000; i++)
		heard(&f, 12, i, i, true);
	assert_int_equal(f.count, FORMATION_NETWORKS_MAX);
	heard(&f, 200, 1, 1, true);
	formation_energy(&f, 200, 0);
	formation_heard(&f, 12, rd_of("\x00\x80", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_quietest_channel_is_taken),
		cmocka_unit_test(networks_count_once_and_conflicts_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
