/* A UE on the network. */
#include "gba/net/ue_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define URL_MAX 512
#define DETAIL_MAX 256

struct ue_client {
	struct http_client *http;
	struct http_call *call;
	struct ue *ue;
	struct rng *rng;
	char url[URL_MAX];
	ue_client_save *save;
	ue_client_done *done;
	void *ctx;
};

static void finish(struct ue_client *c, enum err e, const char *detail)
{
	ue_client_done *done = c->done;
	void *ctx = c->ctx;

	free(c);
	done(ctx, e, e == OK ? "" : detail);
}

static void on_answer(void *ctx, const struct http_result *r);

static void get(struct ue_client *c, struct wr *authorization)
{
	char text[DIGEST_HEADER_MAX];
	struct http_header headers[] = {{"Authorization", text}, {"User-Agent", "keyway 3gpp-gba"}, {NULL, NULL}};
	struct http_call_options o = {.method = "GET", .url = c->url, .peer = c->ue->bsf, .headers = headers};
	struct rd done;

	if (!wr_done(authorization, &done) || !rd_text(done, text, sizeof text))
		text[0] = '\0';
	c->call = http_call(c->http, &o, on_answer, c);
}

static const char *why(enum err e)
{
	if (e == ERR_BAD_MIC)
		return "the network does not have the key of this card";
	if (e == ERR_STATE)
		return "the bootstrapping server refuses what the card answers";
	return err_text(e);
}

static void challenged(struct ue_client *c, const struct http_result *r)
{
	const char *challenge = http_result_header(r, "www-authenticate");
	char octets[DIGEST_HEADER_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	enum err e = ERR_MALFORMED;

	if (challenge)
		e = ue_challenged(c->ue, c->rng, "GET", "/", rd_of("", 0), rd_str(challenge), &w);
	if (e == OK)
		e = c->save(c->ctx, c->ue->usim);
	if (e == OK)
		get(c, &w);
	else
		finish(c, e, why(e));
}

static void on_answer(void *ctx, const struct http_result *r)
{
	struct ue_client *c = ctx;
	const char *info;
	char detail[DETAIL_MAX];
	enum err e;

	c->call = NULL;
	if (r->error != OK) {
		snprintf(detail, sizeof detail, "%s", r->detail ? r->detail : err_text(r->error));
		finish(c, r->error, detail);
	} else if (r->status == 401) {
		challenged(c, r);
	} else if (r->status == 200 && (info = http_result_header(r, "authentication-info")) != NULL) {
		e = ue_finish(c->ue, rd_str(info), r->body, clock_unix_ms() / 1000);
		finish(c, e, e == ERR_BAD_MIC ? "the server did not prove that it knew what the card answered" : err_text(e));
	} else {
		snprintf(detail, sizeof detail, "the bootstrapping server answers %u", r->status);
		finish(c, r->status == 403 ? ERR_NOT_PERMITTED : ERR_NOT_READY, detail);
	}
}

struct ue_client *ue_client_new(struct http_client *http, struct ue *ue, struct rng *rng, const char *url, ue_client_save *save, ue_client_done *done, void *ctx)
{
	struct ue_client *c = calloc(1, sizeof *c);
	char octets[DIGEST_HEADER_MAX];
	struct wr w = wr_of(octets, sizeof octets);

	if (!c || snprintf(c->url, sizeof c->url, "%s/", url) >= (int)sizeof c->url) {
		free(c);
		return NULL;
	}
	c->http = http;
	c->ue = ue;
	c->rng = rng;
	c->save = save;
	c->done = done;
	c->ctx = ctx;
	ue_begin(ue, "/", &w);
	get(c, &w);
	return c;
}

void ue_client_free(struct ue_client *c)
{
	if (!c)
		return;
	if (c->call)
		http_call_cancel(c->call);
	free(c);
}
