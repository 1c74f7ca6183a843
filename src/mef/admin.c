/* Requests of the administration socket. */
#include "mef/admin.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "mef/admin_call.h"
#include "mef/admin_client.h"
#include "mef/admin_device.h"

#define AUDIT_MOST 1000 /* entries an answer; the client asks on from the last */

struct rd admin_member(const struct call *c, const char *name)
{
	struct rd text = {NULL, 0};

	if (!json_string(json_get(c->request, name), &text))
		text.left = 0;
	return text;
}

enum err admin_wrong(struct call *c, enum err e, const char *message)
{
	snprintf(c->message, sizeof c->message, "%s", message);
	return e;
}

/* ---- applications ---- */

static void application_put(struct json_out *o, const char *name, const struct mef_application *a)
{
	uint64_t members = 0, behind = 0;

	for (const struct mef_device *d = a->members; d; d = d->next_member) {
		const struct mef_generation *g = mef_generation_in_use(d);

		members++;
		behind += g && g->joined && g->of_group < a->required;
	}
	json_object(o, name);
	json_put_string(o, "name", a->name);
	json_put_string(o, "policy", a->policy == MEF_POLICY_GROUP ? "group" : "device");
	json_put_string(o, "owner", a->owner);
	json_put_uint(o, "generation", a->generation);
	json_put_uint(o, "members", members);
	json_put_uint(o, "behind", behind);
	json_close(o);
}

static enum err application_add(struct call *c)
{
	const struct mef_application_order order = {admin_member(c, "name"), admin_member(c, "policy"), admin_member(c, "owner")};
	struct mef_application *a;
	enum err e = mef_application_add(c->mef, &order, &a, c->message);

	if (e == OK)
		application_put(c->out, "application", a);
	return e;
}

static enum err application_list(struct call *c)
{
	json_array(c->out, "applications");
	for (const struct mef_application *a = c->mef->applications; a; a = a->next)
		application_put(c->out, NULL, a);
	json_close(c->out);
	return OK;
}

static enum err application_rotate(struct call *c)
{
	char name[MEF_NAME_MAX];
	struct mef_application *a = rd_text(admin_member(c, "name"), name, sizeof name) ? mef_application_find(c->mef, name) : NULL;
	enum err e;

	if (!a || a->policy != MEF_POLICY_GROUP)
		return admin_wrong(c, ERR_NOT_FOUND, "no application of policy `group` has this name; `keyway application list` shows those that are registered");
	e = mef_group_renew(c->mef, a, "operator");
	mef_pump(c->mef);
	return e;
}

/* ---- gateways ---- */

static void gateway_put(struct call *c, const char *name, const struct mef_gateway *g)
{
	char eui64[EUI64_SIZE];

	eui64_print(eui64, g->eui64);
	json_object(c->out, name);
	json_put_string(c->out, "name", g->name);
	json_put_string(c->out, "eui64", eui64);
	json_put_string(c->out, "relay", g->relay);
	json_put_string(c->out, "identity", g->identity);
	json_put_bool(c->out, "connected", c->egp && egp_server_connected(c->egp, g));
	json_put_uint(c->out, "epoch", g->epoch);
	json_put_uint(c->out, "pan_id", g->pan_id);
	json_put_uint(c->out, "channel", g->channel);
	json_put_uint(c->out, "permit", eg_permitted(g->eg, clock_ms()));
	json_close(c->out);
}

static enum err gateway_add(struct call *c)
{
	const struct mef_gateway_order order = {admin_member(c, "name"), admin_member(c, "eui64"), admin_member(c, "relay"), admin_member(c, "identity")};
	struct mef_gateway *g;
	enum err e = mef_gateway_register(c->mef, &order, &g, c->message);

	if (e == OK)
		gateway_put(c, "gateway", g);
	return e;
}

static enum err gateway_list(struct call *c)
{
	json_array(c->out, "gateways");
	for (const struct mef_gateway *g = c->mef->gateways; g; g = g->next)
		gateway_put(c, NULL, g);
	json_close(c->out);
	return OK;
}

/* ---- status and audit ---- */

static void put_connected(void *ctx, const struct registry_client *n)
{
	const struct call *c = ctx;

	if (mef_client_connected(c->mef, n->client))
		json_put_string(c->out, NULL, n->client);
}

