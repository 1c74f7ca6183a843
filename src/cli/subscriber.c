/* `keyway subscriber`: the operator's side of keyway-hss. Keys go in from a file and are never shown. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "cli/cli.h"

#define CARD_MAX 8192

static const char usage[] =
    "usage: keyway subscriber add CARD [--amf HEX] [--lifetime SECONDS]\n"
    "       keyway subscriber list | show NAME | remove NAME\n"
    "       keyway subscriber permit NAME NAF ENTITY | refuse NAME NAF\n"
    "       keyway subscriber lifetime NAME SECONDS\n\n"
    "Subscribers of keyway-hss. CARD is a file that others may not read: {\"imsi\":\"...\",\"k\":\"...\",\"opc\":\"...\"} with 32 hexadecimal digits\n"
    "each, or `op` instead of `opc`; `impi` is derived when it is not there. `keyway-sim usim` writes such files. NAME is an IMSI or a private\n"
    "identity. A subscriber gets keys for those NAFs alone (an FQDN, or *.FQDN) that are permitted; ENTITY is who he is there in oneM2M, such as\n"
    "m2m://keyway.example/id-in/Cmeter.\n\n"
    "  --amf HEX           authentication management field (default 8000, which EAP-AKA' wants)\n"
    "  --lifetime SECONDS  longest life of his bootstrapped keys (default: what the bootstrapping server says)\n"
    "  --hss SOCKET        administration socket of keyway-hss (default $KEYWAY_HSS, or hss/admin.sock in the plant)\n"
    "  --plant DIR         the plant (default $KEYWAY_PLANT, or `plant`)\n"
    "  --json              the answer as one JSON object\n"
    "\nExamples:\n"
    "  keyway subscriber add card.json\n"
    "  keyway subscriber permit 001010123456789 id-in.keyway.example m2m://keyway.example/id-in/Cmeter\n";

struct asking {
	const char *socket;
	bool json;
	struct wr w;
	struct json_out o;
};

static void begin(struct asking *q, const char *cmd)
{
	q->w = wr_new((size_t)2 * CARD_MAX);
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
	wr_free(&q->w); /* and wipes it */
	if (!answered) {
		cli_fail("keyway-hss does not answer at %s: is it running, and is --hss or KEYWAY_HSS right?", q->socket);
		return false;
	}
	if (a->ok)
		return true;
	if (q->json)
		cli_print_json(rd_str(a->text));
	cli_fail("%s", a->error);
	admin_answer_clear(a);
	return false;
}

static int done(struct asking *q, const char *before, const char *what, const char *after)
{
	struct admin_answer a;

	if (!ask(q, &a))
		return CLI_FAILED;
	if (q->json)
		cli_print_json(rd_str(a.text));
	else
		printf("%s%s%s\n", before, what, after);
	admin_answer_clear(&a);
	return CLI_OK;
}

/* ---- add ---- */

static bool card_read(const char *path, char text[static CARD_MAX], size_t *len)
{
	struct stat st;
	FILE *f = fopen(path, "r");

	if (!f || fstat(fileno(f), &st) != 0) {
		cli_fail("%s can't be read", path);
	} else if ((st.st_mode & 077) != 0) {
		cli_fail("others may read %s, which holds keys: chmod 600 it", path);
	} else {
		*len = fread(text, 1, CARD_MAX, f);
		fclose(f);
		return true;
	}
	if (f)
		fclose(f);
	return false;
}

/* A simulated card's file has its sequence numbers too, which are its own business. */
static bool card_put(struct asking *q, const char *path, struct rd text)
{
	static const char *const members[] = {"imsi", "impi", "k", "opc", "op", "mnc_digits"};
	struct json_arena *arena = json_arena_new();
	const struct json *doc;
	bool good = arena && json_parse(arena, text, NULL, &doc) == OK && doc->type == JSON_OBJECT;

	for (size_t i = 0; good && i < sizeof members / sizeof members[0]; i++)
		if (json_get(doc, members[i]))
			json_put(&q->o, members[i], json_get(doc, members[i]));
	json_arena_free(arena);
	if (!good)
		cli_fail("%s is no card: it must be a JSON object with imsi, k and opc or op", path);
	return good;
}

/* A card that keeps Ks says so. */
static bool card_is_gba_u(struct rd text)
{
	struct json_arena *arena = json_arena_new();
	const struct json *doc;
	bool gba_u = false;

	if (!arena || json_parse(arena, text, NULL, &doc) != OK || !json_bool(json_get(doc, "gba_u"), &gba_u))
		gba_u = false;
	json_arena_free(arena);
	return gba_u;
}

static int add(struct asking *q, const char *path, const char *amf, const char *lifetime)
{
	char text[CARD_MAX];
	uint64_t seconds = 0;
	size_t len;
	bool good, gba_u;

	if (lifetime && (!rd_decimal(rd_str(lifetime), &seconds) || seconds > UINT32_MAX))
		return cli_fail("--lifetime wants a number of seconds");
	if (!card_read(path, text, &len))
		return CLI_FAILED;
	begin(q, "subscriber.add");
	good = card_put(q, path, rd_of(text, len));
	gba_u = card_is_gba_u(rd_of(text, len));
	bytes_wipe(text, sizeof text);
	if (!good) {
		wr_free(&q->w);
		return CLI_FAILED;
	}
	if (amf)
		json_put_string(&q->o, "amf", amf);
	json_object(&q->o, "guss");
	if (gba_u)
		json_put_string(&q->o, "uicc", "GBA_U");
	if (seconds)
		json_put_uint(&q->o, "lifetime_s", seconds);
	json_array(&q->o, "uss");
	json_close(&q->o);
	json_close(&q->o);
	return done(q, "the subscriber of ", path, " is known now; `keyway subscriber permit` says which NAFs get keys");
}

