/* The coordinator's application support layer: acknowledgements and repeats, duplicates, fragments, and the way to the EG. */
#include <string.h>

#include "base/clock.h"
#include "base/table.h"
#include "oci/core_private.h"

#define APS_WAIT_MS 2500 /* 1.6 s on air, and the way through two CSEs */
#define APS_WAIT_SLEEPY_MS 7000
#define APS_RETRIES 3
#define DUPLICATE_MS 20000

/* ---- out ---- */

/* Those behind it are groupcasts': a receiver keeps one list of what it heard of us lately, whoever of them it was for. */
uint8_t oci_aps_counter(struct oci_device *d)
{
	uint8_t counter = d->aps_counter % OCI_APS_UNICAST;

	d->aps_counter = (uint8_t)((counter + 1) % OCI_APS_UNICAST);
	return counter;
}

static bool sleepy(const struct oci_device *d)
{
	return !(d->capability & 0x08);
}

static void expect_ack(struct oci_core *c, struct oci_device *d, uint8_t counter, struct rd octets)
{
	for (size_t i = 0; i < OCI_SENDING; i++) {
		struct oci_sending *s = &d->sending[i];

		if (s->used)
			continue;
		*s = (struct oci_sending){.used = true};
		d->sending_count++;
		s->counter = counter;
		s->tries = 0;
		s->again = c->now + (sleepy(d) ? APS_WAIT_SLEEPY_MS : APS_WAIT_MS);
		memcpy(s->octets, octets.at, octets.left);
		s->len = octets.left;
		return;
	}
}

static void send_octets(struct oci_core *c, struct oci_device *d, struct rd octets, bool ack_request, uint8_t counter)
{
	if (ack_request)
		expect_ack(c, d, counter, octets);
	oci_nwk_send(c, d, NWK_DATA, octets);
}

void oci_aps_send(struct oci_core *c, struct oci_device *d, const struct aps_frame *frame)
{
	struct aps_frame f = *frame;
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd octets;

	if (f.type != APS_ACK)
		f.counter = oci_aps_counter(d);
	if (aps_frame_encode(&f, &w) == OK && wr_done(&w, &octets))
		send_octets(c, d, octets, f.ack_request, f.counter);
}

void oci_zdo_send(struct oci_core *c, struct oci_device *d, const struct zdo_message *m)
{
	uint8_t buffer[100];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct aps_frame f = {.type = APS_DATA, .ack_request = true, .cluster = m->cluster, .profile = APS_PROFILE_ZDP};

	if (zdo_encode(m, &w) == OK && wr_done(&w, &f.payload))
		oci_aps_send(c, d, &f);
}

void oci_core_aps(struct oci_core *c, uint64_t now, uint64_t eui64, struct rd aps, bool ack, uint8_t ack_counter)
{
	struct oci_device *d = oci_core_device(c, eui64);
	struct aps_frame f, acknowledgement = {.type = APS_ACK, .ack_format = true, .counter = ack_counter};

	c->now = now;
	if (!d)
		return;
	if (ack)
		oci_aps_send(c, d, &acknowledgement);
	if (aps.left > 0) {
		d->pending.told = d->pending.rotation;
		d->pending.probing = false;
	}
	if (aps.left > 0 && aps.left <= NWK_FRAME_MAX && aps_frame_decode(aps, &f) == OK)
		send_octets(c, d, aps, f.ack_request, f.counter);
}

uint8_t oci_core_lend_counter(struct oci_core *c, uint64_t eui64)
{
	struct oci_device *d = oci_core_device(c, eui64);

	return d ? oci_aps_counter(d) : 0;
}

void oci_aps_tick(struct oci_core *c, struct oci_device *d)
{
	for (size_t i = 0; d->sending_count > 0 && i < OCI_SENDING; i++) {
		struct oci_sending *s = &d->sending[i];

		if (!s->used || c->now < s->again)
			continue;
		if (s->tries++ == APS_RETRIES) {
			s->used = oci_poll_holds(c, d, s);
			if (!s->used)
				d->sending_count--;
			s->tries = APS_RETRIES; /* until it is released, or waited long enough */
			continue;
		}
		s->again = c->now + (sleepy(d) ? APS_WAIT_SLEEPY_MS : APS_WAIT_MS);
		oci_nwk_send(c, d, NWK_DATA, rd_of(s->octets, s->len));
	}
}

uint64_t oci_aps_deadline(const struct oci_device *d)
{
	uint64_t next = CLOCK_NEVER;

	for (size_t i = 0; d->sending_count > 0 && i < OCI_SENDING; i++)
		if (d->sending[i].used && d->sending[i].again < next)
			next = d->sending[i].again;
	return next;
}

void oci_aps_withdraw(struct oci_device *d)
{
	memset(d->sending, 0, sizeof d->sending);
	d->sending_count = 0;
}

void oci_aps_forget(struct oci_device *d)
{
	oci_aps_withdraw(d);
	memset(d->duplicates, 0, sizeof d->duplicates);
}

/* ---- in ---- */

/* R22 2.2.8.4.2 has the counter alone. A device that was started anew counts from somewhere, perhaps where it was some seconds ago: another message with
 * a former one's counter would be acknowledged and lost. A repeat has the same octets. */
