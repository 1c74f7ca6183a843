/* `keyway gateway`, `keyway permit`, `keyway status`: the operator's side of the MEF's administration socket. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cli/cli.h"

#define PLANT_JSON_MAX 16384
#define UNTIL_CHANGED 65535

static const char gateway_usage[] =
    "usage: keyway gateway add NAME [--eui64 EUI64] [--relay RESOURCE] [--identity NAME]\n"
    "       keyway gateway list\n\n"
    "What is not given is taken from the plant's configuration.\n\n"
    "  --eui64 EUI64     its EUI-64, as in its own configuration\n"
    "  --relay RESOURCE  IPE-NI's AE, such as /id-mn/cse-mn/gw1\n"
    "  --identity NAME   its certificate identity, or PSK identity\n"
    "  --plant DIR       the plant (default $KEYWAY_PLANT, or `plant`)\n"
    "  --json            the answer as one JSON object\n"
    "\nExamples:\n"
    "  keyway gateway add gw1\n"
    "  keyway gateway add hall --eui64 00124B00AABBCCDD --relay /id-mn/cse-mn/hall --identity hall.gateways.keyway.example\n";
static const char permit_usage[] =
    "usage: keyway permit GATEWAY SECONDS [EUI64...] [--plant DIR] [--json]\n\n"
    "Opens joining at a gateway, for the devices that are named, or for all that are registered there at this moment.\n"
    "0 closes; 65535: until changed.\n\n"
    "  --plant DIR  the plant (default $KEYWAY_PLANT, or `plant`)\n"
    "  --json       the answer as one JSON object\n"
    "\nExamples:\n"
    "  keyway permit gw1 180\n"
    "  keyway permit gw1 60 00124b0001020304\n";
static const char status_usage[] =
    "usage: keyway status [--plant DIR] [--json]\n\n"
    "What the enrolment function knows: nodes, gateways, devices, and how often what happened.\n\n"
    "  --plant DIR  the plant (default $KEYWAY_PLANT, or `plant`)\n"
    "  --json       the answer as one JSON object\n"
    "\nExamples:\n"
    "  keyway status\n"
    "  keyway status --json\n";

/* ---- gateways ---- */

/* What plant.json says of a gateway. */
static bool planned(const struct plant *p, const char *name, const char *member, char *value, size_t size)
{
	char path[PLANT_PATH + 16], text[PLANT_JSON_MAX];
	struct json_arena *arena = json_arena_new();
	const struct json *doc, *list;
	bool found = false;
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s/plant.json", p->dir);
	f = fopen(path, "r");
	if (f) {
		n = fread(text, 1, sizeof text, f);
		fclose(f);
	}
	if (arena && n > 0 && json_parse(arena, rd_of(text, n), NULL, &doc) == OK) {
		list = json_get(doc, "gateways");
		for (const struct json *g = list ? list->first : NULL; g && !found; g = g->next)
			found = json_is_string(json_get(g, "name"), name) && json_text(json_get(g, member), value, size);
	}
	json_arena_free(arena);
	return found;
}

static int gateway_add(const struct plant *p, const char *name, const char *const given[3], bool json)
{
	static const char *const members[] = {"eui64", "relay", "identity"};
	struct wr w = wr_new(2048);
	struct json_out o = json_out(&w);
	struct admin_answer a;

	json_object(&o, NULL);
	json_put_string(&o, "cmd", "gateway.add");
	json_put_string(&o, "name", name);
	for (size_t i = 0; i < 3; i++) {
		char value[256];

		if (!given[i] && !planned(p, name, members[i], value, sizeof value)) {
			wr_free(&w);
			return cli_fail("the plant's configuration has no gateway `%s`: give --eui64, --relay and --identity", name);
		}
		json_put_string(&o, members[i], given[i] ? given[i] : value);
	}
	json_close(&o);
	if (!plant_ask(p, &w, &a))
		return CLI_FAILED;
	if (json)
		cli_print_json(a.doc->source);
	else
		printf("gateway %s registered\n", name);
	admin_answer_clear(&a);
	return CLI_OK;
}

