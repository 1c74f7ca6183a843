/* Primitives and CoAP options. */
#include "binding/coap/coap_primitive.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "onem2m/query.h"
#include "onem2m/timestamp.h"

#define TEXT_MAX 255

/* Times are 15 octets long in TS-0008; relative ones and fractions of seconds, which the CSE takes from elsewhere, are taken here too. */
const struct coap_option_rule coap_onem2m_rules[] = {
	{COAP_ONEM2M_OT, 0, TEXT_MAX, false}, {COAP_ONEM2M_RTURI, 0, TEXT_MAX, false}, {COAP_ONEM2M_TY, 0, 2, false}, {COAP_ONEM2M_RVI, 0, TEXT_MAX, false},
	{COAP_ONEM2M_ASRI, 0, TEXT_MAX, false}, {COAP_ONEM2M_FR, 0, TEXT_MAX, false}, {COAP_ONEM2M_RQI, 0, TEXT_MAX, false}, {COAP_ONEM2M_RQET, 0, TEXT_MAX, false},
	{COAP_ONEM2M_RSET, 0, TEXT_MAX, false}, {COAP_ONEM2M_OET, 0, TEXT_MAX, false}, {COAP_ONEM2M_EC, 0, 1, false}, {COAP_ONEM2M_RSC, 0, 2, false},
	{COAP_ONEM2M_GID, 0, TEXT_MAX, false}, {COAP_ONEM2M_CTO, 0, 4, false}, {COAP_ONEM2M_CTS, 0, 1, false}, {COAP_ONEM2M_ATI, 0, TEXT_MAX, false},
	{COAP_ONEM2M_VSI, 0, TEXT_MAX, false}, {COAP_ONEM2M_GTM, 0, 512, false}, {COAP_ONEM2M_AUS, 0, TEXT_MAX, false},
};
const size_t coap_onem2m_rule_count = sizeof coap_onem2m_rules / sizeof coap_onem2m_rules[0];

/* Parameters that are text in both. */
static const struct {
	uint16_t number;
	size_t offset;
} texts[] = {
	{COAP_ONEM2M_OT, offsetof(struct onem2m_request, ot)}, {COAP_ONEM2M_RTURI, offsetof(struct onem2m_request, rt_nu)},
	{COAP_ONEM2M_RVI, offsetof(struct onem2m_request, release)}, {COAP_ONEM2M_FR, offsetof(struct onem2m_request, from)},
	{COAP_ONEM2M_RQI, offsetof(struct onem2m_request, request_id)}, {COAP_ONEM2M_RQET, offsetof(struct onem2m_request, rqet)},
	{COAP_ONEM2M_RSET, offsetof(struct onem2m_request, rset)}, {COAP_ONEM2M_OET, offsetof(struct onem2m_request, oet)},
	{COAP_ONEM2M_GID, offsetof(struct onem2m_request, gid)}, {COAP_ONEM2M_VSI, offsetof(struct onem2m_request, vendor)},
};
#define TEXTS (sizeof texts / sizeof texts[0])

static struct rd *text_of(struct onem2m_request *rq, size_t i)
{
	return (struct rd *)(void *)((char *)rq + texts[i].offset);
}

/* ---- requests to us ---- */

/* The room is large enough for everything from the start: nothing moves. */
static struct rd since(const struct wr *room, size_t start)
{
	return rd_of(room->octets + start, room->len - start);
}

static bool is_safe(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c != 0 && strchr("-._~!$'()*+,;:@/?=", c));
}

static void escape(struct wr *w, struct rd text)
{
	uint8_t c;

	while (rd_u8(&text, &c)) {
		if (is_safe(c))
			wr_u8(w, c);
		else
			wr_fmt(w, "%%%02X", c);
	}
}

/* Segments: "~" first says SP-relative, "_" absolute (TS-0008 clause 6.2.2.2). */
static bool read_path(const struct coap_message *m, uint16_t number, struct wr *room, struct rd *path)
{
	size_t start = room->len, i = 0;
	const char *prefix = "", *between = "";

	while (i < m->option_count && m->options[i].number != number)
		i++;
	if (i < m->option_count && (rd_is(m->options[i].value, "~") || rd_is(m->options[i].value, "_"))) {
		prefix = m->options[i].value.at[0] == '~' ? "/" : "//";
		i++;
	}
	wr_str(room, prefix);
	for (; i < m->option_count && m->options[i].number == number; i++) {
		struct rd segment = m->options[i].value;

		if (segment.left > 0 && memchr(segment.at, '/', segment.left))
			return false;
		wr_str(room, between);
		wr_rd(room, segment);
		between = "/";
	}
	*path = since(room, start);
	while (path->left > strlen(prefix) && path->at[path->left - 1] == '/') /* a slash at the end names nothing more */
		path->left--;
	return prefix[0] || !rd_starts(*path, "/"); /* which would be another kind of address */
}

