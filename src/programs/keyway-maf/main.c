/* keyway-maf: the M2M Authentication Function. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "base/clock.h"
#include "credentials/store_key.h"
#include "enrolee/credentials_psk.h"
#include "enrolee/key_fetcher.h"
#include "enrolee/key_watch.h"
#include "gba/net/naf.h"
#include "key_registry/registration_server.h"
#include "loop/log.h"
#include "loop/program.h"
#include "loop/startup.h"
#include "maf/maf.h"
#include "tls/psk_file.h"

#define PATH_SIZE 4096
#define DAY_S 86400

static struct {
	char *id, *sp, *state, *kek, *health_listen;
	char *ca, *cert, *key;
	char *listen;
	char *mef_url, *mef_id;
	char *gba_bsf, *gba_url, *gba_ua;
	uint64_t client_days, key_days, recheck_s;
} config = {
	.recheck_s = KEY_WATCH_RECHECK_S,
	.client_days = 365,
	.key_days = 30,
};

static bool accept_audit_log;

/* docs/configuration.md */
static const struct config_key keys[] = {
	{"maf", "id", CONFIG_STRING, &config.id, true, "FQDN of the MAF, as in its certificate"},
	{"maf", "sp", CONFIG_STRING, &config.sp, true, "M2M service provider"},
	{"maf", "state", CONFIG_STRING, &config.state, true, "directory for registry.db, credentials.db and audit.log"},
	{"maf", "health_listen", CONFIG_STRING, &config.health_listen, false, "plain HTTP for GET /health, on loopback"},
	{"credentials", "kek", CONFIG_STRING, &config.kek, false, "key file or PKCS#11 URI that seals credentials.db"},
	{"credentials", "recheck_s", CONFIG_UINT, &config.recheck_s, false, "how often the MEF is asked whether keys that it gave are keys still"},
	{"tls", "ca", CONFIG_STRING, &config.ca, true, "PEM file"},
	{"tls", "cert", CONFIG_STRING, &config.cert, true, "PEM file"},
	{"tls", "key", CONFIG_STRING, &config.key, true, "PEM file"},
	{"mmaf", "listen", CONFIG_STRING, &config.listen, true, "HTTPS for clients, such as 127.0.0.1:9444"},
	{"mmaf", "client_days", CONFIG_UINT, &config.client_days, false, "longest life of a client registration"},
	{"mmaf", "key_days", CONFIG_UINT, &config.key_days, false, "longest life of a registered key"},
	{"mef", "url", CONFIG_STRING, &config.mef_url, false, "https://HOST:PORT of the MEF that provisions our clients"},
	{"mef", "id", CONFIG_STRING, &config.mef_id, false, "its FQDN"},
	{"gba", "bsf", CONFIG_STRING, &config.gba_bsf, false, "FQDN of the bootstrapping server whose clients may come with their keys"},
	{"gba", "url", CONFIG_STRING, &config.gba_url, false, "where it gives those keys"},
	{"gba", "ua", CONFIG_STRING, &config.gba_ua, false, "security protocol identifier of TS 33.220"},
	{NULL, NULL, CONFIG_STRING, NULL, false, NULL},
};

/* Everything that runs. */
struct service {
	struct loop *loop;
	struct rng rng;
	struct audit *audit;
	struct credentials *credentials;
	struct secret *registry_key;
	struct maf_assigner assigner;
	struct registry *registry;
	struct tls_credentials *tls, *to_mef;
	struct credentials_psk psk;
	struct key_fetcher_config fetched; /* from the MEF */
	struct key_fetcher *fetcher;
	struct key_watch *watch;
	struct http_client *zn; /* to the bootstrapping server */
	struct naf *naf;
	struct psk_chain *chain;
	struct registration_server *server;
	struct http_server *health;
};

static bool fail(const char *what, const char *advice, enum err e)
{
	log_line(LOG_LEVEL_ERROR, what, "error=%s advice=\"%s\"", err_name(e), advice);
	return false;
}

static bool path_join(char path[static PATH_SIZE], const char *name)
{
	return snprintf(path, PATH_SIZE, "%s/%s", config.state, name) < PATH_SIZE;
}

static bool config_check(void)
{
	if (config.client_days == 0 || config.client_days * DAY_S > REGISTRY_CLIENT_LIFETIME_MAX || config.key_days == 0 ||
	    config.key_days * DAY_S > REGISTRY_KEY_LIFETIME_MAX)
		return fail("client_days or key_days in [mmaf] is out of range", "1 to 365: no policy may go beyond the hard maximum", ERR_CONFIG);
	if (config.recheck_s > KEY_WATCH_RECHECK_S_MAX)
		return fail("recheck_s in [credentials] is out of range", "seconds, a day at most; 0 never asks", ERR_CONFIG);
	if ((config.mef_url != NULL) != (config.mef_id != NULL))
		return fail("url and id in [mef] belong together", "give both or none", ERR_CONFIG);
	if ((config.gba_url != NULL) != (config.gba_bsf != NULL))
		return fail("url and bsf in [gba] belong together", "give both or none", ERR_CONFIG);
	return true;
}

