/* Network layer commands, clause 3.4. */
#include "zigbee/nwk_route.h"

#define LEAVE_REJOIN 0x20
#define LEAVE_REQUEST 0x40
#define LEAVE_REMOVE_CHILDREN 0x80
#define LINK_COUNT 0x1f
#define LINK_FIRST 0x20
#define LINK_LAST 0x40
#define TIMEOUT_MAX 14

static bool link_status_read(struct rd *in, struct nwk_command *c)
{
	uint8_t options, cost;

	if (!rd_u8(in, &options))
		return false;
	c->link_status.first = options & LINK_FIRST;
	c->link_status.last = options & LINK_LAST;
	c->link_status.count = options & LINK_COUNT;
	for (size_t i = 0; i < c->link_status.count; i++) {
		struct nwk_link *l = &c->link_status.links[i];

		if (!rd_le16(in, &l->address) || !rd_u8(in, &cost))
			return false;
		l->incoming_cost = cost & 7;
		l->outgoing_cost = cost >> 4 & 7;
	}
	return true;
}

static bool fields_read(struct rd *in, struct nwk_command *c)
{
	uint8_t options;

	switch (c->id) {
	case NWK_LEAVE:
		if (!rd_u8(in, &options))
			return false;
		c->leave.rejoin = options & LEAVE_REJOIN;
		c->leave.request = options & LEAVE_REQUEST;
		c->leave.remove_children = options & LEAVE_REMOVE_CHILDREN;
		return true;
	case NWK_REJOIN_REQUEST:
		return rd_u8(in, &c->rejoin_request.capability);
	case NWK_REJOIN_RESPONSE:
		return rd_le16(in, &c->rejoin_response.short_address) && rd_u8(in, &c->rejoin_response.status);
	case NWK_LINK_STATUS:
		return link_status_read(in, c);
	case NWK_NETWORK_STATUS:
		return rd_u8(in, &c->network_status.status) && rd_le16(in, &c->network_status.destination);
	case NWK_END_DEVICE_TIMEOUT_REQUEST:
		return rd_u8(in, &c->timeout_request.timeout) && rd_u8(in, &c->timeout_request.configuration);
	case NWK_END_DEVICE_TIMEOUT_RESPONSE:
		return rd_u8(in, &c->timeout_response.status) && rd_u8(in, &c->timeout_response.parent_information);
	case NWK_ROUTE_REQUEST:
		return nwk_route_request_read(in, c);
	case NWK_ROUTE_REPLY:
		return nwk_route_reply_read(in, c);
	case NWK_ROUTE_RECORD:
		return nwk_route_record_read(in, c);
	case NWK_NETWORK_REPORT:
	case NWK_NETWORK_UPDATE:
		c->other = rd_rest(in);
		return true;
	}
	return false;
}

enum err nwk_command_decode(struct rd in, struct nwk_command *c)
{
	const struct nwk_command empty = {.id = NWK_LEAVE};
	uint8_t id;

	*c = empty;
	if (!rd_u8(&in, &id))
		return ERR_SHORT;
	if (id < NWK_ROUTE_REQUEST || id > NWK_END_DEVICE_TIMEOUT_RESPONSE)
		return ERR_UNSUPPORTED;
	c->id = (enum nwk_command_id)id;
	if (!fields_read(&in, c))
		return ERR_SHORT;
	return rd_end(&in) ? OK : ERR_MALFORMED;
}

static enum err link_status_write(const struct nwk_command *c, struct wr *w)
{
	if (c->link_status.count > NWK_LINKS_MAX)
		return ERR_BAD_VALUE;
	wr_u8(w, (uint8_t)(c->link_status.count | (c->link_status.first ? LINK_FIRST : 0) | (c->link_status.last ? LINK_LAST : 0)));
	for (size_t i = 0; i < c->link_status.count; i++) {
		wr_le16(w, c->link_status.links[i].address);
		wr_u8(w, (uint8_t)((c->link_status.links[i].incoming_cost & 7) | (c->link_status.links[i].outgoing_cost & 7) << 4));
	}
	return OK;
}

enum err nwk_command_encode(const struct nwk_command *c, struct wr *w)
{
	wr_u8(w, (uint8_t)c->id);
	switch (c->id) {
	case NWK_LEAVE:
		wr_u8(w, (uint8_t)((c->leave.rejoin ? LEAVE_REJOIN : 0) | (c->leave.request ? LEAVE_REQUEST : 0) | (c->leave.remove_children ? LEAVE_REMOVE_CHILDREN : 0)));
		break;
	case NWK_REJOIN_REQUEST:
		wr_u8(w, c->rejoin_request.capability);
		break;
	case NWK_REJOIN_RESPONSE:
		wr_le16(w, c->rejoin_response.short_address);
		wr_u8(w, c->rejoin_response.status);
		break;
	case NWK_LINK_STATUS:
		if (link_status_write(c, w) != OK)
			return ERR_BAD_VALUE;
		break;
	case NWK_NETWORK_STATUS:
		wr_u8(w, c->network_status.status);
		wr_le16(w, c->network_status.destination);
		break;
	case NWK_END_DEVICE_TIMEOUT_REQUEST:
		wr_u8(w, c->timeout_request.timeout);
		wr_u8(w, c->timeout_request.configuration);
		break;
	case NWK_END_DEVICE_TIMEOUT_RESPONSE:
		wr_u8(w, c->timeout_response.status);
		wr_u8(w, c->timeout_response.parent_information);
		break;
	case NWK_ROUTE_REQUEST:
		nwk_route_request_write(c, w);
		break;
	case NWK_ROUTE_REPLY:
		nwk_route_reply_write(c, w);
		break;
	case NWK_ROUTE_RECORD:
		nwk_route_record_write(c, w);
		break;
	case NWK_NETWORK_REPORT:
	case NWK_NETWORK_UPDATE:
		wr_rd(w, c->other);
		break;
	}
	return w->spoilt ? ERR_TOO_LONG : OK;
}

uint32_t nwk_timeout_seconds(uint8_t enumeration)
{
	if (enumeration > TIMEOUT_MAX)
		return 0;
	return enumeration == 0 ? 10 : 60U << enumeration;
}
