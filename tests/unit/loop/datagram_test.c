/* Datagrams on real sockets: plain, and DTLS with identities. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop/address.h"
#include "loop/datagram.h"
#include "pki/pki.h"

#define PATIENCE_MS 20000
#define SERVER "id-in.keyway.example"
#define CLIENT "m2m://keyway.example/id-in/Cae"

static char dir[64];
static struct loop *l;

struct side {
	struct datagram_port *port;
	char got[2048], from[256], why[128];
	unsigned inputs, unreachables;
	bool echoes;
};

static void on_input(void *ctx, const struct datagram_peer *from, struct rd datagram)
{
	struct side *s = ctx;

	s->inputs++;
	assert_true(rd_text(datagram, s->got, sizeof s->got));
	snprintf(s->from, sizeof s->from, "%s", datagram_identity(s->port, from));
	if (s->echoes)
		datagram_send(s->port, from, datagram);
}

static void on_unreachable(void *ctx, const struct datagram_peer *peer, const char *why)
{
	struct side *s = ctx;

	(void)peer;
	s->unreachables++;
	snprintf(s->why, sizeof s->why, "%s", why);
}

static const struct datagram_events events = {on_input, on_unreachable};

static const char *in_dir(const char *name)
{
	static char paths[8][128];
	static unsigned turn;
	char *p = paths[turn++ % 8];

	snprintf(p, sizeof paths[0], "%s/%s", dir, name);
	return p;
}

static struct tls_credentials *credentials(const char *ca, const char *name)
{
	struct tls_credentials *c;
	char cert[64], key[64];

	snprintf(cert, sizeof cert, "%s.pem", name);
	snprintf(key, sizeof key, "%s.key", name);
	assert_int_equal(tls_certificates(in_dir(ca), in_dir(cert), in_dir(key), &c), OK);
	return c;
}

static int make_plant(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/keyway-datagram-XXXXXX");
	if (!mkdtemp(dir) || pki_ca_create(dir, "test CA", 2) != OK || pki_issue(dir, "server", SERVER, 1) != OK || pki_issue(dir, "client", CLIENT, 1) != OK)
		return -1;
	mkdir(in_dir("other"), 0700);
	if (pki_ca_create(in_dir("other"), "another CA", 2) != OK || pki_issue(in_dir("other"), "evil", CLIENT, 1) != OK)
		return -1;
	l = loop_new();
	return 0;
}

static int remove_plant(void **state)
{
	char command[128];

	(void)state;
	loop_free(l);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

static void open_side(struct side *s, const struct datagram_credentials *tls)
{
	memset(s, 0, sizeof *s);
	assert_int_equal(datagram_open(l, "127.0.0.1:0", tls, &events, s, &s->port), OK);
}

static struct sockaddr_in address_of(const struct side *s)
{
	return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(datagram_port_number(s->port))};
}

static void until(const unsigned *count, unsigned wanted)
{
	uint64_t end = clock_ms() + PATIENCE_MS;

	while (*count < wanted && clock_ms() < end)
		loop_once(l, 100);
	assert_true(*count >= wanted);
}

static void carries_datagrams_and_tells_when_nobody_is_there(void **state)
{
	struct side a, b;
	struct sockaddr_in to;
	struct datagram_peer peer;

	(void)state;
	open_side(&a, NULL);
	open_side(&b, NULL);
	b.echoes = true;
	to = address_of(&b);
	datagram_connect(a.port, &to, NULL, "", &peer);
	datagram_send(a.port, &peer, rd_str("hello"));
	until(&a.inputs, 1);
	assert_string_equal(a.got, "hello");
	assert_string_equal(b.from, "");
	datagram_close(b.port);
	datagram_send(a.port, &peer, rd_str("hello?"));
	until(&a.unreachables, 1);
	datagram_close(a.port);
}

static void carries_datagrams_over_dtls_with_identities(void **state)
{
	struct datagram_credentials server = {.tls = credentials("ca.pem", "server")}, client = {.tls = credentials("ca.pem", "client")};
	struct side a, b;
	struct sockaddr_in to;
	struct datagram_peer peer, again;

	(void)state;
	open_side(&a, &client);
	open_side(&b, &server);
	b.echoes = true;
	to = address_of(&b);
	datagram_connect(a.port, &to, NULL, SERVER, &peer);
	datagram_send(a.port, &peer, rd_str("one")); /* they wait for the handshake */
	datagram_send(a.port, &peer, rd_str("two"));
	until(&a.inputs, 2);
	assert_string_equal(a.got, "two");
	assert_string_equal(b.from, CLIENT);
	assert_string_equal(a.from, SERVER);
	datagram_connect(a.port, &to, NULL, SERVER, &again);
	assert_true(again.session == peer.session);
	datagram_disconnect(a.port, &peer);
	until(&b.unreachables, 1); /* it was told */
	datagram_connect(a.port, &to, NULL, SERVER, &again);
	assert_true(again.session != peer.session);
	datagram_send(a.port, &again, rd_str("three"));
	until(&a.inputs, 3);
	datagram_close(a.port);
	datagram_close(b.port);
	tls_credentials_free(server.tls);
	tls_credentials_free(client.tls);
}

