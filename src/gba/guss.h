/* The GBA user security settings of a subscriber (TS 33.220 clause 4.4.6; GUSS and USS in TS 29.109): which NAFs may have a key of his, and what
 * they are told: whose key it is in oneM2M. In JSON:
 *	{"uicc":"GBA_U","lifetime_s":3600,"uss":[{"naf":"id-in.keyway.example","entity":"m2m://keyway.example/id-in/Cmeter"}]} */
#ifndef KEYWAY_GBA_GUSS_H
#define KEYWAY_GBA_GUSS_H

#include "base/err.h"
#include "gba/gba_kdf.h"
#include "json/json.h"

#define USS_MAX 16
#define USS_ENTITY 256

struct uss {
	char naf[NAF_FQDN_SIZE]; /* in lower case: an FQDN, or "*.keyway.example" for all below it */
	char entity[USS_ENTITY]; /* "m2m://keyway.example/id-in/Cmeter" (AE), "id-mn.id-in.keyway.example" (CSE), a client ID of a MAF */
};
struct guss {
	bool gba_u; /* uiccType: his card keeps Ks to itself */
	uint32_t lifetime_s; /* of Ks; 0: as the BSF says */
	struct uss uss[USS_MAX];
	size_t count;
};

/* ERR_MALFORMED, ERR_BAD_VALUE (naf, entity), ERR_TOO_LONG. Members that it does not know are refused: a restriction must not get lost. */
enum err guss_read(const struct json *v, struct guss *g) MUST_CHECK;
void guss_write(struct json_out *o, const char *name, const struct guss *g);
bool uss_naf_is_good(struct rd text, char naf[static NAF_FQDN_SIZE]) MUST_CHECK; /* FQDN or "*." and one */
bool uss_entity_is_good(struct rd text);
/* The most telling one: an exact name comes before a pattern, a longer pattern before a shorter. NULL: this NAF gets nothing. */
const struct uss *uss_find(const struct uss *list, size_t count, const char *naf);

#endif
