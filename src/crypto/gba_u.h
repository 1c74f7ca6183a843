/* What GBA_U changes of an authentication vector (TS 33.220 clause 5.3.2), so that no mobile equipment can pass its own AKA off for the card's: MAC* = MAC xor the
 * first 64 bits of SHA-1(IK), and RES with its least significant bit flipped. */
#ifndef KEYWAY_CRYPTO_GBA_U_H
#define KEYWAY_CRYPTO_GBA_U_H

#include "keys/secret.h"

#define GBA_U_MAC 8

/* MAC into MAC*, and back. */
void gba_u_mac(const struct secret *ik, uint8_t mac[static GBA_U_MAC]);
/* NULL without memory. */
struct secret *gba_u_res(const struct secret *res);

#endif
