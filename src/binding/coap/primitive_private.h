/* What both ways between oneM2M and CoAP go by (coap_primitive_read.c, coap_primitive_write.c): the tables of coap_primitive.c. */
#ifndef KEYWAY_BINDING_COAP_PRIMITIVE_PRIVATE_H
#define KEYWAY_BINDING_COAP_PRIMITIVE_PRIVATE_H

#include "binding/coap/coap_primitive.h"

#define COAP_TEXT_MAX 255 /* octets of an option */

/* Parameters that are text in both. */
#define COAP_TEXTS 10
struct coap_text {
	uint16_t number;
	size_t offset;
};
extern const struct coap_text coap_texts[COAP_TEXTS];
struct rd *coap_text_of(struct onem2m_request *rq, size_t i); /* the request's i-th of them */

#endif
