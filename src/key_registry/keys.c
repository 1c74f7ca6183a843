/* Key registrations. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "key_registry/private.h"
#include "keys/sealed.h"
#include "security/derive.h"

#define SEALED_MAX SEALED_SIZE(SECRET_MAX)
#define LABEL_MAX (REGISTRY_ID_SIZE + ENTITY_MAX + ORDER_TARGETS_MAX + 64)

void registry_key_clear(struct registry_key *k)
{
	secret_free(k->value);
	k->value = NULL;
}

/* ---- rows ---- */

/* A row is bound to whose key it is, who may have it, what for and until when. */
static void label_of(const struct registry_key *k, char label[static LABEL_MAX])
{
	char id[REGISTRY_ID_SIZE];
	size_t i;

	for (i = 0; k->id[i]; i++)
		id[i] = k->id[i] >= 'A' && k->id[i] <= 'F' ? (char)(k->id[i] - 'A' + 'a') : k->id[i];
	id[i] = '\0';
	snprintf(label, LABEL_MAX, "key:%s\n%s\n%d\n%d\n%llu\n%s", id, k->source, (int)k->suid, (int)k->exported, (unsigned long long)k->expires_at, k->targets);
}

static enum err row(struct registry *r, sqlite3_stmt *s, struct registry_key *k)
{
	char label[LABEL_MAX];

	memset(k, 0, sizeof *k);
	k->suid = (enum suid)sqlite3_column_int(s, 5);
	k->exported = sqlite3_column_int(s, 6) != 0;
	k->expires_at = (uint64_t)sqlite3_column_int64(s, 7);
	if (!registry_text(s, 0, k->id, sizeof k->id) || !registry_text(s, 1, k->source, sizeof k->source) || !registry_text(s, 2, k->admin, sizeof k->admin) ||
	    !registry_text(s, 3, k->labels, sizeof k->labels) || !registry_text(s, 4, k->targets, sizeof k->targets))
		return ERR_STORE;
	label_of(k, label);
	return secret_unseal(r->config.store_key, label, rd_of(sqlite3_column_blob(s, 8), (size_t)sqlite3_column_bytes(s, 8)), &k->value);
}

/* With the key's value as it was registered. */
static enum err get(struct registry *r, struct rd id, uint64_t now_s, struct registry_key *k)
{
	sqlite3_stmt *s = registry_bind(r, KEY_GET, "ri", &id, (int64_t)now_s);
	enum err e = ERR_NOT_FOUND;
	int result = sqlite3_step(s);

	if (result == SQLITE_ROW)
		e = row(r, s, k);
	else if (result != SQLITE_DONE)
		e = ERR_STORE;
	registry_done(s);
	return e;
}

static enum err put(struct registry *r, enum registry_statement how, const struct registry_key *k)
{
	uint8_t octets[SEALED_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	char label[LABEL_MAX];
	struct rd sealed;
	enum err e;

	label_of(k, label);
	e = secret_seal(r->config.store_key, label, k->value, r->config.rng, &w);
	if (e != OK || !wr_done(&w, &sealed))
		return ERR_INTERNAL;
	e = registry_write(r, registry_bind(r, how, "sssssiiib", k->id, k->source, k->admin, k->labels, k->targets, (int64_t)k->suid, (int64_t)k->exported,
				      (int64_t)k->expires_at, &sealed));
	return e == OK && how == KEY_ADD && sqlite3_changes(r->db) == 0 ? ERR_EXISTS : e;
}

enum err registry_key_put(struct registry *r, const struct registry_key *k)
{
	return put(r, KEY_PUT, k);
}

enum err registry_key_drop(struct registry *r, struct rd id)
{
	return registry_write(r, registry_bind(r, KEY_DELETE, "r", &id));
}

enum err registry_keys_each(struct registry *r, const char *source, void (*fn)(void *ctx, const char *id), void *ctx)
{
	sqlite3_stmt *s = registry_bind(r, KEYS_OF, "s", source);
	char id[REGISTRY_ID_SIZE];
	int result;

