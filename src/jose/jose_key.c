/* Keys of JOSE and what is done with them: symmetric ones here, private and public ones through GnuTLS, or through nettle where GnuTLS has no call. */
#include "jose/private.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h> /* gnutls_encode_rs_value */
#include <gnutls/x509.h>
#include <nettle/bignum.h>
#include <nettle/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/kdf.h"
#include "crypto/rsa_oaep.h"

#define RSA_BITS_LEAST 2048

struct jose_key {
	struct secret *secret;
	gnutls_privkey_t private; /* NULL when only the public half is known */
	gnutls_pubkey_t public;
	bool is_rsa;
	enum ecdh_curve curve;
};

void jose_key_free(struct jose_key *k)
{
	if (!k)
		return;
	secret_free(k->secret);
	if (k->private)
		gnutls_privkey_deinit(k->private);
	if (k->public)
		gnutls_pubkey_deinit(k->public);
	free(k);
}

struct jose_key *jose_key_secret(const struct secret *s)
{
	struct jose_key *k = calloc(1, sizeof *k);

	if (k)
		k->secret = secret_dup(s);
	if (k && k->secret)
		return k;
	jose_key_free(k);
	return NULL;
}

bool jose_key_is_symmetric(const struct jose_key *k)
{
	return k->secret != NULL;
}

static bool holds(struct rd text, const char *word)
{
	return text.left > 0 && memmem(text.at, text.left, word, strlen(word)) != NULL;
}

static void datum_wipe(gnutls_datum_t *d)
{
	bytes_wipe(d->data, d->size);
	gnutls_free(d->data);
}

/* ---- making ---- */

static bool import_private(struct jose_key *k, const gnutls_datum_t *pem)
{
	return gnutls_privkey_init(&k->private) == 0 && gnutls_privkey_import_x509_raw(k->private, pem, GNUTLS_X509_FMT_PEM, NULL, 0) == 0 &&
	    gnutls_pubkey_init(&k->public) == 0 && gnutls_pubkey_import_privkey(k->public, k->private, 0, 0) == 0;
}

static bool import_public(struct jose_key *k, const gnutls_datum_t *pem)
{
	return gnutls_pubkey_init(&k->public) == 0 && gnutls_pubkey_import(k->public, pem, GNUTLS_X509_FMT_PEM) == 0;
}

static bool import_certificate(struct jose_key *k, const gnutls_datum_t *pem)
{
	return gnutls_pubkey_init(&k->public) == 0 && gnutls_pubkey_import_x509_raw(k->public, pem, GNUTLS_X509_FMT_PEM, 0) == 0;
}

/* The public point; false when it is no curve of ours. */
static bool point_of(gnutls_pubkey_t public, struct ecdh_point *p)
{
	gnutls_ecc_curve_t curve;
	gnutls_datum_t x, y;
	size_t n;
	bool good;

	if (gnutls_pubkey_export_ecc_raw2(public, &curve, &x, &y, GNUTLS_EXPORT_FLAG_NO_LZ) != 0)
		return false;
	good = curve == GNUTLS_ECC_CURVE_SECP256R1 || curve == GNUTLS_ECC_CURVE_SECP384R1 || curve == GNUTLS_ECC_CURVE_SECP521R1;
	p->curve = curve == GNUTLS_ECC_CURVE_SECP256R1 ? ECDH_P256 : curve == GNUTLS_ECC_CURVE_SECP384R1 ? ECDH_P384 : ECDH_P521;
	n = ecdh_octets(p->curve);
	good = good && x.size <= n && y.size <= n;
	if (good) {
		memset(p->x, 0, sizeof p->x);
		memset(p->y, 0, sizeof p->y);
		memcpy(p->x + (n - x.size), x.data, x.size);
		memcpy(p->y + (n - y.size), y.data, y.size);
	}
	gnutls_free(x.data);
	gnutls_free(y.data);
	return good;
}

static bool usable(struct jose_key *k)
{
	struct ecdh_point p;
	unsigned bits;

	switch (gnutls_pubkey_get_pk_algorithm(k->public, &bits)) {
	case GNUTLS_PK_RSA:
		k->is_rsa = true;
		return bits >= RSA_BITS_LEAST && bits <= RSA_MOST * 8;
	case GNUTLS_PK_ECDSA:
		if (!point_of(k->public, &p))
			return false;
		k->curve = p.curve;
		return true;
	default:
		return false;
	}
}