static void refuses_identities_that_are_not_wanted(void **state)
{
	struct datagram_credentials server = {.tls = credentials("ca.pem", "server")}, client = {.tls = credentials("ca.pem", "client")},
				    evil = {.tls = credentials("ca.pem", "other/evil")};
	struct side a, b, c;
	struct sockaddr_in to;
	struct datagram_peer peer;

	(void)state;
	open_side(&a, &client);
	open_side(&b, &server);
	open_side(&c, &evil);
	to = address_of(&b);
	datagram_connect(a.port, &to, NULL, "id-other.keyway.example", &peer);
	datagram_send(a.port, &peer, rd_str("secret"));
	until(&a.unreachables, 1);
	datagram_connect(a.port, &to, NULL, "", &peer);
	datagram_send(a.port, &peer, rd_str("secret"));
	until(&a.unreachables, 2);
	datagram_connect(c.port, &to, NULL, SERVER, &peer); /* a certificate of another CA; its name is right */
	datagram_send(c.port, &peer, rd_str("let me in"));
	until(&c.unreachables, 1);
	assert_int_equal(b.inputs, 0);
	datagram_close(a.port);
	datagram_close(b.port);
	datagram_close(c.port);
	tls_credentials_free(server.tls);
	tls_credentials_free(client.tls);
	tls_credentials_free(evil.tls);
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(in_dir(name), 0600), 0);
}

/* A server that says nothing leaves the client to its 30 seconds. */
static void tells_a_client_that_its_key_is_wrong(void **state)
{
	struct datagram_credentials server = {.tls = NULL}, client = {.client_only = true};
	static const char *const identities[] = {"alice", "nobody"};
	char reasons[2][128];
	struct side a, b;
	struct sockaddr_in to;
	struct datagram_peer peer;

	(void)state;
	write_file("server.psk", "alice:000102030405060708090a0b0c0d0e0f m2m://keyway.example/id-in/Calice\n");
	write_file("client.psk", "alice:101112131415161718191a1b1c1d1e1f\nnobody:101112131415161718191a1b1c1d1e1f\n");
	assert_int_equal(tls_psk_server(in_dir("server.psk"), &server.tls), OK);
	open_side(&b, &server);
	to = address_of(&b);
	for (size_t i = 0; i < 2; i++) {
		uint64_t began = clock_ms();

		assert_int_equal(tls_psk_client(identities[i], in_dir("client.psk"), &client.tls), OK);
		open_side(&a, &client);
		datagram_connect(a.port, &to, NULL, SERVER, &peer);
		datagram_send(a.port, &peer, rd_str("let me in"));
		until(&a.unreachables, 1);
		assert_true(clock_ms() - began < 10000);
		memcpy(reasons[i], a.why, sizeof a.why);
		datagram_close(a.port);
		tls_credentials_free(client.tls);
	}
	assert_string_equal(reasons[0], "the other side refused: the pre-shared key is wrong, or unknown there");
	assert_string_equal(reasons[1], reasons[0]); /* who has no key learns nothing about identities */
	assert_int_equal(b.inputs, 0);
	assert_int_equal(b.unreachables, 2);
	datagram_close(b.port);
	tls_credentials_free(server.tls);
}

