/* Semantic descriptors, discovery and queries, ontologies: TS-0004 clauses 7.4.34, 7.4.35, 7.4.47 and 7.4.48. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "harness.h"

static const char *base64(struct rig *g, const char *text)
{
	struct wr w = wr_new(1 << 20);
	const char *out;

	base64_print(&w, rd_str(text));
	out = rig_fmt(g, "%.*s", (int)w.len, (const char *)w.octets);
	wr_free(&w);
	return out;
}

static const char *lamp(struct rig *g, const char *name)
{
	char text[256];

	snprintf(text, sizeof text, "@prefix e: <http://e#> . <http://things#%s> a e:Lamp ; e:name \"%s\" .", name, name);
	return base64(g, text);
}

/* An AE with containers a and b, that are lamps. */
static struct rig *rig_with_lamps(void)
{
	struct rig *g = rig_new();

	rig_ae(g, "CAe", "ae", "");
	rig_ae(g, "COther", "other", "");
	for (const char *name = "ab"; *name; name++) {
		assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_CONTAINER, rig_fmt(g, "{'m2m:cnt':{'rn':'%c'}}", *name)), RSC_CREATED);
		assert_rsc(rig_create(g, "CAe", rig_fmt(g, "cse-in/ae/%c", *name), TY_SEMANTIC_DESCRIPTOR,
			       rig_fmt(g, "{'m2m:smd':{'rn':'smd','dcrp':5,'dsp':'%s'}}", lamp(g, *name == 'a' ? "north" : "south"))),
		    RSC_CREATED);
	}
	return g;
}

/* Percent-encodes a query. */
static const char *escaped(struct rig *g, const char *query)
{
	char out[4096];
	size_t n = 0;

	for (; *query && n < sizeof out - 4; query++)
		n += (size_t)snprintf(out + n, sizeof out - n, (*query >= 'a' && *query <= 'z') || (*query >= 'A' && *query <= 'Z') ? "%c" : "%%%02X", (unsigned char)*query);
	return rig_fmt(g, "%s", out);
}

static const struct answer *discover(struct rig *g, const char *from, const char *query, const char *more)
{
	return rig_retrieve(g, from, rig_fmt(g, "cse-in/ae?fu=1&smf=%s%s", escaped(g, query), more));
}

static const struct answer *query(struct rig *g, const char *from, const char *to, const char *sparql)
{
	return rig_retrieve(g, from, rig_fmt(g, "%s?sqi=true&rcn=10&smf=%s", to, escaped(g, sparql)));
}

/* The text of m2m:qres, parsed. */
static const struct json *result(struct rig *g, const struct answer *a)
{
	const struct json *doc;
	struct rd text;

	assert_rsc(a, RSC_OK);
	assert_true(json_string(json_get(a->doc, "m2m:qres"), &text));
	assert_int_equal(json_parse(g->arena, text, NULL, &doc), OK);
	return doc;
}

static const char names[] = "SELECT ?n WHERE { ?s <http://e#name> ?n } ORDER BY ?n";

static void discovers_what_is_described(void **state)
{
	struct rig *g = rig_with_lamps();

	(void)state;
	assert_value(discover(g, "CAe", "ASK { ?s a <http://e#Lamp> }", ""), "m2m:uril", "['cse-in/ae/a','cse-in/ae/b']");
	assert_value(discover(g, "CAe", "SELECT ?s { ?s <http://e#name> \"north\" }", ""), "m2m:uril", "['cse-in/ae/a']");
	assert_value(discover(g, "CAe", "SELECT ?s { ?s <http://e#name> \"north\" }", "&ty=24"), "m2m:uril", "['cse-in/ae/a/smd']");
	assert_value(discover(g, "CAe", "SELECT ?s { ?s <http://e#name> \"north\" }", "&ty=3&fo=2"), "m2m:uril", "['cse-in/ae/a','cse-in/ae/b']");
	assert_value(discover(g, "CAe", "SELECT ?s { ?s <http://e#name> \"north\" }", "&ty=4"), "m2m:uril", "[]");
	assert_rsc(discover(g, "CAe", "SELECT what", ""), RSC_INVALID_SPARQL_QUERY);
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae/a/smd"), RSC_DELETED);
	assert_value(discover(g, "CAe", "ASK { ?s a <http://e#Lamp> }", ""), "m2m:uril", "['cse-in/ae/b']");
	rig_free(g);
}

