/* `keyway esdata`: content that stays sealed or signed end to end (TS-0003 8.5), made and opened outside of any CSE. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/key_fetch.h"
#include "credentials/credentials.h"
#include "e2e/esdata.h"

#define PATH_SIZE 1024
#define KEYS_MAX 16
#define INPUT_MAX (4U << 20)

static const char usage[] =
    "usage: keyway esdata seal [--key ID | --to KID=CERT ...] [--sign ID | --sign-with KID=KEY] [options] < data\n"
    "       keyway esdata open [--open-with KID=KEY] [--verify KID=CERT] [options] < contentInstance\n\n"
    "Content that stays sealed or signed wherever it is stored. seal prints the contentInstance for `keyway create`; open takes one, as\n"
    "`keyway get` gives it in JSON, and writes what was inside. A key of the MAF or MEF that the store does not have yet is fetched.\n\n"
    "  --key ID            encrypt with this key of the credential store (kind esdata or esdata-wrap)\n"
    "  --to KID=CERT       encrypt for the holder of this certificate; may be given again with --form json or base64\n"
    "  --sign ID           sign with this key of the store (kind esdata-hmac)\n"
    "  --sign-with KID=KEY sign with this private key\n"
    "  --open-with KID=KEY the private key for what was encrypted to KID\n"
    "  --verify KID=CERT   the certificate of who signs as KID; may be given again\n"
    "  --signed            open only what is signed\n"
    "  --encrypted         open only what is encrypted\n"
    "  --form FORM         compact (default), json, or base64 of json\n"
    "  --enc ENC           A128GCM, A192GCM or A256GCM (default)\n"
    "  --media TYPE        of the data (default text/plain)\n"
    "  --state DIR         the program's state directory, with credentials.db (default .)\n"
    "  --file F            the store itself\n"
    KEY_FETCH_OPTIONS "\nExamples:\n"
    "  keyway esdata seal --key 140001@mef.keyway.example --state meter < reading.txt > sealed.json\n"
    "  keyway esdata open --state reader < sealed.json\n";

struct work {
	struct credentials *store;  /* opened when a key of it is wanted */
	char path[PATH_SIZE];
	struct rng rng;
	struct esdata_key keys[KEYS_MAX];
	size_t count;
	struct wr input;
	enum jose_enc enc;
	struct key_fetch fetch;
};

#define FETCHED_SUIDS (KEY_FETCHER_SUID(SUID_MAF_ESDATA_ENC) | KEY_FETCHER_SUID(SUID_MAF_ESDATA_SIG) | KEY_FETCHER_SUID(SUID_RSPF_ESDATA_ENC) | KEY_FETCHER_SUID(SUID_RSPF_ESDATA_SIG))

static int store_of(struct work *w)
{
	struct credentials_options o = {.path = w->path, .rng = &w->rng, .must_exist = true};
	const char *detail = "";

	if (w->store)
		return CLI_OK;
	return credentials_open(&o, &w->store, &detail) == OK ? CLI_OK : cli_fail("%s: %s", w->path, detail);
}

static struct esdata_key *place(struct work *w)
{
	return w->count < KEYS_MAX ? &w->keys[w->count] : NULL;
}

/* ---- keys of the store ---- */

static enum suid usage_of(const struct credential *c)
{
	enum suid suid;

	if (c->suid && suid_parse(c->suid, &suid) == OK)
		return suid;
	return c->kind == KIND_ESDATA_HMAC ? SUID_PPSK_ESDATA_SIG : SUID_PPSK_ESDATA_ENC;
}

static enum err key_of(const struct credential *c, struct esdata_key *k)
{
	enum jose_alg alg = c->kind == KIND_ESDATA_WRAP ? JOSE_A256KW : c->kind == KIND_ESDATA_HMAC ? JOSE_HS256 : JOSE_DIR;

	if (c->kind != KIND_ESDATA && c->kind != KIND_ESDATA_WRAP && c->kind != KIND_ESDATA_HMAC)
		return ERR_NOT_PERMITTED;
	return esdata_key_symmetric(k, usage_of(c), c->identity, c->key, alg);
}

static int add_stored(struct work *w, const char *id)
{
	struct esdata_key *k = place(w);
	struct credential c;
	enum err e;

	if (!k)
		return cli_fail("too many keys");
	if (store_of(w) != CLI_OK)
		return CLI_FAILED;
	e = credentials_find(w->store, id, &c);
	if (e == ERR_NOT_FOUND && key_fetch_may(&w->fetch, id) && key_fetch_now(&w->fetch, w->store, id, FETCHED_SUIDS))
		e = credentials_find(w->store, id, &c);
	if (e != OK)
		return cli_fail("the key %s: %s", id, err_text(e));
	if (credential_expired(&c, clock_unix_ms() / 1000)) {
		credential_clear(&c);
		return cli_fail("the key %s expired", id);
	}
	e = key_of(&c, k);
	credential_clear(&c);
	if (e != OK)
		return cli_fail("the key %s is not one for this", id);
	w->count++;
	return CLI_OK;
}

