/* The keys of Z-Wave's Security 2 ("S2"), derived by CKDF, its AES-CMAC derivation. Source: Z-Wave Security 2 Command Class (Silicon Labs SDS13783),
 * clauses on key exchange, network keys and nonce generation.
 *
 *	ECDH over Curve25519 ──extract──► PRK ──expand 0x88──► temporary CCM key, personalisation     for the inclusion alone
 *	network key of a class ──expand 0x55──► CCM key, personalisation, MPAN key                     for the life of the device
 *	both sides' entropy ──mix 0x26──► MEI, with the personalisation the seed of the nonces (SPAN) */
#ifndef KEYWAY_ZWAVE_SECURITY_S2_KEYS_H
#define KEYWAY_ZWAVE_SECURITY_S2_KEYS_H

#include "crypto/ctr_drbg.h"
#include "crypto/x25519.h"
#include "keys/secret.h"

#define S2_ENTROPY 16

struct s2_keys {
	struct secret *ccm;             /* 16 octets */
	struct secret *personalisation; /* 32 octets */
	struct secret *mpan;            /* 16 octets; NULL in temporary keys */
};

struct s2_entropy {
	uint8_t octets[S2_ENTROPY]; /* public */
};

/* From what ECDH made; the points of the node that includes and of the one that joins, in this order on both sides. ERR_BAD_VALUE: shared has not 32 octets. */
enum err s2_keys_temporary(const struct secret *shared, const struct x25519_point *including, const struct x25519_point *joining,
    struct s2_keys *keys) MUST_CHECK;
/* From a network key of 16 octets. */
enum err s2_keys_network(const struct secret *network_key, struct s2_keys *keys) MUST_CHECK;
void s2_keys_free(struct s2_keys *keys);

/* The generator of nonces that a sender and a receiver share after they exchanged their entropy. */
enum err s2_keys_span(const struct s2_keys *keys, const struct s2_entropy *sender, const struct s2_entropy *receiver, struct ctr_drbg *span) MUST_CHECK;

#endif
