/* The files of a plant's CA and of what it issues. */
#include "pki/pki.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "pki/pki_private.h"

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

static bool begin(struct pair *p)
{
	return gnutls_x509_privkey_init(&p->key) == 0 &&
	    gnutls_x509_privkey_generate(p->key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) == 0 &&
	    gnutls_x509_crt_init(&p->crt) == 0 && gnutls_x509_crt_set_key(p->crt, p->key) == 0;
}

enum err pki_ca_create(const char *dir, const char *common_name, unsigned days)
{
	struct pair ca = {NULL, NULL};
	enum err e = ERR_CRYPTO;

	if (begin(&ca) && pki_begin(ca.crt, common_name, time(NULL) + (time_t)days * 86400) &&
	    gnutls_x509_crt_set_basic_constraints(ca.crt, 1, 0) == 0 && pki_add_key_id(ca.crt) &&
	    gnutls_x509_crt_set_key_usage(ca.crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN | GNUTLS_KEY_DIGITAL_SIGNATURE) == 0 &&
	    gnutls_x509_crt_sign2(ca.crt, ca.crt, ca.key, GNUTLS_DIG_SHA256, 0) == 0)
		e = save(dir, "ca", &ca);
	pair_clear(&ca);
	return e;
}

enum err pki_issue(const char *dir, const char *name, const char *identity, unsigned days)
{
	struct pair p = {NULL, NULL};
	char path[PKI_PATH_MAX];
	struct ca *ca;
	enum err e;

	snprintf(path, sizeof path, "%s/%s.key", dir, name);
	if (access(path, F_OK) == 0)
		return ERR_EXISTS;
	e = ca_open(dir, &ca);
	if (e != OK)
		return e;
	e = begin(&p) ? pki_certify(ca, p.crt, name, identity, days) : ERR_CRYPTO;
	if (e == OK)
		e = save(dir, name, &p);
	pair_clear(&p);
	ca_free(ca);
	return e;
}
