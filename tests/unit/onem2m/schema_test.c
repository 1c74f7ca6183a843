/* The resource tables: every type is there, the tables keep their promises, and bodies are judged as schema_cases.c says. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "onem2m/schema.h"
#include "schema_cases.h"

/* TS-0004 table 6.3.4.2.1-1 with the short names of clause 8.2.4, and release 4. */
static const struct {
	int ty;
	const char *root;
	bool announced;
} expected[] = {
	{1, "m2m:acp", true}, {2, "m2m:ae", true}, {3, "m2m:cnt", true}, {4, "m2m:cin", true}, {5, "m2m:cb", true}, {6, "m2m:dlv", false},
	{7, "m2m:evcg", false}, {8, "m2m:exin", false}, {9, "m2m:grp", true}, {10, "m2m:lcp", true}, {11, "m2m:mssp", false}, {12, "m2m:mgc", false},
	{13, NULL, true}, {14, "m2m:nod", true}, {15, "m2m:pch", false}, {16, "m2m:csr", true}, {17, "m2m:req", false}, {18, "m2m:sch", true},
	{19, "m2m:asar", false}, {20, "m2m:svsn", false}, {21, "m2m:stcl", false}, {22, "m2m:stcg", false}, {23, "m2m:sub", false}, {24, "m2m:smd", true},
	{25, "m2m:ntpr", false}, {26, "m2m:ntp", false}, {27, "m2m:pdr", false}, {28, NULL, true}, {29, "m2m:ts", true}, {30, "m2m:tsi", true},
	{31, "m2m:rol", false}, {32, "m2m:tk", false}, {34, "m2m:dac", false}, {35, "m2m:auds", false}, {36, "m2m:aupy", false}, {37, "m2m:auif", false},
	{38, "m2m:ontr", true}, {39, "m2m:ont", true}, {40, "m2m:smjp", true}, {41, "m2m:smi", true}, {42, "m2m:smr", true}, {43, "m2m:alst", false},
	{44, "m2m:alpc", false}, {45, "m2m:lmg", false}, {46, "m2m:mms", true}, {47, "m2m:tgr", false}, {48, "m2m:crs", false}, {49, "m2m:bdt", false},
	{50, "m2m:tram", false}, {51, "m2m:trac", false}, {58, "m2m:fci", true}, {60, "m2m:tsb", true}, {62, "m2m:prp", true}, {63, "m2m:prmr", true},
	{64, "m2m:stte", true}, {65, "m2m:actr", true}, {66, "m2m:depr", true},
};

static const struct {
	int mgd;
	const char *root;
} expected_mgmt[] = {
	{1001, "m2m:fwr"}, {1002, "m2m:swr"}, {1003, "m2m:mem"}, {1004, "m2m:ani"}, {1005, "m2m:andi"}, {1006, "m2m:bat"}, {1007, "m2m:dvi"}, {1008, "m2m:dvc"},
	{1009, "m2m:rbo"}, {1010, "m2m:evl"}, {1011, "m2m:cmp"}, {1012, "m2m:acmp"}, {1013, "m2m:cmdf"}, {1014, "m2m:cmdv"}, {1015, "m2m:cmpv"}, {1016, "m2m:cml"},
	{1017, "m2m:cmnr"}, {1018, "m2m:cmwr"}, {1019, "m2m:cmbf"}, {1020, "dcfg:reg"}, {1021, "dcfg:datc"}, {1022, "dcfg:autp"}, {1023, "dcfg:nycfc"},
	{1024, "dcfg:tac"}, {1025, "dcfg:macrc"}, {1026, "dcfg:mecrc"}, {1028, "dcfg:wific"}, {1029, "dcfg:crds"}, {1030, "dcfg:sim"}, {1031, "dcfg:mnwk"},
};

static const struct schema_attribute *attr(const struct schema_type *t, const char *name)
{
	return schema_attribute(t, rd_str(name));
}

