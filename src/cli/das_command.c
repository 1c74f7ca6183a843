/* `keyway das`: the operator's side of keyway-das. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"

static const char usage[] =
    "usage: keyway das allow ORIGINATOR RESOURCE OPERATIONS [--lifetime SECONDS] [--token [--role ROLE]]\n"
    "       keyway das list | remove RULE\n"
    "       keyway das tokens | forget TOKEN\n\n"
    "Rules of keyway-das: who may do what with which resources. ORIGINATOR is an AE-ID such as /id-in/Cmeter, RESOURCE a CSE-ID with a resource ID,\n"
    "such as /id-in/cnt42; in both `*` stands for any characters but `/`. OPERATIONS are some of the letters C R U D N, and S to discover.\n"
    "The first rule that fits decides; without one nothing is granted. `forget` and `remove` end that a token is given out by its ID: whoever has\n"
    "its text keeps it until its end.\n\n"
    "  --lifetime SECONDS  how long a grant or token holds (default 3600)\n"
    "  --token             a signed token, for the CSE or for the originator who asks; otherwise a grant, for the CSE that asks\n"
    "  --role ROLE         the token gives this role, name@domain, in the place of the privileges\n"
    "  --das SOCKET        administration socket of keyway-das (default $KEYWAY_DAS, or das/admin.sock in the plant)\n"
    "  --plant DIR         the plant (default $KEYWAY_PLANT, or `plant`)\n"
    "  --json              the answer as one JSON object\n"
    "\nExamples:\n"
    "  keyway das allow /id-in/Cmeter '/id-in/*' RN --lifetime 600\n"
    "  keyway das list --json\n";

struct asking {
	const char *socket;
	bool json;
	struct wr w;
	struct json_out o;
};

static void begin(struct asking *q, const char *cmd)
{
	q->w = wr_new(8192);
	q->o = json_out(&q->w);
	json_object(&q->o, NULL);
	json_put_string(&q->o, "cmd", cmd);
}

/* Sends what was begun. False: said what is wrong. */
static bool ask(struct asking *q, struct admin_answer *a)
{
	struct rd request;
	bool answered;

	json_close(&q->o);
	answered = wr_done(&q->w, &request) && admin_ask(q->socket, request, a);
	wr_free(&q->w);
	if (!answered) {
		cli_fail("keyway-das does not answer at %s: is it running, and is --das or KEYWAY_DAS right?", q->socket);
		return false;
	}
	if (q->json)
		cli_print_json(rd_str(a->text));
	if (a->ok)
		return true;
	cli_fail("%s", a->error);
	admin_answer_clear(a);
	return false;
}

static void letters(char text[static 8], uint64_t operations)
{
	static const char names[] = "CRUDNS";
	size_t n = 0;

	for (unsigned i = 0; i < 6; i++)
		if (operations & 1U << i)
			text[n++] = names[i];
	text[n] = '\0';
}

/* ---- rules ---- */

struct allowing {
	const char *lifetime, *role;
	bool token;
};

static int allow(struct asking *q, char **words, const struct allowing *w)
{
	uint64_t seconds, rule;
	struct admin_answer a;

	begin(q, "das.allow");
	json_put_string(&q->o, "originator", words[0]);
	json_put_string(&q->o, "resource", words[1]);
	json_put_string(&q->o, "operations", words[2]);
	if (w->lifetime) {
		if (!rd_decimal(rd_str(w->lifetime), &seconds)) {
			wr_free(&q->w);
			return cli_fail("--lifetime wants a number of seconds");
		}
		json_put_uint(&q->o, "lifetime_s", seconds);
	}
	json_put_bool(&q->o, "token", w->token);
	if (w->role)
		json_put_string(&q->o, "role", w->role);
	if (!ask(q, &a))
		return CLI_FAILED;
	if (!q->json && json_uint(json_get(a.doc, "rule"), &rule))
		printf("rule %llu: %s may ask for %s on %s\n", (unsigned long long)rule, words[0], words[2], words[1]);
	admin_answer_clear(&a);
	return CLI_OK;
}

static void print_rule(const struct json *r)
{
	char originator[300] = "", resource[300] = "", role[300] = "", operations[8] = "";
	uint64_t id = 0, n = 0, life = 0;
	bool token = false;

	if (!json_uint(json_get(r, "rule"), &id) || !json_uint(json_get(r, "operations"), &n) || !json_uint(json_get(r, "lifetime_s"), &life) ||
	    !json_bool(json_get(r, "token"), &token) || !json_text(json_get(r, "originator"), originator, sizeof originator) ||
	    !json_text(json_get(r, "resource"), resource, sizeof resource))
		return;
	if (!json_text(json_get(r, "role"), role, sizeof role))
		role[0] = '\0';
	letters(operations, n);
	printf("%s%4llu%s  %-6s %s on %s, %s%s%s for %llu s\n", style(STYLE_BOLD), (unsigned long long)id, style(STYLE_PLAIN), operations, originator, resource,
	    token ? "token" : "grant", role[0] ? " of role " : "", role, (unsigned long long)life);
}

