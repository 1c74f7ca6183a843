/* Bootstrapping between the three cores (UE with its USIM, BSF, authentication centre), and what each refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "gba/bsf.h"
#include "gba/ue.h"

#define NOW_MS 1795219200000ULL
#define IMPI "232010000000000@ims.mnc001.mcc232.3gppnetwork.org"
#define BSF "mef.keyway.example"
#define NAF "id-in.keyway.example"

static const uint8_t ua[UA_ID] = {1, 0, 0, 0, 7};
static struct rng rng;

struct world {
	struct auc_subscriber subscriber;
	struct guss guss;
	struct usim usim;
	struct bsf *bsf;
	struct ue ue;
	uint64_t now_ms;
	struct bsf_answer answer;
	unsigned asked; /* times that the HSS was */
};

static struct secret *key(uint8_t first)
{
	uint8_t octets[16] = {first, 1, 2, 3};

	return secret_take(octets, sizeof octets);
}

static void uss(struct guss *g, const char *naf, const char *entity)
{
	struct uss *u = &g->uss[g->count++];

	assert_true(uss_naf_is_good(rd_str(naf), u->naf));
	snprintf(u->entity, sizeof u->entity, "%s", entity);
}

static void begin(struct world *w)
{
	static const struct bsf_config c = {.fqdn = BSF, .rng = &rng};

	memset(w, 0, sizeof *w);
	rng = rng_seeded(3);
	w->now_ms = NOW_MS;
	w->subscriber.k = key(1);
	w->subscriber.opc = key(2);
	w->usim.k = key(1);
	w->usim.opc = key(2);
	snprintf(w->usim.impi, sizeof w->usim.impi, "%s", IMPI);
	uss(&w->guss, NAF, "m2m://keyway.example/id-in/Cmeter");
	uss(&w->guss, "*.sub.keyway.example", "m2m://keyway.example/id-mn/Cmeter");
	w->bsf = bsf_new(&c);
	assert_non_null(w->bsf);
	assert_int_equal(ue_init(&w->ue, &w->usim, BSF), OK);
}

static void end(struct world *w)
{
	ue_clear(&w->ue);
	bsf_free(w->bsf);
	usim_clear(&w->usim);
	auc_subscriber_clear(&w->subscriber);
}

/* One HTTP exchange: the HSS is there at once. */
static void exchange(struct world *w, const char *authorization)
{
	const struct bsf_request rq = {.method = "GET", .path = "/", .authorization = authorization};
	struct aka_vector v = {{0}, {0}, NULL, NULL, NULL};
	struct bsf_ask ask;
	enum err e = ERR_NOT_FOUND;

	if (bsf_input(w->bsf, w->now_ms, &rq, &ask, &w->answer) == BSF_ANSWER)
		return;
	w->asked++;
	if (strcmp(ask.impi, IMPI) == 0)
		e = ask.resync ? auc_resynchronise(&w->subscriber, ask.rand, ask.auts) : OK;
	if (e == OK)
		e = auc_vector(&w->subscriber, &rng, &v);
	bsf_vector(w->bsf, w->now_ms, &ask, e, &v, &w->guss, &w->answer);
}

static void text_of(struct wr *w, char *text, size_t size)
{
	struct rd r;

	assert_true(wr_done(w, &r));
	assert_true(rd_text(r, text, size));
}

static void ask_first(struct world *w)
{
	char octets[2048], text[2048];
	struct wr out = wr_of(octets, sizeof octets);

	ue_begin(&w->ue, "/", &out);
	text_of(&out, text, sizeof text);
	exchange(w, text);
}

/* The UE's answer to the 401 that is there. */
static enum err respond(struct world *w, char text[static 2048])
{
	char octets[2048];
	struct wr out = wr_of(octets, sizeof octets);
	enum err e = ue_challenged(&w->ue, &rng, "GET", "/", rd_of("", 0), rd_str(w->answer.value), &out);

	if (e == OK)
		text_of(&out, text, 2048);
	return e;
}

