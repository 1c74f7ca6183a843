/* Enrolment by itself. */
#include "enrolee/enrolment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "enrolee/command_poll.h"
#include "enrolee/own_credential.h"
#include "est/certificate_life.h"
#include "est/est_client.h"
#include "key_registry/client_id.h"
#include "loop/log.h"

#define WANTS_MAX 32
#define RETRY_FIRST_S 1
#define RETRY_MOST_S 300
#define LOOK_MS (3600 * 1000ULL) /* at the latest: clocks are set, and stores changed by hand */
#define PATH_SIZE 512

/* What failed is tried again later and later, and keeps nothing else waiting. */
struct attempts {
	uint64_t wait_s, not_before; /* Unix seconds */
};

struct want {
	struct client_config_key key;
	struct attempts attempts;
	bool configured;  /* by the MEF's client configuration: replaced with it */
	bool commanded;   /* wanted now, whatever there is */
};

/* none | waits for the round that is under way | is carried out | waits for the keys that it wants */
enum command_state { COMMAND_NONE, COMMAND_WAITS, COMMAND_BEGUN, COMMAND_WANTS };

struct enrolment {
	struct enrolment_config config;
	struct http_client *http;
	struct loop_timer *timer;
	struct command_poll *poll;
	struct want wants[WANTS_MAX];
	size_t want_count;
	/* the round that is under way */
	bool busy, failed;
	size_t at;                       /* the want */
	struct enrolee *enrolee;
	struct est_enrolment *est;
	struct function_call *call;
	struct tls_credentials *tls;     /* of est, enrolee and call */
	struct attempts certificate;
	/* the command that is carried out */
	struct client_command command;
	enum command_state state;
	bool refetch;                    /* the client configuration, when there is time */
	enum err outcome;                /* of the key that the command wanted */
	enrolment_reported *reported;
	void *reported_ctx;
	char registration[FUNCTION_ID_SIZE];
};

static void next(struct enrolment *e);
static void round_begin(struct enrolment *e);
static void command_begin(struct enrolment *e);
static void command_has_keys(struct enrolment *e);
static void config_fetch(struct enrolment *e);

static uint64_t now_s(void)
{
	return clock_unix_ms() / 1000;
}

static void release_tls(struct enrolment *e)
{
	tls_credentials_free(e->tls);
	e->tls = NULL;
}

/* What we show the MEF. */
static enum err own(const struct enrolment *e, struct tls_credentials **out)
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

static bool complete(const struct enrolment *e)
{
	return enrolment_has_certificate(e) && (!e->config.target || key_due(e, KIND_KPSA, e->config.target) > 0);
}

static struct want *want_find(struct enrolment *e, enum suid suid, const char *target)
{
	for (size_t i = 0; i < e->want_count; i++)
		if (e->wants[i].key.suid == suid && strcmp(e->wants[i].key.target, target) == 0)
			return &e->wants[i];
	return NULL;
}

static struct want *want_add(struct enrolment *e, const struct client_config_key *k)
{
	struct want *w = want_find(e, k->suid, k->target);

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

static void schedule(struct enrolment *e)
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
	schedule(e);
	if (e->config.told)
		e->config.told(e->config.ctx, complete(e));
	if (e->state == COMMAND_WAITS)
		command_begin(e);
	else if (e->state == COMMAND_WANTS)
		command_has_keys(e);
	if (e->refetch && !e->busy)
		config_fetch(e);
}

static void on_certificate(void *ctx, enum err error, const char *why)
{
	struct enrolment *e = ctx;

	e->est = NULL;
	release_tls(e);
	if (error == OK) {
		log_line(LOG_LEVEL_INFO, "certificate enrolled", "name=%s", e->config.name);
	} else {
		log_line(LOG_LEVEL_WARNING, "no certificate from the MEF", "name=%s reason=%s", e->config.name, log_quote(rd_str(why)));
		e->failed = true;
	}
	attempted(&e->certificate, error == OK);
	next(e);
}

