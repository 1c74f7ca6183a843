/* Tells what `keyway bench cse` measured: a table or JSON, and the targets. */
#include "cli/bench_cse.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

/* Issue targets, for two cores. */
#define LATEST_TO_HTTP 0.6
#define CREATE_TO_LOWER 0.5
#define CREATE_CONNECTIONS 64
#define TREE_FACTOR 2.0 /* a tree a hundred times as large may at most double the cost of the same matches */
#define START_SECONDS 2.0
#define OCTETS_AN_INSTANCE 200.0
#define GENERATOR_BUSY 0.95

static double less(double a, double b)
{
	return a < b ? a : b;
}

static void target_end(struct bench_target *t)
{
	t->met = t->measured && (t->at_most ? t->value <= t->limit : t->value >= t->limit);
}

/* The worst over all numbers of connections. */
static struct bench_target latest_target(const struct bench *b)
{
	struct bench_target t = {.name = "retrieve latest, of (a), worst of all connections", .unit = "", .value = 1e9, .limit = LATEST_TO_HTTP};

	for (size_t i = 0; i < b->row_count; i++)
		if (strcmp(b->rows[i].name, "latest") == 0) {
			t.measured = true;
			t.value = less(t.value, b->rows[i].to_http);
		}
	return t;
}

static struct bench_target create_target(const struct bench *b)
{
	struct bench_target t = {.name = "durable create at 64 connections, of the lower of (a) and (b)", .unit = "", .limit = CREATE_TO_LOWER};
	const struct bench_row *own = bench_row_find(b, "create", CREATE_CONNECTIONS), *http = bench_row_find(b, "http-post", CREATE_CONNECTIONS),
			       *sqlite = bench_row_find(b, "sqlite", CREATE_CONNECTIONS);

	if (own && http && sqlite && http->rate > 0 && sqlite->rate > 0) {
		t.measured = true;
		t.value = own->rate / less(http->rate, sqlite->rate);
	}
	return t;
}

/* CPU time at the most connections: latency at one is mostly the system's waking up. */
static struct bench_target discover_target(const struct bench *b, const char *name, const char *large, const char *small)
{
	struct bench_target t = {.name = name, .unit = "times", .limit = TREE_FACTOR, .at_most = true};
	unsigned most = b->o.connections[b->o.connection_count - 1];
	const struct bench_row *l = bench_row_find(b, large, most), *s = bench_row_find(b, small, most);

	if (l && s && s->server_cpu_us > 0) {
		t.measured = true;
		t.value = l->server_cpu_us / s->server_cpu_us;
	}
	return t;
}

static double octets_an_instance(const struct bench_start *s, uint64_t octets)
{
	return octets > s->empty ? (double)(octets - s->empty) / (double)s->instances : 0;
}

size_t bench_targets(const struct bench *b, struct bench_target t[static BENCH_TARGETS])
{
	const struct bench_start *s = &b->start;
	const char *legend;
	size_t n = 0;

	if (b->o.binding) {
		t[0] = bench_binding_target(b, &legend);
		return 1;
	}
	t[n++] = latest_target(b);
	t[n++] = create_target(b);
	t[n++] = discover_target(b, "discovery of 10, CPU in the large tree to the small one", "discover-10-large", "discover-10-small");
	t[n++] = discover_target(b, "discovery of 1000, CPU in the large tree to the small one", "discover-1000-large", "discover-1000-small");
	t[n++] = (struct bench_target){.name = "start with all instances", .unit = "s", .value = s->seconds, .limit = START_SECONDS, .at_most = true, .measured = s->measured};
	t[n++] = (struct bench_target){.name = "memory of a stored instance after the start", .unit = "octets", .limit = OCTETS_AN_INSTANCE, .at_most = true,
	    .measured = s->measured, .value = s->measured ? octets_an_instance(s, s->started) : 0};
	t[n++] = (struct bench_target){.name = "memory of a stored instance after creating all", .unit = "octets", .limit = OCTETS_AN_INSTANCE, .at_most = true,
	    .measured = s->measured, .value = s->measured ? octets_an_instance(s, s->filled) : 0};
	for (size_t i = 0; i < n; i++)
		target_end(&t[i]);
	return n;
}

/* ---- for a person ---- */

static void ratio_print(double ratio)
{
	if (ratio > 0)
		printf(" %7.2f", ratio);
	else
		printf(" %7s", "");
}

static void legend_print(const struct bench *b)
{
	const char *legend = "";

	if (b->o.binding) {
		bench_binding_target(b, &legend);
		printf("\n%s CPU us: of the server, a request; gen. us: of the load generator.\n", legend);
		return;
	}
	puts("\n(a) http-get, http-post: bare libmicrohttpd answering the same octets.  (b) sqlite: bare durable inserts, as many a transaction as\n"
	     "connections; its times are a transaction's. CPU us: of the server, a request; gen. us: of the load generator. Times of notify: from\n"
	     "sending the CREATE until the notification is there; its errors are notifications that did not come. notify-create: the CREATEs meanwhile.");
}

