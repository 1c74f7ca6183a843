/* The simulated router as a parent: its beacon, permission to join, association of children, and what it tells the Trust Centre of them. A child of it
 * gets no further than association unless the Trust Centre sends it a key: R22 4.6.3.2 and 4.6.3.6. */
#include "sim/device_private.h"
#include "zigbee/beacon.h"

#define SUPERFRAME 0x0fff
#define CHILD_MS 20000 /* without a key */

void device_parent_permit(struct sim_device *d, uint8_t seconds)
{
	d->router.permit_until = seconds == 0xff ? UINT64_MAX : d->now + seconds * 1000ULL;
	device_event(d, "permit-joining", "\"seconds\":%u", seconds);
}

static bool open(const struct sim_device *d)
{
	return d->now < d->router.permit_until;
}

static void beacon(struct sim_device *d)
{
	const struct zigbee_beacon z = {.stack_profile = 2, .protocol_version = 2, .router_capacity = true, .depth = 1, .end_device_capacity = true,
		.extended_pan_id = d->extended_pan_id, .tx_offset = 0xffffff};
	struct mac_beacon b = {.superframe = SUPERFRAME, .association_permit = open(d)};
	struct mac_frame f = {.type = MAC_BEACON, .source = {MAC_ADDRESS_SHORT, d->pan_id, d->short_address, 0}};
	uint8_t inner[16], outer[32];
	struct wr zw = wr_of(inner, sizeof inner), bw = wr_of(outer, sizeof outer);

	if (zigbee_beacon_encode(&z, &zw) == OK && wr_done(&zw, &b.payload) && mac_beacon_encode(&b, &bw) == OK && wr_done(&bw, &f.payload))
		device_mac_send(d, &f);
}

static struct device_child *child_of(struct sim_device *d, uint64_t eui64)
{
	for (size_t i = 0; i < DEVICE_CHILDREN; i++)
		if (d->router.children[i].used && d->router.children[i].eui64 == eui64)
			return &d->router.children[i];
	return NULL;
}

static struct device_child *child_new(struct sim_device *d, uint64_t eui64)
{
	for (size_t i = 0; i < DEVICE_CHILDREN; i++) {
		struct device_child *c = &d->router.children[i];

		if (c->used && d->now < c->since + CHILD_MS)
			continue;
		*c = (struct device_child){.used = true, .eui64 = eui64};
		do
			c->short_address = (uint16_t)rng_u32(d->config.rng);
		while (!nwk_address_is_device(c->short_address) || c->short_address == d->short_address);
		return c;
	}
	return NULL;
}

static void on_association(struct sim_device *d, uint64_t eui64)
{
	struct device_child *c = child_of(d, eui64);

	if (!open(d))
		return;
	if (!c)
		c = child_new(d, eui64);
	if (!c)
		return;
	c->since = d->now;
	c->answer_waits = true;
}

/* The response goes when it is polled for; then the Trust Centre is told. */
static void on_poll(struct sim_device *d, uint64_t eui64)
{
	struct device_child *c = child_of(d, eui64);
	struct mac_command m = {.id = MAC_ASSOCIATION_RESPONSE};
	struct mac_frame f = {
		.ack_request = true,
		.pan_id_compression = true,
		.destination = {MAC_ADDRESS_EXTENDED, d->pan_id, 0, eui64},
		.source = {MAC_ADDRESS_EXTENDED, d->pan_id, 0, d->config.eui64},
	};

	if (!c || !c->answer_waits)
		return;
	c->answer_waits = false;
	m.association.short_address = c->short_address;
	device_mac_command(d, &m, &f);
	device_event(d, "child-associated", "\"child\":\"%016llx\"", (unsigned long long)eui64);
	device_tc_update(d, eui64, c->short_address);
}

void device_parent_command(struct sim_device *d, const struct mac_frame *f)
{
	struct mac_command m;

	if (!device_joined(d) || d->state < DEVICE_NEGOTIATING || d->state > DEVICE_COMMISSIONED || mac_command_decode(f->payload, &m) != OK)
		return;
	if (m.id == MAC_BEACON_REQUEST)
		beacon(d);
	else if (m.id == MAC_ASSOCIATION_REQUEST && f->source.mode == MAC_ADDRESS_EXTENDED)
		on_association(d, f->source.extended);
	else if (m.id == MAC_DATA_REQUEST && f->source.mode == MAC_ADDRESS_EXTENDED)
		on_poll(d, f->source.extended);
}

void device_parent_remove(struct sim_device *d, uint64_t eui64)
{
	struct device_child *c = child_of(d, eui64);

	if (!c)
		return;
	c->used = false;
	device_event(d, "child-removed", "\"child\":\"%016llx\"", (unsigned long long)eui64);
}
