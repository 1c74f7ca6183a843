/* Pre-shared keys of a CSE's associations: its text file, its store of credentials (Kpsa), and what the MAF or the MEF has for it (Kc, Kpsa). */
#ifndef KEYWAY_CSE_PSK_KEYS_H
#define KEYWAY_CSE_PSK_KEYS_H

#include "base/rng.h"
#include "loop/loop.h"
#include "programs/keyway-cse/options.h"
#include "tls/tls.h"

struct credentials;
struct psk_keys;
struct psk_source;

/* Makes `tls` take PSK, when the options name any of these. Towards MAF and MEF the CSE shows its certificate; without one, Km or Kpm of the store.
 * ERR_CONFIG after a line in the log. *out stays NULL when there is nothing to do. */
enum err psk_keys_start(struct loop *l, const struct options *o, struct tls_credentials *tls, struct psk_keys **out) MUST_CHECK;
/* The CSE's store of credentials, opened once more. ERR_CONFIG after a line in the log. */
enum err psk_keys_store(const struct options *o, struct rng *rng, struct credentials **out) MUST_CHECK;
/* One more, behind the others; it stays the caller's. There is a psk_keys whenever the options name a BSF. */
void psk_keys_add(struct psk_keys *k, const struct psk_source *source);
/* For http_sender: the key that the store has for this CSE or AE, as credentials; NULL when there is none. ctx is a psk_keys. */
struct tls_credentials *psk_keys_for(void *ctx, const char *target_id);
void psk_keys_free(struct psk_keys *k); /* after everything that uses tls; accepts NULL */

#endif
