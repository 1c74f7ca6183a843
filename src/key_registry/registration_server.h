/* The registry over HTTPS: Mmef of a MEF, Mmaf of a MAF. Source: docs/protocols/key-registration.md; codes in registration_codes.h.
 *
 * A client is who its TLS association says (TS-0003 8.3.5, 8.8.2): X-M2M-Origin must be one of its names. Answers leave when what they say is on
 * disk; requests of one round of the loop share a commit. */
#ifndef KEYWAY_KEY_REGISTRY_REGISTRATION_SERVER_H
#define KEYWAY_KEY_REGISTRY_REGISTRATION_SERVER_H

#include "key_registry/registry.h"
#include "loop/http.h"

#define REGISTRATION_ANSWER_MAX 16384
#define REGISTRATION_PRESENT_MS 5000 /* a client that holds no Command Retrieve counts as connected so long after its last request */

struct registration_server;
struct registration_call; /* one request that waits for its answer */

/* What a program adds; each may be NULL. */
struct registration_hooks {
	/* Further members of a key that its target fetches. False: the key is not to be had any more (4004). */
	bool (*key_members)(void *ctx, const char *key_id, struct json_out *o);
	/* POST BASE/KEY/LEAF by a target of the key: answers by registration_answer or registration_refuse. False: no such leaf. */
	bool (*key_post)(void *ctx, struct registration_call *call, const char *key_id, struct rd leaf, const struct json *body);
	/* POST BASE/REGISTRATION/LEAF by the client whose registration it is; as key_post. */
	bool (*client_post)(void *ctx, struct registration_call *call, struct rd leaf, const struct json *body);
	/* Whatever else is there: true when it is answered, or will be. Before any client is looked at. */
	bool (*other)(void *ctx, struct http_exchange *x, const struct http_request *rq);
	/* A client's report on a command, which is forgotten now. */
	void (*reported)(void *ctx, const struct registry_command *c, const char *client, uint64_t status);
	void *ctx;
};

enum err registration_server_new(struct loop *l, const char *host_port, struct tls_credentials *tls, struct registry *r,
    const struct registration_hooks *hooks, struct registration_server **out) MUST_CHECK;
uint16_t registration_server_port(const struct registration_server *s);
void registration_server_free(struct registration_server *s); /* accepts NULL; answers what waits */

/* What was registered under credentials that are none any more ends now (registry_purge). */
void registration_server_purge(struct registration_server *s);
/* A command waits for this client: its held Command Retrieve is answered. */
void registration_server_wake(struct registration_server *s, const char *client);
bool registration_server_waits(const struct registration_server *s, const char *client); /* it holds a Command Retrieve */
bool registration_server_connected(const struct registration_server *s, const char *client, uint64_t now_ms);
void registration_server_present(struct registration_server *s, const char *client, uint64_t now_ms); /* it was heard of */

const char *registration_caller(const struct registration_call *call); /* its client ID */
void registration_answer(struct registration_call *call, enum onem2m_rsc rsc, struct rd body);
void registration_refuse(struct registration_call *call, enum onem2m_rsc rsc, const char *reason);

/* cmdID and cmdStatusCode of a report; for fuzzing too. */
bool registration_report_parse(const struct json *body, uint64_t *command, uint64_t *status) MUST_CHECK;

#endif
