/* The key derivation of 3GPP, TS 33.220 Annex B.2: HMAC-SHA-256(key, FC | P0 | L0 | P1 | L1 | ...), each Li two octets, most significant first. */
#ifndef KEYWAY_CRYPTO_KDF_3GPP_H
#define KEYWAY_CRYPTO_KDF_3GPP_H

#include "base/err.h"
#include "base/rd.h"
#include "keys/secret.h"

#define KDF_3GPP_SIZE 32

/* ERR_TOO_LONG when a parameter has more than 65535 octets. */
enum err kdf_3gpp(const struct secret *key, uint8_t fc, const struct rd *parameters, size_t count, struct secret **out) MUST_CHECK;

#endif
