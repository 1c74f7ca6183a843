/* The bench that the tests of the CSE run on. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts ---- */

static const char *kept(struct rig *g, struct rd text)
{
	char *copy = json_arena_alloc(g->arena, text.left + 1);

	assert_non_null(copy);
	if (text.left > 0)
		memcpy(copy, text.at, text.left);
	return copy;
}

static struct rd kept_rd(struct rig *g, struct rd text)
{
	return rd_of(kept(g, text), text.left);
}

const char *rig_fmt(struct rig *g, const char *fmt, ...)
{
	static char text[65536];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return kept(g, rd_str(text));
}

const char *rig_json(struct rig *g, const char *text)
{
	char *copy = json_arena_alloc(g->arena, strlen(text) + 1);

	assert_non_null(copy);
	for (size_t i = 0; text[i]; i++)
		copy[i] = text[i] == '\'' ? '"' : text[i];
	return copy;
}

static const struct json *parsed(struct rig *g, const char *content)
{
	const struct json *doc;

	if (!content[0])
		return NULL;
	if (json_parse(g->arena, rd_str(content), NULL, &doc) != OK)
		fail_msg("no JSON: %s", content);
	return doc;
}

const char *rig_time(struct rig *g, int64_t ms)
{
	char text[TIMESTAMP_SIZE];

	timestamp_print_precise(text, (uint64_t)((int64_t)g->unix_ms + ms));
	return kept(g, rd_str(text));
}

/* ---- transport ---- */

static struct onem2m_request kept_request(struct rig *g, const struct onem2m_request *rq)
{
	struct onem2m_request k = *rq;
	struct rd *const texts[] = {&k.to, &k.from, &k.request_id, &k.release, &k.vendor, &k.filter, &k.content, &k.rt_nu, &k.ot, &k.rqet, &k.rset,
		&k.oet, &k.rp, &k.ec, &k.gid, &k.tokens, &k.token_ids, &k.local_token_ids, &k.role_ids, &k.address};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		*texts[i] = kept_rd(g, *texts[i]);
	if (!rq->rt_nu.at)
		k.rt_nu = rd_of(NULL, 0); /* none is another thing than an empty list */
	k.peer = "";
	return k;
}

static void transport_send(void *transport, const char *url, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct rig *g = transport;
	struct sent *s = &g->sent[g->sent_count];

	assert_true(g->sent_count < RIG_SENT_MAX);
	g->sent_count++;
	s->url = kept(g, rd_str(url));
	s->target_id = kept(g, rd_str(target_id));
	s->rq = kept_request(g, rq);
	s->to = (const char *)s->rq.to.at;
	s->from = (const char *)s->rq.from.at;
	s->content = (const char *)s->rq.content.at;
	s->doc = parsed(g, s->content);
	s->done = done;
	s->ctx = ctx;
}

static uint64_t transport_now(void *transport)
{
	return ((struct rig *)transport)->mono_ms;
}

static uint64_t transport_unix(void *transport)
{
	return ((struct rig *)transport)->unix_ms;
}

static void transport_defer(void *transport, void (*fn)(void *), void *ctx)
{
	struct rig *g = transport;

	assert_true(g->deferred_count < sizeof g->deferred / sizeof g->deferred[0]);
	g->deferred[g->deferred_count].fn = fn;
	g->deferred[g->deferred_count++].ctx = ctx;
}

static void transport_wake(void *transport, uint64_t at)
{
	struct rig *g = transport;

	if (at < g->wake)
		g->wake = at;
}

/* ---- rounds ---- */

static bool run_deferred(struct rig *g)
{
	size_t n = g->deferred_count;
	void (*fn)(void *);
	void *ctx;

	for (size_t i = 0; i < n; i++) {
		fn = g->deferred[0].fn;
		ctx = g->deferred[0].ctx;
		g->deferred_count--;
		memmove(g->deferred, g->deferred + 1, g->deferred_count * sizeof g->deferred[0]);
		fn(ctx);
	}
	return n > 0;
}

