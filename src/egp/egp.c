/* EGP messages; the octet tables are in docs/protocols/egp.md. */
#include "egp/egp.h"

#include <stddef.h>

#define TLV_OPTIONAL 0x80
#define TLV_MAX 255

static const struct {
	enum egp_type type;
	const char *name;
} names[] = {
	{EGP_HELLO, "HELLO"}, {EGP_HELLO_ACK, "HELLO-ACK"}, {EGP_JOIN_POLICY, "JOIN-POLICY"}, {EGP_ACK, "ACK"}, {EGP_REQUEST, "EG-REQUEST"},
	{EGP_RESPONSE, "EG-RESPONSE"}, {EGP_ERROR, "EG-ERROR"}, {EGP_DEVICE_GONE, "DEVICE-GONE"}, {EGP_DEVICE_REMOVE, "DEVICE-REMOVE"},
	{EGP_PING, "PING"}, {EGP_PONG, "PONG"}, {EGP_UPLINK, "UPLINK"}, {EGP_DOWNLINK, "DOWNLINK"}, {EGP_DELIVERY, "DELIVERY"},
	{EGP_CHILD_SET, "CHILD-SET"}, {EGP_CHILD_EVENT, "CHILD-EVENT"}, {EGP_CHILD_DROP, "CHILD-DROP"},
};

static const char *const error_texts[] = {
	"no error", "unknown device", "joining not permitted", "rate limited", "malformed", "gateway not authorised", "frame counter exhausted: new install code needed",
	"internal error", "unsupported version",
};

static bool type_known(uint8_t type)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].type == (enum egp_type)type)
			return true;
	return false;
}

const char *egp_type_name(enum egp_type t)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].type == t)
			return names[i].name;
	return "unknown";
}

const char *egp_error_text(enum egp_error_code c)
{
	return (size_t)c < sizeof error_texts / sizeof error_texts[0] ? error_texts[c] : "unknown error";
}

static bool long_slice(struct rd *in, struct rd *slice)
{
	uint16_t len;

	return rd_be16(in, &len) && rd_sub(in, len, slice);
}

static bool policy_read(struct rd *in, struct egp_message *m)
{
	if (!rd_be16(in, &m->join_policy.duration_s) || !rd_u8(in, &m->join_policy.count) || m->join_policy.count > EGP_POLICY_DEVICES_MAX)
		return false;
	for (size_t i = 0; i < m->join_policy.count; i++)
		if (!rd_be64(in, &m->join_policy.devices[i]))
			return false;
	return true;
}

static bool request_read(struct rd *in, struct egp_message *m)
{
	uint8_t kind, reserved;

	if (!rd_be64(in, &m->request.gateway) || !rd_be16(in, &m->request.gateway_short) || !rd_be64(in, &m->request.device) ||
	    !rd_be16(in, &m->request.device_short) || !rd_be16(in, &m->request.pan_id) || !rd_be64(in, &m->request.extended_pan_id) ||
	    !rd_u8(in, &m->request.channel) || !rd_u8(in, &m->request.capability) || !rd_u8(in, &kind) || !rd_u8(in, &reserved) || kind > 1 || reserved != 0)
		return false;
	m->request.kind = (enum egp_join_kind)kind;
	m->request.router = 0;
	return true;
}

static bool uplink_read(struct rd *in, struct egp_message *m)
{
	uint8_t rssi;

	if (!rd_be64(in, &m->uplink.device) || !rd_be16(in, &m->uplink.short_address) || !rd_u8(in, &m->uplink.lqi) || !rd_u8(in, &rssi) ||
	    !long_slice(in, &m->uplink.frame))
		return false;
	m->uplink.rssi_dbm = (int8_t)rssi;
	return true;
}

/* An octet that must lie in low..high. */
static bool enumeration(struct rd *in, uint8_t low, uint8_t high, uint8_t *v)
{
	return rd_u8(in, v) && *v >= low && *v <= high;
}

