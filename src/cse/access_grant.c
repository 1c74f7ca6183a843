/* Privileges that dynamic authorisation granted: kept in memory until their lifetime ends, so that a restart asks again. */
#include <stdlib.h>
#include <string.h>

#include "cse/access.h"

#define GRANTS_MOST 1000
#define REFUSALS_MOST 256
#define REFUSAL_MS 1000 /* so long the same is not asked again: who is refused cannot make a CSE ask in a loop */

struct grant {
	struct grant *next;
	int64_t object, consultation;
	uint64_t until;               /* unix ms */
	struct json_arena *arena;
	const struct json *privileges;
};
struct refusal {
	int64_t object;
	unsigned acop;
	uint32_t mark;
	uint64_t until;               /* monotonic ms */
	char from[CSE_ID_MAX];
};
struct grants {
	struct grant *first;          /* newest first */
	size_t count;
	struct refusal refusals[REFUSALS_MOST];
	size_t next_refusal;
};

static void grant_free(struct grant *g)
{
	json_arena_free(g->arena);
	free(g);
}

static void grants_free(struct cse *c, void *state)
{
	struct grants *s = state;

	(void)c;
	while (s->first) {
		struct grant *g = s->first;

		s->first = g->next;
		grant_free(g);
	}
	free(s);
}

static struct grants *grants_of(struct cse *c)
{
	struct grants *s = c->services[SERVICE_ACCESS];

	if (s)
		return s;
	s = calloc(1, sizeof *s);
	if (!s)
		abort();
	cse_service_set(c, SERVICE_ACCESS, s, grants_free);
	return s;
}

/* Takes out what has expired, what belongs to a consultation (0: none), and the oldest beyond the limit. */
static void sweep(struct cse *c, struct grants *s, int64_t consultation)
{
	uint64_t now = cse_now(c);
	struct grant **at = &s->first;
	size_t n = 0;

	while (*at) {
		struct grant *g = *at;

		if (g->until > now && g->consultation != consultation && n < GRANTS_MOST) {
			n++;
			at = &g->next;
			continue;
		}
		*at = g->next;
		grant_free(g);
	}
	s->count = n;
}

void access_grant(struct cse *c, int64_t object, int64_t consultation, const struct json *privileges, uint64_t until)
{
	struct grants *s = grants_of(c);
	struct grant *g = calloc(1, sizeof *g);
	uint8_t *copy;

	if (!g || (g->arena = json_arena_new()) == NULL || (copy = json_arena_alloc(g->arena, privileges->source.left + 1)) == NULL)
		abort();
	memcpy(copy, privileges->source.at, privileges->source.left);
	g->object = object;
	g->consultation = consultation;
	g->until = until;
	if (json_parse(g->arena, rd_of(copy, privileges->source.left), NULL, &g->privileges) != OK) {
		grant_free(g);
		return;
	}
	g->next = s->first;
	s->first = g;
	if (++s->count > GRANTS_MOST)
		sweep(c, s, 0);
}

void access_forget(struct cse *c, int64_t consultation)
{
	if (c->services[SERVICE_ACCESS])
		sweep(c, grants_of(c), consultation);
	access_kept_forget(c, consultation);
}

bool access_granted(struct exchange *x, const struct access_question *q)
{
	struct grants *s = x->cse->services[SERVICE_ACCESS];
	int64_t object = q->object->instance ? q->object->parent : q->object->id;
	uint64_t now;

	if (!s || !s->first)
		return false;
	now = cse_now(x->cse);
	for (const struct grant *g = s->first; g; g = g->next)
		if (g->object == object && g->until > now && access_rules_permit(x, g->privileges, q))
			return true;
	return false;
}

/* What else the request brings: FNV-1a. Who finds another text with the same value is refused for a second longer. */
static uint32_t mark_of(const struct onem2m_request *rq)
{
	const struct rd lists[] = {rq->role_ids, rq->token_ids, rq->local_token_ids, rq->tokens};
	uint32_t h = 2166136261U;
	uint8_t c;

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		struct rd r = lists[i];

		while (rd_u8(&r, &c))
			h = (h ^ c) * 16777619U;
		h = (h ^ 0xff) * 16777619U;
	}
	return h;
}

bool access_was_refused(struct exchange *x)
{
	struct grants *s = grants_of(x->cse);
	uint64_t now = cse_mono(x->cse);
	uint32_t mark = mark_of(x->rq);

	for (size_t i = 0; i < REFUSALS_MOST; i++) {
		const struct refusal *f = &s->refusals[i];

		if (f->object == x->denied && f->acop == x->denied_acop && f->mark == mark && f->until > now && strcmp(f->from, x->from) == 0)
			return true;
	}
	return false;
}

void access_note_refusal(struct exchange *x)
{
	struct grants *s = grants_of(x->cse);
	struct refusal *f = &s->refusals[s->next_refusal++ % REFUSALS_MOST];

	*f = (struct refusal){.object = x->denied, .acop = x->denied_acop, .mark = mark_of(x->rq), .until = cse_mono(x->cse) + REFUSAL_MS};
	memcpy(f->from, x->from, sizeof f->from);
}
