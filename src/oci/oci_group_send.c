/* UPDATEs that came together: what all members of a Zigbee group are to do goes to those that listen as one groupcast. */
#include <stdlib.h>
#include <string.h>

#include "oci/group_private.h"

bool oci_group_closed(const struct oci_group *g)
{
	for (size_t i = 0; i < g->count; i++)
		if (g->members[i].state == OCI_MEMBER_LEAVING)
			return true;
	return false;
}

bool oci_group_reaches(const struct oci_group *g, const struct oci_member *m, const struct oci_device *d)
{
	const struct oci_network *n = d ? d->present.network : NULL;

	return m->state == OCI_MEMBER_IN && n && oci_listens(d) && n->policy == OCI_POLICY_GROUP && n->generation > g->barred && strcmp(n->name, g->network) == 0;
}

/* While a key changes, members have different ones. */
bool oci_group_together(const struct oci_device *d, const struct oci_device *e)
{
	return d->present.network == e->present.network && d->gateway == e->gateway;
}

/* A member, and its own order of the frame that all members have. */
struct hit {
	const struct oci_member *member;
	struct oci_order *order;
	size_t frame;
};

static bool hit_find(const struct oci_member *m, const struct oci_order *like, const struct oci_frame *f, struct oci_order *orders, size_t count, struct hit *hit)
{
	for (size_t i = 0; i < count; i++) {
		struct oci_order *o = &orders[i];

		if (!o->d || o->d->eui64 != m->eui64)
			continue;
		for (size_t k = 0; k < o->frame_count; k++) {
			if (o->d->endpoints[o->frames[k].endpoint].id != m->endpoint || !oci_frame_equal(like->d, f, o->d, &o->frames[k]))
				continue;
			*hit = (struct hit){m, o, k};
			return true;
		}
	}
	return false;
}

/* False: a member is to do something else, or nothing. */
static bool hits_find(const struct oci_group *g, const struct oci_order *like, const struct oci_frame *f, struct oci_order *orders, size_t count, struct hit *hits)
{
	for (size_t i = 0; i < g->count; i++)
		if (!hit_find(&g->members[i], like, f, orders, count, &hits[i]))
			return false;
	return true;
}

static bool wants(const struct oci_group *g, const struct hit *h)
{
	return h->order->frames[h->frame].news && oci_group_reaches(g, h->member, h->order->d);
}

/* To all from the i-th on that hear the same groupcast; nothing when that is one alone, which is better told by itself. False: no groupcast now. */
static bool send_together(struct oci_core *c, const struct oci_group *g, struct hit *hits, size_t i)
{
	struct oci_device *via = hits[i].order->d;
	const struct oci_frame *f = &hits[i].order->frames[hits[i].frame];
	struct zcl_frame z = oci_frame_zcl(f, oci_groupcast_sequence(c));
	bool far = false;
	size_t n = 0;

	for (size_t k = i; k < g->count; k++) {
		if (!wants(g, &hits[k]) || !oci_group_together(via, hits[k].order->d))
			continue;
		far = far || hits[k].order->d->parent != 0;
		n++;
	}
	if (n < 2)
		return true;
	z.disable_default_response = true;
	if (f->by_attribute)
		z.command = ZCL_WRITE_NO_RESPONSE;
	if (!oci_groupcast(c, via, far, g->id, f->point->cluster, &z))
		return false;
	for (size_t k = i; k < g->count; k++)
		if (wants(g, &hits[k]) && oci_group_together(via, hits[k].order->d))
			oci_order_sent(c, hits[k].order, hits[k].frame, z.sequence, true, c->now + c->groupcast_ms);
	return true;
}

static void send_frame(struct oci_core *c, const struct oci_group *g, const struct oci_order *like, const struct oci_frame *frame, struct oci_order *orders, size_t count)
{
	const struct oci_frame f = *frame; /* the frames change on the way */
	struct hit *hits = calloc(g->count, sizeof *hits);
	bool go_on = hits && hits_find(g, like, &f, orders, count, hits);

	for (size_t i = 0; i < g->count && go_on; i++)
		if (wants(g, &hits[i]))
			go_on = send_together(c, g, hits, i);
	free(hits);
}

/* All of a group have what its first member has, or it is nothing for the group. */
static void send_group(struct oci_core *c, const struct oci_group *g, struct oci_order *orders, size_t count)
{
	if (g->count < 2 || oci_group_closed(g))
		return;
	for (size_t i = 0; i < count; i++) {
		const struct oci_order *o = &orders[i];

		if (!o->d || o->d->eui64 != g->members[0].eui64)
			continue;
		for (size_t k = 0; k < o->frame_count; k++)
			if (o->d->endpoints[o->frames[k].endpoint].id == g->members[0].endpoint)
				send_frame(c, g, o, &o->frames[k], orders, count);
	}
}

/* More than there is room for goes when its turn comes: as what nobody has heard of. */
static void send_rest(struct oci_core *c, struct oci_order *o)
{
	if (c->count <= OCI_EFFECTS / 2) {
		oci_order_send(c, o);
		return;
	}
	for (size_t i = 0; i < o->frame_count; i++)
		if (o->frames[i].news)
			oci_order_sent(c, o, i, o->d->zcl_sequence++, true, c->now);
}

void oci_core_updates(struct oci_core *c, uint64_t now, const struct oci_update *updates, size_t count)
{
	struct oci_order *orders = calloc(count, sizeof *orders);

	c->now = now;
	if (!orders) {
		for (size_t i = 0; i < count; i++)
			oci_core_update(c, now, updates[i].eui64, updates[i].name, updates[i].members);
		return;
	}
	for (size_t i = 0; i < count; i++)
		oci_order_make(c, &updates[i], &orders[i]);
	for (const struct oci_group *g = c->groups; g; g = g->next)
		send_group(c, g, orders, count);
	for (size_t i = 0; i < count; i++)
		send_rest(c, &orders[i]);
	free(orders);
}
