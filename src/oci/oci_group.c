/* Zigbee groups: which endpoints are in which, and how they come to know. Sources: ZCL 3.6, R22 2.2.4.5.
 *
 *	WANTED --Add Group Response: success, there already--> IN --not wanted any more--> LEAVING --Remove Group Response: success, not found--> gone
 *	  |  ^                                                 |
 *	  |  +-------------- it joins anew --------------------+
 *	  +--any other status--> UNABLE
 *
 * Who is LEAVING may still act on what goes to the group: until it has answered nothing does. Who left the network without a word is not told any more; but
 * the network has another key soon, and until then nothing goes to the group either. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "oci/core_private.h"
#include "oci/group_private.h"
#include "zigbee/groups.h"

#define READY_MS 5000       /* until a device is looked at again that cannot be asked yet */
#define ASK_MS 15000        /* for an answer; doubles */
#define ASK_SLEEPY_MS 30000
#define ASK_DOUBLINGS 8     /* to an hour */
#define AT_ONCE 8           /* so many listening devices are asked at the same time */
#define TURN_MS 500         /* until the others are looked at again */

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

/* Stored, and told; a group without members goes. */
static enum err changed(struct oci_core *c, struct oci_group *g)
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

static void member_drop(struct oci_group *g, struct oci_member *m)
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

static void member_set(struct oci_core *c, struct oci_member *m, enum oci_member_state s)
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
			member_set(c, m, OCI_MEMBER_WANTED);
		else if (nothing_told(m))
			member_drop(g, m);
		else
			member_set(c, m, OCI_MEMBER_LEAVING);
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
		enum err stored = changed(c, g);

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
			member_set(c, m, m->state == OCI_MEMBER_LEAVING ? OCI_MEMBER_LEAVING : OCI_MEMBER_WANTED);
			m->tries = told; /* or it has forgotten nothing */
		}
		if (any)
			(void)changed(c, g);
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
			member_drop(g, m);
			any = true;
		}
		if (any)
			(void)changed(c, g);
	}
}

/* ---- asking ---- */

void oci_group_say(struct oci_core *c, struct oci_device *d, uint8_t endpoint, uint16_t cluster, uint8_t command, const struct wr *payload)
{
	struct zcl_frame z = {.type = ZCL_CLUSTER, .sequence = d->zcl_sequence++, .command = command};

	if (wr_done(payload, &z.payload))
		(void)oci_zcl_send(c, d, endpoint, cluster, &z);
}

/* The device whose endpoint can be asked now; NULL: it cannot. */
struct oci_device *oci_group_ready(struct oci_core *c, const struct oci_member *m)
{
	struct oci_device *d = oci_core_device(c, m->eui64);

	return d && d->joined && d->interview == OCI_INTERVIEW_DONE ? d : NULL;
}

uint64_t oci_group_patience(const struct oci_device *d, unsigned tries)
{
	uint64_t first = oci_poll_patience(d, d->capability & OCI_LISTENS ? ASK_MS : ASK_SLEEPY_MS);

	return first << (tries < ASK_DOUBLINGS ? tries : ASK_DOUBLINGS);
}

static bool is_asked(const struct oci_member *m)
{
	return m->state == OCI_MEMBER_WANTED || m->state == OCI_MEMBER_LEAVING;
}

static size_t under_way(const struct oci_core *c)
{
	size_t n = 0;

	for (const struct oci_group *g = c->groups; g; g = g->next)
		for (size_t i = 0; i < g->count; i++)
			n += is_asked(&g->members[i]) && g->members[i].tries > 0 && c->now - g->members[i].asked_at < ASK_MS;
	return n;
}

static void ask(struct oci_core *c, const struct oci_group *g, struct oci_member *m, struct oci_device *d)
{
	const struct groups_message q = {.group = g->id, .name = rd_str(g->name)};
	uint8_t command = m->state == OCI_MEMBER_WANTED ? GROUPS_ADD : GROUPS_REMOVE, buffer[40];
	struct wr w = wr_of(buffer, sizeof buffer);

	if (groups_encode(false, command, &q, &w) == OK)
		oci_group_say(c, d, m->endpoint, ZCL_GROUPS, command, &w);
	m->asked_at = c->now;
	m->again = c->now + oci_group_patience(d, m->tries++);
}

