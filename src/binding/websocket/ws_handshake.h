/* The opening handshake, RFC 6455 clause 4, with the sub-protocols of TS-0020 clause 6.2.2.9. Text in, text out. */
#ifndef KEYWAY_BINDING_WEBSOCKET_WS_HANDSHAKE_H
#define KEYWAY_BINDING_WEBSOCKET_WS_HANDSHAKE_H

#include "base/rng.h"
#include "serialization/serialization.h"

#define WS_KEY_SIZE 25    /* 16 octets in base64 */
#define WS_ACCEPT_SIZE 29 /* 20 */
#define WS_HEAD_MAX 8192  /* of a server's answer */

const char *ws_protocol_name(enum serialization s); /* "oneM2M.json" */

/* ---- server ---- */

/* What a client asks, collected header field by header field (names in lower case). */
struct ws_opening {
	bool upgrade, connection, version, has_version, key, twice, chosen;
	enum serialization protocol; /* the first of ours in the client's order */
	char accept[WS_ACCEPT_SIZE];
	const char *origin;          /* of a page in a browser; NULL: not from one */
};
void ws_opening_header(struct ws_opening *o, const char *name, const char *value);
/* Whether the request wants to become a WebSocket at all. */
bool ws_opening_is_meant(const struct ws_opening *o);
/* The HTTP status of a refusal, with a sentence; 101 when all is well. */
unsigned ws_opening_status(const struct ws_opening *o, const char **why);

/* ---- client ---- */

void ws_request_key(struct rng *rng, char key[static WS_KEY_SIZE]);
/* Offers `first`, then the others. */
void ws_request_write(struct wr *w, const char *host_port, const char *path, const char *key, enum serialization first);
/* The server's answer: OK with what it chose, and `rest` behind the head; ERR_SHORT when more must come; otherwise the handshake failed. */
enum err ws_response_read(struct rd octets, const char *key, enum serialization *protocol, struct rd *rest) MUST_CHECK;

/* "ws://host:port/path"; host_port with the default port where there is none, path "/" likewise. */
bool ws_url_parse(const char *url, bool *secure, char *host_port, size_t host_size, char *path, size_t path_size) MUST_CHECK;

#endif
