/* The CCM* nonce of Zigbee: source EUI-64 (8, le), frame counter (4, le), security control (1) with the level put in; clause 4.5.2.2. */
#ifndef KEYWAY_ZIGBEE_SECURITY_NONCE_H
#define KEYWAY_ZIGBEE_SECURITY_NONCE_H

#include "crypto/ccm_star.h"
#include "zigbee/nwk_frame.h"

#define SECURITY_LEVEL 5 /* encryption and a MIC of 4 octets; zero on air */
#define SECURITY_HEADERS_MAX 128

void security_nonce(const struct aux_header *aux, uint64_t source, uint8_t nonce[static CCM_STAR_NONCE]);

/* Seals plain behind `header`, which is already in the right form with its security bit set: writes header, auxiliary header, ciphertext, MIC. */
enum err security_seal(const struct secret *key, const struct aux_header *aux, uint64_t source, struct rd header, struct rd plain, struct wr *w) MUST_CHECK;
/* Opens what is behind `header`: auxiliary header, ciphertext and MIC. */
enum err security_open(const struct secret *key, uint64_t sender, struct rd header, struct rd sealed, struct aux_header *aux,
    uint8_t plain[static NWK_FRAME_MAX], struct rd *payload) MUST_CHECK;

#endif