static struct rd read_query(const struct coap_message *m, struct wr *room)
{
	size_t start = room->len;

	for (size_t i = 0; i < m->option_count; i++) {
		if (m->options[i].number != COAP_URI_QUERY || m->options[i].value.left == 0 || rd_starts(m->options[i].value, "op="))
			continue;
		if (room->len > start)
			wr_u8(room, '&');
		escape(room, m->options[i].value);
	}
	return since(room, start);
}

static bool read_uint(const struct coap_message *m, uint16_t number, uint32_t *n)
{
	const struct coap_option *o = coap_option_find(m, number);

	return o && coap_uint_parse(o->value, n);
}

/* A POST says its operation itself when its response shall not be waited for; otherwise it creates if it has a type. TS-0008 clause 6.2.1. */
static bool read_operation(const struct coap_message *m, struct onem2m_request *rq)
{
	uint32_t ty = 0;
	bool has_ty = read_uint(m, COAP_ONEM2M_TY, &ty);

	switch (m->code) {
	case COAP_GET:
		rq->operation = ONEM2M_RETRIEVE;
		break;
	case COAP_PUT:
		rq->operation = ONEM2M_UPDATE;
		break;
	case COAP_DELETE:
		rq->operation = ONEM2M_DELETE;
		break;
	case COAP_POST:
		rq->operation = has_ty ? ONEM2M_CREATE : ONEM2M_NOTIFY;
		for (size_t i = 0; i < m->option_count; i++) {
			struct rd value = m->options[i].value;

			if (m->options[i].number != COAP_URI_QUERY || !rd_starts(value, "op="))
				continue;
			if (value.left != 4 || value.at[3] < '1' || value.at[3] > '5')
				return false;
			rq->operation = (enum onem2m_operation)(value.at[3] - '0');
		}
		break;
	default:
		return false;
	}
	rq->type = rq->operation == ONEM2M_CREATE ? (int)ty : 0;
	return ty <= INT16_MAX;
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

/* Content as JSON, and in which serialisation the answer goes: as asked for, or as the question came. */
static enum onem2m_rsc read_content(const struct coap_message *m, struct coap_primitive *p, const char **why)
{
	enum serialization s = SERIALIZATION_JSON;
	uint32_t format;
	size_t start = p->room.len;

	if (m->payload.left > 0 && read_uint(m, COAP_CONTENT_FORMAT, &format) && !coap_format_parse(format, &s)) {
		*why = "the content must be JSON, XML or CBOR";
		return RSC_UNSUPPORTED_MEDIA_TYPE;
	}
	p->answer_in = s;
	if (read_uint(m, COAP_ACCEPT, &format) && !coap_format_parse(format, &p->answer_in)) {
		*why = "the answer can be JSON, XML or CBOR";
		return RSC_NOT_ACCEPTABLE;
	}
	if (s != SERIALIZATION_JSON && m->payload.left > 0) {
		*why = p->why;
		if (serialization_to_json(s, m->payload, &p->json, p->why, sizeof p->why) != OK || !wr_done(&p->json, &p->rq.content))
			return p->json.spoilt ? RSC_NOT_ACCEPTABLE : RSC_BAD_REQUEST;
		return RSC_OK;
	}
	wr_rd(&p->room, m->payload);
	p->rq.content = since(&p->room, start);
	return RSC_OK;
}

static void make_room(const struct coap_message *m, struct coap_primitive *p)
{
	size_t size = m->payload.left + 64;
	uint8_t *octets;

	for (size_t i = 0; i < m->option_count; i++)
		size += 3 * m->options[i].value.left + 8;
	octets = malloc(size);
	if (!octets)
		abort();
	p->room = wr_of(octets, size);
}

static void read_options(const struct coap_message *m, struct coap_primitive *p)
{
	uint32_t ec;
	size_t start;

	for (size_t i = 0; i < TEXTS; i++) {
		const struct coap_option *o = coap_option_find(m, texts[i].number);

		start = p->room.len;
		if (!o)
			continue;
		wr_rd(&p->room, o->value);
		*text_of(&p->rq, i) = since(&p->room, start);
	}
	if (read_uint(m, COAP_ONEM2M_EC, &ec)) {
		start = p->room.len;
		wr_fmt(&p->room, "%u", (unsigned)ec);
		p->rq.ec = since(&p->room, start);
	}
}

enum onem2m_rsc coap_request_read(const struct coap_message *m, struct coap_primitive *p, const char **why)
{
	memset(p, 0, sizeof *p);
	p->json = wr_new(COAP_JSON_MAX);
	p->rq.rcn = ONEM2M_RCN_ABSENT;
	p->rq.peer = "";
	make_room(m, p);
	read_options(m, p);
	if (!read_operation(m, &p->rq)) {
		*why = "the method, the operation (op) or the type is none of oneM2M's";
		return m->code > COAP_DELETE ? RSC_OPERATION_NOT_ALLOWED : RSC_BAD_REQUEST;
	}
	p->rq.filter = read_query(m, &p->room);
	if (p->rq.request_id.left == 0 || !read_path(m, COAP_URI_PATH, &p->room, &p->rq.to) || !query_parameters(&p->rq)) {
		*why = p->rq.request_id.left == 0 ? "the request identifier (oneM2M-RQI) is missing" : "the path, or rcn, drt, rt or tqi in the query, is none of its values";
		return RSC_BAD_REQUEST;
	}
	return read_content(m, p, why);
}

void coap_request_clear(struct coap_primitive *p)
{
	free(p->room.octets);
	wr_free(&p->json);
	memset(p, 0, sizeof *p);
}

/* ---- building options ---- */

static void add(struct coap_options *o, uint16_t number, struct rd value)
{
	if (o->count == sizeof o->list / sizeof o->list[0] || value.left > TEXT_MAX)
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

/* ---- response status codes, TS-0008 table 6.2.4-1 ---- */

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

/* For a response without oneM2M-RSC, which may be left out where the code has one meaning. */
static enum onem2m_rsc rsc_of(uint8_t code)
{
	static const struct {
		uint8_t code;
		enum onem2m_rsc rsc;
	} known[] = {
		{COAP_CREATED, RSC_CREATED}, {COAP_DELETED, RSC_DELETED}, {COAP_CHANGED, RSC_UPDATED}, {COAP_CONTENT, RSC_OK},
		{COAP_CODE(4, 3), RSC_ORIGINATOR_HAS_NO_PRIVILEGE}, {COAP_CODE(4, 4), RSC_NOT_FOUND}, {COAP_CODE(4, 5), RSC_OPERATION_NOT_ALLOWED},
		{COAP_CODE(4, 6), RSC_NOT_ACCEPTABLE}, {COAP_CODE(4, 15), RSC_UNSUPPORTED_MEDIA_TYPE}, {COAP_CODE(5, 1), RSC_NOT_IMPLEMENTED},
		{COAP_CODE(5, 4), RSC_REQUEST_TIMEOUT},
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (known[i].code == code)
			return known[i].rsc;
	return code >> 5 == 4 ? RSC_BAD_REQUEST : RSC_INTERNAL_SERVER_ERROR;
}

/* ---- responses ---- */

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

static struct rd option_text(const struct coap_message *m, uint16_t number)
{
	const struct coap_option *o = coap_option_find(m, number);

	return o ? o->value : rd_of("", 0);
}

void coap_response_read(const struct coap_message *m, struct onem2m_response *rsp, enum serialization *s, char *location, size_t size)
{
	struct wr w = wr_of(location, size);
	char digits[12];
	uint32_t n;

	*rsp = (struct onem2m_response){.rsc = rsc_of(m->code), .content = m->payload};
	if (read_uint(m, COAP_ONEM2M_RSC, &n)) {
		snprintf(digits, sizeof digits, "%u", (unsigned)n);
		if (!rsc_parse(rd_str(digits), &rsp->rsc)) /* a code that does not exist is an error of the other side */
			rsp->rsc = RSC_INTERNAL_SERVER_ERROR;
	}
	if (!read_path(m, COAP_LOCATION_PATH, &w, &rsp->location) || w.spoilt)
		rsp->location = rd_of("", 0);
	*s = SERIALIZATION_JSON;
	if (read_uint(m, COAP_CONTENT_FORMAT, &n) && !coap_format_parse(n, s))
		rsp->content = rd_of("", 0); /* nothing that we can read */
	rsp->ot = option_text(m, COAP_ONEM2M_OT);
	rsp->rset = option_text(m, COAP_ONEM2M_RSET);
	if (read_uint(m, COAP_ONEM2M_CTS, &n))
		rsp->cts = (int)n;
	if (read_uint(m, COAP_ONEM2M_CTO, &n))
		rsp->cto = n;
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
	for (size_t i = 0; i < TEXTS; i++) {
		if (texts[i].number == COAP_ONEM2M_RTURI && rq->rt_nu.at)
			add(o, COAP_ONEM2M_RTURI, rq->rt_nu); /* an empty list of targets is another thing than none */
		else
			add_time(o, texts[i].number, *text_of(&copy, i));
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
