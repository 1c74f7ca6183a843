/* The host's side of Spinel. */
#include "gateway/spinel_host.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/spinel_private.h"

struct spinel_host *spinel_host_new(const struct spinel_host_config *c)
{
	struct spinel_host *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	h->effects = calloc(HOST_EFFECTS_MAX, sizeof *h->effects);
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

struct spinel_host_effect *host_effect(struct spinel_host *h, enum spinel_host_effect_type type)
{
	struct spinel_host_effect *e;

	if (h->effect_count == HOST_EFFECTS_MAX) { /* nobody drains: the oldest is lost */
		h->effect_first = (h->effect_first + 1) % HOST_EFFECTS_MAX;
		h->effect_count--;
	}
	e = &h->effects[(h->effect_first + h->effect_count++) % HOST_EFFECTS_MAX];
	memset(e, 0, sizeof *e);
	e->type = type;
	return e;
}

bool spinel_host_output(struct spinel_host *h, struct spinel_host_effect *e)
{
	if (h->effect_count == 0)
		return false;
	*e = h->effects[h->effect_first];
	h->effect_first = (h->effect_first + 1) % HOST_EFFECTS_MAX;
	h->effect_count--;
	return true;
}

static void write_command(struct spinel_host *h, uint8_t transaction, uint32_t what, uint32_t property, struct rd value)
{
	const struct spinel_frame f = {.transaction = transaction, .command = what, .property = property, .value = value};
	struct spinel_host_effect *e = host_effect(h, SPINEL_HOST_WRITE);
	uint8_t plain[256];
	struct wr w = wr_of(plain, sizeof plain), line = wr_of(e->octets, sizeof e->octets);
	struct rd content;

	spinel_encode(&f, &w);
	if (wr_done(&w, &content))
		hdlc_encode(content, &line);
	e->len = line.spoilt ? 0 : line.len;
}

void host_command(struct spinel_host *h, uint32_t what, uint32_t property, struct rd value)
{
	h->next_transaction = (uint8_t)(h->next_transaction % (HOST_AWAITED_TRANSACTION - 1) + 1);
	write_command(h, h->next_transaction, what, property, value);
}

void host_command_awaited(struct spinel_host *h, uint64_t now, uint32_t what, uint32_t property, struct rd value)
{
	h->awaiting = true;
	h->awaited_property = property;
	h->deadline = now + HOST_ANSWER_MS;
	write_command(h, HOST_AWAITED_TRANSACTION, what, property, value);
}

void host_fail_queue(struct spinel_host *h)
{
	while (h->count > 0) {
		struct spinel_host_effect *e = host_effect(h, SPINEL_HOST_SENT);

		e->token = h->queue[h->first].token;
		h->first = (h->first + 1) % HOST_QUEUE_MAX;
		h->count--;
	}
}

void spinel_host_start(struct spinel_host *h, uint64_t now)
{
	hdlc_init(&h->hdlc);
	host_fail_queue(h);
	h->resets = 0;
	host_reset(h, now);
}

void spinel_host_stop(struct spinel_host *h)
{
	h->state = HOST_STOPPED;
	h->deadline = CLOCK_NEVER;
	h->awaiting = false;
	host_fail_queue(h);
}

void host_transmit_next(struct spinel_host *h, uint64_t now)
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
	host_command_awaited(h, now, SPINEL_PROP_SET, SPINEL_STREAM_RAW, value);
}

static struct queued *queued_at(struct spinel_host *h, size_t index)
{
	return &h->queue[(h->first + index) % HOST_QUEUE_MAX];
}

/* Behind those that are urgent too, and behind the first, which may be with the radio. */
static struct queued *urgent_place(struct spinel_host *h)
{
	size_t place = h->count > 0 ? 1 : 0;

	while (place < h->count && queued_at(h, place)->urgent)
		place++;
	for (size_t i = h->count; i > place; i--)
		*queued_at(h, i) = *queued_at(h, i - 1);
	return queued_at(h, place);
}

