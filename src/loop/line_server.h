/* A UNIX stream socket, mode 0600, on which programs of the same user ask in lines and get lines: administration, Zh. Lines may hold keys: what was read
 * and what was answered is wiped. */
#ifndef KEYWAY_LOOP_LINE_SERVER_H
#define KEYWAY_LOOP_LINE_SERVER_H

#include "base/wr.h"
#include "loop/loop.h"

#define LINE_CALLERS_MAX 16

struct line_limits {
	size_t line;    /* octets that wait for the end of their line; who sends more is cut off */
	size_t answers; /* octets that wait for being taken, likewise */
};

struct line_server;
/* Writes the answer to a line, without its end. */
typedef void line_answer(void *ctx, struct rd line, struct wr *answer);
/* A socket that nobody listens on any more is replaced; ERR_EXISTS when somebody does. ERR_TOO_LONG, ERR_IO. */
enum err line_server_new(struct loop *l, const char *path, const struct line_limits *limits, line_answer *fn, void *ctx, struct line_server **out) MUST_CHECK;
void line_server_free(struct line_server *s); /* accepts NULL; removes the socket */

#endif
