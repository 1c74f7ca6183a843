/* Queries and updates over a small graph: each is refused with a sentence, or answered with JSON, within the limits; the first octet chooses. What
 * an update leaves can be asked again. */
#include <stdlib.h>

#include "json/json.h"
#include "semantics/semantics.h"
#include "../fuzz.h"

static const char turtle[] =
    "@prefix e: <http://e#> . e:a a e:T ; e:n \"x\", \"y\"@en, 3, 2.5, true ; e:in e:b ; e:l (1 2) . e:b e:in e:c . e:c e:in e:a ; e:at \"2026-01-01T00:00:00Z\"^^<http://www.w3.org/2001/XMLSchema#dateTime> .";

static void ask(const struct sparql *q, const struct graph *g)
{
	struct json_arena *arena = json_arena_new();
	struct wr w = wr_new(16 << 20);
	char why[256] = "";
	const struct json *doc;
	bool matches;
	struct rd text;
	enum err e = sparql_answer(q, g, &w, why, sizeof why);

	MUST(e == OK || (e == ERR_TOO_LONG && why[0]));
	if (e == OK)
		MUST(wr_done(&w, &text) && json_parse(arena, text, NULL, &doc) == OK);
	e = sparql_matches(q, g, &matches, why, sizeof why);
	MUST(e == OK || e == ERR_TOO_LONG);
	wr_free(&w);
	json_arena_free(arena);
}

static void change(const struct sparql *q, const struct graph *g)
{
	struct graph *changed = NULL;
	char why[256] = "";
	enum err e = sparql_change(q, g, &changed, why, sizeof why);

	MUST(e == OK || (e == ERR_TOO_LONG && why[0]));
	if (e == OK)
		MUST(graph_triples(changed) <= SEMANTICS_TRIPLES_MAX);
	graph_free(changed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct graph *g;
	struct sparql *q;
	char why[256] = "";
	bool update;
	enum err e;

	if (size == 0 || size > FUZZ_INPUT_MAX)
		return 0;
	if (!g) {
		struct semantics *s = semantics_new();

		g = graph_new();
		MUST(s && graph_parse(s, SEMANTICS_TURTLE, rd_str(turtle), g, why, sizeof why) == OK);
		semantics_free(s);
	}
	update = data[0] & 1;
	e = sparql_parse(update ? SPARQL_UPDATE : SPARQL_QUERY, rd_of(data + 1, size - 1), &q, why, sizeof why);
	if (e != OK) {
		MUST((e == ERR_MALFORMED || e == ERR_UNSUPPORTED || e == ERR_TOO_LONG) && why[0]);
		return 0;
	}
	if (update)
		change(q, g);
	else
		ask(q, g);
	sparql_free(q);
	return 0;
}
