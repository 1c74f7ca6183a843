/* Commands of a MEF. */
#include "enrolee/client_command.h"

#include <stdio.h>
#include <string.h>

#include "onem2m/timestamp.h"

static bool plain(const struct json *v, char text[static CLIENT_COMMAND_TEXT])
{
	return json_text(v, text, CLIENT_COMMAND_TEXT) && entity_valid(rd_str(text));
}

static bool number(const struct json *v, uint64_t least, uint64_t most, uint64_t *n)
{
	return json_uint(v, n) && *n >= least && *n <= most;
}

/* ---- arguments, table 12.3.2.3-1 and following ---- */

static bool no_more(const struct json *args, struct client_command *c)
{
	struct rd text;

	return json_string(json_get(args, "retryDuration"), &text) && duration_parse(text, &c->retry_ms);
}

static bool cert_prov(const struct json *args, struct client_command *c)
{
	return number(json_get(args, "certProvProtocolID"), COMMAND_EST, COMMAND_SCEP, &c->protocol) && plain(json_get(args, "URI"), c->uri) &&
	    number(json_get(args, "certSubjectType"), COMMAND_SUBJECT_NODE, COMMAND_SUBJECT_AE, &c->subject_type) &&
	    plain(json_get(args, "certSubjectID"), c->subject);
}

/* deviceConfigURI: "<devMgmtID>:<URI>". */
static bool dev_cfg(const struct json *args, struct client_command *c)
{
	char text[CLIENT_COMMAND_TEXT];
	struct rd rest, id;

	if (!plain(json_get(args, "deviceConfigURI"), text))
		return false;
	rest = rd_str(text);
	return rd_until(&rest, ':', &id) && rd_decimal(id, &c->protocol) && c->protocol <= COMMAND_TR_069 && rest.left > 0 && rd_text(rest, c->uri, sizeof c->uri);
}

static bool mo_node(const struct json *args, struct client_command *c)
{
	const struct json *suid = json_path(args, "objectTypeSpecificArgs.SUID");
	uint64_t n;

	if (!plain(json_get(args, "objectPath"), c->path) || !number(json_get(args, "objectTypeID"), COMMAND_AUTHENTICATION_PROFILE, COMMAND_MAF_CLIENT_REG, &c->object))
		return false;
	if (c->object != COMMAND_AUTHENTICATION_PROFILE)
		return true;
	return json_uint(suid, &n) && suid_parse(n, &c->suid) == OK && c->suid != SUID_NONE;
}

static bool any_path(const struct json *args, struct client_command *c)
{
	return plain(json_get(args, "objectPath"), c->path);
}

static const struct {
	uint64_t class;
	bool (*parse)(const struct json *args, struct client_command *c);
} classes[] = {
	{COMMAND_NO_MORE, no_more},
	{COMMAND_CERT_PROV, cert_prov},
	{COMMAND_DEV_CFG, dev_cfg},
	{COMMAND_MO_NODE, mo_node},
	{COMMAND_ZIGBEE_APS_PENDING, any_path},
	{COMMAND_ZIGBEE_FORGET, any_path},
};

bool client_command_parse(const struct json *doc, struct client_command *c)
{
	const struct json *cmd = json_get(doc, REGISTRATION_COMMAND), *description = json_get(cmd, "cmdDescription"), *id = json_get(cmd, "cmdID");

	memset(c, 0, sizeof *c);
	if (!json_uint(json_get(description, "cmdClassID"), &c->class))
		return false;
	if (c->class == COMMAND_NO_MORE)
		snprintf(c->id, sizeof c->id, "0");
	else if (!id || (id->type != JSON_NUMBER && id->type != JSON_STRING) || !rd_text(id->source, c->id, sizeof c->id))
		return false;
	c->status = COMMAND_CLASS_NOT_SUPPORTED;
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
		if (classes[i].class == c->class)
			c->status = classes[i].parse(json_get(description, "cmdArgs"), c) ? COMMAND_OK : COMMAND_BAD_ARGUMENTS;
	return true;
}

/* ---- client configuration, 12.4 ---- */

static bool key_config(const struct json *v, uint64_t now_s, struct client_config *c)
{
	const struct json *targets = json_get(v, "targetIDs"), *et = json_get(v, "expirationTime");
	struct client_config_key k = {.lifetime_s = 0};
	uint64_t n, end_ms;
	struct rd text;

	if (!v || v->type != JSON_OBJECT || !json_uint(json_get(v, "SUID"), &n) || suid_parse(n, &k.suid) != OK || k.suid == SUID_NONE || !targets ||
	    targets->type != JSON_ARRAY || !targets->first)
		return false;
	if (et) {
		if (!json_string(et, &text) || !timestamp_parse_abs_rel(text, now_s * 1000, &end_ms) || end_ms / 1000 <= now_s)
			return false;
		k.lifetime_s = end_ms / 1000 - now_s;
	}
	for (const struct json *t = targets->first; t; t = t->next) {
		if (c->count == CLIENT_CONFIG_KEYS || !json_text(t, k.target, sizeof k.target) || !entity_valid(rd_str(k.target)))
			return false;
		c->keys[c->count++] = k;
	}
	return true;
}

bool client_config_parse(const struct json *doc, uint64_t now_s, struct client_config *c)
{
	const struct json *config = json_path(json_get(doc, REGISTRATION_MEF_CLIENT), "clientCfg"), *keys = json_get(config, "keyRegCfg");

	memset(c, 0, sizeof *c);
	if (!config || config->type != JSON_OBJECT || !keys || keys->next || config->first != keys)
		return false;
	if (keys->type != JSON_ARRAY)
		return key_config(keys, now_s, c);
	for (const struct json *v = keys->first; v; v = v->next)
		if (!key_config(v, now_s, c))
			return false;
	return c->count > 0;
}
