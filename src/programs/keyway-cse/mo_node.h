/* MO_NODE commands of the MEF (TS-0003 8.3.9.5): an object of management in this CSE's own tree, a <mgmtObj> below a <node>, says which credential is
 * wanted; it is looked at, and had. authenticationProfile, trustAnchorCred, MAFClientRegCfg (TS-0022).
 *
 * TS-0022 hangs these objects below each other; here they are children of one <node>, and those that belong together are found among them by their type. */
#ifndef KEYWAY_CSE_MO_NODE_H
#define KEYWAY_CSE_MO_NODE_H

#include "credentials/credentials.h"
#include "cse/cse.h"
#include "enrolee/enrolment.h"
#include "loop/http.h"
#include "programs/keyway-cse/options.h"

struct mo_node_config {
	const struct options *options;
	struct cse *cse;
	struct credentials *store;
	struct http_client *http;    /* for trust anchors: https, by the anchors that there are */
	struct enrolment *enrolment;
};

/* Ends in enrolment_done, at once or later. One at a time, as commands are; config stays the caller's until then. */
void mo_node_carry_out(const struct mo_node_config *config, const struct client_command *c);

#endif
