/* End-to-end security of this CSE: ESPrim with the keys of its credential store, and those that MAF and MEF have for it; and the trace of primitives. */
#ifndef KEYWAY_CSE_END_TO_END_H
#define KEYWAY_CSE_END_TO_END_H

#include "cse/cse.h"
#include "loop/loop.h"
#include "programs/keyway-cse/options.h"

struct end_to_end;
struct tls_credentials;

/* tls: own certificate and trust, for ESCertKE; may be NULL. Says on the log what is wrong. *out NULL when the configuration asks for none. */
enum err end_to_end_start(struct loop *l, const struct options *o, struct cse *c, struct tls_credentials *tls, struct end_to_end **out) MUST_CHECK;
void end_to_end_free(struct end_to_end *e); /* accepts NULL; after the CSE's end */

/* Every primitive with its content, a line each, into the file of [trace] primitives: for looking, never for operation. */
enum err trace_open(const struct options *o, struct cse_config *config) MUST_CHECK;

#endif
