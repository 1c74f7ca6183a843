/* Which channel a new network takes: the quietest, from what an energy scan and the beacons of others say. Pure.
 * Source: Zigbee specification 05-3474 R22, clause 3.6.1.1 (formation). */
#ifndef KEYWAY_GATEWAY_FORMATION_H
#define KEYWAY_GATEWAY_FORMATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rd.h"

#define FORMATION_CHANNEL_LAST 26
#define FORMATION_NETWORKS_MAX 64

struct formation {
	struct {
		bool scanned;
		int8_t energy_dbm;
		uint8_t networks;
	} channel[FORMATION_CHANNEL_LAST + 1];
	struct formation_network {
		uint8_t channel;
		uint16_t pan_id;
		bool zigbee;
		uint64_t extended_pan_id; /* when zigbee */
	} networks[FORMATION_NETWORKS_MAX];
	size_t count;
};

void formation_energy(struct formation *f, uint8_t channel, int8_t rssi_dbm);
/* A frame that was heard on a channel: counts when it is a beacon, each network once. */
void formation_heard(struct formation *f, uint8_t channel, struct rd frame);
/* Of the allowed channels (a bit each, 11 to 26; not 0) the one with the least energy, where each network counts as 10 dB, and channel 26, where many
 * radios may not use their full power, as 6 dB. Equals: 25, 20, 15, 11 first, which stay clear of Wi-Fi's usual channels. Not scanned counts as silent. */
uint8_t formation_choose(const struct formation *f, uint32_t allowed);
/* Another network that has our PAN ID or our extended PAN ID, on any channel; NULL: none was heard. */
const struct formation_network *formation_conflict(const struct formation *f, uint16_t pan_id, uint64_t extended_pan_id);

#endif
