/* The simulated device's reporting: configuration and when a report is due. Source: ZCL clause 2.5.11. */
#include "sim/device_private.h"

#define NEVER_S 0xffff /* maximum interval: no reports at all */
#define SECOND_MS 1000ULL
#define SPREAD_MS 250 /* of each second */

const struct binding *device_binding(const struct sim_device *d, uint8_t endpoint, uint16_t cluster)
{
	for (size_t i = 0; i < d->binding_count; i++)
		if (d->bindings[i].cluster == cluster && d->bindings[i].endpoint == endpoint)
			return &d->bindings[i];
	return NULL;
}

const struct reporting *device_report_find(const struct sim_device *d, uint8_t endpoint, uint16_t cluster, uint16_t attribute)
{
	for (size_t i = 0; i < d->report_count; i++)
		if (d->reports[i].endpoint == endpoint && d->reports[i].cluster == cluster && d->reports[i].attribute == attribute)
			return &d->reports[i];
	return NULL;
}

uint8_t device_report_configure(struct sim_device *d, uint8_t endpoint, uint16_t cluster, const struct zcl_record *r)
{
	const struct device_attribute *a = device_attribute_find(d, endpoint, cluster, r->attribute);
	struct reporting *slot = NULL;

	if (!a)
		return ZCL_UNSUPPORTED_ATTRIBUTE;
	if (!(a->access & DEVICE_ATTRIBUTE_REPORTABLE))
		return ZCL_UNREPORTABLE_ATTRIBUTE;
	if (a->type != r->type)
		return ZCL_INVALID_DATA_TYPE;
	if (r->maximum_s != 0 && r->maximum_s < r->minimum_s)
		return ZCL_INVALID_VALUE;
	for (size_t i = 0; i < d->report_count; i++)
		if (d->reports[i].endpoint == endpoint && d->reports[i].cluster == cluster && d->reports[i].attribute == r->attribute)
			slot = &d->reports[i];
	if (!slot && d->report_count < DEVICE_REPORTS)
		slot = &d->reports[d->report_count++];
	if (!slot)
		return ZCL_FAILURE;
	*slot = (struct reporting){.endpoint = endpoint, .cluster = cluster, .attribute = r->attribute, .type = r->type, .minimum_s = r->minimum_s, .maximum_s = r->maximum_s, .change = r->change.number};
	return ZCL_SUCCESS;
}

/* To the coordinator: node B binds its devices to itself, and we know no other address. */
static void report(struct sim_device *d, struct reporting *r, const struct binding *b, const struct zcl_value *v)
{
	uint8_t buffer[32];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct zcl_frame z = {.type = ZCL_GLOBAL, .from_server = true, .disable_default_response = true, .sequence = d->zcl_sequence++, .command = ZCL_REPORT};

	zcl_report_put(&w, r->attribute, v);
	if (!wr_done(&w, &z.payload))
		return;
	device_event(d, "reporting", "\"cluster\":%u,\"attribute\":%u,\"value\":%lld,\"counter\":%u", r->cluster, r->attribute, (long long)zcl_value_int(v), d->aps_counter);
	if (r->cluster == SIM_OWN_CLUSTER) {
		z.manufacturer_specific = true;
		z.manufacturer = SIM_MANUFACTURER;
	}
	device_zcl_send(d, r->endpoint, NWK_COORDINATOR, b->destination_endpoint, r->cluster, &z);
	r->last_value = v->number;
	r->last_at = d->now;
	if (d->config.report_s > 0) /* devices that start in one moment drift apart */
		r->early_ms = rng_below(d->config.rng, d->config.report_s * SPREAD_MS);
	r->ever = true;
}

static bool changed_enough(const struct reporting *r, const struct zcl_value *v)
{
	uint64_t by = v->number - r->last_value;

	if (by == 0 || zcl_type_is_discrete(r->type))
		return by != 0;
	if (by > INT64_MAX)
		by = 0 - by;
	return by >= r->change;
}

static bool due(const struct sim_device *d, const struct reporting *r, const struct zcl_value *v)
{
	uint64_t most = r->maximum_s * SECOND_MS, since = d->now - r->last_at;

	if (!r->ever)
		return d->now >= d->report_from;
	if (d->config.report_s && (most == 0 || d->config.report_s * SECOND_MS < most))
		most = d->config.report_s * SECOND_MS - r->early_ms;
	return (most > 0 && since >= most) || (since >= r->minimum_s * SECOND_MS && changed_enough(r, v));
}

void device_reports_consider(struct sim_device *d)
{
	for (size_t i = 0; i < d->report_count; i++) {
		struct reporting *r = &d->reports[i];
		const struct device_attribute *a = device_attribute_find(d, r->endpoint, r->cluster, r->attribute);
		const struct binding *b = device_binding(d, r->endpoint, r->cluster);
		struct zcl_value v;

		if (!a || !b || r->maximum_s == NEVER_S)
			continue;
		device_attribute_read(d, r->endpoint, a, &v);
		if (due(d, r, &v))
			report(d, r, b, &v);
	}
}
