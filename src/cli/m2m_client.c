/* oneM2M for the subcommands: which CSE a target is at, as whom it is asked, by libkeyway-client. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "client/client_inside.h"
#include "enrolee/own_credential.h"

#define ADDRESS_SIZE 2048

void m2m_words_take(struct m2m_words *w, int *argc, char **argv)
{
	const struct {
		const char *name, **value;
	} options[] = {
		{"--from", &w->from}, {"--via", &w->via}, {"--ca", &w->ca}, {"--cert", &w->cert}, {"--key", &w->key}, {"--psk-identity", &w->psk_identity},
		{"--psk-file", &w->psk_file}, {"--server", &w->server}, {"--cse", &w->cse}, {"--serialization", &w->serialization}, {"--credentials", &w->credentials},
		{"--esprim", &w->esprim}, {"--esprim-name", &w->esprim_name},
	};

	memset(w, 0, sizeof *w);
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
		*options[i].value = cli_option(argc, argv, options[i].name);
}

bool m2m_plant(const char *dir, const char *target, struct plant *p, const struct plant **out)
{
	*out = NULL;
	if (strstr(target, "://") && !dir && !getenv("KEYWAY_PLANT") && access("plant/plant.json", R_OK) != 0)
		return true;
	*out = p;
	return plant_open(dir, p);
}

static bool serialization_parse(const char *name, enum keyway_serialization *s)
{
	static const char *const names[] = {[KEYWAY_JSON] = "json", [KEYWAY_XML] = "xml", [KEYWAY_CBOR] = "cbor"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(name, names[i]) == 0) {
			*s = (enum keyway_serialization)i;
			return true;
		}
	}
	return false;
}

bool m2m_open(struct m2m_client *c, const struct plant *p, const struct m2m_words *words)
{
	memset(c, 0, sizeof *c);
	c->plant = p;
	if (words)
		c->words = *words;
	if (c->words.serialization && !serialization_parse(c->words.serialization, &c->serialization)) {
		cli_fail("--serialization is json, xml or cbor, not `%s`", c->words.serialization);
		return false;
	}
	if (!c->words.cert != !c->words.key) {
		cli_fail("--cert and --key belong together");
		return false;
	}
	if (c->words.esprim_name && !c->words.esprim) {
		cli_fail("--esprim-name goes with --esprim");
		return false;
	}
	if (c->words.esprim && !c->words.esprim_name && !c->words.credentials) {
		cli_fail("--esprim: with which key? --credentials FILE, or --esprim-name NAME for one that certificates agree on");
		return false;
	}
	for (size_t i = 0; c->words.via && p && i < p->cse_count; i++)
		if (strcmp(p->cses[i].id, c->words.via) == 0)
			c->entry = &p->cses[i];
	if (c->words.via && !c->entry) {
		cli_fail("the plant has no CSE `%s`", c->words.via);
		return false;
	}
	return true;
}

void m2m_close(struct m2m_client *c)
{
	for (size_t i = 0; i < c->connection_count; i++)
		keyway_close(c->connections[i].client);
	c->connection_count = 0;
}

/* ---- where a target is ---- */

static bool begins(const char *to, const char *name)
{
	size_t n = strlen(name);

	return strncmp(to, name, n) == 0 && (to[n] == '/' || to[n] == '\0');
}

static const struct plant_cse *cse_of(const struct plant *p, const char *to)
{
	for (size_t i = 0; p && i < p->cse_count; i++)
		if (begins(to, p->cses[i].id) || begins(to, p->cses[i].name))
			return &p->cses[i];
	return NULL;
}

/* "ws://host:port/~/id-in/x" is "ws://host:port" and "/id-in/x"; "_" is an absolute address, as in HTTP. */
static bool split_url(const char *target, char *url, size_t url_size, char *to, size_t size)
{
	const char *host = strstr(target, "://") + 3, *path = host + strcspn(host, "/");

	if ((size_t)snprintf(url, url_size, "%.*s", (int)(path - target), target) >= url_size)
		return false;
	if (strncmp(path, "/~/", 3) == 0)
		path += 2;
	else if (strncmp(path, "/_/", 3) == 0)
		return (size_t)snprintf(to, size, "//%s", path + 3) < size;
	else if (path[0] == '/')
		path++;
	return (size_t)snprintf(to, size, "%s", path[0] ? path : "-") < size;
}

