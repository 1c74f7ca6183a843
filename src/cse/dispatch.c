/* The dispatcher's entrance: who asks, where to, and the answer after the commit. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/private.h"
#include "onem2m/identity.h"
#include "onem2m/timestamp.h"

/* An answer to a write, kept until its transaction is on disk. */
struct pending {
	struct pending *next;
	struct exchange *x;
	enum onem2m_rsc rsc;
	struct wr content;
	char location[CSE_ID_MAX];
};

static void exchange_free(struct exchange *x)
{
	json_arena_free(x->arena);
	store_row_clear(&x->target);
	free(x);
}

static void tell(struct exchange *x, enum onem2m_rsc rsc, struct rd content, struct rd location)
{
	const struct onem2m_response rsp = {.rsc = rsc, .content = content, .location = location};

	if (rsc >= 4000)
		x->cse->counts.refused++;
	x->done(x->ctx, &rsp);
	exchange_free(x);
}

static void on_round_end(void *ctx)
{
	struct cse *c = ctx;
	struct pending *p = c->pending;
	bool ok = store_commit(c->store) == OK;

	c->commit_due = false;
	c->pending = NULL;
	c->pending_last = &c->pending;
	c->counts.commits++;
	while (p) {
		struct pending *next = p->next;
		struct rd content = rd_of(p->content.octets, p->content.len);

		if (ok)
			tell(p->x, p->rsc, content, rd_str(p->location));
		else
			tell(p->x, RSC_INTERNAL_SERVER_ERROR, rd_str("{\"m2m:dbg\":\"the store could not write\"}"), rd_str(""));
		wr_free(&p->content);
		free(p);
		p = next;
	}
	if (ok)
		cse_outboxes_flush(c);
}

static void commit_later(struct cse *c)
{
	if (c->commit_due)
		return;
	c->commit_due = true;
	c->transport.defer(c->transport.transport, on_round_end, c);
}

void exchange_answer(struct exchange *x, enum onem2m_rsc rsc, struct rd content, struct rd location)
{
	struct cse *c = x->cse;
	struct pending *p;

	if (!store_dirty(c->store)) {
		tell(x, rsc, content, location);
		return;
	}
	commit_later(c);
	if (rsc == RSC_OK || rsc >= 4000) {
		tell(x, rsc, content, location); /* nothing of it is written */
		return;
	}
	p = calloc(1, sizeof *p);
	if (!p)
		abort();
	p->x = x;
	p->rsc = rsc;
	p->content = wr_new(CSE_BODY_MAX * 4);
	wr_rd(&p->content, content);
	if (!rd_text(location, p->location, sizeof p->location))
		p->location[0] = '\0';
	*c->pending_last = p;
	c->pending_last = &p->next;
}

void exchange_fail(struct exchange *x, enum onem2m_rsc rsc, const char *fmt, ...)
{
	char text[512], body[1024];
	struct wr w = wr_of(body, sizeof body);
	struct json_out o = json_out(&w);
	struct rd content = rd_of("", 0);
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	json_object(&o, NULL);
	json_put_string(&o, "m2m:dbg", text);
	json_close(&o);
	if (!wr_done(&w, &content))
		content = rd_of("", 0);
	exchange_answer(x, rsc, content, rd_str(""));
}

/* The operations that create before they have an originator's ID: AE registration with "", "C" or "S". */
static bool is_registration(const struct onem2m_request *rq)
{
	return rq->operation == ONEM2M_CREATE && (rq->type == ONEM2M_AE || rq->type == ONEM2M_REMOTE_CSE);
}

static bool is_administrator(const struct cse *c, const char *from)
{
	char admin[CSE_ID_MAX];

	return c->config.admin && cse_sp_relative(c, rd_str(c->config.admin), admin, sizeof admin) && strcmp(admin, from) == 0;
}

/* Whether the peer that TLS names may send with this From. A CSE may pass on what others ask, but may not speak for this CSE or for an AE
 * that is registered here. */
static bool originator_is_genuine(struct exchange *x, enum onem2m_rsc *rsc)
{
	const struct cse *c = x->cse;
	char peer[CSE_ID_MAX];
	size_t own = strlen(c->config.id);

	if (x->rq->internal || !c->config.require_tls)
		return true;
	*rsc = RSC_SECURITY_ASSOCIATION_REQUIRED;
	if (!x->rq->peer || !identity_to_id(x->rq->peer, c->config.sp, peer, sizeof peer))
		return false;
	*rsc = RSC_ORIGINATOR_NOT_AUTHENTICATED;
	if (strchr(peer + 1, '/')) {
		const char *stem = strrchr(peer, '/') + 1;

		if (is_registration(x->rq) && (x->rq->from.left == 0 || rd_is(x->rq->from, "C") || rd_is(x->rq->from, "S"))) {
			return (size_t)snprintf(x->from, sizeof x->from, "%s/%s", c->config.id, stem) < sizeof x->from;
		}
		return strcmp(peer, x->from) == 0;
	}
	return strcmp(peer, c->config.id) != 0 && !(strncmp(x->from, c->config.id, own) == 0 && (x->from[own] == '/' || x->from[own] == '\0'));
}

