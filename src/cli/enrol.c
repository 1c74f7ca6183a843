/* `keyway enrol`: from a pre-provisioned key, or a certificate, to a key for a CSE that was never met. */
#include <string.h>

#include "cli/cli.h"
#include "cli/credentials_place.h"
#include "enrolee/enrolee.h"
#include "enrolee/own_credential.h"
#include "onem2m/timestamp.h"

static const char usage[] =
    "usage: keyway enrol --id ID --target CSE-ID --mef URL --mef-id FQDN [--maf URL --maf-id FQDN] [options]\n"
    "       keyway enrol --id ID --forget KEY --mef URL --mef-id FQDN [--maf URL --maf-id FQDN] [options]\n\n"
    "Gets a key for an association with a CSE (TS-0003 clause 8.3): from the MEF, or from the MAF under a master credential from the MEF. It is put into\n"
    "the store of credentials, which must hold Kpm; steps whose key is there already are left out.\n\n"
    "  --id ID          own AE-ID or CSE-ID, such as /id-in/Cmeter\n"
    "  --target CSE-ID  whom the key is for, such as /id-b\n"
    "  --forget KEY     end this key where it is registered, and in the store\n"
    "  --mef URL        https://HOST:PORT of the MEF\n"
    "  --mef-id FQDN    its name\n"
    "  --maf URL        https://HOST:PORT of the MAF\n"
    "  --maf-id FQDN    its name\n"
    "  --sp DOMAIN      M2M service provider (default keyway.example)\n"
    "  --admin FQDN     who administers the registration (default the function itself)\n"
    "  --for USE        association (default), esprim, esdata or esdata-signature\n"
    "  --lifetime P     asked for, such as P30D (default P30D)\n"
    "  --cert FILE      certificate towards the MEF, instead of Kpm ...\n"
    "  --key FILE       ... its key ...\n"
    "  --ca FILE        ... and who signed the MEF's\n"
    "  --state DIR      with credentials.db (default .)\n"
    "  --file F         the store itself\n"
    "  --kek KEK        what seals it\n"
    "  --json           the answer as one JSON object\n"
    "\nExample:\n"
    "  keyway enrol --id /id-in/Cmeter --target /id-in --mef https://127.0.0.1:9440 --mef-id mef.keyway.example --ca plant/tls/ca.pem --state meter\n";

struct enrolment {
	struct enrolee_config config;
	struct credentials_place place;
	const char *forget;
	bool json, done;
	int status;
};

static void print(const struct enrolment *e, const struct enrolee_result *r)
{
	uint8_t buffer[1024];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct json_out o = json_out(&w);
	char expires[TIMESTAMP_SIZE];
	struct rd text;

	timestamp_print(expires, r->expires_at * 1000);
	if (!e->json) {
		printf("%s is the key of %s for %s until %s\n", r->identity, e->config.origin, e->config.target, expires);
		return;
	}
	json_object(&o, NULL);
	json_put_string(&o, "identity", r->identity);
	json_put_string(&o, "peer", e->config.target);
	json_put_string(&o, "expires", expires);
	json_close(&o);
	if (wr_done(&w, &text))
		cli_print_json(text);
}

static void on_done(void *ctx, const struct enrolee_result *r)
{
	struct enrolment *e = ctx;

	e->done = true;
	if (r->error == OK)
		print(e, r);
	else if (r->rsc)
		e->status = cli_fail("%s: refused with %u", r->step, r->rsc);
	else
		e->status = cli_fail("%s: %s", r->step, r->detail[0] ? r->detail : err_text(r->error));
}

static int certificate(struct enrolment *e, const char *cert, const char *key, const char *ca)
{
	const struct tls_config c = {.cert = cert, .key = key, .ca = ca};
	char why[TLS_WHY_MAX];

	if (!cert && !key && !ca)
		return CLI_OK;
	if (!cert || !key || !ca)
		return cli_misuse(usage, "--cert, --key and --ca belong together");
	return tls_credentials_new(&c, why, &e->config.tls) == OK ? CLI_OK : cli_fail("%s", why);
}

static bool usage_parse(const char *text, enum suid_usage *out)
{
	static const struct {
		const char *text;
		enum suid_usage usage;
	} known[] = {{"association", SUID_USAGE_SAEF}, {"esprim", SUID_USAGE_ESPRIM}, {"esdata", SUID_USAGE_ESDATA_ENC}, {"esdata-signature", SUID_USAGE_ESDATA_SIG}};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].text, text) == 0) {
			*out = known[i].usage;
			return true;
		}
	return false;
}

