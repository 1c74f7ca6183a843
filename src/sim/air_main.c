/* `keyway-sim air`: relays each frame to the other nodes of its channel, with loss, delay and duplication, and writes a capture. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/rng.h"
#include "loop/log.h"
#include "loop/udp.h"
#include "sim/channel.h"
#include "sim/pcap_file.h"
#include "sim/sim.h"
#include "zep/zep.h"

#define NODES_MAX 256
#define SILENT_MS 30000
#define DELAYED_MAX 1024
#define DELAY_MOST_MS 60000
#define CHANNELS 32 /* of which 11 to 26 are */

static const char usage[] =
    "usage: keyway-sim air [--listen 127.0.0.1:17754] [--loss PERCENT] [--delay MS] [--jitter MS] [--duplicate PERCENT]\n"
    "                      [--air-time] [--seed N] [--pcap FILE] [--json]\n\n"
    "The simulated air: relays ZEP frames (IEEE 802.15.4 in UDP) between all nodes of a channel.\n\n"
    "  --loss, --duplicate  percent of the frames, for each receiver by itself\n"
    "  --delay, --jitter    every frame is late by --delay, and at random by at most --jitter more\n"
    "  --air-time           frames take their time on a channel, one after the other at 250 kbit/s, as if all nodes heard one another; one that finds no\n"
    "                       room within 37 ms, the longest back-off of CSMA-CA, is lost. Without it any number is in the air at once, and takes none\n"
    "  --seed N             of the randomness (default 1)\n"
    "  --pcap FILE          capture of all frames; goes on where it ended\n"
    "  --json               counts of frames as a JSON object at the end\n"
    "\nExample:\n"
    "  keyway-sim air --loss 10 --pcap air.pcap\n";

struct node {
	struct sockaddr_in at;
	uint8_t channel;
	uint64_t heard;
};

/* A datagram that waits: for a receiver, or, of a sender, until it has gone out. */
struct delayed {
	struct delayed *next;
	uint64_t due;
	bool outgoing;
	struct sockaddr_in node; /* receiver or sender */
	size_t len;
	uint8_t octets[ZEP_DATAGRAM_MAX];
};

struct air {
	struct loop *loop;
	struct udp *udp;
	struct loop_timer *timer;
	struct rng rng;
	struct node nodes[NODES_MAX];
	size_t count;
	bool air_time;
	struct channel channels[CHANNELS];
	unsigned loss, duplicate, delay, jitter;
	struct delayed *queue;
	size_t queued;
	int pcap;
	uint64_t frames, relayed, lost, duplicated, busy;
};

static struct node *node_of(struct air *a, const struct sockaddr_in *from)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->nodes[i].at.sin_port == from->sin_port && a->nodes[i].at.sin_addr.s_addr == from->sin_addr.s_addr)
			return &a->nodes[i];
	if (a->count == NODES_MAX)
		return NULL;
	a->nodes[a->count].at = *from;
	return &a->nodes[a->count++];
}

static void forget_silent(struct air *a, uint64_t now)
{
	for (size_t i = 0; i < a->count;)
		if (now - a->nodes[i].heard > SILENT_MS)
			a->nodes[i] = a->nodes[--a->count];
		else
			i++;
}

static void deliver(struct air *a, struct rd datagram, const struct sockaddr_in *to)
{
	if (udp_send(a->udp, datagram, to) == OK)
		a->relayed++;
}

static void postpone(struct air *a, struct rd datagram, const struct sockaddr_in *node, bool outgoing, uint64_t due)
{
	struct delayed **link = &a->queue, *d = a->queued < DELAYED_MAX ? calloc(1, sizeof *d) : NULL;

	if (!d)
		return;
	d->due = due;
	d->outgoing = outgoing;
	d->node = *node;
	d->len = datagram.left;
	memcpy(d->octets, datagram.at, datagram.left);
	while (*link && (*link)->due <= due)
		link = &(*link)->next;
	d->next = *link;
	*link = d;
	a->queued++;
	loop_timer_at(a->timer, a->queue->due);
}

static void relay(struct air *a, struct rd datagram, const struct node *to)
{
	unsigned copies = 1;

	if (rng_below(&a->rng, 100) < a->loss) {
		a->lost++;
		return;
	}
	if (rng_below(&a->rng, 100) < a->duplicate) {
		a->duplicated++;
		copies++;
	}
	for (; copies > 0; copies--) {
		unsigned delay = a->delay + (a->jitter ? rng_below(&a->rng, a->jitter + 1) : 0);

		if (delay == 0)
			deliver(a, datagram, &to->at);
		else
			postpone(a, datagram, &to->at, false, clock_ms() + delay);
	}
}

