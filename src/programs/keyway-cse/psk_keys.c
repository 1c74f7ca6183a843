/* Sources of pre-shared keys, one after another. */
#include "programs/keyway-cse/psk_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "enrolee/credentials_psk.h"
#include "enrolee/key_fetcher.h"
#include "enrolee/own_credential.h"
#include "loop/log.h"
#include "tls/psk_file.h"

#define PATH_SIZE 600
#define FILES 3 /* of [tls], [https] and [coaps]: their keys hold at every listener */

#define OWN_MAX 8 /* targets whose credentials are kept, so that their connections are used again */

struct psk_keys {
	struct {
		char identity[CREDENTIAL_IDENTITY_MAX];
		struct tls_credentials *tls;
	} own[OWN_MAX];
	size_t own_next;
	struct rng rng;
	struct psk_file *files[FILES];
	struct credentials *store;
	struct credentials_psk from_store;
	struct tls_credentials *to_functions;
	struct key_fetcher *fetcher;
	struct psk_chain *chain;
};

static enum err fail(const char *what, const char *detail)
{
	log_line(LOG_LEVEL_ERROR, what, "advice=\"%s\"", detail);
	return ERR_CONFIG;
}

static enum err file_start(struct psk_keys *k, const struct options *o)
{
	const char *const paths[FILES] = {o->psk_file, o->https_psk_file, o->coaps_psk_file};
	struct psk_source source;

	for (size_t i = 0; i < FILES; i++) {
		if (!paths[i])
			continue;
		if (psk_file_new(paths[i], &k->files[i]) != OK)
			return fail("the file of pre-shared keys can't be used", "it must be there with mode 0600");
		source = psk_file_source(k->files[i]);
		psk_chain_add(k->chain, &source);
	}
	return OK;
}

enum err psk_keys_store(const struct options *o, struct rng *rng, struct credentials **out)
{
	char path[PATH_SIZE];
	struct credentials_options c = {.path = path, .kek = o->credentials_kek, .rng = rng};
	const char *detail = "";

	if (o->credentials)
		snprintf(path, sizeof path, "%s", o->credentials);
	else
		snprintf(path, sizeof path, "%s/credentials.db", o->state);
	return credentials_open(&c, out, &detail) == OK ? OK : fail("the store of credentials can't be opened", detail);
}

static enum err store_start(struct psk_keys *k, const struct options *o)
{
	struct psk_source source;
	enum err e = psk_keys_store(o, &k->rng, &k->store);

	if (e != OK)
		return e;
	k->from_store = (struct credentials_psk){k->store, o->sp, CREDENTIALS_PSK(KIND_KPSA)};
	source = credentials_psk_source(&k->from_store);
	psk_chain_add(k->chain, &source);
	return OK;
}

static enum err functions_start(struct loop *l, struct psk_keys *k, const struct options *o)
{
	struct key_fetcher_config c = {.loop = l, .store = k->store, .sp = o->sp, .origin = o->id};
	const struct tls_config own = {.cert = o->cert, .key = o->key, .ca = o->ca};
	char why[TLS_WHY_MAX];
	struct psk_source source;

	if (o->maf_url)
		c.functions[c.function_count++] = (struct key_fetcher_function){{REGISTRY_MAF, o->maf_url, o->maf_id}, KEY_FETCHER_SUID(SUID_MAF_SAEF)};
	if (o->mef_url)
		c.functions[c.function_count++] = (struct key_fetcher_function){{REGISTRY_MEF, o->mef_url, o->mef_id}, KEY_FETCHER_SUID(SUID_RSPF_SAEF)};
	if (c.function_count == 0)
		return OK;
	if (o->cert && tls_credentials_new(&own, why, &k->to_functions) != OK)
		return fail("the TLS credentials can't be used towards MAF and MEF", why);
	c.tls = k->to_functions;
	k->fetcher = key_fetcher_new(&c);
	source = key_fetcher_source(k->fetcher);
	psk_chain_add(k->chain, &source);
	return OK;
}

static enum err sources(struct loop *l, struct psk_keys *k, const struct options *o)
{
	bool functions = o->maf_url || o->mef_url;
	enum err e = file_start(k, o);

	if (e == OK && (o->credentials || functions))
		e = store_start(k, o);
	return e == OK && functions ? functions_start(l, k, o) : e;
}

enum err psk_keys_start(struct loop *l, const struct options *o, struct tls_credentials *tls, struct psk_keys **out)
{
	struct psk_source source;
	struct psk_keys *k;
	enum err e;

	if (!o->psk_file && !o->https_psk_file && !o->coaps_psk_file && !o->credentials && !o->maf_url && !o->mef_url && !o->gba_bsf)
		return OK;
	if ((o->maf_url != NULL) != (o->maf_id != NULL) || (o->mef_url != NULL) != (o->mef_id != NULL))
		return fail("url and id in [maf] and in [mef] belong together", "give both or none");
	k = calloc(1, sizeof *k);
	if (!k)
		return ERR_NO_MEMORY;
	k->rng = rng_system();
	k->chain = psk_chain_new();
	e = sources(l, k, o);
	if (e == OK) {
		source = psk_chain_source(k->chain);
		e = tls_credentials_psk_source(tls, &source);
	}
	if (e != OK) {
		psk_keys_free(k);
		return e;
	}
	*out = k;
	return OK;
}

/* The same for the same key. */
static struct tls_credentials *kept(struct psk_keys *k, const struct credential *c)
{
	struct tls_credentials *tls;
	size_t i;

	for (i = 0; i < OWN_MAX; i++)
		if (k->own[i].tls && strcmp(k->own[i].identity, c->identity) == 0)
			return k->own[i].tls;
	if (psk_credential(c->identity, c->key, &tls) != OK)
		return NULL;
	i = k->own_next++ % OWN_MAX;
	tls_credentials_free(k->own[i].tls);
	k->own[i].tls = tls;
	memcpy(k->own[i].identity, c->identity, sizeof k->own[i].identity);
	return tls;
}

struct tls_credentials *psk_keys_for(void *ctx, const char *target_id)
{
	struct psk_keys *k = ctx;
	struct tls_credentials *tls = NULL;
	struct credential c = {.key = NULL};

	if (k->store && credentials_find_peer(k->store, KIND_KPSA, target_id, clock_unix_ms() / 1000, &c) == OK)
		tls = kept(k, &c);
	credential_clear(&c);
	return tls;
}

void psk_keys_add(struct psk_keys *k, const struct psk_source *source)
{
	psk_chain_add(k->chain, source);
}

void psk_keys_free(struct psk_keys *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < OWN_MAX; i++)
		tls_credentials_free(k->own[i].tls);
	psk_chain_free(k->chain);
	key_fetcher_free(k->fetcher);
	tls_credentials_free(k->to_functions);
	credentials_close(k->store);
	for (size_t i = 0; i < FILES; i++)
		psk_file_free(k->files[i]);
	free(k);
}
