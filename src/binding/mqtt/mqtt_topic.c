/* Topics as text. */
#include "binding/mqtt/mqtt_topic.h"

#include <string.h>

#include "serialization/serialization.h"

static const char *const kinds[] = {
	[MQTT_TOPIC_REQUEST] = "req", [MQTT_TOPIC_RESPONSE] = "resp", [MQTT_TOPIC_REGISTRATION] = "reg_req", [MQTT_TOPIC_REGISTRATION_RESPONSE] = "reg_resp"};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* Wildcards, and what ends a part or cannot be in a topic. */
static bool is_part(struct rd part)
{
	uint8_t c;

	if (part.left == 0)
		return false;
	while (rd_u8(&part, &c))
		if (c == '/' || c == '+' || c == '#' || c < 0x20 || c == 0x7f)
			return false;
	return true;
}

static bool kind_parse(struct rd text, enum mqtt_topic_kind *kind)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (rd_is(text, kinds[i])) {
			*kind = (enum mqtt_topic_kind)i;
			return true;
		}
	}
	return false;
}

static bool type_parse(struct rd text, enum serialization *s)
{
	for (int i = 0; i < SERIALIZATION_COUNT; i++) {
		if (rd_is(text, serialization_name((enum serialization)i))) {
			*s = (enum serialization)i;
			return true;
		}
	}
	return false;
}

bool mqtt_topic_parse(struct rd topic, struct mqtt_topic *t)
{
	struct rd part;

	t->s = SERIALIZATION_JSON;
	if (topic.left > MQTT_TOPIC_MAX || !rd_until(&topic, '/', &part) || part.left != 0 || !rd_until(&topic, '/', &part) || !rd_is(part, "oneM2M") ||
	    !rd_until(&topic, '/', &part) || !kind_parse(part, &t->kind) || !rd_until(&topic, '/', &t->originator))
		return false;
	if (!rd_until(&topic, '/', &t->receiver))
		t->receiver = rd_rest(&topic);
	else if (!type_parse(topic, &t->s))
		return false;
	return is_part(t->originator) && is_part(t->receiver);
}

void mqtt_topic_print(const struct mqtt_topic *t, struct wr *w)
{
	wr_fmt(w, "/oneM2M/%s/", kinds[t->kind]);
	wr_rd(w, t->originator);
	wr_u8(w, '/');
	wr_rd(w, t->receiver);
	wr_u8(w, '/');
	wr_str(w, serialization_name(t->s));
}

bool mqtt_part_print(struct rd id, struct wr *w)
{
	size_t start = w->len;
	uint8_t c;

	if (rd_starts(id, "//")) { /* one ':' stands for both */
		if (!rd_skip(&id, 1))
			return false;
	} else if (rd_starts(id, "/") && !rd_skip(&id, 1)) {
		return false;
	}
	while (rd_u8(&id, &c)) {
		if (c == ':') /* it would be read as something else */
			return false;
		wr_u8(w, c == '/' ? ':' : c);
	}
	return !w->spoilt && is_part(rd_of(w->octets + start, w->len - start));
}

bool mqtt_part_parse(struct rd part, struct wr *id)
{
	uint8_t c;

	if (!is_part(part))
		return false;
	wr_u8(id, '/');
	while (rd_u8(&part, &c))
		wr_u8(id, c == ':' ? '/' : c);
	return !id->spoilt;
}
