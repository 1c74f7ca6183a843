/* The algorithms and their names: RFC 7518. */
#include "jose/private.h"

static const struct jose_alg_row rows[] = {
	[JOSE_NO_ALG] = {"none or unknown", JOSE_KIND_NONE, 0},
	[JOSE_HS256] = {"HS256", JOSE_KIND_HMAC, 256},
	[JOSE_HS384] = {"HS384", JOSE_KIND_HMAC, 384},
	[JOSE_HS512] = {"HS512", JOSE_KIND_HMAC, 512},
	[JOSE_RS256] = {"RS256", JOSE_KIND_RSA_SIGN, 256},
	[JOSE_RS384] = {"RS384", JOSE_KIND_RSA_SIGN, 384},
	[JOSE_RS512] = {"RS512", JOSE_KIND_RSA_SIGN, 512},
	[JOSE_ES256] = {"ES256", JOSE_KIND_EC_SIGN, 256},
	[JOSE_ES384] = {"ES384", JOSE_KIND_EC_SIGN, 384},
	[JOSE_ES512] = {"ES512", JOSE_KIND_EC_SIGN, 512},
	[JOSE_DIR] = {"dir", JOSE_KIND_DIR, 0},
	[JOSE_A128KW] = {"A128KW", JOSE_KIND_WRAP, 128},
	[JOSE_A192KW] = {"A192KW", JOSE_KIND_WRAP, 192},
	[JOSE_A256KW] = {"A256KW", JOSE_KIND_WRAP, 256},
	[JOSE_ECDH_ES_A128KW] = {"ECDH-ES+A128KW", JOSE_KIND_ECDH, 128},
	[JOSE_ECDH_ES_A192KW] = {"ECDH-ES+A192KW", JOSE_KIND_ECDH, 192},
	[JOSE_ECDH_ES_A256KW] = {"ECDH-ES+A256KW", JOSE_KIND_ECDH, 256},
	[JOSE_RSA_OAEP_256] = {"RSA-OAEP-256", JOSE_KIND_OAEP, 256},
};
#define ROWS (sizeof rows / sizeof *rows)

static const struct {
	const char *name;
	size_t octets;
} encs[] = {
	[JOSE_NO_ENC] = {"none or unknown", 0},
	[JOSE_A128GCM] = {"A128GCM", 16},
	[JOSE_A192GCM] = {"A192GCM", 24},
	[JOSE_A256GCM] = {"A256GCM", 32},
};
#define ENCS (sizeof encs / sizeof *encs)

const char *const jose_curve_names[JOSE_CURVES] = {[ECDH_P256] = "P-256", [ECDH_P384] = "P-384", [ECDH_P521] = "P-521"};

const struct jose_alg_row *jose_alg_row(enum jose_alg alg)
{
	return &rows[(size_t)alg < ROWS ? alg : JOSE_NO_ALG];
}

const char *jose_alg_name(enum jose_alg alg)
{
	return jose_alg_row(alg)->name;
}

const char *jose_enc_name(enum jose_enc enc)
{
	return encs[(size_t)enc < ENCS ? enc : JOSE_NO_ENC].name;
}

enum jose_alg jose_alg_of(struct rd name)
{
	for (size_t i = JOSE_NO_ALG + 1; i < ROWS; i++)
		if (rd_is(name, rows[i].name))
			return (enum jose_alg)i;
	return JOSE_NO_ALG;
}

enum jose_enc jose_enc_of(struct rd name)
{
	for (size_t i = JOSE_NO_ENC + 1; i < ENCS; i++)
		if (rd_is(name, encs[i].name))
			return (enum jose_enc)i;
	return JOSE_NO_ENC;
}

size_t jose_enc_octets(enum jose_enc enc)
{
	return encs[(size_t)enc < ENCS ? enc : JOSE_NO_ENC].octets;
}

size_t jose_alg_octets(enum jose_alg alg)
{
	const struct jose_alg_row *row = jose_alg_row(alg);

	return row->kind == JOSE_KIND_HMAC || row->kind == JOSE_KIND_WRAP ? row->bits / 8 : 0;
}
