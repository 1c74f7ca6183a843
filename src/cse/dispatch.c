/* The dispatcher's entrance: who asks, what, where to. Order of the checks: TS-0004 clause 7.3.2. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/fan_out.h"
#include "cse/gate.h"
#include "cse/private.h"
#include "cse/release1.h"
#include "security/association.h"

uint64_t cse_now(const struct cse *c)
{
	return c->transport.unix_ms(c->transport.transport);
}

uint64_t cse_mono(const struct cse *c)
{
	return c->transport.now_ms(c->transport.transport);
}

/* ---- who ---- */

/* The operations that create before they have an originator's ID: AE registration with "", "C" or "S". */
static bool is_registration(const struct onem2m_request *rq)
{
	return rq->operation == ONEM2M_CREATE && (rq->type == TY_AE || rq->type == TY_REMOTE_CSE);
}

/* This CSE itself, which asks under its own name too, or who administers it. */
bool cse_is_administrator(const struct cse *c, const char *from)
{
	return strcmp(from, c->config.id) == 0 || (c->admin[0] && strcmp(from, c->admin) == 0);
}

static bool knows_ae(void *ctx, const char *ae)
{
	const struct cse *c = ctx;
	struct resource *r = tree_by_ri(c->tree, rd_str(strrchr(ae, '/') + 1));
	bool known = r && r->type == TY_AE;

	resource_unref(r);
	return known;
}

static bool knows_registree(void *ctx, const char *cse)
{
	struct cse *c = ctx;
	struct resource *r = cse_next_hop(c, cse);
	bool registree = r && resource_is(r, "csi", cse) && (!c->config.registrar_id || strcmp(cse, c->config.registrar_id) != 0);

	resource_unref(r);
	return registree;
}

static bool rules_allow(void *ctx, const char *credential, const char *ae)
{
	return app_rules_allow(ctx, credential, strrchr(ae, '/') + 1);
}

/* An AE that leaves its ID to us gets the one of its association, or one that a rule gives its credential (ae_create asks the rules again). */
static bool registers_genuinely(struct exchange *x, const struct association *a, enum onem2m_rsc *rsc)
{
	char stem[CSE_ID_MAX];

	*rsc = RSC_ORIGINATOR_NOT_AUTHENTICATED;
	if (association_registers_as(a, stem, sizeof stem)) {
		x->registration = false;
		return (size_t)snprintf(x->from, sizeof x->from, "%s/%s", x->cse->config.id, stem) < sizeof x->from;
	}
	return a->credential[0] && app_rules_allow(x->cse, a->credential, NULL);
}

/* Whether the association may carry this From: security/association.h. What needs none there needs one here: require_tls is this CSE's policy. */
static bool originator_is_genuine(struct exchange *x, enum onem2m_rsc *rsc)
{
	struct cse *c = x->cse;
	const struct association a = {c->config.sp, c->config.id, x->rq->peer ? x->rq->peer : "", x->rq->credential ? x->rq->credential : ""};
	const struct association_knowledge k = {knows_ae, knows_registree, rules_allow, c};

	if (x->rq->internal || x->rq->genuine || !c->config.require_tls)
		return true;
	if (x->registration)
		return registers_genuinely(x, &a, rsc);
	switch (association_check(&a, &k, x->from)) {
	case ASSOCIATION_GOOD:
		*rsc = RSC_SECURITY_ASSOCIATION_REQUIRED;
		return a.peer[0] || a.credential[0];
	case ASSOCIATION_NOT_AUTHENTICATED:
		*rsc = RSC_ORIGINATOR_NOT_AUTHENTICATED;
		return false;
	case ASSOCIATION_REQUIRED:
		*rsc = RSC_SECURITY_ASSOCIATION_REQUIRED;
		return false;
	}
	return false;
}

