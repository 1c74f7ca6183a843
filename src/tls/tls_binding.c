/* Channel bindings of an association, RFC 5929 and RFC 9266. Apart from tls_export.c: a program without keys may bind too. */
#include <string.h>

#include "tls/tls_private.h"

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
