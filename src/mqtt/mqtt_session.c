/* The session. */
#include "mqtt/mqtt_session.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define SUBSCRIBE_ID 65535 /* publications use the others */

enum state { OFFLINE, CONNECTING, SUBSCRIBING, READY };

struct publication {
	struct publication *next;
	uint64_t number;
	uint16_t id; /* 0: not sent yet */
	size_t topic_len, payload_len;
	uint8_t octets[]; /* topic, payload */
};

struct mqtt_session {
	struct mqtt_session_config config;
	enum state state;
	uint64_t connection, number;     /* count */
	struct publication *first, **last;
	struct publication **next_unsent; /* where the first is that was not sent on this connection */
	size_t pending, pending_octets, in_flight;
	uint16_t next_id;
	bool session_present;
	const char *refusal;
	struct wr in;                    /* a packet that is not whole yet */
	size_t discard;                  /* octets of one that is too long */
	uint64_t answer_by, ping_at;     /* CLOCK_NEVER: none */
};

/* ---- out ---- */

static void write_out(struct mqtt_session *s, uint64_t now, struct wr *w)
{
	struct rd out;

	if (wr_done(w, &out)) {
		s->config.write(s->config.ctx, out);
		s->ping_at = now + s->config.keepalive_s * 1000U;
	}
	wr_free(w);
}

static void send_publication(struct mqtt_session *s, uint64_t now, const struct publication *p, bool again)
{
	struct mqtt_publish m = {.dup = again, .qos = 1, .id = p->id, .topic = rd_of(p->octets, p->topic_len), .payload = rd_of(p->octets + p->topic_len, p->payload_len)};
	struct wr w = wr_new(p->topic_len + p->payload_len + 16);

	if (mqtt_publish_encode(&m, &w) == OK)
		write_out(s, now, &w);
	else
		wr_free(&w);
}

static bool id_is_taken(const struct mqtt_session *s, uint16_t id)
{
	for (const struct publication *p = s->first; p && p->id != 0; p = p->next)
		if (p->id == id)
			return true;
	return false;
}

/* In the order in which they were published: those that had been sent before first, under their old ids. */
static void send_waiting(struct mqtt_session *s, uint64_t now)
{
	while (s->state == READY && *s->next_unsent && s->in_flight < MQTT_IN_FLIGHT_MAX) {
		struct publication *p = *s->next_unsent;
		bool again = p->id != 0 && s->session_present;

		while (p->id == 0) {
			s->next_id = s->next_id >= SUBSCRIBE_ID - 1 ? 1 : (uint16_t)(s->next_id + 1);
			if (!id_is_taken(s, s->next_id))
				p->id = s->next_id;
		}
		s->next_unsent = &p->next;
		s->in_flight++;
		send_publication(s, now, p, again);
	}
}

uint64_t mqtt_session_publish(struct mqtt_session *s, uint64_t now, struct rd topic, struct rd payload)
{
	struct publication *p;

	if (s->pending >= MQTT_PENDING_MAX || s->pending_octets + payload.left > MQTT_PENDING_OCTETS_MAX || topic.left > UINT16_MAX)
		return 0;
	p = malloc(sizeof *p + topic.left + payload.left);
	if (!p)
		return 0;
	*p = (struct publication){.number = ++s->number, .topic_len = topic.left, .payload_len = payload.left};
	if (topic.left > 0)
		memcpy(p->octets, topic.at, topic.left);
	if (payload.left > 0)
		memcpy(p->octets + topic.left, payload.at, payload.left);
	*s->last = p;
	s->last = &p->next;
	s->pending++;
	s->pending_octets += payload.left;
	send_waiting(s, now);
	return s->number;
}

bool mqtt_session_has(const struct mqtt_session *s, uint64_t number)
{
	const struct publication *p = s->first;

	while (p && p->number != number)
		p = p->next;
	return p != NULL;
}

void mqtt_session_acknowledge(struct mqtt_session *s, uint64_t now, struct mqtt_receipt receipt)
{
	struct wr w = wr_new(64);

	if (receipt.id == 0 || receipt.connection != s->connection || s->state == OFFLINE)
		return;
	mqtt_puback_encode(receipt.id, &w);
	write_out(s, now, &w);
}

void mqtt_session_leave(struct mqtt_session *s)
{
	struct wr w = wr_new(64);

	if (s->state == OFFLINE)
		return;
	mqtt_empty_encode(MQTT_DISCONNECT, &w);
	write_out(s, 0, &w);
}

/* ---- in ---- */

