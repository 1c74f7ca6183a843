/* Sealing on a serial line. */
#include "egp/egp_seal.h"

#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "egp/egp.h"

/* kinds of frames: none begins as an EGP message does */
#define OPEN 0xe1   /* salt of the gateway (8), tag (16) */
#define ANSWER 0xe2 /* salt of the gateway (8), salt of the EG (8), tag (16) */
#define SEALED 0xe3 /* counter (4), message, tag (16) */

#define SALT 8
#define TAG 16
#define NONCE 12
#define KEY 16
#define MAC 32
#define FRAME_MAX (EGP_MESSAGE_MAX + EGP_SEAL_OVERHEAD)
#define QUEUE 4 /* one call makes two at most */
#define TYPE_AT 3 /* of an EGP message */

#define LABEL_OPEN "keyway EGP serial 1 open"
#define LABEL_ANSWER "keyway EGP serial 1 answer"
#define LABEL_KEYS "keyway EGP serial 1 keys"

struct session {
	bool stands;
	uint8_t gateway_salt[SALT], eg_salt[SALT];
	gnutls_aead_cipher_hd_t out, in;
	uint32_t sent, seen; /* counters */
};

struct egp_seal {
	enum egp_seal_role role;
	struct rng *rng;
	gnutls_hmac_hd_t mac; /* holds the shared key */
	struct session present, pending; /* pending: the EG's, until the gateway shows that it has its keys */
	/* the gateway's: what it asked for, and the HELLO that waits */
	bool asked;
	uint8_t salt[SALT];
	uint8_t hello[EGP_MESSAGE_MAX];
	size_t hello_len;
	uint8_t opened[EGP_MESSAGE_MAX];
	struct {
		uint8_t octets[FRAME_MAX];
		size_t len;
	} queue[QUEUE];
	size_t first, count;
};

struct egp_seal *egp_seal_new(enum egp_seal_role role, struct rd key, struct rng *rng)
{
	struct egp_seal *s = key.left >= EGP_SEAL_KEY_LEAST ? calloc(1, sizeof *s) : NULL;

	if (!s)
		return NULL;
	s->role = role;
	s->rng = rng;
	if (gnutls_hmac_init(&s->mac, GNUTLS_MAC_SHA256, key.at, key.left) != 0) {
		free(s);
		return NULL;
	}
	return s;
}

static void session_end(struct session *n)
{
	if (n->out)
		gnutls_aead_cipher_deinit(n->out);
	if (n->in)
		gnutls_aead_cipher_deinit(n->in);
	memset(n, 0, sizeof *n);
}

void egp_seal_free(struct egp_seal *s)
{
	if (!s)
		return;
	session_end(&s->present);
	session_end(&s->pending);
	gnutls_hmac_deinit(s->mac, NULL);
	bytes_wipe(s, sizeof *s);
	free(s);
}

/* ---- what the shared key is used for ---- */

static void compute(struct egp_seal *s, const char *label, const uint8_t *gateway_salt, const uint8_t *eg_salt, uint8_t mac[static MAC])
{
	if (gnutls_hmac(s->mac, label, strlen(label)) != 0 || gnutls_hmac(s->mac, gateway_salt, SALT) != 0 || (eg_salt && gnutls_hmac(s->mac, eg_salt, SALT) != 0))
		abort();
	gnutls_hmac_output(s->mac, mac); /* and begins anew */
}

static bool tag_fits(struct egp_seal *s, const char *label, const uint8_t *gateway_salt, const uint8_t *eg_salt, const uint8_t tag[static TAG])
{
	uint8_t mac[MAC];

	compute(s, label, gateway_salt, eg_salt, mac);
	return bytes_equal_ct(mac, tag, TAG);
}

static bool cipher(gnutls_aead_cipher_hd_t *h, uint8_t *key)
{
	const gnutls_datum_t datum = {key, KEY};

	return gnutls_aead_cipher_init(h, GNUTLS_CIPHER_AES_128_CCM, &datum) == 0;
}

