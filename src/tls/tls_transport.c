/* Between GnuTLS and the outside: what arrives is looked at for an identity whose key has to be asked for, and waits while it is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tls/tls_private.h"

#define CHUNK 4096       /* of the first flights; more is read where there is more */
#define RECORD_CHANGE_CIPHER_SPEC 20
#define RECORD_HANDSHAKE 22
#define FLIGHT_MAX 8192  /* of a flight's records that leave together */

/* ---- what arrives before it is known who it is ---- */

static bool looks(const struct tls_session *s)
{
	return s->hs && s->hs->looks;
}

/* True: the identity that was found has to be asked for, and the answer comes later. */
static bool found(struct tls_session *s, enum tls_hello_found what)
{
	if (what == TLS_HELLO_END)
		s->hs->looks = false;
	if (what != TLS_HELLO_IDENTITY)
		return false;
	s->hs->paused = s->credentials->psk_ops->ask(s, s->hs->hello.identity);
	return s->hs->paused;
}

/* Moves `ready` over the records that GnuTLS may have. The one with an identity waits for its key. */
void tls_transport_examine(struct tls_session *s)
{
	struct tls_handshake *hs = s->hs;

	while (looks(s) && !hs->paused) {
		struct rd in = rd_of(hs->held.octets + hs->ready, hs->held.len - hs->ready);
		size_t before = in.left;
		enum tls_hello_found what = tls_hello_record(&hs->hello, &in);

		if (what == TLS_HELLO_SHORT)
			return;
		if (found(s, what))
			hs->waiting = before - in.left;
		else
			hs->ready += before - in.left;
	}
	if (!looks(s))
		hs->ready = hs->held.len;
}

static ssize_t again(struct tls_session *s)
{
	gnutls_transport_set_errno(s->tls, EAGAIN);
	return -1;
}

static ssize_t pull_through(struct tls_session *s, void *octets, size_t size)
{
	ssize_t n = s->o.pull(s->o.ctx, octets, size);

	if (n < 0)
		gnutls_transport_set_errno(s->tls, errno);
	return n;
}

static ssize_t stream_pull(struct tls_session *s, void *octets, size_t size)
{
	struct tls_handshake *hs = s->hs;
	size_t n;

	if (hs && hs->taken == hs->ready && looks(s) && !hs->paused) {
		uint8_t *room;
		ssize_t got;

		if (hs->taken > 0) { /* all that was ready is GnuTLS's */
			memmove(hs->held.octets, hs->held.octets + hs->taken, hs->held.len - hs->taken);
			hs->held.len -= hs->taken;
			hs->ready = hs->taken = 0;
		}
		room = wr_room(&hs->held, CHUNK);
		if (!room)
			return again(s);
		got = s->o.pull(s->o.ctx, room, CHUNK);
		hs->held.len -= CHUNK - (size_t)(got > 0 ? got : 0);
		if (got <= 0) {
			if (got < 0)
				gnutls_transport_set_errno(s->tls, errno);
			return got;
		}
		tls_transport_examine(s);
	}
	if (!hs || (hs->taken == hs->held.len && !looks(s)))
		return pull_through(s, octets, size);
	n = hs->ready - hs->taken < size ? hs->ready - hs->taken : size;
	if (n == 0)
		return again(s);
	memcpy(octets, hs->held.octets + hs->taken, n);
	hs->taken += n;
	return (ssize_t)n;
}

/* ---- datagrams: they wait whole ---- */

void tls_transport_enqueue(struct tls_handshake *hs, struct rd datagram)
{
	if (hs->queued == TLS_QUEUE_MAX)
		return;
	hs->queue[hs->queued] = wr_new(datagram.left + 1);
	wr_rd(&hs->queue[hs->queued++], datagram);
}

static ssize_t dequeue(struct tls_handshake *hs, void *octets, size_t size)
{
	size_t n = hs->queue[0].len < size ? hs->queue[0].len : size;

	if (n > 0)
		memcpy(octets, hs->queue[0].octets, n);
	wr_free(&hs->queue[0]);
	memmove(hs->queue, hs->queue + 1, --hs->queued * sizeof hs->queue[0]);
	return (ssize_t)n;
}

