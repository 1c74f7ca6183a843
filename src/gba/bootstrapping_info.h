/* The body of a bootstrapping's last answer, TS 24.109 Annex C: application/vnd.3gpp.bsf+xml.
 *	<BootstrappingInfo xmlns="uri:3gpp-gba"><btid>...</btid><lifetime>2026-11-22T10:00:00Z</lifetime></BootstrappingInfo> */
#ifndef KEYWAY_GBA_BOOTSTRAPPING_INFO_H
#define KEYWAY_GBA_BOOTSTRAPPING_INFO_H

#include "base/err.h"
#include "base/wr.h"
#include "gba/gba_kdf.h"

#define BOOTSTRAPPING_INFO_TYPE "application/vnd.3gpp.bsf+xml"
#define BOOTSTRAPPING_INFO_MAX 1024

struct bootstrapping_info {
	char btid[BTID_SIZE];
	uint64_t expires_at; /* Unix seconds */
};
void bootstrapping_info_print(struct wr *w, const struct bootstrapping_info *i);
/* What a BSF may write: a declaration, a namespace prefix, attributes, white space, further elements without children. No comments, no entities,
 * no document type: those are refused. ERR_MALFORMED, ERR_TOO_LONG. */
enum err bootstrapping_info_parse(struct rd xml, struct bootstrapping_info *i) MUST_CHECK;

#endif
