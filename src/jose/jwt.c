/* Opening JSON Web Tokens. */
#include "jose/jwt.h"

void jwt_clear(struct jwt *t)
{
	json_arena_free(t->arena);
	wr_free(&t->inner);
	wr_free(&t->text);
	*t = (struct jwt){0};
}

static bool keep_kid(const struct jose_header *h, char *text, size_t size)
{
	text[0] = 0;
	return h->kid.left == 0 || rd_text(h->kid, text, size);
}

/* The text of the claims, or of the signature within (cty `JWT`, RFC 7519 5.2). */
static enum err open_layer(const struct jose *j, const struct jwt_policy *policy, struct jwt *t, struct rd *content)
{
	const struct jose_header *h = jose_header(j, 0);
	bool encrypted = jose_is_encrypted(j);
	const struct jose_key *key;
	enum err e;

	if (!jose_is_compact(j) || !keep_kid(h, encrypted ? t->sealer : t->signer, sizeof t->signer))
		return ERR_MALFORMED;
	key = policy->find(policy->ctx, h, encrypted);
	if (!key)
		return ERR_UNKNOWN_KEY;
	if (encrypted) {
		t->is_encrypted = true;
		e = jose_open(j, 0, key, &policy->allowed, policy->rng, &t->inner);
		return e != OK ? e : wr_done(&t->inner, content) ? OK : ERR_TOO_LONG;
	}
	t->is_signed = true;
	t->by_public_key = !jose_key_is_symmetric(key);
	return jose_verify(j, 0, key, &policy->allowed, content);
}

static bool is_jwt(struct rd cty)
{
	return rd_is(cty, "JWT") || rd_is(cty, "jwt");
}

enum err jwt_open(struct rd text, const struct jwt_policy *policy, struct jwt *out)
{
	struct jwt t = {.arena = json_arena_new(), .inner = wr_new(JOSE_TEXT_MAX), .text = wr_new(JOSE_TEXT_MAX)};
	struct jose *outer = NULL, *inner = NULL;
	struct rd content = {NULL, 0};
	enum err e = t.arena ? jose_parse(text, &outer) : ERR_NO_MEMORY;

	if (e != OK || (e = open_layer(outer, policy, &t, &content)) != OK)
		goto out;
	if (t.is_encrypted && is_jwt(jose_header(outer, 0)->cty)) {
		if ((e = jose_parse(content, &inner)) != OK)
			goto out;
		if (jose_is_encrypted(inner)) {
			e = ERR_MALFORMED;
			goto out;
		}
		if ((e = open_layer(inner, policy, &t, &content)) != OK)
			goto out;
	}
	wr_rd(&t.text, content);
	if (!wr_done(&t.text, &content)) {
		e = ERR_NO_MEMORY;
		goto out;
	}
	e = json_parse(t.arena, content, NULL, &t.claims);
	if (e == OK && t.claims->type != JSON_OBJECT)
		e = ERR_MALFORMED;
out:
	jose_free(inner);
	jose_free(outer);
	if (e != OK) {
		jwt_clear(&t);
		return e;
	}
	*out = t;
	return OK;
}
