/* Primitives of ours become messages, and what is answered finds its way back by the request identifier. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "binding/mqtt/mqtt_private.h"
#include "onem2m/timestamp.h"

#define TIMEOUT_DEFAULT_MS 20000
#define ONE_WAY_MS 300 /* nobody need answer, but who does is heard */

/* ---- what waits for an answer ---- */

static struct mqtt_sending *find(struct mqtt_binding *b, struct rd id)
{
	struct mqtt_sending *s;
	uint64_t number;

	if (!rd_starts(id, b->prefix) || !rd_skip(&id, strlen(b->prefix)) || !rd_decimal(id, &number))
		return NULL;
	for (s = b->sending[number % SENDING_BUCKETS]; s && s->number != number; s = s->next)
		;
	return s;
}

static void sending_free(struct mqtt_sending *s)
{
	struct mqtt_binding *b = s->link->binding;
	struct mqtt_sending **link = &b->sending[s->number % SENDING_BUCKETS];

	while (*link != s)
		link = &(*link)->next;
	*link = s->next;
	b->sending_count--;
	loop_timer_free(s->timer);
	wr_free(&s->topic);
	wr_free(&s->payload);
	free(s);
}

static void finish(struct mqtt_sending *s, const struct onem2m_response *rsp)
{
	cse_done *done = s->done;
	void *ctx = s->ctx;

	mqtt_session_withdraw(s->link->session, s->publication); /* what was not sent yet is of no use any more */
	sending_free(s);
	done(ctx, rsp);
}

static void on_time(void *ctx)
{
	struct mqtt_sending *s = ctx;
	char trouble[sizeof s->link->trouble];
	bool there = mqtt_session_is_ready(s->link->session);

	if (s->one_way && there && !mqtt_session_has(s->link->session, s->publication)) {
		finish(s, &(const struct onem2m_response){.rsc = RSC_OK});
		return;
	}
	if (s->one_way && s->publication && clock_ms() < s->until) {
		loop_timer_in(s->timer, ONE_WAY_MS);
		return;
	}
	snprintf(trouble, sizeof trouble, "%s", s->link->trouble); /* told, who asked may end the link */
	finish(s, &(const struct onem2m_response){.rsc = RSC_TARGET_NOT_REACHABLE, .failure = there ? ERR_TIMEOUT : ERR_UNREACHABLE, .why = there ? "nobody answered through the broker" : trouble});
}

void mqtt_sending_failed(struct mqtt_link *k)
{
	/* Told from the loop: what is told may send again. */
	for (size_t i = 0; i < SENDING_BUCKETS; i++)
		for (struct mqtt_sending *s = k->binding->sending[i]; s; s = s->next)
			if (s->link == k)
				loop_timer_in(s->timer, 0);
}

bool mqtt_sending_any(const struct mqtt_link *k)
{
	for (size_t i = 0; i < SENDING_BUCKETS; i++)
		for (const struct mqtt_sending *s = k->binding->sending[i]; s; s = s->next)
			if (s->link == k)
				return true;
	return false;
}

static void publish(struct mqtt_sending *s)
{
	s->at = clock_ms();
	s->publication = mqtt_link_publish(s->link, rd_of(s->topic.octets, s->topic.len), rd_of(s->payload.octets, s->payload.len));
}

/* The receiver remembers the request identifiers of those that it has executed. */
void mqtt_sending_again(struct mqtt_link *k, uint64_t before)
{
	for (size_t i = 0; i < SENDING_BUCKETS; i++)
		for (struct mqtt_sending *s = k->binding->sending[i]; s; s = s->next)
			if (s->link == k && s->at <= before && !mqtt_session_has(k->session, s->publication))
				publish(s);
}

void mqtt_sending_free_all(struct mqtt_binding *b)
{
	for (size_t i = 0; i < SENDING_BUCKETS; i++)
		while (b->sending[i])
			sending_free(b->sending[i]);
}

/* ---- answers ---- */

/* From whom it was asked. */
static bool answers(const struct mqtt_sending *s, const struct mqtt_topic *t)
{
	struct mqtt_topic asked;

	if (!mqtt_topic_parse(rd_of(s->topic.octets, s->topic.len), &asked))
		return true; /* a topic of somebody's own */
	return rd_equal(asked.receiver, t->receiver);
}

void mqtt_response(struct mqtt_link *k, const struct mqtt_topic *t, struct rd payload)
{
	char why[SERIALIZATION_WHY_SIZE];
	struct mqtt_sending *s;
	struct envelope *v;

	if (!rd_is(t->originator, k->binding->part) || envelope_read(t->s, payload, &v, why, sizeof why) != OK)
		return;
	s = v->is_response && !v->fault[0] ? find(k->binding, v->id) : NULL;
	if (s && s->link == k && answers(s, t))
		finish(s, &v->rsp);
	envelope_free(v);
}

/* ---- requests ---- */

static bool hex(uint8_t c, uint8_t *v)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;

	*v = at ? (uint8_t)(at - digits) : 0;
	return at != NULL;
}

/* The path of a URL is the topic, with its slash; but where an escaped slash comes next, that is the topic's. */
static bool put_path(struct rd path, struct wr *w)
{
	uint8_t c, high, low;
	struct rd first = path;

	if (rd_skip(&first, 1) && (rd_starts(first, "%2f") || rd_starts(first, "%2F")))
		path = first;
	while (rd_u8(&path, &c)) {
		struct rd escape = path;

		if (c == '%' && rd_u8(&escape, &high) && rd_u8(&escape, &low) && hex(high, &high) && hex(low, &low)) {
			c = (uint8_t)(high << 4 | low);
			path = escape;
		}
		wr_u8(w, c);
	}
	return !w->spoilt;
}

