/* CKDF: chains of AES-CMAC with constants. */
#include "zwave/security/s2_keys.h"

#include <string.h>

#include "crypto/cmac.h"
#include "keys/secret_octets.h"

#define CONSTANT 15 /* octets of a constant before its counter */
#define LINKS_MAX 4

static struct rd rd_secret(const struct secret *s)
{
	return rd_of(secret_octets(s), secret_len(s));
}

/* Extract: CMAC under a key that everybody knows. */
static enum err extract(uint8_t fill, const struct rd *parts, size_t count, struct secret **prk)
{
	uint8_t octets[CMAC_SIZE];
	struct secret *key;
	enum err e;

	memset(octets, fill, sizeof octets);
	key = secret_take(octets, sizeof octets);
	e = key ? cmac(key, parts, count, prk) : ERR_NO_MEMORY;
	secret_free(key);
	return e;
}

/* Expand: T1 = CMAC(key, T0 | constant | 1), T2 = CMAC(key, T1 | constant | 2), and so on. All or none are made. */
static enum err expand(const struct secret *key, struct rd t0, uint8_t fill, struct secret **t, uint8_t count)
{
	uint8_t constant[CONSTANT];
	enum err e = OK;

	memset(constant, fill, sizeof constant);
	memset(t, 0, count * sizeof *t);
	for (uint8_t i = 1; e == OK && i <= count; i++) {
		struct rd parts[] = {i == 1 ? t0 : rd_secret(t[i - 2]), rd_of(constant, sizeof constant), rd_of(&i, 1)};

		e = cmac(key, parts, 3, &t[i - 1]);
	}
	for (uint8_t i = 0; e != OK && i < count; i++) {
		secret_free(t[i]);
		t[i] = NULL;
	}
	return e;
}

/* Takes over t[0] to t[count - 1]. */
static enum err keep(struct secret **t, size_t count, struct s2_keys *keys)
{
	struct s2_keys k = {t[0], secret_join(t[1], t[2]), count > 3 ? t[3] : NULL};

	secret_free(t[1]);
	secret_free(t[2]);
	if (!k.personalisation) {
		s2_keys_free(&k);
		return ERR_NO_MEMORY;
	}
	*keys = k;
	return OK;
}

enum err s2_keys_temporary(const struct secret *shared, const struct x25519_point *including, const struct x25519_point *joining, struct s2_keys *keys)
{
	struct rd parts[] = {rd_secret(shared), rd_of(including->octets, X25519_SIZE), rd_of(joining->octets, X25519_SIZE)};
	struct secret *prk = NULL, *t[LINKS_MAX];
	enum err e;

	if (secret_len(shared) != X25519_SIZE)
		return ERR_BAD_VALUE;
	e = extract(0x33, parts, 3, &prk);
	if (e == OK)
		e = expand(prk, rd_of(NULL, 0), 0x88, t, 3);
	if (e == OK)
		e = keep(t, 3, keys);
	secret_free(prk);
	return e;
}

enum err s2_keys_network(const struct secret *network_key, struct s2_keys *keys)
{
	struct secret *t[LINKS_MAX];
	enum err e = expand(network_key, rd_of(NULL, 0), 0x55, t, 4);

	return e == OK ? keep(t, 4, keys) : e;
}

void s2_keys_free(struct s2_keys *keys)
{
	secret_free(keys->ccm);
	secret_free(keys->personalisation);
	secret_free(keys->mpan);
	memset(keys, 0, sizeof *keys);
}

enum err s2_keys_span(const struct s2_keys *keys, const struct s2_entropy *sender, const struct s2_entropy *receiver, struct ctr_drbg *span)
{
	struct rd parts[] = {rd_of(sender->octets, S2_ENTROPY), rd_of(receiver->octets, S2_ENTROPY)};
	struct secret *prk = NULL, *t[2] = {NULL, NULL}, *mei = NULL;
	uint8_t t0[CMAC_SIZE];
	enum err e = extract(0x26, parts, 2, &prk);

	memset(t0, 0x88, CONSTANT);
	t0[CONSTANT] = 0;
	if (e == OK)
		e = expand(prk, rd_of(t0, sizeof t0), 0x88, t, 2);
	if (e == OK) {
		mei = secret_join(t[0], t[1]);
		e = mei ? ctr_drbg_seed(span, mei, keys->personalisation) : ERR_NO_MEMORY;
	}
	secret_free(prk);
	secret_free(t[0]);
	secret_free(t[1]);
	secret_free(mei);
	return e;
}
