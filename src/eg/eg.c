/* EGP sessions, join policy, admission, limits and repeats. */
#include "eg/eg.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/table.h"
#include "base/timers.h"
#include "eg/rate.h"

#define MINUTE_MS 60000
#define SECOND_MS 1000
#define POLICY_AGAIN_FIRST_MS 2000
#define POLICY_AGAIN_MOST_MS 32000
#define OWN_TRANSACTIONS 0x80000000U /* what the EG sends unasked is told apart from a gateway's numbers in a capture */

enum session { SESSION_CLOSED, SESSION_NEW, SESSION_GREETED };

/* A request that is being prepared, or the last one that was answered. */
struct pending {
	bool in_flight;
	struct egp_message request;
	uint64_t since; /* of the request while in flight, of the answer afterwards */
	uint8_t *answer;
	size_t answer_len;
};

struct known {
	struct table_node by_device;
	struct timer_node timer; /* its request's end, or its answer's */
	struct eg_gateway *gateway;
	uint64_t device;
	struct rate rate;
	struct pending pending;
};

struct queued {
	struct queued *next;
	struct eg_effect effect;
	size_t len;
	uint8_t octets[];
};

struct eg_gateway {
	struct eg_gateway *next;
	struct eg *eg;
	uint64_t eui64;
	enum session session;
	struct rate rate;
	bool seen;
	uint32_t epoch, transaction;
	struct timer_node policy_again; /* when to repeat a JOIN-POLICY that was not acknowledged */
	uint64_t policy_wait;           /* and how long that is after the last */
	uint32_t policy_transaction;
	uint64_t permit_until;
	size_t permit_count;
	uint64_t permitted[EGP_POLICY_DEVICES_MAX];
};

struct eg {
	struct eg_config config;
	struct eg_gateway *gateways;
	struct table known;
	struct timers answers, policies; /* of known devices, of gateways */
	struct queued *first, **last, *given;
};

const char *eg_event_text(enum eg_event e)
{
	static const char *const texts[] = {
		[EG_EVENT_GREETED] = "gateway greeted",
		[EG_EVENT_EPOCH_BACK] = "gateway came back with an older epoch",
		[EG_EVENT_WRONG_GATEWAY] = "gateway asked in another's name",
		[EG_EVENT_REFUSED] = "enrolment refused",
		[EG_EVENT_GONE] = "gateway lost a device",
		[EG_EVENT_UNEXPECTED] = "message not expected now",
		[EG_EVENT_MALFORMED] = "malformed message",
		[EG_EVENT_ANSWERED] = "transport key sent",
		[EG_EVENT_REPEATED] = "transport key repeated",
	};

	return texts[e];
}

struct eg *eg_new(const struct eg_config *c)
{
	struct eg *eg = calloc(1, sizeof *eg);

	if (!eg)
		return NULL;
	eg->config = *c;
	eg->last = &eg->first;
	return eg;
}

static void known_free(struct known *k)
{
	rate_clear(&k->rate);
	free(k->pending.answer);
	free(k);
}

void eg_free(struct eg *eg)
{
	if (!eg)
		return;
	while (eg->gateways) {
		struct eg_gateway *g = eg->gateways;

		eg->gateways = g->next;
		rate_clear(&g->rate);
		free(g);
	}
	for (struct table_node *n = table_each(&eg->known, NULL), *next; n; n = next) {
		next = table_each(&eg->known, n);
		known_free(table_owner(n, struct known, by_device));
	}
	table_clear(&eg->known);
	timers_free(&eg->answers);
	timers_free(&eg->policies);
	while (eg->first) {
		struct queued *q = eg->first;

		eg->first = q->next;
		free(q);
	}
	free(eg->given);
	free(eg);
}

struct eg_gateway *eg_gateway_add(struct eg *eg, uint64_t eui64)
{
	struct eg_gateway *g = calloc(1, sizeof *g);

