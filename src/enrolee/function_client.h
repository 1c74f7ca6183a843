/* A client of a MEF or MAF: its procedures over HTTPS, one call each. TS-0003 8.3.5.2, 8.8.2.
 *
 * A key registration without keyValue takes its key from the TLS session that carried it: each needs credentials of its own (tls_credentials made
 * for this call), so that it gets a session of its own. */
#ifndef KEYWAY_ENROLEE_FUNCTION_CLIENT_H
#define KEYWAY_ENROLEE_FUNCTION_CLIENT_H

#include "enrolee/function_answer.h"
#include "key_registry/registry.h"
#include "loop/http.h"

struct function_peer {
	enum registry_kind kind;
	const char *url;  /* "https://host:port" */
	const char *fqdn; /* what its certificate names */
};

/* Who calls, and how. All is borrowed for the call that starts a procedure, but for http and peer, which stay. */
struct function_caller {
	struct http_client *http;
	const struct function_peer *peer;
	const char *origin;           /* own ID, for X-M2M-Origin */
	struct tls_credentials *tls;
};

struct function_result {
	enum err error;               /* OK when it answered with success; ERR_NOT_PERMITTED when it refused: rsc; what http_result has otherwise;
	                                 ERR_MALFORMED; ERR_CRYPTO: its RelativeKeyID is not the one that our session gives */
	unsigned rsc;                 /* oneM2M's; 0 for none */
	const char *detail;           /* sentence for the log; borrowed */
	struct function_answer answer; /* the callee may take answer.key by setting it NULL */
	const struct json *doc;       /* all of it, borrowed; NULL when it is no JSON */
};
typedef void function_done(void *ctx, struct function_result *r);
struct function_call;

struct function_call *function_client_register(const struct function_caller *c, const char *admin_fqdn, uint64_t expires_at, function_done *done, void *ctx);
/* Client Configuration Retrieval: what it is, is in doc (client_config_parse). rsc 4004: none is set. */
struct function_call *function_client_retrieve(const struct function_caller *c, const char *id, function_done *done, void *ctx);
/* answer.key: Ke at a MEF, Kc at a MAF. */
struct function_call *function_key_register(const struct function_caller *c, const char *admin_fqdn, uint64_t expires_at, enum suid suid, const char *target,
    function_done *done, void *ctx);
struct function_call *function_key_retrieve(const struct function_caller *c, const char *relative_id, function_done *done, void *ctx);
/* Whether a key that was retrieved is one still: answer.expires_at, or rsc 4004 or 4103; the key itself does not come again. */
struct function_call *function_key_stands(const struct function_caller *c, const char *relative_id, function_done *done, void *ctx);
/* Of a client registration or a key, by its ID. */
struct function_call *function_deregister(const struct function_caller *c, const char *id, function_done *done, void *ctx);
void function_call_cancel(struct function_call *call); /* no callback; not after done */

#endif