enum err jose_key_parse(struct rd pem, struct jose_key **key)
{
	struct jose_key *k;
	gnutls_datum_t d;
	bool read;
	char *text;

	if (pem.left > JOSE_KEY_TEXT_MAX)
		return ERR_TOO_LONG;
	text = rd_strdup(pem);
	k = calloc(1, sizeof *k);
	if (!text || !k) {
		free(text);
		free(k);
		return ERR_NO_MEMORY;
	}
	d = (gnutls_datum_t){(uint8_t *)text, (unsigned)pem.left};
	read = holds(pem, "PRIVATE KEY-----") ? import_private(k, &d) : holds(pem, "-----BEGIN CERTIFICATE") ? import_certificate(k, &d) : import_public(k, &d);
	bytes_wipe(text, pem.left);
	free(text);
	if (!read || !usable(k)) {
		jose_key_free(k);
		return read ? ERR_UNSUPPORTED : ERR_MALFORMED;
	}
	*key = k;
	return OK;
}

/* ---- symmetric ---- */

const struct secret *jose_key_symmetric(const struct jose_key *k, enum jose_alg alg, enum jose_enc enc)
{
	enum jose_kind kind = jose_alg_row(alg)->kind;
	size_t want = kind == JOSE_KIND_DIR ? jose_enc_octets(enc) : jose_alg_octets(alg), has = k->secret ? secret_len(k->secret) : 0;

	if (want == 0 || (kind == JOSE_KIND_HMAC ? has < want : has != want))
		return NULL;
	return k->secret;
}

static enum err hmac_of(const struct jose_key *k, enum jose_alg alg, struct rd text, uint8_t mac[static KDF_MAC_MAX], size_t *len)
{
	const struct secret *s = jose_key_symmetric(k, alg, JOSE_NO_ENC);

	if (!s)
		return ERR_BAD_VALUE;
	*len = kdf_mac_of(jose_alg_row(alg)->bits, s, text, mac);
	return OK;
}

/* ---- signatures ---- */

static gnutls_digest_algorithm_t digest_of(unsigned bits)
{
	return bits == 256 ? GNUTLS_DIG_SHA256 : bits == 384 ? GNUTLS_DIG_SHA384 : GNUTLS_DIG_SHA512;
}

/* ES256 goes with P-256 alone, and so on (RFC 7518 3.4). */
static bool fits(const struct jose_key *k, const struct jose_alg_row *row)
{
	unsigned of_curve = k->curve == ECDH_P256 ? 256 : k->curve == ECDH_P384 ? 384 : 512;

	return k->public && (row->kind == JOSE_KIND_RSA_SIGN ? k->is_rsa : !k->is_rsa && of_curve == row->bits);
}

bool jose_key_fits(const struct jose_key *k, enum jose_alg alg)
{
	const struct jose_alg_row *row = jose_alg_row(alg);

	switch (row->kind) {
	case JOSE_KIND_HMAC:
	case JOSE_KIND_WRAP:
		return jose_key_symmetric(k, alg, JOSE_NO_ENC) != NULL;
	case JOSE_KIND_DIR:
		return k->secret != NULL;
	case JOSE_KIND_RSA_SIGN:
	case JOSE_KIND_EC_SIGN:
		return fits(k, row);
	case JOSE_KIND_ECDH:
		return k->public && !k->is_rsa;
	case JOSE_KIND_OAEP:
		return k->public && k->is_rsa;
	case JOSE_KIND_NONE:
		break;
	}
	return false;
}

/* The two integers of an ECDSA signature, each as long as the curve. */
static bool to_pair(const gnutls_datum_t *der, size_t n, struct wr *signature)
{
	gnutls_datum_t part[2];
	bool good = true;

	if (gnutls_decode_rs_value(der, &part[0], &part[1]) != 0)
		return false;
	for (size_t i = 0; i < 2; i++) {
		struct rd number = rd_of(part[i].data, part[i].size);
		uint8_t zero;

		while (number.left > n && good)
			good = rd_u8(&number, &zero) && zero == 0;
		for (size_t pad = number.left; good && pad < n; pad++)
			wr_u8(signature, 0);
		wr_rd(signature, number);
		gnutls_free(part[i].data);
	}
	return good;
}

