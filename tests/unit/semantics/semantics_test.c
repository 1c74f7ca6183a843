/* RDF in its three forms, and ontologies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "semantics/semantics.h"

static struct semantics *library;

static int set_up(void **state)
{
	(void)state;
	library = semantics_new();
	return library ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	semantics_free(library);
	return 0;
}

static struct graph *read_as(int format, const char *text)
{
	struct graph *g = graph_new();
	char why[256] = "";

	if (graph_parse(library, format, rd_str(text), g, why, sizeof why) != OK)
		fail_msg("%s", why);
	return g;
}

static void assert_refused(int format, const char *text, enum err expected)
{
	struct graph *g = graph_new();
	char why[256] = "";
	enum err e = graph_parse(library, format, rd_str(text), g, why, sizeof why);

	if (e != expected || why[0] == '\0')
		fail_msg("%s: %s, %s", text, err_name(e), why);
	graph_free(g);
}

/* Every triple of one is in the other, by a query that is the one as Turtle; only for graphs without blank nodes. */
static void assert_same(const struct graph *a, const struct graph *b)
{
	struct wr w = wr_new(1 << 20);
	struct sparql *q;
	struct rd turtle;
	char why[256] = "", *query;
	bool matches = false;

	assert_int_equal(graph_triples(a), graph_triples(b));
	assert_int_equal(graph_print(a, SEMANTICS_JSON_LD, &w), OK);
	wr_reset(&w);
	assert_int_equal(graph_print(a, SEMANTICS_TURTLE, &w), OK);
	assert_true(wr_done(&w, &turtle));
	query = calloc(1, turtle.left + 32);
	/* Raptor's Turtle has @prefix lines; without prefixes in use it is a list of triples */
	snprintf(query, turtle.left + 32, "ASK { %.*s }", (int)turtle.left, (const char *)turtle.at);
	for (char *at = strstr(query, "@prefix"); at; at = strstr(query, "@prefix"))
		memset(at, ' ', strcspn(at, "\n"));
	if (sparql_parse(SPARQL_QUERY, rd_str(query), &q, why, sizeof why) != OK)
		fail_msg("%s: %s", query, why);
	assert_int_equal(sparql_matches(q, b, &matches, why, sizeof why), OK);
	if (!matches)
		fail_msg("%s", query);
	sparql_free(q);
	free(query);
	wr_free(&w);
}

static const char xml[] =
    "<?xml version=\"1.0\"?><!DOCTYPE rdf:RDF [<!ENTITY e \"http://e/voc#\">]><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:e=\"http://e/voc#\">"
    "<rdf:Description rdf:about=\"http://e/things#lamp\"><rdf:type rdf:resource=\"&e;Lamp\"/><e:name xml:lang=\"en\">lamp</e:name>"
    "<e:power rdf:datatype=\"http://www.w3.org/2001/XMLSchema#integer\">40</e:power></rdf:Description></rdf:RDF>";
static const char turtle[] = "@prefix e: <http://e/voc#> . <http://e/things#lamp> a e:Lamp ; e:name \"lamp\"@en ; e:power 40 .";
static const char ntriples[] =
    "<http://e/things#lamp> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://e/voc#Lamp> .\n<http://e/things#lamp> <http://e/voc#name> \"lamp\"@en .\n"
    "<http://e/things#lamp> <http://e/voc#power> \"40\"^^<http://www.w3.org/2001/XMLSchema#integer> .\n";
static const char jsonld[] =
    "{\"@context\":{\"e\":\"http://e/voc#\",\"name\":{\"@id\":\"e:name\",\"@language\":\"en\"},\"power\":\"e:power\",\"@base\":\"http://e/things\"},"
    "\"@id\":\"#lamp\",\"@type\":\"e:Lamp\",\"name\":\"lamp\",\"power\":40,\"unknown\":\"left out\"}";

