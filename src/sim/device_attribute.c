/* The simulated device's attributes as one table, and the small world that they measure. Source: ZCL 07-5123 revision 6 and later. */
#include "base/clock.h"
#include "sim/device_private.h"

#define MANUFACTURER "Keyway Simulated"
#define BUILD "1.0.0"
#define DATE "20260101"
#define DRIFT_MS 4000
#define ENERGY_A_SECOND 1 /* watt hours: a day passes in minutes */
#define VOLTS 230
#define TEMPERATURE_LEAST (-4000)
#define TEMPERATURE_MOST 12500

static const struct device_kind kinds[] = {
	[SIM_THERMOMETER] = {"KW-TH1", 0x0302, 6, {ZCL_BASIC, ZCL_POWER, ZCL_IDENTIFY, ZCL_POLL_CONTROL, ZCL_TEMPERATURE, ZCL_HUMIDITY}, 0},
	[SIM_PLUG] = {"KW-PLUG1", 0x0051, 5, {ZCL_BASIC, ZCL_IDENTIFY, ZCL_ON_OFF, ZCL_METERING, ZCL_ELECTRICAL}, 0},
	[SIM_CONTACT] = {"KW-DOOR1", 0x0402, 4, {ZCL_BASIC, ZCL_POWER, ZCL_IDENTIFY, ZCL_IAS_ZONE}, 0x0015},
	[SIM_VIBRATION] = {"KW-VIB1", 0x0402, 4, {ZCL_BASIC, ZCL_POWER, ZCL_IDENTIFY, ZCL_IAS_ZONE}, 0x002d},
};

const struct device_kind *device_kind(const struct sim_device *d)
{
	return &kinds[d->config.kind];
}

bool device_has_cluster(const struct sim_device *d, uint16_t cluster)
{
	const struct device_kind *k = device_kind(d);

	for (size_t i = 0; i < k->cluster_count; i++)
		if (k->clusters[i] == cluster)
			return true;
	return false;
}

/* ---- the table ---- */

enum source {
	FIXED,
	MANUFACTURER_NAME,
	MODEL,
	DATE_CODE,
	SOFTWARE_BUILD,
	POWER_SOURCE,
	IDENTIFY_TIME,
	ON,
	TEMPERATURE,
	HUMIDITY,
	ZONE_STATE,
	ZONE_TYPE,
	ZONE_STATUS,
	ZONE_CIE,
	ENERGY,
	WATTS,
	MILLIAMPERES,
	CHECK_IN,
	LONG_POLL,
};

#define REPORTABLE DEVICE_ATTRIBUTE_REPORTABLE
#define WRITABLE DEVICE_ATTRIBUTE_WRITABLE

