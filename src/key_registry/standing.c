/* What hangs on the credential under which it was registered. */
#include <stdio.h>
#include <string.h>

#include "key_registry/private.h"

/* The last one counts: a client that came by its pre-provisioned key first, and by a certificate later, is there by its certificate. */
enum err registry_origin_put(struct registry *r, const char *id, const struct registry_peer *p)
{
	if (!r->config.stands)
		return OK;
	if (!p->credential || !p->credential[0])
		return registry_write(r, registry_bind(r, ORIGIN_DELETE, "s", id));
	return registry_write(r, registry_bind(r, ORIGIN_PUT, "ss", id, p->credential));
}

/* An operator who takes a client's credential away means the keys that it has made with it, too. */
bool registry_stands(struct registry *r, struct rd id)
{
	char credential[CREDENTIAL_ID_MAX] = "";
	sqlite3_stmt *s;

	if (!r->config.stands)
		return true;
	s = registry_bind(r, ORIGIN, "r", &id);
	if (sqlite3_step(s) == SQLITE_ROW && !registry_text(s, 0, credential, sizeof credential))
		credential[0] = '\0';
	registry_done(s);
	return !credential[0] || r->config.stands(r->config.ctx, credential) == OK;
}

enum onem2m_rsc registry_key_standing(struct registry *r, const struct registry_peer *p, uint64_t now_s, struct rd id, uint64_t *expires_at)
{
	uint64_t end = 0;

	switch (registry_key_access(r, p->client, now_s, id, &end)) {
	case REGISTRY_NO_KEY:
		return registry_refuse(r, RSC_NOT_FOUND, "there is no such key, or it has expired");
	case REGISTRY_NO_TARGET:
		return registry_refuse(r, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "not a target of this key");
	case REGISTRY_TARGET:
		break;
	}
	if (!registry_stands(r, id))
		return registry_refuse(r, RSC_NOT_FOUND, "the credential under which it was registered is gone");
	*expires_at = end;
	return RSC_OK;
}

/* ---- the end of what hangs on a credential that is gone ---- */

/* The first of those that were registered under it: its ID and whose it is. */
static bool one_under(struct registry *r, enum registry_statement which, const char *credential, char id[static REGISTRY_ID_SIZE], char whose[static ENTITY_MAX])
{
	sqlite3_stmt *s = registry_bind(r, which, "s", credential);
	bool found = sqlite3_step(s) == SQLITE_ROW && registry_text(s, 0, id, REGISTRY_ID_SIZE) && registry_text(s, 1, whose, ENTITY_MAX);

	registry_done(s);
	return found;
}

static enum err end_client(struct registry *r, uint64_t now_s, const char *id, const char *client)
{
	enum err e = registry_audit(r, now_s, "client ended: its credential is gone", client, id);

	if (e == OK)
		e = registry_write(r, registry_bind(r, CLIENT_COMMANDS_DELETE, "s", id));
	if (e == OK)
		e = registry_write(r, registry_bind(r, CLIENT_DELETE, "s", id));
	return e == OK ? registry_write(r, registry_bind(r, CLIENT_KEYS_DELETE, "s", client)) : e;
}

static enum err end_key(struct registry *r, uint64_t now_s, const char *id, const char *source)
{
	enum err e = registry_audit(r, now_s, "key ended: the credential of its source is gone", source, id);

	return e == OK ? registry_write(r, registry_bind(r, KEY_DELETE, "s", id)) : e;
}

/* Keys first: those of the client's registration that ends with it are told one by one, too. */
static enum err end_all_under(struct registry *r, uint64_t now_s, const char *credential, uint64_t *n)
{
	char id[REGISTRY_ID_SIZE], whose[ENTITY_MAX];
	enum err e = OK;

	for (; e == OK && one_under(r, ORIGIN_KEYS, credential, id, whose); ++*n)
		e = end_key(r, now_s, id, whose);
	for (; e == OK && one_under(r, ORIGIN_CLIENTS, credential, id, whose); ++*n)
		e = end_client(r, now_s, id, whose);
	return e;
}

enum err registry_purge(struct registry *r, uint64_t now_s, uint64_t *n)
{
	char credential[CREDENTIAL_ID_MAX] = "";
	enum err e = OK;

	*n = 0;
	while (e == OK && r->config.stands) {
		sqlite3_stmt *s = registry_bind(r, ORIGINS, "s", credential);
		bool more = sqlite3_step(s) == SQLITE_ROW && registry_text(s, 0, credential, sizeof credential);

		registry_done(s);
		if (!more)
			break;
		if (r->config.stands(r->config.ctx, credential) == ERR_NOT_FOUND)
			e = end_all_under(r, now_s, credential, n);
	}
	return e;
}
