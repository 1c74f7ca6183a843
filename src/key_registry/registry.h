/* The procedures of TS-0003 8.3.5.2 (MEF) and 8.8.2 (MAF), which are the same: clients register, and register keys that the targets of those keys
 * fetch; and the MEF's client commands (8.3.9). Every fact is in registry.db; there is no other state, so that what was answered survives a kill.
 *
 * A procedure answers a oneM2M status, with a reason for the log on a refusal. What it changed is on disk after registry_commit: the caller
 * answers its clients only then, and may let several procedures share one commit.
 *
 *	rsc = registry_key_register(r, &peer, now, &order, &key);
 *	...
 *	if (registry_commit(r) != OK)
 *		rsc = RSC_INTERNAL_SERVER_ERROR;   of every procedure since the last commit
 *
 * Who asks is who the TLS association says (struct registry_peer): names in requests have been compared with it before.
 *
 * Rules beyond the tables of TS-0003 (docs/protocols/key-registration.md): lifetimes end at the earliest of what was asked for, what policy grants
 * and the end of the credential that the client came with; one registration for each client and administrator; to register a key a client must be
 * registered; with its last registration go its keys; only the source may change a key, only a target fetch it. */
#ifndef KEYWAY_KEY_REGISTRY_REGISTRY_H
#define KEYWAY_KEY_REGISTRY_REGISTRY_H

#include "key_registry/client_id.h"
#include "key_registry/order.h"
#include "key_registry/registration_codes.h"
#include "onem2m/rsc.h"

#define REGISTRY_KEY_NAME 33
#define REGISTRY_ID_SIZE 33 /* 16 octets in hexadecimal, and the zero */
#define REGISTRY_CONFIG_MAX 2048
#define REGISTRY_OBJECT_MAX 256
#define REGISTRY_ARGS_MAX 1024

/* Policy of a provider may be stricter, never laxer. TS-0003 leaves the numbers open. */
/* What one client may have at a time, so that none fills the disk: a key is a row of some 500 octets, 8 KiB at most. What has ended counts until it is swept. */
#define REGISTRY_KEYS_PER_CLIENT 100000
#define REGISTRY_ADMINS_PER_CLIENT 64
#define REGISTRY_CLIENT_LIFETIME_MAX (365 * 86400ULL) /* s */
#define REGISTRY_KEY_LIFETIME_MAX (365 * 86400ULL)    /* s: Ke, Kc and what is registered */

struct registry;
struct audit;

enum registry_kind { REGISTRY_MEF, REGISTRY_MAF };

struct registry_config {
	enum registry_kind kind;
	const char *fqdn, *sp;                          /* borrowed, as all of this */
	unsigned keys_per_client;     /* 0: REGISTRY_KEYS_PER_CLIENT */
	uint64_t client_lifetime_s, key_lifetime_s;     /* ERR_CONFIG above the maxima, or 0 */
	const struct secret *store_key;                 /* seals the keys at rest */
	struct rng *rng;
	struct audit *audit;                            /* NULL: nothing is written down */
	bool audit_anchored;                            /* there was an anchor of it in this file before: one that is missing was taken away */
	uint64_t audit_accept_s;                        /* not 0: the operator says, at this time, that the log is to be taken as it is */
	/* MAF: a client came with a key that a MEF provisioned; gives it a KmID of ours and keeps the key under it.
	 * km_id: the one that the client has, or ""; left as it is where that is this very key, or nothing is to be assigned. NULL: never. */
	enum err (*assign)(void *ctx, const char *client, const char *credential, uint64_t expires_at, char km_id[static KEY_ID_MAX]);
	/* Whether a credential, by its Credential-ID, is still one: OK, with a name for its key (keys/sealed.h), or "" where that is not known here, such as a
	 * certificate's; ERR_NOT_FOUND: it is gone. What was registered under one that is gone, or whose key is another now, is given to nobody any more, and
	 * ends by registry_purge. Any other error: it cannot be told now, so nothing is given and nothing ends. NULL: always. */
	enum err (*stands)(void *ctx, const char *credential, char key_name[static REGISTRY_KEY_NAME]);
	void *ctx;
};

struct registry_peer {
	const char *client;     /* its ID, as client_id_of makes it */
	const char *credential; /* its Credential-ID; "" for none */
	uint64_t expires_at;    /* Unix seconds; 0: never */
	/* RFC 5705 over the present session; NULL: there is none. */
	enum err (*export)(void *ctx, const char *label, size_t n, struct secret **out);
	void *ctx;
};