/* Sorted by cluster and id. */
// clang-format off
static const struct device_attribute attributes[] = {
	{ZCL_BASIC,        0x0000, ZCL_UINT8,       0,                     FIXED, 8},
	{ZCL_BASIC,        0x0001, ZCL_UINT8,       0,                     FIXED, 1},
	{ZCL_BASIC,        0x0002, ZCL_UINT8,       0,                     FIXED, 2},
	{ZCL_BASIC,        0x0003, ZCL_UINT8,       0,                     FIXED, 1},
	{ZCL_BASIC,        0x0004, ZCL_CHAR_STRING, 0,                     MANUFACTURER_NAME, 0},
	{ZCL_BASIC,        0x0005, ZCL_CHAR_STRING, 0,                     MODEL, 0},
	{ZCL_BASIC,        0x0006, ZCL_CHAR_STRING, 0,                     DATE_CODE, 0},
	{ZCL_BASIC,        0x0007, ZCL_ENUM8,       0,                     POWER_SOURCE, 0},
	{ZCL_BASIC,        0x4000, ZCL_CHAR_STRING, 0,                     SOFTWARE_BUILD, 0},
	{ZCL_POWER,        0x0020, ZCL_UINT8,       REPORTABLE,            FIXED, 30},  /* tenths of a volt */
	{ZCL_POWER,        0x0021, ZCL_UINT8,       REPORTABLE,            FIXED, 184}, /* halves of a per cent */
	{ZCL_IDENTIFY,     0x0000, ZCL_UINT16,      WRITABLE,              IDENTIFY_TIME, 0},
	{ZCL_ON_OFF,       0x0000, ZCL_BOOL,        REPORTABLE,            ON, 0},
	{ZCL_POLL_CONTROL, 0x0000, ZCL_UINT32,      WRITABLE,              CHECK_IN, 0},
	{ZCL_POLL_CONTROL, 0x0001, ZCL_UINT32,      0,                     LONG_POLL, 0},
	{ZCL_POLL_CONTROL, 0x0002, ZCL_UINT16,      0,                     FIXED, 1},
	{ZCL_POLL_CONTROL, 0x0003, ZCL_UINT16,      0,                     FIXED, 40},
	{ZCL_TEMPERATURE,  0x0000, ZCL_INT16,       REPORTABLE,            TEMPERATURE, 0},
	{ZCL_TEMPERATURE,  0x0001, ZCL_INT16,       0,                     FIXED, (uint64_t)TEMPERATURE_LEAST},
	{ZCL_TEMPERATURE,  0x0002, ZCL_INT16,       0,                     FIXED, TEMPERATURE_MOST},
	{ZCL_HUMIDITY,     0x0000, ZCL_UINT16,      REPORTABLE,            HUMIDITY, 0},
	{ZCL_HUMIDITY,     0x0001, ZCL_UINT16,      0,                     FIXED, 0},
	{ZCL_HUMIDITY,     0x0002, ZCL_UINT16,      0,                     FIXED, 10000},
	{ZCL_IAS_ZONE,     0x0000, ZCL_ENUM8,       0,                     ZONE_STATE, 0},
	{ZCL_IAS_ZONE,     0x0001, ZCL_ENUM16,      0,                     ZONE_TYPE, 0},
	{ZCL_IAS_ZONE,     0x0002, ZCL_BITMAP16,    REPORTABLE,            ZONE_STATUS, 0},
	{ZCL_IAS_ZONE,     0x0010, ZCL_EUI64,       WRITABLE,              ZONE_CIE, 0},
	{ZCL_IAS_ZONE,     0x0011, ZCL_UINT8,       0,                     FIXED, 0},
	{ZCL_METERING,     0x0000, ZCL_UINT48,      REPORTABLE,            ENERGY, 0},
	{ZCL_METERING,     0x0200, ZCL_BITMAP8,     0,                     FIXED, 0},
	{ZCL_METERING,     0x0300, ZCL_ENUM8,       0,                     FIXED, 0},    /* kWh and kW */
	{ZCL_METERING,     0x0301, ZCL_UINT24,      0,                     FIXED, 1},
	{ZCL_METERING,     0x0302, ZCL_UINT24,      0,                     FIXED, 1000},
	{ZCL_METERING,     0x0303, ZCL_BITMAP8,     0,                     FIXED, 0x1b},
	{ZCL_METERING,     0x0306, ZCL_BITMAP8,     0,                     FIXED, 0},    /* electric */
	{ZCL_METERING,     0x0400, ZCL_INT24,       REPORTABLE,            WATTS, 0},
	{ZCL_ELECTRICAL,   0x0000, ZCL_BITMAP32,    0,                     FIXED, 8},    /* active, AC */
	{ZCL_ELECTRICAL,   0x0505, ZCL_UINT16,      REPORTABLE,            FIXED, VOLTS},
	{ZCL_ELECTRICAL,   0x0508, ZCL_UINT16,      REPORTABLE,            MILLIAMPERES, 0},
	{ZCL_ELECTRICAL,   0x050b, ZCL_INT16,       REPORTABLE,            WATTS, 0},
	{ZCL_ELECTRICAL,   0x0600, ZCL_UINT16,      0,                     FIXED, 1},
	{ZCL_ELECTRICAL,   0x0601, ZCL_UINT16,      0,                     FIXED, 1},
	{ZCL_ELECTRICAL,   0x0602, ZCL_UINT16,      0,                     FIXED, 1},
	{ZCL_ELECTRICAL,   0x0603, ZCL_UINT16,      0,                     FIXED, 1000},
	{ZCL_ELECTRICAL,   0x0604, ZCL_UINT16,      0,                     FIXED, 1},
	{ZCL_ELECTRICAL,   0x0605, ZCL_UINT16,      0,                     FIXED, 1},
};
// clang-format on

