/* Exchanges under way, and agreed keys. */
#include "binding/esprim/agreement.h"

#include <stdlib.h>
#include <string.h>

#include "onem2m/identity.h"

#include "keys/secret.h"

struct under_way {
	char from[ENTITY_MAX];
	struct escertke *exchange;
	uint64_t until_ms;
};

struct agreed {
	char kid[KEY_ID_MAX];
	char entity[ENTITY_MAX];
	struct secret *key;
	uint64_t expires_at;
};

struct agreement {
	struct tls_credentials *tls;
	const char *fqdn;
	struct under_way under_way[AGREEMENTS_UNDER_WAY];
	struct agreed *keys[AGREED_KEYS_MAX];
	size_t count;
};

struct agreement *agreement_new(struct tls_credentials *c, const char *fqdn)
{
	struct agreement *g = fqdn_valid(rd_str(fqdn)) ? calloc(1, sizeof *g) : NULL;

	if (g) {
		g->tls = c;
		g->fqdn = fqdn;
	}
	return g;
}

static void drop_key(struct agreement *g, size_t i)
{
	secret_free(g->keys[i]->key);
	free(g->keys[i]);
	g->keys[i] = g->keys[--g->count];
}

static void end(struct under_way *u)
{
	escertke_free(u->exchange);
	*u = (struct under_way){.exchange = NULL};
}

void agreement_free(struct agreement *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < AGREEMENTS_UNDER_WAY; i++)
		end(&g->under_way[i]);
	while (g->count > 0)
		drop_key(g, 0);
	free(g);
}

/* A handshake record with a ClientHello begins anew, whatever was under way. */
static bool begins(struct rd in)
{
	uint8_t type, hello;

	return rd_u8(&in, &type) && rd_skip(&in, 4) && rd_u8(&in, &hello) && type == 22 && hello == 1;
}

static struct under_way *of_from(struct agreement *g, const char *from, uint64_t now_ms)
{
	for (size_t i = 0; i < AGREEMENTS_UNDER_WAY; i++) {
		struct under_way *u = &g->under_way[i];

		if (u->exchange && u->until_ms <= now_ms)
			end(u);
		if (u->exchange && strcmp(u->from, from) == 0)
			return u;
	}
	return NULL;
}

/* A free place, otherwise that of the oldest. */
static struct under_way *place(struct agreement *g)
{
	struct under_way *u = &g->under_way[0];

	for (size_t i = 0; i < AGREEMENTS_UNDER_WAY && u->exchange; i++)
		if (!g->under_way[i].exchange || g->under_way[i].until_ms < u->until_ms)
			u = &g->under_way[i];
	return u;
}

static struct under_way *begin(struct agreement *g, const char *from, uint64_t now_ms)
{
	struct under_way *u = of_from(g, from, now_ms);

	if (!u)
		u = place(g);
	end(u);
	if (!rd_text(rd_str(from), u->from, sizeof u->from))
		return NULL;
	u->exchange = escertke_new(g->tls, true, NULL);
	u->until_ms = now_ms + AGREEMENT_MS;
	return u->exchange ? u : NULL;
}

/* Room for a key of this entity: what expired goes, and its own oldest of too many. */
static bool make_room(struct agreement *g, const char *entity, uint64_t now_s)
{
	size_t own = 0, oldest = 0;

	for (size_t i = g->count; i > 0; i--)
		if (g->keys[i - 1]->expires_at <= now_s)
			drop_key(g, i - 1);
	for (size_t i = 0; i < g->count; i++) {
		if (strcmp(g->keys[i]->entity, entity) != 0)
			continue;
		if (own++ == 0 || g->keys[i]->expires_at < g->keys[oldest]->expires_at)
			oldest = i;
	}
	if (own >= AGREED_PER_ENTITY_MAX)
		drop_key(g, oldest);
	return g->count < AGREED_KEYS_MAX;
}

static enum onem2m_rsc keep(struct agreement *g, const struct escertke *k, uint64_t now_s, char kid[static KEY_ID_MAX])
{
	const struct tls_peer *peer = escertke_peer(k);
	struct agreed *a = calloc(1, sizeof *a);

	if (!a || !rd_text(rd_str(peer->identity), a->entity, sizeof a->entity) || !make_room(g, a->entity, now_s) ||
	    escertke_key(k, rd_str(g->fqdn), a->kid, &a->key) != OK) {
		free(a);
		return RSC_ESPRIM_DECRYPTION_ERROR;
	}
	a->expires_at = now_s + AGREED_S;
	if (peer->expires_at && peer->expires_at < a->expires_at)
		a->expires_at = peer->expires_at;
	memcpy(kid, a->kid, sizeof a->kid);
	g->keys[g->count++] = a;
	return RSC_OK;
}

enum onem2m_rsc agreement_step(struct agreement *g, const char *from, struct rd in, uint64_t now_ms, char kid[static KEY_ID_MAX], struct wr *out)
{
	struct under_way *u = begins(in) ? begin(g, from, now_ms) : of_from(g, from, now_ms);
	enum onem2m_rsc rsc = RSC_OK;
	bool done = false;

	if (!u)
		return RSC_BAD_REQUEST;
	if (escertke_step(u->exchange, in, out, &done) != OK)
		rsc = RSC_ORIGINATOR_NOT_AUTHENTICATED;
	else if (done)
		rsc = keep(g, u->exchange, now_ms / 1000, kid);
	if (done || rsc != RSC_OK)
		end(u);
	return rsc;
}

bool agreement_find(struct agreement *g, const char *kid, uint64_t now_s, psk_done *done, void *ctx)
{
	struct psk_answer a = {.key = NULL};

	for (size_t i = 0; i < g->count; i++) {
		const struct agreed *k = g->keys[i];

		if (!key_id_equal(rd_str(k->kid), rd_str(kid), false) || k->expires_at <= now_s)
			continue;
		a.key = secret_dup(k->key);
		memcpy(a.entity, k->entity, sizeof k->entity);
		a.expires_at = k->expires_at;
		done(ctx, a.key ? &a : NULL);
		return true;
	}
	return false;
}

bool agreement_entity(const char *names, const char *sp, char id[static ENTITY_MAX])
{
	struct rd rest = rd_str(names), one;
	char name[ENTITY_MAX];

	if (names[0] == '/')
		return rd_text(rest, id, ENTITY_MAX);
	while (rest.left > 0) {
		if (!rd_until(&rest, ' ', &one))
			one = rd_rest(&rest);
		if (rd_text(one, name, sizeof name) && identity_to_id(name, sp, id, ENTITY_MAX))
			return true;
	}
	return false;
}

bool agreement_key_for(struct agreement *g, const char *sp, const char *entity, const char *except, uint64_t now_s, char kid[static KEY_ID_MAX],
    struct secret **key)
{
	const struct agreed *best = NULL;
	char id[ENTITY_MAX];

	for (size_t i = 0; i < g->count; i++) {
		const struct agreed *k = g->keys[i];

		if (k->expires_at > now_s && strcmp(k->kid, except) != 0 && agreement_entity(k->entity, sp, id) && strcmp(id, entity) == 0 &&
		    (!best || k->expires_at > best->expires_at))
			best = k;
	}
	*key = best ? secret_dup(best->key) : NULL;
	if (*key)
		memcpy(kid, best->kid, KEY_ID_MAX);
	return *key != NULL;
}
