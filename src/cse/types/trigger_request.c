/* triggerRequest: the underlying network is asked to wake a device. TS-0001 clauses 9.6.49 and 10.2.15, TS-0004 clause 7.4.57. The network is
 * behind struct cse_network; without one no network is found for any device.
 *
 *	PROCESSING -> TRIGGERED, UNCONFIRMED -> DELIVERED, FAILED, EXPIRED, TERMINATED     (as the network reports)
 *	PROCESSING -> REPLACED (UPDATE), gone (DELETE), EXPIRED (triggerValidityTime)
 *
 * By the customs of open CSEs what is being processed cannot be changed, what is over can, and is a new trigger then; who made it may
 * always take it away; the recipient has to be registered, and agrees unless it says otherwise. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/gate.h"
#include "cse/types/played_network.h"
#include "cse/types/types.h"

#define ESTABLISH_CONNECTION 1 /* m2m:triggerPurpose */

static bool is_pending(const struct cse *c, uint64_t status)
{
	if (c->config.customs)
		return status == CSE_TRIGGER_PROCESSING || status == CSE_TRIGGER_TRIGGERED;
	return status == CSE_TRIGGER_PROCESSING || status == CSE_TRIGGER_TRIGGERED || status == CSE_TRIGGER_REPLACED || status == CSE_TRIGGER_UNCONFIRMED;
}

/* What a network may report of a trigger that is under way. */
static bool is_report(const struct cse *c, enum cse_trigger_status s)
{
	switch (s) {
	case CSE_TRIGGER_TRIGGERED:
	case CSE_TRIGGER_DELIVERED:
	case CSE_TRIGGER_EXPIRED:
	case CSE_TRIGGER_FAILED:
	case CSE_TRIGGER_UNCONFIRMED:
	case CSE_TRIGGER_TERMINATED:
		return true;
	case CSE_TRIGGER_PROCESSING:
	case CSE_TRIGGER_NSE_NOT_FOUND:
		break;
	case CSE_TRIGGER_REPLACED:
		return c->config.customs;
	}
	return false;
}

static void put_status(void *ctx, struct attributes *a)
{
	attributes_set_uint(a, "tst", *(const uint64_t *)ctx);
}

static enum err set_status(struct cse *c, int64_t id, uint64_t status)
{
	return cse_edit_resource(c, id, true, put_status, &status);
}

/* ---- validity ---- */

struct watch {
	struct cse_timer timer;
};

static void watch_free(struct cse *c, void *state)
{
	struct watch *w = state;

	cse_timer_cancel(c, &w->timer);
	free(w);
}

/* Unix ms; 0: it does not end by itself. */
static uint64_t ends_at(const struct cse *c, struct resource *r)
{
	struct rd lt, tvt;
	uint64_t since, validity;

	if (!is_pending(c, resource_uint(r, "tst", 0)) || !json_string(resource_get(r, "lt"), &lt) || !timestamp_parse(lt, &since) ||
	    !json_string(resource_get(r, "tvt"), &tvt) || !duration_parse(tvt, &validity))
		return 0;
	return since + validity;
}

static void on_time(struct cse *c, struct cse_timer *t);

static void watch_until(struct cse *c, uint64_t unix_ms)
{
	struct watch *w = c->services[SERVICE_TRIGGER];
	uint64_t now = cse_now(c), at = cse_mono(c) + (unix_ms > now ? unix_ms - now : 0) + 1;

	if (!w) {
		w = calloc(1, sizeof *w);
		if (!w)
			abort();
		w->timer.fn = on_time;
		cse_service_set(c, SERVICE_TRIGGER, w, watch_free);
	}
	if (w->timer.at == 0 || at < w->timer.at)
		cse_timer_at(c, &w->timer, at);
}

struct due {
	const struct cse *cse;
	uint64_t now, next;
	int64_t ids[64];
	size_t count;
};

static bool look(void *ctx, struct resource *r)
{
	struct due *d = ctx;
	uint64_t end = ends_at(d->cse, r);

	if (end == 0)
		return true;
	if (end <= d->now)
		d->ids[d->count++] = r->id;
	else if (d->next == 0 || end < d->next)
		d->next = end;
	return d->count < sizeof d->ids / sizeof d->ids[0];
}

static void on_time(struct cse *c, struct cse_timer *t)
{
	struct due d = {.cse = c, .now = cse_now(c)};
	enum err e = tree_by_type(c->tree, TY_TRIGGER_REQUEST, look, &d);

	(void)t;
	for (size_t i = 0; e == OK && i < d.count; i++)
		e = set_status(c, d.ids[i], CSE_TRIGGER_EXPIRED);
	if (d.count == sizeof d.ids / sizeof d.ids[0] || e != OK)
		d.next = d.now + 1000;
	if (d.next)
		watch_until(c, d.next);
}

