/* processManagement and state: TS-0001 clauses 9.6.65, 9.6.66 and 10.2.22. A state machine that the CSE steps through as conditions become true.
 *
 *	Disabled --Enable--> Enabled --activateConditions--> Activated --endConditions--> Completed
 *	                                                     |  ^
 *	                                                Pause v  | Reactivate      any --Disable--> Disabled
 *	                                                     Paused                   a state that is not there: Aborted
 *
 * In Activated one state is active; the first of its transitions whose criteria are met leads to the next. The criteria are about the
 * subject of the state's action, or, where it has none, about the resource that the process is a child of. */
#include <stdio.h>
#include <string.h>

#include "cse/types/action.h"
#include "cse/types/condition.h"
#include "cse/types/types.h"
#include "cse/types/watches.h"

enum status { DISABLED = 1, ENABLED, ACTIVATED, PAUSED, COMPLETED, ABORTED }; /* m2m:processStatus */
enum control { ENABLE = 1, DISABLE, PAUSE, REACTIVATE };                     /* m2m:processControl */

#define CHAIN_MOST 8 /* as of actions: a state that is left at once, and so on */

#define REFUSE(x, rsc, ...) (exchange_fail(x, rsc, __VA_ARGS__), false)

static enum status status_of(struct resource *process)
{
	return (enum status)resource_uint(process, "prst", DISABLED);
}

/* ---- states ---- */

static struct resource *state_at(struct cse *c, const struct json *id, int64_t process)
{
	struct resource *r = id && id->type == JSON_STRING ? cse_find_address(c, id->text) : NULL;

	if (r && (r->type != TY_STATE || r->parent != process)) {
		resource_unref(r);
		r = NULL;
	}
	return r;
}

static struct resource *action_of(struct cse *c, struct resource *state)
{
	const struct json *stac = resource_get(state, "stac");
	struct resource *r = stac && stac->type == JSON_STRING ? cse_find_address(c, stac->text) : NULL;

	if (r && r->type != TY_ACTION) {
		resource_unref(r);
		r = NULL;
	}
	return r;
}

static struct resource *subject_of(struct cse *c, struct resource *process, struct resource *state)
{
	struct resource *action = action_of(c, state), *subject;

	subject = action ? action_subject(c, resource_get(action, "sri"), state) : tree_parent(c->tree, process);
	resource_unref(action);
	return subject;
}

/* ---- what it watches ---- */

struct watching {
	struct cse *cse;
	struct resource *process;
	int64_t ids[WATCHED_MOST];
	size_t count;
};

static void add(struct watching *w, struct resource *subject)
{
	if (subject && w->count < WATCHED_MOST)
		w->ids[w->count++] = subject->id;
	resource_unref(subject);
}

static void add_conditions(struct watching *w, const struct json *conditions)
{
	for (const struct json *e = conditions ? conditions->first : NULL; e; e = e->next) {
		struct rd sri;

		if (json_string(json_get(e, "sri"), &sri))
			add(w, cse_find_address(w->cse, sri));
	}
}

static bool add_state(void *ctx, struct resource *state)
{
	struct watching *w = ctx;

	add(w, subject_of(w->cse, w->process, state));
	return true;
}

static void watch(struct cse *c, struct resource *process)
{
	struct watching w = {.cse = c, .process = process};
	enum status s = status_of(process);

	if (s == ENABLED)
		add_conditions(&w, resource_get(process, "atcos"));
	if (s == ACTIVATED) {
		add_conditions(&w, resource_get(process, "encos"));
		if (tree_children(c->tree, process, TY_STATE, false, add_state, &w) != OK)
			c->counts.refused++;
	}
	watches_set(c, process->id, w.ids, w.count);
}

/* ---- steps ---- */

static void set_active(void *ctx, struct attributes *a)
{
	attributes_set_bool(a, "sact", *(bool *)ctx);
}

static void activate(struct cse *c, struct resource *state, bool active)
{
	if (cse_edit_resource(c, state->id, true, set_active, &active) != OK)
		c->round_broken = true;
}

struct step {
	enum status status;
	const char *state; /* NULL: none is current any more */
};

static void set_step(void *ctx, struct attributes *a)
{
	const struct step *s = ctx;
	struct rd raw;

	attributes_set_uint(a, "prst", s->status);
	if (s->state)
		attributes_set_string(a, "cust", s->state);
	else if (attributes_get(a, "cust", &raw))
		attributes_remove(a, "cust");
}

static void take_step(struct cse *c, int64_t process, enum status status, struct resource *state)
{
	struct step s = {status, state ? state->ri : NULL};
	struct resource *now;

	if (cse_edit_resource(c, process, true, set_step, &s) != OK)
		c->round_broken = true;
	now = tree_by_id(c->tree, process);
	if (now)
		watch(c, now);
	resource_unref(now);
}

static void leave_current(struct cse *c, struct resource *process)
{
	struct resource *state = state_at(c, resource_get(process, "cust"), process->id);

	if (state && resource_bool(state, "sact", false))
		activate(c, state, false);
	resource_unref(state);
}

