/* The host's side of Spinel against a radio that the test plays: configuration, one frame at a time, resets, silence, and a noisy line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "gateway/spinel_host.h"
#include "spinel/spinel.h"

#define OURS 0x0200000000000001ULL
#define PAN 0x1a62
#define COMMANDS 600
#define EFFECTS 300

/* What the host wrote, decoded. */
struct heard {
	uint8_t transaction;
	uint32_t command, property;
	uint8_t octets[256];
	size_t len;
};

static struct spinel_host *h;
static uint64_t now;
static struct heard heard[COMMANDS];
static size_t heard_count;
static struct spinel_host_effect effects[EFFECTS]; /* all but WRITE */
static size_t count;

static const struct spinel_host_config config = {.eui64 = OURS, .pan_id = PAN, .channel = 15};

static int setup(void **state)
{
	(void)state;
	h = spinel_host_new(&config);
	now = 5000;
	heard_count = count = 0;
	return h ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	spinel_host_free(h);
	return 0;
}

static void decode(struct rd line)
{
	static struct hdlc_decoder d;
	struct spinel_frame f;
	struct rd frame;
	uint8_t octet;

	hdlc_init(&d);
	while (rd_u8(&line, &octet)) {
		struct heard *x = &heard[heard_count];

		if (!hdlc_octet(&d, octet, &frame))
			continue;
		assert_true(heard_count < COMMANDS);
		assert_int_equal(spinel_decode(frame, &f), OK);
		*x = (struct heard){.transaction = f.transaction, .command = f.command, .property = f.property, .len = f.value.left};
		assert_true(f.value.left <= sizeof x->octets);
		if (f.value.left)
			memcpy(x->octets, f.value.at, f.value.left);
		heard_count++;
	}
}

static void collect(void)
{
	struct spinel_host_effect e;

	heard_count = count = 0;
	while (spinel_host_output(h, &e)) {
		if (e.type == SPINEL_HOST_WRITE) {
			decode(rd_of(e.octets, e.len));
			continue;
		}
		assert_true(count < EFFECTS);
		effects[count++] = e;
	}
}

static bool happened(enum spinel_host_effect_type type)
{
	for (size_t i = 0; i < count; i++)
		if (effects[i].type == type)
			return true;
	return false;
}

static size_t say(uint8_t *octets, size_t size, uint8_t transaction, uint32_t command, uint32_t property, struct rd value)
{
	const struct spinel_frame f = {.transaction = transaction, .command = command, .property = property, .value = value};
	uint8_t plain[300];
	struct wr w = wr_of(plain, sizeof plain), line = wr_of(octets, size);
	struct rd content;

	spinel_encode(&f, &w);
	assert_true(wr_done(&w, &content));
	hdlc_encode(content, &line);
	assert_false(line.spoilt);
	return line.len;
}

/* From the radio. */
static void radio(uint8_t transaction, uint32_t command, uint32_t property, struct rd value)
{
	uint8_t octets[700];
	size_t len = say(octets, sizeof octets, transaction, command, property, value);

	spinel_host_input(h, now, rd_of(octets, len));
	collect();
}

static void radio_status(uint8_t transaction, uint32_t status)
{
	uint8_t buffer[4];
	struct wr w = wr_of(buffer, sizeof buffer);

	wr_packed_uint(&w, status);
	radio(transaction, SPINEL_PROP_IS, SPINEL_LAST_STATUS, rd_of(w.octets, w.len));
}

/* A radio that has it all. */
static void answer(const struct heard *x)
{
	static const struct {
		uint32_t property;
		const char *value;
		size_t len;
	} told[] = {
		{SPINEL_PROTOCOL_VERSION, "\4\3", 2}, {SPINEL_NCP_VERSION, "OPENTHREAD/1.4; TEST", 21}, {SPINEL_INTERFACE_TYPE, "\3", 1}, {SPINEL_CAPS, "\x22\x81\x04", 3},
		{SPINEL_RCP_API_VERSION, "\x0b", 1}, {SPINEL_RCP_MIN_HOST_API_VERSION, "\4", 1}, {SPINEL_RADIO_CAPS, "\xff\3", 2}, {SPINEL_PHY_TX_POWER, "\x08", 1},
		{SPINEL_PHY_RX_SENSITIVITY, "\x9c", 1},
	};

	if (x->command == SPINEL_PROP_SET) {
		radio(x->transaction, SPINEL_PROP_IS, x->property, rd_of(x->octets, x->len));
		return;
	}
	assert_int_equal(x->command, SPINEL_PROP_GET);
	for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
		if (told[i].property == x->property) {
			radio(x->transaction, SPINEL_PROP_IS, x->property, rd_of(told[i].value, told[i].len));
			return;
		}
	}
	radio_status(x->transaction, SPINEL_STATUS_PROP_NOT_FOUND);
}