static void finds_a_resource_with_two_descriptors_once(void **state)
{
	struct rig *g = rig_with_lamps();

	(void)state;
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/a", TY_SEMANTIC_DESCRIPTOR, rig_fmt(g, "{'m2m:smd':{'dcrp':5,'dsp':'%s'}}", lamp(g, "south"))), RSC_CREATED);
	assert_value(discover(g, "CAe", "SELECT ?s { ?s <http://e#name> \"south\" }", ""), "m2m:uril", "['cse-in/ae/a','cse-in/ae/b']");
	assert_value(discover(g, "CAe", "SELECT ?s { ?s a <http://e#Lamp> }", ""), "m2m:uril", "['cse-in/ae/a','cse-in/ae/b']");
	rig_free(g);
}

static void uses_only_descriptors_that_may_be_retrieved(void **state)
{
	struct rig *g = rig_with_lamps();

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_ACP, "{'m2m:acp':{'rn':'open','pv':{'acr':[{'acor':['COther'],'acop':63}]},'pvs':{'acr':[{'acor':['CAdmin'],'acop':63}]}}}"), RSC_CREATED);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/a/smd", "{'m2m:smd':{'acpi':['cse-in/open']}}"), RSC_UPDATED);
	assert_json(result(g, query(g, "CAdmin", "cse-in/ae", names)), "results.bindings", "[{'n':{'type':'literal','value':'north'}},{'n':{'type':'literal','value':'south'}}]");
	assert_json(result(g, query(g, "CAe", "cse-in/ae", names)), "results.bindings", "[{'n':{'type':'literal','value':'south'}}]");
	assert_rsc(query(g, "COther", "cse-in/ae", names), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_json(result(g, query(g, "COther", "cse-in/ae/a/smd", names)), "results.bindings", "[{'n':{'type':'literal','value':'north'}}]");
	rig_free(g);
}

static void a_query_has_all_its_parts(void **state)
{
	struct rig *g = rig_with_lamps();

	(void)state;
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae?sqi=true"), RSC_BAD_REQUEST);
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae?rcn=10"), RSC_BAD_REQUEST);
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae?sqi=maybe"), RSC_BAD_REQUEST);
	assert_rsc(rig_retrieve(g, "CAe", rig_fmt(g, "cse-in/ae?sqi=true&smf=%s", escaped(g, names))), RSC_BAD_REQUEST);
	assert_rsc(rig_retrieve(g, "CAe", rig_fmt(g, "cse-in/ae?fu=1&sqi=true&rcn=10&smf=%s", escaped(g, names))), RSC_BAD_REQUEST);
	assert_rsc(rig_retrieve(g, "CAe", rig_fmt(g, "cse-in/ae?smf=%s", escaped(g, names))), RSC_OK);
	assert_rsc(rig_retrieve(g, "CAe", rig_fmt(g, "cse-in/ae?fu=1&smf=%s", escaped(g, names))), RSC_OK);
	assert_rsc(query(g, "CAe", "cse-in/ae", "SELECT ?n FROM <http://elsewhere/> { ?s ?p ?n }"), RSC_INVALID_SPARQL_QUERY);
	assert_json(result(g, query(g, "CAe", "cse-in/ae", "ASK { ?s a <http://e#Lamp> }")), "boolean", "true");
	rig_free(g);
}

static void costly_queries_end(void **state)
{
	struct rig *g = rig_with_lamps();

	(void)state;
	assert_rsc(query(g, "CAe", "cse-in/ae", "SELECT (COUNT(*) AS ?z) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n ?o . ?p ?q ?r . ?s ?t ?u . ?v ?w ?x . ?y ?ya ?yb . "
	                                      "?yc ?yd ?ye . ?yf ?yg ?yh . ?yi ?yj ?yk }"),
	    RSC_NOT_ACCEPTABLE);
	rig_free(g);
}

