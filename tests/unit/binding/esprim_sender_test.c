/* Sealed notifications: what is sealed, what goes in the clear and what not at all, and what a sender does when the other side has forgotten something. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "binding/esprim/esprim_binding.h"

#define AE "/id-mn/Cmeter"
#define KID "00112233445566778899AABBCCDDEEFF@maf.keyway.example"
#define OTHER_KID "FF112233445566778899AABBCCDDEEFF@maf.keyway.example"
#define CONTENT "{\"m2m:sgn\":{\"nev\":{\"rep\":\"heliotrope\"}}}"
#define QUEUE 16

enum network { DELIVERS, LOSES, DEAF, FORGES };

struct posted {
	char *content;
	cse_done *done;
	void *ctx;
};

static struct world {
	struct rng rng;
	uint64_t now;
	struct secret *key, *other;
	bool has_key, receiver_has_key, has_other;
	struct esprim_sender *sender;
	struct esprim_binding *receiver;
	enum network network;
	struct posted queue[QUEUE];
	size_t queued, sent, sealed, clear, asked; /* messages on the way, of each kind */
	unsigned opened;                           /* by the AE */
	enum onem2m_rsc answers[QUEUE];
	size_t answered;
} w;

/* ---- the AE ---- */

static void came(void *to, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	(void)to;
	assert_int_equal(rq->operation, ONEM2M_NOTIFY);
	assert_true(rq->genuine && rd_is(rq->from, "/id-in") && rd_is(rq->content, CONTENT));
	w.opened++;
	done(ctx, &(const struct onem2m_response){.rsc = RSC_OK});
}

static void *find(void *source, const char *identity, psk_done *done, void *ctx)
{
	struct psk_answer a = {.entity = "/id-in"};

	(void)source;
	if (strcmp(identity, KID) == 0 && w.receiver_has_key)
		a.key = secret_dup(w.key);
	if (strcmp(identity, OTHER_KID) == 0)
		a.key = secret_dup(w.other);
	done(ctx, a.key ? &a : NULL);
	return NULL;
}

static uint64_t unix_ms(void *ctx)
{
	(void)ctx;
	return w.now;
}

static void restart_receiver(void)
{
	struct esprim_binding_config c = {.submit = came, .sp = "", .id = AE, .keys = {find, NULL, NULL}, .unix_ms = unix_ms, .rng = &w.rng, .life_ms = 3600000};

	esprim_binding_free(w.receiver);
	assert_int_equal(esprim_binding_new(&c, &w.receiver), OK);
}

/* ---- the way ---- */

static void submit(void *to, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	(void)to;
	assert_true(w.queued < QUEUE && rd_is(rq->to, AE));
	w.queue[w.queued++] = (struct posted){rd_strdup(rq->content), done, ctx};
}

static void answer(const struct posted *p, enum onem2m_rsc rsc, const char *content)
{
	p->done(p->ctx, &(const struct onem2m_response){.rsc = rsc, .content = rd_str(content)});
}

static void deliver(const struct posted *p)
{
	struct cse_security s = esprim_binding_security(w.receiver);
	bool seci = strstr(p->content, "m2m:seci") != NULL;

	w.sent++;
	w.clear += !seci;
	w.sealed += strstr(p->content, "\"sit\":5") != NULL;
	w.asked += strstr(p->content, "\"sit\":3") != NULL;
	assert_true(!seci || !strstr(p->content, "heliotrope"));
	switch (w.network) {
	case DELIVERS:
		if (seci)
			s.notify(s.security, "/id-in", &(const struct onem2m_request){.operation = ONEM2M_NOTIFY, .content = rd_str(p->content), .peer = ""}, p->done, p->ctx);
		else
			answer(p, RSC_OK, "");
		break;
	case LOSES:
		answer(p, RSC_TARGET_NOT_REACHABLE, "");
		break;
	case DEAF:
		answer(p, seci ? RSC_NOT_IMPLEMENTED : RSC_OK, "");
		break;
	case FORGES:
		answer(p, RSC_OK, "{\"m2m:seci\":{\"sit\":5,\"epo\":\"eyJhbGciOiJkaXIifQ....\"}}");
		break;
	}
}