static void bootstrap(struct world *w)
{
	char text[2048];

	ask_first(w);
	assert_int_equal(w->answer.status, 401);
	assert_int_equal(respond(w, text), OK);
	exchange(w, text);
	assert_int_equal(w->answer.status, 200);
	assert_int_equal(ue_finish(&w->ue, rd_str(w->answer.value), rd_str(w->answer.body), w->now_ms / 1000), OK);
}

static enum err naf_key(struct world *w, const char *naf, struct naf_grant *g)
{
	return bsf_naf_key(w->bsf, w->now_ms, naf, rd_str(w->ue.info.btid), ua, false, g);
}

static void ue_and_naf_get_the_same_key(void **state)
{
	static const uint8_t other[UA_ID] = {1, 0, 1, 0, 0xa8};
	struct naf_grant g, of_other;
	struct secret *mine;
	struct world w;

	(void)state;
	begin(&w);
	bootstrap(&w);
	assert_string_equal(w.answer.header, "Authentication-Info");
	assert_string_equal(w.answer.btid, w.ue.info.btid);
	assert_true(w.ue.info.expires_at == NOW_MS / 1000 + BSF_LIFETIME_S);
	assert_int_equal(naf_key(&w, NAF, &g), OK);
	assert_string_equal(g.entity, "m2m://keyway.example/id-in/Cmeter");
	assert_true(g.expires_at == w.ue.info.expires_at);
	assert_int_equal(ue_naf_key(&w.ue, NOW_MS / 1000, KS_NAF, "ID-IN.keyway.example", ua, &mine), OK);
	assert_true(secret_equal(mine, g.key));
	/* bound to the protocol and to the NAF */
	assert_int_equal(bsf_naf_key(w.bsf, w.now_ms, NAF, rd_str(w.ue.info.btid), other, false, &of_other), OK);
	assert_false(secret_equal(mine, of_other.key));
	secret_free(of_other.key);
	assert_int_equal(naf_key(&w, "a.sub.keyway.example", &of_other), OK);
	assert_string_equal(of_other.entity, "m2m://keyway.example/id-mn/Cmeter");
	assert_false(secret_equal(mine, of_other.key));
	secret_free(of_other.key);
	secret_free(g.key);
	secret_free(mine);
	end(&w);
}

/* ---- a card that keeps Ks ---- */

static void begin_gba_u(struct world *w)
{
	begin(w);
	w->guss.gba_u = true;
	w->usim.gba_u = true;
}

static void a_card_that_keeps_ks_has_two_keys_for_a_naf(void **state)
{
	struct secret *ext, *inner, *none;
	struct naf_grant g;
	struct world w;

	(void)state;
	begin_gba_u(&w);
	bootstrap(&w);
	assert_null(w.ue.ks); /* it never left the card */
	assert_int_equal(ue_naf_key(&w.ue, NOW_MS / 1000, KS_EXT_NAF, NAF, ua, &ext), OK);
	assert_int_equal(ue_naf_key(&w.ue, NOW_MS / 1000, KS_INT_NAF, NAF, ua, &inner), OK);
	assert_int_equal(ue_naf_key(&w.ue, NOW_MS / 1000, KS_NAF, NAF, ua, &none), ERR_NOT_PERMITTED);
	assert_false(secret_equal(ext, inner));
	assert_int_equal(naf_key(&w, NAF, &g), OK);
	assert_true(secret_equal(g.key, ext));
	secret_free(g.key);
	assert_int_equal(bsf_naf_key(w.bsf, w.now_ms, NAF, rd_str(w.ue.info.btid), ua, true, &g), OK);
	assert_true(secret_equal(g.key, inner));
	assert_string_equal(g.entity, "m2m://keyway.example/id-in/Cmeter");
	secret_free(g.key);
	secret_free(ext);
	secret_free(inner);
	end(&w);
}

