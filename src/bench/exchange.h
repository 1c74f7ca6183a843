/* A load generator for other protocols than HTTP: one thread, one epoll, N connections (or UDP sockets) to a port of this machine, one request at a time
 * on each. What a protocol needs to be told apart is a table of three functions. */
#ifndef KEYWAY_BENCH_EXCHANGE_H
#define KEYWAY_BENCH_EXCHANGE_H

#include "bench/load.h"

enum exchange_found {
	EXCHANGE_MORE,    /* no whole message is there: in is as it was */
	EXCHANGE_NOTHING, /* one that asks for nothing */
	EXCHANGE_OPEN,    /* the connection is ready for requests */
	EXCHANGE_GOOD,    /* the answer */
	EXCHANGE_BAD,     /* an answer, but a refusal */
	EXCHANGE_BROKEN,  /* no message of this protocol */
};

/* client is the number of the connection. What is written into out is sent. */
struct exchange_protocol {
	bool datagrams;
	void (*open)(void *ctx, unsigned client, struct wr *out); /* NULL: ready at once */
	void (*request)(void *ctx, unsigned client, uint64_t number, struct wr *out);
	enum exchange_found (*take)(void *ctx, unsigned client, struct rd *in, struct wr *out);
};
struct exchange_options {
	const struct exchange_protocol *protocol;
	void *ctx;
	uint16_t port;
	unsigned connections;
	uint64_t warm_ms, time_ms;
	pid_t server;
	const volatile sig_atomic_t *stop;
};
/* As load_run. A datagram that is lost is not sent again: ERR_TIMEOUT after LOAD_STALL_MS. */
enum err exchange_run(const struct exchange_options *o, struct load_result *r) MUST_CHECK;

/* ---- protocols; each with what it needs as ctx ---- */

/* CoAP: a confirmable GET. onem2m: with From, request identifier and release; otherwise bare. */
struct exchange_coap {
	const char *path;
	bool onem2m;
	uint16_t ids[LOAD_CONNECTIONS_MAX];
};
extern const struct exchange_protocol exchange_coap;
/* One PUT with this body, waited for; for a server that keeps what it is given. */
enum err exchange_coap_put(uint16_t port, const char *path, struct rd body, uint64_t patience_ms) MUST_CHECK;

/* WebSocket, oneM2M.json: a RETRIEVE. */
struct exchange_websocket {
	const char *to;
	bool open[LOAD_CONNECTIONS_MAX];
};
extern const struct exchange_protocol exchange_websocket;

/* MQTT: a RETRIEVE by /oneM2M/req/id-in:CbenchN/RECEIVER/json. */
struct exchange_mqtt {
	const char *receiver, *to;
};
extern const struct exchange_protocol exchange_mqtt;

#endif