/* The plant's point of access that is the same one by another binding, or the plant's CSE that the address names. */
static const struct plant_cse *cse_at(const struct plant *p, const char *url, const char *to)
{
	const char *host = strstr(url, "://");

	for (size_t i = 0; p && i < p->cse_count; i++)
		if (strcmp(strstr(p->cses[i].url, "://"), host) == 0)
			return &p->cses[i];
	return cse_of(p, to);
}

/* The CSE-ID in an SP-relative address: "/id-in" of "/id-in/cse-in/a". */
static const char *id_in(const char *to, char *id, size_t size)
{
	if (to[0] != '/' || to[1] == '/')
		return NULL;
	snprintf(id, size, "/%.*s", (int)strcspn(to + 1, "/"), to + 1);
	return id;
}

/* The key that the store has for a CSE. False: c->why. */
static bool stored_key(struct m2m_client *c, enum credential_kind kind, const char *cse, struct credential *found)
{
	struct rng rng = rng_system();
	const struct credentials_options place = {.path = c->words.credentials, .rng = &rng, .must_exist = true};
	struct credentials *store;
	const char *detail = "";
	enum err e;

	if (credentials_open(&place, &store, &detail) != OK) {
		snprintf(c->why, sizeof c->why, "%s: %s", c->words.credentials, detail);
		return false;
	}
	*found = (struct credential){.key = NULL};
	e = credentials_find_peer(store, kind, cse, clock_unix_ms() / 1000, found);
	credentials_close(store);
	if (e != OK)
		snprintf(c->why, sizeof c->why, "%s has no key for %s: %s", c->words.credentials, cse, err_text(e));
	return e == OK;
}

/* The association with this CSE by the key that the store has for it. NULL: c->why. */
static struct tls_credentials *key_for(struct m2m_client *c, const char *cse)
{
	struct tls_credentials *tls = NULL;
	struct credential found;

	if (!stored_key(c, KIND_KPSA, cse, &found))
		return NULL;
	if (psk_credential(found.identity, found.key, &tls) != OK)
		snprintf(c->why, sizeof c->why, "the key %s cannot be used", found.identity);
	credential_clear(&found);
	return tls;
}

/* End to end, with the CSE of --esprim. */
static bool seal(struct m2m_client *c, struct keyway *k)
{
	const struct m2m_words *w = &c->words;
	const struct plant *p = c->plant;
	const struct keyway_agreement g = {.receiver = w->esprim, .name = w->esprim_name, .ca = w->ca ? w->ca : p ? p->ca : NULL,
		.cert = w->cert ? w->cert : p ? p->cert : NULL, .key = w->key ? w->key : p ? p->key : NULL};
	struct credential found;
	bool ok;

	if (g.name)
		return keyway_agree(k, &g, c->why, sizeof c->why) == 0;
	if (!stored_key(c, KIND_ESPRIM, w->esprim, &found))
		return false;
	ok = client_seal_with(k, w->esprim, found.identity, found.key, false, c->why, sizeof c->why) == 0;
	credential_clear(&found);
	return ok;
}

static bool is_secure(const char *url)
{
	const char *colon = strchr(url, ':');

	return colon > url && colon[-1] == 's' && !begins(url, "ws:");
}

/* Whom it is asked as, and by which credential: of the store, of the command line, or the operator's. */
static struct keyway *open_client(struct m2m_client *c, const char *url, const struct plant_cse *cse, const char *to)
{
	const struct m2m_words *w = &c->words;
	const struct plant *p = c->plant;
	const char *from = w->from ? w->from : p ? p->originator : "CAdmin";
	char id[128];
	struct keyway_options o = {
		.url = url,
		.from = from,
		.cse = w->cse ? w->cse : cse ? cse->id : id_in(w->esprim ? from : to, id, sizeof id),
		.server = w->server ? w->server : cse ? cse->identity : NULL,
		.ca = w->ca,
		.cert = w->cert,
		.key = w->key,
		.psk_identity = w->psk_identity,
		.psk_file = w->psk_file,
		.serialization = c->serialization,
		.sealed_only = w->esprim != NULL,
	};
	struct tls_credentials *tls = w->credentials && is_secure(url) ? key_for(c, o.cse ? o.cse : "") : NULL;

