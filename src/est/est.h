/* Enrolment over Secure Transport (RFC 7030), as TS-0003 clause 8.3.6 has a MEF do it: the CA's certificates, the attributes that a request is to
 * have, enrolment and renewal. No sockets: the shell gives the request and who asks, and sends the answer.
 *
 * Who may enrol is who authenticated in the handshake (never above it, clause 8.3.6): for its own name, or for one that the owner of `est` grants.
 * A challengePassword binds a request to the association that it came over (RFC 7030 clause 3.5): when there is one it has to be right; with
 * `demand_binding` there has to be one. */
#ifndef KEYWAY_EST_EST_H
#define KEYWAY_EST_EST_H

#include "pki/ca.h"

struct tls_session;

#define EST_PATH "/.well-known/est" /* RFC 8615 */
#define EST_BODY_MAX 24576          /* base64 of PKI_DER_MAX, and line ends */
#define EST_BINDING_MAX 96

/* Who asks, and over which association. */
struct est_asker {
	const char *names;      /* what the handshake proved, blank-separated, as in tls/tls_peer.h */
	bool by_certificate;    /* needed for a renewal */
	char bindings[2][EST_BINDING_MAX]; /* base64 of tls-unique (RFC 5929) and of tls-exporter (RFC 9266), where there are such; "" otherwise */
};

struct est_policy {
	unsigned days;
	bool demand_binding;
	/* Whether this asker may have a certificate for `name`, which is none of its own; *why (lives for ever) when not. NULL: nobody may. */
	bool (*grants)(void *ctx, const struct est_asker *who, const char *name, const char **why);
	/* A certificate was made, and leaves when this is OK: the place for the audit log. May be NULL. */
	enum err (*issued)(void *ctx, const struct est_asker *who, const char *name);
	void *ctx;
};

struct est_request {
	const char *method, *path; /* path without query */
	const char *type;          /* Content-Type, or NULL */
	struct rd body;
};

struct est_answer {
	unsigned status;
	const char *type;     /* Content-Type; a static text */
	bool base64;          /* Content-Transfer-Encoding: base64 */
	const char *allow;    /* of a 405 */
	struct wr body;       /* made by est_answer_init */
};
void est_answer_init(struct est_answer *a);
void est_answer_clear(struct est_answer *a);

/* Fills who->bindings from the association; NULL: there is none. */
void est_bindings(struct tls_session *session, struct est_asker *who);

struct est;
/* The CA is opened in dir. ERR_NOT_FOUND, ERR_MALFORMED. */
enum err est_new(const char *dir, const struct est_policy *policy, struct est **out) MUST_CHECK;
void est_free(struct est *e); /* accepts NULL */
/* False: the path is none of EST's. */
bool est_serves(const char *path);
void est_serve(struct est *e, const struct est_request *rq, const struct est_asker *who, struct est_answer *a);

#endif
