/* Credentials as keys of PSK identities. */
#include "enrolee/credentials_psk.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "key_registry/client_id.h"
#include "keys/sealed.h"
#include "loop/log.h"

/* Several names joined by blanks, each as certificates write it. */
static bool entities(const char *from, const char *sp, char to[static ENTITY_MAX])
{
	struct rd rest = rd_str(from), name;
	char id[ENTITY_MAX], entity[ENTITY_MAX];
	size_t n = 0;

	to[0] = '\0';
	while (rest.left > 0) {
		if (!rd_until(&rest, ' ', &name))
			name = rd_rest(&rest);
		if (name.left == 0)
			continue;
		if (!client_id_of(name, sp, id) || !client_id_entity(id, sp, entity) || n + strlen(entity) + 2 > ENTITY_MAX)
			return false;
		n += (size_t)snprintf(to + n, ENTITY_MAX - n, "%s%s", n ? " " : "", entity);
	}
	return true;
}

static enum credential_type type_of(enum credential_kind kind)
{
	return kind == KIND_KPM ? CREDENTIAL_KPM : kind == KIND_KM ? CREDENTIAL_KM : CREDENTIAL_KPSA_OR_KC;
}

bool credentials_psk_answer(struct credential *c, const char *sp, struct psk_answer *a)
{
	memset(a, 0, sizeof *a);
	if (!entities(c->entity, sp, a->entity) || credential_id_of_key(type_of(c->kind), rd_str(c->identity), a->credential) != OK)
		return false;
	a->expires_at = c->expires_at == UINT64_MAX ? 0 : c->expires_at;
	a->key = c->key;
	c->key = NULL;
	return true;
}

static void *find(void *source, const char *identity, psk_done *done, void *ctx)
{
	const struct credentials_psk *s = source;
	struct credential c = {.key = NULL};
	struct psk_answer a;
	enum err e = credentials_find(s->store, identity, &c);

	if (e != OK && e != ERR_NOT_FOUND)
		log_line(LOG_LEVEL_ERROR, "a credential can't be read", "credential=%s error=%s", log_quote(rd_str(identity)), err_name(e));
	if (e != OK || c.kind >= 32 || !(s->kinds & CREDENTIALS_PSK(c.kind))) {
		done(ctx, NULL);
	} else if (credential_expired(&c, clock_unix_ms() / 1000)) {
		log_line(LOG_LEVEL_WARNING, "a credential that has expired was used", "credential=%s", log_quote(rd_str(c.identity)));
		done(ctx, NULL);
	} else if (credentials_psk_answer(&c, s->sp, &a)) {
		done(ctx, &a);
	} else {
		log_line(LOG_LEVEL_ERROR, "a credential's entity is no ID", "credential=%s", log_quote(rd_str(c.identity)));
		done(ctx, NULL);
	}
	credential_clear(&c);
	return NULL;
}

static void cancel(void *source, void *handle)
{
	(void)source;
	(void)handle;
}

/* A store that cannot be read is no reason to end what goes on. */
static bool stands(void *source, const char *identity, const char *key_name)
{
	const struct credentials_psk *s = source;
	struct credential c = {.key = NULL};
	enum err e = credentials_find(s->store, identity, &c);
	bool there = e == OK && c.kind < 32 && (s->kinds & CREDENTIALS_PSK(c.kind));
	char name[33];

	if (there) {
		secret_name(c.key, name);
		there = strcmp(name, key_name) == 0;
	}
	credential_clear(&c);
	return there || (e != OK && e != ERR_NOT_FOUND);
}

struct psk_source credentials_psk_source(struct credentials_psk *c)
{
	const struct psk_source s = {find, cancel, c, stands};

	return s;
}
