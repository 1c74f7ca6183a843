/* EST over the MEF's HTTPS (TS-0003 8.3.6): the same listener as Mmef, because the host of estBaseURI is the MEF's FQDN. A client enrols for its own
 * name, or for the certSubjectID of a CERT_PROV command that it was given. Everything issued is in the audit log before it leaves. */
#ifndef KEYWAY_MEF_EST_PORT_H
#define KEYWAY_MEF_EST_PORT_H

#include "loop/http.h"
#include "mef/mef.h"

struct est_port;

/* ca_dir: ca.pem, ca.key, index.txt (pki/ca.h). ERR_NOT_FOUND, ERR_MALFORMED. */
enum err est_port_new(struct mef *m, const char *ca_dir, unsigned days, bool demand_binding, struct est_port **out) MUST_CHECK;
void est_port_free(struct est_port *p); /* accepts NULL */
/* False: the path is none of EST's, and nothing is answered. */
bool est_port_serve(struct est_port *p, struct http_exchange *x, const struct http_request *rq);

#endif
