/* keyway-cse: a oneM2M CSE. Puts the parts together: store, CSE, bindings, IPE-OCI. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cse/tree.h"
#include "loop/log.h"
#include "loop/worker.h"
#ifdef KEYWAY_HAVE_OCI
#include "oci/oci.h"
#endif
#include "programs/keyway-cse/end_to_end.h"
#include "programs/keyway-cse/enrolment_port.h"
#include "programs/keyway-cse/program.h"
#include "programs/keyway-cse/token_keys.h"
#include "store/store.h"

#define DEREGISTER_MS 2000
#define GOODBYE_ROUNDS 10
#define GOODBYE_MS 2
#define LOOKS 150 /* some 80 us: a good part of a commit, whose thread and whose clients have the core meanwhile if they want it */

int program_fail(const char *fmt, const char *a, const char *b)
{
	fprintf(stderr, "keyway-cse: ");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	fprintf(stderr, fmt, a, b);
#pragma GCC diagnostic pop
	fputc('\n', stderr);
	return 1;
}

/* Every directory of a path, like mkdir -p. */
static bool make_directory(const char *path)
{
	char part[512];

	for (size_t i = 1; i <= strlen(path) && i < sizeof part; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		snprintf(part, sizeof part, "%.*s", (int)i, path);
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return false;
	}
	return true;
}

/* ---- what the CSE asks of its shell ---- */

static uint64_t now_ms(void *transport)
{
	(void)transport;
	return clock_ms();
}

static uint64_t unix_ms(void *transport)
{
	(void)transport;
	return clock_unix_ms();
}

static struct program *program_of(void *transport)
{
	return (struct program *)transport;
}

static void defer(void *transport, void (*fn)(void *), void *ctx)
{
	loop_defer(program_of(transport)->loop, fn, ctx);
}

static void wake_at(void *transport, uint64_t at)
{
	struct program *p = program_of(transport);

	if (at < p->wake_at) {
		p->wake_at = at;
		loop_timer_at(p->wake, at);
	}
}

static void on_wake(void *ctx)
{
	struct program *p = ctx;

	p->wake_at = CLOCK_NEVER;
	cse_tick(p->cse);
}

static void run_aside(void *program, void (*work)(void *ctx), void (*done)(void *ctx), void *ctx)
{
	worker_run(((struct program *)program)->worker, work, done, ctx);
}

static void wait_aside(void *program)
{
	worker_wait(((struct program *)program)->worker);
}

static bool finished_aside(void *program)
{
	return worker_finished(((struct program *)program)->worker);
}

static void finish_aside(void *program)
{
	worker_finish(((struct program *)program)->worker);
}

static void next_round(void *program, void (*fn)(void *ctx), void *ctx)
{
	loop_defer_next(((struct program *)program)->loop, fn, ctx);
}

/* ---- start ---- */

static void log_migration(void *ctx, uint64_t rows)
{
	(void)ctx;
	log_line(LOG_LEVEL_NOTICE, "store is brought up to date", "rows=%" PRIu64 " hint=\"some seconds a million\"", rows);
}

static int open_store(struct program *p)
{
	const struct options *o = &p->options;
	struct store_options s = {.path = ":memory:", .check = o->check, .derive = tree_ri, .migrates = log_migration, .cache_kib = (unsigned)(o->cache_mib << 10)};
	const char *detail = "";
	char path[600];

	if (!o->ephemeral) {
		if (!make_directory(o->state))
			return program_fail("the state directory %s cannot be made: %s", o->state, strerror(errno));
		snprintf(path, sizeof path, "%s/cse.db", o->state);
		s.path = path;
	}
	if (store_open(&s, &p->store, &detail) != OK)
		return program_fail("the store %s cannot be opened: %s", s.path, detail);
	return 0;
}

static enum cse_type type_of(const char *type)
{
	return strcmp(type, "in") == 0 ? CSE_IN : strcmp(type, "mn") == 0 ? CSE_MN : CSE_ASN;
}

