/* EGP sealed on a serial line: what the other side said arrives once and in order, and nothing else does, over restarts of both sides. nettle computes the
 * octets independently of the code, which uses GnuTLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <nettle/ccm.h>
#include <nettle/hmac.h>
#include <string.h>

#include "egp/egp.h"
#include "egp/egp_seal.h"

#define FRAMES 32

static struct rng rng;
static struct egp_seal *gateway, *eg;
static const uint8_t key[] = "an octet string of a key";

struct frame {
	uint8_t octets[EGP_MESSAGE_MAX + EGP_SEAL_OVERHEAD];
	size_t len;
};

static struct rd key_rd(void)
{
	return rd_of(key, sizeof key - 1);
}

static int start(void **state)
{
	(void)state;
	rng = rng_seeded(11);
	gateway = egp_seal_new(EGP_SEAL_GATEWAY, key_rd(), &rng);
	eg = egp_seal_new(EGP_SEAL_EG, key_rd(), &rng);
	return gateway && eg ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	egp_seal_free(gateway);
	egp_seal_free(eg);
	return 0;
}

static struct rd as_rd(const struct frame *f)
{
	return rd_of(f->octets, f->len);
}

/* What is said next; false: nothing. */
static bool taken(struct egp_seal *s, struct frame *f)
{
	struct rd out;

	if (!egp_seal_output(s, &out))
		return false;
	f->len = out.left;
	memcpy(f->octets, out.at, out.left);
	return true;
}

static struct rd message(enum egp_type type, uint32_t transaction)
{
	static uint8_t buffer[EGP_MESSAGE_MAX];
	const struct egp_message m = {.type = type, .transaction = transaction, .hello = {.gateway = 1, .channel = 15, .highest_version = 1}};
	struct wr w = wr_of(buffer, sizeof buffer);

	assert_int_equal(egp_encode(&m, &w), OK);
	return rd_of(buffer, w.len);
}

/* The transaction of the message in a frame; 0 when the frame is taken and holds none. */
static uint32_t received(struct egp_seal *s, const struct frame *f)
{
	struct egp_message m;
	struct rd octets;

	assert_int_equal(egp_seal_receive(s, as_rd(f), &octets), OK);
	if (octets.left == 0)
		return 0;
	assert_int_equal(egp_decode(octets, &m), OK);
	return m.transaction;
}

static enum err refused(struct egp_seal *s, const struct frame *f)
{
	struct rd octets;
	enum err e = egp_seal_receive(s, as_rd(f), &octets);

	assert_true(e != OK);
	assert_int_equal(octets.left, 0);
	return e;
}

/* One message across; the frame that carried it. */
static struct frame across(struct egp_seal *from, struct egp_seal *to, uint32_t transaction)
{
	struct frame f;

	egp_seal_send(from, message(EGP_PING, transaction));
	assert_true(taken(from, &f));
	assert_int_equal(received(to, &f), transaction);
	return f;
}

/* HELLO, with the session that it begins; the frames in their order: open, answer, hello. */
static void greet(uint32_t transaction, struct frame frames[3])
{
	egp_seal_send(gateway, message(EGP_HELLO, transaction));
	assert_true(taken(gateway, &frames[0]));
	assert_false(taken(gateway, &frames[1])); /* HELLO waits */
	assert_int_equal(received(eg, &frames[0]), 0);
	assert_true(taken(eg, &frames[1]));
	assert_int_equal(received(gateway, &frames[1]), 0);
	assert_true(taken(gateway, &frames[2]));
	assert_int_equal(received(eg, &frames[2]), transaction);
}

static void messages_cross_both_ways(void **state)
{
	struct frame f[3], nothing;

	(void)state;
	egp_seal_send(eg, message(EGP_PING, 1)); /* before anybody came */
	egp_seal_send(gateway, message(EGP_PING, 1));
	assert_false(taken(eg, &nothing) || taken(gateway, &nothing));
	greet(7, f);
	for (uint32_t i = 1; i < 20; i++) {
		across(eg, gateway, 100 + i);
		across(gateway, eg, 200 + i);
	}
}

