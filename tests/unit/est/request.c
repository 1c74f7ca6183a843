#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pki/pki.h"
#include "request.h"

static void add_device(gnutls_x509_crq_t crq, const char *value)
{
	uint8_t der[130] = {0x0c, (uint8_t)strlen(value)};

	memcpy(der + 2, value, strlen(value));
	assert_int_equal(gnutls_x509_crq_set_subject_alt_othername(crq, "1.3.6.1.4.1.99999.7", der, (unsigned)strlen(value) + 2, GNUTLS_FSAN_APPEND), 0);
}

static void add_name(gnutls_x509_crq_t crq, gnutls_x509_subject_alt_name_t kind, const char *text)
{
	if (text)
		assert_int_equal(gnutls_x509_crq_set_subject_alt_name(crq, kind, text, (unsigned)strlen(text), GNUTLS_FSAN_APPEND), 0);
}

struct rd request_make(const struct request_plan *p, uint8_t der[static REQUEST_MAX])
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crq_t crq;
	size_t len = REQUEST_MAX;

	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(key, p->pk ? p->pk : GNUTLS_PK_ECDSA,
	    p->bits ? p->bits : GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), 0);
	assert_int_equal(gnutls_x509_crq_init(&crq), 0);
	assert_int_equal(gnutls_x509_crq_set_version(crq, 1), 0);
	assert_int_equal(gnutls_x509_crq_set_key(crq, key), 0);
	if (p->common_name)
		assert_int_equal(gnutls_x509_crq_set_dn_by_oid(crq, GNUTLS_OID_X520_COMMON_NAME, 0, p->common_name, (unsigned)strlen(p->common_name)), 0);
	add_name(crq, GNUTLS_SAN_DNSNAME, p->dns);
	add_name(crq, GNUTLS_SAN_URI, p->uri);
	add_name(crq, GNUTLS_SAN_DNSNAME, p->second_dns);
	if (p->ip)
		assert_int_equal(gnutls_x509_crq_set_subject_alt_name(crq, GNUTLS_SAN_IPADDRESS, "\x7f\0\0\1", 4, GNUTLS_FSAN_APPEND), 0);
	if (p->device)
		add_device(crq, p->device);
	if (p->challenge)
		assert_int_equal(gnutls_x509_crq_set_challenge_password(crq, p->challenge), 0);
	assert_int_equal(gnutls_x509_crq_sign2(crq, key, p->hash ? p->hash : GNUTLS_DIG_SHA256, 0), 0);
	assert_int_equal(gnutls_x509_crq_export(crq, GNUTLS_X509_FMT_DER, der, &len), 0);
	gnutls_x509_crq_deinit(crq);
	gnutls_x509_privkey_deinit(key);
	return rd_of(der, len);
}

char *directory_make(void)
{
	char path[] = "/tmp/keyway-ca-XXXXXX", *dir = strdup(path);

	assert_non_null(mkdtemp(dir));
	assert_int_equal(pki_ca_create(dir, "Test CA", 30), OK);
	return dir;
}

void directory_remove(char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	char path[512];

	while (d && (entry = readdir(d)) != NULL) {
		snprintf(path, sizeof path, "%s/%.200s", dir, entry->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(dir);
	free(dir);
}