static bool rule_of(struct rig *g, const char *url, bool *hold, enum onem2m_rsc *rsc)
{
	for (size_t i = 0; i < g->rule_count; i++) {
		if (strncmp(url, g->rules[i].url, strlen(g->rules[i].url)) != 0)
			continue;
		*hold = g->rules[i].hold;
		*rsc = g->rules[i].rsc;
		return true;
	}
	return false;
}

static void reply(struct sent *s, enum onem2m_rsc rsc, const char *content)
{
	struct onem2m_response rsp = {.rsc = rsc, .content = rd_str(content)};
	cse_done *done = s->done;

	s->done = NULL;
	done(s->ctx, &rsp);
}

static bool run_network(struct rig *g)
{
	bool did = false;

	for (size_t i = 0; i < g->sent_count; i++) {
		enum onem2m_rsc rsc = RSC_OK;
		bool hold = false;

		if (!g->sent[i].done)
			continue;
		rule_of(g, g->sent[i].url, &hold, &rsc);
		if (hold)
			continue;
		reply(&g->sent[i], rsc, "");
		did = true;
	}
	return did;
}

static bool run_timers(struct rig *g)
{
	if (g->wake > g->mono_ms)
		return false;
	g->wake = UINT64_MAX;
	cse_tick(g->cse);
	return true;
}

void rig_settle(struct rig *g)
{
	for (unsigned rounds = 0; run_deferred(g) || run_network(g) || run_timers(g); rounds++)
		assert_true(rounds < 100000);
}

void rig_advance(struct rig *g, uint64_t ms)
{
	uint64_t end = g->mono_ms + ms;

	rig_settle(g);
	while (g->mono_ms < end) {
		uint64_t next = g->wake < end ? g->wake : end;

		g->unix_ms += next - g->mono_ms;
		g->mono_ms = next;
		rig_settle(g);
	}
}

/* ---- life ---- */

static void start(struct rig *g)
{
	const struct cse_transport t = {transport_send, transport_now, transport_unix, transport_defer, transport_wake, g};

	g->wake = UINT64_MAX;
	assert_int_equal(cse_new(&g->config, g->store, &t, &g->cse), OK);
	rig_settle(g);
}

struct rig *rig_new_as(enum cse_type type, const char *id, const char *name)
{
	struct rig *g = calloc(1, sizeof *g);
	const struct store_options options = {.path = ":memory:"};
	const char *detail = "";

	assert_non_null(g);
	g->arena = json_arena_new();
	g->unix_ms = RIG_START_UNIX;
	g->mono_ms = RIG_START_MONO;
	g->config = (struct cse_config){
		.type = type,
		.id = id,
		.name = name,
		.sp = "acme.example.com",
		.admin = "CAdmin",
		.poa = "http://cse.example",
		.cse_originators = "/*",
		.open_create = "1,26",
		.verify_subscriptions = true,
		.testbench = true,
	};
	if (store_open(&options, &g->store, &detail) != OK)
		fail_msg("%s", detail);
	start(g);
	return g;
}

struct rig *rig_new(void)
{
	return rig_new_as(CSE_IN, "/id-in", "cse-in");
}

/* Nobody answers any more; so that what waits for the network lets go of its memory. */
static void hang_up(struct rig *g)
{
	for (size_t i = 0; i < g->sent_count; i++)
		if (g->sent[i].done)
			reply(&g->sent[i], RSC_TARGET_NOT_REACHABLE, "");
}

void rig_restart(struct rig *g)
{
	hang_up(g);
	g->deferred_count = 0;
	store_rollback(g->store);
	cse_free(g->cse);
	start(g);
}

void rig_free(struct rig *g)
{
	if (!g)
		return;
	hang_up(g);
	for (size_t i = 0; i < g->answer_count; i++)
		assert_true(g->answers[i]->times <= 1);
	cse_free(g->cse);
	store_close(g->store);
	json_arena_free(g->arena);
	free(g);
}

/* ---- requests ---- */

struct asked {
	struct rig *rig;
	struct answer answer;
};