/* ---- the network ---- */

static struct cse_trigger trigger_of(const struct attributes *a, char *external, char *reference, size_t size)
{
	struct cse_trigger t = {.external_id = external, .reference = reference};
	struct rd text;

	if (!json_text(attributes_value(a, "mei"), external, size))
		external[0] = '\0';
	if (!json_text(attributes_value(a, "trf"), reference, size))
		reference[0] = '\0';
	if (!json_uint(attributes_value(a, "tri"), &t.recipient))
		t.recipient = 0;
	if (!json_uint(attributes_value(a, "tpe"), &t.purpose))
		t.purpose = ESTABLISH_CONNECTION;
	if (!json_string(attributes_value(a, "tvt"), &text) || !duration_parse(text, &t.validity_ms))
		t.validity_ms = 0;
	return t;
}

static enum cse_trigger_answer ask(struct cse *c, enum cse_trigger_step step, const struct attributes *a)
{
	const struct cse_network *n = c->config.network;
	char external[CSE_ID_MAX], reference[CSE_ID_MAX];
	struct cse_trigger t = trigger_of(a, external, reference, sizeof external);

	/* a rehearsal of a transaction wakes nobody */
	if (c->rehearsing && (n || c->config.customs))
		return CSE_TRIGGER_TAKEN;
	if (n)
		return n->trigger(n->network, step, &t);
	return c->config.customs ? played_network_ask(c, step, &t) : CSE_TRIGGER_NO_NETWORK;
}

/* ---- requests ---- */

struct recipient {
	uint64_t id;
	bool silence;         /* what who says nothing about triggers means */
	bool known, disabled;
};

static bool look_at(void *ctx, struct resource *r)
{
	struct recipient *t = ctx;
	uint64_t id;

	if (!json_uint(resource_get(r, "tri"), &id) || id != t->id)
		return true;
	t->known = true;
	t->disabled = !resource_bool(r, "tren", t->silence);
	return !t->disabled;
}

/* A registree that does not want to be triggered (tren; false by default) is not. */
static bool recipient_allows(struct exchange *x, const struct attributes *a, struct recipient *t)
{
	enum err e = OK;

	*t = (struct recipient){.silence = x->cse->config.customs};
	if (json_uint(attributes_value(a, "tri"), &t->id))
		e = tree_by_type(x->cse->tree, TY_AE, look_at, t);
	if (e == OK && !t->disabled && t->id)
		e = tree_by_type(x->cse->tree, TY_REMOTE_CSE, look_at, t);
	if (e != OK)
		exchange_store_failed(x, e);
	else if (t->disabled)
		exchange_fail(x, RSC_TRIGGERING_DISABLED_FOR_RECIPIENT, "`tri`: who has it is registered here and not to be triggered (`tren`)");
	return e == OK && !t->disabled;
}

/* The network has it: for somebody here? */
static bool is_for_a_registree(struct exchange *x, const struct attributes *a, const struct recipient *t)
{
	if (!x->cse->config.customs || t->known)
		return true;
	ask(x->cse, CSE_TRIGGER_RECALL, a);
	exchange_fail(x, RSC_BAD_REQUEST, "`tri`: nobody who is registered here has it");
	return false;
}

static enum hook_result trigger_create(struct creation *cr)
{
	struct cse *c = cr->x->cse;
	struct recipient t;
	char reference[64];

	if (c->config.type != CSE_IN) {
		exchange_fail(cr->x, RSC_OPERATION_NOT_ALLOWED, "only an IN-CSE asks underlying networks for triggers");
		return HOOK_FAILED;
	}
	if (!recipient_allows(cr->x, &cr->attributes, &t))
		return HOOK_FAILED;
	if (!attributes_value(&cr->attributes, "tpe"))
		attributes_set_uint(&cr->attributes, "tpe", ESTABLISH_CONNECTION);
	snprintf(reference, sizeof reference, "%llx", (unsigned long long)cr->id);
	attributes_set_string(&cr->attributes, "trf", reference);
	switch (ask(c, CSE_TRIGGER_SUBMIT, &cr->attributes)) {
	case CSE_TRIGGER_TAKEN:
		if (!is_for_a_registree(cr->x, &cr->attributes, &t))
			return HOOK_FAILED;
		attributes_set_uint(&cr->attributes, "tst", CSE_TRIGGER_PROCESSING);
		break;
	case CSE_TRIGGER_REFUSED:
		attributes_set_uint(&cr->attributes, "tst", CSE_TRIGGER_FAILED);
		break;
	case CSE_TRIGGER_NO_NETWORK:
		attributes_set_uint(&cr->attributes, "tst", CSE_TRIGGER_NSE_NOT_FOUND);
		break;
	}
	return HOOK_GO;
}

