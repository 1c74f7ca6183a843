/* How a device becomes a child: beacons, association by the join policy, the Trust Centre rejoin. */
#include "gateway/coordinator_private.h"

#include <string.h>

#include "base/clock.h"
#include "zigbee/beacon.h"

#define SUPERFRAME 0x0fff    /* no beacons, no superframe; the permit bit comes on top */
#define REJOIN_EVERY_MS 5000 /* a Trust Centre rejoin of a child is passed on so often */
#define BEACONS_A_SECOND 20

void coordinator_policy(struct coordinator *c, uint64_t now, uint16_t duration_s, const uint64_t *devices, size_t count)
{
	if (count > EGP_POLICY_DEVICES_MAX)
		count = EGP_POLICY_DEVICES_MAX;
	if (count > 0)
		memcpy(c->admitted, devices, count * sizeof *devices);
	c->admitted_count = count;
	c->joining_until = count == 0 || duration_s == 0 ? 0 : duration_s == EGP_UNTIL_CHANGED ? CLOCK_NEVER : now + duration_s * 1000ULL;
}

bool coordinator_joining(const struct coordinator *c, uint64_t now)
{
	return c->admitted_count > 0 && now < c->joining_until;
}

static bool admitted(const struct coordinator *c, uint64_t now, uint64_t eui64)
{
	for (size_t i = 0; i < c->admitted_count; i++)
		if (c->admitted[i] == eui64)
			return coordinator_joining(c, now);
	return false;
}

void join_beacon(struct coordinator *c, uint64_t now)
{
	const struct zigbee_beacon z = {
		.stack_profile = 2,
		.protocol_version = 2,
		.router_capacity = true, /* they are served as leaves */
		.end_device_capacity = true,
		.extended_pan_id = c->config.extended_pan_id,
		.tx_offset = 0xffffff,
	};
	uint8_t inner[16], outer[32];
	struct wr zw = wr_of(inner, sizeof inner), bw = wr_of(outer, sizeof outer);
	struct mac_beacon b = {.superframe = SUPERFRAME, .pan_coordinator = true, .association_permit = coordinator_joining(c, now)};
	struct mac_frame f = {.type = MAC_BEACON, .sequence = c->beacon_sequence++, .source = queue_own_address(c, false)};

	if (now / 1000 != c->beacon_second) {
		c->beacon_second = now / 1000;
		c->beacons = 0;
	}
	if (++c->beacons > BEACONS_A_SECOND) /* a flood of requests must not fill our air time */
		return;
	if (zigbee_beacon_encode(&z, &zw) != OK || !wr_done(&zw, &b.payload) || mac_beacon_encode(&b, &bw) != OK || !wr_done(&bw, &f.payload))
		return;
	(void)queue_transmit(c, &f, true);
}

static void answer_association(struct coordinator *c, uint64_t now, struct slot *s, uint16_t short_address, uint8_t status)
{
	struct mac_command m = {.id = MAC_ASSOCIATION_RESPONSE, .association = {short_address, status}};
	uint8_t buffer[8];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd octets;

	for (struct item *i = s->first; i; i = i->next)
		if (i->command)
			return; /* a repeated request: its answer waits already */
	if (mac_command_encode(&m, &w) == OK && wr_done(&w, &octets))
		queue_add(c, s, 0, true, now + PERSISTENCE_MS, octets);
}

static uint16_t free_short(struct coordinator *c)
{
	for (;;) {
		uint16_t a = (uint16_t)rng_u32(c->rng);

		if (slot_address_is_free(c, a, NULL))
			return a;
	}
}

/* A flood of strangers, who are all refused, must not keep out a device that is welcome: it takes the place of one. */
static struct slot *slot_of_stranger(struct coordinator *c, uint64_t eui64)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct slot *s = &c->slots[i];

		if (!s->used || slot_is_child(s))
			continue;
		queue_drop(c, s);
		queue_match(c, s);
		slot_end(c, s);
		return slot_new(c, eui64);
	}
	return NULL;
}

