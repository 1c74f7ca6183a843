/* CREATE: TS-0004 clause 7.2.2.1 (7.3.3.5 ff.) and the hooks of the types. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/gate.h"
#include "cse/types/multicast_host.h"

static bool is_instance(int type)
{
	return type == TY_CONTENT_INSTANCE || type == TY_TIME_SERIES_INSTANCE || type == TY_FLEX_CONTAINER_INSTANCE;
}

/* Names of resources that are virtual below this parent. */
static bool is_reserved(const struct resource *parent, struct rd rn)
{
	static const char *const names[] = {"la", "ol", "fopt", "sfop", "pcu", "ntsr"};

	if (parent->type == TY_ONTOLOGY_REPOSITORY && rd_is(rn, "smv"))
		return true;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (rd_is(rn, names[i]))
			return true;
	return false;
}

bool cse_name_is_good(struct rd rn)
{
	uint8_t c;

	if (rn.left == 0 || rn.left > 127 || rd_is(rn, ".") || rd_is(rn, ".."))
		return false;
	while (rd_u8(&rn, &c))
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c)))
			return false;
	return true;
}

static bool take_name(struct creation *cr)
{
	const struct json *rn = json_get(cr->given, "rn");
	struct resource *other;

	if (!rn)
		return true;
	if (!cse_name_is_good(rn->text) || !rd_text(rn->text, cr->rn, sizeof cr->rn)) {
		exchange_fail(cr->x, RSC_CONTENTS_UNACCEPTABLE, "`rn`: a resource name has up to 127 letters, digits, `-`, `.`, `_` and `~`");
		return false;
	}
	other = is_reserved(cr->x->target, rn->text) ? resource_ref(cr->x->target) : tree_child(cr->x->cse->tree, cr->x->target, rn->text);
	if (other) {
		resource_unref(other);
		exchange_fail(cr->x, RSC_CONFLICT, "`rn`: there is a resource `%s` already", cr->rn);
		return false;
	}
	return true;
}

/* expirationTime: what is asked, within the CSE's limit and the parent's life. TS-0001 table 9.6.1.3.1-1. */
static bool take_expiration(struct creation *cr)
{
	struct cse *c = cr->x->cse;
	uint64_t at = cr->now + cse_longest_life(c);
	const struct json *et = json_get(cr->given, "et");
	bool as_written = false;

	if (cr->x->target->expires && cr->x->target->expires < at)
		at = cr->x->target->expires;
	if (et) {
		uint64_t asked;

		if (!timestamp_parse(et->text, &asked) || asked <= cr->now) {
			exchange_fail(cr->x, RSC_BAD_REQUEST, "`et`: lies in the past");
			return false;
		}
		as_written = asked <= at;
		if (as_written)
			at = asked;
	}
	/* an instance that would live as long as its parent goes with it, and needs no entry in the index of what expires */
	cr->expires = cr->instance && !et ? 0 : at;
	if (!as_written)
		attributes_set_time(&cr->attributes, "et", at);
	return true;
}

/* creator: a null asks for the originator to be noted. TS-0001 table 9.6.1.3.1-1. */
static bool take_creator(struct creation *cr)
{
	const struct json *given = json_get(cr->given, "cr");

	cr->creator = cr->x->from;
	if (!given)
		return true;
	if (given->type != JSON_NULL) {
		exchange_fail(cr->x, RSC_BAD_REQUEST, "`cr`: only null may be sent; the CSE fills the creator in");
		return false;
	}
	attributes_set_string(&cr->attributes, "cr", cse_relative(cr->x->cse, cr->x->from));
	return true;
}

/* The address of what is made has to fit as well. */
static bool is_reachable(struct creation *cr)
{
	char path[CSE_PATH_MAX];

	if (!tree_path(cr->x->cse->tree, cr->x->target, path, sizeof path - 256)) {
		exchange_fail(cr->x, RSC_NOT_ACCEPTABLE, "resources nest too deeply here");
		return false;
	}
	cr->parent_path = exchange_text(cr->x, rd_str(path));
	return true;
}

struct counting {
	bool found;
};

static bool note(void *ctx, struct resource *r)
{
	struct counting *k = ctx;

	(void)r;
	k->found = true;
	return false;
}

/* Of some types a parent has one child only. */
static bool is_first(struct creation *cr)
{
	const struct schema_child *child = schema_child(cr->x->target->schema, cr->type->ty);
	struct counting k = {false};
	enum err e;

	if (!child || !child->one)
		return true;
	e = tree_children(cr->x->cse->tree, cr->x->target, cr->type->ty, false, note, &k);
	if (e != OK)
		exchange_store_failed(cr->x, e);
	else if (k.found)
		exchange_fail(cr->x, RSC_BAD_REQUEST, "there is one of this type already, and there may be no second");
	return e == OK && !k.found;
}

