/* The radio co-processor. */
#include "sim/rcp.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "spinel/spinel.h"

#define EFFECTS_MAX 128 /* an answer, and all that the radio has */
#define SCAN_IDLE 0

struct rcp {
	struct rng *rng;
	struct radio *radio;
	struct hdlc_decoder line;
	uint64_t now;
	uint8_t channel;
	bool phy_enabled, raw_stream, rx_on, promiscuous, match;
	uint64_t eui64;
	uint16_t pan_id, short_address;
	int8_t tx_power;
	struct rcp_effect *effects;
	size_t first, count;
};

/* A full list drops the oldest: whoever drains it does so after every call. */
static struct rcp_effect *effect(struct rcp *r, enum rcp_effect_type type)
{
	struct rcp_effect *e;

	if (r->count == EFFECTS_MAX) {
		r->first = (r->first + 1) % EFFECTS_MAX;
		r->count--;
	}
	e = &r->effects[(r->first + r->count++) % EFFECTS_MAX];
	memset(e, 0, sizeof *e);
	e->type = type;
	return e;
}

bool rcp_output(struct rcp *r, struct rcp_effect *e)
{
	if (r->count == 0)
		return false;
	*e = r->effects[r->first];
	r->first = (r->first + 1) % EFFECTS_MAX;
	r->count--;
	return true;
}

static void to_host(struct rcp *r, uint8_t transaction, uint32_t command, uint32_t property, struct rd value)
{
	const struct spinel_frame f = {.transaction = transaction, .command = command, .property = property, .value = value};
	struct rcp_effect *e = effect(r, RCP_HOST);
	uint8_t plain[RCP_VALUE_MAX + 16];
	struct wr w = wr_of(plain, sizeof plain), line = wr_of(e->octets, sizeof e->octets);
	struct rd content;

	spinel_encode(&f, &w);
	if (!wr_done(&w, &content))
		abort(); /* values are checked where they come in */
	hdlc_encode(content, &line);
	e->len = line.len;
}

static void status(struct rcp *r, uint8_t transaction, uint32_t code)
{
	uint8_t buffer[4];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd value;

	wr_packed_uint(&w, code);
	if (wr_done(&w, &value))
		to_host(r, transaction, SPINEL_PROP_IS, SPINEL_LAST_STATUS, value);
}

static void apply(struct rcp *r)
{
	radio_set_receiver(r->radio, r->phy_enabled && r->raw_stream && r->rx_on);
	radio_set_promiscuous(r->radio, r->promiscuous);
	radio_set_extended(r->radio, r->eui64);
	radio_set_short(r->radio, r->short_address);
	radio_set_pan(r->radio, r->pan_id);
	radio_match_enable(r->radio, r->match);
}

static void reset(struct rcp *r)
{
	radio_free(r->radio);
	r->radio = radio_new(r->rng);
	if (!r->radio)
		abort();
	radio_set_coordinator(r->radio, true);
	r->phy_enabled = r->raw_stream = r->promiscuous = r->match = false;
	r->rx_on = true;
	r->pan_id = r->short_address = MAC_BROADCAST;
	r->tx_power = 0;
	apply(r);
}

static void put_value(struct rcp *r, uint32_t property, struct wr *w)
{
	switch (property) {
	case SPINEL_LAST_STATUS:
		wr_packed_uint(w, SPINEL_STATUS_OK);
		break;
	case SPINEL_PROTOCOL_VERSION:
		wr_packed_uint(w, 4);
		wr_packed_uint(w, 3);
		break;
	case SPINEL_NCP_VERSION:
		wr_copy(w, "KEYWAY-SIM-RCP/" KEYWAY_VERSION, sizeof "KEYWAY-SIM-RCP/" KEYWAY_VERSION);
		break;
	case SPINEL_INTERFACE_TYPE:
		wr_packed_uint(w, 3);
		break;
	case SPINEL_RCP_API_VERSION:
		wr_packed_uint(w, 11);
		break;
	case SPINEL_RCP_MIN_HOST_API_VERSION:
		wr_packed_uint(w, 4);
		break;
	case SPINEL_HWADDR:
	case SPINEL_MAC_15_4_LADDR:
		wr_be64(w, r->eui64);
		break;
	case SPINEL_PHY_ENABLED:
		wr_u8(w, r->phy_enabled);
		break;
	case SPINEL_PHY_CHAN:
		wr_u8(w, r->channel);
		break;
	case SPINEL_PHY_TX_POWER:
		wr_u8(w, (uint8_t)r->tx_power);
		break;
	case SPINEL_PHY_CCA_THRESHOLD:
		wr_u8(w, (uint8_t)-75);
		break;
	case SPINEL_PHY_RSSI:
		wr_u8(w, (uint8_t)-90);
		break;
	case SPINEL_PHY_RX_SENSITIVITY:
		wr_u8(w, (uint8_t)-100);
		break;
	case SPINEL_MAC_SCAN_STATE:
		wr_u8(w, SCAN_IDLE);
		break;
	case SPINEL_MAC_15_4_SADDR:
		wr_le16(w, r->short_address);
		break;
	case SPINEL_MAC_15_4_PANID:
		wr_le16(w, r->pan_id);
		break;
	case SPINEL_MAC_RAW_STREAM_ENABLED:
		wr_u8(w, r->raw_stream);
		break;
	case SPINEL_MAC_PROMISCUOUS_MODE:
		wr_u8(w, r->promiscuous ? 2 : 0);
		break;
	case SPINEL_MAC_RX_ON_WHEN_IDLE:
		wr_u8(w, r->rx_on);
		break;
	case SPINEL_MAC_SRC_MATCH_ENABLED:
		wr_u8(w, r->match);
		break;
	default:
		break;
	}
}

