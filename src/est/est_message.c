/* The messages of EST. */
#include "est/est_message.h"

#include <gnutls/pkcs7.h>
#include <string.h>

#include "base/bytes.h"

#define LINE 48 /* octets that make 64 characters */
#define DEPTH_MAX 8

enum der_tag { DER_OBJECT_IDENTIFIER = 0x06, DER_SEQUENCE = 0x30, DER_SET = 0x31 };

/* Contents of the object identifiers. */
static const uint8_t oid_challenge[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x07};         /* 1.2.840.113549.1.9.7 */
static const uint8_t oid_extension_request[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e}; /* 1.2.840.113549.1.9.14 */
static const uint8_t oid_subject_alt_name[] = {0x55, 0x1d, 0x11};                                     /* 2.5.29.17 */
static const uint8_t oid_ec_public_key[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};                /* 1.2.840.10045.2.1 */
static const uint8_t oid_secp256r1[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};              /* 1.2.840.10045.3.1.7 */

/* ---- base64 ---- */

void est_base64(struct wr *out, struct rd octets)
{
	struct rd line;

	while (octets.left > LINE && rd_sub(&octets, LINE, &line)) {
		base64_print(out, line);
		wr_str(out, "\r\n");
	}
	base64_print(out, octets);
	wr_str(out, "\r\n");
}

enum err est_unbase64(struct rd text, struct wr *octets)
{
	struct wr joined = wr_new(text.left + 1);
	struct rd dense;
	uint8_t c;
	bool good;

	while (rd_u8(&text, &c))
		if (c != '\r' && c != '\n' && c != ' ' && c != '\t')
			wr_u8(&joined, c);
	good = wr_done(&joined, &dense) && dense.left > 0 && base64_parse(dense, octets);
	wr_free(&joined);
	if (good && octets->spoilt)
		return ERR_TOO_LONG;
	return good ? OK : ERR_MALFORMED;
}

/* ---- certificates ---- */

enum err est_certificates(struct rd certificate, struct wr *der)
{
	gnutls_datum_t crt = {gnutls_malloc(certificate.left), (unsigned)certificate.left}, out = {0};
	gnutls_pkcs7_t p = NULL;
	enum err e = ERR_CRYPTO;

	if (crt.data && gnutls_pkcs7_init(&p) == 0) {
		memcpy(crt.data, certificate.at, certificate.left);
		if (gnutls_pkcs7_set_crt_raw(p, &crt) == 0 && gnutls_pkcs7_export2(p, GNUTLS_X509_FMT_DER, &out) == 0) {
			wr_copy(der, out.data, out.size);
			e = der->spoilt ? ERR_TOO_LONG : OK;
		}
	}
	gnutls_free(out.data);
	gnutls_free(crt.data);
	if (p)
		gnutls_pkcs7_deinit(p);
	return e;
}

enum err est_certificates_each(struct rd der, void (*fn)(void *ctx, struct rd certificate), void *ctx)
{
	gnutls_datum_t in = {gnutls_malloc(der.left + 1), (unsigned)der.left};
	gnutls_pkcs7_t p = NULL;
	enum err e = ERR_MALFORMED;
	int n = 0;

	if (in.data && gnutls_pkcs7_init(&p) == 0) {
		memcpy(in.data, der.at, der.left);
		if (der.left > 0 && gnutls_pkcs7_import(p, &in, GNUTLS_X509_FMT_DER) == 0)
			n = gnutls_pkcs7_get_crt_count(p);
		for (int i = 0; i < n; i++) {
			gnutls_datum_t crt = {0};

			if (gnutls_pkcs7_get_crt_raw2(p, (unsigned)i, &crt) != 0)
				break;
			fn(ctx, rd_of(crt.data, crt.size));
			gnutls_free(crt.data);
			e = OK;
		}
	}
	gnutls_free(in.data);
	if (p)
		gnutls_pkcs7_deinit(p);
	return e;
}

/* ---- attributes ---- */

static void put(struct wr *w, enum der_tag tag, const uint8_t *octets, size_t len)
{
	wr_u8(w, (uint8_t)tag);
	wr_u8(w, (uint8_t)len); /* all of ours are short */
	wr_copy(w, octets, len);
}

/* Attribute: SEQUENCE { type, SET { value } } */
static void put_attribute(struct wr *w, const uint8_t *type, size_t type_len, const uint8_t *value, size_t value_len)
{
	wr_u8(w, DER_SEQUENCE);
	wr_u8(w, (uint8_t)(2 + type_len + 4 + value_len));
	put(w, DER_OBJECT_IDENTIFIER, type, type_len);
	wr_u8(w, DER_SET);
	wr_u8(w, (uint8_t)(2 + value_len));
	put(w, DER_OBJECT_IDENTIFIER, value, value_len);
}

void est_attributes(struct wr *der, const struct est_attributes *a)
{
	uint8_t buffer[120];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd all;

	if (a->challenge)
		put(&w, DER_OBJECT_IDENTIFIER, oid_challenge, sizeof oid_challenge);
	if (a->secp256r1)
		put_attribute(&w, oid_ec_public_key, sizeof oid_ec_public_key, oid_secp256r1, sizeof oid_secp256r1);
	if (a->name)
		put_attribute(&w, oid_extension_request, sizeof oid_extension_request, oid_subject_alt_name, sizeof oid_subject_alt_name);
	if (wr_done(&w, &all))
		put(der, DER_SEQUENCE, all.at, all.left);
	else
		der->spoilt = true;
}

/* Takes one element; lengths of one, two and three octets. */
static bool take(struct rd *r, uint8_t *tag, struct rd *value)
{
	struct rd at = *r;
	uint8_t first, low;
	uint16_t wide;
	size_t len;

	if (!rd_u8(&at, tag) || !rd_u8(&at, &first))
		return false;
	if (first < 0x80)
		len = first;
	else if (first == 0x81 && rd_u8(&at, &low))
		len = low;
	else if (first == 0x82 && rd_be16(&at, &wide))
		len = wide;
	else
		return false;
	if (!rd_sub(&at, len, value))
		return false;
	*r = at;
	return true;
}

static bool walk(struct rd r, unsigned depth, struct est_attributes *a)
{
	while (!rd_end(&r)) {
		uint8_t tag;
		struct rd value;

		if (!take(&r, &tag, &value))
			return false;
		if (tag == DER_OBJECT_IDENTIFIER) {
			a->challenge |= rd_equal(value, rd_of(oid_challenge, sizeof oid_challenge));
			a->name |= rd_equal(value, rd_of(oid_subject_alt_name, sizeof oid_subject_alt_name));
			a->secp256r1 |= rd_equal(value, rd_of(oid_secp256r1, sizeof oid_secp256r1));
		} else if ((tag == DER_SEQUENCE || tag == DER_SET) && (depth >= DEPTH_MAX || !walk(value, depth + 1, a))) {
			return false;
		}
	}
	return true;
}

enum err est_attributes_read(struct rd der, struct est_attributes *a)
{
	uint8_t tag;
	struct rd all;

	*a = (struct est_attributes){0};
	return take(&der, &tag, &all) && tag == DER_SEQUENCE && rd_end(&der) && walk(all, 0, a) ? OK : ERR_MALFORMED;
}
