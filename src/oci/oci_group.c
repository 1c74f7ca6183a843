/* Zigbee groups: which there are, and which endpoints are in which. How these come to know is oci_group_tell.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oci/group_private.h"
#include "zigbee/groups.h"

void oci_core_keep_groups(struct oci_core *c, enum err (*save)(void *ctx, const struct oci_group *g), void *ctx)
{
	c->save_group = save;
	c->save_group_ctx = ctx;
}

void oci_core_groupcast_patience(struct oci_core *c, uint64_t ms)
{
	c->groupcast_ms = ms;
}

static void group_free(struct oci_group *g)
{
	free(g->members);
	free(g);
}

void oci_groups_free(struct oci_core *c)
{
	while (c->groups) {
		struct oci_group *g = c->groups;

		c->groups = g->next;
		group_free(g);
	}
}

bool oci_group_save(struct oci_core *c, const struct oci_group *g)
{
	return !c->save_group || c->save_group(c->save_group_ctx, g) == OK;
}

struct oci_group *oci_group_find(struct oci_core *c, uint16_t id)
{
	struct oci_group *g = c->groups;

	while (g && g->id != id)
		g = g->next;
	return g;
}

const struct oci_group *oci_core_groups(const struct oci_core *c)
{
	return c->groups;
}

const struct oci_group *oci_core_group_of(const struct oci_core *c, uint16_t id)
{
	const struct oci_group *g = c->groups;

	while (g && g->id != id)
		g = g->next;
	return g;
}

bool oci_core_grouped(const struct oci_core *c, uint64_t eui64)
{
	for (const struct oci_group *g = c->groups; g; g = g->next)
		for (size_t i = 0; i < g->count; i++)
			if (g->members[i].eui64 == eui64)
				return true;
	return false;
}

struct oci_member *oci_group_member(struct oci_group *g, uint64_t eui64, uint8_t endpoint)
{
	for (size_t i = 0; i < g->count; i++)
		if (g->members[i].eui64 == eui64 && g->members[i].endpoint == endpoint)
			return &g->members[i];
	return NULL;
}

/* ---- making and changing ---- */

/* A random one: a device that comes back after a long time may think that it is in a group that nobody has any more. */
static uint16_t free_id(struct oci_core *c)
{
	uint16_t id;

	do
		id = (uint16_t)(GROUPS_FIRST + rng_below(c->config.rng, GROUPS_LAST - GROUPS_FIRST + 1));
	while (oci_group_find(c, id));
	return id;
}

static struct oci_group *group_add(struct oci_core *c)
{
	struct oci_group *g;
	size_t n = 0;

	for (g = c->groups; g; g = g->next)
		n++;
	if (n >= OCI_GROUPS || (g = calloc(1, sizeof *g)) == NULL)
		return NULL;
	g->next = c->groups;
	c->groups = g;
	return g;
}

enum err oci_group_changed(struct oci_core *c, struct oci_group *g)
{
	struct oci_group **link = &c->groups;
	enum err e = OK;

	if (g->count == 0)
		g->source[0] = '\0';
	if (!oci_group_save(c, g))
		e = ERR_STORE;
	oci_effect(c, OCI_GROUP, NULL)->group = g->id;
	if (g->count > 0)
		return e;
	while (*link != g)
		link = &(*link)->next;
	*link = g->next;
	group_free(g);
	return e;
}

void oci_group_drop(struct oci_group *g, struct oci_member *m)
{
	size_t i = (size_t)(m - g->members);

	g->count--;
	memmove(m, m + 1, (g->count - i) * sizeof *m);
}

static enum err member_add(struct oci_core *c, struct oci_group *g, const struct oci_endpoint_of *e)
{
	struct oci_member *more;

	if (g->count == OCI_GROUP_MEMBERS)
		return ERR_FULL;
	more = realloc(g->members, (g->count + 1) * sizeof *more);
	if (!more)
		return ERR_NO_MEMORY;
	g->members = more;
	more[g->count++] = (struct oci_member){.eui64 = e->eui64, .endpoint = e->endpoint, .state = OCI_MEMBER_WANTED, .again = c->now};
	return OK;
}

void oci_group_set(struct oci_core *c, struct oci_member *m, enum oci_member_state s)
{
	m->state = s;
	m->tries = 0;
	m->again = c->now;
	m->ordered = false;
	m->recall = 0;
}

/* The network that it shares; NULL: none. */
static const char *network_of(struct oci_core *c, uint64_t eui64)
{
	const struct oci_device *d = oci_core_device(c, eui64);
	const struct oci_network *n = d ? d->present.network : NULL;

	return n && n->policy == OCI_POLICY_GROUP ? n->name : NULL;
}

static bool is_in(struct oci_core *c, uint64_t eui64, const char *network)
{
	const char *n = network_of(c, eui64);

	return n && strcmp(n, network) == 0;
}

static bool is_wished(const struct oci_endpoint_of *wishes, size_t n, const struct oci_member *m)
{
	for (size_t i = 0; i < n; i++)
		if (wishes[i].eui64 == m->eui64 && wishes[i].endpoint == m->endpoint)
			return true;
	return false;
}

