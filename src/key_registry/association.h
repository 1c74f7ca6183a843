/* Who asks: the TLS association of a request, as the registry wants it. */
#ifndef KEYWAY_KEY_REGISTRY_ASSOCIATION_H
#define KEYWAY_KEY_REGISTRY_ASSOCIATION_H

#include "key_registry/registry.h"
#include "loop/http.h"

struct association_peer {
	struct registry_peer peer;
	char client[ENTITY_MAX];             /* peer.client; "" when the claimed one is not among the credential's names */
	char credential[CREDENTIAL_ID_MAX];  /* peer.credential */
};

/* False: no credential of this service provider. */
bool association_of(struct http_exchange *x, const struct http_request *rq, const char *sp, struct rd claimed, struct association_peer *out) MUST_CHECK;

#endif