/* Up to READY. Every property is accepted. */
static void make_ready(void)
{
	spinel_host_start(h, now);
	collect();
	assert_int_equal(heard_count, 1);
	assert_int_equal(heard[0].command, SPINEL_RESET);
	radio_status(0, SPINEL_STATUS_RESET_SOFTWARE);
	for (unsigned i = 0; i < 30 && !happened(SPINEL_HOST_READY); i++) {
		struct heard x = heard[0];

		assert_int_equal(heard_count, 1); /* one question at a time */
		answer(&x);
	}
	assert_true(happened(SPINEL_HOST_READY));
	assert_int_equal(count, 1);
	assert_true(spinel_host_deadline(h) == CLOCK_NEVER);
}

static void transmit(const char *frame, uint32_t token)
{
	assert_int_equal(spinel_host_transmit(h, now, rd_str(frame), token), OK);
	collect();
}

/* What was last asked for to be sent; its transaction number. */
static uint8_t on_air(const char *frame)
{
	struct spinel_transmit t;

	assert_int_equal(heard_count, 1);
	assert_int_equal(heard[0].command, SPINEL_PROP_SET);
	assert_int_equal(heard[0].property, SPINEL_STREAM_RAW);
	assert_int_equal(spinel_transmit_decode(rd_of(heard[0].octets, heard[0].len), &t), OK);
	assert_true(rd_is(t.frame, frame));
	assert_int_equal(t.channel, 15);
	assert_true(t.csma);
	assert_int_equal(t.retries, 3);
	return heard[0].transaction;
}

static void sent(size_t index, uint32_t token, bool acked, bool busy)
{
	assert_true(index < count);
	assert_int_equal(effects[index].type, SPINEL_HOST_SENT);
	assert_int_equal(effects[index].token, token);
	assert_int_equal(effects[index].acked, acked);
	assert_int_equal(effects[index].busy, busy);
}

/* ---- configuration ---- */

static void the_radio_is_configured_after_its_reset(void **state)
{
	static const struct {
		uint32_t property;
		const char *value;
		size_t len;
	} expected[] = {
		{SPINEL_PHY_ENABLED, "\1", 1},
		{SPINEL_PHY_CHAN, "\x0f", 1},
		{SPINEL_MAC_15_4_LADDR, "\x02\0\0\0\0\0\0\x01", 8},
		{SPINEL_MAC_15_4_PANID, "\x62\x1a", 2},
		{SPINEL_MAC_15_4_SADDR, "\0\0", 2},
		{SPINEL_MAC_SRC_MATCH_ENABLED, "\1", 1},
		{SPINEL_MAC_SRC_MATCH_SHORT_ADDRESSES, "", 0}, /* empty */
		{SPINEL_MAC_SRC_MATCH_EXTENDED_ADDRESSES, "", 0},
		{SPINEL_MAC_RX_ON_WHEN_IDLE, "\1", 1},
		{SPINEL_MAC_RAW_STREAM_ENABLED, "\1", 1},
	};
	unsigned seen = 0;

	(void)state;
	assert_int_equal(spinel_host_transmit(h, now, rd_str("early"), 1), ERR_NOT_READY);
	spinel_host_start(h, now);
	collect();
	assert_int_equal(heard[0].command, SPINEL_RESET);
	radio_status(0, SPINEL_STATUS_RESET_POWER_ON);
	for (unsigned i = 0; i < 30 && !happened(SPINEL_HOST_READY); i++) {
		struct heard x = heard[0];

		assert_int_equal(heard_count, 1);
		for (size_t k = 0; k < 10 && x.command == SPINEL_PROP_SET; k++)
			if (expected[k].property == x.property) {
				seen |= 1U << k;
				assert_int_equal(x.len, expected[k].len);
				assert_memory_equal(x.octets, expected[k].value, x.len);
			}
		assert_int_equal(spinel_host_transmit(h, now, rd_str("early"), 1), ERR_NOT_READY);
		assert_int_not_equal(x.command == SPINEL_PROP_SET ? x.property : 0, SPINEL_PHY_TX_POWER); /* nobody asked for another */
		answer(&x);
	}
	assert_int_equal(seen, (1U << 10) - 1);
	assert_true(happened(SPINEL_HOST_READY));
	assert_int_equal(heard_count, 0);
	assert_string_equal(spinel_host_radio(h)->version, "OPENTHREAD/1.4; TEST");
	assert_int_equal(spinel_host_radio(h)->api, 11);
	assert_int_equal(spinel_host_radio(h)->tx_power_dbm, 8);
	assert_int_equal(spinel_host_radio(h)->sensitivity_dbm, -100);
	assert_true(spinel_host_radio(h)->has_match);
}

