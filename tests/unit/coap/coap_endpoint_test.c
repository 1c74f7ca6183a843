/* Two endpoints and a network between them that loses, repeats and delays as the test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "coap/coap_endpoint.h"

#define QUEUE 4096
#define BODY_MAX (200 * 1024)
#define ORIGIN 65001 /* an option that the endpoints know, critical */
static const struct coap_option_rule rules[] = {{ORIGIN, 1, 20, false}};

struct flying {
	uint64_t at;
	int to; /* 0 or 1 */
	uint8_t *octets;
	size_t len;
};

static struct world {
	struct coap_endpoint *ends[2];
	struct rng rng, chance;
	struct flying queue[QUEUE];
	size_t count;
	uint64_t now;
	unsigned loss, duplicates, delay; /* percent, percent, ms at most */
	unsigned sent[2];
	size_t longest;
	bool cut;
	/* the server */
	unsigned executed, executed_of[1024];
	size_t answer_len;
	uint64_t answer_after;
	bool silent;
	struct coap_exchange *held[1024];
	uint64_t held_until[1024];
	size_t held_count;
	size_t got_len;
	bool got_right;
	/* the client */
	unsigned done, good;
	enum err error;
	uint8_t code;
	size_t result_len;
	bool result_right;
} w;

static const struct coap_peer address_of[2] = {{0, 1, 1}, {0, 2, 2}};

