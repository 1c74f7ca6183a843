/* `keyway certificate`: what the plant's CA issues and revokes. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "pki/ca.h"
#include "pki/pki.h"

#define PEM_MAX (1024 * 1024)
#define DAYS_DEFAULT 365
#define DAYS_MAX 3650

static const char usage[] =
    "usage: keyway certificate list [--json] [--ca DIR]\n"
    "       keyway certificate issue FILE --name NAME [--days N]\n"
    "       keyway certificate sign REQUEST [--days N]\n"
    "       keyway certificate revoke NAME|SERIAL [--reason REASON]\n"
    "       keyway certificate crl [--days N]\n"
    "       keyway certificate enrol FILE --name NAME --est URL --mef NAME [--renew] [--cert C --key K | --psk ID --psk-file F]\n\n"
    "The certificates of a plant's CA: ECDSA on secp256r1, one name each (TS-0003 10.1).\n\n"
    "  list    everything that was issued, with its name, serial number, end and state\n"
    "  issue   FILE.key and FILE.pem in the CA's directory: a new key, and a certificate for it\n"
    "  sign    a PKCS#10 request (PEM or DER; - is standard input); the certificate goes to standard output\n"
    "  revoke  every certificate in force with this name, or the one with this serial number; `crl` tells the others\n"
    "  crl     a revocation list, PEM, on standard output: give it to the programs as [tls] crl\n"
    "  enrol   FILE.key and FILE.pem in --out (default .): a new key, and a certificate for it from a MEF, by EST (RFC 7030)\n\n"
    "  --ca DIR         where ca.pem, ca.key and index.txt are (default: tls in the plant)\n"
    "  --name NAME      id-mn.id-in.keyway.example of a CSE, m2m://keyway.example/id-in/Cmeter of an AE, mef.keyway.example,\n"
    "                   urn:... of a node, oid:TYPE-ID/VALUE of a device\n"
    "  --days N         how long it is good for (default 365; of a revocation list 7)\n"
    "  --reason REASON  unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation\n"
    "  --est URL        https://mef.keyway.example:9443/.well-known/est\n"
    "  --mef NAME       what the MEF's certificate must say\n"
    "  --renew          by the present certificate, for the same name\n"
    "  --cert C --key K whom to enrol as (default: the operator)\n"
    "  --psk ID         or under this pre-shared key, of --psk-file F: lines of identity:hexkey\n"
    "  --ca-file FILE   who may have signed the MEF's certificate\n"
    "  --out DIR        where the files go\n"
    "  --json           as JSON\n\n"
    "What was issued is in index.txt in OpenSSL's form: `openssl ocsp -index DIR/index.txt -CA DIR/ca.pem -rsigner ...` answers for it.\n"
    "\nExamples:\n"
    "  keyway certificate list\n"
    "  keyway certificate issue meter --name m2m://keyway.example/id-in/Cmeter --days 90\n"
    "  keyway certificate revoke m2m://keyway.example/id-in/Cmeter --reason keyCompromise && keyway certificate crl > crl.pem\n";

/* Where the CA is; CLI_OK with it open. */
static int ca_of(const char *dir, char path[static PLANT_PATH], struct ca **ca)
{
	struct plant p;
	enum err e;

	if (!dir && !plant_open(NULL, &p))
		return CLI_FAILED;
	if (dir)
		snprintf(path, PLANT_PATH, "%s", dir);
	else
		snprintf(path, PLANT_PATH, "%.*s", (int)(strrchr(p.ca, '/') ? strrchr(p.ca, '/') - p.ca : 1), strrchr(p.ca, '/') ? p.ca : ".");
	e = ca_open(path, ca);
	if (e == ERR_NOT_FOUND)
		return cli_fail("there is no CA in %s: ca.pem and ca.key have to be there (`keyway init` makes a plant with one)", path);
	return e == OK ? CLI_OK : cli_fail("the CA in %s can't be used: %s", path, err_text(e));
}

/* ---- list ---- */

struct listing {
	struct json_out o;
	bool json;
	unsigned count;
	uint64_t now;
};

static const char *state_of(const struct ca_entry *e, uint64_t now)
{
	return e->state == 'R' ? "revoked" : e->expires_at <= now ? "expired" : "valid";
}

static void day(char text[static 20], uint64_t at)
{
	time_t t = (time_t)at;
	struct tm utc;

	gmtime_r(&t, &utc);
	strftime(text, 20, "%Y-%m-%d", &utc);
}

