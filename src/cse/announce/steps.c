/* The requests of a job: CSEBaseAnnc, CREATE, UPDATE, DELETE at the other CSE. TS-0001 clauses 10.2.18.4 ff. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/announce/jobs.h"

static struct resource *original_of(const struct announce_job *j)
{
	struct tree *t = j->cse->tree;

	return j->original.instance ? tree_instance(t, j->original.parent, j->original.id) : tree_by_id(t, j->original.id);
}

static void send(struct announce_job *j, enum onem2m_operation operation, const char *to, int type, struct rd content, cse_done *done)
{
	char id[32];
	struct onem2m_request rq = {.operation = operation, .type = type, .rcn = operation == ONEM2M_CREATE ? ONEM2M_RCN_ABSENT : 0, .content = content, .internal = true};

	snprintf(id, sizeof id, "a%llu", (unsigned long long)++j->cse->numbers);
	rq.to = rd_str(to);
	rq.from = rd_str(j->cse->config.id);
	rq.request_id = rd_str(id);
	rq.release = rd_str("3");
	rq.filter = rd_str(operation == ONEM2M_CREATE ? "" : "rcn=0");
	j->in_flight = true;
	cse_request(j->cse, &rq, done, j);
}

/* ---- the original's own side ---- */

struct entry {
	const char *csi, *value;
};

static void set_entry(void *ctx, struct attributes *a)
{
	const struct entry *k = ctx;
	const struct json *at = attributes_value(a, "at"), *list;
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	char csi[CSE_ID_MAX];
	struct rd text;

	json_array(&o, NULL);
	for (const struct json *e = at ? at->first : NULL; e; e = e->next) {
		if (e->type == JSON_STRING && announce_csi(e->text, csi, sizeof csi) && strcmp(csi, k->csi) == 0)
			json_put_string(&o, NULL, k->value);
		else
			json_put(&o, NULL, e);
	}
	json_close(&o);
	if (wr_done(&w, &text) && json_parse(a->arena, text, NULL, &list) == OK)
		attributes_set_json(a, "at", list);
	wr_free(&w);
}

static bool note_address(struct announce_job *j, const char *address)
{
	struct entry k = {j->csi, address};
	struct resource *r = original_of(j);
	enum err e = r ? cse_edit_snapshot(j->cse, r, false, set_entry, &k) : ERR_NOT_FOUND;

	resource_unref(r);
	return e == OK;
}

/* ---- our CSEBaseAnnc there ---- */

static void base_key(const struct announce_job *j, char *key, size_t size)
{
	snprintf(key, size, "announce-base%s", j->csi);
}

struct taking {
	char *text;
	size_t size;
};

static bool take_value(void *ctx, const struct store_row *row)
{
	struct taking *k = ctx;

	if (!rd_text(row->body, k->text, k->size))
		k->text[0] = '\0';
	return false;
}

static void base_address(const struct announce_job *j, char *address, size_t size)
{
	struct taking k = {address, size};
	char key[CSE_ID_MAX + 32];

	address[0] = '\0';
	base_key(j, key, sizeof key);
	if (store_value_get(j->cse->store, key, take_value, &k) != OK)
		address[0] = '\0';
}

static void set_base_address(struct announce_job *j, const char *address)
{
	char key[CSE_ID_MAX + 32];

	base_key(j, key, sizeof key);
	if (store_value_set(j->cse->store, key, rd_str(address)) != OK)
		j->cse->counts.refused++;
	cse_commit_later(j->cse);
}

/* The address of what was created: its resourceID at the other CSE. */
static bool created_address(const struct announce_job *j, const struct onem2m_response *rsp, char *address, size_t size)
{
	struct json_arena *arena = json_arena_new();
	const struct json *doc;
	char ri[128];
	bool ok = arena && json_parse(arena, rsp->content, NULL, &doc) == OK && json_text(json_get(doc->first, "ri"), ri, sizeof ri) && ri[0];

	if (ok && ri[0] == '/')
		ok = (size_t)snprintf(address, size, "%s", ri) < size;
	else if (ok)
		ok = (size_t)snprintf(address, size, "%s/%s", j->csi, ri) < size;
	json_arena_free(arena);
	return ok;
}

static void on_base(void *ctx, const struct onem2m_response *rsp)
{
	struct announce_job *j = ctx;
	char address[CSE_ID_MAX * 2];

	if (rsp->rsc == RSC_CREATED && created_address(j, rsp, address, sizeof address)) {
		set_base_address(j, address);
	} else if (rsp->rsc == RSC_CONFLICT || rsp->rsc == RSC_ALREADY_EXISTS) {
		/* from an earlier life of this CSE */
		snprintf(address, sizeof address, "%s/-/%s-annc", j->csi, j->cse->config.id + 1);
		set_base_address(j, address);
	} else {
		announce_job_failed(j);
		return;
	}
	announce_job_again(j);
}