static uint8_t octet_at(size_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

static bool is_right(struct rd body)
{
	for (size_t i = 0; i < body.left; i++)
		if (body.at[i] != octet_at(i))
			return false;
	return true;
}

static void fly(int from, struct rd datagram, uint64_t delay)
{
	struct flying *f = &w.queue[w.count++];

	assert_true(w.count < QUEUE);
	f->at = w.now + delay;
	f->to = 1 - from;
	f->octets = malloc(datagram.left ? datagram.left : 1);
	f->len = datagram.left;
	memcpy(f->octets, datagram.at, datagram.left);
}

static void on_send(void *ctx, const struct coap_peer *to, struct rd datagram)
{
	int from = *(int *)ctx;

	assert_int_equal(to->port, address_of[1 - from].port);
	w.sent[from]++;
	if (datagram.left > w.longest)
		w.longest = datagram.left;
	if (w.cut || rng_below(&w.chance, 100) < w.loss)
		return;
	fly(from, datagram, 1 + rng_below(&w.chance, w.delay + 1));
	if (rng_below(&w.chance, 100) < w.duplicates)
		fly(from, datagram, 1 + rng_below(&w.chance, 10 * w.delay + 1));
}

static void answer(struct coap_exchange *x)
{
	static uint8_t body[BODY_MAX];
	const struct coap_option option = {ORIGIN, rd_str("server")};

	for (size_t i = 0; i < w.answer_len; i++)
		body[i] = octet_at(i);
	if (w.silent)
		coap_exchange_silence(x, w.now);
	else
		coap_exchange_answer(x, w.now, &(const struct coap_answer){COAP_CONTENT, &option, 1, rd_of(body, w.answer_len)});
}

static void on_request(void *ctx, struct coap_exchange *x, const struct coap_message *m)
{
	const struct coap_option *o = coap_option_find(m, COAP_URI_PATH);
	char text[16];

	(void)ctx;
	w.executed++;
	w.got_len = m->payload.left;
	w.got_right = is_right(m->payload);
	if (o && rd_text(o->value, text, sizeof text))
		w.executed_of[atoi(text) % 1024]++;
	if (w.answer_after == 0) {
		answer(x);
		return;
	}
	w.held[w.held_count] = x;
	w.held_until[w.held_count++] = w.now + w.answer_after;
}

static void on_done(void *ctx, const struct coap_result *r)
{
	(void)ctx;
	w.done++;
	w.error = r->error;
	if (r->error != OK)
		return;
	w.good++;
	w.code = r->m->code;
	w.result_len = r->m->payload.left;
	w.result_right = is_right(r->m->payload);
	if (w.code == COAP_CONTENT)
		assert_non_null(coap_option_find(r->m, ORIGIN));
}

static int setup(void **state)
{
	static int names[2] = {0, 1};

	(void)state;
	memset(&w, 0, sizeof w);
	w.rng = rng_seeded(7);
	w.chance = rng_seeded(11);
	w.delay = 5;
	w.answer_len = 2;
	for (int i = 0; i < 2; i++) {
		const struct coap_config c = {on_send, on_request, &names[i], &w.rng, rules, 1, BODY_MAX};

		w.ends[i] = coap_endpoint_new(&c);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < w.count; i++)
		free(w.queue[i].octets);
	coap_endpoint_free(w.ends[0]);
	coap_endpoint_free(w.ends[1]);
	return 0;
}

/* Delivers and ticks until nothing moves any more, or until the time given. */
static void run(uint64_t until)
{
	for (;;) {
		uint64_t next = CLOCK_NEVER;

		for (size_t i = 0; i < w.count; i++)
			next = w.queue[i].at < next ? w.queue[i].at : next;
		for (size_t i = 0; i < w.held_count; i++)
			next = w.held_until[i] < next ? w.held_until[i] : next;
		for (int i = 0; i < 2; i++)
			next = coap_endpoint_deadline(w.ends[i]) < next ? coap_endpoint_deadline(w.ends[i]) : next;
		if (next == CLOCK_NEVER || next > until)
			break;
		w.now = next > w.now ? next : w.now;
		for (size_t i = 0; i < w.count; i++) {
			struct flying f = w.queue[i];

			if (f.at > w.now)
				continue;
			w.queue[i--] = w.queue[--w.count];
			coap_endpoint_input(w.ends[f.to], w.now, &address_of[1 - f.to], rd_of(f.octets, f.len));
			free(f.octets);
		}
		for (size_t i = 0; i < w.held_count; i++) {
			struct coap_exchange *x = w.held[i];

			if (w.held_until[i] > w.now)
				continue;
			w.held[i] = w.held[--w.held_count];
			w.held_until[i] = w.held_until[w.held_count];
			i--;
			answer(x);
		}
		for (int i = 0; i < 2; i++)
			coap_endpoint_tick(w.ends[i], w.now);
	}
}

static void ask(uint8_t code, unsigned number, size_t body_len, uint64_t timeout_ms)
{
	static uint8_t body[BODY_MAX + 1];
	char text[16];
	struct coap_option options[2] = {{ORIGIN, rd_str("client")}, {COAP_URI_PATH, {NULL, 0}}};

	snprintf(text, sizeof text, "%u", number);
	options[1].value = rd_str(text);
	for (size_t i = 0; i < body_len; i++)
		body[i] = octet_at(i);
	coap_call_new(w.ends[0], w.now, &address_of[1], &(const struct coap_question){code, options, 2, rd_of(body, body_len), timeout_ms}, on_done, NULL);
}

static void asks_and_is_answered_with_two_messages(void **state)
{
	(void)state;
	ask(COAP_GET, 1, 0, 60000);
	run(60000);
	assert_int_equal(w.good, 1);
	assert_int_equal(w.executed, 1);
	assert_int_equal(w.code, COAP_CONTENT);
	assert_true(w.result_len == 2 && w.result_right);
	assert_int_equal(w.sent[0], 1);
	assert_int_equal(w.sent[1], 1); /* piggybacked */
}

static void answers_late_by_a_message_of_its_own(void **state)
{
	(void)state;
	w.answer_after = 5000;
	ask(COAP_POST, 1, 10, 60000);
	run(60000);
	assert_int_equal(w.good, 1);
	assert_int_equal(w.executed, 1);
	assert_int_equal(w.sent[0], 2); /* request, acknowledgement of the response */
	assert_int_equal(w.sent[1], 2); /* acknowledgement, response */
}

static void stays_silent_when_told_to(void **state)
{
	(void)state;
	w.silent = true;
	ask(COAP_POST, 1, 10, 5000);
	run(60000);
	assert_int_equal(w.executed, 1);
	assert_int_equal(w.sent[0], 1); /* nothing is repeated */
	assert_int_equal(w.sent[1], 1);
	assert_true(w.done == 1 && w.error == ERR_TIMEOUT);
}

static void gives_up_when_nobody_is_there(void **state)
{
	(void)state;
	w.cut = true;
	ask(COAP_GET, 1, 0, 1000000);
	run(1000000);
	assert_int_equal(w.error, ERR_TIMEOUT);
	assert_int_equal(w.sent[0], 1 + COAP_RETRANSMISSIONS);
	assert_true(w.now >= 62000 && w.now <= 93000); /* MAX_TRANSMIT_WAIT: RFC 7252 section 4.8.2 */
}

static void ends_at_once_when_the_network_says_that_nobody_is_there(void **state)
{
	(void)state;
	w.cut = true;
	ask(COAP_GET, 1, 0, 1000000);
	assert_true(coap_endpoint_unreachable(w.ends[0], w.now, &address_of[1]));
	assert_true(w.done == 1 && w.error == ERR_UNREACHABLE);
	assert_false(coap_endpoint_unreachable(w.ends[0], w.now, &address_of[1]));
}

static void sends_one_request_at_a_time_to_a_peer(void **state)
{
	(void)state;
	w.cut = true;
	for (unsigned i = 0; i < 5; i++)
		ask(COAP_GET, i, 0, 1000);
	assert_int_equal(w.sent[0], 1);
	run(999);
	assert_int_equal(w.done, 0);
	run(2000);
	assert_int_equal(w.done, 5);
}

/* What a lossy network makes of 300 requests: each is answered, none is done twice. */
static void does_each_request_once_over_a_network_that_loses_and_repeats(void **state)
{
	(void)state;
	w.loss = 20;
	w.duplicates = 30;
	w.delay = 300;
	for (unsigned i = 0; i < 300; i++) {
		w.answer_after = i % 3 == 0 ? 1500 : 0;
		ask(COAP_POST, i, 10, 100000000);
		run(w.now + 3000);
	}
	run(100000000);
	assert_int_equal(w.done, 300);
	assert_true(w.good >= 290); /* five losses in a row happen */
	for (unsigned i = 0; i < 300; i++)
		assert_true(w.executed_of[i] <= 1);
	assert_true(w.executed >= w.good);
	assert_true(w.sent[0] > 350); /* something was lost */
}

static void carries_large_bodies_both_ways(void **state)
{
	(void)state;
	w.answer_len = 150 * 1024 + 1;
	ask(COAP_POST, 1, 100 * 1024, 600000);
	run(600000);
	assert_int_equal(w.good, 1);
	assert_int_equal(w.executed, 1);
	assert_true(w.got_len == 100 * 1024 && w.got_right);
	assert_true(w.result_len == w.answer_len && w.result_right);
	assert_true(w.longest <= COAP_MESSAGE_SIZE);
}

static void carries_large_bodies_over_a_network_that_loses_and_repeats(void **state)
{
	(void)state;
	w.loss = 5;
	w.duplicates = 20;
	w.delay = 50;
	w.answer_len = 60 * 1024;
	ask(COAP_PUT, 1, 60 * 1024, 10000000);
	run(10000000);
	assert_int_equal(w.good, 1);
	assert_int_equal(w.executed, 1);
	assert_true(w.got_len == 60 * 1024 && w.got_right);
	assert_true(w.result_len == w.answer_len && w.result_right);
}

static void takes_bodies_at_the_edges_of_blocks(void **state)
{
	static const size_t sizes[] = {0, 1, 1023, 1024, 1025, 2047, 2048, 2049};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		w.answer_len = sizes[i];
		ask(COAP_POST, (unsigned)i, sizes[i], 60000);
		run(w.now + 60000);
		assert_int_equal(w.good, i + 1);
		assert_true(w.got_len == sizes[i] && w.got_right);
		assert_true(w.result_len == sizes[i] && w.result_right);
	}
}