static const char *text_of(const struct json *v, const char *name, char *buffer, size_t size)
{
	return json_text(json_get(v, name), buffer, size) ? buffer : "-";
}

static void print_gateway(const struct json *g)
{
	char name[64], eui64[64], relay[128], joining[32];
	bool connected = false;
	uint64_t seconds = 0;

	if (!json_bool(json_get(g, "connected"), &connected))
		connected = false;
	if (!json_uint(json_get(g, "permit"), &seconds) || seconds == 0)
		snprintf(joining, sizeof joining, "closed");
	else if (seconds == UNTIL_CHANGED)
		snprintf(joining, sizeof joining, "open");
	else
		snprintf(joining, sizeof joining, "%llu s", (unsigned long long)seconds);
	printf("%-8s  %-16s  %s%-9s%s  %-8s  %s\n", text_of(g, "name", name, sizeof name), text_of(g, "eui64", eui64, sizeof eui64),
	    style(connected ? STYLE_GREEN : STYLE_RED), connected ? "yes" : "no", style(STYLE_PLAIN), joining, text_of(g, "relay", relay, sizeof relay));
}

static int gateway_list(const struct plant *p, bool json)
{
	struct wr w = wr_new(256);
	struct admin_answer a;
	const struct json *list;

	wr_str(&w, "{\"cmd\":\"gateway.list\"}");
	if (!plant_ask(p, &w, &a))
		return CLI_FAILED;
	list = json_get(a.doc, "gateways");
	if (json) {
		cli_print_json(a.doc->source);
	} else if (!list || !list->first) {
		printf("no gateway is registered; `keyway gateway add NAME` registers one\n");
	} else {
		printf("%sname      EUI-64            connected  joining   relay%s\n", style(STYLE_BOLD), style(STYLE_PLAIN));
		for (const struct json *g = list->first; g; g = g->next)
			print_gateway(g);
	}
	admin_answer_clear(&a);
	return CLI_OK;
}

int gateway_command_main(int argc, char **argv)
{
	bool help = cli_flag(&argc, argv, "--help"), json = cli_flag(&argc, argv, "--json"), add;
	const char *dir = cli_option(&argc, argv, "--plant");
	const char *given[3];
	struct plant p;
	int r;

	given[0] = cli_option(&argc, argv, "--eui64");
	given[1] = cli_option(&argc, argv, "--relay");
	given[2] = cli_option(&argc, argv, "--identity");
	if (help)
		return cli_help(gateway_usage);
	r = cli_operands(gateway_usage, argc, argv, 1, 2);
	if (r != CLI_OK)
		return r;
	add = strcmp(argv[1], "add") == 0;
	if (!add && strcmp(argv[1], "list") != 0)
		return cli_misuse(gateway_usage, "there is no `gateway %s`", argv[1]);
	r = cli_operands(gateway_usage, argc - 1, argv + 1, add, add);
	if (r != CLI_OK)
		return r;
	if (!plant_open(dir, &p))
		return CLI_FAILED;
	return add ? gateway_add(&p, argv[2], given, json) : gateway_list(&p, json);
}

/* ---- permit ---- */

static void permit_request(struct wr *w, int argc, char **argv, uint64_t seconds)
{
	struct json_out o = json_out(w);

	json_object(&o, NULL);
	json_put_string(&o, "cmd", "permit");
	json_put_string(&o, "gateway", argv[1]);
	json_put_uint(&o, "seconds", seconds);
	if (argc > 3)
		json_array(&o, "devices");
	for (int i = 3; i < argc; i++)
		json_put_string(&o, NULL, argv[i]);
	if (argc > 3)
		json_close(&o);
	json_close(&o);
}

