/* Tokens that an authorisation server gave, kept until they end (TS-0003 clause 7.3.2): those that it gave by itself count for every request of their
 * holder, as its grants do; those that were fetched by their tokenIDs for requests that name them. In memory: a restart asks again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/access.h"

#define KEPT_MOST 1000
#define CLAIMS_MOST 8192 /* octets; a token with more claims than that is asked for each time */

struct kept {
	struct kept *next;
	int64_t consultation;
	uint64_t until, number;
	bool by_name;                /* only for requests that name it */
	char holder[CSE_ID_MAX];
	struct rd id;
	struct json_arena *arena;
	const struct json *claims;
};
struct kept_tokens {
	struct kept *first;          /* newest first */
	size_t count;
};

static void kept_free(struct kept *k)
{
	json_arena_free(k->arena);
	free(k);
}

static void all_free(struct cse *c, void *state)
{
	struct kept_tokens *s = state;

	(void)c;
	while (s->first) {
		struct kept *k = s->first;

		s->first = k->next;
		kept_free(k);
	}
	free(s);
}

static struct kept_tokens *state_of(struct cse *c)
{
	struct kept_tokens *s = c->services[SERVICE_ACCESS_TOKENS];

	if (s)
		return s;
	s = calloc(1, sizeof *s);
	if (!s)
		abort();
	cse_service_set(c, SERVICE_ACCESS_TOKENS, s, all_free);
	return s;
}

/* Takes out what has ended, what belongs to a consultation (0: none), one of this ID and holder (NULL: none), and the oldest beyond the limit. */
static void sweep(struct cse *c, struct kept_tokens *s, int64_t consultation, const struct kept *same)
{
	uint64_t now = cse_now(c);
	struct kept **at = &s->first;
	size_t n = 0;

	while (*at) {
		struct kept *k = *at;
		bool replaced = same && rd_equal(k->id, same->id) && strcmp(k->holder, same->holder) == 0;

		if (k->until > now && k->consultation != consultation && !replaced && n < KEPT_MOST) {
			n++;
			at = &k->next;
			continue;
		}
		*at = k->next;
		kept_free(k);
	}
	s->count = n;
}

void access_token_keep(struct exchange *x, const struct json *claims, int64_t consultation, uint64_t until)
{
	struct kept_tokens *s = state_of(x->cse);
	struct kept *k = calloc(1, sizeof *k);
	struct rd source = claims->source;
	uint8_t *copy;

	if (!k)
		abort();
	k->arena = json_arena_new();
	copy = k->arena ? json_arena_alloc(k->arena, source.left) : NULL;
	if (!copy)
		abort();
	memcpy(copy, source.at, source.left);
	k->consultation = consultation;
	k->until = until;
	snprintf(k->holder, sizeof k->holder, "%s", x->from);
	if (source.left > CLAIMS_MOST || json_parse(k->arena, rd_of(copy, source.left), NULL, &k->claims) != OK || !json_string(json_get(k->claims, "jti"), &k->id)) {
		kept_free(k);
		return;
	}
	k->by_name = access_lists(x->rq->token_ids, k->id);
	sweep(x->cse, s, 0, k);
	k->number = ++x->cse->numbers;
	k->next = s->first;
	s->first = k;
	if (++s->count > KEPT_MOST)
		sweep(x->cse, s, 0, NULL);
}

static void local_id(char *text, size_t size, const struct kept *k)
{
	snprintf(text, size, "k%llx", (unsigned long long)k->number);
}

static bool is_meant(const struct onem2m_request *rq, const struct kept *k)
{
	char local[32];

	local_id(local, sizeof local, k);
	return !k->by_name || access_lists(rq->token_ids, k->id) || access_lists(rq->local_token_ids, rd_str(local));
}

/* The exchange may outlive what is kept. */
static const struct json *copied(struct exchange *x, const struct json *claims)
{
	uint8_t *copy = json_arena_alloc(x->arena, claims->source.left);
	const struct json *doc;

	if (!copy)
		abort();
	memcpy(copy, claims->source.at, claims->source.left);
	return json_parse(x->arena, rd_of(copy, claims->source.left), NULL, &doc) == OK ? doc : NULL;
}

size_t access_kept_claims(struct exchange *x, uint64_t when, const struct json **claims, size_t most)
{
	struct kept_tokens *s = x->cse->services[SERVICE_ACCESS_TOKENS];
	size_t n = 0;

	for (const struct kept *k = s ? s->first : NULL; k && n < most; k = k->next)
		if (k->until > when && strcmp(k->holder, x->from) == 0 && is_meant(x->rq, k) && access_jwt_is_time(k->claims, when) &&
		    (claims[n] = copied(x, k->claims)) != NULL)
			n++;
	return n;
}

void access_kept_assigned(struct exchange *x, struct wr *w)
{
	struct kept_tokens *s = x->rq->token_ids.left ? x->cse->services[SERVICE_ACCESS_TOKENS] : NULL;
	char local[32];

	for (const struct kept *k = s ? s->first : NULL; k; k = k->next) {
		if (strcmp(k->holder, x->from) != 0 || k->until <= cse_now(x->cse) || !access_lists(x->rq->token_ids, k->id))
			continue;
		local_id(local, sizeof local, k);
		wr_fmt(w, "%s%s:", w->len ? "+" : "", local);
		wr_rd(w, k->id);
	}
}

bool access_is_kept(struct exchange *x, struct rd id)
{
	struct kept_tokens *s = x->cse->services[SERVICE_ACCESS_TOKENS];

	for (const struct kept *k = s ? s->first : NULL; k; k = k->next)
		if (k->until > cse_now(x->cse) && rd_equal(k->id, id) && strcmp(k->holder, x->from) == 0)
			return true;
	return false;
}

void access_kept_forget(struct cse *c, int64_t consultation)
{
	if (c->services[SERVICE_ACCESS_TOKENS])
		sweep(c, state_of(c), consultation, NULL);
}
