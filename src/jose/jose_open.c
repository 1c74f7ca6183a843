/* Opening and verifying: RFC 7516 section 5.2, RFC 7515 section 5.2. */
#include "jose/private.h"

#include <string.h>

#include "base/bytes.h"
#include "crypto/gcm.h"

/* The part, if its algorithm is known and allowed. */
static enum err choose(const struct jose *j, size_t part, bool encrypted, const struct jose_allowed *allowed, const struct jose_part **out)
{
	const struct jose_part *p = &j->parts[part < j->count ? part : 0];

	if (part >= j->count)
		return ERR_NOT_FOUND;
	if (j->encrypted != encrypted)
		return ERR_STATE;
	if (p->header.alg == JOSE_NO_ALG || (encrypted && p->header.enc == JOSE_NO_ENC))
		return ERR_UNSUPPORTED;
	if (!(allowed->algs & JOSE_MAY(p->header.alg)) || (encrypted && !(allowed->encs & JOSE_MAY(p->header.enc))))
		return ERR_NOT_PERMITTED;
	*out = p;
	return OK;
}

/* ---- ECDH ---- */

static bool coordinate(const struct json *epk, const char *name, size_t n, uint8_t *octets)
{
	uint8_t buffer[ECDH_OCTETS_MAX];
	struct wr w = wr_of(buffer, n);
	struct rd text, out;

	if (!json_string(json_get(epk, name), &text) || !base64url_parse(text, &w) || !wr_done(&w, &out) || out.left != n)
		return false;
	memcpy(octets, out.at, n);
	return true;
}

/* RFC 7518 4.6.1.1: a JWK with the public part of the ephemeral key. */
static bool point_of(const struct json *epk, struct ecdh_point *p)
{
	size_t i = 0;

	if (!json_is_string(json_get(epk, "kty"), "EC"))
		return false;
	while (i < JOSE_CURVES && !json_is_string(json_get(epk, "crv"), jose_curve_names[i]))
		i++;
	if (i == JOSE_CURVES)
		return false;
	p->curve = (enum ecdh_curve)i;
	return coordinate(epk, "x", ecdh_octets(p->curve), p->x) && coordinate(epk, "y", ecdh_octets(p->curve), p->y);
}

#define PARTY_INFO_MAX 256

static bool party_info(const struct jose_part *p, const char *name, struct wr *w, struct rd *out)
{
	const struct json *v = jose_parameter(p, name);
	struct rd text = rd_str("");

	return (!v || json_string(v, &text)) && base64url_parse(text, w) && wr_done(w, out);
}

static enum err unwrap_ecdh(const struct jose_part *p, const struct jose_key *key, struct secret **cek)
{
	uint8_t apu[PARTY_INFO_MAX], apv[PARTY_INFO_MAX];
	struct wr wu = wr_of(apu, sizeof apu), wv = wr_of(apv, sizeof apv);
	struct ecdh_info info = {.algorithm = rd_str(jose_alg_name(p->header.alg))};
	struct ecdh_point ephemeral;
	struct secret *kek = NULL;
	enum err e;

	if (!point_of(jose_parameter(p, "epk"), &ephemeral) || !party_info(p, "apu", &wu, &info.apu) || !party_info(p, "apv", &wv, &info.apv))
		return ERR_MALFORMED;
	e = jose_key_ecdh_open(key, &ephemeral, &info, jose_alg_row(p->header.alg)->bits / 8, &kek);
	if (e == OK)
		e = key_unwrap(kek, p->value, cek);
	secret_free(kek);
	return e;
}

/* ---- the content's key ---- */

static enum err unwrap(const struct jose_part *p, const struct jose_key *key, struct rng *rng, struct secret **cek)
{
	const struct secret *s = jose_key_symmetric(key, p->header.alg, p->header.enc);

	switch (jose_alg_row(p->header.alg)->kind) {
	case JOSE_KIND_DIR:
		if (!s || p->value.left > 0)
			return s ? ERR_MALFORMED : ERR_BAD_VALUE;
		*cek = secret_dup(s);
		return *cek ? OK : ERR_NO_MEMORY;
	case JOSE_KIND_WRAP:
		return s ? key_unwrap(s, p->value, cek) : ERR_BAD_VALUE;
	case JOSE_KIND_ECDH:
		return unwrap_ecdh(p, key, cek);
	case JOSE_KIND_OAEP:
		return jose_key_oaep_open(key, rng, p->value, cek);
	case JOSE_KIND_NONE:
	case JOSE_KIND_HMAC:
	case JOSE_KIND_RSA_SIGN:
	case JOSE_KIND_EC_SIGN:
		break;
	}
	return ERR_STATE;
}

/* RFC 7516 11.5: with a key that does not come out, or of the wrong length, the work goes on with a random one and fails where a wrong tag fails. */
static enum err content_key(const struct jose_part *p, const struct jose_key *key, struct rng *rng, struct secret **cek)
{
	struct secret *random = secret_random(rng, jose_enc_octets(p->header.enc)), *s = NULL;
	enum err e;

	if (!random)
		return ERR_NO_MEMORY;
	e = unwrap(p, key, rng, &s);
	if (e == ERR_BAD_MIC || (e == OK && secret_len(s) != secret_len(random))) {
		secret_free(s);
		*cek = random;
		return OK;
	}
	secret_free(random);
	if (e == OK)
		*cek = s;
	return e;
}

enum err jose_open(const struct jose *j, size_t part, const struct jose_key *key, const struct jose_allowed *allowed, struct rng *rng, struct wr *plain)
{
	const struct jose_part *p = NULL;
	struct wr aad = wr_new(2 * JOSE_TEXT_MAX);
	struct secret *cek = NULL;
	struct rd covered;
	enum err e = choose(j, part, true, allowed, &p);

	if (e != OK)
		goto out;
	if (j->nonce.left != GCM_NONCE || j->tag.left != GCM_TAG) {
		e = ERR_MALFORMED;
		goto out;
	}
	wr_rd(&aad, p->protected_text);
	if (j->has_aad) {
		wr_u8(&aad, '.');
		wr_rd(&aad, j->aad_text);
	}
	if (!wr_done(&aad, &covered)) {
		e = ERR_NO_MEMORY;
		goto out;
	}
	if ((e = content_key(p, key, rng, &cek)) == OK)
		e = gcm_open(cek, j->nonce.at, covered, j->cipher, j->tag.at, plain);
out:
	secret_free(cek);
	wr_free(&aad);
	return e;
}

enum err jose_verify(const struct jose *j, size_t part, const struct jose_key *key, const struct jose_allowed *allowed, struct rd *payload)
{
	const struct jose_part *p = NULL;
	struct wr text = wr_new(2 * JOSE_TEXT_MAX);
	struct rd covered;
	enum err e = choose(j, part, false, allowed, &p);

	if (e != OK)
		goto out;
	wr_rd(&text, p->protected_text);
	wr_u8(&text, '.');
	wr_rd(&text, j->payload_text);
	if (!wr_done(&text, &covered)) {
		e = ERR_NO_MEMORY;
		goto out;
	}
	e = jose_key_verify(key, p->header.alg, covered, p->value);
	if (e == OK)
		*payload = j->payload;
out:
	wr_free(&text);
	return e;
}
