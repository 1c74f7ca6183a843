/* What only datagrams have: sizes, time-outs, cookies. */
#include <gnutls/crypto.h>
#include <gnutls/dtls.h>
#include <stdlib.h>
#include <string.h>

#include "tls/tls_private.h"

#define RETRANSMISSION_MS 1000
#define HANDSHAKE_MS 30000
#define HELLO_MAX 2048 /* ClientHello in one datagram: nothing of ours, and nobody's that answers a cookie, is longer */

void tls_session_mtu(struct tls_session *s, unsigned mtu)
{
	gnutls_dtls_set_mtu(s->tls, mtu);
}

unsigned tls_session_timeout_ms(struct tls_session *s)
{
	return gnutls_dtls_get_timeout(s->tls);
}

void tls_session_timeouts(struct tls_session *s)
{
	gnutls_dtls_set_timeouts(s->tls, RETRANSMISSION_MS, HANDSHAKE_MS);
}

struct tls_cookie_key {
	gnutls_datum_t key;
	uint32_t salt;
};

struct tls_cookie_key *tls_cookie_key_new(void)
{
	struct tls_cookie_key *k = calloc(1, sizeof *k);

	if (k && gnutls_key_generate(&k->key, GNUTLS_COOKIE_KEY_SIZE) == 0 && gnutls_rnd(GNUTLS_RND_NONCE, &k->salt, sizeof k->salt) == 0)
		return k;
	tls_cookie_key_free(k);
	return NULL;
}

uint32_t tls_cookie_salt(const struct tls_cookie_key *k)
{
	return k->salt;
}

void tls_cookie_key_free(struct tls_cookie_key *k)
{
	if (!k)
		return;
	if (k->key.data)
		gnutls_memset(k->key.data, 0, k->key.size);
	gnutls_free(k->key.data);
	free(k);
}

struct reply {
	ssize_t (*push)(void *ctx, const void *octets, size_t len);
	void *ctx;
};

static ssize_t on_push(gnutls_transport_ptr_t ptr, const void *octets, size_t len)
{
	const struct reply *r = ptr;

	return r->push(r->ctx, octets, len);
}

bool tls_cookie_check(struct tls_cookie_key *k, const void *address, size_t address_len, struct rd client_hello,
    ssize_t (*push)(void *ctx, const void *octets, size_t len), void *ctx, struct tls_prestate *prestate)
{
	struct reply reply = {push, ctx};
	gnutls_dtls_prestate_st state = {0};
	uint8_t octets[HELLO_MAX], where[64];
	size_t len = client_hello.left;

	/* GnuTLS takes neither as const */
	if (len > sizeof octets || address_len > sizeof where || !rd_copy(&client_hello, octets, len))
		return false;
	memcpy(where, address, address_len);
	if (gnutls_dtls_cookie_verify(&k->key, where, address_len, octets, len, &state) < 0) {
		gnutls_dtls_cookie_send(&k->key, where, address_len, &state, &reply, on_push);
		return false;
	}
	*prestate = (struct tls_prestate){state.record_seq, state.hsk_read_seq, state.hsk_write_seq};
	return true;
}

void tls_session_accept(struct tls_session *s, const struct tls_prestate *prestate)
{
	gnutls_dtls_prestate_st state = {.record_seq = prestate->record_seq, .hsk_read_seq = prestate->read_seq, .hsk_write_seq = prestate->write_seq};

	gnutls_dtls_prestate_set(s->tls, &state);
	tls_session_timeouts(s);
}
