/* Sealed notifications: the receiver of ESPrim, with the keys that keyway_seal and keyway_agree were given. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "binding/esprim/esprim_binding.h"
#include "binding/esprim/security_info.h"
#include "client/client_private.h"

#define KEYS_MAX 8           /* the oldest makes way */
#define LIFE_MS 3600000      /* of our rand objects */
#define REFRESH_MS (LIFE_MS / 3 * 2)

struct shared_key {
	char kid[KEY_ID_MAX], entity[ENTITY_MAX];
	struct secret *key;
};

struct opening {
	struct esprim_binding *binding;
	struct cse_security security;
	struct rng rng;
	struct shared_key keys[KEYS_MAX];
	size_t count;
	struct loop_timer *refresh;
};

static uint64_t unix_ms(void *ctx)
{
	(void)ctx;
	return clock_unix_ms();
}

static void *find(void *source, const char *identity, psk_done *done, void *ctx)
{
	struct opening *g = source;
	struct psk_answer a = {.key = NULL};

	for (size_t i = g->count; i > 0 && !a.key; i--)
		if (key_id_equal(rd_str(g->keys[i - 1].kid), rd_str(identity), false)) {
			a.key = secret_dup(g->keys[i - 1].key);
			memcpy(a.entity, g->keys[i - 1].entity, sizeof g->keys[i - 1].entity);
		}
	done(ctx, a.key ? &a : NULL);
	return NULL;
}

static void cancel(void *source, void *handle)
{
	(void)source;
	(void)handle;
}

static struct opening *opening_new(struct keyway *k, bool certified)
{
	struct opening *g = calloc(1, sizeof *g);
	struct esprim_binding_config c = {.submit = client_sealed_came, .to = k, .sp = "", .id = k->self, .keys = {find, cancel, g}, .certified = certified,
		.unix_ms = unix_ms, .life_ms = LIFE_MS};

	if (!g)
		abort();
	g->rng = rng_system();
	c.rng = &g->rng;
	if (esprim_binding_new(&c, &g->binding) != OK)
		abort();
	g->security = esprim_binding_security(g->binding);
	return g;
}

void client_open_key(struct keyway *k, const char *entity, const char *kid, const struct secret *key, bool certified)
{
	struct opening *g = k->opening ? k->opening : opening_new(k, certified);
	struct shared_key *s;

	k->opening = g;
	if (g->count == KEYS_MAX) {
		secret_free(g->keys[0].key);
		memmove(&g->keys[0], &g->keys[1], (KEYS_MAX - 1) * sizeof g->keys[0]);
		g->count--;
	}
	s = &g->keys[g->count++];
	snprintf(s->kid, sizeof s->kid, "%s", kid);
	snprintf(s->entity, sizeof s->entity, "%s", entity);
	s->key = secret_dup(key);
	if (!s->key)
		abort();
}

void client_open_free(struct opening *g)
{
	if (!g)
		return;
	loop_timer_free(g->refresh);
	esprim_binding_free(g->binding);
	for (size_t i = 0; i < g->count; i++)
		secret_free(g->keys[i].key);
	free(g);
}

/* ---- what comes ---- */

/* "//sp/id-in" is "/id-in": keys name their CSE so. */
static bool sender_of(struct rd from, char id[static ENTITY_MAX])
{
	struct rd sp;

	if (rd_starts(from, "//") && (!rd_skip(&from, 2) || !rd_until(&from, '/', &sp)))
		return false;
	return (size_t)snprintf(id, ENTITY_MAX, "%s%.*s", from.left > 0 && from.at[0] == '/' ? "" : "/", (int)from.left, (const char *)from.at) < ENTITY_MAX;
}

bool client_opens(struct keyway *k, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct security_info i;
	char from[ENTITY_MAX];

	if (!k->opening || !security_info_read(rq->content, &i))
		return false;
	security_info_clear(&i);
	if (sender_of(rq->from, from))
		k->opening->security.notify(k->opening->security.security, from, rq, done, ctx);
	else
		done(ctx, &(const struct onem2m_response){.rsc = RSC_BAD_REQUEST});
	return true;
}

/* ---- what the AE's resource says ---- */

bool client_open_describe(struct keyway *k, struct wr *w)
{
	return k->opening && k->opening->security.describe(k->opening->security.security, w);
}

static void on_refreshed(void *ctx, const struct keyway_answer *a)
{
	(void)ctx;
	(void)a; /* who finds the object expired asks for one */
}

static void on_refresh(void *ctx)
{
	struct keyway *k = ctx;
	char text[1024], info[768];
	struct wr w = wr_of(info, sizeof info - 1);

	loop_timer_in(k->opening->refresh, REFRESH_MS);
	if (!client_open_describe(k, &w))
		return;
	info[w.len] = '\0';
	snprintf(text, sizeof text, "{\"m2m:ae\":{\"esi\":%s}}", info);
	keyway_send(k, &(const struct keyway_request){.operation = KEYWAY_UPDATE, .to = k->stem, .from = k->stem, .content = text}, on_refreshed, k);
}

void client_open_keep(struct keyway *k)
{
	if (!k->opening || k->opening->refresh)
		return;
	k->opening->refresh = loop_timer_new(k->loop, on_refresh, k);
	loop_timer_in(k->opening->refresh, REFRESH_MS);
}
