/* The UE's side of bootstrapping. */
#include "gba/ue.h"

#include <string.h>

#include "base/bytes.h"

#define CNONCE 16

enum err ue_init(struct ue *u, struct usim *usim, const char *bsf)
{
	memset(u, 0, sizeof *u);
	u->usim = usim;
	return fqdn_normalise(rd_str(bsf), u->bsf) ? OK : ERR_BAD_VALUE;
}

static void keys_drop(struct ue *u)
{
	secret_free(u->res);
	secret_free(u->ks);
	u->res = u->ks = NULL;
}

void ue_clear(struct ue *u)
{
	keys_drop(u);
	memset(u, 0, sizeof *u);
}

/* The fields that each request has. */
static void credentials_start(struct ue *u, const char *uri)
{
	struct digest_credentials *c = &u->credentials;

	memset(c, 0, sizeof *c);
	memcpy(c->username, u->usim->impi, sizeof c->username);
	memcpy(c->realm, u->bsf, sizeof u->bsf);
	if (!rd_text(rd_str(uri), c->uri, sizeof c->uri))
		c->uri[0] = '\0';
}

void ue_begin(struct ue *u, const char *uri, struct wr *authorization)
{
	keys_drop(u);
	u->rounds = 0;
	u->finished = u->resynchronises = false;
	credentials_start(u, uri);
	digest_credentials_print(authorization, &u->credentials);
}

static enum err take_answer(struct ue *u, struct usim_answer *a)
{
	struct digest_credentials *c = &u->credentials;

	switch (a->verdict) {
	case USIM_MAC_FAILURE:
		return ERR_BAD_MIC;
	case USIM_SYNC_FAILURE:
		u->resynchronises = c->resync = true;
		memcpy(c->auts, a->auts, sizeof c->auts);
		return OK;
	case USIM_ACCEPTED:
		u->resynchronises = false;
		u->res = a->res;
		a->res = NULL;
		if (u->usim->gba_u) /* the card keeps Ks */
			return OK;
		u->ks = gba_ks(a->ck, a->ik);
		return u->ks ? OK : ERR_NO_MEMORY;
	}
	return ERR_INTERNAL;
}

enum err ue_challenged(struct ue *u, struct rng *rng, const char *method, const char *uri, struct rd body, struct rd challenge, struct wr *authorization)
{
	struct digest_credentials *c = &u->credentials;
	struct digest_challenge ch;
	struct usim_answer a;
	uint8_t cnonce[CNONCE];
	char realm[NAF_FQDN_SIZE];
	enum err e = digest_challenge_parse(challenge, &ch);

	if (e != OK)
		return e;
	if (!ch.auth_int)
		return ERR_UNSUPPORTED;
	if (!fqdn_normalise(rd_str(ch.realm), realm) || strcmp(realm, u->bsf) != 0)
		return ERR_NOT_PERMITTED;
	if (u->res || u->finished || ++u->rounds > UE_ROUNDS_MAX)
		return ERR_STATE;
	credentials_start(u, uri);
	if (c->uri[0] == '\0')
		return ERR_TOO_LONG;
	memcpy(c->realm, ch.realm, sizeof c->realm);
	memcpy(c->nonce, ch.nonce, sizeof c->nonce);
	memcpy(c->opaque, ch.opaque, sizeof c->opaque);
	memcpy(c->nc, "00000001", sizeof c->nc);
	c->auth_int = true;
	rng_fill(rng, cnonce, sizeof cnonce);
	hex_print(c->cnonce, cnonce, sizeof cnonce);
	memcpy(u->rand, ch.rand, sizeof u->rand);
	e = u->usim->gba_u ? usim_bootstrap(u->usim, ch.rand, ch.autn, &a) : usim_authenticate(u->usim, ch.rand, ch.autn, &a);
	if (e != OK)
		return e;
	e = take_answer(u, &a);
	usim_answer_clear(&a);
	if (e != OK) {
		keys_drop(u);
		return e;
	}
	digest_credentials_sign(c, rd_str(method), body, u->resynchronises ? NULL : u->res, c->response);
	digest_credentials_print(authorization, c);
	return OK;
}

enum err ue_finish(struct ue *u, struct rd info, struct rd body, uint64_t now_s)
{
	char expected[HTTP_DIGEST_SIZE], bsf[NAF_FQDN_SIZE];
	struct bootstrapping_info said;
	struct digest_info proof;
	uint8_t rand[AKA_RAND];
	enum err e;

	if (!u->res || u->finished)
		return ERR_STATE;
	e = digest_info_parse(info, &proof);
	if (e != OK)
		return e;
	digest_info_sign(&u->credentials, body, u->res, expected);
	if (!bytes_equal_ct(expected, proof.rspauth, HTTP_DIGEST_SIZE - 1) || !proof.auth_int || strcmp(proof.cnonce, u->credentials.cnonce) != 0 ||
	    strcmp(proof.nc, u->credentials.nc) != 0)
		return ERR_BAD_MIC;
	e = bootstrapping_info_parse(body, &said);
	if (e != OK)
		return e;
	if (!btid_parse(rd_str(said.btid), rand, bsf) || memcmp(rand, u->rand, AKA_RAND) != 0 || strcmp(bsf, u->bsf) != 0)
		return ERR_NOT_PERMITTED;
	if (said.expires_at <= now_s)
		return ERR_TIMEOUT;
	secret_free(u->res); /* used once */
	u->res = NULL;
	u->info = said;
	u->finished = true;
	return OK;
}

enum err ue_naf_key(const struct ue *u, uint64_t now_s, enum naf_key kind, const char *naf, const uint8_t ua[static UA_ID], struct secret **key)
{
	char fqdn[NAF_FQDN_SIZE];

	if (!u->finished)
		return ERR_STATE;
	if (u->info.expires_at <= now_s)
		return ERR_TIMEOUT;
	if (!fqdn_normalise(rd_str(naf), fqdn))
		return ERR_BAD_VALUE;
	if (u->usim->gba_u)
		return usim_naf_key(u->usim, kind, fqdn, ua, key);
	return kind == KS_NAF ? gba_naf_key(kind, u->ks, u->rand, u->usim->impi, fqdn, ua, key) : ERR_UNSUPPORTED;
}
