/* keyway-das as an AE of its CSE: a point of access of <dynamicAuthorizationConsultation> then names it by its AE-ID, wherever it listens, and it is told by
 * its certificate or its key as any AE is.
 *
 * It registers when it starts, gives its point of access when it is registered already, and looks again every hour. What fails is tried again: after a second,
 * then twice as late each time, at most five minutes. */
#ifndef KEYWAY_DAS_REGISTRATION_H
#define KEYWAY_DAS_REGISTRATION_H

#include "binding/http/http_binding.h"

struct das_registration_config {
	struct loop *loop;
	struct http_sender *sender; /* own_id is the AE-ID: "/id-in/Cdas"; registrar_id the CSE-ID: "/id-in" */
	const char *url;            /* of the CSE */
	const char *poa;            /* own point of access */
};

struct das_registration;
struct das_registration *das_registration_new(const struct das_registration_config *c); /* what c points to stays the caller's */
bool das_registration_stands(const struct das_registration *r); /* the CSE said so the last time */
void das_registration_free(struct das_registration *r);         /* after sender->client was abandoned; accepts NULL. It stays registered */

#endif
