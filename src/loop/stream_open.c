/* Byte streams that we open: over TCP, TLS and serial lines, and over descriptors that somebody else has opened. */
#include "loop/stream_private.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/serial.h"
#include "loop/tcp.h"

enum err stream_open(struct loop *l, const char *address, struct tls_credentials *tls, const char *expected_peer,
    const struct stream_events *events, void *ctx, struct stream **out)
{
	bool serial = strncmp(address, "serial:", 7) == 0;
	bool refused = false;
	bool secure = strncmp(address, "tls:", 4) == 0 || strncmp(address, "psk:", 4) == 0;
	struct stream *s;
	enum err e;
	int fd;

	if (!serial && !secure && strncmp(address, "tcp:", 4) != 0)
		return ERR_CONFIG;
	if (secure && !tls)
		return ERR_CONFIG;
	e = serial ? serial_open(address + 7, &fd) : tcp_connect(address + 4, &fd, &refused);
	if (e != OK)
		return e;
	s = stream_make(l, fd, STREAM_CONNECTING);
	if (!s) {
		close(fd);
		return ERR_NO_MEMORY;
	}
	s->events = events;
	s->ctx = ctx;
	snprintf(s->peer, sizeof s->peer, "%s", address);
	if (secure && !stream_attach_tls(s, tls, false, expected_peer)) {
		stream_release(s);
		return ERR_TLS;
	}
	if (refused) {
		s->why = ERR_UNREACHABLE;
		loop_timer_in(s->later, 0);
	} else {
		stream_start(s, LOOP_READ | LOOP_WRITE); /* a serial line counts as connecting too: SO_ERROR fails on a tty, which passes */
	}
	*out = s;
	return OK;
}

enum err stream_from_fd(struct loop *l, int fd, const struct stream_events *events, void *ctx, struct stream **out)
{
	int flags = fcntl(fd, F_GETFL);
	struct stream *s = flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 ? stream_make(l, fd, STREAM_CONNECTING) : NULL;

	if (!s) {
		close(fd);
		return ERR_IO;
	}
	s->events = events;
	s->ctx = ctx;
	stream_start(s, LOOP_READ | LOOP_WRITE);
	*out = s;
	return OK;
}

enum err stream_over(struct loop *l, int fd, struct rd first, const struct tls_peer *peer, void (*end)(void *ctx), void *ctx, struct stream **out)
{
	int flags = fcntl(fd, F_GETFL), one = 1;
	struct stream *s = first.left <= STREAM_FIRST_MAX && flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 ? stream_make(l, fd, STREAM_OPEN) : NULL;

	if (!s)
		return ERR_IO;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* fails on a local socket, which has no such delay */
	s->end = end;
	s->end_ctx = ctx;
	if (peer) {
		s->given_peer = malloc(sizeof *peer);
		if (!s->given_peer)
			abort();
		*s->given_peer = *peer;
	}
	if (first.left > 0)
		memcpy(s->in, first.at, first.left);
	s->in_len = first.left;
	s->given = first.left > 0;
	stream_start(s, LOOP_READ);
	loop_timer_in(s->later, 0);
	*out = s;
	return OK;
}
