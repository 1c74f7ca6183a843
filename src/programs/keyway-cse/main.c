/* keyway-cse: a oneM2M CSE. Puts the parts together: store, CSE, bindings, IPE-OCI. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "programs/keyway-cse/admin_port.h"
#include "programs/keyway-cse/associations.h"
#include "base/clock.h"
#include "base/rng.h"
#include "binding/coap/coap_binding.h"
#include "binding/http/http_binding.h"
#include "binding/mqtt/mqtt_binding.h"
#include "binding/router/router.h"
#include "binding/websocket/websocket_binding.h"
#include "cse/cse.h"
#include "cse/tree.h"
#include "gba/net/naf.h"
#include "loop/log.h"
#include "loop/worker.h"
#ifdef KEYWAY_HAVE_OCI
#include "oci/oci.h"
#endif
#include "programs/keyway-cse/end_to_end.h"
#include "programs/keyway-cse/options.h"
#include "programs/keyway-cse/psk_keys.h"
#include "programs/keyway-cse/token_keys.h"
#include "store/store.h"
#include "tls/tls.h"

#define DEREGISTER_MS 2000
#define GOODBYE_ROUNDS 10
#define GOODBYE_MS 10

struct program {
	struct router router; /* first: the CSE's transport is the router, and the program is found from it */
	struct options options;
	struct loop *loop;
	struct associations associations;
	struct tls_credentials *tls, *mqtt_psk; /* tls: of associations */
	struct psk_keys *psk_keys;
	struct naf *naf;
	struct http_client *client;
	struct http_sender sender;
	struct coap_binding *coap;
	struct mqtt_binding *mqtt;
	struct websocket_binding *websocket;
	struct store *store;
	struct cse *cse;
	struct end_to_end *end_to_end;
	struct token_keys *token_keys;
	struct once *once;
	struct http_binding binding;
	struct http_server *plain;
	struct loop_timer *wake;
	struct worker *worker;
	uint64_t wake_at;
	uint16_t coap_port, coaps_port;
	char poa[512];
	bool ended;
};

static int fail(const char *fmt, const char *a, const char *b)
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

static void finish_aside(void *program)
{
	worker_finish(((struct program *)program)->worker);
}

static void next_round(void *program, void (*fn)(void *ctx), void *ctx)
{
	loop_defer_next(((struct program *)program)->loop, fn, ctx);
}

/* ---- start ---- */

static int open_store(struct program *p)
{
	const struct options *o = &p->options;
	struct store_options s = {.path = ":memory:", .check = o->check, .derive = tree_ri, .cache_kib = (unsigned)(o->cache_mib << 10)};
	const char *detail = "";
	char path[600];

	if (!o->ephemeral) {
		if (!make_directory(o->state))
			return fail("the state directory %s cannot be made: %s", o->state, strerror(errno));
		snprintf(path, sizeof path, "%s/cse.db", o->state);
		s.path = path;
	}
	if (store_open(&s, &p->store, &detail) != OK)
		return fail("the store %s cannot be opened: %s", s.path, detail);
	return 0;
}

static void on_http(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	struct program *p = ctx;

	if (websocket_is_meant(x, rq))
		websocket_accept(p->websocket, x, rq);
	else
		http_binding_handle(&p->binding, x, rq);
}

static enum err serve(struct program *p, const char *address, struct tls_credentials *tls, struct http_server **out)
{
	enum err e = http_server_new(p->loop, address, tls, on_http, p, out);

	if (e == OK)
		http_server_refuse_long(*out);
	return e;
}

/* Before the CSE, so that port 0 is known when its point of access is told. */
static int listen_on(struct program *p)
{
	const struct options *o = &p->options;
	struct http_server *tls = NULL, *admin = NULL;

	if (o->http && serve(p, o->http, NULL, &p->plain) != OK)
		return fail("cannot listen on %s: is the port taken?%s", o->http, "");
	if (o->https && serve(p, o->https, p->tls, &tls) != OK)
		return fail("cannot listen on %s: is the port taken?%s", o->https, "");
	if (o->admin_listen && http_server_new(p->loop, o->admin_listen, NULL, admin_port_handle, p->cse, &admin) != OK)
		return fail("cannot listen on %s: is the port taken?%s", o->admin_listen, "");
	if (o->coap && coap_binding_listen(p->coap, o->coap, false, &p->coap_port) != OK)
		return fail("cannot listen on %s: is the port taken?%s", o->coap, "");
	if (o->coaps && coap_binding_listen(p->coap, o->coaps, true, &p->coaps_port) != OK)
		return fail("cannot listen on %s: is the port taken?%s", o->coaps, "");
	log_line(LOG_LEVEL_INFO, "ready", "cse=%s http=%u https=%u coap=%u coaps=%u admin=%u", o->id, p->plain ? http_server_port(p->plain) : 0U,
	    tls ? http_server_port(tls) : 0U, p->coap_port, p->coaps_port, admin ? http_server_port(admin) : 0U);
	return 0;
}

