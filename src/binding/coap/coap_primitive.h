/* oneM2M primitives as CoAP messages: TS-0008 clause 6. Pure; no I/O. docs/protocols/coap.md has the tables.
 *
 *	struct coap_primitive p;
 *	rsc = coap_request_read(message, &p, &why);      RSC_OK: p.rq is for cse_submit
 *	coap_request_clear(&p);                          after its answer, whatever it was */
#ifndef KEYWAY_BINDING_COAP_COAP_PRIMITIVE_H
#define KEYWAY_BINDING_COAP_COAP_PRIMITIVE_H

#include "coap/coap_endpoint.h"
#include "serialization/serialization.h"

/* TS-0008 table 6.2.2.4.0-1; all critical, none repeats. */
enum coap_onem2m_option {
	COAP_ONEM2M_OT = 259,
	COAP_ONEM2M_RTURI = 263,
	COAP_ONEM2M_TY = 267,
	COAP_ONEM2M_RVI = 271,
	COAP_ONEM2M_ASRI = 275,
	COAP_ONEM2M_FR = 279,
	COAP_ONEM2M_RQI = 283,
	COAP_ONEM2M_RQET = 291,
	COAP_ONEM2M_RSET = 295,
	COAP_ONEM2M_OET = 299,
	COAP_ONEM2M_EC = 303,
	COAP_ONEM2M_RSC = 307,
	COAP_ONEM2M_GID = 311,
	COAP_ONEM2M_CTO = 319,
	COAP_ONEM2M_CTS = 323,
	COAP_ONEM2M_ATI = 327,
	COAP_ONEM2M_VSI = 331,
	COAP_ONEM2M_GTM = 335,
	COAP_ONEM2M_AUS = 339,
};
extern const struct coap_option_rule coap_onem2m_rules[];
extern const size_t coap_onem2m_rule_count;

#define COAP_FORMAT_LINKS 40 /* RFC 6690 */
#define COAP_JSON_MAX (1024 * 1024) /* content that came in another serialisation, as JSON */

/* Content-Format of a serialisation, and the reverse, which knows oneM2M's own names too. TS-0008 table 6.2.2.3-1. */
uint16_t coap_format_of(enum serialization s);
bool coap_format_parse(uint32_t format, enum serialization *s) MUST_CHECK;

struct coap_primitive {
	struct onem2m_request rq; /* all that it points to is in room or json, but peer and address */
	struct wr room, json;
	enum serialization answer_in;
	char why[SERIALIZATION_WHY_SIZE];
};
/* RSC_OK, or what the answer is to say, with the reason in *why. p is to be cleared either way; then it has at least what an answer repeats. */
enum onem2m_rsc coap_request_read(const struct coap_message *m, struct coap_primitive *p, const char **why) MUST_CHECK;
void coap_request_clear(struct coap_primitive *p);

/* Options under construction; they borrow what was given to them, and room. */
struct coap_options {
	struct coap_option list[COAP_OPTIONS_MAX - 8];
	size_t count;
	uint8_t room[8192];
	size_t used;
	bool too_long;            /* one of them does not fit into CoAP */
};

/* What answers `asked`, with content in that serialisation. The code comes back. */
uint8_t coap_response_write(const struct onem2m_response *rsp, const struct onem2m_request *asked, enum serialization s, struct coap_options *o);
/* The request for whoever is at `base`: path segments of a point of access behind its authority ("", "/x/y"), with content in that serialisation,
 * in which the response is wanted too. Code by *code. ERR_TOO_LONG. */
enum err coap_request_write(const struct onem2m_request *rq, struct rd base, enum serialization s, uint8_t *code, struct coap_options *o) MUST_CHECK;
/* rsp borrows from m and from location, which has room for the address of a new resource. Its content is in *s still. */
void coap_response_read(const struct coap_message *m, struct onem2m_response *rsp, enum serialization *s, char *location, size_t size);

#endif