static void nothing_arrives_twice_or_late(void **state)
{
	struct frame f[3], first, second;

	(void)state;
	greet(7, f);
	assert_int_equal(refused(eg, &f[2]), ERR_REPLAY);
	first = across(gateway, eg, 8);
	assert_int_equal(refused(eg, &first), ERR_REPLAY);
	egp_seal_send(gateway, message(EGP_PING, 9));
	assert_true(taken(gateway, &first));
	egp_seal_send(gateway, message(EGP_PING, 10));
	assert_true(taken(gateway, &second));
	assert_int_equal(received(eg, &second), 10); /* the first was lost */
	assert_int_equal(refused(eg, &first), ERR_REPLAY);
	assert_int_equal(refused(gateway, &second), ERR_BAD_MIC); /* sent back to where it came from */
}

static void nothing_of_a_former_session_opens(void **state)
{
	struct frame old[3], late, fresh[3], answer;

	(void)state;
	greet(7, old);
	late = across(eg, gateway, 8);
	greet(9, fresh);
	assert_int_equal(refused(gateway, &late), ERR_BAD_MIC);
	assert_int_equal(refused(eg, &old[2]), ERR_BAD_MIC);
	assert_int_equal(refused(gateway, &old[1]), ERR_REPLAY);
	assert_int_equal(refused(gateway, &fresh[1]), ERR_REPLAY); /* it was taken once */
	/* An old question gets an answer, which is worth nothing without the key; the session that stands goes on. */
	assert_int_equal(received(eg, &old[0]), 0);
	assert_true(taken(eg, &answer));
	assert_int_equal(refused(gateway, &answer), ERR_REPLAY);
	across(gateway, eg, 10);
	across(eg, gateway, 11);
	assert_int_equal(refused(eg, &old[2]), ERR_BAD_MIC);
}

static void an_answer_that_was_held_back_is_not_taken(void **state)
{
	struct frame open, answer, second;

	(void)state;
	egp_seal_send(gateway, message(EGP_HELLO, 1));
	assert_true(taken(gateway, &open));
	assert_int_equal(received(eg, &open), 0);
	assert_true(taken(eg, &answer));
	egp_seal_send(gateway, message(EGP_HELLO, 2)); /* not heard: again */
	assert_true(taken(gateway, &second));
	assert_int_equal(refused(gateway, &answer), ERR_REPLAY);
	assert_int_equal(received(eg, &second), 0);
	assert_true(taken(eg, &answer));
	assert_int_equal(received(gateway, &answer), 0);
}

/* The line repeats what the gateway asked: the EG answers alike, so that either answer is of the session that it keeps. */
static void a_question_said_twice_has_one_answer(void **state)
{
	struct frame open, one, other, hello;

	(void)state;
	egp_seal_send(gateway, message(EGP_HELLO, 1));
	assert_true(taken(gateway, &open));
	assert_int_equal(received(eg, &open), 0);
	assert_true(taken(eg, &one));
	assert_int_equal(received(eg, &open), 0);
	assert_true(taken(eg, &other));
	assert_memory_equal(one.octets, other.octets, one.len);
	assert_int_equal(received(gateway, &one), 0);
	assert_true(taken(gateway, &hello));
	assert_int_equal(received(eg, &hello), 1);
}

static void either_side_may_be_started_anew(void **state)
{
	struct frame f[3], lost;

	(void)state;
	greet(1, f);
	egp_seal_free(eg);
	eg = egp_seal_new(EGP_SEAL_EG, key_rd(), &rng);
	egp_seal_send(gateway, message(EGP_PING, 2));
	assert_true(taken(gateway, &lost));
	assert_int_equal(refused(eg, &lost), ERR_BAD_MIC);
	assert_int_equal(refused(eg, &f[2]), ERR_BAD_MIC);
	greet(3, f);
	across(eg, gateway, 4);
	egp_seal_free(gateway);
	gateway = egp_seal_new(EGP_SEAL_GATEWAY, key_rd(), &rng);
	greet(5, f);
	across(eg, gateway, 6);
}

