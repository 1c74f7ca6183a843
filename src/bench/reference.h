/* What the CSE is compared with: the same octets from a bare libmicrohttpd, and bare group-commit inserts. Sources in bench/. */
#ifndef KEYWAY_BENCH_REFERENCE_H
#define KEYWAY_BENCH_REFERENCE_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "bench/histogram.h"

/* Program of its own, `keyway bench reference-http GET-FILE POST-FILE`: answers every GET and every POST with the octets in these files, each
 * a whole HTTP answer as a CSE gave it. Prints "ready http=PORT" and runs until SIGTERM. argv[0] is "reference-http". */
int reference_http_main(int argc, char **argv);

/* Program of its own, `keyway bench reference-mqtt PORT ANSWER-FILE`: a client of the broker at that port that answers every request to /oneM2M/req/X/echo/json
 * with the octets in the file. Prints "ready" and runs until the broker or SIGTERM ends it. argv[0] is "reference-mqtt". */
int reference_mqtt_main(int argc, char **argv);

struct reference_sqlite_options {
	const char *path;         /* of a database to make; the caller removes it, with -wal and -shm */
	unsigned batch;           /* inserts a transaction */
	size_t body;              /* octets a row */
	uint64_t warm_ms, time_ms;
	const volatile sig_atomic_t *stop;
};
struct reference_sqlite_result {
	uint64_t inserts;
	double seconds, cpu_us;   /* an insert */
	struct histogram latency; /* of transactions, nanoseconds */
};
/* ERR_STORE; ERR_CLOSED when stopped. */
enum err reference_sqlite(const struct reference_sqlite_options *o, struct reference_sqlite_result *r) MUST_CHECK;

#endif
