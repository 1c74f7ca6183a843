/* Talking to the MEF's administration socket. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"

#define ANSWER_MAX (4 * 1024 * 1024)
#define PATIENCE_MS 15000

static int connect_to(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof a.sun_path)
		return -1;
	strcpy(a.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool read_line(int fd, struct wr *w)
{
	uint64_t end = clock_ms() + PATIENCE_MS;
	char octets[4096];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		uint64_t now = clock_ms();
		ssize_t n;

		if (now >= end || poll(&p, 1, (int)(end - now)) <= 0)
			return false;
		n = read(fd, octets, sizeof octets);
		if (n <= 0)
			return false;
		wr_copy(w, octets, (size_t)n);
		if (w->spoilt)
			return false;
		if (octets[n - 1] == '\n')
			return true;
	}
}

static bool take_answer(struct wr *w, struct admin_answer *a)
{
	struct rd text;

	if (!wr_done(w, &text) || (a->text = rd_strdup(text)) == NULL || (a->arena = json_arena_new()) == NULL ||
	    json_parse(a->arena, rd_str(a->text), NULL, &a->doc) != OK)
		return false;
	if (!json_bool(json_get(a->doc, "ok"), &a->ok))
		a->ok = false;
	if (!a->ok && !json_text(json_get(a->doc, "error"), a->error, sizeof a->error))
		snprintf(a->error, sizeof a->error, "the MEF refused, without a reason");
	return true;
}

bool admin_ask(const char *socket_path, struct rd request, struct admin_answer *a)
{
	struct wr w = wr_new(ANSWER_MAX), line = wr_new(ANSWER_MAX);
	int fd = connect_to(socket_path);
	bool ok = false;
	struct rd out;

	memset(a, 0, sizeof *a);
	if (fd < 0)
		return false;
	wr_rd(&line, request);
	wr_u8(&line, '\n');
	if (wr_done(&line, &out) && write(fd, out.at, out.left) == (ssize_t)out.left)
		ok = read_line(fd, &w) && take_answer(&w, a);
	wr_free(&line); /* and wipes it: an install code may be in it */
	wr_free(&w);
	close(fd);
	if (!ok)
		admin_answer_clear(a);
	return ok;
}

bool plant_ask(const struct plant *p, struct wr *w, struct admin_answer *a)
{
	struct rd request;
	bool ok = wr_done(w, &request) && admin_ask(p->admin_socket, request, a);

	wr_free(w); /* and wipes it */
	if (!ok) {
		cli_fail("the MEF does not answer on %s; is keyway-mef running, and may you read that socket?", p->admin_socket);
		return false;
	}
	if (!a->ok) {
		cli_fail("%s", a->error);
		admin_answer_clear(a);
		return false;
	}
	return true;
}

void admin_answer_clear(struct admin_answer *a)
{
	json_arena_free(a->arena);
	free(a->text);
	a->arena = NULL;
	a->text = NULL;
	a->doc = NULL;
}
