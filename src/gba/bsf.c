/* The bootstrapping server function. */
#include "gba/bsf.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/gba_u.h"

#define BUCKETS 4096
#define RATE_SLOTS 1024
#define NC_FIRST "00000001" /* a nonce counts once */
#define AMF_AT 6            /* in AUTN: SQN ^ AK, AMF, MAC */
#define MAC_AT 8
#define AMF_HIGH 0x80       /* as the centre's, unless a subscriber has another */

/* Challenges by age. Those of identities that do not exist have a queue of their own, so that naming such takes no room from anybody. */
struct queue {
	struct pending *oldest, *newest;
	size_t count, most;
};

/* A challenge that waits for its answer. */
struct pending {
	struct queue *queue;
	struct pending *next, **link; /* in the bucket of its RAND */
	struct pending *older, *newer;
	char impi[IMPI_SIZE];
	uint64_t since_ms;
	struct aka_vector vector;
	uint32_t lifetime_s; /* 0: as the BSF says */
	struct uss *uss;
	size_t uss_count;
	bool gba_u;
	bool decoy; /* there is no such subscriber: RAND and AUTN are random, and no answer is right */
};

struct bootstrap {
	struct bootstrap *next; /* in the bucket of its RAND */
	char impi[IMPI_SIZE];
	uint8_t rand[AKA_RAND];
	struct secret *ks;
	bool gba_u; /* the card keeps it */
	uint64_t bootstrapped_at, expires_at; /* Unix seconds */
	struct uss *uss;
	size_t uss_count;
};

/* How many challenges an identity got in its minute; identities that share a slot share the limit. */
struct rate {
	uint64_t minute;
	unsigned count;
};

struct bsf {
	const char *fqdn;
	uint32_t lifetime_s;
	unsigned challenges_per_minute;
	struct rng *rng;
	struct pending *pendings[BUCKETS];
	struct queue waiting, decoys;
	struct bootstrap *bootstraps[BUCKETS];
	size_t count;
	struct rate rates[RATE_SLOTS];
};

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

/* RANDs are random already. */
static size_t bucket_of(const uint8_t rand[static AKA_RAND])
{
	return ((size_t)rand[0] << 8 | rand[1]) % BUCKETS;
}

/* ---- challenges ---- */

static void pending_drop(struct pending *p)
{
	struct queue *q = p->queue;

	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	*(p->older ? &p->older->newer : &q->oldest) = p->newer;
	*(p->newer ? &p->newer->older : &q->newest) = p->older;
	q->count--;
	aka_vector_clear(&p->vector);
	free(p->uss);
	free(p);
}

static void queue_expire(struct queue *q, uint64_t now_ms)
{
	while (q->oldest && (q->oldest->since_ms + BSF_PENDING_MS <= now_ms || q->count > q->most))
		pending_drop(q->oldest);
}

static void pendings_expire(struct bsf *b, uint64_t now_ms)
{
	queue_expire(&b->waiting, now_ms);
	queue_expire(&b->decoys, now_ms);
}

/* g NULL: a decoy. */
static struct pending *pending_add(struct bsf *b, uint64_t now_ms, const struct bsf_ask *ask, struct aka_vector *v, const struct guss *g)
{
	struct pending *p = calloc(1, sizeof *p), **bucket = &b->pendings[bucket_of(v->rand)];
	struct queue *q = g ? &b->waiting : &b->decoys;

	if (!p || (g && !(p->uss = calloc(g->count + 1, sizeof *p->uss)))) {
		free(p);
		return NULL;
	}
	if (g) {
		memcpy(p->uss, g->uss, g->count * sizeof *p->uss);
		p->uss_count = g->count;
		p->lifetime_s = g->lifetime_s;
		p->gba_u = g->gba_u;
	}
	p->decoy = g == NULL;
	memcpy(p->impi, ask->impi, sizeof p->impi);
	p->since_ms = now_ms;
	p->vector = *v;
	p->link = bucket;
	p->next = *bucket;
	if (p->next)
		p->next->link = &p->next;
	*bucket = p;
	p->queue = q;
	p->older = q->newest;
	*(q->newest ? &q->newest->newer : &q->oldest) = p;
	q->newest = p;
	q->count++;
	pendings_expire(b, now_ms);
	return p;
}

/* The challenge that this nonce is. */
static struct pending *pending_find(struct bsf *b, uint64_t now_ms, const struct digest_credentials *c)
{
	uint8_t octets[AKA_RAND + AKA_AUTN];
	struct wr w = wr_of(octets, sizeof octets);
	struct rd done;
	struct pending *p = NULL;

