/* Names in certificates and of raw public keys. TS-0003 clauses 8.1.2 and 10.1, RFC 6920. */
#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "tls/tls_private.h"

#define SHA256 32

enum der_tag { DER_OBJECT_IDENTIFIER = 0x06, DER_UTF8_STRING = 0x0c, DER_RELATIVE_OID = 0x0d, DER_PRINTABLE_STRING = 0x13, DER_IA5_STRING = 0x16 };

/* ---- subjectAltName ---- */

/* Nothing that could be taken for another name: a blank would make two of one, a wildcard is not to be in such a certificate (clause 10.1). */
static bool is_name(struct rd text)
{
	uint8_t c;

	if (text.left == 0 || text.left >= ENTITY_MAX)
		return false;
	while (rd_u8(&text, &c))
		if (c <= ' ' || c >= 0x7f || c == '*')
			return false;
	return true;
}

/* Base 128, the first arc apart. */
static void put_arcs(struct wr *w, struct rd octets, bool whole)
{
	uint64_t v = 0;
	bool first = whole;
	uint8_t c;

	while (rd_u8(&octets, &c)) {
		v = v << 7 | (c & 0x7f);
		if (c & 0x80)
			continue;
		if (first)
			wr_fmt(w, ".%u.%llu", v < 80 ? (unsigned)(v / 40) : 2U, (unsigned long long)(v < 80 ? v % 40 : v - 80));
		else
			wr_fmt(w, ".%llu", (unsigned long long)v);
		first = false;
		v = 0;
	}
}

/* TS-0001 annex H: the type-id is the M2M Device Indication ID's arc, the value what goes on from it. */
static void put_device(struct wr *w, const char *type_id, struct rd der)
{
	uint8_t tag, len;
	struct rd value;

	wr_fmt(w, "oid:%s", type_id);
	if (!rd_u8(&der, &tag) || !rd_u8(&der, &len) || len > 127 || !rd_sub(&der, len, &value) || !rd_end(&der) || len == 0) {
		w->spoilt = true;
		return;
	}
	switch ((enum der_tag)tag) {
	case DER_OBJECT_IDENTIFIER:
	case DER_RELATIVE_OID:
		put_arcs(w, value, tag == DER_OBJECT_IDENTIFIER);
		return;
	case DER_UTF8_STRING:
	case DER_PRINTABLE_STRING:
	case DER_IA5_STRING:
		wr_u8(w, '.');
		wr_rd(w, value);
		return;
	}
	w->spoilt = true;
}

static bool put_name(struct wr *names, gnutls_x509_crt_t crt, unsigned index, int type, struct rd value)
{
	char oid[128], text[TLS_NAME_MAX];
	struct wr w = wr_of(text, sizeof text);
	struct rd name = value;
	size_t oid_len = sizeof oid;

	if (type == GNUTLS_SAN_OTHERNAME) {
		if (gnutls_x509_crt_get_subject_alt_othername_oid(crt, index, oid, &oid_len) < 0)
			return false;
		put_device(&w, oid, value);
		if (!wr_done(&w, &name))
			return false;
	} else if (type != GNUTLS_SAN_DNSNAME && type != GNUTLS_SAN_URI) {
		return true; /* says nothing that matters here */
	}
	/* A dNSName that looks like a URI, or the other way round, would pass for what it is not. */
	if (!is_name(name) || (type == GNUTLS_SAN_DNSNAME && memchr(name.at, ':', name.left)) || (type == GNUTLS_SAN_URI && !memchr(name.at, ':', name.left)) ||
	    (type == GNUTLS_SAN_URI && (rd_starts(name, "oid:") || rd_starts(name, "ni:"))))
		return false;
	if (names->len > 0)
		wr_u8(names, ' ');
	wr_rd(names, name);
	return true;
}