static void reads_the_same_from_all_formats(void **state)
{
	struct graph *x = read_as(SEMANTICS_RDF_XML, xml), *t = read_as(SEMANTICS_TURTLE, turtle), *n = read_as(SEMANTICS_TURTLE, ntriples), *j = read_as(SEMANTICS_JSON_LD, jsonld);

	(void)state;
	assert_int_equal(graph_triples(x), 3);
	assert_same(x, t);
	assert_same(t, n);
	assert_same(n, j);
	graph_free(x);
	graph_free(t);
	graph_free(n);
	graph_free(j);
}

static void prints_what_reads_back(void **state)
{
	static const int formats[] = {SEMANTICS_RDF_XML, SEMANTICS_TURTLE, SEMANTICS_JSON_LD};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct graph *g = read_as(SEMANTICS_TURTLE, turtle), *again;
		struct wr w = wr_new(1 << 20);

		assert_int_equal(graph_print(g, formats[i], &w), OK);
		wr_u8(&w, 0);
		again = read_as(formats[i], (const char *)w.octets);
		assert_same(g, again);
		wr_free(&w);
		graph_free(again);
		graph_free(g);
	}
}

static void keeps_blank_nodes_of_two_texts_apart(void **state)
{
	struct graph *g = read_as(SEMANTICS_TURTLE, "_:a <http://e#p> 1 ."), *more = read_as(SEMANTICS_TURTLE, "_:a <http://e#q> 2 .");
	struct sparql *q;
	char why[256];
	bool matches = true;

	(void)state;
	assert_int_equal(graph_merge(g, more), OK);
	assert_int_equal(graph_triples(g), 2);
	assert_int_equal(sparql_parse(SPARQL_QUERY, rd_str("ASK { ?a <http://e#p> ?x ; <http://e#q> ?y }"), &q, why, sizeof why), OK);
	assert_int_equal(sparql_matches(q, g, &matches, why, sizeof why), OK);
	assert_false(matches);
	sparql_free(q);
	graph_free(more);
	graph_free(g);
}

static void refuses_what_is_no_rdf(void **state)
{
	(void)state;
	assert_refused(SEMANTICS_RDF_XML, "<rdf", ERR_MALFORMED);
	assert_refused(SEMANTICS_RDF_XML, "not xml", ERR_MALFORMED);
	assert_refused(SEMANTICS_TURTLE, "<http://e#a> <http://e#b>", ERR_MALFORMED);
	assert_refused(SEMANTICS_TURTLE, "x:a x:b x:c .", ERR_MALFORMED);
	assert_refused(SEMANTICS_JSON_LD, "{", ERR_MALFORMED);
	assert_refused(SEMANTICS_JSON_LD, "3", ERR_MALFORMED);
	assert_refused(SEMANTICS_MANCHESTER, "Class: A", ERR_UNSUPPORTED);
	assert_refused(SEMANTICS_IRI, "http://e/", ERR_UNSUPPORTED);
}

static void loads_nothing(void **state)
{
	(void)state;
	assert_refused(SEMANTICS_JSON_LD, "{\"@context\":\"http://e/context\",\"@id\":\"http://e/a\"}", ERR_UNSUPPORTED);
	/* an external entity stays what it is: nothing, or an error, but never the file */
	{
		struct graph *g = graph_new();
		struct wr w = wr_new(1 << 20);
		char why[256];

		if (graph_parse(library, SEMANTICS_RDF_XML,
			rd_str("<!DOCTYPE r [<!ENTITY f SYSTEM \"file:///etc/passwd\">]><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:e=\"http://e#\">"
			       "<rdf:Description rdf:about=\"http://e#a\"><e:b>&f;</e:b></rdf:Description></rdf:RDF>"),
			g, why, sizeof why) == OK) {
			assert_int_equal(graph_print(g, SEMANTICS_TURTLE, &w), OK);
			wr_u8(&w, 0);
			assert_null(strstr((const char *)w.octets, "root:"));
		}
		wr_free(&w);
		graph_free(g);
	}
}