/* The first half of the keys is for what the gateway says. */
static bool session_begin(struct egp_seal *s, struct session *n, const uint8_t *gateway_salt, const uint8_t *eg_salt)
{
	bool gateway = s->role == EGP_SEAL_GATEWAY;
	uint8_t keys[MAC];

	session_end(n);
	compute(s, LABEL_KEYS, gateway_salt, eg_salt, keys);
	n->stands = cipher(&n->out, keys + (gateway ? 0 : KEY)) && cipher(&n->in, keys + (gateway ? KEY : 0));
	bytes_wipe(keys, sizeof keys);
	if (!n->stands) {
		session_end(n);
		return false;
	}
	memcpy(n->gateway_salt, gateway_salt, SALT);
	memcpy(n->eg_salt, eg_salt, SALT);
	return true;
}

/* ---- frames ---- */

/* A place at the end of the queue; the oldest frame is lost when there is none. */
static struct wr queue_begin(struct egp_seal *s)
{
	if (s->count == QUEUE) {
		s->first = (s->first + 1) % QUEUE;
		s->count--;
	}
	return wr_of(s->queue[(s->first + s->count) % QUEUE].octets, FRAME_MAX);
}

static void queue_end(struct egp_seal *s, const struct wr *w)
{
	if (w->spoilt)
		return;
	s->queue[(s->first + s->count) % QUEUE].len = w->len;
	s->count++;
}

bool egp_seal_output(struct egp_seal *s, struct rd *frame)
{
	if (s->count == 0)
		return false;
	*frame = rd_of(s->queue[s->first].octets, s->queue[s->first].len);
	s->first = (s->first + 1) % QUEUE;
	s->count--;
	return true;
}

static void nonce_of(uint32_t counter, uint8_t nonce[static NONCE])
{
	struct wr w = wr_of(nonce, NONCE);

	memset(nonce, 0, NONCE);
	wr_be64(&w, 0);
	wr_be32(&w, counter);
}

/* The counter has 32 bits: a session whose numbers are used up says nothing more, and the silence begins another one. */
static void send_sealed(struct egp_seal *s, struct session *n, struct rd message)
{
	struct wr w = queue_begin(s);
	uint8_t nonce[NONCE], head[1 + 4], sealed[FRAME_MAX];
	struct wr h = wr_of(head, sizeof head);
	size_t len = sizeof sealed;

	if (!n->stands || n->sent == UINT32_MAX || message.left > EGP_MESSAGE_MAX)
		return;
	n->sent++;
	nonce_of(n->sent, nonce);
	wr_u8(&h, SEALED);
	wr_be32(&h, n->sent);
	if (gnutls_aead_cipher_encrypt(n->out, nonce, NONCE, head, sizeof head, TAG, message.at, message.left, sealed, &len) != 0)
		return;
	wr_copy(&w, head, sizeof head);
	wr_copy(&w, sealed, len);
	queue_end(s, &w);
}

static enum err open_sealed(struct egp_seal *s, struct session *n, struct rd frame, struct rd *message)
{
	uint8_t nonce[NONCE], head[1 + 4];
	size_t len = sizeof s->opened;
	struct rd rest = frame;
	uint32_t counter;

	if (!rd_copy(&rest, head, sizeof head) || rest.left < TAG || rest.left > EGP_MESSAGE_MAX + TAG)
		return ERR_MALFORMED;
	rest = frame;
	if (!rd_skip(&rest, 1) || !rd_be32(&rest, &counter))
		return ERR_MALFORMED;
	if (!n->stands)
		return ERR_BAD_MIC;
	nonce_of(counter, nonce);
	if (gnutls_aead_cipher_decrypt(n->in, nonce, NONCE, head, sizeof head, TAG, rest.at, rest.left, s->opened, &len) != 0)
		return ERR_BAD_MIC;
	if (counter <= n->seen)
		return ERR_REPLAY;
	n->seen = counter;
	*message = rd_of(s->opened, len);
	return OK;
}

/* ---- the beginning of a session ---- */