static bool fixed_read(struct rd *in, struct egp_message *m)
{
	uint8_t v;

	switch (m->type) {
	case EGP_HELLO:
		return rd_be64(in, &m->hello.gateway) && rd_be16(in, &m->hello.pan_id) && rd_be64(in, &m->hello.extended_pan_id) &&
		    rd_u8(in, &m->hello.channel) && rd_u8(in, &m->hello.highest_version) && rd_be32(in, &m->hello.epoch);
	case EGP_HELLO_ACK:
		return rd_u8(in, &m->hello_ack.version) && rd_be64(in, &m->hello_ack.time);
	case EGP_JOIN_POLICY:
		return policy_read(in, m);
	case EGP_ACK:
		return rd_u8(in, &m->acked_type);
	case EGP_REQUEST:
		return request_read(in, m);
	case EGP_RESPONSE:
		return rd_be64(in, &m->response.device) && long_slice(in, &m->response.packet);
	case EGP_ERROR:
		if (!rd_be64(in, &m->error.device) || !enumeration(in, EGP_ERROR_UNKNOWN_DEVICE, EGP_ERROR_VERSION, &v) || !rd_be16(in, &m->error.retry_after_s))
			return false;
		m->error.code = (enum egp_error_code)v;
		return true;
	case EGP_DEVICE_GONE:
		if (!rd_be64(in, &m->gone.device) || !enumeration(in, EGP_GONE_LEFT, EGP_GONE_REPLACED, &v))
			return false;
		m->gone.reason = (enum egp_gone_reason)v;
		return true;
	case EGP_DEVICE_REMOVE:
	case EGP_CHILD_DROP:
		return rd_be64(in, &m->remove.device);
	case EGP_PING:
	case EGP_PONG:
		return true;
	case EGP_UPLINK:
		return uplink_read(in, m);
	case EGP_DOWNLINK:
		return rd_be64(in, &m->downlink.device) && rd_be32(in, &m->downlink.validity_ms) && rd_u8(in, &m->downlink.flags) &&
		    long_slice(in, &m->downlink.frame);
	case EGP_DELIVERY:
		if (!rd_be64(in, &m->delivery.device) || !enumeration(in, EGP_DELIVERED, EGP_CHANNEL_BUSY, &v))
			return false;
		m->delivery.status = (enum egp_delivery_status)v;
		return true;
	case EGP_CHILD_SET:
		return rd_be64(in, &m->child_set.device) && rd_be16(in, &m->child_set.short_address) && rd_u8(in, &m->child_set.capability) &&
		    rd_be32(in, &m->child_set.timeout_s);
	case EGP_CHILD_EVENT:
		if (!rd_be64(in, &m->child_event.device) || !enumeration(in, EGP_CHILD_ASSOCIATED, EGP_CHILD_REJOIN_SEEN, &v))
			return false;
		m->child_event.event = (enum egp_child_event)v;
		return rd_be16(in, &m->child_event.short_address) && rd_u8(in, &m->child_event.capability) && rd_be32(in, &m->child_event.epoch);
	}
	return false;
}

static bool tlv_store(struct egp_message *m, uint8_t type, struct rd value)
{
	struct rd *slot = type == EGP_TLV_OWNER ? &m->owner : type == EGP_TLV_RELAY_TARGET ? &m->relay_target : type == EGP_TLV_TEXT ? &m->text : type == EGP_TLV_SOFTWARE ? &m->software : NULL;

	if (!slot)
		return type >= TLV_OPTIONAL;
	if (slot->at)
		return false; /* given twice: whom should we believe? */
	*slot = value;
	return true;
}

enum err egp_decode(struct rd in, struct egp_message *m)
{
	const struct egp_message empty = {.type = EGP_PING};
	uint16_t magic, len;
	uint8_t version, type;
	struct rd body, value;

	*m = empty;
	if (!rd_be16(&in, &magic) || !rd_u8(&in, &version) || !rd_u8(&in, &type) || !rd_be32(&in, &m->transaction) || !rd_be16(&in, &len))
		return ERR_SHORT;
	if (magic != EGP_MAGIC)
		return ERR_MALFORMED;
	if (version != EGP_VERSION)
		return ERR_VERSION;
	if (len > EGP_BODY_MAX || !type_known(type))
		return ERR_MALFORMED;
	if (!rd_sub(&in, len, &body))
		return ERR_SHORT;
	m->type = (enum egp_type)type;
	if (!rd_end(&in) || !fixed_read(&body, m))
		return ERR_MALFORMED;
	while (!rd_end(&body)) {
		uint8_t tag, tag_len;

		if (!rd_u8(&body, &tag) || !rd_u8(&body, &tag_len) || !rd_sub(&body, tag_len, &value) || !tlv_store(m, tag, value))
			return ERR_MALFORMED;
	}
	return OK;
}

static void long_write(struct wr *w, struct rd slice)
{
	wr_be16(w, (uint16_t)slice.left);
	wr_rd(w, slice);
}

static void request_write(const struct egp_message *m, struct wr *w)
{
	wr_be64(w, m->request.gateway);
	wr_be16(w, m->request.gateway_short);
	wr_be64(w, m->request.device);
	wr_be16(w, m->request.device_short);
	wr_be16(w, m->request.pan_id);
	wr_be64(w, m->request.extended_pan_id);
	wr_u8(w, m->request.channel);
	wr_u8(w, m->request.capability);
	wr_u8(w, (uint8_t)m->request.kind);
	wr_u8(w, 0);
}