	while ((result = sqlite3_step(s)) == SQLITE_ROW)
		if (registry_text(s, 0, id, sizeof id))
			fn(ctx, id);
	registry_done(s);
	return result == SQLITE_DONE ? OK : ERR_STORE;
}

/* ---- rules ---- */

static bool is_target(const struct registry *r, const struct registry_key *k, const char *client)
{
	struct rd rest = rd_str(k->targets), item;

	while (order_list_next(&rest, &item))
		if (client_id_equal(item, rd_str(client), r->config.sp))
			return true;
	return false;
}

/* Which usages a MEF or a MAF hands keys out for (TS-0004 6.3.4.2.39). */
static bool usage_is_ours(const struct registry *r, enum suid suid)
{
	return suid_family(suid) == (r->config.kind == REGISTRY_MEF ? SUID_FAMILY_RSPF : SUID_FAMILY_MAF);
}

/* 8.3.5: one absolute ID for SAEF and ESPrim, one or more for ESData; a MAF is named by its FQDN. Everyone is named in a way that can be compared. */
static bool targets_are_good(const struct registry *r, enum suid suid, const char *targets, size_t count, const char **reason)
{
	struct rd rest = rd_str(targets), item;
	char id[ENTITY_MAX];

	*reason = "targetIDs must be one ID for this SUID, or at least one";
	if (!suid_targets_fit(suid, count) || count == 0 || (suid_usage(suid) == SUID_USAGE_MAF && count != 1))
		return false;
	*reason = "a member of targetIDs is no AE-ID, CSE-ID or FQDN";
	while (order_list_next(&rest, &item))
		if (!client_id_of(item, r->config.sp, id))
			return false;
	return true;
}

static const char *order_fault(const struct registry *r, const struct order *o)
{
	const char *reason;

	if (!fqdn_equal(rd_str(o->fqdn), rd_str(r->config.fqdn)))
		return "fqdn is missing, or not ours";
	if (!o->admin[0])
		return "adminFQDN is missing";
	if (!o->has_expiry)
		return "et is missing";
	if (!o->has_suid || !usage_is_ours(r, o->suid))
		return r->config.kind == REGISTRY_MEF ? "SUID must be one of 21 to 25 at a MEF" : "SUID must be one of 32 to 35 at a MAF";
	return targets_are_good(r, o->suid, o->targets, o->target_count, &reason) ? NULL : reason;
}

/* ---- registration ---- */

static void hex_upper(char text[static REGISTRY_ID_SIZE], const uint8_t octets[static KEY_ID_RELATIVE_OCTETS])
{
	for (size_t i = 0; i < KEY_ID_RELATIVE_OCTETS; i++) /* hexBinary's canonical form: TS-0003 10.3.4, 10.3.5 */
		snprintf(text + 2 * i, 3, "%02X", octets[i]);
}

/* From both sides' TLS session, or what the request brought. */
static enum err value_of(struct registry *r, const struct registry_peer *p, const struct order *o, struct registry_key *k)
{
	uint8_t id[KEY_ID_RELATIVE_OCTETS];
	struct secret *exported;
	enum err e;

	if (o->key) {
		rng_fill(r->config.rng, id, sizeof id);
		hex_upper(k->id, id);
		k->value = secret_dup(o->key);
		return k->value ? OK : ERR_NO_MEMORY;
	}
	if (!p->export)
		return ERR_STATE;
	e = p->export(p->ctx, r->config.kind == REGISTRY_MEF ? DERIVE_LABEL_BOOTSTRAP : DERIVE_LABEL_CONNECTION, DERIVE_EXPORT_OCTETS, &exported);
	if (e != OK)
		return e;
	e = derive_from_export(exported, id, &k->value);
	secret_free(exported);
	hex_upper(k->id, id);
	k->exported = true;
	return e;
}

static enum onem2m_rsc store_new(struct registry *r, const struct registry_peer *p, uint64_t now_s, const struct order *o, struct registry_key *k)
{
	char detail[128];
	enum err e = value_of(r, p, o, k);

