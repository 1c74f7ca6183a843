/* Many DTLS peers at one UDP socket, each with an address of its own and a pre-shared key: all are served, nothing is lost and nobody has to begin anew; what
 * each costs; and what others cost who only knock: hellos with forged cookies, and with good ones.
 * usage: dtls_peers COUNT. The server is a process of its own; it answers "?" with its number of sessions and its memory. The peers share one socket, bound
 * to no address, that says with each datagram from which of 127.0.0.0/8 it comes. */
#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wr.h"
#include "keys/secret.h"
#include "loop/datagram.h"
#include "tls/psk_source.h"

#define AT_ONCE 64      /* as many datagrams wait at a socket at most, which holds more than that: none is lost */
#define FORGED 50000    /* hellos */
#define KNOCKERS 4096   /* addresses that show their cookies and say no more: four times what the server keeps of them */
#define KNOCKERS_A_ROUND 16
#define ALONE 1100      /* knocks of one address */
#define GUESTS 100      /* peers who come meanwhile */
#define PATIENCE_MS 120000
#define KIB_A_SESSION 16.0
#define KIB_A_HALF_OPEN 40UL
#ifndef MEMORY_SAYS_NOTHING
#define MEMORY_SAYS_NOTHING false /* sanitizers keep what is freed */
#endif

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
	const struct psk_source source = {find, cancel, NULL, NULL};
	const struct tls_config nothing = {0};
	struct datagram_credentials c = {0};
	struct loop *l = loop_new();
	char why[TLS_WHY_MAX];
	uint16_t number;

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* where the peers fail */
	MUST(tls_credentials_new(&nothing, why, &c.tls) == OK && tls_credentials_psk_source(c.tls, &source) == OK);
	MUST(datagram_open(l, "127.0.0.1:0", &c, &events, NULL, &port) == OK);
	number = datagram_port_number(port);
	MUST(write(pipe_out, &number, sizeof number) == sizeof number);
	loop_run(l);
	exit(0);
}

/* ---- the network ---- */

#define PEERS_AT 0x7f010001U    /* 127.1.0.1 ... */
#define KNOCKERS_AT 0x7f640001U /* 127.100.0.1 ... */
#define ALONE_AT 0x7fc80001U    /* 127.200.0.1 */

struct peer {
	uint32_t address;
	gnutls_session_t tls;
	struct rd in;           /* the datagram that GnuTLS may read; `at` NULL: none */
	bool open, greeted;     /* has had a datagram */
	bool slow;              /* what else comes waits in `late` */
	char answer[64];        /* "": none yet */
};

static int net;
static struct sockaddr_in server_at;
static struct peer *peers;
static struct wr late[8];
static size_t late_count;
static size_t peer_count;
static gnutls_psk_client_credentials_t credentials;
static unsigned knocks_answered;

/* The control message of a datagram: from which address, and at which it came. */
union control {
	struct cmsghdr align;
	uint8_t octets[CMSG_SPACE(sizeof(struct in_pktinfo))];
};

static void send_from(uint32_t address, struct rd datagram)
{
	const struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(address)};
	struct iovec iov = {(void *)(uintptr_t)datagram.at, datagram.left};
	union control c = {0};
	struct msghdr m = {.msg_name = &server_at, .msg_namelen = sizeof server_at, .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c};

	c.align = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO};
	memcpy(CMSG_DATA(&c.align), &info, sizeof info);
	MUST(sendmsg(net, &m, 0) == (ssize_t)datagram.left);
}

/* False: nothing has come. */
static bool receive(uint8_t *octets, size_t size, uint32_t *at, struct rd *datagram)
{
	struct iovec iov = {octets, size};
	struct in_pktinfo info;
	union control c;
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c};
	ssize_t n = recvmsg(net, &m, MSG_DONTWAIT);

	if (n < 0)
		return false;
	MUST(CMSG_FIRSTHDR(&m) && CMSG_FIRSTHDR(&m)->cmsg_type == IP_PKTINFO);
	memcpy(&info, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof info);
	*at = ntohl(info.ipi_addr.s_addr);
	*datagram = rd_of(octets, (size_t)n);
	return true;
}

