/* CREATE: TS-0004 clause 7.2.2.1 and the types' own procedures. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/private.h"
#include "onem2m/timestamp.h"

#define YEARS_5_MS (5ULL * 365 * 86400 * 1000)

struct creation {
	struct exchange *x;
	const struct onem2m_type_rules *rules;
	const struct json *resource; /* the content below its root */
	struct store_row row;
	struct wr body;
	uint64_t now;
	unsigned unverified;         /* notification targets that have not answered yet */
	bool refused;
};

static void creation_end(struct creation *cr)
{
	wr_free(&cr->body);
	free(cr);
}

static bool name_is_good(const char *rn)
{
	for (const char *c = rn; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || strchr("-._~", *c)))
			return false;
	return rn[0] != '\0' && strcmp(rn, "la") != 0 && strcmp(rn, "ol") != 0;
}

/* Resource ID, name and originator of the new row. */
static bool name_row(struct creation *cr, enum onem2m_rsc *rsc, const char **why)
{
	struct exchange *x = cr->x;
	const struct json *rn = json_get(cr->resource, "rn");
	unsigned long long number = store_next_number(x->cse->store);

	*rsc = RSC_BAD_REQUEST;
	snprintf(cr->row.ri, sizeof cr->row.ri, "%s%llx", cr->rules->prefix, number);
	if (rn && (!json_text(rn, cr->row.rn, sizeof cr->row.rn) || !name_is_good(cr->row.rn))) {
		*why = "`rn` is no resource name";
		return false;
	}
	if (!rn)
		snprintf(cr->row.rn, sizeof cr->row.rn, "%s", cr->row.ri);
	snprintf(cr->row.creator, sizeof cr->row.creator, "%s", x->from);
	return true;
}

/* AE-ID: what the originator asks for, or a new one. */
static bool register_ae(struct creation *cr, enum onem2m_rsc *rsc, const char **why)
{
	struct exchange *x = cr->x;
	const struct cse *c = x->cse;
	size_t own = strlen(c->config.id);
	const char *stem = x->from;
	struct store_row existing;

	if (strncmp(stem, c->config.id, own) == 0 && stem[own] == '/')
		stem += own + 1;
	*rsc = RSC_BAD_REQUEST;
	if (stem[0] == '/' || strchr(stem, '/')) {
		*why = "an AE registers at this CSE with an AE-ID of this CSE";
		return false;
	}
	if (stem[0] == '\0' || strcmp(stem, "C") == 0 || strcmp(stem, "S") == 0)
		snprintf(cr->row.ri, sizeof cr->row.ri, "C%llx", (unsigned long long)store_next_number(c->store));
	else
		snprintf(cr->row.ri, sizeof cr->row.ri, "%s", stem);
	if ((cr->row.ri[0] != 'C' && cr->row.ri[0] != 'S') || !name_is_good(cr->row.ri) ||
	    (size_t)snprintf(cr->row.creator, sizeof cr->row.creator, "%s/%s", c->config.id, cr->row.ri) >= sizeof cr->row.creator) {
		*why = "an AE-ID begins with C or S, and has letters, digits and -._~ then";
		return false;
	}
	if (store_by_ri(x->cse->store, cr->row.ri, &existing) == OK) {
		store_row_clear(&existing);
		*rsc = RSC_ORIGINATOR_HAS_ALREADY_REGISTERED;
		*why = "this AE is registered already";
		return false;
	}
	if (!json_get(cr->resource, "rn"))
		snprintf(cr->row.rn, sizeof cr->row.rn, "%s", cr->row.ri);
	return true;
}

static bool register_cse(struct creation *cr, enum onem2m_rsc *rsc, const char **why)
{
	*rsc = RSC_BAD_REQUEST;
	if (!json_is_string(json_get(cr->resource, "csi"), cr->x->from) && !cr->x->privileged) {
		*why = "`csi` must be the originator's own CSE-ID";
		return false;
	}
	return true;
}

static void begin_body(struct creation *cr, struct json_out *o, const struct store_row *parent)
{
	char now[TIMESTAMP_SIZE], end[TIMESTAMP_SIZE];

	timestamp_print(now, cr->now);
	timestamp_print(end, cr->now + YEARS_5_MS);
	json_object(o, NULL);
	json_put_string(o, "rn", cr->row.rn);
	json_put_int(o, "ty", cr->row.type);
	json_put_string(o, "ri", cr->row.ri);
	json_put_string(o, "pi", parent->ri);
	json_put_string(o, "ct", now);
	json_put_string(o, "lt", now);
	if (!json_get(cr->resource, "et"))
		json_put_string(o, "et", end);
	for (const struct json *m = cr->resource->first; m; m = m->next) {
		char name[STORE_NAME];

		if (rd_is(m->key, "rn") || rd_is(m->key, "cr") || !rd_text(m->key, name, sizeof name))
			continue;
		json_put(o, name, m);
	}
	if (json_get(cr->resource, "cr"))
		json_put_string(o, "cr", cr->row.creator);
}

