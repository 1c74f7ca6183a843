/* `keyway-sim rcp`: a Spinel radio co-processor on TCP or a pty, onto the simulated air. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop/log.h"
#include "loop/stream.h"
#include "sim/air_client.h"
#include "sim/rcp.h"
#include "sim/sim.h"

static const char usage[] =
    "usage: keyway-sim rcp (--listen HOST:PORT | --pty LINK) [--air 127.0.0.1:17754] [--ack-wait MS] [--seed N]\n\n"
    "A radio co-processor that speaks Spinel/HDLC-lite, as OpenThread RCP firmware does, on the simulated air.\n"
    "Acknowledgement, retries, address filter and source-match table are in it, as in hardware.\n"
    "  --listen HOST:PORT  for hosts that connect by TCP, one at a time\n"
    "  --pty LINK          makes a pty and a symbolic link to it, for hosts that use a serial line\n"
    "  --air HOST:PORT     `keyway-sim air`\n"
    "  --ack-wait MS       how long it waits for an acknowledgement (default 60: the air is between processes)\n"
    "  --seed N            of the randomness (default 2)\n"
    "\nExample:\n"
    "  keyway-sim rcp --listen 127.0.0.1:9447\n";

struct program {
	struct loop *loop;
	struct stream *host;
	struct air_client *air;
	struct rcp *rcp;
	struct loop_timer *timer;
	struct rng rng;
};

static void pump(struct program *p)
{
	static struct rcp_effect e;

	while (rcp_output(p->rcp, &e)) {
		switch (e.type) {
		case RCP_HOST:
			if (p->host)
				stream_write(p->host, rd_of(e.octets, e.len));
			break;
		case RCP_AIR:
			air_client_send(p->air, rd_of(e.octets, e.len));
			break;
		case RCP_CHANNEL:
			air_client_channel(p->air, e.channel);
			break;
		}
	}
	loop_timer_at(p->timer, rcp_deadline(p->rcp));
}

static void on_time(void *ctx)
{
	struct program *p = ctx;

	rcp_tick(p->rcp, clock_ms());
	pump(p);
}

static void on_air(void *ctx, struct rd psdu, uint8_t channel, uint8_t lqi)
{
	struct program *p = ctx;

	(void)channel;
	(void)lqi;
	rcp_air(p->rcp, clock_ms(), psdu);
	pump(p);
}

static size_t on_data(void *ctx, struct rd in)
{
	struct program *p = ctx;
	size_t len = in.left;
	bool more = true;

	while (more) {
		more = rcp_input(p->rcp, clock_ms(), &in);
		pump(p);
	}
	return len;
}

static void on_closed(void *ctx, enum err why)
{
	struct program *p = ctx;

	log_line(LOG_LEVEL_INFO, "host gone", "reason=%s", err_name(why));
	stream_free(p->host);
	p->host = NULL;
	rcp_restart(p->rcp);
}

static void on_open(void *ctx)
{
	(void)ctx;
}

static const struct stream_events events = {on_open, on_data, on_closed};

static void on_accept(void *ctx, struct stream *s)
{
	struct program *p = ctx;

	if (p->host)
		stream_free(p->host); /* a host that restarts must not wait for its dead connection */
	p->host = s;
	rcp_restart(p->rcp);
	stream_handle(s, &events, p);
	log_line(LOG_LEVEL_INFO, "host connected", NULL);
}

static enum err open_pty(struct program *p, const char *link_path)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int slave = -1;
	struct termios t;

	if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 || (slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0)
		return ERR_IO;
	/* The slave stays open in us, so that the line survives a host that closes it. */
	tcgetattr(slave, &t);
	cfmakeraw(&t);
	tcsetattr(slave, TCSANOW, &t);
	unlink(link_path);
	if (symlink(ptsname(master), link_path) != 0)
		return ERR_IO;
	return stream_from_fd(p->loop, master, &events, p, &p->host);
}

int rcp_main(int argc, char **argv)
{
	const char *listen = sim_option(argc, argv, "--listen", NULL), *pty = sim_option(argc, argv, "--pty", NULL);
	struct stream_listener *sl = NULL;
	struct program p = {.host = NULL};
	int status_asked = sim_begin(argc, argv, usage, "--listen= --pty= --air= --ack-wait= --seed=");
	uint64_t seed, ack_wait;
	enum err e;

	if (status_asked != SIM_GO_ON)
		return status_asked;
	if (!listen == !pty) {
		fputs("keyway-sim rcp: give either --listen or --pty; --help tells more\n", stderr);
		return 2;
	}
	if (!sim_number(argc, argv, "--seed", "2", UINT64_MAX, &seed) || !sim_number(argc, argv, "--ack-wait", "60", UINT32_MAX, &ack_wait))
		return 2;
	log_start("rcp", LOG_LEVEL_INFO);
	p.rng = rng_seeded(seed);
	p.loop = loop_new();
	p.timer = loop_timer_new(p.loop, on_time, &p);
	p.rcp = rcp_new(&p.rng);
	if (!p.rcp)
		abort();
	rcp_ack_wait(p.rcp, (uint32_t)ack_wait);
	e = air_client_new(p.loop, sim_option(argc, argv, "--air", "127.0.0.1:17754"), RCP_CHANNEL_FIRST, on_air, &p, &p.air);
	if (e == OK)
		e = pty ? open_pty(&p, pty) : stream_listen(p.loop, listen, NULL, on_accept, &p, &sl);
	if (e != OK) {
		log_line(LOG_LEVEL_ERROR, "the radio cannot start", "reason=%s advice=\"is %s HOST:PORT with an IP address, and the port free?\"", err_name(e), listen ? listen : "--air");
		return 1;
	}
	log_line(LOG_LEVEL_INFO, "ready", "port=%u", sl ? stream_listener_port(sl) : 0U);
	loop_run(p.loop);
	return 0;
}
