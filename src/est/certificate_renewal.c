/* Renewal of a certificate. */
#include "est/certificate_renewal.h"

#include <stdlib.h>

#include "base/clock.h"
#include "est/certificate_life.h"
#include "est/est_client.h"
#include "loop/log.h"

#define PATH_SIZE 512
#define RETRY_FIRST_MS 1000
#define RETRY_MOST_MS (10 * 60 * 1000)
#define LOOK_MS (3600 * 1000ULL) /* at the latest: the clock may be set, and the file replaced by hand */

struct certificate_renewal {
	struct certificate_renewal_config config;
	struct loop_timer *timer;
	struct http_client *http;
	struct tls_credentials *tls;
	struct est_enrolment *under_way;
	char dir[PATH_SIZE], file[PATH_SIZE];
	uint64_t wait_ms;
};

static void schedule(struct certificate_renewal *r)
{
	uint64_t now = clock_unix_ms() / 1000, due, in = LOOK_MS;
	struct certificate_life life;

	if (r->wait_ms) {
		loop_timer_in(r->timer, r->wait_ms);
		return;
	}
	if (certificate_life_read(r->config.cert, &life) == OK) {
		due = certificate_life_due(&life);
		in = due <= now ? 0 : (due - now) * 1000 < LOOK_MS ? (due - now) * 1000 : LOOK_MS;
	}
	loop_timer_in(r->timer, in);
}

static void failed(struct certificate_renewal *r, const char *why)
{
	log_line(LOG_LEVEL_WARNING, "certificate not renewed", "file=%s reason=\"%s\"", r->config.cert, why);
	r->wait_ms = r->wait_ms == 0 ? RETRY_FIRST_MS : r->wait_ms * 2 < RETRY_MOST_MS ? r->wait_ms * 2 : RETRY_MOST_MS;
}

static void on_renewed(void *ctx, enum err e, const char *why)
{
	struct certificate_renewal *r = ctx;

	r->under_way = NULL;
	tls_credentials_free(r->tls);
	r->tls = NULL;
	if (e == OK) {
		log_line(LOG_LEVEL_INFO, "certificate renewed", "file=%s", r->config.cert);
		r->wait_ms = 0;
	} else {
		failed(r, why);
	}
	schedule(r);
}

static void on_timer(void *ctx)
{
	struct certificate_renewal *r = ctx;
	struct certificate_life life;

	if (certificate_life_read(r->config.cert, &life) != OK || !life.name[0]) {
		failed(r, "there is no certificate with a name in it");
	} else if (certificate_life_due(&life) <= clock_unix_ms() / 1000) {
		if (tls_certificates(r->config.ca, r->config.cert, r->config.key, &r->tls) == OK)
			r->under_way = est_enrol(r->http, &(const struct est_order){.base = r->config.base, .mef = r->config.mef, .tls = r->tls, .name = life.name,
			    .dir = r->dir, .file = r->file, .renew = true}, on_renewed, r);
		if (r->under_way)
			return;
		tls_credentials_free(r->tls);
		r->tls = NULL;
		failed(r, "the present one can't be used");
	} else {
		r->wait_ms = 0;
	}
	schedule(r);
}

enum err certificate_renewal_new(struct loop *l, const struct certificate_renewal_config *c, struct certificate_renewal **out)
{
	struct certificate_renewal *r = calloc(1, sizeof *r);
	struct certificate_life life;

	if (!r)
		return ERR_NO_MEMORY;
	r->config = *c;
	if (!certificate_files_split(c->cert, c->key, r->dir, r->file, PATH_SIZE) || certificate_life_read(c->cert, &life) != OK || !life.name[0]) {
		free(r);
		return ERR_CONFIG;
	}
	r->http = http_client_new(l, NULL);
	r->timer = loop_timer_new(l, on_timer, r);
	loop_timer_in(r->timer, 0);
	*out = r;
	return OK;
}

void certificate_renewal_free(struct certificate_renewal *r)
{
	if (!r)
		return;
	if (r->under_way)
		est_enrol_cancel(r->under_way);
	tls_credentials_free(r->tls);
	http_client_free(r->http);
	loop_timer_free(r->timer);
	free(r);
}