static void deliver_all(void)
{
	while (w.queued > 0) {
		struct posted p = w.queue[0];

		memmove(&w.queue[0], &w.queue[1], --w.queued * sizeof w.queue[0]);
		deliver(&p);
		free(p.content);
	}
}

/* ---- the CSE ---- */

static bool key_for(void *ctx, const char *entity, const char *except, char kid[static KEY_ID_MAX], struct secret **key)
{
	bool other = strcmp(except, KID) == 0;

	(void)ctx;
	assert_string_equal(entity, AE);
	if (!w.has_key || (other && !w.has_other))
		return false;
	memcpy(kid, other ? OTHER_KID : KID, sizeof KID);
	*key = secret_dup(other ? w.other : w.key);
	return true;
}

static void on_done(void *ctx, const struct onem2m_response *rsp)
{
	(void)ctx;
	assert_true(w.answered < QUEUE);
	w.answers[w.answered++] = rsp->rsc;
}

static struct rd info(const char *esi)
{
	return rd_str(esi ? esi : "");
}

static const struct onem2m_request notification = {
	.operation = ONEM2M_NOTIFY, .to = {(const uint8_t *)AE, sizeof AE - 1}, .from = {(const uint8_t *)"/id-in", 6}, .request_id = {(const uint8_t *)"n1", 2},
	.release = {(const uint8_t *)"4", 1}, .rcn = ONEM2M_RCN_ABSENT, .content = {(const uint8_t *)CONTENT, sizeof CONTENT - 1}, .peer = ""};

/* esi NULL: nothing is known of the AE. */
static void post(const char *esi)
{
	esprim_sender_send(w.sender, AE, info(esi), esi != NULL, &notification, on_done, NULL);
}

static enum onem2m_rsc notify(const char *esi)
{
	w.sent = w.sealed = w.clear = w.asked = w.answered = 0;
	post(esi);
	deliver_all();
	assert_int_equal(w.answered, 1);
	return w.answers[0];
}

static enum cse_sealing judge(const char *esi)
{
	return esprim_sender_judge(w.sender, AE, info(esi), esi != NULL);
}

static void begin(enum esprim_policy policy)
{
	struct esprim_sender_config c = {.submit = submit, .id = "/id-in", .policy = policy, .key_for = key_for, .unix_ms = unix_ms, .rng = &w.rng,
		.encs = JOSE_MAY_EVERY_ENC, .life_ms = 1800000};

	w = (struct world){.rng = rng_seeded(5), .now = UINT64_C(1800000000000), .has_key = true, .receiver_has_key = true};
	w.key = secret_random(&w.rng, 32);
	w.other = secret_random(&w.rng, 32);
	w.sender = esprim_sender_new(&c);
	assert_non_null(w.sender);
	restart_receiver();
}

static void end(void)
{
	esprim_sender_free(w.sender);
	esprim_binding_free(w.receiver);
	secret_free(w.key);
	secret_free(w.other);
	while (w.queued > 0)
		free(w.queue[--w.queued].content);
}

/* e2eSecInfo of the AE as it is now. */
static const char *describe(void)
{
	static char text[2048];
	struct cse_security s = esprim_binding_security(w.receiver);
	struct wr out = wr_of(text, sizeof text - 1);

	assert_true(s.describe(s.security, &out));
	text[out.len] = '\0';
	return text;
}

/* ---- tests ---- */