static bool originator(struct exchange *x, enum onem2m_rsc *rsc, const char **why)
{
	struct rd from = x->rq->from;

	*rsc = RSC_BAD_REQUEST;
	*why = "the originator (From, X-M2M-Origin) is missing";
	x->registration = is_registration(x->rq) && (from.left == 0 || rd_is(from, "C") || rd_is(from, "S"));
	if (from.left == 0 && !x->registration)
		return false;
	*why = "the originator (From, X-M2M-Origin) is malformed";
	if (from.left > 0 && !cse_sp_relative(x->cse, from, x->from, sizeof x->from))
		return false;
	*why = "the originator is not one that its security association names, or there is none";
	return originator_is_genuine(x, rsc);
}

/* ---- what ---- */

static bool release_is_supported(const struct cse *c, struct rd rvi)
{
	char text[16];

	return rd_text(rvi, text, sizeof text) && !strchr(text, '*') && cse_list_matches(c->config.releases ? c->config.releases : "2a,3,4,5", text);
}

/* Time parameters: rqet has not passed, rset not before it. */
static bool times_are_good(struct exchange *x, enum onem2m_rsc *rsc, const char **why)
{
	uint64_t now, result = 0, execution;

	if (x->rq->rqet.left + x->rq->rset.left + x->rq->oet.left + x->rq->ot.left == 0)
		return true;
	now = cse_now(x->cse);
	*rsc = RSC_BAD_REQUEST;
	if (x->rq->rqet.left > 0) {
		*why = "the request expiration time (rqet) is no time";
		if (!timestamp_parse_abs_rel(x->rq->rqet, now, &x->expires_ms))
			return false;
		*rsc = RSC_REQUEST_TIMEOUT;
		*why = "the request expired (rqet) before it arrived";
		if (x->expires_ms <= now)
			return false;
	}
	*rsc = RSC_BAD_REQUEST;
	if (x->rq->rset.left > 0) {
		*why = "the result expiration time (rset) is no time";
		if (!timestamp_parse_abs_rel(x->rq->rset, now, &result))
			return false;
		*rsc = RSC_REQUEST_TIMEOUT;
		*why = "the result expired (rset) before the request arrived";
		if (result <= now)
			return false;
		*rsc = RSC_BAD_REQUEST;
		*why = "the result expires (rset) before the request does (rqet)";
		if (x->expires_ms && result < x->expires_ms)
			return false;
	}
	if (x->rq->oet.left > 0) {
		*why = "the operation execution time (oet) is no time";
		if (!timestamp_parse_abs_rel(x->rq->oet, now, &execution))
			return false;
		*why = "the operation would be executed (oet) only after the request (rqet) or its result (rset) expired";
		if ((x->expires_ms && execution > x->expires_ms) || (result && execution > result))
			return false;
	}
	if (x->rq->ot.left > 0) {
		*why = "the originating timestamp (ot) is no time stamp";
		if (!timestamp_parse(x->rq->ot, &result))
			return false;
	}
	return true;
}

/* Which result contents go with which operation: TS-0001 table 8.1.2-1. 11 and 12 are Release 4's. */
static bool rcn_is_valid(const struct exchange *x)
{
	int rcn = x->rcn;

	if (rcn == ONEM2M_RCN_ABSENT)
		return true;
	switch (x->rq->operation) {
	case ONEM2M_CREATE:
		return rcn == 0 || rcn == 1 || rcn == 2 || rcn == 3 || rcn == 9;
	case ONEM2M_RETRIEVE:
		if (filter_discovers(&x->filter))
			return rcn == 6 || rcn == 11;
		return rcn == 1 || (rcn >= 4 && rcn <= 8) || rcn == 10 || rcn == 12;
	case ONEM2M_UPDATE:
		return rcn == 0 || rcn == 1 || rcn == 9;
	case ONEM2M_DELETE:
		return rcn == 0 || rcn == 1 || rcn == 4 || rcn == 5 || rcn == 6 || rcn == 8;
	case ONEM2M_NOTIFY:
		return rcn == 0 || rcn == 1;
	}
	return false;
}