static bool prepare(struct creation *cr)
{
	struct exchange *x = cr->x;

	attributes_init(&cr->attributes, x->arena, cr->given);
	cr->id = tree_new_id(x->cse->tree);
	if (cr->id <= 0) {
		exchange_store_failed(x, ERR_STORE);
		return false;
	}
	tree_ri(cr->ri, sizeof cr->ri, cr->type->ty, x->target->id, cr->id, cr->instance);
	return is_reachable(cr) && take_name(cr) && is_first(cr) && take_creator(cr) && take_expiration(cr) && cse_policies_exist(x, json_get(cr->given, "acpi")) && cse_consultations_fit(x, json_get(cr->given, "daci")) &&
	    announce_check(x, cr->type, cr->given, &cr->attributes, NULL);
}

/* The CSE's own attributes; ri and rn are known now. */
static void complete(struct creation *cr)
{
	struct attributes *a = &cr->attributes;

	attributes_set_uint(a, "ty", (uint64_t)cr->type->ty);
	attributes_set_string(a, "ri", cr->ri);
	attributes_set_string(a, "rn", cr->rn[0] ? cr->rn : cr->ri);
	attributes_set_string(a, "pi", cr->x->target->ri);
	attributes_set_time(a, "ct", cr->now);
	if (!cr->counters.used)
		attributes_set_time(a, "lt", cr->now);
	else
		cr->counters.modified_ms = cr->now;
}

/* ---- the answer ---- */

static void put_changed(struct creation *cr, struct wr *w)
{
	struct json_out o = json_out(w);

	json_object(&o, NULL);
	json_object(&o, cr->root);
	for (size_t i = 0; i < cr->attributes.count; i++) {
		const struct attribute *t = &cr->attributes.items[i];
		const struct json *asked;
		char name[128];

		if (!t->changed || !access_shows(cr->limited, t->name) || !rd_text(t->name, name, sizeof name))
			continue;
		asked = json_get(cr->given, name);
		if (t->removed && asked)
			json_put_null(&o, name);
		else if (t->removed)
			continue;
		else if (!asked || !rd_equal(asked->source, t->raw))
			json_put_raw(&o, name, t->raw);
	}
	if (cr->made->counters.used)
		resource_put_counters(cr->made, &o);
	json_close(&o);
	json_close(&o);
}

/* What announcing has changed since the insertion. */
static void refresh(struct creation *cr)
{
	struct tree *t = cr->x->cse->tree;
	struct resource *again;

	if (!cr->made->stale)
		return;
	again = cr->made->instance ? tree_instance(t, cr->made->parent, cr->made->id) : tree_by_id(t, cr->made->id);
	if (!again)
		return; /* deleted in the meantime: it was created all the same */
	if (resource_get(again, "at"))
		attributes_set_json(&cr->attributes, "at", resource_get(again, "at"));
	resource_unref(cr->made);
	cr->made = again;
}

static void answer(void *ctx)
{
	struct creation *cr = ctx;
	struct exchange *x = cr->x;
	struct wr *w = exchange_room(x);
	struct json_out o = json_out(w);
	char path[CSE_PATH_MAX];
	struct rd content = rd_of("", 0);
	struct resource *made;

	refresh(cr);
	made = cr->made;
	if (!cse_address_below(x, cr->parent_path, made->rn, path, sizeof path))
		path[0] = '\0';
	switch (x->rcn == ONEM2M_RCN_ABSENT ? 1 : x->rcn) {
	case 1:
		represent_limited(x->cse, made, cr->limited, w);
		break;
	case 2:
		json_object(&o, NULL);
		json_put_string(&o, "m2m:uri", path);
		json_close(&o);
		break;
	case 3:
		json_object(&o, NULL);
		json_object(&o, "m2m:rce");
		json_put_string(&o, "uri", path);
		json_object(&o, made->root);
		represent_members(x->cse, made, &o);
		json_close(&o);
		json_close(&o);
		json_close(&o);
		break;
	case 9:
		put_changed(cr, w);
		break;
	default:
		break;
	}
	if (!wr_done(w, &content))
		content = rd_of("", 0);
	exchange_answer_composed(x, RSC_CREATED, content, rd_str(path));
	resource_unref(made);
}

