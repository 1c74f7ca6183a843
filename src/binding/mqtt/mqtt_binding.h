/* The MQTT binding of oneM2M, TS-0010: primitives in messages, through a broker. docs/protocols/mqtt.md.
 *
 * A request that came is acknowledged to the broker when it is answered, or after a second; until then the broker has it, and gives it again when the
 * connection breaks. What leaves is kept until the broker has it. */
#ifndef KEYWAY_BINDING_MQTT_MQTT_BINDING_H
#define KEYWAY_BINDING_MQTT_MQTT_BINDING_H

#include "binding/once/once.h"
#include "loop/loop.h"
#include "keys/secret.h"
#include "tls/tls.h"
#include "onem2m/identity.h"

struct mqtt_binding;

struct mqtt_binding_config {
	struct identity_self self;
	const char *broker;           /* "mqtt://127.0.0.1:1883", where we can be reached; NULL: only brokers in points of access of others */
	const char *broker_identity;  /* in the certificates of brokers with TLS; NULL: none is good */
	/* The broker lets each client publish under its own ID alone, so that a topic says who sends: From must fit it. Otherwise nobody is
	 * authenticated. */
	bool trust_topics;
	/* A client that comes and goes: its identifier at the broker is another each time, nothing is kept for it there, and nothing is logged. */
	bool transient;
	struct tls_credentials *tls;  /* certificates for mqtts://; may be NULL */
	struct tls_credentials *psk;  /* of a client, for the broker that is ours, in the place of certificates; may be NULL */
	/* User name at the broker that is ours, and its password: asked for before each connection; false: there is none now. NULL: none is told. */
	const char *user;
	bool (*password)(void *ctx, struct secret **password); /* the caller's from then on */
	void *password_ctx;
	struct tls_choice keys;       /* without psk: for a broker of that identity, in the place of certificates */
};

/* Whether a URL can be that of a broker: mqtt:// or mqtts://, an IPv4 address or "localhost", perhaps a port. */
bool mqtt_broker_is_good(const char *url);

/* Pointers of the configuration are borrowed for its life. */
struct mqtt_binding *mqtt_binding_new(struct loop *l, const struct mqtt_binding_config *c);
void mqtt_binding_serve(struct mqtt_binding *b, struct once *once); /* where requests to us go; begins to connect */
bool mqtt_binding_is_ready(const struct mqtt_binding *b);           /* connected to the configured broker, and requests to us come */
const char *mqtt_binding_trouble(const struct mqtt_binding *b);     /* why not, the last time; "" */
void mqtt_binding_goodbye(struct mqtt_binding *b);                  /* leaves its brokers, while the loop still runs for a moment */
void mqtt_binding_free(struct mqtt_binding *b);                     /* leaves them without it; accepts NULL */

/* As cse_transport.send, for mqtt:// and mqtts:// with an IPv4 address or "localhost" as broker; `binding` is a struct mqtt_binding. A path is the
 * topic as it stands; without one the topic is that of target_id. */
void mqtt_binding_send(void *binding, const char *url, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx);

#endif