static void open_net(uint16_t number)
{
	const struct sockaddr_in any = {.sin_family = AF_INET};
	int one = 1;

	server_at = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(number), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	net = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	MUST(net >= 0 && bind(net, (const struct sockaddr *)&any, sizeof any) == 0 && setsockopt(net, IPPROTO_IP, IP_PKTINFO, &one, sizeof one) == 0);
}

/* ---- the peers ---- */

static ssize_t on_push(gnutls_transport_ptr_t ptr, const void *octets, size_t len)
{
	const struct peer *p = ptr;

	send_from(p->address, rd_of(octets, len));
	return (ssize_t)len;
}

static ssize_t on_pull(gnutls_transport_ptr_t ptr, void *octets, size_t size)
{
	struct peer *p = ptr;
	struct rd in = p->in;

	if (!in.at || in.left > size) {
		gnutls_transport_set_errno(p->tls, EAGAIN);
		return -1;
	}
	p->in = rd_of(NULL, 0);
	memcpy(octets, in.at, in.left);
	return (ssize_t)in.left;
}

/* The same answer throughout a call of gnutls_handshake. A client of GnuTLS 3.7 that does not block asks twice while it waits for the server's last flight:
 * whether to retransmit, and, if nothing is there, whether its own flight has been acknowledged. What arrives between the two is read for the second
 * question, and the call returns as if nothing had come: the flight is in GnuTLS, the socket stays silent, and who waits for the socket waits for ever. */
static int on_pull_timeout(gnutls_transport_ptr_t ptr, unsigned ms)
{
	const struct peer *p = ptr;

	(void)ms;
	return p->in.at ? 1 : 0;
}

static void handshake(struct peer *p)
{
	int r = gnutls_handshake(p->tls);

	if (gnutls_error_is_fatal(r))
		fprintf(stderr, "%s\n", gnutls_strerror(r));
	MUST(r == 0 || !gnutls_error_is_fatal(r));
	p->open = r == 0;
}

static void peer_begin(struct peer *p)
{
	MUST(gnutls_init(&p->tls, GNUTLS_CLIENT | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK) == 0);
	MUST(gnutls_priority_set_direct(p->tls, "NONE:+VERS-DTLS1.2:+PSK:+AES-128-CCM-8:+AEAD:+COMP-NULL:+CTYPE-X509:+GROUP-SECP256R1:+SIGN-ECDSA-SHA256", NULL) == 0);
	gnutls_credentials_set(p->tls, GNUTLS_CRD_PSK, credentials);
	gnutls_transport_set_ptr(p->tls, p);
	gnutls_transport_set_push_function(p->tls, on_push);
	gnutls_transport_set_pull_function(p->tls, on_pull);
	gnutls_transport_set_pull_timeout_function(p->tls, on_pull_timeout);
	gnutls_dtls_set_mtu(p->tls, 1200);
	handshake(p);
}

static void peer_input(struct peer *p, struct rd datagram)
{
	ssize_t n;

	if (p->slow && p->greeted) {
		MUST(late_count < 8);
		late[late_count] = wr_new(datagram.left + 1);
		wr_rd(&late[late_count++], datagram);
		return;
	}
	p->greeted = true; /* with its cookie, that it shows now */
	p->in = datagram;
	if (!p->open) {
		handshake(p);
	} else {
		n = gnutls_record_recv(p->tls, p->answer, sizeof p->answer - 1);
		MUST(n > 0 || !gnutls_error_is_fatal((int)n));
		p->answer[n > 0 ? n : 0] = '\0';
	}
	p->in = rd_of(NULL, 0);
}

static void ask(struct peer *p, const char *text)
{
	p->answer[0] = '\0';
	MUST(gnutls_record_send(p->tls, text, strlen(text)) > 0);
}

/* ---- those who only knock ---- */

/* A ClientHello of DTLS 1.2 that offers TLS_PSK_WITH_AES_128_CCM_8 and shows this cookie. */
static struct rd hello_write(struct wr *w, uint32_t random, uint16_t message, struct rd cookie)
{
	const uint8_t zeros[28] = {0};
	uint16_t body = (uint16_t)(2 + 32 + 1 + 1 + cookie.left + 4 + 2);
	struct rd out;

