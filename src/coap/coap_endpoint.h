/* A CoAP endpoint, client and server in one: RFC 7252 section 4 (acknowledgement, repetition, duplicates), section 5.2 (piggybacked and
 * separate responses) and RFC 7959 (blocks, both ways). Pure: datagrams and times come in, datagrams go out by config.send.
 *
 *	e = coap_endpoint_new(&config);
 *	coap_endpoint_input(e, now, &peer, datagram);      when one arrives: config.request may be called, and coap_done of calls
 *	coap_endpoint_tick(e, now);                        at coap_endpoint_deadline(e), which any call here may change
 *
 * The handler of requests sees whole bodies, each request once: what repeats is answered from memory. An answer that takes longer than a
 * second is sent as a message of its own. Whoever calls sees whole bodies too. */
#ifndef KEYWAY_COAP_COAP_ENDPOINT_H
#define KEYWAY_COAP_COAP_ENDPOINT_H

#include "base/rng.h"
#include "coap/coap_message.h"

/* Transmission parameters, RFC 7252 section 4.8. */
#define COAP_ACK_TIMEOUT_MS 2000
#define COAP_ACK_RANDOM_MS 1000           /* ACK_RANDOM_FACTOR 1.5 */
#define COAP_RETRANSMISSIONS 4
#define COAP_NSTART 1                     /* requests to one peer that wait for any sign of it; the others queue */
#define COAP_EXCHANGE_LIFETIME_MS 247000  /* how long a message may come again */
#define COAP_PROCESSING_DELAY_MS 1000     /* below the least ACK_TIMEOUT: then an empty acknowledgement is sent */
/* What fits into one datagram without fragmentation nearly everywhere, RFC 7252 section 4.6; some receivers take no more. */
#define COAP_MESSAGE_SIZE 1152
/* Bounds of what peers make us keep. */
#define COAP_EXCHANGES_MAX 32768          /* remembered: more than six seconds at 5000 requests a second; repetitions begin after two */
#define COAP_ANSWERS_OCTETS_MAX (16U << 20)
#define COAP_WAITING_MAX 4096             /* requests without an answer yet; more are told 5.03 */
#define COAP_TRANSFERS_MAX 256            /* bodies that come or go by blocks; the one that moved least recently ends */
#define COAP_TRANSFER_OCTETS_MAX (64U << 20)

struct coap_endpoint;
struct coap_exchange; /* a request that waits for its answer */
struct coap_call;     /* a request of ours */

/* Where messages come from and go to. The shell gives its meaning to session: 0 without DTLS. */
struct coap_peer {
	uint64_t session;
	uint32_t address; /* IPv4, host order */
	uint16_t port;
};

/* An option that is understood beside those of RFC 7252 and 7959. One out of its rule is treated as not understood. */
struct coap_option_rule {
	uint16_t number;
	uint16_t least, most; /* octets */
	bool repeats;
};

struct coap_config {
	void (*send)(void *ctx, const struct coap_peer *to, struct rd datagram);
	/* m->payload is the whole body; m is borrowed during the call. The answer may come at once or later: coap_exchange_answer.
	 * NULL: requests are rejected. */
	void (*request)(void *ctx, struct coap_exchange *x, const struct coap_message *m);
	void *ctx;
	struct rng *rng;
	const struct coap_option_rule *rules;
	size_t rule_count;
	size_t body_max;      /* of requests and responses */
};

struct coap_endpoint *coap_endpoint_new(const struct coap_config *c); /* copies c; NULL without memory */
void coap_endpoint_free(struct coap_endpoint *e);                     /* ends every call without telling; accepts NULL */
void coap_endpoint_input(struct coap_endpoint *e, uint64_t now_ms, const struct coap_peer *from, struct rd datagram);
/* The network says that nobody is there: one message to this peer that waits for its acknowledgement ends. False when there is none. */
bool coap_endpoint_unreachable(struct coap_endpoint *e, uint64_t now_ms, const struct coap_peer *peer);
void coap_endpoint_tick(struct coap_endpoint *e, uint64_t now_ms);
uint64_t coap_endpoint_deadline(const struct coap_endpoint *e); /* CLOCK_NEVER when there is none */

/* ---- server side ---- */
struct coap_answer {
	uint8_t code;
	const struct coap_option *options; /* without those of blocks */
	size_t option_count;
	struct rd body;
};
const struct coap_peer *coap_exchange_peer(const struct coap_exchange *x);
/* Once; x is no longer the caller's afterwards. */
void coap_exchange_answer(struct coap_exchange *x, uint64_t now_ms, const struct coap_answer *a);
void coap_exchange_silence(struct coap_exchange *x, uint64_t now_ms); /* acknowledged at most */

/* ---- client side ---- */
struct coap_question {
	uint8_t code;
	const struct coap_option *options; /* without those of blocks; copied, as the body is */
	size_t option_count;
	struct rd body;
	uint64_t timeout_ms;
};
struct coap_result {
	enum err error;                 /* OK; ERR_TIMEOUT, ERR_UNREACHABLE, ERR_CLOSED (rejected), ERR_MALFORMED, ERR_TOO_LONG, ERR_UNSUPPORTED */
	const struct coap_message *m;   /* with OK: borrowed during the callback; m->payload is the whole body */
};
typedef void coap_done(void *ctx, const struct coap_result *r); /* once, never from within coap_call_new */
struct coap_call *coap_call_new(struct coap_endpoint *e, uint64_t now_ms, const struct coap_peer *to, const struct coap_question *q, coap_done *done,
    void *ctx); /* never NULL */

#endif
