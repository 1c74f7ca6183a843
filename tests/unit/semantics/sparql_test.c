/* SPARQL 1.1 over small graphs: queries with the answers that the recommendation gives them, updates, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "json/json.h"
#include "semantics/semantics.h"

static const char data[] =
    "@prefix e: <http://e#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
    "e:lamp a e:Lamp ; e:name \"north lamp\" ; e:power 40 ; e:in e:hall ; e:made \"2026-02-03T04:05:06Z\"^^xsd:dateTime .\n"
    "e:pump a e:Pump ; e:name \"pump\"@en , \"Pumpe\"@de ; e:power 2.5 ; e:in e:cellar .\n"
    "e:fan a e:Fan ; e:name \"fan\" ; e:in e:hall ; e:list ( 1 2 ) ; e:part [ e:name \"blade\" ] .\n"
    "e:hall e:within e:house . e:cellar e:within e:house . e:house e:within e:town .\n"
    "e:Lamp e:sub e:Device . e:Fan e:sub e:Device .\n";

static struct graph *graph_of(const char *turtle)
{
	struct semantics *s = semantics_new();
	struct graph *g = graph_new();
	char why[256] = "";

	if (graph_parse(s, SEMANTICS_TURTLE, rd_str(turtle), g, why, sizeof why) != OK)
		fail_msg("%s", why);
	semantics_free(s);
	return g;
}

static struct sparql *parsed(enum sparql_kind kind, const char *text)
{
	char whole[4096], why[256] = "";
	struct sparql *q = NULL;

	snprintf(whole, sizeof whole, "PREFIX e: <http://e#> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> %s", text);
	if (sparql_parse(kind, rd_str(whole), &q, why, sizeof why) != OK)
		fail_msg("%s: %s", text, why);
	return q;
}

/* The values of the answer: columns joined by ',', rows by ';'; '-' for unbound. */
static const char *answer(const struct graph *g, const char *query)
{
	static char out[8192];
	struct sparql *q = parsed(SPARQL_QUERY, query);
	struct json_arena *arena = json_arena_new();
	struct wr w = wr_new(1 << 20), text = wr_of(out, sizeof out - 1);
	const struct json *doc, *vars;
	char why[256] = "";
	struct rd json;
	bool b;

	if (sparql_answer(q, g, &w, why, sizeof why) != OK)
		fail_msg("%s: %s", query, why);
	assert_true(wr_done(&w, &json));
	assert_int_equal(json_parse(arena, json, NULL, &doc), OK);
	vars = json_path(doc, "head.vars");
	if (json_bool(json_get(doc, "boolean"), &b)) {
		wr_str(&text, b ? "true" : "false");
	} else {
		const struct json *rows = json_path(doc, "results.bindings");

		for (const struct json *row = rows->first; row; row = row->next) {
			if (row != rows->first)
				wr_u8(&text, ';');
			for (const struct json *v = vars->first; v; v = v->next) {
				char name[64];
				struct rd value;

				assert_true(json_text(v, name, sizeof name));
				if (!json_string(json_get(json_get(row, name), "value"), &value))
					value = rd_str("-");
				if (rd_starts(value, "http://e#"))
					assert_true(rd_skip(&value, 9));
				if (v != vars->first)
					wr_u8(&text, ',');
				wr_rd(&text, value);
			}
		}
	}
	assert_false(text.spoilt);
	out[text.len] = '\0';
	wr_free(&w);
	json_arena_free(arena);
	sparql_free(q);
	return out;
}

struct question {
	const char *query, *answer;
};

static void ask_all(const struct question *list, size_t n)
{
	struct graph *g = graph_of(data);

	for (size_t i = 0; i < n; i++) {
		const char *got = answer(g, list[i].query);

		if (strcmp(got, list[i].answer) != 0)
			fail_msg("%s\n  expected %s\n  got      %s", list[i].query, list[i].answer, got);
	}
	graph_free(g);
}
#define ASK_ALL(list) ask_all(list, sizeof(list) / sizeof(list)[0])

