/* Zigbee Device Profile: commands of the Zigbee Device Object. Source: Zigbee specification 05-3474 R22, clause 2.4.
 * A ZDP frame is the APS payload: sequence(1) and the fields of the cluster; responses have the request's cluster with bit 15 set. */
#ifndef KEYWAY_ZIGBEE_ZDO_H
#define KEYWAY_ZIGBEE_ZDO_H

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

#define ZDO_RESPONSE 0x8000
#define ZDO_CLUSTERS_MAX 32
#define ZDO_ENDPOINTS_MAX 32

enum zdo_cluster {
	ZDO_NWK_ADDR = 0x0000,
	ZDO_IEEE_ADDR = 0x0001,
	ZDO_NODE_DESC = 0x0002,
	ZDO_POWER_DESC = 0x0003,
	ZDO_SIMPLE_DESC = 0x0004,
	ZDO_ACTIVE_EP = 0x0005,
	ZDO_MATCH_DESC = 0x0006,
	ZDO_DEVICE_ANNCE = 0x0013,
	ZDO_PARENT_ANNCE = 0x001f,
	ZDO_BIND = 0x0021,
	ZDO_UNBIND = 0x0022,
	ZDO_MGMT_LQI = 0x0031,
	ZDO_MGMT_RTG = 0x0032,
	ZDO_MGMT_LEAVE = 0x0034,
	ZDO_MGMT_PERMIT_JOINING = 0x0036,
};

enum zdo_status {
	ZDO_SUCCESS = 0x00,
	ZDO_INV_REQUEST_TYPE = 0x80,
	ZDO_DEVICE_NOT_FOUND = 0x81,
	ZDO_INVALID_EP = 0x82,
	ZDO_NOT_ACTIVE = 0x83,
	ZDO_NOT_SUPPORTED = 0x84,
	ZDO_NO_MATCH = 0x86,
	ZDO_TABLE_FULL = 0x87,
	ZDO_NO_ENTRY = 0x88,
	ZDO_NOT_AUTHORIZED = 0x8d,
};

/* Node descriptor, clause 2.3.2.3, 13 octets. */
enum zdo_logical_type { ZDO_COORDINATOR = 0, ZDO_ROUTER = 1, ZDO_END_DEVICE = 2 };
struct zdo_node_descriptor {
	enum zdo_logical_type logical_type;
	uint8_t frequency;     /* 8: 2.4 GHz */
	uint8_t capability;    /* MAC capability information */
	uint16_t manufacturer;
	uint8_t buffer_size;
	uint16_t incoming_size;
	uint16_t server_mask;  /* bits 15..9: stack revision; bit 0: primary Trust Centre */
	uint16_t outgoing_size;
	uint8_t descriptor_capability;
};
#define ZDO_SERVER_PRIMARY_TRUST_CENTER 0x0001
#define ZDO_STACK_REVISION(mask) ((mask) >> 9)

struct zdo_simple_descriptor {
	uint8_t endpoint;
	uint16_t profile, device;
	uint8_t version;
	uint8_t in_count, out_count;
	uint16_t in[ZDO_CLUSTERS_MAX], out[ZDO_CLUSTERS_MAX];
};

/* A row of a neighbour table, clause 2.4.4.3.2. */
#define ZDO_NEIGHBOURS_MAX 4
struct zdo_neighbour {
	uint64_t extended_pan_id, eui64;
	uint16_t short_address;
	uint8_t kind;   /* logical type, receiver on when idle << 2, relationship << 4 */
	uint8_t permit; /* 0 takes nobody, 1 does, 2 not known */
	uint8_t depth, lqi;
};
#define ZDO_NEIGHBOUR_RX_ON 0x04
#define ZDO_NEIGHBOUR_PARENT 0x00
#define ZDO_NEIGHBOUR_CHILD 0x10
#define ZDO_NEIGHBOUR_NONE 0x30
#define ZDO_NEIGHBOUR_PERMIT_UNKNOWN 2

/* A row of a routing table, clause 2.4.4.3.3. */
#define ZDO_ROUTES_MAX 12
struct zdo_route {
	uint16_t destination, next_hop;
	uint8_t state; /* 0 active, 3 inactive, ...; 0x10 many-to-one, 0x20 route record required */
};
#define ZDO_ROUTE_ACTIVE 0x00
#define ZDO_ROUTE_INACTIVE 0x03
#define ZDO_ROUTE_MANY_TO_ONE 0x10
#define ZDO_ROUTE_RECORD_REQUIRED 0x20

struct zdo_message {
	uint16_t cluster; /* with ZDO_RESPONSE in answers */
	uint8_t sequence;
	uint8_t status;         /* responses */
	uint16_t short_address; /* of interest; device announce */
	uint64_t eui64;         /* NWK_addr_req, the address responses, device announce, Mgmt_Leave */
	uint8_t capability;     /* device announce */
	uint8_t endpoint;       /* Simple_Desc_req */
	struct zdo_node_descriptor node;
	uint16_t power;         /* power descriptor */
	struct zdo_simple_descriptor simple; /* Simple_Desc_rsp; Match_Desc_req: profile, in and out */
	uint8_t endpoint_count; /* Active_EP_rsp, Match_Desc_rsp */
	uint8_t endpoints[ZDO_ENDPOINTS_MAX];
	struct {                /* Bind_req, Unbind_req */
		uint64_t source;
		uint8_t source_endpoint;
		uint16_t cluster;
		uint64_t destination;
		uint8_t destination_endpoint;
	} bind;
	uint8_t leave_flags;    /* Mgmt_Leave: bit 6 remove children, bit 7 rejoin */
	uint8_t permit_duration, tc_significance;
	uint8_t start;                /* Mgmt_Lqi, Mgmt_Rtg: index of the first row */
	uint8_t total, row_count;     /* their responses: of the table, in this message */
	struct zdo_neighbour neighbours[ZDO_NEIGHBOURS_MAX];
	struct zdo_route routes[ZDO_ROUTES_MAX];
};

/* ERR_UNSUPPORTED for a cluster that is not in the list; answer it with zdo_not_supported. */
enum err zdo_decode(uint16_t cluster, struct rd in, struct zdo_message *m) MUST_CHECK;
enum err zdo_encode(const struct zdo_message *m, struct wr *w) MUST_CHECK;
/* The response to a request that we do not support: its sequence and NOT_SUPPORTED. */
void zdo_not_supported(uint8_t sequence, struct wr *w);

#endif
