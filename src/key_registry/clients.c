/* Client registrations. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "key_registry/private.h"

static bool row(sqlite3_stmt *s, struct registry_client *c)
{
	c->expires_at = (uint64_t)sqlite3_column_int64(s, 6);
	return registry_text(s, 0, c->id, sizeof c->id) && registry_text(s, 1, c->client, sizeof c->client) && registry_text(s, 2, c->admin, sizeof c->admin) &&
	    registry_text(s, 3, c->labels, sizeof c->labels) && registry_text(s, 4, c->assigned, sizeof c->assigned) &&
	    registry_text(s, 5, c->config, sizeof c->config);
}

static bool fetch(sqlite3_stmt *s, struct registry_client *c)
{
	bool found = sqlite3_step(s) == SQLITE_ROW && row(s, c);

	registry_done(s);
	return found;
}

bool registry_client_find(struct registry *r, const char *client, uint64_t now_s, struct registry_client *c)
{
	return fetch(registry_bind(r, CLIENT_OF, "si", client, (int64_t)now_s), c);
}

bool registry_client_by_id(struct registry *r, struct rd id, uint64_t now_s, struct registry_client *c)
{
	return fetch(registry_bind(r, CLIENT_BY_ID, "ri", &id, (int64_t)now_s), c);
}

enum err registry_client_put(struct registry *r, const struct registry_client *c)
{
	return registry_write(r, registry_bind(r, CLIENT_PUT, "ssssssi", c->id, c->client, c->admin, c->labels, c->assigned, c->config, (int64_t)c->expires_at));
}

enum err registry_client_configure(struct registry *r, struct rd id, struct rd config)
{
	enum err e;

	if (config.left >= REGISTRY_CONFIG_MAX)
		return ERR_TOO_LONG;
	e = registry_write(r, registry_bind(r, CLIENT_CONFIGURE, "rr", &id, &config));
	return e == OK && sqlite3_changes(r->db) == 0 ? ERR_NOT_FOUND : e;
}

enum err registry_clients_each(struct registry *r, void (*fn)(void *ctx, const struct registry_client *c), void *ctx)
{
	sqlite3_stmt *s = r->statements[CLIENTS_ALL];
	struct registry_client c;
	enum err e = OK;
	int result;

	while ((result = sqlite3_step(s)) == SQLITE_ROW && e == OK) {
		if (row(s, &c))
			fn(ctx, &c);
		else
			e = ERR_STORE;
	}
	registry_done(s);
	return e == OK && result != SQLITE_DONE ? ERR_STORE : e;
}

/* ---- procedures ---- */

/* A registration that was there is the same again, with a new end. */
static void begin(struct registry *r, const struct registry_peer *p, uint64_t now_s, const struct order *o, struct registry_client *c)
{
	uint8_t random[16];

	memset(c, 0, sizeof *c);
	if (fetch(registry_bind(r, CLIENT_OF_ADMIN, "ssi", p->client, o->admin, (int64_t)now_s), c))
		return;
	memset(c, 0, sizeof *c);
	rng_fill(r->config.rng, random, sizeof random);
	hex_print(c->id, random, sizeof random);
	snprintf(c->client, sizeof c->client, "%s", p->client);
	snprintf(c->admin, sizeof c->admin, "%s", o->admin);
}

enum onem2m_rsc registry_client_register(struct registry *r, const struct registry_peer *p, uint64_t now_s, const struct order *o,
    struct registry_client *c)
{
	bool renewed;

