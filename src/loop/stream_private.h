/* What the files of byte streams share: a stream that is there (stream.c), how one is opened (stream_open.c) or accepted (stream_listener.c). */
#ifndef KEYWAY_LOOP_STREAM_PRIVATE_H
#define KEYWAY_LOOP_STREAM_PRIVATE_H

#include "base/wr.h"
#include "loop/address.h"
#include "loop/stream.h"
#include "loop/tls_life.h"
#include "tls/tls_session.h"

enum stream_state {
	STREAM_CONNECTING,
	STREAM_HANDSHAKE,
	STREAM_OPEN,
	STREAM_CLOSED, /* told its owner, or about to */
};

struct stream {
	struct loop *loop;
	struct loop_io *io;
	struct loop_timer *later; /* for what must not be told from within a call of the owner's */
	int fd;
	enum stream_state state;
	enum err why;
	struct tls_session *tls;
	size_t in_len;
	struct wr out;
	size_t out_sent;
	const struct stream_events *events;
	void *ctx;
	stream_accept_fn *accepted; /* server side, until the handshake is done */
	void *accept_ctx;
	void (*end)(void *ctx);     /* in the place of close; or NULL */
	void *end_ctx;
	bool freed, busy, paused;
	bool shut;                  /* ending, all is written: what still comes is dropped until the peer closes, or for END_MS */
	bool ending;                /* nobody cares for it any more but for what is still to be written */
	bool given;                 /* octets came with it */
	struct tls_peer *given_peer; /* somebody else does its TLS */
	struct tls_life life;       /* with TLS */
	char peer[ADDRESS_TEXT_MAX]; /* where it is, for the log */
	uint8_t in[STREAM_FIRST_MAX]; /* behind what each event touches */
};

/* Takes over the descriptor, which does not block; nothing happens before stream_start. NULL without memory: the descriptor is the caller's still. */
struct stream *stream_make(struct loop *l, int fd, enum stream_state state);
/* To be called before stream_start; tls NULL: without. false: there are no credentials for this. */
bool stream_attach_tls(struct stream *s, struct tls_credentials *tls, bool server, const char *expected) MUST_CHECK;
void stream_start(struct stream *s, unsigned events); /* LOOP_READ, LOOP_WRITE; the latter tells that it is connected */
void stream_release(struct stream *s); /* now, whatever is being done: of one that nobody has got */

#endif
