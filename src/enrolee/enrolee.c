/* Enrolment, step by step. */
#include "enrolee/enrolee.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "enrolee/own_credential.h"
#include "key_registry/client_id.h"
#include "security/derive.h"

enum step { MEF_CLIENT, MEF_KEY, MAF_CLIENT, MAF_KEY, STEPS };

static void on_mef_client(void *ctx, struct function_result *r);
static void on_mef_key(void *ctx, struct function_result *r);
static void on_maf_client(void *ctx, struct function_result *r);
static void on_maf_key(void *ctx, struct function_result *r);

struct enrolee {
	struct enrolee_config config;
	struct http_client *http;
	struct loop_timer *soon;
	struct function_call *call;
	enum step step;
	enrolee_done *done;
	void *ctx;
	struct enrolee_result result;
	struct credential provisioned; /* KeID and the key for the MAF, between steps 2 and 3 */
};

static const char *const step_names[STEPS] = {
	[MEF_CLIENT] = "client registration at the MEF",
	[MEF_KEY] = "key registration at the MEF",
	[MAF_CLIENT] = "client registration at the MAF",
	[MAF_KEY] = "key registration at the MAF",
};

static uint64_t now_s(void)
{
	return clock_unix_ms() / 1000;
}

/* ---- the end ---- */

static void finish(struct enrolee *e, enum err error, unsigned rsc, const char *detail)
{
	e->call = NULL;
	e->result.error = error;
	e->result.rsc = rsc;
	e->result.step = step_names[e->step];
	e->result.detail = detail;
	e->done(e->ctx, &e->result);
}

/* ---- one step ---- */

static const char *admin(const struct enrolee *e, const struct function_peer *p)
{
	return e->config.admin_fqdn ? e->config.admin_fqdn : p->fqdn;
}

static uint64_t end_of(const struct enrolee *e)
{
	return now_s() + e->config.lifetime_s;
}

/* Every step has a TLS session of its own, so that no exported key comes twice. */
static enum err credentials_for(struct enrolee *e, enum step step, struct tls_credentials **tls)
{
	if (step == MAF_CLIENT && e->provisioned.key)
		return psk_credential(e->provisioned.identity, e->provisioned.key, tls);
	if (step == MAF_CLIENT || step == MAF_KEY)
		return own_credential(e->config.store, REGISTRY_MAF, e->config.maf.fqdn, tls, NULL);
	if (e->config.tls) {
		*tls = tls_credentials_hold(e->config.tls);
		return OK;
	}
	return own_credential(e->config.store, REGISTRY_MEF, e->config.mef.fqdn, tls, NULL);
}

/* Usages of a key, as MEF and MAF write them, and what the store calls it. */
static const struct usage {
	enum suid_usage usage;
	enum suid of_mef, of_maf;
	enum credential_kind kind;
} usages[] = {
	{SUID_USAGE_SAEF, SUID_RSPF_SAEF, SUID_MAF_SAEF, KIND_KPSA},
	{SUID_USAGE_ESPRIM, SUID_RSPF_ESPRIM, SUID_MAF_ESPRIM, KIND_ESPRIM},
	{SUID_USAGE_ESDATA_ENC, SUID_RSPF_ESDATA_ENC, SUID_MAF_ESDATA_ENC, KIND_ESDATA},
	{SUID_USAGE_ESDATA_SIG, SUID_RSPF_ESDATA_SIG, SUID_MAF_ESDATA_SIG, KIND_ESDATA_HMAC},
};

static const struct usage *wanted(const struct enrolee *e)
{
	for (size_t i = 0; i < sizeof usages / sizeof *usages; i++)
		if (usages[i].usage == e->config.usage)
			return &usages[i];
	return &usages[0];
}

static void begin(struct enrolee *e, enum step step)
{
	const struct function_peer *peer = step == MEF_CLIENT || step == MEF_KEY ? &e->config.mef : &e->config.maf;
	struct function_caller k = {.http = e->http, .peer = peer, .origin = e->config.origin};
	bool to_maf = e->config.maf.url != NULL;
	enum err error;

	e->step = step;
	error = credentials_for(e, step, &k.tls);
	if (error != OK) {
		finish(e, error, 0, error == ERR_NOT_FOUND ? "there is no key for it, or it has expired" : err_text(error));
		return;
	}
	switch (step) {
	case MEF_CLIENT:
		e->call = function_client_register(&k, admin(e, peer), end_of(e), on_mef_client, e);
		break;
	case MEF_KEY:
		e->call = function_key_register(&k, admin(e, peer), end_of(e), to_maf ? SUID_RSPF_MAF : wanted(e)->of_mef,
		    to_maf ? e->config.maf.fqdn : e->config.target, on_mef_key, e);
		break;
	case MAF_CLIENT:
		e->call = function_client_register(&k, admin(e, peer), end_of(e), on_maf_client, e);
		break;
	case MAF_KEY:
		e->call = function_key_register(&k, admin(e, peer), end_of(e), wanted(e)->of_maf, e->config.target, on_maf_key, e);
		break;
	case STEPS:
		break;
	}
	tls_credentials_free(k.tls);
}

/* False: it ended here. */
static bool went_well(struct enrolee *e, const struct function_result *r)
{
	e->call = NULL;
	if (r->error == OK)
		return true;
	finish(e, r->error, r->rsc, r->detail);
	return false;
}

/* ---- what the steps give ---- */