/* ---- keys in files ---- */

static bool file_read(const char *path, struct wr *w)
{
	FILE *f = fopen(path, "rb");
	uint8_t buffer[4096];
	size_t n;

	if (!f)
		return false;
	while ((n = fread(buffer, 1, sizeof buffer, f)) > 0)
		wr_copy(w, buffer, n);
	fclose(f);
	bytes_wipe(buffer, sizeof buffer);
	return !w->spoilt;
}

/* what: KID=FILE */
static int add_file(struct work *w, const char *what, enum suid suid)
{
	struct wr pem = wr_new(JOSE_KEY_TEXT_MAX);
	struct rd kid, file = rd_str(what), text;
	struct esdata_key *k = place(w);
	char name[CREDENTIAL_ID_MAX], path[PATH_SIZE];
	int r = CLI_OK;

	if (!k)
		r = cli_fail("too many keys");
	else if (!rd_until(&file, '=', &kid) || !rd_text(kid, name, sizeof name) || !rd_text(file, path, sizeof path))
		r = cli_misuse(usage, "`%s` is not KID=FILE", what);
	else if (!file_read(path, &pem) || !wr_done(&pem, &text) || esdata_key_pem(k, suid, name, text, JOSE_NO_ALG) != OK)
		r = cli_fail("%s is no key or certificate for this", path);
	else
		w->count++;
	wr_free(&pem);
	return r;
}

static int add_files(struct work *w, int *argc, char **argv, const char *option, enum suid suid)
{
	const char *what;
	int r = CLI_OK;

	while (r == CLI_OK && (what = cli_option(argc, argv, option)))
		r = add_file(w, what, suid);
	return r;
}

static int read_input(struct work *w)
{
	uint8_t buffer[4096];
	ssize_t n;

	while ((n = read(STDIN_FILENO, buffer, sizeof buffer)) > 0)
		wr_copy(&w->input, buffer, (size_t)n);
	bytes_wipe(buffer, sizeof buffer);
	return n == 0 && !w->input.spoilt ? CLI_OK : cli_fail("standard input cannot be read, or is too long");
}

/* ---- seal ---- */

static int print_instance(const struct content_info *info, struct rd con)
{
	char cnf[CONTENT_INFO_MAX];
	struct wr text = wr_new(INPUT_MAX * 2);
	struct json_out o = json_out(&text);
	struct rd out;
	int r = CLI_OK;

	json_object(&o, NULL);
	json_object(&o, "m2m:cin");
	if (content_info_print(info, cnf) != OK) {
		r = cli_misuse(usage, "`%.*s` is no media type", (int)info->media.left, (const char *)info->media.at);
	} else {
		json_put_string(&o, "cnf", cnf);
		json_put_rd(&o, "con", con);
		json_close(&o);
		json_close(&o);
		if (wr_done(&text, &out))
			cli_print_json(out);
		else
			r = cli_fail("it is too long");
	}
	wr_free(&text);
	return r;
}

static int seal(struct work *w, int argc, char **argv)
{
	const char *form = cli_option(&argc, argv, "--form"), *media = cli_option(&argc, argv, "--media"), *id;
	struct content_info info = {rd_str(media ? media : "text/plain"), 0, CONTENT_SECURITY_JOSE_COMPACT};
	struct esdata_making how = {.enc = w->enc, .sealers = w->keys};
	struct wr con = wr_new(INPUT_MAX);
	struct rd data, out;
	int r = CLI_OK;
	enum err e;

	if (form && strcmp(form, "compact") != 0)
		info.security = strcmp(form, "json") == 0 ? CONTENT_SECURITY_JOSE_JSON : CONTENT_SECURITY_JOSE_JSON_BASE64;
	if (form && info.security == CONTENT_SECURITY_JOSE_JSON_BASE64 && strcmp(form, "base64") != 0)
		return cli_misuse(usage, "the form `%s` must be compact, json or base64", form);
	how.security = info.security;
	if ((id = cli_option(&argc, argv, "--key")))
		r = add_stored(w, id);
	if (r == CLI_OK)
		r = add_files(w, &argc, argv, "--to", SUID_CERT_ESDATA_ENC);
	how.count = w->count;
	if (r == CLI_OK && (id = cli_option(&argc, argv, "--sign")))
		r = add_stored(w, id);
	if (r == CLI_OK && (id = cli_option(&argc, argv, "--sign-with")))
		r = add_file(w, id, SUID_CERT_ESDATA_SIG);
	if (r == CLI_OK)
		r = cli_operands(usage, argc, argv, 0, 0);
	if (r == CLI_OK && (w->count == 0 || w->count > how.count + 1))
		r = cli_misuse(usage, "with which key: --key, --to, --sign or --sign-with? One signs at most");
	if (r == CLI_OK)
		r = read_input(w);
	if (r != CLI_OK)
		return r;
	if (w->count > how.count)
		how.signer = &w->keys[how.count];
	e = wr_done(&w->input, &data) ? esdata_seal(&how, data, &w->rng, &con) : ERR_TOO_LONG;
	if (e == OK && wr_done(&con, &out))
		r = print_instance(&info, out);
	else
		r = cli_fail("it cannot be sealed with these keys: %s", err_text(e));
	wr_free(&con);
	return r;
}