/* ---- list and show ---- */

static void line(const struct json *s)
{
	char imsi[64] = "", impi[160] = "";
	const struct json *uss = json_path(s, "guss.uss");

	if (!json_text(json_get(s, "imsi"), imsi, sizeof imsi) || !json_text(json_get(s, "impi"), impi, sizeof impi))
		return;
	printf("%s%-16s%s %s\n", style(STYLE_BOLD), imsi, style(STYLE_PLAIN), impi);
	for (const struct json *u = uss ? uss->first : NULL; u; u = u->next) {
		char naf[300] = "", entity[300] = "";

		if (json_text(json_get(u, "naf"), naf, sizeof naf) && json_text(json_get(u, "entity"), entity, sizeof entity))
			printf("    %s as %s\n", naf, entity);
	}
}

static int list(struct asking *q)
{
	const struct json *all;
	struct admin_answer a;

	begin(q, "subscriber.list");
	if (!ask(q, &a))
		return CLI_FAILED;
	all = json_get(a.doc, "subscribers");
	if (q->json)
		cli_print_json(rd_str(a.text));
	else if (!all || all->count == 0)
		puts("no subscribers yet: `keyway subscriber add CARD`");
	for (const struct json *s = all && !q->json ? all->first : NULL; s; s = s->next)
		line(s);
	admin_answer_clear(&a);
	return CLI_OK;
}

static int show(struct asking *q, const char *name)
{
	struct admin_answer a;

	begin(q, "subscriber.show");
	json_put_string(&q->o, "subscriber", name);
	if (!ask(q, &a))
		return CLI_FAILED;
	if (q->json)
		cli_print_json(rd_str(a.text));
	else
		line(json_get(a.doc, "subscriber"));
	admin_answer_clear(&a);
	return CLI_OK;
}

static int with_name(struct asking *q, const char *cmd, char **words, const char *const members[], const char *before, const char *after)
{
	begin(q, cmd);
	json_put_string(&q->o, "subscriber", words[0]);
	for (size_t i = 0; members[i]; i++)
		json_put_string(&q->o, members[i], words[i + 1]);
	return done(q, before, words[0], after);
}

static int lifetime_set(struct asking *q, char **words)
{
	uint64_t seconds;

	if (!rd_decimal(rd_str(words[1]), &seconds))
		return cli_fail("`%s` is no number of seconds", words[1]);
	begin(q, "subscriber.lifetime");
	json_put_string(&q->o, "subscriber", words[0]);
	json_put_uint(&q->o, "seconds", seconds);
	return done(q, "the next keys of ", words[0], " live that long at most");
}

int subscriber_main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int operands;
	} verbs[] = {{"add", 1}, {"list", 0}, {"show", 1}, {"remove", 1}, {"permit", 3}, {"refuse", 2}, {"lifetime", 2}};
	static const char *const none[] = {NULL}, *const naf[] = {"naf", NULL}, *const naf_entity[] = {"naf", "entity", NULL};
	struct asking q = {.socket = NULL};
	const char *amf, *lifetime, *verb, *plant;
	char in_plant[PLANT_PATH + 32];
	char **words;
	size_t i = 0;
	int wrong;

	if (cli_flag(&argc, argv, "--help"))
		return cli_help(usage);
	q.json = cli_flag(&argc, argv, "--json");
	q.socket = cli_option(&argc, argv, "--hss");
	amf = cli_option(&argc, argv, "--amf");
	lifetime = cli_option(&argc, argv, "--lifetime");
	plant = cli_option(&argc, argv, "--plant");
	if (!q.socket)
		q.socket = getenv("KEYWAY_HSS");
	if (!plant)
		plant = getenv("KEYWAY_PLANT");
	snprintf(in_plant, sizeof in_plant, "%s/hss/admin.sock", plant ? plant : "plant");
	if (!q.socket)
		q.socket = in_plant;
	wrong = cli_operands(usage, argc, argv, 1, 4);
	if (wrong != CLI_OK)
		return wrong;
	verb = argv[1];
	words = argv + 2;
	while (i < sizeof verbs / sizeof verbs[0] && strcmp(verbs[i].name, verb) != 0)
		i++;
	if (i == sizeof verbs / sizeof verbs[0])
		return cli_misuse(usage, "there is no `subscriber %s`", verb);
	if (argc - 2 != verbs[i].operands)
		return cli_misuse(usage, "`subscriber %s` wants %d operands", verb, verbs[i].operands);
	if ((amf || lifetime) && strcmp(verb, "add") != 0)
		return cli_misuse(usage, "--amf and --lifetime are for `subscriber add`");
	if (strcmp(verb, "add") == 0)
		return add(&q, words[0], amf, lifetime);
	if (strcmp(verb, "list") == 0)
		return list(&q);
	if (strcmp(verb, "show") == 0)
		return show(&q, words[0]);
	if (strcmp(verb, "remove") == 0)
		return with_name(&q, "subscriber.remove", words, none, "", " is gone; keys that he bootstrapped live until they end");
	if (strcmp(verb, "permit") == 0)
		return with_name(&q, "subscriber.permit", words, naf_entity, "permitted for the next bootstrapping of ", "");
	if (strcmp(verb, "refuse") == 0)
		return with_name(&q, "subscriber.refuse", words, naf, "refused from the next bootstrapping of ", " on");
	return lifetime_set(&q, words);
}
