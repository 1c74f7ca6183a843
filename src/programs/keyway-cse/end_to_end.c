/* ESPrim's keys and clock; the trace of primitives. */
#include "programs/keyway-cse/end_to_end.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "binding/esprim/esprim_binding.h"
#include "credentials/credentials.h"
#include "enrolee/credentials_psk.h"
#include "enrolee/key_watch.h"
#include "loop/log.h"
#include "tls/psk_file.h"

struct end_to_end {
	struct credentials *store;
	struct credentials_psk from_store;
	struct tls_credentials *to_functions;
	struct key_fetcher *fetcher;
	struct key_watch *watch;
	struct psk_chain *chain;
	struct rng rng;
	struct esprim_binding *esprim;
	const char *sp;      /* the options' */
	char fqdn[FQDN_MAX]; /* own public domain name, TS-0001 clause 6.5.1.1 */
};

static uint64_t unix_ms(void *ctx)
{
	(void)ctx;
	return clock_unix_ms();
}

static void tell(void *ctx, const char *from, const char *kid, enum onem2m_rsc rsc)
{
	(void)ctx;
	if (rsc == RSC_OK)
		log_line(LOG_LEVEL_DEBUG, "esprim request", "from=%s key=%s", log_quote(rd_str(from)), log_quote(rd_str(kid)));
	else
		log_line(LOG_LEVEL_NOTICE, "esprim refused", "from=%s key=%s rsc=%d", log_quote(rd_str(from)), log_quote(rd_str(kid)), (int)rsc);
}

static bool fqdn_of(const struct options *o, char fqdn[static FQDN_MAX])
{
	bool below = strcmp(o->type, "in") != 0 && o->registrar_id;
	int n = snprintf(fqdn, FQDN_MAX, "%s%s%s.%s", o->id + 1, below ? "." : "", below ? o->registrar_id + 1 : "", o->sp);

	return n > 0 && n < FQDN_MAX && fqdn_valid(rd_str(fqdn));
}

/* A key by whose it is, in each of the forms that an operator, a MAF or a MEF may have written. */
static bool key_for(void *ctx, const char *entity, const char *except, char kid[static KEY_ID_MAX], struct secret **key)
{
	struct end_to_end *e = ctx;
	char name[CREDENTIAL_ENTITY_MAX];
	struct credential c;

	for (unsigned form = 0; e->store && form < 3; form++) {
		int n = form == 0 ? snprintf(name, sizeof name, "%s", entity) : snprintf(name, sizeof name, "%s//%s%s", form == 1 ? "m2m:" : "", e->sp, entity);

		c = (struct credential){.key = NULL};
		if (n >= (int)sizeof name)
			continue;
		if (credentials_find_entity(e->store, KIND_ESPRIM, name, clock_unix_ms() / 1000, &c) == OK && strcmp(c.identity, except) != 0) {
			memcpy(kid, c.identity, sizeof c.identity);
			*key = c.key;
			return true;
		}
		credential_clear(&c);
	}
	return false;
}

static enum err open_store(struct end_to_end *e, const struct options *o)
{
	struct credentials_options place = {.path = o->esprim_credentials, .kek = o->esprim_kek, .rng = &e->rng,
		.must_exist = !o->maf_url && !o->mef_url};
	const char *detail = "";
	enum err r = credentials_open(&place, &e->store, &detail);

	if (r != OK)
		log_line(LOG_LEVEL_ERROR, "credentials", "path=%s why=%s", log_quote(rd_str(o->esprim_credentials)), log_quote(rd_str(detail)));
	return r;
}

/* What MAF and MEF have for this CSE as a target, when somebody comes with a key that the store has not: TS-0003 clauses 8.3.5 and 8.8. */
static enum err fetch_start(struct end_to_end *e, struct loop *l, const struct options *o)
{
	struct key_fetcher_config c = {.loop = l, .store = e->store, .sp = o->sp, .origin = o->id};
	const struct tls_config own = {.cert = o->cert, .key = o->key, .ca = o->ca};
	char why[TLS_WHY_MAX];
	struct psk_source source;

	if (o->maf_url && o->maf_id)
		c.functions[c.function_count++] = (struct key_fetcher_function){{REGISTRY_MAF, o->maf_url, o->maf_id}, KEY_FETCHER_SUID(SUID_MAF_ESPRIM)};
	if (o->mef_url && o->mef_id)
		c.functions[c.function_count++] = (struct key_fetcher_function){{REGISTRY_MEF, o->mef_url, o->mef_id}, KEY_FETCHER_SUID(SUID_RSPF_ESPRIM)};
	if (c.function_count == 0)
		return OK;
	if (o->cert && tls_credentials_new(&own, why, &e->to_functions) != OK) {
		log_line(LOG_LEVEL_ERROR, "the TLS credentials can't be used towards MAF and MEF", "why=%s", log_quote(rd_str(why)));
		return ERR_CONFIG;
	}
	c.tls = e->to_functions;
	e->fetcher = key_fetcher_new(&c);
	e->watch = key_watch_new(&c, o->credentials_recheck_s, NULL, NULL);
	source = key_fetcher_source(e->fetcher);
	psk_chain_add(e->chain, &source);
	return OK;
}

