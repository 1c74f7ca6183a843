/* TLS credentials over GnuTLS, and the identity in a peer's certificate.
 * The profile is that of TS-0003 clause 10.2: TLS 1.2 and 1.3, ECDHE-ECDSA or PSK, nothing weaker. */
#ifndef KEYWAY_LOOP_TLS_H
#define KEYWAY_LOOP_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct tls_credentials;

/* PEM files. Servers demand a client certificate signed by ca. Errors name the file in `*detail` (static or owned by the credentials). */
enum err tls_certificates(const char *ca_path, const char *cert_path, const char *key_path, struct tls_credentials **out) MUST_CHECK;
/* Server side of PSK: a file of lines "identity:hexkey"; reread when an unknown identity asks. ERR_CONFIG when others may read it. */
enum err tls_psk_server(const char *psk_path, struct tls_credentials **out) MUST_CHECK;
enum err tls_psk_client(const char *identity, const char *psk_path, struct tls_credentials **out) MUST_CHECK;
void tls_credentials_free(struct tls_credentials *c);

/* Whether `identity` is among the dNSNames and URIs of a peer certificate's subjectAltName; session is a gnutls_session_t. */
bool tls_peer_is(void *session, const char *identity);
/* The first URI, otherwise the first dNSName, of the peer certificate's subjectAltName; false without one. */
bool tls_peer_identity(void *session, char *identity, size_t size) MUST_CHECK;

#endif
