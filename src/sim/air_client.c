/* A node's socket to the simulated air: ZEP in UDP. */
#include "sim/air_client.h"

#include <stdlib.h>

#include "base/clock.h"
#include "loop/udp.h"
#include "zep/zep.h"

#define REGISTER_EVERY_MS 2000

struct air_client {
	struct udp *udp;
	struct loop_timer *timer;
	struct sockaddr_in air;
	uint8_t channel;
	uint32_t sequence;
	air_fn *fn;
	void *ctx;
};

static void on_datagram(void *ctx, struct rd datagram, const struct sockaddr_in *from)
{
	struct air_client *a = ctx;
	struct zep z;

	(void)from;
	if (zep_decode(datagram, &z) == OK && z.psdu.left > 0 && z.channel == a->channel)
		a->fn(a->ctx, z.psdu, z.channel, z.lqi);
}

/* An empty frame tells the dispatcher that we are here, and on which channel. */
static void on_time(void *ctx)
{
	struct air_client *a = ctx;

	air_client_send(a, rd_of(NULL, 0));
	loop_timer_in(a->timer, REGISTER_EVERY_MS);
}

enum err air_client_new(struct loop *l, const char *air, uint8_t channel, air_fn *fn, void *ctx, struct air_client **out)
{
	struct air_client *a = calloc(1, sizeof *a);
	enum err e;

	if (!a)
		return ERR_NO_MEMORY;
	a->channel = channel;
	a->fn = fn;
	a->ctx = ctx;
	e = address_parse(air, &a->air);
	if (e == OK)
		e = udp_open(l, "127.0.0.1:0", on_datagram, a, &a->udp);
	if (e != OK) {
		free(a);
		return e;
	}
	a->timer = loop_timer_new(l, on_time, a);
	on_time(a);
	*out = a;
	return OK;
}

void air_client_channel(struct air_client *a, uint8_t channel)
{
	a->channel = channel;
	air_client_send(a, rd_of(NULL, 0));
}

void air_client_send(struct air_client *a, struct rd psdu)
{
	struct zep z = {.channel = a->channel, .device = 1, .lqi = 200, .ntp_time = zep_ntp(clock_unix_ms()), .sequence = a->sequence++, .psdu = psdu};
	uint8_t buffer[ZEP_DATAGRAM_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd datagram;

	if (zep_encode(&z, &w) == OK && wr_done(&w, &datagram) && udp_send(a->udp, datagram, &a->air) != OK)
		return; /* the air is down: frames are lost, as on any air */
}

void air_client_free(struct air_client *a)
{
	if (!a)
		return;
	loop_timer_free(a->timer);
	udp_free(a->udp);
	free(a);
}