struct registry_client {
	char id[REGISTRY_ID_SIZE];          /* clientRegID */
	char client[ENTITY_MAX], admin[FQDN_MAX];
	char labels[ORDER_LABELS_MAX];
	char assigned[KEY_ID_MAX];          /* assignedSymmKeyID, or "" */
	char config[REGISTRY_CONFIG_MAX];   /* clientCfg as JSON, or "" */
	uint64_t expires_at;
};

struct registry_key {
	char id[REGISTRY_ID_SIZE];          /* RelativeKeyID */
	char source[ENTITY_MAX], admin[FQDN_MAX];
	char labels[ORDER_LABELS_MAX], targets[ORDER_TARGETS_MAX];
	enum suid suid;
	bool exported;                      /* both sides took it from their TLS session */
	uint64_t expires_at;
	struct secret *value;               /* what the asker may have of it; NULL when none is due */
};
void registry_key_clear(struct registry_key *k);

/* Makes the file (mode 0600). ERR_CONFIG: lifetimes; ERR_STORE; ERR_BAD_MIC: the audit log does not hold what it held when it was written last; *detail says
 * what (static). */
enum err registry_open(const char *path, const struct registry_config *c, struct registry **out, const char **detail) MUST_CHECK;
void registry_close(struct registry *r); /* accepts NULL; what was not committed is lost */
const char *registry_reason(const struct registry *r); /* of the last refusal */
const struct registry_config *registry_config(const struct registry *r);
/* OK: everything since the last commit is on disk, and so is its audit. Otherwise nothing of it happened. */
enum err registry_commit(struct registry *r) MUST_CHECK;
/* Writes down where the audit log ends, for whoever adds to it besides: its lines have their effect only after this returns OK. Commits. */
enum err registry_anchor(struct registry *r) MUST_CHECK;
bool registry_is_dirty(const struct registry *r);
uint64_t registry_losses(const struct registry *r); /* commits that failed: what was answered for later must not be said then */

/* ---- client registration ---- */
enum onem2m_rsc registry_client_register(struct registry *r, const struct registry_peer *p, uint64_t now_s, const struct order *o,
    struct registry_client *c) MUST_CHECK;
enum onem2m_rsc registry_client_retrieve(struct registry *r, const struct registry_peer *p, uint64_t now_s, struct rd id, struct registry_client *c) MUST_CHECK;
enum onem2m_rsc registry_client_update(struct registry *r, const struct registry_peer *p, uint64_t now_s, struct rd id, const struct order *o,
    struct registry_client *c) MUST_CHECK;
enum onem2m_rsc registry_client_deregister(struct registry *r, const struct registry_peer *p, uint64_t now_s, struct rd id) MUST_CHECK;
/* For the program itself: the registration of a client that was made last. */
bool registry_client_find(struct registry *r, const char *client, uint64_t now_s, struct registry_client *c) MUST_CHECK;
bool registry_client_by_id(struct registry *r, struct rd id, uint64_t now_s, struct registry_client *c) MUST_CHECK;
enum err registry_client_configure(struct registry *r, struct rd id, struct rd config_json) MUST_CHECK;
/* Puts a registration as it is; for taking over what another store had. */
enum err registry_client_put(struct registry *r, const struct registry_client *c) MUST_CHECK;
enum err registry_clients_each(struct registry *r, void (*fn)(void *ctx, const struct registry_client *c), void *ctx) MUST_CHECK;

/* ---- key registration ---- */
/* The value of what it makes is not in k: the source has it, or exports it. */
enum onem2m_rsc registry_key_register(struct registry *r, const struct registry_peer *p, uint64_t now_s, const struct order *o,
    struct registry_key *k) MUST_CHECK;
enum onem2m_rsc registry_key_retrieve(struct registry *r, const struct registry_peer *p, uint64_t now_s, struct rd id, struct registry_key *k) MUST_CHECK;
enum onem2m_rsc registry_key_update(struct registry *r, const struct registry_peer *p, uint64_t now_s, struct rd id, const struct order *o,
    struct registry_key *k) MUST_CHECK;
enum onem2m_rsc registry_key_deregister(struct registry *r, const struct registry_peer *p, uint64_t now_s, struct rd id) MUST_CHECK;
/* The key's value to derive another from, for the enrolment exchange of 8.3.2.1 (`/fetchCredentials/KeID/SUID`). */
enum onem2m_rsc registry_credential_fetch(struct registry *r, const struct registry_peer *p, uint64_t now_s, struct rd id, enum suid suid,
    struct registry_key *k) MUST_CHECK;