static ssize_t datagram_pull(struct tls_session *s, void *octets, size_t size)
{
	struct tls_handshake *hs = s->hs;
	enum tls_hello_found what;
	ssize_t n;

	if (hs && hs->queued > 0 && !hs->paused)
		return dequeue(hs, octets, size);
	n = pull_through(s, octets, size);
	if (n <= 0 || !looks(s))
		return n;
	if (!hs->paused) {
		struct rd in = rd_of(octets, (size_t)n);

		do
			what = tls_hello_record(&hs->hello, &in);
		while (what != TLS_HELLO_SHORT && !found(s, what) && in.left > 0 && looks(s));
	}
	if (!hs->paused)
		return n;
	tls_transport_enqueue(hs, rd_of(octets, (size_t)n));
	return again(s);
}

/* Of DTLS 1.2, where records whose keys do not fit vanish in GnuTLS without a word. Those behind the peer's ChangeCipherSpec count: others come too early,
 * which is no fault of theirs. */
bool tls_transport_reads_sealed(const struct tls_session *s)
{
	gnutls_datum_t key = {NULL, 0};

	return gnutls_record_get_state(s->tls, 1, NULL, NULL, &key, NULL) == 0 && key.size > 0;
}

/* type(1) version(2) epoch(2) sequence(6) length(2) ... (RFC 6347 clause 4.1) */
static void count_sealed(struct tls_session *s, struct rd in)
{
	bool begun = tls_transport_reads_sealed(s);
	uint8_t type;
	uint16_t epoch, len;

	while (rd_u8(&in, &type) && rd_skip(&in, 2) && rd_be16(&in, &epoch) && rd_skip(&in, 6) && rd_be16(&in, &len) && rd_skip(&in, len)) {
		begun = begun || type == RECORD_CHANGE_CIPHER_SPEC;
		s->hs->sealed += begun && type == RECORD_HANDSHAKE && epoch > 0 ? 1U : 0U;
	}
}

/* ---- GnuTLS's transport ---- */

static ssize_t on_pull(gnutls_transport_ptr_t ptr, void *octets, size_t size)
{
	struct tls_session *s = ptr;
	ssize_t n = s->o.datagram ? datagram_pull(s, octets, size) : stream_pull(s, octets, size);

	if (n > 0 && s->o.datagram && s->o.server && s->hs && !s->hs->shaken)
		count_sealed(s, rd_of(octets, (size_t)n));
	return n;
}

static ssize_t on_push(gnutls_transport_ptr_t ptr, const void *octets, size_t len)
{
	struct tls_session *s = ptr;
	ssize_t n = s->o.push(s->o.ctx, octets, len);

	if (n < 0)
		gnutls_transport_set_errno(s->tls, errno);
	return n;
}

/* The records of a flight come one by one, and each would be a packet of its own, for which the other side wakes up. */
static ssize_t on_push_flight(gnutls_transport_ptr_t ptr, const giovec_t *parts, int count)
{
	uint8_t octets[FLIGHT_MAX];
	struct wr flight = wr_of(octets, sizeof octets);
	int fits = 0;

	for (; fits < count && parts[fits].iov_len <= sizeof octets - flight.len; fits++)
		wr_copy(&flight, parts[fits].iov_base, parts[fits].iov_len);
	return fits < 2 ? on_push(ptr, parts[0].iov_base, parts[0].iov_len) : on_push(ptr, octets, flight.len);
}

static int on_pull_timeout(gnutls_transport_ptr_t ptr, unsigned ms)
{
	struct tls_session *s = ptr;

	(void)ms;
	if (!s->o.datagram)
		return 1;
	return (s->hs && s->hs->queued > 0 && !s->hs->paused) || s->o.readable(s->o.ctx) ? 1 : 0;
}

void tls_transport_set(struct tls_session *s)
{
	gnutls_transport_set_ptr(s->tls, s);
	if (s->o.datagram)
		gnutls_transport_set_push_function(s->tls, on_push);
	else
		gnutls_transport_set_vec_push_function(s->tls, on_push_flight);
	gnutls_transport_set_pull_function(s->tls, on_pull);
	gnutls_transport_set_pull_timeout_function(s->tls, on_pull_timeout);
}
