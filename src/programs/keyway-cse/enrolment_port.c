/* Enrolment of this CSE. */
#include "programs/keyway-cse/enrolment_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "est/certificate_life.h"
#include "loop/log.h"
#include "programs/keyway-cse/mo_node.h"
#include "programs/keyway-cse/psk_keys.h"

#define LIFETIME_S (30 * 86400ULL)
#define NAME_SIZE 256
#define PATH_SIZE 512

struct enrolment_port {
	struct loop *loop;
	const struct options *options;
	struct rng rng;
	struct credentials *store;
	struct enrolment *enrolment;
	struct mo_node_config mo;
	char name[NAME_SIZE];
	bool told, waiting;           /* a round is over; nothing but the certificate is waited for */
	void (*ready)(void *ctx);
	void *ready_ctx;
	void (*report)(void *ctx, int status);
	void *report_ctx;
};

static enum err fail(const char *advice)
{
	log_line(LOG_LEVEL_ERROR, "[enrolment] can't be used", "advice=\"%s\"", advice);
	return ERR_CONFIG;
}

static void on_told(void *ctx, bool complete)
{
	struct enrolment_port *p = ctx;
	void (*ready)(void *) = p->ready;

	p->told = true;
	if (enrolment_has_certificate(p->enrolment))
		p->waiting = false;
	if (!complete && ready)
		log_line(LOG_LEVEL_WARNING, "enrolment not complete", "hint=\"it goes on\"");
	p->ready = NULL;
	if (ready)
		ready(p->ready_ctx);
}

static void on_object(void *ctx, const struct client_command *c)
{
	struct enrolment_port *p = ctx;

	if (p->mo.cse)
		mo_node_carry_out(&p->mo, c);
	else
		enrolment_done(p->enrolment, COMMAND_MO_EXECUTION_ERROR);
}

/* Public domain name, TS-0001 6.5.1.1. */
static bool name_of(const struct options *o, char name[static NAME_SIZE])
{
	bool below = strcmp(o->type, "in") != 0 && o->registrar_id;
	int n = o->enrolment_name ? snprintf(name, NAME_SIZE, "%s", o->enrolment_name)
				  : snprintf(name, NAME_SIZE, "%s%s%s.%s", o->id + 1, below ? "." : "", below ? o->registrar_id + 1 : "", o->sp);

	return n > 0 && n < NAME_SIZE;
}

static enum err check(const struct options *o)
{
	char dir[PATH_SIZE], file[PATH_SIZE];

	if (strcmp(o->enrolment_by, "key") != 0 && strcmp(o->enrolment_by, "certificate") != 0)
		return fail("`by` is key (Kpm of the store of credentials) or certificate (that of [tls])");
	if (!o->mef_url || !o->mef_id)
		return fail("it needs url and id in [mef]");
	if (o->enrolment_through && strcmp(o->enrolment_through, "mef") != 0 && strcmp(o->enrolment_through, "maf") != 0)
		return fail("`through` is mef or maf");
	if (o->enrolment_through && strcmp(o->enrolment_through, "maf") == 0 && (!o->maf_url || !o->maf_id))
		return fail("`through = maf` needs url and id in [maf]");
	if (strcmp(o->enrolment_by, "certificate") == 0 && !o->cert)
		return fail("`by = certificate` needs ca, cert and key in [tls]");
	if (o->enrolment_est && (strncmp(o->enrolment_est, "https://", 8) != 0 || !o->cert || !certificate_files_split(o->cert, o->key, dir, file, PATH_SIZE)))
		return fail("`est` is an https:// address, and needs cert = DIR/FILE.pem and key = DIR/FILE.key in [tls]");
	return OK;
}

static void begin(struct enrolment_port *p)
{
	const struct options *o = p->options;
	struct enrolment_config c = {.loop = p->loop, .store = p->store, .sp = o->sp, .origin = o->id, .mef = {REGISTRY_MEF, o->mef_url, o->mef_id},
		.maf = {REGISTRY_MAF, o->maf_url, o->maf_id}, .by_certificate = strcmp(o->enrolment_by, "certificate") == 0, .ca = o->ca, .cert = o->cert, .key = o->key,
		.est = o->enrolment_est, .name = p->name, .target = o->enrolment_registrar ? o->registrar_id : NULL,
		.through_maf = o->enrolment_through && strcmp(o->enrolment_through, "maf") == 0,
		.lifetime_s = o->enrolment_lifetime_s ? o->enrolment_lifetime_s : LIFETIME_S, .told = on_told, .object = on_object, .ctx = p};

	p->enrolment = enrolment_start(&c);
}

enum err enrolment_port_start(struct loop *l, const struct options *o, struct enrolment_port **out)
{
	struct enrolment_port *p;
	enum err e;

	if (!o->enrolment_by)
		return OK;
	e = check(o);
	if (e != OK)
		return e;
	p = calloc(1, sizeof *p);
	if (!p)
		return ERR_NO_MEMORY;
	p->loop = l;
	p->options = o;
	p->rng = rng_system();
	e = name_of(o, p->name) ? psk_keys_store(o, &p->rng, &p->store) : fail("the CSE-ID is too long for a domain name");
	if (e != OK) {
		free(p);
		return e;
	}
	begin(p);
	if (!enrolment_has_certificate(p->enrolment)) {
		log_line(LOG_LEVEL_INFO, "waiting for a certificate", "mef=%s name=%s", o->mef_id, p->name);
		p->waiting = true;
		while (p->waiting && !loop_stopped(l))
			loop_once(l, -1);
		if (p->waiting) {
			enrolment_port_free(p);
			return ERR_CLOSED;
		}
	}
	*out = p;
	return OK;
}

void enrolment_port_serve(struct enrolment_port *p, struct cse *c, struct http_client *http, void (*ready)(void *ctx), void *ctx)
{
	p->mo = (struct mo_node_config){p->options, c, p->store, http, p->enrolment};
	if (p->options->enrolment_commands && !p->options->mef)
		enrolment_poll(p->enrolment);
	if (p->told) {
		ready(ctx);
		return;
	}
	p->ready = ready;
	p->ready_ctx = ctx;
}

static void on_reported(void *ctx, enum command_status status)
{
	struct enrolment_port *p = ctx;

	p->report(p->report_ctx, (int)status);
}

void enrolment_port_command(void *port, const char *registration, const struct json *answer, void (*report)(void *ctx, int status), void *ctx)
{
	struct enrolment_port *p = port;
	struct client_command c;

	p->report = report;
	p->report_ctx = ctx;
	if (!p->options->enrolment_commands || !client_command_parse(answer, &c))
		report(ctx, COMMAND_CLASS_NOT_SUPPORTED);
	else if (c.status != COMMAND_OK)
		report(ctx, (int)c.status);
	else
		enrolment_carry_out(p->enrolment, registration, &c, on_reported, p);
}

void enrolment_port_free(struct enrolment_port *p)
{
	if (!p)
		return;
	enrolment_free(p->enrolment);
	credentials_close(p->store);
	free(p);
}
