/* MILENAGE, the example algorithm set of TS 35.206: the functions f1 to f5, f1* and f5* of TS 33.102 over AES-128, and the 2G conversions of
 * TS 33.102 clause 6.8.1.2 (c2 and c3).
 *
 *	struct milenage m = {k, opc};
 *	milenage_mac(&m, rand, sqn, amf, mac_a, mac_s);
 *	if ((e = milenage_keys(&m, rand, &keys)) != OK) ... */
#ifndef KEYWAY_CRYPTO_MILENAGE_H
#define KEYWAY_CRYPTO_MILENAGE_H

#include <stdint.h>

#include "base/err.h"
#include "keys/secret.h"

#define MILENAGE_RAND 16
#define MILENAGE_SQN_MAX ((1ULL << 48) - 1)
#define MILENAGE_MAC 8
#define MILENAGE_AK 6

struct milenage {
	const struct secret *k, *opc; /* 16 octets each; OPc as milenage_opc makes it */
};

struct milenage_keys {
	struct secret *res;      /* f2: 8 octets */
	struct secret *ck;       /* f3: 16 */
	struct secret *ik;       /* f4: 16 */
	uint8_t ak[MILENAGE_AK]; /* f5 */
};

/* OPc = E(OP) ^ OP under K. ERR_BAD_VALUE when one has not 16 octets. */
enum err milenage_opc(const struct secret *k, const struct secret *op, struct secret **opc) MUST_CHECK;
/* f1 (MAC-A) and f1* (MAC-S). sqn is at most MILENAGE_SQN_MAX. */
void milenage_mac(const struct milenage *m, const uint8_t rand[static MILENAGE_RAND], uint64_t sqn, uint16_t amf, uint8_t mac_a[static MILENAGE_MAC],
    uint8_t mac_s[static MILENAGE_MAC]);
/* f2 to f5. To be cleared by the caller when OK. */
enum err milenage_keys(const struct milenage *m, const uint8_t rand[static MILENAGE_RAND], struct milenage_keys *out) MUST_CHECK;
void milenage_keys_clear(struct milenage_keys *keys);
/* f5*, which hides the USIM's SQN in AUTS. */
void milenage_ak_star(const struct milenage *m, const uint8_t rand[static MILENAGE_RAND], uint8_t ak[static MILENAGE_AK]);
/* SRES (4 octets) and Kc (8) of a SIM, from what f2, f3 and f4 gave. */
enum err milenage_gsm(const struct milenage_keys *keys, struct secret **sres, struct secret **kc) MUST_CHECK;

#endif