static void rows_print(const struct bench *b)
{
	bool busy = false;

	printf("%s%-20s %5s %10s %10s %10s %10s %8s %8s %7s %7s %7s%s\n", style(STYLE_BOLD), "", "conn.", "per second", "p50 us", "p99 us", "max us", "CPU us",
	    "gen. us", "errors", "of (a)", "of (b)", style(STYLE_PLAIN));
	for (size_t i = 0; i < b->row_count; i++) {
		const struct bench_row *r = &b->rows[i];
		bool full = r->rate * r->client_cpu_us > GENERATOR_BUSY * 1e6;

		printf("%-20s %5u %10.0f%c%9.0f %10.0f %10.0f %8.1f %8.1f %7llu", r->name, r->connections, r->rate, full ? '*' : ' ', r->p50_us, r->p99_us,
		    r->most_us, r->server_cpu_us, r->client_cpu_us, (unsigned long long)r->errors);
		ratio_print(r->to_http);
		ratio_print(r->to_sqlite);
		if (r->errors)
			printf(" (status %u)", r->error_status);
		putchar('\n');
		busy = busy || full;
	}
	legend_print(b);
	if (busy)
		puts("* the load generator had no time left: the server may be faster.");
}

static void start_print(const struct bench_start *s)
{
	if (!s->measured)
		return;
	printf("\n%llu contentInstances: created %.0f a second; start %.2f s (after SIGKILL %.2f s)\n", (unsigned long long)s->instances, s->fill_rate, s->seconds,
	    s->killed_seconds);
	printf("memory: empty %.1f MiB, after creating %.1f MiB, after the start %.1f MiB\n", (double)s->empty / 1048576, (double)s->filled / 1048576,
	    (double)s->started / 1048576);
}

static void targets_print(const struct bench *b)
{
	struct bench_target t[BENCH_TARGETS];
	size_t n = bench_targets(b, t);

	printf("\n%sTargets%s (%ld cores here)\n", style(STYLE_BOLD), style(STYLE_PLAIN), sysconf(_SC_NPROCESSORS_ONLN));
	for (size_t i = 0; i < n; i++) {
		if (!t[i].measured) {
			printf("  %-64s not measured\n", t[i].name);
			continue;
		}
		printf("  %-64s %8.2f %-6s %s %g: %s%s%s\n", t[i].name, t[i].value, t[i].unit, t[i].at_most ? "<=" : ">=", t[i].limit,
		    style(t[i].met ? STYLE_GREEN : STYLE_RED), t[i].met ? "met" : "not met", style(STYLE_PLAIN));
	}
}

/* ---- for a script ---- */

static void rows_json(struct json_out *o, const struct bench *b)
{
	json_array(o, "rows");
	for (size_t i = 0; i < b->row_count; i++) {
		const struct bench_row *r = &b->rows[i];

		json_object(o, NULL);
		json_put_string(o, "name", r->name);
		json_put_uint(o, "connections", r->connections);
		json_put_double(o, "per_second", r->rate);
		json_put_double(o, "p50_us", r->p50_us);
		json_put_double(o, "p99_us", r->p99_us);
		json_put_double(o, "max_us", r->most_us);
		json_put_double(o, "server_cpu_us", r->server_cpu_us);
		json_put_double(o, "generator_cpu_us", r->client_cpu_us);
		json_put_uint(o, "answers", r->answers);
		json_put_uint(o, "errors", r->errors);
		if (r->errors)
			json_put_uint(o, "error_status", r->error_status);
		if (r->to_http > 0)
			json_put_double(o, b->o.binding ? "of_reference" : "of_http", r->to_http);
		if (r->to_sqlite > 0)
			json_put_double(o, "of_sqlite", r->to_sqlite);
		json_close(o);
	}
	json_close(o);
}

static void start_json(struct json_out *o, const struct bench_start *s)
{
	if (!s->measured)
		return;
	json_object(o, "start");
	json_put_uint(o, "instances", s->instances);
	json_put_double(o, "created_per_second", s->fill_rate);
	json_put_double(o, "seconds", s->seconds);
	json_put_double(o, "seconds_after_sigkill", s->killed_seconds);
	json_put_uint(o, "memory_empty", s->empty);
	json_put_uint(o, "memory_filled", s->filled);
	json_put_uint(o, "memory_started", s->started);
	json_close(o);
}

static void targets_json(struct json_out *o, const struct bench *b)
{
	struct bench_target t[BENCH_TARGETS];
	size_t n = bench_targets(b, t);

	json_array(o, "targets");
	for (size_t i = 0; i < n; i++) {
		json_object(o, NULL);
		json_put_string(o, "name", t[i].name);
		json_put_double(o, t[i].at_most ? "at_most" : "at_least", t[i].limit);
		if (t[i].measured) {
			json_put_double(o, "value", t[i].value);
			json_put_bool(o, "met", t[i].met);
		}
		json_close(o);
	}
	json_close(o);
}

void bench_report(const struct bench *b)
{
	struct wr w = wr_new(1024 * 1024);
	struct json_out o = json_out(&w);
	struct rd text;

	if (!b->o.json) {
		rows_print(b);
		start_print(&b->start);
		targets_print(b);
		return;
	}
	json_object(&o, NULL);
	json_put_string(&o, "bench", "cse");
	if (b->o.binding)
		json_put_string(&o, "binding", b->o.binding);
	json_put_bool(&o, "quick", b->o.quick);
	json_put_int(&o, "cores", sysconf(_SC_NPROCESSORS_ONLN));
	json_put_double(&o, "seconds", b->o.seconds);
	rows_json(&o, b);
	start_json(&o, &b->start);
	targets_json(&o, b);
	json_close(&o);
	if (wr_done(&w, &text))
		printf("%.*s\n", (int)text.left, (const char *)text.at);
	wr_free(&w);
}
