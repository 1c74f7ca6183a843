/* Property paths: read, turned into patterns where that is the same, and followed where it is not. Clause 9 of the recommendation. */
#include <stdlib.h>

#include "semantics/sparql.h"

/* ---- reading ---- */

static struct path *path_new(struct parser *p, enum path_op op, struct path *a, struct path *b)
{
	struct path *n = parser_alloc(p, sizeof *n);

	*n = (struct path){.op = op, .a = a, .b = b};
	if (++p->patterns > SEMANTICS_PATTERNS_MAX)
		parser_fail(p, ERR_TOO_LONG, "the query has more than %d patterns", SEMANTICS_PATTERNS_MAX);
	return n;
}

static bool iri_or_a(struct parser *p, struct path **out)
{
	struct rd iri = rd_str(RDF_NS "type");

	if (p->token.kind == TOKEN_WORD && rd_is(p->token.text, "a"))
		parser_next(p);
	else if (!parser_iri(p, &iri))
		return false;
	*out = path_new(p, PATH_IRI, NULL, NULL);
	(*out)->iri = term_iri(iri);
	return p->error == OK;
}

/* !iri, !^iri, !(iri|^iri|...) */
static bool negated(struct parser *p, struct path **out)
{
	struct path **end = out, *one;
	bool many = parser_sign(p, "(");

	do {
		bool inverse = parser_sign(p, "^");

		if (!iri_or_a(p, &one))
			return false;
		*end = path_new(p, PATH_NOT, inverse ? path_new(p, PATH_INVERSE, one, NULL) : one, NULL);
		end = &(*end)->b;
	} while (many && parser_sign(p, "|"));
	return !many || parser_expect(p, ")");
}

static bool element(struct parser *p, struct path **out)
{
	bool inverse = parser_sign(p, "^"), ok;

	if (!parser_deeper(p))
		return false;
	if (parser_sign(p, "("))
		ok = parse_path(p, out) && parser_expect(p, ")");
	else if (parser_sign(p, "!"))
		ok = negated(p, out);
	else
		ok = iri_or_a(p, out);
	p->depth--;
	if (!ok)
		return false;
	if (parser_sign(p, "*"))
		*out = path_new(p, PATH_ANY, *out, NULL);
	else if (parser_sign(p, "+"))
		*out = path_new(p, PATH_SOME, *out, NULL);
	else if (parser_sign(p, "?"))
		*out = path_new(p, PATH_MAYBE, *out, NULL);
	if (inverse)
		*out = path_new(p, PATH_INVERSE, *out, NULL);
	return p->error == OK;
}

static bool sequence(struct parser *p, struct path **out)
{
	struct path *more;

	if (!element(p, out))
		return false;
	while (parser_sign(p, "/")) {
		if (!element(p, &more))
			return false;
		*out = path_new(p, PATH_SEQUENCE, *out, more);
	}
	return p->error == OK;
}

bool parse_path(struct parser *p, struct path **out)
{
	struct path *more;

	if (!sequence(p, out))
		return false;
	while (parser_sign(p, "|")) {
		if (!sequence(p, &more))
			return false;
		*out = path_new(p, PATH_ALTERNATIVE, *out, more);
	}
	if (p->in_template && (*out)->op != PATH_IRI)
		return parser_fail(p, ERR_MALFORMED, "a path cannot stand in what is inserted or deleted");
	return p->error == OK;
}

static bool alternative(struct parser *p, const struct slot *s, const struct path *path, const struct slot *o, struct pattern **out)
{
	struct pattern **end;

	*out = parser_pattern(p, PATTERN_GROUP);
	end = &(*out)->first;
	return path_to_patterns(p, s, path, o, &end);
}

bool path_to_patterns(struct parser *p, const struct slot *s, const struct path *path, const struct slot *o, struct pattern ***end)
{
	struct slot between;
	struct pattern *n;

	if (p->error != OK)
		return false;
	if (path->op == PATH_INVERSE)
		return path_to_patterns(p, o, path->a, s, end);
	if (path->op == PATH_SEQUENCE) {
		between = (struct slot){.var = parser_variable(p, rd_of("", 0))};
		return path_to_patterns(p, s, path->a, &between, end) && path_to_patterns(p, &between, path->b, o, end);
	}
	n = parser_pattern(p, path->op == PATH_IRI ? PATTERN_TRIPLE : path->op == PATH_ALTERNATIVE ? PATTERN_UNION : PATTERN_PATH);
	**end = n;
	*end = &n->next;
	if (path->op == PATH_ALTERNATIVE)
		return alternative(p, s, path->a, o, &n->first) && alternative(p, s, path->b, o, &n->first->next);
	n->s = *s;
	n->o = *o;
	n->p = (struct slot){.var = -1, .term = path->iri};
	n->path = parser_alloc(p, sizeof *n->path);
	*n->path = *path;
	return p->error == OK;
}

/* ---- following ---- */

/* Nodes that were reached, each once, in the order of their discovery. */
struct reached {
	uint32_t *ids;
	size_t count, room;
	uint32_t *slots;
	size_t slot_count;
};

