/* The kinds of simulated devices. Source: ZCL 07-5123 revision 6 and later; device identifiers of the Home Automation profile. */
#include "sim/device_type.h"

#include <string.h>

#define R DEVICE_ATTRIBUTE_REPORTABLE
#define W DEVICE_ATTRIBUTE_WRITABLE
#define K DEVICE_ATTRIBUTE_KEPT
#define VOLTS 230
#define S DEVICE_STORED

/* Sorted by cluster and id. */
// clang-format off
const struct device_attribute device_attributes[] = {
	{ZCL_BASIC,        0x0000, ZCL_UINT8,       0,     S, 8, 0, 0, 0},
	{ZCL_BASIC,        0x0001, ZCL_UINT8,       0,     S, 1, 0, 0, 0},
	{ZCL_BASIC,        0x0002, ZCL_UINT8,       0,     S, 2, 0, 0, 0},
	{ZCL_BASIC,        0x0003, ZCL_UINT8,       0,     S, 1, 0, 0, 0},
	{ZCL_BASIC,        0x0004, ZCL_CHAR_STRING, 0,     DEVICE_MANUFACTURER_NAME, 0, 0, 0, 0},
	{ZCL_BASIC,        0x0005, ZCL_CHAR_STRING, 0,     DEVICE_MODEL, 0, 0, 0, 0},
	{ZCL_BASIC,        0x0006, ZCL_CHAR_STRING, 0,     DEVICE_DATE_CODE, 0, 0, 0, 0},
	{ZCL_BASIC,        0x0007, ZCL_ENUM8,       0,     DEVICE_POWER_SOURCE, 0, 0, 0, 0},
	{ZCL_BASIC,        0x4000, ZCL_CHAR_STRING, 0,     DEVICE_SOFTWARE_BUILD, 0, 0, 0, 0},
	{ZCL_POWER,        0x0020, ZCL_UINT8,       R,     S, 30, 0, 0, 0},  /* tenths of a volt */
	{ZCL_POWER,        0x0021, ZCL_UINT8,       R,     S, 184, 0, 0, 0}, /* halves of a per cent */
	{ZCL_IDENTIFY,     0x0000, ZCL_UINT16,      W,     DEVICE_IDENTIFY_TIME, 0, 0, 0, 0},
	{ZCL_GROUPS,       0x0000, ZCL_BITMAP8,     0,     S, 0, 0, 0, 0},    /* no names */
	{ZCL_SCENES,       0x0000, ZCL_UINT8,       K,     S, 0, 0, 0, 0},
	{ZCL_SCENES,       0x0001, ZCL_UINT8,       K,     S, 0, 0, 0, 0},
	{ZCL_SCENES,       0x0002, ZCL_UINT16,      K,     S, 0, 0, 0, 0},
	{ZCL_SCENES,       0x0003, ZCL_BOOL,        K,     S, 0, 0, 0, 0},
	{ZCL_SCENES,       0x0004, ZCL_BITMAP8,     0,     S, 0, 0, 0, 0},
	{ZCL_ON_OFF,       0x0000, ZCL_BOOL,        R|K,   S, 0, 0, 0, 0},
	{ZCL_LEVEL,        0x0000, ZCL_UINT8,       R|K,   S, 254, 0, 0, 0},
	{ZCL_LEVEL,        0x0001, ZCL_UINT16,      0,     S, 0, 0, 0, 0},
	{ZCL_POLL_CONTROL, 0x0000, ZCL_UINT32,      W,     DEVICE_CHECK_IN, 0, true, 0, 0x6e0000},
	{ZCL_POLL_CONTROL, 0x0001, ZCL_UINT32,      0,     DEVICE_LONG_POLL, 0, 0, 0, 0},
	{ZCL_POLL_CONTROL, 0x0002, ZCL_UINT16,      0,     S, 1, 0, 0, 0},
	{ZCL_POLL_CONTROL, 0x0003, ZCL_UINT16,      0,     S, 40, 0, 0, 0},
	{ZCL_DOOR_LOCK,    0x0000, ZCL_ENUM8,       R|K,   S, 1, 0, 0, 0},   /* locked */
	{ZCL_DOOR_LOCK,    0x0001, ZCL_ENUM8,       0,     S, 0, 0, 0, 0},   /* dead bolt */
	{ZCL_DOOR_LOCK,    0x0002, ZCL_BOOL,        0,     S, 1, 0, 0, 0},
	{ZCL_DOOR_LOCK,    0x0012, ZCL_UINT16,      0,     S, 8, 0, 0, 0},   /* PIN users */
	{ZCL_DOOR_LOCK,    0x0017, ZCL_UINT8,       0,     S, 8, 0, 0, 0},   /* longest PIN */
	{ZCL_DOOR_LOCK,    0x0018, ZCL_UINT8,       0,     S, 4, 0, 0, 0},   /* shortest */
	{ZCL_DOOR_LOCK,    0x0033, ZCL_BOOL,        W|K,   S, 0, 0, 0, 0},   /* a PIN is wanted from the radio too */
	{ZCL_WINDOW_COVERING, 0x0000, ZCL_ENUM8,    0,     S, 0, 0, 0, 0},   /* roller shade */
	{ZCL_WINDOW_COVERING, 0x0007, ZCL_BITMAP8,  0,     S, 0x0b, 0, 0, 0},
	{ZCL_WINDOW_COVERING, 0x0008, ZCL_UINT8,    R|K,   S, 0, 0, 0, 0},   /* 100: closed */
	{ZCL_WINDOW_COVERING, 0x0017, ZCL_BITMAP8,  W,     S, 0, 0, 0, 0},
	{ZCL_THERMOSTAT,   0x0000, ZCL_INT16,       R,     DEVICE_TEMPERATURE, 0, 0, 0, 0},
	{ZCL_THERMOSTAT,   0x0003, ZCL_INT16,       0,     S, 500, 0, 0, 0},
	{ZCL_THERMOSTAT,   0x0004, ZCL_INT16,       0,     S, 3000, 0, 0, 0},
	{ZCL_THERMOSTAT,   0x0008, ZCL_UINT8,       R,     DEVICE_HEATING_DEMAND, 0, 0, 0, 0},
	{ZCL_THERMOSTAT,   0x0011, ZCL_INT16,       W|K,   S, 2600, true, 1600, 3200},
	{ZCL_THERMOSTAT,   0x0012, ZCL_INT16,       R|W|K, S, 2000, true, 500, 3000},
	{ZCL_THERMOSTAT,   0x0015, ZCL_INT16,       0,     S, 500, 0, 0, 0},
	{ZCL_THERMOSTAT,   0x0016, ZCL_INT16,       0,     S, 3000, 0, 0, 0},
	{ZCL_THERMOSTAT,   0x001b, ZCL_ENUM8,       W,     S, 2, 0, 0, 0},   /* heating only */
	{ZCL_THERMOSTAT,   0x001c, ZCL_ENUM8,       R|W|K, S, 4, 0, 0, 0},   /* heat */
	{ZCL_COLOUR,       0x0000, ZCL_UINT8,       R|K,   S, 0, 0, 0, 0},
	{ZCL_COLOUR,       0x0001, ZCL_UINT8,       R|K,   S, 0, 0, 0, 0},
	{ZCL_COLOUR,       0x0003, ZCL_UINT16,      R|K,   S, 0x500d, 0, 0, 0}, /* white */
	{ZCL_COLOUR,       0x0004, ZCL_UINT16,      R|K,   S, 0x5439, 0, 0, 0},
	{ZCL_COLOUR,       0x0007, ZCL_UINT16,      R|K,   S, 250, 0, 0, 0},
	{ZCL_COLOUR,       0x0008, ZCL_ENUM8,       0,     S, 1, 0, 0, 0},
	{ZCL_COLOUR,       0x400a, ZCL_BITMAP16,    0,     S, 0x19, 0, 0, 0},
	{ZCL_COLOUR,       0x400b, ZCL_UINT16,      0,     S, 153, 0, 0, 0},
	{ZCL_COLOUR,       0x400c, ZCL_UINT16,      0,     S, 500, 0, 0, 0},
	{ZCL_ILLUMINANCE,  0x0000, ZCL_UINT16,      R,     S, 20001, 0, 0, 0}, /* 100 lux */
	{ZCL_ILLUMINANCE,  0x0001, ZCL_UINT16,      0,     S, 1, 0, 0, 0},
	{ZCL_ILLUMINANCE,  0x0002, ZCL_UINT16,      0,     S, 0xfffe, 0, 0, 0},
	{ZCL_TEMPERATURE,  0x0000, ZCL_INT16,       R,     DEVICE_TEMPERATURE, 0, 0, 0, 0},
	{ZCL_TEMPERATURE,  0x0001, ZCL_INT16,       0,     S, (uint64_t)-4000, 0, 0, 0},
	{ZCL_TEMPERATURE,  0x0002, ZCL_INT16,       0,     S, 12500, 0, 0, 0},
	{ZCL_PRESSURE,     0x0000, ZCL_INT16,       R,     S, 1013, 0, 0, 0},
	{ZCL_PRESSURE,     0x0001, ZCL_INT16,       0,     S, 300, 0, 0, 0},
	{ZCL_PRESSURE,     0x0002, ZCL_INT16,       0,     S, 1100, 0, 0, 0},
	{ZCL_HUMIDITY,     0x0000, ZCL_UINT16,      R,     DEVICE_HUMIDITY, 0, 0, 0, 0},
	{ZCL_HUMIDITY,     0x0001, ZCL_UINT16,      0,     S, 0, 0, 0, 0},
	{ZCL_HUMIDITY,     0x0002, ZCL_UINT16,      0,     S, 10000, 0, 0, 0},
	{ZCL_OCCUPANCY,    0x0000, ZCL_BITMAP8,     R,     S, 0, 0, 0, 0},
	{ZCL_OCCUPANCY,    0x0001, ZCL_ENUM8,       0,     S, 0, 0, 0, 0},
	{ZCL_IAS_ZONE,     0x0000, ZCL_ENUM8,       0,     DEVICE_ZONE_STATE, 0, 0, 0, 0},
	{ZCL_IAS_ZONE,     0x0001, ZCL_ENUM16,      0,     DEVICE_ZONE_TYPE, 0, 0, 0, 0},
	{ZCL_IAS_ZONE,     0x0002, ZCL_BITMAP16,    R,     DEVICE_ZONE_STATUS, 0, 0, 0, 0},
	{ZCL_IAS_ZONE,     0x0010, ZCL_EUI64,       W,     DEVICE_ZONE_CIE, 0, 0, 0, 0},
	{ZCL_IAS_ZONE,     0x0011, ZCL_UINT8,       0,     S, 0, 0, 0, 0},
	{ZCL_IAS_WD,       0x0000, ZCL_UINT16,      W,     S, 240, 0, 0, 0},
	{ZCL_METERING,     0x0000, ZCL_UINT48,      R,     DEVICE_ENERGY, 0, 0, 0, 0},
	{ZCL_METERING,     0x0200, ZCL_BITMAP8,     0,     S, 0, 0, 0, 0},
	{ZCL_METERING,     0x0300, ZCL_ENUM8,       0,     S, 0, 0, 0, 0},    /* kWh and kW */
	{ZCL_METERING,     0x0301, ZCL_UINT24,      0,     S, 1, 0, 0, 0},
	{ZCL_METERING,     0x0302, ZCL_UINT24,      0,     S, 1000, 0, 0, 0},
	{ZCL_METERING,     0x0303, ZCL_BITMAP8,     0,     S, 0x1b, 0, 0, 0},
	{ZCL_METERING,     0x0306, ZCL_BITMAP8,     0,     S, 0, 0, 0, 0},    /* electric */
	{ZCL_METERING,     0x0400, ZCL_INT24,       R,     DEVICE_WATTS, 0, 0, 0, 0},
	{ZCL_ELECTRICAL,   0x0000, ZCL_BITMAP32,    0,     S, 8, 0, 0, 0},    /* active, AC */
	{ZCL_ELECTRICAL,   0x0300, ZCL_UINT16,      R,     S, 50, 0, 0, 0},
	{ZCL_ELECTRICAL,   0x0400, ZCL_UINT16,      0,     S, 1, 0, 0, 0},
	{ZCL_ELECTRICAL,   0x0401, ZCL_UINT16,      0,     S, 1, 0, 0, 0},
	{ZCL_ELECTRICAL,   0x0505, ZCL_UINT16,      R,     S, VOLTS, 0, 0, 0},
	{ZCL_ELECTRICAL,   0x0508, ZCL_UINT16,      R,     DEVICE_MILLIAMPERES, 0, 0, 0, 0},
	{ZCL_ELECTRICAL,   0x050b, ZCL_INT16,       R,     DEVICE_WATTS, 0, 0, 0, 0},
	{ZCL_ELECTRICAL,   0x0600, ZCL_UINT16,      0,     S, 1, 0, 0, 0},
	{ZCL_ELECTRICAL,   0x0601, ZCL_UINT16,      0,     S, 1, 0, 0, 0},
	{ZCL_ELECTRICAL,   0x0602, ZCL_UINT16,      0,     S, 1, 0, 0, 0},
	{ZCL_ELECTRICAL,   0x0603, ZCL_UINT16,      0,     S, 1000, 0, 0, 0},
	{ZCL_ELECTRICAL,   0x0604, ZCL_UINT16,      0,     S, 1, 0, 0, 0},
	{ZCL_ELECTRICAL,   0x0605, ZCL_UINT16,      0,     S, 1, 0, 0, 0},
	{SIM_OWN_CLUSTER,  0x0000, ZCL_UINT16,      R|W|K, S, 7, 0, 0, 0},    /* of the manufacturer alone */
};

