/* Every derivation of keys in oneM2M (TS-0003 10.3), one function each, on secrets. `||` is concatenation without separators. The vectors are
 * tests/vectors/derivations.json, computed by a program in another language.
 *
 * Each function makes a new secret that the caller frees. All fail with ERR_BAD_VALUE for an identifier that entity_valid() refuses (see
 * security/credential.h for why there is no NFKC) or a key of the wrong length, ERR_NO_MEMORY, and leave the output untouched then.
 * A key derived from Ke must not outlive Ke (TS-0003 10.7): the caller carries the expiry along. */
#ifndef KEYWAY_SECURITY_DERIVE_H
#define KEYWAY_SECURITY_DERIVE_H

#include "keys/secret.h"
#include "security/credential.h"

/* RFC 5705 exporters: label, 48 octets, no context value. */
#define DERIVE_LABEL_BOOTSTRAP "EXPORTER-oneM2M-Bootstrap"   /* Ke, RelativeKeyID (TS-0003 10.3.1, 10.3.4) */
#define DERIVE_LABEL_CONNECTION "EXPORTER-oneM2M-Connection" /* Kc, KcID (10.3.2, 10.3.5) */
#define DERIVE_LABEL_ESCERTKE "EXPORTER-oneM2M-ESCertKE"     /* pairwiseE2EKey and its ID (8.7) */
#define DERIVE_EXPORT_OCTETS 48
#define DERIVE_KEY_OCTETS 32

/* What the exporter gave: the most significant 16 octets are the identifier (no secret), the least significant 32 the key. */
enum err derive_from_export(const struct secret *exported, uint8_t relative_id[static KEY_ID_RELATIVE_OCTETS],
    struct secret **key) MUST_CHECK;

/* Km = HMAC-SHA-256(Ke, "oneM2M Enrolment Key to Master Credential derivation" || MAF-ID); the MAF-ID is the MAF's FQDN. */
enum err derive_km(const struct secret *ke, struct rd maf_id, struct secret **km) MUST_CHECK;

/* Kpsa = HMAC-SHA-256(Ke, "oneM2M Enrolment Key to Provisioned Secure Connection Key derivation" || CSE-ID or AE-ID of B). */
enum err derive_kpsa(const struct secret *ke, struct rd enrolee_b_id, struct secret **kpsa) MUST_CHECK;

/* HMAC-SHA-256(Ke, "oneM2M Enrolment Key to Usage-Constrained Symmetric Key derivation" || SUID || target). The SUID goes in as decimal digits,
 * such as "21" (project convention, TS-0003 does not say); the target as an FQDN: a CSE's or AE's public domain name. */
enum err derive_usage_key(const struct secret *ke, enum suid suid, struct rd target_fqdn, struct secret **key) MUST_CHECK;

/* sessionESPrimKey = HMAC-SHA-256(pairwiseESPrimKey, receiver's rand object || originator's rand object ||
 * "oneM2M HMAC-SHA256 sessionESPrimKey derivation algorithm"). The objects are the octets of their JSON text exactly as they were carried
 * (project convention): whoever parses one keeps its octets. */
enum err derive_session_esprim(const struct secret *pairwise, struct rd receiver_object, struct rd originator_object,
    struct secret **session) MUST_CHECK;

/* End-to-end keys (TS-0003 10.3.6, RFC 5869): master = HMAC(salt, Kpsa); T(n) = HMAC(master, T(n-1) || label || n). With AEAD one of the
 * message keys serves both purposes. Empty them with derive_e2e_clear. */
struct derive_e2e {
	struct secret *message_authentication;
	struct secret *message_confidentiality;
	struct secret *attribute_authenticity;
	struct secret *attribute_confidentiality;
};
enum err derive_e2e(const struct secret *kpsa, struct rd salt, struct derive_e2e *keys) MUST_CHECK;
void derive_e2e_clear(struct derive_e2e *keys);

/* How a distributed key is used (TS-0003 8.3.5.1, 8.8.1: "the first half"). The texts contradict each other: the PSK of an association is the
 * whole Kc (8.2.2.3). Here is the one rule: the protocol gets the first octets that it needs. 16 of 32 are the first half (A128GCM, A128KW);
 * 24 serve A192GCM; 32, the whole key, serve A256GCM, PSK and HMAC. `octets` 16, 24 or 32, at most the key's own. */
enum err derive_for_use(const struct secret *key, size_t octets, struct secret **used) MUST_CHECK;

#endif
