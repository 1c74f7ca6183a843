/* What a device says to the questions of its interview. */
#include <string.h>

#include "oci/interview_private.h"

#define POLL_S 300       /* of a device that cannot report */
#define ENDPOINT_LAST 240

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
		oci_interview_to(c, d, OCI_INTERVIEW_SIMPLE);
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
	oci_interview_next_item(c, d);
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
		oci_interview_next_item(c, d);
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
			oci_interview_next_item(c, d);
		break;
	case OCI_INTERVIEW_ZONE:
		if (z->command == (d->part == 0 ? ZCL_READ_RESPONSE : ZCL_WRITE_RESPONSE) || refused_by_default(z, d->part == 0 ? ZCL_READ : ZCL_WRITE))
			oci_interview_zone_over(c, d);
		break;
	case OCI_INTERVIEW_REPORTING:
		if (z->command == ZCL_CONFIGURE_REPORTING_RESPONSE)
			take_reporting(d, z->payload);
		else if (refused_by_default(z, ZCL_CONFIGURE_REPORTING))
			cannot_report(d);
		else
			break;
		oci_interview_next_part(c, d);
		break;
	case OCI_INTERVIEW_READ:
		if (z->command == ZCL_READ_RESPONSE || refused_by_default(z, ZCL_READ))
			oci_interview_next_part(c, d);
		break;
	case OCI_INTERVIEW_WAITING:
	case OCI_INTERVIEW_ENDPOINTS:
	case OCI_INTERVIEW_SIMPLE:
	case OCI_INTERVIEW_BIND:
	case OCI_INTERVIEW_DONE:
		break;
	}
}