/* ---- open ---- */

static const struct esdata_key *find(void *ctx, struct rd kid, bool encrypted)
{
	struct work *w = ctx;
	char id[CREDENTIAL_ID_MAX];

	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i < w->count; i++)
			if (rd_is(kid, w->keys[i].kid) && (suid_usage(w->keys[i].suid) == SUID_USAGE_ESDATA_ENC) == encrypted)
				return &w->keys[i];
		/* A key of the store is only looked for when somebody names it. */
		if (again || !rd_text(kid, id, sizeof id) || access(w->path, R_OK) != 0 || add_stored(w, id) != CLI_OK)
			return NULL;
	}
	return NULL;
}

/* The contentInstance, with its root or without. */
static bool instance_of(const struct json *doc, struct content_info *info, struct rd *con)
{
	const struct json *cin = json_get(doc, "m2m:cin") ? json_get(doc, "m2m:cin") : doc;
	struct rd cnf;

	return json_string(json_get(cin, "cnf"), &cnf) && content_info_parse(cnf, info) == OK && json_string(json_get(cin, "con"), con);
}

static int open_instance(struct work *w, struct esdata_policy *policy)
{
	struct json_arena *arena = json_arena_new();
	struct wr data = wr_new(INPUT_MAX);
	struct esdata_verdict v;
	struct content_info info;
	const struct json *doc;
	struct rd text, con, out;
	int r = CLI_OK;
	enum err e;

	if (!wr_done(&w->input, &text) || json_parse(arena, text, NULL, &doc) != OK || !instance_of(doc, &info, &con)) {
		r = cli_fail("standard input is no contentInstance with cnf and con");
	} else {
		e = esdata_open(info.security, con, policy, &v, &data);
		if (e != OK)
			r = cli_fail("it does not open: %s", err_text(e));
		else if (wr_done(&data, &out))
			fwrite(out.at, 1, out.left, stdout);
		if (e == OK && v.was_signed)
			fprintf(stderr, "signed by %s\n", v.signer);
	}
	wr_free(&data);
	json_arena_free(arena);
	return r;
}

static int open_command(struct work *w, int argc, char **argv)
{
	struct esdata_policy policy = {.find = find, .ctx = w, .rng = &w->rng};
	int r;

	policy.must_be_signed = cli_flag(&argc, argv, "--signed");
	policy.must_be_encrypted = cli_flag(&argc, argv, "--encrypted");
	r = add_files(w, &argc, argv, "--open-with", SUID_CERT_ESDATA_ENC);
	if (r == CLI_OK)
		r = add_files(w, &argc, argv, "--verify", SUID_CERT_ESDATA_SIG);
	if (r == CLI_OK)
		r = cli_operands(usage, argc, argv, 0, 0);
	if (r == CLI_OK)
		r = read_input(w);
	return r == CLI_OK ? open_instance(w, &policy) : r;
}

int esdata_main(int argc, char **argv)
{
	struct work w = {.rng = rng_system(), .input = wr_new(INPUT_MAX), .enc = JOSE_A256GCM};
	const char *state, *file, *enc;
	int r;

	if (cli_flag(&argc, argv, "--help"))
		return cli_help(usage);
	state = cli_option(&argc, argv, "--state");
	file = cli_option(&argc, argv, "--file");
	enc = cli_option(&argc, argv, "--enc");
	if (enc && (w.enc = jose_enc_of(rd_str(enc))) == JOSE_NO_ENC)
		return cli_misuse(usage, "`%s` is no content encryption", enc);
	if ((r = key_fetch_take(&w.fetch, &argc, argv, usage)) != CLI_OK)
		return r;
	r = file ? snprintf(w.path, sizeof w.path, "%s", file) : snprintf(w.path, sizeof w.path, "%s/credentials.db", state ? state : ".");
	if (r < 0 || (size_t)r >= sizeof w.path)
		return cli_fail("the path of the store is too long");
	if (argc > 1 && strcmp(argv[1], "seal") == 0)
		r = seal(&w, argc - 1, argv + 1);
	else if (argc > 1 && strcmp(argv[1], "open") == 0)
		r = open_command(&w, argc - 1, argv + 1);
	else
		r = cli_misuse(usage, argc > 1 ? "`%s` is nothing to do with data" : "seal or open?%s", argc > 1 ? argv[1] : "");
	for (size_t i = 0; i < w.count; i++)
		esdata_key_clear(&w.keys[i]);
	credentials_close(w.store);
	wr_free(&w.input);
	return r;
}
