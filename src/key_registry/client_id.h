/* The names of clients of MEF and MAF, in one form each. An AE or CSE is its SP-relative ID at its own service provider ("/id-b", "/id-b/Cmeter")
 * and an absolute ID elsewhere ("//other.example/id-b"); a MAF is its FQDN. TS-0003 leaves the form of client IDs open. */
#ifndef KEYWAY_KEY_REGISTRY_CLIENT_ID_H
#define KEYWAY_KEY_REGISTRY_CLIENT_ID_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/rd.h"
#include "security/credential.h"

/* From an absolute or SP-relative ID, a URI "m2m://sp/..." or a domain name. False when it is none of them. A domain name of the service provider
 * that could be a CSE's is taken as that CSE's, so that "maf.sp.example" and "/maf" are one client. */
bool client_id_of(struct rd text, const char *sp, char id[static ENTITY_MAX]) MUST_CHECK;
bool client_id_equal(struct rd a, struct rd b, const char *sp);
/* As certificates write it: "m2m://sp.example/id-b/Cmeter", "id-b.sp.example". False for a CSE-ID with a dot, whose name would be that of another CSE. */
bool client_id_entity(const char *id, const char *sp, char entity[static ENTITY_MAX]) MUST_CHECK;
/* The FQDN that goes into the derivation of a usage-constrained key (TS-0003 10.3): a MAF's own; "id-b.sp.example" of a CSE, wherever it is
 * registered, because an enrolee need not know that; "Cmeter.id-b.sp.example" of an AE (project convention). */
bool client_id_fqdn(const char *id, const char *sp, char fqdn[static ENTITY_MAX]) MUST_CHECK;

#endif
