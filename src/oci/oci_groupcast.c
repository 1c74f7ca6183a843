/* Groupcasts: APS group addressing in a NWK broadcast of one hop. Sources: R22 clauses 2.2.4.1.1, 2.2.8.4.2, 3.6.5.
 *
 * Receivers keep two lists of what they heard from us: of broadcasts by their NWK sequence number (the broadcast transaction table), and of APS frames of
 * any kind by their APS counter. What is in one is not taken again, and when the first is full a broadcast is dropped. Both lists are by our address and go
 * over from one network key to the next. So what was broadcast lately is remembered by the network's name, and a groupcast that might not be taken is not
 * sent: each member is told by itself then. A broadcast goes one hop, unless members are behind routers: those pass it on, sealed by themselves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oci/core_private.h"

#define DELIVERY_MS 9000  /* nwkNetworkBroadcastDeliveryTime: an entry's life in the broadcast transaction table */
#define TABLE 8           /* entries that each stack has, and a few for others than us */
#define DUPLICATE_MS 20000 /* longer than any stack remembers an APS counter */
#define COUNTERS (256 - OCI_APS_UNICAST)
_Static_assert((DUPLICATE_MS / DELIVERY_MS + 1) * TABLE <= COUNTERS, "an APS counter comes again when nobody remembers it any more");

struct oci_air {
	struct oci_air *next;
	char network[OCI_NAME];
	uint8_t sequence, counter; /* NWK; APS, less than COUNTERS */
	struct { bool used; uint64_t at; } sent[TABLE];
	size_t oldest;
};

void oci_airs_free(struct oci_core *c)
{
	while (c->airs) {
		struct oci_air *a = c->airs;

		c->airs = a->next;
		free(a);
	}
}

static struct oci_air *air_of(struct oci_core *c, const char *network)
{
	struct oci_air *a = c->airs;

	while (a && strcmp(a->network, network) != 0)
		a = a->next;
	if (a || (a = calloc(1, sizeof *a)) == NULL)
		return a;
	snprintf(a->network, sizeof a->network, "%s", network);
	a->sequence = (uint8_t)rng_u32(c->config.rng);
	a->counter = (uint8_t)rng_below(c->config.rng, COUNTERS);
	a->next = c->airs;
	c->airs = a;
	return a;
}

/* What a former run has sent is not known. */
static bool may_send(const struct oci_core *c, const struct oci_air *a)
{
	return !(c->restored && c->now - c->restored_at < DUPLICATE_MS) && !(a->sent[a->oldest].used && c->now - a->sent[a->oldest].at < DELIVERY_MS);
}

bool oci_listens(const struct oci_device *d)
{
	return d->capability & OCI_LISTENS && d->joined && d->present.network;
}

uint8_t oci_groupcast_sequence(struct oci_core *c)
{
	return ++c->group_sequence;
}

/* Who hears the gateway itself, of those that the way to d leads by; NULL: it is not known. */
static struct oci_device *first_hop(struct oci_core *c, struct oci_device *d)
{
	for (unsigned i = 0; d && d->parent; i++)
		d = i < OCI_RELAYS ? oci_core_device(c, d->parent) : NULL;
	return d;
}

bool oci_groupcast(struct oci_core *c, struct oci_device *via, bool far, uint16_t group, uint16_t cluster, const struct zcl_frame *z)
{
	struct aps_frame f = {
		.type = APS_DATA,
		.delivery = APS_GROUP,
		.group = group,
		.cluster = cluster,
		.profile = APS_PROFILE_HOME_AUTOMATION,
		.source_endpoint = OCI_ENDPOINT,
	};
	struct oci_air *a = air_of(c, via->present.network->name);
	struct oci_device *hop = first_hop(c, via);
	uint8_t zcl[NWK_FRAME_MAX], aps[NWK_FRAME_MAX];
	struct wr inner = wr_of(zcl, sizeof zcl), outer = wr_of(aps, sizeof aps);
	struct rd payload;

	if (!a || !hop || hop->present.network != via->present.network || !may_send(c, a))
		return false;
	f.counter = (uint8_t)(OCI_APS_UNICAST + a->counter);
	if (zcl_encode(z, &inner) != OK || !wr_done(&inner, &f.payload) || aps_frame_encode(&f, &outer) != OK || !wr_done(&outer, &payload))
		return false;
	a->counter = (uint8_t)((a->counter + 1) % COUNTERS);
	a->sent[a->oldest].used = true;
	a->sent[a->oldest].at = c->now;
	a->oldest = (a->oldest + 1) % TABLE;
	oci_nwk_broadcast(c, hop, NWK_BROADCAST_RX_ON, far, a->sequence++, payload);
	return true;
}
