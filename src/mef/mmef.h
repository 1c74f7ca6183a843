/* Mmef over HTTPS: the registry (key_registry/registration_server.h), and what the Enrolment Gateway adds to it for nodes B: what they need to know
 * of a device besides its key, the APS relay, and events. Source: docs/protocols/key-registration.md. */
#ifndef KEYWAY_MEF_MMEF_H
#define KEYWAY_MEF_MMEF_H

#include "key_registry/registration_server.h"
#include "mef/est_port.h"
#include "mef/mef.h"

struct mmef;

enum err mmef_new(struct mef *m, const char *host_port, struct tls_credentials *tls, struct mmef **out) MUST_CHECK;
/* EST on the same listener; borrowed until mmef_free. */
void mmef_use_est(struct mmef *mm, struct est_port *est);
uint16_t mmef_port(const struct mmef *mm);
struct registration_server *mmef_server(const struct mmef *mm);
void mmef_free(struct mmef *mm); /* accepts NULL; answers what waits */

/* The bodies of requests, decoded; for fuzzing. A false result names nothing more: the answer is 4000. */
struct mmef_aps_body {
	uint8_t counter, frame[128];
	size_t len;
};
bool mmef_aps_body(const struct json *doc, struct mmef_aps_body *b) MUST_CHECK;
struct mmef_event_body {
	struct rd event;
	uint16_t short_address;
	uint8_t capability;
};
bool mmef_event_body(const struct json *doc, struct mmef_event_body *b) MUST_CHECK;
bool mmef_witness_body(const struct json *doc, struct audit_head *h) MUST_CHECK;

#endif