static void on_registration(void *ctx, bool registered, enum onem2m_rsc rsc)
{
	const struct program *p = ctx;

	if (registered)
		log_line(LOG_LEVEL_INFO, "registered", "registrar=%s", p->options.registrar_id);
	else
		log_line(LOG_LEVEL_WARNING, rsc == RSC_TARGET_NOT_REACHABLE ? "registrar unreachable" : "registrar refused", "registrar=%s rsc=%d", p->options.registrar_id, (int)rsc);
}

static int start_cse(struct program *p)
{
	const struct options *o = &p->options;
	const bool multicasts = o->coap_multicast != NULL;
	struct cse_config config = {
		.type = type_of(o->type),
		.id = o->id,
		.name = o->name,
		.resource_id = o->resource_id,
		.sp = o->sp,
		.admin = o->admin,
		.poa = p->poa,
		.registrar_id = o->registrar_id,
		.registrar_poa = o->registrar_url,
		.require_tls = o->https || o->coaps || options_mqtt_is_secure(o),
		.ae_originators = o->ae_originators,
		.cse_originators = o->cse_originators,
		.open_create = o->open_create,
		.releases = o->releases,
		.release_1 = o->release_1,
		.das_servers = o->das_servers,
		.require_subscription = o->require_subscription,
		.background_window = o->background_window,
		.networks = o->networks,
		.multicast = multicasts ? coap_binding_multicast : NULL,
		.multicast_send = multicasts ? coap_binding_multicast_send : NULL,
		.multicast_ctx = p->coap,
		.max_expiration_ms = o->max_expiration_s * 1000,
		.request_life_ms = o->request_life_s * 1000,
		.cache_octets = (size_t)o->cache_mib << 20,
		.verify_subscriptions = o->verify_subscriptions,
		.testbench = o->testbench,
		.customs = o->testbench,
		.on_registration = on_registration,
		.on_registration_ctx = p,
	};
	const struct cse_transport transport = {router_send, now_ms, unix_ms, defer, wake_at, &p->router};

	if (trace_open(o, &config) != OK)
		return program_fail("[trace] primitives = %s cannot be written%s", o->trace, "");
	if (cse_new(&config, p->store, &transport, &p->cse) != OK)
		return program_fail("the CSE cannot start from %s: %s", o->state, store_detail(p->store));
	/* what is in memory commits at once */
	if (!o->ephemeral) {
		p->worker = worker_new(p->loop);
		cse_use_worker(p->cse, &(const struct cse_worker){run_aside, wait_aside, finished_aside, finish_aside, next_round, p});
	}
	cse_use_connections(p->cse, router_send_connected);
	if (end_to_end_start(p->loop, o, p->cse, p->tls, &p->end_to_end) != OK)
		return program_fail("[esprim] cannot be used%s%s", "", "");
	if (token_keys_start(o, p->cse, &p->token_keys) != OK)
		return program_fail("[tokens] cannot be used%s%s", "", "");
	bindings_serve(p);
	return 0;
}

static int start_oci(struct program *p)
{
	const struct options *o = &p->options;
#ifdef KEYWAY_HAVE_OCI
	struct descriptions *descriptions = NULL;
	char why[600];
	enum err e;
	struct oci_config config = {
		.mef = o->mef,
		.mef_identity = o->mef_identity,
		.cse_id = o->id,
		.cse_name = o->name,
		.sp = o->sp,
		.state = o->state,
		.key_file = o->key_file,
		.images = o->images,
		.answer_commissioning = o->answer_commissioning,
		.link_status_ms = o->link_status && strcmp(o->link_status, "no") == 0 ? 0 : (uint32_t)o->link_status_s * 1000,
		.link_status_broadcast = o->link_status && strcmp(o->link_status, "broadcast") == 0,
		.groupcast_wait_ms = (uint32_t)o->groupcast_wait_s * 1000,
		.http = p->client,
		.command = p->enrolment ? enrolment_port_command : NULL,
		.command_ctx = p->enrolment,
	};

	if (!o->mef)
		return 0;
	if (!o->mef_identity || !o->key_file)
		return program_fail("[zigbee] needs mef, mef_identity and key_file%s%s", "", "");
	if (oci_descriptions(o->descriptions, &descriptions, why, sizeof why) != OK)
		return program_fail("[zigbee] descriptions: %s%s", why, "");
	config.descriptions = descriptions; /* they stay */
	e = oci_start(p->loop, p->cse, &config);
	if (e == ERR_CONFIG)
		return program_fail("IPE-OCI cannot start: the key file %s must be there, hold 64 hexadecimal digits, and have mode 0600%s", o->key_file, "");
	if (e == ERR_STORE)
		return program_fail("IPE-OCI cannot start: %s/oci.db can't be used: was it sealed under another [zigbee] key_file, is it another user's, or is the disk full?%s", o->state, "");
	return e == OK ? 0 : program_fail("IPE-OCI cannot start: %s%s", err_text(e), "");
#else
	return o->mef ? program_fail("this build has no IPE-OCI: leave [zigbee] out%s%s", "", "") : 0;
#endif
}