static void has_every_type_with_its_root_and_announced_variant(void **state)
{
	size_t plain = 0;

	(void)state;
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		const struct schema_type *t = schema_type(expected[i].ty), *a = schema_type(expected[i].ty + TY_ANNOUNCED);
		char root[32];

		assert_non_null(t);
		assert_int_equal(t->ty, expected[i].ty);
		assert_int_equal(t->announceable, expected[i].announced);
		assert_int_equal(a != NULL, expected[i].announced);
		if (!expected[i].root) {
			assert_null(t->root);
			assert_true(t->custom);
			continue;
		}
		assert_string_equal(t->root, expected[i].root);
		assert_ptr_equal(schema_by_root(rd_str(expected[i].root)), t);
		if (!a)
			continue;
		snprintf(root, sizeof root, "%sA", expected[i].root);
		assert_ptr_equal(schema_by_root(rd_str(root)), a);
		assert_int_equal(a->ty, expected[i].ty + TY_ANNOUNCED);
		assert_false(a->announceable);
	}
	for (const struct schema_type *const *t = schema_types(); *t; t++)
		plain += (*t)->ty < TY_ANNOUNCED && !(*t)->mgd && !(*t)->definition;
	assert_int_equal(plain, sizeof expected / sizeof *expected);
}

static void has_every_mgmt_specialisation(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof expected_mgmt / sizeof *expected_mgmt; i++) {
		const struct schema_type *t = schema_mgmt(expected_mgmt[i].mgd);

		assert_non_null(t);
		assert_int_equal(t->ty, TY_MGMT_OBJ);
		assert_int_equal(t->mgd, expected_mgmt[i].mgd);
		assert_string_equal(t->root, expected_mgmt[i].root);
		assert_ptr_equal(schema_mgmt_by_root(rd_str(expected_mgmt[i].root)), t);
		assert_non_null(attr(t, "dc"));
		assert_non_null(schema_child(t, TY_SUBSCRIPTION));
	}
	assert_int_equal(schema_type(TY_MGMT_OBJ)->mgd, 0);
}

static void finds_nothing_where_there_is_nothing(void **state)
{
	static const int none[] = {-1, 0, 33, 52, 57, 59, 61, 67, 100, 9999, 10000, 10006, 10033, 10067, 20001, INT_MAX, INT_MIN};

	(void)state;
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_null(schema_type(none[i]));
	assert_null(schema_by_root(rd_str("m2m:cn")));
	assert_null(schema_by_root(rd_str("m2m:cntt")));
	assert_null(schema_by_root(rd_of("m2m:cnt", 8))); /* the zero octet is part of it */
	assert_null(schema_by_root(rd_str("")));
	assert_null(schema_mgmt_by_root(rd_str("m2m:cnt")));
	assert_null(schema_mgmt(0));
	assert_null(schema_mgmt(1027));
	assert_null(schema_module_class(rd_str("org.onem2m.common.moduleclass.")));
	assert_null(schema_datatype("m2m:nothing"));
	assert_null(attr(schema_type(TY_CONTAINER), ""));
	assert_null(attr(schema_type(TY_CONTAINER), "mn"));
	assert_null(schema_attribute(schema_type(TY_CONTAINER), rd_of("mni", 4)));
	assert_null(schema_child(schema_type(TY_CONTAINER), 0));
	assert_null(schema_child(schema_type(TY_CONTAINER), TY_AE));
	assert_false(schema_is_attribute_name(rd_str("lim")));
	assert_false(schema_is_attribute_name(rd_str("")));
	assert_true(schema_is_attribute_name(rd_str("lbl")));
	assert_true(schema_is_attribute_name(rd_str("btl")));
	assert_true(schema_is_attribute_name(rd_str("lnk")));
}

