/* The BSF on the network. */
#include "gba/net/bsf_server.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "gba/net/naf.h"
#include "gba/net/zh_client.h"
#include "gba/zn.h"
#include "loop/log.h"

#define LINES_A_MINUTE 120

/* A request of Ub that waits for the HSS. */
struct waiting {
	struct waiting *next, **link;
	struct bsf_server *server;
	struct http_exchange *exchange;
	struct bsf_ask ask;
	struct bsf_answer answer;
};

struct bsf_server {
	struct bsf *bsf;
	struct zh_client *zh;
	struct http_server *ub, *zn;
	struct waiting *waiting;
	char fqdn[NAF_FQDN_SIZE];
	uint64_t minute; /* of the log */
	unsigned lines;
	struct rng rng;
};

/* ---- Ub ---- */

/* What anybody can bring about is told LINES_A_MINUTE times; a bootstrapping always. */
static bool is_told(struct bsf_server *s, const struct bsf_answer *a)
{
	uint64_t minute = clock_ms() / 60000;

	if (s->minute != minute) {
		s->minute = minute;
		s->lines = 0;
	}
	return a->status == 200 || s->lines++ < LINES_A_MINUTE;
}

static void ub_answer(struct bsf_server *s, struct http_exchange *x, struct bsf_answer *a)
{
	struct http_header headers[] = {{"Server", "keyway-mef bsf"}, {"Cache-Control", "no-store"}, {NULL, NULL}, {NULL, NULL}, {NULL, NULL}};
	enum log_level level = a->status == 200 || a->status == 401 ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING;
	size_t n = 2;

	if (a->header)
		headers[n++] = (struct http_header){a->header, a->value};
	if (a->status == 200)
		headers[n++] = (struct http_header){"Content-Type", BOOTSTRAPPING_INFO_TYPE};
	if (is_told(s, a))
		log_line(level, a->status == 200 ? "bootstrapped" : a->status == 401 ? "bootstrapping asked for proof"
										     : "bootstrapping refused",
		    "impi=%s status=%u btid=%s reason=\"%s\"", log_quote(rd_str(a->impi)), a->status, a->btid, a->reason);
	http_answer(x, a->status, headers, rd_str(a->body));
}

static void waiting_free(struct waiting *w)
{
	*w->link = w->next;
	if (w->next)
		w->next->link = w->link;
	free(w);
}

static void on_vector(void *ctx, enum err e, struct aka_vector *v, const struct guss *g)
{
	struct waiting *w = ctx;

	bsf_vector(w->server->bsf, clock_unix_ms(), &w->ask, e, v, g, &w->answer);
	ub_answer(w->server, w->exchange, &w->answer);
	waiting_free(w);
}

static void on_ub(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	struct bsf_server *s = ctx;
	const struct bsf_request request = {.method = rq->method, .path = rq->path, .authorization = http_request_header(x, "Authorization"), .body = rq->body};
	struct waiting *w = calloc(1, sizeof *w);

	if (!w) {
		http_answer(x, 503, NULL, rd_of("", 0));
		return;
	}
	w->server = s;
	w->exchange = x;
	w->next = s->waiting;
	w->link = &s->waiting;
	if (w->next)
		w->next->link = &w->next;
	s->waiting = w;
	if (bsf_input(s->bsf, clock_unix_ms(), &request, &w->ask, &w->answer) == BSF_ASK) {
		zh_client_ask(s->zh, &w->ask, on_vector, w);
		return;
	}
	ub_answer(s, x, &w->answer);
	waiting_free(w);
}

/* ---- Zn ---- */

static unsigned zn_status(enum err e)
{
	return e == ERR_NOT_FOUND ? 404 : e == ERR_NOT_PERMITTED ? 403
				      : e == ERR_NO_MEMORY       ? 503
								 : 400;
}

/* The NAF is who its certificate says; of several names the one that an FQDN can be. */
static bool naf_of(const char *peer, char naf[static NAF_FQDN_SIZE])
{
	struct rd rest = rd_str(peer), name;
	bool more = true;

	while (more) {
		more = rd_until(&rest, ' ', &name);
		if (!more)
			name = rd_rest(&rest);
		if (fqdn_normalise(name, naf))
			return true;
	}
	return false;
}

static enum err zn_key(struct bsf_server *s, const struct http_request *rq, const char *naf, struct naf_grant *g)
{
	struct zn_ask ask;
	enum err e = strcmp(rq->method, "POST") == 0 && strcmp(rq->path, "/zn") == 0 ? zn_ask_parse(rq->body, &ask) : ERR_MALFORMED;

	return e == OK ? bsf_naf_key(s->bsf, clock_unix_ms(), naf, rd_str(ask.btid), ask.ua, ask.uicc, g) : e;
}

