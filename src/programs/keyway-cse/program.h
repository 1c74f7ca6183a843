/* What the files of keyway-cse share: the program's parts, and the bindings that bring requests in and out. */
#ifndef KEYWAY_PROGRAMS_CSE_PROGRAM_H
#define KEYWAY_PROGRAMS_CSE_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "binding/coap/coap_binding.h"
#include "binding/http/http_binding.h"
#include "binding/mqtt/mqtt_binding.h"
#include "binding/router/router.h"
#include "binding/websocket/websocket_binding.h"
#include "cse/cse.h"
#include "programs/keyway-cse/admin_port.h"
#include "programs/keyway-cse/associations.h"
#include "programs/keyway-cse/options.h"

struct program {
	struct router router; /* first: the CSE's transport is the router, and the program is found from it */
	struct options options;
	struct loop *loop;
	struct associations associations;
	struct tls_credentials *tls, *mqtt_psk; /* tls: of associations */
	struct association_keys *psk_keys;
	struct credentials *passwords; /* NULL: none are needed */
	struct rng rng;                /* its */
	struct naf *naf;
	struct http_client *client;
	struct http_sender sender;
	struct coap_binding *coap;
	struct mqtt_binding *mqtt;
	struct websocket_binding *websocket;
	struct store *store;
	struct cse *cse;
	struct end_to_end *end_to_end;
	struct token_keys *token_keys;
	struct enrolment_port *enrolment;
	struct once *once;
	struct http_binding binding;
	struct http_server *plain;
	struct admin_port admin;
	struct loop_timer *wake;
	struct worker *worker;
	uint64_t wake_at;
	uint16_t coap_port, coaps_port;
	char poa[512];
	bool ended, closed;
};

/* Says what is wrong, on standard error; 1, for the program to end with. */
int program_fail(const char *fmt, const char *a, const char *b);

/* ---- bindings.c, in this order; each 0, or 1 after it said why not ---- */
int bindings_start(struct program *p);      /* credentials and ways out: what the CSE sends by */
void bindings_serve(struct program *p);     /* the CSE is there: requests go to it */
int bindings_listen(struct program *p);     /* before the CSE registers, so that port 0 is known when its points of access are told */
void bindings_tell_poa(struct program *p);  /* in p->poa */
void bindings_close(struct program *p);     /* HTTP's ports stay until the process ends, and answer 503 */
void bindings_goodbye(struct program *p);   /* to those who keep connections; the loop has to run for a moment */
void bindings_free(struct program *p);      /* after the CSE; also of what was never started */

#endif
