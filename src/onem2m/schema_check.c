/* Checks of resource content and of single values against the tables. */
#include <inttypes.h>
#include <limits.h>

#include "onem2m/schema_fault.h"
#include "onem2m/schema_value.h"

/* The JSON type that a kind is written as; what it is not is told to the peer. */
static bool type_fits(enum schema_kind kind, enum json_type type)
{
	switch (kind) {
	case SCHEMA_ANY:
		return type != JSON_NULL;
	case SCHEMA_BOOL:
		return type == JSON_FALSE || type == JSON_TRUE;
	case SCHEMA_INTEGER:
	case SCHEMA_FLOAT:
	case SCHEMA_ENUM:
		return type == JSON_NUMBER;
	case SCHEMA_ABS_REL_TIMESTAMP:
		return type == JSON_STRING || type == JSON_NUMBER;
	case SCHEMA_LIST:
		return type == JSON_ARRAY;
	case SCHEMA_OBJECT:
	case SCHEMA_GEO:
	case SCHEMA_ANY_OBJECT:
		return type == JSON_OBJECT;
	case SCHEMA_STRING:
	case SCHEMA_TOKEN:
	case SCHEMA_NCNAME:
	case SCHEMA_URI:
	case SCHEMA_ID:
	case SCHEMA_RESOURCE_NAME:
	case SCHEMA_STRING_ENUM:
	case SCHEMA_TIMESTAMP:
	case SCHEMA_DURATION:
	case SCHEMA_SCHEDULE:
	case SCHEMA_BASE64:
	case SCHEMA_CONTENT_INFO:
	case SCHEMA_IPV4:
	case SCHEMA_IPV6:
		return type == JSON_STRING;
	}
	return false;
}

static bool in_words(const char *const *words, struct rd text)
{
	for (; *words; words++)
		if (rd_is(text, *words))
			return true;
	return false;
}

static bool text_fits(const struct schema_datatype *t, struct rd text)
{
	if (t->max && ((int64_t)text.left < t->min || (int64_t)text.left > t->max))
		return false;
	switch (t->kind) {
	case SCHEMA_STRING:
		return true;
	case SCHEMA_TOKEN:
		return value_is_token(text);
	case SCHEMA_NCNAME:
		return value_is_ncname(text);
	case SCHEMA_URI:
	case SCHEMA_ID:
		return value_is_uri(text);
	case SCHEMA_RESOURCE_NAME:
		return value_is_resource_name(text);
	case SCHEMA_STRING_ENUM:
		return in_words(t->words, text);
	case SCHEMA_TIMESTAMP:
		return value_is_timestamp(text);
	case SCHEMA_ABS_REL_TIMESTAMP:
		return value_is_abs_rel_timestamp(text);
	case SCHEMA_DURATION:
		return value_is_duration(text);
	case SCHEMA_SCHEDULE:
		return value_is_schedule(text);
	case SCHEMA_BASE64:
		return value_is_base64(text);
	case SCHEMA_CONTENT_INFO:
		return value_is_content_info(text);
	case SCHEMA_IPV4:
		return value_is_ipv4(text);
	case SCHEMA_IPV6:
		return value_is_ipv6(text);
	case SCHEMA_ANY:
	case SCHEMA_BOOL:
	case SCHEMA_INTEGER:
	case SCHEMA_FLOAT:
	case SCHEMA_ENUM:
	case SCHEMA_LIST:
	case SCHEMA_OBJECT:
	case SCHEMA_GEO:
	case SCHEMA_ANY_OBJECT:
		break;
	}
	return false;
}

static bool number_fits(const struct schema_datatype *t, const struct json *v)
{
	int64_t n;

	if (t->kind == SCHEMA_FLOAT)
		return true;
	if (!json_int(v, &n))
		return false;
	if (t->kind == SCHEMA_INTEGER)
		return n >= t->min && n <= t->max;
	if (t->kind == SCHEMA_ENUM) {
		for (const int *value = t->values; *value != INT_MIN; value++)
			if (*value == n)
				return true;
		return false;
	}
	return true; /* a relative timestamp */
}

