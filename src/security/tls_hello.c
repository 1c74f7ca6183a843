/* The PSK identity in the clear octets of a handshake: RFC 8446 clauses 4.1.2, 4.2.11 and 5.1, RFC 5246 clause 7.4.7, RFC 4279, RFC 5489, RFC 6347. */
#include "security/tls_hello.h"

#include <string.h>

#define RECORD_MAX (16384 + 2048)
#define EXTENSION_PRE_SHARED_KEY 41

enum record_type { RECORD_CHANGE_CIPHER_SPEC = 20, RECORD_ALERT = 21, RECORD_HANDSHAKE = 22 };
enum message_type { MESSAGE_CLIENT_HELLO = 1, MESSAGE_CLIENT_KEY_EXCHANGE = 16 };

void tls_hello_init(struct tls_hello *h, bool datagram)
{
	memset(h, 0, sizeof *h);
	h->datagram = datagram;
	h->message = wr_new(TLS_HELLO_MESSAGE_MAX);
}

void tls_hello_clear(struct tls_hello *h)
{
	wr_free(&h->message);
}

static bool sub8(struct rd *r, struct rd *sub)
{
	uint8_t len;
	struct rd in = *r;

	if (!rd_u8(&in, &len) || !rd_sub(&in, len, sub))
		return false;
	*r = in;
	return true;
}

static bool sub16(struct rd *r, struct rd *sub)
{
	uint16_t len;
	struct rd in = *r;

	if (!rd_be16(&in, &len) || !rd_sub(&in, len, sub))
		return false;
	*r = in;
	return true;
}

static bool be24(struct rd *r, size_t *v)
{
	uint8_t high;
	uint16_t low;
	struct rd in = *r;

	if (!rd_u8(&in, &high) || !rd_be16(&in, &low))
		return false;
	*v = (size_t)high << 16 | low;
	*r = in;
	return true;
}

static enum tls_hello_found found(struct tls_hello *h, struct rd identity)
{
	if (!rd_text(identity, h->identity, sizeof h->identity))
		h->identity[0] = '\0';
	return TLS_HELLO_IDENTITY;
}

/* identities(2) { identity(2) age(4) }..., binders(2)... The first is the one that GnuTLS takes. */
static enum tls_hello_found pre_shared_key(struct tls_hello *h, struct rd in)
{
	struct rd identities, identity;

	if (!sub16(&in, &identities) || !sub16(&identities, &identity))
		return TLS_HELLO_PASS;
	return found(h, identity);
}

/* version(2) random(32) session(1) [cookie(1)] suites(2) compression(1) extensions(2) */
static enum tls_hello_found client_hello(struct tls_hello *h, struct rd in)
{
	struct rd skipped, extensions, body;
	uint16_t type;

	if (!rd_skip(&in, 34) ||
	    !sub8(&in, &skipped) ||
	    (h->datagram && !sub8(&in, &skipped)) ||
	    !sub16(&in, &skipped) ||
	    !sub8(&in, &skipped) ||
	    !sub16(&in, &extensions))
		return TLS_HELLO_PASS;
	while (rd_be16(&extensions, &type) && sub16(&extensions, &body))
		if (type == EXTENSION_PRE_SHARED_KEY)
			return pre_shared_key(h, body);
	return TLS_HELLO_PASS;
}

/* PSK: identity(2). ECDHE_PSK: identity(2) point(1). Any other key exchange of ours begins with a point, whose length and first octet make up more
 * than what is there when they are read as an identity's length. */
static enum tls_hello_found client_key_exchange(struct tls_hello *h, struct rd in)
{
	struct rd identity, point;

	if (!sub16(&in, &identity) || (!rd_end(&in) && (!sub8(&in, &point) || !rd_end(&in))))
		return TLS_HELLO_PASS;
	return found(h, identity);
}

static enum tls_hello_found message(struct tls_hello *h, unsigned type, struct rd body)
{
	if (type == MESSAGE_CLIENT_HELLO)
		return client_hello(h, body);
	return type == MESSAGE_CLIENT_KEY_EXCHANGE ? client_key_exchange(h, body) : TLS_HELLO_PASS;
}

