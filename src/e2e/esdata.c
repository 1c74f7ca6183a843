/* Sealing and opening of data. */
#include "e2e/esdata.h"

#include <string.h>

#include "base/bytes.h"
#include "security/derive.h"

/* ---- contentInfo ---- */

/* RFC 6838's type "/" subtype, with parameters: what may not stand in cnf is the colon, which parts its fields. */
static bool is_media(struct rd media)
{
	struct rd rest = media, type;
	uint8_t c;

	if (media.left == 0 || media.left > 127 || !rd_until(&rest, '/', &type) || type.left == 0 || rest.left == 0)
		return false;
	while (rd_u8(&media, &c))
		if (c <= 0x20 || c >= 0x7f || c == ':')
			return false;
	return true;
}

static bool one_digit(struct rd text, unsigned most, unsigned *n)
{
	uint64_t v;

	if (text.left != 1 || !rd_decimal(text, &v) || v > most)
		return false;
	*n = (unsigned)v;
	return true;
}

enum err content_info_parse(struct rd cnf, struct content_info *info)
{
	struct content_info i = {.media = cnf};
	struct rd rest = cnf, encoding;
	unsigned security = 0;

	if (cnf.left >= CONTENT_INFO_MAX)
		return ERR_TOO_LONG;
	if (rd_until(&rest, ':', &i.media)) {
		bool third = rd_until(&rest, ':', &encoding);

		if (!one_digit(third ? encoding : rest, 2, &i.encoding) || (third && !one_digit(rest, CONTENT_SECURITY_XML_BASE64, &security)))
			return ERR_MALFORMED;
	}
	if (!is_media(i.media))
		return ERR_MALFORMED;
	i.security = (enum content_security)security;
	*info = i;
	return OK;
}

enum err content_info_print(const struct content_info *info, char cnf[static CONTENT_INFO_MAX])
{
	char buffer[CONTENT_INFO_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd out;

	if (!is_media(info->media) || info->encoding > 2)
		return ERR_BAD_VALUE;
	wr_rd(&w, info->media);
	wr_fmt(&w, ":%u", info->encoding);
	if (info->security != CONTENT_SECURITY_NONE)
		wr_fmt(&w, ":%d", (int)info->security);
	wr_u8(&w, 0);
	if (!wr_done(&w, &out))
		return ERR_TOO_LONG;
	memcpy(cnf, out.at, out.left);
	return OK;
}

/* ---- keys ---- */

static bool signs(enum jose_alg alg)
{
	return (JOSE_MAY(alg) & (JOSE_MAY_SIGN_SYMMETRIC | JOSE_MAY_SIGN_PUBLIC)) != 0;
}

static bool goes_with(enum suid suid, enum jose_alg alg, bool symmetric)
{
	uint32_t kind = signs(alg) ? (symmetric ? JOSE_MAY_SIGN_SYMMETRIC : JOSE_MAY_SIGN_PUBLIC)
	                           : (symmetric ? JOSE_MAY_WRAP | JOSE_MAY(JOSE_DIR) : JOSE_MAY_ENCRYPT_PUBLIC);
	enum suid_usage usage = suid_usage(suid);

	if ((suid_family(suid) == SUID_FAMILY_CERT) == symmetric || !(JOSE_MAY(alg) & kind))
		return false;
	return signs(alg) ? usage == SUID_USAGE_ESDATA_SIG : usage == SUID_USAGE_ESDATA_ENC;
}

static bool set_names(struct esdata_key *k, enum suid suid, const char *kid, enum jose_alg alg)
{
	*k = (struct esdata_key){.suid = suid, .alg = alg};
	return entity_valid(rd_str(kid)) && rd_text(rd_str(kid), k->kid, sizeof k->kid);
}

enum err esdata_key_symmetric(struct esdata_key *k, enum suid suid, const char *kid, const struct secret *secret, enum jose_alg alg)
{
	struct secret *used = NULL;
	struct key_id id;
	size_t octets;
	enum err e;

	if (alg == JOSE_NO_ALG)
		alg = suid_usage(suid) == SUID_USAGE_ESDATA_SIG ? JOSE_HS256 : JOSE_DIR;
	octets = jose_alg_octets(alg);
	if (!goes_with(suid, alg, true) || secret_len(secret) != DERIVE_KEY_OCTETS || key_id_split(rd_str(kid), &id) != OK || !set_names(k, suid, kid, alg))
		return ERR_BAD_VALUE;
	if (alg == JOSE_DIR) {
		k->secret = secret_dup(secret);
		return k->secret ? OK : ERR_NO_MEMORY;
	}
	/* HS384 and HS512 want more octets than these keys have: derive_for_use refuses. */
	e = derive_for_use(secret, octets, &used);
	if (e != OK)
		return e;
	k->key = jose_key_secret(used);
	secret_free(used);
	return k->key ? OK : ERR_NO_MEMORY;
}

/* The first algorithm of the list that the key takes. */
static enum jose_alg fitting(const struct jose_key *key, bool sign)
{
	static const enum jose_alg candidates[] = {JOSE_ES256, JOSE_ES384, JOSE_ES512, JOSE_RS256, JOSE_ECDH_ES_A256KW, JOSE_RSA_OAEP_256};

