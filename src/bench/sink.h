/* A subscriber that takes whatever it is sent: a minimal HTTP server on a port of this machine that answers every request with 200 and
 * counts it. It has one descriptor, so that load_run looks after it in between (struct load_options: beside). */
#ifndef KEYWAY_BENCH_SINK_H
#define KEYWAY_BENCH_SINK_H

#include "base/err.h"
#include "bench/histogram.h"

struct sink;

/* What came since sink_reset. A request whose body has `"con":"` followed by the time of load_now_ns in decimal tells its age. */
struct sink_counts {
	uint64_t requests;
	struct histogram age; /* nanoseconds */
};

enum err sink_new(struct sink **out) MUST_CHECK; /* ERR_IO */
void sink_free(struct sink *s);
uint16_t sink_port(const struct sink *s);
void sink_status(struct sink *s, unsigned status); /* of the answers from now on; 200 at first */
int sink_descriptor(const struct sink *s);         /* readable when sink_run has something to do */
void sink_run(void *sink);                         /* does it, without waiting */
void sink_reset(struct sink *s);
const struct sink_counts *sink_counts(const struct sink *s);

#endif
