/* Answers as JSON. */
#include "key_registry/answers.h"

#include <stdio.h>

#include "key_registry/key_carrier.h"
#include "onem2m/timestamp.h"

const char *registration_base(enum registry_kind kind)
{
	return kind == REGISTRY_MEF ? REGISTRATION_BASE_MEF : REGISTRATION_BASE_MAF;
}

const char *registration_client_root(enum registry_kind kind)
{
	return kind == REGISTRY_MEF ? REGISTRATION_MEF_CLIENT : REGISTRATION_MAF_CLIENT;
}

static void put_time(struct json_out *o, const char *name, uint64_t unix_s)
{
	char text[TIMESTAMP_SIZE];

	timestamp_print(text, unix_s * 1000);
	json_put_string(o, name, text);
}

/* `cmd` is the reference to a child that says: ask for commands (8.3.4). */
static void client_members(struct json_out *o, const struct registry_config *k, const struct registry_client *c)
{
	char path[64];

	json_put_string(o, "ri", c->id);
	put_time(o, "et", c->expires_at);
	json_put_string(o, "clientID", c->client);
	json_put_string(o, "adminFQDN", c->admin);
	if (c->labels[0])
		order_list_put(o, "labels", c->labels);
	if (c->assigned[0])
		json_put_string(o, "assignedSymmKeyID", c->assigned);
	if (k->kind != REGISTRY_MEF)
		return;
	snprintf(path, sizeof path, "%s/%s/cmd", registration_base(k->kind), c->id);
	json_put_string(o, "cmd", path);
}

void answer_client(struct json_out *o, const struct registry_config *k, const struct registry_client *c)
{
	json_object(o, NULL);
	json_object(o, registration_client_root(k->kind));
	client_members(o, k, c);
	json_close(o);
	json_close(o);
}

void answer_client_config(struct json_out *o, const struct registry_config *k, const struct registry_client *c)
{
	json_object(o, NULL);
	json_object(o, registration_client_root(k->kind));
	client_members(o, k, c);
	json_put_raw(o, "clientCfg", rd_str(c->config));
	json_close(o);
	json_close(o);
}

void answer_client_update(struct json_out *o, const struct registry_config *k, const struct registry_client *c, const struct order *sent)
{
	json_object(o, NULL);
	json_object(o, registration_client_root(k->kind));
	if (sent->has_expiry)
		put_time(o, "et", c->expires_at);
	if (sent->has_labels)
		order_list_put(o, "labels", c->labels);
	if (c->assigned[0])
		json_put_string(o, "assignedSymmKeyID", c->assigned);
	json_close(o);
	json_close(o);
}

bool answer_key(struct json_out *o, const struct registry_key *key, bool (*more)(void *ctx, const char *key_id, struct json_out *o), void *ctx)
{
	bool good = true;

	json_object(o, NULL);
	json_object(o, REGISTRATION_KEY);
	json_put_string(o, "ri", key->id);
	put_time(o, "et", key->expires_at);
	json_put_string(o, "sourceClientID", key->source);
	json_put_string(o, "adminFQDN", key->admin);
	if (key->labels[0])
		order_list_put(o, "labels", key->labels);
	json_put_uint(o, "SUID", (uint64_t)key->suid);
	order_list_put(o, "targetIDs", key->targets);
	if (key->value)
		key_carry(o, "keyValue", key->value);
	if (more)
		good = more(ctx, key->id, o);
	json_close(o);
	json_close(o);
	return good;
}

void answer_key_update(struct json_out *o, const struct registry_key *key, const struct order *sent)
{
	json_object(o, NULL);
	json_object(o, REGISTRATION_KEY);
	if (sent->has_expiry)
		put_time(o, "et", key->expires_at);
	if (sent->has_labels)
		order_list_put(o, "labels", key->labels);
	if (sent->has_targets)
		order_list_put(o, "targetIDs", key->targets);
	json_close(o);
	json_close(o);
}

void answer_command(struct json_out *o, const struct registry_command *c)
{
	json_object(o, NULL);
	json_object(o, REGISTRATION_COMMAND);
	json_put_uint(o, "cmdID", c ? c->id : 0);
	json_put_uint(o, "cmdStatusCode", c && c->issued ? COMMAND_REISSUED : COMMAND_ISSUED);
	json_object(o, "cmdDescription");
	json_put_uint(o, "cmdClassID", c ? (uint64_t)c->class : COMMAND_NO_MORE);
	json_put_raw(o, "cmdArgs", rd_str(c ? c->args : "{\"retryDuration\":\"PT0S\"}"));
	json_close(o);
	json_close(o);
	json_close(o);
}
