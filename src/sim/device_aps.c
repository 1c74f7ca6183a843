/* The simulated device's application support layer: acknowledgements, repeats, duplicates, link-key security. */
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "sim/device_private.h"

#define APS_ACK_WAIT_MS 1600
#define APS_RETRIES 3
#define DUPLICATE_MS 10000

/* ---- out ---- */

static void remember_unacked(struct sim_device *d, uint16_t destination, uint8_t counter, struct rd octets)
{
	for (size_t i = 0; i < DEVICE_UNACKED; i++) {
		struct unacked *u = &d->unacked[i];

		if (u->used)
			continue;
		*u = (struct unacked){.used = true, .destination = destination, .counter = counter, .again = d->now + APS_ACK_WAIT_MS};
		if (!rd_copy(&octets, u->octets, (u->len = octets.left)))
			u->used = false;
		return;
	}
}

void device_aps_send(struct sim_device *d, uint16_t destination, const struct aps_frame *frame, bool seal_with_link_key)
{
	struct aps_frame f = *frame;
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd octets;
	uint32_t number;

	if (f.type != APS_ACK)
		f.counter = d->aps_counter++;
	if (seal_with_link_key) {
		if (counter_take(&d->aps_out, device_reserve_aps, d, &number) != OK ||
		    aps_seal(d->link.set.link, AUX_KEY_DATA, 0, true, d->config.eui64, number, &f, &w) != OK)
			return;
	} else if (aps_frame_encode(&f, &w) != OK) {
		return;
	}
	if (!wr_done(&w, &octets))
		return;
	if (f.ack_request)
		remember_unacked(d, destination, f.counter, octets);
	device_nwk_send(d, NWK_DATA, destination, octets);
}

static void acknowledge(struct sim_device *d, const struct arrival *a)
{
	struct aps_frame ack;

	if (!a->f.ack_request || a->f.delivery != APS_UNICAST || a->broadcast)
		return;
	aps_ack_for(&a->f, &ack);
	device_aps_send(d, a->source, &ack, false);
}

void device_aps_tick(struct sim_device *d)
{
	for (size_t i = 0; i < DEVICE_UNACKED; i++) {
		struct unacked *u = &d->unacked[i];

		if (!u->used || d->now < u->again)
			continue;
		if (u->tries++ == APS_RETRIES) {
			u->used = false;
			device_event(d, "not-acknowledged", "\"counter\":%u", u->counter);
			continue;
		}
		u->again = d->now + APS_ACK_WAIT_MS;
		device_nwk_send(d, NWK_DATA, u->destination, rd_of(u->octets, u->len));
	}
}

uint64_t device_aps_deadline(const struct sim_device *d)
{
	uint64_t next = CLOCK_NEVER;

	for (size_t i = 0; i < DEVICE_UNACKED; i++)
		if (d->unacked[i].used && d->unacked[i].again < next)
			next = d->unacked[i].again;
	return next;
}

void device_aps_forget(struct sim_device *d)
{
	memset(d->unacked, 0, sizeof d->unacked);
	memset(d->duplicates, 0, sizeof d->duplicates);
}

/* ---- in ---- */

static bool seen(const struct sim_device *d, const struct arrival *a)
{
	for (size_t i = 0; i < DEVICE_DUPLICATES; i++)
		if (d->duplicates[i].used && d->duplicates[i].counter == a->f.counter && d->duplicates[i].source == a->source &&
		    d->now - d->duplicates[i].at < DUPLICATE_MS)
			return true;
	return false;
}

static void remember(struct sim_device *d, const struct arrival *a)
{
	d->duplicates[d->duplicate_next].used = true;
	d->duplicates[d->duplicate_next].counter = a->f.counter;
	d->duplicates[d->duplicate_next].source = a->source;
	d->duplicates[d->duplicate_next].at = d->now;
	d->duplicate_next = (d->duplicate_next + 1) % DEVICE_DUPLICATES;
}

static void on_ack(struct sim_device *d, const struct arrival *a)
{
	for (size_t i = 0; i < DEVICE_UNACKED; i++)
		if (d->unacked[i].used && d->unacked[i].counter == a->f.counter && d->unacked[i].destination == a->source) {
			d->unacked[i].used = false;
			device_event(d, "acknowledged", "\"counter\":%u", a->f.counter);
		}
}

/* Opens under the present link key, or under the unique one that waits for its confirmation. The counter of each key rises by itself.
 * ERR_REPLAY: genuine, but heard before. */
static enum err open_sealed(struct sim_device *d, struct arrival *a, struct aux_header *aux, uint8_t plain[static NWK_FRAME_MAX], enum sealed_under *under)
{
	struct trust_link *l = &d->link;
	enum err e = aps_open_set(&l->set, d->trust_centre, &a->f, aux, plain, &a->payload);

	*under = SEALED_LINK;
	if (e != OK && d->fresh.set.link) {
		l = &d->fresh;
		*under = SEALED_FRESH;
		e = aps_open_set(&l->set, d->trust_centre, &a->f, aux, plain, &a->payload);
	}
	if (e != OK)
		return e;
	if (device_joined(d) && aux->extended_nonce && aux->source != d->trust_centre)
		return ERR_NOT_AUTHORISED; /* sealed rightly, but by another than our Trust Centre */
	if (!counter_in_fresh(&l->in, aux->frame_counter))
		return ERR_REPLAY;
	counter_in_accept(&l->in, aux->frame_counter);
	return OK;
}

static void deliver(struct sim_device *d, struct arrival *a, bool secured, enum sealed_under under, const struct aux_header *aux)
{
	/* What comes without network security is a Transport-Key and nothing else, and nobody could read our acknowledgement. */
	if (secured && a->f.type != APS_ACK) {
		acknowledge(d, a);
		if (seen(d, a))
			return;
		remember(d, a);
	}
	if (a->f.type == APS_ACK)
		on_ack(d, a);
	else if (a->f.type == APS_COMMAND)
		device_tc_input(d, a, under, aux);
	else if (a->f.profile == APS_PROFILE_ZDP && a->f.destination_endpoint == APS_ENDPOINT_ZDO)
		device_zdo_input(d, a);
	else
		device_zcl_input(d, a);
}

static void sealed_input(struct sim_device *d, struct arrival *a, bool secured)
{
	uint8_t plain[NWK_FRAME_MAX];
	enum sealed_under under;
	struct aux_header aux;
	enum err e = open_sealed(d, a, &aux, plain, &under);

	if (e == OK)
		deliver(d, a, secured, under, &aux);
	else if (e == ERR_REPLAY && secured && seen(d, a))
		acknowledge(d, a); /* our acknowledgement was lost */
	else
		device_event(d, secured ? "frame-dropped" : "transport-key-rejected", "\"reason\":\"%s\"", err_text(e));
	bytes_wipe(plain, sizeof plain);
}

void device_aps_input(struct sim_device *d, struct rd octets, uint16_t source, bool broadcast, bool secured)
{
	struct arrival a = {.source = source, .broadcast = broadcast};

	if (aps_frame_decode(octets, &a.f) != OK)
		return;
	a.payload = a.f.payload;
	/* Without network security nothing counts but a sealed command to a device that waits for its key. */
	if (!secured && !(a.f.type == APS_COMMAND && a.f.security && d->state == DEVICE_AWAITING_KEY && !broadcast))
		return;
	if (a.f.security)
		sealed_input(d, &a, secured);
	else
		deliver(d, &a, secured, SEALED_NOT, NULL);
}