static void patterns(void **state)
{
	static const struct question list[] = {
		{"SELECT ?n WHERE { ?s a e:Lamp ; e:name ?n }", "north lamp"},
		{"SELECT ?n WHERE { ?s a e:Boat . ?s e:name ?n }", ""},
		{"SELECT ?s WHERE { ?s e:power 40 }", "lamp"},
		{"SELECT ?s WHERE { ?s e:name \"pump\"@en }", "pump"},
		{"SELECT ?s WHERE { ?s e:name \"pump\" }", ""},
		{"SELECT ?s ?p WHERE { ?s a ?t OPTIONAL { ?s e:power ?p } } ORDER BY ?s", "fan,-;lamp,40;pump,2.5"},
		{"SELECT ?s WHERE { { ?s a e:Lamp } UNION { ?s a e:Pump } } ORDER BY ?s", "lamp;pump"},
		{"SELECT ?s WHERE { ?s e:in ?r MINUS { ?s a e:Fan } } ORDER BY ?s", "lamp;pump"},
		{"SELECT ?s WHERE { ?s e:in ?r FILTER NOT EXISTS { ?s e:power ?p } }", "fan"},
		{"SELECT ?s WHERE { ?s e:in ?r FILTER EXISTS { ?s e:power ?p } } ORDER BY ?s", "lamp;pump"},
		{"SELECT ?s ?x WHERE { ?s e:power ?p BIND(?p * 2 AS ?x) } ORDER BY ?x", "pump,5.0;lamp,80"},
		{"SELECT ?s WHERE { VALUES ?s { e:lamp e:boat e:fan } ?s a ?t } ORDER BY ?s", "fan;lamp"},
		{"SELECT ?s ?r WHERE { ?s e:in ?r } VALUES (?s ?r) { (e:lamp UNDEF) (e:fan e:cellar) }", "lamp,hall"},
		{"SELECT ?n WHERE { ?s e:part [ e:name ?n ] }", "blade"},
		{"SELECT ?s WHERE { ?s e:list (1 2) }", "fan"},
		{"SELECT ?s WHERE { ?s e:in ?r { SELECT ?r WHERE { ?x e:power ?p ; e:in ?r } ORDER BY DESC(?p) LIMIT 1 } } ORDER BY ?s", "fan;lamp"},
		{"SELECT ?a ?b WHERE { ?a e:in ?r . ?b e:in ?r FILTER(str(?a) < str(?b)) }", "fan,lamp"},
		{"SELECT ?x WHERE { ?x e:in ?x }", ""},
		{"SELECT ?s WHERE { ?s ?p ?o GRAPH ?g { ?s ?p ?o } }", ""},
		{"ASK { e:lamp a e:Lamp }", "true"},
		{"ASK { e:lamp a e:Pump }", "false"},
		{"SELECT * WHERE { e:lamp e:in ?r }", "hall"},
	};

	(void)state;
	ASK_ALL(list);
}

static void paths(void **state)
{
	static const struct question list[] = {
		{"SELECT ?s WHERE { ?s e:in/e:within e:house } ORDER BY ?s", "fan;lamp;pump"},
		{"SELECT ?t WHERE { e:lamp e:in/e:within* ?t } ORDER BY ?t", "hall;house;town"},
		{"SELECT ?t WHERE { e:lamp e:in/e:within+ ?t } ORDER BY ?t", "house;town"},
		{"SELECT ?t WHERE { e:hall e:within? ?t } ORDER BY ?t", "hall;house"},
		{"SELECT ?s WHERE { e:hall ^e:in ?s } ORDER BY ?s", "fan;lamp"},
		{"SELECT ?s WHERE { ?s a/e:sub* e:Device } ORDER BY ?s", "fan;lamp"},
		{"SELECT ?v WHERE { e:pump (e:in|e:power) ?v } ORDER BY ?v", "cellar;2.5"},
		{"SELECT ?v WHERE { e:pump !(e:in|e:power|e:name) ?v }", "Pump"},
		{"SELECT ?v WHERE { e:hall !^e:within ?v } ORDER BY ?v", "fan;lamp"},
		{"SELECT ?x WHERE { ?x e:within+ e:town } ORDER BY ?x", "cellar;hall;house"},
		{"SELECT (COUNT(*) AS ?n) WHERE { ?x e:within+ ?y }", "5"},
		{"ASK { e:lamp e:in/e:within/e:within e:town }", "true"},
	};

	(void)state;
	ASK_ALL(list);
}

