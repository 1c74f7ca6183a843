/* The bootstrapping server function. */
#include "gba/bsf_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/gba_u.h"

#define NC_FIRST "00000001" /* a nonce counts once */
#define AMF_AT 6            /* in AUTN: SQN ^ AK, AMF, MAC */
#define MAC_AT 8
#define AMF_HIGH 0x80       /* as the centre's, unless a subscriber has another */

struct bsf *bsf_new(const struct bsf_config *c)
{
	struct bsf *b = calloc(1, sizeof *b);

	if (!b)
		return NULL;
	b->fqdn = c->fqdn;
	b->rng = c->rng;
	b->lifetime_s = c->lifetime_s ? c->lifetime_s : BSF_LIFETIME_S;
	b->challenges_per_minute = c->challenges_per_minute ? c->challenges_per_minute : BSF_CHALLENGES_PER_MINUTE;
	if (b->lifetime_s > BSF_LIFETIME_MAX_S)
		b->lifetime_s = BSF_LIFETIME_MAX_S;
	b->waiting.most = BSF_PENDING_MAX;
	/* what the rates let through in BSF_PENDING_MS, which may lie in two of their minutes: none is pushed out, which would show what it is */
	b->decoys.most = (size_t)2 * RATE_SLOTS * b->challenges_per_minute;
	return b;
}

void bsf_forget(struct bsf *b, const char *impi)
{
	struct pending *p = b->waiting.oldest, *newer;

	bsf_bootstraps_sweep(b, 0, impi);
	for (; p; p = newer) {
		newer = p->newer;
		if (strcmp(p->impi, impi) == 0)
			bsf_pending_drop(p);
	}
}

size_t bsf_count(const struct bsf *b)
{
	return b->count;
}

void bsf_free(struct bsf *b)
{
	if (!b)
		return;
	while (b->waiting.oldest)
		bsf_pending_drop(b->waiting.oldest);
	while (b->decoys.oldest)
		bsf_pending_drop(b->decoys.oldest);
	bsf_bootstraps_sweep(b, UINT64_MAX, NULL);
	free(b);
}

/* ---- Ub ---- */

static enum bsf_step refuse(struct bsf_answer *a, unsigned status, const char *reason)
{
	a->status = status;
	a->reason = reason;
	return BSF_ANSWER;
}