const struct device_command device_commands[] = {
	{ZCL_ON_OFF, 0x00, DEVICE_OP_SET, 0x0000, 0, 0, 0},
	{ZCL_ON_OFF, 0x01, DEVICE_OP_SET, 0x0000, 0, 0, 1},
	{ZCL_ON_OFF, 0x02, DEVICE_OP_TOGGLE, 0x0000, 0, 0, 0},
	{ZCL_LEVEL, 0x00, DEVICE_OP_TAKE, 0x0000, 0, 1, 254},
	{ZCL_LEVEL, 0x01, DEVICE_OP_MOVE, 0x0000, 0, 1, 254},
	{ZCL_LEVEL, 0x02, DEVICE_OP_STEP, 0x0000, 0, 1, 254},
	{ZCL_LEVEL, 0x03, DEVICE_OP_NOTHING, 0, 0, 0, 0},
	{ZCL_LEVEL, 0x04, DEVICE_OP_TAKE, 0x0000, 0, 1, 254},
	{ZCL_LEVEL, 0x04, DEVICE_OP_NOT_ZERO, 0x0000, 0, 1, ZCL_ON_OFF}, /* with on and off */
	{ZCL_LEVEL, 0x05, DEVICE_OP_MOVE, 0x0000, 0, 1, 254},
	{ZCL_LEVEL, 0x06, DEVICE_OP_STEP, 0x0000, 0, 1, 254},
	{ZCL_LEVEL, 0x07, DEVICE_OP_NOTHING, 0, 0, 0, 0},
	{ZCL_DOOR_LOCK, 0x00, DEVICE_OP_LOCK, 0x0000, 0, 0, 1},
	{ZCL_DOOR_LOCK, 0x01, DEVICE_OP_LOCK, 0x0000, 0, 0, 2},
	{ZCL_DOOR_LOCK, 0x05, DEVICE_OP_PIN_SET, 0, 0, 0, 0},
	{ZCL_DOOR_LOCK, 0x06, DEVICE_OP_PIN_GET, 0, 0, 0, 0},
	{ZCL_DOOR_LOCK, 0x07, DEVICE_OP_PIN_CLEAR, 0, 0, 0, 0},
	{ZCL_DOOR_LOCK, 0x08, DEVICE_OP_PIN_CLEAR_ALL, 0, 0, 0, 0},
	{ZCL_WINDOW_COVERING, 0x00, DEVICE_OP_SET, 0x0008, 0, 0, 0},
	{ZCL_WINDOW_COVERING, 0x01, DEVICE_OP_SET, 0x0008, 0, 0, 100},
	{ZCL_WINDOW_COVERING, 0x02, DEVICE_OP_NOTHING, 0, 0, 0, 0},
	{ZCL_WINDOW_COVERING, 0x05, DEVICE_OP_TAKE, 0x0008, 0, 1, 100},
	{ZCL_THERMOSTAT, 0x00, DEVICE_OP_SETPOINT, 0x0012, 1, 1, 0},
	{ZCL_COLOUR, 0x00, DEVICE_OP_TAKE, 0x0000, 0, 1, 254},
	{ZCL_COLOUR, 0x03, DEVICE_OP_TAKE, 0x0001, 0, 1, 254},
	{ZCL_COLOUR, 0x06, DEVICE_OP_TAKE, 0x0000, 0, 1, 254},
	{ZCL_COLOUR, 0x06, DEVICE_OP_TAKE, 0x0001, 1, 1, 254},
	{ZCL_COLOUR, 0x06, DEVICE_OP_SET, 0x0008, 0, 0, 0},
	{ZCL_COLOUR, 0x07, DEVICE_OP_TAKE, 0x0003, 0, 2, 0xfeff},
	{ZCL_COLOUR, 0x07, DEVICE_OP_TAKE, 0x0004, 2, 2, 0xfeff},
	{ZCL_COLOUR, 0x07, DEVICE_OP_SET, 0x0008, 0, 0, 1},
	{ZCL_COLOUR, 0x0a, DEVICE_OP_TAKE, 0x0007, 0, 2, 0xfeff},
	{ZCL_COLOUR, 0x0a, DEVICE_OP_SET, 0x0008, 0, 0, 2},
	{ZCL_IAS_WD, 0x00, DEVICE_OP_WARN, 0, 0, 0, 0},
	{ZCL_IAS_WD, 0x01, DEVICE_OP_NOTHING, 0, 0, 0, 0},
};

