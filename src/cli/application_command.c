/* `keyway application`: application groups, whose devices share one network key or have one each. */
#include <string.h>

#include "base/bytes.h"
#include "cli/cli.h"

static const char application_usage[] =
    "usage: keyway application add NAME --policy group|device --owner CSE-ID\n"
    "       keyway application list\n"
    "       keyway application rotate NAME\n\n"
    "An application of policy `group` is registered before its devices, which then share one network key. rotate gives all of them another.\n\n"
    "  --policy POLICY  group: one network key for all its devices; device: one for each, as without registration\n"
    "  --owner CSE-ID   the node that owns its devices, such as /id-b\n"
    "  --plant DIR      the plant (default $KEYWAY_PLANT, or `plant`)\n"
    "  --json           the answer as one JSON object\n"
    "\nExamples:\n"
    "  keyway application add pumps --policy group --owner /id-b\n"
    "  keyway application rotate pumps\n";

static void request_put(struct wr *w, const char *cmd, const char *name, const char *policy, const char *owner)
{
	struct json_out o = json_out(w);

	json_object(&o, NULL);
	json_put_string(&o, "cmd", cmd);
	if (name)
		json_put_string(&o, "name", name);
	if (policy)
		json_put_string(&o, "policy", policy);
	if (owner)
		json_put_string(&o, "owner", owner);
	json_close(&o);
}

static const char *text_of(const struct json *v, const char *name, char *buffer, size_t size)
{
	return json_text(json_get(v, name), buffer, size) ? buffer : "-";
}

static unsigned number_of(const struct json *v, const char *name)
{
	uint64_t n;

	return json_uint(json_get(v, name), &n) ? (unsigned)n : 0;
}

static void list_print(const struct json *list)
{
	char name[64], policy[16], owner[128];

	if (!list || !list->first) {
		printf("no application is registered: each device has a network key of its own; `keyway application add NAME --policy group` registers one\n");
		return;
	}
	printf("%spolicy  owner             generation  members  behind  name%s\n", style(STYLE_BOLD), style(STYLE_PLAIN));
	for (const struct json *a = list->first; a; a = a->next)
		printf("%-6s  %-16s  %10u  %7u  %6u  %s\n", text_of(a, "policy", policy, sizeof policy), text_of(a, "owner", owner, sizeof owner),
		    number_of(a, "generation"), number_of(a, "members"), number_of(a, "behind"), text_of(a, "name", name, sizeof name));
}

int application_main(int argc, char **argv)
{
	bool help = cli_flag(&argc, argv, "--help"), json = cli_flag(&argc, argv, "--json"), add, list;
	const char *dir = cli_option(&argc, argv, "--plant"), *policy = cli_option(&argc, argv, "--policy"), *owner = cli_option(&argc, argv, "--owner");
	struct wr w = wr_new(2048);
	struct admin_answer a;
	char cmd[64];
	struct plant p;
	int r;

	if (help)
		return cli_help(application_usage);
	r = cli_operands(application_usage, argc, argv, 1, 2);
	if (r != CLI_OK)
		return r;
	add = strcmp(argv[1], "add") == 0;
	list = strcmp(argv[1], "list") == 0;
	if (!add && !list && strcmp(argv[1], "rotate") != 0)
		return cli_misuse(application_usage, "there is no `application %s`", argv[1]);
	r = cli_operands(application_usage, argc - 1, argv + 1, !list, !list);
	if (r != CLI_OK)
		return r;
	if (add != (policy && owner))
		return cli_misuse(application_usage, add ? "--policy and --owner are needed" : "--policy and --owner are for `application add`");
	if (!plant_open(dir, &p))
		return CLI_FAILED;
	snprintf(cmd, sizeof cmd, "application.%s", argv[1]);
	request_put(&w, cmd, list ? NULL : argv[2], policy, owner);
	if (!plant_ask(&p, &w, &a))
		return CLI_FAILED;
	if (json)
		cli_print_json(a.doc->source);
	else if (list)
		list_print(json_get(a.doc, "applications"));
	else
		printf(add ? "application %s registered\n" : "application %s: another key is on its way to all members; `keyway application list` shows how many are behind\n", argv[2]);
	admin_answer_clear(&a);
	return CLI_OK;
}
