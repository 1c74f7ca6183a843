/* The administration socket: JSON lines over a UNIX stream socket of mode 0600. Source: docs/protocols/admin.md. Nothing that it answers
 * holds an install code or a key. */
#ifndef KEYWAY_MEF_ADMIN_H
#define KEYWAY_MEF_ADMIN_H

#include "base/wr.h"
#include "mef/egp_server.h"
#include "mef/mef.h"

#define ADMIN_LINE_MAX 65536
#define ADMIN_ANSWER_MAX (8 * 1024 * 1024) /* a list of some ten thousand devices */

struct admin;

/* egp may be NULL: then no gateway counts as connected. A socket that nobody listens on any more is replaced; ERR_EXISTS when somebody does. */
enum err admin_new(struct mef *m, const struct egp_server *egp, const char *path, struct admin **out) MUST_CHECK;
void admin_free(struct admin *a); /* accepts NULL; removes the socket */

/* One request, one answer without line end; what the socket does with each line. */
void admin_answer(struct mef *m, const struct egp_server *egp, struct rd request, struct wr *answer);

#endif
