/* oneM2M request and response primitives, as bindings hand them to the dispatcher. Source: TS-0004 clauses 6.4, 7.1, 8.
 * Content is JSON text at this boundary, with the root that TS-0004 gives it ("m2m:cnt", "m2m:uril", ...). */
#ifndef KEYWAY_ONEM2M_PRIMITIVE_H
#define KEYWAY_ONEM2M_PRIMITIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rd.h"
#include "onem2m/rsc.h"

enum onem2m_operation {
	ONEM2M_CREATE = 1,
	ONEM2M_RETRIEVE = 2,
	ONEM2M_UPDATE = 3,
	ONEM2M_DELETE = 4,
	ONEM2M_NOTIFY = 5,
};

#define ONEM2M_RCN_ABSENT (-1)
#define ONEM2M_RVI_MAX 8

struct onem2m_request {
	enum onem2m_operation operation;
	struct rd to;     /* borrowed: CSE-relative "cse-in/a", SP-relative "/id-in/cse-in/a", absolute "//sp/id-in/..." */
	struct rd from;   /* borrowed: X-M2M-Origin; empty when absent */
	struct rd request_id;
	struct rd release; /* rvi; empty when absent */
	struct rd vendor;  /* vsi; empty when absent */
	int type;         /* ty of a CREATE, otherwise 0 */
	int rcn;          /* or ONEM2M_RCN_ABSENT */
	int drt;          /* 1 structured (default), 2 unstructured; 0 when absent */
	struct rd filter; /* the query as sent behind '?', percent-escapes unresolved; the dispatcher parses filter criteria from it */
	struct rd content;
	/* What the transport knows of the sender. */
	const char *peer; /* identity in its certificate, "" when there is none */
	bool internal;    /* from a part of this very CSE: From is trusted */
};

struct onem2m_response {
	enum onem2m_rsc rsc;
	struct rd content;  /* borrowed during the callback; JSON, possibly empty */
	struct rd location; /* URI of a created resource; empty otherwise */
	int cts;            /* contentStatus, 0 when absent */
	uint64_t cto;       /* contentOffset, with cts */
};

#endif
