/* transaction: one request on its parent, in steps that somebody else decides: it locks, tries, and then either does it or lets go. TS-0001 clause
 * 9.6.48, TS-0004 clause 7.4.61.
 *
 * EXECUTE rehearses the request and keeps its response; the resource changes with COMMIT. In between the lock sees to it that what was possible stays
 * possible. So an abort has nothing to undo, and neither has a restart: what was executed is locked again and waits for its decision, which is the
 * promise that it gave; what was only locked is free. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/types/transaction.h"
#include "cse/types/types.h"

#define LIFE_MS 60000 /* of a transaction that does not say it (et): nobody locks for ever */

/* ---- creation ---- */

/* The request is about the parent. */
static bool is_about_parent(struct exchange *x, const struct json *request)
{
	enum cse_virtual kind;
	char other[CSE_ID_MAX];
	struct rd to, rest, suffix;
	struct resource *r = NULL;
	bool ok;

	if (json_string(json_get(request, "to"), &to) && cse_is_local(x->cse, to, &rest, other, sizeof other))
		r = cse_find(x->cse, rest, &kind, &suffix);
	ok = r && kind == VIRTUAL_NONE && r->id == x->target->id;
	resource_unref(r);
	return ok;
}

static bool check(struct creation *cr)
{
	const struct json *request = json_get(cr->given, "rqp");
	char why[128];

	if (!transaction_may_contain(request, why, sizeof why))
		exchange_fail(cr->x, RSC_BAD_REQUEST, "`rqp`: %s cannot be part of a transaction", why);
	else if (!is_about_parent(cr->x, request))
		exchange_fail(cr->x, RSC_BAD_REQUEST, "`rqp`: must be about the parent of the transaction");
	else if (!transaction_originator_is_good(cr->x, request))
		exchange_fail(cr->x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "`rqp`: cannot be from somebody else");
	else
		return true;
	return false;
}

static bool allows_retrieves(const struct json *tltp)
{
	uint64_t type;

	return json_uint(tltp, &type) && type == 2;
}

static enum hook_result transaction_create(struct creation *cr)
{
	struct exchange *x = cr->x;

	if (!check(cr))
		return HOOK_FAILED;
	if (!json_get(cr->given, "et") && (cr->expires == 0 || cr->expires > cr->now + LIFE_MS)) {
		cr->expires = cr->now + LIFE_MS;
		attributes_set_time(&cr->attributes, "et", cr->expires);
	}
	if (!transaction_lock(x->cse, x->target->id, cr->id, x->from, allows_retrieves(json_get(cr->given, "tltp")))) {
		exchange_fail(x, RSC_TRANSACTION_PROCESSING_IS_INCOMPLETE, "another transaction has locked this");
		return HOOK_FAILED;
	}
	attributes_set_uint(&cr->attributes, "tctl", CONTROL_LOCK);
	attributes_set_uint(&cr->attributes, "trst", TRANSACTION_LOCKED);
	return HOOK_GO;
}

/* ---- control ---- */

/* Texts of the old snapshot outlive it: a run makes it stale. */
static void keep_texts(struct updating *u)
{
	for (size_t i = 0; i < u->attributes.count; i++) {
		struct attribute *t = &u->attributes.items[i];
		struct rd *texts[] = {&t->name, &t->raw};

		for (size_t k = 0; k < 2; k++) {
			uint8_t *copy = json_arena_alloc(u->x->arena, texts[k]->left + 1);

			if (!copy)
				abort();
			if (texts[k]->left)
				memcpy(copy, texts[k]->at, texts[k]->left);
			texts[k]->at = copy;
		}
	}
}

static bool look_up_again(struct updating *u)
{
	struct resource *again = tree_by_id(u->x->cse->tree, u->old->id);

	if (!again)
		return false;
	resource_unref(u->x->target);
	u->x->target = u->old = again;
	return true;
}

static bool run(struct updating *u, bool rehearse, char *why, size_t size)
{
	struct exchange *x = u->x;
	struct wr responses = wr_new(CSE_BODY_MAX * 4);
	const struct json *request = attributes_value(&u->attributes, "rqp"), *list;
	char creator[CSE_ID_MAX];
	struct transaction_job job = {.requests = &request, .count = 1, .from = creator, .owner = u->old->id, .rehearse = rehearse, .trusted = !rehearse, .responses = &responses,
		.why = why, .size = size};
	struct rd text;
	bool ok;

	snprintf(creator, sizeof creator, "%s", u->old->creator);
	keep_texts(u);
	ok = request && transaction_run(x->cse, &job);
	if (wr_done(&responses, &text) && json_parse(x->arena, text, NULL, &list) == OK && list->first)
		attributes_set_json(&u->attributes, "rsp", list->first);
	wr_free(&responses);
	return ok;
}

static void set_state(struct updating *u, enum transaction_state s)
{
	attributes_set_uint(&u->attributes, "trst", s);
	if (s > TRANSACTION_EXECUTED)
		transaction_unlock(u->x->cse, u->old->id);
}

