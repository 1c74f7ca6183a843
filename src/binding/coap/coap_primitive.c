/* Which CoAP options and formats stand for what of a primitive: the tables. coap_primitive_read.c and coap_primitive_write.c go by them. */
#include "binding/coap/primitive_private.h"

#include <stddef.h>

/* Times are 15 octets long in TS-0008; relative ones and fractions of seconds, which the CSE takes from elsewhere, are taken here too. */
const struct coap_option_rule coap_onem2m_rules[] = {
	{COAP_ONEM2M_OT, 0, COAP_TEXT_MAX, false}, {COAP_ONEM2M_RTURI, 0, COAP_TEXT_MAX, false}, {COAP_ONEM2M_TY, 0, 2, false}, {COAP_ONEM2M_RVI, 0, COAP_TEXT_MAX, false},
	{COAP_ONEM2M_ASRI, 0, COAP_TEXT_MAX, false}, {COAP_ONEM2M_FR, 0, COAP_TEXT_MAX, false}, {COAP_ONEM2M_RQI, 0, COAP_TEXT_MAX, false}, {COAP_ONEM2M_RQET, 0, COAP_TEXT_MAX, false},
	{COAP_ONEM2M_RSET, 0, COAP_TEXT_MAX, false}, {COAP_ONEM2M_OET, 0, COAP_TEXT_MAX, false}, {COAP_ONEM2M_EC, 0, 1, false}, {COAP_ONEM2M_RSC, 0, 2, false},
	{COAP_ONEM2M_GID, 0, COAP_TEXT_MAX, false}, {COAP_ONEM2M_CTO, 0, 4, false}, {COAP_ONEM2M_CTS, 0, 1, false}, {COAP_ONEM2M_ATI, 0, COAP_TEXT_MAX, false},
	{COAP_ONEM2M_VSI, 0, COAP_TEXT_MAX, false}, {COAP_ONEM2M_GTM, 0, 512, false}, {COAP_ONEM2M_AUS, 0, COAP_TEXT_MAX, false},
};
const size_t coap_onem2m_rule_count = sizeof coap_onem2m_rules / sizeof coap_onem2m_rules[0];

const struct coap_text coap_texts[COAP_TEXTS] = {
	{COAP_ONEM2M_OT, offsetof(struct onem2m_request, ot)}, {COAP_ONEM2M_RTURI, offsetof(struct onem2m_request, rt_nu)},
	{COAP_ONEM2M_RVI, offsetof(struct onem2m_request, release)}, {COAP_ONEM2M_FR, offsetof(struct onem2m_request, from)},
	{COAP_ONEM2M_RQI, offsetof(struct onem2m_request, request_id)}, {COAP_ONEM2M_RQET, offsetof(struct onem2m_request, rqet)},
	{COAP_ONEM2M_RSET, offsetof(struct onem2m_request, rset)}, {COAP_ONEM2M_OET, offsetof(struct onem2m_request, oet)},
	{COAP_ONEM2M_GID, offsetof(struct onem2m_request, gid)}, {COAP_ONEM2M_VSI, offsetof(struct onem2m_request, vendor)},
};

struct rd *coap_text_of(struct onem2m_request *rq, size_t i)
{
	return (struct rd *)(void *)((char *)rq + coap_texts[i].offset);
}

static const struct {
	uint16_t format;
	enum serialization s;
} formats[] = {
	{50, SERIALIZATION_JSON}, {41, SERIALIZATION_XML}, {60, SERIALIZATION_CBOR}, {10001, SERIALIZATION_JSON}, {10003, SERIALIZATION_JSON},
	{10007, SERIALIZATION_JSON}, {10009, SERIALIZATION_JSON}, {10014, SERIALIZATION_XML}, {10002, SERIALIZATION_XML}, {10006, SERIALIZATION_XML},
	{10008, SERIALIZATION_XML}, {10010, SERIALIZATION_CBOR}, {10011, SERIALIZATION_CBOR}, {10012, SERIALIZATION_CBOR}, {10013, SERIALIZATION_CBOR},
};

uint16_t coap_format_of(enum serialization s)
{
	size_t i = 0;

	while (formats[i].s != s)
		i++;
	return formats[i].format;
}

bool coap_format_parse(uint32_t format, enum serialization *s)
{
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		if (formats[i].format == format) {
			*s = formats[i].s;
			return true;
		}
	}
	return false;
}
