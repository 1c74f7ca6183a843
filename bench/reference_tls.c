/* A bare GnuTLS server: accept, handshake, goodbye. What the handshakes of MAF and MEF are compared with. One thread, epoll, nothing else; clients are
 * verified as MAF and MEF do: by the chain up to the CA, or by the pre-shared key. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "bench/handshake.h"

#define EVENTS 64
#define LINE_MAX_OCTETS 512
#define PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-PSK:+PSK:%SERVER_PRECEDENCE"

struct connection {
	gnutls_session_t tls;
	int fd;
	bool open;
};

static char identity[LINE_MAX_OCTETS];
static uint8_t psk[64];
static size_t psk_len;

static int on_psk(gnutls_session_t s, const char *name, gnutls_datum_t *key)
{
	(void)s;
	if (strcmp(name, identity) != 0 || !(key->data = gnutls_malloc(psk_len)))
		return -1;
	memcpy(key->data, psk, psk_len);
	key->size = (unsigned)psk_len;
	return 0;
}

static bool psk_read(const char *path)
{
	char line[LINE_MAX_OCTETS];
	FILE *f = fopen(path, "r");
	struct rd text, name;
	bool good = f && fgets(line, sizeof line, f);

	if (f)
		fclose(f);
	if (!good)
		return false;
	text = rd_of(line, strcspn(line, "\r\n"));
	good = rd_until(&text, ':', &name) && rd_text(name, identity, sizeof identity) && hex_parse_loose(text, psk, sizeof psk, &psk_len);
	bytes_wipe(line, sizeof line);
	return good;
}

static int listener(uint16_t *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 1024) != 0 || getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		return -1;
	*port = ntohs(a.sin_port);
	return fd;
}

static void end(struct connection *c)
{
	gnutls_deinit(c->tls);
	close(c->fd);
	free(c);
}

static void go_on(struct connection *c)
{
	unsigned status = ~0U;
	char octet;
	ssize_t n;
	int r;

	if (!c->open) {
		r = gnutls_handshake(c->tls);
		if (r == GNUTLS_E_AGAIN || (r < 0 && !gnutls_error_is_fatal(r)))
			return;
		if (r < 0 || (gnutls_auth_get_type(c->tls) == GNUTLS_CRD_CERTIFICATE && (gnutls_certificate_verify_peers2(c->tls, &status) != 0 || status != 0))) {
			end(c);
			return;
		}
		c->open = true;
	}
	while ((n = gnutls_record_recv(c->tls, &octet, 1)) > 0)
		;
	if (n == GNUTLS_E_AGAIN)
		return;
	if (n == 0)
		gnutls_bye(c->tls, GNUTLS_SHUT_WR);
	end(c);
}

struct server {
	int listener, epoll;
	gnutls_certificate_credentials_t certificates;
	gnutls_psk_server_credentials_t psk;
	gnutls_priority_t priority;
};

static void accept_all(struct server *s)
{
	struct epoll_event e = {.events = EPOLLIN};
	struct connection *c;
	int fd, one = 1;

	while ((fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		c = calloc(1, sizeof *c);
		if (!c || gnutls_init(&c->tls, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) != 0)
			abort();
		c->fd = fd;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		gnutls_priority_set(c->tls, s->priority);
		gnutls_credentials_set(c->tls, GNUTLS_CRD_CERTIFICATE, s->certificates);
		gnutls_credentials_set(c->tls, GNUTLS_CRD_PSK, s->psk);
		gnutls_certificate_server_set_request(c->tls, GNUTLS_CERT_REQUIRE);
		gnutls_transport_set_int(c->tls, fd);
		e.data.ptr = c;
		if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
			abort();
	}
}

int reference_tls_main(int argc, char **argv)
{
	struct epoll_event events[EVENTS], e = {.events = EPOLLIN, .data.ptr = NULL};
	struct server s;
	uint16_t port = 0;

	if (argc != 5 || !psk_read(argv[4]) || gnutls_certificate_allocate_credentials(&s.certificates) != 0 ||
	    gnutls_certificate_set_x509_trust_file(s.certificates, argv[1], GNUTLS_X509_FMT_PEM) < 1 ||
	    gnutls_certificate_set_x509_key_file(s.certificates, argv[2], argv[3], GNUTLS_X509_FMT_PEM) != 0 ||
	    gnutls_psk_allocate_server_credentials(&s.psk) != 0 || gnutls_priority_init(&s.priority, PRIORITY, NULL) != 0)
		return 1;
	gnutls_psk_set_server_credentials_function(s.psk, on_psk);
	s.listener = listener(&port);
	s.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s.listener < 0 || s.epoll < 0 || epoll_ctl(s.epoll, EPOLL_CTL_ADD, s.listener, &e) != 0)
		return 1;
	printf("ready tls=%u\n", port);
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(s.epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				go_on(events[i].data.ptr);
			else
				accept_all(&s);
		}
	}
}
