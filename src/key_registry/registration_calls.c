/* The registry over HTTPS: clients, their keys, and what an enrolment target fetches. */
#include <string.h>

#include "base/bytes.h"
#include "key_registry/answers.h"
#include "key_registry/key_carrier.h"
#include "key_registry/registration_private.h"
#include "loop/log.h"
#include "onem2m/timestamp.h"

/* ---- client registration ---- */

static bool order_of(struct registration_call *call, const struct json *body, struct order *o)
{
	const char *reason = "";

	if (order_parse(body, o, &reason))
		return true;
	registration_refuse(call, RSC_BAD_REQUEST, reason);
	return false;
}

static void create_client(struct registration_call *call, const struct json *body)
{
	struct answer_buffer b;
	struct registry_client c;
	struct order o;
	enum onem2m_rsc rsc;

	if (!order_of(call, body, &o))
		return;
	rsc = registry_client_register(call->s->registry, &call->peer.peer, call->now_s, &o, &c);
	order_clear(&o);
	if (rsc != RSC_CREATED) {
		registration_refuse_as_registry(call, rsc);
		return;
	}
	log_line(LOG_LEVEL_INFO, "client registered", "client=%s", c.client);
	answer_client(registration_answer_begin(&b), registry_config(call->s->registry), &c);
	registration_answer_end(call, &b, rsc);
}

static void retrieve_client(struct registration_call *call)
{
	struct answer_buffer b;
	struct registry_client c;
	enum onem2m_rsc rsc = registry_client_retrieve(call->s->registry, &call->peer.peer, call->now_s, call->name, &c);

	if (rsc != RSC_OK) {
		registration_refuse_as_registry(call, rsc);
	} else if (!c.config[0]) {
		registration_refuse(call, RSC_NOT_FOUND, "no configuration is set for this client");
	} else {
		answer_client_config(registration_answer_begin(&b), registry_config(call->s->registry), &c);
		registration_answer_end(call, &b, rsc);
	}
}

static void update_client(struct registration_call *call, const struct json *body)
{
	struct answer_buffer b;
	struct registry_client c;
	struct order o;
	enum onem2m_rsc rsc;

	if (!order_of(call, body, &o))
		return;
	rsc = registry_client_update(call->s->registry, &call->peer.peer, call->now_s, call->name, &o, &c);
	if (rsc == RSC_UPDATED) {
		answer_client_update(registration_answer_begin(&b), registry_config(call->s->registry), &c, &o);
		registration_answer_end(call, &b, rsc);
	} else {
		registration_refuse_as_registry(call, rsc);
	}
	order_clear(&o);
}

/* ---- keys ---- */

static void create_key(struct registration_call *call, const struct json *body)
{
	struct answer_buffer b;
	struct registry_key k;
	struct order o;
	enum onem2m_rsc rsc;

	if (!order_of(call, body, &o))
		return;
	rsc = registry_key_register(call->s->registry, &call->peer.peer, call->now_s, &o, &k);
	order_clear(&o);
	if (rsc != RSC_CREATED) {
		registration_refuse_as_registry(call, rsc);
		return;
	}
	(void)!answer_key(registration_answer_begin(&b), &k, NULL, NULL);
	registration_answer_end(call, &b, rsc);
}

static void retrieve_key(struct registration_call *call)
{
	const struct registration_hooks *h = &call->s->hooks;
	struct answer_buffer b;
	struct registry_key k;
	enum onem2m_rsc rsc = registry_key_retrieve(call->s->registry, &call->peer.peer, call->now_s, call->name, &k);

	if (rsc != RSC_OK) {
		registration_refuse_as_registry(call, rsc);
		return;
	}
	if (answer_key(registration_answer_begin(&b), &k, h->key_members, h->ctx))
		registration_answer_end(call, &b, rsc);
	else
		registration_refuse(call, RSC_NOT_FOUND, "the key is not to be had any more");
	bytes_wipe(b.octets, sizeof b.octets);
	registry_key_clear(&k);
}

/* Whether a key that it has is one still (project convention): nothing secret goes over the wire, nothing is fetched, and the audit log does not grow. */
static void look_at_key(struct registration_call *call)
{
	struct answer_buffer b;
	char end[TIMESTAMP_SIZE];
	struct json_out *o;
	uint64_t expires_at;
	enum onem2m_rsc rsc = registry_key_standing(call->s->registry, &call->peer.peer, call->now_s, call->name, &expires_at);

	if (rsc != RSC_OK) {
		registration_refuse_as_registry(call, rsc);
		return;
	}
	timestamp_print(end, expires_at * 1000);
	o = registration_answer_begin(&b);
	json_object(o, NULL);
	json_object(o, REGISTRATION_KEY);
	json_put_string(o, "et", end);
	json_close(o);
	json_close(o);
	registration_answer_end(call, &b, rsc);
}

static void update_key(struct registration_call *call, const struct json *body)
{
	struct answer_buffer b;
	struct registry_key k;
	struct order o;
	enum onem2m_rsc rsc;

	if (!order_of(call, body, &o))
		return;
	rsc = registry_key_update(call->s->registry, &call->peer.peer, call->now_s, call->name, &o, &k);
	if (rsc == RSC_UPDATED) {
		answer_key_update(registration_answer_begin(&b), &k, &o);
		registration_answer_end(call, &b, rsc);
	} else {
		registration_refuse_as_registry(call, rsc);
	}
	order_clear(&o);
}

/* ---- BASE and BASE/NAME ---- */