static void print_token(const struct json *t)
{
	char id[300], holder[300], resource[300], end[32] = "";
	uint64_t at;
	struct tm utc;
	time_t when;

	if (!json_text(json_get(t, "token"), id, sizeof id) || !json_text(json_get(t, "holder"), holder, sizeof holder) ||
	    !json_text(json_get(t, "resource"), resource, sizeof resource) || !json_uint(json_get(t, "expires_at"), &at))
		return;
	when = (time_t)at;
	gmtime_r(&when, &utc);
	strftime(end, sizeof end, "%Y-%m-%d %H:%M:%S", &utc);
	printf("%s  %s on %s until %s UTC\n", id, holder, resource, end);
}

static int list(struct asking *q, const char *cmd, const char *name, void (*print)(const struct json *), const char *none)
{
	const struct json *all;
	struct admin_answer a;

	begin(q, cmd);
	if (!ask(q, &a))
		return CLI_FAILED;
	all = json_get(a.doc, name);
	if (!q->json && (!all || all->count == 0))
		puts(none);
	for (const struct json *r = all && !q->json ? all->first : NULL; r; r = r->next)
		print(r);
	admin_answer_clear(&a);
	return CLI_OK;
}

static int end(struct asking *q, const char *verb, const char *word)
{
	struct admin_answer a;
	uint64_t rule;

	if (strcmp(verb, "forget") == 0) {
		begin(q, "das.forget");
		json_put_string(&q->o, "token", word);
	} else if (rd_decimal(rd_str(word), &rule) && rule <= INT64_MAX) {
		begin(q, "das.remove");
		json_put_uint(&q->o, "rule", rule);
	} else {
		return cli_fail("`%s` is no number of a rule", word);
	}
	if (!ask(q, &a))
		return CLI_FAILED;
	if (!q->json)
		printf("%s is gone; what was given by it holds until it ends\n", word);
	admin_answer_clear(&a);
	return CLI_OK;
}

static int perform(struct asking *q, const char *verb, char **words, const struct allowing *w)
{
	if (strcmp(verb, "allow") == 0)
		return allow(q, words, w);
	if (strcmp(verb, "list") == 0)
		return list(q, "das.list", "rules", print_rule, "no rules yet, so nothing is granted: `keyway das allow`");
	if (strcmp(verb, "tokens") == 0)
		return list(q, "das.tokens", "tokens", print_token, "no tokens are out");
	return end(q, verb, words[0]);
}

int das_main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int operands;
	} verbs[] = {{"allow", 3}, {"list", 0}, {"remove", 1}, {"tokens", 0}, {"forget", 1}};
	struct asking q = {.socket = NULL};
	struct allowing w;
	const char *plant, *verb;
	char in_plant[PLANT_PATH + 32];
	size_t i = 0;
	int wrong;

	if (cli_flag(&argc, argv, "--help"))
		return cli_help(usage);
	q.json = cli_flag(&argc, argv, "--json");
	q.socket = cli_option(&argc, argv, "--das");
	plant = cli_option(&argc, argv, "--plant");
	w = (struct allowing){cli_option(&argc, argv, "--lifetime"), cli_option(&argc, argv, "--role"), cli_flag(&argc, argv, "--token")};
	if (!q.socket)
		q.socket = getenv("KEYWAY_DAS");
	if (!plant)
		plant = getenv("KEYWAY_PLANT");
	snprintf(in_plant, sizeof in_plant, "%s/das/admin.sock", plant ? plant : "plant");
	if (!q.socket)
		q.socket = in_plant;
	wrong = cli_operands(usage, argc, argv, 1, 4);
	if (wrong != CLI_OK)
		return wrong;
	verb = argv[1];
	while (i < sizeof verbs / sizeof verbs[0] && strcmp(verbs[i].name, verb) != 0)
		i++;
	if (i == sizeof verbs / sizeof verbs[0])
		return cli_misuse(usage, "there is no `das %s`", verb);
	if (argc - 2 != verbs[i].operands)
		return cli_misuse(usage, "`das %s` wants %d operands", verb, verbs[i].operands);
	if ((w.lifetime || w.role || w.token) && i != 0)
		return cli_misuse(usage, "--lifetime, --token and --role are for `das allow`");
	if (w.role && !w.token)
		return cli_misuse(usage, "a role goes with --token");
	return perform(&q, verb, argv + 2, &w);
}
