/* Sequence numbers of AKA: TS 33.102 Annex C. SQN = SEQ (43 bits) | IND (5 bits). The authentication centre counts SEQ and IND up with each
 * vector (C.1.1.1, C.1.2); the USIM keeps the highest SEQ for each IND, so that vectors that were fetched by one server and used late
 * are still good when another server was quicker (C.2.2). */
#ifndef KEYWAY_GBA_SQN_H
#define KEYWAY_GBA_SQN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define SQN_IND_BITS 5
#define SQN_SLOTS (1U << SQN_IND_BITS)
#define SQN_SEQ_MAX ((1ULL << 43) - 1)
#define SQN_MAX ((1ULL << 48) - 1)
#define SQN_DELTA (1ULL << 28) /* C.2.1: a jump farther than this would let one forged or wrong vector wear the USIM's counter out */

static inline uint64_t sqn_seq(uint64_t sqn)
{
	return sqn >> SQN_IND_BITS;
}
static inline unsigned sqn_ind(uint64_t sqn)
{
	return (unsigned)(sqn & (SQN_SLOTS - 1));
}

/* ---- USIM ---- */
struct sqn_window {
	uint64_t seq[SQN_SLOTS]; /* SEQ_MS(i) */
};
bool sqn_fresh(const struct sqn_window *w, uint64_t sqn) MUST_CHECK; /* to be asked only after the MAC was right */
void sqn_accept(struct sqn_window *w, uint64_t sqn);
uint64_t sqn_highest(const struct sqn_window *w); /* SQN_MS, for AUTS */

/* ---- authentication centre ---- */
/* The one after `last`, which begins at 0. ERR_COUNTER_EXHAUSTED: the USIM must be replaced. */
enum err sqn_next(uint64_t last, uint64_t *next) MUST_CHECK;
/* What `last` becomes once a USIM has proved that it stands at sqn_ms: unchanged when the USIM would take the next one anyway, so that an
 * old AUTS moves nothing (TS 33.102 clause 6.3.5). */
uint64_t sqn_resynchronised(uint64_t last, uint64_t sqn_ms);

#endif
