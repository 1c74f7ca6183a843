/* Filter criteria between their two forms: the object of an m2m:rqp ("fc", TS-0004 clause 6.3.5.10), and the query of a URI (TS-0009 clause
 * 6.2.2.2), which is what onem2m_request.filter holds. Also the escaping of the latter. */
#ifndef KEYWAY_ONEM2M_CRITERIA_H
#define KEYWAY_ONEM2M_CRITERIA_H

#include "json/json.h"

/* Everything but RFC 3986's unreserved characters as %XX, so that '+' joins lists and '&' parameters. */
void query_put_escaped(struct wr *query, struct rd text);
/* "name=", with '&' before it when something is written already; the prefix ("c.") as it is. */
void query_put_name(struct wr *query, const char *prefix, struct rd name);
/* The next "name=value", undecoded; value is empty without '='. False at the end. */
bool query_next(struct rd *query, struct rd *name, struct rd *value) MUST_CHECK;
/* Decodes into dst, which has at least text.left octets; false on a broken escape. */
bool query_unescape(struct rd text, uint8_t *dst, struct rd *out) MUST_CHECK;

/* Appends. False when a member is nothing that a query can say: null, a list in a list. */
bool criteria_to_query(const struct json *fc, struct wr *query) MUST_CHECK;
/* "fc": {...} into the open object, when the query has criteria. Request parameters (rcn, rt ...) are none. False on a broken escape. */
bool criteria_from_query(struct rd query, struct json_out *o) MUST_CHECK;

#endif