static void on_answer(void *ctx, const struct onem2m_response *rsp)
{
	struct asked *k = ctx;
	struct answer *a = &k->answer;

	a->come = true;
	a->times++;
	a->rsc = rsp->rsc;
	a->content = kept(k->rig, rsp->content);
	a->location = kept(k->rig, rsp->location);
	a->ati = kept(k->rig, rsp->ati);
	a->cts = rsp->cts;
	a->cto = rsp->cto;
	a->doc = parsed(k->rig, a->content);
}

const struct answer *rig_ask(struct rig *g, struct onem2m_request rq)
{
	struct asked *k = json_arena_alloc(g->arena, sizeof *k);
	struct onem2m_request *copy = json_arena_alloc(g->arena, sizeof *copy);

	assert_non_null(k);
	assert_non_null(copy);
	k->rig = g;
	k->answer.content = k->answer.location = k->answer.ati = "";
	if (rq.from.left == 0 && !rq.from.at)
		rq.from = rd_str("CAdmin");
	if (rq.release.left == 0)
		rq.release = rd_str("4");
	if (rq.request_id.left == 0)
		rq.request_id = rd_str(rig_fmt(g, "q%llu", (unsigned long long)++g->numbers));
	*copy = kept_request(g, &rq);
	if (g->answer_count < sizeof g->answers / sizeof g->answers[0])
		g->answers[g->answer_count++] = &k->answer;
	cse_submit(g->cse, copy, on_answer, k);
	rig_settle(g);
	return &k->answer;
}

static struct rd from_of(const char *from)
{
	return rd_str(from ? from : "");
}

const struct answer *rig_create(struct rig *g, const char *from, const char *to, int ty, const char *json)
{
	return rig_ask(g, (struct onem2m_request){.operation = ONEM2M_CREATE, .from = from_of(from), .to = rd_str(to), .type = ty, .rcn = ONEM2M_RCN_ABSENT,
	    .content = rd_str(rig_json(g, json))});
}

static bool take_number(struct rd field, const char *name, int *n)
{
	uint64_t v;

	if (!rd_starts(field, name) || !rd_skip(&field, strlen(name)) || !rd_decimal(field, &v))
		return false;
	*n = (int)v;
	return true;
}

/* Bindings take rcn and drt out of the query; so does this. */
const struct answer *rig_retrieve(struct rig *g, const char *from, const char *to)
{
	struct onem2m_request rq = {.operation = ONEM2M_RETRIEVE, .from = from_of(from), .rcn = ONEM2M_RCN_ABSENT};
	struct rd query = rd_str(to), part;
	const char *rest = "";

	if (rd_until(&query, '?', &part)) {
		rq.to = part;
		while (query.left > 0) {
			if (!rd_until(&query, '&', &part))
				part = rd_rest(&query);
			if (!take_number(part, "rcn=", &rq.rcn) && !take_number(part, "drt=", &rq.drt))
				rest = rig_fmt(g, "%s%s%.*s", rest, rest[0] ? "&" : "", (int)part.left, (const char *)part.at);
		}
		rq.filter = rd_str(rest);
	} else {
		rq.to = query;
	}
	return rig_ask(g, rq);
}

const struct answer *rig_update(struct rig *g, const char *from, const char *to, const char *json)
{
	return rig_ask(g, (struct onem2m_request){.operation = ONEM2M_UPDATE, .from = from_of(from), .to = rd_str(to), .rcn = ONEM2M_RCN_ABSENT,
	    .content = rd_str(rig_json(g, json))});
}

const struct answer *rig_delete(struct rig *g, const char *from, const char *to)
{
	return rig_ask(g, (struct onem2m_request){.operation = ONEM2M_DELETE, .from = from_of(from), .to = rd_str(to), .rcn = ONEM2M_RCN_ABSENT});
}

const struct answer *rig_notify(struct rig *g, const char *from, const char *to, const char *json)
{
	return rig_ask(g, (struct onem2m_request){.operation = ONEM2M_NOTIFY, .from = from_of(from), .to = rd_str(to), .rcn = ONEM2M_RCN_ABSENT,
	    .content = rd_str(rig_json(g, json))});
}

