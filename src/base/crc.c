/* CRC-16 over the reflected polynomial 0x8408. */
#include "base/crc.h"

static uint16_t crc16(const void *octets, size_t len, uint16_t crc)
{
	const uint8_t *o = octets;

	for (size_t i = 0; i < len; i++) {
		crc ^= o[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0x8408 : crc >> 1);
	}
	return crc;
}

uint16_t crc16_kermit(const void *octets, size_t len)
{
	return crc16(octets, len, 0);
}

uint16_t crc16_x25(const void *octets, size_t len)
{
	return (uint16_t)~crc16(octets, len, 0xffff);
}
