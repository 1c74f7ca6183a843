/* keyway-mef: the M2M Enrolment Function with its Enrolment Gateway. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "credentials/credentials.h"
#include "credentials/standing.h"
#include "credentials/store_key.h"
#include "enrolee/credentials_psk.h"
#include "enrolee/key_watch.h"
#include "keys/sealed.h"
#include "loop/log.h"
#include "loop/program.h"
#include "loop/startup.h"
#include "tls/psk_file.h"
#include "tls/psk_line.h"
#include "tls/tls.h"
#include "mef/admin.h"
#include "mef/egp_server.h"
#include "mef/migrate.h"
#include "mef/mmef.h"
#include "programs/keyway-mef/bsf.h"

#define PATH_SIZE 4096
#define EST_DAYS_MAX 3650
#define RATE_MAX 10000 /* more would not be a limit */
#define ROTATE_DAYS_MAX 3650

static struct {
	char *id, *sp, *state, *key_file, *admin_socket;
	char *ca, *cert, *key;
	char *kek;
	char *mmef_listen;
	uint64_t client_days, key_days;
	char *est_ca;
	uint64_t est_days;
	bool est_binding;
	char *tls_listen, *psk_listen, *psk_file, *serial, *serial_gateway, *serial_psk_file, *insecure_listen, *header_addresses;
	bool insecure;
	uint64_t device_per_minute, gateway_per_second, rotate_days, group_hours;
	bool short_install_codes, require_unique_link_key, answer_requests;
	struct bsf_options bsf;
} config = {
	.device_per_minute = 5,
	.group_hours = 24,
	.gateway_per_second = 100,
	.client_days = 365,
	.key_days = 365,
	.est_days = 365,
	.require_unique_link_key = true,
	.answer_requests = true,
	.bsf = {.lifetime_s = BSF_LIFETIME_S, .challenges_per_minute = BSF_CHALLENGES_PER_MINUTE},
};

static bool accept_audit_log;

