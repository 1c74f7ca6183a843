/* Regular expressions of XPath, without back references: a set of places in the expression is moved over the text, so that the time is the product
 * of both lengths whatever they are. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "semantics/sparql.h"

#define PROGRAM_MAX 2000
#define PATTERN_MAX 512
#define DEPTH_MAX 16
#define REPEAT_MAX 200
#define RANGES_MAX 400

enum op { OP_CHAR, OP_ANY, OP_SET, OP_BEGIN, OP_END, OP_SPLIT, OP_JUMP, OP_MATCH };
struct step {
	enum op op;
	uint32_t c;          /* of CHAR; of SET the first range */
	unsigned count;      /* of SET: ranges; */
	bool negated;
	unsigned a, b;       /* of SPLIT: the first goes before; of JUMP a */
};
struct range {
	uint32_t from, to;
};
struct program {
	struct step steps[PROGRAM_MAX];
	unsigned count;
	struct range ranges[RANGES_MAX];
	unsigned range_count;
	struct rd in;
	unsigned depth;
	bool fold, bad;
};

static uint32_t character(struct rd *r)
{
	size_t n = utf8_length(*r);
	uint32_t c;

	if (n < 2) {
		c = r->at[0];
		n = 1;
	} else {
		c = r->at[0] & (0x7fu >> n);
		for (size_t i = 1; i < n; i++)
			c = c << 6 | (r->at[i] & 0x3f);
	}
	if (!rd_skip(r, n))
		r->left = 0;
	return c;
}

