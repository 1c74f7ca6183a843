/* Requests for certificates, PKCS#10 in the profile of TS-0003 clause 10.1.4. */
#include <string.h>

#include "base/bytes.h"
#include "pki/pki_private.h"

#define DER_UTF8_STRING 0x0c
#define VALUE_MAX 256

static enum err wrong(enum err e, const char **why, const char *text)
{
	*why = text;
	return e;
}

/* Nothing that could pass for another name, or end a line of the index. */
static bool is_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] == 0x7f || (unsigned char)text[i] >= 0x80 || text[i] == '*')
			return false;
	return len > 0;
}

static bool other_name(gnutls_x509_crq_t crq, unsigned index, struct rd der, char name[static PKI_NAME_MAX])
{
	char oid[128];
	size_t oid_len = sizeof oid;
	uint8_t tag, len;
	struct rd value;
	struct wr w = wr_of(name, PKI_NAME_MAX - 1);

	if (gnutls_x509_crq_get_subject_alt_othername_oid(crq, index, oid, &oid_len) < 0 || !rd_u8(&der, &tag) || tag != DER_UTF8_STRING ||
	    !rd_u8(&der, &len) || len > 127 || !rd_sub(&der, len, &value) || !rd_end(&der))
		return false;
	wr_fmt(&w, "oid:%s/", oid);
	wr_rd(&w, value);
	name[w.len] = '\0';
	return !w.spoilt && strlen(name) == w.len;
}

/* The name at `index`; its type, negative at the end. */
static int name_at(gnutls_x509_crq_t crq, unsigned index, char name[static PKI_NAME_MAX])
{
	char value[VALUE_MAX];
	size_t len = sizeof value;
	unsigned type = 0;
	int r = gnutls_x509_crq_get_subject_alt_name(crq, index, value, &len, &type, NULL);

	name[0] = '\0';
	if (r < 0)
		return r;
	if (type == GNUTLS_SAN_OTHERNAME)
		return other_name(crq, index, rd_of(value, len), name) ? r : (int)GNUTLS_SAN_IPADDRESS;
	if (len > 0 && value[len - 1] == '\0')
		len--;
	if (len >= PKI_NAME_MAX)
		return (int)GNUTLS_SAN_IPADDRESS;
	memcpy(name, value, len);
	name[len] = '\0';
	/* one that looks like the other kind would pass for it */
	if (r == (int)GNUTLS_SAN_DNSNAME && !memchr(name, ':', len))
		return r;
	return r == (int)GNUTLS_SAN_URI && memchr(name, ':', len) && strncmp(name, "oid:", 4) != 0 && strncmp(name, "ni:", 3) != 0 ? r : (int)GNUTLS_SAN_IPADDRESS;
}

