/* `keyway watch`: subscribes to a resource and prints each notification until Ctrl-C. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

static const char usage[] =
    "usage: keyway watch TARGET [--plant DIR] [--json] [--count N] [options]\n\n"
    "Subscribes to TARGET (updates, and children created or deleted) and prints notifications as they come, until Ctrl-C; the subscription is deleted at the\n"
    "end. TARGET is as for `keyway get`; the binding is that of its URL. By HTTP and CoAP notifications come to a port of 127.0.0.1, so the CSE must be on this\n"
    "host. By WebSocket and MQTT they come over the connection, and the originator is registered as an AE for the time being, unless it is one.\n\n"
    "  --count N        end after N notifications\n"
    "  --plant DIR      the plant (default $KEYWAY_PLANT, or `plant`)\n"
    "  --json           whole notifications, one a line\n"
    "  --from ID, --cert FILE, --key FILE, --credentials FILE, --ca FILE, --psk-identity ID, --psk-file FILE, --server NAME, --cse CSE-ID, --via CSE-ID,\n"
    "  --serialization json|xml|cbor   as for `keyway get`\n"
    "  --esprim CSE-ID, --esprim-name NAME   the same; notifications are taken only sealed\n"
    "\nExample:\n"
    "  keyway watch /id-b/cse-b/zb-00124b0001020304/tempe --count 3\n";

#define SIGNAL_MS 500 /* one that comes between a look at it and the wait is seen after this */

struct watch {
	bool json;
	unsigned seen, count;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static int show(void *ctx, const struct keyway_notification *n)
{
	struct json_arena *arena = json_arena_new();
	const struct json *doc, *event, *rep;
	struct watch *w = ctx;

	if (arena && json_parse(arena, rd_str(n->content), NULL, &doc) == OK && (event = json_path(doc, "m2m:sgn.nev")) != NULL) {
		rep = json_get(event, "rep");
		w->seen++;
		if (w->json)
			printf("%s\n", n->content);
		else if (rep)
			printf("%s%.*s%s\n", style(STYLE_CYAN), (int)rep->source.left, (const char *)rep->source.at, style(STYLE_PLAIN));
		fflush(stdout);
	}
	json_arena_free(arena);
	return 2000;
}

static int watch(struct watch *w, struct m2m_client *c, const char *target)
{
	char to[1024], name[64], body[1024], why[KEYWAY_WHY_SIZE], subscription[1100];
	struct keyway *k = m2m_connection(c, target, to, sizeof to);
	struct keyway_answer a;
	const char *here;

	if (!k)
		return cli_fail("%s", c->why);
	if (keyway_reach(k, show, w, &here, why, sizeof why) != 0)
		return cli_fail("%s", why);
	snprintf(name, sizeof name, "watch-%d", (int)getpid());
	snprintf(body, sizeof body, "{\"m2m:sub\":{\"rn\":\"%s\",\"nu\":[\"%s\"],\"nct\":1,\"enc\":{\"net\":[1,3,4]}}}", name, here);
	if (m2m_ask(c, k, &(const struct keyway_request){.operation = KEYWAY_CREATE, .to = to, .type = 23, .content = body}, &a) != 2001)
		return cli_fail("%s", a.why);
	if (!w->json)
		fprintf(stderr, "watching %s; Ctrl-C ends\n", target);
	while (!interrupted && (w->count == 0 || w->seen < w->count))
		keyway_step(k, SIGNAL_MS);
	snprintf(subscription, sizeof subscription, "%s/%s", to, name);
	if (m2m_ask(c, k, &(const struct keyway_request){.operation = KEYWAY_DELETE, .to = subscription}, &a) != 2002)
		return cli_fail("the subscription %s is left over: %s", subscription, a.why);
	return CLI_OK;
}

int watch_main(int argc, char **argv)
{
	bool help = cli_flag(&argc, argv, "--help"), json = cli_flag(&argc, argv, "--json");
	const char *dir = cli_option(&argc, argv, "--plant"), *count = cli_option(&argc, argv, "--count");
	struct sigaction action = {.sa_handler = on_interrupt};
	struct watch w = {.json = json};
	const struct plant *plant;
	struct m2m_words words;
	struct m2m_client c;
	uint64_t most = 0;
	struct plant p;
	int result;

	m2m_words_take(&words, &argc, argv);
	if (help)
		return cli_help(usage);
	result = cli_operands(usage, argc, argv, 1, 1);
	if (result != CLI_OK)
		return result;
	if (count && (!rd_decimal(rd_str(count), &most) || most == 0 || most > UINT32_MAX))
		return cli_misuse(usage, "--count wants a number from 1");
	w.count = (unsigned)most;
	if (!m2m_plant(dir, argv[1], &p, &plant) || !m2m_open(&c, plant, &words))
		return CLI_FAILED;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	result = watch(&w, &c, argv[1]);
	m2m_close(&c);
	return result;
}
