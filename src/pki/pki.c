/* A small CA over GnuTLS. */
#include "pki/pki.h"

#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/rng.h"

struct pair {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
};

static void pair_clear(struct pair *p)
{
	if (p->crt)
		gnutls_x509_crt_deinit(p->crt);
	if (p->key)
		gnutls_x509_privkey_deinit(p->key);
}

static enum err write_file(const char *dir, const char *name, const char *ending, const gnutls_datum_t *text, mode_t mode)
{
	char path[4096];
	enum err e = OK;
	int fd;

	snprintf(path, sizeof path, "%s/%s.%s", dir, name, ending);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return access(path, F_OK) == 0 ? ERR_EXISTS : ERR_IO;
	if (write(fd, text->data, text->size) != (ssize_t)text->size || fsync(fd) != 0)
		e = ERR_IO;
	close(fd);
	return e;
}

static enum err save(const char *dir, const char *name, const struct pair *p)
{
	gnutls_datum_t crt = {0}, key = {0};
	enum err e = ERR_CRYPTO;

	if (gnutls_x509_crt_export2(p->crt, GNUTLS_X509_FMT_PEM, &crt) == 0 && gnutls_x509_privkey_export2(p->key, GNUTLS_X509_FMT_PEM, &key) == 0) {
		e = write_file(dir, name, "key", &key, 0600);
		if (e == OK)
			e = write_file(dir, name, "pem", &crt, 0644);
	}
	if (key.data)
		bytes_wipe(key.data, key.size);
	gnutls_free(key.data);
	gnutls_free(crt.data);
	return e;
}

static bool load_text(const char *dir, const char *name, const char *ending, gnutls_datum_t *text)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s.%s", dir, name, ending);
	return gnutls_load_file(path, text) == 0;
}

static enum err load_ca(const char *dir, struct pair *ca)
{
	gnutls_datum_t crt = {0}, key = {0};
	enum err e = ERR_NOT_FOUND;

	if (load_text(dir, "ca", "pem", &crt) && load_text(dir, "ca", "key", &key) && gnutls_x509_crt_init(&ca->crt) == 0 &&
	    gnutls_x509_privkey_init(&ca->key) == 0)
		e = gnutls_x509_crt_import(ca->crt, &crt, GNUTLS_X509_FMT_PEM) == 0 &&
			gnutls_x509_privkey_import(ca->key, &key, GNUTLS_X509_FMT_PEM) == 0
		    ? OK
		    : ERR_MALFORMED;
	if (key.data)
		bytes_wipe(key.data, key.size);
	gnutls_free(key.data);
	gnutls_free(crt.data);
	return e;
}

/* Key pair, version, serial number, dates and names; what is left is what the certificate is for. */
static bool begin(struct pair *p, const char *common_name, unsigned days)
{
	struct rng rng = rng_system();
	time_t now = time(NULL);
	uint8_t serial[16];

	rng_fill(&rng, serial, sizeof serial);
	serial[0] &= 0x7f; /* positive */
	serial[0] |= 0x01; /* and 16 octets long */
	return gnutls_x509_privkey_init(&p->key) == 0 &&
	    gnutls_x509_privkey_generate(p->key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) == 0 &&
	    gnutls_x509_crt_init(&p->crt) == 0 && gnutls_x509_crt_set_version(p->crt, 3) == 0 &&
	    gnutls_x509_crt_set_serial(p->crt, serial, sizeof serial) == 0 && gnutls_x509_crt_set_key(p->crt, p->key) == 0 &&
	    gnutls_x509_crt_set_activation_time(p->crt, now - 3600) == 0 &&
	    gnutls_x509_crt_set_expiration_time(p->crt, now + (time_t)days * 86400) == 0 &&
	    gnutls_x509_crt_set_dn_by_oid(p->crt, GNUTLS_OID_X520_COMMON_NAME, 0, common_name, (unsigned)strlen(common_name)) == 0;
}

static bool add_key_id(struct pair *p)
{
	uint8_t id[32];
	size_t len = sizeof id;

	return gnutls_x509_crt_get_key_id(p->crt, GNUTLS_KEYID_USE_SHA1, id, &len) == 0 && gnutls_x509_crt_set_subject_key_id(p->crt, id, len) == 0;
}

enum err pki_ca_create(const char *dir, const char *common_name, unsigned days)
{
	struct pair ca = {NULL, NULL};
	enum err e = ERR_CRYPTO;

	if (begin(&ca, common_name, days) && gnutls_x509_crt_set_basic_constraints(ca.crt, 1, 0) == 0 && add_key_id(&ca) &&
	    gnutls_x509_crt_set_key_usage(ca.crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN | GNUTLS_KEY_DIGITAL_SIGNATURE) == 0 &&
	    gnutls_x509_crt_sign2(ca.crt, ca.crt, ca.key, GNUTLS_DIG_SHA256, 0) == 0)
		e = save(dir, "ca", &ca);
	pair_clear(&ca);
	return e;
}

enum err pki_issue(const char *dir, const char *name, const char *identity, unsigned days)
{
	struct pair ca = {NULL, NULL}, p = {NULL, NULL};
	gnutls_x509_subject_alt_name_t kind = strstr(identity, "://") ? GNUTLS_SAN_URI : GNUTLS_SAN_DNSNAME;
	enum err e = load_ca(dir, &ca);

	if (e != OK)
		goto out;
	e = ERR_CRYPTO;
	if (begin(&p, name, days) && gnutls_x509_crt_set_basic_constraints(p.crt, 0, -1) == 0 && add_key_id(&p) &&
	    gnutls_x509_crt_set_key_usage(p.crt, GNUTLS_KEY_DIGITAL_SIGNATURE) == 0 &&
	    gnutls_x509_crt_set_key_purpose_oid(p.crt, GNUTLS_KP_TLS_WWW_SERVER, 0) == 0 &&
	    gnutls_x509_crt_set_key_purpose_oid(p.crt, GNUTLS_KP_TLS_WWW_CLIENT, 0) == 0 &&
	    gnutls_x509_crt_set_subject_alt_name(p.crt, kind, identity, (unsigned)strlen(identity), GNUTLS_FSAN_SET) == 0 &&
	    gnutls_x509_crt_sign2(p.crt, ca.crt, ca.key, GNUTLS_DIG_SHA256, 0) == 0)
		e = save(dir, name, &p);
out:
	pair_clear(&p);
	pair_clear(&ca);
	return e;
}
