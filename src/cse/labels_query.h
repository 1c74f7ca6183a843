/* labelsQuery: expressions on labels of the form "key" or "key:value". TS-0004 clause 7.3.3.17.16.
 *
 *	color                  there is the key, with a value or without
 *	NT color               there is not
 *	color EQ red           there is color:red; also written color:red
 *	color NE red           there is the key with a value, but not with this
 *	color IN (red, green)  there is the key with one of these values
 *	color NI (red, green)  there is the key with a value, but with none of these
 *
 * Several expressions are separated by commas; one that matches suffices. */
#ifndef KEYWAY_CSE_LABELS_QUERY_H
#define KEYWAY_CSE_LABELS_QUERY_H

#include "json/json.h"

#define LABELS_QUERY_OCTETS_MAX 4096
#define LABELS_QUERY_EXPRESSIONS_MAX 32
#define LABELS_QUERY_VALUES_MAX 32 /* between parentheses */

struct labels_query;

/* NULL with a part of a sentence in *why ("lbq must have ..."). The text must live as long as the arena. */
const struct labels_query *labels_query_parse(struct json_arena *a, struct rd text, const char **why);
bool labels_query_matches(const struct labels_query *q, const struct json *labels); /* NULL: a resource without labels */

#endif
