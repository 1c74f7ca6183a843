/* What a device is asked in its interview: the clusters that the descriptions have a use for, what is needed of each, and the frames that ask. */
#include "oci/interview_private.h"

#define QUESTION_MAX 60  /* octets of attributes in one question: the frame has to fit, and the answer too */
#define READ_MAX 6
#define NEEDS_MAX 32     /* of one cluster of an endpoint */

/* ---- what is needed ---- */

static bool is_used(const struct oci_device *d, const struct oci_endpoint *e, uint16_t cluster, bool client)
{
	if (cluster == ZCL_POLL_CONTROL && !client && oci_poll_uses(d, e))
		return true;
	for (size_t i = 0; i < d->place_count; i++) {
		const struct oci_place *p = &d->places[i];

		if (&d->endpoints[p->endpoint] == e && p->point->cluster == cluster && (p->point->received_count > 0) == client)
			return true;
	}
	return false;
}

bool oci_interview_pair_at(const struct oci_device *d, size_t item, struct oci_pair *pair)
{
	for (size_t e = 0; e < d->endpoint_count; e++) {
		const struct oci_endpoint *p = &d->endpoints[e];

		for (unsigned i = 0; i < p->in_count + 0U + p->out_count; i++) {
			bool client = i >= p->in_count;
			uint16_t cluster = client ? p->out[i - p->in_count] : p->in[i];

			if (!is_used(d, p, cluster, client) || item-- > 0)
				continue;
			*pair = (struct oci_pair){p, cluster, client};
			return true;
		}
	}
	return false;
}

struct need {
	uint16_t manufacturer, attribute;
	uint8_t type;
	uint16_t minimum_s, maximum_s;
	uint64_t change;
};

struct needs {
	struct need list[NEEDS_MAX];
	size_t count;
};

static void need(struct needs *n, const struct point *p, uint16_t attribute, bool reports)
{
	for (size_t i = 0; i < n->count; i++)
		if (n->list[i].attribute == attribute && n->list[i].manufacturer == p->manufacturer)
			return;
	if (n->count < NEEDS_MAX && (!reports || p->maximum_s > 0))
		n->list[n->count++] = (struct need){p->manufacturer, attribute, p->type, p->minimum_s, p->maximum_s, p->change};
}

static void needs_of(const struct oci_device *d, const struct oci_pair *pair, bool reports, struct needs *n)
{
	n->count = 0;
	for (int inputs = reports ? 1 : 0; inputs < 2; inputs++) { /* factors first: no value is shown without them */
		for (size_t i = 0; i < d->place_count; i++) {
			const struct oci_place *p = &d->places[i];

			if (&d->endpoints[p->endpoint] != pair->endpoint || p->point->cluster != pair->cluster)
				continue;
			if (!inputs && p->point->has_multiplier)
				need(n, p->point, p->point->multiplier, false);
			if (!inputs && p->point->has_divisor)
				need(n, p->point, p->point->divisor, false);
			for (size_t k = 0; inputs && k < p->point->input_count; k++)
				need(n, p->point, p->point->inputs[k], reports);
		}
	}
}

/* ---- questions ---- */

void oci_interview_ask_zdo(struct oci_core *c, struct oci_device *d, uint16_t cluster)
{
	struct zdo_message m = {.cluster = cluster, .sequence = d->zdo_sequence++, .short_address = d->short_address};

	if (cluster == ZDO_SIMPLE_DESC)
		m.endpoint = d->endpoints[d->item].id;
	d->asked_sequence = m.sequence;
	oci_zdo_send(c, d, &m);
}

void oci_interview_ask_attributes(struct oci_core *c, struct oci_device *d, const struct oci_endpoint *e, uint16_t cluster, const uint16_t *attributes, size_t n)
{
	uint8_t buffer[32];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd payload;

	for (size_t i = 0; i < n; i++)
		wr_le16(&w, attributes[i]);
	if (wr_done(&w, &payload))
		d->asked_sequence = oci_zcl_ask(c, d, e->id, cluster, 0, ZCL_READ, payload);
}

void oci_interview_ask_bind(struct oci_core *c, struct oci_device *d, const struct oci_pair *pair)
{
	struct zdo_message m = {.cluster = ZDO_BIND, .sequence = d->zdo_sequence++};

	m.bind.source = d->eui64;
	m.bind.source_endpoint = pair->endpoint->id;
	m.bind.cluster = pair->cluster;
	m.bind.destination = d->gateway;
	m.bind.destination_endpoint = OCI_ENDPOINT;
	d->asked_sequence = m.sequence;
	oci_zdo_send(c, d, &m);
}

void oci_interview_ask_needs(struct oci_core *c, struct oci_device *d, const struct oci_pair *pair, bool reports)
{
	uint8_t buffer[QUESTION_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct needs needs = {.count = 0};
	struct rd payload;
	size_t taken = 0;

	if (!pair->client && !(reports && d->kind && d->kind->no_reporting))
		needs_of(d, pair, reports, &needs);
	for (size_t i = d->part; i < needs.count && taken < READ_MAX; i++, taken++) {
		const struct need *n = &needs.list[i];
		bool tuned = d->kind && d->kind->has_reporting;
		struct wr before = w;

		if (n->manufacturer != needs.list[d->part].manufacturer)
			break;
		if (reports)
			zcl_configure_put(&w, n->attribute, n->type, tuned ? d->kind->minimum_s : n->minimum_s, tuned ? d->kind->maximum_s : n->maximum_s, n->change);
		else
			wr_le16(&w, n->attribute);
		if (w.spoilt) {
			w = before;
			break;
		}
	}
	d->asked_parts = taken;
	if (taken == 0)
		oci_interview_next_item(c, d);
	else if (wr_done(&w, &payload))
		d->asked_sequence = oci_zcl_ask(c, d, pair->endpoint->id, pair->cluster, needs.list[d->part].manufacturer, reports ? ZCL_CONFIGURE_REPORTING : ZCL_READ, payload);
}

void oci_interview_write_cie(struct oci_core *c, struct oci_device *d, const struct oci_endpoint *e)
{
	const struct zcl_value v = {.type = ZCL_EUI64, .number = d->gateway};
	uint8_t buffer[16];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd payload;

	zcl_report_put(&w, 0x0010, &v);
	if (wr_done(&w, &payload))
		d->asked_sequence = oci_zcl_ask(c, d, e->id, ZCL_IAS_ZONE, 0, ZCL_WRITE, payload);
}