const struct device_attribute *device_attribute_next(const struct sim_device *d, uint16_t cluster, uint32_t from)
{
	if (!device_has_cluster(d, cluster))
		return NULL;
	for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++)
		if (attributes[i].cluster == cluster && attributes[i].id >= from)
			return &attributes[i];
	return NULL;
}

const struct device_attribute *device_attribute_find(const struct sim_device *d, uint16_t cluster, uint16_t id)
{
	const struct device_attribute *a = device_attribute_next(d, cluster, id);

	return a && a->id == id ? a : NULL;
}

static uint64_t number_of(const struct sim_device *d, const struct device_attribute *a)
{
	switch ((enum source)a->source) {
	case FIXED:
		return a->fixed;
	case POWER_SOURCE:
		return d->config.sleepy ? 3 : 1;
	case IDENTIFY_TIME:
		return d->identify_s;
	case ON:
		return d->on;
	case TEMPERATURE:
		return (uint64_t)(int64_t)d->temperature;
	case HUMIDITY:
		return d->humidity;
	case ZONE_STATE:
		return d->enrolled;
	case ZONE_TYPE:
		return device_kind(d)->zone_type;
	case ZONE_STATUS:
		return d->alarm;
	case ZONE_CIE:
		return d->cie;
	case ENERGY:
		return d->energy;
	case WATTS:
		return d->on ? d->watts : 0;
	case MILLIAMPERES:
		return d->on ? d->watts * 1000U / VOLTS : 0;
	case CHECK_IN:
		return d->check_in_quarters;
	case LONG_POLL:
		return d->config.poll_ms / 250;
	case MANUFACTURER_NAME:
	case MODEL:
	case DATE_CODE:
	case SOFTWARE_BUILD:
		break;
	}
	return 0;
}

static const char *text_of(const struct sim_device *d, const struct device_attribute *a)
{
	if (a->source == MODEL)
		return device_kind(d)->model;
	if (a->source == MANUFACTURER_NAME)
		return MANUFACTURER;
	return a->source == DATE_CODE ? DATE : BUILD;
}

void device_attribute_read(const struct sim_device *d, const struct device_attribute *a, struct zcl_value *v)
{
	*v = (struct zcl_value){.type = a->type};
	if (a->type == ZCL_CHAR_STRING)
		v->octets = rd_str(text_of(d, a));
	else
		v->number = number_of(d, a);
}

uint8_t device_attribute_write(struct sim_device *d, const struct device_attribute *a, const struct zcl_value *v, bool try_only)
{
	if (!(a->access & WRITABLE))
		return ZCL_READ_ONLY;
	if (v->type != a->type)
		return ZCL_INVALID_DATA_TYPE;
	if (a->source == CHECK_IN && v->number > 0x6e0000)
		return ZCL_INVALID_VALUE;
	if (try_only)
		return ZCL_SUCCESS;
	if (a->source == IDENTIFY_TIME)
		d->identify_s = (uint16_t)v->number;
	else if (a->source == CHECK_IN)
		d->check_in_quarters = (uint32_t)v->number;
	else if (a->source == ZONE_CIE)
		d->cie = v->number;
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
	if (d->on)
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