static void list_one(void *ctx, const struct ca_entry *e)
{
	struct listing *l = ctx;
	const char *state = state_of(e, l->now);
	char end[20];

	l->count++;
	if (l->json) {
		json_object(&l->o, NULL);
		json_put_string(&l->o, "name", e->name);
		json_put_string(&l->o, "serial", e->serial);
		json_put_string(&l->o, "state", state);
		json_put_uint(&l->o, "expires", e->expires_at);
		if (e->state == 'R') {
			json_put_uint(&l->o, "revoked", e->revoked_at);
			json_put_string(&l->o, "reason", e->reason);
		}
		json_close(&l->o);
		return;
	}
	day(end, e->expires_at);
	printf("%s%-8s%s %s  %s  %s%s%s\n", style(strcmp(state, "valid") == 0 ? STYLE_GREEN : STYLE_RED), state, style(STYLE_PLAIN), end, e->serial, e->name,
	    e->reason[0] ? "  " : "", e->reason);
}

static int list(struct ca *ca, bool json)
{
	struct wr w = wr_new(64 * PEM_MAX);
	struct listing l = {.o = json_out(&w), .json = json, .now = (uint64_t)time(NULL)};
	struct rd text;
	enum err e;

	json_array(&l.o, NULL);
	e = ca_each(ca, list_one, &l);
	json_close(&l.o);
	if (e == OK && json && wr_done(&w, &text))
		cli_print_json(text);
	else if (e == OK && l.count == 0)
		puts("Nothing was issued yet.");
	wr_free(&w);
	return e == OK ? CLI_OK : cli_fail("index.txt can't be read: %s", err_text(e));
}

/* ---- sign ---- */

static bool read_file(const char *path, struct wr *w)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	uint8_t octets[4096];
	size_t n;
	bool good;

	if (!f)
		return false;
	while ((n = fread(octets, 1, sizeof octets, f)) > 0)
		wr_copy(w, octets, n);
	good = !ferror(f);
	if (f != stdin)
		fclose(f);
	return good && !w->spoilt;
}

static int sign(struct ca *ca, const char *path, unsigned days)
{
	struct wr in = wr_new(PKI_DER_MAX * 2), pem = wr_new(PEM_MAX);
	const char *why = "it is too long";
	struct rd octets, text;
	struct csr c;
	enum err e;
	int r;

	errno = 0;
	if (!read_file(path, &in) || !wr_done(&in, &octets))
		r = cli_fail("%s: %s", path, errno ? strerror(errno) : "can't be read, or is too long");
	else if (csr_read_any(octets, &c, &why) != OK)
		r = cli_fail("%s: %s", path, why);
	else {
		e = ca_sign_pem(ca, &c, days, &pem);
		csr_clear(&c);
		r = e == OK && wr_done(&pem, &text) ? CLI_OK : cli_fail("the certificate could not be made: %s", err_text(e));
		if (r == CLI_OK)
			fwrite(text.at, 1, text.left, stdout);
	}
	wr_free(&in);
	wr_free(&pem);
	return r;
}

/* ---- the rest ---- */

static int issue(const char *dir, const char *file, const char *name, unsigned days)
{
	enum err e = pki_issue(dir, file, name, days);

	if (e == ERR_EXISTS)
		return cli_fail("%s/%s.key is there already: nothing was overwritten", dir, file);
	if (e == ERR_BAD_VALUE)
		return cli_fail("`%s` can be no name of a certificate; `keyway certificate --help` tells how they are written", name);
	if (e != OK)
		return cli_fail("the certificate could not be made: %s", err_text(e));
	printf("%s/%s.key and %s/%s.pem for %s, good for %u days.\n", dir, file, dir, file, name, days);
	return CLI_OK;
}

static int revoke_certificates(struct ca *ca, const char *which, const char *reason)
{
	enum ca_reason why = CA_UNSPECIFIED;
	unsigned count;
	enum err e;

	if (reason && ca_reason_parse(reason, &why) != OK)
		return cli_misuse(usage, "`%s` is no reason", reason);
	e = ca_revoke(ca, which, why, &count);
	if (e == ERR_NOT_FOUND)
		return cli_fail("nothing in force has the name or serial number %s; `keyway certificate list` shows what there is", which);
	if (e != OK)
		return cli_fail("index.txt can't be written: %s", err_text(e));
	printf("%u certificate%s revoked. Now give the programs a new list: keyway certificate crl > crl.pem\n", count, count == 1 ? "" : "s");
	return CLI_OK;
}