static bool check_value(const struct schema_datatype *t, const struct json *v, const struct schema_place *p, struct schema_fault *fault);

static bool check_list(const struct schema_datatype *t, const struct json *v, const struct schema_place *p, struct schema_fault *fault)
{
	struct schema_place inside = {p, {NULL, 0}, 0};

	if (t->non_empty && v->count == 0)
		return schema_fault_put(fault, p, "must not be an empty list");
	if (t->max && ((int64_t)v->count < t->min || (int64_t)v->count > t->max))
		return schema_fault_put(fault, p, t->min == t->max ? "must be a list of %" PRId64 " values" : "must be a list of %" PRId64 " to %" PRId64 " values", t->min, t->max);
	for (const struct json *item = v->first; item; item = item->next) {
		if (!check_value(t->item, item, &inside, fault))
			return false;
		inside.index++;
	}
	return true;
}

static const struct schema_member *member_of(const struct schema_datatype *t, struct rd name)
{
	for (const struct schema_member *m = t->members; m->name; m++)
		if (rd_is(name, m->name))
			return m;
	return NULL;
}

static bool check_object(const struct schema_datatype *t, const struct json *v, const struct schema_place *p, struct schema_fault *fault)
{
	size_t missing = 0;

	for (const struct schema_member *m = t->members; m->name; m++)
		missing += m->mandatory;
	for (const struct json *value = v->first; value; value = value->next) {
		const struct schema_member *m = member_of(t, value->key);
		struct schema_place inside = {p, value->key, 0};

		if (!m)
			return schema_fault_put(fault, &inside, "is not a member of %s", t->name);
		if (!check_value(m->type, value, &inside, fault))
			return false;
		missing -= m->mandatory;
	}
	if (!missing)
		return true;
	for (const struct schema_member *m = t->members; m->name; m++) {
		struct schema_place inside = {p, rd_str(m->name), 0};

		if (m->mandatory && !json_get(v, m->name))
			return schema_fault_put(fault, &inside, "is mandatory in %s", t->name);
	}
	return true;
}

/* m2m:geoCoordinates carries its coordinates as JSON text in a string; an array in its place says the same. */
static bool check_geo(const struct schema_datatype *t, const struct json *v, const struct schema_place *p, struct schema_fault *fault)
{
	struct schema_place inside = {p, rd_str("crd"), 0};
	const struct json *crd;
	int64_t geometry;

	if (!check_object(t, v, p, fault))
		return false;
	crd = json_get(v, "crd");
	if (json_int(json_get(v, "typ"), &geometry) && (crd->type == JSON_STRING || crd->type == JSON_ARRAY) &&
	    value_is_geometry((int)geometry, crd->type == JSON_STRING ? crd->text : crd->source))
		return true;
	return schema_fault_put(fault, &inside, "must be the coordinates of geometry %d as in GeoJSON, such as \"[8.4, 49.0]\" for 1", (int)geometry);
}

static bool check_value(const struct schema_datatype *t, const struct json *v, const struct schema_place *p, struct schema_fault *fault)
{
	bool ok = type_fits(t->kind, v->type);

	if (!ok)
		return schema_fault_wrong(fault, p, t, v, false);
	switch (v->type) {
	case JSON_STRING:
		ok = t->kind == SCHEMA_ANY || text_fits(t, v->text);
		break;
	case JSON_NUMBER:
		ok = t->kind == SCHEMA_ANY || number_fits(t, v);
		break;
	case JSON_ARRAY:
		return t->kind == SCHEMA_ANY || check_list(t, v, p, fault);
	case JSON_OBJECT:
		if (t->kind == SCHEMA_ANY || t->kind == SCHEMA_ANY_OBJECT)
			return true;
		return t->kind == SCHEMA_GEO ? check_geo(t, v, p, fault) : check_object(t, v, p, fault);
	case JSON_NULL:
	case JSON_FALSE:
	case JSON_TRUE:
		break;
	}
	return ok || schema_fault_wrong(fault, p, t, v, true);
}

