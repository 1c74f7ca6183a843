/* keyway-das: the Dynamic Authorisation System. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "base/clock.h"
#include "binding/http/http_binding.h"
#include "das/das.h"
#include "das/das_token.h"
#include "enrolee/association_keys.h"
#include "loop/line_server.h"
#include "loop/log.h"
#include "loop/program.h"
#include "loop/startup.h"
#include "onem2m/identity.h"
#include "programs/keyway-das/questions.h"
#include "programs/keyway-das/registration.h"

#define PATH_SIZE 4096
#define DAY_S 86400
#define URL_SIZE 320

static struct {
	char *id, *sp, *state, *admin_socket, *health_listen, *listen, *url;
	char *ca, *cert, *key, *crl, *psk_file;
	char *credentials, *kek, *maf_url, *maf_id, *mef_url, *mef_id;
	uint64_t recheck_s;
	char *registrar_url, *registrar_identity;
	char *token_key, *token_kid, *token_recipients;
	uint64_t longest_s;
} config = {
	.longest_s = DAY_S,
	.recheck_s = KEY_WATCH_RECHECK_S,
};

/* docs/configuration.md */
static const struct config_key keys[] = {
	{"das", "id", CONFIG_STRING, &config.id, true, "FQDN of the DAS, as in its certificate, or its absolute AE-ID: the issuer of its tokens"},
	{"das", "sp", CONFIG_STRING, &config.sp, true, "M2M service provider"},
	{"das", "state", CONFIG_STRING, &config.state, true, "directory for das.db and audit.log"},
	{"das", "listen", CONFIG_STRING, &config.listen, true, "HTTPS for CSEs and AEs, such as 127.0.0.1:9447"},
	{"das", "url", CONFIG_STRING, &config.url, false, "where others reach that; https://LISTEN otherwise"},
	{"das", "longest_s", CONFIG_UINT, &config.longest_s, false, "longest life of a grant or token, in seconds"},
	{"das", "admin_socket", CONFIG_STRING, &config.admin_socket, false, "path of the operator's socket; STATE/admin.sock otherwise"},
	{"das", "health_listen", CONFIG_STRING, &config.health_listen, false, "plain HTTP for GET /health, on loopback"},
	{"tokens", "key", CONFIG_STRING, &config.token_key, false, "PEM file: the private key that signs tokens; without it there are none"},
	{"tokens", "kid", CONFIG_STRING, &config.token_kid, false, "its name in tokens, for those who verify"},
	{"tokens", "recipients", CONFIG_STRING, &config.token_recipients, false, "lines CSE-ID KID FILE: to whom tokens are encrypted, and with what"},
	{"tls", "ca", CONFIG_STRING, &config.ca, false, "PEM file"},
	{"tls", "cert", CONFIG_STRING, &config.cert, false, "PEM file"},
	{"tls", "key", CONFIG_STRING, &config.key, false, "PEM file"},
	{"tls", "crl", CONFIG_STRING, &config.crl, false, "revocation lists"},
	{"tls", "psk_file", CONFIG_STRING, &config.psk_file, false, "lines of pre-shared keys"},
	{"credentials", "file", CONFIG_STRING, &config.credentials, false, "store of pre-shared keys"},
	{"credentials", "kek", CONFIG_STRING, &config.kek, false, "key file or PKCS#11 URI that seals it"},
	{"credentials", "recheck_s", CONFIG_UINT, &config.recheck_s, false, "how often MAF and MEF are asked whether keys that they gave are keys still"},
	{"maf", "url", CONFIG_STRING, &config.maf_url, false, "https://HOST:PORT of the MAF that has keys for us"},
	{"maf", "id", CONFIG_STRING, &config.maf_id, false, "its FQDN"},
	{"mef", "url", CONFIG_STRING, &config.mef_url, false, "https://HOST:PORT of the MEF that has keys for us"},
	{"mef", "id", CONFIG_STRING, &config.mef_id, false, "its FQDN"},
	{"registrar", "url", CONFIG_STRING, &config.registrar_url, false, "https://HOST:PORT of the CSE that the DAS registers at, as the AE that its id names"},
	{"registrar", "identity", CONFIG_STRING, &config.registrar_identity, false, "in that CSE's certificate, where it is no IN-CSE's"},
	{NULL, NULL, CONFIG_STRING, NULL, false, NULL},
};