/* The registrar reaches a CSE behind it over the connection that this one opened: so it has to be there. */
static void on_connection_lost(void *ctx, const char *target_id)
{
	struct program *p = ctx;

	if (p->options.registrar_id && strcmp(target_id, p->options.registrar_id) == 0)
		cse_registrar_lost(p->cse);
}

/* Both ends of every association: what the sections say, together. */
static bool read_credentials(struct program *p)
{
	const struct options *o = &p->options;

	if (!associations_read(&p->associations, p->loop, o))
		return false;
	p->tls = p->associations.tls;
	return !p->tls || psk_keys_start(p->loop, o, p->tls, &p->psk_keys) == OK;
}

/* Those who bootstrapped with a MEF: it gives us their keys, as a NAF. */
static bool gba_start(struct program *p)
{
	const struct options *o = &p->options;
	struct psk_source source;

	if (!o->gba_bsf && !o->gba_url)
		return true;
	if (!o->gba_bsf || !o->gba_url || !o->cert || naf_new(p->client, &(const struct naf_config){o->gba_bsf, o->gba_url, o->gba_ua}, &p->naf) != OK)
		return fail("[gba] wants `bsf`, a FQDN, and `url`, and a certificate in [tls]; `ua` has 10 digits%s%s", "", "") == 0;
	source = naf_psk_source(p->naf);
	psk_keys_add(p->psk_keys, &source);
	return true;
}

static int start_parts(struct program *p)
{
	const struct options *o = &p->options;

	if (!read_credentials(p))
		return 1;
	if (o->mqtt_psk_file && tls_psk_client(o->mqtt_psk_identity, o->mqtt_psk_file, &p->mqtt_psk) != OK)
		return fail("the pre-shared key of %s in %s cannot be used (the file must have mode 0600)", o->mqtt_psk_identity, o->mqtt_psk_file);
	p->client = http_client_new(p->loop, p->tls);
	if (!gba_start(p))
		return 1;
	p->sender = (struct http_sender){p->client, o->sp, o->id, o->registrar_id, o->registrar_identity, p->associations.registrar,
	    p->psk_keys ? psk_keys_for : NULL, p->psk_keys};
	p->mqtt = mqtt_binding_new(p->loop,
	    &(const struct mqtt_binding_config){
		.self = {o->sp, o->id, o->registrar_id, o->registrar_identity},
		.broker = o->mqtt,
		.broker_identity = o->mqtt_identity,
		.trust_topics = o->mqtt_trust_topics,
		.tls = p->tls,
		.psk = p->mqtt_psk,
	    });
	p->coap = coap_binding_new(p->loop, &(const struct coap_binding_config){{o->sp, o->id, o->registrar_id, o->registrar_identity}, o->name, p->tls, p->associations.registrar, (size_t)o->dtls_sessions});
	p->websocket = websocket_new(p->loop, &(const struct websocket_config){
		.self = {o->sp, o->id, o->registrar_id, o->registrar_identity}, .tls = p->tls,
		.cors = o->cors, .ping_ms = o->websocket_ping_s * 1000, .refuse_clients = !o->websocket, .lost = on_connection_lost, .lost_ctx = p});
	router_add(&p->router, "http", http_binding_send, &p->sender);
	router_add(&p->router, "https", http_binding_send, &p->sender);
	router_add(&p->router, "coap", coap_binding_send, p->coap);
	router_add(&p->router, "coaps", coap_binding_send, p->coap);
	router_add(&p->router, "mqtt", mqtt_binding_send, p->mqtt);
	router_add(&p->router, "mqtts", mqtt_binding_send, p->mqtt);
	router_add(&p->router, "ws", websocket_send, p->websocket);
	router_add(&p->router, "wss", websocket_send, p->websocket);
	router_add_connections(&p->router, websocket_send_connected, p->websocket);
	p->wake_at = CLOCK_NEVER;
	p->wake = loop_timer_new(p->loop, on_wake, p);
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

static void between_requests(void *cse)
{
	cse_between_requests(cse);
}

static bool upper_tester(void *cse, const char *command, char *response, size_t size)
{
	return cse_upper_tester(cse, command, response, size);
}

static int start_cse(struct program *p)
{
	const struct options *o = &p->options;
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
		.require_subscription = o->require_subscription,
		.background_window = o->background_window,
		.max_expiration_ms = o->max_expiration_s * 1000,
		.request_life_ms = o->request_life_s * 1000,
		.cache_octets = (size_t)o->cache_mib << 20,
		.verify_subscriptions = o->verify_subscriptions,
		.testbench = o->testbench,
		.on_registration = on_registration,
		.on_registration_ctx = p,
	};
	struct rng rng = rng_system();
	const struct cse_transport transport = {router_send, now_ms, unix_ms, defer, wake_at, &p->router};

	if (trace_open(o, &config) != OK)
		return fail("[trace] primitives = %s cannot be written%s", o->trace, "");
	if (cse_new(&config, p->store, &transport, &p->cse) != OK)
		return fail("the CSE cannot start from %s: %s", o->state, store_detail(p->store));
	/* what is in memory commits at once */
	if (!o->ephemeral) {
		p->worker = worker_new(p->loop);
		cse_use_worker(p->cse, &(const struct cse_worker){run_aside, finish_aside, next_round, p});
	}
	cse_use_connections(p->cse, router_send_connected);
	if (end_to_end_start(p->loop, o, p->cse, p->tls, &p->end_to_end) != OK)
		return fail("[esprim] cannot be used%s%s", "", "");
	if (token_keys_start(o, p->cse, &p->token_keys) != OK)
		return fail("[tokens] cannot be used%s%s", "", "");
	p->once = once_new(cse_entry, p->cse, (uint64_t)rng_u32(&rng) << 32 | rng_u32(&rng));
	coap_binding_serve(p->coap, p->once);
	websocket_serve(p->websocket, p->once);
	mqtt_binding_serve(p->mqtt, p->once);
	p->binding = (struct http_binding){.submit = cse_entry, .to = p->cse, .between = between_requests, .cors = o->cors, .upper_tester = o->testbench ? upper_tester : NULL};
	return 0;
}

