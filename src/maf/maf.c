/* KmIDs for keys from the MEF. */
#include "maf/maf.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "credentials/standing.h"

/* The client registers again with the key that it has this name for. */
static bool named_already(struct credentials *store, const char *km_id, const struct credential *c)
{
	struct credential known = {.key = NULL};
	bool same = km_id[0] && credentials_find(store, km_id, &known) == OK && secret_equal(known.key, c->key);

	credential_clear(&known);
	return same;
}

enum err maf_assign(void *ctx, const char *client, const char *credential, uint64_t expires_at, char km_id[static KEY_ID_MAX])
{
	const struct maf_assigner *m = ctx;
	uint8_t relative[KEY_ID_RELATIVE_OCTETS];
	struct credential c = {.key = NULL};
	struct credential_id id;
	char identity[KEY_ID_MAX];
	struct key_id key_id;
	enum err e;

	(void)client;
	(void)expires_at; /* Km ends when Ke does, however long the registration lives */
	if (credential_id_parse(rd_str(credential), &id) != OK || id.type != CREDENTIAL_KM || !rd_text(id.value, identity, sizeof identity) ||
	    key_id_split(rd_str(identity), &key_id) != OK || fqdn_equal(key_id.fqdn, rd_str(m->fqdn)))
		return OK;
	e = credentials_find(m->store, identity, &c);
	if (e != OK)
		return e;
	if (named_already(m->store, km_id, &c)) {
		credential_clear(&c);
		return OK;
	}
	rng_fill(m->rng, relative, sizeof relative);
	e = key_id_print(relative, rd_str(m->fqdn), c.identity);
	c.added_at = clock_unix_ms() / 1000;
	if (e == OK)
		e = credentials_put(m->store, &c, true);
	if (e == OK)
		memcpy(km_id, c.identity, KEY_ID_MAX);
	credential_clear(&c);
	return e;
}

enum err maf_stands(void *ctx, const char *credential, char key_name[static REGISTRY_KEY_NAME])
{
	const struct maf_assigner *m = ctx;

	return credentials_stand(m->store, CREDENTIAL_KM, m->fqdn, clock_unix_ms() / 1000, credential, key_name);
}
