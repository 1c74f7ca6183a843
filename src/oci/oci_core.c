/* The coordinator's devices, their keys, what it wants done, and time. */
#include "oci/oci_core.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "oci/core_private.h"

#define GROUPCAST_MS 5000 /* for a report about what a groupcast was for */
#define APS_COUNTER_SKIP 64 /* more than are sent between two frames of the device, each of which stores it */

struct oci_core *oci_core_new(const struct oci_core_config *config)
{
	struct oci_core *c = calloc(1, sizeof *c);

	if (!c || (c->effects = calloc(OCI_EFFECTS, sizeof *c->effects)) == NULL) {
		free(c);
		return NULL;
	}
	c->config = *config;
	c->groupcast_ms = GROUPCAST_MS;
	return c;
}

static void device_free(struct oci_core *c, struct oci_device *d)
{
	oci_network_leave(c, d->present.network);
	oci_network_leave(c, d->pending.network);
	free(d);
}

void oci_core_free(struct oci_core *c)
{
	if (!c)
		return;
	while (c->devices) {
		struct oci_device *d = c->devices;

		c->devices = d->next;
		device_free(c, d);
	}
	oci_groups_free(c);
	oci_airs_free(c);
	free(c->effects);
	free(c);
}

struct oci_device *oci_core_device(struct oci_core *c, uint64_t eui64)
{
	for (struct oci_device *d = c->devices; d; d = d->next)
		if (d->eui64 == eui64)
			return d;
	return NULL;
}

struct oci_device *oci_core_devices(struct oci_core *c)
{
	return c->devices;
}

struct oci_effect *oci_effect(struct oci_core *c, enum oci_effect_type type, const struct oci_device *d)
{
	struct oci_effect *e;

	if (c->count == OCI_EFFECTS) {
		c->first = (c->first + 1) % OCI_EFFECTS;
		c->count--;
	}
	e = &c->effects[(c->first + c->count++) % OCI_EFFECTS];
	c->made++;
	memset(e, 0, sizeof *e);
	e->type = type;
	e->eui64 = d ? d->eui64 : 0;
	return e;
}

bool oci_core_output(struct oci_core *c, struct oci_effect *e)
{
	if (c->count == 0)
		return false;
	*e = c->effects[c->first];
	c->first = (c->first + 1) % OCI_EFFECTS;
	c->count--;
	return true;
}

void oci_log(struct oci_core *c, const struct oci_device *d, const char *fmt, ...)
{
	struct oci_effect *e = oci_effect(c, OCI_LOG, d);
	va_list args;

	va_start(args, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, args);
	va_end(args);
}

void oci_event(struct oci_core *c, const struct oci_device *d, const char *event)
{
	struct oci_effect *e = oci_effect(c, OCI_EVENT, d);

	snprintf(e->text, sizeof e->text, "%s", event);
	e->short_address = d->short_address;
	e->capability = d->capability;
}

bool oci_save(struct oci_core *c, const struct oci_device *d)
{
	return c->config.save(c->config.save_ctx, d) == OK;
}

static void begin_sequences(struct oci_core *c, struct oci_device *d)
{
	d->nwk_sequence = (uint8_t)rng_u32(c->config.rng);
	d->aps_counter = (uint8_t)rng_u32(c->config.rng);
	d->zdo_sequence = (uint8_t)rng_u32(c->config.rng);
	d->zcl_first = d->zcl_sequence = (uint8_t)rng_u32(c->config.rng);
}

static struct oci_device *device_add(struct oci_core *c, uint64_t eui64)
{
	struct oci_device *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->eui64 = eui64;
	d->step_at = CLOCK_NEVER;
	begin_sequences(c, d);
	d->next = c->devices;
	c->devices = d;
	return d;
}

/* Both or none. */
static bool networks_join(struct oci_core *c, struct oci_device *d, const struct oci_device *stored)
{
	struct oci_network *present = stored->present.network, *pending = stored->pending.network;

	d->present.network = d->pending.network = NULL;
	if (present && (d->present.network = oci_network_join(c, d, present)) == NULL) {
		oci_network_free(pending);
		return false;
	}
	return !pending || (d->pending.network = oci_network_join(c, d, pending)) != NULL;
}

struct oci_device *oci_core_restore(struct oci_core *c, uint64_t now, const struct oci_device *stored)
{
	struct oci_device *d = device_add(c, stored->eui64), *next;

	if (!d)
		return NULL;
	next = d->next;
	*d = *stored;
	d->next = next;
	if (!networks_join(c, d, stored)) {
		c->devices = next;
		device_free(c, d);
		return NULL;
	}
	begin_sequences(c, d);
	d->aps_counter = (uint8_t)((stored->aps_counter + APS_COUNTER_SKIP) % OCI_APS_UNICAST);
	d->step_at = CLOCK_NEVER;
	oci_router_forget(d);
	c->now = now;
	c->restored = true;
	c->restored_at = now;
	oci_interview_restored(c, d);
	return d;
}