static enum err enqueue(struct spinel_host *h, uint64_t now, struct rd frame, uint32_t token, bool urgent)
{
	struct queued *q;

	if (h->state != HOST_RUNNING)
		return ERR_NOT_READY;
	if (h->count == HOST_QUEUE_MAX)
		return ERR_FULL;
	if (frame.left == 0 || frame.left > MAC_FRAME_MAX)
		return frame.left ? ERR_TOO_LONG : ERR_SHORT;
	q = urgent ? urgent_place(h) : queued_at(h, h->count);
	h->count++;
	memcpy(q->frame, frame.at, frame.left);
	q->len = frame.left;
	q->token = token;
	q->urgent = urgent;
	host_transmit_next(h, now);
	return OK;
}

enum err spinel_host_transmit(struct spinel_host *h, uint64_t now, struct rd frame, uint32_t token)
{
	return enqueue(h, now, frame, token, false);
}

enum err spinel_host_transmit_urgent(struct spinel_host *h, uint64_t now, struct rd frame, uint32_t token)
{
	return enqueue(h, now, frame, token, true);
}

enum err spinel_host_tune(struct spinel_host *h, uint64_t now, uint8_t channel)
{
	if (h->state != HOST_RUNNING || h->awaiting)
		return ERR_NOT_READY;
	h->config.channel = channel;
	host_command_awaited(h, now, SPINEL_PROP_SET, SPINEL_PHY_CHAN, rd_of(&channel, 1));
	return OK;
}

const struct radio_info *spinel_host_radio(const struct spinel_host *h)
{
	return &h->radio;
}

/* ---- source match ---- */

static void match_enable(struct spinel_host *h, bool on)
{
	uint8_t flag = on;

	host_command(h, SPINEL_PROP_SET, SPINEL_MAC_SRC_MATCH_ENABLED, rd_of(&flag, 1));
	h->match_off = !on;
}

static void match(struct spinel_host *h, uint32_t property, struct rd address, bool add)
{
	if (h->state != HOST_RUNNING || !h->radio.has_match)
		return;
	host_command(h, add ? SPINEL_PROP_INSERT : SPINEL_PROP_REMOVE, property, address);
	h->inserting = (uint16_t)((h->inserting & ~(1U << h->next_transaction)) | (unsigned)add << h->next_transaction);
	if (add)
		h->matches++;
	else if (h->matches > 0)
		h->matches--;
	if (h->matches == 0 && h->match_off) { /* room again for all that will come */
		host_command(h, SPINEL_PROP_SET, SPINEL_MAC_SRC_MATCH_SHORT_ADDRESSES, rd_of(NULL, 0));
		host_command(h, SPINEL_PROP_SET, SPINEL_MAC_SRC_MATCH_EXTENDED_ADDRESSES, rd_of(NULL, 0));
		match_enable(h, true);
	}
}

void spinel_host_match_short(struct spinel_host *h, uint16_t short_address, bool add)
{
	uint8_t buffer[2];
	struct wr w = wr_of(buffer, sizeof buffer);

	wr_le16(&w, short_address);
	match(h, SPINEL_MAC_SRC_MATCH_SHORT_ADDRESSES, rd_of(buffer, sizeof buffer), add);
}

void spinel_host_match_extended(struct spinel_host *h, uint64_t eui64, bool add)
{
	uint8_t buffer[8];
	struct wr w = wr_of(buffer, sizeof buffer);

	wr_be64(&w, eui64);
	match(h, SPINEL_MAC_SRC_MATCH_EXTENDED_ADDRESSES, rd_of(buffer, sizeof buffer), add);
}

