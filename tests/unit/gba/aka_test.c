/* The authentication centre and the USIM against each other: acceptance of sequence numbers, resynchronisation, what an attacker tries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "gba/auc.h"
#include "gba/usim.h"

static struct rng rng;

static struct secret *key(uint8_t first)
{
	uint8_t octets[16] = {first, 1, 2, 3};

	return secret_take(octets, sizeof octets);
}

static void subscribe(struct auc_subscriber *s, struct usim *u)
{
	memset(s, 0, sizeof *s);
	memset(u, 0, sizeof *u);
	rng = rng_seeded(7);
	s->k = key(1);
	s->opc = key(2);
	s->amf = AKA_AMF_SEPARATION;
	u->k = key(1);
	u->opc = key(2);
}

static void end(struct auc_subscriber *s, struct usim *u)
{
	auc_subscriber_clear(s);
	usim_clear(u);
}

static enum usim_verdict present(struct usim *u, const struct aka_vector *v)
{
	struct usim_answer a;
	enum usim_verdict verdict;

	assert_int_equal(usim_authenticate(u, v->rand, v->autn, &a), OK);
	verdict = a.verdict;
	if (verdict == USIM_ACCEPTED) {
		assert_true(secret_equal(a.res, v->res));
		assert_true(secret_equal(a.ck, v->ck));
		assert_true(secret_equal(a.ik, v->ik));
	} else {
		assert_null(a.res);
		assert_null(a.ck);
		assert_null(a.ik);
	}
	usim_answer_clear(&a);
	return verdict;
}

static void both_sides_get_the_same_keys(void **state)
{
	struct auc_subscriber s;
	struct aka_vector v;
	struct usim u;

	(void)state;
	subscribe(&s, &u);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(auc_vector(&s, &rng, &v), OK);
		assert_int_equal(present(&u, &v), USIM_ACCEPTED);
		assert_int_equal(present(&u, &v), USIM_SYNC_FAILURE); /* the same again */
		aka_vector_clear(&v);
	}
	assert_true(sqn_seq(s.sqn) == 100);
	end(&s, &u);
}

static void takes_the_vectors_of_an_array_in_any_order(void **state)
{
	struct aka_vector v[SQN_SLOTS];
	struct auc_subscriber s;
	struct usim u;

	(void)state;
	subscribe(&s, &u);
	for (size_t i = 0; i < SQN_SLOTS; i++)
		assert_int_equal(auc_vector(&s, &rng, &v[i]), OK);
	for (size_t i = SQN_SLOTS; i-- > 0;)
		assert_int_equal(present(&u, &v[i]), USIM_ACCEPTED);
	for (size_t i = 0; i < SQN_SLOTS; i++) {
		assert_int_equal(present(&u, &v[i]), USIM_SYNC_FAILURE);
		aka_vector_clear(&v[i]);
	}
	end(&s, &u);
}

static void refuses_every_changed_octet(void **state)
{
	struct auc_subscriber s;
	struct aka_vector v;
	struct usim u;

	(void)state;
	subscribe(&s, &u);
	assert_int_equal(auc_vector(&s, &rng, &v), OK);
	for (size_t i = 0; i < 8 * AKA_AUTN; i++) {
		v.autn[i / 8] ^= (uint8_t)(1U << (i % 8));
		assert_int_equal(present(&u, &v), USIM_MAC_FAILURE);
		v.autn[i / 8] ^= (uint8_t)(1U << (i % 8));
	}
	for (size_t i = 0; i < 8 * AKA_RAND; i++) {
		v.rand[i / 8] ^= (uint8_t)(1U << (i % 8));
		assert_int_equal(present(&u, &v), USIM_MAC_FAILURE);
		v.rand[i / 8] ^= (uint8_t)(1U << (i % 8));
	}
	secret_free(u.k);
	u.k = key(3);
	assert_int_equal(present(&u, &v), USIM_MAC_FAILURE);
	secret_free(u.k);
	u.k = key(1);
	assert_int_equal(present(&u, &v), USIM_ACCEPTED); /* nothing of that moved it */
	aka_vector_clear(&v);
	end(&s, &u);
}

static void refuses_to_jump(void **state)
{
	struct auc_subscriber s;
	struct aka_vector v;
	struct usim u;

	(void)state;
	subscribe(&s, &u);
	s.sqn = SQN_DELTA << SQN_IND_BITS; /* the next is one beyond */
	assert_int_equal(auc_vector(&s, &rng, &v), OK);
	assert_int_equal(present(&u, &v), USIM_SYNC_FAILURE);
	aka_vector_clear(&v);
	s.sqn = (SQN_DELTA - 1) << SQN_IND_BITS;
	assert_int_equal(auc_vector(&s, &rng, &v), OK);
	assert_int_equal(present(&u, &v), USIM_ACCEPTED);
	aka_vector_clear(&v);
	s.sqn = SQN_MAX;
	assert_int_equal(auc_vector(&s, &rng, &v), ERR_COUNTER_EXHAUSTED);
	end(&s, &u);
}

/* One failure, AUTS, and the vector after it is taken. */
static void resynchronise(struct auc_subscriber *s, struct usim *u)
{
	struct usim_answer a;
	struct aka_vector v;

	assert_int_equal(auc_vector(s, &rng, &v), OK);
	assert_int_equal(usim_authenticate(u, v.rand, v.autn, &a), OK);
	assert_int_equal(a.verdict, USIM_SYNC_FAILURE);
	assert_int_equal(auc_resynchronise(s, v.rand, a.auts), OK);
	aka_vector_clear(&v);
	usim_answer_clear(&a);
	assert_int_equal(auc_vector(s, &rng, &v), OK);
	assert_int_equal(present(u, &v), USIM_ACCEPTED);
	aka_vector_clear(&v);
}

