/* What the files of the endpoint share. */
#ifndef KEYWAY_COAP_COAP_PRIVATE_H
#define KEYWAY_COAP_COAP_PRIVATE_H

#include "coap/coap_endpoint.h"

#define BUCKETS 4096

/* ---- timers: a binary heap ---- */

struct coap_timer {
	uint64_t at;
	size_t place; /* in the heap, from 1; 0: not armed */
	void (*fn)(struct coap_endpoint *e, struct coap_timer *t, uint64_t now);
};
struct coap_timers {
	struct coap_timer **heap;
	size_t count, room;
};
void coap_timer_at(struct coap_endpoint *e, struct coap_timer *t, uint64_t at);
void coap_timer_stop(struct coap_endpoint *e, struct coap_timer *t);
#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer) - offsetof(type, member)))

/* ---- confirmable messages that wait for their acknowledgement ---- */

struct transmission {
	struct coap_timer timer;
	struct transmission *next; /* in its bucket */
	struct coap_peer peer;
	uint16_t id;
	bool active;
	unsigned tries;
	uint64_t interval;
	struct wr octets; /* owned */
	/* OK: acknowledged; ERR_CLOSED: rejected; ERR_TIMEOUT; ERR_UNREACHABLE. Not active any more then. */
	void (*ended)(struct coap_endpoint *e, struct transmission *t, enum err outcome, uint64_t now);
};
void coap_transmission_start(struct coap_endpoint *e, struct transmission *t, uint64_t now); /* peer, id, octets and ended are set */
void coap_transmission_stop(struct coap_endpoint *e, struct transmission *t);
void coap_transmission_end(struct coap_endpoint *e, struct transmission *t, enum err outcome, uint64_t now);

/* ---- peers that we send to by ourselves ---- */

struct path {
	struct path *next;
	struct coap_peer peer;
	uint16_t next_id;
	unsigned in_flight;
	struct coap_call *first, *last; /* that wait for their turn */
	uint64_t used;
};
struct path *coap_path_of(struct coap_endpoint *e, const struct coap_peer *peer, uint64_t now);

/* ---- what came from a peer, so that it is done once ---- */

struct coap_exchange {
	struct coap_endpoint *endpoint;
	struct coap_exchange *next;          /* in its bucket */
	struct coap_exchange *older, *newer; /* all, by arrival */
	struct coap_peer peer;
	uint64_t digest;                     /* of the datagram */
	uint64_t expires;
	uint64_t key;                        /* of the transfer that it belongs to */
	struct coap_timer timer;             /* empty acknowledgement */
	struct transmission separate;        /* response as a message of its own */
	struct wr answer;                    /* for duplicates; owned */
	struct coap_block block1, block2;
	uint16_t id;
	uint8_t code;
	uint8_t token[COAP_TOKEN_MAX], token_len;
	bool confirmable, waiting, acknowledged, has_block1, has_block2;
};
struct coap_exchange *coap_exchange_find(struct coap_endpoint *e, const struct coap_peer *peer, uint16_t id, uint64_t digest);
struct coap_exchange *coap_exchange_new(struct coap_endpoint *e, const struct coap_peer *peer, const struct coap_message *m, uint64_t digest, uint64_t now);
void coap_exchange_forget_old(struct coap_endpoint *e, uint64_t now);
void coap_exchange_free(struct coap_exchange *x);

/* ---- bodies in blocks; the two directions of the server side have a list each ---- */

struct transfer {
	struct transfer *next; /* the one that moved more recently comes first */
	struct coap_peer peer;
	uint64_t key, expires;
	struct wr head;        /* outgoing: the response without payload */
	struct wr body;
	uint64_t etag;
};
struct transfers {
	struct transfer *first;
	size_t count;
};
struct transfer *coap_transfer_find(struct transfers *l, const struct coap_peer *peer, uint64_t key); /* and makes it the first */
struct transfer *coap_transfer_new(struct coap_endpoint *e, struct transfers *l, const struct coap_peer *peer, uint64_t key, uint64_t now);
void coap_transfer_free(struct transfers *l, struct transfer *t);
void coap_transfers_bound(struct transfers *l, uint64_t now); /* what is too old, and what is too much but for the first */

/* ---- client side ---- */

struct coap_call {
	struct coap_endpoint *endpoint;
	struct coap_call *next, **link;  /* of its bucket, by token */
	struct coap_call *queued;        /* the next in the path's queue */
	struct path *path;
	bool in_flight, waits;           /* counted by the path; in its queue */
	bool too_long;                   /* for one message: options alone */
	uint8_t code, token[COAP_TOKEN_MAX];
	struct coap_option *options;
	size_t option_count;
	uint8_t *octets;                 /* of the options */
	struct wr body, received;
	size_t sent;                     /* octets of the body in blocks before the present one */
	unsigned szx;
	bool blocks;                     /* the body goes in blocks */
	bool fetching;                   /* the rest of a response is asked for */
	struct coap_block next_block;
	uint64_t etag;
	bool has_etag;
	struct transmission transmission;
	struct coap_timer deadline;
	coap_done *done;
	void *ctx;
};

struct coap_endpoint {
	struct coap_config config;
	struct coap_timers timers;
	struct transmission *transmissions[BUCKETS];
	struct path *paths[BUCKETS];
	size_t path_count;
	struct coap_exchange *exchanges[BUCKETS];
	struct coap_exchange *oldest, *newest;
	size_t exchange_count, answers_octets, waiting;
	struct transfers incoming, outgoing;
	struct coap_call *calls[BUCKETS];
};

/* coap_endpoint.c */
bool coap_peer_equal(const struct coap_peer *a, const struct coap_peer *b);
size_t coap_bucket_of(const struct coap_peer *peer, uint32_t more);
uint64_t coap_digest_of(uint64_t seed, struct rd octets); /* FNV-1a; the seed begins as DIGEST_SEED */
#define DIGEST_SEED 0xcbf29ce484222325U
void coap_send_empty(struct coap_endpoint *e, const struct coap_peer *to, enum coap_type type, uint16_t id);
/* The number of an option that is critical and not understood, or too often there, or of a wrong size; 0 when there is none. */
uint16_t coap_option_refused(const struct coap_endpoint *e, const struct coap_message *m);
/* The largest block that leaves a message with so many other octets within COAP_MESSAGE_SIZE. */
unsigned coap_szx_for(size_t other_octets);

/* coap_server.c */
void coap_server_request(struct coap_endpoint *e, uint64_t now, const struct coap_peer *from, const struct coap_message *m, uint64_t digest);
/* coap_client.c */
struct coap_call *coap_call_by_token(struct coap_endpoint *e, const struct coap_message *m, const struct coap_peer *from);
void coap_call_response(struct coap_call *call, uint64_t now, const struct coap_message *m);
void coap_calls_free(struct coap_endpoint *e);
/* Where a request is to be sent as soon as NSTART permits. */
void coap_path_go_on(struct coap_endpoint *e, struct path *p, uint64_t now);

#endif
