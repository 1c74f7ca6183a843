/* Credentials of an endpoint: made from files, held, freed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tls/tls_private.h"

#define NAMES_MAX 16

static bool set_text(char **to, const char *text)
{
	if (text)
		*to = strdup(text);
	return !text || *to;
}

static bool refuse(char *why, const char *path, const char *sentence)
{
	snprintf(why, TLS_WHY_MAX, "%s %s", path, sentence);
	return false;
}

/* What it shows of itself, before it is put in use. */
struct own {
	gnutls_certificate_credentials_t certificates;
	char **names;
};

static void names_free(char **names)
{
	for (char **name = names; name && *name; name++)
		free(*name);
	free(names);
}

/* What SNI may ask this server for: the hosts in its own certificate. */
static bool keep_names(struct own *c, gnutls_x509_crt_t crt)
{
	char names[TLS_IDENTITIES_MAX], *rest = NULL;
	size_t count = 0;

	if (!tls_names_of(crt, names))
		return false;
	c->names = calloc(NAMES_MAX + 1, sizeof *c->names);
	if (!c->names)
		return false;
	for (char *name = strtok_r(names, " ", &rest); name && count < NAMES_MAX; name = strtok_r(NULL, " ", &rest)) {
		char *host = strstr(name, "://");

		if (host)
			host[3 + strcspn(host + 3, "/:")] = '\0';
		if (host || !strchr(name, ':'))
			c->names[count++] = strdup(host ? host + 3 : name);
	}
	return true;
}

