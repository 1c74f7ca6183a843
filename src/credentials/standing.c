/* Credential-IDs and rows of the store. */
#include "credentials/standing.h"

#include <string.h>

#include "keys/sealed.h"

struct search {
	const char *credential;
	enum credential_type type;
	char identity[CREDENTIAL_IDENTITY_MAX]; /* that was found, or "" */
};

/* A Credential-ID cannot hold every character of a key identifier (credential_id_of_key). */
static void on_row(void *ctx, const struct credential *c)
{
	struct search *s = ctx;
	char text[CREDENTIAL_ID_MAX];

	if (credential_id_of_key(s->type, rd_str(c->identity), text) == OK && credential_id_equal(rd_str(text), rd_str(s->credential)))
		memcpy(s->identity, c->identity, sizeof s->identity);
}

/* The key as it is now. */
static enum err look(struct credentials *store, const char *identity, uint64_t now_s, char key_name[static 33])
{
	struct credential c = {.key = NULL};
	enum err e = credentials_find(store, identity, &c);

	if (e == OK && credential_expired(&c, now_s))
		e = ERR_NOT_FOUND;
	if (e == OK)
		secret_name(c.key, key_name);
	credential_clear(&c);
	return e;
}

enum err credentials_stand(struct credentials *store, enum credential_type type, const char *fqdn, uint64_t now_s, const char *credential, char key_name[static 33])
{
	struct search s = {credential, type, ""};
	struct credential_id id;
	char identity[KEY_ID_MAX];
	struct key_id key_id;
	enum err e;

	key_name[0] = '\0';
	if (credential_id_parse(rd_str(credential), &id) != OK || id.type != type || !rd_text(id.value, identity, sizeof identity) ||
	    key_id_split(rd_str(identity), &key_id) != OK || !fqdn_equal(key_id.fqdn, rd_str(fqdn)))
		return OK;
	e = look(store, identity, now_s, key_name);
	if (e != ERR_NOT_FOUND)
		return e;
	e = credentials_each(store, on_row, &s);
	return e != OK ? e : s.identity[0] ? look(store, s.identity, now_s, key_name) : ERR_NOT_FOUND;
}
