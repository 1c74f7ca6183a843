/* m2mServiceSubscriptionProfile, serviceSubscribedNode, serviceSubscribedAppRule: TS-0001 clauses 9.6.19 to 9.6.21 and 10.2.2.2. Where a node of a
 * profile is this CSE and has rules, an AE registers only as one of them says: with that credential, that App-ID, that AE-ID. With
 * require_subscription there must be such a node with such a rule, and for a CSE that registers a node that is that CSE. */
#include <string.h>

#include "cse/types/types.h"

/* '*' stands for any characters. An absent list permits everything. */
static bool is_permitted(struct resource *rule, const char *list, const char *value)
{
	const struct json *patterns = resource_get(rule, list);
	char pattern[CSE_ID_MAX];

	if (!patterns)
		return true;
	for (const struct json *p = patterns->first; p; p = p->next)
		if (json_text(p, pattern, sizeof pattern) && cse_pattern_matches(pattern, value))
			return true;
	return false;
}

struct registration {
	struct cse *cse;
	const char *credential, *app, *ae;
	bool known, ruled, permitted;
};

static bool rule_permits(const struct registration *g, const struct json *link)
{
	struct resource *rule = link->type == JSON_STRING ? cse_find_address(g->cse, link->text) : NULL;
	bool ok = rule && rule->type == TY_SERVICE_SUBSCRIBED_APP_RULE && is_permitted(rule, "apci", g->credential) && is_permitted(rule, "aai", g->app) &&
	    is_permitted(rule, "aae", g->ae);

	resource_unref(rule);
	return ok;
}

static bool look(void *ctx, struct resource *node)
{
	struct registration *g = ctx;
	const struct json *links = resource_get(node, "rlk");

	if (!resource_is(node, "csi", g->cse->config.id))
		return true;
	g->known = true;
	for (const struct json *l = links ? links->first : NULL; l; l = l->next) {
		g->ruled = true;
		g->permitted = g->permitted || rule_permits(g, l);
	}
	return !g->permitted;
}

/* The transport may know a name and no Credential-ID. */
static const char *credential_of(const struct onem2m_request *rq)
{
	if (rq->credential && rq->credential[0])
		return rq->credential;
	return rq->peer && rq->peer[0] ? rq->peer : "None";
}

/* A rule of this CSE's that names the credential, and the AE-ID unless that is NULL: what a device's certificate, or a key that nobody is known for, may
 * speak as (TS-0003 clause 8.2). */
struct allowance {
	struct cse *cse;
	const char *credential, *ae;
	bool given;
};

static bool gives(void *ctx, struct resource *node)
{
	struct allowance *a = ctx;
	const struct json *links = resource_get(node, "rlk");

	if (!resource_is(node, "csi", a->cse->config.id))
		return true;
	for (const struct json *l = links ? links->first : NULL; l && !a->given; l = l->next) {
		struct resource *rule = l->type == JSON_STRING ? cse_find_address(a->cse, l->text) : NULL;

		a->given = rule && rule->type == TY_SERVICE_SUBSCRIBED_APP_RULE && resource_get(rule, "apci") && is_permitted(rule, "apci", a->credential) &&
		    (!a->ae || is_permitted(rule, "aae", a->ae));
		resource_unref(rule);
	}
	return !a->given;
}

bool app_rules_allow(struct cse *c, const char *credential, const char *ae)
{
	struct allowance a = {c, credential, ae, false};

	return tree_by_type(c->tree, TY_SERVICE_SUBSCRIBED_NODE, gives, &a) == OK && a.given;
}

bool app_rules_permit(struct creation *cr)
{
	struct exchange *x = cr->x;
	const struct json *api = json_get(cr->given, "api");
	char app[CSE_ID_MAX] = "";
	/* an AE without a credential is "None" in rules: TS-0001 table 9.6.29-2 */
	struct registration g = {x->cse, credential_of(x->rq), app, cr->ri, false, false, false};
	bool required = x->cse->config.require_subscription && !x->privileged;
	enum err e;

	if (x->rq->internal)
		return true;
	if (!json_text(api, app, sizeof app))
		app[0] = '\0';
	e = tree_by_type(x->cse->tree, TY_SERVICE_SUBSCRIBED_NODE, look, &g);
	if (e != OK) {
		exchange_store_failed(x, e);
		return false;
	}
	if (required && !g.known) {
		exchange_fail(x, RSC_SERVICE_SUBSCRIPTION_NOT_ESTABLISHED, "no service subscription has this CSE among its nodes");
		return false;
	}
	if (g.permitted || (!g.ruled && !required))
		return true;
	exchange_fail(x, RSC_APP_RULE_VALIDATION_FAILED, "no rule of the service subscription lets `%s` (%s) register here", cr->ri, app);
	return false;
}

struct subscriber {
	const char *csi;
	bool found;
};

static bool is_node_of(void *ctx, struct resource *node)
{
	struct subscriber *s = ctx;

	s->found = resource_is(node, "csi", s->csi);
	return !s->found;
}

bool subscription_covers(struct exchange *x, const char *csi)
{
	struct subscriber s = {csi, false};
	enum err e;

	if (!x->cse->config.require_subscription || x->privileged || x->rq->internal)
		return true;
	e = tree_by_type(x->cse->tree, TY_SERVICE_SUBSCRIBED_NODE, is_node_of, &s);
	if (e != OK)
		exchange_store_failed(x, e);
	else if (!s.found)
		exchange_fail(x, RSC_SERVICE_SUBSCRIPTION_NOT_ESTABLISHED, "no service subscription has the CSE `%s` among its nodes", csi);
	return e == OK && s.found;
}
