/* The host's side of Spinel against a radio that the test plays: configuration, one frame at a time, resets, silence, and a noisy line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

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

static const struct spinel_host_config config = {OURS, PAN, 0, 15};

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
		assert_int_equal(x.command, SPINEL_PROP_SET);
		radio(x.transaction, SPINEL_PROP_IS, x.property, rd_of(x.octets, x.len));
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
	for (unsigned i = 0; i < 10; i++) {
		struct heard x = heard[0];

		assert_int_equal(heard_count, 1);
		for (size_t k = 0; k < 10; k++)
			if (expected[k].property == x.property) {
				seen |= 1U << k;
				assert_int_equal(x.len, expected[k].len);
				assert_memory_equal(x.octets, expected[k].value, x.len);
			}
		assert_int_equal(spinel_host_transmit(h, now, rd_str("early"), 1), ERR_NOT_READY);
		radio_status(x.transaction, i % 2 ? SPINEL_STATUS_PROP_NOT_FOUND : SPINEL_STATUS_OK); /* a radio may lack some */
	}
	assert_int_equal(seen, (1U << 10) - 1);
	assert_true(happened(SPINEL_HOST_READY));
	assert_int_equal(heard_count, 0);
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
	assert_int_equal(heard[0].property, SPINEL_PHY_ENABLED);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_radio_is_configured_after_its_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(a_silent_radio_is_reset_again_and_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reset_of_the_radio_is_told_and_all_is_configured_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lost_line_fails_what_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(frames_go_one_at_a_time_and_each_is_answered_for, setup, teardown),
		cmocka_unit_test_setup_teardown(the_queue_has_an_end, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_to_the_match_table_are_not_a_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(a_received_frame_comes_with_its_strength, setup, teardown),
		cmocka_unit_test_setup_teardown(a_noisy_line_loses_frames_and_nothing_else, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