	if (!fqdn_equal(rd_str(o->fqdn), rd_str(r->config.fqdn)))
		return registry_refuse(r, RSC_BAD_REQUEST, "fqdn is missing, or not ours");
	if (!o->admin[0])
		return registry_refuse(r, RSC_BAD_REQUEST, "adminFQDN is missing");
	if (!o->has_expiry)
		return registry_refuse(r, RSC_BAD_REQUEST, "et is missing");
	begin(r, p, now_s, o, c);
	renewed = c->expires_at != 0;
	if (!renewed && !registry_share_client(r, p->client))
		return registry_refuse(r, RSC_NOT_ACCEPTABLE, "this client has too many registrations");
	if (!registry_lifetime(now_s, o->expires_at, r->config.client_lifetime_s, p->expires_at, &c->expires_at))
		return registry_refuse(r, RSC_BAD_REQUEST, "et is over");
	if (o->has_labels)
		memcpy(c->labels, o->labels, sizeof c->labels);
	if (r->config.assign && r->config.assign(r->config.ctx, p->client, p->credential, c->expires_at, c->assigned) != OK)
		return registry_refuse(r, RSC_INTERNAL_SERVER_ERROR, "a key identifier could not be assigned");
	if (registry_audit(r, now_s, renewed ? "client registered again" : "client registered", p->client, p->credential) != OK ||
	    registry_client_put(r, c) != OK || registry_origin_put(r, c->id, p) != OK)
		return registry_refuse(r, RSC_INTERNAL_SERVER_ERROR, "the registration could not be stored");
	return RSC_CREATED;
}

/* A registration is nobody else's business; that it exists is told only to its own client. */
enum onem2m_rsc registry_client_retrieve(struct registry *r, const struct registry_peer *p, uint64_t now_s, struct rd id, struct registry_client *c)
{
	if (!registry_client_by_id(r, id, now_s, c))
		return registry_refuse(r, RSC_NOT_FOUND, "there is no such registration");
	if (strcmp(c->client, p->client) != 0)
		return registry_refuse(r, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "not the client's own registration");
	return RSC_OK;
}

enum onem2m_rsc registry_client_update(struct registry *r, const struct registry_peer *p, uint64_t now_s, struct rd id, const struct order *o,
    struct registry_client *c)
{
	enum onem2m_rsc rsc = registry_client_retrieve(r, p, now_s, id, c);

	if (rsc != RSC_OK)
		return rsc;
	if (o->fqdn[0] && !fqdn_equal(rd_str(o->fqdn), rd_str(r->config.fqdn)))
		return registry_refuse(r, RSC_BAD_REQUEST, "fqdn is not ours");
	if (!o->has_expiry && !o->has_labels)
		return registry_refuse(r, RSC_BAD_REQUEST, "et or labels are needed");
	if (o->has_expiry && !registry_lifetime(now_s, o->expires_at, r->config.client_lifetime_s, p->expires_at, &c->expires_at))
		return registry_refuse(r, RSC_BAD_REQUEST, "et is over");
	if (o->has_labels)
		memcpy(c->labels, o->labels, sizeof c->labels);
	if (registry_audit(r, now_s, "client registration updated", p->client, c->id) != OK || registry_client_put(r, c) != OK)
		return registry_refuse(r, RSC_INTERNAL_SERVER_ERROR, "the registration could not be stored");
	return RSC_UPDATED;
}

enum onem2m_rsc registry_client_deregister(struct registry *r, const struct registry_peer *p, uint64_t now_s, struct rd id)
{
	struct registry_client c;
	enum onem2m_rsc rsc = registry_client_retrieve(r, p, now_s, id, &c);

	if (rsc != RSC_OK)
		return rsc;
	if (registry_audit(r, now_s, "client deregistered", p->client, c.id) != OK ||
	    registry_write(r, registry_bind(r, CLIENT_COMMANDS_DELETE, "s", c.id)) != OK ||
	    registry_write(r, registry_bind(r, CLIENT_DELETE, "s", c.id)) != OK ||
	    registry_write(r, registry_bind(r, CLIENT_KEYS_DELETE, "s", p->client)) != OK)
		return registry_refuse(r, RSC_INTERNAL_SERVER_ERROR, "the registration could not be deleted");
	return RSC_DELETED;
}
