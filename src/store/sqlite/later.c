/* Rows that are written when something else needs the database, or at the commit: most instances, and attributes that changed by counting. Until then
 * they lie here, so that the thread that commits writes them while the caller's own goes on. Nothing is put off within a savepoint. */
#include "store/sqlite/private.h"

#include <stdlib.h>

#define LATER_OCTETS (1024 * 1024) /* more is written at once */

static bool row_keep(struct store *s, const struct store_row *row, bool update)
{
	struct later *l = &s->later;

	if (l->count == l->room) {
		size_t room = l->room ? l->room * 2 : 64;
		struct later_row *rows = realloc(l->rows, room * sizeof *rows);

		if (!rows)
			return false;
		l->rows = rows;
		l->room = room;
	}
	wr_str(&l->texts, row->root ? row->root : "");
	wr_u8(&l->texts, 0);
	wr_str(&l->texts, row->creator ? row->creator : "");
	wr_u8(&l->texts, 0);
	wr_rd(&l->texts, row->body);
	l->rows[l->count++] = (struct later_row){*row, update};
	return !l->texts.spoilt;
}

enum err later_put(struct store *s, const struct store_row *row, bool update)
{
	if (s->failed != OK)
		return s->failed;
	if (s->later.texts.maximum == 0)
		s->later.texts = wr_new(SIZE_MAX);
	s->dirty = true;
	if (!row_keep(s, row, update)) {
		store_join(s);
		return store_spoil(s, store_refuse(s, ERR_STORE, "out of memory"));
	}
	return s->later.texts.len < LATER_OCTETS ? OK : later_run(s);
}

static bool point_at_texts(struct later *l)
{
	struct rd texts, root, creator;

	if (!wr_done(&l->texts, &texts))
		return false;
	for (size_t i = 0; i < l->count; i++) {
		struct store_row *row = &l->rows[i].row;

		if (!rd_until(&texts, '\0', &root) || !rd_until(&texts, '\0', &creator) || !rd_sub(&texts, row->body.left, &row->body))
			abort();
		row->root = (const char *)root.at;
		row->creator = (const char *)creator.at;
	}
	return true;
}

/* So many from here on that are inserted. */
static bool are_instances(const struct later *l, size_t from)
{
	if (l->count - from < INSTANCES_AT_ONCE)
		return false;
	for (size_t i = from; i < from + INSTANCES_AT_ONCE; i++)
		if (l->rows[i].update)
			return false;
	return true;
}

enum err later_write(struct store *s, struct later *l)
{
	enum err e = OK;

	if (l->count == 0)
		return OK;
	if (!point_at_texts(l))
		return store_refuse(s, ERR_STORE, "out of memory");
	for (size_t i = 0; e == OK && i < l->count;) {
		const struct later_row *r = &l->rows[i];

		if (are_instances(l, i)) {
			e = store_instances_insert(s, r);
			i += INSTANCES_AT_ONCE;
		} else {
			e = r->update ? store_body_update(s, &r->row) : store_row_insert(s, &r->row);
			i++;
		}
	}
	return e == ERR_EXISTS || e == ERR_NOT_FOUND ? store_refuse(s, ERR_STORE, "a row is not as it was left") : e;
}

/* What fails here was promised by later_put: it spoils the transaction. */
enum err later_run(struct store *s)
{
	enum err e;

	store_join(s);
	if (s->later.count == 0)
		return OK;
	e = s->failed;
	if (e == OK)
		e = store_begin_now(s);
	if (e == OK)
		e = later_write(s, &s->later);
	later_drop(&s->later);
	return e == OK ? OK : store_spoil(s, e);
}

void later_drop(struct later *l)
{
	l->count = 0;
	wr_reset(&l->texts);
}

void later_free(struct later *l)
{
	free(l->rows);
	wr_free(&l->texts);
}