	/* A store that has only the key to seal with: the association has a certificate then. */
	if (w->credentials && is_secure(url) && !tls && !w->esprim)
		return NULL;
	if (tls)
		return client_open_with(&o, tls, c->why, sizeof c->why);
	if (p && is_secure(url) && !w->psk_file) {
		o.ca = o.ca ? o.ca : p->ca;
		o.cert = o.cert ? o.cert : p->cert;
		o.key = o.key ? o.key : p->key;
	}
	return keyway_open(&o, c->why, sizeof c->why);
}

static struct keyway *open_connection(struct m2m_client *c, const char *url, const struct plant_cse *cse, const char *to)
{
	struct m2m_connection *n = &c->connections[c->connection_count];

	if (c->connection_count == M2M_CONNECTIONS) {
		snprintf(c->why, sizeof c->why, "too many CSEs at once");
		return NULL;
	}
	n->client = open_client(c, url, cse, to);
	if (n->client && c->words.esprim && !seal(c, n->client)) {
		keyway_close(n->client);
		n->client = NULL;
	}
	if (n->client) {
		snprintf(n->url, sizeof n->url, "%s", url);
		c->connection_count++;
	}
	return n->client;
}

struct keyway *m2m_connection(struct m2m_client *c, const char *target, char *to, size_t size)
{
	const struct plant_cse *cse;
	char url[sizeof c->connections[0].url];

	if (strstr(target, "://")) {
		if (!split_url(target, url, sizeof url, to, size)) {
			snprintf(c->why, sizeof c->why, "`%.40s...` is too long", target);
			return NULL;
		}
		cse = cse_at(c->plant, url, to);
	} else if (c->plant) {
		cse = c->entry ? c->entry : cse_of(c->plant, target);
		if (!cse)
			cse = &c->plant->cses[0];
		snprintf(url, sizeof url, "%s", cse->url);
		snprintf(to, size, "%s", target);
	} else {
		snprintf(c->why, sizeof c->why, "`%s` is in no plant: name one with --plant DIR, or give a URL such as http://127.0.0.1:8080/cse-in", target);
		return NULL;
	}
	for (size_t i = 0; i < c->connection_count; i++)
		if (strcmp(c->connections[i].url, url) == 0)
			return c->connections[i].client;
	return open_connection(c, url, cse, to);
}

/* ---- one request ---- */

int m2m_ask(struct m2m_client *c, struct keyway *k, const struct keyway_request *rq, struct keyway_answer *a)
{
	return c->words.esprim ? keyway_call_sealed(k, rq, a) : keyway_call(k, rq, a);
}

void m2m_call(struct m2m_client *c, enum keyway_operation operation, const char *target, const char *query, int ty, const char *body, struct m2m_answer *a)
{
	char to[ADDRESS_SIZE];
	struct keyway_answer got = {.content = "", .why = c->why};
	struct keyway *k = m2m_connection(c, target, to, sizeof to);

	memset(a, 0, sizeof *a);
	if (k)
		m2m_ask(c, k, &(const struct keyway_request){.operation = operation, .to = to, .query = query, .type = ty, .content = body}, &got);
	a->rsc = got.rsc;
	a->ok = got.rsc > 0 && got.rsc < 4000;
	snprintf(a->detail, sizeof a->detail, "%s", got.why);
	a->body = strdup(got.content);
	a->arena = json_arena_new();
	if (!a->body || !a->arena || json_parse(a->arena, rd_str(a->body), NULL, &a->doc) != OK)
		a->doc = NULL;
}

void m2m_answer_clear(struct m2m_answer *a)
{
	json_arena_free(a->arena);
	free(a->body);
	memset(a, 0, sizeof *a);
}
