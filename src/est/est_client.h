/* Getting a certificate by EST (RFC 7030): attributes, a new key, a request bound to the association, the certificate. What comes is checked to be for
 * our key and our name before anything is written; DIR/FILE.key and DIR/FILE.pem are put in place whole, the key first.
 *
 *	est_enrol(http, &(const struct est_order){.base = "https://mef.keyway.example:9443/.well-known/est", .mef = "mef.keyway.example",
 *	    .tls = credentials, .name = "id-mn.id-in.keyway.example", .dir = "tls", .file = "mn"}, done, ctx); */
#ifndef KEYWAY_EST_EST_CLIENT_H
#define KEYWAY_EST_EST_CLIENT_H

#include "loop/http.h"

struct est_order {
	const char *base;            /* estBaseURI */
	const char *mef;             /* the name that the server must have, as in tls/tls_peer.h */
	struct tls_credentials *tls; /* whom we show ourselves as: a certificate, or a pre-shared key */
	const char *name;            /* subjectAltName: a domain name, or a URI */
	const char *dir, *file;
	bool renew;                  /* by the certificate that is renewed, for the same name */
};

struct est_enrolment;
/* Once, unless cancelled; why is a sentence. ERR_NOT_PERMITTED: the MEF refused, in its words. */
typedef void est_enrolled(void *ctx, enum err e, const char *why);
struct est_enrolment *est_enrol(struct http_client *h, const struct est_order *o, est_enrolled *done, void *ctx); /* NULL without memory */
void est_enrol_cancel(struct est_enrolment *e); /* not after done */

#endif
