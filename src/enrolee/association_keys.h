/* The pre-shared keys of a program's associations, from everywhere: its text files, its store of credentials (Kpsa), and what the MAF or the MEF has for it
 * (Kc, Kpsa). Who comes with one gets in; whom it asks is shown the one that is shared with him. What ends before its time ends the associations under it.
 *
 *	association_keys_new(&config, tls, &keys);          `tls` takes PSK from now on
 *	tls = association_keys_for(keys, "/id-in");         to be shown to it; NULL: there is none */
#ifndef KEYWAY_ENROLEE_ASSOCIATION_KEYS_H
#define KEYWAY_ENROLEE_ASSOCIATION_KEYS_H

#include "base/rng.h"
#include "enrolee/function_client.h"
#include "enrolee/key_watch.h"
#include "loop/loop.h"
#include "tls/tls.h"

#define ASSOCIATION_KEYS_FILES 3

struct association_keys_config {
	struct loop *loop;
	const char *sp, *origin;          /* own ID: "/id-in", "/id-in/Cdas" */
	const char *files[ASSOCIATION_KEYS_FILES]; /* text files of keys, tls/psk_file.h; NULL: none */
	const char *store, *kek;          /* store of credentials; NULL: none. With mef or maf there must be one */
	struct function_peer mef, maf;    /* url NULL: none */
	const char *ca, *cert, *key;      /* own certificate towards them; cert NULL: Kpm or Km of the store */
	bool only_keys;                   /* there is nothing else to show: a key that was fetched for one who came serves the way to him, too */
	uint64_t recheck_s;               /* key_watch.h */
	void (*changed)(void *ctx);       /* the store is not what it was; may be NULL */
	void *ctx;
};

struct association_keys;
struct psk_source;

/* Makes `tls` take PSK. What c points to stays the caller's. ERR_CONFIG after a line in the log. */
enum err association_keys_new(const struct association_keys_config *c, struct tls_credentials *tls, struct association_keys **out) MUST_CHECK;
/* A store of credentials. ERR_CONFIG after a line in the log. */
enum err association_keys_store(const char *path, const char *kek, struct rng *rng, struct credentials **out) MUST_CHECK;
/* One more source, behind the others; it stays the caller's. */
void association_keys_add(struct association_keys *k, const struct psk_source *source);
/* The key that the store has for this CSE, AE or domain name, as credentials that stay the callee's; NULL when there is none. */
struct tls_credentials *association_keys_for(struct association_keys *k, const char *target_id);
void association_keys_free(struct association_keys *k); /* after everything that uses tls; accepts NULL */

#endif
