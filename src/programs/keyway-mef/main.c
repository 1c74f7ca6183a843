/* keyway-mef: the M2M Enrolment Function with its Enrolment Gateway. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "loop/log.h"
#include "loop/startup.h"
#include "programs/keyway-mef/program.h"
#include "tls/psk_file.h"
#include "tls/psk_line.h"
#include "tls/tls.h"

#define EST_DAYS_MAX 3650
bool program_fail(const char *what, const char *advice, enum err e)
{
	log_line(LOG_LEVEL_ERROR, what, "error=%s advice=\"%s\"", err_name(e), advice);
	return false;
}

/* Clients of Mmef come with a certificate, or with Kpm (PPSK RSPF, TS-0003 8.3.2.1). */
static bool mmef_credentials(struct service *s)
{
	const struct tls_config c = {.cert = options.cert, .key = options.key, .ca = options.ca};
	struct psk_source source;
	char why[TLS_WHY_MAX];
	enum err e = tls_credentials_new(&c, why, &s->mmef_tls);

	if (e != OK)
		return program_fail("TLS credentials in [tls] can't be used", why, e);
	startup_certificate(options.cert);
	s->kpm = (struct credentials_psk){s->credentials, options.sp, CREDENTIALS_PSK(KIND_KPM)};
	s->mmef_keys = psk_chain_new();
	source = credentials_psk_source(&s->kpm);
	psk_chain_add(s->mmef_keys, &source);
	source = psk_chain_source(s->mmef_keys);
	e = tls_credentials_psk_source(s->mmef_tls, &source);
	return e == OK || program_fail("TLS can't be set up", "out of memory?", e);
}

static bool credentials_read(struct service *s)
{
	enum err e;

	startup_psk_file(options.psk_file);
	startup_psk_file(options.serial_psk_file);
	if (!mmef_credentials(s)) /* first: it says more of what is wrong */
		return false;
	e = tls_certificates(options.ca, options.cert, options.key, &s->certificates);
	if (e != OK)
		return program_fail("TLS credentials in [tls] can't be used", "they must be PEM files that fit, the key readable by its owner alone (chmod 600)", e);
	if (options.psk_file && (e = tls_psk_server(options.psk_file, &s->psk)) != OK)
		return program_fail("psk_file in [egp] can't be used", "it must hold identity:hexkey lines and be readable by its owner alone (chmod 600)", e);
	return true;
}

static bool est_start(struct service *s)
{
	enum err e;

	if (!options.est_ca)
		return true;
	if (options.est_days == 0 || options.est_days > EST_DAYS_MAX)
		return program_fail("days in [est] is out of range", "1 to 3650", ERR_CONFIG);
	e = est_port_new(s->mef, options.est_ca, (unsigned)options.est_days, options.est_binding, &s->est);
	if (e != OK)
		return program_fail("ca in [est] can't be used", "it must be a directory with ca.pem and ca.key", e);
	mmef_use_est(s->mmef, s->est);
	return true;
}

/* The key that the MEF and the gateway on the serial line share, under the gateway's name. */
static bool serial_seal(struct service *s, struct egp_seal **seal)
{
	struct psk_line line;

	*seal = NULL;
	if (!options.serial_psk_file)
		return true;
	if (!options.serial || !tls_file_is_private(options.serial_psk_file) || !psk_line_find(options.serial_psk_file, options.serial_gateway, &line))
		return program_fail("serial_psk_file in [egp] can't be used", "it is for `serial`, must hold a line GATEWAY:HEXKEY, and be readable by its owner alone (chmod 600)", ERR_CONFIG);
	*seal = egp_seal_new(EGP_SEAL_EG, rd_of(line.key, line.key_len), &s->rng);
	bytes_wipe(&line, sizeof line);
	return *seal || program_fail("the key in serial_psk_file can't be used", "16 octets at least", ERR_CONFIG);
}

