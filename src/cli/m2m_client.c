/* A oneM2M client over HTTPS that waits for each answer. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "enrolee/own_credential.h"

#define PATH_MAX_OCTETS 2048

bool m2m_open(struct m2m_client *c, const struct plant *p, const char *cert, const char *key, const char *originator)
{
	memset(c, 0, sizeof *c);
	c->plant = p;
	c->originator = originator ? originator : p->originator;
	if (tls_certificates(p->ca, cert ? cert : p->cert, key ? key : p->key, &c->tls) != OK) {
		cli_fail("the credential %s cannot be used; is its key file %s there, with mode 0600?", cert ? cert : p->cert, key ? key : p->key);
		return false;
	}
	c->loop = loop_new();
	c->http = http_client_new(c->loop, c->tls);
	return true;
}

void m2m_close(struct m2m_client *c)
{
	http_client_free(c->http);
	if (c->loop)
		loop_once(c->loop, 0);
	loop_free(c->loop);
	tls_credentials_free(c->key_tls);
	tls_credentials_free(c->tls);
}

static const struct plant_cse *cse_of(const struct plant *p, const char *target)
{
	for (size_t i = 0; i < p->cse_count; i++) {
		size_t len = strlen(p->cses[i].id);

		if (strncmp(target, p->cses[i].id, len) == 0 && (target[len] == '/' || target[len] == '\0'))
			return &p->cses[i];
	}
	for (size_t i = 0; i < p->cse_count; i++) {
		size_t len = strlen(p->cses[i].name);

		if (strncmp(target, p->cses[i].name, len) == 0 && (target[len] == '/' || target[len] == '\0'))
			return &p->cses[i];
	}
	return &p->cses[0];
}

const char *m2m_target(const struct m2m_client *c, const char *target, const struct plant_cse **cse, char *path, size_t size)
{
	*cse = c->entry ? c->entry : cse_of(c->plant, target);
	if (strncmp(target, "//", 2) == 0)
		snprintf(path, size, "/_/%s", target + 2);
	else if (target[0] == '/')
		snprintf(path, size, "/~%s", target);
	else
		snprintf(path, size, "/%s", target);
	return path;
}

/* What may not stand in a URL as it is: a label with a space in a query, say. '%' stays: the operator may have escaped by hand. */
static void url_escape(const char *text, char *out, size_t size)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = 0;

	for (; *text && n + 4 < size; text++) {
		unsigned char c = (unsigned char)*text;

		if (c > 0x20 && c < 0x7f && !strchr("\"<>#^`{|}\\", c)) {
			out[n++] = (char)c;
		} else {
			out[n++] = '%';
			out[n++] = hex[c >> 4];
			out[n++] = hex[c & 15];
		}
	}
	out[n] = '\0';
}

struct waiting {
	struct m2m_answer *answer;
	bool done;
};

static void on_done(void *ctx, const struct http_result *r)
{
	struct waiting *w = ctx;
	struct m2m_answer *a = w->answer;
	const char *rsc = r->error == OK ? http_result_header(r, "X-M2M-RSC") : NULL;

	w->done = true;
	a->error = r->error;
	a->status = r->status;
	a->rsc = rsc ? atoi(rsc) : 0;
	snprintf(a->detail, sizeof a->detail, "%s", r->error == OK ? "" : r->detail);
	a->body = rd_strdup(r->error == OK ? r->body : rd_of("", 0));
	a->arena = json_arena_new();
	if (!a->body || !a->arena || json_parse(a->arena, rd_str(a->body), NULL, &a->doc) != OK)
		a->doc = NULL;
}

/* The association with this CSE by the key that the store has for it. False after a message. */
static bool key_for(struct m2m_client *c, const struct plant_cse *cse)
{
	struct rng rng = rng_system();
	const struct credentials_options place = {.path = c->credentials, .rng = &rng, .must_exist = true};
	struct credential found = {.key = NULL};
	struct tls_credentials *tls = NULL;
	struct credentials *store;
	const char *detail = "";
	enum err e;

	if (c->keyed == cse)
		return true;
	if (credentials_open(&place, &store, &detail) != OK) {
		cli_fail("%s: %s", c->credentials, detail);
		return false;
	}
	e = credentials_find_peer(store, KIND_KPSA, cse->id, clock_unix_ms() / 1000, &found);
	if (e == OK)
		e = psk_credential(found.identity, found.key, &tls);
	credential_clear(&found);
	credentials_close(store);
	if (e != OK) {
		cli_fail("%s has no key for %s: %s", c->credentials, cse->id, err_text(e));
		return false;
	}
	tls_credentials_free(c->key_tls);
	c->key_tls = tls;
	c->keyed = cse;
	return true;
}

void m2m_call(struct m2m_client *c, const char *method, const char *target, const char *query, int ty, const char *body, struct m2m_answer *a)
{
	char path[PATH_MAX_OCTETS], url[4 * PATH_MAX_OCTETS + 256], escaped[3 * PATH_MAX_OCTETS], id[32], type[64];
	const struct plant_cse *cse;
	const struct http_header headers[] = {
		{"X-M2M-Origin", c->originator},
		{"X-M2M-RI", id},
		{"X-M2M-RVI", "3"},
		{"Accept", "application/json"},
		{body ? "Content-Type" : NULL, type},
		{NULL, NULL},
	};
	struct http_call_options o = {.method = method, .url = url, .headers = headers, .body = rd_str(body ? body : ""), .timeout_ms = 20000};
	struct waiting w = {.answer = a};

	memset(a, 0, sizeof *a);
	m2m_target(c, target, &cse, path, sizeof path);
	o.peer = cse->identity;
	if (c->credentials && !key_for(c, cse)) {
		a->error = ERR_UNKNOWN_KEY;
		snprintf(a->detail, sizeof a->detail, "no key for %s", cse->id);
		return;
	}
	o.tls = c->key_tls;
	snprintf(url, sizeof url, "%s%s%s", path, query && query[0] ? "?" : "", query ? query : "");
	url_escape(url, escaped, sizeof escaped);
	snprintf(url, sizeof url, "%s%s", cse->url, escaped);
	snprintf(id, sizeof id, "cli-%u", ++c->sequence);
	snprintf(type, sizeof type, ty ? "application/json;ty=%d" : "application/json", ty);
	http_call(c->http, &o, on_done, &w);
	while (!w.done)
		loop_once(c->loop, 1000);
}

void m2m_answer_clear(struct m2m_answer *a)
{
	json_arena_free(a->arena);
	free(a->body);
	memset(a, 0, sizeof *a);
}