/* docs/configuration.md */
static const struct config_key keys[] = {
	{"mef", "id", CONFIG_STRING, &config.id, true, "FQDN of the MEF, as in its certificate"},
	{"mef", "sp", CONFIG_STRING, &config.sp, true, "M2M service provider"},
	{"mef", "state", CONFIG_STRING, &config.state, true, "directory for mef.db and audit.log"},
	{"mef", "key_file", CONFIG_STRING, &config.key_file, false, "what sealed mef.db until version 0.1; for one start"},
	{"mef", "admin_socket", CONFIG_STRING, &config.admin_socket, false, "path of the administration socket"},
	{"credentials", "kek", CONFIG_STRING, &config.kek, false, "key file or PKCS#11 URI that seals credentials.db"},
	{"tls", "ca", CONFIG_STRING, &config.ca, true, "PEM file"},
	{"tls", "cert", CONFIG_STRING, &config.cert, true, "PEM file"},
	{"tls", "key", CONFIG_STRING, &config.key, true, "PEM file"},
	{"mmef", "listen", CONFIG_STRING, &config.mmef_listen, true, "HTTPS for nodes B, such as 127.0.0.1:9443"},
	{"mmef", "client_days", CONFIG_UINT, &config.client_days, false, "longest life of a client registration"},
	{"mmef", "key_days", CONFIG_UINT, &config.key_days, false, "longest life of a registered key"},
	{"est", "ca", CONFIG_STRING, &config.est_ca, false, "directory of the CA that certificates are enrolled with"},
	{"est", "days", CONFIG_UINT, &config.est_days, false, "how long its certificates are good for"},
	{"est", "demand_binding", CONFIG_BOOL, &config.est_binding, false, "yes: requests have to be bound to their association"},
	{"egp", "tls_listen", CONFIG_STRING, &config.tls_listen, false, "EGP over TLS with certificates"},
	{"egp", "psk_listen", CONFIG_STRING, &config.psk_listen, false, "EGP over TLS-PSK"},
	{"egp", "psk_file", CONFIG_STRING, &config.psk_file, false, "lines of identity:hexkey"},
	{"egp", "serial", CONFIG_STRING, &config.serial, false, "a serial line to a gateway"},
	{"egp", "serial_gateway", CONFIG_STRING, &config.serial_gateway, false, "name of the gateway at its other end"},
	{"egp", "serial_psk_file", CONFIG_STRING, &config.serial_psk_file, false, "file with the key that both ends of that line share"},
	{"egp", "insecure_listen", CONFIG_STRING, &config.insecure_listen, false, "plain TCP on loopback"},
	{"egp", "insecure", CONFIG_BOOL, &config.insecure, false, "must be yes for insecure_listen"},
	{"egp", "header_addresses", CONFIG_STRING, &config.header_addresses, false, "destination, both or none"},
	{"bsf", "listen", CONFIG_STRING, &config.bsf.listen, false, "bootstrapping from a USIM: HTTPS without client certificates"},
	{"bsf", "hss", CONFIG_STRING, &config.bsf.hss, false, "path of keyway-hss's [zh] socket"},
	{"bsf", "zn_listen", CONFIG_STRING, &config.bsf.zn_listen, false, "HTTPS for CSEs and MAFs that ask for bootstrapped keys"},
	{"bsf", "lifetime_s", CONFIG_UINT, &config.bsf.lifetime_s, false, "longest life of such keys"},
	{"bsf", "challenges_per_minute", CONFIG_UINT, &config.bsf.challenges_per_minute, false, "for one subscriber"},
	{"limits", "device_per_minute", CONFIG_UINT, &config.device_per_minute, false, "EG-REQUESTs"},
	{"limits", "gateway_per_second", CONFIG_UINT, &config.gateway_per_second, false, "EG-REQUESTs"},
	{"policy", "short_install_codes", CONFIG_BOOL, &config.short_install_codes, false, "accept 6, 8 and 12 octets"},
	{"policy", "require_unique_link_key", CONFIG_BOOL, &config.require_unique_link_key, false, "remove devices that keep the install code's key"},
	{"policy", "rotate_days", CONFIG_UINT, &config.rotate_days, false, "age at which network keys are replaced"},
	{"policy", "group_hours", CONFIG_UINT, &config.group_hours, false, "after which a member that was away while its group's key was replaced must enrol again"},
	{"policy", "answer_requests", CONFIG_BOOL, &config.answer_requests, false, "no: the Trust Centre is silent, for tests"},
	{NULL, NULL, CONFIG_STRING, NULL, false, NULL},
};

/* Everything that runs. */
struct service {
	struct loop *loop;
	struct rng rng;
	struct secret *mef_key;
	struct credentials *credentials;
	struct secret *registry_key;
	struct registry *registry;
	struct mef_store *store;
	struct audit *audit;
	struct tls_credentials *certificates, *psk, *mmef_tls;
	struct credentials_psk kpm;
	struct key_watch *watch;
	struct mef *mef;
	struct mmef *mmef;
	struct est_port *est;
	struct egp_server *egp;
	struct admin *admin;
	struct mef_bsf bsf;
	struct psk_chain *mmef_keys;
	enum header_addresses header_addresses;
	uint16_t tls_port, psk_port, insecure_port;
};

static bool fail(const char *what, const char *advice, enum err e)
{
	log_line(LOG_LEVEL_ERROR, what, "error=%s advice=\"%s\"", err_name(e), advice);
	return false;
}

static bool path_join(char path[static PATH_SIZE], const char *dir, const char *name)
{
	return snprintf(path, PATH_SIZE, "%s/%s", dir, name) < PATH_SIZE;
}