static uint32_t folded(uint32_t c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* ---- compiling: each part is written to the end of the program; what a quantifier repeats is copied ---- */

static unsigned emit(struct program *p, enum op op)
{
	if (p->count == PROGRAM_MAX) {
		p->bad = true;
		return 0;
	}
	p->steps[p->count] = (struct step){.op = op};
	return p->count++;
}

static void add_range(struct program *p, struct step *s, uint32_t from, uint32_t to)
{
	if (p->range_count == RANGES_MAX || from > to) {
		p->bad = true;
		return;
	}
	p->ranges[p->range_count++] = (struct range){from, to};
	s->count++;
}

static void add_class(struct program *p, struct step *s, uint32_t c)
{
	if (c == 'd') {
		add_range(p, s, '0', '9');
	} else if (c == 's') {
		add_range(p, s, '\t', '\n');
		add_range(p, s, '\r', '\r');
		add_range(p, s, ' ', ' ');
	} else {
		add_range(p, s, '0', '9');
		add_range(p, s, 'a', 'z');
		add_range(p, s, 'A', 'Z');
		add_range(p, s, '_', '_');
		add_range(p, s, 0x80, 0x10ffff);
	}
}

/* What stands behind a backslash, when it is one character. */
static bool escaped(uint32_t c, uint32_t *out)
{
	static const char from[] = "nrt\\|.-^?*+{}()[]$", to[] = "\n\r\t\\|.-^?*+{}()[]$";
	const char *at = c && c < 128 ? strchr(from, (int)c) : NULL;

	if (at)
		*out = (uint32_t)to[at - from];
	return at != NULL;
}

static bool next_is(const struct program *p, char c)
{
	return p->in.left && p->in.at[0] == (uint8_t)c;
}

static bool take(struct program *p, char c)
{
	return next_is(p, c) && rd_skip(&p->in, 1);
}

/* [a-z\d] behind its bracket */
static void set(struct program *p)
{
	unsigned at = emit(p, OP_SET);
	struct step *s = &p->steps[at];
	bool first = true;

	s->c = p->range_count;
	s->negated = take(p, '^');
	while (p->in.left && !p->bad && (first || !next_is(p, ']'))) {
		uint32_t from = character(&p->in), to;

		first = false;
		if (from == '\\') {
			uint32_t c = p->in.left ? character(&p->in) : 0;

			if (c == 'd' || c == 's' || c == 'w') {
				add_class(p, s, c);
				continue;
			}
			if (!escaped(c, &from))
				p->bad = true;
		}
		to = from;
		if (p->in.left > 1 && next_is(p, '-') && p->in.at[1] != ']') {
			(void)take(p, '-');
			to = character(&p->in);
			if (to == '\\' && (!p->in.left || !escaped(character(&p->in), &to)))
				p->bad = true;
		}
		add_range(p, s, from, to);
	}
	if (!take(p, ']'))
		p->bad = true;
}

static void alternatives(struct program *p);

static void escape(struct program *p)
{
	uint32_t c = p->in.left ? character(&p->in) : 0, literal;
	unsigned at = emit(p, OP_SET);

	p->steps[at].c = p->range_count;
	if (c == 'd' || c == 's' || c == 'w' || c == 'D' || c == 'S' || c == 'W') {
		p->steps[at].negated = c < 'a';
		add_class(p, &p->steps[at], c | 32);
	} else if (escaped(c, &literal)) {
		p->steps[at].op = OP_CHAR;
		p->steps[at].c = p->fold ? folded(literal) : literal;
	} else {
		p->bad = true; /* a back reference, for instance */
	}
}

/* One character, set or group. */
static void atom(struct program *p)
{
	uint32_t c = character(&p->in);

	if (c == '(') {
		if (take(p, '?') && !take(p, ':'))
			p->bad = true;
		if (++p->depth > DEPTH_MAX)
			p->bad = true;
		if (!p->bad)
			alternatives(p);
		p->depth--;
		if (!take(p, ')'))
			p->bad = true;
	} else if (c == '[') {
		set(p);
	} else if (c == '\\') {
		escape(p);
	} else if (c == '.') {
		emit(p, OP_ANY);
	} else if (c == '^' || c == '$') {
		emit(p, c == '^' ? OP_BEGIN : OP_END);
	} else if (c == '*' || c == '+' || c == '?' || c == '{') {
		p->bad = true;
	} else {
		p->steps[emit(p, OP_CHAR)].c = p->fold ? folded(c) : c;
	}
}

static bool number(struct program *p, unsigned *n)
{
	*n = 0;
	if (!p->in.left || p->in.at[0] < '0' || p->in.at[0] > '9')
		return false;
	while (p->in.left && p->in.at[0] >= '0' && p->in.at[0] <= '9') {
		*n = *n * 10 + (unsigned)(character(&p->in) - '0');
		if (*n > REPEAT_MAX)
			p->bad = true;
		if (p->bad)
			return false;
	}
	return true;
}

/* How often: most UINT_MAX for any number. */
static bool quantifier(struct program *p, unsigned *least, unsigned *most)
{
	*least = 0;
	*most = UINT32_MAX;
	if (take(p, '*'))
		return true;
	if (take(p, '+')) {
		*least = 1;
		return true;
	}
	if (take(p, '?')) {
		*most = 1;
		return true;
	}
	if (!take(p, '{'))
		return false;
	if (!number(p, least))
		p->bad = true;
	*most = *least;
	if (take(p, ',')) {
		*most = UINT32_MAX;
		if (!next_is(p, '}') && (!number(p, most) || *most < *least))
			p->bad = true;
	}
	if (!take(p, '}'))
		p->bad = true;
	return true;
}

/* A copy of the steps from..from+n at the end, its jumps moved along. */
static void copy(struct program *p, const struct step *steps, unsigned from, unsigned n)
{
	unsigned base = p->count;

	for (unsigned i = 0; i < n && !p->bad; i++) {
		unsigned at = emit(p, steps[i].op);

		p->steps[at] = steps[i];
		p->steps[at].a = steps[i].a - from + base;
		p->steps[at].b = steps[i].b - from + base;
	}
}

static void repeat(struct program *p, unsigned from, unsigned least, unsigned most, bool lazy)
{
	unsigned n = p->count - from, split;
	struct step *body = malloc((n + 1) * sizeof *body);

	if (!body) {
		p->bad = true;
		return;
	}
	memcpy(body, &p->steps[from], n * sizeof *body);
	p->count = from;
	for (unsigned i = 0; i < least && !p->bad; i++)
		copy(p, body, from, n);
	for (unsigned i = least; i < most && !p->bad; i++) {
		split = emit(p, OP_SPLIT);
		copy(p, body, from, n);
		if (most == UINT32_MAX)
			p->steps[emit(p, OP_JUMP)].a = split;
		p->steps[split].a = lazy ? p->count : split + 1;
		p->steps[split].b = lazy ? split + 1 : p->count;
		if (most == UINT32_MAX)
			break;
	}
	free(body);
}

static void sequence(struct program *p)
{
	while (p->in.left && !p->bad && !next_is(p, '|') && !next_is(p, ')')) {
		unsigned from = p->count, least, most;

		atom(p);
		if (!p->bad && quantifier(p, &least, &most) && !p->bad)
			repeat(p, from, least, most, take(p, '?'));
	}
}

static void alternatives(struct program *p)
{
	unsigned from = p->count, ends[64], end_count = 0;

	sequence(p);
	while (!p->bad && take(p, '|')) {
		unsigned n = p->count - from;

		/* room for a split before the alternative that was just read */
		if (end_count == 64 || emit(p, OP_JUMP) + 1 == PROGRAM_MAX || emit(p, OP_JUMP) + 1 == PROGRAM_MAX) {
			p->bad = true;
			return;
		}
		memmove(&p->steps[from + 1], &p->steps[from], n * sizeof p->steps[0]);
		for (unsigned i = from + 1; i <= from + n; i++) {
			p->steps[i].a++;
			p->steps[i].b++;
		}
		p->steps[from] = (struct step){.op = OP_SPLIT, .a = from + 1, .b = from + n + 2};
		p->steps[from + n + 1] = (struct step){.op = OP_JUMP};
		ends[end_count++] = from + n + 1;
		from = p->count;
		sequence(p);
	}
	while (end_count > 0)
		p->steps[ends[--end_count]].a = p->count;
}

/* ---- matching ---- */

struct threads {
	unsigned at[PROGRAM_MAX];
	size_t begin[PROGRAM_MAX];  /* where in the text the match would begin */
	unsigned count;
	bool on[PROGRAM_MAX];
};

struct matching {
	const struct program *p;
	struct threads sets[2], *now, *then;
	size_t at, end;
	bool found;
	size_t from, to;
};

/* Adds a place with all that is reached from it without a character, in the order of preference. */
static void add(struct matching *m, struct threads *t, unsigned step, size_t begin)
{
	unsigned stack[PROGRAM_MAX + 2], depth = 0;

	stack[depth++] = step;
	while (depth > 0) {
		const struct step *s;

		step = stack[--depth];
		if (t->on[step])
			continue;
		t->on[step] = true;
		s = &m->p->steps[step];
		if (s->op == OP_JUMP) {
			stack[depth++] = s->a;
		} else if (s->op == OP_SPLIT) {
			stack[depth++] = s->b;
			stack[depth++] = s->a;
		} else if ((s->op == OP_BEGIN && m->at == 0) || (s->op == OP_END && m->at == m->end)) {
			stack[depth++] = step + 1;
		} else if (s->op != OP_BEGIN && s->op != OP_END) {
			t->at[t->count] = step;
			t->begin[t->count++] = begin;
		}
	}
}

static bool takes(const struct program *p, const struct step *s, uint32_t c)
{
	bool in = false;

	if (s->op == OP_ANY)
		return true;
	if (s->op == OP_CHAR)
		return s->c == (p->fold ? folded(c) : c);
	for (unsigned i = 0; i < s->count && !in; i++) {
		const struct range *r = &p->ranges[s->c + i];

		in = (c >= r->from && c <= r->to) ||
		    (p->fold && ((folded(c) >= r->from && folded(c) <= r->to) || (c >= 'a' && c <= 'z' && c - 32 >= r->from && c - 32 <= r->to)));
	}
	return in != s->negated;
}

static void clear(struct threads *t)
{
	t->count = 0;
	memset(t->on, 0, sizeof t->on);
}

/* Moves every place over one character; a match cuts off what is preferred less. */
static void move(struct matching *m, uint32_t c, bool at_end, size_t next)
{
	size_t here = m->at;

	clear(m->then);
	for (unsigned i = 0; i < m->now->count; i++) {
		const struct step *s = &m->p->steps[m->now->at[i]];

		if (s->op == OP_MATCH) {
			m->found = true;
			m->from = m->now->begin[i];
			m->to = here;
			break;
		}
		if (!at_end && takes(m->p, s, c)) {
			m->at = next;
			add(m, m->then, m->now->at[i] + 1, m->now->begin[i]);
			m->at = here;
		}
	}
}

static void run(struct matching *m, struct rd text, size_t start, uint64_t *steps)
{
	struct rd rest = rd_of(text.at + start, text.left - start);

	m->end = text.left;
	m->at = start;
	for (;;) {
		bool at_end = rest.left == 0;
		uint32_t c = at_end ? 0 : character(&rest);
		struct threads *swap;

		if (!m->found)
			add(m, m->now, 0, m->at);
		if (m->now->count == 0 && m->found)
			return;
		*steps += m->now->count / 4 + 1;
		if (*steps > SEMANTICS_STEPS_MAX)
			return;
		move(m, c, at_end, text.left - rest.left);
		if (at_end)
			return;
		m->at = text.left - rest.left;
		swap = m->now;
		m->now = m->then;
		m->then = swap;
	}
}

int regex_match(struct rd pattern, bool fold, struct rd text, size_t start, size_t *from, size_t *to, uint64_t *steps)
{
	struct program *p = calloc(1, sizeof *p);
	struct matching *m = calloc(1, sizeof *m);
	int result = -1;

	if (p && m && pattern.left <= PATTERN_MAX && start <= text.left) {
		p->in = pattern;
		p->fold = fold;
		alternatives(p);
		emit(p, OP_MATCH);
		*steps += p->count + 100;
		if (!p->bad && p->in.left == 0) {
			m->p = p;
			m->now = &m->sets[0];
			m->then = &m->sets[1];
			run(m, text, start, steps);
			result = m->found;
			if (from)
				*from = m->from;
			if (to)
				*to = m->to;
		}
	}
	free(p);
	free(m);
	return result;
}