static bool end_body(struct creation *cr, struct json_out *o)
{
	const struct json *con = json_get(cr->resource, "con");

	switch (cr->row.type) {
	case ONEM2M_AE:
		json_put_string(o, "aei", cr->row.ri);
		break;
	case ONEM2M_CONTAINER:
		json_put_int(o, "cni", 0);
		json_put_int(o, "cbs", 0);
		json_put_int(o, "st", 0);
		break;
	case ONEM2M_CONTENT_INSTANCE:
		json_put_uint(o, "cs", con->type == JSON_STRING ? con->text.left : con->source.left);
		break;
	case ONEM2M_SUBSCRIPTION:
		if (!json_get(cr->resource, "nct"))
			json_put_int(o, "nct", 1);
		break;
	case ONEM2M_FLEX_CONTAINER:
		json_put_int(o, "st", 0);
		break;
	default:
		break;
	}
	json_close(o);
	return wr_done(&cr->body, &cr->row.body);
}

/* ---- contentInstance: the container's counters, and eviction ---- */

static uint64_t uint_of(const struct json *body, const char *name, uint64_t otherwise)
{
	uint64_t n;

	return json_uint(json_get(body, name), &n) ? n : otherwise;
}

static bool make_room(struct exchange *x, uint64_t *instances, uint64_t *octets, uint64_t most, uint64_t most_octets)
{
	while (*instances > most || *octets > most_octets) {
		struct store_row oldest;
		const struct json *body;
		uint64_t size = 0;

		if (store_edge_child(x->cse->store, x->target.id, ONEM2M_CONTENT_INSTANCE, false, &oldest) != OK)
			return true;
		if (json_parse(x->arena, oldest.body, NULL, &body) == OK)
			size = uint_of(body, "cs", 0);
		store_row_clear(&oldest);
		if (store_delete(x->cse->store, oldest.id) != OK)
			return false;
		--*instances;
		*octets -= size < *octets ? size : *octets;
	}
	return true;
}

/* Counts the new instance in its container; the container's body is parsed before, as the exchange's target. */
static bool count_instance(struct creation *cr)
{
	static const char *const names[] = {"cni", "cbs", "st"};
	struct exchange *x = cr->x;
	const struct json *container, *con = json_get(cr->resource, "con");
	struct wr w = wr_new(CSE_BODY_MAX);
	uint64_t values[3];
	struct rd body;
	bool ok;

	if (json_parse(x->arena, x->target.body, NULL, &container) != OK)
		return false;
	values[0] = uint_of(container, "cni", 0) + 1;
	values[1] = uint_of(container, "cbs", 0) + (con->type == JSON_STRING ? con->text.left : con->source.left);
	values[2] = uint_of(container, "st", 0) + 1;
	ok = make_room(x, &values[0], &values[1], uint_of(container, "mni", UINT64_MAX), uint_of(container, "mbs", UINT64_MAX));
	body = uint_attribute_set(x->cse, &x->target, names, values, 3, &w);
	ok = ok && body.at && store_update(x->cse->store, x->target.id, body) == OK;
	wr_free(&w);
	return ok;
}

static bool too_big(struct creation *cr)
{
	const struct json *container, *con = json_get(cr->resource, "con");

	return cr->row.type == ONEM2M_CONTENT_INSTANCE && json_parse(cr->x->arena, cr->x->target.body, NULL, &container) == OK &&
	    uint_of(container, "mbs", UINT64_MAX) < (con->type == JSON_STRING ? con->text.left : con->source.left);
}

/* ---- the end ---- */

static void answer(struct creation *cr)
{
	struct exchange *x = cr->x;
	struct wr w = wr_new(CSE_BODY_MAX * 2);
	struct json_out o = json_out(&w);
	char path[CSE_PATH_MAX] = "";
	struct rd content = rd_of("", 0);
	int rcn = x->rq->rcn == ONEM2M_RCN_ABSENT ? 1 : x->rq->rcn;

	if (!cse_path(x->cse, &cr->row, path, sizeof path))
		path[0] = '\0';
	if (rcn == 1 || rcn == 9) {
		content_of(&cr->row, &w);
	} else if (rcn == 2) {
		json_object(&o, NULL);
		json_put_string(&o, "m2m:uri", path);
		json_close(&o);
	} else if (rcn == 3) {
		json_object(&o, NULL);
		json_object(&o, "m2m:rce");
		json_put_string(&o, "uri", path);
		json_put_raw(&o, cr->row.root, cr->row.body);
		json_close(&o);
		json_close(&o);
	}
	if (!wr_done(&w, &content))
		content = rd_of("", 0);
	exchange_answer(x, RSC_CREATED, content, rd_str(path));
	wr_free(&w);
}

