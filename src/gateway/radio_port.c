/* The line to the radio. */
#include "gateway/radio_port.h"

#include <stdlib.h>

#include "base/clock.h"
#include "loop/log.h"
#include "loop/stream.h"

#define RETRY_MS 500

struct radio_port {
	struct loop *loop;
	const char *address; /* the configuration's */
	const struct radio_port_events *events;
	void *ctx;
	struct spinel_host *host;
	struct stream *line;
	struct loop_timer *timer, *retry;
	bool complained; /* each trouble is told once, until it is over */
};

static enum err line_open(struct radio_port *p);

static void on_retry(void *ctx)
{
	(void)line_open(ctx);
}

static void on_time(void *ctx)
{
	struct radio_port *p = ctx;

	spinel_host_tick(p->host, clock_ms());
	p->events->settled(p->ctx);
}

static void on_open(void *ctx)
{
	struct radio_port *p = ctx;

	p->complained = false;
	log_line(LOG_LEVEL_INFO, "radio connected", "address=%s", p->address);
	spinel_host_start(p->host, clock_ms());
	p->events->settled(p->ctx);
}

static size_t on_data(void *ctx, struct rd in)
{
	struct radio_port *p = ctx;

	spinel_host_input(p->host, clock_ms(), in);
	p->events->settled(p->ctx);
	return in.left;
}

static void on_closed(void *ctx, enum err why)
{
	struct radio_port *p = ctx;

	if (!p->complained)
		log_line(LOG_LEVEL_WARNING, "radio lost; trying on", "address=%s reason=%s", p->address, err_name(why));
	p->complained = true;
	stream_free(p->line);
	p->line = NULL;
	spinel_host_stop(p->host);
	loop_timer_in(p->retry, RETRY_MS);
	p->events->settled(p->ctx);
}

static enum err line_open(struct radio_port *p)
{
	static const struct stream_events events = {on_open, on_data, on_closed};
	enum err e = stream_open(p->loop, p->address, NULL, NULL, &events, p, &p->line);

	if (e == OK)
		return OK;
	p->line = NULL;
	if (!p->complained)
		log_line(LOG_LEVEL_WARNING, "radio cannot be opened; trying on", "address=%s reason=%s", p->address, err_name(e));
	p->complained = true;
	loop_timer_in(p->retry, RETRY_MS);
	return e;
}

enum err radio_port_open(struct loop *l, const char *address, const struct spinel_host_config *config, const struct radio_port_events *events, void *ctx,
    struct radio_port **out)
{
	struct radio_port *p = calloc(1, sizeof *p);

	if (!p)
		return ERR_NO_MEMORY;
	*p = (struct radio_port){.loop = l, .address = address, .events = events, .ctx = ctx};
	p->host = spinel_host_new(config);
	p->timer = loop_timer_new(l, on_time, p);
	p->retry = loop_timer_new(l, on_retry, p);
	*out = p;
	return !p->host ? ERR_NO_MEMORY : line_open(p) == ERR_CONFIG ? ERR_CONFIG : OK;
}

void radio_port_free(struct radio_port *p)
{
	if (!p)
		return;
	if (p->line)
		stream_free(p->line);
	loop_timer_free(p->timer);
	loop_timer_free(p->retry);
	spinel_host_free(p->host);
	free(p);
}

struct spinel_host *radio_port_host(struct radio_port *p)
{
	return p->host;
}

bool radio_port_drain(struct radio_port *p)
{
	struct spinel_host_effect e;
	bool any = false;

	while (spinel_host_output(p->host, &e)) {
		if (e.type == SPINEL_HOST_WRITE && p->line)
			stream_write(p->line, rd_of(e.octets, e.len));
		else if (e.type != SPINEL_HOST_WRITE)
			p->events->effect(p->ctx, &e);
		any = true;
	}
	loop_timer_at(p->timer, spinel_host_deadline(p->host));
	return any;
}

bool radio_port_complain(const struct radio_port *p, const struct spinel_host_effect *e)
{
	if (e->type == SPINEL_HOST_LOST)
		log_line(LOG_LEVEL_WARNING, "radio was reset, or does not answer", NULL);
	else if (e->type == SPINEL_HOST_REFUSED)
		log_line(LOG_LEVEL_ERROR, "this radio will not do", "reason=\"%s\" firmware=\"%s\"", e->text, spinel_host_radio(p->host)->version);
	else if (e->type == SPINEL_HOST_MATCH_FULL)
		log_line(LOG_LEVEL_NOTICE, "the radio's source-match table is full: sleepers stay awake a little longer until it is empty", NULL);
	else
		return false;
	return true;
}
