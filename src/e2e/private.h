/* Shared by the files of ESPrim. */
#ifndef KEYWAY_E2E_PRIVATE_H
#define KEYWAY_E2E_PRIVATE_H

#include "e2e/esprim.h"

/* A kid fits and both objects are read. */
enum err session_new(const struct secret *pairwise, const char *kid, const struct rand_object *receivers, const struct rand_object *originators,
    enum jose_enc enc, struct esprim_session *out) MUST_CHECK;
struct jose_key *session_jose_key(const struct esprim_session *s);
enum err session_open(const struct esprim_session *s, const struct jose *j, struct rng *rng, struct wr *inner) MUST_CHECK;
bool header_is(const struct jose *j, const char *name, const char *value);

#endif