static enum err store_new(struct creation *cr)
{
	struct store *s = cr->x->cse->store;
	enum err e = store_insert(s, &cr->row);

	if (e != OK || cr->row.type != ONEM2M_CONTENT_INSTANCE || count_instance(cr))
		return e;
	(void)!store_delete(s, cr->row.id);
	return ERR_STORE;
}

/* While a subscription's targets were asked, its parent may have gone, and its row's number have passed to another resource. */
static bool parent_is_there(const struct creation *cr)
{
	const struct store_row *parent = &cr->x->target;
	struct store_row now;
	bool same;

	if (store_by_id(cr->x->cse->store, parent->id, &now) != OK)
		return false;
	same = strcmp(now.ri, parent->ri) == 0;
	store_row_clear(&now);
	return same;
}

/* False: it was refused. */
static bool put(struct creation *cr)
{
	struct exchange *x = cr->x;
	char path[CSE_PATH_MAX];
	enum err e;

	if (!parent_is_there(cr))
		exchange_fail(x, RSC_NOT_FOUND, "the parent is gone");
	else if (too_big(cr))
		exchange_fail(x, RSC_NOT_ACCEPTABLE, "the content is larger than the container's mbs");
	else if (!cse_path(x->cse, &cr->row, path, sizeof path))
		exchange_fail(x, RSC_NOT_ACCEPTABLE, "resources nest too deeply here");
	else if ((e = store_new(cr)) == ERR_EXISTS)
		exchange_fail(x, RSC_CONFLICT, "there is a resource `%s` already", cr->row.rn);
	else if (e != OK)
		exchange_fail(x, RSC_INTERNAL_SERVER_ERROR, "`%s` could not be stored", cr->row.rn);
	else
		return true;
	return false;
}

static void insert(struct creation *cr)
{
	struct exchange *x = cr->x;
	struct cse *c = x->cse;
	struct store_row parent;

	if (!put(cr)) {
		creation_end(cr);
		return;
	}
	c->counts.created++;
	if (store_by_id(c->store, x->target.id, &parent) == OK) {
		cse_event(c, &parent, EVENT_CHILD_CREATE, &cr->row);
		store_row_clear(&parent);
	}
	answer(cr);
	creation_end(cr);
}

/* ---- subscription: verification of its targets ---- */

static void on_verified(void *ctx, const struct onem2m_response *rsp)
{
	struct creation *cr = ctx;

	if (rsp->rsc != RSC_OK)
		cr->refused = true;
	if (--cr->unverified > 0)
		return;
	if (cr->refused) {
		exchange_fail(cr->x, RSC_SUBSCRIPTION_VERIFICATION_INITIATION_FAILED, "a notification target did not accept the subscription");
		creation_end(cr);
	} else {
		insert(cr);
	}
}

struct verification {
	struct onem2m_request rq;
	struct creation *cr;
	struct wr content;
	char target[CSE_ID_MAX], id[32];
};

static void on_verification_answer(void *ctx, const struct onem2m_response *rsp)
{
	struct verification *v = ctx;

	on_verified(v->cr, rsp);
	wr_free(&v->content);
	free(v);
}

static void verify(struct creation *cr, const char *url)
{
	struct cse *c = cr->x->cse;
	struct verification *v = calloc(1, sizeof *v);
	struct json_out o;

	if (!v)
		abort();
	v->cr = cr;
	v->content = wr_new(4096);
	o = json_out(&v->content);
	json_object(&o, NULL);
	json_object(&o, "m2m:sgn");
	json_put_bool(&o, "vrq", true);
	snprintf(v->target, sizeof v->target, "%s/%s", c->config.id, cr->row.ri);
	json_put_string(&o, "sur", v->target);
	json_put_string(&o, "cr", cr->x->from);
	json_close(&o);
	json_close(&o);
	snprintf(v->target, sizeof v->target, "%s", url);
	snprintf(v->id, sizeof v->id, "v%llu", (unsigned long long)++c->requests);
	v->rq.operation = ONEM2M_NOTIFY;
	v->rq.from = rd_str(c->config.id);
	v->rq.request_id = rd_str(v->id);
	v->rq.rcn = ONEM2M_RCN_ABSENT;
	v->rq.content = rd_of(v->content.octets, v->content.len);
	v->rq.internal = true;
	c->transport.send(c->transport.transport, v->target, "", &v->rq, on_verification_answer, v);
}

