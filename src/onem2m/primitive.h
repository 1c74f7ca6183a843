/* oneM2M request and response primitives, as bindings hand them to the dispatcher. Source: TS-0004 clauses 6.4, 7.1, 8.
 * Content is JSON text at this boundary, with the root that TS-0004 gives it ("m2m:cnt", "m2m:uril", ...). */
#ifndef KEYWAY_ONEM2M_PRIMITIVE_H
#define KEYWAY_ONEM2M_PRIMITIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
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

/* How content and primitives are written, TS-0004 clause 8. Inside the CSE everything is JSON. */
enum serialization { SERIALIZATION_JSON = 0, SERIALIZATION_XML, SERIALIZATION_CBOR };

enum onem2m_response_type { /* rtv */
	ONEM2M_RT_ABSENT = 0,
	ONEM2M_NON_BLOCKING_SYNCH = 1,
	ONEM2M_NON_BLOCKING_ASYNCH = 2,
	ONEM2M_BLOCKING = 3,
	ONEM2M_FLEX_BLOCKING = 4,
	ONEM2M_NO_RESPONSE = 5,
};

/* Everything that is an rd is borrowed, and empty when the parameter is absent. */
struct onem2m_request {
	enum onem2m_operation operation;
	struct rd to;     /* CSE-relative "cse-in/a", SP-relative "/id-in/cse-in/a", absolute "//sp/id-in/..." */
	struct rd from;   /* X-M2M-Origin */
	struct rd request_id;
	struct rd release; /* rvi */
	struct rd vendor;  /* vsi */
	int type;         /* ty of a CREATE, otherwise 0 */
	int rcn;          /* or ONEM2M_RCN_ABSENT */
	int drt;          /* 1 structured (default), 2 unstructured; 0 when absent */
	struct rd filter; /* the query as sent behind '?', percent-escapes unresolved; the dispatcher parses filter criteria from it */
	struct rd content;
	enum onem2m_response_type rt;
	struct rd rt_nu;  /* notification targets of a non-blocking response, joined by '&'; `at` NULL: not given, empty: nobody is to be told */
	struct rd ot, rqet, rset, oet, rp; /* time stamps: absolute, or relative as a period or in milliseconds */
	struct rd ec, gid;
	struct rd tokens, token_ids, local_token_ids, role_ids; /* joined by '+' */
	bool token_request; /* tqi */
	uint64_t patience_ms;      /* of a request that leaves without rqet: how long its answer is waited for; 0: as long as the binding thinks fit */
	enum serialization wanted; /* of a request that leaves: in which its receiver wants it (csz of its resource); content stays JSON here */
	/* What the transport knows of the sender. */
	const char *peer; /* who its association says that it is, names joined by blanks (tls_peer.identity); "" when there is none */
	const char *credential; /* Credential-ID of that association (tls_peer.credential); NULL or "" when there is none */
	struct rd address; /* its IP address as text, for access control; empty when unknown */
	bool internal;    /* from a part of this very CSE: From is trusted, every privilege held */
	bool multicast;   /* it came to the address of a group: nobody waits for its answer */
	bool genuine;     /* passed on by this CSE on behalf of a From that was checked before; no privileges come with it */
};

struct onem2m_response {
	enum onem2m_rsc rsc;
	struct rd content;  /* borrowed during the callback; JSON, possibly empty */
	bool composed;      /* the content is JSON for certain: this CSE put it together. Otherwise somebody else's answer is passed on, whatever it is */
	struct rd location; /* URI of a created resource; empty otherwise */
	struct rd ot, rset; /* empty when absent */
	int cts;            /* contentStatus: 1 partial, 2 full; 0 when absent */
	uint64_t cto;       /* contentOffset, with cts 1 */
	struct rd ati;      /* assigned token identifiers: "lti:tkid" joined by '+'; empty when absent */
	bool silent;        /* rt 5: nothing is sent back, if the binding can do that */
	/* Of a request of ours that got no answer: what went wrong on the way, and a sentence about it for a person, or NULL. OK: this is an answer. */
	enum err failure;
	const char *why;
};

#endif
