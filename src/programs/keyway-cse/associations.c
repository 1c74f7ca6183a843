/* Credentials from the configuration. */
#include "programs/keyway-cse/associations.h"

#include <string.h>

#include "loop/log.h"
#include "loop/ocsp_http.h"
#include "loop/startup.h"

static bool fail(const char *advice)
{
	log_line(LOG_LEVEL_ERROR, "the TLS credentials can't be used", "advice=\"%s\"", advice);
	return false;
}

static bool needs_any(const struct options *o)
{
	return o->ca || o->raw_key || o->raw_keys || o->psk_file || o->coaps_psk_file || o->https_psk_file || o->credentials || o->maf_url || o->mef_url || o->gba_bsf;
}

bool associations_read(struct associations *a, struct loop *l, const struct options *o)
{
	struct tls_ocsp_asker asker;
	struct tls_config c = {.ca = o->ca, .cert = o->cert, .key = o->key, .raw_key = o->raw_key, .raw_keys = o->raw_keys, .crl = o->crl, .staple = o->staple,
		.ocsp_url = o->ocsp_url, .ocsp_soft = o->ocsp && strcmp(o->ocsp, "soft") == 0, .legacy_suites = o->legacy_suites};
	char why[TLS_WHY_MAX];

	if (o->registrar_psk_file && tls_psk_client(o->registrar_psk_identity, o->registrar_psk_file, &a->registrar) != OK)
		return fail("[registrar] psk_file has to have mode 0600 and a line for psk_identity");
	if (!needs_any(o))
		return true;
	startup_certificate(o->cert);
	startup_psk_file(o->psk_file);
	startup_psk_file(o->https_psk_file);
	startup_psk_file(o->coaps_psk_file);
	startup_psk_file(o->registrar_psk_file);
	if (o->ocsp_url) {
		a->ocsp = ocsp_http_new(l);
		asker = ocsp_http_asker(a->ocsp);
		c.ocsp = &asker;
	}
	if (o->legacy_suites)
		log_line(LOG_LEVEL_WARNING, "legacy suites", "suites=\"CBC with HMAC, 8-octet tags over TLS\" hint=\"TS-0003 10.2 has them; leave [tls] legacy_suites out where no peer needs them\"");
	if (tls_credentials_new(&c, why, &a->tls) != OK)
		return fail(why);
	return true;
}
