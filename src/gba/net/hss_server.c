/* The doors of keyway-hss. */
#include "gba/net/hss_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "gba/hostapd_line.h"
#include "gba/zh.h"
#include "loop/line_server.h"
#include "loop/log.h"

#define DATAGRAMS_A_ROUND 64

struct hss_server {
	struct hss *hss;
	struct line_server *zh, *admin;
	struct loop_io *io;
	int fd; /* hostapd's, or -1 */
	char path[sizeof((struct sockaddr_un *)0)->sun_path];
};

static void tell(struct hss *h, enum err e, const char *what, const char *kind, const char *name, const char *purpose)
{
	if (e == OK)
		log_line(LOG_LEVEL_INFO, what, "%s=%s for=%s", kind, name, purpose);
	else if (hss_tells(h, clock_ms()))
		log_line(LOG_LEVEL_WARNING, what, "%s=%s for=%s reason=%s", kind, name, purpose, err_name(e));
}

/* ---- hostapd ---- */

static void hostapd_sim(struct hss *h, const struct hostapd_request *rq, struct wr *answer)
{
	struct sim_triplet t[HOSTAPD_TRIPLETS_MAX];
	enum err e = hss_triplets(h, rq->imsi, t, rq->triplets);

	tell(h, e, e == OK ? "triplets given" : "triplets refused", "imsi", rq->imsi, "eap");
	if (e != OK) {
		hostapd_failure_print(answer, rq);
		return;
	}
	hostapd_sim_print(answer, rq->imsi, t, rq->triplets);
	for (size_t i = 0; i < rq->triplets; i++)
		sim_triplet_clear(&t[i]);
}

static void hostapd_aka(struct hss *h, const struct hostapd_request *rq, struct wr *answer)
{
	struct aka_vector v;
	struct guss g;
	enum err e = hss_vector(h, rq->imsi, &v, &g);

	tell(h, e, e == OK ? "vector given" : "vector refused", "imsi", rq->imsi, "eap");
	if (e != OK) {
		hostapd_failure_print(answer, rq);
		return;
	}
	hostapd_aka_print(answer, rq->imsi, &v);
	aka_vector_clear(&v);
}

void hss_hostapd_answer(struct hss *h, struct rd line, struct wr *answer)
{
	struct hostapd_request rq;
	enum err e = hostapd_request_parse(line, &rq);

	if (e != OK) {
		if (hss_tells(h, clock_ms()))
			log_line(LOG_LEVEL_WARNING, "a line on hostapd's socket was not understood", "reason=%s", err_name(e));
		return;
	}
	switch (rq.question) {
	case HOSTAPD_SIM:
		hostapd_sim(h, &rq, answer);
		return;
	case HOSTAPD_AKA:
		hostapd_aka(h, &rq, answer);
		return;
	case HOSTAPD_AUTS:
		e = hss_resynchronise(h, rq.imsi, rq.rand, rq.auts);
		tell(h, e, e == OK ? "resynchronised" : "AUTS refused", "imsi", rq.imsi, "eap");
		return;
	}
}

static void on_hostapd(void *ctx, unsigned events)
{
	struct hss_server *s = ctx;

	(void)events;
	for (int i = 0; i < DATAGRAMS_A_ROUND; i++) {
		char line[HOSTAPD_LINE_MAX], text[HOSTAPD_LINE_MAX];
		struct sockaddr_un from;
		socklen_t from_len = sizeof from;
		struct wr answer = wr_of(text, sizeof text);
		struct rd done;
		ssize_t n = recvfrom(s->fd, line, sizeof line, MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&from, &from_len);

		if (n < 0)
			return;
		if ((size_t)n > sizeof line)
			continue;
		hss_hostapd_answer(s->hss, rd_of(line, (size_t)n), &answer);
		/* Who has no address cannot be answered; who does not read loses it and asks again. */
		if (wr_done(&answer, &done) && done.left > 0 && from_len > sizeof from.sun_family &&
		    sendto(s->fd, done.at, done.left, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&from, from_len) < 0)
			log_line(LOG_LEVEL_WARNING, "hostapd did not take an answer", "errno=%d", errno);
		bytes_wipe(text, sizeof text);
	}
}

