/* The messages of EST (RFC 7030 clause 4): base64 of DER with line ends; certs-only PKCS#7; CSR attributes. Both sides use them. */
#ifndef KEYWAY_EST_EST_MESSAGE_H
#define KEYWAY_EST_EST_MESSAGE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

/* base64 in lines of 64, as RFC 2045 wants them short; and back, whatever the lines are. */
void est_base64(struct wr *out, struct rd octets);
enum err est_unbase64(struct rd text, struct wr *octets) MUST_CHECK;

/* A PKCS#7 that holds one certificate and is signed by nobody. */
enum err est_certificates(struct rd certificate, struct wr *der) MUST_CHECK;
/* The certificates in one, DER, in its order; fn gets borrowed octets. ERR_MALFORMED also when there is none. */
enum err est_certificates_each(struct rd der, void (*fn)(void *ctx, struct rd certificate), void *ctx) MUST_CHECK;

/* What a request is to have, RFC 7030 clause 4.5.2. */
struct est_attributes {
	bool challenge;    /* challengePassword: bind it to the association */
	bool name;         /* a subjectAltName */
	bool secp256r1;    /* a key on this curve */
};
void est_attributes(struct wr *der, const struct est_attributes *a);
enum err est_attributes_read(struct rd der, struct est_attributes *a) MUST_CHECK; /* others are ignored, as clause 4.5.2 demands */

#endif
