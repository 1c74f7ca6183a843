/* For programs of this tree that have their credentials already, out of a store of keys. */
#ifndef KEYWAY_CLIENT_CLIENT_INSIDE_H
#define KEYWAY_CLIENT_CLIENT_INSIDE_H

#include "keyway/client.h"
#include "tls/tls.h"

/* As keyway_open, with these credentials, a pre-shared key's, in the place of files. Takes them over, also on failure. */
struct keyway *client_open_with(const struct keyway_options *o, struct tls_credentials *tls, char *why, size_t why_size);

#endif
