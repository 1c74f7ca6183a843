/* Handshakes against a server. */
#include "bench/handshake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/process_figures.h"

#define CLIENTS_MAX 64
#define ANSWER_MAX 16384
#define PSK_OCTETS 32

struct counts {
	uint64_t handshakes, failures;
};

struct client {
	const struct handshake_options *o;
	gnutls_certificate_credentials_t certificates;
	gnutls_psk_client_credentials_t psk;
	gnutls_priority_t priority;
};

static bool credentials(struct client *c)
{
	const struct handshake_options *o = c->o;
	gnutls_datum_t key = {(unsigned char *)(uintptr_t)o->psk, PSK_OCTETS};

	if (gnutls_priority_init(&c->priority, o->priority, NULL) != 0)
		return false;
	if (!o->cert)
		return gnutls_psk_allocate_client_credentials(&c->psk) == 0 &&
		    gnutls_psk_set_client_credentials(c->psk, o->identity, &key, GNUTLS_PSK_KEY_RAW) == 0;
	return gnutls_certificate_allocate_credentials(&c->certificates) == 0 &&
	    gnutls_certificate_set_x509_trust_file(c->certificates, o->ca, GNUTLS_X509_FMT_PEM) > 0 &&
	    gnutls_certificate_set_x509_key_file(c->certificates, o->cert, o->key, GNUTLS_X509_FMT_PEM) == 0;
}

static int connected(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	/* No TIME-WAIT is left behind: thousands a second would use up the ports. */
	struct linger now = {1, 0};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
		return fd;
	close(fd);
	return -1;
}

/* A session that is open, or NULL. */
static gnutls_session_t session_open(struct client *c, int fd)
{
	gnutls_session_t s;
	int r;

	if (gnutls_init(&s, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS) != 0)
		return NULL;
	gnutls_priority_set(s, c->priority);
	gnutls_server_name_set(s, GNUTLS_NAME_DNS, c->o->name, strlen(c->o->name));
	if (c->o->cert)
		gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, c->certificates);
	else
		gnutls_credentials_set(s, GNUTLS_CRD_PSK, c->psk);
	gnutls_transport_set_int(s, fd);
	gnutls_handshake_set_timeout(s, 10000);
	do
		r = gnutls_handshake(s);
	while (r < 0 && !gnutls_error_is_fatal(r));
	if (r == 0)
		return s;
	gnutls_deinit(s);
	return NULL;
}

/* With TLS 1.3 the server may refuse after our part is done: its goodbye says that it did not. */
static bool goodbye(gnutls_session_t s)
{
	int r;

	do
		r = gnutls_bye(s, GNUTLS_SHUT_RDWR);
	while (r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED);
	return r == 0 || r == GNUTLS_E_PREMATURE_TERMINATION;
}

static bool handshake(struct client *c)
{
	int fd = connected(c->o->port);
	gnutls_session_t s = fd >= 0 ? session_open(c, fd) : NULL;
	bool good = s && goodbye(s);

	if (s)
		gnutls_deinit(s);
	if (fd >= 0)
		close(fd);
	return good;
}

/* ---- requests ---- */

static bool answered(gnutls_session_t s, const char *wanted)
{
	char text[ANSWER_MAX];
	size_t n = 0;

	for (;;) {
		const char *end, *length;
		ssize_t r;

		do
			r = gnutls_record_recv(s, text + n, sizeof text - 1 - n);
		while (r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED);
		if (r <= 0)
			return false;
		n += (size_t)r;
		text[n] = '\0';
		end = strstr(text, "\r\n\r\n");
		length = strstr(text, "Content-Length: ");
		if (end && length && n >= (size_t)(end + 4 - text) + strtoul(length + 16, NULL, 10))
			return strstr(text, wanted) != NULL;
	}
}

static void requests(struct client *c, uint64_t end, struct counts *n)
{
	int fd = connected(c->o->port);
	gnutls_session_t s = fd >= 0 ? session_open(c, fd) : NULL;
	size_t len = strlen(c->o->request);

	bool good = s != NULL;

	do {
		good = good && gnutls_record_send(s, c->o->request, len) == (ssize_t)len && answered(s, c->o->wanted);
		if (good)
			n->handshakes++;
		else
			n->failures++;
	} while (good && clock_ms() < end);
	if (s)
		gnutls_deinit(s);
	if (fd >= 0)
		close(fd);
}

static void client_run(const struct handshake_options *o, int out)
{
	struct client c = {.o = o};
	struct counts n = {0, 0};
	uint64_t end = clock_ms() + o->time_ms;
	bool ready;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	ready = credentials(&c);
	if (ready && o->request)
		requests(&c, end, &n);
	while (ready && !o->request && clock_ms() < end) {
		if (handshake(&c))
			n.handshakes++;
		else
			n.failures++;
	}
	_exit(write(out, &n, sizeof n) == (ssize_t)sizeof n ? 0 : 1);
}

enum err handshake_run(const struct handshake_options *o, struct handshake_result *r)
{
	unsigned clients = o->clients < CLIENTS_MAX ? o->clients : CLIENTS_MAX, answers = 0;
	uint64_t cpu = process_cpu_us(o->server), begin = clock_ms();
	pid_t pids[CLIENTS_MAX];
	struct counts n;
	int ends[2];

	memset(r, 0, sizeof *r);
	if (pipe(ends) != 0)
		return ERR_IO;
	for (unsigned i = 0; i < clients; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			client_run(o, ends[1]);
	}
	close(ends[1]);
	while (answers < clients && (o->stop == NULL || !*o->stop)) {
		ssize_t got = read(ends[0], &n, sizeof n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got != (ssize_t)sizeof n)
			break;
		answers++;
		r->handshakes += n.handshakes;
		r->failures += n.failures;
	}
	r->seconds = (double)(clock_ms() - begin) / 1e3;
	if (r->handshakes)
		r->server_cpu_us = (double)(process_cpu_us(o->server) - cpu) / (double)r->handshakes;
	for (unsigned i = 0; i < clients; i++) {
		if (pids[i] <= 0)
			continue;
		if (o->stop && *o->stop)
			kill(pids[i], SIGTERM);
		waitpid(pids[i], NULL, 0);
	}
	close(ends[0]);
	if (o->stop && *o->stop)
		return ERR_CLOSED;
	return answers == clients && r->handshakes > 0 ? OK : ERR_TLS;
}
