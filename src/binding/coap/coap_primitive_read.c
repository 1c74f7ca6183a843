/* From CoAP to oneM2M: requests that come to us, and the responses to ours. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binding/coap/primitive_private.h"
#include "onem2m/query.h"

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

	for (size_t i = 0; i < COAP_TEXTS; i++) {
		const struct coap_option *o = coap_option_find(m, coap_texts[i].number);

		start = p->room.len;
		if (!o)
			continue;
		wr_rd(&p->room, o->value);
		*coap_text_of(&p->rq, i) = since(&p->room, start);
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

/* ---- responses ---- */

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
