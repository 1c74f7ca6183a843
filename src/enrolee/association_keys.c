/* Sources of pre-shared keys, one after another. */
#include "enrolee/association_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "enrolee/credentials_psk.h"
#include "enrolee/own_credential.h"
#include "loop/log.h"
#include "tls/psk_file.h"

#define OWN_MAX 8 /* targets whose credentials are kept, so that their connections are used again */

struct association_keys {
	struct association_keys_config config;
	struct {
		char identity[CREDENTIAL_IDENTITY_MAX];
		uint64_t added_at; /* another key may take the name */
		struct tls_credentials *tls;
	} own[OWN_MAX];
	size_t own_next;
	struct rng rng;
	struct psk_file *files[ASSOCIATION_KEYS_FILES];
	struct credentials *store;
	struct credentials_psk from_store;
	struct tls_credentials *tls, *to_functions; /* of the associations; towards MEF and MAF */
	struct key_fetcher_config functions;
	struct key_fetcher *fetcher;
	struct key_watch *watch;
	struct psk_chain *chain;
};

static enum err fail(const char *what, const char *detail)
{
	log_line(LOG_LEVEL_ERROR, what, "advice=\"%s\"", detail);
	return ERR_CONFIG;
}

static enum err files_start(struct association_keys *k)
{
	struct psk_source source;

	for (size_t i = 0; i < ASSOCIATION_KEYS_FILES; i++) {
		if (!k->config.files[i])
			continue;
		if (psk_file_new(k->config.files[i], &k->files[i]) != OK)
			return fail("the file of pre-shared keys can't be used", "it must be there with mode 0600");
		source = psk_file_source(k->files[i]);
		psk_chain_add(k->chain, &source);
	}
	return OK;
}

enum err association_keys_store(const char *path, const char *kek, struct rng *rng, struct credentials **out)
{
	struct credentials_options c = {.path = path, .kek = kek, .rng = rng};
	const char *detail = "";

	return credentials_open(&c, out, &detail) == OK ? OK : fail("the store of credentials can't be opened", detail);
}

static enum err store_start(struct association_keys *k)
{
	struct psk_source source;
	enum err e = association_keys_store(k->config.store, k->config.kek, &k->rng, &k->store);

	if (e != OK)
		return e;
	k->from_store = (struct credentials_psk){k->store, k->config.sp, CREDENTIALS_PSK(KIND_KPSA)};
	source = credentials_psk_source(&k->from_store);
	psk_chain_add(k->chain, &source);
	return OK;
}

static enum err functions_start(struct association_keys *k)
{
	const struct association_keys_config *c = &k->config;
	const struct tls_config own = {.cert = c->cert, .key = c->key, .ca = c->ca};
	struct key_fetcher_config *f = &k->functions;
	char why[TLS_WHY_MAX];
	struct psk_source source;

	*f = (struct key_fetcher_config){.loop = c->loop, .store = k->store, .sp = c->sp, .origin = c->origin};
	if (c->maf.url)
		f->functions[f->function_count++] = (struct key_fetcher_function){c->maf, KEY_FETCHER_SUID(SUID_MAF_SAEF)};
	if (c->mef.url)
		f->functions[f->function_count++] = (struct key_fetcher_function){c->mef, KEY_FETCHER_SUID(SUID_RSPF_SAEF)};
	if (f->function_count == 0)
		return OK;
	if (c->cert && tls_credentials_new(&own, why, &k->to_functions) != OK)
		return fail("the TLS credentials can't be used towards MAF and MEF", why);
	f->tls = k->to_functions;
	k->fetcher = key_fetcher_new(f);
	source = key_fetcher_source(k->fetcher);
	psk_chain_add(k->chain, &source);
	return OK;
}

static void on_changed(void *ctx)
{
	struct association_keys *k = ctx;

	tls_credentials_recheck(k->tls);
	if (k->config.changed)
		k->config.changed(k->config.ctx);
}

static enum err sources_start(struct association_keys *k)
{
	const struct association_keys_config *c = &k->config;
	struct psk_source source;
	enum err e;

	if ((e = files_start(k)) != OK || (c->store && (e = store_start(k)) != OK) || (k->store && (e = functions_start(k)) != OK))
		return e;
	source = psk_chain_source(k->chain);
	e = tls_credentials_psk_source(k->tls, &source);
	if (e == OK && k->store)
		k->watch = key_watch_new(&k->functions, c->recheck_s, on_changed, k);
	return e;
}

enum err association_keys_new(const struct association_keys_config *c, struct tls_credentials *tls, struct association_keys **out)
{
	struct association_keys *k;
	enum err e;

	if ((c->maf.url != NULL) != (c->maf.fqdn != NULL) || (c->mef.url != NULL) != (c->mef.fqdn != NULL))
		return fail("url and id in [maf] and in [mef] belong together", "give both or none");
	if (c->recheck_s > KEY_WATCH_RECHECK_S_MAX)
		return fail("recheck_s in [credentials] is out of range", "seconds, a day at most; 0 never asks");
	k = calloc(1, sizeof *k);
	if (!k)
		return ERR_NO_MEMORY;
	k->config = *c;
	k->rng = rng_system();
	k->chain = psk_chain_new();
	k->tls = tls_credentials_hold(tls);
	k->functions = (struct key_fetcher_config){.loop = c->loop};
	e = sources_start(k);
	if (e != OK) {
		association_keys_free(k);
		return e;
	}
	*out = k;
	return OK;
}

/* The same for the same key. */
static struct tls_credentials *kept(struct association_keys *k, const struct credential *c)
{
	struct tls_credentials *tls;
	size_t i;

	for (i = 0; i < OWN_MAX; i++)
		if (k->own[i].tls && k->own[i].added_at == c->added_at && strcmp(k->own[i].identity, c->identity) == 0)
			return k->own[i].tls;
	if (psk_credential(c->identity, c->key, &tls) != OK)
		return NULL;
	i = k->own_next++ % OWN_MAX;
	tls_credentials_free(k->own[i].tls);
	k->own[i].tls = tls;
	k->own[i].added_at = c->added_at;
	memcpy(k->own[i].identity, c->identity, sizeof k->own[i].identity);
	return tls;
}

struct tls_credentials *association_keys_for(struct association_keys *k, const char *target_id)
{
	struct tls_credentials *tls = NULL;
	struct credential c = {.key = NULL};
	uint64_t now_s = clock_unix_ms() / 1000;
	enum err e = k->store ? credentials_find_peer(k->store, KIND_KPSA, target_id, now_s, &c) : ERR_NOT_FOUND;

	if (e == ERR_NOT_FOUND && k->store && k->config.only_keys)
		e = credentials_find_entity(k->store, KIND_KPSA, target_id, now_s, &c);
	if (e == OK)
		tls = kept(k, &c);
	credential_clear(&c);
	return tls;
}

void association_keys_add(struct association_keys *k, const struct psk_source *source)
{
	psk_chain_add(k->chain, source);
}

void association_keys_free(struct association_keys *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < OWN_MAX; i++)
		tls_credentials_free(k->own[i].tls);
	key_watch_free(k->watch);
	psk_chain_free(k->chain);
	key_fetcher_free(k->fetcher);
	tls_credentials_free(k->to_functions);
	tls_credentials_free(k->tls);
	credentials_close(k->store);
	for (size_t i = 0; i < ASSOCIATION_KEYS_FILES; i++)
		psk_file_free(k->files[i]);
	free(k);
}
