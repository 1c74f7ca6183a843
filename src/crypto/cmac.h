/* AES-CMAC (NIST SP 800-38B, RFC 4493) over parts one after another, where key and result are secrets: what key derivations of the CKDF family
 * are made of. ERR_BAD_VALUE for a key that has not 16 octets; ERR_NO_MEMORY. */
#ifndef KEYWAY_CRYPTO_CMAC_H
#define KEYWAY_CRYPTO_CMAC_H

#include "keys/secret.h"

#define CMAC_SIZE 16

enum err cmac(const struct secret *key, const struct rd *parts, size_t count, struct secret **mac) MUST_CHECK;

#endif
