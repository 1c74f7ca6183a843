/* Registration with the registrar CSE, kept up: the registrar may lose its store or learn a new point of access, and it must know which CSEs
 * are below this one. Both sides hold a <remoteCSE> for the other. TS-0001 clauses 10.2.2.2 and 9.6.4, TS-0004 clause 7.4.4.2. */
#include "cse/gate.h"
#include "cse/registration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_MS 30000
#define RETRY_MS 500
#define BODY_MAX 8192

struct registration {
	struct cse *cse;
	struct cse_timer timer;
	bool registered, in_flight, changed, ending;
	struct onem2m_request *rq;    /* on its way */
	char told[BODY_MAX];          /* the descendants that the registrar knows */
	void (*done)(void *ctx);
	void *ctx;
};

static void next(struct cse *c, struct cse_timer *t);

static void schedule(struct registration *r, uint64_t in_ms)
{
	cse_timer_at(r->cse, &r->timer, cse_mono(r->cse) + in_ms);
}

/* ---- what is said ---- */

static void put_list(struct json_out *o, const char *name, const char *list)
{
	struct rd rest = rd_str(list ? list : ""), part;

	json_array(o, name);
	while (rest.left > 0) {
		if (!rd_until(&rest, ',', &part))
			part = rd_rest(&rest);
		json_put_rd(o, NULL, part);
	}
	json_close(o);
}

struct descendants {
	struct cse *cse;
	struct json_out o;
};

/* Who is registered here, and who is below them. */
static bool put_descendants(void *ctx, struct resource *r)
{
	struct descendants *d = ctx;
	const struct json *csi = resource_get(r, "csi"), *below = resource_get(r, "dcse");

	if (!csi || json_is_string(csi, d->cse->config.registrar_id))
		return true;
	json_put(&d->o, NULL, csi);
	for (const struct json *b = below ? below->first : NULL; b; b = b->next)
		if (b->type == JSON_STRING && !json_is_string(b, d->cse->config.id))
			json_put(&d->o, NULL, b);
	return true;
}

static void descendants(struct cse *c, char *text, size_t size)
{
	struct wr w = wr_of(text, size - 1);
	struct descendants d = {c, json_out(&w)};
	struct resource *base = tree_by_id(c->tree, c->base_id);

	json_array(&d.o, NULL);
	if (!base || tree_children(c->tree, base, TY_REMOTE_CSE, false, put_descendants, &d) != OK)
		c->counts.refused++;
	json_close(&d.o);
	resource_unref(base);
	if (w.spoilt)
		snprintf(text, size, "[]");
	else
		text[w.len] = '\0';
}

static void put_csr(struct registration *r, struct json_out *o, bool create)
{
	const struct cse_config *k = &r->cse->config;
	char base[CSE_ID_MAX];

	json_object(o, NULL);
	json_object(o, "m2m:csr");
	if (create) {
		snprintf(base, sizeof base, "%s/%s", k->id, k->name);
		json_put_string(o, "rn", k->id + 1);
		json_put_string(o, "csi", k->id);
		json_put_string(o, "cb", base);
		json_put_int(o, "cst", k->type);
		put_list(o, "csz", CSE_SERIALIZATIONS);
	}
	json_put_bool(o, "rr", true);
	if (k->multicast)
		json_put_uint(o, "mtcc", 2); /* IP */
	put_list(o, "srv", k->releases ? k->releases : "2a,3,4,5");
	put_list(o, "poa", k->poa);
	cse_put_security(r->cse, o);
	json_put_raw(o, "dcse", rd_str(r->told));
	json_close(o);
	json_close(o);
}

static void send(struct registration *r, enum onem2m_operation operation, const char *to, struct rd content, cse_done *done)
{
	struct cse *c = r->cse;
	char address[CSE_ID_MAX * 2], id[32];
	struct onem2m_request rq = {.operation = operation, .type = operation == ONEM2M_CREATE ? TY_REMOTE_CSE : 0, .content = content};

	/* "-" is the CSEBase, whatever its name */
	snprintf(address, sizeof address, "%s/-%s%s", c->config.registrar_id, to[0] ? "/" : "", to);
	snprintf(id, sizeof id, "r%llu", (unsigned long long)++c->numbers);
	rq.to = rd_str(address);
	rq.from = rd_str(c->config.id);
	rq.request_id = rd_str(id);
	rq.release = rd_str("3");
	rq.rcn = operation == ONEM2M_RETRIEVE ? 1 : 0;
	rq.filter = rd_str(operation == ONEM2M_RETRIEVE ? "" : "rcn=0");
	r->rq = request_copy(&rq);
	r->in_flight = true;
	cse_send(c, c->config.registrar_poa, c->config.registrar_id, r->rq, done, r);
}

