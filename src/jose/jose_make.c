/* Sealing and signing: RFC 7516 section 5.1, RFC 7515 section 5.1. */
#include "jose/private.h"

#include "base/bytes.h"
#include "crypto/gcm.h"

static bool combination_fits(const struct jose_making *how, bool encrypted)
{
	if (how->count == 0 || how->count > JOSE_PARTS_MAX || (how->count > 1 && how->form != JOSE_GENERAL))
		return false;
	for (size_t i = 0; i < how->count; i++) {
		enum jose_kind kind = jose_alg_row(how->parties[i].alg)->kind;
		bool seals = kind == JOSE_KIND_DIR || kind == JOSE_KIND_WRAP || kind == JOSE_KIND_ECDH || kind == JOSE_KIND_OAEP;

		if (kind == JOSE_KIND_NONE || seals != encrypted || (kind == JOSE_KIND_DIR && how->count > 1))
			return false;
	}
	return !encrypted || how->enc != JOSE_NO_ENC;
}

/* ---- headers ---- */

static void put_coordinate(struct json_out *o, const char *name, const uint8_t *octets, size_t n)
{
	uint8_t text[ECDH_OCTETS_MAX * 2];
	struct wr w = wr_of(text, sizeof text);
	struct rd out;

	base64url_print(&w, rd_of(octets, n));
	if (wr_done(&w, &out))
		json_put_rd(o, name, out);
}

static void put_party(struct json_out *o, const struct jose_party *p, const struct ecdh_point *ephemeral)
{
	json_put_string(o, "alg", jose_alg_name(p->alg));
	if (p->kid.left > 0)
		json_put_rd(o, "kid", p->kid);
	if (jose_alg_row(p->alg)->kind == JOSE_KIND_ECDH) {
		size_t n = ecdh_octets(ephemeral->curve);

		json_object(o, "epk");
		json_put_string(o, "kty", "EC");
		json_put_string(o, "crv", jose_curve_names[ephemeral->curve]);
		put_coordinate(o, "x", ephemeral->x, n);
		put_coordinate(o, "y", ephemeral->y, n);
		json_close(o);
	}
}

/* A protected header in base64url. p NULL: without what is the recipient's own. */
static void put_protected(const struct jose_making *how, bool encrypted, const struct jose_party *p, const struct ecdh_point *ephemeral, struct wr *out)
{
	struct wr text = wr_new(JOSE_HEADER_MAX);
	struct json_out o = json_out(&text);
	struct rd json;

	json_object(&o, NULL);
	if (p)
		put_party(&o, p, ephemeral);
	if (encrypted)
		json_put_string(&o, "enc", jose_enc_name(how->enc));
	if (how->typ)
		json_put_string(&o, "typ", how->typ);
	if (how->cty)
		json_put_string(&o, "cty", how->cty);
	if (how->members.left > 0) {
		if (o.comma)
			wr_u8(&text, ',');
		wr_rd(&text, how->members);
	}
	json_close(&o);
	if (wr_done(&text, &json))
		base64url_print(out, json);
	else
		out->spoilt = true;
	wr_free(&text);
}

static void put_base64url(struct json_out *o, const char *name, struct rd octets)
{
	struct wr w = wr_new(JOSE_TEXT_MAX);
	struct rd text;

	base64url_print(&w, octets);
	if (wr_done(&w, &text))
		json_put_rd(o, name, text);
	else
		o->w->spoilt = true;
	wr_free(&w);
}

/* ---- JWE ---- */

#define WRAPPED_MAX 1024 /* an RSA modulus */

struct sealed {
	struct ecdh_point ephemeral;
	uint8_t octets[WRAPPED_MAX];
	struct rd key;
};

/* The content's key for one party. */
static enum err wrap(const struct jose_party *p, const struct secret *cek, struct rng *rng, struct sealed *s)
{
	const struct secret *kek = jose_key_symmetric(p->key, p->alg, JOSE_NO_ENC);
	struct ecdh_info info = {rd_str(jose_alg_name(p->alg)), rd_str(""), rd_str("")};
	struct wr w = wr_of(s->octets, sizeof s->octets);
	struct secret *agreed = NULL;
	enum err e = ERR_BAD_VALUE;