/* Under the present certificate, or, when there is none or it has ended, under Kpm. */
static bool certificate_start(struct enrolment *e, const char *base, est_enrolled *done)
{
	const struct enrolment_config *c = &e->config;
	char dir[PATH_SIZE], file[PATH_SIZE];
	struct certificate_life l;
	bool renew = certificate_life_read(c->cert, &l) == OK && l.until > now_s() && strcmp(l.name, c->name) == 0 &&
	    tls_certificates(c->ca, c->cert, c->key, &e->tls) == OK;

	if (!certificate_files_split(c->cert, c->key, dir, file, PATH_SIZE) || (!renew && own(e, &e->tls) != OK)) {
		release_tls(e);
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
	if (c->by_certificate && own(e, &e->tls) == OK)
		k.tls = e->tls;
	e->enrolee = enrolee_start(&k, on_key, e);
}

static void next(struct enrolment *e)
{
	uint64_t now = now_s();

	enrolee_free(e->enrolee);
	e->enrolee = NULL;
	release_tls(e);
	while (e->at < e->want_count && want_due(e, &e->wants[e->at]) > now)
		e->at++;
	if (e->at < e->want_count)
		key_start(e, &e->wants[e->at]);
	else
		round_end(e);
}

static void round_begin(struct enrolment *e)
{
	e->busy = true;
	e->failed = false;
	e->at = 0;
	loop_timer_at(e->timer, CLOCK_NEVER);
	if (certificate_due(e) > now_s()) {
		next(e);
	} else if (!certificate_start(e, e->config.est, on_certificate)) {
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
		round_begin(e);
}

/* ---- commands ---- */

void enrolment_done(struct enrolment *e, enum command_status status)
{
	enrolment_reported *reported = e->reported;

	if (e->state == COMMAND_NONE)
		return;
	e->state = COMMAND_NONE;
	reported(e->reported_ctx, status);
}

static void on_commanded_certificate(void *ctx, enum err error, const char *why)
{
	struct enrolment *e = ctx;
	enum command_status status = error == OK ? COMMAND_OK : error == ERR_IO ? COMMAND_CERT_CLIENT_ERROR : COMMAND_CERT_SERVER_ERROR;

	e->est = NULL;
	e->busy = false;
	release_tls(e);
	if (error != OK)
		log_line(LOG_LEVEL_WARNING, "no certificate as commanded", "reason=%s", log_quote(rd_str(why)));
	schedule(e);
	enrolment_done(e, status);
	if (error == OK && e->config.told)
		e->config.told(e->config.ctx, complete(e));
}

/* CERT_PROV: by EST, for ourselves, into the file of our certificate. */
static void certificate_command(struct enrolment *e)
{
	const struct client_command *c = &e->command;
	char subject[ENTITY_MAX], self[ENTITY_MAX];
	bool ours = e->config.name && (strcmp(c->subject, e->config.name) == 0 ||
	    (c->subject_type == COMMAND_SUBJECT_CSE && client_id_of(rd_str(c->subject), e->config.sp, subject) && client_id_of(rd_str(e->config.origin), e->config.sp, self) && strcmp(subject, self) == 0));

	if (c->protocol != COMMAND_EST || !ours || strncmp(c->uri, "https://", 8) != 0) {
		enrolment_done(e, COMMAND_UNACCEPTABLE_ARGUMENTS);
		return;
	}
	if (!e->config.cert || !e->config.key) {
		enrolment_done(e, COMMAND_CERT_CLIENT_ERROR);
		return;
	}
	e->busy = true;
	loop_timer_at(e->timer, CLOCK_NEVER);
	if (!certificate_start(e, c->uri, on_commanded_certificate))
		on_commanded_certificate(e, ERR_IO, "there is no credential for it, or the files are not DIR/FILE.pem and DIR/FILE.key");
}

static void config_take(struct enrolment *e, const struct client_config *config)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->want_count; i++)
		if (!e->wants[i].configured)
			e->wants[kept++] = e->wants[i];
	e->want_count = kept;
	for (size_t i = 0; i < config->count; i++) {
		struct want *w = want_find(e, config->keys[i].suid, config->keys[i].target);

		if (!w && (w = want_add(e, &config->keys[i])) != NULL)
			w->configured = true;
		else if (w)
			w->key.lifetime_s = config->keys[i].lifetime_s;
	}
}

/* A key of ours comes from the MEF, or from the MAF that we know. */
static bool can_obtain(const struct enrolment *e, const struct client_config_key *k)
{
	enum suid_family family = suid_family(k->suid);

	if (suid_usage(k->suid) == SUID_USAGE_MAF)
		return family == SUID_FAMILY_RSPF && e->config.maf.fqdn && strcmp(k->target, e->config.maf.fqdn) == 0;
	return family == SUID_FAMILY_RSPF || (family == SUID_FAMILY_MAF && e->config.maf.url);
}

static void config_end(struct enrolment *e, enum command_status status)
{
	bool commanded = e->state == COMMAND_BEGUN && e->command.class == COMMAND_DEV_CFG;

	e->busy = false;
	release_tls(e);
	if (status == COMMAND_OK) {
		if (commanded)
			e->state = COMMAND_WANTS;
		round_begin(e);
		return;
	}
	schedule(e);
	if (commanded)
		enrolment_done(e, status);
	else if (e->state == COMMAND_WAITS)
		command_begin(e);
}

static void on_config(void *ctx, struct function_result *r)
{
	struct enrolment *e = ctx;
	struct client_config config = {.count = 0};
	bool fits = true;

	e->call = NULL;
	if (r->error == ERR_NOT_PERMITTED && r->rsc == RSC_NOT_FOUND) {
		config_take(e, &config);
		config_end(e, e->state == COMMAND_BEGUN ? COMMAND_DEV_CFG_SERVER_ERROR : COMMAND_OK);
	} else if (r->error != OK) {
		config_end(e, COMMAND_DEV_CFG_SERVER_ERROR);
	} else {
		fits = client_config_parse(r->doc, now_s(), &config);
		for (size_t i = 0; fits && i < config.count; i++)
			fits = can_obtain(e, &config.keys[i]);
		if (fits)
			config_take(e, &config);
		else
			log_line(LOG_LEVEL_WARNING, "client configuration not taken", "reason=\"it holds more than keys that can be had\"");
		config_end(e, fits ? COMMAND_OK : COMMAND_DEV_CFG_CLIENT_ERROR);
	}
}

