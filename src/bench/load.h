/* A load generator: one thread, one epoll, N keep-alive connections of HTTP 1.1 to a port of this machine, one request at a time on each.
 * It looks at the status and at Content-Length only and throws the body away, so that it needs less of its core than the server of its own;
 * load_result says how much that was.
 *
 *	static const char head[] = "GET /cse-in/a/la HTTP/1.1\r\nHost: bench\r\nX-M2M-RI: ############\r\n\r\n";
 *	struct load_template t;
 *	if (!load_template_init(&t, head, NULL)) ...
 *	struct load_options o = {.port = port, .connections = 64, .warm_ms = 500, .time_ms = 5000, .expect = 200, .make = load_template_make, .ctx = &t};
 *	e = load_run(&o, &result); */
#ifndef KEYWAY_BENCH_LOAD_H
#define KEYWAY_BENCH_LOAD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/wr.h"
#include "bench/histogram.h"

#define LOAD_REQUEST_MAX 4096
#define LOAD_CONNECTIONS_MAX 1024
#define LOAD_STALL_MS 60000 /* a server that answers nothing for so long has failed */

/* Writes request `number` (from 0, each once) and returns its length; 0 when it cannot. */
typedef size_t load_make(void *ctx, uint64_t number, uint8_t *octets, size_t size);

struct load_options {
	uint16_t port;             /* on 127.0.0.1 */
	unsigned connections;
	uint64_t warm_ms;          /* answers before that are not counted */
	uint64_t time_ms;          /* of counting; 0: until `count` answers */
	uint64_t count;            /* requests altogether; 0: until the time is over */
	unsigned expect;           /* HTTP status of success; every other one is an error */
	load_make *make;
	void *ctx;
	pid_t server;              /* whose CPU time is told; 0: nobody's */
	struct wr *answer;         /* gets head and body of the last answer whole; NULL: thrown away */
	int beside;                /* with on_beside: a descriptor that is looked after between any two answers, such as a sink's */
	void (*on_beside)(void *ctx);
	void *beside_ctx;
	void (*progress)(void *ctx, uint64_t answered); /* about once a second; may be NULL */
	void *progress_ctx;
	const volatile sig_atomic_t *stop; /* ends early when it becomes true; may be NULL */
};

struct load_result {
	uint64_t answers;          /* those expected */
	uint64_t errors;           /* other statuses, and connections that ended */
	unsigned error_status;     /* the latest of them; 0: the connection ended or the answer was no HTTP */
	double seconds;            /* counted */
	double server_cpu_us, client_cpu_us; /* an answer, of the server's and of this process's CPU time */
	struct histogram latency;  /* nanoseconds */
};

/* ERR_UNREACHABLE: no connection; ERR_TIMEOUT: stalled; ERR_CLOSED: stopped; ERR_BAD_VALUE: make failed or too many connections. Every
 * request that was sent has been answered when it returns OK. */
enum err load_run(const struct load_options *o, struct load_result *r) MUST_CHECK;

/* A request with places that change: in head and body a run of '#' becomes the request's number, '$' its number modulo 100, '@' the
 * present time in nanoseconds (load_now_ns), each in decimal with leading zeros, so that the length stays. */
#define LOAD_MARKS 16
struct load_template {
	uint8_t octets[LOAD_REQUEST_MAX];
	size_t len;
	struct {
		size_t at, width;
		char kind;
	} marks[LOAD_MARKS];
	size_t mark_count;
};
/* head: request line and headers, each with CRLF, without the empty line; body NULL: none, otherwise Content-Length is added. False when
 * it is too long. */
bool load_template_init(struct load_template *t, const char *head, const char *body) MUST_CHECK;
size_t load_template_make(void *template, uint64_t number, uint8_t *octets, size_t size); /* a load_make */

uint64_t load_now_ns(void); /* monotonic */

#endif
