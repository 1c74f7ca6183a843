/* The radio co-processor. */
#include "sim/rcp.h"

#include <stdlib.h>
#include <string.h>

#include "sim/rcp_private.h"

#define HEARD_DBM (-50) /* the simulated air has no distances */
#define EFFECTS_MAX 128 /* an answer, and all that the radio has */

/* A full list drops the oldest: whoever drains it does so after every call. */
struct rcp_effect *rcp_effect_add(struct rcp *r, enum rcp_effect_type type)
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

void rcp_to_host(struct rcp *r, uint8_t transaction, uint32_t command, uint32_t property, struct rd value)
{
	const struct spinel_frame f = {.transaction = transaction, .command = command, .property = property, .value = value};
	struct rcp_effect *e = rcp_effect_add(r, RCP_HOST);
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
		rcp_to_host(r, transaction, SPINEL_PROP_IS, SPINEL_LAST_STATUS, value);
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
	radio_set_ack_wait(r->radio, r->ack_wait_ms);
	radio_set_coordinator(r->radio, true);
	r->phy_enabled = r->raw_stream = r->promiscuous = r->match = false;
	r->rx_on = true;
	r->pan_id = r->short_address = MAC_BROADCAST;
	r->tx_power = 0;
	r->scan_until = 0;
	apply(r);
}

static void answer_value(struct rcp *r, const struct spinel_frame *f)
{
	uint8_t buffer[RCP_VALUE_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd value;

	rcp_put_value(r, f->property, &w);
	if (w.len == 0)
		status(r, f->transaction, SPINEL_STATUS_PROP_NOT_FOUND);
	else if (wr_done(&w, &value))
		rcp_to_host(r, f->transaction, SPINEL_PROP_IS, f->property, value);
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
		rcp_to_host(r, f->transaction, add ? SPINEL_PROP_INSERTED : SPINEL_PROP_REMOVED, f->property, f->value);
	else
		status(r, f->transaction, add ? SPINEL_STATUS_NOMEM : SPINEL_STATUS_ITEM_NOT_FOUND);
}

static void set_property(struct rcp *r, const struct spinel_frame *f)
{
	if (f->property == SPINEL_STREAM_RAW) {
		transmit(r, f);
	} else if (rcp_set_value(r, f->property, f->value)) {
		apply(r);
		rcp_to_host(r, f->transaction, SPINEL_PROP_IS, f->property, f->value);
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
		rcp_to_host(r, 0, SPINEL_PROP_IS, SPINEL_STREAM_RAW, value);
}

static void on_sent(struct rcp *r, const struct radio_effect *e)
{
	uint8_t buffer[8];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd value;

	wr_packed_uint(&w, e->status == RADIO_OK ? SPINEL_STATUS_OK : e->status == RADIO_NO_ACK ? SPINEL_STATUS_NO_ACK : SPINEL_STATUS_CCA_FAILURE);
	wr_u8(&w, e->frame_pending);
	if (wr_done(&w, &value))
		rcp_to_host(r, (uint8_t)e->token, SPINEL_PROP_IS, SPINEL_LAST_STATUS, value);
}

static void pump(struct rcp *r)
{
	struct radio_effect e;

	radio_tick(r->radio, r->now);
	while (radio_output(r->radio, &e)) {
		struct rcp_effect *out;

		switch (e.type) {
		case RADIO_SEND:
			out = rcp_effect_add(r, RCP_AIR);
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
	r->ack_wait_ms = RADIO_ACK_WAIT_MS;
	rcp_restart(r);
	return r;
}

void rcp_ack_wait(struct rcp *r, uint32_t ms)
{
	r->ack_wait_ms = ms;
	radio_set_ack_wait(r->radio, ms);
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
	if (r->scan_until) {
		r->scan_dbm = HEARD_DBM;
		return;
	}
	if (!r->phy_enabled)
		return;
	radio_input(r->radio, now, psdu);
	pump(r);
}

void rcp_tick(struct rcp *r, uint64_t now)
{
	r->now = now;
	if (r->scan_until && now >= r->scan_until)
		rcp_end_scan(r);
	pump(r);
}

uint64_t rcp_deadline(const struct rcp *r)
{
	uint64_t radio = radio_deadline(r->radio);

	return r->scan_until && r->scan_until < radio ? r->scan_until : radio;
}
