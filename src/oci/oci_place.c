/* What the descriptions make of a device: which members of which modules stand for what of its endpoints, and their values. */
#include <stdio.h>
#include <string.h>

#include "oci/core_private.h"

struct oci_endpoint *oci_endpoint(struct oci_device *d, uint8_t id)
{
	for (size_t i = 0; i < d->endpoint_count; i++)
		if (d->endpoints[i].id == id)
			return &d->endpoints[i];
	return NULL;
}

bool oci_endpoint_has(const struct oci_endpoint *e, uint16_t cluster)
{
	for (size_t i = 0; i < e->in_count; i++)
		if (e->in[i] == cluster)
			return true;
	return false;
}

static bool sends_commands(const struct oci_endpoint *e, uint16_t cluster)
{
	for (size_t i = 0; i < e->out_count; i++)
		if (e->out[i] == cluster)
			return true;
	return false;
}

static bool is_for(const struct point *p, const struct model *kind, const struct oci_endpoint *e)
{
	if (model_ignores(kind, p->cluster) || (p->cluster == ZCL_IAS_ZONE && !point_fits_zone(p, e->zone_type)))
		return false;
	return p->received_count > 0 ? sends_commands(e, p->cluster) : oci_endpoint_has(e, p->cluster);
}

void oci_places_make(struct oci_core *c, struct oci_device *d)
{
	const struct module *m;

	memset(d->commands, 0, sizeof d->commands); /* they point to places */
	d->command_count = 0;
	d->kind = descriptions_model(c->config.descriptions, d->manufacturer, d->model);
	d->place_count = 0;
	for (size_t e = 0; e < d->endpoint_count; e++)
		for (size_t i = 0; (m = descriptions_module(c->config.descriptions, d->kind, i)) != NULL; i++)
			for (size_t k = 0; k < m->point_count && d->place_count < OCI_PLACES; k++)
				if (is_for(&m->points[k], d->kind, &d->endpoints[e]))
					d->places[d->place_count++] = (struct oci_place){&m->points[k], (uint8_t)e};
}

void oci_place_name(const struct oci_device *d, const struct oci_place *p, const struct module *m, char name[32])
{
	bool first = true;

	for (size_t i = 0; i < d->place_count; i++)
		first = first && !(d->places[i].endpoint < p->endpoint && strcmp(d->places[i].point->module->name, m->name) == 0);
	if (first)
		snprintf(name, 32, "%s", m->name);
	else
		snprintf(name, 32, "%s-%u", m->name, d->endpoints[p->endpoint].id);
}

struct oci_attribute *oci_attribute(struct oci_device *d, uint8_t endpoint, uint16_t cluster, uint16_t id, bool make)
{
	struct oci_attribute *a;

	for (size_t i = 0; i < d->attribute_count; i++) {
		a = &d->attributes[i];
		if (a->id == id && a->cluster == cluster && a->endpoint == endpoint)
			return a;
	}
	if (!make || d->attribute_count == OCI_ATTRIBUTES)
		return NULL;
	a = &d->attributes[d->attribute_count++];
	*a = (struct oci_attribute){.endpoint = endpoint, .cluster = cluster, .id = id};
	return a;
}

static bool factor(struct oci_device *d, const struct oci_place *p, bool has, uint16_t id, double *v)
{
	const struct oci_attribute *a;

	*v = 1;
	if (!has)
		return true;
	a = oci_attribute(d, d->endpoints[p->endpoint].id, p->point->cluster, id, false);
	if (a && a->refused)
		return true;
	if (!a || !a->known)
		return false;
	if (a->number > 0)
		*v = (double)a->number;
	return true;
}

bool oci_place_factors(struct oci_device *d, const struct oci_place *p, struct factors *f)
{
	return factor(d, p, p->point->has_multiplier, p->point->multiplier, &f->multiplier) && factor(d, p, p->point->has_divisor, p->point->divisor, &f->divisor);
}

static bool inputs_known(struct oci_device *d, const struct oci_place *p, struct zcl_value inputs[INPUTS_MAX])
{
	for (size_t i = 0; i < p->point->input_count; i++) {
		const struct oci_attribute *a = oci_attribute(d, d->endpoints[p->endpoint].id, p->point->cluster, p->point->inputs[i], false);

		if (!a || !a->known)
			return false;
		inputs[i] = (struct zcl_value){.type = a->type, .number = a->number};
	}
	return p->point->input_count > 0;
}

bool oci_place_value(struct oci_device *d, const struct oci_place *p, struct wr *w)
{
	struct zcl_value inputs[INPUTS_MAX] = {{.type = ZCL_NO_DATA}};
	struct factors f;

	return inputs_known(d, p, inputs) && oci_place_factors(d, p, &f) && conversion_value(p->point, inputs, &f, w);
}

/* The first of those whose inputs the device has told; before it told any, the first. */
bool oci_place_serves(struct oci_device *d, const struct oci_place *p)
{
	const struct oci_place *first = NULL;
	struct zcl_value inputs[INPUTS_MAX];

	for (const struct oci_place *other = d->places; other < d->places + d->place_count; other++) {
		if (other->endpoint != p->endpoint || other->point->module != p->point->module || strcmp(other->point->member, p->point->member) != 0)
			continue;
		if (inputs_known(d, other, inputs))
			return other == p;
		if (!first)
			first = other;
	}
	return first == p;
}
