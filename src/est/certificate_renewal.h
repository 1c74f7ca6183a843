/* Keeps the certificate of a program that has one fresh: by EST, under the certificate that is renewed, after two thirds of its life. For programs that
 * need nothing else of a MEF. A failure is logged and tried again; the program's TLS rereads the file (tls/tls.h). */
#ifndef KEYWAY_EST_CERTIFICATE_RENEWAL_H
#define KEYWAY_EST_CERTIFICATE_RENEWAL_H

#include "loop/loop.h"

struct certificate_renewal_config {
	const char *base;             /* estBaseURI, "https://HOST:PORT/.well-known/est" */
	const char *mef;              /* the name that the server must have */
	const char *ca, *cert, *key;  /* PEM files; DIR/FILE.pem and DIR/FILE.key */
};

struct certificate_renewal;
/* What c points to stays the caller's. ERR_CONFIG: the files are named otherwise, or hold no certificate with a name. */
enum err certificate_renewal_new(struct loop *l, const struct certificate_renewal_config *c, struct certificate_renewal **out) MUST_CHECK;
void certificate_renewal_free(struct certificate_renewal *r); /* accepts NULL */

#endif
