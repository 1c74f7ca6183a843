/* A key that the store has not, from the MAF or MEF that its identifier names: for subcommands that meet an identifier in what they read. */
#ifndef KEYWAY_CLI_KEY_FETCH_H
#define KEYWAY_CLI_KEY_FETCH_H

#include "credentials/credentials.h"
#include "enrolee/key_fetcher.h"

#define KEY_FETCH_OPTIONS                                                                                              \
	"  --id ID             own AE-ID or CSE-ID, as which keys that are not there yet are fetched ...\n"             \
	"  --maf URL           ... https://HOST:PORT of the MAF, with Km from the store ...\n"                         \
	"  --maf-id FQDN       ... its name ...\n"                                                                     \
	"  --mef URL           ... or of the MEF, with Kpm ...\n"                                                      \
	"  --mef-id FQDN       ... its name\n"                                                                         \
	"  --sp DOMAIN         M2M service provider (default keyway.example)\n"

struct key_fetch {
	const char *origin, *sp, *maf, *maf_id, *mef, *mef_id;
};

/* Takes the options out of argv. CLI_OK, or a status after a message. */
int key_fetch_take(struct key_fetch *f, int *argc, char **argv, const char *usage) MUST_CHECK;
/* Whether the identifier names one of the functions that were given. */
bool key_fetch_may(const struct key_fetch *f, const char *identity) MUST_CHECK;
/* What a fetcher of keys for this usage needs; loop and store are borrowed. */
void key_fetch_config(const struct key_fetch *f, struct loop *loop, struct credentials *store, uint64_t suids, struct key_fetcher_config *c);
/* Waits for it; it is in the store then. False: it is not to be had. suids: what it may be for. */
bool key_fetch_now(const struct key_fetch *f, struct credentials *store, const char *identity, uint64_t suids) MUST_CHECK;

#endif
