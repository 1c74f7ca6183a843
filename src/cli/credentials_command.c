/* `keyway credentials`: what keys a program has and until when. Never their values. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/credentials_list.h"
#include "onem2m/timestamp.h"

#define VALUE_MAX 512

static const char usage[] =
    "usage: keyway credentials list [--json] [--expiring TIME] [--state DIR | --file F | --all [STORE...]]\n"
    "       keyway credentials add ID --kind KIND [--value FILE] [options]\n"
    "       keyway credentials remove ID\n"
    "       keyway credentials rotate [--to KEK]\n"
    "       keyway credentials check\n\n"
    "The keys that a program shares with others: what they are, whose, and when they end. Values are never shown.\n\n"
    "  list    all of them, expired ones too; --all: of every program of the plant, what MEF and MAF have registered, files of keys, and\n"
    "          further stores or state directories, such as enrolees'\n"
    "  add     a key; its value comes from FILE or, without one, from standard input, never from the command line\n"
    "  remove  forget one: from then on a handshake under it fails\n"
    "  rotate  a new key encryption key, and everything sealed anew, while the program goes on\n"
    "  check   whether every row opens: status 1 when one was changed\n\n"
    "  --state DIR        the program's state directory, with credentials.db (default .)\n"
    "  --file F           the store itself\n"
    "  --kek KEK          a key file, or a PKCS#11 URI (default: what the store says; credentials.key beside a new one)\n"
    "  --kind KIND        kpm (with a MEF), km (with a MAF), kpsa (with a CSE), esprim, esdata, esdata-wrap, esdata-hmac, ke,\n"
    "                     password (at a server: text, not hexadecimal)\n"
    "  --suid N           its use, TS-0004 6.3.4.2.39 (default by kind: 10 to 14; 14 and 15 for the last two of ESData)\n"
    "  --entity E         what From may be under it: an ID, or several joined by blanks\n"
    "  --peer P           whom it is shared with: an FQDN or a CSE-ID\n"
    "  --expires TIME     20271231T235959, a duration such as P90D, or `never` (default P365D)\n"
    "  --value FILE       hexadecimal digits in a file that nobody else may read\n"
    "  --replace          even if there is one of this ID\n"
    "  --expiring TIME    only what ends within P30D, or before 20271231T235959\n"
    "  --plant DIR        the plant (default $KEYWAY_PLANT, or `plant`)\n"
    "  --to KEK           put the key encryption key there instead\n"
    "  --json             as JSON\n"
    "\nExamples:\n"
    "  keyway credentials list --state plant/maf\n"
    "  keyway credentials list --all --expiring P30D --json\n"
    "  keyway credentials add meter1@maf.keyway.example --kind km --entity /id-in/Cmeter --value key.hex --state plant/maf\n"
    "  keyway credentials rotate --state plant/mef\n";

/* ---- add ---- */

/* Spaces and a line end may be around the digits. */
static int value_read(const char *path, bool is_text, struct secret **key)
{
	char text[VALUE_MAX];
	uint8_t octets[SECRET_MAX];
	struct stat st;
	size_t len = 0, n = 0;
	ssize_t r = 0;
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	bool private, good;

	if (fd < 0)
		return cli_fail("%s can't be read", path);
	private = !path || (fstat(fd, &st) == 0 && (!S_ISREG(st.st_mode) || (st.st_mode & 077) == 0));
	while (private && n < sizeof text && (r = read(fd, text + n, sizeof text - n)) > 0)
		n += (size_t)r;
	while (n > 0 && strchr(" \t\r\n", text[n - 1]))
		n--;
	if (is_text && n <= sizeof octets)
		memcpy(octets, text, len = n);
	good = private && r == 0 && (is_text ? n <= sizeof octets : hex_parse_loose(rd_of(text, n), octets, sizeof octets, &len)) && len >= CREDENTIAL_KEY_LEAST;
	bytes_wipe(text, sizeof text);
	if (path)
		close(fd);
	*key = good ? secret_take(octets, len) : NULL;
	bytes_wipe(octets, sizeof octets);
	if (*key)
		return CLI_OK;
	return private ? cli_fail("the value must be %d to %d octets%s", CREDENTIAL_KEY_LEAST, SECRET_MAX, is_text ? "" : " in hexadecimal")
		       : cli_fail("%s may be read by others: chmod 600 it", path);
}

static unsigned default_suid(enum credential_kind kind)
{
	/* 10..14 are the same numbers in both tables */
	return kind <= KIND_ESDATA ? (unsigned)kind : kind == KIND_ESDATA_WRAP ? 14 : kind == KIND_ESDATA_HMAC ? 15 : 0;
}

static int fields(int *argc, char **argv, struct credential *c)
{
	const char *kind = cli_option(argc, argv, "--kind"), *suid = cli_option(argc, argv, "--suid"), *entity = cli_option(argc, argv, "--entity");
	const char *peer = cli_option(argc, argv, "--peer"), *expires = cli_option(argc, argv, "--expires");
	uint64_t now = clock_unix_ms(), ms = 0, n = 0;

	if (!kind || !credential_kind_parse(rd_str(kind), &c->kind) || c->kind == KIND_STORE_KEY)
		return cli_misuse(usage, "--kind must be one of kpm, km, kpsa, esprim, esdata, esdata-wrap, esdata-hmac, ke, password");
	if (suid && (!rd_decimal(rd_str(suid), &n) || n > 999))
		return cli_misuse(usage, "--suid must be a number such as 12");
	c->suid = suid ? (unsigned)n : default_suid(c->kind);
	if (!rd_text(rd_str(entity ? entity : ""), c->entity, sizeof c->entity) || !rd_text(rd_str(peer ? peer : ""), c->peer, sizeof c->peer))
		return cli_fail("--entity or --peer is too long");
	c->added_at = now / 1000;
	c->expires_at = UINT64_MAX;
	if (expires && strcmp(expires, "never") == 0)
		return CLI_OK;
	if (!timestamp_parse_abs_rel(rd_str(expires ? expires : "P365D"), now, &ms))
		return cli_misuse(usage, "--expires must be a time such as 20271231T235959, a duration such as P90D, or never");
	if (ms <= now)
		return cli_fail("it would be expired already");
	c->expires_at = ms / 1000;
	return CLI_OK;
}