static bool egp_start(struct service *s)
{
	struct egp_seal *seal = NULL;
	enum err e = egp_server_new(s->mef, &s->egp);

	if (e != OK)
		return program_fail("EGP can't be set up", "out of memory?", e);
	if (options.tls_listen && (e = egp_server_listen(s->egp, options.tls_listen, s->certificates, false, &s->tls_port)) != OK)
		return startup_cannot_listen("EGP over TLS, tls_listen in [egp], can't listen", options.tls_listen, e);
	if (options.psk_listen && (e = egp_server_listen(s->egp, options.psk_listen, s->psk, true, &s->psk_port)) != OK)
		return startup_cannot_listen("EGP over TLS-PSK, psk_listen in [egp], can't listen", options.psk_listen, e);
	if (options.insecure_listen) {
		e = egp_server_listen(s->egp, options.insecure_listen, NULL, false, &s->insecure_port);
		if (e != OK)
			return program_fail("EGP over plain TCP can't listen", "it may only be on loopback, such as 127.0.0.1:9446", e);
		log_line(LOG_LEVEL_WARNING, "EGP over plain TCP is open to everybody on this host", "port=%u", s->insecure_port);
	}
	if (!serial_seal(s, &seal))
		return false;
	if (options.serial && egp_server_serial(s->egp, options.serial, options.serial_gateway, seal) != OK)
		log_line(LOG_LEVEL_WARNING, "serial line is not there yet", "line=%s gateway=%s", options.serial, options.serial_gateway);
	return true;
}

/* Who bootstrapped here may also be a client of Mmef, where his subscription says so. */
static bool bsf_start(struct service *s)
{
	struct psk_source source;

	if (!mef_bsf_start(&s->bsf, s->loop, &options.bsf, options.id, options.cert, options.key, s->certificates))
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
		.id = options.id,
		.sp = options.sp,
		.device_per_minute = (unsigned)options.device_per_minute,
		.gateway_per_second = (unsigned)options.gateway_per_second,
		.header_addresses = s->header_addresses,
		.short_install_codes = options.short_install_codes,
		.require_unique_link_key = options.require_unique_link_key,
		.rotate_days = (unsigned)options.rotate_days,
		.group_hours = (unsigned)options.group_hours,
		.answer_requests = options.answer_requests,
	};
	char path[STATE_PATH];
	enum err e;

	if (!options_check(s) || !state_open(s) || !credentials_read(s))
		return false;
	e = mef_new(s->loop, &c, s->store, s->registry, s->audit, &s->rng, &s->mef);
	if (e != OK)
		return program_fail("state can't be loaded", e == ERR_BAD_MIC ? "mef.db was changed, or belongs to another credentials.db" : "mef.db may be damaged", e);
	e = mmef_new(s->mef, options.mmef_listen, s->mmef_tls, &s->mmef);
	if (e != OK)
		return startup_cannot_listen("HTTPS for nodes B, listen in [mmef], can't listen", options.mmef_listen, e);
	if (!est_start(s) || !egp_start(s) || !bsf_start(s))
		return false;
	watch_start(s);
	if (!options.admin_socket && !state_path(path, options.state, "admin.sock"))
		return program_fail("the administration socket can't be made", "shorter path", ERR_TOO_LONG);
	e = admin_new(s->mef, s->egp, options.admin_socket ? options.admin_socket : path, &s->admin);
	if (e != OK)
		return program_fail("the administration socket can't be made", e == ERR_EXISTS ? "another keyway-mef uses it" : "is its directory there, and the path short?", e);
	return true;
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

	if (started && mef_audit(s.mef, "started", 0, NULL, NULL, "keyway-mef " KEYWAY_VERSION) == OK && state_gap_tell(&s)) {
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
		.keys = options_keys,
		.flag = "--accept-audit-log",
		.flag_given = &options.accept_audit_log,
		.run = run,
	};

	return program_main(&p, argc, argv);
}
