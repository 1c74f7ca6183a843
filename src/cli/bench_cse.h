/* What the files of `keyway bench cse` share: what is measured, and how it is told. */
#ifndef KEYWAY_CLI_BENCH_CSE_H
#define KEYWAY_CLI_BENCH_CSE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/load.h"
#include "bench/sink.h"
#include "cli/process.h"

#define BENCH_ROWS 96
#define BENCH_CONNECTION_COUNTS 8

struct bench_options {
	bool json, quick, keep;
	unsigned connections[BENCH_CONNECTION_COUNTS];
	size_t connection_count;
	double seconds;            /* counted in each measurement */
	const char *only;          /* a measurement's name; NULL: all */
	const char *binding;       /* "coap", "ws", "mqtt"; NULL: HTTP */
	const char *cse;           /* program; NULL: the one beside this */
	uint64_t instances;        /* for the start */
	uint64_t few_resources, many_resources; /* trees for discovery */
};

struct bench_row {
	const char *name;
	unsigned connections;
	uint64_t answers, errors;
	unsigned error_status;
	double rate;               /* a second */
	double p50_us, p99_us, most_us;
	double server_cpu_us, client_cpu_us; /* a request */
	double to_http, to_sqlite; /* ratios to (a) and (b); 0: not to be compared */
};

struct bench_start {
	bool measured;
	uint64_t instances;
	double fill_rate;
	double seconds, killed_seconds; /* from exec until the first answer; after a clean end, and after SIGKILL */
	uint64_t empty, filled, started; /* resident octets: of an empty CSE, after filling, after the start */
};

struct bench_target {
	const char *name, *unit;
	double value, limit;
	bool at_most, measured, met;
};

struct bench {
	struct bench_options o;
	char dir[256];
	struct process_set set;
	struct process *cse;
	uint16_t port, coap_port, broker_port;
	struct sink *sink;
	volatile sig_atomic_t stop;
	bool crashed;        /* one of its CSEs */
	struct bench_row rows[BENCH_ROWS];
	size_t row_count;
	struct bench_start start;
	char error[512];
};

#define BENCH_TARGETS 8
const struct bench_row *bench_row_find(const struct bench *b, const char *name, unsigned connections); /* NULL when it was not measured */
size_t bench_targets(const struct bench *b, struct bench_target t[static BENCH_TARGETS]);
void bench_report(const struct bench *b);

/* Measurements; false with `error` set. */
struct bench_case {
	const char *name, *help;
	bool (*run)(struct bench *b);
};
extern const struct bench_case bench_cases[]; /* ends with {NULL, NULL, NULL} */

/* bench_cases.c, for the other bindings: a tree with an instance, its retrieval by HTTP, and that measured. */
struct bench_row *bench_row_add(struct bench *b, const char *name, unsigned connections, const struct load_result *r);
bool bench_prepare_latest(struct bench *b);
bool bench_retrieve_latest(struct bench *b, struct wr *answer);
bool bench_measure_latest(struct bench *b, const char *name, unsigned connections);

/* bench_binding.c */
bool bench_binding_known(const char *name);
bool bench_binding_run(struct bench *b);
struct bench_target bench_binding_target(const struct bench *b, const char **legend);
bool bench_broker_start(struct bench *b);

/* The CSE under measurement. */
bool bench_cse_fresh(struct bench *b);               /* with an empty store */
bool bench_cse_start(struct bench *b);               /* with the store as it is */
void bench_cse_stop(struct bench *b, bool kill_it);  /* references too */
bool bench_fail(struct bench *b, const char *fmt, ...) PRINTF_LIKE(2, 3); /* false */
/* Starts this program again as the reference (a); both files hold whole answers. 0: failed. */
uint16_t bench_reference_start(struct bench *b, const char *get, const char *post, pid_t *pid);
/* One request and its answer, which may be NULL. */
bool bench_ask(struct bench *b, const char *head, const char *body, unsigned expect, struct wr *answer);

int bench_cse_main(int argc, char **argv);

#endif
