/* Descriptions: the first octet chooses the format. What is read prints as JSON-LD, and that reads back to as many triples; it conforms to itself as
 * an ontology or is told why not. */
#include "semantics/semantics.h"
#include "../fuzz.h"

static void again(struct semantics *s, const struct graph *g)
{
	struct wr w = wr_new(8 << 20);
	struct graph *second = graph_new();
	char why[256] = "";
	struct rd text;

	MUST(graph_print(g, SEMANTICS_JSON_LD, &w) == OK && wr_done(&w, &text));
	if (text.left <= SEMANTICS_TEXT_MAX) {
		MUST(graph_parse(s, SEMANTICS_JSON_LD, text, second, why, sizeof why) == OK);
		MUST(graph_triples(second) == graph_triples(g));
	}
	graph_free(second);
	wr_free(&w);
}

static void in_all_formats(const struct graph *g)
{
	for (int format = SEMANTICS_IRI; format <= SEMANTICS_JSON_LD; format++) {
		struct wr w = wr_new(8 << 20);
		enum err e = graph_print(g, format, &w);

		MUST(e == OK || e == ERR_UNSUPPORTED);
		wr_free(&w);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int formats[] = {SEMANTICS_RDF_XML, SEMANTICS_TURTLE, SEMANTICS_JSON_LD};
	static struct semantics *s;
	struct graph *g;
	char why[256] = "";

	if (size == 0 || size > 2 * FUZZ_INPUT_MAX)
		return 0;
	if (!s)
		s = semantics_new();
	MUST(s);
	g = graph_new();
	if (graph_parse(s, formats[data[0] % 3], rd_of(data + 1, size - 1), g, why, sizeof why) == OK) {
		again(s, g);
		in_all_formats(g);
		MUST(graph_conforms(g, g, why, sizeof why) || why[0]);
	} else {
		MUST(why[0]);
	}
	graph_free(g);
	return 0;
}
