/* Look-ups in the generated tables. */
#include "onem2m/schema.h"

#include <string.h>

#include "onem2m/schema_tables.h"

/* Like strcmp. Names are short, and most differ in their first letters. */
static int compare(struct rd a, const char *b)
{
	size_t i = 0;

	while (i < a.left && b[i] && a.at[i] == (uint8_t)b[i])
		i++;
	if (i == a.left)
		return b[i] ? -1 : 0;
	return b[i] ? a.at[i] - (uint8_t)b[i] : 1;
}

const struct schema_type *schema_type(int ty)
{
	if (ty >= 0 && ty <= schema_last_ty)
		return schema_original_by_ty[ty];
	if (ty >= TY_ANNOUNCED && ty - TY_ANNOUNCED <= schema_last_ty)
		return schema_announced_by_ty[ty - TY_ANNOUNCED];
	return NULL;
}

static const struct schema_type *by_root(struct rd root)
{
	size_t low = 0, high = schema_root_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct schema_type *t = schema_types_by_root[middle];
		int c = compare(root, t->root);

		if (c == 0)
			return t;
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* The objects of TS-0022 that are "dcfg:..." were "m2m:..." at first. */
const struct schema_type *schema_by_root(struct rd root)
{
	const struct schema_type *t = root.left ? by_root(root) : NULL;
	char renamed[64] = "dcfg:";
	struct rd name = root;

	if (t || !rd_starts(root, "m2m:") || !rd_skip(&name, 4) || !rd_text(name, renamed + 5, sizeof renamed - 5))
		return t;
	t = by_root(rd_of(renamed, name.left + 5));
	return t && t->mgd ? t : NULL;
}

const struct schema_type *schema_mgmt_by_root(struct rd root)
{
	const struct schema_type *t = schema_by_root(root);

	return t && t->mgd ? t : NULL;
}

const struct schema_type *schema_mgmt(int mgd)
{
	if (mgd == 0)
		return NULL;
	for (const struct schema_type *const *t = schema_all_types; *t; t++)
		if ((*t)->mgd == mgd)
			return *t;
	return NULL;
}

const struct schema_type *schema_module_class(struct rd definition)
{
	for (const struct schema_type *const *t = schema_all_types; *t; t++)
		if ((*t)->definition && *(*t)->definition && rd_is(definition, (*t)->definition))
			return *t;
	return NULL;
}

const struct schema_type *const *schema_types(void)
{
	return schema_all_types;
}

const struct schema_attribute *schema_attribute(const struct schema_type *t, struct rd name)
{
	size_t low = 0, high = t->attribute_count;

	if (!name.left)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct schema_attribute *a = &t->attributes[middle];
		int c = compare(name, a->name);

		if (c == 0)
			return a;
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct schema_child *schema_child(const struct schema_type *parent, int ty)
{
	size_t low = 0, high = parent->child_count;

	if (ty <= 0)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct schema_child *c = &parent->children[middle];

		if (c->ty == ty)
			return c;
		if (ty < c->ty)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool schema_is_attribute_name(struct rd name)
{
	size_t low = 0, high = schema_attribute_name_count;

	if (!name.left)
		return false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = compare(name, schema_attribute_names[middle]);

		if (c == 0)
			return true;
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

const struct schema_datatype *schema_datatype(const char *name)
{
	size_t low = 0, high = schema_named_datatypes;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = strcmp(name, schema_datatypes[middle].name);

		if (c == 0)
			return &schema_datatypes[middle];
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