static void make_base(struct announce_job *j)
{
	const char *own = j->cse->config.id, *releases = j->cse->config.releases ? j->cse->config.releases : "2a,3,4,5";
	struct wr w = wr_new(4096);
	struct json_out o = json_out(&w);
	struct rd rest = rd_str(releases), part, content;
	char text[CSE_ID_MAX * 2];

	json_object(&o, NULL);
	json_object(&o, "m2m:cbA");
	snprintf(text, sizeof text, "%s-annc", own + 1);
	json_put_string(&o, "rn", text);
	snprintf(text, sizeof text, "%s/%s", own, own + 1);
	json_put_string(&o, "lnk", text);
	json_array(&o, "srv");
	while (rest.left > 0) {
		if (!rd_until(&rest, ',', &part))
			part = rd_rest(&rest);
		json_put_rd(&o, NULL, part);
	}
	json_close(&o);
	json_close(&o);
	json_close(&o);
	snprintf(text, sizeof text, "%s/-", j->csi);
	if (wr_done(&w, &content))
		send(j, ONEM2M_CREATE, text, TY_CSE_BASE + TY_ANNOUNCED, content, on_base);
	wr_free(&w);
}

/* ---- the double ---- */

static void on_created(void *ctx, const struct onem2m_response *rsp)
{
	struct announce_job *j = ctx;
	char address[CSE_ID_MAX * 2];

	if (rsp->rsc == RSC_CREATED && created_address(j, rsp, address, sizeof address) && note_address(j, address)) {
		announce_job_done(j);
		return;
	}
	if (rsp->rsc == RSC_NOT_FOUND && j->parent_is_base && j->tries == 0) {
		/* the other CSE has lost its store */
		set_base_address(j, "");
		j->tries++;
		announce_job_again(j);
		return;
	}
	if (rsp->rsc == RSC_NOT_FOUND && j->parent_is_base)
		set_base_address(j, "");
	announce_job_failed(j);
}

/* Below the double of the original's parent, where there is one; otherwise below our CSEBaseAnnc. TS-0001 clause 10.2.18.4. */
static bool parent_address(struct announce_job *j, struct resource *r, char *address, size_t size)
{
	struct resource *above = tree_parent(j->cse->tree, r);
	const struct schema_type *there = above ? schema_type(above->type + TY_ANNOUNCED) : NULL;

	j->parent_is_base = false;
	address[0] = '\0';
	if (above && there && schema_child(there, r->type + TY_ANNOUNCED)) {
		announce_entry(above, j->csi, address, size);
		if (strcmp(address, j->csi) == 0)
			address[0] = '\0'; /* not there yet */
	}
	resource_unref(above);
	if (address[0] == '\0') {
		j->parent_is_base = true;
		base_address(j, address, size);
	}
	return address[0] != '\0';
}

/* ---- S-type AEs: at the IN-CSE's base, by the name of their AE-ID. TS-0001 clause 10.2.2.2 ---- */

static bool has_place(const struct announce_job *j, struct resource *r)
{
	const char *registrar = j->cse->config.registrar_id;

	return announce_is_s_type(r) && registrar && strcmp(j->csi, registrar) == 0 && !j->elsewhere;
}

static void place_of(const struct announce_job *j, const struct resource *r, char *address, size_t size)
{
	snprintf(address, size, "%s/-/%s", j->csi, r->ri);
}

/* Of a double that is to go: no other address is structured. */
static bool is_place(const struct announce_job *j)
{
	size_t n = strlen(j->csi);

	return strncmp(j->address, j->csi, n) == 0 && strncmp(j->address + n, "/-/S", 4) == 0;
}

static void on_placed(void *ctx, const struct onem2m_response *rsp)
{
	struct announce_job *j = ctx;
	struct resource *r = original_of(j);
	char address[CSE_ID_MAX * 2];

	if (r)
		place_of(j, r, address, sizeof address);
	if (!r || ((rsp->rsc == RSC_CREATED || rsp->rsc == RSC_UPDATED) && note_address(j, address))) {
		announce_job_done(j);
	} else if (rsp->rsc == RSC_CONFLICT || rsp->rsc == RSC_ORIGINATOR_HAS_NO_PRIVILEGE || rsp->rsc == RSC_BAD_REQUEST || rsp->rsc == RSC_OPERATION_NOT_ALLOWED) {
		j->elsewhere = true; /* another AE's, as it seems, or a CSE that has other rules */
		announce_job_again(j);
	} else {
		announce_job_failed(j);
	}
	resource_unref(r);
}