static void answer_value(struct rcp *r, const struct spinel_frame *f)
{
	uint8_t buffer[RCP_VALUE_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd value;

	put_value(r, f->property, &w);
	if (w.len == 0)
		status(r, f->transaction, SPINEL_STATUS_PROP_NOT_FOUND);
	else if (wr_done(&w, &value))
		to_host(r, f->transaction, SPINEL_PROP_IS, f->property, value);
}

static bool take_bool(struct rd *v, bool *flag)
{
	uint8_t octet;

	if (!rd_u8(v, &octet))
		return false;
	*flag = octet != 0;
	return true;
}

static bool set_channel(struct rcp *r, struct rd *v)
{
	uint8_t channel;

	if (!rd_u8(v, &channel) || channel < RCP_CHANNEL_FIRST || channel > RCP_CHANNEL_LAST)
		return false;
	if (channel != r->channel)
		effect(r, RCP_CHANNEL)->channel = channel;
	r->channel = channel;
	return true;
}

static bool set_matches(struct rcp *r, uint32_t property, struct rd *v)
{
	uint16_t short_address;
	uint64_t eui64;

	if (property == SPINEL_MAC_SRC_MATCH_SHORT_ADDRESSES) {
		radio_match_clear_short(r->radio);
		while (rd_le16(v, &short_address))
			if (!radio_match_short(r->radio, short_address, true))
				return false;
	} else {
		radio_match_clear_extended(r->radio);
		while (rd_be64(v, &eui64))
			if (!radio_match_extended(r->radio, eui64, true))
				return false;
	}
	return rd_end(v);
}

static bool set_value(struct rcp *r, uint32_t property, struct rd v)
{
	uint8_t octet;

	switch (property) {
	case SPINEL_PHY_ENABLED:
		return take_bool(&v, &r->phy_enabled);
	case SPINEL_PHY_CHAN:
		return set_channel(r, &v);
	case SPINEL_PHY_TX_POWER:
		if (!rd_u8(&v, &octet))
			return false;
		r->tx_power = (int8_t)octet;
		return true;
	case SPINEL_PHY_CCA_THRESHOLD:
		return rd_u8(&v, &octet);
	case SPINEL_MAC_SCAN_STATE:
		return rd_u8(&v, &octet) && octet == SCAN_IDLE; /* a host ends what scan there may be; there never is one */
	case SPINEL_MAC_15_4_LADDR:
		return rd_be64(&v, &r->eui64);
	case SPINEL_MAC_15_4_SADDR:
		return rd_le16(&v, &r->short_address);
	case SPINEL_MAC_15_4_PANID:
		return rd_le16(&v, &r->pan_id);
	case SPINEL_MAC_RAW_STREAM_ENABLED:
		return take_bool(&v, &r->raw_stream);
	case SPINEL_MAC_PROMISCUOUS_MODE:
		return take_bool(&v, &r->promiscuous);
	case SPINEL_MAC_RX_ON_WHEN_IDLE:
		return take_bool(&v, &r->rx_on);
	case SPINEL_MAC_SRC_MATCH_ENABLED:
		return take_bool(&v, &r->match);
	case SPINEL_MAC_SRC_MATCH_SHORT_ADDRESSES:
	case SPINEL_MAC_SRC_MATCH_EXTENDED_ADDRESSES:
		return set_matches(r, property, &v);
	default:
		return false;
	}
}

static void transmit(struct rcp *r, const struct spinel_frame *f)
{
	struct spinel_transmit t;

	if (spinel_transmit_decode(f->value, &t) != OK)
		status(r, f->transaction, SPINEL_STATUS_PARSE_ERROR);
	else if (!r->phy_enabled || t.channel != r->channel)
		status(r, f->transaction, SPINEL_STATUS_INVALID_STATE);
	else if (radio_transmit(r->radio, r->now, t.frame, f->transaction) != OK)
		status(r, f->transaction, SPINEL_STATUS_BUSY);
}

static void change_match(struct rcp *r, const struct spinel_frame *f, bool add)
{
	struct rd v = f->value;
	uint16_t short_address;
	uint64_t eui64;
	bool ok;

	if (f->property == SPINEL_MAC_SRC_MATCH_SHORT_ADDRESSES && rd_le16(&v, &short_address)) {
		ok = radio_match_short(r->radio, short_address, add);
	} else if (f->property == SPINEL_MAC_SRC_MATCH_EXTENDED_ADDRESSES && rd_be64(&v, &eui64)) {
		ok = radio_match_extended(r->radio, eui64, add);
	} else {
		status(r, f->transaction, SPINEL_STATUS_PROP_NOT_FOUND);
		return;
	}
	if (ok)
		to_host(r, f->transaction, add ? SPINEL_PROP_INSERTED : SPINEL_PROP_REMOVED, f->property, f->value);
	else
		status(r, f->transaction, add ? SPINEL_STATUS_NOMEM : SPINEL_STATUS_ITEM_NOT_FOUND);
}

static void set_property(struct rcp *r, const struct spinel_frame *f)
{
	if (f->property == SPINEL_STREAM_RAW) {
		transmit(r, f);
	} else if (set_value(r, f->property, f->value)) {
		apply(r);
		to_host(r, f->transaction, SPINEL_PROP_IS, f->property, f->value);
	} else {
		status(r, f->transaction, SPINEL_STATUS_PROP_NOT_FOUND);
	}
}

static void on_command(struct rcp *r, const struct spinel_frame *f)
{
	if (f->value.left > RCP_VALUE_MAX) {
		status(r, f->transaction, SPINEL_STATUS_PARSE_ERROR);
		return;
	}
	switch (f->command) {
	case SPINEL_NOOP:
		status(r, f->transaction, SPINEL_STATUS_OK);
		break;
	case SPINEL_RESET:
		reset(r);
		status(r, 0, SPINEL_STATUS_RESET_SOFTWARE);
		break;
	case SPINEL_PROP_GET:
		answer_value(r, f);
		break;
	case SPINEL_PROP_SET:
		set_property(r, f);
		break;
	case SPINEL_PROP_INSERT:
		change_match(r, f, true);
		break;
	case SPINEL_PROP_REMOVE:
		change_match(r, f, false);
		break;
	default:
		status(r, f->transaction, SPINEL_STATUS_INVALID_COMMAND);
		break;
	}
}

static void on_received(struct rcp *r, const struct radio_effect *e)
{
	const struct spinel_receive rx = {
		.frame = rd_of(e->octets, e->len),
		.rssi = -50,
		.noise = -100,
		.flags = e->acked_pending ? 0x10 : 0,
		.channel = r->channel,
		.lqi = 200,
		.timestamp_us = r->now * 1000,
	};
	uint8_t buffer[RCP_VALUE_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd value;

	spinel_receive_encode(&rx, &w);
	if (r->raw_stream && wr_done(&w, &value))
		to_host(r, 0, SPINEL_PROP_IS, SPINEL_STREAM_RAW, value);
}

static void on_sent(struct rcp *r, const struct radio_effect *e)
{
	uint8_t buffer[8];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd value;

	wr_packed_uint(&w, e->status == RADIO_OK ? SPINEL_STATUS_OK : e->status == RADIO_NO_ACK ? SPINEL_STATUS_NO_ACK : SPINEL_STATUS_CCA_FAILURE);
	wr_u8(&w, e->frame_pending);
	if (wr_done(&w, &value))
		to_host(r, (uint8_t)e->token, SPINEL_PROP_IS, SPINEL_LAST_STATUS, value);
}

static void pump(struct rcp *r)
{
	struct radio_effect e;

	radio_tick(r->radio, r->now);
	while (radio_output(r->radio, &e)) {
		struct rcp_effect *out;

		switch (e.type) {
		case RADIO_SEND:
			out = effect(r, RCP_AIR);
			memcpy(out->octets, e.octets, e.len);
			out->len = e.len;
			break;
		case RADIO_RECEIVED:
			on_received(r, &e);
			break;
		case RADIO_SENT:
			on_sent(r, &e);
			break;
		}
	}
}

struct rcp *rcp_new(struct rng *rng)
{
	struct rcp *r = calloc(1, sizeof *r);

	if (!r || (r->effects = calloc(EFFECTS_MAX, sizeof *r->effects)) == NULL) {
		free(r);
		return NULL;
	}
	r->rng = rng;
	r->channel = RCP_CHANNEL_FIRST;
	rcp_restart(r);
	return r;
}

void rcp_free(struct rcp *r)
{
	if (!r)
		return;
	radio_free(r->radio);
	free(r->effects);
	free(r);
}

void rcp_restart(struct rcp *r)
{
	hdlc_init(&r->line);
	reset(r);
}

bool rcp_input(struct rcp *r, uint64_t now, struct rd *octets)
{
	struct spinel_frame f;
	struct rd frame;
	uint8_t octet;

	r->now = now;
	while (rd_u8(octets, &octet)) {
		if (!hdlc_octet(&r->line, octet, &frame) || spinel_decode(frame, &f) != OK)
			continue;
		on_command(r, &f);
		pump(r);
		break;
	}
	return octets->left > 0;
}

void rcp_air(struct rcp *r, uint64_t now, struct rd psdu)
{
	r->now = now;
	if (!r->phy_enabled)
		return;
	radio_input(r->radio, now, psdu);
	pump(r);
}

void rcp_tick(struct rcp *r, uint64_t now)
{
	r->now = now;
	pump(r);
}

uint64_t rcp_deadline(const struct rcp *r)
{
	return radio_deadline(r->radio);
}
