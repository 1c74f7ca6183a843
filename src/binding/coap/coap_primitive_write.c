/* From oneM2M to CoAP: our responses, and requests of ours. */
#include <string.h>

#include "base/bytes.h"
#include "binding/coap/primitive_private.h"
#include "onem2m/timestamp.h"

/* ---- building options ---- */

static void add(struct coap_options *o, uint16_t number, struct rd value)
{
	if (o->count == sizeof o->list / sizeof o->list[0] || value.left > COAP_TEXT_MAX)
		o->too_long = true;
	else
		o->list[o->count++] = (struct coap_option){number, value};
}

static void add_text(struct coap_options *o, uint16_t number, struct rd value)
{
	if (value.left > 0)
		add(o, number, value);
}

static void add_uint(struct coap_options *o, uint16_t number, uint32_t n)
{
	uint8_t *octets = o->room + o->used;

	if (sizeof o->room - o->used < 4) {
		o->too_long = true;
		return;
	}
	o->used += 4;
	add(o, number, coap_uint_print(octets, n));
}

/* "/id-in/cse-in" is "~", "id-in", "cse-in"; "//sp/id-in" is "_", "sp", "id-in". */
static void add_path(struct coap_options *o, uint16_t number, struct rd path)
{
	struct rd segment;

	if (rd_starts(path, "//") && rd_skip(&path, 2))
		add(o, number, rd_str("_"));
	else if (rd_starts(path, "/") && rd_skip(&path, 1))
		add(o, number, rd_str("~"));
	while (path.left > 0) {
		if (!rd_until(&path, '/', &segment))
			segment = rd_rest(&path);
		add(o, number, segment);
	}
}

static bool unescape(struct rd text, struct wr *w)
{
	uint8_t c, octet;
	struct rd digits;

	while (rd_u8(&text, &c)) {
		if (c != '%') {
			wr_u8(w, c);
			continue;
		}
		if (!rd_sub(&text, 2, &digits) || !hex_parse(digits, &octet, 1))
			return false;
		wr_u8(w, octet);
	}
	return !w->spoilt;
}

static void add_query(struct coap_options *o, struct rd query)
{
	struct rd pair;

	while (query.left > 0) {
		struct wr w = wr_of(o->room + o->used, sizeof o->room - o->used);

		if (!rd_until(&query, '&', &pair))
			pair = rd_rest(&query);
		if (pair.left == 0)
			continue;
		if (!unescape(pair, &w)) {
			o->too_long = true;
			return;
		}
		o->used += w.len;
		add(o, COAP_URI_QUERY, rd_of(w.octets, w.len));
	}
}

/* ---- responses: status codes are in TS-0008 table 6.2.4-1 ---- */

/* Most have the CoAP code of the same meaning as their HTTP status; these have not. */
static const struct {
	enum onem2m_rsc rsc;
	uint8_t code;
} others[] = {
	{RSC_ACCEPTED, COAP_CHANGED}, {RSC_ACCEPTED_SYNCH, COAP_CREATED}, {RSC_ACCEPTED_ASYNCH, COAP_CHANGED}, {RSC_DELETED, COAP_DELETED},
	{RSC_UPDATED, COAP_CHANGED}, {RSC_CONFLICT, COAP_CODE(4, 3)}, {RSC_INVALID_SEMANTICS, COAP_CODE(4, 2)}, {RSC_INVALID_TRIGGER_PURPOSE, COAP_CODE(4, 2)},
};

static uint8_t code_of(const struct onem2m_response *rsp, const struct onem2m_request *asked)
{
	unsigned status = rsc_http_status(rsp->rsc);

	if (rsp->rsc == RSC_OK && asked->operation == ONEM2M_NOTIFY && rsp->content.left == 0)
		return COAP_CHANGED;
	if (rsp->rsc == RSC_ACCEPTED_ASYNCH && rsp->location.left > 0)
		return COAP_CREATED;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (others[i].rsc == rsp->rsc)
			return others[i].code;
	switch (status) {
	case 200:
		return COAP_CONTENT;
	case 201:
		return COAP_CREATED;
	case 409:
		return COAP_BAD_REQUEST;
	default: /* 4xx and 5xx: the same numbers */
		return COAP_CODE(status / 100, status % 100);
	}
}

