/* Resource representations. */
#include <stdlib.h>
#include <string.h>

#include "cse/private.h"

void represent_members(struct cse *c, struct resource *r, struct json_out *o)
{
	struct rd text = resource_text(r);
	const struct type_hooks *h = type_hooks(r->type);

	if (text.left > 2) {
		if (o->comma)
			wr_u8(o->w, ',');
		wr_copy(o->w, text.at + 1, text.left - 2);
		o->comma = true;
	}
	if (h->represent)
		h->represent(c, r, o);
}

void represent(struct cse *c, struct resource *r, struct wr *w)
{
	struct json_out o = json_out(w);

	json_object(&o, NULL);
	json_object(&o, r->root);
	represent_members(c, r, &o);
	json_close(&o);
	json_close(&o);
}

struct selection {
	const struct rd *names;       /* some by their names, or */
	size_t count;
	const struct json *limited;   /* a list of them */
};

static bool is_selected(const struct selection *s, struct rd name)
{
	for (size_t i = 0; i < s->count; i++)
		if (rd_equal(s->names[i], name))
			return true;
	return s->limited && access_shows(s->limited, name);
}

static void represent_selection(struct cse *c, struct resource *r, const struct selection *s, struct wr *w)
{
	struct wr whole = wr_new(CSE_BODY_MAX * 4);
	struct json_arena *a = json_arena_new();
	struct json_out o = json_out(w);
	const struct json *doc;
	struct rd text;

	represent(c, r, &whole);
	json_object(&o, NULL);
	json_object(&o, r->root);
	if (a && wr_done(&whole, &text) && json_parse(a, text, NULL, &doc) == OK) {
		for (const struct json *m = doc->first->first; m; m = m->next) {
			char name[128];

			if (is_selected(s, m->key) && rd_text(m->key, name, sizeof name))
				json_put(&o, name, m);
		}
	} else {
		w->spoilt = true;
	}
	json_close(&o);
	json_close(&o);
	json_arena_free(a);
	wr_free(&whole);
}

void represent_partial(struct cse *c, struct resource *r, const struct rd *names, size_t count, struct wr *w)
{
	represent_selection(c, r, &(const struct selection){.names = names, .count = count}, w);
}

void represent_limited(struct cse *c, struct resource *r, const struct json *limited, struct wr *w)
{
	if (limited)
		represent_selection(c, r, &(const struct selection){.limited = limited}, w);
	else
		represent(c, r, w);
}

void json_put_content(struct json_out *o, const char *name, struct rd content)
{
	struct json_arena *a = json_arena_new();
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out text = json_out(&w);
	const struct json *v;

	if (!a)
		abort();
	json_put_rd(&text, NULL, content);
	if (content.left > 0 && json_parse(a, content, NULL, &v) == OK)
		json_put_raw(o, name, content);
	else if (content.left > 0 && !w.spoilt && json_parse(a, rd_of(w.octets, w.len), NULL, &v) == OK)
		json_put_raw(o, name, rd_of(w.octets, w.len));
	wr_free(&w);
	json_arena_free(a);
}