static void resynchronises_a_centre_that_is_behind_and_one_that_is_too_far_ahead(void **state)
{
	struct auc_subscriber s;
	struct usim u;

	(void)state;
	subscribe(&s, &u);
	for (size_t i = 0; i < SQN_SLOTS; i++)
		u.window.seq[i] = 1000000 + i;
	resynchronise(&s, &u);
	assert_true(sqn_seq(s.sqn) == 1000000 + SQN_SLOTS);
	s.sqn += (SQN_DELTA + 5) << SQN_IND_BITS;
	resynchronise(&s, &u);
	assert_true(sqn_seq(s.sqn) == 1000000 + SQN_SLOTS + 1);
	end(&s, &u);
}

static void an_auts_that_is_old_or_made_up_moves_nothing(void **state)
{
	uint8_t auts[AKA_AUTS], rand[AKA_RAND], never[AKA_RAND] = {0};
	struct auc_subscriber s;
	struct usim_answer a;
	struct aka_vector v;
	struct usim u;
	uint64_t before;

	(void)state;
	subscribe(&s, &u);
	u.window.seq[5] = 50;
	s.sqn = 4;
	assert_int_equal(auc_resynchronise(&s, never, auts), ERR_UNKNOWN_KEY); /* a new subscriber got no challenge of zeros */
	assert_int_equal(auc_vector(&s, &rng, &v), OK);
	for (size_t i = 0; i < SQN_SLOTS; i++)
		u.window.seq[i] = 50;
	assert_int_equal(usim_authenticate(&u, v.rand, v.autn, &a), OK);
	assert_int_equal(a.verdict, USIM_SYNC_FAILURE);
	memcpy(auts, a.auts, sizeof auts);
	memcpy(rand, v.rand, sizeof rand);
	before = s.sqn;
	for (size_t i = 0; i < 8 * AKA_AUTS; i++) {
		auts[i / 8] ^= (uint8_t)(1U << (i % 8));
		assert_int_equal(auc_resynchronise(&s, rand, auts), ERR_BAD_MIC);
		auts[i / 8] ^= (uint8_t)(1U << (i % 8));
	}
	assert_true(s.sqn == before);
	assert_int_equal(auc_resynchronise(&s, rand, auts), OK);
	assert_true(sqn_seq(s.sqn) == 50);
	aka_vector_clear(&v);
	usim_answer_clear(&a);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(auc_vector(&s, &rng, &v), OK);
		assert_int_equal(present(&u, &v), USIM_ACCEPTED);
		aka_vector_clear(&v);
	}
	before = s.sqn;
	assert_int_equal(auc_resynchronise(&s, rand, auts), OK); /* genuine, but the USIM would take the next one anyway */
	assert_true(s.sqn == before);
	for (int i = 0; i < AUC_RECENT; i++) {
		assert_int_equal(auc_vector(&s, &rng, &v), OK);
		aka_vector_clear(&v);
	}
	assert_int_equal(auc_resynchronise(&s, rand, auts), ERR_UNKNOWN_KEY); /* too old to be an answer */
	end(&s, &u);
}

static void a_sim_gets_what_the_centre_computed(void **state)
{
	struct auc_subscriber s;
	struct sim_triplet t, at_sim;
	struct usim u;
	uint64_t before;

	(void)state;
	subscribe(&s, &u);
	before = s.sqn;
	assert_int_equal(auc_triplet(&s, &rng, &t), OK);
	assert_int_equal(usim_gsm(&u, t.rand, &at_sim), OK);
	assert_int_equal(secret_len(t.sres), 4);
	assert_int_equal(secret_len(t.kc), 8);
	assert_true(secret_equal(t.sres, at_sim.sres) && secret_equal(t.kc, at_sim.kc));
	assert_true(s.sqn == before);
	sim_triplet_clear(&t);
	sim_triplet_clear(&at_sim);
	end(&s, &u);
}

static void derives_the_private_identity(void **state)
{
	char impi[IMPI_SIZE];

	(void)state;
	assert_true(impi_of_imsi("232010000000000", 2, impi));
	assert_string_equal(impi, "232010000000000@ims.mnc001.mcc232.3gppnetwork.org");
	assert_true(impi_of_imsi("310150123456789", 3, impi));
	assert_string_equal(impi, "310150123456789@ims.mnc150.mcc310.3gppnetwork.org");
	assert_false(impi_of_imsi("31015", 3, impi));
	assert_false(impi_of_imsi("3101501234567890", 3, impi));
	assert_false(impi_of_imsi("31015012345678x", 3, impi));
	assert_false(impi_of_imsi("310150123456789", 4, impi));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_sides_get_the_same_keys),
	    cmocka_unit_test(takes_the_vectors_of_an_array_in_any_order),
	    cmocka_unit_test(refuses_every_changed_octet),
	    cmocka_unit_test(refuses_to_jump),
	    cmocka_unit_test(resynchronises_a_centre_that_is_behind_and_one_that_is_too_far_ahead),
	    cmocka_unit_test(an_auts_that_is_old_or_made_up_moves_nothing),
	    cmocka_unit_test(a_sim_gets_what_the_centre_computed),
	    cmocka_unit_test(derives_the_private_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
