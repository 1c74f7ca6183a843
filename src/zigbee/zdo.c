/* Zigbee Device Profile commands. */
#include "zigbee/zdo_table.h"

#define ADDRESS_MODE_EXTENDED 3
#define REQUEST_SINGLE 0

static bool node_read(struct rd *in, struct zdo_node_descriptor *d)
{
	uint8_t type, band;

	if (!rd_u8(in, &type) || !rd_u8(in, &band) || !rd_u8(in, &d->capability) || !rd_le16(in, &d->manufacturer) || !rd_u8(in, &d->buffer_size) ||
	    !rd_le16(in, &d->incoming_size) || !rd_le16(in, &d->server_mask) || !rd_le16(in, &d->outgoing_size) || !rd_u8(in, &d->descriptor_capability))
		return false;
	if ((type & 7) > ZDO_END_DEVICE)
		return false;
	d->logical_type = (enum zdo_logical_type)(type & 7);
	d->frequency = band >> 3;
	return true;
}

static void node_write(const struct zdo_node_descriptor *d, struct wr *w)
{
	wr_u8(w, (uint8_t)d->logical_type);
	wr_u8(w, (uint8_t)(d->frequency << 3));
	wr_u8(w, d->capability);
	wr_le16(w, d->manufacturer);
	wr_u8(w, d->buffer_size);
	wr_le16(w, d->incoming_size);
	wr_le16(w, d->server_mask);
	wr_le16(w, d->outgoing_size);
	wr_u8(w, d->descriptor_capability);
}

static bool clusters_read(struct rd *in, uint8_t *count, uint16_t *list)
{
	if (!rd_u8(in, count) || *count > ZDO_CLUSTERS_MAX)
		return false;
	for (size_t i = 0; i < *count; i++)
		if (!rd_le16(in, &list[i]))
			return false;
	return true;
}

static void clusters_write(uint8_t count, const uint16_t *list, struct wr *w)
{
	if (count > ZDO_CLUSTERS_MAX) {
		w->spoilt = true;
		return;
	}
	wr_u8(w, count);
	for (size_t i = 0; i < count; i++)
		wr_le16(w, list[i]);
}

static bool simple_read(struct rd *in, struct zdo_message *m)
{
	struct zdo_simple_descriptor *d = &m->simple;
	struct rd descriptor;
	uint8_t len;

	if (!rd_u8(in, &len) || !rd_sub(in, len, &descriptor))
		return false;
	if (len == 0)
		return m->status != ZDO_SUCCESS;
	return rd_u8(&descriptor, &d->endpoint) && rd_le16(&descriptor, &d->profile) && rd_le16(&descriptor, &d->device) &&
	    rd_u8(&descriptor, &d->version) && clusters_read(&descriptor, &d->in_count, d->in) && clusters_read(&descriptor, &d->out_count, d->out) &&
	    rd_end(&descriptor);
}

static void simple_write(const struct zdo_message *m, struct wr *w)
{
	const struct zdo_simple_descriptor *d = &m->simple;

	if (m->status != ZDO_SUCCESS) {
		wr_u8(w, 0);
		return;
	}
	wr_u8(w, (uint8_t)(8 + 2 * (d->in_count + d->out_count)));
	wr_u8(w, d->endpoint);
	wr_le16(w, d->profile);
	wr_le16(w, d->device);
	wr_u8(w, d->version);
	clusters_write(d->in_count, d->in, w);
	clusters_write(d->out_count, d->out, w);
}

static bool endpoints_read(struct rd *in, struct zdo_message *m)
{
	return rd_u8(in, &m->endpoint_count) && m->endpoint_count <= ZDO_ENDPOINTS_MAX && rd_copy(in, m->endpoints, m->endpoint_count);
}

static void endpoints_write(const struct zdo_message *m, struct wr *w)
{
	if (m->endpoint_count > ZDO_ENDPOINTS_MAX) {
		w->spoilt = true;
		return;
	}
	wr_u8(w, m->endpoint_count);
	wr_copy(w, m->endpoints, m->endpoint_count);
}

static bool bind_read(struct rd *in, struct zdo_message *m)
{
	uint8_t mode;

	return rd_le64(in, &m->bind.source) && rd_u8(in, &m->bind.source_endpoint) && rd_le16(in, &m->bind.cluster) && rd_u8(in, &mode) &&
	    mode == ADDRESS_MODE_EXTENDED && rd_le64(in, &m->bind.destination) && rd_u8(in, &m->bind.destination_endpoint);
}

