/* Life of a CSE: its base, its start from the store, its internal AEs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/commit.h"
#include "cse/private.h"
#include "cse/types/types.h"

#define CACHE_DEFAULT (64u << 20)

static bool take_base(void *ctx, const struct store_row *row)
{
	struct cse *c = ctx;

	if (row->parent == 0)
		c->base_id = row->id;
	return c->base_id == 0;
}

static enum err make_base(struct cse *c)
{
	struct json_arena *arena = json_arena_new();
	struct wr text = wr_new(4096);
	struct resource_new n = {.type = TY_CSE_BASE, .id = tree_new_id(c->tree), .ri = c->config.resource_id ? c->config.resource_id : c->config.id + 1, .rn = c->config.name, .own_ri = true, .own_rn = true, .root = "m2m:cb", .creator = c->config.id};
	struct attributes a;
	struct resource *made = NULL;
	uint64_t now = cse_now(c);
	enum err e = ERR_STORE;

	attributes_init(&a, arena, NULL);
	attributes_set_uint(&a, "ty", TY_CSE_BASE);
	attributes_set_string(&a, "ri", n.ri);
	attributes_set_string(&a, "rn", n.rn);
	attributes_set_string(&a, "pi", "");
	attributes_set_time(&a, "ct", now);
	attributes_set_time(&a, "lt", now);
	attributes_write(&a, &text);
	if (n.id > 0 && wr_done(&text, &n.text))
		e = tree_insert(c->tree, &n, &made);
	if (e == OK)
		c->base_id = made->id;
	resource_unref(made);
	if (e == OK)
		e = store_commit(c->store);
	wr_free(&text);
	json_arena_free(arena);
	return e;
}

static void on_expiry(struct cse *c, struct cse_timer *t)
{
	(void)t;
	cse_expire(c);
}

struct starting {
	struct cse *cse;
	const struct type_hooks *hooks;
};

static bool start_resource(void *ctx, struct resource *r)
{
	struct starting *s = ctx;

	s->hooks->start(s->cse, r);
	return true;
}

static void start_type(void *ctx, const struct type_hooks *h)
{
	struct starting s = {ctx, h};

	if (h->start && tree_by_type(s.cse->tree, h->type, start_resource, &s) != OK)
		s.cse->counts.refused++;
}

enum err cse_new(const struct cse_config *config, struct store *store, const struct cse_transport *t, struct cse **out)
{
	struct cse *c = calloc(1, sizeof *c);
	enum err e;

	if (!c)
		return ERR_NO_MEMORY;
	c->config = *config;
	c->store = store;
	c->transport = *t;
	if (config->admin && !cse_sp_relative(c, rd_str(config->admin), c->admin, sizeof c->admin))
		c->admin[0] = '\0';
	c->pending_last = &c->pending;
	c->expiry.fn = on_expiry;
	c->tree = tree_new(store, config->cache_octets ? config->cache_octets : CACHE_DEFAULT);
	e = store_by_type(store, TY_CSE_BASE, 0, take_base, c);
	if (e == OK && c->base_id == 0)
		e = make_base(c);
	if (e != OK) {
		cse_free(c);
		return e;
	}
	e = orphans_start(c);
	if (e != OK) {
		cse_free(c);
		return e;
	}
	e = announce_start(c);
	if (e != OK) {
		cse_free(c);
		return e;
	}
	e = contacts_start(c);
	if (e != OK) {
		cse_free(c);
		return e;
	}
	type_hooks_each(start_type, c);
	cse_outboxes_start(c);
	cse_make_fixed(c);
	cse_commit_now(c);
	cse_expire(c);
	if (store_has_gone(store) || orphans_wait(c))
		cse_sweep_later(c);
	*out = c;
	return OK;
}

void cse_service_set(struct cse *c, enum cse_service s, void *state, void (*fn)(struct cse *c, void *state))
{
	c->services[s] = state;
	c->service_free[s] = fn;
}

static void end_service(struct cse *c, enum cse_service s)
{
	if (c->service_free[s])
		c->service_free[s](c, c->services[s]);
	c->service_free[s] = NULL;
}

void cse_free(struct cse *c)
{
	if (!c)
		return;
	commit_finish(c);
	c->worker = (struct cse_worker){.run = NULL}; /* nothing of this CSE is with another thread any more */
	c->timers = NULL; /* they are parts of what ends now */
	cse_outboxes_free(c);
	end_service(c, SERVICE_SLICES); /* their exchanges end with them, and may still ask for the others */
	end_service(c, SERVICE_CMDH);
	end_service(c, SERVICE_MULTICAST_HOST);
	for (size_t i = 0; i < sizeof c->services / sizeof c->services[0]; i++)
		end_service(c, (enum cse_service)i);
	cse_later_free(c);
	tree_free(c->tree);
	exchange_spares_free(c);
	free(c);
}

void cse_use_worker(struct cse *c, const struct cse_worker *w)
{
	c->worker = *w;
	store_wait_by(c->store, w->wait, w->worker);
}

void cse_use_tokens(struct cse *c, const struct cse_tokens *t)
{
	c->tokens = *t;
}

void cse_use_security(struct cse *c, const struct cse_security *s)
{
	c->security = *s;
}

void cse_put_security(struct cse *c, struct json_out *o)
{
	struct wr w = wr_new(4096);
	struct rd text;

	if (c->security.describe && c->security.describe(c->security.security, &w) && wr_done(&w, &text))
		json_put_raw(o, "esi", text);
	wr_free(&w);
}

void cse_use_connections(struct cse *c, cse_send_over *send)
{
	c->send_over = send;
}

static void on_internal_created(void *ctx, const struct onem2m_response *rsp)
{
	enum onem2m_rsc *rsc = ctx;

	*rsc = rsp->rsc;
}

enum err cse_internal_ae(struct cse *c, const char *ae_id, const char *name, cse_internal_notify *fn, void *ctx)
{
	struct internal_ae *i = &c->internals[c->internal_count];
	char body[256];
	struct onem2m_request rq = {.operation = ONEM2M_CREATE, .type = TY_AE, .rcn = ONEM2M_RCN_ABSENT, .internal = true, .peer = ""};
	enum onem2m_rsc rsc = RSC_CREATED;

	if (c->internal_count == CSE_INTERNAL_AES)
		return ERR_FULL;
	snprintf(i->id, sizeof i->id, "%s", ae_id);
	i->fn = fn;
	i->ctx = ctx;
	c->internal_count++;
	snprintf(body, sizeof body, "{\"m2m:ae\":{\"rn\":\"%s\",\"api\":\"N%s\",\"rr\":true,\"srv\":[\"3\"]}}", name, name);
	rq.to = rd_str(c->config.name);
	rq.from = rd_str(ae_id);
	rq.content = rd_str(body);
	cse_submit(c, &rq, on_internal_created, &rsc);
	cse_commit_now(c); /* the request above lives on this stack; a second call at the round's end finds nothing to do */
	return rsc == RSC_CREATED || rsc == RSC_CONFLICT || rsc == RSC_ORIGINATOR_HAS_ALREADY_REGISTERED ? OK : ERR_INTERNAL;
}

void cse_counts(const struct cse *c, struct cse_counts *out)
{
	*out = c->counts;
	out->resources = store_count(c->store);
	out->store_room = store_has_room(c->store);
	out->cache_octets = tree_octets(c->tree);
}