static bool originator(struct exchange *x, enum onem2m_rsc *rsc)
{
	*rsc = RSC_BAD_REQUEST;
	if (x->rq->from.left == 0 && !is_registration(x->rq))
		return false;
	/* One that is too long is refused: shortened it could be taken for another. */
	if (x->rq->from.left > 0 && !cse_sp_relative(x->cse, x->rq->from, x->from, sizeof x->from))
		return false;
	return originator_is_genuine(x, rsc);
}

static void perform(struct exchange *x)
{
	switch (x->rq->operation) {
	case ONEM2M_CREATE:
		cse_create(x);
		break;
	case ONEM2M_RETRIEVE:
		cse_retrieve(x);
		break;
	case ONEM2M_UPDATE:
		cse_update(x);
		break;
	case ONEM2M_DELETE:
		cse_delete(x);
		break;
	case ONEM2M_NOTIFY:
		cse_notify(x);
		break;
	}
}

void cse_submit(struct cse *c, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct exchange *x = calloc(1, sizeof *x);
	char other[CSE_ID_MAX];
	enum onem2m_rsc rsc;
	struct rd rest;

	c->counts.requests++;
	if (!x || (x->arena = json_arena_new()) == NULL)
		abort();
	x->cse = c;
	x->rq = rq;
	x->done = done;
	x->ctx = ctx;
	if (!originator(x, &rsc)) {
		exchange_fail(x, rsc, rsc == RSC_BAD_REQUEST ? "the originator (X-M2M-Origin) is missing or malformed" : rsc == RSC_SECURITY_ASSOCIATION_REQUIRED ? "a TLS client certificate of this service provider is needed" : "the originator is not the one that the certificate names");
		return;
	}
	x->privileged = rq->internal || is_administrator(c, x->from);
	if (!cse_is_local(c, rq->to, &rest, other, sizeof other)) {
		cse_forward(x, other);
		return;
	}
	if (cse_find(c, rest, &x->target, &x->virtual_la, &x->virtual_ol) != OK) {
		exchange_fail(x, RSC_NOT_FOUND, "there is no resource `%.*s`", (int)rq->to.left, (const char *)rq->to.at);
		return;
	}
	perform(x);
}

/* ---- forwarding ---- */

struct forward {
	struct onem2m_request rq;
	struct exchange *x;
};

static void on_forwarded(void *ctx, const struct onem2m_response *rsp)
{
	struct forward *f = ctx;
	struct exchange *x = f->x;

	x->done(x->ctx, rsp);
	exchange_free(x);
	free(f);
}

struct poa_search {
	struct cse *cse;
	const char *csi;
	char poa[CSE_ID_MAX];
};

static bool first_poa(const struct store_row *row, const char *csi, char *poa, size_t size)
{
	struct json_arena *a = json_arena_new();
	const struct json *body;
	bool found = a && json_parse(a, row->body, NULL, &body) == OK && (!csi || json_is_string(json_get(body, "csi"), csi)) &&
	    json_text(json_at(json_get(body, "poa"), 0), poa, size);

	json_arena_free(a);
	return found;
}

static bool on_remote(void *ctx, const struct store_row *row)
{
	struct poa_search *s = ctx;

	return !first_poa(row, s->csi, s->poa, sizeof s->poa);
}

void cse_forward(struct exchange *x, const char *cse_id)
{
	struct cse *c = x->cse;
	struct poa_search s = {.cse = c, .csi = cse_id};
	struct forward *f;
	const char *next = cse_id;

	if (store_children(c->store, c->base.id, ONEM2M_REMOTE_CSE, on_remote, &s) != OK || s.poa[0] == '\0') {
		/* Not registered here: the registrar may know more, unless the request came from there. */
		if (!c->config.registrar_id || !c->config.registrar_poa) {
			exchange_fail(x, RSC_NOT_FOUND, "no CSE `%s` is registered here", cse_id);
			return;
		}
		snprintf(s.poa, sizeof s.poa, "%s", c->config.registrar_poa);
		next = c->config.registrar_id;
	}
	f = calloc(1, sizeof *f);
	if (!f)
		abort();
	f->x = x;
	f->rq = *x->rq;
	f->rq.from = rd_str(x->from);
	c->transport.send(c->transport.transport, s.poa, next, &f->rq, on_forwarded, f);
}

