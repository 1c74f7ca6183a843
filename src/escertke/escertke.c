/* A TLS session over two buffers. */
#include "escertke/escertke.h"

#include <errno.h>
#include <stdlib.h>

#include "security/derive.h"
#include "tls/tls_session.h"

struct escertke {
	struct tls_session *tls;
	struct rd in;     /* of the present step */
	struct wr *out;
	unsigned steps;
	bool ended;
	const char *why;
};

static ssize_t push(void *ctx, const void *octets, size_t len)
{
	struct escertke *k = ctx;

	if (k->out)
		wr_copy(k->out, octets, len);
	return (ssize_t)len;
}

static ssize_t pull(void *ctx, void *octets, size_t size)
{
	struct escertke *k = ctx;
	size_t n = k->in.left < size ? k->in.left : size;

	if (n == 0) {
		errno = EAGAIN;
		return -1;
	}
	return rd_copy(&k->in, octets, n) ? (ssize_t)n : -1;
}

/* Nothing pauses here that could go on: a step has no later. */
static void wake(void *ctx)
{
	(void)ctx;
}

struct escertke *escertke_new(struct tls_credentials *c, bool server, const char *expected)
{
	struct escertke *k = calloc(1, sizeof *k);
	struct tls_session_options o = {.server = server, .only_12 = true, .expected = server ? NULL : expected, .push = push, .pull = pull, .wake = wake, .ctx = k};

	if (k)
		k->tls = tls_session_new(c, &o);
	if (k && k->tls)
		return k;
	free(k);
	return NULL;
}

void escertke_free(struct escertke *k)
{
	if (!k)
		return;
	k->out = NULL;
	tls_session_free(k->tls, false);
	free(k);
}

const char *escertke_why(const struct escertke *k)
{
	return k->why ? k->why : tls_session_why(k->tls);
}

static enum err fail(struct escertke *k, const char *why)
{
	k->ended = true;
	k->why = why;
	return ERR_TLS;
}

/* Certificates on both sides: nothing else makes a key here. */
static enum err finish(struct escertke *k, bool *done)
{
	if (tls_session_peer(k->tls)->method != TLS_METHOD_CERTIFICATE)
		return fail(k, "the other side has no certificate");
	k->ended = true;
	*done = true;
	return OK;
}

enum err escertke_step(struct escertke *k, struct rd in, struct wr *out, bool *done)
{
	enum tls_step step;
	size_t left;

	*done = false;
	if (in.left > ESCERTKE_MESSAGE_MAX)
		return ERR_TOO_LONG;
	if (k->ended || k->steps++ >= ESCERTKE_STEPS_MAX)
		return ERR_STATE;
	k->in = in;
	k->out = out;
	do {
		left = k->in.left;
		step = tls_session_handshake(k->tls);
	} while (step == TLS_MORE && k->in.left > 0 && k->in.left < left);
	k->out = NULL;
	left = k->in.left;
	k->in = rd_str("");
	if (step == TLS_OPEN)
		return left > 0 ? fail(k, "there is more than the handshake") : finish(k, done);
	if (step == TLS_FAILED)
		return fail(k, NULL);
	return step == TLS_MORE ? OK : fail(k, "the peer's status would have to be asked for");
}

const struct tls_peer *escertke_peer(const struct escertke *k)
{
	return tls_session_peer(k->tls);
}

enum err escertke_key(const struct escertke *k, struct rd receiver_fqdn, char kid[static KEY_ID_MAX], struct secret **key)
{
	uint8_t relative[KEY_ID_RELATIVE_OCTETS];
	struct secret *exported = NULL;
	enum err e;

	if (!k->ended || k->why || !tls_session_peer(k->tls))
		return ERR_STATE;
	e = tls_export(k->tls, DERIVE_LABEL_ESCERTKE, DERIVE_EXPORT_OCTETS, &exported);
	if (e == OK)
		e = derive_from_export(exported, relative, key);
	secret_free(exported);
	if (e == OK && (e = key_id_print(relative, receiver_fqdn, kid)) != OK) {
		secret_free(*key);
		*key = NULL;
	}
	return e;
}
