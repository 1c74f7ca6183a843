/* The CSE: one dispatcher that takes request primitives and answers with response primitives, over the store. Bindings, and parts of
 * the same process such as IPE-OCI, call cse_submit; nothing else reaches resources. No sockets here: what must leave the process
 * goes through struct cse_transport. */
#ifndef KEYWAY_CSE_CSE_H
#define KEYWAY_CSE_CSE_H

#include "base/err.h"
#include "base/wr.h"
#include "onem2m/primitive.h"

enum cse_type { CSE_IN = 1, CSE_MN = 2, CSE_ASN = 3 };

struct cse;
struct store;

/* The underlying network, as far as the CSE asks it: device triggers, TS-0001 clause 10.2.15. */
enum cse_trigger_step { CSE_TRIGGER_SUBMIT, CSE_TRIGGER_REPLACE, CSE_TRIGGER_RECALL };
enum cse_trigger_answer { CSE_TRIGGER_TAKEN, CSE_TRIGGER_REFUSED, CSE_TRIGGER_NO_NETWORK /* that knows the device */ };
enum cse_trigger_status { /* m2m:triggerStatus */
	CSE_TRIGGER_PROCESSING = 1, CSE_TRIGGER_NSE_NOT_FOUND, CSE_TRIGGER_TRIGGERED, CSE_TRIGGER_DELIVERED, CSE_TRIGGER_EXPIRED, CSE_TRIGGER_FAILED, CSE_TRIGGER_REPLACED,
	CSE_TRIGGER_UNCONFIRMED, CSE_TRIGGER_TERMINATED,
};
struct cse_trigger {
	const char *external_id; /* M2M-Ext-ID */
	const char *reference;   /* of this trigger, for reports */
	uint64_t recipient, purpose, validity_ms;
};
struct cse_network {
	enum cse_trigger_answer (*trigger)(void *network, enum cse_trigger_step step, const struct cse_trigger *t); /* at once; how it went on by cse_trigger_report */
	void *network;
};

struct cse_config {
	enum cse_type type;
	const char *id;       /* CSE-ID: "/id-in" */
	const char *name;     /* resource name of the CSEBase: "cse-in" */
	const char *resource_id; /* of the CSEBase when the store is new; NULL: the CSE-ID without its slash */
	const char *sp;       /* M2M-SP-ID: "keyway.example" */
	const char *admin;    /* originator with every privilege: "CAdmin"; AE-ID of this CSE or SP-relative ID */
	const char *poa;      /* own point of access, comma separated */
	const char *registrar_id; /* "/id-in", or NULL; requests for CSEs not known here go there */
	const char *registrar_poa; /* "https://127.0.0.1:8443" */
	bool require_tls;     /* From is checked against the certificate; requests without one are refused, but internal ones */
	const char *ae_originators;  /* patterns of From with which an AE may register, comma separated; NULL: "C*,S*" */
	const char *cse_originators; /* and a CSE; NULL: any */
	const char *open_create;     /* types that anyone may create under the CSEBase, comma separated numbers; NULL: none */
	/* Servers of dynamic authorisation, "URL NAME,URL NAME": what their certificates say, and who issues their tokens. The name of others is the
	 * host of their URL. NULL: none. */
	const char *das_servers;
	const char *releases;        /* supported, comma separated; NULL: "2a,3,4,5" */
	bool release_1;              /* requests without a release version indicator are taken, as of Release 1 */
	uint64_t max_expiration_ms;  /* longest life that a resource gets; 0: five years */
	uint64_t request_life_ms;    /* of a <request> and of a blocking request without rqet; 0: 60 000 and 20 000 */
	size_t cache_octets;         /* of the resource cache; 0: 64 MiB */
	bool verify_subscriptions;   /* NOTIFY with vrq to targets that are oneM2M entities too */
	bool require_subscription;   /* AEs and CSEs register only as service subscriptions say: TS-0004 clause 7.3.2.7 */
	bool testbench;              /* upper tester commands are taken */
	bool customs;                /* what open CSEs do where the standard has it otherwise or not at all is done: docs/cse.md */
	const struct cse_network *network; /* NULL: there is none, triggers end as ERROR_NSE_NOT_FOUND */
	const char *networks;              /* of the underlying networks that lead to other CSEs, names as CMDH rules have them, ',' between; NULL: any */
	const char *background_window;     /* when background data transfers are granted, an m2m:scheduleEntry; NULL: as asked for */
	bool (*multicast)(void *ctx, const char *address, bool join); /* joins or leaves an IP multicast group; NULL: it cannot */
	bool (*multicast_send)(void *ctx, const char *address, const struct onem2m_request *rq); /* to a group, and nobody answers; false: it does not fit. NULL: it cannot */
	void *multicast_ctx;
	/* The registration with the registrar began or ended; or was refused, then every time. May be NULL. */
	void (*on_registration)(void *ctx, bool registered, enum onem2m_rsc rsc);
	void *on_registration_ctx;
	/* Every primitive that comes (rsp NULL) and its answer, with their contents: for a trace that an operator asked for. May be NULL. */
	void (*trace)(void *ctx, const struct onem2m_request *rq, const struct onem2m_response *rsp);
	void *trace_ctx;
};

