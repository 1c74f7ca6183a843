/* TLS handshakes as fast as some clients can make them, one after another each, against a server under test or against the bare loop of
 * bench/reference_tls.c. Each client is a process of its own and uses GnuTLS directly; a handshake counts when the server has said goodbye after it, so
 * that it counts on both sides. */
#ifndef KEYWAY_BENCH_HANDSHAKE_H
#define KEYWAY_BENCH_HANDSHAKE_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct handshake_options {
	uint16_t port;           /* on 127.0.0.1 */
	const char *name;        /* for SNI */
	const char *priority;    /* of GnuTLS */
	const char *ca, *cert, *key; /* PEM files; NULL: PSK */
	const char *identity;
	const uint8_t *psk;      /* 32 octets */
	unsigned clients;        /* at once */
	uint64_t time_ms;
	pid_t server;
	const char *request;     /* NULL: handshakes. Otherwise each client makes one, and sends this whole HTTP request again and again over it */
	const char *wanted;      /* what must be in an answer's head for it to count */
	const volatile sig_atomic_t *stop;
};
struct handshake_result {
	uint64_t handshakes, failures; /* or requests */
	double seconds;
	double server_cpu_us;    /* of each */
};
/* ERR_CLOSED when stopped, ERR_TLS when no credentials could be made. */
enum err handshake_run(const struct handshake_options *o, struct handshake_result *r) MUST_CHECK;

/* Program of its own, `keyway bench reference-tls CA CERT KEY PSK-FILE`: accepts any number of connections, makes the handshake, waits for goodbye.
 * PSK-FILE has a line IDENTITY:HEXKEY. Prints "ready tls=PORT" and runs until SIGTERM. */
int reference_tls_main(int argc, char **argv);

#endif
