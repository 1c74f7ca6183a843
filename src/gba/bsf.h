/* The bootstrapping server function: TS 33.220 clause 4.5.2 towards the UE (Ub), 4.5.3 towards the NAF (Zn). Pure: the shell brings HTTP requests and
 * the HSS's answers, with the time. In oneM2M's words (TS-0003 clause 8.3.2.3) this is the MEF: Ks is Ke, the B-TID is KeID.
 *
 *	step = bsf_input(b, now, &request, &ask, &answer);
 *	if (step == BSF_ASK)      the HSS gets ask; then bsf_vector(b, now, &ask, vector or NULL, &guss, &answer)
 *	then answer is to be sent
 *
 * What a client can do at will costs bounded memory: BSF_PENDING_MAX challenges that wait, the oldest goes; BSF_BOOTSTRAPS_MAX keys, the one that
 * ends first goes; one key a subscriber, the last. A challenge is answered once, whatever the answer is worth.
 *
 * Anybody may name an identity, and is to learn nothing of whether it exists: one that does not is challenged too, by random octets of the same form, is
 * rated, waits and ends alike, and every answer to it is as wrong as a wrong one. */
#ifndef KEYWAY_GBA_BSF_H
#define KEYWAY_GBA_BSF_H

#include "gba/bootstrapping_info.h"
#include "gba/digest_aka.h"
#include "gba/guss.h"

#define BSF_PENDING_MAX 4096
#define BSF_PENDING_MS 60000 /* for a UE to answer a challenge */
#define BSF_BOOTSTRAPS_MAX 65536
#define BSF_LIFETIME_S 86400           /* of Ks, unless configured */
#define BSF_LIFETIME_MAX_S 604800U /* whatever is configured or subscribed */
#define BSF_CHALLENGES_PER_MINUTE 20   /* for one identity, unless configured: each takes a sequence number, and anybody may name it */

struct bsf;
struct bsf_config {
	const char *fqdn;               /* borrowed; behind the '@' of each B-TID, and the realm */
	uint32_t lifetime_s;            /* 0: BSF_LIFETIME_S */
	unsigned challenges_per_minute; /* 0: BSF_CHALLENGES_PER_MINUTE */
	struct rng *rng;                /* borrowed; for challenges to identities that do not exist */
};
struct bsf *bsf_new(const struct bsf_config *c); /* NULL without memory */
void bsf_free(struct bsf *b);

struct bsf_request {
	const char *method, *path;
	const char *authorization; /* NULL: none */
	struct rd body;
};
/* What the HSS is to be asked: a vector for impi; after a synchronisation failure with the RAND and AUTS. */
struct bsf_ask {
	char impi[IMPI_SIZE];
	bool resync;
	uint8_t rand[AKA_RAND], auts[AKA_AUTS];
};
struct bsf_answer {
	unsigned status;    /* 200, 400, 401, 403, 429, 503 */
	const char *header; /* name of a header field, or NULL */
	char value[DIGEST_HEADER_MAX];
	char body[BOOTSTRAPPING_INFO_MAX]; /* of a 200; "" otherwise */
	const char *reason;                /* for the log */
	char impi[IMPI_SIZE];              /* whom it is about, as far as that is known; "" otherwise */
	char btid[BTID_SIZE];              /* of a 200 */
	uint64_t expires_at;
};
enum bsf_step { BSF_ANSWER,
	BSF_ASK };
/* Times are Unix milliseconds. */
enum bsf_step bsf_input(struct bsf *b, uint64_t now_ms, const struct bsf_request *rq, struct bsf_ask *ask, struct bsf_answer *a) MUST_CHECK;
/* The HSS's answer; e is OK, ERR_NOT_FOUND (no such subscriber: challenged all the same), ERR_BAD_MIC or ERR_UNKNOWN_KEY (of AUTS) or another. v is taken over. */
void bsf_vector(struct bsf *b, uint64_t now_ms, const struct bsf_ask *ask, enum err e, struct aka_vector *v, const struct guss *g, struct bsf_answer *a);

/* ---- Zn ---- */
struct naf_grant {
	struct secret *key;                   /* Ks_NAF; the caller's */
	uint64_t expires_at, bootstrapped_at; /* Unix seconds */
	char entity[USS_ENTITY];              /* from the USS */
};
/* naf: who asks, by its certificate, in lower case. ERR_NOT_FOUND: no such B-TID, or it has ended. ERR_NOT_PERMITTED: the GUSS does not name this
 * NAF. ERR_MALFORMED: no B-TID of this BSF. */
/* uicc: the client is inside the card, and the key Ks_int_NAF; ERR_NOT_PERMITTED when his card is none of GBA_U. */
enum err bsf_naf_key(struct bsf *b, uint64_t now_ms, const char *naf, struct rd btid, const uint8_t ua[static UA_ID], bool uicc, struct naf_grant *out) MUST_CHECK;
/* Ends every key of a subscriber: he was removed, or his card stolen. */
void bsf_forget(struct bsf *b, const char *impi);
size_t bsf_count(const struct bsf *b); /* bootstrapped subscribers */

#endif
