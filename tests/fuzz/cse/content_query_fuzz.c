/* A content filter and a content, with a line end between: a query that is refused says why; one that is not says the same twice, and joined
 * to itself, by OR where it has no AND, by AND where it has no OR. Queries on labels likewise. */
#include <string.h>

#include "cse/content_query.h"
#include "cse/labels_query.h"
#include "fuzz.h"

static bool has(struct rd query, const char *word)
{
	char text[FUZZ_INPUT_MAX + 1];

	return !rd_text(query, text, sizeof text) || strstr(text, word);
}

static const struct content_query *twice(struct json_arena *a, struct rd query, const char *joint)
{
	struct wr w = wr_new(3 * (size_t)FUZZ_INPUT_MAX);
	const struct content_query *q;
	const char *why;
	uint8_t *copy;

	wr_rd(&w, query);
	wr_str(&w, joint);
	wr_rd(&w, query);
	copy = json_arena_alloc(a, w.len);
	MUST(copy);
	memcpy(copy, w.octets, w.len);
	q = content_query_parse(a, rd_of(copy, w.len), &why);
	wr_free(&w);
	return q;
}

static void check_content(struct json_arena *a, struct rd query, struct rd text)
{
	const struct content_query *q, *again;
	const struct json *doc;
	const char *why = NULL;
	bool held;

	q = content_query_parse(a, query, &why);
	MUST((q == NULL) == (why != NULL));
	if (!q || json_parse(a, text, NULL, &doc) != OK)
		return;
	held = content_query_matches(q, doc);
	if (!has(query, "AND") && (again = twice(a, query, " OR ")) != NULL)
		MUST(content_query_matches(again, doc) == held);
	if (!has(query, "OR") && (again = twice(a, query, " AND ")) != NULL)
		MUST(content_query_matches(again, doc) == held);
	MUST(held == content_query_matches(q, doc));
}

static void check_labels(struct json_arena *a, struct rd query, struct rd text)
{
	const struct labels_query *q;
	const struct json *labels;
	const char *why = NULL;

	q = labels_query_parse(a, query, &why);
	MUST((q == NULL) == (why != NULL));
	if (!q || json_parse(a, text, NULL, &labels) != OK || labels->type != JSON_ARRAY)
		return;
	for (const struct json *l = labels->first; l; l = l->next)
		if (l->type != JSON_STRING)
			return;
	(void)labels_query_matches(q, labels);
	(void)labels_query_matches(q, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_arena *a = json_arena_new();
	struct rd in = rd_of(data, size), query;

	if (a && size <= FUZZ_INPUT_MAX && rd_line(&in, &query)) {
		check_content(a, query, in);
		check_labels(a, query, in);
	}
	json_arena_free(a);
	return 0;
}
