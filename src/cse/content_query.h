/* Content filters: contentFilterQuery in JSON_PATH_SYNTAX (TS-0001 annex J.2), on the content of instances.
 *
 *	$.temperature GT 21 AND $.rooms[0]."floor plan" EQ "north wing"
 *
 * A path begins with $, the whole content; .name is a member, "..." or '...' around a name with special characters; [n] an element, from 0.
 * EQ and NE compare strings, numbers and true or false; GT, LT, GE and LE numbers; MATCH looks for a part of a string. A literal is a number, a JSON
 * string, or a word. AND and OR apply from left to right. A comparison of what is not there, or not comparable, does not hold. */
#ifndef KEYWAY_CSE_CONTENT_QUERY_H
#define KEYWAY_CSE_CONTENT_QUERY_H

#include "json/json.h"

#define CONTENT_QUERY_OCTETS_MAX 4096   /* bounds the work for one instance together with the next two */
#define CONTENT_QUERY_COMPARISONS_MAX 32
#define CONTENT_QUERY_STEPS_MAX JSON_DEPTH_MAX /* of one path: no content is deeper */

struct content_query;

/* NULL with a part of a sentence in *why ("cfq must have ..."). The text must live as long as the arena. */
const struct content_query *content_query_parse(struct json_arena *a, struct rd text, const char **why);
bool content_query_matches(const struct content_query *q, const struct json *content);

#endif
