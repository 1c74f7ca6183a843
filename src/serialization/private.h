/* What the files of this folder share. */
#ifndef KEYWAY_SERIALIZATION_PRIVATE_H
#define KEYWAY_SERIALIZATION_PRIVATE_H

#include <stdio.h>

#include "json/json.h"
#include "serialization/serialization.h"

/* The reason of the first failure, for a person. */
struct complaint {
	char *text;
	size_t size;
};
static inline enum err complain(struct complaint *c, enum err e, const char *why)
{
	if (c->size > 0)
		snprintf(c->text, c->size, "%s", why);
	return e;
}

enum err cbor_to_json(struct rd in, struct wr *json, struct complaint *c) MUST_CHECK;
enum err cbor_from_json(const struct json *doc, struct wr *out) MUST_CHECK;
enum err xml_to_json(struct rd in, struct wr *json, struct complaint *c) MUST_CHECK;
enum err xml_from_json(const struct json *doc, struct wr *out) MUST_CHECK;

#endif
