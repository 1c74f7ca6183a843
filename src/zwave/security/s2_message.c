/* Message Encapsulation: header, extensions, sealing. */
#include "zwave/security/s2_message.h"

#include <string.h>

#include "base/bytes.h"
#include "crypto/ccm_star.h"
#include "zwave/security/s2_frame.h"

#define TAG 8
#define EXTENSION_MORE 0x80
#define EXTENSION_CRITICAL 0x40
#define EXTENSION_TYPE 0x3f
#define EXTENSION_SPAN 0x01
#define SPAN_LENGTH (2 + S2_ENTROPY)
#define HAS_EXTENSION 0x01
#define HAS_SEALED_EXTENSION 0x02
#define AAD_MAX (8 + S2_FRAME_MAX)

void s2_span_begin(struct s2_span *s, struct rng *rng)
{
	memset(s, 0, sizeof *s);
	s->sequence = (uint8_t)rng_u32(rng);
}

void s2_span_free(struct s2_span *s)
{
	ctr_drbg_free(&s->nonces);
	s->state = S2_NOTHING;
}

void s2_span_reset(struct s2_span *s)
{
	s2_span_free(s);
}

void s2_span_remote(struct s2_span *s, const struct s2_entropy *entropy)
{
	s2_span_reset(s);
	s->entropy = *entropy;
	s->state = S2_REMOTE;
}

void s2_span_local(struct s2_span *s, struct rng *rng)
{
	s2_span_reset(s);
	rng_fill(rng, s->entropy.octets, S2_ENTROPY);
	s->state = S2_LOCAL;
}

/* What the code covers besides the plain text: who speaks to whom, how long the whole command is, and all of it that stands in clear behind its name. */
static size_t additional(uint8_t aad[static AAD_MAX], uint8_t sender, uint8_t receiver, uint32_t home, size_t whole, struct rd clear)
{
	struct wr w = wr_of(aad, AAD_MAX);

	wr_u8(&w, sender);
	wr_u8(&w, receiver);
	wr_be32(&w, home);
	wr_be16(&w, (uint16_t)whole);
	wr_rd(&w, clear);
	return w.spoilt ? 0 : w.len;
}

/* The first message after a Nonce Report makes the SPAN. */
static enum err make_span(struct s2_span *s, const struct s2_keys *keys, struct rng *rng, struct s2_entropy *own)
{
	rng_fill(rng, own->octets, S2_ENTROPY);
	return s2_keys_span(keys, own, &s->entropy, &s->nonces);
}

enum err s2_message_seal(struct s2_span *s, const struct s2_keys *keys, const struct s2_link *link, struct rng *rng, struct rd plain, struct wr *w)
{
	uint8_t clear[2 + SPAN_LENGTH], aad[AAD_MAX], nonce[CTR_DRBG_BLOCK], sealed[S2_FRAME_MAX];
	struct wr head = wr_of(clear, sizeof clear);
	struct s2_entropy own;
	enum err e = OK;
	size_t n;

	if (s->state != S2_REMOTE && s->state != S2_SYNCED)
		return ERR_STATE;
	if (plain.left > sizeof sealed - TAG - sizeof clear - 2)
		return ERR_TOO_LONG;
	wr_u8(&head, s->sequence);
	wr_u8(&head, s->state == S2_REMOTE ? HAS_EXTENSION : 0);
	if (s->state == S2_REMOTE) {
		e = make_span(s, keys, rng, &own);
		wr_u8(&head, SPAN_LENGTH);
		wr_u8(&head, EXTENSION_CRITICAL | EXTENSION_SPAN);
		wr_copy(&head, own.octets, S2_ENTROPY);
	}
	if (e == OK)
		e = ctr_drbg_next(&s->nonces, nonce);
	if (e != OK)
		return e;
	n = additional(aad, link->own, link->peer, link->home, 2 + head.len + plain.left + TAG, rd_of(clear, head.len));
	e = ccm_star_seal(keys->ccm, nonce, rd_of(aad, n), plain, TAG, sealed);
	if (e != OK)
		return e;
	s->state = S2_SYNCED;
	s->sequence++;
	wr_u8(w, S2_CLASS);
	wr_u8(w, S2_ENCAPSULATION);
	wr_copy(w, clear, head.len);
	wr_copy(w, sealed, plain.left + TAG);
	return w->spoilt ? ERR_TOO_LONG : OK;
}

