/* Content between the serialisations of TS-0004 clause 8: JSON, of which everything else in the CSE is made, XML (8.3) and CBOR (8.5).
 *
 *	struct wr json = wr_new(LIMIT);
 *	char why[SERIALIZATION_WHY_SIZE];
 *
 *	if (serialization_to_json(SERIALIZATION_XML, body, &json, why, sizeof why) != OK)
 *		return refuse(why);
 *
 * JSON -> X -> JSON gives the same value for whatever JSON with one root there is, accepted by a resource type or not. How, and what was
 * decided where TS-0004 leaves room, says docs/protocols/serialization.md. Pure: no I/O, no network, no file, no state between calls. */
#ifndef KEYWAY_SERIALIZATION_SERIALIZATION_H
#define KEYWAY_SERIALIZATION_SERIALIZATION_H

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"
#include "onem2m/primitive.h"

#define SERIALIZATION_COUNT 3
#define SERIALIZATION_WHY_SIZE 128

/* Writes behind what is in `json` already. The result is one JSON text that json_parse accepts, so depth and number of members are bounded
 * as there. JSON itself is passed on unread: whoever uses it parses it. Fails with ERR_SHORT, ERR_MALFORMED, ERR_UNSUPPORTED (a DTD, a
 * tag), ERR_TOO_LONG (size, depth), ERR_BAD_VALUE (a value that JSON has not, such as NaN) or ERR_NO_MEMORY, and a sentence in `why`; what
 * was written is worth nothing then. */
enum err serialization_to_json(enum serialization s, struct rd in, struct wr *json, char *why, size_t size) MUST_CHECK;

/* ERR_MALFORMED: no JSON. ERR_BAD_VALUE: XML has no name for the root, or needs exactly one; a number beyond what CBOR can carry.
 * ERR_TOO_LONG: it does not fit into `out`. */
enum err serialization_from_json(enum serialization s, struct rd json, struct wr *out) MUST_CHECK;

const char *serialization_name(enum serialization s);       /* "json", as in sub-protocols and topics */
const char *serialization_media_type(enum serialization s); /* "application/json" */
/* application/{json,xml,cbor} and application/vnd.onem2m-{res,ntfy,preq,prsp}+{json,xml,cbor}, in any case; parameters behind `;` are
 * ignored. False: none of them. */
bool serialization_of_media_type(struct rd type, enum serialization *s) MUST_CHECK;

#endif
