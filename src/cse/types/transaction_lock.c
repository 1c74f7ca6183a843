/* Locks of transactions: others are refused until it ends. TS-0001 clauses 9.6.47 and 9.6.48. */
#include <stdlib.h>
#include <string.h>

#include "cse/types/transaction.h"
#include "cse/types/types.h"

struct lock {
	struct lock *next;
	int64_t resource, owner;
	bool retrieves;               /* of others are allowed */
	char who[CSE_ID_MAX];
};
struct locks {
	struct lock *first;
};

static void locks_free(struct cse *c, void *state)
{
	struct locks *s = state;

	(void)c;
	while (s->first) {
		struct lock *l = s->first;

		s->first = l->next;
		free(l);
	}
	free(s);
}

/* A lock whose transaction is gone holds nothing: its creation may have been undone. */
static void sweep(struct cse *c, struct locks *s)
{
	struct lock **at = &s->first;

	while (*at) {
		struct lock *l = *at;
		struct resource *owner = tree_by_id(c->tree, l->owner);

		resource_unref(owner);
		if (owner) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		free(l);
	}
}

bool transaction_lock(struct cse *c, int64_t resource, int64_t owner, const char *who, bool retrieves)
{
	struct locks *s = c->services[SERVICE_TRANSACTION];
	struct lock *l;

	if (!s) {
		s = calloc(1, sizeof *s);
		if (!s)
			abort();
		cse_service_set(c, SERVICE_TRANSACTION, s, locks_free);
	}
	sweep(c, s);
	for (l = s->first; l; l = l->next)
		if (l->resource == resource)
			return l->owner == owner;
	l = calloc(1, sizeof *l);
	if (!l)
		abort();
	l->resource = resource;
	l->owner = owner;
	l->retrieves = retrieves;
	strncpy(l->who, who, sizeof l->who - 1);
	l->next = s->first;
	s->first = l;
	return true;
}

void transaction_unlock(struct cse *c, int64_t owner)
{
	struct locks *s = c->services[SERVICE_TRANSACTION];
	struct lock **at = s ? &s->first : NULL;

	while (at && *at) {
		struct lock *l = *at;

		if (l->owner != owner) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		free(l);
	}
}

static bool is_reading(const struct exchange *x)
{
	return x->rq->operation == ONEM2M_RETRIEVE || x->rq->operation == ONEM2M_NOTIFY;
}

/* The target itself is locked; and what would be deleted with it. An instance goes with its parent. */
static bool concerns(struct exchange *x, const struct lock *l)
{
	unsigned depth;
	struct resource *locked;
	bool below;

	if (l->resource == (x->target->instance ? x->target->parent : x->target->id))
		return true;
	if (x->rq->operation != ONEM2M_DELETE)
		return false;
	locked = tree_by_id(x->cse->tree, l->resource);
	below = locked && cse_is_below(x->cse, locked, x->target->id, &depth);
	resource_unref(locked);
	return below;
}

static bool is_locked(struct exchange *x, const struct locks *s)
{
	for (const struct lock *l = s->first; l; l = l->next)
		if (l->owner != x->within && concerns(x, l) && !(is_reading(x) && (l->retrieves || strcmp(l->who, x->from) == 0)))
			return true;
	return false;
}

bool transaction_refuses(struct exchange *x)
{
	struct locks *s = x->cse->services[SERVICE_TRANSACTION];

	/* another transaction is refused by its own attempt to lock */
	if (!s || !s->first || (x->rq->operation == ONEM2M_CREATE && x->rq->type == TY_TRANSACTION))
		return false;
	/* what will be refused when the lock is gone is not worth another attempt */
	if (x->rq->operation == ONEM2M_DELETE && x->virtual_child == VIRTUAL_NONE && cse_is_undeletable(x->cse, x->target))
		return false;
	if (!is_locked(x, s))
		return false;
	sweep(x->cse, s);
	if (!is_locked(x, s))
		return false;
	exchange_fail(x, RSC_TRANSACTION_PROCESSING_IS_INCOMPLETE, "a transaction that is under way has locked this");
	return true;
}