/* One socket, and to each what it is to be shown. */
static void shows_each_the_credentials_that_are_meant_for_it(void **state)
{
	struct datagram_credentials certificate = {.tls = credentials("ca.pem", "server")}, psk = {.tls = NULL}, own = {.tls = credentials("ca.pem", "client")};
	struct tls_credentials *key;
	struct side a, by_certificate, by_key;
	struct sockaddr_in to;
	struct datagram_peer peer;

	(void)state;
	write_file("shared.psk", "alice:000102030405060708090a0b0c0d0e0f m2m://keyway.example/id-in/Calice\n");
	assert_int_equal(tls_psk_server(in_dir("shared.psk"), &psk.tls), OK);
	assert_int_equal(tls_psk_client("alice", in_dir("shared.psk"), &key), OK);
	open_side(&a, &own);
	open_side(&by_certificate, &certificate);
	open_side(&by_key, &psk);
	to = address_of(&by_certificate);
	datagram_connect(a.port, &to, NULL, SERVER, &peer);
	datagram_send(a.port, &peer, rd_str("hello"));
	to = address_of(&by_key);
	datagram_connect(a.port, &to, key, "id-mn.id-in.keyway.example", &peer);
	datagram_send(a.port, &peer, rd_str("hello"));
	tls_credentials_free(key); /* the session has it */
	until(&by_certificate.inputs, 1);
	until(&by_key.inputs, 1);
	assert_string_equal(by_certificate.from, CLIENT);
	assert_string_equal(by_key.from, "m2m://keyway.example/id-in/Calice");
	datagram_close(a.port);
	datagram_close(by_certificate.port);
	datagram_close(by_key.port);
	tls_credentials_free(certificate.tls);
	tls_credentials_free(psk.tls);
	tls_credentials_free(own.tls);
}

/* The loop does not run meanwhile; what waits in the server's socket is read away. */
static void farewell_lost(struct side *server, struct side *client)
{
	struct sockaddr_in at = address_of(server);
	uint8_t in[2048];
	ssize_t n = -1;

	datagram_close(client->port);
	for (int fd = 3; fd < 64 && n < 0; fd++) {
		struct sockaddr_in own = {0};
		socklen_t len = sizeof own;

		if (getsockname(fd, (struct sockaddr *)&own, &len) == 0 && own.sin_family == AF_INET && own.sin_port == at.sin_port)
			n = recv(fd, in, sizeof in, 0);
	}
	assert_true(n > 0);
}

/* A peer that lost its session begins anew from the same port; the server must not stick to the old one. */
static void takes_a_peer_that_begins_anew(void **state)
{
	struct datagram_credentials server = {.tls = credentials("ca.pem", "server")}, client = {.tls = credentials("ca.pem", "client")};
	struct side a, b;
	struct sockaddr_in to;
	struct datagram_peer peer;
	char host_port[32];

	(void)state;
	open_side(&b, &server);
	b.echoes = true;
	to = address_of(&b);
	open_side(&a, &client);
	snprintf(host_port, sizeof host_port, "127.0.0.1:%u", datagram_port_number(a.port));
	datagram_connect(a.port, &to, NULL, SERVER, &peer);
	datagram_send(a.port, &peer, rd_str("before"));
	until(&a.inputs, 1);
	/* Gone without a word: the server has no socket when the farewell comes. It keeps its session. */
	farewell_lost(&b, &a);
	memset(&a, 0, sizeof a);
	assert_int_equal(datagram_open(l, host_port, &client, &events, &a, &a.port), OK);
	to = address_of(&b);
	datagram_connect(a.port, &to, NULL, SERVER, &peer);
	datagram_send(a.port, &peer, rd_str("after"));
	until(&a.inputs, 1);
	assert_string_equal(a.got, "after");
	datagram_close(a.port);
	datagram_close(b.port);
	tls_credentials_free(server.tls);
	tls_credentials_free(client.tls);
}

/* Octets that are no DTLS, and a ClientHello without a cookie, get at most an answer that is no longer than they are. */
static void keeps_nothing_of_strangers(void **state)
{
	struct datagram_credentials server = {.tls = credentials("ca.pem", "server")};
	static const uint8_t junk[] = {22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3};
	struct side b;
	struct sockaddr_in to;
	uint8_t in[2048];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	(void)state;
	open_side(&b, &server);
	to = address_of(&b);
	for (size_t n = 0; n <= sizeof junk; n++)
		assert_true(sendto(fd, junk, n, 0, (struct sockaddr *)&to, sizeof to) == (ssize_t)n);
	for (int i = 0; i < 20; i++)
		loop_once(l, 5);
	for (ssize_t n; (n = recv(fd, in, sizeof in, 0)) >= 0;)
		assert_true(n < 64); /* HelloVerifyRequest */
	assert_true(b.inputs == 0 && b.unreachables == 0);
	close(fd);
	datagram_close(b.port);
	tls_credentials_free(server.tls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_datagrams_and_tells_when_nobody_is_there),
		cmocka_unit_test(carries_datagrams_over_dtls_with_identities),
		cmocka_unit_test(refuses_identities_that_are_not_wanted),
		cmocka_unit_test(tells_a_client_that_its_key_is_wrong),
		cmocka_unit_test(shows_each_the_credentials_that_are_meant_for_it),
		cmocka_unit_test(takes_a_peer_that_begins_anew),
		cmocka_unit_test(keeps_nothing_of_strangers),
	};

	return cmocka_run_group_tests(tests, make_plant, remove_plant);
}
