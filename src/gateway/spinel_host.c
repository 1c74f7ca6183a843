/* The host's side of Spinel. */
#include "gateway/spinel_host.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "spinel/spinel.h"

#define EFFECTS_MAX 256
#define QUEUE_MAX 64
#define ANSWER_MS 5000
/* What is awaited has a transaction number of its own, so that the late answer to a change of the source-match table is never taken for it. */
#define AWAITED_TRANSACTION 14
#define RESET_SOFTWARE_OPTION 2 /* reset the stack only */

enum host_state { HOST_STOPPED, HOST_RESETTING, HOST_CONFIGURING, HOST_RUNNING };

struct queued {
	uint8_t frame[MAC_FRAME_MAX];
	size_t len;
	uint32_t token;
};

struct spinel_host {
	struct spinel_host_config config;
	enum host_state state;
	struct hdlc_decoder hdlc;
	unsigned step;               /* of the configuration */
	uint8_t next_transaction; /* of what is not awaited */
	bool awaiting;            /* the answer to the configuration step, or to the transmission in flight */
	uint64_t deadline;
	struct queued queue[QUEUE_MAX];
	size_t first, count;
	struct spinel_host_effect *effects;
	size_t effect_first, effect_count;
};

struct spinel_host *spinel_host_new(const struct spinel_host_config *c)
{
	struct spinel_host *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	h->effects = calloc(EFFECTS_MAX, sizeof *h->effects);
	if (!h->effects) {
		free(h);
		return NULL;
	}
	h->config = *c;
	h->deadline = CLOCK_NEVER;
	hdlc_init(&h->hdlc);
	return h;
}

void spinel_host_free(struct spinel_host *h)
{
	if (!h)
		return;
	free(h->effects);
	free(h);
}

static struct spinel_host_effect *effect(struct spinel_host *h, enum spinel_host_effect_type type)
{
	struct spinel_host_effect *e;

	if (h->effect_count == EFFECTS_MAX) { /* nobody drains: the oldest is lost */
		h->effect_first = (h->effect_first + 1) % EFFECTS_MAX;
		h->effect_count--;
	}
	e = &h->effects[(h->effect_first + h->effect_count++) % EFFECTS_MAX];
	memset(e, 0, sizeof *e);
	e->type = type;
	return e;
}

bool spinel_host_output(struct spinel_host *h, struct spinel_host_effect *e)
{
	if (h->effect_count == 0)
		return false;
	*e = h->effects[h->effect_first];
	h->effect_first = (h->effect_first + 1) % EFFECTS_MAX;
	h->effect_count--;
	return true;
}

static void write_command(struct spinel_host *h, uint8_t transaction, uint32_t what, uint32_t property, struct rd value)
{
	const struct spinel_frame f = {.transaction = transaction, .command = what, .property = property, .value = value};
	struct spinel_host_effect *e = effect(h, SPINEL_HOST_WRITE);
	uint8_t plain[256];
	struct wr w = wr_of(plain, sizeof plain), line = wr_of(e->octets, sizeof e->octets);
	struct rd content;

	spinel_encode(&f, &w);
	if (wr_done(&w, &content))
		hdlc_encode(content, &line);
	e->len = line.spoilt ? 0 : line.len;
}

static void command(struct spinel_host *h, uint32_t what, uint32_t property, struct rd value)
{
	h->next_transaction = (uint8_t)(h->next_transaction % (AWAITED_TRANSACTION - 1) + 1);
	write_command(h, h->next_transaction, what, property, value);
}

static void command_awaited(struct spinel_host *h, uint64_t now, uint32_t property, struct rd value)
{
	h->awaiting = true;
	h->deadline = now + ANSWER_MS;
	write_command(h, AWAITED_TRANSACTION, SPINEL_PROP_SET, property, value);
}

static void reset(struct spinel_host *h, uint64_t now)
{
	uint8_t option = RESET_SOFTWARE_OPTION;

	h->state = HOST_RESETTING;
	h->awaiting = false;
	h->deadline = now + ANSWER_MS;
	command(h, SPINEL_RESET, 0, rd_of(&option, 1));
}