static void check_attributes(const struct schema_type *t)
{
	static const char *const universal[] = {"ri", "pi", "ct", "lt", "ty"};

	for (size_t i = 0; i < t->attribute_count; i++) {
		const struct schema_attribute *a = &t->attributes[i];

		assert_true(i == 0 || strcmp(t->attributes[i - 1].name, a->name) < 0);
		assert_ptr_equal(attr(t, a->name), a);
		assert_true(schema_is_attribute_name(rd_str(a->name)));
		assert_true(strlen(a->long_name) > 0 && a->type);
		assert_true(a->create != SCHEMA_MANDATORY || a->mandatory_in_resource);
		assert_int_equal(a->null_on_create, strcmp(a->name, "cr") == 0);
		assert_true(t->ty < TY_ANNOUNCED || a->announce == SCHEMA_NA);
		assert_true(t->announceable || a->announce == SCHEMA_NA);
	}
	for (size_t i = 0; i < sizeof universal / sizeof *universal; i++) {
		const struct schema_attribute *a = attr(t, universal[i]);

		assert_non_null(a);
		assert_int_equal(a->create, SCHEMA_NP);
		assert_int_equal(a->update, SCHEMA_NP);
		assert_true(a->mandatory_in_resource);
	}
	assert_non_null(attr(t, "rn"));
	assert_int_equal(attr(t, "rn")->update, SCHEMA_NP);
	assert_int_equal(t->own_acpi, attr(t, "acpi") != NULL);
	assert_int_equal(t->ty >= TY_ANNOUNCED, attr(t, "lnk") != NULL);
	assert_true(t->ty == TY_CSE_BASE || !t->announceable || (attr(t, "at") && attr(t, "aa") && attr(t, "ast")));
}

static void check_children(const struct schema_type *t)
{
	for (size_t i = 0; i < t->child_count; i++) {
		const struct schema_child *c = &t->children[i];

		if (c->ty == 0) { /* virtual: la, ol, fopt, pcu ... */
			assert_non_null(c->fixed_name);
			assert_true(c->one);
			continue;
		}
		assert_non_null(schema_type(c->ty));
		assert_ptr_equal(schema_child(t, c->ty), c);
		assert_true(i == 0 || t->children[i - 1].ty <= c->ty);
	}
}

static void tables_are_sorted_unique_and_closed(void **state)
{
	const struct schema_type *last = NULL;

	(void)state;
	for (const struct schema_type *const *t = schema_types(); *t; last = *t++) {
		assert_true(!last || last->ty < (*t)->ty || (last->ty == (*t)->ty && (last->mgd < (*t)->mgd || (*t)->definition)));
		assert_ptr_equal((*t)->root ? schema_by_root(rd_str((*t)->root)) : *t, *t);
		assert_true(strlen((*t)->name) > 0 && strlen((*t)->sn) > 0);
		if ((*t)->definition && *(*t)->definition)
			assert_ptr_equal(schema_module_class(rd_str((*t)->definition)), *t);
		check_attributes(*t);
		check_children(*t);
	}
}

static void mark_reachable(const struct schema_type *t, bool *seen)
{
	seen[t->ty % TY_ANNOUNCED + (t->ty >= TY_ANNOUNCED ? 100 : 0)] = true;
	for (size_t i = 0; i < t->child_count; i++) {
		const struct schema_type *c = schema_type(t->children[i].ty);

		if (c && !seen[c->ty % TY_ANNOUNCED + (c->ty >= TY_ANNOUNCED ? 100 : 0)])
			mark_reachable(c, seen);
	}
}

static void every_type_can_be_reached_from_the_CSEBase(void **state)
{
	bool seen[200] = {false};

	(void)state;
	mark_reachable(schema_type(TY_CSE_BASE), seen);
	for (const struct schema_type *const *t = schema_types(); *t; t++)
		assert_true(seen[(*t)->ty % TY_ANNOUNCED + ((*t)->ty >= TY_ANNOUNCED ? 100 : 0)]);
}