static void bind_write(const struct zdo_message *m, struct wr *w)
{
	wr_le64(w, m->bind.source);
	wr_u8(w, m->bind.source_endpoint);
	wr_le16(w, m->bind.cluster);
	wr_u8(w, ADDRESS_MODE_EXTENDED);
	wr_le64(w, m->bind.destination);
	wr_u8(w, m->bind.destination_endpoint);
}

static bool request_read(struct rd *in, struct zdo_message *m)
{
	uint8_t type, index;

	switch (m->cluster) {
	case ZDO_NWK_ADDR:
		return rd_le64(in, &m->eui64) && rd_u8(in, &type) && rd_u8(in, &index);
	case ZDO_IEEE_ADDR:
		return rd_le16(in, &m->short_address) && rd_u8(in, &type) && rd_u8(in, &index);
	case ZDO_NODE_DESC:
	case ZDO_POWER_DESC:
	case ZDO_ACTIVE_EP:
		return rd_le16(in, &m->short_address);
	case ZDO_SIMPLE_DESC:
		return rd_le16(in, &m->short_address) && rd_u8(in, &m->endpoint);
	case ZDO_MATCH_DESC:
		return rd_le16(in, &m->short_address) && rd_le16(in, &m->simple.profile) && clusters_read(in, &m->simple.in_count, m->simple.in) &&
		    clusters_read(in, &m->simple.out_count, m->simple.out);
	case ZDO_DEVICE_ANNCE:
		return rd_le16(in, &m->short_address) && rd_le64(in, &m->eui64) && rd_u8(in, &m->capability);
	case ZDO_BIND:
	case ZDO_UNBIND:
		return bind_read(in, m);
	case ZDO_MGMT_LEAVE:
		return rd_le64(in, &m->eui64) && rd_u8(in, &m->leave_flags);
	case ZDO_MGMT_LQI:
	case ZDO_MGMT_RTG:
		return rd_u8(in, &m->start);
	case ZDO_MGMT_PERMIT_JOINING:
		return rd_u8(in, &m->permit_duration) && rd_u8(in, &m->tc_significance);
	default:
		return false;
	}
}

static bool response_read(struct rd *in, struct zdo_message *m)
{
	if (!rd_u8(in, &m->status))
		return false;
	switch (m->cluster & ~ZDO_RESPONSE) {
	case ZDO_NWK_ADDR:
	case ZDO_IEEE_ADDR:
		if (!rd_le64(in, &m->eui64) || !rd_le16(in, &m->short_address))
			return false;
		(void)rd_rest(in); /* associated devices, which we never ask for */
		return true;
	case ZDO_NODE_DESC:
		return rd_le16(in, &m->short_address) && (m->status != ZDO_SUCCESS || node_read(in, &m->node));
	case ZDO_POWER_DESC:
		return rd_le16(in, &m->short_address) && (m->status != ZDO_SUCCESS || rd_le16(in, &m->power));
	case ZDO_SIMPLE_DESC:
		return rd_le16(in, &m->short_address) && simple_read(in, m);
	case ZDO_ACTIVE_EP:
	case ZDO_MATCH_DESC:
		return rd_le16(in, &m->short_address) && endpoints_read(in, m);
	case ZDO_MGMT_LQI:
		return m->status != ZDO_SUCCESS || zdo_neighbours_read(in, m);
	case ZDO_MGMT_RTG:
		return m->status != ZDO_SUCCESS || zdo_routes_read(in, m);
	case ZDO_BIND:
	case ZDO_UNBIND:
	case ZDO_MGMT_LEAVE:
	case ZDO_MGMT_PERMIT_JOINING:
		return true;
	default:
		return false;
	}
}

static bool known(uint16_t cluster)
{
	switch (cluster & ~ZDO_RESPONSE) {
	case ZDO_NWK_ADDR:
	case ZDO_IEEE_ADDR:
	case ZDO_NODE_DESC:
	case ZDO_POWER_DESC:
	case ZDO_SIMPLE_DESC:
	case ZDO_ACTIVE_EP:
	case ZDO_MATCH_DESC:
	case ZDO_BIND:
	case ZDO_UNBIND:
	case ZDO_MGMT_LQI:
	case ZDO_MGMT_RTG:
	case ZDO_MGMT_LEAVE:
	case ZDO_MGMT_PERMIT_JOINING:
		return true;
	case ZDO_DEVICE_ANNCE:
		return cluster == ZDO_DEVICE_ANNCE;
	default:
		return false;
	}
}

