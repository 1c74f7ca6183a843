/* What hostapd asks an authentication centre, on a UNIX datagram socket (eap_sim_db=unix:PATH): a line of ASCII a datagram.
 *	SIM-REQ-AUTH IMSI N        -> SIM-RESP-AUTH IMSI Kc:SRES:RAND ...
 *	AKA-REQ-AUTH IMSI          -> AKA-RESP-AUTH IMSI RAND AUTN IK CK RES
 *	AKA-AUTS IMSI AUTS RAND    -> nothing; it asks for a vector next
 * A refusal is SIM-RESP-AUTH IMSI FAILURE, AKA-RESP-AUTH IMSI FAILURE. */
#ifndef KEYWAY_GBA_HOSTAPD_LINE_H
#define KEYWAY_GBA_HOSTAPD_LINE_H

#include "base/wr.h"
#include "gba/auc.h"
#include "gba/usim.h"

#define HOSTAPD_LINE_MAX 512
#define HOSTAPD_TRIPLETS_MAX 3

enum hostapd_question { HOSTAPD_SIM,
	HOSTAPD_AKA,
	HOSTAPD_AUTS };
struct hostapd_request {
	enum hostapd_question question;
	char imsi[IMSI_SIZE];
	unsigned triplets; /* HOSTAPD_SIM: 2 or 3 */
	uint8_t auts[AKA_AUTS], rand[AKA_RAND];
};
/* ERR_MALFORMED, ERR_UNSUPPORTED (another question). A line end is not counted. */
enum err hostapd_request_parse(struct rd line, struct hostapd_request *rq) MUST_CHECK;
void hostapd_sim_print(struct wr *w, const char *imsi, const struct sim_triplet *t, size_t count);
void hostapd_aka_print(struct wr *w, const char *imsi, const struct aka_vector *v);
void hostapd_failure_print(struct wr *w, const struct hostapd_request *rq); /* nothing for HOSTAPD_AUTS */

#endif
