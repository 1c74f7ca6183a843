/* `keyway watch`: subscribes to a resource and prints each notification until Ctrl-C. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "onem2m/rsc.h"

static const char usage[] =
    "usage: keyway watch TARGET [--plant DIR] [--json] [--count N]\n\n"
    "Subscribes to TARGET (updates, and children created or deleted) and prints notifications as they come, until Ctrl-C; the subscription is deleted at the\n"
    "end. Notifications come to a port of 127.0.0.1, so TARGET's CSE must be on this host.\n\n"
    "  --count N    end after N notifications\n"
    "  --plant DIR  the plant (default $KEYWAY_PLANT, or `plant`)\n"
    "  --json       whole notifications, one a line\n";

struct watch {
	struct m2m_client *client;
	bool json, stop;
	unsigned seen, count;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static void show(struct watch *w, struct rd body)
{
	struct json_arena *arena = json_arena_new();
	const struct json *doc, *event;

	if (!arena || json_parse(arena, body, NULL, &doc) != OK) {
		json_arena_free(arena);
		return;
	}
	event = json_path(doc, "m2m:sgn.nev");
	if (event) {
		const struct json *rep = json_get(event, "rep");

		w->seen++;
		if (w->json)
			printf("%.*s\n", (int)body.left, (const char *)body.at);
		else if (rep)
			printf("%s%.*s%s\n", style(STYLE_CYAN), (int)rep->source.left, (const char *)rep->source.at, style(STYLE_PLAIN));
		fflush(stdout);
	}
	json_arena_free(arena);
}

static void on_request(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	const char *id = http_request_header(x, "X-M2M-RI");
	const struct http_header headers[] = {{"X-M2M-RSC", "2000"}, {"X-M2M-RI", id ? id : "0"}, {NULL, NULL}};
	struct watch *w = ctx;

	show(w, rq->body);
	http_answer(x, 200, headers, rd_of("", 0));
}

int watch_main(int argc, char **argv)
{
	bool help = cli_flag(&argc, argv, "--help"), json = cli_flag(&argc, argv, "--json");
	const char *dir = cli_option(&argc, argv, "--plant"), *count = cli_option(&argc, argv, "--count");
	struct watch w = {.json = json};
	uint64_t most = 0;
	char body[512], name[64], target[1024];
	struct http_server *server;
	struct sigaction action = {.sa_handler = on_interrupt};
	struct m2m_client c;
	struct m2m_answer a;
	struct plant p;
	sigset_t set;
	int result = CLI_OK;

	if (help)
		return cli_help(usage);
	result = cli_operands(usage, argc, argv, 1, 1);
	if (result != CLI_OK)
		return result;
	if (count && (!rd_decimal(rd_str(count), &most) || most == 0 || most > UINT32_MAX))
		return cli_misuse(usage, "--count wants a number from 1");
	w.count = (unsigned)most;
	if (!plant_open(dir, &p) || !m2m_open(&c, &p, NULL, NULL, NULL))
		return CLI_FAILED;
	w.client = &c;
	/* Not through the loop's descriptor: an ending must not be missed while an answer is awaited. */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	if (http_server_new(c.loop, "127.0.0.1:0", NULL, on_request, &w, &server) != OK)
		return cli_fail("no port to listen on");
	snprintf(name, sizeof name, "watch-%d", (int)getpid());
	snprintf(body, sizeof body, "{\"m2m:sub\":{\"rn\":\"%s\",\"nu\":[\"http://127.0.0.1:%u/\"],\"nct\":1,\"enc\":{\"net\":[1,3,4]}}}", name, http_server_port(server));
	m2m_call(&c, "POST", argv[1], NULL, 23, body, &a);
	if (a.error != OK || a.status >= 300) {
		result = a.error != OK ? cli_fail("no answer: %s", a.detail) : cli_fail("%d %s: %.300s", a.rsc, rsc_text((enum onem2m_rsc)a.rsc), a.body);
	} else {
		if (!json)
			fprintf(stderr, "watching %s; Ctrl-C ends\n", argv[1]);
		while (!interrupted && (w.count == 0 || w.seen < w.count))
			loop_once(c.loop, 500);
		m2m_answer_clear(&a);
		snprintf(target, sizeof target, "%s/%s", argv[1], name);
		m2m_call(&c, "DELETE", target, NULL, 0, NULL, &a);
	}
	m2m_answer_clear(&a);
	http_server_free(server);
	m2m_close(&c);
	return result;
}
