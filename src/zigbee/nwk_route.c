/* Commands of routing, clauses 3.4.1, 3.4.2 and 3.4.5. */
#include "zigbee/nwk_route.h"

#define REQUEST_MANY_SHIFT 3
#define REQUEST_MANY 0x18
#define REQUEST_DESTINATION 0x20
#define REPLY_ORIGINATOR 0x10
#define REPLY_RESPONDER 0x20
#define MULTICAST 0x40

/* options(1) id(1) destination(2) cost(1) [destination EUI-64(8)] */
bool nwk_route_request_read(struct rd *in, struct nwk_command *c)
{
	uint8_t options;

	if (!rd_u8(in, &options) || !rd_u8(in, &c->route_request.id) || !rd_le16(in, &c->route_request.destination) || !rd_u8(in, &c->route_request.cost))
		return false;
	if ((options & REQUEST_MANY) == REQUEST_MANY)
		return false; /* reserved */
	c->route_request.many = (enum nwk_many_to_one)((options & REQUEST_MANY) >> REQUEST_MANY_SHIFT);
	c->route_request.multicast = options & MULTICAST;
	c->route_request.has_destination_eui64 = options & REQUEST_DESTINATION;
	return !c->route_request.has_destination_eui64 || rd_le64(in, &c->route_request.destination_eui64);
}

void nwk_route_request_write(const struct nwk_command *c, struct wr *w)
{
	wr_u8(w, (uint8_t)((unsigned)c->route_request.many << REQUEST_MANY_SHIFT | (c->route_request.has_destination_eui64 ? REQUEST_DESTINATION : 0) |
	                   (c->route_request.multicast ? MULTICAST : 0)));
	wr_u8(w, c->route_request.id);
	wr_le16(w, c->route_request.destination);
	wr_u8(w, c->route_request.cost);
	if (c->route_request.has_destination_eui64)
		wr_le64(w, c->route_request.destination_eui64);
}

/* options(1) id(1) originator(2) responder(2) cost(1) [originator EUI-64(8)] [responder EUI-64(8)] */
bool nwk_route_reply_read(struct rd *in, struct nwk_command *c)
{
	uint8_t options;

	if (!rd_u8(in, &options) || !rd_u8(in, &c->route_reply.id) || !rd_le16(in, &c->route_reply.originator) ||
	    !rd_le16(in, &c->route_reply.responder) || !rd_u8(in, &c->route_reply.cost))
		return false;
	c->route_reply.multicast = options & MULTICAST;
	c->route_reply.has_originator_eui64 = options & REPLY_ORIGINATOR;
	c->route_reply.has_responder_eui64 = options & REPLY_RESPONDER;
	return (!c->route_reply.has_originator_eui64 || rd_le64(in, &c->route_reply.originator_eui64)) &&
	    (!c->route_reply.has_responder_eui64 || rd_le64(in, &c->route_reply.responder_eui64));
}

void nwk_route_reply_write(const struct nwk_command *c, struct wr *w)
{
	wr_u8(w, (uint8_t)((c->route_reply.has_originator_eui64 ? REPLY_ORIGINATOR : 0) | (c->route_reply.has_responder_eui64 ? REPLY_RESPONDER : 0) |
	                   (c->route_reply.multicast ? MULTICAST : 0)));
	wr_u8(w, c->route_reply.id);
	wr_le16(w, c->route_reply.originator);
	wr_le16(w, c->route_reply.responder);
	wr_u8(w, c->route_reply.cost);
	if (c->route_reply.has_originator_eui64)
		wr_le64(w, c->route_reply.originator_eui64);
	if (c->route_reply.has_responder_eui64)
		wr_le64(w, c->route_reply.responder_eui64);
}

/* count(1) relays(2 each), the one next to the sender first */
bool nwk_route_record_read(struct rd *in, struct nwk_command *c)
{
	if (!rd_u8(in, &c->route_record.count) || c->route_record.count > NWK_RELAYS_MAX)
		return false;
	for (size_t i = 0; i < c->route_record.count; i++)
		if (!rd_le16(in, &c->route_record.relays[i]))
			return false;
	return true;
}

void nwk_route_record_write(const struct nwk_command *c, struct wr *w)
{
	if (c->route_record.count > NWK_RELAYS_MAX) {
		w->spoilt = true;
		return;
	}
	wr_u8(w, c->route_record.count);
	for (size_t i = 0; i < c->route_record.count; i++)
		wr_le16(w, c->route_record.relays[i]);
}
