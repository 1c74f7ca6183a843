/* Notifications that are kept in the store: one value each, "notify/<sender>/<number>", gone when it was answered. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/notify/service.h"

static void name_of(const struct outbox *b, const struct notification *n, char *name, size_t size)
{
	snprintf(name, size, "notify/%s/%016" PRIx64, b->flow->key, n->number);
}

void keep_one(struct outbox *b, struct notification *n)
{
	struct cse *c = b->flow->cse;
	struct wr w = wr_new(CSE_BODY_MAX * 8);
	struct json_out o = json_out(&w);
	char name[256];
	struct rd value;

	if (n->kept || n->done || !b->flow->has_sender || b->flow->closing)
		return;
	json_object(&o, NULL);
	json_put_string(&o, "to", b->target);
	if (n->category)
		json_put_uint(&o, "ec", n->category);
	json_put_raw(&o, "c", rd_of(n->content->octets, n->content->len));
	json_close(&o);
	name_of(b, n, name, sizeof name);
	/* a store that is full loses what a full store must lose: the notification stays in memory */
	if (wr_done(&w, &value) && store_value_set(c->store, name, value) == OK) {
		n->kept = true;
		cse_commit_later(c);
	}
	wr_free(&w);
}

void keep_all(struct outbox *b)
{
	for (struct notification *n = b->first; n; n = n->next)
		keep_one(b, n);
}

void keep_forget(struct outbox *b, struct notification *n)
{
	struct cse *c = b->flow->cse;
	char name[256];

	if (!n->kept || notifications_of(c)->free)
		return;
	n->kept = false;
	name_of(b, n, name, sizeof name);
	/* left behind by a store that fails, it is sent once more after the next start */
	if (store_value_set(c->store, name, rd_of("", 0)) == OK)
		cse_commit_later(c);
}

/* ---- at the start ---- */

struct found {
	struct found *next;
	char sender[128];
	uint64_t number;
	struct rd value;
	uint8_t octets[];
};
struct finding {
	struct found *first, **last;
};

static bool take_name(struct found *f, const char *name)
{
	struct rd rest = rd_str(name), part;
	char number[17], *end;

	if (!rd_until(&rest, '/', &part) || !rd_until(&rest, '/', &part) || !rd_text(part, f->sender, sizeof f->sender) || rest.left != 16 ||
	    !rd_text(rest, number, sizeof number))
		return false;
	f->number = strtoull(number, &end, 16);
	return *end == '\0';
}

static bool note(void *ctx, const struct store_row *row)
{
	struct finding *k = ctx;
	struct found *f = calloc(1, sizeof *f + row->body.left);

	if (!f)
		abort();
	if (!take_name(f, row->rn)) {
		free(f);
		return true;
	}
	memcpy(f->octets, row->body.at, row->body.left);
	f->value = rd_of(f->octets, row->body.left);
	*k->last = f;
	k->last = &f->next;
	return true;
}

static void load_one(struct cse *c, struct resource *sub, const struct found *f, struct json_arena *a)
{
	struct notification *n = calloc(1, sizeof *n);
	const struct json *doc, *content;
	struct outbox_content *k;
	struct flow *flow;
	struct outbox *b;
	char to[CSE_PATH_MAX];

	if (!n)
		abort();
	if (json_parse(a, f->value, NULL, &doc) != OK || !json_text(json_get(doc, "to"), to, sizeof to) || (content = json_get(doc, "c")) == NULL) {
		free(n);
		return;
	}
	flow = flow_find(c, f->sender, true, true);
	outbox_policy_of(c, sub, &flow->policy);
	b = flow_outbox(flow, to, true);
	n->number = f->number;
	n->kept = true;
	if (!json_uint(json_get(doc, "ec"), &n->category))
		n->category = 0;
	k = outbox_content(content->source);
	flow_append(b, k, n);
	outbox_content_free(k);
	outbox_freshen(b);
}

static void remove_value(struct cse *c, const struct found *f)
{
	char name[256];

	snprintf(name, sizeof name, "notify/%s/%016" PRIx64, f->sender, f->number);
	if (store_value_set(c->store, name, rd_of("", 0)) == OK)
		cse_commit_later(c);
}

static int by_number(const void *a, const void *b)
{
	const struct found *const *x = a, *const *y = b;

	return ((*x)->number > (*y)->number) - ((*x)->number < (*y)->number);
}

/* In the order in which they were posted. */
static struct found **sorted(struct finding *k, size_t *count)
{
	struct found **list;
	size_t n = 0;

	for (const struct found *f = k->first; f; f = f->next)
		n++;
	list = calloc(n + 1, sizeof(struct found *));
	if (!list)
		abort();
	*count = n;
	n = 0;
	for (struct found *f = k->first; f; f = f->next)
		list[n++] = f;
	qsort(list, n, sizeof(struct found *), by_number);
	return list;
}

void keep_load(struct cse *c)
{
	struct notifications *s = notifications_of(c);
	struct finding k = {NULL, &k.first};
	struct json_arena *a = json_arena_new();
	struct found **list;
	size_t count;

	if (!a)
		abort();
	if (store_values(c->store, "notify/", note, &k) != OK)
		c->counts.refused++;
	list = sorted(&k, &count);
	for (size_t i = 0; i < count; i++) {
		struct resource *sub = tree_by_ri(c->tree, rd_str(list[i]->sender));

		if (sub)
			load_one(c, sub, list[i], a);
		else
			remove_value(c, list[i]);
		if (list[i]->number > s->number)
			s->number = list[i]->number;
		resource_unref(sub);
		json_arena_reset(a);
		free(list[i]);
	}
	s->committed = s->number;
	free(list);
	json_arena_free(a);
}