static void take_out(struct mqtt_session *s, struct publication **link)
{
	struct publication *p = *link;

	*link = p->next;
	if (s->next_unsent == &p->next)
		s->next_unsent = link;
	if (s->last == &p->next)
		s->last = link;
	s->pending--;
	s->pending_octets -= p->payload_len;
	free(p);
}

void mqtt_session_withdraw(struct mqtt_session *s, uint64_t number)
{
	for (struct publication **link = &s->first; *link; link = &(*link)->next) {
		if ((*link)->number == number) {
			if ((*link)->id == 0)
				take_out(s, link);
			return;
		}
	}
}

static void on_puback(struct mqtt_session *s, uint64_t now, uint16_t id)
{
	for (struct publication **link = &s->first; *link && (*link)->id != 0; link = &(*link)->next) {
		struct publication *p = *link;

		if (p->id != id)
			continue;
		/* Of this connection: it stands before those that are not sent. */
		for (struct publication *q = *s->next_unsent; q; q = q->next)
			if (q == p)
				return;
		take_out(s, link);
		s->in_flight--;
		send_waiting(s, now);
		return;
	}
}

static enum err on_connack(struct mqtt_session *s, uint64_t now, struct rd in)
{
	struct wr w = wr_new(65536);
	struct mqtt_connack c;
	enum err e = mqtt_connack_decode(in, &c);

	if (e != OK)
		return e;
	if (c.code != 0) {
		s->refusal = mqtt_connack_text(c.code);
		return ERR_NOT_AUTHORISED;
	}
	s->session_present = c.session_present;
	s->state = SUBSCRIBING;
	s->answer_by = now + MQTT_ANSWER_MS;
	mqtt_subscribe_encode(SUBSCRIBE_ID, s->config.filters, s->config.filter_count, &w);
	write_out(s, now, &w);
	return OK;
}

static enum err on_suback(struct mqtt_session *s, uint64_t now, struct rd in)
{
	uint16_t id;
	uint8_t code;

	if (!mqtt_id_decode(&in, &id) || id != SUBSCRIBE_ID || in.left != s->config.filter_count)
		return ERR_MALFORMED;
	while (rd_u8(&in, &code)) {
		if (code > 1) { /* 0x80: refused */
			s->refusal = "the broker refuses a subscription: see its access control list";
			return ERR_NOT_AUTHORISED;
		}
	}
	s->state = READY;
	s->answer_by = CLOCK_NEVER;
	s->config.ready(s->config.ctx, s->session_present);
	send_waiting(s, now);
	return OK;
}

static enum err on_publish(struct mqtt_session *s, const struct mqtt_head *h, struct rd in)
{
	struct mqtt_publish p;
	enum err e = mqtt_publish_decode(h, in, &p);

	if (e == OK)
		s->config.message(s->config.ctx, &p, (struct mqtt_receipt){s->connection, p.id});
	return e == ERR_SHORT ? ERR_MALFORMED : e;
}

/* What a broker may send, when. Everything else is against the protocol. */
static enum err on_packet(struct mqtt_session *s, uint64_t now, const struct mqtt_head *h, struct rd in)
{
	uint16_t id;

	if (h->type == MQTT_CONNACK)
		return s->state == CONNECTING && h->flags == 0 ? on_connack(s, now, in) : ERR_MALFORMED;
	if (s->state == CONNECTING)
		return ERR_MALFORMED;
	if (h->type == MQTT_PUBLISH)
		return on_publish(s, h, in);
	if (h->flags != 0)
		return ERR_MALFORMED;
	if (h->type == MQTT_SUBACK)
		return s->state == SUBSCRIBING ? on_suback(s, now, in) : ERR_MALFORMED;
	if (h->type == MQTT_PINGRESP && in.left == 0) {
		s->answer_by = s->state == READY ? CLOCK_NEVER : s->answer_by;
		return OK;
	}
	if (h->type != MQTT_PUBACK || !mqtt_id_decode(&in, &id) || in.left != 0)
		return ERR_MALFORMED;
	on_puback(s, now, id);
	return OK;
}

/* A message that is too long: acknowledged, since it would come for ever, told, and passed over. False: its head is not whole yet. */
static bool pass_over(struct mqtt_session *s, uint64_t now, const struct mqtt_head *h, struct rd in)
{
	struct mqtt_publish p;

	if (mqtt_publish_decode(h, in, &p) != OK)
		return false;
	if (s->config.too_long)
		s->config.too_long(s->config.ctx, p.topic, h->length);
	mqtt_session_acknowledge(s, now, (struct mqtt_receipt){s->connection, p.id});
	s->discard = h->length;
	return true;
}