static bool duplicate(struct oci_core *c, struct oci_device *d, uint8_t counter, struct rd message)
{
	uint64_t content = table_hash_octets(message.at, message.left);

	for (size_t i = 0; i < OCI_DUPLICATES; i++)
		if (d->duplicates[i].used && d->duplicates[i].counter == counter && d->duplicates[i].content == content && c->now - d->duplicates[i].at < DUPLICATE_MS)
			return true;
	d->duplicates[d->duplicate_next].used = true;
	d->duplicates[d->duplicate_next].counter = counter;
	d->duplicates[d->duplicate_next].content = content;
	d->duplicates[d->duplicate_next].at = c->now;
	d->duplicate_next = (d->duplicate_next + 1) % OCI_DUPLICATES;
	return false;
}

/* APS commands are the Trust Centre's: passed up as they are, with a counter lent for the answer. */
static void pass_up(struct oci_core *c, struct oci_device *d, struct rd aps)
{
	struct oci_effect *e;

	if (!c->config.answer_commissioning || aps.left > sizeof((struct oci_effect *)0)->octets)
		return;
	e = oci_effect(c, OCI_APS_RELAY, d);
	memcpy(e->octets, aps.at, aps.left);
	e->len = aps.left;
	e->counter = oci_aps_counter(d);
}

static void zdo_input(struct oci_core *c, struct oci_device *d, const struct aps_frame *f, struct rd payload)
{
	if (!oci_router_zdo(c, d, f, payload))
		oci_zdo_input(c, d, f, payload);
}

/* What is acknowledged is not sent again: a reading that is lost afterwards is lost for good. */
static void hold_acknowledgement(struct oci_core *c, const struct oci_device *d, uint8_t counter, uint64_t from, uint64_t end, bool again)
{
	bool kept = again; /* what it said the first time may still be on its way */

	if (c->made - from > OCI_EFFECTS)
		return;
	for (uint64_t i = end; i < c->made; i++)
		kept = kept || c->effects[i % OCI_EFFECTS].type == OCI_VALUE || c->effects[i % OCI_EFFECTS].type == OCI_RAW;
	for (uint64_t i = from; kept && i < end; i++) {
		c->effects[i % OCI_EFFECTS].when_kept = true;
		c->effects[i % OCI_EFFECTS].counter = counter;
		c->effects[i % OCI_EFFECTS].losses = d->losses;
	}
}

bool oci_core_kept(struct oci_core *c, const struct oci_effect *acknowledgement, bool kept)
{
	struct oci_device *d = oci_core_device(c, acknowledgement->eui64);

	if (!d)
		return false;
	if (kept)
		return acknowledgement->losses == d->losses;
	d->losses++;
	for (size_t i = 0; i < OCI_DUPLICATES; i++)
		if (d->duplicates[i].counter == acknowledgement->counter)
			d->duplicates[i].used = false;
	return false;
}

/* Each fragment is acknowledged; the whole message is one frame like any other. */
static void on_fragment(struct oci_core *c, struct oci_device *d, const struct aps_frame *f)
{
	uint64_t from = c->made, end;
	struct aps_frame ack;
	struct rd whole;
	bool again;
	enum err e = f->security ? ERR_UNSUPPORTED : aps_reassembler_take(&d->fragments, c->now, f, &whole, &ack);

	if (e != OK) {
		oci_log(c, d, "fragment refused: %s", err_text(e));
		return;
	}
	oci_aps_send(c, d, &ack);
	end = c->made;
	if (whole.left == 0)
		return;
	again = duplicate(c, d, f->counter, whole);
	if (!again && f->profile == APS_PROFILE_ZDP)
		zdo_input(c, d, f, whole);
	else if (!again)
		oci_zcl_input(c, d, f, whole);
	hold_acknowledgement(c, d, f->counter, from, end, again);
}

static void take(struct oci_core *c, struct oci_device *d, const struct aps_frame *f, struct rd octets)
{
	if (f->type == APS_COMMAND)
		pass_up(c, d, octets);
	else if (f->security)
		return;
	else if (f->profile == APS_PROFILE_ZDP)
		zdo_input(c, d, f, f->payload);
	else
		oci_zcl_input(c, d, f, f->payload);
}

void oci_aps_input(struct oci_core *c, struct oci_device *d, struct rd octets)
{
	uint64_t from = c->made, end;
	struct aps_frame f, ack;
	bool again;

	if (aps_frame_decode(octets, &f) != OK)
		return;
	if (f.type == APS_ACK) {
		for (size_t i = 0; i < OCI_SENDING; i++)
			if (d->sending[i].used && d->sending[i].counter == f.counter) {
				d->sending[i].used = false;
				d->sending_count--;
			}
		return;
	}
	/* What is APS-sealed may be forged by nobody who lacks the link key, but only the EG can tell: it decides about acknowledgement and
	 * repeats of those. */
	if (f.type == APS_COMMAND && f.security) {
		pass_up(c, d, octets);
		return;
	}
	if (f.extended_header && f.fragmentation != APS_NOT_FRAGMENTED) {
		on_fragment(c, d, &f);
		return;
	}
	if (f.ack_request && f.delivery == APS_UNICAST) {
		aps_ack_for(&f, &ack);
		oci_aps_send(c, d, &ack);
	}
	end = c->made;
	again = duplicate(c, d, f.counter, octets);
	if (!again)
		take(c, d, &f, octets);
	hold_acknowledgement(c, d, f.counter, from, end, again);
}