static int put(struct credentials_place *p, struct credential *c, bool replace)
{
	struct credentials *s;
	int r = credentials_place_open(p, false, false, &s);
	enum err e;

	if (r != CLI_OK)
		return r;
	e = credentials_put(s, c, !replace);
	credentials_close(s);
	if (e == ERR_EXISTS)
		return cli_fail("there is a credential %s: --replace it, or remove it first", c->identity);
	if (e == ERR_BAD_VALUE)
		return cli_fail("`%s` can't be the identifier of a key: it is RELATIVE@FQDN, of letters, digits and ._-", c->identity);
	return e == OK ? CLI_OK : cli_fail("it could not be stored: %s", err_text(e));
}

static int add(struct credentials_place *p, int argc, char **argv)
{
	const char *value = cli_option(&argc, argv, "--value");
	bool replace = cli_flag(&argc, argv, "--replace");
	struct credential c = {.key = NULL};
	int r = fields(&argc, argv, &c);

	if (r == CLI_OK)
		r = cli_operands(usage, argc, argv, 1, 1);
	if (r == CLI_OK && !rd_text(rd_str(argv[1]), c.identity, sizeof c.identity))
		r = cli_fail("the identifier is too long");
	if (r == CLI_OK)
		r = value_read(value, c.kind == KIND_PASSWORD, &c.key);
	if (r == CLI_OK)
		r = put(p, &c, replace);
	credential_clear(&c);
	return r;
}

/* ---- the rest ---- */

static int list_command(struct credentials_place *p, int argc, char **argv)
{
	const char *plant = cli_option(&argc, argv, "--plant"), *within = cli_option(&argc, argv, "--expiring");
	bool all = cli_flag(&argc, argv, "--all");
	struct credentials_listing l = {.json = p->json, .until_s = UINT64_MAX};
	int r = cli_operands(usage, argc, argv, 0, all ? argc : 0);
	uint64_t ms;

	if (r != CLI_OK)
		return r;
	if (within && !timestamp_parse_abs_rel(rd_str(within), clock_unix_ms(), &ms))
		return cli_misuse(usage, "--expiring must be a duration such as P30D, or a time, not `%s`", within);
	if (within)
		l.until_s = ms / 1000;
	return all ? credentials_list_all(&l, plant, argv + 1, (size_t)argc - 1) : credentials_list(&l, p);
}

static int remove_command(struct credentials_place *p, int argc, char **argv)
{
	struct credentials *s;
	int r = cli_operands(usage, argc, argv, 1, 1);
	enum err e;

	if (r == CLI_OK)
		r = credentials_place_open(p, true, true, &s);
	if (r != CLI_OK)
		return r;
	e = credentials_remove(s, argv[1]);
	credentials_close(s);
	if (e == ERR_NOT_FOUND)
		return cli_fail("there is no credential %s", argv[1]);
	return e == OK ? CLI_OK : cli_fail("it could not be removed: %s", err_text(e));
}

static int rotate_command(struct credentials_place *p, int argc, char **argv)
{
	const char *to = cli_option(&argc, argv, "--to"), *detail = "";
	int r = cli_operands(usage, argc, argv, 0, 0);
	char kek[KEK_REFERENCE_MAX];
	struct credentials *s;
	enum err e;

	if (r == CLI_OK && !credentials_place_absolute(to, kek, sizeof kek))
		r = cli_fail("the path of the key is too long");
	if (r == CLI_OK)
		r = credentials_place_open(p, true, false, &s);
	if (r != CLI_OK)
		return r;
	e = credentials_rotate(s, to ? kek : NULL, &detail);
	credentials_close(s);
	return e == OK ? CLI_OK : cli_fail("%s: %s", p->path, detail);
}

static int check_command(struct credentials_place *p, int argc, char **argv)
{
	int r = cli_operands(usage, argc, argv, 0, 0);
	char identity[CREDENTIAL_IDENTITY_MAX];
	struct credentials *s;
	enum err e;

	if (r == CLI_OK)
		r = credentials_place_open(p, true, false, &s);
	if (r != CLI_OK)
		return r;
	e = credentials_verify(s, identity);
	credentials_close(s);
	if (e == OK && !p->json)
		printf("%s is whole\n", p->path);
	return e == OK ? CLI_OK : cli_fail("%s: the row of %s does not open: it was changed", p->path, identity);
}

static const struct {
	const char *name;
	int (*run)(struct credentials_place *p, int argc, char **argv);
} verbs[] = {
	{"list", list_command},
	{"add", add},
	{"remove", remove_command},
	{"rotate", rotate_command},
	{"check", check_command},
};

int credentials_main(int argc, char **argv)
{
	struct credentials_place p;
	int r;

	if (cli_flag(&argc, argv, "--help"))
		return cli_help(usage);
	r = credentials_place_take(&p, &argc, argv, usage);
	if (r != CLI_OK)
		return r;
	for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(&p, argc - 1, argv + 1);
	return cli_misuse(usage, argc > 1 ? "`%s` is not something to do with credentials" : "what is to be done with credentials?", argc > 1 ? argv[1] : "");
}
