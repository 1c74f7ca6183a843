/* EGP sessions: the machine, and the end of requests. */
#include "eg/eg_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define SECOND_MS 1000
#define OWN_TRANSACTIONS 0x80000000U /* what the EG sends unasked is told apart from a gateway's numbers in a capture */

struct eg *eg_new(const struct eg_config *c)
{
	struct eg *eg = calloc(1, sizeof *eg);

	if (!eg)
		return NULL;
	eg->config = *c;
	eg->last = &eg->first;
	return eg;
}

void eg_free(struct eg *eg)
{
	if (!eg)
		return;
	while (eg->gateways) {
		struct eg_gateway *g = eg->gateways;

		eg->gateways = g->next;
		rate_clear(&g->rate);
		eg_removals_free(g);
		free(g);
	}
	for (struct table_node *n = table_each(&eg->known, NULL), *next; n; n = next) {
		next = table_each(&eg->known, n);
		eg_known_free(table_owner(n, struct known, by_device));
	}
	table_clear(&eg->known);
	timers_free(&eg->answers);
	timers_free(&eg->policies);
	timers_free(&eg->removals);
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

/* ---- the machine ---- */

static uint16_t retry_seconds(uint64_t ms)
{
	return (uint16_t)(ms / 1000 + 1);
}

static enum session greet(struct eg_gateway *g, uint64_t now_ms, uint64_t unix_s, const struct egp_message *m)
{
	const struct egp_message ack = {.type = EGP_HELLO_ACK, .transaction = m->transaction, .hello_ack = {.version = EGP_VERSION, .time = unix_s}};

	if (m->hello.gateway != g->eui64) {
		eg_send_error(g, m->transaction, 0, EGP_ERROR_NOT_AUTHORISED, 0, "this credential belongs to another gateway");
		eg_tell(g, EG_EVENT_WRONG_GATEWAY, m, EGP_ERROR_NOT_AUTHORISED);
		return SESSION_NEW;
	}
	if (m->hello.highest_version < EGP_VERSION) {
		eg_send_error(g, m->transaction, 0, EGP_ERROR_VERSION, 0, NULL);
		eg_tell(g, EG_EVENT_UNEXPECTED, m, EGP_ERROR_VERSION);
		return SESSION_NEW;
	}
	eg_tell(g, g->seen && m->hello.epoch < g->epoch ? EG_EVENT_EPOCH_BACK : EG_EVENT_GREETED, m, EGP_ERROR_INTERNAL);
	g->seen = true;
	g->epoch = m->hello.epoch;
	eg_send(g, &ack);
	eg_send_policy(g, now_ms, AGAIN_FIRST_MS);
	eg_removals_send(g, now_ms, AGAIN_FIRST_MS);
	return SESSION_GREETED;
}

/* 0: it is being prepared. Otherwise an EG-ERROR's code. k may be NULL. */
static unsigned take_up(struct eg_gateway *g, uint64_t now_ms, struct known *k, const struct egp_message *m, uint16_t *retry_s)
{
	uint64_t retry_ms = 0;
	unsigned code;

	*retry_s = 0;
	if (!rate_take(&g->rate, now_ms, &retry_ms)) {
		*retry_s = retry_seconds(retry_ms);
		return EGP_ERROR_RATE_LIMITED;
	}
	code = eg_admit(g, now_ms, m);
	if (code != 0)
		return code;
	if (!k)
		k = eg_known(g, m->request.device, true);
	if (!k) {
		*retry_s = 1;
		return EGP_ERROR_INTERNAL;
	}
	if (!rate_take(&k->rate, now_ms, &retry_ms)) {
		*retry_s = retry_seconds(retry_ms);
		return EGP_ERROR_RATE_LIMITED;
	}
	eg_removal_cancel(g, m->request.device);
	eg_prepare(g, now_ms, k, m);
	return 0;
}

static enum session decide(struct eg_gateway *g, uint64_t now_ms, uint64_t unix_s, const struct egp_message *m)
{
	struct known *k;
	uint16_t retry_s;
	unsigned code;

	(void)unix_s;
	if (m->request.gateway != g->eui64) {
		eg_send_error(g, m->transaction, m->request.device, EGP_ERROR_NOT_AUTHORISED, 0, "this credential belongs to another gateway");
		eg_tell(g, EG_EVENT_WRONG_GATEWAY, m, EGP_ERROR_NOT_AUTHORISED);
		return SESSION_GREETED;
	}
	k = eg_known(g, m->request.device, false);
	if (k && eg_repeat(g, now_ms, k, m))
		return SESSION_GREETED;
	code = take_up(g, now_ms, k, m, &retry_s);
	if (code != 0)
		eg_refuse_request(g, m, (enum egp_error_code)code, retry_s);
	return SESSION_GREETED;
}

unsigned eg_join_through(struct eg_gateway *g, uint64_t now_ms, const struct eg_newcomer *n)
{
	const struct egp_message m = {
		.type = EGP_REQUEST,
		.transaction = ++g->transaction,
		.request = {.gateway = g->eui64, .device = n->device, .device_short = n->short_address, .capability = n->capability, .kind = n->kind, .router = n->router},
	};
	struct known *k = eg_known(g, n->device, false);
	uint16_t retry_s;
	unsigned code;

	if (k && k->pending.in_flight)
		return 0;
	code = take_up(g, now_ms, k, &m, &retry_s);
	if (code != 0)
		eg_tell(g, EG_EVENT_REFUSED, &m, (enum egp_error_code)code);
	return code;
}

static enum session note_gone(struct eg_gateway *g, uint64_t now_ms, uint64_t unix_s, const struct egp_message *m)
{
	const struct egp_message ack = {.type = EGP_ACK, .transaction = m->transaction, .acked_type = EGP_DEVICE_GONE};

	(void)now_ms;
	(void)unix_s;
	eg_send(g, &ack);
	eg_tell(g, EG_EVENT_GONE, m, EGP_ERROR_INTERNAL);
	return SESSION_GREETED;
}

static enum session pong(struct eg_gateway *g, uint64_t now_ms, uint64_t unix_s, const struct egp_message *m)
{
	const struct egp_message answer = {.type = EGP_PONG, .transaction = m->transaction};

	(void)now_ms;
	(void)unix_s;
	eg_send(g, &answer);
	return SESSION_GREETED;
}

static enum session acknowledged(struct eg_gateway *g, uint64_t now_ms, uint64_t unix_s, const struct egp_message *m)
{
	(void)now_ms;
	(void)unix_s;
	if (m->acked_type == EGP_JOIN_POLICY && m->transaction == g->policy_transaction)
		timers_unset(&g->eg->policies, &g->policy_again);
	if (m->acked_type == EGP_DEVICE_REMOVE)
		eg_removal_answered(g, m->transaction);
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
	timers_unset(&g->eg->removals, &g->removals_again);
}

void eg_disconnect(struct eg_gateway *g)
{
	g->session = SESSION_CLOSED;
	timers_unset(&g->eg->policies, &g->policy_again);
	timers_unset(&g->eg->removals, &g->removals_again);
}

void eg_input(struct eg_gateway *g, uint64_t now_ms, uint64_t unix_s, struct rd octets)
{
	struct egp_message m;
	enum err e = egp_decode(octets, &m);

	if (g->session == SESSION_CLOSED)
		return;
	if (e != OK) {
		if (g->session == SESSION_GREETED || e == ERR_VERSION)
			eg_send_error(g, 0, 0, e == ERR_VERSION ? EGP_ERROR_VERSION : EGP_ERROR_MALFORMED, 0, NULL);
		eg_tell(g, EG_EVENT_MALFORMED, NULL, EGP_ERROR_MALFORMED);
		return;
	}
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		if (steps[i].in == g->session && steps[i].on == m.type) {
			g->session = steps[i].act(g, now_ms, unix_s, &m);
			return;
		}
	}
	eg_tell(g, EG_EVENT_UNEXPECTED, &m, EGP_ERROR_MALFORMED);
}

