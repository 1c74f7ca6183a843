/* The derivations of TS-0003 10.3. */
#include "security/derive.h"

#include <stdio.h>

#include "crypto/kdf.h"

#define LABEL_KM "oneM2M Enrolment Key to Master Credential derivation"
#define LABEL_KPSA "oneM2M Enrolment Key to Provisioned Secure Connection Key derivation"
#define LABEL_USAGE "oneM2M Enrolment Key to Usage-Constrained Symmetric Key derivation"
#define LABEL_ESPRIM "oneM2M HMAC-SHA256 sessionESPrimKey derivation algorithm"

enum err derive_from_export(const struct secret *exported, uint8_t relative_id[static KEY_ID_RELATIVE_OCTETS], struct secret **key)
{
	enum err e;

	if (secret_len(exported) != DERIVE_EXPORT_OCTETS)
		return ERR_BAD_VALUE;
	e = kdf_part(exported, KEY_ID_RELATIVE_OCTETS, DERIVE_KEY_OCTETS, key);
	if (e == OK && !kdf_public_head(exported, relative_id, KEY_ID_RELATIVE_OCTETS))
		return ERR_INTERNAL;
	return e;
}

/* HMAC(Ke, label || name), where Ke is always 32 octets and the name an identifier. */
static enum err from_enrolment_key(const struct secret *ke, const char *label, struct rd before, struct rd name, struct secret **key)
{
	struct rd parts[] = {rd_str(label), before, name};

	if (secret_len(ke) != DERIVE_KEY_OCTETS || !entity_valid(name))
		return ERR_BAD_VALUE;
	return kdf_hmac(ke, parts, sizeof parts / sizeof *parts, key);
}

enum err derive_km(const struct secret *ke, struct rd maf_id, struct secret **km)
{
	return from_enrolment_key(ke, LABEL_KM, rd_str(""), maf_id, km);
}

enum err derive_kpsa(const struct secret *ke, struct rd enrolee_b_id, struct secret **kpsa)
{
	return from_enrolment_key(ke, LABEL_KPSA, rd_str(""), enrolee_b_id, kpsa);
}

enum err derive_usage_key(const struct secret *ke, enum suid suid, struct rd target_fqdn, struct secret **key)
{
	char number[12];

	if (suid_family(suid) == SUID_FAMILY_NONE || !fqdn_valid(target_fqdn))
		return ERR_BAD_VALUE;
	snprintf(number, sizeof number, "%d", (int)suid);
	return from_enrolment_key(ke, LABEL_USAGE, rd_str(number), target_fqdn, key);
}

enum err derive_session_esprim(const struct secret *pairwise, struct rd receiver_object, struct rd originator_object,
    struct secret **session)
{
	struct rd parts[] = {receiver_object, originator_object, rd_str(LABEL_ESPRIM)};

	if (secret_len(pairwise) < SECRET_AES128 || receiver_object.left == 0 || originator_object.left == 0)
		return ERR_BAD_VALUE;
	return kdf_hmac(pairwise, parts, sizeof parts / sizeof *parts, session);
}

void derive_e2e_clear(struct derive_e2e *keys)
{
	secret_free(keys->message_authentication);
	secret_free(keys->message_confidentiality);
	secret_free(keys->attribute_authenticity);
	secret_free(keys->attribute_confidentiality);
	*keys = (struct derive_e2e){0};
}

enum err derive_e2e(const struct secret *kpsa, struct rd salt, struct derive_e2e *keys)
{
	static const char *const labels[] = {
		"E2E Message Authentication Key", "E2E Message Confidentiality Key", "E2E Attribute Authenticity Key", "E2E Attribute Confidentiality Key",
	};
	struct derive_e2e made = {0};
	struct secret **const rounds[] = {
		&made.message_authentication, &made.message_confidentiality, &made.attribute_authenticity, &made.attribute_confidentiality,
	};
	const struct secret *previous = NULL;
	struct secret *master = NULL;
	enum err e = kdf_extract(salt, kpsa, &master);

	for (uint8_t i = 0; e == OK && i < sizeof rounds / sizeof *rounds; i++) {
		e = kdf_expand_round(master, previous, rd_str(labels[i]), (uint8_t)(i + 1), rounds[i]);
		previous = *rounds[i];
	}
	secret_free(master);
	if (e != OK) {
		derive_e2e_clear(&made);
		return e;
	}
	*keys = made;
	return OK;
}

enum err derive_for_use(const struct secret *key, size_t octets, struct secret **used)
{
	if (octets != 16 && octets != 24 && octets != 32)
		return ERR_BAD_VALUE;
	return kdf_part(key, 0, octets, used);
}