/* Everything that runs. */
struct service {
	struct loop *loop;
	struct rng rng;
	struct audit *audit;
	struct das_sealer *sealer;
	struct das *das;
	struct tls_credentials *tls;
	struct association_keys *keys;
	struct das_questions questions;
	char own_id[IDENTITY_MAX], cse_id[IDENTITY_MAX], url[URL_SIZE];
	struct http_sender sender;
	struct das_registration *registration;
	struct http_binding binding;
	struct http_server *server, *health;
	struct line_server *admin;
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

static void on_line(void *ctx, struct rd line, struct wr *answer)
{
	struct service *s = ctx;

	das_admin(s->das, clock_unix_ms(), line, answer);
}

static void count_rule(void *ctx, const struct das_rule *r)
{
	(void)r;
	++*(unsigned long long *)ctx;
}

static void on_health(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	static const struct http_header headers[] = {{"Content-Type", "application/json"}, {NULL, NULL}};
	const struct service *s = ctx;
	unsigned long long rules = 0;
	char body[128];
	bool good;

	if (strcmp(rq->path, "/health") != 0 || strcmp(rq->method, "GET") != 0) {
		http_answer(x, 404, NULL, rd_str(""));
		return;
	}
	good = das_rules_each(s->das, count_rule, &rules) == OK;
	snprintf(body, sizeof body, "{\"status\":\"%s\",\"rules\":%llu%s}\n",
	    !good ? "das.db can't be read" : tls_credentials_trust(s->tls)->trouble[0] ? "degraded" : "ok", rules,
	    !s->registration ? "" : das_registration_stands(s->registration) ? ",\"registered\":true" : ",\"registered\":false");
	http_answer(x, good ? 200 : 503, headers, rd_str(body));
}

/* ---- start and end ---- */

static bool audit_start(struct service *s)
{
	char path[PATH_SIZE];
	uint64_t line;
	enum err e = path_join(path, "audit.log") ? audit_open(path, &s->audit, &line) : ERR_TOO_LONG;

	if (e == ERR_BAD_MIC)
		log_line(LOG_LEVEL_ERROR, "the audit log was changed", "first_bad_line=%llu", (unsigned long long)line);
	return e == OK || fail("audit.log can't be used", "keep it as evidence and move it away to start a new one", e);
}

static bool sealer_start(struct service *s)
{
	const struct das_token_files files = {config.token_key, config.token_kid, config.token_recipients};
	char why[DAS_WHY_MAX] = "";
	enum err e;

	if (!config.token_key && !config.token_kid && !config.token_recipients)
		return true;
	if (!config.token_key || !config.token_kid)
		return fail("[tokens] is not whole", "`key` and `kid` belong together, and `recipients` needs both", ERR_CONFIG);
	e = das_sealer_new(&files, &s->rng, &s->sealer, why);
	return e == OK || fail("[tokens] can't be used", why, e);
}

static bool das_start(struct service *s)
{
	const struct das_config c = {.id = config.id, .sp = config.sp, .longest_s = config.longest_s, .rng = &s->rng, .audit = s->audit,
		.seal = s->sealer ? das_seal : NULL, .ctx = s->sealer};
	char path[PATH_SIZE];
	const char *detail = "a shorter path";
	enum err e = path_join(path, "das.db") ? das_open(path, &c, &s->das, &detail) : ERR_TOO_LONG;

	return e == OK || fail("das.db can't be used", detail, e);
}

/* "/id-in/Cdas" out of "//keyway.example/id-in/Cdas", and its CSE-ID; a FQDN stays, and has none. */
static bool own_id(struct service *s)
{
	struct rd id = rd_str(config.id), cse, ae, sp;

	if (!rd_starts(id, "//"))
		return rd_text(id, s->own_id, sizeof s->own_id) || fail("id in [das] is too long", "it is a FQDN, or //SP/CSE-ID/AE-ID", ERR_CONFIG);
	if (!rd_skip(&id, 2) || !rd_until(&id, '/', &sp) || !rd_is(sp, config.sp) || !rd_until(&id, '/', &cse) || cse.left == 0 || (ae = id).left == 0 ||
	    (size_t)snprintf(s->cse_id, sizeof s->cse_id, "/%.*s", (int)cse.left, (const char *)cse.at) >= sizeof s->cse_id ||
	    (size_t)snprintf(s->own_id, sizeof s->own_id, "%s/%.*s", s->cse_id, (int)ae.left, (const char *)ae.at) >= sizeof s->own_id || strchr(s->own_id + strlen(s->cse_id) + 1, '/'))
		return fail("id in [das] is no absolute AE-ID of this service provider", "//SP/CSE-ID/AE-ID, or a FQDN", ERR_CONFIG);
	return true;
}

/* Certificates, pre-shared keys, or both: TS-0003 clause 8.2, as between any AE and its CSE. */
static bool tls_start(struct service *s)
{
	const struct tls_config c = {.cert = config.cert, .key = config.key, .ca = config.ca, .crl = config.crl};
	bool functions = config.maf_url || config.mef_url;
	char why[TLS_WHY_MAX], path[PATH_SIZE] = "";
	const struct association_keys_config k = {.loop = s->loop, .sp = config.sp, .origin = s->own_id, .files = {config.psk_file},
		.store = config.credentials ? config.credentials : functions && path_join(path, "credentials.db") ? path : NULL, .kek = config.kek,
		.mef = {REGISTRY_MEF, config.mef_url, config.mef_id}, .maf = {REGISTRY_MAF, config.maf_url, config.maf_id}, .ca = config.ca, .cert = config.cert,
		.key = config.key, .only_keys = !config.cert, .recheck_s = config.recheck_s};
	enum err e;

	if (!config.cert != !config.key || (config.cert && !config.ca) || (!config.cert && !config.psk_file && !k.store))
		return fail("[tls] is not whole", "ca, cert and key together, or psk_file, or a store in [credentials]", ERR_CONFIG);
	if ((e = tls_credentials_new(&c, why, &s->tls)) != OK)
		return fail("TLS credentials in [tls] can't be used", why, e);
	startup_certificate(config.cert);
	startup_psk_file(config.psk_file);
	return (!config.psk_file && !k.store) || association_keys_new(&k, s->tls, &s->keys) == OK;
}

static struct tls_credentials *key_for(void *ctx, const char *target_id)
{
	const struct service *s = ctx;