static void place(struct announce_job *j, struct resource *r, enum onem2m_operation operation, cse_done *done)
{
	bool is_new = operation == ONEM2M_CREATE;
	struct wr w = wr_new(CSE_BODY_MAX * 2);
	char address[CSE_ID_MAX * 2];
	struct rd content;

	if (is_new)
		snprintf(address, sizeof address, "%s/-", j->csi);
	else
		place_of(j, r, address, sizeof address);
	if (announce_compose(j->cse, r, r->ri, is_new, NULL, &w) && wr_done(&w, &content))
		send(j, operation, address, is_new ? TY_AE + TY_ANNOUNCED : 0, content, done);
	else
		announce_job_done(j);
	wr_free(&w);
}

/* It is there from an earlier registration: it may have been with another CSE. */
static void on_place_tried(void *ctx, const struct onem2m_response *rsp)
{
	struct announce_job *j = ctx;
	struct resource *r = rsp->rsc == RSC_CONFLICT || rsp->rsc == RSC_ALREADY_EXISTS ? original_of(j) : NULL;

	if (r)
		place(j, r, ONEM2M_UPDATE, on_placed);
	else
		on_placed(j, rsp);
	resource_unref(r);
}

/* ---- all others ---- */

static void create(struct announce_job *j, struct resource *r)
{
	struct wr w = wr_new(CSE_BODY_MAX * 2);
	char parent[CSE_ID_MAX * 2];
	struct rd content;

	if (has_place(j, r))
		place(j, r, ONEM2M_CREATE, on_place_tried);
	else if (!parent_address(j, r, parent, sizeof parent))
		make_base(j);
	else if (announce_compose(j->cse, r, NULL, true, NULL, &w) && wr_done(&w, &content))
		send(j, ONEM2M_CREATE, parent, r->type + TY_ANNOUNCED, content, on_created);
	else
		announce_job_done(j); /* too large: nothing will change that */
	wr_free(&w);
}

static void on_updated(void *ctx, const struct onem2m_response *rsp)
{
	struct announce_job *j = ctx;

	if (rsp->rsc == RSC_UPDATED || rsp->rsc == RSC_OK) {
		if (!j->again) {
			free(j->gone);
			j->gone = NULL;
		}
		announce_job_done(j);
	} else if (rsp->rsc == RSC_NOT_FOUND && cse_knows(j->cse, j->csi) && note_address(j, j->csi)) {
		announce_job_again(j); /* somebody deleted it, or the other CSE has lost its store: it is made anew */
	} else {
		announce_job_failed(j);
	}
}

static void update(struct announce_job *j, struct resource *r, const char *address)
{
	struct wr w = wr_new(CSE_BODY_MAX * 2);
	struct rd content;

	if (announce_compose(j->cse, r, NULL, false, j->gone, &w) && wr_done(&w, &content))
		send(j, ONEM2M_UPDATE, address, 0, content, on_updated);
	else
		announce_job_done(j);
	wr_free(&w);
}

static void on_deleted(void *ctx, const struct onem2m_response *rsp)
{
	struct announce_job *j = ctx;

	if (rsp->rsc == RSC_DELETED || rsp->rsc == RSC_OK || rsp->rsc == RSC_UPDATED || (rsp->rsc == RSC_NOT_FOUND && cse_knows(j->cse, j->csi)))
		announce_job_done(j);
	else
		announce_job_failed(j);
}

void announce_job_run(struct announce_job *j)
{
	struct resource *r = original_of(j);
	char entry[CSE_ID_MAX] = "";

	if (r)
		announce_entry(r, j->csi, entry, sizeof entry);
	if (j->address[0] && strcmp(entry, j->address) == 0)
		announce_job_done(j); /* what ordered it was undone */
	else if (j->address[0] && is_place(j))
		send(j, ONEM2M_UPDATE, j->address, 0, rd_str("{\"m2m:aeA\":{\"lnk\":\"INACTIVE\"}}"), on_deleted);
	else if (j->address[0])
		send(j, ONEM2M_DELETE, j->address, 0, rd_of("", 0), on_deleted);
	else if (entry[0] == '\0' || !r)
		announce_job_done(j);
	else if (strcmp(entry, j->csi) == 0)
		create(j, r);
	else
		update(j, r, entry);
	resource_unref(r);
}
