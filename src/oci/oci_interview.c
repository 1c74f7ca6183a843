/* The interview of a device: what endpoints it has, who made it, what its alarm zones are; then bindings, reporting and first values as the
 * descriptions say. Each question three times; what a device does not answer or support is left out. */
#include <string.h>

#include "base/clock.h"
#include "oci/core_private.h"

#define STEP_MS 6000
#define STEP_SLEEPY_MS 9000
#define STEP_TRIES 3
#define RESTORED_MS 1000
#define POLL_S 300       /* of a device that cannot report */
#define ENDPOINT_LAST 240
#define AGAIN_MS 1000
#define AT_ONCE 8        /* of those that listen, and as many of those that sleep */
#define QUESTION_MAX 60  /* octets of attributes in one question: the frame has to fit, and the answer too */
#define READ_MAX 6
#define NEEDS_MAX 32     /* of one cluster of an endpoint */

static void step_to(struct oci_core *c, struct oci_device *d, enum oci_interview next)
{
	d->interview = next;
	d->item = d->part = 0;
	d->step_tries = 0;
	d->step_at = c->now;
	(void)oci_save(c, d);
	oci_interview_step(c, d);
}

void oci_interview_begin(struct oci_core *c, struct oci_device *d, uint64_t in_ms)
{
	if (d->interview != OCI_INTERVIEW_WAITING)
		return;
	d->polling = false;
	d->step_at = c->now + in_ms;
	d->step_tries = 0;
}

void oci_interview_stop(struct oci_device *d)
{
	d->interview = OCI_INTERVIEW_WAITING;
	d->in_turn = false;
	d->step_at = CLOCK_NEVER;
}

static void next_item(struct oci_core *c, struct oci_device *d)
{
	d->item++;
	d->part = 0;
	d->step_tries = 0;
	d->step_at = c->now;
	oci_interview_step(c, d);
}

static void next_part(struct oci_core *c, struct oci_device *d)
{
	d->part += d->asked_parts;
	d->step_tries = 0;
	d->step_at = c->now;
	oci_interview_step(c, d);
}

/* ---- what is to be asked ---- */

/* A cluster of an endpoint that the descriptions have a use for. */
struct pair {
	const struct oci_endpoint *endpoint;
	uint16_t cluster;
	bool client; /* it sends commands: it is bound, and there is nothing to read */
};

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