/* m2m:eventCat: 2 to 4, or the service provider's own; 0 is the default. It is passed on, and CMDH policies go by it (types/cmdh.c). */
static bool category_is_good(struct rd ec)
{
	uint64_t n;

	return ec.left == 0 || (rd_decimal(ec, &n) && (n == 0 || (n >= 2 && n <= 4) || (n >= 100 && n <= 999)));
}

/* What the parameters owe each other: TS-0004 clause 7.2.2.2. */
static bool parameters_agree(struct exchange *x)
{
	const struct onem2m_request *rq = x->rq;

	if (rq->to.at[rq->to.left - 1] == '/')
		exchange_fail(x, RSC_BAD_REQUEST, "the target (To) ends with `/`");
	else if ((rq->operation == ONEM2M_CREATE || rq->operation == ONEM2M_UPDATE) && rq->content.left == 0)
		exchange_fail(x, RSC_BAD_REQUEST, "the request has no content");
	else if (rq->operation != ONEM2M_RETRIEVE && x->filter.attribute_list_count > 0)
		exchange_fail(x, RSC_BAD_REQUEST, "`atrl` is for RETRIEVE alone");
	else
		return true;
	return false;
}

static bool check(struct exchange *x)
{
	enum onem2m_rsc rsc;
	const char *why = "";
	char text[256];

	if (x->rq->to.left == 0) {
		exchange_fail(x, RSC_BAD_REQUEST, "the target (To) is missing");
		return false;
	}
	if (x->rq->release.left == 0 && !x->rq->internal && !x->rq->genuine && !release1_is(x)) {
		exchange_fail(x, RSC_BAD_REQUEST, "the release version indicator (rvi, X-M2M-RVI) is missing");
		return false;
	}
	if (release1_is(x))
		release1_address(x);
	if (x->rq->release.left > 0 && !release_is_supported(x->cse, x->rq->release)) {
		exchange_fail(x, RSC_RELEASE_VERSION_NOT_SUPPORTED, "release version `%.*s` is not supported", (int)(x->rq->release.left < 16 ? x->rq->release.left : 16),
		    (const char *)x->rq->release.at);
		return false;
	}
	if (!originator(x, &rsc, &why)) {
		exchange_fail(x, rsc, "%s", why);
		return false;
	}
	primitive_profiles_apply(x);
	x->rcn = x->rq->rcn;
	if (!times_are_good(x, &rsc, &why)) {
		exchange_fail(x, rsc, "%s", why);
		return false;
	}
	if (filter_parse(&x->filter, x->arena, x->rq->filter, text, sizeof text) != OK) {
		exchange_fail(x, RSC_BAD_REQUEST, "%s", text);
		return false;
	}
	for (size_t i = 0; i < x->filter.attribute_count; i++) {
		struct rd name = x->filter.attributes[i].name;

		if (!x->filter.attributes[i].custom || flex_container_knows(x->cse, name))
			continue;
		exchange_fail(x, RSC_BAD_REQUEST, "`%.*s` in the query is neither a request parameter nor an attribute", (int)(name.left < 64 ? name.left : 64), (const char *)name.at);
		return false;
	}
	if (!rcn_is_valid(x)) {
		exchange_fail(x, RSC_BAD_REQUEST, "result content (rcn) %d does not go with this operation", x->rcn);
		return false;
	}
	if (!parameters_agree(x) || !semantic_check(x))
		return false;
	if (!category_is_good(x->rq->ec)) {
		exchange_fail(x, RSC_BAD_REQUEST, "the event category (ec) is none");
		return false;
	}
	if (x->rq->drt != 0 && x->rq->drt != 1 && x->rq->drt != 2) {
		exchange_fail(x, RSC_BAD_REQUEST, "the desired identifier result type (drt) must be 1 or 2");
		return false;
	}
	return true;
}

/* ---- where ---- */

