/* The one type that holds a key. Opaque: no printing, constant-time comparison, wiped when freed, in memory
 * that is locked and left out of core dumps where the system allows it. The octets are reachable only through
 * keys/secret_octets.h, which a test permits to src/keys, src/crypto, src/zigbee/security, src/zwave/security and the
 * few files that carry a key over a protected wire (tests/unit/secret_octets.allow). */
#ifndef KEYWAY_KEYS_SECRET_H
#define KEYWAY_KEYS_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/rd.h"
#include "base/rng.h"

#define SECRET_MAX 64
#define SECRET_AES128 16

struct secret;

/* A copy of len octets (1..SECRET_MAX), which are wiped at the source. NULL without memory. */
struct secret *secret_take(void *octets, size_t len);
struct secret *secret_random(struct rng *rng, size_t len);
struct secret *secret_dup(const struct secret *s);
struct secret *secret_join(const struct secret *a, const struct secret *b);         /* a | b; NULL also when that is longer than SECRET_MAX */
struct secret *secret_part(const struct secret *s, size_t from, size_t len);        /* NULL also when that is not within s */
void secret_free(struct secret *s); /* accepts NULL */
size_t secret_len(const struct secret *s);
bool secret_equal(const struct secret *a, const struct secret *b);

#endif
