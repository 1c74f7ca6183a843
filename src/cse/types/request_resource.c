/* The <request> resource: what its originator sees of a request that is under way. TS-0004 clause 7.4.12, TS-0001 clause 9.6.12. */
#include <stdlib.h>
#include <string.h>

#include "cse/types/request.h"

#define REQUEST_LIFE_MS 60000

static void put_information(struct exchange *x, struct json_out *o, bool asynchronous)
{
	const struct onem2m_request *rq = x->rq;
	const struct {
		const char *name;
		struct rd value;
	} texts[] = {{"ot", rq->ot}, {"rqet", rq->rqet}, {"rset", rq->rset}, {"oet", rq->oet}, {"rp", rq->rp}, {"gid", rq->gid}, {"vsi", rq->vendor}, {"rvi", rq->release}};
	struct rd targets = rq->rt_nu, part;
	uint64_t category;

	json_object(o, NULL);
	if (rq->type)
		json_put_int(o, "ty", rq->type);
	json_object(o, "rt");
	json_put_int(o, "rtv", rq->rt);
	if (asynchronous && targets.left > 0) {
		json_array(o, "nu");
		while (targets.left > 0) {
			if (!rd_until(&targets, '&', &part))
				part = rd_rest(&targets);
			json_put_rd(o, NULL, part);
		}
		json_close(o);
	}
	json_close(o);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i].value.left > 0)
			json_put_rd(o, texts[i].name, texts[i].value);
	if (rq->rcn != ONEM2M_RCN_ABSENT)
		json_put_int(o, "rcn", rq->rcn);
	if (rd_decimal(rq->ec, &category))
		json_put_uint(o, "ec", category);
	if (rq->drt)
		json_put_int(o, "drt", rq->drt);
	json_close(o);
}

static void set_parsed(struct attributes *a, const char *name, struct wr *w)
{
	const struct json *v;
	struct rd text;

	if (wr_done(w, &text) && json_parse(a->arena, text, NULL, &v) == OK)
		attributes_set_json(a, name, v);
	wr_free(w);
}

static void set_string(struct attributes *a, const char *name, struct rd text, bool list)
{
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);

	if (list)
		json_array(&o, NULL);
	json_put_rd(&o, NULL, text);
	if (list)
		json_close(&o);
	set_parsed(a, name, &w);
}

static void set_attributes(struct exchange *x, struct attributes *a, bool asynchronous, enum request_status status)
{
	struct rd from = x->rq->from.left ? x->rq->from : rd_str(x->from);
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	const struct json *content;

	attributes_set_uint(a, "op", x->rq->operation);
	set_string(a, "tg", x->rq->to, false);
	set_string(a, "org", from, false);
	set_string(a, "rid", x->rq->request_id, false);
	set_string(a, "lbl", from, true);
	put_information(x, &o, asynchronous);
	set_parsed(a, "mi", &w);
	if (x->rq->content.left > 0 && json_parse(x->arena, x->rq->content, NULL, &content) == OK)
		attributes_set_json(a, "pc", content);
	attributes_set_uint(a, "rs", status);
	w = wr_new(1024);
	o = json_out(&w);
	json_object(&o, NULL);
	json_put_int(&o, "rsc", RSC_ACCEPTED);
	json_put_rd(&o, "rqi", x->rq->request_id);
	json_close(&o);
	set_parsed(a, "ors", &w);
}

/* Until when the result is kept: as asked, or at least as long as the request may take. */
static uint64_t expiry_of(struct exchange *x)
{
	uint64_t now = cse_now(x->cse), life, at;

	if (timestamp_parse_abs_rel(x->rq->rp, now, &at) || timestamp_parse_abs_rel(x->rq->rset, now, &at))
		return at;
	life = x->cse->config.request_life_ms ? x->cse->config.request_life_ms : REQUEST_LIFE_MS;
	return x->expires_ms ? x->expires_ms : now + life;
}

struct resource *request_make_resource(struct exchange *x, bool asynchronous, enum request_status status)
{
	struct cse *c = x->cse;
	struct resource *base = tree_by_id(c->tree, c->base_id), *made = NULL;
	struct own_resource own = {.parent = base, .type = TY_REQUEST, .creator = x->from, .expires = expiry_of(x)};
	struct attributes a;

	attributes_init(&a, x->arena, NULL);
	set_attributes(x, &a, asynchronous, status);
	own.attributes = &a;
	if (base)
		made = cse_make_resource(c, &own);
	if (made)
		cse_event(c, &(const struct event){.kind = EVENT_CHILD_CREATE, .subject = base, .shown = made, .operation = ONEM2M_CREATE, .originator = x->from});
	resource_unref(base);
	return made;
}

/* ---- start ---- */

/* What was open when the CSE ended is not carried out again: nobody knows how far it came. */
struct orphan {
	struct cse_timer timer;
	int64_t id;
};

static void set_lost(void *ctx, struct attributes *a)
{
	struct cse *c = ctx;
	const struct json *rid = attributes_value(a, "rid");
	struct wr w = wr_new(4096);
	struct json_out o = json_out(&w);

	json_object(&o, NULL);
	json_put_int(&o, "rsc", RSC_INTERNAL_SERVER_ERROR);
	if (rid)
		json_put(&o, "rqi", rid);
	json_object(&o, "pc");
	json_put_string(&o, "m2m:dbg", "the CSE was restarted before the request was answered");
	json_close(&o);
	json_close(&o);
	set_parsed(a, "ors", &w);
	attributes_set_uint(a, "rs", FAILED);
	attributes_set_time(a, "lt", cse_now(c));
}

static void on_orphan(struct cse *c, struct cse_timer *t)
{
	struct orphan *n = (struct orphan *)(void *)((char *)t - offsetof(struct orphan, timer));

	if (cse_edit_resource(c, n->id, true, set_lost, c) != OK)
		c->counts.refused++;
	free(n);
}

void request_start(struct cse *c, struct resource *r)
{
	uint64_t status = resource_uint(r, "rs", 0);
	struct orphan *n;

	if (status != PENDING && status != FORWARDED)
		return;
	n = calloc(1, sizeof *n);
	if (!n)
		abort();
	n->id = r->id;
	n->timer.fn = on_orphan;
	cse_timer_at(c, &n->timer, cse_mono(c));
}
