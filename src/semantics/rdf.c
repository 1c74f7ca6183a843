/* graph_parse, and Raptor behind it for RDF/XML: from memory to triples. Its other readers and its writers are not used: they leak on what is
 * malformed (2.0.15, found by fuzzing). */
#include <raptor2/raptor2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "semantics/graph.h"

struct semantics {
	raptor_world *world;
	char error[200]; /* the first of the text being read */
};

struct reading {
	struct graph *g;
	raptor_parser *parser;
	bool full;
};

/* ---- the library's state ---- */

static void on_log(void *ctx, raptor_log_message *m)
{
	struct semantics *s = ctx;

	if (m->level < RAPTOR_LOG_LEVEL_ERROR || s->error[0] || !m->text)
		return;
	if (m->locator && m->locator->line > 0)
		snprintf(s->error, sizeof s->error, "line %d: %.150s", m->locator->line, m->text);
	else
		snprintf(s->error, sizeof s->error, "%.150s", m->text);
}

struct semantics *semantics_new(void)
{
	struct semantics *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->world = raptor_new_world();
	if (!s->world) {
		free(s);
		return NULL;
	}
	/* no HTTP client is set up: nothing could be fetched even if a text asked for it */
	raptor_world_set_flag(s->world, RAPTOR_WORLD_FLAG_WWW_SKIP_INIT_FINISH, 1);
	raptor_world_set_log_handler(s->world, s, on_log);
	if (raptor_world_open(s->world)) {
		semantics_free(s);
		return NULL;
	}
	return s;
}

void semantics_free(struct semantics *s)
{
	if (!s)
		return;
	raptor_free_world(s->world);
	free(s);
}

bool semantics_is_readable(int format)
{
	return format == SEMANTICS_RDF_XML || format == SEMANTICS_TURTLE || format == SEMANTICS_JSON_LD;
}

/* ---- reading ---- */

static struct rd text_of(const unsigned char *text, size_t n)
{
	return text ? rd_of(text, n) : rd_of("", 0);
}

static struct term from_raptor(const struct reading *r, const raptor_term *t, char *label, size_t size)
{
	struct term out = {.kind = TERM_NONE, .value = rd_of("", 0), .type = rd_of("", 0), .language = rd_of("", 0)};

	if (t->type == RAPTOR_TERM_TYPE_URI) {
		size_t n;
		const unsigned char *uri = raptor_uri_as_counted_string(t->value.uri, &n);

		out.kind = TERM_IRI;
		out.value = text_of(uri, n);
	} else if (t->type == RAPTOR_TERM_TYPE_BLANK) {
		if ((size_t)snprintf(label, size, "g%u_%s", r->g->sources, (const char *)t->value.blank.string) >= size)
			return out;
		out.kind = TERM_BLANK;
		out.value = rd_str(label);
	} else if (t->type == RAPTOR_TERM_TYPE_LITERAL) {
		out.kind = TERM_LITERAL;
		out.value = text_of(t->value.literal.string, t->value.literal.string_len);
		if (t->value.literal.datatype) {
			size_t n;
			const unsigned char *uri = raptor_uri_as_counted_string(t->value.literal.datatype, &n);

			if (!rd_is(text_of(uri, n), XSD_NS "string"))
				out.type = text_of(uri, n);
		}
		out.language = text_of(t->value.literal.language, t->value.literal.language ? t->value.literal.language_len : 0);
	}
	return out;
}

static void on_statement(void *ctx, raptor_statement *st)
{
	struct reading *r = ctx;
	char subject[240], object[240], none[4];
	struct term s, p, o;

	if (r->full)
		return;
	s = from_raptor(r, st->subject, subject, sizeof subject);
	p = from_raptor(r, st->predicate, none, sizeof none);
	o = from_raptor(r, st->object, object, sizeof object);
	if (s.kind != TERM_NONE && p.kind == TERM_IRI && o.kind != TERM_NONE && graph_add_terms(r->g, &s, &p, &o))
		return;
	r->full = true;
	raptor_parser_parse_abort(r->parser);
}

/* Nothing is ever loaded. */
static int refuse_uri(void *ctx, raptor_uri *uri)
{
	(void)ctx;
	(void)uri;
	return 1;
}

static enum err parse(struct semantics *s, struct rd text, struct graph *g)
{
	struct reading r = {.g = g};
	raptor_uri *base = raptor_new_uri(s->world, (const unsigned char *)"urn:keyway:");
	enum err e = ERR_NO_MEMORY;

	r.parser = raptor_new_parser(s->world, "rdfxml");
	if (r.parser && base) {
		raptor_parser_set_option(r.parser, RAPTOR_OPTION_NO_NET, NULL, 1);
		raptor_parser_set_option(r.parser, RAPTOR_OPTION_NO_FILE, NULL, 1);
		raptor_parser_set_option(r.parser, RAPTOR_OPTION_LOAD_EXTERNAL_ENTITIES, NULL, 0);
		raptor_parser_set_uri_filter(r.parser, refuse_uri, NULL);
		raptor_parser_set_statement_handler(r.parser, &r, on_statement);
		e = raptor_parser_parse_start(r.parser, base) || raptor_parser_parse_chunk(r.parser, text.at, text.left, 1) || s->error[0] ? ERR_MALFORMED : OK;
		if (r.full)
			e = ERR_TOO_LONG;
	}
	if (r.parser)
		raptor_free_parser(r.parser);
	if (base)
		raptor_free_uri(base);
	return e;
}

enum err graph_parse(struct semantics *s, int format, struct rd text, struct graph *g, char *why, size_t size)
{
	enum err e;

	s->error[0] = '\0';
	if (!semantics_is_readable(format)) {
		snprintf(why, size, "descriptions of this format cannot be read: use RDF/XML (4), Turtle (5) or JSON-LD (7)");
		return ERR_UNSUPPORTED;
	}
	if (text.left > SEMANTICS_TEXT_MAX) {
		snprintf(why, size, "a description has at most %d octets", SEMANTICS_TEXT_MAX);
		return ERR_TOO_LONG;
	}
	if (text.left > 0 && memchr(text.at, '\0', text.left)) {
		snprintf(why, size, "there is a zero octet in the description");
		return ERR_MALFORMED;
	}
	if (format == SEMANTICS_JSON_LD) {
		e = jsonld_parse(text, g, why, size);
	} else if (format == SEMANTICS_TURTLE) {
		e = turtle_parse(text, g, why, size);
	} else {
		e = parse(s, text, g);
		if (e != OK)
			snprintf(why, size, "the description is no RDF/XML: %s",
			    e == ERR_TOO_LONG ? "more triples or longer terms than a description may have" : s->error[0] ? s->error : "error");
	}
	g->sources++;
	return e;
}
