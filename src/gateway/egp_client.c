/* The gateway's side of EGP. */
#include "gateway/egp_client.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define REQUESTS_MAX 512 /* after a power cut all children of a large gateway ask at once */
#define EFFECTS_MAX (REQUESTS_MAX + 16) /* one call may write every request */
#define ANSWER_MS 6000       /* the EG itself waits up to 3 s for node B */
#define TRIES 5
#define PING_MS 20000
#define PONG_MS 3000
#define HELLO_AGAIN_MS 1000
#define HELLO_UNHEARD_MS 2000 /* a serial line may lose it, or nobody be there yet */
#define SILENCE_MS 65000

struct asked {
	bool used;
	uint64_t device;
	uint16_t short_address;
	uint8_t capability;
	enum egp_join_kind kind;
	uint32_t transaction;
	uint64_t again; /* when to send (again) */
	unsigned tries;
};

struct egp_client {
	struct egp_client_config config;
	struct rng *rng;
	bool connected, up;
	uint32_t transaction;
	struct asked asked[REQUESTS_MAX];
	uint64_t ping_at, silent_at;
	uint64_t hello_at; /* HELLO again: not answered yet, refused, or the EG does not answer what it was asked */
	struct egp_client_effect *effects;
	size_t first, count;
};

struct egp_client *egp_client_new(const struct egp_client_config *config, struct rng *rng)
{
	struct egp_client *c = calloc(1, sizeof *c);

	if (!c || (c->effects = calloc(EFFECTS_MAX, sizeof *c->effects)) == NULL) {
		free(c);
		return NULL;
	}
	c->config = *config;
	c->rng = rng;
	c->transaction = rng_u32(rng);
	c->ping_at = c->silent_at = c->hello_at = CLOCK_NEVER;
	return c;
}

void egp_client_free(struct egp_client *c)
{
	if (!c)
		return;
	free(c->effects);
	free(c);
}

static struct egp_client_effect *effect(struct egp_client *c, enum egp_client_effect_type type)
{
	struct egp_client_effect *e;

	if (c->count == EFFECTS_MAX) {
		c->first = (c->first + 1) % EFFECTS_MAX;
		c->count--;
	}
	e = &c->effects[(c->first + c->count++) % EFFECTS_MAX];
	memset(e, 0, sizeof *e);
	e->type = type;
	return e;
}

/* What the message borrows is in the effect's own octets: it points there again after the copy. */
bool egp_client_output(struct egp_client *c, struct egp_client_effect *e)
{
	if (c->count == 0)
		return false;
	*e = c->effects[c->first];
	c->first = (c->first + 1) % EFFECTS_MAX;
	c->count--;
	if (e->type != EGP_CLIENT_WRITE && e->len > 0 && egp_decode(rd_of(e->octets, e->len), &e->message) != OK)
		return false;
	return true;
}

static void send(struct egp_client *c, const struct egp_message *m)
{
	struct egp_client_effect *e = effect(c, EGP_CLIENT_WRITE);
	struct wr w = wr_of(e->octets, sizeof e->octets);

	if (egp_encode(m, &w) == OK)
		e->len = w.len;
}

static void hello(struct egp_client *c, uint64_t now)
{
	struct egp_message m = {.type = EGP_HELLO, .transaction = ++c->transaction};

	m.hello.gateway = c->config.gateway;
	m.hello.pan_id = c->config.pan_id;
	m.hello.extended_pan_id = c->config.extended_pan_id;
	m.hello.channel = c->config.channel;
	m.hello.highest_version = EGP_VERSION;
	m.hello.epoch = c->config.epoch;
	m.software = rd_str("keyway-gateway/" KEYWAY_VERSION);
	send(c, &m);
	c->hello_at = now + HELLO_UNHEARD_MS;
}

/* A serial line does not tell that the EG at its other end was started anew and waits for a HELLO: silence does. */
static void expect_answer(struct egp_client *c, uint64_t by)
{
	if (by < c->hello_at)
		c->hello_at = by;
}

void egp_client_connected(struct egp_client *c, uint64_t now)
{
	c->connected = true;
	c->up = false;
	c->silent_at = now + SILENCE_MS;
	c->ping_at = now + PING_MS;
	hello(c, now);
}

void egp_client_disconnected(struct egp_client *c)
{
	c->connected = c->up = false;
	c->ping_at = c->silent_at = c->hello_at = CLOCK_NEVER;
}

static void ask(struct egp_client *c, uint64_t now, struct asked *a)
{
	struct egp_message m = {.type = EGP_REQUEST, .transaction = a->transaction};

	m.request.gateway = c->config.gateway;
	m.request.device = a->device;
	m.request.device_short = a->short_address;
	m.request.pan_id = c->config.pan_id;
	m.request.extended_pan_id = c->config.extended_pan_id;
	m.request.channel = c->config.channel;
	m.request.capability = a->capability;
	m.request.kind = a->kind;
	a->again = now + ANSWER_MS;
	if (!c->up)
		return;
	a->tries++;
	send(c, &m);
	expect_answer(c, now + ANSWER_MS);
}

void egp_client_request(struct egp_client *c, uint64_t now, uint64_t device, uint16_t short_address, uint8_t capability, enum egp_join_kind kind)
{
	struct asked *slot = NULL;

	for (size_t i = 0; i < REQUESTS_MAX; i++) {
		struct asked *a = &c->asked[i];

		if (a->used && a->device == device) {
			slot = a;
			break;
		}
		if (!a->used && !slot)
			slot = a;
	}
	if (!slot)
		return; /* a flood; the device tries again */
	*slot = (struct asked){.used = true, .device = device, .short_address = short_address, .capability = capability, .kind = kind, .transaction = ++c->transaction};
	ask(c, now, slot);
}

