/* ZEP, the ZigBee Encapsulation Protocol, version 2: IEEE 802.15.4 frames in UDP datagrams (port 17754), as Wireshark reads it.
 * "EX"(2) version(1)=2 type(1)=1 channel(1) device(2, be) crc mode(1)=1 lqi(1) ntp time(8, be) sequence(4, be) reserved(10) length(1) psdu */
#ifndef KEYWAY_ZEP_ZEP_H
#define KEYWAY_ZEP_ZEP_H

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

#define ZEP_PORT 17754
#define ZEP_DATAGRAM_MAX 159

struct zep {
	uint8_t channel; /* 11..26 */
	uint16_t device;
	uint8_t lqi;
	uint64_t ntp_time;
	uint32_t sequence;
	struct rd psdu; /* borrowed; with FCS */
};

enum err zep_decode(struct rd in, struct zep *z) MUST_CHECK;
enum err zep_encode(const struct zep *z, struct wr *w) MUST_CHECK;
uint64_t zep_ntp(uint64_t unix_ms); /* NTP time stamp of a wall-clock time */

#endif