/* ---- streams: messages run on over records ---- */

static enum tls_hello_found stream_messages(struct tls_hello *h, struct rd fragment)
{
	enum tls_hello_found result = TLS_HELLO_PASS;
	struct rd octets, body;
	size_t used = 0, len;
	uint8_t type;

	wr_rd(&h->message, fragment);
	if (!wr_done(&h->message, &octets))
		return TLS_HELLO_END;
	while (result == TLS_HELLO_PASS && rd_u8(&octets, &type) && be24(&octets, &len) && rd_sub(&octets, len, &body)) {
		result = message(h, type, body);
		used += 4 + len;
	}
	memmove(h->message.octets, h->message.octets + used, h->message.len - used);
	h->message.len -= used;
	return result;
}

/* ---- datagrams: a fragment says what message it is of, and where it goes ---- */

/* type(1) length(3) seq(2) offset(3) fragment(3). Fragments count in order only: who sends a short message in pieces, and out of order, is asked to
 * send it again by its own timer. */
static enum tls_hello_found fragment_of(struct tls_hello *h, struct rd *in)
{
	size_t len, offset, part;
	uint8_t type;
	uint16_t seq;
	struct rd body, whole;

	if (!rd_u8(in, &type) || !be24(in, &len) || !rd_be16(in, &seq) || !be24(in, &offset) || !be24(in, &part) || !rd_sub(in, part, &body))
		return TLS_HELLO_END;
	if (offset == 0 && part == len)
		return message(h, type, body);
	if (type != MESSAGE_CLIENT_HELLO && type != MESSAGE_CLIENT_KEY_EXCHANGE)
		return TLS_HELLO_PASS;
	if (offset == 0) {
		wr_reset(&h->message);
		h->message_len = len;
		h->message_type = type;
		h->message_seq = seq;
	}
	if (h->message_type != type || h->message_seq != seq || h->message_len != len || h->message.len != offset)
		return TLS_HELLO_PASS;
	wr_rd(&h->message, body);
	if (!wr_done(&h->message, &whole) || whole.left != len)
		return TLS_HELLO_PASS;
	h->message_type = 0;
	return message(h, type, whole);
}

static enum tls_hello_found datagram_messages(struct tls_hello *h, struct rd in)
{
	enum tls_hello_found result = TLS_HELLO_PASS;

	while (in.left > 0 && result == TLS_HELLO_PASS)
		result = fragment_of(h, &in);
	return result == TLS_HELLO_END ? TLS_HELLO_PASS : result;
}

/* type(1) version(2) [epoch(2) sequence(6)] length(2) */
static bool record_head(const struct tls_hello *h, struct rd *in, uint8_t *type, uint16_t *epoch, uint16_t *len)
{
	*epoch = 0;
	return rd_u8(in, type) && rd_skip(in, 2) && (!h->datagram || (rd_be16(in, epoch) && rd_skip(in, 6))) && rd_be16(in, len);
}

enum tls_hello_found tls_hello_record(struct tls_hello *h, struct rd *in)
{
	struct rd at = *in, body;
	uint16_t epoch, len;
	uint8_t type;

	if (!h->datagram && at.left > 0 && (at.at[0] < RECORD_CHANGE_CIPHER_SPEC || at.at[0] > RECORD_HANDSHAKE))
		return TLS_HELLO_END;
	if (!record_head(h, &at, &type, &epoch, &len))
		return TLS_HELLO_SHORT;
	if (!h->datagram && len > RECORD_MAX)
		return TLS_HELLO_END;
	if (!rd_sub(&at, len, &body))
		return TLS_HELLO_SHORT;
	*in = at;
	if (type == RECORD_HANDSHAKE && epoch == 0)
		return h->datagram ? datagram_messages(h, body) : stream_messages(h, body);
	return type == RECORD_CHANGE_CIPHER_SPEC && !h->datagram ? TLS_HELLO_END : TLS_HELLO_PASS;
}