/* Starts with a radio that answers this property so, and everything else well; until it is ready or refused. */
static void start_with(uint32_t property, struct rd value, uint32_t status)
{
	spinel_host_start(h, now);
	collect();
	radio_status(0, SPINEL_STATUS_RESET_SOFTWARE);
	for (unsigned i = 0; i < 30 && !happened(SPINEL_HOST_READY) && !happened(SPINEL_HOST_REFUSED); i++) {
		struct heard x = heard[0];

		if (x.property != property)
			answer(&x);
		else if (value.left)
			radio(x.transaction, SPINEL_PROP_IS, x.property, value);
		else
			radio_status(x.transaction, status);
	}
}

static void a_radio_that_will_not_do_is_refused_with_advice(void **state)
{
	static const struct {
		uint32_t property;
		const char *value;
		size_t len;
		const char *why;
	} cases[] = {
		{SPINEL_PROTOCOL_VERSION, "", 0, "does not speak Spinel"},
		{SPINEL_PROTOCOL_VERSION, "\5\0", 2, "another major version"},
		{SPINEL_INTERFACE_TYPE, "\2", 1, "not for IEEE 802.15.4"},
		{SPINEL_CAPS, "\x21\x81\x04", 3, "whole Thread node"},
		{SPINEL_CAPS, "\x22", 1, "whole Thread node"},
		{SPINEL_RCP_MIN_HOST_API_VERSION, "\x0c", 1, "newer host"},
		{SPINEL_RADIO_CAPS, "\x02", 1, "too slow"},
		{SPINEL_PHY_ENABLED, "", 0, "switch its radio on"},
		{SPINEL_PHY_CHAN, "", 0, "refuses the channel"},
		{SPINEL_MAC_15_4_LADDR, "", 0, "no extended address"},
		{SPINEL_MAC_15_4_PANID, "", 0, "no PAN ID"},
		{SPINEL_MAC_15_4_SADDR, "", 0, "no short address"},
		{SPINEL_MAC_RAW_STREAM_ENABLED, "", 0, "no raw frames"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		start_with(cases[i].property, rd_of(cases[i].value, cases[i].len), SPINEL_STATUS_PROP_NOT_FOUND);
		assert_true(happened(SPINEL_HOST_REFUSED));
		assert_false(happened(SPINEL_HOST_READY));
		assert_non_null(strstr(effects[count - 1].text, cases[i].why));
		assert_int_equal(spinel_host_transmit(h, now, rd_str("early"), 1), ERR_NOT_READY);
		/* Its firmware may be changed: asked again after a minute. */
		assert_true(spinel_host_deadline(h) == now + 60000);
		now += 60000;
		spinel_host_tick(h, now);
		collect();
		assert_int_equal(heard[0].command, SPINEL_RESET);
	}
	make_ready();
}

static void a_radio_may_lack_what_is_no_need(void **state)
{
	static const uint32_t properties[] = {SPINEL_NCP_VERSION, SPINEL_INTERFACE_TYPE, SPINEL_CAPS, SPINEL_RCP_API_VERSION, SPINEL_RCP_MIN_HOST_API_VERSION, SPINEL_RADIO_CAPS,
	    SPINEL_PHY_TX_POWER, SPINEL_PHY_RX_SENSITIVITY, SPINEL_MAC_SRC_MATCH_ENABLED, SPINEL_MAC_SRC_MATCH_SHORT_ADDRESSES, SPINEL_MAC_SRC_MATCH_EXTENDED_ADDRESSES,
	    SPINEL_MAC_RX_ON_WHEN_IDLE};

	(void)state;
	for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
		start_with(properties[i], rd_of(NULL, 0), i % 2 ? SPINEL_STATUS_PROP_NOT_FOUND : SPINEL_STATUS_UNIMPLEMENTED);
		assert_true(happened(SPINEL_HOST_READY));
		assert_int_equal(spinel_host_radio(h)->has_match, properties[i] != SPINEL_MAC_SRC_MATCH_ENABLED);
		spinel_host_match_short(h, 0x1234, true); /* without a table nothing is told to it */
		collect();
		assert_int_equal(heard_count, properties[i] != SPINEL_MAC_SRC_MATCH_ENABLED);
	}
}