enum err jose_key_sign(const struct jose_key *k, enum jose_alg alg, struct rd text, struct wr *signature)
{
	const struct jose_alg_row *row = jose_alg_row(alg);
	gnutls_datum_t data = {NULL, (unsigned)text.left}, made;
	uint8_t mac[KDF_MAC_MAX];
	struct rd out;
	size_t len;
	enum err e;

	if (row->kind == JOSE_KIND_HMAC) {
		if ((e = hmac_of(k, alg, text, mac, &len)) == OK)
			wr_copy(signature, mac, len);
		return e;
	}
	if ((row->kind != JOSE_KIND_RSA_SIGN && row->kind != JOSE_KIND_EC_SIGN) || !k->private || !fits(k, row))
		return ERR_BAD_VALUE;
	memcpy(&data.data, &text.at, sizeof data.data); /* GnuTLS reads it only */
	if (gnutls_privkey_sign_data(k->private, digest_of(row->bits), 0, &data, &made) != 0)
		return ERR_CRYPTO;
	if (row->kind == JOSE_KIND_RSA_SIGN)
		wr_copy(signature, made.data, made.size);
	e = row->kind == JOSE_KIND_RSA_SIGN || to_pair(&made, ecdh_octets(k->curve), signature) ? OK : ERR_CRYPTO;
	gnutls_free(made.data);
	return e == OK && !wr_done(signature, &out) ? ERR_TOO_LONG : e;
}

static enum err verify_ec(const struct jose_key *k, unsigned bits, const gnutls_datum_t *data, struct rd signature)
{
	size_t n = ecdh_octets(k->curve);
	uint8_t pair[2][ECDH_OCTETS_MAX];
	gnutls_datum_t r = {pair[0], (unsigned)n}, s = {pair[1], (unsigned)n}, der;
	gnutls_sign_algorithm_t alg = bits == 256 ? GNUTLS_SIGN_ECDSA_SHA256 : bits == 384 ? GNUTLS_SIGN_ECDSA_SHA384 : GNUTLS_SIGN_ECDSA_SHA512;
	bool good;

	if (!rd_copy(&signature, pair[0], n) || !rd_copy(&signature, pair[1], n) || !rd_end(&signature))
		return ERR_BAD_MIC;
	if (gnutls_encode_rs_value(&der, &r, &s) != 0)
		return ERR_BAD_MIC;
	good = gnutls_pubkey_verify_data2(k->public, alg, 0, data, &der) >= 0;
	gnutls_free(der.data);
	return good ? OK : ERR_BAD_MIC;
}

enum err jose_key_verify(const struct jose_key *k, enum jose_alg alg, struct rd text, struct rd signature)
{
	const struct jose_alg_row *row = jose_alg_row(alg);
	gnutls_datum_t data = {NULL, (unsigned)text.left}, given = {NULL, (unsigned)signature.left};
	uint8_t mac[KDF_MAC_MAX];
	size_t len;
	enum err e;

	if (row->kind == JOSE_KIND_HMAC) {
		if ((e = hmac_of(k, alg, text, mac, &len)) != OK)
			return e;
		return signature.left == len && bytes_equal_ct(mac, signature.at, len) ? OK : ERR_BAD_MIC;
	}
	if ((row->kind != JOSE_KIND_RSA_SIGN && row->kind != JOSE_KIND_EC_SIGN) || !fits(k, row))
		return ERR_BAD_VALUE;
	memcpy(&data.data, &text.at, sizeof data.data);
	memcpy(&given.data, &signature.at, sizeof given.data);
	if (row->kind == JOSE_KIND_EC_SIGN)
		return verify_ec(k, row->bits, &data, signature);
	return gnutls_pubkey_verify_data2(k->public, row->bits == 256 ? GNUTLS_SIGN_RSA_SHA256 : row->bits == 384 ? GNUTLS_SIGN_RSA_SHA384 : GNUTLS_SIGN_RSA_SHA512,
	           0, &data, &given) >= 0 ? OK : ERR_BAD_MIC;
}