static void answered(struct registration *r)
{
	r->in_flight = false;
	request_copy_free(r->rq);
	r->rq = NULL;
}

/* ---- the registrar's <remoteCSE> here ---- */

static void put_registrar(struct cse *c, const struct json *its_base, struct json_out *o)
{
	const struct cse_config *k = &c->config;
	const struct json *cst = json_get(its_base, "cst"), *srv = json_get(its_base, "srv"), *esi = json_get(its_base, "esi");
	char name[128] = "-", address[CSE_ID_MAX * 2];

	if (!json_text(json_get(its_base, "rn"), name, sizeof name))
		snprintf(name, sizeof name, "-");
	snprintf(address, sizeof address, "%s/%s", k->registrar_id, name);
	json_object(o, NULL);
	json_put_string(o, "csi", k->registrar_id);
	json_put_string(o, "cb", address);
	json_array(o, "poa"); /* the one that is known to work */
	json_put_string(o, NULL, k->registrar_poa);
	json_close(o);
	json_put_bool(o, "rr", true);
	if (cst)
		json_put(o, "cst", cst);
	if (srv)
		json_put(o, "srv", srv);
	if (esi) /* as often as the registration is renewed: its rand object changes */
		json_put(o, "esi", esi);
	json_close(o);
}

struct members {
	const struct json *object;
};

static void set_members(void *ctx, struct attributes *a)
{
	const struct members *k = ctx;
	char name[16];

	for (const struct json *m = k->object->first; m; m = m->next)
		if (rd_text(m->key, name, sizeof name))
			attributes_set_json(a, name, m);
}

/* A change of this CSE's own needs no event while nothing has changed. */
static bool is_known(struct resource *r, const struct json *object)
{
	for (const struct json *m = object->first; m; m = m->next) {
		char name[16];

		if (!rd_text(m->key, name, sizeof name) || !json_equal(m, resource_get(r, name)))
			return false;
	}
	return true;
}

static void keep_registrar(struct cse *c, struct json_arena *arena, const struct json *object)
{
	struct resource *base = tree_by_id(c->tree, c->base_id), *mine = tree_by_ri(c->tree, rd_str(c->config.registrar_id + 1));
	struct members members = {object};
	struct attributes a;

	if (mine && !is_known(mine, object)) {
		if (cse_edit_resource(c, mine->id, true, set_members, &members) != OK)
			c->counts.refused++;
	} else if (!mine && base) {
		attributes_init(&a, arena, object);
		mine = cse_make_resource(c, &(const struct own_resource){.parent = base, .type = TY_REMOTE_CSE, .ri = c->config.registrar_id + 1,
		                                .rn = c->config.registrar_id + 1, .creator = c->config.registrar_id, .attributes = &a});
		if (mine)
			announce_cse_is_there(c, c->config.registrar_id);
	}
	resource_unref(mine);
	resource_unref(base);
}

static void on_base(void *ctx, const struct onem2m_response *rsp)
{
	struct registration *r = ctx;
	struct json_arena *arena = json_arena_new();
	struct wr w = wr_new(BODY_MAX);
	struct json_out o = json_out(&w);
	const struct json *doc, *object;
	struct rd text;

	if (arena && rsp->rsc == RSC_OK && json_parse(arena, rsp->content, NULL, &doc) == OK) {
		put_registrar(r->cse, doc->first, &o);
		if (wr_done(&w, &text) && json_parse(arena, text, NULL, &object) == OK)
			keep_registrar(r->cse, arena, object);
	}
	wr_free(&w);
	json_arena_free(arena);
	answered(r);
	schedule(r, r->changed || r->ending ? 0 : AGAIN_MS);
}

