/* What wpa_supplicant and eapol_test ask a SIM outside of them (external_sim=1), as events on their control socket, and the answers:
 *	<3>CTRL-REQ-SIM-0:GSM-AUTH:RAND:RAND[:RAND] needed for SSID x    CTRL-RSP-SIM-0:GSM-AUTH:Kc:SRES:Kc:SRES...
 *	<3>CTRL-REQ-SIM-0:UMTS-AUTH:RAND:AUTN needed for SSID x          CTRL-RSP-SIM-0:UMTS-AUTH:IK:CK:RES, UMTS-AUTS:AUTS or UMTS-FAIL */
#ifndef KEYWAY_GBA_USIM_LINE_H
#define KEYWAY_GBA_USIM_LINE_H

#include "base/wr.h"
#include "gba/usim.h"

#define USIM_LINE_MAX 512

enum usim_line { USIM_LINE_OTHER,
	USIM_LINE_GSM,
	USIM_LINE_ACCEPTED,
	USIM_LINE_MAC_FAILURE,
	USIM_LINE_SYNC_FAILURE };
/* *what: what the answer says; USIM_LINE_OTHER: another event, no answer. Accepted: u->window has changed, and is to be made durable first.
 * ERR_MALFORMED: a question that is none. */
enum err usim_line_answer(struct usim *u, struct rd event, struct wr *answer, enum usim_line *what) MUST_CHECK;

#endif