static void entities_that_multiply_are_refused(void **state)
{
	char text[4096] = "<!DOCTYPE r [<!ENTITY a0 \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\">";
	struct graph *g = graph_new();
	char why[256];

	(void)state;
	for (int i = 1; i < 12; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "<!ENTITY a%d \"&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;\">", i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	strcat(text, "]><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:e=\"http://e#\"><rdf:Description rdf:about=\"http://e#a\"><e:b>&a11;</e:b>"
		     "</rdf:Description></rdf:RDF>");
	assert_int_not_equal(graph_parse(library, SEMANTICS_RDF_XML, rd_str(text), g, why, sizeof why), OK);
	graph_free(g);
}

static void json_ld_in_its_variety(void **state)
{
	static const struct {
		const char *text, *query;
	} list[] = {
		{"[{\"@id\":\"http://e#a\",\"http://e#p\":[{\"@value\":\"x\",\"@language\":\"en\"},{\"@id\":\"http://e#b\"}]}]", "<http://e#a> <http://e#p> \"x\"@en , <http://e#b>"},
		{"{\"@context\":{\"@vocab\":\"http://e#\"},\"@graph\":[{\"@id\":\"http://e#a\",\"p\":true},{\"@id\":\"http://e#b\",\"p\":1.5}]}", "<http://e#a> <http://e#p> true . <http://e#b> <http://e#p> ?x FILTER(?x = 1.5)"},
		{"{\"@context\":{\"@vocab\":\"http://e#\",\"q\":{\"@type\":\"@id\"}},\"@id\":\"http://e#a\",\"q\":\"http://e#b\",\"r\":{\"s\":\"deep\"}}", "<http://e#a> <http://e#q> <http://e#b> ; <http://e#r> [ <http://e#s> \"deep\" ]"},
		{"{\"@context\":{\"@vocab\":\"http://e#\",\"l\":{\"@container\":\"@list\"}},\"@id\":\"http://e#a\",\"l\":[1,2]}", "<http://e#a> <http://e#l> (1 2)"},
		{"{\"@context\":{\"@vocab\":\"http://e#\",\"parts\":{\"@reverse\":\"http://e#of\"}},\"@id\":\"http://e#a\",\"parts\":{\"@id\":\"http://e#b\"}}", "<http://e#b> <http://e#of> <http://e#a>"},
		{"{\"@context\":[{\"e\":\"http://e#\"},{\"d\":{\"@id\":\"e:d\",\"@type\":\"http://www.w3.org/2001/XMLSchema#date\"},\"id\":\"@id\",\"type\":\"@type\"}],\"id\":\"e:a\",\"type\":[\"e:T\"],\"d\":\"2026-01-01\"}",
		 "<http://e#a> a <http://e#T> ; <http://e#d> \"2026-01-01\"^^<http://www.w3.org/2001/XMLSchema#date>"},
		{"{\"@context\":{\"@vocab\":\"http://e#\",\"x\":null},\"@id\":\"http://e#a\",\"x\":1,\"y\":{\"@set\":[1,null]}}", "<http://e#a> <http://e#y> 1 FILTER NOT EXISTS { ?s <http://e#x> ?o }"},
	};
	char query[1024], why[256];

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		struct graph *g = read_as(SEMANTICS_JSON_LD, list[i].text);
		struct sparql *q;
		bool matches = false;

		snprintf(query, sizeof query, "ASK { %s }", list[i].query);
		if (sparql_parse(SPARQL_QUERY, rd_str(query), &q, why, sizeof why) != OK)
			fail_msg("%s: %s", query, why);
		assert_int_equal(sparql_matches(q, g, &matches, why, sizeof why), OK);
		if (!matches)
			fail_msg("%s does not say %s", list[i].text, list[i].query);
		sparql_free(q);
		graph_free(g);
	}
}

