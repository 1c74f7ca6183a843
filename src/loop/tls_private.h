/* What tls.c shares with stream.c, http_server.c and http_client.c. */
#ifndef KEYWAY_LOOP_TLS_PRIVATE_H
#define KEYWAY_LOOP_TLS_PRIVATE_H

#include <gnutls/gnutls.h>

#include "loop/tls.h"

enum tls_kind { TLS_CERTIFICATES, TLS_PSK_SERVER, TLS_PSK_CLIENT };

struct tls_credentials {
	enum tls_kind kind;
	char *ca, *cert, *key; /* paths; libcurl reads them itself */
	char *psk_path;
	gnutls_certificate_credentials_t certificates;
	gnutls_psk_server_credentials_t psk_server;
	gnutls_psk_client_credentials_t psk_client;
	gnutls_priority_t priority;
};

#define TLS_PRIORITY_CERTIFICATES "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-ECDSA:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:" \
	"+AES-128-CBC:+AEAD:+SHA256:+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SECP256R1-SHA256:+GROUP-SECP256R1:+GROUP-X25519:+COMP-NULL:+CTYPE-X509:%SERVER_PRECEDENCE"
#define TLS_PRIORITY_PSK "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-PSK:+PSK:%SERVER_PRECEDENCE"

/* DTLS 1.2 with certificates or pre-shared keys, or both; the 8-octet CCM suites are those that RFC 7252 section 9.1.3 demands of CoAP. */
#define DTLS_PRIORITY_START "NONE:+VERS-DTLS1.2:"
#define DTLS_PRIORITY_CERTIFICATES "+ECDHE-ECDSA:+CTYPE-X509:+SIGN-ECDSA-SHA256:"
#define DTLS_PRIORITY_PSK "+ECDHE-PSK:+PSK:"
#define DTLS_PRIORITY_END "+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-CCM:+AES-128-CCM-8:+AEAD:+GROUP-SECP256R1:+GROUP-X25519:+COMP-NULL:%SERVER_PRECEDENCE"

/* A session with these credentials; the caller sets the transport. NULL on failure. */
gnutls_session_t tls_session_new(struct tls_credentials *c, bool server);
/* The same over datagrams; either may be NULL, not both. A client uses certificates. */
gnutls_session_t tls_datagram_session_new(struct tls_credentials *certificates, struct tls_credentials *psk, bool server);
/* Chain of the peer's certificate up to the CA, and its dates. */
bool tls_chain_is_good(gnutls_session_t session);

#endif
