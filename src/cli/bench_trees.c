/* Measurements of `keyway bench cse` upon many resources: discovery in trees, and starting. */
#include "cli/bench_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/process_figures.h"
#include "json/json.h"

#define FILLING_CONNECTIONS 64

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
	struct load_options o = bench_load_of(f->b, FILLING_CONNECTIONS, ctx, 201);
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
		struct load_options o = bench_load_of(b, b->o.connections[i], &t, 200);

		if (!bench_measure(b, name, &o))
			return false;
	}
	return true;
}

/* The small tree is measured while there is no other. */
bool bench_discover(struct bench *b)
{
	return bench_plain_tree(b) && make_tree(b, "small", b->o.few_resources) && measure_discovery(b, "small", "rare", 10, "discover-10-small") &&
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

bool bench_start(struct bench *b)
{
	static struct load_template t;
	struct filling f = {.b = b, .what = "instances", .wanted = b->o.instances};

	if (!bench_plain_tree(b) || !load_template_init(&t, CREATE("/cse-in/bench/values", "4"), INSTANCE))
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