static void refuses_a_body_that_is_too_large(void **state)
{
	(void)state;
	ask(COAP_POST, 1, BODY_MAX + 1, 600000);
	run(600000);
	assert_int_equal(w.executed, 0);
	assert_true(w.good == 1 && w.code == COAP_TOO_LARGE);
}

/* ---- messages by hand ---- */

static struct coap_message last;
static uint8_t last_octets[2048];
static unsigned hand_sent;

static void on_hand_send(void *ctx, const struct coap_peer *to, struct rd datagram)
{
	(void)ctx;
	(void)to;
	hand_sent++;
	memcpy(last_octets, datagram.at, datagram.left);
	assert_int_equal(coap_message_decode(rd_of(last_octets, datagram.left), &last), OK);
}

static struct coap_endpoint *server_by_hand(void)
{
	static const struct coap_config c = {on_hand_send, on_request, NULL, &w.rng, rules, 1, BODY_MAX};

	hand_sent = 0;
	return coap_endpoint_new(&c);
}

static void tell(struct coap_endpoint *e, struct coap_message m)
{
	uint8_t octets[2048];
	struct wr o = wr_of(octets, sizeof octets);

	assert_int_equal(coap_message_encode(&m, &o), OK);
	coap_endpoint_input(e, w.now, &address_of[0], rd_of(octets, o.len));
}