static void the_list_for_srt_holds_each_number_once(void **state)
{
	int last = 0;

	(void)state;
	for (const struct schema_type *const *t = schema_types(); *t; t++) {
		if ((*t)->mgd || (*t)->definition)
			continue;
		assert_true((*t)->ty > last);
		last = (*t)->ty;
	}
	assert_int_equal(last, TY_ANNOUNCED + TY_DEPENDENCY);
}

static void check_datatype(const struct schema_datatype *d, unsigned depth)
{
	assert_true(depth < 20); /* no type contains itself */
	assert_non_null(d);
	switch (d->kind) {
	case SCHEMA_ENUM:
		assert_true(d->values && d->values[0] != INT_MIN);
		break;
	case SCHEMA_STRING_ENUM:
		assert_true(d->words && d->words[0]);
		break;
	case SCHEMA_LIST:
		check_datatype(d->item, depth + 1);
		break;
	case SCHEMA_OBJECT:
	case SCHEMA_GEO:
		assert_true(d->members && d->members[0].name);
		for (const struct schema_member *m = d->members; m->name; m++) {
			assert_true(m == d->members || strcmp(m[-1].name, m->name) < 0);
			check_datatype(m->type, depth + 1);
		}
		break;
	case SCHEMA_INTEGER:
		assert_true(d->min < d->max);
		break;
	case SCHEMA_ANY:
	case SCHEMA_STRING:
	case SCHEMA_TOKEN:
	case SCHEMA_NCNAME:
	case SCHEMA_URI:
	case SCHEMA_ID:
	case SCHEMA_RESOURCE_NAME:
	case SCHEMA_BOOL:
	case SCHEMA_FLOAT:
	case SCHEMA_TIMESTAMP:
	case SCHEMA_ABS_REL_TIMESTAMP:
	case SCHEMA_DURATION:
	case SCHEMA_SCHEDULE:
	case SCHEMA_BASE64:
	case SCHEMA_ANY_OBJECT:
	case SCHEMA_CONTENT_INFO:
	case SCHEMA_IPV4:
	case SCHEMA_IPV6:
		break;
	}
}

static void data_types_are_complete(void **state)
{
	static const char *const wanted[] = {
		"m2m:filterCriteria", "m2m:eventNotificationCriteria", "m2m:setOfAcrs", "m2m:accessControlRule", "m2m:contentInfo", "m2m:batchNotify", "m2m:rateLimit",
		"m2m:scheduleEntries", "m2m:metaInformation", "m2m:requestPrimitive", "m2m:responsePrimitive", "m2m:evalCriteria", "m2m:actionInput", "m2m:missingData",
		"m2m:responseTypeInfo", "m2m:memberType", "m2m:mgmtLinkRef", "m2m:geoCoordinates", "m2m:geoQuery", "m2m:notification", "m2m:operationMonitor",
		"m2m:locationRegion", "m2m:contentRef", "m2m:tokenPermissions", "m2m:securityInfo", "m2m:childResourceRef", "xs:duration",
	};

	(void)state;
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		assert_non_null(schema_datatype(wanted[i]));
		assert_string_equal(schema_datatype(wanted[i])->name, wanted[i]);
		check_datatype(schema_datatype(wanted[i]), 0);
	}
	for (const struct schema_type *const *t = schema_types(); *t; t++)
		for (size_t i = 0; i < (*t)->attribute_count; i++)
			check_datatype((*t)->attributes[i].type, 0);
}

static bool judge(const struct schema_type *t, bool create, const char *body, struct schema_fault *fault)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc;
	bool ok;

	assert_non_null(a);
	assert_int_equal(json_parse(a, rd_str(body), NULL, &doc), OK);
	memset(fault, 0x55, sizeof *fault);
	ok = create ? schema_check_create(t, doc, fault) : schema_check_update(t, doc, fault);
	json_arena_free(a);
	return ok;
}