static void capture(struct air *a, struct rd psdu)
{
	struct timeval t;

	gettimeofday(&t, NULL);
	if (a->pcap >= 0 && pcap_file_write(a->pcap, (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec, psdu) != OK) {
		log_line(LOG_LEVEL_ERROR, "capture cannot be written; it ends here", NULL);
		a->pcap = -1;
	}
}

/* What has gone out is heard by all others on the channel. */
static void transmitted(struct air *a, struct rd datagram, const struct sockaddr_in *from)
{
	struct zep z;

	if (zep_decode(datagram, &z) != OK)
		return;
	a->frames++;
	capture(a, z.psdu);
	forget_silent(a, clock_ms());
	for (size_t i = 0; i < a->count; i++)
		if (a->nodes[i].channel == z.channel && (a->nodes[i].at.sin_port != from->sin_port || a->nodes[i].at.sin_addr.s_addr != from->sin_addr.s_addr))
			relay(a, datagram, &a->nodes[i]);
}

static void transmit(struct air *a, struct rd datagram, const struct zep *z, const struct sockaddr_in *from)
{
	uint64_t now = clock_us(), end = now;

	if (a->air_time && !channel_take(&a->channels[z->channel % CHANNELS], now, z->psdu, &end))
		a->busy++;
	else if (end > now)
		postpone(a, datagram, from, true, (end + 999) / 1000);
	else
		transmitted(a, datagram, from);
}

static void on_datagram(void *ctx, struct rd datagram, const struct sockaddr_in *from)
{
	struct air *a = ctx;
	struct node *sender;
	struct zep z;

	if (zep_decode(datagram, &z) != OK)
		return;
	sender = node_of(a, from);
	if (!sender)
		return;
	sender->heard = clock_ms();
	sender->channel = z.channel;
	if (z.psdu.left > 0) /* otherwise it is a registration */
		transmit(a, datagram, &z, from);
}

static void on_time(void *ctx)
{
	struct air *a = ctx;
	uint64_t now = clock_ms();

	while (a->queue && a->queue->due <= now) {
		struct delayed *d = a->queue;

		a->queue = d->next;
		a->queued--;
		if (d->outgoing)
			transmitted(a, rd_of(d->octets, d->len), &d->node);
		else
			deliver(a, rd_of(d->octets, d->len), &d->node);
		free(d);
	}
	if (a->queue)
		loop_timer_at(a->timer, a->queue->due);
}

int air_main(int argc, char **argv)
{
	const char *listen = sim_option(argc, argv, "--listen", "127.0.0.1:17754"), *pcap = sim_option(argc, argv, "--pcap", NULL);
	struct air a = {.pcap = -1};
	int r = sim_begin(argc, argv, usage, "--listen= --loss= --delay= --jitter= --duplicate= --air-time --seed= --pcap= --json");
	uint64_t loss, duplicate, delay, jitter, seed;
	enum err e;

	if (r != SIM_GO_ON)
		return r;
	if (!sim_number(argc, argv, "--loss", "0", 100, &loss) || !sim_number(argc, argv, "--duplicate", "0", 100, &duplicate) ||
	    !sim_number(argc, argv, "--delay", "0", DELAY_MOST_MS, &delay) || !sim_number(argc, argv, "--jitter", "0", DELAY_MOST_MS, &jitter) ||
	    !sim_number(argc, argv, "--seed", "1", UINT64_MAX, &seed))
		return 2;
	a.loss = (unsigned)loss;
	a.duplicate = (unsigned)duplicate;
	a.delay = (unsigned)delay;
	a.jitter = (unsigned)jitter;
	a.air_time = sim_has(argc, argv, "--air-time");
	a.rng = rng_seeded(seed);
	log_start("air", LOG_LEVEL_INFO);
	a.loop = loop_new();
	a.timer = loop_timer_new(a.loop, on_time, &a);
	e = udp_open(a.loop, listen, on_datagram, &a, &a.udp);
	if (e == OK && pcap)
		e = pcap_file_open(pcap, &a.pcap);
	if (e != OK) {
		log_line(LOG_LEVEL_ERROR, "the air cannot start", "listen=%s pcap=%s reason=%s", listen, pcap ? pcap : "-", err_name(e));
		return 1;
	}
	log_line(LOG_LEVEL_INFO, "ready", "port=%u", udp_port(a.udp));
	loop_run(a.loop);
	if (sim_has(argc, argv, "--json"))
		printf("{\"frames\":%llu,\"relayed\":%llu,\"lost\":%llu,\"duplicated\":%llu,\"busy\":%llu}\n", (unsigned long long)a.frames,
		    (unsigned long long)a.relayed, (unsigned long long)a.lost, (unsigned long long)a.duplicated, (unsigned long long)a.busy);
	return 0;
}
