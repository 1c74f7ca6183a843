/* A handshake in four messages, and what breaks it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "escertke/escertke.h"
#include "keys/secret.h"
#include "pki/pki.h"

#define RECEIVER "id-in.keyway.example"
#define ORIGINATOR "m2m://keyway.example/id-mn/Cmeter"

static char dir[64], other_dir[64];
static struct tls_credentials *receiver, *originator, *stranger, *unarmed;

static struct tls_credentials *credentials(const char *where, const char *ca, const char *name)
{
	char ca_path[128], cert[128], key[128], why[TLS_WHY_MAX];
	struct tls_config c = {.ca = ca_path};
	struct tls_credentials *out = NULL;

	snprintf(ca_path, sizeof ca_path, "%s/ca.pem", ca);
	snprintf(cert, sizeof cert, "%s/%s.pem", where, name);
	snprintf(key, sizeof key, "%s/%s.key", where, name);
	c.cert = name[0] ? cert : NULL;
	c.key = name[0] ? key : NULL;
	if (tls_credentials_new(&c, why, &out) != OK)
		fail_msg("%s", why);
	return out;
}

struct exchange {
	struct escertke *o, *r;
	struct wr message[4];
	enum err e[5];
	bool done[5];
};

/* All that there are, as far as it goes. `spoil` names a message of which an octet is changed on its way, 4: none. */
static void run(struct exchange *x, struct tls_credentials *of_o, struct tls_credentials *of_r, const char *expected, size_t spoil)
{
	*x = (struct exchange){.o = escertke_new(of_o, false, expected), .r = escertke_new(of_r, true, NULL)};
	assert_non_null(x->o);
	assert_non_null(x->r);
	for (size_t i = 0; i < 5; i++)
		x->e[i] = ERR_STATE;
	for (size_t i = 0; i < 4; i++)
		x->message[i] = wr_new(ESCERTKE_MESSAGE_MAX);
	for (size_t i = 0; i < 5; i++) {
		struct rd in = rd_str("");
		struct wr last = wr_new(ESCERTKE_MESSAGE_MAX);

		if (i > 0)
			assert_true(wr_done(&x->message[i - 1], &in));
		x->e[i] = escertke_step(i % 2 == 0 ? x->o : x->r, in, i < 4 ? &x->message[i] : &last, &x->done[i]);
		if (i == 4 && x->e[i] == OK)
			assert_int_equal(last.len, 0);
		if (i < 4 && i == spoil)
			x->message[i].octets[x->message[i].len / 2] ^= 1;
		wr_free(&last);
		if (x->e[i] != OK)
			break;
	}
}

static void end(struct exchange *x)
{
	escertke_free(x->o);
	escertke_free(x->r);
	for (size_t i = 0; i < 4; i++)
		wr_free(&x->message[i]);
}

static void agrees_on_a_key_in_four_messages(void **state)
{
	struct secret *a = NULL, *b = NULL, *c = NULL;
	char kid_a[KEY_ID_MAX], kid_b[KEY_ID_MAX], kid_c[KEY_ID_MAX];
	struct exchange x, y;
	struct key_id id;
	uint8_t relative[KEY_ID_RELATIVE_OCTETS];
	struct wr w = wr_new(100);
	bool done;

	(void)state;
	run(&x, originator, receiver, RECEIVER, 4);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(x.e[i], OK);
		assert_int_equal(x.done[i], i >= 3);
		if (i < 4)
			assert_true(x.message[i].len > 0 && x.message[i].len < 4096);
	}
	/* Records of TLS 1.2: a ClientHello first. */
	assert_int_equal(x.message[0].octets[0], 22);
	assert_int_equal(x.message[0].octets[5], 1);
	assert_int_equal(x.message[3].octets[0], 20);
	assert_true(tls_peer_has(escertke_peer(x.r), ORIGINATOR));
	assert_true(tls_peer_has(escertke_peer(x.o), RECEIVER));
	assert_int_equal(escertke_key(x.o, rd_str(RECEIVER), kid_a, &a), OK);
	assert_int_equal(escertke_key(x.r, rd_str(RECEIVER), kid_b, &b), OK);
	assert_true(secret_equal(a, b) && secret_len(a) == 32);
	assert_string_equal(kid_a, kid_b);
	assert_int_equal(key_id_split(rd_str(kid_a), &id), OK);
	assert_true(key_id_octets(&id, relative) && rd_is(id.fqdn, RECEIVER));
	assert_int_equal(escertke_step(x.o, rd_str(""), &w, &done), ERR_STATE);
	/* Another exchange, another key. */
	run(&y, originator, receiver, RECEIVER, 4);
	assert_int_equal(escertke_key(y.o, rd_str(RECEIVER), kid_c, &c), OK);
	assert_false(secret_equal(a, c));
	assert_string_not_equal(kid_a, kid_c);
	secret_free(a);
	secret_free(b);
	secret_free(c);
	wr_free(&w);
	end(&x);
	end(&y);
}