	switch (jose_alg_row(p->alg)->kind) {
	case JOSE_KIND_DIR:
		e = OK;
		break;
	case JOSE_KIND_WRAP:
		e = kek ? key_wrap(kek, cek, &w) : ERR_BAD_VALUE;
		break;
	case JOSE_KIND_ECDH:
		e = jose_key_ecdh_seal(p->key, &info, jose_alg_row(p->alg)->bits / 8, rng, &s->ephemeral, &agreed);
		if (e == OK)
			e = key_wrap(agreed, cek, &w);
		secret_free(agreed);
		break;
	case JOSE_KIND_OAEP:
		e = jose_key_oaep_seal(p->key, cek, rng, &w);
		break;
	case JOSE_KIND_NONE:
	case JOSE_KIND_HMAC:
	case JOSE_KIND_RSA_SIGN:
	case JOSE_KIND_EC_SIGN:
		break;
	}
	return e == OK && !wr_done(&w, &s->key) ? ERR_TOO_LONG : e;
}

static enum err content_key(const struct jose_making *how, struct rng *rng, struct secret **cek)
{
	const struct secret *s;

	if (how->parties[0].alg != JOSE_DIR) {
		*cek = secret_random(rng, jose_enc_octets(how->enc));
		return *cek ? OK : ERR_NO_MEMORY;
	}
	s = jose_key_symmetric(how->parties[0].key, JOSE_DIR, how->enc);
	if (!s)
		return ERR_BAD_VALUE;
	*cek = secret_dup(s);
	return *cek ? OK : ERR_NO_MEMORY;
}

struct boxed {
	struct rd protected_text, nonce, cipher, tag;
};

static void print_compact(const struct boxed *b, const struct sealed *s, struct wr *out)
{
	wr_rd(out, b->protected_text);
	wr_u8(out, '.');
	base64url_print(out, s->key);
	wr_u8(out, '.');
	base64url_print(out, b->nonce);
	wr_u8(out, '.');
	base64url_print(out, b->cipher);
	wr_u8(out, '.');
	base64url_print(out, b->tag);
}

static void print_json(const struct jose_making *how, const struct boxed *b, const struct sealed *s, struct wr *out)
{
	struct json_out o = json_out(out);

	json_object(&o, NULL);
	json_put_rd(&o, "protected", b->protected_text);
	if (how->form == JOSE_GENERAL)
		json_array(&o, "recipients");
	for (size_t i = 0; i < how->count; i++) {
		if (how->form == JOSE_GENERAL)
			json_object(&o, NULL);
		if (how->count > 1) {
			json_object(&o, "header");
			put_party(&o, &how->parties[i], &s[i].ephemeral);
			json_close(&o);
		}
		if (s[i].key.left > 0)
			put_base64url(&o, "encrypted_key", s[i].key);
		if (how->form == JOSE_GENERAL)
			json_close(&o);
	}
	if (how->form == JOSE_GENERAL)
		json_close(&o);
	put_base64url(&o, "iv", b->nonce);
	put_base64url(&o, "ciphertext", b->cipher);
	put_base64url(&o, "tag", b->tag);
	json_close(&o);
}

enum err jose_encrypt(const struct jose_making *how, struct rd plain, struct rng *rng, struct wr *out)
{
	struct sealed sealed[JOSE_PARTS_MAX];
	struct wr header = wr_new(2 * JOSE_HEADER_MAX), cipher = wr_new(JOSE_TEXT_MAX);
	uint8_t nonce[GCM_NONCE], tag[GCM_TAG];
	struct boxed b = {.nonce = rd_of(nonce, sizeof nonce), .tag = rd_of(tag, sizeof tag)};
	struct secret *cek = NULL;
	struct rd done;
	enum err e = combination_fits(how, true) ? OK : ERR_BAD_VALUE;