uint8_t coap_response_write(const struct onem2m_response *rsp, const struct onem2m_request *asked, enum serialization s, struct coap_options *o)
{
	uint64_t ec;

	o->count = o->used = 0;
	o->too_long = false;
	add_uint(o, COAP_ONEM2M_RSC, (uint32_t)rsp->rsc);
	add_text(o, COAP_ONEM2M_RQI, asked->request_id);
	add_text(o, COAP_ONEM2M_RVI, asked->release);
	add_text(o, COAP_ONEM2M_VSI, asked->vendor);
	if (rd_decimal(asked->ec, &ec) && ec <= 255)
		add_uint(o, COAP_ONEM2M_EC, (uint32_t)ec);
	add_text(o, COAP_ONEM2M_OT, rsp->ot);
	add_text(o, COAP_ONEM2M_RSET, rsp->rset);
	if (rsp->cts)
		add_uint(o, COAP_ONEM2M_CTS, (uint32_t)rsp->cts);
	if (rsp->cts == 1 && rsp->cto <= UINT32_MAX)
		add_uint(o, COAP_ONEM2M_CTO, (uint32_t)rsp->cto);
	if (rsp->location.left > 0)
		add_path(o, COAP_LOCATION_PATH, rsp->location);
	if (rsp->content.left > 0)
		add_uint(o, COAP_CONTENT_FORMAT, coap_format_of(s));
	return code_of(rsp, asked);
}

/* ---- requests from us ---- */

/* TS-0008 has seconds and no more; the next full one, lest the other side gives up before this one. */
static void add_time(struct coap_options *o, uint16_t number, struct rd text)
{
	uint64_t ms;
	char stamp[TIMESTAMP_SIZE];
	struct wr w = wr_of(o->room + o->used, sizeof o->room - o->used);
	bool is_time = number == COAP_ONEM2M_OT || number == COAP_ONEM2M_RQET || number == COAP_ONEM2M_RSET || number == COAP_ONEM2M_OET;

	if (is_time && text.left > 0 && memchr(text.at, ',', text.left) && timestamp_parse(text, &ms)) {
		timestamp_print(stamp, (ms + 999) / 1000 * 1000);
		wr_str(&w, stamp);
		o->used += w.len;
		add_text(o, number, rd_of(w.octets, w.len));
	} else {
		add_text(o, number, text);
	}
}

static uint8_t request_code(const struct onem2m_request *rq, struct coap_options *o)
{
	static const uint8_t codes[] = {0, COAP_POST, COAP_GET, COAP_PUT, COAP_DELETE, COAP_POST};
	static const char *const operations[] = {"", "op=1", "op=2", "op=3", "op=4", "op=5"};

	if (rq->rt != ONEM2M_NON_BLOCKING_SYNCH && rq->rt != ONEM2M_NON_BLOCKING_ASYNCH && rq->rt != ONEM2M_FLEX_BLOCKING)
		return codes[rq->operation];
	add(o, COAP_URI_QUERY, rd_str(operations[rq->operation]));
	return COAP_POST;
}

enum err coap_request_write(const struct onem2m_request *rq, struct rd base, enum serialization s, uint8_t *code, struct coap_options *o)
{
	struct onem2m_request copy = *rq;
	uint64_t ec;

	o->count = o->used = 0;
	o->too_long = false;
	if (rd_starts(base, "/") && !rd_skip(&base, 1))
		return ERR_MALFORMED;
	add_path(o, COAP_URI_PATH, base);
	add_path(o, COAP_URI_PATH, rq->to);
	*code = request_code(rq, o);
	add_query(o, rq->filter);
	if (copy.request_id.left == 0)
		copy.request_id = rd_str("0");
	if (copy.release.left == 0)
		copy.release = rd_str("3");
	for (size_t i = 0; i < COAP_TEXTS; i++) {
		if (coap_texts[i].number == COAP_ONEM2M_RTURI && rq->rt_nu.at)
			add(o, COAP_ONEM2M_RTURI, rq->rt_nu); /* an empty list of targets is another thing than none */
		else
			add_time(o, coap_texts[i].number, *coap_text_of(&copy, i));
	}
	if (rd_decimal(rq->ec, &ec) && ec <= 255)
		add_uint(o, COAP_ONEM2M_EC, (uint32_t)ec);
	if (rq->operation == ONEM2M_CREATE)
		add_uint(o, COAP_ONEM2M_TY, (uint32_t)rq->type);
	if (rq->content.left > 0)
		add_uint(o, COAP_CONTENT_FORMAT, coap_format_of(s));
	add_uint(o, COAP_ACCEPT, coap_format_of(s));
	return o->too_long ? ERR_TOO_LONG : OK;
}
