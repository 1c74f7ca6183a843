/* A regular expression of XPath becomes a program: each part is written to its end; what a quantifier repeats is copied. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "semantics/regex.h"

#define DEPTH_MAX 16
#define REPEAT_MAX 200

uint32_t regex_character(struct rd *r)
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

uint32_t regex_folded(uint32_t c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static unsigned emit(struct regex *p, enum regex_op op)
{
	if (p->count == REGEX_STEPS) {
		p->bad = true;
		return 0;
	}
	p->steps[p->count] = (struct regex_step){.op = op};
	return p->count++;
}

static void add_range(struct regex *p, struct regex_step *s, uint32_t from, uint32_t to)
{
	if (p->range_count == REGEX_RANGES || from > to) {
		p->bad = true;
		return;
	}
	p->ranges[p->range_count++] = (struct regex_range){from, to};
	s->count++;
}

static void add_class(struct regex *p, struct regex_step *s, uint32_t c)
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

static bool next_is(const struct regex *p, char c)
{
	return p->in.left && p->in.at[0] == (uint8_t)c;
}

static bool take(struct regex *p, char c)
{
	return next_is(p, c) && rd_skip(&p->in, 1);
}

/* [a-z\d] behind its bracket */
static void set(struct regex *p)
{
	unsigned at = emit(p, REGEX_SET);
	struct regex_step *s = &p->steps[at];
	bool first = true;

	s->c = p->range_count;
	s->negated = take(p, '^');
	while (p->in.left && !p->bad && (first || !next_is(p, ']'))) {
		uint32_t from = regex_character(&p->in), to;

		first = false;
		if (from == '\\') {
			uint32_t c = p->in.left ? regex_character(&p->in) : 0;

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
			to = regex_character(&p->in);
			if (to == '\\' && (!p->in.left || !escaped(regex_character(&p->in), &to)))
				p->bad = true;
		}
		add_range(p, s, from, to);
	}
	if (!take(p, ']'))
		p->bad = true;
}

static void alternatives(struct regex *p);

static void escape(struct regex *p)
{
	uint32_t c = p->in.left ? regex_character(&p->in) : 0, literal;
	unsigned at = emit(p, REGEX_SET);

	p->steps[at].c = p->range_count;
	if (c == 'd' || c == 's' || c == 'w' || c == 'D' || c == 'S' || c == 'W') {
		p->steps[at].negated = c < 'a';
		add_class(p, &p->steps[at], c | 32);
	} else if (escaped(c, &literal)) {
		p->steps[at].op = REGEX_CHAR;
		p->steps[at].c = p->fold ? regex_folded(literal) : literal;
	} else {
		p->bad = true; /* a back reference, for instance */
	}
}

/* One character, set or group. */
static void atom(struct regex *p)
{
	uint32_t c = regex_character(&p->in);

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
		emit(p, REGEX_ANY);
	} else if (c == '^' || c == '$') {
		emit(p, c == '^' ? REGEX_BEGIN : REGEX_END);
	} else if (c == '*' || c == '+' || c == '?' || c == '{') {
		p->bad = true;
	} else {
		p->steps[emit(p, REGEX_CHAR)].c = p->fold ? regex_folded(c) : c;
	}
}

static bool number(struct regex *p, unsigned *n)
{
	*n = 0;
	if (!p->in.left || p->in.at[0] < '0' || p->in.at[0] > '9')
		return false;
	while (p->in.left && p->in.at[0] >= '0' && p->in.at[0] <= '9') {
		*n = *n * 10 + (unsigned)(regex_character(&p->in) - '0');
		if (*n > REPEAT_MAX)
			p->bad = true;
		if (p->bad)
			return false;
	}
	return true;
}

/* How often: most UINT_MAX for any number. */
static bool quantifier(struct regex *p, unsigned *least, unsigned *most)
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
static void copy(struct regex *p, const struct regex_step *steps, unsigned from, unsigned n)
{
	unsigned base = p->count;

	for (unsigned i = 0; i < n && !p->bad; i++) {
		unsigned at = emit(p, steps[i].op);

		p->steps[at] = steps[i];
		p->steps[at].a = steps[i].a - from + base;
		p->steps[at].b = steps[i].b - from + base;
	}
}

static void repeat(struct regex *p, unsigned from, unsigned least, unsigned most, bool lazy)
{
	unsigned n = p->count - from, split;
	struct regex_step *body = malloc((n + 1) * sizeof *body);

	if (!body) {
		p->bad = true;
		return;
	}
	memcpy(body, &p->steps[from], n * sizeof *body);
	p->count = from;
	for (unsigned i = 0; i < least && !p->bad; i++)
		copy(p, body, from, n);
	for (unsigned i = least; i < most && !p->bad; i++) {
		split = emit(p, REGEX_SPLIT);
		copy(p, body, from, n);
		if (most == UINT32_MAX)
			p->steps[emit(p, REGEX_JUMP)].a = split;
		p->steps[split].a = lazy ? p->count : split + 1;
		p->steps[split].b = lazy ? split + 1 : p->count;
		if (most == UINT32_MAX)
			break;
	}
	free(body);
}

static void sequence(struct regex *p)
{
	while (p->in.left && !p->bad && !next_is(p, '|') && !next_is(p, ')')) {
		unsigned from = p->count, least, most;

		atom(p);
		if (!p->bad && quantifier(p, &least, &most) && !p->bad)
			repeat(p, from, least, most, take(p, '?'));
	}
}

static void alternatives(struct regex *p)
{
	unsigned from = p->count, ends[64], end_count = 0;

	sequence(p);
	while (!p->bad && take(p, '|')) {
		unsigned n = p->count - from;

		/* room for a split before the alternative that was just read */
		if (end_count == 64 || emit(p, REGEX_JUMP) + 1 == REGEX_STEPS || emit(p, REGEX_JUMP) + 1 == REGEX_STEPS) {
			p->bad = true;
			return;
		}
		memmove(&p->steps[from + 1], &p->steps[from], n * sizeof p->steps[0]);
		for (unsigned i = from + 1; i <= from + n; i++) {
			p->steps[i].a++;
			p->steps[i].b++;
		}
		p->steps[from] = (struct regex_step){.op = REGEX_SPLIT, .a = from + 1, .b = from + n + 2};
		p->steps[from + n + 1] = (struct regex_step){.op = REGEX_JUMP};
		ends[end_count++] = from + n + 1;
		from = p->count;
		sequence(p);
	}
	while (end_count > 0)
		p->steps[ends[--end_count]].a = p->count;
}

bool regex_compile(struct regex *p, struct rd pattern, bool fold)
{
	p->in = pattern;
	p->fold = fold;
	alternatives(p);
	emit(p, REGEX_MATCH);
	return !p->bad && p->in.left == 0;
}
