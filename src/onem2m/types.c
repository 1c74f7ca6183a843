/* The tables of resource types. */
#include "onem2m/types.h"

#include <stdio.h>
#include <string.h>

#define NP ATTRIBUTE_NP
#define O ATTRIBUTE_OPTIONAL
#define M ATTRIBUTE_MANDATORY
#define ATTRIBUTE_NAME_MAX 128

static const struct onem2m_attribute common[] = {
	{"rn", ATTRIBUTE_STRING, O, NP}, {"ty", ATTRIBUTE_UINT, NP, NP}, {"ri", ATTRIBUTE_STRING, NP, NP}, {"pi", ATTRIBUTE_STRING, NP, NP},
	{"ct", ATTRIBUTE_STRING, NP, NP}, {"lt", ATTRIBUTE_STRING, NP, NP}, {"et", ATTRIBUTE_STRING, O, O}, {"lbl", ATTRIBUTE_LIST, O, O},
	{"acpi", ATTRIBUTE_LIST, O, O}, {"at", ATTRIBUTE_LIST, O, O}, {"aa", ATTRIBUTE_LIST, O, O}, {"daci", ATTRIBUTE_LIST, O, O},
	{NULL, ATTRIBUTE_ANY, NP, NP},
};
static const struct onem2m_attribute acp[] = {
	{"pv", ATTRIBUTE_OBJECT, M, O}, {"pvs", ATTRIBUTE_OBJECT, M, O}, {NULL, ATTRIBUTE_ANY, NP, NP},
};
static const struct onem2m_attribute ae[] = {
	{"api", ATTRIBUTE_STRING, M, NP}, {"aei", ATTRIBUTE_STRING, NP, NP}, {"apn", ATTRIBUTE_STRING, O, O}, {"poa", ATTRIBUTE_LIST, O, O},
	{"rr", ATTRIBUTE_BOOL, M, O}, {"srv", ATTRIBUTE_LIST, O, O}, {"csz", ATTRIBUTE_LIST, O, O}, {"or", ATTRIBUTE_STRING, O, O},
	{"nl", ATTRIBUTE_STRING, O, NP}, {NULL, ATTRIBUTE_ANY, NP, NP},
};
static const struct onem2m_attribute container[] = {
	{"cr", ATTRIBUTE_ANY, O, NP}, {"mni", ATTRIBUTE_UINT, O, O}, {"mbs", ATTRIBUTE_UINT, O, O}, {"mia", ATTRIBUTE_UINT, O, O},
	{"cni", ATTRIBUTE_UINT, NP, NP}, {"cbs", ATTRIBUTE_UINT, NP, NP}, {"st", ATTRIBUTE_UINT, NP, NP}, {"li", ATTRIBUTE_STRING, O, O},
	{"or", ATTRIBUTE_STRING, O, O}, {"disr", ATTRIBUTE_BOOL, O, O}, {NULL, ATTRIBUTE_ANY, NP, NP},
};
static const struct onem2m_attribute content_instance[] = {
	{"cr", ATTRIBUTE_ANY, O, NP}, {"cnf", ATTRIBUTE_STRING, O, NP}, {"con", ATTRIBUTE_ANY, M, NP}, {"or", ATTRIBUTE_STRING, O, NP},
	{"cs", ATTRIBUTE_UINT, NP, NP}, {"st", ATTRIBUTE_UINT, NP, NP}, {NULL, ATTRIBUTE_ANY, NP, NP},
};
static const struct onem2m_attribute remote_cse[] = {
	{"csi", ATTRIBUTE_STRING, M, NP}, {"cb", ATTRIBUTE_STRING, M, NP}, {"cst", ATTRIBUTE_UINT, O, NP}, {"poa", ATTRIBUTE_LIST, O, O},
	{"rr", ATTRIBUTE_BOOL, M, O}, {"srv", ATTRIBUTE_LIST, O, O}, {"nl", ATTRIBUTE_STRING, O, O}, {"csz", ATTRIBUTE_LIST, O, O},
	{NULL, ATTRIBUTE_ANY, NP, NP},
};
static const struct onem2m_attribute subscription[] = {
	{"cr", ATTRIBUTE_ANY, O, NP}, {"nu", ATTRIBUTE_LIST, M, O}, {"nct", ATTRIBUTE_UINT, O, O}, {"enc", ATTRIBUTE_OBJECT, O, O},
	{"exc", ATTRIBUTE_UINT, O, O}, {"su", ATTRIBUTE_STRING, O, NP}, {"pn", ATTRIBUTE_UINT, O, O}, {"nec", ATTRIBUTE_ANY, O, O},
	{"ln", ATTRIBUTE_BOOL, O, O}, {"nfu", ATTRIBUTE_STRING, O, NP}, {NULL, ATTRIBUTE_ANY, NP, NP},
};
static const struct onem2m_attribute flex_container[] = {
	{"cr", ATTRIBUTE_ANY, O, NP}, {"cnd", ATTRIBUTE_STRING, M, NP}, {"or", ATTRIBUTE_STRING, O, O}, {"cs", ATTRIBUTE_UINT, NP, NP},
	{"st", ATTRIBUTE_UINT, NP, NP}, {"nl", ATTRIBUTE_STRING, O, O}, {NULL, ATTRIBUTE_ANY, NP, NP},
};
static const struct onem2m_attribute cse_base[] = {{NULL, ATTRIBUTE_ANY, NP, NP}};

