/* execInstance: TS-0001 clause 9.6.17, TS-0004 clause 7.4.17.
 *
 *	INITIATED --delay--> PENDING --the device is done--> FINISHED, or after execFrequency PENDING again
 *	    |                   |
 *	    +---- execDisable --+--> CANCELLED */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/id_map.h"
#include "cse/types/mgmt_cmd.h"
#include "cse/types/mgmt_obj.h"
#include "cse/types/types.h"

#define WAITING_MOST 64 /* for one object at a time */

struct execution {
	struct cse_timer timer; /* first, so that its function finds the execution */
	int64_t id;
	int64_t object;         /* that it waits for; 0: none */
	uint64_t left;          /* runs after this one */
};

struct executions {
	struct id_map all;
};

static void executions_free(struct cse *c, void *state)
{
	struct executions *s = state;
	struct execution *e;
	size_t at = 0;

	(void)c;
	while ((e = id_map_each(&s->all, &at)) != NULL)
		free(e);
	id_map_clear(&s->all);
	free(s);
}

static struct executions *service(struct cse *c)
{
	struct executions *s = c->services[SERVICE_MANAGEMENT_COMMAND];

	if (!s) {
		s = calloc(1, sizeof *s);
		if (!s)
			abort();
		cse_service_set(c, SERVICE_MANAGEMENT_COMMAND, s, executions_free);
	}
	return s;
}

static void forget(struct cse *c, struct execution *e)
{
	cse_timer_cancel(c, &e->timer);
	id_map_set(&service(c)->all, e->id, NULL);
	free(e);
}

/* ---- how often it still runs, in the store ---- */

static void keep(struct cse *c, const struct execution *e, bool gone)
{
	char name[48], value[24] = "";

	snprintf(name, sizeof name, "exec.%lld", (long long)e->id);
	if (!gone)
		snprintf(value, sizeof value, "%llu", (unsigned long long)e->left);
	if (store_value_set(c->store, name, rd_str(value)) != OK)
		c->round_broken = true;
	cse_commit_later(c);
}

static bool take_value(void *ctx, const struct store_row *row)
{
	struct execution *e = ctx;

	if (!rd_decimal(row->body, &e->left))
		e->left = 0;
	return false;
}

/* ---- status ---- */

struct outcome {
	enum exec_status status;
	enum exec_result result;
};

static void set_outcome(void *ctx, struct attributes *a)
{
	const struct outcome *o = ctx;

	attributes_set_uint(a, "exs", o->status);
	attributes_set_uint(a, "exr", (uint64_t)o->result);
}

void execution_tell(struct cse *c, int64_t id, enum exec_status status, enum exec_result result)
{
	struct outcome o = {status, result};
	enum err e = cse_edit_resource(c, id, true, set_outcome, &o);

	if (e != OK && e != ERR_NOT_FOUND)
		c->round_broken = true;
}

static void end(struct cse *c, struct execution *e, enum exec_status status, enum exec_result result)
{
	execution_tell(c, e->id, status, result);
	keep(c, e, true);
	forget(c, e);
}

/* ---- a run ---- */

struct pulling {
	const struct command_way *way;
	const struct json *arguments;
	bool on;
};

static void pull(void *ctx, struct attributes *a)
{
	const struct pulling *p = ctx;
	const struct json *url = json_get(p->arguments, "url");

	if (p->on && p->way->sets_url && url)
		attributes_set_json(a, "url", url);
	mgmt_obj_set(a, p->way->mgd, p->way->trigger, p->on);
}

static struct resource *command_of(struct cse *c, struct resource *instance, const struct command_way **w)
{
	struct resource *command = tree_parent(c->tree, instance);

	*w = command ? command_way(resource_get(command, "cmt")) : NULL;
	return command;
}

static void run(struct cse *c, struct execution *e)
{
	struct resource *instance = tree_by_id(c->tree, e->id), *command = NULL, *node = NULL, *object = NULL;
	const struct command_way *w = NULL;
	const struct json *exra;
	struct pulling p;

	if (instance) {
		command = command_of(c, instance, &w);
		exra = resource_get(instance, "exra");
		node = command_target(c, resource_get(instance, "ext"));
		object = w ? command_object(c, node, w, exra) : NULL;
		if (object) {
			p = (struct pulling){w, command_arguments(exra, w), true};
			e->object = object->id;
			execution_tell(c, e->id, EXEC_PENDING, EXEC_NOT_FINISHED);
			if (cse_edit_resource(c, object->id, true, pull, &p) != OK)
				c->round_broken = true;
		} else {
			end(c, e, EXEC_FINISHED, EXEC_UNSUPPORTED);
		}
	}
	resource_unref(object);
	resource_unref(node);
	resource_unref(command);
	resource_unref(instance);
}

static void on_time(struct cse *c, struct cse_timer *t)
{
	run(c, (struct execution *)t);
}

static uint64_t duration_of(struct resource *r, const char *name)
{
	struct rd text;
	uint64_t ms;

	return json_string(resource_get(r, name), &text) && duration_parse(text, &ms) ? ms : 0;
}

/* Some time up to most: that many devices do not do it all at once. */
static uint64_t some_of(const struct cse *c, int64_t id, uint64_t most)
{
	uint64_t x = cse_now(c) ^ (uint64_t)id * 0x9e3779b97f4a7c15ULL;

	x ^= x >> 31;
	x *= 0xbf58476d1ce4e5b9ULL;
	return most ? (x ^ x >> 29) % (most + 1) : 0;
}