static bool is_legal(enum transaction_state state, uint64_t control)
{
	switch (state) {
	case TRANSACTION_INITIAL:
		return control == CONTROL_LOCK || control == CONTROL_ABORT;
	case TRANSACTION_LOCKED:
		return control == CONTROL_EXECUTE || control == CONTROL_ABORT;
	case TRANSACTION_EXECUTED:
		return control == CONTROL_COMMIT || control == CONTROL_ABORT;
	case TRANSACTION_COMMITTED:
	case TRANSACTION_ERROR:
	case TRANSACTION_ABORTED:
		return false;
	}
	return false;
}

static bool get_lock(struct updating *u)
{
	return transaction_lock(u->x->cse, u->old->parent, u->old->id, u->old->creator, allows_retrieves(resource_get(u->old, "tltp")));
}

/* It may have been lost with a round that could not be committed. */
static bool has_lock(struct updating *u)
{
	bool has = get_lock(u);

	if (!has)
		set_state(u, TRANSACTION_ERROR);
	return has;
}

/* A run may replace what is there, itself too: it is looked up anew. */
static enum hook_result step(struct updating *u, uint64_t control)
{
	struct exchange *x = u->x;
	char why[300] = "";

	switch (control) {
	case CONTROL_LOCK:
		if (!get_lock(u)) {
			exchange_fail(x, RSC_TRANSACTION_PROCESSING_IS_INCOMPLETE, "another transaction has locked this");
			return HOOK_FAILED;
		}
		set_state(u, TRANSACTION_LOCKED);
		return HOOK_GO;
	case CONTROL_EXECUTE:
		if (!has_lock(u))
			break;
		set_state(u, run(u, true, why, sizeof why) ? TRANSACTION_EXECUTED : TRANSACTION_ERROR);
		break;
	case CONTROL_COMMIT:
		if (!has_lock(u))
			break;
		/* what is done and that it is done become durable together */
		if (!exchange_save(x))
			return HOOK_FAILED;
		set_state(u, run(u, false, why, sizeof why) ? TRANSACTION_COMMITTED : TRANSACTION_ERROR);
		break;
	default:
		set_state(u, TRANSACTION_ABORTED);
		return HOOK_GO;
	}
	if (look_up_again(u))
		return HOOK_GO;
	/* its parent was deleted by the request, and it with it */
	exchange_answer(x, RSC_UPDATED, rd_of("", 0), rd_str(""));
	return HOOK_FAILED;
}

static enum hook_result transaction_update(struct updating *u)
{
	enum transaction_state state = (enum transaction_state)resource_uint(u->old, "trst", TRANSACTION_INITIAL);
	uint64_t control;

	if (!json_uint(json_get(u->given, "tctl"), &control))
		return HOOK_GO;
	if (is_legal(state, control))
		return step(u, control);
	exchange_fail(u->x, RSC_ILLEGAL_TRANSACTION_STATE_TRANSITION_ATTEMPTED, "`tctl`: %llu is not possible in state %d", (unsigned long long)control, (int)state);
	return HOOK_FAILED;
}

enum hook_result transaction_remove(struct exchange *x, struct resource *r)
{
	uint64_t state = resource_uint(r, "trst", TRANSACTION_INITIAL);

	if (!x || state == TRANSACTION_COMMITTED || state == TRANSACTION_ABORTED || state == TRANSACTION_ERROR)
		return HOOK_GO;
	exchange_fail(x, RSC_TRANSACTION_PROCESSING_IS_INCOMPLETE, "the transaction has not ended: abort it (`tctl` %d) before", (int)CONTROL_ABORT);
	return HOOK_FAILED;
}

static void transaction_removed(struct cse *c, struct resource *r)
{
	transaction_unlock(c, r->id);
}

/* ---- after a restart ---- */

static void edit_aborted(void *ctx, struct attributes *a)
{
	(void)ctx;
	attributes_set_uint(a, "trst", TRANSACTION_ABORTED);
}

static void abort_later(struct cse *c, int64_t id, const char *text)
{
	(void)text;
	if (cse_edit_resource(c, id, false, edit_aborted, NULL) != OK)
		c->counts.refused++; /* gone in the meantime */
}

static void transaction_start(struct cse *c, struct resource *r)
{
	enum transaction_state state = (enum transaction_state)resource_uint(r, "trst", TRANSACTION_INITIAL);

	if (state == TRANSACTION_EXECUTED) {
		if (!transaction_lock(c, r->parent, r->id, r->creator, allows_retrieves(resource_get(r, "tltp"))))
			state = TRANSACTION_INITIAL;
	}
	if (state == TRANSACTION_INITIAL || state == TRANSACTION_LOCKED)
		cse_before_commit(c, abort_later, r->id, "");
}

const struct type_hooks hooks_transaction = {
	.type = TY_TRANSACTION,
	.create = transaction_create,
	.update = transaction_update,
	.remove = transaction_remove,
	.removed = transaction_removed,
	.start = transaction_start,
};
