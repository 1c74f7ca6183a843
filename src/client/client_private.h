/* What the files of the client library share. */
#ifndef KEYWAY_CLIENT_CLIENT_PRIVATE_H
#define KEYWAY_CLIENT_CLIENT_PRIVATE_H

#include "binding/coap/coap_binding.h"
#include "binding/http/http_binding.h"
#include "binding/mqtt/mqtt_binding.h"
#include "binding/once/once.h"
#include "binding/websocket/websocket_binding.h"
#include "client/client_inside.h"
#include "keyway/client.h"
#include "loop/http.h"

enum client_kind { CLIENT_HTTP, CLIENT_COAP, CLIENT_WEBSOCKET, CLIENT_MQTT };

struct client_scheme {
	const char *name;
	enum client_kind kind;
	bool secure;
};

/* A request without an answer yet. Texts are its own. */
struct pending {
	struct pending *next, **at;
	struct keyway *client;
	struct onem2m_request rq;
	char id[40];
	char *to, *query, *content, *from;
	keyway_done *done;
	void *ctx;
};

struct keyway {
	const struct client_scheme *scheme;
	char *url, *from, *self, *cse, *server, *release, *listen, *ca;
	enum serialization serialization;
	unsigned timeout_ms;
	bool psk;

	struct loop *loop;
	struct tls_credentials *tls;
	struct http_client *http;
	struct http_sender sender;
	struct coap_binding *coap;
	struct websocket_binding *websocket;
	struct mqtt_binding *mqtt, *mqtt_in; /* requests leave; come */
	struct once *once;

	struct pending *pending;
	unsigned waiting;
	uint64_t numbers;
	char prefix[16];              /* of request identifiers: another in each client */
	bool inside;                  /* a callback of the program's runs */
	bool closing;

	/* the answer of keyway_call */
	struct keyway_answer answer;
	char *answer_content, *answer_location;
	char why[KEYWAY_WHY_SIZE];

	struct sealing *sealing;      /* client_seal.c; NULL: none */
	struct opening *opening;      /* client_open.c; NULL: none */
	bool sealed_only;

	/* notifications */
	keyway_notified *notified;
	void *notified_ctx;
	struct http_server *server_port;
	struct http_binding incoming;
	char target[300];
	char host[128], stem[128];    /* the CSE, and there the AE that stands for the originator */
	bool registered;              /* by us: taken away at the end */
	bool changed;                 /* it was there, and got our e2eSecInfo and point of access: */
	char *former_poa;             /* which was this, in JSON */
	struct loop_timer *again;     /* the connection over which notifications come is made anew */
};

/* Copies it to where keyway_call's answer is. */
void client_keep_answer(struct keyway *k, const struct keyway_answer *a);
/* client.c */
char *client_copy(const char *text, const char *otherwise); /* of the one that is not NULL */
/* client_request.c */
void client_pending_free(struct pending *p);
void client_requests_cancel(struct keyway *k); /* those that were not sent yet are not sent */
void client_seal_free(struct sealing *s); /* accepts NULL */
/* client_open.c */
void client_open_key(struct keyway *k, const char *entity, const char *kid, const struct secret *key, bool certified);
void client_open_free(struct opening *g); /* accepts NULL */
bool client_opens(struct keyway *k, const struct onem2m_request *rq, cse_done *done, void *ctx); /* false: it is nothing sealed */
bool client_open_describe(struct keyway *k, struct wr *w); /* m2m:e2eSecInfo; false: there is none to tell */
void client_open_keep(struct keyway *k); /* tells a new one in time */
void client_sealed_came(void *client, const struct onem2m_request *rq, cse_done *done, void *ctx); /* client_reach.c: what was inside */
struct mqtt_binding *client_mqtt(struct keyway *k, const char *broker);
/* client_answer.c: what came back, in words. Both write into k->why. */
enum keyway_failure client_failure(enum err e);
const char *client_why_failed(struct keyway *k, enum err failure, const char *detail);
const char *client_why_refused(struct keyway *k, enum onem2m_rsc rsc, struct rd content);
/* client_reach.c */
void client_request_came(void *client, const struct onem2m_request *rq, cse_done *done, void *ctx); /* a cse_submit_fn */
void client_connection_lost(void *client, const char *target);
void client_leave(struct keyway *k);

#endif