static void wait_for(struct cse *c, struct execution *e, struct resource *instance, uint64_t wait)
{
	enum exec_mode mode = (enum exec_mode)resource_uint(instance, "exm", EXEC_ONCE);

	if (mode == EXEC_RANDOM_ONCE || mode == EXEC_RANDOM_REPEAT)
		wait = some_of(c, e->id, wait);
	cse_timer_at(c, &e->timer, cse_mono(c) + wait);
}

static struct execution *execution_new(struct cse *c, int64_t id)
{
	struct execution *e = calloc(1, sizeof *e);

	if (!e)
		abort();
	e->id = id;
	e->timer.fn = on_time;
	id_map_set(&service(c)->all, id, e);
	return e;
}

void execution_begin(struct cse *c, struct resource *instance)
{
	struct execution *e = execution_new(c, instance->id);
	enum exec_mode mode = (enum exec_mode)resource_uint(instance, "exm", EXEC_ONCE);
	uint64_t times = resource_uint(instance, "exn", 1);

	if ((mode == EXEC_REPEAT || mode == EXEC_RANDOM_REPEAT) && times > 1)
		e->left = times - 1;
	keep(c, e, false);
	wait_for(c, e, instance, duration_of(instance, "exy"));
}

/* ---- the device's answer ---- */

static void object_changed(struct cse *c, struct execution *e, struct resource *object)
{
	struct resource *instance = tree_by_id(c->tree, e->id), *command;
	const struct command_way *w;
	bool well;

	if (!instance)
		return;
	command = command_of(c, instance, &w);
	if (w && w->trigger && mgmt_obj_is_done(object, w->trigger, &well)) {
		e->object = 0;
		if (e->left > 0 && well) {
			e->left--;
			keep(c, e, false);
			wait_for(c, e, instance, duration_of(instance, "exf"));
		} else {
			end(c, e, EXEC_FINISHED, well ? EXEC_SUCCESS : EXEC_INTERNAL_ERROR);
		}
	}
	resource_unref(command);
	resource_unref(instance);
}

void command_object_changed(struct cse *c, struct resource *object)
{
	const struct executions *s = c->services[SERVICE_MANAGEMENT_COMMAND];
	struct execution *e;
	int64_t ids[WAITING_MOST];
	size_t at = 0, count = 0;

	/* the end of one changes the map */
	while (s && count < WAITING_MOST && (e = id_map_each(&s->all, &at)) != NULL)
		if (e->object == object->id)
			ids[count++] = e->id;
	for (size_t i = 0; i < count; i++) {
		e = id_map_get(&s->all, ids[i]);
		if (e)
			object_changed(c, e, object);
	}
}

/* ---- hooks of execInstance ---- */

static void take_back(struct cse *c, const struct execution *e, struct resource *instance)
{
	struct resource *command;
	const struct command_way *w;
	struct pulling p;

	if (e->object == 0)
		return;
	command = command_of(c, instance, &w);
	if (w) {
		p = (struct pulling){w, NULL, false};
		if (cse_edit_resource(c, e->object, true, pull, &p) == ERR_STORE)
			c->round_broken = true;
	}
	resource_unref(command);
}

static enum hook_result instance_update(struct updating *u)
{
	struct cse *c = u->x->cse;
	struct execution *e = id_map_get(&service(c)->all, u->old->id);
	bool disable;

	if (!json_bool(json_get(u->given, "exd"), &disable) || !disable)
		return HOOK_GO;
	if (!e) {
		exchange_fail(u->x, RSC_ALREADY_COMPLETE, "the command is done, or was cancelled");
		return HOOK_FAILED;
	}
	attributes_set_uint(&u->attributes, "exs", EXEC_CANCELLED);
	return HOOK_GO;
}

static enum hook_result instance_updated(struct updating *u)
{
	struct cse *c = u->x->cse;
	struct execution *e = id_map_get(&service(c)->all, u->old->id);

	if (e && resource_uint(u->made, "exs", EXEC_INITIATED) == EXEC_CANCELLED) {
		take_back(c, e, u->made);
		keep(c, e, true);
		forget(c, e);
	}
	return HOOK_GO;
}

static void instance_removed(struct cse *c, struct resource *r)
{
	struct execution *e = id_map_get(&service(c)->all, r->id);

	if (!e)
		return;
	take_back(c, e, r);
	keep(c, e, true);
	forget(c, e);
}

static void instance_start(struct cse *c, struct resource *r)
{
	enum exec_status status = (enum exec_status)resource_uint(r, "exs", EXEC_FINISHED);
	struct resource *command, *node, *object;
	const struct command_way *w;
	struct execution *e;
	char name[48];

	if (status != EXEC_INITIATED && status != EXEC_PENDING)
		return;
	e = execution_new(c, r->id);
	snprintf(name, sizeof name, "exec.%lld", (long long)e->id);
	if (store_value_get(c->store, name, take_value, e) != OK)
		e->left = 0;
	command = command_of(c, r, &w);
	node = command_target(c, resource_get(r, "ext"));
	object = w && status == EXEC_PENDING ? command_object(c, node, w, resource_get(r, "exra")) : NULL;
	/* what is still to be pulled, or has been done between two runs, waits again */
	if (object && resource_bool(object, w->trigger, false))
		e->object = object->id;
	else
		wait_for(c, e, r, duration_of(r, status == EXEC_PENDING ? "exf" : "exy"));
	resource_unref(object);
	resource_unref(node);
	resource_unref(command);
}

const struct type_hooks hooks_exec_instance = {
	.type = TY_EXEC_INSTANCE,
	.update = instance_update,
	.updated = instance_updated,
	.removed = instance_removed,
	.start = instance_start,
};
