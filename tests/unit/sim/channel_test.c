/* The air time of a simulated channel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/channel.h"

static const uint8_t data[] = {0x61, 0x88, 1, 0, 0, 0, 0, 0, 0, 0}; /* 16 octets on air: 512 us; its acknowledgement takes 544 us */
static const uint8_t beacon[] = {0x00, 0x80, 1, 0, 0, 0};           /* 384 us, and nobody acknowledges it */
static const uint8_t ack[] = {0x02, 0x00, 1, 0, 0};

static bool take(struct channel *c, uint64_t now, const uint8_t *octets, size_t len, uint64_t *end)
{
	return channel_take(c, now, rd_of(octets, len), end);
}

static void one_goes_after_the_other(void **state)
{
	struct channel c = {.free_us = 0};
	uint64_t end;

	(void)state;
	assert_true(take(&c, 1000, data, sizeof data, &end));
	assert_int_equal(end, 1512);
	assert_true(take(&c, 1000, beacon, sizeof beacon, &end));
	assert_int_equal(end, 1512 + 544 + 384);
	assert_true(take(&c, 1001, beacon, sizeof beacon, &end));
	assert_int_equal(end, 1512 + 544 + 384 + 384);
	assert_true(take(&c, 9000, beacon, sizeof beacon, &end)); /* it was free for long */
	assert_int_equal(end, 9384);
}

static void an_acknowledgement_goes_at_once(void **state)
{
	struct channel c = {.free_us = 0};
	uint64_t end;

	(void)state;
	assert_true(take(&c, 1000, data, sizeof data, &end));
	assert_true(take(&c, 1520, ack, sizeof ack, &end));
	assert_int_equal(end, 1520);
	assert_true(take(&c, 1520, data, sizeof data, &end));
	assert_int_equal(end, 1512 + 544 + 512);
}

static void who_waits_too_long_has_failed_and_takes_no_time(void **state)
{
	struct channel c = {.free_us = 0};
	uint64_t end, last = 0;
	unsigned gone = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		if (take(&c, 0, data, sizeof data, &end)) {
			last = end;
			gone++;
		}
	assert_int_equal(gone, CHANNEL_WAIT_US / (512 + 544) + 1);
	assert_true(last <= CHANNEL_WAIT_US + 512);
	assert_true(take(&c, last, beacon, sizeof beacon, &end)); /* the channel is itself again as soon as these are out */
	assert_int_equal(end, last + 544 + 384);
}

static void nothing_takes_nothing(void **state)
{
	struct channel c = {.free_us = 0};
	uint64_t end;

	(void)state;
	assert_false(take(&c, 0, data, 0, &end));
	assert_int_equal(c.free_us, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_goes_after_the_other),
		cmocka_unit_test(an_acknowledgement_goes_at_once),
		cmocka_unit_test(who_waits_too_long_has_failed_and_takes_no_time),
		cmocka_unit_test(nothing_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
