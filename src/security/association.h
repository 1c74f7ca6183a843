/* What From may be on a security association: TS-0003 clauses 7.2.1 and 8.2, TS-0004 clause 7.3.2.1. Pure: what the hosting CSE knows comes through
 * a table of questions.
 *
 * On an association of
 *	an AE-ID     From is that AE-ID; 4106 otherwise
 *	a CSE-ID     From is whatever that CSE passes on, but for this CSE, its AEs, another registree CSE and that one's AEs; 4106 otherwise
 *	something else (a device's or a node's certificate, a raw public key or a PSK that no one entity is known for)
 *	             From is an AE-ID that a serviceSubscribedAppRule allows to this Credential-ID, or whose registration used it; 4106 otherwise
 *	nothing      an AE-ID is 4106 unless registered, a CSE-ID 4107 */
#ifndef KEYWAY_SECURITY_ASSOCIATION_H
#define KEYWAY_SECURITY_ASSOCIATION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

enum association_verdict {
	ASSOCIATION_GOOD,
	ASSOCIATION_NOT_AUTHENTICATED, /* 4106 */
	ASSOCIATION_REQUIRED,          /* 4107 */
};

struct association {
	const char *sp, *own_id;  /* "keyway.example", "/id-in" */
	const char *peer;         /* tls_peer.identity; "" without TLS */
	const char *credential;   /* tls_peer.credential; "" without TLS */
};

struct association_knowledge {
	bool (*is_registered)(void *ctx, const char *ae);     /* an AE of this CSE, "/id-in/Cmeter" */
	bool (*is_registree)(void *ctx, const char *cse);     /* "/id-mn" */
	bool (*allows)(void *ctx, const char *credential, const char *ae); /* by rule or by registration */
	void *ctx;
};

/* from: SP-relative. */
enum association_verdict association_check(const struct association *a, const struct association_knowledge *k, const char *from) MUST_CHECK;
/* The AE-ID that an AE on this association registers with when it leaves the choice to us (From "", "C" or "S"): the stem of the one AE-ID that it
 * has. False when it has none, or several: then the CSE chooses. */
bool association_registers_as(const struct association *a, char *stem, size_t size) MUST_CHECK;
/* Whether `name` is one of the names in a list joined by blanks (tls_peer.identity). */
bool association_names(const char *list, const char *name);

#endif
