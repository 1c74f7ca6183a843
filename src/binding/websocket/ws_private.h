/* What the files of the WebSocket binding share. */
#ifndef KEYWAY_BINDING_WEBSOCKET_WS_PRIVATE_H
#define KEYWAY_BINDING_WEBSOCKET_WS_PRIVATE_H

#include "binding/primitive/envelope.h"
#include "binding/websocket/websocket_binding.h"
#include "binding/websocket/ws_handshake.h"
#include "binding/websocket/ws_link.h"
#include "loop/stream.h"

#define WS_ID_MAX 256
#define WS_URL_MAX 512
#define WS_IDS_MAX 16         /* entities behind one connection; the oldest goes */
#define WS_BUCKETS 1024       /* of the table of entities */
#define WS_ROOM_KEPT 8192     /* octets that are kept for the next answer */
#define WS_WAITING_MAX (ENVELOPE_OUT_MAX + 65536) /* octets that a peer has not taken yet */

/* An entity that is reached over a connection. */
struct ws_entity {
	struct ws_entity *next;       /* in its bucket */
	struct ws_peer *peer;
	char id[WS_ID_MAX];           /* "/id-in/Cae1" */
};

/* A request of ours that waits for its answer. */
struct ws_asked {
	struct ws_asked *next;
	struct ws_peer *peer;
	struct loop_timer *timer;
	const struct onem2m_request *rq; /* borrowed until done */
	bool sent;                    /* otherwise the connection is not open yet */
	char id[WS_ID_MAX];           /* rqi as it is on the wire */
	cse_done *done;
	void *ctx;
};

/* A request of the peer's that the CSE works on. */
struct ws_served {
	struct ws_served *next;
	struct ws_peer *peer;         /* NULL: gone meanwhile */
	struct websocket_binding *binding;
	struct envelope *envelope;
};

enum ws_state { WS_CONNECTING, WS_OPENING /* a client, until the server's handshake is there */, WS_OPEN, WS_ENDED };

struct ws_peer {
	struct ws_peer *next, **at;   /* in binding->peers */
	struct websocket_binding *binding;
	enum ws_state state;
	bool client;                  /* we opened it */
	bool pinged;
	bool leaving;                 /* a client that said goodbye: new requests take a new connection */
	enum serialization serialization;
	struct stream *stream;
	struct ws_link *link;
	uint64_t heard_ms;            /* octets came */
	uint64_t used_ms;             /* of a client: a message went or came; it is closed when that was long ago */
	struct ws_asked *asked;
	struct ws_served *served;
	size_t asked_count, served_count;
	uint64_t number;              /* no other connection had it */
	enum err failure;             /* why it ends, for who waits for answers */
	const char *why;
	char name[32];                /* "ws 7": the number, for those that do not say who they are */
	char address[64];
	char noted[WS_ID_MAX];        /* the From that was noted last: most connections have one only; "" before */
	struct ws_entity *entities[WS_IDS_MAX];
	size_t entity_count;
	/* of a client */
	char url[WS_URL_MAX], target[WS_ID_MAX], key[WS_KEY_SIZE], host_port[128], path[WS_URL_MAX];
};

struct websocket_binding {
	struct loop *loop;
	struct websocket_config config;
	struct once *once;
	struct rng rng;
	struct wr room;               /* for the answer that is put together; streams copy it */
	struct loop_timer *sweep;
	struct ws_peer *peers;
	struct ws_seeking *seeking;
	struct ws_served *orphans;    /* whose peers are gone; the CSE still answers them */
	size_t accepted;              /* peers that came to us, and those that are being upgraded */
	struct ws_entity *entities[WS_BUCKETS];
	uint64_t numbers, connections; /* count */
	bool ending;
};

/* ws_peer.c: what goes over a connection */
struct ws_peer *ws_peer_new(struct websocket_binding *b, bool client);
void ws_peer_open(struct ws_peer *p, struct stream *s, enum serialization protocol, bool server); /* takes the stream; sends what waits */
void ws_peer_input(struct ws_peer *p, struct rd octets);
void ws_peer_ask(struct ws_peer *p, const struct onem2m_request *rq, cse_done *done, void *ctx);
void ws_peer_end(struct ws_peer *p, bool gently); /* frees it; whoever waits hears that it cannot be reached. Gently: what was written goes out */
extern const struct stream_events ws_peer_events;

/* ws_entity.c: who is reached over which connection */
void ws_entity_note(struct ws_peer *p, const char *id);
struct ws_peer *ws_entity_find(const struct websocket_binding *b, const char *id, uint64_t before); /* the newest open one with a lower number; NULL */
void ws_entities_forget(struct ws_peer *p);
/* The SP-relative ID of an AE of this CSE, or of a CSE, as a From or an AE-ID names it; false for anybody else. */
bool ws_entity_id(const struct identity_self *self, struct rd from, char *id, size_t size) MUST_CHECK;

#endif
