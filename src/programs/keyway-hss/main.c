/* keyway-hss: home subscriber server and authentication centre, for bootstrapping and for EAP-SIM, EAP-AKA and EAP-AKA'. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "credentials/store_key.h"
#include "gba/net/hss_server.h"
#include "loop/log.h"
#include "loop/program.h"
#include "loop/startup.h"

#define PATH_SIZE 4096
#define STORE_KEY_OF "hss.localhost" /* it has no name of its own in any network */

static struct {
	char *state, *kek, *admin_socket, *zh_socket, *hostapd_socket;
} config;

/* docs/configuration.md */
static const struct config_key keys[] = {
    {"hss", "state", CONFIG_STRING, &config.state, true, "directory for hss.db and credentials.db"},
    {"hss", "admin_socket", CONFIG_STRING, &config.admin_socket, false, "path of the operator's socket; STATE/admin.sock otherwise"},
    {"credentials", "kek", CONFIG_STRING, &config.kek, false, "key file or PKCS#11 URI that seals credentials.db"},
    {"zh", "socket", CONFIG_STRING, &config.zh_socket, false, "path of the socket for the bootstrapping server"},
    {"hostapd", "socket", CONFIG_STRING, &config.hostapd_socket, false, "path of the socket for hostapd (eap_sim_db=unix:PATH)"},
    {NULL, NULL, CONFIG_STRING, NULL, false, NULL},
};

struct service {
	struct loop *loop;
	struct rng rng;
	struct credentials *credentials;
	struct secret *store_key;
	struct hss *hss;
	struct hss_server *server;
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

/* hss.db is sealed under a key in credentials.db, which `keyway credentials` lists and rotates. */
static bool key_open(struct service *s)
{
	char path[PATH_SIZE];
	struct credentials_options o = {.path = path, .kek = config.kek, .rng = &s->rng};
	const char *detail = "shorter path";
	enum err e = path_join(path, config.state, "credentials.db") ? credentials_open(&o, &s->credentials, &detail) : ERR_TOO_LONG;

	if (e == OK)
		e = store_key_get(s->credentials, "hss", STORE_KEY_OF, clock_unix_ms() / 1000, &s->rng, &s->store_key);
	return e == OK || fail("credentials.db can't be opened", detail, e);
}

static bool start(struct service *s)
{
	char database[PATH_SIZE], admin[PATH_SIZE];
	const char *detail = "", *which = "";
	struct hss_server_config c = {.hostapd_socket = config.hostapd_socket, .zh_socket = config.zh_socket, .admin_socket = config.admin_socket};
	enum err e;

	if (!startup_state(config.state))
		return false;
	if (!path_join(database, config.state, "hss.db") || !path_join(admin, config.state, "admin.sock"))
		return fail("`state` in [hss] is too long", "a shorter path", ERR_TOO_LONG);
	if (!key_open(s))
		return false;
	e = hss_open(database, s->store_key, &s->rng, &s->hss, &detail);
	if (e != OK)
		return fail("hss.db can't be opened", detail, e);
	if (!c.admin_socket)
		c.admin_socket = admin;
	e = hss_server_new(s->loop, s->hss, &c, &s->server, &which);
	if (e != OK) {
		log_line(LOG_LEVEL_ERROR, "a socket can't be made", "path=%s error=%s advice=\"%s\"", which, err_name(e),
		    e == ERR_EXISTS ? "another keyway-hss uses it" : "is its directory there, and the path shorter than 108 characters?");
		return false;
	}
	return true;
}

static int run(void)
{
	struct service s = {.loop = loop_new(), .rng = rng_system()};
	bool started = start(&s);

	if (started) {
		log_line(LOG_LEVEL_INFO, "ready", "subscribers=%llu", (unsigned long long)hss_count(s.hss));
		loop_run(s.loop);
		log_line(LOG_LEVEL_INFO, "stopping", NULL);
	}
	hss_server_free(s.server);
	hss_close(s.hss);
	secret_free(s.store_key);
	credentials_close(s.credentials);
	loop_free(s.loop);
	return started ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static const struct program p = {
		.name = "keyway-hss",
		.help = "usage: keyway-hss --config FILE\n\nHome subscriber server: gives authentication vectors to the bootstrapping server and to hostapd.\n\n"
			"  --config FILE  configuration, see docs/configuration.md\n"
			"  --help         this text\n  --version      version\n\nKEYWAY_LOG=debug in the environment logs more. `keyway subscriber` administers it.\n",
		.keys = keys,
		.run = run,
	};

	return program_main(&p, argc, argv);
}