#define SENSOR(name, model, what, device, zone, cluster) \
	{name, model, what, zone, 1, {{1, device, 4, 1, {ZCL_BASIC, ZCL_POWER, ZCL_IDENTIFY, cluster}, {ZCL_OTA}}}, 0, {{0}}}

static const struct device_type types[] = {
	[SIM_THERMOMETER] = {"thermometer", "KW-TH1", "temperature and humidity", 0, 1, {{1, 0x0302, 6, 1,
		{ZCL_BASIC, ZCL_POWER, ZCL_IDENTIFY, ZCL_POLL_CONTROL, ZCL_TEMPERATURE, ZCL_HUMIDITY}, {ZCL_OTA}}}, 0, {{0}}},
	[SIM_PLUG] = {"plug", "KW-PLUG1", "switch with metering", 0, 1, {{1, 0x0051, 7, 1, {ZCL_BASIC, ZCL_IDENTIFY, ZCL_GROUPS, ZCL_SCENES, ZCL_ON_OFF, ZCL_METERING, ZCL_ELECTRICAL}, {ZCL_OTA}}}, 0, {{0}}},
	[SIM_CONTACT] = SENSOR("contact", "KW-DOOR1", "door contact", 0x0402, 0x0015, ZCL_IAS_ZONE),
	[SIM_VIBRATION] = SENSOR("vibration", "KW-VIB1", "vibration sensor", 0x0402, 0x002d, ZCL_IAS_ZONE),
	[SIM_SMOKE] = SENSOR("smoke", "KW-SMOKE1", "smoke alarm", 0x0402, 0x0028, ZCL_IAS_ZONE),
	[SIM_WATER] = SENSOR("water", "KW-WATER1", "water sensor", 0x0402, 0x002a, ZCL_IAS_ZONE),
	[SIM_MOTION] = SENSOR("motion", "KW-MOT1", "motion sensor", 0x0402, 0x000d, ZCL_IAS_ZONE),
	[SIM_OCCUPANCY] = SENSOR("occupancy", "KW-OCC1", "occupancy sensor", 0x0107, 0, ZCL_OCCUPANCY),
	[SIM_ILLUMINANCE] = SENSOR("illuminance", "KW-LUX1", "light sensor", 0x0106, 0, ZCL_ILLUMINANCE),
	[SIM_PRESSURE] = SENSOR("pressure", "KW-BARO1", "barometer", 0x0305, 0, ZCL_PRESSURE),
	[SIM_LIGHT] = {"light", "KW-LIGHT1", "dimmable colour light", 0, 1, {{1, 0x0102, 7, 1, {ZCL_BASIC, ZCL_IDENTIFY, ZCL_GROUPS, ZCL_SCENES, ZCL_ON_OFF, ZCL_LEVEL, ZCL_COLOUR}, {ZCL_OTA}}}, 0, {{0}}},
	[SIM_DIMMER] = {"dimmer", "KW-DIM1", "dimmable light", 0, 1, {{1, 0x0101, 6, 1, {ZCL_BASIC, ZCL_IDENTIFY, ZCL_GROUPS, ZCL_SCENES, ZCL_ON_OFF, ZCL_LEVEL}, {ZCL_OTA}}}, 0, {{0}}},
	[SIM_THERMOSTAT] = SENSOR("thermostat", "KW-THERM1", "radiator thermostat", 0x0301, 0, ZCL_THERMOSTAT),
	[SIM_LOCK] = {"lock", "KW-LOCK1", "door lock with PINs", 0, 1, {{1, 0x000a, 7, 1, {ZCL_BASIC, ZCL_POWER, ZCL_IDENTIFY, ZCL_GROUPS, ZCL_SCENES, ZCL_POLL_CONTROL, ZCL_DOOR_LOCK}, {ZCL_OTA}}}, 0, {{0}}},
	[SIM_COVERING] = {"covering", "KW-SHADE1", "window covering", 0, 1, {{1, 0x0202, 5, 1, {ZCL_BASIC, ZCL_IDENTIFY, ZCL_GROUPS, ZCL_SCENES, ZCL_WINDOW_COVERING}, {ZCL_OTA}}}, 0, {{0}}},
	[SIM_SIREN] = {"siren", "KW-SIREN1", "siren", 0x0225, 1, {{1, 0x0403, 4, 1, {ZCL_BASIC, ZCL_IDENTIFY, ZCL_IAS_ZONE, ZCL_IAS_WD}, {ZCL_OTA}}}, 0, {{0}}},
	[SIM_BUTTON] = {"button", "KW-BTN1", "two buttons", 0, 2, {
		{1, 0x0000, 3, 3, {ZCL_BASIC, ZCL_POWER, ZCL_IDENTIFY}, {ZCL_ON_OFF, ZCL_LEVEL, ZCL_OTA}},
		{2, 0x0000, 1, 2, {ZCL_IDENTIFY}, {ZCL_ON_OFF, ZCL_LEVEL}}}, 0, {{0}}},
	[SIM_STRIP] = {"strip", "KW-STRIP2", "two switches", 0, 2, {
		{1, 0x0009, 5, 1, {ZCL_BASIC, ZCL_IDENTIFY, ZCL_GROUPS, ZCL_SCENES, ZCL_ON_OFF}, {ZCL_OTA}},
		{2, 0x0009, 4, 0, {ZCL_IDENTIFY, ZCL_GROUPS, ZCL_SCENES, ZCL_ON_OFF}, {0}}}, 1, {{2, ZCL_ON_OFF, 0x0000, 1}}},
	[SIM_OWN] = {"own", "KW-OWN1", "a cluster of its manufacturer's own", 0, 1, {{1, 0xfff0, 3, 0, {ZCL_BASIC, ZCL_IDENTIFY, SIM_OWN_CLUSTER}, {0}}}, 0, {{0}}},
};
// clang-format on

const size_t device_attribute_count = sizeof device_attributes / sizeof device_attributes[0];
const size_t device_command_count = sizeof device_commands / sizeof device_commands[0];
_Static_assert(sizeof device_attributes / sizeof device_attributes[0] <= DEVICE_ATTRIBUTES, "a device keeps a value of each");
_Static_assert(sizeof types / sizeof types[0] == SIM_KINDS, "each kind is described");

const struct device_type *device_type(enum sim_kind kind)
{
	return &types[kind];
}

bool sim_kind_find(const char *name, enum sim_kind *kind)
{
	for (size_t i = 0; i < SIM_KINDS; i++) {
		if (strcmp(types[i].name, name) == 0) {
			*kind = (enum sim_kind)i;
			return true;
		}
	}
	return false;
}

const char *sim_kind_name(enum sim_kind kind)
{
	return types[kind].name;
}