static int options(struct enrolment *e, int *argc, char **argv)
{
	struct enrolee_config *c = &e->config;
	const char *sp = cli_option(argc, argv, "--sp"), *lifetime = cli_option(argc, argv, "--lifetime"), *cert = cli_option(argc, argv, "--cert");
	const char *key = cli_option(argc, argv, "--key"), *ca = cli_option(argc, argv, "--ca");
	const char *use = cli_option(argc, argv, "--for");
	uint64_t ms;
	int r;

	c->origin = cli_option(argc, argv, "--id");
	c->target = cli_option(argc, argv, "--target");
	e->forget = cli_option(argc, argv, "--forget");
	c->mef = (struct function_peer){REGISTRY_MEF, cli_option(argc, argv, "--mef"), cli_option(argc, argv, "--mef-id")};
	c->maf = (struct function_peer){REGISTRY_MAF, cli_option(argc, argv, "--maf"), cli_option(argc, argv, "--maf-id")};
	c->sp = sp ? sp : "keyway.example";
	c->admin_fqdn = cli_option(argc, argv, "--admin");
	r = credentials_place_take(&e->place, argc, argv, usage);
	if (r == CLI_OK)
		r = cli_operands(usage, *argc, argv, 0, 0);
	if (r != CLI_OK)
		return r;
	e->json = e->place.json;
	if (!c->origin || !c->target == !e->forget || !c->mef.url || !c->mef.fqdn)
		return cli_misuse(usage, "--id, --target or --forget, --mef and --mef-id are needed");
	if (!c->maf.url != !c->maf.fqdn)
		return cli_misuse(usage, "--maf and --maf-id belong together");
	if (!duration_parse(rd_str(lifetime ? lifetime : "P30D"), &ms) || ms < 1000)
		return cli_misuse(usage, "--lifetime is a duration such as P30D");
	c->lifetime_s = ms / 1000;
	if (use && !usage_parse(use, &c->usage))
		return cli_misuse(usage, "--for is association, esprim, esdata or esdata-signature");
	return certificate(e, cert, key, ca);
}

static void wait_for(struct enrolment *e)
{
	while (!e->done)
		loop_once(e->config.loop, 1000);
}

static void enrol(struct enrolment *e)
{
	struct enrolee *enrolee = enrolee_start(&e->config, on_done, e);

	wait_for(e);
	enrolee_free(enrolee);
}

/* ---- the end of a key ---- */

static void on_forgotten(void *ctx, struct function_result *r)
{
	struct enrolment *e = ctx;

	e->done = true;
	if (r->error != OK && r->rsc != RSC_NOT_FOUND)
		e->status = r->rsc ? cli_fail("de-registration: refused with %u", r->rsc) : cli_fail("de-registration: %s", r->detail);
}

static void forget(struct enrolment *e)
{
	struct function_caller k = {.http = http_client_new(e->config.loop, NULL), .origin = e->config.origin, .tls = e->config.tls};
	struct tls_credentials *own = NULL;
	char relative[FUNCTION_ID_SIZE];
	struct key_id id;

	if (key_id_split(rd_str(e->forget), &id) != OK || !rd_text(id.relative, relative, sizeof relative))
		e->status = cli_fail("`%s` is no key identifier", e->forget);
	else
		k.peer = e->config.maf.fqdn && fqdn_equal(id.fqdn, rd_str(e->config.maf.fqdn)) ? &e->config.maf : &e->config.mef;
	if (k.peer && !(k.peer == &e->config.mef && k.tls)) {
		if (own_credential(e->config.store, k.peer->kind, k.peer->fqdn, &own, NULL) != OK)
			e->status = cli_fail("there is no key for %s", k.peer->fqdn);
		k.tls = own;
	}
	if (e->status == CLI_OK) {
		function_deregister(&k, relative, on_forgotten, e);
		wait_for(e);
	}
	if (e->status == CLI_OK && credentials_remove(e->config.store, e->forget) == ERR_STORE)
		e->status = cli_fail("it could not be removed from the store");
	tls_credentials_free(own);
	http_client_free(k.http);
}

static int run(struct enrolment *e)
{
	int r = credentials_place_open(&e->place, e->config.tls == NULL, false, &e->config.store);

	if (r != CLI_OK)
		return r;
	e->config.loop = loop_new();
	if (e->forget)
		forget(e);
	else
		enrol(e);
	loop_once(e->config.loop, 0);
	credentials_close(e->config.store);
	loop_free(e->config.loop);
	return e->status;
}

int enrol_main(int argc, char **argv)
{
	struct enrolment e = {.status = CLI_OK};
	int r;

	if (cli_flag(&argc, argv, "--help"))
		return cli_help(usage);
	r = options(&e, &argc, argv);
	if (r == CLI_OK)
		r = run(&e);
	tls_credentials_free(e.config.tls);
	return r;
}