static void a_card_that_keeps_ks_resynchronises(void **state)
{
	char text[2048];
	struct world w;

	(void)state;
	begin_gba_u(&w);
	bootstrap(&w);
	for (size_t i = 0; i < SQN_SLOTS; i++)
		w.usim.window.seq[i] += 1000;
	ask_first(&w);
	assert_int_equal(respond(&w, text), OK);
	exchange(&w, text);
	assert_int_equal(w.answer.status, 401);
	assert_int_equal(respond(&w, text), OK);
	exchange(&w, text);
	assert_int_equal(w.answer.status, 200);
	end(&w);
}

/* The equipment can't do by itself what is the card's, and the other way round; nor is a key of one kind given for the other. */
static void the_kinds_of_cards_are_kept_apart(void **state)
{
	char text[2048];
	struct naf_grant g;
	struct secret *none;
	struct world w;

	(void)state;
	for (int n = 0; n < 2; n++) {
		begin(&w);
		w.guss.gba_u = n == 0;
		w.usim.gba_u = n == 1;
		ask_first(&w);
		assert_int_equal(w.answer.status, 401);
		assert_int_equal(respond(&w, text), ERR_BAD_MIC);
		end(&w);
	}
	begin(&w);
	bootstrap(&w);
	assert_int_equal(bsf_naf_key(w.bsf, w.now_ms, NAF, rd_str(w.ue.info.btid), ua, true, &g), ERR_NOT_PERMITTED);
	assert_int_equal(ue_naf_key(&w.ue, NOW_MS / 1000, KS_INT_NAF, NAF, ua, &none), ERR_UNSUPPORTED);
	end(&w);
}

static void gives_a_key_only_to_those_that_the_subscription_names(void **state)
{
	static const char *const others[] = {"id-mn.keyway.example", "keyway.example", "sub.keyway.example", "x.id-in.keyway.example", ""};
	struct naf_grant g;
	struct world w;

	(void)state;
	begin(&w);
	bootstrap(&w);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_int_equal(naf_key(&w, others[i], &g), ERR_NOT_PERMITTED);
	end(&w);
}

static void a_key_ends_when_it_was_said(void **state)
{
	struct naf_grant g;
	struct secret *mine;
	struct world w;

	(void)state;
	begin(&w);
	w.guss.lifetime_s = 60;
	bootstrap(&w);
	assert_true(w.ue.info.expires_at == NOW_MS / 1000 + 60);
	w.now_ms += 59999;
	assert_int_equal(naf_key(&w, NAF, &g), OK);
	secret_free(g.key);
	w.now_ms += 1;
	assert_int_equal(naf_key(&w, NAF, &g), ERR_NOT_FOUND);
	assert_int_equal(ue_naf_key(&w.ue, w.now_ms / 1000, KS_NAF, NAF, ua, &mine), ERR_TIMEOUT);
	w.guss.lifetime_s = UINT32_MAX; /* more than the BSF's is the BSF's */
	bootstrap(&w);
	assert_true(w.ue.info.expires_at == w.now_ms / 1000 + BSF_LIFETIME_S);
	assert_int_equal(bsf_count(w.bsf), 1);
	bsf_forget(w.bsf, IMPI);
	assert_int_equal(naf_key(&w, NAF, &g), ERR_NOT_FOUND);
	assert_int_equal(bsf_count(w.bsf), 0);
	end(&w);
}

static void a_new_bootstrapping_ends_the_former(void **state)
{
	char former[BTID_SIZE];
	struct naf_grant g;
	struct world w;

	(void)state;
	begin(&w);
	bootstrap(&w);
	memcpy(former, w.ue.info.btid, sizeof former);
	bootstrap(&w);
	assert_string_not_equal(former, w.ue.info.btid);
	assert_int_equal(bsf_naf_key(w.bsf, w.now_ms, NAF, rd_str(former), ua, false, &g), ERR_NOT_FOUND);
	assert_int_equal(naf_key(&w, NAF, &g), OK);
	secret_free(g.key);
	end(&w);
}

