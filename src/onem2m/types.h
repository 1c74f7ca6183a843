/* Resource types and the rules of their attributes, as tables. Source: TS-0004 V3.32.0 clause 7.4, by way of the project's resource tables. */
#ifndef KEYWAY_ONEM2M_TYPES_H
#define KEYWAY_ONEM2M_TYPES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/rd.h"
#include "json/json.h"

enum onem2m_type {
	ONEM2M_ACP = 1,
	ONEM2M_AE = 2,
	ONEM2M_CONTAINER = 3,
	ONEM2M_CONTENT_INSTANCE = 4,
	ONEM2M_CSE_BASE = 5,
	ONEM2M_REMOTE_CSE = 16,
	ONEM2M_SUBSCRIPTION = 23,
	ONEM2M_FLEX_CONTAINER = 28,
};

enum attribute_presence { ATTRIBUTE_NP, ATTRIBUTE_OPTIONAL, ATTRIBUTE_MANDATORY };
enum attribute_kind { ATTRIBUTE_STRING, ATTRIBUTE_UINT, ATTRIBUTE_BOOL, ATTRIBUTE_LIST, ATTRIBUTE_OBJECT, ATTRIBUTE_ANY };

struct onem2m_attribute {
	const char *name;
	enum attribute_kind kind;
	enum attribute_presence create, update;
};

struct onem2m_type_rules {
	enum onem2m_type type;
	const char *root;                /* "m2m:cnt"; NULL: the creator's own (flexContainer) */
	const char *prefix;              /* of generated resource names */
	const struct onem2m_attribute *attributes; /* ends with a NULL name; the common ones are apart */
	const int *children;             /* ends with 0 */
	bool own_acpi;                   /* without acpi: the creator only; types without own acpi take their parent's */
	bool custom;                     /* other attributes are allowed too */
};

const struct onem2m_type_rules *onem2m_rules(int type); /* NULL for a type that is not supported */
/* Whether it may be the root of a specialization: "cod:tempe", but neither "m2m:cnt" nor "tempe". */
bool onem2m_root_is_custom(const char *root);
bool onem2m_child_permitted(const struct onem2m_type_rules *parent, int child);
/* Checks a CREATE or UPDATE; on false, why holds a sentence. */
bool onem2m_check(const struct onem2m_type_rules *rules, const struct json *resource, bool create, char *why, size_t size) MUST_CHECK;

#endif
