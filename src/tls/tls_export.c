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