	if (!g)
		return NULL;
	if (!rate_init(&g->rate, eg->config.gateway_per_second, SECOND_MS)) {
		free(g);
		return NULL;
	}
	g->eg = eg;
	g->eui64 = eui64;
	g->transaction = OWN_TRANSACTIONS;
	g->next = eg->gateways;
	eg->gateways = g;
	return g;
}

void eg_gateway_restore(struct eg_gateway *g, uint32_t epoch)
{
	g->seen = true;
	g->epoch = epoch;
}

uint64_t eg_gateway_eui64(const struct eg_gateway *g)
{
	return g->eui64;
}

bool eg_gateway_greeted(const struct eg_gateway *g)
{
	return g->session == SESSION_GREETED;
}

/* ---- effects ---- */

static void queue(struct eg *eg, const struct eg_effect *e, struct rd octets)
{
	struct queued *q = malloc(sizeof *q + octets.left);

	if (!q)
		return; /* the peer asks again */
	q->next = NULL;
	q->effect = *e;
	q->len = octets.left;
	if (octets.left > 0)
		memcpy(q->octets, octets.at, octets.left);
	q->effect.octets = rd_of(q->octets, q->len);
	*eg->last = q;
	eg->last = &q->next;
}

bool eg_output(struct eg *eg, struct eg_effect *e)
{
	free(eg->given);
	eg->given = eg->first;
	if (!eg->first)
		return false;
	eg->first = eg->given->next;
	if (!eg->first)
		eg->last = &eg->first;
	*e = eg->given->effect;
	return true;
}

static void send_octets(struct eg_gateway *g, struct rd octets)
{
	const struct eg_effect e = {.type = EG_SEND, .gateway = g};

	queue(g->eg, &e, octets);
}

