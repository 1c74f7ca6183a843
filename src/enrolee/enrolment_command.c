/* What the MEF commands an enrolee: a certificate, its client configuration, a key; TS-0003 8.3.9. */
#include "enrolee/enrolment_private.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "key_registry/client_id.h"
#include "loop/log.h"

static void command_begin(struct enrolment *e);

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
	enrolment_release_tls(e);
	if (error != OK)
		log_line(LOG_LEVEL_WARNING, "no certificate as commanded", "reason=%s", log_quote(rd_str(why)));
	enrolment_schedule(e);
	enrolment_done(e, status);
	if (error == OK && e->config.told)
		e->config.told(e->config.ctx, enrolment_complete(e));
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
	if (!enrolment_certificate_start(e, c->uri, on_commanded_certificate))
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
		struct want *w = enrolment_want_find(e, config->keys[i].suid, config->keys[i].target);

		if (!w && (w = enrolment_want_add(e, &config->keys[i])) != NULL)
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
	enrolment_release_tls(e);
	if (status == COMMAND_OK) {
		if (commanded)
			e->state = COMMAND_WANTS;
		enrolment_round(e);
		return;
	}
	enrolment_schedule(e);
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
		fits = client_config_parse(r->doc, clock_unix_ms() / 1000, &config);
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
	if (enrolment_own(e, &e->tls) != OK) {
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
	w = enrolment_want_add(e, want);
	if (!w) {
		enrolment_done(e, COMMAND_MO_EXECUTION_ERROR);
		return;
	}
	w->commanded = true;
	e->state = COMMAND_WANTS;
	e->outcome = ERR_NOT_FOUND;
	if (!e->busy)
		enrolment_round(e);
}

/* A round is over, in which a key that was wanted meanwhile may not have had its turn. */
static void command_has_keys(struct enrolment *e)
{
	for (size_t i = 0; i < e->want_count; i++) {
		if (e->wants[i].commanded) {
			enrolment_round(e);
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

void enrolment_commands(struct enrolment *e)
{
	if (e->state == COMMAND_WAITS)
		command_begin(e);
	else if (e->state == COMMAND_WANTS)
		command_has_keys(e);
	if (e->refetch && !e->busy)
		config_fetch(e);
}

/* ---- from the MEF itself ---- */

static enum err poll_credentials(void *ctx, struct tls_credentials **out)
{
	return enrolment_own(ctx, out);
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