static void enter(struct cse *c, struct resource *process, const struct json *id)
{
	struct resource *state = state_at(c, id, process->id), *action, *subject;

	leave_current(c, process);
	if (!state) {
		take_step(c, process->id, ABORTED, NULL);
		return;
	}
	activate(c, state, true);
	take_step(c, process->id, ACTIVATED, state);
	/* the state's action looks at things as they are */
	action = action_of(c, state);
	subject = action ? action_subject(c, resource_get(action, "sri"), state) : NULL;
	if (subject)
		action_subject_changed(c, action, subject);
	resource_unref(subject);
	resource_unref(action);
	resource_unref(state);
}

static bool all_hold(struct cse *c, const struct json *conditions)
{
	for (const struct json *e = conditions ? conditions->first : NULL; e; e = e->next) {
		struct rd sri;
		struct resource *subject = json_string(json_get(e, "sri"), &sri) ? cse_find_address(c, sri) : NULL;
		bool holds = subject && condition_holds(json_get(e, "evc"), subject);

		resource_unref(subject);
		if (!holds)
			return false;
	}
	return true;
}

static void run_transitions(struct cse *c, struct resource *process)
{
	struct resource *state = state_at(c, resource_get(process, "cust"), process->id), *subject = state ? subject_of(c, process, state) : NULL;
	const struct json *list = state ? resource_get(state, "sttrs") : NULL;

	for (const struct json *t = subject && list ? list->first : NULL; t; t = t->next) {
		if (condition_holds(json_get(t, "evc"), subject)) {
			enter(c, process, json_get(t, "nxst"));
			break;
		}
	}
	resource_unref(subject);
	resource_unref(state);
}

static void step(struct cse *c, struct resource *process)
{
	const struct json *end = resource_get(process, "encos");

	switch (status_of(process)) {
	case ENABLED:
		if (all_hold(c, resource_get(process, "atcos")))
			enter(c, process, resource_get(process, "inst"));
		return;
	case ACTIVATED:
		if (end && end->first && all_hold(c, end)) {
			leave_current(c, process);
			take_step(c, process->id, COMPLETED, NULL);
		} else {
			run_transitions(c, process);
		}
		return;
	case DISABLED:
	case PAUSED:
	case COMPLETED:
	case ABORTED:
		return;
	}
}

void process_subject_changed(struct cse *c, struct resource *process)
{
	unsigned depth = watches_depth(c);

	if (depth >= CHAIN_MOST)
		return;
	watches_set_depth(c, depth + 1);
	step(c, process);
	watches_set_depth(c, depth);
}

/* ---- checks ---- */

static bool conditions_fit(struct exchange *x, const struct json *conditions, const char *name)
{
	for (const struct json *e = conditions && conditions->type == JSON_ARRAY ? conditions->first : NULL; e; e = e->next) {
		struct rd sri;
		struct resource *subject = json_string(json_get(e, "sri"), &sri) ? cse_find_address(x->cse, sri) : NULL;
		bool ok = false;

		if (!subject)
			exchange_fail(x, RSC_INVALID_PROCESS_CONFIGURATION, "`%s.sri`: there is no such resource at this CSE", name);
		else if (!cse_permits(x, subject, ACOP_RETRIEVE))
			exchange_fail(x, RSC_INVALID_PROCESS_CONFIGURATION, "%s may not retrieve what the process shall depend on", x->from);
		else
			ok = condition_check(x, json_get(e, "evc"), subject, name, RSC_INVALID_PROCESS_CONFIGURATION);
		resource_unref(subject);
		if (!ok)
			return false;
	}
	return true;
}

/* What a control leads to; 0: it is not permitted in this status. */
static unsigned after(enum control control, enum status status)
{
	switch (control) {
	case ENABLE:
		return status == DISABLED ? ENABLED : 0;
	case DISABLE:
		return status != DISABLED ? DISABLED : 0;
	case PAUSE:
		return status == ACTIVATED ? PAUSED : 0;
	case REACTIVATE:
		return status == PAUSED ? ACTIVATED : 0;
	}
	return 0;
}

static bool is_running(enum status s)
{
	return s == ENABLED || s == ACTIVATED || s == PAUSED;
}

static bool initial_fits(struct updating *u)
{
	const struct json *inst = json_get(u->given, "inst");
	struct resource *initial;
	bool ok;

	if (!inst || inst->type == JSON_NULL)
		return true;
	initial = state_at(u->x->cse, inst, u->old->id);
	ok = initial && cse_permits(u->x, initial, ACOP_RETRIEVE);
	resource_unref(initial);
	return ok || REFUSE(u->x, RSC_INVALID_PROCESS_CONFIGURATION, "`inst`: must name a state of this process that %s may retrieve", u->x->from);
}

struct only {
	char ri[128];
	unsigned count;
};

static bool note_state(void *ctx, struct resource *state)
{
	struct only *o = ctx;

	snprintf(o->ri, sizeof o->ri, "%s", state->ri);
	return ++o->count < 2;
}

