/* What a radio says of itself. */
#include "gateway/radio_info.h"

#include <string.h>

#include "spinel/spinel.h"

#define PROTOCOL_MAJOR 4
#define INTERFACE_802_15_4 3
#define CAP_CONFIG_RADIO 34
#define CAP_MAC_RAW 513

void radio_info_clear(struct radio_info *i)
{
	memset(i, 0, sizeof *i);
}

/* Goes into a log line. */
static void take_version(struct radio_info *i, struct rd value)
{
	size_t n = 0;
	uint8_t c;

	while (n + 1 < sizeof i->version && rd_u8(&value, &c) && c != '\0')
		if (c >= ' ' && c <= '~')
			i->version[n++] = (char)c;
	i->version[n] = '\0';
}

static void take_capabilities(struct radio_info *i, struct rd value)
{
	uint32_t capability;

	i->told_capabilities = true;
	i->is_rcp = i->raw = false;
	while (rd_packed_uint(&value, &capability)) {
		i->is_rcp |= capability == CAP_CONFIG_RADIO;
		i->raw |= capability == CAP_MAC_RAW;
	}
}

static void take_number(struct rd value, uint32_t *number)
{
	uint32_t n;

	if (rd_packed_uint(&value, &n))
		*number = n;
}

static void take_dbm(struct rd value, int8_t *dbm)
{
	uint8_t octet;

	if (rd_u8(&value, &octet))
		*dbm = (int8_t)octet;
}

void radio_info_take(struct radio_info *i, uint32_t property, struct rd value)
{
	uint32_t major, minor;

	switch (property) {
	case SPINEL_PROTOCOL_VERSION:
		if (rd_packed_uint(&value, &major) && rd_packed_uint(&value, &minor)) {
			i->protocol_major = major;
			i->protocol_minor = minor;
		}
		break;
	case SPINEL_NCP_VERSION:
		take_version(i, value);
		break;
	case SPINEL_INTERFACE_TYPE:
		take_number(value, &i->interface);
		break;
	case SPINEL_CAPS:
		take_capabilities(i, value);
		break;
	case SPINEL_RCP_API_VERSION:
		take_number(value, &i->api);
		break;
	case SPINEL_RCP_MIN_HOST_API_VERSION:
		take_number(value, &i->min_host_api);
		break;
	case SPINEL_RADIO_CAPS:
		take_number(value, &i->radio_capabilities);
		break;
	case SPINEL_PHY_TX_POWER:
		take_dbm(value, &i->tx_power_dbm);
		break;
	case SPINEL_PHY_RX_SENSITIVITY:
		take_dbm(value, &i->sensitivity_dbm);
		break;
	default:
		break;
	}
}

const char *radio_info_unfit(const struct radio_info *i)
{
	if (i->protocol_major == 0)
		return "it does not speak Spinel: flash OpenThread RCP firmware (docs/radios.md), or correct [radio] connect and its baud rate";
	if (i->protocol_major != PROTOCOL_MAJOR)
		return "it speaks another major version of Spinel than 4: flash current OpenThread RCP firmware";
	if (i->interface != 0 && i->interface != INTERFACE_802_15_4)
		return "its firmware is not for IEEE 802.15.4";
	if (i->told_capabilities && (!i->is_rcp || !i->raw))
		return "its firmware is a whole Thread node (NCP), not a radio co-processor: flash ot-rcp instead of ot-ncp";
	if (i->min_host_api > RADIO_HOST_API)
		return "its firmware wants a newer host: flash an OpenThread RCP of 2025 or earlier, or update Keyway";
	if (i->radio_capabilities != 0 && (~i->radio_capabilities & (RADIO_CAN_ACK_TIMEOUT | RADIO_CAN_RETRIES | RADIO_CAN_CSMA)))
		return "its firmware leaves acknowledgement, retries or CSMA to the host, which is too slow for it over a serial line";
	return NULL;
}
