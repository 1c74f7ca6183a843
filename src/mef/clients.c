/* Nodes B: their registrations, and the commands that wait for them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "loop/log.h"
#include "mef/mef.h"

struct mef_client *mef_client_find(struct mef *m, const char *id)
{
	struct mef_client *c = m->clients;

	while (c && strcmp(c->id, id) != 0)
		c = c->next;
	return c;
}

bool mef_client_connected(const struct mef_client *c, uint64_t now_ms)
{
	return c->waiting != NULL || (c->seen && now_ms - c->seen_at < MEF_SILENT_MS);
}

enum err mef_client_register(struct mef *m, const char *id, const char *admin_fqdn, uint64_t expires_at, struct mef_client **out)
{
	struct mef_client *c = mef_client_find(m, id);
	uint8_t random[16];
	enum err e;

	if (c) {
		*out = c;
		return OK;
	}
	c = calloc(1, sizeof *c);
	if (!c)
		return ERR_NO_MEMORY;
	rng_fill(m->rng, random, sizeof random);
	hex_print(c->registration, random, sizeof random);
	c->expires_at = expires_at;
	e = rd_text(rd_str(id), c->id, sizeof c->id) && rd_text(rd_str(admin_fqdn), c->admin_fqdn, sizeof c->admin_fqdn) ? OK : ERR_TOO_LONG;
	if (e == OK)
		e = mef_audit(m, "node registered", 0, NULL, id, NULL);
	if (e == OK)
		e = mef_store_client_put(m->store, c);
	if (e != OK) {
		free(c);
		return e;
	}
	log_line(LOG_LEVEL_INFO, "node registered", "client=%s", c->id);
	c->next = m->clients;
	m->clients = c;
	*out = c;
	return OK;
}

enum err mef_command_add(struct mef *m, struct mef_client *c, enum command_class class, uint64_t device, const char *key_id,
    const char *reason, uint64_t *id)
{
	struct mef_command *cmd = calloc(1, sizeof *cmd), **last = &c->commands;
	enum err e;

	if (!cmd)
		return ERR_NO_MEMORY;
	cmd->id = m->last_command + 1;
	cmd->class = class;
	cmd->device = device;
	snprintf(cmd->client, sizeof cmd->client, "%s", c->id);
	snprintf(cmd->key_id, sizeof cmd->key_id, "%s", key_id);
	snprintf(cmd->reason, sizeof cmd->reason, "%s", reason);
	e = mef_store_command_put(m->store, cmd);
	if (e != OK) {
		free(cmd);
		return e;
	}
	m->last_command = cmd->id;
	if (id)
		*id = cmd->id;
	while (*last)
		last = &(*last)->next;
	*last = cmd;
	if (c->waiting && m->client_wake)
		m->client_wake(m->client_ctx, c);
	return OK;
}

static void drop(struct mef *m, struct mef_command **link)
{
	struct mef_command *cmd = *link;

	*link = cmd->next;
	if (mef_store_command_delete(m->store, cmd->id) != OK)
		log_line(LOG_LEVEL_ERROR, "a command could not be deleted; its node gets it again", "command=%llu", (unsigned long long)cmd->id);
	free(cmd);
}

void mef_commands_withdraw(struct mef *m, struct mef_client *c, enum command_class class, uint64_t device)
{
	struct mef_command **link = &c->commands;

	while (*link) {
		if ((*link)->class == class && (*link)->device == device)
			drop(m, link);
		else
			link = &(*link)->next;
	}
}

bool mef_command_waits(const struct mef_client *c, enum command_class class, const char *key_id)
{
	for (const struct mef_command *cmd = c->commands; cmd; cmd = cmd->next)
		if (cmd->class == class && strcmp(cmd->key_id, key_id) == 0)
			return true;
	return false;
}

static bool still_to_forget(const struct mef_client *c, uint64_t device)
{
	for (const struct mef_command *cmd = c->commands; cmd; cmd = cmd->next)
		if (cmd->device == device)
			return true;
	return false;
}

/* B has dropped a key: so do we. */
static void forgotten(struct mef *m, struct mef_client *c, const struct mef_command *cmd)
{
	struct mef_generation *g = NULL;
	struct mef_device *d = NULL;

	if (!mef_key_find(m, rd_str(cmd->key_id), &d, &g))
		return;
	if (mef_store_generation_delete(m->store, d->eui64, g->number) != OK) {
		log_line(LOG_LEVEL_ERROR, "a key could not be deleted", "device=%016llx", (unsigned long long)d->eui64);
		return;
	}
	if (g == d->present) {
		d->present = d->former;
		d->former = NULL;
	} else {
		d->former = NULL;
	}
	mef_generation_free(g);
	if (d->state == DEVICE_REMOVED && !still_to_forget(c, d->eui64) && mef_device_drop(m, d) != OK)
		log_line(LOG_LEVEL_ERROR, "a removed device could not be deleted", "device=%016llx", (unsigned long long)cmd->device);
}

void mef_command_done(struct mef *m, struct mef_client *c, uint64_t id, uint64_t status)
{
	struct mef_command **link = &c->commands;
	struct mef_command cmd;
	struct mef_device *d;

	while (*link && (*link)->id != id)
		link = &(*link)->next;
	if (!*link || !(*link)->issued)
		return; /* TS-0003 8.3.9: a report on another command is discarded */
	cmd = **link;
	drop(m, link);
	if (status != COMMAND_OK)
		log_line(LOG_LEVEL_WARNING, "node could not carry out a command", "client=%s class=%d status=%llu device=%016llx", c->id, (int)cmd.class,
		    (unsigned long long)status, (unsigned long long)cmd.device);
	d = mef_device_find(m, cmd.device);
	switch (cmd.class) {
	case COMMAND_MO_NODE:
		if (d && d->preparing && d->preparing_command == id)
			mef_prepared(m, d, status == COMMAND_OK);
		break;
	case COMMAND_ZIGBEE_FORGET:
		forgotten(m, c, &cmd);
		break;
	case COMMAND_ZIGBEE_APS_PENDING:
	case COMMAND_NO_MORE:
	case COMMAND_CERT_PROV:
	case COMMAND_DEV_CFG:
		break;
	}
	mef_pump(m);
}