/* What the file says as a whole, beyond the single values. */
static bool config_check(struct service *s)
{
	if (config.header_addresses && !header_addresses_parse(config.header_addresses, &s->header_addresses))
		return fail("header_addresses in [egp] is wrong", "it may be `destination`, `both` or `none`", ERR_CONFIG);
	if ((config.psk_listen != NULL) != (config.psk_file != NULL))
		return fail("psk_listen and psk_file in [egp] belong together", "give both or none", ERR_CONFIG);
	if ((config.serial != NULL) != (config.serial_gateway != NULL))
		return fail("serial and serial_gateway in [egp] belong together", "give both or none", ERR_CONFIG);
	if (config.insecure_listen && !config.insecure)
		return fail("EGP over plain TCP is refused", "use tls_listen, or set `insecure = yes` in [egp] for a test on loopback", ERR_CONFIG);
	if (config.device_per_minute == 0 || config.device_per_minute > RATE_MAX || config.gateway_per_second == 0 || config.gateway_per_second > RATE_MAX)
		return fail("a value in [limits] is out of range", "1 to 10000", ERR_CONFIG);
	if (config.client_days == 0 || config.client_days * 86400 > REGISTRY_CLIENT_LIFETIME_MAX || config.key_days == 0 ||
	    config.key_days * 86400 > REGISTRY_KEY_LIFETIME_MAX)
		return fail("client_days or key_days in [mmef] is out of range", "1 to 365: no policy may go beyond the hard maximum", ERR_CONFIG);
	if (config.rotate_days > ROTATE_DAYS_MAX)
		return fail("rotate_days in [policy] is out of range", "1 to 3650; 0 rotates only on demand", ERR_CONFIG);
	if (config.group_hours > ROTATE_DAYS_MAX * 24)
		return fail("group_hours in [policy] is out of range", "1 to 87600; 0 is never", ERR_CONFIG);
	return true;
}

static bool audit_start(struct service *s)
{
	char path[PATH_SIZE];
	uint64_t line;
	enum err e = path_join(path, config.state, "audit.log") ? audit_open(path, &s->audit, &line) : ERR_TOO_LONG;

	if (e == ERR_BAD_MIC)
		log_line(LOG_LEVEL_ERROR, "the audit log was changed", "first_bad_line=%llu", (unsigned long long)line);
	return e == OK || fail("audit.log can't be used", "keep it as evidence, move it away, and start once with --accept-audit-log", e);
}

/* A Kpm that the operator has taken away: what its holder registered goes with it. */
static enum err kpm_stands(void *ctx, const char *credential, char key_name[static REGISTRY_KEY_NAME])
{
	const struct service *s = ctx;

	return credentials_stand(s->credentials, CREDENTIAL_KPM, config.id, clock_unix_ms() / 1000, credential, key_name);
}

/* registry.db, sealed under a key in credentials.db. */
static bool registry_start(struct service *s)
{
	char path[PATH_SIZE];
	struct credentials_options o = {.path = path, .kek = config.kek, .rng = &s->rng};
	struct registry_config c = {
		.kind = REGISTRY_MEF,
		.fqdn = config.id,
		.sp = config.sp,
		.client_lifetime_s = config.client_days * 86400,
		.key_lifetime_s = config.key_days * 86400,
		.rng = &s->rng,
		.audit = s->audit,
		.audit_accept_s = accept_audit_log ? clock_unix_ms() / 1000 : 0,
		.stands = kpm_stands,
		.ctx = s,
	};
	const char *detail = "";
	enum err e = path_join(path, config.state, "credentials.db") ? credentials_open(&o, &s->credentials, &detail) : ERR_TOO_LONG;

	if (e == OK)
		e = store_key_get(s->credentials, "registry", config.id, clock_unix_ms() / 1000, &s->rng, &s->registry_key);
	if (e != OK)
		return fail("credentials.db can't be opened", detail, e);
	c.store_key = s->registry_key;
	c.audit_anchored = store_key_is_marked(s->credentials, "registry", config.id);
	e = path_join(path, config.state, "registry.db") ? registry_open(path, &c, &s->registry, &detail) : ERR_TOO_LONG;
	if (e != OK)
		return fail("registry.db can't be opened", detail, e);
	e = store_key_mark(s->credentials, "registry", config.id);
	if (e != OK)
		return fail("credentials.db can't be written", "is the disk full?", e);
	e = path_join(path, config.state, "mef.db") ? mef_migrate(path, s->registry) : ERR_TOO_LONG;
	return e == OK || fail("clients can't be moved from mef.db to registry.db", "is the disk full, or mef.db damaged?", e);
}

