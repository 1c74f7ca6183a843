/* The Zigbee beacon payload. */
#include "zigbee/beacon.h"

#define ROUTER_CAPACITY 0x04
#define END_DEVICE_CAPACITY 0x80

enum err zigbee_beacon_decode(struct rd in, struct zigbee_beacon *b)
{
	uint8_t versions, capacity;

	if (!rd_u8(&in, &b->protocol_id) || !rd_u8(&in, &versions) || !rd_u8(&in, &capacity) || !rd_le64(&in, &b->extended_pan_id) ||
	    !rd_le24(&in, &b->tx_offset) || !rd_u8(&in, &b->update_id))
		return ERR_SHORT;
	if (b->protocol_id != 0 || (capacity & 3))
		return ERR_MALFORMED;
	b->stack_profile = versions & 15;
	b->protocol_version = versions >> 4;
	b->router_capacity = capacity & ROUTER_CAPACITY;
	b->depth = capacity >> 3 & 15;
	b->end_device_capacity = capacity & END_DEVICE_CAPACITY;
	return rd_end(&in) ? OK : ERR_MALFORMED;
}

enum err zigbee_beacon_encode(const struct zigbee_beacon *b, struct wr *w)
{
	if (b->stack_profile > 15 || b->protocol_version > 15 || b->depth > 15 || b->tx_offset > 0xffffff)
		return ERR_BAD_VALUE;
	wr_u8(w, b->protocol_id);
	wr_u8(w, (uint8_t)(b->stack_profile | b->protocol_version << 4));
	wr_u8(w, (uint8_t)((b->router_capacity ? ROUTER_CAPACITY : 0) | b->depth << 3 | (b->end_device_capacity ? END_DEVICE_CAPACITY : 0)));
	wr_le64(w, b->extended_pan_id);
	wr_le24(w, b->tx_offset);
	wr_u8(w, b->update_id);
	return w->spoilt ? ERR_TOO_LONG : OK;
}