/* False: the message does not fit; nothing is sent. */
static bool send_message(struct eg_gateway *g, const struct egp_message *m)
{
	uint8_t buffer[EGP_MESSAGE_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd octets;

	if (egp_encode(m, &w) != OK || !wr_done(&w, &octets))
		return false;
	send_octets(g, octets);
	return true;
}

static void tell(struct eg_gateway *g, enum eg_event event, const struct egp_message *m, enum egp_error_code code)
{
	struct eg_effect e = {.type = EG_TELL, .gateway = g, .event = event, .code = code};
	const struct rd none = {NULL, 0};

	if (m) {
		e.message = *m;
		e.message.owner = e.message.relay_target = e.message.text = e.message.software = none;
	}
	queue(g->eg, &e, none);
}

static void send_error(struct eg_gateway *g, uint32_t transaction, uint64_t device, enum egp_error_code code, uint16_t retry_s, const char *text)
{
	const struct egp_message m = {
		.type = EGP_ERROR,
		.transaction = transaction,
		.error = {.device = device, .code = code, .retry_after_s = retry_s},
		.text = rd_str(text ? text : egp_error_text(code)),
	};

	send_message(g, &m);
}

static void refuse(struct eg_gateway *g, const struct egp_message *request, enum egp_error_code code, uint16_t retry_s)
{
	send_error(g, request->transaction, request->request.device, code, retry_s, NULL);
	tell(g, EG_EVENT_REFUSED, request, code);
}

/* ---- join policy ---- */

uint16_t eg_permitted(const struct eg_gateway *g, uint64_t now_ms)
{
	uint64_t left_s;

	if (g->permit_until == CLOCK_NEVER)
		return EGP_UNTIL_CHANGED;
	if (g->permit_until <= now_ms)
		return 0;
	left_s = (g->permit_until - now_ms + 999) / 1000;
	return left_s >= EGP_UNTIL_CHANGED ? EGP_UNTIL_CHANGED - 1 : (uint16_t)left_s;
}

static bool permits(const struct eg_gateway *g, uint64_t now_ms, uint64_t device)
{
	if (eg_permitted(g, now_ms) == 0)
		return false;
	for (size_t i = 0; i < g->permit_count; i++)
		if (g->permitted[i] == device)
			return true;
	return false;
}

static void send_policy(struct eg_gateway *g, uint64_t now_ms, uint64_t wait_ms)
{
	struct egp_message m = {.type = EGP_JOIN_POLICY, .transaction = ++g->transaction};

	g->policy_transaction = m.transaction;
	g->policy_wait = wait_ms;
	timers_set(&g->eg->policies, &g->policy_again, now_ms + wait_ms);
	m.join_policy.duration_s = eg_permitted(g, now_ms);
	if (m.join_policy.duration_s > 0) {
		m.join_policy.count = (uint8_t)g->permit_count;
		memcpy(m.join_policy.devices, g->permitted, g->permit_count * sizeof g->permitted[0]);
	}
	send_message(g, &m);
}

enum err eg_permit(struct eg_gateway *g, uint64_t now_ms, uint16_t duration_s, const uint64_t *devices, size_t count)
{
	if (count > EGP_POLICY_DEVICES_MAX)
		return ERR_TOO_LONG;
	if (count > 0)
		memcpy(g->permitted, devices, count * sizeof g->permitted[0]);
	g->permit_count = count;
	g->permit_until = duration_s == EGP_UNTIL_CHANGED ? CLOCK_NEVER : now_ms + duration_s * 1000ULL;
	if (g->session == SESSION_GREETED)
		send_policy(g, now_ms, POLICY_AGAIN_FIRST_MS);
	return OK;
}

/* ---- devices ---- */

/* One record a registered device and gateway: its limits and its last answer. */
static struct known *known_find(struct eg_gateway *g, uint64_t device, bool make)
{
	struct table_node *n = table_find(&g->eg->known, table_hash(device));
	struct known *k;

	while (n && table_owner(n, struct known, by_device)->gateway != g)
		n = table_find_next(n);
	if (n || !make)
		return table_owner(n, struct known, by_device);
	k = calloc(1, sizeof *k);
	if (!k)
		return NULL;
	if (!rate_init(&k->rate, g->eg->config.device_per_minute, MINUTE_MS)) {
		free(k);
		return NULL;
	}
	k->device = device;
	k->gateway = g;
	table_add(&g->eg->known, &k->by_device, table_hash(device));
	return k;
}

static uint64_t pending_deadline(const struct pending *p)
{
	if (p->in_flight)
		return p->since + EG_ANSWER_MS;
	return p->answer ? p->since + EG_REPEAT_MS : CLOCK_NEVER;
}

/* After every change of what is pending. */
static void wait_for(struct eg *eg, struct known *k)
{
	uint64_t at = pending_deadline(&k->pending);

	if (at == CLOCK_NEVER)
		timers_unset(&eg->answers, &k->timer);
	else
		timers_set(&eg->answers, &k->timer, at);
}

static void forget_answer(struct pending *p)
{
	free(p->answer);
	p->answer = NULL;
	p->answer_len = 0;
}

static bool same_request(const struct egp_message *a, const struct egp_message *b)
{
	return a->transaction == b->transaction && a->request.gateway == b->request.gateway && a->request.device == b->request.device &&
	    a->request.device_short == b->request.device_short && a->request.pan_id == b->request.pan_id &&
	    a->request.kind == b->request.kind && a->request.capability == b->request.capability;
}

static uint16_t retry_seconds(uint64_t ms)
{
	return (uint16_t)(ms / 1000 + 1);
}

/* The registry's and the operator's word on a request; OK (0) when it may go on. */
static unsigned admission(const struct eg_gateway *g, uint64_t now_ms, const struct egp_message *m)
{
	struct eg_admission a = {0};

	if (!g->eg->config.lookup(g->eg->config.ctx, m->request.device, &a) || !a.known)
		return EGP_ERROR_UNKNOWN_DEVICE;
	if (a.gateway != g->eui64)
		return EGP_ERROR_NOT_PERMITTED;
	if (m->request.kind == EGP_JOIN_UNSECURED_REJOIN)
		return a.may_rejoin ? 0 : EGP_ERROR_NOT_PERMITTED;
	return permits(g, now_ms, m->request.device) ? 0 : EGP_ERROR_NOT_PERMITTED;
}

/* True: dealt with as a repeat or as a second request of a device that has one in flight. */
static bool repeat(struct eg_gateway *g, uint64_t now_ms, struct known *k, const struct egp_message *m)
{
	struct pending *p = &k->pending;

	if (p->in_flight) {
		if (!same_request(&p->request, m))
			refuse(g, m, EGP_ERROR_RATE_LIMITED, 1);
		return true;
	}
	if (!p->answer || now_ms - p->since >= EG_REPEAT_MS || p->request.transaction != m->transaction)
		return false;
	if (!same_request(&p->request, m)) {
		refuse(g, m, EGP_ERROR_MALFORMED, 0); /* one transaction, two meanings */
		return true;
	}
	send_octets(g, rd_of(p->answer, p->answer_len));
	tell(g, EG_EVENT_REPEATED, m, EGP_ERROR_INTERNAL);
	return true;
}

static void prepare(struct eg_gateway *g, uint64_t now_ms, struct known *k, const struct egp_message *m)
{
	const struct eg_effect e = {.type = EG_PREPARE, .gateway = g, .message = *m};
	const struct rd none = {NULL, 0};

	forget_answer(&k->pending);
	k->pending.in_flight = true;
	k->pending.request = *m;
	k->pending.since = now_ms;
	wait_for(g->eg, k);
	queue(g->eg, &e, none);
}

/* ---- the machine ---- */

static enum session greet(struct eg_gateway *g, uint64_t now_ms, uint64_t unix_s, const struct egp_message *m)
{
	const struct egp_message ack = {.type = EGP_HELLO_ACK, .transaction = m->transaction, .hello_ack = {.version = EGP_VERSION, .time = unix_s}};

	if (m->hello.gateway != g->eui64) {
		send_error(g, m->transaction, 0, EGP_ERROR_NOT_AUTHORISED, 0, "this credential belongs to another gateway");
		tell(g, EG_EVENT_WRONG_GATEWAY, m, EGP_ERROR_NOT_AUTHORISED);
		return SESSION_NEW;
	}
	if (m->hello.highest_version < EGP_VERSION) {
		send_error(g, m->transaction, 0, EGP_ERROR_VERSION, 0, NULL);
		tell(g, EG_EVENT_UNEXPECTED, m, EGP_ERROR_VERSION);
		return SESSION_NEW;
	}
	tell(g, g->seen && m->hello.epoch < g->epoch ? EG_EVENT_EPOCH_BACK : EG_EVENT_GREETED, m, EGP_ERROR_INTERNAL);
	g->seen = true;
	g->epoch = m->hello.epoch;
	send_message(g, &ack);
	send_policy(g, now_ms, POLICY_AGAIN_FIRST_MS);
	return SESSION_GREETED;
}

static enum session decide(struct eg_gateway *g, uint64_t now_ms, uint64_t unix_s, const struct egp_message *m)
{
	uint64_t retry_ms;
	struct known *k;
	unsigned code;

	(void)unix_s;
	if (m->request.gateway != g->eui64) {
		send_error(g, m->transaction, m->request.device, EGP_ERROR_NOT_AUTHORISED, 0, "this credential belongs to another gateway");
		tell(g, EG_EVENT_WRONG_GATEWAY, m, EGP_ERROR_NOT_AUTHORISED);
		return SESSION_GREETED;
	}
	k = known_find(g, m->request.device, false);
	if (k && repeat(g, now_ms, k, m))
		return SESSION_GREETED;
	if (!rate_take(&g->rate, now_ms, &retry_ms)) {
		refuse(g, m, EGP_ERROR_RATE_LIMITED, retry_seconds(retry_ms));
		return SESSION_GREETED;
	}
	code = admission(g, now_ms, m);
	if (code != 0) {
		refuse(g, m, (enum egp_error_code)code, 0);
		return SESSION_GREETED;
	}
	if (!k)
		k = known_find(g, m->request.device, true);
	if (!k)
		refuse(g, m, EGP_ERROR_INTERNAL, 1);
	else if (!rate_take(&k->rate, now_ms, &retry_ms))
		refuse(g, m, EGP_ERROR_RATE_LIMITED, retry_seconds(retry_ms));
	else
		prepare(g, now_ms, k, m);
	return SESSION_GREETED;
}

static enum session note_gone(struct eg_gateway *g, uint64_t now_ms, uint64_t unix_s, const struct egp_message *m)
{
	const struct egp_message ack = {.type = EGP_ACK, .transaction = m->transaction, .acked_type = EGP_DEVICE_GONE};

	(void)now_ms;
	(void)unix_s;
	send_message(g, &ack);
	tell(g, EG_EVENT_GONE, m, EGP_ERROR_INTERNAL);
	return SESSION_GREETED;
}

static enum session pong(struct eg_gateway *g, uint64_t now_ms, uint64_t unix_s, const struct egp_message *m)
{
	const struct egp_message answer = {.type = EGP_PONG, .transaction = m->transaction};

	(void)now_ms;
	(void)unix_s;
	send_message(g, &answer);
	return SESSION_GREETED;
}

static enum session acknowledged(struct eg_gateway *g, uint64_t now_ms, uint64_t unix_s, const struct egp_message *m)
{
	(void)now_ms;
	(void)unix_s;
	if (m->acked_type == EGP_JOIN_POLICY && m->transaction == g->policy_transaction)
		timers_unset(&g->eg->policies, &g->policy_again);
	return SESSION_GREETED;
}

static enum session nothing(struct eg_gateway *g, uint64_t now_ms, uint64_t unix_s, const struct egp_message *m)
{
	(void)g;
	(void)now_ms;
	(void)unix_s;
	(void)m;
	return SESSION_GREETED;
}

static const struct {
	enum session in;
	enum egp_type on;
	enum session (*act)(struct eg_gateway *g, uint64_t now_ms, uint64_t unix_s, const struct egp_message *m); /* answers the next state */
} steps[] = {
	{SESSION_NEW, EGP_HELLO, greet},
	{SESSION_GREETED, EGP_HELLO, greet},
	{SESSION_GREETED, EGP_REQUEST, decide},
	{SESSION_GREETED, EGP_DEVICE_GONE, note_gone},
	{SESSION_GREETED, EGP_PING, pong},
	{SESSION_GREETED, EGP_PONG, nothing},
	{SESSION_GREETED, EGP_ACK, acknowledged},
};

void eg_connect(struct eg_gateway *g)
{
	g->session = SESSION_NEW;
	timers_unset(&g->eg->policies, &g->policy_again);
}

void eg_disconnect(struct eg_gateway *g)
{
	g->session = SESSION_CLOSED;
	timers_unset(&g->eg->policies, &g->policy_again);
}

void eg_input(struct eg_gateway *g, uint64_t now_ms, uint64_t unix_s, struct rd octets)
{
	struct egp_message m;
	enum err e = egp_decode(octets, &m);

	if (g->session == SESSION_CLOSED)
		return;
	if (e != OK) {
		if (g->session == SESSION_GREETED || e == ERR_VERSION)
			send_error(g, 0, 0, e == ERR_VERSION ? EGP_ERROR_VERSION : EGP_ERROR_MALFORMED, 0, NULL);
		tell(g, EG_EVENT_MALFORMED, NULL, EGP_ERROR_MALFORMED);
		return;
	}
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		if (steps[i].in == g->session && steps[i].on == m.type) {
			g->session = steps[i].act(g, now_ms, unix_s, &m);
			return;
		}
	}
	tell(g, EG_EVENT_UNEXPECTED, &m, EGP_ERROR_MALFORMED);
}

