/* How much one client may have. */
#include <string.h>

#include "key_registry/private.h"

/* Counting takes as long as there is much to count: so it is done once, and then known how many more fit. What is de-registered meanwhile is found out by
 * the next counting. */
static uint64_t count(struct registry *r, enum registry_statement which, const char *client)
{
	sqlite3_stmt *s = registry_bind(r, which, "s", client);
	uint64_t n = sqlite3_step(s) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(s, 0) : UINT64_MAX;

	registry_done(s);
	return n;
}

bool registry_share_client(struct registry *r, const char *client)
{
	return count(r, CLIENTS_MANY, client) < REGISTRY_ADMINS_PER_CLIENT;
}

bool registry_share_key(struct registry *r, const char *client)
{
	uint64_t most = r->config.keys_per_client ? r->config.keys_per_client : REGISTRY_KEYS_PER_CLIENT, n;
	struct registry_share *s = NULL;

	for (size_t i = 0; i < REGISTRY_SHARES && !s; i++)
		if (strcmp(r->shares[i].client, client) == 0)
			s = &r->shares[i];
	if (!s) {
		s = &r->shares[r->share_next++ % REGISTRY_SHARES];
		*s = (struct registry_share){.left = 0};
		memcpy(s->client, client, strlen(client) + 1);
	}
	if (s->left == 0) {
		n = count(r, KEYS_MANY, client);
		s->left = n < most ? most - n : 0;
	}
	if (s->left == 0)
		return false;
	s->left--;
	return true;
}
