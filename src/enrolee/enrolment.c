/* Enrolment by itself: what is there and what is due, and the rounds in which it is got. What the MEF commands is enrolment_command.c. */
#include "enrolee/enrolment_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "enrolee/own_credential.h"
#include "est/certificate_life.h"
#include "loop/log.h"

#define RETRY_FIRST_S 1
#define RETRY_MOST_S 300
#define LOOK_MS (3600 * 1000ULL) /* at the latest: clocks are set, and stores changed by hand */
#define PATH_SIZE 512

static void next(struct enrolment *e);

static uint64_t now_s(void)
{
	return clock_unix_ms() / 1000;
}

void enrolment_release_tls(struct enrolment *e)
{
	tls_credentials_free(e->tls);
	e->tls = NULL;
}

enum err enrolment_own(const struct enrolment *e, struct tls_credentials **out)
{
	const struct enrolment_config *c = &e->config;

	if (c->by_certificate)
		return tls_certificates(c->ca, c->cert, c->key, out);
	return own_credential(c->store, REGISTRY_MEF, c->mef.fqdn, out, NULL);
}

/* ---- what is there, and what is due ---- */

static uint64_t two_thirds(uint64_t from, uint64_t until)
{
	return until == UINT64_MAX ? UINT64_MAX : until <= from ? until : from + (until - from) / 3 * 2;
}

bool enrolment_has_certificate(const struct enrolment *e)
{
	struct certificate_life l;

	return !e->config.est || (certificate_life_read(e->config.cert, &l) == OK && l.until > now_s());
}

