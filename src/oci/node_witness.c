/* This node is a witness of the MEF's audit log: it keeps where the log ended when it asked last, on this host, and asks whether that is in the log still. */
#include "oci/node_private.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "key_registry/registration_codes.h"
#include "loop/http.h"
#include "loop/log.h"
#include "oci/mef_answer.h"

#define ASK_EVERY_MS (5 * 60 * 1000)
#define ASK_SOON_MS 500 /* after something that the log has a line about; all that comes meanwhile is asked after once */

struct witness {
	struct oci_node *node;
	struct loop_timer *timer;
	bool asking;
	char path[512], fresh[520];
	struct mef_witness known; /* seq 0: nothing */
};

/* "seq hash"; what is not that is nothing. */
static void load(struct witness *w)
{
	FILE *f = fopen(w->path, "re");
	unsigned long long seq;

	if (!f)
		return;
	if (fscanf(f, "%llu %64s", &seq, w->known.hash) == 2 && mef_hash_is_good(w->known.hash))
		w->known.seq = seq;
	else
		log_line(LOG_LEVEL_WARNING, "what this node knows of the MEF's audit log can't be read", "path=%s", w->path);
	fclose(f);
}

static bool save(const struct witness *w)
{
	int fd = open(w->fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool ok;

	if (fd < 0)
		return false;
	ok = dprintf(fd, "%llu %s\n", (unsigned long long)w->known.seq, w->known.hash) > 0 && fsync(fd) == 0;
	return close(fd) == 0 && ok && rename(w->fresh, w->path) == 0;
}

static void on_answer(struct witness *w, const struct mef_witness *now)
{
	if (!now->fits || now->seq < w->known.seq)
		log_line(LOG_LEVEL_ERROR, "the MEF's audit log is not the one that this node was told of: an old copy was put back, or lines were changed", "line=%llu hash=%s",
		    (unsigned long long)w->known.seq, w->known.hash);
	if (now->seq == w->known.seq && strcmp(now->hash, w->known.hash) == 0)
		return;
	w->known = *now;
	if (!save(w))
		log_line(LOG_LEVEL_ERROR, "what this node knows of the MEF's audit log can't be stored", "path=%s", w->path);
}

static void on_answered(void *ctx, const struct http_result *r)
{
	struct witness *w = ctx;
	struct json_arena *a = json_arena_new();
	struct mef_witness now;
	const struct json *doc;

	w->asking = false;
	if (a && r->error == OK && r->status < 300 && json_parse(a, r->body, NULL, &doc) == OK && mef_witness_parse(doc, &now))
		on_answer(w, &now);
	json_arena_free(a);
	loop_timer_in(w->timer, ASK_EVERY_MS);
}

static void on_time(void *ctx)
{
	struct witness *w = ctx;
	char body[200];

	if (w->asking)
		return;
	if (w->known.seq)
		snprintf(body, sizeof body, "{\"" REGISTRATION_WITNESS "\":{\"seq\":%llu,\"hash\":\"%s\"}}", (unsigned long long)w->known.seq, w->known.hash);
	else
		snprintf(body, sizeof body, "{\"" REGISTRATION_WITNESS "\":{\"seq\":0}}");
	w->asking = mef_post(w->node, "witness", rd_str(body), on_answered, w);
	if (!w->asking)
		loop_timer_in(w->timer, ASK_EVERY_MS); /* or when we are registered again */
}

void witness_start(struct oci_node *n)
{
	struct witness *w = calloc(1, sizeof *w);

	if (!w)
		abort();
	w->node = n;
	w->timer = loop_timer_new(n->loop, on_time, w);
	snprintf(w->path, sizeof w->path, "%s/witness", n->config.state);
	snprintf(w->fresh, sizeof w->fresh, "%s.new", w->path);
	load(w);
	n->witness = w;
}

void witness_soon(struct oci_node *n)
{
	loop_timer_in(n->witness->timer, ASK_SOON_MS);
}