static bool add_certificate(struct own *c, const struct tls_config *o, char *why)
{
	gnutls_x509_crt_t *chain = NULL;
	unsigned count;
	bool ok;

	if (!tls_file_private(o->key))
		return refuse(why, o->key, "is not there, or others may read it: it must have mode 0600");
	if (gnutls_certificate_set_x509_key_file(c->certificates, o->cert, o->key, GNUTLS_X509_FMT_PEM) != 0)
		return refuse(why, o->cert, "and its key are not a PEM certificate and its private key");
	ok = gnutls_certificate_get_x509_crt(c->certificates, 0, &chain, &count) == 0 && count > 0 && keep_names(c, chain[0]);
	for (unsigned i = 0; chain && i < count; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_free(chain);
	return ok || refuse(why, o->cert, "has a name that cannot be used in its subjectAltName");
}

static bool add_raw_key(struct own *c, const char *path, char *why)
{
	gnutls_datum_t pem = {0}, spki = {0};
	gnutls_privkey_t private_key = NULL;
	gnutls_pubkey_t key = NULL;
	bool ok = false;

	if (!tls_file_private(path))
		return refuse(why, path, "is not there, or others may read it: it must have mode 0600");
	if (gnutls_load_file(path, &pem) == 0 && gnutls_privkey_init(&private_key) == 0 && gnutls_pubkey_init(&key) == 0 &&
	    gnutls_privkey_import_x509_raw(private_key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0) == 0 && gnutls_pubkey_import_privkey(key, private_key, 0, 0) == 0 &&
	    gnutls_pubkey_export2(key, GNUTLS_X509_FMT_PEM, &spki) == 0)
		ok = gnutls_certificate_set_rawpk_key_mem(c->certificates, &spki, &pem, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_KEY_DIGITAL_SIGNATURE, NULL, 0, 0) >= 0;
	if (pem.data)
		bytes_wipe(pem.data, pem.size);
	gnutls_free(pem.data);
	gnutls_free(spki.data);
	if (key)
		gnutls_pubkey_deinit(key);
	if (private_key)
		gnutls_privkey_deinit(private_key);
	return ok || refuse(why, path, "is no PEM private key that can be used as a raw public key");
}

/* False with nothing kept. */
static bool own_load(struct own *own, const struct tls_config *o, char *why)
{
	*own = (struct own){NULL, NULL};
	if (gnutls_certificate_allocate_credentials(&own->certificates) != 0)
		return false;
	/* also where the server's list of acceptable CAs comes from; verification is tls_verify.c's */
	if (o->ca && gnutls_certificate_set_x509_trust_file(own->certificates, o->ca, GNUTLS_X509_FMT_PEM) < 1)
		refuse(why, o->ca, "holds no CA certificate");
	else if ((!o->cert || add_certificate(own, o, why)) && (!o->raw_key || add_raw_key(own, o->raw_key, why)))
		return true;
	gnutls_certificate_free_credentials(own->certificates);
	names_free(own->names);
	return false;
}

void tls_own_refresh(struct tls_credentials *c)
{
	const struct tls_config o = {.ca = c->ca.path, .cert = c->cert.path, .key = c->key_path, .raw_key = c->raw_key_path};
	struct tls_retired *former;
	char why[TLS_WHY_MAX];
	struct own own;

	if (!tls_file_changed(&c->cert))
		return;
	former = calloc(1, sizeof *former);
	if (!former || !own_load(&own, &o, why)) {
		free(former);
		return;
	}
	former->certificates = c->certificates;
	former->next = c->retired;
	c->retired = former;
	names_free(c->names);
	c->certificates = own.certificates;
	c->names = own.names;
	c->staple.seen = (struct stat){0}; /* GnuTLS has it with the certificate */
}

static bool set_texts(struct tls_credentials *c, const struct tls_config *o)
{
	return set_text(&c->ca.path, o->ca) && set_text(&c->crl.path, o->crl) && set_text(&c->pin_file.path, o->raw_keys) && set_text(&c->staple.path, o->staple) &&
	    set_text(&c->ocsp_url, o->ocsp_url) && set_text(&c->cert.path, o->cert) && set_text(&c->key_path, o->key) && set_text(&c->raw_key_path, o->raw_key);
}

static bool fill(struct tls_credentials *c, const struct tls_config *o, char *why)
{
	struct own own;

	if (!set_texts(c, o))
		return false;
	if (o->ocsp_url && !o->ocsp)
		return refuse(why, o->ocsp_url, "cannot be asked: this program has no HTTP client");
	if ((o->cert && !o->key) || (o->crl && !o->ca))
		return refuse(why, o->cert && !o->key ? o->cert : o->crl, o->cert && !o->key ? "needs a private key" : "needs the CA that signed it");
	if (o->ocsp)
		c->ocsp = *o->ocsp;
	c->ocsp_soft = o->ocsp_soft;
	c->legacy_suites = o->legacy_suites;
	c->guests = o->guests;
	if (!o->cert && !o->raw_key && !o->ca && !o->raw_keys)
		return true;
	(void)tls_file_changed(&c->cert); /* before it is read: what is put there later is another one */
	if (!own_load(&own, o, why))
		return false;
	c->certificates = own.certificates;
	c->names = own.names;
	c->has_x509 = o->cert != NULL;
	c->has_raw = o->raw_key != NULL;
	c->trusts_x509 = o->ca != NULL;
	if (!tls_trust_load(c, why))
		return false;
	if (o->staple && (!tls_file_changed(&c->staple) || gnutls_certificate_set_ocsp_status_request_file(c->certificates, o->staple, 0) != 0))
		return refuse(why, o->staple, "is no OCSP response about the certificate");
	return true;
}

enum err tls_credentials_new(const struct tls_config *o, char why[static TLS_WHY_MAX], struct tls_credentials **out)
{
	struct tls_credentials *c = calloc(1, sizeof *c);

	snprintf(why, TLS_WHY_MAX, "out of memory");
	if (!c)
		return ERR_NO_MEMORY;
	c->holds = 1;
	c->told = true;
	if (!fill(c, o, why)) {
		tls_credentials_free(c);
		return ERR_CONFIG;
	}
	*out = c;
	return OK;
}

struct tls_credentials *tls_credentials_hold(struct tls_credentials *c)
{
	c->holds++;
	return c;
}

void tls_credentials_free(struct tls_credentials *c)
{
	if (!c || --c->holds > 0)
		return;
	if (c->certificates)
		gnutls_certificate_free_credentials(c->certificates);
	if (c->psk_server)
		gnutls_psk_free_server_credentials(c->psk_server);
	if (c->psk_client)
		gnutls_psk_free_client_credentials(c->psk_client);
	for (size_t i = 0; i < TLS_PRIORITIES; i++)
		if (c->priorities[i])
			gnutls_priority_deinit(c->priorities[i]);
	if (c->psk_file)
		c->psk_file_free(c->psk_file);
	tls_trust_free(c);
	tls_ocsp_memory_free(c->ocsp_memory);
	while (c->retired) {
		struct tls_retired *next = c->retired->next;

		gnutls_certificate_free_credentials(c->retired->certificates);
		free(c->retired);
		c->retired = next;
	}
	names_free(c->names);
	free(c->cert.path);
	free(c->key_path);
	free(c->raw_key_path);
	free(c->staple.path);
	free(c->ca.path);
	free(c->crl.path);
	free(c->pin_file.path);
	free(c->psk_identity);
	free(c->ocsp_url);
	free(c);
}

enum err tls_certificates(const char *ca_path, const char *cert_path, const char *key_path, struct tls_credentials **out)
{
	const struct tls_config c = {.ca = ca_path, .cert = cert_path, .key = key_path};
	char why[TLS_WHY_MAX];

	return tls_credentials_new(&c, why, out);
}
