/* Looking up descriptions of devices. */
#include "oci/description_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct descriptions *descriptions_new(void)
{
	struct descriptions *d = calloc(1, sizeof *d);

	if (d)
		d->fingerprint = 2166136261U;
	return d;
}

void descriptions_free(struct descriptions *d)
{
	if (!d)
		return;
	while (d->modules) {
		struct module *m = d->modules;

		d->modules = m->next;
		free(m);
	}
	while (d->classes) {
		struct device_class *c = d->classes;

		d->classes = c->next;
		free(c);
	}
	while (d->models) {
		struct model *m = d->models;

		d->models = m->next;
		free(m);
	}
	free(d);
}

struct descriptions *descriptions_built_in(void)
{
	struct descriptions *d = descriptions_new();
	char why[300];

	for (size_t i = 0; d && built_ins[i].name; i++)
		if (descriptions_read(d, built_ins[i].name, rd_of(built_ins[i].octets, built_ins[i].len), why, sizeof why) != OK) {
			fprintf(stderr, "%s\n", why);
			abort(); /* a unit test reads them too */
		}
	return d;
}

uint32_t descriptions_fingerprint(const struct descriptions *d)
{
	return d->fingerprint;
}

static bool text_fits(const char *pattern, const char *text)
{
	size_t len = strlen(pattern);

	if (len > 0 && pattern[len - 1] == '*')
		return strncmp(pattern, text, len - 1) == 0;
	return strcmp(pattern, text) == 0;
}

const struct model *descriptions_model(const struct descriptions *d, const char *manufacturer, const char *name)
{
	for (const struct model *m = d->models; m; m = m->next)
		if (text_fits(m->manufacturer, manufacturer) && text_fits(m->name, name))
			return m;
	return NULL;
}

/* A model's own module goes before one for all, and what was read later before what was read earlier. */
static bool hidden(const struct descriptions *d, const struct model *model, const struct module *m)
{
	bool before = true;

	for (const struct module *other = d->modules; other; other = other->next) {
		if (other == m)
			before = false;
		else if (strcmp(other->name, m->name) == 0 && ((before && other->model == m->model) || (model && other->model == model && !m->model)))
			return true;
	}
	return false;
}

const struct module *descriptions_module(const struct descriptions *d, const struct model *model, size_t index)
{
	for (const struct module *m = d->modules; m; m = m->next)
		if ((!m->model || m->model == model) && !hidden(d, model, m) && index-- == 0)
			return m;
	return NULL;
}

const struct device_class *descriptions_class(const struct descriptions *d, uint16_t device)
{
	const struct device_class *any = NULL;

	for (const struct device_class *c = d->classes; c; c = c->next) {
		if (c->device == device)
			return c;
		if (c->device == ANY_DEVICE && !any)
			any = c;
	}
	return any;
}

bool point_fits_zone(const struct point *p, uint16_t zone_type)
{
	for (size_t i = 0; i < p->zone_count; i++)
		if (p->zones[i] == zone_type)
			return true;
	return p->zone_count == 0;
}

bool model_ignores(const struct model *m, uint16_t cluster)
{
	for (size_t i = 0; m && i < m->ignored_count; i++)
		if (m->ignored[i] == cluster)
			return true;
	return false;
}
