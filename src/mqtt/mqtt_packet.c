/* Control packets as octets. */
#include "mqtt/mqtt_packet.h"

#include <string.h>

#define LENGTH_MAX 268435455U /* four octets of seven bits: section 2.2.3 */

/* type(4 bits) flags(4 bits) length(1..4 octets, seven bits each, the lowest first) */
enum err mqtt_head_decode(struct rd *in, struct mqtt_head *h)
{
	struct rd r = *in;
	uint32_t length = 0;
	uint8_t first, octet;

	if (!rd_u8(&r, &first))
		return ERR_SHORT;
	for (unsigned shift = 0;; shift += 7) {
		if (shift > 21)
			return ERR_MALFORMED;
		if (!rd_u8(&r, &octet))
			return ERR_SHORT;
		length |= (uint32_t)(octet & 0x7f) << shift;
		if (!(octet & 0x80))
			break;
	}
	h->type = (enum mqtt_type)(first >> 4);
	h->flags = first & 15;
	h->length = length;
	*in = r;
	return OK;
}

static void head_encode(enum mqtt_type type, unsigned flags, size_t length, struct wr *w)
{
	if (length > LENGTH_MAX) {
		w->spoilt = true;
		return;
	}
	wr_u8(w, (uint8_t)(type << 4 | flags));
	do {
		wr_u8(w, (uint8_t)((length & 0x7f) | (length > 0x7f ? 0x80 : 0)));
		length >>= 7;
	} while (length > 0);
}

static bool text_decode(struct rd *in, struct rd *text)
{
	uint16_t len;

	return rd_be16(in, &len) && rd_sub(in, len, text);
}

static void text_encode(struct rd text, struct wr *w)
{
	if (text.left > UINT16_MAX)
		w->spoilt = true;
	wr_be16(w, (uint16_t)text.left);
	wr_rd(w, text);
}

/* topic(2 + n) [id(2)] payload; flags: dup(1) qos(2) retain(1). Section 3.3. */
enum err mqtt_publish_decode(const struct mqtt_head *h, struct rd in, struct mqtt_publish *p)
{
	p->dup = (h->flags & 8) != 0;
	p->qos = h->flags >> 1 & 3;
	p->retain = (h->flags & 1) != 0;
	p->id = 0;
	if (p->qos > 1)
		return ERR_UNSUPPORTED;
	if (!text_decode(&in, &p->topic) || (p->qos == 1 && !rd_be16(&in, &p->id)))
		return ERR_SHORT;
	if (p->qos == 1 && p->id == 0)
		return ERR_MALFORMED;
	p->payload = rd_rest(&in);
	return OK;
}

enum err mqtt_publish_encode(const struct mqtt_publish *p, struct wr *w)
{
	struct rd out;

	head_encode(MQTT_PUBLISH, (p->dup ? 8U : 0U) | p->qos << 1 | (p->retain ? 1U : 0U), 2 + p->topic.left + (p->qos ? 2 : 0) + p->payload.left, w);
	text_encode(p->topic, w);
	if (p->qos)
		wr_be16(w, p->id);
	wr_rd(w, p->payload);
	return wr_done(w, &out) ? OK : ERR_TOO_LONG;
}

enum err mqtt_connack_decode(struct rd in, struct mqtt_connack *c)
{
	uint8_t flags, code;

	if (!rd_u8(&in, &flags) || !rd_u8(&in, &code))
		return ERR_SHORT;
	if (!rd_end(&in) || flags > 1)
		return ERR_MALFORMED;
	c->session_present = flags == 1;
	c->code = code;
	return OK;
}

const char *mqtt_connack_text(unsigned code)
{
	static const char *const texts[] = {"accepted", "the broker does not speak MQTT 3.1.1", "the broker refuses the client identifier", "the broker is unavailable",
		"bad user name or password", "not authorised"};

	return code < sizeof texts / sizeof texts[0] ? texts[code] : "refused";
}

bool mqtt_id_decode(struct rd *in, uint16_t *id)
{
	return rd_be16(in, id);
}

#define WITH_USER 0x80
#define WITH_PASSWORD 0x40
#define CLEAN 0x02

/* protocol name, level 4, flags, keep alive, client id, user name, password: section 3.1 */
void mqtt_connect_encode(const char *client_id, bool clean, uint16_t keepalive_s, const struct mqtt_login *login, struct wr *w)
{
	size_t more = login ? 2 + login->user.left + 2 + login->password.left : 0;

	head_encode(MQTT_CONNECT, 0, 10 + 2 + strlen(client_id) + more, w);
	text_encode(rd_str("MQTT"), w);
	wr_u8(w, 4);
	wr_u8(w, (uint8_t)((clean ? CLEAN : 0) | (login ? WITH_USER | WITH_PASSWORD : 0)));
	wr_be16(w, keepalive_s);
	text_encode(rd_str(client_id), w);
	if (login) {
		text_encode(login->user, w);
		text_encode(login->password, w);
	}
}

void mqtt_subscribe_encode(uint16_t id, const char *const *filters, size_t count, struct wr *w)
{
	size_t length = 2;

	for (size_t i = 0; i < count; i++)
		length += 3 + strlen(filters[i]);
	head_encode(MQTT_SUBSCRIBE, 2, length, w);
	wr_be16(w, id);
	for (size_t i = 0; i < count; i++) {
		text_encode(rd_str(filters[i]), w);
		wr_u8(w, 1);
	}
}

void mqtt_puback_encode(uint16_t id, struct wr *w)
{
	head_encode(MQTT_PUBACK, 0, 2, w);
	wr_be16(w, id);
}

void mqtt_empty_encode(enum mqtt_type type, struct wr *w)
{
	head_encode(type, 0, 0, w);
}