	wr_reset(w);
	wr_u8(w, 22); /* record: type, version, epoch, sequence, length */
	wr_be16(w, 0xfefd);
	wr_be64(w, message);
	wr_be16(w, (uint16_t)(body + 12));
	wr_u8(w, 1); /* message: type, length, sequence, fragment's offset and length */
	wr_u8(w, 0);
	wr_be16(w, body);
	wr_be16(w, message);
	wr_copy(w, zeros, 4);
	wr_be16(w, body);
	wr_be16(w, 0xfefd);
	wr_be32(w, random);
	wr_copy(w, zeros, 28);
	wr_u8(w, 0); /* no session */
	wr_u8(w, (uint8_t)cookie.left);
	wr_rd(w, cookie);
	wr_be16(w, 2);
	wr_be16(w, 0xc0a8);
	wr_be16(w, 0x0100); /* compression: none */
	MUST(wr_done(w, &out));
	return out;
}

/* The second hello for what the server answered to the first. False: it has a session for us, and goes on with the handshake. */
static bool knock_again(struct wr *w, uint32_t random, struct rd answer, struct rd *hello)
{
	uint8_t record, message, len;
	struct rd cookie;

	MUST(rd_u8(&answer, &record) && record == 22 && rd_skip(&answer, 12) && rd_u8(&answer, &message));
	if (message != 3)
		return false;
	MUST(rd_skip(&answer, 11 + 2) && rd_u8(&answer, &len) && rd_sub(&answer, len, &cookie));
	*hello = hello_write(w, random, 1, cookie);
	return true;
}

static void knock(uint32_t address)
{
	uint8_t room[256];
	struct wr w = wr_of(room, sizeof room);

	send_from(address, hello_write(&w, address, 0, rd_of(NULL, 0)));
}

static void knocker_input(uint32_t address, struct rd datagram)
{
	static bool answered[KNOCKERS];
	uint8_t room[256];
	struct wr w = wr_of(room, sizeof room);
	struct rd hello;

	if (knock_again(&w, address, datagram, &hello)) {
		send_from(address, hello);
	} else if (!answered[address - KNOCKERS_AT]) { /* its flight may be several datagrams, and comes again */
		answered[address - KNOCKERS_AT] = true;
		knocks_answered++;
	}
}

/* ---- what arrives ---- */

/* True: something did. */
static bool turn(int wait_ms)
{
	struct pollfd readable = {net, POLLIN, 0};
	uint8_t octets[2048];
	struct rd datagram;
	uint32_t at;
	bool any = false;

	(void)poll(&readable, 1, wait_ms);
	while (receive(octets, sizeof octets, &at, &datagram)) {
		any = true;
		if (at - PEERS_AT < peer_count)
			peer_input(&peers[at - PEERS_AT], datagram);
		else if (at - KNOCKERS_AT < KNOCKERS)
			knocker_input(at, datagram);
	}
	return any;
}

static void patience(uint64_t *end)
{
	if (*end == 0)
		*end = clock_ms() + PATIENCE_MS;
	MUST(clock_ms() < *end);
}

static void retransmit(struct peer *p)
{
	if (!p->open && gnutls_dtls_get_timeout(p->tls) == 0)
		handshake(p);
}

static void wait_open(struct peer *p)
{
	uint64_t until = 0;

	for (; !p->open; patience(&until))
		if (!turn(100))
			retransmit(p);
}

/* Peers first ... end-1 become open, AT_ONCE at a time. */
static void open_peers(size_t first, size_t end)
{
	uint64_t until = 0;
	size_t begun = first;

	for (size_t done = first; done < end; patience(&until)) {
		while (begun < end && begun < done + AT_ONCE)
			peer_begin(&peers[begun++]);
		if (!turn(100))
			for (size_t i = done; i < begun; i++)
				retransmit(&peers[i]);
		while (done < begun && peers[done].open)
			done++;
	}
}

