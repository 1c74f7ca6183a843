/* A query as it was read. Inside of this folder.
 *
 * Sequences, inverses and alternatives of property paths become patterns when they are read; only paths of any length stay paths. Blank nodes of a
 * query are variables without a name. */
#ifndef KEYWAY_SEMANTICS_SPARQL_H
#define KEYWAY_SEMANTICS_SPARQL_H

#include "semantics/graph.h"

/* A constant, or the variable of that number. */
struct slot {
	int var; /* -1: constant */
	struct term term;
};

enum expr_op {
	EXPR_CONSTANT, EXPR_VARIABLE, EXPR_OR, EXPR_AND, EXPR_NOT, EXPR_EQ, EXPR_NE, EXPR_LT, EXPR_GT, EXPR_LE, EXPR_GE, EXPR_IN, EXPR_NOT_IN,
	EXPR_ADD, EXPR_SUB, EXPR_MUL, EXPR_DIV, EXPR_MINUS, EXPR_EXISTS, EXPR_NOT_EXISTS, EXPR_BOUND, EXPR_IF, EXPR_COALESCE, EXPR_CALL, EXPR_CAST,
	EXPR_AGGREGATE,
};
enum aggregate { AGGREGATE_COUNT, AGGREGATE_SUM, AGGREGATE_MIN, AGGREGATE_MAX, AGGREGATE_AVG, AGGREGATE_SAMPLE, AGGREGATE_GROUP_CONCAT };

struct pattern;
struct expr {
	enum expr_op op;
	struct expr *next;            /* as an argument */
	struct expr *first;           /* arguments */
	unsigned count;
	struct slot slot;             /* CONSTANT, VARIABLE, BOUND; of a CAST the datatype */
	int function;                 /* of a CALL: an index of sparql_function.c; of an AGGREGATE: enum aggregate */
	bool distinct, star;          /* of an AGGREGATE */
	struct rd separator;
	const struct pattern *group;  /* of EXISTS */
};

enum path_op { PATH_IRI, PATH_INVERSE, PATH_SEQUENCE, PATH_ALTERNATIVE, PATH_ANY /* * */, PATH_SOME /* + */, PATH_MAYBE /* ? */, PATH_NOT };
struct path {
	enum path_op op;
	struct term iri;
	struct path *a, *b;           /* of NOT: a list of IRI and INVERSE by b */
};

enum pattern_kind { PATTERN_TRIPLE, PATTERN_PATH, PATTERN_GROUP, PATTERN_OPTIONAL, PATTERN_UNION, PATTERN_MINUS, PATTERN_FILTER, PATTERN_BIND, PATTERN_VALUES,
	PATTERN_SELECT, PATTERN_NOTHING /* of a named graph, of which there are none */ };

struct values {
	int *vars;
	size_t width, count;
	struct term *cells;           /* count * width; TERM_NONE: UNDEF */
};

struct select_item {
	struct select_item *next;
	int var;
	struct expr *expr;            /* NULL: the variable itself */
};
struct order {
	struct order *next;
	struct expr *expr;
	bool descending;
};
struct select {
	bool distinct, aggregated;
	struct select_item *items;
	size_t item_count;
	const struct pattern *where;
	struct select_item *groups;   /* GROUP BY: var -1 or that of its AS */
	struct expr *having;          /* a list */
	struct order *orders;
	uint64_t limit, offset;       /* limit UINT64_MAX: none */
};

struct pattern {
	enum pattern_kind kind;
	struct pattern *next;         /* in its group; filters come last */
	struct pattern *first;        /* what it contains */
	struct slot s, p, o;
	struct path *path;
	struct expr *expr;
	int var;
	struct values *values;
	struct select *select;
	unsigned number;              /* of a SELECT among those of the query */
};

struct change {
	struct change *next;
	bool clear;
	struct pattern *deleted, *inserted; /* templates: lists of PATTERN_TRIPLE */
	const struct pattern *where;  /* NULL: once */
};

struct sparql {
	struct json_arena *arena;
	enum sparql_kind kind;
	bool ask;
	struct select *select;        /* of a query; ASK: only its where */
	struct change *changes;
	struct rd names[SEMANTICS_VARIABLES_MAX]; /* empty: of a blank node, or a path's */
	int variable_count;
	unsigned select_count;        /* subqueries */
};

/* ---- tokens (sparql_lex.c) ---- */
enum token_kind { TOKEN_END, TOKEN_BAD, TOKEN_IRI, TOKEN_NAME /* prefix:local */, TOKEN_BLANK, TOKEN_VARIABLE, TOKEN_STRING, TOKEN_LANGUAGE, TOKEN_INTEGER, TOKEN_DECIMAL,
	TOKEN_DOUBLE, TOKEN_WORD, TOKEN_SIGN };
struct token {
	enum token_kind kind;
	struct rd text;               /* without its marks; a string's escapes are resolved */
	struct rd source;
};
struct token sparql_token(struct rd *text, struct json_arena *arena);