	if (e == ERR_STATE)
		return registry_refuse(r, RSC_BAD_REQUEST, "keyValue is needed: there is no TLS session to take a key from");
	if (e != OK)
		return registry_refuse(r, RSC_INTERNAL_SERVER_ERROR, "no key could be had of the TLS session");
	e = put(r, KEY_ADD, k);
	if (e == ERR_EXISTS)
		return registry_refuse(r, RSC_CONFLICT, "the key of this TLS session is registered already: open another session");
	if (e == OK)
		e = registry_origin_put(r, k->id, p);
	snprintf(detail, sizeof detail, "%s, SUID %d, %s", k->id, (int)k->suid, k->exported ? "by exporter" : "supplied");
	if (e != OK || registry_audit(r, now_s, "key registered", p->client, detail) != OK)
		return registry_refuse(r, RSC_INTERNAL_SERVER_ERROR, "the key could not be stored");
	return RSC_CREATED;
}

enum onem2m_rsc registry_key_register(struct registry *r, const struct registry_peer *p, uint64_t now_s, const struct order *o, struct registry_key *k)
{
	const char *fault = order_fault(r, o);
	struct registry_client c;
	enum onem2m_rsc rsc;

	memset(k, 0, sizeof *k);
	if (fault)
		return registry_refuse(r, RSC_BAD_REQUEST, fault);
	if (!registry_client_find(r, p->client, now_s, &c))
		return registry_refuse(r, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "not registered: a client registers itself before its keys");
	if (!registry_share_key(r, p->client))
		return registry_refuse(r, RSC_NOT_ACCEPTABLE, "this client has too many keys: it de-registers some first");
	if (!registry_lifetime(now_s, o->expires_at, r->config.key_lifetime_s, p->expires_at, &k->expires_at))
		return registry_refuse(r, RSC_BAD_REQUEST, "et is over");
	snprintf(k->source, sizeof k->source, "%s", p->client);
	memcpy(k->admin, o->admin, sizeof k->admin);
	memcpy(k->labels, o->labels, sizeof k->labels);
	memcpy(k->targets, o->targets, sizeof k->targets);
	k->suid = o->suid;
	rsc = store_new(r, p, now_s, o, k);
	registry_key_clear(k);
	return rsc;
}

/* ---- retrieval ---- */

enum registry_access registry_key_access(struct registry *r, const char *client, uint64_t now_s, struct rd id, uint64_t *expires_at)
{
	struct registry_key k;
	bool target;

	if (get(r, id, now_s, &k) != OK)
		return REGISTRY_NO_KEY;
	target = is_target(r, &k, client);
	if (target && expires_at)
		*expires_at = k.expires_at;
	registry_key_clear(&k);
	return target ? REGISTRY_TARGET : REGISTRY_NO_TARGET;
}

/* An enrolment key never leaves the MEF: its only target gets what is derived from it for this usage and this target. Keys of ESData have several
 * targets, who must get the same. TS-0003 8.3.5, 10.3; docs/protocols/key-registration.md. */
static enum err value_for(const struct registry *r, struct registry_key *k, enum suid suid, const char *target)
{
	char id[ENTITY_MAX], fqdn[ENTITY_MAX];
	struct secret *derived;
	enum err e;

	if (r->config.kind != REGISTRY_MEF || !k->exported || suid_usage(suid) == SUID_USAGE_ESDATA_ENC || suid_usage(suid) == SUID_USAGE_ESDATA_SIG)
		return OK;
	if (!client_id_of(rd_str(target), r->config.sp, id) || !client_id_fqdn(id, r->config.sp, fqdn))
		return ERR_BAD_VALUE;
	e = derive_usage_key(k->value, suid, rd_str(fqdn), &derived);
	if (e != OK)
		return e;
	secret_free(k->value);
	k->value = derived;
	return OK;
}

static enum onem2m_rsc found(struct registry *r, struct rd id, uint64_t now_s, struct registry_key *k)
{
	enum err e = get(r, id, now_s, k);

	if (e == OK)
		return RSC_OK;
	if (e == ERR_NOT_FOUND)
		return registry_refuse(r, RSC_NOT_FOUND, "there is no such key, or it has expired");
	return registry_refuse(r, RSC_INTERNAL_SERVER_ERROR, "a key does not open: registry.db was changed, or belongs to another key");
}

static enum onem2m_rsc fetch(struct registry *r, const struct registry_peer *p, uint64_t now_s, struct rd id, enum suid suid, struct registry_key *k)
{
	enum onem2m_rsc rsc = found(r, id, now_s, k);
	char detail[128];