/* mef.db, sealed under another key in credentials.db. */
static bool store_start(struct service *s)
{
	struct secret *former = NULL;
	char path[PATH_SIZE];
	const char *detail = "";
	bool moved = false;
	enum err e = config.key_file ? key_file_read(config.key_file, &former) : OK;

	if (e != OK)
		return fail("the key file can't be used", "it must hold 64 hexadecimal digits and be readable by its owner alone (chmod 600)", e);
	e = store_key_get(s->credentials, "mef", config.id, clock_unix_ms() / 1000, &s->rng, &s->mef_key);
	if (e == OK)
		e = path_join(path, config.state, "mef.db") ? mef_store_rekey(path, former, s->mef_key, &s->rng, &moved, &detail) : ERR_TOO_LONG;
	secret_free(former);
	if (moved)
		log_line(LOG_LEVEL_NOTICE, "mef.db is sealed under credentials.db now", "hint=\"take key_file out of [mef], and destroy that file\"");
	if (e == OK)
		e = mef_store_open(path, s->mef_key, &s->rng, &s->store, &detail);
	return e == OK || fail("mef.db can't be opened", detail, e);
}

static bool state_open(struct service *s)
{
	if (!startup_state(config.state))
		return false;
	return audit_start(s) && registry_start(s) && store_start(s);
}

/* Clients of Mmef come with a certificate, or with Kpm (PPSK RSPF, TS-0003 8.3.2.1). */
static bool mmef_credentials(struct service *s)
{
	const struct tls_config c = {.cert = config.cert, .key = config.key, .ca = config.ca};
	struct psk_source source;
	char why[TLS_WHY_MAX];
	enum err e = tls_credentials_new(&c, why, &s->mmef_tls);

	if (e != OK)
		return fail("TLS credentials in [tls] can't be used", why, e);
	startup_certificate(config.cert);
	s->kpm = (struct credentials_psk){s->credentials, config.sp, CREDENTIALS_PSK(KIND_KPM)};
	s->mmef_keys = psk_chain_new();
	source = credentials_psk_source(&s->kpm);
	psk_chain_add(s->mmef_keys, &source);
	source = psk_chain_source(s->mmef_keys);
	e = tls_credentials_psk_source(s->mmef_tls, &source);
	return e == OK || fail("TLS can't be set up", "out of memory?", e);
}

static bool credentials_read(struct service *s)
{
	enum err e;

	startup_psk_file(config.psk_file);
	startup_psk_file(config.serial_psk_file);
	if (!mmef_credentials(s)) /* first: it says more of what is wrong */
		return false;
	e = tls_certificates(config.ca, config.cert, config.key, &s->certificates);
	if (e != OK)
		return fail("TLS credentials in [tls] can't be used", "they must be PEM files that fit, the key readable by its owner alone (chmod 600)", e);
	if (config.psk_file && (e = tls_psk_server(config.psk_file, &s->psk)) != OK)
		return fail("psk_file in [egp] can't be used", "it must hold identity:hexkey lines and be readable by its owner alone (chmod 600)", e);
	return true;
}

static bool est_start(struct service *s)
{
	enum err e;

	if (!config.est_ca)
		return true;
	if (config.est_days == 0 || config.est_days > EST_DAYS_MAX)
		return fail("days in [est] is out of range", "1 to 3650", ERR_CONFIG);
	e = est_port_new(s->mef, config.est_ca, (unsigned)config.est_days, config.est_binding, &s->est);
	if (e != OK)
		return fail("ca in [est] can't be used", "it must be a directory with ca.pem and ca.key", e);
	mmef_use_est(s->mmef, s->est);
	return true;
}

