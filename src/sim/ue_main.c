/* `keyway-sim ue`: a device whose only credential is a card: bootstraps, and then registers with a CSE that it never met, over an association with the
 * key that came of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "credentials/credentials.h"
#include "gba/net/naf.h"
#include "gba/net/ue_client.h"
#include "gba/net/usim_file.h"
#include "json/json.h"
#include "loop/log.h"
#include "sim/sim.h"

#define URL_MAX 1024
#define AE_MAX 64

static const char usage[] =
    "usage: keyway-sim ue --usim FILE --bsf URL --name FQDN --ca FILE\n"
    "                     [--naf FQDN [--ua HEX] [--cse URL --as AE-ID [--prefix|--uicc]] [--store FILE --kind KIND --peer NAME]]\n\n"
    "A device with a card in it. Bootstraps over Ub and prints the B-TID, and until when its key lives. With --cse it registers itself there as an AE, over\n"
    "TLS with the key that it shares with this NAF now, retrieves what was made of that, and prints both answers. With --store it puts that key into a\n"
    "store of credentials, for `keyway enrol` (kind km at a MAF, kpm at a MEF) and for the oneM2M verbs of `keyway` (kind kpsa at a CSE).\n\n"
    "  --usim FILE      the card, see `keyway-sim usim`\n"
    "  --bsf URL        of Ub, such as https://127.0.0.1:9449\n"
    "  --name FQDN      of the bootstrapping server, as in its certificate: mef.keyway.example\n"
    "  --ca FILE        PEM, the CA that signed it\n"
    "  --naf FQDN       for whom the key is, such as id-in.keyway.example\n"
    "  --cse URL        the CSEBase, such as https://127.0.0.1:8443/cse-in\n"
    "  --as AE-ID       such as CUe1, as the subscription has it for this NAF\n"
    "  --ua HEX         security protocol identifier (default " NAF_UA_TLS ", TLS with a shared key)\n"
    "  --store FILE     credentials.db; made when there is none\n"
    "  --kind KIND      km, kpm or kpsa\n"
    "  --peer NAME      whom it is shared with, in the words of that store: a MAF's FQDN, a CSE-ID such as /id-in\n"
    "  --prefix         writes the PSK identity as TS 33.222 has it, with `3GPP-bootstrapping;` before the B-TID\n"
    "  --uicc           as something that runs in a GBA_U card itself: Ks_int_NAF, and `3GPP-bootstrapping-uicc;` before the B-TID\n"
    "\nExample:\n"
    "  keyway-sim ue --usim card.json --bsf https://127.0.0.1:9449 --name mef.keyway.example --ca plant/tls/ca.pem\n";

struct device {
	struct loop *loop;
	struct rng rng;
	struct tls_credentials *tls, *psk;
	struct http_client *http;
	const char *card, *naf, *cse, *as, *store, *peer;
	enum credential_kind kind;
	uint8_t ua[UA_ID];
	bool prefix, uicc;
	struct usim usim;
	struct ue ue;
	int status;
};

static void complain(struct device *d, const char *what, const char *about)
{
	fprintf(stderr, "keyway-sim ue: %s: %s\n", about, what);
	d->status = 1;
	loop_stop(d->loop);
}

static enum err on_save(void *ctx, const struct usim *u)
{
	return usim_file_write(((struct device *)ctx)->card, u);
}

static void ask(struct device *d, const char *method, const char *path, struct rd body, http_done *done)
{
	const struct http_header headers[] = {{"X-M2M-Origin", d->as}, {"X-M2M-RI", "ue-1"}, {"X-M2M-RVI", "3"}, {"Accept", "application/json"},
	    {body.left > 0 ? "Content-Type" : NULL, "application/json;ty=2"}, {NULL, NULL}};
	char url[URL_MAX];
	struct http_call_options o = {.method = method, .url = url, .peer = d->naf, .tls = d->psk, .headers = headers, .body = body};

	snprintf(url, sizeof url, "%s%s", d->cse, path);
	http_call(d->http, &o, done, d);
}

/* False: no answer. */
static bool print(struct device *d, const char *what, const struct http_result *r)
{
	if (r->error != OK) {
		complain(d, r->detail ? r->detail : err_text(r->error), d->cse);
		return false;
	}
	printf("%s %u %.*s\n", what, r->status, (int)r->body.left, (const char *)r->body.at);
	fflush(stdout);
	return true;
}

static void on_retrieved(void *ctx, const struct http_result *r)
{
	struct device *d = ctx;

	if (!print(d, "retrieve", r))
		return;
	d->status = r->status == 200 ? 0 : 1;
	loop_stop(d->loop);
}

static void on_registered(void *ctx, const struct http_result *r)
{
	struct device *d = ctx;
	char path[AE_MAX + 2];

	if (!print(d, "register", r))
		return;
	snprintf(path, sizeof path, "/%s", d->as);
	ask(d, "GET", path, rd_of("", 0), on_retrieved);
}

static enum naf_key key_kind(const struct device *d)
{
	return d->uicc ? KS_INT_NAF : d->usim.gba_u ? KS_EXT_NAF : KS_NAF;
}

