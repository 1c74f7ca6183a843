/* What the EG has to do with nodes B, through the registry that they share with all other clients: commands that wait for them, and the device keys
 * (ESData-AB) of which they are the targets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "loop/log.h"
#include "mef/mef.h"

#define KEY_PATH REGISTRATION_BASE_MEF "/"

static uint64_t now_s(void)
{
	return clock_unix_ms() / 1000;
}

bool mef_client_connected(struct mef *m, const char *client)
{
	return m->client_connected && m->client_connected(m->client_ctx, client);
}

bool mef_client_is_registered(struct mef *m, const char *client)
{
	struct registry_client c;

	return registry_client_find(m->registry, client, now_s(), &c);
}

/* ---- commands ---- */

static void path_of(char path[static REGISTRY_OBJECT_MAX], const char *key_id)
{
	snprintf(path, REGISTRY_OBJECT_MAX, KEY_PATH "%s", key_id);
}

static void args_of(struct registry_command *cmd, const char *reason)
{
	struct wr w = wr_of(cmd->args, sizeof cmd->args - 1);
	struct json_out o = json_out(&w);
	char device[EUI64_SIZE];

	if (cmd->class == COMMAND_MO_NODE) {
		command_args_mo_node(&w, cmd->object, COMMAND_AUTHENTICATION_PROFILE, SUID_RSPF_ESDATA_ENC);
	} else {
		eui64_print(device, cmd->about);
		json_object(&o, NULL);
		json_put_string(&o, "objectPath", cmd->object);
		if (cmd->class == COMMAND_ZIGBEE_APS_PENDING)
			json_put_string(&o, "reason", reason);
		else
			json_put_string(&o, "device", device);
		if (cmd->class == COMMAND_ZIGBEE_FORGET && reason[0])
			json_put_string(&o, "heir", reason);
		json_close(&o);
	}
	cmd->args[w.spoilt ? 0 : w.len] = '\0';
}

void mef_command_fill(struct registry_command *cmd, enum command_class class, uint64_t device, const char *key_id, const char *reason)
{
	cmd->class = class;
	cmd->about = device;
	path_of(cmd->object, key_id);
	args_of(cmd, reason);
}

enum err mef_command_add(struct mef *m, const char *client, enum command_class class, uint64_t device, const char *key_id, const char *reason, uint64_t *id)
{
	struct registry_command cmd = {.id = 0};
	struct registry_client c;
	enum err e;

	if (!registry_client_find(m->registry, client, now_s(), &c))
		return ERR_NOT_FOUND;
	memcpy(cmd.registration, c.id, sizeof cmd.registration);
	mef_command_fill(&cmd, class, device, key_id, reason);
	e = registry_command_add(m->registry, &cmd);
	if (e == OK)
		e = registry_commit(m->registry);
	if (e != OK)
		return e;
	if (id)
		*id = cmd.id;
	if (m->client_wake)
		m->client_wake(m->client_ctx, client);
	return OK;
}

void mef_commands_withdraw(struct mef *m, const char *client, enum command_class class, uint64_t device)
{
	struct registry_client c;

	if (registry_client_find(m->registry, client, now_s(), &c) &&
	    (registry_commands_withdraw(m->registry, c.id, class, device) != OK || registry_commit(m->registry) != OK))
		log_line(LOG_LEVEL_ERROR, "a command could not be deleted; its node gets it again", "client=%s", client);
}

bool mef_command_waits(struct mef *m, const char *client, enum command_class class, const char *key_id)
{
	char path[REGISTRY_OBJECT_MAX];
	struct registry_client c;

	path_of(path, key_id);
	return registry_client_find(m->registry, client, now_s(), &c) && registry_command_waits(m->registry, c.id, class, path);
}

static struct rd key_id_in(const struct registry_command *cmd)
{
	struct rd path = rd_str(cmd->object);

	return rd_starts(path, KEY_PATH) && rd_skip(&path, sizeof KEY_PATH - 1) ? path : rd_of(NULL, 0);
}

