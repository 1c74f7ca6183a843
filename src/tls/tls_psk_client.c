/* A client's pre-shared key, from a file. It goes to GnuTLS at once, so that a program that only has one of these holds no code for keys. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tls/psk_line.h"
#include "tls/tls_private.h"

enum err tls_psk_client(const char *identity, const char *psk_path, struct tls_credentials **out)
{
	const struct tls_config nothing = {0};
	struct tls_credentials *c = NULL;
	struct psk_line line;
	gnutls_datum_t key = {line.key, 0};
	char why[TLS_WHY_MAX];
	enum err e = ERR_CONFIG;

	if (!tls_file_private(psk_path) || !psk_line_find(psk_path, identity, &line))
		return ERR_CONFIG;
	key.size = (unsigned)line.key_len;
	if (tls_credentials_new(&nothing, why, &c) == OK && (c->psk_identity = strdup(identity)) != NULL && gnutls_psk_allocate_client_credentials(&c->psk_client) == 0 &&
	    gnutls_psk_set_client_credentials(c->psk_client, identity, &key, GNUTLS_PSK_KEY_RAW) == 0)
		e = OK;
	bytes_wipe(&line, sizeof line);
	if (e != OK)
		tls_credentials_free(c);
	else
		*out = c;
	return e;
}
