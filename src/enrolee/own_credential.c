/* Own credentials. */
#include "enrolee/own_credential.h"

#include "base/clock.h"

enum err psk_credential(const char *identity, const struct secret *key, struct tls_credentials **out)
{
	const struct tls_config none = {.cert = NULL};
	char why[TLS_WHY_MAX];
	struct tls_credentials *c;
	enum err e = tls_credentials_new(&none, why, &c);

	if (e != OK)
		return e;
	e = tls_credentials_psk(c, identity, key);
	if (e != OK) {
		tls_credentials_free(c);
		return e;
	}
	*out = c;
	return OK;
}

enum err own_credential(struct credentials *store, enum registry_kind kind, const char *fqdn, struct tls_credentials **out, uint64_t *expires_at)
{
	struct credential c = {.key = NULL};
	enum err e = credentials_find_peer(store, kind == REGISTRY_MEF ? KIND_KPM : KIND_KM, fqdn, clock_unix_ms() / 1000, &c);

	if (e != OK)
		return e;
	if (expires_at)
		*expires_at = c.expires_at;
	e = psk_credential(c.identity, c.key, out);
	credential_clear(&c);
	return e;
}