/* False: the list of members, or of groups, is another now. */
static bool member_step(struct oci_core *c, struct oci_group *g, struct oci_member *m)
{
	struct oci_device *d = oci_group_ready(c, m);
	const struct oci_endpoint *e = d ? oci_endpoint(d, m->endpoint) : NULL;

	if (!d) {
		m->again = c->now + READY_MS;
	} else if (!e || !oci_endpoint_has(e, ZCL_GROUPS)) {
		oci_log(c, d, "endpoint %u has no groups: it is told what its group is told by itself", m->endpoint);
		if (m->state == OCI_MEMBER_WANTED)
			member_set(c, m, OCI_MEMBER_UNABLE);
		else
			member_drop(g, m);
		(void)changed(c, g);
		return false;
	} else if (oci_listens(d) && under_way(c) >= AT_ONCE) {
		m->again = c->now + TURN_MS;
	} else {
		ask(c, g, m, d);
	}
	return true;
}

static bool group_step(struct oci_core *c, struct oci_group *g)
{
	for (size_t i = 0; i < g->count; i++) {
		if (c->count > OCI_EFFECTS / 2)
			return true;
		if (is_asked(&g->members[i]) && c->now >= g->members[i].again && !member_step(c, g, &g->members[i]))
			return false;
	}
	return true;
}

void oci_groups_tick(struct oci_core *c)
{
	struct oci_group *g = c->groups;

	while (g && c->count <= OCI_EFFECTS / 2) {
		if (!group_step(c, g)) {
			g = c->groups;
			continue;
		}
		oci_scenes_tick(c, g);
		g = g->next;
	}
}

uint64_t oci_groups_deadline(const struct oci_core *c)
{
	uint64_t next = CLOCK_NEVER;

	for (const struct oci_group *g = c->groups; g; g = g->next) {
		for (size_t i = 0; i < g->count; i++) {
			const struct oci_member *m = &g->members[i];

			if (is_asked(m) && m->again < next)
				next = m->again;
			if (m->ordered && m->order_again < next)
				next = m->order_again;
			if (m->recall && m->recall_again < next)
				next = m->recall_again;
		}
	}
	return next;
}

/* ---- answers ---- */

static void added(struct oci_core *c, struct oci_device *d, struct oci_group *g, struct oci_member *m, uint8_t status)
{
	bool is = status == ZCL_SUCCESS || status == ZCL_DUPLICATE_EXISTS;

	if (m->state != OCI_MEMBER_WANTED)
		return;
	if (!is)
		oci_log(c, d, "endpoint %u does not join the group %04x (status %02x): it is told what that is told by itself", m->endpoint, g->id, status);
	member_set(c, m, is ? OCI_MEMBER_IN : OCI_MEMBER_UNABLE);
	(void)changed(c, g);
}

static void removed(struct oci_core *c, struct oci_group *g, struct oci_member *m, uint8_t status)
{
	if (m->state != OCI_MEMBER_LEAVING || (status != ZCL_SUCCESS && status != ZCL_NOT_FOUND))
		return;
	member_drop(g, m);
	(void)changed(c, g);
}

bool oci_groups_input(struct oci_core *c, struct oci_device *d, uint8_t endpoint, uint16_t cluster, const struct zcl_frame *z)
{
	struct groups_message r;
	struct oci_member *m;
	struct oci_group *g;

	if (cluster == ZCL_SCENES)
		return oci_scenes_input(c, d, endpoint, z);
	if (groups_decode(true, z->command, z->payload, &r) != OK || (z->command != GROUPS_ADD && z->command != GROUPS_REMOVE))
		return false;
	g = oci_group_find(c, r.group);
	m = g ? oci_group_member(g, d->eui64, endpoint) : NULL;
	if (!m)
		return false; /* an application's own question */
	if (z->command == GROUPS_ADD)
		added(c, d, g, m, r.status);
	else
		removed(c, g, m, r.status);
	return true;
}

/* It does not know the cluster, or the command: of which group is not said. */
bool oci_groups_refused(struct oci_core *c, struct oci_device *d, uint8_t endpoint, uint16_t cluster, uint8_t command, uint8_t status)
{
	if ((cluster != ZCL_GROUPS && cluster != ZCL_SCENES) || status == ZCL_SUCCESS)
		return false;
	for (struct oci_group *g = c->groups, *next; g; g = next) {
		struct oci_member *m = oci_group_member(g, d->eui64, endpoint);

		next = g->next;
		if (m && cluster == ZCL_SCENES)
			oci_scene_refused(c, g, m, command, status);
		else if (m && command == GROUPS_ADD && m->tries > 0)
			added(c, d, g, m, status);
		else if (m && command == GROUPS_REMOVE && m->tries > 0)
			removed(c, g, m, ZCL_NOT_FOUND);
	}
	return true;
}