static enum err status(struct call *c)
{
	const struct mef_statistics *s = &c->mef->statistics;
	uint64_t devices = c->mef->devices.count, gateways = 0;

	for (const struct mef_gateway *g = c->mef->gateways; g; g = g->next)
		gateways += c->egp && egp_server_connected(c->egp, g);
	json_array(c->out, "nodes");
	(void)!registry_clients_each(c->mef->registry, put_connected, c);
	json_close(c->out);
	json_put_uint(c->out, "gateways", gateways);
	json_put_uint(c->out, "devices", devices);
	json_object(c->out, "counters");
	json_put_uint(c->out, "requests", s->requests);
	json_put_uint(c->out, "transport_keys", s->transport_keys);
	json_put_uint(c->out, "repeats", s->repeats);
	json_put_uint(c->out, "refused", s->refused);
	json_put_uint(c->out, "joined", s->joined);
	json_put_uint(c->out, "verified", s->verified);
	json_put_uint(c->out, "failed", s->failed);
	json_put_uint(c->out, "aps_answers", s->aps_answers);
	json_put_uint(c->out, "aps_ignored", s->aps_ignored);
	json_close(c->out);
	return OK;
}

static enum err audit(struct call *c)
{
	uint64_t since = 0;
	enum err e;

	if (json_get(c->request, "since") && !json_uint(json_get(c->request, "since"), &since))
		return admin_wrong(c, ERR_BAD_VALUE, "`since` must be a sequence number");
	json_array(c->out, "entries");
	e = audit_read(c->mef->audit, since, AUDIT_MOST, c->out);
	json_close(c->out);
	return e;
}

/* ---- one line ---- */

static const struct {
	const char *name;
	enum err (*act)(struct call *c);
} commands[] = {
	{"device.add", admin_device_add},
	{"device.check", admin_device_check},
	{"device.list", admin_device_list},
	{"device.show", admin_device_show},
	{"device.remove", admin_device_remove},
	{"device.rotate", admin_device_rotate},
	{"device.replace", admin_device_replace},
	{"device.move", admin_device_move},
	{"application.add", application_add},
	{"application.list", application_list},
	{"application.rotate", application_rotate},
	{"gateway.add", gateway_add},
	{"gateway.list", gateway_list},
	{"client.list", admin_client_list},
	{"client.configure", admin_client_configure},
	{"client.command", admin_client_command},
	{"client.commands", admin_client_commands},
	{"permit", admin_permit},
	{"status", status},
	{"audit", audit},
};

static enum err act(struct call *c, struct rd request, struct json_arena *arena)
{
	const struct json *name;

	if (!arena)
		return ERR_NO_MEMORY;
	if (json_parse(arena, request, NULL, &c->request) != OK || c->request->type != JSON_OBJECT)
		return admin_wrong(c, ERR_MALFORMED, "a request is one JSON object on one line, such as {\"cmd\":\"status\"}");
	name = json_get(c->request, "cmd");
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (json_is_string(name, commands[i].name))
			return commands[i].act(c);
	return admin_wrong(c, ERR_UNSUPPORTED, "no such `cmd`; docs/protocols/admin.md lists them");
}

static void failure(struct wr *answer, enum err e, const char *message)
{
	struct json_out o = json_out(answer);

	wr_reset(answer);
	json_object(&o, NULL);
	json_put_bool(&o, "ok", false);
	json_put_string(&o, "error", message[0] ? message : err_text(e));
	json_put_string(&o, "code", err_name(e));
	json_close(&o);
}

void admin_answer(struct mef *m, const struct egp_server *egp, struct rd request, struct wr *answer)
{
	struct json_arena *arena = json_arena_new();
	struct json_out o = json_out(answer);
	struct call c = {.mef = m, .egp = egp, .out = &o};
	enum err e;

	json_object(&o, NULL);
	json_put_bool(&o, "ok", true);
	e = act(&c, request, arena);
	json_close(&o);
	if (e != OK)
		failure(answer, e, c.message);
	else if (answer->spoilt)
		failure(answer, ERR_TOO_LONG, "the answer is too long");
	json_arena_free(arena);
}
