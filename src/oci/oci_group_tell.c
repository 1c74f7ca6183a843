/* How endpoints come to know which Zigbee groups they are in. Sources: ZCL 3.6, R22 2.2.4.5.
 *
 *	WANTED --Add Group Response: success, there already--> IN --not wanted any more--> LEAVING --Remove Group Response: success, not found--> gone
 *	  |  ^                                                 |
 *	  |  +-------------- it joins anew --------------------+
 *	  +--any other status--> UNABLE
 *
 * Who is LEAVING may still act on what goes to the group: until it has answered nothing does. Who left the network without a word is not told any more; but
 * the network has another key soon, and until then nothing goes to the group either. */
#include "base/clock.h"
#include "oci/group_private.h"
#include "zigbee/groups.h"

#define READY_MS 5000       /* until a device is looked at again that cannot be asked yet */
#define ASK_MS 15000        /* for an answer; doubles */
#define ASK_SLEEPY_MS 30000
#define ASK_DOUBLINGS 8     /* to an hour */
#define AT_ONCE 8           /* so many listening devices are asked at the same time */
#define TURN_MS 500         /* until the others are looked at again */

/* ---- asking ---- */

void oci_group_say(struct oci_core *c, struct oci_device *d, uint8_t endpoint, uint16_t cluster, uint8_t command, const struct wr *payload)
{
	struct zcl_frame z = {.type = ZCL_CLUSTER, .sequence = d->zcl_sequence++, .command = command};

	if (wr_done(payload, &z.payload))
		(void)oci_zcl_send(c, d, endpoint, cluster, &z);
}

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
			oci_group_set(c, m, OCI_MEMBER_UNABLE);
		else
			oci_group_drop(g, m);
		(void)oci_group_changed(c, g);
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
	oci_group_set(c, m, is ? OCI_MEMBER_IN : OCI_MEMBER_UNABLE);
	(void)oci_group_changed(c, g);
}

static void removed(struct oci_core *c, struct oci_group *g, struct oci_member *m, uint8_t status)
{
	if (m->state != OCI_MEMBER_LEAVING || (status != ZCL_SUCCESS && status != ZCL_NOT_FOUND))
		return;
	oci_group_drop(g, m);
	(void)oci_group_changed(c, g);
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
