/* `[enrolment]`: this CSE gets its certificate and its keys by itself (enrolee/enrolment.h), before it needs them. */
#ifndef KEYWAY_CSE_ENROLMENT_PORT_H
#define KEYWAY_CSE_ENROLMENT_PORT_H

#include "cse/cse.h"
#include "enrolee/enrolment.h"
#include "loop/http.h"
#include "programs/keyway-cse/options.h"

struct enrolment_port;

/* Begins to enrol, and runs the loop until the certificate is there, when one is wanted and missing: without it nothing can listen. *out stays NULL
 * without `[enrolment]`. ERR_CONFIG after a line in the log; ERR_CLOSED: the process was told to end. */
enum err enrolment_port_start(struct loop *l, const struct options *o, struct enrolment_port **out) MUST_CHECK;
/* The CSE runs now: objects of management are looked up in it, and the MEF's commands are waited for unless IPE-OCI does that. ready is called once, when
 * the first round of enrolment is over: at once, or later. */
void enrolment_port_serve(struct enrolment_port *p, struct cse *c, struct http_client *http, void (*ready)(void *ctx), void *ctx);
/* For IPE-OCI, which polls the same registration: commands that are not about its devices. */
void enrolment_port_command(void *port, const char *registration, const struct json *answer, void (*report)(void *ctx, int status), void *ctx);
void enrolment_port_free(struct enrolment_port *p); /* accepts NULL */

#endif
