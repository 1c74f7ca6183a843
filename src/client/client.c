/* The client library: options and life. */
#include "keyway/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/rng.h"
#include "client/client_inside.h"
#include "client/client_private.h"

#define TIMEOUT_DEFAULT_MS 20000

static const struct client_scheme schemes[] = {
	{"http", CLIENT_HTTP, false},
	{"https", CLIENT_HTTP, true},
	{"coap", CLIENT_COAP, false},
	{"coaps", CLIENT_COAP, true},
	{"ws", CLIENT_WEBSOCKET, false},
	{"wss", CLIENT_WEBSOCKET, true},
	{"mqtt", CLIENT_MQTT, false},
	{"mqtts", CLIENT_MQTT, true},
};

/* ---- options ---- */

static const struct client_scheme *scheme_of(const char *url)
{
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		size_t n = strlen(schemes[i].name);

		if (strncasecmp(url, schemes[i].name, n) == 0 && strncmp(url + n, "://", 3) == 0)
			return &schemes[i];
	}
	return NULL;
}

char *client_copy(const char *text, const char *otherwise)
{
	char *c = strdup(text ? text : otherwise);

	if (!c)
		abort();
	return c;
}

/* "tls.example" of "https://tls.example:8443/x" */
static char *host_of(const char *url)
{
	const char *host = strstr(url, "://") + 3;
	char *c = strndup(host, strcspn(host, ":/"));

	if (!c)
		abort();
	return c;
}

static const char *options_fault(const struct keyway_options *o, const struct client_scheme *s, bool has_credentials)
{
	if (!o->from)
		return "`from`, the originator, is missing";
	if (o->cse && (o->cse[0] != '/' || o->cse[1] == '\0' || strchr(o->cse + 1, '/')))
		return "`cse` must be a CSE-ID such as /id-in";
	if (!o->psk_identity != !o->psk_file)
		return "`psk_identity` and `psk_file` belong together";
	if (o->psk_file && o->ca)
		return "either `ca`, `cert` and `key` or `psk_identity` and `psk_file`, not both";
	if (s->kind == CLIENT_MQTT && !o->cse)
		return "MQTT needs `cse`, the CSE-ID of the CSE behind the broker, such as /id-in";
	if (s->kind == CLIENT_MQTT && !mqtt_broker_is_good(o->url))
		return "a broker is mqtt://ADDRESS:PORT or mqtts://ADDRESS:PORT, with an IPv4 address or localhost";
	if (!s->secure || has_credentials)
		return NULL;
	return o->psk_file || (o->ca && o->cert && o->key) ? NULL : "TLS needs the files `ca`, `cert` and `key`, or a pre-shared key";
}

static bool open_credentials(struct keyway *k, const struct keyway_options *o, char *why, size_t size)
{
	if (!k->scheme->secure || k->tls)
		return true;
	if (o->psk_file ? tls_psk_client(o->psk_identity, o->psk_file, &k->tls) == OK : tls_certificates(o->ca, o->cert, o->key, &k->tls) == OK)
		return true;
	if (o->psk_file)
		snprintf(why, size, "the pre-shared key of `%s` cannot be had from %s: is it there, with mode 0600, and a line `%s:HEXKEY` in it?", o->psk_identity, o->psk_file, o->psk_identity);
	else
		snprintf(why, size, "the credential %s cannot be used: are it, its key %s (mode 0600) and the CA %s there, in PEM?", o->cert, o->key, o->ca);
	return false;
}

static void open_binding(struct keyway *k)
{
	const struct identity_self self = {"", k->self, k->cse, k->server};
	struct rng rng = rng_system();

	k->once = once_new(client_request_came, k, (uint64_t)rng_u32(&rng) << 32 | rng_u32(&rng));

	switch (k->scheme->kind) {
	case CLIENT_HTTP:
		k->http = http_client_new(k->loop, k->tls);
		k->sender = (struct http_sender){.client = k->http, .sp = "", .own_id = k->from, .registrar_id = k->cse, .registrar_identity = k->server};
		break;
	case CLIENT_COAP:
		k->coap = coap_binding_new(k->loop, &(const struct coap_binding_config){.self = self, .own_name = "", .tls = k->tls});
		coap_binding_serve(k->coap, k->once);
		break;
	case CLIENT_WEBSOCKET:
		k->websocket = websocket_new(k->loop, &(const struct websocket_config){.self = self, .tls = k->tls, .lost = client_connection_lost, .lost_ctx = k});
		websocket_serve(k->websocket, k->once);
		break;
	case CLIENT_MQTT:
		k->mqtt = client_mqtt(k, NULL);
		break;
	}
}

