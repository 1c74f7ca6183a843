/* What hangs on the credential under which it was registered. */
#include <stdio.h>
#include <string.h>

#include "key_registry/private.h"

/* Whether a credential is the one that it was when its key had this name; "": that was not known. As stands. */
static enum err is_same(struct registry *r, const char *credential, const char *key_name)
{
	char now[REGISTRY_KEY_NAME] = "";
	enum err e = r->config.stands(r->config.ctx, credential, now);

	return e == OK && key_name[0] && strcmp(key_name, now) != 0 ? ERR_NOT_FOUND : e;
}

/* The last one counts: a client that came by its pre-provisioned key first, and by a certificate later, is there by its certificate. One that has gone in
 * the meantime is noted without a name, and so is gone for the next look, too. */
enum err registry_origin_put(struct registry *r, const char *id, const struct registry_peer *p)
{
	char key_name[REGISTRY_KEY_NAME] = "";

	if (!r->config.stands)
		return OK;
	if (!p->credential || !p->credential[0])
		return registry_write(r, registry_bind(r, ORIGIN_DELETE, "s", id));
	if (r->config.stands(r->config.ctx, p->credential, key_name) != OK)
		key_name[0] = '\0';
	return registry_write(r, registry_bind(r, ORIGIN_PUT, "sss", id, p->credential, key_name));
}

static bool origin_of(sqlite3_stmt *s, char credential[static CREDENTIAL_ID_MAX], char key_name[static REGISTRY_KEY_NAME])
{
	return sqlite3_step(s) == SQLITE_ROW && registry_text(s, 0, credential, CREDENTIAL_ID_MAX) && registry_text(s, 1, key_name, REGISTRY_KEY_NAME);
}

/* An operator who takes a client's credential away means the keys that it has made with it, too. */
bool registry_stands(struct registry *r, struct rd id)
{
	char credential[CREDENTIAL_ID_MAX], key_name[REGISTRY_KEY_NAME];
	sqlite3_stmt *s;
	bool known;

	if (!r->config.stands)
		return true;
	s = registry_bind(r, ORIGIN, "r", &id);
	known = origin_of(s, credential, key_name);
	registry_done(s);
	return !known || is_same(r, credential, key_name) == OK;
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
static bool one_under(struct registry *r, enum registry_statement which, const char *credential, const char *key_name, char id[static REGISTRY_ID_SIZE],
    char whose[static ENTITY_MAX])
{
	sqlite3_stmt *s = registry_bind(r, which, "ss", credential, key_name);
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
static enum err end_all_under(struct registry *r, uint64_t now_s, const char *credential, const char *key_name, uint64_t *n)
{
	char id[REGISTRY_ID_SIZE], whose[ENTITY_MAX];
	enum err e = OK;

	for (; e == OK && one_under(r, ORIGIN_KEYS, credential, key_name, id, whose); ++*n)
		e = end_key(r, now_s, id, whose);
	for (; e == OK && one_under(r, ORIGIN_CLIENTS, credential, key_name, id, whose); ++*n)
		e = end_client(r, now_s, id, whose);
	return e;
}

enum err registry_purge(struct registry *r, uint64_t now_s, uint64_t *n)
{
	char credential[CREDENTIAL_ID_MAX] = "", key_name[REGISTRY_KEY_NAME] = "";
	enum err e = OK;

	*n = 0;
	while (e == OK && r->config.stands) {
		sqlite3_stmt *s = registry_bind(r, ORIGINS, "ss", credential, key_name);
		bool more = origin_of(s, credential, key_name);

		registry_done(s);
		if (!more)
			break;
		if (is_same(r, credential, key_name) == ERR_NOT_FOUND)
			e = end_all_under(r, now_s, credential, key_name, n);
	}
	return e;
}