/* The item-th; false behind the last. */
static bool pair_at(const struct oci_device *d, size_t item, struct pair *pair)
{
	for (size_t e = 0; e < d->endpoint_count; e++) {
		const struct oci_endpoint *p = &d->endpoints[e];

		for (unsigned i = 0; i < p->in_count + 0U + p->out_count; i++) {
			bool client = i >= p->in_count;
			uint16_t cluster = client ? p->out[i - p->in_count] : p->in[i];

			if (!is_used(d, p, cluster, client) || item-- > 0)
				continue;
			*pair = (struct pair){p, cluster, client};
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

static void needs_of(const struct oci_device *d, const struct pair *pair, bool reports, struct needs *n)
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

static void ask_zdo(struct oci_core *c, struct oci_device *d, uint16_t cluster)
{
	struct zdo_message m = {.cluster = cluster, .sequence = d->zdo_sequence++, .short_address = d->short_address};

	if (cluster == ZDO_SIMPLE_DESC)
		m.endpoint = d->endpoints[d->item].id;
	d->asked_sequence = m.sequence;
	oci_zdo_send(c, d, &m);
}

static void ask_attributes(struct oci_core *c, struct oci_device *d, const struct oci_endpoint *e, uint16_t cluster, const uint16_t *attributes, size_t n)
{
	uint8_t buffer[32];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd payload;

	for (size_t i = 0; i < n; i++)
		wr_le16(&w, attributes[i]);
	if (wr_done(&w, &payload))
		d->asked_sequence = oci_zcl_ask(c, d, e->id, cluster, 0, ZCL_READ, payload);
}

static void ask_bind(struct oci_core *c, struct oci_device *d, const struct pair *pair)
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

/* As many of the needs as fit into a frame, from the part-th on; those of one manufacturer code. */
static void ask_needs(struct oci_core *c, struct oci_device *d, const struct pair *pair, bool reports)
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
		next_item(c, d);
	else if (wr_done(&w, &payload))
		d->asked_sequence = oci_zcl_ask(c, d, pair->endpoint->id, pair->cluster, needs.list[d->part].manufacturer, reports ? ZCL_CONFIGURE_REPORTING : ZCL_READ, payload);
}

/* Where alarms go: the device enrols its zone when it knows. */
static void write_cie(struct oci_core *c, struct oci_device *d, const struct oci_endpoint *e)
{
	const struct zcl_value v = {.type = ZCL_EUI64, .number = d->gateway};
	uint8_t buffer[16];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd payload;

	zcl_report_put(&w, 0x0010, &v);
	if (wr_done(&w, &payload))
		d->asked_sequence = oci_zcl_ask(c, d, e->id, ZCL_IAS_ZONE, 0, ZCL_WRITE, payload);
}

static void describe(struct oci_core *c, struct oci_device *d)
{
	oci_places_make(c, d);
	d->described_by = descriptions_fingerprint(c->config.descriptions);
	d->poll_s = d->kind ? d->kind->poll_s : 0;
	if (d->endpoint_count > 0)
		(void)oci_effect(c, OCI_DESCRIBED, d);
}

/* ---- steps ---- */

static void ask_basic(struct oci_core *c, struct oci_device *d)
{
	static const uint16_t who[] = {0x0004, 0x0005}, what[] = {0x4000, 0x0003};
	const struct oci_endpoint *e = &d->endpoints[0];

	for (size_t i = d->endpoint_count; i-- > 0;)
		if (oci_endpoint_has(&d->endpoints[i], ZCL_BASIC))
			e = &d->endpoints[i];
	ask_attributes(c, d, e, ZCL_BASIC, d->item == 0 ? who : what, 2);
}

/* Each endpoint's zone in turn; part 0 asks for its type, part 1 tells it where we are. */
static void ask_zone(struct oci_core *c, struct oci_device *d)
{
	static const uint16_t zone_type[] = {0x0001};

	while (d->item < d->endpoint_count && !oci_endpoint_has(&d->endpoints[d->item], ZCL_IAS_ZONE))
		d->item++;
	d->asked_parts = 1;
	if (d->item >= d->endpoint_count) {
		describe(c, d);
		step_to(c, d, OCI_INTERVIEW_BIND);
	} else if (d->part == 0) {
		ask_attributes(c, d, &d->endpoints[d->item], ZCL_IAS_ZONE, zone_type, 1);
	} else {
		write_cie(c, d, &d->endpoints[d->item]);
	}
}

static void after_zone(struct oci_core *c, struct oci_device *d)
{
	if (d->part == 0)
		next_part(c, d);
	else
		next_item(c, d);
}

static void done(struct oci_core *c, struct oci_device *d)
{
	d->in_turn = false;
	d->step_at = d->poll_s > 0 ? c->now + d->poll_s * 1000ULL : CLOCK_NEVER;
	if (d->polling)
		return;
	oci_log(c, d, "interviewed: %s %s, %zu endpoints, %zu values", d->manufacturer, d->model, d->endpoint_count, d->place_count);
	oci_event(c, d, "interviewed");
	oci_poll_configure(c, d);
	d->polling = true;
	if (d->poll_s > 0)
		oci_log(c, d, "it does not report: asked every %u s", d->poll_s);
}

static bool listens(const struct oci_device *d)
{
	return d->capability & 0x08;
}

/* After a power cut hundreds of devices join at once, and each of them waits some seconds at most for its keys: interviews, which nobody waits for, must not
 * take the way to the gateway from them, nor the channel: a sleeper that is being asked polls many times a second. Those that do not listen are counted by
 * themselves, for they take longer. Who does not answer gives its place to another while it rests. */
static bool may_ask(const struct oci_core *c, struct oci_device *d)
{
	size_t n = 0;

	if (d->in_turn || d->polling || d->interview == OCI_INTERVIEW_DONE)
		return true;
	for (const struct oci_device *k = c->devices; k; k = k->next)
		n += k->in_turn && listens(k) == listens(d);
	d->in_turn = n < AT_ONCE;
	return d->in_turn;
}

static void ask(struct oci_core *c, struct oci_device *d)
{
	struct pair pair = {.endpoint = NULL};
	bool any = pair_at(d, d->item, &pair);

	switch (d->interview) {
	case OCI_INTERVIEW_WAITING:
		step_to(c, d, OCI_INTERVIEW_ENDPOINTS);
		break;
	case OCI_INTERVIEW_ENDPOINTS:
		ask_zdo(c, d, ZDO_ACTIVE_EP);
		break;
	case OCI_INTERVIEW_SIMPLE:
		if (d->item >= d->endpoint_count)
			step_to(c, d, OCI_INTERVIEW_BASIC);
		else
			ask_zdo(c, d, ZDO_SIMPLE_DESC);
		break;
	case OCI_INTERVIEW_BASIC:
		if (d->item > 1 || d->endpoint_count == 0)
			step_to(c, d, OCI_INTERVIEW_ZONE);
		else
			ask_basic(c, d);
		break;
	case OCI_INTERVIEW_ZONE:
		ask_zone(c, d);
		break;
	case OCI_INTERVIEW_BIND:
		if (any)
			ask_bind(c, d, &pair);
		else
			step_to(c, d, OCI_INTERVIEW_REPORTING);
		break;
	case OCI_INTERVIEW_REPORTING:
		if (any)
			ask_needs(c, d, &pair, true);
		else
			step_to(c, d, OCI_INTERVIEW_READ);
		break;
	case OCI_INTERVIEW_READ:
		if (any)
			ask_needs(c, d, &pair, false);
		else
			step_to(c, d, OCI_INTERVIEW_DONE);
		break;
	case OCI_INTERVIEW_DONE:
		done(c, d);
		break;
	}
}

static void rest(struct oci_core *c, struct oci_device *d)
{
	d->step_tries = 0;
	d->step_at = c->now + 10 * STEP_MS;
	d->in_turn = false;
	oci_log(c, d, "the device does not answer its interview");
}

/* What is not answered in three tries is left out, but endpoints and the first descriptor: without them there is nothing to go on with. A device of which
 * nothing at all is heard is not there, and is asked the same again. */
static void give_up(struct oci_core *c, struct oci_device *d)
{
	if (!d->polling && d->last_heard <= d->asked_at) {
		rest(c, d);
		return;
	}
	switch (d->interview) {
	case OCI_INTERVIEW_SIMPLE:
		if (d->item > 0)
			next_item(c, d);
		else
			rest(c, d);
		break;
	case OCI_INTERVIEW_WAITING:
	case OCI_INTERVIEW_ENDPOINTS:
		rest(c, d);
		break;
	case OCI_INTERVIEW_ZONE:
		after_zone(c, d);
		break;
	case OCI_INTERVIEW_REPORTING:
	case OCI_INTERVIEW_READ:
		next_part(c, d);
		break;
	case OCI_INTERVIEW_BASIC:
	case OCI_INTERVIEW_BIND:
		next_item(c, d);
		break;
	case OCI_INTERVIEW_DONE:
		break;
	}
}

void oci_interview_step(struct oci_core *c, struct oci_device *d)
{
	if (d->interview == OCI_INTERVIEW_DONE && d->polling && d->poll_s > 0 && d->step_tries > 0) { /* it is time to ask for its values again */
		d->interview = OCI_INTERVIEW_READ;
		d->item = d->part = 0;
		d->step_tries = 0;
	}
	if (!may_ask(c, d)) {
		d->step_at = c->now + AGAIN_MS;
		return;
	}
	if (d->interview != OCI_INTERVIEW_WAITING && d->interview != OCI_INTERVIEW_DONE && d->step_tries >= STEP_TRIES) {
		d->step_tries++;
		give_up(c, d);
		return;
	}
	if (d->step_tries == 0)
		d->asked_at = c->now;
	d->step_tries++;
	d->step_at = c->now + (listens(d) ? STEP_MS : STEP_SLEEPY_MS);
	ask(c, d);
}

void oci_interview_again(struct oci_core *c, struct oci_device *d, uint64_t in_ms)
{
	if (d->interview != OCI_INTERVIEW_DONE)
		return;
	d->interview = OCI_INTERVIEW_BASIC;
	d->item = d->part = 0;
	d->step_tries = 0;
	d->polling = false;
	d->step_at = c->now + in_ms;
}

void oci_interview_restored(struct oci_core *c, struct oci_device *d)
{
	bool other_descriptions = d->described_by != descriptions_fingerprint(c->config.descriptions);

	d->polling = d->in_turn = false;
	oci_places_make(c, d);
	if (d->endpoint_count > 0 && d->interview > OCI_INTERVIEW_ZONE)
		(void)oci_effect(c, OCI_DESCRIBED, d);
	if (!d->joined)
		return;
	if (d->interview == OCI_INTERVIEW_DONE && other_descriptions && d->endpoint_count > 0) { /* there may be more to bind and to read now */
		d->interview = OCI_INTERVIEW_BASIC;
		d->item = d->part = 0;
	}
	if (d->interview != OCI_INTERVIEW_DONE) {
		d->step_tries = 0;
		d->step_at = c->now + RESTORED_MS;
	} else if (d->poll_s > 0) {
		d->polling = true;
		d->step_tries = 1;
		d->step_at = c->now + RESTORED_MS;
	}
}

/* ---- answers ---- */

static bool same_endpoints(const struct oci_device *d, const struct oci_endpoint *list, size_t count)
{
	if (count != d->endpoint_count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (d->endpoints[i].id != list[i].id)
			return false;
	return true;
}

/* A device that has joined anew is what it was, most likely, and goes on reporting while it is asked: what is known of it stays until it is described again. */
static void take_endpoints(struct oci_core *c, struct oci_device *d, const struct zdo_message *m)
{
	struct oci_endpoint list[OCI_ENDPOINTS] = {{.id = 0}};
	size_t count = 0;

	for (size_t i = 0; i < m->endpoint_count && count < OCI_ENDPOINTS; i++)
		if (m->endpoints[i] >= 1 && m->endpoints[i] <= ENDPOINT_LAST)
			list[count++].id = m->endpoints[i];
	if (!same_endpoints(d, list, count)) {
		memcpy(d->endpoints, list, sizeof list);
		d->endpoint_count = count;
		d->place_count = d->attribute_count = 0;
		d->poll_s = 0;
	}
	if (d->endpoint_count > 0)
		step_to(c, d, OCI_INTERVIEW_SIMPLE);
}

static void take_simple(struct oci_core *c, struct oci_device *d, const struct zdo_message *m)
{
	struct oci_endpoint *e = &d->endpoints[d->item];
	bool ours = m->status == ZDO_SUCCESS && m->simple.profile == APS_PROFILE_HOME_AUTOMATION;

	e->in_count = e->out_count = 0;
	e->device = m->simple.device;
	for (size_t i = 0; ours && i < m->simple.in_count && e->in_count < OCI_CLUSTERS; i++)
		e->in[e->in_count++] = m->simple.in[i];
	for (size_t i = 0; ours && i < m->simple.out_count && e->out_count < OCI_CLUSTERS; i++)
		e->out[e->out_count++] = m->simple.out[i];
	next_item(c, d);
}

void oci_interview_descriptor(struct oci_core *c, struct oci_device *d, const struct zdo_message *m)
{
	if (m->sequence != d->asked_sequence)
		return;
	if (m->cluster == (ZDO_ACTIVE_EP | ZDO_RESPONSE) && d->interview == OCI_INTERVIEW_ENDPOINTS)
		take_endpoints(c, d, m);
	else if (m->cluster == (ZDO_SIMPLE_DESC | ZDO_RESPONSE) && d->interview == OCI_INTERVIEW_SIMPLE && d->item < d->endpoint_count &&
	    (m->status == ZDO_SUCCESS || d->item > 0))
		take_simple(c, d, m);
	else if (m->cluster == (ZDO_BIND | ZDO_RESPONSE) && d->interview == OCI_INTERVIEW_BIND)
		next_item(c, d);
}

/* It has these attributes and will not tell of them by itself. */
static void cannot_report(struct oci_device *d)
{
	if (d->poll_s == 0)
		d->poll_s = POLL_S;
}

/* One status for all, or a record for each that was refused. ZCL 2.5.8. */
static void take_reporting(struct oci_device *d, struct rd in)
{
	uint8_t status, direction;
	uint16_t attribute;

	while (rd_u8(&in, &status)) {
		if (status == ZCL_UNREPORTABLE_ATTRIBUTE)
			cannot_report(d);
		if (!rd_u8(&in, &direction) || !rd_le16(&in, &attribute))
			return;
	}
}

static bool refused_by_default(const struct zcl_frame *z, uint8_t command)
{
	struct rd in = z->payload;
	uint8_t what, status;

	return z->command == ZCL_DEFAULT_RESPONSE && rd_u8(&in, &what) && rd_u8(&in, &status) && what == command && status != ZCL_SUCCESS;
}

void oci_interview_answer(struct oci_core *c, struct oci_device *d, const struct zcl_frame *z)
{
	if (z->sequence != d->asked_sequence)
		return;
	switch (d->interview) {
	case OCI_INTERVIEW_BASIC:
		if (z->command == ZCL_READ_RESPONSE || refused_by_default(z, ZCL_READ))
			next_item(c, d);
		break;
	case OCI_INTERVIEW_ZONE:
		if (z->command == (d->part == 0 ? ZCL_READ_RESPONSE : ZCL_WRITE_RESPONSE) || refused_by_default(z, d->part == 0 ? ZCL_READ : ZCL_WRITE))
			after_zone(c, d);
		break;
	case OCI_INTERVIEW_REPORTING:
		if (z->command == ZCL_CONFIGURE_REPORTING_RESPONSE)
			take_reporting(d, z->payload);
		else if (refused_by_default(z, ZCL_CONFIGURE_REPORTING))
			cannot_report(d);
		else
			break;
		next_part(c, d);
		break;
	case OCI_INTERVIEW_READ:
		if (z->command == ZCL_READ_RESPONSE || refused_by_default(z, ZCL_READ))
			next_part(c, d);
		break;
	case OCI_INTERVIEW_WAITING:
	case OCI_INTERVIEW_ENDPOINTS:
	case OCI_INTERVIEW_SIMPLE:
	case OCI_INTERVIEW_BIND:
	case OCI_INTERVIEW_DONE:
		break;
	}
}