/* ---- the insertion ---- */

static bool insert(struct creation *cr)
{
	struct exchange *x = cr->x;
	struct wr *text = exchange_room(x);
	struct resource_new n;
	struct rd at;
	enum err e = ERR_TOO_LONG;

	complete(cr);
	cr->announced = attributes_get(&cr->attributes, "at", &at);
	n = (struct resource_new){
		.parent = x->target,
		.type = cr->type->ty,
		.instance = cr->instance,
		.watched = cr->announced || type_hooks(cr->type->ty)->created,
		.id = cr->id,
		.ri = cr->ri,
		.rn = cr->rn[0] ? cr->rn : cr->ri,
		.own_ri = cr->own_ri,
		.own_rn = cr->rn[0] != '\0',
		.root = cr->root,
		.creator = cr->creator,
		.expires = cr->expires,
		.counters = cr->counters,
	};
	n.label_count = attributes_labels(&cr->attributes, &n.labels);
	attributes_write(&cr->attributes, text);
	if (text->len <= CSE_BODY_MAX * 2 && wr_done(text, &n.text))
		e = tree_insert(x->cse->tree, &n, &cr->made);
	if (e == OK) {
		cse_expire_at(x->cse, cr->expires);
		return true;
	}
	if (e == ERR_EXISTS)
		exchange_fail(x, RSC_CONFLICT, "there is a resource of this name already");
	else if (e == ERR_TOO_LONG)
		exchange_fail(x, RSC_NOT_ACCEPTABLE, "the resource is too large");
	else
		exchange_store_failed(x, e);
	return false;
}

void creation_finish(struct creation *cr)
{
	struct exchange *x = cr->x;

	/* while a hook waited the parent may have changed, or gone with what was made below it */
	if (x->target->stale) {
		struct resource *again = tree_by_id(x->cse->tree, x->target->id);

		resource_unref(x->target);
		x->target = again;
	}
	if (!x->target) {
		resource_unref(cr->made);
		exchange_fail(x, RSC_NOT_FOUND, "the parent was deleted meanwhile");
		return;
	}
	cse_event(x->cse, &(const struct event){.kind = EVENT_CHILD_CREATE, .subject = x->target, .shown = cr->made, .operation = ONEM2M_CREATE, .originator = x->from});
	if (!cr->announced || !announce_created(x, cr->made, answer, cr))
		answer(cr);
}

void creation_resume(struct creation *cr)
{
	struct exchange *x = cr->x;
	struct cse *c = x->cse;
	const struct type_hooks *h = type_hooks(cr->type->ty), *above = type_hooks(x->target->type);

	if (x->abandoned) {
		exchange_fail(x, RSC_CONFLICT, "its transaction went on without it");
		return;
	}
	if (cr->resumed && x->target->stale) {
		/* the parent may have changed or gone while a check was under way */
		struct resource *again = tree_by_id(c->tree, x->target->id);

		resource_unref(x->target);
		x->target = again;
		if (!again) {
			x->target = NULL;
			exchange_fail(x, RSC_NOT_FOUND, "the parent was deleted meanwhile");
			return;
		}
	}
	/* what a parent's child_created writes fails with the store only, and then the whole round does */
	if (h->created && !exchange_save(x))
		return;
	if (!insert(cr))
		return;
	c->counts.created++;
	node_links_changed(c, NULL, cr->made);
	contacts_changed(c, NULL, cr->made);
	if (above->child_created && above->child_created(cr) != HOOK_GO)
		return;
	if (h->created && h->created(cr) != HOOK_GO)
		return;
	creation_finish(cr);
}

/* ---- the beginning ---- */

static const struct schema_type *type_of(struct exchange *x, const char *root, const struct json *given)
{
	int ty = x->rq->type;

	if (ty == TY_FLEX_CONTAINER)
		return flex_container_schema(rd_str(root), json_get(given, "cnd"));
	if (ty == TY_MGMT_OBJ || ty == TY_MGMT_OBJ + TY_ANNOUNCED)
		return schema_by_root(rd_str(root));
	return schema_type(ty);
}

static bool root_is_right(const struct schema_type *t, int ty, const char *root)
{
	const struct schema_type *named;

	if (t->ty != ty)
		return false;
	if (t->root && strcmp(t->root, root) == 0)
		return true; /* no other type has it */
	named = schema_by_root(rd_str(root));
	/* a specialisation brings its own name, which is none of another type */
	return t->root ? named == t : strchr(root, ':') != NULL && (!named || named->ty == ty);
}

