/* Multicast groups of this CSE's groups in the store: the other CSEs keep theirs too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/types/multicast_private.h"

static void key_of(int64_t group, char *key, size_t size)
{
	snprintf(key, size, "multicast-group-%lld", (long long)group);
}

void multicast_keep(struct cse *c, int64_t group, const struct hosted *h)
{
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	struct rd text = rd_of("", 0);
	char key[64];

	if (h) {
		json_object(&o, NULL);
		json_put_string(&o, "address", h->address);
		json_put_string(&o, "target", h->target);
		json_array(&o, "sites");
		for (size_t i = 0; i < h->count; i++) {
			json_object(&o, NULL);
			json_put_string(&o, "csi", h->sites[i].csi);
			json_put_string(&o, "made", h->sites[i].made);
			json_put_raw(&o, "members", rd_str(h->sites[i].members));
			json_close(&o);
		}
		json_close(&o);
		json_close(&o);
	}
	key_of(group, key, sizeof key);
	if (w.spoilt || (h && !wr_done(&w, &text)) || store_value_set(c->store, key, text) != OK)
		c->counts.refused++;
	cse_commit_later(c);
	wr_free(&w);
}

char *multicast_text(struct rd r)
{
	char *text = malloc(r.left + 1);

	if (!text)
		abort();
	memcpy(text, r.at, r.left);
	text[r.left] = '\0';
	return text;
}

struct loading {
	struct cse *cse;
	int64_t group;
};

static bool load(void *ctx, const struct store_row *row)
{
	struct loading *l = ctx;
	struct hosting *s = multicast_hosting(l->cse);
	struct json_arena *a = json_arena_new();
	struct hosted *h = calloc(1, sizeof *h);
	const struct json *doc, *sites;
	char csi[CSE_ID_MAX];

	if (!a || !h)
		abort();
	h->group = l->group;
	if (json_parse(a, row->body, NULL, &doc) == OK && json_text(json_get(doc, "address"), h->address, sizeof h->address) && json_text(json_get(doc, "target"), h->target, sizeof h->target)) {
		sites = json_get(doc, "sites");
		for (const struct json *e = sites ? sites->first : NULL; e && h->count < MULTICAST_SITES_MOST; e = e->next) {
			const struct json *members = json_get(e, "members");
			struct site *site = members && json_text(json_get(e, "csi"), csi, sizeof csi) ? multicast_add_site(h, csi) : NULL;

			if (!site)
				continue;
			site->members = multicast_text(members->source);
			if (!json_text(json_get(e, "made"), site->made, sizeof site->made))
				site->made[0] = '\0';
		}
		h->ready = true;
	}
	json_arena_free(a);
	h->next = s->first;
	s->first = h;
	return false;
}

void multicast_group_start(struct cse *c, struct resource *group)
{
	struct loading l = {c, group->id};
	char key[64];

	if (!c->config.multicast_send)
		return;
	key_of(group->id, key, sizeof key);
	if (store_value_get(c->store, key, load, &l) == ERR_STORE)
		c->counts.refused++;
}