static enum err hostapd_open(struct hss_server *s, struct loop *l, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t former;
	bool bound;
	int probe;

	if (!rd_text(rd_str(path), address.sun_path, sizeof address.sun_path))
		return ERR_TOO_LONG;
	probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (probe < 0)
		return ERR_IO;
	bound = connect(probe, (const struct sockaddr *)&address, sizeof address) == 0;
	close(probe);
	if (bound)
		return ERR_EXISTS;
	unlink(path);
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return ERR_IO;
	former = umask(0177);
	bound = bind(s->fd, (const struct sockaddr *)&address, sizeof address) == 0;
	umask(former);
	if (!bound)
		return ERR_IO;
	memcpy(s->path, address.sun_path, sizeof s->path);
	s->io = loop_io_new(l, s->fd, LOOP_READ, on_hostapd, s);
	return OK;
}

/* ---- Zh ---- */

static void refuse(struct wr *answer, enum err e, const char *text)
{
	struct json_out o = json_out(answer);

	json_object(&o, NULL);
	json_put_bool(&o, "ok", false);
	json_put_string(&o, "code", err_name(e));
	json_put_string(&o, "error", text);
	json_close(&o);
}

static enum err zh_vector(struct hss *h, const struct bsf_ask *ask, struct aka_vector *v, struct guss *g)
{
	enum err e = OK;

	if (ask->resync) {
		e = hss_resynchronise(h, ask->impi, ask->rand, ask->auts);
		tell(h, e, e == OK ? "resynchronised" : "AUTS refused", "impi", log_quote(rd_str(ask->impi)), "gba");
	}
	return e == OK ? hss_vector(h, ask->impi, v, g) : e;
}

void hss_zh_answer(struct hss *h, struct rd line, struct wr *answer)
{
	struct json_arena *arena = json_arena_new();
	struct json_out o = json_out(answer);
	const struct json *doc;
	struct aka_vector v;
	struct bsf_ask ask;
	struct guss g;
	enum err e = ERR_NO_MEMORY;

	if (arena)
		e = json_parse(arena, line, NULL, &doc) == OK && json_is_string(json_get(doc, "cmd"), "vector") ? zh_ask_parse(doc, &ask) : ERR_MALFORMED;
	json_arena_free(arena);
	if (e != OK) {
		refuse(answer, e, "the question was not understood");
		return;
	}
	e = zh_vector(h, &ask, &v, &g);
	tell(h, e, e == OK ? "vector given" : "vector refused", "impi", log_quote(rd_str(ask.impi)), "gba");
	if (e != OK) {
		refuse(answer, e, err_text(e));
		return;
	}
	json_object(&o, NULL);
	json_put_bool(&o, "ok", true);
	zh_answer_print(&o, &v, &g);
	json_close(&o);
	aka_vector_clear(&v);
}

static void on_zh(void *ctx, struct rd line, struct wr *answer)
{
	hss_zh_answer(((struct hss_server *)ctx)->hss, line, answer);
}

static void on_admin(void *ctx, struct rd line, struct wr *answer)
{
	hss_admin_answer(((struct hss_server *)ctx)->hss, line, answer);
}

enum err hss_server_new(struct loop *l, struct hss *h, const struct hss_server_config *c, struct hss_server **out, const char **which)
{
	static const struct line_limits limits = {.line = 16384, .answers = (size_t)4 * 1024 * 1024};
	struct hss_server *s = calloc(1, sizeof *s);
	enum err e = OK;

	if (!s)
		return ERR_NO_MEMORY;
	s->hss = h;
	s->fd = -1;
	*which = c->admin_socket;
	e = line_server_new(l, c->admin_socket, &limits, on_admin, s, &s->admin);
	if (e == OK && c->zh_socket) {
		*which = c->zh_socket;
		e = line_server_new(l, c->zh_socket, &limits, on_zh, s, &s->zh);
	}
	if (e == OK && c->hostapd_socket) {
		*which = c->hostapd_socket;
		e = hostapd_open(s, l, c->hostapd_socket);
	}
	if (e == OK)
		*out = s;
	else
		hss_server_free(s);
	return e;
}

void hss_server_free(struct hss_server *s)
{
	if (!s)
		return;
	line_server_free(s->zh);
	line_server_free(s->admin);
	loop_io_free(s->io);
	if (s->fd >= 0)
		close(s->fd);
	if (s->path[0])
		unlink(s->path);
	free(s);
}
