/* Fetched keys. */
#include "enrolee/key_fetcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "enrolee/credentials_psk.h"
#include "enrolee/own_credential.h"
#include "key_registry/client_id.h"
#include "loop/log.h"

struct waiter {
	struct waiter *next;
	struct fetch *fetch;
	psk_done *done;
	void *ctx;
};

struct fetch {
	struct fetch *next;
	struct key_fetcher *fetcher;
	const struct key_fetcher_function *function;
	char identity[KEY_ID_MAX];
	struct function_call *call;
	struct waiter *waiters;
};

struct key_fetcher {
	struct key_fetcher_config config;
	struct http_client *http;
	struct fetch *fetches;
	size_t fetch_count;
	struct {
		char identity[KEY_ID_MAX];
		uint64_t until;
	} refused[KEY_FETCHER_REFUSED];
	size_t refused_next;
	uint64_t second; /* in which `asked` were asked */
	unsigned asked;
};

/* ---- what is remembered ---- */

static bool was_refused(const struct key_fetcher *f, const char *identity, uint64_t now)
{
	for (size_t i = 0; i < KEY_FETCHER_REFUSED; i++)
		if (f->refused[i].until > now && strcasecmp(f->refused[i].identity, identity) == 0)
			return true;
	return false;
}

static void remember_refused(struct key_fetcher *f, const char *identity)
{
	snprintf(f->refused[f->refused_next].identity, KEY_ID_MAX, "%s", identity);
	f->refused[f->refused_next].until = clock_ms() + KEY_FETCHER_REFUSED_MS;
	f->refused_next = (f->refused_next + 1) % KEY_FETCHER_REFUSED;
}

static bool may_ask(struct key_fetcher *f)
{
	uint64_t second = clock_ms() / 1000;

	if (second != f->second) {
		if (f->asked > KEY_FETCHER_PER_SECOND)
			log_line(LOG_LEVEL_WARNING, "too many unknown keys asked for; some were refused", "count=%u", f->asked - KEY_FETCHER_PER_SECOND);
		f->second = second;
		f->asked = 0;
	}
	return f->fetch_count < KEY_FETCHER_AT_ONCE && ++f->asked <= KEY_FETCHER_PER_SECOND;
}

/* ---- answers ---- */

static void fetch_unlink(struct fetch *q)
{
	struct fetch **link = &q->fetcher->fetches;

	while (*link != q)
		link = &(*link)->next;
	*link = q->next;
	q->fetcher->fetch_count--;
}

/* A waiter may cancel others from its callback: each is taken off the list before. */
static void tell(struct fetch *q, const struct credential *c)
{
	struct waiter *w;

	while ((w = q->waiters) != NULL) {
		struct credential copy;
		struct psk_answer a;

		q->waiters = w->next;
		if (c) {
			copy = *c;
			copy.key = secret_dup(c->key);
		}
		w->done(w->ctx, c && copy.key && credentials_psk_answer(&copy, q->fetcher->config.sp, &a) ? &a : NULL);
		if (c)
			credential_clear(&copy);
		free(w);
	}
}

/* What the answer must be before it is a credential. A reason when it isn't. */
static const char *fault(const struct fetch *q, const struct function_answer *a, uint64_t now_s)
{
	char id[ENTITY_MAX];
	struct key_id key_id;

	if (!(q->function->suids & KEY_FETCHER_SUID(a->suid)))
		return "its key is for another usage";
	if (a->expires_at <= now_s)
		return "its key has expired";
	if (key_id_split(rd_str(q->identity), &key_id) != OK || key_id.relative.left != strlen(a->id) ||
	    strncasecmp((const char *)key_id.relative.at, a->id, key_id.relative.left) != 0)
		return "it answered with another key";
	return client_id_of(rd_str(a->source), q->fetcher->config.sp, id) ? NULL : "its Source Client ID is no ID";
}

static void keep(struct fetch *q, struct function_answer *a, struct credential *c)
{
	enum err e;

	*c = (struct credential){.kind = credential_kind_of(a->suid), .suid = (unsigned)a->suid, .expires_at = a->expires_at,
		.added_at = clock_unix_ms() / 1000, .key = a->key};
	a->key = NULL;
	snprintf(c->identity, sizeof c->identity, "%s", q->identity);
	snprintf(c->entity, sizeof c->entity, "%s", a->source);
	snprintf(c->peer, sizeof c->peer, "%s", q->function->peer.fqdn);
	e = credentials_put(q->fetcher->config.store, c, false);
	if (e != OK) /* it serves this association, and is asked for again */
		log_line(LOG_LEVEL_ERROR, "a fetched key can't be kept", "credential=%s error=%s", c->identity, err_name(e));
}

