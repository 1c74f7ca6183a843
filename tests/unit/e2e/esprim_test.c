/* ESPrim between an originator and a receiver, and each of the receiver's checks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "e2e/esprim.h"
#include "security/derive.h"

#define NOW UINT64_C(1800000000000)
#define HOUR UINT64_C(3600000)
#define KID "00112233445566778899AABBCCDDEEFF@maf.keyway.example"
#define WHO "/id-mn/Cmeter"
#define INNER "{\"op\":2,\"to\":\"/id-in/cse-in/a\",\"fr\":\"/id-mn/Cmeter\",\"rqi\":\"1\"}"

struct both {
	struct rng rng;
	struct secret *pairwise, *other;
	struct esprim *r;
	struct esprim_originator o;
	struct esprim_key key;
	struct wr text, inner;
	struct esprim_session mine, its;
};

static struct both *begin(uint32_t receivers, uint32_t originators)
{
	static struct both b;
	struct esprim_config config = {receivers, HOUR};

	b = (struct both){.rng = rng_seeded(3)};
	b.pairwise = secret_random(&b.rng, 32);
	b.other = secret_random(&b.rng, 32);
	b.r = esprim_new(&config, &b.rng);
	b.key = (struct esprim_key){b.pairwise, WHO};
	b.text = wr_new(65536);
	b.inner = wr_new(65536);
	assert_non_null(b.r);
	assert_int_equal(esprim_originator_init(&b.o, b.pairwise, KID, originators, HOUR / 2), OK);
	return &b;
}

static void end(struct both *b)
{
	esprim_session_clear(&b->mine);
	esprim_session_clear(&b->its);
	esprim_originator_clear(&b->o);
	esprim_free(b->r);
	secret_free(b->pairwise);
	secret_free(b->other);
	wr_free(&b->text);
	wr_free(&b->inner);
}

static struct rd made(const struct wr *w)
{
	struct rd out = {NULL, 0};

	assert_true(wr_done(w, &out));
	return out;
}

static void take_shared(struct both *b, uint64_t now)
{
	struct rd object;

	assert_int_equal(esprim_shared(b->r, now, &object), OK);
	assert_int_equal(esprim_originator_take(&b->o, object, now), OK);
}

static struct rd seal(struct both *b, uint64_t now)
{
	wr_reset(&b->text);
	esprim_session_clear(&b->mine);
	assert_int_equal(esprim_seal_request(&b->o, now, rd_str(INNER), &b->rng, &b->text, &b->mine), OK);
	return made(&b->text);
}

static enum onem2m_rsc open(struct both *b, uint64_t now, struct rd text)
{
	esprim_session_clear(&b->its);
	wr_reset(&b->inner);
	return esprim_open(b->r, now, text, &b->key, &b->its, &b->inner);
}

static void carries_a_request_and_its_answer(void **state)
{
	static const enum jose_enc encs[] = {JOSE_A128GCM, JOSE_A192GCM, JOSE_A256GCM};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct both *b = begin(JOSE_MAY_EVERY_ENC, JOSE_MAY(encs[i]));
		char kid[KEY_ID_MAX];
		struct wr answer = wr_new(65536);
		struct rd text;

		take_shared(b, NOW);
		text = seal(b, NOW);
		assert_null(memmem(text.at, text.left, "cse-in", 6));
		assert_int_equal(esprim_peek(text, kid), RSC_OK);
		assert_string_equal(kid, KID);
		assert_int_equal(open(b, NOW, text), RSC_OK);
		assert_true(rd_is(made(&b->inner), INNER));
		assert_true(secret_equal(b->mine.key, b->its.key));
		assert_int_equal(esprim_seal(&b->its, rd_str("{\"rsc\":2000}"), rd_str(""), &b->rng, &answer), OK);
		wr_reset(&b->inner);
		assert_false(b->o.confirmed);
		assert_int_equal(esprim_open_response(&b->o, &b->mine, NOW, made(&answer), &b->rng, &b->inner), OK);
		assert_true(rd_is(made(&b->inner), "{\"rsc\":2000}"));
		assert_true(b->o.confirmed); /* from now on without its rand object */
		text = seal(b, NOW);
		assert_true(b->text.len < 600);
		assert_int_equal(open(b, NOW, text), RSC_OK);
		wr_free(&answer);
		end(b);
	}
}

