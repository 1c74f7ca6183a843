/* Request parameters that bindings carry in a query: TS-0009 table 6.2.2.2-1, TS-0008 clause 6.2.2.3. Filter criteria are left to the dispatcher. */
#ifndef KEYWAY_ONEM2M_QUERY_H
#define KEYWAY_ONEM2M_QUERY_H

#include "onem2m/primitive.h"

/* Fills rcn, drt, rt, tqi, rp, rids, tids and ltids from rq->filter. False when one is none of its values. */
bool query_parameters(struct onem2m_request *rq) MUST_CHECK;

#endif
