/* Keys of other stores. */
#include "credentials/store_key.h"

#include <stdio.h>
#include <string.h>

enum err store_key_get(struct credentials *s, const char *name, const char *fqdn, uint64_t now_s, struct rng *rng, struct secret **key)
{
	struct credential c = {.kind = KIND_STORE_KEY, .expires_at = UINT64_MAX, .added_at = now_s};
	char identity[CREDENTIAL_IDENTITY_MAX];
	enum err e;

	snprintf(identity, sizeof identity, "%s@%s", name, fqdn);
	e = credentials_find(s, identity, &c);
	if (e == ERR_NOT_FOUND) {
		c = (struct credential){.kind = KIND_STORE_KEY, .expires_at = UINT64_MAX, .added_at = now_s, .key = secret_random(rng, KEK_DATA_KEY)};
		snprintf(c.identity, sizeof c.identity, "%s", identity);
		e = c.key ? credentials_put(s, &c, true) : ERR_NO_MEMORY;
	}
	if (e == OK && c.kind == KIND_STORE_KEY && secret_len(c.key) == KEK_DATA_KEY) {
		*key = c.key;
		return OK;
	}
	credential_clear(&c);
	return e == OK ? ERR_BAD_VALUE : e;
}

#define MARK "in use" /* in the row's peer, which is bound to its key */

static enum err find(struct credentials *s, const char *name, const char *fqdn, struct credential *c)
{
	char identity[CREDENTIAL_IDENTITY_MAX];

	*c = (struct credential){.key = NULL};
	snprintf(identity, sizeof identity, "%s@%s", name, fqdn);
	return credentials_find(s, identity, c);
}

bool store_key_is_marked(struct credentials *s, const char *name, const char *fqdn)
{
	struct credential c;
	bool marked = find(s, name, fqdn, &c) == OK && strcmp(c.peer, MARK) == 0;

	credential_clear(&c);
	return marked;
}

enum err store_key_mark(struct credentials *s, const char *name, const char *fqdn)
{
	struct credential c;
	enum err e = find(s, name, fqdn, &c);

	if (e == OK && strcmp(c.peer, MARK) != 0) {
		snprintf(c.peer, sizeof c.peer, MARK);
		e = credentials_put(s, &c, false);
	}
	credential_clear(&c);
	return e;
}