/* The bits of the session's key are those of TS-0003's formula over the octets that were carried. */
static void derives_the_session_key_of_the_objects_as_carried(void **state)
{
	struct both *b = begin(JOSE_MAY_EVERY_ENC, JOSE_MAY_EVERY_ENC);
	struct secret *want = NULL;
	struct rd object, text;

	(void)state;
	assert_int_equal(esprim_shared(b->r, NOW, &object), OK);
	take_shared(b, NOW);
	text = seal(b, NOW);
	assert_int_equal(open(b, NOW, text), RSC_OK);
	assert_int_equal(derive_session_esprim(b->pairwise, object, rand_object_text(&b->o.own), &want), OK);
	assert_true(secret_equal(b->its.key, want));
	secret_free(want);
	end(b);
}

static void asks_for_a_receivers_object_first(void **state)
{
	struct both *b = begin(JOSE_MAY_EVERY_ENC, JOSE_MAY(JOSE_A128GCM));

	(void)state;
	assert_int_equal(esprim_seal_request(&b->o, NOW, rd_str(INNER), &b->rng, &b->text, &b->mine), ERR_NOT_READY);
	take_shared(b, NOW);
	(void)seal(b, NOW);
	assert_int_equal(esprim_seal_request(&b->o, NOW + 2 * HOUR, rd_str(INNER), &b->rng, &b->text, &b->its), ERR_NOT_READY);
	end(b);
}

/* ---- each check, alone and in its order ---- */

static void does_not_know_the_key(void **state)
{
	struct both *b = begin(JOSE_MAY_EVERY_ENC, JOSE_MAY_EVERY_ENC);

	(void)state;
	take_shared(b, NOW);
	(void)seal(b, NOW);
	assert_int_equal(esprim_open(b->r, NOW, made(&b->text), NULL, &b->its, &b->inner), RSC_ESPRIM_UNKNOWN_KEY_ID);
	/* Before everything else: even when nothing else of it is good. */
	assert_int_equal(esprim_open(b->r, NOW + 9 * HOUR, made(&b->text), NULL, &b->its, &b->inner), RSC_ESPRIM_UNKNOWN_KEY_ID);
	b->key.key = b->other;
	assert_int_equal(open(b, NOW, made(&b->text)), RSC_ESPRIM_BAD_MAC);
	assert_int_equal(b->inner.len, 0);
	assert_int_equal(esprim_counts(b->r).sessions, 0);
	end(b);
}

static void does_not_know_its_own_object(void **state)
{
	struct both *b = begin(JOSE_MAY_EVERY_ENC, JOSE_MAY_EVERY_ENC);
	struct rd object;

	(void)state;
	take_shared(b, NOW);
	(void)seal(b, NOW);
	assert_int_equal(open(b, NOW + HOUR, made(&b->text)), RSC_ESPRIM_UNKNOWN_RECV_RAND_ID);
	/* Made for somebody else. */
	assert_int_equal(esprim_unshared(b->r, NOW, "/id-mn/Cother", &object), OK);
	assert_int_equal(esprim_originator_take(&b->o, object, NOW), OK);
	(void)seal(b, NOW);
	assert_int_equal(open(b, NOW, made(&b->text)), RSC_ESPRIM_UNKNOWN_RECV_RAND_ID);
	assert_int_equal(esprim_unshared(b->r, NOW, WHO, &object), OK);
	assert_int_equal(esprim_originator_take(&b->o, object, NOW), OK);
	(void)seal(b, NOW);
	assert_int_equal(open(b, NOW, made(&b->text)), RSC_OK);
	end(b);
}

static void does_not_know_the_originators_object(void **state)
{
	struct both *b = begin(JOSE_MAY_EVERY_ENC, JOSE_MAY_EVERY_ENC);

	(void)state;
	take_shared(b, NOW);
	(void)seal(b, NOW);
	b->o.confirmed = true; /* it believes that we know it */
	(void)seal(b, NOW);
	assert_int_equal(open(b, NOW, made(&b->text)), RSC_ESPRIM_UNKNOWN_ORIG_RAND_ID);
	assert_true(esprim_originator_refused(&b->o, RSC_ESPRIM_UNKNOWN_ORIG_RAND_ID));
	(void)seal(b, NOW);
	assert_int_equal(open(b, NOW, made(&b->text)), RSC_OK);
	/* It expired. */
	assert_int_equal(open(b, NOW + HOUR / 2 + 1000, made(&b->text)), RSC_ESPRIM_UNKNOWN_ORIG_RAND_ID);
	assert_false(esprim_originator_refused(&b->o, RSC_ESPRIM_BAD_MAC));
	end(b);
}