	if (rsc != RSC_OK)
		return rsc;
	snprintf(detail, sizeof detail, "%s, SUID %d", k->id, (int)k->suid);
	if (!is_target(r, k, p->client) || (suid != SUID_NONE && suid != k->suid)) {
		registry_key_clear(k);
		(void)!registry_audit(r, now_s, "key asked for by one that is not its target", p->client, detail);
		return registry_refuse(r, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "not a target of this key");
	}
	if (!registry_stands(r, id)) {
		registry_key_clear(k);
		(void)!registry_audit(r, now_s, "key asked for whose source has lost its credential", p->client, detail);
		return registry_refuse(r, RSC_NOT_FOUND, "the credential under which it was registered is gone");
	}
	if (value_for(r, k, k->suid, p->client) == OK && registry_audit(r, now_s, "key fetched", p->client, detail) == OK)
		return RSC_OK;
	registry_key_clear(k);
	return registry_refuse(r, RSC_INTERNAL_SERVER_ERROR, "the key could not be handed out");
}

enum onem2m_rsc registry_key_retrieve(struct registry *r, const struct registry_peer *p, uint64_t now_s, struct rd id, struct registry_key *k)
{
	return fetch(r, p, now_s, id, SUID_NONE, k);
}

enum onem2m_rsc registry_credential_fetch(struct registry *r, const struct registry_peer *p, uint64_t now_s, struct rd id, enum suid suid,
    struct registry_key *k)
{
	return fetch(r, p, now_s, id, suid, k);
}

/* ---- update and de-registration ---- */

static enum onem2m_rsc own(struct registry *r, const struct registry_peer *p, uint64_t now_s, struct rd id, struct registry_key *k)
{
	enum onem2m_rsc rsc = found(r, id, now_s, k);

	if (rsc != RSC_OK || strcmp(k->source, p->client) == 0)
		return rsc;
	registry_key_clear(k);
	return registry_refuse(r, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "only its source may change a key");
}

static enum onem2m_rsc change(struct registry *r, const struct registry_peer *p, uint64_t now_s, const struct order *o, struct registry_key *k)
{
	const char *reason;

	if (o->fqdn[0] && !fqdn_equal(rd_str(o->fqdn), rd_str(r->config.fqdn)))
		return registry_refuse(r, RSC_BAD_REQUEST, "fqdn is not ours");
	if (!o->has_expiry && !o->has_labels && !o->has_targets)
		return registry_refuse(r, RSC_BAD_REQUEST, "et, labels or targetIDs are needed");
	if (o->has_expiry && !registry_lifetime(now_s, o->expires_at, r->config.key_lifetime_s, p->expires_at, &k->expires_at))
		return registry_refuse(r, RSC_BAD_REQUEST, "et is over");
	if (o->has_targets && !targets_are_good(r, k->suid, o->targets, o->target_count, &reason))
		return registry_refuse(r, RSC_BAD_REQUEST, reason);
	if (o->has_labels)
		memcpy(k->labels, o->labels, sizeof k->labels);
	if (o->has_targets)
		memcpy(k->targets, o->targets, sizeof k->targets);
	if (put(r, KEY_PUT, k) != OK || registry_audit(r, now_s, "key updated", p->client, k->id) != OK)
		return registry_refuse(r, RSC_INTERNAL_SERVER_ERROR, "the key could not be stored");
	return RSC_UPDATED;
}

enum onem2m_rsc registry_key_update(struct registry *r, const struct registry_peer *p, uint64_t now_s, struct rd id, const struct order *o,
    struct registry_key *k)
{
	enum onem2m_rsc rsc = own(r, p, now_s, id, k);

	if (rsc != RSC_OK)
		return rsc;
	rsc = change(r, p, now_s, o, k);
	registry_key_clear(k);
	return rsc;
}

enum onem2m_rsc registry_key_deregister(struct registry *r, const struct registry_peer *p, uint64_t now_s, struct rd id)
{
	struct registry_key k;
	enum onem2m_rsc rsc = own(r, p, now_s, id, &k);

	if (rsc != RSC_OK)
		return rsc;
	registry_key_clear(&k);
	if (registry_audit(r, now_s, "key deregistered", p->client, k.id) != OK || registry_key_drop(r, id) != OK)
		return registry_refuse(r, RSC_INTERNAL_SERVER_ERROR, "the key could not be deleted");
	return RSC_DELETED;
}
