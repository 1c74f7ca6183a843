/* Choosing a channel. */
#include "gateway/formation.h"

#include "ieee802154/mac_frame.h"
#include "zigbee/beacon.h"

#define NETWORK_DB 10
#define LAST_CHANNEL_DB 6
#define SILENT_DBM (-110)

void formation_energy(struct formation *f, uint8_t channel, int8_t rssi)
{
	if (channel > FORMATION_CHANNEL_LAST)
		return;
	if (!f->channel[channel].scanned || rssi > f->channel[channel].energy_dbm)
		f->channel[channel].energy_dbm = rssi;
	f->channel[channel].scanned = true;
}

void formation_heard(struct formation *f, uint8_t channel, struct rd octets)
{
	struct formation_network n = {.channel = channel};
	struct zigbee_beacon zigbee;
	struct mac_beacon beacon;
	struct mac_frame frame;

	if (channel > FORMATION_CHANNEL_LAST || mac_frame_decode(octets, &frame) != OK || frame.type != MAC_BEACON || frame.source.mode == MAC_ADDRESS_NONE ||
	    mac_beacon_decode(frame.payload, &beacon) != OK)
		return;
	n.pan_id = frame.source.pan_id;
	n.zigbee = zigbee_beacon_decode(beacon.payload, &zigbee) == OK;
	n.extended_pan_id = n.zigbee ? zigbee.extended_pan_id : 0;
	for (size_t i = 0; i < f->count; i++)
		if (f->networks[i].channel == channel && f->networks[i].pan_id == n.pan_id && f->networks[i].extended_pan_id == n.extended_pan_id)
			return;
	if (f->count == FORMATION_NETWORKS_MAX)
		return;
	f->networks[f->count++] = n;
	f->channel[channel].networks++;
}

static int noise(const struct formation *f, uint8_t channel)
{
	int dbm = f->channel[channel].scanned ? f->channel[channel].energy_dbm : SILENT_DBM;

	return dbm + NETWORK_DB * f->channel[channel].networks + (channel == FORMATION_CHANNEL_LAST ? LAST_CHANNEL_DB : 0);
}

uint8_t formation_choose(const struct formation *f, uint32_t allowed)
{
	static const uint8_t order[] = {25, 20, 15, 11, 24, 19, 14, 23, 18, 13, 22, 17, 12, 21, 16, 26};
	uint8_t best = 0;

	for (size_t i = 0; i < sizeof order; i++)
		if ((allowed & 1U << order[i]) && (best == 0 || noise(f, order[i]) < noise(f, best)))
			best = order[i];
	return best;
}

const struct formation_network *formation_conflict(const struct formation *f, uint16_t pan_id, uint64_t extended_pan_id)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->networks[i].pan_id == pan_id || (f->networks[i].zigbee && f->networks[i].extended_pan_id == extended_pan_id))
			return &f->networks[i];
	return NULL;
}