static void refuses_what_is_no_description(void **state)
{
	struct rig *g = rig_with_lamps();
	static const struct {
		const char *attributes;
		enum onem2m_rsc rsc;
	} list[] = {
		{"'dcrp':5,'dsp':'%%%'", RSC_BAD_REQUEST}, {"'dcrp':5,'dsp':'YQ=='", RSC_INVALID_SEMANTICS}, {"'dcrp':4,'dsp':'YQ=='", RSC_INVALID_SEMANTICS},
		{"'dcrp':7,'dsp':'YQ=='", RSC_INVALID_SEMANTICS}, {"'dcrp':1,'dsp':'YQ=='", RSC_BAD_REQUEST}, {"'dcrp':6,'dsp':'YQ=='", RSC_BAD_REQUEST},
		{"'dsp':'YQ=='", RSC_BAD_REQUEST}, {"'dcrp':5", RSC_BAD_REQUEST}, {"'dcrp':5,'dsp':'','soe':'x'", RSC_BAD_REQUEST},
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
		assert_rsc(rig_create(g, "CAe", "cse-in/ae/a", TY_SEMANTIC_DESCRIPTOR, rig_fmt(g, "{'m2m:smd':{%s}}", list[i].attributes)), list[i].rsc);
	rig_free(g);
}

static void changes_by_sparql_update(void **state)
{
	struct rig *g = rig_with_lamps();
	const struct answer *a;

	(void)state;
	a = rig_update(g, "CAe", "cse-in/ae/a/smd", rig_json(g, "{'m2m:smd':{'soe':'DELETE { ?s <http://e#name> ?n } INSERT { ?s <http://e#name> <x:west> } WHERE { ?s <http://e#name> ?n }'}}"));
	assert_rsc(a, RSC_UPDATED);
	assert_value(a, "m2m:smd.soe", NULL);
	assert_json(result(g, query(g, "CAe", "cse-in/ae/a", names)), "results.bindings", "[{'n':{'type':'uri','value':'x:west'}}]");
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/a/smd", "{'m2m:smd':{'soe':'what'}}"), RSC_INVALID_SPARQL_QUERY);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/a/smd", rig_fmt(g, "{'m2m:smd':{'soe':'CLEAR ALL','dsp':'%s'}}", lamp(g, "x"))), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/a/smd", "{'m2m:smd':{'soe':null}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/a/smd", "{'m2m:smd':{'dcrp':4}}"), RSC_INVALID_SEMANTICS);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/a/smd", "{'m2m:smd':{'lbl':['x']}}"), RSC_UPDATED);
	rig_free(g);
}

static void follows_related_descriptors(void **state)
{
	struct rig *g = rig_with_lamps();

	(void)state;
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/a/smd", "{'m2m:smd':{'rels':['cse-in/ae/b/smd']}}"), RSC_UPDATED);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/b/smd", "{'m2m:smd':{'rels':['cse-in/ae/a/smd']}}"), RSC_UPDATED);
	assert_value(discover(g, "CAe", "ASK { <http://things#north> a ?x . <http://things#south> a ?y }", ""), "m2m:uril", "['cse-in/ae/a','cse-in/ae/b']");
	assert_json(result(g, query(g, "CAe", "cse-in/ae/a/smd", names)), "results.bindings", "[{'n':{'type':'literal','value':'north'}},{'n':{'type':'literal','value':'south'}}]");
	rig_free(g);
}

static const char ontology[] = "@prefix o: <http://o#> . @prefix owl: <http://www.w3.org/2002/07/owl#> . o:Lamp a owl:Class . o:name a owl:DatatypeProperty .";

