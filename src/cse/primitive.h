/* Request and response primitives as JSON objects (TS-0004 clauses 6.4 and 8.4), where resources carry them: actionPrimitive, requests of
 * transactions. */
#ifndef KEYWAY_CSE_PRIMITIVE_H
#define KEYWAY_CSE_PRIMITIVE_H

#include "json/json.h"
#include "onem2m/primitive.h"

/* What an m2m:requestPrimitive that the tables accept asks for. Texts are borrowed from it and from the arena. False when its filter criteria
 * cannot be said as a query. */
bool primitive_request(struct json_arena *a, const struct json *primitive, struct onem2m_request *rq);
/* {"rsc", "rqi", "pc", ...}: the members of an m2m:responsePrimitive, into an open object. */
void primitive_put_response(struct json_out *o, const struct onem2m_response *rsp, struct rd request_id);

#endif
