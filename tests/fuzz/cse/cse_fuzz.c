/* Any list of requests, answers of others and times against a CSE in memory. Each request is answered once, with a response status code that exists
 * and with JSON; what was created has an address; and at the end the tree is whole: every resource has its parent, says of itself what its row
 * says, has what its type demands, and a container counts its instances right.
 *
 * The input is lines: operation, target, originator, type, query and content, with blanks between. A small letter leaves the round of the loop open,
 * so that the next request shares its transaction. Others: "A code" answers the oldest request that went out, "T ms" lets time pass. */
#include <stdio.h>
#include <string.h>

#include "cse/cse.h"
#include "json/json.h"
#include "onem2m/rsc.h"
#include "store/store.h"
#include "cse/tree.h"
#include "onem2m/schema.h"
#include "../fuzz.h"

#define REQUESTS 64
#define OUTGOING 4096
#define DEPTH 40

struct outgoing {
	const struct onem2m_request *rq;
	cse_done *done;
	void *ctx;
};

struct request {
	struct onem2m_request rq;
	struct world *world;
	unsigned answers;
};

struct world {
	struct cse *cse;
	struct store *store;
	uint64_t now;
	void (*round)(void *);
	void *round_ctx;
	struct outgoing outgoing[OUTGOING];
	size_t first, count;
	struct request requests[REQUESTS];
	size_t request_count;
	struct json_arena *arena;
};

/* ---- the shell ---- */

static void on_send(void *ctx, const char *url, const char *target, const struct onem2m_request *rq, cse_done *done, void *done_ctx)
{
	struct world *w = ctx;

	MUST(url && target && w->count < OUTGOING);
	w->outgoing[(w->first + w->count++) % OUTGOING] = (struct outgoing){rq, done, done_ctx};
}

static uint64_t on_now(void *ctx)
{
	return ((struct world *)ctx)->now;
}

static uint64_t on_unix(void *ctx)
{
	return 1790000000000ULL + ((struct world *)ctx)->now;
}

static void on_defer(void *ctx, void (*fn)(void *), void *fn_ctx)
{
	struct world *w = ctx;

	MUST(!w->round);
	w->round = fn;
	w->round_ctx = fn_ctx;
}

static void on_wake_at(void *ctx, uint64_t at)
{
	MUST(at > ((struct world *)ctx)->now);
}

static void end_round(struct world *w)
{
	while (w->round) {
		void (*fn)(void *) = w->round;

		w->round = NULL;
		fn(w->round_ctx);
	}
}

static void answer_outgoing(struct world *w, enum onem2m_rsc rsc)
{
	const struct onem2m_response rsp = {.rsc = rsc, .content = rd_str("{\"m2m:dbg\":\"elsewhere\"}")};
	struct outgoing o = w->outgoing[w->first % OUTGOING];

	if (w->count == 0)
		return;
	w->first++;
	w->count--;
	MUST(o.rq->content.left == 0 || o.rq->content.at);
	o.done(o.ctx, &rsp);
}

/* ---- requests ---- */

static void on_done(void *ctx, const struct onem2m_response *rsp)
{
	struct request *r = ctx;
	const struct json *doc;

	r->answers++;
	MUST(r->answers == 1);
	MUST(strcmp(rsc_text(rsp->rsc), "unknown response status code") != 0 && rsc_http_status(rsp->rsc) >= 200);
	if (rsp->content.left > 0)
		MUST(json_parse(r->world->arena, rsp->content, NULL, &doc) == OK && doc->type == JSON_OBJECT && doc->count == 1);
	if (rsp->location.left > 0)
		MUST(rsp->rsc == RSC_CREATED);
	json_arena_reset(r->world->arena);
}

static struct rd word(struct rd *line)
{
	struct rd part;

	if (!rd_until(line, ' ', &part))
		part = rd_rest(line);
	return part;
}

static int number(struct rd query, const char *name)
{
	struct rd pair, key;
	uint64_t n;

	while (query.left > 0) {
		if (!rd_until(&query, '&', &pair))
			pair = rd_rest(&query);
		if (rd_until(&pair, '=', &key) && rd_is(key, name) && rd_decimal(pair, &n) && n < 100)
			return (int)n;
	}
	return -1;
}

static void submit(struct world *w, enum onem2m_operation operation, struct rd line)
{
	struct request *r = &w->requests[w->request_count];
	uint64_t type = 0;
	int drt;

	if (w->request_count == REQUESTS)
		return;
	w->request_count++;
	r->world = w;
	r->rq = (struct onem2m_request){.operation = operation, .request_id = rd_str("1"), .release = rd_str("3"), .peer = ""};
	r->rq.to = word(&line);
	r->rq.from = word(&line);
	r->rq.type = rd_decimal(word(&line), &type) && type < 100 ? (int)type : 0;
	r->rq.filter = word(&line);
	r->rq.rcn = number(r->rq.filter, "rcn");
	drt = number(r->rq.filter, "drt");
	r->rq.drt = drt < 0 ? 0 : drt;
	r->rq.content = rd_rest(&line);
	cse_submit(w->cse, &r->rq, on_done, r);
}

static void pass(struct world *w, struct rd ms)
{
	uint64_t n;

	if (!rd_decimal(ms, &n) || n > 1000000)
		return;
	w->now += n;
	cse_tick(w->cse);
}