/* ---- key agreement ---- */

enum err jose_key_ecdh_seal(const struct jose_key *k, const struct ecdh_info *info, size_t octets, struct rng *rng, struct ecdh_point *ephemeral,
    struct secret **kek)
{
	struct ecdh_point to;

	if (!k->public || k->is_rsa || !point_of(k->public, &to))
		return ERR_BAD_VALUE;
	return ecdh_seal(&to, info, octets, rng, ephemeral, kek);
}

enum err jose_key_ecdh_open(const struct jose_key *k, const struct ecdh_point *ephemeral, const struct ecdh_info *info, size_t octets,
    struct secret **kek)
{
	gnutls_datum_t x, y, scalar;
	gnutls_ecc_curve_t curve;
	enum err e;

	if (!k->private || k->is_rsa || ephemeral->curve != k->curve)
		return ERR_BAD_VALUE;
	if (gnutls_privkey_export_ecc_raw2(k->private, &curve, &x, &y, &scalar, 0) != 0)
		return ERR_CRYPTO;
	e = ecdh_open(k->curve, rd_of(scalar.data, scalar.size), ephemeral, info, octets, kek);
	gnutls_free(x.data);
	gnutls_free(y.data);
	datum_wipe(&scalar);
	return e;
}

/* ---- RSA-OAEP ---- */

static void number_set(mpz_t n, const gnutls_datum_t *d)
{
	nettle_mpz_set_str_256_u(n, d->size, d->data);
}

static void number_wipe(mpz_t n)
{
	size_t limbs = mpz_size(n);

	if (limbs > 0)
		bytes_wipe(mpz_limbs_modify(n, (mp_size_t)limbs), limbs * sizeof(mp_limb_t));
	mpz_limbs_finish(n, 0);
}

enum err jose_key_oaep_seal(const struct jose_key *k, const struct secret *cek, struct rng *rng, struct wr *sealed)
{
	struct rsa_public_key to;
	gnutls_datum_t m, exponent;
	enum err e = ERR_BAD_VALUE;

	if (!k->public || !k->is_rsa)
		return ERR_BAD_VALUE;
	if (gnutls_pubkey_export_rsa_raw2(k->public, &m, &exponent, 0) != 0)
		return ERR_CRYPTO;
	rsa_public_key_init(&to);
	number_set(to.n, &m);
	number_set(to.e, &exponent);
	if (rsa_public_key_prepare(&to))
		e = rsa_oaep_seal(&to, cek, rng, sealed);
	rsa_public_key_clear(&to);
	gnutls_free(m.data);
	gnutls_free(exponent.data);
	return e;
}

enum err jose_key_oaep_open(const struct jose_key *k, struct rng *rng, struct rd sealed, struct secret **cek)
{
	struct rsa_public_key public;
	struct rsa_private_key private;
	gnutls_datum_t m, exponent, d, p, q, u, e1, e2;
	gnutls_datum_t *const secrets[] = {&d, &p, &q, &u, &e1, &e2};
	enum err e = ERR_BAD_VALUE;

	if (!k->private || !k->is_rsa)
		return ERR_BAD_VALUE;
	if (gnutls_privkey_export_rsa_raw2(k->private, &m, &exponent, &d, &p, &q, &u, &e1, &e2, 0) != 0)
		return ERR_CRYPTO;
	rsa_public_key_init(&public);
	rsa_private_key_init(&private);
	number_set(public.n, &m);
	number_set(public.e, &exponent);
	number_set(private.p, &p);
	number_set(private.q, &q);
	number_set(private.a, &e1);
	number_set(private.b, &e2);
	number_set(private.c, &u);
	if (rsa_public_key_prepare(&public) && rsa_private_key_prepare(&private))
		e = rsa_oaep_open(&public, &private, rng, sealed, cek);
	number_wipe(private.p);
	number_wipe(private.q);
	number_wipe(private.a);
	number_wipe(private.b);
	number_wipe(private.c);
	rsa_private_key_clear(&private);
	rsa_public_key_clear(&public);
	gnutls_free(m.data);
	gnutls_free(exponent.data);
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		datum_wipe(secrets[i]);
	return e;
}