/* Asks each of them, and has its answer; again where it does not come, as datagrams may be lost while others flood the server. Returns how often. */
static size_t ask_peers(size_t first, size_t end, const char *text)
{
	uint64_t until = 0;
	size_t asked = first, again = 0;

	for (size_t done = first; done < end; patience(&until)) {
		while (asked < end && asked < done + AT_ONCE)
			ask(&peers[asked++], text);
		if (!turn(1000))
			for (size_t i = done; i < asked; i++)
				if (!peers[i].answer[0]) {
					again++;
					ask(&peers[i], text);
				}
		while (done < asked && peers[done].answer[0])
			done++;
	}
	return again;
}

static void stats(size_t *sessions, unsigned long *kib)
{
	ask_peers(0, 1, "?");
	MUST(sscanf(peers[0].answer, "%zu %lu", sessions, kib) == 2);
}

/* ---- what is to be shown ---- */

static void crowd(size_t count)
{
	unsigned long before, after;
	size_t sessions;
	uint64_t began, ended;
	double kib;

	open_peers(0, 1);
	stats(&sessions, &before);
	began = clock_ms();
	open_peers(1, count);
	ended = clock_ms();
	MUST(ask_peers(0, count, "hello") == 0); /* each is still there, and at AT_ONCE datagrams at a time none is lost */
	for (size_t i = 0; i < count; i++)
		MUST(strcmp(peers[i].answer, "hello") == 0);
	stats(&sessions, &after);
	MUST(sessions == count);
	kib = (double)(after - before) / (double)count;
	MUST(MEMORY_SAYS_NOTHING || kib < KIB_A_SESSION);
	printf("%zu DTLS sessions at one socket: %.0f handshakes a second, %.1f KiB a session\n", count, 1000.0 * (double)(count - 1) / (double)(ended - began + 1), kib);
}

static void forged(size_t count)
{
	uint8_t room[256], cookie[16] = {0};
	struct wr w = wr_of(room, sizeof room);
	unsigned long before, after;
	size_t sessions;

	stats(&sessions, &before);
	for (uint32_t i = 0; i < FORGED; i++) {
		memcpy(cookie, &i, sizeof i);
		send_from(KNOCKERS_AT - 1, hello_write(&w, i, 1, rd_of(cookie, sizeof cookie)));
		(void)turn(0);
	}
	stats(&sessions, &after);
	MUST(sessions == count);
	MUST(MEMORY_SAYS_NOTHING || after < before + 1024);
	printf("%d hellos with forged cookies: no session, %ld KiB more\n", FORGED, (long)(after - before));
}

/* Until those who knocked have their answers; what is lost is lost. */
static void settle_knocks(uint32_t knocked)
{
	unsigned answered;

	do {
		answered = knocks_answered;
		while (turn(0))
			;
		if (knocks_answered < knocked && knocks_answered == answered)
			(void)turn(50);
	} while (knocks_answered != answered);
}

/* Everybody has an address of his own and shows its cookie. */
static void knocking(size_t count)
{
	unsigned long before, after;
	size_t sessions, guests = count;
	uint32_t knocked = 0;

	stats(&sessions, &before);
	while (knocked < KNOCKERS || guests < count + GUESTS) {
		for (int i = 0; i < KNOCKERS_A_ROUND && knocked < KNOCKERS; i++)
			knock(KNOCKERS_AT + knocked++);
		if (guests < count + GUESTS) {
			open_peers(guests, guests + 1);
			guests++;
		}
		settle_knocks(knocked);
	}
	stats(&sessions, &after);
	MUST(knocks_answered > 2 * DATAGRAM_HALF_OPEN_MAX); /* or nothing is shown here */
	MUST(sessions >= guests && sessions <= guests + DATAGRAM_HALF_OPEN_MAX);
	MUST(MEMORY_SAYS_NOTHING || after < before + DATAGRAM_HALF_OPEN_MAX * KIB_A_HALF_OPEN);
	ask_peers(0, guests, "still"); /* nobody had to go */
	for (size_t i = 0; i < guests; i++)
		MUST(strcmp(peers[i].answer, "still") == 0);
	printf("%u half-open handshakes with good cookies: %zu kept, %ld KiB more; %d others came meanwhile, and all %zu are still there\n", knocks_answered,
	    sessions - guests, (long)(after - before), GUESTS, guests);
}