static void every_changed_octet_is_refused(void **state)
{
	struct frame f[3], sealed, changed;
	struct rd octets;

	(void)state;
	greet(1, f);
	egp_seal_send(gateway, message(EGP_PING, 2));
	assert_true(taken(gateway, &sealed));
	for (size_t i = 0; i < sealed.len; i++) {
		changed = sealed;
		changed.octets[i] ^= 0x10;
		(void)refused(eg, &changed);
		changed = sealed;
		changed.len = i;
		(void)refused(eg, &changed);
	}
	for (int n = 0; n < 2; n++) {
		for (size_t i = 0; i < f[n].len; i++) {
			changed = f[n];
			changed.octets[i] ^= 0x10;
			(void)refused(n == 0 ? eg : gateway, &changed);
		}
	}
	assert_int_equal(egp_seal_receive(eg, message(EGP_PING, 3), &octets), ERR_MALFORMED); /* in the clear */
	assert_int_equal(received(eg, &sealed), 2);
}

static void another_key_opens_nothing(void **state)
{
	struct egp_seal *stranger = egp_seal_new(EGP_SEAL_GATEWAY, rd_str("the key of somebody else"), &rng);
	struct frame open;

	(void)state;
	egp_seal_send(stranger, message(EGP_HELLO, 1));
	assert_true(taken(stranger, &open));
	assert_int_equal(refused(eg, &open), ERR_BAD_MIC);
	assert_false(taken(eg, &open));
	egp_seal_free(stranger);
	assert_null(egp_seal_new(EGP_SEAL_EG, rd_str("too short a key"), &rng));
}

/* ---- by nettle ---- */

static void hmac(const char *label, struct rd salts, uint8_t mac[static 32])
{
	struct hmac_sha256_ctx h;

	hmac_sha256_set_key(&h, sizeof key - 1, key);
	hmac_sha256_update(&h, strlen(label), (const uint8_t *)label);
	hmac_sha256_update(&h, salts.left, salts.at);
	hmac_sha256_digest(&h, 32, mac);
}

static void the_octets_are_those_of_the_description(void **state)
{
	struct frame f[3];
	uint8_t mac[32], nonce[12] = {0}, plain[EGP_MESSAGE_MAX];
	struct ccm_aes128_ctx ccm;
	size_t len;

	(void)state;
	greet(7, f);
	assert_int_equal(f[0].len, 1 + 8 + 16);
	assert_int_equal(f[0].octets[0], 0xe1);
	hmac("keyway EGP serial 1 open", rd_of(f[0].octets + 1, 8), mac);
	assert_memory_equal(f[0].octets + 9, mac, 16);
	assert_int_equal(f[1].len, 1 + 16 + 16);
	assert_int_equal(f[1].octets[0], 0xe2);
	assert_memory_equal(f[1].octets + 1, f[0].octets + 1, 8);
	hmac("keyway EGP serial 1 answer", rd_of(f[1].octets + 1, 16), mac);
	assert_memory_equal(f[1].octets + 17, mac, 16);
	hmac("keyway EGP serial 1 keys", rd_of(f[1].octets + 1, 16), mac);
	ccm_aes128_set_key(&ccm, mac);
	memcpy(nonce + 8, "\0\0\0\1", 4);
	assert_memory_equal(f[2].octets, "\xe3\0\0\0\1", 5);
	len = f[2].len - 5 - 16;
	assert_int_equal(ccm_aes128_decrypt_message(&ccm, 12, nonce, 5, f[2].octets, 16, len, plain, f[2].octets + 5), 1);
	assert_memory_equal(plain, message(EGP_HELLO, 7).at, len);
	/* the way back: the second half of the keys */
	egp_seal_send(eg, message(EGP_PING, 8));
	assert_true(taken(eg, &f[2]));
	ccm_aes128_set_key(&ccm, mac + 16);
	len = f[2].len - 5 - 16;
	assert_int_equal(ccm_aes128_decrypt_message(&ccm, 12, nonce, 5, f[2].octets, 16, len, plain, f[2].octets + 5), 1);
	assert_memory_equal(plain, message(EGP_PING, 8).at, len);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_cross_both_ways),
		TEST(nothing_arrives_twice_or_late),
		TEST(nothing_of_a_former_session_opens),
		TEST(an_answer_that_was_held_back_is_not_taken),
		TEST(a_question_said_twice_has_one_answer),
		TEST(either_side_may_be_started_anew),
		TEST(every_changed_octet_is_refused),
		TEST(another_key_opens_nothing),
		TEST(the_octets_are_those_of_the_description),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
