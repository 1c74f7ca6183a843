/* Keys at rest: a secret is sealed under the key file's key (AES-256-GCM, random nonce), bound to a label so that
 * a row cannot be swapped for another one.
 * Sealed form: version(1)=1 nonce(12) ciphertext(len) tag(16). */
#ifndef KEYWAY_KEYS_SEALED_H
#define KEYWAY_KEYS_SEALED_H

#include "keys/secret.h"
#include "base/wr.h"

#define SEALED_SIZE(len) (1 + 12 + (len) + 16)

/* Reads a key file: 64 hexadecimal digits and a newline. ERR_CONFIG when the file is readable by others or malformed;
 * ERR_NOT_FOUND when there is none. */
enum err key_file_read(const char *path, struct secret **key) MUST_CHECK;
/* Makes a new one with mode 0600; ERR_EXISTS when there is one. */
enum err key_file_create(const char *path, struct rng *rng) MUST_CHECK;

enum err secret_seal(const struct secret *file_key, const char *label, const struct secret *s, struct rng *rng,
    struct wr *out) MUST_CHECK;
enum err secret_unseal(const struct secret *file_key, const char *label, struct rd sealed, struct secret **s) MUST_CHECK;

/* A name for a key that tells nothing of it: 16 octets of an HMAC under it, in hexadecimal. Only for keys of full entropy. */
void secret_name(const struct secret *s, char name[static 33]);

#endif
