/* Lexical forms of oneM2M values (TS-0004 clause 6.3.3): whether a text is one. No allocation, linear in the text. */
#ifndef KEYWAY_ONEM2M_SCHEMA_VALUE_H
#define KEYWAY_ONEM2M_SCHEMA_VALUE_H

#include <stdbool.h>

#include "base/rd.h"

bool value_is_token(struct rd text);         /* xs:token that is not empty: no white space but single spaces within */
bool value_is_ncname(struct rd text);
bool value_is_uri(struct rd text);           /* xs:anyURI and m2m:ID: not empty, no white space, no control characters */
bool value_is_resource_name(struct rd text); /* of unreserved characters, RFC 3986 clause 2.3 */
bool value_is_timestamp(struct rd text);     /* YYYYMMDDThhmmss[,fraction], a day and time that exist */
bool value_is_abs_rel_timestamp(struct rd text); /* that, or milliseconds in decimal */
bool value_is_duration(struct rd text);      /* xs:duration */
bool value_is_schedule(struct rd text);      /* m2m:scheduleEntry: seven fields, TS-0004 table 7.4.9.1-3 */
bool value_is_base64(struct rd text);        /* RFC 4648 clause 4, padded */
bool value_is_content_info(struct rd text);  /* "application/json:0", "text/plain:1:2" */
bool value_is_ipv4(struct rd text);          /* with or without "/24" */
bool value_is_ipv6(struct rd text);
/* Whether `coordinates`, a JSON array, is that of geometry 1..6 (m2m:geometryType), RFC 7946 clause 3.1; a polygon of one ring may be that ring. */
bool value_is_geometry(int geometry, struct rd coordinates);

#endif
