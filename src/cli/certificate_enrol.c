/* `keyway certificate enrol`: a certificate from a MEF, by EST. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "est/est_client.h"

#define ENROL_PATIENCE_MS 60000

struct enrolling {
	struct loop *loop;
	bool over;
	enum err e;
	char why[320];
};

static void on_enrolled(void *ctx, enum err e, const char *why)
{
	struct enrolling *x = ctx;

	x->over = true;
	x->e = e;
	snprintf(x->why, sizeof x->why, "%s", why ? why : err_text(e));
}

/* A certificate, or a pre-shared key of a file. */
static enum err credentials_of(const struct enrol_options *o, struct tls_credentials **out)
{
	if (o->psk_identity)
		return tls_psk_client(o->psk_identity, o->psk_file, out);
	return tls_certificates(o->ca, o->cert, o->key, out);
}

int certificate_enrol(const struct enrol_options *o)
{
	struct enrolling x = {.over = false};
	struct tls_credentials *tls = NULL;
	struct http_client *http;
	struct est_enrolment *e;
	uint64_t end = clock_ms() + ENROL_PATIENCE_MS;

	if (credentials_of(o, &tls) != OK)
		return cli_fail("the credentials can't be used: PEM files that fit, or a file of identity:hexkey lines; keys readable by their owner alone");
	x.loop = loop_new();
	http = http_client_new(x.loop, tls);
	e = est_enrol(http, &(const struct est_order){.base = o->est, .mef = o->mef, .tls = tls, .name = o->name, .dir = o->dir, .file = o->file, .renew = o->renew},
	    on_enrolled, &x);
	while (e && !x.over && clock_ms() < end)
		loop_once(x.loop, 1000);
	if (e && !x.over)
		est_enrol_cancel(e);
	http_client_free(http);
	loop_free(x.loop);
	tls_credentials_free(tls);
	if (!x.over)
		return cli_fail("the MEF at %s did not answer", o->est);
	if (x.e != OK)
		return cli_fail("%s: %s", o->est, x.why);
	printf("%s/%s.key and %s/%s.pem for %s.\n", o->dir, o->file, o->dir, o->file, o->name);
	return CLI_OK;
}
