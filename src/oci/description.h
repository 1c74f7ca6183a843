/* Descriptions of Zigbee devices: how attributes and commands of clusters stand as oneM2M resources, as data. They come from JSON files: those of
 * devices/ are in the program, those of `[zigbee] descriptions = DIRECTORY` are read at the start and go before them. docs/devices.md is the manual
 * of the format. Sources: ZCL 07-5123 for clusters, TS-0023 for SDT module classes.
 *
 *	struct descriptions *all = descriptions_new();
 *	if (all && descriptions_read(all, "zcl.json", text, why, sizeof why) != OK)
 *		... why: `zcl.json: modules[3].points[0].attribute: must be ...`
 *	model = descriptions_model(all, "Maker", "M-1");
 *	for (size_t i = 0; (m = descriptions_module(all, model, i)) != NULL; i++)
 *		...
 *
 * What is read later goes before what was read earlier: a module of the same name is hidden by it. Nothing changes after the start, so that all
 * pointers into it live as long as it does. Every count and text has a limit; a file that breaks one is refused with a sentence. */
#ifndef KEYWAY_OCI_DESCRIPTION_H
#define KEYWAY_OCI_DESCRIPTION_H

#include "base/err.h"
#include "json/json.h"

#define DESCRIPTION_FILE_MAX 262144 /* octets of one file: the built-in one has a tenth */
#define DESCRIPTION_MODULES 512     /* all together: ten times what the ZCL needs */
#define DESCRIPTION_CLASSES 256
#define DESCRIPTION_MODELS 1024
#define POINTS_MAX 16               /* of one module */
#define ACTIONS_MAX 4
#define ZONES_MAX 8
#define INPUTS_MAX 2                /* attributes that one value is made of: a colour's x and y */
#define MAP_MAX 16
#define WRITES_MAX 4
#define FIELDS_MAX 8                /* of a command's payload */
#define RECEIVED_MAX 16
#define IGNORED_MAX 16

/* Where a field of a command's payload comes from. */
enum field_source { FIELD_CONSTANT, FIELD_VALUE, FIELD_X, FIELD_Y, FIELD_HUE, FIELD_SATURATION };
struct payload_field {
	uint8_t size; /* octets, little-endian */
	enum field_source source;
	uint64_t constant;
};
struct payload {
	size_t count;
	struct payload_field fields[FIELDS_MAX];
};

/* What an UPDATE of a member sends: a command of the cluster, or Write Attributes. */
struct point_write {
	char when[16]; /* JSON text of the only value that it is for; empty: any */
	bool by_attribute;
	uint16_t attribute;
	uint8_t type;
	uint8_t command;
	struct payload payload;
};

enum point_kind { POINT_BOOLEAN, POINT_INTEGER, POINT_FLOAT };
enum point_formula {
	FORMULA_LINEAR, /* raw * scale + offset */
	FORMULA_BIT,    /* one bit */
	FORMULA_MAP,    /* what `map` says */
	FORMULA_LUX,    /* ZCL 4.2.2.2.1: 10 000 log10(lux) + 1 */
	FORMULA_XY,     /* a channel of RGB from CIE x and y */
	FORMULA_HS,     /* a channel of RGB from hue and saturation */
	FORMULA_PULSE,  /* commands that the device sends: true, then false */
};

struct module;
struct point {
	const struct module *module;
	char member[16];                 /* "curT0"; "con" of a container */
	uint16_t cluster, manufacturer;  /* manufacturer 0: none */
	size_t zone_count;
	uint16_t zones[ZONES_MAX];       /* IAS zone types that it is for; none: any */
	uint16_t inputs[INPUTS_MAX];     /* attributes */
	size_t input_count;              /* 0: nothing is read, such as a siren's alarm */
	uint8_t type;                    /* ZCL, of the inputs */
	enum point_kind kind;
	enum point_formula formula;
	uint8_t channel;                 /* of a colour: 0 red, 1 green, 2 blue */
	uint8_t bit;
	bool invert;
	double scale, offset;
	bool limited;                    /* raw values outside least..most stand for nothing */
	double least, most;
	size_t map_count;
	struct { int64_t raw; char json[16]; } map[MAP_MAX];
	bool has_multiplier, has_divisor;
	uint16_t multiplier, divisor;    /* attributes of the same cluster */
	uint16_t minimum_s, maximum_s;   /* of reports; maximum_s 0: not configured */
	uint64_t change;
	size_t write_count;
	struct point_write writes[WRITES_MAX];
	size_t received_count;
	uint8_t received[RECEIVED_MAX];  /* FORMULA_PULSE */
};

struct action {
	char name[24], root[24], definition[128];
	uint16_t cluster, manufacturer;
	uint8_t command;
	struct payload payload;
};

struct model;
struct module {
	struct module *next;
	const struct model *model;       /* NULL: of all devices */
	unsigned file;                   /* in the order of reading */
	char name[24], root[24], definition[128];
	bool container;                  /* values are contentInstances */
	size_t point_count, action_count;
	struct point points[POINTS_MAX];
	struct action actions[ACTIONS_MAX];
};

/* Which flexContainer stands for a device of a ZCL device identifier. */
struct device_class {
	struct device_class *next;
	uint16_t device;                 /* 0xffff: any other */
	char root[24], definition[128];
};

/* What is particular about one manufacturer's model. */
struct model {
	struct model *next;
	char manufacturer[33], name[33]; /* a `*` at the end: whatever follows */
	bool no_reporting;               /* its attributes are polled */
	uint16_t poll_s;                 /* 0: not polled */
	uint16_t check_in_s;             /* of its Poll Control; 0: as the cluster has it */
	size_t ignored_count;
	uint16_t ignored[IGNORED_MAX];   /* clusters that do not keep what they promise */
	bool has_reporting;              /* for all of its reports, in the place of the points' own */
	uint16_t minimum_s, maximum_s;
};

struct descriptions;
struct descriptions *descriptions_new(void); /* empty; NULL without memory */
void descriptions_free(struct descriptions *d);
/* Adds what a file says. ERR_MALFORMED (no JSON), ERR_BAD_VALUE, ERR_FULL, ERR_NO_MEMORY; why names the file and the member. After an error d has
 * the part that was right, and is to be freed. */
enum err descriptions_read(struct descriptions *d, const char *file, struct rd text, char *why, size_t why_size) MUST_CHECK;
/* The built-in ones; they are right, or the build is broken. */
struct descriptions *descriptions_built_in(void);
/* Tells one set from another: of the texts read. */
uint32_t descriptions_fingerprint(const struct descriptions *d);

const struct model *descriptions_model(const struct descriptions *d, const char *manufacturer, const char *name); /* NULL: nothing particular */
/* The index-th module that devices of this model (NULL: of none) can have, hidden ones left out. NULL behind the last. */
const struct module *descriptions_module(const struct descriptions *d, const struct model *m, size_t index);
const struct device_class *descriptions_class(const struct descriptions *d, uint16_t device); /* NULL: none for it and none for all */
bool point_fits_zone(const struct point *p, uint16_t zone_type);
bool model_ignores(const struct model *m, uint16_t cluster); /* m may be NULL */

#endif
