/* A key that certificates agree on with a CSE, through every CSE on the way: the originator of ESCertKE, TS-0003 clause 8.7. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "binding/esprim/security_info.h"
#include "client/client_private.h"
#include "escertke/escertke.h"
#include "keys/secret.h"

/* One message there, and its answer. False: *a says why. */
static bool carry(struct keyway *k, const char *receiver, struct rd message, struct wr *back, struct keyway_answer *a)
{
	struct wr base64 = wr_new(2 * ESCERTKE_MESSAGE_MAX), content = wr_new(3 * ESCERTKE_MESSAGE_MAX);
	struct security_info i;
	struct rd text;
	char *copy = NULL;
	bool ok = false;

	base64_print(&base64, message);
	if (wr_done(&base64, &text))
		security_info_write(&content, SIT_ESCERTKE, "eckm", text);
	if (wr_done(&content, &text) && (copy = rd_strdup(text)) != NULL &&
	    keyway_call(k, &(const struct keyway_request){.operation = KEYWAY_NOTIFY, .to = receiver, .content = copy}, a) == RSC_OK &&
	    security_info_read(rd_of(a->content, a->content_len), &i)) {
		ok = i.sit == SIT_ESCERTKE && base64_parse(i.eckm, back);
		security_info_clear(&i);
	}
	free(copy);
	wr_free(&base64);
	wr_free(&content);
	return ok;
}

static int agree(struct keyway *k, const struct keyway_agreement *g, struct escertke *e, char *why, size_t size)
{
	struct wr mine = wr_new(ESCERTKE_MESSAGE_MAX), its = wr_new(ESCERTKE_MESSAGE_MAX);
	struct keyway_answer a = {.why = ""};
	struct secret *key = NULL;
	char kid[KEY_ID_MAX];
	bool done = false;
	struct rd in = rd_str(""), out;
	int r = -1;

	for (;;) {
		wr_reset(&mine);
		if (escertke_step(e, in, &mine, &done) != OK) {
			snprintf(why, size, "no key could be agreed on with %s (%s): is its certificate one of `%s`, signed by %s?", g->receiver, escertke_why(e), g->name, g->ca);
			break;
		}
		if (done) {
			r = escertke_key(e, rd_str(g->name), kid, &key) == OK ? client_seal_with(k, g->receiver, kid, key, true, why, size) : -1;
			break;
		}
		wr_reset(&its);
		if (!wr_done(&mine, &out) || !carry(k, g->receiver, out, &its, &a) || !wr_done(&its, &in)) {
			snprintf(why, size, "%s agrees on no key: %.300s", g->receiver, a.why[0] ? a.why : "it answered with something else");
			break;
		}
	}
	secret_free(key);
	wr_free(&mine);
	wr_free(&its);
	return r;
}

int keyway_agree(struct keyway *k, const struct keyway_agreement *g, char *why, size_t why_size)
{
	const struct tls_config c = {.ca = g->ca, .cert = g->cert, .key = g->key};
	char detail[TLS_WHY_MAX];
	struct tls_credentials *tls = NULL;
	struct escertke *e;
	int r = -1;

	if (!g->receiver || g->receiver[0] != '/' || !g->name || !g->ca || !g->cert || !g->key) {
		snprintf(why, why_size, "`receiver`, a CSE-ID such as /id-in, `name`, `ca`, `cert` and `key` are needed");
		return -1;
	}
	if (tls_credentials_new(&c, detail, &tls) != OK) {
		snprintf(why, why_size, "the credential %s cannot be used: %s", g->cert, detail);
		return -1;
	}
	e = escertke_new(tls, false, g->name);
	tls_credentials_free(tls);
	if (e)
		r = agree(k, g, e, why, why_size);
	else
		snprintf(why, why_size, "the certificate %s cannot be used for an agreement", g->cert);
	escertke_free(e);
	return r;
}
