/* Requests in messages become primitives, responses become messages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "binding/mqtt/mqtt_private.h"
#include "json/json.h"
#include "loop/log.h"
#include "security/credential.h"

/* A broker has a window of messages in flight, twenty by default: what takes longer than this must not keep the others from coming. */
#define ACKNOWLEDGE_MS 1000

/* ---- those that are not acknowledged to the broker ---- */

static void list(struct mqtt_asked *a)
{
	struct mqtt_binding *b = a->link->binding;

	a->older = b->newest;
	a->newer = NULL;
	if (b->newest)
		b->newest->newer = a;
	else
		b->oldest = a;
	b->newest = a;
	a->acknowledged = false;
	a->at = clock_ms();
	if (b->oldest == a)
		loop_timer_in(b->acknowledge, ACKNOWLEDGE_MS);
}

static void unlist(struct mqtt_asked *a)
{
	struct mqtt_binding *b = a->link->binding;

	if (a->acknowledged)
		return;
	if (a->older)
		a->older->newer = a->newer;
	else
		b->oldest = a->newer;
	if (a->newer)
		a->newer->older = a->older;
	else
		b->newest = a->older;
	a->acknowledged = true;
}

static void acknowledge(struct mqtt_asked *a)
{
	if (!a->acknowledged)
		mqtt_session_acknowledge(a->link->session, clock_ms(), a->receipt);
	unlist(a);
}

void mqtt_acknowledge_late(void *ctx)
{
	struct mqtt_binding *b = ctx;
	uint64_t now = clock_ms();

	while (b->oldest && b->oldest->at + ACKNOWLEDGE_MS <= now)
		acknowledge(b->oldest);
	if (b->oldest)
		loop_timer_at(b->acknowledge, b->oldest->at + ACKNOWLEDGE_MS);
}

static void asked_free(struct mqtt_asked *a)
{
	unlist(a);
	envelope_free(a->v);
	free(a->peer);
	free(a->credential);
	free(a);
}

void mqtt_asked_free_all(struct mqtt_binding *b)
{
	while (b->oldest)
		asked_free(b->oldest);
}

/* ---- answers ---- */

/* What the serialisation cannot say is told without content. */
static bool write_answer(const struct mqtt_asked *a, const struct onem2m_response *rsp, struct wr *w)
{
	const struct onem2m_response bare = {.rsc = RSC_NOT_ACCEPTABLE};
	const struct envelope_about about = {
		.id = a->v->id,
		.to = a->v->from,
		.from = rd_str(a->link->binding->config.self.own_id),
		.release = a->v->rq.release,
		.vendor = a->v->rq.vendor,
		.ec = a->v->rq.ec,
		.rooted = a->v->rooted,
	};

	if (envelope_write_response(a->s, rsp, &about, w) == OK)
		return true;
	wr_free(w);
	*w = wr_new(ENVELOPE_OUT_MAX);
	return envelope_write_response(a->s, &bare, &about, w) == OK;
}

static void on_response(void *ctx, const struct onem2m_response *rsp)
{
	struct mqtt_asked *a = ctx;
	struct wr w = wr_new(ENVELOPE_OUT_MAX);
	struct rd payload;

	if (!rsp->silent && write_answer(a, rsp, &w) && wr_done(&w, &payload) && !mqtt_link_publish(a->link, rd_of(a->topic, a->topic_len), payload))
		log_line(LOG_LEVEL_WARNING, "mqtt answer dropped", "broker=%s why=\"too much waits for the broker\"", a->link->address);
	acknowledge(a);
	wr_free(&w);
	asked_free(a);
}

static void refuse(struct mqtt_asked *a, const char *why)
{
	struct wr w = wr_new(1024);
	struct json_out o = json_out(&w);
	struct onem2m_response rsp = {.rsc = RSC_BAD_REQUEST};

	json_object(&o, NULL);
	json_put_string(&o, "m2m:dbg", why);
	json_close(&o);
	if (!wr_done(&w, &rsp.content))
		rsp.content = rd_of("", 0);
	on_response(a, &rsp);
	wr_free(&w);
}

/* ---- requests ---- */

/* In topics of registration the originator may be a Credential-ID, which rules of a service subscription know. */
static bool names_credential(const struct mqtt_topic *t)
{
	struct credential_id id;

	return t->kind == MQTT_TOPIC_REGISTRATION && credential_id_parse(t->originator, &id) == OK;
}

