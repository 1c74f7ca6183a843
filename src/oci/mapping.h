/* From ZCL attributes to SDT module classes and back, as data. Source: the project's Zigbee-to-oneM2M table; TS-0023. */
#ifndef KEYWAY_OCI_MAPPING_H
#define KEYWAY_OCI_MAPPING_H

#include "json/json.h"
#include "zigbee/zcl.h"

enum mapping_rule {
	MAPPING_BOOL,        /* value != 0 */
	MAPPING_BIT0,        /* bit 0 as a boolean */
	MAPPING_DOOR,        /* bit 0 as doorState: 1 closed, 2 open */
	MAPPING_HUNDREDTHS,  /* value / 100 */
	MAPPING_HALVES,      /* value / 2, an integer */
	MAPPING_THOUSANDTHS, /* value / 1000: metering with its usual divisor */
	MAPPING_NUMBER,      /* value */
};

struct mapping {
	uint16_t cluster, attribute;
	uint16_t zone_type;        /* of IAS zones; 0: any */
	const char *root, *definition, *name; /* module class resource: "cod:tempe", cnd, resource name */
	const char *member;        /* its attribute: "curT0" */
	enum mapping_rule rule;
	uint8_t type;              /* ZCL */
	uint16_t minimum_s, maximum_s;
	uint64_t change;
	bool commanded;            /* an UPDATE of the attribute is a command to the device */
};

/* The index-th mapping of a cluster (and zone type); NULL behind the last. */
const struct mapping *mapping_at(uint16_t cluster, uint16_t zone_type, size_t index);
const struct mapping *mapping_find(uint16_t cluster, uint16_t attribute, uint16_t zone_type);
const struct mapping *mapping_of_root(const char *root, const char *member);
/* The oneM2M value as JSON text; false for "invalid" values such as 0x8000. */
bool mapping_value(const struct mapping *m, const struct zcl_value *v, struct wr *w) MUST_CHECK;

struct mapping_device {
	uint16_t device;
	const char *root, *definition;
};
const struct mapping_device *mapping_device(uint16_t zcl_device); /* never NULL */

#endif
