/* One request on its way: its answer, its failure, its content. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/gate.h"
#include "cse/access.h"
#include "cse/commit.h"
#include "cse/customs.h"
#include "cse/notify/outbox.h"
#include "cse/release1.h"
#include "semantics/semantics.h"

/* An exchange is large, because of its filter's lists: a few are kept, which spares the allocator more than it looks. */
#define SPARE_EXCHANGES 64
#define SPARE_ROOM 8192 /* octets that one of them keeps in its writer */

struct exchange *exchange_new(struct cse *c)
{
	struct exchange *x = c->spare;
	struct wr room = x ? x->room : wr_new(CSE_BODY_MAX * 4);

	if (x) {
		c->spare = x->next_spare;
		c->spare_count--;
	} else {
		x = malloc(sizeof *x);
	}
	if (!x)
		abort();
	memset(x, 0, offsetof(struct exchange, filter.labels));
	x->room = room;
	x->arena = json_arena_new();
	if (!x->arena)
		abort();
	x->cse = c;
	return x;
}

void exchange_spares_free(struct cse *c)
{
	while (c->spare) {
		struct exchange *x = c->spare;

		c->spare = x->next_spare;
		wr_free(&x->room);
		free(x);
	}
}

struct wr *exchange_room(struct exchange *x)
{
	wr_reset(&x->room);
	return &x->room;
}

const char *exchange_text(struct exchange *x, struct rd text)
{
	char *copy = json_arena_alloc(x->arena, text.left + 1);

	if (!copy)
		abort();
	if (text.left > 0)
		memcpy(copy, text.at, text.left);
	return copy; /* the arena gives zeros */
}

static void exchange_free(struct exchange *x)
{
	struct cse *c = x->cse;

	if (x->running)
		*x->running = NULL;
	sparql_free(x->query);
	json_arena_free(x->arena);
	resource_unref(x->target);
	if (x->room.capacity > SPARE_ROOM || c->spare_count == SPARE_EXCHANGES)
		wr_free(&x->room);
	if (c->spare_count < SPARE_EXCHANGES) {
		x->next_spare = c->spare;
		c->spare = x;
		c->spare_count++;
	} else {
		free(x);
	}
}

void exchange_tell(struct exchange *x, enum onem2m_rsc rsc, struct rd content, struct rd location)
{
	struct onem2m_response rsp = {.rsc = rsc, .content = content, .composed = x->composed, .location = location, .cts = x->cts, .cto = x->cto};
	char stamp[TIMESTAMP_SIZE];

	if (x->rq->ot.left > 0) {
		timestamp_print_precise(stamp, cse_now(x->cse));
		rsp.ot = rd_str(stamp);
	}
	rsp.rset = x->rq->rset;
	rsp.ati = access_assigned(x);
	rsp.silent = x->rq->rt == ONEM2M_NO_RESPONSE;
	if (rsc >= 4000)
		x->cse->counts.refused++;
	else
		stats_count(x, content.left);
	if (x->cse->config.trace)
		x->cse->config.trace(x->cse->config.trace_ctx, x->rq, &rsp);
	x->done(x->ctx, &rsp);
	exchange_free(x);
}

static bool writes(enum onem2m_rsc rsc)
{
	return rsc == RSC_CREATED || rsc == RSC_UPDATED || rsc == RSC_DELETED || rsc == RSC_ACCEPTED || rsc == RSC_ACCEPTED_SYNCH || rsc == RSC_ACCEPTED_ASYNCH;
}

static struct rd keep(struct exchange *x, struct rd text)
{
	uint8_t *room;

	if (text.left == 0 || text.at == x->room.octets)
		return text;
	room = json_arena_alloc(x->arena, text.left);
	if (!room)
		abort();
	memcpy(room, text.at, text.left);
	return rd_of(room, text.left);
}

void exchange_answer(struct exchange *x, enum onem2m_rsc rsc, struct rd content, struct rd location)
{
	struct cse *c = x->cse;

	exchange_keep(x);
	if (!writes(rsc) || x->within) {
		/* what a retrieval or a refusal changed on its way (counters, expiry) is no part of its answer */
		if (store_dirty(c->store))
			cse_commit_later(c);
		exchange_tell(x, rsc, content, location);
		return;
	}
	commit_answers(x, rsc, keep(x, content), keep(x, location));
}

