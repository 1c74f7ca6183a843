/* Keyed hashing of secrets into secrets: HMAC-SHA-256 (RFC 2104) and HKDF-SHA-256 (RFC 5869), and parts of a secret.
 * All make new secrets that the caller frees; ERR_NO_MEMORY, ERR_BAD_VALUE for lengths out of range. */
#ifndef KEYWAY_CRYPTO_KDF_H
#define KEYWAY_CRYPTO_KDF_H

#include "keys/secret.h"

#define KDF_SHA256 32
#define KDF_MAC_MAX 64

/* HMAC-SHA-256 over the parts one after another. */
enum err kdf_hmac(const struct secret *key, const struct rd *parts, size_t count, struct secret **mac) MUST_CHECK;
/* The same, where the result is no secret: an integrity code. */
void kdf_mac(const struct secret *key, const struct rd *parts, size_t count, uint8_t mac[static KDF_SHA256]);
/* HMAC with SHA-256, SHA-384 or SHA-512 (bits), for JWS; the number of octets, 0 for other bits. */
size_t kdf_mac_of(unsigned bits, const struct secret *key, struct rd text, uint8_t mac[static KDF_MAC_MAX]);
/* HKDF-Extract: HMAC with a public salt as the key. */
enum err kdf_extract(struct rd salt, const struct secret *ikm, struct secret **prk) MUST_CHECK;
/* One round of HKDF-Expand: HMAC(prk, previous || info || counter); previous NULL for the first. */
enum err kdf_expand_round(const struct secret *prk, const struct secret *previous, struct rd info, uint8_t counter,
    struct secret **t) MUST_CHECK;
/* HKDF-Expand to len octets, 1..SECRET_MAX. */
enum err kdf_expand(const struct secret *prk, struct rd info, size_t len, struct secret **okm) MUST_CHECK;
/* len octets of s from offset on. */
enum err kdf_part(const struct secret *s, size_t offset, size_t len, struct secret **part) MUST_CHECK;
/* The first len octets, which are a name and no secret. */
bool kdf_public_head(const struct secret *s, uint8_t *head, size_t len) MUST_CHECK;

#endif