/* Older platforms name a receiver behind the broker, "/Cae", where others name a topic. One that has asked here under that name is a receiver. */
static bool names_receiver(struct mqtt_binding *b, struct rd path, struct rd *receiver)
{
	if (!rd_skip(&path, 1) || path.left == 0 || memchr(path.at, '/', path.left) || memchr(path.at, '%', path.left))
		return false;
	*receiver = path;
	return rd_equal(mqtt_short_name(b, path), path);
}

/* The topic where `target` listens. */
static bool topic_of(struct mqtt_binding *b, const struct mqtt_url *a, const char *target, enum serialization s, struct wr *w)
{
	struct mqtt_topic t = {.kind = MQTT_TOPIC_REQUEST, .originator = rd_str(b->part), .s = s};
	char text[512];
	struct wr part = wr_of(text, sizeof text);
	size_t own = strlen(b->config.self.own_id);

	if (names_receiver(b, a->path, &t.receiver)) {
		mqtt_topic_print(&t, w);
		return !w->spoilt;
	}
	if (a->path.left > 0)
		return put_path(a->path, w);
	if (!mqtt_part_print(rd_str(target), &part))
		return false;
	t.receiver = rd_of(text, part.len);
	if (strncmp(target, b->config.self.own_id, own) == 0 && target[own] == '/' && rd_is(mqtt_short_name(b, rd_str(target + own + 1)), target + own + 1))
		t.receiver = rd_str(target + own + 1);
	mqtt_topic_print(&t, w);
	return !w->spoilt;
}

/* As long as the request lives, and a moment for its expiry to be told. */
static uint64_t timeout_of(const struct onem2m_request *rq)
{
	uint64_t now = clock_unix_ms(), until;

	if (rq->rqet.left == 0 || !timestamp_parse_abs_rel(rq->rqet, now, &until))
		return rq->patience_ms ? rq->patience_ms : TIMEOUT_DEFAULT_MS;
	return (until > now ? until - now : 0) + 1000;
}

/* In the receiver's serialisation, or in that of its topic; in JSON when that cannot say it. */
static bool write_request(struct mqtt_binding *b, const struct mqtt_url *a, const char *target, const struct onem2m_request *rq, struct mqtt_sending *s)
{
	enum serialization in = rq->wanted;
	struct mqtt_topic own;

	if (mqtt_topic_parse(a->path, &own))
		in = own.s;
	if (envelope_write_request(in, rq, &s->payload) != OK) {
		in = SERIALIZATION_JSON;
		wr_free(&s->payload);
		s->payload = wr_new(ENVELOPE_OUT_MAX);
		if (a->path.left > 0 || envelope_write_request(in, rq, &s->payload) != OK)
			return false;
	}
	return topic_of(b, a, target, in, &s->topic);
}

static struct mqtt_sending *sending_new(struct mqtt_binding *b, struct mqtt_link *k, cse_done *done, void *ctx)
{
	struct mqtt_sending *s = calloc(1, sizeof *s), **bucket;

	if (!s)
		abort();
	s->link = k;
	s->number = ++b->sent;
	s->done = done;
	s->ctx = ctx;
	s->topic = wr_new(MQTT_TOPIC_MAX);
	s->payload = wr_new(ENVELOPE_OUT_MAX);
	s->timer = loop_timer_new(b->loop, on_time, s);
	bucket = &b->sending[s->number % SENDING_BUCKETS];
	s->next = *bucket;
	*bucket = s;
	b->sending_count++;
	return s;
}

void mqtt_binding_send(void *binding, const char *url, const char *target, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct mqtt_binding *b = binding;
	struct onem2m_request ours = *rq;
	struct mqtt_link *k = NULL;
	struct mqtt_topic own;
	struct mqtt_sending *s;
	struct mqtt_url a;
	char id[48];

	if (b->sending_count < SENDING_MAX && mqtt_url_parse(url, &a))
		k = mqtt_link_to(b, &a, false);
	if (!k) {
		done(ctx, &(const struct onem2m_response){.rsc = RSC_TARGET_NOT_REACHABLE, .failure = ERR_CONFIG, .why = "the address is none of a broker, or there are no credentials for TLS with it"});
		return;
	}
	s = sending_new(b, k, done, ctx);
	snprintf(id, sizeof id, "%s%llu", b->prefix, (unsigned long long)s->number);
	ours.request_id = rd_str(id); /* the originator's may be another's too; answers are told apart by nothing else */
	if (!write_request(b, &a, target, &ours, s)) {
		sending_free(s);
		done(ctx, &(const struct onem2m_response){.rsc = RSC_BAD_REQUEST, .failure = ERR_TOO_LONG, .why = "the target, or the request, cannot be said in MQTT"});
		return;
	}
	s->one_way = !mqtt_topic_parse(rd_of(s->topic.octets, s->topic.len), &own);
	s->until = clock_ms() + timeout_of(rq);
	loop_timer_in(s->timer, s->one_way ? ONE_WAY_MS : timeout_of(rq));
	publish(s);
	if (s->publication == 0)
		loop_timer_in(s->timer, 0);
}