static void resynchronises_in_one_bootstrapping(void **state)
{
	char text[2048];
	struct world w;

	(void)state;
	begin(&w);
	for (size_t i = 0; i < SQN_SLOTS; i++)
		w.usim.window.seq[i] = 1000;
	ask_first(&w);
	assert_int_equal(respond(&w, text), OK);
	assert_true(w.ue.resynchronises);
	assert_non_null(strstr(text, "auts="));
	exchange(&w, text);
	assert_int_equal(w.answer.status, 401);
	assert_int_equal(respond(&w, text), OK);
	assert_false(w.ue.resynchronises);
	exchange(&w, text);
	assert_int_equal(w.answer.status, 200);
	assert_int_equal(ue_finish(&w.ue, rd_str(w.answer.value), rd_str(w.answer.body), w.now_ms / 1000), OK);
	assert_int_equal(w.asked, 2);
	end(&w);
}

static void refuses_a_forged_auts(void **state)
{
	char text[2048], *auts;
	struct world w;

	(void)state;
	begin(&w);
	for (size_t i = 0; i < SQN_SLOTS; i++)
		w.usim.window.seq[i] = 1000;
	ask_first(&w);
	assert_int_equal(respond(&w, text), OK);
	auts = strstr(text, "auts=\"") + 6;
	*auts = *auts == 'A' ? 'B' : 'A';
	exchange(&w, text); /* its response is right: everybody knows the empty password */
	assert_int_equal(w.answer.status, 403);
	assert_true(sqn_seq(w.subscriber.sqn) == 1);
	end(&w);
}

static void a_wrong_response_gets_another_challenge_and_no_key(void **state)
{
	char text[2048], *response, nonce[DIGEST_HEADER_MAX];
	struct world w;

	(void)state;
	begin(&w);
	ask_first(&w);
	memcpy(nonce, w.answer.value, sizeof nonce);
	assert_int_equal(respond(&w, text), OK);
	response = strstr(text, "response=\"") + 10;
	*response ^= 1; /* another digit */
	exchange(&w, text);
	assert_int_equal(w.answer.status, 401);
	assert_string_not_equal(nonce, w.answer.value);
	assert_int_equal(bsf_count(w.bsf), 0);
	*response ^= 1;
	exchange(&w, text); /* the right one comes too late: a challenge may be answered once */
	assert_int_equal(w.answer.status, 401);
	assert_int_equal(bsf_count(w.bsf), 0);
	end(&w);
}

static void a_replay_gets_another_challenge_and_no_key(void **state)
{
	char text[2048];
	struct world w;

	(void)state;
	begin(&w);
	ask_first(&w);
	assert_int_equal(respond(&w, text), OK);
	exchange(&w, text);
	assert_int_equal(w.answer.status, 200);
	bsf_forget(w.bsf, IMPI);
	exchange(&w, text);
	assert_int_equal(w.answer.status, 401);
	assert_int_equal(bsf_count(w.bsf), 0);
	end(&w);
}

static void a_challenge_does_not_wait_for_ever(void **state)
{
	char text[2048];
	struct world w;

	(void)state;
	begin(&w);
	ask_first(&w);
	assert_int_equal(respond(&w, text), OK);
	w.now_ms += BSF_PENDING_MS;
	exchange(&w, text);
	assert_int_equal(w.answer.status, 401);
	assert_int_equal(bsf_count(w.bsf), 0);
	end(&w);
}

static void one_identity_cannot_use_up_its_sequence_numbers(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	for (int i = 0; i < BSF_CHALLENGES_PER_MINUTE; i++) {
		ask_first(&w);
		assert_int_equal(w.answer.status, 401);
	}
	ask_first(&w);
	assert_int_equal(w.answer.status, 429);
	assert_int_equal(w.asked, BSF_CHALLENGES_PER_MINUTE);
	w.now_ms += 60000;
	bootstrap(&w);
	end(&w);
}

