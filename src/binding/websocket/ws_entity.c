/* Who is reached over which connection. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binding/websocket/ws_private.h"

static size_t bucket_of(const char *id)
{
	uint32_t hash = 2166136261U; /* FNV-1a; who could choose IDs to collide is registered here, and bounded by connections */

	for (; *id; id++)
		hash = (hash ^ (unsigned char)*id) * 16777619U;
	return hash % WS_BUCKETS;
}

static void drop(struct websocket_binding *b, struct ws_entity *e)
{
	struct ws_entity **at = &b->entities[bucket_of(e->id)];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	free(e);
}

void ws_entity_note(struct ws_peer *p, const char *id)
{
	struct websocket_binding *b = p->binding;
	struct ws_entity *e, **bucket = &b->entities[bucket_of(id)];

	for (size_t i = 0; i < p->entity_count; i++)
		if (strcmp(p->entities[i]->id, id) == 0)
			return;
	if (p->entity_count == WS_IDS_MAX) {
		drop(b, p->entities[0]);
		memmove(p->entities, p->entities + 1, (WS_IDS_MAX - 1) * sizeof p->entities[0]);
		p->entity_count--;
	}
	e = calloc(1, sizeof *e);
	if (!e)
		abort();
	e->peer = p;
	snprintf(e->id, sizeof e->id, "%s", id);
	e->next = *bucket;
	*bucket = e;
	p->entities[p->entity_count++] = e;
}

struct ws_peer *ws_entity_find(const struct websocket_binding *b, const char *id, uint64_t before)
{
	struct ws_peer *found = NULL;

	for (struct ws_entity *e = b->entities[bucket_of(id)]; e; e = e->next)
		if (strcmp(e->id, id) == 0 && e->peer->state == WS_OPEN && e->peer->number < before && (!found || e->peer->number > found->number))
			found = e->peer;
	return found;
}

void ws_entities_forget(struct ws_peer *p)
{
	for (size_t i = 0; i < p->entity_count; i++)
		drop(p->binding, p->entities[i]);
	p->entity_count = 0;
}

static bool join(char *id, size_t size, const char *before, const char *slash, const char *text)
{
	struct wr w = wr_of(id, size);

	wr_str(&w, before);
	wr_str(&w, slash);
	wr_str(&w, text);
	wr_u8(&w, 0);
	return !w.spoilt;
}

/* "//sp/id-in/Cx" is "/id-in/Cx", "Cx" is "/id-in/Cx". */
bool ws_entity_id(const struct identity_self *self, struct rd from, char *id, size_t size)
{
	struct rd rest = from, part;
	char text[WS_ID_MAX];
	size_t own = strlen(self->own_id);

	if (rd_starts(from, "//")) {
		if (!rd_skip(&rest, 2) || !rd_until(&rest, '/', &part) || !rd_is(part, self->sp))
			return false;
		from = rd_of(rest.at - 1, rest.left + 1);
	}
	if (from.left == 0 || !rd_text(from, text, sizeof text))
		return false;
	if (text[0] != '/')
		return !strchr(text, '/') && join(id, size, self->own_id, "/", text);
	if (strchr(text + 1, '/') && (strncmp(text, self->own_id, own) != 0 || text[own] != '/' || strchr(text + own + 1, '/')))
		return false;
	return text[1] != '\0' && join(id, size, text, "", "");
}
