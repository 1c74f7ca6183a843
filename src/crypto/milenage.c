/* MILENAGE. Names as in TS 35.206 clause 4.1: OUTi = E(rot(TEMP ^ OPc, ri) ^ ci) ^ OPc with TEMP = E(RAND ^ OPc). */
#include "crypto/milenage.h"

#include <assert.h>
#include <nettle/aes.h>
#include <string.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"

#define BLOCK 16
#define RES 8
#define SRES 4
#define KC 8

static void encrypt(const struct secret *k, uint8_t out[static BLOCK], const uint8_t in[static BLOCK])
{
	aes128_encrypt(secret_aes128(k), BLOCK, out, in);
}

static void mix(uint8_t block[static BLOCK], const uint8_t with[static BLOCK])
{
	for (size_t i = 0; i < BLOCK; i++)
		block[i] ^= with[i];
}

enum err milenage_opc(const struct secret *k, const struct secret *op, struct secret **opc)
{
	uint8_t block[BLOCK];

	if (secret_len(k) != BLOCK || secret_len(op) != BLOCK)
		return ERR_BAD_VALUE;
	encrypt(k, block, secret_octets(op));
	mix(block, secret_octets(op));
	*opc = secret_take(block, sizeof block);
	return *opc ? OK : ERR_NO_MEMORY;
}

static void temp(const struct milenage *m, const uint8_t rand[static MILENAGE_RAND], uint8_t out[static BLOCK])
{
	uint8_t block[BLOCK];

	assert(secret_len(m->k) == BLOCK && secret_len(m->opc) == BLOCK);
	memcpy(block, rand, BLOCK);
	mix(block, secret_octets(m->opc));
	encrypt(m->k, out, block);
	bytes_wipe(block, sizeof block);
}

/* OUT2 to OUT5: rotation in octets (ri / 8), and the last octet of ci. */
static void out_of(const struct milenage *m, const uint8_t t[static BLOCK], unsigned rotation, uint8_t c, uint8_t out[static BLOCK])
{
	uint8_t in[BLOCK], block[BLOCK];

	memcpy(in, t, BLOCK);
	mix(in, secret_octets(m->opc));
	for (size_t i = 0; i < BLOCK; i++)
		block[i] = in[(i + rotation) % BLOCK];
	block[BLOCK - 1] ^= c;
	encrypt(m->k, out, block);
	mix(out, secret_octets(m->opc));
	bytes_wipe(in, sizeof in);
	bytes_wipe(block, sizeof block);
}

/* OUT1 = E(TEMP ^ rot(IN1 ^ OPc, 64)) ^ OPc with IN1 = SQN | AMF | SQN | AMF; r1 = 64, c1 = 0. */
void milenage_mac(const struct milenage *m, const uint8_t rand[static MILENAGE_RAND], uint64_t sqn, uint16_t amf, uint8_t mac_a[static MILENAGE_MAC],
    uint8_t mac_s[static MILENAGE_MAC])
{
	uint8_t t[BLOCK], in[BLOCK], block[BLOCK];

	assert(sqn <= MILENAGE_SQN_MAX);
	temp(m, rand, t);
	for (size_t half = 0; half < BLOCK; half += BLOCK / 2) {
		for (size_t i = 0; i < 6; i++)
			in[half + i] = (uint8_t)(sqn >> (40 - 8 * i));
		in[half + 6] = (uint8_t)(amf >> 8);
		in[half + 7] = (uint8_t)amf;
	}
	mix(in, secret_octets(m->opc));
	for (size_t i = 0; i < BLOCK; i++)
		block[i] = in[(i + BLOCK / 2) % BLOCK];
	mix(block, t);
	encrypt(m->k, in, block);
	mix(in, secret_octets(m->opc));
	memcpy(mac_a, in, MILENAGE_MAC);
	memcpy(mac_s, in + MILENAGE_MAC, MILENAGE_MAC);
	bytes_wipe(t, sizeof t);
	bytes_wipe(in, sizeof in);
	bytes_wipe(block, sizeof block);
}

enum err milenage_keys(const struct milenage *m, const uint8_t rand[static MILENAGE_RAND], struct milenage_keys *out)
{
	uint8_t t[BLOCK], out2[BLOCK], out3[BLOCK], out4[BLOCK];

	temp(m, rand, t);
	out_of(m, t, 0, 1, out2);
	out_of(m, t, 4, 2, out3);
	out_of(m, t, 8, 4, out4);
	memcpy(out->ak, out2, MILENAGE_AK);
	out->res = secret_take(out2 + BLOCK - RES, RES);
	out->ck = secret_take(out3, BLOCK);
	out->ik = secret_take(out4, BLOCK);
	bytes_wipe(t, sizeof t);
	bytes_wipe(out2, sizeof out2);
	if (out->res && out->ck && out->ik)
		return OK;
	milenage_keys_clear(out);
	return ERR_NO_MEMORY;
}

void milenage_keys_clear(struct milenage_keys *keys)
{
	secret_free(keys->res);
	secret_free(keys->ck);
	secret_free(keys->ik);
	bytes_wipe(keys, sizeof *keys);
}

void milenage_ak_star(const struct milenage *m, const uint8_t rand[static MILENAGE_RAND], uint8_t ak[static MILENAGE_AK])
{
	uint8_t t[BLOCK], out5[BLOCK];

	temp(m, rand, t);
	out_of(m, t, 12, 8, out5);
	memcpy(ak, out5, MILENAGE_AK);
	bytes_wipe(t, sizeof t);
	bytes_wipe(out5, sizeof out5);
}

enum err milenage_gsm(const struct milenage_keys *keys, struct secret **sres, struct secret **kc)
{
	const uint8_t *res = secret_octets(keys->res), *ck = secret_octets(keys->ck), *ik = secret_octets(keys->ik);
	uint8_t s[SRES], c[KC];
	struct secret *s_new, *c_new;

	for (size_t i = 0; i < SRES; i++)
		s[i] = res[i] ^ res[i + SRES];
	for (size_t i = 0; i < KC; i++)
		c[i] = ck[i] ^ ck[i + KC] ^ ik[i] ^ ik[i + KC];
	s_new = secret_take(s, sizeof s);
	c_new = secret_take(c, sizeof c);
	if (!s_new || !c_new) {
		secret_free(s_new);
		secret_free(c_new);
		return ERR_NO_MEMORY;
	}
	*sres = s_new;
	*kc = c_new;
	return OK;
}
