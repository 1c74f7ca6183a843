/* What the files of the simulated radio co-processor share. */
#ifndef KEYWAY_SIM_RCP_PRIVATE_H
#define KEYWAY_SIM_RCP_PRIVATE_H

#include "sim/rcp.h"
#include "spinel/spinel.h"

struct rcp {
	struct rng *rng;
	struct radio *radio;
	struct hdlc_decoder line;
	uint64_t now;
	uint8_t channel;
	bool phy_enabled, raw_stream, rx_on, promiscuous, match;
	uint64_t eui64;
	uint16_t pan_id, short_address;
	int8_t tx_power;
	uint32_t ack_wait_ms;
	uint8_t scan_channel;    /* of the mask: as stock firmware, one at a time; 0: none */
	uint16_t scan_period_ms;
	uint64_t scan_until;     /* 0: no scan */
	int8_t scan_dbm;
	struct rcp_effect *effects;
	size_t first, count;
};

/* rcp.c */
struct rcp_effect *rcp_effect_add(struct rcp *r, enum rcp_effect_type type);
void rcp_to_host(struct rcp *r, uint8_t transaction, uint32_t command, uint32_t property, struct rd value);

/* rcp_property.c */
void rcp_put_value(struct rcp *r, uint32_t property, struct wr *w); /* writes nothing for a property that there is not */
bool rcp_set_value(struct rcp *r, uint32_t property, struct rd v);
void rcp_end_scan(struct rcp *r);

#endif