/* ---- state ---- */

static bool audit_start(struct service *s)
{
	char path[PATH_SIZE];
	uint64_t line;
	enum err e = path_join(path, "audit.log") ? audit_open(path, &s->audit, &line) : ERR_TOO_LONG;

	if (e == ERR_BAD_MIC)
		log_line(LOG_LEVEL_ERROR, "the audit log was changed", "first_bad_line=%llu", (unsigned long long)line);
	return e == OK || fail("audit.log can't be used", "keep it as evidence, move it away, and start once with --accept-audit-log", e);
}

static bool credentials_start(struct service *s)
{
	char path[PATH_SIZE];
	const struct credentials_options o = {.path = path, .kek = config.kek, .rng = &s->rng};
	const char *detail = "";
	enum err e = path_join(path, "credentials.db") ? credentials_open(&o, &s->credentials, &detail) : ERR_TOO_LONG;

	if (e == OK)
		e = store_key_get(s->credentials, "registry", config.id, clock_unix_ms() / 1000, &s->rng, &s->registry_key);
	return e == OK || fail("credentials.db can't be opened", detail, e);
}

static bool registry_start(struct service *s)
{
	struct registry_config c = {
		.kind = REGISTRY_MAF,
		.fqdn = config.id,
		.sp = config.sp,
		.client_lifetime_s = config.client_days * DAY_S,
		.key_lifetime_s = config.key_days * DAY_S,
		.store_key = s->registry_key,
		.rng = &s->rng,
		.audit = s->audit,
		.audit_anchored = store_key_is_marked(s->credentials, "registry", config.id),
		.audit_accept_s = accept_audit_log ? clock_unix_ms() / 1000 : 0,
		.assign = maf_assign,
		.stands = maf_stands,
		.ctx = &s->assigner,
	};
	char path[PATH_SIZE];
	const char *detail = "";
	enum err e;

	s->assigner = (struct maf_assigner){s->credentials, &s->rng, config.id};
	e = path_join(path, "registry.db") ? registry_open(path, &c, &s->registry, &detail) : ERR_TOO_LONG;
	if (e != OK)
		return fail("registry.db can't be opened", detail, e);
	e = store_key_mark(s->credentials, "registry", config.id);
	return e == OK || fail("credentials.db can't be written", "is the disk full?", e);
}

/* ---- TLS ---- */

/* Those who bootstrapped from a USIM: their Ks_NAF is Km (TS-0003 8.3.2.3). */
static bool gba_start(struct service *s)
{
	const struct naf_config c = {config.gba_bsf, config.gba_url, config.gba_ua};
	struct psk_source source;
	enum err e;

	if (!config.gba_bsf)
		return true;
	s->zn = http_client_new(s->loop, s->to_mef);
	e = naf_new(s->zn, &c, &s->naf);
	if (e != OK)
		return fail("[gba] can't be used", "`bsf` is a FQDN, `ua` has 10 hexadecimal digits", e);
	source = naf_psk_source(s->naf);
	psk_chain_add(s->chain, &source);
	return true;
}

/* Km of our own; then what the MEF has for us. */
static bool sources_start(struct service *s)
{
	struct key_fetcher_config *c = &s->fetched;
	struct psk_source source;

	*c = (struct key_fetcher_config){.loop = s->loop, .store = s->credentials, .sp = config.sp, .origin = config.id, .tls = s->to_mef};
	s->psk = (struct credentials_psk){s->credentials, config.sp, CREDENTIALS_PSK(KIND_KM)};
	s->chain = psk_chain_new();
	source = credentials_psk_source(&s->psk);
	psk_chain_add(s->chain, &source);
	if (config.mef_url) {
		c->functions[c->function_count++] = (struct key_fetcher_function){{REGISTRY_MEF, config.mef_url, config.mef_id}, KEY_FETCHER_SUID(SUID_RSPF_MAF)};
		s->fetcher = key_fetcher_new(c);
		source = key_fetcher_source(s->fetcher);
		psk_chain_add(s->chain, &source);
	}
	if (!gba_start(s))
		return false;
	source = psk_chain_source(s->chain);
	return tls_credentials_psk_source(s->tls, &source) == OK || fail("TLS can't be set up", "out of memory?", ERR_TLS);
}

