/* Regular expressions over a text: a set of places in the program is moved over it. */
#include "semantics/regex.h"

#include <stdlib.h>
#include <string.h>

#include "semantics/sparql.h"

struct threads {
	unsigned at[REGEX_STEPS];
	size_t begin[REGEX_STEPS];  /* where in the text the match would begin */
	unsigned count;
	bool on[REGEX_STEPS];
};

struct matching {
	const struct regex *p;
	struct threads sets[2], *now, *then;
	size_t at, end;
	bool found;
	size_t from, to;
};

/* Adds a place with all that is reached from it without a character, in the order of preference. */
static void add(struct matching *m, struct threads *t, unsigned step, size_t begin)
{
	unsigned stack[REGEX_STEPS + 2], depth = 0;

	stack[depth++] = step;
	while (depth > 0) {
		const struct regex_step *s;

		step = stack[--depth];
		if (t->on[step])
			continue;
		t->on[step] = true;
		s = &m->p->steps[step];
		if (s->op == REGEX_JUMP) {
			stack[depth++] = s->a;
		} else if (s->op == REGEX_SPLIT) {
			stack[depth++] = s->b;
			stack[depth++] = s->a;
		} else if ((s->op == REGEX_BEGIN && m->at == 0) || (s->op == REGEX_END && m->at == m->end)) {
			stack[depth++] = step + 1;
		} else if (s->op != REGEX_BEGIN && s->op != REGEX_END) {
			t->at[t->count] = step;
			t->begin[t->count++] = begin;
		}
	}
}

static bool takes(const struct regex *p, const struct regex_step *s, uint32_t c)
{
	bool in = false;

	if (s->op == REGEX_ANY)
		return true;
	if (s->op == REGEX_CHAR)
		return s->c == (p->fold ? regex_folded(c) : c);
	for (unsigned i = 0; i < s->count && !in; i++) {
		const struct regex_range *r = &p->ranges[s->c + i];

		in = (c >= r->from && c <= r->to) ||
		    (p->fold && ((regex_folded(c) >= r->from && regex_folded(c) <= r->to) || (c >= 'a' && c <= 'z' && c - 32 >= r->from && c - 32 <= r->to)));
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
		const struct regex_step *s = &m->p->steps[m->now->at[i]];

		if (s->op == REGEX_MATCH) {
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
		uint32_t c = at_end ? 0 : regex_character(&rest);
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
	struct regex *p = calloc(1, sizeof *p);
	struct matching *m = calloc(1, sizeof *m);
	int result = -1;

	if (p && m && pattern.left <= REGEX_PATTERN && start <= text.left) {
		bool whole = regex_compile(p, pattern, fold);

		*steps += p->count + 100;
		if (whole) {
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
