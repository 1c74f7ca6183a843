/* The measurements of `keyway bench cse`. Every one begins with an empty CSE. */
#include "cli/bench_cases.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/process_figures.h"
#include "bench/reference.h"

#define SQLITE_BODY 350        /* what such an instance takes with its common attributes */
#define DRAIN_MS 30000
#define DRAIN_LOOK_MS 100

double bench_warm_seconds(const struct bench *b)
{
	return b->o.seconds / 5;
}

struct load_options bench_load_of(struct bench *b, unsigned connections, struct load_template *t, unsigned expect)
{
	return (struct load_options){
		.port = b->port,
		.connections = connections,
		.warm_ms = (uint64_t)(bench_warm_seconds(b) * 1000),
		.time_ms = (uint64_t)(b->o.seconds * 1000),
		.expect = expect,
		.make = load_template_make,
		.ctx = t,
		.server = b->cse->pid,
		.stop = &b->stop,
	};
}

struct bench_row *bench_row_add(struct bench *b, const char *name, unsigned connections, const struct load_result *r)
{
	struct bench_row *row = &b->rows[b->row_count];

	if (b->row_count == BENCH_ROWS)
		abort();
	b->row_count++;
	*row = (struct bench_row){
		.name = name,
		.connections = connections,
		.answers = r->answers,
		.errors = r->errors,
		.error_status = r->error_status,
		.rate = r->seconds > 0 ? (double)r->answers / r->seconds : 0,
		.p50_us = (double)histogram_at(&r->latency, 50) / 1e3,
		.p99_us = (double)histogram_at(&r->latency, 99) / 1e3,
		.most_us = (double)r->latency.most / 1e3,
		.server_cpu_us = r->server_cpu_us,
		.client_cpu_us = r->client_cpu_us,
	};
	return row;
}

const struct bench_row *bench_row_find(const struct bench *b, const char *name, unsigned connections)
{
	for (size_t i = 0; i < b->row_count; i++)
		if (strcmp(b->rows[i].name, name) == 0 && b->rows[i].connections == connections)
			return &b->rows[i];
	return NULL;
}

bool bench_measure(struct bench *b, const char *name, const struct load_options *o)
{
	static struct load_result r;
	enum err e;

	fprintf(stderr, "%s, %u connections ...\n", name, o->connections);
	e = load_run(o, &r);
	if (e != OK)
		return bench_fail(b, "%s: %s", name, err_text(e));
	bench_row_add(b, name, o->connections, &r);
	return true;
}

static void compare(struct bench *b, const char *name, const char *http, const char *sqlite, unsigned connections)
{
	const struct bench_row *a = bench_row_find(b, http, connections), *s = sqlite ? bench_row_find(b, sqlite, connections) : NULL;
	struct bench_row *row = NULL;

	for (size_t i = 0; i < b->row_count; i++)
		if (strcmp(b->rows[i].name, name) == 0 && b->rows[i].connections == connections)
			row = &b->rows[i];
	if (row && a && a->rate > 0)
		row->to_http = row->rate / a->rate;
	if (row && s && s->rate > 0)
		row->to_sqlite = row->rate / s->rate;
}

/* ---- what is measured upon ---- */

bool bench_plain_tree(struct bench *b)
{
	return bench_cse_fresh(b) &&
	    bench_ask(b, CREATE("/cse-in", "2"), "{\"m2m:ae\":{\"rn\":\"bench\",\"api\":\"Nbench\",\"rr\":true,\"srv\":[\"3\"],\"poa\":[\"http://127.0.0.1:9\"]}}", 201, NULL) &&
	    bench_ask(b, CREATE("/cse-in/bench", "3"), "{\"m2m:cnt\":{\"rn\":\"values\"}}", 201, NULL);
}

bool bench_prepare_latest(struct bench *b)
{
	return bench_plain_tree(b) && bench_ask(b, CREATE("/cse-in/bench/values", "4"), INSTANCE, 201, NULL);
}

bool bench_retrieve_latest(struct bench *b, struct wr *answer)
{
	return bench_ask(b, HEAD("GET", "/cse-in/bench/values/la"), NULL, 200, answer);
}