static bool rate_permits(struct bsf *b, uint64_t now_ms, const char *impi)
{
	uint32_t hash = 2166136261U;
	struct rate *r;

	for (const char *c = impi; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619U;
	r = &b->rates[hash % RATE_SLOTS];
	if (r->minute != now_ms / 60000) {
		r->minute = now_ms / 60000;
		r->count = 0;
	}
	return r->count++ < b->challenges_per_minute;
}

static enum bsf_step ask_vector(struct bsf *b, uint64_t now_ms, const char *impi, struct bsf_ask *ask, struct bsf_answer *a)
{
	if (!rate_permits(b, now_ms, impi))
		return refuse(a, 429, "too many challenges for this identity in a minute");
	memcpy(ask->impi, impi, sizeof ask->impi);
	return BSF_ASK;
}

/* The UE knew RES: Ks is agreed. */
static enum bsf_step accept(struct bsf *b, uint64_t now_ms, const struct digest_credentials *c, struct pending *p, struct bsf_answer *a)
{
	struct bootstrapping_info info = {.expires_at = 0};
	struct digest_info proof = {.auth_int = c->auth_int};
	struct wr w = wr_of(a->body, sizeof a->body - 1), header = wr_of(a->value, sizeof a->value - 1);
	struct bootstrap *s;
	struct rd body, done;

	if (!btid_print(info.btid, p->vector.rand, b->fqdn) || bsf_bootstrap_add(b, now_ms / 1000, p, &s) != OK)
		return refuse(a, 503, "out of memory");
	info.expires_at = s->expires_at;
	bootstrapping_info_print(&w, &info);
	memcpy(proof.cnonce, c->cnonce, sizeof proof.cnonce);
	memcpy(proof.nc, c->nc, sizeof proof.nc);
	if (wr_done(&w, &body))
		digest_info_sign(c, body, p->vector.res, proof.rspauth);
	digest_info_print(&header, &proof);
	if (!wr_done(&w, &body) || !wr_done(&header, &done))
		return refuse(a, 503, "the answer does not fit");
	a->body[body.left] = '\0';
	a->value[done.left] = '\0';
	a->header = "Authentication-Info";
	a->expires_at = s->expires_at;
	memcpy(a->btid, info.btid, sizeof a->btid);
	return refuse(a, 200, "bootstrapped");
}

/* An answer to a challenge, which ends it. */
static enum bsf_step answered(struct bsf *b, uint64_t now_ms, const struct bsf_request *rq, const struct digest_credentials *c, struct pending *p,
    struct bsf_ask *ask, struct bsf_answer *a)
{
	char expected[HTTP_DIGEST_SIZE];
	enum bsf_step step;
	bool good;

	/* auts counts only with the response of the empty password over it, which anybody can compute: its own MAC-S is what the HSS checks. */
	digest_credentials_sign(c, rd_str(rq->method), rq->body, c->resync ? NULL : p->vector.res, expected);
	good = bytes_equal_ct(expected, c->response, HTTP_DIGEST_SIZE - 1) && strcmp(c->uri, rq->path) == 0 && strcmp(c->realm, b->fqdn) == 0 &&
	    (c->resync || !p->decoy);
	bytes_wipe(expected, sizeof expected);
	if (c->resync && good) {
		ask->resync = true;
		memcpy(ask->rand, p->vector.rand, AKA_RAND);
		memcpy(ask->auts, c->auts, AKA_AUTS);
		a->reason = "synchronisation failure";
		step = ask_vector(b, now_ms, c->username, ask, a);
	} else if (good) {
		step = accept(b, now_ms, c, p, a);
	} else {
		a->reason = "wrong response";
		step = ask_vector(b, now_ms, c->username, ask, a);
	}
	return step;
}

enum bsf_step bsf_input(struct bsf *b, uint64_t now_ms, const struct bsf_request *rq, struct bsf_ask *ask, struct bsf_answer *a)
{
	struct digest_credentials c;
	struct pending *p;
	enum bsf_step step;

	memset(a, 0, sizeof *a);
	memset(ask, 0, sizeof *ask);
	if (!rq->authorization)
		return refuse(a, 400, "no Authorization");
	if (digest_credentials_parse(rd_str(rq->authorization), &c) != OK)
		return refuse(a, 400, "Authorization is no Digest AKAv1-MD5");
	memcpy(a->impi, c.username, sizeof a->impi);
	if (c.nonce[0] == '\0')
		return ask_vector(b, now_ms, c.username, ask, a);
	if (!c.auth_int || (strcmp(c.nc, NC_FIRST) != 0))
		return refuse(a, 400, "qop is not auth-int, or nc not the first");
	p = bsf_pending_find(b, now_ms, &c);
	if (!p || strcmp(p->impi, c.username) != 0) { /* somebody else's stays: he may still answer it */
		a->reason = "nonce is not one that waits: used, too old, or made up";
		return ask_vector(b, now_ms, c.username, ask, a);
	}
	step = answered(b, now_ms, rq, &c, p, ask, a);
	bsf_pending_drop(p);
	return step;
}

static void challenge(struct bsf *b, uint64_t now_ms, const struct bsf_ask *ask, struct aka_vector *v, const struct guss *g, struct bsf_answer *a)
{
	struct pending *p = bsf_pending_add(b, now_ms, ask, v, g);
	struct wr w = wr_of(a->value, sizeof a->value - 1);
	struct digest_challenge c = {.auth_int = true};
	struct rd done;

	if (!p) {
		aka_vector_clear(v);
		(void)refuse(a, 503, "out of memory");
		return;
	}
	memcpy(c.rand, p->vector.rand, AKA_RAND);
	memcpy(c.autn, p->vector.autn, AKA_AUTN);
	if (!rd_text(rd_str(b->fqdn), c.realm, sizeof c.realm)) {
		(void)refuse(a, 503, "the name of the BSF is too long");
		return;
	}
	digest_challenge_print(&w, &c);
	if (!wr_done(&w, &done)) {
		(void)refuse(a, 503, "the challenge does not fit");
		return;
	}
	a->value[done.left] = '\0';
	a->header = "WWW-Authenticate";
	a->status = 401;
	if (!a->reason)
		a->reason = "challenged";
}

/* An identity that does not exist is challenged as one that does: what tells them apart is only in the HSS's log and in ours. */
static void challenge_nobody(struct bsf *b, uint64_t now_ms, const struct bsf_ask *ask, struct bsf_answer *a)
{
	struct aka_vector v = {.res = NULL};

	rng_fill(b->rng, v.rand, sizeof v.rand);
	rng_fill(b->rng, v.autn, sizeof v.autn);
	v.autn[AMF_AT] = AMF_HIGH;
	v.autn[AMF_AT + 1] = 0;
	a->reason = "no such subscriber; challenged all the same";
	challenge(b, now_ms, ask, &v, NULL, a);
}

/* TS 33.220 clause 5.3.2: what the BSF does to the vector of a subscriber whose card keeps Ks. */
static enum err for_card(struct aka_vector *v)
{
	struct secret *res = gba_u_res(v->res);

	if (!res)
		return ERR_NO_MEMORY;
	gba_u_mac(v->ik, v->autn + MAC_AT);
	secret_free(v->res);
	v->res = res;
	return OK;
}

void bsf_vector(struct bsf *b, uint64_t now_ms, const struct bsf_ask *ask, enum err e, struct aka_vector *v, const struct guss *g, struct bsf_answer *a)
{
	if (e == OK && g->gba_u && (e = for_card(v)) != OK)
		aka_vector_clear(v);
	if (e == OK)
		challenge(b, now_ms, ask, v, g, a);
	else if (e == ERR_NOT_FOUND && !ask->resync)
		challenge_nobody(b, now_ms, ask, a);
	else if (e == ERR_NOT_FOUND || e == ERR_BAD_MIC || e == ERR_UNKNOWN_KEY)
		(void)refuse(a, 403, "AUTS is not genuine");
	else
		(void)refuse(a, 503, "the HSS does not answer");
}

/* ---- Zn ---- */

enum err bsf_naf_key(struct bsf *b, uint64_t now_ms, const char *naf, struct rd btid, const uint8_t ua[static UA_ID], bool uicc, struct naf_grant *out)
{
	uint8_t rand[AKA_RAND];
	char bsf[NAF_FQDN_SIZE];
	const struct uss *u;
	struct bootstrap *s;
	enum err e;

	if (!btid_parse(btid, rand, bsf) || strcmp(bsf, b->fqdn) != 0)
		return ERR_MALFORMED;
	s = bsf_bootstrap_find(b, rand);
	if (!s || s->expires_at <= now_ms / 1000)
		return ERR_NOT_FOUND;
	u = uss_find(s->uss, s->uss_count, naf);
	if (!u || (uicc && !s->gba_u))
		return ERR_NOT_PERMITTED;
	memset(out, 0, sizeof *out);
	e = gba_naf_key(uicc ? KS_INT_NAF : s->gba_u ? KS_EXT_NAF : KS_NAF, s->ks, s->rand, s->impi, naf, ua, &out->key);
	if (e != OK)
		return e;
	out->expires_at = s->expires_at;
	out->bootstrapped_at = s->bootstrapped_at;
	memcpy(out->entity, u->entity, sizeof out->entity);
	return OK;
}
