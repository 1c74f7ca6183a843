/* The bindings of a CSE, with the credentials of its associations: what requests come in and leave by. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "credentials/credentials.h"
#include "gba/net/naf.h"
#include "loop/log.h"
#include "programs/keyway-cse/admin_port.h"
#include "programs/keyway-cse/program.h"
#include "programs/keyway-cse/psk_keys.h"
#include "tls/tls.h"

/* ---- ways out ---- */

/* Whom a key is shared with is shown that, whatever the binding: the registrar's of the configuration, then those of the store. */
static struct tls_credentials *key_for(void *ctx, const char *target_id)
{
	struct program *p = ctx;

	if (p->associations.registrar && p->options.registrar_id && strcmp(target_id, p->options.registrar_id) == 0)
		return p->associations.registrar;
	return p->psk_keys ? association_keys_for(p->psk_keys, target_id) : NULL;
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
		return program_fail("[gba] wants `bsf`, a FQDN, and `url`, and a certificate in [tls]; `ua` has 10 digits%s%s", "", "") == 0;
	source = naf_psk_source(p->naf);
	association_keys_add(p->psk_keys, &source);
	return true;
}

/* At each connection: a new one in the store counts at once. */
static bool password_of(void *ctx, struct secret **password)
{
	struct program *p = ctx;
	struct credential c = {.key = NULL};

	if (credentials_find(p->passwords, p->options.mqtt_password, &c) == OK && c.kind == KIND_PASSWORD && !credential_expired(&c, clock_unix_ms() / 1000)) {
		*password = c.key;
		c.key = NULL;
	}
	credential_clear(&c);
	return *password != NULL;
}

int bindings_start(struct program *p)
{
	const struct options *o = &p->options;
	const struct tls_choice keys = {key_for, p};

	if (!read_credentials(p))
		return 1;
	if (o->mqtt_psk_file && tls_psk_client(o->mqtt_psk_identity, o->mqtt_psk_file, &p->mqtt_psk) != OK)
		return program_fail("the pre-shared key of %s in %s cannot be used (the file must have mode 0600)", o->mqtt_psk_identity, o->mqtt_psk_file);
	p->rng = rng_system();
	if (o->mqtt_user && psk_keys_store(o, &p->rng, &p->passwords) != OK)
		return 1;
	p->client = http_client_new(p->loop, p->tls);
	if (!gba_start(p))
		return 1;
	p->sender = (struct http_sender){p->client, o->sp, o->id, o->registrar_id, o->registrar_identity, keys};
	p->mqtt = mqtt_binding_new(p->loop,
	    &(const struct mqtt_binding_config){
		.self = {o->sp, o->id, o->registrar_id, o->registrar_identity},
		.broker = o->mqtt,
		.broker_identity = o->mqtt_identity,
		.trust_topics = o->mqtt_trust_topics,
		.tls = p->tls,
		.psk = p->mqtt_psk,
		.keys = keys,
		.user = o->mqtt_user,
		.password = password_of,
		.password_ctx = p,
	    });
	p->coap = coap_binding_new(p->loop, &(const struct coap_binding_config){{o->sp, o->id, o->registrar_id, o->registrar_identity}, o->name, p->tls, keys, (size_t)o->dtls_sessions, o->coap_multicast});
	p->websocket = websocket_new(p->loop, &(const struct websocket_config){
		.self = {o->sp, o->id, o->registrar_id, o->registrar_identity}, .tls = p->tls, .keys = keys,
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
	return 0;
}

/* ---- ways in ---- */

static void between_requests(void *cse)
{
	cse_between_requests(cse);
}

static bool upper_tester(void *cse, const char *command, char *response, size_t size)
{
	return cse_upper_tester(cse, command, response, size);
}

void bindings_serve(struct program *p)
{
	const struct options *o = &p->options;
	struct rng rng = rng_system();

	p->once = once_new(cse_entry, p->cse, (uint64_t)rng_u32(&rng) << 32 | rng_u32(&rng));
	coap_binding_serve(p->coap, p->once);
	websocket_serve(p->websocket, p->once);
	mqtt_binding_serve(p->mqtt, p->once);
	p->binding = (struct http_binding){.submit = cse_entry, .to = p->cse, .between = between_requests, .cors = o->cors, .upper_tester = o->testbench ? upper_tester : NULL};
}

static void on_http(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	struct program *p = ctx;

	if (p->closed)
		http_answer(x, 503, NULL, rd_str("this CSE is ending\n"));
	else if (websocket_is_meant(x, rq))
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

int bindings_listen(struct program *p)
{
	const struct options *o = &p->options;
	struct http_server *tls = NULL, *admin = NULL;

	p->admin = (struct admin_port){p->cse, p->tls};
	if (o->http && serve(p, o->http, NULL, &p->plain) != OK)
		return program_fail("cannot listen on %s: is it HOST:PORT with an address of this host, and the port free? `ss -tulnp` tells who has it%s", o->http, "");
	if (o->https && serve(p, o->https, p->tls, &tls) != OK)
		return program_fail("cannot listen on %s: is it HOST:PORT with an address of this host, and the port free? `ss -tulnp` tells who has it%s", o->https, "");
	if (o->admin_listen && http_server_new(p->loop, o->admin_listen, NULL, admin_port_handle, &p->admin, &admin) != OK)
		return program_fail("cannot listen on %s: is it HOST:PORT with an address of this host, and the port free? `ss -tulnp` tells who has it%s", o->admin_listen, "");
	if (o->coap && coap_binding_listen(p->coap, o->coap, false, &p->coap_port) != OK)
		return program_fail("cannot listen on %s: is it HOST:PORT with an address of this host, and the port free? `ss -tulnp` tells who has it%s", o->coap, "");
	if (o->coaps && coap_binding_listen(p->coap, o->coaps, true, &p->coaps_port) != OK)
		return program_fail("cannot listen on %s: is it HOST:PORT with an address of this host, and the port free? `ss -tulnp` tells who has it%s", o->coaps, "");
	log_line(LOG_LEVEL_INFO, "ready", "cse=%s http=%u https=%u coap=%u coaps=%u admin=%u", o->id, p->plain ? http_server_port(p->plain) : 0U,
	    tls ? http_server_port(tls) : 0U, p->coap_port, p->coaps_port, admin ? http_server_port(admin) : 0U);
	return 0;
}

/* ---- where others reach it ---- */

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
void bindings_tell_poa(struct program *p)
{
	add_poas(p, true);
	add_poas(p, false);
}

void bindings_close(struct program *p)
{
	p->closed = true;
	p->admin.cse = NULL;
}

void bindings_goodbye(struct program *p)
{
	websocket_goodbye(p->websocket);
	mqtt_binding_goodbye(p->mqtt);
}

void bindings_free(struct program *p)
{
	coap_binding_free(p->coap);
	mqtt_binding_free(p->mqtt);
	websocket_free(p->websocket);
	once_free(p->once);
	credentials_close(p->passwords);
}