static enum hook_result trigger_created(struct creation *cr)
{
	if (ends_at(cr->x->cse, cr->made))
		watch_until(cr->x->cse, ends_at(cr->x->cse, cr->made));
	return HOOK_GO;
}

/* The network of a trigger is not there any more: that is noted though the request fails. */
static void note_lost(struct cse *c, struct resource *r)
{
	if (set_status(c, r->id, CSE_TRIGGER_NSE_NOT_FOUND) != OK)
		c->round_broken = store_dirty(c->store);
}

/* PROCESSING: it goes on with what the request says. By the customs it has to be over. */
static bool may_go_on(const struct cse *c, uint64_t status)
{
	return c->config.customs ? !is_pending(c, status) : status == CSE_TRIGGER_PROCESSING;
}

static enum hook_result trigger_update(struct updating *u)
{
	struct exchange *x = u->x;
	const bool customs = x->cse->config.customs;
	enum cse_trigger_answer answer = CSE_TRIGGER_REFUSED;
	struct recipient t;

	if (may_go_on(x->cse, resource_uint(u->old, "tst", 0))) {
		if (!recipient_allows(x, &u->attributes, &t))
			return HOOK_FAILED;
		answer = ask(x->cse, customs ? CSE_TRIGGER_SUBMIT : CSE_TRIGGER_REPLACE, &u->attributes);
	}
	if (answer == CSE_TRIGGER_TAKEN) {
		attributes_set_uint(&u->attributes, "tst", customs ? CSE_TRIGGER_PROCESSING : CSE_TRIGGER_REPLACED);
		return HOOK_GO;
	}
	if (answer == CSE_TRIGGER_NO_NETWORK)
		note_lost(x->cse, u->old);
	exchange_fail(x, RSC_UNABLE_TO_REPLACE_REQUEST, "the trigger is not with a network any more (`tst`), or the network did not replace it");
	return HOOK_FAILED;
}

static enum hook_result trigger_updated(struct updating *u)
{
	if (ends_at(u->x->cse, u->made))
		watch_until(u->x->cse, ends_at(u->x->cse, u->made));
	return HOOK_GO;
}

static bool is_makers(const struct exchange *x, const struct resource *r)
{
	return x->cse->config.customs && strcmp(x->from, r->creator) == 0;
}

/* Recalled while it is with the network. What is over stays until it expires; the administrator may take it away. */
static enum hook_result trigger_remove(struct exchange *x, struct resource *r)
{
	bool pending = resource_uint(r, "tst", 0) == CSE_TRIGGER_PROCESSING;
	enum cse_trigger_answer answer = CSE_TRIGGER_REFUSED;
	struct attributes a;

	if (!x || (!pending && (x->privileged || is_makers(x, r))))
		return HOOK_GO;
	if (pending) {
		attributes_init(&a, x->arena, resource_attributes(r));
		answer = ask(x->cse, CSE_TRIGGER_RECALL, &a);
	}
	if (answer == CSE_TRIGGER_TAKEN)
		return HOOK_GO;
	if (answer == CSE_TRIGGER_NO_NETWORK)
		note_lost(x->cse, r);
	exchange_fail(x, RSC_UNABLE_TO_RECALL_REQUEST, "the trigger is not with a network any more (`tst`), or the network did not recall it");
	return HOOK_FAILED;
}

static void trigger_start(struct cse *c, struct resource *r)
{
	if (ends_at(c, r))
		watch_until(c, ends_at(c, r));
}

/* ---- reports ---- */

struct report {
	const struct cse *cse;
	char reference[64];
	enum cse_trigger_status status;
	int64_t id;
};

static bool find(void *ctx, struct resource *r)
{
	struct report *p = ctx;

	if (resource_is(r, "trf", p->reference) && is_pending(p->cse, resource_uint(r, "tst", 0)))
		p->id = r->id;
	return p->id == 0;
}

static void take_report(struct cse *c, void *ctx)
{
	struct report *p = ctx;

	if (tree_by_type(c->tree, TY_TRIGGER_REQUEST, find, p) == OK && p->id && set_status(c, p->id, p->status) != OK)
		c->round_broken = store_dirty(c->store);
	free(p);
}

void cse_trigger_report(struct cse *c, const char *reference, enum cse_trigger_status status)
{
	struct report *p;

	if (!is_report(c, status))
		return;
	p = calloc(1, sizeof *p);
	if (!p)
		abort();
	p->cse = c;
	snprintf(p->reference, sizeof p->reference, "%s", reference);
	p->status = status;
	if (!gate_holds(c, take_report, p))
		take_report(c, p);
}

const struct type_hooks hooks_trigger_request = {
	.type = TY_TRIGGER_REQUEST,
	.create = trigger_create,
	.created = trigger_created,
	.update = trigger_update,
	.updated = trigger_updated,
	.remove = trigger_remove,
	.start = trigger_start,
};
