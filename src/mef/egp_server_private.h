/* What the files of the EGP server share. */
#ifndef KEYWAY_MEF_EGP_SERVER_PRIVATE_H
#define KEYWAY_MEF_EGP_SERVER_PRIVATE_H

#include "mef/egp_server.h"
#include "spinel/hdlc.h"

#define SERIAL_RETRY_MS 2000

struct connection {
	struct connection *next;
	struct egp_server *server;
	struct stream *stream;
	struct mef_gateway *gateway; /* NULL: not known (yet) */
	bool psk;                    /* the peer's identity is that of a pre-shared key */
	struct hdlc_decoder *hdlc;   /* a serial line */
	struct serial *line;
};

/* A configured serial line, whether open or not. */
struct serial {
	struct serial *next;
	struct egp_server *server;
	char address[256];
	char gateway[MEF_NAME_MAX];
	struct egp_seal *seal; /* NULL: none */
	struct loop_timer *retry;
	bool complained;
};

struct listener {
	struct listener *next;
	struct egp_server *server;
	struct stream_listener *listener;
	bool psk;
};

struct egp_server {
	struct mef *mef;
	struct connection *connections;
	size_t count;
	struct listener *listeners;
	struct serial *serials;
};

/* egp_server.c */
struct connection *connection_new(struct egp_server *s, struct stream *stream); /* NULL: too many, or no memory */
void connection_free(struct connection *c);
void connection_bind(struct connection *c, struct mef_gateway *g);
void connection_message(struct connection *c, struct rd octets);
void connection_opened(void *ctx);
void connection_closed(void *ctx, enum err why);

/* egp_serial.c */
void serial_frame(struct connection *c, struct rd content); /* as it is, between two flags */
void serial_seal_flush(struct connection *c);

#endif
