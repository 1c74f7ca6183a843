/* Keys that end before their time. */
#include "enrolee/key_watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "enrolee/own_credential.h"
#include "loop/log.h"
#include "security/credential.h"

#define KEYS_MOST 100000 /* in one round; more wait for the next one */

struct name {
	char identity[CREDENTIAL_IDENTITY_MAX];
};

struct names {
	struct name *all;
	size_t count, room;
};

struct key_watch {
	struct key_fetcher_config config;
	uint64_t recheck_ms, recheck_at;
	void (*changed)(void *ctx);
	void *ctx;
	struct http_client *http;
	struct loop_timer *timer;
	struct function_call *call;
	struct tls_credentials *own[KEY_FETCHER_FUNCTIONS]; /* Kpm or Km towards each, for a round: its questions share a connection */
	struct names names;  /* of the round that is under way */
	size_t at;
};

static void next(struct key_watch *w);

/* ---- names ---- */

static void names_add(struct names *n, const char *identity)
{
	if (n->count == KEYS_MOST)
		return;
	if (n->count == n->room) {
		n->room = n->room ? n->room * 2 : 16;
		n->all = realloc(n->all, n->room * sizeof *n->all);
		if (!n->all)
			abort();
	}
	memcpy(n->all[n->count++].identity, identity, CREDENTIAL_IDENTITY_MAX);
}

static void names_clear(struct names *n)
{
	free(n->all);
	*n = (struct names){.all = NULL};
}

static const struct key_fetcher_function *function_of(const struct key_watch *w, struct rd fqdn)
{
	for (size_t i = 0; i < w->config.function_count; i++)
		if (fqdn_equal(fqdn, rd_str(w->config.functions[i].peer.fqdn)))
			return &w->config.functions[i];
	return NULL;
}

/* Its name says where it is from, and so does whom we have it of: a key that we registered there ourselves is shared with somebody else. */
static bool is_fetched(const struct key_watch *w, const struct credential *c)
{
	const struct key_fetcher_function *f;
	struct key_id id;

	if (key_id_split(rd_str(c->identity), &id) != OK || !fqdn_equal(id.fqdn, rd_str(c->peer)))
		return false;
	f = function_of(w, id.fqdn);
	return f && c->suid < 64 && (f->suids & KEY_FETCHER_SUID(c->suid));
}

static void on_row(void *ctx, const struct credential *c)
{
	struct key_watch *w = ctx;

	if (is_fetched(w, c) && !credential_expired(c, clock_unix_ms() / 1000))
		names_add(&w->names, c->identity);
}

/* ---- the end of a key ---- */

static void on_any(void *ctx, const struct credential *c)
{
	names_add(ctx, c->identity);
}

/* Under whatever names it is here: a MAF gives its clients' keys from the MEF names of its own. */
static void forget(struct key_watch *w, const struct secret *key)
{
	struct credentials *store = w->config.store;
	struct names all = {.all = NULL};

	if (credentials_each(store, on_any, &all) != OK)
		log_line(LOG_LEVEL_ERROR, "the store of credentials can't be read to its end", NULL);
	for (size_t i = 0; i < all.count; i++) {
		struct credential c = {.key = NULL};
		bool same = credentials_find(store, all.all[i].identity, &c) == OK && secret_equal(c.key, key);

		credential_clear(&c);
		if (same && credentials_remove(store, all.all[i].identity) != OK)
			log_line(LOG_LEVEL_ERROR, "a key that has ended can't be removed", "credential=%s", log_quote(rd_str(all.all[i].identity)));
	}
	names_clear(&all);
}

static void tell(struct key_watch *w)
{
	if (w->changed)
		w->changed(w->ctx);
}

static void ended(struct key_watch *w, const struct function_result *r)
{
	const char *identity = w->names.all[w->at].identity;
	struct credential c = {.key = NULL};

	if (credentials_find(w->config.store, identity, &c) == OK) {
		log_line(LOG_LEVEL_NOTICE, "key ended before its time", "credential=%s peer=%s rsc=%u", log_quote(rd_str(identity)), log_quote(rd_str(c.peer)), r->rsc);
		forget(w, c.key);
		tell(w);
	}
	credential_clear(&c);
}