static void refuses_requests_that_are_none(void **state)
{
	static const char *const bad[] = {"", "Basic eDp5", "Digest", "Digest username=\"x\"", "Digest username=\"x\", uri=\"/\", username=\"y\"",
	    "Digest username=\"x\", uri=\"/\", algorithm=MD5", "Digest username=\"x\", uri=\"/\", nonce=\"AAAA\", response=\"\""};
	struct world w;

	(void)state;
	begin(&w);
	exchange(&w, NULL);
	assert_int_equal(w.answer.status, 400);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		exchange(&w, bad[i]);
		assert_int_equal(w.answer.status, 400);
	}
	end(&w);
}

/* ---- who does not exist ---- */

/* A first request, a wrong answer, a used nonce, a forged AUTS, a request too many: status and header field of each. */
static void course(struct world *w, const char *impi, char seen[static 4096])
{
	static const uint8_t auts[AKA_AUTS] = {1, 2, 3};
	struct digest_credentials c;
	struct digest_challenge ch;
	char text[2048], octets[2048];
	size_t used = 0;

	w->now_ms += 60000;
	for (unsigned i = 0; i < BSF_CHALLENGES_PER_MINUTE + 4; i++) {
		struct wr out = wr_of(octets, sizeof octets);

		memset(&c, 0, sizeof c);
		snprintf(c.username, sizeof c.username, "%s", impi);
		snprintf(c.realm, sizeof c.realm, "%s", BSF);
		snprintf(c.uri, sizeof c.uri, "/");
		if (i % 4 != 0 && w->answer.status == 401) { /* 1: wrong; 2: the same once more; 3: forged AUTS */
			assert_int_equal(digest_challenge_parse(rd_str(w->answer.value), &ch), OK);
			memcpy(c.nonce, ch.nonce, sizeof c.nonce);
			snprintf(c.nc, sizeof c.nc, "00000001");
			snprintf(c.cnonce, sizeof c.cnonce, "0011");
			c.auth_int = true;
			c.resync = i % 4 == 3;
			memcpy(c.auts, auts, sizeof c.auts);
			digest_credentials_sign(&c, rd_str("GET"), rd_of("", 0), NULL, c.response);
		}
		digest_credentials_print(&out, &c);
		text_of(&out, text, sizeof text);
		exchange(w, text);
		if (i % 4 == 1) /* again, with the nonce that is used now */
			exchange(w, text);
		used += (size_t)snprintf(seen + used, 4096 - used, "%u %s %zu;", w->answer.status, w->answer.header ? w->answer.header : "-",
		    strlen(w->answer.value));
	}
}

static void nobody_learns_which_identities_exist(void **state)
{
	char of_one[4096], of_nobody[4096], first[DIGEST_HEADER_MAX];
	struct digest_challenge a, b;
	struct world w;

	(void)state;
	begin(&w);
	course(&w, IMPI, of_one);
	course(&w, "232010000000009@ims.mnc001.mcc232.3gppnetwork.org", of_nobody);
	assert_string_equal(of_one, of_nobody);
	assert_non_null(strstr(of_one, "401"));
	assert_non_null(strstr(of_one, "403"));
	assert_non_null(strstr(of_one, "429"));
	/* never the same twice, and with the AMF of the others */
	w.now_ms += 60000;
	exchange(&w, "Digest username=\"nobody@nowhere\", realm=\"" BSF "\", nonce=\"\", uri=\"/\", response=\"\"");
	memcpy(first, w.answer.value, sizeof first);
	exchange(&w, "Digest username=\"nobody@nowhere\", realm=\"" BSF "\", nonce=\"\", uri=\"/\", response=\"\"");
	assert_int_equal(digest_challenge_parse(rd_str(first), &a), OK);
	assert_int_equal(digest_challenge_parse(rd_str(w.answer.value), &b), OK);
	assert_memory_not_equal(a.rand, b.rand, AKA_RAND);
	assert_memory_not_equal(a.autn, b.autn, 6);
	assert_memory_equal(a.autn + 6, "\x80\0", 2);
	assert_int_equal(bsf_count(w.bsf), 0);
	end(&w);
}

