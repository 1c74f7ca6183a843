/* DEVICE-REMOVE: a serial line may lose it, and a gateway may be away. */
#include "eg/eg_private.h"

#include <stdlib.h>

#include "base/clock.h"

static void send(struct eg_gateway *g, struct removal *r)
{
	const struct egp_message m = {.type = EGP_DEVICE_REMOVE, .transaction = ++g->transaction, .remove = {.device = r->device}};

	r->transaction = m.transaction;
	eg_send(g, &m);
}

static void wait(struct eg_gateway *g, uint64_t now_ms, uint64_t wait_ms)
{
	g->removals_wait = wait_ms;
	timers_set(&g->eg->removals, &g->removals_again, now_ms + wait_ms);
}

void eg_removals_send(struct eg_gateway *g, uint64_t now_ms, uint64_t wait_ms)
{
	for (struct removal *r = g->removals; r; r = r->next)
		send(g, r);
	if (g->removals)
		wait(g, now_ms, wait_ms);
}

void eg_removals_again(struct eg *eg, uint64_t now_ms)
{
	struct timer_node *n;

	while ((n = timers_first(&eg->removals)) != NULL && n->at <= now_ms) {
		struct eg_gateway *g = table_owner(n, struct eg_gateway, removals_again);

		timers_unset(&eg->removals, &g->removals_again);
		if (g->session == SESSION_GREETED)
			eg_removals_send(g, now_ms, g->removals_wait * 2 < AGAIN_MOST_MS ? g->removals_wait * 2 : AGAIN_MOST_MS);
	}
}

static void end(struct eg_gateway *g, struct removal **link)
{
	struct removal *r = *link;
	const struct egp_message m = {.type = EGP_DEVICE_REMOVE, .remove = {.device = r->device}};

	*link = r->next;
	free(r);
	eg_tell(g, EG_EVENT_REMOVED, &m, EGP_ERROR_INTERNAL);
	if (!g->removals)
		timers_unset(&g->eg->removals, &g->removals_again);
}

void eg_removal_answered(struct eg_gateway *g, uint32_t transaction)
{
	for (struct removal **link = &g->removals; *link; link = &(*link)->next) {
		if ((*link)->transaction == transaction) {
			end(g, link);
			return;
		}
	}
}

static struct removal **link_of(struct eg_gateway *g, uint64_t device)
{
	struct removal **link = &g->removals;

	while (*link && (*link)->device != device)
		link = &(*link)->next;
	return link;
}

void eg_removal_cancel(struct eg_gateway *g, uint64_t device)
{
	struct removal **link = link_of(g, device);

	if (*link)
		end(g, link);
}

void eg_removals_free(struct eg_gateway *g)
{
	while (g->removals) {
		struct removal *r = g->removals;

		g->removals = r->next;
		free(r);
	}
}

void eg_bar(struct eg_gateway *g, uint64_t device)
{
	struct known *k = eg_known(g, device, false);
	size_t kept = 0;

	if (k) {
		k->pending.in_flight = false;
		eg_forget_answer(&k->pending);
		eg_known_wait(g->eg, k);
	}
	for (size_t i = 0; i < g->permit_count; i++)
		if (g->permitted[i] != device)
			g->permitted[kept++] = g->permitted[i];
	g->permit_count = kept;
}

enum err eg_remove(struct eg_gateway *g, uint64_t now_ms, uint64_t device)
{
	struct removal **link = link_of(g, device);

	eg_bar(g, device);
	if (!*link) {
		*link = calloc(1, sizeof **link);
		if (!*link)
			return ERR_NO_MEMORY;
		(*link)->device = device;
	}
	if (g->session != SESSION_GREETED)
		return OK; /* with its next HELLO */
	send(g, *link);
	wait(g, now_ms, AGAIN_FIRST_MS);
	return OK;
}