	return s->keys ? association_keys_for(s->keys, target_id) : NULL;
}

static bool register_start(struct service *s)
{
	struct das_registration_config c = {.loop = s->loop, .sender = &s->sender, .url = config.registrar_url, .poa = config.url};

	if (!config.registrar_url)
		return true;
	if (!s->cse_id[0] || strncmp(config.registrar_url, "https://", 8) != 0)
		return fail("[registrar] can't be used", "url is https://HOST:PORT, and id in [das] the absolute AE-ID that it registers as", ERR_CONFIG);
	if (!c.poa) {
		snprintf(s->url, sizeof s->url, "https://%.*s:%u", (int)strcspn(config.listen, ":"), config.listen, http_server_port(s->server));
		c.poa = s->url;
	}
	s->sender = (struct http_sender){http_client_new(s->loop, s->tls), config.sp, s->own_id, s->cse_id, config.registrar_identity, {key_for, s}};
	s->registration = das_registration_new(&c);
	return true;
}

static bool listen_start(struct service *s)
{
	static const struct line_limits limits = {16384, 8 * 1024 * 1024};
	char path[PATH_SIZE];
	enum err e;

	s->questions = (struct das_questions){.das = s->das, .sp = config.sp};
	s->binding = (struct http_binding){.submit = das_questions_answer, .to = &s->questions};
	if ((e = http_server_new(s->loop, config.listen, s->tls, http_binding_handle, &s->binding, &s->server)) != OK)
		return startup_cannot_listen("HTTPS, listen in [das], can't listen", config.listen, e);
	http_server_refuse_long(s->server);
	if (config.health_listen && (e = http_server_new(s->loop, config.health_listen, NULL, on_health, s, &s->health)) != OK)
		return startup_cannot_listen("health_listen in [das] can't listen", config.health_listen, e);
	e = config.admin_socket || path_join(path, "admin.sock") ? line_server_new(s->loop, config.admin_socket ? config.admin_socket : path, &limits, on_line, s, &s->admin)
	                                                         : ERR_TOO_LONG;
	return e == OK || fail("the operator's socket can't be made", e == ERR_EXISTS ? "another keyway-das uses it" : "is its directory there, and the path shorter than 108 characters?", e);
}

static bool start(struct service *s)
{
	return own_id(s) && startup_state(config.state) && audit_start(s) && sealer_start(s) && das_start(s) && tls_start(s) && listen_start(s) && register_start(s);
}

static void stop(struct service *s)
{
	if (s->sender.client)
		http_client_abandon(s->sender.client);
	das_registration_free(s->registration);
	http_client_free(s->sender.client);
	line_server_free(s->admin);
	http_server_free(s->health);
	http_server_free(s->server);
	tls_credentials_free(s->tls);
	association_keys_free(s->keys);
	das_close(s->das);
	das_sealer_free(s->sealer);
	audit_close(s->audit);
	loop_free(s->loop);
}

static bool note(struct service *s, const char *event)
{
	const struct audit_entry entry = {.event = event, .detail = "keyway-das " KEYWAY_VERSION};

	return audit_append(s->audit, clock_unix_ms() / 1000, &entry) == OK;
}

static int run(void)
{
	struct service s = {.loop = loop_new(), .rng = rng_system()};
	bool started = start(&s);

	if (started && note(&s, "started")) {
		log_line(LOG_LEVEL_INFO, "ready", "https=%u health=%u", http_server_port(s.server), s.health ? http_server_port(s.health) : 0U);
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
		.name = "keyway-das",
		.help = "usage: keyway-das --config FILE\n\nThe Dynamic Authorisation System: grants privileges to CSEs that ask, and tokens, by rules of the operator.\n\n"
			"  --config FILE  configuration, see docs/configuration.md\n"
			"  --help         this text\n  --version      version\n\nKEYWAY_LOG=debug in the environment logs more. `keyway das` administers it.\n",
		.keys = keys,
		.run = run,
	};

	return program_main(&p, argc, argv);
}
