/* TLS credentials and peer identities over GnuTLS. */
#include "loop/tls.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "loop/tls_private.h"

#define PSK_LINE_MAX 512
#define PSK_KEY_MAX 64

static enum err priorities(struct tls_credentials *c)
{
	const char *text = c->kind == TLS_CERTIFICATES ? TLS_PRIORITY_CERTIFICATES : TLS_PRIORITY_PSK;

	return gnutls_priority_init(&c->priority, text, NULL) == 0 ? OK : ERR_TLS;
}

static bool private_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_mode & 077) == 0;
}

enum err tls_certificates(const char *ca_path, const char *cert_path, const char *key_path, struct tls_credentials **out)
{
	struct tls_credentials *c = calloc(1, sizeof *c);

	if (!c)
		return ERR_NO_MEMORY;
	c->kind = TLS_CERTIFICATES;
	c->ca = strdup(ca_path);
	c->cert = strdup(cert_path);
	c->key = strdup(key_path);
	if (!c->ca || !c->cert || !c->key || !private_file(key_path) || gnutls_certificate_allocate_credentials(&c->certificates) != 0 ||
	    gnutls_certificate_set_x509_trust_file(c->certificates, ca_path, GNUTLS_X509_FMT_PEM) < 1 ||
	    gnutls_certificate_set_x509_key_file(c->certificates, cert_path, key_path, GNUTLS_X509_FMT_PEM) != 0 || priorities(c) != OK) {
		tls_credentials_free(c);
		return ERR_CONFIG;
	}
	*out = c;
	return OK;
}

/* Finds "identity:hexkey" in the file. The key is GnuTLS's: it frees it. */
static int psk_lookup(const char *path, const char *identity, gnutls_datum_t *key)
{
	char line[PSK_LINE_MAX];
	size_t name = strlen(identity);
	FILE *file = fopen(path, "r");
	int found = -1;

	while (file && found != 0 && fgets(line, sizeof line, file)) {
		uint8_t octets[PSK_KEY_MAX];
		size_t len;

		line[strcspn(line, "\r\n")] = '\0';
		if (strncmp(line, identity, name) != 0 || line[name] != ':')
			continue;
		if (hex_parse_loose(rd_str(line + name + 1), octets, sizeof octets, &len) && len >= 16 && (key->data = gnutls_malloc(len)) != NULL) {
			memcpy(key->data, octets, len);
			key->size = (unsigned)len;
			found = 0;
		}
		bytes_wipe(octets, sizeof octets);
	}
	bytes_wipe(line, sizeof line);
	if (file)
		fclose(file);
	return found;
}

static int on_psk(gnutls_session_t session, const char *identity, gnutls_datum_t *key)
{
	const struct tls_credentials *c = gnutls_session_get_ptr(session);

	return psk_lookup(c->psk_path, identity, key);
}

static enum err psk_new(enum tls_kind kind, const char *psk_path, struct tls_credentials **out)
{
	struct tls_credentials *c = private_file(psk_path) ? calloc(1, sizeof *c) : NULL;

	if (!c)
		return ERR_CONFIG;
	c->kind = kind;
	c->psk_path = strdup(psk_path);
	if (!c->psk_path || priorities(c) != OK) {
		tls_credentials_free(c);
		return ERR_TLS;
	}
	*out = c;
	return OK;
}

enum err tls_psk_server(const char *psk_path, struct tls_credentials **out)
{
	struct tls_credentials *c;
	enum err e = psk_new(TLS_PSK_SERVER, psk_path, &c);

	if (e != OK)
		return e;
	if (gnutls_psk_allocate_server_credentials(&c->psk_server) != 0) {
		tls_credentials_free(c);
		return ERR_TLS;
	}
	gnutls_psk_set_server_credentials_function(c->psk_server, on_psk);
	*out = c;
	return OK;
}

enum err tls_psk_client(const char *identity, const char *psk_path, struct tls_credentials **out)
{
	struct tls_credentials *c;
	gnutls_datum_t key = {0};
	enum err e = psk_new(TLS_PSK_CLIENT, psk_path, &c);

	if (e != OK)
		return e;
	e = ERR_CONFIG;
	if (psk_lookup(psk_path, identity, &key) == 0 && gnutls_psk_allocate_client_credentials(&c->psk_client) == 0 &&
	    gnutls_psk_set_client_credentials(c->psk_client, identity, &key, GNUTLS_PSK_KEY_RAW) == 0)
		e = OK;
	if (key.data) {
		bytes_wipe(key.data, key.size);
		gnutls_free(key.data);
	}
	if (e != OK)
		tls_credentials_free(c);
	else
		*out = c;
	return e;
}