/* Registration needs no privilege on the CSEBase: who may register is a matter of the originator patterns and of the certificate. */
static bool may_create(struct exchange *x)
{
	char number[16];

	if (x->target->type == TY_CSE_BASE && (x->rq->type == TY_AE || x->rq->type == TY_REMOTE_CSE))
		return true;
	if (x->target->type == TY_CSE_BASE && x->from[0]) {
		snprintf(number, sizeof number, "%d", x->rq->type);
		if (cse_list_matches(x->cse->config.open_create, number))
			return true;
	}
	return announce_may_make_base(x) || announce_may_place(x) || multicast_may_make(x) || cse_permits_child(x, x->target, x->rq->type);
}

static bool is_made_by_the_cse(int ty)
{
	return ty == TY_CSE_BASE || ty == TY_REQUEST || ty == TY_EXEC_INSTANCE || ty == TY_FLEX_CONTAINER_INSTANCE || ty == TY_AE_CONTACT_LIST ||
	    ty == TY_AE_CONTACT_LIST_PER_CSE || ty == TY_SEMANTIC_MASHUP_RESULT;
}

static enum hook_result run_hooks(struct creation *cr)
{
	const struct type_hooks *h = type_hooks(cr->type->ty), *above = type_hooks(cr->x->target->type);
	enum hook_result r = above->child_create ? above->child_create(cr) : HOOK_GO;

	if (r == HOOK_GO && h->create)
		r = h->create(cr);
	return r;
}

static struct creation *begin(struct exchange *x, const struct schema_type *t, const struct json *given, const char *root)
{
	struct creation *cr = json_arena_alloc(x->arena, sizeof *cr);

	if (!cr)
		abort();
	cr->x = x;
	cr->type = t;
	cr->given = given;
	cr->root = root;
	cr->now = cse_now(x->cse);
	cr->instance = is_instance(t->ty);
	return cr;
}

void cse_create(struct exchange *x)
{
	const struct schema_type *t = schema_type(x->rq->type);
	const struct json *doc, *given;
	struct schema_fault fault;
	const struct json *limited;
	struct creation *cr;
	char *root;

	if (!t || is_made_by_the_cse(x->rq->type)) {
		exchange_fail(x, t ? RSC_OPERATION_NOT_ALLOWED : RSC_BAD_REQUEST, "resources of type %d cannot be created", x->rq->type);
		return;
	}
	/* who is yet to register has no privileges that could be asked about */
	if (x->rq->type == TY_AE && x->target->type != TY_CSE_BASE) {
		exchange_fail(x, RSC_INVALID_CHILD_RESOURCE_TYPE, "an AE registers below the CSEBase");
		return;
	}
	if (!may_create(x)) {
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s may not create this here", x->from[0] ? x->from : "an unknown originator");
		return;
	}
	limited = x->limited;
	if (!x->target->schema || (!schema_child(x->target->schema, x->rq->type) && !announce_may_place(x))) {
		exchange_fail(x, x->rq->type == TY_SUBSCRIPTION ? RSC_TARGET_NOT_SUBSCRIBABLE : RSC_INVALID_CHILD_RESOURCE_TYPE, "a resource of type %d cannot be a child of one of type %d", x->rq->type, x->target->type);
		return;
	}
	if (!store_has_room(x->cse->store)) {
		exchange_fail(x, RSC_INTERNAL_SERVER_ERROR, "%s", store_detail(x->cse->store));
		return;
	}
	given = exchange_content(x, NULL, &doc);
	if (!given || gate_holds_content(x, given))
		return;
	root = json_arena_alloc(x->arena, given->key.left + 1);
	if (!root || !rd_text(given->key, root, given->key.left + 1)) {
		exchange_fail(x, RSC_BAD_REQUEST, "the name of the content's member is no resource type");
		return;
	}
	t = type_of(x, root, given);
	if (!t || !root_is_right(t, x->rq->type, root)) {
		exchange_fail(x, RSC_BAD_REQUEST, "`%.100s` is no resource of type %d", root, x->rq->type);
		return;
	}
	if (t->ty == TY_REMOTE_CSE && !remote_cse_is_its_own(x, given))
		return;
	if (!(x->rq->internal && t->definition ? schema_check_draft(t, given, &fault) : schema_check_create(t, given, &fault))) {
		exchange_fail(x, fault.rsc, "%s", fault.text);
		return;
	}
	cr = begin(x, t, given, root);
	cr->limited = limited;
	if (prepare(cr) && run_hooks(cr) == HOOK_GO)
		creation_resume(cr);
}
