/* `keyway-sim usim`: a card in a file, and the reader in which wpa_supplicant or eapol_test finds it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "gba/net/usim_file.h"
#include "gba/usim_line.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "sim/sim.h"

static const char usage[] =
    "usage: keyway-sim usim --file FILE --new IMSI [--mnc-digits 2] [--impi NAME] [--gba-u]\n"
    "       keyway-sim usim --file FILE [--ahead N] [--reader SOCKET]\n\n"
    "A simulated USIM (MILENAGE) whose memory is a file. `keyway subscriber add FILE` makes it known to keyway-hss.\n\n"
    "  --file FILE      its memory, mode 0600: identity, K and OPc, the sequence numbers that it has seen\n"
    "  --new IMSI       makes one with random keys\n"
    "  --mnc-digits N   2 or 3: how long the network code in the IMSI is, for the private identity\n"
    "  --impi NAME      another private identity\n"
    "  --gba-u          the card bootstraps by itself, and keeps Ks\n"
    "  --ahead N        moves its sequence numbers N ahead, as if another centre had used it\n"
    "  --reader SOCKET  answers wpa_supplicant or eapol_test (external_sim=1) at this control socket, until it goes\n"
    "\nExample:\n"
    "  keyway-sim usim --file card.json --new 001010123456789\n";

struct reader {
	struct loop *loop;
	struct loop_io *io;
	int fd;
	const char *file;
	struct usim usim;
	bool failed;
};

static int complain(const char *what, const char *about)
{
	fprintf(stderr, "keyway-sim usim: %s: %s\n", about, what);
	return 1;
}

static int make(const char *file, int argc, char **argv)
{
	const char *imsi = sim_option(argc, argv, "--new", NULL), *impi = sim_option(argc, argv, "--impi", NULL);
	struct rng rng = rng_system();
	struct usim u = {.k = NULL};
	uint64_t digits;
	enum err e;

	if (!sim_number(argc, argv, "--mnc-digits", "2", 3, &digits))
		return 2;
	if (!rd_text(rd_str(imsi), u.imsi, sizeof u.imsi) || !impi_of_imsi(u.imsi, (unsigned)digits, u.impi))
		return complain("an IMSI has 6 to 15 digits, a network code 2 or 3", imsi);
	if (impi && !rd_text(rd_str(impi), u.impi, sizeof u.impi))
		return complain("is too long", impi);
	if (access(file, F_OK) == 0)
		return complain("there is one already", file);
	u.gba_u = sim_has(argc, argv, "--gba-u");
	u.k = secret_random(&rng, SECRET_AES128);
	u.opc = secret_random(&rng, SECRET_AES128);
	e = u.k && u.opc ? usim_file_write(file, &u) : ERR_NO_MEMORY;
	if (e == OK)
		printf("%s %s\n", u.imsi, u.impi);
	usim_clear(&u);
	return e == OK ? 0 : complain(err_text(e), file);
}

/* ---- reader ---- */

static void answer(struct reader *r, struct rd event)
{
	static const char *const names[] = {"", "GSM", "accepted", "wrong MAC", "synchronisation failure"};
	char text[USIM_LINE_MAX];
	struct wr w = wr_of(text, sizeof text);
	struct rd done;
	enum usim_line what;
	enum err e = usim_line_answer(&r->usim, event, &w, &what);

	if (e == OK && what == USIM_LINE_ACCEPTED)
		e = usim_file_write(r->file, &r->usim); /* before anybody can use it */
	if (e != OK) {
		log_line(LOG_LEVEL_ERROR, "the card can't answer", "reason=%s", err_name(e));
	} else if (what != USIM_LINE_OTHER && wr_done(&w, &done)) {
		if (send(r->fd, done.at, done.left, MSG_NOSIGNAL) < 0)
			r->failed = true;
		log_line(LOG_LEVEL_INFO, "answered", "what=\"%s\"", names[what]);
	}
	bytes_wipe(text, sizeof text);
}

static void on_event(void *ctx, unsigned events)
{
	struct reader *r = ctx;
	char text[4096];
	ssize_t n = recv(r->fd, text, sizeof text, MSG_DONTWAIT);

	(void)events;
	if (n < 0 || r->failed || (n >= 0 && memmem(text, (size_t)n, "CTRL-EVENT-TERMINATING", 22))) {
		loop_stop(r->loop);
		return;
	}
	answer(r, rd_of(text, (size_t)n));
	if (r->failed)
		loop_stop(r->loop);
}

static int reader_run(struct reader *r, const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX}, own = {.sun_family = AF_UNIX};

	if (!rd_text(rd_str(path), to.sun_path, sizeof to.sun_path))
		return complain("is too long for a socket", path);
	snprintf(own.sun_path, sizeof own.sun_path, "/tmp/keyway-usim-%ld", (long)getpid());
	unlink(own.sun_path);
	r->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* The peer answers to an address in the file system only. */
	if (r->fd < 0 || bind(r->fd, (const struct sockaddr *)&own, sizeof own) != 0 || connect(r->fd, (const struct sockaddr *)&to, sizeof to) != 0 ||
	    send(r->fd, "ATTACH", 6, MSG_NOSIGNAL) != 6) {
		unlink(own.sun_path);
		return complain("nobody listens there", path);
	}
	r->loop = loop_new();
	r->io = loop_io_new(r->loop, r->fd, LOOP_READ, on_event, r);
	log_line(LOG_LEVEL_INFO, "ready", "imsi=%s", r->usim.imsi);
	loop_run(r->loop);
	loop_io_free(r->io);
	loop_free(r->loop);
	close(r->fd);
	unlink(own.sun_path);
	return 0;
}

int usim_main(int argc, char **argv)
{
	struct reader r = {.fd = -1};
	const char *socket_path;
	uint64_t ahead;
	int status = sim_begin(argc, argv, usage, "--file= --new= --mnc-digits= --impi= --gba-u --ahead= --reader=");
	enum err e;

	if (status != SIM_GO_ON)
		return status;
	r.file = sim_option(argc, argv, "--file", NULL);
	socket_path = sim_option(argc, argv, "--reader", NULL);
	if (!r.file) {
		fputs("keyway-sim usim: --file is needed; --help tells more\n", stderr);
		return 2;
	}
	if (sim_has(argc, argv, "--new"))
		return make(r.file, argc, argv);
	if (!sim_number(argc, argv, "--ahead", "0", SQN_DELTA, &ahead))
		return 2;
	log_start("keyway-sim usim", LOG_LEVEL_INFO);
	e = usim_file_read(r.file, &r.usim);
	if (e != OK)
		return complain(e == ERR_NOT_FOUND ? "there is no such file" : "it must be a card's file with mode 0600", r.file);
	for (size_t i = 0; i < SQN_SLOTS; i++)
		r.usim.window.seq[i] += ahead;
	e = ahead ? usim_file_write(r.file, &r.usim) : OK;
	status = e != OK ? complain(err_text(e), r.file) : socket_path ? reader_run(&r, socket_path)
								       : 0;
	usim_clear(&r.usim);
	return status;
}