void tls_credentials_free(struct tls_credentials *c)
{
	if (!c)
		return;
	if (c->certificates)
		gnutls_certificate_free_credentials(c->certificates);
	if (c->psk_server)
		gnutls_psk_free_server_credentials(c->psk_server);
	if (c->psk_client)
		gnutls_psk_free_client_credentials(c->psk_client);
	if (c->priority)
		gnutls_priority_deinit(c->priority);
	free(c->ca);
	free(c->cert);
	free(c->key);
	free(c->psk_path);
	free(c);
}

gnutls_session_t tls_session_new(struct tls_credentials *c, bool server)
{
	gnutls_session_t s;

	if (gnutls_init(&s, (server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) != 0)
		return NULL;
	gnutls_session_set_ptr(s, c);
	gnutls_priority_set(s, c->priority);
	switch (c->kind) {
	case TLS_CERTIFICATES:
		gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, c->certificates);
		if (server)
			gnutls_certificate_server_set_request(s, GNUTLS_CERT_REQUIRE);
		break;
	case TLS_PSK_SERVER:
		gnutls_credentials_set(s, GNUTLS_CRD_PSK, c->psk_server);
		break;
	case TLS_PSK_CLIENT:
		gnutls_credentials_set(s, GNUTLS_CRD_PSK, c->psk_client);
		break;
	}
	gnutls_handshake_set_timeout(s, GNUTLS_DEFAULT_HANDSHAKE_TIMEOUT);
	return s;
}

gnutls_session_t tls_datagram_session_new(struct tls_credentials *certificates, struct tls_credentials *psk, bool server)
{
	gnutls_session_t s;
	const char *priority = certificates && psk ? DTLS_PRIORITY_START DTLS_PRIORITY_CERTIFICATES DTLS_PRIORITY_PSK DTLS_PRIORITY_END
	    : certificates                         ? DTLS_PRIORITY_START DTLS_PRIORITY_CERTIFICATES DTLS_PRIORITY_END
						   : DTLS_PRIORITY_START DTLS_PRIORITY_PSK DTLS_PRIORITY_END;

	if ((!certificates && !psk) || gnutls_init(&s, (server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) != 0)
		return NULL;
	if (gnutls_priority_set_direct(s, priority, NULL) != 0) {
		gnutls_deinit(s);
		return NULL;
	}
	if (certificates)
		gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, certificates->certificates);
	if (psk) {
		gnutls_session_set_ptr(s, psk); /* on_psk's */
		gnutls_credentials_set(s, GNUTLS_CRD_PSK, psk->psk_server);
	}
	if (server && certificates)
		gnutls_certificate_server_set_request(s, GNUTLS_CERT_REQUIRE);
	return s;
}

bool tls_chain_is_good(gnutls_session_t session)
{
	unsigned status = ~0U;

	return gnutls_certificate_verify_peers2(session, &status) == 0 && status == 0;
}

static bool peer_certificate(gnutls_session_t session, gnutls_x509_crt_t *crt)
{
	unsigned n;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);

	if (!chain || n == 0 || gnutls_x509_crt_init(crt) != 0)
		return false;
	if (gnutls_x509_crt_import(*crt, &chain[0], GNUTLS_X509_FMT_DER) == 0)
		return true;
	gnutls_x509_crt_deinit(*crt);
	return false;
}

/* The name at `index` of subjectAltName; its type is negative at the end. */
static int san_at(gnutls_x509_crt_t crt, unsigned index, char *name, size_t size)
{
	size_t len = size - 1;
	int type = gnutls_x509_crt_get_subject_alt_name(crt, index, name, &len, NULL);

	if (type < 0)
		return type;
	name[len] = '\0';
	/* A zero octet inside would let a certificate for "a\0.evil" pass as "a". */
	return strlen(name) == len ? type : (int)GNUTLS_SAN_OTHERNAME;
}

bool tls_peer_is(void *session, const char *identity)
{
	gnutls_x509_crt_t crt;
	char name[512];
	bool found = false;
	int type;

	if (!peer_certificate(session, &crt))
		return false;
	for (unsigned i = 0; !found && (type = san_at(crt, i, name, sizeof name)) != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE; i++)
		found = (type == GNUTLS_SAN_DNSNAME || type == GNUTLS_SAN_URI) && strcmp(name, identity) == 0;
	gnutls_x509_crt_deinit(crt);
	return found;
}

bool tls_peer_identity(void *session, char *identity, size_t size)
{
	static const int wanted[] = {GNUTLS_SAN_URI, GNUTLS_SAN_DNSNAME};
	gnutls_x509_crt_t crt;
	bool found = false;
	int type;

	if (!peer_certificate(session, &crt))
		return false;
	for (size_t w = 0; !found && w < 2; w++)
		for (unsigned i = 0; !found && (type = san_at(crt, i, identity, size)) != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE; i++)
			found = type == wanted[w];
	if (!found)
		identity[0] = '\0';
	gnutls_x509_crt_deinit(crt);
	return found;
}