/* Whose topic it is, as a certificate would say it: only where the broker sees to it. One part that begins as an AE-ID-Stem does (TS-0001 clause 7.2)
 * is an AE of ours, never a CSE: a CSE speaks for others. */
static char *peer_of(const struct mqtt_binding *b, const struct mqtt_topic *t)
{
	char text[IDENTITY_MAX];
	struct wr w = wr_of(text, sizeof text);
	struct rd peer;
	bool ours = !memchr(t->originator.at, ':', t->originator.left) && (t->originator.at[0] == 'C' || t->originator.at[0] == 'S');

	if (!b->config.trust_topics || names_credential(t))
		return strdup("");
	wr_fmt(&w, "m2m://%s%s", b->config.self.sp, ours ? b->config.self.own_id : "");
	return mqtt_part_parse(t->originator, &w) && wr_done(&w, &peer) ? rd_strdup(peer) : strdup("");
}

static char *short_slot(struct mqtt_binding *b, struct rd part)
{
	uint32_t h = 0;
	uint8_t c;

	while (rd_u8(&part, &c))
		h = h * 31 + c;
	return b->short_names[h % SHORT_NAMES];
}

struct rd mqtt_short_name(struct mqtt_binding *b, struct rd part)
{
	return rd_str(short_slot(b, part));
}

/* An AE of ours that calls itself "Cae" in topics, not "id-in:Cae", listens as "Cae" too. */
static void note_short_name(struct mqtt_binding *b, const struct mqtt_topic *t, struct rd from)
{
	char text[SHORT_NAME_SIZE];

	if (t->kind != MQTT_TOPIC_REQUEST || memchr(t->originator.at, ':', t->originator.left))
		return;
	if (rd_starts(from, "/")) {
		size_t own = strlen(b->config.self.own_id);

		if (!rd_starts(from, b->config.self.own_id) || !rd_skip(&from, own) || !rd_starts(from, "/") || !rd_skip(&from, 1))
			return;
	}
	if (rd_equal(from, t->originator) && rd_text(from, text, sizeof text))
		strcpy(short_slot(b, from), text);
}

static bool is_registration(const struct onem2m_request *rq)
{
	return rq->operation == ONEM2M_CREATE && (rq->type == 2 || rq->type == 16);
}

static struct mqtt_asked *asked_new(struct mqtt_link *k, const struct mqtt_topic *t, struct envelope *v, struct mqtt_receipt receipt)
{
	struct mqtt_topic answer = *t;
	struct mqtt_asked *a = calloc(1, sizeof *a + t->originator.left + t->receiver.left + 64);
	struct wr w;

	if (!a)
		abort();
	w = wr_of(a->topic, t->originator.left + t->receiver.left + 64);
	answer.kind = t->kind == MQTT_TOPIC_REQUEST ? MQTT_TOPIC_RESPONSE : MQTT_TOPIC_REGISTRATION_RESPONSE;
	mqtt_topic_print(&answer, &w);
	a->topic_len = w.len;
	a->link = k;
	a->v = v;
	a->s = t->s;
	a->receipt = receipt;
	a->peer = peer_of(k->binding, t);
	a->v->rq.peer = a->peer;
	a->credential = k->binding->config.trust_topics && names_credential(t) ? rd_strdup(t->originator) : strdup("");
	a->v->rq.credential = a->credential;
	list(a);
	return a;
}

void mqtt_request(struct mqtt_link *k, const struct mqtt_topic *t, const struct mqtt_publish *p, struct mqtt_receipt receipt)
{
	struct mqtt_binding *b = k->binding;
	char why[SERIALIZATION_WHY_SIZE];
	struct envelope *v = NULL;
	struct mqtt_asked *a;

	if (envelope_read(t->s, p->payload, &v, why, sizeof why) != OK || v->is_response || v->id.left == 0) { /* nothing to answer to */
		envelope_free(v);
		mqtt_session_acknowledge(k->session, clock_ms(), receipt);
		return;
	}
	v->rq.request_id = v->id;
	note_short_name(b, t, v->from);
	a = asked_new(k, t, v, receipt);
	if (v->fault[0])
		refuse(a, v->fault);
	else if (t->kind == MQTT_TOPIC_REGISTRATION && !is_registration(&v->rq))
		refuse(a, "a registration topic is for registrations");
	else
		once_submit(b->once, clock_ms(), &v->rq, t->originator, p->dup, on_response, a);
}
