/* A client's persistent MQTT session: what was published stays until the broker has acknowledged it, over as many connections as that takes, and
 * what came in is acknowledged when its receiver says so. Pure: octets of the connection come in and go out by config.write.
 *
 *	s = mqtt_session_new(&config);
 *	mqtt_session_connected(s, now);                    the connection is open; config.ready follows when the broker has taken the subscriptions
 *	e = mqtt_session_input(s, now, octets);            on an error close the connection
 *	mqtt_session_lost(s);                              it is closed, however that came
 *	mqtt_session_publish(s, topic, payload);           at any time
 *	e = mqtt_session_tick(s, now);                     at mqtt_session_deadline(s)
 *
 * Only QoS 1, as oneM2M has it (TS-0010 clause 5.1); what comes with QoS 0 is taken, QoS 2 ends the connection. */
#ifndef KEYWAY_MQTT_MQTT_SESSION_H
#define KEYWAY_MQTT_MQTT_SESSION_H

#include "mqtt/mqtt_packet.h"

#define MQTT_IN_FLIGHT_MAX 100                    /* published and not acknowledged; the others wait */
#define MQTT_PENDING_MAX 20000                    /* messages in all */
#define MQTT_PENDING_OCTETS_MAX ((size_t)256 << 20)
#define MQTT_ANSWER_MS 15000                      /* within which a broker answers CONNECT, SUBSCRIBE and PINGREQ */

struct mqtt_session;

/* Names a message that came in, for its acknowledgement. */
struct mqtt_receipt {
	uint64_t connection;
	uint16_t id; /* 0: wants none */
};
struct mqtt_session_config {
	const char *client_id;
	bool clean;                           /* nothing is kept by the broker: for a connection that is made when it is needed */
	uint16_t keepalive_s;
	size_t packet_max;                    /* larger messages are acknowledged and dropped */
	const char *const *filters;           /* subscribed to on each connection */
	size_t filter_count;
	void (*write)(void *ctx, struct rd octets);
	/* From now on messages come. Without a session present the broker has forgotten what it had taken for us, and what it had not delivered. */
	void (*ready)(void *ctx, bool session_present);
	/* Borrowed during the call. mqtt_session_acknowledge(receipt) then or later. */
	void (*message)(void *ctx, const struct mqtt_publish *p, struct mqtt_receipt receipt);
	void (*too_long)(void *ctx, struct rd topic, size_t length); /* for the log; may be NULL */
	/* Before CONNECT: false for no user name and password. Borrowed during mqtt_session_connected. NULL: none. */
	bool (*login)(void *ctx, struct mqtt_login *login);
	void *ctx;
};

struct mqtt_session *mqtt_session_new(const struct mqtt_session_config *c); /* copies c, not what it points to; NULL without memory */
void mqtt_session_free(struct mqtt_session *s);                             /* accepts NULL */
void mqtt_session_connected(struct mqtt_session *s, uint64_t now_ms);
/* ERR_MALFORMED, ERR_UNSUPPORTED (QoS 2), ERR_NOT_AUTHORISED (refused: mqtt_session_refusal). */
enum err mqtt_session_input(struct mqtt_session *s, uint64_t now_ms, struct rd octets) MUST_CHECK;
void mqtt_session_lost(struct mqtt_session *s);
bool mqtt_session_is_ready(const struct mqtt_session *s);
const char *mqtt_session_refusal(const struct mqtt_session *s); /* a sentence for the log */
/* A number that names the message; 0: too much waits already, or it is too long for MQTT. */
uint64_t mqtt_session_publish(struct mqtt_session *s, uint64_t now_ms, struct rd topic, struct rd payload) MUST_CHECK;
bool mqtt_session_has(const struct mqtt_session *s, uint64_t number);      /* the broker has not acknowledged it */
void mqtt_session_withdraw(struct mqtt_session *s, uint64_t number);       /* if it was never sent */
size_t mqtt_session_pending(const struct mqtt_session *s); /* messages that the broker has not acknowledged */
/* Of an earlier connection: nothing happens, the message comes again. */
void mqtt_session_acknowledge(struct mqtt_session *s, uint64_t now_ms, struct mqtt_receipt receipt);
void mqtt_session_leave(struct mqtt_session *s);            /* DISCONNECT; the session stays at the broker */
enum err mqtt_session_tick(struct mqtt_session *s, uint64_t now_ms) MUST_CHECK; /* ERR_TIMEOUT: the broker is silent */
uint64_t mqtt_session_deadline(const struct mqtt_session *s);

#endif
