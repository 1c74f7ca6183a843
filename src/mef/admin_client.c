/* Clients of the MEF, for the operator: who they are, what they are configured with, and commands for them (TS-0003 8.3.9). */
#include "mef/admin_client.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "mef/admin_call.h"

static void list_one(void *ctx, const struct registry_client *k)
{
	struct call *c = ctx;

	json_object(c->out, NULL);
	json_put_string(c->out, "client", k->client);
	json_put_string(c->out, "registration", k->id);
	json_put_string(c->out, "adminFQDN", k->admin);
	json_put_uint(c->out, "expires_at", k->expires_at);
	json_put_bool(c->out, "configured", k->config[0] != '\0');
	json_put_bool(c->out, "connected", mef_client_connected(c->mef, k->client));
	json_close(c->out);
}

enum err admin_client_list(struct call *c)
{
	enum err e;

	json_array(c->out, "clients");
	e = registry_clients_each(c->mef->registry, list_one, c);
	json_close(c->out);
	return e;
}

static enum err named(struct call *c, struct registry_client *k)
{
	char id[ENTITY_MAX];

	if (!client_id_of(admin_member(c, "client"), c->mef->config.sp, id))
		return admin_wrong(c, ERR_BAD_VALUE, "`client` is needed: an AE-ID or CSE-ID such as /id-b");
	if (!registry_client_find(c->mef->registry, id, clock_unix_ms() / 1000, k))
		return admin_wrong(c, ERR_NOT_FOUND, "this client is not registered; `client.list` shows those that are");
	return OK;
}

/* TS-0003 12.4: clientRegCfg or keyRegCfg. */
enum err admin_client_configure(struct call *c)
{
	const struct json *config = json_get(c->request, "config");
	struct registry_client k;
	enum err e = named(c, &k);

	if (e != OK)
		return e;
	if (!config || config->type != JSON_OBJECT)
		return admin_wrong(c, ERR_BAD_VALUE, "`config` must be an object, such as {\"keyRegCfg\":{\"adminFQDN\":\"...\",\"SUID\":22}}");
	e = registry_client_configure(c->mef->registry, rd_str(k.id), config->source);
	if (e == OK)
		e = mef_audit(c->mef, "client configured", 0, NULL, k.client, NULL);
	return e == OK ? registry_commit(c->mef->registry) : e;
}

/* ---- commands ---- */

static bool number(const struct call *c, const char *name, uint64_t least, uint64_t most, uint64_t *n)
{
	return json_uint(json_get(c->request, name), n) && *n >= least && *n <= most;
}

static bool text(const struct call *c, const char *name, char value[static REGISTRY_OBJECT_MAX])
{
	return json_text(json_get(c->request, name), value, REGISTRY_OBJECT_MAX) && entity_valid(rd_str(value));
}

static enum err cert_prov(struct call *c, struct registry_command *cmd, struct wr *w)
{
	char uri[REGISTRY_OBJECT_MAX], subject[REGISTRY_OBJECT_MAX];
	uint64_t protocol, type;

	if (!number(c, "protocol", COMMAND_EST, COMMAND_SCEP, &protocol) || !text(c, "uri", uri) ||
	    !number(c, "subject_type", COMMAND_SUBJECT_NODE, COMMAND_SUBJECT_AE, &type) || !text(c, "subject", subject))
		return admin_wrong(c, ERR_BAD_VALUE, "`protocol` (1 EST, 2 SCEP), `uri`, `subject_type` (1 node, 2 CSE, 3 AE) and `subject` are needed");
	/* what EST then grants this client (mef/est_port.h) */
	if (!client_id_of(rd_str(subject), c->mef->config.sp, cmd->object))
		memcpy(cmd->object, subject, sizeof cmd->object);
	command_args_cert_prov(w, (enum command_cert_protocol)protocol, uri, (enum command_cert_subject)type, subject);
	return OK;
}

/* With protocol 0 (project convention) the client fetches what `client.configure` has for it. */
static enum err dev_cfg(struct call *c, struct registry_command *cmd, struct wr *w)
{
	char uri[REGISTRY_OBJECT_MAX];
	uint64_t protocol;

	if (!number(c, "protocol", COMMAND_DM_MEF, COMMAND_TR_069, &protocol) || (protocol != COMMAND_DM_MEF && !text(c, "uri", uri)))
		return admin_wrong(c, ERR_BAD_VALUE, "`protocol` (0 this MEF, 1 DM 1.3, 2 DM 2.0, 3 LwM2M, 4 TR-069) and, but for 0, `uri` are needed");
	if (protocol == COMMAND_DM_MEF)
		snprintf(uri, sizeof uri, REGISTRATION_BASE_MEF "/%s", cmd->registration);
	command_args_dev_cfg(w, (enum command_dev_mgmt)protocol, uri);
	return OK;
}

