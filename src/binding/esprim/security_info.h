/* m2m:securityInfo, which carries ESPrim and ESCertKE in NOTIFYs, and m2m:e2eSecInfo, which says who takes them. TS-0004 tables 6.3.5.46-1 and 6.3.5.48-1. */
#ifndef KEYWAY_BINDING_ESPRIM_SECURITY_INFO_H
#define KEYWAY_BINDING_ESPRIM_SECURITY_INFO_H

#include "json/json.h"

enum { SIT_RAND_REQUEST = 3, SIT_RAND_ANSWER = 4, SIT_ESPRIM = 5, SIT_ESCERTKE = 6 };

/* Members as JSON text (ero, esro) or as they are said (epo, eckm); empty when absent. */
struct security_info {
	struct json_arena *arena;
	uint64_t sit;
	struct rd ero, epo, eckm, esro;
	bool esprim; /* e2eSecInfo: one of the features is ESPrim */
};

/* Of a content with the root m2m:seci; of an m2m:e2eSecInfo. Texts live until security_info_clear. False: it is none. */
bool security_info_read(struct rd content, struct security_info *i) MUST_CHECK;
bool security_info_parse(struct rd e2e, struct security_info *i) MUST_CHECK;
void security_info_clear(struct security_info *i);
bool security_info_takes_esprim(struct rd e2e);

/* {"m2m:seci":{"sit":5,"epo":"..."}}; `ero` is an object, all others are strings, NULL: sit alone. */
void security_info_write(struct wr *w, unsigned sit, const char *name, struct rd value);

#endif
