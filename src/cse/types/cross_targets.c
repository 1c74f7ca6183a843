/* The subscriptions that report to a crossResourceSubscription: made (rrat), joined (srat), and given back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/notify/outbox.h"
#include "cse/types/cross.h"

/* ---- requests in the name of the originator ---- */

static void request(struct cse *c, enum onem2m_operation operation, const char *to, const char *from, struct rd content, cse_done *done, void *ctx)
{
	char id[32];

	snprintf(id, sizeof id, "x%llu", (unsigned long long)++c->numbers);
	cse_request(c, &(const struct onem2m_request){
	    .operation = operation,
	    .to = rd_str(to),
	    .from = rd_str(from),
	    .request_id = rd_str(id),
	    .release = rd_str("3"),
	    .type = operation == ONEM2M_CREATE ? TY_SUBSCRIPTION : 0,
	    .rcn = operation == ONEM2M_DELETE ? 0 : ONEM2M_RCN_ABSENT,
	    .content = content,
	    .genuine = true,
	}, done, ctx);
}

/* ---- one list with an entry more, or less ---- */

static void put_list(struct json_out *o, const char *name, const struct json *list, const char *with, const char *without)
{
	json_array(o, name);
	for (const struct json *e = list ? list->first : NULL; e; e = e->next)
		if (!(without && json_is_string(e, without)) && !(with && json_is_string(e, with)))
			json_put(o, NULL, e);
	if (with)
		json_put_string(o, NULL, with);
	json_close(o);
}

/* The update of a joined subscription: nu and acrs with the address, or without it. */
static void put_joined(struct wr *w, const struct json *sub, const char *with, const char *without)
{
	static const char *const names[] = {"nu", "acrs"};
	struct json_out o = json_out(w);

	json_object(&o, NULL);
	json_object(&o, "m2m:sub");
	for (size_t i = 0; i < 2; i++) {
		const struct json *list = json_get(sub, names[i]);

		if (without && list && list->count == 1 && json_is_string(list->first, without) && i == 1)
			json_put_null(&o, names[i]);
		else
			put_list(&o, names[i], list, with, without);
	}
	json_close(&o);
	json_close(&o);
}

/* ---- making ---- */

struct job {
	struct making *m;
	size_t index;
	const char *target;
};
struct making {
	struct cross_making result;
	struct creation *cr;
	cross_done *done;
	unsigned waits;
	char address[CSE_ID_MAX];     /* of the crossResourceSubscription */
	char why[320];
};

static void refuse(struct making *m, enum onem2m_rsc rsc, const char *what, const char *target, enum onem2m_rsc cause)
{
	if (m->result.refused)
		return;
	m->result.refused = rsc;
	snprintf(m->why, sizeof m->why, "%s `%.200s` (%d)", what, target, (int)cause);
	m->result.why = m->why;
}

static void finish_one(struct making *m)
{
	if (--m->waits == 0)
		m->done(m->cr, &m->result);
}

static char *keep(struct making *m, const char *text)
{
	size_t n = strlen(text) + 1;
	char *copy = json_arena_alloc(m->cr->x->arena, n);

	if (!copy)
		abort();
	memcpy(copy, text, n);
	return copy;
}

/* "/id-mn" of the CSE that hosts this. */
static void host_of(struct cse *c, const char *target, char *id, size_t size)
{
	struct rd rest;

	if (cse_is_local(c, rd_str(target), &rest, id, size))
		snprintf(id, size, "%s", c->config.id);
}

static void on_subscribed(void *ctx, const struct onem2m_response *rsp)
{
	struct job *j = ctx;
	struct making *m = j->m;
	struct cse *c = m->cr->x->cse;
	char ri[CSE_ID_MAX], host[CSE_ID_MAX], address[CSE_PATH_MAX];
	const struct json *doc;

	if (rsp->rsc != RSC_CREATED || json_parse(m->cr->x->arena, rsp->content, NULL, &doc) != OK || !json_text(json_get(doc->first, "ri"), ri, sizeof ri)) {
		refuse(m, RSC_CROSS_RESOURCE_OPERATION_FAILURE, "`rrat`: no subscription could be made at", j->target, rsp->rsc);
	} else {
		host_of(c, j->target, host, sizeof host);
		snprintf(address, sizeof address, "%s/%s", host, ri[0] == '/' ? strrchr(ri, '/') + 1 : ri);
		m->result.made[j->index] = keep(m, address);
	}
	finish_one(m);
}

