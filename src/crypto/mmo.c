/* AES-MMO and its keyed hash. */
#include "crypto/mmo.h"

#include <nettle/aes.h>
#include <string.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"

struct mmo {
	uint8_t digest[MMO_SIZE], block[MMO_SIZE];
	size_t fill;
	uint64_t octets;
};

static void step(struct mmo *m)
{
	struct aes128_ctx aes;
	uint8_t out[MMO_SIZE];

	aes128_set_encrypt_key(&aes, m->digest);
	aes128_encrypt(&aes, MMO_SIZE, out, m->block);
	for (size_t i = 0; i < MMO_SIZE; i++)
		m->digest[i] = out[i] ^ m->block[i];
	m->fill = 0;
	bytes_wipe(&aes, sizeof aes);
	bytes_wipe(out, sizeof out);
}

static void add(struct mmo *m, struct rd in)
{
	uint8_t octet;

	m->octets += in.left;
	while (rd_u8(&in, &octet)) {
		m->block[m->fill++] = octet;
		if (m->fill == MMO_SIZE)
			step(m);
	}
}

/* Padding: a one bit, zeros, and the length in bits in 16 octet-bits; from 2^16 bits on in 32 and two more zero octets (Annex B.6). */
static void finish(struct mmo *m, uint8_t digest[static MMO_SIZE])
{
	uint64_t bits = m->octets * 8;
	bool big = bits > 0xffff;
	size_t tail = big ? 6 : 2;

	m->block[m->fill++] = 0x80;
	if (m->fill > MMO_SIZE - tail) {
		memset(m->block + m->fill, 0, MMO_SIZE - m->fill);
		step(m);
	}
	memset(m->block + m->fill, 0, MMO_SIZE - m->fill);
	if (big) {
		for (size_t i = 0; i < 4; i++)
			m->block[MMO_SIZE - 6 + i] = (uint8_t)(bits >> (24 - 8 * i));
	} else {
		m->block[MMO_SIZE - 2] = (uint8_t)(bits >> 8);
		m->block[MMO_SIZE - 1] = (uint8_t)bits;
	}
	step(m);
	memcpy(digest, m->digest, MMO_SIZE);
	bytes_wipe(m, sizeof *m);
}

void mmo_hash(struct rd message, uint8_t digest[static MMO_SIZE])
{
	struct mmo m = {.fill = 0};

	add(&m, message);
	finish(&m, digest);
}

void mmo_hmac(const struct secret *key, struct rd message, uint8_t digest[static MMO_SIZE])
{
	struct mmo m = {.fill = 0};
	uint8_t pad[MMO_SIZE], inner[MMO_SIZE];
	const uint8_t *k = secret_octets(key);

	for (size_t i = 0; i < MMO_SIZE; i++)
		pad[i] = k[i] ^ 0x36;
	add(&m, rd_of(pad, sizeof pad));
	add(&m, message);
	finish(&m, inner);
	for (size_t i = 0; i < MMO_SIZE; i++)
		pad[i] = k[i] ^ 0x5c;
	add(&m, rd_of(pad, sizeof pad));
	add(&m, rd_of(inner, sizeof inner));
	finish(&m, digest);
	bytes_wipe(pad, sizeof pad);
	bytes_wipe(inner, sizeof inner);
}