static struct asked *asked_for(struct egp_client *c, uint64_t device, uint32_t transaction)
{
	for (size_t i = 0; i < REQUESTS_MAX; i++)
		if (c->asked[i].used && c->asked[i].device == device && c->asked[i].transaction == transaction)
			return &c->asked[i];
	return NULL;
}

static void pass_on(struct egp_client *c, enum egp_client_effect_type type, struct rd message)
{
	struct egp_client_effect *e = effect(c, type);

	memcpy(e->octets, message.at, message.left);
	e->len = message.left;
}

static void on_error(struct egp_client *c, uint64_t now, const struct egp_message *m, struct rd message)
{
	struct asked *a = asked_for(c, m->error.device, m->transaction);
	bool again = m->error.retry_after_s > 0 && (m->error.code == EGP_ERROR_NOT_PERMITTED || m->error.code == EGP_ERROR_RATE_LIMITED || m->error.code == EGP_ERROR_INTERNAL);

	if (!a || !again || a->tries >= TRIES) {
		if (a)
			a->used = false;
		pass_on(c, EGP_CLIENT_REFUSED, message);
		return;
	}
	a->transaction = ++c->transaction;
	a->again = now + m->error.retry_after_s * 1000ULL;
}

static void acknowledge(struct egp_client *c, const struct egp_message *m)
{
	struct egp_message ack = {.type = EGP_ACK, .transaction = m->transaction};

	ack.acked_type = (uint8_t)m->type;
	send(c, &ack);
}

/* Without a packet it is no answer: the EG tells of a device that joins through a router. */
static void on_response(struct egp_client *c, const struct egp_message *m, struct rd message)
{
	struct asked *a = asked_for(c, m->response.device, m->transaction);

	if (!a && m->response.packet.left > 0)
		return; /* the answer to a question that was withdrawn */
	if (a)
		a->used = false;
	pass_on(c, EGP_CLIENT_PACKET, message);
}

void egp_client_message(struct egp_client *c, uint64_t now, struct rd message)
{
	struct egp_message m, pong = {.type = EGP_PONG};

	if (egp_decode(message, &m) != OK) {
		(void)effect(c, EGP_CLIENT_CLOSE);
		return;
	}
	c->silent_at = now + SILENCE_MS;
	if (!c->up && m.type == EGP_ERROR) {
		/* refused: an operator may register us yet */
		c->hello_at = now + HELLO_AGAIN_MS;
		pass_on(c, EGP_CLIENT_REFUSED, message);
		return;
	}
	if (!c->up && m.type != EGP_HELLO_ACK)
		return;
	c->hello_at = CLOCK_NEVER;
	switch (m.type) {
	case EGP_HELLO_ACK:
		c->up = true;
		(void)effect(c, EGP_CLIENT_UP);
		for (size_t i = 0; i < REQUESTS_MAX; i++)
			if (c->asked[i].used)
				ask(c, now, &c->asked[i]);
		break;
	case EGP_JOIN_POLICY:
		acknowledge(c, &m);
		pass_on(c, EGP_CLIENT_POLICY, message);
		break;
	case EGP_RESPONSE:
		on_response(c, &m, message);
		break;
	case EGP_ERROR:
		on_error(c, now, &m, message);
		break;
	case EGP_DEVICE_REMOVE:
		acknowledge(c, &m);
		pass_on(c, EGP_CLIENT_REMOVE, message);
		break;
	case EGP_PING:
		pong.transaction = m.transaction;
		send(c, &pong);
		break;
	case EGP_PONG:
	case EGP_ACK:
	case EGP_HELLO:
	case EGP_REQUEST:
	case EGP_DEVICE_GONE:
	case EGP_UPLINK:
	case EGP_DOWNLINK:
	case EGP_DELIVERY:
	case EGP_CHILD_SET:
	case EGP_CHILD_EVENT:
	case EGP_CHILD_DROP:
		break;
	}
}

void egp_client_tick(struct egp_client *c, uint64_t now)
{
	struct egp_message ping = {.type = EGP_PING};

	if (now >= c->silent_at) {
		c->silent_at = CLOCK_NEVER;
		(void)effect(c, EGP_CLIENT_CLOSE);
		return;
	}
	if (now >= c->hello_at)
		hello(c, now);
	if (now >= c->ping_at && c->up) {
		c->ping_at = now + PING_MS;
		ping.transaction = ++c->transaction;
		send(c, &ping);
		expect_answer(c, now + PONG_MS);
	}
	for (size_t i = 0; i < REQUESTS_MAX; i++) {
		struct asked *a = &c->asked[i];

		if (!c->up || !a->used || now < a->again)
			continue;
		if (a->tries >= TRIES)
			a->used = false;
		else
			ask(c, now, a); /* the same transaction: the EG answers with the same packet */
	}
}

uint64_t egp_client_deadline(const struct egp_client *c)
{
	uint64_t next = c->silent_at;

	if (c->up && c->ping_at < next)
		next = c->ping_at;
	if (c->hello_at < next)
		next = c->hello_at;
	for (size_t i = 0; i < REQUESTS_MAX; i++)
		if (c->up && c->asked[i].used && c->asked[i].again < next)
			next = c->asked[i].again;
	return next;
}