static void validates_against_an_ontology(void **state)
{
	struct rig *g = rig_with_lamps();
	const char *good = base64(g, "<x:l> a <http://o#Lamp> ; <http://o#name> \"x\" ."), *bad = base64(g, "<x:l> a <http://o#Boat> .");
	const struct answer *a;

	(void)state;
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_ONTOLOGY_REPOSITORY, "{'m2m:ontr':{'rn':'ontr'}}"), RSC_INVALID_CHILD_RESOURCE_TYPE);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_ONTOLOGY_REPOSITORY, "{'m2m:ontr':{'rn':'ontr'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/ontr", TY_ONTOLOGY, "{'m2m:ont':{'ontf':5,'ontc':'<x'}}"), RSC_INVALID_SEMANTICS);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/ontr", TY_ONTOLOGY, rig_fmt(g, "{'m2m:ont':{'rn':'o','ontf':5,'ontc':'%s'}}", ontology)), RSC_CREATED);
	a = rig_create(g, "CAdmin", "cse-in/ae/a", TY_SEMANTIC_DESCRIPTOR, rig_fmt(g, "{'m2m:smd':{'rn':'v','dcrp':5,'dsp':'%s','or':'cse-in/ontr/o','vlde':true}}", good));
	assert_rsc(a, RSC_CREATED);
	assert_value(a, "m2m:smd.svd", "true");
	assert_rsc(rig_update(g, "CAdmin", "cse-in/ae/a/v", rig_fmt(g, "{'m2m:smd':{'dsp':'%s'}}", bad)), RSC_INVALID_SEMANTICS);
	a = rig_update(g, "CAdmin", "cse-in/ae/a/v", rig_fmt(g, "{'m2m:smd':{'dsp':'%s','vlde':false}}", bad));
	assert_rsc(a, RSC_UPDATED);
	assert_value(a, "m2m:smd.svd", "false");
	assert_rsc(rig_update(g, "CAdmin", "cse-in/ae/a/v", "{'m2m:smd':{'vlde':true}}"), RSC_INVALID_SEMANTICS);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/ae/a/v", rig_fmt(g, "{'m2m:smd':{'dsp':'%s','or':'cse-in/none','vlde':true}}", good)), RSC_ONTOLOGY_NOT_AVAILABLE);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/ae/a/v", rig_fmt(g, "{'m2m:smd':{'dsp':'%s','rels':['cse-in/none'],'vlde':true}}", good)), RSC_LINKED_SEMANTICS_NOT_AVAILABLE);
	rig_free(g);
}

static void validates_without_storing(void **state)
{
	struct rig *g = rig_with_lamps();

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_ONTOLOGY_REPOSITORY, "{'m2m:ontr':{'rn':'ontr'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/ontr", TY_ONTOLOGY, rig_fmt(g, "{'m2m:ont':{'rn':'o','ontf':5,'ontc':'%s'}}", base64(g, ontology))), RSC_CREATED);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/ontr/smv", rig_fmt(g, "{'m2m:smd':{'dcrp':5,'dsp':'%s','or':'cse-in/ontr/o'}}", base64(g, "<x:l> a <http://o#Lamp> ."))), RSC_UPDATED);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/ontr/smv", rig_fmt(g, "{'m2m:smd':{'dcrp':5,'dsp':'%s','or':'cse-in/ontr/o'}}", base64(g, "<x:l> a <http://o#Boat> ."))), RSC_INVALID_SEMANTICS);
	assert_rsc(rig_update(g, "CAe", "cse-in/ontr/smv", "{'m2m:smd':{}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/ontr/smv", "{'m2m:smd':{}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_retrieve(g, "CAdmin", "cse-in/ontr/smv"), RSC_OPERATION_NOT_ALLOWED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/ontr", TY_ONTOLOGY, rig_fmt(g, "{'m2m:ont':{'rn':'smv','ontf':5,'ontc':'%s'}}", base64(g, ontology))), RSC_CONFLICT);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/ontr/o", "{'m2m:ont':{'soe':'INSERT DATA { <http://o#Boat> a <http://www.w3.org/2002/07/owl#Class> }'}}"), RSC_UPDATED);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/ontr/smv", rig_fmt(g, "{'m2m:smd':{'dcrp':5,'dsp':'%s','or':'cse-in/ontr/o'}}", base64(g, "<x:l> a <http://o#Boat> ."))), RSC_UPDATED);
	rig_free(g);
}

static void a_group_answers_for_its_members(void **state)
{
	struct rig *g = rig_with_lamps();
	const struct answer *a;

	(void)state;
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_GROUP, "{'m2m:grp':{'rn':'g','mnm':5,'mid':['cse-in/ae/a/smd','cse-in/ae/b']}}"), RSC_CREATED);
	assert_json(result(g, query(g, "CAe", "cse-in/ae/g/sfop", names)), "results.bindings", "[{'n':{'type':'literal','value':'north'}},{'n':{'type':'literal','value':'south'}}]");
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/g/sfop"), RSC_BAD_REQUEST);
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae/g/sfop"), RSC_OPERATION_NOT_ALLOWED);
	assert_rsc(query(g, "COther", "cse-in/ae/g/sfop", names), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	a = query(g, "CAe", "cse-in/ae/g/sfop", "SELECT ?n { ?s <http://e#none> ?n }");
	assert_json(result(g, a), "results.bindings", "[]");
	rig_free(g);
}

