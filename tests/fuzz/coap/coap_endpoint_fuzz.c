/* An endpoint among strangers. Whatever comes and when: the same octets from one peer are not handled twice while they are remembered, each
 * request is answered once at most, each of our own ends exactly once, and all that is sent can be read.
 *
 * The input is a list of events: 0 length(2) datagram, from one of four peers; 1 minutes: time passes; 2 what(1): we ask; 3: a request that
 * waits is answered; 4 peer: nobody is there. */
#include <string.h>

#include "base/clock.h"
#include "coap/coap_endpoint.h"
#include "../fuzz.h"

#define KEPT 64
#define BODY_MAX 4096

static const struct coap_option_rule rules[] = {{279, 1, 255, false}};
static struct coap_exchange *waiting[KEPT];
static size_t waiting_count;
static unsigned asked, ended;
static uint64_t now;
static bool handled; /* during the present datagram */
static struct {
	struct coap_peer from;
	uint8_t octets[64];
	size_t len;
	uint64_t at;
} seen[KEPT];
static size_t seen_count;

static void on_send(void *ctx, const struct coap_peer *to, struct rd datagram)
{
	struct coap_message m;

	(void)ctx;
	(void)to;
	MUST(coap_message_decode(datagram, &m) == OK);
}

static void answer(struct coap_exchange *x, size_t len)
{
	static uint8_t body[BODY_MAX];
	const struct coap_option o = {279, rd_str("CAdmin")};

	if (len % 5 == 4)
		coap_exchange_silence(x, now);
	else
		coap_exchange_answer(x, now, &(const struct coap_answer){COAP_CONTENT, &o, 1, rd_of(body, len * 41 % BODY_MAX)});
}

static void on_request(void *ctx, struct coap_exchange *x, const struct coap_message *m)
{
	(void)ctx;
	handled = true;
	MUST(m->payload.left <= BODY_MAX);
	if (waiting_count == KEPT || m->code % 2 == 0)
		answer(x, m->payload.left);
	else
		waiting[waiting_count++] = x;
}

static void on_done(void *ctx, const struct coap_result *r)
{
	(void)ctx;
	ended++;
	MUST((r->error == OK) == (r->m != NULL) && (!r->m || r->m->payload.left <= BODY_MAX));
}

static void arrive(struct coap_endpoint *e, const struct coap_peer *from, struct rd datagram)
{
	bool before = false;

	for (size_t i = 0; i < seen_count; i++)
		before = before || (seen[i].from.port == from->port && now - seen[i].at < COAP_EXCHANGE_LIFETIME_MS && rd_equal(rd_of(seen[i].octets, seen[i].len), datagram));
	handled = false;
	coap_endpoint_input(e, now, from, datagram);
	MUST(!before || !handled);
	if (handled && seen_count < KEPT && datagram.left <= sizeof seen[0].octets) {
		seen[seen_count].from = *from;
		seen[seen_count].len = datagram.left;
		memcpy(seen[seen_count].octets, datagram.at, datagram.left);
		seen[seen_count++].at = now;
	}
}

static void event(struct coap_endpoint *e, struct rd *in, uint8_t what)
{
	static const uint8_t body[BODY_MAX];
	const struct coap_option path = {COAP_URI_PATH, rd_str("cse-in")};
	struct coap_peer peer = {0, 1, (uint16_t)(what >> 4 & 3)};
	struct rd datagram;
	uint16_t len;
	uint8_t n;

	switch (what & 7) {
	case 0:
		if (rd_be16(in, &len) && rd_sub(in, len, &datagram))
			arrive(e, &peer, datagram);
		break;
	case 1:
		if (rd_u8(in, &n))
			now += n * 60000U;
		coap_endpoint_tick(e, now);
		break;
	case 2:
		if (!rd_u8(in, &n) || asked == KEPT)
			break;
		asked++;
		coap_call_new(e, now, &peer, &(const struct coap_question){n % 2 ? COAP_GET : COAP_POST, &path, 1, rd_of(body, n * 16U), 30000}, on_done, NULL);
		break;
	case 3:
		if (waiting_count > 0)
			answer(waiting[--waiting_count], what);
		break;
	case 4:
		coap_endpoint_unreachable(e, now, &peer);
		break;
	default:
		now += what;
		coap_endpoint_tick(e, now);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rng rng = rng_seeded(1);
	const struct coap_config c = {on_send, on_request, NULL, &rng, rules, 1, BODY_MAX};
	struct coap_endpoint *e = coap_endpoint_new(&c);
	struct rd in = rd_of(data, size);
	uint8_t what;

	MUST(e);
	waiting_count = asked = ended = 0;
	seen_count = 0;
	now = 1000;
	while (rd_u8(&in, &what))
		event(e, &in, what);
	while (waiting_count > 0)
		answer(waiting[--waiting_count], 3);
	while (coap_endpoint_deadline(e) != CLOCK_NEVER) {
		now = coap_endpoint_deadline(e) > now ? coap_endpoint_deadline(e) : now;
		coap_endpoint_tick(e, now);
	}
	MUST(ended == asked);
	coap_endpoint_free(e);
	return 0;
}