/* A process of one state begins there, and need not say so. */
static bool has_initial(struct cse *c, struct resource *process, struct attributes *a)
{
	const struct json *inst = attributes_value(a, "inst");
	struct only only = {"", 0};
	struct resource *initial;
	bool ok;

	if (!inst && tree_children(c->tree, process, TY_STATE, false, note_state, &only) == OK && only.count == 1) {
		attributes_set_string(a, "inst", only.ri);
		return true;
	}
	initial = state_at(c, inst, process->id);
	ok = initial != NULL;
	resource_unref(initial);
	return ok;
}

static bool control_fits(struct updating *u, struct attributes *a)
{
	enum status status = status_of(u->old);
	uint64_t control;
	unsigned next;
	struct rd raw;

	if (!json_uint(json_get(u->given, "prct"), &control))
		return true;
	next = after((enum control)control, status);
	if (next == 0)
		return REFUSE(u->x, RSC_OPERATION_NOT_ALLOWED, "`prct`: is not permitted while the process' status (prst) is %d", status);
	if (control == ENABLE && !has_initial(u->x->cse, u->old, a))
		return REFUSE(u->x, RSC_INVALID_PROCESS_CONFIGURATION, "`inst`: a process is enabled with a state of its own to begin with");
	if (control == DISABLE && attributes_get(a, "cust", &raw))
		attributes_remove(a, "cust");
	attributes_set_uint(a, "prst", next);
	return true;
}

/* ---- hooks ---- */

static enum hook_result process_create(struct creation *cr)
{
	attributes_set_uint(&cr->attributes, "prst", DISABLED);
	attributes_set_uint(&cr->attributes, "prct", DISABLE);
	return HOOK_GO;
}

static enum hook_result process_update(struct updating *u)
{
	static const char *const fixed[] = {"inst", "atcos", "encos"};

	for (size_t i = 0; i < 3; i++)
		if (json_get(u->given, fixed[i]) && status_of(u->old) != DISABLED) {
			exchange_fail(u->x, RSC_OPERATION_NOT_ALLOWED, "`%s`: can only be changed while the process is disabled", fixed[i]);
			return HOOK_FAILED;
		}
	if (!conditions_fit(u->x, json_get(u->given, "atcos"), "atcos") || !conditions_fit(u->x, json_get(u->given, "encos"), "encos") || !initial_fits(u))
		return HOOK_FAILED;
	return control_fits(u, &u->attributes) ? HOOK_GO : HOOK_FAILED;
}

static enum hook_result process_updated(struct updating *u)
{
	struct cse *c = u->x->cse;
	uint64_t control;

	if (!json_uint(json_get(u->given, "prct"), &control))
		return HOOK_GO;
	if (control == DISABLE)
		leave_current(c, u->old);
	watch(c, u->made);
	if (control == ENABLE || control == REACTIVATE) {
		process_subject_changed(c, u->made);
		resource_unref(u->made);
		u->made = tree_by_id(c->tree, u->old->id); /* the first step may have been taken */
	}
	return HOOK_GO;
}

static void process_child_removed(struct cse *c, struct resource *parent, struct resource *child)
{
	if (child->type == TY_STATE && is_running(status_of(parent)) && resource_is(parent, "cust", child->ri))
		take_step(c, parent->id, ABORTED, NULL);
}

static void process_removed(struct cse *c, struct resource *r)
{
	watches_set(c, r->id, NULL, 0);
}

/* The states of a process are made and changed while it is disabled. */
static bool is_disabled(struct exchange *x, struct resource *process)
{
	return !process || process->type != TY_PROCESS_MANAGEMENT || status_of(process) == DISABLED ||
	    REFUSE(x, RSC_OPERATION_NOT_ALLOWED, "the process is not disabled (prst is %d)", status_of(process));
}

static enum hook_result state_create(struct creation *cr)
{
	if (!is_disabled(cr->x, cr->x->target))
		return HOOK_FAILED;
	attributes_set_bool(&cr->attributes, "sact", false);
	return HOOK_GO;
}

static enum hook_result state_update(struct updating *u)
{
	const struct json *stac = json_get(u->given, "stac");
	struct resource *process = tree_parent(u->x->cse->tree, u->old), *action;
	bool ok = is_disabled(u->x, process);

	resource_unref(process);
	if (!ok)
		return HOOK_FAILED;
	if (!stac || stac->type != JSON_STRING)
		return HOOK_GO;
	action = cse_find_address(u->x->cse, stac->text);
	ok = action && action->type == TY_ACTION && action->parent == u->old->id;
	resource_unref(action);
	if (!ok)
		exchange_fail(u->x, RSC_INVALID_PROCESS_CONFIGURATION, "`stac`: must name an action of this state");
	return ok ? HOOK_GO : HOOK_FAILED;
}

const struct type_hooks hooks_process = {
	.type = TY_PROCESS_MANAGEMENT,
	.create = process_create,
	.child_removed = process_child_removed,
	.update = process_update,
	.updated = process_updated,
	.removed = process_removed,
	.start = watch,
};
const struct type_hooks hooks_state = {.type = TY_STATE, .create = state_create, .update = state_update};
