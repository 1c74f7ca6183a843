/* The authentication centre of a home network: vectors for AKA (TS 33.102 clause 6.3.2), triplets for SIM, resynchronisation (6.3.5). Pure: the
 * caller makes what changed in the subscriber durable before a vector leaves, lest a restart gives a sequence number out twice.
 *
 *	if ((e = auc_vector(&s, rng, &v)) == OK && (e = store(&s)) == OK)
 *		answer(&v);
 *	aka_vector_clear(&v); */
#ifndef KEYWAY_GBA_AUC_H
#define KEYWAY_GBA_AUC_H

#include "base/err.h"
#include "base/rng.h"
#include "keys/secret.h"

#define AKA_RAND 16
#define AKA_AUTN 16               /* SQN ^ AK (6) | AMF (2) | MAC-A (8) */
#define AKA_AUTS 14               /* SQN_MS ^ AK* (6) | MAC-S (8) */
#define AKA_AMF_SEPARATION 0x8000 /* TS 33.102 Annex H: EAP-AKA' demands this bit, GBA over other accesses does not mind it */
#define AUC_RECENT 4              /* challenges that a subscriber may still answer with AUTS */

struct auc_subscriber {
	struct secret *k, *opc; /* 16 octets each; owned */
	uint16_t amf;
	uint64_t sqn; /* the last one given out */
	uint8_t recent[AUC_RECENT][AKA_RAND];
	uint32_t turn; /* which of recent is next */
};
void auc_subscriber_clear(struct auc_subscriber *s);

struct aka_vector {
	uint8_t rand[AKA_RAND], autn[AKA_AUTN];
	struct secret *res, *ck, *ik;
};
struct sim_triplet {
	uint8_t rand[AKA_RAND];
	struct secret *sres, *kc;
};
void aka_vector_clear(struct aka_vector *v); /* also of zeros */
void sim_triplet_clear(struct sim_triplet *t);

/* ERR_COUNTER_EXHAUSTED, ERR_NO_MEMORY: nothing has changed. */
enum err auc_vector(struct auc_subscriber *s, struct rng *rng, struct aka_vector *v) MUST_CHECK;
/* Needs no sequence number: a SIM does not know any. */
enum err auc_triplet(const struct auc_subscriber *s, struct rng *rng, struct sim_triplet *t) MUST_CHECK;
/* ERR_UNKNOWN_KEY: rand is none of the last AUC_RECENT that this subscriber got (an AUTS that nobody asked for, or an old one). ERR_BAD_MIC: the
 * USIM has another key, or somebody made it up. OK: s->sqn is such that the next vector is taken. */
enum err auc_resynchronise(struct auc_subscriber *s, const uint8_t rand[static AKA_RAND], const uint8_t auts[static AKA_AUTS]) MUST_CHECK;

#endif
