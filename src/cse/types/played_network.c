/* A network for test suites. It serves the devices of example.com, .net and .org and of the own service provider, and what a trigger
 * comes to is in the name of the device: TRIGGER_FAILED@example.com. Two seconds after it was taken that is its status; a device that
 * is named otherwise gets what it should, and of TRIGGER_EXPIRED@... nobody hears any more. */
#include "cse/types/played_network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPORTS_AFTER_MS 2000

struct played {
	struct cse_timer timer; /* first, so that its function finds the trigger */
	struct played *next;
	enum cse_trigger_status status;
	char reference[64];
};

struct played_network {
	struct played *first;
};

static void network_free(struct cse *c, void *state)
{
	struct played_network *n = state;

	while (n->first) {
		struct played *p = n->first;

		n->first = p->next;
		cse_timer_cancel(c, &p->timer);
		free(p);
	}
	free(n);
}

static struct played_network *network_of(struct cse *c)
{
	struct played_network *n = c->services[SERVICE_PLAYED_NETWORK];

	if (n)
		return n;
	n = calloc(1, sizeof *n);
	if (!n)
		abort();
	cse_service_set(c, SERVICE_PLAYED_NETWORK, n, network_free);
	return n;
}

/* Takes it out of the list; NULL: there is none. The caller frees it. */
static struct played *take(struct cse *c, const char *reference)
{
	struct played **at = &network_of(c)->first, *p;

	while (*at && strcmp((*at)->reference, reference) != 0)
		at = &(*at)->next;
	p = *at;
	if (p) {
		*at = p->next;
		cse_timer_cancel(c, &p->timer);
	}
	return p;
}

static bool serves(const struct cse *c, const char *external)
{
	static const char *const examples[] = {"example.com", "example.net", "example.org"};
	const char *domain = strchr(external, '@');

	if (!domain)
		return false;
	domain++;
	for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
		if (strcmp(domain, examples[i]) == 0)
			return true;
	return strcmp(domain, c->config.sp) == 0;
}

/* False: nothing is heard of it. */
static bool comes_to(const char *external, enum cse_trigger_status *status)
{
	static const struct {
		const char *name;
		enum cse_trigger_status status;
	} known[] = {
		{"TRIGGER_FAILED@", CSE_TRIGGER_FAILED},
		{"TRIGGER_REPLACED@", CSE_TRIGGER_REPLACED},
		{"TRIGGER_UNCONFIRMED@", CSE_TRIGGER_UNCONFIRMED},
		{"TRIGGER_TERMINATED@", CSE_TRIGGER_TERMINATED},
	};

	if (strncmp(external, "TRIGGER_EXPIRED@", strlen("TRIGGER_EXPIRED@")) == 0)
		return false;
	*status = CSE_TRIGGER_DELIVERED;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strncmp(external, known[i].name, strlen(known[i].name)) == 0)
			*status = known[i].status;
	return true;
}

static void report(struct cse *c, struct cse_timer *t)
{
	struct played *p = take(c, ((struct played *)(void *)t)->reference);

	cse_trigger_report(c, p->reference, p->status);
	free(p);
}

static void play(struct cse *c, const struct cse_trigger *t)
{
	struct played_network *n = network_of(c);
	struct played *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	snprintf(p->reference, sizeof p->reference, "%s", t->reference);
	if (!comes_to(t->external_id, &p->status)) {
		free(p);
		return;
	}
	p->timer.fn = report;
	p->next = n->first;
	n->first = p;
	cse_timer_at(c, &p->timer, cse_mono(c) + REPORTS_AFTER_MS);
}

enum cse_trigger_answer played_network_ask(struct cse *c, enum cse_trigger_step step, const struct cse_trigger *t)
{
	if (!serves(c, t->external_id))
		return CSE_TRIGGER_NO_NETWORK;
	free(take(c, t->reference));
	if (step != CSE_TRIGGER_RECALL)
		play(c, t);
	return CSE_TRIGGER_TAKEN;
}
