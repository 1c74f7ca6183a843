/* `keyway get`, `create`, `update`, `delete`, `discover`: oneM2M from the command line. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define BODY_MAX 65536

static const char usage[] =
    "usage: keyway get TARGET [QUERY]             retrieve; QUERY as in HTTP: rcn=4, atrl=lbl+ri\n"
    "       keyway create TARGET TYPE NAME=VALUE...   TYPE: ae cnt cin sub acp fcnt grp, or a number\n"
    "       keyway create TARGET TYPE JSON            the whole resource, with its root: '{\"m2m:cin\":{...}}'\n"
    "       keyway update TARGET NAME=VALUE... | JSON\n"
    "       keyway delete TARGET\n"
    "       keyway discover TARGET [lbl=LABEL] [ty=TYPE] ...\n\n"
    "TARGET is SP-relative (/id-b/cse-b/...) or CSE-relative (cse-in/...) in the plant, or a URL: http, https, coap, coaps, ws or wss://HOST:PORT/cse-in/...,\n"
    "or mqtt or mqtts://BROKER:PORT/... (with --cse). Behind the port /~/id-b/... is SP-relative. A VALUE that is JSON stays JSON, anything else is a string.\n\n"
    "  --from ID        send as this originator (default: the plant's operator; CAdmin without a plant) ...\n"
    "  --cert FILE      ... with this certificate\n"
    "  --key FILE       ... and its key\n"
    "  --credentials F  ... or with the key that this store of credentials has for the CSE\n"
    "  --esprim CSE-ID  seal it end to end for this CSE (ESPrim), with the key that --credentials has for it ...\n"
    "  --esprim-name N  ... or one that certificates agree on (ESCertKE): the name in the CSE's\n"
    "  --ca FILE        trust this CA (default: the plant's)\n"
    "  --psk-identity ID  a pre-shared key in the place of a certificate ...\n"
    "  --psk-file FILE  ... which is in a line ID:HEXKEY there\n"
    "  --server NAME    the name in the certificate at the other end, where the plant does not know it\n"
    "  --cse CSE-ID     the CSE behind a broker\n"
    "  --via CSE-ID     enter the network at this CSE of the plant\n"
    "  --serialization json|xml|cbor  what travels\n"
    "  --plant DIR      the plant (default $KEYWAY_PLANT, or `plant`)\n"
    "  --json           the answer as it came, on one line\n"
    "\nExamples:\n"
    "  keyway get /id-in/cse-in\n"
    "  keyway discover /id-b/cse-b ty=28 lbl=kitchen\n"
    "  keyway update /id-b/cse-b/zb-00124b0001020304/binSh state=true\n"
    "  keyway create https://127.0.0.1:9441/cse-in cnt rn=log mni=100\n";

static const struct {
	const char *name, *root;
	int ty;
} types[] = {
	{"acp", "m2m:acp", 1}, {"ae", "m2m:ae", 2}, {"cnt", "m2m:cnt", 3}, {"cin", "m2m:cin", 4}, {"grp", "m2m:grp", 9}, {"sub", "m2m:sub", 23}, {"fcnt", "m2m:fcnt", 28},
};

struct verb {
	struct plant plant;
	struct m2m_client client;
	bool json;
};

/* 0: go on. */
static int begin(struct verb *v, int *argc, char **argv, int least, int most)
{
	bool help = cli_flag(argc, argv, "--help");
	const char *dir = cli_option(argc, argv, "--plant");
	const struct plant *plant;
	struct m2m_words words;
	int r;

	m2m_words_take(&words, argc, argv);
	v->json = cli_flag(argc, argv, "--json");
	if (help) {
		cli_help(usage);
		return -1;
	}
	r = cli_operands(usage, *argc, argv, least, most);
	if (r != CLI_OK)
		return r;
	if (!words.cert != !words.key)
		return cli_misuse(usage, "--cert and --key belong together");
	return m2m_plant(dir, argv[1], &v->plant, &plant) && m2m_open(&v->client, plant, &words) ? 0 : CLI_FAILED;
}

static int report(struct verb *v, struct m2m_answer *a)
{
	bool good = a->ok;

	if (!good)
		cli_fail("%s", a->detail);
	else if (v->json && a->body[0])
		printf("%s\n", a->body);
	else if (v->json)
		printf("{\"rsc\":%d}\n", a->rsc);
	else if (a->doc)
		cli_print_pretty(rd_str(a->body));
	else if (a->body[0])
		printf("%s\n", a->body);
	else
		printf("%d %s\n", a->rsc, keyway_rsc_text(a->rsc));
	m2m_answer_clear(a);
	m2m_close(&v->client);
	return good ? CLI_OK : CLI_FAILED;
}

int get_main(int argc, char **argv)
{
	struct m2m_answer a;
	struct verb v;
	int r = begin(&v, &argc, argv, 1, 2);

	if (r)
		return r < 0 ? CLI_OK : r;
	m2m_call(&v.client, KEYWAY_RETRIEVE, argv[1], argc > 2 ? argv[2] : NULL, 0, NULL, &a);
	return report(&v, &a);
}