typedef void cse_done(void *ctx, const struct onem2m_response *rsp); /* once; may come before cse_submit returns */

/* Sends a request to another entity. `url` is a point of access ("https://127.0.0.1:8443"), `target_id` the SP-relative ID of the
 * entity there, from which the shell derives the identity to demand of its certificate. Ends in done(ctx, ...), with
 * RSC_TARGET_NOT_REACHABLE when nobody answered. */
struct cse_transport {
	void (*send)(void *transport, const char *url, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx);
	uint64_t (*now_ms)(void *transport);      /* monotonic */
	uint64_t (*unix_ms)(void *transport);
	void (*defer)(void *transport, void (*fn)(void *), void *ctx); /* end of the loop's round: commit, then answer */
	void (*wake_at)(void *transport, uint64_t monotonic_ms);       /* call cse_tick then */
	void *transport;
};

/* Another thread for commits, so that the loop goes on while the disk writes. run: work(ctx) there, then done(ctx) on the loop's thread; one at a
 * time. wait waits for what is under way, whose done comes later all the same; finish for its done too. next_round: fn(ctx) as by cse_transport.defer,
 * but a round later. Without a worker commits run in the loop. */
struct cse_worker {
	void (*run)(void *worker, void (*work)(void *ctx), void (*done)(void *ctx), void *ctx);
	void (*wait)(void *worker);
	bool (*finished)(void *worker); /* what is under way has returned; or NULL */
	void (*finish)(void *worker);
	void (*next_round)(void *worker, void (*fn)(void *ctx), void *ctx);
	void *worker;
};

enum err cse_new(const struct cse_config *config, struct store *store, const struct cse_transport *t, struct cse **out) MUST_CHECK;
/* What is under way and what has been asked is on disk and answered when it returns; before cse_free then nobody waits in vain who only wrote. */
void cse_commit_now(struct cse *c);
/* Waits for the commit under way. The transport still has what the CSE deferred, its waking and what it sent without an answer yet: none of that may come
 * any more, so the loop does not run again. Exchanges that wait for others end untold. Accepts NULL. */
void cse_free(struct cse *c);
void cse_use_worker(struct cse *c, const struct cse_worker *w); /* copied; once, after cse_new */
/* An AE without a point of access and without a polling channel, or at whose point of access nobody answers, is reached over a connection that it
 * keeps open to this CSE, if it has one; a CSE that has one always. false: it has none. `transport` as in struct cse_transport; once, after cse_new. */
typedef bool cse_send_over(void *transport, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx);
void cse_use_connections(struct cse *c, cse_send_over *send);
/* What takes NOTIFYs with m2m:securityInfo that are for this CSE itself (ESPrim, ESCertKE: TS-0003 clauses 8.4 and 8.7). `from`: SP-relative ID of who
 * sent it. notify answers by done, at once or later; rq is borrowed until then. describe writes the CSEBase's m2m:e2eSecInfo. Once, after cse_new. */