static int start_oci(struct program *p)
{
	const struct options *o = &p->options;
#ifdef KEYWAY_HAVE_OCI
	const struct oci_config config = {
		.mef = o->mef,
		.mef_identity = o->mef_identity,
		.cse_id = o->id,
		.cse_name = o->name,
		.sp = o->sp,
		.state = o->state,
		.key_file = o->key_file,
		.answer_commissioning = o->answer_commissioning,
		.http = p->client,
	};

	if (!o->mef)
		return 0;
	if (!o->mef_identity || !o->key_file)
		return fail("[zigbee] needs mef, mef_identity and key_file%s%s", "", "");
	if (oci_start(p->loop, p->cse, &config) != OK)
		return fail("IPE-OCI cannot start: is the key file %s there, with mode 0600?%s", o->key_file, "");
	return 0;
#else
	return o->mef ? fail("this build has no IPE-OCI: leave [zigbee] out%s%s", "", "") : 0;
#endif
}

/* Adds those whose scheme is, or is not, that of the registrar's. */
static void add_poas(struct program *p, bool of_registrar)
{
	const struct options *o = &p->options;
	const char *registrar = o->registrar_url ? o->registrar_url : "";
	const char *mqtts = options_mqtt_is_secure(o) ? o->mqtt + strlen("mqtts://") : NULL;
	char plain[32], plain_coap[32];
	const struct {
		const char *scheme, *host_port;
	} poas[] = {{"https", o->https}, {"coaps", o->coaps}, {"wss", o->websocket ? o->https : NULL}, {"mqtts", mqtts}, {"http", p->plain && !o->https ? plain : NULL},
		{"coap", o->coap && !o->coaps ? plain_coap : NULL}, {"ws", p->plain && !o->https && o->websocket ? plain : NULL},
		{"mqtt", o->mqtt && !mqtts ? o->mqtt + strlen("mqtt://") : NULL}};

	snprintf(plain, sizeof plain, "127.0.0.1:%u", p->plain ? http_server_port(p->plain) : 0U); /* also where the system picked the port */
	snprintf(plain_coap, sizeof plain_coap, "127.0.0.1:%u", p->coap_port);
	for (size_t i = 0; i < sizeof poas / sizeof poas[0]; i++) {
		size_t used = strlen(p->poa), n = strlen(poas[i].scheme);
		bool same = strncmp(registrar, poas[i].scheme, n) == 0 && registrar[n] == ':';

		if (poas[i].host_port && same == of_registrar)
			snprintf(p->poa + used, sizeof p->poa - used, "%s%s://%s", used > 0 ? "," : "", poas[i].scheme, poas[i].host_port);
	}
}

/* Where others reach this CSE, the best first: as it reaches its registrar, then those with TLS. */
static void set_poa(struct program *p)
{
	add_poas(p, true);
	add_poas(p, false);
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
	p.loop = loop_new();
	r = open_store(&p);
	if (r == 0)
		r = start_parts(&p);
	if (r == 0)
		r = start_cse(&p);
	if (r == 0)
		r = start_oci(&p);
	if (r == 0)
		r = listen_on(&p);
	if (r)
		return r;
	set_poa(&p);
	cse_register(p.cse);
	loop_run(p.loop);
	end_registration(&p);
	websocket_goodbye(p.websocket);
	for (int i = 0; i < GOODBYE_ROUNDS; i++) /* it crosses the socket of the HTTP library, and TLS */
		loop_once(p.loop, GOODBYE_MS);
	cse_free(p.cse);
	end_to_end_free(p.end_to_end);
	token_keys_free(p.token_keys);
	worker_free(p.worker);
	coap_binding_free(p.coap);
	mqtt_binding_free(p.mqtt);
	websocket_free(p.websocket);
	once_free(p.once);
	loop_once(p.loop, 0); /* their goodbye */
	store_close(p.store);
	log_line(LOG_LEVEL_INFO, "ended", NULL);
	return 0;
}
