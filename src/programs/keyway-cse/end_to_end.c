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
#include "loop/log.h"

struct end_to_end {
	struct credentials *store;
	struct rng rng;
	struct esprim_binding *esprim;
	char fqdn[FQDN_MAX]; /* own public domain name, TS-0001 clause 6.5.1.1 */
};

/* A key of the store that is meant for ESPrim; who it belongs to is in its row. */
static void *find(void *source, const char *identity, psk_done *done, void *ctx)
{
	struct end_to_end *e = source;
	struct psk_answer a = {.key = NULL};
	struct credential c;

	if (credentials_find(e->store, identity, &c) != OK) {
		done(ctx, NULL);
		return NULL;
	}
	if (c.kind == KIND_ESPRIM && !credential_expired(&c, clock_unix_ms() / 1000) && rd_text(rd_str(c.entity), a.entity, sizeof a.entity)) {
		a.key = c.key;
		a.expires_at = c.expires_at == UINT64_MAX ? 0 : c.expires_at;
		c.key = NULL;
	}
	credential_clear(&c);
	done(ctx, a.key ? &a : NULL);
	return NULL;
}

static void cancel(void *source, void *handle)
{
	(void)source;
	(void)handle;
}

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

static enum err open_store(struct end_to_end *e, const struct options *o)
{
	struct credentials_options place = {.path = o->esprim_credentials, .kek = o->esprim_kek, .must_exist = true, .rng = &e->rng};
	const char *detail = "";
	enum err r = credentials_open(&place, &e->store, &detail);

	if (r != OK)
		log_line(LOG_LEVEL_ERROR, "credentials", "path=%s why=%s", log_quote(rd_str(o->esprim_credentials)), log_quote(rd_str(detail)));
	return r;
}

enum err end_to_end_start(const struct options *o, struct cse *c, struct tls_credentials *tls, struct end_to_end **out)
{
	struct end_to_end *e = NULL;
	struct esprim_binding_config config = {
		.cse = c, .sp = o->sp, .id = o->id, .unix_ms = unix_ms, .life_ms = o->esprim_life_s * 1000, .tell = tell};
	struct cse_security security;
	enum err r = OK;

	*out = NULL;
	if (!o->esprim_credentials && !o->esprim_certificates)
		return OK;
	e = calloc(1, sizeof *e);
	if (!e)
		return ERR_NO_MEMORY;
	e->rng = rng_system();
	if (o->esprim_credentials && (r = open_store(e, o)) != OK)
		goto out;
	if (o->esprim_certificates && (!tls || !fqdn_of(o, e->fqdn))) {
		log_line(LOG_LEVEL_ERROR, "esprim", "why=\"certificates need [tls], and a CSE-ID and a service provider that make a domain name\"");
		r = ERR_CONFIG;
		goto out;
	}
	if (e->store)
		config.keys = (struct psk_source){find, cancel, e};
	if (o->esprim_certificates) {
		config.tls = tls;
		config.fqdn = e->fqdn;
	}
	config.rng = &e->rng;
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
