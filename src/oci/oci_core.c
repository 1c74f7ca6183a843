/* The coordinator's devices, their keys, what it wants done, and time. */
#include "oci/oci_core.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "oci/core_private.h"

#define COUNTER_BLOCK 1024
#define APS_COUNTER_SKIP 64 /* more than are sent between two frames of the device, each of which stores it */

struct oci_core *oci_core_new(const struct oci_core_config *config)
{
	struct oci_core *c = calloc(1, sizeof *c);

	if (!c || (c->effects = calloc(OCI_EFFECTS, sizeof *c->effects)) == NULL) {
		free(c);
		return NULL;
	}
	c->config = *config;
	return c;
}

static void device_free(struct oci_device *d)
{
	secret_free(d->present.network);
	secret_free(d->pending.network);
	free(d);
}

void oci_core_free(struct oci_core *c)
{
	if (!c)
		return;
	while (c->devices) {
		struct oci_device *d = c->devices;

		c->devices = d->next;
		device_free(d);
	}
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
	memset(e, 0, sizeof *e);
	e->type = type;
	e->eui64 = d->eui64;
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
	d->zcl_sequence = (uint8_t)rng_u32(c->config.rng);
}

static struct oci_device *device_add(struct oci_core *c, uint64_t eui64)
{
	struct oci_device *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->eui64 = eui64;
	d->step_at = CLOCK_NEVER;
	counter_init(&d->out, 0, COUNTER_BLOCK);
	begin_sequences(c, d);
	d->next = c->devices;
	c->devices = d;
	return d;
}

struct oci_device *oci_core_restore(struct oci_core *c, uint64_t now, const struct oci_device *stored)
{
	struct oci_device *d = device_add(c, stored->eui64), *next;

	if (!d)
		return NULL;
	next = d->next;
	*d = *stored;
	d->next = next;
	begin_sequences(c, d);
	d->aps_counter = (uint8_t)(stored->aps_counter + APS_COUNTER_SKIP);
	counter_init(&d->out, stored->out_reserved, COUNTER_BLOCK);
	d->step_at = CLOCK_NEVER;
	oci_router_forget(d);
	c->now = now;
	oci_interview_restored(c, d);
	return d;
}

static void key_set(struct oci_key *k, const struct oci_key_order *o)
{
	const struct oci_key fresh = {.network = o->key, .sequence = o->sequence, .generation = o->generation, .rotation = o->rotation};

	secret_free(k->network);
	*k = fresh;
	snprintf(k->id, sizeof k->id, "%s", o->key_id);
}

void oci_counter_begin(struct oci_device *d)
{
	d->out_reserved = 0;
	counter_init(&d->out, 0, COUNTER_BLOCK);
}

/* A key that was never used by the device gives its place; the numbers taken under it are of no use to anybody. */
static void present_set(struct oci_device *d, const struct oci_key_order *o)
{
	d->short_address = o->short_address;
	d->capability = o->capability;
	if (d->present.network && d->present.generation == o->generation) {
		secret_free(o->key);
		return;
	}
	key_set(&d->present, o);
	oci_counter_begin(d);
}

enum err oci_core_key(struct oci_core *c, uint64_t now, const struct oci_key_order *o)
{
	struct oci_device *d = oci_core_device(c, o->eui64);

	c->now = now;
	if (!d)
		d = device_add(c, o->eui64);
	if (!d) {
		secret_free(o->key);
		return ERR_NO_MEMORY;
	}
	d->gateway = o->gateway;
	if (strcmp(d->relay, o->relay) != 0)
		d->uplink = 0; /* another gateway, which counts by itself */
	snprintf(d->relay, sizeof d->relay, "%s", o->relay);
	snprintf(d->application, sizeof d->application, "%s", o->application);
	if (!d->present.network || d->present.generation == o->generation || !d->joined)
		present_set(d, o);
	else
		key_set(&d->pending, o);
	return oci_save(c, d) ? OK : ERR_STORE;
}

void oci_core_forget(struct oci_core *c, uint64_t now, uint64_t eui64)
{
	const struct nwk_command leave = {.id = NWK_LEAVE, .leave = {.request = true}};
	struct oci_device **link = &c->devices, *d;

	c->now = now;
	while (*link && (*link)->eui64 != eui64)
		link = &(*link)->next;
	d = *link;
	if (!d)
		return;
	oci_nwk_command(c, d, &leave);
	(void)oci_effect(c, OCI_CHILD_DROP, d);
	*link = d->next;
	device_free(d);
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
}

uint64_t oci_core_deadline(const struct oci_core *c)
{
	uint64_t next = CLOCK_NEVER;

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