bool bench_measure_latest(struct bench *b, const char *name, unsigned connections)
{
	static struct load_template t;
	struct load_options o = bench_load_of(b, connections, &t, 200);

	return load_template_init(&t, HEAD("GET", "/cse-in/bench/values/la"), NULL) && bench_measure(b, name, &o);
}

static bool answer_to_file(struct bench *b, const char *name, const struct wr *answer, char *path, size_t size)
{
	FILE *f;
	bool ok;

	snprintf(path, size, "%s/%s", b->dir, name);
	f = fopen(path, "w");
	if (!f)
		return bench_fail(b, "%s cannot be written", path);
	ok = fwrite(answer->octets, 1, answer->len, f) == answer->len;
	return (fclose(f) == 0 && ok) || bench_fail(b, "%s cannot be written", path);
}

/* The reference answers what the CSE just answered. */
static bool reference_of(struct bench *b, uint16_t *port, pid_t *pid)
{
	struct wr got = wr_new(ANSWER_MAX), posted = wr_new(ANSWER_MAX);
	char get[300], post[300];
	bool ok = bench_ask(b, CREATE("/cse-in/bench/values", "4"), INSTANCE, 201, &posted) && bench_ask(b, HEAD("GET", "/cse-in/bench/values/la"), NULL, 200, &got) &&
	    answer_to_file(b, "post", &posted, post, sizeof post) && answer_to_file(b, "get", &got, get, sizeof get);

	wr_free(&got);
	wr_free(&posted);
	if (!ok)
		return false;
	*port = bench_reference_start(b, get, post, pid);
	return *port != 0 || bench_fail(b, "the reference does not start; its log is %s/reference.log", b->dir);
}

/* ---- retrieving ---- */

static bool retrieve(struct bench *b, const char *name, const char *head)
{
	static struct load_template t;
	uint16_t port;
	pid_t pid;

	if (!reference_of(b, &port, &pid) || !load_template_init(&t, head, NULL))
		return false;
	for (size_t i = 0; i < b->o.connection_count; i++) {
		struct load_options own = bench_load_of(b, b->o.connections[i], &t, 200), reference = own;

		reference.port = port;
		reference.server = pid;
		if (!bench_row_find(b, "http-get", own.connections) && !bench_measure(b, "http-get", &reference))
			return false;
		if (!bench_measure(b, name, &own))
			return false;
		compare(b, name, "http-get", NULL, own.connections);
	}
	return true;
}

static bool latest(struct bench *b)
{
	return bench_plain_tree(b) && retrieve(b, "latest", HEAD("GET", "/cse-in/bench/values/la"));
}

static bool path(struct bench *b)
{
	return bench_plain_tree(b) && bench_ask(b, CREATE("/cse-in/bench/values", "3"), "{\"m2m:cnt\":{\"rn\":\"first-floor\"}}", 201, NULL) &&
	    bench_ask(b, CREATE("/cse-in/bench/values/first-floor", "3"), "{\"m2m:cnt\":{\"rn\":\"kitchen\",\"lbl\":[\"kind:room\"]}}", 201, NULL) &&
	    retrieve(b, "path", HEAD("GET", "/cse-in/bench/values/first-floor/kitchen"));
}

/* ---- creating ---- */

static bool measure_sqlite(struct bench *b, unsigned batch)
{
	static struct reference_sqlite_result s;
	static struct load_result r;
	char file[300];
	struct reference_sqlite_options o = {
		.path = file,
		.batch = batch,
		.body = SQLITE_BODY,
		.warm_ms = (uint64_t)(bench_warm_seconds(b) * 1000),
		.time_ms = (uint64_t)(b->o.seconds * 1000),
		.stop = &b->stop,
	};
	enum err e;

	snprintf(file, sizeof file, "%s/reference-%u.db", b->dir, batch);
	fprintf(stderr, "sqlite, %u inserts a transaction ...\n", batch);
	e = reference_sqlite(&o, &s);
	if (e != OK)
		return bench_fail(b, "sqlite: %s", err_text(e));
	r = (struct load_result){.answers = s.inserts, .seconds = s.seconds, .server_cpu_us = s.cpu_us, .latency = s.latency};
	bench_row_add(b, "sqlite", batch, &r);
	return true;
}