bool tls_names_of(gnutls_x509_crt_t crt, char names[static TLS_IDENTITIES_MAX])
{
	struct wr w = wr_of(names, TLS_IDENTITIES_MAX - 1);
	char value[TLS_NAME_MAX];
	int type;

	for (unsigned i = 0;; i++) {
		size_t len = sizeof value;

		type = gnutls_x509_crt_get_subject_alt_name(crt, i, value, &len, NULL);
		if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (type < 0)
			return false;
		/* of a text GnuTLS counts a zero at the end sometimes */
		if (type != GNUTLS_SAN_OTHERNAME && len > 0 && value[len - 1] == '\0')
			len--;
		if (!put_name(&w, crt, i, type, rd_of(value, len)))
			return false;
	}
	names[w.len] = '\0';
	return !w.spoilt;
}

/* ---- raw public keys ---- */

static void base64_url(struct rd octets, char *text, size_t size)
{
	struct wr w = wr_of(text, size - 1);

	base64_print(&w, octets);
	while (w.len > 0 && text[w.len - 1] == '=')
		w.len--;
	text[w.len] = '\0';
	for (char *c = text; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
}

void tls_ni(const gnutls_datum_t *spki, unsigned bits, char name[static TLS_NI_MAX])
{
	uint8_t hash[SHA256];
	char value[48], algorithm[16] = "sha-256";

	gnutls_hash_fast(GNUTLS_DIG_SHA256, spki->data, spki->size, hash);
	base64_url(rd_of(hash, bits / 8), value, sizeof value);
	if (bits != 8 * SHA256)
		snprintf(algorithm, sizeof algorithm, "sha-256-%u", bits);
	snprintf(name, TLS_NI_MAX, "ni:///%s;%s", algorithm, value);
}

bool tls_ni_is(const gnutls_datum_t *spki, const char *name)
{
	static const unsigned cuts[] = {256, 128, 120};
	char own[TLS_NI_MAX];

	for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
		tls_ni(spki, cuts[i], own);
		if (strcmp(own, name) == 0)
			return true;
	}
	return false;
}

enum err tls_public_key_name(const char *path, char name[static TLS_NI_MAX])
{
	gnutls_datum_t pem = {0}, der = {0};
	gnutls_privkey_t private_key = NULL;
	gnutls_pubkey_t key = NULL;
	enum err e = ERR_CONFIG;

	if (gnutls_load_file(path, &pem) != 0 || gnutls_pubkey_init(&key) != 0 || gnutls_privkey_init(&private_key) != 0)
		goto out;
	if (gnutls_pubkey_import(key, &pem, GNUTLS_X509_FMT_PEM) != 0 &&
	    (gnutls_privkey_import_x509_raw(private_key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0) != 0 || gnutls_pubkey_import_privkey(key, private_key, 0, 0) != 0))
		goto out;
	if (gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &der) != 0)
		goto out;
	tls_ni(&der, 256, name);
	e = OK;
out:
	if (pem.data)
		bytes_wipe(pem.data, pem.size);
	gnutls_free(pem.data);
	gnutls_free(der.data);
	if (key)
		gnutls_pubkey_deinit(key);
	if (private_key)
		gnutls_privkey_deinit(private_key);
	return e;
}

/* ---- Credential-ID ---- */

/* Type 30 a raw public key, 31 a device, 32 a CSE-ID, 33 an AE-ID, 34 a node; its value has letters, digits and "._-@" only. */
void tls_credential_of(const char *names, const gnutls_datum_t *spki, char credential[static CREDENTIAL_ID_MAX])
{
	char name[TLS_NI_MAX];
	const char *value = names;
	int type = strncmp(names, "oid:", 4) == 0 ? 31 : strncmp(names, "m2m:", 4) == 0 ? 33 : strncmp(names, "urn:", 4) == 0 ? 34 : 32;

	if (spki) {
		tls_ni(spki, 256, name);
		type = 30;
		value = strchr(name, ';') + 1;
	} else if (type == 31) {
		value += 4;
	} else if (type == 33) {
		value += 6;
	}
	snprintf(credential, CREDENTIAL_ID_MAX, "%d-%.*s", type, (int)strcspn(value, " "), value);
	for (char *c = credential; *c; c++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-@", *c))
			*c = '.';
}