void registration_create(struct registration_call *call)
{
	const struct json *client = json_get(call->body, registration_client_root(registry_config(call->s->registry)->kind));
	const struct json *key = json_get(call->body, REGISTRATION_KEY);

	if (client)
		create_client(call, client);
	else if (key)
		create_key(call, key);
	else
		registration_refuse(call, RSC_BAD_REQUEST, "neither a client registration nor a key registration");
}

/* A name is a client registration's or a key's. */
static bool is_client(const struct registration_call *call)
{
	struct registry_client c;

	return registry_client_by_id(call->s->registry, call->name, call->now_s, &c);
}

void registration_retrieve(struct registration_call *call)
{
	if (is_client(call))
		retrieve_client(call);
	else if (strcmp(call->rq->query, REGISTRATION_STANDING) == 0)
		look_at_key(call);
	else
		retrieve_key(call);
}

void registration_update(struct registration_call *call)
{
	const struct json *client = json_get(call->body, registration_client_root(registry_config(call->s->registry)->kind));
	const struct json *key = json_get(call->body, REGISTRATION_KEY);

	if (client)
		update_client(call, client);
	else if (key)
		update_key(call, key);
	else
		registration_refuse(call, RSC_BAD_REQUEST, "neither a client registration nor a key registration");
}

void registration_delete(struct registration_call *call)
{
	enum onem2m_rsc rsc = is_client(call) ? registry_client_deregister(call->s->registry, &call->peer.peer, call->now_s, call->name)
					      : registry_key_deregister(call->s->registry, &call->peer.peer, call->now_s, call->name);

	if (rsc == RSC_DELETED)
		registration_answer(call, rsc, rd_str("{}"));
	else
		registration_refuse_as_registry(call, rsc);
}

/* Only a target may use what lies below a key, and only a client what lies below its registration. */
void registration_post_below(struct registration_call *call)
{
	const struct registration_hooks *h = &call->s->hooks;
	struct registry_client client;
	char id[REGISTRY_ID_SIZE];

	if (h->client_post && registry_client_find(call->s->registry, call->peer.peer.client, call->now_s, &client) && rd_is(call->name, client.id)) {
		if (!h->client_post(h->ctx, call, call->leaf, call->body))
			registration_refuse(call, RSC_NOT_FOUND, "no such resource");
		return;
	}
	switch (registry_key_access(call->s->registry, call->peer.peer.client, call->now_s, call->name, NULL)) {
	case REGISTRY_NO_KEY:
		registration_refuse(call, RSC_NOT_FOUND, "no such key");
		break;
	case REGISTRY_NO_TARGET:
		registration_refuse(call, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "not a target of this key");
		break;
	case REGISTRY_TARGET:
		if (!h->key_post || !rd_text(call->name, id, sizeof id) || !h->key_post(h->ctx, call, id, call->leaf, call->body))
			registration_refuse(call, RSC_NOT_FOUND, "no such resource");
		break;
	}
}

/* ---- fetch by enrolment target (TS-0003 8.3.2.1) ---- */

/* KeID/SUID; the `@` may have been escaped on its way. */
static bool fetch_split(struct rd path, const char *fqdn, struct rd *relative, enum suid *suid)
{
	struct rd key, text;
	char id[KEY_ID_MAX];
	struct key_id parts;
	uint64_t n;
	char *escaped;

	if (!rd_until(&path, '/', &key) || !rd_text(key, id, sizeof id) || !rd_decimal(path, &n) || suid_parse(n, suid) != OK || *suid == SUID_NONE)
		return false;
	escaped = strstr(id, "%40");
	text = rd_of(id, escaped ? (size_t)(escaped - id) : strcspn(id, "@"));
	if (escaped) {
		*escaped = '@';
		memmove(escaped + 1, escaped + 3, strlen(escaped + 3) + 1);
	}
	if (key_id_split(rd_str(id), &parts) != OK || !fqdn_equal(parts.fqdn, rd_str(fqdn)))
		return false;
	*relative = rd_of(key.at, text.left); /* in the request, which stays */
	return true;
}

static void answer_fetch(struct registration_call *call, enum onem2m_rsc rsc, const struct registry_key *k, const char *reason)
{
	struct answer_buffer b;
	struct json_out *o = registration_answer_begin(&b);
	char end[TIMESTAMP_SIZE];

	json_object(o, NULL);
	json_put_bool(o, "Status", k != NULL);
	if (k) {
		timestamp_print(end, k->expires_at * 1000);
		key_carry(o, "Credential", k->value);
		json_put_string(o, "EnroleeID", k->source);
		json_put_string(o, "Lifetime", end);
	} else {
		json_put_string(o, "ErrorString", reason);
	}
	json_close(o);
	registration_answer_end(call, &b, rsc);
}

void registration_fetch(struct registration_call *call, struct rd path)
{
	const struct registry_config *c = registry_config(call->s->registry);
	struct registry_key k = {.value = NULL};
	enum onem2m_rsc rsc = RSC_BAD_REQUEST;
	enum suid suid = SUID_NONE;
	struct rd relative;

	if (strcmp(call->rq->method, "GET") != 0 || !fetch_split(path, c->fqdn, &relative, &suid)) {
		answer_fetch(call, rsc, NULL, "GET /fetchCredentials/KeID/SUID, with a KeID of this MEF, is what there is");
		return;
	}
	rsc = registry_credential_fetch(call->s->registry, &call->peer.peer, call->now_s, relative, suid, &k);
	answer_fetch(call, rsc, rsc == RSC_OK ? &k : NULL, registry_reason(call->s->registry));
	registry_key_clear(&k);
}