/* ---- the registration ---- */

static void tell(struct registration *r, bool registered, enum onem2m_rsc rsc)
{
	const struct cse_config *k = &r->cse->config;

	if (k->on_registration && (registered != r->registered || (!registered && rsc != RSC_TARGET_NOT_REACHABLE)))
		k->on_registration(k->on_registration_ctx, registered, rsc);
	r->registered = registered;
}

static void on_registered(void *ctx, const struct onem2m_response *rsp)
{
	struct registration *r = ctx;
	enum onem2m_rsc rsc = rsp->rsc;

	answered(r);
	if (rsc == RSC_CREATED || rsc == RSC_UPDATED) {
		tell(r, true, rsc);
		announce_cse_is_there(r->cse, r->cse->config.registrar_id);
		cmdh_next_cse_is_there(r->cse, r->cse->config.registrar_id);
		send(r, ONEM2M_RETRIEVE, "", rd_of("", 0), on_base);
		return;
	}
	/* it is there from an earlier life, or gone with the registrar's store */
	if (rsc == RSC_CONFLICT || rsc == RSC_ORIGINATOR_HAS_ALREADY_REGISTERED) {
		r->registered = true;
		schedule(r, 0);
		return;
	}
	if (rsc == RSC_NOT_FOUND && r->registered) {
		r->registered = false;
		schedule(r, RETRY_MS);
		return;
	}
	tell(r, false, rsc);
	schedule(r, RETRY_MS);
}

static void on_ended(void *ctx, const struct onem2m_response *rsp)
{
	struct registration *r = ctx;

	(void)rsp;
	answered(r);
	r->registered = false;
	if (r->done)
		r->done(r->ctx);
	r->done = NULL;
}

static void next(struct cse *c, struct cse_timer *t)
{
	struct registration *r = (struct registration *)(void *)((char *)t - offsetof(struct registration, timer));
	struct wr w = wr_new(BODY_MAX * 2);
	struct json_out o = json_out(&w);
	struct rd content;

	if (r->in_flight)
		return;
	if (r->ending) {
		send(r, ONEM2M_DELETE, c->config.id + 1, rd_of("", 0), on_ended);
	} else {
		r->changed = false;
		descendants(c, r->told, sizeof r->told);
		put_csr(r, &o, !r->registered);
		if (!wr_done(&w, &content))
			content = rd_of("", 0);
		send(r, r->registered ? ONEM2M_UPDATE : ONEM2M_CREATE, r->registered ? c->config.id + 1 : "", content, on_registered);
	}
	wr_free(&w);
}

void registration_descendants_changed(struct cse *c, bool surely)
{
	struct registration *r = c->services[SERVICE_REGISTRATION];
	char now[BODY_MAX];

	if (!r)
		return;
	if (!surely) {
		descendants(c, now, sizeof now);
		if (strcmp(now, r->told) == 0)
			return;
	}
	r->changed = true;
	if (!r->in_flight && r->registered)
		schedule(r, 0);
}

void registration_is_doubted(struct cse *c)
{
	struct registration *r = c->services[SERVICE_REGISTRATION];

	if (r && r->registered && !r->in_flight)
		schedule(r, 0);
}

void cse_registrar_lost(struct cse *c)
{
	registration_is_doubted(c);
}

static void end(struct cse *c, void *state)
{
	struct registration *r = state;

	(void)c;
	request_copy_free(r->rq);
	free(r);
}

void cse_register(struct cse *c)
{
	struct registration *r;

	if (!c->config.registrar_id || !c->config.registrar_poa || c->services[SERVICE_REGISTRATION])
		return;
	r = calloc(1, sizeof *r);
	if (!r)
		abort();
	r->cse = c;
	r->timer.fn = next;
	cse_service_set(c, SERVICE_REGISTRATION, r, end);
	schedule(r, 0);
}

void cse_deregister(struct cse *c, void (*done)(void *ctx), void *ctx)
{
	struct registration *r = c->services[SERVICE_REGISTRATION];

	if (!r || (!r->registered && !r->in_flight)) {
		done(ctx);
		return;
	}
	r->ending = true;
	r->done = done;
	r->ctx = ctx;
	if (!r->in_flight)
		schedule(r, 0);
}
