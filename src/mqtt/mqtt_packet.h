/* MQTT 3.1.1 control packets (OASIS standard, 2014), as far as a client needs them. Pure. */
#ifndef KEYWAY_MQTT_MQTT_PACKET_H
#define KEYWAY_MQTT_MQTT_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

enum mqtt_type {
	MQTT_CONNECT = 1,
	MQTT_CONNACK = 2,
	MQTT_PUBLISH = 3,
	MQTT_PUBACK = 4,
	MQTT_SUBSCRIBE = 8,
	MQTT_SUBACK = 9,
	MQTT_PINGREQ = 12,
	MQTT_PINGRESP = 13,
	MQTT_DISCONNECT = 14,
};

/* Type and flags, and how much follows: section 2.2. ERR_SHORT: more octets are needed; in is as it was. ERR_MALFORMED. */
struct mqtt_head {
	enum mqtt_type type;
	unsigned flags;
	uint32_t length;
};
enum err mqtt_head_decode(struct rd *in, struct mqtt_head *h) MUST_CHECK;

struct mqtt_publish {
	bool dup, retain;
	unsigned qos; /* 0 or 1; 2 is refused, since nobody asked for it */
	uint16_t id;  /* with QoS 1, never 0 */
	struct rd topic, payload;
};
/* `in` is what follows the head. ERR_SHORT when even topic and id are not there whole; a payload that is cut is taken as it is. */
enum err mqtt_publish_decode(const struct mqtt_head *h, struct rd in, struct mqtt_publish *p) MUST_CHECK;
enum err mqtt_publish_encode(const struct mqtt_publish *p, struct wr *w) MUST_CHECK;

/* Session present, and the return code: 0 accepted, 1 to 5 why not. Section 3.2. */
struct mqtt_connack {
	bool session_present;
	unsigned code;
};
enum err mqtt_connack_decode(struct rd in, struct mqtt_connack *c) MUST_CHECK;
const char *mqtt_connack_text(unsigned code);

/* The id of a PUBACK or SUBACK; a SUBACK's return codes are left in `in`. */
bool mqtt_id_decode(struct rd *in, uint16_t *id) MUST_CHECK;

/* A persistent session (clean session 0) or not, no will. */
/* User name and password at the broker, borrowed. */
struct mqtt_login {
	struct rd user, password;
};
void mqtt_connect_encode(const char *client_id, bool clean, uint16_t keepalive_s, const struct mqtt_login *login, struct wr *w); /* login NULL: none */
void mqtt_subscribe_encode(uint16_t id, const char *const *filters, size_t count, struct wr *w); /* each with QoS 1 */
void mqtt_puback_encode(uint16_t id, struct wr *w);
void mqtt_empty_encode(enum mqtt_type type, struct wr *w); /* PINGREQ, DISCONNECT */

#endif
