/* Connections to brokers, and the binding that owns them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "binding/mqtt/mqtt_private.h"
#include "loop/log.h"

#define KEEPALIVE_S 60
#define BACKOFF_FIRST_MS 200
#define BACKOFF_MOST_MS 15000
#define REPEAT_FIRST_MS 500
#define REPEAT_MOST_MS 8000
#define OUT_MAX ((size_t)64 << 20) /* what may wait for a broker that does not read */

static void arm(struct mqtt_link *k)
{
	loop_timer_at(k->deadline, mqtt_session_deadline(k->session));
}

/* ---- the session's side ---- */

static void on_write(void *ctx, struct rd octets)
{
	struct mqtt_link *k = ctx;

	if (k->stream)
		stream_write(k->stream, octets);
}

static void on_ready(void *ctx, bool session_present)
{
	struct mqtt_link *k = ctx;

	if (!k->binding->config.transient)
		log_line(LOG_LEVEL_INFO, "mqtt connected", "broker=%s session=%s", k->address, session_present ? "kept" : "new");
	k->was_ready = true;
	k->backoff_ms = BACKOFF_FIRST_MS;
	if (!session_present) {
		mqtt_sending_again(k, clock_ms());
		k->repeat_ms = REPEAT_FIRST_MS;
		loop_timer_in(k->repeat, k->repeat_ms);
	}
}

/* A broker that has forgotten us has forgotten others too: until they have subscribed again it drops what is for them, and says nothing. */
static void on_repeat(void *ctx)
{
	struct mqtt_link *k = ctx;

	if (!mqtt_session_is_ready(k->session))
		return;
	mqtt_sending_again(k, clock_ms() - k->repeat_ms);
	k->repeat_ms *= 2;
	if (k->repeat_ms <= REPEAT_MOST_MS)
		loop_timer_in(k->repeat, k->repeat_ms);
}

/* Retained messages are none of oneM2M's: they would come again with each subscription. And a broker in somebody's point of access, to which requests of
 * ours go, is not asked for any: one that gives them all the same speaks for whom it likes. */
static void on_message(void *ctx, const struct mqtt_publish *p, struct mqtt_receipt receipt)
{
	struct mqtt_link *k = ctx;
	struct mqtt_topic t;

	if (!p->retain && mqtt_topic_parse(p->topic, &t)) {
		switch (t.kind) {
		case MQTT_TOPIC_REQUEST:
		case MQTT_TOPIC_REGISTRATION:
			if (!k->configured)
				break;
			mqtt_request(k, &t, p, receipt);
			return; /* acknowledged when it is answered */
		case MQTT_TOPIC_RESPONSE:
			mqtt_response(k, &t, p->payload);
			break;
		case MQTT_TOPIC_REGISTRATION_RESPONSE: /* we register under our CSE-ID */
			break;
		}
	}
	mqtt_session_acknowledge(k->session, clock_ms(), receipt);
}

static void on_too_long(void *ctx, struct rd topic, size_t length)
{
	(void)ctx;
	log_line(LOG_LEVEL_WARNING, "mqtt message too long", "topic=%s octets=%zu", log_quote(topic), length);
}

/* ---- the stream's side ---- */

static void lost(struct mqtt_link *k, const char *why)
{
	bool was_ready = mqtt_session_is_ready(k->session);

	if (!k->binding->config.transient && (was_ready || k->backoff_ms == BACKOFF_FIRST_MS))
		log_line(LOG_LEVEL_WARNING, was_ready ? "mqtt connection lost" : "mqtt broker not reached", "broker=%s why=%s", k->address, log_quote(rd_str(why)));
	snprintf(k->trouble, sizeof k->trouble, "%s", why);
	stream_free(k->stream);
	k->stream = NULL;
	mqtt_login_forget(k);
	mqtt_session_lost(k->session);
	arm(k);
	if (!k->configured && !was_ready)
		mqtt_sending_failed(k);
	if (!k->configured && !mqtt_sending_any(k) && mqtt_session_pending(k->session) == 0)
		return; /* connects again when it is needed */
	loop_timer_in(k->again, k->backoff_ms);
	k->backoff_ms = k->backoff_ms * 2 < BACKOFF_MOST_MS ? k->backoff_ms * 2 : BACKOFF_MOST_MS;
}

static void on_open(void *ctx)
{
	struct mqtt_link *k = ctx;

	mqtt_session_connected(k->session, clock_ms());
	mqtt_login_forget(k);
	arm(k);
}

