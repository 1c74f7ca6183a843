/* An APS frame opens only under the key that its identifier names, from the sender that sealed it, unturned. Input: position(2, le) turn(1)
 * choice(1) counter(4, le) then an APS frame in clear; choice: bits 0-1 the key, bit 2 the extended nonce. */
#include <string.h>

#include "zigbee/security/aps_security.h"
#include "../fuzz.h"

#define SENDER 0x00124b0001020304
#define LEVEL 0x07

static struct link_key_set set;

static enum err open_octets(struct rd octets, uint64_t sender, struct aux_header *aux, uint8_t plain[static NWK_FRAME_MAX], struct rd *payload)
{
	struct aps_frame f;
	enum err e = aps_frame_decode(octets, &f);

	return e == OK ? aps_open_set(&set, sender, &f, aux, plain, payload) : e;
}

static void turned(struct rd sealed, size_t position, uint8_t turn)
{
	uint8_t octets[FUZZ_INPUT_MAX], plain[NWK_FRAME_MAX];
	struct aux_header aux;
	struct aps_frame f;
	struct rd payload;

	memcpy(octets, sealed.at, sealed.left);
	octets[position] ^= turn;
	MUST(aps_frame_decode(sealed, &f) == OK);
	/* as in nwk_open: level 5 on air means the same as 0 */
	if (open_octets(rd_of(octets, sealed.left), SENDER, &aux, plain, &payload) == OK)
		MUST(turn == 0 || (position == f.header.left && (turn & ~LEVEL) == 0 && (octets[position] & LEVEL) == 5));
}

static void make_keys(void)
{
	uint8_t octets[SECRET_AES128] = "no frame has it";

	MUST(link_key_set_take(&set, secret_take(octets, sizeof octets)) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t buffer[NWK_FRAME_MAX], plain[NWK_FRAME_MAX], turn, choice;
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd in = rd_of(data, size), payload, sealed;
	struct aux_header aux;
	struct aps_frame f;
	uint16_t position;
	uint32_t counter;

	if (!set.link)
		make_keys();
	if (!rd_le16(&in, &position) || !rd_u8(&in, &turn) || !rd_u8(&in, &choice) || !rd_le32(&in, &counter))
		return 0;
	MUST(open_octets(in, SENDER, &aux, plain, &payload) != OK);
	if (aps_frame_decode(in, &f) != OK || (choice & 3) == AUX_KEY_NETWORK)
		return 0;
	if (aps_seal((choice & 3) == AUX_KEY_DATA ? set.link : (choice & 3) == AUX_KEY_TRANSPORT ? set.transport : set.load,
		(enum aux_key_id)(choice & 3), 0, choice & 4, SENDER, counter, &f, &w) != OK)
		return 0;
	MUST(wr_done(&w, &sealed));
	MUST(open_octets(sealed, SENDER, &aux, plain, &payload) == OK && rd_equal(payload, f.payload));
	MUST(aux.frame_counter == counter && aux.key_id == (enum aux_key_id)(choice & 3));
	/* the sender counts where the frame does not name it */
	MUST((open_octets(sealed, SENDER + 1, &aux, plain, &payload) == OK) == ((choice & 4) != 0));
	turned(sealed, position % sealed.left, turn);
	for (size_t n = 0; n < sealed.left; n++)
		MUST(open_octets(rd_of(sealed.at, n), SENDER, &aux, plain, &payload) != OK);
	return 0;
}
