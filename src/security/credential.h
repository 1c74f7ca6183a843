/* The names of keys and of what they are for: Credential-IDs (TS-0003 10.4), Security Usage Identifiers (TS-0004 6.3.4.2.39), and key
 * identifiers `relative@FQDN` (TS-0003 10.3.4, 10.3.5, 10.5, 10.6). Names only: nothing here touches a key.
 *
 *	struct key_id id;
 *	if ((e = key_id_split(rd_str("a1b2...@maf.keyway.example"), &id)) == OK) ... id.relative, id.fqdn
 *
 * Identifiers are ASCII. TS-0003 has them in UTF-8 after NFKC, but TS-0001 7.2 makes each of them of RFC 3986's unreserved characters and of
 * domain names, which are ASCII, and on ASCII NFKC changes nothing. So what is not ASCII is refused (ERR_BAD_VALUE) instead of normalised:
 * two spellings of one name can then never be two names for one key. */
#ifndef KEYWAY_SECURITY_CREDENTIAL_H
#define KEYWAY_SECURITY_CREDENTIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/rd.h"

/* With the terminating zero. A domain name is at most 253 octets (RFC 1035); an absolute AE-ID is one, a CSE-ID and an AE-ID stem. */
#define FQDN_MAX 254
#define ENTITY_MAX 256        /* absolute ID, public domain name of a CSE, or client ID of MAF or MEF */
#define KEY_ID_RELATIVE_OCTETS 16
#define KEY_ID_MAX 316        /* 2 * 16 hexadecimal digits or a provisioned name, `@`, a domain name */
#define CREDENTIAL_ID_MAX 320 /* `12-` and a key identifier */

/* The type at the front of a Credential-ID. */
enum credential_type {
	CREDENTIAL_KPM = 10,          /* KpmID: pre-provisioned key of enrolee and MEF */
	CREDENTIAL_KM = 11,           /* KmID: enrolee and MAF */
	CREDENTIAL_KPSA_OR_KC = 12,   /* KpsaID, or the KcID that a MAF gave out: key of a security association */
	CREDENTIAL_ESPRIM = 13,       /* pairwiseESPrimKeyID */
	CREDENTIAL_ESDATA_DIRECT = 14,
	CREDENTIAL_ESDATA_WRAP = 15,
	CREDENTIAL_ESDATA_HMAC = 16,
	CREDENTIAL_RAW_KEY = 30,
	CREDENTIAL_DEVICE_CERT = 31,
	CREDENTIAL_CSE_CERT = 32,
	CREDENTIAL_AE_CERT = 33,
	CREDENTIAL_NODE_CERT = 34,
	CREDENTIAL_ENC_RAW_KEY = 41,  /* 41..45: the same five flavours for ESData encryption */
	CREDENTIAL_ENC_DEVICE_CERT = 42,
	CREDENTIAL_ENC_CSE_CERT = 43,
	CREDENTIAL_ENC_AE_CERT = 44,
	CREDENTIAL_ENC_NODE_CERT = 45,
	CREDENTIAL_SIG_RAW_KEY = 51,  /* 51..55: and for ESData signatures */
	CREDENTIAL_SIG_DEVICE_CERT = 52,
	CREDENTIAL_SIG_CSE_CERT = 53,
	CREDENTIAL_SIG_AE_CERT = 54,
	CREDENTIAL_SIG_NODE_CERT = 55,
};

struct credential_id {
	enum credential_type type;
	struct rd value; /* borrowed from the text */
};

/* ERR_MALFORMED: no `number-value`, or a character outside letters, digits and `._-@`; ERR_UNSUPPORTED: no such type. */
enum err credential_id_parse(struct rd text, struct credential_id *id) MUST_CHECK;
/* ERR_BAD_VALUE when the value has a character that a Credential-ID cannot hold, ERR_TOO_LONG. */
enum err credential_id_print(enum credential_type type, struct rd value, char text[static CREDENTIAL_ID_MAX]) MUST_CHECK;
/* As credential_id_print, of a key identifier. The B-TID of GBA is one too (base64(RAND)@FQDN), with three characters that a Credential-ID
 * cannot hold: it is written in base64url without padding there (project convention). */
enum err credential_id_of_key(enum credential_type type, struct rd key_id, char text[static CREDENTIAL_ID_MAX]) MUST_CHECK;
/* Domain names and hexadecimal digits compare without case, everything else with. */
bool credential_id_equal(struct rd a, struct rd b);

