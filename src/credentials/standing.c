/* Credential-IDs and rows of the store. */
#include "credentials/standing.h"

struct search {
	const char *credential;
	enum credential_type type;
	uint64_t now_s;
	bool found;
};

/* A Credential-ID cannot hold every character of a key identifier (credential_id_of_key). */
static void on_row(void *ctx, const struct credential *c)
{
	struct search *s = ctx;
	char text[CREDENTIAL_ID_MAX];

	if (credential_id_of_key(s->type, rd_str(c->identity), text) == OK && credential_id_equal(rd_str(text), rd_str(s->credential)) && !credential_expired(c, s->now_s))
		s->found = true;
}

enum err credentials_stand(struct credentials *store, enum credential_type type, const char *fqdn, uint64_t now_s, const char *credential)
{
	struct search s = {credential, type, now_s, false};
	struct credential c = {.key = NULL};
	struct credential_id id;
	char identity[KEY_ID_MAX];
	struct key_id key_id;
	enum err e;

	if (credential_id_parse(rd_str(credential), &id) != OK || id.type != type || !rd_text(id.value, identity, sizeof identity) ||
	    key_id_split(rd_str(identity), &key_id) != OK || !fqdn_equal(key_id.fqdn, rd_str(fqdn)))
		return OK;
	e = credentials_find(store, identity, &c);
	if (e == OK && credential_expired(&c, now_s))
		e = ERR_NOT_FOUND;
	credential_clear(&c);
	if (e != ERR_NOT_FOUND)
		return e;
	e = credentials_each(store, on_row, &s);
	return e == OK && !s.found ? ERR_NOT_FOUND : e;
}
