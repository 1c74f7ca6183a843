/* The properties of the radio co-processor, and its energy scan. */
#include "sim/rcp_private.h"

#define QUIET_DBM (-95)
#define CAP_CONFIG_RADIO 34
#define CAP_MAC_RAW 513
#define RADIO_CAPS 0x0f /* acknowledgement time-out, energy scan, retries, CSMA */

void rcp_put_value(struct rcp *r, uint32_t property, struct wr *w)
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
	case SPINEL_CAPS:
		wr_packed_uint(w, CAP_CONFIG_RADIO);
		wr_packed_uint(w, CAP_MAC_RAW);
		break;
	case SPINEL_RADIO_CAPS:
		wr_packed_uint(w, RADIO_CAPS);
		break;
	case SPINEL_MAC_SCAN_STATE:
		wr_u8(w, r->scan_until ? SPINEL_SCAN_ENERGY : SPINEL_SCAN_IDLE);
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
		rcp_effect_add(r, RCP_CHANNEL)->channel = channel;
	r->channel = channel;
	return true;
}

static void tune(struct rcp *r, uint8_t channel)
{
	rcp_effect_add(r, RCP_CHANNEL)->channel = channel;
}

static bool set_scan_mask(struct rcp *r, struct rd *v)
{
	return v->left == 1 && rd_u8(v, &r->scan_channel) && r->scan_channel >= RCP_CHANNEL_FIRST && r->scan_channel <= RCP_CHANNEL_LAST;
}

/* A host also ends what scan there may be. */
static bool set_scan(struct rcp *r, struct rd *v)
{
	uint8_t state;

	if (!rd_u8(v, &state) || (state != SPINEL_SCAN_IDLE && state != SPINEL_SCAN_ENERGY))
		return false;
	if (state == SPINEL_SCAN_ENERGY) {
		if (r->scan_channel == 0 || r->scan_until || !r->raw_stream)
			return false;
		r->scan_until = r->now + r->scan_period_ms + 1U;
		r->scan_dbm = QUIET_DBM;
		tune(r, r->scan_channel);
	} else if (r->scan_until) {
		r->scan_until = 0;
		tune(r, r->channel);
	}
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

bool rcp_set_value(struct rcp *r, uint32_t property, struct rd v)
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
	case SPINEL_MAC_SCAN_MASK:
		return set_scan_mask(r, &v);
	case SPINEL_MAC_SCAN_PERIOD:
		return rd_le16(&v, &r->scan_period_ms);
	case SPINEL_MAC_SCAN_STATE:
		return set_scan(r, &v);
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

/* The end of a scan: what was heard, that it is over, and back to the channel. */
void rcp_end_scan(struct rcp *r)
{
	const uint8_t result[] = {r->scan_channel, (uint8_t)r->scan_dbm}, idle = SPINEL_SCAN_IDLE;

	r->scan_until = 0;
	rcp_to_host(r, 0, SPINEL_PROP_IS, SPINEL_MAC_ENERGY_SCAN_RESULT, rd_of(result, sizeof result));
	rcp_to_host(r, 0, SPINEL_PROP_IS, SPINEL_MAC_SCAN_STATE, rd_of(&idle, 1));
	tune(r, r->channel);
}
