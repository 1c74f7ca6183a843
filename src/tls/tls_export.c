/* Keys derived from an association, RFC 5705. */
#include "base/bytes.h"
#include "keys/secret.h"
#include "tls/tls_private.h"

#include <string.h>

enum err tls_export(struct tls_session *s, const char *label, size_t n, struct secret **out)
{
	uint8_t octets[SECRET_MAX];
	enum err e = ERR_TLS;

	if (!s || s->step != TLS_OPEN || n == 0 || n > sizeof octets)
		return ERR_STATE;
	if (gnutls_prf_rfc5705(s->tls, strlen(label), label, 0, NULL, n, (char *)octets) == 0) {
		*out = secret_take(octets, n);
		e = *out ? OK : ERR_NO_MEMORY;
	}
	bytes_wipe(octets, sizeof octets);
	return e;
}

enum err tls_channel_binding(struct tls_session *s, enum tls_binding kind, uint8_t octets[static TLS_BINDING_MAX], size_t *len)
{
	gnutls_datum_t binding = {0};
	enum err e = ERR_UNSUPPORTED;

	if (!s || s->step != TLS_OPEN)
		return ERR_STATE;
	if (gnutls_session_channel_binding(s->tls, kind == TLS_BINDING_UNIQUE ? GNUTLS_CB_TLS_UNIQUE : GNUTLS_CB_TLS_EXPORTER, &binding) == 0 &&
	    binding.size > 0 && binding.size <= TLS_BINDING_MAX) {
		memcpy(octets, binding.data, binding.size);
		*len = binding.size;
		e = OK;
	}
	gnutls_free(binding.data);
	return e;
}
