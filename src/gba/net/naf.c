/* The NAF's end of Zn. */
#include "gba/net/naf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "loop/log.h"

#define URL_MAX 512

struct naf {
	struct http_client *http;
	char bsf[NAF_FQDN_SIZE], url[URL_MAX];
	uint8_t ua[UA_ID];
	unsigned at_once, in_second, in_minute;
	uint64_t second, minute;
};

struct search {
	struct naf *naf;
	struct http_call *call;
	psk_done *done;
	void *ctx;
	char btid[BTID_SIZE];
};

static bool within(uint64_t *period, unsigned *count, uint64_t now, unsigned most)
{
	if (*period != now) {
		*period = now;
		*count = 0;
	}
	return (*count)++ < most;
}

static void on_grant(void *ctx, const struct http_result *r)
{
	struct search *s = ctx;
	struct psk_answer a = {.key = NULL};
	struct naf_grant g = {.key = NULL};
	psk_done *done = s->done;
	void *done_ctx = s->ctx;
	enum err e = r->error;

	if (e == OK)
		e = r->status == 200 ? zn_answer_parse(r->body, &g) : r->status == 404 ? ERR_NOT_FOUND
								  : r->status == 403   ? ERR_NOT_PERMITTED
										       : ERR_NOT_READY;
	s->naf->at_once--;
	if (e != OK && within(&s->naf->minute, &s->naf->in_minute, clock_ms() / 60000, NAF_LINES_A_MINUTE))
		log_line(LOG_LEVEL_WARNING, "no key from the bootstrapping server", "btid=%s reason=%s status=%u detail=%s", s->btid, err_name(e), r->status,
		    log_quote(rd_str(r->error != OK && r->detail ? r->detail : "")));
	free(s);
	if (e == OK && !rd_text(rd_str(g.entity), a.entity, sizeof a.entity)) {
		secret_free(g.key);
		e = ERR_TOO_LONG;
	}
	if (e != OK) {
		done(done_ctx, NULL);
		return;
	}
	a.key = g.key;
	a.expires_at = g.expires_at;
	done(done_ctx, &a);
}

static void *naf_find(void *source, const char *identity, psk_done *done, void *ctx)
{
	struct naf *n = source;
	bool uicc;
	struct rd btid = btid_of_psk_identity(rd_str(identity), &uicc), body;
	static const struct http_header headers[] = {{"Content-Type", "application/json"}, {NULL, NULL}};
	struct http_call_options o = {.method = "POST", .url = n->url, .peer = n->bsf, .headers = headers};
	char bsf[NAF_FQDN_SIZE], text[ZN_BODY_MAX];
	struct wr w = wr_of(text, sizeof text);
	uint8_t rand[AKA_RAND];
	struct zn_ask ask;
	struct search *s;

	if (!btid_parse(btid, rand, bsf) || strcmp(bsf, n->bsf) != 0 || !rd_text(btid, ask.btid, sizeof ask.btid) || n->at_once >= NAF_AT_ONCE ||
	    !within(&n->second, &n->in_second, clock_ms() / 1000, NAF_PER_SECOND) || !(s = calloc(1, sizeof *s))) {
		done(ctx, NULL);
		return NULL;
	}
	memcpy(ask.ua, n->ua, UA_ID);
	ask.uicc = uicc;
	zn_ask_print(&w, &ask);
	s->naf = n;
	n->at_once++;
	s->done = done;
	s->ctx = ctx;
	memcpy(s->btid, ask.btid, sizeof s->btid);
	if (wr_done(&w, &body))
		o.body = body;
	s->call = http_call(n->http, &o, on_grant, s);
	return s;
}

static void naf_cancel(void *source, void *handle)
{
	struct search *s = handle;

	(void)source;
	s->naf->at_once--;
	http_call_cancel(s->call);
	free(s);
}

enum err naf_new(struct http_client *http, const struct naf_config *c, struct naf **out)
{
	struct naf *n = calloc(1, sizeof *n);

	if (!n)
		return ERR_NO_MEMORY;
	n->http = http;
	if (!fqdn_normalise(rd_str(c->bsf), n->bsf) || snprintf(n->url, sizeof n->url, "%s/zn", c->url) >= (int)sizeof n->url ||
	    !ua_parse(rd_str(c->ua ? c->ua : NAF_UA_TLS), n->ua)) {
		free(n);
		return ERR_BAD_VALUE;
	}
	*out = n;
	return OK;
}

void naf_free(struct naf *n)
{
	free(n);
}

/* Nothing is kept of those who came: what its bootstrapping gave lasts until its end. */
static bool naf_stands(void *source, const char *identity, const char *key_name)
{
	const struct naf *n = source;
	char bsf[NAF_FQDN_SIZE];
	uint8_t rand[AKA_RAND];
	bool uicc;

	(void)key_name; /* of a B-TID there is one */
	return btid_parse(btid_of_psk_identity(rd_str(identity), &uicc), rand, bsf) && strcmp(bsf, n->bsf) == 0;
}

struct psk_source naf_psk_source(struct naf *n)
{
	return (struct psk_source){naf_find, naf_cancel, n, naf_stands};
}
