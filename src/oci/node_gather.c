/* UPDATEs of devices that are in Zigbee groups: a group's fan-out point makes one of each member, and they come here one after another. */
#include "oci/node_group.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "json/json.h"

#define WAIT_MS 25       /* after the last one */
#define WAIT_MOST_MS 250 /* after the first one */
#define MOST 1024

struct gathered {
	uint64_t device;
	char name[32];
	char *text;
};

struct gather {
	struct oci_node *node;
	struct loop_timer *timer;
	struct gathered *list;
	size_t count;
	uint64_t first_at;
};

void gather_flush(struct oci_node *n)
{
	struct gather *g = n->gather;
	struct json_arena *a;
	struct oci_update *updates;
	size_t count = 0;

	if (g->count == 0)
		return;
	a = json_arena_new();
	updates = calloc(g->count, sizeof *updates);
	if (!a || !updates)
		abort();
	for (size_t i = 0; i < g->count; i++) {
		updates[count].eui64 = g->list[i].device;
		updates[count].name = g->list[i].name;
		count += json_parse(a, rd_str(g->list[i].text), NULL, &updates[count].members) == OK;
	}
	if (count > 0)
		oci_core_updates(n->core, clock_ms(), updates, count);
	for (size_t i = 0; i < g->count; i++)
		free(g->list[i].text);
	g->count = 0;
	free(updates);
	json_arena_free(a);
}

static void on_time(void *ctx)
{
	struct gather *g = ctx;

	gather_flush(g->node);
	node_pump(g->node);
}

static bool waits(const struct gather *g, uint64_t device, const char *name)
{
	for (size_t i = 0; i < g->count; i++)
		if (g->list[i].device == device && strcmp(g->list[i].name, name) == 0)
			return true;
	return false;
}

void gather_update(struct oci_node *n, uint64_t device, const char *name, const struct json *members)
{
	struct gather *g = n->gather;
	struct gathered *k;
	uint64_t now = clock_ms();

	if (g->count == MOST || waits(g, device, name))
		gather_flush(n);
	if (g->count == 0)
		g->first_at = now;
	k = &g->list[g->count++];
	*k = (struct gathered){.device = device, .text = malloc(members->source.left + 1)};
	if (!k->text || !rd_text(members->source, k->text, members->source.left + 1) || !rd_text(rd_str(name), k->name, sizeof k->name))
		abort();
	loop_timer_at(g->timer, now + WAIT_MS < g->first_at + WAIT_MOST_MS ? now + WAIT_MS : g->first_at + WAIT_MOST_MS);
}

void gather_make(struct oci_node *n)
{
	struct gather *g = calloc(1, sizeof *g);

	if (!g || (g->list = calloc(MOST, sizeof *g->list)) == NULL)
		abort();
	g->node = n;
	g->timer = loop_timer_new(n->loop, on_time, g);
	n->gather = g;
}
