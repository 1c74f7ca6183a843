/* When the children are stored. */
#include "gateway/children_keeper.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/children_file.h"
#include "loop/log.h"

struct children_keeper {
	struct loop *loop;
	char path[512];
	struct coordinator *coordinator;
	uint32_t epoch;
	void (*gather)(void *ctx);
	void *ctx;
	bool changed, deferred;
	uint64_t saves;
};

struct children_keeper *children_keeper_new(struct loop *l, const char *path, struct coordinator *c, uint32_t epoch, void (*gather)(void *ctx), void *ctx)
{
	struct children_keeper *k = calloc(1, sizeof *k);

	if (!k)
		abort();
	k->loop = l;
	snprintf(k->path, sizeof k->path, "%s", path);
	k->coordinator = c;
	k->epoch = epoch;
	k->gather = gather;
	k->ctx = ctx;
	return k;
}

static void on_round_end(void *ctx)
{
	struct children_keeper *k = ctx;

	k->deferred = false;
	children_flush(k);
}

void children_keeper_free(struct children_keeper *k)
{
	if (!k)
		return;
	if (k->deferred)
		loop_defer_cancel(k->loop, on_round_end, k);
	children_flush(k);
	free(k);
}

void children_changed(struct children_keeper *k)
{
	k->changed = true;
	if (k->deferred)
		return;
	k->deferred = true;
	loop_defer(k->loop, on_round_end, k);
}

void children_flush(struct children_keeper *k)
{
	if (!k->changed)
		return;
	k->changed = false;
	k->saves++;
	k->gather(k->ctx);
	if (children_save(k->path, k->coordinator, k->epoch) != OK)
		log_line(LOG_LEVEL_ERROR, "children cannot be stored", "path=%s", k->path);
}

uint64_t children_saves(const struct children_keeper *k)
{
	return k->saves;
}