static void judges_bodies_as_the_cases_say(void **state)
{
	(void)state;
	assert_true(schema_case_count >= 60);
	for (size_t i = 0; i < schema_case_count; i++) {
		const struct schema_case *c = &schema_cases[i];
		const struct schema_type *t = strchr(c->root, ':') ? schema_by_root(rd_str(c->root)) : schema_type(atoi(c->root));
		struct schema_fault fault;
		bool ok;

		assert_non_null(t);
		ok = judge(t, c->create, c->body, &fault);
		if (ok != !c->fault || (c->fault && strcmp(c->fault, fault.text) != 0))
			fail_msg("%s %s %s: %s", c->create ? "CREATE" : "UPDATE", c->root, c->body, ok ? "accepted" : fault.text);
		if (!ok)
			assert_int_equal(fault.rsc, RSC_BAD_REQUEST);
	}
}

/* Each attribute alone, with null: in no table does null slip through where it must not. */
static void null_is_judged_by_the_rules_in_every_type(void **state)
{
	(void)state;
	for (const struct schema_type *const *t = schema_types(); *t; t++)
		for (size_t i = 0; i < (*t)->attribute_count; i++) {
			const struct schema_attribute *a = &(*t)->attributes[i];
			struct schema_fault fault;
			char body[64], start[64];

			snprintf(body, sizeof body, "{\"%s\":null}", a->name);
			snprintf(start, sizeof start, "`%s`: ", a->name);
			assert_int_equal(judge(*t, false, body, &fault), a->update != SCHEMA_NP && !a->mandatory_in_resource);
			if (a->update == SCHEMA_NP || a->mandatory_in_resource)
				assert_int_equal(strncmp(fault.text, start, strlen(start)), 0);
			if (a->create == SCHEMA_NP || !a->null_on_create) {
				assert_false(judge(*t, true, body, &fault));
				assert_int_equal(strncmp(fault.text, start, strlen(start)), 0);
			}
		}
}

static void counts_the_mandatory_attributes_of_every_type(void **state)
{
	(void)state;
	for (const struct schema_type *const *t = schema_types(); *t; t++) {
		size_t on_create = 0, on_update = 0;

		for (size_t i = 0; i < (*t)->attribute_count; i++) {
			on_create += (*t)->attributes[i].create == SCHEMA_MANDATORY;
			on_update += (*t)->attributes[i].update == SCHEMA_MANDATORY;
		}
		assert_int_equal((*t)->mandatory_on_create, on_create);
		assert_int_equal((*t)->mandatory_on_update, on_update);
	}
}

/* A beginning of a name, or more than one, is another name. */
static void finds_no_attribute_by_a_part_of_its_name(void **state)
{
	(void)state;
	for (const struct schema_type *const *t = schema_types(); *t; t++)
		for (size_t i = 0; i < (*t)->attribute_count; i++) {
			const char *name = (*t)->attributes[i].name;
			size_t len = strlen(name);
			const struct schema_attribute *part;

			assert_ptr_equal(schema_attribute(*t, rd_of(name, len)), &(*t)->attributes[i]);
			assert_null(schema_attribute(*t, rd_of(name, len + 1))); /* with its zero */
			part = schema_attribute(*t, rd_of(name, len - 1));
			assert_true(!part || strlen(part->name) == len - 1);
		}
}

static void every_default_is_a_value_of_its_type(void **state)
{
	size_t defaults = 0;

	(void)state;
	for (const struct schema_type *const *t = schema_types(); *t; t++)
		for (size_t i = 0; i < (*t)->attribute_count; i++) {
			const struct schema_attribute *a = &(*t)->attributes[i];
			struct json_arena *arena = json_arena_new();
			struct schema_fault fault;
			const struct json *doc;

			assert_non_null(arena);
			if (a->fallback) {
				defaults++;
				assert_int_equal(json_parse(arena, rd_str(a->fallback), NULL, &doc), OK);
				assert_true(schema_check_value(a->type, doc, a->name, &fault));
			}
			json_arena_free(arena);
		}
	assert_true(defaults >= 15);
	assert_string_equal(attr(schema_type(TY_SUBSCRIPTION), "nct")->fallback, "1");
}