	if (e != OK || (e = content_key(how, rng, &cek)) != OK)
		goto out;
	for (size_t i = 0; i < how->count; i++)
		if ((e = wrap(&how->parties[i], cek, rng, &sealed[i])) != OK)
			goto out;
	put_protected(how, true, how->count == 1 ? &how->parties[0] : NULL, &sealed[0].ephemeral, &header);
	if (!wr_done(&header, &b.protected_text)) {
		e = ERR_TOO_LONG;
		goto out;
	}
	/* A random nonce: with a session key of its own for each pair of rand objects, and a new content key for all else but dir, 2^32 of them are
	 * never reached (SP 800-38D 8.3). */
	rng_fill(rng, nonce, sizeof nonce);
	if ((e = gcm_seal(cek, nonce, b.protected_text, plain, &cipher, tag)) != OK)
		goto out;
	if (!wr_done(&cipher, &b.cipher)) {
		e = ERR_TOO_LONG;
		goto out;
	}
	if (how->form == JOSE_COMPACT)
		print_compact(&b, &sealed[0], out);
	else
		print_json(how, &b, sealed, out);
	e = wr_done(out, &done) ? OK : ERR_TOO_LONG;
out:
	secret_free(cek);
	wr_free(&header);
	wr_free(&cipher);
	return e;
}

/* ---- JWS ---- */

static enum err sign_one(const struct jose_making *how, const struct jose_party *p, struct rd payload_text, struct wr *header, struct wr *signature)
{
	struct wr text = wr_new(2 * JOSE_TEXT_MAX);
	struct rd covered, protected_text;
	enum err e = ERR_TOO_LONG;

	put_protected(how, false, p, NULL, header);
	if (wr_done(header, &protected_text)) {
		wr_rd(&text, protected_text);
		wr_u8(&text, '.');
		wr_rd(&text, payload_text);
		if (wr_done(&text, &covered))
			e = jose_key_sign(p->key, p->alg, covered, signature);
	}
	wr_free(&text);
	return e;
}

static enum err print_signature(const struct jose_making *how, size_t i, struct rd payload_text, struct json_out *o)
{
	struct wr header = wr_new(2 * JOSE_HEADER_MAX), signature = wr_new(WRAPPED_MAX);
	struct rd protected_text, value;
	enum err e = sign_one(how, &how->parties[i], payload_text, &header, &signature);

	if (e == OK && (!wr_done(&header, &protected_text) || !wr_done(&signature, &value)))
		e = ERR_TOO_LONG;
	if (e == OK && how->form == JOSE_COMPACT) {
		wr_rd(o->w, protected_text);
		wr_u8(o->w, '.');
		wr_rd(o->w, payload_text);
		wr_u8(o->w, '.');
		base64url_print(o->w, value);
	} else if (e == OK) {
		json_put_rd(o, "protected", protected_text);
		put_base64url(o, "signature", value);
	}
	wr_free(&header);
	wr_free(&signature);
	return e;
}

enum err jose_sign(const struct jose_making *how, struct rd payload, struct wr *out)
{
	struct wr text = wr_new(JOSE_TEXT_MAX);
	struct json_out o = json_out(out);
	struct rd payload_text, done;
	enum err e = combination_fits(how, false) ? OK : ERR_BAD_VALUE;

	base64url_print(&text, payload);
	if (e == OK && !wr_done(&text, &payload_text))
		e = ERR_TOO_LONG;
	if (e != OK)
		goto out;
	if (how->form == JOSE_COMPACT) {
		e = print_signature(how, 0, payload_text, &o);
		goto out;
	}
	json_object(&o, NULL);
	json_put_rd(&o, "payload", payload_text);
	if (how->form == JOSE_GENERAL)
		json_array(&o, "signatures");
	for (size_t i = 0; i < how->count && e == OK; i++) {
		if (how->form == JOSE_GENERAL)
			json_object(&o, NULL);
		e = print_signature(how, i, payload_text, &o);
		if (how->form == JOSE_GENERAL)
			json_close(&o);
	}
	if (how->form == JOSE_GENERAL)
		json_close(&o);
	json_close(&o);
out:
	wr_free(&text);
	return e == OK && !wr_done(out, &done) ? ERR_TOO_LONG : e;
}
