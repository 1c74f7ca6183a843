/* A USIM: what a universal integrated circuit card does in AKA (TS 33.102 clause 6.3.3, TS 31.102 AUTHENTICATE), in software. For simulated devices
 * and tests; a real device has the card. Pure: the caller makes the window durable before an answer leaves, see usim_file.h. */
#ifndef KEYWAY_GBA_USIM_H
#define KEYWAY_GBA_USIM_H

#include "gba/auc.h"
#include "gba/gba_kdf.h"
#include "gba/sqn.h"

#define IMSI_SIZE 16 /* 15 digits and a zero */
#define IMPI_SIZE 128

struct usim {
	char imsi[IMSI_SIZE], impi[IMPI_SIZE];
	struct secret *k, *opc; /* owned */
	struct sqn_window window;
	bool gba_u;                 /* it bootstraps by itself, and keeps Ks */
	struct secret *ks;          /* owned; of the last bootstrapping, NULL for none */
	uint8_t ks_rand[AKA_RAND];
};
void usim_clear(struct usim *u);

/* 6 to 15 digits. */
bool imsi_is_good(struct rd text);
/* The private identity that TS 23.003 clause 13.3 derives: IMSI@ims.mncNNN.mccNNN.3gppnetwork.org; mnc_digits 2 or 3. */
bool impi_of_imsi(const char *imsi, unsigned mnc_digits, char impi[static IMPI_SIZE]) MUST_CHECK;

enum usim_verdict { USIM_ACCEPTED,
	USIM_MAC_FAILURE,
	USIM_SYNC_FAILURE };
struct usim_answer {
	enum usim_verdict verdict;
	struct secret *res, *ck, *ik; /* when accepted */
	uint8_t auts[AKA_AUTS];       /* on a synchronisation failure */
};
void usim_answer_clear(struct usim_answer *a);
/* Accepted: u->window has changed. */
enum err usim_authenticate(struct usim *u, const uint8_t rand[static AKA_RAND], const uint8_t autn[static AKA_AUTN], struct usim_answer *a) MUST_CHECK;
/* AUTHENTICATE in the GBA context, bootstrapping mode (TS 31.102), of a GBA_U card: RES for the BSF; CK and IK stay inside as Ks. ERR_UNSUPPORTED by another card. */
enum err usim_bootstrap(struct usim *u, const uint8_t rand[static AKA_RAND], const uint8_t autn[static AKA_AUTN], struct usim_answer *a) MUST_CHECK;
/* NAF derivation mode: Ks_ext_NAF for the equipment, Ks_int_NAF for what runs in the card itself. ERR_STATE: not bootstrapped. ERR_NOT_PERMITTED: Ks_NAF. */
enum err usim_naf_key(const struct usim *u, enum naf_key kind, const char *naf, const uint8_t ua[static UA_ID], struct secret **key) MUST_CHECK;
/* As a SIM: SRES and Kc. */
enum err usim_gsm(const struct usim *u, const uint8_t rand[static AKA_RAND], struct sim_triplet *t) MUST_CHECK;

#endif