/* Naming strangers pushes nobody's challenge out. */
static void a_flood_of_strangers_takes_no_room(void **state)
{
	char text[2048], name[200];
	struct world w;

	(void)state;
	begin(&w);
	ask_first(&w);
	assert_int_equal(w.answer.status, 401);
	assert_int_equal(respond(&w, text), OK);
	for (unsigned i = 0; i < 3 * BSF_PENDING_MAX; i++) {
		snprintf(name, sizeof name, "Digest username=\"nobody%u@nowhere\", realm=\"" BSF "\", nonce=\"\", uri=\"/\", response=\"\"", i);
		exchange(&w, name);
	}
	exchange(&w, text);
	assert_int_equal(w.answer.status, 200);
	end(&w);
}

/* ---- what the UE refuses ---- */

static void the_ue_refuses_a_network_without_its_key(void **state)
{
	char text[2048];
	struct world w;

	(void)state;
	begin(&w);
	secret_free(w.subscriber.k);
	w.subscriber.k = key(9);
	ask_first(&w);
	assert_int_equal(w.answer.status, 401);
	assert_int_equal(respond(&w, text), ERR_BAD_MIC);
	assert_null(w.ue.ks);
	end(&w);
}

static void the_ue_refuses_another_realm(void **state)
{
	char text[2048];
	struct world w;

	(void)state;
	begin(&w);
	ask_first(&w);
	assert_int_equal(ue_init(&w.ue, &w.usim, "other.example"), OK);
	assert_int_equal(respond(&w, text), ERR_NOT_PERMITTED);
	end(&w);
}

static void the_ue_wants_proof_that_the_server_knew_res(void **state)
{
	char text[2048], *rspauth;
	struct world w;

	(void)state;
	begin(&w);
	ask_first(&w);
	assert_int_equal(respond(&w, text), OK);
	exchange(&w, text);
	rspauth = strstr(w.answer.value, "rspauth=\"") + 9;
	*rspauth ^= 1;
	assert_int_equal(ue_finish(&w.ue, rd_str(w.answer.value), rd_str(w.answer.body), w.now_ms / 1000), ERR_BAD_MIC);
	*rspauth ^= 1;
	w.answer.body[strlen(w.answer.body) - 1] = ' '; /* auth-int: the body counts */
	assert_int_equal(ue_finish(&w.ue, rd_str(w.answer.value), rd_str(w.answer.body), w.now_ms / 1000), ERR_BAD_MIC);
	w.answer.body[strlen(w.answer.body) - 1] = '\n';
	assert_int_equal(ue_finish(&w.ue, rd_str(w.answer.value), rd_str(w.answer.body), w.now_ms / 1000), OK);
	assert_int_equal(ue_finish(&w.ue, rd_str(w.answer.value), rd_str(w.answer.body), w.now_ms / 1000), ERR_STATE);
	end(&w);
}

static void the_ue_answers_one_challenge_with_res(void **state)
{
	char text[2048];
	struct world w;

	(void)state;
	begin(&w);
	ask_first(&w);
	assert_int_equal(respond(&w, text), OK);
	ask_first(&w); /* begins anew */
	assert_int_equal(respond(&w, text), OK);
	assert_int_equal(respond(&w, text), ERR_STATE);
	end(&w);
}

/* ---- texts ---- */