/* Security Usage Identifier: what a key is for and where it comes from. */
enum suid {
	SUID_NONE = 0,
	SUID_PPSK_MEF = 10, /* pre-provisioned */
	SUID_PPSK_MAF = 11,
	SUID_PPSK_SAEF = 12,
	SUID_PPSK_ESPRIM = 13,
	SUID_PPSK_ESDATA_ENC = 14,
	SUID_PPSK_ESDATA_SIG = 15,
	SUID_RSPF_MAF = 21, /* provisioned by the MEF */
	SUID_RSPF_SAEF = 22,
	SUID_RSPF_ESPRIM = 23,
	SUID_RSPF_ESDATA_ENC = 24,
	SUID_RSPF_ESDATA_SIG = 25,
	SUID_MAF_SAEF = 32, /* distributed by the MAF */
	SUID_MAF_ESPRIM = 33,
	SUID_MAF_ESDATA_ENC = 34,
	SUID_MAF_ESDATA_SIG = 35,
	SUID_CERT_MEF = 40,
	SUID_CERT_MAF = 41,
	SUID_CERT_SAEF = 42,
	SUID_CERT_ESPRIM = 43,
	SUID_CERT_ESDATA_ENC = 44,
	SUID_CERT_ESDATA_SIG = 45,
};
enum suid_family { SUID_FAMILY_NONE, SUID_FAMILY_PPSK, SUID_FAMILY_RSPF, SUID_FAMILY_MAF, SUID_FAMILY_CERT };
enum suid_usage { SUID_USAGE_NONE, SUID_USAGE_MEF, SUID_USAGE_MAF, SUID_USAGE_SAEF, SUID_USAGE_ESPRIM, SUID_USAGE_ESDATA_ENC, SUID_USAGE_ESDATA_SIG };

/* ERR_BAD_VALUE for a number that TS-0004 does not list. */
enum err suid_parse(uint64_t number, enum suid *suid) MUST_CHECK;
enum suid_family suid_family(enum suid suid); /* SUID_FAMILY_NONE for SUID_NONE */
enum suid_usage suid_usage(enum suid suid);
const char *suid_text(enum suid suid); /* a few words for a log or a person; never NULL */
/* Exactly one target for SAEF and ESPrim, at least one for ESData, none counted for the rest (TS-0003 8.3.5, 8.8.2). */
bool suid_targets_fit(enum suid suid, size_t targets) MUST_CHECK;
/* The type of Credential-ID under which a symmetric key of this usage goes; false for certificates and SUID_NONE. */
bool suid_credential_type(enum suid suid, enum credential_type *type) MUST_CHECK;

/* Key identifiers: `relative@FQDN`. */
struct key_id {
	struct rd relative; /* borrowed: hexadecimal, base64 (B-TID), or a provisioned name of letters, digits and `._-` */
	struct rd fqdn;     /* borrowed */
};

/* ERR_MALFORMED: not one `@` with both sides filled, a stray character, or no domain name; ERR_TOO_LONG; ERR_BAD_VALUE: not ASCII. */
enum err key_id_split(struct rd text, struct key_id *id) MUST_CHECK;
/* hexBinary: upper-case digits, as XML Schema's canonical form has them. ERR_BAD_VALUE: no domain name. */
enum err key_id_print(const uint8_t relative[static KEY_ID_RELATIVE_OCTETS], struct rd fqdn, char text[static KEY_ID_MAX]) MUST_CHECK;
/* The 16 octets of a hexadecimal relative part; false when it is none. */
bool key_id_octets(const struct key_id *id, uint8_t relative[static KEY_ID_RELATIVE_OCTETS]) MUST_CHECK;
/* The domain name without case; the relative part without case when both are 32 hexadecimal digits, or when `any_case` (KmID, TS-0003 10.6). */
bool key_id_equal(struct rd a, struct rd b, bool any_case);

/* Labels of letters, digits and inner hyphens, each at most 63 octets, 253 in all (RFC 1123); a dot at the end is refused. */
bool fqdn_valid(struct rd text) MUST_CHECK;
bool fqdn_equal(struct rd a, struct rd b); /* without case */
/* Printable ASCII without blanks, not empty, shorter than ENTITY_MAX: what may be mixed into a derivation as an identifier. */
bool entity_valid(struct rd text) MUST_CHECK;

#endif