static void fail_queue(struct spinel_host *h)
{
	while (h->count > 0) {
		struct spinel_host_effect *e = effect(h, SPINEL_HOST_SENT);

		e->token = h->queue[h->first].token;
		h->first = (h->first + 1) % QUEUE_MAX;
		h->count--;
	}
}

void spinel_host_start(struct spinel_host *h, uint64_t now)
{
	hdlc_init(&h->hdlc);
	fail_queue(h);
	reset(h, now);
}

void spinel_host_stop(struct spinel_host *h)
{
	h->state = HOST_STOPPED;
	h->deadline = CLOCK_NEVER;
	h->awaiting = false;
	fail_queue(h);
}

/* One SET a step; false behind the last. */
static bool configure_step(struct spinel_host *h, uint32_t *property, struct wr *w)
{
	static const uint32_t steps[] = {
		SPINEL_PHY_ENABLED, SPINEL_PHY_CHAN, SPINEL_MAC_15_4_LADDR, SPINEL_MAC_15_4_PANID, SPINEL_MAC_15_4_SADDR,
		SPINEL_MAC_SRC_MATCH_ENABLED, SPINEL_MAC_SRC_MATCH_SHORT_ADDRESSES, SPINEL_MAC_SRC_MATCH_EXTENDED_ADDRESSES,
		SPINEL_MAC_RX_ON_WHEN_IDLE, SPINEL_MAC_RAW_STREAM_ENABLED,
	};

	if (h->step >= sizeof steps / sizeof steps[0])
		return false;
	*property = steps[h->step];
	switch (*property) {
	case SPINEL_PHY_CHAN:
		wr_u8(w, h->config.channel);
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
	return true;
}

static void configure(struct spinel_host *h, uint64_t now)
{
	uint8_t buffer[16];
	struct wr w = wr_of(buffer, sizeof buffer);
	uint32_t property;

	if (!configure_step(h, &property, &w)) {
		h->state = HOST_RUNNING;
		h->awaiting = false;
		h->deadline = CLOCK_NEVER;
		(void)effect(h, SPINEL_HOST_READY);
		return;
	}
	h->step++;
	command_awaited(h, now, property, rd_of(w.octets, w.len));
}

static void transmit_next(struct spinel_host *h, uint64_t now)
{
	struct spinel_transmit t = {.channel = h->config.channel, .csma_backoffs = 4, .retries = 3, .csma = true, .header_updated = true, .security_processed = true, .channel_after = h->config.channel};
	uint8_t buffer[256];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd value;

	if (h->state != HOST_RUNNING || h->awaiting || h->count == 0)
		return;
	t.frame = rd_of(h->queue[h->first].frame, h->queue[h->first].len);
	spinel_transmit_encode(&t, &w);
	if (!wr_done(&w, &value))
		return;
	command_awaited(h, now, SPINEL_STREAM_RAW, value);
}

enum err spinel_host_transmit(struct spinel_host *h, uint64_t now, struct rd frame, uint32_t token)
{
	struct queued *q;

	if (h->state != HOST_RUNNING)
		return ERR_NOT_READY;
	if (h->count == QUEUE_MAX)
		return ERR_FULL;
	if (frame.left == 0 || frame.left > MAC_FRAME_MAX)
		return frame.left ? ERR_TOO_LONG : ERR_SHORT;
	q = &h->queue[(h->first + h->count++) % QUEUE_MAX];
	memcpy(q->frame, frame.at, frame.left);
	q->len = frame.left;
	q->token = token;
	transmit_next(h, now);
	return OK;
}

void spinel_host_match_short(struct spinel_host *h, uint16_t short_address, bool add)
{
	uint8_t buffer[2];
	struct wr w = wr_of(buffer, sizeof buffer);

	wr_le16(&w, short_address);
	if (h->state == HOST_RUNNING)
		command(h, add ? SPINEL_PROP_INSERT : SPINEL_PROP_REMOVE, SPINEL_MAC_SRC_MATCH_SHORT_ADDRESSES, rd_of(buffer, sizeof buffer));
}

void spinel_host_match_extended(struct spinel_host *h, uint64_t eui64, bool add)
{
	uint8_t buffer[8];
	struct wr w = wr_of(buffer, sizeof buffer);

	wr_be64(&w, eui64);
	if (h->state == HOST_RUNNING)
		command(h, add ? SPINEL_PROP_INSERT : SPINEL_PROP_REMOVE, SPINEL_MAC_SRC_MATCH_EXTENDED_ADDRESSES, rd_of(buffer, sizeof buffer));
}

static void sent(struct spinel_host *h, uint64_t now, uint32_t status)
{
	struct spinel_host_effect *e;

	h->awaiting = false;
	h->deadline = CLOCK_NEVER;
	if (h->count == 0)
		return;
	e = effect(h, SPINEL_HOST_SENT);
	e->token = h->queue[h->first].token;
	e->acked = status == SPINEL_STATUS_OK;
	e->busy = status == SPINEL_STATUS_CCA_FAILURE || status == SPINEL_STATUS_BUSY;
	h->first = (h->first + 1) % QUEUE_MAX;
	h->count--;
	transmit_next(h, now);
}

static void received(struct spinel_host *h, struct rd value)
{
	struct spinel_receive rx;
	struct spinel_host_effect *e;

	if (spinel_receive_decode(value, &rx) != OK || rx.frame.left > MAC_FRAME_MAX)
		return;
	e = effect(h, SPINEL_HOST_RECEIVED);
	memcpy(e->octets, rx.frame.at, rx.frame.left);
	e->len = rx.frame.left;
	e->rssi = rx.rssi;
	e->lqi = rx.lqi;
}

static void was_reset(struct spinel_host *h, uint64_t now)
{
	if (h->state == HOST_RUNNING || h->state == HOST_CONFIGURING) {
		(void)effect(h, SPINEL_HOST_LOST);
		fail_queue(h);
	}
	h->state = HOST_CONFIGURING;
	h->step = 0;
	configure(h, now);
}

static void on_frame(struct spinel_host *h, uint64_t now, const struct spinel_frame *f)
{
	struct rd value = f->value;
	uint32_t status = SPINEL_STATUS_OK;

	if (h->state == HOST_STOPPED)
		return;
	if (f->command == SPINEL_PROP_IS && f->property == SPINEL_LAST_STATUS && rd_packed_uint(&value, &status) && f->transaction == 0) {
		if (status >= SPINEL_STATUS_RESET_POWER_ON && status < SPINEL_STATUS_RESET_POWER_ON + 16)
			was_reset(h, now);
		return;
	}
	if (f->command == SPINEL_PROP_IS && f->property == SPINEL_STREAM_RAW && f->transaction == 0) {
		if (h->state == HOST_RUNNING)
			received(h, f->value);
		return;
	}
	if (f->transaction != AWAITED_TRANSACTION || !h->awaiting)
		return;
	if (h->state == HOST_CONFIGURING)
		configure(h, now); /* a property that the radio lacks is an answer too: source match, say */
	else if (h->state == HOST_RUNNING)
		sent(h, now, status);
}

void spinel_host_input(struct spinel_host *h, uint64_t now, struct rd octets)
{
	struct spinel_frame f;
	struct rd frame;
	uint8_t octet;

	while (rd_u8(&octets, &octet))
		if (hdlc_octet(&h->hdlc, octet, &frame) && spinel_decode(frame, &f) == OK)
			on_frame(h, now, &f);
}

void spinel_host_tick(struct spinel_host *h, uint64_t now)
{
	if (now < h->deadline || h->state == HOST_STOPPED)
		return;
	if (h->state == HOST_RUNNING) {
		(void)effect(h, SPINEL_HOST_LOST);
		fail_queue(h);
	}
	reset(h, now);
}

uint64_t spinel_host_deadline(const struct spinel_host *h)
{
	return h->deadline;
}
