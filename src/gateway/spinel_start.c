/* Reset, questions, configuration: one at a time, each awaited. */
#include "base/clock.h"
#include "gateway/spinel_private.h"

#define RESET_STACK_OPTION 2 /* reset the stack only; firmware before 2020 knows the plain reset alone */
#define REFUSED_MS 60000

struct start_step {
	uint32_t command, property;
	const char *needed; /* what the radio will not do without; NULL: it may lack this */
};

static const struct start_step steps[] = {
    {SPINEL_PROP_GET, SPINEL_PROTOCOL_VERSION, NULL},
    {SPINEL_PROP_GET, SPINEL_NCP_VERSION, NULL},
    {SPINEL_PROP_GET, SPINEL_INTERFACE_TYPE, NULL},
    {SPINEL_PROP_GET, SPINEL_CAPS, NULL},
    {SPINEL_PROP_GET, SPINEL_RCP_API_VERSION, NULL},
    {SPINEL_PROP_GET, SPINEL_RCP_MIN_HOST_API_VERSION, NULL},
    {SPINEL_PROP_GET, SPINEL_RADIO_CAPS, NULL},
    {SPINEL_PROP_SET, SPINEL_PHY_ENABLED, "it does not switch its radio on"},
    {SPINEL_PROP_SET, SPINEL_PHY_CHAN, "it refuses the channel"},
    {SPINEL_PROP_SET, SPINEL_PHY_TX_POWER, NULL},
    {SPINEL_PROP_GET, SPINEL_PHY_TX_POWER, NULL},
    {SPINEL_PROP_GET, SPINEL_PHY_RX_SENSITIVITY, NULL},
    {SPINEL_PROP_SET, SPINEL_MAC_15_4_LADDR, "it takes no extended address"},
    {SPINEL_PROP_SET, SPINEL_MAC_15_4_PANID, "it takes no PAN ID"},
    {SPINEL_PROP_SET, SPINEL_MAC_15_4_SADDR, "it takes no short address"},
    {SPINEL_PROP_SET, SPINEL_MAC_SRC_MATCH_ENABLED, NULL},
    {SPINEL_PROP_SET, SPINEL_MAC_SRC_MATCH_SHORT_ADDRESSES, NULL},
    {SPINEL_PROP_SET, SPINEL_MAC_SRC_MATCH_EXTENDED_ADDRESSES, NULL},
    {SPINEL_PROP_SET, SPINEL_MAC_RX_ON_WHEN_IDLE, NULL},
    {SPINEL_PROP_SET, SPINEL_MAC_RAW_STREAM_ENABLED, "it gives no raw frames"},
};
#define STEPS (sizeof steps / sizeof *steps)
#define QUESTIONS 7 /* at the beginning, by which the radio is judged */

void host_reset(struct spinel_host *h, uint64_t now)
{
	uint8_t option = RESET_STACK_OPTION;

	h->state = HOST_RESETTING;
	h->awaiting = false;
	h->deadline = now + HOST_ANSWER_MS;
	host_command(h, SPINEL_RESET, 0, rd_of(&option, h->resets++ % 2 == 0 ? 1 : 0));
}

static void put_value(const struct spinel_host *h, uint32_t property, struct wr *w)
{
	switch (property) {
	case SPINEL_PHY_CHAN:
		wr_u8(w, h->config.channel);
		break;
	case SPINEL_PHY_TX_POWER:
		wr_u8(w, (uint8_t)h->config.tx_power_dbm);
		break;
	case SPINEL_MAC_15_4_LADDR:
		wr_be64(w, h->config.eui64);
		break;
	case SPINEL_MAC_15_4_PANID:
		wr_le16(w, h->config.pan_id);
		break;
	case SPINEL_MAC_15_4_SADDR:
		wr_le16(w, h->config.short_address);
		break;
	case SPINEL_MAC_SRC_MATCH_SHORT_ADDRESSES:
	case SPINEL_MAC_SRC_MATCH_EXTENDED_ADDRESSES:
		break; /* empty lists */
	default:
		wr_u8(w, 1);
		break;
	}
}

static void refuse(struct spinel_host *h, uint64_t now, const char *why)
{
	h->state = HOST_REFUSED;
	h->awaiting = false;
	h->deadline = now + REFUSED_MS;
	host_effect(h, SPINEL_HOST_REFUSED)->text = why;
}

static void ready(struct spinel_host *h)
{
	h->state = HOST_RUNNING;
	h->awaiting = false;
	h->deadline = CLOCK_NEVER;
	h->inserting = 0;
	h->matches = 0;
	h->match_off = false;
	(void)host_effect(h, SPINEL_HOST_READY);
}

static void step(struct spinel_host *h, uint64_t now)
{
	uint8_t buffer[16];
	struct wr w = wr_of(buffer, sizeof buffer);
	const char *unfit = h->step == QUESTIONS ? radio_info_unfit(&h->radio) : NULL;

	if (h->step < STEPS && steps[h->step].property == SPINEL_PHY_TX_POWER && steps[h->step].command == SPINEL_PROP_SET && !h->config.set_tx_power)
		h->step++;
	if (unfit) {
		refuse(h, now, unfit);
	} else if (h->step == STEPS) {
		ready(h);
	} else {
		if (steps[h->step].command == SPINEL_PROP_SET)
			put_value(h, steps[h->step].property, &w);
		host_command_awaited(h, now, steps[h->step].command, steps[h->step].property, rd_of(w.octets, w.len));
	}
}

/* A property that the radio lacks is answered by a status. */
void host_start_answer(struct spinel_host *h, uint64_t now, const struct spinel_frame *f, uint32_t status)
{
	const struct start_step *s = &steps[h->step];
	bool has = f->property == s->property || status == SPINEL_STATUS_OK;

	if (s->command == SPINEL_PROP_GET && f->property == s->property)
		radio_info_take(&h->radio, s->property, f->value);
	if (s->property == SPINEL_MAC_SRC_MATCH_ENABLED)
		h->radio.has_match = has;
	if (!has && s->needed) {
		refuse(h, now, s->needed);
		return;
	}
	h->step++;
	step(h, now);
}

void host_was_reset(struct spinel_host *h, uint64_t now)
{
	if (h->state != HOST_RESETTING && h->state != HOST_REFUSED) {
		(void)host_effect(h, SPINEL_HOST_LOST);
		host_fail_queue(h);
	}
	h->state = HOST_STARTING;
	h->resets = 0;
	h->step = 0;
	radio_info_clear(&h->radio);
	step(h, now);
}