static void ask(struct egp_seal *s, struct rd hello)
{
	struct wr w = queue_begin(s);
	uint8_t mac[MAC];

	if (hello.left > sizeof s->hello)
		return;
	s->hello_len = hello.left;
	memcpy(s->hello, hello.at, hello.left);
	rng_fill(s->rng, s->salt, SALT);
	s->asked = true;
	compute(s, LABEL_OPEN, s->salt, NULL, mac);
	wr_u8(&w, OPEN);
	wr_copy(&w, s->salt, SALT);
	wr_copy(&w, mac, TAG);
	queue_end(s, &w);
}

static void answer(struct egp_seal *s)
{
	struct wr w = queue_begin(s);
	uint8_t mac[MAC];

	compute(s, LABEL_ANSWER, s->pending.gateway_salt, s->pending.eg_salt, mac);
	wr_u8(&w, ANSWER);
	wr_copy(&w, s->pending.gateway_salt, SALT);
	wr_copy(&w, s->pending.eg_salt, SALT);
	wr_copy(&w, mac, TAG);
	queue_end(s, &w);
}

/* At the EG. The session that stands goes on until the gateway has shown that it took the new one: an old frame, said again, ends nothing. */
static enum err on_open(struct egp_seal *s, struct rd in)
{
	uint8_t gateway_salt[SALT], eg_salt[SALT], tag[TAG];

	if (!rd_copy(&in, gateway_salt, SALT) || !rd_copy(&in, tag, TAG) || !rd_end(&in) || s->role != EGP_SEAL_EG)
		return ERR_MALFORMED;
	if (!tag_fits(s, LABEL_OPEN, gateway_salt, NULL, tag))
		return ERR_BAD_MIC;
	if (!s->pending.stands || memcmp(s->pending.gateway_salt, gateway_salt, SALT) != 0) {
		rng_fill(s->rng, eg_salt, SALT);
		if (!session_begin(s, &s->pending, gateway_salt, eg_salt))
			return ERR_NO_MEMORY;
	}
	answer(s);
	return OK;
}

/* At the gateway: once, and only to what it asked last. */
static enum err on_answer(struct egp_seal *s, struct rd in)
{
	uint8_t gateway_salt[SALT], eg_salt[SALT], tag[TAG];

	if (!rd_copy(&in, gateway_salt, SALT) || !rd_copy(&in, eg_salt, SALT) || !rd_copy(&in, tag, TAG) || !rd_end(&in) || s->role != EGP_SEAL_GATEWAY)
		return ERR_MALFORMED;
	if (!tag_fits(s, LABEL_ANSWER, gateway_salt, eg_salt, tag))
		return ERR_BAD_MIC;
	if (!s->asked || memcmp(gateway_salt, s->salt, SALT) != 0)
		return ERR_REPLAY;
	s->asked = false;
	if (!session_begin(s, &s->present, gateway_salt, eg_salt))
		return ERR_NO_MEMORY;
	send_sealed(s, &s->present, rd_of(s->hello, s->hello_len));
	return OK;
}

static enum err on_sealed(struct egp_seal *s, struct rd frame, struct rd *message)
{
	enum err e = open_sealed(s, &s->present, frame, message);

	if (e != ERR_BAD_MIC || !s->pending.stands)
		return e;
	e = open_sealed(s, &s->pending, frame, message);
	if (e == OK) {
		session_end(&s->present);
		s->present = s->pending;
		memset(&s->pending, 0, sizeof s->pending);
	}
	return e;
}

/* ---- in and out ---- */

static bool is_hello(struct rd message)
{
	uint8_t type;

	return rd_skip(&message, TYPE_AT) && rd_u8(&message, &type) && type == EGP_HELLO;
}

void egp_seal_send(struct egp_seal *s, struct rd message)
{
	if (s->role == EGP_SEAL_GATEWAY && is_hello(message))
		ask(s, message);
	else
		send_sealed(s, &s->present, message);
}

enum err egp_seal_receive(struct egp_seal *s, struct rd frame, struct rd *message)
{
	struct rd in = frame;
	uint8_t kind;

	*message = rd_of(NULL, 0);
	if (!rd_u8(&in, &kind))
		return ERR_MALFORMED;
	switch (kind) {
	case OPEN:
		return on_open(s, in);
	case ANSWER:
		return on_answer(s, in);
	case SEALED:
		return on_sealed(s, frame, message);
	default:
		return ERR_MALFORMED;
	}
}
