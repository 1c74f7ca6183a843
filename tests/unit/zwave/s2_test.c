/* Z-Wave's S2: the primitives against published vectors, the codec, and encapsulation between two nodes. The inclusion itself is judged by a foreign
 * device in tests/interop/s2_test.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "crypto/cmac.h"
#include "crypto/ctr_drbg.h"
#include "zwave/security/s2_frame.h"
#include "zwave/security/s2_message.h"

static struct secret *secret_hex(const char *text)
{
	uint8_t octets[SECRET_MAX];
	size_t n;

	assert_true(hex_parse_loose(rd_str(text), octets, sizeof octets, &n));
	return secret_take(octets, n);
}

static struct x25519_point point_hex(const char *text)
{
	struct x25519_point p;

	assert_true(hex_parse(rd_str(text), p.octets, sizeof p.octets));
	return p;
}

/* RFC 4493 clause 4. */
static void cmac_of_rfc4493(void **state)
{
	static const struct { const char *message, *mac; } cases[] = {
	    {"", "bb1d6929e95937287fa37d129b756746"},
	    {"6bc1bee22e409f96e93d7e117393172a", "070a16b46b4d4144f79bdd9dd04a287c"},
	    {"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411", "dfa66747de9ae63030ca32611497c827"},
	    {"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710", "51f0bebf7e3b9d92fc49741779363cfe"},
	};
	struct secret *key = secret_hex("2b7e151628aed2a6abf7158809cf4f3c");

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct secret *mac, *expected = secret_hex(cases[i].mac);
		uint8_t message[64];
		struct rd parts[2];
		size_t n;

		assert_true(hex_parse_loose(rd_str(cases[i].message), message, sizeof message, &n));
		parts[0] = rd_of(message, n / 3); /* in two parts, wherever they meet */
		parts[1] = rd_of(message + n / 3, n - n / 3);
		assert_int_equal(cmac(key, parts, 2, &mac), OK);
		assert_true(secret_equal(mac, expected));
		secret_free(mac);
		secret_free(expected);
	}
	secret_free(key);
}

/* RFC 7748 clause 6.1. */
static void x25519_of_rfc7748(void **state)
{
	struct secret *alice = secret_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
	struct secret *bob = secret_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
	struct secret *expected = secret_hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"), *shared;
	struct x25519_point a = point_hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
	struct x25519_point b = point_hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"), p;

	(void)state;
	assert_int_equal(x25519_point_of(alice, &p), OK);
	assert_memory_equal(&p, &a, sizeof p);
	assert_int_equal(x25519_agree(alice, &b, &shared), OK);
	assert_true(secret_equal(shared, expected));
	secret_free(shared);
	assert_int_equal(x25519_agree(bob, &a, &shared), OK);
	assert_true(secret_equal(shared, expected));
	secret_free(shared);
	secret_free(alice);
	secret_free(bob);
	secret_free(expected);
}

/* Points that leave nothing of our key in the result: orders 1, 2, 4 and 8, and one above the prime. */
static void x25519_refuses_points_of_small_order(void **state)
{
	static const char *const points[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000", "0100000000000000000000000000000000000000000000000000000000000000",
	    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	struct rng rng = rng_seeded(1);
	struct x25519_point own_point;
	struct secret *own, *shared;

	(void)state;
	assert_int_equal(x25519_make(&rng, &own, &own_point), OK);
	for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
		struct x25519_point p = point_hex(points[i]);

		assert_int_equal(x25519_agree(own, &p, &shared), ERR_BAD_VALUE);
	}
	secret_free(own);
}

/* The first vector of NIST's CTR_DRBG.rsp for AES-128 without derivation function gives the seed; its blocks, one a request, were computed with
 * openssl, whose way through the whole vector ends with NIST's result. */
static void ctr_drbg_of_nist(void **state)
{
	static const char *const blocks[] = {"9400be2ed57bbd55eedc02e47f7b5f1a", "9aeae76f4bcd6e4e2e68a3103677fc84", "ba0ec2f002f1031e0c21deae3a4365b6"};
	struct secret *entropy = secret_hex("ce50f33da5d4c1d3d4004eb35244b7f2cd7f2e5076fbf6780a7ff634b249a5fc");
	struct secret *nothing = secret_hex("0000000000000000000000000000000000000000000000000000000000000000");
	struct ctr_drbg d = {NULL}, ahead = {NULL};
	uint8_t block[CTR_DRBG_BLOCK], other[CTR_DRBG_BLOCK], expected[CTR_DRBG_BLOCK];

	(void)state;
	assert_int_equal(ctr_drbg_next(&d, block), ERR_STATE);
	assert_int_equal(ctr_drbg_seed(&d, entropy, nothing), OK);
	for (size_t i = 0; i < 3; i++) {
		assert_true(hex_parse(rd_str(blocks[i]), expected, sizeof expected));
		assert_int_equal(ctr_drbg_copy(&ahead, &d), OK);
		assert_int_equal(ctr_drbg_next(&ahead, other), OK);
		assert_int_equal(ctr_drbg_next(&d, block), OK);
		assert_memory_equal(block, expected, sizeof block);
		assert_memory_equal(other, expected, sizeof other);
	}
	ctr_drbg_free(&d);
	ctr_drbg_free(&ahead);
	secret_free(entropy);
	secret_free(nothing);
}

