/* Energy scan. Stock firmware takes one channel a scan (its mask must have a single bit), and loses the channel that it was on. */
#include "base/clock.h"
#include "gateway/spinel_private.h"

static void end_scan(struct spinel_host *h, uint64_t now)
{
	h->state = HOST_RUNNING;
	h->scan.measuring = false;
	(void)host_effect(h, SPINEL_HOST_SCANNED);
	host_command_awaited(h, now, SPINEL_PROP_SET, SPINEL_PHY_CHAN, rd_of(&h->config.channel, 1));
}

static void next_channel(struct spinel_host *h, uint64_t now)
{
	for (uint8_t c = 0; c < 32; c++) {
		if (!(h->scan.left & 1U << c))
			continue;
		h->scan.left &= ~(1U << c);
		h->scan.channel = c;
		h->scan.step = 0;
		h->scan.measuring = false;
		host_command_awaited(h, now, SPINEL_PROP_SET, SPINEL_MAC_SCAN_MASK, rd_of(&h->scan.channel, 1));
		return;
	}
	end_scan(h, now);
}

enum err spinel_host_scan(struct spinel_host *h, uint64_t now, uint32_t channels, uint16_t period_ms)
{
	if (h->state != HOST_RUNNING || h->awaiting)
		return ERR_NOT_READY;
	if (!(channels & SPINEL_HOST_CHANNELS))
		return ERR_BAD_VALUE;
	h->state = HOST_SCANNING;
	h->scan = (struct scan){.left = channels & SPINEL_HOST_CHANNELS, .period_ms = period_ms};
	next_channel(h, now);
	return OK;
}

/* To a step of it: mask, then period, then go. */
void host_scan_answer(struct spinel_host *h, uint64_t now, uint32_t status)
{
	uint8_t buffer[2], state = SPINEL_SCAN_ENERGY;
	struct wr w = wr_of(buffer, sizeof buffer);

	h->awaiting = false;
	if (status != SPINEL_STATUS_OK) {
		next_channel(h, now);
		return;
	}
	switch (h->scan.step++) {
	case 0:
		wr_le16(&w, h->scan.period_ms);
		host_command_awaited(h, now, SPINEL_PROP_SET, SPINEL_MAC_SCAN_PERIOD, rd_of(w.octets, w.len));
		break;
	case 1:
		host_command_awaited(h, now, SPINEL_PROP_SET, SPINEL_MAC_SCAN_STATE, rd_of(&state, 1));
		h->scan.measuring = true; /* its result may come before its answer */
		break;
	default:
		h->deadline = now + h->scan.period_ms + HOST_ANSWER_MS;
		break;
	}
}

void host_scan_told(struct spinel_host *h, uint64_t now, uint32_t property, struct rd value)
{
	struct spinel_host_effect *e;
	uint8_t channel, octet;

	if (h->state != HOST_SCANNING || !h->scan.measuring)
		return;
	if (property == SPINEL_MAC_ENERGY_SCAN_RESULT && rd_u8(&value, &channel) && rd_u8(&value, &octet) && channel == h->scan.channel) {
		e = host_effect(h, SPINEL_HOST_ENERGY);
		e->channel = channel;
		e->rssi = (int8_t)octet;
	} else if (property == SPINEL_MAC_SCAN_STATE && rd_u8(&value, &octet) && octet == SPINEL_SCAN_IDLE && !h->awaiting) {
		next_channel(h, now);
	}
}
