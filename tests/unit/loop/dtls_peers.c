/* Many DTLS peers at one UDP socket, each with a pre-shared key: all are served, what each costs, and that hellos with forged cookies cost nothing.
 * usage: dtls_peers COUNT. The server is a process of its own; it answers "?" with its number of sessions and its memory. */
#include <arpa/inet.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "keys/secret.h"
#include "loop/datagram.h"
#include "tls/psk_source.h"

#define FORGED 50000

#define MUST(what)                                                              \
	do {                                                                    \
		if (!(what)) {                                                  \
			fprintf(stderr, "line %d: %s\n", __LINE__, #what);      \
			exit(1);                                                \
		}                                                               \
	} while (0)

static const uint8_t key[16] = "0123456789abcde";

/* ---- the server ---- */

static void *find(void *source, const char *identity, psk_done *done, void *ctx)
{
	struct psk_answer a = {0};
	uint8_t copy[sizeof key];

	(void)source;
	memcpy(copy, key, sizeof key);
	a.key = secret_take(copy, sizeof copy);
	snprintf(a.entity, sizeof a.entity, "m2m://keyway.example/id-in/C%s", identity);
	done(ctx, &a);
	return NULL;
}

static void cancel(void *source, void *handle)
{
	(void)source;
	(void)handle;
}

static unsigned long resident_kib(void)
{
	char line[256];
	unsigned long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "VmRSS: %lu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

static struct datagram_port *port;

static void on_input(void *ctx, const struct datagram_peer *from, struct rd datagram)
{
	char text[64];

	(void)ctx;
	if (!rd_is(datagram, "?")) {
		datagram_send(port, from, datagram);
		return;
	}
	snprintf(text, sizeof text, "%zu %lu", datagram_sessions(port), resident_kib());
	datagram_send(port, from, rd_str(text));
}

static void on_unreachable(void *ctx, const struct datagram_peer *peer, const char *why)
{
	(void)ctx;
	(void)peer;
	(void)why;
}

static void serve(int pipe_out)
{
	static const struct datagram_events events = {on_input, on_unreachable};
	const struct psk_source source = {find, cancel, NULL};
	const struct tls_config nothing = {0};
	struct datagram_credentials c = {0};
	struct loop *l = loop_new();
	char why[TLS_WHY_MAX];
	uint16_t number;

	MUST(tls_credentials_new(&nothing, why, &c.tls) == OK && tls_credentials_psk_source(c.tls, &source) == OK);
	MUST(datagram_open(l, "127.0.0.1:0", &c, &events, NULL, &port) == OK);
	number = datagram_port_number(port);
	MUST(write(pipe_out, &number, sizeof number) == sizeof number);
	loop_run(l);
	exit(0);
}

/* ---- the peers ---- */

struct peer {
	int fd;
	gnutls_session_t tls;
};

static gnutls_psk_client_credentials_t credentials;

static int socket_to(uint16_t number)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(number), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	MUST(fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0);
	return fd;
}

static void wait_for(int fd)
{
	struct pollfd readable = {fd, POLLIN, 0};

	(void)poll(&readable, 1, 1000);
}

static unsigned again; /* handshakes that were begun anew */

/* False: it does not come to an end. One in some hundreds of GnuTLS's non-blocking clients has the server's Finished and goes on waiting; who meets
 * that begins anew, and the server keeps the session of the first attempt until it is idle for too long. */
static bool try_peer(uint16_t number, struct peer *out)
{
	struct peer p = {socket_to(number), NULL};
	uint64_t end = clock_ms() + 5000;
	int r;

	MUST(gnutls_init(&p.tls, GNUTLS_CLIENT | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK) == 0);
	MUST(gnutls_priority_set_direct(p.tls, "NONE:+VERS-DTLS1.2:+PSK:+AES-128-CCM-8:+AEAD:+COMP-NULL:+CTYPE-X509:+GROUP-SECP256R1:+SIGN-ECDSA-SHA256", NULL) == 0);
	gnutls_credentials_set(p.tls, GNUTLS_CRD_PSK, credentials);
	gnutls_transport_set_int(p.tls, p.fd);
	gnutls_dtls_set_mtu(p.tls, 1200);
	/* a client of GnuTLS that blocks sleeps 50 ms between its flights */
	while ((r = gnutls_handshake(p.tls)) < 0 && !gnutls_error_is_fatal(r) && clock_ms() < end)
		wait_for(p.fd);
	MUST(r == 0 || !gnutls_error_is_fatal(r));
	*out = p;
	return r == 0;
}

static void peer_free(struct peer *p)
{
	gnutls_deinit(p->tls);
	close(p->fd);
}

static struct peer peer_new(uint16_t number)
{
	struct peer p;

	while (!try_peer(number, &p)) {
		peer_free(&p);
		MUST(++again < 10);
	}
	return p;
}

static size_t ask(struct peer *p, const char *text, char *answer, size_t size)
{
	ssize_t n = GNUTLS_E_AGAIN;

	/* datagrams may be lost: a socket holds only so many */
	for (int tries = 0; n < 0 && tries < 30; tries++) {
		MUST(gnutls_record_send(p->tls, text, strlen(text)) > 0);
		wait_for(p->fd);
		n = gnutls_record_recv(p->tls, answer, size - 1);
		MUST(n > 0 || !gnutls_error_is_fatal((int)n));
	}
	MUST(n > 0);
	answer[n] = '\0';
	return (size_t)n;
}

static void stats(struct peer *p, size_t *sessions, unsigned long *kib)
{
	char text[128];

	ask(p, "?", text, sizeof text);
	MUST(sscanf(text, "%zu %lu", sessions, kib) == 2);
}

/* ClientHellos of DTLS 1.2 with a cookie that nobody gave. */
static void flood(uint16_t number)
{
	uint8_t hello[] = {22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 1, 0, 75, /* record */
		1, 0, 0, 63, 0, 1, 0, 0, 0, 0, 0, 63, /* message */
		254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* version, random, session */
		20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, /* cookie */
		0, 2, 0xc0, 0xa8, 1, 0};
	int fds[16];

	for (size_t i = 0; i < 16; i++)
		fds[i] = socket_to(number);
	for (uint32_t i = 0; i < FORGED; i++) {
		memcpy(hello + 27, &i, sizeof i);
		memcpy(hello + 65, &i, sizeof i);
		(void)send(fds[i % 16], hello, sizeof hello, MSG_DONTWAIT);
	}
	for (size_t i = 0; i < 16; i++)
		close(fds[i]);
}

int main(int argc, char **argv)
{
	const gnutls_datum_t shared = {(unsigned char *)(uintptr_t)key, sizeof key};
	size_t count = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 1000, sessions, served;
	struct rlimit files = {count + 64, count + 64};
	unsigned long before, after, flooded;
	struct peer *peers;
	uint64_t began, ended;
	uint16_t number;
	char text[64];
	int ends[2];
	pid_t server;

	MUST(pipe(ends) == 0);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	server = fork();
	if (server == 0)
		serve(ends[1]);
	MUST(server > 0 && read(ends[0], &number, sizeof number) == sizeof number);
	MUST(gnutls_psk_allocate_client_credentials(&credentials) == 0 && gnutls_psk_set_client_credentials(credentials, "meter", &shared, GNUTLS_PSK_KEY_RAW) == 0);
	peers = calloc(count, sizeof *peers);
	MUST(peers);
	peers[0] = peer_new(number);
	stats(&peers[0], &sessions, &before);
	began = clock_ms();
	for (size_t i = 1; i < count; i++)
		peers[i] = peer_new(number);
	ended = clock_ms();
	/* each is still there */
	for (size_t i = 0; i < count; i++) {
		MUST(ask(&peers[i], "hello", text, sizeof text) == 5 && strcmp(text, "hello") == 0);
	}
	stats(&peers[0], &sessions, &after);
	MUST(sessions >= count && sessions <= count + again);
	flood(number);
	served = sessions;
	stats(&peers[0], &sessions, &flooded);
	MUST(sessions == served);
	MUST(flooded < after + 2048);
	printf("%zu DTLS sessions at one socket (%u handshakes begun anew): %.0f handshakes a second, %.1f KiB a session; %d hellos with forged cookies: %lu KiB"
	       " more, no session\n", served, again,
	    1000.0 * (double)(count - 1) / (double)(ended - began + 1), (double)(after - before) / (double)count, FORGED, flooded - after);
	for (size_t i = 0; i < count; i++)
		peer_free(&peers[i]);
	free(peers);
	gnutls_psk_free_client_credentials(credentials);
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	return 0;
}