struct parsed {
	uint8_t sequence, flags;
	bool span;
	struct s2_entropy sender;
	struct rd clear, sealed; /* borrowed */
};

static enum err parse_extensions(struct rd *r, struct parsed *p)
{
	uint8_t length, type = EXTENSION_MORE;
	struct rd body;

	while (type & EXTENSION_MORE) {
		if (!rd_u8(r, &length) || !rd_u8(r, &type))
			return ERR_SHORT;
		if (length < 2)
			return ERR_MALFORMED;
		if (!rd_sub(r, length - 2U, &body))
			return ERR_SHORT;
		if ((type & EXTENSION_TYPE) == EXTENSION_SPAN) {
			if (body.left != S2_ENTROPY || p->span)
				return ERR_MALFORMED;
			p->span = rd_copy(&body, p->sender.octets, S2_ENTROPY);
		} else if (type & EXTENSION_CRITICAL) {
			return ERR_UNSUPPORTED;
		}
	}
	return OK;
}

static enum err parse(struct rd message, struct parsed *p)
{
	struct rd r = message;
	uint8_t class, command;
	enum err e = OK;

	memset(p, 0, sizeof *p);
	if (message.left > S2_FRAME_MAX)
		return ERR_TOO_LONG;
	if (!rd_u8(&r, &class) || !rd_u8(&r, &command))
		return ERR_SHORT;
	if (class != S2_CLASS || command != S2_ENCAPSULATION)
		return ERR_UNSUPPORTED;
	p->clear = r;
	if (!rd_u8(&r, &p->sequence) || !rd_u8(&r, &p->flags))
		return ERR_SHORT;
	if (p->flags & HAS_EXTENSION)
		e = parse_extensions(&r, p);
	if (e != OK)
		return e;
	p->clear.left -= r.left;
	p->sealed = r;
	return p->sealed.left < TAG ? ERR_SHORT : OK;
}

/* Tries the next nonces; the generator moves on only when one was right. */
static enum err open_with(struct ctr_drbg *nonces, unsigned tries, const struct s2_keys *keys, struct rd aad, struct rd sealed, uint8_t *out)
{
	struct ctr_drbg ahead = {NULL};
	uint8_t nonce[CTR_DRBG_BLOCK];
	enum err e = ctr_drbg_copy(&ahead, nonces);

	for (unsigned i = 0; e == OK && i < tries; i++) {
		e = ctr_drbg_next(&ahead, nonce);
		if (e != OK)
			break;
		e = ccm_star_open(keys->ccm, nonce, aad, sealed, TAG, out);
		if (e == OK) {
			ctr_drbg_free(nonces);
			*nonces = ahead;
			return OK;
		}
		if (e == ERR_BAD_MIC && i + 1 < tries)
			e = OK;
	}
	ctr_drbg_free(&ahead);
	return e;
}

enum err s2_message_open(struct s2_span *s, const struct s2_keys *keys, const struct s2_link *link, struct rd message, struct wr *plain)
{
	uint8_t aad[AAD_MAX], out[S2_FRAME_MAX];
	struct ctr_drbg fresh = {NULL};
	struct parsed p;
	enum err e = parse(message, &p);
	bool first = s->state == S2_LOCAL;
	size_t n;

	if (e != OK)
		return e;
	if (s->heard && p.sequence == s->last)
		return ERR_DUPLICATE;
	if (p.flags & HAS_SEALED_EXTENSION) /* only multicast has one */
		return ERR_UNSUPPORTED;
	if (s->state != S2_SYNCED && !(first && p.span))
		return ERR_STATE;
	n = additional(aad, link->peer, link->own, link->home, message.left, p.clear);
	if (first)
		e = s2_keys_span(keys, &p.sender, &s->entropy, &fresh);
	if (e == OK)
		e = open_with(first ? &fresh : &s->nonces, first ? 1 : S2_AHEAD, keys, rd_of(aad, n), p.sealed, out);
	if (e != OK) {
		ctr_drbg_free(&fresh);
		return e;
	}
	if (first) {
		ctr_drbg_free(&s->nonces);
		s->nonces = fresh;
	}
	s->state = S2_SYNCED;
	s->heard = true;
	s->last = p.sequence;
	wr_copy(plain, out, p.sealed.left - TAG);
	bytes_wipe(out, sizeof out); /* there may be a key in it */
	return plain->spoilt ? ERR_TOO_LONG : OK;
}