static void reads_what_others_write(void **state)
{
	struct digest_challenge c;
	struct digest_credentials cr;
	struct bootstrapping_info i;

	(void)state;
	/* the nonce of osmo-auc-gen for set 1 */
	assert_int_equal(digest_challenge_parse(rd_str("digest  Realm = \"a \\\"b\\\" c\" ,nonce=\"I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M=\","
						       "algorithm=akav1-md5,qop=\"auth, auth-int\",stale=false"),
			     &c),
	    OK);
	assert_string_equal(c.realm, "a \"b\" c");
	assert_true(c.auth && c.auth_int && c.rand[0] == 0x23 && c.autn[0] == 0x55 && c.autn[15] == 0xb3);
	assert_int_equal(digest_challenge_parse(rd_str("Digest realm=\"r\", nonce=\"AAAA\", algorithm=AKAv1-MD5, qop=\"auth\""), &c), ERR_SHORT);
	assert_int_equal(digest_challenge_parse(rd_str("Digest realm=\"r\", nonce=\"AAAA\", algorithm=MD5, qop=\"auth\""), &c), ERR_UNSUPPORTED);
	assert_int_equal(digest_challenge_parse(rd_str("Digest realm=\"r, nonce=\"AAAA\""), &c), ERR_MALFORMED);
	assert_int_equal(digest_credentials_parse(rd_str("Digest username=\"u\",realm=\"r\",nonce=\"n\",uri=\"/\",qop=auth-int,nc=00000001,cnonce=\"c\","
							 "response=\"0123456789abcdef0123456789ABCDEF\",auts=\"AAAAAAAAAAAAAAAAAAA=\""),
			     &cr),
	    OK);
	assert_true(cr.resync && cr.auth_int);
	assert_int_equal(bootstrapping_info_parse(rd_str("<?xml version='1.0'?>\r\n<g:BootstrappingInfo xmlns:g=\"uri:3gpp-gba\">\n  "
							 "<g:btid> I1U8vpY3qJ0hiuZNrke/NQ==@BSF.example.org </g:btid>\n <g:other/>"
							 "<g:lifetime>2024-02-29T23:59:59.25Z</g:lifetime>\n</g:BootstrappingInfo>\n"),
			     &i),
	    OK);
	assert_string_equal(i.btid, "I1U8vpY3qJ0hiuZNrke/NQ==@BSF.example.org");
	assert_true(i.expires_at == 1709251199);
}

static void refuses_odd_xml(void **state)
{
	static const char *const bad[] = {
	    "",
	    "<BootstrappingInfo/>",
	    "<BootstrappingInfo><btid>I1U8vpY3qJ0hiuZNrke/NQ==@b</btid></BootstrappingInfo>",
	    "<BootstrappingInfo><btid>I1U8vpY3qJ0hiuZNrke/NQ==@b</btid><lifetime>2023-02-29T23:59:59Z</lifetime></BootstrappingInfo>",
	    "<BootstrappingInfo><btid>I1U8vpY3qJ0hiuZNrke/NQ==@b</btid><lifetime>2024-02-29T24:00:00Z</lifetime></BootstrappingInfo>",
	    "<BootstrappingInfo><btid>I1U8vpY3qJ0hiuZNrke/NQ==@b</btid><lifetime>2024-02-29T23:00:00+01:00</lifetime></BootstrappingInfo>",
	    "<BootstrappingInfo><btid>I1U8@b</btid><lifetime>2024-02-29T23:00:00Z</lifetime></BootstrappingInfo>",
	    "<BootstrappingInfo><btid>I1U8vpY3qJ0hiuZNrke/NQ==@b</btid><lifetime>2024-02-29T23:00:00Z</lifetime></BootstrappingInfo>x",
	    "<BootstrappingInfo><btid>I1U8vpY3qJ0hiuZNrke/NQ==@b</lifetime><lifetime>2024-02-29T23:00:00Z</lifetime></BootstrappingInfo>",
	    "<!DOCTYPE x><BootstrappingInfo><btid>I1U8vpY3qJ0hiuZNrke/NQ==@b</btid><lifetime>2024-02-29T23:00:00Z</lifetime></BootstrappingInfo>",
	    "<BootstrappingInfo><btid>&a;I1U8vpY3qJ0hiuZNrke/NQ==@b</btid><lifetime>2024-02-29T23:00:00Z</lifetime></BootstrappingInfo>",
	    "<BootstrappingInfo><btid>I1U8vpY3qJ0hiuZNrke/NQ==@b</btid><btid>I1U8vpY3qJ0hiuZNrke/NQ==@b</btid><lifetime>2024-02-29T23:00:00Z</lifetime></BootstrappingInfo>",
	};
	struct bootstrapping_info i;

	(void)state;
	for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++)
		assert_int_not_equal(bootstrapping_info_parse(rd_str(bad[n]), &i), OK);
}