static int crl(struct ca *ca, unsigned days)
{
	struct wr pem = wr_new(64 * PEM_MAX);
	enum err e = ca_revocation_list(ca, days, &pem);
	struct rd text;

	if (e == OK && wr_done(&pem, &text))
		fwrite(text.at, 1, text.left, stdout);
	wr_free(&pem);
	return e == OK ? CLI_OK : cli_fail("the revocation list could not be made: %s", err_text(e));
}

/* Takes its own options before the others are looked at. */
static int enrol(int argc, char **argv)
{
	struct enrol_options o = {.est = cli_option(&argc, argv, "--est"), .mef = cli_option(&argc, argv, "--mef"), .name = cli_option(&argc, argv, "--name"),
		.dir = cli_option(&argc, argv, "--out"), .ca = cli_option(&argc, argv, "--ca-file"), .cert = cli_option(&argc, argv, "--cert"),
		.key = cli_option(&argc, argv, "--key"), .psk_identity = cli_option(&argc, argv, "--psk"), .psk_file = cli_option(&argc, argv, "--psk-file"),
		.renew = cli_flag(&argc, argv, "--renew")};
	struct plant p;
	int r = cli_operands(usage, argc, argv, 2, 2);

	if (r != CLI_OK)
		return r;
	if (!o.est || !o.mef || !o.name)
		return cli_misuse(usage, "--est, --mef and --name are needed");
	if ((o.psk_identity != NULL) != (o.psk_file != NULL) || (o.cert != NULL) != (o.key != NULL) || (o.cert && o.psk_identity))
		return cli_misuse(usage, "--cert goes with --key, --psk with --psk-file, and not both");
	if (!o.psk_identity && (!o.cert || !o.ca)) {
		if (!plant_open(NULL, &p))
			return CLI_FAILED;
		o.ca = o.ca ? o.ca : p.ca;
		o.key = o.cert ? o.key : p.key;
		o.cert = o.cert ? o.cert : p.cert;
	}
	o.dir = o.dir ? o.dir : ".";
	o.file = argv[2];
	return certificate_enrol(&o);
}

/* What is done with the CA itself. */
static int authority(int argc, char **argv)
{
	bool json = cli_flag(&argc, argv, "--json");
	const char *dir = cli_option(&argc, argv, "--ca"), *name = cli_option(&argc, argv, "--name"), *days_text = cli_option(&argc, argv, "--days");
	const char *reason = cli_option(&argc, argv, "--reason"), *verb = argc > 1 ? argv[1] : "";
	bool lists = strcmp(verb, "list") == 0, lacks = lists || strcmp(verb, "crl") == 0;
	uint64_t days = strcmp(verb, "crl") == 0 ? 7 : DAYS_DEFAULT;
	char path[PLANT_PATH];
	struct ca *ca;
	int r;

	if (!lacks && strcmp(verb, "issue") != 0 && strcmp(verb, "sign") != 0 && strcmp(verb, "revoke") != 0)
		return cli_misuse(usage, verb[0] ? "there is no `keyway certificate %s`" : "what is to be done?%s", verb);
	r = cli_operands(usage, argc, argv, lacks ? 1 : 2, lacks ? 1 : 2);
	if (r != CLI_OK)
		return r;
	if (days_text && (!rd_decimal(rd_str(days_text), &days) || days == 0 || days > DAYS_MAX))
		return cli_misuse(usage, "--days wants a number from 1 to %d, not `%s`", DAYS_MAX, days_text);
	if ((strcmp(verb, "issue") == 0) != (name != NULL))
		return cli_misuse(usage, name ? "--name is for `issue`" : "--name is missing");
	r = ca_of(dir, path, &ca);
	if (r != CLI_OK)
		return r;
	if (lists)
		r = list(ca, json);
	else if (name)
		r = issue(path, argv[2], name, (unsigned)days);
	else if (strcmp(verb, "sign") == 0)
		r = sign(ca, argv[2], (unsigned)days);
	else if (strcmp(verb, "revoke") == 0)
		r = revoke_certificates(ca, argv[2], reason);
	else
		r = crl(ca, (unsigned)days);
	ca_free(ca);
	return r;
}

int certificate_main(int argc, char **argv)
{
	if (cli_flag(&argc, argv, "--help"))
		return cli_help(usage);
	return argc > 1 && strcmp(argv[1], "enrol") == 0 ? enrol(argc, argv) : authority(argc, argv);
}
