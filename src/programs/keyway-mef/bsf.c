/* The bootstrapping server in keyway-mef. */
#include "programs/keyway-mef/bsf.h"

#include "loop/log.h"

#define CHALLENGES_MAX 10000 /* more would not be a limit */

static bool fail(const char *what, const char *advice, enum err e)
{
	log_line(LOG_LEVEL_ERROR, what, "error=%s advice=\"%s\"", err_name(e), advice);
	return false;
}

bool mef_bsf_start(struct mef_bsf *b, struct loop *l, const struct bsf_options *o, const char *id, const char *cert, const char *key, struct tls_credentials *mutual)
{
	const struct tls_config guests = {.cert = cert, .key = key, .guests = true};
	struct bsf_server_config c = {.fqdn = id, .lifetime_s = (uint32_t)o->lifetime_s, .challenges_per_minute = (unsigned)o->challenges_per_minute, .zh_socket = o->hss, .ub_listen = o->listen, .zn_listen = o->zn_listen, .zn_tls = mutual};
	char why[TLS_WHY_MAX];
	const char *which;
	enum err e;

	if (!o->listen && !o->zn_listen && !o->hss)
		return true;
	if (!o->listen || !o->hss)
		return fail("`listen` and `hss` in [bsf] belong together", "the bootstrapping server needs a home subscriber server", ERR_CONFIG);
	if (o->lifetime_s == 0 || o->lifetime_s > BSF_LIFETIME_MAX_S)
		return fail("`lifetime_s` in [bsf] is out of range", "1 to 604800, a week", ERR_CONFIG);
	if (o->challenges_per_minute == 0 || o->challenges_per_minute > CHALLENGES_MAX)
		return fail("`challenges_per_minute` in [bsf] is out of range", "1 to 10000", ERR_CONFIG);
	e = tls_credentials_new(&guests, why, &b->ub);
	if (e != OK)
		return fail("the certificate in [tls] can't be used for [bsf]", why, e);
	c.ub_tls = b->ub;
	e = bsf_server_new(l, &c, &b->server, &which);
	if (e != OK) {
		log_line(LOG_LEVEL_ERROR, "the bootstrapping server can't start", "at=%s error=%s advice=\"%s\"", which, err_name(e),
		    e == ERR_BAD_VALUE ? "`id` in [mef] must be an FQDN" : "is the address of this host, and the port free?");
		return false;
	}
	log_line(LOG_LEVEL_INFO, "bootstrapping server ready", "ub=%u zn=%u", bsf_server_ub_port(b->server), bsf_server_zn_port(b->server));
	return true;
}

void mef_bsf_stop(struct mef_bsf *b)
{
	bsf_server_free(b->server);
	tls_credentials_free(b->ub);
}
