/* `keyway client`: the MEF's clients, what they are configured with, and commands for them (TS-0003 8.3.9). */
#include <string.h>

#include "cli/cli.h"
#include "onem2m/timestamp.h"

static const char usage[] =
    "usage: keyway client list\n"
    "       keyway client commands [ID]\n"
    "       keyway client configure ID CONFIG\n"
    "       keyway client command ID certificate URI [SUBJECT]\n"
    "       keyway client command ID configure\n"
    "       keyway client command ID device PROTOCOL URI\n"
    "       keyway client command ID object PATH [SUID]\n\n"
    "What is registered with the MEF, and what it is to do. A client fetches its commands when it is there, one after another.\n\n"
    "  list         clients, and whether they are connected\n"
    "  commands     those that wait, and what became of the others: 20 is done, the rest is in docs/protocols/key-registration.md\n"
    "  configure    the client configuration (TS-0003 12.4), JSON: {\"keyRegCfg\":{\"adminFQDN\":\"mef.keyway.example\",\"SUID\":22,\"targetIDs\":[\"/id-in\"]}}\n"
    "  command      a command: get a certificate by EST at URI, for SUBJECT (default ID); fetch the client configuration and register the keys that it\n"
    "               names; be configured by a device management server, by OMA DM 1.3 or 2.0, LwM2M or TR-069 (1 to 4); carry out an object of\n"
    "               management: an authenticationProfile when SUID is given, otherwise --object trust-anchor or maf-client\n\n"
    "  --object O   trust-anchor or maf-client\n"
    "  --plant DIR  the plant (default $KEYWAY_PLANT, or `plant`)\n"
    "  --json       the answer as one JSON object\n"
    "\nExamples:\n"
    "  keyway client list\n"
    "  keyway client command /id-mn configure\n";

static const char *text_of(const struct json *v, const char *name, char *buffer, size_t size)
{
	return json_text(json_get(v, name), buffer, size) ? buffer : "-";
}

static void when(const struct json *v, const char *name, char text[static TIMESTAMP_SIZE])
{
	uint64_t at;

	if (json_uint(json_get(v, name), &at))
		timestamp_print(text, at * 1000);
	else
		snprintf(text, TIMESTAMP_SIZE, "-");
}

static void print_client(const struct json *v)
{
	char client[160], expires[TIMESTAMP_SIZE];
	bool connected = false;

	if (!json_bool(json_get(v, "connected"), &connected))
		connected = false;
	when(v, "expires_at", expires);
	printf("%-32s  %s%-9s%s  %s\n", text_of(v, "client", client, sizeof client), style(connected ? STYLE_GREEN : STYLE_RED), connected ? "yes" : "no",
	    style(STYLE_PLAIN), expires);
}

static void print_command(const struct json *v)
{
	char client[160], class[32], name[64], at[TIMESTAMP_SIZE];
	uint64_t id = 0, status = 0;

	if (!json_uint(json_get(v, "command"), &id) || !json_uint(json_get(v, "status"), &status))
		return;
	when(v, "reported_at", at);
	printf("%5llu  %-24s  %-9s  %-15s  %s%llu %s%s\n", (unsigned long long)id, text_of(v, "client", client, sizeof client), text_of(v, "class", class, sizeof class), at,
	    style(status == 20 ? STYLE_GREEN : status < 20 ? STYLE_YELLOW : STYLE_RED), (unsigned long long)status, text_of(v, "name", name, sizeof name),
	    style(STYLE_PLAIN));
}

/* ---- requests ---- */

static void begin(struct wr *w, struct json_out *o, const char *cmd, const char *client)
{
	*w = wr_new(8192);
	*o = json_out(w);
	json_object(o, NULL);
	json_put_string(o, "cmd", cmd);
	if (client)
		json_put_string(o, "client", client);
}

/* What is behind the kind of command on the line. */
struct words {
	int count;
	char **word;
	const char *client, *object;
};

static int misused(const char *what)
{
	return cli_misuse(usage, "%s", what);
}

static int certificate(struct json_out *o, const struct words *w)
{
	const char *subject = w->count == 2 ? w->word[1] : w->client;

	if (w->count < 1 || w->count > 2)
		return misused("`certificate` wants a URI, and perhaps the subject");
	json_put_string(o, "class", "CERT_PROV");
	json_put_uint(o, "protocol", 1);
	json_put_string(o, "uri", w->word[0]);
	json_put_uint(o, "subject_type", strncmp(subject, "urn:", 4) == 0 ? 1 : subject[0] == '/' && strchr(subject + 1, '/') ? 3 : 2);
	json_put_string(o, "subject", subject);
	return CLI_OK;
}

static int configuration(struct json_out *o, const struct words *w)
{
	if (w->count != 0)
		return misused("`configure` wants nothing more");
	json_put_string(o, "class", "DEV_CFG");
	json_put_uint(o, "protocol", 0);
	return CLI_OK;
}

static int device(struct json_out *o, const struct words *w)
{
	uint64_t protocol;

	if (w->count != 2 || !rd_decimal(rd_str(w->word[0]), &protocol))
		return misused("`device` wants a protocol, 1 to 4, and a URI");
	json_put_string(o, "class", "DEV_CFG");
	json_put_uint(o, "protocol", protocol);
	json_put_string(o, "uri", w->word[1]);
	return CLI_OK;
}