/* The key that the MEF and the gateway on the serial line share, under the gateway's name. */
static bool serial_seal(struct service *s, struct egp_seal **seal)
{
	struct psk_line line;

	*seal = NULL;
	if (!config.serial_psk_file)
		return true;
	if (!config.serial || !tls_file_is_private(config.serial_psk_file) || !psk_line_find(config.serial_psk_file, config.serial_gateway, &line))
		return fail("serial_psk_file in [egp] can't be used", "it is for `serial`, must hold a line GATEWAY:HEXKEY, and be readable by its owner alone (chmod 600)", ERR_CONFIG);
	*seal = egp_seal_new(EGP_SEAL_EG, rd_of(line.key, line.key_len), &s->rng);
	bytes_wipe(&line, sizeof line);
	return *seal || fail("the key in serial_psk_file can't be used", "16 octets at least", ERR_CONFIG);
}

static bool egp_start(struct service *s)
{
	struct egp_seal *seal = NULL;
	enum err e = egp_server_new(s->mef, &s->egp);

	if (e != OK)
		return fail("EGP can't be set up", "out of memory?", e);
	if (config.tls_listen && (e = egp_server_listen(s->egp, config.tls_listen, s->certificates, false, &s->tls_port)) != OK)
		return startup_cannot_listen("EGP over TLS, tls_listen in [egp], can't listen", config.tls_listen, e);
	if (config.psk_listen && (e = egp_server_listen(s->egp, config.psk_listen, s->psk, true, &s->psk_port)) != OK)
		return startup_cannot_listen("EGP over TLS-PSK, psk_listen in [egp], can't listen", config.psk_listen, e);
	if (config.insecure_listen) {
		e = egp_server_listen(s->egp, config.insecure_listen, NULL, false, &s->insecure_port);
		if (e != OK)
			return fail("EGP over plain TCP can't listen", "it may only be on loopback, such as 127.0.0.1:9446", e);
		log_line(LOG_LEVEL_WARNING, "EGP over plain TCP is open to everybody on this host", "port=%u", s->insecure_port);
	}
	if (!serial_seal(s, &seal))
		return false;
	if (config.serial && egp_server_serial(s->egp, config.serial, config.serial_gateway, seal) != OK)
		log_line(LOG_LEVEL_WARNING, "serial line is not there yet", "line=%s gateway=%s", config.serial, config.serial_gateway);
	return true;
}

/* Who bootstrapped here may also be a client of Mmef, where his subscription says so. */
static bool bsf_start(struct service *s)
{
	struct psk_source source;

	if (!mef_bsf_start(&s->bsf, s->loop, &config.bsf, config.id, config.cert, config.key, s->certificates))
		return false;
	if (s->bsf.server) {
		source = bsf_server_psk_source(s->bsf.server);
		psk_chain_add(s->mmef_keys, &source);
	}
	return true;
}

/* The operator changed the store: who came with a key that is gone, and what he registered, goes. */
static void on_store_changed(void *ctx)
{
	struct service *s = ctx;

	registration_server_purge(mmef_server(s->mmef));
	tls_credentials_recheck(s->mmef_tls);
}

static void watch_start(struct service *s)
{
	const struct key_fetcher_config c = {.loop = s->loop, .store = s->credentials};

	registration_server_purge(mmef_server(s->mmef)); /* while nobody looked */
	s->watch = key_watch_new(&c, 0, on_store_changed, s);
}