static const int base_children[] = {ONEM2M_ACP, ONEM2M_AE, ONEM2M_CONTAINER, ONEM2M_REMOTE_CSE, ONEM2M_SUBSCRIPTION, ONEM2M_FLEX_CONTAINER, 0};
static const int ae_children[] = {ONEM2M_ACP, ONEM2M_CONTAINER, ONEM2M_SUBSCRIPTION, ONEM2M_FLEX_CONTAINER, 0};
static const int container_children[] = {ONEM2M_CONTAINER, ONEM2M_CONTENT_INSTANCE, ONEM2M_SUBSCRIPTION, ONEM2M_FLEX_CONTAINER, 0};
static const int flex_children[] = {ONEM2M_CONTAINER, ONEM2M_SUBSCRIPTION, ONEM2M_FLEX_CONTAINER, 0};
static const int remote_children[] = {ONEM2M_ACP, ONEM2M_CONTAINER, ONEM2M_SUBSCRIPTION, ONEM2M_FLEX_CONTAINER, 0};
static const int subscription_only[] = {ONEM2M_SUBSCRIPTION, 0};
static const int none[] = {0};

static const struct onem2m_type_rules rules[] = {
	{ONEM2M_ACP, "m2m:acp", "acp", acp, subscription_only, true, false},
	{ONEM2M_AE, "m2m:ae", "ae", ae, ae_children, true, false},
	{ONEM2M_CONTAINER, "m2m:cnt", "cnt", container, container_children, true, false},
	{ONEM2M_CONTENT_INSTANCE, "m2m:cin", "cin", content_instance, none, false, false},
	{ONEM2M_CSE_BASE, "m2m:cb", "cb", cse_base, base_children, true, false},
	{ONEM2M_REMOTE_CSE, "m2m:csr", "csr", remote_cse, remote_children, true, false},
	{ONEM2M_SUBSCRIPTION, "m2m:sub", "sub", subscription, none, true, false},
	{ONEM2M_FLEX_CONTAINER, NULL, "fcnt", flex_container, flex_children, true, true},
};

const struct onem2m_type_rules *onem2m_rules(int type)
{
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
		if ((int)rules[i].type == type)
			return &rules[i];
	return NULL;
}

bool onem2m_root_is_custom(const char *root)
{
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
		if (rules[i].root && strcmp(rules[i].root, root) == 0)
			return false;
	return strchr(root, ':') != NULL;
}

bool onem2m_child_permitted(const struct onem2m_type_rules *parent, int child)
{
	for (const int *c = parent->children; *c; c++)
		if (*c == child)
			return true;
	return false;
}

static const struct onem2m_attribute *find(const struct onem2m_attribute *table, struct rd name)
{
	for (; table->name; table++)
		if (rd_is(name, table->name))
			return table;
	return NULL;
}

static bool kind_fits(enum attribute_kind kind, const struct json *v)
{
	uint64_t n;

	switch (kind) {
	case ATTRIBUTE_STRING:
		return v->type == JSON_STRING;
	case ATTRIBUTE_UINT:
		return json_uint(v, &n);
	case ATTRIBUTE_BOOL:
		return v->type == JSON_TRUE || v->type == JSON_FALSE;
	case ATTRIBUTE_LIST:
		return v->type == JSON_ARRAY;
	case ATTRIBUTE_OBJECT:
		return v->type == JSON_OBJECT;
	case ATTRIBUTE_ANY:
		return true;
	}
	return false;
}

static const char *const kind_names[] = {"a string", "a non-negative integer", "a boolean", "a list", "an object", "anything"};

/* A custom attribute's name must not be taken for a resource's, nor for the list of references to children (ch), where they stand side by side. */
static bool custom_name(struct rd name)
{
	return name.left > 0 && name.left < ATTRIBUTE_NAME_MAX && !memchr(name.at, ':', name.left) && !memchr(name.at, '\0', name.left) && !rd_is(name, "ch");
}

static bool member_fits(const struct onem2m_type_rules *r, const struct json *m, bool create, char *why, size_t size)
{
	const struct onem2m_attribute *a = find(common, m->key);

	if (!a)
		a = find(r->attributes, m->key);
	if (!a && r->custom && custom_name(m->key))
		return true;
	if (!a)
		snprintf(why, size, "there is no attribute `%.*s`", (int)m->key.left, (const char *)m->key.at);
	else if ((create ? a->create : a->update) == NP)
		snprintf(why, size, "`%s` may not be given in %s", a->name, create ? "a CREATE" : "an UPDATE");
	else if (!create && m->type == JSON_NULL && a->create == M)
		snprintf(why, size, "`%s` may not be taken away", a->name);
	else if (!(!create && m->type == JSON_NULL) && !kind_fits(a->kind, m))
		snprintf(why, size, "`%s` must be %s", a->name, kind_names[a->kind]);
	else
		return true;
	return false;
}

bool onem2m_check(const struct onem2m_type_rules *r, const struct json *resource, bool create, char *why, size_t size)
{
	for (const struct json *m = resource->first; m; m = m->next)
		if (!member_fits(r, m, create, why, size))
			return false;
	for (const struct onem2m_attribute *a = r->attributes; create && a->name; a++) {
		if (a->create == M && !json_get(resource, a->name)) {
			snprintf(why, size, "`%s` is missing", a->name);
			return false;
		}
	}
	return true;
}
