/* What the claims of a JSON Web Token must say to count for a request: TS-0003 clauses 7.3.2.4 to 7.3.2.6. That they are genuine was checked before, by
 * whoever opened the token. A token that does not hold gives nothing; the request is then refused as one without it. */
#include <math.h>
#include <string.h>

#include "cse/access.h"

#define CLAIMS_MAX 65536

/* NumericDate (RFC 7519): seconds, perhaps with a fraction. */
static bool date(const struct json *v, uint64_t *unix_ms)
{
	double s;

	if (!json_double(v, &s) || !isfinite(s) || s < 0 || s > 1e13)
		return false;
	*unix_ms = (uint64_t)(s * 1000);
	return true;
}

bool access_jwt_is_time(const struct json *claims, uint64_t when)
{
	uint64_t from, to;

	return date(json_get(claims, "nbf"), &from) && date(json_get(claims, "exp"), &to) && from <= when && when < to;
}

static bool is_entity(struct cse *c, const struct json *claim, const char *id)
{
	char named[CSE_ID_MAX];
	struct rd text;

	return json_string(claim, &text) && cse_sp_relative(c, text, named, sizeof named) && strcmp(named, id) == 0;
}

/* The issuer writes its name as the one whose key it is: the same text, or the same entity. */
static bool is_issuer(struct cse *c, const struct json *iss, const char *issuer)
{
	char id[CSE_ID_MAX];

	if (issuer[0] == '\0')
		return false;
	return json_is_string(iss, issuer) || (issuer[0] == '/' && cse_sp_relative(c, rd_str(issuer), id, sizeof id) && is_entity(c, iss, id));
}

static bool names_here(struct cse *c, const struct json *audience)
{
	char pattern[CSE_ID_MAX], id[CSE_ID_MAX];

	return json_text(audience, pattern, sizeof pattern) &&
	    (cse_id_matches(pattern, c->config.id) || (cse_sp_relative(c, rd_str(pattern), id, sizeof id) && cse_id_matches(id, c->config.id)));
}

/* aud: CSEs that may accept it, with wildcards; without any, all may. */
static bool is_for_here(struct cse *c, const struct json *aud)
{
	if (!aud || aud->type == JSON_STRING)
		return !aud || names_here(c, aud);
	if (aud->type != JSON_ARRAY)
		return false;
	for (const struct json *a = aud->first; a; a = a->next)
		if (names_here(c, a))
			return true;
	return !aud->first;
}

/* Well formed, and privileges name the resources that they are about. */
static bool permissions_are_good(const struct json *tkps)
{
	struct schema_fault fault;
	const struct json *pm = json_get(tkps, "pm");

	if (!tkps || !schema_check_value(schema_datatype("m2m:tokenPermissions"), tkps, "tkps", &fault))
		return false;
	for (const struct json *p = pm ? pm->first : NULL; p; p = p->next)
		if (json_get(p, "pv") && !json_get(p, "ris"))
			return false;
	return true;
}

static const struct json *parse(struct exchange *x, const struct wr *w)
{
	const struct json *claims;
	struct rd text;
	uint8_t *kept;

	if (!wr_done(w, &text) || text.left == 0)
		return NULL;
	kept = json_arena_alloc(x->arena, text.left);
	if (!kept)
		return NULL;
	memcpy(kept, text.at, text.left);
	return json_parse(x->arena, rd_of(kept, text.left), NULL, &claims) == OK && claims->type == JSON_OBJECT ? claims : NULL;
}

const struct json *access_jwt_claims(struct exchange *x, struct rd token, uint64_t when)
{
	struct cse *c = x->cse;
	struct wr w = wr_new(CLAIMS_MAX);
	char issuer[CSE_ISSUER_MAX] = "";
	const struct json *claims = NULL;
	struct rd id;

	if (c->tokens.open(c->tokens.tokens, token, &w, issuer) == OK)
		claims = parse(x, &w);
	wr_free(&w);
	if (!claims || !json_string(json_get(claims, "jti"), &id) || id.left == 0 || !is_entity(c, json_get(claims, "azp"), x->from) ||
	    !is_issuer(c, json_get(claims, "iss"), issuer) || !access_jwt_is_time(claims, when) || !is_for_here(c, json_get(claims, "aud")) ||
	    !permissions_are_good(json_get(claims, "tkps")))
		return NULL;
	return claims;
}

bool access_jwt_is_from(struct cse *c, const struct json *claims, const char *issuer)
{
	return is_issuer(c, json_get(claims, "iss"), issuer);
}

bool access_jwt_end(const struct json *claims, uint64_t *unix_ms)
{
	return date(json_get(claims, "exp"), unix_ms);
}