enum err zdo_decode(uint16_t cluster, struct rd in, struct zdo_message *m)
{
	const struct zdo_message empty = {.cluster = cluster};

	*m = empty;
	if (!rd_u8(&in, &m->sequence))
		return ERR_SHORT;
	if (!known(cluster))
		return ERR_UNSUPPORTED;
	if (!(cluster & ZDO_RESPONSE ? response_read(&in, m) : request_read(&in, m)))
		return ERR_SHORT;
	return rd_end(&in) ? OK : ERR_MALFORMED;
}

static void request_write(const struct zdo_message *m, struct wr *w)
{
	switch (m->cluster) {
	case ZDO_NWK_ADDR:
		wr_le64(w, m->eui64);
		wr_u8(w, REQUEST_SINGLE);
		wr_u8(w, 0);
		break;
	case ZDO_IEEE_ADDR:
		wr_le16(w, m->short_address);
		wr_u8(w, REQUEST_SINGLE);
		wr_u8(w, 0);
		break;
	case ZDO_NODE_DESC:
	case ZDO_POWER_DESC:
	case ZDO_ACTIVE_EP:
		wr_le16(w, m->short_address);
		break;
	case ZDO_SIMPLE_DESC:
		wr_le16(w, m->short_address);
		wr_u8(w, m->endpoint);
		break;
	case ZDO_MATCH_DESC:
		wr_le16(w, m->short_address);
		wr_le16(w, m->simple.profile);
		clusters_write(m->simple.in_count, m->simple.in, w);
		clusters_write(m->simple.out_count, m->simple.out, w);
		break;
	case ZDO_DEVICE_ANNCE:
		wr_le16(w, m->short_address);
		wr_le64(w, m->eui64);
		wr_u8(w, m->capability);
		break;
	case ZDO_BIND:
	case ZDO_UNBIND:
		bind_write(m, w);
		break;
	case ZDO_MGMT_LEAVE:
		wr_le64(w, m->eui64);
		wr_u8(w, m->leave_flags);
		break;
	case ZDO_MGMT_LQI:
	case ZDO_MGMT_RTG:
		wr_u8(w, m->start);
		break;
	case ZDO_MGMT_PERMIT_JOINING:
		wr_u8(w, m->permit_duration);
		wr_u8(w, m->tc_significance);
		break;
	default:
		w->spoilt = true;
		break;
	}
}

static void response_write(const struct zdo_message *m, struct wr *w)
{
	wr_u8(w, m->status);
	switch (m->cluster & ~ZDO_RESPONSE) {
	case ZDO_NWK_ADDR:
	case ZDO_IEEE_ADDR:
		wr_le64(w, m->eui64);
		wr_le16(w, m->short_address);
		break;
	case ZDO_NODE_DESC:
		wr_le16(w, m->short_address);
		if (m->status == ZDO_SUCCESS)
			node_write(&m->node, w);
		break;
	case ZDO_POWER_DESC:
		wr_le16(w, m->short_address);
		if (m->status == ZDO_SUCCESS)
			wr_le16(w, m->power);
		break;
	case ZDO_SIMPLE_DESC:
		wr_le16(w, m->short_address);
		simple_write(m, w);
		break;
	case ZDO_ACTIVE_EP:
	case ZDO_MATCH_DESC:
		wr_le16(w, m->short_address);
		endpoints_write(m, w);
		break;
	case ZDO_MGMT_LQI:
		if (m->status == ZDO_SUCCESS)
			zdo_neighbours_write(m, w);
		break;
	case ZDO_MGMT_RTG:
		if (m->status == ZDO_SUCCESS)
			zdo_routes_write(m, w);
		break;
	default:
		break;
	}
}

enum err zdo_encode(const struct zdo_message *m, struct wr *w)
{
	if (!known(m->cluster))
		return ERR_UNSUPPORTED;
	wr_u8(w, m->sequence);
	if (m->cluster & ZDO_RESPONSE)
		response_write(m, w);
	else
		request_write(m, w);
	return w->spoilt ? ERR_TOO_LONG : OK;
}

void zdo_not_supported(uint8_t sequence, struct wr *w)
{
	wr_u8(w, sequence);
	wr_u8(w, ZDO_NOT_SUPPORTED);
}