static void a_member_on_another_cse_is_asked(void **state)
{
	struct rig *g = rig_with_lamps();
	const struct answer *a;

	(void)state;
	assert_rsc(rig_create(g, "/id-mn", "cse-in", TY_REMOTE_CSE, "{'m2m:csr':{'rn':'mn','csi':'/id-mn','cb':'/id-mn/cse-mn','rr':true,'poa':['http://mn'],'srv':['4']}}"), RSC_CREATED);
	rig_network(g, "http://mn", RSC_NOT_FOUND);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_GROUP, "{'m2m:grp':{'rn':'g','mnm':5,'mid':['cse-in/ae/a/smd','/id-mn/cse-mn/far']}}"), RSC_CREATED);
	g->rule_count = 0;
	rig_hold(g, "http://mn");
	a = query(g, "CAe", "cse-in/ae/g/sfop", names);
	assert_false(a->come);
	rig_reply(g, g->sent_count - 1, RSC_OK, rig_fmt(g, "{'m2m:smd':{'dcrp':5,'dsp':'%s'}}", lamp(g, "far")));
	assert_json(result(g, a), "results.bindings", "[{'n':{'type':'literal','value':'far'}},{'n':{'type':'literal','value':'north'}}]");
	rig_free(g);
}

static void keeps_mashups(void **state)
{
	struct rig *g = rig_with_lamps();
	const struct answer *a;

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_SEMANTIC_MASHUP_JOB_PROFILE, "{'m2m:smjp':{'rn':'p','mbft':'SELECT','uptd':'YQ==','fucd':'YQ=='}}"), RSC_INVALID_SPARQL_QUERY);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_SEMANTIC_MASHUP_JOB_PROFILE, "{'m2m:smjp':{'rn':'p','mbft':'ASK { ?s ?p ?o }','uptd':'YQ==','fucd':'YQ=='}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/p", TY_SEMANTIC_MASHUP_INSTANCE, "{'m2m:smi':{'mjid':'cse-in/ae','jpin':'YQ==','mst':1,'rgt':1}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/p", TY_SEMANTIC_MASHUP_INSTANCE, "{'m2m:smi':{'mjid':'cse-in/p','jpin':'YQ==','mst':1,'rgt':1,'msm':{'msm':[{'muri':'cse-in/none'}]}}}"),
	    RSC_MASHUP_MEMBER_NOT_FOUND);
	a = rig_create(g, "CAdmin", "cse-in/p", TY_SEMANTIC_MASHUP_INSTANCE, "{'m2m:smi':{'rn':'i','mjid':'cse-in/p','jpin':'YQ==','mst':1,'rgt':1,'msm':{'msm':[{'muri':'cse-in/ae/a'}]}}}");
	assert_rsc(a, RSC_CREATED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/p"), "m2m:smjp.miid", rig_fmt(g, "['%s']", rig_ri(g, "cse-in/p/i")));
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/p/i"), RSC_DELETED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/p"), "m2m:smjp.miid", NULL);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(discovers_what_is_described),
		cmocka_unit_test(finds_a_resource_with_two_descriptors_once),
		cmocka_unit_test(uses_only_descriptors_that_may_be_retrieved),
		cmocka_unit_test(a_query_has_all_its_parts),
		cmocka_unit_test(costly_queries_end),
		cmocka_unit_test(refuses_what_is_no_description),
		cmocka_unit_test(changes_by_sparql_update),
		cmocka_unit_test(follows_related_descriptors),
		cmocka_unit_test(validates_against_an_ontology),
		cmocka_unit_test(validates_without_storing),
		cmocka_unit_test(a_group_answers_for_its_members),
		cmocka_unit_test(a_member_on_another_cse_is_asked),
		cmocka_unit_test(keeps_mashups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