static void answers_a_ping_and_what_it_cannot_read_with_a_reset(void **state)
{
	struct coap_endpoint *e = server_by_hand();

	(void)state;
	tell(e, (struct coap_message){.type = COAP_CON, .id = 5});
	assert_true(hand_sent == 1 && last.type == COAP_RST && last.id == 5);
	coap_endpoint_input(e, 0, &address_of[0], rd_of("\x40\x01\x00\x06\xff", 5));
	assert_true(hand_sent == 2 && last.type == COAP_RST && last.id == 6);
	coap_endpoint_input(e, 0, &address_of[0], rd_of("\x50\x01\x00\x07\xff", 5)); /* not confirmable */
	coap_endpoint_input(e, 0, &address_of[0], rd_of("\x80\x01\x00\x08", 4));     /* another version */
	assert_int_equal(hand_sent, 2);
	coap_endpoint_free(e);
}

static void refuses_critical_options_that_it_does_not_know(void **state)
{
	struct coap_endpoint *e = server_by_hand();
	struct coap_message m = {.type = COAP_CON, .code = COAP_GET, .id = 1};

	(void)state;
	assert_true(coap_option_add(&m, 9, rd_str("x")));
	tell(e, m);
	assert_true(last.code == COAP_BAD_OPTION && last.id == 1);
	m = (struct coap_message){.type = COAP_CON, .code = COAP_GET, .id = 2};
	assert_true(coap_option_add(&m, ORIGIN, rd_str("twice")) && coap_option_add(&m, ORIGIN, rd_str("twice")));
	tell(e, m);
	assert_true(last.code == COAP_BAD_OPTION && last.id == 2);
	m = (struct coap_message){.type = COAP_CON, .code = COAP_GET, .id = 3};
	assert_true(coap_option_add(&m, ORIGIN, rd_str("longer than its rule allows")));
	tell(e, m);
	assert_true(last.code == COAP_BAD_OPTION && last.id == 3);
	assert_int_equal(w.executed, 0);
	m = (struct coap_message){.type = COAP_CON, .code = COAP_GET, .id = 4};
	assert_true(coap_option_add(&m, 10, rd_str("elective")));
	tell(e, m);
	assert_true(last.code == COAP_CONTENT && last.id == 4 && w.executed == 1);
	coap_endpoint_free(e);
}

static void answers_a_repeated_message_from_memory(void **state)
{
	struct coap_endpoint *e = server_by_hand();
	const struct coap_message m = {.type = COAP_CON, .code = COAP_POST, .id = 77, .token = {1}, .token_len = 1};
	struct coap_message other = m;

	(void)state;
	tell(e, m);
	w.now += COAP_EXCHANGE_LIFETIME_MS - 1;
	tell(e, m);
	assert_true(hand_sent == 2 && last.code == COAP_CONTENT && last.id == 77);
	assert_int_equal(w.executed, 1);
	other.token[0] = 2; /* the same number again in another message */
	tell(e, other);
	assert_int_equal(w.executed, 2);
	w.now += 1;
	tell(e, m); /* long forgotten: RFC 7252 section 4.5 */
	assert_int_equal(w.executed, 3);
	coap_endpoint_free(e);
}

static void answers_what_needs_no_confirmation_likewise(void **state)
{
	struct coap_endpoint *e = server_by_hand();

	(void)state;
	tell(e, (struct coap_message){.type = COAP_NON, .code = COAP_GET, .id = 9, .token = {4}, .token_len = 1});
	assert_true(hand_sent == 1 && last.type == COAP_NON && last.token_len == 1 && last.token[0] == 4);
	coap_endpoint_free(e);
}

static struct coap_message block(uint16_t id, uint32_t number, bool more, struct rd payload)
{
	static uint8_t octets[4];
	struct coap_message m = {.type = COAP_CON, .code = COAP_PUT, .id = id, .payload = payload};

	assert_true(coap_option_add(&m, COAP_BLOCK1, coap_block_print(octets, (struct coap_block){number, more, 0})));
	return m;
}

