/* A UNIX stream socket, mode 0600, on which programs of the same user ask in lines and get lines: administration, Zh. Lines may hold keys: what was read
 * and what was answered is wiped. */
#ifndef KEYWAY_GBA_NET_LINE_SERVER_H
#define KEYWAY_GBA_NET_LINE_SERVER_H

#include "base/wr.h"
#include "loop/loop.h"

#define LINE_CALLERS_MAX 16
#define LINE_MAX_OCTETS 16384
#define LINE_ANSWER_MAX ((size_t)4 * 1024 * 1024)

struct line_server;
/* Writes the answer to a line, without its end. */
typedef void line_answer(void *ctx, struct rd line, struct wr *answer);
/* ERR_EXISTS: somebody listens there. ERR_TOO_LONG, ERR_IO. */
enum err line_server_new(struct loop *l, const char *path, line_answer *fn, void *ctx, struct line_server **out) MUST_CHECK;
void line_server_free(struct line_server *s); /* accepts NULL */

#endif
