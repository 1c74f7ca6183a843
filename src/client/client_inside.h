/* For programs of this tree that have their credentials already, out of a store of keys. */
#ifndef KEYWAY_CLIENT_CLIENT_INSIDE_H
#define KEYWAY_CLIENT_CLIENT_INSIDE_H

#include "keyway/client.h"
#include "tls/tls.h"

/* As keyway_open, with these credentials, a pre-shared key's, in the place of files. Takes them over, also on failure. */
struct keyway *client_open_with(const struct keyway_options *o, struct tls_credentials *tls, char *why, size_t why_size);
/* As keyway_seal, with a key that is copied; certified: by an agreement of certificates. */
int client_seal_with(struct keyway *k, const char *receiver, const char *key_id, const struct secret *key, bool certified, char *why, size_t why_size);

#endif