static void decodes_what_is_well_formed_alone(void **state)
{
	static const struct { const char *octets; enum err e; } cases[] = {
	    {"9f04", OK}, {"9f0400", ERR_MALFORMED}, {"9f", ERR_SHORT}, {"", ERR_SHORT}, {"9804", ERR_UNSUPPORTED}, {"9f00", ERR_UNSUPPORTED},
	    {"9f0101", OK}, {"9f01", ERR_SHORT},
	    {"9f0201" "01" "000102030405060708090a0b0c0d0e0f", OK}, {"9f0201" "01" "0001", ERR_SHORT}, {"9f0201" "02", OK}, {"9f0201" "00", ERR_MALFORMED}, {"9f0201" "04", ERR_MALFORMED},
	    {"9f0500020106", OK}, {"9f05fc020106", OK}, {"9f05000201", ERR_SHORT}, {"9f0600020106", OK}, {"9f0701", OK}, {"9f07", ERR_SHORT},
	    {"9f0801" "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f", OK},
	    {"9f0802" "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f", ERR_MALFORMED},
	    {"9f0801" "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e", ERR_SHORT},
	    {"9f0904", OK}, {"9f0900", ERR_MALFORMED}, {"9f0903", ERR_MALFORMED},
	    {"9f0a04" "000102030405060708090a0b0c0d0e0f", OK}, {"9f0a06" "000102030405060708090a0b0c0d0e0f", ERR_MALFORMED},
	    {"9f0a04" "000102030405060708090a0b0c0d0e", ERR_SHORT}, {"9f0a04" "000102030405060708090a0b0c0d0e0f10", ERR_MALFORMED},
	    {"9f0b", OK}, {"9f0c02", OK}, {"9f0c01", OK}, {"9f0c04", ERR_MALFORMED}, {"9f0d", ERR_UNSUPPORTED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t octets[64], again[64];
		struct wr w = wr_of(again, sizeof again);
		struct s2_frame f;
		size_t n;

		assert_true(hex_parse_loose(rd_str(cases[i].octets), octets, sizeof octets, &n));
		if (s2_frame_decode(rd_of(octets, n), &f) != cases[i].e)
			fail_msg("%s", cases[i].octets);
		if (cases[i].e != OK)
			continue;
		s2_frame_encode(&f, &w);
		assert_int_equal(w.len, n);
		assert_memory_equal(again, octets, n);
		s2_frame_free(&f);
	}
}

static void dsk_has_one_form(void **state)
{
	static const char *const bad[] = {"", "34028", "34028-23669-20938-46346-33746-07431-56821", "34028-23669-20938-46346-33746-07431-56821-65536",
	    "34028-23669-20938-46346-33746-07431-56821-1455", "34028-23669-20938-46346-33746-07431-56821-145530", "34028-23669-20938-46346-33746-07431-56821-1455a",
	    "34028-23669-20938-46346-33746-07431-56821-14553-"};
	static const char good[] = "34028-23669-20938-46346-33746-07431-56821-00001";
	uint8_t dsk[S2_DSK];
	char text[S2_DSK_TEXT];

	(void)state;
	assert_int_equal(s2_dsk_parse(rd_str(good), dsk), OK);
	assert_int_equal(dsk[0], 34028 >> 8);
	assert_int_equal(dsk[S2_DSK - 1], 1);
	s2_dsk_print(dsk, text);
	assert_string_equal(text, good);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(s2_dsk_parse(rd_str(bad[i]), dsk), ERR_MALFORMED);
}

/* Two nodes that share keys. */
struct pair {
	struct rng rng;
	struct s2_keys keys;
	struct s2_span a, b;
	struct s2_link from_a, from_b;
};

static int set_up(void **state)
{
	static struct pair p;
	struct secret *key;

	p = (struct pair){.rng = rng_seeded(7), .from_a = {0xcafe1234, 1, 7}, .from_b = {0xcafe1234, 7, 1}};
	key = secret_random(&p.rng, SECRET_AES128);
	assert_int_equal(s2_keys_network(key, &p.keys), OK);
	secret_free(key);
	s2_span_begin(&p.a, &p.rng);
	s2_span_begin(&p.b, &p.rng);
	s2_span_local(&p.b, &p.rng);
	s2_span_remote(&p.a, &p.b.entropy);
	*state = &p;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *p = *state;

	s2_keys_free(&p->keys);
	s2_span_free(&p->a);
	s2_span_free(&p->b);
	return 0;
}

struct sealed {
	uint8_t octets[S2_FRAME_MAX];
	size_t len;
};

static struct sealed seal(struct pair *p, const char *text)
{
	struct sealed s;
	struct wr w = wr_of(s.octets, sizeof s.octets);

	assert_int_equal(s2_message_seal(&p->a, &p->keys, &p->from_a, &p->rng, rd_str(text), &w), OK);
	s.len = w.len;
	return s;
}

static enum err open(struct pair *p, const struct sealed *s, const char *text)
{
	uint8_t plain[S2_FRAME_MAX];
	struct wr w = wr_of(plain, sizeof plain);
	enum err e = s2_message_open(&p->b, &p->keys, &p->from_b, rd_of(s->octets, s->len), &w);

	if (e == OK)
		assert_true(rd_is(rd_of(plain, w.len), text));
	return e;
}

static void messages_open_in_order_and_once(void **state)
{
	struct pair *p = *state;
	struct sealed first = seal(p, "one"), second = seal(p, "two");

	assert_int_equal(open(p, &first, "one"), OK);
	assert_int_equal(open(p, &first, ""), ERR_DUPLICATE);
	assert_int_equal(open(p, &second, "two"), OK);
	assert_int_equal(open(p, &second, ""), ERR_DUPLICATE);
	assert_int_equal(open(p, &first, ""), ERR_BAD_MIC); /* its nonce is gone */
}

static void a_few_may_be_lost(void **state)
{
	struct pair *p = *state;
	struct sealed s = seal(p, "first");

	assert_int_equal(open(p, &s, "first"), OK);
	for (int i = 0; i < S2_AHEAD; i++)
		s = seal(p, "some were lost");
	assert_int_equal(open(p, &s, "some were lost"), OK);
	for (int i = 0; i <= S2_AHEAD; i++)
		s = seal(p, "too many");
	assert_int_equal(open(p, &s, ""), ERR_BAD_MIC);
	/* New entropy, and it goes on. */
	s2_span_local(&p->b, &p->rng);
	s2_span_remote(&p->a, &p->b.entropy);
	s = seal(p, "again");
	assert_int_equal(open(p, &s, "again"), OK);
}

static void every_octet_counts(void **state)
{
	struct pair *p = *state;
	struct sealed s = seal(p, "lock the door");

	for (size_t i = 0; i < s.len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			struct sealed changed = s;

			changed.octets[i] ^= 1U << bit;
			assert_int_not_equal(open(p, &changed, ""), OK);
		}
	}
	for (size_t n = 0; n < s.len; n++) {
		struct sealed cut = s;

		cut.len = n;
		assert_int_not_equal(open(p, &cut, ""), OK);
	}
	assert_int_equal(open(p, &s, "lock the door"), OK); /* none of that did harm */
}

