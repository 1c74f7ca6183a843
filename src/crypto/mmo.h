/* AES-MMO (Matyas-Meyer-Oseas) hash and the keyed hash over it: Zigbee specification, Annexes B.6 and C.5, C.6. */
#ifndef KEYWAY_CRYPTO_MMO_H
#define KEYWAY_CRYPTO_MMO_H

#include "base/rd.h"
#include "keys/secret.h"

#define MMO_SIZE 16

void mmo_hash(struct rd message, uint8_t digest[static MMO_SIZE]); /* any length below 2^29 octets */
/* HMAC with block size 16; the key must have 16 octets. */
void mmo_hmac(const struct secret *key, struct rd message, uint8_t digest[static MMO_SIZE]);

#endif
