/* The key that seals another store of the same program: a row of credentials.db, so that what rotates there rotates for all. */
#ifndef KEYWAY_CREDENTIALS_STORE_KEY_H
#define KEYWAY_CREDENTIALS_STORE_KEY_H

#include "credentials/credentials.h"

/* "registry" of "maf.keyway.example"; made when there is none. */
enum err store_key_get(struct credentials *s, const char *name, const char *fqdn, uint64_t now_s, struct rng *rng, struct secret **key) MUST_CHECK;

/* A note on the key, which nobody can change without the KEK: that the other store has been written under it, for instance. */
bool store_key_is_marked(struct credentials *s, const char *name, const char *fqdn);
enum err store_key_mark(struct credentials *s, const char *name, const char *fqdn) MUST_CHECK;

#endif
