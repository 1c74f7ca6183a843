/* CTR_DRBG over nettle's AES. */
#include "crypto/ctr_drbg.h"

#include <nettle/aes.h>
#include <string.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"

struct state {
	uint8_t key[AES128_KEY_SIZE];
	uint8_t v[AES_BLOCK_SIZE];
};
_Static_assert(sizeof(struct state) == CTR_DRBG_SEED, "seed and state have one length");

/* V + 1, then one block of output. */
static void step(const struct aes128_ctx *aes, uint8_t v[static AES_BLOCK_SIZE], uint8_t out[static AES_BLOCK_SIZE])
{
	for (size_t i = AES_BLOCK_SIZE; i-- > 0 && ++v[i] == 0;)
		;
	aes128_encrypt(aes, AES_BLOCK_SIZE, out, v);
}

/* CTR_DRBG_Update, clause 10.2.1.2. */
static void update(struct state *s, const uint8_t provided[static CTR_DRBG_SEED])
{
	struct aes128_ctx aes;
	struct state next;

	aes128_set_encrypt_key(&aes, s->key);
	step(&aes, s->v, next.key);
	step(&aes, s->v, next.v);
	for (size_t i = 0; i < sizeof next.key; i++) {
		s->key[i] = next.key[i] ^ provided[i];
		s->v[i] = next.v[i] ^ provided[sizeof next.key + i];
	}
	bytes_wipe(&aes, sizeof aes);
	bytes_wipe(&next, sizeof next);
}

static enum err keep(struct ctr_drbg *d, struct state *s)
{
	struct secret *taken = secret_take(s, sizeof *s);

	if (!taken)
		return ERR_NO_MEMORY;
	secret_free(d->state);
	d->state = taken;
	return OK;
}

enum err ctr_drbg_seed(struct ctr_drbg *d, const struct secret *entropy, const struct secret *personalisation)
{
	struct state s = {0};
	uint8_t seed[CTR_DRBG_SEED];

	if (secret_len(entropy) != CTR_DRBG_SEED || secret_len(personalisation) != CTR_DRBG_SEED)
		return ERR_BAD_VALUE;
	for (size_t i = 0; i < sizeof seed; i++)
		seed[i] = secret_octets(entropy)[i] ^ secret_octets(personalisation)[i];
	update(&s, seed);
	bytes_wipe(seed, sizeof seed);
	return keep(d, &s);
}

enum err ctr_drbg_next(struct ctr_drbg *d, uint8_t block[static CTR_DRBG_BLOCK])
{
	static const uint8_t nothing[CTR_DRBG_SEED];
	struct aes128_ctx aes;
	struct state s;
	enum err e;

	if (!d->state)
		return ERR_STATE;
	memcpy(&s, secret_octets(d->state), sizeof s);
	aes128_set_encrypt_key(&aes, s.key);
	step(&aes, s.v, block);
	update(&s, nothing);
	bytes_wipe(&aes, sizeof aes);
	e = keep(d, &s);
	if (e != OK)
		bytes_wipe(block, CTR_DRBG_BLOCK);
	return e;
}

enum err ctr_drbg_copy(struct ctr_drbg *to, const struct ctr_drbg *from)
{
	struct secret *state;

	if (!from->state)
		return ERR_STATE;
	state = secret_dup(from->state);
	if (!state)
		return ERR_NO_MEMORY;
	secret_free(to->state);
	to->state = state;
	return OK;
}

void ctr_drbg_free(struct ctr_drbg *d)
{
	secret_free(d->state);
	d->state = NULL;
}