static void judges_by_policy_key_and_what_the_entity_says(void **state)
{
	static const struct {
		enum esprim_policy policy;
		bool has_key;
		const char *esi;
		enum cse_sealing verdict;
	} cases[] = {
		{ESPRIM_NEVER, true, "{\"esf\":[13]}", CSE_IN_THE_CLEAR},
		{ESPRIM_OFFERED, true, "{\"esf\":[13]}", CSE_SEALED},
		{ESPRIM_OFFERED, true, "{\"esf\":[14,34]}", CSE_IN_THE_CLEAR},
		{ESPRIM_OFFERED, true, "", CSE_IN_THE_CLEAR},
		{ESPRIM_OFFERED, true, "{", CSE_IN_THE_CLEAR},
		{ESPRIM_OFFERED, true, NULL, CSE_SEALED},
		{ESPRIM_OFFERED, false, "{\"esf\":[13]}", CSE_IN_THE_CLEAR},
		{ESPRIM_OFFERED, false, NULL, CSE_IN_THE_CLEAR},
		{ESPRIM_REQUIRED, true, "{\"esf\":[33]}", CSE_SEALED},
		{ESPRIM_REQUIRED, true, "{\"esf\":[34]}", CSE_NOT_AT_ALL},
		{ESPRIM_REQUIRED, true, NULL, CSE_SEALED},
		{ESPRIM_REQUIRED, false, "{\"esf\":[43]}", CSE_NOT_AT_ALL},
		{ESPRIM_REQUIRED, false, NULL, CSE_NOT_AT_ALL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin(cases[i].policy);
		w.has_key = cases[i].has_key;
		if (judge(cases[i].esi) != cases[i].verdict)
			fail_msg("case %zu", i);
		assert_int_equal(esprim_sender_judge(w.sender, "", rd_str(""), false), cases[i].policy == ESPRIM_REQUIRED ? CSE_NOT_AT_ALL : CSE_IN_THE_CLEAR);
		end();
	}
}

static void uses_the_shared_object_until_it_expires(void **state)
{
	char esi[2048];

	(void)state;
	begin(ESPRIM_OFFERED);
	strcpy(esi, describe());
	assert_int_equal(notify(esi), RSC_OK);
	assert_true(w.opened == 1 && w.asked == 0 && w.sealed == 1 && w.clear == 0);
	w.now += 3600001; /* nobody renewed it */
	assert_int_equal(notify(esi), RSC_OK);
	assert_true(w.opened == 2 && w.asked == 1 && w.clear == 0);
	assert_int_equal(notify(esi), RSC_OK);
	assert_true(w.opened == 3 && w.asked == 0);
	end();
}

static void one_asks_for_all_that_wait(void **state)
{
	(void)state;
	begin(ESPRIM_OFFERED);
	for (unsigned i = 0; i < 6; i++) /* more than a receiver keeps objects for one entity */
		post(NULL);
	deliver_all();
	assert_true(w.asked == 1 && w.sealed == 6 && w.opened == 6 && w.answered == 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(w.answers[i], RSC_OK);
	end();
}

static void goes_on_with_a_receiver_that_forgot_everything(void **state)
{
	(void)state;
	begin(ESPRIM_OFFERED);
	assert_int_equal(notify(NULL), RSC_OK);
	restart_receiver();
	assert_int_equal(notify(NULL), RSC_OK); /* 4114, an object, sealed anew */
	assert_true(w.opened == 2 && w.asked == 1 && w.sealed == 2 && w.clear == 0);
	end();
}

static void takes_another_key_when_this_one_is_unknown(void **state)
{
	(void)state;
	begin(ESPRIM_OFFERED);
	w.receiver_has_key = false;
	assert_int_equal(notify(NULL), RSC_ESPRIM_UNKNOWN_KEY_ID);
	assert_true(w.opened == 0 && w.clear == 0);
	end();
	begin(ESPRIM_OFFERED);
	w.receiver_has_key = false;
	w.has_other = true;
	assert_int_equal(notify(NULL), RSC_OK);
	assert_true(w.opened == 1 && w.clear == 0);
	end();
}

static void asks_a_stranger_and_leaves_it_in_peace(void **state)
{
	(void)state;
	begin(ESPRIM_OFFERED);
	w.network = DEAF;
	assert_int_equal(notify(NULL), RSC_OK);
	assert_true(w.asked == 1 && w.clear == 1 && w.sealed == 0);
	assert_int_equal(judge(NULL), CSE_IN_THE_CLEAR);
	w.now += ESPRIM_DEAF_MS;
	assert_int_equal(judge(NULL), CSE_SEALED);
	end();
}

static void nothing_falls_back_to_the_clear_where_it_must_not(void **state)
{
	(void)state;
	/* required; an AE whose e2eSecInfo is known; one that cannot be reached; one that answered sealed before */
	begin(ESPRIM_REQUIRED);
	w.network = DEAF;
	assert_int_equal(notify(NULL), RSC_NOT_IMPLEMENTED);
	assert_int_equal(w.clear, 0);
	end();
	begin(ESPRIM_OFFERED);
	w.network = DEAF;
	assert_int_equal(notify("{\"esf\":[13]}"), RSC_NOT_IMPLEMENTED);
	assert_int_equal(w.clear, 0);
	w.network = LOSES;
	assert_int_equal(notify(NULL), RSC_TARGET_NOT_REACHABLE);
	assert_int_equal(w.clear, 0);
	end();
	begin(ESPRIM_OFFERED);
	assert_int_equal(notify(NULL), RSC_OK);
	w.now += 3600001;
	w.network = DEAF;
	assert_int_equal(notify(NULL), RSC_NOT_IMPLEMENTED);
	assert_int_equal(w.clear, 0);
	assert_int_equal(judge(NULL), CSE_SEALED);
	end();
}

static void takes_a_forged_answer_for_none(void **state)
{
	(void)state;
	begin(ESPRIM_OFFERED);
	assert_int_equal(notify(NULL), RSC_OK);
	w.network = FORGES;
	assert_int_equal(notify(NULL), RSC_TARGET_NOT_REACHABLE);
	assert_int_equal(w.clear, 0);
	end();
}

static void a_key_that_is_gone_seals_no_more(void **state)
{
	(void)state;
	begin(ESPRIM_REQUIRED);
	assert_int_equal(notify(NULL), RSC_OK);
	w.has_key = false;
	assert_int_equal(judge(NULL), CSE_NOT_AT_ALL);
	assert_int_equal(notify(NULL), RSC_ESPRIM_ENCRYPTION_ERROR);
	assert_int_equal(w.sent, 0);
	end();
}

/* A key that somebody else may know is replaced: it must not be sealed under any longer. */
static void a_key_that_was_replaced_under_its_name_seals_no_more(void **state)
{
	(void)state;
	begin(ESPRIM_REQUIRED);
	assert_int_equal(notify(NULL), RSC_OK);
	secret_free(w.key);
	w.key = secret_random(&w.rng, 32);
	assert_int_equal(notify(NULL), RSC_OK);
	assert_true(w.opened == 2 && w.clear == 0);
	end();
}

static void ends_with_requests_under_way(void **state)
{
	(void)state;
	begin(ESPRIM_OFFERED);
	post(NULL);
	post(NULL);
	end();
	assert_int_equal(w.answered, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_by_policy_key_and_what_the_entity_says),
		cmocka_unit_test(uses_the_shared_object_until_it_expires),
		cmocka_unit_test(one_asks_for_all_that_wait),
		cmocka_unit_test(goes_on_with_a_receiver_that_forgot_everything),
		cmocka_unit_test(takes_another_key_when_this_one_is_unknown),
		cmocka_unit_test(asks_a_stranger_and_leaves_it_in_peace),
		cmocka_unit_test(nothing_falls_back_to_the_clear_where_it_must_not),
		cmocka_unit_test(takes_a_forged_answer_for_none),
		cmocka_unit_test(a_key_that_is_gone_seals_no_more),
		cmocka_unit_test(a_key_that_was_replaced_under_its_name_seals_no_more),
		cmocka_unit_test(ends_with_requests_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