static void announces_what_the_standard_says(void **state)
{
	const struct schema_type *ae = schema_type(TY_AE), *cnt = schema_type(TY_CONTAINER);

	(void)state;
	assert_int_equal(attr(ae, "lbl")->announce, SCHEMA_MA);
	assert_int_equal(attr(ae, "apn")->announce, SCHEMA_OA);
	assert_int_equal(attr(ae, "mei")->announce, SCHEMA_NA);
	assert_int_equal(attr(cnt, "mni")->announce, SCHEMA_OA);
	assert_int_equal(attr(cnt, "cni")->announce, SCHEMA_NA);
	assert_int_equal(attr(schema_type(TY_CONTENT_INSTANCE), "con")->announce, SCHEMA_OA);
	assert_int_equal(attr(schema_type(TY_SUBSCRIPTION), "nu")->announce, SCHEMA_NA);
}

static void permits_children_as_the_standard_says(void **state)
{
	static const struct {
		int parent, child;
		bool permitted;
	} cases[] = {
		{5, 2, true}, {5, 3, true}, {5, 4, false}, {5, 10005, true}, {5, 16, true}, {5, 18, true}, {5, 23, true}, {5, 60, true}, {5, 65, true}, {5, 10003, false},
		{2, 3, true}, {2, 2, false}, {2, 15, true}, {2, 23, true}, {2, 24, true}, {2, 14, false}, {3, 4, true}, {3, 3, true}, {3, 23, true}, {3, 28, true},
		{3, 1, false}, {4, 24, true}, {4, 23, false}, {4, 4, false}, {23, 18, true}, {23, 23, false}, {28, 58, true}, {28, 4, false}, {29, 30, true}, {29, 4, false},
		{16, 15, true}, {16, 10002, true}, {16, 10003, true}, {14, 13, true}, {13, 23, true}, {12, 8, true}, {22, 7, true}, {26, 27, true}, {63, 64, true},
		{64, 65, true}, {65, 66, true}, {10005, 10002, true}, {10005, 10003, true}, {10005, 2, false}, {10002, 10003, true}, {10002, 3, true}, {10002, 23, true},
		{10002, 15, false}, {10003, 10004, true}, {10003, 4, true}, {10003, 10002, false}, {10028, 10028, true}, {9, 23, true}, {9, 9, false}, {15, 23, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if ((schema_child(schema_type(cases[i].parent), cases[i].child) != NULL) != cases[i].permitted)
			fail_msg("%d below %d", cases[i].child, cases[i].parent);
	assert_string_equal(schema_child(schema_type(TY_SUBSCRIPTION), TY_SCHEDULE)->fixed_name, "notificationSchedule");
	assert_true(schema_child(schema_type(TY_CSE_BASE), TY_SCHEDULE)->one);
	assert_false(schema_child(schema_type(TY_CSE_BASE), TY_AE)->one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_every_type_with_its_root_and_announced_variant),
		cmocka_unit_test(has_every_mgmt_specialisation),
		cmocka_unit_test(finds_nothing_where_there_is_nothing),
		cmocka_unit_test(tables_are_sorted_unique_and_closed),
		cmocka_unit_test(every_type_can_be_reached_from_the_CSEBase),
		cmocka_unit_test(the_list_for_srt_holds_each_number_once),
		cmocka_unit_test(data_types_are_complete),
		cmocka_unit_test(judges_bodies_as_the_cases_say),
		cmocka_unit_test(null_is_judged_by_the_rules_in_every_type),
		cmocka_unit_test(counts_the_mandatory_attributes_of_every_type),
		cmocka_unit_test(finds_no_attribute_by_a_part_of_its_name),
		cmocka_unit_test(every_default_is_a_value_of_its_type),
		cmocka_unit_test(announces_what_the_standard_says),
		cmocka_unit_test(permits_children_as_the_standard_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