	for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++)
		if (signs(candidates[i]) == sign && jose_key_fits(key, candidates[i]))
			return candidates[i];
	return JOSE_NO_ALG;
}

enum err esdata_key_pem(struct esdata_key *k, enum suid suid, const char *kid, struct rd pem, enum jose_alg alg)
{
	struct jose_key *key = NULL;
	enum err e = jose_key_parse(pem, &key);

	if (e != OK)
		return e;
	if (alg == JOSE_NO_ALG)
		alg = fitting(key, suid_usage(suid) == SUID_USAGE_ESDATA_SIG);
	if (!goes_with(suid, alg, false) || !jose_key_fits(key, alg) || !set_names(k, suid, kid, alg)) {
		jose_key_free(key);
		return ERR_BAD_VALUE;
	}
	k->key = key;
	return OK;
}

void esdata_key_clear(struct esdata_key *k)
{
	jose_key_free(k->key);
	secret_free(k->secret);
	*k = (struct esdata_key){.suid = SUID_NONE};
}

/* The key as enc takes it. *made is the caller's, NULL when there was nothing to make. */
static const struct jose_key *key_for(const struct esdata_key *k, enum jose_enc enc, struct jose_key **made)
{
	struct secret *used = NULL;

	*made = NULL;
	if (k->alg != JOSE_DIR)
		return k->key;
	if (derive_for_use(k->secret, jose_enc_octets(enc), &used) == OK)
		*made = jose_key_secret(used);
	secret_free(used);
	return *made;
}

/* ---- sealing ---- */

#define CTY_NESTED "JWS" /* says that a JWS is within; RFC 7516 leaves the value of cty to the application */

static enum err sign(const struct esdata_key *signer, enum jose_form form, struct rd data, struct wr *out)
{
	struct jose_party party = {signer->alg, rd_str(signer->kid), signer->key};
	struct jose_making how = {.form = form, .parties = &party, .count = 1};

	return signs(signer->alg) ? jose_sign(&how, data, out) : ERR_BAD_VALUE;
}

static enum err encrypt(const struct esdata_making *how, enum jose_form form, const char *cty, struct rd data, struct rng *rng, struct wr *out)
{
	struct jose_party parties[JOSE_PARTS_MAX];
	struct jose_making making = {.form = form, .enc = how->enc, .parties = parties, .count = how->count, .cty = cty};
	struct jose_key *made = NULL;
	enum err e;

	if (how->count > JOSE_PARTS_MAX)
		return ERR_BAD_VALUE;
	for (size_t i = 0; i < how->count; i++) {
		const struct esdata_key *k = &how->sealers[i];

		if (signs(k->alg) || (k->alg == JOSE_DIR && how->count > 1))
			return ERR_BAD_VALUE;
		parties[i] = (struct jose_party){k->alg, rd_str(k->kid), key_for(k, how->enc, &made)};
		if (!parties[i].key)
			return ERR_BAD_VALUE;
	}
	e = jose_encrypt(&making, data, rng, out);
	jose_key_free(made);
	return e;
}

enum err esdata_seal(const struct esdata_making *how, struct rd data, struct rng *rng, struct wr *con)
{
	bool compact = how->security == CONTENT_SECURITY_JOSE_COMPACT;
	enum jose_form outer = compact ? JOSE_COMPACT : how->count > 1 ? JOSE_GENERAL : JOSE_FLATTENED;
	struct wr inner = wr_new(JOSE_TEXT_MAX), text = wr_new(JOSE_TEXT_MAX);
	struct rd out = data;
	enum err e = OK;

	if (data.left > ESDATA_MAX)
		e = ERR_TOO_LONG;
	else if ((!how->count && !how->signer) || how->security < CONTENT_SECURITY_JOSE_COMPACT || how->security > CONTENT_SECURITY_JOSE_JSON_BASE64)
		e = ERR_BAD_VALUE;
	if (e == OK && how->signer)
		e = sign(how->signer, how->count ? JOSE_COMPACT : outer, data, how->count ? &inner : &text);
	if (e == OK && how->signer && how->count && !wr_done(&inner, &out))
		e = ERR_TOO_LONG;
	if (e == OK && how->count)
		e = encrypt(how, outer, how->signer ? CTY_NESTED : NULL, out, rng, &text);
	if (e == OK && !wr_done(&text, &out))
		e = ERR_TOO_LONG;
	if (e == OK && how->security == CONTENT_SECURITY_JOSE_JSON_BASE64)
		base64_print(con, out);
	else if (e == OK)
		wr_rd(con, out);
	wr_free(&inner);
	wr_free(&text);
	return e == OK && !wr_done(con, &out) ? ERR_TOO_LONG : e;
}

