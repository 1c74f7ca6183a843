/* keyway-das: the Dynamic Authorisation System. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/audit.h"
#include "base/clock.h"
#include "binding/http/http_binding.h"
#include "das/das.h"
#include "das/das_token.h"
#include "loop/line_server.h"
#include "loop/log.h"
#include "loop/program.h"
#include "onem2m/identity.h"
#include "security/association.h"

#define PATH_SIZE 4096
#define DAY_S 86400
#define LOG_TEXT_MAX 200
#define REFUSALS_LOGGED 30 /* in REFUSALS_MS */
#define REFUSALS_MS 10000

static struct {
	char *id, *sp, *state, *admin_socket, *health_listen, *listen;
	char *ca, *cert, *key, *crl;
	char *token_key, *token_kid, *token_recipients;
	uint64_t longest_s;
} config = {
	.longest_s = DAY_S,
};

/* docs/configuration.md */
static const struct config_key keys[] = {
	{"das", "id", CONFIG_STRING, &config.id, true, "FQDN of the DAS, as in its certificate: the issuer of its tokens"},
	{"das", "sp", CONFIG_STRING, &config.sp, true, "M2M service provider"},
	{"das", "state", CONFIG_STRING, &config.state, true, "directory for das.db and audit.log"},
	{"das", "listen", CONFIG_STRING, &config.listen, true, "HTTPS for CSEs and AEs, such as 127.0.0.1:9447"},
	{"das", "longest_s", CONFIG_UINT, &config.longest_s, false, "longest life of a grant or token, in seconds"},
	{"das", "admin_socket", CONFIG_STRING, &config.admin_socket, false, "path of the operator's socket; STATE/admin.sock otherwise"},
	{"das", "health_listen", CONFIG_STRING, &config.health_listen, false, "plain HTTP for GET /health, on loopback"},
	{"tokens", "key", CONFIG_STRING, &config.token_key, false, "PEM file: the private key that signs tokens; without it there are none"},
	{"tokens", "kid", CONFIG_STRING, &config.token_kid, false, "its name in tokens, for those who verify"},
	{"tokens", "recipients", CONFIG_STRING, &config.token_recipients, false, "lines CSE-ID KID FILE: to whom tokens are encrypted, and with what"},
	{"tls", "ca", CONFIG_STRING, &config.ca, true, "PEM file"},
	{"tls", "cert", CONFIG_STRING, &config.cert, true, "PEM file"},
	{"tls", "key", CONFIG_STRING, &config.key, true, "PEM file"},
	{"tls", "crl", CONFIG_STRING, &config.crl, false, "revocation lists"},
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
	struct http_binding binding;
	struct http_server *server, *health;
	struct line_server *admin;
	uint64_t refusals_since, refusals;
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

/* ---- questions ---- */

static bool may_log(struct service *s)
{
	uint64_t now = clock_ms();

	if (now - s->refusals_since >= REFUSALS_MS) {
		s->refusals_since = now;
		s->refusals = 0;
	}
	return s->refusals++ < REFUSALS_LOGGED;
}

static void refuse(struct service *s, const struct onem2m_request *rq, enum onem2m_rsc rsc, const char *why, cse_done *done, void *ctx)
{
	char body[512];
	struct wr w = wr_of(body, sizeof body);
	struct json_out o = json_out(&w);
	struct onem2m_response rsp = {.rsc = rsc};

	if (may_log(s))
		log_line(LOG_LEVEL_NOTICE, "refused", "peer=%s from=%s rsc=%d why=\"%s\"", log_quote(rd_str(rq->peer)),
		    log_quote(rd_of(rq->from.at, rq->from.left < LOG_TEXT_MAX ? rq->from.left : LOG_TEXT_MAX)), (int)rsc, why);
	json_object(&o, NULL);
	json_put_string(&o, "m2m:dbg", why);
	json_close(&o);
	if (!wr_done(&w, &rsp.content))
		rsp.content = rd_of("", 0);
	done(ctx, &rsp);
}

/* Who asks: From, which must be one of the certificate's names. A CSE's and an AE's name alike: nobody passes questions on for others. */
static bool asker_of(const struct onem2m_request *rq, char id[static IDENTITY_MAX])
{
	struct rd names = rd_str(rq->peer), name;
	char identity[IDENTITY_MAX], at[IDENTITY_MAX];
	const char *end;

	while (names.left > 0) {
		if (!rd_until(&names, ' ', &name))
			name = rd_rest(&names);
		if (!rd_text(name, identity, sizeof identity) || !identity_to_id(identity, config.sp, id, IDENTITY_MAX))
			continue;
		end = strchr(id + 1, '/');
		snprintf(at, sizeof at, "%.*s", (int)(end ? end - id : (long)strlen(id)), id);
		if (identity_may_be(identity, config.sp, at, rq->from))
			return true;
	}
	return false;
}

static void on_request(void *to, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct service *s = to;
	struct wr answer = wr_new(DAS_ANSWER_MAX);
	struct onem2m_response rsp = {.rsc = RSC_OK};
	char asker[IDENTITY_MAX];

	if (rq->operation != ONEM2M_NOTIFY) {
		refuse(s, rq, RSC_OPERATION_NOT_ALLOWED, "only NOTIFY is answered here", done, ctx);
	} else if (!asker_of(rq, asker)) {
		refuse(s, rq, RSC_ORIGINATOR_NOT_AUTHENTICATED, "the originator is not the one whose certificate this is", done, ctx);
	} else {
		rsp.rsc = das_ask(s->das, clock_unix_ms(), asker, rq->content, &answer);
		if (rsp.rsc == RSC_OK && wr_done(&answer, &rsp.content))
			done(ctx, &rsp);
		else
			refuse(s, rq, rsp.rsc, das_reason(s->das), done, ctx);
	}
	wr_free(&answer);
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
	snprintf(body, sizeof body, "{\"status\":\"%s\",\"rules\":%llu}\n",
	    !good ? "das.db can't be read" : tls_credentials_trust(s->tls)->trouble[0] ? "degraded" : "ok", rules);
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

static bool listen_start(struct service *s)
{
	static const struct line_limits limits = {16384, 8 * 1024 * 1024};
	const struct tls_config c = {.cert = config.cert, .key = config.key, .ca = config.ca, .crl = config.crl};
	char why[TLS_WHY_MAX], path[PATH_SIZE];
	enum err e = tls_credentials_new(&c, why, &s->tls);

	if (e != OK)
		return fail("TLS credentials in [tls] can't be used", why, e);
	s->binding = (struct http_binding){.submit = on_request, .to = s};
	if ((e = http_server_new(s->loop, config.listen, s->tls, http_binding_handle, &s->binding, &s->server)) != OK)
		return fail("HTTPS can't listen", "is the address in [das] of this host, and the port free?", e);
	http_server_refuse_long(s->server);
	if (config.health_listen && (e = http_server_new(s->loop, config.health_listen, NULL, on_health, s, &s->health)) != OK)
		return fail("health_listen in [das] can't be used", "is the address of this host, and the port free?", e);
	e = config.admin_socket || path_join(path, "admin.sock") ? line_server_new(s->loop, config.admin_socket ? config.admin_socket : path, &limits, on_line, s, &s->admin)
	                                                         : ERR_TOO_LONG;
	return e == OK || fail("the operator's socket can't be made", e == ERR_EXISTS ? "another keyway-das uses it" : "is its directory there, and the path shorter than 108 characters?", e);
}

static bool start(struct service *s)
{
	if (mkdir(config.state, 0700) == 0)
		log_line(LOG_LEVEL_INFO, "state directory made", "path=%s", config.state);
	return audit_start(s) && sealer_start(s) && das_start(s) && listen_start(s);
}

static void stop(struct service *s)
{
	line_server_free(s->admin);
	http_server_free(s->health);
	http_server_free(s->server);
	tls_credentials_free(s->tls);
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