static void expressions(void **state)
{
	static const struct question list[] = {
		{"SELECT ?s WHERE { ?s e:power ?p FILTER(?p > 3 && ?p <= 40) }", "lamp"},
		{"SELECT ?s WHERE { ?s e:name ?n FILTER(contains(?n, \"nor\")) }", "lamp"},
		{"SELECT ?s WHERE { ?s e:name ?n FILTER regex(?n, \"^PU.*E$\", \"i\") }", "pump"},
		{"SELECT ?n WHERE { ?s e:name ?n FILTER(lang(?n) = \"de\") }", "Pumpe"},
		{"SELECT ?n WHERE { ?s e:name ?n FILTER langMatches(lang(?n), \"EN\") }", "pump"},
		{"SELECT ?s WHERE { ?s e:power ?p FILTER(!bound(?q) && ?q > 3 || ?p = 40.0) }", "lamp"},
		{"SELECT ?s WHERE { ?s e:made ?d FILTER(?d < \"2026-02-03T05:05:06+00:30\"^^xsd:dateTime && year(?d) = 2026) }", "lamp"},
		{"SELECT (if(?p > 10, \"much\", \"little\") AS ?x) WHERE { ?s e:power ?p } ORDER BY ?x", "little;much"},
		{"SELECT (coalesce(?q, ?p + 1, 7) AS ?x) WHERE { e:lamp e:power ?p }", "41"},
		{"SELECT (concat(strbefore(?n, \" \"), \"/\", ucase(substr(?n, 7, 2)), strlen(?n)) AS ?x) WHERE { e:lamp e:name ?n }", "-"},
		{"SELECT (concat(strbefore(?n, \" \"), \"/\", ucase(substr(?n, 7, 2)), str(strlen(?n))) AS ?x) WHERE { e:lamp e:name ?n }", "north/LA10"},
		{"SELECT (replace(?n, \"[aeiou]\", \"_\") AS ?x) WHERE { e:lamp e:name ?n }", "n_rth l_mp"},
		{"SELECT (xsd:integer(\"12\") + 1 AS ?x) (7 / 2 AS ?y) (-3 * 2 AS ?z) WHERE {}", "13,3.5,-6"},
		{"SELECT (1 / 0 AS ?x) (abs(-2) AS ?y) (ceil(1.2) AS ?z) WHERE {}", "-,2,2.0"},
		{"SELECT ?s WHERE { ?s e:power ?p FILTER(?p IN (40, 50)) }", "lamp"},
		{"SELECT ?s WHERE { ?s e:power ?p FILTER(?p NOT IN (40, 50)) }", "pump"},
		{"SELECT ?o WHERE { e:lamp ?p ?o FILTER(isIRI(?o) && strends(str(?o), \"hall\")) }", "hall"},
		{"SELECT (datatype(?p) AS ?t) WHERE { e:pump e:power ?p }", "http://www.w3.org/2001/XMLSchema#decimal"},
		{"SELECT (encode_for_uri(\"a b/c\") AS ?x) (strlang(\"a\", \"en\") AS ?y) WHERE {}", "a%20b%2Fc,a"},
	};

	(void)state;
	ASK_ALL(list);
}

static void groups_and_order(void **state)
{
	static const struct question list[] = {
		{"SELECT ?r (COUNT(?s) AS ?n) WHERE { ?s e:in ?r } GROUP BY ?r ORDER BY DESC(?n)", "hall,2;cellar,1"},
		{"SELECT ?r WHERE { ?s e:in ?r } GROUP BY ?r HAVING (COUNT(?s) > 1)", "hall"},
		{"SELECT (SUM(?p) AS ?a) (MIN(?p) AS ?b) (MAX(?p) AS ?c) (AVG(?p) AS ?d) WHERE { ?s e:power ?p }", "42.5,2.5,40,21.25"},
		{"SELECT (COUNT(*) AS ?n) WHERE { ?s a e:Boat }", "0"},
		{"SELECT (COUNT(DISTINCT ?r) AS ?n) WHERE { ?s e:in ?r }", "2"},
		{"SELECT (GROUP_CONCAT(?n; SEPARATOR=\"|\") AS ?x) WHERE { SELECT ?n WHERE { ?s a e:Lamp ; e:name ?n } }", "north lamp"},
		{"SELECT DISTINCT ?r WHERE { ?s e:in ?r } ORDER BY ?r", "cellar;hall"},
		{"SELECT ?s WHERE { ?s e:in ?r } ORDER BY ?r DESC(?s) LIMIT 2", "pump;lamp"},
		{"SELECT ?s WHERE { ?s e:in ?r } ORDER BY ?s OFFSET 1 LIMIT 1", "lamp"},
		{"SELECT ?x (COUNT(*) AS ?n) WHERE { ?s e:name ?l } GROUP BY (strlen(?l) AS ?x) ORDER BY ?x", "3,1;4,1;5,2;10,1"},
	};

	(void)state;
	ASK_ALL(list);
}

