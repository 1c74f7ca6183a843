/* What is counted, and when. */
#include "bench/counting.h"

#include <time.h>

#include "bench/process_figures.h"

static uint64_t own_cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000U + (uint64_t)t.tv_nsec / 1000U;
}

void counting_begin(struct counting *c, uint64_t now, pid_t server)
{
	c->on = true;
	c->since = now;
	c->server_cpu = server ? process_cpu_us(server) : 0;
	c->client_cpu = own_cpu_us();
}

void counting_end(struct counting *c, uint64_t now, pid_t server, struct load_result *r)
{
	double answers = (double)(r->answers ? r->answers : 1);

	if (!c->on)
		return;
	c->on = false;
	r->seconds = (double)(now - c->since) / 1e9;
	r->client_cpu_us = (double)(own_cpu_us() - c->client_cpu) / answers;
	if (server)
		r->server_cpu_us = (double)(process_cpu_us(server) - c->server_cpu) / answers;
}
