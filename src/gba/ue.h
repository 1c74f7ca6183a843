/* The UE's side of bootstrapping (TS 33.220 clause 4.5.2): three messages with the BSF, then keys for NAFs. Pure; the shell carries HTTP over TLS, whose
 * server certificate must be the BSF's.
 *
 *	ue_begin(u, "/", authorization)                       GET / with it: 401
 *	ue_challenged(u, "GET", "/", www_authenticate, ...)   save the USIM, then GET / with the new one
 *	    another 401 after a synchronisation failure: ue_challenged again
 *	ue_finish(u, authentication_info, body, now)          200
 *	ue_naf_key(u, KS_NAF, "mef.keyway.example", ua, &key) */
#ifndef KEYWAY_GBA_UE_H
#define KEYWAY_GBA_UE_H

#include "gba/bootstrapping_info.h"
#include "gba/digest_aka.h"

#define UE_ROUNDS_MAX 3 /* challenges in one bootstrapping: one, one more after a synchronisation failure, and a spare */

struct ue {
	struct usim *usim;       /* borrowed */
	char bsf[NAF_FQDN_SIZE]; /* whose certificate the shell checks; its realm, and the end of the B-TID, must agree */
	unsigned rounds;
	bool resynchronises; /* the last answer was AUTS */
	struct digest_credentials credentials;
	struct secret *res, *ks;
	uint8_t rand[AKA_RAND];
	struct bootstrapping_info info; /* when finished */
	bool finished;
};
/* bsf is its FQDN. ERR_BAD_VALUE. */
enum err ue_init(struct ue *u, struct usim *usim, const char *bsf) MUST_CHECK;
void ue_clear(struct ue *u);

/* Writes the Authorization of the first request. */
void ue_begin(struct ue *u, const char *uri, struct wr *authorization);
/* challenge: WWW-Authenticate of a 401. u->usim may have changed: to be saved before the answer leaves. ERR_BAD_MIC: the network is not ours;
 * ERR_NOT_PERMITTED: another realm; ERR_STATE: refused after an answer with RES, or too often (the USIM has another key than the HSS);
 * of digest_challenge_parse. */
enum err ue_challenged(struct ue *u, struct rng *rng, const char *method, const char *uri, struct rd body, struct rd challenge, struct wr *authorization) MUST_CHECK;
/* info: Authentication-Info of the 200. ERR_BAD_MIC: the server did not know RES. ERR_NOT_PERMITTED: the B-TID is not of this challenge and BSF. */
enum err ue_finish(struct ue *u, struct rd info, struct rd body, uint64_t now_s) MUST_CHECK;
/* KS_NAF with an ordinary card; KS_EXT_NAF and KS_INT_NAF with one of GBA_U, the latter only what runs in the card can have. ERR_STATE: not bootstrapped;
 * ERR_TIMEOUT: it has ended; ERR_UNSUPPORTED, ERR_NOT_PERMITTED: the card is of the other kind. */
enum err ue_naf_key(const struct ue *u, uint64_t now_s, enum naf_key kind, const char *naf, const uint8_t ua[static UA_ID], struct secret **key) MUST_CHECK;

#endif