static int object(struct json_out *o, const struct words *w)
{
	uint64_t suid = 0, type = !w->object ? 1 : strcmp(w->object, "trust-anchor") == 0 ? 2 : strcmp(w->object, "maf-client") == 0 ? 3 : 0;

	if (type == 0)
		return misused("--object is trust-anchor or maf-client");
	if (w->count != (type == 1 ? 2 : 1) || (type == 1 && !rd_decimal(rd_str(w->word[1]), &suid)))
		return misused("`object` wants a path; an authenticationProfile its SUID too");
	json_put_string(o, "class", "MO_NODE");
	json_put_string(o, "path", w->word[0]);
	json_put_uint(o, "object", type);
	if (type == 1)
		json_put_uint(o, "suid", suid);
	return CLI_OK;
}

static const struct {
	const char *name;
	int (*put)(struct json_out *o, const struct words *w);
} kinds[] = {
	{"certificate", certificate},
	{"configure", configuration},
	{"device", device},
	{"object", object},
};

/* command ID KIND ... */
static int put_command(struct wr *w, int argc, char **argv, const char *object_kind)
{
	const struct words words = {argc - 4, argv + 4, argc > 2 ? argv[2] : NULL, object_kind};
	struct json_out o;

	begin(w, &o, "client.command", words.client);
	for (size_t i = 0; argc > 3 && i < sizeof kinds / sizeof kinds[0]; i++) {
		int r;

		if (strcmp(argv[3], kinds[i].name) != 0)
			continue;
		r = kinds[i].put(&o, &words);
		json_close(&o);
		return r;
	}
	return misused("which command? certificate, configure, device or object");
}

static int put_configuration(struct wr *w, int argc, char **argv)
{
	struct json_arena *arena = json_arena_new();
	const struct json *doc;
	struct json_out o;
	int r = CLI_OK;

	begin(w, &o, "client.configure", argc == 4 ? argv[2] : NULL);
	if (argc != 4)
		r = misused("`configure` wants a client and its configuration");
	else if (!arena || json_parse(arena, rd_str(argv[3]), NULL, &doc) != OK || doc->type != JSON_OBJECT)
		r = misused("the configuration is no JSON object");
	else
		json_put(&o, "config", doc);
	json_close(&o);
	json_arena_free(arena);
	return r;
}

static int put_list(struct wr *w, int argc, char **argv)
{
	bool commands = strcmp(argv[1], "commands") == 0;
	int r = cli_operands(usage, argc, argv, 1, commands ? 2 : 1);
	struct json_out o;

	begin(w, &o, commands ? "client.commands" : "client.list", argc > 2 ? argv[2] : NULL);
	json_close(&o);
	return r;
}

/* ---- answers ---- */

static void print_list(const struct json *list, const char *head, void (*print)(const struct json *v), const char *none)
{
	if (!list || !list->first) {
		puts(none);
		return;
	}
	printf("%s%s%s\n", style(STYLE_BOLD), head, style(STYLE_PLAIN));
	for (const struct json *v = list->first; v; v = v->next)
		print(v);
}

static void print(const char *verb, const struct json *doc)
{
	uint64_t id;

	if (strcmp(verb, "list") == 0)
		print_list(json_get(doc, "clients"), "client                            connected  registered until", print_client, "no client is registered");
	else if (strcmp(verb, "commands") == 0)
		print_list(json_get(doc, "commands"), "   no  client                    command    reported         status", print_command, "no command was given");
	else if (strcmp(verb, "command") == 0 && json_uint(json_get(doc, "command"), &id))
		printf("command %llu waits for the client; `keyway client commands` shows what becomes of it\n", (unsigned long long)id);
	else
		puts("The client is configured; it fetches that when it registers, or by `keyway client command ID configure`.");
}

int client_command_main(int argc, char **argv)
{
	bool help = cli_flag(&argc, argv, "--help"), json = cli_flag(&argc, argv, "--json");
	const char *dir = cli_option(&argc, argv, "--plant"), *object_kind = cli_option(&argc, argv, "--object"), *verb = argc > 1 ? argv[1] : "";
	struct wr w = {0};
	struct admin_answer a;
	struct plant p;
	int r;

	if (help)
		return cli_help(usage);
	if (strcmp(verb, "list") == 0 || strcmp(verb, "commands") == 0)
		r = put_list(&w, argc, argv);
	else if (strcmp(verb, "configure") == 0)
		r = put_configuration(&w, argc, argv);
	else if (strcmp(verb, "command") == 0)
		r = put_command(&w, argc, argv, object_kind);
	else
		return cli_misuse(usage, verb[0] ? "there is no `client %s`" : "what about clients? list, commands, configure or command%s", verb);
	if (r != CLI_OK || !plant_open(dir, &p)) {
		wr_free(&w);
		return r != CLI_OK ? r : CLI_FAILED;
	}
	if (!plant_ask(&p, &w, &a))
		return CLI_FAILED;
	if (json)
		cli_print_json(a.doc->source);
	else
		print(verb, a.doc);
	admin_answer_clear(&a);
	return CLI_OK;
}