/* What two radios answered when another host formed a network through them (published with the test data of zigbee-on-host): a Silicon Labs EFR32 with
 * SL-OPENTHREAD/2.5.2.0 of March 2025, and a Texas Instruments CC13xx/CC26xx with OPENTHREAD/1.4.0 of February 2025. Only the transaction numbers are ours.
 * What that host did not ask is answered as not implemented. */
static void radios_in_the_field_are_understood(void **state)
{
	static const struct {
		const char *version;
		uint32_t api;
		int tx_power, sensitivity;
		const char *lines[16];
	} sessions[] = {
		{"SL-OPENTHREAD/2.5.2.0_GitHub-1fceb225b; EFR32; Mar 19 2025 13:45:44", 10, 19, -100, {
			"7e8106010403db0a7e",
			"7e820602534c2d4f50454e5448524541442f322e352e322e305f4769744875622d3166636562323235623b2045465233323b204d617220313920323032352031333a34353a343400b5dc7e",
			"7e83060303573a7e", "7e8406b0010a681f7e", "7e8506b101048ea77e",
			"7e87062001f2627e", "7e88062114ff8e7e", "7e8906257d339b817e", "7e8a06344d325a6e6f486f5a8f327e", "7e8b0635000047f67e", "7e8c0636d98579727e",
			"7e8d060000e68c7e", "7e8e06370108437e", "7e8306279c7a127e"}},
		{"OPENTHREAD/1.4.0-Koenkk-2025.2.1; CC13XX_CC26XX; Feb  3 2025 21:00:02", 11, 5, -90, {
			"7e8106010403db0a7e",
			"7e8206024f50454e5448524541442f312e342e302d4b6f656e6b6b2d323032352e322e313b204343313358585f4343323658583b2046656220203320323032352032313a30303a303200ef147e",
			"7e83060303573a7e", "7e8406b0010be10e7e", "7e8506b101048ea77e",
			"7e87062001f2627e", "7e88062114ff8e7e", "7e890625052cf47e", "7e8a06344d325a6e6f486f5a8f327e", "7e8b0635000047f67e", "7e8c0636d9c57d5d307e",
			"7e8d060000e68c7e", "7e8e06370108437e", "7e830627a6a38c7e"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof sessions / sizeof *sessions; i++) {
		struct heard recorded[16];
		size_t n = 0;

		heard_count = 0;
		for (; n < 16 && sessions[i].lines[n]; n++) {
			uint8_t octets[200];
			size_t len;

			assert_true(hex_parse_loose(rd_str(sessions[i].lines[n]), octets, sizeof octets, &len));
			decode(rd_of(octets, len));
			assert_int_equal(heard_count, n + 1); /* its check sequence was right */
		}
		memcpy(recorded, heard, sizeof recorded);
		spinel_host_start(h, now);
		collect();
		radio_status(0, SPINEL_STATUS_RESET_POWER_ON); /* 0x70, as both did */
		for (unsigned k = 0; k < 30 && !happened(SPINEL_HOST_READY); k++) {
			struct heard x = heard[0];
			size_t r = 0;

			while (r < n && recorded[r].property != x.property)
				r++;
			if (r < n)
				radio(x.transaction, SPINEL_PROP_IS, recorded[r].property, rd_of(recorded[r].octets, recorded[r].len));
			else if (x.property == SPINEL_MAC_RX_ON_WHEN_IDLE)
				radio_status(x.transaction, SPINEL_STATUS_OK); /* LAST_STATUS, as both did */
			else
				radio_status(x.transaction, SPINEL_STATUS_UNIMPLEMENTED);
			assert_false(happened(SPINEL_HOST_REFUSED));
		}
		assert_true(happened(SPINEL_HOST_READY));
		assert_string_equal(spinel_host_radio(h)->version, sessions[i].version);
		assert_int_equal(spinel_host_radio(h)->api, sessions[i].api);
		assert_int_equal(spinel_host_radio(h)->tx_power_dbm, sessions[i].tx_power);
		assert_int_equal(spinel_host_radio(h)->sensitivity_dbm, sessions[i].sensitivity);
	}
}

static void the_power_is_set_when_asked_for(void **state)
{
	struct spinel_host_config loud = config;
	bool seen = false;

	(void)state;
	loud.set_tx_power = true;
	loud.tx_power_dbm = -4;
	spinel_host_free(h);
	h = spinel_host_new(&loud);
	spinel_host_start(h, now);
	collect();
	radio_status(0, SPINEL_STATUS_RESET_SOFTWARE);
	for (unsigned i = 0; i < 30 && !happened(SPINEL_HOST_READY); i++) {
		struct heard x = heard[0];

		if (x.command == SPINEL_PROP_SET && x.property == SPINEL_PHY_TX_POWER) {
			seen = true;
			assert_int_equal((int8_t)x.octets[0], -4);
		}
		answer(&x);
	}
	assert_true(seen);
	assert_int_equal(spinel_host_radio(h)->tx_power_dbm, 8); /* what the radio says that it has */
}

static void a_silent_radio_is_reset_again_and_again(void **state)
{
	(void)state;
	spinel_host_start(h, now);
	collect();
	for (unsigned i = 0; i < 3; i++) {
		assert_true(spinel_host_deadline(h) == now + 5000);
		now += 4999;
		spinel_host_tick(h, now);
		collect();
		assert_int_equal(heard_count, 0);
		now += 1;
		spinel_host_tick(h, now);
		collect();
		assert_int_equal(heard_count, 1);
		assert_int_equal(heard[0].command, SPINEL_RESET);
		assert_int_equal(heard[0].len, i % 2); /* with and without its option: old firmware knows none */
		assert_int_equal(count, 0); /* nothing was lost: it was never there */
	}
	radio_status(0, SPINEL_STATUS_RESET_SOFTWARE);
	now += 5000; /* silent in the middle of its configuration */
	spinel_host_tick(h, now);
	collect();
	assert_int_equal(heard[0].command, SPINEL_RESET);
	make_ready();
}

static void a_reset_of_the_radio_is_told_and_all_is_configured_again(void **state)
{
	(void)state;
	make_ready();
	transmit("one", 1);
	assert_int_equal(spinel_host_transmit(h, now, rd_str("two"), 2), OK);
	radio_status(0, SPINEL_STATUS_RESET_POWER_ON);
	assert_int_equal(count, 3);
	assert_int_equal(effects[0].type, SPINEL_HOST_LOST);
	sent(1, 1, false, false);
	sent(2, 2, false, false);
	assert_int_equal(heard_count, 1);
	assert_int_equal(heard[0].property, SPINEL_PROTOCOL_VERSION);
	assert_int_equal(spinel_host_transmit(h, now, rd_str("early"), 3), ERR_NOT_READY);
	spinel_host_match_short(h, 0x1234, true); /* not now: the table is filled again after READY */
	collect();
	assert_int_equal(heard_count, 0);
}

static void a_lost_line_fails_what_waits(void **state)
{
	(void)state;
	make_ready();
	transmit("one", 1);
	spinel_host_stop(h);
	collect();
	assert_int_equal(count, 1);
	sent(0, 1, false, false);
	assert_true(spinel_host_deadline(h) == CLOCK_NEVER);
	radio_status(0, SPINEL_STATUS_RESET_POWER_ON); /* octets that were still in the pipe */
	assert_int_equal(count + heard_count, 0);
	make_ready();
	transmit("two", 2);
	(void)on_air("two");
}

/* ---- frames ---- */

static void frames_go_one_at_a_time_and_each_is_answered_for(void **state)
{
	static const struct {
		uint32_t status;
		bool acked, busy;
	} answers[] = {
		{SPINEL_STATUS_OK, true, false},
		{SPINEL_STATUS_NO_ACK, false, false},
		{SPINEL_STATUS_CCA_FAILURE, false, true},
		{SPINEL_STATUS_BUSY, false, true},
		{SPINEL_STATUS_INVALID_ARGUMENT, false, false},
	};
	uint8_t transaction = 0;

	(void)state;
	make_ready();
	for (uint32_t i = 0; i < 5; i++) {
		transmit("frame", 100 + i);
		if (i == 0)
			transaction = on_air("frame");
		else
			assert_int_equal(heard_count, 0);
	}
	for (uint32_t i = 0; i < 5; i++) {
		radio_status(transaction, answers[i].status);
		assert_int_equal(count, 1);
		sent(0, 100 + i, answers[i].acked, answers[i].busy);
		if (i < 4)
			transaction = on_air("frame");
	}
	assert_true(spinel_host_deadline(h) == CLOCK_NEVER);
	radio_status(transaction, SPINEL_STATUS_OK); /* an answer to nothing */
	assert_int_equal(count + heard_count, 0);
}

static void what_is_urgent_goes_before_what_is_not(void **state)
{
	static const char *const order[] = {"1", "3", "5", "2", "4"};

	(void)state;
	make_ready();
	transmit("1", 1); /* is with the radio */
	for (uint32_t i = 2; i <= 5; i++) {
		const char text[] = {(char)('0' + i), 0};

		assert_int_equal((i % 2 ? spinel_host_transmit_urgent : spinel_host_transmit)(h, now, rd_str(text), i), OK);
	}
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		radio_status(on_air(order[i]), SPINEL_STATUS_OK);
		sent(0, (uint32_t)(order[i][0] - '0'), true, false);
	}
}

static void the_queue_has_an_end(void **state)
{
	uint8_t longest[MAC_FRAME_MAX + 1] = {0};
	uint32_t taken = 0;

	(void)state;
	make_ready();
	assert_int_equal(spinel_host_transmit(h, now, rd_of(longest, sizeof longest), 1), ERR_TOO_LONG);
	assert_int_equal(spinel_host_transmit(h, now, rd_of(longest, 0), 1), ERR_SHORT);
	while (spinel_host_transmit(h, now, rd_of(longest, MAC_FRAME_MAX), ++taken) == OK)
		assert_true(taken < 1000);
	assert_int_equal(spinel_host_transmit(h, now, rd_str("x"), 0), ERR_FULL);
	now += 5000; /* the radio is dead */
	spinel_host_tick(h, now);
	collect();
	assert_int_equal(count, taken); /* LOST, and one less than taken was taken */
	for (size_t i = 1; i < count; i++)
		sent(i, (uint32_t)i, false, false);
	assert_int_equal(heard[heard_count - 1].command, SPINEL_RESET);
}

static void answers_to_the_match_table_are_not_a_frames(void **state)
{
	uint8_t transaction;

	(void)state;
	make_ready();
	transmit("one", 1);
	transaction = on_air("one");
	for (uint16_t i = 0; i < 40; i++) {
		struct heard x;

		if (i % 2)
			spinel_host_match_extended(h, 0x1122334455667788ULL, i % 4 == 1);
		else
			spinel_host_match_short(h, 0x1234, i % 4 == 0);
		collect();
		assert_int_equal(heard_count, 1);
		x = heard[0];
		assert_int_equal(x.command, i % 4 < 2 ? SPINEL_PROP_INSERT : SPINEL_PROP_REMOVE);
		assert_int_equal(x.property, i % 2 ? SPINEL_MAC_SRC_MATCH_EXTENDED_ADDRESSES : SPINEL_MAC_SRC_MATCH_SHORT_ADDRESSES);
		assert_memory_equal(x.octets, i % 2 ? "\x11\x22\x33\x44\x55\x66\x77\x88" : "\x34\x12", x.len);
		assert_int_equal(x.len, i % 2 ? 8 : 2);
		assert_int_not_equal(x.transaction, transaction);
		radio_status(x.transaction, SPINEL_STATUS_OK);
		assert_int_equal(count, 0);
	}
	radio_status(transaction, SPINEL_STATUS_NO_ACK);
	sent(0, 1, false, false);
}

static size_t received_value(uint8_t *buffer, size_t size, const char *frame)
{
	const struct spinel_receive rx = {.frame = rd_str(frame), .rssi = -71, .noise = -128, .channel = 15, .lqi = 180};
	struct wr w = wr_of(buffer, size);

	spinel_receive_encode(&rx, &w);
	assert_false(w.spoilt);
	return w.len;
}

static void a_received_frame_comes_with_its_strength(void **state)
{
	uint8_t buffer[200];
	size_t len = received_value(buffer, sizeof buffer, "a frame");

	(void)state;
	spinel_host_start(h, now);
	radio(0, SPINEL_PROP_IS, SPINEL_STREAM_RAW, rd_of(buffer, len));
	assert_false(happened(SPINEL_HOST_RECEIVED)); /* of whatever channel it was on */
	make_ready();
	radio(0, SPINEL_PROP_IS, SPINEL_STREAM_RAW, rd_of(buffer, len));
	assert_int_equal(count, 1);
	assert_int_equal(effects[0].type, SPINEL_HOST_RECEIVED);
	assert_true(rd_is(rd_of(effects[0].octets, effects[0].len), "a frame"));
	assert_int_equal(effects[0].rssi, -71);
	assert_int_equal(effects[0].lqi, 180);
	for (size_t n = 0; n < 4; n++) { /* cut off */
		radio(0, SPINEL_PROP_IS, SPINEL_STREAM_RAW, rd_of(buffer, n));
		assert_int_equal(count, 0);
	}
}

static void a_noisy_line_loses_frames_and_nothing_else(void **state)
{
	uint8_t value[200], octets[500];
	size_t len = say(octets, sizeof octets, 0, SPINEL_PROP_IS, SPINEL_STREAM_RAW, rd_of(value, received_value(value, sizeof value, "a frame")));

	(void)state;
	make_ready();
	for (size_t i = 0; i < len; i++) { /* in single octets */
		spinel_host_input(h, now, rd_of(octets + i, 1));
		collect();
		assert_int_equal(count, i == len - 1);
	}
	spinel_host_input(h, now, rd_of("\x7e\x7d\x7e\xff\x00garbage\x7e", 13));
	for (size_t i = 1; i < len - 1; i++) { /* one octet wrong, then a good one */
		octets[i] ^= 0x01;
		spinel_host_input(h, now, rd_of(octets, len));
		octets[i] ^= 0x01;
		spinel_host_input(h, now, rd_of(octets, len));
		collect();
		assert_int_equal(count, 1);
		assert_true(rd_is(rd_of(effects[0].octets, effects[0].len), "a frame"));
	}
}

/* ---- what real radios do wrong ---- */

static void a_radio_that_forgot_all_is_started_anew(void **state)
{
	(void)state;
	make_ready();
	transmit("one", 1);
	radio_status(on_air("one"), SPINEL_STATUS_INVALID_STATE); /* it was reset and did not say so */
	assert_int_equal(effects[0].type, SPINEL_HOST_LOST);
	sent(1, 1, false, false);
	assert_int_equal(heard[0].command, SPINEL_RESET);
	make_ready();
}

static void a_full_match_table_is_switched_off_until_it_is_empty(void **state)
{
	struct heard x;

	(void)state;
	make_ready();
	for (uint16_t i = 0; i < 3; i++) {
		spinel_host_match_short(h, i, true);
		collect();
		x = heard[0];
		radio_status(x.transaction, i < 2 ? SPINEL_STATUS_OK : SPINEL_STATUS_NOMEM);
	}
	assert_int_equal(effects[0].type, SPINEL_HOST_MATCH_FULL);
	assert_int_equal(heard[0].property, SPINEL_MAC_SRC_MATCH_ENABLED);
	assert_int_equal(heard[0].octets[0], 0);
	spinel_host_match_short(h, 3, true); /* refused as well: told once */
	collect();
	x = heard[0];
	radio_status(x.transaction, SPINEL_STATUS_NOMEM);
	assert_int_equal(count + heard_count, 0);
	for (uint16_t i = 0; i < 4; i++) {
		spinel_host_match_short(h, i, false);
		collect();
		assert_int_equal(heard_count, i < 3 ? 1 : 4);
	}
	assert_int_equal(heard[1].property, SPINEL_MAC_SRC_MATCH_SHORT_ADDRESSES);
	assert_int_equal(heard[1].len, 0);
	assert_int_equal(heard[3].property, SPINEL_MAC_SRC_MATCH_ENABLED);
	assert_int_equal(heard[3].octets[0], 1);
}

/* ---- scan ---- */

static void energy(uint8_t channel, int8_t rssi)
{
	uint8_t idle = SPINEL_SCAN_IDLE;

	radio(0, SPINEL_PROP_IS, SPINEL_MAC_ENERGY_SCAN_RESULT, rd_of((uint8_t[]){channel, (uint8_t)rssi}, 2));
	assert_int_equal(count, 1);
	assert_int_equal(effects[0].type, SPINEL_HOST_ENERGY);
	assert_int_equal(effects[0].channel, channel);
	assert_int_equal(effects[0].rssi, rssi);
	radio(0, SPINEL_PROP_IS, SPINEL_MAC_SCAN_STATE, rd_of(&idle, 1));
}

static void channels_are_scanned_one_at_a_time(void **state)
{
	static const uint8_t channels[] = {11, 20, 26};

	(void)state;
	make_ready();
	assert_int_equal(spinel_host_scan(h, now, 1U << 10, 100), ERR_BAD_VALUE);
	assert_int_equal(spinel_host_scan(h, now, 1U << 11 | 1U << 20 | 1U << 26, 100), OK);
	collect();
	for (size_t i = 0; i < 3; i++) {
		static const uint32_t steps[] = {SPINEL_MAC_SCAN_MASK, SPINEL_MAC_SCAN_PERIOD, SPINEL_MAC_SCAN_STATE};

		assert_int_equal(heard[0].octets[0], channels[i]);
		assert_int_equal(heard[0].len, 1);
		for (size_t k = 0; k < 3; k++) {
			struct heard x = heard[0];

			assert_int_equal(heard_count, 1);
			assert_int_equal(x.property, steps[k]);
			answer(&x);
		}
		assert_int_equal(heard_count, 0);
		assert_int_equal(spinel_host_transmit(h, now, rd_str("now?"), 1), ERR_NOT_READY);
		energy(channels[i], (int8_t)(-90 + (int)i));
	}
	assert_true(happened(SPINEL_HOST_SCANNED));
	assert_int_equal(heard[0].property, SPINEL_PHY_CHAN); /* back to its own */
	assert_int_equal(heard[0].octets[0], 15);
	assert_int_equal(spinel_host_transmit(h, now, rd_str("behind it"), 1), OK);
	collect();
	assert_int_equal(heard_count, 0);
	radio_status(14, SPINEL_STATUS_OK);
	(void)on_air("behind it");
}

static void a_radio_without_scan_is_not_waited_for(void **state)
{
	(void)state;
	make_ready();
	assert_int_equal(spinel_host_scan(h, now, 1U << 11 | 1U << 12, 100), OK);
	collect();
	for (unsigned i = 0; i < 2; i++)
		radio_status(heard[0].transaction, SPINEL_STATUS_UNIMPLEMENTED);
	assert_true(happened(SPINEL_HOST_SCANNED));
	assert_false(happened(SPINEL_HOST_ENERGY));
	/* And one that never ends it is reset. */
	make_ready();
	assert_int_equal(spinel_host_scan(h, now, 1U << 11, 100), OK);
	collect();
	for (unsigned i = 0; i < 3; i++) {
		struct heard x = heard[0];

		answer(&x);
	}
	assert_true(spinel_host_deadline(h) == now + 100 + 5000);
	now += 5100;
	spinel_host_tick(h, now);
	collect();
	assert_true(happened(SPINEL_HOST_LOST));
	assert_int_equal(heard[0].command, SPINEL_RESET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_radio_is_configured_after_its_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(a_radio_that_will_not_do_is_refused_with_advice, setup, teardown),
		cmocka_unit_test_setup_teardown(a_radio_may_lack_what_is_no_need, setup, teardown),
		cmocka_unit_test_setup_teardown(radios_in_the_field_are_understood, setup, teardown),
		cmocka_unit_test_setup_teardown(the_power_is_set_when_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(a_silent_radio_is_reset_again_and_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reset_of_the_radio_is_told_and_all_is_configured_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lost_line_fails_what_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(frames_go_one_at_a_time_and_each_is_answered_for, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_urgent_goes_before_what_is_not, setup, teardown),
		cmocka_unit_test_setup_teardown(the_queue_has_an_end, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_to_the_match_table_are_not_a_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(a_received_frame_comes_with_its_strength, setup, teardown),
		cmocka_unit_test_setup_teardown(a_noisy_line_loses_frames_and_nothing_else, setup, teardown),
		cmocka_unit_test_setup_teardown(a_radio_that_forgot_all_is_started_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_match_table_is_switched_off_until_it_is_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(channels_are_scanned_one_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(a_radio_without_scan_is_not_waited_for, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
