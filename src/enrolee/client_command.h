/* What a MEF commands its client, from JSON to values, pure: TS-0003 8.3.9, 12.3. docs/protocols/key-registration.md. */
#ifndef KEYWAY_ENROLEE_CLIENT_COMMAND_H
#define KEYWAY_ENROLEE_CLIENT_COMMAND_H

#include "json/json.h"
#include "key_registry/registration_codes.h"
#include "security/credential.h"

#define CLIENT_COMMAND_ID 32
#define CLIENT_COMMAND_TEXT 300

struct client_command {
	char id[CLIENT_COMMAND_ID];           /* cmdID as JSON, to be sent back as it is */
	uint64_t class;                       /* enum command_class, or a number that is none */
	enum command_status status;           /* COMMAND_OK: it may be carried out; otherwise what to report at once (41, 42) */
	uint64_t retry_ms;                    /* NO_MORE_COMMANDS: retryDuration */
	uint64_t protocol;                    /* CERT_PROV: enum command_cert_protocol; DEV_CFG: enum command_dev_mgmt */
	char uri[CLIENT_COMMAND_TEXT];        /* CERT_PROV, DEV_CFG */
	uint64_t subject_type;                /* CERT_PROV: enum command_cert_subject */
	char subject[CLIENT_COMMAND_TEXT];
	char path[CLIENT_COMMAND_TEXT];       /* MO_NODE: objectPath; of other classes too where they have one */
	uint64_t object;                      /* enum command_object */
	enum suid suid;                       /* of an authenticationProfile */
};
/* False: it is no command at all. */
bool client_command_parse(const struct json *doc, struct client_command *c) MUST_CHECK;

/* A key that a client configuration (12.4, keyRegCfg) wants its client to register. */
#define CLIENT_CONFIG_KEYS 16
struct client_config_key {
	enum suid suid;
	char target[ENTITY_MAX];
	uint64_t lifetime_s; /* 0: it does not say */
};
struct client_config {
	struct client_config_key keys[CLIENT_CONFIG_KEYS]; /* one for each target */
	size_t count;
};
/* From the answer to Client Configuration Retrieval. False: it has no clientCfg, or one that is not understood whole: nothing else than keyRegCfg, one or
 * an array of them. expirationTime is a time stamp or a duration. */
bool client_config_parse(const struct json *doc, uint64_t now_s, struct client_config *c) MUST_CHECK;

#endif