/* The association with the NAF. */
static void associate(struct device *d)
{
	const struct tls_config empty = {.cert = NULL};
	char identity[sizeof PSK_IDENTITY_PREFIX_UICC + BTID_SIZE], why[TLS_WHY_MAX], text[2 * AE_MAX + 128];
	struct wr w = wr_of(text, sizeof text);
	struct json_out o = json_out(&w);
	struct secret *key = NULL;
	struct rd body;
	enum err e = ue_naf_key(&d->ue, clock_unix_ms() / 1000, key_kind(d), d->naf, d->ua, &key);

	snprintf(identity, sizeof identity, "%s%s", d->uicc ? PSK_IDENTITY_PREFIX_UICC : d->prefix ? PSK_IDENTITY_PREFIX : "", d->ue.info.btid);
	if (e == OK && (e = tls_credentials_new(&empty, why, &d->psk)) == OK)
		e = tls_credentials_psk(d->psk, identity, key);
	secret_free(key);
	if (e != OK) {
		complain(d, err_text(e), d->naf);
		return;
	}
	json_object(&o, NULL);
	json_object(&o, "m2m:ae");
	json_put_string(&o, "rn", d->as);
	json_put_string(&o, "api", "Nue");
	json_put_bool(&o, "rr", false);
	json_array(&o, "srv");
	json_put_string(&o, NULL, "3");
	json_close(&o);
	json_close(&o);
	json_close(&o);
	if (wr_done(&w, &body))
		ask(d, "POST", "", body, on_registered);
}

/* Puts the NAF's key where other programs of this device find it. */
static bool keep(struct device *d)
{
	const struct credentials_options o = {.path = d->store, .rng = &d->rng};
	struct credential c = {.kind = d->kind, .expires_at = d->ue.info.expires_at, .added_at = clock_unix_ms() / 1000};
	struct credentials *store = NULL;
	const char *detail = "the key can't be put into it";
	enum err e = ue_naf_key(&d->ue, c.added_at, key_kind(d), d->naf, d->ua, &c.key);

	if (e == OK && (!rd_text(rd_str(d->ue.info.btid), c.identity, sizeof c.identity) || !rd_text(rd_str(d->peer), c.peer, sizeof c.peer)))
		e = ERR_TOO_LONG;
	if (e == OK)
		e = credentials_open(&o, &store, &detail);
	if (e == OK)
		e = credentials_put(store, &c, false);
	credentials_close(store);
	credential_clear(&c);
	if (e != OK)
		complain(d, detail, d->store);
	return e == OK;
}

static void on_bootstrapped(void *ctx, enum err e, const char *detail)
{
	struct device *d = ctx;

	if (e != OK) {
		complain(d, detail, d->ue.bsf);
		return;
	}
	printf("btid %s\nexpires %llu\n", d->ue.info.btid, (unsigned long long)d->ue.info.expires_at);
	fflush(stdout);
	if (d->store && !keep(d))
		return;
	if (d->cse)
		associate(d);
	else
		loop_stop(d->loop);
}

static bool start(struct device *d, const char *url, const char *name, const char *ca)
{
	const struct tls_config c = {.ca = ca};
	char why[TLS_WHY_MAX];
	enum err e = usim_file_read(d->card, &d->usim);

	if (e != OK) {
		complain(d, e == ERR_NOT_FOUND ? "there is no such file" : "it must be a card's file with mode 0600", d->card);
		return false;
	}
	if (ue_init(&d->ue, &d->usim, name) != OK) {
		complain(d, "is no FQDN", name);
		return false;
	}
	if (tls_credentials_new(&c, why, &d->tls) != OK) {
		complain(d, why, ca);
		return false;
	}
	d->http = http_client_new(d->loop, d->tls);
	if (!ue_client_new(d->http, &d->ue, &d->rng, url, on_save, on_bootstrapped, d)) {
		complain(d, "is too long", url);
		return false;
	}
	return true;
}

static bool kind_of(const char *text, struct device *d)
{
	if (!d->store)
		return !text && !d->peer;
	return text && d->peer && credential_kind_parse(rd_str(text), &d->kind) && (d->kind == KIND_KM || d->kind == KIND_KPSA || d->kind == KIND_KPM);
}

int ue_main(int argc, char **argv)
{
	struct device d = {.rng = rng_system()};
	const char *url, *name, *ca;
	int status = sim_begin(argc, argv, usage, "--usim= --bsf= --name= --ca= --naf= --cse= --as= --ua= --prefix --uicc --store= --kind= --peer=");

	if (status != SIM_GO_ON)
		return status;
	url = sim_option(argc, argv, "--bsf", NULL);
	name = sim_option(argc, argv, "--name", NULL);
	ca = sim_option(argc, argv, "--ca", NULL);
	d.card = sim_option(argc, argv, "--usim", NULL);
	d.naf = sim_option(argc, argv, "--naf", NULL);
	d.cse = sim_option(argc, argv, "--cse", NULL);
	d.as = sim_option(argc, argv, "--as", NULL);
	d.prefix = sim_has(argc, argv, "--prefix");
	d.uicc = sim_has(argc, argv, "--uicc");
	d.store = sim_option(argc, argv, "--store", NULL);
	d.peer = sim_option(argc, argv, "--peer", NULL);
	if (!kind_of(sim_option(argc, argv, "--kind", NULL), &d) || !url || !name || !ca || !d.card || ((d.cse || d.store) && !d.naf) || (d.cse != NULL) != (d.as != NULL) ||
	    (d.as && strlen(d.as) > AE_MAX) || !ua_parse(rd_str(sim_option(argc, argv, "--ua", NAF_UA_TLS)), d.ua)) {
		fputs("keyway-sim ue: --usim, --bsf, --name and --ca are needed, --naf with --cse and --as or with --store, --kind and --peer, --ua has 10 digits; --help tells more\n", stderr);
		return 2;
	}
	log_start("keyway-sim ue", LOG_LEVEL_WARNING);
	d.loop = loop_new();
	if (start(&d, url, name, ca))
		loop_run(d.loop);
	http_client_free(d.http);
	tls_credentials_free(d.psk);
	tls_credentials_free(d.tls);
	ue_clear(&d.ue);
	usim_clear(&d.usim);
	loop_free(d.loop);
	return d.status;
}
