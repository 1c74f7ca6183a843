/* Who may join at a gateway, and until when. */
#include "eg/eg_private.h"

#include <string.h>

#include "base/clock.h"

uint16_t eg_permitted(const struct eg_gateway *g, uint64_t now_ms)
{
	uint64_t left_s;

	if (g->permit_until == CLOCK_NEVER)
		return EGP_UNTIL_CHANGED;
	if (g->permit_until <= now_ms)
		return 0;
	left_s = (g->permit_until - now_ms + 999) / 1000;
	return left_s >= EGP_UNTIL_CHANGED ? EGP_UNTIL_CHANGED - 1 : (uint16_t)left_s;
}

bool eg_permits(const struct eg_gateway *g, uint64_t now_ms, uint64_t device)
{
	if (eg_permitted(g, now_ms) == 0)
		return false;
	for (size_t i = 0; i < g->permit_count; i++)
		if (g->permitted[i] == device)
			return true;
	return false;
}

void eg_send_policy(struct eg_gateway *g, uint64_t now_ms, uint64_t wait_ms)
{
	struct egp_message m = {.type = EGP_JOIN_POLICY, .transaction = ++g->transaction};

	g->policy_transaction = m.transaction;
	g->policy_wait = wait_ms;
	timers_set(&g->eg->policies, &g->policy_again, now_ms + wait_ms);
	m.join_policy.duration_s = eg_permitted(g, now_ms);
	if (m.join_policy.duration_s > 0) {
		m.join_policy.count = (uint8_t)g->permit_count;
		memcpy(m.join_policy.devices, g->permitted, g->permit_count * sizeof g->permitted[0]);
	}
	eg_send(g, &m);
}

enum err eg_permit(struct eg_gateway *g, uint64_t now_ms, uint16_t duration_s, const uint64_t *devices, size_t count)
{
	if (count > EGP_POLICY_DEVICES_MAX)
		return ERR_TOO_LONG;
	if (count > 0)
		memcpy(g->permitted, devices, count * sizeof g->permitted[0]);
	g->permit_count = count;
	g->permit_until = duration_s == EGP_UNTIL_CHANGED ? CLOCK_NEVER : now_ms + duration_s * 1000ULL;
	if (g->session == SESSION_GREETED)
		eg_send_policy(g, now_ms, AGAIN_FIRST_MS);
	return OK;
}
