/* The mapping table. */
#include "oci/mapping.h"

#define MODULE(name) "org.onem2m.common.moduleclass." name
#define FLOATS 0x38 /* semi, single and double precision */

/* clang-format off */
static const struct mapping table[] = {
	{ZCL_ON_OFF, 0x0000, 0, "cod:binSh", MODULE("binarySwitch"), "binSh", "state", MAPPING_BOOL, ZCL_BOOL, 0, 300, 0, true},
	{ZCL_TEMPERATURE, 0x0000, 0, "cod:tempe", MODULE("temperature"), "tempe", "curT0", MAPPING_HUNDREDTHS, ZCL_INT16, 1, 300, 50, false},
	{ZCL_HUMIDITY, 0x0000, 0, "cod:relHy", MODULE("relativeHumidity"), "relHy", "relHy", MAPPING_HUNDREDTHS, ZCL_UINT16, 5, 600, 100, false},
	{ZCL_PRESSURE, 0x0000, 0, "cod:baror", MODULE("barometer"), "baror", "atmPe", MAPPING_NUMBER, ZCL_INT16, 5, 600, 1, false},
	{ZCL_OCCUPANCY, 0x0000, 0, "cod:motSr", MODULE("motionSensor"), "motSr", "alarm", MAPPING_BIT0, ZCL_BITMAP8, 0, 600, 0, false},
	{ZCL_POWER, 0x0021, 0, "cod:bat", MODULE("battery"), "bat", "lvl", MAPPING_HALVES, ZCL_UINT8, 60, 3600, 2, false},
	{ZCL_METERING, 0x0000, 0, "cod:eneCn", MODULE("energyConsumption"), "eneCn", "abECn", MAPPING_THOUSANDTHS, ZCL_UINT48, 5, 300, 1, false},
	{ZCL_METERING, 0x0400, 0, "cod:eneCn", MODULE("energyConsumption"), "eneCn", "power", MAPPING_NUMBER, ZCL_INT24, 1, 300, 1, false},
	{ZCL_IAS_ZONE, 0x0002, 0x0015, "cod:dooSs", MODULE("doorStatus"), "dooSs", "dooSe", MAPPING_DOOR, ZCL_BITMAP16, 0, 0, 0, false},
	{ZCL_IAS_ZONE, 0x0002, 0x002d, "cod:impSr", MODULE("impactSensor"), "impSr", "impSs", MAPPING_BIT0, ZCL_BITMAP16, 0, 0, 0, false},
	{ZCL_IAS_ZONE, 0x0002, 0x000d, "cod:motSr", MODULE("motionSensor"), "motSr", "alarm", MAPPING_BIT0, ZCL_BITMAP16, 0, 0, 0, false},
	{ZCL_IAS_ZONE, 0x0002, 0x0028, "cod:smoSr", MODULE("smokeSensor"), "smoSr", "alarm", MAPPING_BIT0, ZCL_BITMAP16, 0, 0, 0, false},
	{ZCL_IAS_ZONE, 0x0002, 0x002a, "cod:watSr", MODULE("waterSensor"), "watSr", "alarm", MAPPING_BIT0, ZCL_BITMAP16, 0, 0, 0, false},
	{ZCL_DOOR_LOCK, 0x0000, 0, "cod:lock", MODULE("lock"), "lock", "lock", MAPPING_BIT0, ZCL_ENUM8, 0, 600, 0, false},
};
static const struct mapping_device devices[] = {
	{0x0051, "cod:deSPg", "org.onem2m.common.device.deviceSmartPlug"},
	{0x0302, "cod:devTr", "org.onem2m.common.device.deviceThermometer"},
	{0x0301, "cod:devTt", "org.onem2m.common.device.deviceThermostat"},
	{0x0100, "cod:devLt", "org.onem2m.common.device.deviceLight"},
	{0x000a, "cod:deDLk", "org.onem2m.common.device.deviceDoorLock"},
	{0x0402, "cod:devD0", "org.onem2m.common.device.deviceDoor"},
	{0xffff, "cod:devSh", "org.onem2m.common.device.deviceSwitch"}, /* nothing better known */
};
/* clang-format on */

static bool fits(const struct mapping *m, uint16_t cluster, uint16_t zone_type)
{
	return m->cluster == cluster && (m->zone_type == 0 || m->zone_type == zone_type);
}

const struct mapping *mapping_at(uint16_t cluster, uint16_t zone_type, size_t index)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (fits(&table[i], cluster, zone_type) && index-- == 0)
			return &table[i];
	return NULL;
}

const struct mapping *mapping_find(uint16_t cluster, uint16_t attribute, uint16_t zone_type)
{
	const struct mapping *m;

	for (size_t i = 0; (m = mapping_at(cluster, zone_type, i)) != NULL; i++)
		if (m->attribute == attribute)
			return m;
	return NULL;
}

const struct mapping *mapping_of_root(const char *root, const char *member)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (rd_is(rd_str(table[i].root), root) && rd_is(rd_str(table[i].member), member))
			return &table[i];
	return NULL;
}

/* What stands for "not known" in its type, and what is no number (ZCL clause 2.6.2, table 2-10). */
static bool invalid(const struct zcl_value *v)
{
	size_t bits = 8 * zcl_type_size(v->type);
	uint64_t all = bits < 64 ? (1ULL << bits) - 1 : UINT64_MAX, n = v->number & all;

	if (bits == 0 || bits > 64 || (v->type >= FLOATS && v->type <= ZCL_DOUBLE))
		return true;
	if (zcl_type_is_signed(v->type))
		return n == 1ULL << (bits - 1);
	if (v->type == ZCL_BOOL || v->type == ZCL_ENUM8 || v->type == ZCL_ENUM16 || (v->type >= ZCL_UINT8 && v->type <= ZCL_UINT64))
		return n == all;
	return false;
}

bool mapping_value(const struct mapping *m, const struct zcl_value *v, struct wr *w)
{
	struct json_out o = json_out(w);
	double n = zcl_type_is_signed(v->type) ? (double)zcl_value_int(v) : (double)v->number;

	if (invalid(v))
		return false;
	switch (m->rule) {
	case MAPPING_BOOL:
		json_put_bool(&o, NULL, v->number != 0);
		break;
	case MAPPING_BIT0:
		json_put_bool(&o, NULL, v->number & 1);
		break;
	case MAPPING_DOOR:
		json_put_int(&o, NULL, v->number & 1 ? 2 : 1);
		break;
	case MAPPING_HUNDREDTHS:
		json_put_double(&o, NULL, n / 100);
		break;
	case MAPPING_HALVES:
		json_put_int(&o, NULL, (int64_t)(v->number / 2));
		break;
	case MAPPING_THOUSANDTHS:
		json_put_double(&o, NULL, n / 1000);
		break;
	case MAPPING_NUMBER:
		json_put_double(&o, NULL, n);
		break;
	}
	return !w->spoilt;
}

const struct mapping_device *mapping_device(uint16_t zcl_device)
{
	size_t last = sizeof devices / sizeof devices[0] - 1;

	for (size_t i = 0; i < last; i++)
		if (devices[i].device == zcl_device)
			return &devices[i];
	return &devices[last];
}