/* ---- reading (sparql_parser.c) ---- */
struct prefix {
	struct prefix *next;
	struct rd name, iri;
};
struct parser {
	struct sparql *q;
	struct json_arena *arena;
	struct rd text;
	struct token token;           /* the next */
	struct prefix *prefixes;
	struct rd base;
	unsigned depth, patterns;
	bool in_template;             /* of an update: variables, but no paths */
	bool aggregates;              /* may stand here */
	bool aggregated;              /* stood in the SELECT being read */
	enum err error;
	char *why;
	size_t size;
};
bool parser_fail(struct parser *p, enum err e, const char *fmt, ...) PRINTF_LIKE(3, 4); /* false */
bool parser_unexpected(struct parser *p, const char *wanted); /* false */
void parser_next(struct parser *p);
bool parser_is_sign(const struct parser *p, const char *sign);
bool parser_is_word(const struct parser *p, const char *word);
bool parser_sign(struct parser *p, const char *sign);   /* takes it if it is next */
bool parser_word(struct parser *p, const char *word);
bool parser_expect(struct parser *p, const char *sign); /* fails otherwise */
bool parser_deeper(struct parser *p);                   /* with p->depth-- at the end */
void *parser_alloc(struct parser *p, size_t size);      /* never NULL */
struct rd parser_joined(struct parser *p, struct rd a, struct rd b);
int parser_variable(struct parser *p, struct rd name);  /* empty: a new one */
bool parser_base(struct parser *p);                     /* from the word BASE on */
bool parser_prefix(struct parser *p);
bool parser_iri(struct parser *p, struct rd *iri);      /* an IRI or a prefixed name */
bool parser_term(struct parser *p, struct slot *slot);  /* a variable, IRI, literal, blank node's label */
bool parser_is_term(const struct parser *p);
struct pattern *parser_pattern(struct parser *p, enum pattern_kind kind);

bool parse_group(struct parser *p, struct pattern **group);        /* sparql_group.c */
bool parse_triples(struct parser *p, struct pattern ***end);       /* sparql_triples.c: a subject and what follows, up to '.' or the end */
bool parse_path(struct parser *p, struct path **path);             /* sparql_path.c, to its evaluation */
bool path_to_patterns(struct parser *p, const struct slot *s, const struct path *path, const struct slot *o, struct pattern ***end);
bool parse_expression(struct parser *p, struct expr **e);          /* sparql_expr_parse.c */
bool parse_constraint(struct parser *p, struct expr **e);          /* FILTER's: in parentheses, or a call */
bool parse_select(struct parser *p, struct select **s);            /* sparql_parse.c */
bool parse_values(struct parser *p, struct values **v);
bool parse_where(struct parser *p, const struct pattern **group);
bool parse_update(struct parser *p);                               /* sparql_update.c */

/* ---- evaluation (sparql_eval.c) ---- */
struct rows {
	uint32_t *cells;              /* count * width */
	size_t count, room, width;
};
struct run {
	const struct sparql *q;
	const struct graph *g;
	struct graph *made;           /* terms that the query makes: their numbers begin behind those of g */
	struct json_arena *arena;
	size_t octets;                /* made in the arena */
	uint64_t steps;
	uint32_t values[SEMANTICS_VARIABLES_MAX]; /* 0: unbound */
	bool halt;                    /* what is being looked for was found */
	enum err error;               /* ends everything */
	bool (*solution)(struct run *r, void *ctx); /* false: enough */
	void *ctx;
	struct rows *subs;            /* of the subqueries, as far as they were needed */
	bool *sub_done;
	struct rows *group;           /* the rows that an aggregate is about; its columns are all variables */
	unsigned depth;
};
bool run_begin(struct run *r, const struct sparql *q, const struct graph *g);
void run_end(struct run *r);
bool run_fail(struct run *r, enum err e); /* false */
bool run_step(struct run *r, uint64_t n); /* false when there are none left */
uint32_t run_intern(struct run *r, const struct term *t); /* 0: run->error */
const struct term *run_term(const struct run *r, uint32_t id);
uint8_t *run_room(struct run *r, size_t n);               /* NULL: run->error */
uint32_t run_slot(struct run *r, const struct slot *s);   /* 0: an unbound variable, or an error */
void run_solve(struct run *r, const struct pattern *where, bool (*solution)(struct run *r, void *ctx), void *ctx);
bool run_exists(struct run *r, const struct pattern *group);
/* Pairs that a path of any length joins; fn false ends it. Zero stands for any node. */
void path_pairs(struct run *r, const struct path *path, uint32_t s, uint32_t o, bool (*fn)(void *ctx, uint32_t s, uint32_t o), void *ctx);
bool select_rows(struct run *r, const struct select *s, struct rows *rows); /* sparql_select.c: columns are the items */
bool rows_add(struct run *r, struct rows *rows, const uint32_t *cells);
void rows_free(struct rows *rows);

/* An expression's value; kind TERM_NONE: an error, as SPARQL means it. */
struct term expr_value(struct run *r, const struct expr *e);
bool expr_holds(struct run *r, const struct expr *e);     /* its effective boolean value; an error does not hold */
int term_order(const struct term *a, const struct term *b); /* of ORDER BY */

/* ---- functions (sparql_function.c), numbers (sparql_number.c) ---- */
int function_find(struct rd name, unsigned arguments, bool *known); /* -1: none, or not with so many */
struct term function_call(struct run *r, int function, const struct term *arguments, unsigned count);
struct term term_cast(struct run *r, const struct term *t, struct rd type);
struct term term_made(struct run *r, struct rd text, const char *type); /* copies; type NULL: plain */
struct term term_bool(bool b);
struct number {
	bool integer, decimal;        /* otherwise a float or double */
	int64_t i;
	double d;                     /* of an integer too */
};
bool term_number(const struct term *t, struct number *n);
struct term number_term(struct run *r, const struct number *n);
struct term number_calculate(struct run *r, enum expr_op op, const struct term *a, const struct term *b);
bool term_truth(const struct term *t, bool *b);
/* Less (-1), equal (0), greater (1); false when they cannot be compared. */
bool term_compare(const struct term *a, const struct term *b, int *order);

/* ---- regular expressions (regex.c, regex.h): linear in the text ---- */
/* 1 matches, 0 does not, -1: the expression is malformed or too long. With `from` and `to`: the first match. */
int regex_match(struct rd pattern, bool fold, struct rd text, size_t start, size_t *from, size_t *to, uint64_t *steps);

#endif