static void put_subscription(struct making *m, const struct json *enc, struct wr *w)
{
	struct json_out o = json_out(w);
	struct resource *crs = m->cr->made;
	const struct json *nec = resource_get(crs, "nec"), *et = resource_get(crs, "et");

	json_object(&o, NULL);
	json_object(&o, "m2m:sub");
	put_list(&o, "nu", NULL, m->address, NULL);
	put_list(&o, "acrs", NULL, m->address, NULL);
	json_put(&o, "enc", enc);
	if (nec)
		json_put(&o, "nec", nec);
	if (et)
		json_put(&o, "et", et);
	json_close(&o);
	json_close(&o);
}

static void subscribe(struct job *j, const struct json *enc)
{
	struct making *m = j->m;
	struct wr w = wr_new(CSE_BODY_MAX);

	put_subscription(m, enc, &w);
	request(m->cr->x->cse, ONEM2M_CREATE, j->target, m->cr->x->from, rd_of(w.octets, w.len), on_subscribed, j);
	wr_free(&w);
}

static void on_joined(void *ctx, const struct onem2m_response *rsp)
{
	struct job *j = ctx;

	if (rsp->rsc != RSC_UPDATED)
		refuse(j->m, RSC_CROSS_RESOURCE_OPERATION_FAILURE, "`srat`: could not join", j->target, rsp->rsc);
	finish_one(j->m);
}

static void on_retrieved(void *ctx, const struct onem2m_response *rsp)
{
	struct job *j = ctx;
	struct making *m = j->m;
	struct wr w = wr_new(CSE_BODY_MAX);
	const struct json *doc;

	if (rsp->rsc != RSC_OK || json_parse(m->cr->x->arena, rsp->content, NULL, &doc) != OK || !doc->first || !rd_is(doc->first->key, "m2m:sub")) {
		refuse(m, rsp->rsc == RSC_OK ? RSC_BAD_REQUEST : RSC_CROSS_RESOURCE_OPERATION_FAILURE, "`srat`: no subscription is", j->target, rsp->rsc);
		finish_one(m);
	} else {
		put_joined(&w, doc->first, m->address, NULL);
		request(m->cr->x->cse, ONEM2M_UPDATE, j->target, m->cr->x->from, rd_of(w.octets, w.len), on_joined, j);
	}
	wr_free(&w);
}

static struct job *new_job(struct making *m, const struct json *target)
{
	struct job *j = json_arena_alloc(m->cr->x->arena, sizeof *j);
	char *text = json_arena_alloc(m->cr->x->arena, target->text.left + 1);

	if (!j || !text || !rd_text(target->text, text, target->text.left + 1))
		abort();
	*j = (struct job){m, m->result.count++, text};
	m->waits++;
	return j;
}

void cross_targets_make(struct creation *cr, cross_done *done)
{
	struct json_arena *arena = cr->x->arena;
	struct making *m = json_arena_alloc(arena, sizeof *m);
	const struct json *rrat = attributes_value(&cr->attributes, "rrat"), *srat = attributes_value(&cr->attributes, "srat");
	const struct json *encs = attributes_value(&cr->attributes, "encs"), *enc = json_get(encs, "encn");

	if (!m)
		abort();
	if (!enc)
		enc = json_get(encs, "enc");
	m->cr = cr;
	m->done = done;
	m->waits = 1;
	m->result.made = json_arena_alloc(arena, ((rrat ? rrat->count : 0) + (srat ? srat->count : 0) + 1) * sizeof(char *));
	if (!m->result.made)
		abort();
	cross_address(cr->x->cse, cr->id, m->address, sizeof m->address);
	for (const struct json *t = rrat ? rrat->first : NULL; t; t = t->next) {
		struct job *j = new_job(m, t);

		subscribe(j, enc->count == 1 ? enc->first : json_at(enc, j->index));
	}
	for (const struct json *t = srat ? srat->first : NULL; t; t = t->next) {
		struct job *j = new_job(m, t);

		request(cr->x->cse, ONEM2M_RETRIEVE, j->target, cr->x->from, rd_of("", 0), on_retrieved, j);
	}
	finish_one(m);
}

/* ---- giving back ---- */

/* "creator\naddress" */
static bool take_words(const char *text, char *creator, size_t size, const char **address)
{
	struct rd rest = rd_str(text), part;

	if (!rd_until(&rest, '\n', &part) || !rd_text(part, creator, size))
		return false;
	*address = (const char *)rest.at;
	return true;
}

static void later_for(struct cse *c, cse_later *fn, int64_t crs, const char *creator, const char *address)
{
	struct wr w = wr_new(CSE_ID_MAX + CSE_PATH_MAX + 2);

	wr_str(&w, creator);
	wr_u8(&w, '\n');
	wr_str(&w, address);
	wr_u8(&w, '\0');
	if (!w.spoilt)
		cse_before_commit(c, fn, crs, (const char *)w.octets);
	wr_free(&w);
}