/* Its source has prolonged or shortened it. */
static void note_end(struct key_watch *w, uint64_t expires_at)
{
	struct credential c = {.key = NULL};

	if (credentials_find(w->config.store, w->names.all[w->at].identity, &c) == OK && c.expires_at != expires_at) {
		c.expires_at = expires_at;
		if (credentials_put(w->config.store, &c, false) != OK)
			log_line(LOG_LEVEL_ERROR, "the new end of a key can't be kept", "credential=%s", log_quote(rd_str(c.identity)));
	}
	credential_clear(&c);
}

/* ---- a round ---- */

static void round_end(struct key_watch *w)
{
	for (size_t i = 0; i < KEY_FETCHER_FUNCTIONS; i++) {
		tls_credentials_free(w->own[i]);
		w->own[i] = NULL;
	}
	names_clear(&w->names);
	w->at = 0;
	w->recheck_at = clock_ms() + w->recheck_ms;
}

static void on_answer(void *ctx, struct function_result *r)
{
	struct key_watch *w = ctx;

	w->call = NULL;
	if (r->error == OK) {
		note_end(w, r->answer.expires_at);
	} else if (r->error == ERR_NOT_PERMITTED && (r->rsc == RSC_NOT_FOUND || r->rsc == RSC_ORIGINATOR_HAS_NO_PRIVILEGE)) {
		ended(w, r);
	} else {
		round_end(w); /* it is away, or busy: later */
		return;
	}
	w->at++;
	next(w);
}

static bool ask(struct key_watch *w, const char *identity)
{
	struct function_caller k = {.http = w->http, .origin = w->config.origin, .tls = w->config.tls};
	const struct key_fetcher_function *f;
	struct tls_credentials **own;
	char relative[FUNCTION_ID_SIZE];
	struct key_id id;

	if (key_id_split(rd_str(identity), &id) != OK || !rd_text(id.relative, relative, sizeof relative))
		return false;
	f = function_of(w, id.fqdn);
	if (!f)
		return false;
	own = &w->own[f - w->config.functions];
	if (!k.tls && !*own && own_credential(w->config.store, f->peer.kind, f->peer.fqdn, own, NULL) != OK)
		return false;
	k.peer = &f->peer;
	if (!k.tls)
		k.tls = *own;
	w->call = function_key_stands(&k, relative, on_answer, w);
	return true;
}

static void next(struct key_watch *w)
{
	while (w->at < w->names.count && !ask(w, w->names.all[w->at].identity))
		w->at++;
	if (w->at == w->names.count)
		round_end(w);
}

static void on_time(void *ctx)
{
	struct key_watch *w = ctx;

	loop_timer_in(w->timer, KEY_WATCH_MS);
	if (credentials_changed(w->config.store))
		tell(w);
	if (w->recheck_ms == 0 || w->call || clock_ms() < w->recheck_at)
		return;
	if (credentials_each(w->config.store, on_row, w) != OK)
		log_line(LOG_LEVEL_ERROR, "the store of credentials can't be read to its end", NULL);
	next(w);
}

struct key_watch *key_watch_new(const struct key_fetcher_config *c, uint64_t recheck_s, void (*changed)(void *ctx), void *ctx)
{
	struct key_watch *w = calloc(1, sizeof *w);

	if (!w)
		abort();
	w->config = *c;
	w->recheck_ms = c->function_count > 0 ? recheck_s * 1000 : 0;
	w->recheck_at = clock_ms() + w->recheck_ms;
	w->changed = changed;
	w->ctx = ctx;
	w->http = http_client_new(c->loop, c->tls);
	w->timer = loop_timer_new(c->loop, on_time, w);
	(void)credentials_changed(c->store); /* from now on */
	loop_timer_in(w->timer, KEY_WATCH_MS);
	return w;
}

void key_watch_free(struct key_watch *w)
{
	if (!w)
		return;
	if (w->call)
		function_call_cancel(w->call);
	round_end(w);
	loop_timer_free(w->timer);
	http_client_free(w->http);
	free(w);
}