void rig_ae(struct rig *g, const char *ae_id, const char *name, const char *more)
{
	const char *body = rig_fmt(g, "{'m2m:ae':{'rn':'%s','api':'Ntest','rr':true,'srv':['3','4']%s%s}}", name, more[0] ? "," : "", more);

	assert_rsc(rig_create(g, ae_id, g->config.name, TY_AE, body), RSC_CREATED);
}

const char *rig_ri(struct rig *g, const char *to)
{
	const struct answer *a = rig_retrieve(g, "CAdmin", to);
	struct rd ri;

	assert_rsc(a, RSC_OK);
	assert_true(json_string(json_get(a->doc->first, "ri"), &ri));
	return kept(g, ri);
}

/* ---- the network ---- */

static void rule(struct rig *g, const char *url, bool hold, enum onem2m_rsc rsc)
{
	size_t i = 0;

	while (i < g->rule_count && strcmp(g->rules[i].url, url) != 0)
		i++;
	if (i == g->rule_count) {
		assert_true(i < sizeof g->rules / sizeof g->rules[0]);
		g->rules[i].url = kept(g, rd_str(url));
		g->rule_count++;
	}
	g->rules[i].hold = hold;
	g->rules[i].rsc = rsc;
}

void rig_network(struct rig *g, const char *url, enum onem2m_rsc rsc)
{
	rule(g, url, false, rsc);
}

void rig_hold(struct rig *g, const char *url)
{
	rule(g, url, true, RSC_OK);
}

void rig_reply(struct rig *g, size_t index, enum onem2m_rsc rsc, const char *json)
{
	assert_true(index < g->sent_count);
	assert_non_null(g->sent[index].done);
	reply(&g->sent[index], rsc, rig_json(g, json));
	rig_settle(g);
}

void rig_forget_sent(struct rig *g)
{
	rig_settle(g);
	for (size_t i = 0; i < g->sent_count; i++)
		assert_null(g->sent[i].done);
	g->sent_count = 0;
}

size_t rig_count_sent(const struct rig *g, const char *url)
{
	size_t n = 0;

	for (size_t i = 0; i < g->sent_count; i++)
		n += strncmp(g->sent[i].url, url, strlen(url)) == 0;
	return n;
}

const struct sent *rig_last_sent(const struct rig *g, const char *url)
{
	for (size_t i = g->sent_count; i-- > 0;)
		if (strncmp(g->sent[i].url, url, strlen(url)) == 0)
			return &g->sent[i];
	return NULL;
}

/* ---- asserting ---- */

void assert_rsc_at(const struct answer *a, enum onem2m_rsc rsc, const char *file, int line)
{
	if (!a->come)
		print_error("no answer came\n");
	else if (a->rsc != rsc)
		print_error("answered %d instead of %d: %s\n", (int)a->rsc, (int)rsc, a->content);
	if (!a->come || a->rsc != rsc)
		_fail(file, line);
}

static char *quoted(const char *text)
{
	char *copy = strdup(text);

	for (char *c = copy; c && *c; c++)
		if (*c == '\'')
			*c = '"';
	return copy;
}

void assert_json_at(const struct json *doc, const char *path, const char *expected, const char *file, int line)
{
	const struct json *v = json_path(doc, path), *e;
	struct json_arena *a = json_arena_new();
	char *text = expected ? quoted(expected) : NULL;
	bool ok = expected ? text && v && json_parse(a, rd_str(text), NULL, &e) == OK && json_equal(v, e) : !v;

	if (!ok)
		print_error("`%s` is %.*s, not %s; in %.*s\n", path, v ? (int)v->source.left : 6, v ? (const char *)v->source.at : "absent", expected ? expected : "absent",
		    doc ? (int)doc->source.left : 0, doc ? (const char *)doc->source.at : "");
	free(text);
	json_arena_free(a);
	if (!ok)
		_fail(file, line);
}
