/* Secrets: one page-locked, dump-excluded arena of fixed slots, so that no key lies in ordinary heap memory. */
#include "keys/secret_octets.h"

#include <nettle/aes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"

#define SLAB_SIZE 65536

struct secret {
	struct secret *next_free;
	uint16_t len;
	bool scheduled;
	uint8_t octets[SECRET_MAX];
	struct aes128_ctx aes;
};

static struct secret *free_list;

static bool slab_add(void)
{
	struct secret *slab = mmap(NULL, SLAB_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (slab == MAP_FAILED)
		return false;
	/* Both are best effort: an unprivileged process may have used up its locked-memory limit. */
	(void)mlock(slab, SLAB_SIZE);
	(void)madvise(slab, SLAB_SIZE, MADV_DONTDUMP);
	for (size_t i = 0; i < SLAB_SIZE / sizeof *slab; i++) {
		slab[i].next_free = free_list;
		free_list = &slab[i];
	}
	return true;
}

static struct secret *slot(size_t len)
{
	struct secret *s;

	if (len == 0 || len > SECRET_MAX || (!free_list && !slab_add()))
		return NULL;
	s = free_list;
	free_list = s->next_free;
	memset(s, 0, sizeof *s);
	s->len = (uint16_t)len;
	return s;
}

struct secret *secret_take(void *octets, size_t len)
{
	struct secret *s = slot(len);

	if (s)
		memcpy(s->octets, octets, len);
	bytes_wipe(octets, len);
	return s;
}

struct secret *secret_random(struct rng *rng, size_t len)
{
	struct secret *s = slot(len);

	if (s)
		rng_fill(rng, s->octets, len);
	return s;
}

struct secret *secret_dup(const struct secret *original)
{
	struct secret *s = slot(original->len);

	if (s)
		memcpy(s->octets, original->octets, original->len);
	return s;
}

struct secret *secret_join(const struct secret *a, const struct secret *b)
{
	struct secret *s = slot((size_t)a->len + b->len);

	if (s) {
		memcpy(s->octets, a->octets, a->len);
		memcpy(s->octets + a->len, b->octets, b->len);
	}
	return s;
}

struct secret *secret_part(const struct secret *whole, size_t from, size_t len)
{
	struct secret *s = from <= whole->len && len <= whole->len - from ? slot(len) : NULL;

	if (s)
		memcpy(s->octets, whole->octets + from, len);
	return s;
}

void secret_free(struct secret *s)
{
	if (!s)
		return;
	bytes_wipe(s, sizeof *s);
	s->next_free = free_list;
	free_list = s;
}

size_t secret_len(const struct secret *s)
{
	return s->len;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	return a->len == b->len && bytes_equal_ct(a->octets, b->octets, a->len);
}

const uint8_t *secret_octets(const struct secret *s)
{
	return s->octets;
}

const void *secret_aes128(const struct secret *s)
{
	struct secret *cache = (struct secret *)(uintptr_t)s; /* the schedule is a cache: logically const */

	if (s->len != SECRET_AES128)
		abort();
	if (!s->scheduled) {
		aes128_set_encrypt_key(&cache->aes, cache->octets);
		cache->scheduled = true;
	}
	return &cache->aes;
}
