/* Client commands: TS-0003 8.3.9, 12.3, 12.4. */
#include <stdio.h>
#include <string.h>

#include "json/json.h"
#include "key_registry/private.h"

/* ---- arguments ---- */

void command_args_no_more(struct wr *w, const char *retry_duration)
{
	struct json_out o = json_out(w);

	json_object(&o, NULL);
	json_put_string(&o, "retryDuration", retry_duration);
	json_close(&o);
}

void command_args_cert_prov(struct wr *w, enum command_cert_protocol protocol, const char *uri, enum command_cert_subject subject, const char *subject_id)
{
	struct json_out o = json_out(w);

	json_object(&o, NULL);
	json_put_uint(&o, "certProvProtocolID", (uint64_t)protocol);
	json_put_string(&o, "URI", uri);
	json_put_uint(&o, "certSubjectType", (uint64_t)subject);
	json_put_string(&o, "certSubjectID", subject_id);
	json_close(&o);
}

/* deviceConfigURI is "<devMgmtID>:<URI>". */
void command_args_dev_cfg(struct wr *w, enum command_dev_mgmt protocol, const char *uri)
{
	struct json_out o = json_out(w);
	char text[REGISTRY_ARGS_MAX];

	snprintf(text, sizeof text, "%d:%s", (int)protocol, uri);
	json_object(&o, NULL);
	json_put_string(&o, "deviceConfigURI", text);
	json_close(&o);
}

void command_args_mo_node(struct wr *w, const char *object_path, enum command_object object, enum suid suid)
{
	struct json_out o = json_out(w);

	json_object(&o, NULL);
	json_put_string(&o, "objectPath", object_path);
	json_put_uint(&o, "objectTypeID", (uint64_t)object);
	if (suid != SUID_NONE) {
		json_object(&o, "objectTypeSpecificArgs");
		json_put_uint(&o, "SUID", (uint64_t)suid);
		json_close(&o);
	}
	json_close(&o);
}