struct mqtt_binding *client_mqtt(struct keyway *k, const char *broker)
{
	const struct mqtt_binding_config c = {
		.self = {"", k->self, k->cse, k->server},
		.broker = broker,
		.broker_identity = k->server,
		.transient = true,
		.tls = k->psk ? NULL : k->tls,
		.psk = k->psk ? k->tls : NULL,
	};

	return mqtt_binding_new(k->loop, &c);
}

/* Who asks, SP-relative: in topics, and in responses. */
static char *self_of(const struct keyway *k)
{
	char *id;

	if (asprintf(&id, "%s%s%s", k->from[0] == '/' ? "" : k->cse[1] ? k->cse : "", k->from[0] == '/' ? "" : "/", k->from[0] ? k->from : "nobody") < 0)
		abort();
	return id;
}

struct keyway *client_open_with(const struct keyway_options *o, struct tls_credentials *tls, char *why, size_t why_size)
{
	const struct client_scheme *s = o->url ? scheme_of(o->url) : NULL;
	const char *fault = !o->url ? "`url` is missing" : !s ? "the URL must begin with http, https, coap, coaps, ws, wss, mqtt or mqtts" : options_fault(o, s, tls != NULL);
	struct rng rng = rng_system();
	struct keyway *k;

	if (fault) {
		tls_credentials_free(tls);
		snprintf(why, why_size, "%s%s%s", fault, o->url ? ": " : "", o->url ? o->url : "");
		return NULL;
	}
	k = calloc(1, sizeof *k);
	if (!k)
		abort();
	k->scheme = s;
	k->url = client_copy(o->url, NULL);
	k->from = client_copy(o->from, NULL);
	k->cse = client_copy(o->cse, "/");
	k->server = o->server ? client_copy(o->server, NULL) : host_of(o->url);
	k->self = self_of(k);
	k->tls = tls;
	k->psk = tls || o->psk_file;
	k->sealed_only = o->sealed_only != 0;
	k->release = client_copy(o->release, "3");
	k->listen = client_copy(o->listen, "127.0.0.1:0");
	k->ca = o->ca ? client_copy(o->ca, NULL) : NULL;
	k->serialization = o->serialization == KEYWAY_XML ? SERIALIZATION_XML : o->serialization == KEYWAY_CBOR ? SERIALIZATION_CBOR : SERIALIZATION_JSON;
	k->timeout_ms = o->timeout_ms ? o->timeout_ms : TIMEOUT_DEFAULT_MS;
	snprintf(k->prefix, sizeof k->prefix, "%08x", rng_u32(&rng));
	if (!open_credentials(k, o, why, why_size)) {
		keyway_close(k);
		return NULL;
	}
	k->loop = loop_new_within();
	open_binding(k);
	return k;
}

struct keyway *keyway_open(const struct keyway_options *o, char *why, size_t why_size)
{
	return client_open_with(o, NULL, why, why_size);
}

/* ---- the end ---- */

void keyway_close(struct keyway *k)
{
	if (!k)
		return;
	if (k->loop)
		client_leave(k);
	k->closing = true;
	client_requests_cancel(k);
	if (k->http)
		http_client_abandon(k->http);
	http_server_free(k->server_port);
	websocket_free(k->websocket);
	coap_binding_free(k->coap);
	http_client_free(k->http);
	mqtt_binding_free(k->mqtt);
	mqtt_binding_free(k->mqtt_in);
	once_free(k->once);
	client_open_free(k->opening);
	if (k->loop)
		loop_once(k->loop, 0); /* goodbyes */
	while (k->pending)
		client_pending_free(k->pending);
	loop_timer_free(k->again);
	loop_free(k->loop);
	tls_credentials_free(k->tls);
	client_seal_free(k->sealing);
	free(k->former_poa);
	free(k->answer_content);
	free(k->answer_location);
	free(k->url);
	free(k->from);
	free(k->self);
	free(k->cse);
	free(k->server);
	free(k->release);
	free(k->listen);
	free(k->ca);
	free(k);
}

const char *keyway_rsc_text(int rsc)
{
	char text[16];
	enum onem2m_rsc r;

	snprintf(text, sizeof text, "%d", rsc);
	return rsc_parse(rd_str(text), &r) ? rsc_text(r) : "";
}

const char *keyway_version(void)
{
	return KEYWAY_VERSION;
}
