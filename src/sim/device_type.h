/* Kinds of simulated devices, as data: their endpoints and clusters, what their attributes begin with, and what commands do to attributes. */
#ifndef KEYWAY_SIM_DEVICE_TYPE_H
#define KEYWAY_SIM_DEVICE_TYPE_H

#include "sim/device.h"
#include "zigbee/zcl.h"

#define DEVICE_ENDPOINTS 4
#define DEVICE_CLUSTERS 10
#define DEVICE_PRESETS 8
#define DEVICE_ATTRIBUTES 128 /* of the table */

#define DEVICE_ATTRIBUTE_REPORTABLE 1
#define DEVICE_ATTRIBUTE_WRITABLE 2
#define DEVICE_ATTRIBUTE_KEPT 4 /* in its non-volatile memory */

/* Where an attribute's value comes from. */
enum device_source {
	DEVICE_STORED, /* `fixed` at first; commands, writes and `set` change it where they may */
	DEVICE_MANUFACTURER_NAME,
	DEVICE_MODEL,
	DEVICE_DATE_CODE,
	DEVICE_SOFTWARE_BUILD,
	DEVICE_POWER_SOURCE,
	DEVICE_IDENTIFY_TIME,
	DEVICE_TEMPERATURE,
	DEVICE_HUMIDITY,
	DEVICE_ZONE_STATE,
	DEVICE_ZONE_TYPE,
	DEVICE_ZONE_STATUS,
	DEVICE_ZONE_CIE,
	DEVICE_ENERGY,
	DEVICE_WATTS,
	DEVICE_MILLIAMPERES,
	DEVICE_CHECK_IN,
	DEVICE_LONG_POLL,
	DEVICE_HEATING_DEMAND,
};

struct device_attribute {
	uint16_t cluster, id;
	uint8_t type;
	uint8_t access;
	enum device_source source;
	uint64_t fixed;
	bool limited;      /* a write outside least..most is refused */
	int64_t least, most;
};
extern const struct device_attribute device_attributes[];
extern const size_t device_attribute_count;

/* What a command does; several rows of one command are done in their order. */
enum device_op {
	DEVICE_OP_NOTHING,
	DEVICE_OP_SET,      /* attribute := constant */
	DEVICE_OP_TOGGLE,   /* attribute := not attribute */
	DEVICE_OP_TAKE,     /* attribute := `size` octets of the payload from `offset` on, at most `constant` */
	DEVICE_OP_NOT_ZERO, /* attribute := whether those are not 0 */
	DEVICE_OP_MOVE,     /* attribute := `constant` or 0, by the direction at `offset` */
	DEVICE_OP_STEP,     /* attribute up or down, by the direction at `offset` and the octet behind it */
	DEVICE_OP_SETPOINT, /* attribute by tenths of a degree: signed octet at `offset` */
	DEVICE_OP_LOCK,     /* attribute := constant, if the PIN that comes with it is right or none is wanted */
	DEVICE_OP_PIN_SET,
	DEVICE_OP_PIN_GET,
	DEVICE_OP_PIN_CLEAR,
	DEVICE_OP_PIN_CLEAR_ALL,
	DEVICE_OP_WARN,
};
struct device_command {
	uint16_t cluster;
	uint8_t command;
	enum device_op op;
	uint16_t attribute;
	uint8_t offset, size;
	uint64_t constant;
};
extern const struct device_command device_commands[];
extern const size_t device_command_count;

struct device_endpoint {
	uint8_t id;
	uint16_t device;
	uint8_t in_count, out_count;
	uint16_t in[DEVICE_CLUSTERS], out[DEVICE_CLUSTERS];
};

struct device_preset {
	uint8_t endpoint;
	uint16_t cluster, id;
	uint64_t value;
};

struct device_type {
	const char *name, *model, *what; /* `what`: for the usage text */
	uint16_t zone_type;
	uint8_t endpoint_count;
	struct device_endpoint endpoints[DEVICE_ENDPOINTS];
	size_t preset_count;
	struct device_preset presets[DEVICE_PRESETS];
};
const struct device_type *device_type(enum sim_kind kind);

#endif
