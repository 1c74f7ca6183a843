/* The simulated radio: acknowledgement, retries, filter and source match, in simulated time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "sim/radio.h"

#define PAN 0x1a62

static struct rng rng;

static struct radio *make(uint16_t short_address, uint64_t eui64)
{
	struct radio *r = radio_new(&rng);

	radio_set_pan(r, PAN);
	radio_set_short(r, short_address);
	radio_set_extended(r, eui64);
	return r;
}

static size_t data_frame(uint8_t *octets, uint16_t to, bool ack, enum mac_frame_type type, const char *payload)
{
	const struct mac_frame f = {
		.type = type,
		.ack_request = ack,
		.pan_id_compression = true,
		.sequence = 7,
		.destination = {MAC_ADDRESS_SHORT, PAN, to, 0},
		.source = {MAC_ADDRESS_SHORT, PAN, 0x1234, 0},
		.payload = rd_str(payload),
	};
	struct wr w = wr_of(octets, MAC_FRAME_MAX);

	assert_int_equal(mac_frame_encode(&f, &w), OK);
	return w.len;
}

/* Runs both ends until nothing is due any more; frames from a to b are lost while *lose is above zero. */
static void run(struct radio *a, struct radio *b, unsigned lose, struct radio_effect *sent, unsigned *received)
{
	struct radio_effect e;
	uint64_t now = 0;

	*received = 0;
	for (;;) {
		bool any = false;

		radio_tick(a, now);
		radio_tick(b, now);
		while (radio_output(a, &e)) {
			any = true;
			if (e.type == RADIO_SENT)
				*sent = e;
			else if (e.type == RADIO_SEND && lose > 0)
				lose--;
			else if (e.type == RADIO_SEND)
				radio_input(b, now, rd_of(e.octets, e.len));
		}
		while (radio_output(b, &e)) {
			any = true;
			if (e.type == RADIO_SEND)
				radio_input(a, now, rd_of(e.octets, e.len));
			else if (e.type == RADIO_RECEIVED)
				++*received;
		}
		if (!any && radio_deadline(a) == CLOCK_NEVER)
			return;
		if (!any)
			now = radio_deadline(a);
	}
}

static void acknowledges_and_retries(void **state)
{
	static const struct {
		unsigned lose;
		enum radio_status want;
		unsigned received;
	} cases[] = {{0, RADIO_OK, 1}, {1, RADIO_OK, 1}, {3, RADIO_OK, 1}, {4, RADIO_NO_ACK, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct radio *a = make(0x1234, 1), *b = make(0, 2);
		struct radio_effect sent = {.status = RADIO_CHANNEL_BUSY};
		uint8_t frame[MAC_FRAME_MAX];
		unsigned received;

		assert_int_equal(radio_transmit(a, 0, rd_of(frame, data_frame(frame, 0, true, MAC_DATA, "hello")), 5), OK);
		run(a, b, cases[i].lose, &sent, &received);
		assert_int_equal(sent.status, cases[i].want);
		assert_int_equal(sent.token, 5);
		assert_int_equal(received, cases[i].received);
		radio_free(a);
		radio_free(b);
	}
}

static void filters_what_is_for_others(void **state)
{
	static const struct {
		uint16_t to;
		unsigned received;
	} cases[] = {{0x0000, 1}, {0x4321, 0}, {MAC_BROADCAST, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct radio *a = make(0x1234, 1), *b = make(0, 2);
		struct radio_effect sent;
		uint8_t frame[MAC_FRAME_MAX];
		unsigned received;

		assert_int_equal(radio_transmit(a, 0, rd_of(frame, data_frame(frame, cases[i].to, false, MAC_DATA, "x")), 1), OK);
		run(a, b, 0, &sent, &received);
		assert_int_equal(received, cases[i].received);
		radio_free(a);
		radio_free(b);
	}
}

static void frame_pending_comes_from_the_source_match_table(void **state)
{
	static const struct {
		bool enable, add, pending;
	} cases[] = {{false, false, true}, {true, false, false}, {true, true, true}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct radio *a = make(0x1234, 1), *b = make(0, 2);
		struct radio_effect sent = {.frame_pending = !cases[i].pending};
		uint8_t frame[MAC_FRAME_MAX];
		unsigned received;

		radio_match_enable(b, cases[i].enable);
		if (cases[i].add)
			assert_true(radio_match_short(b, 0x1234, true));
		assert_int_equal(radio_transmit(a, 0, rd_of(frame, data_frame(frame, 0, true, MAC_COMMAND, "\x04")), 1), OK);
		run(a, b, 0, &sent, &received);
		assert_int_equal(sent.frame_pending, cases[i].pending);
		radio_free(a);
		radio_free(b);
	}
}

static int seed(void **state)
{
	(void)state;
	rng = rng_seeded(3);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acknowledges_and_retries),
		cmocka_unit_test(filters_what_is_for_others),
		cmocka_unit_test(frame_pending_comes_from_the_source_match_table),
	};

	return cmocka_run_group_tests(tests, seed, NULL);
}
