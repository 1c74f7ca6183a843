/* Devices behind routers, in application groups of policy `group`: what a router says of them (Update-Device), and their Transport-Key, which node B sends to
 * the router in a Tunnel. R22 4.4.4.3, 4.4.8, 4.6.3.2. Who is let in is decided as for a gateway's request; who is not is sent away by Remove-Device. */
#include "mef/life_private.h"

#include <stdio.h>

#include "base/clock.h"
#include "loop/log.h"

static const char *const statuses[] = {
	[TRUST_SECURED_REJOIN] = "secured rejoin",
	[TRUST_UNSECURED_JOIN] = "join",
	[TRUST_LEFT] = "left",
	[TRUST_UNSECURED_REJOIN] = "Trust Centre rejoin",
};

static void note(struct mef *m, const struct mef_device *router, const struct trust_update *u, const char *event, const char *why)
{
	char detail[160];

	snprintf(detail, sizeof detail, "%s through router %016llx%s%s", statuses[u->status], (unsigned long long)router->eui64, why ? ": " : "", why ? why : "");
	if (!mef_noise_permits(m, &m->noise, router->gateway))
		return;
	log_line(why ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, event, "device=%016llx router=%016llx%s%s%s", (unsigned long long)u->device, (unsigned long long)router->eui64,
	    why ? " reason=\"" : "", why ? why : "", why ? "\"" : "");
	(void)mef_audit(m, event, u->device, router->gateway, router->owner, detail);
}

/* NULL: both are of one group, which has one key. */
static const char *why_strangers(const struct mef_device *router, const struct mef_device *d)
{
	if (!router->group)
		return "the router has a network key of its own";
	if (!d || d->state == DEVICE_REMOVED)
		return "the device is not registered";
	if (d->group != router->group)
		return "the device is not of the router's group";
	return NULL;
}

static bool has_key(const struct mef_device *d)
{
	const struct mef_generation *g = mef_generation_in_use(d);

	return g && g->joined && d->state != DEVICE_FAILED;
}

/* Sealed with the group's key, which the router has opened. */
static const char *rejoin(struct mef *m, const struct mef_device *router, struct mef_device *d, const struct trust_update *u)
{
	if (!has_key(d))
		return "the device has no key";
	d->router = router->eui64;
	d->short_address = u->short_address;
	life_state(m, d, d->state, "rejoined", d->reason);
	note(m, router, u, "device rejoined", NULL);
	return NULL;
}

static const char *join(struct mef *m, const struct mef_device *router, const struct mef_device *d, const struct trust_update *u)
{
	const struct eg_newcomer n = {.device = d->eui64, .router = router->eui64, .short_address = u->short_address, .capability = d->capability,
		.kind = u->status == TRUST_UNSECURED_REJOIN ? EGP_JOIN_UNSECURED_REJOIN : EGP_JOIN_ASSOCIATION};
	struct mef_gateway *g = mef_gateway_find(m, router->gateway);
	unsigned code = g ? eg_join_through(g->eg, clock_ms(), &n) : EGP_ERROR_NOT_PERMITTED;

	if (code == 0)
		note(m, router, u, "device comes through a router", NULL);
	if (code == 0 || code == EGP_ERROR_RATE_LIMITED || code == EGP_ERROR_INTERNAL)
		return NULL; /* it hears nothing, and asks again */
	return egp_error_text((enum egp_error_code)code);
}

bool behind_update(struct mef *m, struct mef_device *router, const struct trust_update *u, struct mef_aps_answer *a)
{
	struct mef_device *d = mef_device_find(m, u->device);
	const char *why = why_strangers(router, d);

	if (u->status == TRUST_LEFT) {
		if (!why && d->router == router->eui64)
			a->child = *u;
		return true;
	}
	if (!why)
		why = u->status == TRUST_SECURED_REJOIN ? rejoin(m, router, d, u) : join(m, router, d, u);
	if (!why && u->status != TRUST_UNSECURED_JOIN)
		a->child = *u; /* of who joins it hears with the key */
	if (why)
		note(m, router, u, "refused to join through a router", why);
	return !why;
}

/* ---- the key ---- */

enum err behind_ready(struct mef *m, struct mef_device *d, uint64_t coordinator, bool rejoins)
{
	const struct mef_device *router = d->router ? mef_device_find(m, d->router) : NULL;

	if (!d->router)
		return generation_ready(m, d, coordinator, rejoins);
	return router ? generation_behind(m, d, router, coordinator, rejoins) : ERR_NOT_PERMITTED;
}

enum err behind_offer(struct mef *m, const struct mef_device *d)
{
	mef_commands_withdraw(m, d->owner, COMMAND_ZIGBEE_APS_PENDING, d->eui64);
	return mef_command_add(m, d->owner, COMMAND_ZIGBEE_APS_PENDING, d->eui64, d->present->key_id, "transport-key", NULL);
}

void behind_again(struct mef *m, struct mef_device *d, struct mef_gateway *g)
{
	char relay[MEF_ID_MAX + 32];

	snprintf(relay, sizeof relay, "%s/%016llx/up", g->relay, (unsigned long long)d->eui64);
	if (behind_offer(m, d) == OK)
		(void)eg_answer(g->eg, clock_ms(), d->eui64, rd_of(NULL, 0), d->owner, relay);
	else
		(void)eg_refuse(g->eg, d->eui64, EGP_ERROR_INTERNAL, MEF_RETRY_S, "a command could not be stored");
	mef_pump(m);
}

bool behind_frame(struct mef *m, struct mef_device *d, const struct mef_generation *g, uint8_t aps_counter, struct mef_aps_answer *a, enum err *e)
{
	struct wr w = wr_of(a->octets, sizeof a->octets);
	char why[64];

	if (!d->router || g != d->present || (!d->again && (g->joined || g->rotation || d->state != DEVICE_OFFERED)))
		return false;
	d->again = false;
	snprintf(why, sizeof why, "through router %016llx", (unsigned long long)d->router);
	*e = life_transport_key(m, d, &g->tc, why, aps_counter, &w);
	if (*e != OK)
		return true;
	a->len = w.len;
	a->outcome = "answer";
	a->tunnel = d->router;
	return true;
}