/* The key that is derived from Ke for this usage and this target: both sides compute it (TS-0003 10.3). For ESData, which may have several targets, Ke is
 * the key: docs/protocols/key-registration.md. */
static enum err derived(const struct enrolee *e, const struct secret *ke, enum suid suid, const char *target, struct secret **key)
{
	char id[ENTITY_MAX], fqdn[ENTITY_MAX];

	if (suid_usage(suid) == SUID_USAGE_ESDATA_ENC || suid_usage(suid) == SUID_USAGE_ESDATA_SIG) {
		*key = secret_dup(ke);
		return *key ? OK : ERR_NO_MEMORY;
	}
	if (!client_id_of(rd_str(target), e->config.sp, id) || !client_id_fqdn(id, e->config.sp, fqdn))
		return ERR_BAD_VALUE;
	return derive_usage_key(ke, suid, rd_str(fqdn), key);
}

static void credential_fill(struct credential *c, const struct function_answer *a, enum credential_kind kind, const char *fqdn, const char *peer)
{
	*c = (struct credential){.kind = kind, .suid = (unsigned)a->suid, .expires_at = a->expires_at, .added_at = now_s()};
	snprintf(c->identity, sizeof c->identity, "%s@%s", a->id, fqdn);
	snprintf(c->entity, sizeof c->entity, "%s", peer); /* who may come with it: the other side, never we ourselves */
	snprintf(c->peer, sizeof c->peer, "%s", peer);
}

static void target_key(struct enrolee *e, struct credential *c)
{
	enum err error = credentials_put(e->config.store, c, false);

	snprintf(e->result.identity, sizeof e->result.identity, "%s", c->identity);
	e->result.expires_at = c->expires_at;
	finish(e, error, 0, error == OK ? "" : "the key can't be stored");
}

static void on_mef_client(void *ctx, struct function_result *r)
{
	struct enrolee *e = ctx;

	if (went_well(e, r))
		begin(e, MEF_KEY);
}

static void on_mef_key(void *ctx, struct function_result *r)
{
	struct enrolee *e = ctx;
	bool to_maf = e->config.maf.url != NULL;
	struct credential c;
	enum err error;

	if (!went_well(e, r))
		return;
	credential_fill(&c, &r->answer, to_maf ? KIND_KM : wanted(e)->kind, e->config.mef.fqdn, to_maf ? e->config.maf.fqdn : e->config.target);
	error = derived(e, r->answer.key, r->answer.suid, c.peer, &c.key);
	if (error != OK) {
		finish(e, error, 0, err_text(error));
	} else if (to_maf) {
		credential_clear(&e->provisioned);
		e->provisioned = c;
		begin(e, MAF_CLIENT);
	} else {
		target_key(e, &c);
		credential_clear(&c);
	}
}

/* With Km from the MEF the MAF names it anew: KmID. It is that key from then on. */
static void on_maf_client(void *ctx, struct function_result *r)
{
	struct enrolee *e = ctx;
	struct credential km = e->provisioned;
	enum err error = OK;

	if (!went_well(e, r))
		return;
	if (km.key && r->answer.assigned[0])
		snprintf(km.identity, sizeof km.identity, "%s", r->answer.assigned);
	if (km.key)
		error = credentials_put(e->config.store, &km, false);
	if (error != OK) {
		finish(e, error, 0, "Km can't be stored");
	} else if (e->config.usage == SUID_USAGE_MAF) {
		snprintf(e->result.identity, sizeof e->result.identity, "%s", km.identity);
		e->result.expires_at = km.key ? km.expires_at : r->answer.expires_at;
		finish(e, OK, 0, "");
	} else {
		begin(e, MAF_KEY);
	}
}

static void on_maf_key(void *ctx, struct function_result *r)
{
	struct enrolee *e = ctx;
	struct credential c;

	if (!went_well(e, r))
		return;
	credential_fill(&c, &r->answer, wanted(e)->kind, e->config.maf.fqdn, e->config.target);
	c.key = r->answer.key;
	r->answer.key = NULL;
	target_key(e, &c);
	credential_clear(&c);
}

/* ---- start ---- */

static bool has_km(const struct enrolee *e)
{
	struct credential c = {.key = NULL};
	bool there = credentials_find_peer(e->config.store, KIND_KM, e->config.maf.fqdn, now_s(), &c) == OK;

	credential_clear(&c);
	return there;
}

static void on_soon(void *ctx)
{
	struct enrolee *e = ctx;

	if (e->config.maf.url && !e->config.fresh_master && has_km(e))
		begin(e, MAF_CLIENT); /* repeated, it is the same registration */
	else
		begin(e, MEF_CLIENT);
}

struct enrolee *enrolee_start(const struct enrolee_config *c, enrolee_done *done, void *ctx)
{
	struct enrolee *e = calloc(1, sizeof *e);

	if (!e)
		abort();
	e->config = *c;
	e->done = done;
	e->ctx = ctx;
	e->http = http_client_new(c->loop, NULL);
	e->soon = loop_timer_new(c->loop, on_soon, e);
	loop_timer_in(e->soon, 0);
	return e;
}

void enrolee_free(struct enrolee *e)
{
	if (!e)
		return;
	if (e->call)
		function_call_cancel(e->call);
	loop_timer_free(e->soon);
	http_client_free(e->http);
	credential_clear(&e->provisioned);
	free(e);
}
