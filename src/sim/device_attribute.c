/* The simulated device's attributes, and the small world that they measure. */
#include "base/clock.h"
#include "sim/device_private.h"

#define MANUFACTURER "Keyway Simulated"
#define DATE "20260101"
#define DRIFT_MS 4000
#define ENERGY_A_SECOND 1 /* watt hours: a day passes in minutes */
#define VOLTS 230
#define TEMPERATURE_LEAST (-4000)

const struct device_endpoint *device_endpoint(const struct sim_device *d, uint8_t id)
{
	const struct device_type *t = device_type(d->config.kind);

	for (size_t i = 0; i < t->endpoint_count; i++)
		if (t->endpoints[i].id == id)
			return &t->endpoints[i];
	return NULL;
}

bool device_has_cluster(const struct sim_device *d, uint8_t endpoint, uint16_t cluster)
{
	const struct device_endpoint *e = device_endpoint(d, endpoint);

	for (size_t i = 0; e && i < e->in_count; i++)
		if (e->in[i] == cluster)
			return true;
	return false;
}

uint8_t device_endpoint_of(const struct sim_device *d, uint16_t cluster)
{
	const struct device_type *t = device_type(d->config.kind);

	for (size_t i = 0; i < t->endpoint_count; i++)
		if (device_has_cluster(d, t->endpoints[i].id, cluster))
			return t->endpoints[i].id;
	return 0;
}

const struct device_attribute *device_attribute_next(const struct sim_device *d, uint8_t endpoint, uint16_t cluster, uint32_t from)
{
	if (!device_has_cluster(d, endpoint, cluster))
		return NULL;
	for (size_t i = 0; i < device_attribute_count; i++)
		if (device_attributes[i].cluster == cluster && device_attributes[i].id >= from)
			return &device_attributes[i];
	return NULL;
}

const struct device_attribute *device_attribute_find(const struct sim_device *d, uint8_t endpoint, uint16_t cluster, uint16_t id)
{
	const struct device_attribute *a = device_attribute_next(d, endpoint, cluster, id);

	return a && a->id == id ? a : NULL;
}

/* ---- stored values ---- */

static uint64_t *place(struct sim_device *d, uint8_t endpoint, const struct device_attribute *a)
{
	const struct device_type *t = device_type(d->config.kind);
	size_t e = 0;

	while (e + 1 < t->endpoint_count && t->endpoints[e].id != endpoint)
		e++;
	return &d->values[e][a - device_attributes];
}

void device_values_begin(struct sim_device *d)
{
	const struct device_type *t = device_type(d->config.kind);

	for (size_t e = 0; e < t->endpoint_count; e++)
		for (size_t i = 0; i < device_attribute_count; i++)
			d->values[e][i] = device_attributes[i].fixed;
	for (size_t i = 0; i < t->preset_count; i++) {
		const struct device_attribute *a = device_attribute_find(d, t->presets[i].endpoint, t->presets[i].cluster, t->presets[i].id);

		if (a)
			*place(d, t->presets[i].endpoint, a) = t->presets[i].value;
	}
}

uint64_t device_value(const struct sim_device *d, uint8_t endpoint, uint16_t cluster, uint16_t id)
{
	const struct device_attribute *a = device_attribute_find(d, endpoint, cluster, id);
	struct zcl_value v = {.number = 0};

	if (a)
		device_attribute_read(d, endpoint, a, &v);
	return v.number;
}

bool device_value_set(struct sim_device *d, uint8_t endpoint, uint16_t cluster, uint16_t id, uint64_t v)
{
	const struct device_attribute *a = device_attribute_find(d, endpoint, cluster, id);

	if (!a || a->source != DEVICE_STORED)
		return false;
	if (*place(d, endpoint, a) == v)
		return true;
	*place(d, endpoint, a) = v;
	device_scenes_touched(d, endpoint, cluster, id);
	if (cluster == ZCL_ON_OFF && id == 0)
		device_event(d, "switched", "\"on\":%s,\"endpoint\":%u", v ? "true" : "false", endpoint);
	else
		device_event(d, "changed", "\"endpoint\":%u,\"cluster\":%u,\"attribute\":%u,\"value\":%lld", endpoint, cluster, id, (long long)v);
	if (a->access & DEVICE_ATTRIBUTE_KEPT)
		device_save(d);
	return true;
}

void device_values_write(const struct sim_device *d, struct wr *w)
{
	const struct device_type *t = device_type(d->config.kind);

	for (size_t e = 0; e < t->endpoint_count; e++)
		for (size_t i = 0; i < device_attribute_count; i++) {
			const struct device_attribute *a = &device_attributes[i];

			if (a->access & DEVICE_ATTRIBUTE_KEPT && d->values[e][i] != a->fixed && device_has_cluster(d, t->endpoints[e].id, a->cluster))
				wr_fmt(w, "value %u %u %u %llu\n", t->endpoints[e].id, a->cluster, a->id, (unsigned long long)d->values[e][i]);
		}
}

void device_value_recall(struct sim_device *d, uint64_t endpoint, uint64_t cluster, uint64_t id, uint64_t v)
{
	const struct device_attribute *a;

	if (endpoint > UINT8_MAX || cluster > UINT16_MAX || id > UINT16_MAX)
		return;
	a = device_attribute_find(d, (uint8_t)endpoint, (uint16_t)cluster, (uint16_t)id);
	if (a && a->access & DEVICE_ATTRIBUTE_KEPT)
		*place(d, (uint8_t)endpoint, a) = v;
}

/* ---- reading and writing ---- */

