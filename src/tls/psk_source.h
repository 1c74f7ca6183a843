/* Where a server finds the key of a PSK identity: a file, the store of credentials, a MAF or MEF that has to be asked over the wire.
 *
 * A source answers by `done`, at once (from within find) or later (from any callback of the same loop); the handshake waits for it (see
 * security/tls_hello.h). Nobody outside learns which identities there are: an unknown one goes on with a random key. */
#ifndef KEYWAY_TLS_PSK_SOURCE_H
#define KEYWAY_TLS_PSK_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rd.h"
#include "tls/tls_peer.h"

struct secret;

#define PSK_IDENTITY_MAX 320 /* hexBinary(KcID)@FQDN has at most 32 + 1 + 253 octets; longer ones are unknown */

/* Given to `done`, which takes over the key; the rest is borrowed for the call. */
struct psk_answer {
	struct secret *key;
	char entity[ENTITY_MAX];            /* whose key it is, as certificates write it: "m2m://keyway.example/id-in/Cmeter",
	                                       "id-mn.id-in.keyway.example", a client ID of MAF or MEF; "" when only the credential is known */
	char credential[CREDENTIAL_ID_MAX]; /* "12-0a1b@maf.keyway.example"; "" leaves "12-IDENTITY" */
	uint64_t expires_at;                /* Unix seconds; no request on the association after it. 0: never */
};

/* a NULL: unknown, expired or refused. */
typedef void psk_done(void *ctx, struct psk_answer *a);

struct psk_source {
	/* A handle for cancel, NULL when done was called already. identity is borrowed for the call. */
	void *(*find)(void *source, const char *identity, psk_done *done, void *ctx);
	void (*cancel)(void *source, void *handle); /* done will not be called */
	void *source;
	/* Whether this identity, which it once answered, still has the key of this name (keys/sealed.h): an association under one that is gone, or was replaced,
	 * is ended (tls_credentials_recheck). NULL: it cannot tell, and so it has. */
	bool (*stands)(void *source, const char *identity, const char *key_name);
};

#endif
