/* Names and derivations of the generic bootstrapping architecture: TS 33.220 clause 4.5 and Annex B.3, as TS-0003 clause 8.3.2.3 uses them: Ke = Ks,
 * KeID = B-TID, Km or Kpsa = Ks_NAF of the enrolment target. Also CK' and IK' of EAP-AKA' (TS 33.402 Annex A.2). */
#ifndef KEYWAY_GBA_GBA_KDF_H
#define KEYWAY_GBA_GBA_KDF_H

#include "gba/auc.h"

#define BTID_SIZE 288 /* base64(RAND), 24 characters, '@', the BSF's FQDN of at most 253, a zero */
#define NAF_FQDN_SIZE 254
#define UA_ID 5                                   /* security protocol identifier of Ua, TS 33.220 Annex H */
#define PSK_IDENTITY_PREFIX_UICC "3GPP-bootstrapping-uicc;" /* TS 33.222: a client inside a GBA_U card */
#define PSK_IDENTITY_PREFIX "3GPP-bootstrapping;" /* TS 33.222 clause 5.4 puts it before the B-TID; TS-0003 does not */

/* Ks = CK | IK. NULL without memory. */
struct secret *gba_ks(const struct secret *ck, const struct secret *ik);

enum naf_key {
	KS_NAF,     /* GBA_ME */
	KS_EXT_NAF, /* GBA_U, for a client outside of the UICC; computed as Ks_NAF is */
	KS_INT_NAF, /* GBA_U, for one inside */
};
/* impi in UTF-8; NAF_Id = fqdn | ua. fqdn in lower case, as both sides must agree on its octets. */
enum err gba_naf_key(enum naf_key kind, const struct secret *ks, const uint8_t rand[static AKA_RAND], const char *impi, const char *fqdn,
    const uint8_t ua[static UA_ID], struct secret **out) MUST_CHECK;

/* base64(RAND)@bsf */
bool btid_print(char text[static BTID_SIZE], const uint8_t rand[static AKA_RAND], const char *bsf) MUST_CHECK;
/* A PSK identity without its prefix, if it has one. *uicc: it was the one for a client inside the card, whose key is Ks_int_NAF. */
struct rd btid_of_psk_identity(struct rd identity, bool *uicc);
/* bsf gets the part behind '@', in lower case. */
bool btid_parse(struct rd text, uint8_t rand[static AKA_RAND], char bsf[static NAF_FQDN_SIZE]) MUST_CHECK;

/* Letters, digits, '-' and '.'; made lower case. */
bool fqdn_normalise(struct rd text, char fqdn[static NAF_FQDN_SIZE]) MUST_CHECK;

/* CK' and IK' for the access network named, TS 33.402 Annex A.2; autn gives SQN ^ AK. */
enum err aka_prime_keys(const struct secret *ck, const struct secret *ik, const char *network, const uint8_t autn[static AKA_AUTN],
    struct secret **ck_prime, struct secret **ik_prime) MUST_CHECK;

#endif
