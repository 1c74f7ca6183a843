/* HTTP Digest with AKA, RFC 3310 (algorithm AKAv1-MD5), as Ub uses it (TS 24.109 clause 4): the three header fields, read and written. The nonce is
 * base64(RAND | AUTN), the password the octets of RES; on a synchronisation failure the response has `auts` and the empty password.
 * Readers take any order, unknown parameters and quoted or unquoted values; they refuse doubled parameters and control characters. */
#ifndef KEYWAY_GBA_DIGEST_AKA_H
#define KEYWAY_GBA_DIGEST_AKA_H

#include "base/wr.h"
#include "crypto/http_digest.h"
#include "gba/auc.h"
#include "gba/usim.h"

#define DIGEST_TEXT 256
#define DIGEST_NONCE 128 /* 44 characters, and what a server may append (RFC 3310 clause 3.2) */
#define DIGEST_HEADER_MAX 2048

/* WWW-Authenticate: Digest realm="...", nonce="...", qop="auth-int", algorithm=AKAv1-MD5 */
struct digest_challenge {
	char realm[DIGEST_TEXT], nonce[DIGEST_NONCE], opaque[DIGEST_TEXT];
	bool auth, auth_int; /* what qop offers */
	uint8_t rand[AKA_RAND], autn[AKA_AUTN];
};
/* ERR_MALFORMED, ERR_UNSUPPORTED (another scheme or algorithm, no qop), ERR_TOO_LONG, ERR_SHORT (nonce without RAND and AUTN). */
enum err digest_challenge_parse(struct rd value, struct digest_challenge *c) MUST_CHECK;
/* From realm, opaque, rand and autn; qop is auth-int; nonce is set. */
void digest_challenge_print(struct wr *w, struct digest_challenge *c);

/* Authorization: Digest username="IMPI", realm="...", nonce="...", uri="/", response="..." [, qop=auth-int, nc=00000001, cnonce="..."] */
struct digest_credentials {
	char username[IMPI_SIZE], realm[DIGEST_TEXT], nonce[DIGEST_NONCE], uri[DIGEST_TEXT], cnonce[DIGEST_TEXT], opaque[DIGEST_TEXT];
	char nc[9], response[HTTP_DIGEST_SIZE];
	bool auth_int; /* qop */
	bool resync;   /* auts is there */
	uint8_t auts[AKA_AUTS];
};
/* nonce and response empty: the first request, which only names the user. Otherwise qop, nc and cnonce must be there. */
enum err digest_credentials_parse(struct rd value, struct digest_credentials *c) MUST_CHECK;
void digest_credentials_print(struct wr *w, const struct digest_credentials *c);
/* Sets c->response, or computes what it would have to be; res NULL: the empty password. */
void digest_credentials_sign(const struct digest_credentials *c, struct rd method, struct rd body, const struct secret *res,
    char response[static HTTP_DIGEST_SIZE]);

/* Authentication-Info: the server's proof that it knew RES (RFC 2617 clause 3.2.3). */
struct digest_info {
	char rspauth[HTTP_DIGEST_SIZE], cnonce[DIGEST_TEXT], nc[9];
	bool auth_int;
};
enum err digest_info_parse(struct rd value, struct digest_info *i) MUST_CHECK;
void digest_info_print(struct wr *w, const struct digest_info *i);
/* rspauth that belongs to the credentials and the answer's body. */
void digest_info_sign(const struct digest_credentials *c, struct rd body, const struct secret *res, char rspauth[static HTTP_DIGEST_SIZE]);

#endif