static void step(struct world *w, struct rd line)
{
	struct rd operation = word(&line);
	uint64_t code;
	uint8_t c;

	if (!rd_u8(&operation, &c))
		return;
	switch (c & 0xdf) {
	case 'C':
		submit(w, ONEM2M_CREATE, line);
		break;
	case 'R':
		submit(w, ONEM2M_RETRIEVE, line);
		break;
	case 'U':
		submit(w, ONEM2M_UPDATE, line);
		break;
	case 'D':
		submit(w, ONEM2M_DELETE, line);
		break;
	case 'N':
		submit(w, ONEM2M_NOTIFY, line);
		break;
	case 'A':
		if (rd_decimal(line, &code) && code < 10000 && strcmp(rsc_text((enum onem2m_rsc)code), "unknown response status code") != 0)
			answer_outgoing(w, (enum onem2m_rsc)code);
		break;
	case 'T':
		pass(w, line);
		break;
	default:
		break;
	}
	if (!(c & 0x20))
		end_round(w);
}

/* ---- the tree ---- */

struct visit {
	struct world *w;
	const struct store_row *parent;
	unsigned depth;
	uint64_t seen, instances, octets;
};

static uint64_t uint_of(const struct json *body, const char *name)
{
	uint64_t n;

	MUST(json_uint(json_get(body, name), &n));
	return n;
}

static bool on_row(void *ctx, const struct store_row *row);

/* The parent's own words, which the row of the child must agree with. */
static void as_child(const struct store_row *row, const struct json *body, const struct store_row *parent, const char *parent_ri)
{
	if (!parent)
		return;
	MUST(json_is_string(json_get(body, "pi"), parent_ri) && schema_child(schema_type(parent->type), row->type));
	MUST(row->parent == parent->id);
}

static void ri_of(const struct store_row *row, char *ri, size_t size)
{
	tree_ri(ri, size, row->type, row->parent, row->id, row->instance);
	if (row->ri)
		snprintf(ri, size, "%s", row->ri);
}

static void whole(struct world *w, const struct store_row *row, const struct store_row *parent, unsigned depth, uint64_t *seen)
{
	struct visit v = {.w = w, .parent = row, .depth = depth + 1};
	const struct schema_type *type = schema_type(row->type);
	struct json_arena *arena = json_arena_new();
	char ri[256], parent_ri[256] = "";
	const struct json *body;

	ri_of(row, ri, sizeof ri);
	if (parent)
		ri_of(parent, parent_ri, sizeof parent_ri);
	MUST(type && json_parse(arena, row->body, NULL, &body) == OK && body->type == JSON_OBJECT);
	MUST(json_is_string(json_get(body, "rn"), row->rn ? row->rn : ri) && json_is_string(json_get(body, "ri"), ri) && uint_of(body, "ty") == (uint64_t)row->type);
	MUST(!type->root || row->type == TY_MGMT_OBJ || strcmp(type->root, row->root) == 0);
	as_child(row, body, parent, parent_ri);
	if (row->type != TY_CSE_BASE && row->type != TY_MGMT_OBJ)
		for (size_t i = 0; i < type->attribute_count; i++)
			MUST(type->attributes[i].create != SCHEMA_MANDATORY || json_get(body, type->attributes[i].name));
	if (!row->instance) {
		MUST(store_children(w->store, row->id, 0, 0, on_row, &v) == OK);
		MUST(store_instances(w->store, row->id, false, 0, on_row, &v) == OK);
	}
	if (row->type == TY_CONTAINER || row->type == TY_TIME_SERIES || (row->type == TY_FLEX_CONTAINER && json_get(body, "cni")))
		MUST(uint_of(body, "cni") == v.instances && uint_of(body, "cbs") == v.octets);
	*seen += v.seen + 1;
	json_arena_free(arena);
}

static bool on_row(void *ctx, const struct store_row *row)
{
	struct visit *v = ctx;
	const struct json *body;

	MUST(row->parent == v->parent->id && v->depth < DEPTH + REQUESTS);
	if (row->instance) {
		MUST(json_parse(v->w->arena, row->body, NULL, &body) == OK);
		v->instances++;
		v->octets += uint_of(body, "cs");
		json_arena_reset(v->w->arena);
	}
	whole(v->w, row, v->parent, v->depth, &v->seen);
	return true;
}

struct base {
	struct world *w;
	uint64_t seen;
	bool found;
};

static bool on_base(void *ctx, const struct store_row *row)
{
	struct base *b = ctx;

	b->found = true;
	whole(b->w, row, NULL, 0, &b->seen);
	return false;
}

static void end(struct world *w)
{
	struct base base = {w, 0, false};

	end_round(w);
	while (w->count > 0) {
		answer_outgoing(w, RSC_OK);
		end_round(w);
	}
	for (size_t i = 0; i < w->request_count; i++)
		MUST(w->requests[i].answers == 1);
	MUST(store_by_type(w->store, TY_CSE_BASE, 0, on_base, &base) == OK && base.found);
	MUST(base.seen == store_count(w->store));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct cse_config config = {.type = CSE_IN, .id = "/id-in", .name = "cse-in", .sp = "keyway.example", .admin = "CAdmin", .poa = "http://127.0.0.1:1"};
	static const struct store_options options = {.path = ":memory:", .cache_kib = 1024};
	static struct world w;
	const char *detail;
	const struct cse_transport transport = {on_send, on_now, on_unix, on_defer, on_wake_at, &w};
	struct rd in = rd_of(data, size), line;

	if (size > 2 * FUZZ_INPUT_MAX)
		return 0;
	memset(&w, 0, sizeof w);
	w.now = 1000;
	w.arena = json_arena_new();
	MUST(store_open(&options, &w.store, &detail) == OK && cse_new(&config, w.store, &transport, &w.cse) == OK);
	while (rd_line(&in, &line))
		step(&w, line);
	end(&w);
	cse_free(w.cse);
	store_close(w.store);
	json_arena_free(w.arena);
	return 0;
}
