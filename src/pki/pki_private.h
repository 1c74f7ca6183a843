/* What pki.c, ca.c, csr.c and ca_index.c share. */
#ifndef KEYWAY_PKI_PKI_PRIVATE_H
#define KEYWAY_PKI_PKI_PRIVATE_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <time.h>

#include "pki/ca.h"

#define PKI_PATH_MAX 4096

struct ca {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
	gnutls_datum_t der;
	char dir[PKI_PATH_MAX / 2];
};

/* Version, serial number, dates and subject: what every certificate has. */
bool pki_begin(gnutls_x509_crt_t crt, const char *common_name, time_t until);
bool pki_add_key_id(gnutls_x509_crt_t crt);
/* Sets subjectAltName by how the name is written; false also for one that cannot be. */
bool pki_set_name(gnutls_x509_crt_t crt, const char *name);
/* Makes a certificate for an end entity of what has its key already, signs it, and records it. */
enum err pki_certify(struct ca *ca, gnutls_x509_crt_t crt, const char *common_name, const char *name, unsigned days);

/* ca_index.c */
enum err ca_index_add(const struct ca *ca, const struct ca_entry *e) MUST_CHECK;
/* fn may change the entry and return true: then the whole index is written anew, once. */
enum err ca_index_walk(const struct ca *ca, bool (*fn)(void *ctx, struct ca_entry *e), void *ctx) MUST_CHECK;

#endif