static void on_zn(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	static const struct http_header headers[] = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}, {NULL, NULL}};
	char naf[NAF_FQDN_SIZE] = "", text[ZN_BODY_MAX];
	struct wr w = wr_of(text, sizeof text);
	struct bsf_server *s = ctx;
	struct naf_grant g;
	struct rd body;
	enum err e = naf_of(rq->peer, naf) ? zn_key(s, rq, naf, &g) : ERR_NOT_PERMITTED;

	log_line(e == OK ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, e == OK ? "key given to a NAF" : "key refused to a NAF", "naf=%s entity=%s reason=%s",
	    log_quote(rd_str(rq->peer)), e == OK ? g.entity : "-", err_name(e));
	if (e != OK) {
		http_answer(x, zn_status(e), NULL, rd_of("", 0));
		return;
	}
	zn_answer_print(&w, &g);
	secret_free(g.key);
	if (wr_done(&w, &body))
		http_answer(x, 200, headers, body);
	else
		http_answer(x, 500, NULL, rd_of("", 0));
	bytes_wipe(text, sizeof text);
}

/* ---- the MEF as NAF ---- */

static void *own_find(void *source, const char *identity, psk_done *done, void *ctx)
{
	struct bsf_server *s = source;
	struct psk_answer a = {.key = NULL};
	struct naf_grant g;
	uint8_t ua[UA_ID];
	bool uicc;
	struct rd btid = btid_of_psk_identity(rd_str(identity), &uicc);
	enum err e = ua_parse(rd_str(NAF_UA_TLS), ua) ? bsf_naf_key(s->bsf, clock_unix_ms(), s->fqdn, btid, ua, uicc, &g) : ERR_BAD_VALUE;

	if (e != OK || !rd_text(rd_str(g.entity), a.entity, sizeof a.entity)) {
		if (e == OK)
			secret_free(g.key);
		done(ctx, NULL);
		return NULL;
	}
	a.key = g.key;
	a.expires_at = g.expires_at;
	done(ctx, &a);
	return NULL;
}

static void own_cancel(void *source, void *handle)
{
	(void)source;
	(void)handle; /* nothing waits */
}

static void on_stands(void *ctx, struct psk_answer *a)
{
	*(bool *)ctx = a != NULL;
	if (a)
		secret_free(a->key);
}

static bool own_stands(void *source, const char *identity, const char *key_name)
{
	bool stands = false;

	(void)key_name; /* of a B-TID there is one */
	(void)own_find(source, identity, on_stands, &stands);
	return stands;
}

struct psk_source bsf_server_psk_source(struct bsf_server *s)
{
	return (struct psk_source){own_find, own_cancel, s, own_stands};
}

/* ---- life ---- */

void bsf_server_free(struct bsf_server *s)
{
	if (!s)
		return;
	zh_client_free(s->zh);
	while (s->waiting)
		waiting_free(s->waiting);
	http_server_free(s->ub);
	http_server_free(s->zn);
	bsf_free(s->bsf);
	free(s);
}

enum err bsf_server_new(struct loop *l, const struct bsf_server_config *c, struct bsf_server **out, const char **which)
{
	struct bsf_server *s = calloc(1, sizeof *s);
	struct bsf_config core = {.lifetime_s = c->lifetime_s, .challenges_per_minute = c->challenges_per_minute};
	enum err e = ERR_NO_MEMORY;

	*which = "memory";
	if (!s)
		return e;
	core.fqdn = s->fqdn;
	s->rng = rng_system();
	core.rng = &s->rng;
	*which = c->fqdn;
	e = fqdn_normalise(rd_str(c->fqdn), s->fqdn) ? OK : ERR_BAD_VALUE;
	if (e == OK)
		e = (s->bsf = bsf_new(&core)) != NULL ? OK : ERR_NO_MEMORY;
	if (e == OK) {
		s->zh = zh_client_new(l, c->zh_socket);
		*which = c->ub_listen;
		e = http_server_new(l, c->ub_listen, c->ub_tls, on_ub, s, &s->ub);
	}
	if (e == OK && c->zn_listen) {
		*which = c->zn_listen;
		e = http_server_new(l, c->zn_listen, c->zn_tls, on_zn, s, &s->zn);
	}
	if (e == OK)
		*out = s;
	else
		bsf_server_free(s);
	return e;
}

uint16_t bsf_server_ub_port(const struct bsf_server *s)
{
	return http_server_port(s->ub);
}

uint16_t bsf_server_zn_port(const struct bsf_server *s)
{
	return s->zn ? http_server_port(s->zn) : 0;
}

struct bsf *bsf_server_core(struct bsf_server *s)
{
	return s->bsf;
}
