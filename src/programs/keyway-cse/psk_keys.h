/* The pre-shared keys of a CSE's associations, as its configuration names them. */
#ifndef KEYWAY_CSE_PSK_KEYS_H
#define KEYWAY_CSE_PSK_KEYS_H

#include "enrolee/association_keys.h"
#include "programs/keyway-cse/options.h"

/* Makes `tls` take PSK, when the options name keys. Towards MAF and MEF the CSE shows its certificate; without one, Km or Kpm of the store.
 * ERR_CONFIG after a line in the log. *out stays NULL when there is nothing to do. */
enum err psk_keys_start(struct loop *l, const struct options *o, struct tls_credentials *tls, struct association_keys **out) MUST_CHECK;
/* The CSE's store of credentials, opened once more. ERR_CONFIG after a line in the log. */
enum err psk_keys_store(const struct options *o, struct rng *rng, struct credentials **out) MUST_CHECK;

#endif
