/* Zn: what a NAF asks the BSF (TS 33.220 clause 4.5.3), here as JSON over HTTPS with certificates on both sides; Diameter or SOAP is what TS 29.109 has.
 * The NAF is who its certificate says, and can ask for its own keys only.
 *	POST /zn {"btid":"...","ua":"0100000007"}, with "uicc":true for Ks_int_NAF
 *	200 {"key":"base64","expires":1795305600,"bootstrapped":1795219200,"entity":"m2m://keyway.example/id-in/Cmeter"}
 *	403 (the GUSS does not name this NAF), 404 (no such B-TID, or it has ended), 400 */
#ifndef KEYWAY_GBA_ZN_H
#define KEYWAY_GBA_ZN_H

#include "gba/bsf.h"

#define ZN_BODY_MAX 2048

struct zn_ask {
	char btid[BTID_SIZE];
	uint8_t ua[UA_ID];
	bool uicc; /* Ks_int_NAF is wanted */
};
void zn_ask_print(struct wr *w, const struct zn_ask *ask);
enum err zn_ask_parse(struct rd body, struct zn_ask *ask) MUST_CHECK; /* ERR_MALFORMED */
void zn_answer_print(struct wr *w, const struct naf_grant *g);
enum err zn_answer_parse(struct rd body, struct naf_grant *g) MUST_CHECK; /* ERR_MALFORMED; OK: g->key is the caller's */

/* "0100000007" or "01:00:00:00:07". */
bool ua_parse(struct rd text, uint8_t ua[static UA_ID]) MUST_CHECK;

#endif