/* One packet of what there is. ERR_SHORT: none is whole. */
static enum err take_packet(struct mqtt_session *s, uint64_t now, struct rd *in)
{
	struct rd r = *in, body;
	struct mqtt_head h;
	enum err e = mqtt_head_decode(&r, &h);

	if (e != OK)
		return e;
	if (h.length > s->config.packet_max) {
		if (h.type != MQTT_PUBLISH)
			return ERR_MALFORMED;
		if (!pass_over(s, now, &h, r))
			return r.left >= UINT16_MAX + 4U ? ERR_MALFORMED : ERR_SHORT;
		*in = r;
		return OK;
	}
	if (!rd_sub(&r, h.length, &body))
		return ERR_SHORT;
	*in = r;
	return on_packet(s, now, &h, body);
}

static void discard(struct mqtt_session *s, struct rd *in)
{
	size_t n = s->discard < in->left ? s->discard : in->left;

	if (rd_skip(in, n))
		s->discard -= n;
}

enum err mqtt_session_input(struct mqtt_session *s, uint64_t now, struct rd octets)
{
	uint64_t connection = s->connection;
	struct rd in = octets;
	struct wr rest;
	enum err e = OK;

	if (s->state == OFFLINE)
		return ERR_STATE;
	if (s->in.len > 0) {
		wr_rd(&s->in, octets);
		if (!wr_done(&s->in, &in))
			return ERR_TOO_LONG;
	}
	while (e == OK && in.left > 0) {
		discard(s, &in);
		if (in.left > 0)
			e = take_packet(s, now, &in);
		if (s->connection != connection || s->state == OFFLINE) /* a callback closed the connection */
			return OK;
	}
	if (e != OK && e != ERR_SHORT)
		return e;
	rest = wr_new(s->config.packet_max + UINT16_MAX + 16);
	wr_rd(&rest, in);
	wr_free(&s->in);
	s->in = rest;
	return rest.spoilt ? ERR_NO_MEMORY : OK;
}

/* ---- connections ---- */

void mqtt_session_connected(struct mqtt_session *s, uint64_t now)
{
	struct mqtt_login login;
	bool known = s->config.login && s->config.login(s->config.ctx, &login);
	struct wr w = wr_new(65600);

	mqtt_session_lost(s);
	s->connection++;
	s->state = CONNECTING;
	s->refusal = "";
	s->answer_by = now + MQTT_ANSWER_MS;
	mqtt_connect_encode(s->config.client_id, s->config.clean, s->config.keepalive_s, known ? &login : NULL, &w);
	write_out(s, now, &w);
}

void mqtt_session_lost(struct mqtt_session *s)
{
	s->state = OFFLINE;
	s->next_unsent = &s->first;
	s->in_flight = 0;
	s->discard = 0;
	s->answer_by = s->ping_at = CLOCK_NEVER;
	wr_free(&s->in);
	s->in = wr_new(s->config.packet_max + UINT16_MAX + 16);
}

enum err mqtt_session_tick(struct mqtt_session *s, uint64_t now)
{
	struct wr w = wr_new(64);

	if (s->state == OFFLINE)
		return OK;
	if (now >= s->answer_by) {
		s->refusal = "the broker does not answer";
		return ERR_TIMEOUT;
	}
	if (now >= s->ping_at) {
		mqtt_empty_encode(MQTT_PINGREQ, &w);
		write_out(s, now, &w);
		if (s->answer_by == CLOCK_NEVER)
			s->answer_by = now + MQTT_ANSWER_MS;
	}
	return OK;
}

uint64_t mqtt_session_deadline(const struct mqtt_session *s)
{
	return s->answer_by < s->ping_at ? s->answer_by : s->ping_at;
}

bool mqtt_session_is_ready(const struct mqtt_session *s)
{
	return s->state == READY;
}

const char *mqtt_session_refusal(const struct mqtt_session *s)
{
	return s->refusal;
}

size_t mqtt_session_pending(const struct mqtt_session *s)
{
	return s->pending;
}

/* ---- life ---- */

struct mqtt_session *mqtt_session_new(const struct mqtt_session_config *c)
{
	struct mqtt_session *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->config = *c;
	s->last = &s->first;
	s->refusal = "";
	mqtt_session_lost(s);
	return s;
}

void mqtt_session_free(struct mqtt_session *s)
{
	if (!s)
		return;
	while (s->first) {
		struct publication *p = s->first;

		s->first = p->next;
		free(p);
	}
	wr_free(&s->in);
	free(s);
}