const char *command_status_name(uint64_t status)
{
	static const struct {
		enum command_status status;
		const char *name;
	} names[] = {
		{COMMAND_ISSUED, "ISSUED"},
		{COMMAND_REISSUED, "REISSUED"},
		{COMMAND_OK, "OK"},
		{COMMAND_REPEATED_ID, "REPEATED_CMD_ID"},
		{COMMAND_CLASS_NOT_SUPPORTED, "CLASS_NOT_SUPPORTED"},
		{COMMAND_BAD_ARGUMENTS, "BAD_ARGUMENTS"},
		{COMMAND_UNACCEPTABLE_ARGUMENTS, "UNACCEPTABLE_ARGUMENTS"},
		{COMMAND_CERT_SERVER_ERROR, "CERT_PROV_SERVER_ERROR"},
		{COMMAND_CERT_CLIENT_ERROR, "CERT_PROV_CLIENT_ERROR"},
		{COMMAND_DEV_CFG_SERVER_ERROR, "DEV_CFG_SERVER_ERROR"},
		{COMMAND_DEV_CFG_CLIENT_ERROR, "DEV_CFG_CLIENT_ERROR"},
		{COMMAND_MO_NOT_FOUND, "MO_NODE_NOT_FOUND"},
		{COMMAND_MO_TYPE_CONFLICT, "MO_NODE_TYPE_CONFLICT"},
		{COMMAND_MO_BAD_ARGUMENTS, "MO_NODE_BAD_ARGS"},
		{COMMAND_MO_UNACCEPTABLE_ARGUMENTS, "MO_NODE_UNACCEPTABLE_ARGS"},
		{COMMAND_MO_INCONSISTENT, "MO_NODE_INCONSISTENT_CONFIG"},
		{COMMAND_MO_EXECUTION_ERROR, "MO_NODE_EXECUTION_ERROR"},
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if ((uint64_t)names[i].status == status)
			return names[i].name;
	return NULL;
}

/* ---- the queue ---- */

static bool row(sqlite3_stmt *s, struct registry_command *c)
{
	memset(c, 0, sizeof *c);
	c->id = (uint64_t)sqlite3_column_int64(s, 0);
	c->class = (enum command_class)sqlite3_column_int(s, 2);
	c->about = (uint64_t)sqlite3_column_int64(s, 3);
	c->issued = sqlite3_column_int(s, 6) != 0;
	return registry_text(s, 1, c->registration, sizeof c->registration) && registry_text(s, 4, c->object, sizeof c->object) &&
	    registry_text(s, 5, c->args, sizeof c->args);
}

static bool fetch(sqlite3_stmt *s, struct registry_command *c)
{
	bool found = sqlite3_step(s) == SQLITE_ROW && row(s, c);

	registry_done(s);
	return found;
}

static bool any(sqlite3_stmt *s)
{
	bool found = sqlite3_step(s) == SQLITE_ROW;

	registry_done(s);
	return found;
}

enum err registry_command_add(struct registry *r, struct registry_command *c)
{
	enum err e = registry_write(r, registry_bind(r, COMMAND_ADD, "siiss", c->registration, (int64_t)c->class, (int64_t)c->about, c->object, c->args));

	if (e == OK)
		c->id = (uint64_t)sqlite3_last_insert_rowid(r->db);
	return e;
}

enum err registry_command_put(struct registry *r, const struct registry_command *c)
{
	return registry_write(r, registry_bind(r, COMMAND_PUT, "isiissi", (int64_t)c->id, c->registration, (int64_t)c->class, (int64_t)c->about, c->object, c->args,
				     (int64_t)c->issued));
}

bool registry_command_first(struct registry *r, const char *registration, struct registry_command *c)
{
	return fetch(registry_bind(r, COMMAND_FIRST, "s", registration), c);
}

enum err registry_command_issued(struct registry *r, uint64_t id)
{
	return registry_write(r, registry_bind(r, COMMAND_ISSUE, "i", (int64_t)id));
}

enum err registry_command_note(struct registry *r, const char *client, const struct registry_command *c, uint64_t status, uint64_t now_s)
{
	return registry_write(r, registry_bind(r, REPORT_ADD, "isisii", (int64_t)c->id, client, (int64_t)c->class, c->args, (int64_t)status, (int64_t)now_s));
}

enum err registry_reports_each(struct registry *r, const char *client, void (*fn)(void *ctx, const struct registry_report *p), void *ctx)
{
	sqlite3_stmt *s = registry_bind(r, REPORTS, "s", client ? client : "");
	struct registry_report p;
	int step;

	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		memset(&p, 0, sizeof p);
		p.id = (uint64_t)sqlite3_column_int64(s, 0);
		p.class = (enum command_class)sqlite3_column_int(s, 2);
		p.status = (uint64_t)sqlite3_column_int64(s, 4);
		p.at = (uint64_t)sqlite3_column_int64(s, 5);
		if (registry_text(s, 1, p.client, sizeof p.client) && registry_text(s, 3, p.args, sizeof p.args))
			fn(ctx, &p);
	}
	registry_done(s);
	return step == SQLITE_DONE ? OK : ERR_STORE;
}

bool registry_command_report(struct registry *r, const char *registration, uint64_t id, struct registry_command *c)
{
	return fetch(registry_bind(r, COMMAND_GET, "is", (int64_t)id, registration), c) &&
	    registry_write(r, registry_bind(r, COMMAND_DELETE, "i", (int64_t)id)) == OK;
}

enum err registry_commands_withdraw(struct registry *r, const char *registration, enum command_class class, uint64_t about)
{
	return registry_write(r, registry_bind(r, COMMANDS_WITHDRAW, "sii", registration, (int64_t)class, (int64_t)about));
}

bool registry_command_waits(struct registry *r, const char *registration, enum command_class class, const char *object)
{
	return any(registry_bind(r, COMMAND_WAITS, "sis", registration, (int64_t)class, object));
}

bool registry_certificate_granted(struct registry *r, const char *client, const char *subject)
{
	return any(registry_bind(r, COMMAND_GRANTS, "sis", client, (int64_t)COMMAND_CERT_PROV, subject));
}

bool registry_commands_about(struct registry *r, const char *registration, uint64_t about)
{
	return any(registry_bind(r, COMMANDS_ABOUT, "si", registration, (int64_t)about));
}
