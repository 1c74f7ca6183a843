/* Edits that an input makes in a genuine text: what a forger can do who has one. Each is three octets, a place and what is to be xored there. */
#ifndef KEYWAY_TESTS_FUZZ_EDITS_H
#define KEYWAY_TESTS_FUZZ_EDITS_H

#include "base/rd.h"
#include "base/wr.h"
#include "fuzz.h"

/* False: what came out is the text itself. */
static inline bool edits_apply(struct rd edits, uint8_t *text, size_t len)
{
	uint8_t *before = malloc(len + 1);
	uint16_t place;
	uint8_t bits;
	bool changed = false;

	MUST(before);
	for (size_t i = 0; i < len; i++)
		before[i] = text[i];
	while (len > 0 && rd_le16(&edits, &place) && rd_u8(&edits, &bits))
		text[place % len] ^= bits;
	for (size_t i = 0; i < len; i++)
		changed = changed || before[i] != text[i];
	free(before);
	return changed;
}

#endif
