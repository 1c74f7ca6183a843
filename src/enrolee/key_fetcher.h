/* Keys that a MAF or MEF has for us, when somebody comes with one: a psk_source for identities `hex@FQDN` whose FQDN is one of the functions that we
 * are a client of. TS-0003 8.2.2.3 (MAF-based association), 8.3.5 (keys from the MEF), 8.8.2 (a MAF whose client was provisioned by the MEF). And of whoever reads what was sealed
 * under such a key: 8.4, 8.5.
 *
 * It asks for the key as a target (Key Retrieval), checks that its usage is the one expected from this function, binds it to the Source Client ID,
 * and keeps it in the store of credentials until it ends: the store goes before this source in the chain.
 *
 * Anybody can make up identities: what is asked for at once, and a second, is bounded, and a refusal is remembered for a moment. */
#ifndef KEYWAY_ENROLEE_KEY_FETCHER_H
#define KEYWAY_ENROLEE_KEY_FETCHER_H

#include "credentials/credentials.h"
#include "enrolee/function_client.h"
#include "tls/psk_source.h"

#define KEY_FETCHER_FUNCTIONS 4
#define KEY_FETCHER_AT_ONCE 64       /* questions under way */
#define KEY_FETCHER_PER_SECOND 200   /* questions */
#define KEY_FETCHER_REFUSED 64       /* identities remembered as refused, for KEY_FETCHER_REFUSED_MS */
#define KEY_FETCHER_REFUSED_MS 2000

#define KEY_FETCHER_SUID(s) (UINT64_C(1) << (s))
struct key_fetcher_function {
	struct function_peer peer;
	uint64_t suids;               /* what its keys may be for: SUID_MAF_SAEF, SUID_RSPF_SAEF, SUID_RSPF_MAF; for ESPrim 33 and 23; for ESData 34, 35, 24, 25 */
};

struct key_fetcher_config {
	struct loop *loop;
	struct credentials *store;
	const char *sp, *origin;      /* own ID, such as "/id-in" */
	struct tls_credentials *tls;  /* certificates for the functions; NULL: Kpm or Km of the store */
	struct key_fetcher_function functions[KEY_FETCHER_FUNCTIONS];
	size_t function_count;
};

struct key_fetcher;
/* Everything in c stays the caller's. */
struct key_fetcher *key_fetcher_new(const struct key_fetcher_config *c);
void key_fetcher_free(struct key_fetcher *f); /* accepts NULL; no callbacks */
struct psk_source key_fetcher_source(struct key_fetcher *f);

#endif
