/* Sequence numbers of AKA. */
#include "gba/sqn.h"

uint64_t sqn_highest(const struct sqn_window *w)
{
	unsigned best = 0;

	for (unsigned i = 1; i < SQN_SLOTS; i++)
		if (w->seq[i] > w->seq[best])
			best = i;
	return w->seq[best] << SQN_IND_BITS | best;
}

bool sqn_fresh(const struct sqn_window *w, uint64_t sqn)
{
	uint64_t seq = sqn_seq(sqn), highest = sqn_seq(sqn_highest(w));

	return seq <= SQN_SEQ_MAX && (seq <= highest || seq - highest <= SQN_DELTA) && seq > w->seq[sqn_ind(sqn)];
}

void sqn_accept(struct sqn_window *w, uint64_t sqn)
{
	w->seq[sqn_ind(sqn)] = sqn_seq(sqn);
}

enum err sqn_next(uint64_t last, uint64_t *next)
{
	if (sqn_seq(last) >= SQN_SEQ_MAX)
		return ERR_COUNTER_EXHAUSTED;
	*next = (sqn_seq(last) + 1) << SQN_IND_BITS | ((sqn_ind(last) + 1) & (SQN_SLOTS - 1));
	return OK;
}

uint64_t sqn_resynchronised(uint64_t last, uint64_t sqn_ms)
{
	uint64_t next = sqn_seq(last) + 1, at_usim = sqn_seq(sqn_ms);

	return next > at_usim && next - at_usim <= SQN_DELTA ? last : sqn_ms;
}