void exchange_answer_composed(struct exchange *x, enum onem2m_rsc rsc, struct rd content, struct rd location)
{
	x->composed = true;
	exchange_answer(x, rsc, content, location);
}

static void answer_debug(struct exchange *x, enum onem2m_rsc rsc, const char *text)
{
	char body[1200];
	struct wr w = wr_of(body, sizeof body);
	struct json_out o = json_out(&w);
	struct rd content = rd_of("", 0);

	json_object(&o, NULL);
	json_put_string(&o, "m2m:dbg", text);
	json_close(&o);
	if (!wr_done(&w, &content))
		content = rd_of("", 0);
	exchange_answer_composed(x, rsc, content, rd_str(""));
}

void exchange_fail(struct exchange *x, enum onem2m_rsc rsc, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (x->saved) {
		x->saved = false;
		store_undo(x->cse->store);
		tree_forget(x->cse->tree);
		outbox_undo(x->cse, x->mark);
	}
	if (rsc != RSC_ORIGINATOR_HAS_NO_PRIVILEGE || !access_consult(x, text))
		answer_debug(x, rsc, text);
}

static void nobody(void *ctx, const struct onem2m_response *rsp)
{
	(void)ctx;
	(void)rsp;
}

void exchange_abandon(struct exchange *x)
{
	static const struct onem2m_request none = {.rcn = ONEM2M_RCN_ABSENT, .peer = ""};

	if (x->running)
		*x->running = NULL;
	x->running = NULL;
	x->abandoned = true;
	x->rq = &none; /* that of its transaction goes */
	x->done = nobody;
}

void exchange_store_failed(struct exchange *x, enum err e)
{
	struct cse *c = x->cse;

	if (!x->saved && store_dirty(c->store)) {
		c->round_broken = true;
		cse_commit_later(c);
	}
	exchange_fail(x, RSC_INTERNAL_SERVER_ERROR, "%s: %s", e == ERR_FULL ? "no room left" : "the store failed", store_detail(c->store));
}

bool exchange_save(struct exchange *x)
{
	enum err e;

	if (x->saved)
		return true;
	e = tree_flush(x->cse->tree);
	if (e == OK)
		e = store_savepoint(x->cse->store);
	if (e != OK) {
		exchange_store_failed(x, e);
		return false;
	}
	x->saved = true;
	x->mark = outbox_mark(x->cse);
	return true;
}

void exchange_keep(struct exchange *x)
{
	if (!x->saved)
		return;
	x->saved = false;
	if (store_release(x->cse->store) != OK)
		store_undo(x->cse->store);
}

const struct json *exchange_content(struct exchange *x, const char *root, const struct json **document)
{
	const struct json *doc;
	size_t where = 0;
	enum err e;

	if (x->rq->content.left == 0) {
		exchange_fail(x, RSC_BAD_REQUEST, "the request has no content");
		return NULL;
	}
	e = json_parse(x->arena, x->rq->content, &where, &doc);
	if (e != OK) {
		exchange_fail(x, RSC_BAD_REQUEST, "the content is no JSON: %s at octet %zu", e == ERR_TOO_LONG ? "nested too deeply" : "error", where);
		return NULL;
	}
	if (doc->type == JSON_OBJECT && doc->count == 1 && release1_is(x))
		doc = release1_content(x, doc);
	if (doc->type == JSON_OBJECT && doc->count == 1 && x->cse->config.customs && (doc = customs_content(x, doc)) == NULL)
		return NULL;
	if (document)
		*document = doc;
	if (doc->type != JSON_OBJECT || doc->count != 1 || (root && !rd_is(doc->first->key, root))) {
		exchange_fail(x, doc->type == JSON_OBJECT && doc->count == 1 ? RSC_CONTENTS_UNACCEPTABLE : RSC_BAD_REQUEST, "the content must be one object under `%s`", root ? root : "the resource type's name");
		return NULL;
	}
	if (doc->first->type != JSON_OBJECT) {
		exchange_fail(x, RSC_BAD_REQUEST, "the value of `%.*s` must be an object", (int)doc->first->key.left, (const char *)doc->first->key.at);
		return NULL;
	}
	if (json_depth(doc->first) > CSE_DEPTH_MAX) {
		exchange_fail(x, RSC_BAD_REQUEST, "the content nests more than %d deep", CSE_DEPTH_MAX);
		return NULL;
	}
	return doc->first;
}