static void prints_times_that_read_back(void **state)
{
	static const uint64_t times[] = {0, 951782399, 951782400, 1709251199, 1795219200, 4107542399, 4107542400, 253402300799};
	char text[BOOTSTRAPPING_INFO_MAX];

	(void)state;
	for (size_t n = 0; n < sizeof times / sizeof times[0]; n++) {
		struct bootstrapping_info i = {.btid = "I1U8vpY3qJ0hiuZNrke/NQ==@b", .expires_at = times[n]}, back;
		struct wr w = wr_of(text, sizeof text);
		struct rd r;

		bootstrapping_info_print(&w, &i);
		assert_true(wr_done(&w, &r));
		assert_int_equal(bootstrapping_info_parse(r, &back), OK);
		assert_true(back.expires_at == times[n]);
		assert_string_equal(back.btid, i.btid);
	}
}

static void takes_a_psk_identity_with_and_without_its_prefix(void **state)
{
	uint8_t rand[AKA_RAND];
	bool uicc;
	char bsf[NAF_FQDN_SIZE];

	(void)state;
	assert_true(btid_parse(btid_of_psk_identity(rd_str("3GPP-bootstrapping-uicc;I1U8vpY3qJ0hiuZNrke/NQ==@BSF.example.org"), &uicc), rand, bsf) && uicc);
	assert_true(btid_parse(btid_of_psk_identity(rd_str("3GPP-bootstrapping;I1U8vpY3qJ0hiuZNrke/NQ==@BSF.example.org"), &uicc), rand, bsf) && !uicc);
	assert_string_equal(bsf, "bsf.example.org");
	assert_true(btid_parse(btid_of_psk_identity(rd_str("I1U8vpY3qJ0hiuZNrke/NQ==@bsf.example.org"), &uicc), rand, bsf));
	assert_false(btid_parse(btid_of_psk_identity(rd_str("0a1b2c@maf.keyway.example"), &uicc), rand, bsf));
	assert_false(btid_parse(rd_str("I1U8vpY3qJ0hiuZNrke/NQ==@"), rand, bsf));
	assert_false(btid_parse(rd_str("3GPP-bootstrapping;I1U8vpY3qJ0hiuZNrke/NQ==@bsf.example.org"), rand, bsf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ue_and_naf_get_the_same_key),
	    cmocka_unit_test(gives_a_key_only_to_those_that_the_subscription_names),
	    cmocka_unit_test(a_key_ends_when_it_was_said),
	    cmocka_unit_test(a_new_bootstrapping_ends_the_former),
	    cmocka_unit_test(resynchronises_in_one_bootstrapping),
	    cmocka_unit_test(refuses_a_forged_auts),
	    cmocka_unit_test(a_wrong_response_gets_another_challenge_and_no_key),
	    cmocka_unit_test(a_replay_gets_another_challenge_and_no_key),
	    cmocka_unit_test(a_challenge_does_not_wait_for_ever),
	    cmocka_unit_test(one_identity_cannot_use_up_its_sequence_numbers),
	    cmocka_unit_test(refuses_requests_that_are_none),
	    cmocka_unit_test(a_card_that_keeps_ks_has_two_keys_for_a_naf),
	    cmocka_unit_test(a_card_that_keeps_ks_resynchronises),
	    cmocka_unit_test(the_kinds_of_cards_are_kept_apart),
	    cmocka_unit_test(nobody_learns_which_identities_exist),
	    cmocka_unit_test(a_flood_of_strangers_takes_no_room),
	    cmocka_unit_test(the_ue_refuses_a_network_without_its_key),
	    cmocka_unit_test(the_ue_refuses_another_realm),
	    cmocka_unit_test(the_ue_wants_proof_that_the_server_knew_res),
	    cmocka_unit_test(the_ue_answers_one_challenge_with_res),
	    cmocka_unit_test(reads_what_others_write),
	    cmocka_unit_test(refuses_odd_xml),
	    cmocka_unit_test(prints_times_that_read_back),
	    cmocka_unit_test(takes_a_psk_identity_with_and_without_its_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
