/* The measurements of `keyway bench cse`. Every one begins with an empty CSE. */
#include "cli/bench_cse.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/process_figures.h"
#include "bench/reference.h"
#include "json/json.h"

#define HEAD(method, path) method " " path " HTTP/1.1\r\nHost: 127.0.0.1\r\nX-M2M-Origin: CAdmin\r\nX-M2M-RI: ############\r\nX-M2M-RVI: 3\r\n"
#define CREATE(path, ty) HEAD("POST", path) "Content-Type: application/json;ty=" ty "\r\n"
/* What a small sensor sends; the time is in front, for the subscriber. */
#define INSTANCE "{\"m2m:cin\":{\"con\":\"@@@@@@@@@@@@@@@@@@@@ temperature 21.50 humidity 40.25 battery 97\"}}"
#define SQLITE_BODY 350        /* what such an instance takes with its common attributes */
#define FILLING_CONNECTIONS 64
#define DRAIN_MS 30000
#define DRAIN_LOOK_MS 100
#define ANSWER_MAX (4 * 1024 * 1024)

static double warm_seconds(const struct bench *b)
{
	return b->o.seconds / 5;
}

static struct load_options load_of(struct bench *b, unsigned connections, struct load_template *t, unsigned expect)
{
	return (struct load_options){
		.port = b->port,
		.connections = connections,
		.warm_ms = (uint64_t)(warm_seconds(b) * 1000),
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

static bool measure(struct bench *b, const char *name, const struct load_options *o)
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

static bool plain_tree(struct bench *b)
{
	return bench_cse_fresh(b) &&
	    bench_ask(b, CREATE("/cse-in", "2"), "{\"m2m:ae\":{\"rn\":\"bench\",\"api\":\"Nbench\",\"rr\":true,\"srv\":[\"3\"],\"poa\":[\"http://127.0.0.1:9\"]}}", 201, NULL) &&
	    bench_ask(b, CREATE("/cse-in/bench", "3"), "{\"m2m:cnt\":{\"rn\":\"values\"}}", 201, NULL);
}

bool bench_prepare_latest(struct bench *b)
{
	return plain_tree(b) && bench_ask(b, CREATE("/cse-in/bench/values", "4"), INSTANCE, 201, NULL);
}

bool bench_retrieve_latest(struct bench *b, struct wr *answer)
{
	return bench_ask(b, HEAD("GET", "/cse-in/bench/values/la"), NULL, 200, answer);
}

bool bench_measure_latest(struct bench *b, const char *name, unsigned connections)
{
	static struct load_template t;
	struct load_options o = load_of(b, connections, &t, 200);

	return load_template_init(&t, HEAD("GET", "/cse-in/bench/values/la"), NULL) && measure(b, name, &o);
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
		struct load_options own = load_of(b, b->o.connections[i], &t, 200), reference = own;

		reference.port = port;
		reference.server = pid;
		if (!bench_row_find(b, "http-get", own.connections) && !measure(b, "http-get", &reference))
			return false;
		if (!measure(b, name, &own))
			return false;
		compare(b, name, "http-get", NULL, own.connections);
	}
	return true;
}

static bool latest(struct bench *b)
{
	return plain_tree(b) && retrieve(b, "latest", HEAD("GET", "/cse-in/bench/values/la"));
}

static bool path(struct bench *b)
{
	return plain_tree(b) && bench_ask(b, CREATE("/cse-in/bench/values", "3"), "{\"m2m:cnt\":{\"rn\":\"first-floor\"}}", 201, NULL) &&
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
		.warm_ms = (uint64_t)(warm_seconds(b) * 1000),
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

	if (!plain_tree(b) || !reference_of(b, &port, &pid) || !load_template_init(&t, CREATE("/cse-in/bench/values", "4"), INSTANCE))
		return false;
	for (size_t i = 0; i < b->o.connection_count; i++) {
		struct load_options own = load_of(b, b->o.connections[i], &t, 201), reference = own;

		reference.port = port;
		reference.server = pid;
		if (!measure(b, "http-post", &reference) || !measure_sqlite(b, own.connections) || !measure(b, "create", &own))
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
	if (!plain_tree(b) || !bench_ask(b, CREATE("/cse-in/bench/values", "23"), subscription, 201, NULL) ||
	    !load_template_init(&t, CREATE("/cse-in/bench/values", "4"), INSTANCE))
		return false;
	for (size_t i = 0; i < b->o.connection_count; i++)
		if (!measure_notifications(b, load_of(b, b->o.connections[i], &t, 201)))
			return false;
	return true;
}

/* ---- filling ---- */

struct filling {
	struct bench *b;
	const char *what;
	uint64_t wanted;
	struct load_template rare, common, other;
};

static void on_progress(void *ctx, uint64_t answered)
{
	const struct filling *f = ctx;

	fprintf(stderr, "%s: %llu of %llu\n", f->what, (unsigned long long)answered, (unsigned long long)f->wanted);
}

static bool fill(struct filling *f, load_make *make, void *ctx, double *rate)
{
	static struct load_result r;
	struct load_options o = load_of(f->b, FILLING_CONNECTIONS, ctx, 201);
	enum err e;

	o.warm_ms = o.time_ms = 0;
	o.count = f->wanted;
	o.make = make;
	o.progress = on_progress;
	o.progress_ctx = f;
	e = load_run(&o, &r);
	if (e != OK)
		return bench_fail(f->b, "%s: %s", f->what, err_text(e));
	if (r.errors > 0)
		return bench_fail(f->b, "%s: %llu refused, the last with status %u", f->what, (unsigned long long)r.errors, r.error_status);
	if (rate)
		*rate = (double)r.answers / r.seconds;
	return true;
}

/* ---- discovery ---- */

/* Of all resources 10 carry both labels, 1000 the second. */
static size_t make_resource(void *ctx, uint64_t number, uint8_t *octets, size_t size)
{
	struct filling *f = ctx;
	uint64_t rare = f->wanted / 10, common = f->wanted / 1000;

	return load_template_make(number % rare == 0 ? &f->rare : number % common == 0 ? &f->common : &f->other, number, octets, size);
}

static bool make_tree(struct bench *b, const char *name, uint64_t resources)
{
	static struct filling f;
	char head[512], body[256];
	static struct load_template groups;
	bool ok;

	f.b = b;
	f.what = "groups";
	f.wanted = 100;
	snprintf(body, sizeof body, "{\"m2m:cnt\":{\"rn\":\"%s\"}}", name);
	if (!bench_ask(b, CREATE("/cse-in/bench", "3"), body, 201, NULL))
		return false;
	snprintf(head, sizeof head, CREATE("/cse-in/bench/%s", "3"), name);
	if (!load_template_init(&groups, head, "{\"m2m:cnt\":{\"rn\":\"g$$\"}}") || !fill(&f, load_template_make, &groups, NULL))
		return false;
	f.what = name;
	f.wanted = resources;
	snprintf(head, sizeof head, CREATE("/cse-in/bench/%s/g$$", "3"), name);
	snprintf(body, sizeof body, "{\"m2m:cnt\":{\"lbl\":[\"rare-%s\",\"common-%s\"]}}", name, name);
	ok = load_template_init(&f.rare, head, body);
	snprintf(body, sizeof body, "{\"m2m:cnt\":{\"lbl\":[\"common-%s\"]}}", name);
	ok = ok && load_template_init(&f.common, head, body);
	snprintf(body, sizeof body, "{\"m2m:cnt\":{\"lbl\":[\"other-%s\"]}}", name);
	ok = ok && load_template_init(&f.other, head, body);
	return ok && fill(&f, make_resource, &f, NULL);
}

static bool expect_matches(struct bench *b, const char *head, uint64_t wanted)
{
	struct wr answer = wr_new(ANSWER_MAX);
	struct json_arena *a = json_arena_new();
	const struct json *doc = NULL, *list;
	struct rd r, line;
	uint64_t found = 0;

	if (a && bench_ask(b, head, NULL, 200, &answer) && wr_done(&answer, &r)) {
		while (rd_line(&r, &line) && line.left > 0)
			;
		if (json_parse(a, r, NULL, &doc) != OK)
			doc = NULL;
		list = json_get(doc, "m2m:uril");
		found = list ? list->count : 0;
	}
	json_arena_free(a);
	wr_free(&answer);
	if (b->error[0] != '\0')
		return false;
	return found == wanted || bench_fail(b, "discovery finds %llu resources instead of %llu", (unsigned long long)found, (unsigned long long)wanted);
}

static bool measure_discovery(struct bench *b, const char *tree, const char *label, uint64_t matches, const char *name)
{
	static struct load_template t;
	char head[512];

	snprintf(head, sizeof head, HEAD("GET", "/cse-in/bench/%s?fu=1&lbl=%s-%s&lim=1000"), tree, label, tree);
	if (!load_template_init(&t, head, NULL) || !expect_matches(b, head, matches))
		return false;
	for (size_t i = 0; i < b->o.connection_count; i++) {
		struct load_options o = load_of(b, b->o.connections[i], &t, 200);

		if (!measure(b, name, &o))
			return false;
	}
	return true;
}

/* The small tree is measured while there is no other. */
static bool discover(struct bench *b)
{
	return plain_tree(b) && make_tree(b, "small", b->o.few_resources) && measure_discovery(b, "small", "rare", 10, "discover-10-small") &&
	    measure_discovery(b, "small", "common", 1000, "discover-1000-small") && make_tree(b, "large", b->o.many_resources) &&
	    measure_discovery(b, "large", "rare", 10, "discover-10-large") && measure_discovery(b, "large", "common", 1000, "discover-1000-large");
}

/* ---- start ---- */

static bool start_again(struct bench *b, bool kill_it, double *seconds)
{
	struct wr answer = wr_new(ANSWER_MAX);
	char count[64];
	uint64_t begin;
	bool ok;

	fprintf(stderr, "start %s ...\n", kill_it ? "after SIGKILL" : "after a clean end");
	bench_cse_stop(b, kill_it);
	begin = load_now_ns();
	ok = bench_cse_start(b) && bench_ask(b, HEAD("GET", "/cse-in/bench/values"), NULL, 200, &answer);
	*seconds = (double)(load_now_ns() - begin) / 1e9;
	snprintf(count, sizeof count, "\"cni\":%llu", (unsigned long long)b->start.instances);
	if (ok && !memmem(answer.octets, answer.len, count, strlen(count)))
		ok = bench_fail(b, "after its start the CSE does not have all instances");
	wr_free(&answer);
	return ok;
}

static bool start(struct bench *b)
{
	static struct load_template t;
	struct filling f = {.b = b, .what = "instances", .wanted = b->o.instances};

	if (!plain_tree(b) || !load_template_init(&t, CREATE("/cse-in/bench/values", "4"), INSTANCE))
		return false;
	b->start.instances = b->o.instances;
	b->start.empty = process_memory(b->cse->pid);
	if (!fill(&f, load_template_make, &t, &b->start.fill_rate))
		return false;
	b->start.filled = process_memory(b->cse->pid);
	if (!start_again(b, true, &b->start.killed_seconds) || !start_again(b, false, &b->start.seconds))
		return false;
	b->start.started = process_memory(b->cse->pid);
	b->start.measured = true;
	return true;
}

const struct bench_case bench_cases[] = {
	{"latest", "retrieve the latest contentInstance", latest},
	{"path", "retrieve a container by its structured path", path},
	{"create", "create contentInstances durably", create},
	{"notify", "notify a subscriber of created contentInstances", notify},
	{"discover", "discover by label in a small and in a large tree", discover},
	{"start", "start with many contentInstances, and their memory", start},
	{NULL, NULL, NULL},
};
