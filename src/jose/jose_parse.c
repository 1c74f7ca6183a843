/* Reading JOSE objects: RFC 7515 section 7, RFC 7516 section 7. */
#include "jose/private.h"

#include <stdlib.h>

#include "base/bytes.h"

/* The decoded octets live in the arena. */
static enum err decode(struct jose *j, struct rd text, struct rd *octets)
{
	size_t room = text.left / 4 * 3 + 3;
	uint8_t *at = json_arena_alloc(j->arena, room);
	struct wr w = wr_of(at, room);

	if (!at)
		return ERR_NO_MEMORY;
	if (!base64url_parse(text, &w) || !wr_done(&w, octets))
		return ERR_MALFORMED;
	return OK;
}

static enum err read_protected(struct jose *j, struct jose_part *p, struct rd text)
{
	struct rd json;
	enum err e;

	if (text.left > JOSE_HEADER_MAX)
		return ERR_TOO_LONG;
	p->protected_text = text;
	if (text.left == 0)
		return OK;
	if ((e = decode(j, text, &json)) != OK || (e = json_parse(j->arena, json, NULL, &p->headers[0])) != OK)
		return e;
	return p->headers[0]->type == JSON_OBJECT ? OK : ERR_MALFORMED;
}

/* ---- the parameters of a part, wherever they stand ---- */

const struct json *jose_parameter(const struct jose_part *p, const char *name)
{
	for (size_t i = 0; i < 3; i++)
		if (json_get(p->headers[i], name))
			return json_get(p->headers[i], name);
	return NULL;
}

/* RFC 7516 7.2.1: the headers of a part have no name in common. */
static bool disjoint(const struct jose_part *p)
{
	for (size_t i = 0; i < 3; i++)
		for (size_t k = i + 1; k < 3; k++)
			for (const struct json *m = p->headers[i] ? p->headers[i]->first : NULL; m; m = m->next)
				for (const struct json *o = p->headers[k] ? p->headers[k]->first : NULL; o; o = o->next)
					if (rd_equal(m->key, o->key))
						return false;
	return true;
}

static bool read_text(const struct jose_part *p, const char *name, struct rd *text)
{
	const struct json *v = jose_parameter(p, name);

	return !v || json_string(v, text);
}

static enum err read_parameters(const struct jose *j, struct jose_part *p)
{
	static const char *const refused[] = {"crit", "zip", "b64"};
	struct rd alg = {NULL, 0}, enc = {NULL, 0};

	if (!disjoint(p))
		return ERR_MALFORMED;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (jose_parameter(p, refused[i]))
			return ERR_UNSUPPORTED;
	if (!jose_parameter(p, "alg") || !read_text(p, "alg", &alg) || !read_text(p, "enc", &enc) || !read_text(p, "kid", &p->header.kid) ||
	    !read_text(p, "cty", &p->header.cty) || !read_text(p, "typ", &p->header.typ) || (j->encrypted && enc.left == 0))
		return ERR_MALFORMED;
	p->header.alg = jose_alg_of(alg);
	p->header.enc = jose_enc_of(enc);
	p->header.protected = p->headers[0];
	return OK;
}

/* ---- compact ---- */

static enum err parse_compact(struct jose *j, struct rd text)
{
	struct rd pieces[5], rest = text;
	struct jose_part *p = &j->parts[0];
	size_t n = 0;
	enum err e;

	while (n < 4 && rd_until(&rest, '.', &pieces[n]))
		n++;
	pieces[n++] = rest;
	if (n != 3 && n != 5)
		return ERR_MALFORMED;
	j->compact = true;
	j->encrypted = n == 5;
	j->count = 1;
	if (pieces[0].left == 0 || (e = read_protected(j, p, pieces[0])) != OK)
		return pieces[0].left == 0 ? ERR_MALFORMED : e;
	if (n == 3) {
		j->payload_text = pieces[1];
		if ((e = decode(j, pieces[1], &j->payload)) != OK || (e = decode(j, pieces[2], &p->value)) != OK)
			return e;
	} else if ((e = decode(j, pieces[1], &p->value)) != OK || (e = decode(j, pieces[2], &j->nonce)) != OK ||
	           (e = decode(j, pieces[3], &j->cipher)) != OK || (e = decode(j, pieces[4], &j->tag)) != OK) {
		return e;
	}
	return read_parameters(j, p);
}

/* ---- JSON ---- */

static enum err member_text(const struct json *o, const char *name, struct rd *text, bool *has)
{
	const struct json *v = json_get(o, name);

