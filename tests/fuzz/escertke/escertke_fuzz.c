/* The four messages of ESCertKE, each changed on its way or replaced: whoever changed anything, no two sides believe in different keys, a side whose peer showed no
 * certificate believes in none, and an exchange ends in a few steps with bounded answers.
 *
 * An input is up to four parts, a length (2) and so many octets: edits of that message, or, with the length's first bit, what comes in its place. */
#include "../edits.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "escertke/escertke.h"
#include "keys/secret.h"
#include "pki/pki.h"

#define RECEIVER "id-in.keyway.example"
#define ORIGINATOR "m2m://keyway.example/id-mn/Cmeter"
#define REPLACED 0x8000

static struct tls_credentials *receiver, *originator;

static struct tls_credentials *issued(const char *dir, const char *name, const char *identity)
{
	char ca[80], cert[80], key[80], why[TLS_WHY_MAX];
	const struct tls_config c = {.ca = ca, .cert = cert, .key = key};
	struct tls_credentials *out = NULL;

	snprintf(ca, sizeof ca, "%s/ca.pem", dir);
	snprintf(cert, sizeof cert, "%s/%s.pem", dir, name);
	snprintf(key, sizeof key, "%s/%s.key", dir, name);
	MUST(pki_issue(dir, name, identity, 10) == OK && tls_credentials_new(&c, why, &out) == OK);
	unlink(cert);
	unlink(key);
	return out;
}

static void prepare(void)
{
	char dir[] = "/tmp/keyway-fuzz-XXXXXX", path[80];

	MUST(mkdtemp(dir) && pki_ca_create(dir, "fuzz", 10) == OK);
	receiver = issued(dir, "in", RECEIVER);
	originator = issued(dir, "meter", ORIGINATOR);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, i == 0 ? "ca.pem" : i == 1 ? "ca.key" : "index.txt");
		unlink(path);
	}
	rmdir(dir);
}

static struct rd way(struct rd *in, struct wr *message, bool *touched)
{
	uint16_t n = 0;
	struct rd part = rd_str(""), out = rd_str("");

	if (rd_be16(in, &n) && !rd_sub(in, (size_t)(n & ~REPLACED), &part))
		part = rd_rest(in);
	if (n & REPLACED) {
		*touched = true;
		return part;
	}
	if (edits_apply(part, message->octets, message->len))
		*touched = true;
	return wr_done(message, &out) ? out : rd_str("");
}

static void compare(const struct escertke *a, const struct escertke *b)
{
	struct secret *x = NULL, *y = NULL;
	char kid_x[KEY_ID_MAX], kid_y[KEY_ID_MAX];

	MUST(escertke_key(a, rd_str(RECEIVER), kid_x, &x) == OK && escertke_key(b, rd_str(RECEIVER), kid_y, &y) == OK);
	MUST(secret_equal(x, y) && tls_peer_has(escertke_peer(a), RECEIVER) && tls_peer_has(escertke_peer(b), ORIGINATOR));
	secret_free(x);
	secret_free(y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct escertke *sides[2];
	struct rd in = rd_of(data, size), message = rd_str("");
	bool done[2] = {false, false}, touched = false, more = true;
	char kid[KEY_ID_MAX];
	struct secret *none = NULL;
	struct wr out[5];

	if (!receiver)
		prepare();
	sides[0] = escertke_new(originator, false, RECEIVER);
	sides[1] = escertke_new(receiver, true, NULL);
	MUST(sides[0] && sides[1]);
	for (size_t i = 0; i < 5; i++)
		out[i] = wr_new(ESCERTKE_MESSAGE_MAX);
	for (size_t i = 0; i < 5 && more; i++) {
		more = escertke_step(sides[i % 2], message, &out[i], &done[i % 2]) == OK;
		if (more && i < 4)
			message = way(&in, &out[i], &touched);
	}
	for (size_t i = 0; i < 2; i++)
		if (!done[i])
			MUST(escertke_key(sides[i], rd_str(RECEIVER), kid, &none) != OK && !none);
	if (done[0] && done[1])
		compare(sides[0], sides[1]);
	MUST(touched || (done[0] && done[1]));
	for (size_t i = 0; i < 5; i++)
		wr_free(&out[i]);
	escertke_free(sides[0]);
	escertke_free(sides[1]);
	return 0;
}