int delete_main(int argc, char **argv)
{
	struct m2m_answer a;
	struct verb v;
	int r = begin(&v, &argc, argv, 1, 1);

	if (r)
		return r < 0 ? CLI_OK : r;
	m2m_call(&v.client, KEYWAY_DELETE, argv[1], NULL, 0, NULL, &a);
	return report(&v, &a);
}

int discover_main(int argc, char **argv)
{
	struct m2m_answer a;
	struct verb v;
	char query[2048] = "fu=1";
	int r = begin(&v, &argc, argv, 1, CLI_MANY);

	if (r)
		return r < 0 ? CLI_OK : r;
	for (int i = 2; i < argc; i++) {
		if (!strchr(argv[i], '=') || strlen(query) + strlen(argv[i]) + 2 > sizeof query) {
			m2m_close(&v.client);
			return cli_misuse(usage, "`%s` is no filter criterion such as ty=28 or lbl=kitchen, or the query is too long", argv[i]);
		}
		strcat(strcat(query, "&"), argv[i]);
	}
	m2m_call(&v.client, KEYWAY_RETRIEVE, argv[1], query, 0, NULL, &a);
	if (!v.json && a.ok && json_get(a.doc, "m2m:uril")) {
		for (const struct json *u = json_get(a.doc, "m2m:uril")->first; u; u = u->next)
			printf("%.*s\n", (int)u->text.left, (const char *)u->text.at);
		m2m_answer_clear(&a);
		m2m_close(&v.client);
		return CLI_OK;
	}
	return report(&v, &a);
}

/* NAME=VALUE pairs under `root`. */
static bool make_body(const char *root, int argc, char **argv, int from, struct wr *w)
{
	struct json_out o = json_out(w);

	json_object(&o, NULL);
	json_object(&o, root);
	for (int i = from; i < argc; i++) {
		struct json_arena *arena = json_arena_new();
		struct rd r = rd_str(argv[i]), name;
		const struct json *value;
		char text[128];

		if (!arena || !rd_until(&r, '=', &name) || !rd_text(name, text, sizeof text)) {
			json_arena_free(arena);
			cli_fail("`%s` is neither NAME=VALUE nor JSON", argv[i]);
			return false;
		}
		if (json_parse(arena, r, NULL, &value) == OK)
			json_put(&o, text, value);
		else
			json_put_rd(&o, text, r);
		json_arena_free(arena);
	}
	json_close(&o);
	json_close(&o);
	wr_u8(w, 0);
	return !w->spoilt;
}

static bool type_of(const char *name, int *ty, const char **root)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		if (strcmp(types[i].name, name) != 0 && atoi(name) != types[i].ty)
			continue;
		*ty = types[i].ty;
		*root = types[i].root;
		return true;
	}
	*ty = atoi(name);
	*root = NULL;
	return *ty > 0;
}

int create_main(int argc, char **argv)
{
	struct wr w = wr_new(BODY_MAX);
	struct m2m_answer a;
	const char *root;
	struct verb v;
	int ty, r = begin(&v, &argc, argv, 2, CLI_MANY);

	if (r)
		return r < 0 ? CLI_OK : r;
	if (!type_of(argv[2], &ty, &root)) {
		m2m_close(&v.client);
		wr_free(&w);
		return cli_misuse(usage, "`%s` is no resource type", argv[2]);
	}
	if (argc == 4 && argv[3][0] == '{') {
		wr_str(&w, argv[3]);
		wr_u8(&w, 0);
	} else if (!root || !make_body(root, argc, argv, 3, &w)) {
		m2m_close(&v.client);
		wr_free(&w);
		return root ? CLI_FAILED : cli_fail("type %d needs the whole resource as JSON, with its root", ty);
	}
	m2m_call(&v.client, KEYWAY_CREATE, argv[1], NULL, ty, (char *)w.octets, &a);
	wr_free(&w);
	return report(&v, &a);
}

int update_main(int argc, char **argv)
{
	struct wr w = wr_new(BODY_MAX);
	struct m2m_answer a;
	char root[128] = "";
	struct verb v;
	int r = begin(&v, &argc, argv, 2, CLI_MANY);

	if (r)
		return r < 0 ? CLI_OK : r;
	if (argc == 3 && argv[2][0] == '{') {
		wr_str(&w, argv[2]);
		wr_u8(&w, 0);
	} else {
		/* The root is the resource's own: ask for it. */
		m2m_call(&v.client, KEYWAY_RETRIEVE, argv[1], NULL, 0, NULL, &a);
		if (!a.ok || !a.doc || !a.doc->first || !rd_text(a.doc->first->key, root, sizeof root))
			return report(&v, &a);
		m2m_answer_clear(&a);
		if (!make_body(root, argc, argv, 2, &w)) {
			wr_free(&w);
			m2m_close(&v.client);
			return CLI_FAILED;
		}
	}
	m2m_call(&v.client, KEYWAY_UPDATE, argv[1], NULL, 0, (char *)w.octets, &a);
	wr_free(&w);
	return report(&v, &a);
}