/* What comes for this; sent again where it is lost. */
static struct rd talk(int fd, struct rd octets)
{
	static uint8_t answer[2048];
	struct pollfd readable = {fd, POLLIN, 0};
	ssize_t n;
	int tries = 0;

	do
		MUST(send(fd, octets.at, octets.left, 0) > 0 && ++tries < 20);
	while (poll(&readable, 1, 1000) != 1);
	n = recv(fd, answer, sizeof answer, 0);
	MUST(n > 0);
	return rd_of(answer, (size_t)n);
}

/* One address cannot push out the handshake of another, that takes its time. */
static void alone(size_t slow)
{
	const struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(ALONE_AT)};
	uint8_t room[256];
	struct wr w = wr_of(room, sizeof room);
	uint64_t until = 0;
	struct rd hello;

	peers[slow].slow = true;
	peer_begin(&peers[slow]);
	for (; late_count == 0; patience(&until))
		if (!turn(100))
			retransmit(&peers[slow]);
	for (uint32_t i = 0; i < ALONE; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* a port of its own */

		MUST(fd >= 0 && bind(fd, (const struct sockaddr *)&own, sizeof own) == 0 && connect(fd, (struct sockaddr *)&server_at, sizeof server_at) == 0);
		hello = hello_write(&w, i, 0, rd_of(NULL, 0));
		for (int tries = 0; knock_again(&w, i, talk(fd, hello), &hello); tries++)
			MUST(tries < 10);
		close(fd);
		(void)turn(0);
	}
	peers[slow].slow = false;
	for (size_t i = 0; i < late_count; i++) {
		peer_input(&peers[slow], rd_of(late[i].octets, late[i].len));
		wr_free(&late[i]);
	}
	wait_open(&peers[slow]);
	printf("%d half-open handshakes of one address: that of another, which was there before, goes on\n", ALONE);
}

/* Who starts anew at the same port while its handshake goes on is heard, and need not wait for that to end. */
static void anew(void)
{
	uint8_t room[256];
	struct wr w = wr_of(room, sizeof room);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct rd hello = hello_write(&w, 1, 0, rd_of(NULL, 0));

	MUST(fd >= 0 && connect(fd, (struct sockaddr *)&server_at, sizeof server_at) == 0);
	for (int tries = 0; knock_again(&w, 1, talk(fd, hello), &hello); tries++)
		MUST(tries < 10);
	hello = hello_write(&w, 2, 0, rd_of(NULL, 0));
	for (int tries = 0; !knock_again(&w, 2, talk(fd, hello), &hello); tries++)
		MUST(tries < 10); /* what is left of the flight */
	for (int tries = 0; knock_again(&w, 2, talk(fd, hello), &hello); tries++)
		MUST(tries < 10);
	close(fd);
	printf("a peer that starts anew in the midst of its handshake is heard\n");
}

int main(int argc, char **argv)
{
	const gnutls_datum_t shared = {(unsigned char *)(uintptr_t)key, sizeof key};
	size_t count = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 1000;
	uint16_t number;
	int ends[2];
	pid_t server;

	MUST(pipe(ends) == 0);
	server = fork();
	if (server == 0)
		serve(ends[1]);
	MUST(server > 0 && read(ends[0], &number, sizeof number) == sizeof number);
	MUST(gnutls_psk_allocate_client_credentials(&credentials) == 0 && gnutls_psk_set_client_credentials(credentials, "meter", &shared, GNUTLS_PSK_KEY_RAW) == 0);
	peer_count = count + GUESTS + 1;
	peers = calloc(peer_count, sizeof *peers);
	MUST(peers);
	for (size_t i = 0; i < peer_count; i++)
		peers[i].address = PEERS_AT + (uint32_t)i;
	open_net(number);
	crowd(count);
	forged(count);
	knocking(count);
	alone(count + GUESTS);
	anew();
	for (size_t i = 0; i < peer_count; i++)
		gnutls_deinit(peers[i].tls);
	free(peers);
	gnutls_psk_free_client_credentials(credentials);
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	return 0;
}
