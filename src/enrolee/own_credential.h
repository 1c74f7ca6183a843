/* A client's own key towards a MEF (Kpm) or a MAF (Km), out of its store, as TLS credentials for one session. */
#ifndef KEYWAY_ENROLEE_OWN_CREDENTIAL_H
#define KEYWAY_ENROLEE_OWN_CREDENTIAL_H

#include "credentials/credentials.h"
#include "key_registry/registry.h"
#include "tls/tls.h"

/* The one with this FQDN that lives longest. expires_at may be NULL. ERR_NOT_FOUND: there is none that has not expired. */
enum err own_credential(struct credentials *store, enum registry_kind kind, const char *fqdn, struct tls_credentials **out, uint64_t *expires_at) MUST_CHECK;
/* TLS-PSK with this identity and key, for a client. */
enum err psk_credential(const char *identity, const struct secret *key, struct tls_credentials **out) MUST_CHECK;

#endif