/* The examples of RFC 3986 clause 5.4. */
static void resolves_references(void **state)
{
	static const char *const list[][2] = {{"g:h", "g:h"}, {"g", "http://a/b/c/g"}, {"./g", "http://a/b/c/g"}, {"g/", "http://a/b/c/g/"}, {"/g", "http://a/g"}, {"//g", "http://g"},
		{"?y", "http://a/b/c/d;p?y"}, {"g?y", "http://a/b/c/g?y"}, {"#s", "http://a/b/c/d;p?q#s"}, {"g#s", "http://a/b/c/g#s"}, {"", "http://a/b/c/d;p?q"},
		{".", "http://a/b/c/"}, {"..", "http://a/b/"}, {"../g", "http://a/b/g"}, {"../..", "http://a/"}, {"../../g", "http://a/g"}, {"../../../g", "http://a/g"},
		{"g.", "http://a/b/c/g."}, {"g;x=1/../y", "http://a/b/c/y"}, {"/./g", "http://a/g"}};
	char text[256], query[256], why[256];

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		struct graph *g;
		struct sparql *q;
		bool matches = false;

		snprintf(text, sizeof text, "@base <http://a/b/c/d;p?q> . <%s> a <x:T> .", list[i][0]);
		g = read_as(SEMANTICS_TURTLE, text);
		snprintf(query, sizeof query, "ASK { <%s> a <x:T> }", list[i][1]);
		assert_int_equal(sparql_parse(SPARQL_QUERY, rd_str(query), &q, why, sizeof why), OK);
		assert_int_equal(sparql_matches(q, g, &matches, why, sizeof why), OK);
		if (!matches)
			fail_msg("%s is not %s", list[i][0], list[i][1]);
		sparql_free(q);
		graph_free(g);
	}
}

static void checks_a_description_against_an_ontology(void **state)
{
	static const char ontology[] =
	    "@prefix o: <http://o#> . @prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
	    "o:Device a owl:Class . o:Lamp a owl:Class ; rdfs:subClassOf o:Device . o:Place a owl:Class ; owl:disjointWith o:Device .\n"
	    "o:in a owl:ObjectProperty . o:name a owl:DatatypeProperty .";
	static const struct {
		const char *text;
		bool conforms;
	} list[] = {
		{"<a:l> a <http://o#Lamp> ; <http://o#in> <a:h> ; <http://o#name> \"x\" .", true},
		{"<a:l> a <http://o#Lamp> ; <http://other#p> <a:h> .", true},
		{"<a:l> a <http://o#Boat> .", false},
		{"<a:l> <http://o#weight> 3 .", false},
		{"<a:l> <http://o#in> \"hall\" .", false},
		{"<a:l> <http://o#name> <a:h> .", false},
		{"<a:l> a <http://o#Lamp>, <http://o#Place> .", false},
		{"<a:l> a <http://o#Lamp>, <http://o#Device> .", true},
	};
	struct graph *o = read_as(SEMANTICS_TURTLE, ontology);
	char why[256];

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		struct graph *g = read_as(SEMANTICS_TURTLE, list[i].text);

		why[0] = '\0';
		if (graph_conforms(g, o, why, sizeof why) != list[i].conforms)
			fail_msg("%s: %s", list[i].text, why);
		graph_free(g);
	}
	graph_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_same_from_all_formats),
		cmocka_unit_test(prints_what_reads_back),
		cmocka_unit_test(keeps_blank_nodes_of_two_texts_apart),
		cmocka_unit_test(refuses_what_is_no_rdf),
		cmocka_unit_test(loads_nothing),
		cmocka_unit_test(entities_that_multiply_are_refused),
		cmocka_unit_test(json_ld_in_its_variety),
		cmocka_unit_test(resolves_references),
		cmocka_unit_test(checks_a_description_against_an_ontology),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
