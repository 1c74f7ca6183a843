/* The interview of a device, step by step: what endpoints it has, who made it, what its alarm zones are; then bindings, reporting and first values as the
 * descriptions say. Each question three times; what a device does not answer or support is left out. The questions are oci_interview_question.c, what is
 * said to them oci_interview_answer.c. */
#include "base/clock.h"
#include "oci/interview_private.h"

#define STEP_MS 6000
#define STEP_SLEEPY_MS 9000
#define STEP_TRIES 3
#define RESTORED_MS 1000
#define AGAIN_MS 1000
#define AT_ONCE 8        /* of those that listen, and as many of those that sleep */
void oci_interview_to(struct oci_core *c, struct oci_device *d, enum oci_interview next)
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

void oci_interview_next_item(struct oci_core *c, struct oci_device *d)
{
	d->item++;
	d->part = 0;
	d->step_tries = 0;
	d->step_at = c->now;
	oci_interview_step(c, d);
}

void oci_interview_next_part(struct oci_core *c, struct oci_device *d)
{
	d->part += d->asked_parts;
	d->step_tries = 0;
	d->step_at = c->now;
	oci_interview_step(c, d);
}

static void describe(struct oci_core *c, struct oci_device *d)
{
	oci_places_make(c, d);
	d->described_by = descriptions_fingerprint(c->config.descriptions);
	d->poll_s = d->kind ? d->kind->poll_s : 0;
	if (d->endpoint_count > 0)
		(void)oci_effect(c, OCI_DESCRIBED, d);
}

static void ask_basic(struct oci_core *c, struct oci_device *d)
{
	static const uint16_t who[] = {0x0004, 0x0005}, what[] = {0x4000, 0x0003};
	const struct oci_endpoint *e = &d->endpoints[0];

	for (size_t i = d->endpoint_count; i-- > 0;)
		if (oci_endpoint_has(&d->endpoints[i], ZCL_BASIC))
			e = &d->endpoints[i];
	oci_interview_ask_attributes(c, d, e, ZCL_BASIC, d->item == 0 ? who : what, 2);
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
		oci_interview_to(c, d, OCI_INTERVIEW_BIND);
	} else if (d->part == 0) {
		oci_interview_ask_attributes(c, d, &d->endpoints[d->item], ZCL_IAS_ZONE, zone_type, 1);
	} else {
		oci_interview_write_cie(c, d, &d->endpoints[d->item]);
	}
}

void oci_interview_zone_over(struct oci_core *c, struct oci_device *d)
{
	if (d->part == 0)
		oci_interview_next_part(c, d);
	else
		oci_interview_next_item(c, d);
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
	struct oci_pair pair = {.endpoint = NULL};
	bool any = oci_interview_pair_at(d, d->item, &pair);

	switch (d->interview) {
	case OCI_INTERVIEW_WAITING:
		oci_interview_to(c, d, OCI_INTERVIEW_ENDPOINTS);
		break;
	case OCI_INTERVIEW_ENDPOINTS:
		oci_interview_ask_zdo(c, d, ZDO_ACTIVE_EP);
		break;
	case OCI_INTERVIEW_SIMPLE:
		if (d->item >= d->endpoint_count)
			oci_interview_to(c, d, OCI_INTERVIEW_BASIC);
		else
			oci_interview_ask_zdo(c, d, ZDO_SIMPLE_DESC);
		break;
	case OCI_INTERVIEW_BASIC:
		if (d->item > 1 || d->endpoint_count == 0)
			oci_interview_to(c, d, OCI_INTERVIEW_ZONE);
		else
			ask_basic(c, d);
		break;
	case OCI_INTERVIEW_ZONE:
		ask_zone(c, d);
		break;
	case OCI_INTERVIEW_BIND:
		if (any)
			oci_interview_ask_bind(c, d, &pair);
		else
			oci_interview_to(c, d, OCI_INTERVIEW_REPORTING);
		break;
	case OCI_INTERVIEW_REPORTING:
		if (any)
			oci_interview_ask_needs(c, d, &pair, true);
		else
			oci_interview_to(c, d, OCI_INTERVIEW_READ);
		break;
	case OCI_INTERVIEW_READ:
		if (any)
			oci_interview_ask_needs(c, d, &pair, false);
		else
			oci_interview_to(c, d, OCI_INTERVIEW_DONE);
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
			oci_interview_next_item(c, d);
		else
			rest(c, d);
		break;
	case OCI_INTERVIEW_WAITING:
	case OCI_INTERVIEW_ENDPOINTS:
		rest(c, d);
		break;
	case OCI_INTERVIEW_ZONE:
		oci_interview_zone_over(c, d);
		break;
	case OCI_INTERVIEW_REPORTING:
	case OCI_INTERVIEW_READ:
		oci_interview_next_part(c, d);
		break;
	case OCI_INTERVIEW_BASIC:
	case OCI_INTERVIEW_BIND:
		oci_interview_next_item(c, d);
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