static struct oci_network *network_of(const struct oci_core *c, const struct oci_key_order *o)
{
	char name[EUI64_SIZE];

	if (o->network)
		return oci_network_new(OCI_POLICY_GROUP, o->network, o->network_generation, o->sequence, o->key, c->config.counter_floor);
	eui64_print(name, o->eui64);
	return oci_network_new(OCI_POLICY_DEVICE, name, o->generation, o->sequence, o->key, c->config.counter_floor);
}

static void place_set(struct oci_device *d, const struct oci_key_order *o)
{
	d->gateway = o->gateway;
	if (strcmp(d->relay, o->relay) != 0)
		d->uplink = 0; /* another gateway, which counts by itself */
	snprintf(d->relay, sizeof d->relay, "%s", o->relay);
	snprintf(d->application, sizeof d->application, "%s", o->application);
}

/* That the device counted under: as another key of its own it would have no counters. */
static bool was_used(const struct oci_network *present, const struct oci_network *n)
{
	return present && present->policy == n->policy && strcmp(present->name, n->name) == 0 && n->policy == OCI_POLICY_GROUP && n->generation <= present->generation;
}

/* A key that the device never used gives its place, and the next is the present one. The same one again changes no counter. */
static enum err key_set(struct oci_core *c, struct oci_device *d, const struct oci_key_order *o, struct oci_network *n)
{
	bool again = d->present.network && d->present.generation == o->generation;
	struct oci_key *k = again || !d->present.network || !d->joined ? &d->present : &d->pending, former = *k;

	if (k == &d->present) {
		d->short_address = o->short_address;
		d->capability = o->capability;
	}
	if (again ? n != d->present.network : was_used(d->present.network, n))
		return ERR_EXISTS;
	if (again) {
		oci_network_leave(c, n);
		return oci_save(c, d) ? OK : ERR_STORE;
	}
	*k = (struct oci_key){.network = n, .generation = o->generation, .rotation = o->rotation};
	snprintf(k->id, sizeof k->id, "%s", o->key_id);
	if (oci_save(c, d)) {
		oci_network_leave(c, former.network);
		return OK;
	}
	*k = former;
	return ERR_STORE;
}

enum err oci_core_key(struct oci_core *c, uint64_t now, const struct oci_key_order *o)
{
	struct oci_device *d = oci_core_device(c, o->eui64);
	struct oci_network *n;
	enum err e;

	c->now = now;
	n = network_of(c, o);
	if (n && !d)
		d = device_add(c, o->eui64);
	if (!n || !d) {
		oci_network_free(n);
		return ERR_NO_MEMORY;
	}
	n = oci_network_join(c, d, n);
	if (!n)
		return ERR_EXISTS;
	place_set(d, o);
	e = key_set(c, d, o, n);
	if (e != OK)
		oci_network_leave(c, n);
	return e;
}

void oci_core_forget(struct oci_core *c, uint64_t now, uint64_t eui64)
{
	struct oci_device **link = &c->devices, *d;

	c->now = now;
	while (*link && (*link)->eui64 != eui64)
		link = &(*link)->next;
	d = *link;
	if (!d)
		return;
	oci_mesh_leave(c, d, false);
	(void)oci_effect(c, OCI_CHILD_DROP, d);
	oci_groups_forget(c, d);
	*link = d->next;
	device_free(c, d);
}

/* ---- time ---- */

void oci_core_tick(struct oci_core *c, uint64_t now)
{
	c->now = now;
	for (struct oci_device *d = c->devices; d; d = d->next) {
		if (c->count > OCI_EFFECTS / 2)
			return; /* the rest is overdue, and has its turn when these effects are taken */
		oci_aps_tick(c, d);
		oci_router_tick(c, d);
		oci_command_tick(c, d);
		oci_ota_tick(c, d);
		if (now >= d->step_at) {
			d->step_at = CLOCK_NEVER;
			oci_interview_step(c, d);
		}
	}
	oci_groups_tick(c);
}

uint64_t oci_core_deadline(const struct oci_core *c)
{
	uint64_t next = oci_groups_deadline(c);

	for (const struct oci_device *d = c->devices; d; d = d->next) {
		if (d->step_at < next)
			next = d->step_at;
		if (oci_command_deadline(d) < next)
			next = oci_command_deadline(d);
		if (oci_ota_deadline(d) < next)
			next = oci_ota_deadline(d);
		if (oci_aps_deadline(d) < next)
			next = oci_aps_deadline(d);
		if (oci_router_deadline(c, d) < next)
			next = oci_router_deadline(c, d);
	}
	return next;
}
