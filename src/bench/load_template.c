/* Requests that are made once and get their numbers patched in. */
#include <string.h>
#include <time.h>

#include "bench/load.h"

#define GROUPS 100 /* what '$' counts */

uint64_t load_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

bool load_template_init(struct load_template *t, const char *head, const char *body)
{
	struct wr w = wr_of(t->octets, sizeof t->octets);
	struct rd all;

	wr_str(&w, head);
	if (body)
		wr_fmt(&w, "Content-Length: %zu\r\n", strlen(body));
	wr_str(&w, "\r\n");
	wr_str(&w, body ? body : "");
	if (!wr_done(&w, &all))
		return false;
	t->len = all.left;
	t->mark_count = 0;
	for (size_t i = 0; i < t->len;) {
		char kind = (char)t->octets[i];
		size_t begin = i;

		while (i < t->len && (char)t->octets[i] == kind)
			i++;
		/* one alone is a character like any other */
		if ((kind != '#' && kind != '$' && kind != '@') || i - begin < 2)
			continue;
		if (t->mark_count == LOAD_MARKS)
			return false;
		t->marks[t->mark_count].at = begin;
		t->marks[t->mark_count].width = i - begin;
		t->marks[t->mark_count++].kind = kind;
	}
	return true;
}

size_t load_template_make(void *template, uint64_t number, uint8_t *octets, size_t size)
{
	const struct load_template *t = template;

	if (size < t->len)
		return 0;
	memcpy(octets, t->octets, t->len);
	for (size_t i = 0; i < t->mark_count; i++) {
		uint64_t v = t->marks[i].kind == '#' ? number : t->marks[i].kind == '$' ? number % GROUPS : load_now_ns();

		for (size_t k = t->marks[i].width; k-- > 0; v /= 10)
			octets[t->marks[i].at + k] = (uint8_t)('0' + v % 10);
	}
	return t->len;
}
