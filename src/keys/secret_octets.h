/* The octets of a secret. Only for the code that computes with keys or seals them; see keys/secret.h. */
#ifndef KEYWAY_KEYS_SECRET_OCTETS_H
#define KEYWAY_KEYS_SECRET_OCTETS_H

#include "keys/secret.h"

const uint8_t *secret_octets(const struct secret *s); /* borrowed, secret_len() octets */
/* An AES-128 key schedule for encryption, made once a secret and kept in it: `struct aes128_ctx` of nettle.
 * Only for secrets of 16 octets. */
const void *secret_aes128(const struct secret *s);

#endif