static bool create(struct bench *b)
{
	static struct load_template t;
	uint16_t port;
	pid_t pid;

	if (!bench_plain_tree(b) || !reference_of(b, &port, &pid) || !load_template_init(&t, CREATE("/cse-in/bench/values", "4"), INSTANCE))
		return false;
	for (size_t i = 0; i < b->o.connection_count; i++) {
		struct load_options own = bench_load_of(b, b->o.connections[i], &t, 201), reference = own;

		reference.port = port;
		reference.server = pid;
		if (!bench_measure(b, "http-post", &reference) || !measure_sqlite(b, own.connections) || !bench_measure(b, "create", &own))
			return false;
		compare(b, "create", "http-post", "sqlite", own.connections);
	}
	return true;
}

/* ---- notifications ---- */

/* Lets the subscriber take what is on its way; true when everything came. */
static bool drain(struct bench *b, uint64_t wanted)
{
	uint64_t end = load_now_ns() + DRAIN_MS * 1000000ULL;

	while (!b->stop && sink_counts(b->sink)->requests < wanted && load_now_ns() < end) {
		struct pollfd p = {.fd = sink_descriptor(b->sink), .events = POLLIN};

		/* each notification waits for the answer to the one before: a pause here would be all that is measured */
		if (poll(&p, 1, DRAIN_LOOK_MS) > 0)
			sink_run(b->sink);
	}
	return sink_counts(b->sink)->requests >= wanted;
}

/* Counts what the subscriber gets while creating goes on; what it does not even get within DRAIN_MS afterwards are errors. */
static bool measure_notifications(struct bench *b, struct load_options o)
{
	static struct load_result r;
	const struct sink_counts *c = sink_counts(b->sink);
	uint64_t cpu = process_cpu_us(b->cse->pid), first, created, in_time;
	double seconds;
	enum err e;

	fprintf(stderr, "notify, %u connections ...\n", o.connections);
	o.beside = sink_descriptor(b->sink);
	o.on_beside = sink_run;
	o.beside_ctx = b->sink;
	o.warm_ms = 0;
	sink_reset(b->sink);
	first = load_now_ns();
	e = load_run(&o, &r);
	if (e != OK)
		return bench_fail(b, "notify: %s", err_text(e));
	bench_row_add(b, "notify-create", o.connections, &r);
	in_time = c->requests;
	seconds = (double)(load_now_ns() - first) / 1e9;
	cpu = process_cpu_us(b->cse->pid) - cpu;
	created = r.answers + o.connections; /* those answered after the time count as created, not as measured */
	if (!drain(b, created))
		created = r.answers;
	r.errors += created > c->requests ? created - c->requests : 0;
	r.answers = in_time;
	r.seconds = seconds;
	r.latency = c->age;
	r.server_cpu_us = in_time ? (double)cpu / (double)in_time : 0;
	bench_row_add(b, "notify", o.connections, &r);
	return true;
}

static bool notify(struct bench *b)
{
	static struct load_template t;
	char subscription[256];

	snprintf(subscription, sizeof subscription, "{\"m2m:sub\":{\"rn\":\"sub\",\"nu\":[\"http://127.0.0.1:%u/n\"],\"enc\":{\"net\":[3]},\"nct\":1}}",
	    sink_port(b->sink));
	if (!bench_plain_tree(b) || !bench_ask(b, CREATE("/cse-in/bench/values", "23"), subscription, 201, NULL) ||
	    !load_template_init(&t, CREATE("/cse-in/bench/values", "4"), INSTANCE))
		return false;
	for (size_t i = 0; i < b->o.connection_count; i++)
		if (!measure_notifications(b, bench_load_of(b, b->o.connections[i], &t, 201)))
			return false;
	return true;
}

const struct bench_case bench_cases[] = {
	{"latest", "retrieve the latest contentInstance", latest},
	{"path", "retrieve a container by its structured path", path},
	{"create", "create contentInstances durably", create},
	{"notify", "notify a subscriber of created contentInstances", notify},
	{"discover", "discover by label in a small and in a large tree", bench_discover},
	{"start", "start with many contentInstances, and their memory", bench_start},
	{NULL, NULL, NULL},
};
