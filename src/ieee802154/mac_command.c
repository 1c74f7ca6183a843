/* MAC commands and the MAC part of beacons, clauses 7.2.2.1 and 7.3. */
#include "ieee802154/mac_frame.h"

#define SUPERFRAME_ASSOCIATION_PERMIT 0x8000
#define SUPERFRAME_PAN_COORDINATOR 0x4000
#define GTS_SIZE 3
#define GTS_COUNT 0x07
#define PENDING_SHORT 0x07

enum err mac_command_decode(struct rd in, struct mac_command *c)
{
	const struct mac_command empty = {.id = MAC_BEACON_REQUEST};
	uint8_t id;

	*c = empty;
	if (!rd_u8(&in, &id))
		return ERR_SHORT;
	if (id < MAC_ASSOCIATION_REQUEST || id > MAC_COORDINATOR_REALIGNMENT)
		return ERR_UNSUPPORTED;
	c->id = (enum mac_command_id)id;
	switch (c->id) {
	case MAC_ASSOCIATION_REQUEST:
		if (!rd_u8(&in, &c->capability))
			return ERR_SHORT;
		break;
	case MAC_ASSOCIATION_RESPONSE:
		if (!rd_le16(&in, &c->association.short_address) || !rd_u8(&in, &c->association.status))
			return ERR_SHORT;
		break;
	case MAC_DISASSOCIATION:
		if (!rd_u8(&in, &c->reason))
			return ERR_SHORT;
		break;
	case MAC_COORDINATOR_REALIGNMENT:
		if (!rd_le16(&in, &c->realignment.pan_id) || !rd_le16(&in, &c->realignment.coordinator) || !rd_u8(&in, &c->realignment.channel) ||
		    !rd_le16(&in, &c->realignment.short_address))
			return ERR_SHORT;
		break;
	case MAC_DATA_REQUEST:
	case MAC_PAN_ID_CONFLICT:
	case MAC_ORPHAN:
	case MAC_BEACON_REQUEST:
		break;
	}
	return rd_end(&in) ? OK : ERR_MALFORMED;
}

enum err mac_command_encode(const struct mac_command *c, struct wr *w)
{
	wr_u8(w, (uint8_t)c->id);
	switch (c->id) {
	case MAC_ASSOCIATION_REQUEST:
		wr_u8(w, c->capability);
		break;
	case MAC_ASSOCIATION_RESPONSE:
		wr_le16(w, c->association.short_address);
		wr_u8(w, c->association.status);
		break;
	case MAC_DISASSOCIATION:
		wr_u8(w, c->reason);
		break;
	case MAC_COORDINATOR_REALIGNMENT:
		wr_le16(w, c->realignment.pan_id);
		wr_le16(w, c->realignment.coordinator);
		wr_u8(w, c->realignment.channel);
		wr_le16(w, c->realignment.short_address);
		break;
	case MAC_DATA_REQUEST:
	case MAC_PAN_ID_CONFLICT:
	case MAC_ORPHAN:
	case MAC_BEACON_REQUEST:
		break;
	}
	return w->spoilt ? ERR_TOO_LONG : OK;
}

enum err mac_beacon_decode(struct rd in, struct mac_beacon *b)
{
	uint8_t gts, directions, pending;

	if (!rd_le16(&in, &b->superframe) || !rd_u8(&in, &gts))
		return ERR_SHORT;
	if ((gts & GTS_COUNT) && (!rd_u8(&in, &directions) || !rd_skip(&in, (size_t)(gts & GTS_COUNT) * GTS_SIZE)))
		return ERR_SHORT;
	if (!rd_u8(&in, &pending) || !rd_skip(&in, (size_t)(pending & PENDING_SHORT) * 2 + (size_t)(pending >> 4 & 7) * 8))
		return ERR_SHORT;
	b->association_permit = b->superframe & SUPERFRAME_ASSOCIATION_PERMIT;
	b->pan_coordinator = b->superframe & SUPERFRAME_PAN_COORDINATOR;
	b->payload = rd_rest(&in);
	return OK;
}

enum err mac_beacon_encode(const struct mac_beacon *b, struct wr *w)
{
	unsigned superframe = b->superframe & (0xffffU ^ (SUPERFRAME_ASSOCIATION_PERMIT | SUPERFRAME_PAN_COORDINATOR));

	superframe |= (b->association_permit ? SUPERFRAME_ASSOCIATION_PERMIT : 0U) | (b->pan_coordinator ? SUPERFRAME_PAN_COORDINATOR : 0U);
	wr_le16(w, (uint16_t)superframe);
	wr_u8(w, 0);
	wr_u8(w, 0);
	wr_rd(w, b->payload);
	return w->spoilt ? ERR_TOO_LONG : OK;
}