static bool is_on(const struct sim_device *d)
{
	return device_value(d, device_endpoint_of(d, ZCL_ON_OFF), ZCL_ON_OFF, 0) != 0;
}

static uint64_t stored(const struct sim_device *d, uint8_t endpoint, const struct device_attribute *a)
{
	const struct device_type *t = device_type(d->config.kind);
	size_t e = 0;

	while (e + 1 < t->endpoint_count && t->endpoints[e].id != endpoint)
		e++;
	return d->values[e][a - device_attributes];
}

static uint64_t number_of(const struct sim_device *d, uint8_t endpoint, const struct device_attribute *a)
{
	switch (a->source) {
	case DEVICE_STORED:
		return stored(d, endpoint, a);
	case DEVICE_POWER_SOURCE:
		return d->config.sleepy ? 3 : 1;
	case DEVICE_IDENTIFY_TIME:
		return d->identify_s;
	case DEVICE_TEMPERATURE:
		return (uint64_t)(int64_t)d->temperature;
	case DEVICE_HUMIDITY:
		return d->humidity;
	case DEVICE_ZONE_STATE:
		return d->enrolled;
	case DEVICE_ZONE_TYPE:
		return device_type(d->config.kind)->zone_type;
	case DEVICE_ZONE_STATUS:
		return d->zone_status;
	case DEVICE_ZONE_CIE:
		return d->cie;
	case DEVICE_ENERGY:
		return d->energy;
	case DEVICE_WATTS:
		return is_on(d) ? d->watts : 0;
	case DEVICE_MILLIAMPERES:
		return is_on(d) ? d->watts * 1000U / VOLTS : 0;
	case DEVICE_CHECK_IN:
		return d->check_in_quarters;
	case DEVICE_LONG_POLL:
		return d->config.poll_ms / 250;
	case DEVICE_HEATING_DEMAND:
		return d->temperature < (int64_t)device_value(d, endpoint, ZCL_THERMOSTAT, 0x0012) ? 100 : 0;
	case DEVICE_MANUFACTURER_NAME:
	case DEVICE_MODEL:
	case DEVICE_DATE_CODE:
	case DEVICE_SOFTWARE_BUILD:
		break;
	}
	return 0;
}

static const char *text_of(const struct sim_device *d, const struct device_attribute *a)
{
	if (a->source == DEVICE_MODEL)
		return device_type(d->config.kind)->model;
	if (a->source == DEVICE_MANUFACTURER_NAME)
		return MANUFACTURER;
	return a->source == DEVICE_DATE_CODE ? DATE : d->build;
}

void device_attribute_read(const struct sim_device *d, uint8_t endpoint, const struct device_attribute *a, struct zcl_value *v)
{
	*v = (struct zcl_value){.type = a->type};
	if (a->type == ZCL_CHAR_STRING)
		v->octets = rd_str(text_of(d, a));
	else
		v->number = number_of(d, endpoint, a);
}

uint8_t device_attribute_write(struct sim_device *d, uint8_t endpoint, const struct device_attribute *a, const struct zcl_value *v, bool try_only)
{
	if (!(a->access & DEVICE_ATTRIBUTE_WRITABLE))
		return ZCL_READ_ONLY;
	if (v->type != a->type)
		return ZCL_INVALID_DATA_TYPE;
	if (a->limited && (zcl_value_int(v) < a->least || zcl_value_int(v) > a->most))
		return ZCL_INVALID_VALUE;
	if (try_only)
		return ZCL_SUCCESS;
	if (a->source == DEVICE_IDENTIFY_TIME)
		d->identify_s = (uint16_t)v->number;
	else if (a->source == DEVICE_CHECK_IN)
		d->check_in_quarters = (uint32_t)v->number;
	else if (a->source == DEVICE_ZONE_CIE)
		d->cie = v->number;
	else
		(void)device_value_set(d, endpoint, a->cluster, a->id, v->number);
	device_save(d);
	return ZCL_SUCCESS;
}

/* ---- the world ---- */

static uint16_t wander(struct sim_device *d, uint16_t v, unsigned by, uint16_t least, uint16_t most)
{
	unsigned next = v + rng_below(d->config.rng, 2 * by + 1);

	next = next < by ? 0 : next - by;
	return (uint16_t)(next < least ? least : next > most ? most : next);
}

void device_sense(struct sim_device *d)
{
	if (d->identify_s > 0)
		d->identify_s--;
	if (is_on(d))
		d->energy += ENERGY_A_SECOND;
	if (d->now >= d->alarm_until) {
		d->alarm_until = CLOCK_NEVER;
		device_alarm(d, false);
	}
	if (d->check_in_quarters == 0)
		d->check_in_at = CLOCK_NEVER;
	else if (d->check_in_at == CLOCK_NEVER)
		d->check_in_at = d->now + d->check_in_quarters * 250ULL;
	if (d->now >= d->check_in_at) {
		d->check_in_at = d->now + d->check_in_quarters * 250ULL;
		device_check_in(d);
	}
	if (d->now < d->drift_at)
		return;
	d->drift_at = d->now + DRIFT_MS;
	d->humidity = wander(d, d->humidity, 10, 2000, 8000);
	d->watts = wander(d, d->watts, 2, 36, 48);
	if (!d->temperature_held)
		d->temperature = (int16_t)((int)wander(d, (uint16_t)(d->temperature - TEMPERATURE_LEAST), 20, 1500 - TEMPERATURE_LEAST, 3500 - TEMPERATURE_LEAST) + TEMPERATURE_LEAST);
}
