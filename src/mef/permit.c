/* Who may join at a gateway and until when, as the operator said: on disk before the gateway hears of it, so that a window stays open, and closes, as it was
 * announced, whatever restarts meanwhile. */
#include "mef/mef.h"

#include <string.h>

#include "base/clock.h"
#include "loop/log.h"

static uint64_t now_s(void)
{
	return clock_unix_ms() / 1000;
}

static bool joined_already(const struct mef_device *d)
{
	return d->state == DEVICE_VERIFIED;
}

/* Those that are not on the network come first, those that are may come again. False: there are more. */
static bool candidates(struct mef *m, const struct mef_gateway *g, uint64_t devices[static EGP_POLICY_DEVICES_MAX], size_t *count)
{
	for (int again = 0; again < 2; again++) {
		for (const struct mef_device *d = mef_device_next(m, NULL); d; d = mef_device_next(m, d)) {
			if (d->state == DEVICE_REMOVED || joined_already(d) != again || strcmp(d->gateway, g->name) != 0)
				continue;
			if (*count == EGP_POLICY_DEVICES_MAX)
				return false;
			devices[(*count)++] = d->eui64;
		}
	}
	return true;
}

static enum err open_to_all(struct mef *m, struct mef_gateway *g, uint16_t seconds, size_t *count)
{
	uint64_t devices[EGP_POLICY_DEVICES_MAX];

	*count = 0;
	g->permit_more = !candidates(m, g, devices, count) && seconds > 0;
	return eg_permit(g->eg, clock_ms(), seconds, devices, *count);
}

/* ---- the operator ---- */

static uint64_t end_of(uint16_t seconds)
{
	return seconds == EGP_UNTIL_CHANGED ? MEF_PERMIT_UNTIL_CHANGED : seconds ? now_s() + seconds : 0;
}

enum err mef_permit(struct mef *m, struct mef_gateway *g, uint16_t seconds, const uint64_t *devices, size_t count)
{
	struct mef_permit p = {.until = end_of(seconds), .seconds = seconds, .count = count};
	enum err e;

	if (count > EGP_POLICY_DEVICES_MAX)
		return ERR_TOO_LONG;
	if (count > 0)
		memcpy(p.devices, devices, count * sizeof *devices);
	e = mef_store_permit_put(m->store, g->name, &p);
	if (e != OK)
		return e;
	g->permit_more = false;
	return eg_permit(g->eg, clock_ms(), seconds, devices, count);
}

enum err mef_permit_all(struct mef *m, struct mef_gateway *g, uint16_t seconds, size_t *count)
{
	const struct mef_permit p = {.until = end_of(seconds), .seconds = seconds, .all = true};
	enum err e = mef_store_permit_put(m->store, g->name, &p);

	*count = 0;
	return e == OK ? open_to_all(m, g, seconds, count) : e;
}

void mef_permit_more(struct mef *m, struct mef_gateway *g)
{
	uint16_t seconds = g->permit_more ? eg_permitted(g->eg, clock_ms()) : 0;
	size_t count;

	if (seconds > 0 && open_to_all(m, g, seconds, &count) != OK)
		log_line(LOG_LEVEL_ERROR, "more devices can't be let in", "gateway=%s", g->name);
}

/* ---- after a restart ---- */

/* A clock that was set back meanwhile opens nothing for longer than the operator said. */
static uint16_t seconds_left(const struct mef_permit *p)
{
	uint64_t now = now_s();

	if (p->until == MEF_PERMIT_UNTIL_CHANGED)
		return EGP_UNTIL_CHANGED;
	if (p->until <= now)
		return 0;
	return p->until - now < p->seconds ? (uint16_t)(p->until - now) : p->seconds;
}

enum err mef_permit_resume(struct mef *m, struct mef_gateway *g)
{
	struct mef_permit p;
	uint16_t seconds;
	size_t count = 0;
	enum err e = mef_store_permit(m->store, g->name, &p);

	if (e != OK)
		return e;
	seconds = seconds_left(&p);
	if (seconds == 0)
		return OK;
	if (p.all)
		return open_to_all(m, g, seconds, &count);
	for (size_t i = 0; i < p.count; i++) {
		const struct mef_device *d = mef_device_find(m, p.devices[i]);

		if (d && d->state != DEVICE_REMOVED && strcmp(d->gateway, g->name) == 0)
			p.devices[count++] = p.devices[i];
	}
	return eg_permit(g->eg, clock_ms(), seconds, p.devices, count);
}