static void on_key(void *ctx, struct function_result *r)
{
	struct fetch *q = ctx;
	const char *why = r->error != OK ? r->detail : fault(q, &r->answer, clock_unix_ms() / 1000);
	struct credential c = {.key = NULL};

	fetch_unlink(q);
	if (why) {
		log_line(LOG_LEVEL_WARNING, "key not to be had", "credential=%s from=%s rsc=%u reason=\"%s\"", log_quote(rd_str(q->identity)), q->function->peer.fqdn,
		    r->rsc, why);
		remember_refused(q->fetcher, q->identity);
		tell(q, NULL);
	} else {
		keep(q, &r->answer, &c);
		log_line(LOG_LEVEL_INFO, "key fetched", "credential=%s from=%s entity=%s", log_quote(rd_str(c.identity)), q->function->peer.fqdn,
		    log_quote(rd_str(c.entity)));
		tell(q, &c);
		credential_clear(&c);
	}
	free(q);
}

/* ---- questions ---- */

static const struct key_fetcher_function *function_of(const struct key_fetcher *f, struct rd fqdn)
{
	for (size_t i = 0; i < f->config.function_count; i++)
		if (fqdn_equal(fqdn, rd_str(f->config.functions[i].peer.fqdn)))
			return &f->config.functions[i];
	return NULL;
}

static bool start(struct key_fetcher *f, struct fetch *q, struct rd relative)
{
	struct function_caller k = {.http = f->http, .peer = &q->function->peer, .origin = f->config.origin, .tls = f->config.tls};
	struct tls_credentials *own = NULL;
	char id[FUNCTION_ID_SIZE];

	if (!rd_text(relative, id, sizeof id))
		return false;
	if (!k.tls) {
		if (own_credential(f->config.store, q->function->peer.kind, q->function->peer.fqdn, &own, NULL) != OK) {
			log_line(LOG_LEVEL_ERROR, "there is no credential for a function", "function=%s", q->function->peer.fqdn);
			return false;
		}
		k.tls = own;
	}
	q->call = function_key_retrieve(&k, id, on_key, q);
	tls_credentials_free(own);
	return true;
}

static struct fetch *fetch_of(struct key_fetcher *f, const char *identity)
{
	uint8_t octets[KEY_ID_RELATIVE_OCTETS];
	struct fetch *q = f->fetches;
	struct key_id id;

	while (q && strcasecmp(q->identity, identity) != 0)
		q = q->next;
	if (q || key_id_split(rd_str(identity), &id) != OK || !key_id_octets(&id, octets) || !function_of(f, id.fqdn) || was_refused(f, identity, clock_ms()) ||
	    !may_ask(f))
		return q;
	q = calloc(1, sizeof *q);
	if (!q)
		return NULL;
	q->fetcher = f;
	q->function = function_of(f, id.fqdn);
	snprintf(q->identity, sizeof q->identity, "%s", identity);
	if (!start(f, q, id.relative)) {
		free(q);
		return NULL;
	}
	q->next = f->fetches;
	f->fetches = q;
	f->fetch_count++;
	return q;
}

static void *find(void *source, const char *identity, psk_done *done, void *ctx)
{
	struct fetch *q = fetch_of(source, identity);
	struct waiter *w = q ? calloc(1, sizeof *w) : NULL;

	if (!w) {
		done(ctx, NULL);
		return NULL;
	}
	w->fetch = q;
	w->done = done;
	w->ctx = ctx;
	w->next = q->waiters;
	q->waiters = w;
	return w;
}

/* The question goes on: somebody else may come with the same identity. */
static void cancel(void *source, void *handle)
{
	struct waiter *w = handle, **link = &w->fetch->waiters;

	(void)source;
	while (*link && *link != w)
		link = &(*link)->next;
	if (*link)
		*link = w->next;
	free(w);
}

/* What it fetched is in the store, which is asked. */
static bool stands(void *source, const char *identity, const char *key_name)
{
	(void)source;
	(void)identity;
	(void)key_name;
	return false;
}

struct psk_source key_fetcher_source(struct key_fetcher *f)
{
	const struct psk_source s = {find, cancel, f, stands};

	return s;
}

struct key_fetcher *key_fetcher_new(const struct key_fetcher_config *c)
{
	struct key_fetcher *f = calloc(1, sizeof *f);

	if (!f)
		abort();
	f->config = *c;
	f->http = http_client_new(c->loop, c->tls);
	return f;
}

void key_fetcher_free(struct key_fetcher *f)
{
	if (!f)
		return;
	while (f->fetches) {
		struct fetch *q = f->fetches;

		f->fetches = q->next;
		function_call_cancel(q->call);
		while (q->waiters) {
			struct waiter *w = q->waiters;

			q->waiters = w->next;
			free(w);
		}
		free(q);
	}
	http_client_free(f->http);
	free(f);
}