/* ---- opening ---- */

static enum err may(const struct esdata_key *k, const struct jose_header *h, char kid[static CREDENTIAL_ID_MAX])
{
	/* The key's own algorithm alone: nothing that the text says chooses another one. */
	if (k->alg != h->alg || !goes_with(k->suid, k->alg, !k->key || jose_key_is_symmetric(k->key)))
		return ERR_NOT_PERMITTED;
	memcpy(kid, k->kid, sizeof k->kid);
	return OK;
}

static enum err open_part(const struct jose *j, size_t part, const struct esdata_key *k, const struct esdata_policy *policy,
    struct esdata_verdict *v, struct wr *w)
{
	const struct jose_header *h = jose_header(j, part);
	struct jose_allowed allowed = {JOSE_MAY(k->alg), JOSE_MAY_EVERY_ENC};
	bool encrypted = jose_is_encrypted(j);
	const struct jose_key *key;
	struct jose_key *made = NULL;
	struct rd payload;
	enum err e = may(k, h, encrypted ? v->sealer : v->signer);

	if (e != OK)
		return e;
	if (encrypted) {
		key = key_for(k, h->enc, &made);
		e = key ? jose_open(j, part, key, &allowed, policy->rng, w) : ERR_UNSUPPORTED;
		jose_key_free(made);
		v->was_encrypted = e == OK;
		return e;
	}
	e = jose_verify(j, part, k->key, &allowed, &payload);
	v->was_signed = e == OK;
	if (e == OK)
		wr_rd(w, payload);
	return e;
}

/* The part for which there is a key here: of several recipients one. */
static enum err open_object(const struct jose *j, const struct esdata_policy *policy, struct esdata_verdict *v, struct wr *w)
{
	for (size_t part = 0; part < jose_parts(j); part++) {
		const struct esdata_key *k = policy->find(policy->ctx, jose_header(j, part)->kid, jose_is_encrypted(j));

		if (k)
			return open_part(j, part, k, policy, v, w);
	}
	return ERR_UNKNOWN_KEY;
}

static enum err open_text(struct rd text, bool compact, const struct esdata_policy *policy, struct esdata_verdict *v, struct wr *w)
{
	struct wr inner = wr_new(JOSE_TEXT_MAX);
	struct jose *j = NULL, *signature = NULL;
	struct rd within;
	enum err e = jose_parse(text, &j);

	if (e != OK)
		return e;
	if (jose_is_compact(j) != compact)
		e = ERR_MALFORMED;
	else if (!jose_is_encrypted(j) || !rd_is(jose_header(j, 0)->cty, CTY_NESTED))
		e = open_object(j, policy, v, w);
	else if ((e = open_object(j, policy, v, &inner)) == OK && (e = wr_done(&inner, &within) ? jose_parse(within, &signature) : ERR_TOO_LONG) == OK)
		e = jose_is_encrypted(signature) ? ERR_MALFORMED : open_object(signature, policy, v, w);
	jose_free(signature);
	jose_free(j);
	wr_free(&inner);
	return e;
}

enum err esdata_open(enum content_security security, struct rd con, const struct esdata_policy *policy, struct esdata_verdict *verdict, struct wr *data)
{
	struct wr json = wr_new(JOSE_TEXT_MAX);
	struct esdata_verdict v = {.was_encrypted = false};
	size_t before = data->len;
	struct rd out;
	enum err e = OK;

	switch (security) {
	case CONTENT_SECURITY_JOSE_COMPACT:
	case CONTENT_SECURITY_JOSE_JSON:
		break;
	case CONTENT_SECURITY_JOSE_JSON_BASE64:
		if (con.left > JOSE_TEXT_MAX)
			e = ERR_TOO_LONG;
		else if (!base64_parse(con, &json) || !wr_done(&json, &con))
			e = ERR_MALFORMED;
		break;
	case CONTENT_SECURITY_NONE:
		e = ERR_STATE;
		break;
	case CONTENT_SECURITY_XML:
	case CONTENT_SECURITY_XML_BASE64:
		e = ERR_UNSUPPORTED;
		break;
	}
	if (e == OK)
		e = open_text(con, security == CONTENT_SECURITY_JOSE_COMPACT, policy, &v, data);
	if (e == OK && ((policy->must_be_encrypted && !v.was_encrypted) || (policy->must_be_signed && !v.was_signed)))
		e = ERR_STATE;
	if (e == OK && !wr_done(data, &out))
		e = ERR_TOO_LONG;
	wr_free(&json);
	if (e != OK) {
		data->len = before;
		return e;
	}
	*verdict = v;
	return OK;
}
