/* Poll Control, ZCL 3.16: a sleeper checks in from time to time, and polls fast while we have something for it. What it did not fetch in time waits for that, or for
 * anything else that shows that it is awake. */
#include "base/clock.h"
#include "oci/core_private.h"

#define CHECK_IN 0x00          /* and the response to it */
#define FAST_POLL_STOP 0x01
#define CHECK_IN_INTERVAL 0x0000
#define CHECK_IN_S 3600        /* the cluster's own default: what no description says otherwise */
#define FAST_S 60              /* unless it is told to stop before */
#define GRACE_S 60
#define HELD_MOST 3
#define QUARTERS 4             /* of a second: the cluster's unit */

/* NULL: it has no such server, or needs none. */
static const struct oci_endpoint *server(const struct oci_device *d)
{
	for (size_t i = 0; !(d->capability & 0x08) && i < d->endpoint_count; i++)
		if (oci_endpoint_has(&d->endpoints[i], ZCL_POLL_CONTROL))
			return &d->endpoints[i];
	return NULL;
}

bool oci_poll_uses(const struct oci_device *d, const struct oci_endpoint *e)
{
	return server(d) == e;
}

static uint32_t interval_s(const struct oci_device *d)
{
	return d->kind && d->kind->check_in_s > 0 ? d->kind->check_in_s : CHECK_IN_S;
}

static bool checks_in(const struct oci_device *d)
{
	return d->interview == OCI_INTERVIEW_DONE && server(d);
}

uint64_t oci_poll_patience(const struct oci_device *d, uint64_t otherwise_ms)
{
	return checks_in(d) ? (interval_s(d) + GRACE_S) * 1000ULL : otherwise_ms;
}

void oci_poll_configure(struct oci_core *c, struct oci_device *d)
{
	const struct zcl_value v = {.type = ZCL_UINT32, .number = (uint64_t)interval_s(d) * QUARTERS};
	const struct oci_endpoint *e = server(d);
	uint8_t buffer[16];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd payload;

	zcl_report_put(&w, CHECK_IN_INTERVAL, &v);
	if (e && wr_done(&w, &payload))
		(void)oci_zcl_ask(c, d, e->id, ZCL_POLL_CONTROL, 0, ZCL_WRITE, payload);
}

/* What would otherwise be given up. False: it is given up. */
bool oci_poll_holds(struct oci_core *c, const struct oci_device *d, struct oci_sending *s)
{
	if (!checks_in(d) || s->held == HELD_MOST)
		return false;
	s->held++;
	s->waits = true;
	s->again = c->now + (interval_s(d) + GRACE_S) * 1000ULL;
	return true;
}

static void release(struct oci_core *c, struct oci_device *d)
{
	for (size_t i = 0; i < OCI_SENDING; i++) {
		struct oci_sending *s = &d->sending[i];

		if (!s->used || !s->waits)
			continue;
		s->waits = false;
		s->tries = 0;
		s->again = c->now;
	}
}

/* Something waits for the device, or is being told to it. */
static bool wanted(const struct oci_device *d)
{
	return d->sending_count > 0 || d->command_count > 0 || d->ota.image || (d->interview != OCI_INTERVIEW_DONE && (d->in_turn || d->polling)); /* who waits for its turn may sleep */
}

static void say(struct oci_core *c, struct oci_device *d, uint8_t endpoint, uint8_t command, uint8_t sequence, struct rd payload)
{
	const struct zcl_frame z = {.type = ZCL_CLUSTER, .disable_default_response = true, .sequence = sequence, .command = command, .payload = payload};

	(void)oci_zcl_send(c, d, endpoint, ZCL_POLL_CONTROL, &z);
}

bool oci_poll_input(struct oci_core *c, struct oci_device *d, uint8_t endpoint, const struct zcl_frame *z)
{
	bool fast = wanted(d);
	uint8_t buffer[4];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd payload;

	if (z->manufacturer_specific || z->command != CHECK_IN)
		return false;
	wr_u8(&w, fast);
	wr_le16(&w, fast ? FAST_S * QUARTERS : 0);
	if (wr_done(&w, &payload))
		say(c, d, endpoint, CHECK_IN, z->sequence, payload);
	d->fast_until = fast ? c->now + FAST_S * 1000ULL : 0;
	d->fast_endpoint = endpoint;
	return true;
}

void oci_poll_heard(struct oci_core *c, struct oci_device *d)
{
	release(c, d);
	if (d->fast_until == 0 || wanted(d))
		return;
	if (c->now < d->fast_until)
		say(c, d, d->fast_endpoint, FAST_POLL_STOP, d->zcl_sequence++, rd_of(NULL, 0));
	d->fast_until = 0;
}