static bool start(struct service *s)
{
	const struct mef_config c = {
		.id = config.id,
		.sp = config.sp,
		.device_per_minute = (unsigned)config.device_per_minute,
		.gateway_per_second = (unsigned)config.gateway_per_second,
		.header_addresses = s->header_addresses,
		.short_install_codes = config.short_install_codes,
		.require_unique_link_key = config.require_unique_link_key,
		.rotate_days = (unsigned)config.rotate_days,
		.group_hours = (unsigned)config.group_hours,
		.answer_requests = config.answer_requests,
	};
	char path[PATH_SIZE];
	enum err e;

	if (!config_check(s) || !state_open(s) || !credentials_read(s))
		return false;
	e = mef_new(s->loop, &c, s->store, s->registry, s->audit, &s->rng, &s->mef);
	if (e != OK)
		return fail("state can't be loaded", e == ERR_BAD_MIC ? "mef.db was changed, or belongs to another credentials.db" : "mef.db may be damaged", e);
	e = mmef_new(s->mef, config.mmef_listen, s->mmef_tls, &s->mmef);
	if (e != OK)
		return startup_cannot_listen("HTTPS for nodes B, listen in [mmef], can't listen", config.mmef_listen, e);
	if (!est_start(s) || !egp_start(s) || !bsf_start(s))
		return false;
	watch_start(s);
	if (!config.admin_socket && !path_join(path, config.state, "admin.sock"))
		return fail("the administration socket can't be made", "shorter path", ERR_TOO_LONG);
	e = admin_new(s->mef, s->egp, config.admin_socket ? config.admin_socket : path, &s->admin);
	if (e != OK)
		return fail("the administration socket can't be made", e == ERR_EXISTS ? "another keyway-mef uses it" : "is its directory there, and the path short?", e);
	return true;
}

/* Told once, and kept in the log: what was registered or replaced since the copy is unknown now. */
static bool gap_tell(struct service *s)
{
	const struct database_gap *gap = mef_store_gap(s->store);
	char detail[96];

	if (!gap->copied) {
		if (gap->by)
			log_line(LOG_LEVEL_NOTICE, "mef.db was not in use for a while", "in_use_until=%llu frame_counters_skipped=%u", (unsigned long long)gap->since, gap->by);
		return true;
	}
	snprintf(detail, sizeof detail, "in use until %llu, %u frame counters skipped", (unsigned long long)gap->since, gap->by);
	log_line(LOG_LEVEL_WARNING, "an old copy of mef.db was put back", "in_use_until=%llu frame_counters_skipped=%u advice=\"devices that were added, or joined anew, since have to enrol again\"",
	    (unsigned long long)gap->since, gap->by);
	return mef_audit(s->mef, "old copy of mef.db put back", 0, NULL, NULL, detail) == OK;
}

static void stop(struct service *s)
{
	key_watch_free(s->watch);
	admin_free(s->admin);
	egp_server_free(s->egp);
	mmef_free(s->mmef);
	est_port_free(s->est);
	mef_free(s->mef);
	tls_credentials_free(s->psk);
	tls_credentials_free(s->certificates);
	tls_credentials_free(s->mmef_tls);
	psk_chain_free(s->mmef_keys);
	mef_bsf_stop(&s->bsf);
	mef_store_close(s->store);
	registry_close(s->registry);
	secret_free(s->registry_key);
	credentials_close(s->credentials);
	audit_close(s->audit);
	secret_free(s->mef_key);
	loop_free(s->loop);
}

static int run(void)
{
	struct service s = {.loop = loop_new(), .rng = rng_system()};
	bool started = start(&s);

	if (started && mef_audit(s.mef, "started", 0, NULL, NULL, "keyway-mef " KEYWAY_VERSION) == OK && gap_tell(&s)) {
		log_line(LOG_LEVEL_INFO, "ready", "mmef=%u egp_tls=%u egp_psk=%u egp_insecure=%u", mmef_port(s.mmef), s.tls_port, s.psk_port, s.insecure_port);
		loop_run(s.loop);
		log_line(LOG_LEVEL_INFO, "stopping", NULL);
		(void)mef_audit(s.mef, "stopped", 0, NULL, NULL, NULL);
	}
	stop(&s);
	return started ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static const struct program p = {
		.name = "keyway-mef",
		.help = "usage: keyway-mef --config FILE\n\nThe M2M Enrolment Function with the Enrolment Gateway for Zigbee devices.\n\n"
			"  --config FILE  configuration, see docs/configuration.md (`keyway init` writes one)\n"
			"  --accept-audit-log\n                 take audit.log as it is, though lines are missing at its end; this is written into it\n"
			"  --help         this text\n  --version      version\n\nKEYWAY_LOG=debug in the environment logs more.\n",
		.keys = keys,
		.flag = "--accept-audit-log",
		.flag_given = &accept_audit_log,
		.run = run,
	};

	return program_main(&p, argc, argv);
}