static bool is_url(struct rd nu)
{
	return rd_starts(nu, "http://") || rd_starts(nu, "https://");
}

/* Targets that are URLs are asked before; oneM2M entities authenticate themselves, and an originator that names itself agrees. */
static void insert_subscription(struct creation *cr)
{
	const struct json *nu = json_get(cr->resource, "nu");

	if (!nu->first) {
		exchange_fail(cr->x, RSC_BAD_REQUEST, "`nu` is empty");
		creation_end(cr);
		return;
	}
	cr->unverified = 1;
	for (const struct json *n = nu->first; n; n = n->next) {
		char url[CSE_ID_MAX];

		if (n->type == JSON_STRING && is_url(n->text) && rd_text(n->text, url, sizeof url)) {
			cr->unverified++;
			verify(cr, url);
		}
	}
	on_verified(cr, &(const struct onem2m_response){.rsc = RSC_OK});
}

/* ---- the beginning ---- */

static const struct json *resource_of(struct exchange *x, const struct onem2m_type_rules *rules, char *root)
{
	const struct json *doc;
	size_t where = 0;

	if (json_parse(x->arena, x->rq->content, &where, &doc) != OK) {
		exchange_fail(x, RSC_BAD_REQUEST, "the content is no JSON: error at octet %zu", where);
		return NULL;
	}
	if (doc->type != JSON_OBJECT || doc->count != 1 || doc->first->type != JSON_OBJECT || !rd_text(doc->first->key, root, STORE_NAME) ||
	    json_depth(doc->first) > CSE_DEPTH_MAX || (rules->root ? strcmp(root, rules->root) != 0 : !onem2m_root_is_custom(root))) {
		exchange_fail(x, RSC_BAD_REQUEST, "the content must be one object, not too deep, under `%s`", rules->root ? rules->root : "the specialization's name, with its prefix");
		return NULL;
	}
	return doc->first;
}

static bool may_create(struct exchange *x, int type)
{
	/* Registration needs no privilege on the CSEBase: who may register is the certificate's matter. */
	if (x->target.type == ONEM2M_CSE_BASE && (type == ONEM2M_AE || type == ONEM2M_REMOTE_CSE))
		return true;
	return cse_permits(x, &x->target, ACOP_CREATE);
}

void cse_create(struct exchange *x)
{
	const struct onem2m_type_rules *parent = onem2m_rules(x->target.type), *rules = onem2m_rules(x->rq->type);
	struct creation *cr;
	const struct json *resource;
	char root[STORE_NAME], why_text[256];
	const char *why = "";
	enum onem2m_rsc rsc;
	struct json_out o;

	if (!rules || rules->type == ONEM2M_CSE_BASE) {
		exchange_fail(x, rules ? RSC_OPERATION_NOT_ALLOWED : RSC_BAD_REQUEST, "resource type %d cannot be created here", x->rq->type);
		return;
	}
	if (!may_create(x, x->rq->type)) {
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s may not create here", x->from);
		return;
	}
	if (x->virtual_la || x->virtual_ol || !parent || !onem2m_child_permitted(parent, x->rq->type)) {
		exchange_fail(x, RSC_INVALID_CHILD_RESOURCE_TYPE, "resource type %d is no child of type %d", x->rq->type, x->target.type);
		return;
	}
	resource = resource_of(x, rules, root);
	if (!resource)
		return;
	if (!onem2m_check(rules, resource, true, why_text, sizeof why_text)) {
		exchange_fail(x, RSC_BAD_REQUEST, "%s", why_text);
		return;
	}
	cr = calloc(1, sizeof *cr);
	if (!cr)
		abort();
	cr->x = x;
	cr->rules = rules;
	cr->resource = resource;
	cr->body = wr_new(CSE_BODY_MAX);
	cr->now = x->cse->transport.unix_ms(x->cse->transport.transport);
	cr->row.parent = x->target.id;
	cr->row.type = x->rq->type;
	snprintf(cr->row.root, sizeof cr->row.root, "%s", root);
	if (!name_row(cr, &rsc, &why) || (cr->row.type == ONEM2M_AE && !register_ae(cr, &rsc, &why)) ||
	    (cr->row.type == ONEM2M_REMOTE_CSE && !register_cse(cr, &rsc, &why))) {
		exchange_fail(x, rsc, "%s", why);
		creation_end(cr);
		return;
	}
	o = json_out(&cr->body);
	begin_body(cr, &o, &x->target);
	if (!end_body(cr, &o)) {
		exchange_fail(x, RSC_NOT_ACCEPTABLE, "the resource is too large");
		creation_end(cr);
	} else if (cr->row.type == ONEM2M_SUBSCRIPTION) {
		insert_subscription(cr);
	} else {
		insert(cr);
	}
}