/* A session of its own making, with an originator's object that this side would not make. */
static enum onem2m_rsc with_object(struct both *b, const char *object, enum jose_enc enc)
{
	struct rand_object theirs, ours;
	struct rd shared;
	struct secret *session = NULL, *used = NULL;
	struct jose_key *key;
	struct jose_party party = {JOSE_DIR, rd_str(KID), NULL};
	struct jose_making how = {.form = JOSE_COMPACT, .enc = enc, .parties = &party, .count = 1};
	char members[1024];

	assert_int_equal(esprim_shared(b->r, NOW, &shared), OK);
	assert_int_equal(rand_object_parse(&ours, shared, true, NOW), OK);
	if (rand_object_parse(&theirs, rd_str(object), false, NOW) != OK)
		memcpy(theirs.id, "u1", 3);
	assert_int_equal(derive_session_esprim(b->pairwise, shared, rd_str(object), &session), OK);
	assert_int_equal(derive_for_use(session, jose_enc_octets(enc), &used), OK);
	key = jose_key_secret(used);
	party.key = key;
	snprintf(members, sizeof members, "\"ori\":\"%s\",\"rri\":\"%s\",\"oro\":%s", theirs.id, ours.id, object);
	how.members = rd_str(members);
	wr_reset(&b->text);
	assert_int_equal(jose_encrypt(&how, rd_str(INNER), &b->rng, &b->text), OK);
	jose_key_free(key);
	secret_free(used);
	secret_free(session);
	return open(b, NOW, made(&b->text));
}

static void agrees_on_algorithms_or_refuses(void **state)
{
	static const struct {
		const char *object;
		enum jose_enc enc;
		enum onem2m_rsc rsc;
	} cases[] = {
		{"{\"esri\":\"u1\",\"esrv\":\"v00112233445566778899\",\"esrx\":\"PT1M\",\"esk\":1,\"espa\":[10]}", JOSE_A128GCM, RSC_OK},
		{"{ \"espa\":[12,10], \"esk\":1, \"esrx\":\"PT1M\", \"esrv\":\"v00112233445566778899\", \"esri\":\"u2\" }", JOSE_A256GCM, RSC_OK},
		{"{\"esri\":\"u3\",\"esrv\":\"v00112233445566778899\",\"esrx\":\"PT1M\",\"esk\":2,\"espa\":[10]}", JOSE_A128GCM, RSC_ESPRIM_UNSUPPORTED_OPTION},
		{"{\"esri\":\"u4\",\"esrv\":\"v00112233445566778899\",\"esrx\":\"PT1M\",\"esk\":1,\"espa\":[10,13]}", JOSE_A128GCM, RSC_ESPRIM_UNSUPPORTED_OPTION},
		{"{\"esri\":\"u5\",\"esrv\":\"v00112233445566778899\",\"esrx\":\"PT1M\",\"esk\":1,\"espa\":[10,11]}", JOSE_A128GCM, RSC_ESPRIM_UNSUPPORTED_OPTION},
		{"{\"esri\":\"u6\",\"esrv\":\"v00112233445566778899\",\"esrx\":\"PT1M\",\"esk\":1,\"espa\":[10]}", JOSE_A256GCM, RSC_ESPRIM_UNSUPPORTED_OPTION},
		/* longer than the receiver's object, which lives an hour */
		{"{\"esri\":\"u7\",\"esrv\":\"v00112233445566778899\",\"esrx\":\"PT2H\",\"esk\":1,\"espa\":[10]}", JOSE_A128GCM, RSC_ESPRIM_UNKNOWN_ORIG_RAND_ID},
		{"{\"esri\":\"u8\",\"esrv\":\"v00112233445566778899\",\"esrx\":\"20200101T000000\",\"esk\":1,\"espa\":[10]}", JOSE_A128GCM, RSC_ESPRIM_UNKNOWN_ORIG_RAND_ID},
		{"{\"esri\":\"u9\",\"esrv\":\"short\",\"esrx\":\"PT1M\",\"esk\":1,\"espa\":[10]}", JOSE_A128GCM, RSC_ESPRIM_UNKNOWN_ORIG_RAND_ID},
		{"{\"esri\":\"u9\",\"esrv\":\"v00112233445566778899\",\"esrx\":\"PT1M\",\"esks\":[1],\"espa\":[10]}", JOSE_A128GCM, RSC_ESPRIM_UNKNOWN_ORIG_RAND_ID},
	};
	struct both *b = begin(JOSE_MAY(JOSE_A128GCM) | JOSE_MAY(JOSE_A256GCM), JOSE_MAY_EVERY_ENC);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum onem2m_rsc rsc = with_object(b, cases[i].object, cases[i].enc);

		if (rsc != cases[i].rsc)
			fail_msg("%s: %d", cases[i].object, rsc);
	}
	end(b);
}