	pendings_expire(b, now_ms);
	if (!base64_parse(rd_str(c->nonce), &w) || !wr_done(&w, &done) || done.left != sizeof octets)
		return NULL;
	for (p = b->pendings[bucket_of(octets)]; p; p = p->next)
		if (memcmp(p->vector.rand, octets, AKA_RAND) == 0 && memcmp(p->vector.autn, octets + AKA_RAND, AKA_AUTN) == 0)
			break;
	return p;
}

/* ---- keys ---- */

static void bootstrap_free(struct bootstrap *s)
{
	if (!s)
		return;
	secret_free(s->ks);
	free(s->uss);
	free(s);
}

/* Drops the keys of impi (or of nobody when NULL) and those that have ended; the soonest of the others as well when there are too many. */
static void bootstraps_sweep(struct bsf *b, uint64_t now_s, const char *impi)
{
	struct bootstrap **soonest = NULL, *gone;

	for (size_t i = 0; i < BUCKETS; i++) {
		struct bootstrap **at = &b->bootstraps[i];

		while (*at) {
			if ((*at)->expires_at <= now_s || (impi && strcmp((*at)->impi, impi) == 0)) {
				gone = *at;
				*at = gone->next;
				bootstrap_free(gone);
				b->count--;
				continue;
			}
			if (!soonest || (*at)->expires_at < (*soonest)->expires_at)
				soonest = at;
			at = &(*at)->next;
		}
	}
	if (b->count >= BSF_BOOTSTRAPS_MAX && soonest) {
		gone = *soonest;
		*soonest = gone->next;
		bootstrap_free(gone);
		b->count--;
	}
}

void bsf_forget(struct bsf *b, const char *impi)
{
	struct pending *p = b->waiting.oldest, *newer;

	bootstraps_sweep(b, 0, impi);
	for (; p; p = newer) {
		newer = p->newer;
		if (strcmp(p->impi, impi) == 0)
			pending_drop(p);
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
		pending_drop(b->waiting.oldest);
	while (b->decoys.oldest)
		pending_drop(b->decoys.oldest);
	bootstraps_sweep(b, UINT64_MAX, NULL);
	free(b);
}

static struct bootstrap *bootstrap_find(struct bsf *b, const uint8_t rand[static AKA_RAND])
{
	struct bootstrap *s = b->bootstraps[bucket_of(rand)];

	while (s && memcmp(s->rand, rand, AKA_RAND) != 0)
		s = s->next;
	return s;
}

/* Takes the settings over from the challenge. */
static enum err bootstrap_add(struct bsf *b, uint64_t now_s, struct pending *p, struct bootstrap **out)
{
	uint32_t lifetime_s = p->lifetime_s && p->lifetime_s < b->lifetime_s ? p->lifetime_s : b->lifetime_s;
	struct bootstrap *s = calloc(1, sizeof *s), **bucket = &b->bootstraps[bucket_of(p->vector.rand)];

	if (!s || !(s->ks = gba_ks(p->vector.ck, p->vector.ik))) {
		bootstrap_free(s);
		return ERR_NO_MEMORY;
	}
	bootstraps_sweep(b, now_s, p->impi);
	memcpy(s->impi, p->impi, sizeof s->impi);
	memcpy(s->rand, p->vector.rand, AKA_RAND);
	s->uss = p->uss;
	s->uss_count = p->uss_count;
	p->uss = NULL;
	p->uss_count = 0;
	s->gba_u = p->gba_u;
	s->bootstrapped_at = now_s;
	s->expires_at = now_s + lifetime_s;
	s->next = *bucket;
	*bucket = s;
	b->count++;
	*out = s;
	return OK;
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

	if (!btid_print(info.btid, p->vector.rand, b->fqdn) || bootstrap_add(b, now_ms / 1000, p, &s) != OK)
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
	p = pending_find(b, now_ms, &c);
	if (!p || strcmp(p->impi, c.username) != 0) { /* somebody else's stays: he may still answer it */
		a->reason = "nonce is not one that waits: used, too old, or made up";
		return ask_vector(b, now_ms, c.username, ask, a);
	}
	step = answered(b, now_ms, rq, &c, p, ask, a);
	pending_drop(p);
	return step;
}

static void challenge(struct bsf *b, uint64_t now_ms, const struct bsf_ask *ask, struct aka_vector *v, const struct guss *g, struct bsf_answer *a)
{
	struct pending *p = pending_add(b, now_ms, ask, v, g);
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
	s = bootstrap_find(b, rand);
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
