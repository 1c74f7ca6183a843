/* The coordinator's children: found by EUI-64 or by short address, and asked for one after the other. */
#include "gateway/coordinator_private.h"

#include <string.h>


struct slot *slot_find(const struct coordinator *c, uint64_t eui64)
{
	for (struct table_node *n = table_find(&c->by_eui64, table_hash(eui64)); n; n = table_find_next(n))
		if (table_owner(n, struct slot, eui64_node)->child.eui64 == eui64)
			return table_owner(n, struct slot, eui64_node);
	return NULL;
}

struct slot *slot_find_short(const struct coordinator *c, uint16_t short_address)
{
	struct table_node *n = table_find(&c->by_short, table_hash(short_address)); /* of 16 bits no two have the same hash */

	return table_owner(n, struct slot, short_node);
}

struct slot *slot_new(struct coordinator *c, uint64_t eui64)
{
	for (size_t i = 0; c->by_eui64.count < CHILDREN_MAX && i < CHILDREN_MAX; i++) {
		struct slot *s = &c->slots[i];

		if (s->used)
			continue;
		memset(s, 0, sizeof *s);
		s->used = true;
		s->last = &s->first;
		s->child.eui64 = eui64;
		s->child.short_address = MAC_BROADCAST;
		table_add(&c->by_eui64, &s->eui64_node, table_hash(eui64));
		c->walk_index = c->walk_slot = 0;
		return s;
	}
	return NULL;
}

bool slot_is_child(const struct slot *s)
{
	return s->child.short_address != MAC_BROADCAST; /* otherwise it was only ever refused */
}

bool child_listens(const struct child *child)
{
	return child->capability & MAC_CAPABILITY_RX_ON_WHEN_IDLE;
}

void slot_address(struct coordinator *c, struct slot *s, uint16_t short_address)
{
	if (slot_is_child(s))
		table_remove(&c->by_short, &s->short_node);
	s->child.short_address = short_address;
	if (slot_is_child(s))
		table_add(&c->by_short, &s->short_node, table_hash(short_address));
}

void slot_end(struct coordinator *c, struct slot *s)
{
	queue_drop(c, s);
	slot_address(c, s, MAC_BROADCAST);
	table_remove(&c->by_eui64, &s->eui64_node);
	s->used = false;
	c->walk_index = c->walk_slot = 0;
}

bool slot_holds(const struct slot *s)
{
	for (const struct item *i = s->first; i; i = i->next)
		if (!i->command)
			return true;
	return false;
}

bool slot_leave(struct coordinator *c, uint64_t now, struct slot *s)
{
	bool ends = s->child.dropped || (s->child.removed && now >= s->last_words);
	struct coordinator_effect *e;

	if (!ends || slot_holds(s))
		return false;
	queue_drop(c, s);
	queue_match(c, s); /* while its address is known */
	if (s->child.removed) {
		e = coordinator_effect(c, COORDINATOR_ENDED);
		e->eui64 = s->child.eui64;
	}
	slot_end(c, s);
	(void)coordinator_effect(c, COORDINATOR_SAVE);
	return true;
}

bool slot_address_is_free(struct coordinator *c, uint16_t short_address, const struct slot *but)
{
	struct slot *s = slot_find_short(c, short_address);

	return nwk_address_is_device(short_address) && (!s || s == but);
}

struct child *coordinator_child(struct coordinator *c, uint64_t eui64)
{
	struct slot *s = slot_find(c, eui64);

	return s ? &s->child : NULL;
}

bool coordinator_holds(const struct coordinator *c, uint64_t eui64)
{
	const struct slot *s = slot_find(c, eui64);

	return s && slot_holds(s);
}

/* Asked for one after the other, as they are, each costs one step. */
struct child *coordinator_child_at(struct coordinator *c, size_t index)
{
	size_t before = index >= c->walk_index ? c->walk_index : 0;

	for (size_t i = index >= c->walk_index ? c->walk_slot : 0; i < CHILDREN_MAX; i++) {
		if (!c->slots[i].used || before++ != index)
			continue;
		c->walk_index = index;
		c->walk_slot = i;
		return &c->slots[i].child;
	}
	return NULL;
}

bool coordinator_restore(struct coordinator *c, const struct child *child)
{
	struct slot *s = slot_find(c, child->eui64) || !slot_address_is_free(c, child->short_address, NULL) ? NULL : slot_new(c, child->eui64);

	if (!s)
		return false;
	s->child = *child;
	s->child.short_address = MAC_BROADCAST;
	slot_address(c, s, child->short_address);
	s->child.last_heard = 0;
	return true;
}
