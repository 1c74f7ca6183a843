/* Topics of the MQTT binding, TS-0010 clause 6.4.2: /oneM2M/{req,resp,reg_req,reg_resp}/<originator>/<receiver>/<type>. Pure.
 * <originator> is that of the request in both directions; in the two of registration it is a Credential-ID. */
#ifndef KEYWAY_BINDING_MQTT_MQTT_TOPIC_H
#define KEYWAY_BINDING_MQTT_MQTT_TOPIC_H

#include "base/wr.h"
#include "onem2m/primitive.h"

#define MQTT_TOPIC_MAX 1024

enum mqtt_topic_kind { MQTT_TOPIC_REQUEST, MQTT_TOPIC_RESPONSE, MQTT_TOPIC_REGISTRATION, MQTT_TOPIC_REGISTRATION_RESPONSE };

struct mqtt_topic {
	enum mqtt_topic_kind kind;
	struct rd originator, receiver; /* as they stand there; never empty */
	enum serialization s;
};
/* False: none of oneM2M's. The type may be left out: JSON then. */
bool mqtt_topic_parse(struct rd topic, struct mqtt_topic *t) MUST_CHECK;
void mqtt_topic_print(const struct mqtt_topic *t, struct wr *w);

/* IDs as parts of a topic: "/id-in/Cae" is "id-in:Cae", "//sp/id-in" is ":sp:id-in"; a CSE-relative "Cae" stays. False: it holds what no part
 * may, or is empty. */
bool mqtt_part_print(struct rd id, struct wr *w) MUST_CHECK;
/* "id-in:Cae" is "/id-in/Cae", and "id-in" is "/id-in". */
bool mqtt_part_parse(struct rd part, struct wr *id) MUST_CHECK;

#endif