bool schema_check_value(const struct schema_datatype *type, const struct json *value, const char *what, struct schema_fault *fault)
{
	struct schema_place p = {NULL, rd_str(what), 0};

	return check_value(type, value, &p, fault);
}

/* An attribute that the tables do not know, of a type that may have such: flexContainer. A name with ':' would be a child resource. */
static bool check_custom(const struct json *v, bool create, const struct schema_place *p, struct schema_fault *fault)
{
	if (!value_is_ncname(v->key))
		return schema_fault_put(fault, p, "is not the name of an attribute");
	if (create && v->type == JSON_NULL)
		return schema_fault_put(fault, p, "must not be null in a CREATE");
	return true;
}

static bool check_null(const struct schema_attribute *a, bool create, const struct schema_place *p, struct schema_fault *fault)
{
	if (create && !a->null_on_create)
		return schema_fault_put(fault, p, "must not be null in a CREATE");
	if (!create && a->mandatory_in_resource)
		return schema_fault_put(fault, p, "is mandatory and cannot be deleted");
	return true;
}

static bool check_attribute(const struct schema_type *t, const struct schema_attribute *a, const struct json *v, bool create, struct schema_fault *fault)
{
	struct schema_place p = {NULL, v->key, 0};

	if (!a)
		return t->custom ? check_custom(v, create, &p, fault) : schema_fault_put(fault, &p, "is not an attribute of %s", t->name);
	if ((create ? a->create : a->update) == SCHEMA_NP)
		return schema_fault_put(fault, &p, create ? "is set by the CSE and not permitted in a CREATE of %s" : "cannot be changed in %s", t->name);
	if (v->type == JSON_NULL)
		return check_null(a, create, &p, fault);
	if (create && a->null_on_create)
		return schema_fault_put(fault, &p, "may only be null in a CREATE: the CSE fills it in");
	return check_value(a->type, v, &p, fault);
}

static bool is_mandatory(const struct schema_attribute *a, bool create)
{
	return (create ? a->create : a->update) == SCHEMA_MANDATORY;
}

/* Each attribute that is there. *mandatory is how many of the mandatory ones are. */
static bool check_given(const struct schema_type *t, const struct json *resource, bool create, size_t *mandatory, struct schema_fault *fault)
{
	*mandatory = 0;
	if (resource->type != JSON_OBJECT) {
		struct schema_place p = {NULL, rd_str(t->name), 0};

		return schema_fault_put(fault, &p, "must be an object, not %s", schema_fault_found(resource));
	}
	for (const struct json *v = resource->first; v; v = v->next) {
		const struct schema_attribute *a = schema_attribute(t, v->key);

		if (!check_attribute(t, a, v, create, fault))
			return false;
		*mandatory += a && is_mandatory(a, create);
	}
	return true;
}

static bool name_missing(const struct schema_type *t, const struct json *resource, bool create, struct schema_fault *fault)
{
	for (const struct schema_attribute *a = t->attributes; a < t->attributes + t->attribute_count; a++) {
		struct schema_place p = {NULL, rd_str(a->name), 0};

		if (is_mandatory(a, create) && !json_get(resource, a->name))
			return schema_fault_put(fault, &p, "is missing; it is mandatory in a %s of %s", create ? "CREATE" : "UPDATE", t->name);
	}
	return true;
}

static bool check(const struct schema_type *t, const struct json *resource, bool create, struct schema_fault *fault)
{
	size_t mandatory;

	if (!check_given(t, resource, create, &mandatory, fault))
		return false;
	return mandatory == (create ? t->mandatory_on_create : t->mandatory_on_update) || name_missing(t, resource, create, fault);
}

bool schema_check_create(const struct schema_type *t, const struct json *resource, struct schema_fault *fault)
{
	return check(t, resource, true, fault);
}

bool schema_check_draft(const struct schema_type *t, const struct json *resource, struct schema_fault *fault)
{
	size_t mandatory;

	return check_given(t, resource, true, &mandatory, fault);
}

bool schema_check_update(const struct schema_type *t, const struct json *resource, struct schema_fault *fault)
{
	return check(t, resource, false, fault);
}