/* The client configuration that the MEF has for us (8.3.5.2, 12.4): which keys to register. */
static void config_fetch(struct enrolment *e)
{
	struct function_caller k = {.http = e->http, .peer = &e->config.mef, .origin = e->config.origin};

	e->refetch = false;
	e->busy = true;
	loop_timer_at(e->timer, CLOCK_NEVER);
	if (own(e, &e->tls) != OK) {
		config_end(e, COMMAND_DEV_CFG_CLIENT_ERROR);
		return;
	}
	k.tls = e->tls;
	e->call = function_client_retrieve(&k, e->registration, on_config, e);
}

/* deviceConfigURI. 0 is a project convention: the MEF's own client configuration. Device management by other protocols is not in this program. */
static void device_command(struct enrolment *e)
{
	char own_path[CLIENT_COMMAND_TEXT];

	snprintf(own_path, sizeof own_path, REGISTRATION_BASE_MEF "/%s", e->registration);
	if (e->command.protocol != COMMAND_DM_MEF || strcmp(e->command.uri, own_path) != 0)
		enrolment_done(e, COMMAND_UNACCEPTABLE_ARGUMENTS);
	else
		config_fetch(e);
}

void enrolment_obtain(struct enrolment *e, const struct client_config_key *want)
{
	struct want *w;

	if (!can_obtain(e, want)) {
		enrolment_done(e, COMMAND_MO_UNACCEPTABLE_ARGUMENTS);
		return;
	}
	w = want_add(e, want);
	if (!w) {
		enrolment_done(e, COMMAND_MO_EXECUTION_ERROR);
		return;
	}
	w->commanded = true;
	e->state = COMMAND_WANTS;
	e->outcome = ERR_NOT_FOUND;
	if (!e->busy)
		round_begin(e);
}

/* A round is over, in which a key that was wanted meanwhile may not have had its turn. */
static void command_has_keys(struct enrolment *e)
{
	for (size_t i = 0; i < e->want_count; i++) {
		if (e->wants[i].commanded) {
			round_begin(e);
			return;
		}
	}
	if (e->command.class == COMMAND_DEV_CFG)
		enrolment_done(e, e->failed ? COMMAND_DEV_CFG_CLIENT_ERROR : COMMAND_OK);
	else
		enrolment_done(e, e->outcome == OK ? COMMAND_OK : COMMAND_MO_EXECUTION_ERROR);
}

static void command_begin(struct enrolment *e)
{
	e->state = COMMAND_BEGUN;
	if (e->command.class == COMMAND_CERT_PROV)
		certificate_command(e);
	else if (e->command.class == COMMAND_DEV_CFG)
		device_command(e);
	else if (e->command.class == COMMAND_MO_NODE && e->config.object)
		e->config.object(e->config.ctx, &e->command);
	else
		enrolment_done(e, COMMAND_CLASS_NOT_SUPPORTED);
}

void enrolment_carry_out(struct enrolment *e, const char *registration, const struct client_command *c, enrolment_reported *reported, void *ctx)
{
	e->command = *c;
	e->reported = reported;
	e->reported_ctx = ctx;
	snprintf(e->registration, sizeof e->registration, "%s", registration);
	e->state = COMMAND_WAITS;
	if (!e->busy)
		command_begin(e);
}

static enum err poll_credentials(void *ctx, struct tls_credentials **out)
{
	return own(ctx, out);
}

static void on_poll_registered(void *ctx, const char *id)
{
	struct enrolment *e = ctx;

	snprintf(e->registration, sizeof e->registration, "%s", id);
	e->refetch = true;
	if (!e->busy)
		config_fetch(e);
}

static void on_poll_reported(void *ctx, enum command_status status)
{
	command_poll_report(((struct enrolment *)ctx)->poll, status);
}

static void on_poll_command(void *ctx, const struct client_command *c)
{
	struct enrolment *e = ctx;
	char registration[FUNCTION_ID_SIZE];

	memcpy(registration, e->registration, sizeof registration);
	enrolment_carry_out(e, registration, c, on_poll_reported, e);
}

void enrolment_poll(struct enrolment *e)
{
	const struct enrolment_config *c = &e->config;

	if (e->poll)
		return;
	e->poll = command_poll_new(&(const struct command_poll_config){.loop = c->loop, .mef = c->mef, .origin = c->origin, .admin_fqdn = c->admin_fqdn,
	    .lifetime_s = c->lifetime_s, .credentials = poll_credentials, .registered = on_poll_registered, .carry_out = on_poll_command, .ctx = e});
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
		(void)want_add(e, &registrar);
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
	release_tls(e);
	loop_timer_free(e->timer);
	http_client_free(e->http);
	free(e);
}
