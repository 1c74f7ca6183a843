/* What the reader of descriptions and their look-up share. */
#ifndef KEYWAY_OCI_DESCRIPTION_PRIVATE_H
#define KEYWAY_OCI_DESCRIPTION_PRIVATE_H

#include "oci/description.h"

#define ANY_DEVICE 0xffff

/* The files of devices/, made by embed.py; ends with a NULL name. */
struct built_in {
	const char *name;
	const unsigned char *octets;
	size_t len;
};
extern const struct built_in built_ins[];

struct descriptions {
	struct module *modules;  /* in the order in which they serve */
	struct device_class *classes;
	struct model *models;
	size_t module_count, class_count, model_count;
	unsigned files;
	uint32_t fingerprint;
};

#endif