/* The same ID with another object: whose was it? */
static void refuses_an_id_for_another_object(void **state)
{
	struct both *b = begin(JOSE_MAY_EVERY_ENC, JOSE_MAY_EVERY_ENC);

	(void)state;
	assert_int_equal(with_object(b, "{\"esri\":\"u1\",\"esrv\":\"v00112233445566778899\",\"esrx\":\"PT1M\",\"esk\":1,\"espa\":[10]}", JOSE_A128GCM), RSC_OK);
	assert_int_equal(with_object(b, "{\"esri\":\"u1\",\"esrv\":\"v99999999999999999999\",\"esrx\":\"PT1M\",\"esk\":1,\"espa\":[10]}", JOSE_A128GCM), RSC_ESPRIM_UNKNOWN_ORIG_RAND_ID);
	end(b);
}

static void opens_a_text_once(void **state)
{
	struct both *b = begin(JOSE_MAY_EVERY_ENC, JOSE_MAY_EVERY_ENC);
	struct rd text;
	char *captured;

	(void)state;
	take_shared(b, NOW);
	text = seal(b, NOW);
	captured = rd_strdup(text);
	assert_int_equal(open(b, NOW, rd_str(captured)), RSC_OK);
	assert_int_equal(open(b, NOW, rd_str(captured)), RSC_ESPRIM_BAD_MAC);
	assert_int_equal(b->inner.len, 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(open(b, NOW, seal(b, NOW)), RSC_OK);
	assert_int_equal(open(b, NOW, rd_str(captured)), RSC_ESPRIM_BAD_MAC);
	/* Not after the originator's object ended either: ours is what counts. */
	assert_int_not_equal(open(b, NOW + HOUR / 2 + 1000, rd_str(captured)), RSC_OK);
	assert_int_equal(esprim_counts(b->r).tags, 101);
	assert_int_not_equal(open(b, NOW + 2 * HOUR, rd_str(captured)), RSC_OK);
	assert_int_equal(esprim_counts(b->r).tags, 0);
	free(captured);
	end(b);
}

static void refuses_every_changed_octet(void **state)
{
	struct both *b = begin(JOSE_MAY_EVERY_ENC, JOSE_MAY_EVERY_ENC);
	struct rd text;
	char *changed;

	(void)state;
	take_shared(b, NOW);
	text = seal(b, NOW);
	changed = rd_strdup(text);
	for (size_t i = 0; i < text.left; i++) {
		char was = changed[i];

		changed[i] = was == 'A' ? 'B' : 'A';
		if (open(b, NOW, rd_str(changed)) == RSC_OK)
			fail_msg("octet %zu may be changed", i);
		assert_int_equal(b->inner.len, 0);
		changed[i] = was;
	}
	assert_int_equal(open(b, NOW, rd_str(changed)), RSC_OK);
	free(changed);
	end(b);
}

static void refuses_what_is_no_esprim(void **state)
{
	static const struct {
		const char *text;
		enum onem2m_rsc rsc;
	} cases[] = {
		{"", RSC_BAD_REQUEST},
		{"a.b.c", RSC_BAD_REQUEST},
		{"{}", RSC_BAD_REQUEST},
		{"eyJhbGciOiJIUzI1NiJ9.e30.YQ", RSC_BAD_REQUEST},
		{"eyJhbGciOiJBMTI4S1ciLCJlbmMiOiJBMTI4R0NNIn0.YQ.YQ.YQ.YQ", RSC_ESPRIM_UNSUPPORTED_OPTION}, /* A128KW */
		{"eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..YQ.YQ.YQ", RSC_ESPRIM_UNSUPPORTED_OPTION},         /* no kid */
	};
	struct both *b = begin(JOSE_MAY_EVERY_ENC, JOSE_MAY_EVERY_ENC);
	char kid[KEY_ID_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(esprim_peek(rd_str(cases[i].text), kid), cases[i].rsc);
		assert_int_equal(open(b, NOW, rd_str(cases[i].text)), cases[i].rsc);
	}
	end(b);
}

/* ---- what the originator believes ---- */

static void believes_answers_of_its_session_only(void **state)
{
	struct both *b = begin(JOSE_MAY_EVERY_ENC, JOSE_MAY_EVERY_ENC);
	struct wr answer = wr_new(65536);
	struct rd refresh;
	struct esprim_session other;

	(void)state;
	take_shared(b, NOW);
	assert_int_equal(open(b, NOW, seal(b, NOW)), RSC_OK);
	other = b->its;
	memcpy(other.ori, "u9", 3);
	assert_int_equal(esprim_seal(&other, rd_str("{}"), rd_str(""), &b->rng, &answer), OK);
	assert_int_equal(esprim_open_response(&b->o, &b->mine, NOW, made(&answer), &b->rng, &b->inner), ERR_BAD_VALUE);
	other = b->its;
	other.key = b->other;
	wr_reset(&answer);
	assert_int_equal(esprim_seal(&other, rd_str("{}"), rd_str(""), &b->rng, &answer), OK);
	assert_int_equal(esprim_open_response(&b->o, &b->mine, NOW, made(&answer), &b->rng, &b->inner), ERR_BAD_MIC);
	assert_false(b->o.confirmed);
	/* A receiver's object comes with the answer: the next request uses it. */
	assert_int_equal(esprim_unshared(b->r, NOW, WHO, &refresh), OK);
	wr_reset(&answer);
	assert_int_equal(esprim_seal(&b->its, rd_str("{}"), refresh, &b->rng, &answer), OK);
	assert_int_equal(esprim_open_response(&b->o, &b->mine, NOW, made(&answer), &b->rng, &b->inner), OK);
	assert_true(rd_equal(rand_object_text(&b->o.receivers), refresh));
	assert_int_equal(open(b, NOW, seal(b, NOW)), RSC_OK);
	wr_free(&answer);
	end(b);
}

static void takes_no_object_that_it_cannot_use(void **state)
{
	struct both *b = begin(JOSE_MAY_EVERY_ENC, JOSE_MAY(JOSE_A128GCM));

	(void)state;
	assert_int_equal(esprim_originator_take(&b->o, rd_str("{\"esri\":\"s1\",\"esrv\":\"v00112233445566778899\",\"esrx\":\"PT1M\",\"esks\":[1],\"espa\":[12]}"), NOW), ERR_UNSUPPORTED);
	assert_int_equal(esprim_originator_take(&b->o, rd_str("{\"esri\":\"s1\",\"esrv\":\"v00112233445566778899\",\"esrx\":\"PT1M\",\"esks\":[2],\"espa\":[10]}"), NOW), ERR_UNSUPPORTED);
	assert_int_equal(esprim_originator_take(&b->o, rd_str("{\"esri\":\"s1\",\"esrv\":\"v00112233445566778899\",\"esrx\":\"20200101T000000\",\"esks\":[1],\"espa\":[10]}"), NOW), ERR_BAD_VALUE);
	assert_int_equal(esprim_originator_take(&b->o, rd_str("{\"esri\":\"s1\"}"), NOW), ERR_MALFORMED);
	assert_int_equal(esprim_originator_take(&b->o, rd_str("[]"), NOW), ERR_MALFORMED);
	assert_false(b->o.has_receivers);
	end(b);
}

/* ---- bounds ---- */

static void bounds_what_it_remembers(void **state)
{
	struct both *b = begin(JOSE_MAY_EVERY_ENC, JOSE_MAY(JOSE_A128GCM));
	struct rd object, first = {NULL, 0};
	char entity[32];

	(void)state;
	take_shared(b, NOW);
	for (int i = 0; i < ESPRIM_PER_KEY_MAX; i++) {
		b->o.has_own = false;
		assert_int_equal(open(b, NOW, seal(b, NOW)), RSC_OK);
	}
	b->o.has_own = false;
	assert_int_equal(open(b, NOW, seal(b, NOW)), RSC_ESPRIM_DECRYPTION_ERROR);
	assert_int_equal(esprim_counts(b->r).sessions, ESPRIM_PER_KEY_MAX);
	assert_int_equal(open(b, NOW + 2 * HOUR, made(&b->text)), RSC_ESPRIM_UNKNOWN_RECV_RAND_ID);
	assert_int_equal(esprim_counts(b->r).sessions, 0);
	for (int i = 0; i < 3 * ESPRIM_UNSHARED_PER_ENTITY; i++)
		assert_int_equal(esprim_unshared(b->r, NOW + (uint64_t)i * 1000, WHO, &object), OK);
	assert_int_equal(esprim_counts(b->r).unshared, ESPRIM_UNSHARED_PER_ENTITY);
	for (int i = ESPRIM_UNSHARED_PER_ENTITY; i < ESPRIM_UNSHARED_MAX; i++) {
		snprintf(entity, sizeof entity, "/id-mn/C%d", i);
		assert_int_equal(esprim_unshared(b->r, NOW, entity, &first), OK);
	}
	assert_int_equal(esprim_unshared(b->r, NOW, "/id-mn/Cmore", &object), ERR_FULL);
	assert_int_equal(esprim_unshared(b->r, NOW + 2 * HOUR, "/id-mn/Cmore", &object), OK);
	assert_int_equal(esprim_counts(b->r).unshared, 1);
	end(b);
}

static void wants_a_new_object_after_many_requests(void **state)
{
	struct both *b = begin(JOSE_MAY_EVERY_ENC, JOSE_MAY(JOSE_A128GCM));
	char id[RAND_ID_MAX];

	(void)state;
	take_shared(b, NOW);
	assert_int_equal(open(b, NOW, seal(b, NOW)), RSC_OK);
	memcpy(id, b->o.own.id, sizeof id);
	for (int i = 1; i < ESPRIM_REQUESTS_MAX; i++)
		assert_int_equal(open(b, NOW, seal(b, NOW)), RSC_OK);
	b->o.used = 0; /* an originator that does not count */
	assert_int_equal(open(b, NOW, seal(b, NOW)), RSC_ESPRIM_UNKNOWN_ORIG_RAND_ID);
	b->o.used = ESPRIM_REQUESTS_MAX;
	assert_int_equal(open(b, NOW, seal(b, NOW)), RSC_OK);
	assert_string_not_equal(id, b->o.own.id);
	end(b);
}

/* The shared object is renewed before it ends, and who has the former one can still use it. */
static void keeps_the_former_shared_object(void **state)
{
	struct both *b = begin(JOSE_MAY_EVERY_ENC, JOSE_MAY(JOSE_A128GCM));
	struct rd object;
	char former[RAND_ID_MAX];

	(void)state;
	take_shared(b, NOW);
	memcpy(former, b->o.receivers.id, sizeof former);
	assert_int_equal(esprim_shared(b->r, NOW + HOUR / 2, &object), OK);
	assert_non_null(memmem(object.at, object.left, former, strlen(former)));
	assert_int_equal(esprim_shared(b->r, NOW + HOUR * 3 / 4, &object), OK);
	assert_null(memmem(object.at, object.left, former, strlen(former)));
	assert_int_equal(open(b, NOW + HOUR * 3 / 4, seal(b, NOW + HOUR * 3 / 4)), RSC_OK);
	assert_true(rand_object_is_shared(former));
	end(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_a_request_and_its_answer),
		cmocka_unit_test(derives_the_session_key_of_the_objects_as_carried),
		cmocka_unit_test(asks_for_a_receivers_object_first),
		cmocka_unit_test(does_not_know_the_key),
		cmocka_unit_test(does_not_know_its_own_object),
		cmocka_unit_test(does_not_know_the_originators_object),
		cmocka_unit_test(agrees_on_algorithms_or_refuses),
		cmocka_unit_test(refuses_an_id_for_another_object),
		cmocka_unit_test(opens_a_text_once),
		cmocka_unit_test(refuses_every_changed_octet),
		cmocka_unit_test(refuses_what_is_no_esprim),
		cmocka_unit_test(believes_answers_of_its_session_only),
		cmocka_unit_test(takes_no_object_that_it_cannot_use),
		cmocka_unit_test(bounds_what_it_remembers),
		cmocka_unit_test(wants_a_new_object_after_many_requests),
		cmocka_unit_test(keeps_the_former_shared_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