static void tells_when_blocks_are_missing_or_misshapen(void **state)
{
	struct coap_endpoint *e = server_by_hand();
	const struct rd full = rd_str("0123456789abcdef");

	(void)state;
	tell(e, block(1, 1, false, full)); /* nothing before */
	assert_int_equal(last.code, COAP_INCOMPLETE);
	tell(e, block(2, 0, true, full));
	assert_int_equal(last.code, COAP_CONTINUE);
	tell(e, block(3, 2, false, full)); /* a gap */
	assert_int_equal(last.code, COAP_INCOMPLETE);
	tell(e, block(4, 1, true, rd_str("short")));
	assert_int_equal(last.code, COAP_BAD_REQUEST);
	assert_int_equal(w.executed, 0);
	tell(e, block(5, 1, false, rd_str("end")));
	assert_int_equal(last.code, COAP_CONTENT);
	assert_int_equal(w.executed, 1);
	assert_int_equal(w.got_len, 19);
	assert_non_null(coap_option_find(&last, COAP_BLOCK1));
	coap_endpoint_free(e);
}

static void gives_blocks_of_the_size_that_was_asked_for(void **state)
{
	struct coap_endpoint *e = server_by_hand();
	struct coap_block b = {0, true, 0};
	uint8_t octets[4];

	(void)state;
	w.answer_len = 40;
	for (uint32_t number = 0; number < 3; number++) {
		struct coap_message m = {.type = COAP_CON, .code = COAP_POST, .id = (uint16_t)number, .token_len = 0};

		assert_true(coap_option_add(&m, COAP_BLOCK2, coap_block_print(octets, (struct coap_block){number, false, 0})));
		tell(e, m);
		assert_int_equal(last.code, COAP_CONTENT);
		assert_true(coap_block_parse(coap_option_find(&last, COAP_BLOCK2)->value, &b));
		assert_true(b.number == number && b.szx == 0 && b.more == (number < 2));
		assert_int_equal(last.payload.left, number < 2 ? 16 : 8);
		assert_int_equal(last.payload.at[0], octet_at(16 * number));
	}
	assert_int_equal(w.executed, 1); /* the rest came from memory */
	coap_endpoint_free(e);
}

static void forgets_when_there_is_too_much_to_remember(void **state)
{
	struct coap_endpoint *e = server_by_hand();
	const struct coap_message first = {.type = COAP_CON, .code = COAP_GET, .id = 1, .token = {9, 9, 9}, .token_len = 3};

	(void)state;
	tell(e, first);
	for (uint32_t i = 0; i <= COAP_EXCHANGES_MAX; i++)
		tell(e, (struct coap_message){.type = COAP_CON, .code = COAP_GET, .id = (uint16_t)i, .token = {(uint8_t)i, (uint8_t)(i >> 8)}, .token_len = 2});
	w.executed = 0;
	tell(e, first);
	assert_int_equal(w.executed, 1);
	coap_endpoint_free(e);
}

static void refuses_requests_when_too_many_wait(void **state)
{
	struct coap_endpoint *e = server_by_hand();

	(void)state;
	w.answer_after = 1;
	for (uint32_t i = 0; i <= COAP_WAITING_MAX; i++) {
		if (w.held_count == 1024)
			w.held_count = 0;
		tell(e, (struct coap_message){.type = COAP_CON, .code = COAP_GET, .id = (uint16_t)i});
	}
	assert_true(hand_sent == 1 && last.code == COAP_UNAVAILABLE && last.id == COAP_WAITING_MAX);
	w.held_count = 0;
	coap_endpoint_free(e);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(asks_and_is_answered_with_two_messages),
		T(answers_late_by_a_message_of_its_own),
		T(stays_silent_when_told_to),
		T(gives_up_when_nobody_is_there),
		T(ends_at_once_when_the_network_says_that_nobody_is_there),
		T(sends_one_request_at_a_time_to_a_peer),
		T(does_each_request_once_over_a_network_that_loses_and_repeats),
		T(carries_large_bodies_both_ways),
		T(carries_large_bodies_over_a_network_that_loses_and_repeats),
		T(takes_bodies_at_the_edges_of_blocks),
		T(refuses_a_body_that_is_too_large),
		T(answers_a_ping_and_what_it_cannot_read_with_a_reset),
		T(refuses_critical_options_that_it_does_not_know),
		T(answers_a_repeated_message_from_memory),
		T(answers_what_needs_no_confirmation_likewise),
		T(tells_when_blocks_are_missing_or_misshapen),
		T(gives_blocks_of_the_size_that_was_asked_for),
		T(forgets_when_there_is_too_much_to_remember),
		T(refuses_requests_when_too_many_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
