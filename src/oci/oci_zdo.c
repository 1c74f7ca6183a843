/* ZDO of the coordinator: its own descriptors, announcements, and where the answers to its questions go. */
#include <string.h>

#include "oci/core_private.h"

#define SETTLE_MS 500
#define REVISION_22 (22 << 9)
#define SERVER_PRIMARY_DISCOVERY 0x0040

static void own_node(struct zdo_node_descriptor *n)
{
	*n = (struct zdo_node_descriptor){
		.logical_type = ZDO_COORDINATOR,
		.frequency = 8,
		.capability = 0x8f,
		.buffer_size = 82,
		.incoming_size = 82,
		.server_mask = REVISION_22 | SERVER_PRIMARY_DISCOVERY | ZDO_SERVER_PRIMARY_TRUST_CENTER,
		.outgoing_size = 82,
	};
}

static void own_simple(const struct zdo_message *rq, struct zdo_message *m)
{
	/* what a device looks for here: whom it reports to, commands, has its zone enrolled by, asks for the time and an image */
	static const uint16_t in[] = {ZCL_BASIC, ZCL_ON_OFF, ZCL_LEVEL, ZCL_SCENES, ZCL_OTA}, out[] = {ZCL_POWER, ZCL_ON_OFF, ZCL_LEVEL, ZCL_DOOR_LOCK, ZCL_WINDOW_COVERING, ZCL_THERMOSTAT,
		ZCL_COLOUR, ZCL_ILLUMINANCE, ZCL_TEMPERATURE, ZCL_PRESSURE, ZCL_HUMIDITY, ZCL_OCCUPANCY, ZCL_IAS_ZONE, ZCL_IAS_WD, ZCL_METERING, ZCL_ELECTRICAL};

	if (rq->endpoint != OCI_ENDPOINT) {
		m->status = ZDO_NOT_ACTIVE;
		return;
	}
	m->simple = (struct zdo_simple_descriptor){.endpoint = OCI_ENDPOINT, .profile = APS_PROFILE_HOME_AUTOMATION, .device = 0x0007, .version = 1};
	m->simple.in_count = sizeof in / sizeof in[0];
	memcpy(m->simple.in, in, sizeof in);
	m->simple.out_count = sizeof out / sizeof out[0];
	memcpy(m->simple.out, out, sizeof out);
}

static void on_request(struct oci_core *c, struct oci_device *d, const struct aps_frame *f, const struct zdo_message *rq)
{
	struct zdo_message m = {.cluster = rq->cluster | ZDO_RESPONSE, .sequence = rq->sequence, .short_address = NWK_COORDINATOR, .eui64 = d->gateway};

	switch (rq->cluster) {
	case ZDO_DEVICE_ANNCE:
		if (rq->eui64 != d->eui64 || !nwk_address_is_device(rq->short_address))
			return; /* another's, passed on */
		d->short_address = rq->short_address;
		d->capability = rq->capability;
		if (d->interview == OCI_INTERVIEW_WAITING)
			oci_event(c, d, "announced");
		return;
	case ZDO_MGMT_PERMIT_JOINING:
		/* A device's last word in commissioning (BDB): it is ready to be asked. */
		if (d->interview == OCI_INTERVIEW_WAITING)
			oci_interview_begin(c, d, SETTLE_MS);
		if (f->delivery != APS_UNICAST)
			return;
		break;
	case ZDO_NODE_DESC:
		if (!c->config.answer_commissioning)
			return;
		if (rq->short_address == NWK_COORDINATOR)
			own_node(&m.node);
		else
			m.status = ZDO_DEVICE_NOT_FOUND;
		break;
	case ZDO_POWER_DESC:
		m.power = 0xc110;
		break;
	case ZDO_ACTIVE_EP:
		m.endpoint_count = 1;
		m.endpoints[0] = OCI_ENDPOINT;
		break;
	case ZDO_SIMPLE_DESC:
		own_simple(rq, &m);
		break;
	case ZDO_NWK_ADDR:
		if (rq->eui64 != d->gateway)
			return;
		break;
	case ZDO_IEEE_ADDR:
		break;
	case ZDO_MATCH_DESC:
		if (rq->simple.profile != APS_PROFILE_HOME_AUTOMATION)
			return;
		m.endpoint_count = 1;
		m.endpoints[0] = OCI_ENDPOINT;
		break;
	default:
		m.status = ZDO_NOT_SUPPORTED;
		break;
	}
	oci_zdo_send(c, d, &m);
}

void oci_zdo_input(struct oci_core *c, struct oci_device *d, const struct aps_frame *f, struct rd payload)
{
	struct zdo_message m;
	enum err e = zdo_decode(f->cluster, payload, &m);

	if (e == ERR_UNSUPPORTED && !(f->cluster & ZDO_RESPONSE) && f->delivery == APS_UNICAST) {
		uint8_t buffer[4];
		struct wr w = wr_of(buffer, sizeof buffer);
		struct aps_frame answer = {.type = APS_DATA, .cluster = f->cluster | ZDO_RESPONSE, .profile = APS_PROFILE_ZDP};

		zdo_not_supported(m.sequence, &w);
		if (wr_done(&w, &answer.payload))
			oci_aps_send(c, d, &answer);
	}
	if (e != OK)
		return;
	if (f->cluster & ZDO_RESPONSE)
		oci_interview_descriptor(c, d, &m);
	else
		on_request(c, d, f, &m);
}