static bool tls_start(struct service *s)
{
	const struct tls_config c = {.cert = config.cert, .key = config.key, .ca = config.ca};
	char why[TLS_WHY_MAX];
	enum err e = tls_credentials_new(&c, why, &s->tls);

	if (e == OK)
		e = tls_credentials_new(&c, why, &s->to_mef);
	if (e != OK)
		return fail("TLS credentials in [tls] can't be used", why, e);
	startup_certificate(config.cert);
	return sources_start(s);
}

/* ---- health ---- */

static void count_client(void *ctx, const struct registry_client *c)
{
	(void)c;
	++*(unsigned long long *)ctx;
}

static void on_health(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	static const struct http_header headers[] = {{"Content-Type", "application/json"}, {NULL, NULL}};
	const struct service *s = ctx;
	unsigned long long clients = 0;
	char body[128];
	bool good;

	if (strcmp(rq->path, "/health") != 0 || strcmp(rq->method, "GET") != 0) {
		http_answer(x, 404, NULL, rd_str(""));
		return;
	}
	good = registry_clients_each(s->registry, count_client, &clients) == OK;
	snprintf(body, sizeof body, "{\"status\":\"%s\",\"clients\":%llu}\n",
	    !good ? "registry can't be read" : tls_credentials_trust(s->tls)->trouble[0] ? "degraded" : "ok", clients);
	http_answer(x, good ? 200 : 503, headers, rd_str(body));
}

/* ---- start and end ---- */

static bool listen_start(struct service *s)
{
	enum err e = registration_server_new(s->loop, config.listen, s->tls, s->registry, NULL, &s->server);

	if (e != OK)
		return startup_cannot_listen("HTTPS for clients, listen in [mmaf], can't listen", config.listen, e);
	if (config.health_listen && (e = http_server_new(s->loop, config.health_listen, NULL, on_health, s, &s->health)) != OK)
		return startup_cannot_listen("health_listen in [maf] can't listen", config.health_listen, e);
	return true;
}

/* Somebody changed the store, or the MEF has a key no more: who came with one that is gone, and what he registered, goes. */
static void on_store_changed(void *ctx)
{
	struct service *s = ctx;

	registration_server_purge(s->server);
	tls_credentials_recheck(s->tls);
}

static void watch_start(struct service *s)
{
	registration_server_purge(s->server); /* while nobody looked */
	s->watch = key_watch_new(&s->fetched, config.recheck_s, on_store_changed, s);
}

static bool start(struct service *s)
{
	if (!config_check())
		return false;
	if (!startup_state(config.state) || !audit_start(s) || !credentials_start(s) || !registry_start(s) || !tls_start(s) || !listen_start(s))
		return false;
	watch_start(s);
	return true;
}

static void stop(struct service *s)
{
	key_watch_free(s->watch);
	http_server_free(s->health);
	registration_server_free(s->server);
	tls_credentials_free(s->tls);
	psk_chain_free(s->chain);
	key_fetcher_free(s->fetcher);
	http_client_free(s->zn);
	naf_free(s->naf);
	tls_credentials_free(s->to_mef);
	registry_close(s->registry);
	secret_free(s->registry_key);
	credentials_close(s->credentials);
	audit_close(s->audit);
	loop_free(s->loop);
}

static bool note(struct service *s, const char *event)
{
	const struct audit_entry entry = {.event = event, .detail = "keyway-maf " KEYWAY_VERSION};

	return audit_append(s->audit, clock_unix_ms() / 1000, &entry) == OK && registry_anchor(s->registry) == OK;
}

static int run(void)
{
	struct service s = {.loop = loop_new(), .rng = rng_system()};
	bool started = start(&s);

	if (started && note(&s, "started")) {
		log_line(LOG_LEVEL_INFO, "ready", "mmaf=%u health=%u", registration_server_port(s.server), s.health ? http_server_port(s.health) : 0U);
		loop_run(s.loop);
		log_line(LOG_LEVEL_INFO, "stopping", NULL);
		(void)note(&s, "stopped");
	}
	stop(&s);
	return started ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static const struct program p = {
		.name = "keyway-maf",
		.help = "usage: keyway-maf --config FILE\n\nThe M2M Authentication Function: hands out keys for associations between AEs and CSEs.\n\n"
			"  --config FILE  configuration, see docs/configuration.md\n"
			"  --accept-audit-log\n                 take audit.log as it is, though lines are missing at its end; this is written into it\n"
			"  --help         this text\n  --version      version\n\nKEYWAY_LOG=debug in the environment logs more.\n",
		.keys = keys,
		.flag = "--accept-audit-log",
		.flag_given = &accept_audit_log,
		.run = run,
	};

	return program_main(&p, argc, argv);
}