static size_t on_data(void *ctx, struct rd in)
{
	struct mqtt_link *k = ctx;
	enum err e = mqtt_session_input(k->session, clock_ms(), in);

	if (e != OK)
		lost(k, mqtt_session_refusal(k->session)[0] ? mqtt_session_refusal(k->session) : err_text(e));
	else
		arm(k);
	return in.left;
}

static void on_closed(void *ctx, enum err why)
{
	lost(ctx, err_text(why));
}

static const struct stream_events events = {on_open, on_data, on_closed};

static void connect_now(void *ctx)
{
	struct mqtt_link *k = ctx;
	const struct mqtt_binding *b = k->binding;
	const char *identity = b->config.broker_identity ? b->config.broker_identity : "";
	struct tls_credentials *tls = k->tls;
	enum err e;

	if (k->stream || b->leaving)
		return;
	if (!mqtt_login_take(k)) {
		lost(k, "there is no password for the broker, or it has expired");
		return;
	}
	if (k->configured && tls == b->config.tls && tls) /* each time: a key comes, is renewed, and ends */
		tls = tls_choose(&b->config.keys, identity, tls);
	e = stream_open(b->loop, k->address, tls, identity, &events, k, &k->stream);
	if (e == OK) {
		stream_allow(k->stream, OUT_MAX);
		return;
	}
	k->stream = NULL;
	lost(k, err_text(e));
}

static void on_deadline(void *ctx)
{
	struct mqtt_link *k = ctx;
	enum err e = mqtt_session_tick(k->session, clock_ms());

	if (e != OK)
		lost(k, mqtt_session_refusal(k->session));
	else
		arm(k);
}

uint64_t mqtt_link_publish(struct mqtt_link *k, struct rd topic, struct rd payload)
{
	uint64_t number = mqtt_session_publish(k->session, clock_ms(), topic, payload);

	arm(k);
	if (!k->stream && !k->configured)
		loop_timer_in(k->again, 0);
	return number;
}

/* ---- life ---- */

/* The configured one has the client identifier of TS-0010 clause 6.3 and a persistent session. Another one may turn out to be the same broker
 * under another address: there is no second client of one name, and no second subscription to requests. */
static struct mqtt_link *link_new(struct mqtt_binding *b, const char *address, bool configured)
{
	struct mqtt_link *k = calloc(1, sizeof *k);
	bool kept = configured && !b->config.transient;
	struct mqtt_session_config c = {k ? k->client_id : "", !kept, KEEPALIVE_S, ENVELOPE_MAX, b->filter_list, configured ? 3 : 1, on_write, on_ready, on_message, on_too_long, mqtt_login_of, k};

	if (!k || (k->session = mqtt_session_new(&c)) == NULL)
		abort();
	k->binding = b;
	k->configured = configured;
	snprintf(k->address, sizeof k->address, "%s", address);
	if (kept)
		snprintf(k->client_id, sizeof k->client_id, "%s", b->client_id);
	else
		snprintf(k->client_id, sizeof k->client_id, "%s::%s%u", b->client_id, b->prefix, ++b->links_made);
	k->backoff_ms = BACKOFF_FIRST_MS;
	k->deadline = loop_timer_new(b->loop, on_deadline, k);
	k->again = loop_timer_new(b->loop, connect_now, k);
	k->repeat = loop_timer_new(b->loop, on_repeat, k);
	k->next = b->links;
	b->links = k;
	return k;
}

static void leave(struct mqtt_link *k)
{
	if (!k->stream)
		return;
	mqtt_session_leave(k->session);
	stream_end(k->stream);
	k->stream = NULL;
	mqtt_session_lost(k->session);
	arm(k);
}

void mqtt_link_free(struct mqtt_link *k)
{
	leave(k);
	mqtt_session_free(k->session);
	mqtt_login_forget(k);
	loop_timer_free(k->deadline);
	loop_timer_free(k->again);
	loop_timer_free(k->repeat);
	free(k);
}

static bool host_is_good(struct rd host)
{
	uint8_t c;

	if (host.left == 0)
		return false;
	while (rd_u8(&host, &c))
		if (c != '.' && (c < '0' || c > '9'))
			return false;
	return true;
}

