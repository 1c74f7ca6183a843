/* The value in HTTP Digest access authentication, RFC 2617 clause 3.2.2 with algorithm MD5 and qop auth or auth-int. MD5 is what RFC 3310 and
 * TS 33.220 prescribe for AKAv1-MD5, where the password is a RES that is used once; for passwords of people it would not do. */
#ifndef KEYWAY_CRYPTO_HTTP_DIGEST_H
#define KEYWAY_CRYPTO_HTTP_DIGEST_H

#include "base/rd.h"
#include "keys/secret.h"

#define HTTP_DIGEST_SIZE 33 /* 32 lower-case digits and a zero */

struct http_digest {
	struct rd username, realm, nonce, nc, cnonce; /* as they stand between the quotation marks, escapes resolved */
	bool auth_int;                                /* qop: the body counts too */
	struct rd method;                             /* "GET"; empty for rspauth, the server's proof (clause 3.2.3) */
	struct rd uri;
	struct rd body; /* of the request; for rspauth that of the answer */
};

/* password NULL: the empty one, for a synchronisation failure (RFC 3310 clause 3.4). */
void http_digest(const struct http_digest *d, const struct secret *password, char text[static HTTP_DIGEST_SIZE]);

#endif
