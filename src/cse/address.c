/* Addresses: absolute, SP-relative, CSE-relative; structured, unstructured, hybrid; latest and oldest. TS-0001 clause 7.2. */
#include <stdio.h>
#include <string.h>

#include "cse/private.h"

static bool segment(struct rd *path, struct rd *part)
{
	if (path->left == 0)
		return false;
	if (!rd_until(path, '/', part))
		*part = rd_rest(path);
	return true;
}

bool cse_is_local(const struct cse *c, struct rd to, struct rd *rest, char *other, size_t size)
{
	struct rd part;

	if (rd_starts(to, "//")) { /* //sp/cse-id/... */
		if (!rd_skip(&to, 2) || !segment(&to, &part) || !rd_is(part, c->config.sp)) {
			snprintf(other, size, "//");
			return false;
		}
	} else if (rd_starts(to, "/")) {
		if (!rd_skip(&to, 1))
			return false;
	} else {
		*rest = to;
		return true;
	}
	if (!segment(&to, &part))
		part = rd_of("", 0);
	snprintf(other, size, "/%.*s", (int)part.left, (const char *)part.at);
	*rest = to;
	return strcmp(other, c->config.id) == 0;
}

static enum err child(struct cse *c, struct store_row *row, struct rd name, bool *latest, bool *oldest)
{
	char rn[STORE_NAME];
	struct store_row next;
	enum err e;

	if (!rd_text(name, rn, sizeof rn))
		return ERR_NOT_FOUND;
	e = store_by_name(c->store, row->id, rn, &next);
	if (e == ERR_NOT_FOUND && row->type == ONEM2M_CONTAINER && (strcmp(rn, "la") == 0 || strcmp(rn, "ol") == 0)) {
		*latest = rn[0] == 'l';
		*oldest = rn[0] == 'o';
		e = store_edge_child(c->store, row->id, ONEM2M_CONTENT_INSTANCE, *latest, &next);
	}
	if (e != OK)
		return e;
	store_row_clear(row);
	*row = next;
	return OK;
}

enum err cse_find(struct cse *c, struct rd rest, struct store_row *row, bool *latest, bool *oldest)
{
	char first[STORE_NAME];
	struct rd part;
	enum err e;

	*latest = *oldest = false;
	if (!segment(&rest, &part))
		return store_by_id(c->store, c->base.id, row);
	if (!rd_text(part, first, sizeof first))
		return ERR_NOT_FOUND;
	if (strcmp(first, c->config.name) == 0 || strcmp(first, "-") == 0)
		e = store_by_id(c->store, c->base.id, row);
	else
		e = store_by_ri(c->store, first, row);
	while (e == OK && segment(&rest, &part)) {
		e = *latest || *oldest ? ERR_NOT_FOUND : child(c, row, part, latest, oldest);
		if (e != OK)
			store_row_clear(row);
	}
	return e;
}

bool cse_path(struct cse *c, const struct store_row *row, char *path, size_t size)
{
	char text[CSE_PATH_MAX];
	size_t at = sizeof text - 1, len = strlen(row->rn);
	int64_t above = row->parent;
	const char *rn = row->rn;
	struct store_row parent;

	/* From the end to the beginning; each step takes room, so that it ends. */
	text[at] = '\0';
	for (;;) {
		if (len + 1 > at)
			return false;
		at -= len;
		memcpy(text + at, rn, len);
		if (above == 0)
			break;
		text[--at] = '/';
		if (store_by_id(c->store, above, &parent) != OK)
			return false;
		above = parent.parent;
		store_row_clear(&parent); /* the name stays */
		rn = parent.rn;
		len = strlen(rn);
	}
	return (size_t)snprintf(path, size, "%s", text + at) < size;
}

bool cse_sp_relative(const struct cse *c, struct rd id, char *out, size_t size)
{
	struct rd part;

	if (id.left == 0 || memchr(id.at, '\0', id.left))
		return false;
	if (rd_starts(id, "//")) {
		if (!rd_skip(&id, 2) || !rd_until(&id, '/', &part) || !rd_is(part, c->config.sp))
			return false;
		return (size_t)snprintf(out, size, "/%.*s", (int)id.left, (const char *)id.at) < size;
	}
	if (id.at[0] == '/')
		return rd_text(id, out, size);
	return (size_t)snprintf(out, size, "%s/%.*s", c->config.id, (int)id.left, (const char *)id.at) < size;
}
