/* Application groups of policy `group`: one network key for all devices of an application, each of which keeps its own link keys and its own
 * generations, in which the group's key stands. The group's key goes on to its next generation, and all members to that, when a member is removed (it
 * reads nothing afterwards), when one joins again (it may count its frames from the start, and must not do so under a key that it counted under), on
 * demand and on schedule. docs/protocols/zigbee.md, "Application groups". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "loop/log.h"
#include "mef/mef.h"

#define WAIT_MS 30000 /* for the Transport-Keys of members that are awake, before one is told to switch */
#define RX_ON 0x08

bool mef_device_is_sleepy(const struct mef_device *d)
{
	return !(d->capability & RX_ON);
}

/* ---- registration ---- */

struct mef_application *mef_application_find(struct mef *m, const char *name)
{
	struct mef_application *a = m->applications;

	while (a && strcmp(a->name, name) != 0)
		a = a->next;
	return a;
}

void mef_member_link(struct mef *m, struct mef_device *d)
{
	struct mef_application *a = mef_application_find(m, d->application);

	if (!a || a->policy != MEF_POLICY_GROUP)
		return;
	d->group = a;
	d->next_member = a->members;
	a->members = d;
}

void mef_member_unlink(struct mef_device *d)
{
	struct mef_device **link = d->group ? &d->group->members : NULL;

	while (link && *link && *link != d)
		link = &(*link)->next_member;
	if (link && *link)
		*link = d->next_member;
	if (d->group && d->group->follow == d)
		d->group->follow = d->next_member;
	d->group = NULL;
}

static bool has_devices(const struct mef *m, const char *application)
{
	for (const struct mef_device *d = mef_device_next(m, NULL); d; d = mef_device_next(m, d))
		if (strcmp(d->application, application) == 0)
			return true;
	return false;
}

static enum err application_check(struct mef *m, const struct mef_application_order *o, struct mef_application *a, char message[static 256])
{
	if (!mef_name_parse(o->name, a->name, sizeof a->name, "-_. ")) {
		snprintf(message, 256, "`name` may hold letters, digits, '-', '_', '.' and spaces, at most %d", MEF_NAME_MAX - 1);
		return ERR_BAD_VALUE;
	}
	if (!rd_is(o->policy, "group") && !rd_is(o->policy, "device")) {
		snprintf(message, 256, "`policy` must be `group` (one network key for all devices of the application) or `device` (one for each)");
		return ERR_BAD_VALUE;
	}
	a->policy = rd_is(o->policy, "group") ? MEF_POLICY_GROUP : MEF_POLICY_DEVICE;
	if (!rd_starts(o->owner, "/") || !mef_name_parse(o->owner, a->owner, sizeof a->owner, "/-_.")) {
		snprintf(message, 256, "`owner` is not a CSE-ID: give the node that may talk to the application's devices, such as /id-b");
		return ERR_BAD_VALUE;
	}
	if (mef_application_find(m, a->name)) {
		snprintf(message, 256, "application `%s` is registered already", a->name);
		return ERR_EXISTS;
	}
	if (has_devices(m, a->name)) {
		snprintf(message, 256, "application `%s` has devices already, under keys of their own: register it before them", a->name);
		return ERR_STATE;
	}
	return OK;
}

enum err mef_application_add(struct mef *m, const struct mef_application_order *o, struct mef_application **out, char message[static 256])
{
	struct mef_application *a = calloc(1, sizeof *a);
	enum err e;

	snprintf(message, 256, "the application could not be stored; look into the MEF's log");
	if (!a)
		return ERR_NO_MEMORY;
	e = application_check(m, o, a, message);
	if (e == OK)
		e = mef_audit(m, "application registered", 0, NULL, a->owner, a->name);
	if (e == OK)
		e = mef_store_application_put(m->store, a);
	if (e != OK) {
		mef_application_free(a);
		return e;
	}
	log_line(LOG_LEVEL_INFO, "application registered", "application=\"%s\" policy=%s owner=%s", a->name, a->policy == MEF_POLICY_GROUP ? "group" : "device", a->owner);
	a->next = m->applications;
	m->applications = a;
	*out = a;
	return OK;
}

/* ---- its key ---- */

/* On disk before anybody is given it. required: from now on members must have this one. */
static enum err next_key(struct mef *m, struct mef_application *a, bool required)
{
	struct mef_application next = *a;
	enum err e;

	next.network = secret_random(m->rng, SECRET_AES128);
	if (!next.network)
		return ERR_NO_MEMORY;
	next.generation = mef_store_generation_after(m->store, a->generation);
	if (required) {
		next.required = next.generation;
		next.required_at = clock_unix_ms() / 1000;
	}
	e = mef_store_application_put(m->store, &next);
	if (e != OK) {
		secret_free(next.network);
		return e;
	}
	secret_free(a->network);
	*a = next;
	return OK;
}

static bool had(const struct mef_generation *g, const struct mef_application *a)
{
	return g && g->of_group == a->generation;
}