bool mqtt_url_parse(const char *url, struct mqtt_url *u)
{
	struct rd r = rd_str(url), authority, host;
	struct wr w = wr_of(u->host_port, sizeof u->host_port - 1);
	uint64_t port;

	u->secure = rd_starts(r, "mqtts://");
	port = u->secure ? 8883 : 1883;
	if (!(u->secure || rd_starts(r, "mqtt://")) || !rd_skip(&r, u->secure ? 8 : 7) || !rd_sub(&r, strcspn((const char *)r.at, "/"), &authority))
		return false;
	if (!rd_until(&authority, ':', &host))
		host = rd_rest(&authority);
	else if (!rd_decimal(authority, &port) || port == 0 || port > UINT16_MAX)
		return false;
	if (!rd_is(host, "localhost") && !host_is_good(host))
		return false;
	u->path = r.left > 1 ? r : rd_of("", 0);
	wr_rd(&w, rd_is(host, "localhost") ? rd_str("127.0.0.1") : host);
	wr_fmt(&w, ":%u", (unsigned)port);
	if (w.spoilt)
		return false;
	u->host_port[w.len] = '\0';
	return true;
}

bool mqtt_broker_is_good(const char *url)
{
	struct mqtt_url u;

	return mqtt_url_parse(url, &u) && u.path.left == 0;
}

struct mqtt_link *mqtt_link_to(struct mqtt_binding *b, const struct mqtt_url *u, bool configured)
{
	struct tls_credentials *tls = u->secure ? b->config.tls : NULL;
	struct mqtt_link *k;
	size_t count = 0;
	char address[sizeof k->address];

	for (k = b->links; k; k = k->next, count++)
		if ((k->tls != NULL) == u->secure && strcmp(k->address + 4, u->host_port) == 0)
			return k;
	if (u->secure && (configured || b->config.transient) && b->config.psk)
		tls = b->config.psk;
	if (count >= LINKS_MAX || (u->secure && !tls))
		return NULL;
	snprintf(address, sizeof address, "%s:%s", !tls ? "tcp" : tls == b->config.tls ? "tls" : "psk", u->host_port);
	k = link_new(b, address, configured);
	k->tls = tls;
	return k;
}

struct mqtt_binding *mqtt_binding_new(struct loop *l, const struct mqtt_binding_config *c)
{
	static const char *const forms[] = {"/oneM2M/resp/%s/#", "/oneM2M/req/+/%s/#", "/oneM2M/reg_req/+/%s/#"};
	struct mqtt_binding *b = calloc(1, sizeof *b);
	struct rng rng = rng_system();
	struct wr part;

	if (!b)
		abort();
	b->config = *c;
	b->loop = l;
	part = wr_of(b->part, sizeof b->part - 1);
	if (!mqtt_part_print(rd_str(c->self.own_id), &part))
		abort(); /* the configuration has been checked */
	snprintf(b->client_id, sizeof b->client_id, "%c::%s", strchr(c->self.own_id + 1, '/') ? 'A' : 'C', b->part); /* TS-0010 clause 6.3 */
	for (size_t i = 0; i < 3; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(b->filters[i], sizeof b->filters[i], forms[i], b->part);
#pragma GCC diagnostic pop
		b->filter_list[i] = b->filters[i];
	}
	snprintf(b->prefix, sizeof b->prefix, "%08x-", (unsigned)rng_u32(&rng));
	b->acknowledge = loop_timer_new(l, mqtt_acknowledge_late, b);
	return b;
}

void mqtt_binding_serve(struct mqtt_binding *b, struct once *once)
{
	struct mqtt_link *k;
	struct mqtt_url u;

	b->once = once;
	if (!b->config.broker || !mqtt_url_parse(b->config.broker, &u) || (k = mqtt_link_to(b, &u, true)) == NULL)
		return;
	loop_timer_in(k->again, 0);
}

static const struct mqtt_link *configured_link(const struct mqtt_binding *b)
{
	const struct mqtt_link *k = b->links;

	while (k && !k->configured)
		k = k->next;
	return k;
}

bool mqtt_binding_is_ready(const struct mqtt_binding *b)
{
	const struct mqtt_link *k = configured_link(b);

	return k && mqtt_session_is_ready(k->session);
}

const char *mqtt_binding_trouble(const struct mqtt_binding *b)
{
	const struct mqtt_link *k = configured_link(b);

	return k ? k->trouble : "there are no credentials for it";
}

void mqtt_binding_goodbye(struct mqtt_binding *b)
{
	b->leaving = true;
	for (struct mqtt_link *k = b->links; k; k = k->next)
		leave(k);
}

void mqtt_binding_free(struct mqtt_binding *b)
{
	if (!b)
		return;
	mqtt_asked_free_all(b);
	mqtt_sending_free_all(b);
	while (b->links) {
		struct mqtt_link *k = b->links;

		b->links = k->next;
		mqtt_link_free(k);
	}
	loop_timer_free(b->acknowledge);
	free(b);
}
