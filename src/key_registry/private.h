/* What the files of the registry share. */
#ifndef KEYWAY_KEY_REGISTRY_PRIVATE_H
#define KEYWAY_KEY_REGISTRY_PRIVATE_H

#include <sqlite3.h>

#include "key_registry/registry.h"

enum registry_statement {
	CLIENT_PUT,
	CLIENT_BY_ID,
	CLIENT_OF,
	CLIENT_OF_ADMIN,
	CLIENT_DELETE,
	CLIENT_CONFIGURE,
	CLIENTS_ALL,
	CLIENT_COMMANDS_DELETE,
	CLIENT_KEYS_DELETE,
	KEY_ADD,
	KEY_PUT,
	KEY_GET,
	KEY_DELETE,
	ORIGIN_PUT,
	ORIGIN_DELETE,
	ORIGIN,
	ORIGINS,
	ORIGIN_CLIENTS,
	ORIGIN_KEYS,
	KEYS_OF,
	KEYS_MANY,
	CLIENTS_MANY,
	COMMAND_ADD,
	COMMAND_PUT,
	COMMAND_FIRST,
	COMMAND_GET,
	COMMAND_ISSUE,
	COMMAND_DELETE,
	COMMANDS_WITHDRAW,
	COMMAND_WAITS,
	COMMAND_GRANTS,
	COMMANDS_ABOUT,
	REPORT_ADD,
	REPORTS,
	SWEEP_COMMANDS,
	SWEEP_CLIENTS,
	SWEEP_KEYS,
	SWEEP_REPORTS,
	ANCHOR_PUT,
	ANCHOR_GET,
	REGISTRY_STATEMENTS
};

#define REGISTRY_SHARES 16 /* clients that registered keys last */
struct registry_share {
	char client[ENTITY_MAX];
	uint64_t left; /* keys, at least */
};

struct registry {
	struct registry_config config;
	sqlite3 *db;
	sqlite3_stmt *statements[REGISTRY_STATEMENTS];
	bool dirty;  /* a transaction is open */
	bool broken; /* it must not be committed */
	uint64_t losses;
	bool anchored; /* the end of the audit log is written down ... */
	uint64_t anchor; /* ... as of this line */
	const char *reason;
	struct registry_share shares[REGISTRY_SHARES];
	unsigned share_next;
};

/* Binds by `kinds`: i int64_t, s const char *, r const struct rd * (text), b const struct rd * (octets; NULL pointer: NULL). The statement is to be
 * given back by registry_done. */
sqlite3_stmt *registry_bind(struct registry *r, enum registry_statement which, const char *kinds, ...);
void registry_done(sqlite3_stmt *s);
/* Opens the transaction where there is none, runs a statement that answers nothing, and marks the transaction as broken on a failure. */
enum err registry_write(struct registry *r, sqlite3_stmt *s) MUST_CHECK;
enum err registry_touch(struct registry *r) MUST_CHECK;
bool registry_text(sqlite3_stmt *s, int column, char *dst, size_t size) MUST_CHECK;
enum onem2m_rsc registry_refuse(struct registry *r, enum onem2m_rsc rsc, const char *reason);
/* ERR_IO when it can't be written: the procedure must not happen then. */
enum err registry_audit(struct registry *r, uint64_t now_s, const char *event, const char *client, const char *detail) MUST_CHECK;
/* The end of what is registered; false when it would be over already. */
bool registry_lifetime(uint64_t now_s, uint64_t asked, uint64_t policy_s, uint64_t credential_end, uint64_t *expires_at) MUST_CHECK;

/* share.c: whether this client may have one more. A true counts as one. */
bool registry_share_client(struct registry *r, const char *client) MUST_CHECK;
bool registry_share_key(struct registry *r, const char *client) MUST_CHECK;
/* standing.c: under which credential a client or a key, by its ID, was registered last; and whether that is one still. */
enum err registry_origin_put(struct registry *r, const char *id, const struct registry_peer *p) MUST_CHECK;
bool registry_stands(struct registry *r, struct rd id) MUST_CHECK;

/* anchor.c. Into the open transaction, when the audit log grew. */
enum err registry_anchor_put(struct registry *r) MUST_CHECK;
enum err registry_anchor_check(struct registry *r, const char **detail) MUST_CHECK;

#endif