	*text = rd_str("");
	*has = v != NULL;
	return !v || json_string(v, text) ? OK : ERR_MALFORMED;
}

static enum err member_octets(struct jose *j, const struct json *o, const char *name, struct rd *octets)
{
	struct rd text;
	bool has;
	enum err e = member_text(o, name, &text, &has);

	return e != OK ? e : decode(j, text, octets);
}

/* doc: the whole object; o: the signature's or the recipient's own, which may be doc. */
static enum err parse_part(struct jose *j, const struct json *doc, const struct json *o, struct jose_part *p)
{
	const struct json *own = json_get(o, "header"), *shared = json_get(doc, "unprotected");
	struct rd text;
	bool has;
	enum err e;

	if (o->type != JSON_OBJECT || (own && own->type != JSON_OBJECT) || (shared && (shared->type != JSON_OBJECT || !j->encrypted)))
		return ERR_MALFORMED;
	if ((own && own->source.left > JOSE_HEADER_MAX) || (shared && shared->source.left > JOSE_HEADER_MAX))
		return ERR_TOO_LONG;
	p->headers[1] = shared;
	p->headers[2] = own;
	if ((e = member_text(j->encrypted ? doc : o, "protected", &text, &has)) != OK || (e = read_protected(j, p, text)) != OK ||
	    (e = member_octets(j, o, j->encrypted ? "encrypted_key" : "signature", &p->value)) != OK)
		return e;
	return read_parameters(j, p);
}

static enum err parse_list(struct jose *j, const struct json *doc)
{
	const struct json *list = json_get(doc, j->encrypted ? "recipients" : "signatures");
	enum err e = OK;

	if (!list) {
		j->count = 1;
		return parse_part(j, doc, doc, &j->parts[0]);
	}
	if (list->type != JSON_ARRAY || list->count == 0 || json_get(doc, "header") || json_get(doc, j->encrypted ? "encrypted_key" : "signature") ||
	    (!j->encrypted && json_get(doc, "protected")))
		return ERR_MALFORMED;
	if (list->count > JOSE_PARTS_MAX)
		return ERR_TOO_LONG;
	for (const struct json *o = list->first; o && e == OK; o = o->next)
		e = parse_part(j, doc, o, &j->parts[j->count++]);
	return e;
}

static enum err parse_json(struct jose *j, struct rd text)
{
	const struct json *doc;
	enum err e = json_parse(j->arena, text, NULL, &doc);

	if (e != OK)
		return e;
	if (doc->type != JSON_OBJECT)
		return ERR_MALFORMED;
	j->encrypted = json_get(doc, "ciphertext") != NULL;
	if (!j->encrypted) {
		bool has;

		if ((e = member_text(doc, "payload", &j->payload_text, &has)) != OK || !has)
			return e != OK ? e : ERR_MALFORMED;
		e = decode(j, j->payload_text, &j->payload);
	} else if ((e = member_octets(j, doc, "iv", &j->nonce)) == OK && (e = member_octets(j, doc, "ciphertext", &j->cipher)) == OK &&
	           (e = member_octets(j, doc, "tag", &j->tag)) == OK) {
		struct rd aad;

		e = member_text(doc, "aad", &j->aad_text, &j->has_aad);
		if (e == OK)
			e = decode(j, j->aad_text, &aad);
	}
	return e == OK ? parse_list(j, doc) : e;
}

enum err jose_parse(struct rd text, struct jose **out)
{
	struct jose *j;
	enum err e;

	if (text.left > JOSE_TEXT_MAX)
		return ERR_TOO_LONG;
	j = calloc(1, sizeof *j);
	if (j)
		j->arena = json_arena_new();
	if (!j || !j->arena) {
		free(j);
		return ERR_NO_MEMORY;
	}
	e = rd_starts(text, "{") ? parse_json(j, text) : parse_compact(j, text);
	if (e != OK) {
		jose_free(j);
		return e;
	}
	*out = j;
	return OK;
}

void jose_free(struct jose *j)
{
	if (!j)
		return;
	json_arena_free(j->arena);
	free(j);
}

bool jose_is_encrypted(const struct jose *j)
{
	return j->encrypted;
}

bool jose_is_compact(const struct jose *j)
{
	return j->compact;
}

size_t jose_parts(const struct jose *j)
{
	return j->count;
}

const struct jose_header *jose_header(const struct jose *j, size_t part)
{
	return part < j->count ? &j->parts[part].header : NULL;
}
