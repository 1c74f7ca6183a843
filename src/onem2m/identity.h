/* oneM2M identifiers and the certificate identities that stand for them. Source: TS-0001 clauses 6.5.1.1, 7.2; TS-0003 clause 10.1.
 *
 * A CSE `/id-in` of the service provider `keyway.example` has the dNSName `id-in.keyway.example` if it is an IN-CSE, and
 * `id-mn.id-in.keyway.example` if it is an MN- or ASN-CSE registered there. An AE `Cgw1` of CSE `/id-mn` has the URI
 * `m2m://keyway.example/id-mn/Cgw1` (TS-0003 leaves the scheme open). A MEF has its FQDN as dNSName. */
#ifndef KEYWAY_ONEM2M_IDENTITY_H
#define KEYWAY_ONEM2M_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/rd.h"

#define IDENTITY_MAX 256

/* The SP-relative ID that a certificate identity stands for: "/id-mn", "/id-mn/Cgw1". False when it is not one of this SP. */
bool identity_to_id(const char *identity, const char *sp, char *id, size_t size) MUST_CHECK;
/* Whether `identity` may send with From `from`. A CSE-relative AE-ID ("Cgw1") is meant at CSE `at` ("/id-mn"). */
bool identity_may_be(const char *identity, const char *sp, const char *at, struct rd from);
/* Who asks. */
struct identity_self {
	const char *sp, *own_id;        /* "keyway.example", "/id-in" */
	const char *registrar_id;       /* or NULL */
	const char *registrar_identity; /* what its certificate says, when that does not follow from its ID; or NULL */
};
/* What the certificate of `target` must say: an AE "/id-in/Cx", a CSE "/id-mn", a domain name, which stands for itself; "", which is nobody's identity,
 * for "". */
void identity_of_target(const struct identity_self *self, const char *target, char *identity, size_t size);
/* Whether an ID is of a pattern, in which `*` stands for any characters but `/`. */
bool identity_matches(const char *pattern, const char *id);

#endif