/* The originator never has a key. The receiver has none when it is the one that sees what is wrong: what an originator finds out about a receiver with the
 * last message, and a last message that is lost on its way, it does not hear of. */
static void fails(struct tls_credentials *of_o, struct tls_credentials *of_r, const char *expected, size_t spoil, bool receiver_sees, const char *what)
{
	struct exchange x;
	struct secret *key = NULL;
	char kid[KEY_ID_MAX];

	run(&x, of_o, of_r, expected, spoil);
	if (x.e[4] == OK)
		fail_msg("%s: the originator is content", what);
	assert_int_not_equal(escertke_key(x.o, rd_str(RECEIVER), kid, &key), OK);
	if (receiver_sees)
		assert_int_not_equal(escertke_key(x.r, rd_str(RECEIVER), kid, &key), OK);
	end(&x);
}

static void fails_with_the_wrong_certificates(void **state)
{
	(void)state;
	fails(originator, receiver, "id-other.keyway.example", 4, false, "another receiver");
	fails(stranger, receiver, RECEIVER, 4, true, "an originator of another authority");
	fails(originator, stranger, RECEIVER, 4, false, "a receiver of another authority");
	fails(unarmed, receiver, RECEIVER, 4, true, "an originator without a certificate");
}

static void fails_when_somebody_changes_a_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++)
		fails(originator, receiver, RECEIVER, i, i < 3, "a changed message");
}

static void refuses_what_is_no_handshake(void **state)
{
	static uint8_t long_one[ESCERTKE_MESSAGE_MAX + 1];
	struct escertke *k = escertke_new(receiver, true, NULL);
	struct wr w = wr_new(ESCERTKE_MESSAGE_MAX);
	bool done;

	(void)state;
	assert_int_equal(escertke_step(k, rd_of(long_one, sizeof long_one), &w, &done), ERR_TOO_LONG);
	assert_int_equal(escertke_step(k, rd_str("GET / HTTP/1.1\r\n\r\n"), &w, &done), ERR_TLS);
	assert_non_null(escertke_why(k));
	assert_int_equal(escertke_step(k, rd_str(""), &w, &done), ERR_STATE);
	escertke_free(k);
	/* A message that never comes whole. */
	k = escertke_new(receiver, true, NULL);
	for (int i = 0; i < ESCERTKE_STEPS_MAX; i++)
		assert_int_equal(escertke_step(k, rd_of("\x16\x03\x01", 1), &w, &done), OK);
	assert_int_equal(escertke_step(k, rd_of("\x16\x03\x01", 1), &w, &done), ERR_STATE);
	escertke_free(k);
	wr_free(&w);
}

static int begin(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/keyway-escertke-XXXXXX");
	snprintf(other_dir, sizeof other_dir, "/tmp/keyway-escertke-XXXXXX");
	if (!mkdtemp(dir) || !mkdtemp(other_dir) || pki_ca_create(dir, "ca", 10) != OK || pki_ca_create(other_dir, "ca", 10) != OK ||
	    pki_issue(dir, "in", RECEIVER, 10) != OK || pki_issue(dir, "meter", ORIGINATOR, 10) != OK || pki_issue(other_dir, "in", RECEIVER, 10) != OK)
		return -1;
	receiver = credentials(dir, dir, "in");
	originator = credentials(dir, dir, "meter");
	stranger = credentials(other_dir, dir, "in");
	unarmed = credentials(dir, dir, "");
	return 0;
}

static int finish(void **state)
{
	char command[160];

	(void)state;
	tls_credentials_free(receiver);
	tls_credentials_free(originator);
	tls_credentials_free(stranger);
	tls_credentials_free(unarmed);
	snprintf(command, sizeof command, "rm -rf %s %s", dir, other_dir);
	return system(command) == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_on_a_key_in_four_messages),
		cmocka_unit_test(fails_with_the_wrong_certificates),
		cmocka_unit_test(fails_when_somebody_changes_a_message),
		cmocka_unit_test(refuses_what_is_no_handshake),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
