/* References become IRIs: RFC 3986 clause 5.2. */
#include <string.h>

#include "semantics/graph.h"

static bool has_scheme(struct rd iri)
{
	for (size_t i = 0; i < iri.left; i++) {
		uint8_t c = iri.at[i];

		if (c == ':')
			return i > 0;
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (i > 0 && ((c >= '0' && c <= '9') || strchr("+-.", c)))))
			return false;
	}
	return false;
}

static size_t up_to(struct rd text, size_t from, const char *ends)
{
	size_t i = from;

	while (i < text.left && !(text.at[i] && strchr(ends, text.at[i])))
		i++;
	return i;
}

/* Where the path of an absolute IRI begins. */
static size_t path_of(struct rd iri)
{
	size_t i = up_to(iri, 0, ":");

	i += i < iri.left;
	if (i + 1 < iri.left && iri.at[i] == '/' && iri.at[i + 1] == '/')
		i = up_to(iri, i + 2, "/?#");
	return i;
}

/* Takes "." and ".." out of the path that begins at `from`; in place. */
static size_t without_dots(uint8_t *text, size_t from, size_t n)
{
	size_t end = up_to(rd_of(text, n), from, "?#"), out = from, i = from;

	while (i < end) {
		size_t next = up_to(rd_of(text, end), i + (text[i] == '/'), "/"), length = next - i;
		size_t name = i + (text[i] == '/'), dots = next - name;

		if ((dots == 1 && text[name] == '.') || (dots == 2 && text[name] == '.' && text[name + 1] == '.')) {
			if (dots == 2)
				while (out > from && text[--out] != '/')
					;
			if (next == end && out < end)
				text[out++] = '/';
		} else {
			memmove(text + out, text + i, length);
			out += length;
		}
		i = next;
	}
	memmove(text + out, text + end, n - end);
	return out + n - end;
}

struct rd iri_resolved(struct json_arena *arena, struct rd base, struct rd reference)
{
	size_t path, keep, n;
	uint8_t *room;

	if (base.left == 0 || has_scheme(reference))
		return reference;
	path = path_of(base);
	if (reference.left == 0 || reference.at[0] == '#')
		keep = up_to(base, 0, "#");
	else if (reference.at[0] == '?')
		keep = up_to(base, 0, "?#");
	else if (reference.left > 1 && reference.at[0] == '/' && reference.at[1] == '/')
		keep = up_to(base, 0, ":") + 1;
	else if (reference.at[0] == '/')
		keep = path;
	else
		for (keep = up_to(base, 0, "?#"); keep > path && base.at[keep - 1] != '/';)
			keep--;
	if (keep > base.left)
		keep = base.left;
	room = json_arena_alloc(arena, keep + reference.left + 2);
	if (!room)
		return reference;
	memcpy(room, base.at, keep);
	if (reference.left)
		memcpy(room + keep, reference.at, reference.left);
	n = keep + reference.left;
	/* opaque IRIs ("urn:keyway:") have no segments to go up from */
	return rd_of(room, path < n && room[path] == '/' ? without_dots(room, path, n) : n);
}
