/* A request primitive that was read from a CoAP message, written and read again is the same; a response that was read is one of oneM2M's. */
#include <string.h>

#include "binding/coap/coap_primitive.h"
#include "../fuzz.h"

static bool same_time(struct rd a, struct rd b)
{
	/* fractions of a second are rounded up once */
	return rd_equal(a, b) || memchr(a.at, ',', a.left);
}

static void compare(const struct onem2m_request *a, const struct onem2m_request *b)
{
	MUST(a->operation == b->operation && a->type == b->type && a->rcn == b->rcn && a->drt == b->drt && a->rt == b->rt);
	MUST(rd_equal(a->to, b->to) && rd_equal(a->from, b->from) && rd_equal(a->request_id, b->request_id) && rd_equal(a->vendor, b->vendor));
	MUST(rd_equal(a->filter, b->filter) && rd_equal(a->content, b->content) && rd_equal(a->gid, b->gid) && rd_equal(a->ec, b->ec));
	MUST((a->rt_nu.at == NULL) == (b->rt_nu.at == NULL) && rd_equal(a->rt_nu, b->rt_nu));
	MUST(rd_equal(a->release, b->release) || a->release.left == 0);
	MUST(same_time(a->ot, b->ot) && same_time(a->rqet, b->rqet) && same_time(a->rset, b->rset) && same_time(a->oet, b->oet));
}

static void write_and_read(const struct coap_primitive *p)
{
	uint8_t octets[16384];
	struct wr w = wr_of(octets, sizeof octets);
	struct coap_message m = {.type = COAP_CON, .payload = p->rq.content}, again;
	struct coap_primitive q;
	struct coap_options o;
	const char *why;

	if (coap_request_write(&p->rq, rd_str(""), SERIALIZATION_JSON, &m.code, &o) != OK) /* an option got longer than CoAP's by its escapes */
		return;
	for (size_t i = 0; i < o.count; i++)
		MUST(coap_option_add(&m, o.list[i].number, o.list[i].value));
	MUST(coap_message_encode(&m, &w) == OK && coap_message_decode(rd_of(octets, w.len), &again) == OK);
	MUST(coap_request_read(&again, &q, &why) == RSC_OK);
	compare(&p->rq, &q.rq);
	coap_request_clear(&q);
}

/* What the endpoint lets pass. */
static bool keeps_the_rules(const struct coap_message *m)
{
	for (size_t i = 0; i < m->option_count; i++) {
		const struct coap_option *o = &m->options[i];

		if (o->value.left > 255)
			return false;
		for (size_t k = 0; k < coap_onem2m_rule_count; k++)
			if (coap_onem2m_rules[k].number == o->number &&
			    (o->value.left > coap_onem2m_rules[k].most || (i > 0 && m->options[i - 1].number == o->number)))
				return false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct coap_message m;
	struct coap_primitive p;
	struct onem2m_response rsp;
	enum serialization form;
	char location[FUZZ_INPUT_MAX];
	const char *why = NULL;

	if (size > FUZZ_INPUT_MAX || coap_message_decode(rd_of(data, size), &m) != OK || !keeps_the_rules(&m))
		return 0;
	if (m.code >> 5 != 0) {
		coap_response_read(&m, &rsp, &form, location, sizeof location);
		MUST(strcmp(rsc_text(rsp.rsc), "unknown response status code") != 0 && (rsp.content.left == 0 || rd_equal(rsp.content, m.payload)));
		return 0;
	}
	if (coap_request_read(&m, &p, &why) == RSC_OK)
		write_and_read(&p);
	else
		MUST(why != NULL);
	coap_request_clear(&p);
	return 0;
}
