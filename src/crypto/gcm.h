/* AES-GCM with a nonce of 12 octets and a tag of 16 (NIST SP 800-38D), and AES key wrap (RFC 3394), by keys of 16, 24 or 32 octets.
 * ERR_BAD_VALUE for a key of another length. */
#ifndef KEYWAY_CRYPTO_GCM_H
#define KEYWAY_CRYPTO_GCM_H

#include "base/wr.h"
#include "keys/secret.h"

#define GCM_NONCE 12
#define GCM_TAG 16

/* Never twice with the same key and nonce. ERR_TOO_LONG when the writer is full. */
enum err gcm_seal(const struct secret *key, const uint8_t nonce[static GCM_NONCE], struct rd aad, struct rd plain, struct wr *cipher,
    uint8_t tag[static GCM_TAG]) MUST_CHECK;
/* ERR_BAD_MIC, compared in constant time; nothing of the plain text is left in the writer then. */
enum err gcm_open(const struct secret *key, const uint8_t nonce[static GCM_NONCE], struct rd aad, struct rd cipher,
    const uint8_t tag[static GCM_TAG], struct wr *plain) MUST_CHECK;

/* key: a multiple of 8 octets, at least 16; 8 octets more come out. */
enum err key_wrap(const struct secret *kek, const struct secret *key, struct wr *wrapped) MUST_CHECK;
/* ERR_BAD_MIC; ERR_MALFORMED for a length that no key has. */
enum err key_unwrap(const struct secret *kek, struct rd wrapped, struct secret **key) MUST_CHECK;

#endif
