/* From the sections of the configuration to the keys. */
#include "programs/keyway-cse/psk_keys.h"

#include <stdio.h>

#define PATH_SIZE 600

static const char *path_of(const struct options *o, char path[static PATH_SIZE])
{
	if (o->credentials)
		snprintf(path, PATH_SIZE, "%s", o->credentials);
	else
		snprintf(path, PATH_SIZE, "%s/credentials.db", o->state);
	return path;
}

enum err psk_keys_store(const struct options *o, struct rng *rng, struct credentials **out)
{
	char path[PATH_SIZE];

	return association_keys_store(path_of(o, path), o->credentials_kek, rng, out);
}

/* The keys of [tls], [https] and [coaps] hold at every listener. */
enum err psk_keys_start(struct loop *l, const struct options *o, struct tls_credentials *tls, struct association_keys **out)
{
	bool stored = o->credentials || o->maf_url || o->mef_url;
	char path[PATH_SIZE];
	const struct association_keys_config c = {.loop = l, .sp = o->sp, .origin = o->id, .files = {o->psk_file, o->https_psk_file, o->coaps_psk_file},
		.store = stored ? path_of(o, path) : NULL, .kek = o->credentials_kek, .mef = {REGISTRY_MEF, o->mef_url, o->mef_id},
		.maf = {REGISTRY_MAF, o->maf_url, o->maf_id}, .ca = o->ca, .cert = o->cert, .key = o->key, .only_keys = !o->cert && !o->raw_key,
		.recheck_s = o->credentials_recheck_s};

	if (!o->psk_file && !o->https_psk_file && !o->coaps_psk_file && !stored && !o->gba_bsf)
		return OK;
	return association_keys_new(&c, tls, out);
}
