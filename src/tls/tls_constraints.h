/* nameConstraints (RFC 5280 clause 4.2.1.10) over a path, with those of URIs, which GnuTLS leaves out: an AE-ID's signer is to be constrained to the
 * host part of its URI (TS-0003 clause 10.1). */
#ifndef KEYWAY_TLS_TLS_CONSTRAINTS_H
#define KEYWAY_TLS_TLS_CONSTRAINTS_H

#include <gnutls/x509.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/rd.h"

/* path: the peer's certificate first, the anchor last. Each but the anchor is within the constraints of all above it. */
bool tls_constraints_hold(const gnutls_x509_crt_t *path, unsigned count);
/* RFC 5280: a constraint ".keyway.example" is any host below, "keyway.example" that host only. A URI without a host is within none. */
bool tls_constraint_has_uri(struct rd constraint, struct rd uri);

#endif
