/* Mmef over HTTPS: the resources by which nodes B register, get commands and keys, relay APS frames and report events.
 * Source: docs/protocols/mmef.md; codes in mmef_codes.h. */
#ifndef KEYWAY_MEF_MMEF_H
#define KEYWAY_MEF_MMEF_H

#include "loop/http.h"
#include "mef/mef.h"

struct mmef;

enum err mmef_new(struct mef *m, const char *host_port, struct tls_credentials *tls, struct mmef **out) MUST_CHECK;
uint16_t mmef_port(const struct mmef *mm);
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
bool mmef_status_body(const struct json *doc, uint64_t *command, uint64_t *status) MUST_CHECK;

#endif