/* B has dropped a key: so do we. */
static void forgotten(struct mef *m, const struct registry_command *cmd)
{
	struct mef_generation *g = NULL;
	struct mef_device *d = NULL;

	if (!mef_key_find(m, key_id_in(cmd), &d, &g))
		return;
	if (mef_store_generation_delete(m->store, d->eui64, g->number) != OK) {
		log_line(LOG_LEVEL_ERROR, "a key could not be deleted", "device=%016llx", (unsigned long long)d->eui64);
		return;
	}
	mef_key_withdraw(m, g->key_id);
	if (g == d->present) {
		d->present = d->former;
		d->former = NULL;
	} else {
		d->former = NULL;
	}
	mef_key_unlink(m, g);
	mef_generation_free(g);
	if ((d->state != DEVICE_REMOVED && d->state != DEVICE_FAILED) || registry_commands_about(m->registry, cmd->registration, d->eui64))
		return;
	mef_gateway_forget(m, mef_gateway_find(m, d->gateway), d->eui64);
	if (d->state == DEVICE_REMOVED && mef_device_drop(m, d) != OK)
		log_line(LOG_LEVEL_ERROR, "a removed device could not be deleted", "device=%016llx", (unsigned long long)cmd->about);
}

void mef_command_done(struct mef *m, const struct registry_command *cmd, uint64_t status)
{
	struct mef_device *d = mef_device_find(m, cmd->about);

	switch (cmd->class) {
	case COMMAND_MO_NODE:
		if (d && d->preparing && d->preparing_command == cmd->id)
			mef_prepared(m, d, status == COMMAND_OK);
		else if (d)
			mef_rotation_done(m, d, cmd->id, status == COMMAND_OK);
		break;
	case COMMAND_ZIGBEE_FORGET:
		forgotten(m, cmd);
		break;
	case COMMAND_ZIGBEE_APS_PENDING:
		if (d)
			mef_rotation_done(m, d, cmd->id, status == COMMAND_OK);
		break;
	case COMMAND_NO_MORE:
	case COMMAND_CERT_PROV:
	case COMMAND_DEV_CFG:
		break;
	}
	mef_pump(m);
}

/* ---- keys of devices ---- */

/* ESData-AB of paper 2: a key registration of the MEF's own, with the node that owns the device as its only target. The MEF, as the source, prolongs it
 * as long as the device uses it. */
static enum err key_put(struct mef *m, const struct mef_device *d, const struct mef_generation *g)
{
	struct registry_key k = {.suid = SUID_RSPF_ESDATA_ENC, .expires_at = now_s() + registry_config(m->registry)->key_lifetime_s, .value = g->network};

	if (!rd_text(rd_str(g->key_id), k.id, sizeof k.id) || !rd_text(rd_str(m->config.id), k.source, sizeof k.source) ||
	    !rd_text(rd_str(m->config.id), k.admin, sizeof k.admin) || !rd_text(rd_str(d->owner), k.targets, sizeof k.targets))
		return ERR_TOO_LONG;
	return registry_key_put(m->registry, &k);
}

enum err mef_key_offer(struct mef *m, const struct mef_device *d, const struct mef_generation *g)
{
	enum err e = key_put(m, d, g);

	return e == OK ? registry_commit(m->registry) : e;
}

void mef_key_withdraw(struct mef *m, const char *key_id)
{
	if (registry_key_drop(m->registry, rd_str(key_id)) != OK || registry_commit(m->registry) != OK)
		log_line(LOG_LEVEL_ERROR, "a key could not be taken out of the registry; it is at the next start", NULL);
}

struct orphans {
	struct mef *m;
	char (*ids)[REGISTRY_ID_SIZE];
	size_t count;
	bool failed;
};

static void orphan_note(void *ctx, const char *id)
{
	struct orphans *o = ctx;
	struct mef_generation *g;
	struct mef_device *d;
	void *more;

	if (mef_key_find(o->m, rd_str(id), &d, &g))
		return;
	more = realloc(o->ids, (o->count + 1) * sizeof *o->ids);
	if (!more) {
		o->failed = true;
		return;
	}
	o->ids = more;
	snprintf(o->ids[o->count++], sizeof *o->ids, "%s", id);
}

/* What a crash between the two stores left. */
static enum err orphans_drop(struct mef *m)
{
	struct orphans o = {.m = m};
	enum err e = registry_keys_each(m->registry, m->config.id, orphan_note, &o);

	for (size_t i = 0; e == OK && i < o.count; i++)
		e = registry_key_drop(m->registry, rd_str(o.ids[i]));
	free(o.ids);
	return e == OK && o.failed ? ERR_NO_MEMORY : e;
}

enum err mef_keys_refresh(struct mef *m)
{
	enum err e = orphans_drop(m);

	for (const struct mef_device *d = mef_device_next(m, NULL); e == OK && d; d = mef_device_next(m, d)) {
		if (d->present)
			e = key_put(m, d, d->present);
		if (e == OK && d->former)
			e = key_put(m, d, d->former);
	}
	return e == OK ? registry_commit(m->registry) : e;
}