/* One that was to go begins anew: what waits for it is from before. */
static void end_former(struct coordinator *c, struct slot *s)
{
	for (const struct item *i = s->first; i; i = i->next)
		if (!i->command)
			queue_report(c, s->child.eui64, i->id, EGP_NO_SUCH_DEVICE);
	queue_drop(c, s);
	queue_match(c, s);
	slot_end(c, s);
}

void join_association(struct coordinator *c, uint64_t now, uint64_t eui64, uint8_t capability)
{
	struct slot *s = slot_find(c, eui64);
	bool welcome = admitted(c, now, eui64), known = s != NULL;
	struct coordinator_effect *e;

	if (s && welcome && (s->child.dropped || s->child.removed)) {
		end_former(c, s);
		s = NULL;
	}
	if (!s)
		s = slot_new(c, eui64);
	if (!s && welcome)
		s = slot_of_stranger(c, eui64);
	if (!s)
		return;
	if (!welcome) {
		e = coordinator_effect(c, COORDINATOR_DENIED);
		e->eui64 = eui64;
		/* An unknown one is no child: forgotten when it has its answer, or by time. */
		answer_association(c, now, s, s->child.short_address, MAC_ASSOCIATION_DENIED);
		s->child.last_heard = known ? s->child.last_heard : now;
		return;
	}
	if (!slot_is_child(s))
		slot_address(c, s, free_short(c));
	if (!s->child.confirmed)
		s->child.capability = capability;
	s->child.last_heard = now;
	answer_association(c, now, s, s->child.short_address, MAC_ASSOCIATION_SUCCESS);
	e = coordinator_effect(c, COORDINATOR_ASSOCIATED);
	e->eui64 = eui64;
	e->short_address = s->child.short_address;
	e->capability = capability;
	(void)coordinator_effect(c, COORDINATOR_SAVE);
}

/* The one NWK command that means something in clear, R22 4.6.3.3.2. Anybody can send it in a child's name: it changes nothing of the child, and what the
 * Trust Centre answers opens under the child's own link key alone. */
void join_rejoin(struct coordinator *c, uint64_t now, struct slot *s, const struct nwk_frame *nwk)
{
	struct coordinator_effect *e;
	struct nwk_command m;

	if (!nwk->has_source_eui64 || nwk->source != s->child.short_address || !slot_is_child(s) || nwk_command_decode(nwk->payload, &m) != OK || m.id != NWK_REJOIN_REQUEST)
		return;
	if (s->rejoin_at && now - s->rejoin_at < REJOIN_EVERY_MS)
		return;
	s->rejoin_at = now;
	e = coordinator_effect(c, COORDINATOR_REJOIN);
	e->eui64 = s->child.eui64;
	e->short_address = s->child.short_address;
	e->capability = m.rejoin_request.capability;
}

void coordinator_rejoin_granted(struct coordinator *c, uint64_t now, uint64_t eui64)
{
	struct slot *s = slot_find(c, eui64);
	const struct nwk_command m = {.id = NWK_REJOIN_RESPONSE, .rejoin_response = {.short_address = s ? s->child.short_address : 0}};
	struct nwk_frame f = {
		.type = NWK_COMMAND,
		.protocol_version = 2,
		.source = NWK_COORDINATOR,
		.radius = 1,
		.sequence = c->sequence,
		.has_destination_eui64 = true,
		.has_source_eui64 = true,
		.destination_eui64 = eui64,
		.source_eui64 = c->config.eui64,
	};
	uint8_t command[8], octets[NWK_FRAME_MAX];
	struct wr p = wr_of(command, sizeof command), w = wr_of(octets, sizeof octets);

	if (!s || !s->rejoin_at)
		return;
	s->rejoin_at = 0;
	f.destination = s->child.short_address;
	if (nwk_command_encode(&m, &p) == OK && wr_done(&p, &f.payload) && nwk_frame_encode(&f, &w) == OK)
		queue_add(c, s, COORDINATOR_TRANSPORT_KEY, false, now + PERSISTENCE_MS, rd_of(octets, w.len));
}
