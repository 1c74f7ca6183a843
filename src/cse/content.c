/* Resource representations. */
#include <stdio.h>
#include <string.h>

#include "cse/private.h"

void content_of(const struct store_row *row, struct wr *w)
{
	struct json_out o = json_out(w);

	json_object(&o, NULL);
	json_put_raw(&o, row->root, row->body);
	json_close(&o);
}

static bool listed(struct rd list, struct rd name)
{
	struct rd part;

	while (list.left > 0) {
		if (!rd_until(&list, '+', &part))
			part = rd_rest(&list);
		if (rd_equal(part, name))
			return true;
	}
	return false;
}

void content_partial(struct exchange *x, const struct store_row *row, struct rd atrl, struct wr *w)
{
	struct json_out o = json_out(w);
	const struct json *body;

	json_object(&o, NULL);
	json_object(&o, row->root);
	if (json_parse(x->arena, row->body, NULL, &body) == OK) {
		for (const struct json *m = body->first; m; m = m->next) {
			char name[STORE_NAME];

			if (listed(atrl, m->key) && rd_text(m->key, name, sizeof name))
				json_put(&o, name, m);
		}
	}
	json_close(&o);
	json_close(&o);
}

/* The row's body with some numbers replaced or added; borrowed from w. */
struct rd uint_attribute_set(struct cse *c, const struct store_row *row, const char *const names[], const uint64_t values[], size_t n, struct wr *w)
{
	struct json_arena *a = json_arena_new();
	struct json_out o = json_out(w);
	const struct json *body;
	struct rd text = rd_of(NULL, 0);

	(void)c;
	if (a && json_parse(a, row->body, NULL, &body) == OK) {
		json_object(&o, NULL);
		for (const struct json *m = body->first; m; m = m->next) {
			char name[STORE_NAME];
			bool replaced = false;

			for (size_t i = 0; i < n; i++)
				replaced = replaced || rd_is(m->key, names[i]);
			if (!replaced && rd_text(m->key, name, sizeof name))
				json_put(&o, name, m);
		}
		for (size_t i = 0; i < n; i++)
			json_put_uint(&o, names[i], values[i]);
		json_close(&o);
		if (!wr_done(w, &text))
			text = rd_of(NULL, 0);
	}
	json_arena_free(a);
	return text;
}