static void refusals(void **state)
{
	static const struct {
		const char *query;
		enum err e;
	} list[] = {
		{"SELECT nothing sensible", ERR_MALFORMED}, {"what?", ERR_MALFORMED}, {"", ERR_MALFORMED}, {"SELECT ?s WHERE { ?s ?p }", ERR_MALFORMED},
		{"SELECT ?s WHERE { ?s ?p ?o", ERR_MALFORMED}, {"SELECT ?s WHERE { ?s x:y ?o }", ERR_MALFORMED}, {"SELECT ?s { ?s ?p ?o } LIMIT", ERR_MALFORMED},
		{"SELECT ?s FROM <http://e/> { ?s ?p ?o }", ERR_UNSUPPORTED}, {"SELECT ?s { SERVICE <http://e/> { ?s ?p ?o } }", ERR_UNSUPPORTED},
		{"CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }", ERR_UNSUPPORTED}, {"SELECT (now() AS ?t) {}", ERR_UNSUPPORTED},
		{"SELECT ?s { ?s ?p ?o FILTER(strlen(?s, 1)) }", ERR_MALFORMED}, {"SELECT ?s { ?s ?p ?o FILTER(count(?s) > 1) }", ERR_MALFORMED},
		{"SELECT ?s { ?s ?p \"a }", ERR_MALFORMED}, {"SELECT ?s { ?s ?p ?o } ; DROP ALL", ERR_MALFORMED}, {"INSERT DATA { <a:a> <a:b> 1 }", ERR_MALFORMED},
		{"SELECT ?s WHERE {{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{ ?s ?p ?o }}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}", ERR_TOO_LONG},
		{"SELECT ?s { FILTER(!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!?s) }", ERR_TOO_LONG},
	};
	char why[256];

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		struct sparql *q = NULL;
		enum err e;

		why[0] = '\0';
		e = sparql_parse(SPARQL_QUERY, rd_str(list[i].query), &q, why, sizeof why);
		if (e != list[i].e || why[0] == '\0')
			fail_msg("%s: %s (%s)", list[i].query, err_name(e), why);
	}
}

/* Every prefix of a good query is read or refused, from memory of exactly that size. */
static void prefixes_of_a_query(void **state)
{
	static const char query[] = "PREFIX e: <http://e#> SELECT ?r (COUNT(DISTINCT ?s) AS ?n) WHERE { ?s e:in/e:within* ?r ; e:name \"\\u0041\\n\"@en . OPTIONAL { ?s e:p -1.5e3 } "
				    "FILTER(regex(str(?s), \"a|b{2}\", \"i\") && NOT EXISTS { ?s a [] }) } GROUP BY ?r ORDER BY DESC(?n) LIMIT 3";
	char why[256];

	(void)state;
	for (size_t n = 0; n <= strlen(query); n++) {
		char *copy = malloc(n + 1);
		struct sparql *q = NULL;

		memcpy(copy, query, n);
		copy = realloc(copy, n ? n : 1);
		if (sparql_parse(SPARQL_QUERY, rd_of(copy, n), &q, why, sizeof why) == OK)
			sparql_free(q);
		else
			assert_true(n < strlen(query));
		free(copy);
	}
}

