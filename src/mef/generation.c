/* The generations of a device's keys: what is made when, and how long the former one stays. */
#include "mef/life_private.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "loop/log.h"

const struct mef_generation *mef_generation_in_use(const struct mef_device *d)
{
	return d->former && !(d->present && d->present->joined) ? d->former : d->present;
}

const struct mef_generation *generation_verified(const struct mef_device *d)
{
	const struct mef_generation *g = mef_generation_in_use(d);

	return g && (g->tc.base_unique || g->tc.state == TRUST_VERIFIED) ? g : NULL;
}

/* By association a device comes with its install code, by an unsecured rejoin with the unique link key that it verified (R22 4.6.3.3.2);
 * an install code's key would let anybody who reads the label take the device over. A device that was reset counts its frames from the
 * start: what it said under a former network key can't be replayed under this one. */
static enum err base_key(const struct mef_device *d, bool keeps, struct trust_centre *tc)
{
	const struct mef_generation *from = keeps ? generation_verified(d) : NULL;
	const struct secret *key = keeps ? NULL : d->install;

	if (from) {
		key = from->tc.state == TRUST_VERIFIED ? from->tc.fresh.link : from->tc.base.link;
		tc->in_base = from->tc.state == TRUST_VERIFIED ? from->tc.in_fresh : from->tc.in_base;
	}
	if (!key)
		return ERR_NOT_PERMITTED;
	tc->base_unique = from != NULL;
	return link_key_set_take(&tc->base, secret_dup(key));
}

static enum err generation_new(struct mef *m, const struct mef_device *d, uint64_t coordinator, bool keeps, bool rotation, struct mef_generation **out)
{
	struct mef_generation *g = calloc(1, sizeof *g);
	uint8_t random[16];
	enum err e;

	if (!g)
		return ERR_NO_MEMORY;
	rng_fill(m->rng, random, sizeof random);
	hex_print(g->key_id, random, sizeof random);
	g->number = mef_store_generation_after(m->store, d->present ? d->present->number : 0);
	g->of_group = d->group ? d->group->generation : 0;
	g->sequence = (uint8_t)((d->group ? g->of_group : g->number) - 1);
	g->rotation = rotation;
	g->registered_at = clock_unix_ms() / 1000;
	g->tc.device = d->eui64;
	g->tc.coordinator = coordinator;
	g->network = d->group ? secret_dup(d->group->network) : secret_random(m->rng, SECRET_AES128);
	e = g->network ? base_key(d, keeps, &g->tc) : ERR_NO_MEMORY;
	if (e == OK)
		e = mef_key_offer(m, d, g); /* first: what the registry has too much goes at the next start */
	if (e == OK)
		e = mef_store_generation_put(m->store, d, g);
	if (e != OK) {
		mef_generation_free(g);
		return e;
	}
	*out = g;
	return OK;
}

void generation_drop(struct mef *m, const struct mef_device *d, struct mef_generation *g)
{
	if (g && mef_store_generation_delete(m->store, d->eui64, g->number) != OK)
		log_line(LOG_LEVEL_ERROR, "a former key could not be deleted", "device=%016llx", (unsigned long long)d->eui64);
	else if (g)
		mef_key_withdraw(m, g->key_id);
	if (g)
		mef_key_unlink(m, g);
	mef_generation_free(g);
}

/* With its group's present key, if it is in one. */
static enum err generation_put(struct mef *m, struct mef_device *d, uint64_t coordinator, bool keeps, bool rotation)
{
	struct mef_generation *g;
	enum err e = generation_new(m, d, coordinator, keeps, rotation, &g);

	if (e != OK)
		return e;
	if (d->present && d->present->joined) {
		generation_drop(m, d, d->former);
		d->former = d->present;
	} else if (d->present) {
		generation_drop(m, d, d->present);
	}
	d->present = g;
	mef_key_link(m, d, g);
	return OK;
}

static enum err generation_add(struct mef *m, struct mef_device *d, uint64_t coordinator, bool keeps, bool rotation)
{
	enum err e = mef_group_key(m, d, rotation);

	return e == OK ? generation_put(m, d, coordinator, keeps, rotation) : e;
}

enum err mef_generation_next(struct mef *m, struct mef_device *d, uint64_t coordinator, bool rotation)
{
	return generation_add(m, d, coordinator, generation_verified(d) != NULL, rotation);
}

/* A key that never left is good for the next try too; otherwise there is a new one, and the last that the device used stays beside it. */
enum err generation_ready(struct mef *m, struct mef_device *d, uint64_t coordinator, bool rejoin)
{
	const struct mef_generation *g = d->present;

	if (g && !g->offered && !g->rotation && g->tc.base_unique == rejoin && g->tc.coordinator == coordinator && (!d->group || g->of_group == d->group->generation))
		return OK;
	return generation_add(m, d, coordinator, rejoin, false);
}

static bool counted_under(const struct mef_generation *g, const struct mef_application *a)
{
	return g && g->joined && g->of_group == a->generation;
}

/* What the router does not have it could not pass on: the group's present key, and no other. A child that was heard under that one and associates may count its
 * frames from the start, so that all have to have another first; by a Trust Centre rejoin, which keeps its counters, it is given the one that it has. One that
 * was not heard is given the same again: it may have asked in vain many times. */
enum err generation_behind(struct mef *m, struct mef_device *d, const struct mef_device *router, uint64_t coordinator, bool rejoin)
{
	const struct mef_generation *of_router = mef_generation_in_use(router), *g = d->present;
	struct mef_application *a = d->group;
	enum err e;

	if (!a || router->group != a || !of_router || !of_router->joined)
		return ERR_NOT_PERMITTED;
	if (rejoin && of_router->of_group == a->generation && counted_under(g, a)) {
		d->again = true;
		return OK;
	}
	if (!rejoin && (counted_under(g, a) || counted_under(d->former, a)))
		e = mef_group_renew(m, a, "member joins again through a router");
	else if (of_router->of_group != a->generation)
		e = mef_group_require(m, a);
	else if (g && !g->joined && !g->rotation && g->of_group == a->generation && g->tc.base_unique == rejoin && g->tc.coordinator == coordinator)
		return OK;
	else
		return generation_put(m, d, coordinator, rejoin, false);
	return e == OK ? ERR_NOT_READY : e;
}