static bool is_there(struct cse *c, int64_t id)
{
	struct resource *r = tree_by_id(c->tree, id);

	resource_unref(r);
	return r != NULL;
}

static void delete_made(struct cse *c, int64_t crs, const char *text)
{
	char creator[CSE_ID_MAX], other[CSE_ID_MAX];
	const char *address;
	struct resource *sub;
	struct rd rest;

	if (is_there(c, crs) || !take_words(text, creator, sizeof creator, &address))
		return;
	if (!cse_is_local(c, rd_str(address), &rest, other, sizeof other)) {
		request(c, ONEM2M_DELETE, address, creator, rd_of("", 0), NULL, NULL);
		return;
	}
	sub = cse_find(c, rest, NULL, NULL);
	if (sub && sub->type == TY_SUBSCRIPTION && cse_delete_subtree(c, sub, true) != OK)
		c->round_broken = true;
	resource_unref(sub);
}

void cross_targets_delete(struct cse *c, int64_t crs, const char *creator, const char *address)
{
	later_for(c, delete_made, crs, creator, address);
}

static void set_without(void *ctx, struct attributes *a)
{
	static const char *const names[] = {"nu", "acrs"};

	for (size_t i = 0; i < 2; i++) {
		const struct json *list = attributes_value(a, names[i]), *rest;
		struct wr w = wr_new(CSE_BODY_MAX);
		struct json_out o = json_out(&w);

		if (!list)
			continue;
		put_list(&o, NULL, list, NULL, ctx);
		if (json_parse(a->arena, rd_of(w.octets, w.len), NULL, &rest) == OK && (rest->first || i == 0))
			attributes_set_json(a, names[i], rest);
		else
			attributes_remove(a, names[i]);
		wr_free(&w);
	}
}

/* A subscription elsewhere: what it says now, then without us. */
struct leaving {
	struct cse *cse;
	char address[CSE_ID_MAX], creator[CSE_ID_MAX];
	char target[CSE_PATH_MAX];
};

static void on_left_read(void *ctx, const struct onem2m_response *rsp)
{
	struct leaving *l = ctx;
	struct json_arena *a = json_arena_new();
	struct wr w = wr_new(CSE_BODY_MAX);
	const struct json *doc;

	if (a && rsp->rsc == RSC_OK && json_parse(a, rsp->content, NULL, &doc) == OK && doc->first) {
		put_joined(&w, doc->first, NULL, l->address);
		request(l->cse, ONEM2M_UPDATE, l->target, l->creator, rd_of(w.octets, w.len), NULL, NULL);
	}
	wr_free(&w);
	json_arena_free(a);
	free(l);
}

static void leave_remote(struct cse *c, const char *ours, const char *creator, const char *target)
{
	struct leaving *l = calloc(1, sizeof *l);

	if (!l)
		abort();
	l->cse = c;
	snprintf(l->address, sizeof l->address, "%s", ours);
	snprintf(l->creator, sizeof l->creator, "%s", creator);
	snprintf(l->target, sizeof l->target, "%s", target);
	request(c, ONEM2M_RETRIEVE, target, creator, rd_of("", 0), on_left_read, l);
}

static void leave_joined(struct cse *c, int64_t crs, const char *text)
{
	char creator[CSE_ID_MAX], other[CSE_ID_MAX], ours[CSE_ID_MAX];
	const char *address;
	struct resource *sub;
	struct rd rest;

	if (is_there(c, crs) || !take_words(text, creator, sizeof creator, &address))
		return;
	cross_address(c, crs, ours, sizeof ours);
	if (!cse_is_local(c, rd_str(address), &rest, other, sizeof other)) {
		leave_remote(c, ours, creator, address);
		return;
	}
	sub = cse_find(c, rest, NULL, NULL);
	if (sub && sub->type == TY_SUBSCRIPTION && cse_edit_resource(c, sub->id, false, set_without, ours) != OK)
		c->round_broken = true;
	resource_unref(sub);
}

void cross_targets_release(struct cse *c, struct resource *crs)
{
	const struct json *rrats = resource_get(crs, "rrats"), *srat = resource_get(crs, "srat");
	char address[CSE_PATH_MAX];

	for (const struct json *s = rrats ? rrats->first : NULL; s; s = s->next)
		if (json_text(s, address, sizeof address))
			later_for(c, delete_made, crs->id, crs->creator, address);
	for (const struct json *s = srat ? srat->first : NULL; s; s = s->next)
		if (json_text(s, address, sizeof address))
			later_for(c, leave_joined, crs->id, crs->creator, address);
}