/* ---- completion ---- */

bool eg_answer(struct eg_gateway *g, uint64_t now_ms, uint64_t device, struct rd packet, const char *owner, const char *relay_target)
{
	struct known *k = eg_known(g, device, false);
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
	eg_known_wait(g->eg, k);
	/* Without a greeted session there is nobody to send to; the gateway asks again after its HELLO and gets this very packet. */
	if (g->session == SESSION_GREETED) {
		eg_send_octets(g, octets);
		eg_tell(g, EG_EVENT_ANSWERED, &k->pending.request, EGP_ERROR_INTERNAL);
	}
	return true;
}

bool eg_refuse(struct eg_gateway *g, uint64_t device, enum egp_error_code code, uint16_t retry_after_s, const char *text)
{
	struct known *k = eg_known(g, device, false);

	if (!k || !k->pending.in_flight)
		return false;
	k->pending.in_flight = false;
	eg_known_wait(g->eg, k);
	if (g->session == SESSION_GREETED) {
		eg_send_error(g, k->pending.request.transaction, device, code, retry_after_s, text);
		eg_tell(g, EG_EVENT_REFUSED, &k->pending.request, code);
	}
	return true;
}

/* ---- time ---- */

static uint64_t first_of(const struct timers *t)
{
	const struct timer_node *n = timers_first(t);

	return n ? n->at : CLOCK_NEVER;
}

uint64_t eg_deadline(const struct eg *eg)
{
	uint64_t policy = first_of(&eg->policies), answer = first_of(&eg->answers), removal = first_of(&eg->removals);
	uint64_t first = policy < answer ? policy : answer;

	return removal < first ? removal : first;
}

/* A serial line may lose a policy, and a gateway that did not hear it keeps its door as it was. */
static void repeat_policies(struct eg *eg, uint64_t now_ms)
{
	struct timer_node *n;

	while ((n = timers_first(&eg->policies)) != NULL && n->at <= now_ms) {
		struct eg_gateway *g = table_owner(n, struct eg_gateway, policy_again);

		timers_unset(&eg->policies, &g->policy_again);
		if (g->session == SESSION_GREETED)
			eg_send_policy(g, now_ms, g->policy_wait * 2 < AGAIN_MOST_MS ? g->policy_wait * 2 : AGAIN_MOST_MS);
	}
}

void eg_tick(struct eg *eg, uint64_t now_ms)
{
	struct timer_node *n;

	repeat_policies(eg, now_ms);
	eg_removals_again(eg, now_ms);
	while ((n = timers_first(&eg->answers)) != NULL && n->at <= now_ms) {
		struct known *k = table_owner(n, struct known, timer);

		timers_unset(&eg->answers, &k->timer);
		if (k->pending.in_flight)
			(void)eg_refuse(k->gateway, k->device, EGP_ERROR_INTERNAL, 5, "nobody answered in time");
		else
			eg_forget_answer(&k->pending);
	}
}