/* GnuTLS gives it as a part of a distinguished name is written (RFC 4514), with backslashes before what would be special there. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from == '\\' && from[1])
			from++;
		*to++ = *from;
	}
	*to = '\0';
}

static enum err read_names(struct csr *c, const char **why)
{
	char second[PKI_NAME_MAX];
	size_t len = sizeof c->common_name;
	int type = name_at(c->request, 0, c->name);

	if (type < 0)
		return wrong(ERR_BAD_VALUE, why, "the request has no subjectAltName");
	if (type == (int)GNUTLS_SAN_IPADDRESS || !is_name(c->name, strlen(c->name)))
		return wrong(ERR_BAD_VALUE, why, "the subjectAltName of the request is neither a dNSName, a URI nor a device's otherName");
	if (name_at(c->request, 1, second) != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return wrong(ERR_BAD_VALUE, why, "the request has more than one subjectAltName");
	if (gnutls_x509_crq_get_dn_by_oid(c->request, GNUTLS_OID_X520_COMMON_NAME, 0, 0, c->common_name, &len) < 0)
		c->common_name[0] = '\0';
	for (char *t = c->common_name; *t; t++)
		if ((unsigned char)*t < ' ' || *t == 0x7f || *t == '/')
			return wrong(ERR_BAD_VALUE, why, "the common name of the request has a character that it cannot have");
	len = sizeof c->challenge;
	if (gnutls_x509_crq_get_challenge_password(c->request, c->challenge, &len) < 0)
		c->challenge[0] = '\0';
	unescape(c->challenge);
	return OK;
}

static enum err read_key(gnutls_x509_crq_t crq, const char **why)
{
	gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
	gnutls_datum_t x = {0}, y = {0};
	unsigned bits = 0;
	bool good = gnutls_x509_crq_get_pk_algorithm(crq, &bits) == GNUTLS_PK_ECDSA;

	if (good) {
		gnutls_pubkey_t key;

		if (gnutls_pubkey_init(&key) != 0)
			return ERR_NO_MEMORY;
		good = gnutls_pubkey_import_x509_crq(key, crq, 0) == 0 && gnutls_pubkey_export_ecc_raw(key, &curve, &x, &y) == 0 &&
		    curve == GNUTLS_ECC_CURVE_SECP256R1;
		gnutls_free(x.data);
		gnutls_free(y.data);
		gnutls_pubkey_deinit(key);
	}
	if (!good)
		return wrong(ERR_UNSUPPORTED, why, "the key of the request is not on secp256r1");
	if (gnutls_x509_crq_get_signature_algorithm(crq) != GNUTLS_SIGN_ECDSA_SHA256)
		return wrong(ERR_UNSUPPORTED, why, "the request is not signed with ECDSA and SHA-256");
	if (gnutls_x509_crq_verify(crq, 0) != 0)
		return wrong(ERR_BAD_MIC, why, "the request is not signed by its own key");
	return OK;
}

enum err csr_read(struct rd der, struct csr *out, const char **why)
{
	gnutls_datum_t in = {NULL, (unsigned)der.left};
	gnutls_x509_crq_t crq;
	enum err e;

	*out = (struct csr){.request = NULL};
	*why = "the request is no PKCS#10";
	if (der.left == 0 || der.left > PKI_DER_MAX)
		return ERR_TOO_LONG;
	if (gnutls_x509_crq_init(&crq) != 0)
		return ERR_NO_MEMORY;
	in.data = gnutls_malloc(der.left); /* its type is not const */
	if (!in.data) {
		gnutls_x509_crq_deinit(crq);
		return ERR_NO_MEMORY;
	}
	memcpy(in.data, der.at, der.left);
	out->request = crq;
	e = gnutls_x509_crq_import(crq, &in, GNUTLS_X509_FMT_DER) == 0 ? read_key(crq, why) : ERR_MALFORMED;
	gnutls_free(in.data);
	if (e == OK)
		e = read_names(out, why);
	if (e != OK)
		csr_clear(out);
	return e;
}

enum err csr_read_any(struct rd octets, struct csr *out, const char **why)
{
	static const char *const titles[] = {"NEW CERTIFICATE REQUEST", "CERTIFICATE REQUEST"};
	gnutls_datum_t pem = {gnutls_malloc(octets.left + 1), (unsigned)octets.left}, der = {0};
	enum err e;

	if (!pem.data)
		return ERR_NO_MEMORY;
	memcpy(pem.data, octets.at, octets.left);
	for (size_t i = 0; !der.data && i < sizeof titles / sizeof titles[0]; i++)
		if (gnutls_pem_base64_decode2(titles[i], &pem, &der) != 0)
			der = (gnutls_datum_t){0};
	e = csr_read(der.data ? rd_of(der.data, der.size) : octets, out, why);
	gnutls_free(der.data);
	gnutls_free(pem.data);
	return e;
}

void csr_clear(struct csr *c)
{
	if (c->request)
		gnutls_x509_crq_deinit(c->request);
	*c = (struct csr){.request = NULL};
}
