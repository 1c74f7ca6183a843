/* What a finished handshake says of the other side, and what can be derived from the association. */
#ifndef KEYWAY_TLS_TLS_PEER_H
#define KEYWAY_TLS_TLS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "security/credential.h" /* ENTITY_MAX, CREDENTIAL_ID_MAX */

#define TLS_IDENTITIES_MAX 1024

struct secret;
struct tls_session;

enum tls_method { TLS_METHOD_NONE, TLS_METHOD_PSK, TLS_METHOD_CERTIFICATE, TLS_METHOD_RAW_PUBLIC_KEY };

/* Names are written so that they tell what they are:
 *	id-mn.id-in.keyway.example               dNSName: a CSE-ID in its public domain name form (TS-0001 clause 6.5.1.1), or a FQDN
 *	m2m://keyway.example/id-in/Cmeter        uniformResourceIdentifier: the full URI of an AE-ID; "urn:...": an M2M-Node-ID
 *	oid:1.3.6.1.4.1.60000.1.2.3              otherName: a device, type-id and value as one object identifier (TS-0001 annex H)
 *	ni:///sha-256;UyaQV-Ev4rdLoHyJJWCi11...  a raw public key, RFC 6920, where nobody said whose it is
 * A PSK's is the entity that the source names, or the PSK identity itself. */
struct tls_peer {
	enum tls_method method;
	char identity[TLS_IDENTITIES_MAX];  /* every name that it has, joined by blanks; "" without TLS */
	char credential[CREDENTIAL_ID_MAX]; /* Credential-ID (TS-0003 clause 10.4), as in serviceSubscribedAppRule's applicableCredIDs; "" without TLS */
	uint64_t expires_at;                /* Unix seconds: requests after it are refused, and the association is closed. 0: never */
};

/* Whether `name` is one of the peer's names. */
bool tls_peer_has(const struct tls_peer *p, const char *name);

/* n octets (at most SECRET_MAX) of RFC 5705's exporter, without context: EXPORTER-oneM2M-Bootstrap and the like, TS-0003 clause 10.3.
 * The session is what stream_tls, datagram_tls, http_request_tls or http_result_tls gave. ERR_STATE (NULL, or no handshake yet), ERR_TLS. */
enum err tls_export(struct tls_session *s, const char *label, size_t n, struct secret **out) MUST_CHECK;

/* Channel bindings: tls-unique (RFC 5929), which TLS 1.2 has, and tls-exporter (RFC 9266). ERR_STATE, ERR_UNSUPPORTED: the association has no such. */
#define TLS_BINDING_MAX 64
enum tls_binding { TLS_BINDING_UNIQUE, TLS_BINDING_EXPORTER };
enum err tls_channel_binding(struct tls_session *s, enum tls_binding kind, uint8_t octets[static TLS_BINDING_MAX], size_t *len) MUST_CHECK;

#endif