static void attempted(struct attempts *a, bool well)
{
	a->wait_s = well ? 0 : a->wait_s == 0 ? RETRY_FIRST_S : a->wait_s * 2 < RETRY_MOST_S ? a->wait_s * 2 : RETRY_MOST_S;
	a->not_before = well ? 0 : now_s() + a->wait_s;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t certificate_due(const struct enrolment *e)
{
	struct certificate_life l;

	if (!e->config.est)
		return UINT64_MAX;
	return later(certificate_life_read(e->config.cert, &l) == OK ? certificate_life_due(&l) : 0, e->certificate.not_before);
}

/* 0: there is none. */
static uint64_t key_due(const struct enrolment *e, enum credential_kind kind, const char *peer)
{
	struct credential c = {.key = NULL};
	uint64_t due = 0;

	if (credentials_find_peer(e->config.store, kind, peer, now_s(), &c) == OK)
		due = two_thirds(c.added_at, c.expires_at);
	credential_clear(&c);
	return due;
}

static uint64_t want_due(const struct enrolment *e, const struct want *w)
{
	return w->commanded ? 0 : later(key_due(e, credential_kind_of(w->key.suid), w->key.target), w->attempts.not_before);
}

bool enrolment_complete(const struct enrolment *e)
{
	return enrolment_has_certificate(e) && (!e->config.target || key_due(e, KIND_KPSA, e->config.target) > 0);
}

struct want *enrolment_want_find(struct enrolment *e, enum suid suid, const char *target)
{
	for (size_t i = 0; i < e->want_count; i++)
		if (e->wants[i].key.suid == suid && strcmp(e->wants[i].key.target, target) == 0)
			return &e->wants[i];
	return NULL;
}

struct want *enrolment_want_add(struct enrolment *e, const struct client_config_key *k)
{
	struct want *w = enrolment_want_find(e, k->suid, k->target);

	if (w) {
		w->key.lifetime_s = k->lifetime_s;
		return w;
	}
	if (e->want_count == WANTS_MAX)
		return NULL;
	w = &e->wants[e->want_count++];
	*w = (struct want){.key = *k};
	return w;
}

/* ---- a round: the certificate, then each key ---- */

void enrolment_schedule(struct enrolment *e)
{
	uint64_t now = now_s(), due = certificate_due(e), in;

	for (size_t i = 0; i < e->want_count; i++) {
		uint64_t d = want_due(e, &e->wants[i]);

		due = d < due ? d : due;
	}
	in = due <= now ? 0 : due - now > LOOK_MS / 1000 ? LOOK_MS : (due - now) * 1000;
	loop_timer_in(e->timer, in);
}

static void round_end(struct enrolment *e)
{
	uint64_t removed;

	e->busy = false;
	if (credentials_sweep(e->config.store, now_s(), &removed) != OK)
		log_line(LOG_LEVEL_ERROR, "the store of credentials can't be swept", NULL);
	enrolment_schedule(e);
	if (e->config.told)
		e->config.told(e->config.ctx, enrolment_complete(e));
	enrolment_commands(e);
}

static void on_certificate(void *ctx, enum err error, const char *why)
{
	struct enrolment *e = ctx;

	e->est = NULL;
	enrolment_release_tls(e);
	if (error == OK) {
		log_line(LOG_LEVEL_INFO, "certificate enrolled", "name=%s", e->config.name);
	} else {
		log_line(LOG_LEVEL_WARNING, "no certificate from the MEF", "name=%s reason=%s", e->config.name, log_quote(rd_str(why)));
		e->failed = true;
	}
	attempted(&e->certificate, error == OK);
	next(e);
}

bool enrolment_certificate_start(struct enrolment *e, const char *base, est_enrolled *done)
{
	const struct enrolment_config *c = &e->config;
	char dir[PATH_SIZE], file[PATH_SIZE];
	struct certificate_life l;
	bool renew = certificate_life_read(c->cert, &l) == OK && l.until > now_s() && strcmp(l.name, c->name) == 0 &&
	    tls_certificates(c->ca, c->cert, c->key, &e->tls) == OK;

	if (!certificate_files_split(c->cert, c->key, dir, file, PATH_SIZE) || (!renew && enrolment_own(e, &e->tls) != OK)) {
		enrolment_release_tls(e);
		return false;
	}
	e->est = est_enrol(e->http, &(const struct est_order){.base = base, .mef = c->mef.fqdn, .tls = e->tls, .name = c->name, .dir = dir, .file = file, .renew = renew},
	    done, e);
	return e->est != NULL;
}

static void next_deferred(void *e)
{
	next(e);
}

static void on_key(void *ctx, const struct enrolee_result *r)
{
	struct enrolment *e = ctx;
	struct want *w = &e->wants[e->at];

	if (r->error == OK)
		log_line(LOG_LEVEL_INFO, "key enrolled", "credential=\"%s\" peer=%s suid=%d", r->identity, w->key.target, (int)w->key.suid);
	else
		log_line(LOG_LEVEL_WARNING, "no key", "peer=%s suid=%d step=\"%s\" rsc=%u reason=\"%s\"", w->key.target, (int)w->key.suid, r->step, r->rsc, r->detail);
	if (w->commanded)
		e->outcome = r->error;
	w->commanded = false;
	e->failed |= r->error != OK;
	attempted(&w->attempts, r->error == OK);
	e->at++;
	/* it is in use until this callback returns */
	loop_defer(e->config.loop, next_deferred, e);
}

static void key_start(struct enrolment *e, const struct want *w)
{
	const struct enrolment_config *c = &e->config;
	enum suid_family family = suid_family(w->key.suid);
	bool maf = family == SUID_FAMILY_MAF || suid_usage(w->key.suid) == SUID_USAGE_MAF;
	struct enrolee_config k = {.loop = c->loop, .store = c->store, .sp = c->sp, .origin = c->origin, .admin_fqdn = c->admin_fqdn, .mef = c->mef, .target = w->key.target,
		.usage = suid_usage(w->key.suid), .lifetime_s = w->key.lifetime_s ? w->key.lifetime_s : c->lifetime_s};

	if (maf)
		k.maf = c->maf;
	k.fresh_master = maf && (suid_usage(w->key.suid) == SUID_USAGE_MAF || key_due(e, KIND_KM, c->maf.fqdn) <= now_s());
	if (c->by_certificate && enrolment_own(e, &e->tls) == OK)
		k.tls = e->tls;
	e->enrolee = enrolee_start(&k, on_key, e);
}

static void next(struct enrolment *e)
{
	uint64_t now = now_s();

	enrolee_free(e->enrolee);
	e->enrolee = NULL;
	enrolment_release_tls(e);
	while (e->at < e->want_count && want_due(e, &e->wants[e->at]) > now)
		e->at++;
	if (e->at < e->want_count)
		key_start(e, &e->wants[e->at]);
	else
		round_end(e);
}

void enrolment_round(struct enrolment *e)
{
	e->busy = true;
	e->failed = false;
	e->at = 0;
	loop_timer_at(e->timer, CLOCK_NEVER);
	if (certificate_due(e) > now_s()) {
		next(e);
	} else if (!enrolment_certificate_start(e, e->config.est, on_certificate)) {
		log_line(LOG_LEVEL_WARNING, "no certificate from the MEF", "reason=\"there is no credential for it, or the files are not DIR/FILE.pem and DIR/FILE.key\"");
		e->failed = true;
		attempted(&e->certificate, false);
		next(e);
	}
}

static void on_timer(void *ctx)
{
	struct enrolment *e = ctx;

	if (!e->busy)
		enrolment_round(e);
}

/* ---- start and end ---- */

struct enrolment *enrolment_start(const struct enrolment_config *c)
{
	struct client_config_key registrar = {.suid = c->through_maf ? SUID_MAF_SAEF : SUID_RSPF_SAEF};
	struct enrolment *e = calloc(1, sizeof *e);

	if (!e)
		abort();
	e->config = *c;
	e->http = http_client_new(c->loop, NULL);
	e->timer = loop_timer_new(c->loop, on_timer, e);
	if (c->target) {
		snprintf(registrar.target, sizeof registrar.target, "%s", c->target);
		(void)enrolment_want_add(e, &registrar);
	}
	loop_timer_in(e->timer, 0);
	return e;
}

void enrolment_free(struct enrolment *e)
{
	if (!e)
		return;
	command_poll_free(e->poll);
	loop_defer_cancel(e->config.loop, next_deferred, e);
	if (e->est)
		est_enrol_cancel(e->est);
	if (e->call)
		function_call_cancel(e->call);
	enrolee_free(e->enrolee);
	enrolment_release_tls(e);
	loop_timer_free(e->timer);
	http_client_free(e->http);
	free(e);
}
