/* The administration socket itself. */
#include "loop/line_server.h"

#include <stdlib.h>

#include "mef/admin.h"

struct admin {
	struct mef *mef;
	const struct egp_server *egp;
	struct line_server *server;
};

/* An empty line stands for an answer that does not fit. */
static void on_line(void *ctx, struct rd line, struct wr *out)
{
	const struct admin *a = ctx;
	struct wr answer = wr_new(ADMIN_ANSWER_MAX);
	struct rd octets;

	admin_answer(a->mef, a->egp, line, &answer);
	if (wr_done(&answer, &octets))
		wr_rd(out, octets);
	wr_free(&answer);
}

enum err admin_new(struct mef *m, const struct egp_server *egp, const char *path, struct admin **out)
{
	static const struct line_limits limits = {.line = ADMIN_LINE_MAX, .answers = 2 * ADMIN_ANSWER_MAX};
	struct admin *a = calloc(1, sizeof *a);
	enum err e;

	if (!a)
		return ERR_NO_MEMORY;
	a->mef = m;
	a->egp = egp;
	e = line_server_new(m->loop, path, &limits, on_line, a, &a->server);
	if (e != OK)
		free(a);
	else
		*out = a;
	return e;
}

void admin_free(struct admin *a)
{
	if (!a)
		return;
	line_server_free(a->server);
	free(a);
}
