/* What generate.py makes of tables/, for schema.c alone. */
#ifndef KEYWAY_ONEM2M_SCHEMA_TABLES_H
#define KEYWAY_ONEM2M_SCHEMA_TABLES_H

#include <stddef.h>

#include "onem2m/schema.h"

extern const struct schema_datatype *const schema_datatypes; /* the named ones first, sorted */
extern const size_t schema_named_datatypes;
extern const struct schema_type *const *const schema_all_types;
extern const struct schema_type *const *const schema_original_by_ty;  /* [0..schema_last_ty], with NULL */
extern const struct schema_type *const *const schema_announced_by_ty; /* [ty - TY_ANNOUNCED] */
extern const int schema_last_ty;
extern const struct schema_type *const *const schema_types_by_root; /* sorted */
extern const size_t schema_root_count;
extern const char *const *const schema_attribute_names; /* sorted */
extern const size_t schema_attribute_name_count;

#endif