/* ---- completion ---- */

bool eg_answer(struct eg_gateway *g, uint64_t now_ms, uint64_t device, struct rd packet, const char *owner, const char *relay_target)
{
	struct known *k = known_find(g, device, false);
	struct egp_message m = {.type = EGP_RESPONSE, .response = {.device = device, .packet = packet}};
	uint8_t buffer[EGP_MESSAGE_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd octets;

	if (!k || !k->pending.in_flight)
		return false;
	m.transaction = k->pending.request.transaction;
	m.owner = rd_str(owner ? owner : "");
	m.relay_target = rd_str(relay_target ? relay_target : "");
	if (egp_encode(&m, &w) != OK || !wr_done(&w, &octets))
		return eg_refuse(g, device, EGP_ERROR_INTERNAL, 0, NULL) && false;
	k->pending.in_flight = false;
	k->pending.since = now_ms;
	k->pending.answer = malloc(octets.left);
	if (k->pending.answer) {
		memcpy(k->pending.answer, octets.at, octets.left);
		k->pending.answer_len = octets.left;
	}
	wait_for(g->eg, k);
	/* Without a greeted session there is nobody to send to; the gateway asks again after its HELLO and gets this very packet. */
	if (g->session == SESSION_GREETED) {
		send_octets(g, octets);
		tell(g, EG_EVENT_ANSWERED, &k->pending.request, EGP_ERROR_INTERNAL);
	}
	return true;
}

bool eg_refuse(struct eg_gateway *g, uint64_t device, enum egp_error_code code, uint16_t retry_after_s, const char *text)
{
	struct known *k = known_find(g, device, false);

	if (!k || !k->pending.in_flight)
		return false;
	k->pending.in_flight = false;
	wait_for(g->eg, k);
	if (g->session == SESSION_GREETED) {
		send_error(g, k->pending.request.transaction, device, code, retry_after_s, text);
		tell(g, EG_EVENT_REFUSED, &k->pending.request, code);
	}
	return true;
}

void eg_remove(struct eg_gateway *g, uint64_t device)
{
	const struct egp_message m = {.type = EGP_DEVICE_REMOVE, .transaction = ++g->transaction, .remove = {.device = device}};
	struct known *k = known_find(g, device, false);
	size_t kept = 0;

	if (k) {
		k->pending.in_flight = false;
		forget_answer(&k->pending);
		wait_for(g->eg, k);
	}
	for (size_t i = 0; i < g->permit_count; i++)
		if (g->permitted[i] != device)
			g->permitted[kept++] = g->permitted[i];
	g->permit_count = kept;
	if (g->session == SESSION_GREETED)
		send_message(g, &m);
}

/* ---- time ---- */

static uint64_t first_of(const struct timers *t)
{
	const struct timer_node *n = timers_first(t);

	return n ? n->at : CLOCK_NEVER;
}

uint64_t eg_deadline(const struct eg *eg)
{
	uint64_t policy = first_of(&eg->policies), answer = first_of(&eg->answers);

	return policy < answer ? policy : answer;
}

/* A serial line may lose a policy, and a gateway that did not hear it keeps its door as it was. */
static void repeat_policies(struct eg *eg, uint64_t now_ms)
{
	struct timer_node *n;

	while ((n = timers_first(&eg->policies)) != NULL && n->at <= now_ms) {
		struct eg_gateway *g = table_owner(n, struct eg_gateway, policy_again);

		timers_unset(&eg->policies, &g->policy_again);
		if (g->session == SESSION_GREETED)
			send_policy(g, now_ms, g->policy_wait * 2 < POLICY_AGAIN_MOST_MS ? g->policy_wait * 2 : POLICY_AGAIN_MOST_MS);
	}
}

void eg_tick(struct eg *eg, uint64_t now_ms)
{
	struct timer_node *n;

	repeat_policies(eg, now_ms);
	while ((n = timers_first(&eg->answers)) != NULL && n->at <= now_ms) {
		struct known *k = table_owner(n, struct known, timer);

		timers_unset(&eg->answers, &k->timer);
		if (k->pending.in_flight)
			(void)eg_refuse(k->gateway, k->device, EGP_ERROR_INTERNAL, 5, "nobody answered in time");
		else
			forget_answer(&k->pending);
	}
}
