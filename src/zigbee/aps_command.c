/* APS commands, clause 4.4.10. */
#include "zigbee/aps_frame.h"

#define KEY_SIZE 16

static bool transport_key_read(struct rd *in, struct aps_command *c)
{
	uint8_t type, flag;

	if (!rd_u8(in, &type) || !rd_sub(in, KEY_SIZE, &c->transport_key.key_octets))
		return false;
	c->transport_key.type = (enum aps_key_type)type;
	switch (c->transport_key.type) {
	case APS_KEY_STANDARD_NETWORK:
		return rd_u8(in, &c->transport_key.sequence) && rd_le64(in, &c->transport_key.destination) && rd_le64(in, &c->transport_key.source);
	case APS_KEY_TC_LINK:
		return rd_le64(in, &c->transport_key.destination) && rd_le64(in, &c->transport_key.source);
	case APS_KEY_APPLICATION_LINK:
		if (!rd_le64(in, &c->transport_key.partner) || !rd_u8(in, &flag))
			return false;
		c->transport_key.initiator = flag != 0;
		return true;
	}
	return false;
}

static bool fields_read(struct rd *in, struct aps_command *c)
{
	switch (c->id) {
	case APS_TRANSPORT_KEY:
		return transport_key_read(in, c);
	case APS_UPDATE_DEVICE:
		return rd_le64(in, &c->update_device.device) && rd_le16(in, &c->update_device.short_address) && rd_u8(in, &c->update_device.status);
	case APS_REMOVE_DEVICE:
		return rd_le64(in, &c->remove_device.target);
	case APS_REQUEST_KEY:
		return rd_u8(in, &c->request_key.type) && (c->request_key.type != APS_REQUEST_APPLICATION_LINK || rd_le64(in, &c->request_key.partner));
	case APS_SWITCH_KEY:
		return rd_u8(in, &c->switch_key.sequence);
	case APS_TUNNEL:
		if (!rd_le64(in, &c->tunnel.destination))
			return false;
		c->tunnel.frame = rd_rest(in);
		return true;
	case APS_VERIFY_KEY:
		return rd_u8(in, &c->verify_key.type) && rd_le64(in, &c->verify_key.source) && rd_copy(in, c->verify_key.hash, sizeof c->verify_key.hash);
	case APS_CONFIRM_KEY:
		return rd_u8(in, &c->confirm_key.status) && rd_u8(in, &c->confirm_key.type) && rd_le64(in, &c->confirm_key.destination);
	}
	return false;
}

static bool known(uint8_t id)
{
	return (id >= APS_TRANSPORT_KEY && id <= APS_SWITCH_KEY) || (id >= APS_TUNNEL && id <= APS_CONFIRM_KEY);
}

enum err aps_command_decode(struct rd in, struct aps_command *c)
{
	const struct aps_command empty = {.id = APS_SWITCH_KEY};
	uint8_t id;

	*c = empty;
	if (!rd_u8(&in, &id))
		return ERR_SHORT;
	if (!known(id))
		return ERR_UNSUPPORTED;
	c->id = (enum aps_command_id)id;
	if (!fields_read(&in, c))
		return ERR_SHORT;
	return rd_end(&in) ? OK : ERR_MALFORMED;
}

static void transport_key_write(const struct aps_command *c, struct wr *w)
{
	wr_u8(w, (uint8_t)c->transport_key.type);
	if (c->transport_key.key)
		wr_copy(w, c->transport_key.key, KEY_SIZE);
	else
		wr_rd(w, c->transport_key.key_octets);
	switch (c->transport_key.type) {
	case APS_KEY_STANDARD_NETWORK:
		wr_u8(w, c->transport_key.sequence);
		wr_le64(w, c->transport_key.destination);
		wr_le64(w, c->transport_key.source);
		break;
	case APS_KEY_TC_LINK:
		wr_le64(w, c->transport_key.destination);
		wr_le64(w, c->transport_key.source);
		break;
	case APS_KEY_APPLICATION_LINK:
		wr_le64(w, c->transport_key.partner);
		wr_u8(w, c->transport_key.initiator);
		break;
	}
}

enum err aps_command_encode(const struct aps_command *c, struct wr *w)
{
	wr_u8(w, (uint8_t)c->id);
	switch (c->id) {
	case APS_TRANSPORT_KEY:
		transport_key_write(c, w);
		break;
	case APS_UPDATE_DEVICE:
		wr_le64(w, c->update_device.device);
		wr_le16(w, c->update_device.short_address);
		wr_u8(w, c->update_device.status);
		break;
	case APS_REMOVE_DEVICE:
		wr_le64(w, c->remove_device.target);
		break;
	case APS_REQUEST_KEY:
		wr_u8(w, c->request_key.type);
		if (c->request_key.type == APS_REQUEST_APPLICATION_LINK)
			wr_le64(w, c->request_key.partner);
		break;
	case APS_SWITCH_KEY:
		wr_u8(w, c->switch_key.sequence);
		break;
	case APS_TUNNEL:
		wr_le64(w, c->tunnel.destination);
		wr_rd(w, c->tunnel.frame);
		break;
	case APS_VERIFY_KEY:
		wr_u8(w, c->verify_key.type);
		wr_le64(w, c->verify_key.source);
		wr_copy(w, c->verify_key.hash, sizeof c->verify_key.hash);
		break;
	case APS_CONFIRM_KEY:
		wr_u8(w, c->confirm_key.status);
		wr_u8(w, c->confirm_key.type);
		wr_le64(w, c->confirm_key.destination);
		break;
	}
	return w->spoilt ? ERR_TOO_LONG : OK;
}