static void perform_virtual(struct exchange *x)
{
	switch (x->virtual_child) {
	case VIRTUAL_FAN_OUT:
	case VIRTUAL_SEMANTIC_FAN_OUT:
		group_fan_out(x);
		return;
	case VIRTUAL_POLLING_URI:
		polling_channel_request(x);
		return;
	case VIRTUAL_SELF_REFERENCE:
		subscription_self_reference(x);
		return;
	case VIRTUAL_SEMANTIC_VALIDATION:
		semantic_validation(x);
		return;
	case VIRTUAL_LATEST:
	case VIRTUAL_OLDEST:
		if (x->rq->operation == ONEM2M_RETRIEVE)
			cse_retrieve(x);
		else if (x->rq->operation == ONEM2M_DELETE)
			cse_delete(x);
		else
			exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "latest and oldest can only be retrieved and deleted");
		return;
	case VIRTUAL_NONE:
		break;
	}
}

void exchange_perform(struct exchange *x)
{
	if (transaction_refuses(x))
		return;
	if (x->consulted == CONSULTED_NOBODY)
		cse_monitor(x);
	if (x->virtual_child != VIRTUAL_NONE) {
		perform_virtual(x);
		return;
	}
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

/* Conformance suites hold a CSE-ID alone for no address of a resource. Administrators, and whoever is elsewhere, have the CSEBase by it all the same. */
static bool is_bare_cse(const struct exchange *x, struct rd rest)
{
	const struct cse *c = x->cse;

	return c->config.testbench && x->rq->operation == ONEM2M_RETRIEVE && rest.left == 0 && rd_starts(x->rq->to, "/") && !x->privileged && cse_relative(c, x->from) != x->from;
}

void exchange_route(struct exchange *x)
{
	struct cse *c = x->cse;
	char other[CSE_ID_MAX];
	struct rd rest;

	x->target = multicast_group_of(c, x->rq->to, &x->suffix);
	if (x->target && gate_holds_target(x))
		return;
	if (x->target) {
		multicast_fan_out(x);
		return;
	}
	if (x->rq->multicast) {
		exchange_fail(x, RSC_NOT_FOUND, "what comes to a group's address is for its fan-out target");
		return;
	}
	if (!cse_is_local(c, x->rq->to, &rest, other, sizeof other) && !cse_s_type_ae(c, x->rq->to, &rest, other, sizeof other)) {
		if (!gate_holds_target(x))
			cse_forward(x, other);
		return;
	}
	if (is_bare_cse(x, rest)) {
		exchange_fail(x, RSC_BAD_REQUEST, "the target (To) is a CSE-ID without a resource");
		return;
	}
	x->target = cse_find(c, rest, &x->virtual_child, &x->suffix);
	if (gate_holds_target(x))
		return;
	if (!x->target && tree_error(c->tree) != OK)
		exchange_store_failed(x, tree_error(c->tree));
	else if (!x->target)
		exchange_fail(x, RSC_NOT_FOUND, "there is no resource `%.*s`", (int)(x->rq->to.left < 256 ? x->rq->to.left : 256), (const char *)x->rq->to.at);
	else
		exchange_perform(x);
}

void cse_submit(struct cse *c, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct exchange *x;

	if (gate_holds_request(c, rq, done, ctx))
		return;
	x = exchange_new(c);
	c->counts.requests++;
	if (c->config.trace)
		c->config.trace(c->config.trace_ctx, rq, NULL);
	x->rq = rq;
	x->done = done;
	x->ctx = ctx;
	if (!check(x))
		return;
	x->privileged = rq->internal || cse_is_administrator(c, x->from);
	beacon_check(x);
	if (!request_is_non_blocking(x))
		exchange_route(x);
}

void cse_entry(void *cse, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	cse_submit(cse, rq, done, ctx);
}

void cse_submit_within(struct cse *c, const struct onem2m_request *rq, int64_t transaction, cse_done *done, void *ctx, struct exchange **running)
{
	struct exchange *x = exchange_new(c);

	x->rq = rq;
	x->done = done;
	x->ctx = ctx;
	x->within = transaction;
	x->consulted = CONSULTED_ALL; /* nobody is asked: it has to end now */
	x->running = running;
	*running = x;
	if (!check(x))
		return;
	x->privileged = rq->internal || cse_is_administrator(c, x->from);
	exchange_route(x);
}