static void relay_write(const struct egp_message *m, struct wr *w)
{
	switch (m->type) {
	case EGP_UPLINK:
		wr_be64(w, m->uplink.device);
		wr_be16(w, m->uplink.short_address);
		wr_u8(w, m->uplink.lqi);
		wr_u8(w, (uint8_t)m->uplink.rssi_dbm);
		long_write(w, m->uplink.frame);
		break;
	case EGP_DOWNLINK:
		wr_be64(w, m->downlink.device);
		wr_be32(w, m->downlink.validity_ms);
		wr_u8(w, m->downlink.flags);
		long_write(w, m->downlink.frame);
		break;
	case EGP_DELIVERY:
		wr_be64(w, m->delivery.device);
		wr_u8(w, (uint8_t)m->delivery.status);
		break;
	case EGP_CHILD_SET:
		wr_be64(w, m->child_set.device);
		wr_be16(w, m->child_set.short_address);
		wr_u8(w, m->child_set.capability);
		wr_be32(w, m->child_set.timeout_s);
		break;
	case EGP_CHILD_EVENT:
		wr_be64(w, m->child_event.device);
		wr_u8(w, (uint8_t)m->child_event.event);
		wr_be16(w, m->child_event.short_address);
		wr_u8(w, m->child_event.capability);
		wr_be32(w, m->child_event.epoch);
		break;
	case EGP_HELLO:
	case EGP_HELLO_ACK:
	case EGP_JOIN_POLICY:
	case EGP_ACK:
	case EGP_REQUEST:
	case EGP_RESPONSE:
	case EGP_ERROR:
	case EGP_DEVICE_GONE:
	case EGP_DEVICE_REMOVE:
	case EGP_PING:
	case EGP_PONG:
	case EGP_CHILD_DROP:
		break;
	}
}

static void fixed_write(const struct egp_message *m, struct wr *w)
{
	switch (m->type) {
	case EGP_HELLO:
		wr_be64(w, m->hello.gateway);
		wr_be16(w, m->hello.pan_id);
		wr_be64(w, m->hello.extended_pan_id);
		wr_u8(w, m->hello.channel);
		wr_u8(w, m->hello.highest_version);
		wr_be32(w, m->hello.epoch);
		break;
	case EGP_HELLO_ACK:
		wr_u8(w, m->hello_ack.version);
		wr_be64(w, m->hello_ack.time);
		break;
	case EGP_JOIN_POLICY:
		wr_be16(w, m->join_policy.duration_s);
		wr_u8(w, m->join_policy.count);
		for (size_t i = 0; i < m->join_policy.count && i < EGP_POLICY_DEVICES_MAX; i++)
			wr_be64(w, m->join_policy.devices[i]);
		break;
	case EGP_ACK:
		wr_u8(w, m->acked_type);
		break;
	case EGP_REQUEST:
		request_write(m, w);
		break;
	case EGP_RESPONSE:
		wr_be64(w, m->response.device);
		long_write(w, m->response.packet);
		break;
	case EGP_ERROR:
		wr_be64(w, m->error.device);
		wr_u8(w, (uint8_t)m->error.code);
		wr_be16(w, m->error.retry_after_s);
		break;
	case EGP_DEVICE_GONE:
		wr_be64(w, m->gone.device);
		wr_u8(w, (uint8_t)m->gone.reason);
		break;
	case EGP_DEVICE_REMOVE:
	case EGP_CHILD_DROP:
		wr_be64(w, m->remove.device);
		break;
	case EGP_PING:
	case EGP_PONG:
		break;
	case EGP_UPLINK:
	case EGP_DOWNLINK:
	case EGP_DELIVERY:
	case EGP_CHILD_SET:
	case EGP_CHILD_EVENT:
		relay_write(m, w);
		break;
	}
}

static void tlv_write(struct wr *w, uint8_t type, struct rd value)
{
	if (!value.at)
		return;
	if (value.left > TLV_MAX) {
		w->spoilt = true;
		return;
	}
	wr_u8(w, type);
	wr_u8(w, (uint8_t)value.left);
	wr_rd(w, value);
}

enum err egp_encode(const struct egp_message *m, struct wr *w)
{
	uint8_t buffer[EGP_BODY_MAX];
	struct wr body = wr_of(buffer, sizeof buffer);
	struct rd octets;

	if (m->type == EGP_JOIN_POLICY && m->join_policy.count > EGP_POLICY_DEVICES_MAX)
		return ERR_TOO_LONG;
	fixed_write(m, &body);
	tlv_write(&body, EGP_TLV_OWNER, m->owner);
	tlv_write(&body, EGP_TLV_RELAY_TARGET, m->relay_target);
	tlv_write(&body, EGP_TLV_TEXT, m->text);
	tlv_write(&body, EGP_TLV_SOFTWARE, m->software);
	if (!wr_done(&body, &octets))
		return ERR_TOO_LONG;
	wr_be16(w, EGP_MAGIC);
	wr_u8(w, EGP_VERSION);
	wr_u8(w, (uint8_t)m->type);
	wr_be32(w, m->transaction);
	wr_be16(w, (uint16_t)octets.left);
	wr_rd(w, octets);
	return w->spoilt ? ERR_TOO_LONG : OK;
}

enum err egp_length(struct rd stream, size_t *len)
{
	uint16_t magic, body;

	if (!rd_be16(&stream, &magic))
		return ERR_SHORT;
	if (magic != EGP_MAGIC)
		return ERR_MALFORMED;
	if (!rd_skip(&stream, 6) || !rd_be16(&stream, &body))
		return ERR_SHORT;
	if (body > EGP_BODY_MAX)
		return ERR_MALFORMED;
	*len = (size_t)EGP_HEADER + body;
	return OK;
}
