/* Dates and names of a certificate. */
#include "est/certificate_life.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

static void name_of(gnutls_x509_crt_t crt, struct certificate_life *l)
{
	size_t len;
	int type;

	for (unsigned i = 0;; i++) {
		len = sizeof l->name - 1;
		type = gnutls_x509_crt_get_subject_alt_name(crt, i, l->name, &len, NULL);
		if (type == GNUTLS_SAN_DNSNAME || type == GNUTLS_SAN_URI) {
			l->name[len] = '\0';
			return;
		}
		l->name[0] = '\0';
		if (type < 0)
			return;
	}
}

enum err certificate_life_read(const char *path, struct certificate_life *l)
{
	uint8_t digest[32];
	size_t len = sizeof digest;
	gnutls_datum_t pem = {0};
	gnutls_x509_crt_t crt;
	enum err e = ERR_MALFORMED;

	memset(l, 0, sizeof *l);
	if (gnutls_load_file(path, &pem) != 0)
		return ERR_NOT_FOUND;
	if (gnutls_x509_crt_init(&crt) == 0) {
		if (gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM) == 0 && gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, digest, &len) == 0) {
			l->from = (uint64_t)gnutls_x509_crt_get_activation_time(crt);
			l->until = (uint64_t)gnutls_x509_crt_get_expiration_time(crt);
			name_of(crt, l);
			hex_print(l->fingerprint, digest, sizeof digest);
			e = l->until > l->from ? OK : ERR_MALFORMED;
		}
		gnutls_x509_crt_deinit(crt);
	}
	gnutls_free(pem.data);
	return e;
}

uint64_t certificate_life_due(const struct certificate_life *l)
{
	return l->from + (l->until - l->from) / 3 * 2;
}

static bool ends(const char *text, const char *with)
{
	size_t n = strlen(text), m = strlen(with);

	return n > m && strcmp(text + n - m, with) == 0;
}

bool certificate_files_split(const char *cert, const char *key, char *dir, char *file, size_t size)
{
	const char *slash = strrchr(cert, '/'), *name = slash ? slash + 1 : cert;
	size_t stem = strlen(cert) > 4 ? strlen(cert) - 4 : 0;

	if (!ends(name, ".pem") || !ends(key, ".key") || strlen(key) != strlen(cert) || strncmp(cert, key, stem) != 0 || strlen(cert) >= size)
		return false;
	snprintf(dir, size, "%.*s", slash ? (int)(slash - cert) : 1, slash ? cert : ".");
	if (slash == cert)
		snprintf(dir, size, "/");
	snprintf(file, size, "%.*s", (int)(strlen(name) - 4), name);
	return true;
}