static enum err keys_start(struct end_to_end *e, struct loop *l, const struct options *o)
{
	struct psk_source source;
	enum err r = open_store(e, o);

	if (r != OK)
		return r;
	e->chain = psk_chain_new();
	e->from_store = (struct credentials_psk){e->store, o->sp, CREDENTIALS_PSK(KIND_ESPRIM)};
	source = credentials_psk_source(&e->from_store);
	psk_chain_add(e->chain, &source);
	return fetch_start(e, l, o);
}

enum err end_to_end_start(struct loop *l, const struct options *o, struct cse *c, struct tls_credentials *tls, struct end_to_end **out)
{
	struct end_to_end *e = NULL;
	struct esprim_binding_config config = {
		.submit = cse_entry, .to = c, .sp = o->sp, .id = o->id, .unix_ms = unix_ms, .key_for = key_for, .life_ms = o->esprim_life_s * 1000, .tell = tell};
	struct cse_security security;
	enum err r = OK;

	*out = NULL;
	if (!o->esprim_credentials && !o->esprim_certificates)
		return OK;
	e = calloc(1, sizeof *e);
	if (!e)
		return ERR_NO_MEMORY;
	e->rng = rng_system();
	e->sp = o->sp;
	if (!esprim_policy_parse(o->esprim_notifications, &config.policy)) {
		log_line(LOG_LEVEL_ERROR, "esprim", "why=\"notifications is never, offered or required\"");
		r = ERR_CONFIG;
		goto out;
	}
	if (o->esprim_credentials && (r = keys_start(e, l, o)) != OK)
		goto out;
	if (o->esprim_certificates && (!tls || !fqdn_of(o, e->fqdn))) {
		log_line(LOG_LEVEL_ERROR, "esprim", "why=\"certificates need [tls], and a CSE-ID and a service provider that make a domain name\"");
		r = ERR_CONFIG;
		goto out;
	}
	if (e->chain)
		config.keys = psk_chain_source(e->chain);
	if (o->esprim_certificates) {
		config.tls = tls;
		config.fqdn = e->fqdn;
	}
	config.rng = &e->rng;
	config.ctx = e;
	if ((r = esprim_binding_new(&config, &e->esprim)) != OK)
		goto out;
	security = esprim_binding_security(e->esprim);
	cse_use_security(c, &security);
	*out = e;
	e = NULL;
out:
	end_to_end_free(e);
	return r;
}

void end_to_end_free(struct end_to_end *e)
{
	if (!e)
		return;
	esprim_binding_free(e->esprim);
	psk_chain_free(e->chain);
	key_watch_free(e->watch);
	key_fetcher_free(e->fetcher);
	tls_credentials_free(e->to_functions);
	credentials_close(e->store);
	free(e);
}

/* ---- trace ---- */

static void trace(void *ctx, const struct onem2m_request *rq, const struct onem2m_response *rsp)
{
	FILE *f = ctx;

	if (rsp)
		fprintf(f, "rsp rqi=%.*s rsc=%d pc=%.*s\n", (int)rq->request_id.left, (const char *)rq->request_id.at, (int)rsp->rsc,
		    (int)rsp->content.left, (const char *)rsp->content.at);
	else
		fprintf(f, "rqp op=%d to=%.*s fr=%.*s rqi=%.*s ty=%d pc=%.*s\n", (int)rq->operation, (int)rq->to.left, (const char *)rq->to.at,
		    (int)rq->from.left, (const char *)rq->from.at, (int)rq->request_id.left, (const char *)rq->request_id.at, rq->type,
		    (int)rq->content.left, (const char *)rq->content.at);
	fflush(f);
}

enum err trace_open(const struct options *o, struct cse_config *config)
{
	int fd;
	FILE *f;

	if (!o->trace)
		return OK;
	fd = open(o->trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	f = fd >= 0 ? fdopen(fd, "a") : NULL;
	if (!f) {
		if (fd >= 0)
			close(fd);
		return ERR_CONFIG;
	}
	log_line(LOG_LEVEL_WARNING, "trace", "file=%s hint=\"every primitive is written there with its content\"", log_quote(rd_str(o->trace)));
	config->trace = trace;
	config->trace_ctx = f;
	return OK;
}
