/* The two 16-bit checksums of the field. */
#ifndef KEYWAY_BASE_CRC_H
#define KEYWAY_BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* CRC-16/KERMIT: the frame check sequence of IEEE 802.15.4, clause 7.2.1.9; sent low octet first. */
uint16_t crc16_kermit(const void *octets, size_t len);
/* CRC-16/X-25: HDLC-lite (RFC 1662) and Zigbee install codes; sent low octet first. */
uint16_t crc16_x25(const void *octets, size_t len);

#endif
