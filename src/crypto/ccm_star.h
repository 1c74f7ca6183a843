/* AES-128-CCM* of IEEE 802.15.4 Annex B and Zigbee Annex A: L = 2, 13-octet nonce, MIC of 4, 8 or 16 octets. */
#ifndef KEYWAY_CRYPTO_CCM_STAR_H
#define KEYWAY_CRYPTO_CCM_STAR_H

#include "base/err.h"
#include "base/rd.h"
#include "keys/secret.h"

#define CCM_STAR_NONCE 13

/* Writes plain.left + mic_len octets to out, which may be the place of plain. ERR_BAD_VALUE for another mic_len or key,
 * ERR_TOO_LONG beyond 65535 octets. */
enum err ccm_star_seal(const struct secret *key, const uint8_t nonce[static CCM_STAR_NONCE], struct rd aad, struct rd plain,
    size_t mic_len, uint8_t *out) MUST_CHECK;
/* Writes sealed.left - mic_len octets to out. ERR_BAD_MIC: out is wiped. ERR_SHORT: less than a MIC. */
enum err ccm_star_open(const struct secret *key, const uint8_t nonce[static CCM_STAR_NONCE], struct rd aad, struct rd sealed,
    size_t mic_len, uint8_t *out) MUST_CHECK;

#endif