/* An SUID belongs to an authenticationProfile and to nothing else (12.3.2.3). */
static enum err mo_node(struct call *c, struct registry_command *cmd, struct wr *w)
{
	enum suid suid = SUID_NONE;
	uint64_t object, n = 0;

	if (!text(c, "path", cmd->object) || !number(c, "object", COMMAND_AUTHENTICATION_PROFILE, COMMAND_MAF_CLIENT_REG, &object))
		return admin_wrong(c, ERR_BAD_VALUE, "`path` and `object` (1 authenticationProfile, 2 trustAnchorCred, 3 MAFClientRegCfg) are needed");
	if ((object == COMMAND_AUTHENTICATION_PROFILE) != (json_uint(json_get(c->request, "suid"), &n) && suid_parse(n, &suid) == OK && suid != SUID_NONE))
		return admin_wrong(c, ERR_BAD_VALUE, "`suid` is needed for an authenticationProfile, and for nothing else");
	command_args_mo_node(w, cmd->object, (enum command_object)object, suid);
	return OK;
}

static const struct {
	const char *name;
	enum command_class class;
	enum err (*fill)(struct call *c, struct registry_command *cmd, struct wr *w);
} classes[] = {
	{"CERT_PROV", COMMAND_CERT_PROV, cert_prov},
	{"DEV_CFG", COMMAND_DEV_CFG, dev_cfg},
	{"MO_NODE", COMMAND_MO_NODE, mo_node},
};

static enum err queue(struct call *c, const struct registry_client *k, struct registry_command *cmd)
{
	enum err e;

	e = registry_command_add(c->mef->registry, cmd);
	if (e == OK)
		e = mef_audit(c->mef, "command for a client", 0, NULL, k->client, "operator");
	if (e == OK)
		e = registry_commit(c->mef->registry);
	if (e != OK)
		return e;
	json_put_uint(c->out, "command", cmd->id);
	if (c->mef->client_wake)
		c->mef->client_wake(c->mef->client_ctx, k->client);
	return OK;
}

enum err admin_client_command(struct call *c)
{
	struct registry_command cmd = {.id = 0};
	struct wr w = wr_of(cmd.args, sizeof cmd.args - 1);
	struct registry_client k;
	enum err e = named(c, &k);

	if (e != OK)
		return e;
	memcpy(cmd.registration, k.id, sizeof cmd.registration);
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
		if (!rd_is(admin_member(c, "class"), classes[i].name))
			continue;
		cmd.class = classes[i].class;
		e = classes[i].fill(c, &cmd, &w);
		if (e != OK)
			return e;
		if (w.spoilt)
			return admin_wrong(c, ERR_TOO_LONG, "the arguments are too long");
		cmd.args[w.len] = '\0';
		return queue(c, &k, &cmd);
	}
	return admin_wrong(c, ERR_BAD_VALUE, "`class` must be CERT_PROV, DEV_CFG or MO_NODE");
}

/* ---- what became of them ---- */

static const char *class_name(enum command_class class)
{
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
		if (classes[i].class == class)
			return classes[i].name;
	return "";
}

static void report_one(void *ctx, const struct registry_report *p)
{
	struct call *c = ctx;
	const char *status = p->status == 0 ? "WAITING" : command_status_name(p->status);

	json_object(c->out, NULL);
	json_put_uint(c->out, "command", p->id);
	json_put_string(c->out, "client", p->client);
	json_put_string(c->out, "class", class_name(p->class));
	json_put_raw(c->out, "args", rd_str(p->args));
	json_put_uint(c->out, "status", p->status);
	json_put_string(c->out, "name", status ? status : "unknown");
	if (p->at)
		json_put_uint(c->out, "reported_at", p->at);
	json_close(c->out);
}

enum err admin_client_commands(struct call *c)
{
	struct rd client = admin_member(c, "client");
	char id[ENTITY_MAX] = "";
	enum err e;

	if (client.left > 0 && !client_id_of(client, c->mef->config.sp, id))
		return admin_wrong(c, ERR_BAD_VALUE, "`client` is an AE-ID or CSE-ID such as /id-b");
	json_array(c->out, "commands");
	e = registry_reports_each(c->mef->registry, id, report_one, c);
	json_close(c->out);
	return e;
}
