/* The registry's answers as JSON, pure. */
#ifndef KEYWAY_KEY_REGISTRY_ANSWERS_H
#define KEYWAY_KEY_REGISTRY_ANSWERS_H

#include "key_registry/registry.h"

void answer_client(struct json_out *o, const struct registry_config *k, const struct registry_client *c);
/* Of a retrieval: with clientCfg. */
void answer_client_config(struct json_out *o, const struct registry_config *k, const struct registry_client *c);
/* Only the members that the update sent (8.3.5.2). */
void answer_client_update(struct json_out *o, const struct registry_config *k, const struct registry_client *c, const struct order *sent);
/* more may be NULL; false: it forbids the answer. The value is in it when there is one. */
bool answer_key(struct json_out *o, const struct registry_key *key, bool (*more)(void *ctx, const char *key_id, struct json_out *o), void *ctx) MUST_CHECK;
void answer_key_update(struct json_out *o, const struct registry_key *key, const struct order *sent);
void answer_command(struct json_out *o, const struct registry_command *c); /* NULL: NO_MORE_COMMANDS */

const char *registration_base(enum registry_kind kind); /* "/mef" */
const char *registration_client_root(enum registry_kind kind);

#endif
