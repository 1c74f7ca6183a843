/* The Transport-Key packet. */
#include "eg/transport_key.h"

#include <string.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"
#include "zigbee/nwk_frame.h"

#define COMMAND_MAX 48

/* Writes the command in clear; the caller wipes `plain`. */
static enum err command_write(const struct transport_key_order *o, const struct secret *network_key, struct wr *plain)
{
	uint8_t key[SECRET_AES128];
	const struct aps_command c = {
		.id = APS_TRANSPORT_KEY,
		.transport_key = {
			.type = APS_KEY_STANDARD_NETWORK,
			.key = key,
			.sequence = o->key_sequence,
			.destination = o->device,
			.source = o->gateway,
		},
	};
	enum err e;

	if (secret_len(network_key) != sizeof key)
		return ERR_BAD_VALUE;
	memcpy(key, secret_octets(network_key), sizeof key);
	e = aps_command_encode(&c, plain);
	bytes_wipe(key, sizeof key);
	return e;
}

enum err transport_key_aps(const struct transport_key_order *o, const struct link_key_set *link, const struct secret *network_key, struct wr *aps)
{
	uint8_t plain[COMMAND_MAX];
	struct wr w = wr_of(plain, sizeof plain);
	struct aps_frame f = {.type = APS_COMMAND, .delivery = APS_UNICAST, .counter = o->aps_counter};
	enum err e = command_write(o, network_key, &w);

	if (e == OK)
		e = wr_done(&w, &f.payload) ? OK : ERR_TOO_LONG;
	if (e == OK)
		e = aps_seal(link->transport, AUX_KEY_TRANSPORT, 0, true, o->gateway, o->frame_counter, &f, aps);
	bytes_wipe(plain, sizeof plain);
	return e;
}

enum err transport_key_forge(const struct transport_key_order *o, const struct link_key_set *link, const struct secret *network_key,
    struct wr *packet)
{
	uint8_t octets[NWK_FRAME_MAX];
	struct wr aps = wr_of(octets, sizeof octets);
	struct nwk_frame f = {
		.type = NWK_DATA,
		.protocol_version = 2,
		.destination = o->device_short,
		.source = NWK_COORDINATOR,
		.radius = TRANSPORT_KEY_RADIUS,
		.sequence = o->nwk_sequence,
		.has_destination_eui64 = o->addresses != HEADER_ADDRESSES_NONE,
		.has_source_eui64 = o->addresses == HEADER_ADDRESSES_BOTH,
		.destination_eui64 = o->device,
		.source_eui64 = o->gateway,
	};
	enum err e = transport_key_aps(o, link, network_key, &aps);

	if (e != OK)
		return e;
	if (!wr_done(&aps, &f.payload))
		return ERR_TOO_LONG;
	return nwk_frame_encode(&f, packet);
}

enum err switch_key_aps(uint8_t key_sequence, uint8_t aps_counter, struct wr *aps)
{
	const struct aps_command c = {.id = APS_SWITCH_KEY, .switch_key = {key_sequence}};
	struct aps_frame f = {.type = APS_COMMAND, .delivery = APS_UNICAST, .counter = aps_counter};
	uint8_t plain[COMMAND_MAX];
	struct wr w = wr_of(plain, sizeof plain);
	enum err e = aps_command_encode(&c, &w);

	if (e == OK)
		e = wr_done(&w, &f.payload) ? OK : ERR_TOO_LONG;
	return e == OK ? aps_frame_encode(&f, aps) : e;
}

bool header_addresses_parse(const char *text, enum header_addresses *a)
{
	static const char *const names[] = {
		[HEADER_ADDRESSES_DESTINATION] = "destination",
		[HEADER_ADDRESSES_BOTH] = "both",
		[HEADER_ADDRESSES_NONE] = "none",
	};

	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(text, names[i]) == 0) {
			*a = (enum header_addresses)i;
			return true;
		}
	}
	return false;
}