int permit_main(int argc, char **argv)
{
	bool help = cli_flag(&argc, argv, "--help"), json = cli_flag(&argc, argv, "--json");
	const char *dir = cli_option(&argc, argv, "--plant");
	struct wr w = wr_new(8192);
	uint64_t seconds, devices = 0;
	struct admin_answer a;
	struct plant p;
	int r;

	if (help)
		return cli_help(permit_usage);
	r = cli_operands(permit_usage, argc, argv, 2, CLI_MANY);
	if (r != CLI_OK)
		return r;
	if (!rd_decimal(rd_str(argv[2]), &seconds) || seconds > UNTIL_CHANGED)
		return cli_misuse(permit_usage, "`%s` is no number of seconds from 0 to 65535", argv[2]);
	if (!plant_open(dir, &p))
		return CLI_FAILED;
	permit_request(&w, argc, argv, seconds);
	if (!plant_ask(&p, &w, &a))
		return CLI_FAILED;
	if (!json_uint(json_get(a.doc, "devices"), &devices))
		devices = 0;
	if (json)
		cli_print_json(a.doc->source);
	else if (seconds == 0)
		printf("joining at %s is closed\n", argv[1]);
	else if (seconds == UNTIL_CHANGED)
		printf("joining at %s is open until changed, for %llu device%s\n", argv[1], (unsigned long long)devices, devices == 1 ? "" : "s");
	else
		printf("joining at %s is open for %llu s, for %llu device%s\n", argv[1], (unsigned long long)seconds, (unsigned long long)devices, devices == 1 ? "" : "s");
	if (!json && seconds > 0 && devices == 0)
		printf("no device is registered at %s, so none can join: register it with `keyway device add`, then permit again\n", argv[1]);
	admin_answer_clear(&a);
	return CLI_OK;
}

/* ---- status ---- */

static void print_status(const struct json *doc)
{
	static const struct {
		const char *member, *text;
	} counters[] = {
		{"requests", "EG-REQUESTs"}, {"transport_keys", "Transport-Keys sent"}, {"repeats", "repeated"}, {"refused", "refused"}, {"joined", "devices joined"},
		{"verified", "link keys verified"}, {"failed", "enrolments failed"}, {"aps_answers", "Trust Centre answers"}, {"aps_ignored", "APS frames ignored"},
	};
	const struct json *nodes = json_get(doc, "nodes");
	uint64_t n;

	printf("%snodes connected%s     ", style(STYLE_BOLD), style(STYLE_PLAIN));
	for (const struct json *node = nodes ? nodes->first : NULL; node; node = node->next)
		printf(" %.*s", (int)node->text.left, (const char *)node->text.at);
	printf("%s\n%ssince the MEF started%s", nodes && nodes->first ? "" : " none", style(STYLE_BOLD), style(STYLE_PLAIN));
	for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
		if (json_uint(json_get(json_get(doc, "counters"), counters[i].member), &n))
			printf("%s %s %llu", i ? "," : "", counters[i].text, (unsigned long long)n);
	printf("\n\n");
}

int status_main(int argc, char **argv)
{
	bool help = cli_flag(&argc, argv, "--help"), json = cli_flag(&argc, argv, "--json");
	const char *dir = cli_option(&argc, argv, "--plant");
	struct wr w = wr_new(256);
	struct admin_answer a;
	struct plant p;
	int r;

	if (help)
		return cli_help(status_usage);
	r = cli_operands(status_usage, argc, argv, 0, 0);
	if (r != CLI_OK)
		return r;
	if (!plant_open(dir, &p))
		return CLI_FAILED;
	wr_str(&w, "{\"cmd\":\"status\"}");
	if (!plant_ask(&p, &w, &a))
		return CLI_FAILED;
	if (json)
		cli_print_json(a.doc->source);
	else
		print_status(a.doc);
	admin_answer_clear(&a);
	if (json)
		return CLI_OK;
	r = gateway_list(&p, false);
	printf("\n");
	return r == CLI_OK ? device_list(&p, false) : r;
}
