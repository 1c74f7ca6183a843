/* A NWK frame opens only if it was sealed. Input: position(2, le) turn(1) counter(4, le) then a NWK frame in clear. The frame is sealed, and
 * must open to what it was; with the octet at `position` turned it must not, and neither may any shorter frame, nor the input itself, for
 * nobody but this target has the key. */
#include <string.h>

#include "zigbee/security/nwk_security.h"
#include "../fuzz.h"

#define SOURCE 0x00124b0001020304
#define LEVEL 0x07

static enum err open_octets(const struct secret *key, struct rd octets, struct aux_header *aux, uint8_t plain[static NWK_FRAME_MAX], struct rd *payload)
{
	struct nwk_frame f;
	enum err e = nwk_frame_decode(octets, &f);

	return e == OK ? nwk_open(key, &f, aux, plain, payload) : e;
}

/* The level on air is not authenticated by itself: 0 and 5 mean the same frame, clause 4.3.1. */
static bool is_the_other_level(const struct nwk_frame *f, size_t position, uint8_t before, uint8_t after)
{
	return position == f->header.left && ((before ^ after) & ~LEVEL) == 0 && (after & LEVEL) == 5;
}

static void turned(const struct secret *key, struct rd sealed, size_t position, uint8_t turn)
{
	uint8_t octets[FUZZ_INPUT_MAX], plain[NWK_FRAME_MAX];
	struct aux_header aux;
	struct nwk_frame f;
	struct rd payload;

	memcpy(octets, sealed.at, sealed.left);
	octets[position] ^= turn;
	MUST(nwk_frame_decode(sealed, &f) == OK);
	if (open_octets(key, rd_of(octets, sealed.left), &aux, plain, &payload) == OK)
		MUST(turn == 0 || is_the_other_level(&f, position, sealed.at[position], octets[position]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct secret *key;
	uint8_t buffer[NWK_FRAME_MAX], plain[NWK_FRAME_MAX], key_octets[SECRET_AES128] = "no frame has it";
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd in = rd_of(data, size), payload, sealed;
	struct aux_header aux;
	struct nwk_frame f;
	uint16_t position;
	uint32_t counter;
	uint8_t turn;

	if (!key)
		key = secret_take(key_octets, sizeof key_octets);
	MUST(key);
	if (!rd_le16(&in, &position) || !rd_u8(&in, &turn) || !rd_le32(&in, &counter))
		return 0;
	MUST(open_octets(key, in, &aux, plain, &payload) != OK);
	/* what is longer than a MAC frame carries is for no one */
	if (nwk_frame_decode(in, &f) != OK || nwk_seal(key, turn, SOURCE, counter, &f, &w) != OK)
		return 0;
	MUST(wr_done(&w, &sealed));
	MUST(open_octets(key, sealed, &aux, plain, &payload) == OK && rd_equal(payload, f.payload));
	MUST(aux.frame_counter == counter && aux.source == SOURCE && aux.key_sequence == turn && aux.key_id == AUX_KEY_NETWORK);
	turned(key, sealed, position % sealed.left, turn);
	for (size_t n = 0; n < sealed.left; n++)
		MUST(open_octets(key, rd_of(sealed.at, n), &aux, plain, &payload) != OK);
	return 0;
}
