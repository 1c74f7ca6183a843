/* The air time of a channel. */
#include "sim/channel.h"

#include "ieee802154/mac_frame.h"

#define OCTET_US 32   /* two symbols of 16 us */
#define HEADER 6      /* octets before the PSDU: preamble, start, length */
#define TURNAROUND_US 192
#define ACK_OCTETS 5
#define ACK_REQUEST 0x20

static uint64_t duration_us(size_t octets)
{
	return (HEADER + octets) * OCTET_US;
}

bool channel_take(struct channel *c, uint64_t now, struct rd psdu, uint64_t *end)
{
	uint64_t start = c->free_us > now ? c->free_us : now;
	uint8_t control;

	if (!rd_u8(&psdu, &control))
		return false;
	if ((control & 7) == MAC_ACK) {
		*end = now;
		return true;
	}
	if (start - now > CHANNEL_WAIT_US)
		return false;
	*end = start + duration_us(psdu.left + 1);
	c->free_us = *end + (control & ACK_REQUEST ? TURNAROUND_US + duration_us(ACK_OCTETS) : 0);
	return true;
}
