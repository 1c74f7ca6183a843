/* What a primitiveProfile may add and take away: request parameters that say how a request is answered, and attributes with a plain value. Who
 * asks for what, and as whom, stays with the request. */
#include <string.h>

#include "cse/types/types.h"

static bool refuse(struct exchange *x, const char *list, const char *name, const char *why)
{
	exchange_fail(x, RSC_BAD_REQUEST, "`%s`: `%.100s` %s", list, name, why);
	return false;
}

/* Parameters that are the request's own. */
static bool is_fixed(const char *name)
{
	static const char *const fixed[] = {"op", "to", "fr", "rqi", "rvi", "rsc", "fc", "ot", "gid", "tkns", "ati"};

	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
		if (strcmp(fixed[i], name) == 0)
			return true;
	return false;
}

/* The data type of a parameter, or NULL. */
static const struct schema_datatype *parameter(const char *name)
{
	static const struct {
		const char *name, *type;
	} all[] = {
		{"rqet", "m2m:absRelTimestamp"}, {"rset", "m2m:absRelTimestamp"}, {"oet", "m2m:absRelTimestamp"}, {"rp", "m2m:absRelTimestamp"},
		{"ec", "m2m:eventCat"}, {"vsi", "xs:string"}, {"rcn", "m2m:resultContent"}, {"drt", "m2m:desIdResType"},
	};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (strcmp(all[i].name, name) == 0)
			return schema_datatype(all[i].type);
	return NULL;
}

static bool is_plain(const struct schema_datatype *t)
{
	if (t->kind == SCHEMA_LIST)
		return t->item && is_plain(t->item);
	return t->kind != SCHEMA_OBJECT && t->kind != SCHEMA_ANY_OBJECT;
}

/* The profile says of which types: each must have the attribute. `value` NULL: it is taken away. */
static bool attribute_fits(struct exchange *x, const struct json *types, const char *list, const char *name, const struct json *value)
{
	for (const struct json *t = types ? types->first : NULL; t; t = t->next) {
		const struct schema_attribute *a;
		const struct schema_type *type;
		struct schema_fault fault;
		uint64_t ty;

		type = json_uint(t, &ty) && ty < 100000 ? schema_type((int)ty) : NULL;
		if (!type || type->custom)
			continue;
		a = schema_attribute(type, rd_str(name));
		if (!a)
			return refuse(x, list, name, "is no attribute of the types that the profile is for (`rtys`)");
		if (value && !is_plain(a->type))
			return refuse(x, list, name, "has a complex value, which no profile adds");
		if (value && !schema_check_value(a->type, value, name, &fault)) {
			exchange_fail(x, RSC_BAD_REQUEST, "`%s`: %s", list, fault.text);
			return false;
		}
	}
	return true;
}

static bool item_fits(struct exchange *x, const struct json *types, const char *list, const char *name, const struct json *value)
{
	const struct schema_datatype *type = parameter(name);
	struct schema_fault fault;

	if (is_fixed(name))
		return refuse(x, list, name, "is a parameter that every request has of its own");
	if (!type)
		return attribute_fits(x, types, list, name, value);
	if (!value || schema_check_value(type, value, name, &fault))
		return true;
	exchange_fail(x, RSC_BAD_REQUEST, "`%s`: %s", list, fault.text);
	return false;
}

static bool is_taken_away(const struct json *deletions, const char *name)
{
	for (const struct json *d = deletions ? deletions->first : NULL; d; d = d->next)
		if (d->type == JSON_STRING && rd_is(d->text, name))
			return true;
	return false;
}

bool primitive_profile_fits(struct exchange *x, const struct attributes *a)
{
	const struct json *types = attributes_value(a, "rtys"), *additions = attributes_value(a, "adds"), *deletions = attributes_value(a, "dels");
	char name[128];

	for (const struct json *v = additions ? additions->first : NULL; v; v = v->next) {
		if (!json_text(json_get(v, "nm"), name, sizeof name))
			return refuse(x, "adds", "", "needs a name (nm)");
		if (is_taken_away(deletions, name))
			return refuse(x, "adds", name, "is taken away too (`dels`)");
		if (!item_fits(x, types, "adds", name, json_get(v, "val")))
			return false;
	}
	for (const struct json *v = deletions ? deletions->first : NULL; v; v = v->next)
		if (!json_text(v, name, sizeof name) || !item_fits(x, types, "dels", name, NULL))
			return false;
	return true;
}