/* For the program itself, as the source: whole, with its value, under the ID that is in k. Replaces. */
enum err registry_key_put(struct registry *r, const struct registry_key *k) MUST_CHECK;
enum err registry_key_drop(struct registry *r, struct rd id) MUST_CHECK; /* OK when there is none */
/* Whether a key of this name is there, and this client among its targets. */
enum registry_access { REGISTRY_NO_KEY, REGISTRY_NO_TARGET, REGISTRY_TARGET };
enum registry_access registry_key_access(struct registry *r, const char *client, uint64_t now_s, struct rd id, uint64_t *expires_at) MUST_CHECK; /* expires_at may be NULL */
enum err registry_keys_each(struct registry *r, const char *source, void (*fn)(void *ctx, const char *id), void *ctx) MUST_CHECK;

/* Forgets what ended; *n is how much. */
enum err registry_sweep(struct registry *r, uint64_t now_s, uint64_t *n) MUST_CHECK;

/* Ends what was registered under credentials that are none any more (registry_config.stands): registrations with their commands, and keys; *n is how
 * much. Each is in the audit log. */
enum err registry_purge(struct registry *r, uint64_t now_s, uint64_t *n) MUST_CHECK;
/* For a target that has a key already: whether it still may use it. 2000, 4004, or 4103, as Key Retrieval would say; no value leaves. */
enum onem2m_rsc registry_key_standing(struct registry *r, const struct registry_peer *p, uint64_t now_s, struct rd id, uint64_t *expires_at) MUST_CHECK;

/* ---- client commands (MEF) ---- */
struct registry_command {
	uint64_t id;
	char registration[REGISTRY_ID_SIZE];
	enum command_class class;
	uint64_t about;                   /* the program's own: a device; 0 for none */
	char object[REGISTRY_OBJECT_MAX]; /* the program's own, or objectPath; "" for none */
	char args[REGISTRY_ARGS_MAX];     /* cmdArgs as JSON */
	bool issued;                      /* the client has seen it: it is REISSUED from now on */
};
/* Arguments of each class, as JSON; the writer is spoilt when they don't fit. */
void command_args_no_more(struct wr *w, const char *retry_duration); /* "PT0S" */
void command_args_cert_prov(struct wr *w, enum command_cert_protocol protocol, const char *uri, enum command_cert_subject subject, const char *subject_id);
void command_args_dev_cfg(struct wr *w, enum command_dev_mgmt protocol, const char *uri);
void command_args_mo_node(struct wr *w, const char *object_path, enum command_object object, enum suid suid); /* SUID_NONE: none */
const char *command_status_name(uint64_t status); /* NULL for a number that TS-0003 does not have */

/* id of the new one goes into c. */
enum err registry_command_add(struct registry *r, struct registry_command *c) MUST_CHECK;
/* The oldest of a registration. */
bool registry_command_first(struct registry *r, const char *registration, struct registry_command *c) MUST_CHECK;
enum err registry_command_issued(struct registry *r, uint64_t id) MUST_CHECK;
/* A report on a command: gives and forgets it. False: it is no command that this registration was issued; to be discarded (8.3.9). */
bool registry_command_report(struct registry *r, const char *registration, uint64_t id, struct registry_command *c) MUST_CHECK;
enum err registry_commands_withdraw(struct registry *r, const char *registration, enum command_class class, uint64_t about) MUST_CHECK;
bool registry_command_waits(struct registry *r, const char *registration, enum command_class class, const char *object) MUST_CHECK;
/* Whether a CERT_PROV command whose `object` is `subject` (its certSubjectID, as client_id_of makes it where it can) was issued to this client. */
bool registry_certificate_granted(struct registry *r, const char *client, const char *subject) MUST_CHECK;
/* What became of a command: kept for the operator, the last REGISTRY_REPORTS of all. */
#define REGISTRY_REPORTS 1000
enum err registry_command_note(struct registry *r, const char *client, const struct registry_command *c, uint64_t status, uint64_t now_s) MUST_CHECK;
struct registry_report {
	uint64_t id;
	char client[ENTITY_MAX];
	enum command_class class;
	char args[REGISTRY_ARGS_MAX];
	uint64_t status;                  /* reported; 0: it waits; COMMAND_ISSUED: the client has it */
	uint64_t at;                      /* Unix seconds of the report; 0 for none */
};
/* Of a client (NULL: all), by number: those that wait, and those that were reported. Not those about devices. */
enum err registry_reports_each(struct registry *r, const char *client, void (*fn)(void *ctx, const struct registry_report *p), void *ctx) MUST_CHECK;
bool registry_commands_about(struct registry *r, const char *registration, uint64_t about) MUST_CHECK;
/* Puts a command as it is, and counts on from its number. */
enum err registry_command_put(struct registry *r, const struct registry_command *c) MUST_CHECK;

#endif