/* A sleeper that is not in a table that is on would never be told that a frame waits. */
static void match_answer(struct spinel_host *h, uint8_t transaction, uint32_t status)
{
	if (!(h->inserting & 1U << transaction))
		return;
	h->inserting &= (uint16_t) ~(1U << transaction);
	if (status == SPINEL_STATUS_OK || status == SPINEL_STATUS_ALREADY || h->match_off)
		return;
	match_enable(h, false);
	(void)host_effect(h, SPINEL_HOST_MATCH_FULL);
}

/* ---- answers ---- */

static void lose(struct spinel_host *h, uint64_t now)
{
	(void)host_effect(h, SPINEL_HOST_LOST);
	host_fail_queue(h);
	host_reset(h, now);
}

static void sent(struct spinel_host *h, uint64_t now, uint32_t status)
{
	struct spinel_host_effect *e;

	h->awaiting = false;
	h->deadline = CLOCK_NEVER;
	if (h->awaited_property != SPINEL_STREAM_RAW) {
		host_transmit_next(h, now);
		return;
	}
	if (status == SPINEL_STATUS_INVALID_STATE) { /* it was reset without a word, and its radio is off */
		lose(h, now);
		return;
	}
	if (h->count == 0)
		return;
	e = host_effect(h, SPINEL_HOST_SENT);
	e->token = h->queue[h->first].token;
	e->acked = status == SPINEL_STATUS_OK;
	e->busy = status == SPINEL_STATUS_CCA_FAILURE || status == SPINEL_STATUS_BUSY;
	h->first = (h->first + 1) % HOST_QUEUE_MAX;
	h->count--;
	host_transmit_next(h, now);
}

static void received(struct spinel_host *h, struct rd value)
{
	struct spinel_receive rx;
	struct spinel_host_effect *e;

	if (spinel_receive_decode(value, &rx) != OK || rx.frame.left > MAC_FRAME_MAX)
		return;
	e = host_effect(h, SPINEL_HOST_RECEIVED);
	memcpy(e->octets, rx.frame.at, rx.frame.left);
	e->len = rx.frame.left;
	e->rssi = rx.rssi;
	e->lqi = rx.lqi;
}

/* What the radio says unasked. */
static void on_told(struct spinel_host *h, uint64_t now, const struct spinel_frame *f)
{
	struct rd value = f->value;
	uint32_t status;

	if (f->property == SPINEL_LAST_STATUS) {
		if (rd_packed_uint(&value, &status) && status >= SPINEL_STATUS_RESET_POWER_ON && status < SPINEL_STATUS_RESET_POWER_ON + 16)
			host_was_reset(h, now);
	} else if (f->property == SPINEL_STREAM_RAW) {
		if (h->state == HOST_RUNNING)
			received(h, f->value);
	} else {
		host_scan_told(h, now, f->property, f->value);
	}
}

static void on_frame(struct spinel_host *h, uint64_t now, const struct spinel_frame *f)
{
	struct rd value = f->value;
	uint32_t status = SPINEL_STATUS_OK;

	if (h->state == HOST_STOPPED)
		return;
	if (f->command == SPINEL_PROP_IS && f->transaction == 0) {
		on_told(h, now, f);
		return;
	}
	if (f->property == SPINEL_LAST_STATUS && !rd_packed_uint(&value, &status))
		status = SPINEL_STATUS_FAILURE;
	if (f->transaction != HOST_AWAITED_TRANSACTION)
		match_answer(h, f->transaction, status);
	else if (h->awaiting && h->state == HOST_STARTING)
		host_start_answer(h, now, f, f->property == SPINEL_LAST_STATUS ? status : SPINEL_STATUS_OK);
	else if (h->awaiting && h->state == HOST_SCANNING)
		host_scan_answer(h, now, status);
	else if (h->awaiting && h->state == HOST_RUNNING)
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
	if (h->state == HOST_RUNNING || h->state == HOST_SCANNING)
		lose(h, now);
	else
		host_reset(h, now);
}

uint64_t spinel_host_deadline(const struct spinel_host *h)
{
	return h->deadline;
}
