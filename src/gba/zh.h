/* Zh: what the BSF asks the HSS (TS 33.220 clause 4.4.5), here as JSON lines on a local UNIX socket; Diameter is what TS 29.109 has. One line each way:
 *	{"cmd":"vector","impi":"..."}                               also with "rand" and "auts" (base64) after a synchronisation failure
 *	{"ok":true,"rand":...,"autn":...,"res":...,"ck":...,"ik":...,"guss":{...}}         base64
 *	{"ok":false,"code":"ERR_NOT_FOUND","error":"..."} */
#ifndef KEYWAY_GBA_ZH_H
#define KEYWAY_GBA_ZH_H

#include "gba/bsf.h"

#define ZH_LINE_MAX 16384 /* a GUSS of USS_MAX */

void zh_ask_print(struct wr *w, const struct bsf_ask *ask);
enum err zh_ask_parse(const struct json *v, struct bsf_ask *ask) MUST_CHECK;                /* ERR_MALFORMED */
void zh_answer_print(struct json_out *o, const struct aka_vector *v, const struct guss *g); /* members of an object that is open */
/* OK: v is the caller's to clear. The error that the HSS named (ERR_NOT_FOUND, ERR_BAD_MIC, ERR_UNKNOWN_KEY; ERR_NOT_READY for others), ERR_MALFORMED. */
enum err zh_answer_parse(struct rd line, struct aka_vector *v, struct guss *g) MUST_CHECK;

#endif
