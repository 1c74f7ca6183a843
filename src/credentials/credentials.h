/* The credential store of a program: credentials.db, one row for each key that it shares with somebody. The secrets are sealed under a data
 * key, bound to everything else in their row (whose key, what for, until when), and the data key is wrapped by the KEK (kek.h).
 *
 *	struct credentials_options o = {.path = "/var/lib/keyway/maf/credentials.db", .kek = "/etc/keyway/maf.key", .rng = &rng};
 *	if (credentials_open(&o, &store, &detail) != OK) ...
 *	if (credentials_find(store, identity, &c) == OK && !credential_expired(&c, now)) ...
 *	credential_clear(&c);
 *
 * Several processes may have the store open: what `keyway credentials` adds, removes or rotates the program sees at its next look.
 * A file, not a core; the time is an argument. */
#ifndef KEYWAY_CREDENTIALS_CREDENTIALS_H
#define KEYWAY_CREDENTIALS_CREDENTIALS_H

#include "base/rng.h"
#include "credentials/kek.h"
#include "keys/secret.h"
#include "security/credential.h"

#define CREDENTIAL_IDENTITY_MAX KEY_ID_MAX
#define CREDENTIAL_ENTITY_MAX ENTITY_MAX
#define CREDENTIAL_KEY_LEAST 16 /* octets; TS-0003 gives none, 128 bits is the strength of its suites */
#define CREDENTIAL_PEER_MAX 256

/* What a key is, by the type IDs of Credential-IDs (TS-0003 table 10.4-1, security.md section 9) where there is one. */
enum credential_kind {
	KIND_KPM = 10,       /* pre-provisioned, with a MEF */
	KIND_KM = 11,        /* master credential, with a MAF */
	KIND_KPSA = 12,      /* secure connection key, Kpsa or Kc */
	KIND_ESPRIM = 13,
	KIND_ESDATA = 14,
	KIND_ESDATA_WRAP = 15,
	KIND_ESDATA_HMAC = 16,
	KIND_KE = 100,       /* enrolment key; has no Credential-ID (project convention) */
	KIND_STORE_KEY = 101, /* seals another store of the same program (project convention) */
	KIND_PASSWORD = 102,  /* of the program at a server, as that wants it (project convention) */
};
bool credential_kind_parse(struct rd text, enum credential_kind *kind) MUST_CHECK; /* "kpm", "km", "kpsa" (also "kc"), ... */
enum credential_kind credential_kind_of(enum suid suid);                             /* of a key that was registered for this usage */
const char *credential_kind_name(enum credential_kind kind);                        /* never NULL */

struct credential {
	char identity[CREDENTIAL_IDENTITY_MAX]; /* key identifier, as a PSK identity: "hex@maf.keyway.example". Case does not count */
	enum credential_kind kind;
	unsigned suid;                    /* TS-0004 6.3.4.2.39; 0 for none */
	char entity[CREDENTIAL_ENTITY_MAX]; /* what From may be under it; several joined by blanks; "" where that is no question (a client's own key) */
	char peer[CREDENTIAL_PEER_MAX];   /* whom it is shared with: an FQDN or a CSE-ID */
	uint64_t expires_at;              /* Unix seconds; UINT64_MAX: never */
	uint64_t added_at;
	struct secret *key;
};
bool credential_expired(const struct credential *c, uint64_t now_s);
void credential_clear(struct credential *c); /* frees the key */

struct credentials;

struct credentials_options {
	const char *path;  /* ":memory:" keeps nothing */
	const char *kek;   /* reference; NULL: what the store says, or PATH's folder/credentials.key for a new one */
	struct rng *rng;   /* borrowed */
	bool must_exist;   /* no new store: ERR_NOT_FOUND */
	bool no_keys;      /* only what is in the clear: the KEK is not asked for */
};
/* *detail is a sentence (static). ERR_CONFIG and ERR_BAD_MIC: the KEK can't be had or is another; ERR_STORE: the file. */
enum err credentials_open(const struct credentials_options *o, struct credentials **out, const char **detail) MUST_CHECK;
void credentials_close(struct credentials *s); /* accepts NULL */

/* On disk when it returns OK. Replaces what has this identity, unless `only_new`: ERR_EXISTS. ERR_BAD_VALUE: an identity or entity that can't be,
 * a key that is too short. */
enum err credentials_put(struct credentials *s, const struct credential *c, bool only_new) MUST_CHECK;
/* ERR_NOT_FOUND; ERR_BAD_MIC: the row was tampered with. Expired ones are found too. With no_keys the key stays NULL. */
enum err credentials_find(struct credentials *s, const char *identity, struct credential *c) MUST_CHECK;
/* The one for use with this peer that lives longest; ERR_NOT_FOUND. */
enum err credentials_find_peer(struct credentials *s, enum credential_kind kind, const char *peer, uint64_t now_s, struct credential *c) MUST_CHECK;
/* The same by the entity, as it was written. */
enum err credentials_find_entity(struct credentials *s, enum credential_kind kind, const char *entity, uint64_t now_s, struct credential *c) MUST_CHECK;
enum err credentials_remove(struct credentials *s, const char *identity) MUST_CHECK; /* ERR_NOT_FOUND */
/* Removes what ended before; how many. */
enum err credentials_sweep(struct credentials *s, uint64_t now_s, uint64_t *removed) MUST_CHECK;
/* Whether another process, or another handle, has written to it since this was asked last. */
bool credentials_changed(struct credentials *s);
/* Everything but the keys, by identity. fn must not change the store. */
enum err credentials_each(struct credentials *s, void (*fn)(void *ctx, const struct credential *c), void *ctx) MUST_CHECK;
/* Checks that every row opens; the first that does not, if any. */
enum err credentials_verify(struct credentials *s, char identity[static CREDENTIAL_IDENTITY_MAX]) MUST_CHECK;

/* A new KEK at `reference` (NULL: where the present one is), a new data key, and every row sealed anew, in one transaction. Killed at any
 * moment, the store opens afterwards under the old KEK or under the new one. The old KEK is destroyed. */
enum err credentials_rotate(struct credentials *s, const char *reference, const char **detail) MUST_CHECK;
const char *credentials_kek(const struct credentials *s); /* reference */

#endif
