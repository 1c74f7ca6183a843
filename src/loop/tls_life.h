/* How long an association may take to come about, and how long it lasts; and the line in the log when it does not come about. */
#ifndef KEYWAY_LOOP_TLS_LIFE_H
#define KEYWAY_LOOP_TLS_LIFE_H

#include "loop/loop.h"
#include "tls/tls_session.h"

#define TLS_HANDSHAKE_MS 30000

/* Zero is an association that has none. */
struct tls_life {
	struct loop_timer *timer;
	uint64_t expires_at; /* Unix seconds; 0: never */
	void (*over)(void *ctx);
	void *ctx;
};

/* `over` is called when the handshake takes too long, and when the credential ends. */
void tls_life_begin(struct tls_life *t, struct loop *l, void (*over)(void *ctx), void *ctx);
void tls_life_opened(struct tls_life *t, struct tls_session *s);
void tls_life_end(struct tls_life *t);

/* Logs why, at most TLS_REFUSALS_A_MINUTE times a minute: anybody can bring it about. */
#define TLS_REFUSALS_A_MINUTE 600
void tls_life_refused(struct tls_session *s, bool server, const char *address);
/* Logs what is the matter with the files of trust, once. tls_life_opened and tls_life_refused do it too. */
void tls_life_trouble(struct tls_session *s);
/* Whether a credential with this end may still ask. */
bool tls_life_lasts(uint64_t expires_at);

#endif