static void bounded_in_time(void **state)
{
	/* joins of everything with everything; texts that double; expressions that backtrack elsewhere */
	static const char *const queries[] = {
		"SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n2 ?o }",
		"SELECT ?a WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n2 ?o FILTER(?a = ?b && ?b != ?b) }",
		"SELECT ?z WHERE { ?s e:name ?a BIND(concat(?a,?a,?a,?a,?a,?a,?a,?a,?a,?a) AS ?b) BIND(concat(?b,?b,?b,?b,?b,?b,?b,?b,?b,?b) AS ?c) "
		"BIND(concat(?c,?c,?c,?c,?c,?c,?c,?c,?c,?c) AS ?d) BIND(concat(?d,?d,?d,?d,?d,?d,?d,?d,?d,?d) AS ?z) }",
	};
	struct graph *g = graph_of(data);
	char why[256];

	(void)state;
	for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
		struct sparql *q = parsed(SPARQL_QUERY, queries[i]);
		struct wr w = wr_new(1 << 20);

		assert_int_equal(sparql_answer(q, g, &w, why, sizeof why), ERR_TOO_LONG);
		wr_free(&w);
		sparql_free(q);
	}
	assert_string_equal(answer(g, "SELECT ?s WHERE { ?s e:name ?n FILTER(regex(concat(?n, \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"), \"(a+)+$\") && regex(?n, \"^(n|no)*r\")) }"), "lamp");
	graph_free(g);
}

static void updates(void **state)
{
	static const struct {
		const char *update, *query, *answer;
	} list[] = {
		{"INSERT DATA { e:lamp e:room \"hall\" }", "SELECT ?r { e:lamp e:room ?r }", "hall"},
		{"DELETE DATA { e:lamp e:power 40 }", "ASK { e:lamp e:power ?p }", "false"},
		{"DELETE WHERE { ?s e:in e:hall }", "SELECT ?s { ?s e:in ?r }", "pump"},
		{"DELETE { ?s e:power ?p } INSERT { ?s e:power ?q } WHERE { ?s e:power ?p BIND(?p + 1 AS ?q) }", "SELECT ?p { ?s e:power ?p } ORDER BY ?p", "3.5;41"},
		{"INSERT { ?s e:tag [ e:of ?s ] } WHERE { ?s e:in e:hall }", "SELECT (COUNT(DISTINCT ?t) AS ?n) { ?s e:tag ?t . ?t e:of ?s }", "2"},
		{"DELETE DATA { e:lamp e:in e:hall } ; INSERT DATA { e:lamp e:in e:cellar }", "SELECT ?s { ?s e:in e:cellar } ORDER BY ?s", "lamp;pump"},
		{"CLEAR ALL", "SELECT ?s { ?s ?p ?o }", ""},
		{"DROP DEFAULT ; INSERT DATA { e:a e:b e:c }", "SELECT ?s { ?s ?p ?o }", "a"},
		{"DELETE { ?s ?p ?o } WHERE { ?s ?p ?o FILTER(isLiteral(?o)) }", "ASK { ?s e:name ?n }", "false"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		struct graph *g = graph_of(data), *changed = NULL;
		struct sparql *q = parsed(SPARQL_UPDATE, list[i].update);
		char why[256] = "";
		const char *got;

		if (sparql_change(q, g, &changed, why, sizeof why) != OK)
			fail_msg("%s: %s", list[i].update, why);
		got = answer(changed, list[i].query);
		if (strcmp(got, list[i].answer) != 0)
			fail_msg("%s\n  expected %s\n  got      %s", list[i].update, list[i].answer, got);
		sparql_free(q);
		graph_free(changed);
		graph_free(g);
	}
}

static void refused_updates(void **state)
{
	static const char *const list[] = {"LOAD <http://e/>", "CLEAR GRAPH <http://e/>", "INSERT DATA { ?s <a:b> 1 }", "INSERT DATA { GRAPH <a:g> { <a:a> <a:b> 1 } }",
		"aValue", "", "SELECT ?s { ?s ?p ?o }", "DELETE { ?s <a:b>* ?o } WHERE { ?s ?p ?o }", "INSERT { ?s ?p ?o }"};
	char why[256];

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		struct sparql *q = NULL;

		if (sparql_parse(SPARQL_UPDATE, rd_str(list[i]), &q, why, sizeof why) == OK)
			fail_msg("%s was read", list[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns),
		cmocka_unit_test(paths),
		cmocka_unit_test(expressions),
		cmocka_unit_test(groups_and_order),
		cmocka_unit_test(refusals),
		cmocka_unit_test(prefixes_of_a_query),
		cmocka_unit_test(bounded_in_time),
		cmocka_unit_test(updates),
		cmocka_unit_test(refused_updates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