/* What a former run has told is not known, and counts as told. */
static bool nothing_told(const struct oci_member *m)
{
	return m->state == OCI_MEMBER_UNABLE || (m->state == OCI_MEMBER_WANTED && m->tries == 0);
}

/* Who is there and is not wished any more, or is again. */
static bool members_review(struct oci_core *c, struct oci_group *g, const struct oci_endpoint_of *wishes, size_t n)
{
	bool any = false;

	for (size_t i = g->count; i > 0; i--) {
		struct oci_member *m = &g->members[i - 1];
		bool wished = is_wished(wishes, n, m);

		if (wished != (m->state == OCI_MEMBER_LEAVING))
			continue;
		any = true;
		if (wished)
			oci_group_set(c, m, OCI_MEMBER_WANTED);
		else if (nothing_told(m))
			oci_group_drop(g, m);
		else
			oci_group_set(c, m, OCI_MEMBER_LEAVING);
	}
	return any;
}

static enum err group_set(struct oci_core *c, struct oci_group *g, const char *name, const struct oci_endpoint_of *wishes, size_t n)
{
	bool any = members_review(c, g, wishes, n);
	enum err e = OK;

	if (n > 0)
		snprintf(g->name, sizeof g->name, "%s", name);
	for (size_t i = 0; i < n && e == OK; i++) {
		if (!is_in(c, wishes[i].eui64, g->network) || oci_group_member(g, wishes[i].eui64, wishes[i].endpoint))
			continue;
		e = member_add(c, g, &wishes[i]);
		any = true;
	}
	if (any || g->count == 0) {
		enum err stored = oci_group_changed(c, g);

		e = e == OK ? stored : e;
	}
	return e;
}

static size_t sharing(struct oci_core *c, const char *network, const struct oci_endpoint_of *wishes, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += is_in(c, wishes[i].eui64, network);
	return k;
}

static bool has_group(const struct oci_core *c, const char *source, const char *network)
{
	for (const struct oci_group *g = c->groups; g; g = g->next)
		if (strcmp(g->source, source) == 0 && strcmp(g->network, network) == 0)
			return true;
	return false;
}

enum err oci_core_group(struct oci_core *c, uint64_t now, const char *source, const char *name, const struct oci_endpoint_of *members, size_t count)
{
	enum err e = OK, one;

	c->now = now;
	for (struct oci_group *g = c->groups, *next; g; g = next) {
		next = g->next;
		if (strcmp(g->source, source) == 0 && (one = group_set(c, g, name, members, count)) != OK)
			e = one;
	}
	for (size_t i = 0; i < count; i++) {
		const char *network = network_of(c, members[i].eui64);
		struct oci_group *g;

		if (!network || has_group(c, source, network) || sharing(c, network, members, count) < 2)
			continue;
		g = group_add(c);
		if (!g)
			return ERR_FULL;
		g->id = free_id(c);
		snprintf(g->source, sizeof g->source, "%s", source);
		snprintf(g->network, sizeof g->network, "%s", network);
		if ((one = group_set(c, g, name, members, count)) != OK)
			e = one;
	}
	return e;
}

enum err oci_core_group_restore(struct oci_core *c, const struct oci_group *stored)
{
	struct oci_group *g = group_add(c), *next;

	if (!g)
		return ERR_FULL;
	next = g->next;
	*g = *stored;
	g->next = next;
	g->members = calloc(stored->count, sizeof *g->members);
	if (!g->members) {
		g->count = 0;
		return ERR_NO_MEMORY;
	}
	memcpy(g->members, stored->members, stored->count * sizeof *g->members);
	for (size_t i = 0; i < g->count; i++)
		g->members[i].tries = 1;
	return OK;
}

/* ---- life of a device ---- */

void oci_groups_joined(struct oci_core *c, struct oci_device *d)
{
	for (struct oci_group *g = c->groups, *next; g; g = next) {
		bool any = false;

		next = g->next;
		for (size_t i = 0; i < g->count; i++) {
			struct oci_member *m = &g->members[i];
			bool told = !nothing_told(m);

			if (m->eui64 != d->eui64)
				continue;
			any = any || m->state != OCI_MEMBER_LEAVING;
			oci_group_set(c, m, m->state == OCI_MEMBER_LEAVING ? OCI_MEMBER_LEAVING : OCI_MEMBER_WANTED);
			m->tries = told; /* or it has forgotten nothing */
		}
		if (any)
			(void)oci_group_changed(c, g);
	}
}

void oci_groups_forget(struct oci_core *c, const struct oci_device *d)
{
	const struct oci_network *n = d->present.network;

	for (struct oci_group *g = c->groups, *next; g; g = next) {
		bool any = false;

		next = g->next;
		for (size_t i = g->count; i > 0; i--) {
			struct oci_member *m = &g->members[i - 1];

			if (m->eui64 != d->eui64)
				continue;
			if (!nothing_told(m) && n && n->generation > g->barred)
				g->barred = n->generation;
			oci_group_drop(g, m);
			any = true;
		}
		if (any)
			(void)oci_group_changed(c, g);
	}
}