static bool has_or_add(struct reached *n, uint32_t id, bool *had)
{
	size_t i, mask;

	if (n->count * 2 >= n->slot_count) {
		size_t slots = n->slot_count ? n->slot_count * 2 : 32;
		uint32_t *table = calloc(slots, sizeof *table), *ids = realloc(n->ids, slots * sizeof *ids);

		if (ids)
			n->ids = ids;
		if (!table || !ids) {
			free(table);
			return false;
		}
		free(n->slots);
		n->slots = table;
		n->slot_count = slots;
		for (size_t k = 0; k < n->count; k++) {
			for (i = n->ids[k] * 2654435761u & (slots - 1); table[i]; i = (i + 1) & (slots - 1))
				;
			table[i] = n->ids[k];
		}
	}
	mask = n->slot_count - 1;
	for (i = id * 2654435761u & mask; n->slots[i] && n->slots[i] != id; i = (i + 1) & mask)
		;
	*had = n->slots[i] == id;
	if (!*had) {
		n->slots[i] = id;
		n->ids[n->count++] = id;
	}
	return true;
}

static void reach(struct run *r, struct reached *n, uint32_t id)
{
	bool had;

	if (!has_or_add(n, id, &had))
		run_fail(r, ERR_NO_MEMORY);
}

static void reached_free(struct reached *n)
{
	free(n->ids);
	free(n->slots);
}

static void from(struct run *r, const struct path *path, uint32_t node, bool back, struct reached *out);

/* Neighbours by predicates that are not (or are) named. */
static void by_predicate(struct run *r, uint32_t node, uint32_t predicate, const struct path *except, bool back, struct reached *out)
{
	for (uint32_t at = graph_next(r->g, 0, back ? 0 : node, predicate, back ? node : 0, &r->steps); at && r->error == OK;
	     at = graph_next(r->g, at, back ? 0 : node, predicate, back ? node : 0, &r->steps)) {
		const struct triple *t = &r->g->triples[at - 1];
		bool named = false;

		for (const struct path *x = except; x && !named; x = x->b)
			named = x->a->op == PATH_IRI && term_equal(&x->a->iri, graph_term(r->g, t->p));
		if (!named)
			reach(r, out, back ? t->s : t->o);
		if (!run_step(r, 1))
			return;
	}
}

static void negated_from(struct run *r, const struct path *path, uint32_t node, bool back, struct reached *out)
{
	struct path *inverse = NULL;
	bool forward = false;
	struct path list[64];
	size_t n = 0;

	for (const struct path *x = path; x; x = x->b) {
		if (x->a->op == PATH_IRI) {
			forward = true;
		} else if (n < 64) {
			list[n] = (struct path){.op = PATH_NOT, .a = x->a->a, .b = inverse};
			inverse = &list[n++];
		}
	}
	if (forward)
		by_predicate(r, node, 0, path, back, out);
	if (inverse)
		by_predicate(r, node, 0, inverse, !back, out);
}

static void closure(struct run *r, const struct path *path, bool back, struct reached *out)
{
	/* out grows while it is gone through */
	for (size_t i = 0; i < out->count && r->error == OK; i++)
		from(r, path, out->ids[i], back, out);
}

static void from(struct run *r, const struct path *path, uint32_t node, bool back, struct reached *out)
{
	struct reached between = {0};
	uint32_t id;

	if (!run_step(r, 1))
		return;
	switch (path->op) {
	case PATH_IRI:
		id = graph_find(r->g, &path->iri);
		if (id)
			by_predicate(r, node, id, NULL, back, out);
		break;
	case PATH_INVERSE:
		from(r, path->a, node, !back, out);
		break;
	case PATH_SEQUENCE:
		from(r, back ? path->b : path->a, node, back, &between);
		for (size_t i = 0; i < between.count && r->error == OK; i++)
			from(r, back ? path->a : path->b, between.ids[i], back, out);
		break;
	case PATH_ALTERNATIVE:
		from(r, path->a, node, back, out);
		from(r, path->b, node, back, out);
		break;
	case PATH_ANY:
	case PATH_SOME:
		if (path->op == PATH_ANY)
			reach(r, &between, node);
		else
			from(r, path->a, node, back, &between);
		closure(r, path->a, back, &between);
		for (size_t i = 0; i < between.count && r->error == OK; i++)
			reach(r, out, between.ids[i]);
		break;
	case PATH_MAYBE:
		reach(r, out, node);
		from(r, path->a, node, back, out);
		break;
	case PATH_NOT:
		negated_from(r, path, node, back, out);
		break;
	}
	reached_free(&between);
}

static bool one_end(struct run *r, const struct path *path, uint32_t s, uint32_t o, bool (*fn)(void *ctx, uint32_t s, uint32_t o), void *ctx)
{
	struct reached out = {0};
	bool back = s == 0, go_on = true;

	from(r, path, back ? o : s, back, &out);
	for (size_t i = 0; i < out.count && r->error == OK && go_on; i++)
		if (back || o == 0 || out.ids[i] == o)
			go_on = fn(ctx, back ? out.ids[i] : s, back ? o : out.ids[i]);
	reached_free(&out);
	return go_on && r->error == OK;
}

void path_pairs(struct run *r, const struct path *path, uint32_t s, uint32_t o, bool (*fn)(void *ctx, uint32_t s, uint32_t o), void *ctx)
{
	if (s || o) {
		one_end(r, path, s, o, fn, ctx);
		return;
	}
	for (uint32_t id = 1; id <= r->g->term_count; id++) {
		const struct term_place *t = &r->g->terms[id - 1];

		if ((t->first_s || t->first_o) && !one_end(r, path, id, 0, fn, ctx))
			return;
	}
}
