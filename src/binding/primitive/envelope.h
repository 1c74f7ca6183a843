/* Whole primitives in one message, m2m:rqp and m2m:rsp of TS-0004 clause 6.4: what WebSocket and MQTT carry. JSON and CBOR have no root around
 * them (clause 8.4.2), XML has; a root in JSON or CBOR is taken too.
 *
 *	struct envelope *v;
 *
 *	if (envelope_read(SERIALIZATION_CBOR, message, &v, why, sizeof why) != OK)
 *		...                                                 no primitive: there is nothing to answer to
 *	else if (v->fault[0])
 *		...                                                 answer v->id with 4000
 *	else if (v->is_response)
 *		...                                                 v->rsp is the answer to what was asked with v->id
 *	else
 *		cse_submit(c, &v->rq, done, ctx);                   v lives until done
 */
#ifndef KEYWAY_BINDING_PRIMITIVE_ENVELOPE_H
#define KEYWAY_BINDING_PRIMITIVE_ENVELOPE_H

#include "serialization/serialization.h"

#define ENVELOPE_MAX ((size_t)2 << 20)        /* of a message that comes: content of a MiB, and the rest */
#define ENVELOPE_OUT_MAX ((size_t)40 << 20)   /* of one that leaves: what a CSE answers with at most, in XML */
#define ENVELOPE_FAULT_SIZE 160

/* Texts are its own. What the transport knows (peer, address) is for the caller to fill in. */
struct envelope {
	bool is_response;
	bool rooted;                  /* JSON or CBOR with a root: answered likewise */
	struct rd id;                 /* rqi; empty when there is none */
	struct rd to, from;
	struct onem2m_request rq;     /* rq.filter has every parameter that a query would have, so that the request can go on over HTTP */
	struct onem2m_response rsp;
	char fault[ENVELOPE_FAULT_SIZE]; /* what is wrong with it, for the sender; "" when nothing is */
};
enum err envelope_read(enum serialization s, struct rd octets, struct envelope **out, char *why, size_t size) MUST_CHECK;
void envelope_free(struct envelope *v);

/* ERR_TOO_LONG, or ERR_BAD_VALUE when the serialisation cannot say it; what was written is worth nothing then. Content that is no JSON goes as a string;
 * that of a composed response is not looked at. */
enum err envelope_write_request(enum serialization s, const struct onem2m_request *rq, struct wr *out) MUST_CHECK;

/* What a response says of its request. */
struct envelope_about {
	struct rd id, to, from;       /* from whom the response is, and to whom; may be empty */
	struct rd release, vendor, ec;
	bool rooted;
};
enum err envelope_write_response(enum serialization s, const struct onem2m_response *rsp, const struct envelope_about *about, struct wr *out) MUST_CHECK;

#endif
