/* What the Accept header fields of a request take, RFC 9110 clause 12.5.1.
 *
 *	struct accept a = {0};
 *
 *	accept_add(&a, rd_str("application/cbor, application/json;q=0.5"));
 *	type = accept_choose(&a, SERIALIZATION_JSON, &s);      NULL: nothing that we have */
#ifndef KEYWAY_BINDING_HTTP_ACCEPT_H
#define KEYWAY_BINDING_HTTP_ACCEPT_H

#include "serialization/serialization.h"

struct accept_one {
	unsigned specificity; /* 0: not mentioned, 1: by * / *, 2: by application / *, 3: by name */
	unsigned quality;     /* in thousandths */
	const char *type;     /* as it is to be answered with: the vendor's type where that is what was asked for */
};
struct accept {
	bool given;
	struct accept_one of[SERIALIZATION_COUNT];
};

void accept_add(struct accept *a, struct rd field); /* what is no media range is passed over */
/* The Content-Type of the answer, and its serialisation. Between equals `preferred` wins. Without a field that says anything, anything goes. */
const char *accept_choose(const struct accept *a, enum serialization preferred, enum serialization *s);

#endif
