/* The end of localMulticastGroups at other CSEs: asked for again while one of them is away. What is left when this CSE ends goes by its expirationTime. */
#include "cse/types/multicast_private.h"

#include <stdio.h>
#include <stdlib.h>

#define AGAIN_FIRST_MS 1000
#define AGAIN_MOST_MS (10 * 60 * 1000)
#define TRIES_MOST 20 /* some two hours and a half */

struct leaving {
	struct cse_timer timer;
	struct leaving *next;
	struct cse *cse;
	char to[CSE_ID_MAX];
	unsigned tries;
	bool asked;              /* on_answer has it */
};

static void end(struct leaving *l)
{
	struct hosting *s = l->cse->services[SERVICE_MULTICAST_HOST];
	struct leaving **at = s ? &s->leaving : NULL;

	while (at && *at && *at != l)
		at = &(*at)->next;
	if (at && *at)
		*at = l->next;
	free(l);
}

/* It may be there the next time. */
static bool is_away(enum onem2m_rsc rsc)
{
	return rsc == RSC_REQUEST_TIMEOUT || rsc == RSC_TARGET_NOT_REACHABLE || rsc == RSC_REMOTE_ENTITY_NOT_REACHABLE || rsc == RSC_INTERNAL_SERVER_ERROR;
}

static void on_answer(void *ctx, const struct onem2m_response *rsp)
{
	struct leaving *l = ctx;
	uint64_t wait = AGAIN_FIRST_MS;

	l->asked = false;
	if (!l->cse->services[SERVICE_MULTICAST_HOST] || !is_away(rsp->rsc) || ++l->tries == TRIES_MOST) {
		end(l);
		return;
	}
	for (unsigned i = 1; i < l->tries && wait < AGAIN_MOST_MS; i++)
		wait *= 2;
	cse_timer_at(l->cse, &l->timer, cse_mono(l->cse) + (wait < AGAIN_MOST_MS ? wait : AGAIN_MOST_MS));
}

static void on_again(struct cse *c, struct cse_timer *t)
{
	struct leaving *l = (struct leaving *)t;

	l->asked = true;
	multicast_ask(c, ONEM2M_DELETE, l->to, rd_of("", 0), on_answer, l);
}

void multicast_leave(struct cse *c, const char *made)
{
	struct hosting *s = multicast_hosting(c);
	struct leaving *l = calloc(1, sizeof *l);

	if (!l)
		abort();
	l->timer.fn = on_again;
	l->cse = c;
	l->next = s->leaving;
	s->leaving = l;
	snprintf(l->to, sizeof l->to, "%s", made);
	on_again(c, &l->timer);
}

void multicast_leaving_free(struct cse *c, struct hosting *s)
{
	while (s->leaving) {
		struct leaving *l = s->leaving;

		s->leaving = l->next;
		cse_timer_cancel(c, &l->timer);
		if (!l->asked)
			free(l);
	}
}
