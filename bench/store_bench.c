/* What the store does on this machine: durable inserts, opening with many instances, lookups, and how long a commit can take.
 *
 *	store_bench [ROWS [FOLDER]]      1000000 rows in /tmp unless told; the folder's file system decides the figures */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/store.h"

#define GROUP 64 /* inserts that share a commit */
#define CONTAINERS 1000
#define LOOKUPS 200000

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(enum err e, const char *what)
{
	if (e == OK)
		return;
	fprintf(stderr, "%s: %s\n", what, err_text(e));
	exit(1);
}

static long resident_kib(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static struct store *opened(const char *path)
{
	struct store_options o = {.path = path};
	const char *detail = "";
	struct store *s;
	enum err e = store_open(&o, &s, &detail);

	if (e != OK)
		fprintf(stderr, "%s\n", detail);
	must(e, "open");
	return s;
}

static int64_t container(struct store *s)
{
	struct store_row row = {.id = store_new_id(s), .type = 3, .root = "m2m:cnt", .creator = "CAdmin", .body = rd_str("{\"cni\":0}")};

	must(store_insert(s, &row, NULL, 0), "insert");
	return row.id;
}

static void instance(struct store *s, int64_t parent, int64_t n)
{
	char body[320];
	struct store_row row = {.id = store_new_id(s), .parent = parent, .type = 4, .instance = true, .root = "m2m:cin", .creator = "/id-in/Csensor"};

	/* The size of a reading with its common attributes. */
	snprintf(body, sizeof body, "{\"ct\":\"20250101T000000,000000\",\"lt\":\"20250101T000000,000000\",\"et\":\"20300101T000000\",\"st\":%lld,"
				    "\"cnf\":\"application/json:0\",\"cs\":64,\"con\":\"{\\\"t\\\":%lld.25,\\\"h\\\":40,\\\"battery\\\":3.01,\\\"rssi\\\":-61}\"}",
	    (long long)n, (long long)(n % 40));
	row.body = rd_str(body);
	must(store_insert(s, &row, NULL, 0), "insert");
}

/* rows instances, round over `spread` containers. */
static void fill(struct store *s, const int64_t *parents, int spread, long rows, const char *what)
{
	long commits = (rows + GROUP - 1) / GROUP, c;
	double *took = calloc((size_t)commits, sizeof *took), begin = now(), elapsed, sum = 0;
	long n = 0;

	if (!took)
		exit(1);
	for (c = 0; c < commits; c++) {
		double before;

		for (int i = 0; i < GROUP && n < rows; i++, n++)
			instance(s, parents[n % spread], n);
		before = now();
		must(store_commit(s), "commit");
		took[c] = now() - before;
		sum += took[c];
	}
	elapsed = now() - begin;
	qsort(took, (size_t)commits, sizeof *took, by_value);
	printf("%-28s %9.0f inserts/s, a commit each %d: mean %.2f ms, p50 %.2f, p99 %.2f, p99.9 %.2f, longest %.2f ms\n", what, (double)rows / elapsed, GROUP,
	    1e3 * sum / (double)commits, 1e3 * took[commits / 2], 1e3 * took[commits * 99 / 100], 1e3 * took[commits * 999 / 1000], 1e3 * took[commits - 1]);
	free(took);
}

static bool first(void *ctx, const struct store_row *row)
{
	*(int64_t *)ctx += (int64_t)row->body.left;
	return false;
}

static void lookups(struct store *s, const int64_t *parents, const char *what)
{
	double begin = now();
	int64_t octets = 0;

	for (long i = 0; i < LOOKUPS; i++)
		must(store_instances(s, parents[(i * 7919) % CONTAINERS], true, 0, first, &octets), "newest");
	printf("%-28s %9.0f newest lookups/s\n", what, LOOKUPS / (now() - begin));
	begin = now();
	for (long i = 0; i < LOOKUPS; i++)
		must(store_by_id(s, parents[(i * 7919) % CONTAINERS], first, &octets), "by id");
	printf("%-28s %9.0f lookups by id/s\n", what, LOOKUPS / (now() - begin));
}

int main(int argc, char **argv)
{
	long rows = argc > 1 ? atol(argv[1]) : 1000000, before;
	const char *folder = argc > 2 ? argv[2] : "/tmp";
	char path[512], command[600];
	int64_t parents[CONTAINERS];
	struct stat info;
	struct store *s;
	double begin;
	uint64_t deleted;

	snprintf(path, sizeof path, "%s/keyway-store-bench-%ld.db", folder, (long)getpid());
	s = opened(path);
	for (int i = 0; i < CONTAINERS; i++)
		parents[i] = container(s);
	must(store_commit(s), "commit");
	before = resident_kib();
	fill(s, parents, 1, rows / 2, "one container");
	fill(s, parents, CONTAINERS, rows / 2, "1000 containers in turn");
	lookups(s, parents, "warm");
	printf("%-28s %9ld KiB more than when empty\n", "memory", resident_kib() - before);
	begin = now();
	store_close(s);
	printf("%-28s %9.1f ms\n", "close", 1e3 * (now() - begin));
	if (stat(path, &info) == 0)
		printf("%-28s %9.0f octets a row\n", "file", (double)info.st_size / (double)rows);
	begin = now();
	s = opened(path);
	printf("%-28s %9.1f ms with %llu rows\n", "open", 1e3 * (now() - begin), (unsigned long long)store_count(s));
	lookups(s, parents, "after opening");
	begin = now();
	must(store_check(s, NULL, NULL), "check");
	printf("%-28s %9.1f ms\n", "full check", 1e3 * (now() - begin));
	begin = now();
	must(store_delete_instances(s, parents[0], INT64_MAX, &deleted), "delete");
	must(store_commit(s), "commit");
	printf("%-28s %9.1f ms for %llu rows\n", "delete instances", 1e3 * (now() - begin), (unsigned long long)deleted);
	store_close(s);
	snprintf(command, sizeof command, "%s.lock", path);
	unlink(command);
	return unlink(path);
}