/* ---- NOTIFY to an AE of this CSE ---- */

void cse_deliver(struct cse *c, const char *ae_id, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	static const struct onem2m_response nobody = {.rsc = RSC_TARGET_NOT_REACHABLE};
	char poa[CSE_ID_MAX], id[CSE_ID_MAX];
	struct store_row ae;
	bool found;

	for (size_t i = 0; i < c->internal_count; i++) {
		if (strcmp(c->internals[i].id, ae_id) == 0) {
			c->internals[i].fn(c->internals[i].ctx, rq, done, ctx);
			return;
		}
	}
	if (store_by_ri(c->store, ae_id, &ae) != OK) {
		done(ctx, &nobody);
		return;
	}
	found = ae.type == ONEM2M_AE && first_poa(&ae, NULL, poa, sizeof poa);
	store_row_clear(&ae);
	if (!found) {
		done(ctx, &nobody);
		return;
	}
	snprintf(id, sizeof id, "%s/%s", c->config.id, ae_id);
	c->transport.send(c->transport.transport, poa, id, rq, done, ctx);
}

void cse_notify(struct exchange *x)
{
	struct forward *f;

	if (x->target.type != ONEM2M_AE) {
		exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "only an AE takes a NOTIFY");
		return;
	}
	f = calloc(1, sizeof *f);
	if (!f)
		abort();
	f->x = x;
	f->rq = *x->rq;
	f->rq.from = rd_str(x->from);
	cse_deliver(x->cse, x->target.ri, &f->rq, on_forwarded, f);
}

/* ---- life ---- */

static enum err make_base(struct cse *c)
{
	char stamp[TIMESTAMP_SIZE], body[1024];
	struct wr w = wr_of(body, sizeof body);
	struct json_out o = json_out(&w);
	enum err e;

	e = store_by_name(c->store, 0, c->config.name, &c->base);
	if (e != ERR_NOT_FOUND)
		return e;
	timestamp_print(stamp, c->transport.unix_ms(c->transport.transport));
	snprintf(c->base.ri, sizeof c->base.ri, "%s", c->config.id + 1);
	snprintf(c->base.rn, sizeof c->base.rn, "%s", c->config.name);
	snprintf(c->base.root, sizeof c->base.root, "m2m:cb");
	snprintf(c->base.creator, sizeof c->base.creator, "%s", c->config.id);
	c->base.type = ONEM2M_CSE_BASE;
	json_object(&o, NULL);
	json_put_string(&o, "rn", c->base.rn);
	json_put_int(&o, "ty", ONEM2M_CSE_BASE);
	json_put_string(&o, "ri", c->base.ri);
	json_put_string(&o, "ct", stamp);
	json_put_string(&o, "lt", stamp);
	json_put_string(&o, "csi", c->config.id);
	json_put_int(&o, "cst", c->config.type);
	json_array(&o, "srt");
	for (int ty = 1; ty < 30; ty++)
		if (onem2m_rules(ty))
			json_put_int(&o, NULL, ty);
	json_close(&o);
	json_array(&o, "srv");
	json_put_string(&o, NULL, "2a");
	json_put_string(&o, NULL, "3");
	json_close(&o);
	json_array(&o, "poa");
	if (c->config.poa)
		json_put_string(&o, NULL, c->config.poa);
	json_close(&o);
	json_close(&o);
	if (!wr_done(&w, &c->base.body))
		return ERR_TOO_LONG;
	e = store_insert(c->store, &c->base);
	if (e == OK)
		e = store_commit(c->store);
	c->base.body = rd_of(NULL, 0);
	return e;
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
	c->pending_last = &c->pending;
	e = make_base(c);
	if (e != OK) {
		free(c);
		return e;
	}
	store_row_clear(&c->base);
	*out = c;
	return OK;
}

void cse_free(struct cse *c)
{
	if (!c)
		return;
	cse_outboxes_free(c);
	free(c);
}

void cse_tick(struct cse *c)
{
	cse_outboxes_tick(c, c->transport.now_ms(c->transport.transport));
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
	struct onem2m_request rq = {.operation = ONEM2M_CREATE, .type = ONEM2M_AE, .rcn = ONEM2M_RCN_ABSENT, .internal = true, .peer = ""};
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
	if (c->commit_due)
		on_round_end(c); /* the request above lives on this stack; a second call at the round's end finds nothing to do */
	return rsc == RSC_CREATED || rsc == RSC_CONFLICT || rsc == RSC_ORIGINATOR_HAS_ALREADY_REGISTERED ? OK : ERR_INTERNAL;
}

void cse_counts(const struct cse *c, struct cse_counts *out)
{
	*out = c->counts;
	out->resources = store_count(c->store);
}