static void addresses_are_covered(void **state)
{
	struct pair *p = *state;
	struct sealed s = seal(p, "for seven");
	struct s2_link right = p->from_b;

	p->from_b.home++;
	assert_int_equal(open(p, &s, ""), ERR_BAD_MIC);
	p->from_b = right;
	p->from_b.own = 8;
	assert_int_equal(open(p, &s, ""), ERR_BAD_MIC);
	p->from_b = right;
	p->from_b.peer = 2;
	assert_int_equal(open(p, &s, ""), ERR_BAD_MIC);
	p->from_b = right;
	assert_int_equal(open(p, &s, "for seven"), OK);
}

static void nothing_is_sealed_without_entropy(void **state)
{
	struct pair *p = *state;
	uint8_t octets[S2_FRAME_MAX];
	struct wr w = wr_of(octets, sizeof octets);

	s2_span_reset(&p->a);
	assert_int_equal(s2_message_seal(&p->a, &p->keys, &p->from_a, &p->rng, rd_str("x"), &w), ERR_STATE);
	assert_int_equal(w.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cmac_of_rfc4493),
	    cmocka_unit_test(x25519_of_rfc7748),
	    cmocka_unit_test(x25519_refuses_points_of_small_order),
	    cmocka_unit_test(ctr_drbg_of_nist),
	    cmocka_unit_test(decodes_what_is_well_formed_alone),
	    cmocka_unit_test(dsk_has_one_form),
	    cmocka_unit_test_setup_teardown(messages_open_in_order_and_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_few_may_be_lost, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(every_octet_counts, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(addresses_are_covered, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(nothing_is_sealed_without_entropy, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