enum err mef_group_key(struct mef *m, struct mef_device *d, bool rotation)
{
	struct mef_application *a = d->group;
	const struct mef_generation *in_use = mef_generation_in_use(d);

	if (!a)
		return OK;
	if (a->generation > 0 && (rotation ? in_use && in_use->of_group < a->generation : !had(d->present, a) && !had(d->former, a)))
		return OK;
	return next_key(m, a, false);
}

static bool is_member_in_use(const struct mef_device *d)
{
	const struct mef_generation *g = mef_generation_in_use(d);

	return (d->state == DEVICE_JOINED || d->state == DEVICE_VERIFIED) && g && g->joined;
}

bool mef_group_is_behind(const struct mef_device *d)
{
	return d->group && is_member_in_use(d) && mef_generation_in_use(d)->of_group < d->group->required;
}

static bool is_late(const struct mef *m, const struct mef_application *a)
{
	return m->config.group_hours && a->required_at + (uint64_t)m->config.group_hours * 60 * 60 < clock_unix_ms() / 1000;
}

/* True: work was done for it. */
static bool follow_one(struct mef *m, struct mef_application *a, struct mef_device *d)
{
	char message[256];

	if (!mef_group_is_behind(d))
		return false;
	if (is_late(m, a)) { /* what it has is of no use to anybody: no other member has it any more */
		mef_device_expel(m, d, "it was away while the key of its group was replaced; it may join again");
		return true;
	}
	if (!mef_rotation_possible(m, d))
		return false;
	if (mef_rotation_begin(m, d, a->name, message) != OK)
		log_line(LOG_LEVEL_WARNING, "a member of a group could not be given its next key", "device=%016llx reason=\"%s\"", (unsigned long long)d->eui64, message);
	return true;
}

/* Each costs several durable writes. */
static void follow_some(struct mef *m, struct mef_application *a)
{
	for (unsigned n = 0; a->follow && n < MEF_AT_ONCE;) {
		struct mef_device *d = a->follow;

		a->follow = d->next_member;
		n += follow_one(m, a, d);
	}
	if (a->follow)
		m->more_at = clock_ms(); /* the others when everybody else has had their turn */
}

void mef_group_follow(struct mef *m, struct mef_application *a)
{
	a->follow = a->members;
	follow_some(m, a);
}

void mef_groups_go_on(struct mef *m)
{
	for (struct mef_application *a = m->applications; a; a = a->next)
		follow_some(m, a);
}

enum err mef_group_renew(struct mef *m, struct mef_application *a, const char *why)
{
	char detail[MEF_NAME_MAX + 64];
	enum err e;

	if (a->generation == 0)
		return OK; /* nobody has a key of it */
	e = next_key(m, a, true);
	if (e != OK)
		return e;
	snprintf(detail, sizeof detail, "%s, generation %u, %s", a->name, a->generation, why);
	(void)mef_audit(m, "group key replaced", 0, NULL, a->owner, detail);
	log_line(LOG_LEVEL_INFO, "group key replaced", "application=\"%s\" generation=%u reason=\"%s\"", a->name, a->generation, why);
	mef_group_follow(m, a);
	return OK;
}

static enum err require(struct mef *m, struct mef_application *a, uint32_t generation)
{
	uint32_t before = a->required;
	enum err e = OK;

	if (generation > before) {
		a->required = generation;
		a->required_at = clock_unix_ms() / 1000;
		e = mef_store_application_put(m->store, a);
	}
	if (e != OK) {
		a->required = before; /* at the next join, or the next time that it is looked */
		log_line(LOG_LEVEL_ERROR, "application could not be stored", "application=\"%s\"", a->name);
	}
	mef_group_follow(m, a);
	return e;
}

enum err mef_group_require(struct mef *m, struct mef_application *a)
{
	return require(m, a, a->generation);
}

/* An association that nobody completes makes no work for the others: they are asked only now. */
void mef_group_joined(struct mef *m, struct mef_device *d)
{
	if (d->group && d->present)
		(void)require(m, d->group, d->present->of_group);
}

/* A router that has switched passes nothing on to a child that does not have the key: its sleepers have to have polled. */
static bool keeps_waiting(const struct mef_device *other, const struct mef_device *d)
{
	bool untold = other->rotation == MEF_ROTATION_KEY || other->rotation == MEF_ROTATION_TRANSPORT;

	if (other->rotation_tries >= 2)
		return false;
	if (!mef_device_is_sleepy(other))
		return untold;
	return other->router == d->eui64 && (untold || other->rotation == MEF_ROTATION_PAUSE);
}

bool mef_group_waits(const struct mef_device *d)
{
	if (!d->group || clock_ms() - d->rotation_begun >= WAIT_MS)
		return false;
	for (const struct mef_device *other = d->group->members; other; other = other->next_member)
		if (keeps_waiting(other, d))
			return true;
	return false;
}

void mef_group_tick(struct mef *m)
{
	for (struct mef_application *a = m->applications; a; a = a->next)
		mef_group_follow(m, a);
}