static void on_deregistered(void *ctx)
{
	struct program *p = ctx;

	p->ended = true;
}

/* A CSE that ends says so to its registrar, which answers soon or is not waited for. */
static void end_registration(struct program *p)
{
	uint64_t until = clock_ms() + DEREGISTER_MS, now;

	cse_deregister(p->cse, on_deregistered, p);
	while (!p->ended && (now = clock_ms()) < until)
		loop_once(p->loop, (int)(until - now));
}

static void on_enrolled(void *ctx)
{
	struct program *p = ctx;

	cse_register(p->cse);
}

static int start(struct program *p)
{
	int r;

	p->loop = loop_new();
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		loop_linger(p->loop, LOOKS);
	p->wake_at = CLOCK_NEVER;
	p->wake = loop_timer_new(p->loop, on_wake, p);
	r = open_store(p);
	if (r == 0 && enrolment_port_start(p->loop, &p->options, &p->enrolment) != OK) /* the certificates that the bindings need */
		r = 1;
	if (r == 0)
		r = bindings_start(p);
	if (r == 0)
		r = start_cse(p);
	if (r == 0)
		r = start_oci(p);
	if (r == 0)
		r = bindings_listen(p);
	return r;
}

static void run(struct program *p)
{
	bindings_tell_poa(p);
	if (p->enrolment)
		enrolment_port_serve(p->enrolment, p->cse, p->client, on_enrolled, p);
	else
		cse_register(p->cse);
	loop_run(p->loop);
}

/* The last rounds of the loop, with everything still in its place: who wrote gets the answer, and every connection its goodbye. */
static void say_goodbye(struct program *p)
{
	end_registration(p);
	bindings_close(p);
	cse_commit_now(p->cse);
	bindings_goodbye(p);
	for (int i = 0; i < GOODBYE_ROUNDS; i++) /* it crosses the socket of the HTTP library, and TLS */
		loop_once(p->loop, GOODBYE_MS);
}

/* Whatever of it was started. The loop does not run any more: calls that were deferred, timers, and what was sent and is not answered yet lead to
 * parts that are gone. Also the commit under way must end before the process does, on whatever way. */
static void end(struct program *p)
{
	cse_free(p->cse);
	end_to_end_free(p->end_to_end);
	token_keys_free(p->token_keys);
	enrolment_port_free(p->enrolment);
	worker_free(p->worker);
	bindings_free(p);
	store_close(p->store);
}

int main(int argc, char **argv)
{
	static struct program p;
	enum options_result o = options_read(&p.options, argc, argv);
	int r;

	if (o != OPTIONS_GO)
		return o == OPTIONS_ENDED ? 0 : 2;
	log_start(p.options.id + 1, LOG_LEVEL_INFO);
	if (p.options.testbench)
		log_line(LOG_LEVEL_WARNING, "testbench", "access=open hint=\"whoever reaches this port on loopback may do anything as %s\"", p.options.admin);
	r = start(&p);
	if (r == 0) {
		run(&p);
		say_goodbye(&p);
	}
	end(&p);
	if (r == 0)
		log_line(LOG_LEVEL_INFO, "ended", NULL);
	return r;
}
