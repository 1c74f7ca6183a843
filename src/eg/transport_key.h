/* Forging of the packet by which a device gets its network key: the whole NWK packet that carries the APS Transport-Key, as the gateway
 * puts it behind a MAC header. Source: docs/protocols/egp.md, "The packet in EG-RESPONSE"; paper 2, section VIII.B. */
#ifndef KEYWAY_EG_TRANSPORT_KEY_H
#define KEYWAY_EG_TRANSPORT_KEY_H

#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"
#include "keys/secret.h"
#include "zigbee/security/aps_security.h"

/* Which IEEE addresses stand in the NWK header: paper 2 says both, most real networks send none. */
enum header_addresses { HEADER_ADDRESSES_DESTINATION, HEADER_ADDRESSES_BOTH, HEADER_ADDRESSES_NONE };

#define TRANSPORT_KEY_RADIUS 30

struct transport_key_order {
	uint64_t gateway; /* the device takes it for its Trust Centre */
	uint64_t device;
	uint16_t device_short;
	enum header_addresses addresses;
	uint8_t nwk_sequence;
	uint8_t aps_counter;
	uint8_t key_sequence;   /* of the network key */
	uint32_t frame_counter; /* a fresh one of this device, on disk already */
};

/* Sealed under the key-transport key of `link`. ERR_BAD_VALUE: the network key has not 16 octets. */
enum err transport_key_forge(const struct transport_key_order *o, const struct link_key_set *link, const struct secret *network_key,
    struct wr *packet) MUST_CHECK;

/* The same as an APS frame alone, for a device that has a network key already: its NWK layer is node B's. Header fields of the order are not used. */
enum err transport_key_aps(const struct transport_key_order *o, const struct link_key_set *link, const struct secret *network_key, struct wr *aps) MUST_CHECK;
/* Switch-Key: an APS frame that the network key alone protects (R22 4.4.6 and table 4-38). */
enum err switch_key_aps(uint8_t key_sequence, uint8_t aps_counter, struct wr *aps) MUST_CHECK;

/* "destination", "both", "none". */
bool header_addresses_parse(const char *text, enum header_addresses *a) MUST_CHECK;

#endif