enum cse_sealing { CSE_IN_THE_CLEAR, CSE_SEALED, CSE_NOT_AT_ALL };
struct cse_security {
	void (*notify)(void *security, const char *from, const struct onem2m_request *rq, cse_done *done, void *ctx);
	bool (*describe)(void *security, struct wr *w);
	/* How a notification goes to an entity ("/id-mn/Cmeter"; "" for a URL, a group and all whose ID is not known), and its sending when that is sealed.
	 * info: its m2m:e2eSecInfo in JSON, empty for none; known: that is all that there is. Both may be NULL: everything goes in the clear. */
	enum cse_sealing (*judge)(void *security, const char *entity, struct rd info, bool known);
	void (*send)(void *security, const char *entity, struct rd info, bool known, const struct onem2m_request *rq, cse_done *done, void *ctx);
	void *security;
};
void cse_use_security(struct cse *c, const struct cse_security *s);
/* Opens tokens from elsewhere that come with requests (JSON Web Tokens, TS-0003 clause 7.3.2): signature and encryption are its matter, and who may issue.
 * OK: `claims` gets the claims as JSON, `issuer` whose key vouches for them. What they say is for the CSE to check. Once, after cse_new. */
#define CSE_ISSUER_MAX 256
struct cse_tokens {
	enum err (*open)(void *tokens, struct rd token, struct wr *claims, char issuer[CSE_ISSUER_MAX]);
	void *tokens;
};
void cse_use_tokens(struct cse *c, const struct cse_tokens *t);
/* rq and all that it points to is borrowed until done. Answers to writes come after they are durable. */
void cse_submit(struct cse *c, const struct onem2m_request *rq, cse_done *done, void *ctx);
/* Where bindings hand requests to: cse_entry with a CSE, or whoever else answers for an entity. As cse_submit. */
typedef void cse_submit_fn(void *to, const struct onem2m_request *rq, cse_done *done, void *ctx);
void cse_entry(void *cse, const struct onem2m_request *rq, cse_done *done, void *ctx);
/* Between two requests that came to a binding, outside of all callbacks of the CSE: a commit that has enough to carry begins now. */
void cse_between_requests(struct cse *c);
void cse_tick(struct cse *c);

/* Registers with the registrar of the configuration and keeps at it, once the points of access (config.poa, borrowed) are known. */
void cse_register(struct cse *c);
/* The connection to the registrar ended: it is found out at once whether the registrar is still there, and reached again. */
void cse_registrar_lost(struct cse *c);
/* Ends the registration: done(ctx) once, when the registrar answered or nobody did. May come at once. */
void cse_deregister(struct cse *c, void (*done)(void *ctx), void *ctx);

/* An AE inside this process, such as IPE-OCI: made if absent, with the given AE-ID and resource name; NOTIFY requests to it call
 * fn, which must answer by done(). */
typedef void cse_internal_notify(void *ctx, const struct onem2m_request *rq, cse_done *done, void *done_ctx);
enum err cse_internal_ae(struct cse *c, const char *ae_id, const char *name, cse_internal_notify *fn, void *ctx) MUST_CHECK;

/* Who in this process wants to know of groups: changed gets the resource ID of each that is made, updated or deleted, or loses members. It is called in the
 * midst of an operation, which may still be undone: what is there is to be read afterwards. Once, after cse_new. */
void cse_use_groups(struct cse *c, void (*changed)(void *ctx, const char *id), void *ctx);

/* Upper tester (testbench only): a command as X-M2M-UTCMD carries it, the value for X-M2M-UTRSP. False: unknown command. */
bool cse_upper_tester(struct cse *c, const char *command, char *response, size_t size);

/* The network tells what became of a trigger: TRIGGERED, DELIVERED, EXPIRED, FAILED, UNCONFIRMED or TERMINATED. */
void cse_trigger_report(struct cse *c, const char *reference, enum cse_trigger_status status);

/* Counters for status and metrics. */
struct cse_counts {
	uint64_t requests, created, updated, deleted, retrieved, notified, notify_failed, refused, commits, resources, cache_octets;
	uint64_t slices; /* rounds in which long work went on: deletions, discoveries */
	bool store_room; /* false: the disk is full, new resources are refused */
};
void cse_counts(const struct cse *c, struct cse_counts *out);

/* What statsCollect rules have counted: by rule and originator. */
struct cse_stat {
	const char *rule;   /* resourceID of the statsCollect */
	const char *entity; /* SP-relative ID of who was counted */
	uint64_t operations, octets; /* of requests and their answers */
};
typedef void cse_stats_fn(void *ctx, const struct cse_stat *s);
void cse_stats_each(struct cse *c, cse_stats_fn *fn, void *ctx);

#endif
