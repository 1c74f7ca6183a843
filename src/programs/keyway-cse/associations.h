/* The credentials of this CSE's associations, as its configuration has them: one set for all its listeners and for whom it asks, and another one
 * towards its registrar when that shares a key with it. */
#ifndef KEYWAY_CSE_ASSOCIATIONS_H
#define KEYWAY_CSE_ASSOCIATIONS_H

#include "loop/loop.h"
#include "programs/keyway-cse/options.h"
#include "tls/tls.h"

struct ocsp_http;

struct associations {
	struct tls_credentials *tls;       /* NULL: none */
	struct tls_credentials *registrar; /* NULL: as the others */
	struct ocsp_http *ocsp;
};

/* False after a message in the log. */
bool associations_read(struct associations *a, struct loop *l, const struct options *o);

#endif
